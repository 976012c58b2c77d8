//! An encoder of TIFF's LZW (TIFF 6.0, section 13), made for speed.
//!
//! Codes are written most significant bit first and grow from 9 to 12 bits, each width starting one code early;
//! the first code clears the dictionary, and so does one before it would hold entry 4094, as libtiff does.
//!
//! The dictionary is a hash table without probing: a new string takes its slot from whatever was there. An
//! encoder may forget strings, the decoder never notices, and the output grows by less than a percent. A slot
//! number is the prefix's code shifted and XORed with a number that depends on the byte alone. So the byte and
//! the slot tell the prefix, an entry need not store it, and the twelve bits saved hold a generation: clearing
//! the dictionary is counting one generation on.

const CLEAR: u16 = 256;
const END: u16 = 257;
const FIRST_FREE: usize = 258;

/// How many codes are written at which width after a clear code; the clear code that follows has 12 bits.
const WIDTHS: [(usize, u32); 4] = [(254, 9), (512, 10), (1024, 11), (2046, 12)];
/// Codes from one clear code to the next.
const PERIOD: usize = 254 + 512 + 1024 + 2046;
/// Bits of a period with the clear code that ends it.
const PERIOD_BITS: usize = 254 * 9 + 512 * 10 + 1024 * 11 + 2046 * 12 + 12;

const CODE_BITS: u32 = 12;
const SLOT_BITS: u32 = 15;
const SLOTS: usize = 1 << SLOT_BITS;
/// Entry: generation (12 bits), byte (8 bits), code (12 bits).
const GENERATION_SHIFT: u32 = 20;
const LAST_GENERATION: u32 = (1 << 12) - 1;

/// The most bytes that `raw` bytes become: each byte a code of its own, then the end code.
pub(super) fn max_encoded_len(raw: usize) -> usize {
    let bits = 9 + raw / PERIOD * PERIOD_BITS + raw % PERIOD * 12 + 12 + 12;
    bits.div_ceil(8)
}

/// The dictionary and the codes of the period in work; reusable, 136 KiB.
pub(super) struct Encoder {
    entries: Box<[u32; SLOTS]>,
    generation: u32,
    /// Codes not yet written; a power of two long so that indexing needs no check.
    codes: Box<[u16; 1 << CODE_BITS]>,
}

impl Encoder {
    pub(super) fn new() -> Self {
        let entries = vec![0; SLOTS].into_boxed_slice().try_into().expect("the table has SLOTS entries");
        Self { entries, generation: 0, codes: Box::new([0; 1 << CODE_BITS]) }
    }

    /// Bytes on the heap.
    pub(super) const fn bytes() -> usize {
        size_of::<[u32; SLOTS]>() + size_of::<[u16; 1 << CODE_BITS]>()
    }

    /// Replaces `out` by the encoded form of `raw`.
    pub(super) fn encode(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        out.clear();
        let mut writer = BitWriter::new(out);
        writer.write(&[CLEAR], 9);
        self.forget();
        let mut count = 0;
        if let Some((&first, mut rest)) = raw.split_first() {
            let mut prefix = u32::from(first);
            while !rest.is_empty() {
                // A byte gives at most one code, so these cannot overfill the period.
                let (bytes, later) = rest.split_at(rest.len().min(PERIOD - count));
                (prefix, count) = self.take(bytes, prefix, count);
                count = self.end_full_period(count, &mut writer);
                rest = later;
            }
            self.codes[count] = prefix as u16;
            count = self.end_full_period(count + 1, &mut writer);
        }
        self.codes[count] = END;
        writer.write_period(&self.codes[..=count]);
        writer.finish();
    }

    /// Codes `bytes` after the string `prefix`: the string still open and how many codes wait to be written.
    ///
    /// Nothing here branches on what the bytes are. Every step stores a code, but counts it only where the
    /// string was unknown; imagery is too random for a branch to be foreseen.
    #[inline]
    fn take(&mut self, bytes: &[u8], mut prefix: u32, mut count: usize) -> (u32, usize) {
        let generation = self.generation << GENERATION_SHIFT;
        for &byte in bytes {
            let tag = generation | u32::from(byte) << CODE_BITS;
            let slot = (prefix << (SLOT_BITS - CODE_BITS) ^ spread(byte)) as usize % SLOTS;
            let entry = self.entries[slot];
            let code = entry ^ tag;
            let unknown = code >> CODE_BITS != 0;
            self.codes[count % (1 << CODE_BITS)] = prefix as u16;
            let fresh = tag | (FIRST_FREE + count) as u32;
            self.entries[slot] = if unknown { fresh } else { entry };
            prefix = if unknown { u32::from(byte) } else { code };
            count += usize::from(unknown);
        }
        (prefix, count)
    }

    /// Writes a full period and its clear code, and starts the next one; the new count of waiting codes.
    fn end_full_period(&mut self, count: usize, writer: &mut BitWriter<'_>) -> usize {
        if count < PERIOD {
            return count;
        }
        writer.write_period(&self.codes[..PERIOD]);
        writer.write(&[CLEAR], 12);
        self.forget();
        0
    }

    fn forget(&mut self) {
        if self.generation == LAST_GENERATION {
            self.entries.fill(0);
            self.generation = 0;
        }
        // Zeroed entries are of generation 0, which is never in use.
        self.generation += 1;
    }
}

/// Spreads bytes over the slots, so that the strings of one byte seldom meet those of another.
fn spread(byte: u8) -> u32 {
    u32::from(byte).wrapping_mul(0x9E37_79B1) >> (u32::BITS - SLOT_BITS)
}

/// Appends codes of any width, most significant bit first.
struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Whole bytes written; `out` may be longer.
    length: usize,
    /// The last `waiting` bits are not written yet; what is above them is old.
    bits: u64,
    waiting: u32,
}

impl<'a> BitWriter<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, length: 0, bits: 0, waiting: 0 }
    }

    /// Writes the codes that follow a clear code, at the widths they have there.
    fn write_period(&mut self, mut codes: &[u16]) {
        for (count, width) in WIDTHS {
            let (now, later) = codes.split_at(count.min(codes.len()));
            self.write(now, width);
            codes = later;
        }
    }

    fn write(&mut self, codes: &[u16], width: u32) {
        let room = self.length + (codes.len() * width as usize).div_ceil(8) + 2 * size_of::<u64>();
        if self.out.len() < room {
            self.out.resize(room, 0);
        }
        let (fours, rest) = codes.as_chunks::<4>();
        for four in fours {
            self.push(four, width);
        }
        self.push(rest, width);
    }

    /// Adds up to four codes: with at most 7 bits waiting they fit a word.
    #[inline]
    fn push(&mut self, codes: &[u16], width: u32) {
        for &code in codes {
            self.bits = self.bits << width | u64::from(code);
        }
        self.waiting += codes.len() as u32 * width;
        if self.waiting > 0 {
            let word = (self.bits << (u64::BITS - self.waiting)).to_be_bytes();
            self.out[self.length..self.length + word.len()].copy_from_slice(&word);
            self.length += (self.waiting / 8) as usize;
            self.waiting %= 8;
        }
    }

    /// The last byte is filled up with zeros, which `push` has already written.
    fn finish(self) {
        self.out.truncate(self.length + usize::from(self.waiting > 0));
    }
}
