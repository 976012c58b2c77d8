//! Block codecs: bytes to bytes, as TIFF stores them.
//!
//! A block's raw bytes are little-endian samples, pixel after pixel (the bands of one pixel side by side; one
//! sample a pixel where bands are stored apart). [`Encoder`] runs a predictor over them and compresses the
//! result; [`Decoder`] undoes both. Uncompressed blocks never have a predictor, whatever was asked for: TIFF
//! readers ignore the tag there, and so does this module.

mod decoder;
mod encoder;
mod inflate;
mod lzw;
mod predictor;

pub use decoder::Decoder;
pub use encoder::Encoder;

use crate::pixels::named_values;
use std::fmt;
use std::str::FromStr;

named_values! {
    /// How blocks are compressed.
    Compression, "compression" {
        /// Not at all.
        None => "none",
        /// TIFF's LZW.
        Lzw => "lzw",
        /// zlib's DEFLATE.
        Deflate => "deflate",
        /// Zstandard.
        Zstd => "zstd",
    }
}

named_values! {
    /// What is done to the samples before they are compressed.
    Predictor, "predictor" {
        /// Nothing.
        None => "none",
        /// Each sample minus the same band's sample of the pixel before (TIFF 6.0, section 14).
        Horizontal => "horizontal",
        /// Floats taken apart into byte planes, then bytewise differences (TIFF Technical Note 3).
        Float => "float",
    }
}

impl Predictor {
    /// The value of TIFF's Predictor tag (317).
    pub const fn tag(self) -> u16 {
        match self {
            Self::None => 1,
            Self::Horizontal => 2,
            Self::Float => 3,
        }
    }

    /// The predictor of a value of TIFF's Predictor tag, if it is a known one.
    pub fn from_tag(tag: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|predictor| predictor.tag() == tag)
    }
}

/// The shape of one block's raw bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockLayout {
    /// Pixels in a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// Samples a pixel has within this block: the band count, or 1 where each band has its own blocks.
    pub samples: usize,
    /// Bytes of one sample: 1, 2, 4 or 8.
    pub sample_bytes: usize,
}

impl BlockLayout {
    /// Bytes of the raw block.
    pub const fn bytes(self) -> usize {
        self.row_bytes().saturating_mul(self.rows)
    }

    /// Bytes of one row of the raw block.
    pub const fn row_bytes(self) -> usize {
        self.columns.saturating_mul(self.samples).saturating_mul(self.sample_bytes)
    }
}

/// The most bytes that a block of `raw` bytes can have once encoded, whatever it holds and at any level.
pub fn max_encoded_len(compression: Compression, raw: usize) -> usize {
    match compression {
        Compression::None => raw,
        Compression::Lzw => lzw::max_encoded_len(raw),
        // Stored DEFLATE blocks of no less than 5000 bytes, 5 bytes of header each, and zlib's 6 bytes around
        // them; 8 more let the compressor write whole words.
        Compression::Deflate => raw + 5 * raw.div_ceil(5000).max(1) + 6 + 8,
        Compression::Zstd => zstd::zstd_safe::compress_bound(raw),
    }
}

#[cfg(test)]
mod tests;
