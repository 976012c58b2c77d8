//! Which of GDAL's drivers take a file for theirs, by its first bytes and its name.

use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::sync::Once;

use gdal::GdalOpenFlags;

use super::trap::trapped;

/// Drivers that ask servers, or read rasters that may lie anywhere, for what a file says
/// (<https://gdal.org/en/stable/drivers/raster/index.html>). Not every GDAL has all of them.
const SERVICES: [&CStr; 14] = [
    c"WMS",
    c"WMTS",
    c"WCS",
    c"OGCAPI",
    c"STACIT",
    c"STACTA",
    c"GTI",
    c"NGW",
    c"PLMOSAIC",
    c"EEDAI",
    c"DAAS",
    c"HTTP",
    c"PostGISRaster",
    c"GeoRaster",
];

/// Whether one of GDAL's raster drivers takes the file for its own.
pub fn is_raster(name: &[u8]) -> bool {
    is_of(name, &[])
}

/// Whether a driver of services takes the file for its own. Nothing is asked for.
pub fn describes_a_service(name: &str) -> bool {
    is_of(name.as_bytes(), &SERVICES)
}

/// Whether one of these drivers takes it, or any where none is named.
fn is_of(name: &[u8], drivers: &[&CStr]) -> bool {
    static DRIVERS: Once = Once::new();
    // SAFETY: registering drivers has no precondition and is safe to repeat.
    DRIVERS.call_once(|| unsafe { gdal_sys::GDALAllRegister() });
    let Ok(name) = CString::new(name) else { return false };
    let list: Vec<*const c_char> =
        drivers.iter().map(|driver| driver.as_ptr()).chain([ptr::null()]).collect();
    let list = if drivers.is_empty() { ptr::null() } else { list.as_ptr() };
    let flags = GdalOpenFlags::GDAL_OF_RASTER.bits();
    // SAFETY: the name and the listed ones end with a zero byte, the list with a null pointer, and all outlive the call;
    // null lists mean every driver and no known siblings.
    let driver = || unsafe { gdal_sys::GDALIdentifyDriverEx(name.as_ptr(), flags, list, ptr::null()) };
    !trapped(driver).0.is_null()
}

#[cfg(test)]
mod tests {
    use gdal::DriverManager;

    use super::*;

    #[test]
    fn descriptions_of_services_are_known_however_they_are_written() {
        let temporary = tempfile::tempdir().unwrap();
        for (text, driver) in [
            ("<GDAL_WMS><Service/></GDAL_WMS>", Some("WMS")),
            ("<gdal_wms><Service/></gdal_wms>", Some("WMS")),
            ("<TileMap version=\"1.0.0\"><TileSets/></TileMap>", Some("WMS")),
            (
                "{\"stac_extensions\": [\"tiled-assets\"], \"properties\": {\"tiles:tile_matrix_sets\": {}}}",
                Some("STACTA"),
            ),
            ("<VRTDataset rasterXSize=\"1\" rasterYSize=\"1\"/>", None),
            ("II*\0", None),
        ] {
            // A GDAL that is built without a driver leads nowhere by it.
            let is_one = driver.is_some_and(|driver| DriverManager::get_driver_by_name(driver).is_ok());
            let path = temporary.path().join(if text.starts_with('{') { "a.json" } else { "a.tif" });
            std::fs::write(&path, text).unwrap();
            assert_eq!(describes_a_service(path.to_str().unwrap()), is_one, "{text}");
        }
    }
}
