//! How a scene comes into the stack: file by file and part by part, then masked and brought to one level.

use super::Stack;
use super::wide::widest;
use crate::dispatch_pixel_type;
use crate::geometry::Window;
use crate::pixels::{Buffer, Number, Pixel};

impl Stack {
    /// How many files are counted at most before a scene is settled.
    pub const MOST_FILES: usize = u8::MAX as usize;

    /// Copies a part of one of a scene's files: `values` holds the bands of the stack that `slots` names × rows × columns
    /// of `place`, and `mask`, if there is any, zero where the file has no data. The parts of one file do not overlap.
    ///
    /// # Panics
    /// When the values are of another type or number than `place` says.
    pub fn add_part(
        &mut self,
        scene: usize,
        slots: &[usize],
        place: Window,
        values: &Buffer,
        mask: Option<&[u8]>,
    ) {
        assert_eq!(values.len(), place.pixels() * slots.len());
        let (columns, pixels) = (self.size.columns, self.pixels());
        let rows = move |row: usize| (place.row + row) * columns + place.column;
        dispatch_pixel_type!(self.values.pixel_type(), T => {
            let (to, _) = self.scene_mut::<T>(scene);
            for (plane, &slot) in values.pixels::<T>().chunks_exact(place.pixels()).zip(slots) {
                for (row, line) in plane.chunks_exact(place.columns).enumerate() {
                    to[slot * pixels + rows(row)..][..place.columns].copy_from_slice(line);
                }
            }
        });
        let Some(mask) = mask else { return self.see(scene, place) };
        let seen = &mut self.seen[scene * pixels..][..pixels];
        for (row, mask) in mask.chunks_exact(place.columns).take(place.rows).enumerate() {
            let seen = &mut seen[rows(row)..][..place.columns];
            seen.iter_mut().zip(mask).for_each(|(seen, &mask)| *seen += u8::from(mask != 0));
        }
    }

    /// All scenes' values, and the index of a scene's first, for a reader to fill its bands × pixels.
    pub fn scene_values(&mut self, scene: usize) -> (&mut Buffer, usize) {
        let first = scene * self.bands * self.pixels();
        (&mut self.values, first)
    }

    /// A part of one of a scene's files has come, which has data everywhere.
    pub fn see(&mut self, scene: usize, place: Window) {
        let (columns, pixels) = (self.size.columns, self.pixels());
        let seen = &mut self.seen[scene * pixels..][..pixels];
        for row in place.row..place.end_row() {
            seen[row * columns + place.column..][..place.columns].iter_mut().for_each(|seen| *seen += 1);
        }
    }

    /// So many files of a scene have come, at most [`Stack::MOST_FILES`]: it is seen where all of them are. If more come,
    /// what came so far counts as one.
    pub fn settle(&mut self, scene: usize, files: usize) {
        let files = u8::try_from(files).expect("a scene is settled before there are more");
        self.seen_mut(scene).iter_mut().for_each(|seen| *seen = u8::from(*seen == files));
    }

    /// Of a scene hides the pixels where `hidden` is not zero.
    pub fn hide(&mut self, scene: usize, hidden: &[u8]) {
        self.seen_mut(scene)
            .iter_mut()
            .zip(hidden)
            .for_each(|(seen, &hidden)| *seen &= u8::from(hidden == 0));
    }

    /// Adds `shift` to a scene's pixels of one band that have data: clamped to the type and, for a shift downwards of
    /// types without sign, at zero; what would become nodata becomes the next higher value, and stays data.
    pub fn shift(&mut self, scene: usize, band: usize, shift: f64) {
        let (pixels, nodata) = (self.pixels(), self.nodata[scene * self.bands + band]);
        dispatch_pixel_type!(self.values.pixel_type(), T => {
            let (values, _) = self.scene_mut::<T>(scene);
            shift_plane(&mut values[band * pixels..][..pixels], shift, nodata.and_then(Number::to_pixel));
        });
    }

    /// The pixels of the scene that came last, bands × pixels.
    pub fn last_scene(&self) -> Buffer {
        let (count, last) = (self.bands * self.pixels(), self.depth() - 1);
        let mut scene = Buffer::zeros(self.values.pixel_type(), count);
        dispatch_pixel_type!(self.values.pixel_type(), T => {
            scene.pixels_mut::<T>().copy_from_slice(&self.values.pixels::<T>()[last * count..][..count]);
        });
        scene
    }

