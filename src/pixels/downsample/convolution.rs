//! Weights by distance: the kernels of `bilinear` and `cubic`, widened by the factor between two levels, as in GDAL.
//!
//! First each row below is weighed along the columns, then those sums along the rows. Both times weights are divided by
//! those of the valid pixels alone. A pixel is invalid where no valid one has a weight; with `cubic`, whose weights may
//! be below zero, also where fewer than half of the pixels in a line are valid one after the other.

mod across;
mod weights;

use std::ops::Range;

use super::axis::Axis;
use super::{OverviewResampling, Pixel, Plane};
use crate::pixels::PixelType;
use across::{Line, Weigher};
use weights::Weights;

/// A function of the distance from a pixel's middle, in pixels of the smaller level.
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    /// From where on the function is zero.
    pub radius: usize,
    weight: fn(f64) -> f64,
}

/// A triangle.
const BILINEAR: Kernel = Kernel { radius: 1, weight: |distance| (1.0 - distance.abs()).max(0.0) };

/// Keys' cubic convolution with a = -1/2.
const CUBIC: Kernel = Kernel { radius: 2, weight: cubic };

fn cubic(distance: f64) -> f64 {
    let x = distance.abs();
    match x {
        _ if x <= 1.0 => x * x * (1.5 * x - 2.5) + 1.0,
        _ if x <= 2.0 => x * (x * (-0.5 * x + 2.5) - 4.0) + 2.0,
        _ => 0.0,
    }
}

impl Kernel {
    /// The kernel of a resampling that has one.
    pub(super) fn of(resampling: OverviewResampling) -> Option<Kernel> {
        match resampling {
            OverviewResampling::Bilinear => Some(BILINEAR),
            OverviewResampling::Cubic => Some(CUBIC),
            OverviewResampling::Nearest | OverviewResampling::Average | OverviewResampling::Mode => None,
        }
    }

    /// Whether some weights are below zero.
    fn is_negative_somewhere(self) -> bool {
        self.radius > 1
    }

    /// The source pixels under the kernel of a target pixel, cut off at the ends of the level.
    pub(super) fn span(self, axis: Axis, target: usize) -> Range<usize> {
        let (middle, reach) = (middle(axis, target), self.radius as f64 * axis.ratio().max(1.0));
        let start = ((middle - reach + 0.5).floor().max(0.0) as usize).min(axis.source - 1);
        start..((middle + reach + 0.5) as usize).clamp(start + 1, axis.source)
    }
}

/// The middle of a target pixel, in source pixels.
fn middle(axis: Axis, target: usize) -> f64 {
    (target as f64 + 0.5) * axis.ratio()
}

/// Fills some columns of rows, each given by its number and the index of its first pixel, in growing order.
pub(super) fn fill<T: Pixel>(
    source: &Plane<T>,
    kernel: Kernel,
    (columns_axis, columns): (Axis, Range<usize>),
    (rows_axis, rows): (Axis, &mut dyn Iterator<Item = (usize, usize)>),
    pixels: &mut [T],
) {
    let count = columns.len();
    let columns: Vec<Weights> = columns.map(|column| Weights::new(kernel, columns_axis, column)).collect();
    let mut weigher = Weigher::new(source, kernel, &columns);
    let settled = Settled { nodata: source.nodata };
    let mut sums = Sums::new(count);
    for (row, start) in rows {
        let weights = Weights::new(kernel, rows_axis, row);
        weigher.prepare(weights.span());
        sums.fill(&weights, kernel, &weigher);
        for (index, pixel) in pixels[start..start + count].iter_mut().enumerate() {
            *pixel = settled.pixel(sums.mean(index));
        }
    }
}

/// Sums of lines, column by column.
struct Sums {
    totals: Vec<f64>,
    /// Of the valid lines; below zero where a pixel is invalid.
    weights: Vec<f64>,
    /// How many lines were valid one after the other: up to now, and at most.
    runs: Vec<[usize; 2]>,
}

impl Sums {
    fn new(columns: usize) -> Sums {
        Sums { totals: vec![0.0; columns], weights: vec![0.0; columns], runs: vec![[0; 2]; columns] }
    }

    /// Sums the lines of a target row.
    fn fill<T: Pixel>(&mut self, rows: &Weights, kernel: Kernel, weigher: &Weigher<T>) {
        self.totals.fill(0.0);
        let lines = || rows.span().zip(&rows.weights).map(|(row, &weight)| (weigher.line(row), weight));
        if lines().all(|(line, _)| line.is_whole) {
            for (line, weight) in lines() {
                self.totals.iter_mut().zip(&line.values).for_each(|(total, value)| *total += value * weight);
            }
            return self.weights.fill(rows.sum);
        }
        self.weights.fill(0.0);
        for (Line { values, valid, .. }, weight) in lines() {
            let sums = self.totals.iter_mut().zip(&mut self.weights);
            for ((total, together), (value, valid)) in sums.zip(values.iter().zip(valid)) {
                // What is invalid is zero.
                *total += value * weight;
                *together += f64::from(*valid) * weight;
            }
        }
        if kernel.is_negative_somewhere() {
            self.refuse_gaps(rows, lines().map(|(line, _)| line));
        }
    }

    /// Makes invalid what has too few valid lines one after the other.
    fn refuse_gaps<'a>(&mut self, rows: &Weights, lines: impl Iterator<Item = &'a Line>) {
        self.runs.fill([0; 2]);
        for line in lines {
            for ([now, most], valid) in self.runs.iter_mut().zip(&line.valid) {
                *now = (*now + 1) * usize::from(*valid);
                *most = (*now).max(*most);
            }
        }
        let needed = rows.weights.len() / 2;
        for (weight, [_, most]) in self.weights.iter_mut().zip(&self.runs) {
            *weight = if *most < needed { -1.0 } else { *weight };
        }
    }

    /// The weighted mean of a column's pixels, if it is valid.
    fn mean(&self, column: usize) -> Option<f64> {
        (self.weights[column] > 0.0).then(|| self.totals[column] / self.weights[column])
    }
}

/// What becomes of a weighted mean.
struct Settled<T> {
    nodata: Option<T>,
}

impl<T: Pixel> Settled<T> {
    /// The pixel of a mean: rounded half away from zero, clamped, and not nodata by chance. Types of up to 16 bits come
    /// by way of a 32-bit float, as in GDAL.
    #[inline(always)]
    fn pixel(&self, mean: Option<f64>) -> T {
        let Some(mean) = mean else { return self.nodata.unwrap_or(T::from_i128(0)) };
        let pixel = match T::TYPE {
            PixelType::Float32 | PixelType::Float64 => T::cut(mean),
            PixelType::Byte | PixelType::Int8 | PixelType::UInt16 | PixelType::Int16 => {
                let mean = mean as f32;
                T::cut(f64::from(mean + 0.5_f32.copysign(mean)))
            }
            _ => T::cut(mean + 0.5_f64.copysign(mean)),
        };
        if Some(pixel) == self.nodata { pixel.neighbour() } else { pixel }
    }
}
