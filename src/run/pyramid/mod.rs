//! Overviews made while windows are in memory: a pyramid of levels, each made of the next larger one.
//!
//! A level is cut into tiles, which are blocks of its file. What lies below a tile arrives in parts: windows below the
//! first level, tiles below the others. Pixels that lie inside a part are made as it arrives; those across the seams of
//! parts are made at the end, from strips of pixels kept for them. The worker whose part is a tile's last one encodes
//! the tile and hands it on as a part of the next level. What comes out does not depend on the order of the parts.

mod building;
mod encode;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;

pub use encode::TileEncoder;

use crate::geometry::{Size, Window};
use crate::pixels::{Area, BandRule, Downsample, Number, OverviewResampling, PixelType, Tile, Validity};
use crate::plan::Jobs;
use crate::source::Mosaic;
use building::Building;

/// All levels of a mosaic that is being made.
pub struct Pyramid {
    pixel_type: PixelType,
    bands: Vec<Band>,
    masked: bool,
    levels: Vec<Level>,
}

/// What the making of levels needs to know of a band.
#[derive(Clone, Copy)]
struct Band {
    validity: Validity,
    fill: Number,
}

/// A finished tile of a level.
pub struct Finished {
    /// 1 for the largest overview.
    pub level: u8,
    /// The first of the bands that it holds.
    pub first_band: usize,
    /// Its place among the tiles of its level, in row-major order.
    pub index: usize,
    /// How many tiles its level has, in columns and rows.
    pub tiles: Size,
    /// Its pixels.
    pub tile: Tile,
}

struct Level {
    /// Its size in tiles.
    tiles: Size,
    /// Side of a tile.
    side: usize,
    /// Its size in pixels.
    size: Size,
    downsample: Downsample,
    /// Side of the parts below.
    part: usize,
    /// How many parts arrive below each tile.
    arrivals: Vec<u32>,
    begun: Mutex<Begun>,
}

/// Tiles in the making, by their first band and their index.
type Begun = HashMap<(usize, usize), Arc<Mutex<Building>>>;

impl Pyramid {
    /// The levels of `sizes` (the largest first) with tiles of side `block`, over the windows of `jobs`.
    pub fn new(
        mosaic: &Mosaic,
        jobs: &Jobs,
        sizes: &[Size],
        block: usize,
        resampling: OverviewResampling,
    ) -> Pyramid {
        let windows = (0..jobs.len()).map(|number| jobs.job(number).window);
        let mut levels: Vec<Level> = Vec::new();
        for &size in sizes {
            let level = match levels.last() {
                None => Level::new(
                    jobs.grid.size,
                    size,
                    block,
                    jobs.grid.window.columns,
                    windows.clone(),
                    resampling,
                ),
                Some(below) => Level::new(below.size, size, block, block, below.made(), resampling),
            };
            levels.push(level);
        }
        Pyramid {
            pixel_type: mosaic.pixel_type,
            bands: bands(mosaic, resampling),
            masked: mosaic.mask,
            levels,
        }
    }

    /// Whether bands depend on each other, so that they must be added all at once.
    pub fn bands_together(mosaic: &Mosaic) -> bool {
        mosaic.mask || mosaic.bands.iter().any(|band| matches!(band.rule, BandRule::Alpha(_)))
    }

    /// Adds a window of the mosaic, with its bands from `first_band` on. `finish` gets each tile that it completes,
    /// before the next level does.
    ///
    /// # Errors
    /// Those of `finish`.
    pub fn add(
        &self,
        first_band: usize,
        window: &Area,
        mut finish: impl FnMut(&Finished) -> Result<()>,
    ) -> Result<()> {
        let mut finished = self.add_part(0, first_band, window);
        while let Some(done) = finished.pop() {
            finish(&done)?;
            finished.extend(self.add_part(done.level.into(), first_band, &done.tile.area()));
        }
        Ok(())
    }

