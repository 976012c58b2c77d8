//! The grid of windows, the jobs that have something to do, and the order in which their blocks are stored.

use std::ops::Range;

use super::Touching;
use crate::geometry::{Size, Window};

/// A raster cut into windows of whole blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowGrid {
    /// The raster's size.
    pub size: Size,
    /// A window's size; both sides are multiples of `block`. Windows at the right and lower edge are cut.
    pub window: Size,
    /// Side of a block.
    pub block: usize,
}

impl WindowGrid {
    /// How many windows lie side by side, and above each other.
    pub fn windows(&self) -> Size {
        self.size.tiles(self.window)
    }

    /// How many blocks lie side by side, and above each other.
    pub fn blocks(&self) -> Size {
        self.size.tiles(Size::square(self.block))
    }

    /// The window in this column and row of windows.
    pub fn window(&self, column: usize, row: usize) -> Window {
        let place = Window::new(
            column * self.window.columns,
            row * self.window.rows,
            self.window.columns,
            self.window.rows,
        );
        place.intersection(Window::whole(self.size)).expect("the window lies in the raster")
    }
}

/// A window that has something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// Its number, in row-major order.
    pub number: usize,
    /// Its row of windows.
    pub window_row: usize,
    /// Its pixels.
    pub window: Window,
    /// The place, in the order of the file, of the blocks of the window's first row of blocks.
    first_run: usize,
    /// How far apart the window's rows of blocks are in that order.
    run_step: usize,
}

impl Job {
    /// The place in the order of the file of one row of this window's blocks (a run).
    ///
    /// Blocks are stored row by row over the whole raster, so that the file is the same whatever the windows are.
    pub fn run(&self, block_row: usize) -> usize {
        self.first_run + block_row * self.run_step
    }
}

/// All jobs in order. Windows that no source touches have none: they cost nothing.
#[derive(Debug, Clone)]
pub struct Jobs {
    /// The windows.
    pub grid: WindowGrid,
    columns: Vec<u32>,
    rows: Vec<RowOfJobs>,
}

#[derive(Debug, Clone)]
struct RowOfJobs {
    window_row: usize,
    jobs: Range<usize>,
    first_run: usize,
}

impl Jobs {
    /// The jobs of the windows that `touching` says have sources.
    pub fn new(grid: WindowGrid, touching: &Touching) -> Jobs {
        let mut columns = Vec::new();
        let mut rows = Vec::new();
        let mut first_run = 0;
        for window_row in 0..grid.windows().rows {
            let first = columns.len();
            columns.extend(touching.touched_columns(window_row));
            let jobs = first..columns.len();
            if !jobs.is_empty() {
                let runs = jobs.len() * grid.window(0, window_row).rows.div_ceil(grid.block);
                rows.push(RowOfJobs { window_row, jobs, first_run });
                first_run += runs;
            }
        }
        Jobs { grid, columns, rows }
    }

    /// How many jobs there are.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The largest number of jobs in one row of windows.
    pub fn longest_row(&self) -> usize {
        self.rows.iter().map(|row| row.jobs.len()).max().unwrap_or(0)
    }

    /// Pixels of all jobs.
    pub fn pixels(&self) -> u64 {
        (0..self.len()).map(|number| self.job(number).window.pixels() as u64).sum()
    }

    /// The position behind the last block of a run, by its place in the order of the file: blocks are counted row by
    /// row over the whole raster.
    pub fn end_of_run(&self, place: usize) -> u64 {
        let row = &self.rows[self.rows.partition_point(|row| row.first_run <= place) - 1];
        let (block_row, number) =
            ((place - row.first_run) / row.jobs.len(), (place - row.first_run) % row.jobs.len());
        self.position(self.job(row.jobs.start + number).window, block_row) + 1
    }

    /// The position of the last block in a window's row of blocks.
    fn position(&self, window: Window, block_row: usize) -> u64 {
        let WindowGrid { block, .. } = self.grid;
        let row = window.row / block + block_row;
        (row * self.grid.blocks().columns + (window.end_column() - 1) / block) as u64
    }

