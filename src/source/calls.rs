//! The calls to GDAL's C interface that the gdal package does not wrap, each made safe here.

use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr::null_mut;

use anyhow::{Context, Result, bail};
use gdal::Dataset;
use gdal::raster::RasterBand;

use crate::geometry::{GeoTransform, Size, Window};
use crate::pixels::{Buffer, PixelType, Resampling};

/// Names of a band's pixel values, by value.
pub fn category_names(band: &RasterBand) -> Vec<String> {
    let mut names = Vec::new();
    // SAFETY: GDAL returns null or a null-terminated list of C strings that live as long as the band.
    unsafe {
        let mut list = gdal_sys::GDALGetRasterCategoryNames(band.c_rasterband());
        while !list.is_null() && !(*list).is_null() {
            names.push(CStr::from_ptr(*list).to_string_lossy().into_owned());
            list = list.add(1);
        }
    }
    names
}

/// GDAL's number of a pixel type: the same in every version (Int8 exists from 3.7 on).
fn data_type(pixel_type: PixelType) -> gdal_sys::GDALDataType::Type {
    match pixel_type {
        PixelType::Byte => 1,
        PixelType::UInt16 => 2,
        PixelType::Int16 => 3,
        PixelType::UInt32 => 4,
        PixelType::Int32 => 5,
        PixelType::Float32 => 6,
        PixelType::Float64 => 7,
        PixelType::UInt64 => 12,
        PixelType::Int64 => 13,
        PixelType::Int8 => 14,
    }
}

/// Where in a buffer of bands × rows × columns a window's pixels go.
#[derive(Debug, Clone, Copy)]
pub struct Destination {
    /// Size of the buffer's bands.
    pub size: Size,
    /// The first pixel's column and row in it.
    pub column: usize,
    #[allow(missing_docs)]
    pub row: usize,
    /// The first band's index in it.
    pub band: usize,
}

/// Reads `window` of `bands` (numbers from 1) into `pixels`, converted to the buffer's type.
pub fn read(
    dataset: &Dataset,
    window: Window,
    bands: &[c_int],
    pixels: &mut Buffer,
    to: Destination,
) -> Result<()> {
    let pixel_type = pixels.pixel_type();
    let bytes = pixel_type.bytes();
    let start = (to.band * to.size.rows + to.row) * to.size.columns + to.column;
    let fits = to.column + window.columns <= to.size.columns
        && to.row + window.rows <= to.size.rows
        && (to.band + bands.len()) * to.size.pixels() <= pixels.len();
    let (columns, rows) = dataset.raster_size();
    if !fits || window.end_column() > columns || window.end_row() > rows {
        bail!("{window} lies outside the raster of {columns}x{rows} or its buffer");
    }
    // SAFETY: the checks above keep every pixel that GDAL writes inside `pixels`: the last one is that of the last
    // band, row and column. The window lies inside the raster. Band numbers are GDAL's to check.
    let status = unsafe {
        gdal_sys::GDALDatasetRasterIOEx(
            dataset.c_dataset(),
            gdal_sys::GDALRWFlag::GF_Read,
            window.column as c_int,
            window.row as c_int,
            window.columns as c_int,
            window.rows as c_int,
            pixels.bytes_mut().as_mut_ptr().add(start * bytes).cast::<c_void>(),
            window.columns as c_int,
            window.rows as c_int,
            data_type(pixel_type),
            bands.len() as c_int,
            // GDAL takes the list as mutable and does not write to it.
            bands.as_ptr().cast_mut(),
            bytes as gdal_sys::GSpacing,
            (bytes * to.size.columns) as gdal_sys::GSpacing,
            (bytes * to.size.pixels()) as gdal_sys::GSpacing,
            null_mut(),
        )
    };
    if status != gdal_sys::CPLErr::CE_None {
        bail!("GDAL could not read {window}");
    }
    Ok(())
}

