//! What GDAL's decoders hold beside the block that is read: those of formats that are decoded in larger pieces, or in
//! other numbers, than GDAL shows.

use gdal::Dataset;

use crate::geometry::Size;
use crate::source::{Source, text};

/// The cache of chunks that the netCDF library has for each variable (`CHUNK_CACHE_SIZE`, from 4.9 on).
const NETCDF_CHUNKS: usize = 16 << 20;
/// Boxes or segments before what is looked for: of a file that has more it is not known.
const MOST_BEFORE: usize = 1000;

/// Adds to a source's storage what an open handle's decoder holds.
pub(super) fn count_decoder(source: &mut Source, dataset: &Dataset) {
    let (pixels, bands) = (source.size.pixels(), source.bands.len());
    let raw = pixels.saturating_mul(source.pixel_bytes());
    let stored = source.stamp.map_or(raw, |stamp| raw.min(stamp.size as usize));
    let head = |offset, bytes| text::part(&source.name, offset, bytes);
    let driver = dataset.driver().short_name();
    source.storage.decoder_bytes = match driver.as_str() {
        driver if driver.starts_with("JP2") => {
            let tile = jpeg2000_tile(head).map_or(source.size, |tile| smaller(tile, source.size));
            let tile_raw = tile.pixels().saturating_mul(source.pixel_bytes());
            source.storage.encoded_bytes = tile_raw.min(stored);
            jpeg2000(tile, smaller(source.storage.block, tile), bands, source.storage.encoded_bytes)
        }
        // The whole file, its pixels, and those of one that has no losses a second time, as four bytes each.
        "WEBP" => stored.saturating_add(pixels.saturating_mul(bands + 4)),
        // The coefficients of all passes.
        "JPEG" if is_progressive_jpeg(head) => pixels.saturating_mul(2 * bands),
        "PNG" if is_interlaced_png(head) => raw,
        "GIF" => raw,
        "netCDF" => NETCDF_CHUNKS,
        _ => return,
    };
}

/// Columns and rows, the fewer of both.
fn smaller(one: Size, other: Size) -> Size {
    Size::new(one.columns.min(other.columns), one.rows.min(other.rows))
}

/// What OpenJPEG holds to decode a block of a tile, in whole numbers of 32 bits. A tile that is a block is decoded
/// whole. Of a larger one, an image's only tile, the code stream is kept, and what is known of its code blocks (64² pixels
/// each); a block's pixels stand there several times: as code blocks, before and after the wavelet transform, and
/// of the block before. Measured with OpenJPEG 2.5.
fn jpeg2000(tile: Size, block: Size, bands: usize, encoded: usize) -> usize {
    const CODE_BLOCK: usize = 640;
    let numbers = block.pixels().saturating_mul(4);
    if block == tile {
        return numbers.saturating_mul(bands);
    }
    let code_blocks = tile.pixels().saturating_mul(bands) / (64 * 64) * CODE_BLOCK;
    numbers.saturating_mul(4 * bands + 5).saturating_add(encoded).saturating_add(code_blocks)
}

/// The size of a JPEG 2000 image's tiles, as its code stream says (ISO/IEC 15444-1, A.5.1), which may stand in boxes
/// (I.4). `read` gives bytes of the file at an offset, as many as there are.
fn jpeg2000_tile(read: impl Fn(u64, usize) -> Vec<u8>) -> Option<Size> {
    const START: [u8; 4] = [0xff, 0x4f, 0xff, 0x51];
    let mut offset = 0_u64;
    for _ in 0..MOST_BEFORE {
        let head = read(offset, 32);
        if head.starts_with(&START) {
            let side = |at| Some(number(head.get(at..at + 4)?) as usize);
            return Some(Size::new(side(24)?, side(28)?));
        }
        let (short, kind) = (number(head.get(..4)?), head.get(4..8)?);
        let (length, header) = match short {
            1 => (number(head.get(8..16)?), 16),
            short => (short, 8),
        };
        // The box of the code stream may reach to the end of the file, which is said by a length of 0.
        offset = match kind {
            b"jp2c" => offset.checked_add(header)?,
            _ => offset.checked_add(length).filter(|_| length >= header)?,
        };
    }
    None
}