    /// Whether all of a window's blocks lie before a position.
    pub fn is_before(&self, window: Window, position: u64) -> bool {
        self.position(window, (window.rows - 1) / self.grid.block) < position
    }

    /// The pixels of a window whose blocks lie before a position, and the others.
    pub fn cut_at(&self, window: Window, position: u64) -> [Vec<Window>; 2] {
        let WindowGrid { size, block, .. } = self.grid;
        let across = self.grid.blocks().columns as u64;
        let column = (position % across) as usize * block;
        let row = ((position / across) as usize * block).min(size.rows);
        let next = (row + block).min(size.rows);
        let piece = |columns: Range<usize>, rows: Range<usize>| {
            Window::new(columns.start, rows.start, columns.len(), rows.len()).intersection(window)
        };
        let before = [piece(0..size.columns, 0..row), piece(0..column, row..next)];
        let behind = [piece(column..size.columns, row..next), piece(0..size.columns, next..size.rows)];
        [before, behind].map(|pieces| pieces.into_iter().flatten().collect())
    }

    /// The job of a number below [`Jobs::len`].
    pub fn job(&self, number: usize) -> Job {
        let row = &self.rows[self.rows.partition_point(|row| row.jobs.end <= number)];
        let window = self.grid.window(self.columns[number] as usize, row.window_row);
        Job {
            number,
            window_row: row.window_row,
            window,
            first_run: row.first_run + number - row.jobs.start,
            run_step: row.jobs.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_are_numbered_without_gap_in_the_order_of_the_blocks_whatever_the_windows(
            columns in 1usize..200, rows in 1usize..200, factor in 1usize..5,
            sources in prop::collection::vec((0usize..200, 0usize..200, 1usize..80, 1usize..80), 1..6),
        ) {
            let size = Size::new(columns, rows);
            let grid = WindowGrid { size, window: Size::square(16 * factor), block: 16 };
            let windows = sources.iter().map(|&(c, r, w, h)| {
                Window::new(c, r, w, h).intersection(Window::whole(size))
            });
            let touching = Touching::new(&grid, windows);
            let jobs = Jobs::new(grid, &touching);
            let mut runs = Vec::new();
            for number in 0..jobs.len() {
                let job = jobs.job(number);
                for block_row in 0..job.window.rows.div_ceil(16) {
                    runs.push((job.run(block_row), job.window.row / 16 + block_row, job.window.column));
                    let end = job.window.end_column().div_ceil(16);
                    let behind = (job.window.row / 16 + block_row) * grid.blocks().columns + end;
                    prop_assert_eq!(jobs.end_of_run(job.run(block_row)), behind as u64);
                    let is_last = block_row + 1 == job.window.rows.div_ceil(16);
                    prop_assert_eq!(jobs.is_before(job.window, behind as u64), is_last);
                }
            }
            runs.sort_unstable();
            for (place, run) in runs.iter().enumerate() {
                prop_assert_eq!(run.0, place);
            }
            prop_assert!(runs.is_sorted_by_key(|run| (run.1, run.2)));
        }

        #[test]
        fn a_position_cuts_a_window_along_its_blocks(
            columns in 1usize..200, rows in 1usize..200, factor in 1usize..5, position in 0u64..200,
        ) {
            let size = Size::new(columns, rows);
            let grid = WindowGrid { size, window: Size::square(16 * factor), block: 16 };
            let touching = Touching::new(&grid, std::iter::once(Some(Window::whole(size))));
            let jobs = Jobs::new(grid, &touching);
            for number in 0..jobs.len() {
                let window = jobs.job(number).window;
                let parts = jobs.cut_at(window, position);
                for block in window.cut(Size::square(16)) {
                    let lies = parts.each_ref().map(|parts| {
                        let common = parts.iter().filter_map(|part| part.intersection(block));
                        common.map(|common| common.pixels()).sum::<usize>()
                    });
                    let before = jobs.is_before(block, position);
                    prop_assert_eq!(lies, if before { [block.pixels(), 0] } else { [0, block.pixels()] });
                }
            }
        }
    }
}
