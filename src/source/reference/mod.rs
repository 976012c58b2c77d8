//! A second opinion on the mosaic's pixels: slow, obvious, and made without the code that wrote them.
//!
//! Every source is read through GDAL's own VRT or warp (a VRT on the mosaic's grid as it is), whatever way the job read
//! it, and each pixel is decided by looking at the list of its values.

mod decide;
mod derived;
mod geometric;
mod mask;
mod open_sources;
mod read;
mod rule;
mod stacked;
mod value;

use std::mem::replace;

use anyhow::{Context, Result};

use super::open::open;
use super::trap::checked;
use super::{Mosaic, Patience, PlacedSource};
use crate::geometry::Window;
use open_sources::OpenSources;
use read::{Part, read_mask, read_values};
use stacked::Scenes;
use value::{Expected, Value};

/// Bytes that one value of one source takes while a window is decided, with what is made on the way.
const BYTES_PER_VALUE: usize = 2 * size_of::<Option<Value>>();

/// For each band the values in a window, `None` where there are no data.
type Layer = Vec<Vec<Option<Value>>>;

/// Decides areas of a mosaic a second time, on the thread that made it. The sources stay open from one area to the next,
/// and their blocks in GDAL's cache as far as it goes: a block may be larger than many areas.
pub struct Reference<'a> {
    sources: OpenSources<'a>,
}

