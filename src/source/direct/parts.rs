//! A source cut along its blocks, as the mosaic sees it.

use crate::geometry::{Size, Window};
use crate::source::{PlacedSource, Placement};

/// A part of a source within one block, as the mosaic sees it.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Its pixels in the mosaic.
    pub place: Window,
    /// How many of the mosaic's columns and rows one of its pixels is.
    pub(super) times: Size,
    /// Columns and rows of the mosaic from its block's first pixel to its own.
    pub(super) inside: (usize, usize),
    /// Column and row of its block.
    pub(super) block: (usize, usize),
}

impl Part {
    /// Column and row in the mosaic of its block's first pixel, which may lie outside.
    pub(super) fn block_origin(&self) -> (i64, i64) {
        (self.place.column as i64 - self.inside.0 as i64, self.place.row as i64 - self.inside.1 as i64)
    }

    /// Columns and rows of the mosaic that its block is, of so many pixels.
    pub(super) fn block_size(&self, block: Size) -> Size {
        Size::new(block.columns * self.times.columns, block.rows * self.times.rows)
    }

    /// Cut into pieces of a few rows, which a processor's own cache holds while one band after the other is taken out.
    pub(super) fn in_pieces(self) -> impl Iterator<Item = Part> {
        const ROWS: usize = 8;
        self.place.cut(Size::new(self.place.columns, ROWS)).map(move |place| {
            let inside = (self.inside.0, self.inside.1 + place.row - self.place.row);
            Part { place, inside, ..self }
        })
    }
}

/// The parts, one a block, of the mosaic's pixels `place` that a source covers. Empty for a source that is not on the
/// mosaic's grid.
pub fn parts(placed: &PlacedSource, place: Window) -> impl Iterator<Item = Part> {
    let (origin, times) = match placed.placement {
        Placement::OnGrid { column, row } => (Some((column, row)), Size::square(1)),
        Placement::Enlarged { column, row, times } => (Some((column, row)), times),
        Placement::Resampled | Placement::Warped => (None, Size::square(1)),
    };
    let block = placed.source.direct.as_ref().map_or(Size::square(1), |layout| layout.block);
    let block = Size::new(block.columns * times.columns, block.rows * times.rows);
    origin.filter(|_| placed.source.direct.is_ok()).into_iter().flat_map(move |(left, top)| {
        let inside = Window::new(
            (place.column as i64 - left) as usize,
            (place.row as i64 - top) as usize,
            place.columns,
            place.rows,
        );
        let rows = inside.row / block.rows..inside.end_row().div_ceil(block.rows);
        let columns = inside.column / block.columns..inside.end_column().div_ceil(block.columns);
        rows.flat_map(move |row| {
            columns.clone().map(move |column| {
                let whole = Window::new(column * block.columns, row * block.rows, block.columns, block.rows);
                let part = whole.intersection(inside).expect("the block touches the place");
                let (x, y) = (part.column as i64 + left, part.row as i64 + top);
                Part {
                    place: Window::new(x as usize, y as usize, part.columns, part.rows),
                    times,
                    inside: (part.column - whole.column, part.row - whole.row),
                    block: (column, row),
                }
            })
        })
    })
}

/// How many blocks of a directly read source the mosaic needs.
pub fn blocks_needed(placed: &PlacedSource) -> u64 {
    let (Some(window), Ok(layout), true) = (placed.window, &placed.source.direct, placed.direct) else {
        return 0;
    };
    let planes = if layout.is_planar(placed.source.bands.len()) { placed.bands.len() } else { 1 };
    parts(placed, window).count() as u64 * planes as u64
}