    /// Adds a part of a level (0: a window) to the next one.
    fn add_part(&self, below: usize, first_band: usize, part: &Area) -> Vec<Finished> {
        let Some(level) = self.levels.get(below) else { return Vec::new() };
        let count = part.pixels.len() / part.window.pixels();
        let bands = &self.bands[first_band..first_band + count];
        let validity: Vec<Validity> = bands.iter().map(|band| band.validity).collect();
        let fill: Vec<Number> = bands.iter().map(|band| band.fill).collect();
        let empty = |window: Window| Tile::empty(self.pixel_type, &fill, self.masked, window);
        let mut finished = Vec::new();
        for index in level.above(part.window) {
            let begun = || Building::new(level, index, &empty);
            let building = level
                .lock()
                .entry((first_band, index))
                .or_insert_with(|| Arc::new(Mutex::new(begun())))
                .clone();
            let mut building = building.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(tile) = building.add(level, part, &validity, &empty) {
                level.lock().remove(&(first_band, index));
                finished.push(Finished {
                    level: below as u8 + 1,
                    first_band,
                    index,
                    tiles: level.tiles,
                    tile,
                });
            }
        }
        finished
    }
}

/// How each band is made smaller: a mask outranks nodata, and nodata transparency, as in GDAL. Transparency itself has no
/// nodata, whatever the other bands have; its transparent pixels do not count in its mean, so that what is opaque stays
/// so.
fn bands(mosaic: &Mosaic, resampling: OverviewResampling) -> Vec<Band> {
    let alpha = mosaic.bands.iter().position(|band| matches!(band.rule, BandRule::Alpha(_)));
    let validity = |index: usize| match (mosaic.mask, mosaic.nodata, alpha) {
        (true, ..) => Validity::Mask,
        (.., Some(alpha)) if alpha == index && !resampling.weighs() => Validity::All,
        (_, Some(nodata), alpha) if alpha != Some(index) => Validity::Nodata(nodata),
        (.., Some(alpha)) => Validity::Alpha(alpha),
        _ => Validity::All,
    };
    let bands = mosaic.bands.iter().enumerate();
    bands.map(|(index, band)| Band { validity: validity(index), fill: band.background }).collect()
}

impl Level {
    fn new(
        below: Size,
        size: Size,
        side: usize,
        part: usize,
        parts: impl Iterator<Item = Window>,
        resampling: OverviewResampling,
    ) -> Level {
        let tiles = size.tiles(Size::square(side));
        let downsample = Downsample::new(below, size, resampling);
        let arrivals = vec![0; tiles.pixels()];
        let mut level = Level { tiles, side, size, downsample, part, arrivals, begun: Mutex::default() };
        for part in parts {
            for index in level.above(part) {
                level.arrivals[index] += 1;
            }
        }
        level
    }

    /// The windows of the tiles that will be made.
    fn made(&self) -> impl Iterator<Item = Window> {
        let made = self.arrivals.iter().enumerate().filter(|(_, arrivals)| **arrivals > 0);
        made.map(|(index, _)| self.window(index))
    }

    /// The window of a tile.
    fn window(&self, index: usize) -> Window {
        let (column, row) = (index % self.tiles.columns * self.side, index / self.tiles.columns * self.side);
        let whole = Window::whole(self.size);
        Window::new(column, row, self.side, self.side).intersection(whole).expect("tiles lie in their level")
    }

    /// The tiles that are made of any pixel of a part.
    fn above(&self, part: Window) -> impl Iterator<Item = usize> + use<> {
        let columns = self.downsample.columns.touching(part.column..part.end_column());
        let rows = self.downsample.rows.touching(part.row..part.end_row());
        let (side, across) = (self.side, self.tiles.columns);
        let tiles = move |pixels: std::ops::Range<usize>| match pixels.is_empty() {
            true => 0..0,
            false => pixels.start / side..pixels.end.div_ceil(side),
        };
        let columns = tiles(columns);
        tiles(rows).flat_map(move |row| columns.clone().map(move |column| row * across + column))
    }

    fn lock(&self) -> MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
