//! Numbers that look random but follow from coordinates: hashes, and noise that is smooth over a period of pixels.

/// Sixty-four bits that look random, from a state (the finalizer of the SplitMix64 generator).
pub fn scramble(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// Sixty-four bits for a pair of coordinates.
pub fn hash(seed: u64, x: i64, y: i64) -> u64 {
    let mixed =
        (x as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (y as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    scramble(mixed ^ seed)
}

/// The upper bits of a hash as a number from 0 up to 1.
pub fn fraction(bits: u64) -> f32 {
    (bits >> 40) as f32 / (1u64 << 24) as f32
}

/// Sixteen random bits as a number of mean 0 and standard deviation 1, between -2.45 and 2.45.
pub fn bell(bits: u64) -> f32 {
    let sum = (bits & 0xff) as f32 + ((bits >> 8) & 0xff) as f32;
    (sum - 255.0) / 104.5
}

/// Period in pixels and amplitude of a layer of noise.
pub type Octave = (i64, f32);

/// Value noise along the row `y`, from `x` on: the sum of octaves, each from 0 up to its amplitude.
pub fn along_row(seed: u64, octaves: &[Octave], x: i64, y: i64, width: usize) -> Vec<f32> {
    let mut sums = vec![0.0; width];
    for (octave, &(period, amplitude)) in octaves.iter().enumerate() {
        let seed = seed.wrapping_add(scramble(octave as u64));
        let (row, down) = (y.div_euclid(period), smooth(y.rem_euclid(period), period));
        let corner = |cell: i64| {
            let (above, under) = (fraction(hash(seed, cell, row)), fraction(hash(seed, cell, row + 1)));
            above + (under - above) * down
        };
        let mut cell = x.div_euclid(period);
        let (mut left, mut right) = (corner(cell), corner(cell + 1));
        for (column, sum) in sums.iter_mut().enumerate() {
            let position = x + column as i64;
            if position.div_euclid(period) != cell {
                cell += 1;
                (left, right) = (right, corner(cell + 1));
            }
            *sum += amplitude * (left + (right - left) * smooth(position.rem_euclid(period), period));
        }
    }
    sums
}

/// How far between two lattice points, eased so that slopes join without a crease.
fn smooth(offset: i64, period: i64) -> f32 {
    let share = offset as f32 / period as f32;
    share * share * (3.0 - 2.0 * share)
}
