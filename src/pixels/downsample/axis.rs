//! Which pixels of a level lie under which pixels of the next smaller one, along one axis.
//!
//! A smaller level covers the same ground as the larger one, as GDAL's overviews do: where 1001 pixels become 501, a
//! pixel of the smaller level is 1.998 pixels wide, and the pixels at its ends count as far as they lie under it. Kernels
//! reach further, as wide as the smaller pixel makes them.

use std::ops::Range;

use super::OverviewResampling;
use super::convolution::Kernel;

/// What GDAL takes off positions before it rounds them, against errors of floating point.
const EPSILON: f64 = 1e-8;

/// One axis of two levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// Pixels of the larger level.
    pub source: usize,
    /// Pixels of the smaller level.
    pub target: usize,
    /// How a pixel is made, on which depends how far around it pixels are taken.
    pub resampling: OverviewResampling,
}

/// The source pixels below one target pixel, and how much of the outer ones counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Taps {
    pub start: usize,
    pub end: usize,
    pub first_weight: f64,
    pub last_weight: f64,
}

impl Taps {
    /// The weight of each tap, from the first to the last.
    pub(super) fn weights(self) -> impl Iterator<Item = f64> {
        (self.start..self.end).map(move |source| {
            if source == self.start {
                self.first_weight
            } else if source + 1 == self.end {
                self.last_weight
            } else {
                1.0
            }
        })
    }

    /// Whether it is two whole pixels.
    pub(super) fn is_pair(self) -> bool {
        self.end == self.start + 2 && self.first_weight == 1.0 && self.last_weight == 1.0
    }
}

impl Axis {
    /// Pixels of the larger level for one of the smaller.
    pub(super) fn ratio(self) -> f64 {
        self.source as f64 / self.target as f64
    }

    /// What lies below a target pixel. The weights within a kernel are the kernel's, not these.
    pub(super) fn taps(self, target: usize) -> Taps {
        let ratio = self.ratio();
        if let Some(kernel) = Kernel::of(self.resampling) {
            let Range { start, end } = kernel.span(self, target);
            return Taps { start, end, first_weight: 1.0, last_weight: 1.0 };
        }
        if self.resampling == OverviewResampling::Nearest {
            let start = ((0.5 + target as f64 * ratio) as usize).min(self.source - 1);
            return Taps { start, end: start + 1, first_weight: 1.0, last_weight: 1.0 };
        }
        let (from, to) = (target as f64 * ratio, (target + 1) as f64 * ratio);
        let start = ((from + EPSILON) as usize).min(self.source - 1);
        let end = ((to - EPSILON).ceil() as usize).max(start + 1).min(self.source);
        let first_weight = if end == start + 1 { 1.0 } else { 1.0 - (from - start as f64) };
        Taps { start, end, first_weight, last_weight: 1.0 - (end as f64 - to) }
    }

    /// The source pixels that some target pixels (at least one) are made of.
    pub fn below(self, targets: Range<usize>) -> Range<usize> {
        self.taps(targets.start).start..self.taps(targets.end - 1).end
    }

    /// The target pixels that are made of pixels of `sources` alone.
    pub fn inside(self, sources: Range<usize>) -> Range<usize> {
        let first = self.first(|taps| taps.start >= sources.start);
        let end = self.first(|taps| taps.end > sources.end);
        first..end.max(first)
    }

    /// The target pixels that are made of any pixel of `sources`.
    pub fn touching(self, sources: Range<usize>) -> Range<usize> {
        let first = self.first(|taps| taps.end > sources.start);
        let end = self.first(|taps| taps.start >= sources.end);
        first..end.max(first)
    }

    /// The target pixels that are made of pixels on both sides of a seam, which lies before the source pixel `seam`.
    /// Where kernels are wider than parts, the same pixel may lie across several seams.
    pub fn across(self, seam: usize) -> Range<usize> {
        let first = self.first(|taps| taps.end > seam);
        let end = self.first(|taps| taps.start >= seam);
        first..end.max(first)
    }

    /// The first target pixel of which `reached` is true; it stays true from there on.
    fn first(self, reached: impl Fn(Taps) -> bool) -> usize {
        let (mut low, mut high) = (0, self.target);
        while low < high {
            let middle = low.midpoint(high);
            if reached(self.taps(middle)) { high = middle } else { low = middle + 1 }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn axis() -> impl Strategy<Value = Axis> {
        let resampling = prop::sample::select(OverviewResampling::ALL);
        (1usize..700, 1usize..6, any::<bool>(), resampling).prop_map(|(source, factor, up, resampling)| {
            let target = if up { source.div_ceil(factor) } else { (source / factor).max(1) };
            Axis { source, target, resampling }
        })
    }

    proptest! {
        #[test]
        fn every_target_pixel_lies_inside_a_part_or_across_a_seam(axis in axis(), part in 1usize..40) {
            let mut seen = vec![0; axis.target];
            for start in (0..axis.source).step_by(part) {
                let inside = axis.inside(start..axis.source.min(start + part));
                inside.for_each(|target| seen[target] += 1);
            }
            let mut across: Vec<usize> = (part..axis.source).step_by(part).flat_map(|seam| axis.across(seam)).collect();
            across.sort_unstable();
            across.dedup();
            across.into_iter().for_each(|target| seen[target] += 1);
            prop_assert!(seen.iter().all(|&count| count == 1), "{:?}", seen);
        }

        #[test]
        fn pixels_touch_what_they_are_made_of(axis in axis(), start in 0usize..700, length in 1usize..50) {
            let start = start % axis.source;
            let sources = start..axis.source.min(start + length);
            for target in 0..axis.target {
                let taps = axis.taps(target);
                let touches = taps.start < sources.end && taps.end > sources.start;
                prop_assert_eq!(axis.touching(sources.clone()).contains(&target), touches);
            }
        }

        #[test]
        fn means_and_modes_use_every_source_pixel_once(axis in axis()) {
            prop_assume!(matches!(axis.resampling, OverviewResampling::Average | OverviewResampling::Mode));
            let mut used = vec![0.0; axis.source];
            for target in 0..axis.target {
                let taps = axis.taps(target);
                (taps.start..taps.end).zip(taps.weights()).for_each(|(source, weight)| used[source] += weight);
            }
            let near_one = |&weight: &f64| (weight - 1.0).abs() < 1e-6;
            prop_assert!(used.iter().all(near_one), "{:?}", used);
        }
    }
}
