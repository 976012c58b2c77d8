//! TIFF's predictors over the rows of a block: differences that compress better than the samples themselves.
//!
//! Rows are independent. Every loop works on arrays of fixed width, so that the compiler turns it into vector
//! instructions; the one thing kept between rows is a scratch row.

use super::{BlockLayout, Predictor};
use anyhow::{Result, bail, ensure};

/// Replaces the samples of `block` by what `predictor` leaves of them; `scratch` is grown to one row.
///
/// # Errors
/// A predictor that the sample's width cannot have, or a block whose length is not the layout's.
pub(super) fn apply(
    predictor: Predictor,
    block: &mut [u8],
    layout: BlockLayout,
    scratch: &mut Vec<u8>,
) -> Result<()> {
    let difference: fn(&mut [u8], &mut [u8], usize) = match (predictor, layout.sample_bytes) {
        (Predictor::Horizontal, 1) => difference_row::<u8, 1>,
        (Predictor::Horizontal, 2) => difference_row::<u16, 2>,
        (Predictor::Horizontal, 4) => difference_row::<u32, 4>,
        (Predictor::Horizontal, 8) => difference_row::<u64, 8>,
        (Predictor::Float, 4) => difference_planes::<u32, 4>,
        (Predictor::Float, 8) => difference_planes::<u64, 8>,
        (predictor, _) => return check_untouched(predictor, layout),
    };
    for_rows(block, layout, scratch, difference)
}

/// Gives back the samples that [`apply`] replaced; `scratch` is grown to one row.
///
/// # Errors
/// As [`apply`].
pub(super) fn undo(
    predictor: Predictor,
    block: &mut [u8],
    layout: BlockLayout,
    scratch: &mut Vec<u8>,
) -> Result<()> {
    let sum: fn(&mut [u8], &mut [u8], usize) = match (predictor, layout.sample_bytes) {
        (Predictor::Horizontal, 1) => sum_row::<u8, 1>,
        (Predictor::Horizontal, 2) => sum_row::<u16, 2>,
        (Predictor::Horizontal, 4) => sum_row::<u32, 4>,
        (Predictor::Horizontal, 8) => sum_row::<u64, 8>,
        (Predictor::Float, 4) => sum_planes::<4>,
        (Predictor::Float, 8) => sum_planes::<8>,
        (predictor, _) => return check_untouched(predictor, layout),
    };
    for_rows(block, layout, scratch, sum)
}

fn check_untouched(predictor: Predictor, layout: BlockLayout) -> Result<()> {
    match predictor {
        Predictor::None => Ok(()),
        Predictor::Horizontal => bail!(
            "predictor 2 works on samples of 1, 2, 4 or 8 bytes, not {}; choose predictor 1",
            layout.sample_bytes
        ),
        Predictor::Float => bail!(
            "predictor 3 works on floats of 4 or 8 bytes, not on samples of {}; choose predictor 2",
            layout.sample_bytes
        ),
    }
}

fn for_rows(
    block: &mut [u8],
    layout: BlockLayout,
    scratch: &mut Vec<u8>,
    row_function: fn(&mut [u8], &mut [u8], usize),
) -> Result<()> {
    let row_bytes = layout.row_bytes();
    ensure!(
        block.len() == layout.bytes(),
        "a block of {layout:?} has {} bytes, not {}",
        layout.bytes(),
        block.len()
    );
    if row_bytes == 0 {
        return Ok(());
    }
    scratch.resize(row_bytes, 0);
    for row in block.chunks_exact_mut(row_bytes) {
        row_function(row, scratch, layout.samples);
    }
    Ok(())
}

/// A whole number seen as its little-endian bytes.
trait Word<const BYTES: usize>: Copy + Default {
    fn read(bytes: [u8; BYTES]) -> Self;
    fn write(self) -> [u8; BYTES];
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    /// The byte that has so many below it; shifted down, which the compiler turns into vectors, unlike indexing.
    fn byte(self, below: usize) -> u8;
}

