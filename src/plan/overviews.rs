//! The sizes of overviews, and the memory that the levels take while they are made from windows.

use std::fmt;

use crate::geometry::Size;

/// Which overviews a raster shall have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overviews {
    /// None.
    None,
    /// Halved until both sides are no longer than a block.
    Auto,
    /// Made smaller by these growing factors.
    Factors(Vec<usize>),
}

impl fmt::Display for Overviews {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Overviews::None => out.write_str("none"),
            Overviews::Auto => out.write_str("auto"),
            Overviews::Factors(factors) => {
                out.write_str(&factors.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
            }
        }
    }
}

impl Overviews {
    /// The sizes of the levels, the largest first. GDAL's COG driver cuts halves off (`round_up` is false), its
    /// overviews of plain files round them up; so do these. Of several that come to one size there is one, and none is
    /// as large as the raster.
    pub fn sizes(&self, size: Size, block: usize, round_up: bool) -> Vec<Size> {
        let shorter = |side: usize, factor: usize| match round_up {
            true => side.div_ceil(factor),
            false => (side / factor).max(1),
        };
        let smaller = |factor: usize| Size::new(shorter(size.columns, factor), shorter(size.rows, factor));
        match self {
            Overviews::None => Vec::new(),
            Overviews::Auto => {
                let larger = |size: &Size| size.columns > block || size.rows > block;
                let powers = (0..u32::BITS).map(|power| 1 << power);
                let count = powers.clone().map(smaller).take_while(larger).count();
                powers.skip(1).take(count).map(smaller).collect()
            }
            Overviews::Factors(factors) => {
                let mut sizes = vec![size];
                sizes.extend(factors.iter().map(|&factor| smaller(factor)));
                sizes.dedup();
                sizes.split_off(1)
            }
        }
    }
}

/// The levels of a raster, as far as their memory depends on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels {
    /// The raster's size.
    pub size: Size,
    /// The sizes of its overviews, the largest first.
    pub overviews: Vec<Size>,
    /// Side of a tile, which is a block.
    pub block: usize,
    /// Bytes of a pixel of all bands, the mask's byte among them.
    pub pixel_bytes: usize,
    /// How far pixels are taken from an overview's pixel, in pixels of the overview; zero without a kernel.
    pub kernel_radius: usize,
}

impl Levels {
    /// The most bytes of tiles that are begun and not finished while windows of side `window` are made in row-major
    /// order, `ahead` of them at once.
    ///
    /// A row of windows begins as many rows of tiles as lie above it. Where a level is less than half as long as the
    /// one below, they wait for the first pixels of the next row of windows; with a kernel they always do.
    pub fn unfinished_bytes(&self, window: usize, ahead: usize) -> u64 {
        let (mut below, mut part) = (self.size, window);
        let mut pixels = 0;
        for (index, &size) in self.overviews.iter().enumerate() {
            let factor = (below.rows / size.rows).max(below.columns / size.columns).max(1);
            let step = factor * self.block;
            let longer = below.rows > factor * size.rows || below.columns > factor * size.columns;
            let waits = longer || self.kernel_radius > 0;
            let rows_of_tiles = part.div_ceil(step) + usize::from(waits);
            let rows = (rows_of_tiles * self.block).min(size.rows);
            // Where windows are made of whole tiles, a tile is finished soon after its window.
            let soon = index == 0 && part.is_multiple_of(step) && !waits;
            let at_once = if soon { 2 * ahead * (part / factor).pow(2) } else { usize::MAX };
            pixels += (rows * size.columns).min(at_once);
            // Pixels on both sides of the seams between parts, kept until a tile is finished.
            pixels += match self.kernel_radius {
                0 => 2 * size.columns.div_ceil(self.block) * 2 * (2 * factor) * (step + 2 * factor),
                radius => self.strips(radius * (factor + 1), step, part) * size.columns.div_ceil(self.block),
            };
            (below, part) = (size, self.block);
        }
        (pixels * self.pixel_bytes) as u64
    }

    /// Pixels of the strips kept at the seams, of one column of tiles, where kernels reach `reach` pixels of the level
    /// below to each side, a tile lies over `step` of its pixels and its parts have the side `part`.
    fn strips(&self, reach: usize, step: usize, part: usize) -> usize {
        // The rows of tiles over a row of windows, and those above and below it that kernels reach.
        let rows_of_tiles = part.div_ceil(step) + 2;
        // Kernels reach past the tile, over the seams at its edges too.
        let length = step + 2 * reach;
        let seams = length / part + 1;
        // The kernels of the outermost pixels across a seam reach twice as far as its own.
        let width = (4 * reach).min(length);
        rows_of_tiles * 2 * seams * width * length
    }

    /// Bytes of one tile.
    pub fn tile_bytes(&self) -> u64 {
        let largest =
            self.overviews.first().map_or(0, |size| size.columns.min(self.block) * size.rows.min(self.block));
        (largest * self.pixel_bytes) as u64
    }

    /// Blocks of all overviews, of one plane.
    pub fn blocks(&self) -> u64 {
        self.overviews.iter().map(|size| size.tiles(Size::square(self.block)).pixels() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_halved_until_one_block_holds_them() {
        let sizes = |size, round_up| Overviews::Auto.sizes(size, 128, round_up);
        let size = Size::new(1001, 777);
        assert_eq!(sizes(size, false), [Size::new(500, 388), Size::new(250, 194), Size::new(125, 97)]);
        assert_eq!(sizes(size, true), [Size::new(501, 389), Size::new(251, 195), Size::new(126, 98)]);
        assert!(sizes(Size::new(128, 128), true).is_empty());
        assert_eq!(sizes(Size::new(129, 1), false), [Size::new(64, 1)]);
        let factors = Overviews::Factors(vec![3, 9]);
        assert_eq!(factors.sizes(size, 128, true), [Size::new(334, 259), Size::new(112, 87)]);
        let beyond = Overviews::Factors(vec![2, 600, 1000, 1001, 2000]);
        let wanted = [Size::new(501, 389), Size::new(2, 2), Size::new(2, 1), Size::new(1, 1)];
        assert_eq!(beyond.sizes(size, 128, true), wanted);
        assert!(factors.sizes(Size::new(1, 1), 128, true).is_empty());
    }
}
