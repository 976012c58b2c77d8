//! What one way to cut the work takes of the budget, line by line.

mod spend;

use super::{Cut, Direct, LEAST_CACHE, Line, Needs, ThroughGdal};
use crate::geometry::Size;

/// What a thread's stack and its part of the C heap come to.
const THREAD: u64 = 2 << 20;
/// Side of the areas that are decided at once, where blocks are not larger: they fit into a processor's own cache.
const USUAL_AREA: usize = 512;
/// Rows of a block that are decided at once where that may be less than a block.
const STRIP_ROWS: usize = 128;
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
        if self.margin_bytes() > 0 {
            lines.push(each("masks around what is decided, as far as they reach", self.margin_bytes()));
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

    /// One scene's mask around what is decided at once.
    fn margin_bytes(&self) -> u64 {
        (self.needs.margin_bytes)(self.decided_pixels()) as u64
    }

    /// Bands and masks of many scenes have blocks of several sizes: between them the C heap loses some.
    fn lost(&self) -> u64 {
        let stacks = self.workers as u64 * (self.decided_pixels().pixels() * self.stack_bytes) as u64;
        if self.stack_bytes > 0 { stacks / 6 + self.decoded / 7 } else { 0 }
    }

    /// With what one worker reads and decides, its share of the caches included.
    fn to_decide(&self) -> u64 {
        let scenes = self.scenes_bytes() + self.margin_bytes();
        let own = self.layer_bytes() + self.state_bytes() + scenes + self.answer_bytes();
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
}
