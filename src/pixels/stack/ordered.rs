//! Rules that look at the order of the values: minimum, maximum, median, percentiles, mode.
//!
//! The values of a block are sorted by a network, so that what is wanted lies on the same wires in all lanes, whether
//! data are missing or not: a lane with fewer values gets so many of the type's least values, and as many of its
//! greatest, that its wanted ones come to lie where those of a lane without gaps lie. Only what these wires need is
//! compared.

use super::block::{Block, LANES, Lanes, lanes};
use super::network::{Network, Networks, greatest, least};
use super::outcome::Results;
use super::sample::Sample;

/// The smallest value of a band.
#[inline(always)]
pub(super) fn minimum<T: Sample>(block: &Block<T>, band: usize, results: &mut Results<T::Outcome>) {
    extreme(block, band, T::HIGHEST, least, results);
}

/// The largest value of a band.
#[inline(always)]
pub(super) fn maximum<T: Sample>(block: &Block<T>, band: usize, results: &mut Results<T::Outcome>) {
    extreme(block, band, T::LOWEST, greatest, results);
}

#[inline(always)]
fn extreme<T: Sample>(
    block: &Block<T>,
    band: usize,
    start: T,
    better: impl Fn(T, T) -> T,
    results: &mut Results<T::Outcome>,
) {
    let mut best = [start; LANES];
    for (values, marks) in block.values(band).iter().zip(block.marks(band)) {
        for lane in 0..LANES {
            let value = if marks[lane] != 0 { values[lane] } else { start };
            best[lane] = better(best[lane], value);
        }
    }
    results.outcomes = lanes(|lane| best[lane].to_outcome());
}

/// Where a percentile lies among sorted values, by how many there are.
struct Ranks {
    /// Index of the value below it.
    low: Vec<u16>,
    /// Its part of the way from that value to the next one.
    part: Vec<f64>,
}

impl Ranks {
    /// Hyndman and Fan's definition 7, for up to `depth` values.
    fn of_percentile(percent: f64, depth: usize) -> Ranks {
        let quantile = (percent / 100.0).clamp(0.0, 1.0);
        let position = |count: usize| quantile * count.saturating_sub(1) as f64;
        let mut ranks = Ranks { low: vec![0; depth + 1], part: vec![0.0; depth + 1] };
        for count in (1..=depth).rev() {
            // With one value less the index falls by one at most, also where the position was rounded.
            let next = ranks.low.get(count + 1).map_or(0, |low| low.saturating_sub(1));
            let low = (position(count).floor() as u16).max(next);
            ranks.low[count] = low;
            ranks.part[count] = (position(count) - f64::from(low)).clamp(0.0, 1.0);
        }
        ranks
    }
}

/// Finds percentiles and modes, with memory of its own.
pub(super) struct Order<T> {
    wires: Vec<Lanes<T>>,
    ranks: Ranks,
    /// That select the percentile, or sort: a pass asks for one of both.
    networks: Networks,
}

impl<T: Sample> Order<T> {
    /// For that percentile of up to `depth` values, 65535 at most.
    pub fn new(percent: f64, depth: usize) -> Order<T> {
        assert!(depth <= usize::from(u16::MAX), "a stack of {depth} scenes is too deep to be sorted");
        Order {
            wires: Vec::with_capacity(depth),
            ranks: Ranks::of_percentile(percent, depth),
            networks: Networks::new(),
        }
    }

    /// The percentile of a band.
    #[inline(always)]
    pub fn percentile(&mut self, block: &Block<T>, band: usize, results: &mut Results<T::Outcome>) {
        let (depth, counts) = (block.depth(), block.counts(band));
        let low = usize::from(self.ranks.low[depth]);
        let high = (low + 1).min(depth - 1);
        let full = block.is_full(band);
        self.wires.clear();
        self.wires.extend_from_slice(block.values(band));
        if !full {
            let below = counts.map(|count| (low as u16) - self.ranks.low[count as usize]);
            fill_gaps(&mut self.wires, block.marks(band), below);
        }
        let network = self.networks.get(depth, || Network::selecting(depth, &[low, high]));
        network.run(&mut self.wires);
        let parts = match full {
            true => [self.ranks.part[depth]; LANES],
            false => counts.map(|count| self.ranks.part[count as usize]),
        };
        for lane in 0..LANES {
            results.outcomes[lane] = T::between(self.wires[low][lane], self.wires[high][lane], parts[lane]);
        }
    }

    /// The most frequent value of a band, of several the smallest.
    #[inline(always)]
    pub fn mode(&mut self, block: &Block<T>, band: usize, results: &mut Results<T::Outcome>) {
        let (depth, counts) = (block.depth(), block.counts(band));
        self.wires.clear();
        self.wires.extend_from_slice(block.values(band));
        fill_gaps(&mut self.wires, block.marks(band), [0; LANES]);
        self.networks.get(depth, || Network::sorting(depth)).run(&mut self.wires);
        let mut mode = self.wires[0];
        let (mut run, mut longest) = ([1u32; LANES], [1u32; LANES]);
        for (index, pair) in (1..).zip(self.wires.windows(2)) {
            for lane in 0..LANES {
                run[lane] = if pair[0][lane] == pair[1][lane] { run[lane] + 1 } else { 1 };
                // Behind the values lies what fills gaps.
                let longer = run[lane] > longest[lane] && index < counts[lane];
                longest[lane] = if longer { run[lane] } else { longest[lane] };
                mode[lane] = if longer { pair[1][lane] } else { mode[lane] };
            }
        }
        results.outcomes = lanes(|lane| mode[lane].to_outcome());
    }
}

/// Puts the type's least value where data are missing, `below` times in each lane, after that its greatest.
#[inline(always)]
fn fill_gaps<T: Sample>(wires: &mut [Lanes<T>], marks: &[Lanes<u8>], mut below: Lanes<u16>) {
    for (wire, marks) in wires.iter_mut().zip(marks) {
        for lane in 0..LANES {
            let missing = marks[lane] == 0;
            let is_low = missing && below[lane] > 0;
            below[lane] -= u16::from(is_low);
            let filler = if is_low { T::LOWEST } else { T::HIGHEST };
            wire[lane] = if missing { filler } else { wire[lane] };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_numpy() {
        let ranks = Ranks::of_percentile(90.0, 6);
        assert_eq!(ranks.low[1..], [0, 0, 1, 2, 3, 4]);
        let parts = [0.0, 0.9, 0.8, 0.7, 0.6, 0.5];
        assert!(ranks.part[1..].iter().zip(parts).all(|(a, b)| (a - b).abs() < 1e-12));
        let median = Ranks::of_percentile(50.0, 5);
        assert_eq!(
            (&median.low[1..], &median.part[1..]),
            (&[0, 0, 1, 1, 2][..], &[0.0, 0.5, 0.0, 0.5, 0.0][..])
        );
    }

    /// Else a lane would need more fillers than it has gaps.
    #[test]
    fn with_one_value_less_the_rank_falls_by_one_at_most() {
        for percent in [0.0, 1.0, 33.3, 50.0, 99.999, 100.0 - 1e-14, 100.0] {
            let ranks = Ranks::of_percentile(percent, 3000);
            assert!(ranks.low[1..].windows(2).all(|pair| pair[1] - pair[0] <= 1), "{percent}");
            assert!((1..=3000).all(|count| usize::from(ranks.low[count]) < count));
        }
    }
}
