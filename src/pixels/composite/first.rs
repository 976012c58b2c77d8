//! The rule of `first` and `last`: a source on top hides those below.

use super::band::{Band, Row};
use super::finish::{clear, finish_selection, ones};
use crate::pixels::{Buffer, Number, Pixel};

/// The first layer that has data keeps the pixel.
pub(super) struct First<T> {
    values: Vec<T>,
    valid: Vec<u8>,
    /// Pixels that no layer has decided yet.
    open: usize,
}

impl<T: Pixel> First<T> {
    /// The state of `count` pixels, none decided.
    pub fn new(count: usize) -> Self {
        First { values: vec![T::zeroed(); count], valid: vec![0; count], open: count }
    }
}

impl<T: Pixel> Band for First<T> {
    fn add_row(&mut self, row: &Row, target: usize, valid: &mut [u8]) {
        if self.open == 0 {
            return;
        }
        let decided = &mut self.valid[target..][..valid.len()];
        let before = ones(decided);
        if before == valid.len() {
            return;
        }
        let row = row.pixels_with_data::<T>(true, valid);
        let values = &mut self.values[target..][..valid.len()];
        if before == 0 {
            // Nothing lies above: values are looked at only where they are valid.
            values.copy_from_slice(row);
            decided.copy_from_slice(valid);
            self.open -= ones(valid);
            return;
        }
        let mut taken = 0;
        for (valid, decided) in valid.iter_mut().zip(decided) {
            *valid &= *decided ^ 1;
            *decided |= *valid;
            taken += usize::from(*valid);
        }
        self.open -= taken;
        for ((value, &new), &take) in values.iter_mut().zip(row).zip(valid.iter()) {
            *value = if take != 0 { new } else { *value };
        }
    }

    fn is_settled(&self) -> bool {
        self.open == 0
    }

    fn reset(&mut self, count: usize) {
        // Values are looked at only where they are valid.
        self.values.resize(count, T::zeroed());
        clear(&mut self.valid, count);
        self.open = count;
    }

    fn finish(&self, background: Number, pixels: &mut Buffer, start: usize, valid: &mut [u8]) {
        finish_selection(&self.values, &self.valid, background, pixels, start, valid);
    }
}
