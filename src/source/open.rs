//! GDAL set up, and rasters opened with it.

use anyhow::Result;
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};

use super::network;
use super::trap::checked;

/// Sets GDAL up for a process that reads with many handles: one thread a reader, no listing of folders, no code
/// in virtual rasters,
/// and block caches of `cache_bytes` in all.
pub fn prepare_gdal(cache_bytes: u64) -> Result<()> {
    let options = [
        // Every worker is a reader; readers of their own threads would multiply (and did shift pixels before 3.12.1).
        ("VRT_NUM_THREADS", "1"),
        ("GDAL_NUM_THREADS", "1"),
        // Virtual rasters are data; whoever allows them code in the environment does so for programs of his own.
        ("GDAL_VRT_ENABLE_PYTHON", "NO"),
        // A warp read past its blocks (from 3.8 on) estimates its scale for what is asked: pixels would depend on windows.
        ("GDAL_VRT_WARP_USE_DATASET_RASTERIO", "NO"),
        // Servers are asked again by `network`, which hears of more failures.
        ("GDAL_HTTP_MAX_RETRY", "0"),
    ];
    for (key, value) in options {
        gdal::config::set_config_option(key, value)?;
    }
    for (key, value) in network::OPTIONS.into_iter().chain([("GDAL_DISABLE_READDIR_ON_OPEN", "TRUE")]) {
        if gdal::config::get_config_option(key, "")?.is_empty() {
            gdal::config::set_config_option(key, value)?;
        }
    }
    set_gdal_cache(cache_bytes);
    Ok(())
}

/// Lets GDAL's block caches have `bytes` in all.
pub fn set_gdal_cache(bytes: u64) {
    // SAFETY: sets a number; no memory is handed over.
    unsafe { gdal_sys::GDALSetCacheMax64(bytes as gdal_sys::GIntBig) };
}

/// Bytes of blocks in GDAL's cache now.
pub fn gdal_cache_used() -> u64 {
    // SAFETY: reads a number.
    let used = unsafe { gdal_sys::GDALGetCacheUsed64() };
    used.max(0) as u64
}

/// The version of GDAL that is linked.
pub fn gdal_version() -> String {
    gdal::version::version_info("RELEASE_NAME")
}

/// Whether the linked GDAL has the pixel type Int8, as all have from 3.7 on.
pub fn gdal_knows_int8() -> bool {
    gdal::version::VersionInfo::version_num().parse::<u32>().is_ok_and(|number| number >= 3_07_00_00)
}

/// Opens `name` as a raster for reading.
pub(super) fn open(name: &str) -> Result<Dataset> {
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_RASTER
            | GdalOpenFlags::GDAL_OF_READONLY
            | GdalOpenFlags::GDAL_OF_VERBOSE_ERROR,
        ..Default::default()
    };
    checked("open", || Ok(Dataset::open_ex(name, options)?))
}
