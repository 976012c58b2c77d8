//! Lays out the head of a TIFF file: all directories before the first block, as the layout of a cloud optimized
//! GeoTIFF asks for.
//!
//! Layout and ghost area: <https://gdal.org/en/stable/drivers/raster/cog.html#file-format-details>.

use std::collections::BTreeMap;

use crate::geometry::Size;

/// What stands between the header and the first directory of a cloud optimized GeoTIFF without a mask.
pub const GHOST_OF_COG: &str = "GDAL_STRUCTURAL_METADATA_SIZE=000140 bytes
LAYOUT=IFDS_BEFORE_DATA
BLOCK_ORDER=ROW_MAJOR
BLOCK_LEADER=SIZE_AS_UINT4
BLOCK_TRAILER=LAST_4_BYTES_REPEATED
KNOWN_INCOMPATIBLE_EDITION=NO
 ";

/// The same with a mask, each of whose blocks stands behind the image's block of the same place.
pub const GHOST_OF_MASKED_COG: &str = "GDAL_STRUCTURAL_METADATA_SIZE=000174 bytes
LAYOUT=IFDS_BEFORE_DATA
BLOCK_ORDER=ROW_MAJOR
BLOCK_LEADER=SIZE_AS_UINT4
BLOCK_TRAILER=LAST_4_BYTES_REPEATED
KNOWN_INCOMPATIBLE_EDITION=NO
 MASK_INTERLEAVED_WITH_IMAGERY=YES
";

/// One field of a directory: its values as they stand in the file (where it is written: lowest bytes first).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// TIFF's number of the type of its values.
    pub kind: u16,
    /// Number of values.
    pub count: u64,
    /// The values.
    pub bytes: Vec<u8>,
}

/// The fields of a directory by tag.
pub type Fields = BTreeMap<u16, Field>;

const SUBFILE_TYPE: u16 = 254;
const COLUMNS: u16 = 256;
const ROWS: u16 = 257;
const OFFSETS: u16 = 324;
const BYTE_COUNTS: u16 = 325;
/// What an overview says as its image does: bits, compression, photometric interpretation, fill order, samples,
/// planes, predictor, colours, block sides, extra samples, sample format, and GDAL's nodata.
const SHARED: [u16; 13] = [258, 259, 262, 266, 277, 284, 317, 320, 322, 323, 338, 339, 42113];

impl Field {
    fn long(value: u32) -> Field {
        Field { kind: 4, count: 1, bytes: value.to_le_bytes().to_vec() }
    }

    /// So many zeros, each as wide as a place in the file.
    fn places(count: u64, big: bool) -> Field {
        let (kind, width) = if big { (16, 8) } else { (4, 4) };
        Field { kind, count, bytes: vec![0; count as usize * width] }
    }
}

/// The directory of an overview of `size` pixels with `blocks` blocks, of the image or mask with these fields.
pub fn overview_of(fields: &Fields, size: Size, blocks: u64, big: bool) -> Fields {
    let shared = SHARED.iter().filter_map(|tag| Some((*tag, fields.get(tag)?.clone())));
    let mut overview: Fields = shared.collect();
    let first_byte = fields.get(&SUBFILE_TYPE).and_then(|field| field.bytes.first());
    overview.insert(SUBFILE_TYPE, Field::long(u32::from(first_byte.copied().unwrap_or(0)) | 1));
    // Sides are below 2³¹.
    overview.insert(COLUMNS, Field::long(size.columns as u32));
    overview.insert(ROWS, Field::long(size.rows as u32));
    overview.insert(OFFSETS, Field::places(blocks, big));
    overview.insert(BYTE_COUNTS, Field::places(blocks, false));
    overview
}

/// The bytes of a file that has these directories, one behind the other with their values, and nothing else.
pub fn write_header(directories: &[Fields], big: bool, ghost: &str) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(b"II");
    file.extend(if big { &[43, 0, 8, 0, 0, 0][..] } else { &[42, 0] });
    // Where the place of the next directory is to be entered.
    let mut link = file.len();
    let place = |number: u64| number.to_le_bytes()[..if big { 8 } else { 4 }].to_vec();
    file.extend(place(0));
    file.extend(ghost.as_bytes());
    for fields in directories {
        align(&mut file);
        let start = file.len() as u64;
        file[link..link + place(0).len()].copy_from_slice(&place(start));
        let count = (fields.len() as u64).to_le_bytes();
        file.extend(&count[..if big { 8 } else { 2 }]);
        let mut entry = file.len();
        let entry_bytes = if big { 20 } else { 12 };
        link = entry + fields.len() * entry_bytes;
        file.resize(link + place(0).len(), 0);
        for (tag, field) in fields {
            let mut bytes = [tag.to_le_bytes(), field.kind.to_le_bytes()].concat();
            bytes.extend(place(field.count));
            if field.bytes.len() <= place(0).len() {
                bytes.extend(&field.bytes);
            } else {
                align(&mut file);
                bytes.extend(place(file.len() as u64));
                file.extend(&field.bytes);
            }
            file[entry..entry + bytes.len()].copy_from_slice(&bytes);
            entry += entry_bytes;
        }
    }
    align(&mut file);
    file
}

/// Directories and values start at even places, as in classic TIFF; the ghost area of a COG ends at one, too.
fn align(file: &mut Vec<u8>) {
    file.resize(file.len().next_multiple_of(2), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::{directories, fields_of_directories};

    #[test]
    fn ghosts_say_their_own_length() {
        for (ghost, length) in [(GHOST_OF_COG, 140), (GHOST_OF_MASKED_COG, 174)] {
            let (first, rest) = ghost.split_once('\n').unwrap();
            assert_eq!(first, format!("GDAL_STRUCTURAL_METADATA_SIZE={length:06} bytes"));
            assert_eq!(rest.len(), length);
        }
    }

    #[test]
    fn directories_that_are_laid_out_are_read_back() {
        for big in [false, true] {
            let size = Size::new(1000, 600);
            let short = |values: &[u16]| Field {
                kind: 3,
                count: values.len() as u64,
                bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            };
            let base = Fields::from([
                (258, short(&[16; 5])),
                (259, short(&[5])),
                (277, short(&[5])),
                (322, short(&[256])),
                (323, short(&[256])),
                (42112, Field { kind: 2, count: 3, bytes: b"ab\0".to_vec() }),
            ]);
            let image = overview_of(&base, size, 12, big);
            let half = overview_of(&image, Size::new(500, 300), 4, big);
            let file = write_header(&[image.clone(), half.clone()], big, GHOST_OF_COG);
            assert_eq!(fields_of_directories(&file[..]).unwrap(), [image, half]);
            let found = directories(&file[..]).unwrap();
            assert_eq!((found[0].size, found[1].blocks(), found[1].bits_per_sample), (size, 4, 16));
            assert!(found.iter().all(|directory| directory.big == big && directory.is_overview()));
            assert!(found[1].block_ranges(&file[..]).unwrap().iter().all(|range| *range == (0, 0)));
        }
    }
}
