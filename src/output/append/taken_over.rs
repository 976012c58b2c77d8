//! Goes on with a file where the index of its part says that another run was, as far as the bytes are what was stored.

use std::fs::File;
use std::hash::Hasher;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, ensure};
use twox_hash::XxHash3_64;

use super::{BlockWriter, FRAME};
use crate::output::part::Stored;
use crate::output::patch::enter_blocks;
use crate::output::{BlockId, BlockRecord, Container};

impl BlockWriter {
    /// Takes over what is stored in the file already: writes the header anew, drops what is behind the last entry, and
    /// lets GDAL read the blocks.
    pub(super) fn take_over(&mut self, header: &[u8], stored: Stored) -> Result<()> {
        let name = self.container.path.display();
        let what = || format!("cannot go on with {name}");
        let length = self.file.metadata().with_context(what)?.len();
        ensure!(length >= stored.end, "{name} has {length} bytes, and its index tells of {}", stored.end);
        self.file.set_len(stored.end).with_context(what)?;
        self.file.write_all_at(header, 0).with_context(what)?;
        let mut sorted = stored.records.clone();
        sorted.sort_unstable_by_key(|record| record.id);
        enter_blocks(&self.file, &self.container, &sorted).with_context(what)?;
        (self.end, self.records, self.moved_by) = (stored.end, stored.records, stored.moving_by);
        Ok(())
    }
}

impl Stored {
    /// Drops the first block whose bytes are not those that were stored, as after a machine lost its power, and
    /// everything behind it. The same where a block is none that the file can have there.
    pub(super) fn drop_damaged(&mut self, container: &Container) -> Result<()> {
        let name = container.path.display();
        let file = File::open(&container.path).with_context(|| format!("cannot read {name}"))?;
        let blocks = container.image.size.tiles(container.image.block).pixels() as u64;
        let place = |id: BlockId| (id.index % blocks, id.plane, id.index);
        let (mut before, mut buffer) = (None, vec![0; CHECKED]);
        let damaged = self.records.iter().position(|record| {
            let here = Some(place(record.id));
            let follows = before < here;
            before = here;
            !(follows && is_of_image(record.id, container) && is_whole(&file, record, &mut buffer))
        });
        let Some(damaged) = damaged else { return Ok(()) };
        // Those that have moved were whole.
        ensure!(self.moving_by.is_none(), "the index of {name} does not belong to it");
        let position = self.records[damaged].id.index % blocks;
        let first = self.records[..damaged].partition_point(|record| record.id.index % blocks < position);
        let frame = if container.cloud_optimized { FRAME } else { 0 };
        (self.position, self.end) = (position, (self.records[first].offset - frame).max(self.header_bytes));
        self.records.truncate(first);
        Ok(())
    }
}

/// Whether the file has such a block in its full resolution, or in the mask of that.
fn is_of_image(id: BlockId, container: &Container) -> bool {
    id.level == 0 && container.directory(id).is_some_and(|directory| id.index < directory.blocks())
}

/// Bytes of a block that are checked at a time: what the index says of its size is not believed before.
pub(super) const CHECKED: usize = 1 << 16;

/// Whether a block's bytes are those that were stored.
pub(super) fn is_whole(file: &File, record: &BlockRecord, buffer: &mut [u8]) -> bool {
    let mut hash = XxHash3_64::new();
    let end = record.offset + u64::from(record.size);
    let mut position = record.offset;
    while position < end {
        let piece = buffer.len().min((end - position) as usize);
        if file.read_exact_at(&mut buffer[..piece], position).is_err() {
            return false;
        }
        hash.write(&buffer[..piece]);
        position += piece as u64;
    }
    hash.finish() == record.checksum
}
