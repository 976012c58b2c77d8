//! The geometric median, found again in Float64, one pixel at a time, by slow and sure steps.

use super::value::{Expected, Value};
use crate::pixels::PixelType;

/// So many steps are made at most; where they do not suffice, more is right.
const MOST_STEPS: usize = 10_000;

/// The point, in all bands, whose distances to the scenes sum up to the least; nothing where their sums are
/// infinite. All values are finite.
///
/// It is a scene if the unit vectors from there to the others sum up to no more than one for each scene that lies
/// there (H. W. Kuhn, A note on Fermat's problem, 1973), and else where Weiszfeld's iteration leads. An even number of
/// scenes on a line has its medians between the middle two, where any is right; nearly on a line, where the sum hardly
/// bends, nearly any.
pub(super) fn median(scenes: &[Vec<Value>], working_type: PixelType) -> Option<Vec<Expected>> {
    let (count, bands) = (scenes.len() as f64, scenes[0].len());
    // Small numbers have more digits: seen from a value in the middle, those that count are small.
    let centre: Vec<f64> = (0..bands).map(|band| middle(scenes.iter().map(|s| s[band].to_f64()))).collect();
    let from_centre = |scene: &Vec<Value>| -> Vec<f64> {
        scene.iter().zip(&centre).map(|(value, centre)| value.to_f64() - centre).collect()
    };
    let scenes: Vec<Vec<f64>> = scenes.iter().map(from_centre).collect();
    if scenes.iter().flatten().any(|offset| !offset.is_finite()) {
        return None;
    }
    let start = vec![0.0; bands];
    // What lies far off counts no more than what lies just outside.
    let spread = middle(scenes.iter().map(|scene| distance(scene, &start)));
    if !scenes.iter().all(|scene| distance(scene, &start).is_finite()) {
        // Squares of distances are beyond Float64.
        return Some(vec![Expected::anything(); bands]);
    }
    // The kernels compute small types in single precision.
    let (small, rounding_of_sums) = if working_type.bytes() <= 2 { (1e-6, 2.5e-7) } else { (1e-9, 1e-15) };
    let unit: f64 = if working_type.is_float() { 0.0 } else { 1.0 / 512.0 };
    let short = unit.max(small * spread);
    let expected = |band: usize, low: f64, high: f64| {
        let (half, middle) = ((high - low) / 2.0, (low + high) / 2.0 + centre[band]);
        Expected::near(middle, half + short + 1e-15 * middle.abs())
    };
    let (beside, extent) = beside_a_line(&scenes);
    if scenes.len().is_multiple_of(2) && beside <= extent / 32.0 {
        let between = |band: usize| {
            let mut values: Vec<f64> = scenes.iter().map(|scene| scene[band]).collect();
            values.sort_by(f64::total_cmp);
            let middle = values.len() / 2;
            expected(band, values[middle - 1] - 2.0 * beside, values[middle] + 2.0 * beside)
        };
        return Some((0..bands).map(between).collect());
    }
    // Unit vectors are rounded, and a pull as weak as their rounding is none.
    let rounding = 4.0 * small * count;
    let is_median = |scene: &&Vec<f64>| {
        let pull = Pull::at(scene, &scenes);
        pull.length <= pull.coincident
    };
    let point = match scenes.iter().find(is_median) {
        Some(scene) => scene.clone(),
        None => descend(&scenes, start, small),
    };
    // Where it is not zero, so far from the median a pull of that strength is met.
    let pull = Pull::at(&point, &scenes);
    let doubt = 2.0 * (pull.length - pull.coincident + rounding).max(0.0);
    let bend = curvature(&point, &scenes, &pull);
    // The kernels compare sums, and what rounding hides of those a point may be off: nearly on a line that is far.
    let sum = count * middle(scenes.iter().map(|scene| distance(scene, &point)));
    let hidden = if pull.coincident > 0.0 { 0.0 } else { (2.0 * rounding_of_sums * sum / bend).sqrt() };
    let error = 8.0 * short + hidden + if doubt > 0.0 { doubt / bend } else { 0.0 };
    let near = |(band, &point): (usize, &f64)| expected(band, point - error, point + error);
    Some(point.iter().enumerate().map(near).collect())
}

/// Weiszfeld's iteration, as Y. Vardi and C.-H. Zhang made it safe where it meets a scene (PNAS 97, 2000), until the
/// pull is a `small` part of what each scene adds to it.
fn descend(scenes: &[Vec<f64>], mut point: Vec<f64>, small: f64) -> Vec<f64> {
    for _ in 0..MOST_STEPS {
        let pull = Pull::at(&point, scenes);
        let strength = pull.length - pull.coincident;
        if strength <= small * scenes.len() as f64 || strength.is_nan() {
            break;
        }
        let factor = strength / (pull.length * pull.weights);
        point.iter_mut().zip(&pull.vector).for_each(|(point, pull)| *point += factor * pull);
    }
    point
}

/// How much the pull grows at least by each unit of the way from a point: Σ w less the largest number by which
/// Σ w·u·uᵀ stretches a vector, which R. von Mises' power iteration finds. It is soon found where little is left.
fn curvature(point: &[f64], scenes: &[Vec<f64>], pull: &Pull) -> f64 {
    let mut direction: Vec<f64> = (0..point.len()).map(|band| 1.0 + 0.1 * band as f64).collect();
    let mut largest = 0.0;
    for _ in 0..100 {
        let mut stretched = vec![0.0; point.len()];
        for scene in scenes.iter().filter(|scene| distance(scene, point) > 0.0) {
            let away: Vec<f64> = scene.iter().zip(point).map(|(to, at)| to - at).collect();
            let along: f64 = away.iter().zip(&direction).map(|(a, b)| a * b).sum();
            let weight = along / distance(scene, point).powi(3);
            stretched.iter_mut().zip(&away).for_each(|(sum, away)| *sum += weight * away);
        }
        largest = stretched.iter().map(|part| part * part).sum::<f64>().sqrt();
        direction = stretched.iter().map(|part| part / largest.max(f64::MIN_POSITIVE)).collect();
    }
    (pull.weights - largest).max(0.0)
}

