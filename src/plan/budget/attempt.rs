//! What one way to cut the work costs, line by line.

use super::{Cut, Direct, LEAST_CACHE, Line, Needs, Plan, ThroughGdal};
use crate::geometry::Size;

/// What a thread's stack and its part of the C heap come to.
const THREAD: u64 = 2 << 20;
/// Side of the areas that are decided at once, where blocks are not larger: they fit into a processor's own cache.
const USUAL_AREA: usize = 512;
/// Bytes of values that a verifier holds at least, counted among what it needs, and where memory is plenty.
const LEAST_TO_DECIDE: u64 = 8 << 20;
const MOST_TO_DECIDE: u64 = 256 << 20;
/// Rows of a block that are decided at once where that may be less than a block.
const STRIP_ROWS: usize = 128;
/// Open sources beyond which a worker gains nothing.
const MOST_OPEN_SOURCES: usize = 64;

/// Bytes that are kept of a block that was written.
const RECORD: u64 = 64;

/// A way to cut the work that may fit.
pub(super) struct Attempt<'a> {
    needs: &'a Needs<'a>,
    cut: Cut,
    workers: usize,
    /// Bytes of a pixel of all scenes that are decided together.
    stack_bytes: usize,
    cache: u64,
    decoded: u64,
    decode_at_once: usize,
    open_sources: usize,
}

