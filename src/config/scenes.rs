//! Which scenes there are, and which of their pixels take part: settings, their texts, what does not go together.

use super::Problem;
use super::asked::Asked;
use super::meaning::{bit, day, named, number, switch, text, values, whole};
use crate::pixels::named_values;
use chrono::NaiveDate;
use regex::Regex;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

named_values! {
    /// In which order scenes count.
    Order, "order of scenes" {
        /// As they are given.
        Given => "given",
        /// The earliest first.
        Date => "date",
        /// The latest first.
        DateDescending => "-date",
        /// The clearest first.
        Cloud => "cloud",
    }
}

named_values! {
    /// Whether the offset that Sentinel-2 adds to its pixels from processing baseline 04.00 on is taken away.
    Harmonize, "way to harmonize" {
        /// Where the scene says that it has one.
        Auto => "auto",
        /// Never.
        Off => "off",
    }
}

/// Scenes and masks.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneSettings {
    /// A STAC document whose items are scenes, beside the inputs: a path or an address.
    pub stac: Option<String>,
    /// Puts files together to scenes: a regular expression over their names, with groups named `band` and `scene` or
    /// `date`.
    pub scene_pattern: Option<String>,
    /// The first day wanted.
    pub from: Option<NaiveDate>,
    /// The last day wanted.
    pub to: Option<NaiveDate>,
    /// The most clouds wanted, in percent of the scene.
    pub max_cloud: Option<f64>,
    /// In which order they count.
    pub order: Order,
    /// Whether an offset of Sentinel-2 is taken away.
    pub harmonize: Harmonize,
    /// Whether 0 is nodata in every source.
    pub zero_is_nodata: bool,
    /// The band that says which pixels take part. It does so by values that are left out, by values that alone are
    /// kept, or by bits.
    pub mask_band: Option<String>,
    /// Pixels of these values in the mask band take no part.
    pub mask_values: Vec<RangeInclusive<i64>>,
    /// Only pixels of these values in the mask band take part.
    pub keep_values: Vec<RangeInclusive<i64>>,
    /// Pixels whose mask band has one of these bits set take no part; 0 is the lowest bit, 63 the highest.
    pub mask_bits: Vec<u8>,
    /// Metres around a masked pixel in which none takes part.
    pub mask_buffer: f64,
    /// Scenes with data that a pixel needs at least.
    pub min_count: u32,
}

impl Default for SceneSettings {
    fn default() -> Self {
        SceneSettings {
            stac: None,
            scene_pattern: None,
            from: None,
            to: None,
            max_cloud: None,
            order: Order::Given,
            harmonize: Harmonize::Auto,
            zero_is_nodata: false,
            mask_band: None,
            mask_values: Vec::new(),
            keep_values: Vec::new(),
            mask_bits: Vec::new(),
            mask_buffer: 0.0,
            min_count: 1,
        }
    }
}

impl SceneSettings {
    /// The meaning of what was typed.
    pub(super) fn take(asked: &mut Asked) -> SceneSettings {
        let mut scenes = SceneSettings {
            stac: asked.parsed("stac", "none", text),
            scene_pattern: asked.parsed("scene-pattern", "none", text),
            from: asked.parsed("from", "any day", day),
            to: asked.parsed("to", "any day", day),
            max_cloud: asked.parsed("max-cloud", "any", number),
            mask_band: asked.parsed("mask-band", "none", text),
            mask_values: asked.parsed_list("mask-values", "none", values),
            keep_values: asked.parsed_list("keep-values", "all", values),
            mask_bits: asked.parsed_list("mask-bits", "none", bit),
            ..SceneSettings::default()
        };
        asked.value("order", &mut scenes.order, named);
        asked.value("harmonize", &mut scenes.harmonize, named);
        asked.value("zero-is-nodata", &mut scenes.zero_is_nodata, switch);
        asked.value("mask-buffer", &mut scenes.mask_buffer, number);
        asked.value("min-count", &mut scenes.min_count, whole);
        scenes
    }

