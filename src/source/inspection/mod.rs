//! How a raster is stored, and what reading it costs: plain numbers, for people and programs that want to know.

mod look;

use serde::Serialize;

use crate::geometry::Size;

pub use look::look;

/// Height in pixels of the row of windows that [`Cache::window_row`] is about: that of the planner's usual windows.
pub const WINDOW_ROWS: usize = 1024;

/// Decoded bytes that a reader can be asked to keep; a raster whose rows need more is better read block by block.
const KEPT_BYTES: u64 = 256 << 20;

/// One raster's layout. Sizes are pixels, amounts are bytes; what a format does not tell is absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The name by which GDAL opens it.
    pub name: String,
    /// GDAL's short name of its format.
    pub driver: String,
    /// Width in pixels.
    pub columns: usize,
    /// Height in pixels.
    pub rows: usize,
    /// Its bands, in order.
    pub bands: Vec<Band>,
    /// Its CRS by code and name; absent when it has none.
    pub crs: Option<String>,
    /// GDAL's six coefficients.
    pub geotransform: [f64; 6],
    /// Width and height of a pixel in units of the CRS.
    pub resolution: [f64; 2],
    /// How its pixels are cut into blocks.
    pub blocks: Blocks,
    /// GDAL's name of the compression; "none" for a GeoTIFF without one.
    pub codec: Option<String>,
    /// TIFF's number of the predictor: 1 nothing, 2 differences, 3 differences of floats.
    pub predictor: Option<u16>,
    /// Whether the bands of a pixel stand together, in a raster of several bands.
    pub interleave: Option<Interleave>,
    /// "little" or "big", of a TIFF.
    pub byte_order: Option<&'static str>,
    /// Whether a TIFF is a BigTIFF.
    pub bigtiff: Option<bool>,
    /// Where the mask stands that says which pixels are valid.
    pub mask: Option<MaskPlace>,
    /// The number (from 1) of the band that is transparency.
    pub alpha: Option<usize>,
    /// Columns and rows of each overview, the largest first.
    pub overviews: Vec<[usize; 2]>,
    /// How many bytes it has.
    pub bytes: Bytes,
    /// Whether its blocks can be read without GDAL, where it lies on the mosaic's grid.
    pub direct: bool,
    /// Why not.
    pub not_direct_because: Option<&'static str>,
    /// What reading it by rows keeps in memory.
    pub cache: Cache,
    /// The order in which to read all its pixels.
    pub read_order: ReadOrder,
    /// What GDAL said of it.
    pub warnings: Vec<String>,
}

/// A band of an inspected raster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Band {
    /// GDAL's name of the pixel type.
    #[serde(rename = "type")]
    pub pixel_type: &'static str,
    /// What it shows, in GDAL's words.
    pub shows: String,
    /// Its description; empty when it has none.
    pub description: String,
    /// The value that means "no data", as text (it may be nan).
    pub nodata: Option<String>,
}

/// How pixels are cut into blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Blocks {
    /// Tiles, or strips as wide as the raster.
    pub kind: BlockKind,
    /// Pixels across one block.
    pub columns: usize,
    /// Pixels down one block.
    pub rows: usize,
    /// Blocks side by side.
    pub across: usize,
    /// Blocks one below the other.
    pub down: usize,
    /// Blocks in all, those of each band counted where bands have blocks of their own.
    pub count: u64,
    /// Blocks that are not stored since they hold nothing, of a GeoTIFF.
    pub empty: Option<u64>,
}

/// The shape of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BlockKind {
    /// Rectangles, always whole.
    Tiles,
    /// As wide as the raster.
    Strips,
}

/// How bands are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Interleave {
    /// All bands of a pixel in one block.
    Pixel,
    /// Each band in blocks of its own.
    Band,
}

/// Where a mask stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MaskPlace {
    /// In the file.
    Internal,
    /// In a .msk file beside it.
    File,
    /// GDAL knows where.
    Elsewhere,
}

/// How many bytes a raster has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// All its pixels, decoded.
    pub raw: u64,
    /// One block, decoded, of the bands that stand in it.
    pub block: u64,
    /// All its blocks as they are stored, without masks and overviews; of a GeoTIFF.
    pub stored: Option<u64>,
    /// The largest of them.
    pub largest_block: Option<u64>,
    /// The whole file.
    pub file: Option<u64>,
}

