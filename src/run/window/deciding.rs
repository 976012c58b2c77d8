//! Deciding a window's pixels: what it takes, what comes of it, and whoever does it, here or in another process.

use std::ops::Range;
use std::sync::Mutex;

use anyhow::Result;

use crate::geometry::Window;
use crate::pixels::{Buffer, PixelType};
use crate::plan::{Job, Plan, Touching};
use crate::run::Totals;
use crate::source::direct::DirectSources;
use crate::source::{Mosaic, Patience};

/// What all share who decide pixels.
pub struct Deciding<'a> {
    /// What is made.
    pub mosaic: &'a Mosaic,
    /// How it is cut.
    pub plan: &'a Plan,
    /// Which sources touch which window.
    pub touching: &'a Touching,
    /// Side of a block.
    pub block: usize,
    /// Sources that are read without GDAL.
    pub direct: &'a DirectSources,
    /// Whether a block that cannot be decoded directly is left to GDAL to judge.
    pub ask_gdal: bool,
    /// How much is borne with servers.
    pub patience: Patience<'a>,
    /// Held while GDAL judges such a block: the budget has room for one.
    pub judging: Mutex<()>,
    /// What was done, summed over all of them.
    pub totals: &'a Totals,
}

/// Pixels of some bands of an area, decided.
pub struct DecidedPixels {
    /// Bands × rows × columns.
    pub pixels: Buffer,
    /// Rows × columns: 1 where any of those bands has data.
    pub valid: Vec<u8>,
}

impl DecidedPixels {
    /// None, of this type.
    pub fn new(pixel_type: PixelType) -> DecidedPixels {
        DecidedPixels { pixels: Buffer::zeros(pixel_type, 0), valid: Vec::new() }
    }
}

/// Decides the pixels of one window after the other, an area or a block at a time.
pub trait Decide {
    /// Begins the job's window.
    ///
    /// # Errors
    /// When the job is to end.
    fn begin(&mut self, job: Job, bands: Range<usize>) -> Result<()>;

    /// Decides `bands` of an area of the job's window: all of them where some are derived from others.
    ///
    /// # Errors
    /// When a source cannot be read.
    fn decide(&mut self, job: Job, area: Window, bands: Range<usize>, to: &mut DecidedPixels) -> Result<()>;

    /// Copies a block of the mosaic, in the job's window and of `bands`, out of the one source that covers it. Says
    /// whether that could be done; where it cannot, the long way finds out why.
    ///
    /// `raw` is filled, beyond the mosaic's edge as [`crate::pixels::pad_block`] does with `fill`.
    ///
    /// # Errors
    /// When the job is to end.
    fn take_block(
        &mut self,
        job: Job,
        block: Window,
        bands: Range<usize>,
        raw_and_fill: (&mut [u8], &[u8]),
    ) -> Result<bool>;

    /// The window is done. Gives how many of the sources that are left out it was decided without; nothing where more
    /// were left out on the way: then it is to be made anew, so that no window is partly of a source.
    fn leave(&mut self) -> Option<usize>;
}
