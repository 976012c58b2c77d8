//! Scenes, and their pixels decided by looking at all of them.

use anyhow::{Context, Result, bail};

use super::open_sources::OpenSources;
use super::value::{Expected, Value};
use super::{Decided, Layer, derived, mask, rule};
use crate::geometry::Window;
use crate::pixels::{PixelType, Precision, find_band};
use crate::source::{Compiled, Mosaic, Role, Score, Stacked, StackedScene};

/// The scenes that lie in a window, and what they show.
pub(super) struct Scenes<'a> {
    mosaic: &'a Mosaic,
    stack: &'a Stacked,
    window: Window,
    scenes: Vec<(&'a StackedScene, Layer)>,
    /// Of each scene the score of each pixel, NaN where it has none; nothing where no score is asked for.
    scores: Vec<Vec<f32>>,
}

/// A scene's score, and its values in all bands of a pixel.
type Seen = (Option<f32>, Vec<Value>);

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
        sources: &mut OpenSources<'a>,
        stack: &'a Stacked,
        window: Window,
        touching: &[usize],
    ) -> Result<Scenes<'a>> {
        let mosaic = sources.mosaic;
        let mut all = Scenes { mosaic, stack, window, scenes: Vec::new(), scores: Vec::new() };
        for scene in scenes(stack, touching) {
            let layer = read_scene(sources, stack, scene, window)?;
            if let Some(score) = &stack.score {
                let pixels = 0..window.pixels();
                all.scores.push(pixels.map(|pixel| all.score(score, scene, &layer, pixel)).collect());
            }
            let decided = match &stack.before {
                None => layer,
                Some(formulas) => of_formulas(formulas, &layer, (mosaic.working_type, stack.pixel_type)),
            };
            all.scenes.push((scene, decided));
        }
        Ok(all)
    }

    /// One pixel.
    pub fn decide(&self, pixel: usize) -> Decided {
        match self.stack.asked.rule.is_together() {
            true => self.decide_together(pixel),
            false => self.decide_each(pixel),
        }
    }

    /// Bands one by one.
    fn decide_each(&self, pixel: usize) -> Decided {
        let asked = &self.stack.asked;
        let types = (self.stack.pixel_type, self.mosaic.decided().1);
        let band = |band: usize| -> Option<Expected> {
            let values: Vec<Value> = self.scenes.iter().filter_map(|(_, layer)| layer[band][pixel]).collect();
            let enough = values.len() >= asked.least.max(1) as usize;
            enough.then(|| rule::of_band(asked.rule, &values, types.0, types.1))?
        };
        let bands: Vec<Option<Expected>> = (0..self.stack.bands).map(band).collect();
        let any = |(_, layer): &&(&StackedScene, Layer)| layer.iter().any(|band| band[pixel].is_some());
        let count = self.scenes.iter().filter(any).count();
        // What is whole was rounded: another scene may come as near to it.
        let nearest = self.nearest(pixel, &bands, if types.1.is_float() { 1e-6 } else { 1.0 });
        Decided { bands, count, nearest }
    }

    /// All bands together, from scenes without a gap in any.
    fn decide_together(&self, pixel: usize) -> Decided {
        let (asked, mosaic) = (&self.stack.asked, self.mosaic);
        let whole = |(index, (_, layer)): (usize, &(&StackedScene, Layer))| -> Option<Seen> {
            let score = self.scores.get(index).map(|scores| scores[pixel]);
            Some((score, layer.iter().map(|band| band[pixel]).collect::<Option<_>>()?))
        };
        let mut seen: Vec<Seen> = self.scenes.iter().enumerate().filter_map(whole).collect();
        seen.retain(|(score, _)| score.is_none_or(|score| !score.is_nan()));
        let scores: Vec<f32> = seen.iter().filter_map(|(score, _)| *score).collect();
        let values: Vec<Vec<Value>> = seen.into_iter().map(|(_, values)| values).collect();
        let (count, types) = (values.len(), (self.stack.pixel_type, mosaic.decided().1));
        let enough = count >= asked.least.max(1) as usize;
        let decided = enough.then(|| rule::of_all_bands(asked.rule, &values, &scores, types)).flatten();
        let bands: Vec<Option<Expected>> = match decided {
            Some(expected) => expected.into_iter().map(Some).collect(),
            None => vec![None; self.stack.bands],
        };
        let nearest = self.nearest(pixel, &bands, if asked.rule.chooses_scene() { 0.0 } else { 1.0 });
        Decided { bands, count, nearest }
    }

    /// The scenes, by index, that come nearest to what was decided, or as good as that: within `slack` a band.
    fn nearest(&self, pixel: usize, decided: &[Option<Expected>], slack: f64) -> Vec<usize> {
        let distance = |layer: &Layer| -> Option<f64> {
            let each = layer.iter().zip(decided).filter_map(|(band, decided)| {
                let (value, decided) = (band[pixel]?.to_f64(), (*decided)?);
                let middle = (decided.low().to_f64() + decided.high().to_f64()) / 2.0;
                Some(if value == middle { 0.0 } else { (value - middle).abs() })
            });
            each.fold(None, |sum, distance| Some(sum.unwrap_or(0.0) + distance))
        };
        let distances: Vec<Option<f64>> = self.scenes.iter().map(|(_, layer)| distance(layer)).collect();
        let least = distances.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let near = |distance: &Option<f64>| {
            distance
                .is_some_and(|distance| distance <= least * (1.0 + 1e-6) + 2.0 * slack * decided.len() as f64)
        };
        let index =
            |scene: &StackedScene| self.stack.scenes.iter().position(|other| std::ptr::eq(other, scene));
        let scenes = self.scenes.iter().zip(&distances).filter(|(_, distance)| near(distance));
        scenes.filter_map(|((scene, _), _)| index(scene)).collect()
    }

    /// The score of a scene in a pixel, by what is read of it; NaN where it has none.
    fn score(&self, score: &Score, scene: &StackedScene, layer: &Layer, pixel: usize) -> f32 {
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
                let band = |name: &str| Some(layer[find_band(name, bands).ok()?][pixel]?.to_f64());
                let score = match program.precision() {
                    Precision::Single => formula.value::<f32>(&|name| band(name).map(|value| value as f32)),
                    Precision::Double => formula.value::<f64>(&band).map(|score| score as f32),
                };
                score.unwrap_or(f32::NAN)
            }
        }
    }
}

