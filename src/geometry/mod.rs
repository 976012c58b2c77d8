//! Where pixels are: windows of pixels, geotransforms, and the one grid of the mosaic.
//!
//! Pure: nothing here reads a file or asks the machine.

mod density;
mod geotransform;
mod grid;
mod window;

pub use density::Density;
pub use geotransform::{Bounds, GeoTransform};
pub use grid::{Footprint, Grid, GridError, GridRequest, Resolution, ResolutionRule, unify};
pub use window::{Size, Window};