/// What draws a point towards the scenes.
struct Pull {
    /// The sum of the unit vectors to them, and its length.
    vector: Vec<f64>,
    length: f64,
    /// The sum of the reciprocal distances.
    weights: f64,
    /// How many scenes lie at the point.
    coincident: f64,
}

impl Pull {
    fn at(point: &[f64], scenes: &[Vec<f64>]) -> Pull {
        let (mut vector, mut weights, mut coincident) = (vec![0.0; point.len()], 0.0, 0.0);
        for scene in scenes {
            let distance = distance(scene, point);
            if distance == 0.0 {
                coincident += 1.0;
                continue;
            }
            weights += 1.0 / distance;
            vector
                .iter_mut()
                .zip(scene)
                .zip(point)
                .for_each(|((pull, to), at)| *pull += (to - at) / distance);
        }
        let length = vector.iter().map(|part| part * part).sum::<f64>().sqrt();
        Pull { vector, length, weights, coincident }
    }
}

/// How far scenes lie from the line between the first one and the one farthest from it, and how long that is.
fn beside_a_line(scenes: &[Vec<f64>]) -> (f64, f64) {
    let first = &scenes[0];
    let far = scenes.iter().max_by(|a, b| distance(a, first).total_cmp(&distance(b, first)));
    let from_first = |scene: &[f64]| -> Vec<f64> { scene.iter().zip(first).map(|(a, b)| a - b).collect() };
    let line = from_first(far.unwrap_or(first));
    let product = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
    let squares = product(&line, &line);
    let beside = |scene: &Vec<f64>| {
        let scene = from_first(scene);
        let along = if squares > 0.0 { product(&scene, &line) / squares } else { 0.0 };
        let foot: Vec<f64> = line.iter().map(|part| along * part).collect();
        distance(&scene, &foot)
    };
    (scenes.iter().map(beside).fold(0.0, f64::max), squares.sqrt())
}

/// The value in the middle, of two the larger.
fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn distance(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch_pixel_type;
    use crate::geometry::Size;
    use crate::pixels::{Buffer, Decision, Number, Pixel, Rule, Stack};
    use proptest::prelude::*;

    /// The medians, by the kernels, of pixels that have one value after the other in all scenes and bands.
    fn decided(pixel_type: PixelType, bands: usize, pixels: &[Vec<Vec<i32>>]) -> Buffer {
        let (count, depth) = (pixels.len(), pixels[0].len());
        let mut stack = Stack::new(pixel_type, bands);
        stack.reset(Size::new(count, 1), depth);
        for (scene, _) in pixels[0].iter().enumerate() {
            stack.push(&vec![None; bands]);
            dispatch_pixel_type!(pixel_type, T => {
                let (values, seen) = stack.scene_mut::<T>(scene);
                seen.fill(1);
                for (index, value) in values.iter_mut().enumerate() {
                    *value = T::from_i128(pixels[index % count][scene][index / count].into());
                }
            });
        }
        let mut medians = Buffer::zeros(PixelType::Float64, bands * count);
        let background = vec![Number::Whole(0); bands];
        let decision =
            Decision { rule: Rule::GeometricMedian, score: None, least: 1, background: &background };
        stack.decide(&decision, &mut medians, &mut vec![0; count], None);
        medians
    }

    /// Scenes near one another and some far away, of few values and of many, twins, and such on a line.
    fn scenes(bands: usize, depth: usize) -> impl Strategy<Value = Vec<Vec<i32>>> {
        let values = (prop::sample::select(vec![2, 20, 400, 9000]), any::<u64>(), 0..5u8);
        values.prop_map(move |(spread, seed, kind)| {
            let mut state = seed | 1;
            let mut below = move |end: i32| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((state >> 33) % end as u64) as i32
            };
            let scene = |_| -> Vec<i32> {
                let (along, far) = (below(spread), [3000, 50_000, 0, 0][below(4) as usize]);
                let value = |band: i32| match kind {
                    0 => 10 + along * (band + 1) + below(2) * below(2),
                    3 => 10 + along * (band + 1),
                    1 => 10 + below(spread),
                    _ => 10 + below(spread) + if below(2) == 0 { far } else { 0 },
                };
                (0..bands as i32).map(value).collect()
            };
            (0..depth).map(scene).collect()
        })
    }

    proptest! {
        #[test]
        fn the_kernels_find_the_same(
            (bands, pixels) in (1usize..7, 1usize..14).prop_flat_map(|(bands, depth)| {
                (Just(bands), prop::collection::vec(scenes(bands, depth), 1..100))
            }),
            pixel_type in prop::sample::select(vec![PixelType::UInt16, PixelType::Int32, PixelType::Float32]),
        ) {
            let medians = decided(pixel_type, bands, &pixels);
            for (index, scenes) in pixels.iter().enumerate() {
                let values = |scene: &Vec<i32>| scene.iter().map(|&value| Value::Whole(value.into())).collect();
                let values: Vec<Vec<Value>> = scenes.iter().map(values).collect();
                let expected = median(&values, pixel_type).expect("all values are finite");
                for (band, expected) in expected.into_iter().enumerate() {
                    let found = medians.pixels::<f64>()[band * pixels.len() + index];
                    prop_assert!(
                        expected.holds(Value::Float(found)),
                        "{found} in band {band} is not {expected:?} of {scenes:?}"
                    );
                }
            }
        }
    }
}
