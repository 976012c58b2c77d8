//! Enters written blocks into the offset and size arrays of a file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::Container;
use crate::container::{ArrayPlace, ByteOrder};

/// Which image of the file a block belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Plane {
    /// The pixels.
    Image,
    /// The 1-bit mask.
    Mask,
}

/// A block's place: the level, the plane, and the place in its arrays
/// ([`crate::container::Directory::block_index`]). Ordered as the directories stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId {
    /// 0 for full resolution, 1 for the largest overview, and so on.
    pub level: u8,
    /// Which image.
    pub plane: Plane,
    /// Which of its blocks.
    pub index: u64,
}

/// A block that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRecord {
    /// Which one.
    pub id: BlockId,
    /// Its first byte in the file.
    pub offset: u64,
    /// Its bytes in the file.
    pub size: u32,
    /// xxh3-64 of its bytes.
    pub checksum: u64,
}

/// Unwritten blocks between two written ones that are rewritten as such rather than skipped: their entries are
/// zero anyway, and one larger write is cheaper than two.
const LARGEST_GAP: u64 = 512;
/// Bytes that are gathered before they are written.
const GATHERED: usize = 1 << 18;

/// Enters blocks, which are sorted by their id, each id once; all of them belong to the file.
pub(super) fn enter_blocks(file: &File, container: &Container, records: &[BlockRecord]) -> io::Result<()> {
    for records in records.chunk_by(|a, b| (a.id.level, a.id.plane) == (b.id.level, b.id.plane)) {
        let Some(directory) = container.directory(records[0].id) else { continue };
        let order = directory.byte_order;
        let offsets = records.iter().map(|record| (record.id.index, record.offset));
        enter(file, directory.offsets, order, offsets)?;
        let sizes = records.iter().map(|record| (record.id.index, record.size.into()));
        enter(file, directory.byte_counts, order, sizes)?;
    }
    Ok(())
}

/// Writes values into an array at growing places.
fn enter(
    file: &File,
    place: ArrayPlace,
    order: ByteOrder,
    values: impl Iterator<Item = (u64, u64)>,
) -> io::Result<()> {
    let width = place.entry_bytes as usize;
    let mut gathered: Vec<u8> = Vec::new();
    // Place of the first gathered value, and the place behind the last one.
    let (mut first, mut end) = (0, 0);
    for (index, value) in values {
        if gathered.len() >= GATHERED || index - end > LARGEST_GAP {
            file.write_all_at(&gathered, place.position + first * place.entry_bytes)?;
            gathered.clear();
        }
        if gathered.is_empty() {
            (first, end) = (index, index);
        }
        gathered.resize(gathered.len() + (index - end) as usize * width, 0);
        let start = gathered.len();
        gathered.resize(start + width, 0);
        order.put(value, &mut gathered[start..]);
        end = index + 1;
    }
    file.write_all_at(&gathered, place.position + first * place.entry_bytes)
}
