//! Which of two ways to the same result is the faster one here, found out by taking both.

use std::time::Duration;

/// Measured times of two ways, one of which is taken again and again.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    /// Nanoseconds a byte: of the usual way, and of the other.
    usual: Option<f64>,
    other: Option<f64>,
    taken: u32,
}

/// How often one of the ways is taken before the slower one is tried again: what is read may have changed.
const TRIED_AFTER: u32 = 128;

impl Pace {
    /// Whether the usual way is to be taken now: first both, then the faster one, and seldom the slower one.
    pub fn takes_usual(&self) -> bool {
        match (self.usual, self.other) {
            (None, _) => true,
            (_, None) => false,
            (Some(usual), Some(other)) => (usual <= other) != self.taken.is_multiple_of(TRIED_AFTER),
        }
    }

    /// The usual way, or the other, has taken so long for so many bytes.
    pub fn note(&mut self, usual: bool, time: Duration, bytes: usize) {
        /// What one new time counts beside all before.
        const WEIGHT: f64 = 0.25;
        let new = time.as_nanos() as f64 / bytes.max(1) as f64;
        let known = if usual { &mut self.usual } else { &mut self.other };
        *known = Some(known.map_or(new, |known| known + WEIGHT * (new - known)));
        self.taken = self.taken.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each way is taken when they take so long.
    fn taken(usual: u64, other: u64) -> (u32, u32) {
        let mut pace = Pace::default();
        let mut counts = (0, 0);
        for _ in 0..10 * TRIED_AFTER {
            let takes_usual = pace.takes_usual();
            let (count, time) = if takes_usual { (&mut counts.0, usual) } else { (&mut counts.1, other) };
            *count += 1;
            pace.note(takes_usual, Duration::from_nanos(time), 10);
        }
        counts
    }

    #[test]
    fn the_faster_way_is_taken_and_the_slower_one_tried_now_and_then() {
        assert_eq!(taken(10, 20), (10 * TRIED_AFTER - 10, 10));
        assert_eq!(taken(20, 10), (10, 10 * TRIED_AFTER - 10));
    }
}
