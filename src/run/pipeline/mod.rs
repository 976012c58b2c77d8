//! Windows handed out in order to workers, and their blocks stored in order.
//!
//! A worker that is ahead leaves its blocks waiting and goes on, up to a bound that the budget counts. The oldest
//! window is always in work, so nothing can lock up. What is stored does not depend on which worker was quicker.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, anyhow};

use super::threads::{Stopped, pool};
use crate::plan::{Job, Jobs};

/// The blocks of one row of blocks of one window, and their place in the order of the file.
pub struct Run<B> {
    /// Its place: each number comes once, and they are stored in order.
    pub place: usize,
    /// What is stored.
    pub blocks: Vec<B>,
}

/// What a worker does with a window.
pub trait Work<B> {
    /// Makes the blocks of one window, one run for each of its rows of blocks.
    fn make(&mut self, job: Job) -> Result<Vec<Run<B>>>;

    /// Ends what was begun for several windows together. Called once, when this worker has made its last one.
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Where blocks are stored. Called in order, never by two threads at once.
pub trait Sink<B>: Send {
    /// Stores one run's blocks.
    fn store(&mut self, blocks: Vec<B>) -> Result<()>;
}

/// Makes all windows with `workers` workers and stores their blocks in order. At most `ahead` windows are in work or
/// wait behind the oldest that is not finished. `done` hears of each window that is made.
///
/// # Errors
/// The first error of any worker or of the sink; [`Stopped`] when `stop` was set.
pub fn run_jobs<B: Send, W: Work<B>>(
    jobs: &Jobs,
    (workers, ahead): (usize, usize),
    new_worker: impl Fn() -> Result<W> + Sync,
    sink: &mut dyn Sink<B>,
    stop: &AtomicBool,
    done: &(dyn Fn(Job) + Sync),
) -> Result<()> {
    let queue =
        Queue { jobs, ahead, stop, done, changed: Condvar::new(), state: Mutex::new(State::new(sink)) };
    pool(workers)?.broadcast(|_| queue.work(&new_worker));
    let state = queue.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    match state.error {
        Some(error) => Err(error),
        None if state.finished < jobs.len() => Err(Stopped.into()),
        None => Ok(()),
    }
}

struct Queue<'a, B> {
    jobs: &'a Jobs,
    ahead: usize,
    stop: &'a AtomicBool,
    done: &'a (dyn Fn(Job) + Sync),
    changed: Condvar,
    state: Mutex<State<'a, B>>,
}

struct State<'a, B> {
    next: usize,
    in_work: BTreeSet<usize>,
    finished: usize,
    waiting: BTreeMap<usize, Vec<B>>,
    next_run: usize,
    sink: &'a mut dyn Sink<B>,
    error: Option<anyhow::Error>,
}

impl<'a, B> State<'a, B> {
    fn new(sink: &'a mut dyn Sink<B>) -> Self {
        Self {
            next: 0,
            in_work: BTreeSet::new(),
            finished: 0,
            waiting: BTreeMap::new(),
            next_run: 0,
            sink,
            error: None,
        }
    }
}

impl<'a, B: Send> Queue<'a, B> {
    fn work<W: Work<B>>(&self, new_worker: &impl Fn() -> Result<W>) {
        // A panic in one worker must not leave the others waiting for its window.
        let worked = catch_unwind(AssertUnwindSafe(|| self.make_windows(new_worker)));
        let error = match worked {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
                anyhow!("a worker failed, which is a fault of this program: {text}")
            }
        };
        self.lock().error.get_or_insert(error);
        self.changed.notify_all();
    }

    fn make_windows<W: Work<B>>(&self, new_worker: &impl Fn() -> Result<W>) -> Result<()> {
        let mut worker: Option<W> = None;
        while let Some(job) = self.take() {
            let worker = match &mut worker {
                Some(worker) => worker,
                none => none.insert(new_worker()?),
            };
            let runs = worker.make(job).with_context(|| format!("window {}", job.window))?;
            self.store(job, runs)?;
            (self.done)(job);
        }
        worker.as_mut().map_or(Ok(()), Work::finish)
    }

    /// The next window, as soon as it is not too far ahead; none when all are taken or the job ends early.
    fn take(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.next >= self.jobs.len() || state.error.is_some() || self.stop.load(Ordering::Relaxed) {
                self.changed.notify_all();
                return None;
            }
            let oldest = state.in_work.first().copied().unwrap_or(state.next);
            if state.next < oldest + self.ahead {
                let number = state.next;
                state.next += 1;
                state.in_work.insert(number);
                return Some(self.jobs.job(number));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn store(&self, job: Job, runs: Vec<Run<B>>) -> Result<()> {
        let mut state = self.lock();
        state.waiting.extend(runs.into_iter().map(|run| (run.place, run.blocks)));
        let State { waiting, next_run, sink, .. } = &mut *state;
        while let Some(blocks) = waiting.remove(next_run) {
            sink.store(blocks)?;
            *next_run += 1;
        }
        state.in_work.remove(&job.number);
        state.finished += 1;
        self.changed.notify_all();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State<'a, B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
