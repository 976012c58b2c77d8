//! A second opinion on the mosaic's pixels: slow, obvious, and made without the code that wrote them.
//!
//! Every source is read through GDAL's own VRT or warp (a VRT on the mosaic's grid as it is), whatever way the job read
//! it, and each pixel is decided by looking at the list of its values.

use anyhow::{Context, Result, bail};
use gdal::Dataset;
use gdal::raster::{GdalType, RasterBand};

use super::open::open;
use super::place::{self, BesideNodata, Frame, Validity};
use super::trap::checked;
use super::{Mosaic, PlacedSource, Placement};
use crate::geometry::Window;
use crate::pixels::{BandRule, Method, Number, PixelType};

/// A pixel's value, exactly.
#[derive(Debug, Clone, Copy)]
enum Value {
    Whole(i128),
    Float(f64),
}

impl Value {
    fn to_f64(self) -> f64 {
        match self {
            Value::Whole(value) => value as f64,
            Value::Float(value) => value,
        }
    }

    fn is_nan(self) -> bool {
        self.to_f64().is_nan()
    }

    fn same(self, other: Value) -> bool {
        match (self, other) {
            (Value::Whole(a), Value::Whole(b)) => a == b,
            (a, b) => a.to_f64() == b.to_f64() || (a.is_nan() && b.is_nan()),
        }
    }

    fn less(self, other: Value) -> bool {
        match (self, other) {
            (Value::Whole(a), Value::Whole(b)) => a < b,
            (a, b) => a.to_f64() < b.to_f64(),
        }
    }

    /// As a pixel of this type: rounded half to even, clamped.
    fn held_by(self, pixel_type: PixelType) -> Value {
        let (low, high): (i128, i128) = match pixel_type {
            PixelType::Byte => (0, 255),
            PixelType::Int8 => (-128, 127),
            PixelType::UInt16 => (0, 65_535),
            PixelType::Int16 => (-32_768, 32_767),
            PixelType::UInt32 => (0, u32::MAX.into()),
            PixelType::Int32 => (i32::MIN.into(), i32::MAX.into()),
            PixelType::UInt64 => (0, u64::MAX.into()),
            PixelType::Int64 => (i64::MIN.into(), i64::MAX.into()),
            PixelType::Float32 => return Value::Float(f64::from(self.to_f64() as f32)),
            PixelType::Float64 => return Value::Float(self.to_f64()),
        };
        match self {
            Value::Whole(value) => Value::Whole(value.clamp(low, high)),
            Value::Float(value) => Value::Whole((value.round_ties_even() as i128).clamp(low, high)),
        }
    }
}

/// Bytes that one value of one source takes while a window is decided, with what is made on the way.
pub const BYTES_PER_VALUE: usize = 2 * size_of::<Option<Value>>();

/// One source's part in a window: for each band its values, `None` where it has no data.
type Stack = Vec<Vec<Option<Value>>>;

/// The first difference between what a file holds in a window and what it should hold; `None` when there is none.
///
/// `touching` are the indices of the sources that touch the window, in compositing order. What is resampled is read
/// in squares of side `unit`, as the job reads it.
///
/// # Errors
/// When the file or a source cannot be read.
pub fn first_difference(
    mosaic: &Mosaic,
    file: &str,
    window: Window,
    touching: &[usize],
    unit: usize,
) -> Result<Option<String>> {
    checked("verify", || {
        let stacks = touching
            .iter()
            .map(|&index| {
                let source = &mosaic.sources[index];
                read_source(mosaic, source, window, unit).with_context(|| source.source.name.to_string())
            })
            .collect::<Result<Vec<_>>>()?;
        let written = open(file)?;
        let mut valid = vec![false; window.pixels()];
        for (index, band) in mosaic.bands.iter().enumerate() {
            let found = read_values(&written.rasterband(index + 1)?, window, mosaic.pixel_type)?;
            for (pixel, &found) in found.iter().enumerate() {
                let values = stacks.iter().filter_map(|stack| stack[index][pixel]);
                let decided = decide(band.rule, values.collect(), mosaic.pixel_type);
                valid[pixel] |= decided.is_some();
                let expected = decided.unwrap_or_else(|| of_number(band.background, mosaic.pixel_type));
                if !expected.same(found) {
                    let place = place_text(window, pixel);
                    return Ok(Some(format!(
                        "band {} at {place}: {found:?} instead of {expected:?}",
                        index + 1
                    )));
                }
            }
        }
        if !mosaic.mask {
            return Ok(None);
        }
        let mask = read_mask(&written, window)?;
        let differs = |pixel: &usize| mask[*pixel] != valid[*pixel];
        let wrong = (0..window.pixels()).find(differs);
        Ok(wrong.map(|pixel| format!("mask at {}: {}", place_text(window, pixel), mask[pixel])))
    })
}

fn place_text(window: Window, pixel: usize) -> String {
    format!("column {}, row {}", window.column + pixel % window.columns, window.row + pixel / window.columns)
}

fn of_number(number: Number, pixel_type: PixelType) -> Value {
    match number {
        Number::Whole(value) => Value::Whole(value).held_by(pixel_type),
        Number::Float(value) => Value::Float(value).held_by(pixel_type),
    }
}

