//! One window, from sources to encoded blocks: read and decided, then cut into blocks and encoded.

mod blocks;
mod decider;
mod deciding;
mod derived;
pub(super) mod lone;
mod open_sources;
mod read_scene;
mod reader;
mod scores;
mod stacked;

use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use super::Totals;
use super::isolated::{Isolation, RemoteDecider};
use super::pipeline::{Run, Work};
use super::pyramid::{Pyramid, TileEncoder};
use crate::codec::{Compression, Predictor};
use crate::geometry::{Size, Window};
use crate::output::{BlockId, EncodedBlock, OverviewStore, Plane};
use crate::pixels::{Area, Buffer, gather_block};
use crate::plan::{Job, Jobs};
use crate::source::Finished;
use blocks::BlockEncoder;
pub use decider::Decider;
pub use deciding::{Decide, DecidedPixels, Deciding};
pub use derived::DerivedBands;

/// Everything that all workers share.
pub struct Shared<'a> {
    /// What is made, and of what.
    pub deciding: Deciding<'a>,
    /// The processes that decide pixels, where it is not this one.
    pub isolation: Option<&'a Isolation<'a>>,
    /// Whether each band has blocks of its own.
    pub bands_apart: bool,
    /// How blocks are encoded.
    pub compression: Compression,
    /// What is done to pixels before.
    pub predictor: Predictor,
    /// How hard the codec tries.
    pub level: Option<i32>,
    /// How the mask's blocks are encoded.
    pub mask_compression: Compression,
    /// Whether a block of the mask and the image's block of the same place are stored both or not at all.
    pub blocks_in_pairs: bool,
    /// The overviews that are made on the way, and where their blocks are kept.
    pub overviews: Option<(&'a Pyramid, &'a OverviewStore)>,
    /// What stood in the output when the run began.
    pub finished: Option<FinishedPart<'a>>,
}

/// An output that an earlier run began.
pub struct FinishedPart<'a> {
    /// All blocks before this position, counted row by row, stand in it, and are entered in its header.
    pub position: u64,
    /// The windows of this run.
    pub jobs: &'a Jobs,
    /// The file.
    pub path: &'a Path,
}

impl Shared<'_> {
    /// How many bands a block holds.
    fn samples(&self) -> usize {
        if self.bands_apart { 1 } else { self.deciding.mosaic.bands.len() }
    }

    /// How many blocks the mosaic has across and down.
    fn blocks(&self) -> Size {
        self.deciding.mosaic.grid.size.tiles(Size::square(self.deciding.block))
    }
}

/// The encoded blocks of one row of blocks of a window.
type WindowRun = Run<(BlockId, EncodedBlock)>;

/// A worker: its open sources, its buffers and its encoders.
pub struct WindowMaker<'a> {
    shared: &'a Shared<'a>,
    decider: Box<dyn Decide + 'a>,
    /// The bands decided last, of an area of the window.
    decided: DecidedPixels,
    blocks: BlockEncoder<'a>,
    tiles: TileEncoder<'a>,
    /// What stood in the output when the run began, once it is read.
    finished: Option<Finished>,
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
            finished: None,
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
            self.make_overviews(area, bands.start)?;
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

    /// Whether all blocks of a window stood in the output when the run began.
    fn is_finished(&self, job: Job) -> bool {
        self.shared.finished.as_ref().is_some_and(|part| part.jobs.is_before(job.window, part.position))
    }

    /// Reads a finished window back, if overviews are made of it.
    fn read_finished(&mut self, job: Job) -> Result<()> {
        let Shared { deciding, overviews: Some(_), finished: Some(part), .. } = self.shared else {
            return Ok(());
        };
        let file = match &mut self.finished {
            Some(file) => file,
            none => none.insert(Finished::open(part.path)?),
        };
        let Deciding { mosaic, plan, totals, .. } = deciding;
        let count = mosaic.bands.len();
        for area in job.window.cut(plan.area) {
            for first in (0..count).step_by(plan.bands_at_once) {
                let bands = first..count.min(first + plan.bands_at_once);
                let reading = Instant::now();
                self.valid_in_any.resize(area.pixels(), 0);
                let mask = mosaic.mask.then_some(&mut self.valid_in_any[..]);
                file.read(area, bands, &mut self.decided.pixels, mask)?;
                self.valid_in_any.iter_mut().for_each(|valid| *valid = u8::from(*valid != 0));
                Totals::add(&totals.read, reading);
                let making = Instant::now();
                add_overviews(
                    self.shared,
                    &mut self.tiles,
                    (area, first),
                    (&self.decided.pixels, &self.valid_in_any),
                )?;
                Totals::add(&totals.overviews, making);
            }
        }
        Ok(())
    }

    /// Hands the area's pixels on to the overviews.
    fn make_overviews(&mut self, area: Window, first_band: usize) -> Result<()> {
        let making = Instant::now();
        let pixels = (&self.decided.pixels, &self.valid_in_any[..]);
        add_overviews(self.shared, &mut self.tiles, (area, first_band), pixels)?;
        Totals::add(&self.shared.deciding.totals.overviews, making);
        Ok(())
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
        let mut runs: Vec<_> = (0..rows).map(|row| Run { place: job.run(row), blocks: Vec::new() }).collect();
        if self.is_finished(job) {
            self.read_finished(job)?;
            return Ok(runs);
        }
        self.decider.begin(job, 0..plan.bands_at_once.min(mosaic.bands.len()))?;
        for area in job.window.cut(plan.area) {
            self.make_area(job, area, &mut runs)?;
        }
        self.blocks.encode_waiting(&mut runs)?;
        self.decider.leave();
        // Bands were made a few at a time: in the file a block position's bands stand together.
        runs.iter_mut().for_each(|run| run.blocks.sort_by_key(|(id, _)| self.place_in_run(*id)));
        Ok(runs)
    }
}

/// Hands an area's pixels of the bands from `first_band` on, and where any band of it has data, on to the overviews.
fn add_overviews(
    shared: &Shared,
    tiles: &mut TileEncoder,
    (window, first_band): (Window, usize),
    (pixels, valid): (&Buffer, &[u8]),
) -> Result<()> {
    let Some((pyramid, store)) = shared.overviews else { return Ok(()) };
    let area = Area { window, pixels, mask: shared.deciding.mosaic.mask.then_some(valid) };
    pyramid.add(first_band, &area, |finished| tiles.encode(finished, store))
}

/// Whether any pixel of a part of an area is valid (rows × columns of `area`).
fn any_valid(valid: &[u8], area: Size, part: Window) -> bool {
    (part.row..part.end_row())
        .any(|row| valid[row * area.columns + part.column..][..part.columns].iter().any(|&valid| valid != 0))
}
