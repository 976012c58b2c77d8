//! Moves a range of a file towards its end, by many threads at once.
//!
//! The range is cut into pieces, which are taken from its end on. Where a piece goes there is nothing but itself and
//! pieces nearer to the end. So a piece may be written once those have been read, however far it moves. It waits until
//! those in its way have been written, too: whenever the process dies, each piece but one stands where it was or where
//! it goes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A range of a file on its way up.
pub(super) struct MoveUp<'a> {
    file: &'a File,
    start: u64,
    by: u64,
    piece: u64,
    progress: Mutex<Progress>,
    changed: Condvar,
}

struct Progress {
    /// From here on, everything was taken by a thread.
    taken: u64,
    /// From here on, everything was read.
    read: u64,
    /// From here on, everything was written; and where pieces begin that were written before one above them.
    written: u64,
    written_early: BTreeSet<u64>,
    /// A piece could not be read or written: those below must not be written.
    failed: bool,
}

impl<'a> MoveUp<'a> {
    /// To move `range` up by so many bytes, in pieces of at most `piece` bytes.
    pub(super) fn new(file: &'a File, range: Range<u64>, by: u64, piece: u64) -> Self {
        // Nothing is left to do where nothing moves.
        let taken = if by > 0 { range.end } else { range.start };
        let (read, written, written_early, failed) = (range.end, range.end, BTreeSet::new(), false);
        let progress = Mutex::new(Progress { taken, read, written, written_early, failed });
        Self { file, start: range.start, by, piece, progress, changed: Condvar::new() }
    }

    /// Moves the next piece; false when none is left. May be called by any number of threads.
    ///
    /// # Errors
    /// When the file cannot be read or written; what it holds then is of no use.
    pub(super) fn step(&self, piece: &mut Vec<u8>) -> io::Result<bool> {
        let Some(range) = self.take() else { return Ok(false) };
        piece.resize((range.end - range.start) as usize, 0);
        let read = self.file.read_exact_at(piece, range.start);
        let may_write = self.has_read(&range, read.is_ok());
        read?;
        if may_write {
            let written = self.file.write_all_at(piece, range.start + self.by);
            self.has_written(&range, written.is_ok());
            written?;
        }
        Ok(may_write)
    }

    /// The next piece, from the end on.
    fn take(&self) -> Option<Range<u64>> {
        let mut progress = self.lock();
        let end = progress.taken;
        progress.taken = end.saturating_sub(self.piece).max(self.start);
        (end > self.start && !progress.failed).then_some(progress.taken..end)
    }

    /// Says how reading a piece ended, and waits until all that lies above it was read, and what lies where it goes was
    /// written; false when that cannot be.
    fn has_read(&self, range: &Range<u64>, well: bool) -> bool {
        let mut progress = self.lock();
        let free = (range.start + self.by).max(range.end);
        while well && !progress.failed && (progress.read > range.end || progress.written > free) {
            progress = self.changed.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        progress.failed |= !well;
        progress.read = progress.read.min(range.start);
        self.changed.notify_all();
        !progress.failed
    }

    /// Says how writing a piece ended.
    fn has_written(&self, range: &Range<u64>, well: bool) {
        let mut progress = self.lock();
        progress.failed |= !well;
        progress.written_early.insert(range.start);
        // Pieces are as long as each other but for the lowest.
        while let Some(&start) = progress.written_early.last() {
            if start != progress.written.saturating_sub(self.piece).max(self.start) {
                break;
            }
            progress.written_early.pop_last();
            progress.written = start;
        }
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use proptest::prelude::*;

    /// Moves a range on so many threads; returns the file's bytes after that.
    fn moved(bytes: &[u8], range: Range<u64>, by: u64, piece: u64, threads: usize) -> io::Result<Vec<u8>> {
        let file = tempfile::tempfile()?;
        file.write_all_at(bytes, 0)?;
        let moving = MoveUp::new(&file, range, by, piece);
        let work = || -> io::Result<()> {
            let mut piece = Vec::new();
            while moving.step(&mut piece)? {
                std::thread::yield_now();
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("no panic"))
        })?;
        let mut after = vec![0; file.metadata()?.len() as usize];
        file.read_exact_at(&mut after, 0)?;
        Ok(after)
    }

    proptest! {
        #[test]
        fn a_range_arrives_whole_however_far_it_moves_and_whoever_moves_it(
            header in 0usize..50, length in 0usize..5000, by in 0u64..6000, near in 0u64..20,
            piece in 1u64..700, threads in 1usize..6,
        ) {
            // Far moves, and such as are shorter than a piece.
            for by in [by, near] {
                let bytes: Vec<u8> = (0..header + length).map(|i| (i * 31 + i / 251) as u8).collect();
                let range = header as u64..bytes.len() as u64;
                let after = moved(&bytes, range, by, piece, threads).unwrap();
                prop_assert!(after[..header] == bytes[..header], "what lies before stays");
                if length > 0 {
                    prop_assert_eq!(after.len(), bytes.len() + by as usize);
                    prop_assert!(after[header + by as usize..] == bytes[header..]);
                }
            }
        }
    }

    #[test]
    fn no_piece_is_written_before_all_above_it_were_read() {
        let file = tempfile::tempfile().unwrap();
        let moving = MoveUp::new(&file, 0..300, 10, 100);
        let pieces: Vec<_> = std::iter::from_fn(|| moving.take()).collect();
        assert_eq!(pieces, [200..300, 100..200, 0..100]);
        let written = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            // The lowest is read first; time for it to be written too early.
            for piece in pieces.iter().rev() {
                scope.spawn(|| {
                    assert!(moving.has_read(piece, true));
                    written.lock().unwrap().push(piece.start);
                    moving.has_written(piece, true);
                });
                std::thread::sleep(Duration::from_millis(5));
                assert!(piece.start == 200 || written.lock().unwrap().is_empty(), "{piece:?}");
            }
        });
        assert_eq!(written.into_inner().unwrap().len(), 3);
    }

    #[test]
    fn a_range_that_cannot_be_read_is_an_error_and_leaves_nobody_waiting() {
        for threads in [1, 4] {
            // The file ends before the range does.
            let error = moved(&[7; 1000], 0..1500, 10, 100, threads).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
