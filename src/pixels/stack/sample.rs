//! What the kernels need to know of a number type beyond what it is as a pixel.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use super::super::Pixel;
use super::outcome::{Exact, Outcome};

/// A pixel as it is stored in a stack.
pub(super) trait Stored: Pixel {
    /// What the kernels see instead: of few types, so that they are compiled for few.
    type Sample: Sample;

    /// The same number.
    fn to_sample(self) -> Self::Sample;
}

macro_rules! stored {
    ($($number:ty => $sample:ty),*) => {$(
        impl Stored for $number {
            type Sample = $sample;

            #[inline(always)]
            fn to_sample(self) -> $sample {
                self.into()
            }
        }
    )*};
}

stored!(
    u8 => u8, i8 => i16, u16 => u16, i16 => i16, u32 => f64, i32 => f64, u64 => i128, i64 => i128, f32 => f32,
    f64 => f64
);

/// A number that the kernels decide.
pub(super) trait Sample: Copy + Default + PartialOrd + Send {
    /// The number that holds every result exactly enough: Float64, but for 64-bit whole numbers.
    type Outcome: Outcome;
    /// What values are summed in: whole numbers without loss for up to two million scenes.
    type Total: Copy + AddAssign + Default + Send;
    /// What distances are computed in.
    type Real: Real;
    /// Whether these are whole numbers of up to 16 bits, whose squares Float64 sums without loss.
    const SMALL: bool;
    /// No value lies below.
    const LOWEST: Self;
    /// No value lies above.
    const HIGHEST: Self;

    fn to_outcome(self) -> Self::Outcome;
    fn to_total(self) -> Self::Total;
    fn to_real(self) -> Self::Real;
    fn to_f64(self) -> f64;
    fn sum(total: Self::Total) -> Self::Outcome;
    fn mean(total: Self::Total, count: u32) -> Self::Outcome;
    /// The number half-way from `low` to `high`; exactly that number if both are the same.
    fn halfway(low: Self, high: Self) -> Self::Outcome;
    /// The number at `part` (0 to 1) of the way from `low` to `high`.
    fn between(low: Self, high: Self, part: f64) -> Self::Outcome;
    /// How far the value lies above.
    fn above(self, other: Self::Outcome) -> f64;
}

macro_rules! plain_sample {
    ($($number:ty: $real:ty, $small:expr, $lowest:expr, $highest:expr);*) => {$(
        impl Sample for $number {
            type Outcome = f64;
            type Total = f64;
            type Real = $real;
            const SMALL: bool = $small;
            const LOWEST: Self = $lowest;
            const HIGHEST: Self = $highest;

            #[inline(always)]
            fn to_outcome(self) -> f64 {
                self as f64
            }

            #[inline(always)]
            fn to_total(self) -> f64 {
                self as f64
            }

            #[inline(always)]
            fn to_real(self) -> $real {
                self as $real
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }

            #[inline(always)]
            fn sum(total: f64) -> f64 {
                total
            }

            /// A half stays a half, and nothing else becomes one, for up to a million values of 32 bits: they lie
            /// further from it than the quotient is rounded.
            #[inline(always)]
            fn mean(total: f64, count: u32) -> f64 {
                total / f64::from(count)
            }

            /// Half of each: large floats do not overflow. The smallest of all have no half.
            #[inline(always)]
            fn halfway(low: $number, high: $number) -> f64 {
                let (low, high) = (low as f64, high as f64);
                if low == high { low } else { 0.5 * low + 0.5 * high }
            }

            /// As numpy computes it, from the nearer end; but what an infinity makes infinite is so, and no NaN.
            #[inline(always)]
            fn between(low: $number, high: $number, part: f64) -> f64 {
                let half = Self::halfway(low, high);
                let (low, high) = (low as f64, high as f64);
                let difference = high - low;
                let near_low = low + difference * part;
                let near_high = high - difference * (1.0 - part);
                let within = if part < 0.5 { near_low } else { near_high };
                let within = if difference.is_finite() { within } else { low * (1.0 - part) + high * part };
                let within = if part == 0.5 { half } else { within };
                // Else an infinity might become NaN.
                if part == 0.0 || low == high { low } else { within }
            }

            #[inline(always)]
            fn above(self, other: f64) -> f64 {
                self as f64 - other
            }
        }
    )*};
}

plain_sample!(
    u8: f32, true, u8::MIN, u8::MAX; u16: f32, true, u16::MIN, u16::MAX; i16: f32, true, i16::MIN, i16::MAX;
    f32: f64, false, f32::NEG_INFINITY, f32::INFINITY; f64: f64, false, f64::NEG_INFINITY, f64::INFINITY
);

/// Stands for whole numbers of 64 bits, with sign or without.
impl Sample for i128 {
    type Outcome = Exact;
    type Total = i128;
    type Real = f64;
    const SMALL: bool = false;
    const LOWEST: Self = i64::MIN as i128;
    const HIGHEST: Self = u64::MAX as i128;

    #[inline(always)]
    fn to_outcome(self) -> Exact {
        Exact { whole: self, fraction: 0.0 }
    }

    #[inline(always)]
    fn to_total(self) -> i128 {
        self
    }

    #[inline(always)]
    fn to_real(self) -> f64 {
        self as f64
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as f64
    }

    #[inline(always)]
    fn sum(total: i128) -> Exact {
        Exact { whole: total, fraction: 0.0 }
    }

    #[inline(always)]
    fn mean(total: i128, count: u32) -> Exact {
        // Lanes without data come here, too.
        let count = i128::from(count.max(1));
        let fraction = total.rem_euclid(count) as f64 / count as f64;
        Exact { whole: total.div_euclid(count), fraction }
    }

    #[inline(always)]
    fn halfway(low: i128, high: i128) -> Exact {
        Exact { whole: (low + high) >> 1, fraction: 0.5 * ((low + high) & 1) as f64 }
    }

    /// Exact at either end and half-way; else the distance from `low` has the accuracy of Float64.
    #[inline(always)]
    fn between(low: i128, high: i128, part: f64) -> Exact {
        if part == 0.5 {
            return Self::halfway(low, high);
        }
        let way = (high - low) as f64 * part;
        Exact { whole: low + way.floor() as i128, fraction: way - way.floor() }
    }

    #[inline(always)]
    fn above(self, other: Exact) -> f64 {
        (self - other.whole) as f64 - other.fraction
    }
}

/// A floating-point number that distances are computed in.
pub(super) trait Real:
    Pixel
    + Default
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
{
    const ONE: Self;
    const INFINITY: Self;
    /// Steps shorter than this part of the scenes' distances change nothing that counts.
    const SMALL: Self;

    fn square_root(self) -> Self;
    fn of(value: f64) -> Self;
}

macro_rules! real {
    ($($number:ty: $small:expr),*) => {$(
        impl Real for $number {
            const ONE: Self = 1.0;
            const INFINITY: Self = <$number>::INFINITY;
            const SMALL: Self = $small;

            #[inline(always)]
            fn square_root(self) -> Self {
                self.sqrt()
            }

            #[inline(always)]
            fn of(value: f64) -> Self {
                value as $number
            }
        }
    )*};
}

real!(f32: 1e-6, f64: 1e-9);
