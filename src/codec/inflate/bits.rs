//! The bits of a DEFLATE stream, least significant first.

/// Reads bits; those it holds, and the bytes that are left.
#[derive(Clone, Copy)]
pub(super) struct BitReader<'a> {
    rest: &'a [u8],
    /// The next bits; beyond `count` stand zeros, or bits that are read again.
    bits: u64,
    count: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { rest: input, bits: 0, count: 0 }
    }

    /// At least 56 bits are held afterwards; false, and nothing done, where the last eight bytes are already begun.
    #[inline(always)]
    pub(super) fn refill(&mut self) -> bool {
        let Some(word) = self.rest.first_chunk::<8>() else { return false };
        self.bits |= u64::from_le_bytes(*word) << self.count;
        // Bytes that did not fit whole are read again next time, as the same bits.
        self.rest = &self.rest[(63 - self.count as usize) / 8 % 8..];
        self.count |= 56;
        true
    }

    /// As [`BitReader::refill`], up to the last byte; fewer bits are held only where there are no more.
    pub(super) fn refill_to_the_end(&mut self) {
        if self.refill() {
            return;
        }
        // What was read beyond `count` is forgotten, since it is not there a second time.
        self.bits &= (1 << self.count) - 1;
        while let (0..56, Some((&byte, rest))) = (self.count, self.rest.split_first()) {
            self.bits |= u64::from(byte) << self.count;
            (self.rest, self.count) = (rest, self.count + 8);
        }
    }

    #[inline(always)]
    pub(super) fn bits(&self) -> u64 {
        self.bits
    }

    /// Goes `length` bits on, of which that many must be held.
    #[inline(always)]
    pub(super) fn skip(&mut self, length: u32) {
        self.bits >>= length & 63;
        self.count = self.count.wrapping_sub(length) & 63;
    }

    /// The next `length` bits, at most 15; none where the stream ends before.
    pub(super) fn take(&mut self, length: u32) -> Option<u32> {
        if length > self.count {
            return None;
        }
        let value = (self.bits & ((1 << length) - 1)) as u32;
        self.skip(length);
        Some(value)
    }

    /// The bytes from the next whole one on, without the bits before.
    pub(super) fn whole_bytes(&self, input: &'a [u8]) -> &'a [u8] {
        let unread = self.rest.len() + self.count as usize / 8;
        &input[input.len() - unread.min(input.len())..]
    }
}
