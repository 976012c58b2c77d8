//! How far the job is, how fast, and how long it still takes.

use std::time::{Duration, Instant};

/// Windows and bytes done so far.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    pub windows: u64,
    pub all_windows: u64,
    pub bytes: u64,
    pub all_bytes: u64,
    pub since: Instant,
}

impl Count {
    pub fn none() -> Count {
        Count { windows: 0, all_windows: 0, bytes: 0, all_bytes: 0, since: Instant::now() }
    }

    /// Megabytes (10⁶) of pixels a second.
    pub fn rate(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.since.elapsed().as_secs_f64().max(1e-3)
    }

    /// Time left at the rate so far, by bytes where they are known (windows at the edges are smaller).
    pub fn left(&self) -> Option<Duration> {
        let (done, all) = match self.all_bytes {
            0 => (self.windows, self.all_windows),
            all => (self.bytes, all),
        };
        let remaining = all.saturating_sub(done) as f64 / done as f64;
        (done > 0).then(|| self.since.elapsed().mul_f64(remaining))
    }

    /// Windows done of a hundred.
    pub fn percent(&self) -> u64 {
        (self.windows * 100).checked_div(self.all_windows).unwrap_or(100)
    }
}

/// A time as a clock shows it: minutes and seconds, hours before them where there are any.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}
