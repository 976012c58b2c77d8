//! Reads a raster whole, through GDAL, with everything that is asked of it.

use std::ffi::{CStr, CString, c_char};
use std::path::Path;

use gdal::{Dataset, Metadata};
use gdal_sys as c;

use super::Color;

/// A raster open for reading; bands count from 1.
pub struct Raster {
    dataset: Dataset,
    pub width: usize,
    pub height: usize,
    pub bands: usize,
}

impl Raster {
    #[track_caller]
    pub fn open(path: &Path) -> Raster {
        let dataset = Dataset::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let ((width, height), bands) = (dataset.raster_size(), dataset.raster_count());
        Raster { dataset, width, height, bands }
    }

    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    pub fn geotransform(&self) -> [f64; 6] {
        self.dataset.geo_transform().unwrap()
    }

    pub fn wkt(&self) -> String {
        self.dataset.projection()
    }

    /// The authority and code of the CRS, such as `EPSG:4326`.
    pub fn authority(&self) -> String {
        self.dataset.spatial_ref().unwrap().authority().unwrap()
    }

    /// The GDAL name of a band's pixel type.
    pub fn pixel_type(&self, band: usize) -> String {
        // SAFETY: the band is open; the name is a constant of GDAL.
        unsafe { owned(c::GDALGetDataTypeName(c::GDALGetRasterDataType(self.handle(band)))) }
    }

    /// A band's pixels; 64-bit whole numbers may lose their last bits.
    pub fn pixels(&self, band: usize) -> Vec<f64> {
        self.window(band, (0, 0), self.size())
    }

    /// The pixels of a part of a band, from the column and row of its corner.
    pub fn window(&self, band: usize, corner: (usize, usize), size: (usize, usize)) -> Vec<f64> {
        let band = self.dataset.rasterband(band).unwrap();
        let corner = (corner.0 as isize, corner.1 as isize);
        band.read_as::<f64>(corner, size, size, None).unwrap().data().to_vec()
    }

    /// The one value that a part of a band has everywhere.
    #[track_caller]
    pub fn only_value(&self, band: usize, corner: (usize, usize), size: (usize, usize)) -> f64 {
        let pixels = self.window(band, corner, size);
        let others = pixels.iter().filter(|value| **value != pixels[0]).count();
        assert_eq!(others, 0, "{others} pixels are not {}", pixels[0]);
        pixels[0]
    }

    /// A band's pixels as exact whole numbers.
    pub fn exact(&self, band: usize) -> Vec<i128> {
        let source = self.dataset.rasterband(band).unwrap();
        if self.pixel_type(band) == "UInt64" {
            let pixels = source.read_as::<u64>((0, 0), self.size(), self.size(), None).unwrap();
            return pixels.data().iter().map(|&value| value.into()).collect();
        }
        if self.pixel_type(band) == "Int64" {
            let pixels = source.read_as::<i64>((0, 0), self.size(), self.size(), None).unwrap();
            return pixels.data().iter().map(|&value| value.into()).collect();
        }
        // Doubles hold every whole number of the other types; GDAL's own way from Float32 to Int64 may be one off.
        self.pixels(band).into_iter().map(|value| value as i128).collect()
    }

    /// Where a band has data, as GDAL sees it through nodata, mask or alpha: 255 or 0.
    pub fn mask(&self, band: usize) -> Vec<u8> {
        let source = self.dataset.rasterband(band).unwrap();
        let mask = source.open_mask_band().unwrap();
        mask.read_as::<u8>((0, 0), self.size(), self.size(), None).unwrap().data().to_vec()
    }

    /// Whether a mask stored with the raster says where a band has data, rather than nodata or alpha.
    pub fn has_stored_mask(&self, band: usize) -> bool {
        let flags = self.dataset.rasterband(band).unwrap().mask_flags().unwrap();
        flags.is_per_dataset() && !flags.is_alpha()
    }

    /// GDAL's checksum of a band.
    pub fn checksum(&self, band: usize) -> u16 {
        self.checksum_of(band, (0, 0), self.size())
    }

