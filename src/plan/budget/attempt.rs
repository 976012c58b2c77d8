//! What one way to cut the work costs, line by line.

use super::{Cut, LEAST_CACHE, Line, Needs, Plan, ThroughGdal};
use crate::geometry::Size;

/// What a thread's stack and its part of the C heap come to.
const THREAD: u64 = 2 << 20;
/// Open sources beyond which a worker gains nothing.
const MOST_OPEN_SOURCES: usize = 64;

/// Bytes that are kept of a block that was written.
const RECORD: u64 = 64;

/// A way to cut the work that may fit.
pub(super) struct Attempt<'a> {
    needs: &'a Needs<'a>,
    cut: Cut,
    workers: usize,
    cache: u64,
    decoded: u64,
    open_sources: usize,
}

impl<'a> Attempt<'a> {
    /// With caches and open sources as small as they may be.
    pub fn least(needs: &'a Needs<'a>, cut: Cut, workers: usize) -> Attempt<'a> {
        Attempt { needs, cut, workers, cache: LEAST_CACHE, decoded: 0, open_sources: 1 }
    }

    /// Bytes of decoded blocks, and of GDAL's cache beyond the least, that hold what a row of windows touches.
    pub fn wanted_caches(&self) -> (u64, u64) {
        let rows = self.cut.window.rows;
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

    /// One worker's handles, and what GDAL takes beside them.
    fn open(&self) -> u64 {
        let of = |gdal: &ThroughGdal| self.open_sources * gdal.handle_bytes + gdal.reader_bytes;
        self.needs.through_gdal.as_ref().map_or(0, of) as u64
    }

    /// The source blocks that one worker decodes, before they are in a cache.
    fn decoding(&self) -> u64 {
        let own = self.needs.through_gdal.as_ref().map_or(0, |gdal| gdal.block_bytes);
        let direct = self.needs.direct.as_ref().map_or(0, |direct| direct.block_bytes + direct.encoded_bytes);
        (own + direct) as u64
    }

    fn window(&self) -> Size {
        self.cut.window
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
        2 * self.workers
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
        let pixels = self.window_pixels().pixels() as u64;
        let bands = self.cut.bands_at_once as u64;
        let block_bytes = needs.block * needs.block * needs.block_samples() * needs.output_bytes;
        let line = |what: &str, bytes: u64| Line { what: what.into(), bytes };
        let each = |what: &str, bytes: u64| Line {
            what: format!("{what}, {} workers", self.workers),
            bytes: self.workers as u64 * bytes,
        };
        let mut lines = vec![
            line("the process itself, GDAL and what is known of the sources", needs.runtime),
            each("stacks", THREAD),
            each("pixels of one source", self.layer_pixels() * (bands * needs.working_bytes as u64 + 3)),
            each("the composite's state", pixels * (bands * needs.state_bytes as u64)),
            each("the window's pixels", pixels * (bands * needs.output_bytes as u64 + 1)),
            each(
                "blocks being encoded",
                (self.batch() * (block_bytes + (needs.max_encoded)(block_bytes))) as u64,
            ),
            each("encoder tables", needs.encoder_bytes as u64),
            each("the window's encoded blocks", self.encoded(self.window_pixels())),
            each("open sources", self.open()),
            each("source blocks being decoded", self.decoding()),
            line("decoded blocks of the sources", self.decoded),
            line("encoded blocks that wait for their turn", self.waiting()),
            line("GDAL's block cache", self.cache),
            line("index of the blocks written", self.index()),
        ];
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

    /// Gives what is left to the caches, in the proportion in which they are wanted, then to open sources.
    pub fn spend(mut self, room: u64, wanted: (u64, u64), limit: u64) -> Plan {
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
