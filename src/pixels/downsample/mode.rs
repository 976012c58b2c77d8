//! The most frequent of the pixels below.

use std::ops::Range;

use super::axis::Taps;
use super::{Pixel, Plane};

pub(super) fn fill<T: Pixel>(
    source: &Plane<T>,
    columns: &[Taps],
    rows: &mut dyn Iterator<Item = (Taps, Range<usize>)>,
    pixels: &mut [T],
) {
    let all = columns[0].start..columns[columns.len() - 1].end;
    let mut valid: Vec<Vec<u8>> = Vec::new();
    let mut counts: Vec<(T, usize)> = Vec::new();
    let background = source.nodata.unwrap_or(T::from_i128(0));
    for (row, span) in rows {
        valid.resize(row.end - row.start, Vec::new());
        for (source_row, valid) in (row.start..row.end).zip(&mut valid) {
            valid.resize(all.len(), 0);
            source.mark(source_row, all.clone(), valid);
        }
        for (taps, pixel) in columns.iter().zip(&mut pixels[span]) {
            counts.clear();
            let mut most = 0;
            for (source_row, valid) in (row.start..row.end).zip(&valid) {
                let line = source.row(source_row, taps.start..taps.end);
                for (&value, &valid) in line.iter().zip(&valid[taps.start - all.start..]) {
                    if valid != 0 {
                        most = count(&mut counts, value, most);
                    }
                }
            }
            *pixel = counts.get(most).map_or(background, |(value, _)| *value);
        }
    }
}

/// Counts a value; says which one is the most frequent now, as long as none is more frequent the one before.
fn count<T: Pixel>(counts: &mut Vec<(T, usize)>, value: T, most: usize) -> usize {
    let same = |other: T| other == value || (other.is_nan() && value.is_nan());
    match counts.iter().position(|(other, _)| same(*other)) {
        Some(index) => {
            counts[index].1 += 1;
            if counts[index].1 > counts[most].1 { index } else { most }
        }
        None => {
            counts.push((value, 1));
            most
        }
    }
}