    /// Marks with 1 where the scene that came last has data: bands × pixels.
    pub fn mark_present(&self, present: &mut Vec<u8>) {
        let (bands, pixels, last) = (self.bands, self.pixels(), self.depth() - 1);
        let seen = &self.seen[last * pixels..][..pixels];
        present.clear();
        dispatch_pixel_type!(self.values.pixel_type(), T => {
            let values = &self.values.pixels::<T>()[last * bands * pixels..][..bands * pixels];
            for (plane, nodata) in values.chunks_exact(pixels.max(1)).zip(&self.nodata[last * bands..]) {
                let nodata = nodata.and_then(Number::to_pixel::<T>);
                let has_data = |value: T| !value.is_nan() && nodata.is_none_or(|nodata| value != nodata);
                present.extend(plane.iter().zip(seen).map(|(&value, &seen)| u8::from(seen != 0 && has_data(value))));
            }
        });
    }

    /// Gives a scene its pixels, bands × pixels of floats: NaN where `valid`, as large, is zero.
    pub fn put(&mut self, scene: usize, values: &Buffer, valid: &[u8]) {
        assert_eq!(values.len(), valid.len());
        dispatch_pixel_type!(self.values.pixel_type(), T => {
            let (to, seen) = self.scene_mut::<T>(scene);
            let nan = T::from_f64(f64::NAN);
            for ((to, &value), &valid) in to.iter_mut().zip(values.pixels::<T>()).zip(valid) {
                *to = if valid == 0 { nan } else { value };
            }
            seen.fill(1);
        });
    }

    fn seen_mut(&mut self, scene: usize) -> &mut [u8] {
        let pixels = self.pixels();
        &mut self.seen[scene * pixels..][..pixels]
    }
}

widest! {
    fn shift_plane<T: Pixel>(values: &mut [T], shift: f64, nodata: Option<T>) {
        let shifted = |value: T| T::from_f64(value.to_f64() + shift);
        match nodata {
            None => values.iter_mut().for_each(|value| *value = shifted(*value)),
            Some(nodata) => {
                for value in values {
                    let new = shifted(*value);
                    let new = if new == nodata { new.neighbour() } else { new };
                    *value = if *value == nodata { nodata } else { new };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Size;
    use crate::pixels::PixelType;

    fn stack(bands: usize, size: Size, nodata: Option<Number>) -> Stack {
        let mut stack = Stack::new(PixelType::UInt16, bands);
        stack.reset(size, 1);
        stack.push(&vec![nodata; bands]);
        stack
    }

    fn scene(stack: &mut Stack) -> (Vec<u16>, Vec<u8>) {
        let (values, seen) = stack.scene_mut::<u16>(0);
        (values.to_vec(), seen.to_vec())
    }

    #[test]
    fn a_scene_of_several_files_is_seen_where_all_of_them_are() {
        let mut stack = stack(2, Size::new(3, 2), None);
        let first = Buffer::UInt16(vec![1, 2, 3, 4]);
        stack.add_part(0, &[1], Window::new(0, 0, 2, 2), &first, Some(&[1, 1, 0, 7]));
        let second = Buffer::UInt16(vec![5, 6, 7, 8, 9, 10]);
        stack.add_part(0, &[0], Window::new(0, 0, 3, 2), &second, None);
        stack.settle(0, 2);
        let (values, seen) = scene(&mut stack);
        assert_eq!(values[..6], [5, 6, 7, 8, 9, 10]);
        assert_eq!((values[6], values[7], values[9], values[10]), (1, 2, 3, 4));
        assert_eq!(seen, [1, 1, 0, 0, 1, 0]);
        stack.hide(0, &[0, 1, 0, 0, 0, 0]);
        assert_eq!(scene(&mut stack).1, [1, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn a_scene_of_more_files_than_are_counted_is_seen_where_all_of_them_are() {
        let mut stack = stack(1, Size::new(3, 1), None);
        let everywhere = Window::new(0, 0, 3, 1);
        for file in 0..=u8::MAX {
            if usize::from(file) == Stack::MOST_FILES {
                stack.settle(0, Stack::MOST_FILES);
            }
            stack.see(0, if file == 7 { Window::new(1, 0, 2, 1) } else { everywhere });
        }
        stack.see(0, Window::new(0, 0, 2, 1));
        stack.settle(0, 3);
        assert_eq!(scene(&mut stack).1, [0, 1, 0]);
    }

    #[test]
    fn a_shift_stays_in_the_type_and_never_makes_nodata() {
        let mut stack = stack(1, Size::new(5, 1), Some(Number::Whole(0)));
        let values = Buffer::UInt16(vec![0, 1, 1000, 1001, 9000]);
        stack.add_part(0, &[0], Window::new(0, 0, 5, 1), &values, None);
        stack.shift(0, 0, -1000.0);
        assert_eq!(scene(&mut stack).0, [0, 1, 1, 1, 8000]);
    }
}
