//! The queue between workers: who makes which window next, who waits, and who stores.
//!
//! What it is made of, its parent says: `tests/queue_model.rs` compiles this file once more, with locks of a model
//! checker that tries many orders of the workers' steps.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, anyhow};

use super::{Condvar, Job, Jobs, Mutex, MutexGuard, Run, Sink, Stopped, Work};

/// All that the workers of a job share.
pub(super) struct Queue<'a, B> {
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
    /// A queue of which nothing was taken yet. At most `ahead` windows are in work or wait behind the oldest that is not
    /// finished.
    pub fn new(
        jobs: &'a Jobs,
        ahead: usize,
        sink: &'a mut dyn Sink<B>,
        stop: &'a AtomicBool,
        done: &'a (dyn Fn(Job) + Sync),
    ) -> Self {
        Self { jobs, ahead, stop, done, may_go_on: Condvar::new(), state: Mutex::new(State::new(sink)) }
    }

    /// How the job ended, once all workers have.
    ///
    /// # Errors
    /// The first error of any worker or of the sink; [`Stopped`] when windows were left for the stop flag.
    pub fn ended(self) -> Result<()> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        match state.error {
            // What was given up because of the stop is no error.
            Some(_) if self.stop.load(Ordering::Relaxed) => Err(Stopped.into()),
            Some(error) => Err(error),
            None if state.finished < self.jobs.len() => Err(Stopped.into()),
            None => Ok(()),
        }
    }

    /// One worker's part, on its thread: windows are made until none is left, or the job ends early.
    pub fn work<W: Work<B>>(&self, new_worker: &impl Fn() -> Result<W>) {
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
