//! One window, from sources to encoded blocks: read, composite, encode.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Result;

use super::Pyramid;
use super::pipeline::{Run, Work};
use super::pyramid::TileEncoder;
use crate::codec::{BlockLayout, Compression, Encoder, Predictor};
use crate::geometry::{Size, Window};
use crate::output::{BlockId, EncodedBlock, OverviewStore, Plane};
use crate::pixels::{
    Area, BandRule, Buffer, Composite, Layer, Number, Pixel, gather_block, is_filled_with, pack_mask,
};
use crate::plan::{Job, Plan, Touching};
use crate::source::{Handle, Mosaic, Pixels};

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
    /// What the workers did, summed over all of them.
    pub totals: &'a Totals,
}

/// Sums over all workers.
#[derive(Debug, Default)]
pub struct Totals {
    /// Nanoseconds spent reading sources.
    pub read: AtomicU64,
    /// Nanoseconds spent compositing.
    pub composite: AtomicU64,
    /// Nanoseconds spent encoding.
    pub encode: AtomicU64,
    /// Nanoseconds spent making and encoding overviews.
    pub overviews: AtomicU64,
    /// Pixels of one band read from sources.
    pub samples_read: AtomicU64,
    /// Blocks left out because they hold nothing but nodata.
    pub sparse_blocks: AtomicU64,
    /// What GDAL warned of, each text once, and not without end.
    pub warnings: Mutex<BTreeSet<String>>,
}

impl Totals {
    /// Keeps what GDAL warned of.
    pub fn note(&self, warnings: Vec<String>) {
        const MOST: usize = 100;
        if !warnings.is_empty() {
            let mut noted = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            let room = MOST.saturating_sub(noted.len());
            noted.extend(warnings.into_iter().take(room));
        }
    }

    /// What GDAL warned of.
    pub fn noted(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn add(total: &AtomicU64, since: Instant) {
        total.fetch_add(since.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }
}

/// A worker: its open sources, its buffers and its encoder.
pub struct WindowMaker<'a> {
    shared: &'a Shared<'a>,
    handles: OpenSources<'a>,
    composites: Composites,
    layer: Pixels,
    pixels: Buffer,
    valid: Vec<u8>,
    valid_in_any: Vec<u8>,
    block: Vec<u8>,
    encoded: Vec<u8>,
    encoder: Encoder,
    mask_encoder: Encoder,
    /// One pixel of all bands as a block that is left out reads.
    implicit: Vec<u8>,
    tiles: TileEncoder<'a>,
}

impl<'a> WindowMaker<'a> {
    /// A worker that has opened nothing yet.
    ///
    /// # Errors
    /// When the codec cannot be had with these settings.
    pub fn new(shared: &'a Shared<'a>) -> Result<WindowMaker<'a>> {
        let mosaic = shared.mosaic;
        let fill = mosaic.nodata.unwrap_or(Number::Whole(0));
        let mut one = Buffer::zeros(mosaic.pixel_type, 1);
        crate::dispatch_pixel_type!(mosaic.pixel_type, T => {
            one.pixels_mut::<T>()[0] = fill.to_pixel().unwrap_or(T::from_i128(0));
        });
        let samples = if shared.bands_apart { 1 } else { mosaic.bands.len() };
        let implicit = one.bytes().repeat(samples);
        Ok(WindowMaker {
            shared,
            handles: OpenSources { shared, open: Vec::new() },
            composites: Composites::default(),
            layer: Pixels::new(mosaic.working_type),
            pixels: Buffer::zeros(mosaic.pixel_type, 0),
            valid: Vec::new(),
            valid_in_any: Vec::new(),
            block: Vec::new(),
            encoded: Vec::new(),
            encoder: Encoder::new(shared.compression, shared.predictor, shared.level)?,
            mask_encoder: Encoder::new(shared.mask_compression, Predictor::None, None)?,
            tiles: TileEncoder::new(shared, implicit.clone())?,
            implicit,
        })
    }

