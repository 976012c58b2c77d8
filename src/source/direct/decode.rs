//! From a file's encoded blocks to decoded ones: one, or several together where that is faster.

use std::time::Instant;

use anyhow::{Context, Result};

use super::DirectLayout;
use super::cache::{Block, Work};
use super::copy::swap_bytes;
use super::files::DirectFile;
use super::pace::Pace;
use crate::codec::{BlockLayout, Compression, Decoder, Predictor};
use crate::pixels::Buffer;

/// A worker's decoders, and the encoded bytes of the blocks that are decoded together.
pub(super) struct BlockDecoder {
    decoders: Vec<Known>,
    encoded: Vec<Vec<u8>>,
}

/// The decoder of a kind of blocks, and whether they are decoded faster together: those of imagery are, noise is not.
struct Known {
    kind: (Compression, Predictor),
    decoder: Decoder,
    together: Pace,
}

impl BlockDecoder {
    /// For up to `at_once` blocks together.
    pub fn new(at_once: usize) -> BlockDecoder {
        BlockDecoder { decoders: Vec::new(), encoded: vec![Vec::new(); at_once.max(1)] }
    }

    /// Gives back the memory of encoded bytes.
    pub fn let_go(&mut self) {
        self.encoded.iter_mut().for_each(|encoded| *encoded = Vec::new());
    }

    /// How many blocks of a file are decoded faster together.
    pub fn at_once(&self, layout: &DirectLayout) -> usize {
        if layout.compression == Compression::Deflate { self.encoded.len() } else { 1 }
    }

    /// Decodes the block at this place of a file's index, in this row of blocks, into `spare` if there is any.
    ///
    /// # Errors
    /// A block that lies outside the file, claims more than it can hold, or cannot be decoded.
    pub fn decode(
        &mut self,
        file: &DirectFile,
        (place, row): (u64, usize),
        spare: Option<Buffer>,
    ) -> Result<Block> {
        let (layout, shape) = (&file.layout, file.shape(row));
        let encoded = &mut self.encoded[0];
        file.read_encoded(place, encoded)?;
        if encoded.is_empty() {
            return Ok(None);
        }
        let mut buffer = buffer_for(layout, shape, spare);
        known(&mut self.decoders, layout)?
            .decoder
            .decode(encoded, shape, buffer.bytes_mut())
            .with_context(|| format!("block {place}"))?;
        Ok(Some(in_native_order(layout, buffer)))
    }

    /// Decodes blocks that were claimed, no more than are decoded together. Those that can be decoded are in the cache
    /// then, the others not.
    ///
    /// # Errors
    /// When there is no decoder.
    pub fn decode_claimed(&mut self, file: &DirectFile, claimed: Vec<((u64, usize), Work)>) -> Result<()> {
        let shape = file.shape(claimed[0].0.1);
        let read = |(((place, row), _), encoded): (&((u64, usize), Work), &mut Vec<u8>)| {
            file.shape(*row) == shape && file.read_encoded(*place, encoded).is_ok() && !encoded.is_empty()
        };
        let together = claimed.iter().zip(&mut self.encoded).all(read);
        if !together || claimed.len() == 1 {
            // The last strip of a file, a block that is not there, or damage: each for itself.
            for (block, Work { spare, in_work }) in claimed {
                if let Ok(decoded) = self.decode(file, block, spare) {
                    in_work.finish(decoded);
                }
            }
            return Ok(());
        }
        let layout = &file.layout;
        let (mut buffers, mut in_work) = (Vec::new(), Vec::new());
        for (_, work) in claimed {
            buffers.push(buffer_for(layout, shape, work.spare));
            in_work.push(work.in_work);
        }
        let encoded: Vec<&[u8]> = self.encoded[..buffers.len()].iter().map(Vec::as_slice).collect();
        let mut outs: Vec<&mut [u8]> = buffers.iter_mut().map(Buffer::bytes_mut).collect();
        let Known { decoder, together, .. } = known(&mut self.decoders, layout)?;
        let (as_usual, began) = (together.takes_usual(), Instant::now());
        let results = match as_usual {
            true => decoder.decode_batch(&encoded, shape, &mut outs),
            false => encoded.iter().zip(outs).map(|(one, out)| decoder.decode(one, shape, out)).collect(),
        };
        together.note(as_usual, began.elapsed(), encoded.len() * shape.bytes());
        for ((result, buffer), in_work) in results.into_iter().zip(buffers).zip(in_work) {
            if result.is_ok() {
                in_work.finish(Some(in_native_order(layout, buffer)));
            }
        }
        Ok(())
    }
}

/// Memory for a block of this shape.
fn buffer_for(layout: &DirectLayout, shape: BlockLayout, spare: Option<Buffer>) -> Buffer {
    let spare = spare.filter(|buffer| buffer.pixel_type() == layout.pixel_type);
    let mut buffer = spare.unwrap_or_else(|| Buffer::zeros(layout.pixel_type, 0));
    buffer.resize(shape.bytes() / layout.pixel_type.bytes());
    buffer
}

fn in_native_order(layout: &DirectLayout, mut buffer: Buffer) -> Buffer {
    if layout.swapped {
        swap_bytes(&mut buffer);
    }
    buffer
}

fn known<'d>(decoders: &'d mut Vec<Known>, layout: &DirectLayout) -> Result<&'d mut Known> {
    let kind = (layout.compression, layout.predictor);
    let index = match decoders.iter().position(|known| known.kind == kind) {
        Some(index) => index,
        None => {
            let decoder = Decoder::new(kind.0, kind.1)?;
            decoders.push(Known { kind, decoder, together: Pace::default() });
            decoders.len() - 1
        }
    };
    Ok(&mut decoders[index])
}
