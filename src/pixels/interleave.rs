//! From a window's bands, one behind the other, to the blocks of a file.

use bytemuck::Pod;

use super::Buffer;
use crate::geometry::{Size, Window};

/// Copies one block out of a window into `block`: rows × columns × bands of `block_side`², the bands of a pixel side by
/// side. Where the block reaches over the raster's edge, its last column is repeated and rows
/// below are `fill` (one sample's bytes): after differencing both are runs of zeros, which pack best.
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
        1 => gather::<u8>(pixels.bytes(), window, bands, part, (block_side, fill), block),
        2 => gather::<u16>(pixels.bytes(), window, bands, part, (block_side, fill), block),
        4 => gather::<u32>(pixels.bytes(), window, bands, part, (block_side, fill), block),
        _ => gather::<u64>(pixels.bytes(), window, bands, part, (block_side, fill), block),
    }
}

fn gather<T: Pod>(
    pixels: &[u8],
    window: Size,
    bands: std::ops::Range<usize>,
    part: Window,
    (side, fill): (usize, &[u8]),
    block: &mut [u8],
) {
    let pixels: &[T] = bytemuck::cast_slice(pixels);
    let count = bands.len();
    let block: &mut [T] = bytemuck::cast_slice_mut(block);
    for row in 0..part.rows {
        let line = &mut block[row * side * count..][..side * count];
        for (index, band) in bands.clone().enumerate() {
            let start = (band * window.rows + part.row + row) * window.columns + part.column;
            let source = &pixels[start..][..part.columns];
            if count == 1 {
                line[..part.columns].copy_from_slice(source);
            } else {
                line[index..].iter_mut().step_by(count).zip(source).for_each(|(to, from)| *to = *from);
            }
        }
        for column in part.columns..side {
            line.copy_within((part.columns - 1) * count..part.columns * count, column * count);
        }
    }
    let below = bytemuck::pod_read_unaligned(fill);
    block[part.rows * side * count..].fill(below);
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

    #[test]
    fn a_block_is_gathered_with_its_edge_repeated() {
        let pixels = Buffer::UInt16((0..24).collect());
        let mut block = vec![0u8; 4 * 4 * 2 * 2];
        gather_block(&pixels, Size::new(4, 3), 0..2, Window::new(2, 1, 2, 2), (4, &[9, 0]), &mut block);
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
}
