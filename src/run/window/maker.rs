//! Makes one window: its areas' bands are decided a few at a time, then cut into blocks and encoded.

use std::ops::Range;
use std::time::Instant;

use anyhow::Result;

use super::blocks::BlockEncoder;
use super::finished::FinishedReader;
use super::{Decide, DecidedPixels, Decider, Deciding, Shared};
use crate::geometry::{Size, Window};
use crate::output::{BlockId, EncodedBlock, Plane};
use crate::pixels::{Area, gather_block};
use crate::plan::Job;
use crate::run::Totals;
use crate::run::isolated::RemoteDecider;
use crate::run::pipeline::{Run, Work};
use crate::run::pyramid::TileEncoder;

/// The encoded blocks of one row of blocks of a window.
pub(super) type WindowRun = Run<(BlockId, EncodedBlock)>;

/// A worker: its open sources, its buffers and its encoders.
pub struct WindowMaker<'a> {
    shared: &'a Shared<'a>,
    decider: Box<dyn Decide + 'a>,
    /// The bands decided last, of an area of the window.
    decided: DecidedPixels,
    blocks: BlockEncoder<'a>,
    tiles: TileEncoder<'a>,
    /// What stood in the output when the run began.
    finished: Option<FinishedReader<'a>>,
    /// Rows × columns of the area in work: 1 where any band of the mosaic has data. Kept only where it is wanted.
    valid_in_any: Vec<u8>,
}

