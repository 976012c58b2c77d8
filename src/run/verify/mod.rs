//! Whether the written file is what it should be. Shares no code with what wrote it: GDAL reopens it, its index is read
//! anew, its bytes are hashed again, and a sample of its pixels (or all) is decided a second time.

mod contents;
pub mod product;

use std::fs::File;

use anyhow::{Context, Result};
use serde::Serialize;

use super::{Isolation, LeftOut};
use crate::container::{self, ReadAt};
use crate::geometry::Size;
use crate::output::{BlockId, BlockRecord, Plane};
use crate::pixels::{Number, PixelType};
use crate::plan::{Jobs, Plan, Touching};
use crate::source::{FileReader, Mosaic, Patience, Trust, inspect};
use contents::Contents;

/// Bytes before and behind each block of a cloud optimized GeoTIFF.
const FRAME: u64 = 4;

/// What was looked at, and what is wrong.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Findings {
    /// How much was looked at: quick or full.
    pub depth: &'static str,
    /// Blocks whose place and bytes were checked.
    pub blocks: u64,
    /// Areas whose pixels were decided a second time.
    pub areas: u64,
    /// Everything that is wrong; empty for a file that is right.
    pub faults: Vec<String>,
}

/// Who decides pixels a second time.
#[derive(Clone, Copy)]
pub struct Verifiers<'a> {
    /// How many threads.
    pub threads: usize,
    /// Bytes of values that each of them holds.
    pub bytes_to_decide: usize,
    /// How many sources each of them keeps open.
    pub open_sources: usize,
    /// Bytes for GDAL's block cache, of all threads.
    pub cache_bytes: u64,
    /// The child processes that do it for them, where sources are not read by this one.
    pub isolation: Option<&'a Isolation<'a>>,
    /// What the file lacks of sources that were left out.
    pub left_out: &'a LeftOut<'a>,
}

impl<'a> Verifiers<'a> {
    /// As many as the plan has, with what it has for them.
    pub fn of(plan: &Plan, isolation: Option<&'a Isolation<'a>>, left_out: &'a LeftOut<'a>) -> Verifiers<'a> {
        Verifiers {
            threads: plan.verifiers,
            bytes_to_decide: plan.bytes_to_decide,
            open_sources: plan.open_to_verify,
            cache_bytes: plan.cache_to_verify,
            isolation,
            left_out,
        }
    }
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Structure, all bytes, a sample of pixels.
    Sample,
    /// Structure, all bytes, all pixels.
    Everything,
    /// All pixels, those of windows without any source too: no records tell what the file holds there.
    Anew,
}

impl Depth {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Depth::Sample => "quick",
            Depth::Everything => "full",
            Depth::Anew => "anew",
        }
    }
}

/// Checks the file at `path` against the mosaic, the sizes of its overviews and the records of its blocks; `framed`
/// says that every block stands between its size and its last four bytes, as in a cloud optimized GeoTIFF.
///
/// # Errors
/// When the file or a source cannot be read at all, or the job was told to stop.
pub fn verify(
    path: &str,
    (mosaic, jobs, touching): (&Mosaic, &Jobs, &Touching),
    records: &[BlockRecord],
    (overviews, framed): (&[Size], bool),
    depth: Depth,
    by: Verifiers,
    patience: Patience,
) -> Result<Findings> {
    let mut findings = Findings { depth: depth.name(), ..Findings::default() };
    findings.faults.extend(check_header(path, mosaic));
    let file = File::open(path).with_context(|| format!("{path}: open for verification"))?;
    check_index(path, records, (overviews, framed), &mut findings)?;
    let contents = Contents { path, file, records, framed, mosaic, jobs, touching, by };
    contents.check(depth, patience, &mut findings)?;
    Ok(findings)
}

/// Checks what GDAL says of a file that was made before, and all its pixels, against a mosaic that is planned anew.
///
/// # Errors
/// As [`verify`].
pub fn verify_anew(
    path: &str,
    (mosaic, jobs, touching): (&Mosaic, &Jobs, &Touching),
    by: Verifiers,
    patience: Patience,
) -> Result<Findings> {
    let mut findings = Findings { depth: Depth::Anew.name(), ..Findings::default() };
    findings.faults.extend(check_header(path, mosaic));
    if !findings.faults.is_empty() {
        // Pixels of another grid have nothing to be compared with.
        return Ok(findings);
    }
    let file = File::open(path).with_context(|| format!("{path}: open for verification"))?;
    let contents = Contents { path, file, records: &[], framed: false, mosaic, jobs, touching, by };
    contents.check(Depth::Anew, patience, &mut findings)?;
    Ok(findings)
}

