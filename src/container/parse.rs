//! From bytes to directories.

use std::collections::HashSet;

use anyhow::{Context, Result, bail, ensure};

use super::{ArrayPlace, ByteOrder, Directory, Field, Fields, ReadAt};
use crate::geometry::Size;

/// Directories that a file may have; GDAL's limit too.
const MOST_DIRECTORIES: usize = 65_535;
/// Entries that a directory may have: what classic TIFF can count.
const MOST_ENTRIES: u64 = 65_535;
/// Entries that all directories together may have. Directories can overlap, so that a file of a megabyte could claim
/// billions, which those who look at each would hold or read.
const MOST_ENTRIES_IN_ALL: usize = 1 << 21;

/// All directories of the main chain, in file order: the image first, then its mask and overviews.
///
/// # Errors
/// When this is no TIFF, when the chain loops or holds absurdly much, or when anything it says reaches past the end of
/// the file.
pub fn directories(file: &(impl ReadAt + ?Sized)) -> Result<Vec<Directory>> {
    let (reader, mut position) = Reader::open(file)?;
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut all = 0;
    while position != 0 {
        ensure!(seen.insert(position), "the TIFF directories form a loop at byte {position}");
        ensure!(found.len() < MOST_DIRECTORIES, "more than {MOST_DIRECTORIES} TIFF directories");
        let (entries, next) = reader
            .entries(position)
            .with_context(|| format!("TIFF directory {} at byte {position}", found.len() + 1))?;
        all += entries.len();
        ensure!(
            all <= MOST_ENTRIES_IN_ALL,
            "the TIFF directories have more than {MOST_ENTRIES_IN_ALL} entries"
        );
        let directory = reader
            .directory(position, &entries)
            .with_context(|| format!("TIFF directory {} at byte {position}", found.len() + 1))?;
        found.push(directory);
        position = next;
    }
    ensure!(!found.is_empty(), "a TIFF without any directory");
    Ok(found)
}

/// All directories of the main chain as fields, read verbatim.
///
/// # Errors
/// As [`directories`]; also when a field has a kind of values that TIFF does not know.
pub fn fields_of_directories(file: &(impl ReadAt + ?Sized)) -> Result<Vec<Fields>> {
    let (reader, _) = Reader::open(file)?;
    directories(file)?
        .iter()
        .map(|directory| {
            let (entries, _) = reader.entries(directory.position)?;
            entries.iter().map(|entry| Ok((entry.tag, reader.field(entry, u64::MAX)?))).collect()
        })
        .collect()
}

/// One field of a directory.
pub(super) struct Entry {
    pub tag: u16,
    pub kind: u16,
    pub count: u64,
    /// Where its values stand, for the kinds that TIFF knows.
    pub position: u64,
}

impl Entry {
    /// Bytes of one value, for the kinds that TIFF knows.
    pub fn any_value_bytes(&self) -> Option<u64> {
        match self.kind {
            1 | 2 | 6 | 7 => Some(1),
            3 | 8 => Some(2),
            4 | 9 | 11 | 13 => Some(4),
            5 | 10 | 12 | 16 | 17 | 18 => Some(8),
            _ => None,
        }
    }

    /// Bytes of one value, for the kinds that are whole numbers.
    fn value_bytes(&self) -> Option<u64> {
        match self.kind {
            1 => Some(1),
            3 => Some(2),
            4 | 13 => Some(4),
            16 | 18 => Some(8),
            _ => None,
        }
    }
}

/// Numbers of a file of known byte order and width.
pub(super) struct Reader<'a, R: ?Sized> {
    file: &'a R,
    pub order: ByteOrder,
    pub big: bool,
}

