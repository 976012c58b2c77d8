//! What is asked of scenes and can never be: told before the work instead of found in an empty mosaic.

use std::ops::RangeInclusive;

use crate::config::{SceneSettings, Settings};
use crate::pixels::PixelType;
use crate::source::{Problem, SceneSources};

/// What would leave all pixels of a mosaic of these scenes without data.
///
/// # Errors
/// Every reason.
pub fn check(settings: &Settings, scenes: &[SceneSources]) -> Result<(), Vec<Problem>> {
    let too_few = too_few(settings.scenes.min_count, scenes.len());
    let problems: Vec<Problem> =
        too_few.into_iter().chain(nothing_kept(&settings.scenes, &mask_types(scenes))).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Values and bits of masks that are named in vain.
pub fn named_in_vain(settings: &SceneSettings, scenes: &[SceneSources]) -> Vec<String> {
    let types = mask_types(scenes);
    let band = settings.mask_band.as_deref().unwrap_or_default();
    let lists = [("--mask-values", &settings.mask_values), ("--keep-values", &settings.keep_values)];
    let values = lists.into_iter().flat_map(|(flag, ranges)| ranges.iter().map(move |range| (flag, range)));
    let values = values.filter(|(_, range)| is_impossible(range, &types));
    let values = values.map(|(flag, range)| (flag, written(range), "value"));
    let bits = settings.mask_bits.iter().filter(|bit| types.iter().all(|of| !has_bit(*of, **bit)));
    let bits = bits.map(|bit| ("--mask-bits", bit.to_string(), "bit"));
    let names: Vec<_> = types.iter().map(ToString::to_string).collect();
    let tell = |(flag, number, what): (&str, String, &str)| {
        format!("{flag} {number}: no pixel of {band} can have this {what}, its type is {}", names.join(", "))
    };
    if types.is_empty() { Vec::new() } else { values.chain(bits).map(tell).collect() }
}

/// More scenes needed in a pixel than there are.
fn too_few(least: u32, count: usize) -> Option<Problem> {
    let message = || format!("a pixel needs data of {least} scenes, and there are only {count}");
    (count < least as usize).then(|| Problem::new("--min-count", message()))
}

/// Values to keep of which a mask can have none.
fn nothing_kept(settings: &SceneSettings, types: &[PixelType]) -> Option<Problem> {
    let kept = &settings.keep_values;
    let nothing =
        !kept.is_empty() && !types.is_empty() && kept.iter().all(|range| is_impossible(range, types));
    let band = settings.mask_band.as_deref().unwrap_or_default();
    let message = || format!("every pixel would be left out: those of {band} can have none of these values");
    nothing.then(|| Problem::new("--keep-values", message()))
}

/// The types of the scenes' masks, each once.
fn mask_types(scenes: &[SceneSources]) -> Vec<PixelType> {
    let mut types = Vec::new();
    for (source, band) in scenes.iter().filter_map(|scene| scene.mask.as_ref()) {
        let of = source.bands[*band].pixel_type;
        if !types.contains(&of) {
            types.push(of);
        }
    }
    types
}

/// Whether not one of the types holds a value of the range.
fn is_impossible(range: &RangeInclusive<i64>, types: &[PixelType]) -> bool {
    let holds = |of: &PixelType| {
        let values = of.whole_numbers();
        of.is_float()
            || i128::from(*range.start()) <= *values.end() && *values.start() <= i128::from(*range.end())
    };
    !types.iter().any(holds)
}

/// Whether a value of the type can have this bit set; negative ones have all the high ones.
fn has_bit(of: PixelType, bit: u8) -> bool {
    of.is_float() || of.is_signed() || usize::from(bit) < 8 * of.bytes()
}

/// A range as it is typed.
pub fn written(range: &RangeInclusive<i64>) -> String {
    match range.start() == range.end() {
        true => range.start().to_string(),
        false => format!("{}-{}", range.start(), range.end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_a_type_are_impossible_unless_another_mask_has_them() {
        let byte = [PixelType::Byte];
        assert!(is_impossible(&(256..=300), &byte) && is_impossible(&(-3..=-1), &byte));
        assert!(!is_impossible(&(255..=300), &byte) && !is_impossible(&(-1..=0), &byte));
        assert!(!is_impossible(&(256..=256), &[PixelType::Byte, PixelType::UInt16]));
        assert!(!is_impossible(&(1 << 60..=1 << 60), &[PixelType::Float32]));
        assert!(has_bit(PixelType::Byte, 7) && !has_bit(PixelType::Byte, 8) && has_bit(PixelType::Int8, 8));
    }

    #[test]
    fn a_pixel_cannot_have_more_scenes_than_there_are() {
        assert!(too_few(3, 3).is_none() && too_few(4, 3).unwrap().message.contains("only 3"));
    }
}
