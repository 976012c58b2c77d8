//! Rasters in, through GDAL.

pub mod trap;
