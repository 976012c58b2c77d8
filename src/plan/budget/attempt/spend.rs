//! What a way to cut the work costs in time, and what it does with the memory that is left.

use super::Attempt;
use crate::plan::budget::{Direct, LEAST_CACHE, Plan, ThroughGdal, total};

/// Bytes of values that a verifier holds at least, counted among what it needs, and where memory is plenty.
const LEAST_TO_DECIDE: u64 = 8 << 20;
const MOST_TO_DECIDE: u64 = 256 << 20;
/// Open sources beyond which a worker gains nothing.
const MOST_OPEN_SOURCES: usize = 64;

impl Attempt<'_> {
    /// Bytes of decoded blocks that windows touch more than once: the most, and usually.
    fn wanted_again(&self) -> (u64, u64) {
        let of = |direct: &Direct| (direct.wanted_again)(self.cut.window, self.workers);
        self.needs.direct.as_ref().map_or((0, 0), of)
    }

    /// Bytes of GDAL's cache, beyond the least, that hold what a row of windows touches.
    fn wanted_of_gdal(&self) -> u64 {
        let of = |gdal: &ThroughGdal| (gdal.row_of_blocks)(self.cut.window.rows);
        let row = self.needs.through_gdal.as_ref().map_or(0, of);
        (row * self.workers as u64).saturating_sub(self.cache)
    }

    /// What GDAL needs for damaged blocks alone, and decoded blocks may have until there is one.
    fn lent(&self) -> u64 {
        let least_caches = LEAST_CACHE * self.needs.processes(self.workers);
        self.judged() + if self.needs.through_gdal.is_none() { least_caches } else { 0 }
    }

    /// What is left of the budget for caches.
    fn for_caches(&self, limit: u64) -> u64 {
        let mut room = limit.saturating_sub(total(&self.lines()));
        if self.needs.through_gdal.is_some() {
            room = room / 4 * 3;
        }
        // What the heap loses grows with what is kept.
        if self.stack_bytes > 0 { room / 8 * 7 } else { room }
    }

    /// About how long a pixel takes all workers: for one worker, decoding it once is 1 and encoding it in a full batch
    /// is 1.
    pub fn cost(&self, limit: u64) -> f64 {
        let part =
            |have: u64, wanted: u64| if wanted == 0 { 1.0 } else { (have as f64 / wanted as f64).min(1.0) };
        let room = self.for_caches(limit) + self.lent();
        let kept = part(room, self.wanted_again().1 + self.wanted_of_gdal());
        // Where blocks are not kept, those across the seams of windows are decoded for each window again. The window
        // to the right comes soon: a small cache is enough for it.
        let (block, out) = (self.needs.source_block, self.needs.block as f64);
        let seam = |block: usize, window: usize| (1.0 - kept) * block as f64 / window as f64;
        let window = self.window_pixels();
        let seams = (1.0 + seam(block.columns, window.columns) / 4.0) * (1.0 + seam(block.rows, window.rows));
        // Where not even those stay that windows in work read, they are decoded for each block of the output and each
        // strip of it.
        let held = part(room, self.in_work());
        let strips = self.area().rows as f64 / self.strip_rows() as f64;
        let each = (1.0 + block.columns as f64 / out) * (1.0 + block.rows as f64 / out) * strips;
        // And where bands are made a few at a time, each few may find the blocks gone.
        let passes = 1.0 + (self.passes() - 1.0) * (1.0 - kept);
        let decoding = (held * seams + (1.0 - held) * each) * passes;
        // A batch that is not full leaves a processor waiting for its own results.
        let batch = self.batch() as f64 / self.needs.batch.max(1) as f64;
        (decoding + 0.8 + 0.2 / batch) / self.workers as f64
    }

    /// How often the blocks of a window are read, a few bands each time: once where each band has blocks of its own.
    fn passes(&self) -> f64 {
        let holds_several =
            |direct: &Direct| direct.block_bytes > direct.block_pixels * self.needs.working_bytes;
        match self.needs.direct.as_ref().is_some_and(holds_several) {
            true => self.needs.bands.div_ceil(self.cut.bands_at_once) as f64,
            false => 1.0,
        }
    }

    /// Bytes of decoded blocks that the windows in work read.
    fn in_work(&self) -> u64 {
        if self.stack_bytes > 0 {
            // Many scenes lie on each other.
            return self.wanted_again().0;
        }
        let touched = |window: usize, block: usize| (window + block - 2) / block + 1;
        let (window, block) = (self.window_pixels(), self.needs.source_block);
        let blocks = touched(window.columns, block.columns) * touched(window.rows, block.rows);
        let bytes = self.needs.direct.as_ref().map_or(0, |direct| direct.block_bytes);
        (self.workers * blocks * bytes) as u64
    }

    /// Gives what is left to the caches, in the proportion in which they are wanted, then to open sources.
    pub fn spend(mut self, limit: u64) -> Plan {
        let (room, wanted) = (self.for_caches(limit), (self.wanted_again().0, self.wanted_of_gdal()));
        let for_caches = room.min(wanted.0 + wanted.1);
        let share = |part: u64| {
            (u128::from(for_caches) * u128::from(part) / u128::from((wanted.0 + wanted.1).max(1))) as u64
        };
        let for_sources = (limit.saturating_sub(total(&self.lines())) - for_caches) / 2;
        self.decoded = share(wanted.0);
        self.cache += share(wanted.1);
        if let Some(gdal) = &self.needs.through_gdal {
            let handle = (self.workers * gdal.handle_bytes).max(1) as u64;
            self.open_sources += (for_sources / handle).min(MOST_OPEN_SOURCES as u64 - 1) as usize;
        }
        let verifying = self.needs.verifying;
        let verifier = self.needs.child.unwrap_or(0) + verifying.bytes;
        let to_verify = (limit - self.needs.runtime) / verifier.max(1);
        let verifiers = to_verify.clamp(1, self.workers as u64);
        let left = (limit - self.needs.runtime).saturating_sub(verifiers * verifier) / verifiers;
        // Values, blocks that are read again and sources that stay open; a quarter is left to the C heap.
        let more_open = (left / 8 / verifying.handle_bytes.max(1)).min(MOST_OPEN_SOURCES as u64 - 1);
        let more_cache = left / 8 * 3;
        let lent = self.lent().min(wanted.0 - self.decoded);
        if let Some(direct) = &self.needs.direct {
            let another = self.workers * (direct.block_bytes + direct.encoded_bytes);
            // Blocks decoded ahead must stay until they are read.
            let stay = self.decoded + lent >= wanted.0.min(self.in_work());
            if stay && total(&self.lines()) + another as u64 <= limit {
                self.decode_at_once = direct.at_once;
            }
        }
        Plan {
            decode_at_once: self.decode_at_once,
            decoded_bytes: self.decoded + lent,
            lent_bytes: lent,
            verifiers: verifiers as usize,
            bytes_to_decide: (left / 4).clamp(LEAST_TO_DECIDE, MOST_TO_DECIDE) as usize,
            verifier_bytes: verifying.bytes + more_open * verifying.handle_bytes + more_cache,
            open_to_verify: 1 + more_open as usize,
            cache_to_verify: verifiers * (verifying.cache_bytes + more_cache),
            child_bytes: self.to_decide() + lent / self.workers as u64,
            window: self.cut.window,
            area: self.area(),
            strip_rows: self.strip_rows(),
            batch: self.batch(),
            bands_at_once: self.cut.bands_at_once,
            workers: self.workers,
            windows_ahead: self.windows_ahead(),
            cache_bytes: self.cache,
            open_sources: self.open_sources,
            lines: self.lines(),
            limit,
        }
    }
}
