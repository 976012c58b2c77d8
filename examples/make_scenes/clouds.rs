//! Clouds of a date: soft blobs, bright in all bands, that cover about a third of the ground.

use super::noise::{Octave, along_row, scramble};

/// How thick clouds are, before what is below [`CLEAR`] is taken away.
const OCTAVES: [Octave; 5] = [(384, 1.0), (192, 0.5), (96, 0.25), (48, 0.12), (24, 0.06)];
/// Noise below which the sky is clear: two thirds of it, as the test counts.
const CLEAR: f32 = 1.11;
/// Noise above that with which nothing of the ground is seen any more.
const SOFTNESS: f32 = 0.16;
/// Reflectance × 10,000 of a cloud's top.
const TOP: f32 = 6200.0;

/// The classes of a Sentinel-2 scene classification that are written.
pub mod class {
    pub const VEGETATION: u8 = 4;
    pub const BARE: u8 = 5;
    pub const WATER: u8 = 6;
    pub const MAYBE_CLOUD: u8 = 8;
    pub const CLOUD: u8 = 9;

    /// Whether nothing but clouds may be seen there.
    pub const fn hides(class: u8) -> bool {
        matches!(class, MAYBE_CLOUD | CLOUD)
    }
}

/// How much of the ground clouds hide along the row `y` on a date, from 0 to 1.
pub fn cover(seed: u64, date: u64, x: i64, y: i64, width: usize) -> Vec<f32> {
    let noise = along_row(scramble(seed ^ scramble(0xc10d + date)), &OCTAVES, x, y, width);
    noise.into_iter().map(|noise| ((noise - CLEAR) / SOFTNESS).clamp(0.0, 1.0)).collect()
}

/// What a sensor sees of `reflectance` below clouds that hide `share` of it.
pub fn over(reflectance: f32, share: f32) -> f32 {
    // The sensor's noise stays: it was made for what is below, which is darker.
    reflectance * (1.0 - share) + (TOP + 0.2 * reflectance) * share
}

/// The class of a place by its clouds, and by its red and near infrared below them.
pub fn classify(share: f32, red: f32, infrared: f32) -> u8 {
    let greenness = (infrared - red) / (infrared + red);
    match () {
        () if share >= 0.5 => class::CLOUD,
        () if share > 0.0 => class::MAYBE_CLOUD,
        () if greenness < 0.0 => class::WATER,
        () if greenness < 0.4 => class::BARE,
        () => class::VEGETATION,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clouds_cover_about_a_third_and_have_soft_edges() {
        let shares: Vec<f32> = (0..24)
            .flat_map(|date| (0..2048).step_by(64).flat_map(move |y| cover(1, date, 0, y, 2048)))
            .collect();
        let part = |is: &dyn Fn(f32) -> bool| {
            shares.iter().filter(|&&share| is(share)).count() as f32 / shares.len() as f32
        };
        let (any, soft) = (part(&|share| share > 0.0), part(&|share| share > 0.0 && share < 1.0));
        assert!((0.28..0.39).contains(&any), "{any} of the ground is covered");
        assert!((0.05..0.25).contains(&soft), "{soft} of the ground is covered in part");
    }

    #[test]
    fn dates_have_clouds_of_their_own() {
        assert_ne!(cover(1, 0, 0, 900, 500), cover(1, 1, 0, 900, 500));
        assert_eq!(cover(1, 0, 100, 900, 400), cover(1, 0, 0, 900, 500)[100..]);
    }
}
