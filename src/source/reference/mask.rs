//! Which pixels a scene's mask hides.

use anyhow::{Context, Result};

use super::read::read_source;
use super::value::Value;
use crate::geometry::Window;
use crate::pixels::MaskRule;
use crate::source::Mosaic;

/// Where the mask (index among the mosaic's sources) hides a window's pixels, or is not there to tell.
pub(super) fn hidden(
    mosaic: &Mosaic,
    index: usize,
    rule: &MaskRule,
    window: Window,
    unit: usize,
) -> Result<Vec<bool>> {
    let placed = &mosaic.sources[index];
    let around = around(window, rule, Window::whole(mosaic.grid.size));
    let pixel_type = placed.source.bands[placed.bands[0]].pixel_type;
    let read = read_source(mosaic, placed, pixel_type, around, unit)
        .with_context(|| placed.source.name.to_string())?;
    let place = |column: usize, row: usize| (row - around.row) * around.columns + column - around.column;
    let mut hidden: Vec<bool> = read.covered.iter().map(|&covered| !covered).collect();
    let chords = chords(rule);
    for row in around.row..around.end_row() {
        for column in around.column..around.end_column() {
            let pixel = place(column, row);
            if !(read.covered[pixel] && names(rule, read.bands[0][pixel])) {
                continue;
            }
            // Whatever lies in the ellipse around it, line by line.
            for (away, &chord) in chords.iter().enumerate() {
                let left = column.saturating_sub(chord).max(around.column);
                let right = (column + chord + 1).min(around.end_column());
                for row in [row.checked_sub(away), Some(row + away)].into_iter().flatten() {
                    if (around.row..around.end_row()).contains(&row) {
                        hidden[place(left, row)..=place(right - 1, row)].fill(true);
                    }
                }
            }
        }
    }
    let pixels = (0..window.pixels()).map(|pixel| {
        let (column, row) = (window.column + pixel % window.columns, window.row + pixel / window.columns);
        hidden[place(column, row)]
    });
    Ok(pixels.collect())
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

/// Of the ellipse of pixels around a hidden one half of each line, its middle not counted: from the middle line on.
fn chords(rule: &MaskRule) -> Vec<usize> {
    let (across, down) = rule.reach;
    let part = |steps: usize, reach: f64| if steps == 0 { 0.0 } else { (steps as f64 / reach).powi(2) };
    let inside = |x: usize, y: usize| part(x, across) + part(y, down) <= 1.0;
    let half = |y: usize| (0..).take_while(|&x| inside(x, y)).last();
    (0..).map_while(half).collect()
}

/// The window and what may reach into it.
fn around(window: Window, rule: &MaskRule, mosaic: Window) -> Window {
    let (across, down) = (rule.reach.0.floor() as usize, rule.reach.1.floor() as usize);
    let (left, top) = (window.column.saturating_sub(across), window.row.saturating_sub(down));
    let (right, bottom) = (window.end_column() + across, window.end_row() + down);
    let all = Window::new(left, top, right - left, bottom - top);
    all.intersection(mosaic).unwrap_or(window)
}
