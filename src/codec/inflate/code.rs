//! Canonical Huffman codes (RFC 1951, 3.2.2), read a bit at a time.

use super::bits::BitReader;

/// No code word is longer.
pub(super) const MOST_BITS: usize = 15;
/// Shares of a code are counted in these parts.
pub(super) const WHOLE: u32 = 1 << MOST_BITS;

/// A code, as long as it leaves no word unused.
#[derive(Clone)]
pub(super) struct Code {
    /// How many words have each length.
    counts: [u16; MOST_BITS + 1],
    /// Symbols in the order of their words.
    symbols: [u16; 288],
}

impl Code {
    /// A code that knows nothing.
    pub(super) const EMPTY: Self = Self { counts: [0; MOST_BITS + 1], symbols: [0; 288] };

    /// The code whose symbols have words of these lengths, 0 where a symbol has none; none unless every word is used.
    pub(super) fn new(lengths: &[u8]) -> Option<Self> {
        let mut code = Self::EMPTY;
        for &length in lengths {
            code.counts[usize::from(length)] += 1;
        }
        code.counts[0] = 0;
        let used: u32 = (1..=MOST_BITS).map(|bits| u32::from(code.counts[bits]) << (MOST_BITS - bits)).sum();
        if used != WHOLE {
            return None;
        }
        let mut places = [0; MOST_BITS + 1];
        for bits in 1..MOST_BITS {
            places[bits + 1] = places[bits] + usize::from(code.counts[bits]);
        }
        for (symbol, &length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            let place = &mut places[usize::from(length)];
            code.symbols[*place] = symbol as u16;
            *place += 1;
        }
        Some(code)
    }

    /// Each symbol, its word with the first bit lowest, and the word's length.
    pub(super) fn words(&self) -> impl Iterator<Item = (usize, usize, u32)> {
        let lengths = (1..=MOST_BITS as u32)
            .flat_map(|bits| std::iter::repeat_n(bits, usize::from(self.counts[bits as usize])));
        let mut start = 0u32;
        self.symbols.iter().zip(lengths).map(move |(&symbol, bits)| {
            // `start` is where the word's share of all begins: its bits, left-aligned.
            let word = start.reverse_bits() >> (32 - MOST_BITS as u32);
            start += WHOLE >> bits;
            (usize::from(symbol), word as usize, bits)
        })
    }

    /// The next symbol, of which all bits must be held; none where the stream ends before.
    pub(super) fn read(&self, reader: &mut BitReader<'_>) -> Option<usize> {
        let (mut word, mut first, mut place) = (0, 0, 0);
        for length in 1..=MOST_BITS {
            word = word << 1 | (reader.bits() >> (length - 1)) as usize & 1;
            let count = usize::from(self.counts[length]);
            if word < first + count {
                reader.take(length as u32)?;
                return Some(usize::from(self.symbols[place + word - first]));
            }
            place += count;
            first = (first + count) << 1;
        }
        None
    }
}
