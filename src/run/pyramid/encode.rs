//! From a finished tile to its encoded blocks.

use anyhow::Result;

use super::super::window::Shared;
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
    block: Vec<u8>,
    encoded: Vec<u8>,
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
            block: Vec::new(),
            encoded: Vec::new(),
        })
    }

    /// Encodes a tile's blocks, and keeps those that hold anything.
    ///
    /// # Errors
    /// When a block cannot be encoded or kept.
    pub fn encode(&mut self, finished: &Finished, store: &OverviewStore) -> Result<()> {
        let Shared { block: side, bands_apart, mosaic, blocks_in_pairs, .. } = *self.shared;
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
            self.block.resize(side * side * samples * sample_bytes, 0);
            let fill = (side, &self.implicit[..sample_bytes]);
            gather_block(&tile.pixels, whole.size(), band..band + samples, whole, fill, &mut self.block);
            if is_filled_with(&self.block, &self.implicit) && !(blocks_in_pairs && has_mask) {
                continue;
            }
            stored = true;
            let layout = BlockLayout { columns: side, rows: side, samples, sample_bytes };
            self.encoder.encode(&mut self.block, layout, &mut self.encoded)?;
            let plane = if bands_apart { first_band + band } else { 0 };
            store.keep(id(Plane::Image, plane), &EncodedBlock::new(self.encoded.clone()))?;
        }
        if let Some(mask) = &tile.mask
            && (has_mask || blocks_in_pairs && stored)
        {
            self.block.resize(side * side / 8, 0);
            pack_mask(mask, whole.size(), whole, side, &mut self.block);
            let layout = BlockLayout { columns: side / 8, rows: side, samples: 1, sample_bytes: 1 };
            self.mask_encoder.encode(&mut self.block, layout, &mut self.encoded)?;
            store.keep(id(Plane::Mask, 0), &EncodedBlock::new(self.encoded.clone()))?;
        }
        Ok(())
    }
}
