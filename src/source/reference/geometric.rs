//! The geometric median, found again in Float64, one pixel at a time.

use super::value::{Expected, Value};
use crate::pixels::PixelType;

/// So many steps of Weiszfeld's iteration, by which the rule is defined.
const MOST_STEPS: usize = 200;

/// The point, in all bands, whose distances to the scenes sum up to the least; nothing where a value is infinite.
///
/// The iteration is that of Vardi and Zhang (PNAS 97, 2000), from the mean. Since it is stopped where steps become
/// short, two that round otherwise stop up to a few such steps apart: so far a pixel may lie from the one found here.
pub(super) fn median(
    scenes: &[Vec<Value>],
    working_type: PixelType,
    pixel_type: PixelType,
) -> Option<Vec<Expected>> {
    let (count, bands) = (scenes.len() as f64, scenes[0].len());
    let mean = |band: usize| scenes.iter().map(|scene| scene[band].to_f64()).sum::<f64>() / count;
    // Small numbers have more digits.
    let centre: Vec<f64> = (0..bands).map(|band| mean(band).round_ties_even()).collect();
    let from_centre = |scene: &Vec<Value>| -> Vec<f64> {
        scene.iter().zip(&centre).map(|(value, centre)| value.to_f64() - centre).collect()
    };
    let scenes: Vec<Vec<f64>> = scenes.iter().map(from_centre).collect();
    let mut point: Vec<f64> =
        (0..bands).map(|band| scenes.iter().map(|scene| scene[band]).sum::<f64>() / count).collect();
    let spread = scenes.iter().map(|scene| distance(scene, &point)).sum::<f64>() / count;
    let small = if working_type.bytes() <= 2 { 1e-6 } else { 1e-9 };
    let unit: f64 = if working_type.is_float() { 0.0 } else { 1.0 / 512.0 };
    let short = unit.max(small * spread);
    for _ in 0..MOST_STEPS {
        if step(&scenes, &mut point) <= short {
            break;
        }
    }
    let error = 16.0 * short + 10.0 * small * spread;
    let expected = |(point, centre): (&f64, &f64)| {
        let value = point + centre;
        (!value.is_nan()).then(|| Expected::near(value, error + 1e-15 * value.abs(), pixel_type))
    };
    point.iter().zip(&centre).map(expected).collect()
}

/// Moves the point; returns how far.
fn step(scenes: &[Vec<f64>], point: &mut [f64]) -> f64 {
    let (mut weights, mut at_point, mut pull) = (0.0, 0.0, vec![0.0; point.len()]);
    for scene in scenes {
        let distance = distance(scene, point);
        if distance == 0.0 {
            at_point += 1.0;
            continue;
        }
        weights += 1.0 / distance;
        for (band, pull) in pull.iter_mut().enumerate() {
            *pull += (scene[band] - point[band]) / distance;
        }
    }
    let length = pull.iter().map(|part| part * part).sum::<f64>().sqrt();
    let held = 1.0 - at_point / length;
    if weights == 0.0 || held.is_nan() || held <= 0.0 {
        return 0.0;
    }
    point.iter_mut().zip(&pull).for_each(|(point, pull)| *point += held / weights * pull);
    held / weights * length
}

fn distance(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}
