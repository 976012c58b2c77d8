//! Rules that choose a scene for all bands: the first, the medoid, the one of the highest or lowest score.

use super::block::{Block, LANES, Lanes, lanes, padded};
use super::sample::{Real, Sample};
use super::wide::widest;

/// In place of a scene's number: none.
pub(super) const NONE: u32 = u32::MAX;

widest! {
    /// Of each lane the index of the first scene of the block that is marked.
    pub(super) fn first(marks: &[Lanes<u8>], chosen: &mut Lanes<u32>) {
        *chosen = [NONE; LANES];
        // From the last to the first: the first one stays.
        for (index, marks) in marks.iter().enumerate().rev() {
            for lane in 0..LANES {
                chosen[lane] = if marks[lane] != 0 { index as u32 } else { chosen[lane] };
            }
        }
    }

    /// The value of a band's first scene that has data in it.
    pub(super) fn first_of_band<T: Sample>(block: &Block<T>, band: usize, outcomes: &mut Lanes<T::Outcome>) {
        let mut first = [T::default(); LANES];
        for (values, marks) in block.values(band).iter().zip(block.marks(band)).rev() {
            for lane in 0..LANES {
                first[lane] = if marks[lane] != 0 { values[lane] } else { first[lane] };
            }
        }
        for lane in 0..LANES {
            outcomes[lane] = first[lane].to_outcome();
        }
    }
}

/// Of each lane the index of the scene with the greatest `sign` × score, and how many scenes have a score.
pub(super) fn best<T: Sample>(
    block: &Block<T>,
    scores: &[f32],
    pixels: usize,
    sign: f32,
) -> (Lanes<u32>, Lanes<u32>) {
    let (mut chosen, mut counts, mut highest) = ([NONE; LANES], [0; LANES], [f32::NEG_INFINITY; LANES]);
    for (index, (&scene, marks)) in (0..).zip(block.scenes.iter().zip(block.marks(0))) {
        let scores = padded(&scores[scene as usize * pixels + block.start..][..block.width]);
        keep_better(index, &scores.map(|score| sign * score), marks, &mut highest, &mut chosen, &mut counts);
    }
    (chosen, counts)
}

widest! {
    fn keep_better(
        index: u32,
        scores: &Lanes<f32>,
        marks: &Lanes<u8>,
        highest: &mut Lanes<f32>,
        chosen: &mut Lanes<u32>,
        counts: &mut Lanes<u32>,
    ) {
        for lane in 0..LANES {
            let score = scores[lane];
            let takes_part = marks[lane] != 0 && !score.is_nan();
            let better = takes_part && (score > highest[lane] || chosen[lane] == NONE);
            chosen[lane] = if better { index } else { chosen[lane] };
            highest[lane] = if better { score } else { highest[lane] };
            counts[lane] += u32::from(takes_part);
        }
    }
}

/// Finds medoids, with memory of its own.
pub(super) struct Medoid<R> {
    /// Bands × scenes.
    values: Vec<Lanes<R>>,
    /// Of each scene the sum of its distances to the others.
    sums: Vec<Lanes<R>>,
}

impl<R: Real> Medoid<R> {
    /// Without memory yet.
    pub const fn new() -> Medoid<R> {
        Medoid { values: Vec::new(), sums: Vec::new() }
    }

    /// Of each lane the index of the scene whose distances to the others sum up to the least.
    ///
    /// Distances are summed in the order of the scenes, so that two scenes of the same values are exactly alike. They
    /// are Float32 for types of up to 16 bits. Sums that are infinite or NaN come last.
    pub fn choose<T: Sample<Real = R>>(&mut self, block: &Block<T>, bands: usize) -> Lanes<u32> {
        let (depth, mut chosen) = (block.depth(), [NONE; LANES]);
        self.values.resize(bands * depth, [R::default(); LANES]);
        for (band, values) in self.values.chunks_exact_mut(depth).enumerate() {
            to_reals(block.values(band), values);
        }
        self.sums.clear();
        self.sums.resize(depth, [R::default(); LANES]);
        add_distances(&self.values, block.marks(0), &mut self.sums);
        least(&self.sums, block.marks(0), &mut chosen);
        chosen
    }
}

widest! {
    fn to_reals<T: Sample>(values: &[Lanes<T>], reals: &mut [Lanes<T::Real>]) {
        for (values, reals) in values.iter().zip(reals) {
            for lane in 0..LANES {
                reals[lane] = values[lane].to_real();
            }
        }
    }

    /// Adds to each scene's sum its distances to the others.
    fn add_distances<R: Real>(values: &[Lanes<R>], marks: &[Lanes<u8>], sums: &mut [Lanes<R>]) {
        for one in 0..sums.len() {
            let (before, behind) = sums.split_at_mut(one + 1);
            let own = &mut before[one];
            for (other, sums) in (one + 1..).zip(behind) {
                let distances = distances(values, marks.len(), one, other);
                for lane in 0..LANES {
                    let both = marks[one][lane] & marks[other][lane] != 0;
                    let distance = if both { distances[lane] } else { R::default() };
                    own[lane] += distance;
                    sums[lane] += distance;
                }
            }
        }
    }

    /// Of each lane the index of the scene with the least sum.
    fn least<R: Real>(sums: &[Lanes<R>], marks: &[Lanes<u8>], chosen: &mut Lanes<u32>) {
        let mut least = [R::INFINITY; LANES];
        for (index, (sums, marks)) in sums.iter().zip(marks).enumerate() {
            for lane in 0..LANES {
                let better = marks[lane] != 0 && (sums[lane] < least[lane] || chosen[lane] == NONE);
                let sum = if sums[lane] < R::INFINITY { sums[lane] } else { R::INFINITY };
                chosen[lane] = if better { index as u32 } else { chosen[lane] };
                least[lane] = if better { sum } else { least[lane] };
            }
        }
    }
}

/// The Euclidean distances of two scenes; the values are bands × scenes.
#[inline(always)]
fn distances<R: Real>(values: &[Lanes<R>], depth: usize, one: usize, other: usize) -> Lanes<R> {
    let mut squares = [R::default(); LANES];
    for band in values.chunks_exact(depth) {
        let (ones, others) = (&band[one], &band[other]);
        for lane in 0..LANES {
            let difference = ones[lane] - others[lane];
            squares[lane] += difference * difference;
        }
    }
    lanes(|lane| squares[lane].square_root())
}

/// Takes the values of the chosen scenes.
pub(super) fn take<T: Sample>(
    block: &Block<T>,
    band: usize,
    chosen: &Lanes<u32>,
    outcomes: &mut Lanes<T::Outcome>,
) {
    let values = block.values(band);
    for lane in 0..LANES {
        // Where none is chosen the count is zero, and the value is not looked at.
        let index = if chosen[lane] == NONE { 0 } else { chosen[lane] as usize };
        outcomes[lane] = values[index][lane].to_outcome();
    }
}
