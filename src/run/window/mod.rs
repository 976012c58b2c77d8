//! One window, from sources to encoded blocks: read and decided, then cut into blocks and encoded.

mod blocks;
mod decider;
mod deciding;
mod derived;
mod finished;
pub(super) mod lone;
mod maker;
mod open_sources;
mod read_scene;
mod reader;
mod scores;
mod stacked;

use super::isolated::Isolation;
use super::pyramid::Pyramid;
use crate::codec::{Compression, Predictor};
use crate::geometry::Size;
use crate::output::OverviewStore;
pub use decider::Decider;
pub use deciding::{Decide, DecidedPixels, Deciding};
pub use derived::DerivedBands;
pub use finished::FinishedPart;
pub use maker::WindowMaker;

/// Everything that all workers share.
pub struct Shared<'a> {
    /// What is made, and of what.
    pub deciding: Deciding<'a>,
    /// The processes that decide pixels, where it is not this one.
    pub isolation: Option<&'a Isolation<'a>>,
    /// Whether each band has blocks of its own.
    pub bands_apart: bool,
    /// How blocks are encoded.
    pub compression: Compression,
    /// What is done to pixels before.
    pub predictor: Predictor,
    /// How hard the codec tries.
    pub level: Option<i32>,
    /// How the mask's blocks are encoded.
    pub mask_compression: Compression,
    /// Whether a block of the mask and the image's block of the same place are stored both or not at all.
    pub blocks_in_pairs: bool,
    /// The overviews that are made on the way, and where their blocks are kept.
    pub overviews: Option<(&'a Pyramid, &'a OverviewStore)>,
    /// What stood in the output when the run began.
    pub finished: Option<FinishedPart<'a>>,
}

impl Shared<'_> {
    /// How many bands a block holds.
    fn samples(&self) -> usize {
        if self.bands_apart { 1 } else { self.deciding.mosaic.bands.len() }
    }

    /// How many blocks the mosaic has across and down.
    fn blocks(&self) -> Size {
        self.deciding.mosaic.grid.size.tiles(Size::square(self.deciding.block))
    }
}
