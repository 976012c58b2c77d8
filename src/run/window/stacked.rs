//! The pixels of an area decided from all scenes at once: read scene by scene, masked, brought to one level, decided.

use std::time::Instant;

use anyhow::Result;

use super::deciding::Deciding;
use super::read_scene::ReadScene;
use super::reader::SourceReader;
use super::scores::Scores;
use crate::geometry::{Size, Window};
use crate::pixels::{Buffer, Decision, MaskRule, Number, Present, Side, Stack};
use crate::plan::Job;
use crate::run::Totals;
use crate::source::{Pixels, Role, Stacked, StackedScene};

/// The memory in which a worker decides pixels from stacks of scenes.
pub struct StackedScenes<'a> {
    shared: &'a Deciding<'a>,
    scenes: &'a Stacked,
    stack: Stack,
    /// What is told of each pixel beside its value, where it is wanted; and the scenes in the stack, by number.
    side: Option<Side>,
    touched: Vec<usize>,
    /// One scene as it is read, where formulas are computed of it.
    read: Option<ReadScene>,
    layer: Pixels,
    background: Vec<Number>,
    mask: HiddenPixels,
    scores: Scores,
}

impl<'a> StackedScenes<'a> {
    /// Nothing read yet.
    pub fn new(shared: &'a Deciding<'a>, scenes: &'a Stacked) -> StackedScenes<'a> {
        let mosaic = shared.mosaic;
        StackedScenes {
            shared,
            scenes,
            stack: Stack::new(scenes.pixel_type, scenes.bands),
            side: mosaic
                .derived
                .as_ref()
                .filter(|derived| !derived.beside.is_empty())
                .map(|_| Side::default()),
            touched: Vec::new(),
            read: scenes.before.as_ref().map(|_| ReadScene::new(mosaic.working_type, scenes)),
            layer: Pixels::new(mosaic.working_type),
            background: mosaic.decided().0.iter().map(|band| band.background).collect(),
            mask: HiddenPixels::default(),
            scores: Scores::default(),
        }
    }

    /// Decides all bands of an area of the job's window into `pixels` (bands × rows × columns), and into `valid` (rows ×
    /// columns) which of its pixels have data.
    ///
    /// # Errors
    /// When a source cannot be read.
    pub fn decide(
        &mut self,
        job: Job,
        area: Window,
        reader: &mut SourceReader,
        pixels: &mut Buffer,
        valid: &mut [u8],
    ) -> Result<()> {
        let scenes = self.scenes;
        let sources = self.shared.touching.sources(job.window_row, area);
        self.touched.clear();
        self.touched.extend(sources.filter_map(|source| scenes.scene_of(source)));
        self.touched.dedup();
        self.stack.reset(area.size(), self.touched.len());
        self.scores.values.clear();
        for index in 0..self.touched.len() {
            self.add(&scenes.scenes[self.touched[index]], area, reader)?;
        }
        let compositing = Instant::now();
        let decision = Decision {
            rule: scenes.asked.rule,
            score: scenes.score.is_some().then_some(&self.scores.values),
            least: scenes.asked.least,
            background: &self.background,
        };
        self.stack.decide(&decision, pixels, valid, self.side.as_mut());
        Totals::add(&self.shared.totals.composite, compositing);
        Ok(())
    }

    /// What is told of each pixel decided last, and the scenes that were in the stack.
    pub fn told(&self) -> Option<(&Side, &[usize])> {
        Some((self.side.as_ref()?, &self.touched))
    }

    /// Puts a scene below those that are there.
    fn add(&mut self, scene: &StackedScene, area: Window, reader: &mut SourceReader) -> Result<()> {
        let Deciding { mosaic, totals, .. } = *self.shared;
        let (score, grid) = (self.scenes.score.as_ref(), &mosaic.grid);
        match self.read.take() {
            None => {
                let number = self.stack.push(&scene.nodata);
                self.read_scene(scene, area, reader, number, None)?;
                let scoring = Instant::now();
                // Scenes with a gap in any band are not looked at.
                let of = (&self.stack, Present::Everywhere);
                score.into_iter().for_each(|score| self.scores.add(score, (scene, area), grid, of));
                Totals::add(&totals.composite, scoring);
            }
            Some(mut read) => {
                read.stack.reset(area.size(), 1);
                read.stack.push(&scene.nodata);
                self.read_scene(scene, area, reader, 0, Some(&mut read.stack))?;
                let deriving = Instant::now();
                read.mark_present();
                let of = (&read.stack, Present::Bands(&read.present));
                score.into_iter().for_each(|score| self.scores.add(score, (scene, area), grid, of));
                read.derive_into(&mut self.stack, self.scenes);
                Totals::add(&totals.composite, deriving);
                self.read = Some(read);
            }
        }
        Ok(())
    }

    /// Reads a scene into the stack, or into another one, as the scene with this number: masked, and brought to one
    /// level.
    fn read_scene(
        &mut self,
        scene: &StackedScene,
        area: Window,
        reader: &mut SourceReader,
        number: usize,
        into: Option<&mut Stack>,
    ) -> Result<()> {
        let Deciding { mosaic, totals, .. } = *self.shared;
        let stack = into.unwrap_or(&mut self.stack);
        let mut files = 0;
        for index in scene.sources.clone() {
            if files == Stack::MOST_FILES {
                stack.settle(number, files);
                files = 1;
            }
            files += 1;
            let placed = &mosaic.sources[index];
            let Some(part) = placed.window.and_then(|window| window.intersection(area)) else { continue };
            let Role::Bands(slots) = &placed.role else { continue };
            if reader.reads_into_scenes(index, slots) {
                reader.read_into_scene(
                    (index, part),
                    (area, slots),
                    (&mut *stack, number),
                    &mut self.layer,
                )?;
                continue;
            }
            reader.each_part(index, part, 0..slots.len(), &mut self.layer, &mut |place, layer| {
                let compositing = Instant::now();
                let mask = layer.masked.then_some(&layer.mask[..]);
                stack.add_part(number, slots, place.from(area), &layer.values, mask);
                Totals::add(&totals.composite, compositing);
            })?;
        }
        // Bands of a scene may lie in several files: it is seen where all of them are.
        stack.settle(number, files);
        if let (Some(mask), Some(rule)) = (scene.mask, &self.scenes.asked.mask) {
            self.mask.read(mask, rule, area, self.shared, reader)?;
            stack.hide(number, &self.mask.hidden);
        }
        let compositing = Instant::now();
        for (band, &shift) in scene.shifts.iter().enumerate().filter(|(_, shift)| **shift != 0.0) {
            stack.shift(number, band, shift);
        }
        Totals::add(&totals.composite, compositing);
        Ok(())
    }
}

/// Which pixels of an area a scene's mask hides.
#[derive(Default)]
struct HiddenPixels {
    /// Rows × columns of the area, 1 where the mask hides the pixel.
    hidden: Vec<u8>,
    /// The same with a margin around.
    around: Vec<u8>,
    steps: Vec<u32>,
    layer: Option<Pixels>,
}

impl HiddenPixels {
    /// Reads a scene's mask in an area, and as far around as hidden pixels reach. Where there is no mask, pixels are
    /// hidden: what they show is not known.
    fn read(
        &mut self,
        index: usize,
        rule: &MaskRule,
        area: Window,
        shared: &Deciding,
        reader: &mut SourceReader,
    ) -> Result<()> {
        let placed = &shared.mosaic.sources[index];
        let wide = with_margin(area, rule.margin(shared.mosaic.grid.size), shared.mosaic.grid.size);
        let pixel_type = placed.source.bands[placed.bands[0]].pixel_type;
        let layer = match self.layer.take() {
            Some(layer) if layer.values.pixel_type() == pixel_type => layer,
            _ => Pixels::new(pixel_type),
        };
        let layer = self.layer.insert(layer);
        // Beyond the mask nothing is known, but nothing is hidden that would reach into it.
        self.around.clear();
        self.around.resize(wide.pixels(), 0);
        self.hidden.clear();
        self.hidden.resize(area.pixels(), 1);
        let Some(part) = placed.window.and_then(|window| window.intersection(wide)) else { return Ok(()) };
        let (around, hidden, totals) = (&mut self.around, &mut self.hidden, shared.totals);
        let mut marks = Vec::new();
        reader.each_part(index, part, 0..1, layer, &mut |place, layer| {
            let compositing = Instant::now();
            marks.resize(place.pixels(), 0);
            rule.mark(&layer.values, &mut marks);
            if layer.masked {
                // Nor is anything known where the mask's own file has no data.
                marks.iter_mut().zip(&layer.mask).for_each(|(mark, &mask)| *mark &= u8::from(mask != 0));
            }
            put(&marks, place, wide, around);
            if let Some(inside) = place.intersection(area) {
                known(layer, place, inside, area, hidden);
            }
            Totals::add(&totals.composite, compositing);
        })?;
        rule.grow(wide.size(), around, &mut self.steps);
        for row in 0..area.rows {
            let from = (row + area.row - wide.row) * wide.columns + area.column - wide.column;
            let line = &mut hidden[row * area.columns..][..area.columns];
            line.iter_mut().zip(&around[from..]).for_each(|(hidden, &around)| *hidden |= around);
        }
        Ok(())
    }
}

/// An area and so many columns and rows around it, as far as the mosaic goes.
fn with_margin(area: Window, (columns, rows): (usize, usize), mosaic: Size) -> Window {
    let (column, row) = (area.column.saturating_sub(columns), area.row.saturating_sub(rows));
    let (right, bottom) =
        ((area.end_column() + columns).min(mosaic.columns), (area.end_row() + rows).min(mosaic.rows));
    Window::new(column, row, right - column, bottom - row)
}

/// Copies marks of `place` (rows × columns) to where they belong in `whole`.
fn put(marks: &[u8], place: Window, whole: Window, to: &mut [u8]) {
    for (row, marks) in (place.row - whole.row..).zip(marks.chunks_exact(place.columns)) {
        let start = row * whole.columns + place.column - whole.column;
        to[start..][..place.columns].copy_from_slice(marks);
    }
}

/// Takes the marks away from the pixels `inside` that the mask tells of, read in `place`.
fn known(layer: &Pixels, place: Window, inside: Window, area: Window, hidden: &mut [u8]) {
    for row in inside.row..inside.end_row() {
        let from = (row - place.row) * place.columns + inside.column - place.column;
        let to = (row - area.row) * area.columns + inside.column - area.column;
        let hidden = &mut hidden[to..][..inside.columns];
        match layer.masked {
            false => hidden.fill(0),
            true => hidden
                .iter_mut()
                .zip(&layer.mask[from..])
                .for_each(|(hidden, &mask)| *hidden = u8::from(mask == 0)),
        }
    }
}