/// Whether two coefficients are the same but for how they were rounded.
fn is_near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-9)
}

/// A nodata value as GDAL gives it: that of Float32 pixels as the float nearest to what was asked for.
fn as_held(nodata: Option<Number>, pixel_type: PixelType) -> Option<Number> {
    match pixel_type {
        PixelType::Float32 => nodata.map(Number::as_float32),
        _ => nodata,
    }
}

/// What GDAL says of the file, against what was asked for.
fn check_header(path: &str, mosaic: &Mosaic) -> Vec<String> {
    let found = match inspect(path, None, None, Trust::default()) {
        Ok((found, _)) => found,
        Err(problem) => return vec![format!("GDAL does not take the file: {}", problem.message)],
    };
    let mut faults = Vec::new();
    let mut expect = |what: &str, same: bool, found: &dyn std::fmt::Debug| {
        if !same {
            faults.push(format!("the file has {what} {found:?}, which is not what was asked for"));
        }
    };
    expect("size", found.size == mosaic.grid.size, &found.size);
    let wanted = mosaic.grid.geotransform();
    let near = |(a, b): (&f64, &f64)| is_near(*a, *b);
    expect("geotransform", found.geotransform.0.iter().zip(&wanted.0).all(near), &found.geotransform.0);
    expect("bands", found.bands.len() == mosaic.bands.len(), &found.bands.len());
    let types: Vec<_> = found.bands.iter().map(|band| band.pixel_type).collect();
    expect("types", types.iter().all(|&t| t == mosaic.pixel_type), &types);
    let nodata: Vec<_> = found.bands.iter().map(|band| band.nodata).collect();
    let held = |nodata| as_held(nodata, mosaic.pixel_type);
    expect("nodata", nodata.iter().all(|&n| held(n) == held(mosaic.nodata)), &nodata);
    expect("mask", found.mask == mosaic.mask, &found.mask);
    expect("CRS", crate::source::same_crs(&found.wkt, &mosaic.wkt), &found.wkt);
    faults
}

/// Every block lies inside the file where its record says, overlaps no other, and leaves no bytes that nobody knows of;
/// `framed` as [`verify`] says.
fn check_index(
    path: &str,
    records: &[BlockRecord],
    (overviews, framed): (&[Size], bool),
    findings: &mut Findings,
) -> Result<()> {
    let file = FileReader::open(path.as_ref())?;
    let directories = container::directories(&file).context("read the written file's index")?;
    let smaller = directories.iter().filter(|directory| directory.is_overview() && !directory.is_mask());
    if !smaller.map(|directory| directory.size).eq(overviews.iter().copied()) {
        findings.faults.push("the file has other overviews than were asked for".into());
    }
    let size = file.size();
    let mut stored = Vec::with_capacity(records.len());
    let mut levels = 0;
    for directory in &directories {
        let plane = if directory.is_mask() { Plane::Mask } else { Plane::Image };
        // Each level begins with its image.
        levels += u8::from(plane == Plane::Image);
        let level = levels - 1;
        for slice in directory.block_ranges_in_slices(&file) {
            let (first, ranges) = slice?;
            let written = (first..).zip(ranges).filter(|(_, range)| *range != (0, 0));
            stored.extend(
                written.map(|(index, (offset, length))| (offset, length, BlockId { level, plane, index })),
            );
        }
    }
    // Records and index are both in the order of levels, planes and places.
    let recorded = records.iter().map(|record| (record.offset, u64::from(record.size), record.id));
    if !recorded.eq(stored.iter().copied()) {
        let message = format!("the index lists {} blocks, and {} were written", stored.len(), records.len());
        findings.faults.push(format!("{message}, or at other places"));
    }
    stored.sort_unstable_by_key(|&(offset, ..)| offset);
    let outside =
        stored.iter().filter(|(offset, length, _)| offset.checked_add(*length).is_none_or(|e| e > size));
    let overlapping = stored.windows(2).filter(|pair| pair[0].0.saturating_add(pair[0].1) > pair[1].0);
    let (outside, overlapping) = (outside.count(), overlapping.count());
    if outside > 0 {
        findings.faults.push(format!("{outside} blocks reach past the end of the file"));
    }
    if overlapping > 0 {
        findings.faults.push(format!("{overlapping} blocks overlap another"));
    }
    let between = if framed { 2 * FRAME } else { 0 };
    let gaps =
        stored.windows(2).filter(|pair| pair[0].0.saturating_add(pair[0].1 + between) < pair[1].0).count();
    if gaps > 0 {
        findings.faults.push(format!("the file has bytes of no block in {gaps} places"));
    }
    Ok(())
}