/// Whether a JPEG comes in passes over the whole image: by its start of frame (ITU-T T.81, table B.1).
fn is_progressive_jpeg(read: impl Fn(u64, usize) -> Vec<u8>) -> bool {
    let mut offset = 2;
    for _ in 0..MOST_BEFORE {
        let marker = read(offset, 4);
        match marker[..] {
            [0xff, 0xc4 | 0xc8 | 0xcc, high, low] | [0xff, 0xd0..=0xff | 0x00..=0xbf, high, low] => {
                offset += 2 + number(&[high, low]);
            }
            [0xff, frame, ..] => return matches!(frame, 0xc2 | 0xc6 | 0xca | 0xce),
            _ => return false,
        }
    }
    false
}

/// Whether a PNG comes in passes over the whole image: by its first chunk (PNG, 11.2.2).
fn is_interlaced_png(read: impl Fn(u64, usize) -> Vec<u8>) -> bool {
    read(28, 1).first().is_some_and(|&interlaced| interlaced != 0)
}

/// A number, its highest byte first.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: Vec<u8>) -> impl Fn(u64, usize) -> Vec<u8> {
        move |offset, length| bytes.iter().skip(offset as usize).take(length).copied().collect()
    }

    /// A code stream whose image is 9 times 8 pixels, in tiles of 7 times 6.
    fn code_stream() -> Vec<u8> {
        let sides = [9_u32, 8, 0, 0, 7, 6].into_iter().flat_map(u32::to_be_bytes);
        [0xff, 0x4f, 0xff, 0x51, 0, 47, 0, 0].into_iter().chain(sides).collect()
    }

    #[test]
    fn tiles_are_found_in_code_streams_and_in_boxes() {
        let tile = Some(Size::new(7, 6));
        assert_eq!(jpeg2000_tile(reader(code_stream())), tile);
        let boxed = |last: &[u8]| {
            let small = [&12_u32.to_be_bytes()[..], b"jP  ", &[13, 10, 135, 10]].concat();
            let long = [&1_u32.to_be_bytes()[..], b"uuid", &20_u64.to_be_bytes(), &[1, 2, 3, 4]].concat();
            [small, long, last.to_vec(), code_stream()].concat()
        };
        assert_eq!(jpeg2000_tile(reader(boxed(b"\0\0\0\0jp2c"))), tile);
        assert_eq!(jpeg2000_tile(reader(boxed(b"\0\0\0\x28jp2c"))), tile);
        assert_eq!(jpeg2000_tile(reader(boxed(b"\0\0\0\x01jp2c\0\0\0\0\0\0\0\x30"))), tile);
        for cut in 0..boxed(b"\0\0\0\0jp2c").len() {
            assert_eq!(jpeg2000_tile(reader(boxed(b"\0\0\0\0jp2c")[..cut].to_vec())), None);
        }
        assert_eq!(jpeg2000_tile(reader(vec![0; 100])), None, "a box without a length");
    }

    #[test]
    fn a_block_of_a_larger_tile_takes_many_times_its_pixels() {
        let (tile, block) = (Size::square(3500), Size::square(1024));
        assert_eq!(jpeg2000(block, block, 3, 5), 12 << 20);
        let part = jpeg2000(tile, block, 3, 18 << 20);
        assert!(part > (18 + 4 * 17) << 20, "{part}");
        assert_eq!(jpeg2000(tile, block, 1, usize::MAX), usize::MAX);
    }

    #[test]
    fn passes_over_the_whole_image_are_seen_in_the_head() {
        let jpeg =
            |frame| reader(vec![0xff, 0xd8, 0xff, 0xe0, 0, 3, 9, 0xff, 0xc4, 0, 2, 0xff, frame, 0, 17]);
        assert!(is_progressive_jpeg(jpeg(0xc2)) && !is_progressive_jpeg(jpeg(0xc0)));
        assert!(!is_progressive_jpeg(reader(vec![0xff, 0xd8, 0xff])));
        let png = |interlaced| reader([vec![0; 28], vec![interlaced]].concat());
        assert!(
            is_interlaced_png(png(1)) && !is_interlaced_png(png(0)) && !is_interlaced_png(reader(vec![]))
        );
    }
}
