//! Pixels of overlapping sources, decided by looking at the list of their values.

use super::value::{Expected, Value, half_to_even};
use crate::pixels::{BandRule, Method, PixelType};

/// One pixel, decided by looking at all its values (for `first` and `last` the top one comes first).
pub(super) fn decide(rule: BandRule, values: Vec<Value>, pixel_type: PixelType) -> Option<Expected> {
    let method = match rule {
        BandRule::Method(method) => method,
        BandRule::Alpha(Method::First | Method::Last) => Method::First,
        BandRule::Alpha(_) => Method::Max,
    };
    if matches!(method, Method::First | Method::Last) {
        let top = *values.first()?;
        return (!top.is_nan() || pixel_type.is_float()).then(|| Expected::exactly(top.held_by(pixel_type)));
    }
    let values: Vec<Value> = values.into_iter().filter(|value| !value.is_nan()).collect();
    (!values.is_empty()).then(|| Expected::exactly(combined(method, &values, pixel_type).held_by(pixel_type)))
}

/// The least, the largest, the number, the sum or the mean of values, of which there is one at least and none is NaN. A
/// mean is rounded to a whole number for pixels of whole types.
pub(super) fn combined(method: Method, values: &[Value], pixel_type: PixelType) -> Value {
    let (first, count) = (values[0], values.len() as i128);
    let whole_sum = values.iter().map(|value| value.whole()).sum::<Option<i128>>();
    let float_sum = values.iter().map(|value| value.to_f64()).sum::<f64>();
    match method {
        Method::Min => values.iter().copied().fold(first, |a, b| if b.less(a) { b } else { a }),
        Method::Max => values.iter().copied().fold(first, |a, b| if a.less(b) { b } else { a }),
        Method::Count => Value::Whole(count),
        Method::Sum => whole_sum.map_or(Value::Float(float_sum), Value::Whole),
        _ => match whole_sum {
            Some(sum) if !pixel_type.is_float() => Value::Whole(half_to_even(sum, count)),
            Some(sum) => Value::Float(sum as f64 / count as f64),
            None => Value::Float(float_sum / count as f64),
        },
    }
}
