//! Encoded blocks back to raw ones.

use super::inflate::Inflater;
use super::{BlockLayout, Compression, Predictor, lzw, predictor};
use anyhow::{Context, Result, anyhow, ensure};

/// Decodes blocks of little-endian TIFF files; one for each worker, which it serves for many blocks.
pub struct Decoder {
    engine: Engine,
    predictor: Predictor,
    scratch_row: Vec<u8>,
    /// Made for the first blocks that are decoded side by side.
    inflater: Option<Inflater>,
}

enum Engine {
    Copy,
    Lzw(lzw::Decoder),
    Deflate(libdeflater::Decompressor),
    Zstd(zstd::bulk::Decompressor<'static>),
}

impl Decoder {
    /// A decoder of blocks that were made with this compression and predictor.
    ///
    /// # Errors
    /// The library's, where it gives no decoder.
    pub fn new(compression: Compression, predictor: Predictor) -> Result<Self> {
        let engine = match compression {
            Compression::None => Engine::Copy,
            Compression::Lzw => Engine::Lzw(lzw::Decoder::new()),
            Compression::Deflate => Engine::Deflate(libdeflater::Decompressor::new()),
            Compression::Zstd => {
                Engine::Zstd(zstd::bulk::Decompressor::new().context("zstd gave no decoder")?)
            }
        };
        let predictor = if compression == Compression::None { Predictor::None } else { predictor };
        Ok(Self { engine, predictor, scratch_row: Vec::new(), inflater: None })
    }

    /// Fills `out`, a raw block of this layout, from `encoded`.
    ///
    /// # Errors
    /// Damaged input, input that holds more or fewer bytes than the layout has, an `out` that is not the layout's
    /// length, or a predictor that its samples cannot have. What `out` holds then is not defined.
    pub fn decode(&mut self, encoded: &[u8], layout: BlockLayout, out: &mut [u8]) -> Result<()> {
        ensure!(
            out.len() == layout.bytes(),
            "cannot decode {layout:?}, which has {} bytes, into {}",
            layout.bytes(),
            out.len()
        );
        let length = match &mut self.engine {
            Engine::Copy => {
                let length = encoded.len().min(out.len());
                out[..length].copy_from_slice(&encoded[..length]);
                encoded.len()
            }
            Engine::Lzw(decoder) => decoder.decode(encoded, out)?,
            Engine::Deflate(decompressor) => decompressor
                .zlib_decompress(encoded, out)
                .map_err(|error| anyhow!("a deflate block is damaged or too long: {error}"))?,
            Engine::Zstd(decompressor) => decompressor
                .decompress_to_buffer(encoded, out)
                .context("a zstd block is damaged or too long")?,
        };
        ensure!(length == out.len(), "a block holds {length} bytes where {} are due", out.len());
        predictor::undo(self.predictor, out, layout, &mut self.scratch_row)
    }

    /// Fills each of `outs`, raw blocks of this layout, from the encoded block at the same place, with the same results
    /// as [`Decoder::decode`]. DEFLATE blocks of imagery are decoded two at a time, which is faster.
    ///
    /// # Panics
    /// Unless there are as many `outs` as blocks.
    pub fn decode_batch(
        &mut self,
        blocks: &[&[u8]],
        layout: BlockLayout,
        outs: &mut [&mut [u8]],
    ) -> Vec<Result<()>> {
        assert_eq!(blocks.len(), outs.len(), "an output for each block is due");
        let right_sizes = outs.iter().all(|out| out.len() == layout.bytes());
        let done = match self.engine {
            Engine::Deflate(_) if blocks.len() > 1 && right_sizes => {
                self.inflater.get_or_insert_with(Inflater::new).decode(blocks, outs)
            }
            _ => vec![false; blocks.len()],
        };
        let each = blocks.iter().zip(outs).zip(done);
        each.map(|((block, out), done)| match done {
            true => predictor::undo(self.predictor, out, layout, &mut self.scratch_row),
            false => self.decode(block, layout, out),
        })
        .collect()
    }

    /// The most memory in bytes that this decoder holds once it has decoded a block of this layout, without the
    /// block itself and the input.
    pub fn working_bytes(&self, layout: BlockLayout) -> usize {
        let scratch = if self.predictor == Predictor::None { 0 } else { layout.row_bytes() };
        scratch
            + match &self.engine {
                Engine::Copy => 0,
                Engine::Lzw(_) => lzw::Decoder::bytes(),
                // Rounded up from the libraries' structures: Huffman tables, one context.
                Engine::Deflate(_) => (16 << 10) + Inflater::bytes(),
                Engine::Zstd(_) => 256 << 10,
            }
    }
}
