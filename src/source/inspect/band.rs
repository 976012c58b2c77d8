//! What a band says of itself: its pixel type, nodata, palette, and what is carried over to a mosaic of it.

use anyhow::{Result, bail};
use gdal::Metadata;
use gdal::raster::RasterBand;

use super::COMPLEX;
use crate::pixels::{Number, PixelType};
use crate::source::open::gdal_knows_int8;
use crate::source::{SourceBand, calls};

/// All that is known of a band without reading a pixel.
pub(super) fn describe_band(band: &RasterBand) -> Result<SourceBand> {
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
        categories: calls::category_names(band),
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

/// Metadata without what describes this one file's storage, statistics or validity, which a mosaic of it does not have.
pub(super) fn metadata<M: Metadata>(object: &M) -> Vec<(String, String)> {
    let items = object.metadata_domain("").unwrap_or_default();
    let of_this_file =
        |key: &str| key.starts_with("STATISTICS_") || key.starts_with("OVR_") || key == "NODATA_VALUES";
    let pairs = items.iter().filter_map(|item| item.split_once('='));
    pairs.filter(|(key, _)| !of_this_file(key)).map(|(key, value)| (key.into(), value.into())).collect()
}
