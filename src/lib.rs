//! Raster mosaics of any size, fast, in a memory budget that is kept.

pub mod codec;
pub mod container;
pub mod geometry;
pub mod output;
pub mod pixels;
pub mod source;
