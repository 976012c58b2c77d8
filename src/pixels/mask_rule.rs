//! Which pixels of a scene its mask hides: by value, by bit, and around them.

use std::ops::RangeInclusive;

use super::{Buffer, Pixel};
use crate::dispatch_pixel_type;
use crate::geometry::Size;

/// Which pixels a scene's mask hides.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MaskRule {
    /// Values that hide a pixel.
    pub hidden: Vec<RangeInclusive<i64>>,
    /// The only values that do not, where any are named.
    pub kept: Vec<RangeInclusive<i64>>,
    /// Bits of which each one, set, hides a pixel.
    pub bits: u64,
    /// How far around a hidden pixel others are hidden too: columns and rows, fractions count.
    pub reach: (f64, f64),
}

impl MaskRule {
    /// Whether a mask's value hides its pixel.
    pub fn hides(&self, value: i64) -> bool {
        let named = |ranges: &[RangeInclusive<i64>]| ranges.iter().any(|range| range.contains(&value));
        let not_kept = !self.kept.is_empty() && !named(&self.kept);
        named(&self.hidden) || not_kept || value as u64 & self.bits != 0
    }

    /// Columns and rows beside an area in which a pixel may hide one of the area's.
    pub fn margin(&self) -> (usize, usize) {
        (self.reach.0 as usize, self.reach.1 as usize)
    }

    /// Marks with 1 in `hidden` the pixels that these values hide. A value that is NaN or no whole number hides none.
    ///
    /// # Panics
    /// When there are not as many of them as values.
    pub fn mark(&self, values: &Buffer, hidden: &mut [u8]) {
        dispatch_pixel_type!(values.pixel_type(), T => self.mark_typed(values.pixels::<T>(), hidden));
    }

    fn mark_typed<T: Pixel>(&self, values: &[T], hidden: &mut [u8]) {
        assert_eq!(values.len(), hidden.len());
        let decide = |value: T| {
            let whole = value.to_f64();
            u8::from(whole.fract() == 0.0 && self.hides(whole as i64))
        };
        // Neighbours are alike: most answers are the one before.
        let mut last: Option<(T, u8)> = None;
        for (hidden, &value) in hidden.iter_mut().zip(values) {
            let answer = match last {
                Some((before, answer)) if before == value => answer,
                _ => decide(value),
            };
            last = Some((value, answer));
            *hidden = answer;
        }
    }

    /// Hides also what lies within reach of a hidden pixel: within the ellipse whose half axes the reach is, between
    /// the centres of pixels. `hidden` is rows × columns of `size`; `steps` is scratch.
    pub fn grow(&self, size: Size, hidden: &mut [u8], steps: &mut Vec<u32>) {
        let (across, down) = self.reach;
        if across < 1.0 && down < 1.0 || hidden.iter().all(|&hidden| hidden == 0) {
            return;
        }
        rows_to_hidden(size, hidden, steps);
        let reach = across as usize;
        for (row, steps) in hidden.chunks_exact_mut(size.columns).zip(steps.chunks_exact(size.columns)) {
            for column in 0..size.columns {
                let near = column.saturating_sub(reach)..(column + reach + 1).min(size.columns);
                let within = |other: usize| {
                    let (x, y) = (other.abs_diff(column) as f64, f64::from(steps[other]));
                    // Without reach in one direction only pixels straight in the other are near.
                    let part =
                        |steps: f64, reach: f64| if steps == 0.0 { 0.0 } else { (steps / reach).powi(2) };
                    part(x, across) + part(y, down) <= 1.0
                };
                row[column] = u8::from(near.into_iter().any(within));
            }
        }
    }
}

/// How many rows above or below each pixel the nearest hidden one of its column lies; as good as infinite where there
/// is none.
fn rows_to_hidden(size: Size, hidden: &[u8], steps: &mut Vec<u32>) {
    const FAR: u32 = 1 << 30;
    steps.clear();
    steps.extend(hidden.iter().map(|&hidden| if hidden != 0 { 0 } else { FAR }));
    for index in size.columns..steps.len() {
        steps[index] = steps[index].min(steps[index - size.columns] + 1);
    }
    for index in (size.columns..steps.len()).rev() {
        let above = index - size.columns;
        steps[above] = steps[above].min(steps[index] + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_bits_and_what_is_not_kept_hide_a_pixel() {
        let hidden = |rule: &MaskRule| (0..12).filter(|&value| rule.hides(value)).collect::<Vec<_>>();
        let values = MaskRule { hidden: vec![0..=1, 8..=10], ..MaskRule::default() };
        assert_eq!(hidden(&values), [0, 1, 8, 9, 10]);
        let kept = MaskRule { kept: vec![4..=7], ..MaskRule::default() };
        assert_eq!(hidden(&kept), [0, 1, 2, 3, 8, 9, 10, 11]);
        let bits = MaskRule { bits: 0b1010, ..MaskRule::default() };
        assert_eq!(hidden(&bits), [2, 3, 6, 7, 8, 9, 10, 11]);
        let mut marked = [9; 4];
        values.mark(&Buffer::Float32(vec![8.0, 8.5, f32::NAN, 7.0]), &mut marked);
        assert_eq!(marked, [1, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn what_lies_within_the_ellipse_around_a_hidden_pixel_is_hidden(
            columns in 1usize..20, rows in 1usize..20, across in 0.0f64..5.0, down in 0.0f64..5.0, seed in any::<u64>(),
        ) {
            let size = Size::new(columns, rows);
            let bit = |index: usize| (seed.rotate_left(index as u32 * 7) ^ index as u64 * 31) % 11 == 0;
            let before: Vec<u8> = (0..size.pixels()).map(|index| u8::from(bit(index))).collect();
            let mut grown = before.clone();
            let rule = MaskRule { reach: (across, down), ..MaskRule::default() };
            rule.grow(size, &mut grown, &mut Vec::new());
            for index in 0..size.pixels() {
                let near = |other: usize| {
                    let x = (other % columns).abs_diff(index % columns) as f64;
                    let y = (other / columns).abs_diff(index / columns) as f64;
                    let inside = (x == 0.0 || x <= across) && (y == 0.0 || y <= down);
                    let squared = |steps: f64, reach: f64| if steps == 0.0 { 0.0 } else { (steps / reach).powi(2) };
                    inside && squared(x, across) + squared(y, down) <= 1.0
                };
                let expected = (0..size.pixels()).any(|other| before[other] != 0 && near(other));
                prop_assert_eq!(grown[index] != 0, expected, "{}", index);
            }
        }
    }
}
