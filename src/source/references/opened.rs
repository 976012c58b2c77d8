//! What an opened dataset refers to, as GDAL tells it: the second look, before any pixel is read.

use std::collections::BTreeSet;
use std::ffi::CStr;

use gdal::{Dataset, Metadata};

use super::description::{Base, may_be};
use super::{allow, follow};
use crate::source::trap::trapped;
use crate::source::trust::{folder, is_path};
use crate::source::{Problem, Trust};

/// Items of metadata by which GDAL opens further files, with their domains. All datasets have the first from files of
/// their own; the others come from drivers, too, but with a GeoTIFF from what is written in it.
const ITEMS: [(&str, &str); 3] =
    [("OVERVIEW_FILE", "OVERVIEWS"), ("X_DATASET", "GEOLOCATION"), ("Y_DATASET", "GEOLOCATION")];

/// The files of a dataset.
pub struct Opened {
    /// Those that GDAL reads with the named one.
    pub files: BTreeSet<String>,
    /// Whether the dataset's own metadata name files.
    pub names_files: bool,
}

/// Checks the files of the dataset `name`, of which `files` are known and checked.
///
/// # Errors
/// A problem of `name` where it refers to what `trust` does not allow; or of what its metadata lead to.
pub fn check_opened(
    name: &str,
    dataset: &Dataset,
    mut files: BTreeSet<String>,
    trust: Trust,
) -> Result<Opened, Problem> {
    let is_tiff = dataset.driver().short_name() == "GTiff";
    let items = if is_tiff { &ITEMS[..] } else { &ITEMS[..1] };
    let named: Vec<String> =
        items.iter().filter_map(|(item, domain)| dataset.metadata_item(item, domain)).collect();
    let folder = folder(name);
    let may_be: Vec<_> = named.iter().flat_map(|named| may_be(named, Base::Either, name, &folder)).collect();
    may_be.iter().try_for_each(|file| allow(name, file, trust))?;
    files.extend(follow(may_be, trust)?);
    // The files of a GeoTIFF are known, and asking takes GDAL long.
    if !is_tiff || !files.is_empty() || !is_path(name) {
        // Connections are what the user wrote, and say nothing of a folder.
        let has_folder = is_path(name) || name.starts_with("/vsi");
        for file in file_list(dataset).into_iter().filter(|file| file != name) {
            if has_folder && !files.contains(&file) {
                allow(name, &file, trust)?;
            }
            files.insert(file);
        }
    }
    Ok(Opened { files, names_files: !named.is_empty() })
}

/// The files that GDAL counts as a dataset's.
fn file_list(dataset: &Dataset) -> Vec<String> {
    let list = || {
        let mut files = Vec::new();
        // SAFETY: the dataset is open. GDAL gives a list that ends with a null pointer, of texts that end with a zero
        // byte, or none; it is copied and freed here.
        unsafe {
            let list = gdal_sys::GDALGetFileList(dataset.c_dataset());
            let mut next = list;
            while !next.is_null() && !(*next).is_null() {
                files.push(CStr::from_ptr(*next).to_string_lossy().into_owned());
                next = next.add(1);
            }
            gdal_sys::CSLDestroy(list);
        }
        files
    };
    // What cannot be listed is told by whoever reads it.
    trapped(list).0
}
