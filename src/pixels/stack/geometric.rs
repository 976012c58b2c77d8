//! The geometric median: the point whose Euclidean distances to all scenes sum up to the least.
//!
//! It is found step by step, each as [`descent`](super::descent) tells, from the medians of the bands, so that of two
//! scenes, between which every point is a median, it is the middle. Where an even number of other scenes lies on a line,
//! it is some point between the middle two.
//!
//! A pixel is done after a step of Newton's that leaves less than about 1/512 of a unit (whole types), or than a small
//! part of the harmonic mean of the first point's distances to the scenes (a millionth for types of up to 16 bits, which
//! are computed in Float32; a billionth for the others, in Float64), or where the unit vectors to the scenes sum up to
//! no more than that part of each; after [`MOST_STEPS`] at the latest. So a scene that lies far off, which neither the
//! medians nor the harmonic mean heed, costs the others no digit. A pixel that is done makes room for the next one, so
//! that none waits for its neighbours, nor depends on them. A scene with an infinite value has no place and takes no part.

use super::block::{Block, LANES, Lanes, lanes};
use super::descent::{Descent, GROUP, Turn, step};
use super::outcome::{Outcome, Results};
use super::sample::{Real, Sample};
use super::wide::widest;

/// So many steps are made at most.
pub(super) const MOST_STEPS: u32 = 200;

/// Finds geometric medians, with memory of its own.
pub(super) struct GeometricMedian<R> {
    /// Bands × scenes of the block, seen from the centres.
    offsets: Vec<Lanes<R>>,
    /// Scenes: 1 where they have data.
    weights: Vec<Lanes<R>>,
    /// Bands: the medians, since small numbers have more digits; and 0, or NaN where a value is infinite.
    centres: Vec<Lanes<R>>,
    starts: Vec<Lanes<R>>,
    group: Descent<R>,
    /// Which pixel of the block a lane of the group holds, and how many steps it has made.
    pixels: [Option<usize>; GROUP],
    steps: [u32; GROUP],
}

impl<R: Real> GeometricMedian<R> {
    /// For that many scenes and bands.
    pub fn new(bands: usize, depth: usize) -> Self {
        let zeros = [R::default(); LANES];
        GeometricMedian {
            offsets: vec![zeros; bands * depth],
            weights: vec![zeros; depth],
            centres: vec![zeros; bands],
            starts: vec![zeros; bands],
            group: Descent::new(bands, depth),
            pixels: [None; GROUP],
            steps: [0; GROUP],
        }
    }

    /// Bytes for that many scenes and bands.
    pub const fn bytes(real_bytes: usize, bands: usize, depth: usize) -> usize {
        ((bands + 1) * depth + 2 * bands) * LANES * real_bytes + Descent::<R>::bytes(real_bytes, bands, depth)
    }

    /// The medians in all bands, whose results are those of each band by itself before; `fractions` tells whether the
    /// scenes' type has any.
    pub fn find<T: Sample<Real = R>>(
        &mut self,
        block: &Block<T>,
        fractions: bool,
        results: &mut [Results<T::Outcome>],
    ) {
        let (depth, counts) = (block.depth(), block.counts(0));
        to_weights(block.marks(0), &mut self.weights);
        for (band, medians) in results.iter().enumerate() {
            let offsets = &mut self.offsets[band * depth..][..depth];
            self.centres[band] = lanes(|lane| medians.outcomes[lane].to_pixel());
            center(block.values(band), &self.weights, &self.centres[band], offsets, &mut self.starts[band]);
        }
        let unit = if fractions { R::default() } else { R::of(1.0 / 512.0) };
        let mut waiting = (0..block.width).filter(|&pixel| counts[pixel] > 0);
        (0..GROUP).for_each(|lane| self.enter(lane, waiting.next(), depth, counts));
        while self.pixels != [None; GROUP] {
            let turns = step(&mut self.group, depth, unit);
            for (lane, turn) in turns.into_iter().enumerate() {
                self.steps[lane] += 1;
                let Some(pixel) = self.pixels[lane] else { continue };
                if turn == Turn::Done || self.steps[lane] == MOST_STEPS {
                    for (band, results) in results.iter_mut().enumerate() {
                        let offset = self.group.found(band, lane, turn);
                        results.outcomes[pixel] =
                            T::Outcome::of(self.centres[band][pixel].to_f64() + offset.to_f64());
                    }
                    self.enter(lane, waiting.next(), depth, counts);
                } else if turn == Turn::ToScene {
                    self.group.try_scene(lane);
                }
            }
        }
    }

    /// Begins a pixel of the block, if there is one left.
    fn enter(&mut self, lane: usize, pixel: Option<usize>, depth: usize, counts: &Lanes<u32>) {
        let group = &mut self.group;
        (self.pixels[lane], self.steps[lane]) = (pixel, 0);
        let Some(pixel) = pixel else { return };
        let bands = group.points.len();
        for scene in 0..depth {
            group.weights[scene][lane] = self.weights[scene][pixel];
            for band in 0..bands {
                group.offsets[scene * bands + band][lane] = self.offsets[band * depth + scene][pixel];
            }
        }
        for (point, start) in group.points.iter_mut().zip(&self.starts) {
            point[lane] = start[pixel];
        }
        group.counts[lane] = R::of(f64::from(counts[pixel]));
        group.begin(lane);
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

    /// Takes the values of a band relative to a centre, and where the search begins.
    fn center<T: Sample>(
        values: &[Lanes<T>],
        weights: &[Lanes<T::Real>],
        centre: &Lanes<T::Real>,
        offsets: &mut [Lanes<T::Real>],
        start: &mut Lanes<T::Real>,
    ) {
        let zero = T::Real::default();
        *start = [zero; LANES];
        for ((values, weights), offsets) in values.iter().zip(weights).zip(offsets) {
            for lane in 0..LANES {
                let offset = values[lane].to_real() - centre[lane];
                // Whatever a scene shows that takes no part, it must not be looked at: infinities would spread.
                offsets[lane] = if weights[lane] > zero { offset } else { zero };
                // Zero, but NaN where two numbers lie further apart than their type can tell.
                start[lane] += offsets[lane] * zero;
            }
        }
    }
}
