//! Encoded blocks back to raw ones.

use super::{BlockLayout, Compression, Predictor, predictor};
use anyhow::{Context, Result, anyhow, bail, ensure};
use weezl::{BitOrder, LzwStatus, decode::Configuration};

/// Decodes blocks of little-endian TIFF files; one for each worker, which it serves for many blocks.
pub struct Decoder {
    engine: Engine,
    predictor: Predictor,
    scratch_row: Vec<u8>,
}

enum Engine {
    Copy,
    Lzw(weezl::decode::Decoder),
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
            Compression::Lzw => {
                // Some writers leave out the end code, and libtiff stops at a full block without looking for it.
                let configuration = Configuration::with_tiff_size_switch(BitOrder::Msb, 8);
                Engine::Lzw(configuration.with_yield_on_full_buffer(true).build())
            }
            Compression::Deflate => Engine::Deflate(libdeflater::Decompressor::new()),
            Compression::Zstd => {
                Engine::Zstd(zstd::bulk::Decompressor::new().context("zstd gave no decoder")?)
            }
        };
        let predictor = if compression == Compression::None { Predictor::None } else { predictor };
        Ok(Self { engine, predictor, scratch_row: Vec::new() })
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
            Engine::Lzw(decoder) => decode_lzw(decoder, encoded, out)?,
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

    /// The most memory in bytes that this decoder holds once it has decoded a block of this layout, without the
    /// block itself and the input.
    pub fn working_bytes(&self, layout: BlockLayout) -> usize {
        let scratch = if self.predictor == Predictor::None { 0 } else { layout.row_bytes() };
        scratch
            + match &self.engine {
                Engine::Copy => 0,
                // Rounded up from the libraries' structures: tables of 4096 strings, Huffman tables, one context.
                Engine::Lzw(_) => 128 << 10,
                Engine::Deflate(_) => 16 << 10,
                Engine::Zstd(_) => 256 << 10,
            }
    }
}

/// How many bytes `encoded` held, counting no further than one past the end of `out`.
fn decode_lzw(decoder: &mut weezl::decode::Decoder, encoded: &[u8], out: &mut [u8]) -> Result<usize> {
    decoder.reset();
    let (mut read, mut filled) = (0, 0);
    let mut surplus = [0];
    while filled <= out.len() {
        let full = filled == out.len();
        let target = if full { &mut surplus[..] } else { &mut out[filled..] };
        let step = decoder.decode_bytes(&encoded[read..], target);
        read += step.consumed_in;
        filled += step.consumed_out;
        match step.status {
            // After a full block only the end code is due: what cannot be read there is padding.
            Err(_) if full => break,
            Err(error) => bail!("an lzw block is damaged after {filled} bytes: {error}"),
            Ok(LzwStatus::Ok) if step.consumed_in + step.consumed_out > 0 => {}
            Ok(_) => break,
        }
    }
    Ok(filled)
}
