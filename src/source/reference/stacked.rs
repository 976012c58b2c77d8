//! Scenes, and their pixels decided by looking at all of them.

use anyhow::{Context, Result, bail};

use super::open_sources::OpenSources;
use super::value::{Expected, Value};
use super::{Decided, Layer, derived, geometric, mask, rule};
use crate::geometry::Window;
use crate::pixels::{Precision, Rule, find_band};
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

/// A scene's index among all, and its values in all bands of a pixel.
type Seen = (usize, Vec<Option<Value>>);

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
                Some(formulas) => of_formulas(formulas, &layer),
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
        let rule = self.stack.asked.rule;
        let band = |band: usize| -> Option<Expected> {
            let values: Vec<Value> = self.scenes.iter().filter_map(|(_, layer)| layer[band][pixel]).collect();
            self.suffice(values.len()).then(|| rule::of_band(rule, &values, self.stack.pixel_type))?
        };
        let bands: Vec<Option<Expected>> = (0..self.stack.bands).map(band).collect();
        let shown = |(scene, layer): &(&StackedScene, Layer)| -> Seen {
            (self.number(scene), layer.iter().map(|band| band[pixel]).collect())
        };
        let mut seen: Vec<Seen> = self.scenes.iter().map(shown).collect();
        seen.retain(|(_, values)| values.iter().any(Option::is_some));
        let nearest = if rule.is_value() { nearest(&seen, &bands) } else { Vec::new() };
        self.decided(bands, seen.len(), nearest)
    }

    /// All bands together, from scenes without a gap in any.
    fn decide_together(&self, pixel: usize) -> Decided {
        let (rule, working_type) = (self.stack.asked.rule, self.stack.pixel_type);
        let (mut numbers, mut scores, mut scenes) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (scene, layer)) in self.scenes.iter().enumerate() {
            let whole: Option<Vec<Value>> = layer.iter().map(|band| band[pixel]).collect();
            let Some(values) = whole else { continue };
            let score = self.scores.get(index).map(|scores| scores[pixel]);
            let has_place = rule != Rule::GeometricMedian || values.iter().all(|v| v.to_f64().is_finite());
            if has_place && score.is_none_or(|score| !score.is_nan()) {
                numbers.push(self.number(scene));
                scores.extend(score);
                scenes.push(values);
            }
        }
        let count = scenes.len();
        if !self.suffice(count) {
            return self.decided(vec![None; self.stack.bands], count, Vec::new());
        }
        if rule.chooses_scene() {
            let chosen = rule::chosen(rule, &scenes, &scores, working_type);
            let bands = scenes[chosen].iter().map(|&value| Some(Expected::exactly(value))).collect();
            return self.decided(bands, count, vec![numbers[chosen]]);
        }
        let bands = match geometric::median(&scenes, working_type) {
            Some(median) => median.into_iter().map(Some).collect(),
            None => vec![None; self.stack.bands],
        };
        let some = |values: Vec<Value>| values.into_iter().map(Some).collect();
        let seen: Vec<Seen> = numbers.into_iter().zip(scenes.into_iter().map(some)).collect();
        let nearest = nearest(&seen, &bands);
        self.decided(bands, count, nearest)
    }

    /// A pixel as it is decided, in the type of what is.
    fn decided(&self, bands: Vec<Option<Expected>>, count: usize, nearest: Vec<usize>) -> Decided {
        let pixel_type = self.mosaic.decided().1;
        let bands = bands.into_iter().map(|band| band.map(|expected| expected.held_by(pixel_type))).collect();
        Decided { bands, count, nearest }
    }

    /// Whether so many scenes decide a pixel.
    fn suffice(&self, count: usize) -> bool {
        count >= self.stack.asked.least.max(1) as usize
    }

    /// A scene's index among all of the mosaic.
    fn number(&self, scene: &StackedScene) -> usize {
        let own = |other: &StackedScene| std::ptr::eq(other, scene);
        self.stack.scenes.iter().position(own).expect("a scene is one of the mosaic's")
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

/// The scenes of which any may come nearest to what was decided, before that is rounded: whose distances, summed over the
/// bands in which they have data, are the least; of several that is the first.
fn nearest(seen: &[Seen], decided: &[Option<Expected>]) -> Vec<usize> {
    let distance = |(_, values): &Seen| -> Option<(f64, f64)> {
        let pairs = values.iter().zip(decided);
        let each = pairs.filter_map(|(value, decided)| Some((*decided)?.distance((*value)?)));
        each.reduce(|(low, high), (least, most)| (low + least, high + most))
    };
    let distances: Vec<Option<(f64, f64)>> = seen.iter().map(distance).collect();
    let may_be_first = |&index: &usize| {
        let Some((least, _)) = distances[index] else { return false };
        let beaten = |(other, distance): (usize, &Option<(f64, f64)>)| {
            distance.is_some_and(|(_, most)| most < least || other < index && most == least)
        };
        !distances.iter().enumerate().any(beaten)
    };
    (0..seen.len()).filter(may_be_first).map(|index| seen[index].0).collect()
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
fn of_formulas(formulas: &Compiled, layer: &Layer) -> Layer {
    let mut made: Layer = vec![Vec::new(); formulas.formulas.len()];
    for pixel in 0..layer[0].len() {
        let bands: Vec<Option<Expected>> =
            layer.iter().map(|band| band[pixel].map(Expected::exactly)).collect();
        let results = derived::of_formulas(formulas, &bands);
        made.iter_mut().zip(results).for_each(|(band, result)| band.push(result.map(Expected::low)));
    }
    made
}
