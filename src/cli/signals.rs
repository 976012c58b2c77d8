//! Ctrl-C and SIGTERM: the job ends in order; where it cannot within two seconds, the process ends and cleans up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use mosaic_stream::mosaic::{Failure, Unfinished};
use mosaic_stream::output::discard;

use super::messages;

/// How long a job has to end in order: a window that waits for a slow server cannot be hurried.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What a signal sets, and what it has to clean up.
pub struct Signals {
    /// Set by the first signal.
    pub stop: Arc<AtomicBool>,
    /// What stands beside the output.
    pub unfinished: Arc<Mutex<Unfinished>>,
}

impl Signals {
    /// Catches Ctrl-C, SIGTERM and SIGHUP from now on.
    ///
    /// # Errors
    /// When the system allows no handler.
    pub fn catch() -> Result<Signals> {
        // A file-size limit shall be an error that names the file, not a signal that ends the process.
        ignore(libc::SIGXFSZ);
        let signals = Signals { stop: Arc::default(), unfinished: Arc::default() };
        let (stop, unfinished) = (Arc::clone(&signals.stop), Arc::clone(&signals.unfinished));
        let hangup_is_ignored = is_ignored(libc::SIGHUP);
        // The job may be told to stop for other reasons, too.
        let mut caught = false;
        ctrlc::set_handler(move || {
            stop.store(true, Ordering::Relaxed);
            if std::mem::replace(&mut caught, true) {
                return;
            }
            let unfinished = Arc::clone(&unfinished);
            std::thread::spawn(move || {
                std::thread::sleep(PATIENCE);
                end_at_once(&unfinished);
            });
        })
        .context("catch Ctrl-C")?;
        if hangup_is_ignored {
            // Whoever started the job by nohup wants it to outlive the terminal.
            ignore(libc::SIGHUP);
        }
        Ok(signals)
    }
}

fn ignore(signal: libc::c_int) {
    // SAFETY: ignoring a signal runs no code.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// Whether whoever started this process had a signal ignored.
fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: all zeros are a valid value; the call without a new action writes the old one, and nothing else.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut action) == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}

fn end_at_once(unfinished: &Mutex<Unfinished>) {
    // The lock is held until the end: the job must not give a half-removed file its final name.
    let unfinished = unfinished.lock().unwrap_or_else(PoisonError::into_inner);
    let failure = match &*unfinished {
        Unfinished::Part(path) => Failure::Kept(Box::new(Failure::Interrupted), path.clone()),
        Unfinished::Worthless(path) => {
            discard(path);
            Failure::Interrupted
        }
        Unfinished::Nothing => Failure::Interrupted,
        // It ends by itself, and well.
        Unfinished::Done => return,
    };
    std::process::exit(messages::print_failure(&failure) as i32);
}
