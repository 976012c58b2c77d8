//! Rules that look at the order of the values: minimum, maximum, median, percentiles, mode.
//!
//! The values of a block are sorted by a network, so that what is wanted lies on the same wires in all lanes, whether
//! data are missing or not: a lane with fewer values gets so many of the type's least values, and as many of its
//! greatest, that its wanted ones come to lie where those of a lane without gaps lie. Only what these wires need is
//! compared.

use super::block::{Block, LANES, Lanes};
use super::network::{Network, Networks, greatest, least};
use super::sample::Sample;
use super::wide::widest;

widest! {
    /// The smallest value of a band.
    pub(super) fn minimum<T: Sample>(block: &Block<T>, band: usize, outcomes: &mut Lanes<T::Outcome>) {
        extreme(block, band, T::HIGHEST, least, outcomes);
    }

    /// The largest value of a band.
    pub(super) fn maximum<T: Sample>(block: &Block<T>, band: usize, outcomes: &mut Lanes<T::Outcome>) {
        extreme(block, band, T::LOWEST, greatest, outcomes);
    }
}

#[inline(always)]
fn extreme<T: Sample>(
    block: &Block<T>,
    band: usize,
    start: T,
    better: impl Fn(T, T) -> T,
    outcomes: &mut Lanes<T::Outcome>,
) {
    let mut best = [start; LANES];
    for (values, marks) in block.values(band).iter().zip(block.marks(band)) {
        for lane in 0..LANES {
            let value = if marks[lane] != 0 { values[lane] } else { start };
            best[lane] = better(best[lane], value);
        }
    }
    for lane in 0..LANES {
        outcomes[lane] = best[lane].to_outcome();
    }
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
    is_median: bool,
    ranks: Ranks,
    /// That select the percentile, or sort: a pass asks for one of both.
    networks: Networks,
}

impl<T: Sample> Order<T> {
    /// For that percentile of up to `depth` values, 65535 at most.
    pub fn new(percent: f64, depth: usize) -> Order<T> {
        assert!(depth <= usize::from(u16::MAX), "a stack of {depth} scenes is too deep to be sorted");
        Order {
            wires: vec![[T::default(); LANES]; depth],
            is_median: percent == 50.0,
            ranks: Ranks::of_percentile(percent, depth),
            networks: Networks::new(),
        }
    }

    /// The percentile of a band.
    pub fn percentile(&mut self, block: &Block<T>, band: usize, outcomes: &mut Lanes<T::Outcome>) {
        let (depth, counts) = (block.depth(), block.counts(band));
        let low = usize::from(self.ranks.low[depth]);
        let high = (low + 1).min(depth - 1);
        let wires = &mut self.wires[..depth];
        if block.is_full(band) {
            wires.copy_from_slice(block.values(band));
        } else {
            let mut below = [0; LANES];
            match self.is_median {
                true => below_median(low, counts, &mut below),
                false => below = counts.map(|count| low as u16 - self.ranks.low[count as usize]),
            }
            fill_gaps(block.values(band), block.marks(band), &mut below, wires);
        }
        self.networks.get(depth, || Network::selecting(depth, &[low, high])).run(wires);
        if self.is_median {
            return middle(&wires[low], &wires[high], counts, outcomes);
        }
        let parts = counts.map(|count| self.ranks.part[count as usize]);
        between(&wires[low], &wires[high], &parts, outcomes);
    }

    /// The most frequent value of a band, of several the smallest.
    pub fn mode(&mut self, block: &Block<T>, band: usize, outcomes: &mut Lanes<T::Outcome>) {
        let depth = block.depth();
        let wires = &mut self.wires[..depth];
        fill_gaps(block.values(band), block.marks(band), &mut [0; LANES], wires);
        self.networks.get(depth, || Network::sorting(depth)).run(wires);
        most_frequent(wires, block.counts(band), outcomes);
    }
}

widest! {
    /// By how much the rank of the lower median of so many values lies below `low`.
    fn below_median(low: usize, counts: &Lanes<u32>, below: &mut Lanes<u16>) {
        for lane in 0..LANES {
            below[lane] = low as u16 - (counts[lane].max(1) as u16 - 1) / 2;
        }
    }

    /// Copies the values of a band to the wires, where data are missing the type's least value, `below` times in each
    /// lane, after that its greatest.
    fn fill_gaps<T: Sample>(
        values: &[Lanes<T>],
        marks: &[Lanes<u8>],
        below: &mut Lanes<u16>,
        wires: &mut [Lanes<T>],
    ) {
        for ((values, marks), wire) in values.iter().zip(marks).zip(wires) {
            for lane in 0..LANES {
                let missing = marks[lane] == 0;
                let is_low = missing && below[lane] > 0;
                below[lane] -= u16::from(is_low);
                let filler = if is_low { T::LOWEST } else { T::HIGHEST };
                wire[lane] = if missing { filler } else { values[lane] };
            }
        }
    }

    /// Of so many values the one in the middle, or half-way between the two that are.
    fn middle<T: Sample>(
        lows: &Lanes<T>,
        highs: &Lanes<T>,
        counts: &Lanes<u32>,
        outcomes: &mut Lanes<T::Outcome>,
    ) {
        for lane in 0..LANES {
            let high = if counts[lane].is_multiple_of(2) { highs[lane] } else { lows[lane] };
            outcomes[lane] = T::halfway(lows[lane], high);
        }
    }

    /// The values at `parts` of the ways.
    fn between<T: Sample>(
        lows: &Lanes<T>,
        highs: &Lanes<T>,
        parts: &Lanes<f64>,
        outcomes: &mut Lanes<T::Outcome>,
    ) {
        for lane in 0..LANES {
            outcomes[lane] = T::between(lows[lane], highs[lane], parts[lane]);
        }
    }

    /// Of sorted values, so many of them data, the one that is most often there.
    fn most_frequent<T: Sample>(
        wires: &[Lanes<T>],
        counts: &Lanes<u32>,
        outcomes: &mut Lanes<T::Outcome>,
    ) {
        let mut mode = wires[0];
        let (mut run, mut longest) = ([1u32; LANES], [1u32; LANES]);
        for (index, pair) in (1..).zip(wires.windows(2)) {
            for lane in 0..LANES {
                run[lane] = if pair[0][lane] == pair[1][lane] { run[lane] + 1 } else { 1 };
                // Behind the values lies what fills gaps.
                let longer = run[lane] > longest[lane] && index < counts[lane];
                longest[lane] = if longer { run[lane] } else { longest[lane] };
                mode[lane] = if longer { pair[1][lane] } else { mode[lane] };
            }
        }
        for lane in 0..LANES {
            outcomes[lane] = mode[lane].to_outcome();
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
