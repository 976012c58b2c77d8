//! The budget: every byte that can be alive has a line, and the plan is the fastest whose lines fit.

use super::Levels;
use crate::geometry::Size;

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
    /// The overviews that are made on the way.
    pub levels: &'a Levels,
    /// Whether all bands of a window must be there before any of its overviews can be made.
    pub bands_together: bool,
    /// Bytes that the process holds already, and will go on holding: code, GDAL, what is known of the sources.
    pub runtime: u64,
    /// The window's side that was asked for.
    pub chunk: Option<usize>,
    /// The most workers that are of use.
    pub workers: usize,
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
/// What a thread's stack and its part of the C heap come to.
const THREAD: u64 = 2 * MIB;
/// Open sources beyond which a worker gains nothing.
const MOST_OPEN_SOURCES: usize = 64;

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

fn cuts(needs: &Needs) -> Vec<Cut> {
    let usual = (USUAL_CHUNK / needs.block).max(1) * needs.block;
    let mut chunks = match needs.chunk {
        Some(chunk) => vec![chunk],
        None => vec![usual, needs.block],
    };
    chunks.dedup();
    let mut cuts: Vec<Cut> = chunks.iter().map(|&chunk| Cut { chunk, bands_at_once: needs.bands }).collect();
    if needs.bands_apart && !needs.bands_together {
        let chunk = *chunks.last().expect("at least one");
        let mut bands_at_once = needs.bands;
        while bands_at_once > 1 {
            bands_at_once = bands_at_once.div_ceil(2);
            cuts.push(Cut { chunk, bands_at_once });
        }
    }
    cuts
}

struct Attempt<'a> {
    needs: &'a Needs<'a>,
    cut: Cut,
    workers: usize,
    cache: u64,
    open_sources: usize,
}

