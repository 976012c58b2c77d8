//! Scenes: the sources of one acquisition each, whose pixels are looked at together.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::bands::{BandMap, band_count};
use super::grid::touched_window;
use super::{Conflict, PlacedSource, Role, Unifier};
use crate::geometry::Grid;
use crate::pixels::{MaskRule, Number, Resampling, Rule};
use crate::source::{Placement, Source, same_crs};

/// How a pixel is decided where all its scenes are looked at together.
#[derive(Debug, Clone, PartialEq)]
pub struct StackRequest {
    /// The rule.
    pub rule: Rule,
    /// Pixels that fewer scenes see have no data.
    pub least: u32,
    /// Which values of the scenes' masks hide a pixel.
    pub mask: Option<MaskRule>,
    /// Whether a pixel that is zero in all bands of a scene is none.
    pub zero_is_nodata: bool,
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
#[derive(Debug, Clone)]
pub struct Stacked {
    /// What was asked.
    pub asked: StackRequest,
    /// How many bands are decided.
    pub bands: usize,
    /// The scenes, the first before all others where the rule prefers one.
    pub scenes: Vec<StackedScene>,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct StackedScene {
    /// Its name.
    pub name: Arc<str>,
    /// Its files, among the mosaic's sources.
    pub sources: Range<usize>,
    /// Its mask, among the mosaic's sources.
    pub mask: Option<usize>,
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
        &self,
        grid: &Grid,
        wkt: &str,
        maps: &[BandMap],
        placed: &mut Vec<PlacedSource>,
    ) -> Option<Stacked> {
        let asked = self.request.stack.clone()?;
        let bands = band_count(maps);
        let mut first = 0;
        let mut scenes: Vec<StackedScene> = match self.scenes {
            None => (0..placed.len()).map(|index| alone(placed, index)).collect(),
            Some(scenes) => scenes
                .iter()
                .map(|scene| {
                    let sources = first..first + scene.files.len();
                    first = sources.end;
                    together(scene, placed, sources, bands)
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
        Some(Stacked { asked, bands, scenes })
    }

    /// A mask on the grid: by the nearest pixel, since its values are names.
    fn place_mask(&self, source: &Arc<Source>, band: usize, grid: &Grid, wkt: &str) -> PlacedSource {
        let placement = Placement::of(source, grid, same_crs(&source.wkt, wkt));
        PlacedSource {
            source: Arc::clone(source),
            window: touched_window(source, grid, placement),
            direct: self.reads_directly(source, placement, source.bands[band].pixel_type),
            placement,
            resampling: Resampling::Nearest,
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
        mask: None,
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
    StackedScene { name: Arc::clone(&scene.name), sources, mask: None, nodata, shifts: scene.shifts.clone() }
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