/// What is read of a scene in a window: its files, without what is hidden, brought to one level.
fn read_scene(
    sources: &mut OpenSources,
    stack: &Stacked,
    scene: &StackedScene,
    window: Window,
) -> Result<Layer> {
    let mosaic = sources.mosaic;
    let mut seen = vec![true; window.pixels()];
    let mut bands: Vec<Vec<Value>> = vec![Vec::new(); stack.read_bands];
    for index in scene.sources.clone() {
        let placed = &mosaic.sources[index];
        let Role::Bands(slots) = &placed.role else { bail!("{}: a mask among bands", placed.source.name) };
        let source = sources.get(index, mosaic.working_type)?;
        let part = source.read(window).with_context(|| placed.source.name.to_string())?;
        seen.iter_mut().zip(&part.covered).for_each(|(seen, covered)| *seen &= covered);
        slots.iter().zip(part.bands).for_each(|(&slot, values)| bands[slot] = values);
    }
    if let (Some(mask), Some(rule)) = (scene.mask, &stack.asked.mask) {
        let hidden = mask::hidden(sources, mask, rule, window)?;
        seen.iter_mut().zip(hidden).for_each(|(seen, hidden)| *seen &= !hidden);
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

/// What formulas make of a scene's layer.
fn of_formulas(formulas: &Compiled, layer: &Layer, (from, to): (PixelType, PixelType)) -> Layer {
    let mut made: Layer = vec![Vec::new(); formulas.formulas.len()];
    for pixel in 0..layer[0].len() {
        let bands: Vec<Option<Expected>> =
            layer.iter().map(|band| band[pixel].map(|value| Expected::exactly(value, from))).collect();
        let results = derived::of_formulas(formulas, &bands, to);
        made.iter_mut().zip(results).for_each(|(band, result)| band.push(result.map(Expected::low)));
    }
    made
}
