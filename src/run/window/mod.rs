//! One window, from sources to encoded blocks: read and decided, then cut into blocks and encoded.

mod blocks;
mod decided;
mod lone;
mod open_sources;

use std::sync::Mutex;
use std::time::Instant;

use anyhow::Result;

use super::Totals;
use super::pipeline::{Run, Work};
use super::pyramid::{Pyramid, TileEncoder};
use crate::codec::{Compression, Predictor};
use crate::geometry::{Size, Window};
use crate::output::{BlockId, EncodedBlock, OverviewStore, Plane};
use crate::pixels::Area;
use crate::plan::{Job, Plan, Touching};
use crate::source::Mosaic;
use crate::source::direct::DirectSources;
use blocks::BlockEncoder;
use decided::Decided;

/// Everything that all workers share.
pub struct Shared<'a> {
    /// What is made.
    pub mosaic: &'a Mosaic,
    /// How it is cut.
    pub plan: &'a Plan,
    /// Which sources touch which window.
    pub touching: &'a Touching,
    /// Side of a block.
    pub block: usize,
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
    /// Sources that are read without GDAL.
    pub direct: &'a DirectSources,
    /// Whether a block that cannot be decoded directly is left to GDAL to judge.
    pub ask_gdal: bool,
    /// Held while GDAL judges such a block: the budget has room for one.
    pub judging: Mutex<()>,
    /// What the workers did, summed over all of them.
    pub totals: &'a Totals,
}

impl Shared<'_> {
    /// How many bands a block holds.
    fn samples(&self) -> usize {
        if self.bands_apart { 1 } else { self.mosaic.bands.len() }
    }

    /// How many blocks the mosaic has across and down.
    fn blocks(&self) -> Size {
        self.mosaic.grid.size.tiles(Size::square(self.block))
    }
}

/// The encoded blocks of one row of blocks of a window.
type WindowRun = Run<(BlockId, EncodedBlock)>;

/// A worker: its open sources, its buffers and its encoders.
pub struct WindowMaker<'a> {
    shared: &'a Shared<'a>,
    decided: Decided<'a>,
    blocks: BlockEncoder<'a>,
    tiles: TileEncoder<'a>,
    /// Rows × columns: 1 where any band of the mosaic has data.
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
        Ok(WindowMaker { shared, decided: Decided::new(shared), blocks, tiles, valid_in_any: Vec::new() })
    }

    /// Hands the window's pixels on to the overviews.
    fn make_overviews(&mut self, window: Window, first_band: usize) -> Result<()> {
        let Some((pyramid, store)) = self.shared.overviews else { return Ok(()) };
        let making = Instant::now();
        let mask = self.shared.mosaic.mask.then_some(&self.valid_in_any[..]);
        let area = Area { window, pixels: &self.decided.pixels, mask };
        pyramid.add(first_band, &area, |finished| self.tiles.encode(finished, store))?;
        Totals::add(&self.shared.totals.overviews, making);
        Ok(())
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
        let window = job.window;
        let rows = window.rows.div_ceil(self.shared.block);
        let mut runs: Vec<_> = (0..rows).map(|row| Run { place: job.run(row), blocks: Vec::new() }).collect();
        let count = self.shared.mosaic.bands.len();
        let at_once = self.shared.plan.bands_at_once;
        self.valid_in_any.clear();
        self.valid_in_any.resize(window.pixels(), 0);
        for first in (0..count).step_by(at_once) {
            let bands = first..count.min(first + at_once);
            self.decided.decide(job, bands.clone())?;
            self.valid_in_any.iter_mut().zip(&self.decided.valid).for_each(|(any, &valid)| *any |= valid);
            self.make_overviews(window, bands.start)?;
            self.blocks.encode((window, bands), &self.decided.pixels, &self.valid_in_any, &mut runs)?;
        }
        if self.shared.mosaic.mask {
            self.blocks.encode_mask(window, &self.valid_in_any, &mut runs)?;
        }
        // Bands were made a few at a time: in the file a block position's bands stand together.
        runs.iter_mut().for_each(|run| run.blocks.sort_by_key(|(id, _)| self.place_in_run(*id)));
        Ok(runs)
    }
}
