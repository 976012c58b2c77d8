//! The index of a part: made and locked by who works on it, read by who goes on.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::entry::{Done, Head, Job, Lacking, Moving, read};
use super::index_of;
use crate::geometry::Window;
use crate::output::BlockRecord;
use crate::output::leads_to::{identity, identity_of};

/// A part's index, locked for as long as this lives; removed at its end unless it is kept.
#[derive(Debug)]
pub(in crate::output) struct Index {
    file: File,
    path: PathBuf,
    kept: bool,
}

/// An index that was there.
pub(in crate::output) enum Opened {
    /// Nobody works on it: locked now, with the job and what is stored, where it tells.
    Free(Index, Option<(Job, Stored)>),
    /// A run is at work on it.
    InWork,
}

/// What a part holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Bytes before the first block.
    pub header_bytes: u64,
    /// All blocks before this position of the full resolution, counted row by row, are stored or stay sparse.
    pub position: u64,
    /// Bytes of the file with them.
    pub end: u64,
    /// The blocks, in the order of the file.
    pub records: Vec<BlockRecord>,
    /// Bytes by which they were about to move up, so that each stands where it did or so much further.
    pub moving_by: Option<u64>,
    /// What they lack of sources that were left out, each source once.
    pub lacking: Vec<Lacking>,
}

impl Index {
    /// Makes the empty index of a new part.
    pub fn create(part: &Path) -> io::Result<Index> {
        let path = index_of(part);
        let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        let index = Index { file, path, kept: false };
        // Another run that saw it before it was locked takes it for one that was left, and removes it; then another name
        // is as good. File systems without locks leave it at that.
        let is_seen = matches!(index.file.try_lock(), Err(TryLockError::WouldBlock));
        let is_there = identity(&index.path).is_some_and(|there| Some(there) == identity_of(&index.file));
        if is_seen || !is_there { Err(ErrorKind::AlreadyExists.into()) } else { Ok(index) }
    }

