//! An open source whose pixels are read on the mosaic's grid. A handle belongs to the thread that opened it.

use std::ffi::c_int;
use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use gdal::Dataset;

use super::calls::{self, Destination};
use super::open::open;
use super::place::{BesideNodata, Frame, Laid, Validity};
use super::trap::{checked, checked_with_warnings};
use super::watch::about_to_read;
use super::{Mosaic, Patience, Pixels, PlacedSource, Source};
use crate::geometry::{Size, Window};
use crate::pixels::{Buffer, Number, PixelType};

/// An open source.
pub struct Handle {
    laid: Laid,
    /// Whether the file itself may resample as it is read.
    is_virtual: bool,
    /// How many bands are read in one call.
    at_once: usize,
    /// Number, in the dataset, of each band to read.
    bands: Vec<c_int>,
    /// What says which pixels are valid beside nodata.
    beside_nodata: BesideNodata,
    /// Full opacity, when the mosaic has transparency and this source has none.
    opaque: Option<Number>,
    /// Nodata of the bands to read.
    nodata: Vec<Option<Number>>,
    name: Arc<str>,
}

impl Handle {
    /// Opens a source of the mosaic, with patience where a server has it.
    ///
    /// # Errors
    /// When the file is gone, or is no longer the raster that was inspected.
    pub fn open(mosaic: &Mosaic, placed_source: &PlacedSource, patience: Patience) -> Result<Handle> {
        let source = &placed_source.source;
        let opened = patience.with(&source.name, || {
            about_to_read(&source.name);
            checked("open", || Handle::place(mosaic, placed_source))
        });
        opened.with_context(|| format!("{}: the source could not be opened again", source.name))
    }

    fn place(mosaic: &Mosaic, placed_source: &PlacedSource) -> Result<Handle> {
        let PlacedSource { source, .. } = placed_source;
        let placement = placed_source.placement.through_gdal();
        let base = open(&source.name)?;
        check_unchanged(&base, source)?;
        let frame = Frame { grid: &mosaic.grid, wkt: &mosaic.wkt, resampling: placed_source.resampling };
        let nodata = mosaic.nodata_read(placed_source);
        let read = (placed_source.resampling, mosaic.working_type);
        let validity = Validity::of(source, nodata, placement, read);
        Ok(Handle {
            laid: Laid::new(base, placed_source, (&frame, placement), &validity)?,
            is_virtual: source.is_virtual,
            at_once: bands_at_once(source, mosaic.working_type),
            bands: placed_source.bands.iter().map(|&band| number(band)).collect(),
            beside_nodata: validity.beside,
            opaque: mosaic.opaque.filter(|_| source.alpha.is_none()),
            nodata: placed_source.nodata.to_vec(),
            name: Arc::clone(&source.name),
        })
    }

    /// Reads `place`, a part of the mosaic that the source touches, of the bands `bands` (indices into the mosaic's
    /// bands), into `pixels`, with patience where a server has it; says what GDAL warned of. Resampled pixels are made in
    /// squares of `unit` pixels.
    ///
    /// # Errors
    /// When GDAL reports any failure, whatever it returns.
    pub fn read(
        &self,
        place: Window,
        bands: Range<usize>,
        unit: usize,
        (pixels, patience): (&mut Pixels, Patience),
    ) -> Result<Vec<String>> {
        let mut read = |parts: &[Window]| {
            about_to_read(&self.name);
            let read = || self.read_pixels(place, bands.clone(), parts, pixels);
            checked_with_warnings("read", read).map(|((), warnings)| warnings)
        };
        let warnings = match patience.once(&self.name, || read(&self.parts(place, unit))) {
            Some(read) => read,
            // Piece by piece: what the server gave of the others stays.
            None => squares(place, unit)
                .map(|square| patience.with(&self.name, || read(&[square])))
                .try_fold(Vec::new(), |all, more| Ok([all, more?].concat())),
        };
        warnings.with_context(|| self.name.to_string())
    }

