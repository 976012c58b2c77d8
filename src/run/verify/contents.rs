//! What the file holds: the bytes of its blocks, and pixels decided a second time.

use std::fs::File;
use std::hash::Hasher;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use twox_hash::XxHash3_64;

use super::{Depth, Findings, Verifiers};
use crate::geometry::{Size, Window};
use crate::output::BlockRecord;
use crate::plan::{Jobs, Touching};
use crate::run::isolated::RemoteVerifier;
use crate::run::{Stopped, in_parallel_with};
use crate::source::reference::{self, Reference};
use crate::source::{Mosaic, Patience, set_gdal_cache};

/// The written file, beside what it was made from.
pub(super) struct Contents<'a> {
    pub path: &'a str,
    pub file: File,
    /// Blocks written; `framed` if each stands between its size and its last four bytes.
    pub records: &'a [BlockRecord],
    pub framed: bool,
    pub mosaic: &'a Mosaic,
    pub jobs: &'a Jobs,
    pub touching: &'a Touching,
    /// Who decides pixels.
    pub by: Verifiers<'a>,
}

impl Contents<'_> {
    /// Checks all bytes, and the pixels that `depth` wants.
    ///
    /// # Errors
    /// When the file or a source cannot be read at all, or the job was told to stop.
    pub fn check(&self, depth: Depth, patience: Patience, findings: &mut Findings) -> Result<()> {
        /// So few that the threads end at about the same time.
        const BLOCKS_AT_ONCE: usize = 8;
        let areas = self.areas(depth);
        let blocks: Vec<&[BlockRecord]> = self.records.chunks(BLOCKS_AT_ONCE).collect();
        let children = self.by.isolation.map(RemoteVerifier::new);
        let check = |reference: &mut Reference, task: usize| -> Result<Vec<String>> {
            if patience.stop.load(Ordering::Relaxed) {
                return Err(Stopped.into());
            }
            // Areas take longest: they come first.
            match areas.get(task) {
                Some(area) => match self.check_area(*area, children.as_ref(), (reference, patience)) {
                    Err(_) if patience.stop.load(Ordering::Relaxed) => Err(Stopped.into()),
                    checked => checked.with_context(|| format!("verify {}", area.1)),
                },
                None => Ok(self.check_bytes(blocks[task - areas.len()])),
            }
        };
        if children.is_none() {
            set_gdal_cache(self.by.cache_bytes);
        }
        let reference = || Reference::new(self.mosaic, self.jobs.grid.block, self.by.open_sources);
        for faults in in_parallel_with(self.by.threads, areas.len() + blocks.len(), reference, check)? {
            findings.faults.extend(faults?);
        }
        findings.blocks = self.records.len() as u64;
        findings.areas = areas.len() as u64;
        Ok(())
    }

    /// The bytes in the file are those that were encoded.
    fn check_bytes(&self, records: &[BlockRecord]) -> Vec<String> {
        let wrong = records.iter().filter(|record| !holds(&self.file, record, self.framed).unwrap_or(false));
        let fault = |record: &BlockRecord| {
            format!("the block at byte {} does not hold what was encoded", record.offset)
        };
        wrong.map(fault).collect()
    }

    /// Pixels decided a second time are those that GDAL reads from the file.
    fn check_area(
        &self,
        (window_row, area): (usize, Window),
        children: Option<&RemoteVerifier>,
        (reference, patience): (&mut Reference, Patience),
    ) -> Result<Vec<String>> {
        let touching: Vec<usize> = self.touching.sources(window_row, area).collect();
        let mut difference = |area: Window, sources: &[usize]| match children {
            Some(children) => children.first_difference(self.path, area, sources),
            None => reference.first_difference(self.path, area, sources, patience),
        };
        let mut faults = Vec::new();
        for (part, sources) in self.by.left_out.parts(area, &touching) {
            faults.extend(
                difference(part, &sources)?
                    .map(|difference| format!("pixels differ in {part}: {difference}")),
            );
        }
        Ok(faults)
    }

    /// The areas whose pixels are decided a second time, with their rows of windows.
    fn areas(&self, depth: Depth) -> Vec<(usize, Window)> {
        let bands = self.mosaic.bands.len();
        // The second decision holds every source's values at once: where many lie on each other, areas are smaller.
        let most = |window_row: usize, window: Window, bytes: usize| {
            let touching: Vec<usize> = self.touching.sources(window_row, window).collect();
            reference::largest_side(self.mosaic, &touching, LARGEST_SIDE, bytes)
        };
        let all_that_fits = |window_row, window| most(window_row, window, self.by.bytes_to_decide);
        match depth {
            Depth::Sample => {
                sample(self.jobs, bands, |window_row, window| most(window_row, window, SAMPLE_BYTES))
            }
            Depth::Everything => {
                let jobs = (0..self.jobs.len()).map(|number| self.jobs.job(number));
                everything(jobs.map(|job| (job.window_row, job.window)), all_that_fits)
            }
            Depth::Anew => {
                let grid = &self.jobs.grid;
                let Size { columns, rows } = grid.windows();
                let windows = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
                everything(windows.map(|(column, row)| (row, grid.window(column, row))), all_that_fits)
            }
        }
    }
}

