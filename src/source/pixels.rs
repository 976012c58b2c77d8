//! Pixels of a source as they are read: values, and which of them count.

use crate::pixels::{Buffer, Number, Pixel, PixelType};

/// Pixels of a source in a window of the mosaic.
pub struct Pixels {
    /// Bands × rows × columns.
    pub values: Buffer,
    /// Rows × columns, zero where the source has no data; unused when `masked` is false.
    pub mask: Vec<u8>,
    /// Whether `mask` counts.
    pub masked: bool,
}

impl Pixels {
    /// Empty, for pixels of `pixel_type`; grows to the largest window read.
    pub fn new(pixel_type: PixelType) -> Pixels {
        Pixels { values: Buffer::zeros(pixel_type, 0), mask: Vec::new(), masked: false }
    }

    /// Makes the band behind the source's own opaque: one that the mosaic has and the source has not. `nodata` is that
    /// of the source's own bands, of `count` pixels each; where they all have it, the pixels of none are transparent.
    pub(super) fn fill_opaque(&mut self, opaque: Number, nodata: &[Option<Number>], count: usize) {
        let nodata_decides = !self.masked && !nodata.is_empty() && nodata.iter().all(Option::is_some);
        if nodata_decides {
            self.masked = true;
            self.mask.clear();
            self.mask.resize(count, 0);
        }
        crate::dispatch_pixel_type!(self.values.pixel_type(), T => {
            let (own, alpha) = self.values.pixels_mut::<T>().split_at_mut(nodata.len() * count);
            alpha.fill(opaque.to_pixel::<T>().unwrap_or(T::from_i128(i128::MAX)));
            if nodata_decides {
                for (band, nodata) in own.chunks_exact(count).zip(nodata) {
                    let nodata = nodata.and_then(Number::to_pixel::<T>);
                    let has_data = |v: T| nodata.is_none_or(|n| if n.is_nan() { !v.is_nan() } else { v != n });
                    self.mask.iter_mut().zip(band).for_each(|(mask, &v)| *mask |= u8::from(has_data(v)));
                }
            }
        });
    }
}
