//! What an open raster says of itself: its place, bands, storage, mask and metadata.

use std::sync::Arc;

use anyhow::{Result, bail};
use gdal::{Dataset, Metadata};

use super::band::{describe_band, metadata};
use crate::geometry::{Footprint, GeoTransform, Resolution, Size};
use crate::source::transparency::{find_alpha, find_mask};
use crate::source::{Source, SourceBand, Stamp, Storage, calls, crs};

/// What GDAL knows of the input `name`, for a mosaic in the CRS `target` (WKT) or in its own.
pub(super) fn describe(name: &str, dataset: &Dataset, target: Option<&str>) -> Result<Source> {
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
    let other = target.filter(|target| !crs::is_same(wkt, target));
    let (geotransform, size) = match target {
        Some(target) if own.is_rotated() || other.is_some() => calls::suggested_output(dataset, wkt, target)?,
        _ => (*own, Size::new(columns, rows)),
    };
    let resolution = Resolution { x: geotransform.0[1].abs(), y: geotransform.0[5].abs() };
    let has_pixel_size = resolution.x > 0.0 && resolution.y > 0.0;
    if !own.is_rotated() && !has_pixel_size {
        bail!("has a geotransform without a pixel size: {:?}", own.0);
    }
    let full_turn = other.and_then(crs::full_turn);
    Ok(Footprint { bounds: geotransform.bounds(size), resolution, size, full_turn })
}

fn wkt(dataset: &Dataset) -> String {
    // GDAL says "no CRS" with an error of its own; an empty text is enough here.
    dataset.spatial_ref().and_then(|crs| crs.to_wkt()).unwrap_or_default()
}

fn describe_storage(dataset: &Dataset, bands: &[SourceBand]) -> Result<Storage> {
    let (columns, rows) = dataset.rasterband(1)?.block_size();
    let interleave = dataset.metadata_item("INTERLEAVE", "IMAGE_STRUCTURE");
    let all_bands_together = bands.len() > 1 && interleave.as_deref() == Some("PIXEL");
    let decoded_bands = if all_bands_together { bands } else { &bands[..1] };
    let pixel_bytes: usize = decoded_bands.iter().map(|band| band.pixel_type.bytes()).sum();
    let block = Size::new(columns, rows);
    let block_bytes = block.pixels().saturating_mul(pixel_bytes);
    Ok(Storage { block, block_bytes, encoded_bytes: block_bytes, decoder_bytes: 0, all_bands_together })
}
