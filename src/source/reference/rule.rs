//! What each rule makes of the values that the scenes of a pixel show.

use super::decide::combined;
use super::value::{Expected, Value};
use crate::pixels::{Method, PixelType, Rule};

/// What a rule that decides band by band makes of a band's values, in the order of the scenes, not rounded to any type
/// of pixels; nothing where that is no number. There is one value at least, and none is NaN.
pub(super) fn of_band(rule: Rule, values: &[Value], working_type: PixelType) -> Option<Expected> {
    let is_wide = matches!(working_type, PixelType::UInt64 | PixelType::Int64);
    let combined = |method| combined(method, values, PixelType::Float64);
    let result = match rule {
        Rule::FirstOfBand => values[0],
        Rule::Min => combined(Method::Min),
        Rule::Max => combined(Method::Max),
        Rule::Count => combined(Method::Count),
        Rule::Sum => combined(Method::Sum),
        Rule::Mean if is_wide => wide_mean(values),
        Rule::Mean => combined(Method::Mean),
        Rule::Mode => mode(values),
        Rule::StandardDeviation => return deviation(values),
        Rule::Percentile(percent) => percentile(percent, values, is_wide),
        _ => percentile(50.0, values, is_wide),
    };
    (!result.is_nan()).then(|| Expected::exactly(result))
}

/// Which of the scenes a rule chooses that chooses one, of scenes with their values in all bands; there is one at least.
/// `scores` are empty for a rule that needs none.
pub(super) fn chosen(rule: Rule, scenes: &[Vec<Value>], scores: &[f32], working_type: PixelType) -> usize {
    match rule {
        Rule::Medoid => first_least(&distances(scenes, working_type.bytes() <= 2)),
        Rule::Highest => first_least(&scores.iter().map(|&score| -f64::from(score)).collect::<Vec<_>>()),
        Rule::Lowest => first_least(&scores.iter().map(|&score| f64::from(score)).collect::<Vec<_>>()),
        _ => 0,
    }
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

/// The mean of whole numbers of 64 bits.
fn wide_mean(values: &[Value]) -> Value {
    let (sum, count) = (values.iter().filter_map(|value| value.whole()).sum::<i128>(), values.len() as i128);
    Value::Above(sum.div_euclid(count), sum.rem_euclid(count) as f64 / count as f64)
}

/// The population's standard deviation, which is finite where all values are.
fn deviation(values: &[Value]) -> Option<Expected> {
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
    (!deviation.is_nan()).then(|| Expected::near(deviation, error).at_least(0.0))
}

/// Hyndman and Fan's definition 7: of n sorted values what lies at P/100·(n − 1), counted from 0; between two values, at
/// the part t of the way from a to b, it is a/2 + b/2 for t = ½, else from the nearer end a + (b − a)·t or
/// b − (b − a)·(1 − t), and where b − a is infinite a·(1 − t) + b·t. All in Float64, each operation rounded; where the
/// values are of 64 bits only (b − a)·t is, and added to a without loss.
fn percentile(percent: f64, values: &[Value], is_wide: bool) -> Value {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.less(*a).cmp(&a.less(*b)));
    let place = percent / 100.0 * (sorted.len() - 1) as f64;
    let (low, part) = (sorted[place as usize], place.fract());
    let high = sorted[(place as usize + 1).min(sorted.len() - 1)];
    if part == 0.0 || low.same(high) {
        return low;
    }
    if let (true, Some(low), Some(high)) = (is_wide, low.whole(), high.whole()) {
        return match part == 0.5 {
            true => Value::Above((low + high).div_euclid(2), (low + high).rem_euclid(2) as f64 / 2.0),
            false => {
                let way = (high - low) as f64 * part;
                Value::Above(low + way.floor() as i128, way.fract())
            }
        };
    }
    let (low, high) = (low.to_f64(), high.to_f64());
    let all = high - low;
    Value::Float(match part {
        0.5 => low / 2.0 + high / 2.0,
        _ if all.is_infinite() => low * (1.0 - part) + high * part,
        _ if part < 0.5 => low + all * part,
        _ => high - all * (1.0 - part),
    })
}
