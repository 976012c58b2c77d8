//! Now and then says in the part's index how far the file is.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::BlockWriter;
use crate::output::Container;
use crate::output::part::{Done, Head, Job, Lacking, Moving, Stored, line};
use crate::output::write_back::Entries;

/// When and where a file says how far it is.
pub struct Checkpoints {
    /// The part's index.
    pub index: File,
    /// What decides the file's bytes.
    pub job: Job,
    /// Seconds between two entries.
    pub every: Duration,
}

/// The entries of a file that is being written.
#[derive(Debug)]
pub(super) struct Progress {
    /// What the first line says, until it stands there.
    head: Option<String>,
    /// What blocks lack of sources that were left out, until it stands there.
    lacking: String,
    every: Duration,
    /// When the last entry was made, and when one was last tried to be made.
    last: Instant,
    asked: Instant,
    /// Blocks that the index knows of, and up to which position.
    told: usize,
    told_to: u64,
    /// How far the file is.
    position: u64,
    /// How far it was each time that many blocks had come, for entries that tell no more than those.
    marks: VecDeque<Mark>,
    any: Arc<AtomicBool>,
}

/// How far a file was.
#[derive(Debug, Clone, Copy)]
struct Mark {
    position: u64,
    end: u64,
    blocks: usize,
}

/// Blocks of which an entry tells, about: what is put into words takes memory.
const BLOCKS_AN_ENTRY: usize = 8192;
/// Least time between two tries: a slow disk has none for an entry, and each is put into words first.
const PAUSE: Duration = Duration::from_millis(50);
const WRITE_INDEX: &str = "write the part's index";

impl Checkpoints {
    /// The entries to come, behind what is stored already.
    pub(super) fn begin(self, container: &Container, stored: Option<&Stored>) -> Result<(Progress, Entries)> {
        let Checkpoints { index, job, every } = self;
        let any = Arc::new(AtomicBool::new(stored.is_some()));
        let head = match stored {
            Some(_) => None,
            None => Some(line(&Head { job, header_bytes: container.header_bytes })?),
        };
        let told = stored.map_or(0, |stored| stored.records.len());
        let position = stored.map_or(0, |stored| stored.position);
        let (last, asked, marks) = (Instant::now(), Instant::now(), VecDeque::new());
        let lacking = String::new();
        let any_told = Arc::clone(&any);
        let told_to = position;
        let progress =
            Progress { head, lacking, every, last, asked, told, told_to, position, marks, any: any_told };
        Ok((progress, Entries { file: index, any }))
    }
}

impl BlockWriter {
    /// All blocks before this position of the full resolution, counted row by row, are appended or stay sparse. Says
    /// so in the index when it is time to.
    ///
    /// # Errors
    /// When what was written before could not be brought to the disk.
    pub fn done_to(&mut self, position: u64) -> Result<()> {
        // Where blocks have moved, the index says so, and knows of all of them.
        let Some(progress) = self.progress.as_mut().filter(|_| self.moved_by.is_none()) else {
            return Ok(());
        };
        progress.position = position;
        let blocks = self.records.len();
        if blocks - progress.marks.back().map_or(progress.told, |mark| mark.blocks) >= BLOCKS_AN_ENTRY {
            progress.marks.push_back(Mark { position, end: self.end, blocks });
        }
        let due = !progress.marks.is_empty() || progress.last.elapsed() >= progress.every;
        if !due || progress.asked.elapsed() < PAUSE.min(progress.every) {
            return Ok(());
        }
        progress.asked = Instant::now();
        self.tell()
    }

    /// Blocks that were appended, or are about to be, lack something; to be said before [`Self::done_to`] tells of them.
    ///
    /// # Errors
    /// When it cannot be put into words.
    pub fn lacks(&mut self, lacking: &Lacking) -> Result<()> {
        if let Some(progress) = &mut self.progress {
            progress.lacking += &line(lacking)?;
        }
        Ok(())
    }

    /// All blocks before this position are stored; 0 where nobody is to go on with the file.
    pub fn position(&self) -> u64 {
        self.progress.as_ref().map_or(0, |progress| progress.position)
    }

