//! Sorting networks: which values are compared does not depend on the values, so many pixels are sorted at once.

use super::block::{LANES, Lanes};
use super::sample::Sample;
use super::wide::widest;

/// Comparators in their order. A wire holds one value of each lane.
pub(super) struct Network {
    comparators: Vec<Comparator>,
}

/// Puts the smaller of two values on the wire `low`, the larger on the wire `high`.
struct Comparator {
    low: u16,
    high: u16,
    keeps: Keeps,
}

/// Which of the two is looked at later.
#[derive(Clone, Copy, PartialEq)]
enum Keeps {
    Both,
    Low,
    High,
}

impl Network {
    /// Sorts that many wires, 65535 at most, by merge exchange: K. E. Batcher's odd-even merging, as algorithm M of D. E. Knuth, The
    /// Art of Computer Programming 3, 5.2.2, for any number of wires.
    pub fn sorting(wires: usize) -> Network {
        let mut comparators = Vec::new();
        let top = wires.next_power_of_two() / 2;
        let mut part = top;
        while part > 0 {
            let (mut span, mut rest, mut distance) = (top, 0, part);
            loop {
                for low in (0..wires.saturating_sub(distance)).filter(|low| low & part == rest) {
                    let high = (low + distance) as u16;
                    comparators.push(Comparator { low: low as u16, high, keeps: Keeps::Both });
                }
                if span == part {
                    break;
                }
                (distance, rest) = (span - part, part);
                span /= 2;
            }
            part /= 2;
        }
        Network { comparators }
    }

    /// Puts the right values on the wires `wanted`, whatever becomes of the others.
    pub fn selecting(wires: usize, wanted: &[usize]) -> Network {
        let mut needed = vec![false; wires];
        wanted.iter().for_each(|&wire| needed[wire] = true);
        let mut network = Network::sorting(wires);
        // From behind: what a needed comparator compares is needed before it.
        network.comparators.reverse();
        network.comparators.retain_mut(|comparator| {
            let (low, high) = (usize::from(comparator.low), usize::from(comparator.high));
            comparator.keeps = match (needed[low], needed[high]) {
                (false, false) => return false,
                (true, false) => Keeps::Low,
                (false, true) => Keeps::High,
                (true, true) => Keeps::Both,
            };
            (needed[low], needed[high]) = (true, true);
            true
        });
        network.comparators.reverse();
        network
    }

    /// Bytes that a network of that many wires takes at most, and twice that while its list grows.
    const fn bytes(wires: usize) -> usize {
        let stages = (usize::BITS - wires.leading_zeros()) as usize;
        wires * stages * (stages + 1) / 2 * size_of::<Comparator>()
    }

    /// Lets the values pass. None may be NaN.
    pub fn run<T: Sample>(&self, wires: &mut [Lanes<T>]) {
        pass(&self.comparators, wires);
    }
}

widest! {
    fn pass<T: Sample>(comparators: &[Comparator], wires: &mut [Lanes<T>]) {
        for comparator in comparators {
            let (before, from_high) = wires.split_at_mut(usize::from(comparator.high));
            let (low, high) = (&mut before[usize::from(comparator.low)], &mut from_high[0]);
            match comparator.keeps {
                Keeps::Both => {
                    for lane in 0..LANES {
                        let (a, b) = (low[lane], high[lane]);
                        low[lane] = least(a, b);
                        high[lane] = greatest(a, b);
                    }
                }
                Keeps::Low => {
                    for lane in 0..LANES {
                        low[lane] = least(low[lane], high[lane]);
                    }
                }
                Keeps::High => {
                    for lane in 0..LANES {
                        high[lane] = greatest(low[lane], high[lane]);
                    }
                }
            }
        }
    }
}

/// A few networks that were made last: neighbouring blocks see as many scenes or nearly so.
pub(super) struct Networks {
    /// Each with the number of its wires.
    kept: Vec<(usize, Network)>,
    next: usize,
}

impl Networks {
    const KEPT: usize = 8;

    /// No network yet.
    pub const fn new() -> Networks {
        Networks { kept: Vec::new(), next: 0 }
    }

    /// The network of that many wires, made by `make` if it is not here.
    pub fn get(&mut self, wires: usize, make: impl FnOnce() -> Network) -> &Network {
        if let Some(index) = self.kept.iter().position(|(of, _)| *of == wires) {
            return &self.kept[index].1;
        }
        if self.kept.len() < Self::KEPT {
            self.next = self.kept.len();
            self.kept.push((wires, make()));
        } else {
            self.next = (self.next + 1) % Self::KEPT;
            self.kept[self.next] = (wires, make());
        }
        &self.kept[self.next].1
    }

    /// Bytes that they take at most, of up to that many wires each.
    pub const fn bytes(wires: usize) -> usize {
        Self::KEPT * Network::bytes(wires)
    }
}

/// The smaller of two values that are not NaN.
#[inline(always)]
pub(super) fn least<T: Sample>(a: T, b: T) -> T {
    if a < b { a } else { b }
}

/// The larger of two values that are not NaN; of two that are equal the one that [`least`] leaves.
#[inline(always)]
pub(super) fn greatest<T: Sample>(a: T, b: T) -> T {
    if a < b { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network that sorts zeros and ones sorts everything (Knuth's zero-one principle).
    #[test]
    fn every_depth_is_sorted_and_selected() {
        for wires in 0..=13_usize {
            let networks: Vec<_> = (0..wires).map(|wire| Network::selecting(wires, &[wire])).collect();
            for first in (0..1 << wires).step_by(LANES) {
                let ones = |lane: usize| first + lane;
                let start: Vec<Lanes<u8>> = (0..wires)
                    .map(|wire| std::array::from_fn(|lane| (ones(lane) >> wire & 1) as u8))
                    .collect();
                let sorted = |wire: usize| -> Lanes<u8> {
                    std::array::from_fn(|lane| {
                        let ones = (ones(lane) & ((1 << wires) - 1)).count_ones() as usize;
                        u8::from(wire >= wires - ones)
                    })
                };
                let mut values = start.clone();
                Network::sorting(wires).run(&mut values);
                for wire in 0..wires {
                    assert_eq!(values[wire], sorted(wire));
                    let mut values = start.clone();
                    networks[wire].run(&mut values);
                    assert_eq!(values[wire], sorted(wire), "wire {wire} of {wires}");
                }
            }
        }
    }

    #[test]
    fn networks_are_as_small_as_known_and_as_counted() {
        let sizes = [1, 2, 4, 8, 16, 64].map(|wires| Network::sorting(wires).comparators.len());
        assert_eq!(sizes, [0, 1, 5, 19, 63, 543]);
        assert!(Network::selecting(64, &[31, 32]).comparators.len() < 543);
        for wires in 1..200 {
            let network = Network::sorting(wires);
            assert!(2 * network.comparators.len() * size_of::<Comparator>() <= Network::bytes(wires));
        }
    }
}