impl Attempt<'_> {
    fn window(&self) -> Size {
        Size::square(self.cut.chunk)
    }

    /// A window as large as any is.
    fn window_pixels(&self) -> Size {
        let (columns, rows) = (self.needs.size.columns, self.needs.size.rows);
        Size::new(self.cut.chunk.min(columns), self.cut.chunk.min(rows))
    }

    fn windows_ahead(&self) -> usize {
        2 * self.workers
    }

    /// The most bytes that the blocks of an area are encoded to. Blocks at the edge are stored whole.
    fn encoded(&self, area: Size) -> u64 {
        let blocks = area.tiles(Size::square(self.needs.block)).pixels() as u64;
        let block_pixels = self.needs.block * self.needs.block;
        let samples = if self.needs.bands_apart { 1 } else { self.needs.bands };
        let planes = self.needs.bands / samples;
        let image = (self.needs.max_encoded)(block_pixels * samples * self.needs.output_bytes) * planes;
        let mask = if self.needs.mask { (self.needs.max_encoded)(block_pixels / 8) } else { 0 };
        blocks * (image + mask) as u64
    }

    fn lines(&self) -> Vec<Line> {
        let needs = self.needs;
        let workers = self.workers as u64;
        let window = self.window_pixels();
        let pixels = window.pixels() as u64;
        let bands = self.cut.bands_at_once as u64;
        let block_pixels = (needs.block * needs.block) as u64;
        let block_samples = if needs.bands_apart { 1 } else { needs.bands };
        let block_bytes = block_pixels as usize * block_samples * needs.output_bytes;
        let line = |what: &str, bytes: u64| Line { what: what.into(), bytes };
        let each = |what: &str, bytes: u64| Line {
            what: format!("{what}, {workers} workers"),
            bytes: workers * bytes,
        };

        let block_rows = self.cut.chunk.div_ceil(needs.block) as u64;
        let row = Size::new(needs.size.columns, window.rows);
        let waiting_rows = self.encoded(row) / block_rows * (block_rows - 1);
        let waiting_windows = (self.windows_ahead() - self.workers) as u64 * self.encoded(window);
        let blocks = needs.size.tiles(Size::square(needs.block)).pixels() as u64;
        let planes = (needs.bands / block_samples + usize::from(needs.mask)) as u64;
        const RECORD: u64 = 64;
        let mut lines = vec![
            line("the process itself, GDAL and what is known of the sources", needs.runtime),
            each("stacks", THREAD),
            each("pixels of one source in the window", pixels * (bands * needs.working_bytes as u64 + 3)),
            each("the composite's state", pixels * (bands * needs.state_bytes as u64)),
            each("the window's pixels", pixels * (bands * needs.output_bytes as u64 + 1)),
            each("a block being encoded", (block_bytes + (needs.max_encoded)(block_bytes)) as u64),
            each("encoder tables", needs.encoder_bytes as u64),
            each("the window's encoded blocks", self.encoded(window)),
            each("open sources", (self.open_sources * needs.handle_bytes + needs.reader_bytes) as u64),
            each("source blocks being decoded", needs.source_block_bytes as u64),
            line("encoded blocks that wait for their turn", waiting_rows + waiting_windows),
            line("GDAL's block cache", self.cache),
            line("index of the blocks written", blocks * planes * RECORD),
        ];
        let levels = needs.levels;
        if !levels.overviews.is_empty() {
            // A part can finish four tiles at once.
            let tiles = 4 * levels.tile_bytes();
            let encoding = block_bytes + (needs.max_encoded)(block_bytes) + needs.encoder_bytes;
            let unfinished = levels.unfinished_bytes(self.cut.chunk, self.windows_ahead());
            lines.push(line("tiles of overviews in the making", unfinished));
            lines.push(each("finished tiles of overviews being encoded", tiles + encoding as u64));
            // Once where they are kept, once in the file.
            lines.push(line("index of the overviews' blocks", 2 * levels.blocks() * planes * RECORD));
        }
        lines
    }

    /// Gives what is left to the cache, then to open sources.
    fn spend(mut self, room: u64, wanted_cache: u64, limit: u64) -> Plan {
        let more_cache = wanted_cache.saturating_sub(self.cache).min(room / 4 * 3);
        self.cache += more_cache;
        let handle = (self.workers * self.needs.handle_bytes).max(1) as u64;
        let more_open = ((room - more_cache) / 2 / handle).min(MOST_OPEN_SOURCES as u64 - 1);
        self.open_sources += more_open as usize;
        Plan {
            window: self.window(),
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

fn total(lines: &[Line]) -> u64 {
    lines.iter().map(|line| line.bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::super::Overviews;
    use super::*;
    use proptest::prelude::*;

    fn needs<'a>(
        size: Size,
        bands: usize,
        workers: usize,
        max_encoded: &'a dyn Fn(usize) -> usize,
        row_of_blocks: &'a dyn Fn(usize) -> u64,
        levels: &'a Levels,
    ) -> Needs<'a> {
        Needs {
            size,
            block: 512,
            bands,
            bands_apart: bands > 16,
            working_bytes: 2,
            state_bytes: 3,
            output_bytes: 2,
            mask: false,
            max_encoded,
            encoder_bytes: 200_000,
            handle_bytes: 5 << 20,
            reader_bytes: 0,
            source_block_bytes: 2 << 20,
            row_of_blocks,
            levels,
            bands_together: false,
            runtime: 60 << 20,
            chunk: None,
            workers,
        }
    }

    fn levels(size: Size, bands: usize, round_up: bool) -> Levels {
        let overviews = Overviews::Auto.sizes(size, 512, round_up);
        Levels { size, overviews, block: 512, pixel_bytes: 2 * bands }
    }

    proptest! {
        #[test]
        fn a_plan_never_exceeds_its_budget_and_the_least_that_is_said_is_enough(
            columns in 1usize..200_000, rows in 1usize..200_000, bands in 1usize..200,
            workers in 1usize..65, round_up in any::<bool>(), limit in (64u64 << 20)..(8u64 << 30),
        ) {
            let encoded = |raw: usize| raw + raw / 2 + 64;
            let row = |rows: usize| (columns * rows * 2) as u64;
            let levels = levels(Size::new(columns, rows), bands, round_up);
            let needs = needs(levels.size, bands, workers, &encoded, &row, &levels);
            match plan(&needs, limit) {
                Ok(plan) => {
                    prop_assert!(plan.total() <= limit);
                    prop_assert!(plan.workers >= 1 && plan.workers <= workers);
                    prop_assert!(plan.bands_at_once >= 1 && plan.bands_at_once <= bands);
                    prop_assert!(plan.windows_ahead >= plan.workers);
                }
                Err(TooSmall { least }) => {
                    prop_assert!(least > limit);
                    prop_assert!(plan(&needs, least).is_ok());
                }
            }
        }

        #[test]
        fn more_memory_never_means_fewer_workers(
            columns in 1usize..50_000, rows in 1usize..50_000, bands in 1usize..40, limit in (128u64 << 20)..(4u64 << 30),
        ) {
            let encoded = |raw: usize| raw + raw / 2 + 64;
            let row = |rows: usize| (columns * rows * 2) as u64;
            let levels = levels(Size::new(columns, rows), bands, true);
            let needs = needs(levels.size, bands, 8, &encoded, &row, &levels);
            if let (Ok(little), Ok(much)) = (plan(&needs, limit), plan(&needs, limit * 2)) {
                prop_assert!(much.workers >= little.workers);
            }
        }
    }
}
