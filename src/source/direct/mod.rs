//! GeoTIFF sources on the mosaic's own grid, read without GDAL: blocks by positioned reads, decoded by the codec floor,
//! through a cache that all workers share.
//!
//! Nothing that a header claims is believed: a block's place and size are checked against the file, and what it
//! decodes to against its layout. What cannot be decoded here is GDAL's to judge.

mod cache;
mod copy;
mod decode;
mod files;
mod layout;
mod pace;
mod parts;
mod uses;

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result};

pub use cache::{BlockCache, ENTRY_BYTES};
pub use files::DirectFiles;
pub use layout::DirectLayout;
pub use parts::{Part, blocks_needed, parts};

use super::{Mosaic, Pixels, PlacedSource, Source};
use crate::geometry::{Size, Window};
use crate::pixels::{Buffer, Number};
use cache::Block;
use copy::{Target, copy_pixels, copy_samples, mark_opaque};
use decode::BlockDecoder;
use files::DirectFile;
use uses::Uses;

/// What all workers read through.
pub struct DirectSources {
    /// Files that are open.
    pub files: DirectFiles,
    /// Blocks that are decoded.
    pub cache: BlockCache,
}

/// A worker's reader.
pub struct DirectReader<'a> {
    shared: &'a DirectSources,
    /// Full opacity, when the mosaic has transparency.
    opaque: Option<Number>,
    decoder: BlockDecoder,
    uses: Uses,
}

/// Where a part's pixels go in planes of one band each.
struct Planes<'s> {
    /// The first pixel's index in the first plane.
    start: usize,
    /// Pixels from one row's first to the next one's.
    columns: usize,
    /// Pixels of a plane.
    pixels: usize,
    /// The plane of each band that is read, where they are not in their order.
    slots: Option<&'s [usize]>,
}

