//! One band of an area, and which of its pixels are valid.

use std::ops::Range;

use super::{Area, Pixel, Validity, place};
use crate::geometry::Window;

/// Which pixels of a plane are valid.
#[derive(Clone, Copy)]
pub(super) enum Valid<'a, T> {
    All,
    Not(T),
    NotNan,
    Where(&'a [u8]),
    Opaque(&'a [T]),
}

/// One band of an area.
pub(super) struct Plane<'a, T> {
    pub window: Window,
    pub pixels: &'a [T],
    pub valid: Valid<'a, T>,
    /// The value that must not come about by chance.
    pub nodata: Option<T>,
}

impl<'a, T: Pixel> Plane<'a, T> {
    pub(super) fn of(area: &Area<'a>, band: usize, validity: Validity) -> Plane<'a, T> {
        let count = area.window.pixels();
        let band_pixels = |band: usize| &area.pixels.pixels::<T>()[band * count..][..count];
        let nodata = match validity {
            Validity::Nodata(number) => number.to_pixel::<T>(),
            _ => None,
        };
        let valid = match (validity, nodata) {
            (Validity::Nodata(_), Some(nodata)) if nodata.is_nan() => Valid::NotNan,
            (Validity::Nodata(_), Some(nodata)) => Valid::Not(nodata),
            (Validity::Mask, _) => area.mask.map_or(Valid::All, Valid::Where),
            (Validity::Alpha(alpha), _) => Valid::Opaque(band_pixels(alpha)),
            _ => Valid::All,
        };
        Plane { window: area.window, pixels: band_pixels(band), valid, nodata }
    }

    /// The pixels of some columns of a row, both counted in the level.
    pub(super) fn row(&self, row: usize, columns: Range<usize>) -> &'a [T] {
        &self.pixels[self.span(row, columns)]
    }

    /// Whether all pixels of some columns of a row are valid.
    #[inline(always)]
    pub(super) fn is_valid(&self, row: usize, columns: Range<usize>) -> bool {
        let span = self.span(row, columns);
        // Without a way out on the first invalid pixel, many are compared at once.
        #[inline(always)]
        fn all<P: Copy>(pixels: &[P], valid: impl Fn(P) -> bool) -> bool {
            let mut all = true;
            for &pixel in pixels {
                all &= valid(pixel);
            }
            all
        }
        match self.valid {
            Valid::All => true,
            Valid::Not(nodata) => all(&self.pixels[span], |value| value != nodata),
            Valid::NotNan => all(&self.pixels[span], |value| !value.is_nan()),
            Valid::Where(mask) => all(&mask[span], |value| value != 0),
            Valid::Opaque(alpha) => {
                let transparent = T::from_i128(0);
                all(&alpha[span], |value| value != transparent)
            }
        }
    }

    /// Marks which pixels of some columns of a row are valid, by 1 and 0.
    #[inline(always)]
    pub(super) fn mark(&self, row: usize, columns: Range<usize>, marks: &mut [u8]) {
        let span = self.span(row, columns);
        #[inline(always)]
        fn each<P: Copy>(pixels: &[P], marks: &mut [u8], valid: impl Fn(P) -> bool) {
            for (mark, &pixel) in marks.iter_mut().zip(pixels) {
                *mark = u8::from(valid(pixel));
            }
        }
        match self.valid {
            Valid::All => marks.fill(1),
            Valid::Not(nodata) => each(&self.pixels[span], marks, |value| value != nodata),
            Valid::NotNan => each(&self.pixels[span], marks, |value| !value.is_nan()),
            Valid::Where(mask) => each(&mask[span], marks, |value| value != 0),
            Valid::Opaque(alpha) => {
                let transparent = T::from_i128(0);
                each(&alpha[span], marks, |value| value != transparent);
            }
        }
    }

    fn span(&self, row: usize, columns: Range<usize>) -> Range<usize> {
        let start = place(self.window, row, columns.start);
        start..start + columns.len()
    }
}
