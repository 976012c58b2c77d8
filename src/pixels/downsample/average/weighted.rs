//! Means of pixels that lie below in part.

use std::ops::Range;

use super::super::axis::Taps;
use super::super::{Pixel, Plane, Valid};
use super::Settled;
use super::rounding::rounded_away;
use super::runs::{Run, cut, sum_columns, sum_run};

/// Makes rows of weighted means.
pub(super) struct Weighted<'a> {
    columns: &'a [Taps],
    runs: Vec<Run>,
    /// Of each column the weight of its first tap, of its last, and of all.
    first: Vec<f64>,
    last: Vec<f64>,
    together: Vec<f64>,
    /// Sums of source rows, each at its number modulo theirs: two target rows may share one.
    lines: [Line; AT_ONCE],
    /// Sums of the rows before those; zero where a target row has no more.
    before: Line,
    marks: Vec<u8>,
}

/// Source rows that are summed at once: as many as lie below where a level is halved.
const AT_ONCE: usize = 3;

/// Sums of a source row by columns.
struct Line {
    row: Option<usize>,
    /// Whether all its pixels are valid; its weights are those of the columns then, and not written.
    whole: bool,
    totals: Vec<f64>,
    weights: Vec<f64>,
}

impl Line {
    fn zeros(columns: usize) -> Line {
        Line { row: None, whole: true, totals: vec![0.0; columns], weights: vec![0.0; columns] }
    }
}

