//! A decoder of TIFF's LZW made for speed.
//!
//! A string of the dictionary is a place in the output: a new one is the string that was decoded last and the byte
//! that will follow it there, so it is known by where that string began and by one more than its length. Nothing
//! is stored byte by byte; a code is decoded by copying, eight bytes at a time where eight fit.

use super::{CLEAR, END};
use anyhow::{Result, ensure};
use std::hint::select_unpredictable;

const CODES: usize = 1 << 12;
const FEWEST_BITS: u32 = 9;
const MOST_BITS: u32 = 12;
/// Most strings of imagery are no longer than a word.
const WORD: usize = size_of::<u64>();
/// Up to here strings are copied word by word; beyond, the system's copying pays.
const MANY_WORDS: usize = 8 * WORD;

#[derive(Clone, Copy, Default)]
struct DecodedString {
    position: u32,
    length: u32,
}

/// A decoder that serves for many blocks; 32 KiB.
pub(in crate::codec) struct Decoder {
    /// The first 256 are the single bytes, which have no place.
    strings: Box<[DecodedString; CODES]>,
}

impl Decoder {
    pub(in crate::codec) fn new() -> Self {
        let mut strings = Box::new([DecodedString::default(); CODES]);
        strings[..usize::from(CLEAR)].fill(DecodedString { position: 0, length: 1 });
        Self { strings }
    }

    /// Bytes on the heap.
    pub(in crate::codec) const fn bytes() -> usize {
        size_of::<[DecodedString; CODES]>()
    }

    /// Fills `out` from the front and returns how many bytes `encoded` held, counting no further than one past the
    /// end of `out`.
    ///
    /// The input may end without an end code, and what follows a full `out` is padding where it cannot be read:
    /// some writers leave the end code out, and libtiff stops at a full block without looking for it.
    ///
    /// # Errors
    /// A code that stands for no string yet, before `out` is full; an `out` of 4 GiB or more.
    pub(in crate::codec) fn decode(&mut self, encoded: &[u8], out: &mut [u8]) -> Result<usize> {
        ensure!(u32::try_from(out.len()).is_ok(), "an lzw block of {} bytes is too long", out.len());
        let mut codes = CodeReader { encoded, bit: 0, width: FEWEST_BITS };
        let mut filled = 0;
        let mut before = DecodedString::default();
        // One less than is free, for the first code after a clear code makes no string.
        let mut free = usize::from(END);
        while let Some(code) = codes.next() {
            if code == usize::from(CLEAR) {
                (codes.width, free) = (FEWEST_BITS, usize::from(END));
                continue;
            }
            if code == usize::from(END) {
                break;
            }
            if code > free {
                ensure!(
                    filled == out.len(),
                    "an lzw block is damaged after {filled} bytes: no string {code}"
                );
                break;
            }
            // Before the code is looked up, since it may stand for this very string.
            let own = code == free;
            if free < CODES {
                let made = DecodedString { position: before.position, length: before.length + 1 };
                self.strings[free % CODES] = made;
                free += 1;
                codes.width += u32::from(free + 1 == 1 << codes.width && codes.width < MOST_BITS);
            }
            let DecodedString { position, length } = self.strings[code % CODES];
            let (from, length) = (position as usize, length as usize);
            if length > out.len() - filled {
                return Ok(out.len() + 1);
            }
            copy(out, code, from, filled, length);
            if own {
                // Its last byte is its own first one, which was not yet there to be copied.
                out[filled + length - 1] = out[from];
            }
            before = DecodedString { position: filled as u32, length: length as u32 };
            filled += length;
        }
        Ok(filled)
    }
}

/// Copies the string of `length` bytes at `from`, or the single byte that `code` is, to the place `to` behind it.
/// Further bytes behind that place may change.
#[inline]
fn copy(out: &mut [u8], code: usize, from: usize, to: usize, length: usize) {
    if length > WORD || out.len() - to < WORD {
        return copy_far(out, code, from, to, length);
    }
    let word = |place: usize| out[place..place + WORD].first_chunk::<WORD>();
    let copied = u64::from_le_bytes(*word(from).expect("a word"));
    // Whether a code is a single byte is not to be foreseen in imagery.
    let word = select_unpredictable(code < usize::from(CLEAR), code as u64, copied);
    out[to..to + WORD].copy_from_slice(&word.to_le_bytes());
}

/// [`copy`] for long strings, and near the end of the output.
fn copy_far(out: &mut [u8], code: usize, from: usize, to: usize, length: usize) {
    if code < usize::from(CLEAR) {
        out[to] = code as u8;
    } else if length <= MANY_WORDS && out.len() - to >= length.next_multiple_of(WORD) {
        for done in (0..length).step_by(WORD) {
            out.copy_within(from + done..from + done + WORD, to + done);
        }
    } else {
        out.copy_within(from..from + length, to);
    }
}

/// Codes of growing width, most significant bit first.
struct CodeReader<'a> {
    encoded: &'a [u8],
    /// The first bit not yet read.
    bit: usize,
    width: u32,
}

impl CodeReader<'_> {
    /// The next code, if the input has so many bits.
    #[inline]
    fn next(&mut self) -> Option<usize> {
        let byte = self.bit / 8;
        let word = match self.encoded.get(byte..byte + WORD) {
            Some(word) => u64::from_be_bytes(*word.first_chunk()?),
            None => self.last_word(byte)?,
        };
        let code = word << (self.bit % 8) >> (u64::BITS - self.width);
        self.bit += self.width as usize;
        Some(code as usize)
    }

    /// The last bytes of the input with zeros behind, if they hold another code.
    #[cold]
    fn last_word(&self, byte: usize) -> Option<u64> {
        if self.bit + self.width as usize > 8 * self.encoded.len() {
            return None;
        }
        let mut word = [0; WORD];
        let rest = &self.encoded[byte..];
        word[..rest.len()].copy_from_slice(rest);
        Some(u64::from_be_bytes(word))
    }
}
