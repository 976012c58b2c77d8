//! Progress on a terminal.

use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mosaic_stream::run::progress::Progress;

use super::count::{Count, clock};
use super::lock;
use crate::cli::messages;

/// A bar with windows, rate, time and time left.
pub struct Bar {
    pub(super) bar: ProgressBar,
    count: Mutex<Count>,
}

impl Bar {
    /// Drawn on `target`.
    pub fn new(target: ProgressDrawTarget) -> Bar {
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
        self.bar.suspend(|| messages::print_notice(text));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
