//! The types a pixel can have, and which type holds two others without loss.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A pixel's number type, named as GDAL names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[allow(missing_docs)]
pub enum PixelType {
    Byte,
    Int8,
    UInt16,
    Int16,
    UInt32,
    Int32,
    UInt64,
    Int64,
    Float32,
    Float64,
}

impl PixelType {
    /// Every pixel type.
    pub const ALL: [PixelType; 10] = [
        Self::Byte,
        Self::Int8,
        Self::UInt16,
        Self::Int16,
        Self::UInt32,
        Self::Int32,
        Self::UInt64,
        Self::Int64,
        Self::Float32,
        Self::Float64,
    ];

    /// GDAL's name of the type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Byte => "Byte",
            Self::Int8 => "Int8",
            Self::UInt16 => "UInt16",
            Self::Int16 => "Int16",
            Self::UInt32 => "UInt32",
            Self::Int32 => "Int32",
            Self::UInt64 => "UInt64",
            Self::Int64 => "Int64",
            Self::Float32 => "Float32",
            Self::Float64 => "Float64",
        }
    }

    /// Bytes of one pixel of one band.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Byte | Self::Int8 => 1,
            Self::UInt16 | Self::Int16 => 2,
            Self::UInt32 | Self::Int32 | Self::Float32 => 4,
            Self::UInt64 | Self::Int64 | Self::Float64 => 8,
        }
    }

    /// Whether the type holds fractions.
    pub const fn is_float(self) -> bool {
        matches!(self, Self::Float32 | Self::Float64)
    }

    /// Whether the type holds numbers below zero.
    pub const fn is_signed(self) -> bool {
        !matches!(self, Self::Byte | Self::UInt16 | Self::UInt32 | Self::UInt64)
    }

    /// Bits of whole numbers that the type holds exactly, without the sign.
    const fn exact_bits(self) -> u32 {
        match self {
            Self::Byte => 8,
            Self::Int8 => 7,
            Self::UInt16 => 16,
            Self::Int16 => 15,
            Self::UInt32 => 32,
            Self::Int32 => 31,
            Self::UInt64 => 64,
            Self::Int64 => 63,
            Self::Float32 => 24,
            Self::Float64 => 53,
        }
    }

    /// The whole numbers that the type holds, of floats those up to where it leaves none out.
    pub const fn whole_numbers(self) -> RangeInclusive<i128> {
        let end = 1_i128 << self.exact_bits();
        if self.is_signed() { -end..=end - 1 } else { 0..=end - 1 }
    }

    /// Whether every value of `other` is a value of this type.
    pub const fn holds(self, other: PixelType) -> bool {
        if other.is_float() && !self.is_float() {
            return false;
        }
        let sign_fits = self.is_signed() || !other.is_signed();
        sign_fits && self.exact_bits() >= other.exact_bits()
    }

    /// The smallest type that holds every value of both, if there is one.
    pub fn promote(self, other: PixelType) -> Option<PixelType> {
        let fits = |t: &PixelType| t.holds(self) && t.holds(other);
        // Whole numbers stay whole: a float is chosen only where one of the two is one.
        let whole = Self::ALL.into_iter().filter(|t| !t.is_float()).find(fits);
        if self.is_float() || other.is_float() { Self::ALL.into_iter().find(fits) } else { whole }
    }

    /// The smallest type that holds the sum of `count` values of this type, saturating at 64 bits.
    pub fn sum_type(self, count: usize) -> PixelType {
        if self.is_float() {
            return Self::Float64;
        }
        let bits = self.exact_bits() + usize::BITS - count.saturating_sub(1).leading_zeros();
        match (self.is_signed(), bits) {
            (false, 0..=32) => Self::UInt32,
            (false, _) => Self::UInt64,
            (true, 0..=31) => Self::Int32,
            (true, _) => Self::Int64,
        }
    }
}

impl fmt::Display for PixelType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for PixelType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // numpy's and rasterio's spelling is accepted too.
        let wanted = if text.eq_ignore_ascii_case("uint8") { "Byte" } else { text };
        Self::ALL.into_iter().find(|t| t.name().eq_ignore_ascii_case(wanted)).ok_or_else(|| {
            format!("'{text}' is no pixel type; known are {}", Self::ALL.map(PixelType::name).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_loses_nothing_and_has_no_order() {
        for a in PixelType::ALL {
            for b in PixelType::ALL {
                assert_eq!(a.promote(b), b.promote(a));
                if let Some(t) = a.promote(b) {
                    assert!(t.holds(a) && t.holds(b), "{a} and {b} gave {t}");
                }
            }
        }
        assert_eq!(PixelType::Byte.promote(PixelType::Int8), Some(PixelType::Int16));
        assert_eq!(PixelType::UInt16.promote(PixelType::Int16), Some(PixelType::Int32));
        assert_eq!(PixelType::UInt16.promote(PixelType::Float32), Some(PixelType::Float32));
        assert_eq!(PixelType::Int32.promote(PixelType::Float32), Some(PixelType::Float64));
        assert_eq!(PixelType::UInt64.promote(PixelType::Int8), None);
        assert_eq!(PixelType::Int64.promote(PixelType::Float32), None);
    }

    #[test]
    fn whole_numbers_end_where_the_type_does() {
        assert_eq!(PixelType::Byte.whole_numbers(), 0..=255);
        assert_eq!(PixelType::Int16.whole_numbers(), -32768..=32767);
        assert_eq!(PixelType::UInt64.whole_numbers(), 0..=i128::from(u64::MAX));
    }

    #[test]
    fn sums_have_a_type_that_cannot_wrap() {
        assert_eq!(PixelType::Byte.sum_type(1 << 24), PixelType::UInt32);
        assert_eq!(PixelType::Byte.sum_type((1 << 24) + 1), PixelType::UInt64);
        assert_eq!(PixelType::Int16.sum_type(3), PixelType::Int32);
        assert_eq!(PixelType::UInt32.sum_type(2), PixelType::UInt64);
        assert_eq!(PixelType::Float32.sum_type(2), PixelType::Float64);
    }
}
