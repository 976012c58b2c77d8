//! The mean of the pixels below, each weighed by its part below.
//!
//! Where each pixel lies over four whole ones, sums are whole numbers; else weights are floats, as in GDAL.

mod quads;
mod rounding;
mod runs;
#[cfg(test)]
mod tests;
mod weighted;

use std::ops::Range;

use super::axis::Taps;
use super::{Pixel, Plane, Valid};
use quads::Quads;
use weighted::Weighted;

/// Fills some rows of pixels, each of the rows and columns of its taps.
pub(super) fn fill<T: Pixel>(
    source: &Plane<T>,
    columns: &[Taps],
    rows: &mut dyn Iterator<Item = (Taps, Range<usize>)>,
    pixels: &mut [T],
) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has just said that it knows these instructions.
        return unsafe { fill_wide(source, columns, rows, pixels) };
    }
    fill_rows(source, columns, rows, pixels);
}

/// The same with twice as many pixels at once; the numbers are the same, since nothing is summed in another order.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn fill_wide<T: Pixel>(
    source: &Plane<T>,
    columns: &[Taps],
    rows: &mut dyn Iterator<Item = (Taps, Range<usize>)>,
    pixels: &mut [T],
) {
    fill_rows(source, columns, rows, pixels);
}

#[inline(always)]
fn fill_rows<T: Pixel>(
    source: &Plane<T>,
    columns: &[Taps],
    rows: &mut dyn Iterator<Item = (Taps, Range<usize>)>,
    pixels: &mut [T],
) {
    let all = columns[0].start..columns[columns.len() - 1].end;
    let in_pairs = columns.iter().all(|taps| taps.is_pair()) && all.len() == 2 * columns.len();
    let settled = Settled::new(source.nodata);
    let mut quads = Quads::new(all.clone());
    let mut weighted = Weighted::new(columns);
    for (row, span) in rows {
        let pixels = &mut pixels[span];
        // Where columns come in pairs and all is valid, GDAL weighs two rows alike whatever their parts.
        let alike = matches!(source.valid, Valid::All) && row.end == row.start + 2;
        if in_pairs && (row.is_pair() || alike) {
            quads.fill(source, row.start, settled, pixels);
        } else {
            weighted.fill(source, row, settled, pixels);
        }
    }
}

/// What becomes of a mean.
#[derive(Clone, Copy)]
struct Settled<T> {
    /// The value of a pixel without any valid one below.
    background: T,
    /// A mean that is nodata by chance becomes the neighbouring value, so that it stays valid.
    avoided: T,
    instead: T,
}

impl<T: Pixel> Settled<T> {
    fn new(nodata: Option<T>) -> Settled<T> {
        let background = nodata.unwrap_or(T::from_i128(0));
        Settled { background, avoided: background, instead: nodata.map_or(background, T::neighbour) }
    }

    /// The same for the type `S`, which is `T` by another name.
    fn cast<S: Pixel>(self) -> Settled<S> {
        Settled {
            background: bytemuck::cast(self.background),
            avoided: bytemuck::cast(self.avoided),
            instead: bytemuck::cast(self.instead),
        }
    }

    /// The pixels of means, all of valid pixels.
    #[inline(always)]
    fn settle(self, pixels: &mut [T]) {
        for pixel in pixels {
            *pixel = self.pixel(*pixel, true);
        }
    }

    /// The pixel of that mean of the valid pixels below, if there are any.
    #[inline(always)]
    fn pixel(self, mean: T, any: bool) -> T {
        let mean = if mean == self.avoided { self.instead } else { mean };
        if any { mean } else { self.background }
    }
}
