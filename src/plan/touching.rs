//! Which sources touch which window: a list for each row of windows, searched by column.

use std::collections::BTreeSet;

use super::WindowGrid;
use crate::geometry::Window;

/// The sources that touch each row of windows, in compositing order.
#[derive(Debug, Clone)]
pub struct Touching {
    window_columns: usize,
    rows: Vec<Vec<Touch>>,
}

#[derive(Debug, Clone, Copy)]
struct Touch {
    source: u32,
    column: usize,
    end_column: usize,
    row: usize,
    end_row: usize,
}

impl Touching {
    /// From the pixels that each source touches (`None` for one that lies outside), in compositing order.
    pub fn new(grid: &WindowGrid, windows: impl Iterator<Item = Option<Window>>) -> Touching {
        let mut rows = vec![Vec::new(); grid.windows().rows];
        for (source, window) in windows.enumerate() {
            let Some(window) = window else { continue };
            let touch = Touch {
                source: source as u32,
                column: window.column,
                end_column: window.end_column(),
                row: window.row,
                end_row: window.end_row(),
            };
            let touched = window.row / grid.window.rows..=(window.end_row() - 1) / grid.window.rows;
            rows[touched].iter_mut().for_each(|row| row.push(touch));
        }
        Touching { window_columns: grid.window.columns, rows }
    }

    /// The columns of windows, in order, that any source touches in this row of windows.
    pub fn touched_columns(&self, window_row: usize) -> BTreeSet<u32> {
        let mut columns = BTreeSet::new();
        let mut covered: Vec<(usize, usize)> = self.rows[window_row]
            .iter()
            .map(|touch| (touch.column / self.window_columns, (touch.end_column - 1) / self.window_columns))
            .collect();
        covered.sort_unstable();
        let mut next = 0;
        for (first, last) in covered {
            for column in first.max(next)..=last {
                columns.insert(column as u32);
            }
            next = next.max(last + 1);
        }
        columns
    }

    /// The sources that touch `window`, which lies in this row of windows, in compositing order.
    pub fn sources(&self, window_row: usize, window: Window) -> impl Iterator<Item = usize> {
        self.rows[window_row].iter().filter_map(move |touch| {
            let inside = touch.column < window.end_column()
                && touch.end_column > window.column
                && touch.row < window.end_row()
                && touch.end_row > window.row;
            inside.then_some(touch.source as usize)
        })
    }

    /// The sources that touch each row of windows.
    pub fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = usize>> {
        self.rows.iter().map(|row| row.iter().map(|touch| touch.source as usize))
    }

    /// Bytes that the lists take.
    pub fn bytes(&self) -> usize {
        self.rows.iter().map(|row| row.capacity() * size_of::<Touch>()).sum()
    }
}
