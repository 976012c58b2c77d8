//! Documents wherever GDAL's file systems reach: files, archives, the network.

use std::ffi::CString;
use std::ptr;

use anyhow::{Context, Result};

use super::trap::{checked, trapped};

/// The first bytes of a file, at most `most`; nothing where it cannot be opened.
pub fn head(name: &str, most: usize) -> Vec<u8> {
    part(name, 0, most)
}

/// Bytes of a file from `offset` on, at most `most`; nothing where it cannot be read there.
pub fn part(name: &str, offset: u64, most: usize) -> Vec<u8> {
    let Ok(path) = CString::new(name) else { return Vec::new() };
    let mut bytes = vec![0; most];
    let read = || {
        // SAFETY: both texts end with a zero byte; the handle is used while it is open, and the buffer holds `most`
        // bytes.
        unsafe {
            let file = gdal_sys::VSIFOpenL(path.as_ptr(), c"rb".as_ptr());
            if file.is_null() {
                return 0;
            }
            let is_there = gdal_sys::VSIFSeekL(file, offset, libc::SEEK_SET) == 0;
            let read =
                if is_there { gdal_sys::VSIFReadL(bytes.as_mut_ptr().cast(), 1, most, file) } else { 0 };
            gdal_sys::VSIFCloseL(file);
            read
        }
    };
    // Whether what cannot be opened matters is found out by whoever needs it.
    let (read, _) = trapped(read);
    bytes.truncate(read);
    bytes
}

/// All bytes of a document of at most `most`.
///
/// # Errors
/// It cannot be read, or is longer.
pub fn bytes(name: &str, most: usize) -> Result<Vec<u8>> {
    let path = CString::new(name).context("the name holds a zero byte")?;
    checked("read the document", || {
        let (mut bytes, mut length) = (ptr::null_mut(), 0);
        // SAFETY: the name is NUL-terminated, and GDAL writes both results before it returns true. What it gives is
        // a block of `length` bytes of its own heap, copied and freed here.
        unsafe {
            let most_bytes = most as gdal_sys::GIntBig;
            let read =
                gdal_sys::VSIIngestFile(ptr::null_mut(), path.as_ptr(), &mut bytes, &mut length, most_bytes);
            if read == 0 || bytes.is_null() {
                anyhow::bail!("cannot be read, or is longer than {} MiB", most >> 20);
            }
            let copy = std::slice::from_raw_parts(bytes, length as usize).to_vec();
            gdal_sys::VSIFree(bytes.cast());
            Ok(copy)
        }
    })
}

/// The whole text of a document of at most `most` bytes.
///
/// # Errors
/// As [`bytes`], or it is no UTF-8.
pub fn read(name: &str, most: usize) -> Result<String> {
    String::from_utf8(bytes(name, most)?).context("is no UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.json");
        std::fs::write(&path, "{\"ä\": 1}").unwrap();
        let name = path.to_str().unwrap();
        assert_eq!(read(name, 9).unwrap(), "{\"ä\": 1}");
        assert!(read(name, 8).is_err());
        assert_eq!((head(name, 2), head(name, 20).len()), (b"{\"".to_vec(), 9));
        assert!(read(folder.path().join("none").to_str().unwrap(), 9).is_err() && head("none", 9).is_empty());
        std::fs::write(&path, b"\xff").unwrap();
        assert!(read(name, 9).unwrap_err().to_string().contains("UTF-8"));
    }
}
