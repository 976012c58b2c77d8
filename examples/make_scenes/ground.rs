//! An imagined landscape: relief, farmland, woods and water, all a function of the ground coordinate.
//!
//! Nothing is stored and nothing is random: the value at a coordinate follows from the seed alone, so that two
//! scenes that see the same place agree there, up to the light and the sensor noise of their dates.

use super::noise::{Octave, along_row, bell, fraction, hash, scramble};

/// Reflectance × 10,000 of each land cover in blue, green, red and near infrared.
type Cover = [f32; 4];

/// What a parcel of farmland may carry.
const CROPS: [Cover; 6] = [
    [350.0, 700.0, 400.0, 4200.0],
    [800.0, 1150.0, 1500.0, 2600.0],
    [900.0, 1200.0, 1600.0, 2200.0],
    [450.0, 800.0, 650.0, 3300.0],
    [520.0, 900.0, 560.0, 3800.0],
    [1400.0, 1500.0, 1600.0, 2100.0],
];
const WOODS: Cover = [220.0, 420.0, 260.0, 2600.0];
const WATER: Cover = [600.0, 500.0, 300.0, 120.0];

/// Heights in metres below which there is water, and above which there are woods.
const SHORE: f32 = 195.0;
const TREES: f32 = 440.0;

/// The relief, amplitudes in metres.
const OCTAVES: [Octave; 9] = [
    (2048, 260.0),
    (1024, 160.0),
    (512, 90.0),
    (256, 48.0),
    (128, 25.0),
    (64, 13.0),
    (32, 6.5),
    (16, 4.0),
    (8, 2.4),
];

/// Standard deviation of the sensor noise: a floor, and a share of the signal. With these a scene's mosaic keeps
/// about 61 % of its bytes under LZW with predictor 2, as imagery does.
const NOISE_FLOOR: f32 = 4.6;
const NOISE_SHARE: f32 = 0.0053;

/// One date's view: what differs between two scenes of the same place.
pub struct View {
    /// Tells the noise of one scene from that of another.
    pub scene: u64,
    /// By how much a parcel of farmland may do better or worse than on other dates, as a share: 0 for scenes of one
    /// day, less than 1.
    pub growth: f32,
}

/// The landscape, seen in a number of bands.
pub struct Ground {
    seed: u64,
    bands: usize,
}

impl Ground {
    /// The landscape of `seed`, for sensors with `bands` bands.
    pub fn new(seed: u64, bands: usize) -> Ground {
        Ground { seed: scramble(seed.wrapping_add(1)), bands }
    }

    /// Reflectance × 10,000 of the rectangle that starts at pixel (`x`, `y`), one plane of rows a band.
    pub fn patch(&self, view: &View, x: i64, y: i64, width: usize, height: usize) -> Vec<Vec<f32>> {
        let mut planes = vec![Vec::with_capacity(width * height); self.bands];
        let gains: Vec<f32> = (0..self.bands).map(|band| self.gain(view, band)).collect();
        // One column and one row more than asked for: a slope needs its neighbours.
        let mut heights = along_row(self.seed, &OCTAVES, x, y, width + 1);
        for row in y..y + height as i64 {
            let below = along_row(self.seed, &OCTAVES, x, row + 1, width + 1);
            for column in 0..width {
                let here = heights[column];
                let (cover, vigour) = self.cover(view, x + column as i64, row, here);
                let level = here < SHORE;
                let light = if level { 1.0 } else { shade(heights[column + 1] - here, below[column] - here) };
                let mut noise = 0;
                for (band, plane) in planes.iter_mut().enumerate() {
                    if band % 4 == 0 {
                        let sensor = self.seed ^ scramble(view.scene + 1) ^ (band as u64);
                        noise = hash(sensor, x + column as i64, row);
                    }
                    let signal = cover[band % 4] * vigour * light * gains[band];
                    plane.push(
                        signal + (NOISE_FLOOR + NOISE_SHARE * signal) * bell(noise >> (16 * (band % 4))),
                    );
                }
            }
            heights = below;
        }
        planes
    }

    /// How bright a band is on a scene's date; bands past the fourth also differ from the four that they repeat.
    fn gain(&self, view: &View, band: usize) -> f32 {
        let date = 0.97 + 0.06 * fraction(hash(self.seed, view.scene as i64, band as i64));
        let repeated = band / 4;
        let own = if repeated == 0 { 1.0 } else { 0.6 + 0.8 * fraction(hash(self.seed, -1, band as i64)) };
        date * own
    }

    /// The land cover at a pixel and how well it does there, from its parcel and its height.
    ///
    /// Parcels stand in strips of 36 pixels, askew to the grid and bent a little by the relief; each strip has
    /// its own parcel length.
    fn cover(&self, view: &View, x: i64, y: i64, height: f32) -> (Cover, f32) {
        if height < SHORE {
            return (WATER, 1.0);
        }
        if height > TREES {
            return (WOODS, 1.0);
        }
        let along = 0.94 * x as f32 - 0.34 * y as f32 + 0.4 * height;
        let across = 0.34 * x as f32 + 0.94 * y as f32 + 0.3 * height;
        let strip = (across / 36.0).floor() as i64;
        let strip_bits = hash(self.seed ^ 0x57a1, strip, 0);
        let length = 40.0 + 80.0 * fraction(strip_bits);
        let parcel = ((along + (strip_bits & 0xff) as f32) / length).floor() as i64;
        let bits = hash(self.seed ^ 0xf1e1d, strip, parcel);
        let growth = view.growth * (2.0 * fraction(scramble(bits ^ scramble(view.scene))) - 1.0);
        (CROPS[(bits % CROPS.len() as u64) as usize], (0.88 + 0.24 * fraction(bits)) * (1.0 + growth))
    }
}

/// Light on a slope, 1 on flat ground: the sun stands in the north-west at 45°, pixels are 10 m wide.
fn shade(rise_east: f32, rise_south: f32) -> f32 {
    let (east, south) = (rise_east / 10.0, rise_south / 10.0);
    let cosine = (1.0 + 0.707 * (east + south)) / (1.0 + east * east + south * south).sqrt();
    cosine.clamp(0.25, 1.6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_scenes_of_one_place_agree_up_to_light_and_noise() {
        let ground = Ground::new(7, 4);
        let one = ground.patch(&View { scene: 0, growth: 0.0 }, 500, -300, 64, 48);
        let other = ground.patch(&View { scene: 1, growth: 0.0 }, 532, -280, 32, 28);
        for band in 0..4 {
            for row in 0..28 {
                for column in 0..32 {
                    let (a, b) = (one[band][(row + 20) * 64 + column + 32], other[band][row * 32 + column]);
                    assert!((a - b).abs() < 0.2 * a.max(b) + 60.0, "band {band}: {a} and {b}");
                }
            }
        }
    }

    #[test]
    fn a_patch_does_not_depend_on_how_it_is_cut() {
        let ground = Ground::new(3, 6);
        let view = View { scene: 5, growth: 0.1 };
        let whole = ground.patch(&view, -70, 90, 40, 20);
        let lower = ground.patch(&view, -70, 100, 40, 10);
        for (whole, lower) in whole.iter().zip(&lower) {
            assert_eq!(whole[400..], lower[..]);
        }
    }
}
