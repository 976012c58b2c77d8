//! Which bytes of a file its directories and the values of their fields take.

use std::ops::Range;

use anyhow::{Context, Result};

use super::ReadAt;
use super::parse::Reader;

/// What the directories of a file take of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// Which directory, counted from 0.
    pub directory: usize,
    /// The field whose values stand there; `None` for the directory itself.
    pub tag: Option<u16>,
    /// Its bytes.
    pub bytes: Range<u64>,
}

/// The bytes of these directories (by their positions): each one's own, then those of its fields' values in the order of
/// the fields, values inside the directory included.
///
/// # Errors
/// When a directory cannot be read, or has a field of a type that TIFF does not know or that reaches past the end.
pub fn extents(file: &(impl ReadAt + ?Sized), directories: impl Iterator<Item = u64>) -> Result<Vec<Extent>> {
    let (reader, _) = Reader::open(file)?;
    let mut found = Vec::new();
    for (directory, position) in directories.enumerate() {
        let (entries, _) = reader.entries(position)?;
        let (around, entry_bytes) = if reader.big { (16, 20) } else { (6, 12) };
        let own = position..position + around + entries.len() as u64 * entry_bytes;
        found.push(Extent { directory, tag: None, bytes: own });
        for entry in entries {
            let width = entry.any_value_bytes();
            let width =
                width.with_context(|| format!("tag {} has the unknown type {}", entry.tag, entry.kind))?;
            let length = entry.count.checked_mul(width);
            let end = length.and_then(|length| entry.position.checked_add(length));
            let end = end.filter(|&end| end <= file.size()).with_context(|| {
                format!("the {} values of tag {} reach past the end of the file", entry.count, entry.tag)
            })?;
            found.push(Extent { directory, tag: Some(entry.tag), bytes: entry.position..end });
        }
    }
    Ok(found)
}
