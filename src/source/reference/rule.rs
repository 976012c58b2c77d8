//! What each rule makes of the values that the scenes of a pixel show.

use super::decide::combined;
use super::geometric;
use super::value::{Expected, Value, half_to_even};
use crate::pixels::{Method, PixelType, Rule};

/// What a rule that decides band by band makes of a band's values, in the order of the scenes; nothing where that is
/// no number. There is one at least, and none is NaN.
pub(super) fn of_band(
    rule: Rule,
    values: &[Value],
    working_type: PixelType,
    pixel_type: PixelType,
) -> Option<Expected> {
    let method = match rule {
        Rule::FirstOfBand => return Some(Expected::exactly(values[0], pixel_type)),
        Rule::Min => Method::Min,
        Rule::Max => Method::Max,
        Rule::Count => Method::Count,
        Rule::Sum => Method::Sum,
        Rule::Mean => Method::Mean,
        Rule::Mode => return Some(Expected::exactly(mode(values), pixel_type)),
        Rule::StandardDeviation => return deviation(values, pixel_type),
        Rule::Percentile(percent) => return percentile(percent, values, pixel_type),
        _ => return percentile(50.0, values, pixel_type),
    };
    let combined = combined(method, values, pixel_type);
    let is_wide = matches!(working_type, PixelType::UInt64 | PixelType::Int64);
    let expected = match combined {
        // A quotient of numbers that no float holds.
        Value::Float(mean) if is_wide => Expected::near(mean, mean.abs() * 1e-15, pixel_type),
        _ => Expected::exactly(combined, pixel_type),
    };
    (!combined.is_nan()).then_some(expected)
}

/// What a rule that decides all bands together makes of the scenes, each with its values in all bands; there is one at
/// least. `scores` are empty for a rule that needs none.
pub(super) fn of_all_bands(
    rule: Rule,
    scenes: &[Vec<Value>],
    scores: &[f32],
    (working_type, pixel_type): (PixelType, PixelType),
) -> Option<Vec<Expected>> {
    let chosen = match rule {
        Rule::GeometricMedian => return geometric::median(scenes, working_type, pixel_type),
        Rule::Medoid => first_least(&distances(scenes, working_type.bytes() <= 2)),
        Rule::Highest => first_least(&scores.iter().map(|&score| -f64::from(score)).collect::<Vec<_>>()),
        Rule::Lowest => first_least(&scores.iter().map(|&score| f64::from(score)).collect::<Vec<_>>()),
        _ => 0,
    };
    Some(scenes[chosen].iter().map(|&value| Expected::exactly(value, pixel_type)).collect())
}

fn first_least(numbers: &[f64]) -> usize {
    (0..numbers.len()).fold(0, |least, index| if numbers[index] < numbers[least] { index } else { least })
}

/// Of each scene the sum of its distances to the others, in their order; in `f32` where `single`, each operation
/// rounded. What is no number is infinite.
fn distances(scenes: &[Vec<Value>], single: bool) -> Vec<f64> {
    // From `f64` an operation's result is rounded to the same `f32` as if it were computed there.
    let round = |value: f64| if single { f64::from(value as f32) } else { value };
    let distance = |one: &[Value], other: &[Value]| {
        let squares = one.iter().zip(other).fold(0.0, |sum, (a, b)| {
            let difference = round(a.to_f64() - b.to_f64());
            round(sum + round(difference * difference))
        });
        round(f64::sqrt(squares))
    };
    let sum = |one: &Vec<Value>| scenes.iter().fold(0.0, |sum, other| round(sum + distance(one, other)));
    scenes.iter().map(sum).map(|sum| if sum.is_nan() { f64::INFINITY } else { sum }).collect()
}

/// The most frequent value, of several the smallest.
fn mode(values: &[Value]) -> Value {
    let frequency = |value: Value| values.iter().filter(|other| other.same(value)).count();
    let better = |best: Value, value: Value| {
        let (old, new) = (frequency(best), frequency(value));
        if new > old || new == old && value.less(best) { value } else { best }
    };
    values.iter().copied().fold(values[0], better)
}

/// The population's standard deviation, which is finite where all values are.
fn deviation(values: &[Value], pixel_type: PixelType) -> Option<Expected> {
    let first = values[0];
    let largest = values.iter().map(|value| value.to_f64().abs()).fold(0.0, f64::max);
    // Else squares or differences might be infinite.
    let scale = if largest > 1e150 { 2f64.powi(-600) } else { 1.0 };
    let from_first = |value: &Value| match (value.whole(), first.whole()) {
        (Some(value), Some(first)) => (value - first) as f64,
        _ => value.to_f64() * scale - first.to_f64() * scale,
    };
    let count = values.len() as f64;
    let mean = values.iter().map(from_first).sum::<f64>() / count;
    let variance = values.iter().map(|v| (from_first(v) - mean).powi(2)).sum::<f64>() / count;
    let deviation = variance.sqrt() / scale;
    let error = 1e-12 * deviation + 1e-14 * largest;
    (!deviation.is_nan()).then(|| Expected::near(deviation, error, pixel_type))
}

/// Hyndman and Fan's definition 7.
fn percentile(percent: f64, values: &[Value], pixel_type: PixelType) -> Option<Expected> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.less(*a).cmp(&a.less(*b)));
    let place = percent / 100.0 * (sorted.len() - 1) as f64;
    let (low, part) = (sorted[place as usize], place.fract());
    let high = sorted[(place as usize + 1).min(sorted.len() - 1)];
    if part == 0.0 || low.same(high) {
        return Some(Expected::exactly(low, pixel_type));
    }
    let (a, b) = (low.to_f64(), high.to_f64());
    let size = a.abs() + b.abs();
    let between = match (low.whole(), high.whole()) {
        (Some(low), Some(high)) if part == 0.5 && !pixel_type.is_float() => {
            return Some(Expected::exactly(Value::Whole(half_to_even(low + high, 2)), pixel_type));
        }
        _ => a * (1.0 - part) + b * part,
    };
    if between.is_infinite() {
        return Some(Expected::exactly(Value::Float(between), pixel_type));
    }
    let error = if part == 0.5 { 1e-15 * size } else { 1e-13 * size };
    (!between.is_nan()).then(|| Expected::near(between, error, pixel_type))
}
