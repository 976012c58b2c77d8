//! Progress on stderr: a bar on a terminal, a line every few seconds elsewhere.

mod bar;
mod count;
mod lines;
#[cfg(test)]
mod tests;

use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bar::Bar;
use indicatif::ProgressDrawTarget;
use lines::Lines;
use mosaic_stream::config::{ProgressMode, Session};
use mosaic_stream::run::progress::{Progress, Silent};

/// How often a line is printed where there is no bar.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// How often the bar is redrawn, a second.
const BAR_RATE: u8 = 5;

/// The progress that a session asks for. `--quiet` silences it, unless a way to show it was asked for by name; a bar
/// that has no terminal to be drawn on gives way to lines.
pub fn for_session(session: &Session) -> Box<dyn Progress> {
    match session.progress {
        ProgressMode::None => Box::new(Silent),
        ProgressMode::Auto if session.quiet => Box::new(Silent),
        ProgressMode::Auto | ProgressMode::Bar if stderr().is_terminal() => {
            Box::new(Bar::new(ProgressDrawTarget::stderr_with_hz(BAR_RATE)))
        }
        _ => Box::new(Lines::new(Box::new(stderr()), LINE_INTERVAL)),
    }
}

/// A worker that panicked while it counted leaves a count that is still good enough to show.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