impl<'a> Weighted<'a> {
    pub(super) fn new(columns: &'a [Taps]) -> Weighted<'a> {
        Weighted {
            columns,
            runs: cut(columns),
            first: columns.iter().map(|taps| taps.first_weight).collect(),
            last: columns.iter().map(|taps| taps.last_weight).collect(),
            together: columns.iter().map(|taps| taps.weights().sum()).collect(),
            lines: [(); AT_ONCE].map(|()| Line::zeros(columns.len())),
            before: Line::zeros(columns.len()),
            marks: Vec::new(),
        }
    }

    /// Fills a row from the rows of its taps.
    #[inline(always)]
    pub(super) fn fill<T: Pixel>(
        &mut self,
        source: &Plane<T>,
        row: Taps,
        settled: Settled<T>,
        pixels: &mut [T],
    ) {
        let rows = row.start..row.end;
        let weights: Vec<f64> = row.weights().collect();
        let (before, last) = weights.split_at(weights.len().saturating_sub(AT_ONCE));
        self.sum_before(source, rows.start, before);
        let rows = rows.end - last.len()..rows.end;
        for source_row in rows.clone() {
            self.sum_line(source, source_row);
        }
        // Where all are valid, GDAL multiplies the weights of columns and rows, which can decide how a half is rounded.
        let together = matches!(source.valid, Valid::All).then(|| weights.iter().sum());
        match *last {
            [a] => self.finish(rows, [a], together, settled, pixels),
            [a, b] => self.finish(rows, [a, b], together, settled, pixels),
            [a, b, c] => self.finish(rows, [a, b, c], together, settled, pixels),
            _ => unreachable!("a row has taps"),
        }
    }

    /// Sums the rows from `start` on that come before the last ones, by their weights.
    #[inline(always)]
    fn sum_before<T: Pixel>(&mut self, source: &Plane<T>, start: usize, weights: &[f64]) {
        if self.before.row.is_some() {
            self.before = Line::zeros(self.columns.len());
        }
        for (row, &weight) in (start..).zip(weights) {
            self.sum_line(source, row);
            let line = &self.lines[row % AT_ONCE];
            let parts = if line.whole { &self.together } else { &line.weights };
            add(&mut self.before.totals, &line.totals, weight);
            add(&mut self.before.weights, parts, weight);
            self.before.whole &= line.whole;
            self.before.row = Some(row);
        }
    }

    /// Makes the means of the last rows below, which are summed, and of those before.
    #[inline(always)]
    fn finish<T: Pixel, const ROWS: usize>(
        &self,
        rows: Range<usize>,
        weights: [f64; ROWS],
        together: Option<f64>,
        settled: Settled<T>,
        pixels: &mut [T],
    ) {
        let count = pixels.len();
        let lines: [&Line; ROWS] = std::array::from_fn(|index| &self.lines[(rows.start + index) % AT_ONCE]);
        let (totals, before) = (lines.map(|line| &line.totals[..count]), &self.before.totals[..count]);
        let total = |column: usize| weighted_sum(before[column], totals.map(|line| line[column]), weights);
        if let Some(rows) = together {
            for (column, pixel) in pixels.iter_mut().enumerate() {
                *pixel = rounded_away(total(column) / (self.together[column] * rows));
            }
            return settled.settle(pixels);
        }
        let parts = lines.map(|line| &(if line.whole { &self.together } else { &line.weights })[..count]);
        let before = &self.before.weights[..count];
        let weight = |column: usize| weighted_sum(before[column], parts.map(|line| line[column]), weights);
        if self.before.whole && lines.iter().all(|line| line.whole) {
            for (column, pixel) in pixels.iter_mut().enumerate() {
                *pixel = rounded_away(total(column) / weight(column));
            }
            return settled.settle(pixels);
        }
        for (column, pixel) in pixels.iter_mut().enumerate() {
            let weight = weight(column);
            *pixel = settled.pixel(rounded_away(total(column) / weight), weight > 0.0);
        }
    }

    /// Sums one source row, if it is not.
    #[inline(always)]
    fn sum_line<T: Pixel>(&mut self, source: &Plane<T>, row: usize) {
        let all = self.columns[0].start..self.columns[self.columns.len() - 1].end;
        let line = &mut self.lines[row % AT_ONCE];
        if line.row.replace(row) == Some(row) {
            return;
        }
        self.marks.resize(all.len(), 0);
        let values = source.row(row, all.clone());
        line.whole = source.is_valid(row, all.clone());
        if line.whole {
            self.sum_runs::<T, false>(row, values, all.start);
        } else {
            source.mark(row, all.clone(), &mut self.marks);
            self.sum_runs::<T, true>(row, values, all.start);
        }
    }

    /// Sums a row of values, whose first lies in column `from` of the level; only the marked ones where some are
    /// not valid.
    #[inline(always)]
    fn sum_runs<T: Pixel, const MARKED: bool>(&mut self, row: usize, values: &[T], from: usize) {
        let line = &mut self.lines[row % AT_ONCE];
        for run in &self.runs {
            let columns = run.columns.clone();
            let start = self.columns[columns.start].start - from;
            let row = (&values[start..], &self.marks[start..]);
            let weights = [&self.first[columns.clone()], &self.last[columns.clone()]];
            let sums = [&mut line.totals[columns.clone()], &mut line.weights[columns.clone()]];
            match (run.step, run.one_more) {
                (2, false) => sum_run::<T, 2, false, MARKED>(row, weights, sums),
                (2, true) => sum_run::<T, 2, true, MARKED>(row, weights, sums),
                (3, false) => sum_run::<T, 3, false, MARKED>(row, weights, sums),
                (3, true) => sum_run::<T, 3, true, MARKED>(row, weights, sums),
                _ => sum_columns::<T, MARKED>(row, &self.columns[columns], sums),
            }
        }
    }
}

/// Adds a line's sums, each multiplied by the row's weight.
#[inline(always)]
fn add(sums: &mut [f64], line: &[f64], weight: f64) {
    for (sum, line) in sums.iter_mut().zip(line) {
        *sum += line * weight;
    }
}

/// Adds to a column's sum those of some rows, in their order.
#[inline(always)]
fn weighted_sum<const ROWS: usize>(before: f64, rows: [f64; ROWS], weights: [f64; ROWS]) -> f64 {
    let mut sum = before;
    for (row, weight) in rows.into_iter().zip(weights) {
        sum += row * weight;
    }
    sum
}
