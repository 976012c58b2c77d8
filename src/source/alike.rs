//! Inputs that say what another input says, word for word: GDAL has judged one, and the others are known without
//! opening a dataset each.
//!
//! Two GeoTIFFs are alike when their only directories have the same fields but for size, place of blocks and
//! tiepoint, and when no other file lies beside either that GDAL could read as belonging to it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::direct::DirectLayout;
use super::{FileReader, Source, Stamp, Storage};
use crate::container::{self, Tags};
use crate::geometry::{Footprint, GeoTransform, Size};

#[cfg(test)]
mod tests;

/// Fields that may differ, beside the tiepoint: columns, rows, places and sizes of strips and tiles.
const MAY_DIFFER: [u16; 6] = [256, 257, 273, 279, 324, 325];
/// ModelTiepointTag (GeoTIFF 1.1, section 7.5): column, row, 0, x, y, 0.
const TIEPOINT: u16 = 33922;
/// ModelPixelScaleTag.
const PIXEL_SCALE: u16 = 33550;

/// An input that GDAL has judged, to compare others with.
pub struct Model {
    /// What GDAL says of it.
    pub(super) source: Source,
    says: Option<Says>,
    folders: Folders,
}

/// How a file says what GDAL says of it.
struct Says {
    tags: Tags,
    /// Whether GDAL moved the tiepoint by half a pixel, as it does where a pixel is a point.
    half_pixel: f64,
}

impl Model {
    /// A model of `source`.
    pub fn of(source: Source) -> Model {
        let folders = Folders::default();
        let says = Says::of(&source, &folders);
        Model { source, says, folders }
    }

    /// What is known of `name`, when it says what the model says.
    pub(super) fn describe(&self, name: &str) -> Option<Source> {
        let says = self.says.as_ref()?;
        if !self.folders.is_alone(name) {
            return None;
        }
        let file = FileReader::open(name.as_ref()).ok()?;
        let (tags, tiepoint) = say(&file)?;
        if tags != says.tags {
            return None;
        }
        let directory = container::directories(&file).ok()?.into_iter().next()?;
        // One that is cut short is told about by the long way.
        let (None, largest) = container::check_blocks_inside(&file, &directory).ok()? else { return None };
        let geotransform = place(&tags, tiepoint, says.half_pixel)?;
        let direct = DirectLayout::of(&directory, directory.size, &self.source.bands).ok()?;
        let storage = Storage {
            block: Size::new(direct.block.columns, direct.block.rows),
            block_bytes: direct.block_bytes(),
            encoded_bytes: largest as usize,
            ..self.source.storage
        };
        let footprint = Footprint {
            bounds: geotransform.bounds(directory.size),
            size: directory.size,
            ..self.source.footprint
        };
        Some(Source {
            name: name.into(),
            size: directory.size,
            geotransform,
            footprint,
            direct: Ok(direct),
            storage,
            stamp: Stamp::of(name),
            ..self.source.clone()
        })
    }
}

impl Says {
    /// Nothing when others cannot be judged by this one.
    fn of(source: &Source, folders: &Folders) -> Option<Says> {
        let warped = source.footprint.bounds != source.geotransform.bounds(source.size);
        if warped || source.mask || source.direct.is_err() || !folders.is_alone(&source.name) {
            return None;
        }
        let file = FileReader::open(source.name.as_ref().as_ref()).ok()?;
        let (tags, tiepoint) = say(&file)?;
        // GDAL's geotransform must follow from the tiepoint in one of the two ways that the standard knows.
        let follows = |half| place(&tags, tiepoint, half).is_some_and(|found| found == source.geotransform);
        let half_pixel = [0.0, 0.5].into_iter().find(|&half| follows(half))?;
        Some(Says { tags, half_pixel })
    }
}

/// What a file says, its tiepoint apart.
fn say(file: &FileReader) -> Option<(Tags, [f64; 6])> {
    let mut tags = container::tags_of_only_directory(file, &MAY_DIFFER).ok()??;
    let tiepoint = tags.doubles(TIEPOINT)?.try_into().ok()?;
    tags.fields.remove(&TIEPOINT);
    Some((tags, tiepoint))
}

/// The geotransform of a tiepoint and a pixel scale (GeoTIFF 1.1, annex B.6), north up.
fn place(tags: &Tags, tiepoint: [f64; 6], half_pixel: f64) -> Option<GeoTransform> {
    let scale = tags.doubles(PIXEL_SCALE)?;
    let (scale_x, scale_y) = (*scale.first()?, *scale.get(1)?);
    let [column, row, _, x, y, _] = tiepoint;
    let mut coefficients = [x - column * scale_x, scale_x, 0.0, y + row * scale_y, 0.0, -scale_y];
    if half_pixel != 0.0 {
        coefficients[0] -= scale_x * half_pixel;
        coefficients[3] += scale_y * half_pixel;
    }
    Some(GeoTransform(coefficients))
}

/// The names in the folders of the inputs, each folder read once.
#[derive(Default)]
struct Folders {
    listed: Mutex<HashMap<PathBuf, Arc<Vec<String>>>>,
}

impl Folders {
    /// Whether no other file begins with this one's name up to its last dot: none that GDAL could take as belonging
    /// to it (statistics, masks, overviews, world files).
    fn is_alone(&self, name: &str) -> bool {
        let path = Path::new(name);
        let (Some(stem), Some(folder)) = (path.file_stem().and_then(|stem| stem.to_str()), path.parent())
        else {
            return false;
        };
        let beginning = format!("{stem}.");
        let names = self.names(folder);
        let first = names.partition_point(|other| *other < beginning);
        let same = names[first..].iter().take_while(|other| other.starts_with(&beginning)).take(2);
        same.count() == 1
    }

    /// The sorted names in a folder; empty when it cannot be read.
    fn names(&self, folder: &Path) -> Arc<Vec<String>> {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = listed.get(folder) {
            return Arc::clone(names);
        }
        let path = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        let names = Arc::new(names);
        listed.insert(folder.to_owned(), Arc::clone(&names));
        names
    }
}
