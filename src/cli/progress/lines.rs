//! Progress where there is no terminal.

use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mosaic_stream::run::progress::Progress;

use super::count::{Count, clock};
use super::lock;

/// A line at every stage and every few seconds.
pub struct Lines {
    interval: Duration,
    state: Mutex<LinesState>,
}

struct LinesState {
    out: Box<dyn Write + Send>,
    count: Count,
    printed: Instant,
}

impl Lines {
    /// Written to `out`, no more often than `interval` while windows are made.
    pub fn new(out: Box<dyn Write + Send>, interval: Duration) -> Lines {
        Lines {
            interval,
            state: Mutex::new(LinesState { out, count: Count::none(), printed: Instant::now() }),
        }
    }
}

impl LinesState {
    /// A closed stderr is no reason to fail.
    fn print(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
        self.printed = Instant::now();
    }

    fn print_count(&mut self) {
        let count = self.count;
        let left = count.left().map_or(String::new(), |left| format!(", {} left", clock(left)));
        let Count { windows, all_windows, .. } = count;
        let (percent, rate, elapsed) = (count.percent(), count.rate(), clock(count.since.elapsed()));
        self.print(&format!(
            "{windows}/{all_windows} windows ({percent} %), {rate:.0} MB/s, {elapsed}{left}"
        ));
    }
}

impl Progress for Lines {
    fn stage(&self, name: &str) {
        lock(&self.state).print(&format!("{name} …"));
    }

    fn start(&self, windows: u64, bytes: u64) {
        lock(&self.state).count = Count { all_windows: windows, all_bytes: bytes, ..Count::none() };
    }

    fn window_done(&self, bytes: u64) {
        let mut state = lock(&self.state);
        state.count.windows += 1;
        state.count.bytes += bytes;
        // The last one is told at the end.
        if state.printed.elapsed() >= self.interval && state.count.windows < state.count.all_windows {
            state.print_count();
        }
    }

    fn finish(&self) {
        lock(&self.state).print_count();
    }

    fn note(&self, text: &str) {
        lock(&self.state).print(&format!("note: {text}"));
    }
}
