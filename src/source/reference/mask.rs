//! Which pixels a scene's mask hides.

use std::ops::Range;

use anyhow::{Context, Result};

use super::open_sources::OpenSources;
use super::value::Value;
use crate::geometry::{Size, Window};
use crate::pixels::MaskRule;
use crate::source::Mosaic;

/// Columns and rows of the parts in which a mask is read: what lies around a window may be the whole mosaic.
const SIDE: usize = 256;

/// The most pixels of a mask that are held at once to decide a square of this side.
pub(super) fn pixels_held(mosaic: &Mosaic, rule: &MaskRule, side: usize) -> usize {
    let (columns, rows) = rule.margin(mosaic.grid.size);
    (side + 2 * columns).min(SIDE) * (side + 2 * rows).min(SIDE)
}

/// Where the mask (index among the mosaic's sources) hides a window's pixels, or is not there to tell.
pub(super) fn hidden(
    sources: &mut OpenSources,
    index: usize,
    rule: &MaskRule,
    window: Window,
) -> Result<Vec<bool>> {
    let mosaic = sources.mosaic;
    let placed = &mosaic.sources[index];
    let pixel_type = placed.source.bands[placed.bands[0]].pixel_type;
    let around = around(window, rule, mosaic.grid.size);
    let chords = chords(rule, around.size());
    let mut hidden = vec![false; window.pixels()];
    let name = || placed.source.name.to_string();
    let source = sources.get(index, pixel_type)?;
    for part in around.cut(Size::square(SIDE)) {
        let read = source.read(part).with_context(name)?;
        for (pixel, &covered) in read.covered.iter().enumerate() {
            let (column, row) = (part.column + pixel % part.columns, part.row + pixel / part.columns);
            if !covered {
                hide(&mut hidden, window, row, column..column + 1);
            } else if names(rule, read.bands[0][pixel]) {
                // Whatever lies in the ellipse around it, line by line.
                for line in window.row..window.end_row() {
                    if let Some(&chord) = chords.get(row.abs_diff(line)) {
                        hide(&mut hidden, window, line, column.saturating_sub(chord)..column + chord + 1);
                    }
                }
            }
        }
    }
    Ok(hidden)
}

/// Hides these columns of a row of the mosaic, as far as they lie in the window.
fn hide(hidden: &mut [bool], window: Window, row: usize, columns: Range<usize>) {
    let (left, right) = (columns.start.max(window.column), columns.end.min(window.end_column()));
    if left < right && (window.row..window.end_row()).contains(&row) {
        let line = &mut hidden[(row - window.row) * window.columns..][..window.columns];
        line[left - window.column..right - window.column].fill(true);
    }
}

/// Whether the rule names a mask's value as one that hides.
fn names(rule: &MaskRule, value: Value) -> bool {
    let number = match (value.whole(), value.to_f64()) {
        (Some(whole), _) => whole as i64,
        (None, float) if float.is_finite() && float == float.trunc() => float as i64,
        // Not a value that any rule names.
        (None, _) => return !rule.kept.is_empty(),
    };
    let bit_is_set = (0..64).any(|bit| rule.bits >> bit & 1 == 1 && number >> bit & 1 == 1);
    let kept = rule.kept.is_empty() || rule.kept.iter().any(|range| range.contains(&number));
    bit_is_set || !kept || rule.hidden.iter().any(|range| range.contains(&number))
}

/// Of the ellipse of pixels around a hidden one half of each line, its middle not counted: from the middle line on, as
/// far as an area of this size goes.
fn chords(rule: &MaskRule, size: Size) -> Vec<usize> {
    let (across, down) = rule.reach;
    let part = |steps: usize, reach: f64| if steps == 0 { 0.0 } else { (steps as f64 / reach).powi(2) };
    let inside = |x: usize, y: usize| part(x, across) + part(y, down) <= 1.0;
    // No line is longer than the one before.
    let mut chord = size.columns;
    let half = |y: usize| {
        while !inside(chord, y) {
            chord = chord.checked_sub(1)?;
        }
        Some(chord)
    };
    (0..size.rows).map_while(half).collect()
}

/// The window and what may reach into it.
fn around(window: Window, rule: &MaskRule, mosaic: Size) -> Window {
    let (across, down) = rule.margin(mosaic);
    let (left, top) = (window.column.saturating_sub(across), window.row.saturating_sub(down));
    let right = (window.end_column() + across).min(mosaic.columns);
    let bottom = (window.end_row() + down).min(mosaic.rows);
    Window::new(left, top, right - left, bottom - top)
}