    /// Opens and reads the index of a part. What is behind its last whole entry is cut off.
    pub fn open(part: &Path) -> Result<Opened> {
        let path = index_of(part);
        let what = || format!("cannot read {}", path.display());
        let file = OpenOptions::new().read(true).append(true).open(&path).with_context(what)?;
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Ok(Opened::InWork);
        }
        let (found, good) = read_index(BufReader::new(&file)).with_context(what)?;
        file.set_len(good).with_context(what)?;
        Ok(Opened::Free(Index { file, path, kept: false }, found))
    }

    /// The file, to append entries to.
    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Whether the index stays where it is.
    pub fn set_kept(&mut self, kept: bool) {
        self.kept = kept;
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing more can be done about a file that will not go.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The job and what is stored, as the lines of an index tell, and the bytes of those that are believed: up to the first
/// that is damaged, cut short, or cannot follow those before it. Takes memory in proportion to the lines.
///
/// # Errors
/// When the lines cannot be read.
pub fn read_index(mut lines: impl BufRead) -> io::Result<(Option<(Job, Stored)>, u64)> {
    let (mut text, mut good) = (Vec::new(), 0);
    let mut found: Option<(Job, Stored)> = None;
    loop {
        text.clear();
        let bytes = lines.read_until(b'\n', &mut text)?;
        let Ok(line) = std::str::from_utf8(&text) else { break };
        match &mut found {
            None => {
                let Some(Head { job, header_bytes }) = read(line) else { break };
                found = Some((job, Stored::nothing(header_bytes)));
            }
            Some((_, stored)) => {
                let told = (read(line).map(|done: Done| stored.follow(&done)))
                    .or_else(|| read(line).map(|moving| stored.move_up(moving)))
                    .or_else(|| read(line).map(|lacking| stored.lack(lacking)));
                let Some(Some(())) = told else { break };
            }
        }
        good += bytes as u64;
    }
    Ok((found, good))
}

impl Stored {
    /// A part that holds a header alone.
    pub(in crate::output) fn nothing(header_bytes: u64) -> Stored {
        let (position, end, moving_by) = (0, header_bytes, None);
        Stored { header_bytes, position, end, records: Vec::new(), moving_by, lacking: Vec::new() }
    }

    /// Takes over what an entry tells; nothing of one that does not follow, or whose blocks cannot lie where it says.
    fn follow(&mut self, done: &Done) -> Option<()> {
        // The entry between was lost: nobody knows which of its blocks are stored.
        if done.from > self.position {
            return None;
        }
        // A run that found blocks damaged has dropped them, and tells anew what is stored from there on.
        let from = done.records().next().map_or(done.end, |record| record.offset);
        let kept = self.records.partition_point(|record| record.offset < from);
        // Those that are kept were checked, so that this does not overflow.
        let mut end = self.records[..kept]
            .last()
            .map_or(self.header_bytes, |record| record.offset + u64::from(record.size));
        for record in done.records() {
            if record.size == 0 || record.offset < end {
                return None;
            }
            end = record.offset.checked_add(record.size.into())?;
        }
        if done.end < end {
            return None;
        }
        self.records.truncate(kept);
        self.records.extend(done.records());
        (self.position, self.end, self.moving_by) = (done.position, done.end, None);
        Some(())
    }

    /// Takes over that blocks move; nothing where they cannot move so far.
    fn move_up(&mut self, Moving { moving_by }: Moving) -> Option<()> {
        self.end.checked_add(moving_by)?;
        self.moving_by = Some(moving_by);
        Some(())
    }

    /// Takes over what a source was left out of; nothing of pixels that no raster has.
    fn lack(&mut self, lacking: Lacking) -> Option<()> {
        let fits = |from: usize, length: usize| from.checked_add(length).is_some_and(|end| end < 1 << 31);
        let fit = |area: &Window| fits(area.column, area.columns) && fits(area.row, area.rows);
        if !lacking.areas.iter().all(fit) {
            return None;
        }
        match self.lacking.iter_mut().find(|known| known.lacking == lacking.lacking) {
            Some(known) => known.areas.extend(lacking.areas),
            None => self.lacking.push(lacking),
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::part::line;
    use crate::output::{BlockId, Plane};
    use serde::Serialize;

    const HEADER: u64 = 100;

    /// An entry of the blocks of these numbers, each 10 bytes large and in its place behind the header.
    fn done(blocks: std::ops::Range<u64>) -> Done {
        let record = |index| BlockRecord {
            id: BlockId { level: 0, plane: Plane::Image, index },
            offset: HEADER + 10 * index,
            size: 10,
            checksum: index,
        };
        let records: Vec<BlockRecord> = blocks.clone().map(record).collect();
        Done::new((blocks.start, blocks.end), HEADER + 10 * blocks.end, &records)
    }

    /// The index of these entries, read; and how many of them were believed.
    fn read_back(entries: &[impl Serialize]) -> (Stored, usize) {
        let head = Head { job: Job { decides: Vec::new() }, header_bytes: HEADER };
        let lines = entries.iter().map(|entry| line(entry).unwrap());
        let text: String = std::iter::once(line(&head).unwrap()).chain(lines).collect();
        let (found, good) = read_index(text.as_bytes()).unwrap();
        (found.unwrap().1, text[..good as usize].lines().count() - 1)
    }

    #[test]
    fn entries_follow_each_other() {
        let (stored, believed) = read_back(&[done(0..3), done(3..3), done(3..7)]);
        assert_eq!((stored.position, stored.end, stored.records.len(), believed), (7, HEADER + 70, 7, 3));
    }

    /// A run dropped the blocks from the fifth on, and the next one reads what both have told.
    #[test]
    fn an_entry_takes_the_place_of_blocks_that_were_dropped() {
        for again in [5..5, 5..8, 5..20] {
            let (stored, believed) = read_back(&[done(0..3), done(3..10), done(again.clone())]);
            let indexes: Vec<u64> = stored.records.iter().map(|record| record.id.index).collect();
            assert_eq!(indexes, (0..again.end).collect::<Vec<_>>());
            assert_eq!((stored.position, stored.end, believed), (again.end, HEADER + 10 * again.end, 3));
        }
    }

    /// One that could not be written, as on a disk that fails for a moment.
    #[test]
    fn an_entry_behind_one_that_was_lost_is_not_believed() {
        let before = read_back(&[done(0..3)]).0;
        assert_eq!(read_back(&[done(0..3), done(5..7), done(7..9)]), (before, 1));
    }

    #[test]
    fn what_blocks_lack_is_believed_of_pixels_that_a_raster_can_have() {
        let of = |name: &str, areas: &[Window]| Lacking {
            lacking: name.into(),
            because: "it ends children".into(),
            areas: areas.to_vec(),
        };
        let most = (1 << 31) - 1;
        let [small, all] = [Window::new(3, 4, 5, 6), Window::new(0, 0, most, most)];
        let (stored, believed) = read_back(&[of("a", &[small]), of("b", &[small]), of("a", &[all])]);
        assert_eq!((stored.lacking, believed), (vec![of("a", &[small, all]), of("b", &[small])], 3));
        for wrong in [Window::new(1, 0, most, 1), Window::new(0, usize::MAX, 1, 1)] {
            assert_eq!(read_back(&[of("a", &[wrong])]), (Stored::nothing(HEADER), 0));
        }
    }

    #[test]
    fn an_entry_whose_blocks_overlap_or_reach_past_the_end_is_not_believed() {
        let of = |end: u64, blocks: &[(u64, u32)]| {
            let record = |&(offset, size): &(u64, u32)| BlockRecord {
                id: BlockId { level: 0, plane: Plane::Image, index: 3 },
                offset,
                size,
                checksum: 0,
            };
            Done::new((3, 9), end, &blocks.iter().map(record).collect::<Vec<_>>())
        };
        let wrong = [
            of(200, &[(130, 20), (149, 5)]),
            of(200, &[(150, 5), (140, 5)]),
            of(200, &[(190, 11)]),
            of(200, &[(190, 0)]),
            of(200, &[(HEADER - 1, 5)]),
            of(HEADER - 1, &[]),
            of(u64::MAX, &[(u64::MAX, 1)]),
        ];
        let before = read_back(&[done(0..3)]).0;
        for wrong in wrong {
            assert_eq!(read_back(&[done(0..3), wrong, done(3..4)]), (before.clone(), 1));
        }
    }
}
