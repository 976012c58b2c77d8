//! Rules that choose a scene for all bands: the first, the medoid, the one of the highest or lowest score.

use super::block::{Block, LANES, Lanes, lanes, padded};
use super::outcome::Results;
use super::sample::{Real, Sample};

/// In place of a scene's number: none.
pub(super) const NONE: u32 = u32::MAX;

/// Of each lane the index of the first scene of the block that has data.
#[inline(always)]
pub(super) fn first<T: Sample>(block: &Block<T>) -> Lanes<u32> {
    let mut chosen = [NONE; LANES];
    // From the last to the first: the first one stays.
    for (index, marks) in block.marks(0).iter().enumerate().rev() {
        for lane in 0..LANES {
            chosen[lane] = if marks[lane] != 0 { index as u32 } else { chosen[lane] };
        }
    }
    chosen
}

/// The value of a band's first scene that has data in it.
#[inline(always)]
pub(super) fn first_of_band<T: Sample>(block: &Block<T>, band: usize, results: &mut Results<T::Outcome>) {
    let mut first = [T::zeroed(); LANES];
    for (values, marks) in block.values(band).iter().zip(block.marks(band)).rev() {
        for lane in 0..LANES {
            first[lane] = if marks[lane] != 0 { values[lane] } else { first[lane] };
        }
    }
    results.outcomes = lanes(|lane| first[lane].to_outcome());
}

/// Of each lane the index of the scene with the greatest `sign` × score, and how many scenes have a score.
#[inline(always)]
pub(super) fn best<T: Sample>(
    block: &Block<T>,
    scores: &[f32],
    pixels: usize,
    sign: f32,
) -> (Lanes<u32>, Lanes<u32>) {
    let (mut chosen, mut counts, mut highest) = ([NONE; LANES], [0; LANES], [f32::NEG_INFINITY; LANES]);
    for (index, (&scene, marks)) in block.scenes.iter().zip(block.marks(0)).enumerate() {
        let scores = padded(&scores[scene as usize * pixels + block.start..][..block.width]);
        for lane in 0..LANES {
            let score = sign * scores[lane];
            let takes_part = marks[lane] != 0 && !score.is_nan();
            let better = takes_part && (score > highest[lane] || chosen[lane] == NONE);
            chosen[lane] = if better { index as u32 } else { chosen[lane] };
            highest[lane] = if better { score } else { highest[lane] };
            counts[lane] += u32::from(takes_part);
        }
    }
    (chosen, counts)
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
    #[inline(always)]
    pub fn choose<T: Sample<Real = R>>(&mut self, block: &Block<T>, bands: usize) -> Lanes<u32> {
        let (depth, marks) = (block.depth(), block.marks(0));
        self.values.clear();
        for band in 0..bands {
            self.values.extend(block.values(band).iter().map(|values| lanes(|lane| values[lane].to_real())));
        }
        self.sums.clear();
        self.sums.resize(depth, [R::default(); LANES]);
        for one in 0..depth {
            let (before, behind) = self.sums.split_at_mut(one + 1);
            let own = &mut before[one];
            for (other, sums) in (one + 1..).zip(behind) {
                let distances = distances(&self.values, depth, bands, one, other);
                for lane in 0..LANES {
                    let both = marks[one][lane] & marks[other][lane] != 0;
                    let distance = if both { distances[lane] } else { R::default() };
                    own[lane] += distance;
                    sums[lane] += distance;
                }
            }
        }
        let (mut chosen, mut least) = ([NONE; LANES], [R::INFINITY; LANES]);
        for (index, (sums, marks)) in self.sums.iter().zip(marks).enumerate() {
            for lane in 0..LANES {
                let better = marks[lane] != 0 && (sums[lane] < least[lane] || chosen[lane] == NONE);
                let sum = if sums[lane] < R::INFINITY { sums[lane] } else { R::INFINITY };
                chosen[lane] = if better { index as u32 } else { chosen[lane] };
                least[lane] = if better { sum } else { least[lane] };
            }
        }
        chosen
    }
}

/// The Euclidean distances of two scenes.
#[inline(always)]
fn distances<R: Real>(values: &[Lanes<R>], depth: usize, bands: usize, one: usize, other: usize) -> Lanes<R> {
    let mut squares = [R::default(); LANES];
    for band in 0..bands {
        let (ones, others) = (&values[band * depth + one], &values[band * depth + other]);
        for lane in 0..LANES {
            let difference = ones[lane] - others[lane];
            squares[lane] += difference * difference;
        }
    }
    lanes(|lane| squares[lane].square_root())
}

/// Takes the values of the chosen scenes.
#[inline(always)]
pub(super) fn take<T: Sample>(
    block: &Block<T>,
    band: usize,
    chosen: &Lanes<u32>,
    results: &mut Results<T::Outcome>,
) {
    let values = block.values(band);
    for lane in 0..LANES {
        // Where none is chosen the count is zero, and the value is not looked at.
        let index = if chosen[lane] == NONE { 0 } else { chosen[lane] as usize };
        results.outcomes[lane] = values[index][lane].to_outcome();
    }
}
