//! From one level of a raster to the next smaller one, as GDAL makes overviews.
//!
//! - `nearest` takes the pixel at the rounded position, valid or not.
//! - `average` weighs the valid pixels below by their part below; whole types round half away from zero. A mean that
//!   happens to be the nodata value becomes its neighbour, so that it stays valid.
//! - `bilinear` and `cubic` weigh the valid pixels under a kernel, which reaches one or two pixels of the smaller level
//!   to each side; [`convolution`] says how, and when a pixel has too few valid ones below.
//! - `mode` takes the most frequent of the valid pixels below, among equals the one that was first so often (row by
//!   row); pixels count in whole.
//!
//! Where GDAL differs, README.md tells: "Known differences from GDAL".

mod average;
mod axis;
mod convolution;
mod mode;
mod plane;
#[cfg(test)]
mod tests;

pub use axis::Axis;
use convolution::Kernel;
use plane::{Plane, Valid};

use std::fmt;
use std::str::FromStr;

use super::{Buffer, Number, Pixel, PixelType, named_values};
use crate::dispatch_pixel_type;
use crate::geometry::{Size, Window};

named_values! {
    /// How a pixel of an overview is made of those below.
    OverviewResampling, "overview resampling" {
        /// The nearest pixel.
        Nearest => "nearest",
        /// The mean of the pixels below.
        Average => "average",
        /// Weighted by their distance, up to one pixel of the overview away.
        Bilinear => "bilinear",
        /// Cubic convolution, up to two pixels of the overview away.
        Cubic => "cubic",
        /// The most frequent of the pixels below.
        Mode => "mode",
    }
}

impl OverviewResampling {
    /// Whether pixels come to be numbers between those below, which colours of a palette do not have.
    pub const fn weighs(self) -> bool {
        matches!(self, Self::Average | Self::Bilinear | Self::Cubic)
    }

    /// How far pixels are taken from a pixel's middle, in pixels of the overview; zero where only those are that lie
    /// below it.
    pub fn kernel_radius(self) -> usize {
        Kernel::of(self).map_or(0, |kernel| kernel.radius)
    }
}

/// What says which pixels of a band are valid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Validity {
    /// All are.
    All,
    /// All but those of this value.
    Nodata(Number),
    /// Those where the mask is not zero.
    Mask,
    /// Those where this band, one of the same area, is not zero.
    Alpha(usize),
}

/// A part of a level: pixels (bands × rows × columns of `window`), and where the level has a mask its values
/// (rows × columns).
#[derive(Debug, Clone, Copy)]
pub struct Area<'a> {
    /// Where it lies in its level.
    pub window: Window,
    /// The pixels.
    pub pixels: &'a Buffer,
    /// The mask, zero where nothing is valid.
    pub mask: Option<&'a [u8]>,
}

/// A part of a level that is being made.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    /// Where it lies in its level.
    pub window: Window,
    /// The pixels: bands × rows × columns of `window`.
    pub pixels: Buffer,
    /// The mask, where the raster has one: rows × columns.
    pub mask: Option<Vec<u8>>,
}

impl Tile {
    /// A tile of which nothing is valid: each band has its `fill` everywhere.
    pub fn empty(pixel_type: PixelType, fill: &[Number], masked: bool, window: Window) -> Tile {
        let mut pixels = Buffer::zeros(pixel_type, fill.len() * window.pixels());
        dispatch_pixel_type!(pixel_type, T => {
            let bands = pixels.pixels_mut::<T>().chunks_exact_mut(window.pixels());
            for (band, fill) in bands.zip(fill) {
                let fill = fill.to_pixel().unwrap_or(T::from_i128(0));
                // Zeros are there already, in memory that need not be touched yet.
                if bytemuck::bytes_of(&fill).iter().any(|&byte| byte != 0) {
                    band.fill(fill);
                }
            }
        });
        Tile { window, pixels, mask: masked.then(|| vec![0; window.pixels()]) }
    }

