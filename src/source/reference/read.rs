//! Sources' pixels on the mosaic's grid, always through GDAL's own VRT or warp.

use anyhow::{Result, bail};
use gdal::Dataset;
use gdal::raster::{GdalType, RasterBand};

use super::value::Value;
use crate::geometry::Window;
use crate::pixels::{Number, PixelType};
use crate::source::open::open;
use crate::source::place::{self, BesideNodata, Frame, Laid, Validity};
use crate::source::watch::about_to_read;
use crate::source::{Mosaic, PlacedSource, Placement};

/// A source's pixels in a window.
pub(super) struct Part {
    /// Rows × columns: where the source lies and neither its mask nor its transparency hides it.
    pub covered: Vec<bool>,
    /// The values of each band that is read, nodata as it stands there.
    pub bands: Vec<Vec<Value>>,
}

/// A source on the mosaic's grid.
pub(super) struct OpenSource<'a> {
    placed: &'a PlacedSource,
    pixel_type: PixelType,
    unit: usize,
    /// GDAL's own VRT or warp, where the source is not read as it is.
    laid: Laid,
    validity: Validity,
    /// Whether the job places it the same way.
    as_the_job: bool,
}

impl<'a> OpenSource<'a> {
    /// Opens it to read pixels of this type; what is resampled in squares of side `unit`.
    pub fn open(
        mosaic: &Mosaic,
        placed: &'a PlacedSource,
        pixel_type: PixelType,
        unit: usize,
    ) -> Result<OpenSource<'a>> {
        let source = &placed.source;
        about_to_read(&source.name);
        let base = open(&source.name)?;
        let frame = Frame { grid: &mosaic.grid, wkt: &mosaic.wkt, resampling: placed.resampling };
        // A VRT on the mosaic's grid is read as it is: one around it would have it resample in other types. So is
        // whatever is read as whole numbers of 64 bits: a VRT that hears of nodata or a mask would compute them in
        // floating point.
        let as_it_is = source.is_virtual || matches!(pixel_type, PixelType::Int64 | PixelType::UInt64);
        let placement = match placed.placement {
            Placement::OnGrid { .. } if !as_it_is => Placement::Resampled,
            Placement::Enlarged { .. } => Placement::Resampled,
            other => other,
        };
        let as_the_job = placement == placed.placement;
        let mut validity =
            Validity::of(source, mosaic.nodata_read(placed), placement, (placed.resampling, pixel_type));
        if !as_the_job && !place::hides_nodata(source, placed.resampling, pixel_type) {
            // Blocks that the file does not hold read as nodata in all bands, in a VRT only where it is told.
            validity.told_nodata = mosaic.nodata_read(placed);
        }
        let laid = Laid::new(base, placed, (&frame, placement), &validity)?;
        Ok(OpenSource { placed, pixel_type, unit, laid, validity, as_the_job })
    }

    /// Its pixels in a window of the mosaic.
    pub fn read(&self, window: Window) -> Result<Part> {
        let dataset = self.laid.dataset();
        let pieces = match self.placed.window {
            Some(touched) if self.as_the_job => pieces(window, touched, self.unit),
            Some(touched) => touched.intersection(window).into_iter().collect(),
            None => Vec::new(),
        };
        let read =
            |band: &RasterBand, pixel_type| read_pieces(band, self.laid.origin, window, &pieces, pixel_type);
        let is_set = |values: Vec<Value>| values.iter().map(|value| value.to_f64() != 0.0).collect();
        let mut covered: Vec<bool> = match self.validity.beside {
            BesideNodata::Alpha(band) | BesideNodata::AddedAlpha(band) => {
                is_set(read(&dataset.rasterband(band + 1)?, PixelType::Float64)?)
            }
            BesideNodata::Mask => is_set(read(&dataset.rasterband(1)?.open_mask_band()?, PixelType::Byte)?),
            BesideNodata::Nothing => vec![true; window.pixels()],
        };
        for (pixel, covered) in covered.iter_mut().enumerate() {
            let (column, row) = (window.column + pixel % window.columns, window.row + pixel / window.columns);
            *covered &=
                pieces.iter().any(|piece| piece.intersection(Window::new(column, row, 1, 1)).is_some());
        }
        let bands = self.placed.bands.iter();
        let bands = bands.map(|&band| read(&dataset.rasterband(band + 1)?, self.pixel_type));
        Ok(Part { bands: bands.collect::<Result<_>>()?, covered })
    }
}

