//! An encoder of TIFF's LZW made for speed: up to four blocks at a time, interleaved.
//!
//! The dictionary is a hash table without probing: a new string takes its slot from whatever was there. An
//! encoder may forget strings, the decoder never notices, and the output grows by less than a percent. A slot
//! number is the prefix's code, shifted, XORed with a number that depends on the byte alone. So the byte and
//! the slot tell the prefix, an entry need not store it, and the bits saved hold a generation: clearing the
//! dictionary is counting one generation on.
//!
//! Nothing branches on what the bytes are: every step stores a code, but counts it only where the string was
//! unknown, for imagery is too random for a branch to be foreseen. Each step waits for the table's answer to the
//! one before; four blocks side by side, a lane each, give the processor other work meanwhile. Codes are packed
//! into bits when a dictionary is full, since their widths depend on nothing but their number.

use super::bits::BitWriter;
use super::{CLEAR, END, FIRST_FREE, PERIOD};
use std::hint::select_unpredictable;

/// How many blocks are encoded side by side; with more, their state no longer fits the registers.
pub(in crate::codec) const LANES: usize = 4;

const CODES: usize = 1 << 12;
const SLOTS: usize = 1 << 15;
/// Codes stand above these bits wherever they are kept, ready to be XORed into a slot number.
pub(super) const SHIFT: u32 = SLOTS.ilog2() - CODES.ilog2();
/// The code has the low 16 bits of an entry, then come 8 of generation and 8 of the byte.
const GENERATION_SHIFT: u32 = 16;
const BYTE_SHIFT: u32 = 24;
const LAST_GENERATION: u32 = (1 << 8) - 1;
/// Odd, so that bytes that differ little, as most do after a predictor, have slots of their own whatever the
/// prefixes; and with high bits that look random.
const SPREAD: u32 = 0x9E37_79B1;
/// Bytes of each block that are taken at a time.
const CHUNK: usize = 1024;

/// Dictionaries, and the codes of the periods in work: 548 KiB, in one piece so that one register finds all.
#[derive(bytemuck::Zeroable)]
struct Tables {
    slots: [[u32; SLOTS]; LANES],
    /// Codes not yet written, at the place of the dictionary entry that was made with each.
    codes: [[u16; CODES]; LANES],
    /// The next bytes of each lane's block, copied here so that one register finds them too.
    chunk: [[u8; CHUNK]; LANES],
}

/// An encoder that serves for many blocks.
pub(in crate::codec) struct Encoder {
    tables: Box<Tables>,
    /// For each lane, the code of the string that is still open, shifted.
    prefix: [u32; LANES],
    /// For each lane, the generation and the next free code: together an entry without its byte, not yet shifted.
    state: [u32; LANES],
}

impl Encoder {
    pub(in crate::codec) fn new() -> Self {
        // Zeroed entries are of generation 0, which is never in use.
        Self { tables: bytemuck::zeroed_box(), prefix: [0; LANES], state: [0; LANES] }
    }

    /// Bytes on the heap.
    pub(in crate::codec) const fn bytes() -> usize {
        size_of::<Tables>()
    }

    /// Replaces each of `outs` by the encoded form of the block at the same place; all blocks are equally long.
    pub(in crate::codec) fn encode(&mut self, blocks: &[&[u8]], outs: &mut [Vec<u8>]) {
        assert!(
            blocks.len() == outs.len() && blocks.iter().all(|block| block.len() == blocks[0].len()),
            "blocks of one length and a vector for each are due"
        );
        let both = blocks.iter().copied().zip(outs);
        let (uniform, mut others): (Vec<_>, Vec<_>) = both.partition(|(block, _)| is_uniform(block));
        for (block, out) in uniform {
            self.encode_uniform(block, out);
        }
        for lanes in others.chunks_mut(LANES) {
            match lanes.len() {
                1 => self.interleave::<1>(lanes),
                2 => self.interleave::<2>(lanes),
                3 => self.interleave::<3>(lanes),
                _ => self.interleave::<LANES>(lanes),
            }
        }
    }

    fn interleave<const USED: usize>(&mut self, lanes: &mut [(&[u8], &mut Vec<u8>)]) {
        let mut lanes = lanes.iter_mut();
        let mut rest = [&[][..]; USED];
        let mut writers = std::array::from_fn::<_, USED, _>(|lane| {
            let (block, out) = lanes.next().expect("as many lanes as are used");
            rest[lane] = block;
            self.begin(lane, out)
        });
        for (lane, block) in rest.iter_mut().enumerate() {
            let (first, later) = block.split_first().expect("a block without bytes is uniform");
            self.prefix[lane] = u32::from(*first) << SHIFT;
            *block = later;
        }
        while !rest[0].is_empty() {
            // A byte gives at most one code, so these cannot overfill any lane's period.
            let room = (0..USED).map(|lane| PERIOD - self.waiting(lane)).min().unwrap_or_default();
            let length = room.min(CHUNK).min(rest[0].len());
            for (block, chunk) in rest.iter_mut().zip(&mut self.tables.chunk) {
                let (now, later) = block.split_at(length);
                chunk[..length].copy_from_slice(now);
                *block = later;
            }
            self.take::<USED>(length);
            for (lane, writer) in writers.iter_mut().enumerate() {
                self.end_full_period(lane, writer);
            }
        }
        for (lane, mut writer) in writers.into_iter().enumerate() {
            self.add(lane, self.prefix[lane] as u16, &mut writer);
            self.finish(lane, writer);
        }
    }

