//! Scenes found among files that GDAL wrote.

mod folders;
mod products;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gdal::DriverManager;
use tempfile::TempDir;

use super::*;

/// A folder of rasters, which vanishes with it.
pub struct Disk(pub TempDir);

impl Disk {
    pub fn new() -> Disk {
        Disk(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A GeoTIFF whose bands have these descriptions.
    pub fn raster(&self, name: &str, bands: &[&str], metadata: &[(&str, &str)]) -> &Disk {
        use gdal::Metadata;
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
        let mut dataset = driver.create(&path, 4, 4, bands.len()).unwrap();
        dataset.set_geo_transform(&[0.0, 10.0, 0.0, 40.0, 0.0, -10.0]).unwrap();
        for (index, description) in bands.iter().enumerate() {
            dataset.rasterband(index + 1).unwrap().set_description(description).unwrap();
        }
        for (key, value) in metadata {
            dataset.set_metadata_item(key, value, "").unwrap();
        }
        dataset.flush_cache().unwrap();
        self
    }

    /// A file that need not be a raster, since only its name is looked at.
    pub fn file(&self, name: &str, text: &str) -> &Disk {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub fn find(&self, inputs: &[&str], asked: &Asked) -> Result<Found, Vec<Problem>> {
        let whole = |input: &&str| self.path(input).to_str().unwrap().to_owned();
        find(&inputs.iter().map(whole).collect::<Vec<_>>(), asked, io::empty())
    }

    pub fn inside(&self, name: &str) -> String {
        let inside = Path::new(name).strip_prefix(self.0.path()).map(|path| path.to_str().unwrap());
        inside.unwrap_or(name).to_owned()
    }

    /// The scenes' names, and the file and number of each of their bands, with the mask behind.
    pub fn scenes(&self, found: &Found) -> Vec<(String, Vec<(String, usize)>)> {
        let band = |band: &BandFile| (self.inside(&band.file), band.band);
        let bands = |scene: &Scene| scene.bands.iter().chain(&scene.mask).map(band).collect();
        found.scenes.iter().map(|scene| (self.inside(&scene.name), bands(scene))).collect()
    }
}

pub fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub fn scene(name: &str, bands: &[(&str, usize)]) -> (String, Vec<(String, usize)>) {
    (name.into(), bands.iter().map(|(file, band)| ((*file).into(), *band)).collect())
}

pub fn day(month: u32, day: u32) -> Option<Date> {
    Date::from_ymd_opt(2024, month, day)
}
