//! Looks at one raster: what GDAL says of it, and, of a GeoTIFF, what stands in its headers and its block index.

use std::path::Path;

use anyhow::{Context, Result};
use gdal::{Dataset, Metadata};

use super::{Band, BlockKind, Blocks, Bytes, Cache, Inspection, Interleave, MaskPlace, ReadOrder};
use crate::container::{self, ByteOrder, Directory};
use crate::geometry::Size;
use crate::source::trap::checked;
use crate::source::{CrsGroups, FileReader, Problem, Source, SourceBand, Trust, inspect, open};

/// The layout of the raster `name`; no pixel is read.
///
/// # Errors
/// A problem that names the raster: what keeps it from being a source of a mosaic.
pub fn look(name: &str, trust: Trust) -> Result<Inspection, Problem> {
    let (source, warnings) = inspect::inspect(name, None, None, trust)?;
    let told = || -> Result<Told> {
        let dataset = open::open(name)?;
        checked("inspect", || Told::of(&dataset))
    };
    let problem = |error: anyhow::Error| Problem::new(name, format!("{error:#}"));
    let told = told().map_err(problem)?;
    let tiff = Tiff::of(&source, &told.driver).map_err(problem)?;
    Ok(describe(&source, told, tiff.as_ref(), warnings))
}

/// What only GDAL knows.
struct Told {
    driver: String,
    codec: Option<String>,
    interleave: Option<String>,
    overviews: Vec<[usize; 2]>,
}

impl Told {
    fn of(dataset: &Dataset) -> Result<Told> {
        let band = dataset.rasterband(1)?;
        let overview = |index| {
            let (columns, rows) = band.overview(index)?.size();
            Ok([columns, rows])
        };
        let count = usize::try_from(band.overview_count()?).unwrap_or(0);
        Ok(Told {
            driver: dataset.driver().short_name(),
            codec: dataset.metadata_item("COMPRESSION", "IMAGE_STRUCTURE"),
            interleave: dataset.metadata_item("INTERLEAVE", "IMAGE_STRUCTURE"),
            overviews: (0..count).map(overview).collect::<Result<_>>()?,
        })
    }
}

/// What the headers and the block index of a local GeoTIFF say.
struct Tiff {
    image: Directory,
    has_mask: bool,
    stored: u64,
    largest: u64,
    empty: u64,
}

impl Tiff {
    /// `None` for what is no TIFF on this machine, or is one that only GDAL understands.
    fn of(source: &Source, driver: &str) -> Result<Option<Tiff>> {
        if driver != "GTiff" {
            return Ok(None);
        }
        let Ok(file) = FileReader::open(Path::new(&*source.name)) else { return Ok(None) };
        let Ok(directories) = container::directories(&file) else { return Ok(None) };
        let has_mask = directories.iter().any(|directory| directory.is_mask() && !directory.is_overview());
        let Some(image) = directories.into_iter().next().filter(|image| image.size == source.size) else {
            return Ok(None);
        };
        let (mut stored, mut largest, mut empty) = (0u64, 0, 0);
        for slice in image.block_ranges_in_slices(&file) {
            for (_, bytes) in slice.context("read the block index")?.1 {
                stored = stored.saturating_add(bytes);
                largest = largest.max(bytes);
                empty += u64::from(bytes == 0);
            }
        }
        Ok(Some(Tiff { image, has_mask, stored, largest, empty }))
    }
}

fn describe(source: &Source, told: Told, tiff: Option<&Tiff>, warnings: Vec<String>) -> Inspection {
    let interleave = interleave(source, &told, tiff);
    let blocks = blocks(source, tiff, interleave);
    let block = Size::new(blocks.columns, blocks.rows);
    let pixel_bytes = source.pixel_bytes();
    let cache = Cache::of(source.size, block, pixel_bytes);
    let g = source.geotransform.0;
    let mut crs = CrsGroups::default();
    let group = crs.group(&source.wkt);
    let alone = interleave == Some(Interleave::Band);
    let block_pixel = if alone { source.bands[0].pixel_type.bytes() } else { pixel_bytes };
    Inspection {
        name: source.name.to_string(),
        columns: source.size.columns,
        rows: source.size.rows,
        bands: source.bands.iter().map(band).collect(),
        crs: (!source.wkt.is_empty()).then(|| crs.name(group)),
        geotransform: g,
        resolution: [g[1].hypot(g[4]), g[2].hypot(g[5])],
        blocks,
        predictor: tiff.filter(|tiff| tiff.image.compression != 1).map(|tiff| tiff.image.predictor),
        codec: told.codec.or_else(|| tiff.map(|_| "none".into())),
        interleave,
        byte_order: tiff.map(|tiff| match tiff.image.byte_order {
            ByteOrder::Little => "little",
            ByteOrder::Big => "big",
        }),
        bigtiff: tiff.map(|tiff| tiff.image.big),
        mask: source.mask.then(|| mask_place(&source.name, tiff)),
        alpha: source.alpha.map(|index| index + 1),
        overviews: told.overviews,
        bytes: Bytes {
            raw: source.size.pixels() as u64 * pixel_bytes as u64,
            block: block.pixels() as u64 * block_pixel as u64,
            stored: tiff.map(|tiff| tiff.stored),
            largest_block: tiff.map(|tiff| tiff.largest),
            file: source.stamp.map(|stamp| stamp.size),
        },
        direct: source.direct.is_ok(),
        not_direct_because: source.direct.err(),
        cache,
        read_order: ReadOrder::of(&blocks, cache),
        driver: told.driver,
        warnings,
    }
}

fn band(band: &SourceBand) -> Band {
    Band {
        pixel_type: band.pixel_type.name(),
        shows: band.color_interpretation.clone(),
        description: band.description.clone(),
        nodata: band.nodata.or(band.impossible_nodata).map(|value| value.to_string()),
    }
}

fn interleave(source: &Source, told: &Told, tiff: Option<&Tiff>) -> Option<Interleave> {
    if source.bands.len() < 2 {
        return None;
    }
    match (tiff.map(|tiff| tiff.image.planar), told.interleave.as_deref()) {
        (Some(false), _) | (None, Some("PIXEL")) => Some(Interleave::Pixel),
        (Some(true), _) | (None, Some("BAND")) => Some(Interleave::Band),
        _ => None,
    }
}

/// The blocks of the file, or where these are not known those that GDAL shows.
fn blocks(source: &Source, tiff: Option<&Tiff>, interleave: Option<Interleave>) -> Blocks {
    let block = tiff.map_or(source.storage.block, |tiff| tiff.image.block);
    let tiled = tiff.map_or(block.columns != source.size.columns, |tiff| tiff.image.tiled);
    let grid = source.size.tiles(block);
    let planes = if interleave == Some(Interleave::Band) { source.bands.len() as u64 } else { 1 };
    Blocks {
        kind: if tiled { BlockKind::Tiles } else { BlockKind::Strips },
        columns: block.columns,
        rows: block.rows,
        across: grid.columns,
        down: grid.rows,
        count: grid.columns as u64 * grid.rows as u64 * planes,
        empty: tiff.map(|tiff| tiff.empty),
    }
}

/// Where the mask of a raster stands that has one.
fn mask_place(name: &str, tiff: Option<&Tiff>) -> MaskPlace {
    match tiff {
        Some(tiff) if tiff.has_mask => MaskPlace::Internal,
        _ if Path::new(&format!("{name}.msk")).exists() => MaskPlace::File,
        _ => MaskPlace::Elsewhere,
    }
}
