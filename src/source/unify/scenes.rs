//! Scenes: the sources of one acquisition each, whose pixels are looked at together.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::derived::{Compiled, float_of};
use super::grid::touched_window;
use super::{Conflict, MosaicBand, PlacedSource, Role, Unifier};
use crate::geometry::{Bounds, Grid};
use crate::pixels::{Formula, MaskRule, Number, PixelType, Program, Resampling, Rule};
use crate::source::scenes::Date;
use crate::source::{Problem, Source, metres_per_unit, same_crs};

/// How a pixel is decided where all its scenes are looked at together.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StackRequest {
    /// The rule.
    pub rule: Rule,
    /// Pixels that fewer scenes see have no data.
    pub least: u32,
    /// Which values of the scenes' masks hide a pixel; in a request they reach so many metres, in a mosaic so many
    /// pixels.
    pub mask: Option<MaskRule>,
    /// Whether a pixel that is zero in all bands of a scene is none.
    pub zero_is_nodata: bool,
    /// By what scenes are told apart, for rules that choose by a score.
    pub score: Option<ScoreRequest>,
}

/// By what scenes are told apart.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum ScoreRequest {
    /// How far a pixel lies from the scene's edge.
    FromEdge,
    /// A formula over its bands.
    Formula(Formula),
}

/// The score of a scene's pixel.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Score {
    /// How far it lies from the scene's edge.
    FromEdge,
    /// What a formula gives.
    Formula {
        /// The formula as it was understood.
        formula: Formula,
        /// The same to be computed fast.
        #[serde(with = "crate::source::sharing")]
        program: Arc<Program>,
        /// What it calls the bands.
        bands: Vec<String>,
    },
}

/// What is put together to a scene.
#[derive(Debug, Clone)]
pub struct SceneSources {
    /// Its name.
    pub name: Arc<str>,
    /// Its files: together they have all bands of the mosaic.
    pub files: Vec<SceneFile>,
    /// The file and the index of its band that say which pixels are hidden.
    pub mask: Option<(Arc<Source>, usize)>,
    /// What is added to the pixels of each band of the mosaic; empty where nothing is.
    pub shifts: Vec<f64>,
    /// The day it was taken.
    pub date: Option<Date>,
}

/// A file of a scene.
#[derive(Debug, Clone)]
pub struct SceneFile {
    /// The file.
    pub source: Arc<Source>,
    /// The indices of the bands that are taken.
    pub bands: Vec<usize>,
    /// Which of the mosaic's bands they are.
    pub slots: Vec<usize>,
}

/// The scenes of a mosaic.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Stacked {
    /// What was asked.
    pub asked: StackRequest,
    /// How many bands are read of each scene.
    pub read_bands: usize,
    /// How many bands are decided.
    pub bands: usize,
    /// The type of each scene's pixels.
    pub pixel_type: PixelType,
    /// The formulas that are computed of each scene.
    pub before: Option<Compiled>,
    /// By what scenes are told apart, for rules that choose by a score.
    pub score: Option<Score>,
    /// The scenes, the first before all others where the rule prefers one.
    pub scenes: Vec<StackedScene>,
}

/// One of them.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct StackedScene {
    /// Its name.
    #[serde(with = "crate::source::sharing")]
    pub name: Arc<str>,
    /// Its files, among the mosaic's sources.
    pub sources: Range<usize>,
    /// Where all its files lie.
    pub bounds: Bounds,
    /// Its mask, among the mosaic's sources.
    pub mask: Option<usize>,
    /// The day it was taken.
    pub date: Option<Date>,
    /// Nodata of each band.
    pub nodata: Vec<Option<Number>>,
    /// What is added to the pixels of each band; empty where nothing is.
    pub shifts: Vec<f64>,
}

impl Stacked {
    /// The scene that a source is a file of, by their indices; nothing for a mask.
    pub fn scene_of(&self, source: usize) -> Option<usize> {
        let scene = self.scenes.partition_point(|scene| scene.sources.end <= source);
        (scene < self.scenes.len()).then_some(scene)
    }
}

