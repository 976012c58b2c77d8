//! The rules of `sum` and `mean`.

use bytemuck::Zeroable;

use super::band::{Band, Row};
use super::finish::clear;
use crate::dispatch_pixel_type;
use crate::pixels::{Buffer, Number, Pixel, Sum};

/// Sums and counts, for the sum and the mean.
pub(super) struct Total<T: Pixel> {
    sums: Vec<T::Sum>,
    counts: Vec<u32>,
    mean: bool,
}

impl<T: Pixel> Total<T> {
    /// The state of `count` pixels, none decided.
    pub fn new(count: usize, mean: bool) -> Self {
        Total { sums: vec![T::Sum::zeroed(); count], counts: vec![0; count], mean }
    }

    fn finish_as<O: Pixel>(&self, background: Number, pixels: &mut [O], valid: &mut [u8]) {
        let background = background.to_pixel().unwrap_or(O::zeroed());
        let (sums, counts, mean) = (&self.sums, &self.counts, self.mean);
        for (((pixel, &sum), &count), valid) in pixels.iter_mut().zip(sums).zip(counts).zip(valid) {
            *valid |= u8::from(count != 0);
            *pixel = match (count, mean) {
                (0, _) => background,
                (_, true) => sum.mean(count),
                (_, false) => sum.to_pixel(),
            };
        }
    }
}

impl<T: Pixel> Band for Total<T> {
    fn add_row(&mut self, row: &Row, target: usize, valid: &mut [u8]) {
        let row = row.pixels_with_data::<T>(false, valid);
        let sums = &mut self.sums[target..][..valid.len()];
        let counts = &mut self.counts[target..][..valid.len()];
        for (((sum, &new), &valid), count) in sums.iter_mut().zip(row).zip(valid.iter()).zip(counts) {
            *sum = if valid != 0 { sum.plus(new.to_sum()) } else { *sum };
            *count += u32::from(valid);
        }
    }

    fn reset(&mut self, count: usize) {
        clear(&mut self.sums, count);
        clear(&mut self.counts, count);
    }

    fn finish(&self, background: Number, pixels: &mut Buffer, start: usize, valid: &mut [u8]) {
        let count = self.sums.len();
        dispatch_pixel_type!(pixels.pixel_type(), O => {
            let pixels = &mut pixels.pixels_mut::<O>()[start..][..count];
            self.finish_as::<O>(background, pixels, valid);
        });
    }
}
