//! The rule of `min` and `max`.

use super::band::{Band, Row};
use super::finish::{clear, finish_selection};
use crate::pixels::{Buffer, Number, Pixel};

/// The smallest or the largest value keeps the pixel.
pub(super) struct Extreme<T> {
    values: Vec<T>,
    valid: Vec<u8>,
    largest: bool,
}

impl<T: Pixel> Extreme<T> {
    /// The state of `count` pixels, none decided.
    pub fn new(count: usize, largest: bool) -> Self {
        Extreme { values: vec![T::zeroed(); count], valid: vec![0; count], largest }
    }
}

impl<T: Pixel> Band for Extreme<T> {
    fn add_row(&mut self, row: &Row, target: usize, valid: &mut [u8]) {
        let row = row.pixels_with_data::<T>(false, valid);
        let values = &mut self.values[target..][..valid.len()];
        let decided = &mut self.valid[target..][..valid.len()];
        let largest = self.largest;
        for (((value, &new), &valid), decided) in values.iter_mut().zip(row).zip(valid.iter()).zip(decided) {
            let better = if largest { new > *value } else { new < *value };
            let take = valid != 0 && (*decided == 0 || better);
            *value = if take { new } else { *value };
            *decided |= valid;
        }
    }

    fn reset(&mut self, count: usize) {
        self.values.resize(count, T::zeroed());
        clear(&mut self.valid, count);
    }

    fn finish(&self, background: Number, pixels: &mut Buffer, start: usize, valid: &mut [u8]) {
        finish_selection(&self.values, &self.valid, background, pixels, start, valid);
    }
}
