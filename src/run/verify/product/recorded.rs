//! What a job's report records of its file, as far as verification holds the file against it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::output::{BlockRecord, Lacking, Plane};
use crate::run::report::SCHEMA;

/// The part of a report that speaks of the file.
#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Recorded {
    pub schema: u32,
    /// The command as it was typed; empty for library users.
    pub command: Vec<String>,
    pub inputs: Inputs,
    pub grid: Grid,
    pub plan: Plan,
    pub bytes: Bytes,
    pub blocks: Blocks,
    /// Empty where none was taken.
    pub sha256: String,
}

#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Inputs {
    /// Names of the sources; of scenes those of the scenes.
    #[serde(default)]
    pub used: Vec<String>,
    /// Pixels that were decided without sources which were left out.
    #[serde(default)]
    pub lacking: Vec<Lacking>,
}

#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Grid {
    pub columns: usize,
    pub rows: usize,
    pub bands: usize,
    pub data_type: String,
    pub geotransform: [f64; 6],
    pub crs: String,
    pub nodata: Option<String>,
    pub mask: bool,
}

#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Plan {
    pub block: [usize; 2],
    pub compression: String,
    pub predictor: u16,
    pub interleave: String,
    pub bigtiff: bool,
    pub cloud_optimized: bool,
    pub overviews: Vec<[usize; 2]>,
}

#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Bytes {
    pub file: u64,
}

#[derive(Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Blocks {
    pub written: u64,
    /// One text for each directory; none in reports of programs that did not record them.
    #[serde(default)]
    pub checksums: Vec<String>,
}

impl Recorded {
    /// Reads a report.
    ///
    /// # Errors
    /// A file that cannot be read, is no report, or has a schema that is not known here; the message names it.
    pub fn read(path: &Path) -> Result<Recorded> {
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read the report {name}"))?;
        let recorded: Recorded =
            serde_json::from_str(&text).with_context(|| format!("{name} is no report of this program"))?;
        let schema = recorded.schema;
        ensure!(
            schema == SCHEMA,
            "the report {name} has schema {schema}, and only {SCHEMA} is known here; use a newer program"
        );
        ensure!(
            recorded.blocks.checksums.iter().all(|digits| checksums(digits).is_some()),
            "the report {name} holds checksums that are none"
        );
        Ok(recorded)
    }

    /// The checksums of the written blocks of each directory, in the order of the index.
    pub fn checksums(&self) -> Option<Vec<Vec<u64>>> {
        let all: Option<Vec<_>> = self.blocks.checksums.iter().map(|digits| checksums(digits)).collect();
        all.filter(|all| !all.is_empty())
    }
}

/// The checksums of blocks sorted by their ids, as reports have them, of a file with so many levels.
pub fn checksums_of(records: &[BlockRecord], levels: usize, mask: bool) -> Vec<String> {
    let planes: &[Plane] = if mask { &[Plane::Image, Plane::Mask] } else { &[Plane::Image] };
    let mut left = records;
    let mut next = |level: usize, plane: Plane| {
        let is_its = |record: &BlockRecord| (usize::from(record.id.level), record.id.plane) == (level, plane);
        let (its, others) = left.split_at(left.partition_point(is_its));
        left = others;
        let mut digits = String::with_capacity(16 * its.len());
        for record in its {
            // Writing into a text cannot fail.
            let _ = write!(digits, "{:016x}", record.checksum);
        }
        digits
    };
    let directories = (0..levels).flat_map(|level| planes.iter().map(move |plane| (level, *plane)));
    directories.map(|(level, plane)| next(level, plane)).collect()
}

/// Numbers of sixteen hexadecimal digits each.
fn checksums(digits: &str) -> Option<Vec<u64>> {
    let whole = digits.len().is_multiple_of(16) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = |start: usize| u64::from_str_radix(&digits[start..start + 16], 16).ok();
    if whole { (0..digits.len()).step_by(16).map(number).collect() } else { None }
}
