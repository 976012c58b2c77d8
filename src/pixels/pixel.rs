//! What the rules need to know of a number type.

use super::PixelType;
use super::sum::Sum;

/// A number that a pixel can be.
pub trait Pixel: bytemuck::Pod + PartialOrd + Send + Sync + std::fmt::Debug {
    /// Its name among the pixel types.
    const TYPE: PixelType;

    /// What sums of this type are kept in.
    type Sum: Sum;

    /// The value as a sum of one.
    fn to_sum(self) -> Self::Sum;

    /// The value as a floating-point number; 64-bit whole numbers may lose their last bits.
    fn to_f64(self) -> f64;

    /// The value as a whole number: exact for whole types, cut towards zero for floats, NaN to zero.
    fn to_i128(self) -> i128;

    /// The nearest value of this type: rounded half to even, clamped, NaN to zero for whole types.
    fn from_f64(value: f64) -> Self;

    /// The value of this type that is left of a number without its fraction, clamped; floats keep theirs.
    fn cut(value: f64) -> Self;

    /// The nearest value of this type, clamped.
    fn from_i128(value: i128) -> Self;

    /// The next larger value, or for the largest of all the next smaller one.
    fn neighbour(self) -> Self;

    /// Whether the value is NaN.
    fn is_nan(self) -> bool {
        false
    }
}

macro_rules! whole_pixel {
    ($($number:ty => $name:ident in $sum:ty),*) => {$(
        impl Pixel for $number {
            const TYPE: PixelType = PixelType::$name;

            type Sum = $sum;

            fn to_sum(self) -> $sum {
                self.into()
            }

            fn to_f64(self) -> f64 {
                self as f64
            }

            fn to_i128(self) -> i128 {
                self.into()
            }

            fn from_f64(value: f64) -> Self {
                value.round_ties_even() as $number
            }

            fn cut(value: f64) -> Self {
                value as $number
            }

            fn from_i128(value: i128) -> Self {
                value.clamp(<$number>::MIN.into(), <$number>::MAX.into()) as $number
            }

            fn neighbour(self) -> Self {
                self.checked_add(1).unwrap_or(<$number>::MAX - 1)
            }
        }
    )*};
}

macro_rules! float_pixel {
    ($($number:ty => $name:ident in $sum:ty),*) => {$(
        impl Pixel for $number {
            const TYPE: PixelType = PixelType::$name;

            type Sum = $sum;

            fn to_sum(self) -> $sum {
                self.into()
            }

            fn to_f64(self) -> f64 {
                self.into()
            }

            fn to_i128(self) -> i128 {
                self as i128
            }

            fn from_f64(value: f64) -> Self {
                value as $number
            }

            fn cut(value: f64) -> Self {
                value as $number
            }

            fn from_i128(value: i128) -> Self {
                value as $number
            }

            fn neighbour(self) -> Self {
                if self < <$number>::MAX { self.next_up() } else { self.next_down() }
            }

            fn is_nan(self) -> bool {
                <$number>::is_nan(self)
            }
        }
    )*};
}

whole_pixel!(
    u8 => Byte in i64, i8 => Int8 in i64, u16 => UInt16 in i64, i16 => Int16 in i64,
    u32 => UInt32 in i64, i32 => Int32 in i64, u64 => UInt64 in i128, i64 => Int64 in i128
);
float_pixel!(f32 => Float32 in f64, f64 => Float64 in f64);
