//! Progress on stderr: a bar on a terminal, a line every few seconds elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mosaic_stream::config::{ProgressMode, Session};
use mosaic_stream::run::progress::{Progress, Silent};

/// How often a line is printed where there is no bar.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// How often the bar is redrawn, a second.
const BAR_RATE: u8 = 5;

/// The progress that a session asks for. `--quiet` silences it, unless a way to show it was asked for by name; a bar
/// that has no terminal to be drawn on gives way to lines.
pub fn for_session(session: &Session) -> Box<dyn Progress> {
    match session.progress {
        ProgressMode::None => Box::new(Silent),
        ProgressMode::Auto if session.quiet => Box::new(Silent),
        ProgressMode::Auto | ProgressMode::Bar if stderr().is_terminal() => {
            Box::new(Bar::new(ProgressDrawTarget::stderr_with_hz(BAR_RATE)))
        }
        _ => Box::new(Lines::new(Box::new(stderr()), LINE_INTERVAL)),
    }
}

/// Windows and bytes done so far.
#[derive(Debug, Clone, Copy)]
struct Count {
    windows: u64,
    all_windows: u64,
    bytes: u64,
    all_bytes: u64,
    since: Instant,
}

impl Count {
    fn none() -> Count {
        Count { windows: 0, all_windows: 0, bytes: 0, all_bytes: 0, since: Instant::now() }
    }

    /// Megabytes (10⁶) of pixels a second.
    fn rate(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.since.elapsed().as_secs_f64().max(1e-3)
    }

    /// Time left at the rate so far, by bytes where they are known (windows at the edges are smaller).
    fn left(&self) -> Option<Duration> {
        let (done, all) = match self.all_bytes {
            0 => (self.windows, self.all_windows),
            all => (self.bytes, all),
        };
        let remaining = all.saturating_sub(done) as f64 / done as f64;
        (done > 0).then(|| self.since.elapsed().mul_f64(remaining))
    }

    fn percent(&self) -> u64 {
        (self.windows * 100).checked_div(self.all_windows).unwrap_or(100)
    }
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// A worker that panicked while it counted leaves a count that is still good enough to show.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A bar with windows, rate, time and time left.
pub struct Bar {
    bar: ProgressBar,
    count: Mutex<Count>,
}

impl Bar {
    fn new(target: ProgressDrawTarget) -> Bar {
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style("{spinner} {prefix} {elapsed}"));
        bar.enable_steady_tick(Duration::from_millis(250));
        Bar { bar, count: Mutex::new(Count::none()) }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the template is constant");
    style.progress_chars("━╸─").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
}

impl Progress for Bar {
    fn stage(&self, name: &str) {
        self.bar.set_prefix(name.to_owned());
    }

    fn start(&self, windows: u64, bytes: u64) {
        *lock(&self.count) = Count { all_windows: windows, all_bytes: bytes, ..Count::none() };
        self.bar.reset();
        self.bar.set_length(windows);
        self.bar.set_style(style("{prefix} {wide_bar} {pos}/{len} windows {msg}"));
    }

    fn window_done(&self, bytes: u64) {
        let mut count = lock(&self.count);
        count.windows += 1;
        count.bytes += bytes;
        let left = count.left().map_or("?".to_owned(), clock);
        self.bar.set_message(format!(
            "{:.0} MB/s {} left {left}",
            count.rate(),
            clock(count.since.elapsed())
        ));
        self.bar.inc(1);
    }

    fn finish(&self) {
        self.bar.set_style(style("{spinner} {prefix} {elapsed}"));
    }

    fn note(&self, text: &str) {
        self.bar.suspend(|| super::messages::print_notice(text));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

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
    fn new(out: Box<dyn Write + Send>, interval: Duration) -> Lines {
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
        if state.printed.elapsed() >= self.interval {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

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
        assert_eq!(lines.len(), 7);
        assert_eq!(lines[0], "run …");
        assert!(lines[2].starts_with("2/4 windows (50 %), "), "{}", lines[2]);
        assert_eq!(lines[5], "note: something odd");
        assert!(lines[6].starts_with("4/4 windows (100 %), "));
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
}
