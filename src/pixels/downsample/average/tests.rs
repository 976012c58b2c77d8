//! Means against their plain definition, one pixel at a time.

use proptest::prelude::*;

use super::super::*;
use super::*;
use crate::pixels::Sum;

/// A pixel of the smaller level, by the definition that is GDAL's.
fn plain<T: Pixel>(source: &Plane<T>, exact: bool, row: Taps, column: Taps) -> T {
    let below = |row: usize, column: usize| {
        let mut mark = [0];
        source.mark(row, column..column + 1, &mut mark);
        (mark[0] != 0).then(|| source.row(row, column..column + 1)[0])
    };
    let all = matches!(source.valid, Valid::All);
    let (mut total, mut weights, mut sum, mut count) = (0.0, 0.0, T::from_i128(0).to_sum(), 0);
    for (source_row, row_weight) in (row.start..row.end).zip(row.weights()) {
        let (mut line, mut line_weight) = (0.0, 0.0);
        for (source_column, part) in (column.start..column.end).zip(column.weights()) {
            let Some(value) = below(source_row, source_column) else { continue };
            sum = sum.plus(value.to_sum());
            count += 1;
            line += value.to_f64() * part;
            line_weight += part;
        }
        total += line * row_weight;
        weights += line_weight * row_weight;
    }
    if count == 0 {
        return source.nodata.unwrap_or(T::from_i128(0));
    }
    if all {
        weights = column.weights().sum::<f64>() * row.weights().sum::<f64>();
    }
    let mean = total / weights;
    let mean = match T::TYPE {
        PixelType::Int8 | PixelType::Int16 => f64::from(mean as f32),
        _ => mean,
    };
    let mean = match T::TYPE.is_float() {
        _ if exact => sum.mean_away(count),
        true => T::cut(mean),
        false => T::cut(mean + 0.5_f64.copysign(mean)),
    };
    if Some(mean) == source.nodata { mean.neighbour() } else { mean }
}

/// Pixels of any type: mostly a few values, some of them extreme, and holes of nodata.
fn pixels(pixel_type: PixelType, count: usize, seed: u64, holes: u64) -> Buffer {
    let mut state = seed;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut buffer = Buffer::zeros(pixel_type, count);
    dispatch_pixel_type!(pixel_type, T => {
        for pixel in buffer.pixels_mut::<T>() {
            let number = [random(5), random(300), random(1 << 30)][random(3) as usize];
            *pixel = match random(holes + 20) {
                0 => T::from_f64(f64::NAN),
                1 if !pixel_type.is_float() => T::from_i128(i128::MAX),
                2 if !pixel_type.is_float() => T::from_i128(i128::MIN),
                // Sums of quarters are exact in any order.
                3..10 => T::from_f64(number as f64 / 4.0),
                10..20 => T::from_i128(-i128::from(number)),
                _ => T::from_i128(0),
            };
        }
    });
    buffer
}

proptest! {
    #[test]
    fn means_are_those_of_their_plain_definition(
        columns in 1usize..70, rows in 1usize..12, parts in (1usize..41, 1usize..41), halved in any::<bool>(),
        pixel_type in prop::sample::select(PixelType::ALL.to_vec()), which in 0..5usize, holes in 0u64..40, seed in any::<u64>(),
    ) {
        let size = if halved { Size::new(2 * columns, 2 * rows) } else { Size::new(columns, rows) };
        // From full size to a fifth of it.
        let shorter = |side: usize, part: usize| (side * 10 / (10 + part)).max(1);
        let target = match halved {
            true => Size::new(columns, rows),
            false => Size::new(shorter(columns, parts.0), shorter(rows, parts.1)),
        };
        let buffer = pixels(pixel_type, 2 * size.pixels(), seed, holes);
        let Buffer::Byte(mask) = pixels(PixelType::Byte, size.pixels(), seed ^ 1, holes) else { unreachable!() };
        let nothing = if pixel_type.is_float() { Number::Float(f64::NAN) } else { Number::Whole(0) };
        let validity =
            [Validity::All, Validity::Nodata(nothing), Validity::Nodata(Number::Whole(3)), Validity::Mask, Validity::Alpha(1)];
        let area = Area { window: Window::whole(size), pixels: &buffer, mask: Some(&mask) };
        let downsample = Downsample::new(size, target, OverviewResampling::Average);
        let mut made = Tile::empty(pixel_type, &[Number::Whole(0); 2], false, Window::whole(target));
        downsample.fill(&area, &[validity[which]; 2], Window::whole(target), &mut made);
        let (columns, rows) = (downsample.columns, downsample.rows);
        dispatch_pixel_type!(pixel_type, T => {
            let source = Plane::<T>::of(&area, 0, validity[which]);
            for (index, &found) in made.pixels.pixels::<T>()[..target.pixels()].iter().enumerate() {
                let (row, column) = (rows.taps(index / target.columns), columns.taps(index % target.columns));
                let alike = row.is_pair() || matches!(source.valid, Valid::All) && row.end == row.start + 2;
                let wanted = plain(&source, column.is_pair() && alike, row, column);
                let same = found == wanted || found.is_nan() && wanted.is_nan();
                prop_assert!(same, "pixel {index}: {found:?}, not {wanted:?}");
            }
        });
    }
}