    /// The tile as a part to be made smaller.
    pub fn area(&self) -> Area<'_> {
        Area { window: self.window, pixels: &self.pixels, mask: self.mask.as_deref() }
    }

    /// Copies what an area and this tile have in common.
    pub fn copy_from(&mut self, area: &Area) {
        let Some(common) = self.window.intersection(area.window) else { return };
        let width = self.pixels.pixel_type().bytes();
        let bands = self.pixels.len() / self.window.pixels();
        let (to, from) = (self.pixels.bytes_mut(), area.pixels.bytes());
        for (band, row) in
            (0..bands).flat_map(|band| (0..common.rows).map(move |row| (band, common.row + row)))
        {
            let target = (band * self.window.pixels() + place(self.window, row, common.column)) * width;
            let source = (band * area.window.pixels() + place(area.window, row, common.column)) * width;
            let length = common.columns * width;
            to[target..target + length].copy_from_slice(&from[source..source + length]);
        }
        let (Some(to), Some(from)) = (&mut self.mask, area.mask) else { return };
        for row in common.row..common.end_row() {
            let target = place(self.window, row, common.column);
            let source = place(area.window, row, common.column);
            to[target..target + common.columns].copy_from_slice(&from[source..source + common.columns]);
        }
    }
}

/// The index of a pixel of a level within a window of it.
fn place(window: Window, row: usize, column: usize) -> usize {
    (row - window.row) * window.columns + column - window.column
}

/// How a level is made of the next larger one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Downsample {
    /// From left to right.
    pub columns: Axis,
    /// From top to bottom.
    pub rows: Axis,
    /// How a pixel is made of those below.
    pub resampling: OverviewResampling,
}

impl Downsample {
    /// From a level of size `source` to one of size `target`.
    pub fn new(source: Size, target: Size, resampling: OverviewResampling) -> Downsample {
        Downsample {
            columns: Axis { source: source.columns, target: target.columns, resampling },
            rows: Axis { source: source.rows, target: target.rows, resampling },
            resampling,
        }
    }

    /// The part of the larger level that a part of the smaller one is made of.
    pub fn below(&self, target: Window) -> Window {
        let columns = self.columns.below(target.column..target.end_column());
        let rows = self.rows.below(target.row..target.end_row());
        Window::new(columns.start, rows.start, columns.len(), rows.len())
    }

    /// Makes the pixels of `target`, a part of the tile, of an area that holds all that lies below. `validity` has
    /// one entry a band.
    ///
    /// # Panics
    /// When the area lacks a pixel below.
    pub fn fill(&self, area: &Area, validity: &[Validity], target: Window, tile: &mut Tile) {
        let below = self.below(target);
        assert_eq!(below.intersection(area.window), Some(below), "pixels below are missing");
        dispatch_pixel_type!(tile.pixels.pixel_type(), T => {
            for (band, &validity) in validity.iter().enumerate() {
                let source = Plane::<T>::of(area, band, validity);
                let count = tile.window.pixels();
                let pixels = &mut tile.pixels.pixels_mut::<T>()[band * count..][..count];
                self.fill_plane(&source, target, (tile.window, pixels));
            }
        });
        if let (Some(values), Some(mask)) = (area.mask, &mut tile.mask) {
            // A mask is made as if its zeros were nodata: a mean of valid pixels is valid.
            let validity = if self.resampling.weighs() { Valid::Where(values) } else { Valid::All };
            let source = Plane { window: area.window, pixels: values, valid: validity, nodata: None };
            self.fill_plane(&source, target, (tile.window, mask));
        }
    }

    fn fill_plane<T: Pixel>(&self, source: &Plane<T>, target: Window, (window, pixels): (Window, &mut [T])) {
        if let Some(kernel) = Kernel::of(self.resampling) {
            let mut rows = (target.row..target.end_row()).map(|row| (row, place(window, row, target.column)));
            let columns = target.column..target.end_column();
            return convolution::fill(
                source,
                kernel,
                (self.columns, columns),
                (self.rows, &mut rows),
                pixels,
            );
        }
        let columns: Vec<_> =
            (target.column..target.end_column()).map(|column| self.columns.taps(column)).collect();
        let mut rows = (target.row..target.end_row()).map(|row| {
            let start = place(window, row, target.column);
            (self.rows.taps(row), start..start + target.columns)
        });
        match self.resampling {
            OverviewResampling::Nearest => rows.for_each(|(row, span)| {
                let all = columns[0].start..columns[columns.len() - 1].end;
                let source = source.row(row.start, all.clone());
                let left = columns.iter().map(|taps| source[taps.start - all.start]);
                pixels[span].iter_mut().zip(left).for_each(|(pixel, value)| *pixel = value);
            }),
            OverviewResampling::Average => average::fill(source, &columns, &mut rows, pixels),
            OverviewResampling::Mode => mode::fill(source, &columns, &mut rows, pixels),
            OverviewResampling::Bilinear | OverviewResampling::Cubic => unreachable!("they have a kernel"),
        }
    }
}
