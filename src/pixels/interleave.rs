//! From a window's bands, one behind the other, to the blocks of a file.

use bytemuck::Pod;

use super::Buffer;
use crate::geometry::{Size, Window};

/// Copies one block out of a window into `block`: rows × columns × bands of `block_side`², the bands of a pixel side by
/// side. Where the block reaches over the raster's edge, its last column is repeated and rows
/// below are `fill` (one pixel's bytes): after differencing both are runs of zeros, which pack best.
///
/// `pixels` holds bands × rows × columns of `window`; `bands` says which of them; `part` is the block's part inside
/// the window.
pub fn gather_block(
    pixels: &Buffer,
    window: Size,
    bands: std::ops::Range<usize>,
    part: Window,
    (block_side, fill): (usize, &[u8]),
    block: &mut [u8],
) {
    let bytes = pixels.pixel_type().bytes();
    match bytes {
        1 => gather::<u8>(pixels.bytes(), window, bands, part, block_side, block),
        2 => gather::<u16>(pixels.bytes(), window, bands, part, block_side, block),
        4 => gather::<u32>(pixels.bytes(), window, bands, part, block_side, block),
        _ => gather::<u64>(pixels.bytes(), window, bands, part, block_side, block),
    }
    pad_block(block, part.size(), block_side, fill);
}

fn gather<T: Pod>(
    pixels: &[u8],
    window: Size,
    bands: std::ops::Range<usize>,
    part: Window,
    side: usize,
    block: &mut [u8],
) {
    let pixels: &[T] = bytemuck::cast_slice(pixels);
    let count = bands.len();
    let block: &mut [T] = bytemuck::cast_slice_mut(block);
    for row in 0..part.rows {
        let line = &mut block[row * side * count..][..side * count];
        let source = |band: usize| {
            let start = ((bands.start + band) * window.rows + part.row + row) * window.columns + part.column;
            &pixels[start..][..part.columns]
        };
        match count {
            1 => line[..part.columns].copy_from_slice(source(0)),
            2 => interleave([source(0), source(1)], line),
            3 => interleave([source(0), source(1), source(2)], line),
            4 => interleave([source(0), source(1), source(2), source(3)], line),
            _ => {
                for band in 0..count {
                    let samples = line[band..].iter_mut().step_by(count);
                    samples.zip(source(band)).for_each(|(to, from)| *to = *from);
                }
            }
        }
    }
}

/// Fills what a block of `side`² pixels has beyond `part`, its pixels in the raster: the last column is repeated, rows
/// below are `fill` (one pixel's bytes).
pub fn pad_block(block: &mut [u8], part: Size, side: usize, fill: &[u8]) {
    let pixel = fill.len();
    for line in block.chunks_exact_mut(side * pixel).take(part.rows) {
        for column in part.columns..side {
            line.copy_within((part.columns - 1) * pixel..part.columns * pixel, column * pixel);
        }
    }
    block[part.rows * side * pixel..].chunks_exact_mut(pixel).for_each(|to| to.copy_from_slice(fill));
}

/// Writes the samples of each pixel side by side; with their number known the compiler writes many pixels at once.
fn interleave<T: Pod, const BANDS: usize>(bands: [&[T]; BANDS], line: &mut [T]) {
    let columns = bands[0].len();
    let bands = bands.map(|band| &band[..columns]);
    let (pixels, _) = line[..columns * BANDS].as_chunks_mut::<BANDS>();
    for (column, pixel) in pixels.iter_mut().enumerate() {
        *pixel = std::array::from_fn(|band| bands[band][column]);
    }
}

/// Whether a block (pixels side by side) holds nothing but `fill`, one pixel's bytes.
pub fn is_filled_with(block: &[u8], fill: &[u8]) -> bool {
    block.starts_with(fill) && block[fill.len()..] == block[..block.len() - fill.len()]
}

