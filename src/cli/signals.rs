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
        ignore_file_size_signal();
        let signals = Signals { stop: Arc::default(), unfinished: Arc::default() };
        let (stop, unfinished) = (Arc::clone(&signals.stop), Arc::clone(&signals.unfinished));
        ctrlc::set_handler(move || {
            if stop.swap(true, Ordering::Relaxed) {
                return;
            }
            let unfinished = Arc::clone(&unfinished);
            std::thread::spawn(move || {
                std::thread::sleep(PATIENCE);
                end_at_once(&unfinished);
            });
        })
        .context("catch Ctrl-C")?;
        Ok(signals)
    }
}

/// A file-size limit shall be an error that names the file, not a signal that ends the process.
fn ignore_file_size_signal() {
    // SAFETY: ignoring a signal runs no code; it is set before any other thread is started.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
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
