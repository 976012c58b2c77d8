//! What an input is: everything that can be known without reading a pixel, and what is wrong with it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use gdal::raster::RasterBand;
use gdal::{Dataset, Metadata};

use super::direct::DirectLayout;
use super::network::NotGiven;
use super::open::{gdal_knows_int8, open};
use super::stamp::companions;
use super::transparency::{find_alpha, find_mask};
use super::trap::checked_with_warnings;
use super::{FileReader, Model, Problem, Source, SourceBand, Stamp, Storage, Trust, calls, references};
use crate::container;
use crate::geometry::{Footprint, GeoTransform, Resolution, Size};
use crate::pixels::{Number, PixelType};

/// Paths that are longer may be more than GDAL before 3.11 has room for (CPL_PATH_BUF_SIZE, with what is put behind them).
const GDALS_ROOM: usize = 2000;
const COMPLEX: &str = "has complex pixels; split them into real bands first";

/// What an input is, and GDAL's warnings.
pub type Inspected = (Source, Vec<String>);

/// Inspects inputs in place of this process.
pub trait Inspector: fmt::Debug + Sync {
    /// What an input is, for a mosaic in the CRS `target` (WKT), or in its own where there is none.
    ///
    /// # Errors
    /// As [`inspect`], and where it takes whoever opens it down with it.
    fn inspect(&self, name: &str, target: Option<&str>) -> Result<Inspected, Problem>;
}

/// Inspects one input for a mosaic in the CRS `target` (WKT), or in its own where there is none.
/// What it has in common with `like` it shares with it. GDAL's warnings come beside it.
///
/// # Errors
/// A problem that names the input: missing, damaged, cut short, no raster, complex pixels, or referring to what `trust`
/// does not allow.
pub fn inspect(
    name: &str,
    target: Option<&str>,
    like: Option<&Model>,
    trust: Trust,
) -> Result<Inspected, Problem> {
    if let Some(source) = like.and_then(|like| like.describe(name)) {
        return Ok((source, Vec::new()));
    }
    let (source, warnings) = match trust.inspector {
        Some(inspector) => inspector.inspect(name, target)?,
        None => inspect_here(name, target, trust)?,
    };
    let source = match like {
        Some(like) => share(source, &like.source),
        None => source,
    };
    Ok((source, warnings))
}

/// Inspects an input in this very process.
fn inspect_here(name: &str, target: Option<&str>, trust: Trust) -> Result<Inspected, Problem> {
    // A server that fails while references are looked for may hide them, so both are one attempt.
    let look = || match references::check(name, trust) {
        Ok(files) => look_at(name, target, files, trust),
        Err(problem) => Ok(Err(problem)),
    };
    let looked = trust.patience.with(name, look);
    looked.map_err(|error| Problem::new(name, explain(name, &error)))?
}

/// What GDAL says of an input that is read with `files`, and its warnings.
fn look_at(
    name: &str,
    target: Option<&str>,
    files: BTreeSet<String>,
    trust: Trust,
) -> Result<Result<Inspected, Problem>> {
    let dataset = open(name)?;
    // Asking for the files makes GDAL look further, and say what it finds.
    let look = || match references::check_opened(name, &dataset, files, trust) {
        Ok(opened) => describe(name, &dataset, target).map(|source| Ok((source, opened))),
        Err(problem) => Ok(Err(problem)),
    };
    let (looked, warnings) = checked_with_warnings("inspect", look)?;
    let (mut source, opened) = match looked {
        Ok(looked) => looked,
        Err(problem) => return Ok(Err(problem)),
    };
    look_inside(&mut source, &dataset)?;
    if opened.names_files {
        source.direct = Err("its metadata name files");
    }
    source.companions = Arc::new(companions(opened.files));
    Ok(Ok((source, warnings)))
}

/// The reason in plain words, where the plain reason is known.
fn explain(name: &str, error: &anyhow::Error) -> String {
    let path = std::path::Path::new(name);
    if !name.starts_with("/vsi") && !name.contains(':') && !path.exists() {
        return "no such file".into();
    }
    if name.len() > GDALS_ROOM && path.exists() {
        return format!(
            "a path of {} bytes is too long for GDAL; use one that is relative to a nearer folder",
            name.len()
        );
    }
    if let Some(not_given) = error.downcast_ref::<NotGiven>() {
        return not_given.to_string();
    }
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() == 0 => "the file is empty".into(),
        _ => {
            // Of the bindings' own sentence only what GDAL says is of use.
            let text = format!("{error:#}");
            let said = text.split_once("Error msg: '").and_then(|(_, said)| said.strip_suffix('\''));
            said.map_or(text.clone(), str::to_owned)
        }
    }
}

