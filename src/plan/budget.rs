//! The budget: every byte that can be alive has a line, and the plan is the fastest whose lines fit.

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
    /// What is read through GDAL; nothing where all sources are read directly.
    pub through_gdal: Option<ThroughGdal<'a>>,
    /// What is read directly; nothing where no source is.
    pub direct: Option<Direct<'a>>,
    /// Bytes that one thread needs to verify.
    pub verifier_bytes: u64,
    /// Bytes that the process holds already, and will go on holding: code, GDAL, what is known of the sources.
    pub runtime: u64,
    /// The window's side that was asked for.
    pub chunk: Option<usize>,
    /// The most workers that are of use.
    pub workers: usize,
}

/// What reading sources through GDAL takes: every worker has its own handles.
pub struct ThroughGdal<'a> {
    /// Bytes of the largest open source, GDAL's block cache apart.
    pub handle_bytes: usize,
    /// Bytes that GDAL's warper or resampler may take while it reads.
    pub reader_bytes: usize,
    /// Bytes of the largest block that reading one pixel decodes.
    pub block_bytes: usize,
    /// Bytes of decoded blocks that one row of windows, so many pixels high, touches.
    pub row_of_blocks: &'a dyn Fn(usize) -> u64,
}

/// What reading sources directly takes: all workers share the decoded blocks.
pub struct Direct<'a> {
    /// Bytes of the largest decoded block.
    pub block_bytes: usize,
    /// Bytes of the largest encoded block.
    pub encoded_bytes: usize,
    /// Pixels of the largest block.
    pub block_pixels: usize,
    /// Bytes of decoded blocks that one row of windows, so many pixels high, touches.
    pub row_of_blocks: &'a dyn Fn(usize) -> u64,
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
    /// Bytes for decoded blocks of sources that are read directly.
    pub decoded_bytes: u64,
    /// How many threads verify.
    pub verifiers: usize,
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
                let attempt = Attempt::least(needs, cut, workers);
                let wanted = attempt.wanted_caches();
                let fixed = total(&attempt.lines());
                let room = limit.saturating_sub(fixed);
                let enough = !full_cache || room / 4 * 3 >= wanted.0 + wanted.1;
                if fixed <= limit && enough && limit >= least_to_verify(needs) {
                    return Ok(attempt.spend(room, wanted, limit));
                }
            }
        }
    }
    let smallest = cuts.last().copied().expect("there is always a cut");
    let least = total(&Attempt::least(needs, smallest, 1).lines());
    Err(TooSmall { least: least.max(least_to_verify(needs)) })
}

/// Verification begins when the work is done and its memory free again.
fn least_to_verify(needs: &Needs) -> u64 {
    needs.runtime + needs.verifier_bytes
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

struct Attempt<'a> {
    needs: &'a Needs<'a>,
    cut: Cut,
    workers: usize,
    cache: u64,
    decoded: u64,
    open_sources: usize,
}