/// The squares of side `unit` that `window` touches, as far as the source touches them. Some of GDAL's resamplings
/// (average, in 3.6) give other pixels when other windows are read.
fn pieces(window: Window, touched: Window, unit: usize) -> Vec<Window> {
    let starts = |from: usize, to: usize| (from / unit * unit..to).step_by(unit);
    let columns = || starts(window.column, window.end_column());
    let squares = starts(window.row, window.end_row())
        .flat_map(|row| columns().map(move |column| Window::new(column, row, unit, unit)));
    let parts = squares.filter_map(|square| square.intersection(touched));
    parts.filter(|part| part.intersection(window).is_some()).collect()
}

/// The values of `window`, read piece by piece from a raster whose first pixel has the column and row `origin` in the
/// mosaic; zero where no piece lies.
fn read_pieces(
    band: &RasterBand,
    origin: (i64, i64),
    window: Window,
    pieces: &[Window],
    pixel_type: PixelType,
) -> Result<Vec<Value>> {
    let mut values = vec![Value::of(Number::Whole(0), pixel_type); window.pixels()];
    for piece in pieces {
        let inside = |position: usize, origin: i64| usize::try_from(position as i64 - origin);
        let (column, row) = (inside(piece.column, origin.0)?, inside(piece.row, origin.1)?);
        let read = read_values(band, Window::new(column, row, piece.columns, piece.rows), pixel_type)?;
        let Some(common) = piece.intersection(window) else { continue };
        for row in common.row..common.end_row() {
            let to = (row - window.row) * window.columns + common.column - window.column;
            let from = (row - piece.row) * piece.columns + common.column - piece.column;
            values[to..][..common.columns].copy_from_slice(&read[from..][..common.columns]);
        }
    }
    Ok(values)
}

/// Reads in the pixel type asked for: a VRT that resamples hands fractions to whoever asks for floats.
pub(super) fn read_values(band: &RasterBand, window: Window, pixel_type: PixelType) -> Result<Vec<Value>> {
    match pixel_type {
        PixelType::Byte => read_as(band, window, |value: u8| Value::Whole(value.into())),
        // Not every GDAL knows 8 bits with a sign.
        PixelType::Int8 | PixelType::Int16 => read_as(band, window, |value: i16| Value::Whole(value.into())),
        PixelType::UInt16 => read_as(band, window, |value: u16| Value::Whole(value.into())),
        PixelType::UInt32 => read_as(band, window, |value: u32| Value::Whole(value.into())),
        PixelType::Int32 => read_as(band, window, |value: i32| Value::Whole(value.into())),
        PixelType::UInt64 => read_as(band, window, |value: u64| Value::Whole(value.into())),
        PixelType::Int64 => read_as(band, window, |value: i64| Value::Whole(value.into())),
        PixelType::Float32 => read_as(band, window, |value: f32| Value::Float(value.into())),
        PixelType::Float64 => read_as(band, window, Value::Float),
    }
}

fn read_as<T: Copy + GdalType>(
    band: &RasterBand,
    window: Window,
    value: impl Fn(T) -> Value,
) -> Result<Vec<Value>> {
    let (from, size) = ((window.column as isize, window.row as isize), (window.columns, window.rows));
    let read = band.read_as::<T>(from, size, size, None)?;
    if read.data().len() != window.pixels() {
        bail!("GDAL read {} pixels of {window}", read.data().len());
    }
    Ok(read.data().iter().map(|&pixel| value(pixel)).collect())
}

pub(super) fn read_mask(dataset: &Dataset, window: Window) -> Result<Vec<bool>> {
    let band = dataset.rasterband(1)?;
    let mask = band.open_mask_band()?;
    let values = read_values(&mask, window, PixelType::Byte)?;
    Ok(values.iter().map(|value| value.to_f64() != 0.0).collect())
}