/// Bytes of decoded blocks that must be kept so that none is decoded twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cache {
    /// When all bands are read one row of pixels after the other: the blocks side by side.
    pub pixel_row: u64,
    /// When they are read in windows of [`WINDOW_ROWS`] rows that may lie anywhere: the blocks that a row of such
    /// windows touches, at most.
    pub window_row: u64,
}

impl Cache {
    /// What reading a raster of `size` in blocks of `block` by rows needs, with pixels of so many bytes in all bands.
    pub fn of(size: Size, block: Size, pixel_bytes: usize) -> Cache {
        let blocks = size.tiles(block);
        let rows = WINDOW_ROWS.min(size.rows);
        // The first row of pixels can be the last one of its block.
        let touched = (1 + (rows - 1).div_ceil(block.rows)).min(blocks.rows);
        let row = (blocks.columns as u64)
            .saturating_mul(block.columns as u64)
            .saturating_mul(block.rows as u64)
            .saturating_mul(pixel_bytes as u64);
        Cache { pixel_row: row, window_row: row.saturating_mul(touched as u64) }
    }
}

/// An order in which no block is decoded twice, and that needs little memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadOrder {
    /// There is only one block.
    Any,
    /// Every row of pixels is a block of its own.
    Rows,
    /// Strip by strip.
    Strips,
    /// Row of blocks by row of blocks.
    RowsOfBlocks,
    /// Block by block: rows would keep more than a reader can be asked to.
    Blocks,
}

impl ReadOrder {
    /// The order that suits blocks of this kind and number, when rows keep so many bytes.
    pub fn of(blocks: &Blocks, cache: Cache) -> ReadOrder {
        match blocks.kind {
            _ if blocks.across * blocks.down == 1 => ReadOrder::Any,
            BlockKind::Strips if blocks.rows == 1 => ReadOrder::Rows,
            BlockKind::Strips => ReadOrder::Strips,
            BlockKind::Tiles if cache.pixel_row > KEPT_BYTES => ReadOrder::Blocks,
            BlockKind::Tiles => ReadOrder::RowsOfBlocks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_raster_of_small_blocks_needs_40_mb_for_a_row() {
        let cache = Cache::of(Size::new(156_335, 90_000), Size::square(128), 2);
        assert_eq!(cache.pixel_row, 1222 * 128 * 128 * 2);
        // 1024 rows from the last one of a block on touch nine rows of blocks.
        assert_eq!(cache.window_row, 9 * cache.pixel_row);
    }

    #[test]
    fn a_row_of_windows_never_touches_more_than_there_is() {
        let cache = Cache::of(Size::new(1000, 700), Size::square(512), 3);
        assert_eq!((cache.pixel_row, cache.window_row), (2 * 512 * 512 * 3, 4 * 512 * 512 * 3));
        let one_block = Cache::of(Size::new(10, 1), Size::new(10, 1), 1);
        assert_eq!((one_block.pixel_row, one_block.window_row), (10, 10));
        let strips = Cache::of(Size::new(100, 5000), Size::new(100, 1), 2);
        assert_eq!((strips.pixel_row, strips.window_row), (200, 1024 * 200));
    }

    #[test]
    fn the_order_follows_the_blocks() {
        let order = |kind, across, down, rows, kept| {
            let blocks = Blocks { kind, columns: 64, rows, across, down, count: 1, empty: None };
            ReadOrder::of(&blocks, Cache { pixel_row: kept, window_row: kept })
        };
        assert_eq!(order(BlockKind::Tiles, 1, 1, 64, 1), ReadOrder::Any);
        assert_eq!(order(BlockKind::Strips, 1, 9, 1, 1), ReadOrder::Rows);
        assert_eq!(order(BlockKind::Strips, 1, 9, 8, u64::MAX), ReadOrder::Strips);
        assert_eq!(order(BlockKind::Tiles, 9, 9, 64, KEPT_BYTES), ReadOrder::RowsOfBlocks);
        assert_eq!(order(BlockKind::Tiles, 9, 9, 64, KEPT_BYTES + 1), ReadOrder::Blocks);
    }
}
