//! Block codecs: bytes to bytes, as TIFF stores them.

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
