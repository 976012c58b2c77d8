//! From many sources to one mosaic: its grid, types, bands and validity, and everything that stands in the way.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{CrsGroups, Placement, Problem, Source, SourceBand};
use crate::geometry::{
    Bounds, Footprint, Grid, GridError, GridRequest, ResolutionRule, Window, unify as unify_grid,
};
use crate::pixels::{BandRule, Method, Number, PixelType, Resampling, named_values};
use std::fmt;
use std::str::FromStr;

named_values! {
    /// How the pixels of sources are read.
    ReaderChoice, "reader" {
        /// Directly where that gives what GDAL gives, else through GDAL.
        Auto => "auto",
        /// Directly; a source that cannot be is a problem.
        Direct => "direct",
        /// Through GDAL.
        Vrt => "vrt",
    }
}

/// What is asked of the mosaic.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// How sources are read.
    pub reader: ReaderChoice,
    /// How overlaps are decided.
    pub method: Method,
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
    /// The output's type, when one was asked for.
    pub pixel_type: Option<PixelType>,
    /// Nodata of all sources, whatever they say.
    pub source_nodata: Option<Number>,
    /// Nodata of the output.
    pub nodata: Option<Number>,
}

/// The mosaic to be made: everything that decides its pixels.
#[derive(Debug, Clone)]
pub struct Mosaic {
    /// Its pixel grid.
    pub grid: Grid,
    /// Its CRS as WKT, empty for none.
    pub wkt: Arc<str>,
    /// The type in which sources are read and compared.
    pub working_type: PixelType,
    /// The type of its pixels.
    pub pixel_type: PixelType,
    /// Its bands.
    pub bands: Vec<MosaicBand>,
    /// Its nodata value.
    pub nodata: Option<Number>,
    /// Whether a mask says which pixels are valid.
    pub mask: bool,
    /// Opacity of pixels of sources without transparency, when the mosaic has a band for it (the last).
    pub opaque: Option<Number>,
    /// How overlaps are decided.
    pub method: Method,
    /// How pixels between pixels are made.
    pub resampling: Resampling,
    /// Nodata of all sources, whatever they say.
    pub source_nodata: Option<Number>,
    /// Metadata on which all sources agree.
    pub metadata: Vec<(String, String)>,
    /// The sources in the order in which they are composited: for `first` and `last` the top one first.
    pub sources: Vec<PlacedSource>,
}

/// A band of the mosaic.
#[derive(Debug, Clone, PartialEq)]
pub struct MosaicBand {
    /// How it is decided.
    pub rule: BandRule,
    /// The value where no source has data.
    pub background: Number,
    /// What the sources say of it, and agree on.
    pub carried: SourceBand,
}

/// A source, and where in the mosaic it lies.
#[derive(Debug, Clone)]
pub struct PlacedSource {
    /// The source.
    pub source: Arc<Source>,
    /// The mosaic's pixels that it touches; `None` when it lies outside.
    pub window: Option<Window>,
    /// How its pixels come there.
    pub placement: Placement,
    /// The index, in the source, of each band of the mosaic that it has.
    pub bands: Arc<[usize]>,
    /// Nodata of those bands.
    pub nodata: Arc<[Option<Number>]>,
    /// Whether its blocks are read without GDAL.
    pub direct: bool,
}

/// Something that keeps sources from becoming one mosaic, and the sources without which it would not.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// What is wrong.
    pub problem: Problem,
    /// Indices of the sources to leave out; empty when leaving out does not help.
    pub sources: Vec<usize>,
}

impl Mosaic {
    /// Nodata of each band of a source: what was asked for, or what it says.
    pub fn nodata_of(&self, source: &Source) -> Vec<Option<Number>> {
        source_nodata(source, self.source_nodata)
    }

    /// The rules of all bands.
    pub fn rules(&self) -> Vec<BandRule> {
        self.bands.iter().map(|band| band.rule).collect()
    }

    /// Bytes of one pixel of all bands in the output.
    pub fn pixel_bytes(&self) -> usize {
        self.bands.len() * self.pixel_type.bytes()
    }
}