fn describe(name: &str, dataset: &Dataset, target: Option<&str>) -> Result<Source> {
    let (columns, rows) = dataset.raster_size();
    if dataset.raster_count() == 0 {
        let inside = dataset.metadata_domain("SUBDATASETS").map_or(0, |items| items.len() / 2);
        bail!("holds no raster band ({inside} subdatasets; name one of them, as gdalinfo lists them)");
    }
    // Asked for first: only then does GDAL read a GeoTIFF's side file, with its category names.
    let geotransform = match dataset.geo_transform() {
        Ok(coefficients) => GeoTransform(coefficients),
        Err(_) => bail!("has no geotransform: where its pixels lie is not known"),
    };
    let alpha = find_alpha(dataset)?;
    let bands = dataset.rasterbands().map(|band| describe_band(&band?)).collect::<Result<Vec<_>>>()?;
    let wkt = wkt(dataset);
    Ok(Source {
        name: name.into(),
        size: Size::new(columns, rows),
        geotransform,
        footprint: footprint(dataset, &geotransform, &wkt, target)?,
        wkt: wkt.into(),
        mask: find_mask(dataset, alpha)?,
        alpha,
        is_virtual: dataset.driver().short_name() == "VRT",
        storage: describe_storage(dataset, &bands)?,
        direct: Err("GDAL alone reads it"),
        bands: Arc::new(bands),
        metadata: Arc::new(metadata(dataset)),
        stamp: Stamp::of(name),
        companions: Arc::default(),
    })
}

/// Where the raster lies in the mosaic's CRS. A rotated one, or one of another CRS, lies where GDAL would warp it to.
fn footprint(dataset: &Dataset, own: &GeoTransform, wkt: &str, target: Option<&str>) -> Result<Footprint> {
    let (columns, rows) = dataset.raster_size();
    let other = target.filter(|target| !super::crs::is_same(wkt, target));
    let (geotransform, size) = match target {
        Some(target) if own.is_rotated() || other.is_some() => calls::suggested_output(dataset, wkt, target)?,
        _ => (*own, Size::new(columns, rows)),
    };
    let resolution = Resolution { x: geotransform.0[1].abs(), y: geotransform.0[5].abs() };
    let has_pixel_size = resolution.x > 0.0 && resolution.y > 0.0;
    if !own.is_rotated() && !has_pixel_size {
        bail!("has a geotransform without a pixel size: {:?}", own.0);
    }
    let full_turn = other.and_then(super::crs::full_turn);
    Ok(Footprint { bounds: geotransform.bounds(size), resolution, size, full_turn })
}

fn wkt(dataset: &Dataset) -> String {
    // GDAL says "no CRS" with an error of its own; an empty text is enough here.
    dataset.spatial_ref().and_then(|crs| crs.to_wkt()).unwrap_or_default()
}

fn describe_band(band: &RasterBand) -> Result<SourceBand> {
    let pixel_type = pixel_type(band)?;
    let declared = declared_nodata(band, pixel_type);
    let palette = band.color_table().map(|table| {
        let entry = |index| table.entry_as_rgb(index).map_or([0; 4], |c| [c.r, c.g, c.b, c.a]);
        (0..table.entry_count()).map(entry).collect()
    });
    Ok(SourceBand {
        pixel_type,
        nodata: declared.filter(|value| value.fits(pixel_type)),
        impossible_nodata: declared.filter(|value| !value.fits(pixel_type)),
        description: band.description().unwrap_or_default(),
        unit: band.unit(),
        scale: band.scale().filter(|&scale| scale != 1.0),
        offset: band.offset().filter(|&offset| offset != 0.0),
        color_interpretation: band.color_interpretation().name(),
        palette,
        categories: super::calls::category_names(band),
        metadata: metadata(band),
    })
}

/// The pixel type, by GDAL's numbers: they are the same in every version, unlike the names that a version knows.
fn pixel_type(band: &RasterBand) -> Result<PixelType> {
    // SAFETY: the band is open for as long as it is borrowed.
    let code = unsafe { gdal_sys::GDALGetRasterDataType(band.c_rasterband()) };
    Ok(match code {
        1 if has_disguised_int8(band) => {
            bail!("has signed bytes, which GDAL reads rightly only from version 3.7 on")
        }
        1 => PixelType::Byte,
        2 => PixelType::UInt16,
        3 => PixelType::Int16,
        4 => PixelType::UInt32,
        5 => PixelType::Int32,
        // Half-precision numbers (15) are read as Float32, which holds them all.
        6 | 15 => PixelType::Float32,
        7 => PixelType::Float64,
        12 => PixelType::UInt64,
        13 => PixelType::Int64,
        14 => PixelType::Int8,
        8..=11 | 16 => bail!("{COMPLEX}"),
        other => bail!("has pixels of a type that is not known (GDAL's number {other})"),
    })
}

