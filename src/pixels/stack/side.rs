//! What is told beside the pixels: how many scenes had data, and which came nearest.

use super::block::{Block, LANES, Lanes};
use super::choose::NONE;
use super::outcome::Results;
use super::sample::Sample;
use super::wide::widest;

/// What is told of each pixel of a stack beside its value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Side {
    /// How many scenes have data: in any band, or for rules that decide all bands together in every band.
    pub count: Vec<u32>,
    /// The number of the scene that was chosen, or that comes nearest: whose distances |value − result|, in Float64,
    /// summed over the bands where it has data, are the least; of several the first. [`Side::NONE`] where no band was
    /// decided, and for sums, counts and deviations, which no scene's value is near to.
    pub winner: Vec<u32>,
}

impl Side {
    /// In place of a scene's number: none.
    pub const NONE: u32 = NONE;

    /// Bytes a pixel.
    pub const BYTES_PER_PIXEL: usize = 8;

    /// Makes room for that many pixels.
    pub(super) fn reset(&mut self, pixels: usize) {
        self.count.clear();
        self.count.resize(pixels, 0);
        self.winner.clear();
        self.winner.resize(pixels, NONE);
    }
}

widest! {
    /// How many scenes have data in any band.
    pub(super) fn count_any<T: Sample>(block: &Block<T>, bands: usize, counts: &mut Lanes<u32>) {
        *counts = [0; LANES];
        for scene in 0..block.depth() {
            let mut any = [0u8; LANES];
            for band in 0..bands {
                any.iter_mut().zip(&block.marks(band)[scene]).for_each(|(any, mark)| *any |= mark);
            }
            counts.iter_mut().zip(any).for_each(|(count, any)| *count += u32::from(any));
        }
    }
}

/// Of each lane the index of the scene of the block whose values are nearest to the results.
pub(super) fn nearest<T: Sample>(block: &Block<T>, results: &[Results<T::Outcome>]) -> Lanes<u32> {
    let (mut chosen, mut least) = ([NONE; LANES], [f64::INFINITY; LANES]);
    for scene in 0..block.depth() {
        let (mut any, mut distances) = ([0u8; LANES], [0.0; LANES]);
        for (band, results) in results.iter().enumerate() {
            let (values, marks) = (&block.values(band)[scene], &block.marks(band)[scene]);
            add_distances::<T>(values, marks, results, &mut any, &mut distances);
        }
        keep_nearer(scene as u32, &distances, &any, &mut least, &mut chosen);
    }
    chosen
}

widest! {
    fn add_distances<T: Sample>(
        values: &Lanes<T>,
        marks: &Lanes<u8>,
        results: &Results<T::Outcome>,
        any: &mut Lanes<u8>,
        distances: &mut Lanes<f64>,
    ) {
        for lane in 0..LANES {
            let counts = marks[lane] & results.decided[lane];
            let distance = values[lane].above(results.outcomes[lane]).abs();
            // Of two that are infinite alike the distance is NaN, and no other scene is nearer.
            let distance = if counts != 0 && !distance.is_nan() { distance } else { 0.0 };
            distances[lane] += distance;
            any[lane] |= counts;
        }
    }

    fn keep_nearer(
        scene: u32,
        distances: &Lanes<f64>,
        any: &Lanes<u8>,
        least: &mut Lanes<f64>,
        chosen: &mut Lanes<u32>,
    ) {
        for lane in 0..LANES {
            let better = any[lane] != 0 && (distances[lane] < least[lane] || chosen[lane] == NONE);
            chosen[lane] = if better { scene } else { chosen[lane] };
            least[lane] = if better { distances[lane] } else { least[lane] };
        }
    }
}

/// Writes the counts and winners of a block.
pub(super) fn write<T: Sample>(block: &Block<T>, counts: &Lanes<u32>, chosen: &Lanes<u32>, side: &mut Side) {
    side.count[block.start..][..block.width].copy_from_slice(&counts[..block.width]);
    let winners = &mut side.winner[block.start..][..block.width];
    for (winner, &index) in winners.iter_mut().zip(chosen) {
        *winner = if index == NONE { NONE } else { block.scenes[index as usize] };
    }
}
