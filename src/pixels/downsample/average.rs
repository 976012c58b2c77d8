//! The mean of the pixels below, each weighed by its part below.

use std::ops::Range;

use super::axis::Taps;
use super::{Pixel, Plane, Valid};
use crate::pixels::{PixelType, Sum};

pub(super) fn fill<T: Pixel>(
    source: &Plane<T>,
    columns: &[Taps],
    rows: &mut dyn Iterator<Item = (Taps, Range<usize>)>,
    pixels: &mut [T],
) {
    let all = columns[0].start..columns[columns.len() - 1].end;
    let in_pairs = columns.iter().all(|taps| taps.is_pair()) && all.len() == 2 * columns.len();
    let background = source.nodata.unwrap_or(T::from_i128(0));
    let mut valid = [Vec::new(), Vec::new()];
    let mut weighted = Weighted::new(columns);
    for (row, span) in rows {
        let pixels = &mut pixels[span];
        // Where columns come in pairs and all is valid, GDAL weighs two rows alike whatever their parts.
        let alike = matches!(source.valid, Valid::All) && row.end == row.start + 2;
        if in_pairs && (row.is_pair() || alike) {
            let lines = [row.start, row.start + 1]
                .map(|row| &source.row(row).pixels[all.start - source.window.column..]);
            let whole = source.mark(row.start, all.clone(), &mut valid[0]);
            if source.mark(row.start + 1, all.clone(), &mut valid[1]) && whole {
                quads(lines, pixels);
            } else {
                // A row that is valid throughout may have no marks.
                valid.iter_mut().for_each(|valid| valid.resize(all.len(), 1));
                quads_of_valid(lines, [&valid[0], &valid[1]], background, pixels);
            }
        } else {
            weighted.start(columns.len());
            for (source_row, weight) in (row.start..row.end).zip(row.weights()) {
                weighted.add(source, source_row, weight, columns);
            }
            let throughout = matches!(source.valid, Valid::All);
            weighted.finish(throughout.then(|| row.weights().sum()), background, pixels);
        }
        if let Some(nodata) = source.nodata {
            keep_valid(source, nodata, (row, columns), pixels);
        }
    }
}

/// Means of four pixels each, all valid.
fn quads<T: Pixel>(lines: [&[T]; 2], pixels: &mut [T]) {
    match T::TYPE {
        PixelType::Byte => {
            let lines = lines.map(bytemuck::cast_slice);
            return quads_of_small(lines, bytemuck::cast_slice_mut(pixels), |mean| mean as u8);
        }
        PixelType::UInt16 => {
            let lines = lines.map(bytemuck::cast_slice);
            return quads_of_small(lines, bytemuck::cast_slice_mut(pixels), |mean| mean as u16);
        }
        _ => {}
    }
    let pairs = lines[0].chunks_exact(2).zip(lines[1].chunks_exact(2));
    for (pixel, (upper, lower)) in pixels.iter_mut().zip(pairs) {
        let sum = |pair: &[T]| pair[0].to_sum().plus(pair[1].to_sum());
        *pixel = sum(upper).plus(sum(lower)).mean_away(4);
    }
}

/// The same for small numbers without a sign, many at a time.
fn quads_of_small<T: Copy + Into<u32>>(lines: [&[T]; 2], pixels: &mut [T], narrow: impl Fn(u32) -> T) {
    let pairs = lines[0].chunks_exact(2).zip(lines[1].chunks_exact(2));
    for (pixel, (upper, lower)) in pixels.iter_mut().zip(pairs) {
        let sum: u32 = upper[0].into() + upper[1].into() + lower[0].into() + lower[1].into();
        *pixel = narrow((sum + 2) / 4);
    }
}

/// Means of those of four pixels each that are valid.
fn quads_of_valid<T: Pixel>(lines: [&[T]; 2], valid: [&[u8]; 2], background: T, pixels: &mut [T]) {
    let zero = T::from_i128(0).to_sum();
    for (index, pixel) in pixels.iter_mut().enumerate() {
        let (mut sum, mut count) = (zero, 0);
        for (line, valid) in lines.iter().zip(valid) {
            for column in 2 * index..2 * index + 2 {
                sum = if valid[column] != 0 { sum.plus(line[column].to_sum()) } else { sum };
                count += u32::from(valid[column]);
            }
        }
        *pixel = if count == 0 { background } else { sum.mean_away(count) };
    }
}

/// Weighted totals of a row of target pixels, and those of the last source row, which two target rows may share.
struct Weighted {
    /// For each column the first pixel below, from the first of all on, and the weights of three; none when more than
    /// three lie below any.
    triples: Option<Vec<(usize, [f64; 3])>>,
    /// The sum of each column's weights.
    column_weights: Vec<f64>,
    totals: Vec<f64>,
    weights: Vec<f64>,
    line_row: Option<usize>,
    line_totals: Vec<f64>,
    line_weights: Vec<f64>,
    valid: Vec<u8>,
}

