//! The rule of `count`.

use std::marker::PhantomData;

use super::band::{Band, Row};
use super::finish::{clear, finish_selection};
use crate::pixels::{Buffer, Number, Pixel};

/// How many layers have data.
pub(super) struct Count<T> {
    counts: Vec<u32>,
    of: PhantomData<T>,
}

impl<T: Pixel> Count<T> {
    /// The state of `count` pixels, none decided.
    pub fn new(count: usize) -> Self {
        Count { counts: vec![0; count], of: PhantomData }
    }
}

impl<T: Pixel> Band for Count<T> {
    fn add_row(&mut self, row: &Row, target: usize, valid: &mut [u8]) {
        row.pixels_with_data::<T>(false, valid);
        let counts = &mut self.counts[target..][..valid.len()];
        counts.iter_mut().zip(valid).for_each(|(count, valid)| *count += u32::from(*valid));
    }

    fn reset(&mut self, count: usize) {
        clear(&mut self.counts, count);
    }

    fn finish(&self, background: Number, pixels: &mut Buffer, start: usize, valid: &mut [u8]) {
        let seen: Vec<u8> = self.counts.iter().map(|&count| u8::from(count != 0)).collect();
        finish_selection(&self.counts, &seen, background, pixels, start, valid);
    }
}
