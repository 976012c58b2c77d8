//! What every rule does with one band, its pixel type hidden, and what a row of a layer has to say.

use super::count::Count;
use super::extreme::Extreme;
use super::first::First;
use super::total::Total;
use crate::dispatch_pixel_type;
use crate::pixels::{Buffer, Method, Number, Pixel, PixelType};

/// One band's state, its pixel type hidden.
pub(super) trait Band: Send {
    /// Adds one row into the state from index `target`. `valid` is scratch of the row's length.
    fn add_row(&mut self, row: &Row, target: usize, valid: &mut [u8]);

    /// Whether no further row can change a pixel.
    fn is_settled(&self) -> bool {
        false
    }

    /// Writes the decided pixels into `pixels` from index `start`, `background` where no row had data, and 1 into
    /// `valid` where one had.
    fn finish(&self, background: Number, pixels: &mut Buffer, start: usize, valid: &mut [u8]);

    /// Forgets all rows, for `count` pixels.
    fn reset(&mut self, count: usize);
}

/// One row of one band of a layer.
pub(super) struct Row<'a> {
    /// The layer's pixels.
    pub pixels: &'a Buffer,
    /// Index of the row's first pixel among them.
    pub start: usize,
    /// The value that means "no data".
    pub nodata: Option<Number>,
    /// Zero where the source has no data.
    pub mask: Option<&'a [u8]>,
}

impl<'a> Row<'a> {
    /// The row's pixels, and in `valid`, which is as long, which of them have data. NaN counts as data only where
    /// `keep_nan` says so: for the rules that choose a source.
    pub fn pixels_with_data<T: Pixel>(&self, keep_nan: bool, valid: &mut [u8]) -> &'a [T] {
        let row = &self.pixels.pixels::<T>()[self.start..][..valid.len()];
        match self.nodata.and_then(Number::to_pixel::<T>) {
            Some(nodata) if nodata.is_nan() => mark(row, valid, |v| !v.is_nan()),
            Some(nodata) if keep_nan => mark(row, valid, |v| v != nodata),
            Some(nodata) => mark(row, valid, |v| v != nodata && !v.is_nan()),
            None if keep_nan || !T::TYPE.is_float() => valid.fill(1),
            None => mark(row, valid, |v| !v.is_nan()),
        }
        if let Some(mask) = self.mask {
            valid.iter_mut().zip(mask).for_each(|(valid, &mask)| *valid &= u8::from(mask != 0));
        }
        row
    }
}

fn mark<T: Pixel>(row: &[T], valid: &mut [u8], has_data: impl Fn(T) -> bool) {
    valid.iter_mut().zip(row).for_each(|(valid, &value)| *valid = u8::from(has_data(value)));
}

/// The empty state of one band of `count` pixels.
pub(super) fn new_band(pixel_type: PixelType, method: Method, count: usize) -> Box<dyn Band> {
    fn typed<T: Pixel>(method: Method, count: usize) -> Box<dyn Band> {
        match method {
            Method::First | Method::Last => Box::new(First::<T>::new(count)),
            Method::Min => Box::new(Extreme::<T>::new(count, false)),
            Method::Max => Box::new(Extreme::<T>::new(count, true)),
            Method::Mean => Box::new(Total::<T>::new(count, true)),
            Method::Sum => Box::new(Total::<T>::new(count, false)),
            Method::Count => Box::new(Count::<T>::new(count)),
        }
    }
    dispatch_pixel_type!(pixel_type, T => typed::<T>(method, count))
}