/// Whether a block's bytes are those of which the checksum was taken, in their frame where there is one.
fn holds(file: &File, record: &BlockRecord, framed: bool) -> io::Result<bool> {
    /// What a processor's own cache holds beside other things.
    const PIECE: usize = 128 << 10;
    let size = record.size as usize;
    let mut piece = vec![0; PIECE.min(size)];
    let mut checksum = XxHash3_64::new();
    let mut last = 0;
    for start in (0..size).step_by(PIECE) {
        last = PIECE.min(size - start);
        file.read_exact_at(&mut piece[..last], record.offset + start as u64)?;
        checksum.write(&piece[..last]);
    }
    let mut in_frame = true;
    if framed {
        let (mut before, mut behind) = ([0; 4], [0; 4]);
        file.read_exact_at(&mut before, record.offset - 4)?;
        file.read_exact_at(&mut behind, record.offset + size as u64)?;
        in_frame = before == record.size.to_le_bytes() && (last < 4 || piece[..last].ends_with(&behind));
    }
    Ok(in_frame && checksum.finish() == record.checksum)
}

/// Columns and rows that an area has at most.
const LARGEST_SIDE: usize = 512;
/// Bytes that deciding an area of the sample may take.
const SAMPLE_BYTES: usize = 8 << 20;

/// Small areas spread over the jobs, each in another corner of a block; fewer where there are many bands.
fn sample(jobs: &Jobs, bands: usize, most_side: impl Fn(usize, Window) -> usize) -> Vec<(usize, Window)> {
    const SIDE: usize = 64;
    const WINDOWS_AN_AREA: usize = 128;
    let most = (64 / bands.max(1)).clamp(2, 12);
    // Each area costs about as much as a window: few enough to take no noticeable part of the time.
    let count = most.min(jobs.len().div_ceil(WINDOWS_AN_AREA));
    (0..count)
        .map(|index| {
            let job = jobs.job((2 * index + 1) * jobs.len() / (2 * count));
            let blocks: Vec<Window> = job.window.cut(Size::square(jobs.grid.block)).collect();
            let block = blocks[index * 5 % blocks.len()];
            let side = SIDE.min(most_side(job.window_row, job.window));
            let size = Size::new(side.min(block.columns), side.min(block.rows));
            let column = (block.columns - size.columns) * (index * 5 % 7) / 6;
            let row = (block.rows - size.rows) * (index * 3 % 5) / 4;
            (job.window_row, Window::new(block.column + column, block.row + row, size.columns, size.rows))
        })
        .collect()
}

/// All of these windows (with their rows of windows), cut into areas that fit into little memory.
fn everything(
    windows: impl Iterator<Item = (usize, Window)>,
    most_side: impl Fn(usize, Window) -> usize,
) -> Vec<(usize, Window)> {
    let areas = windows.flat_map(|(window_row, window)| {
        let side = most_side(window_row, window);
        window.cut(Size::square(side)).map(move |area| (window_row, area))
    });
    areas.collect()
}
