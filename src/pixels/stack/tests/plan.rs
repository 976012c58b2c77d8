//! Stacks of any type, depth and width at random, with gaps of every kind.

use super::*;

/// What a stack is made of at random.
#[derive(Debug, Clone)]
pub struct Plan {
    pub pixel_type: PixelType,
    pub output: PixelType,
    pub bands: usize,
    pub depth: usize,
    pub pixels: usize,
    /// Of a hundred values so many are no data, in one of three ways each.
    pub gaps: u64,
    /// Values are below that, for the most part.
    pub spread: u64,
    pub least: u32,
    pub seed: u64,
}

pub fn plans() -> impl Strategy<Value = Plan> {
    let types = || prop::sample::select(PixelType::ALL.to_vec());
    let shape = (1usize..4, 1usize..=40, 1usize..150);
    let gaps = prop::sample::select(vec![0, 0, 3, 20, 33]);
    let spread = prop::sample::select(vec![3, 100, 10_000]);
    (types(), types(), shape, gaps, spread, 0u32..4, any::<u64>()).prop_map(
        |(pixel_type, output, (bands, depth, pixels), gaps, spread, least, seed)| Plan {
            pixel_type,
            output,
            bands,
            depth,
            pixels,
            gaps,
            spread,
            least,
            seed,
        },
    )
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

pub const NODATA: Number = Number::Whole(1);
pub const BACKGROUND: [Number; 3] = [Number::Whole(7), Number::Whole(0), Number::Whole(99)];

impl Plan {
    /// A value that is data: of few different ones, some of them extreme where numbers stay exact.
    fn value<T: Pixel>(&self, random: &mut Random) -> T {
        let number = i128::from(2 + random.below(self.spread));
        match random.below(25) {
            0 if !T::TYPE.is_float() => T::from_i128(i128::MAX),
            1 if !T::TYPE.is_float() => T::from_i128(i128::MIN),
            // Sums of quarters are exact in any order.
            2..12 if T::TYPE.is_float() => T::from_f64(number as f64 / 4.0 + 2.0),
            12..16 if T::TYPE.is_signed() => T::from_i128(-number),
            _ => T::from_i128(number),
        }
    }

    /// The stack, and a score for each scene and pixel.
    pub fn stack<T: Pixel>(&self) -> (Stack, Vec<f32>) {
        let mut random = Random(self.seed);
        let mut stack = Stack::new(T::TYPE, self.bands);
        stack.reset(Size::new(self.pixels, 1), self.depth);
        for scene in 0..self.depth {
            let nodata: Vec<_> = (0..self.bands).map(|_| (random.below(3) > 0).then_some(NODATA)).collect();
            assert_eq!(stack.push(&nodata), scene);
            // Some scenes lie elsewhere, and of some only a part is here.
            let absent = |random: &mut Random| self.gaps > 0 && random.below(8) == 0;
            let (is_absent, end) =
                (absent(&mut random), if absent(&mut random) { self.pixels / 2 } else { self.pixels });
            let (values, seen) = stack.scene_mut::<T>(scene);
            for value in values.iter_mut() {
                *value = match random.below(200) {
                    gap if gap < self.gaps => T::from_i128(1),
                    gap if gap < 2 * self.gaps && T::TYPE.is_float() => T::from_f64(f64::NAN),
                    _ => self.value(&mut random),
                };
            }
            for (pixel, seen) in seen.iter_mut().enumerate() {
                *seen = u8::from(!is_absent && pixel < end && random.below(100) >= self.gaps);
            }
        }
        // Masked everywhere.
        if self.gaps > 0 {
            (0..self.depth).for_each(|scene| stack.scene_mut::<T>(scene).1[self.pixels / 3] = 0);
        }
        let scores = (0..self.depth * self.pixels).map(|_| match random.below(9) {
            0 => f32::NAN,
            1 => f32::NEG_INFINITY,
            score => score as f32,
        });
        let scores = scores.collect();
        (stack, scores)
    }
}