impl<'a, R: ReadAt + ?Sized> Reader<'a, R> {
    /// Reads the header; also gives the place of the first directory.
    pub fn open(file: &'a R) -> Result<(Self, u64)> {
        ensure!(file.size() >= 8, "no TIFF: only {} bytes long", file.size());
        let mut header = [0; 8];
        file.read_at(0, &mut header)?;
        let order = match &header[..2] {
            b"II" => ByteOrder::Little,
            b"MM" => ByteOrder::Big,
            _ => bail!("no TIFF: it starts with neither II nor MM"),
        };
        let mut reader = Reader { file, order, big: false };
        match order.number(&header[2..4]) {
            42 => Ok((reader, order.number(&header[4..]))),
            43 => {
                let widths = (order.number(&header[4..6]), order.number(&header[6..]));
                ensure!(widths == (8, 0), "a BigTIFF whose offsets are not 8 bytes wide");
                reader.big = true;
                let first = reader.number(8, 8)?;
                Ok((reader, first))
            }
            other => bail!("no TIFF: its version is {other}, neither 42 nor 43"),
        }
    }

    /// `length` bytes at `position`, when the file has them.
    pub fn bytes(&self, position: u64, length: u64) -> Result<Vec<u8>> {
        let inside = position.checked_add(length).is_some_and(|end| end <= self.file.size());
        ensure!(inside, "{length} bytes at byte {position} reach past the end ({} bytes)", self.file.size());
        let mut bytes = vec![0; usize::try_from(length)?];
        self.file.read_at(position, &mut bytes)?;
        Ok(bytes)
    }

    fn number(&self, position: u64, width: u64) -> Result<u64> {
        Ok(self.order.number(&self.bytes(position, width)?))
    }