impl<'a> Attempt<'a> {
    fn least(needs: &'a Needs<'a>, cut: Cut, workers: usize) -> Attempt<'a> {
        Attempt { needs, cut, workers, cache: LEAST_CACHE, decoded: 0, open_sources: 1 }
    }

    /// Bytes of decoded blocks, and of GDAL's cache beyond the least, that hold what a row of windows touches.
    fn wanted_caches(&self) -> (u64, u64) {
        let rows = self.cut.chunk;
        let decoded = self.needs.direct.as_ref().map_or(0, |direct| (direct.row_of_blocks)(rows));
        let own = self.needs.through_gdal.as_ref().map_or(0, |gdal| (gdal.row_of_blocks)(rows));
        (decoded, (own * self.workers as u64).saturating_sub(self.cache))
    }

    /// Pixels of a source that are read at once.
    fn layer_pixels(&self) -> u64 {
        let window = self.window_pixels().pixels();
        match (&self.needs.through_gdal, &self.needs.direct) {
            (None, Some(direct)) => window.min(direct.block_pixels) as u64,
            _ => window as u64,
        }
    }

    /// Bytes of what reads the sources: for one worker.
    fn reading(&self) -> (u64, u64) {
        let gdal = self.needs.through_gdal.as_ref();
        let open = gdal.map_or(0, |gdal| self.open_sources * gdal.handle_bytes + gdal.reader_bytes);
        let direct = self.needs.direct.as_ref().map_or(0, |direct| direct.block_bytes + direct.encoded_bytes);
        (open as u64, (gdal.map_or(0, |gdal| gdal.block_bytes) + direct) as u64)
    }

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
        vec![
            line("the process itself, GDAL and what is known of the sources", needs.runtime),
            each("stacks", THREAD),
            each("pixels of one source", self.layer_pixels() * (bands * needs.working_bytes as u64 + 3)),
            each("the composite's state", pixels * (bands * needs.state_bytes as u64)),
            each("the window's pixels", pixels * (bands * needs.output_bytes as u64 + 1)),
            each("a block being encoded", (block_bytes + (needs.max_encoded)(block_bytes)) as u64),
            each("encoder tables", needs.encoder_bytes as u64),
            each("the window's encoded blocks", self.encoded(window)),
            each("open sources", self.reading().0),
            each("source blocks being decoded", self.reading().1),
            line("decoded blocks of the sources", self.decoded),
            line("encoded blocks that wait for their turn", waiting_rows + waiting_windows),
            line("GDAL's block cache", self.cache),
            line("index of the blocks written", blocks * planes * RECORD),
        ]
    }

    /// Gives what is left to the caches, in the proportion in which they are wanted, then to open sources.
    fn spend(mut self, room: u64, wanted: (u64, u64), limit: u64) -> Plan {
        let for_caches = (wanted.0 + wanted.1).min(room / 4 * 3);
        let share = |part: u64| {
            (u128::from(for_caches) * u128::from(part) / u128::from((wanted.0 + wanted.1).max(1))) as u64
        };
        self.decoded = share(wanted.0);
        self.cache += share(wanted.1);
        if let Some(gdal) = &self.needs.through_gdal {
            let handle = (self.workers * gdal.handle_bytes).max(1) as u64;
            let more_open = ((room - for_caches) / 2 / handle).min(MOST_OPEN_SOURCES as u64 - 1);
            self.open_sources += more_open as usize;
        }
        let to_verify = (limit - self.needs.runtime) / self.needs.verifier_bytes.max(1);
        Plan {
            decoded_bytes: self.decoded,
            verifiers: to_verify.clamp(1, self.workers as u64) as usize,
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
    use super::*;
    use proptest::prelude::*;

    fn needs<'a>(
        size: Size,
        bands: usize,
        workers: usize,
        max_encoded: &'a dyn Fn(usize) -> usize,
        row_of_blocks: &'a dyn Fn(usize) -> u64,
    ) -> Needs<'a> {
        let gdal =
            ThroughGdal { handle_bytes: 5 << 20, reader_bytes: 0, block_bytes: 2 << 20, row_of_blocks };
        let direct =
            Direct { block_bytes: 2 << 20, encoded_bytes: 1 << 20, block_pixels: 512 * 512, row_of_blocks };
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
            through_gdal: (!bands.is_multiple_of(3)).then_some(gdal),
            direct: (bands % 3 != 1).then_some(direct),
            verifier_bytes: 7 << 20,
            runtime: 60 << 20,
            chunk: None,
            workers,
        }
    }

    proptest! {
        #[test]
        fn a_plan_never_exceeds_its_budget_and_the_least_that_is_said_is_enough(
            columns in 1usize..200_000, rows in 1usize..200_000, bands in 1usize..200,
            workers in 1usize..65, limit in (64u64 << 20)..(8u64 << 30),
        ) {
            let encoded = |raw: usize| raw + raw / 2 + 64;
            let row = |rows: usize| (columns * rows * 2) as u64;
            let needs = needs(Size::new(columns, rows), bands, workers, &encoded, &row);
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
            let needs = needs(Size::new(columns, rows), bands, 8, &encoded, &row);
            if let (Ok(little), Ok(much)) = (plan(&needs, limit), plan(&needs, limit * 2)) {
                prop_assert!(much.workers >= little.workers);
            }
        }
    }
}
