//! The queue of windows under a model checker: its own source, with locks and threads of shuttle's, which tries many
//! orders of the workers' steps and notices when nobody can go on.
//!
//! `QUEUE_MODEL_ORDERS=100000` tries that many orders of each case, half of them at random, half of them by priorities
//! that change a few times (PCT), which finds faults that need a few steps in an unlikely order.

mod model;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Result;
use mosaic_stream::geometry::{Size, Window};
use mosaic_stream::plan::{Jobs, Touching, WindowGrid};
use mosaic_stream::run::Stopped;
use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};

use model::{Case, Seen, Trouble, run};

/// The workers and windows ahead of each case.
const CREWS: [(usize, usize); 9] = [(1, 1), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3), (3, 5)];

/// One order of a case's steps, and the look at its end.
fn execution(case: Case, check: fn(&Case, &Seen, Result<()>)) -> impl Fn() + Clone + Send + Sync + 'static {
    let case = Arc::new(case);
    move || {
        let seen = Seen::default();
        let ended = run(&case, &seen);
        let Case { workers, ahead, trouble, .. } = &*case;
        assert!(!seen.broken.load(Ordering::Relaxed), "{workers} workers, {ahead} ahead, {trouble:?}");
        check(&case, &seen, ended);
    }
}

fn config() -> Config {
    let mut config = Config::new();
    // For the texts of errors, too.
    config.stack_size = 1 << 17;
    config
}

/// Tries many orders of a case's steps; `check` looks at each end.
fn explore(case: Case, check: fn(&Case, &Seen, Result<()>)) {
    let orders = std::env::var("QUEUE_MODEL_ORDERS").map_or(400, |orders| orders.parse().expect("a number"));
    let alone = case.workers == 1;
    let (execution, config) = (execution(case, check), config());
    Runner::new(RandomScheduler::new(orders / 2), config.clone()).run(execution.clone());
    // Priorities say nothing where one works alone.
    if alone {
        return;
    }
    Runner::new(PctScheduler::new(3, orders / 2), config).run(execution);
}

/// Windows of two rows of blocks, every one touched.
fn jobs(columns: usize, rows: usize) -> Jobs {
    let grid = WindowGrid { size: Size::new(32 * columns, 32 * rows), window: Size::square(32), block: 16 };
    let touching = Touching::new(&grid, std::iter::once(Some(Window::whole(grid.size))));
    Jobs::new(grid, &touching)
}

/// Explores jobs of two rows of three windows, by every crew, with this trouble.
fn by_every_crew(trouble: Trouble, check: fn(&Case, &Seen, Result<()>)) {
    for (workers, ahead) in CREWS {
        explore(Case { jobs: jobs(3, 2), workers, ahead, trouble, together: false }, check);
    }
}

/// All was stored and told of.
fn is_whole(case: &Case, seen: &Seen, ended: Result<()>) {
    ended.unwrap();
    assert_eq!(Seen::count(&seen.stored), 2 * case.jobs.len());
    assert_eq!(Seen::count(&seen.done), case.jobs.len());
}

#[test]
fn every_run_is_stored_once_and_in_order_within_the_bound_on_windows_ahead() {
    by_every_crew(Trouble::None, is_whole);
}

#[test]
fn two_workers_with_two_windows_are_right_in_every_order_of_their_steps() {
    let case = Case { jobs: jobs(2, 1), workers: 2, ahead: 1, trouble: Trouble::None, together: false };
    Runner::new(DfsScheduler::new(None, false), config()).run(execution(case, is_whole));
}

/// Windows come in as many as there are workers, and each waits until all are at work: who sleeps on where a window may
/// be taken leaves the others waiting for ever.
#[test]
fn nobody_sleeps_on_where_windows_may_be_taken() {
    for crew in [2, 3] {
        let shape = jobs(crew, 3);
        explore(
            Case { jobs: shape, workers: crew, ahead: crew, trouble: Trouble::None, together: true },
            is_whole,
        );
    }
}

#[test]
fn an_error_or_a_panic_of_a_window_ends_all_workers() {
    for number in [0, 2, 5] {
        by_every_crew(Trouble::Window(number), |case, seen, ended| {
            assert!(format!("{:#}", ended.unwrap_err()).ends_with(": the source is gone"));
            assert!(Seen::count(&seen.made) < case.jobs.len());
        });
        by_every_crew(Trouble::Panic(number), |case, seen, ended| {
            assert!(ended.unwrap_err().to_string().ends_with(": a slip"));
            assert!(Seen::count(&seen.made) < case.jobs.len());
        });
    }
}

#[test]
fn an_error_or_a_panic_of_the_sink_ends_all_workers_and_nothing_is_stored_behind_it() {
    for place in [0, 3, 11] {
        by_every_crew(Trouble::Sink(place), |case, seen, ended| {
            assert_eq!(ended.unwrap_err().to_string(), "no space left");
            assert_eq!(case.trouble, Trouble::Sink(Seen::count(&seen.stored)));
        });
        by_every_crew(Trouble::SinkPanic(place), |case, seen, ended| {
            assert!(ended.unwrap_err().to_string().ends_with(": a slip"));
            assert_eq!(case.trouble, Trouble::SinkPanic(Seen::count(&seen.stored)));
        });
    }
}

#[test]
fn workers_that_cannot_begin_or_end_end_the_job() {
    by_every_crew(Trouble::Beginning, |_, seen, ended| {
        assert_eq!(ended.unwrap_err().to_string(), "no such codec");
        assert_eq!(Seen::count(&seen.made), 0);
    });
    by_every_crew(Trouble::Finish, |_, _, ended| {
        assert_eq!(ended.unwrap_err().to_string(), "the last tile is lost");
    });
}

#[test]
fn a_stop_at_any_time_ends_all_workers() {
    by_every_crew(Trouble::Stop, |case, seen, ended| {
        let whole = Seen::count(&seen.stored) == 2 * case.jobs.len();
        match ended {
            Ok(()) => assert!(whole),
            Err(error) => assert!(error.is::<Stopped>() && !whole),
        }
        assert_eq!(Seen::count(&seen.made), Seen::count(&seen.done));
    });
}
