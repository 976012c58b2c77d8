//! TIFF's LZW (TIFF 6.0, section 13): what its two directions share.
//!
//! Codes are written most significant bit first and grow from 9 to 12 bits, each width starting one code early;
//! the first code clears the dictionary, and so does one before it would hold entry 4094, as libtiff does.

mod bits;
mod decoder;
mod encoder;

pub(super) use decoder::Decoder;
pub(super) use encoder::{Encoder, LANES};

const CLEAR: u16 = 256;
const END: u16 = 257;
const FIRST_FREE: u16 = 258;

/// How many codes are written with 9, 10, 11 and 12 bits after a clear code; the clear code that follows has 12.
const AT_WIDTH: [usize; 4] = [254, 512, 1024, 2046];
/// Codes from one clear code to the next.
const PERIOD: usize = 254 + 512 + 1024 + 2046;
/// Bits of a period with the clear code that ends it.
const PERIOD_BITS: usize = 254 * 9 + 512 * 10 + 1024 * 11 + 2046 * 12 + 12;

/// The most bytes that `raw` bytes become: each byte a code of its own, then the end code.
pub(super) fn max_encoded_len(raw: usize) -> usize {
    let bits = 9 + raw / PERIOD * PERIOD_BITS + raw % PERIOD * 12 + 12 + 12;
    bits.div_ceil(8)
}

#[cfg(test)]
mod tests;
