//! Raster mosaics of any size, fast, in a memory budget that is kept.

pub mod codec;
pub mod config;
pub mod container;
pub mod geometry;
pub mod mosaic;
pub mod output;
pub mod pixels;
pub mod plan;
pub mod run;
pub mod source;
