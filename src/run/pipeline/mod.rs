//! Windows handed out in order to workers, and their blocks stored in order.
//!
//! A worker that is ahead leaves its blocks waiting and goes on, up to a bound that the budget counts. The oldest
//! window is always in work, so nothing can lock up. What is stored does not depend on which worker was quicker.
//!
//! One worker at a time stores, for all; the others neither wait for it nor for each other to take their next windows.

mod queue;
#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicBool;
// The queue's; its model, `tests/queue_model.rs`, gives it others.
use std::sync::{Condvar, Mutex, MutexGuard};

use anyhow::Result;

use queue::Queue;

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
    let queue = Queue::new(jobs, ahead, sink, stop, done);
    pool(workers)?.broadcast(|_| queue.work(&new_worker));
    queue.ended()
}
