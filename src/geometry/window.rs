//! Sizes and windows in whole pixels.

use std::fmt;

/// A size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Size {
    /// Pixels from left to right.
    pub columns: usize,
    /// Pixels from top to bottom.
    pub rows: usize,
}

impl Size {
    /// A size of `columns` × `rows` pixels.
    pub const fn new(columns: usize, rows: usize) -> Self {
        Self { columns, rows }
    }

    /// A square of `side` pixels.
    pub const fn square(side: usize) -> Self {
        Self::new(side, side)
    }

    /// Number of pixels.
    pub const fn pixels(self) -> usize {
        self.columns * self.rows
    }

    /// How many tiles of size `tile` cover this size, in columns and rows of tiles.
    pub const fn tiles(self, tile: Size) -> Size {
        Size::new(self.columns.div_ceil(tile.columns), self.rows.div_ceil(tile.rows))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}x{}", self.columns, self.rows)
    }
}

/// A pixel rectangle of a raster: its upper-left pixel and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Window {
    /// First column.
    pub column: usize,
    /// First row.
    pub row: usize,
    /// Number of columns.
    pub columns: usize,
    /// Number of rows.
    pub rows: usize,
}

impl Window {
    /// The window at (`column`, `row`) of `columns` × `rows` pixels.
    pub const fn new(column: usize, row: usize, columns: usize, rows: usize) -> Self {
        Self { column, row, columns, rows }
    }

    /// The window that covers a whole raster of `size`.
    pub const fn whole(size: Size) -> Self {
        Self::new(0, 0, size.columns, size.rows)
    }

    /// The window's size.
    pub const fn size(self) -> Size {
        Size::new(self.columns, self.rows)
    }

    /// Number of pixels.
    pub const fn pixels(self) -> usize {
        self.columns * self.rows
    }

    /// The column behind the last one.
    pub const fn end_column(self) -> usize {
        self.column + self.columns
    }

    /// The row behind the last one.
    pub const fn end_row(self) -> usize {
        self.row + self.rows
    }

    /// The pixels that both windows hold, if there are any.
    pub fn intersection(self, other: Window) -> Option<Window> {
        let column = self.column.max(other.column);
        let row = self.row.max(other.row);
        let end_column = self.end_column().min(other.end_column());
        let end_row = self.end_row().min(other.end_row());
        (column < end_column && row < end_row)
            .then(|| Window::new(column, row, end_column - column, end_row - row))
    }

    /// This window with its place told from the first pixel of `area`, in which it lies.
    pub const fn from(self, area: Window) -> Window {
        Window::new(self.column - area.column, self.row - area.row, self.columns, self.rows)
    }

    /// Its parts of size `part`, row by row; those at the right and lower edge are cut.
    pub fn cut(self, part: Size) -> impl Iterator<Item = Window> {
        let across = (self.column..self.end_column()).step_by(part.columns);
        (self.row..self.end_row()).step_by(part.rows).flat_map(move |row| {
            across.clone().map(move |column| {
                let columns = part.columns.min(self.end_column() - column);
                Window::new(column, row, columns, part.rows.min(self.end_row() - row))
            })
        })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "columns {}..{}, rows {}..{}", self.column, self.end_column(), self.row, self.end_row())
    }
}