macro_rules! words {
    ($($Type:ty, $bytes:literal);+) => { $(
        impl Word<$bytes> for $Type {
            #[inline]
            fn read(bytes: [u8; $bytes]) -> Self {
                Self::from_le_bytes(bytes)
            }
            #[inline]
            fn write(self) -> [u8; $bytes] {
                self.to_le_bytes()
            }
            #[inline]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline]
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline]
            fn byte(self, below: usize) -> u8 {
                (self >> (8 * below)) as u8
            }
        }
    )+ };
}
words!(u8, 1; u16, 2; u32, 4; u64, 8);

/// Reads from a copy of the row, so that no step waits for the one before.
fn difference_row<W: Word<BYTES>, const BYTES: usize>(row: &mut [u8], scratch: &mut [u8], samples: usize) {
    scratch.copy_from_slice(row);
    let (row, _) = row.as_chunks_mut::<BYTES>();
    let (before, _) = scratch.as_chunks::<BYTES>();
    for (sample, before) in row.iter_mut().skip(samples).zip(before) {
        *sample = W::read(*sample).minus(W::read(*before)).write();
    }
}

fn sum_row<W: Word<BYTES>, const BYTES: usize>(row: &mut [u8], _: &mut [u8], samples: usize) {
    let (row, _) = row.as_chunks_mut::<BYTES>();
    match samples {
        1 => sum_pixels::<W, BYTES, 1>(row),
        2 => sum_pixels::<W, BYTES, 2>(row),
        3 => sum_pixels::<W, BYTES, 3>(row),
        4 => sum_pixels::<W, BYTES, 4>(row),
        _ => sum_many::<W, BYTES>(row, samples),
    }
}

/// The sums of the usual band counts stay in registers.
fn sum_pixels<W: Word<BYTES>, const BYTES: usize, const SAMPLES: usize>(row: &mut [[u8; BYTES]]) {
    let mut sums = [W::default(); SAMPLES];
    let (pixels, _) = row.as_chunks_mut::<SAMPLES>();
    for pixel in pixels {
        for (sample, sum) in pixel.iter_mut().zip(&mut sums) {
            *sum = sum.plus(W::read(*sample));
            *sample = sum.write();
        }
    }
}

fn sum_many<W: Word<BYTES>, const BYTES: usize>(row: &mut [[u8; BYTES]], samples: usize) {
    for start in (samples..row.len()).step_by(samples) {
        let (before, here) = row.split_at_mut(start);
        for (sample, before) in here.iter_mut().zip(&before[start - samples..]) {
            *sample = W::read(*sample).plus(W::read(*before)).write();
        }
    }
}

/// The most significant bytes of all samples come first, then the next ones; then bytewise differences over
/// the whole row, across the borders of the planes.
fn difference_planes<W: Word<BYTES>, const BYTES: usize>(row: &mut [u8], scratch: &mut [u8], samples: usize) {
    let (floats, _) = row.as_chunks::<BYTES>();
    for (byte, plane) in scratch.chunks_exact_mut(floats.len()).enumerate() {
        for (target, float) in plane.iter_mut().zip(floats) {
            *target = W::read(*float).byte(BYTES - 1 - byte);
        }
    }
    let first = samples.min(row.len());
    row[..first].copy_from_slice(&scratch[..first]);
    for ((target, byte), before) in row[first..].iter_mut().zip(&scratch[first..]).zip(&*scratch) {
        *target = byte.wrapping_sub(*before);
    }
}

fn sum_planes<const BYTES: usize>(row: &mut [u8], scratch: &mut [u8], samples: usize) {
    sum_row::<u8, 1>(row, scratch, samples);
    scratch.copy_from_slice(row);
    let (floats, _) = row.as_chunks_mut::<BYTES>();
    let count = floats.len();
    for (byte, plane) in scratch.chunks_exact(count).enumerate() {
        for (float, source) in floats.iter_mut().zip(plane) {
            float[BYTES - 1 - byte] = *source;
        }
    }
}
