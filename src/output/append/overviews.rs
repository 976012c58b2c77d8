//! Brings the overviews' blocks from where they were kept to where they belong in the file.
//!
//! In a cloud optimized GeoTIFF they stand before the image: once they are known, its blocks move up to make room.

use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use super::super::OverviewStore;
use super::super::overview_store::Kept;
use super::move_up::MoveUp;
use super::{BlockWriter, fill_frame, too_large, write_error};

/// A step of work that many threads do at once, each with a buffer of its own; false when none is left.
pub type Step<'a> = dyn Fn(&mut Vec<u8>) -> Result<bool> + Sync + 'a;

/// Repeats a step on all threads until none is left; an error when a step fails or the job is told to stop.
pub type OnThreads<'a> = dyn Fn(&Step<'_>) -> Result<()> + 'a;

impl BlockWriter {
    /// Bytes of the buffer with which a thread moves the image's blocks up. To copy the overviews, a thread holds one
    /// encoded block.
    pub const MOVING_BYTES: usize = 1 << 20;

    /// Puts the overviews' blocks where they belong: behind the image's, or in a cloud optimized GeoTIFF before them,
    /// the smallest level first. Each level's blocks are in row-major order, a mask's behind the image's.
    ///
    /// # Errors
    /// As [`BlockWriter::append`], and as `on_threads`; then the file is of no use.
    pub fn add_overviews(&mut self, store: OverviewStore, on_threads: &OnThreads) -> Result<()> {
        let (cloud_optimized, frame) = (self.container.cloud_optimized, self.frame());
        let mut kept = store.into_kept();
        let last = self.container.overviews.len() as u8;
        let level = |level: u8| if cloud_optimized { last - level } else { level };
        kept.records
            .sort_unstable_by_key(|record| (level(record.id.level), record.id.index, record.id.plane));
        let room: u64 = kept.records.iter().map(|record| u64::from(record.size) + 2 * frame).sum();
        let image = self.records.len();
        let end = if self.moved_by.is_some() { self.end } else { self.end + room };
        if cloud_optimized {
            let path = &self.container.path;
            ensure!(self.container.image.big || end <= u64::from(u32::MAX), too_large(path));
            match self.moved_by {
                Some(by) => {
                    ensure!(by == room, "{}: its image made room for other overviews", path.display())
                }
                None => self.make_room(room, on_threads)?,
            }
            self.end = self.container.header_bytes;
        }
        for record in &kept.records {
            self.place(record.id, record.size as usize, record.checksum)?;
        }
        self.copy(&kept, image, on_threads)?;
        self.end = end;
        Ok(())
    }

    /// Moves all blocks up by so many bytes, so that another run can go on from any point of it.
    fn make_room(&mut self, room: u64, on_threads: &OnThreads) -> Result<()> {
        self.tell_move(room)?;
        self.moved_by = Some(room);
        let path = &self.container.path;
        let moving =
            MoveUp::new(&self.file, self.container.header_bytes..self.end, room, Self::MOVING_BYTES as u64);
        on_threads(&|piece| moving.step(piece).map_err(|error| write_error(path, error)))?;
        self.records.iter_mut().for_each(|record| record.offset += room);
        Ok(())
    }

    /// Copies the kept blocks to their places: those of the records from `first` on.
    fn copy(&mut self, kept: &Kept, first: usize, on_threads: &OnThreads) -> Result<()> {
        let frame = self.frame();
        let Self { file, container, records, write_back, .. } = self;
        let (placed, path) = (&records[first..], &container.path);
        let (next, write_back) = (AtomicUsize::new(0), Mutex::new(write_back));
        on_threads(&|bytes| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((from, to)) = kept.records.get(number).zip(placed.get(number)) else { return Ok(false) };
            let size = from.size as usize;
            bytes.resize(size + 2 * frame as usize, 0);
            let block = &mut bytes[frame as usize..][..size];
            kept.file.read_exact_at(block, from.offset).context("read an overview's block back")?;
            if frame > 0 {
                fill_frame(bytes);
            }
            file.write_all_at(bytes, to.offset - frame).map_err(|error| write_error(path, error))?;
            let mut write_back = write_back.lock().unwrap_or_else(PoisonError::into_inner);
            let wrote = write_back.wrote(bytes.len() as u64);
            wrote.with_context(|| format!("{} cannot be brought to the disk", path.display()))?;
            Ok(true)
        })
    }
}
