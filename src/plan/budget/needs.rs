//! What a job needs, whatever way it is cut.

use crate::geometry::Size;
use crate::plan::Levels;

/// What a job needs, in numbers that do not depend on how it is cut.
pub struct Needs<'a> {
    /// The mosaic's size.
    pub size: Size,
    /// Side of an output block.
    pub block: usize,
    /// Number of bands.
    pub bands: usize,
    /// Whether each band has blocks of its own, so that bands can be made a few at a time.
    pub bands_apart: bool,
    /// Bytes of a pixel of one band as it is read.
    pub working_bytes: usize,
    /// Bytes of the composite's state for a pixel of one band.
    pub state_bytes: usize,
    /// Bytes of a pixel of all scenes that may lie on each other in an area of that size, where they are decided
    /// together, and of what is derived of it.
    pub stack_bytes: &'a dyn Fn(Size) -> usize,
    /// Bytes of a scene's mask around an area of that size, as far as hidden pixels reach into it.
    pub margin_bytes: &'a dyn Fn(Size) -> usize,
    /// Bytes with which a worker decides them.
    pub stack_work_bytes: usize,
    /// Bytes of a pixel of one band as it is written.
    pub output_bytes: usize,
    /// Whether a mask is written.
    pub mask: bool,
    /// The most bytes that so many bytes can be encoded to.
    pub max_encoded: &'a dyn Fn(usize) -> usize,
    /// How many blocks an encoder likes to have at a time.
    pub batch: usize,
    /// Bytes that an encoder holds.
    pub encoder_bytes: usize,
    /// The overviews that are made on the way.
    pub levels: &'a Levels,
    /// Whether all bands of a window are made at once, as where all must be there before any of its overviews can be made.
    pub bands_together: bool,
    /// Size of the sources' largest blocks.
    pub source_block: Size,
    /// Bytes with which a worker moves the image's blocks behind the overviews; 0 where they stay.
    pub moving_bytes: usize,
    /// What is read through GDAL; nothing where all sources are read directly.
    pub through_gdal: Option<ThroughGdal<'a>>,
    /// What is read directly; nothing where no source is.
    pub direct: Option<Direct<'a>>,
    /// What one thread needs to verify.
    pub verifying: Verifying,
    /// Bytes that the process holds already, and will go on holding: code, GDAL, what is known of the sources.
    pub runtime: u64,
    /// Where each worker has a child process that reads and decides for it, bytes that one holds before it begins: code,
    /// GDAL, what is known of the sources.
    pub child: Option<u64>,
    /// The window's side that was asked for.
    pub chunk: Option<usize>,
    /// The most workers that are of use.
    pub workers: usize,
}

impl Needs<'_> {
    /// How many processes read sources for so many workers.
    pub(super) fn processes(&self, workers: usize) -> u64 {
        if self.child.is_some() { workers as u64 } else { 1 }
    }

    /// How many bands a block holds.
    pub(super) fn block_samples(&self) -> usize {
        if self.bands_apart { 1 } else { self.bands }
    }
}

/// What reading sources through GDAL takes: every worker has its own handles.
pub struct ThroughGdal<'a> {
    /// Bytes of the largest open source, GDAL's block cache apart.
    pub handle_bytes: usize,
    /// Bytes that GDAL's warper or resampler may take while it reads.
    pub reader_bytes: usize,
    /// Rows of what is read in one piece.
    pub unit: usize,
    /// Bytes of the largest block that reading one pixel decodes.
    pub block_bytes: usize,
    /// Bytes of decoded blocks that one row of windows, so many pixels high, touches.
    pub row_of_blocks: &'a dyn Fn(usize) -> u64,
}

/// What one thread takes to verify.
#[derive(Debug, Clone, Copy, Default)]
pub struct Verifying {
    /// All bytes, with one open source.
    pub bytes: u64,
    /// Of these, bytes of the largest open source, GDAL's block cache apart.
    pub handle_bytes: u64,
    /// Of these, bytes for GDAL's block cache, which hold the largest block that is read again and again.
    pub cache_bytes: u64,
}

/// What reading sources directly takes: all workers share the decoded blocks.
pub struct Direct<'a> {
    /// Bytes of the largest decoded block.
    pub block_bytes: usize,
    /// Bytes of the largest encoded block.
    pub encoded_bytes: usize,
    /// Bytes of the largest source opened by GDAL, its block cache apart: where a block cannot be decoded, one worker at
    /// a time lets GDAL read it. 0 where GDAL is not asked.
    pub judge_bytes: usize,
    /// Pixels of the largest block.
    pub block_pixels: usize,
    /// How many blocks are decoded faster together: 1 or 2.
    pub at_once: usize,
    /// Bytes of decoded blocks that are wanted again, for windows of a size and so many workers: the most, and usually.
    pub wanted_again: &'a dyn Fn(Size, usize) -> (u64, u64),
}
