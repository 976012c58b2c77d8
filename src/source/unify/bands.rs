//! Which bands of each source become the mosaic's.

use super::{SceneFile, Unifier};
use crate::source::{Problem, Source, SourceBand};

/// Which of a source's bands are taken.
pub(super) struct BandMap {
    /// Indices (from 0) of those that are no transparency, in the mosaic's order.
    pub colors: Vec<usize>,
    /// Which of the mosaic's bands they are.
    pub slots: Vec<usize>,
    /// Index of the one that is.
    pub alpha: Option<usize>,
}

impl BandMap {
    fn of(source: &Source, wanted: &[String]) -> Result<BandMap, String> {
        let taken = if wanted.is_empty() {
            (0..source.bands.len()).collect()
        } else {
            wanted.iter().map(|name| find_band(source, name)).collect::<Result<Vec<_>, _>>()?
        };
        let alpha = source.alpha.filter(|alpha| taken.contains(alpha));
        let colors: Vec<usize> = taken.into_iter().filter(|&band| Some(band) != alpha).collect();
        if colors.is_empty() {
            return Err("has no band but transparency".into());
        }
        let slots = (0..colors.len()).collect();
        Ok(BandMap { colors, slots, alpha })
    }

    /// The index, in the source, of the band that becomes this band of the mosaic.
    pub fn own(&self, slot: usize) -> Option<usize> {
        self.slots.iter().position(|&own| own == slot).map(|position| self.colors[position])
    }
}

fn find_band(source: &Source, name: &str) -> Result<usize, String> {
    if let Ok(number) = name.parse::<usize>() {
        let exists = (1..=source.bands.len()).contains(&number);
        return exists
            .then(|| number - 1)
            .ok_or(format!("has no band {number}, only {}", source.bands.len()));
    }
    let described = |band: &SourceBand| band.description == name;
    source.bands.iter().position(described).ok_or_else(|| format!("has no band described as '{name}'"))
}

impl Unifier<'_> {
    /// The bands of each source; all have the same number beside transparency, or it is a conflict.
    pub(super) fn choose_bands(&mut self) -> Option<Vec<BandMap>> {
        if let Some(scenes) = self.scenes {
            let of = |file: &SceneFile| BandMap {
                colors: file.bands.clone(),
                slots: file.slots.clone(),
                alpha: None,
            };
            return Some(scenes.iter().flat_map(|scene| scene.files.iter().map(of)).collect());
        }
        let mut maps = Vec::with_capacity(self.sources.len());
        for (index, source) in self.sources.iter().enumerate() {
            match BandMap::of(source, &self.request.bands) {
                Ok(map) => maps.push(map),
                Err(message) => {
                    let problem = Problem::new(&*source.name, message)
                        .with_hint("gdalinfo lists a raster's bands and their descriptions");
                    self.conflict(problem, vec![index]);
                }
            }
        }
        if maps.len() < self.sources.len() {
            return None;
        }
        self.refuse_other_counts(&maps);
        if self.request.stack.is_some() {
            // A stack's pixels are there or not.
            maps.iter_mut().for_each(|map| map.alpha = None);
        }
        Some(maps)
    }

    fn refuse_other_counts(&mut self, maps: &[BandMap]) {
        let first = &self.sources[0].name;
        let expected = maps[0].colors.len();
        for (index, map) in maps.iter().enumerate().filter(|(_, map)| map.colors.len() != expected) {
            let bands = bands_text(map.colors.len());
            let message = format!("has {bands} without transparency, {first} has {expected}");
            let problem = Problem::new(&*self.sources[index].name, message)
                .with_hint("choose the bands that all inputs have with --bands");
            self.conflict(problem, vec![index]);
        }
    }
}

/// How many bands of colour the mosaic has.
pub(super) fn band_count(maps: &[BandMap]) -> usize {
    maps.iter().flat_map(|map| &map.slots).max().map_or(0, |last| last + 1)
}

fn bands_text(count: usize) -> String {
    if count == 1 { "1 band".into() } else { format!("{count} bands") }
}