    /// Composites `bands` of the window into `self.pixels` and `self.valid`.
    fn composite(&mut self, job: Job, bands: Range<usize>) -> Result<()> {
        let Shared { mosaic, touching, block, totals, .. } = *self.shared;
        let composite = self.composites.get(mosaic, bands.clone(), job.window.size());
        for index in touching.sources(job.window_row, job.window) {
            let source = &mosaic.sources[index];
            let Some(place) = source.window.and_then(|window| window.intersection(job.window)) else {
                continue;
            };
            let reading = Instant::now();
            let warnings = self.handles.get(index)?.read(place, bands.clone(), block, &mut self.layer)?;
            totals.note(warnings);
            Totals::add(&totals.read, reading);
            totals.samples_read.fetch_add((place.pixels() * bands.len()) as u64, Ordering::Relaxed);
            let compositing = Instant::now();
            let from = bands.start.min(source.nodata.len());
            composite.add(&Layer {
                place: Window::new(
                    place.column - job.window.column,
                    place.row - job.window.row,
                    place.columns,
                    place.rows,
                ),
                pixels: &self.layer.values,
                nodata: &source.nodata[from..bands.end.min(source.nodata.len())],
                mask: self.layer.masked.then_some(&self.layer.mask),
            });
            Totals::add(&totals.composite, compositing);
            if composite.is_settled() {
                break;
            }
        }
        let compositing = Instant::now();
        let background: Vec<Number> =
            mosaic.bands[bands.clone()].iter().map(|band| band.background).collect();
        self.pixels.resize(bands.len() * job.window.pixels());
        self.valid.resize(job.window.pixels(), 0);
        composite.finish(&background, &mut self.pixels, &mut self.valid);
        Totals::add(&totals.composite, compositing);
        Ok(())
    }

    /// Encodes the blocks of the window that hold `bands`, and puts them into their runs.
    fn encode(
        &mut self,
        window: Window,
        bands: Range<usize>,
        runs: &mut [Run<(BlockId, EncodedBlock)>],
    ) -> Result<()> {
        let encoding = Instant::now();
        let Shared { block: side, bands_apart, mosaic, .. } = *self.shared;
        let samples = if bands_apart { 1 } else { mosaic.bands.len() };
        let sample_bytes = mosaic.pixel_type.bytes();
        self.block.resize(side * side * samples * sample_bytes, 0);
        for (run, part) in parts(window.size(), side) {
            for first in bands.clone().step_by(samples) {
                let taken = first - bands.start..first - bands.start + samples;
                let fill = (side, &self.implicit[..sample_bytes]);
                gather_block(&self.pixels, window.size(), taken, part, fill, &mut self.block);
                let wanted =
                    self.shared.blocks_in_pairs && any_valid(&self.valid_in_any, window.size(), part);
                if !wanted && is_filled_with(&self.block, &self.implicit) {
                    self.shared.totals.sparse_blocks.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let layout = BlockLayout { columns: side, rows: side, samples, sample_bytes };
                self.encoder.encode(&mut self.block, layout, &mut self.encoded)?;
                let plane = if bands_apart { first } else { 0 };
                let id = self.id(Plane::Image, window, part, plane);
                runs[run].blocks.push((id, EncodedBlock::new(self.encoded.clone())));
            }
        }
        Totals::add(&self.shared.totals.encode, encoding);
        Ok(())
    }

    fn encode_mask(&mut self, window: Window, runs: &mut [Run<(BlockId, EncodedBlock)>]) -> Result<()> {
        let side = self.shared.block;
        self.block.resize(side * side / 8, 0);
        for (run, part) in parts(window.size(), side) {
            pack_mask(&self.valid_in_any, window.size(), part, side, &mut self.block);
            let id = self.id(Plane::Mask, window, part, 0);
            let image_is_stored = || runs[run].blocks.iter().any(|(stored, _)| stored.index == id.index);
            let wanted = self.shared.blocks_in_pairs && image_is_stored();
            if !wanted && self.block.iter().all(|&bits| bits == 0) {
                continue;
            }
            let layout = BlockLayout { columns: side / 8, rows: side, samples: 1, sample_bytes: 1 };
            self.mask_encoder.encode(&mut self.block, layout, &mut self.encoded)?;
            runs[run].blocks.push((id, EncodedBlock::new(self.encoded.clone())));
        }
        Ok(())
    }

    /// Hands the window on to the overviews.
    fn make_overviews(&mut self, window: Window, first_band: usize) -> Result<()> {
        let Some((pyramid, store)) = self.shared.overviews else { return Ok(()) };
        let making = Instant::now();
        let mask = self.shared.mosaic.mask.then_some(&self.valid_in_any[..]);
        let area = Area { window, pixels: &self.pixels, mask };
        pyramid.add(first_band, &area, |finished| self.tiles.encode(finished, store))?;
        Totals::add(&self.shared.totals.overviews, making);
        Ok(())
    }

    fn id(&self, plane: Plane, window: Window, part: Window, band: usize) -> BlockId {
        let side = self.shared.block;
        let blocks = self.shared.mosaic.grid.size.tiles(Size::square(side));
        let column = (window.column + part.column) / side;
        let row = (window.row + part.row) / side;
        BlockId { level: 0, plane, index: ((band * blocks.rows + row) * blocks.columns + column) as u64 }
    }
}

/// Whether any pixel of a part of a window is valid.
fn any_valid(valid: &[u8], window: Size, part: Window) -> bool {
    let mut rows = part.row..part.end_row();
    rows.any(|row| {
        valid[row * window.columns + part.column..][..part.columns].iter().any(|&valid| valid != 0)
    })
}

/// The blocks of a window as parts of it, with the number of their row of blocks.
fn parts(window: Size, side: usize) -> impl Iterator<Item = (usize, Window)> {
    (0..window.rows).step_by(side).enumerate().flat_map(move |(run, row)| {
        (0..window.columns).step_by(side).map(move |column| {
            let part =
                Window::new(column, row, side.min(window.columns - column), side.min(window.rows - row));
            (run, part)
        })
    })
}

impl Work<(BlockId, EncodedBlock)> for WindowMaker<'_> {
    fn make(&mut self, job: Job) -> Result<Vec<Run<(BlockId, EncodedBlock)>>> {
        let window = job.window;
        let rows = window.rows.div_ceil(self.shared.block);
        let mut runs: Vec<_> = (0..rows).map(|row| Run { place: job.run(row), blocks: Vec::new() }).collect();
        let count = self.shared.mosaic.bands.len();
        self.valid_in_any.clear();
        self.valid_in_any.resize(window.pixels(), 0);
        for first in (0..count).step_by(self.shared.plan.bands_at_once) {
            let bands = first..count.min(first + self.shared.plan.bands_at_once);
            self.composite(job, bands.clone())?;
            self.valid_in_any.iter_mut().zip(&self.valid).for_each(|(any, &valid)| *any |= valid);
            self.make_overviews(window, bands.start)?;
            self.encode(window, bands, &mut runs)?;
        }
        if self.shared.mosaic.mask {
            self.encode_mask(window, &mut runs)?;
        }
        // Bands were made a few at a time: in the file a block position's bands stand together.
        runs.iter_mut().for_each(|run| run.blocks.sort_by_key(|(id, _)| self.place_in_run(*id)));
        Ok(runs)
    }
}

