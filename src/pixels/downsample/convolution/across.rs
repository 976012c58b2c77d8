//! Rows below, weighed along their columns: one number for each column of the smaller level.

use std::ops::Range;

use super::weights::Weights;
use super::{Kernel, Pixel, Plane};

/// A row below, weighed.
pub(super) struct Line {
    row: Option<usize>,
    /// Whether all its numbers are valid.
    pub is_whole: bool,
    /// One number a column, zero where it is invalid.
    pub values: Vec<f64>,
    /// 1 where it is valid, else 0.
    pub valid: Vec<u8>,
}

/// Weighs rows of a plane, and keeps those that are still under the kernel.
pub(super) struct Weigher<'a, T> {
    source: &'a Plane<'a, T>,
    kernel: Kernel,
    columns: &'a [Weights],
    lines: Vec<Line>,
    /// The pixels of the row that is being weighed, zero where they are invalid, and which are valid.
    numbers: Vec<f64>,
    marks: Vec<u8>,
}

impl<'a, T: Pixel> Weigher<'a, T> {
    pub(super) fn new(source: &'a Plane<'a, T>, kernel: Kernel, columns: &'a [Weights]) -> Weigher<'a, T> {
        Weigher { source, kernel, columns, lines: Vec::new(), numbers: Vec::new(), marks: Vec::new() }
    }

    /// The line of a row that has been prepared.
    pub(super) fn line(&self, row: usize) -> &Line {
        &self.lines[row % self.lines.len()]
    }

    /// Weighs the rows that are not yet.
    pub(super) fn prepare(&mut self, rows: Range<usize>) {
        if self.lines.len() < rows.len() {
            // Kernels at the ends of a level are cut; later ones may be as long again.
            let count = self.columns.len();
            let empty =
                || Line { row: None, is_whole: false, values: vec![0.0; count], valid: vec![0; count] };
            self.lines = (0..2 * rows.len()).map(|_| empty()).collect();
        }
        for row in rows {
            let index = row % self.lines.len();
            if self.lines[index].row != Some(row) {
                self.weigh(row, index);
            }
        }
    }

    fn weigh(&mut self, row: usize, index: usize) {
        let (first, last) = (&self.columns[0], &self.columns[self.columns.len() - 1]);
        let all = first.start..last.span().end;
        let line = &mut self.lines[index];
        let pixels = self.source.row(row, all.clone());
        self.numbers.clear();
        self.numbers.extend(pixels.iter().map(|pixel| pixel.to_f64()));
        line.row = Some(row);
        line.is_whole = self.source.is_valid(row, all.clone());
        if line.is_whole {
            line.valid.fill(1);
            for (value, column) in line.values.iter_mut().zip(self.columns) {
                let numbers = &self.numbers[column.start - all.start..][..column.weights.len()];
                *value = product(&column.weights, numbers) / column.sum;
            }
            return;
        }
        self.marks.resize(all.len(), 0);
        self.source.mark(row, all.clone(), &mut self.marks);
        for (number, &mark) in self.numbers.iter_mut().zip(&self.marks) {
            // What is invalid may be NaN, which no weight takes away.
            *number = if mark == 0 { 0.0 } else { *number };
        }
        for ((value, valid), column) in line.values.iter_mut().zip(&mut line.valid).zip(self.columns) {
            let span = column.start - all.start..column.span().end - all.start;
            let (numbers, marks) = (&self.numbers[span.clone()], &self.marks[span]);
            let together: f64 =
                column.weights.iter().zip(marks).map(|(weight, &mark)| weight * f64::from(mark)).sum();
            let is_gappy = self.kernel.is_negative_somewhere() && longest_run(marks) < marks.len() / 2;
            *valid = u8::from(together > 0.0 && !is_gappy);
            *value = if *valid == 1 { product(&column.weights, numbers) / together } else { 0.0 };
        }
    }
}

/// The sum of numbers times their weights; in four sums, which need not wait for each other.
fn product(weights: &[f64], numbers: &[f64]) -> f64 {
    let (weights, last_weights) = weights.as_chunks::<4>();
    let (numbers, last_numbers) = numbers.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (weights, numbers) in weights.iter().zip(numbers) {
        for index in 0..4 {
            sums[index] += weights[index] * numbers[index];
        }
    }
    let rest: f64 = last_weights.iter().zip(last_numbers).map(|(weight, number)| weight * number).sum();
    sums[0] + sums[1] + sums[2] + sums[3] + rest
}

/// How many valid pixels lie one after the other, at most.
fn longest_run(marks: &[u8]) -> usize {
    marks.split(|&mark| mark == 0).map(<[u8]>::len).max().unwrap_or(0)
}