/// Whether a band of bytes holds Int8, as a GDAL without that type says in metadata. The others warn when asked for it.
fn has_disguised_int8(band: &RasterBand) -> bool {
    let says_so = || band.metadata_item("PIXELTYPE", "IMAGE_STRUCTURE").as_deref() == Some("SIGNEDBYTE");
    !gdal_knows_int8() && says_so()
}

fn declared_nodata(band: &RasterBand, pixel_type: PixelType) -> Option<Number> {
    match pixel_type {
        PixelType::Int64 => band.no_data_value_i64().map(|value| Number::Whole(value.into())),
        PixelType::UInt64 => band.no_data_value_u64().map(|value| Number::Whole(value.into())),
        _ => band.no_data_value().map(Number::from),
    }
}

fn describe_storage(dataset: &Dataset, bands: &[SourceBand]) -> Result<Storage> {
    let (columns, rows) = dataset.rasterband(1)?.block_size();
    let interleave = dataset.metadata_item("INTERLEAVE", "IMAGE_STRUCTURE");
    let all_bands_together = bands.len() > 1 && interleave.as_deref() == Some("PIXEL");
    let decoded_bands = if all_bands_together { bands } else { &bands[..1] };
    let pixel_bytes: usize = decoded_bands.iter().map(|band| band.pixel_type.bytes()).sum();
    let block = Size::new(columns, rows);
    let block_bytes = block.pixels().saturating_mul(pixel_bytes);
    Ok(Storage { block, block_bytes, encoded_bytes: block_bytes, all_bands_together })
}

/// Metadata without what describes this one file's storage, statistics or validity, which a mosaic of it does not have.
fn metadata<M: Metadata>(object: &M) -> Vec<(String, String)> {
    let items = object.metadata_domain("").unwrap_or_default();
    let of_this_file =
        |key: &str| key.starts_with("STATISTICS_") || key.starts_with("OVR_") || key == "NODATA_VALUES";
    let pairs = items.iter().filter_map(|item| item.split_once('='));
    pairs.filter(|(key, _)| !of_this_file(key)).map(|(key, value)| (key.into(), value.into())).collect()
}

/// Looks into a local GeoTIFF: how its blocks are read without GDAL, or why they are not. One that is cut short opens
/// without complaint when its header stands in front, so its blocks are looked for here.
fn look_inside(source: &mut Source, dataset: &Dataset) -> Result<()> {
    if dataset.driver().short_name() != "GTiff" {
        source.direct = Err("it is no GeoTIFF");
        return Ok(());
    }
    let Ok(file) = FileReader::open(source.name.as_ref().as_ref()) else {
        source.direct = Err("it is no file on this machine");
        return Ok(());
    };
    // A directory that this reader does not understand is GDAL's to judge.
    let Ok(directories) = container::directories(&file) else {
        source.direct = Err("its header is not understood here");
        return Ok(());
    };
    // GDAL before 3.11 does not know complex numbers of two halves and shows whole numbers in their place.
    if matches!(directories[0].sample_format, 5 | 6) {
        bail!("{COMPLEX}");
    }
    let mut largest = 0;
    for directory in directories.iter().filter(|directory| !directory.is_overview()) {
        let (outside, largest_here) =
            container::check_blocks_inside(&file, directory).context("read the block index")?;
        if let Some(outside) = outside {
            bail!(
                "is cut short: {} of its blocks lie behind the end of the file (the first is block {})",
                outside.count,
                outside.first
            );
        }
        largest = largest_here.max(largest);
    }
    source.storage.encoded_bytes = largest as usize;
    source.direct = match source.mask {
        true => Err("it has a mask"),
        false => DirectLayout::of(&directories[0], source.size, &source.bands),
    };
    if let Ok(layout) = &source.direct {
        // GDAL shows one strip that is not compressed as many smaller ones; read directly it is one block.
        source.storage.block = layout.block;
        source.storage.block_bytes = layout.block_bytes();
    }
    Ok(())
}

/// Replaces what equals `like`'s by `like`'s own, so that ten thousand inputs do not hold ten thousand copies.
fn share(mut source: Source, like: &Source) -> Source {
    if source.companions == like.companions {
        source.companions = Arc::clone(&like.companions);
    }
    if source.bands == like.bands {
        source.bands = Arc::clone(&like.bands);
    }
    if source.wkt == like.wkt {
        source.wkt = Arc::clone(&like.wkt);
    }
    if source.metadata == like.metadata {
        source.metadata = Arc::clone(&like.metadata);
    } else {
        // Only what all sources agree on is carried over, so nothing else needs to be kept.
        let common = source.metadata.iter().filter(|item| like.metadata.contains(item)).cloned().collect();
        source.metadata = Arc::new(common);
    }
    source
}
