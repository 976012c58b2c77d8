//! The tables of the fast loop, made anew for each DEFLATE block: several symbols at one look.

use super::code::{Code, WHOLE};

const LITERAL_BITS: u32 = 12;
const LITERAL_WORDS: usize = 1 << LITERAL_BITS;
const DISTANCE_WORDS: usize = 1 << 9;

/// The symbol that ends a DEFLATE block.
pub(super) const END: usize = 256;
/// The first symbol of a length with extra bits. Those before are of lengths from 3 to 10.
const FIRST_EXTRA: usize = 265;

/// Shortest match and number of extra bits of each length symbol from 257 on (RFC 1951, 3.2.5).
pub(super) const LENGTHS: [(u16, u8); 29] = {
    let mut lengths = with_extra_bits::<29>(4, 3);
    lengths[28] = (258, 0);
    lengths
};
/// Shortest distance and number of extra bits of each distance symbol.
pub(super) const DISTANCES: [(u16, u8); 30] = with_extra_bits::<30>(2, 1);

/// So many symbols have no extra bits twice, then one each, two each and so on.
const fn with_extra_bits<const COUNT: usize>(together: usize, first: u16) -> [(u16, u8); COUNT] {
    let mut all = [(0, 0); COUNT];
    let (mut symbol, mut base) = (0, first);
    while symbol < COUNT {
        let extra = (symbol / together).saturating_sub(1) as u8;
        all[symbol] = (base, extra);
        base = base.wrapping_add(1 << extra);
        symbol += 1;
    }
    all
}

/// One look-up of the next bits: up to two literals, then a match, or either alone.
#[derive(Clone, Copy)]
pub(super) struct Entry(u32);

impl Entry {
    const MATCH: u32 = 1 << 15;

    fn literal(symbol: usize, bits: u32) -> Self {
        Self((symbol as u32) << 16 | 1 << 6 | bits)
    }

    fn length(length: usize, bits: u32) -> Self {
        Self(Self::MATCH | (length as u32) << 8 | bits)
    }

    /// Whether the next symbol must be read with care: a rare one, or one with a long word.
    #[inline(always)]
    pub(super) fn is_rare(self) -> bool {
        self.bits() == 0
    }

    /// Bits of all words.
    #[inline(always)]
    pub(super) fn bits(self) -> u32 {
        self.0 & 63
    }

    #[inline(always)]
    pub(super) fn literal_count(self) -> usize {
        (self.0 >> 6) as usize & 3
    }

    #[inline(always)]
    pub(super) fn literals(self) -> [u8; 2] {
        ((self.0 >> 16) as u16).to_le_bytes()
    }

    /// Bytes of the match; 0 if there is none.
    #[inline(always)]
    pub(super) fn match_length(self) -> usize {
        (self.0 >> 8) as usize & 15
    }

    /// All ones if there is a match, else 0: arithmetic, since a branch could not be foreseen.
    #[inline(always)]
    fn match_mask(self) -> u32 {
        ((self.0 << 16) as i32 >> 31) as u32
    }

    /// This entry and what comes after it, if there is room for both.
    fn and(self, next: Self) -> Option<Self> {
        let literal = next.literal_count() == 1;
        let fits = self.bits() + next.bits() <= LITERAL_BITS && !(literal && self.literal_count() == 2);
        let open = self.literal_count() > 0 && self.0 & Self::MATCH == 0;
        (open && fits && !next.is_rare()).then(|| match literal {
            true => Self(self.0 + (next.0 & 0xff) + (next.0 >> 16 << 24)),
            false => Self(self.0 + next.0),
        })
    }
}

/// A distance symbol: its bits with the extra ones, those of the word alone from bit 8, the shortest distance from 16.
/// 0 is a long word, or no match.
#[derive(Clone, Copy)]
pub(super) struct Distance(u32);

impl Distance {
    /// Bits of the word and its extra bits.
    #[inline(always)]
    pub(super) fn bits(self) -> u32 {
        self.0 & 63
    }

    /// The distance, from the bits that begin with the word; 0 if there is none.
    #[inline(always)]
    pub(super) fn distance(self, bits: u64) -> usize {
        (self.0 >> 16) as usize + ((bits & !(u64::MAX << self.bits())) >> (self.0 >> 8 & 63)) as usize
    }
}

/// Tables of one DEFLATE block.
pub(super) struct Tables {
    literals: [Entry; LITERAL_WORDS],
    distances: [Distance; DISTANCE_WORDS],
}

impl Tables {
    pub(super) const EMPTY: Self =
        Self { literals: [Entry(0); LITERAL_WORDS], distances: [Distance(0); DISTANCE_WORDS] };

    /// Fills the tables, which then stand for these codes.
    pub(super) fn fill(&mut self, literals: &Code, distances: &Code) {
        fill(&mut self.literals, Entry(0), literals, |symbol, bits| match symbol {
            ..END => Entry::literal(symbol, bits),
            END | FIRST_EXTRA.. => Entry(0),
            _ => Entry::length(LENGTHS[symbol - END - 1].0.into(), bits),
        });
        // What follows a word has a lower index than the word itself: going down, it is still alone.
        for index in (0..LITERAL_WORDS).rev() {
            for _ in 0..2 {
                let entry = self.literals[index];
                match entry.and(self.literals[if index == 0 { 0 } else { index >> entry.bits() }]) {
                    Some(both) if index > 0 => self.literals[index] = both,
                    _ => break,
                }
            }
        }
        fill(&mut self.distances, Distance(0), distances, |symbol, bits| {
            DISTANCES.get(symbol).map_or(Distance(0), |&(shortest, extra)| {
                Distance(u32::from(shortest) << 16 | bits << 8 | (bits + u32::from(extra)))
            })
        });
    }

    #[inline(always)]
    pub(super) fn entry(&self, bits: u64) -> Entry {
        self.literals[bits as usize % LITERAL_WORDS]
    }

    /// What stands where an entry's distance would stand; nothing if the entry has no match.
    #[inline(always)]
    pub(super) fn distance(&self, entry: Entry, bits: u64) -> Distance {
        Distance(self.distances[bits as usize % DISTANCE_WORDS].0 & entry.match_mask())
    }
}

/// Puts each word's symbol wherever the lowest bits are that word, and `none` where there is no word so short.
fn fill<T: Copy>(table: &mut [T], none: T, code: &Code, symbol_entry: impl Fn(usize, u32) -> T) {
    table.fill(none);
    for (symbol, word, bits) in code.words() {
        if 1 << bits > table.len() {
            break;
        }
        let entry = symbol_entry(symbol, bits);
        table[word..].iter_mut().step_by(1 << bits).for_each(|place| *place = entry);
    }
}

/// How many in [`WHOLE`] symbols the fast loop would leave to the careful one, by what the words' lengths tell of their
/// frequencies: lengths with extra bits, and matches that may overlap themselves.
pub(super) fn rare_share(literals: &Code, distances: &Code) -> u32 {
    let share = |code: &Code, from: usize, to: usize| {
        let symbols = code.words().filter(|(symbol, ..)| (from..to).contains(symbol));
        symbols.map(|(.., bits)| WHOLE >> bits).sum::<u32>()
    };
    let long = share(literals, FIRST_EXTRA, 288);
    let near = share(distances, 0, 4);
    long + share(literals, END + 1, FIRST_EXTRA) * near / WHOLE
}
