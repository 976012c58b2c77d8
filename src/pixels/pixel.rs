//! What the rules need to know of a number type.

use super::PixelType;

/// A number that a pixel can be.
pub trait Pixel: bytemuck::Pod + PartialOrd + Send + Sync + std::fmt::Debug {
    /// Its name among the pixel types.
    const TYPE: PixelType;

    /// The value as a floating-point number; 64-bit whole numbers may lose their last bits.
    fn to_f64(self) -> f64;

    /// The value as a whole number: exact for whole types, cut towards zero for floats, NaN to zero.
    fn to_i128(self) -> i128;

    /// The nearest value of this type: rounded half to even, clamped, NaN to zero for whole types.
    fn from_f64(value: f64) -> Self;

    /// The nearest value of this type, clamped.
    fn from_i128(value: i128) -> Self;

    /// Whether the value is NaN.
    fn is_nan(self) -> bool {
        false
    }
}

macro_rules! whole_pixel {
    ($($number:ty => $name:ident),*) => {$(
        impl Pixel for $number {
            const TYPE: PixelType = PixelType::$name;

            fn to_f64(self) -> f64 {
                self as f64
            }

            fn to_i128(self) -> i128 {
                self.into()
            }

            fn from_f64(value: f64) -> Self {
                value.round_ties_even() as $number
            }

            fn from_i128(value: i128) -> Self {
                value.clamp(<$number>::MIN.into(), <$number>::MAX.into()) as $number
            }
        }
    )*};
}

macro_rules! float_pixel {
    ($($number:ty => $name:ident),*) => {$(
        impl Pixel for $number {
            const TYPE: PixelType = PixelType::$name;

            fn to_f64(self) -> f64 {
                self.into()
            }

            fn to_i128(self) -> i128 {
                self as i128
            }

            fn from_f64(value: f64) -> Self {
                value as $number
            }

            fn from_i128(value: i128) -> Self {
                value as $number
            }

            fn is_nan(self) -> bool {
                <$number>::is_nan(self)
            }
        }
    )*};
}

whole_pixel!(u8 => Byte, i8 => Int8, u16 => UInt16, i16 => Int16, u32 => UInt32, i32 => Int32, u64 => UInt64, i64 => Int64);
float_pixel!(f32 => Float32, f64 => Float64);
