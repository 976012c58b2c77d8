//! Scenes, and their pixels decided by looking at all of them.

use anyhow::{Context, Result, bail};

use super::read::read_source;
use super::value::{Expected, Value};
use super::{Layer, mask, rule};
use crate::geometry::Window;
use crate::pixels::{Precision, find_band};
use crate::source::{Mosaic, Role, Score, Stacked, StackedScene};

/// The scenes that lie in a window, and what they show.
pub(super) struct Scenes<'a> {
    mosaic: &'a Mosaic,
    stack: &'a Stacked,
    window: Window,
    scenes: Vec<(&'a StackedScene, Layer)>,
}

/// A scene's values in all bands of a pixel.
pub(super) type Seen<'a> = (&'a StackedScene, Vec<Value>);

/// How many scenes lie where these sources do.
pub(super) fn depth(stack: &Stacked, touching: &[usize]) -> usize {
    scenes(stack, touching).count()
}

/// A scene is seen only where all its files are. `touching` is in ascending order.
fn scenes<'a>(stack: &'a Stacked, touching: &[usize]) -> impl Iterator<Item = &'a StackedScene> {
    let complete =
        |scene: &&StackedScene| scene.sources.clone().all(|source| touching.binary_search(&source).is_ok());
    stack.scenes.iter().filter(complete)
}

impl<'a> Scenes<'a> {
    /// Reads all scenes that `touching` are the files of.
    pub fn read(
        mosaic: &'a Mosaic,
        stack: &'a Stacked,
        window: Window,
        touching: &[usize],
        unit: usize,
    ) -> Result<Scenes<'a>> {
        let read = |scene| Ok((scene, read_scene(mosaic, stack, scene, window, unit)?));
        let scenes = scenes(stack, touching).map(read).collect::<Result<_>>()?;
        Ok(Scenes { mosaic, stack, window, scenes })
    }

    /// One pixel of all bands; `None` where there are no data.
    pub fn decide(&self, pixel: usize) -> Vec<Option<Expected>> {
        let (asked, mosaic) = (&self.stack.asked, self.mosaic);
        let least = asked.least.max(1) as usize;
        if !asked.rule.is_together() {
            let band = |band: usize| -> Option<Expected> {
                let values: Vec<Value> =
                    self.scenes.iter().filter_map(|(_, layer)| layer[band][pixel]).collect();
                let enough = values.len() >= least;
                enough.then(|| rule::of_band(asked.rule, &values, mosaic.working_type, mosaic.pixel_type))?
            };
            return (0..self.stack.bands).map(band).collect();
        }
        // Without a gap in any band.
        let whole = |(scene, layer): &(&'a StackedScene, Layer)| -> Option<Seen<'a>> {
            Some((*scene, layer.iter().map(|band| band[pixel]).collect::<Option<_>>()?))
        };
        let mut seen: Vec<Seen> = self.scenes.iter().filter_map(whole).collect();
        let scores = match &self.stack.score {
            None => Vec::new(),
            Some(score) => {
                let mut scores: Vec<f32> = seen.iter().map(|seen| self.score(score, seen, pixel)).collect();
                let mut has_score = scores.iter().map(|score| !score.is_nan());
                seen.retain(|_| has_score.next().unwrap_or(false));
                scores.retain(|score| !score.is_nan());
                scores
            }
        };
        let values: Vec<Vec<Value>> = seen.into_iter().map(|(_, values)| values).collect();
        let types = (mosaic.working_type, mosaic.pixel_type);
        let decided =
            (values.len() >= least).then(|| rule::of_all_bands(asked.rule, &values, &scores, types));
        match decided.flatten() {
            Some(expected) => expected.into_iter().map(Some).collect(),
            None => vec![None; self.stack.bands],
        }
    }

    /// A scene's score in a pixel; NaN where it has none.
    fn score(&self, score: &Score, (scene, values): &Seen, pixel: usize) -> f32 {
        match score {
            Score::FromEdge => {
                let (grid, edges) = (&self.mosaic.grid, scene.bounds);
                let column = self.window.column + pixel % self.window.columns;
                let row = self.window.row + pixel / self.window.columns;
                let x = grid.bounds().min_x + (column as f64 + 0.5) * grid.resolution.x;
                let y = grid.bounds().max_y - (row as f64 + 0.5) * grid.resolution.y;
                let distances = [x - edges.min_x, edges.max_x - x, y - edges.min_y, edges.max_y - y];
                distances.into_iter().fold(f64::INFINITY, f64::min) as f32
            }
            Score::Formula { formula, program, bands } => {
                let band = |name: &str| find_band(name, bands).ok().map(|band| values[band].to_f64());
                let score = match program.precision() {
                    Precision::Single => formula.value::<f32>(&|name| band(name).map(|value| value as f32)),
                    Precision::Double => formula.value::<f64>(&band).map(|score| score as f32),
                };
                score.unwrap_or(f32::NAN)
            }
        }
    }
}

/// What a scene shows in a window: its files, without what is hidden, brought to one level.
fn read_scene(
    mosaic: &Mosaic,
    stack: &Stacked,
    scene: &StackedScene,
    window: Window,
    unit: usize,
) -> Result<Layer> {
    let mut seen = vec![true; window.pixels()];
    let mut bands: Vec<Vec<Value>> = vec![Vec::new(); stack.bands];
    for placed in &mosaic.sources[scene.sources.clone()] {
        let Role::Bands(slots) = &placed.role else { bail!("{}: a mask among bands", placed.source.name) };
        let part = read_source(mosaic, placed, mosaic.working_type, window, unit)
            .with_context(|| placed.source.name.to_string())?;
        seen.iter_mut().zip(&part.covered).for_each(|(seen, covered)| *seen &= covered);
        slots.iter().zip(part.bands).for_each(|(&slot, values)| bands[slot] = values);
    }
    if let (Some(mask), Some(rule)) = (scene.mask, &stack.asked.mask) {
        let hidden = mask::hidden(mosaic, mask, rule, window, unit)?;
        seen.iter_mut().zip(hidden).for_each(|(seen, hidden)| *seen &= !hidden);
    }
    if stack.asked.zero_is_nodata {
        for (pixel, seen) in seen.iter_mut().enumerate() {
            *seen &= bands.iter().any(|band| band[pixel].to_f64() != 0.0);
        }
    }
    let mut layer = Layer::new();
    for (index, values) in bands.into_iter().enumerate() {
        let nodata = scene.nodata[index].map(|nodata| Value::of(nodata, mosaic.working_type));
        let shift = scene.shifts.get(index).copied().unwrap_or(0.0);
        let shown = |(value, &seen): (Value, &bool)| -> Option<Value> {
            let is_nodata = value.is_nan() || nodata.is_some_and(|nodata| nodata.same(value));
            if !seen || is_nodata {
                return None;
            } else if shift == 0.0 {
                return Some(value);
            }
            let shifted = Value::Float(value.to_f64() + shift).held_by(mosaic.working_type);
            let is_nodata = nodata.is_some_and(|nodata| nodata.same(shifted));
            // What the shift makes nodata has data still.
            Some(if is_nodata { shifted.neighbour(mosaic.working_type) } else { shifted })
        };
        layer.push(values.into_iter().zip(&seen).map(shown).collect());
    }
    Ok(layer)
}
