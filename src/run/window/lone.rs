//! Windows that one source covers alone, most of a mosaic: its pixels are the mosaic's, and nothing is composited.

use crate::pixels::{Buffer, Method, Number, Pixel};
use crate::plan::{Job, Touching};
use crate::source::{Mosaic, MosaicBand};

/// The one source that touches a window, where its pixels can be taken as they are: it covers the window, is read
/// directly, has no transparency, and neither rule nor types change a value.
pub fn source(mosaic: &Mosaic, touching: &Touching, job: Job) -> Option<usize> {
    let mut sources = touching.sources(job.window_row, job.window);
    let (index, None) = (sources.next()?, sources.next()) else { return None };
    let placed = &mosaic.sources[index];
    let covers = placed.window.and_then(|window| window.intersection(job.window)) == Some(job.window);
    let as_it_is = placed.direct
        && matches!(mosaic.method, Method::First | Method::Last)
        && mosaic.pixel_type == mosaic.working_type
        && placed.source.alpha.is_none()
        && mosaic.opaque.is_none();
    (covers && as_it_is).then_some(index)
}

/// Replaces a source's nodata by the mosaic's background in `pixels` (bands × rows × columns), and sets `valid` (rows ×
/// columns) to 1 where any band has data.
pub fn settle(bands: &[MosaicBand], nodata: &[Option<Number>], pixels: &mut Buffer, valid: &mut [u8]) {
    crate::dispatch_pixel_type!(pixels.pixel_type(), T => {
        let of_bands = pixels.pixels_mut::<T>().chunks_exact_mut(valid.len());
        for ((pixels, band), nodata) in of_bands.zip(bands).zip(nodata) {
            let background = band.background.to_pixel::<T>().unwrap_or(T::from_i128(0));
            settle_band(pixels, nodata.and_then(Number::to_pixel), background, valid);
        }
    });
}

fn settle_band<T: Pixel>(pixels: &mut [T], nodata: Option<T>, background: T, valid: &mut [u8]) {
    match nodata {
        None => valid.fill(1),
        Some(nodata) if nodata.is_nan() => mark(pixels, background, valid, |value| !value.is_nan()),
        Some(nodata) => mark(pixels, background, valid, |value| value != nodata),
    }
}

fn mark<T: Pixel>(pixels: &mut [T], background: T, valid: &mut [u8], has_data: impl Fn(T) -> bool) {
    for (pixel, valid) in pixels.iter_mut().zip(valid) {
        let data = has_data(*pixel);
        *valid |= u8::from(data);
        *pixel = if data { *pixel } else { background };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodata_becomes_the_background_and_any_band_with_data_makes_a_pixel_valid() {
        let mut valid = [0; 4];
        let (mut first, mut second) = ([7u8, 0, 0, 9], [0u8, 3, 0, 1]);
        settle_band(&mut first, Some(0), 255, &mut valid);
        settle_band(&mut second, Some(0), 255, &mut valid);
        assert_eq!((first, second, valid), ([7, 255, 255, 9], [255, 3, 255, 1], [1, 1, 0, 1]));
        let mut floats = [1.5f32, f32::NAN];
        let mut valid = [0; 2];
        settle_band(&mut floats, Some(f32::NAN), -1.0, &mut valid);
        assert_eq!((floats, valid), ([1.5, -1.0], [1, 0]));
        let mut valid = [0; 2];
        settle_band(&mut floats, None, 0.0, &mut valid);
        assert_eq!((floats, valid), ([1.5, -1.0], [1, 1]));
    }
}
