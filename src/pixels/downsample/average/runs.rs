//! Columns that lie alike over the pixels below, whose sums are made many at once.

use std::ops::Range;

use super::super::Pixel;
use super::super::axis::Taps;

/// Columns that begin `step` taps apart and have as many taps, or one more.
pub(super) struct Run {
    pub columns: Range<usize>,
    pub step: usize,
    pub one_more: bool,
}

/// Cuts columns into runs.
pub(super) fn cut(columns: &[Taps]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut start = 0;
    while start < columns.len() {
        let taps = |column: usize| columns[column].end - columns[column].start;
        let step = columns.get(start + 1).map_or(0, |next| next.start - columns[start].start);
        let count = taps(start);
        let fits = |column: &usize| {
            taps(*column) == count
                && columns[*column].start == columns[start].start + (*column - start) * step
        };
        let end = start + (start..columns.len()).take_while(fits).count();
        runs.push(match (step, count == step, count == step + 1) {
            (2 | 3, true, _) => Run { columns: start..end, step, one_more: false },
            // The last column's last tap lies in no whole step of the row's.
            (2 | 3, _, true) if end > start + 1 => Run { columns: start..end - 1, step, one_more: true },
            _ => Run { columns: start..start + 1, step: 0, one_more: false },
        });
        start = runs.last().map_or(end, |run| run.columns.end);
    }
    runs
}

/// Totals of a run's columns, and with marks the weights that count.
#[inline(always)]
pub(super) fn sum_run<T: Pixel, const STEP: usize, const ONE_MORE: bool, const MARKED: bool>(
    (values, marks): (&[T], &[u8]),
    [first, last]: [&[f64]; 2],
    [totals, weights]: [&mut [f64]; 2],
) {
    let count = totals.len();
    let (values, marks) = (values.as_chunks::<STEP>().0, marks.as_chunks::<STEP>().0);
    let next = usize::from(ONE_MORE);
    let (values, next_values) = (&values[..count], &values[next..][..count]);
    let (marks, next_marks) = (&marks[..count], &marks[next..][..count]);
    let (first, last, weights) = (&first[..count], &last[..count], &mut weights[..count]);
    for column in 0..count {
        let (mut total, mut weight) = (0.0, 0.0);
        let mut add = |value: T, mark: u8, part: f64| {
            total += if MARKED { only(mark, value.to_f64()) } else { value.to_f64() } * part;
            weight += only(mark, part);
        };
        add(values[column][0], marks[column][0], first[column]);
        for tap in 1..STEP - usize::from(!ONE_MORE) {
            add(values[column][tap], marks[column][tap], 1.0);
        }
        match ONE_MORE {
            true => add(next_values[column][0], next_marks[column][0], last[column]),
            false => add(values[column][STEP - 1], marks[column][STEP - 1], last[column]),
        }
        totals[column] = total;
        if MARKED {
            weights[column] = weight;
        }
    }
}

/// The same for any columns.
#[inline(always)]
pub(super) fn sum_columns<T: Pixel, const MARKED: bool>(
    (values, marks): (&[T], &[u8]),
    columns: &[Taps],
    [totals, weights]: [&mut [f64]; 2],
) {
    for ((taps, total), weight) in columns.iter().zip(totals).zip(weights) {
        let span = taps.start - columns[0].start..taps.end - columns[0].start;
        let (mut sum, mut valid) = (0.0, 0.0);
        for ((value, &mark), part) in values[span.clone()].iter().zip(&marks[span]).zip(taps.weights()) {
            sum += if !MARKED || mark != 0 { value.to_f64() * part } else { 0.0 };
            valid += if mark != 0 { part } else { 0.0 };
        }
        *total = sum;
        if MARKED {
            *weight = valid;
        }
    }
}

/// A number where the mark is 1, zero where it is 0; without a branch, so that many are done at once.
#[inline(always)]
fn only(mark: u8, number: f64) -> f64 {
    f64::from_bits(number.to_bits() & u64::from(mark).wrapping_neg())
}
