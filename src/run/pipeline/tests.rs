//! The pipeline with stand-ins for windows and file.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::bail;

use super::*;
use crate::geometry::{Size, Window};
use crate::plan::{Touching, WindowGrid};

/// Jobs of windows of 2 × 2 blocks, every one touched.
fn jobs(columns: usize, rows: usize) -> Jobs {
    let grid = WindowGrid { size: Size::new(32 * columns, 32 * rows), window: Size::square(32), block: 16 };
    let touching = Touching::new(&grid, std::iter::once(Some(Window::whole(grid.size))));
    Jobs::new(grid, &touching)
}

/// The runs of a window; each block is a pair of its run's place and its window's number.
fn runs(job: Job) -> Vec<Run<(usize, usize)>> {
    (0..2).map(|row| Run { place: job.run(row), blocks: vec![(job.run(row), job.number); 2] }).collect()
}

/// Keeps what is stored.
#[derive(Default)]
struct Stored(Vec<(usize, usize)>);

impl Sink<(usize, usize)> for Stored {
    fn store(&mut self, _: usize, blocks: Vec<(usize, usize)>) -> Result<()> {
        self.0.extend(blocks);
        Ok(())
    }
}

/// A worker that does what a function says.
struct Worker<'a>(&'a (dyn Fn(Job) -> Result<()> + Sync));

impl Work<(usize, usize)> for Worker<'_> {
    fn make(&mut self, job: Job) -> Result<Vec<Run<(usize, usize)>>> {
        (self.0)(job).map(|()| runs(job))
    }
}

/// Runs all jobs; returns what was stored, how many windows were said to be done, and how it ended.
fn run(
    jobs: &Jobs,
    (workers, ahead): (usize, usize),
    stop: &AtomicBool,
    make: &(dyn Fn(Job) -> Result<()> + Sync),
) -> (Vec<(usize, usize)>, usize, Result<()>) {
    let mut stored = Stored::default();
    let done = AtomicUsize::new(0);
    let count = |_: Job| {
        done.fetch_add(1, Ordering::Relaxed);
    };
    let ended = run_jobs(jobs, (workers, ahead), || Ok(Worker(make)), &mut stored, stop, &count);
    (stored.0, done.into_inner(), ended)
}

fn never() -> AtomicBool {
    AtomicBool::new(false)
}

/// Waits a little, differently for each window.
fn dawdle(job: Job) {
    std::thread::sleep(Duration::from_micros((job.number as u64 * 7919) % 700));
}

#[test]
fn blocks_are_stored_in_the_order_of_the_file_whatever_worker_is_quicker() {
    let jobs = jobs(5, 4);
    for (workers, ahead) in [(1, 1), (1, 2), (2, 2), (3, 6), (8, 16), (16, 4)] {
        let make = |job: Job| {
            dawdle(job);
            Ok(())
        };
        let (stored, done, ended) = run(&jobs, (workers, ahead), &never(), &make);
        ended.unwrap();
        assert_eq!(done, 20);
        let places: Vec<usize> = stored.iter().map(|block| block.0).collect();
        let expected: Vec<usize> = (0..40).flat_map(|place| [place; 2]).collect();
        assert_eq!(places, expected, "{workers} workers, {ahead} ahead");
    }
}

#[test]
fn no_jobs_are_no_error() {
    let grid = WindowGrid { size: Size::new(64, 64), window: Size::square(32), block: 16 };
    let jobs = Jobs::new(grid, &Touching::new(&grid, std::iter::empty()));
    let (stored, done, ended) = run(&jobs, (4, 8), &never(), &|_| bail!("there is no window"));
    ended.unwrap();
    assert!(stored.is_empty() && done == 0);
}

#[test]
fn an_error_in_a_worker_ends_the_job_and_names_the_window() {
    let jobs = jobs(6, 6);
    for workers in [1, 4] {
        let make = |job: Job| {
            dawdle(job);
            if job.number == 8 { bail!("the source is gone") } else { Ok(()) }
        };
        let (stored, done, ended) = run(&jobs, (workers, 2 * workers), &never(), &make);
        let error = format!("{:#}", ended.unwrap_err());
        let window = jobs.job(8).window;
        assert_eq!(error, format!("window {window}: the source is gone"));
        assert!(done < 36 && stored.iter().all(|block| block.1 != 8));
    }
}

#[test]
fn a_worker_that_cannot_begin_ends_the_job() {
    let mut stored = Stored::default();
    let begin = || -> Result<Worker> { bail!("no such codec") };
    let ended = run_jobs(&jobs(3, 3), (4, 8), begin, &mut stored, &never(), &|_| ());
    assert_eq!(ended.unwrap_err().to_string(), "no such codec");
}

#[test]
fn a_panic_in_a_worker_is_an_error_and_leaves_nobody_waiting() {
    let jobs = jobs(6, 6);
    for workers in [1, 4] {
        let make = |job: Job| {
            assert!(job.number != 5, "number five");
            Ok(())
        };
        let (_, done, ended) = run(&jobs, (workers, workers), &never(), &make);
        let error = ended.unwrap_err().to_string();
        assert!(error.contains("a fault of this program: number five"), "{error}");
        assert!(done < 36);
    }
}

