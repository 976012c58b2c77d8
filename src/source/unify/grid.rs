//! The mosaic's grid, and each source's place on it.

use std::sync::Arc;

use super::bands::BandMap;
use super::names::{count_of, some_names};
use super::{PlacedSource, Request, Role, Unifier};
use crate::geometry::{
    Footprint, Grid, GridError, GridRequest, ResolutionRule, Size, Window, unify as unify_grid,
};
use crate::pixels::{Method, Number, PixelType, Resampling};
use crate::source::{Placement, Problem, Source};

/// A mosaic of so many pixels is made only of what the user bounds: a header of a few bytes can claim them.
const MOST_PIXELS: usize = 1 << 40;

impl Unifier<'_> {
    /// The grid asked for, of all sources' footprints.
    pub(super) fn choose_grid(&mut self) -> Option<Grid> {
        let footprints: Vec<Footprint> = self.sources.iter().map(|source| source.footprint).collect();
        let Request { mut resolution, bounds, align, .. } = *self.request;
        if self.scenes.is_some() && resolution == ResolutionRule::Same {
            // Bands of one scene are of several resolutions by nature.
            resolution = ResolutionRule::Highest;
        }
        match unify_grid(&footprints, &GridRequest { resolution, bounds, align }) {
            Ok(grid) if bounds.is_none() && grid.size.pixels() >= MOST_PIXELS => {
                self.refuse_claims(&grid);
                None
            }
            Ok(grid) => {
                self.warn_when_outside(&grid);
                Some(grid)
            }
            Err(GridError::MixedResolution(first, _)) => {
                self.refuse_mixed_resolution(&footprints, first);
                None
            }
            Err(error) => {
                self.refuse_grid(error);
                None
            }
        }
    }

    fn refuse_mixed_resolution(&mut self, footprints: &[Footprint], first: usize) {
        let same = |f: &Footprint| footprints[first].resolution.equals_over(f.resolution, f.size);
        let others: Vec<usize> = (0..footprints.len()).filter(|&i| !same(&footprints[i])).collect();
        const SHOWN: usize = 8;
        let shown = std::iter::once(first).chain(others.iter().copied()).take(SHOWN);
        let lines =
            shown.map(|index| format!("\n  {}: {}", self.sources[index].name, footprints[index].resolution));
        let message = format!("the inputs have different resolutions:{}", lines.collect::<String>());
        let problem = Problem::new(count_of(self.sources.len()), message)
            .with_hint("choose one with --resolution highest, lowest, average, common or X[,Y]");
        self.conflict(problem, others);
    }

    /// Says that the inputs claim too many pixels; without those that do so alone there may be a mosaic.
    fn refuse_claims(&mut self, grid: &Grid) {
        let claims = |index: &usize| self.sources[*index].size.pixels() >= MOST_PIXELS;
        let alone: Vec<usize> = (0..self.sources.len()).filter(claims).collect();
        let who = match alone.is_empty() {
            true => count_of(self.sources.len()),
            false => some_names(self.sources, &alone),
        };
        let message = format!("a mosaic of {}x{} pixels is claimed", grid.size.columns, grid.size.rows);
        let problem =
            Problem::new(who, message).with_hint("say with --bounds which part is wanted, if that is meant");
        self.conflict(problem, alone);
    }

    /// Says why there is no grid, whichever sources were left out.
    fn refuse_grid(&mut self, error: GridError) {
        let all = match self.sources.len() {
            1 => some_names(self.sources, &[0]),
            count => count_of(count),
        };
        let problem = match error {
            GridError::MixedResolution(..) | GridError::NoCommonResolution => {
                Problem::new(all, "no resolution divides those of all inputs")
                    .with_hint("choose one with --resolution X[,Y]")
            }
            GridError::TooLarge(columns, rows) => {
                // Hundreds of digits say less than an exponent.
                let count =
                    |pixels: f64| if pixels < 1e12 { pixels.to_string() } else { format!("{pixels:.1e}") };
                let (columns, rows) = (count(columns), count(rows));
                let message =
                    format!("the mosaic would have {columns} columns and {rows} rows; GDAL holds 2147483647");
                Problem::new(all, message).with_hint("cut it with --bounds, or coarsen it with --resolution")
            }
            GridError::Empty if self.request.bounds.is_none() => {
                Problem::new(all, "not one pixel of the mosaic's resolution fits into them")
                    .with_hint("choose a finer one with --resolution X[,Y]")
            }
            GridError::Empty => Problem::new("--bounds", "the bounds hold not one pixel")
                .with_hint("they are xmin,ymin,xmax,ymax in the mosaic's CRS"),
        };
        self.conflict(problem, vec![]);
    }

    fn warn_when_outside(&mut self, grid: &Grid) {
        let outside: Vec<usize> = (0..self.sources.len())
            .filter(|&index| self.sources[index].footprint.touched_window(grid).is_none())
            .collect();
        if !outside.is_empty() {
            let names = some_names(self.sources, &outside);
            self.warnings
                .push(format!("outside of the bounds, so that nothing of them is in the mosaic: {names}"));
        }
    }

    /// All sources on the grid, in the order in which they are composited.
    pub(super) fn place(
        &self,
        grid: &Grid,
        same_crs: &[bool],
        maps: &[BandMap],
        working_type: PixelType,
    ) -> Vec<PlacedSource> {
        let mut placed: Vec<PlacedSource> = Vec::with_capacity(self.sources.len());
        for ((source, map), &same_crs) in self.sources.iter().zip(maps).zip(same_crs) {
            let (bands, nodata) = self.bands_and_nodata(source, map, placed.last());
            let resampling = self.request.resampling;
            let (placement, direct) = self.placement(source, (grid, same_crs), resampling, working_type);
            // Of pixels that are the grid's, in another order, none is made of several.
            let turned = source.geotransform.turned_north_up(source.size);
            let is_turned = placement == Placement::Warped
                && same_crs
                && turned.is_some_and(|turned| grid.whole_pixel_offset(&turned, source.size).is_some());
            let resampling = if is_turned { Resampling::Nearest } else { resampling };
            placed.push(PlacedSource {
                source: Arc::clone(source),
                window: touched_window(source, grid, placement),
                direct,
                placement,
                resampling,
                warp: None,
                role: slots_of(map, placed.last()),
                file: 0,
                bands,
                nodata,
            });
        }
        match self.request.method {
            // Scenes have their order already.
            _ if self.scenes.is_some() => {}
            Method::First => {}
            Method::Last => placed.reverse(),
            // One order whatever the order given, so that sums of floats do not depend on it.
            _ => placed.sort_by(|a, b| a.source.name.cmp(&b.source.name)),
        }
        (0..placed.len()).for_each(|index| placed[index].file = index);
        placed
    }

    /// The bands that are taken and their nodata (transparency has none), shared with the source `before` where it
    /// has the same: ten thousand sources do not hold ten thousand copies.
    fn bands_and_nodata(
        &self,
        source: &Source,
        map: &BandMap,
        before: Option<&PlacedSource>,
    ) -> BandsAndNodata {
        let bands: Vec<usize> = map.colors.iter().chain(&map.alpha).copied().collect();
        let of_bands = self.request.nodata_of(source);
        let of_band = |&band: &usize| of_bands[band].filter(|_| Some(band) != map.alpha);
        let nodata: Vec<Option<Number>> = bands.iter().map(of_band).collect();
        match before.filter(|before| *before.bands == bands && *before.nodata == nodata) {
            Some(before) => (Arc::clone(&before.bands), Arc::clone(&before.nodata)),
            None => (bands.into(), nodata.into()),
        }
    }
}