impl<'a> Reference<'a> {
    /// For a mosaic in blocks of side `block`, with so many open sources at most.
    pub fn new(mosaic: &'a Mosaic, block: usize, open_sources: usize) -> Reference<'a> {
        Reference { sources: OpenSources::new(mosaic, mosaic.unit(block), open_sources) }
    }

    /// The first difference between what a file holds in a window and what it should hold, with patience where a server
    /// has the sources; `None` when there is none.
    ///
    /// `touching` are the indices of the sources that touch the window, in compositing order. What is resampled is read
    /// in squares, as the job reads it.
    ///
    /// # Errors
    /// When the file or a source cannot be read; the message says which source it is.
    pub fn first_difference(
        &mut self,
        file: &str,
        window: Window,
        touching: &[usize],
        patience: Patience,
    ) -> Result<Option<String>> {
        let mut again = false;
        patience.with("", || {
            // What was opened while a server failed may lack something.
            if replace(&mut again, true) {
                self.sources.close();
            }
            checked("verify", || self.look(file, window, touching))
        })
    }

    fn look(&mut self, file: &str, window: Window, touching: &[usize]) -> Result<Option<String>> {
        let mosaic = self.sources.mosaic;
        let opinion = Opinion::read(&mut self.sources, window, touching)?;
        let written = open(file)?;
        let bands = 0..mosaic.bands.len();
        let found = bands.map(|band| read_values(&written.rasterband(band + 1)?, window, mosaic.pixel_type));
        let found = found.collect::<Result<Vec<_>>>()?;
        let mask = if mosaic.mask { Some(read_mask(&written, window)?) } else { None };
        let difference = |pixel: usize| {
            let decided = derived::of_pixel(mosaic, opinion.decide(pixel));
            let (column, row) = (window.column + pixel % window.columns, window.row + pixel / window.columns);
            // Where a band may be without data, the mask tells whether any is not.
            let (mut has_number, mut has_none) = (false, true);
            for (index, (band, decided)) in mosaic.bands.iter().zip(&decided).enumerate() {
                let background = Value::of(band.background, mosaic.pixel_type);
                let found = found[index][pixel];
                let is_number = decided.is_some_and(|expected| expected.holds(found));
                let is_none = decided.is_none_or(Expected::is_unsure) && found.same(background);
                if !is_number && !is_none {
                    let band = index + 1;
                    let place = format!("band {band} at column {column}, row {row}");
                    let expected = decided.unwrap_or(Expected::exactly(background));
                    return Some(format!("{place}: {found} instead of {expected}"));
                }
                has_number |= is_number;
                has_none &= is_none;
            }
            let valid = mask.as_ref().map(|mask| mask[pixel]);
            let wrong = valid.is_some_and(|valid| if valid { !has_number } else { !has_none });
            wrong.then(|| format!("mask at column {column}, row {row}: {}", !has_number))
        };
        Ok((0..window.pixels()).find_map(difference))
    }
}

/// Side of the largest square of at most `most` pixels' side that is decided in so many bytes, where these sources
/// touch it; at least 1.
pub fn largest_side(mosaic: &Mosaic, touching: &[usize], most: usize, bytes: usize) -> usize {
    let (layers, mask) = match &mosaic.stack {
        None => (touching.len(), None),
        Some(stack) => (stacked::depth(stack, touching), stack.asked.mask.as_ref()),
    };
    // What the file holds is a layer, too.
    let values = (layers + 1) * mosaic.bands.len().max(mosaic.decided().0.len());
    let of_mask = |side: usize| mask.map_or(0, |rule| mask::pixels_held(mosaic, rule, side));
    let needed = |side: usize| BYTES_PER_VALUE * (side * side * values + of_mask(side));
    (1..=most).rev().find(|&side| needed(side) <= bytes).unwrap_or(1)
}

/// One pixel, decided.
struct Decided {
    /// Of each band; `None` where there are no data.
    bands: Vec<Option<Expected>>,
    /// How many scenes have data.
    count: usize,
    /// The scenes, by index, of which one was chosen or comes nearest.
    nearest: Vec<usize>,
}

/// What is known of a window's pixels.
enum Opinion<'a> {
    /// Of each source, in compositing order.
    Layers(&'a Mosaic, Vec<Layer>),
    /// Of each scene.
    Scenes(Scenes<'a>),
}

impl<'a> Opinion<'a> {
    fn read(sources: &mut OpenSources<'a>, window: Window, touching: &[usize]) -> Result<Opinion<'a>> {
        let mosaic = sources.mosaic;
        if let Some(stack) = &mosaic.stack {
            return Ok(Opinion::Scenes(Scenes::read(sources, stack, window, touching)?));
        }
        let read = |&index: &usize| {
            let placed = &mosaic.sources[index];
            let source = sources.get(index, mosaic.working_type)?;
            let part = source.read(window).with_context(|| placed.source.name.to_string())?;
            Ok(layer(mosaic, placed, &part))
        };
        Ok(Opinion::Layers(mosaic, touching.iter().map(read).collect::<Result<_>>()?))
    }

    /// One pixel.
    fn decide(&self, pixel: usize) -> Decided {
        match self {
            Opinion::Scenes(scenes) => scenes.decide(pixel),
            Opinion::Layers(mosaic, layers) => {
                let (bands, pixel_type) = mosaic.decided();
                let decide = |(index, band): (usize, &super::MosaicBand)| {
                    let values = layers.iter().filter_map(|layer| layer[index][pixel]);
                    decide::decide(band.rule, values.collect(), pixel_type)
                };
                let decided = bands.iter().enumerate().map(decide).collect();
                Decided { bands: decided, count: 0, nearest: Vec::new() }
            }
        }
    }
}

/// What a source has data in.
fn layer(mosaic: &Mosaic, placed: &PlacedSource, part: &Part) -> Layer {
    let mut layer = Layer::new();
    for (values, nodata) in part.bands.iter().zip(placed.nodata.iter()) {
        let nodata = nodata.map(|nodata| Value::of(nodata, mosaic.working_type));
        let has_data = |(&value, &covered): (&Value, &bool)| {
            (covered && !nodata.is_some_and(|nodata| nodata.same(value))).then_some(value)
        };
        layer.push(values.iter().zip(&part.covered).map(has_data).collect());
    }
    if let (Some(opaque), None) = (mosaic.opaque, placed.source.alpha) {
        let any = |pixel: usize| layer.iter().any(|band| band[pixel].is_some());
        let opaque = Value::of(opaque, mosaic.working_type);
        layer.push((0..part.covered.len()).map(|pixel| any(pixel).then_some(opaque)).collect());
    }
    layer
}
