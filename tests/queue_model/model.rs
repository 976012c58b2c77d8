//! The queue's own source with locks of the model's, and stand-ins for windows and file that look whether it keeps its
//! rules.

#[path = "../../src/run/pipeline/queue.rs"]
mod queue;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Result, bail};
use mosaic_stream::plan::{Job, Jobs};
use mosaic_stream::run::{Run, Sink, Stopped, Work};
use shuttle::rand::Rng;
use shuttle::sync::{Barrier, Condvar, Mutex, MutexGuard};
use shuttle::thread;

use queue::Queue;

/// What goes wrong in a job.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trouble {
    None,
    /// No worker can begin.
    Beginning,
    /// A worker's window cannot be made.
    Window(usize),
    /// A worker's window ends in a panic.
    Panic(usize),
    /// The sink refuses the run of this place.
    Sink(usize),
    /// The sink panics at the run of this place.
    SinkPanic(usize),
    /// What a worker began for its windows together cannot be ended.
    Finish,
    /// The job is told to stop, at any time.
    Stop,
}

/// A job of the model.
pub struct Case {
    pub jobs: Jobs,
    pub workers: usize,
    pub ahead: usize,
    pub trouble: Trouble,
    /// Whether each window waits until all workers are at work.
    pub together: bool,
}

/// What is seen of a job. The model's threads take turns on one thread of the system, so these need no order.
#[derive(Default)]
pub struct Seen {
    pub stored: AtomicUsize,
    pub made: AtomicUsize,
    pub done: AtomicUsize,
    storing: AtomicBool,
    pub broken: AtomicBool,
}

impl Seen {
    /// Notes when a rule is broken. A panic would be caught by the queue, as one of a worker.
    fn hold(&self, rule: bool, what: &str) {
        if !rule {
            eprintln!("broken: {what}");
            self.broken.store(true, Ordering::Relaxed);
        }
    }

    pub fn count(counter: &AtomicUsize) -> usize {
        counter.load(Ordering::Relaxed)
    }
}

struct Worker<'a> {
    case: &'a Case,
    seen: &'a Seen,
    all: &'a Barrier,
}

impl Work<usize> for Worker<'_> {
    fn make(&mut self, job: Job) -> Result<Vec<Run<usize>>> {
        let Case { jobs, ahead, trouble, together, .. } = self.case;
        let stored = Seen::count(&self.seen.stored);
        // A window whose first run is stored, or would be had it been made, is not the oldest any more.
        let oldest = (0..jobs.len()).find(|&number| jobs.job(number).run(0) >= stored).unwrap_or(jobs.len());
        self.seen.hold(job.number < oldest + ahead, "a window is taken too far ahead of the oldest");
        if *together {
            self.all.wait();
        }
        match *trouble {
            Trouble::Window(number) if number == job.number => bail!("the source is gone"),
            // Without the hook that would tell of each of thousands.
            Trouble::Panic(number) if number == job.number => std::panic::resume_unwind(Box::new("a slip")),
            _ => {}
        }
        self.seen.made.fetch_add(1, Ordering::Relaxed);
        Ok((0..2).map(|row| Run { place: job.run(row), blocks: vec![job.run(row)] }).collect())
    }

    fn finish(&mut self) -> Result<()> {
        if self.case.trouble == Trouble::Finish { bail!("the last tile is lost") } else { Ok(()) }
    }
}

struct File<'a> {
    case: &'a Case,
    seen: &'a Seen,
}

impl Sink<usize> for File<'_> {
    fn store(&mut self, place: usize, blocks: Vec<usize>) -> Result<()> {
        let alone = !self.seen.storing.swap(true, Ordering::Relaxed);
        self.seen.hold(alone, "two workers store at once");
        thread::yield_now();
        self.seen.hold(blocks == [place], "a run has another one's blocks");
        self.seen.hold(place == Seen::count(&self.seen.stored), "a run is stored out of its order");
        match self.case.trouble {
            Trouble::Sink(full) if place >= full => bail!("no space left"),
            Trouble::SinkPanic(full) if place >= full => std::panic::resume_unwind(Box::new("a slip")),
            _ => {}
        }
        self.seen.stored.fetch_add(1, Ordering::Relaxed);
        self.seen.storing.store(false, Ordering::Relaxed);
        Ok(())
    }
}

/// Runs a job in one order of its workers' steps; returns how it ended.
pub fn run(case: &Case, seen: &Seen) -> Result<()> {
    let (stop, all) = (AtomicBool::new(false), Barrier::new(case.workers));
    let mut file = File { case, seen };
    let done = |_: Job| {
        seen.done.fetch_add(1, Ordering::Relaxed);
    };
    let begin = || match case.trouble {
        Trouble::Beginning => bail!("no such codec"),
        _ => Ok(Worker { case, seen, all: &all }),
    };
    let queue = Queue::new(&case.jobs, case.ahead, &mut file, &stop, &done);
    thread::scope(|scope| {
        for _ in 0..case.workers {
            scope.spawn(|| queue.work(&begin));
        }
        if case.trouble == Trouble::Stop {
            scope.spawn(|| {
                (0..shuttle::rand::thread_rng().gen_range(0..40)).for_each(|_| thread::yield_now());
                stop.store(true, Ordering::Relaxed);
            });
        }
    });
    queue.ended()
}
