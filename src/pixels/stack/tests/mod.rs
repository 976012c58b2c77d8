//! The rules against their plain definition, for stacks of any type, depth and width, with gaps of every kind.

mod plan;
mod reference;
mod sides;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::*;
use crate::geometry::Window;
use plan::*;
use reference::*;

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

const BY_BAND: [Rule; 12] = [
    Rule::FirstOfBand,
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
    for (pixel, &valid) in valid.iter().enumerate() {
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
        prop_assert_eq!(valid, u8::from(any));
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
            prop_assume!(rule != Rule::FirstOfBand);
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
fn parts_of_a_scene_are_decided_where_they_lie_and_are_not_masked() {
    let mut stack = Stack::new(PixelType::UInt16, 1);
    stack.reset(Size::new(3, 2), 1);
    let scene = stack.push(&[Some(NODATA)]);
    let mut add = |place, pixels: &[u16], mask: Option<&[u8]>| {
        stack.add_part(scene, &[0], place, &Buffer::UInt16(pixels.to_vec()), mask);
    };
    add(Window::new(0, 0, 2, 2), &[10, 1, 12, 13], Some(&[1, 1, 0, 1]));
    add(Window::new(2, 0, 1, 1), &[22], None);
    stack.settle(scene, 1);
    let mut pixels = Buffer::zeros(PixelType::Byte, 6);
    let mut valid = [0; 6];
    let decision = Decision { rule: Rule::Median, score: None, least: 1, background: &[Number::Whole(5)] };
    stack.decide(&decision, &mut pixels, &mut valid, None);
    assert_eq!((pixels, valid), (Buffer::Byte(vec![10, 5, 22, 5, 13, 5]), [1, 0, 1, 0, 1, 0]));
}
