//! From decoded blocks to a source's pixels: the samples of one band, as numbers of the wanted type.

use super::cache::Block;
use super::{DirectLayout, Part};
use crate::geometry::Window;
use crate::pixels::{Buffer, Number, Pixel};
use crate::source::SourceBand;

/// What GDAL reads where a file holds no block: the band's nodata, cut to what its pixels can be, or zero.
fn absent_pixel<S: Pixel>(band: &SourceBand) -> S {
    let zero = S::from_i128(0);
    match (band.nodata, band.impossible_nodata.map(Number::to_f64)) {
        (Some(value), _) => value.to_pixel().unwrap_or(zero),
        (None, Some(value)) => S::from_f64(if S::TYPE.is_float() { value } else { value.round() }),
        (None, None) => zero,
    }
}

/// Where a part's pixels of one band go.
pub(super) struct Target<'v> {
    /// Bands × rows × columns.
    pub values: &'v mut Buffer,
    /// The first pixel's index.
    pub start: usize,
    /// Pixels from one row's first to the next one's.
    pub columns: usize,
}

/// Copies one sample of a part's pixels, as numbers of the target's type.
pub(super) fn copy_samples(
    block: &Block,
    (layout, band): (&DirectLayout, &SourceBand),
    part: Part,
    sample: usize,
    target: Target,
) {
    let Target { values, start, columns } = target;
    let end = start + (part.place.rows - 1) * columns + part.place.columns;
    let samples = layout.samples;
    crate::dispatch_pixel_type!(layout.pixel_type, S => {
        let absent = absent_pixel::<S>(band);
        crate::dispatch_pixel_type!(values.pixel_type(), T => {
            let rows = values.pixels_mut::<T>()[start..end].chunks_mut(columns);
            let mut once = Vec::new();
            for (row, target) in rows.enumerate() {
                let target = &mut target[..part.place.columns];
                let Some(block) = block else {
                    target.fill(widen(absent));
                    continue;
                };
                let source = row_of(block.pixels::<S>(), layout, part, sample, row);
                match samples {
                    _ if part.times.columns > 1 => {
                        let begun = part.inside.0 % part.times.columns;
                        once.clear();
                        once.extend(source.iter().step_by(samples).map(|&from| -> T { widen(from) }));
                        repeat(&once, (begun, part.times.columns), target);
                    }
                    1 => target.iter_mut().zip(source).for_each(|(to, &from)| *to = widen(from)),
                    4 => pick::<S, T, 4>(source, target),
                    _ => {
                        let picked = source.iter().step_by(samples);
                        target.iter_mut().zip(picked).for_each(|(to, &from)| *to = widen(from));
                    }
                }
            }
        });
    });
}

/// Copies pixels as they stand in a block, all its samples, from column and row `inside` on to `place` in a block of
/// `side`² pixels with the same samples, which `bands` describe.
pub(super) fn copy_pixels<'b>(
    block: &Block,
    (layout, bands): (&DirectLayout, impl Iterator<Item = &'b SourceBand>),
    inside: (usize, usize),
    place: Window,
    side: usize,
    raw: &mut [u8],
) {
    let pixel_bytes = layout.samples * layout.pixel_type.bytes();
    let rows = raw.chunks_exact_mut(side * pixel_bytes).skip(place.row).take(place.rows);
    let rows = rows.map(|row| &mut row[place.column * pixel_bytes..][..place.columns * pixel_bytes]);
    match block {
        Some(block) => rows.enumerate().for_each(|(row, target)| {
            let first = (inside.1 + row) * layout.block.columns + inside.0;
            target.copy_from_slice(&block.bytes()[first * pixel_bytes..][..target.len()]);
        }),
        None => {
            let absent: Vec<u8> = crate::dispatch_pixel_type!(layout.pixel_type, S => {
                bands.flat_map(|band| bytemuck::bytes_of(&absent_pixel::<S>(band)).to_vec()).collect()
            });
            rows.for_each(|row| row.chunks_exact_mut(pixel_bytes).for_each(|to| to.copy_from_slice(&absent)));
        }
    }
}