/// Packs a mask's part into the bits of a block of `side`², most significant first, 1 where valid.
pub fn pack_mask(valid: &[u8], window: Size, part: Window, side: usize, block: &mut [u8]) {
    block.fill(0);
    for row in 0..part.rows {
        let line = &valid[(part.row + row) * window.columns + part.column..][..part.columns];
        let bits = &mut block[row * side / 8..][..side / 8];
        for (column, &valid) in line.iter().enumerate() {
            bits[column / 8] |= u8::from(valid != 0) << (7 - column % 8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::PixelType;
    use proptest::prelude::*;

    #[test]
    fn a_block_is_gathered_with_its_edge_repeated() {
        let pixels = Buffer::UInt16((0..24).collect());
        let mut block = vec![0u8; 4 * 4 * 2 * 2];
        gather_block(&pixels, Size::new(4, 3), 0..2, Window::new(2, 1, 2, 2), (4, &[9, 0, 9, 0]), &mut block);
        let block: &[u16] = bytemuck::cast_slice(&block);
        assert_eq!(block[..8], [6, 18, 7, 19, 7, 19, 7, 19]);
        assert_eq!(block[8..16], [10, 22, 11, 23, 11, 23, 11, 23]);
        assert_eq!(block[16..32], [9; 16]);
    }

    #[test]
    fn masks_are_packed_most_significant_bit_first() {
        let valid = [1, 0, 0, 1, 1, 1];
        let mut block = vec![0xffu8; 16 * 16 / 8];
        pack_mask(&valid, Size::new(3, 2), Window::new(0, 0, 3, 2), 16, &mut block);
        assert_eq!(block[..4], [0b1000_0000, 0, 0b1110_0000, 0]);
        assert!(block[4..].iter().all(|&bits| bits == 0));
    }

    #[test]
    fn a_filled_block_is_told_from_one_with_a_single_other_pixel() {
        let mut block = [1u8, 2].repeat(50);
        assert!(is_filled_with(&block, &[1, 2]) && !is_filled_with(&block, &[2, 1]));
        block[99] = 3;
        assert!(!is_filled_with(&block, &[1, 2]));
    }

    proptest! {
        #[test]
        fn windows_cut_into_blocks_hold_every_pixel_at_its_place(
            columns in 1usize..40, rows in 1usize..40, bands in 1usize..5, side in prop::sample::select(vec![8usize, 16]),
            pixel_type in prop::sample::select(vec![
                PixelType::Byte, PixelType::Int16, PixelType::Float32, PixelType::Float64,
            ]),
        ) {
            let window = Size::new(columns, rows);
            let bytes = pixel_type.bytes();
            let mut pixels = Buffer::zeros(pixel_type, bands * window.pixels());
            pixels.bytes_mut().iter_mut().enumerate().for_each(|(i, byte)| *byte = (i * 7 + i / 251) as u8);
            let fill = vec![9u8; bands * bytes];
            let mut block = vec![0u8; side * side * bands * bytes];
            for (top, left) in (0..rows).step_by(side).flat_map(|t| (0..columns).step_by(side).map(move |l| (t, l))) {
                let part = Window::new(left, top, side.min(columns - left), side.min(rows - top));
                gather_block(&pixels, window, 0..bands, part, (side, &fill), &mut block);
                for (index, found) in block.chunks_exact(bytes).enumerate() {
                    let (row, column, band) = (index / bands / side, index / bands % side, index % bands);
                    let column = (left + column).min(part.end_column() - 1);
                    let from = (band * window.rows + top + row) * window.columns + column;
                    let inside = row < part.rows;
                    let expected = if inside { &pixels.bytes()[from * bytes..][..bytes] } else { &fill[..bytes] };
                    prop_assert_eq!(found, expected);
                }
            }
        }

        #[test]
        fn packed_masks_unpack_to_the_same_mask(
            columns in 1usize..50, rows in 1usize..50, left in 0usize..50, top in 0usize..50,
            valid in prop::collection::vec(0u8..3, 2500),
        ) {
            let window = Size::new(columns, rows);
            let side = 16;
            let (left, top) = (left % columns / side * side, top % rows / side * side);
            let part = Window::new(left, top, side.min(columns - left), side.min(rows - top));
            let mut block = vec![0xa5u8; side * side / 8];
            pack_mask(&valid[..window.pixels()], window, part, side, &mut block);
            for (row, column) in (0..side).flat_map(|row| (0..side).map(move |column| (row, column))) {
                let bit = block[(row * side + column) / 8] >> (7 - column % 8) & 1;
                let inside = row < part.rows && column < part.columns;
                let is_valid = inside && valid[(top + row) * columns + left + column] != 0;
                prop_assert_eq!(bit, u8::from(is_valid));
            }
        }

        #[test]
        fn a_block_is_filled_when_every_pixel_is_the_fill(
            fill in prop::collection::vec(any::<u8>(), 1..9), count in 1usize..40, other in any::<usize>(), flip in 1u8..255,
        ) {
            let mut block = fill.repeat(count);
            prop_assert!(is_filled_with(&block, &fill));
            let place = other % block.len();
            block[place] ^= flip;
            prop_assert!(!is_filled_with(&block, &fill));
        }
    }
}
