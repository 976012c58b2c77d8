//! The index of a part: made and locked by who works on it, read by who goes on.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::entry::{Done, Head, Job, read};
use super::index_of;
use crate::output::BlockRecord;

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
}

impl Index {
    /// Makes the empty index of a new part.
    pub fn create(part: &Path) -> Result<Index> {
        let path = index_of(part);
        let mut options = OpenOptions::new();
        let file = options.append(true).create_new(true).open(&path);
        let index = Index {
            file: file.with_context(|| format!("cannot make {}", path.display()))?,
            path,
            kept: false,
        };
        // File systems without locks leave it at that.
        let _ = index.file.try_lock();
        Ok(index)
    }

    /// Opens and reads the index of a part. What is behind its last whole entry is cut off.
    pub fn open(part: &Path) -> Result<Opened> {
        let path = index_of(part);
        let what = || format!("cannot read {}", path.display());
        let file = OpenOptions::new().read(true).append(true).open(&path).with_context(what)?;
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Ok(Opened::InWork);
        }
        let (found, good) = parse(BufReader::new(&file)).with_context(what)?;
        file.set_len(good).with_context(what)?;
        Ok(Opened::Free(Index { file, path, kept: false }, found))
    }

    /// The file, to append entries to.
    pub fn file(&self) -> std::io::Result<File> {
        self.file.try_clone()
    }

    /// Leaves the index where it is.
    pub fn keep(&mut self) {
        self.kept = true;
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

/// The job and what is stored, and the bytes of all whole entries.
fn parse(mut lines: impl BufRead) -> std::io::Result<(Option<(Job, Stored)>, u64)> {
    let (mut text, mut good) = (Vec::new(), 0);
    let mut found: Option<(Job, Stored)> = None;
    loop {
        text.clear();
        let bytes = lines.read_until(b'\n', &mut text)?;
        let Ok(line) = std::str::from_utf8(&text) else { break };
        match &mut found {
            None => {
                let Some(Head { job, header_bytes }) = read(line) else { break };
                let stored = Stored { header_bytes, position: 0, end: header_bytes, records: Vec::new() };
                found = Some((job, stored));
            }
            Some((_, stored)) => {
                let Some(done) = read::<Done>(line) else { break };
                stored.records.extend(done.records());
                (stored.position, stored.end) = (done.position, done.end);
            }
        }
        good += bytes as u64;
    }
    Ok((found, good))
}
