//! The budget: every byte that can be alive has a line, and the plan is the fastest whose lines fit.

mod attempt;
#[cfg(test)]
mod tests;

use crate::geometry::Size;
use attempt::Attempt;

/// So many bytes for this.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// What for.
    pub what: String,
    /// Bytes.
    pub bytes: u64,
}

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
    /// Bytes of a pixel of one band as it is written.
    pub output_bytes: usize,
    /// Whether a mask is written.
    pub mask: bool,
    /// The most bytes that so many bytes can be encoded to.
    pub max_encoded: &'a dyn Fn(usize) -> usize,
    /// Bytes that an encoder holds.
    pub encoder_bytes: usize,
    /// Bytes of the largest open source, GDAL's block cache apart.
    pub handle_bytes: usize,
    /// Bytes that GDAL's warper or resampler may take while it reads.
    pub reader_bytes: usize,
    /// Bytes of the largest block that reading one pixel decodes.
    pub source_block_bytes: usize,
    /// Bytes of decoded blocks that one row of windows, so many pixels high, touches.
    pub row_of_blocks: &'a dyn Fn(usize) -> u64,
    /// Bytes that the process holds already, and will go on holding: code, GDAL, what is known of the sources.
    pub runtime: u64,
    /// The window's side that was asked for.
    pub chunk: Option<usize>,
    /// The most workers that are of use.
    pub workers: usize,
}

impl Needs<'_> {
    /// How many bands a block holds.
    fn block_samples(&self) -> usize {
        if self.bands_apart { 1 } else { self.bands }
    }
}

/// How the work is cut so that it fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// A window's size.
    pub window: Size,
    /// How many bands are made at once.
    pub bands_at_once: usize,
    /// How many workers there are.
    pub workers: usize,
    /// How many windows may be in work or waiting to be stored at once.
    pub windows_ahead: usize,
    /// Bytes for GDAL's block cache.
    pub cache_bytes: u64,
    /// How many sources a worker keeps open.
    pub open_sources: usize,
    /// Every byte that can be alive.
    pub lines: Vec<Line>,
    /// The budget.
    pub limit: u64,
}

impl Plan {
    /// The sum of all lines.
    pub fn total(&self) -> u64 {
        total(&self.lines)
    }
}

/// The budget is too small for any plan; `least` is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooSmall {
    /// Bytes of the least plan.
    pub least: u64,
}

const MIB: u64 = 1 << 20;
/// Side of a window where the budget allows it.
const USUAL_CHUNK: usize = 1024;
/// GDAL's cache below which reading the same block again and again costs more than anything else.
const LEAST_CACHE: u64 = 4 * MIB;

/// The fastest plan that fits into `limit` bytes.
///
/// Workers come first, since encoding is most of the work; then larger windows, which read fewer blocks twice; then
/// bands at once; what is left goes to GDAL's block cache and to open sources.
///
/// # Errors
/// When not even the smallest plan fits.
pub fn plan(needs: &Needs, limit: u64) -> Result<Plan, TooSmall> {
    let cuts = cuts(needs);
    for workers in (1..=needs.workers.max(1)).rev() {
        // A cache that holds a row of windows is worth a smaller window, but not a worker.
        for full_cache in [true, false] {
            for &cut in &cuts {
                let attempt = Attempt { needs, cut, workers, cache: LEAST_CACHE, open_sources: 1 };
                let wanted = (needs.row_of_blocks)(cut.chunk) * workers as u64;
                let fixed = total(&attempt.lines());
                let room = limit.saturating_sub(fixed);
                if fixed <= limit && (!full_cache || room / 4 * 3 + LEAST_CACHE >= wanted) {
                    return Ok(attempt.spend(room, wanted, limit));
                }
            }
        }
    }
    let smallest = cuts.last().copied().expect("there is always a cut");
    let attempt = Attempt { needs, cut: smallest, workers: 1, cache: LEAST_CACHE, open_sources: 1 };
    Err(TooSmall { least: total(&attempt.lines()) })
}

/// Window side and bands at once.
#[derive(Debug, Clone, Copy)]
struct Cut {
    chunk: usize,
    bands_at_once: usize,
}

/// The ways to cut the work, from the fastest to the one that takes least.
fn cuts(needs: &Needs) -> Vec<Cut> {
    let usual = (USUAL_CHUNK / needs.block).max(1) * needs.block;
    let mut chunks = match needs.chunk {
        Some(chunk) => vec![chunk],
        None => vec![usual, needs.block],
    };
    chunks.dedup();
    let mut cuts: Vec<Cut> = chunks.iter().map(|&chunk| Cut { chunk, bands_at_once: needs.bands }).collect();
    if needs.bands_apart {
        let chunk = *chunks.last().expect("at least one");
        let mut bands_at_once = needs.bands;
        while bands_at_once > 1 {
            bands_at_once = bands_at_once.div_ceil(2);
            cuts.push(Cut { chunk, bands_at_once });
        }
    }
    cuts
}

fn total(lines: &[Line]) -> u64 {
    lines.iter().map(|line| line.bytes).sum()
}
