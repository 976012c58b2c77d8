//! What is told of a job.

use std::io::Write;
use std::sync::Arc;

use super::count::{Count, clock};
use super::*;

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        lock(&self.0).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn lines_of_a_job(interval: Duration) -> Vec<String> {
    let paper = Paper::default();
    let lines = Lines::new(Box::new(paper.clone()), interval);
    lines.stage("run");
    lines.start(4, 400);
    (0..4).for_each(|_| lines.window_done(100));
    lines.note("something odd");
    lines.finish();
    String::from_utf8(lock(&paper.0).clone()).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn lines_tell_stage_windows_and_notes() {
    let lines = lines_of_a_job(Duration::ZERO);
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[0], "run …");
    assert!(lines[2].starts_with("2/4 windows (50 %), "), "{}", lines[2]);
    assert_eq!(lines[4], "note: something odd");
    assert!(lines[5].starts_with("4/4 windows (100 %), "));
}

#[test]
fn lines_are_few() {
    assert_eq!(lines_of_a_job(Duration::from_secs(3600)).len(), 3);
}

#[test]
fn the_bar_counts_windows() {
    let bar = Bar::new(ProgressDrawTarget::hidden());
    bar.stage("run");
    bar.start(2, 0);
    bar.window_done(1_000_000);
    assert_eq!((bar.bar.position(), bar.bar.length()), (1, Some(2)));
    assert!(bar.bar.message().contains("MB/s"));
    bar.note("hidden bars still print notes");
    bar.finish();
}

#[test]
fn time_is_told_as_a_clock_tells_it() {
    assert_eq!(clock(Duration::from_secs(65)), "1:05");
    assert_eq!(clock(Duration::from_secs(3 * 3600 + 4)), "3:00:04");
    assert!(Count::none().left().is_none());
}
