//! What the rules have in common: fresh memory, and the writing of chosen values.

use bytemuck::Zeroable;

use crate::dispatch_pixel_type;
use crate::pixels::{Buffer, Number, Pixel};

/// So many zeros, in memory that is there already.
pub(super) fn clear<T: Zeroable + Copy>(values: &mut Vec<T>, count: usize) {
    values.clear();
    values.resize(count, T::zeroed());
}

/// How many of these bytes, each 0 or 1, are 1.
pub(super) fn ones(flags: &[u8]) -> usize {
    // So few at a time that their sum is a byte, which the compiler adds many of at once.
    flags.chunks(255).map(|few| usize::from(few.iter().sum::<u8>())).sum()
}

/// Writes chosen values as pixels of the output's type: rounded half to even, clamped, NaN to the background.
pub(super) fn finish_selection<T: Pixel>(
    values: &[T],
    decided: &[u8],
    background: Number,
    pixels: &mut Buffer,
    start: usize,
    valid: &mut [u8],
) {
    fn typed<T: Pixel, O: Pixel>(
        values: &[T],
        decided: &[u8],
        background: O,
        pixels: &mut [O],
        valid: &mut [u8],
    ) {
        for (((pixel, &value), &decided), valid) in pixels.iter_mut().zip(values).zip(decided).zip(valid) {
            let has_value = decided != 0 && (O::TYPE.is_float() || !value.is_nan());
            *valid |= u8::from(has_value);
            *pixel = if has_value { convert(value) } else { background };
        }
    }
    dispatch_pixel_type!(pixels.pixel_type(), O => {
        let background = background.to_pixel::<O>().unwrap_or(O::zeroed());
        let pixels = &mut pixels.pixels_mut::<O>()[start..][..values.len()];
        if T::TYPE == O::TYPE && ones(decided) == decided.len() {
            pixels.copy_from_slice(bytemuck::cast_slice(values));
            valid.fill(1);
            return;
        }
        typed::<T, O>(values, decided, background, pixels, valid);
    });
}

/// The nearest value of another type.
fn convert<T: Pixel, O: Pixel>(value: T) -> O {
    if T::TYPE == O::TYPE {
        bytemuck::cast(value)
    } else if T::TYPE.is_float() {
        O::from_f64(value.to_f64())
    } else {
        O::from_i128(value.to_i128())
    }
}