impl Unifier<'_> {
    /// The mosaic's scenes, whose masks are put behind the sources.
    pub(super) fn stack(
        &mut self,
        grid: &Grid,
        wkt: &str,
        (bands, pixel_type): (&[MosaicBand], PixelType),
        before: Option<Compiled>,
        placed: &mut Vec<PlacedSource>,
    ) -> Option<Stacked> {
        let mut asked = self.request.stack.clone()?;
        if let Some(mask) = &mut asked.mask {
            // Asked for in metres.
            let (x, y) = metres_per_unit(wkt, &grid.bounds());
            mask.reach = (mask.reach.0 / (grid.resolution.x * x), mask.reach.1 / (grid.resolution.y * y));
        }
        let score = self.score(&asked, bands, pixel_type);
        let read_bands = bands.len();
        let (bands, pixel_type) = match &before {
            Some(Compiled { program, .. }) => (program.outputs().len(), float_of(program)),
            None => (read_bands, pixel_type),
        };
        let mut first = 0;
        let mut scenes: Vec<StackedScene> = match self.scenes {
            None => (0..placed.len()).map(|index| alone(placed, index)).collect(),
            Some(scenes) => scenes
                .iter()
                .map(|scene| {
                    let sources = first..first + scene.files.len();
                    first = sources.end;
                    together(scene, placed, sources, read_bands)
                })
                .collect(),
        };
        for (scene, sources) in scenes.iter_mut().zip(self.scenes.unwrap_or_default()) {
            if let Some((source, band)) = &sources.mask {
                scene.mask = Some(placed.len());
                placed.push(self.place_mask(source, *band, grid, wkt));
            }
        }
        share_files(placed);
        Some(Stacked { asked, read_bands, bands, pixel_type, before, score, scenes })
    }

    /// The score asked for, its formula compiled.
    fn score(&mut self, asked: &StackRequest, bands: &[MosaicBand], pixel_type: PixelType) -> Option<Score> {
        let formula = match asked.score.as_ref()? {
            ScoreRequest::FromEdge => return Some(Score::FromEdge),
            ScoreRequest::Formula(formula) => formula,
        };
        let names: Vec<String> = bands.iter().map(|band| band.carried.description.clone()).collect();
        match Program::compile(std::slice::from_ref(formula), &names, &vec![pixel_type; names.len()]) {
            Ok(program) => {
                Some(Score::Formula { formula: formula.clone(), program: program.into(), bands: names })
            }
            Err(problems) => {
                let of =
                    |message| Conflict { problem: Problem::new("--method", message), sources: Vec::new() };
                self.conflicts.extend(problems.into_iter().map(of));
                None
            }
        }
    }

    /// A mask on the grid: by the nearest pixel, since its values are names.
    fn place_mask(&self, source: &Arc<Source>, band: usize, grid: &Grid, wkt: &str) -> PlacedSource {
        let same_crs = same_crs(&source.wkt, wkt);
        let pixel_type = source.bands[band].pixel_type;
        let (placement, direct) = self.placement(source, (grid, same_crs), Resampling::Nearest, pixel_type);
        PlacedSource {
            source: Arc::clone(source),
            window: touched_window(source, grid, placement),
            direct,
            placement,
            resampling: Resampling::Nearest,
            warp: None,
            role: Role::Mask,
            file: 0,
            bands: Arc::new([band]),
            nodata: Arc::new([None]),
        }
    }
}

/// A source that is a scene of its own.
fn alone(placed: &[PlacedSource], index: usize) -> StackedScene {
    let PlacedSource { source, nodata, .. } = &placed[index];
    StackedScene {
        name: Arc::clone(&source.name),
        sources: index..index + 1,
        bounds: source.footprint.bounds,
        mask: None,
        date: None,
        nodata: nodata.to_vec(),
        shifts: Vec::new(),
    }
}

fn together(
    scene: &SceneSources,
    placed: &[PlacedSource],
    sources: Range<usize>,
    bands: usize,
) -> StackedScene {
    let mut nodata = vec![None; bands];
    for (file, placed) in scene.files.iter().zip(&placed[sources.clone()]) {
        file.slots.iter().zip(placed.nodata.iter()).for_each(|(&slot, value)| nodata[slot] = *value);
    }
    let bounds = scene.files.iter().map(|file| file.source.footprint.bounds);
    StackedScene {
        name: Arc::clone(&scene.name),
        bounds: bounds.reduce(Bounds::common).expect("a scene has a file"),
        sources,
        mask: None,
        date: scene.date,
        nodata,
        shifts: scene.shifts.clone(),
    }
}

/// Sources that are the same file share its decoded blocks.
fn share_files(placed: &mut [PlacedSource]) {
    let mut first = HashMap::<Arc<str>, usize>::new();
    for (index, placed) in placed.iter_mut().enumerate() {
        placed.file = *first.entry(Arc::clone(&placed.source.name)).or_insert(index);
    }
}

/// The conflicts of files as those of the scenes that they belong to.
pub(super) fn conflicts_of_scenes(scenes: &[SceneSources], conflicts: Vec<Conflict>) -> Vec<Conflict> {
    let owners: Vec<usize> =
        scenes.iter().enumerate().flat_map(|(index, scene)| vec![index; scene.files.len()]).collect();
    let of_scenes = |mut conflict: Conflict| {
        conflict.sources.iter_mut().for_each(|source| *source = owners[*source]);
        conflict.sources.dedup();
        conflict
    };
    conflicts.into_iter().map(of_scenes).collect()
}
