//! How a source's pixels come to lie on the mosaic's grid: as they are, through a VRT, or through a warped VRT.

use anyhow::Result;
use gdal::Dataset;

use super::{Source, SourceBand, calls};
use crate::geometry::{GeoTransform, Grid, Size};
use crate::pixels::{Number, PixelType, Resampling};

/// The way from a source's pixels to the mosaic's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// The source's pixels are the mosaic's: its upper-left pixel has this column and row.
    OnGrid {
        /// Column in the mosaic, below zero when the mosaic begins further right.
        column: i64,
        /// Row in the mosaic.
        row: i64,
    },
    /// Same CRS and north up, but another resolution or a fraction of a pixel away: GDAL's VRT resamples.
    Resampled,
    /// Another CRS, south up or rotated: GDAL's warped VRT.
    Warped,
}

impl Placement {
    /// The placement of a source on the mosaic's grid, `same_crs` said.
    pub fn of(source: &Source, grid: &Grid, same_crs: bool) -> Placement {
        if !same_crs || !source.geotransform.is_north_up() {
            return Placement::Warped;
        }
        match grid.whole_pixel_offset(&source.geotransform, source.size) {
            Some((column, row)) => Placement::OnGrid { column, row },
            None => Placement::Resampled,
        }
    }
}

/// Geotransform and size that GDAL would warp a dataset to.
pub(super) fn suggested_grid(dataset: &Dataset, from: &str, to: &str) -> Result<(GeoTransform, Size)> {
    calls::suggested_output(dataset, from, to)
}

/// What a virtual dataset has to know to put a source on a grid.
pub(super) struct Frame<'a> {
    /// The grid that the virtual dataset has.
    pub grid: &'a Grid,
    /// The grid's CRS as WKT.
    pub wkt: &'a str,
    /// How pixels between pixels are made.
    pub resampling: Resampling,
}

/// A VRT whose pixels are `grid`'s. Where neither nodata, mask nor transparency says which pixels are valid, it gets
/// a band more, which does.
pub(super) fn vrt(
    base: &Dataset,
    frame: &Frame,
    nodata: &[Option<Number>],
    add_alpha: bool,
) -> Result<Dataset> {
    let mut arguments = vec!["-r".into(), calls::resampling_name(frame.resampling).into()];
    arguments.extend(extent(frame.grid));
    if let Some(values) = nodata_list(nodata) {
        arguments.extend(["-srcnodata".into(), values.clone(), "-vrtnodata".into(), values]);
    }
    if add_alpha {
        arguments.push("-addalpha".into());
    }
    calls::build_vrt(base, arguments)
}

/// A warped VRT whose pixels are `grid`'s, with a band more as [`vrt`] has it.
pub(super) fn warped_vrt(
    base: &Dataset,
    source: &Source,
    frame: &Frame,
    nodata: &[Option<Number>],
    add_alpha: bool,
) -> Result<Dataset> {
    let mut arguments: Vec<String> =
        ["-of", "VRT", "-wm", "16", "-wo", "NUM_THREADS=1", "-et", "0"].map(String::from).into();
    arguments.extend(["-r".into(), calls::resampling_name(frame.resampling).into()]);
    arguments.extend(extent(frame.grid));
    if !source.wkt.is_empty() && !frame.wkt.is_empty() {
        arguments.extend(["-s_srs".into(), source.wkt.to_string(), "-t_srs".into(), frame.wkt.into()]);
    }
    if add_alpha {
        arguments.extend(["-srcnodata".into(), "None".into(), "-dstalpha".into()]);
    } else if let Some(values) = nodata_list(nodata).filter(|_| nodata.iter().any(Option::is_some)) {
        arguments.extend(["-srcnodata".into(), values.clone(), "-dstnodata".into(), values]);
    }
    calls::warp(base, &arguments)
}

/// Whether a VRT must not hear of a source's nodata: where it does, GDAL's VRT computes in floating point (Float32 in
/// 3.6), and 64-bit whole numbers lose their last digits. Nodata is told apart after reading, which is the same for
/// the nearest pixel.
pub(super) fn hides_nodata(source: &Source, resampling: Resampling) -> bool {
    let wide = |band: &SourceBand| matches!(band.pixel_type, PixelType::UInt64 | PixelType::Int64);
    resampling == Resampling::Nearest && source.bands.iter().any(wide)
}

fn extent(grid: &Grid) -> Vec<String> {
    let bounds = grid.bounds();
    let edges = [bounds.min_x, bounds.min_y, bounds.max_x, bounds.max_y];
    let mut arguments = vec!["-te".to_string()];
    arguments.extend(edges.map(|edge| format!("{edge:?}")));
    arguments.extend(["-tr".into(), format!("{:?}", grid.resolution.x), format!("{:?}", grid.resolution.y)]);
    arguments
}

/// The values of all bands as the programs take them; nothing where some bands have one and others none, which only
/// the bands themselves can say.
fn nodata_list(nodata: &[Option<Number>]) -> Option<String> {
    if nodata.iter().all(Option::is_none) {
        return Some("None".into());
    }
    let values: Option<Vec<String>> = nodata.iter().map(|value| value.map(|v| v.to_string())).collect();
    values.map(|values| values.join(" "))
}
