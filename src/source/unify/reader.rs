//! Which sources are read without GDAL.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{Conflict, PlacedSource, Unifier};
use crate::geometry::Grid;
use crate::pixels::{PixelType, Resampling, named_values};
use crate::source::{Placement, Problem, Source};

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

impl Unifier<'_> {
    /// How a source comes to lie on the grid, with or without the grid's CRS, and whether it is read directly.
    pub(super) fn placement(
        &self,
        source: &Source,
        (grid, same_crs): (&Grid, bool),
        resampling: Resampling,
        working_type: PixelType,
    ) -> (Placement, bool) {
        let direct = |placement: &Placement| {
            self.request.reader != ReaderChoice::Vrt && why_not(source, *placement, working_type).is_none()
        };
        let placement = Placement::of(source, grid, same_crs);
        if placement == Placement::Resampled && resampling == Resampling::Nearest {
            // GDAL takes the pixel in whose middle, or nearest to it, a pixel's middle lies: the one that covers it.
            if let Some(enlarged) = Placement::enlarged(source, grid).filter(direct) {
                return (enlarged, true);
            }
        }
        (placement, direct(&placement))
    }

    /// With `--reader direct`, what cannot be read directly is a problem.
    pub(super) fn check_reader(&mut self, placed: &[PlacedSource], working_type: PixelType) {
        if self.request.reader != ReaderChoice::Direct {
            return;
        }
        for placed in placed.iter().filter(|placed| !placed.direct) {
            let reason = why_not(&placed.source, placed.placement, working_type).unwrap_or("it cannot be");
            let problem = Problem::new(&*placed.source.name, format!("is not read directly: {reason}"))
                .with_hint("leave out --reader, and GDAL reads it");
            let index = self.sources.iter().position(|source| Arc::ptr_eq(source, &placed.source));
            self.conflicts.push(Conflict { problem, sources: index.into_iter().collect() });
        }
    }
}

/// Why GDAL has to read a source; nothing where its blocks give the same pixels.
fn why_not(source: &Source, placement: Placement, working_type: PixelType) -> Option<&'static str> {
    match (&source.direct, placement) {
        (Err(reason), _) => Some(reason),
        (Ok(_), Placement::Resampled | Placement::Warped) => Some("it is not on the mosaic's grid"),
        // Where numbers are rounded or cut, GDAL's way of doing so counts.
        (Ok(layout), _) if !working_type.holds(layout.pixel_type) => {
            Some("its numbers are cut to another type")
        }
        (Ok(_), Placement::OnGrid { .. } | Placement::Enlarged { .. }) => None,
    }
}
