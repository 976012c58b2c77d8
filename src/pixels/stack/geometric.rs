//! The geometric median: the point whose Euclidean distances to all scenes sum up to the least.
//!
//! Weiszfeld's iteration as Y. Vardi and C.-H. Zhang made it safe where it meets a scene (The multivariate L1-median and
//! associated data depth, PNAS 97, 2000). With w the reciprocal distances of the scenes, R = Σ w·(scene − point) and
//! η scenes at the point itself, a step is max(0, 1 − η/|R|) · R / Σ w. It starts at the mean, so that of two scenes,
//! between which every point is a median, it gives the middle.
//!
//! A pixel is done after a step of less than 1/512 of a unit (whole types) or than a small part of the mean distance to
//! the scenes (a millionth for types of up to 16 bits, which are computed in Float32; a billionth for the others, in
//! Float64), and after [`MOST_STEPS`] at the latest. A pixel that is done rests, so that it does not depend on its
//! neighbours. Where a value is infinite there is no median.

use super::block::{Block, LANES, Lanes, lanes};
use super::outcome::{Outcome, Results};
use super::sample::{Real, Sample};

/// So many steps are made at most.
pub(super) const MOST_STEPS: usize = 200;

/// Pixels that are iterated together until the last is done.
const GROUP: usize = 16;

type Group<R> = [R; GROUP];

/// Finds geometric medians, with memory of its own.
pub(super) struct GeometricMedian<R> {
    /// Scenes × bands of a group of pixels, from where the iteration starts.
    offsets: Vec<Group<R>>,
    /// Scenes: 1 where they have data.
    weights: Vec<Group<R>>,
    /// Bands: where the iteration starts, the points seen from there, and the vectors R.
    centres: Vec<Group<R>>,
    points: Vec<Group<R>>,
    pulls: Vec<Group<R>>,
}

impl<R: Real> GeometricMedian<R> {
    /// Without memory yet.
    pub const fn new() -> Self {
        GeometricMedian {
            offsets: Vec::new(),
            weights: Vec::new(),
            centres: Vec::new(),
            points: Vec::new(),
            pulls: Vec::new(),
        }
    }

    /// The medians in all bands.
    #[inline(always)]
    pub fn find<T: Sample<Real = R>>(&mut self, block: &Block<T>, results: &mut [Results<T::Outcome>]) {
        let (bands, counts) = (results.len(), block.counts(0));
        for from in (0..LANES).step_by(GROUP) {
            let counts: Group<R> = lanes(|lane| R::of(f64::from(counts[from + lane].max(1))));
            self.gather(block, bands, from, &counts);
            self.iterate(bands, &counts, T::TYPE.is_float());
            for band in 0..bands {
                for lane in 0..GROUP {
                    let point = self.centres[band][lane].to_f64() + self.points[band][lane].to_f64();
                    results[band].outcomes[from + lane] = T::Outcome::of(point);
                }
            }
        }
    }

    /// Takes the pixels from lane `from` on, relative to a centre near their mean: small numbers have more digits.
    /// The points become the means.
    #[inline(always)]
    fn gather<T: Sample<Real = R>>(
        &mut self,
        block: &Block<T>,
        bands: usize,
        from: usize,
        counts: &Group<R>,
    ) {
        let depth = block.depth();
        let group = |values: &Lanes<T>| -> Group<R> { lanes(|lane| values[from + lane].to_real()) };
        self.weights.clear();
        self.weights.extend(
            block
                .marks(0)
                .iter()
                .map(|marks| -> Group<R> { lanes(|lane| R::of(f64::from(marks[from + lane]))) }),
        );
        self.offsets.resize(depth * bands, [R::default(); GROUP]);
        self.points.clear();
        self.centres.clear();
        for band in 0..bands {
            let mut sums = [R::default(); GROUP];
            for (values, weights) in block.values(band).iter().zip(&self.weights) {
                add_products(&mut sums, &group(values), weights);
            }
            let centre: Group<R> = lanes(|lane| (sums[lane] / counts[lane]).whole());
            let mut sums = [R::default(); GROUP];
            for (scene, values) in block.values(band).iter().enumerate() {
                let values = group(values);
                let offsets: Group<R> = lanes(|lane| values[lane] - centre[lane]);
                add_products(&mut sums, &offsets, &self.weights[scene]);
                self.offsets[scene * bands + band] = offsets;
            }
            self.points.push(lanes(|lane| sums[lane] / counts[lane]));
            self.centres.push(centre);
        }
    }

    /// Moves the points until all are done.
    #[inline(always)]
    fn iterate(&mut self, bands: usize, counts: &Group<R>, fractions: bool) {
        let unit = if fractions { R::default() } else { R::of(1.0 / 512.0) };
        let mut nearest = [R::default(); GROUP];
        let mut active = [true; GROUP];
        self.pulls.resize(bands, [R::default(); GROUP]);
        for step in 0..MOST_STEPS {
            let (weights, coincident, distances) = self.pull(bands);
            if step == 0 {
                for lane in 0..GROUP {
                    let part = R::SMALL * distances[lane] / counts[lane];
                    nearest[lane] = if part > unit { part } else { unit };
                }
            }
            let mut length = [R::default(); GROUP];
            for pull in &self.pulls {
                add_products(&mut length, pull, pull);
            }
            let mut factors = [R::default(); GROUP];
            for lane in 0..GROUP {
                length[lane] = length[lane].square_root();
                let held = R::ONE - coincident[lane] / length[lane];
                let moves = active[lane] && held > R::default() && weights[lane] > R::default();
                factors[lane] = if moves { held / weights[lane] } else { R::default() };
                active[lane] = moves && factors[lane] * length[lane] > nearest[lane];
            }
            for (point, pull) in self.points.iter_mut().zip(&self.pulls) {
                add_products(point, pull, &factors);
            }
            if active == [false; GROUP] {
                break;
            }
        }
    }

    /// Sets R for the points; returns Σ w, η and the summed distances.
    #[inline(always)]
    fn pull(&mut self, bands: usize) -> (Group<R>, Group<R>, Group<R>) {
        let zero = [R::default(); GROUP];
        let (mut sum, mut coincident, mut total) = (zero, zero, zero);
        self.pulls.fill(zero);
        for (offsets, present) in self.offsets.chunks_exact(bands).zip(&self.weights) {
            let mut squares = zero;
            for (offset, point) in offsets.iter().zip(&self.points) {
                let away: Group<R> = lanes(|lane| offset[lane] - point[lane]);
                add_products(&mut squares, &away, &away);
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
            for ((offset, point), pull) in offsets.iter().zip(&self.points).zip(&mut self.pulls) {
                for lane in 0..GROUP {
                    pull[lane] += weight[lane] * (offset[lane] - point[lane]);
                }
            }
        }
        (sum, coincident, total)
    }
}

/// Adds products lane by lane.
#[inline(always)]
fn add_products<R: Real>(sums: &mut Group<R>, a: &Group<R>, b: &Group<R>) {
    for lane in 0..GROUP {
        sums[lane] += a[lane] * b[lane];
    }
}
