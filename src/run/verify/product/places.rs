//! Where the blocks lie: one behind the other from the directories to the end of the file, in the order in which this
//! program stores them.

use anyhow::{Context, Result};

use super::described::{Described, stored_bytes};
use super::fault::{Faults, LOST, MISLED};
use super::layout::Layout;
use crate::container::ReadAt;

/// A block that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Its directory, counted from 0.
    pub directory: u32,
    /// Its place in the directory's arrays.
    pub index: u64,
    /// Its first byte.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
}

impl Stored {
    /// Its name in a message.
    pub fn name(&self, layout: &Layout) -> String {
        let described = &layout.directories[self.directory as usize];
        let (directory, plane) = (&described.directory, described.directory.blocks_per_plane());
        let across = directory.block_grid().columns as u64;
        let (row, column) = (self.index % plane / across, self.index % plane % across);
        let band =
            if directory.planar { format!(" of band {}", self.index / plane + 1) } else { String::new() };
        let (name, Stored { index, offset, size, .. }) = (described.name(), self);
        format!(
            "block {index} of {name} (block column {column}, row {row}{band}; {size} bytes at byte {offset})"
        )
    }

    /// First byte and end, its frame included, where the file has them.
    fn bytes(&self, frame: u64, file_size: u64) -> Option<(u64, u64)> {
        let end = self.offset.checked_add(self.size)?.checked_add(frame)?;
        Some((self.offset.checked_sub(frame)?, end)).filter(|_| end <= file_size)
    }

    /// Where it belongs in the order of the file: plain files begin with the image, cloud optimized ones with the
    /// smallest overview. The image's bands and mask stand together at each position, those of overviews do not.
    fn rank(&self, layout: &Layout) -> (usize, u64, bool, u64) {
        let Described { directory, level, .. } = &layout.directories[self.directory as usize];
        let (plane, last) = (directory.blocks_per_plane(), layout.directories.len());
        let level_rank = if layout.frame > 0 { last - level } else { *level };
        match level {
            0 => (level_rank, self.index % plane, directory.is_mask(), self.index / plane),
            _ => (level_rank, self.index, directory.is_mask(), 0),
        }
    }
}

/// The blocks that the index lists, those of each directory in the order of its arrays.
///
/// # Errors
/// When the index cannot be read.
pub fn list(file: &(impl ReadAt + ?Sized), layout: &Layout, faults: &mut Faults) -> Result<Vec<Stored>> {
    let mut blocks = Vec::new();
    for (number, described) in layout.directories.iter().enumerate() {
        for slice in described.directory.block_ranges_in_slices(file) {
            let (first, ranges) = slice.with_context(|| described.name())?;
            for (index, (offset, size)) in (first..).zip(ranges) {
                let stored = Stored { directory: number as u32, index, offset, size };
                match (offset, size) {
                    (0, 0) => {}
                    (0, _) | (_, 0) => faults.add(stored.name(layout), "has no place or no bytes", LOST),
                    _ => blocks.push(stored),
                }
            }
        }
    }
    Ok(blocks)
}

/// Checks that every block lies inside the file with a plausible size, that no byte belongs to two or none, and that the
/// blocks stand in order. Gives those that lie inside, sorted by their place in the file.
pub fn check(blocks: &[Stored], file_size: u64, layout: &Layout, faults: &mut Faults) -> Vec<Stored> {
    let mut inside = Vec::with_capacity(blocks.len());
    for block in blocks {
        if block.bytes(layout.frame, file_size).is_some() {
            inside.push(*block);
        } else {
            faults.add(block.name(layout), format!("reaches past the file's {file_size} bytes"), LOST);
        }
        let Some(how) = layout.directories[block.directory as usize].blocks else { continue };
        let (most, exactly) = stored_bytes(how);
        if block.size > most || exactly && block.size != most {
            let due = if exactly { "exactly" } else { "at most" };
            faults.add(block.name(layout), format!("blocks like it have {due} {most} bytes"), MISLED);
        }
    }
    inside.sort_unstable_by_key(|block| (block.offset, block.size));
    check_order(&inside, layout, faults);
    let mut end = layout.header_end;
    let mut before: Option<&Stored> = None;
    for block in &inside {
        let Some((start, behind)) = block.bytes(layout.frame, file_size) else { continue };
        if start < end {
            let other = before.map_or("the directories".into(), |before| before.name(layout));
            faults.add(block.name(layout), format!("overlaps {other}"), MISLED);
        }
        if before.is_some() || !is_padding(end, start) {
            tell_gap(end, start, faults);
        }
        if behind > end {
            (end, before) = (behind, Some(block));
        }
    }
    if before.is_some() || !is_padding(end, file_size) {
        tell_gap(end, file_size, faults);
    }
    inside
}

/// Whether directories that end at `end` are followed by the byte that makes their length even. They need not be: GDAL
/// pads what it lays out behind others, not what it lays out last.
fn is_padding(end: u64, start: u64) -> bool {
    start == end.next_multiple_of(2)
}

fn tell_gap(end: u64, start: u64, faults: &mut Faults) {
    if start > end {
        let place = format!("bytes {end} to {start}");
        faults.add(
            place,
            "belong to no block: an entry of the index is wrong, or something was added",
            MISLED,
        );
    }
}

/// Blocks that are sorted by their place are in the order in which this program stores them.
fn check_order(sorted: &[Stored], layout: &Layout, faults: &mut Faults) {
    for pair in sorted.windows(2) {
        if pair[0].rank(layout) >= pair[1].rank(layout) {
            let message = format!("stands before {}, which belongs in front of it", pair[1].name(layout));
            faults.add(pair[0].name(layout), message, MISLED);
        }
    }
}
