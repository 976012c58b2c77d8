//! The sources that are read a second time, and kept open for the next areas.

use anyhow::{Context, Result};

use super::read::OpenSource;
use crate::pixels::PixelType;
use crate::source::Mosaic;
use crate::source::watch::about_to_read;

/// Open sources, the one used last at the end; beyond `most` the one unused for longest is closed, and with it go its
/// blocks in GDAL's cache.
pub(super) struct OpenSources<'a> {
    pub mosaic: &'a Mosaic,
    unit: usize,
    most: usize,
    open: Vec<(usize, OpenSource<'a>)>,
}

impl<'a> OpenSources<'a> {
    /// None yet; what is resampled will be read in squares of side `unit`.
    pub fn new(mosaic: &'a Mosaic, unit: usize, most: usize) -> OpenSources<'a> {
        OpenSources { mosaic, unit, most, open: Vec::new() }
    }

    /// The source with this index in the mosaic, to read pixels of a type, which is the same each time.
    ///
    /// # Errors
    /// When it cannot be opened; the message names it.
    pub fn get(&mut self, index: usize, pixel_type: PixelType) -> Result<&OpenSource<'a>> {
        let placed = &self.mosaic.sources[index];
        let source = match self.open.iter().position(|(open, _)| *open == index) {
            Some(position) => {
                about_to_read(&placed.source.name);
                self.open.remove(position).1
            }
            None => {
                while self.open.len() >= self.most.max(1) {
                    self.open.remove(0);
                }
                OpenSource::open(self.mosaic, placed, pixel_type, self.unit)
                    .with_context(|| placed.source.name.to_string())?
            }
        };
        self.open.push((index, source));
        Ok(&self.open.last().expect("pushed just now").1)
    }

    /// Closes all.
    pub fn close(&mut self) {
        self.open.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::geometry::Window;
    use crate::source::sample::request;
    use crate::source::{Trust, inspect, unify};

    /// A mosaic of two rasters side by side.
    fn mosaic(folder: &std::path::Path) -> Mosaic {
        let sources = [0.0, 8.0].map(|x| {
            let path = folder.join(format!("{x}.tif"));
            let driver = gdal::DriverManager::get_driver_by_name("GTiff").unwrap();
            let mut raster = driver.create(&path, 8, 8, 1).unwrap();
            raster.set_geo_transform(&[x, 1.0, 0.0, 8.0, 0.0, -1.0]).unwrap();
            drop(raster);
            Arc::new(inspect(path.to_str().unwrap(), None, None, Trust::default()).unwrap().0)
        });
        unify(&sources, &request()).0.expect("they fit")
    }

    #[test]
    fn as_many_sources_stay_open_as_are_allowed() {
        for most in [1, 2] {
            let folder = tempfile::tempdir().unwrap();
            let mosaic = mosaic(folder.path());
            let mut sources = OpenSources::new(&mosaic, 8, most);
            for index in [0, 1] {
                sources.get(index, PixelType::Byte).unwrap();
            }
            for entry in std::fs::read_dir(folder.path()).unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
            let second = sources.get(1, PixelType::Byte).unwrap();
            assert_eq!(second.read(Window::new(8, 0, 8, 8)).unwrap().covered.len(), 64);
            assert_eq!(sources.get(0, PixelType::Byte).is_ok(), most == 2);
            sources.close();
            assert!(sources.get(1, PixelType::Byte).is_err());
        }
    }
}
