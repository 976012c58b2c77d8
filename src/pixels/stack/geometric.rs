//! The geometric median: the point whose Euclidean distances to all scenes sum up to the least.
//!
//! Weiszfeld's iteration as Y. Vardi and C.-H. Zhang made it safe where it meets a scene (The multivariate L1-median and
//! associated data depth, PNAS 97, 2000). With w the reciprocal distances of the scenes, R = Σ w·(scene − point) and
//! η scenes at the point itself, a step is max(0, 1 − η/|R|) · R / Σ w. It starts at the mean, so that of two scenes,
//! between which every point is a median, it gives the middle.
//!
//! A pixel is done after a step of less than 1/512 of a unit (whole types) or than a small part of the mean distance to
//! the scenes (a millionth for types of up to 16 bits, which are computed in Float32; a billionth for the others, in
//! Float64), and after [`MOST_STEPS`] at the latest. A pixel that is done makes room for the next
//! one, so that none waits for its neighbours, nor depends on them. Where a value is infinite there is no median.

use super::block::{Block, LANES, Lanes, lanes};
use super::outcome::{Outcome, Results};
use super::sample::{Real, Sample};
use super::wide::widest;

/// So many steps are made at most.
pub(super) const MOST_STEPS: u32 = 200;

/// Pixels that are iterated at once.
const GROUP: usize = 8;

type Group<R> = [R; GROUP];

/// Finds geometric medians, with memory of its own.
pub(super) struct GeometricMedian<R> {
    /// Bands × scenes of the block, seen from the centres.
    offsets: Vec<Lanes<R>>,
    /// Scenes: 1 where they have data.
    weights: Vec<Lanes<R>>,
    /// Bands: whole numbers near the means, and the means seen from there. Small numbers have more digits.
    centres: Vec<Lanes<R>>,
    means: Vec<Lanes<R>>,
    group: Iteration<R>,
}

/// The pixels that are iterated.
struct Iteration<R> {
    /// Scenes × bands.
    offsets: Vec<Group<R>>,
    /// Scenes.
    weights: Vec<Group<R>>,
    /// Bands: the points, and the vectors R.
    points: Vec<Group<R>>,
    pulls: Vec<Group<R>>,
    /// How many scenes have data.
    counts: Group<R>,
    /// Shorter steps end the iteration; known after the first step.
    nearest: Group<R>,
    steps: [u32; GROUP],
    /// Which pixel of the block a lane holds.
    pixels: [Option<usize>; GROUP],
}

impl<R: Real> GeometricMedian<R> {
    /// For that many scenes and bands.
    pub fn new(bands: usize, depth: usize) -> Self {
        let (zero, zeros) = ([R::default(); GROUP], [R::default(); LANES]);
        GeometricMedian {
            offsets: vec![zeros; bands * depth],
            weights: vec![zeros; depth],
            centres: vec![zeros; bands],
            means: vec![zeros; bands],
            group: Iteration {
                offsets: vec![zero; bands * depth],
                weights: vec![zero; depth],
                points: vec![zero; bands],
                pulls: vec![zero; bands],
                counts: zero,
                nearest: zero,
                steps: [0; GROUP],
                pixels: [None; GROUP],
            },
        }
    }

    /// Bytes for that many scenes and bands.
    pub const fn bytes(real_bytes: usize, bands: usize, depth: usize) -> usize {
        ((bands + 1) * depth + 2 * bands) * (LANES + GROUP) * real_bytes
    }

    /// The medians in all bands; `fractions` tells whether the scenes' type has any.
    pub fn find<T: Sample<Real = R>>(
        &mut self,
        block: &Block<T>,
        fractions: bool,
        results: &mut [Results<T::Outcome>],
    ) {
        let (depth, counts) = (block.depth(), block.counts(0));
        to_weights(block.marks(0), &mut self.weights);
        for band in 0..results.len() {
            let offsets = &mut self.offsets[band * depth..][..depth];
            let (centre, mean) = (&mut self.centres[band], &mut self.means[band]);
            center(block.values(band), &self.weights, counts, offsets, centre, mean);
        }
        let unit = if fractions { R::default() } else { R::of(1.0 / 512.0) };
        let mut waiting = (0..block.width).filter(|&pixel| counts[pixel] > 0);
        (0..GROUP).for_each(|lane| self.enter(lane, waiting.next(), depth, counts));
        while self.group.pixels != [None; GROUP] {
            let moves = step(&mut self.group, depth, unit);
            for (lane, moved) in moves.into_iter().enumerate() {
                self.group.steps[lane] += 1;
                let Some(pixel) = self.group.pixels[lane] else { continue };
                if !moved || self.group.steps[lane] == MOST_STEPS {
                    for (band, results) in results.iter_mut().enumerate() {
                        let point =
                            self.centres[band][pixel].to_f64() + self.group.points[band][lane].to_f64();
                        results.outcomes[pixel] = T::Outcome::of(point);
                    }
                    self.enter(lane, waiting.next(), depth, counts);
                }
            }
        }
    }

