//! Sums and means that neither wrap nor lose: 64 bits for types up to 32, 128 bits for 64-bit whole numbers.

use super::Pixel;

/// A running sum of pixels.
pub trait Sum: bytemuck::Pod + Send {
    /// The sum of both.
    fn plus(self, other: Self) -> Self;

    /// The sum as a pixel, clamped to what the type holds.
    fn to_pixel<T: Pixel>(self) -> T;

    /// The mean of `count` values as a pixel; whole types round half to even.
    fn mean<T: Pixel>(self, count: u32) -> T;

    /// The mean of `count` values as a pixel; whole types round half away from zero.
    fn mean_away<T: Pixel>(self, count: u32) -> T;
}

macro_rules! whole_sum {
    ($($number:ty),*) => {$(
        impl Sum for $number {
            fn plus(self, other: Self) -> Self {
                self + other
            }

            fn to_pixel<T: Pixel>(self) -> T {
                T::from_i128(self.into())
            }

            fn mean<T: Pixel>(self, count: u32) -> T {
                if T::TYPE.is_float() {
                    return T::from_f64(self as f64 / f64::from(count));
                }
                let count = <$number>::from(count);
                let (quotient, rest) = (self.div_euclid(count), self.rem_euclid(count));
                let up = 2 * rest > count || (2 * rest == count && quotient % 2 != 0);
                T::from_i128((quotient + <$number>::from(up)).into())
            }

            fn mean_away<T: Pixel>(self, count: u32) -> T {
                let count = <$number>::from(count);
                // Division cuts towards zero.
                let half = if self < 0 { -(count / 2) } else { count / 2 };
                T::from_i128(((self + half) / count).into())
            }
        }
    )*};
}

whole_sum!(i64, i128);

impl Sum for f64 {
    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn to_pixel<T: Pixel>(self) -> T {
        T::from_f64(self)
    }

    fn mean<T: Pixel>(self, count: u32) -> T {
        T::from_f64(self / f64::from(count))
    }

    fn mean_away<T: Pixel>(self, count: u32) -> T {
        T::from_f64(self / f64::from(count))
    }
}
