//! The rules against their plain definition, for stacks of any type, depth and width, with gaps of every kind.

mod reference;
mod sides;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::*;
use crate::geometry::Window;
use reference::*;

/// What a stack is made of at random.
#[derive(Debug, Clone)]
struct Plan {
    pixel_type: PixelType,
    output: PixelType,
    bands: usize,
    depth: usize,
    pixels: usize,
    /// Of a hundred values so many are no data, in one of three ways each.
    gaps: u64,
    /// Values are below that, for the most part.
    spread: u64,
    least: u32,
    seed: u64,
}

fn plans() -> impl Strategy<Value = Plan> {
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

const NODATA: Number = Number::Whole(1);
const BACKGROUND: [Number; 3] = [Number::Whole(7), Number::Whole(0), Number::Whole(99)];

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
    fn stack<T: Pixel>(&self) -> (Stack, Vec<f32>) {
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

/// The values of a pixel of a band that are data.
fn seen<T: Pixel>(stack: &Stack, band: usize, pixel: usize) -> Vec<Seen<T>> {
    let at = |scene: usize| {
        let plane = scene * stack.bands + band;
        let value = stack.values.pixels::<T>()[plane * stack.pixels() + pixel];
        let is_nodata = stack.nodata[plane].is_some() && value == T::from_i128(1);
        let is_seen = stack.seen[scene * stack.pixels() + pixel] != 0;
        (is_seen && !is_nodata && !value.is_nan()).then_some((scene, value))
    };
    (0..stack.depth()).filter_map(at).collect()
}

/// The scenes that have data in all bands.
fn seen_whole<T: Pixel>(stack: &Stack, pixel: usize) -> Vec<SeenWhole> {
    let bands: Vec<Vec<Seen<T>>> = (0..stack.bands).map(|band| seen(stack, band, pixel)).collect();
    let value =
        |band: &Vec<Seen<T>>, scene| band.iter().find(|seen| seen.0 == scene).map(|seen| seen.1.to_f64());
    let whole = |scene| {
        let values: Option<Vec<f64>> = bands.iter().map(|band| value(band, scene)).collect();
        values.map(|values| (scene, values))
    };
    (0..stack.depth()).filter_map(whole).collect()
}

fn decided(stack: &Stack, plan: &Plan, rule: Rule, score: &[f32]) -> (Buffer, Vec<u8>, Side) {
    let mut pixels = Buffer::zeros(plan.output, plan.bands * plan.pixels);
    let (mut valid, mut side) = (vec![9; plan.pixels], Side::default());
    let background = &BACKGROUND[..plan.bands];
    let decision = Decision { rule, score: Some(score), least: plan.least, background };
    stack.decide(&decision, &mut pixels, &mut valid, Some(&mut side));
    let (mut plain, mut plainly_valid) = (Buffer::zeros(plan.output, pixels.len()), vec![0; plan.pixels]);
    stack.decide(&decision, &mut plain, &mut plainly_valid, None);
    assert_eq!((&plain, &plainly_valid), (&pixels, &valid), "the side changes nothing");
    (pixels, valid, side)
}

const BY_BAND: [Rule; 11] = [
    Rule::Min,
    Rule::Max,
    Rule::Mean,
    Rule::Sum,
    Rule::Count,
    Rule::Median,
    Rule::Percentile(0.0),
    Rule::Percentile(37.5),
    Rule::Percentile(95.0),
    Rule::StandardDeviation,
    Rule::Mode,
];

fn background(band: usize) -> Answer {
    Answer::Ratio(BACKGROUND[band].to_f64() as i128, 1)
}

fn check_bands<T: Pixel>(plan: &Plan, rule: Rule) -> Result<(), TestCaseError> {
    let (stack, score) = plan.stack::<T>();
    let (pixels, valid, _) = decided(&stack, plan, rule, &score);
    for pixel in 0..plan.pixels {
        let mut any = false;
        for band in 0..plan.bands {
            let (seen, index) = (seen::<T>(&stack, band, pixel), band * plan.pixels + pixel);
            let has_data = seen.len() >= plan.least.max(1) as usize;
            let wanted = if has_data { of_band(rule, &seen) } else { background(band) };
            prop_assert!(
                wanted.is_at(&pixels, index),
                "{:?} of {:?} is {:?}: {:?}",
                rule,
                seen,
                wanted,
                pixels
            );
            any |= has_data;
        }
        prop_assert_eq!(valid[pixel], u8::from(any));
    }
    Ok(())
}

proptest! {
    #[test]
    fn each_band_is_decided_by_the_plain_definition(plan in plans(), rule in prop::sample::select(BY_BAND.to_vec())) {
        dispatch_pixel_type!(plan.pixel_type, T => check_bands::<T>(&plan, rule)?);
    }

    #[test]
    fn the_order_of_scenes_changes_no_statistic(plan in plans(), rule in prop::sample::select(BY_BAND.to_vec())) {
        dispatch_pixel_type!(plan.pixel_type, T => {
            // Sums of quarters are exact, their squares and divisions are not.
            prop_assume!(!plan.pixel_type.is_float() || rule != Rule::StandardDeviation);
            let (stack, score) = plan.stack::<T>();
            let mut turned = Stack::new(T::TYPE, plan.bands);
            turned.reset(stack.size, plan.depth);
            for scene in (0..plan.depth).rev() {
                let to = turned.push(&stack.nodata[scene * plan.bands..][..plan.bands]);
                let (values, seen) = turned.scene_mut::<T>(to);
                values.copy_from_slice(&stack.values.pixels()[scene * values.len()..][..values.len()]);
                seen.copy_from_slice(&stack.seen[scene * plan.pixels..][..plan.pixels]);
            }
            let plan = Plan { output: if rule == Rule::StandardDeviation { PixelType::Float32 } else { plan.output }, ..plan };
            let (pixels, turned) = (decided(&stack, &plan, rule, &score).0, decided(&turned, &plan, rule, &score).0);
            prop_assert_eq!(pixels, turned);
        });
    }
}

#[test]
fn sixty_four_bits_halves_and_deviations_are_exact() {
    let decide = |pixel_type, values: &[i128], rule, output| {
        let mut stack = Stack::new(pixel_type, 1);
        stack.reset(Size::new(1, 1), values.len());
        for &value in values {
            let scene = stack.push(&[None]);
            dispatch_pixel_type!(pixel_type, T => {
                let (pixels, seen) = stack.scene_mut::<T>(scene);
                (pixels[0], seen[0]) = (T::from_i128(value), 1);
            });
        }
        let (mut pixels, mut valid) = (Buffer::zeros(output, 1), [0]);
        let decision = Decision { rule, score: None, least: 1, background: &[NODATA] };
        stack.decide(&decision, &mut pixels, &mut valid, None);
        pixels
    };
    let (top, half) = (i128::from(u64::MAX), [1, 2, 3, 4]);
    let tops = [top, top - 2];
    assert_eq!(
        decide(PixelType::UInt64, &tops, Rule::Median, PixelType::UInt64),
        Buffer::UInt64(vec![u64::MAX - 1])
    );
    assert_eq!(
        decide(PixelType::UInt64, &tops, Rule::Mean, PixelType::UInt64),
        Buffer::UInt64(vec![u64::MAX - 1])
    );
    assert_eq!(decide(PixelType::UInt16, &half, Rule::Median, PixelType::UInt16), Buffer::UInt16(vec![2]));
    assert_eq!(
        decide(PixelType::UInt16, &half, Rule::Median, PixelType::Float32),
        Buffer::Float32(vec![2.5])
    );
    // Half a unit, from a mean of 1/6: rounded to even, not up.
    let half: Vec<i128> = [vec![1; 4], vec![-1], vec![0; 13]].concat();
    assert_eq!(
        decide(PixelType::Int16, &half, Rule::StandardDeviation, PixelType::Byte),
        Buffer::Byte(vec![0])
    );
    assert_eq!(
        decide(PixelType::Int64, &[top / 4; 3], Rule::StandardDeviation, PixelType::Float64),
        Buffer::Float64(vec![0.0])
    );
}

#[test]
fn parts_of_a_scene_fill_what_others_left_open() {
    let mut stack = Stack::new(PixelType::UInt16, 1);
    stack.reset(Size::new(3, 2), 1);
    let nodata = [Some(NODATA)];
    let scene = stack.push(&nodata);
    let mut fill = |place, pixels: &[u16], mask: Option<&[u8]>| {
        stack.fill(scene, &Layer { place, pixels: &Buffer::UInt16(pixels.to_vec()), nodata: &nodata, mask });
    };
    fill(Window::new(0, 0, 2, 2), &[10, 1, 12, 13], Some(&[1, 1, 0, 1]));
    fill(Window::new(0, 0, 3, 1), &[20, 21, 22], None);
    let mut pixels = Buffer::zeros(PixelType::Byte, 6);
    let mut valid = [0; 6];
    let decision = Decision { rule: Rule::Median, score: None, least: 1, background: &[Number::Whole(5)] };
    stack.decide(&decision, &mut pixels, &mut valid, None);
    assert_eq!((pixels, valid), (Buffer::Byte(vec![10, 21, 22, 5, 13, 5]), [1, 1, 1, 0, 1, 0]));
}
