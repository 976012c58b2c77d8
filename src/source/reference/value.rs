//! Pixels' values without loss, and what a pixel may hold.

use std::fmt;

use crate::pixels::{Bounds, Number, PixelType, Real};

/// A pixel's value, exactly.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    Whole(i128),
    Float(f64),
    /// A whole number and what lies above it, from 0 to 1: of 64-bit numbers what no float tells.
    Above(i128, f64),
}

impl Value {
    /// A number as a pixel of this type.
    pub fn of(number: Number, pixel_type: PixelType) -> Value {
        match number {
            Number::Whole(value) => Value::Whole(value).held_by(pixel_type),
            Number::Float(value) => Value::Float(value).held_by(pixel_type),
        }
    }

    pub fn to_f64(self) -> f64 {
        match self {
            Value::Whole(value) => value as f64,
            Value::Float(value) => value,
            Value::Above(whole, part) => whole as f64 + part,
        }
    }

    /// How far it lies from another one; 0 where both are the same infinity.
    pub fn distance(self, other: Value) -> f64 {
        let distance = match (self, other) {
            (Value::Whole(a), Value::Whole(b)) => (a - b) as f64,
            (Value::Whole(a), Value::Above(b, part)) => (a - b) as f64 - part,
            (a, b) => a.to_f64() - b.to_f64(),
        };
        if distance.is_nan() { 0.0 } else { distance.abs() }
    }

    /// The value of a whole type's pixel.
    pub fn whole(self) -> Option<i128> {
        if let Value::Whole(value) = self { Some(value) } else { None }
    }

    pub fn is_nan(self) -> bool {
        self.to_f64().is_nan()
    }

    pub fn same(self, other: Value) -> bool {
        match (self, other) {
            (Value::Whole(a), Value::Whole(b)) => a == b,
            (a, b) => a.to_f64() == b.to_f64() || (a.is_nan() && b.is_nan()),
        }
    }

    pub fn less(self, other: Value) -> bool {
        match (self, other) {
            (Value::Whole(a), Value::Whole(b)) => a < b,
            (a, b) => a.to_f64() < b.to_f64(),
        }
    }

    /// As a pixel of this type: rounded half to even, clamped.
    pub fn held_by(self, pixel_type: PixelType) -> Value {
        let Some((low, high)) = range(pixel_type) else {
            return match pixel_type {
                PixelType::Float32 => Value::Float(f64::from(self.to_f64() as f32)),
                _ => Value::Float(self.to_f64()),
            };
        };
        match self {
            Value::Whole(value) => Value::Whole(value.clamp(low, high)),
            Value::Float(value) => Value::Whole((value.round_ties_even() as i128).clamp(low, high)),
            Value::Above(whole, part) => {
                let up = if part == 0.5 { whole.rem_euclid(2) } else { part.round() as i128 };
                Value::Whole((whole + up).clamp(low, high))
            }
        }
    }

    /// The next larger pixel of this type; the next smaller one of the largest.
    pub fn neighbour(self, pixel_type: PixelType) -> Value {
        match (self, range(pixel_type)) {
            (Value::Whole(value), Some((_, high))) if value < high => Value::Whole(value + 1),
            (Value::Whole(value), _) => Value::Whole(value - 1),
            (Value::Float(value), _) if pixel_type == PixelType::Float32 => {
                let value = value as f32;
                Value::Float(if value < f32::MAX { value.next_up() } else { value.next_down() }.into())
            }
            (value, _) => {
                let value = value.to_f64();
                Value::Float(if value < f64::MAX { value.next_up() } else { value.next_down() })
            }
        }
    }
}

/// The least and the largest pixel of a whole type.
fn range(pixel_type: PixelType) -> Option<(i128, i128)> {
    match pixel_type {
        PixelType::Byte => Some((0, 255)),
        PixelType::Int8 => Some((-128, 127)),
        PixelType::UInt16 => Some((0, 65_535)),
        PixelType::Int16 => Some((-32_768, 32_767)),
        PixelType::UInt32 => Some((0, u32::MAX.into())),
        PixelType::Int32 => Some((i32::MIN.into(), i32::MAX.into())),
        PixelType::UInt64 => Some((0, u64::MAX.into())),
        PixelType::Int64 => Some((i64::MIN.into(), i64::MAX.into())),
        PixelType::Float32 | PixelType::Float64 => None,
    }
}

/// The whole number nearest to a quotient.
pub(super) fn half_to_even(sum: i128, count: i128) -> i128 {
    let below = sum.div_euclid(count);
    match (2 * sum.rem_euclid(count)).cmp(&count) {
        std::cmp::Ordering::Less => below,
        std::cmp::Ordering::Greater => below + 1,
        std::cmp::Ordering::Equal => below + below.rem_euclid(2),
    }
}