    /// What is wrong or does not go together, each with the key at fault.
    pub(super) fn problems(&self) -> Vec<(&'static str, Problem)> {
        let mut found = Vec::new();
        let mut wrong = |key, problem: Problem| found.push((key, problem));
        if self.stac.as_deref().is_some_and(|name| name.trim().is_empty()) {
            wrong("stac", Problem::new("an empty text names no document"));
        }
        if let Some(problem) = self.scene_pattern.as_deref().and_then(pattern_problem) {
            wrong("scene-pattern", problem.hint(r"for example '(?<scene>.*)_(?<band>[^_]+)\.tif$'"));
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            wrong("from", Problem::new(format!("{from} is later than {to}, the last day wanted")));
        }
        if let Some(most) = self.max_cloud.filter(|most| !(0.0..=100.0).contains(most)) {
            wrong("max-cloud", Problem::new(format!("{most} is no percentage from 0 to 100")));
        }
        if !(self.mask_buffer >= 0.0 && self.mask_buffer.is_finite()) {
            wrong("mask-buffer", Problem::new(format!("{} is no distance in metres", self.mask_buffer)));
        }
        if self.min_count == 0 {
            let hint = "1 takes every pixel that has data";
            wrong("min-count", Problem::new("a pixel without any data has no value").hint(hint));
        }
        found.extend(self.mask_problems());
        found
    }

    fn mask_problems(&self) -> Vec<(&'static str, Problem)> {
        let mut found = Vec::new();
        let rules = [
            ("mask-values", !self.mask_values.is_empty()),
            ("keep-values", !self.keep_values.is_empty()),
            ("mask-bits", !self.mask_bits.is_empty()),
        ];
        match self.mask_band.as_deref().map(str::trim) {
            None => {
                let alone = rules.into_iter().chain([("mask-buffer", self.mask_buffer > 0.0)]);
                found.extend(alone.filter(|(_, given)| *given).map(|(key, _)| {
                    (key, Problem::new("has no effect without a mask band").hint("add --mask-band NAME"))
                }));
            }
            Some("") => found.push(("mask-band", Problem::new("an empty text names no band"))),
            Some(band) if !rules.iter().any(|(_, given)| *given) => {
                let message = format!("nothing says which values of {band} are left out");
                let hint = "add --mask-values LIST, --keep-values LIST or --mask-bits LIST";
                found.push(("mask-band", Problem::new(message).hint(hint)));
            }
            Some(_) => {}
        }
        if rules[0].1 && rules[1].1 {
            let message = "contradicts mask-values: values that are not kept are left out anyway";
            found.push(("keep-values", Problem::new(message).hint("give one of them")));
        }
        if let Some(bit) = self.mask_bits.iter().find(|bit| **bit > 63) {
            found.push(("mask-bits", Problem::new(format!("{bit} is no bit; 0 to 63 are"))));
        }
        let mut ranges = [("mask-values", &self.mask_values), ("keep-values", &self.keep_values)].into_iter();
        if let Some((key, _)) = ranges.find(|(_, ranges)| ranges.iter().any(RangeInclusive::is_empty)) {
            found.push((key, Problem::new("a range ends below its beginning")));
        }
        found
    }
}

/// What is wrong with an expression that puts files together to scenes.
fn pattern_problem(text: &str) -> Option<Problem> {
    let pattern = match Regex::new(text) {
        Ok(pattern) => pattern,
        Err(error) => {
            // The last line says what is wrong; those above draw where.
            let error = error.to_string();
            let what = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            return Some(Problem::new(format!("'{text}' is no regular expression: {what}")));
        }
    };
    let has = |wanted: &str| pattern.capture_names().flatten().any(|name| name == wanted);
    let lacking = match (has("band"), has("scene") || has("date")) {
        (true, true) => return None,
        (false, true) => "band",
        (true, false) => "scene or date",
        (false, false) => "band, nor one named scene or date",
    };
    Some(Problem::new(format!("'{text}' has no group named {lacking}")))
}
