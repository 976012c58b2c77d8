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

    /// How many columns a window has.
    pub fn window_columns(&self) -> usize {
        self.window_columns
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Size;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_sources_of_every_window_are_those_that_share_a_pixel_with_it_in_their_order(
            columns in 1usize..150, rows in 1usize..150, window_columns in 1usize..5, window_rows in 1usize..5,
            sources in prop::collection::vec((0usize..170, 0usize..170, 1usize..90, 1usize..90), 0..9),
        ) {
            let size = Size::new(columns, rows);
            let grid = WindowGrid { size, window: Size::new(16 * window_columns, 16 * window_rows), block: 16 };
            let of = |&(c, r, w, h): &(usize, usize, usize, usize)| Window::new(c, r, w, h);
            let places: Vec<Option<Window>> =
                sources.iter().map(|source| of(source).intersection(Window::whole(size))).collect();
            let touching = Touching::new(&grid, places.iter().copied());
            prop_assert_eq!(touching.rows().count(), grid.windows().rows);
            for (window_row, in_row) in touching.rows().enumerate() {
                let sharing = |window: Window| -> Vec<usize> {
                    let shares = |place: &Option<Window>| place.and_then(|p| p.intersection(window)).is_some();
                    (0..places.len()).filter(|&source| shares(&places[source])).collect()
                };
                let mut touched = BTreeSet::new();
                for column in 0..grid.windows().columns {
                    let window = grid.window(column, window_row);
                    let expected = sharing(window);
                    if !expected.is_empty() {
                        touched.insert(column as u32);
                    }
                    prop_assert_eq!(touching.sources(window_row, window).collect::<Vec<_>>(), expected);
                }
                prop_assert_eq!(touching.touched_columns(window_row), touched);
                let top = grid.window(0, window_row);
                let whole_row = Window::new(0, top.row, columns, top.rows);
                prop_assert_eq!(in_row.collect::<Vec<_>>(), sharing(whole_row));
            }
        }
    }
}
