//! What each rule means, pixel by pixel, from lists of values, as plainly as possible.

use super::*;

/// A scene's number and its value.
pub type Seen<T> = (usize, T);

/// A result before it is rounded.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// A whole number divided by another.
    Ratio(i128, i128),
    /// A number, and how far the real one may lie from it.
    Real(f64, f64),
}

impl Answer {
    pub fn to_f64(self) -> f64 {
        match self {
            Answer::Ratio(over, under) => over as f64 / under as f64,
            Answer::Real(value, _) => value,
        }
    }

    /// Whether the pixel of that index is this number.
    pub fn is_at(self, pixels: &Buffer, index: usize) -> bool {
        dispatch_pixel_type!(pixels.pixel_type(), O => self.is(pixels.pixels::<O>()[index]))
    }

    fn is<O: Pixel>(self, pixel: O) -> bool {
        match self {
            Answer::Ratio(over, under) if !O::TYPE.is_float() => {
                let (below, rest) = (over.div_euclid(under), 2 * over.rem_euclid(under));
                let up = rest > under || rest == under && below % 2 != 0;
                pixel == O::from_i128(below + i128::from(up))
            }
            Answer::Ratio(..) => Answer::Real(self.to_f64(), 0.0).is(pixel),
            Answer::Real(value, error) => {
                let digits = if O::TYPE == PixelType::Float32 { 1e-7 } else { 1e-15 };
                let error = error + if O::TYPE.is_float() { value.abs() * digits } else { 1e-9 };
                O::from_f64(value - error) <= pixel && pixel <= O::from_f64(value + error)
            }
        }
    }
}

fn exactly<T: Pixel>(value: T) -> Answer {
    if T::TYPE.is_float() { Answer::Real(value.to_f64(), 0.0) } else { Answer::Ratio(value.to_i128(), 1) }
}

/// The result of a rule that decides each band by itself, of the values in the order of the scenes, of which there
/// is one at least.
pub fn of_band<T: Pixel>(rule: Rule, seen: &[Seen<T>]) -> Answer {
    let values: Vec<T> = seen.iter().map(|seen| seen.1).collect();
    let count = values.len();
    let mut sorted = values.clone();
    sorted.sort_by(|a, b| a.partial_cmp(b).expect("none is NaN"));
    let sum = |under: usize| match T::TYPE.is_float() {
        true => Answer::Real(values.iter().map(|v| v.to_f64()).sum::<f64>() / under as f64, 0.0),
        false => Answer::Ratio(values.iter().map(|v| v.to_i128()).sum(), under as i128),
    };
    match rule {
        Rule::FirstOfBand => exactly(values[0]),
        Rule::Min => exactly(sorted[0]),
        Rule::Max => exactly(sorted[count - 1]),
        Rule::Mean => sum(count),
        Rule::Sum => sum(1),
        Rule::Count => Answer::Ratio(count as i128, 1),
        Rule::Median => match (exactly(sorted[(count - 1) / 2]), exactly(sorted[count / 2])) {
            (Answer::Ratio(a, _), Answer::Ratio(b, _)) => Answer::Ratio(a + b, 2),
            (a, b) => Answer::Real((a.to_f64() + b.to_f64()) / 2.0, 0.0),
        },
        Rule::Percentile(percent) => {
            let place = percent / 100.0 * (count - 1) as f64;
            let (low, part) = (sorted[place as usize].to_f64(), place.fract());
            let high = sorted[(place as usize + 1).min(count - 1)].to_f64();
            Answer::Real(low * (1.0 - part) + high * part, 1e-13 * (low.abs() + high.abs()))
        }
        Rule::StandardDeviation => {
            let first = values[0].to_i128();
            let distance = |v: &T| match T::TYPE.is_float() {
                true => v.to_f64(),
                false => (v.to_i128() - first) as f64,
            };
            let mean = values.iter().map(distance).sum::<f64>() / count as f64;
            let variance = values.iter().map(|v| (distance(v) - mean).powi(2)).sum::<f64>() / count as f64;
            Answer::Real(variance.sqrt(), 1e-9 * (1.0 + variance.sqrt()))
        }
        Rule::Mode => {
            let frequency = |v: T| values.iter().filter(|other| **other == v).count();
            let most = values.iter().map(|v| frequency(*v)).max().expect("there are values");
            exactly(sorted.into_iter().find(|v| frequency(*v) == most).expect("one has the most"))
        }
        _ => unreachable!("{rule:?} decides all bands together"),
    }
}

/// A scene's number and its values in all bands.
pub type SeenWhole = (usize, Vec<f64>);

/// The Euclidean distances from a point to all scenes.
pub fn distance_to_all(point: &[f64], scenes: &[SeenWhole]) -> f64 {
    let square = |values: &[f64]| point.iter().zip(values).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    scenes.iter().map(|(_, values)| square(values).sqrt()).sum()
}

/// The least sum of distances that any point has: by a search that halves its steps, along each axis and back.
pub fn least_distance_to_all(scenes: &[SeenWhole]) -> f64 {
    let bands = scenes[0].1.len();
    let mut point: Vec<f64> =
        (0..bands).map(|b| scenes.iter().map(|s| s.1[b]).sum::<f64>() / scenes.len() as f64).collect();
    let mut best = distance_to_all(&point, scenes);
    let mut step = best / scenes.len() as f64;
    for _ in 0..40 {
        for direction in (0..2 * bands).cycle().take(8 * bands) {
            let mut moved = point.clone();
            moved[direction / 2] += if direction % 2 == 0 { step } else { -step };
            let sum = distance_to_all(&moved, scenes);
            if sum < best {
                (best, point) = (sum, moved);
            }
        }
        step /= 2.0;
    }
    scenes.iter().map(|scene| distance_to_all(&scene.1, scenes)).fold(best, f64::min)
}