/// One pixel, decided by looking at all its values (for `first` and `last` the top one comes first).
fn decide(rule: BandRule, values: Vec<Value>, pixel_type: PixelType) -> Option<Value> {
    let method = match rule {
        BandRule::Method(method) => method,
        BandRule::Alpha(Method::First | Method::Last) => Method::First,
        BandRule::Alpha(_) => Method::Max,
    };
    if matches!(method, Method::First | Method::Last) {
        let top = *values.first()?;
        return (!top.is_nan() || pixel_type.is_float()).then(|| top.held_by(pixel_type));
    }
    let values: Vec<Value> = values.into_iter().filter(|value| !value.is_nan()).collect();
    let count = values.len() as i128;
    let whole = |value: &Value| if let Value::Whole(value) = value { Some(*value) } else { None };
    let whole_sum = values.iter().map(whole).sum::<Option<i128>>();
    let float_sum = values.iter().map(|value| value.to_f64()).sum::<f64>();
    let first = *values.first()?;
    let decided = match method {
        Method::Min => values.iter().copied().fold(first, |a, b| if b.less(a) { b } else { a }),
        Method::Max => values.iter().copied().fold(first, |a, b| if a.less(b) { b } else { a }),
        Method::Count => Value::Whole(count),
        Method::Sum => whole_sum.map_or(Value::Float(float_sum), Value::Whole),
        _ => match whole_sum {
            Some(sum) if !pixel_type.is_float() => Value::Whole(half_to_even(sum, count)),
            Some(sum) => Value::Float(sum as f64 / count as f64),
            None => Value::Float(float_sum / count as f64),
        },
    };
    Some(decided.held_by(pixel_type))
}

fn half_to_even(sum: i128, count: i128) -> i128 {
    let below = sum.div_euclid(count);
    match (2 * sum.rem_euclid(count)).cmp(&count) {
        std::cmp::Ordering::Less => below,
        std::cmp::Ordering::Greater => below + 1,
        std::cmp::Ordering::Equal => below + below.rem_euclid(2),
    }
}

/// Reads one source on the mosaic's grid.
fn read_source(mosaic: &Mosaic, placed: &PlacedSource, window: Window, unit: usize) -> Result<Stack> {
    let source = &placed.source;
    let base = open(&source.name)?;
    let frame = Frame { grid: &mosaic.grid, wkt: &mosaic.wkt, resampling: placed.resampling };
    // A VRT on the mosaic's grid is read as it is: one around it would have it resample in other types.
    let placement = match placed.placement {
        Placement::OnGrid { .. } if !source.is_virtual => Placement::Resampled,
        other => other,
    };
    let mut validity = Validity::of(source, mosaic.nodata_read(placed), placement, placed.resampling);
    if placement != placed.placement && !place::hides_nodata(source, placed.resampling) {
        // Blocks that the file does not hold read as nodata in all bands, in a VRT only where it is told.
        validity.told_nodata = mosaic.nodata_read(placed);
    }
    let (dataset, origin) = match placement {
        Placement::OnGrid { column, row } => (None, (column, row)),
        Placement::Resampled => (Some(place::vrt(&base, &frame, &validity)?), (0, 0)),
        Placement::Warped => (Some(place::warped_vrt(&base, source, &frame, &validity)?), (0, 0)),
    };
    let dataset = dataset.as_ref().unwrap_or(&base);
    let pieces = match placed.window {
        Some(touched) if placement == placed.placement => pieces(window, touched, unit),
        Some(touched) => touched.intersection(window).into_iter().collect(),
        None => Vec::new(),
    };
    let read = |band: &RasterBand, pixel_type| read_pieces(band, origin, window, &pieces, pixel_type);
    let is_set = |values: Vec<Value>| values.iter().map(|value| value.to_f64() != 0.0).collect();
    let mut covered: Vec<bool> = match validity.beside {
        BesideNodata::Alpha(band) | BesideNodata::AddedAlpha(band) => {
            is_set(read(&dataset.rasterband(band + 1)?, PixelType::Float64)?)
        }
        BesideNodata::Mask => is_set(read(&dataset.rasterband(1)?.open_mask_band()?, PixelType::Byte)?),
        BesideNodata::Nothing => vec![true; window.pixels()],
    };
    for (pixel, covered) in covered.iter_mut().enumerate() {
        let (column, row) = (window.column + pixel % window.columns, window.row + pixel / window.columns);
        *covered &= pieces.iter().any(|piece| piece.intersection(Window::new(column, row, 1, 1)).is_some());
    }
    let mut stack = Vec::new();
    for (&band, nodata) in placed.bands.iter().zip(placed.nodata.iter()) {
        let values = read(&dataset.rasterband(band + 1)?, mosaic.working_type)?;
        let nodata = nodata.map(|nodata| of_number(nodata, mosaic.working_type));
        let has_data = |(value, &covered): (Value, &bool)| {
            (covered && !nodata.is_some_and(|nodata| nodata.same(value))).then_some(value)
        };
        stack.push(values.into_iter().zip(&covered).map(has_data).collect::<Vec<_>>());
    }
    if let (Some(opaque), None) = (mosaic.opaque, source.alpha) {
        let any = |pixel: usize| stack.iter().any(|band: &Vec<Option<Value>>| band[pixel].is_some());
        let opaque = of_number(opaque, mosaic.working_type);
        stack.push((0..window.pixels()).map(|pixel| any(pixel).then_some(opaque)).collect());
    }
    Ok(stack)
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
    let mut values = vec![of_number(Number::Whole(0), pixel_type); window.pixels()];
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
fn read_values(band: &RasterBand, window: Window, pixel_type: PixelType) -> Result<Vec<Value>> {
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

fn read_mask(dataset: &Dataset, window: Window) -> Result<Vec<bool>> {
    let band = dataset.rasterband(1)?;
    let mask = band.open_mask_band()?;
    let values = read_values(&mask, window, PixelType::Byte)?;
    Ok(values.iter().map(|value| value.to_f64() != 0.0).collect())
}
