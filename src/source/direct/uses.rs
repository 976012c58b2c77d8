//! When a source's block is wanted again, windows being made row by row.

use super::cache::{Key, NEVER};
use crate::geometry::{Size, Window};

/// The blocks that a worker reads for its window.
pub(super) struct Uses {
    /// Size of the mosaic and of a window.
    mosaic: Size,
    window: Size,
    /// Column and row of the window in work.
    now: (usize, usize),
    /// Blocks read for it, and the number of the window that wants each of them next.
    used: Vec<(Key, u64)>,
}

impl Uses {
    pub(super) fn new(mosaic: Size, window: Size) -> Uses {
        Uses { mosaic, window, now: (0, 0), used: Vec::new() }
    }

    /// The window in work is this one.
    pub(super) fn enter(&mut self, window: Window) {
        self.now = (window.column / self.window.columns, window.row / self.window.rows);
    }

    /// The number of the window in work, row by row.
    pub(super) fn now(&self) -> u64 {
        self.number(self.now)
    }

    /// A block of size `block` that begins at the column and row `origin` of the mosaic is read.
    pub(super) fn note(&mut self, key: Key, origin: (i64, i64), block: Size) {
        if self.used.last().is_none_or(|(last, _)| *last != key) {
            self.used.push((key, self.next(origin, block)));
        }
    }

    /// Everything noted, which is forgotten.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (Key, u64)> {
        self.used.drain(..)
    }

    /// The number of the next window that touches the block: to the right, or in the next row of windows.
    fn next(&self, origin: (i64, i64), block: Size) -> u64 {
        let span = |origin: i64, length: usize, whole: usize, window: usize| {
            let end = (origin + length as i64).min(whole as i64);
            (origin.max(0) as usize / window, (end - 1).max(0) as usize / window)
        };
        let columns = span(origin.0, block.columns, self.mosaic.columns, self.window.columns);
        let rows = span(origin.1, block.rows, self.mosaic.rows, self.window.rows);
        let (column, row) = self.now;
        if column < columns.1 {
            self.number((column + 1, row))
        } else if row < rows.1 {
            self.number((columns.0, row + 1))
        } else {
            NEVER
        }
    }

    fn number(&self, (column, row): (usize, usize)) -> u64 {
        row as u64 * self.mosaic.tiles(self.window).columns as u64 + column as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_wanted_by_the_window_to_the_right_then_by_the_row_below_then_never() {
        let mut uses = Uses::new(Size::new(1000, 1000), Size::square(100));
        let mut after = |column: usize, row: usize| {
            uses.enter(Window::new(column * 100, row * 100, 100, 100));
            uses.note((0, (column + 10 * row) as u64), (150, 150), Size::square(100));
            uses.drain().map(|(_, next)| next).collect::<Vec<_>>()
        };
        assert_eq!(after(1, 1), [12]);
        assert_eq!(after(2, 1), [21]);
        assert_eq!(after(1, 2), [22]);
        assert_eq!(after(2, 2), [NEVER]);
    }

    #[test]
    fn what_lies_outside_the_mosaic_is_not_wanted() {
        let mut uses = Uses::new(Size::new(150, 150), Size::square(100));
        uses.enter(Window::new(100, 100, 50, 50));
        uses.note((0, 0), (-80, -80), Size::square(500));
        uses.note((0, 0), (-80, -80), Size::square(500));
        assert_eq!(uses.drain().collect::<Vec<_>>(), [((0, 0), NEVER)]);
    }
}
