//! The rasters in a folder.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::identify;
use super::names::Names;

/// Extensions that are a raster's: such a file is listed even when GDAL does not know what it is, because it may
/// be damaged, and a damaged raster must not be passed over.
const RASTERS: &[&str] = &[
    "asc", "bag", "bil", "bip", "bsq", "dem", "dt0", "dt1", "dt2", "ecw", "flt", "grb", "grb2", "grib",
    "grib2", "gtiff", "h5", "hdf", "hdf4", "hdf5", "he5", "hgt", "hgt.zip", "img", "j2k", "jp2", "jpx",
    "kea", "mrf", "nc", "nc4", "nitf", "ntf", "sdat", "sid", "tif", "tiff", "vrt",
];

/// Extensions of what lies beside rasters: georeferencing, statistics, documents. GDAL takes some of them for
/// rasters (a text of numbers, a page of a PDF).
const COMPANIONS: &[&str] = &[
    "aux.xml", "bpw", "clr", "cpg", "csv", "dbf", "gfw", "hdr", "html", "j2w", "jgw", "json", "md", "pdf",
    "pgw", "prj", "qml", "shp", "shx", "tfw", "tifw", "txt", "wld", "xml",
];

/// Extensions of files that GDAL keeps beside a raster of the same name and reads with it: overviews and masks
/// follow the whole name (`a.tif.ovr`), Erdas' files its stem.
const PARTS: &[&str] = &["ovr", "msk", "aux", "rrd"];

/// Adds every raster in the folder and in the folders inside, sorted by path. A folder that is itself a raster (an
/// Arc/Info grid, a Zarr array) is added as one.
pub(super) fn add_rasters(found: &mut Names, folder: &Path) {
    let mut rasters = Vec::new();
    collect(found, folder, &mut rasters, &mut HashSet::new());
    rasters.sort();
    rasters.iter().for_each(|path| found.add_path(path));
}

/// Collects the rasters below a folder. Links are followed, each folder once.
fn collect(found: &mut Names, folder: &Path, rasters: &mut Vec<PathBuf>, seen: &mut HashSet<PathBuf>) {
    if !fs::canonicalize(folder).is_ok_and(|real| seen.insert(real)) {
        return;
    }
    if identify::is_raster(folder.as_os_str().as_bytes()) {
        return rasters.push(folder.to_owned());
    }
    let entries = match entries(folder) {
        Ok(entries) => entries,
        Err(error) => {
            return found.problem(&folder.to_string_lossy(), format!("the folder cannot be read: {error}"));
        }
    };
    let names: HashSet<&OsStr> = entries.iter().map(|(name, _)| name.as_os_str()).collect();
    let stems: HashSet<&OsStr> =
        names.iter().filter(|name| !is_part(name)).filter_map(|name| Path::new(name).file_stem()).collect();
    for (name, is_folder) in &entries {
        let path = folder.join(name);
        if name.as_bytes().starts_with(b".") {
            continue;
        } else if *is_folder {
            collect(found, &path, rasters, seen);
        } else if !is_beside(name, &names, &stems) && is_raster(&path) {
            rasters.push(path);
        }
    }
}

/// Names in a folder, and whether each is a folder or a link to one.
fn entries(folder: &Path) -> io::Result<Vec<(OsString, bool)>> {
    let read = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        let kind = entry.file_type()?;
        Ok((entry.file_name(), kind.is_dir() || kind.is_symlink() && entry.path().is_dir()))
    };
    fs::read_dir(folder)?.map(read).collect()
}

fn is_part(name: &OsStr) -> bool {
    has_extension(name, PARTS)
}

/// Whether a file only accompanies another one.
fn is_beside(name: &OsStr, names: &HashSet<&OsStr>, stems: &HashSet<&OsStr>) -> bool {
    if has_extension(name, COMPANIONS) {
        return true;
    }
    let stem = Path::new(name).file_stem().unwrap_or(name);
    is_part(name) && (names.contains(stem) || stems.contains(stem))
}

fn is_raster(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    has_extension(name, RASTERS) || identify::is_raster(path.as_os_str().as_bytes())
}

fn has_extension(name: &OsStr, extensions: &[&str]) -> bool {
    let name = name.as_bytes().to_ascii_lowercase();
    extensions.iter().any(|extension| {
        let stem = name.strip_suffix(extension.as_bytes()).and_then(|rest| rest.strip_suffix(b"."));
        stem.is_some_and(|stem| !stem.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gdal::DriverManager;
    use std::os::unix::fs::symlink;

    fn raster(path: &Path, driver: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let driver = DriverManager::get_driver_by_name(driver).unwrap();
        let pixels = DriverManager::get_driver_by_name("MEM").unwrap().create("", 2, 2, 1).unwrap();
        pixels.create_copy(&driver, path, &Default::default()).unwrap().flush_cache().unwrap();
    }

    fn rasters_in(folder: &Path) -> (Vec<String>, Vec<String>) {
        let mut found = Names::default();
        add_rasters(&mut found, folder);
        let inside = |name: &String| name.strip_prefix(folder.to_str().unwrap()).unwrap()[1..].to_owned();
        (found.names.iter().map(inside).collect(), found.problems.into_iter().map(|p| p.message).collect())
    }

    #[test]
    fn every_raster_inside_is_listed_and_nothing_that_accompanies_one() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        raster(&at("b.tif"), "GTiff");
        raster(&at("deep/er/a.TIF"), "GTiff");
        raster(&at("no_ending"), "PNG");
        raster(&at(".hidden.tif"), "GTiff");
        raster(&at("b.tif.ovr"), "GTiff");
        raster(&at("b.tif.msk"), "GTiff");
        raster(&at("lonely.msk"), "GTiff");
        fs::write(at("damaged.tif"), "").unwrap();
        fs::write(at("b.tfw"), "1\n0\n0\n-1\n0\n0\n").unwrap();
        fs::write(at("points.txt"), "0 0 1\n1 0 2\n0 1 3\n1 1 4\n").unwrap();
        fs::write(at("b.tif.aux.xml"), "<PAMDataset/>").unwrap();
        fs::write(at("README"), "about").unwrap();
        let (names, problems) = rasters_in(folder.path());
        assert_eq!(names, ["b.tif", "damaged.tif", "deep/er/a.TIF", "lonely.msk", "no_ending"]);
        assert!(problems.is_empty());
    }

    #[test]
    fn links_are_followed_each_folder_once() {
        let folder = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        raster(&other.path().join("far.tif"), "GTiff");
        symlink(other.path(), folder.path().join("link")).unwrap();
        symlink(folder.path(), folder.path().join("loop")).unwrap();
        assert_eq!(rasters_in(folder.path()).0, ["link/far.tif"]);
    }

    #[test]
    fn a_name_that_is_not_utf8_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(OsStr::from_bytes(b"a\xff.tif")), "").unwrap();
        let mut found = Names::default();
        add_rasters(&mut found, folder.path());
        assert!(found.names.is_empty());
        assert!(found.problems[0].input.contains("a\\xFF.tif"), "{:?}", found.problems);
    }

    #[test]
    fn ten_thousand_files_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        for index in 0..10_000 {
            fs::write(
                folder.path().join(format!("{index:05}.{}", if index % 20 == 0 { "dat" } else { "tif" })),
                "x",
            )
            .unwrap();
        }
        let (names, _) = rasters_in(folder.path());
        assert_eq!((names.len(), names[1].as_str()), (9_500, "00002.tif"));
    }
}
