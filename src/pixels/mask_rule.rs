//! Which pixels of a scene its mask hides: by value, by bit, and around them.

use std::ops::RangeInclusive;

use super::{Buffer, Pixel};
use crate::dispatch_pixel_type;
use crate::geometry::Size;

/// Which pixels a scene's mask hides.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
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

    /// Columns and rows beside an area in which a pixel may hide one of the area's, in a mosaic of this size: none lies
    /// further away than that.
    pub fn margin(&self, mosaic: Size) -> (usize, usize) {
        ((self.reach.0 as usize).min(mosaic.columns), (self.reach.1 as usize).min(mosaic.rows))
    }

    /// Marks with 1 in `hidden` the pixels that these values hide. A value that is NaN or no whole number is none that is
    /// named: it hides its pixel only where some values alone do not. Of UInt64 the bits count.
    ///
    /// # Panics
    /// When there are not as many of them as values.
    pub fn mark(&self, values: &Buffer, hidden: &mut [u8]) {
        dispatch_pixel_type!(values.pixel_type(), T => self.mark_typed(values.pixels::<T>(), hidden));
    }

    fn mark_typed<T: Pixel>(&self, values: &[T], hidden: &mut [u8]) {
        assert_eq!(values.len(), hidden.len());
        let decide = |value: T| {
            let named = !T::TYPE.is_float() || value.to_f64().fract() == 0.0;
            u8::from(if named { self.hides(value.to_i128() as i64) } else { !self.kept.is_empty() })
        };
        if T::TYPE.bytes() > 2 {
            // Neighbours are alike: most answers are the one before.
            let mut last: Option<(T, u8)> = None;
            for (hidden, &value) in hidden.iter_mut().zip(values) {
                let known = last.filter(|(before, _)| *before == value);
                let answer = known.map_or_else(|| decide(value), |(_, answer)| answer);
                (*hidden, last) = (answer, Some((value, answer)));
            }
            return;
        }
        // Of each value the answer, where it has been asked for.
        const UNKNOWN: u8 = 2;
        let mut answers = vec![UNKNOWN; 1 << (8 * T::TYPE.bytes())];
        let last = answers.len() - 1;
        for (hidden, &value) in hidden.iter_mut().zip(values) {
            let answer = &mut answers[value.to_i128() as usize & last];
            if *answer == UNKNOWN {
                *answer = decide(value);
            }
            *hidden = *answer;
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
        let reach = self.columns_by_rows(size);
        for (row, steps) in hidden.chunks_exact_mut(size.columns).zip(steps.chunks_exact(size.columns)) {
            let least = steps.iter().fold(u32::MAX, |least, &steps| least.min(steps));
            if least as usize >= reach.len() {
                continue;
            }
            // How many columns further pixels are hidden: first those to the right of one that is near, then to the left.
            let mut spread = |column: usize, further: &mut usize| {
                let own = reach.get(steps[column] as usize).map_or(0, |columns| columns + 1);
                *further = own.max(further.saturating_sub(1));
                row[column] |= u8::from(*further > 0);
            };
            let mut further = 0;
            (0..size.columns).for_each(|column| spread(column, &mut further));
            further = 0;
            (0..size.columns).rev().for_each(|column| spread(column, &mut further));
        }
    }

    /// By how many rows a pixel lies above or below: the most columns beside it that are within reach, as far as an area of
    /// this size goes.
    fn columns_by_rows(&self, size: Size) -> Vec<usize> {
        let (across, down) = self.reach;
        // Without reach in one direction only pixels straight in the other are near.
        let part = |steps: usize, reach: f64| if steps == 0 { 0.0 } else { (steps as f64 / reach).powi(2) };
        let within = |x: usize, y: usize| part(x, across) + part(y, down) <= 1.0;
        let rows = (down as usize).min(size.rows - 1);
        let mut x = (across as usize).min(size.columns - 1);
        // Each row further away has as many columns as the one before, or fewer.
        let of_row = |y| {
            while x > 0 && !within(x, y) {
                x -= 1;
            }
            x
        };
        (0..=rows).map(of_row).collect()
    }
}

/// How many rows above or below each pixel the nearest hidden one of its column lies; as good as infinite where there
/// is none.
fn rows_to_hidden(size: Size, hidden: &[u8], steps: &mut Vec<u32>) {
    const FAR: u32 = 1 << 30;
    let step = |to: &mut [u32], from: &[u32]| {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = (*to).min(from + 1));
    };
    steps.clear();
    steps.extend(hidden.iter().map(|&hidden| if hidden != 0 { 0 } else { FAR }));
    for row in 1..size.rows {
        let (above, below) = steps.split_at_mut(row * size.columns);
        step(below, &above[(row - 1) * size.columns..]);
    }
    for row in (1..size.rows).rev() {
        let (above, below) = steps.split_at_mut(row * size.columns);
        step(&mut above[(row - 1) * size.columns..], below);
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

    #[test]
    fn a_reach_beyond_the_area_hides_as_much_as_the_area_has() {
        let size = Size::new(3, 2);
        for (reach, wanted) in [
            ((1e300, 1e300), [1, 1, 1, 1, 1, 1]),
            ((f64::INFINITY, 0.0), [1, 1, 1, 0, 0, 0]),
            ((0.0, 1e9), [1, 0, 0, 1, 0, 0]),
            // Of a wide ellipse the shape stays where it is cut.
            ((1e6, 1.0), [1, 1, 1, 1, 0, 0]),
        ] {
            let rule = MaskRule { reach, ..MaskRule::default() };
            let mut hidden = [1, 0, 0, 0, 0, 0];
            rule.grow(size, &mut hidden, &mut Vec::new());
            assert_eq!(hidden, wanted, "{reach:?}");
            assert!(rule.margin(size) <= (3, 2), "{:?}", rule.margin(size));
        }
    }

    proptest! {
        #[test]
        fn what_lies_within_the_ellipse_around_a_hidden_pixel_is_hidden(
            columns in 1usize..20, rows in 1usize..20, across in 0.0f64..25.0, down in 0.0f64..25.0, seed in any::<u64>(),
        ) {
            let size = Size::new(columns, rows);
            let bit = |index: usize| (seed.rotate_left(index as u32 * 7) ^ (index as u64 * 31)).is_multiple_of(11);
            let before: Vec<u8> = (0..size.pixels()).map(|index| u8::from(bit(index))).collect();
            let mut grown = before.clone();
            let rule = MaskRule { reach: (across, down), ..MaskRule::default() };
            rule.grow(size, &mut grown, &mut Vec::new());
            for (index, &grown) in grown.iter().enumerate() {
                let near = |other: usize| {
                    let x = (other % columns).abs_diff(index % columns) as f64;
                    let y = (other / columns).abs_diff(index / columns) as f64;
                    let inside = (x == 0.0 || x <= across) && (y == 0.0 || y <= down);
                    let squared = |steps: f64, reach: f64| if steps == 0.0 { 0.0 } else { (steps / reach).powi(2) };
                    inside && squared(x, across) + squared(y, down) <= 1.0
                };
                let expected = (0..size.pixels()).any(|other| before[other] != 0 && near(other));
                prop_assert_eq!(grown != 0, expected, "{}", index);
            }
        }
    }
}
