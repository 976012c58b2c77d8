//! The budget: every byte that can be alive has a line, and the plan is the fastest whose lines fit.

mod attempt;
mod needs;
#[cfg(test)]
mod tests;

use crate::geometry::Size;
use attempt::Attempt;
pub use needs::{Direct, Needs, ThroughGdal, Verifying};

/// So many bytes for this.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Line {
    /// What for.
    pub what: String,
    /// Bytes.
    pub bytes: u64,
}

/// How the work is cut so that it fits.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Plan {
    /// A window's size.
    pub window: Size,
    /// Size of the parts of a window that are decided at once, at least a block.
    pub area: Size,
    /// Rows that are decided at once where a block is more than must be.
    pub strip_rows: usize,
    /// How many bands are made at once.
    pub bands_at_once: usize,
    /// How many workers there are.
    pub workers: usize,
    /// How many windows may be in work or waiting to be stored at once.
    pub windows_ahead: usize,
    /// Bytes for GDAL's block cache.
    pub cache_bytes: u64,
    /// How many blocks of such sources a worker may decode together.
    pub decode_at_once: usize,
    /// Bytes for decoded blocks of sources that are read directly.
    pub decoded_bytes: u64,
    /// Of those, bytes that are GDAL's as soon as a block is damaged.
    pub lent_bytes: u64,
    /// How many threads verify.
    pub verifiers: usize,
    /// Bytes of values that each of them holds to decide pixels a second time.
    pub bytes_to_decide: usize,
    /// Bytes that one of them needs beside these.
    pub verifier_bytes: u64,
    /// How many sources each of them keeps open.
    pub open_to_verify: usize,
    /// Of all their bytes, those for GDAL's block cache.
    pub cache_to_verify: u64,
    /// Bytes with which a worker reads and decides, caches included, where a child process does it.
    pub child_bytes: u64,
    /// How many blocks a worker encodes at a time.
    pub batch: usize,
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

    /// Bytes that a thread needs to verify.
    pub fn bytes_to_verify(&self) -> u64 {
        self.verifier_bytes + self.bytes_to_decide as u64
    }

    /// The plan of one of the child processes that decide pixels, a worker each: caches are shared out among them.
    pub fn of_child(&self) -> Plan {
        let workers = self.workers as u64;
        Plan {
            cache_bytes: self.cache_bytes / workers,
            decoded_bytes: self.decoded_bytes / workers,
            lent_bytes: self.lent_bytes / workers,
            cache_to_verify: self.cache_to_verify / self.verifiers as u64,
            lines: Vec::new(),
            ..self.clone()
        }
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

/// The plan that fits into `limit` bytes and is the fastest, as far as can be told before. What the work leaves goes to
/// caches and to open sources.
///
/// # Errors
/// When not even the smallest plan fits.
pub fn plan(needs: &Needs, limit: u64) -> Result<Plan, TooSmall> {
    if let Some(best) = fastest(needs, limit) {
        return Ok(best.spend(limit));
    }
    let smallest = cuts(needs).last().copied().expect("there is always a cut");
    let least = total(&Attempt::least(needs, smallest, 1).lines());
    Err(TooSmall { least: least.max(least_to_verify(needs)) })
}

/// The way to cut the work that takes least time; of those that take the same, the one with most workers, then the
/// first.
fn fastest<'a>(needs: &'a Needs<'a>, limit: u64) -> Option<Attempt<'a>> {
    // Verification begins when the work is done and its memory free again.
    if limit < least_to_verify(needs) {
        return None;
    }
    let cuts = cuts(needs);
    let workers = (1..=needs.workers.max(1)).rev();
    let attempts =
        workers.flat_map(|workers| cuts.iter().map(move |&cut| Attempt::least(needs, cut, workers)));
    let fitting = attempts.filter(|attempt| total(&attempt.lines()) <= limit);
    fitting.min_by(|one, other| one.cost(limit).total_cmp(&other.cost(limit)))
}

fn least_to_verify(needs: &Needs) -> u64 {
    needs.runtime + needs.child.unwrap_or(0) + needs.verifying.bytes
}

/// A window's size and bands at once.
#[derive(Debug, Clone, Copy)]
struct Cut {
    window: Size,
    bands_at_once: usize,
    /// Whether less than a block may be decided at once.
    strips: bool,
}

/// The ways to cut the work, from the fastest to the one that takes least.
fn cuts(needs: &Needs) -> Vec<Cut> {
    let block = needs.block;
    let usual = (USUAL_CHUNK / block).max(1) * block;
    let mut windows = match needs.chunk {
        Some(chunk) => vec![Size::square(chunk)],
        // Overviews are made of square parts.
        None if !needs.levels.overviews.is_empty() => vec![Size::square(usual), Size::square(block)],
        // One row of blocks high, so that no encoded row has to wait for the one above; wide enough for the encoder,
        // which takes several blocks at a time.
        None => vec![
            Size::square(usual),
            Size::new(4 * block, block),
            Size::new(2 * block, block),
            Size::square(block),
        ],
    };
    windows.dedup();
    let both = [false, true];
    let cut = |window: Size| both.map(|strips| Cut { window, bands_at_once: needs.bands, strips });
    let mut cuts: Vec<Cut> = windows.iter().flat_map(|&window| cut(window)).collect();
    if needs.bands_apart && !needs.bands_together {
        let window = *windows.last().expect("at least one");
        let mut bands_at_once = needs.bands;
        while bands_at_once > 1 {
            bands_at_once = bands_at_once.div_ceil(2);
            cuts.push(Cut { window, bands_at_once, strips: true });
        }
    }
    cuts
}

fn total(lines: &[Line]) -> u64 {
    lines.iter().map(|line| line.bytes).sum()
}