impl<'a> WindowMaker<'a> {
    /// A worker that has opened nothing yet.
    ///
    /// # Errors
    /// When the codec cannot be had with these settings.
    pub fn new(shared: &'a Shared<'a>) -> Result<WindowMaker<'a>> {
        let blocks = BlockEncoder::new(shared)?;
        let tiles = TileEncoder::new(shared, blocks.implicit().to_vec())?;
        let decider: Box<dyn Decide> = match shared.isolation {
            Some(isolation) => Box::new(RemoteDecider::new(isolation)),
            None => Box::new(Decider::new(&shared.deciding)),
        };
        Ok(WindowMaker {
            shared,
            decider,
            decided: DecidedPixels::new(shared.deciding.mosaic.pixel_type),
            blocks,
            tiles,
            finished: shared.finished.as_ref().map(FinishedReader::new),
            valid_in_any: Vec::new(),
        })
    }

    /// Makes the blocks of an area of the window, its bands a few at a time.
    fn make_area(&mut self, job: Job, area: Window, runs: &mut [WindowRun]) -> Result<()> {
        let Deciding { mosaic, plan, block: side, .. } = self.shared.deciding;
        if mosaic.mask {
            self.valid_in_any.clear();
            self.valid_in_any.resize(area.pixels(), 0);
        }
        let count = mosaic.bands.len();
        let mut stored = vec![false; area.size().tiles(Size::square(side)).pixels()];
        for first in (0..count).step_by(plan.bands_at_once) {
            let bands = first..count.min(first + plan.bands_at_once);
            self.make_bands((job, area), bands, &mut stored, runs)?;
        }
        if mosaic.mask {
            for (block, &stored) in area.cut(Size::square(side)).zip(&stored) {
                let place = (self.row_in(job, block), self.blocks.id(Plane::Mask, block, 0));
                let valid = (&self.valid_in_any[..], area.size(), block.from(area));
                self.blocks.add_mask(place, self.shared.blocks_in_pairs && stored, runs, valid)?;
            }
        }
        Ok(())
    }

    /// Makes the blocks of some bands of an area; `stored` becomes true for each of its blocks that holds anything.
    fn make_bands(
        &mut self,
        (job, area): (Job, Window),
        bands: Range<usize>,
        stored: &mut [bool],
        runs: &mut [WindowRun],
    ) -> Result<()> {
        let Deciding { mosaic, plan, block: side, totals, .. } = self.shared.deciding;
        let Shared { bands_apart, blocks_in_pairs, .. } = *self.shared;
        let samples = self.shared.samples();
        let implicit = self.blocks.implicit().to_vec();
        let mut decided_area = None;
        // Masks and overviews are made of the decided pixels, not of blocks.
        if mosaic.mask || self.shared.overviews.is_some() {
            self.decider.decide(job, area, bands.clone(), &mut self.decided)?;
            decided_area = Some(area);
            self.valid_in_any.iter_mut().zip(&self.decided.valid).for_each(|(any, &valid)| *any |= valid);
            self.make_overviews(area, bands.clone())?;
        }
        let from_sources = decided_area.is_none();
        for (block, stored) in area.cut(Size::square(side)).zip(stored) {
            let wanted = blocks_in_pairs && any_valid(&self.valid_in_any, area.size(), block.from(area));
            for first in bands.clone().step_by(samples) {
                let id = self.blocks.id(Plane::Image, block, if bands_apart { first } else { 0 });
                let place = (self.row_in(job, block), id);
                let (decider, decided) = (&mut self.decider, &mut self.decided);
                *stored |= self.blocks.add(place, wanted, runs, |raw| {
                    let taken = first..first + samples;
                    if from_sources && decider.take_block(job, block, taken, (raw, &implicit))? {
                        return Ok(());
                    }
                    for strip in block.cut(Size::new(side, plan.strip_rows)) {
                        let together = if plan.strip_rows < side { strip } else { area };
                        if decided_area != Some(together) {
                            decider.decide(job, together, bands.clone(), decided)?;
                            decided_area = Some(together);
                        }
                        let gathering = Instant::now();
                        let taken = first - bands.start..first - bands.start + samples;
                        let lines = &mut raw[(strip.row - block.row) * side * implicit.len()..];
                        let part = strip.from(together);
                        gather_block(&decided.pixels, together.size(), taken, part, (side, &implicit), lines);
                        Totals::add(&totals.encode, gathering);
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    /// Makes overviews of a window whose blocks all stood in the output when the run began.
    fn take_over(&mut self, job: Job) -> Result<()> {
        let Deciding { mosaic, plan, .. } = self.shared.deciding;
        let count = mosaic.bands.len();
        for area in job.window.cut(plan.area) {
            self.valid_in_any.resize(area.pixels(), 0);
            for first in (0..count).step_by(plan.bands_at_once) {
                self.make_overviews(area, first..count.min(first + plan.bands_at_once))?;
            }
        }
        Ok(())
    }

    /// Hands the area's pixels on to the overviews: those that stood in the output when the run began as they stand
    /// there. They may be of sources that are left out by now.
    fn make_overviews(&mut self, area: Window, bands: Range<usize>) -> Result<()> {
        let Some((pyramid, store)) = self.shared.overviews else { return Ok(()) };
        let Deciding { mosaic, totals, .. } = self.shared.deciding;
        let (window, first) = (area, bands.start);
        if let Some(finished) = &mut self.finished {
            let reading = Instant::now();
            let mask = mosaic.mask.then_some(&mut self.valid_in_any[..]);
            finished.read(area, bands, &mut self.decided.pixels, mask)?;
            Totals::add(&totals.read, reading);
        }
        let making = Instant::now();
        let mask = mosaic.mask.then_some(&self.valid_in_any[..]);
        let area = Area { window, pixels: &self.decided.pixels, mask };
        pyramid.add(first, &area, |finished| self.tiles.encode(finished, store))?;
        Totals::add(&totals.overviews, making);
        Ok(())
    }

    /// Notes of which sources a window was not made: so many of those that are left out.
    fn note_lacking(&self, window: Window, without: usize) {
        let Some(isolation) = self.shared.isolation else { return };
        let made = self.shared.finished.as_ref().map_or(vec![window], |part| part.missing(window));
        made.into_iter().for_each(|area| isolation.left_out.note(area, without));
    }

    /// The row of blocks of the job's window in which a block lies.
    fn row_in(&self, job: Job, block: Window) -> usize {
        (block.row - job.window.row) / self.shared.deciding.block
    }

    /// Left to right; at one position all bands, then the mask.
    fn place_in_run(&self, id: BlockId) -> (u64, Plane, u64) {
        (id.index % self.shared.blocks().columns as u64, id.plane, id.index)
    }
}

impl Work<(BlockId, EncodedBlock)> for WindowMaker<'_> {
    fn finish(&mut self) -> Result<()> {
        match self.shared.overviews {
            Some((_, store)) => self.tiles.encode_waiting(store),
            None => Ok(()),
        }
    }

    fn make(&mut self, job: Job) -> Result<Vec<WindowRun>> {
        let Deciding { mosaic, plan, block, .. } = self.shared.deciding;
        let rows = job.window.rows.div_ceil(block);
        let empty = || (0..rows).map(|row| Run { place: job.run(row), blocks: Vec::new() }).collect();
        if self.shared.finished.as_ref().is_some_and(|part| part.has(job.window)) {
            self.take_over(job)?;
            return Ok(empty());
        }
        loop {
            let mut runs: Vec<_> = empty();
            self.decider.begin(job, 0..plan.bands_at_once.min(mosaic.bands.len()))?;
            for area in job.window.cut(plan.area) {
                self.make_area(job, area, &mut runs)?;
            }
            let Some(without) = self.decider.leave() else {
                // It was asked about once, and all bands together, where overviews were made of it.
                debug_assert!(self.shared.overviews.is_none(), "{} is made again", job.window);
                self.blocks.forget_window();
                continue;
            };
            self.note_lacking(job.window, without);
            self.blocks.finish_window(&mut runs)?;
            // Bands were made a few at a time: in the file a block position's bands stand together.
            runs.iter_mut().for_each(|run| run.blocks.sort_by_key(|(id, _)| self.place_in_run(*id)));
            return Ok(runs);
        }
    }
}

/// Whether any pixel of a part of an area is valid (rows × columns of `area`).
fn any_valid(valid: &[u8], area: Size, part: Window) -> bool {
    (part.row..part.end_row())
        .any(|row| valid[row * area.columns + part.column..][..part.columns].iter().any(|&valid| valid != 0))
}
