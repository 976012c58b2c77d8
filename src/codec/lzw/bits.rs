//! Codes packed into bytes, most significant bit first.

use super::AT_WIDTH;
use super::encoder::SHIFT;

/// Appends codes of any width to a vector.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Whole bytes written; `out` may be longer.
    length: usize,
    /// The last `waiting` bits are not written yet; what is above them is old.
    bits: u64,
    waiting: u32,
}

impl<'a> BitWriter<'a> {
    /// Replaces what `out` held, over which it writes: the next block is about as long.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, length: 0, bits: 0, waiting: 0 }
    }

    /// Writes the codes that follow a clear code, each shifted left by [`SHIFT`], at the widths they have there.
    pub(super) fn write_period(&mut self, codes: &[u16]) {
        let [nine, ten, eleven, _] = AT_WIDTH;
        let (now, later) = codes.split_at(nine.min(codes.len()));
        self.write::<9>(now);
        let (now, later) = later.split_at(ten.min(later.len()));
        self.write::<10>(now);
        let (now, later) = later.split_at(eleven.min(later.len()));
        self.write::<11>(now);
        self.write::<12>(later);
    }

    /// Writes codes of one width, each shifted left by [`SHIFT`].
    pub(super) fn write<const WIDTH: u32>(&mut self, codes: &[u16]) {
        let room = self.length + (codes.len() * WIDTH as usize).div_ceil(8) + 2 * size_of::<u64>();
        if self.out.len() < room {
            self.out.resize(room, 0);
        }
        let (fours, rest) = codes.as_chunks::<4>();
        for four in fours {
            self.push(four_codes::<WIDTH>(*four), 4 * WIDTH);
        }
        for &code in rest {
            self.push(u64::from(code >> SHIFT), WIDTH);
        }
    }

    /// Adds up to 57 bits: with at most 7 waiting they fit a word.
    #[inline]
    fn push(&mut self, bits: u64, count: u32) {
        self.bits = self.bits << count | bits;
        self.waiting += count;
        let word = (self.bits << (u64::BITS - self.waiting)).to_be_bytes();
        self.out[self.length..self.length + word.len()].copy_from_slice(&word);
        self.length += (self.waiting / 8) as usize;
        self.waiting %= 8;
    }

    /// The last byte is filled up with zeros, which `push` has already written.
    pub(super) fn finish(self) {
        self.out.truncate(self.length + usize::from(self.waiting > 0));
    }
}

/// Four codes side by side, the first uppermost: joined to pairs, then the pairs.
#[inline]
fn four_codes<const WIDTH: u32>(codes: [u16; 4]) -> u64 {
    const EVERY_OTHER: u64 = 0x0000_FFFF_0000_FFFF;
    let four = codes.iter().rev().fold(0, |four, &code| four << 16 | u64::from(code)) >> SHIFT;
    let pairs = (four & EVERY_OTHER) << WIDTH | four >> 16 & EVERY_OTHER;
    (pairs & u64::from(u32::MAX)) << (2 * WIDTH) | pairs >> 32
}
