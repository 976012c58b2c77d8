//! Rules that decide all bands together, and what is told beside the pixels.

use super::*;

const TOGETHER: [Rule; 5] = [Rule::First, Rule::Medoid, Rule::Highest, Rule::Lowest, Rule::GeometricMedian];

/// The scene that a rule must choose, if only one may be.
fn choice(rule: Rule, scenes: &[SeenWhole], score: impl Fn(usize) -> f32) -> Option<usize> {
    let mut best: Option<usize> = None;
    for &(scene, _) in scenes {
        let better = |best: usize| match rule {
            Rule::Highest => score(scene) > score(best),
            Rule::Lowest => score(scene) < score(best),
            _ => false,
        };
        best = if best.is_none_or(better) { Some(scene) } else { best };
    }
    best
}

fn check_choice<T: Pixel>(plan: &Plan, rule: Rule) -> Result<(), TestCaseError> {
    let (stack, scores) = plan.stack::<T>();
    let (pixels, valid, side) = decided(&stack, plan, rule, &scores);
    for pixel in 0..plan.pixels {
        let score = |scene: usize| scores[scene * plan.pixels + pixel];
        let mut scenes = seen_whole::<T>(&stack, pixel);
        scenes.retain(|(scene, _)| !rule.needs_score() || !score(*scene).is_nan());
        prop_assert_eq!(side.count[pixel], scenes.len() as u32);
        let is_decided = scenes.len() >= plan.least.max(1) as usize;
        prop_assert_eq!(valid[pixel], u8::from(is_decided));
        if !is_decided {
            prop_assert_eq!(side.winner[pixel], Side::NONE);
            prop_assert!(
                (0..plan.bands).all(|band| background(band).is_at(&pixels, band * plan.pixels + pixel))
            );
            continue;
        }
        let winner = side.winner[pixel] as usize;
        let won = scenes.iter().find(|scene| scene.0 == winner);
        let Some(won) = won else { return Err(TestCaseError::fail(format!("{winner} of {scenes:?}"))) };
        // Sums are those of Float32 for small types.
        let near = |sum: f64, least: f64| sum <= least * (1.0 + 1e-5) + 1e-2;
        let twin = scenes.iter().find(|scene| scene.1 == won.1);
        match rule {
            Rule::GeometricMedian => {
                // The search is slow.
                if (T::TYPE.is_float() || T::TYPE.bytes() < 8)
                    && plan.output == PixelType::Float64
                    && pixel % 16 == 0
                {
                    let found = pixels.pixels::<f64>().chunks(plan.pixels);
                    let point: Vec<f64> = found.map(|band| band[pixel]).collect();
                    let (sum, least) = (distance_to_all(&point, &scenes), least_distance_to_all(&scenes));
                    prop_assert!(near(sum, least), "{:?} has {}, not {}, of {:?}", point, sum, least, scenes);
                }
                continue;
            }
            Rule::Medoid => {
                let sum = |values: &Vec<f64>| distance_to_all(values, &scenes);
                let least = scenes.iter().map(|scene| sum(&scene.1)).fold(f64::INFINITY, f64::min);
                prop_assert!(near(sum(&won.1), least), "{} has {}, not {}", winner, sum(&won.1), least);
                // Of twins the first, where Float64 tells values apart.
                prop_assert!(
                    T::TYPE.holds(PixelType::UInt64) || T::TYPE.holds(PixelType::Int64) || twin == Some(won)
                );
            }
            _ => prop_assert_eq!(Some(winner), choice(rule, &scenes, score)),
        }
        for band in 0..plan.bands {
            let (_, value) = *seen::<T>(&stack, band, pixel).iter().find(|seen| seen.0 == winner).unwrap();
            prop_assert!(of_band(Rule::Min, &[(winner, value)]).is_at(&pixels, band * plan.pixels + pixel));
        }
    }
    Ok(())
}

fn check_side<T: Pixel>(plan: &Plan, rule: Rule) -> Result<(), TestCaseError> {
    let (stack, score) = plan.stack::<T>();
    let (_, valid, side) = decided(&stack, plan, rule, &score);
    for (pixel, &valid) in valid.iter().enumerate() {
        let bands: Vec<Vec<Seen<T>>> = (0..plan.bands).map(|band| seen(&stack, band, pixel)).collect();
        let has_data = |scene: &usize| bands.iter().any(|band| band.iter().any(|seen| seen.0 == *scene));
        prop_assert_eq!(side.count[pixel] as usize, (0..plan.depth).filter(has_data).count());
        if valid == 0 || !rule.is_value() {
            prop_assert_eq!(side.winner[pixel], Side::NONE);
            continue;
        }
        let mut distances = vec![f64::INFINITY; plan.depth];
        for band in bands.iter().filter(|band| band.len() >= plan.least.max(1) as usize) {
            let result = of_band(rule, band).to_f64();
            for &(scene, value) in band {
                let before = if distances[scene].is_finite() { distances[scene] } else { 0.0 };
                distances[scene] = before + (value.to_f64() - result).abs();
            }
        }
        let least = distances.iter().copied().fold(f64::INFINITY, f64::min);
        let first = distances.iter().position(|&distance| distance == least);
        let winner = side.winner[pixel] as usize;
        let near = distances[winner] <= least * (1.0 + 1e-9) + 1e-9;
        // Distances of 64-bit numbers are more exact than they are here.
        let is_wide = T::TYPE.bytes() == 8 && !T::TYPE.is_float();
        let exact = matches!(rule, Rule::FirstOfBand | Rule::Min | Rule::Max | Rule::Mode | Rule::Median);
        let is_nearest = if exact { first == Some(winner) } else { near };
        prop_assert!(is_wide || is_nearest, "{} of {:?}", winner, distances);
    }
    Ok(())
}

proptest! {
    #[test]
    fn bands_decided_together_are_of_whole_scenes(plan in plans(), rule in prop::sample::select(TOGETHER.to_vec())) {
        dispatch_pixel_type!(plan.pixel_type, T => check_choice::<T>(&plan, rule)?);
    }

    #[test]
    fn the_side_tells_counts_and_the_nearest_scene(plan in plans(), rule in prop::sample::select(BY_BAND.to_vec())) {
        dispatch_pixel_type!(plan.pixel_type, T => check_side::<T>(&plan, rule)?);
    }

    #[test]
    fn geometric_medians_are_least(plan in plans()) {
        let plan = Plan { output: PixelType::Float64, ..plan };
        dispatch_pixel_type!(plan.pixel_type, T => check_choice::<T>(&plan, Rule::GeometricMedian)?);
    }
}
