//! One zlib stream on its way to its raw bytes: headers and rare symbols, read with care.

use super::bits::BitReader;
use super::code::{Code, WHOLE};
use super::tables::{DISTANCES, END, LENGTHS, Tables, rare_share};

/// Where a stream is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Before the header of a DEFLATE block.
    Header,
    /// Among the symbols of one.
    Symbols,
    /// Behind the last one: all bytes are there, and their checksum is right.
    Done,
    /// Given up: damaged, or better left to another decoder.
    GivenUp,
}

/// The codes and tables of the DEFLATE block that a lane is in.
pub(super) struct Codes {
    literals: Code,
    distances: Code,
    pub(super) tables: Tables,
}

impl Codes {
    pub(super) const EMPTY: Self =
        Self { literals: Code::EMPTY, distances: Code::EMPTY, tables: Tables::EMPTY };
}

/// A stream, its output, and how far both are.
pub(super) struct Lane<'a> {
    input: &'a [u8],
    pub(super) reader: BitReader<'a>,
    pub(super) out: &'a mut [u8],
    /// Bytes of `out` that are there.
    pub(super) filled: usize,
    last: bool,
    pub(super) stage: Stage,
    /// The block's place among all.
    pub(super) index: usize,
}

/// Above this share of rare symbols the fast loop does not pay.
const MOST_RARE: u32 = WHOLE / 48;

impl<'a> Lane<'a> {
    /// A lane at the start of a zlib stream (RFC 1950) that is the block at `index`.
    pub(super) fn new(index: usize, input: &'a [u8], out: &'a mut [u8]) -> Self {
        // DEFLATE, a window of at most 32 KiB, no preset dictionary, and a right check.
        let valid = |method: u8, flags: u8| {
            method & 15 == 8
                && method >> 4 <= 7
                && flags & 32 == 0
                && u16::from_be_bytes([method, flags]).is_multiple_of(31)
        };
        let (stage, stream) = match *input {
            [method, flags, ref stream @ ..] if valid(method, flags) => (Stage::Header, stream),
            _ => (Stage::GivenUp, input),
        };
        Self { input, reader: BitReader::new(stream), out, filled: 0, last: false, stage, index }
    }

    /// Whether nothing is left to do.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Done | Stage::GivenUp)
    }

    /// Reads what comes next: a header, one symbol with what belongs to it, or the checksum.
    pub(super) fn advance(&mut self, codes: &mut Codes) {
        let next = match self.stage {
            Stage::Header if self.last => self.end(),
            Stage::Header => self.header(codes),
            Stage::Symbols => self.symbol(codes),
            stage => Some(stage),
        };
        self.stage = next.unwrap_or(Stage::GivenUp);
    }

    fn end(&mut self) -> Option<Stage> {
        let checksum = self.reader.whole_bytes(self.input).first_chunk()?;
        let whole = self.filled == self.out.len();
        (whole && libdeflater::adler32(self.out) == u32::from_be_bytes(*checksum)).then_some(Stage::Done)
    }

    fn header(&mut self, codes: &mut Codes) -> Option<Stage> {
        self.reader.refill_to_the_end();
        self.last = self.reader.take(1)? == 1;
        match self.reader.take(2)? {
            0 => return self.stored(),
            1 => {
                let lengths: [u8; 288] = std::array::from_fn(|symbol| match symbol {
                    0..144 | 280.. => 8,
                    144..256 => 9,
                    256..280 => 7,
                });
                codes.literals = Code::new(&lengths)?;
                codes.distances = Code::new(&[5; 32])?;
            }
            2 => self.codes(codes)?,
            _ => return None,
        }
        // Only early: what was decoded until here is decoded again.
        let early = self.filled < self.out.len() / 8;
        if early && rare_share(&codes.literals, &codes.distances) > MOST_RARE {
            return None;
        }
        codes.tables.fill(&codes.literals, &codes.distances);
        Some(Stage::Symbols)
    }

    /// A stored DEFLATE block; nothing is gained where a stream begins with one.
    fn stored(&mut self) -> Option<Stage> {
        let (&[a, b, c, d], bytes) = self.reader.whole_bytes(self.input).split_first_chunk()?;
        let length = usize::from(u16::from_le_bytes([a, b]));
        let bytes = bytes.split_at_checked(length).filter(|_| [!a, !b] == [c, d] && self.filled > 0)?;
        self.out.get_mut(self.filled..self.filled + length)?.copy_from_slice(bytes.0);
        self.filled += length;
        self.reader = BitReader::new(bytes.1);
        Some(Stage::Header)
    }

    /// The codes of a block that brings its own (RFC 1951, 3.2.7).
    fn codes(&mut self, codes: &mut Codes) -> Option<()> {
        const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let literals = self.reader.take(5)? as usize + 257;
        let distances = self.reader.take(5)? as usize + 1;
        let count = self.reader.take(4)? as usize + 4;
        let mut lengths = [0; 19];
        for &symbol in &ORDER[..count] {
            self.reader.refill_to_the_end();
            lengths[symbol] = self.reader.take(3)? as u8;
        }
        let code = Code::new(&lengths)?;
        let mut lengths = [0; 286 + 30];
        let lengths = lengths.get_mut(..literals + distances).filter(|_| literals <= 286)?;
        let mut known = 0;
        while known < lengths.len() {
            self.reader.refill_to_the_end();
            let symbol = code.read(&mut self.reader)?;
            let (length, repeats) = match symbol {
                16 => (*lengths.get(known.checked_sub(1)?)?, 3 + self.reader.take(2)?),
                17 => (0, 3 + self.reader.take(3)?),
                18 => (0, 11 + self.reader.take(7)?),
                _ => (symbol as u8, 1),
            };
            lengths.get_mut(known..known + repeats as usize)?.fill(length);
            known += repeats as usize;
        }
        let (literals, distances) = lengths.split_at(literals);
        codes.literals = Code::new(literals).filter(|_| literals[END] > 0)?;
        codes.distances = Code::new(distances)?;
        Some(())
    }

    fn symbol(&mut self, codes: &Codes) -> Option<Stage> {
        let reader = &mut self.reader;
        reader.refill_to_the_end();
        let symbol = codes.literals.read(reader)?;
        if symbol < END {
            *self.out.get_mut(self.filled)? = symbol as u8;
            self.filled += 1;
        } else if symbol == END {
            return Some(Stage::Header);
        } else {
            let (shortest, extra) = *LENGTHS.get(symbol - END - 1)?;
            let length = usize::from(shortest) + reader.take(extra.into())? as usize;
            let (nearest, extra) = *DISTANCES.get(codes.distances.read(reader)?)?;
            let distance = usize::from(nearest) + reader.take(extra.into())? as usize;
            self.repeat(distance, length)?;
        }
        Some(Stage::Symbols)
    }

    /// Appends `length` bytes from `distance` bytes back, which may be bytes that are only just appended.
    fn repeat(&mut self, distance: usize, length: usize) -> Option<()> {
        let start = self.filled.checked_sub(distance)?;
        let out = self.out.get_mut(start..self.filled + length)?;
        // What is there already is doubled until it is enough.
        let mut there = distance;
        while there < out.len() {
            let more = there.min(out.len() - there);
            out.copy_within(..more, there);
            there += more;
        }
        self.filled += length;
        Some(())
    }
}
