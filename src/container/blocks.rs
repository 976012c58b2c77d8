//! Where the blocks of an image lie.

use std::ops::Range;

use anyhow::{Context, Result, ensure};

use super::{ArrayPlace, Directory, ReadAt};

/// A block's first byte and its number of bytes; (_, 0) is a block that was never written.
pub type BlockRange = (u64, u64);

/// Entries that are held at a time when arrays are walked.
const SLICE: u64 = 65_536;

impl Directory {
    /// Where every block lies: 16 bytes of memory a block, of which there may be millions.
    ///
    /// # Errors
    /// When the arrays are shorter than the image has blocks, or cannot be read.
    pub fn block_ranges(&self, file: &(impl ReadAt + ?Sized)) -> Result<Vec<BlockRange>> {
        self.block_ranges_of(file, 0..self.blocks())
    }

    /// Where the blocks of these places in the arrays lie.
    ///
    /// # Errors
    /// As [`Directory::block_ranges`].
    pub fn block_ranges_of(
        &self,
        file: &(impl ReadAt + ?Sized),
        blocks: Range<u64>,
    ) -> Result<Vec<BlockRange>> {
        let offsets = self.values(file, self.offsets, &blocks).context("the offsets of blocks")?;
        let byte_counts = self.values(file, self.byte_counts, &blocks).context("the sizes of blocks")?;
        Ok(offsets.into_iter().zip(byte_counts).collect())
    }

    /// Where every block lies, a bounded number of blocks at a time.
    pub fn block_ranges_in_slices<'a, R: ReadAt + ?Sized>(&'a self, file: &'a R) -> BlockRanges<'a, R> {
        BlockRanges { directory: self, file, next: 0 }
    }

    /// Some values of one of the two arrays.
    fn values(
        &self,
        file: &(impl ReadAt + ?Sized),
        place: ArrayPlace,
        wanted: &Range<u64>,
    ) -> Result<Vec<u64>> {
        ensure!(
            wanted.end <= place.count,
            "block {} is asked for, but only {} are listed",
            wanted.end,
            place.count
        );
        let count = wanted.end.saturating_sub(wanted.start);
        // The array was found inside the file, so that neither product overflows.
        let mut bytes = vec![0; usize::try_from(count * place.entry_bytes)?];
        file.read_at(place.position + wanted.start * place.entry_bytes, &mut bytes)?;
        let width = place.entry_bytes as usize;
        Ok(bytes.chunks_exact(width).map(|value| self.byte_order.number(value)).collect())
    }
}

/// Walks the block arrays of an image in bounded slices: the first block's place, and the ranges from it on.
/// Ends after the first error.
pub struct BlockRanges<'a, R: ?Sized> {
    directory: &'a Directory,
    file: &'a R,
    next: u64,
}

impl<R: ReadAt + ?Sized> Iterator for BlockRanges<'_, R> {
    type Item = Result<(u64, Vec<BlockRange>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let (first, blocks) = (self.next, self.directory.blocks());
        if first >= blocks {
            return None;
        }
        let end = blocks.min(first + SLICE);
        let ranges = self.directory.block_ranges_of(self.file, first..end);
        self.next = if ranges.is_ok() { end } else { blocks };
        Some(ranges.map(|ranges| (first, ranges)))
    }
}

/// Blocks that a file claims but does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlocksOutside {
    /// How many there are.
    pub count: u64,
    /// Place in the arrays of the first one.
    pub first: u64,
    /// Where the first one is said to lie.
    pub range: BlockRange,
}

/// The blocks of an image that reach past the end of the file, as in one that was cut short (`None` when all lie
/// inside), and the bytes of its largest block.
///
/// # Errors
/// As [`Directory::block_ranges`].
pub fn check_blocks_inside(
    file: &(impl ReadAt + ?Sized),
    directory: &Directory,
) -> Result<(Option<BlocksOutside>, u64)> {
    let mut found: Option<BlocksOutside> = None;
    let mut largest = 0;
    for slice in directory.block_ranges_in_slices(file) {
        let (first, ranges) = slice?;
        for (index, range) in (first..).zip(ranges) {
            let (offset, bytes) = range;
            largest = largest.max(bytes);
            let inside = offset.checked_add(bytes).is_some_and(|end| end <= file.size());
            if bytes > 0 && !inside {
                found.get_or_insert(BlocksOutside { count: 0, first: index, range }).count += 1;
            }
        }
    }
    Ok((found, largest))
}