    /// GDAL's checksum of a part of a band.
    pub fn checksum_of(&self, band: usize, corner: (usize, usize), size: (usize, usize)) -> u16 {
        let band = self.dataset.rasterband(band).unwrap();
        band.checksum((corner.0 as isize, corner.1 as isize), size).unwrap()
    }

    pub fn checksums(&self) -> Vec<u16> {
        (1..=self.bands).map(|band| self.checksum(band)).collect()
    }

    pub fn nodata(&self, band: usize) -> Option<f64> {
        self.dataset.rasterband(band).unwrap().no_data_value()
    }

    /// The exact nodata value of a band of 64-bit whole numbers.
    pub fn exact_nodata(&self, band: usize) -> Option<i128> {
        let source = self.dataset.rasterband(band).unwrap();
        match self.pixel_type(band).as_str() {
            "UInt64" => source.no_data_value_u64().map(i128::from),
            _ => source.no_data_value_i64().map(i128::from),
        }
    }

    /// A band's palette.
    pub fn palette(&self, band: usize) -> Option<Vec<Color>> {
        let source = self.dataset.rasterband(band).unwrap();
        let table = source.color_table()?;
        let color = |index| {
            let entry = table.entry_as_rgb(index).unwrap();
            (entry.r, entry.g, entry.b, entry.a)
        };
        Some((0..table.entry_count()).map(color).collect())
    }

    /// What a band shows, as GDAL names it.
    pub fn shows(&self, band: usize) -> String {
        self.dataset.rasterband(band).unwrap().color_interpretation().name()
    }

    pub fn scale(&self, band: usize) -> (Option<f64>, Option<f64>) {
        let source = self.dataset.rasterband(band).unwrap();
        (source.scale(), source.offset())
    }

    pub fn unit(&self, band: usize) -> String {
        self.dataset.rasterband(band).unwrap().unit()
    }

    pub fn description(&self, band: usize) -> String {
        self.dataset.rasterband(band).unwrap().description().unwrap()
    }

    pub fn categories(&self, band: usize) -> Vec<String> {
        // GDAL reads a GeoTIFF's side file only once its place is asked for.
        let _ = self.geotransform();
        // SAFETY: the band is open; the list is GDAL's, ends with a null pointer and is only read.
        unsafe {
            let list = c::GDALGetRasterCategoryNames(self.handle(band));
            let length = if list.is_null() { 0 } else { c::CSLCount(list) };
            (0..length as usize).map(|index| owned(*list.add(index))).collect()
        }
    }

    /// A metadata item of the raster, from a domain such as `IMAGE_STRUCTURE` or the empty one.
    pub fn metadata(&self, key: &str, domain: &str) -> Option<String> {
        self.dataset.metadata_item(key, domain)
    }

    /// A metadata item of a band.
    pub fn band_metadata(&self, band: usize, key: &str, domain: &str) -> Option<String> {
        let (key, domain) = (CString::new(key).unwrap(), CString::new(domain).unwrap());
        // SAFETY: the band is open, the texts outlive the call, the answer is copied at once.
        unsafe {
            let item = c::GDALGetMetadataItem(self.handle(band), key.as_ptr(), domain.as_ptr());
            (!item.is_null()).then(|| owned(item))
        }
    }

    /// The sides of a band's blocks.
    pub fn block(&self, band: usize) -> (usize, usize) {
        self.dataset.rasterband(band).unwrap().block_size()
    }

    fn handle(&self, band: usize) -> c::GDALRasterBandH {
        // SAFETY: the dataset is open as long as `self` lives; GDAL answers null for a band that is not there.
        let handle = unsafe { c::GDALGetRasterBand(self.dataset.c_dataset(), band as i32) };
        assert!(!handle.is_null(), "there is no band {band}");
        handle
    }
}

/// # Safety
/// `text` must end with a zero byte.
unsafe fn owned(text: *const c_char) -> String {
    // SAFETY: the caller promises it.
    unsafe { CStr::from_ptr(text).to_string_lossy().into_owned() }
}
