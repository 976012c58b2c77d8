//! GeoTIFF sources on the mosaic's own grid, read without GDAL: blocks by positioned reads, decoded by the codec floor,
//! through a cache that all workers share.
//!
//! Nothing that a header claims is believed: a block's place and size are checked against the file, and what it
//! decodes to against its layout. What cannot be decoded here is GDAL's to judge.

mod cache;
mod copy;
mod files;
mod layout;
mod uses;

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

pub use cache::{BlockCache, ENTRY_BYTES};
pub use files::DirectFiles;
pub use layout::DirectLayout;

use super::{Mosaic, Pixels, PlacedSource, Placement};
use crate::codec::{Compression, Decoder, Predictor, max_encoded_len};
use crate::geometry::{Size, Window};
use crate::pixels::{Buffer, Number};
use cache::Block;
use copy::{Target, copy_pixels, copy_samples, mark_opaque, swap_bytes};
use files::DirectFile;
use uses::Uses;

/// What all workers read through.
pub struct DirectSources {
    /// Files that are open.
    pub files: DirectFiles,
    /// Blocks that are decoded.
    pub cache: BlockCache,
}

/// A worker's reader: its decoders, and the bytes of a block being decoded.
pub struct DirectReader<'a> {
    shared: &'a DirectSources,
    /// Full opacity, when the mosaic has transparency.
    opaque: Option<Number>,
    decoders: Vec<((Compression, Predictor), Decoder)>,
    encoded: Vec<u8>,
    uses: Uses,
}

/// A part of a source within one block, as the mosaic sees it.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Its pixels in the mosaic.
    pub place: Window,
    /// Column and row of its first pixel in its block.
    inside: (usize, usize),
    /// Column and row of its block.
    block: (usize, usize),
}

impl Part {
    /// Column and row in the mosaic of its block's first pixel, which may lie outside.
    fn block_origin(&self) -> (i64, i64) {
        (self.place.column as i64 - self.inside.0 as i64, self.place.row as i64 - self.inside.1 as i64)
    }
}

