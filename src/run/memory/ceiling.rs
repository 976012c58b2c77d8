//! The memory ceiling: the process watches what it holds, and a job that goes beyond is ended in order.
//!
//! The system's own limit, on the address space, would be no honest one for this process: stacks of threads and mapped
//! files reserve far more of it than they hold.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::Holdings;
use crate::plan::Line;

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(20);

/// A job that held more than it may.
#[derive(Debug, Clone)]
pub struct Exhausted {
    /// Bytes that it may hold.
    pub ceiling: u64,
    /// What it held.
    pub holdings: Holdings,
    /// Bytes that were planned, once they were.
    pub planned: Option<u64>,
    /// The line of the budget that was broken; none where the ceiling is below what was planned.
    pub line: Option<String>,
}

impl fmt::Display for Exhausted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
        let Exhausted { ceiling, holdings, planned, line } = self;
        write!(
            out,
            "memory reached {} MiB, over the ceiling of {} MiB",
            mebibytes(holdings.resident),
            mebibytes(*ceiling)
        )?;
        match (planned, line) {
            (None, _) => write!(out, " before anything was planned")?,
            (Some(planned), None) => write!(out, ", which is below the {} MiB planned", mebibytes(*planned))?,
            (Some(planned), Some(line)) => {
                write!(out, "; {} MiB were planned, and the line broken is: {line}", mebibytes(*planned))?;
            }
        }
        write!(
            out,
            " (C heap: {} MiB in use, {} MiB free; GDAL's block cache: {} MiB)",
            mebibytes(holdings.heap),
            mebibytes(holdings.heap_spare),
            mebibytes(holdings.gdal_cache)
        )
    }
}

/// What is known of a job that is watched, and what came of it.
#[derive(Default)]
pub struct Watch {
    /// The budget's lines; none before there is a plan.
    lines: Mutex<Vec<Line>>,
    exhausted: Mutex<Option<Exhausted>>,
    ended: Mutex<bool>,
    end: Condvar,
}

/// Does `work` while a thread looks at what the process holds, and sets `stop` when that is more than `ceiling` bytes.
/// Returns what went beyond, if it did, beside the result. Without a ceiling nobody looks; with one `from_plan` on only
/// once there is a plan, which is the first to say that a budget is too small.
pub fn watched<R>(
    (ceiling, from_plan): (Option<u64>, bool),
    stop: &AtomicBool,
    work: impl FnOnce(&Watch) -> R,
) -> (R, Option<Exhausted>) {
    let watch = Watch::default();
    let look = |ceiling| watch.look((ceiling, from_plan), stop);
    let result = std::thread::scope(|scope| {
        if let Some(ceiling) = ceiling {
            let builder = std::thread::Builder::new().name("ceiling".into()).stack_size(64 << 10);
            // A job that cannot have one thread more runs without it.
            let _ = builder.spawn_scoped(scope, move || look(ceiling));
        }
        let ending = Ending(&watch);
        let result = work(&watch);
        drop(ending);
        result
    });
    let exhausted = watch.exhausted.into_inner().unwrap_or_else(PoisonError::into_inner);
    (result, exhausted)
}

/// Ends the watch, however the work ends.
struct Ending<'a>(&'a Watch);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        *self.0.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.end.notify_all();
    }
}

impl Watch {
    /// Tells what is planned.
    pub fn plan(&self, lines: &[Line]) {
        *self.lines.lock().unwrap_or_else(PoisonError::into_inner) = lines.to_vec();
    }

    fn look(&self, (ceiling, from_plan): (u64, bool), stop: &AtomicBool) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        while !*ended {
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if super::resident() > ceiling && !(from_plan && lines.is_empty()) {
                let found = Exhausted::of(ceiling, Holdings::now(), &lines);
                *self.exhausted.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
                stop.store(true, Ordering::Relaxed);
                return;
            }
            drop(lines);
            let waited = self.end.wait_timeout(ended, INTERVAL);
            ended = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Exhausted {
    fn of(ceiling: u64, holdings: Holdings, lines: &[Line]) -> Exhausted {
        let planned: u64 = lines.iter().map(|line| line.bytes).sum();
        let line = |what: &str| lines.iter().find(|line| line.what.starts_with(what));
        let over = holdings.resident.saturating_sub(planned);
        let broken = match line("GDAL's block cache") {
            _ if over == 0 => None,
            Some(cache) if holdings.gdal_cache > cache.bytes + over / 2 => Some(cache.what.clone()),
            _ if holdings.heap_spare > over => {
                Some("none by itself: the C heap did not give free pieces back".into())
            }
            // All that has no figure of its own.
            _ => lines.first().map(|line| line.what.clone()),
        };
        Exhausted { ceiling, holdings, planned: (planned > 0).then_some(planned), line: broken }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_within_the_ceiling_is_let_be_and_beyond_it_told_to_stop() {
        let stop = AtomicBool::new(false);
        let (result, exhausted) = watched((Some(u64::MAX), false), &stop, |_| 5);
        assert!(result == 5 && exhausted.is_none() && !stop.load(Ordering::Relaxed));
        let (_, exhausted) = watched((Some(1), true), &stop, |watch| {
            std::thread::sleep(2 * INTERVAL);
            assert!(!stop.load(Ordering::Relaxed), "there is no plan yet");
            watch.plan(&[Line { what: "the process itself".into(), bytes: 1 }]);
            while !stop.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
        });
        let exhausted = exhausted.unwrap();
        assert!(exhausted.ceiling == 1 && exhausted.holdings.resident > 1);
    }

    #[test]
    fn the_line_that_was_broken_is_told() {
        let line = |what: &str, bytes| Line { what: what.into(), bytes };
        let lines = [line("the process itself", 50), line("GDAL's block cache", 50)];
        let holdings = Holdings { resident: 200, heap: 150, heap_spare: 0, gdal_cache: 120 };
        let broken = |holdings| Exhausted::of(150, holdings, &lines).line;
        assert_eq!(broken(holdings).as_deref(), Some("GDAL's block cache"));
        let of_the_process = Holdings { gdal_cache: 50, ..holdings };
        assert_eq!(broken(of_the_process).as_deref(), Some("the process itself"));
        assert!(broken(Holdings { heap_spare: 120, ..of_the_process }).unwrap().contains("give"));
        assert_eq!(broken(Holdings { resident: 90, ..holdings }), None);
    }
}
