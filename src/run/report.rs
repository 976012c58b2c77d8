//! The report of a job, as JSON whose schema has a version: what was used, how, at what cost, and with what result.
//!
//! The fields are described in the README; a change that a reader must know of raises [`SCHEMA`].

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::memory::Sample;
use super::verify::Findings;
use crate::output::Lacking;
use crate::plan::Line;
use crate::source::{Mosaic, Problem, StackedScene};

/// The version of the report's fields.
pub const SCHEMA: u32 = 1;

/// Everything a job has to tell.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The program's version.
    pub version: &'static str,
    /// The version of GDAL that was linked.
    pub gdal: String,
    /// The command as it was typed, or empty for library users.
    pub command: Vec<String>,
    /// The file that was written.
    pub output: String,
    /// What was read and what was left out.
    pub inputs: Inputs,
    /// The scenes that pixels were decided from, in the order of their numbers; none where sources were laid on each
    /// other one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scenes: Vec<SceneReport>,
    /// The mosaic's grid.
    pub grid: GridReport,
    /// How the work was cut.
    pub plan: PlanReport,
    /// What it was allowed to cost, and did cost, in memory.
    pub budget: BudgetReport,
    /// Seconds by stage; those of the workers (read, composite, overviews, encode) are sums over all of them.
    #[serde(serialize_with = "by_stage")]
    pub seconds: Vec<Seconds>,
    /// Bytes of pixels and of files.
    pub bytes: Bytes,
    /// Blocks written, left out, and read.
    pub blocks: Blocks,
    /// What did not stop the job but should be known.
    pub warnings: Vec<String>,
    /// What verification found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<Findings>,
    /// SHA-256 of the output; empty where the settings name no file for the report, since it takes a whole read.
    pub sha256: String,
}

/// The inputs.
#[derive(Debug, Clone, Serialize)]
pub struct Inputs {
    /// Names of those in the mosaic, in the order given.
    pub used: Vec<String>,
    /// Those left out, and why.
    pub skipped: Vec<Problem>,
    /// Those of them that were left out while the job ran, and the pixels that were decided without them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<Lacking>,
}

/// A scene.
#[derive(Debug, Clone, Serialize)]
pub struct SceneReport {
    /// Its number in bands of provenance, from 1.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// The day it was taken, where that is known.
    pub date: Option<String>,
    /// Its files.
    pub files: Vec<String>,
    /// The file of its mask.
    pub mask: Option<String>,
    /// What was added to the pixels of each band, so that all scenes agree; empty where nothing was.
    pub added: Vec<f64>,
}

/// The mosaic's grid and pixels.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct GridReport {
    pub columns: usize,
    pub rows: usize,
    pub bands: usize,
    pub data_type: &'static str,
    pub geotransform: [f64; 6],
    pub bounds: [f64; 4],
    pub crs: String,
    pub nodata: Option<String>,
    pub mask: bool,
    pub method: String,
}

/// How the work was cut.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct PlanReport {
    pub window: [usize; 2],
    pub block: [usize; 2],
    pub compression: &'static str,
    pub predictor: u16,
    pub interleave: &'static str,
    pub bigtiff: bool,
    pub cloud_optimized: bool,
    pub overviews: Vec<[usize; 2]>,
    pub overview_resampling: &'static str,
    pub windows: usize,
    pub windows_without_sources: usize,
    pub bands_at_once: usize,
    pub workers: usize,
    pub windows_ahead: usize,
    pub open_sources: usize,
    pub cache_bytes: u64,
    pub decoded_bytes: u64,
}

/// The budget beside what was measured.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct BudgetReport {
    pub lines: Vec<Line>,
    pub total: u64,
    pub limit: u64,
    pub measured_peak: u64,
    /// Bytes that the process grew by with each thousand windows in the second half of a long run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift_per_thousand_windows: Option<f64>,
    /// What it held from window to window.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub growth: Vec<Sample>,
}

fn by_stage<S: Serializer>(seconds: &[Seconds], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(seconds.iter().map(|Seconds { stage, seconds }| (stage, seconds)))
}

/// Time spent in a stage.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Seconds {
    pub stage: &'static str,
    pub seconds: f64,
}

/// Bytes, pixels and files apart.
#[derive(Debug, Clone, Default, Serialize)]
#[allow(missing_docs)]
pub struct Bytes {
    /// Pixels of the whole mosaic.
    pub pixels: u64,
    /// Pixels read from sources.
    pub read: u64,
    /// The output file.
    pub file: u64,
}

/// Blocks by what became of them.
#[derive(Debug, Clone, Default, Serialize)]
#[allow(missing_docs)]
pub struct Blocks {
    pub written: u64,
    /// Not stored because they hold nothing but nodata, in windows that sources touch.
    pub sparse: u64,
    /// Blocks decoded for each block needed of the sources that were read without GDAL; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoded_per_needed: Option<f64>,
    /// Source pixels read for each pixel of the mosaic that a source touches: 1 without overlap.
    pub read_per_pixel: f64,
    /// Blocks that an earlier run had stored, with `--resume`.
    pub taken_over: u64,
    /// For each directory of the file, in its order, the checksums of the blocks that are stored, in the order of its
    /// index: xxh3-64 of their bytes as sixteen hexadecimal digits each. Empty as the `sha256` is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checksums: Vec<String>,
}

impl SceneReport {
    /// Those of a mosaic.
    pub fn all(mosaic: &Mosaic) -> Vec<SceneReport> {
        let name_of = |source: usize| mosaic.sources[source].source.name.to_string();
        let of = |(number, scene): (usize, &StackedScene)| SceneReport {
            number,
            name: scene.name.to_string(),
            date: scene.date.map(|date| date.to_string()),
            files: scene.sources.clone().map(name_of).collect(),
            mask: scene.mask.map(name_of),
            added: scene.shifts.clone(),
        };
        let scenes = mosaic.stack.iter().flat_map(|stack| &stack.scenes);
        (1..).zip(scenes).map(of).collect()
    }
}

impl GridReport {
    /// From the mosaic.
    pub fn new(mosaic: &Mosaic) -> GridReport {
        let bounds = mosaic.grid.bounds();
        GridReport {
            columns: mosaic.grid.size.columns,
            rows: mosaic.grid.size.rows,
            bands: mosaic.bands.len(),
            data_type: mosaic.pixel_type.name(),
            geotransform: mosaic.grid.geotransform().0,
            bounds: [bounds.min_x, bounds.min_y, bounds.max_x, bounds.max_y],
            crs: mosaic.wkt.to_string(),
            nodata: mosaic.nodata.map(|value| value.to_string()),
            mask: mosaic.mask,
            method: mosaic.method_name.clone(),
        }
    }
}

/// SHA-256 of a file, as hexadecimal digits.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256(path: &Path) -> Result<String> {
    let mut file = File::open(path).with_context(|| format!("{}: open for its checksum", path.display()))?;
    let mut hasher = Sha256::new();
    let mut bytes = vec![0; 1 << 20];
    loop {
        let count =
            file.read(&mut bytes).with_context(|| format!("{}: read for its checksum", path.display()))?;
        if count == 0 {
            return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hasher.update(&bytes[..count]);
    }
}

impl Report {
    /// What verification found wrong.
    pub fn faults(&self) -> &[String] {
        self.verification.as_ref().map_or(&[], |findings| &findings.faults)
    }
}
