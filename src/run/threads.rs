//! Threads for work without an order: over numbers, or step by step until nothing is left.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// The job was told to stop.
#[derive(Debug, Clone, Copy)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("interrupted")
    }
}

impl std::error::Error for Stopped {}

/// Does `work` for each number below `count`, on `threads` threads, and returns the results in order.
pub fn in_parallel<R: Send>(
    threads: usize,
    count: usize,
    work: impl Fn(usize) -> R + Sync + Send,
) -> Result<Vec<R>> {
    // A thread without anything to do is not worth its stack.
    Ok(pool(threads.min(count).max(1))?.install(|| (0..count).into_par_iter().map(work).collect()))
}

/// Like [`in_parallel`], with a state for each thread that goes from one number to the next. They are handed out in order.
pub fn in_parallel_with<S, R: Send>(
    threads: usize,
    count: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> R + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let numbers = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&number| number < count);
    let of_thread = || {
        let mut state = state();
        std::iter::from_fn(numbers).map(|number| (number, work(&mut state, number))).collect::<Vec<_>>()
    };
    let made: Vec<Vec<(usize, R)>> = pool(threads.min(count).max(1))?.broadcast(|_| of_thread());
    let mut all: Vec<(usize, R)> = made.into_iter().flatten().collect();
    all.sort_unstable_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}

/// Repeats `step` on each of `threads` threads, with a buffer of its own, until it says that nothing is left.
///
/// # Errors
/// An error of any step, which ends the others after the step that they are at; [`Stopped`] when `stop` was set.
pub fn step_by_step(
    threads: usize,
    stop: &AtomicBool,
    step: &(dyn Fn(&mut Vec<u8>) -> Result<bool> + Sync),
) -> Result<()> {
    let failed = AtomicBool::new(false);
    let work = || {
        let mut buffer = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            if stop.load(Ordering::Relaxed) {
                return Err(Stopped.into());
            }
            match step(&mut buffer) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(())
    };
    pool(threads)?.broadcast(|_| work()).into_iter().collect()
}

pub(super) fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    let name = |index| format!("worker-{index}");
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(name)
        .build()
        .context("start the workers")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use anyhow::ensure;

    use super::*;

    #[test]
    fn results_in_parallel_stand_in_order() {
        let work = |number: usize| {
            std::thread::sleep(Duration::from_micros((number as u64 * 7919) % 300));
            number * number
        };
        let results = in_parallel(4, 100, work).unwrap();
        assert!(results.iter().enumerate().all(|(number, &result)| result == number * number));
    }

    #[test]
    fn each_thread_goes_on_with_its_own_state_and_results_stand_in_order() {
        for threads in [1, 4] {
            let work = |done: &mut Vec<usize>, number: usize| {
                done.push(number);
                (number, done.is_sorted(), done.len())
            };
            let results = in_parallel_with(threads, 100, Vec::new, work).unwrap();
            assert!(
                results.iter().enumerate().all(|(index, &(number, sorted, _))| index == number && sorted)
            );
            let most = results.iter().map(|(.., length)| *length).max().unwrap();
            assert!(most >= 100 / threads, "{most} by one of {threads} threads");
        }
    }

    #[test]
    fn steps_are_repeated_until_nothing_is_left() {
        for threads in [1, 4] {
            let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let step = |_: &mut Vec<u8>| {
                let left = next.fetch_add(1, Ordering::Relaxed) < 100;
                done.fetch_add(left.into(), Ordering::Relaxed);
                Ok(left)
            };
            step_by_step(threads, &AtomicBool::new(false), &step).unwrap();
            assert_eq!(done.into_inner(), 100);
        }
    }

    #[test]
    fn a_step_that_fails_or_a_stop_ends_steps_that_would_never_end() {
        for threads in [1, 4] {
            let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
            let fail = |_: &mut Vec<u8>| {
                ensure!(next.fetch_add(1, Ordering::Relaxed) != 20, "the disk is full");
                Ok(true)
            };
            let error = step_by_step(threads, &stop, &fail).unwrap_err();
            assert_eq!(error.to_string(), "the disk is full");
            let interrupt = |_: &mut Vec<u8>| {
                stop.fetch_or(next.fetch_add(1, Ordering::Relaxed) > 40, Ordering::Relaxed);
                Ok(true)
            };
            assert!(step_by_step(threads, &stop, &interrupt).unwrap_err().is::<Stopped>());
        }
    }
}
