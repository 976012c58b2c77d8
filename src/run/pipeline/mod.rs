//! Windows handed out in order to workers, and their blocks stored in order.
//!
//! A worker that is ahead leaves its blocks waiting and goes on, up to a bound that the budget counts. The oldest
//! window is always in work, so nothing can lock up. What is stored does not depend on which worker was quicker.
//!
//! One worker at a time stores, for all; the others neither wait for it nor for each other to take their next windows.

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
    /// Stores the blocks of the run at this place, which may be none.
    fn store(&mut self, place: usize, blocks: Vec<B>) -> Result<()>;
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
    let state = Mutex::new(State::new(sink));
    let queue = Queue { jobs, ahead, stop, done, may_go_on: Condvar::new(), state };
    pool(workers)?.broadcast(|_| queue.work(&new_worker));
    let state = queue.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    match state.error {
        // What was given up because of the stop is no error.
        Some(_) if stop.load(Ordering::Relaxed) => Err(Stopped.into()),
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
    /// Wakes idle workers: as many as may take a window, or all of them when none is left to take.
    may_go_on: Condvar,
    state: Mutex<State<'a, B>>,
}

struct State<'a, B> {
    next: usize,
    /// Windows that were taken, until all of their blocks that can be stored are.
    unfinished: BTreeSet<usize>,
    finished: usize,
    /// Blocks that are not stored, by their run's place, and the place that comes next.
    waiting: BTreeMap<usize, Vec<B>>,
    next_run: usize,
    /// Windows whose blocks are among the waiting ones since the last were taken from them.
    made: Vec<usize>,
    /// Who stores has it; for ever, when that failed.
    sink: Option<&'a mut dyn Sink<B>>,
    /// Workers that wait for a window that they may take.
    idle: usize,
    error: Option<anyhow::Error>,
}

impl<'a, B> State<'a, B> {
    fn new(sink: &'a mut dyn Sink<B>) -> Self {
        Self {
            next: 0,
            unfinished: BTreeSet::new(),
            finished: 0,
            waiting: BTreeMap::new(),
            next_run: 0,
            made: Vec::new(),
            sink: Some(sink),
            idle: 0,
            error: None,
        }
    }

    fn oldest(&self) -> usize {
        self.unfinished.first().copied().unwrap_or(self.next)
    }

    /// The waiting runs that come next.
    fn take_ready(&mut self) -> Vec<(usize, Vec<B>)> {
        let mut ready = Vec::new();
        while let Some(blocks) = self.waiting.remove(&self.next_run) {
            ready.push((self.next_run, blocks));
            self.next_run += 1;
        }
        ready
    }

    /// Notes that these windows are done with; returns how many more may be taken for that.
    fn finish(&mut self, windows: &[usize]) -> usize {
        let oldest = self.oldest();
        for window in windows {
            self.unfinished.remove(window);
        }
        self.finished += windows.len();
        self.oldest() - oldest
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
        self.may_go_on.notify_all();
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
                self.wake(state.idle, &state);
                return None;
            }
            if state.next < state.oldest() + self.ahead {
                let number = state.next;
                state.next += 1;
                state.unfinished.insert(number);
                return Some(self.jobs.job(number));
            }
            state.idle += 1;
            state = self.may_go_on.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Leaves a window's blocks to the worker that stores; where there is none, this one stores until nothing is left.
    /// A window is finished only then: the bound on windows ahead holds for those that wait for a slow disk, too.
    fn store(&self, job: Job, runs: Vec<Run<B>>) -> Result<()> {
        let mut state = self.lock();
        state.waiting.extend(runs.into_iter().map(|run| (run.place, run.blocks)));
        state.made.push(job.number);
        let Some(sink) = state.sink.take() else { return Ok(()) };
        while !state.made.is_empty() {
            let (made, ready) = (std::mem::take(&mut state.made), state.take_ready());
            drop(state);
            ready.into_iter().try_for_each(|(place, blocks)| sink.store(place, blocks))?;
            state = self.lock();
            let more = state.finish(&made);
            self.wake(more, &state);
        }
        state.sink = Some(sink);
        Ok(())
    }

    /// Wakes so many idle workers. Waking all of many would have them queue for the lock to find nothing.
    fn wake(&self, workers: usize, state: &State<'_, B>) {
        (0..workers.min(state.idle)).for_each(|_| self.may_go_on.notify_one());
    }

    fn lock(&self) -> MutexGuard<'_, State<'a, B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
