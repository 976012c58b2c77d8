//! Documents and lists of files, wherever GDAL's file systems reach: folders, zip archives, the network.

use std::ffi::CString;
use std::path::Path;
use std::ptr;

use anyhow::{Context, Result};

use crate::source::trap::checked;

/// No document about scenes is longer; a name that leads to something else must not fill the memory.
const LONGEST: i64 = 256 << 20;

/// The whole text of a document.
///
/// # Errors
/// It cannot be read, is longer than 256 MiB or no UTF-8.
pub fn read(name: &str) -> Result<String> {
    let path = CString::new(name).context("the name holds a zero byte")?;
    let bytes = checked("read the document", || {
        let (mut bytes, mut length) = (ptr::null_mut(), 0);
        // SAFETY: the name is NUL-terminated, and GDAL writes both results before it returns true. What it gives is
        // a block of `length` bytes of its own heap, copied and freed here.
        unsafe {
            let read =
                gdal_sys::VSIIngestFile(ptr::null_mut(), path.as_ptr(), &mut bytes, &mut length, LONGEST);
            if read == 0 || bytes.is_null() {
                anyhow::bail!("cannot be read, or is longer than {} MiB", LONGEST >> 20);
            }
            let copy = std::slice::from_raw_parts(bytes, length as usize).to_vec();
            gdal_sys::VSIFree(bytes.cast());
            Ok(copy)
        }
    })?;
    String::from_utf8(bytes).context("is no UTF-8")
}

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
    fn documents_are_read_whole_and_folders_listed_deeply() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("inside")).unwrap();
        let path = folder.path().join("inside/some.json");
        std::fs::write(&path, "{\"ä\": 1}").unwrap();
        let name = path.to_str().unwrap();
        assert_eq!(read(name).unwrap(), "{\"ä\": 1}");
        assert_eq!(files_below(folder.path().to_str().unwrap()).unwrap(), [name]);
        assert!(read(folder.path().join("none").to_str().unwrap()).is_err());
        std::fs::write(&path, b"\xff").unwrap();
        assert!(read(name).unwrap_err().to_string().contains("UTF-8"));
    }
}