    /// The entries of the directory at `position`, and the place of the next one (0: none).
    pub fn entries(&self, position: u64) -> Result<(Vec<Entry>, u64)> {
        // Widths of the entry count, of one entry, and of an offset.
        let (count_bytes, entry_bytes, offset_bytes) = if self.big { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.number(position, count_bytes)?;
        ensure!(count <= MOST_ENTRIES, "{count} entries are more than a directory can have");
        let start = position + count_bytes;
        let table = self.bytes(start, count * entry_bytes)?;
        let mut entries = Vec::new();
        for (index, bytes) in table.chunks_exact(entry_bytes as usize).enumerate() {
            let value = start + index as u64 * entry_bytes + 4 + offset_bytes;
            entries.push(self.entry(bytes, value, offset_bytes));
        }
        let next = self.number(start + count * entry_bytes, offset_bytes)?;
        Ok((entries, next))
    }

    /// Decodes one entry, whose value field stands at byte `value` of the file.
    fn entry(&self, bytes: &[u8], value: u64, offset_bytes: u64) -> Entry {
        let number = |from: usize, width: u64| self.order.number(&bytes[from..from + width as usize]);
        let mut entry = Entry {
            tag: number(0, 2) as u16,
            kind: number(2, 2) as u16,
            count: number(4, offset_bytes),
            position: value,
        };
        // Values that fit in the field stand there; otherwise the field says where they are.
        let inline = entry.any_value_bytes().and_then(|width| width.checked_mul(entry.count));
        if inline.is_none_or(|length| length > offset_bytes) {
            entry.position = number(4 + offset_bytes as usize, offset_bytes);
        }
        entry
    }

    /// Up to `most` values of an entry.
    fn values(&self, entry: &Entry, most: u64) -> Result<Vec<u64>> {
        let Some(width) = entry.value_bytes() else {
            bail!("tag {} holds no whole numbers (type {})", entry.tag, entry.kind);
        };
        let count = entry.count.min(most);
        let bytes = self
            .bytes(entry.position, count * width)
            .with_context(|| format!("the values of tag {}", entry.tag))?;
        Ok(bytes.chunks_exact(width as usize).map(|value| self.order.number(value)).collect())
    }

    /// An entry with its values as they stand in the file, of at most so many bytes.
    pub fn field(&self, entry: &Entry, most: u64) -> Result<Field> {
        let width = entry.any_value_bytes();
        let width =
            width.with_context(|| format!("tag {} has the unknown type {}", entry.tag, entry.kind))?;
        let length = entry.count.saturating_mul(width);
        ensure!(length <= most, "tag {} claims {length} bytes", entry.tag);
        Ok(Field { kind: entry.kind, count: entry.count, bytes: self.bytes(entry.position, length)? })
    }

    fn directory(&self, position: u64, entries: &[Entry]) -> Result<Directory> {
        let find = |tag: u16| entries.iter().find(|entry| entry.tag == tag);
        let first = |tag: u16| -> Result<Option<u64>> {
            let Some(entry) = find(tag) else { return Ok(None) };
            Ok(self.values(entry, 1)?.first().copied())
        };
        let short = |tag: u16, default: u16| -> Result<u16> {
            let value = first(tag)?.unwrap_or(default.into());
            u16::try_from(value).with_context(|| format!("tag {tag} is {value}"))
        };
        let side = |tag: u16| -> Result<usize> {
            let value = first(tag)?.with_context(|| format!("tag {tag} is missing"))?;
            ensure!((1..=i32::MAX as u64).contains(&value), "tag {tag}, a side in pixels, is {value}");
            Ok(value as usize)
        };
        let size = Size::new(side(256)?, side(257)?);
        let samples = short(277, 1)?;
        ensure!(samples >= 1, "a pixel has no samples");
        let tiled = find(322).is_some() || find(323).is_some();
        let block = if tiled {
            Size::new(side(322)?, side(323)?)
        } else {
            let rows = first(278)?.unwrap_or(u64::MAX).min(size.rows as u64);
            ensure!(rows >= 1, "a strip has no rows");
            Size::new(size.columns, rows as usize)
        };
        // Some writers keep the places of tiles under the tags of strips; which of both counts, readers do not agree.
        for (of_strips, of_tiles) in [(273, 324), (279, 325)] {
            let both = find(of_strips).is_some() && find(of_tiles).is_some();
            ensure!(!both, "tags {of_strips} and {of_tiles} both say where blocks are");
        }
        let (offsets, byte_counts) = (find(324).or(find(273)), find(325).or(find(279)));
        let extra_samples = match find(338) {
            Some(entry) => self.values(entry, samples.into())?.into_iter().map(|v| v as u16).collect(),
            None => Vec::new(),
        };
        Ok(Directory {
            position,
            byte_order: self.order,
            big: self.big,
            size,
            block,
            tiled,
            samples,
            bits_per_sample: self.common(find(258), samples)?,
            sample_format: self.common(find(339), samples)?,
            compression: short(259, 1)?,
            predictor: short(317, 1)?,
            planar: short(284, 1)? == 2,
            photometric: short(262, 1)?,
            extra_samples,
            fill_order: short(266, 1)?,
            subfile_type: first(254)?.unwrap_or(0) as u32,
            offsets: self.place(offsets)?,
            byte_counts: self.place(byte_counts)?,
        })
    }

    /// The one value that all samples share (1 by default), or 0.
    fn common(&self, entry: Option<&Entry>, samples: u16) -> Result<u16> {
        let Some(entry) = entry else { return Ok(1) };
        let values = self.values(entry, samples.into())?;
        let Some(&first) = values.first() else { return Ok(1) };
        let same = values.iter().all(|value| *value == first);
        Ok(if same { u16::try_from(first).unwrap_or(0) } else { 0 })
    }

    /// Where an array of offsets or sizes lies; an empty place when there is none.
    fn place(&self, entry: Option<&Entry>) -> Result<ArrayPlace> {
        let Some(entry) = entry else { return Ok(ArrayPlace { position: 0, count: 0, entry_bytes: 4 }) };
        let entry_bytes = match entry.value_bytes() {
            Some(width @ (2 | 4 | 8)) => width,
            _ => bail!("tag {} has type {}, which cannot hold places of blocks", entry.tag, entry.kind),
        };
        let end = entry.count.checked_mul(entry_bytes).and_then(|length| length.checked_add(entry.position));
        let size = self.file.size();
        ensure!(
            end.is_some_and(|end| end <= size),
            "the {} values of tag {} at byte {} reach past the end ({size} bytes)",
            entry.count,
            entry.tag,
            entry.position
        );
        Ok(ArrayPlace { position: entry.position, count: entry.count, entry_bytes })
    }
}