impl<'a> DirectReader<'a> {
    /// A reader that has decoded nothing yet.
    /// Windows of the size `window` are read in row-major order.
    pub fn new(mosaic: &Mosaic, shared: &'a DirectSources, window: Size) -> DirectReader<'a> {
        let uses = Uses::new(mosaic.grid.size, window);
        DirectReader { shared, opaque: mosaic.opaque, decoders: Vec::new(), encoded: Vec::new(), uses }
    }

    /// What is read from now on is for this window of the mosaic.
    pub fn enter(&mut self, window: Window) {
        self.uses.enter(window);
    }

    /// The window is done: of the blocks that were read for it, the cache keeps those that are wanted again soonest.
    pub fn leave(&mut self) {
        self.shared.cache.leave(self.uses.drain());
    }

    /// Reads one part of a source, of the bands `bands` (indices into the mosaic's bands), into `pixels`.
    ///
    /// # Errors
    /// A block that lies outside the file, claims more than it can hold, or cannot be decoded.
    pub fn read(
        &mut self,
        index: usize,
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
        let file = self.shared.files.get(index, source)?;
        let mut held = None;
        for (slot, &band) in placed.bands[own.clone()].iter().enumerate() {
            let block = self.block(index, &file, part, band, &mut held)?;
            let sample = if layout.samples == 1 { 0 } else { band };
            let target =
                Target { values: &mut pixels.values, start: slot * count, columns: part.place.columns };
            copy_samples(&block, (layout, &source.bands[band]), part, sample, target);
        }
        if let Some(alpha) = source.alpha {
            let block = self.block(index, &file, part, alpha, &mut held)?;
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
        index: usize,
        placed: &PlacedSource,
        part: Part,
        (window, bands): (Window, Range<usize>),
        pixels: &mut Buffer,
    ) -> Result<()> {
        let source = &placed.source;
        let layout = source.direct.as_ref().ok().context("is not read directly")?;
        let file = self.shared.files.get(index, source)?;
        let inside = (part.place.row - window.row) * window.columns + part.place.column - window.column;
        let mut held = None;
        for (slot, &band) in placed.bands[bands].iter().enumerate() {
            let block = self.block(index, &file, part, band, &mut held)?;
            let sample = if layout.samples == 1 { 0 } else { band };
            let start = slot * window.pixels() + inside;
            let target = Target { values: pixels, start, columns: window.columns };
            copy_samples(&block, (layout, &source.bands[band]), part, sample, target);
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
        index: usize,
        placed: &PlacedSource,
        part: Part,
        (area, side, bands): (Window, usize, Range<usize>),
        raw: &mut [u8],
    ) -> Result<()> {
        let source = &placed.source;
        let layout = source.direct.as_ref().ok().context("is not read directly")?;
        let file = self.shared.files.get(index, source)?;
        let own = &placed.bands[bands];
        let block = self.block(index, &file, part, own[0], &mut None)?;
        let described = own.iter().map(|&band| &source.bands[band]);
        copy_pixels(&block, (layout, described), part.inside, part.place.from(area), side, raw);
        Ok(())
    }

    /// The decoded block that holds a part's pixels of one band. `held` is the block of the band before, which holds
    /// this one too where bands are side by side: a cache that is too small for it must not cost a decoding a band.
    fn block(
        &mut self,
        index: usize,
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
        let (shared, key) = (self.shared, (index as u32, place));
        self.uses.note(key, part.block_origin(), file.layout.block);
        let now = self.uses.now();
        let block = shared.cache.get(key, now, |spare| self.decode(file, place, row, spare))?;
        *held = Some((place, Arc::clone(&block)));
        Ok(block)
    }

    fn decode(&mut self, file: &DirectFile, place: u64, row: usize, spare: Option<Buffer>) -> Result<Block> {
        let layout = &file.layout;
        let ranges = file.directory.block_ranges_of(&file.file, place..place + 1)?;
        let (offset, size) = ranges[0];
        if size == 0 {
            return Ok(None);
        }
        let shape = layout.block_layout(row, file.directory.size.rows);
        let most = max_encoded_len(layout.compression, layout.block_bytes()) as u64 * 2 + 4096;
        ensure!(
            size <= most,
            "block {place} claims {size} bytes, more than a block of {} bytes can need",
            shape.bytes()
        );
        self.encoded.resize(size as usize, 0);
        crate::container::ReadAt::read_at(&file.file, offset, &mut self.encoded)
            .with_context(|| format!("block {place}, {size} bytes at byte {offset}"))?;
        let mut buffer = spare.filter(|buffer| buffer.pixel_type() == layout.pixel_type);
        let buffer = buffer.get_or_insert_with(|| Buffer::zeros(layout.pixel_type, 0));
        buffer.resize(shape.bytes() / layout.pixel_type.bytes());
        decoder(&mut self.decoders, layout)?
            .decode(&self.encoded, shape, buffer.bytes_mut())
            .with_context(|| format!("block {place}, at byte {offset}"))?;
        if layout.swapped {
            swap_bytes(buffer);
        }
        Ok(Some(std::mem::replace(buffer, Buffer::zeros(layout.pixel_type, 0))))
    }
}

fn decoder<'d>(
    decoders: &'d mut Vec<((Compression, Predictor), Decoder)>,
    layout: &DirectLayout,
) -> Result<&'d mut Decoder> {
    let kind = (layout.compression, layout.predictor);
    let found = decoders.iter().position(|(known, _)| *known == kind);
    let index = match found {
        Some(index) => index,
        None => {
            decoders.push((kind, Decoder::new(kind.0, kind.1)?));
            decoders.len() - 1
        }
    };
    Ok(&mut decoders[index].1)
}

/// The parts, one a block, of the mosaic's pixels `place` that a source covers. Empty for a source that is not on the
/// mosaic's grid.
pub fn parts(placed: &PlacedSource, place: Window) -> impl Iterator<Item = Part> {
    let (origin, block) = match (placed.placement, &placed.source.direct) {
        (Placement::OnGrid { column, row }, Ok(layout)) => (Some((column, row)), layout.block),
        _ => (None, crate::geometry::Size::square(1)),
    };
    origin.into_iter().flat_map(move |(left, top)| {
        let inside = Window::new(
            (place.column as i64 - left) as usize,
            (place.row as i64 - top) as usize,
            place.columns,
            place.rows,
        );
        let rows = inside.row / block.rows..inside.end_row().div_ceil(block.rows);
        let columns = inside.column / block.columns..inside.end_column().div_ceil(block.columns);
        rows.flat_map(move |row| {
            columns.clone().map(move |column| {
                let whole = Window::new(column * block.columns, row * block.rows, block.columns, block.rows);
                let part = whole.intersection(inside).expect("the block touches the place");
                let (x, y) = (part.column as i64 + left, part.row as i64 + top);
                Part {
                    place: Window::new(x as usize, y as usize, part.columns, part.rows),
                    inside: (part.column - whole.column, part.row - whole.row),
                    block: (column, row),
                }
            })
        })
    })
}

/// How many blocks of a directly read source the mosaic needs.
pub fn blocks_needed(placed: &PlacedSource) -> u64 {
    let (Some(window), Ok(layout), true) = (placed.window, &placed.source.direct, placed.direct) else {
        return 0;
    };
    let planes = if layout.is_planar(placed.source.bands.len()) { placed.bands.len() } else { 1 };
    parts(placed, window).count() as u64 * planes as u64
}
