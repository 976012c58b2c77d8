//! How what the process holds changes while windows are made: a leak shows as growth that does not end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::Holdings;

/// Samples that are kept at most: beyond, every second one is dropped, and half as many are taken.
const MOST: usize = 128;
/// Windows between two samples at first.
const STEP: u64 = 50;
/// Samples in the second half of a run below which nothing is said of drift.
const FEWEST: usize = 8;

/// What the process held after so many windows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    /// Windows made by then.
    pub windows: u64,
    /// What was held.
    #[serde(flatten)]
    pub holdings: Holdings,
}

/// Samples over a run.
#[derive(Debug)]
pub struct Growth {
    windows: AtomicU64,
    step: AtomicU64,
    samples: Mutex<Vec<Sample>>,
}

/// Growth over the second half of a run, when caches are full and buffers have their size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// Bytes that the process grew by with each thousand windows: the slope of the line nearest to the samples, by
    /// least squares.
    pub per_thousand_windows: f64,
    /// The first sample of that half, and the last.
    pub ends: [Sample; 2],
}

impl Default for Growth {
    fn default() -> Growth {
        Growth { windows: AtomicU64::new(0), step: AtomicU64::new(STEP), samples: Mutex::default() }
    }
}

impl Growth {
    /// Counts a window; now and then takes a sample.
    pub fn window_done(&self) {
        let windows = self.windows.fetch_add(1, Ordering::Relaxed) + 1;
        if windows.is_multiple_of(self.step.load(Ordering::Relaxed)) {
            self.add(Sample { windows, holdings: Holdings::now() });
        }
    }

    fn add(&self, sample: Sample) {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.push(sample);
        if samples.len() >= MOST {
            let step = self.step.fetch_add(self.step.load(Ordering::Relaxed), Ordering::Relaxed) * 2;
            samples.retain(|sample| sample.windows.is_multiple_of(step));
        }
    }

    /// All samples that are kept, by windows.
    pub fn samples(&self) -> Vec<Sample> {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner).clone();
        samples.sort_unstable_by_key(|sample| sample.windows);
        samples
    }
}

impl Drift {
    /// Of samples by windows; none of a run that was too short to tell.
    pub fn of(samples: &[Sample]) -> Option<Drift> {
        let half = &samples[samples.len() / 2..];
        if half.len() < FEWEST {
            return None;
        }
        let count = half.len() as f64;
        let mean = |figure: &dyn Fn(&Sample) -> f64| half.iter().map(figure).sum::<f64>() / count;
        let windows = mean(&|sample| sample.windows as f64);
        let resident = mean(&|sample| sample.holdings.resident as f64);
        let along = |sample: &Sample| sample.windows as f64 - windows;
        let together = mean(&|sample| along(sample) * (sample.holdings.resident as f64 - resident));
        let spread = mean(&|sample| along(sample).powi(2));
        Some(Drift {
            per_thousand_windows: together / spread * 1000.0,
            ends: [half[0], half[half.len() - 1]],
        })
    }

    /// Where memory may leak: it ended beyond the `planned` bytes, and was still growing there.
    pub fn suspicion(&self, planned: u64) -> Option<String> {
        const LEAST: u64 = 4 << 20;
        let [first, last] = self.ends.map(|sample| sample.holdings);
        let beyond = last.resident.saturating_sub(planned);
        let grown = last.resident.saturating_sub(first.resident);
        if beyond == 0 || grown < LEAST || self.per_thousand_windows <= 0.0 {
            return None;
        }
        let (place, bytes) = last.grown_most(&first);
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        Some(format!(
            "memory grew by {:.1} MiB with each thousand windows, to {:.0} MiB more than planned: possibly a leak; since \
             window {} {place} grew most, by {:.0} MiB",
            self.per_thousand_windows / f64::from(1 << 20),
            mebibytes(beyond),
            self.ends[0].windows,
            mebibytes(bytes)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(resident: impl Fn(u64) -> u64) -> Vec<Sample> {
        let sample = |windows: u64| {
            let holdings =
                Holdings { resident: resident(windows), heap: resident(windows), ..Holdings::default() };
            Sample { windows, holdings }
        };
        (1..=40).map(|number| sample(number * 100)).collect()
    }

    #[test]
    fn a_leak_is_told_with_its_place_and_a_cache_that_fills_is_none() {
        let leak = Drift::of(&samples(|windows| (100 << 20) + windows * 10_000)).unwrap();
        assert!((leak.per_thousand_windows - 10e6).abs() < 1.0, "{leak:?}");
        assert!(leak.suspicion(100 << 20).unwrap().contains("pieces of the C heap in use"));
        assert_eq!(leak.suspicion(200 << 20), None);
        let filling = Drift::of(&samples(|windows| windows.min(1500) << 16)).unwrap();
        assert_eq!((filling.per_thousand_windows, filling.suspicion(0)), (0.0, None));
        assert_eq!(Drift::of(&samples(|_| 1)[..14]), None);
    }

    #[test]
    fn samples_stay_few_and_evenly_spread() {
        let growth = Growth::default();
        for _ in 0..100_000 {
            growth.window_done();
        }
        let samples = growth.samples();
        assert!(samples.len() > MOST / 3 && samples.len() <= MOST, "{}", samples.len());
        let step = samples[1].windows - samples[0].windows;
        assert!(samples.windows(2).all(|pair| pair[1].windows - pair[0].windows == step));
        assert!(samples.iter().all(|sample| sample.holdings.resident > 0));
    }
}
