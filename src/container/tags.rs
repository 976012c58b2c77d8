//! The fields of a file's first directory as they stand, to tell whether two files say the same.

use anyhow::Result;

use super::parse::Reader;
use super::{ByteOrder, Fields, ReadAt};

/// Bytes that all fields together may have here: geographic keys and metadata are far smaller.
const MOST_BYTES: u64 = 1 << 20;

/// A file's byte order, width, and the fields of its only directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    /// Order of bytes.
    pub byte_order: ByteOrder,
    /// Whether it is a BigTIFF.
    pub big: bool,
    /// The fields, without those named as left out.
    pub fields: Fields,
}

/// The fields of the one directory of a file, without those whose numbers are in `without`; `None` for a file with
/// more than one directory, or with a field twice: which of the two counts is for GDAL to say.
///
/// # Errors
/// When this is no TIFF, or a field reaches past the end of the file.
pub fn tags_of_only_directory(file: &(impl ReadAt + ?Sized), without: &[u16]) -> Result<Option<Tags>> {
    let (reader, position) = Reader::open(file)?;
    let (entries, next) = reader.entries(position)?;
    if next != 0 {
        return Ok(None);
    }
    let mut fields = Fields::new();
    let mut left = MOST_BYTES;
    for entry in entries.iter().filter(|entry| !without.contains(&entry.tag)) {
        // Many fields may point to the same bytes: each alone being small is not enough.
        let field = reader.field(entry, left)?;
        left -= field.bytes.len() as u64;
        if fields.insert(entry.tag, field).is_some() {
            return Ok(None);
        }
    }
    Ok(Some(Tags { byte_order: reader.order, big: reader.big, fields }))
}

impl Tags {
    /// The floating-point values of a field.
    pub fn doubles(&self, number: u16) -> Option<Vec<f64>> {
        const DOUBLE: u16 = 12;
        let field = self.fields.get(&number).filter(|field| field.kind == DOUBLE)?;
        let value = |bytes: &[u8]| f64::from_bits(self.byte_order.number(bytes));
        Some(field.bytes.chunks_exact(8).map(value).collect())
    }
}