/// The mosaic's pixels that a source may touch. What GDAL resamples or warps can reach a pixel further than its
/// corners say.
pub(super) fn touched_window(source: &Source, grid: &Grid, placement: Placement) -> Option<Window> {
    // Of pixels that are the grid's, whichever they are: edges that are computed anew might fall on others.
    let of_pixels = |(column, row): (i64, i64), times: Size| {
        let Size { columns, rows } = source.size;
        grid.window_of((column, row), Size::new(columns * times.columns, rows * times.rows))
    };
    match placement {
        Placement::OnGrid { column, row } => return of_pixels((column, row), Size::square(1)),
        Placement::Enlarged { column, row, times } => return of_pixels((column, row), times),
        Placement::Resampled | Placement::Warped => {}
    }
    let touched = source.footprint.touched_window(grid)?;
    const MARGIN: usize = 2;
    let (column, row) = (touched.column.saturating_sub(MARGIN), touched.row.saturating_sub(MARGIN));
    let columns = touched.end_column() + MARGIN - column;
    let rows = touched.end_row() + MARGIN - row;
    Window::new(column, row, columns, rows).intersection(Window::whole(grid.size))
}

/// Which bands of the mosaic a source's are, shared with the source `before` where they are the same.
fn slots_of(map: &BandMap, before: Option<&PlacedSource>) -> Role {
    let of_alpha = map.alpha.map(|_| map.slots.len());
    let slots: Vec<usize> = map.slots.iter().copied().chain(of_alpha).collect();
    match before.map(|before| &before.role) {
        Some(Role::Bands(before)) if **before == slots => Role::Bands(Arc::clone(before)),
        _ => Role::Bands(slots.into()),
    }
}

type BandsAndNodata = (Arc<[usize]>, Arc<[Option<Number>]>);