    /// Whether another run could go on with the file.
    pub fn can_be_resumed(&self) -> bool {
        self.progress.as_ref().is_some_and(|progress| progress.any.load(Ordering::Relaxed))
    }

    /// Says how far the file is before it is left, if the index tells anything yet.
    ///
    /// # Errors
    /// When the file cannot be brought to the disk.
    pub fn leave(mut self) -> Result<()> {
        if self.can_be_resumed() && self.moved_by.is_none() {
            self.write_back.finish().context("bring the part to the disk")?;
            self.file.sync_data().context("bring the part to the disk")?;
            self.drop_half_a_run();
            self.tell_rest()?;
        }
        Ok(())
    }

    /// Forgets blocks behind the position: of their run not all are stored.
    fn drop_half_a_run(&mut self) {
        let blocks = self.container.image.size.tiles(self.container.image.block).pixels() as u64;
        let kept = self.records.partition_point(|record| record.id.index % blocks < self.position());
        if let Some(first) = self.records.get(kept) {
            self.end = first.offset - self.frame();
            self.records.truncate(kept);
        }
    }

    /// Enters the next blocks into the index, where there is time for it.
    fn tell(&mut self) -> Result<()> {
        let moves = self.container.cloud_optimized && !self.container.overviews.is_empty();
        let Some((text, told)) = self.next_entry()? else { return Ok(()) };
        let name = self.container.path.display();
        // Bytes that will move are brought to the disk at the end: they outlive the process, if not the machine.
        let taken = self.write_back.enter(text, !moves);
        if taken.with_context(|| format!("{name} cannot be brought to the disk"))? {
            self.has_told(told);
        }
        Ok(())
    }

    /// Enters all blocks into the index that it does not know of. Nobody else does so meanwhile.
    fn tell_rest(&mut self) -> Result<()> {
        while let Some((text, told)) = self.next_entry()? {
            let Some(index) = &mut self.index else { break };
            index.write_all(text.as_bytes()).context(WRITE_INDEX)?;
            let is_last = told.blocks == self.records.len();
            if is_last {
                index.sync_data().context(WRITE_INDEX)?;
            }
            self.has_told(told);
            if is_last {
                break;
            }
        }
        Ok(())
    }

    /// The text of the next entry, and how far the file is that the index knows of with it.
    fn next_entry(&self) -> Result<Option<(String, Mark)>> {
        let Some(progress) = &self.progress else { return Ok(None) };
        let here = Mark { position: progress.position, end: self.end, blocks: self.records.len() };
        let mark = progress.marks.front().copied().unwrap_or(here);
        let Mark { position, end, blocks } = mark;
        let mut text = progress.head.clone().unwrap_or_default() + &progress.lacking;
        let told = &self.records[progress.told..blocks];
        text += &line(&Done::new((progress.told_to, position), end, told))?;
        Ok(Some((text, mark)))
    }

    fn has_told(&mut self, Mark { position, blocks, .. }: Mark) {
        let Some(progress) = &mut self.progress else { return };
        (progress.head, progress.last) = (None, Instant::now());
        (progress.told, progress.told_to) = (blocks, position);
        progress.lacking.clear();
        if progress.marks.front().is_some_and(|mark| mark.blocks <= blocks) {
            progress.marks.pop_front();
        }
    }

    /// Says that all blocks are about to move up by so many bytes, before they do.
    ///
    /// # Errors
    /// When what was written before could not be brought to the disk, or the index cannot be.
    pub(super) fn tell_move(&mut self, moving_by: u64) -> Result<()> {
        let name = self.container.path.display();
        self.write_back.finish().with_context(|| format!("{name} cannot be brought to the disk"))?;
        self.write_back = super::WriteBack::start(&self.file, None)?;
        self.tell_rest()?;
        let Some((index, progress)) = self.index.as_mut().zip(self.progress.as_mut()) else { return Ok(()) };
        index.write_all(line(&Moving { moving_by })?.as_bytes()).context(WRITE_INDEX)?;
        index.sync_data().context(WRITE_INDEX)?;
        progress.any.store(true, Ordering::Relaxed);
        Ok(())
    }
}
