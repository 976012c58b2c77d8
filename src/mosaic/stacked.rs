//! How many bytes all scenes of a pixel take, where they are decided together.

use crate::geometry::Size;
use crate::pixels::{PixelType, Stack};
use crate::plan::Touching;
use crate::source::{Mosaic, PlacedSource, Score, Stacked};

/// Bytes of one pixel of all scenes that touch a window of the size that `touching` is for, the most of any; none where
/// pixels are decided source by source.
pub fn bytes_per_pixel(mosaic: &Mosaic, touching: impl Fn() -> Touching) -> usize {
    let Some(stack) = &mosaic.stack else { return 0 };
    let depth = depth(mosaic, stack, &touching());
    let masks = stack.scenes.iter().filter_map(|scene| Some(&mosaic.sources[scene.mask?]));
    let of_mask = masks.map(|mask| mask_type(mask).bytes() + MARKS).max().unwrap_or(0);
    // One scene as it is read, its copy, and what formulas make of it.
    let read = 2 * Stack::bytes_per_pixel(mosaic.working_type, stack.read_bands, 1)
        + stack.read_bands
        + stack.bands * (stack.pixel_type.bytes() + 1);
    let score =
        if stack.score.is_some() { 4 * depth + 8 + stack.bands * stack.pixel_type.bytes() } else { 0 };
    Stack::bytes_per_pixel(stack.pixel_type, stack.bands, depth)
        + of_mask
        + score
        + if stack.before.is_some() { read } else { 0 }
}

/// Bytes of one scene's mask around an area of this size, as far as hidden pixels reach into it: what a worker holds
/// beside the area's own.
pub fn margin_bytes(mosaic: &Mosaic, area: Size) -> usize {
    let Some(stack) = &mosaic.stack else { return 0 };
    let Some(rule) = &stack.asked.mask else { return 0 };
    let whole = mosaic.grid.size;
    let (columns, rows) = rule.margin(whole);
    let wide =
        Size::new((area.columns + 2 * columns).min(whole.columns), (area.rows + 2 * rows).min(whole.rows));
    // What is read directly is read block by block; GDAL gives all at once.
    let of = |mask: &PlacedSource| AROUND + if mask.direct { 0 } else { mask_type(mask).bytes() + READ };
    let bytes = stack.scenes.iter().filter_map(|scene| Some(of(&mosaic.sources[scene.mask?]))).max();
    wide.pixels().saturating_sub(area.pixels()) * bytes.unwrap_or(0)
}

/// Bytes with which one worker decides them, however many pixels there are.
pub fn work_bytes(mosaic: &Mosaic) -> usize {
    let programs = |stack: &Stacked| {
        let of_score = match &stack.score {
            Some(Score::Formula { program, .. }) => program.bytes(),
            _ => 0,
        };
        of_score + stack.before.as_ref().map_or(0, |before| before.program.bytes())
    };
    let of = |stack: &Stacked| {
        Stack::bytes_to_decide(stack.pixel_type, stack.bands, stack.scenes.len()) + programs(stack)
    };
    mosaic.stack.as_ref().map_or(0, of)
}

/// Bytes a pixel of what is known of one scene's mask: hidden, hidden with a margin around, marked, rows to the next.
const MARKS: usize = 1 + AROUND + READ;
/// Of these, what there is of pixels around an area, too: hidden or not, rows to the next hidden one.
const AROUND: usize = 1 + size_of::<u32>();
/// And what there is of pixels as they are read: whether the mask has data, whether its value hides.
const READ: usize = 2;

fn mask_type(mask: &PlacedSource) -> PixelType {
    mask.source.bands[mask.bands[0]].pixel_type
}

/// The most scenes that lie on each other in any window.
fn depth(mosaic: &Mosaic, stack: &Stacked, touching: &Touching) -> usize {
    let of = |row| depth_of_row(mosaic, stack, row, touching.window_columns());
    touching.rows().map(of).max().unwrap_or(0)
}

/// The most scenes over one column of a row of windows, in which scenes that end and others that begin may meet.
fn depth_of_row(mosaic: &Mosaic, stack: &Stacked, row: impl Iterator<Item = usize>, reach: usize) -> usize {
    let mut spans: Vec<(usize, usize, usize)> = Vec::new();
    for source in row {
        let (Some(scene), Some(window)) = (stack.scene_of(source), mosaic.sources[source].window) else {
            continue;
        };
        let (first, end) = (window.column, window.end_column());
        match spans.last_mut() {
            Some(last) if last.0 == scene => *last = (scene, last.1.min(first), last.2.max(end)),
            _ => spans.push((scene, first, end)),
        }
    }
    let mut changes: Vec<(usize, i32)> =
        spans.iter().flat_map(|&(_, first, end)| [(first.saturating_sub(reach), 1), (end, -1)]).collect();
    changes.sort_unstable();
    let depths = changes.iter().scan(0, |depth, (_, change)| {
        *depth += change;
        Some(*depth)
    });
    depths.max().unwrap_or(0) as usize
}