impl<'a> Attempt<'a> {
    /// With caches and open sources as small as they may be.
    pub fn least(needs: &'a Needs<'a>, cut: Cut, workers: usize) -> Attempt<'a> {
        let (decoded, decode_at_once, open_sources) = (0, 1, 1);
        let cache = LEAST_CACHE * needs.processes(workers);
        let mut attempt =
            Attempt { needs, cut, workers, stack_bytes: 0, cache, decoded, decode_at_once, open_sources };
        attempt.stack_bytes = (needs.stack_bytes)(attempt.area());
        attempt
    }

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

    /// Pixels of a source that are read at once.
    fn layer_pixels(&self) -> u64 {
        let window = self.decided_pixels().pixels();
        match (&self.needs.through_gdal, &self.needs.direct) {
            (None, Some(direct)) => window.min(direct.block_pixels) as u64,
            _ => window as u64,
        }
    }

    /// One worker's handles, and what GDAL takes beside them.
    fn open(&self) -> u64 {
        let of = |gdal: &ThroughGdal| self.open_sources * gdal.handle_bytes + gdal.reader_bytes;
        self.needs.through_gdal.as_ref().map_or(0, of) as u64
    }

    /// The source blocks that one worker decodes, before they are in a cache.
    fn decoding(&self) -> u64 {
        let own = self.needs.through_gdal.as_ref().map_or(0, |gdal| gdal.block_bytes);
        let direct = self.needs.direct.as_ref().map_or(0, |direct| direct.block_bytes + direct.encoded_bytes);
        (own + direct * self.decode_at_once) as u64
    }

    /// What is decided at once: a block, or several small ones. Overviews are made of whole windows.
    fn area(&self) -> Size {
        let side = USUAL_AREA.next_multiple_of(self.needs.block);
        match self.needs.levels.overviews.is_empty() {
            true => Size::new(side.min(self.cut.window.columns), side.min(self.cut.window.rows)),
            false => self.cut.window,
        }
    }

    /// How many rows are decided at once. What GDAL reads in one piece is read whole; a mask, overviews and bands that are made
    /// together want all pixels of a block; else the strip is small enough for a processor's own cache.
    fn strip_rows(&self) -> usize {
        let needs = self.needs;
        let read_whole = needs.through_gdal.as_ref().is_some_and(|gdal| gdal.unit > STRIP_ROWS);
        let whole_blocks = read_whole || needs.mask || !needs.levels.overviews.is_empty();
        let block = needs.block;
        let strips = self.cut.strips
            && !whole_blocks
            && self.cut.bands_at_once == needs.block_samples()
            && block > STRIP_ROWS;
        if strips { STRIP_ROWS } else { self.area().rows }
    }

    /// What is decided at once, as large as it ever is.
    fn decided_pixels(&self) -> Size {
        let (area, whole) = (self.area(), self.needs.size);
        let columns = if self.strip_rows() < area.rows { self.needs.block } else { area.columns };
        Size::new(columns.min(whole.columns), self.strip_rows().min(whole.rows))
    }

    /// What GDAL takes to read a block that could not be decoded: one handle for all workers of a process, and what
    /// its cache does not hold of the block. The worker that asks has let go of what it would decode into.
    fn judged(&self) -> u64 {
        let of = |direct: &Direct| {
            let handle = direct.judge_bytes as u64;
            let beyond_cache = (direct.block_bytes as u64).saturating_sub(LEAST_CACHE);
            (handle + beyond_cache).saturating_sub((direct.block_bytes + direct.encoded_bytes) as u64)
        };
        let judged = self.needs.direct.as_ref().filter(|direct| direct.judge_bytes > 0).map_or(0, of);
        judged * self.needs.processes(self.workers)
    }

    /// A window as large as any is.
    fn window_pixels(&self) -> Size {
        let (columns, rows) = (self.needs.size.columns, self.needs.size.rows);
        Size::new(self.cut.window.columns.min(columns), self.cut.window.rows.min(rows))
    }

    /// Blocks that are encoded at a time: no more than a window has.
    fn batch(&self) -> usize {
        let blocks = self.window_pixels().tiles(Size::square(self.needs.block)).pixels();
        self.needs.batch.clamp(1, blocks * self.cut.bands_at_once.div_ceil(self.needs.block_samples()))
    }

    fn windows_ahead(&self) -> usize {
        self.workers + self.workers.div_ceil(2)
    }

    /// The most bytes that the blocks of an area are encoded to. Blocks at the edge are stored whole.
    fn encoded(&self, area: Size) -> u64 {
        let blocks = area.tiles(Size::square(self.needs.block)).pixels() as u64;
        let block_pixels = self.needs.block * self.needs.block;
        let samples = self.needs.block_samples();
        let planes = self.needs.bands / samples;
        let image = (self.needs.max_encoded)(block_pixels * samples * self.needs.output_bytes) * planes;
        let mask = if self.needs.mask { (self.needs.max_encoded)(block_pixels / 8) } else { 0 };
        blocks * (image + mask) as u64
    }

    /// Every byte that can be alive.
    pub fn lines(&self) -> Vec<Line> {
        let needs = self.needs;
        let block_bytes = needs.block * needs.block * needs.block_samples() * needs.output_bytes;
        let line = |what: &str, bytes: u64| Line { what: what.into(), bytes };
        let each = |what: &str, bytes: u64| Line {
            what: format!("{what}, {} workers", self.workers),
            bytes: self.workers as u64 * bytes,
        };
        let mut lines = vec![
            line("the process itself, GDAL and what is known of the sources", needs.runtime),
            each("stacks", THREAD),
            each("pixels of one source", self.layer_bytes()),
            each("the composite's state", self.state_bytes()),
            each("all scenes' pixels, and bands derived of others", self.scenes_bytes()),
            each("the pixels decided", self.decided_bytes()),
            // What they are encoded to is the window's at once.
            each("blocks being encoded", (self.batch() * block_bytes) as u64),
            each("encoder tables", needs.encoder_bytes as u64),
            each("the window's encoded blocks", self.encoded(self.window_pixels())),
            each("open sources", self.open()),
            each("source blocks being decoded", self.decoding()),
            line("decoded blocks of the sources", self.decoded),
            line("a damaged block that GDAL reads", self.judged()),
            line("encoded blocks that wait for their turn", self.waiting()),
            line("GDAL's block cache", self.cache),
            line("index of the blocks written", self.index()),
        ];
        if let Some(child) = needs.child {
            lines.push(each("child processes: GDAL and what is known of the sources", child));
            lines.push(each("pixels decided, and a block, in the child processes", self.answer_bytes()));
        }
        if self.stack_bytes > 0 {
            lines.push(line("what the heap loses between blocks of many scenes", self.lost()));
        }
        let levels = needs.levels;
        if !levels.overviews.is_empty() {
            // A part can finish four tiles at once.
            let tiles = 4 * levels.tile_bytes();
            let encoding =
                self.batch() * (block_bytes + (needs.max_encoded)(block_bytes)) + needs.encoder_bytes;
            let unfinished = levels.unfinished_bytes(self.cut.window.columns, self.windows_ahead());
            lines.push(line("tiles of overviews in the making", unfinished));
            lines.push(each("finished tiles of overviews being encoded", tiles + encoding as u64));
            if needs.moving_bytes > 0 {
                lines.push(each("blocks on their way behind the overviews", needs.moving_bytes as u64));
            }
            // Once where they are kept, once in the file.
            lines.push(line("index of the overviews' blocks", 2 * levels.blocks() * self.planes() * RECORD));
        }
        lines
    }

    /// Pixels of some bands of one source.
    fn layer_bytes(&self) -> u64 {
        self.layer_pixels() * (self.cut.bands_at_once as u64 * self.needs.working_bytes as u64 + 3)
    }

    /// Pixels of some bands of what is decided at once, of so many bytes each.
    fn of_bands(&self, bytes: usize) -> u64 {
        (self.decided_pixels().pixels() * self.cut.bands_at_once * bytes) as u64
    }

    fn state_bytes(&self) -> u64 {
        self.of_bands(self.needs.state_bytes)
    }

    /// Pixels decided, and where any has data.
    fn decided_bytes(&self) -> u64 {
        self.of_bands(self.needs.output_bytes) + self.decided_pixels().pixels() as u64
    }

    /// What a child process answers: pixels decided, or else a block.
    fn answer_bytes(&self) -> u64 {
        let needs = self.needs;
        self.decided_bytes() + (needs.block * needs.block * needs.block_samples() * needs.output_bytes) as u64
    }

    /// All scenes' pixels, and bands derived of others.
    fn scenes_bytes(&self) -> u64 {
        (self.decided_pixels().pixels() * self.stack_bytes + self.needs.stack_work_bytes) as u64
    }

    /// Bands and masks of many scenes have blocks of several sizes: between them the C heap loses some.
    fn lost(&self) -> u64 {
        let stacks = self.workers as u64 * (self.decided_pixels().pixels() * self.stack_bytes) as u64;
        if self.stack_bytes > 0 { stacks / 6 + self.decoded / 7 } else { 0 }
    }

    /// With what one worker reads and decides, its share of the caches included.
    fn to_decide(&self) -> u64 {
        let own = self.layer_bytes() + self.state_bytes() + self.scenes_bytes() + self.answer_bytes();
        let shared = self.decoded + self.lost() + self.judged() + self.cache;
        own + self.open() + self.decoding() + shared / self.workers as u64
    }

    /// Blocks at one place of the raster: of all bands, or one a band, and the mask's.
    fn planes(&self) -> u64 {
        (self.needs.bands / self.needs.block_samples() + usize::from(self.needs.mask)) as u64
    }

    /// Encoded blocks that are made and cannot be stored yet: the lower rows of blocks of a row of windows, and the
    /// windows that are ahead.
    fn waiting(&self) -> u64 {
        let window = self.window_pixels();
        let block_rows = self.cut.window.rows.div_ceil(self.needs.block) as u64;
        let row = Size::new(self.needs.size.columns, window.rows);
        let rows = self.encoded(row) / block_rows * (block_rows - 1);
        rows + (self.windows_ahead() - self.workers) as u64 * self.encoded(window)
    }

    /// What is kept of each block written until the index is.
    fn index(&self) -> u64 {
        let blocks = self.needs.size.tiles(Size::square(self.needs.block)).pixels() as u64;
        blocks * self.planes() * RECORD
    }

    /// What GDAL needs for damaged blocks alone, and decoded blocks may have until there is one.
    fn lent(&self) -> u64 {
        let least_caches = LEAST_CACHE * self.needs.processes(self.workers);
        self.judged() + if self.needs.through_gdal.is_none() { least_caches } else { 0 }
    }

    /// What is left of the budget for caches.
    fn for_caches(&self, limit: u64) -> u64 {
        let mut room = limit.saturating_sub(super::total(&self.lines()));
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
        let for_sources = (limit.saturating_sub(super::total(&self.lines())) - for_caches) / 2;
        self.decoded = share(wanted.0);
        self.cache += share(wanted.1);
        if let Some(gdal) = &self.needs.through_gdal {
            let handle = (self.workers * gdal.handle_bytes).max(1) as u64;
            self.open_sources += (for_sources / handle).min(MOST_OPEN_SOURCES as u64 - 1) as usize;
        }
        let verifier = self.needs.child.unwrap_or(0) + self.needs.verifier_bytes;
        let to_verify = (limit - self.needs.runtime) / verifier.max(1);
        let verifiers = to_verify.clamp(1, self.workers as u64);
        let left = (limit - self.needs.runtime).saturating_sub(verifiers * verifier) / verifiers;
        let lent = self.lent().min(wanted.0 - self.decoded);
        if let Some(direct) = &self.needs.direct {
            let another = self.workers * (direct.block_bytes + direct.encoded_bytes);
            // Blocks decoded ahead must stay until they are read.
            let stay = self.decoded + lent >= wanted.0.min(self.in_work());
            if stay && super::total(&self.lines()) + another as u64 <= limit {
                self.decode_at_once = direct.at_once;
            }
        }
        Plan {
            decode_at_once: self.decode_at_once,
            decoded_bytes: self.decoded + lent,
            lent_bytes: lent,
            verifiers: verifiers as usize,
            bytes_to_decide: (left / 4).clamp(LEAST_TO_DECIDE, MOST_TO_DECIDE) as usize,
            verifier_bytes: self.needs.verifier_bytes,
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
