//! The encoded blocks of a window: filled by whoever has the pixels, encoded several at a time, put into the run of
//! their row.

use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::Result;

use super::maker::WindowRun;
use super::{Deciding, Shared};
use crate::codec::{BlockLayout, Encoder, Predictor};
use crate::geometry::{Size, Window};
use crate::output::{BlockId, EncodedBlock, Plane};
use crate::pixels::{Buffer, Number, Pixel, is_filled_with, pack_mask};
use crate::run::Totals;

/// A worker's encoders, and the memory in which it fills and encodes blocks.
pub struct BlockEncoder<'a> {
    shared: &'a Shared<'a>,
    encoder: Encoder,
    mask_encoder: Encoder,
    /// Blocks that wait for enough others to be encoded with: raw ones first, then what they are encoded to.
    raw: Vec<Vec<u8>>,
    encoded: Vec<Vec<u8>>,
    /// The number of the run and of the file of each of them.
    waiting: Vec<(usize, BlockId)>,
    /// Blocks of the window that were left out.
    sparse: u64,
    /// One pixel, of all bands that a block holds, as a block that is left out reads.
    implicit: Vec<u8>,
}

impl<'a> BlockEncoder<'a> {
    /// Encoders as the job asks for them.
    ///
    /// # Errors
    /// When the codec cannot be had with these settings.
    pub fn new(shared: &'a Shared<'a>) -> Result<BlockEncoder<'a>> {
        let mosaic = shared.deciding.mosaic;
        let nodata = mosaic.nodata.unwrap_or(Number::Whole(0));
        let mut sample = Buffer::zeros(mosaic.pixel_type, 1);
        crate::dispatch_pixel_type!(mosaic.pixel_type, T => {
            sample.pixels_mut::<T>()[0] = nodata.to_pixel().unwrap_or(T::from_i128(0));
        });
        Ok(BlockEncoder {
            shared,
            encoder: Encoder::new(shared.compression, shared.predictor, shared.level)?,
            mask_encoder: Encoder::new(shared.mask_compression, Predictor::None, None)?,
            raw: vec![Vec::new(); shared.deciding.plan.batch],
            encoded: vec![Vec::new(); shared.deciding.plan.batch],
            waiting: Vec::new(),
            sparse: 0,
            implicit: sample.bytes().repeat(shared.samples()),
        })
    }

    /// One pixel, of all bands that a block holds, as a block that is left out reads.
    pub fn implicit(&self) -> &[u8] {
        &self.implicit
    }

    /// How an image block's pixels stand in memory.
    fn layout(&self) -> BlockLayout {
        let Deciding { block: side, mosaic, .. } = self.shared.deciding;
        let sample_bytes = mosaic.pixel_type.bytes();
        BlockLayout { columns: side, rows: side, samples: self.shared.samples(), sample_bytes }
    }

    /// Takes the block that `fill` writes, for a row of blocks of the window that `runs` are of; it is encoded as soon
    /// as there are enough. One that holds nothing is left out, unless it is `wanted` all the same: then this is false.
    ///
    /// # Errors
    /// What `fill` says, or when the codec fails.
    pub fn add(
        &mut self,
        (row, id): (usize, BlockId),
        wanted: bool,
        runs: &mut [WindowRun],
        fill: impl FnOnce(&mut [u8]) -> Result<()>,
    ) -> Result<bool> {
        let layout = self.layout();
        let block = &mut self.raw[self.waiting.len()];
        block.resize(layout.bytes(), 0);
        fill(block)?;
        if !wanted && is_filled_with(block, &self.implicit) {
            self.sparse += 1;
            return Ok(false);
        }
        self.waiting.push((row, id));
        if self.waiting.len() == self.raw.len() {
            self.encode_waiting(runs)?;
        }
        Ok(true)
    }

    /// Encodes the last blocks of a window.
    ///
    /// # Errors
    /// When the codec fails.
    pub fn finish_window(&mut self, runs: &mut [WindowRun]) -> Result<()> {
        let sparse = std::mem::take(&mut self.sparse);
        self.shared.deciding.totals.sparse_blocks.fetch_add(sparse, Ordering::Relaxed);
        self.encode_waiting(runs)
    }

    /// The window is to be made anew.
    pub fn forget_window(&mut self) {
        self.sparse = 0;
        self.waiting.clear();
    }

    /// Encodes the blocks that wait, several at a time being quicker than one after the other.
    fn encode_waiting(&mut self, runs: &mut [WindowRun]) -> Result<()> {
        let encoding = Instant::now();
        let (layout, count) = (self.layout(), self.waiting.len());
        let mut blocks: Vec<&mut [u8]> = self.raw[..count].iter_mut().map(Vec::as_mut_slice).collect();
        self.encoder.encode_batch(&mut blocks, layout, &mut self.encoded[..count])?;
        for ((row, id), encoded) in self.waiting.drain(..).zip(&mut self.encoded) {
            runs[row].blocks.push((id, EncodedBlock::new(take_bytes(encoded, layout.bytes()))));
        }
        Totals::add(&self.shared.deciding.totals.encode, encoding);
        Ok(())
    }

    /// Encodes the mask's block of an area of one block's size or less; `valid` (rows × columns of `part.1`) is 1
    /// where there are data, and `part.0` the block's part of it. An empty one is left out, unless it is `wanted`.
    ///
    /// # Errors
    /// When the codec fails.
    pub fn add_mask(
        &mut self,
        (row, id): (usize, BlockId),
        wanted: bool,
        runs: &mut [WindowRun],
        (valid, size, part): (&[u8], Size, Window),
    ) -> Result<()> {
        let encoding = Instant::now();
        let side = self.shared.deciding.block;
        let layout = BlockLayout { columns: side / 8, rows: side, samples: 1, sample_bytes: 1 };
        let mut block = vec![0; layout.bytes()];
        pack_mask(valid, size, part, side, &mut block);
        if wanted || block.iter().any(|&bits| bits != 0) {
            let mut encoded = Vec::new();
            self.mask_encoder.encode(&mut block, layout, &mut encoded)?;
            runs[row].blocks.push((id, EncodedBlock::new(encoded)));
        }
        Totals::add(&self.shared.deciding.totals.encode, encoding);
        Ok(())
    }

    /// The number in the file of the block that begins at a pixel of the mosaic: plane by plane, row by row.
    pub fn id(&self, plane: Plane, block: Window, band: usize) -> BlockId {
        let side = self.shared.deciding.block;
        let blocks = self.shared.blocks();
        let (column, row) = (block.column / side, block.row / side);
        BlockId { level: 0, plane, index: ((band * blocks.rows + row) * blocks.columns + column) as u64 }
    }
}

/// What a block of `raw` bytes was encoded to, out of the memory for the next one. A copy leaves that in place; bytes
/// too many to be there twice are handed over themselves.
fn take_bytes(encoded: &mut Vec<u8>, raw: usize) -> Vec<u8> {
    if encoded.len() > raw / 2 + raw / 4 { std::mem::take(encoded) } else { encoded.clone() }
}
