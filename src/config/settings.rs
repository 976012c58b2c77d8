//! The settings of a job, with their meaning; what library users fill in and the command line resolves.

mod problems;

use super::{
    CreationOptions, Format, Machine, MemoryCeiling, MemorySize, Method, OnError, Problem, SceneSettings,
    Stage, Verify,
};
use crate::codec::Compression;
use crate::geometry::{Bounds, ResolutionRule};
use crate::pixels::{self, Number, OverviewResampling, PixelType, Resampling};
use crate::plan::Overviews;
use crate::source::{Patience, ReaderChoice, Trust, usual_retries};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// The settings of a job. `Settings::default()` is what the command line starts from, with nothing named to read
/// or write.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The inputs as typed: files, folders, globs, `@list.txt`, `-`, names that GDAL opens.
    pub inputs: Vec<String>,
    /// The GeoTIFF to write.
    pub output: PathBuf,
    /// What kind of GeoTIFF it is.
    pub format: Format,
    /// Its overviews; by format when `None`.
    pub overviews: Option<Overviews>,
    /// How they are made; by the bands when `None`.
    pub overview_resampling: Option<OverviewResampling>,
    /// Whether an existing output is replaced.
    pub overwrite: bool,
    /// Side of a window in pixels, a multiple of `block`; planned when `None`.
    pub chunk: Option<usize>,
    /// Side of the output's blocks in pixels, a multiple of 16.
    pub block: usize,
    /// How overlaps are decided.
    pub method: Method,
    /// Formulas over bands, each `name=formula`, that become the
    /// output's bands; none when empty.
    pub expressions: Vec<String>,
    /// Whether formulas are computed before or after overlaps are decided.
    pub expression_stage: Stage,
    /// What pixels are multiplied by before they take the output's type.
    pub scale_factor: Option<f64>,
    /// Whether it is also stored how many sources have data in each pixel.
    pub count_band: bool,
    /// Whether it is also stored which source each pixel comes from.
    pub provenance: bool,
    /// Whether the day of the source that each pixel comes from is also stored.
    pub date_band: bool,
    /// Scenes and masks.
    pub scenes: SceneSettings,
    /// The target CRS as EPSG:n, WKT or PROJ; the sources' own when `None`.
    pub crs: Option<String>,
    /// How the pixel size is decided.
    pub resolution: ResolutionRule,
    /// Bounds in the target CRS; all sources when `None`.
    pub bounds: Option<Bounds>,
    /// Whether edges are moved outwards to multiples of the resolution.
    pub align: bool,
    /// How pixels are made of sources on another grid.
    pub resampling: Resampling,
    /// Bands by number (from 1) or description, in output order; all when empty.
    pub bands: Vec<String>,
    /// The output's pixel type; by method and sources when `None`.
    pub dtype: Option<PixelType>,
    /// Nodata of every source instead of its own.
    pub src_nodata: Option<Number>,
    /// Nodata of the output.
    pub nodata: Option<Number>,
    /// How blocks are compressed.
    pub compression: Compression,
    /// TIFF's predictor (1, 2, 3); by type when `None`: see [`Settings::predictor_for`].
    pub predictor: Option<u8>,
    /// Other creation options, keys in upper case: see [`CreationOptions`].
    pub creation_options: Vec<(String, String)>,
    /// Bytes of memory that the process stays within.
    pub memory: u64,
    /// What it may hold before the job is ended in order.
    pub memory_ceiling: MemoryCeiling,
    /// Workers at most.
    pub threads: usize,
    /// How many child processes read and decide, a worker each instead of `threads`; none when `None`.
    pub isolate: Option<usize>,
    /// Seconds after which a child that does not answer is replaced; none when 0.
    pub window_timeout: u64,
    /// What an input with a problem does.
    pub on_error: OnError,
    /// How sources are read.
    pub reader: ReaderChoice,
    /// Whether STAC documents and virtual rasters may refer to the network and to names of GDAL's.
    pub allow_remote: bool,
    /// Folders whose files they may refer to, beside their own.
    pub allow_roots: Vec<PathBuf>,
    /// How often servers that fail are asked again for what they did not give.
    pub retries: u32,
    /// How the written file is checked.
    pub verify: Verify,
    /// Whether an unfinished output of an earlier run of the same job is gone on with.
    pub resume: bool,
    /// Seconds between two times at which finished windows are made to outlive the process.
    pub checkpoint: u64,
    /// Where a JSON report goes.
    pub report: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings::for_machine(&Machine::look())
    }
}

impl Settings {
    /// The defaults on a machine.
    pub fn for_machine(machine: &Machine) -> Settings {
        Settings {
            inputs: Vec::new(),
            output: PathBuf::new(),
            format: Format::Gtiff,
            overviews: None,
            overview_resampling: None,
            overwrite: false,
            chunk: None,
            block: 512,
            method: pixels::Method::Last.into(),
            expressions: Vec::new(),
            expression_stage: Stage::After,
            scale_factor: None,
            count_band: false,
            provenance: false,
            date_band: false,
            scenes: SceneSettings::default(),
            crs: None,
            resolution: ResolutionRule::Same,
            bounds: None,
            align: false,
            resampling: Resampling::Nearest,
            bands: Vec::new(),
            dtype: None,
            src_nodata: None,
            nodata: None,
            compression: Compression::Lzw,
            predictor: None,
            creation_options: Vec::new(),
            memory: machine.default_memory(),
            memory_ceiling: MemoryCeiling::Auto,
            threads: machine.cpus.max(1),
            isolate: None,
            window_timeout: 0,
            on_error: OnError::Fail,
            reader: ReaderChoice::Auto,
            allow_remote: false,
            allow_roots: Vec::new(),
            retries: usual_retries(),
            verify: Verify::Quick,
            resume: false,
            checkpoint: 5,
            report: None,
        }
    }

    /// The predictor for pixels of a type: 1 without compression; else as asked, or 3 for floats and 2 for whole
    /// types.
    pub fn predictor_for(&self, pixel_type: PixelType) -> u8 {
        let by_type = if pixel_type.is_float() { 3 } else { 2 };
        match self.compression {
            Compression::None => 1,
            _ => self.predictor.unwrap_or(by_type),
        }
    }

    /// Workers at most.
    pub fn workers(&self) -> usize {
        self.isolate.unwrap_or(self.threads)
    }

    /// Whether a source that child processes die of is left out of the rest of the job.
    pub fn leaves_out(&self) -> bool {
        self.isolate.is_some() && self.on_error == OnError::Skip
    }

    /// What inputs may refer to, for a job that `stop` ends early.
    pub fn trust<'a>(&'a self, stop: &'a AtomicBool) -> Trust<'a> {
        let patience = self.patience(stop);
        Trust { remote: self.allow_remote, roots: &self.allow_roots, patience, inspector: None }
    }

    /// How much is borne with servers, until `stop` is set.
    pub fn patience<'a>(&self, stop: &'a AtomicBool) -> Patience<'a> {
        Patience { retries: self.retries, stop }
    }

    /// The creation options with their meaning.
    ///
    /// # Errors
    /// Everything that cannot be honoured, all at once.
    pub fn creation_options(&self) -> Result<CreationOptions, Vec<Problem>> {
        CreationOptions::parse(&self.creation_options)
    }

    /// A notice when more memory is promised to the job than the machine has.
    pub fn memory_notice(&self, machine: &Machine) -> Option<String> {
        let (asked, total) = (MemorySize::describe(self.memory), MemorySize::describe(machine.total_memory));
        (self.memory > machine.total_memory)
            .then(|| format!("memory is {asked}, but the machine has {total}"))
    }
}
