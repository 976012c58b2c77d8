//! A value that a user or a file names for pixels of any type: nodata, background.

use std::fmt;
use std::str::FromStr;

use super::{Pixel, PixelType};

/// A number kept exactly: 64-bit whole numbers do not pass through floating point.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub enum Number {
    /// A whole number.
    Whole(i128),
    /// Anything else, NaN and the infinities included.
    Float(f64),
}

impl Number {
    /// The number as a pixel, when that type holds it exactly (for Float32: to the nearest float).
    pub fn to_pixel<T: Pixel>(self) -> Option<T> {
        match self {
            Number::Whole(value) => {
                let pixel = T::from_i128(value);
                (T::TYPE.is_float() || pixel.to_i128() == value).then_some(pixel)
            }
            Number::Float(value) if T::TYPE.is_float() => {
                let pixel = T::from_f64(value);
                let overflowed = value.is_finite() && !pixel.to_f64().is_finite();
                (!overflowed).then_some(pixel)
            }
            Number::Float(value) => {
                let whole = value.fract() == 0.0 && value.abs() < 1e30;
                whole.then(|| Number::Whole(value as i128).to_pixel()).flatten()
            }
        }
    }

    /// Whether pixels of `pixel_type` can have this value.
    pub fn fits(self, pixel_type: PixelType) -> bool {
        crate::dispatch_pixel_type!(pixel_type, T => self.to_pixel::<T>().is_some())
    }

    /// The value that a Float32 pixel has instead.
    pub fn as_float32(self) -> Number {
        Number::Float(f64::from(self.to_f64() as f32))
    }

    /// The value as a floating-point number.
    pub fn to_f64(self) -> f64 {
        match self {
            Number::Whole(value) => value as f64,
            Number::Float(value) => value,
        }
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        let whole = value.fract() == 0.0 && value.abs() < 9e15;
        if whole { Number::Whole(value as i128) } else { Number::Float(value) }
    }
}

impl PartialEq for Number {
    /// NaN equals NaN here: the same nodata is meant.
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Number::Whole(a), Number::Whole(b)) => a == b,
            (a, b) => a.to_f64() == b.to_f64() || (a.to_f64().is_nan() && b.to_f64().is_nan()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Whole(value) => write!(out, "{value}"),
            Number::Float(value) if value.is_nan() => out.write_str("nan"),
            Number::Float(value) => write!(out, "{value:?}"),
        }
    }
}

impl FromStr for Number {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(value) = text.parse::<i128>() {
            return Ok(Number::Whole(value));
        }
        text.parse::<f64>().map(Number::from).map_err(|_| format!("'{text}' is no number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_only_types_that_hold_them() {
        let number = |text: &str| text.parse::<Number>().unwrap();
        assert!(!number("nan").fits(PixelType::Byte) && number("nan").fits(PixelType::Float32));
        assert!(!number("-1").fits(PixelType::UInt16) && !number("9999").fits(PixelType::Byte));
        assert!(number("255.0").fits(PixelType::Byte) && !number("254.5").fits(PixelType::Byte));
        assert!(number("-3.4028227e38").fits(PixelType::Float64));
        let last = number("18446744073709551615");
        assert_eq!(last.to_pixel::<u64>(), Some(u64::MAX));
        assert!(!last.fits(PixelType::Int64));
        assert_eq!(number("nan"), Number::Float(f64::NAN));
    }
}
