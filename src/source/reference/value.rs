//! Pixels' values without loss, and what a pixel may hold.

use crate::pixels::{Number, PixelType};

/// A pixel's value, exactly.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    Whole(i128),
    Float(f64),
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
        }
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
            (Value::Float(value), _) => {
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

/// The pixels that are right: one, or those within the accuracy with which a rule is computed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    low: Value,
    high: Value,
}

impl Expected {
    /// Only this value, as a pixel of that type.
    pub fn exactly(value: Value, pixel_type: PixelType) -> Expected {
        let value = value.held_by(pixel_type);
        Expected { low: value, high: value }
    }

    /// What any number becomes that lies so far from this one at most.
    pub fn near(value: f64, error: f64, pixel_type: PixelType) -> Expected {
        let held = |value: f64| Value::Float(value).held_by(pixel_type);
        Expected { low: held(value - error), high: held(value + error) }
    }

    /// Any number between these two, which lie close together, as a pixel of that type.
    pub fn between(one: f64, other: f64, pixel_type: PixelType) -> Expected {
        /// Formulas may bend between the two.
        const BEND: f64 = 1e-3;
        let error = if one == other { 0.0 } else { BEND * one.abs().max(other.abs()) };
        let held = |value: f64| Value::Float(value).held_by(pixel_type);
        match one == other || one.is_nan() || other.is_nan() {
            true => Expected { low: held(one), high: held(other) },
            false => Expected { low: held(one.min(other) - error), high: held(one.max(other) + error) },
        }
    }

    /// From the least to the largest of whole numbers; `None` where there is none.
    pub fn any_of(numbers: &[i128], pixel_type: PixelType) -> Option<Expected> {
        let held = |value: &i128| Value::Whole(*value).held_by(pixel_type);
        Some(Expected { low: held(numbers.iter().min()?), high: held(numbers.iter().max()?) })
    }

    /// The least that is right.
    pub fn low(self) -> Value {
        self.low
    }

    /// The largest that is right.
    pub fn high(self) -> Value {
        self.high
    }

    /// The same as pixels of another type.
    pub fn held_by(self, pixel_type: PixelType) -> Expected {
        Expected { low: self.low.held_by(pixel_type), high: self.high.held_by(pixel_type) }
    }

    /// Whether a pixel is right.
    pub fn holds(self, found: Value) -> bool {
        found.same(self.low) || !(found.is_nan() || found.less(self.low) || self.high.less(found))
    }
}
