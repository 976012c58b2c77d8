//! From a finished tile to its encoded blocks.

use anyhow::Result;

use super::super::window::{Deciding, Shared};
use super::Finished;
use crate::codec::{BlockLayout, Encoder, Predictor};
use crate::geometry::Window;
use crate::output::{BlockId, EncodedBlock, OverviewStore, Plane};
use crate::pixels::{gather_block, is_filled_with, pack_mask};

/// A worker's encoder of tiles.
pub struct TileEncoder<'a> {
    shared: &'a Shared<'a>,
    encoder: Encoder,
    mask_encoder: Encoder,
    /// One pixel of all bands of a block, as a block that is left out reads.
    implicit: Vec<u8>,
    /// Blocks that wait for enough others to be encoded with: raw ones first, then what they are encoded to.
    raw: Vec<Vec<u8>>,
    encoded: Vec<Vec<u8>>,
    waiting: Vec<BlockId>,
}

impl<'a> TileEncoder<'a> {
    /// An encoder of blocks as the mosaic has them; `implicit` is one pixel of a block that is left out.
    ///
    /// # Errors
    /// When the codec cannot be had with these settings.
    pub fn new(shared: &'a Shared<'a>, implicit: Vec<u8>) -> Result<TileEncoder<'a>> {
        Ok(TileEncoder {
            shared,
            encoder: Encoder::new(shared.compression, shared.predictor, shared.level)?,
            mask_encoder: Encoder::new(shared.mask_compression, Predictor::None, None)?,
            implicit,
            raw: vec![Vec::new(); shared.deciding.plan.batch],
            encoded: vec![Vec::new(); shared.deciding.plan.batch],
            waiting: Vec::new(),
        })
    }

    /// Takes a tile's blocks that hold anything; they are encoded and kept as soon as there are enough of them.
    ///
    /// # Errors
    /// When a block cannot be encoded or kept.
    pub fn encode(&mut self, finished: &Finished, store: &OverviewStore) -> Result<()> {
        let Deciding { block: side, mosaic, .. } = self.shared.deciding;
        let Shared { bands_apart, blocks_in_pairs, .. } = *self.shared;
        let Finished { level, first_band, index, tiles, tile } = finished;
        let whole = Window::whole(tile.window.size());
        let count = tile.pixels.len() / whole.pixels();
        let samples = if bands_apart { 1 } else { count };
        let sample_bytes = mosaic.pixel_type.bytes();
        let id = |plane, band: usize| BlockId {
            level: *level,
            plane,
            index: (band * tiles.pixels() + index) as u64,
        };
        let has_mask = tile.mask.as_ref().is_some_and(|mask| mask.iter().any(|&valid| valid != 0));
        let mut stored = false;
        for band in (0..count).step_by(samples) {
            let block = &mut self.raw[self.waiting.len()];
            block.resize(side * side * samples * sample_bytes, 0);
            let fill = (side, &self.implicit[..]);
            gather_block(&tile.pixels, whole.size(), band..band + samples, whole, fill, block);
            if is_filled_with(block, &self.implicit) && !(blocks_in_pairs && has_mask) {
                continue;
            }
            stored = true;
            let plane = if bands_apart { first_band + band } else { 0 };
            self.waiting.push(id(Plane::Image, plane));
            if self.waiting.len() == self.raw.len() {
                self.encode_waiting(store)?;
            }
        }
        if let Some(mask) = &tile.mask
            && (has_mask || blocks_in_pairs && stored)
        {
            let layout = BlockLayout { columns: side / 8, rows: side, samples: 1, sample_bytes: 1 };
            let (mut block, mut encoded) = (vec![0; layout.bytes()], Vec::new());
            pack_mask(mask, whole.size(), whole, side, &mut block);
            self.mask_encoder.encode(&mut block, layout, &mut encoded)?;
            store.keep(id(Plane::Mask, 0), &EncodedBlock::new(encoded))?;
        }
        Ok(())
    }

    /// Encodes and keeps the blocks that wait, several at a time being quicker than one after the other.
    ///
    /// # Errors
    /// As [`TileEncoder::encode`].
    pub fn encode_waiting(&mut self, store: &OverviewStore) -> Result<()> {
        let Deciding { block: side, mosaic, .. } = self.shared.deciding;
        let samples = self.implicit.len() / mosaic.pixel_type.bytes();
        let layout =
            BlockLayout { columns: side, rows: side, samples, sample_bytes: mosaic.pixel_type.bytes() };
        let count = self.waiting.len();
        let mut blocks: Vec<&mut [u8]> = self.raw[..count].iter_mut().map(Vec::as_mut_slice).collect();
        self.encoder.encode_batch(&mut blocks, layout, &mut self.encoded[..count])?;
        for (id, encoded) in self.waiting.drain(..).zip(&mut self.encoded) {
            let block = EncodedBlock::new(std::mem::take(encoded));
            store.keep(id, &block)?;
            // Its memory is for the next one.
            *encoded = block.bytes;
        }
        Ok(())
    }
}
