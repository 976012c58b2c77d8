//! The rules that decide one pixel from several sources, band by band, over one window.
//!
//! A window's layers are added one after the other; the state of a rule is as large as the window, however many
//! layers there are. `last` is `first` with the layers added from the top down, so that a window whose pixels are
//! all decided needs no further layer.

mod band;
mod count;
mod extreme;
mod finish;
mod first;
#[cfg(test)]
mod tests;
mod total;

use super::{Buffer, Method, Number, PixelType};
use crate::geometry::{Size, Window};
use band::{Band, Row, new_band};

/// One source's pixels within a window.
pub struct Layer<'a> {
    /// Where they lie, relative to the window's upper-left pixel.
    pub place: Window,
    /// The pixels: bands × rows × columns of `place`.
    pub pixels: &'a Buffer,
    /// For each band the value that means "no data".
    pub nodata: &'a [Option<Number>],
    /// Rows × columns of `place`; zero where the source has no data in any band.
    pub mask: Option<&'a [u8]>,
}

/// How one band is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum BandRule {
    /// By the method asked for.
    Method(Method),
    /// Transparency: of the pixel chosen, or for statistics the most opaque of all.
    Alpha(Method),
}

impl BandRule {
    fn method(self) -> Method {
        match self {
            BandRule::Method(method) => method,
            BandRule::Alpha(Method::First | Method::Last) => Method::First,
            BandRule::Alpha(_) => Method::Max,
        }
    }
}

/// The state of a window that is being composited.
pub struct Composite {
    size: Size,
    bands: Vec<Box<dyn Band>>,
    valid_row: Vec<u8>,
}

impl Composite {
    /// An empty window of `size`, whose layers have pixels of `pixel_type`, with one rule a band.
    pub fn new(pixel_type: PixelType, rules: &[BandRule], size: Size) -> Composite {
        let bands = rules.iter().map(|rule| new_band(pixel_type, rule.method(), size.pixels())).collect();
        Composite { size, bands, valid_row: Vec::new() }
    }

    /// Forgets all layers, for a window of `size`; keeps its memory.
    pub fn reset(&mut self, size: Size) {
        self.size = size;
        self.bands.iter_mut().for_each(|band| band.reset(size.pixels()));
    }

    /// Bytes that the state of one pixel of one band takes.
    pub const fn bytes_per_pixel(pixel_type: PixelType, method: Method) -> usize {
        match method {
            Method::Count => 4,
            Method::Sum | Method::Mean => {
                4 + if matches!(pixel_type, PixelType::UInt64 | PixelType::Int64) { 16 } else { 8 }
            }
            _ => pixel_type.bytes() + 1,
        }
    }

    /// Adds a layer. For `first` and `last` the layers on top come first.
    ///
    /// # Panics
    /// When the layer's pixels are of another type or number than its place says.
    pub fn add(&mut self, layer: &Layer) {
        let place = layer.place;
        assert_eq!(layer.pixels.len(), place.pixels() * self.bands.len());
        self.valid_row.resize(place.columns, 0);
        for (index, band) in self.bands.iter_mut().enumerate() {
            let nodata = layer.nodata.get(index).copied().flatten();
            for row in 0..place.rows {
                let span = row * place.columns..(row + 1) * place.columns;
                let start = index * place.pixels() + span.start;
                let mask = layer.mask.map(|mask| &mask[span]);
                let target = (place.row + row) * self.size.columns + place.column;
                let row = Row { pixels: layer.pixels, start, nodata, mask };
                band.add_row(&row, target, &mut self.valid_row);
            }
        }
    }

    /// Whether no further layer can change a pixel.
    pub fn is_settled(&self) -> bool {
        self.bands.iter().all(|band| band.is_settled())
    }

    /// Writes the decided pixels of all bands (bands × rows × columns) into `pixels`, `background` where no source
    /// has data, and into `valid` (rows × columns) 1 where any band has data. Says whether any pixel has.
    pub fn finish(&self, background: &[Number], pixels: &mut Buffer, valid: &mut [u8]) -> bool {
        valid.fill(0);
        for (index, band) in self.bands.iter().enumerate() {
            band.finish(background[index], pixels, index * self.size.pixels(), valid);
        }
        valid.iter().any(|&v| v != 0)
    }
}