    fn read_pixels(
        &self,
        place: Window,
        bands: Range<usize>,
        parts: &[Window],
        pixels: &mut Pixels,
    ) -> Result<()> {
        let own_bands = bands.start.min(self.bands.len())..bands.end.min(self.bands.len());
        let count = place.pixels();
        pixels.values.resize(bands.len() * count);
        pixels.masked = self.beside_nodata != BesideNodata::Nothing;
        if pixels.masked {
            pixels.mask.resize(count, 0);
        }
        for &part in parts {
            let to = Destination {
                size: place.size(),
                column: part.column - place.column,
                row: part.row - place.row,
                band: 0,
            };
            let from = self.in_dataset(part)?;
            for (index, bands) in self.bands[own_bands.clone()].chunks(self.at_once).enumerate() {
                let to = Destination { band: index * self.at_once, ..to };
                calls::read(self.laid.dataset(), from, bands, &mut pixels.values, to)?;
            }
            match self.beside_nodata {
                BesideNodata::Nothing => {}
                BesideNodata::Mask => calls::read_mask(self.laid.dataset(), from, &mut pixels.mask, to)?,
                BesideNodata::Alpha(band) | BesideNodata::AddedAlpha(band) => {
                    self.read_alpha(from, number(band), &mut pixels.mask, to)?;
                }
            }
        }
        if let Some(opaque) = self.opaque.filter(|_| bands.end > self.bands.len()) {
            pixels.fill_opaque(opaque, &self.nodata[own_bands], count);
        }
        Ok(())
    }

    /// What is read in one call. Resampled pixels are made in parts that do not depend on the window asked for, since
    /// GDAL may round differently at the edges of what it is asked for.
    fn parts(&self, place: Window, unit: usize) -> Vec<Window> {
        if !self.laid.is_made() && !self.is_virtual {
            return vec![place];
        }
        squares(place, unit).collect()
    }

    fn in_dataset(&self, window: Window) -> Result<Window> {
        let shift = |position: usize, offset: i64| usize::try_from(position as i64 - offset);
        match (shift(window.column, self.laid.origin.0), shift(window.row, self.laid.origin.1)) {
            (Ok(column), Ok(row)) => Ok(Window::new(column, row, window.columns, window.rows)),
            _ => bail!("{window} begins before the source"),
        }
    }

    fn read_alpha(&self, from: Window, band: c_int, mask: &mut [u8], to: Destination) -> Result<()> {
        // Alpha of 16 bits must not be cut to zero: read wide, then told apart from transparent.
        let mut alpha = Buffer::zeros(PixelType::UInt16, from.pixels());
        let whole = Destination { size: from.size(), column: 0, row: 0, band: 0 };
        calls::read(self.laid.dataset(), from, &[band], &mut alpha, whole)?;
        for (row, line) in alpha.pixels::<u16>().chunks_exact(from.columns).enumerate() {
            let start = (to.row + row) * to.size.columns + to.column;
            for (mask, &alpha) in mask[start..start + from.columns].iter_mut().zip(line) {
                *mask = u8::from(alpha != 0);
            }
        }
        Ok(())
    }
}

/// Several bands of a VRT at once, in another type than theirs, may come with values that their type does not hold: in
/// one call GDAL resamples past the type of the VRT's bands (negative numbers of UInt16, in 3.6).
fn bands_at_once(source: &Source, working_type: PixelType) -> usize {
    let converts = source.bands.iter().any(|band| band.pixel_type != working_type);
    if source.is_virtual && converts { 1 } else { source.bands.len().max(1) }
}

/// A window cut along the edges of squares of `unit` pixels.
fn squares(place: Window, unit: usize) -> impl Iterator<Item = Window> {
    let edges = move |start: usize, end: usize| {
        let first = start / unit;
        (first..end.div_ceil(unit)).map(move |i| (start.max(i * unit), end.min((i + 1) * unit)))
    };
    edges(place.row, place.end_row()).flat_map(move |(top, bottom)| {
        edges(place.column, place.end_column())
            .map(move |(left, right)| Window::new(left, top, right - left, bottom - top))
    })
}

/// GDAL's number (from 1) of the band with this index.
fn number(band: usize) -> c_int {
    band as c_int + 1
}

/// The file may have been replaced since it was inspected.
fn check_unchanged(dataset: &Dataset, source: &Source) -> Result<()> {
    let (columns, rows) = dataset.raster_size();
    if Size::new(columns, rows) != source.size || dataset.raster_count() != source.bands.len() {
        bail!(
            "it was {} with {} bands when it was inspected and is {columns}x{rows} with {} now",
            source.size,
            source.bands.len(),
            dataset.raster_count()
        );
    }
    Ok(())
}
