//! What handing out windows and storing their blocks in order costs by itself, with windows that are stand-ins.
//!
//! All figures are CPU seconds of the whole process, so that neither sleeping nor a busy machine counts: divided by the
//! windows they must not grow with the workers. Windows that sleep keep 64 workers going at once on few CPUs; what
//! sleeping costs alone stands beside them.

// criterion_group! makes a public function without a doc.
#![allow(missing_docs)]

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Result;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mosaic_stream::geometry::{Size, Window};
use mosaic_stream::plan::{Job, Jobs, Touching, WindowGrid};
use mosaic_stream::run::{Run, Sink, Work, run_jobs};

const WORKERS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Enough that starting 64 threads does not count, where windows take time and where they do not.
const WINDOWS: usize = 64 * 64;
const EMPTY_WINDOWS: usize = 256 * 256;

/// Makes a window of one block, which is its number, in so much time.
struct StandIn(Duration);

impl Work<usize> for StandIn {
    fn make(&mut self, job: Job) -> Result<Vec<Run<usize>>> {
        sleep(self.0);
        Ok(vec![Run { place: job.run(0), blocks: vec![job.number] }])
    }
}

/// A file that only counts, each block in so much time.
struct Counted(usize, Duration);

impl Sink<usize> for Counted {
    fn store(&mut self, _: usize, blocks: Vec<usize>) -> Result<()> {
        sleep(self.1);
        self.0 += blocks.len();
        Ok(())
    }
}

fn sleep(time: Duration) {
    if !time.is_zero() {
        std::thread::sleep(time);
    }
}

/// So many windows of one block, in a square.
fn jobs(windows: usize) -> Jobs {
    let grid = WindowGrid { size: Size::square(windows.isqrt() * 16), window: Size::square(16), block: 16 };
    Jobs::new(grid, &Touching::new(&grid, std::iter::once(Some(Window::whole(grid.size)))))
}

/// CPU time of all threads of this process so far.
fn cpu_time() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills the structure that it is given, which lives longer.
    let code = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut now) };
    assert_eq!(code, 0, "the system does not tell CPU time");
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// CPU time of so many repetitions.
fn cpu_time_of(repetitions: u64, work: impl Fn()) -> Duration {
    let start = cpu_time();
    (0..repetitions).for_each(|_| work());
    cpu_time() - start
}

fn pipeline(criterion: &mut Criterion) {
    let never = AtomicBool::new(false);
    let micros = Duration::from_micros;
    for (name, windows, window, block) in [
        ("windows that do nothing", EMPTY_WINDOWS, micros(0), micros(0)),
        ("windows of 200 us", WINDOWS, micros(200), micros(0)),
        ("windows of 200 us, blocks stored in 20 us", WINDOWS, micros(200), micros(20)),
    ] {
        let jobs = jobs(windows);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(windows as u64)).sample_size(10);
        group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
        for workers in WORKERS {
            let run = || {
                let mut sink = Counted(0, block);
                let new_worker = || Ok(StandIn(window));
                run_jobs(&jobs, (workers, 2 * workers), new_worker, &mut sink, &never, &|_| ()).unwrap();
                assert_eq!(sink.0, windows);
            };
            group.bench_function(format!("{workers} workers"), |bencher| {
                bencher.iter_custom(|repetitions| cpu_time_of(repetitions, run));
            });
        }
        group.finish();
    }
}

/// The same sleep on as many threads, without a pipeline.
fn sleeping_alone(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sleeping 200 us alone");
    group.throughput(Throughput::Elements(WINDOWS as u64)).sample_size(10);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for threads in WORKERS {
        let run = || {
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| (0..WINDOWS / threads).for_each(|_| sleep(Duration::from_micros(200))));
                }
            });
        };
        group.bench_function(format!("{threads} threads"), |bencher| {
            bencher.iter_custom(|repetitions| cpu_time_of(repetitions, run));
        });
    }
    group.finish();
}

criterion_group!(benches, pipeline, sleeping_alone);
criterion_main!(benches);
