//! From many sources to one mosaic: its grid, types, bands and validity, and everything that stands in the way.

mod asked_type;
mod bands;
mod carried;
mod crs;
mod derived;
mod factor;
mod grid;
mod mosaic;
mod names;
mod reader;
mod scenes;
#[cfg(test)]
mod tests;
mod types;

use std::sync::Arc;

pub use derived::{Beside, Compiled, DeriveRequest, Derived};
pub use mosaic::{Mosaic, MosaicBand, PlacedSource, Role};
pub use reader::ReaderChoice;
pub use scenes::{SceneFile, SceneSources, Score, ScoreRequest, StackRequest, Stacked, StackedScene};

use super::warp::Warps;
use super::{Problem, Source};
use derived::Output;

use crate::geometry::{Bounds, ResolutionRule};
use crate::pixels::{Method, Number, PixelType, Resampling};

/// What is asked of the mosaic.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// How sources are read.
    pub reader: ReaderChoice,
    /// How overlaps are decided, one source after the other; of what a stack decides, what it is alike in types and
    /// meaning.
    pub method: Method,
    /// How they are decided, as it was typed.
    pub method_name: String,
    /// How they are decided where all sources of a pixel are looked at together.
    pub stack: Option<StackRequest>,
    /// Which bands are derived from others.
    pub derive: DeriveRequest,
    /// The target CRS as WKT, when one was asked for.
    pub wkt: Option<String>,
    /// How the resolution is decided.
    pub resolution: ResolutionRule,
    /// Bounds in the target CRS instead of the sources' union.
    pub bounds: Option<Bounds>,
    /// Whether edges lie on multiples of the resolution.
    pub align: bool,
    /// How pixels between pixels are made.
    pub resampling: Resampling,
    /// Bands by number (from 1) or description, in order; empty for all.
    pub bands: Vec<String>,
    /// What the mosaic's bands are called; what the sources agree on where it is empty.
    pub band_names: Vec<String>,
    /// The output's type, when one was asked for.
    pub pixel_type: Option<PixelType>,
    /// Nodata of all sources, whatever they say.
    pub source_nodata: Option<Number>,
    /// Nodata of the output.
    pub nodata: Option<Number>,
}

/// All bands of sources on one grid, the last on top.
impl Default for Request {
    fn default() -> Request {
        Request {
            reader: ReaderChoice::Auto,
            method: Method::Last,
            method_name: Method::Last.to_string(),
            stack: None,
            derive: DeriveRequest::default(),
            wkt: None,
            resolution: ResolutionRule::Same,
            bounds: None,
            align: false,
            resampling: Resampling::Nearest,
            bands: Vec::new(),
            band_names: Vec::new(),
            pixel_type: None,
            source_nodata: None,
            nodata: None,
        }
    }
}

impl Request {
    /// Nodata of each band of a source.
    fn nodata_of(&self, source: &Source) -> Vec<Option<Number>> {
        let zero = self.stack.as_ref().is_some_and(|stack| stack.zero_is_nodata);
        types::source_nodata(source, self.source_nodata, zero)
    }
}

/// Something that keeps sources from becoming one mosaic, and the sources without which it would not.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// What is wrong.
    pub problem: Problem,
    /// Indices of the sources to leave out; empty when leaving out does not help.
    pub sources: Vec<usize>,
}

/// Makes one mosaic of the sources (at least one), or says everything that stands in the way. Warnings come beside it.
pub fn unify(sources: &[Arc<Source>], request: &Request) -> (Result<Mosaic, Vec<Conflict>>, Vec<String>) {
    unify_of(sources, None, request)
}

/// Makes one mosaic of scenes (at least one), as [`unify`] does of sources. Conflicts name the scenes by index.
pub fn unify_scenes(
    scenes: &[SceneSources],
    request: &Request,
) -> (Result<Mosaic, Vec<Conflict>>, Vec<String>) {
    let sources: Vec<Arc<Source>> =
        scenes.iter().flat_map(|scene| scene.files.iter().map(|file| Arc::clone(&file.source))).collect();
    let (mosaic, warnings) = unify_of(&sources, Some(scenes), request);
    (mosaic.map_err(|conflicts| scenes::conflicts_of_scenes(scenes, conflicts)), warnings)
}

fn unify_of(
    sources: &[Arc<Source>],
    scenes: Option<&[SceneSources]>,
    request: &Request,
) -> (Result<Mosaic, Vec<Conflict>>, Vec<String>) {
    let mut unifier = Unifier { sources, scenes, request, conflicts: Vec::new(), warnings: Vec::new() };
    let mosaic = unifier.unify();
    let Unifier { conflicts, warnings, .. } = unifier;
    (mosaic.filter(|_| conflicts.is_empty()).ok_or(conflicts), warnings)
}

/// What is asked, and what was found wrong so far. Each question about the mosaic is answered in a room of its own.
struct Unifier<'a> {
    sources: &'a [Arc<Source>],
    /// The scenes whose files, one after the other, are the sources.
    scenes: Option<&'a [SceneSources]>,
    request: &'a Request,
    conflicts: Vec<Conflict>,
    warnings: Vec<String>,
}

impl Unifier<'_> {
    fn unify(&mut self) -> Option<Mosaic> {
        let (wkt, same_crs) = self.choose_crs();
        self.check_orientation();
        let maps = self.choose_bands();
        if !self.conflicts.is_empty() {
            return None;
        }
        let maps = maps?;
        let grid = self.choose_grid();
        let working_type = self.choose_working_type(&maps);
        let (grid, working_type) = (grid?, working_type?);
        self.refuse_clamped_nodata(&maps, working_type);
        self.refuse_mixed_opacity(&maps, working_type);
        let has_alpha = maps.iter().any(|map| map.alpha.is_some());
        let pixel_type = self.choose_pixel_type(working_type);
        let nodata = self.choose_nodata(&maps, pixel_type);
        let mask = self.needs_mask(has_alpha, nodata);
        let opaque = has_alpha.then(|| self.opacity(&maps)).flatten();
        let bands = self.carry_bands(&maps, nodata, opaque.is_some());
        let (before, after) = match self.request.derive.before {
            true => (self.compile(&bands, working_type), None),
            false => (None, self.compile(&bands, self.result_type(working_type))),
        };
        self.warn_of_impossible_nodata(&maps);
        let mut placed = self.place(&grid, &same_crs, &maps, working_type);
        let stack = self.stack(&grid, &wkt, (&bands, working_type), before.clone(), &mut placed);
        let mut warps = Warps::new(&grid, &wkt);
        placed.iter_mut().for_each(|placed| placed.warp = warps.of(placed));
        self.check_reader(&placed, working_type);
        self.refuse_inexact(&placed, working_type);
        let decided = Output { bands, pixel_type, nodata, mask };
        let (output, derived) = self.derive(decided, before.as_ref(), after);
        let Output { mut bands, pixel_type, nodata, mask } = output;
        self.drop_palettes(&mut bands, pixel_type);
        self.name_provenance(&mut bands, stack.as_ref());
        Some(Mosaic {
            grid,
            wkt,
            working_type,
            pixel_type,
            bands,
            nodata,
            mask,
            opaque,
            derived,
            method: self.request.method,
            method_name: self.request.method_name.clone(),
            stack,
            source_nodata: self.request.source_nodata,
            metadata: self.common_metadata(),
            sources: placed,
        })
    }

    fn conflict(&mut self, problem: Problem, sources: Vec<usize>) {
        self.conflicts.push(Conflict { problem, sources });
    }
}
