//! How many bytes of decoded source blocks are worth keeping, so that each block is decoded once.
//!
//! Windows are made row by row. A block is kept while a window in work reads it, and one that lies across the seam of
//! two rows of windows until the lower row has passed: for each source at most one row of its blocks.

use crate::geometry::Size;
use crate::plan::Touching;
use crate::source::direct::ENTRY_BYTES;
use crate::source::{Mosaic, PlacedSource, Placement};

/// Bytes to keep for the row of windows of size `window` that needs most, and for the usual one, with so many workers.
pub fn bytes(mosaic: &Mosaic, touching: &Touching, window: Size, workers: usize) -> (u64, u64) {
    let mut rows: Vec<u64> = touching.rows().map(|row| of_row(mosaic, row, window, workers)).collect();
    rows.sort_unstable();
    (rows.last().copied().unwrap_or(0), rows.get(rows.len() / 2).copied().unwrap_or(0))
}

fn of_row(mosaic: &Mosaic, row: impl Iterator<Item = usize>, window: Size, workers: usize) -> u64 {
    let sources = row.map(|index| &mosaic.sources[index]).filter(|placed| placed.direct);
    let mut across_seams = 0;
    // Where a source begins to be read and where it ends, with the bytes in work meanwhile.
    let mut changes: Vec<(usize, i64)> = Vec::new();
    for placed in sources {
        let Some(place) = placed.window else { continue };
        let (kept, in_work) = of_source(placed, window, workers);
        across_seams += kept;
        let reach = workers * window.columns;
        changes.push((place.column.saturating_sub(reach), in_work as i64));
        changes.push((place.end_column(), -(in_work as i64)));
    }
    changes.sort_unstable();
    let in_work = changes.iter().scan(0, |sum, (_, change)| {
        *sum += change;
        Some(*sum)
    });
    across_seams + in_work.max().unwrap_or(0) as u64
}

/// Bytes of a source's blocks that lie across the seam of two rows of windows, and of those that windows in work read.
fn of_source(placed: &PlacedSource, window: Size, workers: usize) -> (u64, u64) {
    let (top, times) = match placed.placement {
        Placement::OnGrid { row, .. } => (row, Size::square(1)),
        Placement::Enlarged { row, times, .. } => (row, times),
        Placement::Resampled | Placement::Warped => return (0, 0),
    };
    let source = &placed.source;
    let block = source.storage.block;
    let blocks = source.size.tiles(block);
    let bytes = |blocks: Size| {
        let pixels = blocks.pixels() * block.pixels();
        // Blocks of each band apart have an entry each; rows of one pixel are many blocks.
        (pixels * source.pixel_bytes() + blocks.pixels() * source.bands.len() * ENTRY_BYTES) as u64
    };
    // As large as it is in the mosaic.
    let side = Size::new(block.columns * times.columns, block.rows * times.rows);
    let seams = !window.rows.is_multiple_of(side.rows) || top.rem_euclid(side.rows as i64) != 0;
    // So many at most, wherever a window begins.
    let touched = |length: usize, side: usize| (length + side - 2) / side + 1;
    let strips = block.columns >= source.size.columns;
    let columns = (workers * touched(window.columns, side.columns)).min(blocks.columns);
    // The last windows of a row are made beside the first of the next: strips are wanted of both.
    let rows = touched(if strips { 2 * window.rows } else { window.rows }, side.rows).min(blocks.rows);
    let seam = if seams { bytes(Size::new(blocks.columns, 1)) } else { 0 };
    let whole = bytes(blocks);
    let in_work = bytes(Size::new(columns, rows)).min(whole);
    (seam.min(whole - in_work), in_work)
}
