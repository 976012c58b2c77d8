//! The encoded blocks of a window: cut out of its pixels, encoded, put into the run of their row.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::Result;

use super::{Shared, WindowRun};
use crate::codec::{BlockLayout, Encoder, Predictor};
use crate::geometry::{Size, Window};
use crate::output::{BlockId, EncodedBlock, Plane};
use crate::pixels::{Buffer, Number, Pixel, gather_block, is_filled_with, pack_mask};
use crate::run::Totals;

/// A worker's encoders, and the memory in which it cuts and encodes blocks.
pub struct BlockEncoder<'a> {
    shared: &'a Shared<'a>,
    encoder: Encoder,
    mask_encoder: Encoder,
    /// Blocks that wait for enough others to be encoded with: raw ones first, then what they are encoded to.
    raw: Vec<Vec<u8>>,
    encoded: Vec<Vec<u8>>,
    /// The number of the run and of the file of each of them.
    waiting: Vec<(usize, BlockId)>,
    /// One pixel, of all bands that a block holds, as a block that is left out reads.
    implicit: Vec<u8>,
}

impl<'a> BlockEncoder<'a> {
    /// Encoders as the job asks for them.
    ///
    /// # Errors
    /// When the codec cannot be had with these settings.
    pub fn new(shared: &'a Shared<'a>) -> Result<BlockEncoder<'a>> {
        let mosaic = shared.mosaic;
        let nodata = mosaic.nodata.unwrap_or(Number::Whole(0));
        let mut sample = Buffer::zeros(mosaic.pixel_type, 1);
        crate::dispatch_pixel_type!(mosaic.pixel_type, T => {
            sample.pixels_mut::<T>()[0] = nodata.to_pixel().unwrap_or(T::from_i128(0));
        });
        Ok(BlockEncoder {
            shared,
            encoder: Encoder::new(shared.compression, shared.predictor, shared.level)?,
            mask_encoder: Encoder::new(shared.mask_compression, Predictor::None, None)?,
            raw: vec![Vec::new(); shared.plan.batch],
            encoded: vec![Vec::new(); shared.plan.batch],
            waiting: Vec::new(),
            implicit: sample.bytes().repeat(shared.samples()),
        })
    }

    /// One pixel, of all bands that a block holds, as a block that is left out reads.
    pub fn implicit(&self) -> &[u8] {
        &self.implicit
    }

    /// Encodes the blocks of the window that hold `bands`, whose `pixels` are bands × rows × columns; `valid` (rows ×
    /// columns) is 1 where any band so far has data.
    ///
    /// # Errors
    /// When the codec fails.
    pub fn encode(
        &mut self,
        (window, bands): (Window, Range<usize>),
        pixels: &Buffer,
        valid: &[u8],
        runs: &mut [WindowRun],
    ) -> Result<()> {
        let encoding = Instant::now();
        let Shared { block: side, bands_apart, mosaic, totals, .. } = *self.shared;
        let samples = self.shared.samples();
        let sample_bytes = mosaic.pixel_type.bytes();
        let layout = BlockLayout { columns: side, rows: side, samples, sample_bytes };
        for (row, part) in parts(window.size(), side) {
            for first in bands.clone().step_by(samples) {
                let taken = first - bands.start..first - bands.start + samples;
                let fill = (side, &self.implicit[..sample_bytes]);
                let block = &mut self.raw[self.waiting.len()];
                block.resize(layout.bytes(), 0);
                gather_block(pixels, window.size(), taken, part, fill, block);
                let wanted = self.shared.blocks_in_pairs && any_valid(valid, window.size(), part);
                if !wanted && is_filled_with(block, &self.implicit) {
                    totals.sparse_blocks.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let id = self.id(Plane::Image, window, part, if bands_apart { first } else { 0 });
                self.waiting.push((row, id));
                if self.waiting.len() == self.raw.len() {
                    self.encode_waiting(layout, runs)?;
                }
            }
        }
        self.encode_waiting(layout, runs)?;
        Totals::add(&totals.encode, encoding);
        Ok(())
    }

    /// Encodes the blocks that wait, several at a time being quicker than one after the other.
    fn encode_waiting(&mut self, layout: BlockLayout, runs: &mut [WindowRun]) -> Result<()> {
        let count = self.waiting.len();
        let mut blocks: Vec<&mut [u8]> = self.raw[..count].iter_mut().map(Vec::as_mut_slice).collect();
        self.encoder.encode_batch(&mut blocks, layout, &mut self.encoded[..count])?;
        for ((row, id), encoded) in self.waiting.drain(..).zip(&self.encoded) {
            runs[row].blocks.push((id, EncodedBlock::new(encoded.clone())));
        }
        Ok(())
    }

    /// Encodes the blocks of the window's mask; `valid` (rows × columns) is 1 where there are data.
    ///
    /// # Errors
    /// When the codec fails.
    pub fn encode_mask(&mut self, window: Window, valid: &[u8], runs: &mut [WindowRun]) -> Result<()> {
        let side = self.shared.block;
        let layout = BlockLayout { columns: side / 8, rows: side, samples: 1, sample_bytes: 1 };
        let (mut block, mut encoded) = (vec![0; layout.bytes()], Vec::new());
        for (row, part) in parts(window.size(), side) {
            pack_mask(valid, window.size(), part, side, &mut block);
            let id = self.id(Plane::Mask, window, part, 0);
            let image_is_stored = || runs[row].blocks.iter().any(|(stored, _)| stored.index == id.index);
            let wanted = self.shared.blocks_in_pairs && image_is_stored();
            if !wanted && block.iter().all(|&bits| bits == 0) {
                continue;
            }
            self.mask_encoder.encode(&mut block, layout, &mut encoded)?;
            runs[row].blocks.push((id, EncodedBlock::new(encoded.clone())));
        }
        Ok(())
    }

    /// The number of a block in the file: plane by plane, row by row.
    fn id(&self, plane: Plane, window: Window, part: Window, band: usize) -> BlockId {
        let side = self.shared.block;
        let blocks = self.shared.blocks();
        let column = (window.column + part.column) / side;
        let row = (window.row + part.row) / side;
        BlockId { level: 0, plane, index: ((band * blocks.rows + row) * blocks.columns + column) as u64 }
    }
}

/// Whether any pixel of a part of a window is valid (rows × columns of `window`).
fn any_valid(valid: &[u8], window: Size, part: Window) -> bool {
    (part.row..part.end_row()).any(|row| {
        valid[row * window.columns + part.column..][..part.columns].iter().any(|&valid| valid != 0)
    })
}

/// The blocks of a window as parts of it, each with the number of its row of blocks.
fn parts(window: Size, side: usize) -> impl Iterator<Item = (usize, Window)> {
    (0..window.rows).step_by(side).enumerate().flat_map(move |(row_of_blocks, row)| {
        (0..window.columns).step_by(side).map(move |column| {
            let size = Size::new(side.min(window.columns - column), side.min(window.rows - row));
            (row_of_blocks, Window::new(column, row, size.columns, size.rows))
        })
    })
}