#[test]
fn an_error_of_the_sink_ends_the_job() {
    struct Full(usize);
    impl Sink<(usize, usize)> for Full {
        fn store(&mut self, _: usize, _: Vec<(usize, usize)>) -> Result<()> {
            self.0 += 1;
            if self.0 > 3 { bail!("no space left") } else { Ok(()) }
        }
    }
    let mut sink = Full(0);
    let ended = run_jobs(&jobs(4, 4), (3, 6), || Ok(Worker(&|_| Ok(()))), &mut sink, &never(), &|_| ());
    assert!(format!("{:#}", ended.unwrap_err()).contains("no space left"));
    assert_eq!(sink.0, 4, "nothing is stored behind what could not be");
}

#[test]
fn the_stop_flag_ends_the_job_with_what_is_in_work() {
    let jobs = jobs(10, 10);
    let stop = never();
    let make = |job: Job| {
        if job.number == 12 {
            stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    };
    let (_, done, ended) = run(&jobs, (3, 6), &stop, &make);
    assert!(ended.unwrap_err().is::<Stopped>());
    assert!((1..=12 + 6).contains(&done), "{done} windows were made");
}

#[test]
fn a_stop_after_the_last_window_is_no_stop() {
    let jobs = jobs(2, 2);
    let stop = never();
    let make = |job: Job| {
        stop.fetch_or(job.number == 3, Ordering::Relaxed);
        Ok(())
    };
    let (stored, _, ended) = run(&jobs, (1, 1), &stop, &make);
    ended.unwrap();
    assert_eq!(stored.len(), 16);
}

/// The oldest window is held back until the others have gone as far as they may: no further than `ahead`.
#[test]
fn no_window_is_begun_further_ahead_of_the_oldest_than_allowed() {
    for (workers, ahead) in [(2, 2), (2, 5), (4, 8), (3, 3)] {
        let jobs = jobs(8, 8);
        let begun = AtomicUsize::new(0);
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let release = Mutex::new(Some(release));
        let furthest = AtomicUsize::new(0);
        let make = |job: Job| {
            let count = begun.fetch_add(1, Ordering::SeqCst) + 1;
            if job.number == 0 {
                // Ends when the last window that may be begun hangs up.
                let _ = released.lock().unwrap().recv();
                // Time for any that may not be.
                std::thread::sleep(Duration::from_millis(5));
                furthest.store(begun.load(Ordering::SeqCst), Ordering::SeqCst);
            } else if count == ahead {
                drop(release.lock().unwrap().take());
            }
            Ok(())
        };
        let (stored, _, ended) = run(&jobs, (workers, ahead), &never(), &make);
        ended.unwrap();
        assert_eq!(furthest.into_inner(), ahead, "{workers} workers, {ahead} ahead");
        assert_eq!(stored.len(), 64 * 4);
    }
}

/// Waits until a count has come so far, or much too long; returns whether it has.
fn comes_to(count: &AtomicUsize, wanted: usize) -> bool {
    let mut waits = (0..10_000).map(|_| std::thread::sleep(Duration::from_millis(1)));
    waits.by_ref().any(|()| count.load(Ordering::SeqCst) >= wanted)
}

/// The file takes the first blocks only when as many windows as may be were begun, and then no more.
#[test]
fn windows_are_begun_while_blocks_are_stored_but_no_further_than_allowed() {
    struct Slow<'a>(&'a AtomicUsize, usize, Stored);
    impl Sink<(usize, usize)> for Slow<'_> {
        fn store(&mut self, place: usize, blocks: Vec<(usize, usize)>) -> Result<()> {
            if self.2.0.is_empty() {
                assert!(comes_to(self.0, self.1), "storing keeps the others from their windows");
                std::thread::sleep(Duration::from_millis(5));
                assert_eq!(self.0.load(Ordering::SeqCst), self.1);
            }
            self.2.store(place, blocks)
        }
    }
    for (workers, ahead) in [(2, 2), (2, 5), (4, 8), (16, 20)] {
        let begun = AtomicUsize::new(0);
        let make = |_: Job| {
            begun.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        let mut sink = Slow(&begun, ahead, Stored::default());
        run_jobs(&jobs(8, 8), (workers, ahead), || Ok(Worker(&make)), &mut sink, &never(), &|_| ()).unwrap();
        let places: Vec<usize> = sink.2.0.iter().map(|block| block.0).collect();
        assert!(places.is_sorted() && places.len() == 64 * 4);
    }
}

/// All workers but one wait for the oldest window; when it is finished, they all have to be at work at once.
#[test]
fn nobody_sleeps_on_where_windows_may_be_begun() {
    const WORKERS: usize = 8;
    let (begun, later) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let make = |job: Job| {
        begun.fetch_add(1, Ordering::SeqCst);
        if job.number == 0 {
            assert!(comes_to(&begun, WORKERS), "the windows ahead are not begun");
            // Time to fall asleep.
            std::thread::sleep(Duration::from_millis(5));
        } else if (WORKERS..2 * WORKERS).contains(&job.number) {
            later.fetch_add(1, Ordering::SeqCst);
            assert!(comes_to(&later, WORKERS), "a worker sleeps on");
        }
        Ok(())
    };
    let (stored, _, ended) = run(&jobs(8, 8), (WORKERS, WORKERS), &never(), &make);
    ended.unwrap();
    assert_eq!(stored.len(), 64 * 4);
}
