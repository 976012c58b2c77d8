//! The calls to GDAL that make a new file and that its Rust package does not wrap.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use gdal::cpl::CslStringList;
use gdal::raster::RasterBand;
use gdal::{Dataset, DriverManager};

use crate::geometry::Size;
use crate::pixels::PixelType;
use crate::source::{gdal_knows_int8, gdal_version};

/// GDAL's number of a pixel type.
///
/// # Errors
/// For a type that the linked GDAL does not have.
pub(super) fn gdal_type(pixel_type: PixelType) -> Result<gdal_sys::GDALDataType::Type> {
    use gdal_sys::GDALDataType::*;
    /// GDT_Int8, which bindings before GDAL 3.7 do not name.
    const INT8: gdal_sys::GDALDataType::Type = 14;
    Ok(match pixel_type {
        PixelType::Byte => GDT_Byte,
        PixelType::UInt16 => GDT_UInt16,
        PixelType::Int16 => GDT_Int16,
        PixelType::UInt32 => GDT_UInt32,
        PixelType::Int32 => GDT_Int32,
        PixelType::UInt64 => GDT_UInt64,
        PixelType::Int64 => GDT_Int64,
        PixelType::Float32 => GDT_Float32,
        PixelType::Float64 => GDT_Float64,
        PixelType::Int8 => {
            let release = gdal_version();
            ensure!(
                gdal_knows_int8(),
                "Int8 pixels need GDAL 3.7 or newer, this is {release}; choose another type, e.g. Int16"
            );
            INT8
        }
    })
}

/// Checks that the linked GDAL can write pixels of a type.
///
/// # Errors
/// What it would need.
pub fn check_pixel_type(pixel_type: PixelType) -> Result<()> {
    gdal_type(pixel_type).map(drop)
}

/// Creates a GeoTIFF, replacing what is there.
pub(super) fn create(
    path: &Path,
    size: Size,
    bands: usize,
    pixel_type: PixelType,
    options: &[(String, String)],
) -> Result<Dataset> {
    let driver = DriverManager::get_driver_by_name("GTiff")?;
    let name = CString::new(path.as_os_str().as_bytes()).context("the name holds a zero byte")?;
    let mut list = CslStringList::new();
    for (key, value) in options {
        list.set_name_value(key, value).with_context(|| format!("option {key}={value}"))?;
    }
    let (columns, rows) = (i32::try_from(size.columns)?, i32::try_from(size.rows)?);
    let (bands, pixel_type) = (i32::try_from(bands)?, gdal_type(pixel_type)?);
    // SAFETY: the driver lives as long as the process, the name and the list as long as the call, and the list
    // ends with a null pointer.
    let handle = unsafe {
        gdal_sys::GDALCreate(
            driver.c_driver(),
            name.as_ptr(),
            columns,
            rows,
            bands,
            pixel_type,
            list.as_ptr(),
        )
    };
    ensure!(!handle.is_null(), "GDAL made no file");
    // SAFETY: the handle is valid and nobody else has it.
    Ok(unsafe { Dataset::from_c_dataset(handle) })
}

/// Sets the unit of a band.
pub(super) fn set_unit(band: &mut RasterBand<'_>, unit: &str) -> Result<()> {
    let unit = CString::new(unit)?;
    // SAFETY: the band is valid and the text ends with a zero byte.
    let code = unsafe { gdal_sys::GDALSetRasterUnitType(band.c_rasterband(), unit.as_ptr()) };
    succeeded(code)
}

/// Sets the names of a band's values.
pub(super) fn set_categories(band: &mut RasterBand<'_>, categories: &[String]) -> Result<()> {
    let mut list = CslStringList::new();
    for category in categories {
        list.add_string(category)?;
    }
    // SAFETY: the band is valid and the list ends with a null pointer; GDAL copies it.
    let code = unsafe { gdal_sys::GDALSetRasterCategoryNames(band.c_rasterband(), list.as_ptr()) };
    succeeded(code)
}

/// Sets what a band shows, by GDAL's name (newer releases know more names), when it does not show it already.
pub(super) fn set_color_interpretation(band: &mut RasterBand<'_>, name: &str) -> Result<()> {
    let text = CString::new(name)?;
    // SAFETY: the text ends with a zero byte and the band is valid.
    let (wanted, present) = unsafe {
        (
            gdal_sys::GDALGetColorInterpretationByName(text.as_ptr()),
            gdal_sys::GDALGetRasterColorInterpretation(band.c_rasterband()),
        )
    };
    let undefined = gdal_sys::GDALColorInterp::GCI_Undefined;
    if wanted == undefined && !name.eq_ignore_ascii_case("Undefined") {
        bail!("'{name}' is no colour interpretation that this GDAL knows");
    }
    // A TIFF's first band is gray where nothing else is said: gray stays, as gdal_translate leaves it.
    let gray_by_default = wanted == undefined && present == gdal_sys::GDALColorInterp::GCI_GrayIndex;
    if wanted == present || gray_by_default {
        return Ok(());
    }
    // SAFETY: the band is valid, the number one of GDAL's own.
    succeeded(unsafe { gdal_sys::GDALSetRasterColorInterpretation(band.c_rasterband(), wanted) })
}

fn succeeded(code: gdal_sys::CPLErr::Type) -> Result<()> {
    ensure!(code < gdal_sys::CPLErr::CE_Failure, "GDAL refused it");
    Ok(())
}
