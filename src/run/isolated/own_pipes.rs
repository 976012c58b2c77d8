//! What a child does with the process it is: its end when the parent's comes, and a stdout that is the parent's alone.

use std::fs::File;
use std::io;

use anyhow::{Context, Result};

/// Has the system end this process when the thread that started it ends, whatever this one is doing then. Elsewhere than
/// on Linux it ends when it hears its stdin closed.
pub fn end_with_parent() {
    #[cfg(target_os = "linux")]
    // SAFETY: sets an attribute of this process; no memory is handed over.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}

/// The pipe that stdout is. What libraries print there goes to stderr from now on: it must not come between answers.
///
/// # Errors
/// When the system gives no further descriptor.
pub fn take_stdout() -> Result<File> {
    use std::os::fd::AsFd;
    let pipe = io::stdout().as_fd().try_clone_to_owned().context("take stdout")?;
    // SAFETY: both descriptors are open, and nobody has written to stdout.
    if unsafe { libc::dup2(libc::STDERR_FILENO, libc::STDOUT_FILENO) } < 0 {
        return Err(io::Error::last_os_error()).context("point stdout to stderr");
    }
    Ok(File::from(pipe))
}