impl<'a> DirectReader<'a> {
    /// A reader that has decoded nothing yet.
    /// Windows of the size `window` are read in row-major order; up to `at_once` blocks are decoded together.
    pub fn new(
        mosaic: &Mosaic,
        shared: &'a DirectSources,
        (window, at_once): (Size, usize),
    ) -> DirectReader<'a> {
        let uses = Uses::new(mosaic.grid.size, window);
        DirectReader { shared, opaque: mosaic.opaque, decoder: BlockDecoder::new(at_once), uses }
    }

    /// What is read from now on is for this window of the mosaic.
    pub fn enter(&mut self, window: Window) {
        self.uses.enter(window);
        self.shared.cache.enter(self.uses.now());
    }

    /// The window is done: of the blocks that were read for it, the cache keeps those that are wanted again soonest.
    pub fn leave(&mut self) {
        self.shared.cache.leave(self.uses.now(), self.uses.drain());
    }

    /// Gives back the memory into which blocks are decoded, until the next one is.
    pub fn let_go(&mut self) {
        self.decoder.let_go();
    }

    /// Reads one part of a source, of the bands `bands` (indices into the mosaic's bands), into `pixels`.
    ///
    /// # Errors
    /// A block that lies outside the file, claims more than it can hold, or cannot be decoded.
    pub fn read(
        &mut self,
        placed: &PlacedSource,
        part: Part,
        bands: Range<usize>,
        pixels: &mut Pixels,
    ) -> Result<()> {
        let source = &placed.source;
        let layout = source.direct.as_ref().ok().context("is not read directly")?;
        let count = part.place.pixels();
        let own = bands.start.min(placed.bands.len())..bands.end.min(placed.bands.len());
        pixels.values.resize(bands.len() * count);
        pixels.masked = false;
        let file = self.shared.files.get(placed.file, source)?;
        let mut held = None;
        let target = Planes { start: 0, columns: part.place.columns, pixels: count, slots: None };
        let own_bands = &placed.bands[own.clone()];
        self.copy_bands(
            (placed.file, source, &file),
            part,
            own_bands,
            (&mut pixels.values, target),
            &mut held,
        )?;
        if let Some(alpha) = source.alpha {
            let block = self.block(placed.file, &file, part, alpha, &mut held)?;
            let sample = if layout.samples == 1 { 0 } else { alpha };
            pixels.masked = true;
            pixels.mask.resize(count, 0);
            mark_opaque(&block, (layout, &source.bands[alpha]), part, sample, &mut pixels.mask);
        }
        let opaque = self.opaque.filter(|_| source.alpha.is_none() && bands.end > placed.bands.len());
        if let Some(opaque) = opaque {
            pixels.fill_opaque(opaque, &placed.nodata[own], count);
        }
        Ok(())
    }

    /// Reads one part of a source into its place in `window`: `pixels` holds bands × rows × columns of it.
    ///
    /// # Errors
    /// As [`DirectReader::read`].
    pub fn read_into_window(
        &mut self,
        placed: &PlacedSource,
        part: Part,
        (window, bands): (Window, Range<usize>),
        pixels: &mut Buffer,
    ) -> Result<()> {
        let source = &placed.source;
        let file = self.shared.files.get(placed.file, source)?;
        let start = (part.place.row - window.row) * window.columns + part.place.column - window.column;
        let target = Planes { start, columns: window.columns, pixels: window.pixels(), slots: None };
        self.copy_bands((placed.file, source, &file), part, &placed.bands[bands], (pixels, target), &mut None)
    }

    /// Reads one part of a source into its place in a scene of a stack over `area`: `values` holds planes of the area's
    /// pixels, the scene's from index `first` on, and `slots` names the plane of each of the source's bands.
    ///
    /// # Errors
    /// As [`DirectReader::read`].
    pub fn read_into_scene(
        &mut self,
        placed: &PlacedSource,
        part: Part,
        (area, slots): (Window, &[usize]),
        (values, first): (&mut Buffer, usize),
    ) -> Result<()> {
        let source = &placed.source;
        let file = self.shared.files.get(placed.file, source)?;
        let start = first + (part.place.row - area.row) * area.columns + part.place.column - area.column;
        let target = Planes { start, columns: area.columns, pixels: area.pixels(), slots: Some(slots) };
        self.copy_bands((placed.file, source, &file), part, &placed.bands, (values, target), &mut None)
    }

    /// Copies a part's samples of each of the source's `bands` to its plane.
    fn copy_bands(
        &mut self,
        (number, source, file): (usize, &Source, &DirectFile),
        part: Part,
        bands: &[usize],
        (values, planes): (&mut Buffer, Planes),
        held: &mut Option<(u64, Arc<Block>)>,
    ) -> Result<()> {
        let layout = &file.layout;
        let Planes { start, columns, pixels, slots } = planes;
        // Bands of their own blocks are copied one after the other, those of one block a few rows at a time.
        let side_by_side = layout.samples > 1;
        let at_once = if side_by_side { bands.len().max(1) } else { 1 };
        for (first, together) in (0..).step_by(at_once).zip(bands.chunks(at_once)) {
            let block = self.block(number, file, part, together[0], held)?;
            for piece in part.in_pieces() {
                let start = start + (piece.place.row - part.place.row) * columns;
                for (slot, &band) in (first..).zip(together) {
                    let sample = if side_by_side { band } else { 0 };
                    let plane = slots.map_or(slot, |slots| slots[slot]);
                    let target = Target { values: &mut *values, start: plane * pixels + start, columns };
                    copy_samples(&block, (layout, &source.bands[band]), piece, sample, target);
                }
            }
        }
        Ok(())
    }

    /// Copies one part of a source, the samples of its pixels as they stand in its block, to its place in a block of
    /// the mosaic: `raw` holds `side`² pixels from the first of `area`, of the bands `bands`.
    ///
    /// # Errors
    /// As [`DirectReader::read`].
    pub fn read_into_block(
        &mut self,
        placed: &PlacedSource,
        part: Part,
        (area, side, bands): (Window, usize, Range<usize>),
        raw: &mut [u8],
    ) -> Result<()> {
        let source = &placed.source;
        let layout = source.direct.as_ref().ok().context("is not read directly")?;
        let file = self.shared.files.get(placed.file, source)?;
        let own = &placed.bands[bands];
        let block = self.block(placed.file, &file, part, own[0], &mut None)?;
        let described = own.iter().map(|&band| &source.bands[band]);
        copy_pixels(&block, (layout, described), part.inside, part.place.from(area), side, raw);
        Ok(())
    }

    /// The decoded block that holds a part's pixels of one band. `held` is the block of the band before, which holds
    /// this one too where bands are side by side: a cache that is too small for it must not cost a decoding a band.
    fn block(
        &mut self,
        number: usize,
        file: &DirectFile,
        part: Part,
        band: usize,
        held: &mut Option<(u64, Arc<Block>)>,
    ) -> Result<Arc<Block>> {
        let (column, row) = part.block;
        let place = file.directory.block_index(column, row, band);
        if let Some((_, block)) = held.as_ref().filter(|(held, _)| *held == place) {
            return Ok(Arc::clone(block));
        }
        let (shared, key, bytes) = (self.shared, (number as u32, place), file.shape(row).bytes());
        self.uses.note(key, part.block_origin(), part.block_size(file.layout.block));
        let now = self.uses.now();
        let block =
            shared.cache.get((key, bytes), now, |spare| self.decoder.decode(file, (place, row), spare))?;
        *held = Some((place, Arc::clone(&block)));
        Ok(block)
    }

    /// Decodes the blocks of `bands` that hold any pixel of the mosaic's `places`, several together where that is
    /// faster, so that they are in the cache when they are read. One that cannot be decoded is left to who reads it.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn decode_ahead(
        &mut self,
        placed: &PlacedSource,
        bands: Range<usize>,
        places: impl Iterator<Item = Window>,
    ) -> Result<()> {
        let layout = placed.source.direct.as_ref().ok().context("is not read directly")?;
        let (at_once, now) = (self.decoder.at_once(layout), self.uses.now());
        if at_once == 1 {
            return Ok(());
        }
        let shared = self.shared;
        let file = shared.files.get(placed.file, &placed.source)?;
        let own = placed.bands.get(bands).unwrap_or_default();
        // Bands side by side are in one block.
        let planes = if layout.samples == 1 { own } else { &own[..own.len().min(1)] };
        let mut blocks = places.flat_map(|place| parts(placed, place)).flat_map(|part| {
            let ((column, row), bytes) = (part.block, file.shape(part.block.1).bytes());
            let place = |&band: &usize| file.directory.block_index(column, row, band);
            let asked = |place: u64| (((placed.file as u32, place), bytes), (place, row));
            planes.iter().map(place).map(asked).collect::<Vec<_>>()
        });
        loop {
            let claimed = shared.cache.claim(&mut blocks, at_once, now);
            if claimed.is_empty() {
                return Ok(());
            }
            self.decoder.decode_claimed(&file, claimed)?;
        }
    }
}
