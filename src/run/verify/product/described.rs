//! A directory, its name in messages, and how its blocks are decoded.

use crate::codec::{BlockLayout, Compression, Predictor, max_encoded_len};
use crate::container::Directory;
use crate::geometry::Size;

/// A directory, and how its blocks are decoded.
pub struct Described {
    /// What it says.
    pub directory: Directory,
    /// 0 for full resolution, 1 for the largest overview, and so on.
    pub level: usize,
    /// How its blocks are decoded; `None` where what it says is no way to.
    pub blocks: Option<(Compression, Predictor, BlockLayout)>,
}

impl Described {
    /// Its name among the others, in a message.
    pub fn name(&self) -> String {
        match (self.level, self.directory.is_mask()) {
            (0, false) => "the image".into(),
            (0, true) => "the mask".into(),
            (level, false) => format!("overview {level}"),
            (level, true) => format!("the mask of overview {level}"),
        }
    }
}

/// Bytes of pixels that a block may have; libtiff takes no more.
const MOST_BLOCK_BYTES: u128 = 1 << 31;

/// How a directory's blocks are decoded, if they can be.
pub fn how_decoded(directory: &Directory) -> Option<(Compression, Predictor, BlockLayout)> {
    let compression = match directory.compression {
        1 => Compression::None,
        5 => Compression::Lzw,
        8 | 32946 => Compression::Deflate,
        50000 => Compression::Zstd,
        _ => return None,
    };
    let predictor = Predictor::from_tag(directory.predictor)?;
    let Size { columns, rows } = directory.block;
    let samples = if directory.planar { 1 } else { usize::from(directory.samples) };
    let layout = match directory.bits_per_sample {
        1 => BlockLayout { columns: (columns * samples).div_ceil(8), rows, samples: 1, sample_bytes: 1 },
        bits @ (8 | 16 | 32 | 64) => {
            BlockLayout { columns, rows, samples, sample_bytes: usize::from(bits / 8) }
        }
        _ => return None,
    };
    // Sides are below 2³¹: only in 128 bits the product always fits.
    let row = layout.columns as u128 * (layout.samples * layout.sample_bytes) as u128;
    (row * rows as u128 <= MOST_BLOCK_BYTES).then_some((compression, predictor, layout))
}

/// The most bytes that a block can have as it is stored, and whether it has exactly these.
pub fn stored_bytes((compression, _, layout): (Compression, Predictor, BlockLayout)) -> (u64, bool) {
    (max_encoded_len(compression, layout.bytes()) as u64, compression == Compression::None)
}
