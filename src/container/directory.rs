//! What one TIFF directory says about its image.

use crate::geometry::Size;

/// The order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// Lowest byte first ("II").
    Little,
    /// Highest byte first ("MM").
    Big,
}

impl ByteOrder {
    /// The whole number that up to eight bytes hold.
    pub fn number(self, bytes: &[u8]) -> u64 {
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        match self {
            ByteOrder::Little => bytes.iter().rev().fold(0, join),
            ByteOrder::Big => bytes.iter().fold(0, join),
        }
    }

    /// Writes the low bytes of `number` into `bytes` (at most eight).
    pub fn put(self, number: u64, bytes: &mut [u8]) {
        let length = bytes.len();
        match self {
            ByteOrder::Little => bytes.copy_from_slice(&number.to_le_bytes()[..length]),
            ByteOrder::Big => bytes.copy_from_slice(&number.to_be_bytes()[8 - length..]),
        }
    }
}

/// Where an array of whole numbers lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrayPlace {
    /// Byte at which its first value starts, also when the values stand inside the directory entry.
    pub position: u64,
    /// Number of values.
    pub count: u64,
    /// Bytes of one value: 2, 4 or 8.
    pub entry_bytes: u64,
}

/// One image of a TIFF file: the full image, a mask or an overview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// Byte at which the directory stands.
    pub position: u64,
    /// Order of the bytes of every number in the file, pixels included.
    pub byte_order: ByteOrder,
    /// Whether the file is a BigTIFF.
    pub big: bool,
    /// Size in pixels.
    pub size: Size,
    /// Size of a block in pixels: a tile, or a strip as wide as the image (the last strip may be lower).
    pub block: Size,
    /// Whether blocks are tiles, which are always whole; otherwise they are strips.
    pub tiled: bool,
    /// Samples (bands) of a pixel.
    pub samples: u16,
    /// Bits of one sample; 0 where the samples differ.
    pub bits_per_sample: u16,
    /// 1 unsigned, 2 signed, 3 floating point, 4 unknown, 5 and 6 complex; 0 where the samples differ.
    pub sample_format: u16,
    /// Compression tag: 1 none, 5 LZW, 8 (and 32946) DEFLATE, 50000 ZSTD, …
    pub compression: u16,
    /// Predictor tag: 1 none, 2 differences, 3 floating point.
    pub predictor: u16,
    /// Whether each band has blocks of its own (planar configuration 2).
    pub planar: bool,
    /// Photometric interpretation: 0 and 1 gray, 2 RGB, 3 palette, 4 mask, 6 YCbCr, …
    pub photometric: u16,
    /// Meaning of the samples beyond colour: 0 unspecified, 1 premultiplied alpha, 2 alpha.
    pub extra_samples: Vec<u16>,
    /// Order of bits in a byte of the blocks: 1 highest first, 2 lowest first.
    pub fill_order: u16,
    /// Subfile type flags: 1 reduced resolution, 2 page, 4 mask.
    pub subfile_type: u32,
    /// Where the blocks' offsets stand.
    pub offsets: ArrayPlace,
    /// Where the blocks' sizes in bytes stand.
    pub byte_counts: ArrayPlace,
}

impl Directory {
    /// Whether this is a smaller copy of another image.
    pub fn is_overview(&self) -> bool {
        self.subfile_type & 1 != 0
    }

    /// Whether this is the mask of another image.
    pub fn is_mask(&self) -> bool {
        self.subfile_type & 4 != 0
    }

    /// Columns and rows of blocks.
    pub fn block_grid(&self) -> Size {
        self.size.tiles(self.block)
    }

    /// Number of blocks that cover the image once.
    pub fn blocks_per_plane(&self) -> u64 {
        let grid = self.block_grid();
        // Sides are below 2³¹, so that the product fits.
        grid.columns as u64 * grid.rows as u64
    }

    /// Number of blocks of the whole image.
    pub fn blocks(&self) -> u64 {
        let planes = if self.planar { u64::from(self.samples) } else { 1 };
        self.blocks_per_plane().saturating_mul(planes)
    }

    /// Place of a block in the offset and size arrays; `band` counts from 0 and matters only for planar images.
    pub fn block_index(&self, column_block: usize, row_block: usize, band: usize) -> u64 {
        let plane = if self.planar { band as u64 * self.blocks_per_plane() } else { 0 };
        plane + row_block as u64 * self.block_grid().columns as u64 + column_block as u64
    }
}