    /// Codes the first `length` bytes of the chunk, those of each lane after the string that is open there.
    fn take<const USED: usize>(&mut self, length: usize) {
        let tables = &mut *self.tables;
        let (mut prefixes, mut states) = (self.prefix, self.state);
        for i in 0..length.min(CHUNK) {
            for lane in 0..USED {
                let (byte, prefix, state) = (u32::from(tables.chunk[lane][i]), prefixes[lane], states[lane]);
                tables.codes[lane][state as usize % CODES] = prefix as u16;
                let slot = &mut tables.slots[lane][(prefix ^ byte.wrapping_mul(SPREAD)) as usize % SLOTS];
                let fresh = (byte << BYTE_SHIFT) + (state << SHIFT);
                let entry = *slot;
                let unknown = (entry ^ fresh) >> GENERATION_SHIFT != 0;
                *slot = choose::<USED>(unknown, fresh, entry);
                let known = entry & ((1 << GENERATION_SHIFT) - 1);
                prefixes[lane] = choose::<USED>(unknown, byte << SHIFT, known);
                states[lane] += u32::from(unknown);
            }
        }
        (self.prefix, self.state) = (prefixes, states);
    }

    /// A block that is one byte again and again: every code stands for a string one longer than the code before
    /// did, which needs no dictionary.
    fn encode_uniform(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let mut writer = self.begin(0, out);
        let code_of = |length: usize| match length {
            1 => u16::from(block[0]),
            _ => FIRST_FREE + (length - 2) as u16,
        };
        let mut rest = block.len();
        while rest > 0 {
            let length = rest.min(self.waiting(0) + 1);
            self.add(0, code_of(length) << SHIFT, &mut writer);
            rest -= length;
        }
        self.finish(0, writer);
    }

    fn begin<'a>(&mut self, lane: usize, out: &'a mut Vec<u8>) -> BitWriter<'a> {
        let mut writer = BitWriter::new(out);
        writer.write::<9>(&[CLEAR << SHIFT]);
        self.forget(lane);
        writer
    }

    /// How many codes of a lane are not yet written.
    fn waiting(&self, lane: usize) -> usize {
        self.state[lane] as usize % CODES - usize::from(FIRST_FREE)
    }

    fn add(&mut self, lane: usize, code: u16, writer: &mut BitWriter<'_>) {
        self.tables.codes[lane][self.state[lane] as usize % CODES] = code;
        self.state[lane] += 1;
        self.end_full_period(lane, writer);
    }

    fn finish(&mut self, lane: usize, mut writer: BitWriter<'_>) {
        let end = self.state[lane] as usize % CODES;
        self.tables.codes[lane][end] = END << SHIFT;
        writer.write_period(&self.tables.codes[lane][usize::from(FIRST_FREE)..=end]);
        writer.finish();
    }

    /// Writes a full period and its clear code, and starts the next one.
    fn end_full_period(&mut self, lane: usize, writer: &mut BitWriter<'_>) {
        if self.waiting(lane) < PERIOD {
            return;
        }
        writer.write_period(&self.tables.codes[lane][usize::from(FIRST_FREE)..][..PERIOD]);
        writer.write::<12>(&[CLEAR << SHIFT]);
        self.forget(lane);
    }

    /// Clears a lane's dictionary.
    fn forget(&mut self, lane: usize) {
        let mut generation = self.state[lane] >> (GENERATION_SHIFT - SHIFT);
        if generation == LAST_GENERATION {
            self.tables.slots[lane].fill(0);
            generation = 0;
        }
        self.state[lane] = (generation + 1) << (GENERATION_SHIFT - SHIFT) | u32::from(FIRST_FREE);
    }
}

/// Whether all bytes are the same: each is that before it.
fn is_uniform(block: &[u8]) -> bool {
    block.is_empty() || block[1..] == block[..block.len() - 1]
}

/// One lane alone has nothing to do while it waits for the table, and is better off guessing.
#[inline]
fn choose<const USED: usize>(condition: bool, yes: u32, no: u32) -> u32 {
    match (USED, condition) {
        (1, true) => yes,
        (1, false) => no,
        _ => select_unpredictable(condition, yes, no),
    }
}