/// Every `SAMPLES`th number; with their number known the compiler takes many at once.
fn pick<S: Pixel, T: Pixel, const SAMPLES: usize>(source: &[S], target: &mut [T]) {
    // The last pixel's later samples may lie behind the part.
    let (whole, rest) = source.as_chunks::<SAMPLES>();
    let numbers = whole.iter().map(|pixel| pixel[0]).chain(rest.first().copied());
    target.iter_mut().zip(numbers).for_each(|(to, from)| *to = widen(from));
}

/// The pixels of which a row of a part is made, from the wanted sample of the first of them on.
fn row_of<'b, T>(block: &'b [T], layout: &DirectLayout, part: Part, sample: usize, row: usize) -> &'b [T] {
    let (line, times) = ((part.inside.1 + row) / part.times.rows, part.times.columns);
    let (first, last) = (part.inside.0 / times, (part.inside.0 + part.place.columns - 1) / times);
    let start = (line * layout.block.columns + first) * layout.samples + sample;
    &block[start..start + (last - first) * layout.samples + 1]
}

/// Writes each number so many times; of the first one some are not wanted, they lie before the part.
fn repeat<T: Copy>(numbers: &[T], (begun, times): (usize, usize), target: &mut [T]) {
    let (head, rest) = target.split_at_mut((times - begun).min(target.len()));
    let (&first, numbers) = numbers.split_first().expect("a row of a part has pixels");
    head.fill(first);
    match times {
        1 => rest.copy_from_slice(&numbers[..rest.len()]),
        2 => runs::<T, 2>(numbers, rest),
        3 => runs::<T, 3>(numbers, rest),
        6 => runs::<T, 6>(numbers, rest),
        _ => rest.chunks_mut(times).zip(numbers).for_each(|(run, &number)| run.fill(number)),
    }
}

/// The same with a number of times that the compiler knows: those of Sentinel-2's resolutions.
fn runs<T: Copy, const TIMES: usize>(numbers: &[T], target: &mut [T]) {
    let (whole, rest) = target.as_chunks_mut::<TIMES>();
    whole.iter_mut().zip(numbers).for_each(|(run, &number)| *run = [number; TIMES]);
    if let Some(&number) = numbers.get(whole.len()) {
        rest.fill(number);
    }
}

/// The same number in a type that holds it, or the nearest where the output's type was chosen narrower.
fn widen<S: Pixel, T: Pixel>(value: S) -> T {
    if S::TYPE == T::TYPE {
        bytemuck::cast(value)
    } else if S::TYPE.is_float() {
        T::from_f64(value.to_f64())
    } else {
        T::from_i128(value.to_i128())
    }
}

/// Whether an alpha means data: GDAL's alpha is read as UInt16, rounded, and what is negative or NaN is 0 there.
fn is_opaque<T: Pixel>(alpha: T) -> u8 {
    u8::from(alpha.to_f64() >= 0.5)
}

pub(super) fn mark_opaque(
    block: &Block,
    (layout, band): (&DirectLayout, &SourceBand),
    part: Part,
    sample: usize,
    mask: &mut [u8],
) {
    crate::dispatch_pixel_type!(layout.pixel_type, T => {
        let Some(block) = block else {
            mask.fill(is_opaque(absent_pixel::<T>(band)));
            return;
        };
        let mut alphas = Vec::new();
        for (row, mask) in mask.chunks_exact_mut(part.place.columns).enumerate() {
            let source = row_of(block.pixels::<T>(), layout, part, sample, row);
            alphas.clear();
            alphas.extend(source.iter().step_by(layout.samples).map(|&alpha| is_opaque(alpha)));
            repeat(&alphas, (part.inside.0 % part.times.columns, part.times.columns), mask);
        }
    });
}

pub(super) fn swap_bytes(buffer: &mut Buffer) {
    let width = buffer.pixel_type().bytes();
    buffer.bytes_mut().chunks_exact_mut(width).for_each(<[u8]>::reverse);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_repeated_as_often_as_they_are_seen() {
        let numbers: Vec<usize> = (1..=30).collect();
        for times in 1..=7 {
            for begun in 0..times {
                for length in 1..30 {
                    let mut target = vec![0; length];
                    repeat(&numbers, (begun, times), &mut target);
                    let wanted: Vec<usize> = (0..length).map(|at| 1 + (begun + at) / times).collect();
                    assert_eq!(target, wanted, "{times} times, {begun} begun");
                }
            }
        }
    }
}
