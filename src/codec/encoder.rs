//! Raw blocks to encoded ones.

use super::{BlockLayout, Compression, Predictor, lzw, max_encoded_len, predictor};
use anyhow::{Context, Result, bail, ensure};
use libdeflater::{CompressionLvl, Compressor};

/// libdeflate's own default, and GDAL's.
const DEFLATE_LEVEL: i32 = 6;
/// GDAL's default.
const ZSTD_LEVEL: i32 = 9;

/// Encodes blocks; one for each worker, which it serves for many blocks with the same tables.
pub struct Encoder {
    engine: Engine,
    predictor: Predictor,
    scratch_row: Vec<u8>,
}

enum Engine {
    Copy,
    Lzw(lzw::Encoder),
    Deflate(Compressor, i32),
    Zstd(zstd::bulk::Compressor<'static>, i32),
}

impl Encoder {
    /// An encoder at the level of effort that the compression knows: 1 to 12 for DEFLATE (6 where none is given),
    /// 1 to 22 for ZSTD (9).
    ///
    /// # Errors
    /// A level out of range, or one for a compression that has none.
    pub fn new(compression: Compression, predictor: Predictor, level: Option<i32>) -> Result<Self> {
        let engine = match compression {
            Compression::None | Compression::Lzw if level.is_some() => {
                bail!(
                    "compression {compression} has no levels; leave the level out, or choose deflate or zstd"
                )
            }
            Compression::None => Engine::Copy,
            Compression::Lzw => Engine::Lzw(lzw::Encoder::new()),
            Compression::Deflate => {
                let level = level.unwrap_or(DEFLATE_LEVEL);
                // libdeflate's level 0 stores without compressing, which is what compression none is for.
                let known = CompressionLvl::new(level).ok().filter(|_| level > 0);
                let known = known.with_context(|| format!("deflate has levels 1 to 12, not {level}"))?;
                Engine::Deflate(Compressor::new(known), level)
            }
            Compression::Zstd => {
                let level = level.unwrap_or(ZSTD_LEVEL);
                ensure!((1..=22).contains(&level), "zstd has levels 1 to 22, not {level}");
                Engine::Zstd(zstd::bulk::Compressor::new(level).context("zstd took no level")?, level)
            }
        };
        // TIFF has no predictor where nothing is compressed.
        let predictor = if compression == Compression::None { Predictor::None } else { predictor };
        Ok(Self { engine, predictor, scratch_row: Vec::new() })
    }

    /// Replaces `out` by the encoded `block`, whose raw bytes the predictor overwrites.
    ///
    /// # Errors
    /// A block whose length is not the layout's, a predictor that its samples cannot have, or the library's error.
    pub fn encode(&mut self, block: &mut [u8], layout: BlockLayout, out: &mut Vec<u8>) -> Result<()> {
        self.encode_batch(&mut [block], layout, std::slice::from_mut(out))
    }

    /// How many blocks [`Encoder::encode_batch`] likes to have at a time: with fewer it is slower, with more no
    /// faster. The bytes that come out do not depend on it.
    pub const fn batch(&self) -> usize {
        match self.engine {
            Engine::Lzw(_) => lzw::LANES,
            _ => 1,
        }
    }

    /// Replaces each of `outs` by the encoded form of the block at the same place, as [`Encoder::encode`] does for
    /// one. All blocks have this layout, and the predictor overwrites their raw bytes.
    ///
    /// # Errors
    /// As [`Encoder::encode`], or another number of `outs` than of blocks.
    pub fn encode_batch(
        &mut self,
        blocks: &mut [&mut [u8]],
        layout: BlockLayout,
        outs: &mut [Vec<u8>],
    ) -> Result<()> {
        ensure!(blocks.len() == outs.len(), "{} blocks cannot be encoded into {}", blocks.len(), outs.len());
        for block in &mut *blocks {
            ensure!(
                block.len() == layout.bytes(),
                "cannot encode a block of {} bytes as {layout:?}, which has {}",
                block.len(),
                layout.bytes()
            );
            predictor::apply(self.predictor, block, layout, &mut self.scratch_row)?;
        }
        if let Engine::Lzw(encoder) = &mut self.engine {
            let blocks: Vec<&[u8]> = blocks.iter().map(|block| &**block).collect();
            encoder.encode(&blocks, outs);
            return Ok(());
        }
        blocks.iter().zip(outs).try_for_each(|(block, out)| self.engine.encode(block, out))
    }