/// What is right: one value, or any within the accuracy with which a rule is computed; perhaps no data, too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    low: Value,
    high: Value,
    or_nothing: bool,
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Whole(value) => write!(out, "{value}"),
            Value::Float(value) => write!(out, "{value}"),
            Value::Above(value, part) => write!(out, "{value} and {part}"),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.low.same(self.high) {
            true => write!(out, "{}", self.low)?,
            false => write!(out, "a number from {} to {}", self.low, self.high)?,
        }
        if self.or_nothing { write!(out, ", or no data") } else { Ok(()) }
    }
}

impl Expected {
    /// Only this value.
    pub fn exactly(value: Value) -> Expected {
        Expected { low: value, high: value, or_nothing: false }
    }

    /// Any number that lies so far from this one at most; anything where that is beyond Float64.
    pub fn near(value: f64, error: f64) -> Expected {
        let (low, high) = (Value::Float(value - error), Value::Float(value + error));
        match low.is_nan() || high.is_nan() {
            true => Expected::anything(),
            false => Expected { low, high, or_nothing: false },
        }
    }

    /// Any number from `low` on; none of its own is less.
    pub fn at_least(self, low: f64) -> Expected {
        Expected { low: Value::Float(self.low.to_f64().max(low)), ..self }
    }

    /// Any number, or none.
    pub fn anything() -> Expected {
        Expected { or_nothing: true, ..Expected::near(0.0, f64::INFINITY) }
    }

    /// What a formula gives; `None` where that is no data.
    pub fn within<F: Real>(bounds: Bounds<F>) -> Option<Expected> {
        let value = |number: F| Value::Float(number.to_f64());
        let Bounds { between, or_nothing } = bounds;
        between.map(|(low, high)| Expected { low: value(low), high: value(high), or_nothing })
    }

    /// From the least to the largest of whole numbers; `None` where there is none.
    pub fn any_of(numbers: &[i128]) -> Option<Expected> {
        let (low, high) = (Value::Whole(*numbers.iter().min()?), Value::Whole(*numbers.iter().max()?));
        Some(Expected { low, high, or_nothing: false })
    }

    /// The same, or no data if `nothing`.
    pub fn or_nothing_if(self, nothing: bool) -> Expected {
        Expected { or_nothing: self.or_nothing || nothing, ..self }
    }

    /// Whether there may be no data.
    pub fn is_unsure(self) -> bool {
        self.or_nothing
    }

    /// What formulas are told of a band.
    pub fn bounds<F: Real>(self) -> Bounds<F> {
        let number = |value: Value| F::from_f64(value.to_f64());
        Bounds { or_nothing: self.or_nothing, ..Bounds::between(number(self.low), number(self.high)) }
    }

    /// The least that is right.
    pub fn low(self) -> Value {
        self.low
    }

    /// How far a value lies from what is right, at least and at most.
    pub fn distance(self, value: Value) -> (f64, f64) {
        let (one, other) = (value.distance(self.low), value.distance(self.high));
        let is_within = !value.less(self.low) && !self.high.less(value);
        (if is_within { 0.0 } else { one.min(other) }, one.max(other))
    }

    /// The same as pixels of another type.
    pub fn held_by(self, pixel_type: PixelType) -> Expected {
        Expected { low: self.low.held_by(pixel_type), high: self.high.held_by(pixel_type), ..self }
    }

    /// Whether a pixel is right.
    pub fn holds(self, found: Value) -> bool {
        found.same(self.low) || !(found.is_nan() || found.less(self.low) || self.high.less(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_right_is_put_into_plain_words() {
        assert_eq!(Expected::exactly(Value::Whole(7)).to_string(), "7");
        assert_eq!(Expected::near(1.0, 0.25).to_string(), "a number from 0.75 to 1.25");
        let unsure = Expected { or_nothing: true, ..Expected::exactly(Value::Float(0.5)) };
        assert_eq!(unsure.to_string(), "0.5, or no data");
    }

    #[test]
    fn what_lies_above_a_whole_number_is_rounded_half_to_even_and_clamped() {
        for (whole, part, expected) in [(2, 0.5, 2), (3, 0.5, 4), (-3, 0.5, -2), (2, 0.75, 3), (-3, 0.25, -3)]
        {
            let found = Value::Above(whole, part).held_by(PixelType::Int64);
            assert!(found.same(Value::Whole(expected)), "{whole} and {part}: {found:?}");
        }
        let largest = i128::from(i64::MAX);
        assert!(Value::Above(largest, 0.75).held_by(PixelType::Int64).same(Value::Whole(largest)));
        assert!(Value::Above(7, 0.25).held_by(PixelType::Float32).same(Value::Float(7.25)));
    }

    #[test]
    fn a_distance_from_what_is_uncertain_is_zero_inside_and_bounded_outside() {
        let median = Expected::near(5.0, 0.5);
        assert_eq!(median.distance(Value::Whole(5)), (0.0, 0.5));
        assert_eq!(median.distance(Value::Whole(8)), (2.5, 3.5));
        assert!(Expected::near(f64::INFINITY, f64::INFINITY).is_unsure());
        let infinite = Value::Float(f64::INFINITY);
        assert_eq!(Expected::exactly(infinite).distance(infinite), (0.0, 0.0));
    }
}
