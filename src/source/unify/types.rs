//! What the mosaic's pixels are: their types, and how one without data is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Unifier;
use super::bands::BandMap;
use super::names::{count_of, some_names};
use crate::pixels::{Method, Number, PixelType, Rule};
use crate::source::{Problem, Source, SourceBand};

impl Unifier<'_> {
    /// The type that holds the pixels of all bands that are taken.
    pub(super) fn choose_working_type(&mut self, maps: &[BandMap]) -> Option<PixelType> {
        let mut counted = BTreeMap::<PixelType, usize>::new();
        for (source, map) in self.sources.iter().zip(maps) {
            for &band in map.colors.iter().chain(&map.alpha) {
                *counted.entry(source.bands[band].pixel_type).or_default() += 1;
            }
        }
        let types: Vec<PixelType> = counted.keys().copied().collect();
        let names = || types.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ");
        let promoted = types.iter().copied().map(Some).reduce(|a, b| a?.promote(b?)).flatten();
        match promoted.or(self.request.pixel_type) {
            Some(promoted) => {
                if types.len() > 1 {
                    self.warnings.push(format!("the inputs have pixels of {}: read as {promoted}", names()));
                }
                Some(promoted)
            }
            None => {
                let message = format!("no pixel type holds {} without loss", names());
                let problem = Problem::new(count_of(self.sources.len()), message)
                    .with_hint("choose the output's with --dtype; values that it cannot hold are clamped");
                self.conflict(problem, vec![]);
                None
            }
        }
    }

    /// The output's type: what was asked for, or what the method's results need.
    pub(super) fn choose_pixel_type(&self, working_type: PixelType) -> PixelType {
        self.request.pixel_type.unwrap_or(self.result_type(working_type))
    }

    /// The type that holds the method's results.
    pub(super) fn result_type(&self, working_type: PixelType) -> PixelType {
        match self.request.method {
            Method::Count if self.sources.len() <= usize::from(u16::MAX) => PixelType::UInt16,
            Method::Count => PixelType::UInt32,
            Method::Sum => working_type.sum_type(self.sources.len()),
            _ => working_type,
        }
    }

    /// The output's nodata: what was asked for, or the first that any source has.
    pub(super) fn choose_nodata(&mut self, maps: &[BandMap], pixel_type: PixelType) -> Option<Number> {
        let declared = self.declared_nodata(maps);
        let chosen = match (self.request.nodata, self.request.method) {
            (Some(value), _) => Some(value),
            (None, Method::Count) => None,
            // What deviates by nothing has data: where a value is needed that no deviation has, there is but NaN.
            (None, _) if self.makes_deviations() => {
                Some(Number::Float(f64::NAN)).filter(|_| pixel_type.is_float() && !declared.is_empty())
            }
            (None, _) => declared.first().copied(),
        }?;
        if declared.len() > 1 && self.request.nodata.is_none() {
            let values = declared.iter().map(Number::to_string).collect::<Vec<_>>().join(", ");
            self.warnings
                .push(format!("the inputs have different nodata values ({values}): the output has {chosen}"));
        }
        if !chosen.fits(pixel_type) {
            self.warnings.push(format!(
                "nodata {chosen} cannot be held by {pixel_type}: the output has no nodata value, and pixels without \
                 data are 0"
            ));
            return None;
        }
        Some(chosen)
    }

    /// Every nodata value that any band taken has, once, in the order of the sources.
    fn declared_nodata(&self, maps: &[BandMap]) -> Vec<Number> {
        let mut declared: Vec<Number> = Vec::new();
        for (source, map) in self.sources.iter().zip(maps) {
            let of_bands = self.request.nodata_of(source);
            for value in map.colors.iter().filter_map(|&band| of_bands[band]) {
                if !declared.contains(&value) {
                    declared.push(value);
                }
            }
        }
        declared
    }

    /// Whether the output's values tell how others are spread.
    pub(super) fn makes_deviations(&self) -> bool {
        self.request.stack.as_ref().is_some_and(|stack| stack.rule == Rule::StandardDeviation)
    }

    /// A mask is needed where a source's validity can be said by neither nodata nor transparency.
    pub(super) fn needs_mask(&self, has_alpha: bool, nodata: Option<Number>) -> bool {
        let masked = |source: &Arc<Source>| source.mask || source.alpha.is_some();
        // Scenes leave gaps wherever they do not lie, or have NaN.
        let counts = self.request.method == Method::Count;
        let gaps = nodata.is_none() && self.request.stack.is_some() && !counts;
        gaps || !has_alpha && self.request.nodata.is_none() && self.sources.iter().any(masked)
    }

    /// Full opacity, as the first source that has transparency counts it.
    pub(super) fn opacity(&self, maps: &[BandMap]) -> Option<Number> {
        let mut types = self.sources.iter().zip(maps).filter_map(|(s, m)| Some(s.bands[m.alpha?].pixel_type));
        types.next().map(opacity_of)
    }

    /// A nodata value that a band's type cannot hold marks no pixel.
    pub(super) fn warn_of_impossible_nodata(&mut self, maps: &[BandMap]) {
        let mut seen = BTreeMap::<String, Vec<usize>>::new();
        for (index, (source, map)) in self.sources.iter().zip(maps).enumerate() {
            for &band in &map.colors {
                let band = &source.bands[band];
                let overridden = self.request.source_nodata.filter(|value| !value.fits(band.pixel_type));
                let declared = band.impossible_nodata.filter(|_| self.request.source_nodata.is_none());
                if let Some(value) = overridden.or(declared) {
                    let text = format!("nodata {value} cannot be held by {}", band.pixel_type);
                    let of = seen.entry(text).or_default();
                    if of.last() != Some(&index) {
                        of.push(index);
                    }
                }
            }
        }
        for (text, indices) in seen {
            let names = some_names(self.sources, &indices);
            self.warnings.push(format!("{names}: {text}: all pixels count as data"));
        }
    }
}

/// Full opacity in an alpha band of this type.
pub(super) fn opacity_of(pixel_type: PixelType) -> Number {
    Number::Whole(if pixel_type == PixelType::UInt16 { 65535 } else { 255 })
}

/// Nodata of each band of a source: what was asked for, or what it says, or else zero where that is none.
pub(super) fn source_nodata(source: &Source, asked: Option<Number>, zero: bool) -> Vec<Option<Number>> {
    let of = |band: &SourceBand| {
        let value = match asked {
            Some(value) => Some(value).filter(|value| value.fits(band.pixel_type)),
            None => band.nodata.or(zero.then_some(Number::Whole(0))),
        };
        // A Float32 pixel has the nearest Float32, also where it is compared as Float64.
        value.map(|value| if band.pixel_type == PixelType::Float32 { value.as_float32() } else { value })
    };
    source.bands.iter().map(of).collect()
}
