//! Lets blocks arrive that were on their way up when a run ended, to make room for the overviews of a cloud optimized
//! GeoTIFF.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};

use super::move_up::MoveUp;
use super::taken_over::{CHECKED, is_whole};
use super::{BlockWriter, FRAME};
use crate::output::part::Stored;
use crate::output::{BlockRecord, Container};

impl Stored {
    /// Moves the blocks that have not arrived, where each is whole at one of its two places. Else, as after a machine
    /// lost its power or where blocks hardly move, it is as if none had moved: those that are damaged where they were are
    /// to be dropped.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub(super) fn arrive(&mut self, container: &Container) -> Result<()> {
        let Some(by) = self.moving_by else { return Ok(()) };
        let file = OpenOptions::new().read(true).write(true).open(&container.path);
        let arrived = file.and_then(|file| self.arrive_in(&file, by));
        arrived.with_context(|| format!("cannot go on with {}", container.path.display()))
    }

    fn arrive_in(&mut self, file: &File, by: u64) -> io::Result<()> {
        let mut buffer = vec![0; CHECKED];
        let moved = |record: &BlockRecord| BlockRecord { offset: record.offset + by, ..*record };
        // They move from the last one on.
        let whole = |record: &&BlockRecord| is_whole(file, &moved(record), &mut buffer);
        let left = self.records.len() - self.records.iter().rev().take_while(whole).count();
        if !self.records[..left].iter().all(|record| is_whole(file, record, &mut buffer)) {
            self.moving_by = None;
            return Ok(());
        }
        let end = self.records.get(left).map_or(self.end, |record| record.offset);
        let moving = MoveUp::new(file, self.header_bytes..end, by, BlockWriter::MOVING_BYTES as u64);
        while moving.step(&mut buffer)? {}
        self.records.iter_mut().for_each(|record| *record = moved(record));
        self.end += by;
        self.records.iter().try_for_each(|record| frame(file, record))
    }
}

/// Writes what stands before and behind a block, which may have stayed behind.
fn frame(file: &File, record: &BlockRecord) -> io::Result<()> {
    let BlockRecord { offset, size, .. } = *record;
    let mut last = [0; FRAME as usize];
    let length = last.len().min(size as usize);
    file.read_exact_at(&mut last[..length], offset + u64::from(size) - length as u64)?;
    file.write_all_at(&size.to_le_bytes(), offset - FRAME)?;
    file.write_all_at(&last, offset + u64::from(size))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use twox_hash::XxHash3_64;

    use super::*;
    use crate::output::append::framed;
    use crate::output::{BlockId, Plane};

    const HEADER: u64 = 64;

    /// A file of a header and blocks of these sizes in their frames, and what its index tells.
    fn part(sizes: &[usize]) -> (Vec<u8>, Stored) {
        let (mut bytes, mut records) = (vec![1; HEADER as usize], Vec::new());
        for (index, &size) in sizes.iter().enumerate() {
            let block: Vec<u8> = (0..size).map(|at| (at * 7 + index * 13 + at / 200) as u8).collect();
            records.push(BlockRecord {
                id: BlockId { level: 0, plane: Plane::Image, index: index as u64 },
                offset: bytes.len() as u64 + FRAME,
                size: size as u32,
                checksum: XxHash3_64::oneshot(&block),
            });
            bytes.extend(framed(&block));
        }
        let end = bytes.len() as u64;
        let stored = Stored { position: sizes.len() as u64, end, records, ..Stored::nothing(HEADER) };
        (bytes, stored)
    }

    proptest! {
        #[test]
        fn blocks_arrive_wherever_a_run_ended(
            sizes in prop::collection::vec(1usize..400, 1..12), by in 0u64..3000, piece in 50u64..500,
            steps in 0usize..30, torn in 0.0f64..1.0,
        ) {
            let (bytes, told) = part(&sizes);
            let file = tempfile::tempfile().unwrap();
            file.write_all_at(&bytes, 0).unwrap();
            let moving = MoveUp::new(&file, HEADER..told.end, by, piece);
            let mut buffer = Vec::new();
            for _ in 0..steps {
                moving.step(&mut buffer).unwrap();
            }
            // The last piece may have been written in part, from its beginning on.
            let lowest = told.end.saturating_sub(piece * (steps as u64 + 1)).max(HEADER);
            let upper = told.end.saturating_sub(piece * steps as u64).max(HEADER);
            let length = ((upper - lowest) as f64 * torn) as usize;
            file.write_all_at(&bytes[lowest as usize..][..length], lowest + by).unwrap();

            let mut stored = told.clone();
            stored.moving_by = Some(by);
            stored.arrive_in(&file, by).unwrap();
            // Where they hardly move, a piece can end on a block of which it holds the beginning: then that one is lost.
            let largest = sizes.iter().max().map_or(0, |&size| size as u64) + 2 * FRAME;
            if by >= piece + largest {
                prop_assert_eq!(stored.moving_by, Some(by));
                let mut after = vec![0; bytes.len() - HEADER as usize];
                file.read_exact_at(&mut after, HEADER + by).unwrap();
                prop_assert!(after == bytes[HEADER as usize..]);
                prop_assert_eq!(stored.end, told.end + by);
            }
            if stored.moving_by.is_some() {
                let mut buffer = [0; 64];
                prop_assert!(stored.records.iter().all(|record| is_whole(&file, record, &mut buffer)));
            }
        }
    }
}
