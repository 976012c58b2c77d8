//! Codes packed into bytes, most significant bit first.

use super::WIDTHS;

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
    /// Replaces what `out` held.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        out.clear();
        Self { out, length: 0, bits: 0, waiting: 0 }
    }

    /// Writes the codes that follow a clear code, at the widths they have there. Each code stands in the bits
    /// from `shift` on.
    pub(super) fn write_period(&mut self, mut codes: &[u16], shift: u32) {
        for (count, width) in WIDTHS {
            let (now, later) = codes.split_at(count.min(codes.len()));
            self.write(now, shift, width);
            codes = later;
        }
    }

    /// Writes codes of one width, which stand in the bits from `shift` on.
    pub(super) fn write(&mut self, codes: &[u16], shift: u32, width: u32) {
        let room = self.length + (codes.len() * width as usize).div_ceil(8) + 2 * size_of::<u64>();
        if self.out.len() < room {
            self.out.resize(room, 0);
        }
        let (fours, rest) = codes.as_chunks::<4>();
        for four in fours {
            self.push(four, shift, width);
        }
        self.push(rest, shift, width);
    }

    /// Adds up to four codes: with at most 7 bits waiting they fit a word.
    #[inline]
    fn push(&mut self, codes: &[u16], shift: u32, width: u32) {
        for &code in codes {
            self.bits = self.bits << width | u64::from(code >> shift);
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
    pub(super) fn finish(self) {
        self.out.truncate(self.length + usize::from(self.waiting > 0));
    }
}
