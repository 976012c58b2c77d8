//! The mosaic's one pixel grid, made from the footprints of its sources.
//!
//! Sizes are counted as `gdalbuildvrt` counts them: `floor(0.5 + extent / resolution)`.

#[cfg(test)]
mod tests;

use std::fmt;

use super::{Bounds, GeoTransform, Size, Window};

/// A pixel's size in the units of the CRS, both numbers above zero.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Resolution {
    /// From west to east.
    pub x: f64,
    /// From north to south.
    pub y: f64,
}

impl Resolution {
    /// Whether a raster of `size` drawn with one or the other ends within a tenth of a pixel of the same place.
    pub fn equals_over(self, other: Resolution, size: Size) -> bool {
        let drift = |a: f64, b: f64, pixels: usize| (a - b).abs() / a.min(b) * pixels as f64;
        drift(self.x, other.x, size.columns) < 0.1 && drift(self.y, other.y, size.rows) < 0.1
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.x == self.y { write!(out, "{}", self.x) } else { write!(out, "{},{}", self.x, self.y) }
    }
}

/// A north-up pixel grid: the mosaic's place in its CRS.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Grid {
    /// West edge.
    pub origin_x: f64,
    /// North edge.
    pub origin_y: f64,
    /// A pixel's size.
    pub resolution: Resolution,
    /// Columns and rows.
    pub size: Size,
}

/// More columns or rows a pixel than any product's bands have.
const MOST_TIMES: f64 = 64.0;

impl Grid {
    /// The grid's geotransform.
    pub fn geotransform(&self) -> GeoTransform {
        GeoTransform([self.origin_x, self.resolution.x, 0.0, self.origin_y, 0.0, -self.resolution.y])
    }

    /// The grid's bounds.
    pub fn bounds(&self) -> Bounds {
        self.geotransform().bounds(self.size)
    }

    /// The part of the grid that `window` covers, as a grid of its own.
    pub fn part(&self, window: Window) -> Grid {
        let (origin_x, origin_y) = self.geotransform().apply(window.column as f64, window.row as f64);
        Grid { origin_x, origin_y, resolution: self.resolution, size: window.size() }
    }

    /// The part of the grid that so many columns and rows cover from a pixel on, which may lie outside; `None` where all
    /// do.
    pub fn window_of(&self, (column, row): (i64, i64), size: Size) -> Option<Window> {
        let inside = |from: i64, length: usize, end: usize| {
            let to = from.saturating_add(length as i64).clamp(0, end as i64);
            let from = from.clamp(0, end as i64);
            (from < to).then_some((from as usize, (to - from) as usize))
        };
        let (column, columns) = inside(column, size.columns, self.size.columns)?;
        let (row, rows) = inside(row, size.rows, self.size.rows)?;
        Some(Window::new(column, row, columns, rows))
    }

    /// Column and row of a raster's upper-left pixel, when all its pixels coincide with this grid's.
    pub fn whole_pixel_offset(&self, geotransform: &GeoTransform, size: Size) -> Option<(i64, i64)> {
        const SLACK: f64 = 1e-3;
        if !geotransform.is_north_up() {
            return None;
        }
        let resolution = Resolution { x: geotransform.0[1], y: -geotransform.0[5] };
        let drift_x = (resolution.x - self.resolution.x).abs() / self.resolution.x * size.columns as f64;
        let drift_y = (resolution.y - self.resolution.y).abs() / self.resolution.y * size.rows as f64;
        let column = (geotransform.0[0] - self.origin_x) / self.resolution.x;
        let row = (self.origin_y - geotransform.0[3]) / self.resolution.y;
        let on_grid = drift_x < SLACK
            && drift_y < SLACK
            && (column - column.round()).abs() < SLACK
            && (row - row.round()).abs() < SLACK;
        on_grid.then(|| (column.round() as i64, row.round() as i64))
    }

    /// How many of this grid's columns and rows one pixel of a coarser raster covers, and the column and row of the
    /// upper-left of them, when the edges of all its pixels are edges of this grid's.
    pub fn whole_times(&self, geotransform: &GeoTransform, size: Size) -> Option<(Size, (i64, i64))> {
        let times = |length: f64, own: f64| (length.abs() / own).round().clamp(1.0, MOST_TIMES);
        let mut finer = *geotransform;
        let (x, y) = (times(finer.0[1], self.resolution.x), times(finer.0[5], self.resolution.y));
        finer.0[1] /= x;
        finer.0[5] /= y;
        let times = Size::new(x as usize, y as usize);
        let offset =
            self.whole_pixel_offset(&finer, Size::new(size.columns * times.columns, size.rows * times.rows))?;
        Some((times, offset))
    }
}

/// What one source says about the grid.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Footprint {
    /// Its box in the mosaic's CRS.
    pub bounds: Bounds,
    /// Its pixel size in the mosaic's CRS.
    pub resolution: Resolution,
    /// Its columns and rows in the mosaic's CRS.
    pub size: Size,
    /// Of a raster that is warped to degrees: what they repeat after. It lies so far to the east and to the west, too.
    pub full_turn: Option<f64>,
}

impl Footprint {
    /// The window of a grid that the raster touches, cut to the grid; `None` where it lies outside.
    pub fn touched_window(&self, grid: &Grid) -> Option<Window> {
        let Some(turn) = self.full_turn else { return self.bounds.touched_window(grid) };
        // A box around the whole earth, which GDAL proposes of what crosses the date line, is cut to whole pixels.
        let (first, last) = (self.bounds.min_x - self.resolution.x, self.bounds.max_x + self.resolution.x);
        let touched = [-turn, 0.0, turn].into_iter().filter_map(|east| {
            Bounds { min_x: first + east, max_x: last + east, ..self.bounds }.touched_window(grid)
        });
        touched.reduce(|a, b| {
            let column = a.column.min(b.column);
            let columns = a.end_column().max(b.end_column()) - column;
            Window { column, columns, ..a }
        })
    }
}

