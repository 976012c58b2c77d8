//! One tile of a level while the parts below it arrive.

use std::ops::Range;

use super::Level;
use crate::geometry::Window;
use crate::pixels::{Area, Axis, Tile, Validity};

/// A tile in the making.
pub(super) struct Building {
    window: Window,
    /// Its pixels, once any lies inside a part that has arrived.
    tile: Option<Tile>,
    strips: Vec<Strip>,
    missing: u32,
}

/// Pixels of the tile that lie across a seam of parts, and what has arrived below them.
struct Strip {
    target: Window,
    below: Tile,
}

impl Building {
    /// The tile of that index, of which nothing has arrived. `empty` makes tiles without any valid pixel.
    pub(super) fn new(level: &Level, index: usize, empty: &impl Fn(Window) -> Tile) -> Building {
        let window = level.window(index);
        let (columns, rows) = (window.column..window.end_column(), window.row..window.end_row());
        let upright = across(level.downsample.columns, level.part, columns.clone());
        let level_strips = across(level.downsample.rows, level.part, rows.clone());
        let upright = upright.map(|columns| (columns, rows.clone()));
        let all = upright.chain(level_strips.map(|rows| (columns.clone(), rows)));
        let strips = all.map(|(columns, rows)| {
            let target = Window::new(columns.start, rows.start, columns.len(), rows.len());
            Strip { target, below: empty(level.downsample.below(target)) }
        });
        Building { window, tile: None, strips: strips.collect(), missing: level.arrivals[index] }
    }

    /// Adds a part; gives the tile back when it was the last.
    pub(super) fn add(
        &mut self,
        level: &Level,
        part: &Area,
        validity: &[Validity],
        empty: &impl Fn(Window) -> Tile,
    ) -> Option<Tile> {
        let columns = level.downsample.columns.inside(part.window.column..part.window.end_column());
        let rows = level.downsample.rows.inside(part.window.row..part.window.end_row());
        let inside = Window::new(columns.start, rows.start, columns.len(), rows.len());
        if let Some(target) = inside.intersection(self.window) {
            let tile = self.tile.get_or_insert_with(|| empty(self.window));
            level.downsample.fill(part, validity, target, tile);
        }
        self.strips.iter_mut().for_each(|strip| strip.below.copy_from(part));
        self.missing -= 1;
        if self.missing > 0 {
            return None;
        }
        let mut tile = self.tile.take().unwrap_or_else(|| empty(self.window));
        for Strip { target, below } in self.strips.drain(..) {
            level.downsample.fill(&below.area(), validity, target, &mut tile);
        }
        Some(tile)
    }
}

/// The target pixels of a range that lie across the seams of parts of side `part`, seam by seam; each once, at its first
/// seam, however many of them its kernel spans.
fn across(axis: Axis, part: usize, targets: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let below = axis.below(targets.clone());
    let seams = (below.start / part + 1..=(below.end - 1) / part).map(move |number| number * part);
    let mut next = targets.start;
    seams.filter_map(move |seam| {
        let across = axis.across(seam);
        let cut = across.start.max(next)..across.end.min(targets.end);
        next = next.max(cut.end);
        (!cut.is_empty()).then_some(cut)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::OverviewResampling;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strips_hold_each_pixel_that_lies_inside_no_part_once(
            source in 1usize..700, factor in 2usize..20, part in 8usize..80, side in 4usize..64,
            resampling in prop::sample::select(OverviewResampling::ALL),
        ) {
            let axis = Axis { source, target: source.div_ceil(factor), resampling };
            let mut seen = vec![0; axis.target];
            for start in (0..axis.target).step_by(side) {
                let strips = across(axis, part, start..axis.target.min(start + side));
                strips.flatten().for_each(|target| seen[target] += 1);
            }
            for start in (0..source).step_by(part) {
                axis.inside(start..source.min(start + part)).for_each(|target| seen[target] += 1);
            }
            prop_assert!(seen.iter().all(|&count| count == 1), "{:?}", seen);
        }
    }
}
