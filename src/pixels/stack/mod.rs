//! Pixels decided from all scenes at once: medians, medoids, and whatever else cannot be had by adding one scene after
//! the other.
//!
//! A [`Stack`] holds the pixels of all scenes over one area. It is decided in blocks of so few pixels that all their
//! values stay in the nearest cache, by loops that the compiler makes of the widest instructions.

mod block;
mod choose;
mod curvature;
mod decide;
mod descent;
mod geometric;
mod moments;
mod network;
mod ordered;
mod outcome;
mod rule;
mod sample;
mod scene;
mod side;
#[cfg(test)]
mod tests;
mod view;
mod wide;

use super::{Buffer, Number, Pixel, PixelType};
use crate::dispatch_pixel_type;
use crate::geometry::Size;

pub use rule::{Decision, Rule};
pub use side::Side;

/// The pixels of all scenes over one area.
#[derive(Debug)]
pub struct Stack {
    bands: usize,
    size: Size,
    /// At least scenes × bands × pixels; what is not seen is of no meaning.
    values: Buffer,
    /// Scenes × pixels: not zero where a scene lies and is not masked.
    seen: Vec<u8>,
    /// Scenes × bands: the value that means "no data".
    nodata: Vec<Option<Number>>,
}

impl Stack {
    /// A stack without scenes and without memory, for pixels of that type.
    pub fn new(pixel_type: PixelType, bands: usize) -> Stack {
        assert!(bands > 0, "a stack has bands");
        let values = Buffer::zeros(pixel_type, 0);
        Stack { bands, size: Size::new(0, 0), values, seen: Vec::new(), nodata: Vec::new() }
    }

    /// Forgets all scenes, for an area of `size` with up to `depth` scenes; keeps its memory if that is enough.
    pub fn reset(&mut self, size: Size, depth: usize) {
        self.size = size;
        self.nodata.clear();
        self.seen.clear();
        let (values, pixels) = (depth * self.bands * size.pixels(), depth * size.pixels());
        if self.values.len() < values {
            let pixel_type = self.values.pixel_type();
            // Given back before the new memory is taken.
            self.values = Buffer::zeros(pixel_type, 0);
            self.values = Buffer::zeros(pixel_type, values);
        }
        if self.seen.capacity() < pixels {
            self.seen = Vec::new();
            self.seen.reserve_exact(pixels);
        }
    }

    /// Bytes that a pixel of the area takes in a stack of `depth` scenes.
    pub const fn bytes_per_pixel(pixel_type: PixelType, bands: usize, depth: usize) -> usize {
        depth * (bands * pixel_type.bytes() + 1)
    }

    /// Bytes that [`Stack::decide`] takes at most while it works, however large the area is.
    pub const fn bytes_to_decide(pixel_type: PixelType, bands: usize, depth: usize) -> usize {
        decide::bytes(pixel_type, bands, depth)
    }

    /// Puts a scene below the others, of which nothing is seen yet, and returns its number. For each band the value
    /// that means "no data".
    pub fn push(&mut self, nodata: &[Option<Number>]) -> usize {
        assert_eq!(nodata.len(), self.bands);
        let scene = self.depth();
        self.nodata.extend_from_slice(nodata);
        self.seen.resize(self.depth() * self.pixels(), 0);
        let needed = self.depth() * self.bands * self.pixels();
        if self.values.len() < needed {
            self.values.resize(needed);
        }
        scene
    }

    /// How many scenes there are.
    pub fn depth(&self) -> usize {
        self.nodata.len() / self.bands
    }

    /// How many pixels the area has.
    pub fn pixels(&self) -> usize {
        self.size.pixels()
    }

    /// The pixels of a scene for a reader to fill, bands × pixels, and whether each is seen, not zero where it is.
    ///
    /// # Panics
    /// When `T` is not the stack's type, or there is no such scene.
    pub fn scene_mut<T: Pixel>(&mut self, scene: usize) -> (&mut [T], &mut [u8]) {
        let (bands, pixels) = (self.bands, self.pixels());
        let values = &mut self.values.pixels_mut()[scene * bands * pixels..][..bands * pixels];
        (values, &mut self.seen[scene * pixels..][..pixels])
    }

    /// Decides all bands of all pixels: into `pixels`, of any type, bands × pixels; into `valid` 1 where any band has a
    /// value; into `side`, if it is wanted, what else is known of each pixel.
    ///
    /// A pixel of a band has data in a scene where it is seen, not nodata, and not NaN.
    ///
    /// # Panics
    /// When lengths do not match, or a rule that needs a score has none.
    pub fn decide(
        &self,
        decision: &Decision,
        pixels: &mut Buffer,
        valid: &mut [u8],
        side: Option<&mut Side>,
    ) {
        assert_eq!((pixels.len(), valid.len()), (self.bands * self.pixels(), self.pixels()));
        assert_eq!(decision.background.len(), self.bands);
        let scores = decision.score.map_or(0, <[f32]>::len);
        assert!(!decision.rule.needs_score() || scores == self.depth() * self.pixels());
        let mut side = side;
        if let Some(side) = &mut side {
            side.reset(self.pixels());
        }
        dispatch_pixel_type!(self.values.pixel_type(), T => decide::decide::<T>(self, decision, pixels, valid, side));
    }
}
