//! Methods, formulas, scenes and masks: what their texts mean, and what is refused.

use super::*;
use crate::config::{Harmonize, Method, Order, SceneSettings, Setting, Stage};
use chrono::NaiveDate;
use std::path::Path;

fn day(text: &str) -> Option<NaiveDate> {
    Some(text.parse().unwrap())
}

fn file(text: &str) -> Layer {
    let mut problems = Vec::new();
    let layer = Layer::from_toml(text, Path::new("s.toml"), &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    layer
}

fn environment(variables: &[(&str, &str)]) -> Layer {
    let (mut problems, mut notices) = (Vec::new(), Vec::new());
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let layer = Layer::from_environment(variables, &mut problems, &mut notices);
    assert!(problems.is_empty() && notices.is_empty(), "{problems:?} {notices:?}");
    layer
}

/// Scenes and masks with every setting away from its default.
fn unusual() -> SceneSettings {
    SceneSettings {
        stac: Some("items.json".into()),
        scene_pattern: Some(r"(?<scene>.*)_(?<band>\w+)\.tif".into()),
        from: day("2024-06-01"),
        to: day("2024-06-01"),
        max_cloud: Some(12.5),
        order: Order::DateDescending,
        harmonize: Harmonize::Off,
        zero_is_nodata: true,
        mask_band: Some("QA_PIXEL".into()),
        mask_values: vec![0..=0, 1..=1, 8..=11, -5..=-1],
        keep_values: Vec::new(),
        mask_bits: vec![3, 63],
        mask_buffer: 60.5,
        min_count: 3,
    }
}

#[test]
fn flags_say_which_scenes_and_pixels_take_part() {
    let (settings, session) = flags(&[
        ("stac", "items.json"),
        ("scene-pattern", r"(?<scene>.*)_(?<band>\w+)\.tif"),
        ("from", "2024-06-01"),
        ("to", "2024-06-01"),
        ("max-cloud", "12.5"),
        ("order", "-DATE"),
        ("harmonize", "off"),
        ("zero-is-nodata", "true"),
        ("mask-band", "QA_PIXEL"),
        ("mask-values", "0,1, 8-11"),
        ("mask-values", "-5--1"),
        ("mask-bits", "3,63"),
        ("mask-buffer", "60.5"),
        ("min-count", "3"),
    ])
    .unwrap();
    assert_eq!(settings.scenes, unusual());
    let of = |key: &str| session.settings.iter().find(|setting| setting.key == key).unwrap();
    assert_eq!(of("mask-values").value, "0, 1, 8-11, -5--1");
    assert_eq!((of("order").value.as_str(), &of("order").origin), ("-DATE", &Origin::Flag));
    assert_eq!((of("min-count").value.as_str(), &of("min-count").origin), ("3", &Origin::Flag));
    assert_eq!((of("keep-values").value.as_str(), &of("keep-values").origin), ("all", &Origin::Default));
}

#[test]
fn a_file_says_the_same() {
    let text = r#"
        output = "o.tif"
        stac = "items.json"
        scene_pattern = '(?<scene>.*)_(?<band>\w+)\.tif'
        from = "2024-06-01"
        to = 2024-06-01
        max_cloud = 12.5
        order = "-date"
        harmonize = "off"
        zero_is_nodata = true
        mask_band = "QA_PIXEL"
        mask_values = [0, 1, "8-11", "-5--1"]
        mask_bits = [3, 63]
        mask_buffer = 60.5
        min_count = 3
        expr = ["ndvi=(B08-B04)/(B08+B04)", "low=min(B02, B03)"]
        expr_stage = "before"
        scale_factor = -1e-4
        count_band = true
        provenance = true
        date_band = true
        method = "closest:2024-07-01"
    "#;
    let (settings, session) = resolved(&[file(text)]).unwrap();
    assert_eq!(settings.scenes, unusual());
    assert_eq!(settings.expressions, ["ndvi=(B08-B04)/(B08+B04)", "low=min(B02, B03)"]);
    assert_eq!((settings.expression_stage, settings.scale_factor), (Stage::Before, Some(-1e-4)));
    assert!(settings.count_band && settings.provenance && settings.date_band);
    assert_eq!(settings.method, Method::Closest(day("2024-07-01").unwrap()));
    let from_file = |setting: &&Setting| setting.origin == Origin::File("s.toml".into());
    assert_eq!(session.settings.iter().filter(from_file).count(), text.matches(" = ").count());

    let (settings, _) = resolved(&[file("output = 'o.tif'\nexpr = { z = 'B02', a = 'B03 == 4' }")]).unwrap();
    assert_eq!(settings.expressions, ["z=B02", "a=B03 == 4"], "in the order in which they stand");
}

#[test]
fn the_environment_says_the_same() {
    let (settings, session) = resolved(&[environment(&[
        ("MOSAIC_STREAM_OUTPUT", "o.tif"),
        ("MOSAIC_STREAM_STAC", "items.json"),
        ("MOSAIC_STREAM_SCENE_PATTERN", r"(?<scene>.*)_(?<band>\w+)\.tif"),
        ("MOSAIC_STREAM_FROM", "2024-06-01"),
        ("MOSAIC_STREAM_TO", "2024-06-01"),
        ("MOSAIC_STREAM_MAX_CLOUD", "12.5"),
        ("MOSAIC_STREAM_ORDER", "-date"),
        ("MOSAIC_STREAM_HARMONIZE", "off"),
        ("MOSAIC_STREAM_ZERO_IS_NODATA", "on"),
        ("MOSAIC_STREAM_MASK_BAND", "QA_PIXEL"),
        ("MOSAIC_STREAM_MASK_VALUES", "0,1,8-11,-5--1"),
        ("MOSAIC_STREAM_MASK_BITS", "3,63"),
        ("MOSAIC_STREAM_MASK_BUFFER", "60.5"),
        ("MOSAIC_STREAM_MIN_COUNT", "3"),
        ("MOSAIC_STREAM_EXPR", "low=min(B02, B03); b=B04"),
    ])])
    .unwrap();
    assert_eq!(settings.scenes, unusual());
    assert_eq!(settings.expressions, ["low=min(B02, B03)", "b=B04"]);
    let of_environment = |setting: &&Setting| setting.origin == Origin::Environment;
    assert_eq!(session.settings.iter().filter(of_environment).count(), 15);
}

#[test]
fn items_of_stac_are_inputs_enough() {
    let layers = [layer(Origin::Flag, &[("output", "o.tif"), ("stac", "items.json")])];
    assert!(resolve(Vec::new(), &layers, &MACHINE).is_ok());
    let problems = resolve(Vec::new(), &[layer(Origin::Flag, &[("output", "o.tif")])], &MACHINE).unwrap_err();
    assert!(problems[0].to_string().contains("no input is named") && problems.len() == 1, "{problems:?}");
    assert!(faults(&[("stac", "")]).starts_with("--stac: an empty text"));
}

#[test]
fn a_mask_band_and_what_is_left_out_need_each_other() {
    let text = faults(&[("mask-band", "SCL")]);
    for part in
        ["--mask-band: nothing says which values of SCL", "--mask-values", "--keep-values", "--mask-bits"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(faults(&[("mask-band", "SCL"), ("mask-buffer", "20")]).starts_with("--mask-band: nothing says"));
    for (key, value) in [("mask-values", "3"), ("keep-values", "4-6"), ("mask-bits", "0")] {
        let text = faults(&[(key, value)]);
        assert_eq!(text, format!("--{key}: has no effect without a mask band (add --mask-band NAME)\n"));
        assert!(flags(&[("mask-band", "SCL"), (key, value)]).is_ok());
    }
    assert!(faults(&[("mask-buffer", "20")]).starts_with("--mask-buffer: has no effect"));
    assert!(flags(&[("mask-buffer", "0")]).is_ok());
    let both = [("mask-band", "SCL"), ("mask-values", "3"), ("keep-values", "4")];
    assert!(faults(&both).starts_with("--keep-values: contradicts mask-values"));
    // A list without meaning is one problem, not another one for its absence.
    assert_eq!(faults(&[("mask-band", "SCL"), ("mask-values", "cloud")]).lines().count(), 1);
}

#[test]
fn values_of_scenes_without_meaning_are_refused() {
    for (key, value, part) in [
        ("mask-values", "11-8", "'11-8' is neither"),
        ("keep-values", "4,x", "'x' is neither"),
        ("mask-values", "1.5", "'1.5' is neither"),
        ("mask-values", "-", "'-' is neither"),
        ("mask-bits", "64", "'64' is no bit"),
        ("mask-bits", "-1", "'-1' is no bit"),
        ("mask-buffer", "-1", "-1 is no distance"),
        ("mask-buffer", "inf", "inf is no distance"),
        ("min-count", "0", "a pixel without any data"),
        ("min-count", "-1", "'-1' is no whole number"),
        ("max-cloud", "101", "101 is no percentage"),
        ("max-cloud", "nan", "NaN is no percentage"),
        ("max-cloud", "little", "'little' is no number"),
        ("from", "2024-02-30", "'2024-02-30' is no day; write YYYY-MM-DD"),
        ("to", "June", "'June' is no day"),
        ("order", "random", "'random' is no order of scenes"),
        ("harmonize", "always", "'always' is no way to harmonize"),
        ("scene-pattern", "(", "is no regular expression: unclosed group"),
        ("scene-pattern", "(?<band>.*)", "has no group named scene or date"),
        ("scene-pattern", "(?<date>.*)", "has no group named band"),
        ("scene-pattern", "(.*)", "has no group named band, nor"),
        ("scale-factor", "0", "0 leaves nothing"),
        ("scale-factor", "inf", "inf leaves nothing"),
        ("expr-stage", "during", "'during' is no stage"),
        ("method", "percentile:101", "101 is no percentile"),
    ] {
        let text = faults(&[(key, value)]);
        assert!(text.starts_with(&format!("--{key}: ")) && text.contains(part), "{part} in {text}");
    }
    assert!(flags(&[("scene-pattern", r"(?P<date>\d{8})_(?P<band>B\d+)")]).is_ok());
}

#[test]
fn what_does_not_go_together_is_told_at_once() {
    let text = faults(&[
        ("from", "2024-07-01"),
        ("to", "2024-06-30"),
        ("method", "stddev"),
        ("provenance", "true"),
        ("date-band", "true"),
    ]);
    for line in [
        "--from: 2024-07-01 is later than 2024-06-30, the last day wanted",
        "--provenance: no pixel of method stddev comes from one source",
        "--date-band: no pixel of method stddev comes from one source",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} in\n{text}");
    }
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn settings_made_by_hand_are_judged_alike() {
    let good =
        Settings { inputs: vec!["a.tif".into()], output: "o.tif".into(), ..Settings::for_machine(&MACHINE) };
    assert!(good.problems().is_empty());
    let with = |scenes: SceneSettings| Settings { scenes, ..good.clone() }.problems();
    assert!(with(unusual()).is_empty());
    assert_eq!(with(SceneSettings { mask_bits: vec![64], ..unusual() })[0].0, "mask-bits");
    #[expect(clippy::reversed_empty_ranges, reason = "the mistake that is to be found")]
    let reversed = vec![11..=8];
    assert_eq!(with(SceneSettings { mask_values: reversed, ..unusual() })[0].0, "mask-values");
    let method = Method::Percentile(f64::NAN);
    assert_eq!(Settings { method, ..good }.problems()[0].0, "method");
}