/// How the mosaic's resolution is decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ResolutionRule {
    /// All sources agree; anything else is an error.
    Same,
    /// The finest pixel of all sources.
    Highest,
    /// The coarsest pixel of all sources.
    Lowest,
    /// The mean of all sources.
    Average,
    /// The greatest resolution of which every source's is a whole multiple.
    Common,
    /// This one.
    Given(Resolution),
}

impl fmt::Display for ResolutionRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResolutionRule::Same => out.write_str("same"),
            ResolutionRule::Highest => out.write_str("highest"),
            ResolutionRule::Lowest => out.write_str("lowest"),
            ResolutionRule::Average => out.write_str("average"),
            ResolutionRule::Common => out.write_str("common"),
            ResolutionRule::Given(resolution) => resolution.fmt(out),
        }
    }
}

/// What is asked of the grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridRequest {
    /// How the resolution is decided.
    pub resolution: ResolutionRule,
    /// Bounds instead of the union of the sources'.
    pub bounds: Option<Bounds>,
    /// Whether the edges are moved outwards to multiples of the resolution.
    pub align: bool,
}

/// Why there is no grid.
#[derive(Debug, Clone, PartialEq)]
pub enum GridError {
    /// Two footprints (by index) have different pixel sizes and no rule was given.
    MixedResolution(usize, usize),
    /// No common resolution exists.
    NoCommonResolution,
    /// The grid would have this many columns and rows.
    TooLarge(f64, f64),
    /// There is not one pixel inside.
    Empty,
}

/// The grid of a mosaic of `footprints` (at least one).
///
/// # Errors
/// Mixed resolutions without a rule, no common resolution, or a size that GDAL cannot hold (2³¹ − 1).
pub fn unify(footprints: &[Footprint], request: &GridRequest) -> Result<Grid, GridError> {
    let resolution = choose_resolution(footprints, request.resolution)?;
    let all = footprints.iter().map(|f| f.bounds).reduce(Bounds::union).ok_or(GridError::Empty)?;
    let mut bounds = request.bounds.unwrap_or(all);
    if request.align {
        bounds = Bounds {
            min_x: (bounds.min_x / resolution.x).floor() * resolution.x,
            max_x: (bounds.max_x / resolution.x).ceil() * resolution.x,
            min_y: (bounds.min_y / resolution.y).floor() * resolution.y,
            max_y: (bounds.max_y / resolution.y).ceil() * resolution.y,
        };
    }
    let columns = (0.5 + (bounds.max_x - bounds.min_x) / resolution.x).floor();
    let rows = (0.5 + (bounds.max_y - bounds.min_y) / resolution.y).floor();
    if !(columns >= 1.0 && rows >= 1.0) {
        return Err(GridError::Empty);
    }
    if columns > i32::MAX as f64 || rows > i32::MAX as f64 {
        return Err(GridError::TooLarge(columns, rows));
    }
    let size = Size::new(columns as usize, rows as usize);
    Ok(Grid { origin_x: bounds.min_x, origin_y: bounds.max_y, resolution, size })
}

fn choose_resolution(footprints: &[Footprint], rule: ResolutionRule) -> Result<Resolution, GridError> {
    let resolutions = || footprints.iter().map(|f| f.resolution);
    let fold = |choose: fn(f64, f64) -> f64| {
        resolutions()
            .reduce(|a, b| Resolution { x: choose(a.x, b.x), y: choose(a.y, b.y) })
            .ok_or(GridError::Empty)
    };
    match rule {
        ResolutionRule::Given(resolution) => Ok(resolution),
        ResolutionRule::Highest => fold(f64::min),
        ResolutionRule::Lowest => fold(f64::max),
        ResolutionRule::Average => average(footprints),
        ResolutionRule::Common => {
            let x = resolutions().map(|r| r.x).try_fold(0.0, common_divisor);
            let y = resolutions().map(|r| r.y).try_fold(0.0, common_divisor);
            match (x, y) {
                (Some(x), Some(y)) if x > 0.0 && y > 0.0 => Ok(Resolution { x, y }),
                _ => Err(GridError::NoCommonResolution),
            }
        }
        ResolutionRule::Same => {
            let first = footprints.first().ok_or(GridError::Empty)?;
            let differs = |f: &Footprint| !first.resolution.equals_over(f.resolution, f.size);
            match footprints.iter().position(differs) {
                Some(other) => Err(GridError::MixedResolution(0, other)),
                None => average(footprints),
            }
        }
    }
}

/// The mean resolution; when all are the same number, that number to the last bit.
fn average(footprints: &[Footprint]) -> Result<Resolution, GridError> {
    let first = footprints.first().ok_or(GridError::Empty)?.resolution;
    let mut mean = first;
    for (index, footprint) in footprints.iter().enumerate().skip(1) {
        let count = (index + 1) as f64;
        mean.x += (footprint.resolution.x - mean.x) / count;
        mean.y += (footprint.resolution.y - mean.y) / count;
    }
    Ok(mean)
}

/// Euclid's greatest common divisor for numbers that carry rounding errors.
fn common_divisor(a: f64, b: f64) -> Option<f64> {
    const RELATIVE_SLACK: f64 = 1e-9;
    let (mut a, mut b) = (a.max(b), a.min(b));
    let slack = a * RELATIVE_SLACK;
    for _ in 0..64 {
        if b <= slack {
            return Some(a);
        }
        let rest = a - (a / b).round() * b;
        (a, b) = (b, rest.abs());
    }
    None
}
