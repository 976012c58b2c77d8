//! From a mean to a pixel.

use crate::pixels::{Pixel, PixelType};

/// A mean as a pixel: the nearest float, or rounded half away from zero. Small signed numbers come by way of a 32-bit
/// float, as in GDAL.
#[inline(always)]
pub(super) fn rounded_away<T: Pixel>(value: f64) -> T {
    let away = |value: f64| value + 0.5_f64.copysign(value);
    match T::TYPE {
        PixelType::Byte => bytemuck::cast(whole_part(value.abs() + 0.5) as u8),
        PixelType::Int8 => bytemuck::cast(whole_part(away(f64::from(value as f32))) as u8),
        PixelType::UInt16 => bytemuck::cast(whole_part(value.abs() + 0.5) as u16),
        PixelType::Int16 => bytemuck::cast(whole_part(away(f64::from(value as f32))) as u16),
        PixelType::UInt32 | PixelType::Int32 => bytemuck::cast(whole_part(away(value)) as u32),
        PixelType::UInt64 | PixelType::Int64 => T::cut(away(value)),
        PixelType::Float32 | PixelType::Float64 => T::cut(value),
    }
}

/// A number of at most 33 bits without its fraction, in two's complement. Casts are made one by one; this is
/// arithmetic, of which many are done at once.
#[inline(always)]
fn whole_part(value: f64) -> u64 {
    // From here to twice this, floats are whole numbers, whose last bits are a number's that was added.
    const WHOLE: f64 = (3_u64 << 51) as f64;
    let magnitude = value.abs();
    let nearest = magnitude + WHOLE;
    let cut = nearest.to_bits().wrapping_sub(u64::from(nearest - WHOLE > magnitude));
    if value < 0.0 { cut.wrapping_neg() } else { cut }
}
