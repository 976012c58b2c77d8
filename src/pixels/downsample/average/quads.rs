//! Means of four whole pixels each.

use std::ops::Range;

use super::super::{Pixel, Plane};
use super::Settled;
use crate::pixels::{PixelType, Sum};

/// Makes rows of means of four pixels each.
pub(super) struct Quads {
    /// The columns below.
    all: Range<usize>,
    /// Which pixels of two rows are valid.
    marks: [Vec<u8>; 2],
}

/// Two rows of pixels or of their marks, in pairs.
type Pairs<'a, T> = [&'a [[T; 2]]; 2];

impl Quads {
    pub(super) fn new(all: Range<usize>) -> Quads {
        Quads { all, marks: [Vec::new(), Vec::new()] }
    }

    /// Fills a row from the row `upper` below and the next.
    #[inline(always)]
    pub(super) fn fill<T: Pixel>(
        &mut self,
        source: &Plane<T>,
        upper: usize,
        settled: Settled<T>,
        pixels: &mut [T],
    ) {
        let rows = [upper, upper + 1];
        let all_valid = rows.iter().all(|&row| source.is_valid(row, self.all.clone()));
        let marks = (!all_valid).then(|| {
            for (row, marks) in rows.into_iter().zip(&mut self.marks) {
                marks.resize(self.all.len(), 0);
                source.mark(row, self.all.clone(), marks);
            }
            self.marks.each_ref().map(|marks| marks.as_chunks().0)
        });
        let pairs = rows.map(|row| source.row(row, self.all.clone()).as_chunks().0);
        match T::TYPE {
            PixelType::Byte => small(pairs, marks, settled, pixels, |mean| mean as u8),
            PixelType::Int8 => small(pairs, marks, settled, pixels, |mean| mean as i8),
            PixelType::UInt16 => small(pairs, marks, settled, pixels, |mean| mean as u16),
            PixelType::Int16 => small(pairs, marks, settled, pixels, |mean| mean as i16),
            _ => large(pairs, marks, settled, pixels),
        }
    }
}

/// Means of numbers of up to 16 bits, `S` by name, many at a time.
#[inline(always)]
fn small<T: Pixel, S: Pixel + Into<i32>>(
    pairs: Pairs<T>,
    marks: Option<Pairs<u8>>,
    settled: Settled<T>,
    pixels: &mut [T],
    narrow: impl Fn(i32) -> S,
) {
    let (pairs, pixels) = (pairs.map(bytemuck::cast_slice), bytemuck::cast_slice_mut(pixels));
    let settled: Settled<S> = settled.cast();
    // Half the divisor with the sum's sign: division cuts towards zero.
    let half = |sum: i32, count: i32| if sum < 0 { -(count / 2) } else { count / 2 };
    match marks {
        None => each(pairs, pixels, |[a, b, c, d]: [S; 4]| {
            let sum = a.into() + b.into() + c.into() + d.into();
            settled.pixel(narrow((sum + half(sum, 4)) / 4), true)
        }),
        Some(marks) => each_marked(pairs, marks, pixels, |four: [S; 4], marks| {
            let (mut sum, mut count) = (0, 0);
            for (value, mark) in four.into_iter().zip(marks) {
                sum += value.into() * i32::from(mark);
                count += i32::from(mark);
            }
            // Sums below 2^24 and divisors up to four: no quotient is rounded up to the next whole number.
            let mean = (sum + half(sum, count)) as f32 / count.max(1) as f32;
            settled.pixel(narrow(mean as i32), count > 0)
        }),
    }
}

/// Means of wider numbers and of floats.
#[inline(always)]
fn large<T: Pixel>(pairs: Pairs<T>, marks: Option<Pairs<u8>>, settled: Settled<T>, pixels: &mut [T]) {
    match marks {
        None => each(pairs, pixels, |four| {
            let [a, b, c, d] = four.map(T::to_sum);
            settled.pixel(a.plus(b).plus(c.plus(d)).mean_away(4), true)
        }),
        Some(marks) => each_marked(pairs, marks, pixels, |four, marks| {
            let (mut sum, mut count) = (T::from_i128(0).to_sum(), 0);
            for (value, mark) in four.into_iter().zip(marks) {
                sum = if mark != 0 { sum.plus(value.to_sum()) } else { sum };
                count += u32::from(mark);
            }
            if count == 0 { settled.background } else { settled.pixel(sum.mean_away(count), true) }
        }),
    }
}

/// Makes each pixel of the four below.
#[inline(always)]
fn each<T: Copy>([upper, lower]: Pairs<T>, pixels: &mut [T], mean: impl Fn([T; 4]) -> T) {
    for ((pixel, upper), lower) in pixels.iter_mut().zip(upper).zip(lower) {
        *pixel = mean([upper[0], upper[1], lower[0], lower[1]]);
    }
}

/// Makes each pixel of the four below and of their marks.
#[inline(always)]
fn each_marked<T: Copy>(
    [upper, lower]: Pairs<T>,
    [upper_marks, lower_marks]: Pairs<u8>,
    pixels: &mut [T],
    mean: impl Fn([T; 4], [u8; 4]) -> T,
) {
    let pairs = upper.iter().zip(lower).zip(upper_marks.iter().zip(lower_marks));
    for (pixel, ((upper, lower), (upper_marks, lower_marks))) in pixels.iter_mut().zip(pairs) {
        let marks = [upper_marks[0], upper_marks[1], lower_marks[0], lower_marks[1]];
        *pixel = mean([upper[0], upper[1], lower[0], lower[1]], marks);
    }
}
