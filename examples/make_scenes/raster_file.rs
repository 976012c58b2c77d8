//! A GeoTIFF that is written from the top down, and read back where its end is.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use gdal::raster::{Buffer, RasterCreationOptions};
use gdal::spatial_ref::SpatialRef;
use gdal::{Dataset, DriverManager, Metadata};

/// Upper-left corner of pixel 0, 0, and the side of a ground pixel, in metres of UTM zone 31 N.
const ORIGIN: (f64, f64) = (600_000.0, 5_700_000.0);
const PIXEL: f64 = 10.0;

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Kind {
    Uint8,
    Uint16,
    Int16,
    Float32,
}

impl Kind {
    /// What the file stores for a reflectance × 10,000; never 0, which is nodata.
    pub fn stored(self, reflectance: f32) -> f32 {
        match self {
            Kind::Uint8 => (reflectance / 40.0).round().clamp(1.0, 255.0),
            Kind::Uint16 | Kind::Int16 => reflectance.round().clamp(1.0, 32767.0),
            Kind::Float32 => reflectance.max(1.0) / 10_000.0,
        }
    }
}

/// What a file is like, besides its pixels.
pub struct Layout {
    pub path: PathBuf,
    pub kind: Kind,
    /// Pixels a side, and of those on the ground how many lie below a side of one.
    pub side: usize,
    pub coarseness: usize,
    /// Ground pixels from the origin to the upper-left corner.
    pub x: usize,
    pub y: usize,
    /// What the bands are called.
    pub bands: Vec<String>,
    /// Side of a tile.
    pub block: usize,
    /// Whether GDAL compresses on every CPU.
    pub threads: bool,
}

/// A file in the making.
pub struct RasterFile {
    layout: Layout,
    dataset: Dataset,
    /// What was written last: its first row, its band, its values.
    last: (usize, usize, Vec<f32>),
}

impl RasterFile {
    /// An empty file with everything but its pixels; nodata is 0.
    pub fn create(layout: Layout) -> Result<RasterFile> {
        let Layout { path, kind, side, bands, .. } = &layout;
        let settings = RasterCreationOptions::from_iter(layout.settings());
        let driver = DriverManager::get_driver_by_name("GTiff")?;
        let (side, count) = (*side, bands.len());
        let made = match kind {
            Kind::Uint8 => {
                driver.create_with_band_type_with_options::<u8, _>(path, side, side, count, &settings)
            }
            Kind::Uint16 => {
                driver.create_with_band_type_with_options::<u16, _>(path, side, side, count, &settings)
            }
            Kind::Int16 => {
                driver.create_with_band_type_with_options::<i16, _>(path, side, side, count, &settings)
            }
            Kind::Float32 => {
                driver.create_with_band_type_with_options::<f32, _>(path, side, side, count, &settings)
            }
        };
        let mut dataset = made.with_context(|| format!("cannot make {}", path.display()))?;
        let (left, top) = (ORIGIN.0 + layout.x as f64 * PIXEL, ORIGIN.1 - layout.y as f64 * PIXEL);
        let pixel = PIXEL * layout.coarseness as f64;
        dataset.set_geo_transform(&[left, pixel, 0.0, top, 0.0, -pixel])?;
        dataset.set_spatial_ref(&SpatialRef::from_epsg(32631)?)?;
        for (number, description) in (1..).zip(bands) {
            let mut band = dataset.rasterband(number)?;
            band.set_no_data_value(Some(0.0))?;
            band.set_description(description)?;
        }
        Ok(RasterFile { layout, dataset, last: Default::default() })
    }

    /// Writes whole rows from `start` on, one plane a band.
    pub fn write(&mut self, start: usize, planes: Vec<Vec<f32>>) -> Result<()> {
        for (band, plane) in (1..).zip(planes) {
            let size = (self.layout.side, plane.len() / self.layout.side);
            let mut buffer = Buffer::new(size, plane);
            self.dataset.rasterband(band)?.write((0, start as isize), size, &mut buffer)?;
            self.last = (start, band, buffer.into_shape_and_vec().1);
        }
        Ok(())
    }

    /// Closes the file, and reads its end back: before 3.7 GDAL does not say when a write has failed.
    pub fn finish(self) -> Result<()> {
        let RasterFile { layout: Layout { path, side, .. }, dataset, last: (start, band, values) } = self;
        dataset.close().with_context(|| format!("cannot finish {}", path.display()))?;
        let size = (side, values.len() / side);
        let found =
            Dataset::open(&path)?.rasterband(band)?.read_as::<f32>((0, start as isize), size, size, None);
        let kept = found.is_ok_and(|found| found.data() == values);
        ensure!(kept, "{} was not written whole: is the disk full?", path.display());
        Ok(())
    }
}

impl Layout {
    /// GDAL's creation options.
    fn settings(&self) -> Vec<String> {
        let predictor = if self.kind == Kind::Float32 { 3 } else { 2 };
        let mut settings = vec![
            "COMPRESS=DEFLATE".to_owned(),
            "INTERLEAVE=PIXEL".into(),
            "BIGTIFF=IF_SAFER".into(),
            format!("PREDICTOR={predictor}"),
        ];
        if self.threads {
            settings.push("NUM_THREADS=ALL_CPUS".into());
        }
        if self.side > self.block {
            let side = self.block;
            settings.extend(["TILED=YES".into(), format!("BLOCKXSIZE={side}"), format!("BLOCKYSIZE={side}")]);
        }
        settings
    }
}

/// The folder, made when it is not there.
pub fn folder(path: &Path) -> Result<&Path> {
    std::fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))?;
    Ok(path)
}
