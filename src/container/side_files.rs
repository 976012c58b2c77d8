//! Files beside a GeoTIFF that GDAL reads as belonging to it, by what is put behind the GeoTIFF's name.

use std::path::{Path, PathBuf};

/// What a GeoTIFF has no tag for: statistics, categories, metadata.
pub const METADATA: &str = ".aux.xml";
/// Overviews.
pub const OVERVIEWS: &str = ".ovr";
/// The mask.
pub const MASK: &str = ".msk";

/// What would belong to a GeoTIFF, whether it is there or not.
pub fn side_files(file: &Path) -> [PathBuf; 3] {
    [METADATA, OVERVIEWS, MASK].map(|ending| behind(file, ending))
}

/// A path with an ending put behind it.
pub fn behind(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
