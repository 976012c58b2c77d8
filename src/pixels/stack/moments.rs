//! Rules that add up: count, sum, mean, standard deviation.

use super::block::{Block, LANES, Lanes, lanes};
use super::outcome::Outcome;
use super::sample::Sample;
use super::wide::widest;

/// The sums of a band; values that are missing are zero.
#[inline(always)]
fn totals<T: Sample>(block: &Block<T>, band: usize) -> Lanes<T::Total> {
    let mut totals = [T::Total::default(); LANES];
    for values in block.values(band) {
        for lane in 0..LANES {
            totals[lane] += values[lane].to_total();
        }
    }
    totals
}

widest! {
    /// How many scenes have data.
    pub(super) fn count<R: Outcome>(counts: &Lanes<u32>, outcomes: &mut Lanes<R>) {
        for lane in 0..LANES {
            outcomes[lane] = R::of(f64::from(counts[lane]));
        }
    }

    /// The sum of a band.
    pub(super) fn sum<T: Sample>(block: &Block<T>, band: usize, outcomes: &mut Lanes<T::Outcome>) {
        let totals = totals(block, band);
        for lane in 0..LANES {
            outcomes[lane] = T::sum(totals[lane]);
        }
    }

    /// The mean of a band.
    pub(super) fn mean<T: Sample>(block: &Block<T>, band: usize, outcomes: &mut Lanes<T::Outcome>) {
        let (totals, counts) = (totals(block, band), block.counts(band));
        for lane in 0..LANES {
            outcomes[lane] = T::mean(totals[lane], counts[lane]);
        }
    }

    /// The standard deviation of a band's population. That of finite values is finite, however large these are, and
    /// that of one value is 0; an infinite value has none.
    pub(super) fn deviation<T: Sample>(block: &Block<T>, band: usize, outcomes: &mut Lanes<T::Outcome>) {
        let deviations = if T::SMALL { exact_deviation(block, band) } else { two_pass_deviation(block, band) };
        for lane in 0..LANES {
            outcomes[lane] = T::Outcome::of(deviations[lane]);
        }
    }
}

/// √(n·Σv² − (Σv)²) / n: for whole numbers of up to 16 bits all but the root and the quotient is exact, for up to a
/// thousand scenes.
#[inline(always)]
fn exact_deviation<T: Sample>(block: &Block<T>, band: usize) -> Lanes<f64> {
    let (mut sums, mut squares) = ([0.0; LANES], [0.0; LANES]);
    for values in block.values(band) {
        for lane in 0..LANES {
            let value = values[lane].to_f64();
            sums[lane] += value;
            squares[lane] += value * value;
        }
    }
    let counts = block.counts(band);
    lanes(|lane| {
        let count = f64::from(counts[lane]);
        (count * squares[lane] - sums[lane] * sums[lane]).sqrt() / count
    })
}

/// From the distances to the mean, whose own rounding is taken out again (T. F. Chan, G. H. Golub, R. J. LeVeque:
/// Algorithms for computing the sample variance, 1983, equation 1.7).
#[inline(always)]
fn two_pass_deviation<T: Sample>(block: &Block<T>, band: usize) -> Lanes<f64> {
    let (totals, counts) = (totals(block, band), block.counts(band));
    let means: Lanes<T::Outcome> = lanes(|lane| T::mean(totals[lane], counts[lane]));
    let (mut sums, mut squares) = ([0.0; LANES], [0.0; LANES]);
    for (values, marks) in block.values(band).iter().zip(block.marks(band)) {
        for lane in 0..LANES {
            let distance = values[lane].above(means[lane]);
            let distance = if marks[lane] != 0 { distance } else { 0.0 };
            sums[lane] += distance;
            squares[lane] += distance * distance;
        }
    }
    let mut deviations = lanes(|lane| root_of_variance(sums[lane], squares[lane], counts[lane]));
    for lane in (0..LANES).filter(|&lane| counts[lane] > 0) {
        if !f64::is_finite(deviations[lane]) {
            deviations[lane] = scaled_deviation(block, band, lane);
        }
    }
    deviations
}

/// The root of the variance, from the sums of the distances to the mean and of their squares.
#[inline(always)]
fn root_of_variance(sum: f64, squares: f64, count: u32) -> f64 {
    let count = f64::from(count);
    let variance = (squares - sum * sum / count) / count;
    if variance < 0.0 { 0.0 } else { variance.sqrt() }
}

/// The same of one pixel whose sums or squares no Float64 holds.
#[cold]
fn scaled_deviation<T: Sample>(block: &Block<T>, band: usize, lane: usize) -> f64 {
    /// A power of two, which rounds nothing that counts.
    const SCALE: f64 = f64::from_bits((1023 - 600) << 52);
    let seen = block.values(band).iter().zip(block.marks(band)).filter(|(_, marks)| marks[lane] != 0);
    let values = seen.map(|(values, _)| values[lane].to_f64() * SCALE);
    let count = block.counts(band)[lane];
    let mean = values.clone().sum::<f64>() / f64::from(count);
    let distances = values.map(|value| value - mean);
    let (sum, squares) = distances.fold((0.0, 0.0), |(sum, squares), d| (sum + d, squares + d * d));
    root_of_variance(sum, squares, count) / SCALE
}