    /// Begins a pixel of the block, if there is one left.
    fn enter(&mut self, lane: usize, pixel: Option<usize>, depth: usize, counts: &Lanes<u32>) {
        let group = &mut self.group;
        group.pixels[lane] = pixel;
        let Some(pixel) = pixel else { return };
        let bands = group.points.len();
        for scene in 0..depth {
            group.weights[scene][lane] = self.weights[scene][pixel];
            for band in 0..bands {
                group.offsets[scene * bands + band][lane] = self.offsets[band * depth + scene][pixel];
            }
        }
        for (point, mean) in group.points.iter_mut().zip(&self.means) {
            point[lane] = mean[pixel];
        }
        group.counts[lane] = R::of(f64::from(counts[pixel]));
        group.steps[lane] = 0;
    }
}

widest! {
    fn to_weights<R: Real>(marks: &[Lanes<u8>], weights: &mut [Lanes<R>]) {
        for (marks, weights) in marks.iter().zip(weights) {
            for lane in 0..LANES {
                weights[lane] = if marks[lane] != 0 { R::ONE } else { R::default() };
            }
        }
    }

    /// Takes the values of a band relative to a centre near their mean, and the mean.
    fn center<T: Sample>(
        values: &[Lanes<T>],
        weights: &[Lanes<T::Real>],
        counts: &Lanes<u32>,
        offsets: &mut [Lanes<T::Real>],
        centre: &mut Lanes<T::Real>,
        mean: &mut Lanes<T::Real>,
    ) {
        let counts: Lanes<T::Real> = lanes(|lane| T::Real::of(f64::from(counts[lane].max(1))));
        let mut sums = [T::Real::default(); LANES];
        for (values, weights) in values.iter().zip(weights) {
            for lane in 0..LANES {
                sums[lane] += values[lane].to_real() * weights[lane];
            }
        }
        *centre = lanes(|lane| (sums[lane] / counts[lane]).whole());
        *mean = [T::Real::default(); LANES];
        for ((values, weights), offsets) in values.iter().zip(weights).zip(offsets) {
            for lane in 0..LANES {
                offsets[lane] = values[lane].to_real() - centre[lane];
                mean[lane] += offsets[lane] * weights[lane];
            }
        }
        for lane in 0..LANES {
            mean[lane] = mean[lane] / counts[lane];
        }
    }

    /// Moves the points by one step, and tells which have further to go.
    fn step<R: Real>(group: &mut Iteration<R>, depth: usize, unit: R) -> [bool; GROUP] {
        let (weights, coincident, distances) = pull(group, depth);
        let mut length = [R::default(); GROUP];
        for pull in &group.pulls {
            for lane in 0..GROUP {
                length[lane] += pull[lane] * pull[lane];
            }
        }
        let (mut factors, mut moves) = ([R::default(); GROUP], [false; GROUP]);
        for lane in 0..GROUP {
            let part = R::SMALL * distances[lane] / group.counts[lane];
            let nearest = if part > unit { part } else { unit };
            group.nearest[lane] = if group.steps[lane] == 0 { nearest } else { group.nearest[lane] };
            length[lane] = length[lane].square_root();
            let held = R::ONE - coincident[lane] / length[lane];
            let pulled = held > R::default() && weights[lane] > R::default();
            factors[lane] = if pulled { held / weights[lane] } else { R::default() };
            moves[lane] = pulled && factors[lane] * length[lane] > group.nearest[lane];
        }
        for (point, pull) in group.points.iter_mut().zip(&group.pulls) {
            for lane in 0..GROUP {
                point[lane] += pull[lane] * factors[lane];
            }
        }
        moves
    }
}

/// Sets R for the points; returns Σ w, η and the summed distances.
#[inline(always)]
fn pull<R: Real>(group: &mut Iteration<R>, depth: usize) -> (Group<R>, Group<R>, Group<R>) {
    let zero = [R::default(); GROUP];
    let (mut sum, mut coincident, mut total) = (zero, zero, zero);
    group.pulls.fill(zero);
    let scenes = group.offsets.chunks_exact(group.points.len()).zip(&group.weights);
    for (offsets, present) in scenes.take(depth) {
        let mut squares = zero;
        for (offset, point) in offsets.iter().zip(&group.points) {
            for lane in 0..GROUP {
                let away = offset[lane] - point[lane];
                squares[lane] += away * away;
            }
        }
        let mut weight = zero;
        for lane in 0..GROUP {
            let distance = squares[lane].square_root();
            let apart = distance > R::default();
            let reciprocal = present[lane] / distance;
            weight[lane] = if apart { reciprocal } else { R::default() };
            coincident[lane] += if apart { R::default() } else { present[lane] };
            sum[lane] += weight[lane];
            total[lane] += present[lane] * distance;
        }
        for ((offset, point), pull) in offsets.iter().zip(&group.points).zip(&mut group.pulls) {
            for lane in 0..GROUP {
                pull[lane] += weight[lane] * (offset[lane] - point[lane]);
            }
        }
    }
    (sum, coincident, total)
}
