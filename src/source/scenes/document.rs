//! Names of files and lists of them, wherever GDAL's file systems reach: folders, zip archives, the network.

use std::path::Path;

use anyhow::Result;

use crate::source::trap::checked;

/// The files below a folder or in an archive, by names that GDAL opens, sorted.
///
/// # Errors
/// It cannot be listed.
pub fn files_below(folder: &str) -> Result<Vec<String>> {
    let listed = checked("list the files", || Ok(gdal::vsi::read_dir(Path::new(folder), true)?))?;
    let inside = listed.iter().filter_map(|path| path.to_str()).filter(|path| !path.ends_with('/'));
    let mut files: Vec<_> = inside.map(|path| format!("{folder}/{path}")).collect();
    files.sort();
    Ok(files)
}

/// The last part of a name, without what an address asks for behind a question mark.
pub fn file_name(name: &str) -> &str {
    let name = match name.starts_with("/vsicurl") {
        true => name.split('?').next().unwrap_or(name),
        false => name,
    };
    name.trim_end_matches('/').rsplit('/').next().unwrap_or(name)
}

/// The last part of a name without its extension.
pub fn stem(name: &str) -> &str {
    let name = file_name(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}

/// Everything in front of the last part of a name; empty where it has only one.
pub fn folder(name: &str) -> &str {
    name.trim_end_matches('/').rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder of a file, as a name that can be listed.
pub fn own_folder(name: &str) -> &str {
    match folder(name) {
        "" => ".",
        folder => folder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(stem("/data/S2_B04.tif"), "S2_B04");
        assert_eq!(stem("HLS.S30.v2.0.B8A.tif"), "HLS.S30.v2.0.B8A");
        assert_eq!(stem("/vsicurl/https://host/a/B04.tif?sig=x/y.z"), "B04");
        assert_eq!(file_name("/data/S2A.SAFE/"), "S2A.SAFE");
        assert_eq!(
            (folder("/data/a.tif"), folder("a.tif"), folder("/data/S2A.SAFE/")),
            ("/data", "", "/data")
        );
    }

    #[test]
    fn folders_are_listed_deeply() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("inside")).unwrap();
        let path = folder.path().join("inside/some.json");
        std::fs::write(&path, "").unwrap();
        assert_eq!(files_below(folder.path().to_str().unwrap()).unwrap(), [path.to_str().unwrap()]);
    }
}
