//! The fields of a file's first directory as they stand, to tell whether two files say the same.

use anyhow::{Context, Result, ensure};

use super::parse::Reader;
use super::{ByteOrder, ReadAt};

/// Bytes that all fields together may have here: geographic keys and metadata are far smaller.
const MOST_BYTES: u64 = 1 << 20;

/// One field of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its number.
    pub number: u16,
    /// TIFF's number of its values' type.
    pub kind: u16,
    /// How many values it has.
    pub count: u64,
    /// Its values as they stand in the file.
    pub bytes: Vec<u8>,
}

/// A file's byte order, width, and the fields of its only directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    /// Order of bytes.
    pub byte_order: ByteOrder,
    /// Whether it is a BigTIFF.
    pub big: bool,
    /// The fields, without those named as left out.
    pub tags: Vec<Tag>,
}

/// The fields of the one directory of a file, without those whose numbers are in `without`; `None` for a file with
/// more than one directory.
///
/// # Errors
/// When this is no TIFF, or a field reaches past the end of the file.
pub fn tags_of_only_directory(file: &(impl ReadAt + ?Sized), without: &[u16]) -> Result<Option<Tags>> {
    let (reader, position) = Reader::open(file)?;
    let (entries, next) = reader.entries(position)?;
    if next != 0 {
        return Ok(None);
    }
    let mut tags = Vec::with_capacity(entries.len());
    let mut left = MOST_BYTES;
    for entry in entries.iter().filter(|entry| !without.contains(&entry.tag)) {
        let width =
            entry.any_value_bytes().with_context(|| format!("tag {} has no known type", entry.tag))?;
        let length = entry.count.saturating_mul(width);
        // Many fields may point to the same bytes: each alone being small is not enough.
        ensure!(length <= left, "tag {} claims {length} bytes", entry.tag);
        left -= length;
        let bytes = reader.bytes(entry.position, length)?;
        tags.push(Tag { number: entry.tag, kind: entry.kind, count: entry.count, bytes });
    }
    Ok(Some(Tags { byte_order: reader.order, big: reader.big, tags }))
}

impl Tags {
    /// The floating-point values of a field.
    pub fn doubles(&self, number: u16) -> Option<Vec<f64>> {
        const DOUBLE: u16 = 12;
        let tag = self.tags.iter().find(|tag| tag.number == number && tag.kind == DOUBLE)?;
        let value = |bytes: &[u8]| f64::from_bits(self.byte_order.number(bytes));
        Some(tag.bytes.chunks_exact(8).map(value).collect())
    }
}