impl WindowMaker<'_> {
    /// Left to right; at one position all bands, then the mask.
    fn place_in_run(&self, id: BlockId) -> (u64, Plane, u64) {
        let blocks = self.shared.mosaic.grid.size.tiles(Size::square(self.shared.block));
        (id.index % blocks.columns as u64, id.plane, id.index)
    }
}

/// The composite's state, kept from window to window as long as the bands are the same.
#[derive(Default)]
struct Composites {
    bands: Range<usize>,
    composite: Option<Composite>,
}

impl Composites {
    fn get(&mut self, mosaic: &Mosaic, bands: Range<usize>, size: Size) -> &mut Composite {
        if self.bands != bands {
            self.composite = None;
            self.bands = bands.clone();
        }
        let rules = || mosaic.bands[bands].iter().map(|band| band.rule).collect::<Vec<BandRule>>();
        let composite =
            self.composite.get_or_insert_with(|| Composite::new(mosaic.working_type, &rules(), size));
        composite.reset(size);
        composite
    }
}

/// The sources that a worker has open, the one used last at the end.
struct OpenSources<'a> {
    shared: &'a Shared<'a>,
    open: Vec<(usize, Handle)>,
}

impl OpenSources<'_> {
    fn get(&mut self, index: usize) -> Result<&Handle> {
        let handle = match self.open.iter().position(|(open, _)| *open == index) {
            Some(position) => self.open.remove(position).1,
            None => {
                if self.open.len() >= self.shared.plan.open_sources {
                    self.open.remove(0);
                }
                let mosaic = self.shared.mosaic;
                Handle::open(mosaic, &mosaic.sources[index])?
            }
        };
        self.open.push((index, handle));
        Ok(&self.open.last().expect("pushed just now").1)
    }
}