    /// The most memory in bytes that this encoder holds once it has encoded a block of this layout, without the
    /// block itself and the output.
    pub fn working_bytes(&self, layout: BlockLayout) -> usize {
        let scratch = if self.predictor == Predictor::None { 0 } else { layout.row_bytes() };
        scratch
            + match &self.engine {
                Engine::Copy => 0,
                Engine::Lzw(_) => lzw::Encoder::bytes(),
                Engine::Deflate(_, level) => deflate_bytes(*level),
                Engine::Zstd(_, level) => zstd_bytes(*level, layout.bytes()),
            }
    }
}

impl Engine {
    /// Replaces `out` by the encoded form of a block that the predictor has been over.
    fn encode(&mut self, block: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        match self {
            Self::Copy => out.extend_from_slice(block),
            Self::Lzw(encoder) => encoder.encode(&[block], std::slice::from_mut(out)),
            Self::Deflate(compressor, _) => {
                out.resize(max_encoded_len(Compression::Deflate, block.len()), 0);
                let length = compressor.zlib_compress(block, out).context("deflate failed on a block")?;
                out.truncate(length);
            }
            Self::Zstd(compressor, _) => {
                out.reserve(max_encoded_len(Compression::Zstd, block.len()));
                compressor.compress_to_buffer(block, out).context("zstd failed on a block")?;
            }
        }
        Ok(())
    }
}

/// The size of libdeflate's compressor: one hash table (level 1), hash chains and 50,000 sequences (to level 9), or
/// binary trees with the matches of 300,000 positions; rounded up.
fn deflate_bytes(level: i32) -> usize {
    match level {
        ..=1 => 256 << 10,
        2..=9 => 768 << 10,
        _ => 10 << 20,
    }
}

/// The size of ZSTD's tables for one block: the largest logarithms of its chain and hash tables that a level has for
/// any size of input, both shortened by ZSTD to what the input needs.
fn zstd_bytes(level: i32, raw: usize) -> usize {
    const CHAIN: [u32; 22] =
        [14, 15, 16, 18, 18, 18, 19, 19, 20, 21, 21, 22, 22, 22, 23, 22, 23, 23, 24, 25, 26, 27];
    const HASH: [u32; 22] =
        [15, 16, 17, 18, 19, 19, 20, 20, 21, 22, 22, 23, 22, 23, 23, 22, 22, 22, 22, 23, 24, 25];
    /// Sequences and literals of one 128 KiB piece, entropy tables, the optimal parser's nodes, the short hash.
    const REST: usize = 2 << 20;
    let needed = raw.max(1).next_power_of_two().trailing_zeros().max(14) + 1;
    let level = level as usize - 1;
    let (chain, hash) = (CHAIN[level].min(needed), HASH[level].min(needed));
    // Four bytes a slot, and a byte of tag for each hash.
    REST + (4 << chain) + (5 << hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_outside_the_range_are_refused() {
        for (compression, level) in [
            (Compression::None, 1),
            (Compression::Lzw, 6),
            (Compression::Deflate, 0),
            (Compression::Deflate, 13),
            (Compression::Zstd, 0),
            (Compression::Zstd, 23),
        ] {
            let refused = Encoder::new(compression, Predictor::None, Some(level)).err();
            assert!(
                refused.is_some_and(|error| error.to_string().contains("level")),
                "{compression} {level}"
            );
        }
    }

    #[test]
    fn zstd_keeps_to_the_memory_it_was_given() {
        for raw in [0, 1000, 16_385, 200_000, 600_000] {
            let mut block: Vec<u8> = (0..raw as u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
            let layout = BlockLayout { columns: raw, rows: 1, samples: 1, sample_bytes: 1 };
            for level in 1..=22 {
                let mut encoder = Encoder::new(Compression::Zstd, Predictor::None, Some(level)).unwrap();
                encoder.encode(&mut block, layout, &mut Vec::new()).unwrap();
                let said = encoder.working_bytes(layout);
                let Engine::Zstd(compressor, _) = &mut encoder.engine else { unreachable!() };
                let held = compressor.context_mut().sizeof();
                assert!(held <= said, "level {level}, {raw} bytes: {held} held, {said} said");
            }
        }
    }
}
