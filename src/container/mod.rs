//! The TIFF container as plain types: where a file's images are described and where their blocks lie.
//!
//! Reads and lays out classic TIFF (TIFF 6.0, Adobe 1992) and BigTIFF (its 64-bit extension) in both byte orders, through
//! [`ReadAt`] (written headers have their lowest byte first), and believes nothing that a header claims before it is
//! checked against the file's size.

mod blocks;
mod directory;
mod extents;
mod header;
mod parse;
mod read_at;
pub mod side_files;
mod tags;
#[cfg(test)]
mod tests;

pub use blocks::{BlockRange, BlockRanges, BlocksOutside, check_blocks_inside};
pub use directory::{ArrayPlace, ByteOrder, Directory};
pub use extents::{Extent, extents};
pub use header::{Field, Fields, GHOST_OF_COG, GHOST_OF_MASKED_COG, overview_of, write_header};
pub use parse::{directories, fields_of_directories};
pub use read_at::ReadAt;
pub use tags::{Tags, tags_of_only_directory};