impl Weighted {
    fn new(columns: &[Taps]) -> Weighted {
        let first = columns[0].start;
        let last = columns[columns.len() - 1].end - first;
        let triple = |taps: &Taps| {
            // A triple that would reach over the end begins earlier, with weights of zero.
            let start = (taps.start - first).min(last.checked_sub(3)?);
            let mut weights = [0.0; 3];
            let places = weights.get_mut(taps.start - first - start..)?;
            if taps.end - taps.start > places.len() {
                return None;
            }
            places.iter_mut().zip(taps.weights()).for_each(|(place, weight)| *place = weight);
            Some((start, weights))
        };
        Weighted {
            triples: columns.iter().map(triple).collect(),
            column_weights: columns.iter().map(|taps| taps.weights().sum()).collect(),
            totals: Vec::new(),
            weights: Vec::new(),
            line_row: None,
            line_totals: Vec::new(),
            line_weights: Vec::new(),
            valid: Vec::new(),
        }
    }

    fn start(&mut self, columns: usize) {
        for sums in [&mut self.totals, &mut self.weights] {
            sums.clear();
            sums.resize(columns, 0.0);
        }
    }

    /// Adds a source row that counts with `weight`.
    fn add<T: Pixel>(&mut self, source: &Plane<T>, row: usize, weight: f64, columns: &[Taps]) {
        if self.line_row != Some(row) {
            self.sum_line(source, row, columns);
            self.line_row = Some(row);
        }
        let lines = self.line_totals.iter().zip(&self.line_weights);
        for ((total, weights), (line, line_weight)) in
            self.totals.iter_mut().zip(&mut self.weights).zip(lines)
        {
            *total += line * weight;
            *weights += line_weight * weight;
        }
    }

    /// Sums one source row by target columns.
    fn sum_line<T: Pixel>(&mut self, source: &Plane<T>, row: usize, columns: &[Taps]) {
        let all = columns[0].start..columns[columns.len() - 1].end;
        let whole = source.mark(row, all.clone(), &mut self.valid);
        let pixels = &source.row(row).pixels[all.start - source.window.column..];
        self.line_totals.clear();
        self.line_weights.clear();
        // Weights of zero would spread infinities and NaN.
        if whole
            && !T::TYPE.is_float()
            && let Some(triples) = &self.triples
        {
            let total = |(start, weights): &(usize, [f64; 3])| match &pixels[*start..] {
                [a, b, c, ..] => a.to_f64() * weights[0] + b.to_f64() * weights[1] + c.to_f64() * weights[2],
                _ => unreachable!("a triple lies inside its row"),
            };
            self.line_totals.extend(triples.iter().map(total));
            self.line_weights.extend_from_slice(&self.column_weights);
            return;
        }
        for taps in columns {
            let span = taps.start - all.start..taps.end - all.start;
            let (mut total, mut weight) = (0.0, 0.0);
            if whole {
                for (value, part) in pixels[span].iter().zip(taps.weights()) {
                    total += value.to_f64() * part;
                    weight += part;
                }
            } else {
                let values = pixels[span.clone()].iter().zip(&self.valid[span]);
                for ((value, &valid), part) in values.zip(taps.weights()) {
                    total += if valid != 0 { value.to_f64() * part } else { 0.0 };
                    weight += if valid != 0 { part } else { 0.0 };
                }
            }
            self.line_totals.push(total);
            self.line_weights.push(weight);
        }
    }

    /// The means. Where all pixels of the level are valid, GDAL multiplies the weights of columns and rows, which can
    /// decide how a half is rounded; `rows` is the sum of the latter.
    fn finish<T: Pixel>(&mut self, rows: Option<f64>, background: T, pixels: &mut [T]) {
        if let Some(rows) = rows {
            self.weights.iter_mut().zip(&self.line_weights).for_each(|(weight, line)| *weight = line * rows);
        }
        for ((pixel, total), &weight) in pixels.iter_mut().zip(&self.totals).zip(&self.weights) {
            *pixel = if weight > 0.0 { rounded_away(total / weight) } else { background };
        }
    }
}

/// A mean that is nodata by chance becomes the neighbouring value, so that it stays valid.
fn keep_valid<T: Pixel>(source: &Plane<T>, nodata: T, (row, columns): (Taps, &[Taps]), pixels: &mut [T]) {
    let neighbour = nodata.neighbour();
    for (pixel, taps) in pixels.iter_mut().zip(columns).filter(|(pixel, _)| **pixel == nodata) {
        let valid = |row: usize| {
            let line = source.row(row);
            (taps.start..taps.end).any(|column| line[column] != nodata)
        };
        if (row.start..row.end).any(valid) {
            *pixel = neighbour;
        }
    }
}

/// A mean as a pixel: the nearest float, or rounded half away from zero. Small signed numbers come by way of a 32-bit
/// float, as in GDAL.
fn rounded_away<T: Pixel>(value: f64) -> T {
    let value = match T::TYPE {
        PixelType::Float32 | PixelType::Float64 => return T::cut(value),
        PixelType::Int8 | PixelType::Int16 => f64::from(value as f32),
        _ => value,
    };
    T::cut(value + if value < 0.0 { -0.5 } else { 0.5 })
}
