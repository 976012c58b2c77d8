//! Which GeoTIFFs are read without GDAL: those whose blocks the codec floor decodes to the pixels that GDAL gives.

use crate::codec::{BlockLayout, Compression, Predictor};
use crate::container::{ByteOrder, Directory};
use crate::geometry::Size;
use crate::pixels::PixelType;
use crate::source::SourceBand;

/// How the blocks of a source are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DirectLayout {
    /// How they are compressed.
    pub compression: Compression,
    /// What was done to the pixels before.
    pub predictor: Predictor,
    /// The pixels' type.
    pub pixel_type: PixelType,
    /// Size of a block in pixels; the last strip of a striped file has fewer rows.
    pub block: Size,
    /// Columns and rows of blocks.
    pub blocks: Size,
    /// Whether blocks are tiles, which are always whole.
    pub tiled: bool,
    /// Bands of a pixel inside a block: all, or 1 where each band has blocks of its own.
    pub samples: usize,
    /// Whether the bytes of a number stand in the other order than the machine's.
    pub swapped: bool,
}

/// What a block may have; libtiff takes none beyond either.
const MOST_BLOCK_BYTES: u128 = 1 << 31;
/// Up to here a raster that is one strip and not compressed is read as one block.
const MOST_PLAIN_BYTES: u128 = 1 << 20;

/// Whether GDAL shows other colours than a photometric interpretation (TIFF 6.0, sections 16, 21, 23; the last two are
/// LogL and LogLuv) stores.
fn is_converted(photometric: u16) -> bool {
    matches!(photometric, 5 | 6 | 8 | 9 | 10 | 32844 | 32845)
}

impl DirectLayout {
    /// The layout of a GeoTIFF's first directory, whose bands GDAL describes as `bands`.
    ///
    /// # Errors
    /// Why its blocks are GDAL's to read, in a few words.
    pub fn of(directory: &Directory, size: Size, bands: &[SourceBand]) -> Result<DirectLayout, &'static str> {
        let pixel_type = bands[0].pixel_type;
        let compression = match directory.compression {
            1 => Compression::None,
            5 => Compression::Lzw,
            8 | 32946 => Compression::Deflate,
            50000 => Compression::Zstd,
            _ => return Err("its codec is not known here"),
        };
        let predictor = match (compression, directory.predictor) {
            // Readers ignore the tag where nothing is compressed, and for ZSTD and LZW and DEFLATE alike honour it.
            (Compression::None, _) => Predictor::None,
            (_, tag) => Predictor::from_tag(tag).ok_or("its predictor is not known here")?,
        };
        let format = match directory.sample_format {
            1 => !pixel_type.is_signed(),
            2 => pixel_type.is_signed() && !pixel_type.is_float(),
            3 => pixel_type.is_float(),
            _ => false,
        };
        let swapped = directory.byte_order == ByteOrder::Big;
        let one_type = bands.iter().all(|band| band.pixel_type == pixel_type);
        let reasons = [
            (
                directory.size != size || usize::from(directory.samples) != bands.len(),
                "GDAL shows another raster",
            ),
            (!one_type || !format, "its samples are of several types, or of one that is not known here"),
            (
                usize::from(directory.bits_per_sample) != 8 * pixel_type.bytes(),
                "its samples are no whole bytes",
            ),
            (directory.fill_order != 1, "its bits stand in reverse order"),
            (is_converted(directory.photometric), "its colours are YCbCr, CMYK or Lab, which GDAL converts"),
            (
                predictor == Predictor::Float && !pixel_type.is_float(),
                "it has the predictor of floats and other numbers",
            ),
            (swapped && predictor != Predictor::None, "it has a predictor and big-endian numbers"),
        ];
        if let Some((_, reason)) = reasons.into_iter().find(|(wrong, _)| *wrong) {
            return Err(reason);
        }
        let layout = DirectLayout {
            compression,
            predictor,
            pixel_type,
            block: directory.block,
            blocks: directory.block_grid(),
            tiled: directory.tiled,
            samples: if directory.planar { 1 } else { bands.len() },
            swapped: swapped && pixel_type.bytes() > 1,
        };
        match layout.size_problem(directory.planar) {
            Some(reason) => Err(reason),
            None => Ok(layout),
        }
    }

    /// Why blocks of this size are not decoded here.
    fn size_problem(&self, planar: bool) -> Option<&'static str> {
        // Sides are below 2³¹ and a pixel has less than 2²⁰ bytes: only in 128 bits the product always fits.
        let pixel_bytes = self.samples * self.pixel_type.bytes();
        let bytes = self.block.columns as u128 * self.block.rows as u128 * pixel_bytes as u128;
        let one_plain_strip = !self.tiled && !planar && self.blocks.rows == 1;
        if bytes > MOST_BLOCK_BYTES {
            Some("its blocks are larger than any reader takes")
        } else if one_plain_strip && self.compression == Compression::None && bytes > MOST_PLAIN_BYTES {
            Some("it is one large strip, which GDAL reads in parts")
        } else {
            None
        }
    }

    /// Whether each band has blocks of its own.
    pub fn is_planar(&self, bands: usize) -> bool {
        self.samples == 1 && bands > 1
    }

    /// The shape of the blocks in one row of blocks of a raster with so many `rows`.
    pub fn block_layout(&self, block_row: usize, rows: usize) -> BlockLayout {
        let left = rows - block_row * self.block.rows;
        BlockLayout {
            columns: self.block.columns,
            rows: if self.tiled { self.block.rows } else { self.block.rows.min(left) },
            samples: self.samples,
            sample_bytes: self.pixel_type.bytes(),
        }
    }

    /// Bytes of a decoded block.
    pub fn block_bytes(&self) -> usize {
        self.block.pixels() * self.samples * self.pixel_type.bytes()
    }
}
