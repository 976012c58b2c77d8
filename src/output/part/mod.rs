//! An unfinished output: a part file with the blocks that are stored already, and beside it an index that says how far
//! it is, so that another run can go on with it.
//!
//! The index is text, a line an entry, each behind the checksum of its text: first what the job is, then now and then
//! the blocks stored since the last entry and what they lack of sources that were left out, at last that they move up to make room for overviews. A line that a death
//! cut short does not count, nor what is behind it. Whoever works on a part holds a lock on its index.

mod entry;
mod index;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use twox_hash::XxHash3_64;

use super::leads_to::folder_of;
use crate::container::side_files::{METADATA, behind};

pub(super) use entry::{Done, Head, Moving, line};
pub use entry::{Job, Lacking};
pub(super) use index::{Index, Opened};
pub use index::{Stored, read_index};

/// How a part's file is called, behind the output's name.
pub(super) const PART: &str = ".partial";
/// How its index is called, behind the part's name.
pub(super) const INDEX: &str = ".index";

/// What begins the names of an output's parts.
pub(super) fn prefix(name: &OsStr) -> OsString {
    /// File systems allow 255 bytes, and much is put behind a part's name.
    const MOST: usize = 200;
    let mut prefix = OsString::from(".");
    if name.len() <= MOST {
        prefix.push(name);
    } else {
        // A long name's beginning may be another's, too: the checksum of the whole tells them apart.
        let checksum = format!(".{:016x}", XxHash3_64::oneshot(name.as_encoded_bytes()));
        let beginning = name.to_string_lossy();
        let end = (0..=MOST - checksum.len()).rev().find(|&end| beginning.is_char_boundary(end));
        prefix.push(&beginning[..end.unwrap_or(0)]);
        prefix.push(checksum);
    }
    prefix.push(".");
    prefix
}

/// The index that belongs to a part.
pub(super) fn index_of(part: &Path) -> PathBuf {
    behind(part, INDEX)
}

/// The part files of an output, by name, that have an index.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn beside(output: &Path) -> Result<Vec<PathBuf>> {
    let (folder, name) = (folder_of(output), output.file_name().unwrap_or_default());
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let (prefix, ending) = (prefix(name), [PART, INDEX].concat());
    let part = |name: &OsStr| {
        let (name, prefix) = (name.as_encoded_bytes(), prefix.as_encoded_bytes());
        let random = name.strip_prefix(prefix)?.strip_suffix(ending.as_bytes())?;
        // The part of an output with a longer name, such as a.tif.tif, has a point there.
        let is_part = !random.is_empty() && random.iter().all(u8::is_ascii_alphanumeric);
        is_part.then(|| name.len() - INDEX.len())
    };
    let mut parts = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        if let Some(length) = part(&name) {
            let name = name.to_string_lossy();
            parts.push(folder.join(&name[..length]));
        }
    }
    parts.sort();
    Ok(parts)
}

/// Removes what earlier runs left of an output; returns the part files.
///
/// # Errors
/// When a run is at work on one of them, or one cannot be removed.
pub fn clean(output: &Path) -> Result<Vec<PathBuf>> {
    let parts = beside(output)?;
    for part in &parts {
        let Opened::Free(index, _) = Index::open(part)? else {
            bail!("{}: a run is at work on it", part.display());
        };
        drop(index);
        remove(part)?;
    }
    Ok(parts)
}

/// Removes a part file and what was made beside it; its index has gone.
pub(super) fn remove(part: &Path) -> Result<()> {
    [part.to_owned(), behind(part, METADATA)].iter().try_for_each(|path| remove_file(path))?;
    remove_new_header(part)
}

fn remove_file(path: &Path) -> Result<()> {
    remove_if_there(path).with_context(|| format!("cannot remove {}", path.display()))
}

/// Removes a file, if there is one.
pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes the part of this very process, its index too, as far as that goes: the process is about to end.
pub fn discard(part: &Path) {
    let _ = fs::remove_file(index_of(part));
    let _ = remove(part);
}

/// Where the header of a part is made anew by a run that goes on with it.
pub fn new_header(part: &Path) -> PathBuf {
    behind(part, ".header")
}

/// Removes the header that was made anew, or what a run that died meanwhile left of it: GDAL would fail to delete half a
/// GeoTIFF before it makes a whole one.
///
/// # Errors
/// When there is one, and it cannot be removed.
pub fn remove_new_header(part: &Path) -> Result<()> {
    let header = new_header(part);
    remove_file(&behind(&header, METADATA))?;
    remove_file(&header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_that_begin_alike_have_parts_of_their_own_that_fit_into_a_name() {
        let names = ["x", "y"].map(|end| format!("{}{end}.tif", "ä".repeat(110)));
        let [one, other] = names.each_ref().map(|name| prefix(name.as_ref()));
        assert_ne!(one, other);
        let longest = one.len() + "abcdef".len() + PART.len() + ".header".len() + METADATA.len();
        assert!(longest <= 255 && one.to_str().unwrap().starts_with(".ää"), "{one:?}");
        assert_eq!(prefix("a.tif".as_ref()), ".a.tif.");
    }
}