fn source_nodata(source: &Source, overridden: Option<Number>) -> Vec<Option<Number>> {
    let of = |band: &SourceBand| match overridden {
        Some(value) => Some(value).filter(|value| value.fits(band.pixel_type)),
        None => band.nodata,
    };
    source.bands.iter().map(of).collect()
}

/// Makes one mosaic of the sources (at least one), or says everything that stands in the way. Warnings come beside it.
pub fn unify(sources: &[Arc<Source>], request: &Request) -> (Result<Mosaic, Vec<Conflict>>, Vec<String>) {
    let mut unifier = Unifier { sources, request, conflicts: Vec::new(), warnings: Vec::new() };
    let mosaic = unifier.unify();
    let Unifier { conflicts, warnings, .. } = unifier;
    (mosaic.filter(|_| conflicts.is_empty()).ok_or(conflicts), warnings)
}

struct Unifier<'a> {
    sources: &'a [Arc<Source>],
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
        let has_alpha = maps.iter().any(|map| map.alpha.is_some());
        let pixel_type = self.choose_pixel_type(working_type);
        let nodata = self.choose_nodata(&maps, pixel_type);
        let mask = self.needs_mask(has_alpha);
        let opaque = has_alpha.then(|| self.opacity(&maps)).flatten();
        let bands = self.carry_bands(&maps, nodata, opaque.is_some());
        self.warn_of_impossible_nodata(&maps);
        let placed = self.place(&grid, &same_crs, &maps, working_type);
        self.check_reader(&placed, working_type);
        Some(Mosaic {
            grid,
            wkt,
            working_type,
            pixel_type,
            bands,
            nodata,
            mask,
            opaque,
            method: self.request.method,
            resampling: self.request.resampling,
            source_nodata: self.request.source_nodata,
            metadata: self.common_metadata(),
            sources: placed,
        })
    }

    fn conflict(&mut self, problem: Problem, sources: Vec<usize>) {
        self.conflicts.push(Conflict { problem, sources });
    }

    /// The mosaic's CRS, and for each source whether it has it.
    fn choose_crs(&mut self) -> (Arc<str>, Vec<bool>) {
        let mut groups = CrsGroups::default();
        let target = self.request.wkt.as_deref().map(Arc::from);
        let wkt: Arc<str> = target.clone().unwrap_or_else(|| Arc::clone(&self.sources[0].wkt));
        let wanted = groups.group(&wkt);
        let of: Vec<usize> = self.sources.iter().map(|source| groups.group(&source.wkt)).collect();
        let same = of.iter().map(|&group| group == wanted).collect();
        if target.is_some() {
            let without: Vec<usize> = (0..of.len()).filter(|&i| self.sources[i].wkt.is_empty()).collect();
            for index in without {
                let problem = Problem::new(&*self.sources[index].name, "has no CRS and cannot be warped")
                    .with_hint("give it one with gdal_edit.py -a_srs, or leave out --crs");
                self.conflict(problem, vec![index]);
            }
        } else if of.iter().any(|&group| group != wanted) {
            let mut members = BTreeMap::<usize, Vec<usize>>::new();
            of.iter().enumerate().for_each(|(index, &group)| members.entry(group).or_default().push(index));
            let lines = members.iter().map(|(&group, indices)| {
                format!("\n  {}: {}", groups.name(group), some_names(self.sources, indices))
            });
            let message =
                format!("the inputs have {} different CRSs:{}", members.len(), lines.collect::<String>());
            let others = (0..of.len()).filter(|&i| of[i] != wanted).collect();
            let problem = Problem::new(count_of(self.sources.len()), message)
                .with_hint("name the mosaic's CRS with --crs, and the others are warped to it");
            self.conflict(problem, others);
        }
        (wkt, same)
    }

    fn check_orientation(&mut self) {
        if self.request.wkt.is_some() {
            return;
        }
        for index in 0..self.sources.len() {
            if self.sources[index].geotransform.is_rotated() {
                let problem = Problem::new(&*self.sources[index].name, "is rotated against its CRS's axes")
                    .with_hint("name the mosaic's CRS with --crs, and it is warped");
                self.conflict(problem, vec![index]);
            }
        }
    }

    fn choose_bands(&mut self) -> Option<Vec<BandMap>> {
        let mut maps = Vec::with_capacity(self.sources.len());
        for (index, source) in self.sources.iter().enumerate() {
            match BandMap::of(source, &self.request.bands) {
                Ok(map) => maps.push(map),
                Err(message) => {
                    let problem = Problem::new(&*source.name, message)
                        .with_hint("gdalinfo lists a raster's bands and their descriptions");
                    self.conflicts.push(Conflict { problem, sources: vec![index] });
                }
            }
        }
        if maps.len() < self.sources.len() {
            return None;
        }
        let expected = maps[0].colors.len();
        for (index, map) in maps.iter().enumerate().filter(|(_, map)| map.colors.len() != expected) {
            let message = format!(
                "has {} without transparency, {} has {expected}",
                bands_text(map.colors.len()),
                self.sources[0].name
            );
            let problem = Problem::new(&*self.sources[index].name, message)
                .with_hint("choose the bands that all inputs have with --bands");
            self.conflicts.push(Conflict { problem, sources: vec![index] });
        }
        Some(maps)
    }

    fn choose_grid(&mut self) -> Option<Grid> {
        let footprints: Vec<Footprint> = self.sources.iter().map(|source| source.footprint).collect();
        let request = GridRequest {
            resolution: self.request.resolution,
            bounds: self.request.bounds,
            align: self.request.align,
        };
        let error = match unify_grid(&footprints, &request) {
            Ok(grid) => {
                self.warn_when_outside(&grid);
                return Some(grid);
            }
            Err(error) => error,
        };
        let all = count_of(self.sources.len());
        let (problem, without) = match error {
            GridError::MixedResolution(first, _) => {
                let same = |f: &Footprint| footprints[first].resolution.equals_over(f.resolution, f.size);
                let others: Vec<usize> = (0..footprints.len()).filter(|&i| !same(&footprints[i])).collect();
                let lines = [vec![first], others.clone()].concat().into_iter().take(8).map(|index| {
                    format!("\n  {}: {}", self.sources[index].name, footprints[index].resolution)
                });
                let message = format!("the inputs have different resolutions:{}", lines.collect::<String>());
                let hint = "choose one with --resolution highest, lowest, average, common or X[,Y]";
                (Problem::new(all, message).with_hint(hint), others)
            }
            GridError::NoCommonResolution => {
                let message = "no resolution divides those of all inputs";
                (Problem::new(all, message).with_hint("choose one with --resolution X[,Y]"), vec![])
            }
            GridError::TooLarge(columns, rows) => {
                let message =
                    format!("the mosaic would have {columns} columns and {rows} rows; GDAL holds 2147483647");
                (
                    Problem::new(all, message)
                        .with_hint("cut it with --bounds, or coarsen it with --resolution"),
                    vec![],
                )
            }
            GridError::Empty => {
                let message = "the bounds hold not one pixel";
                (
                    Problem::new("--bounds", message)
                        .with_hint("they are xmin,ymin,xmax,ymax in the mosaic's CRS"),
                    vec![],
                )
            }
        };
        self.conflict(problem, without);
        None
    }

    fn warn_when_outside(&mut self, grid: &Grid) {
        let outside: Vec<usize> = (0..self.sources.len())
            .filter(|&index| self.sources[index].footprint.bounds.touched_window(grid).is_none())
            .collect();
        if !outside.is_empty() {
            let names = some_names(self.sources, &outside);
            self.warnings
                .push(format!("outside of the bounds, so that nothing of them is in the mosaic: {names}"));
        }
    }

    fn choose_working_type(&mut self, maps: &[BandMap]) -> Option<PixelType> {
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

    fn choose_pixel_type(&self, working_type: PixelType) -> PixelType {
        let own = match self.request.method {
            Method::Count if self.sources.len() <= usize::from(u16::MAX) => PixelType::UInt16,
            Method::Count => PixelType::UInt32,
            Method::Sum => working_type.sum_type(self.sources.len()),
            _ => working_type,
        };
        self.request.pixel_type.unwrap_or(own)
    }

    fn choose_nodata(&mut self, maps: &[BandMap], pixel_type: PixelType) -> Option<Number> {
        let mut declared: Vec<Number> = Vec::new();
        for (source, map) in self.sources.iter().zip(maps) {
            let of_bands = source_nodata(source, self.request.source_nodata);
            for value in map.colors.iter().filter_map(|&band| of_bands[band]) {
                if !declared.contains(&value) {
                    declared.push(value);
                }
            }
        }
        let chosen = match (self.request.nodata, self.request.method) {
            (Some(value), _) => Some(value),
            (None, Method::Count) => None,
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

    /// A mask is needed where a source's validity can be said by neither nodata nor transparency.
    fn needs_mask(&self, has_alpha: bool) -> bool {
        let masked = |source: &Arc<Source>| source.mask || source.alpha.is_some();
        !has_alpha && self.request.nodata.is_none() && self.sources.iter().any(masked)
    }

    fn opacity(&self, maps: &[BandMap]) -> Option<Number> {
        let mut types = self.sources.iter().zip(maps).filter_map(|(s, m)| Some(s.bands[m.alpha?].pixel_type));
        types.next().map(|of_alpha| match of_alpha {
            PixelType::UInt16 => Number::Whole(65535),
            _ => Number::Whole(255),
        })
    }

    fn carry_bands(&mut self, maps: &[BandMap], nodata: Option<Number>, has_alpha: bool) -> Vec<MosaicBand> {
        let method = self.request.method;
        let background = nodata.unwrap_or(Number::Whole(0));
        let mut bands = Vec::new();
        for index in 0..maps[0].colors.len() {
            let carried = self.carry_band(maps, index);
            bands.push(MosaicBand { rule: BandRule::Method(method), background, carried });
        }
        if has_alpha {
            let owner = maps.iter().position(|map| map.alpha.is_some()).expect("a source has transparency");
            let alpha = maps[owner].alpha.expect("it has");
            let carried = self.sources[owner].bands[alpha].clone();
            bands.push(MosaicBand { rule: BandRule::Alpha(method), background: Number::Whole(0), carried });
        }
        bands
    }

    /// What the sources agree on for one band. What changes the meaning of its values must agree.
    fn carry_band(&mut self, maps: &[BandMap], index: usize) -> SourceBand {
        let first = &self.sources[0].bands[maps[0].colors[index]];
        let mut carried = first.clone();
        let counted = self.request.method == Method::Count;
        let (mut palettes, mut scales, mut units) = (vec![], vec![], vec![]);
        for (number, (source, map)) in self.sources.iter().zip(maps).enumerate().skip(1) {
            let band = &source.bands[map.colors[index]];
            if std::ptr::eq(band, first) {
                continue;
            }
            if band.palette != first.palette {
                palettes.push(number);
            }
            if (band.scale, band.offset) != (first.scale, first.offset) {
                scales.push(number);
            }
            if band.unit != first.unit {
                units.push(number);
            }
            if band.description != carried.description {
                carried.description.clear();
            }
            if band.categories != carried.categories {
                carried.categories.clear();
            }
            if band.color_interpretation != carried.color_interpretation {
                carried.color_interpretation = "Undefined".into();
            }
            carried.metadata.retain(|item| band.metadata.contains(item));
        }
        let differences = [
            (
                palettes,
                "has another colour palette than",
                "turn them into RGB first: gdal_translate -expand rgb",
            ),
            (scales, "has another scale or offset than", "bring them to one first: gdal_translate -unscale"),
            (units, "has values in another unit than", "bring them to one unit first"),
        ];
        for (numbers, message, hint) in differences.into_iter().filter(|d| !d.0.is_empty() && !counted) {
            let names = some_names(self.sources, &numbers);
            let message = format!("band {}: {message} {}", index + 1, self.sources[0].name);
            self.conflict(Problem::new(names, message).with_hint(hint), numbers);
        }
        if matches!(self.request.method, Method::Mean | Method::Sum | Method::Count) {
            (carried.palette, carried.categories) = (None, Vec::new());
            if carried.color_interpretation == "Palette" {
                carried.color_interpretation = "Gray".into();
            }
        }
        if counted {
            (carried.scale, carried.offset) = (None, None);
            carried.unit.clear();
        }
        carried
    }

    fn warn_of_impossible_nodata(&mut self, maps: &[BandMap]) {
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

    fn place(
        &self,
        grid: &Grid,
        same_crs: &[bool],
        maps: &[BandMap],
        working_type: PixelType,
    ) -> Vec<PlacedSource> {
        type Shared = (Vec<usize>, Vec<Option<Number>>, Arc<[usize]>, Arc<[Option<Number>]>);
        let mut last: Option<Shared> = None;
        let mut placed = Vec::with_capacity(self.sources.len());
        for ((source, map), &same_crs) in self.sources.iter().zip(maps).zip(same_crs) {
            let bands: Vec<usize> = map.colors.iter().chain(&map.alpha).copied().collect();
            let of_bands = source_nodata(source, self.request.source_nodata);
            let is_alpha = |band: usize| Some(band) == map.alpha;
            let nodata: Vec<_> = bands.iter().map(|&b| of_bands[b].filter(|_| !is_alpha(b))).collect();
            let same = last.as_ref().is_some_and(|(b, n, ..)| *b == bands && *n == nodata);
            if !same {
                last = Some((bands.clone(), nodata.clone(), bands.into(), nodata.into()));
            }
            let (_, _, bands, nodata) = last.as_ref().expect("set just now");
            let placement = Placement::of(source, grid, same_crs);
            placed.push(PlacedSource {
                source: Arc::clone(source),
                window: source.footprint.bounds.touched_window(grid),
                placement,
                bands: Arc::clone(bands),
                nodata: Arc::clone(nodata),
                direct: self.request.reader != ReaderChoice::Vrt
                    && why_not_direct(source, placement, working_type).is_none(),
            });
        }
        match self.request.method {
            Method::First => {}
            Method::Last => placed.reverse(),
            // One order whatever the order given, so that sums of floats do not depend on it.
            _ => placed.sort_by(|a, b| a.source.name.cmp(&b.source.name)),
        }
        placed
    }

    /// With `--reader direct`, what cannot be read directly is a problem.
    fn check_reader(&mut self, placed: &[PlacedSource], working_type: PixelType) {
        if self.request.reader != ReaderChoice::Direct {
            return;
        }
        for placed in placed.iter().filter(|placed| !placed.direct) {
            let reason =
                why_not_direct(&placed.source, placed.placement, working_type).unwrap_or("it cannot be");
            let problem = Problem::new(&*placed.source.name, format!("is not read directly: {reason}"))
                .with_hint("leave out --reader, and GDAL reads it");
            let index = self.sources.iter().position(|source| Arc::ptr_eq(source, &placed.source));
            self.conflicts.push(Conflict { problem, sources: index.into_iter().collect() });
        }
    }

    fn common_metadata(&self) -> Vec<(String, String)> {
        let mut common = self.sources[0].metadata.to_vec();
        for source in &self.sources[1..] {
            if !Arc::ptr_eq(&source.metadata, &self.sources[0].metadata) {
                common.retain(|item| source.metadata.contains(item));
            }
        }
        common
    }
}

/// Why GDAL has to read a source; nothing where its blocks give the same pixels.
fn why_not_direct(source: &Source, placement: Placement, working_type: PixelType) -> Option<&'static str> {
    match (&source.direct, placement) {
        (Err(reason), _) => Some(reason),
        (Ok(_), Placement::Resampled | Placement::Warped) => Some("it is not on the mosaic's grid"),
        // Where numbers are rounded or cut, GDAL's way of doing so counts.
        (Ok(layout), _) if !working_type.holds(layout.pixel_type) => {
            Some("its numbers are cut to another type")
        }
        (Ok(_), Placement::OnGrid { .. }) => None,
    }
}

/// Which of a source's bands are taken.
struct BandMap {
    colors: Vec<usize>,
    alpha: Option<usize>,
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
        Ok(BandMap { colors, alpha })
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

fn bands_text(count: usize) -> String {
    if count == 1 { "1 band".into() } else { format!("{count} bands") }
}

fn count_of(count: usize) -> String {
    if count == 1 { "the input".into() } else { format!("{count} inputs") }
}

/// A few names, and how many more.
fn some_names(sources: &[Arc<Source>], indices: &[usize]) -> String {
    const SHOWN: usize = 5;
    let names: Vec<&str> = indices.iter().take(SHOWN).map(|&index| &*sources[index].name).collect();
    match indices.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