/// Reads `window` of the dataset's mask (of its first band) into rows × columns bytes of `mask`.
pub fn read_mask(dataset: &Dataset, window: Window, mask: &mut [u8], to: Destination) -> Result<()> {
    let band = dataset.rasterband(1)?;
    let mask_band = band.open_mask_band()?;
    let start = to.row * to.size.columns + to.column;
    if to.column + window.columns > to.size.columns || (to.row + window.rows) * to.size.columns > mask.len() {
        bail!("{window} does not fit the mask's buffer");
    }
    // SAFETY: as for `read`, with one band of bytes.
    let status = unsafe {
        gdal_sys::GDALRasterIOEx(
            mask_band.c_rasterband(),
            gdal_sys::GDALRWFlag::GF_Read,
            window.column as c_int,
            window.row as c_int,
            window.columns as c_int,
            window.rows as c_int,
            mask.as_mut_ptr().add(start).cast::<c_void>(),
            window.columns as c_int,
            window.rows as c_int,
            gdal_sys::GDALDataType::GDT_Byte,
            1,
            to.size.columns as gdal_sys::GSpacing,
            null_mut(),
        )
    };
    if status != gdal_sys::CPLErr::CE_None {
        bail!("GDAL could not read the mask of {window}");
    }
    Ok(())
}

/// C's form of a list of arguments.
struct Arguments {
    /// Owns what the pointers point to.
    _texts: Vec<CString>,
    pointers: Vec<*mut std::ffi::c_char>,
}

impl Arguments {
    fn new(arguments: &[String]) -> Result<Arguments> {
        let texts: Vec<CString> =
            arguments.iter().map(|text| CString::new(text.as_str())).collect::<Result<_, _>>()?;
        let pointers = texts.iter().map(|text| text.as_ptr().cast_mut()).chain([null_mut()]).collect();
        Ok(Arguments { _texts: texts, pointers })
    }
}

/// `gdalwarp` of one dataset to a virtual dataset. It refers to `source`, which must live longer.
pub fn warp(source: &Dataset, arguments: &[String]) -> Result<Dataset> {
    let mut arguments = Arguments::new(arguments)?;
    let mut source = source.c_dataset();
    // SAFETY: the arguments and the one source handle live through the call; the options are freed once; the
    // returned handle is owned by the `Dataset` made of it.
    unsafe {
        let options = gdal_sys::GDALWarpAppOptionsNew(arguments.pointers.as_mut_ptr(), null_mut());
        let warped = gdal_sys::GDALWarp(c"".as_ptr(), null_mut(), 1, &raw mut source, options, null_mut());
        gdal_sys::GDALWarpAppOptionsFree(options);
        if warped.is_null() {
            bail!("GDAL could not set up the warp");
        }
        Ok(Dataset::from_c_dataset(warped))
    }
}

/// Geotransform and size that GDAL would warp a dataset to.
pub fn suggested_output(source: &Dataset, from: &str, to: &str) -> Result<(GeoTransform, Size)> {
    let (from, to) = (CString::new(from)?, CString::new(to)?);
    let mut geotransform = [0.0; 6];
    let (mut columns, mut rows) = (0, 0);
    // SAFETY: all texts live through the calls; the transformer is destroyed once; the outputs are as large as
    // GDAL writes them.
    let status = unsafe {
        let transformer = gdal_sys::GDALCreateGenImgProjTransformer(
            source.c_dataset(),
            from.as_ptr(),
            null_mut(),
            to.as_ptr(),
            0,
            0.0,
            0,
        );
        if transformer.is_null() {
            bail!("GDAL knows no way from its CRS to the target CRS");
        }
        let status = gdal_sys::GDALSuggestedWarpOutput(
            source.c_dataset(),
            Some(gdal_sys::GDALGenImgProjTransform),
            transformer,
            geotransform.as_mut_ptr(),
            &raw mut columns,
            &raw mut rows,
        );
        gdal_sys::GDALDestroyGenImgProjTransformer(transformer);
        status
    };
    if status != gdal_sys::CPLErr::CE_None || columns < 1 || rows < 1 {
        bail!("GDAL could not tell where it lies in the target CRS");
    }
    Ok((GeoTransform(geotransform), Size::new(columns as usize, rows as usize)))
}

/// `gdalbuildvrt` of one dataset to a virtual dataset in memory. It refers to `source`, which must live longer.
pub fn build_vrt(source: &Dataset, arguments: Vec<String>) -> Result<Dataset> {
    let options = gdal::programs::raster::BuildVRTOptions::new(arguments)?;
    gdal::programs::raster::build_vrt(None, &[source], Some(options)).context("GDAL could not build the VRT")
}

/// The names that gdalbuildvrt and gdalwarp have for a resampling.
pub fn resampling_name(resampling: Resampling) -> &'static str {
    match resampling {
        Resampling::Nearest => "near",
        other => other.name(),
    }
}
