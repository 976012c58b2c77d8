//! Areas that one source covers alone, most of a mosaic: its pixels are the mosaic's, and nothing is composited.

use std::ops::Range;

use crate::geometry::Window;
use crate::pixels::{Buffer, Method, Number, Pixel};
use crate::plan::Touching;
use crate::source::{Mosaic, MosaicBand, PlacedSource, Placement};

/// The one source that touches an area in this row of windows, where its pixels can be taken as they are: it covers
/// the area, is read directly, has no transparency, and neither rule nor types change a value.
pub fn source(mosaic: &Mosaic, touching: &Touching, window_row: usize, area: Window) -> Option<usize> {
    let mut sources = touching.sources(window_row, area);
    let (index, None) = (sources.next()?, sources.next()) else { return None };
    let placed = &mosaic.sources[index];
    let covers = placed.window.and_then(|window| window.intersection(area)) == Some(area);
    let as_it_is = placed.direct
        && mosaic.stack.is_none()
        && mosaic.derived.is_none()
        && matches!(mosaic.method, Method::First | Method::Last)
        && mosaic.pixel_type == mosaic.working_type
        && placed.source.alpha.is_none()
        && mosaic.opaque.is_none();
    (covers && as_it_is).then_some(index)
}

/// Whether a block of the mosaic's `bands` holds the same bytes as the source's own block, pixel for pixel: the same
/// bands side by side, and nodata that are spelled alike.
pub fn is_stored_alike(all: &[MosaicBand], source: &PlacedSource, bands: Range<usize>) -> bool {
    let (Ok(layout), Placement::OnGrid { .. }) = (&source.source.direct, source.placement) else {
        return false;
    };
    let side_by_side = layout.samples == bands.len()
        && (layout.samples == 1 || source.bands[bands.clone()].iter().copied().eq(0..layout.samples));
    // Of zero and of NaN floats have several spellings, of which the background is one.
    let one_spelling = |nodata: Number| !layout.pixel_type.is_float() || nodata.to_f64().abs() > 0.0;
    let alike = |(band, nodata): (&MosaicBand, &Option<Number>)| {
        nodata.is_none_or(|nodata| nodata == band.background && one_spelling(nodata))
    };
    side_by_side && all[bands.clone()].iter().zip(&source.nodata[bands]).all(alike)
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
