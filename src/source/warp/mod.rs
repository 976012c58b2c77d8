//! How a source is warped: how far a kernel reaches in it, and how much of it GDAL takes at once.
//!
//! GDAL's warped VRT warps block by block, reads all that a block shows of the source at once, and estimates for each
//! block how much coarser it is than the source: by boxes around both, so that pixels of flat blocks are blurred where a
//! source is turned a little. Both are decided here instead, once a source.

mod vrt;

use std::collections::HashMap;
use std::sync::Arc;

use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};

use super::trap::checked;
use super::{PlacedSource, Placement, Source};
use crate::geometry::{Density, Grid, Size, Window};
use crate::pixels::Resampling;

pub(super) use vrt::warped_vrt;

/// How a source is warped.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Warp {
    /// The mosaic's pixels for each of the source's columns and for each of its rows, at most 1: so much wider kernels
    /// are. (For `average` and `mode` it says how far apart a pixel's corners may be: of blocks at a source's edge GDAL
    /// would estimate too little, and drop pixels.) Nothing where GDAL estimates it for each block, since it differs over
    /// the source, and for nearest pixels.
    pub scale: Option<(f64, f64)>,
    /// The mosaic's pixels that are warped at once.
    pub block: Size,
    /// Bytes that GDAL takes for what a block shows of the source.
    pub bytes: usize,
}

/// What a block shows of the source takes no more, if the block is larger than a pixel.
const MOST_BYTES: usize = 16 << 20;
/// By how much the scale may differ over a source and still be taken for one.
const ALIKE: f64 = 1.2;

/// The ways from the mosaic's CRS to those of its sources.
pub(super) struct Warps<'a> {
    grid: &'a Grid,
    wkt: &'a str,
    ways: HashMap<Arc<str>, Option<CoordTransform>>,
}

impl<'a> Warps<'a> {
    /// To a grid in this CRS.
    pub fn new(grid: &'a Grid, wkt: &'a str) -> Self {
        Self { grid, wkt, ways: HashMap::new() }
    }

    /// How a source is warped that touches the mosaic; nothing where it is not.
    pub fn of(&mut self, placed: &PlacedSource) -> Option<Warp> {
        let window = placed.window.filter(|_| placed.placement == Placement::Warped)?;
        let densities = self.densities(&placed.source, window);
        let scale = match placed.resampling {
            Resampling::Nearest => None,
            _ => scale(&densities),
        };
        let bytes = |block: Size| bytes(&placed.source, placed.resampling, &densities, block);
        let mut block = usual_block(self.grid.size);
        while bytes(block) > MOST_BYTES && block.pixels() > 1 {
            match block.columns > block.rows {
                true => block.columns = block.columns.div_ceil(2),
                false => block.rows = block.rows.div_ceil(2),
            }
        }
        Some(Warp { scale, block, bytes: bytes(block) })
    }

    /// The source's density at some places of a window of the mosaic.
    fn densities(&mut self, source: &Source, window: Window) -> Vec<Density> {
        const PLACES: [f64; 3] = [0.0, 0.5, 1.0];
        let wkt = self.wkt;
        let way = self.ways.entry(Arc::clone(&source.wkt)).or_insert_with(|| way(wkt, &source.wkt));
        let from_map = source.geotransform.inverse();
        let places = PLACES.iter().flat_map(|&y| PLACES.map(|x| (x, y)));
        let density = |(x, y): (f64, f64)| {
            let column = window.column as f64 + x * (window.columns - 1) as f64;
            let row = window.row as f64 + y * (window.rows - 1) as f64;
            let (mut xs, mut ys) = ([0.0; 3], [0.0; 3]);
            for (index, (right, down)) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)].into_iter().enumerate() {
                xs[index] = self.grid.origin_x + (column + right) * self.grid.resolution.x;
                ys[index] = self.grid.origin_y - (row + down) * self.grid.resolution.y;
            }
            if let Some(way) = way {
                checked("transform", || Ok(way.transform_coords(&mut xs, &mut ys, &mut [])?)).ok()?;
            }
            let places = [0, 1, 2].map(|index| from_map.map(|from_map| from_map.apply(xs[index], ys[index])));
            Density::of(places[0]?, places[1]?, places[2]?)
        };
        let found: Vec<Density> = places.filter_map(density).collect();
        if !found.is_empty() {
            return found;
        }
        // Where nothing is known, what GDAL would warp it to tells enough of its size.
        let (own, grid) = (source.footprint.resolution, self.grid.resolution);
        vec![Density { columns: [grid.x / own.x, 0.0], rows: [0.0, grid.y / own.y] }]
    }
}

/// The way from one CRS to another; nothing where they are the same or none is known.
fn way(from: &str, to: &str) -> Option<CoordTransform> {
    if from.is_empty() || to.is_empty() || super::same_crs(from, to) {
        return None;
    }
    let crs = |wkt: &str| {
        let mut crs = SpatialRef::from_wkt(wkt).ok()?;
        crs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        Some(crs)
    };
    CoordTransform::new(&crs(from)?, &crs(to)?).ok()
}

/// The block that GDAL gives a warped VRT of this size.
fn usual_block(size: Size) -> Size {
    Size::new(size.columns.min(512), size.rows.min(128))
}

/// The one scale of a source's columns and of its rows, if there is one.
fn scale(densities: &[Density]) -> Option<(f64, f64)> {
    let one = |across: &dyn Fn(&Density) -> f64| {
        let scales = densities.iter().map(|density| (1.0 / across(density)).min(1.0));
        let (least, most) =
            scales.fold((f64::INFINITY, 0.0), |(least, most), scale| (scale.min(least), scale.max(most)));
        (most > 0.0 && most <= ALIKE * least).then(|| almost_whole((least * most).sqrt()))
    };
    Some((one(&|density| density.across().0)?, one(&|density| density.across().1)?))
}

/// A scale, or the one beside it whose reciprocal is whole, as GDAL's warper takes it.
fn almost_whole(scale: f64) -> f64 {
    let times = 1.0 / scale;
    if (times - times.round()).abs() < 0.05 { 1.0 / times.round() } else { scale }
}

/// Bytes that GDAL takes for what a block of so many of the mosaic's pixels shows of a source.
fn bytes(source: &Source, resampling: Resampling, densities: &[Density], block: Size) -> usize {
    // Between the places that were looked at there may be denser ones.
    const DENSER: f64 = 1.2;
    let radius = f64::from(match resampling {
        Resampling::Nearest | Resampling::Average | Resampling::Mode | Resampling::Bilinear => 1u8,
        Resampling::Cubic | Resampling::CubicSpline => 2,
        Resampling::Lanczos => 3,
    });
    let touched = |density: &Density| {
        let (columns, rows) = density.around(block);
        let (across, down) = density.across();
        let reach = |extent: f64, step: f64, most: usize| {
            ((extent * DENSER + 2.0 * radius * step.max(1.0)).ceil() as usize).min(most)
        };
        reach(columns, across, source.size.columns) * reach(rows, down, source.size.rows)
    };
    let pixels = densities.iter().map(touched).max().unwrap_or(0);
    // A bit for each band and one for all say what is valid; transparency is a float.
    let transparency = if source.alpha.is_some() || source.mask { 4 + 1 } else { 0 };
    pixels * (source.pixel_bytes() + transparency) + pixels * (source.bands.len() + 1) / 8
}
