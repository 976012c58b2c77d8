//! The two precisions that formulas compute in.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use crate::pixels::Pixel;

/// Declares [`Real`] with functions that `f32` and `f64` have under the same name, and implements it for both.
macro_rules! real {
    ($($function:ident($($argument:ident),*);)*) => {
        /// A floating-point number that formulas compute with, `f32` or `f64`, with the standard library's functions.
        #[allow(missing_docs)]
        pub trait Real:
            Pixel
            + Add<Output = Self>
            + Sub<Output = Self>
            + Mul<Output = Self>
            + Div<Output = Self>
            + Rem<Output = Self>
            + Neg<Output = Self>
        {
            const ZERO: Self;
            const ONE: Self;
            const NAN: Self;
            const INFINITY: Self;
            /// From here on every number is whole.
            const WHOLE: Self;
            $(fn $function(self $(, $argument: Self)*) -> Self;)*
        }

        real!(impl f32, { $($function($($argument),*);)* });
        real!(impl f64, { $($function($($argument),*);)* });
    };
    (impl $number:ident, { $($function:ident($($argument:ident),*);)* }) => {
        impl Real for $number {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAN: Self = $number::NAN;
            const INFINITY: Self = $number::INFINITY;
            const WHOLE: Self = (1u64 << ($number::MANTISSA_DIGITS - 1)) as $number;
            $(
                #[inline(always)]
                fn $function(self $(, $argument: Self)*) -> Self {
                    $number::$function(self $(, $argument)*)
                }
            )*
        }
    };
}

real! {
    abs();
    sqrt();
    exp();
    ln();
    log10();
    log2();
    sin();
    cos();
    tan();
    asin();
    acos();
    atan();
    floor();
    ceil();
    round_ties_even();
    atan2(x);
    powf(exponent);
    rem_euclid(divisor);
    copysign(sign);
    next_up();
    next_down();
}
