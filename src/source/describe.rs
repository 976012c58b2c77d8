//! What is known of a source once it is inspected: plain data, no handle.

use std::sync::Arc;

use super::direct::DirectLayout;
use super::stamp::{Companion, Stamp};
use crate::geometry::{Footprint, GeoTransform, Size};
use crate::pixels::{Number, PixelType};

/// An input raster. What thousands of inputs have in common they share.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Source {
    /// The name by which GDAL opens it.
    #[serde(with = "crate::source::sharing")]
    pub name: Arc<str>,
    /// Columns and rows.
    pub size: Size,
    /// From its pixels to its CRS.
    pub geotransform: GeoTransform,
    /// Its box and pixel size in the mosaic's CRS.
    pub footprint: Footprint,
    /// Its CRS as WKT; empty when it has none.
    #[serde(with = "crate::source::sharing")]
    pub wkt: Arc<str>,
    /// Its bands, in order.
    #[serde(with = "crate::source::sharing")]
    pub bands: Arc<Vec<SourceBand>>,
    /// Whether a mask (internal or .msk) says which pixels are valid, for all bands together.
    pub mask: bool,
    /// The index (from 0) of the band that is transparency.
    pub alpha: Option<usize>,
    /// Metadata of the dataset, without what describes the file's storage.
    #[serde(with = "crate::source::sharing")]
    pub metadata: Arc<Vec<(String, String)>>,
    /// Whether it is a virtual raster, whose pixels may be resampled as they are read.
    pub is_virtual: bool,
    /// How its pixels are stored.
    pub storage: Storage,
    /// How its blocks are read without GDAL, or why they are not.
    #[serde(deserialize_with = "layout_if_direct")]
    pub direct: Result<DirectLayout, &'static str>,
    /// How its file looked.
    pub stamp: Option<Stamp>,
    /// The further local files that GDAL reads with it, by name.
    #[serde(with = "crate::source::sharing")]
    pub companions: Arc<Vec<Companion>>,
}

/// What a source says of one band.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SourceBand {
    /// The pixels' type.
    pub pixel_type: PixelType,
    /// The value that means "no data", when the type can hold it.
    pub nodata: Option<Number>,
    /// A nodata value that the type cannot hold, so that no pixel can have it.
    pub impossible_nodata: Option<Number>,
    /// The band's name.
    pub description: String,
    /// The unit of its values.
    pub unit: String,
    /// What a pixel is multiplied with to give a value.
    pub scale: Option<f64>,
    /// What is then added.
    pub offset: Option<f64>,
    /// GDAL's name for what the band shows, such as "Red".
    pub color_interpretation: String,
    /// Colours of the pixel values.
    pub palette: Option<Vec<[i16; 4]>>,
    /// Names of the pixel values.
    pub categories: Vec<String>,
    /// Metadata of the band.
    pub metadata: Vec<(String, String)>,
}

/// How a source's pixels are stored: what reading a window of it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Storage {
    /// The block that has to be read to read one pixel.
    pub block: Size,
    /// Bytes of a block of all the bands that are decoded with it.
    pub block_bytes: usize,
    /// Bytes of the largest block as it is stored, where that is known, else as many.
    pub encoded_bytes: usize,
    /// Bytes that GDAL's decoder holds beside these, as long as the source is open.
    pub decoder_bytes: usize,
    /// Whether reading one band decodes all.
    pub all_bands_together: bool,
}

impl Source {
    /// Bytes of one pixel of all bands.
    pub fn pixel_bytes(&self) -> usize {
        self.bands.iter().map(|band| band.pixel_type.bytes()).sum()
    }

    /// Bytes that an open handle holds beside GDAL's block cache: the decoded block, its encoded bytes, and what the
    /// decoder holds of its own.
    pub fn handle_bytes(&self) -> usize {
        const DATASET: usize = 128 << 10;
        let Storage { block_bytes, encoded_bytes, decoder_bytes, .. } = self.storage;
        DATASET.saturating_add(block_bytes).saturating_add(encoded_bytes).saturating_add(decoder_bytes)
    }
}

/// Hears how blocks are read without GDAL; why they are not is of no account by then.
fn layout_if_direct<'de, D>(deserializer: D) -> Result<Result<DirectLayout, &'static str>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    let told = <Result<DirectLayout, String> as serde::Deserialize>::deserialize(deserializer)?;
    Ok(told.map_err(|_| "GDAL alone reads it"))
}
