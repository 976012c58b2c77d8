//! Whether a file that was made before is sound: with nothing beside it, and against the report of its job.
//!
//! Shares no code with what wrote the file, but for the words of a COG's ghost area and how large a block can become.

mod blocks;
mod described;
mod fault;
mod layout;
mod places;
mod recorded;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use serde::Serialize;

use super::{Depth, Findings};
use crate::container::ReadAt;
use crate::pixels::Number;
use crate::run::report::sha256;
use crate::source::{FileReader, Source, Trust, inspect};
use blocks::{Blocks, Checksums};
pub use fault::Fault;
use fault::{DECIDED, Faults, MISLED, OTHER};
use layout::Layout;
pub use recorded::{Recorded, checksums_of};

/// What was looked at, and what is wrong.
#[derive(Debug, Default, Serialize)]
pub struct Examined {
    /// The file.
    pub file: String,
    /// Its bytes.
    pub bytes: u64,
    /// Its directories: image, overviews, masks.
    pub directories: usize,
    /// Blocks that were decoded.
    pub blocks: u64,
    /// Blocks whose checksum was held against a report's.
    pub checksums: u64,
    /// Whether the file's SHA-256 was held against a report's.
    pub sha256: bool,
    /// Areas whose pixels were decided anew; `None` where nothing was given to decide them by, or the file is not sound.
    pub areas: Option<u64>,
    /// What should be known and is no fault.
    pub notes: Vec<String>,
    /// How much is wrong.
    pub fault_count: u64,
    /// The first thousand of it.
    pub faults: Vec<Fault>,
}

impl Examined {
    /// Adds what deciding all pixels anew found.
    pub fn add_pixels(&mut self, findings: Findings) {
        debug_assert!(findings.depth == Depth::Anew.name());
        self.areas = Some(findings.areas);
        self.fault_count += findings.faults.len() as u64;
        let fault = |message| Fault { place: "the pixels".into(), message, hint: DECIDED };
        self.faults.extend(findings.faults.into_iter().map(fault));
    }
}

/// Examines the file at `path`: its directories, the places of its blocks, what they hold, and what GDAL says of it; all
/// of it against the report where there is one. Uses up to so many threads, and about so many bytes of memory.
///
/// # Errors
/// When the file cannot be read at all, or the examination was told to stop. A file that is no TIFF has a fault.
pub fn examine(
    path: &Path,
    recorded: Option<&Recorded>,
    work: (usize, u64),
    stop: &AtomicBool,
) -> Result<Examined> {
    let file = FileReader::open(path)?;
    let mut faults = Faults::default();
    let mut examined =
        Examined { file: path.display().to_string(), bytes: file.size(), ..Examined::default() };
    match Layout::read(&file, &mut faults) {
        Err(error) => faults.add("the header", format!("{error:#}"), MISLED),
        Ok(layout) => {
            examined.directories = layout.directories.len();
            match places::list(&file, &layout, &mut faults) {
                Err(error) => faults.add("the index", format!("{error:#}"), MISLED),
                Ok(blocks) => {
                    let inside = places::check(&blocks, file.size(), &layout, &mut faults);
                    let checksums = recorded.and_then(Recorded::checksums);
                    let checksums =
                        checksums.and_then(|known| Checksums::new(known, &blocks, &layout, &mut faults));
                    let checksums = checksums.as_ref();
                    Blocks { path, layout: &layout, checksums }.check(&inside, work, stop, &mut faults)?;
                    examined.blocks = inside.len() as u64;
                    examined.checksums = checksums.map_or(0, |_| examined.blocks);
                }
            }
            if let Some(recorded) = recorded {
                layout.check_recorded(recorded, &mut faults);
            }
        }
    }
    check_with_gdal(path, recorded, &mut examined.notes, &mut faults)?;
    if let Some(recorded) = recorded {
        check_whole(path, file.size(), recorded, &mut examined, &mut faults)?;
    }
    (examined.fault_count, examined.faults) = (faults.count, faults.told);
    Ok(examined)
}

/// GDAL takes the file, and what it says of place and pixels is what the report says.
fn check_with_gdal(
    path: &Path,
    recorded: Option<&Recorded>,
    notes: &mut Vec<String>,
    faults: &mut Faults,
) -> Result<()> {
    let name = path.to_str().context("the file's name is not UTF-8")?;
    match inspect(name, None, None, Trust::default()) {
        Err(problem) => faults.add("the file", format!("GDAL does not take it: {}", problem.message), MISLED),
        Ok((found, warnings)) => {
            notes.extend(warnings.into_iter().map(|warning| format!("GDAL warns: {warning}")));
            if let Some(recorded) = recorded {
                check_description(&found, recorded, faults);
            }
        }
    }
    Ok(())
}

fn check_description(found: &Source, recorded: &Recorded, faults: &mut Faults) {
    let grid = &recorded.grid;
    let mut expect = |what: &str, same: bool, found: &dyn std::fmt::Debug, wanted: &dyn std::fmt::Debug| {
        if !same {
            faults.add(what, format!("GDAL says {found:?} and the report {wanted:?}"), OTHER);
        }
    };
    let near = |(a, b): (&f64, &f64)| super::is_near(*a, *b);
    let same = found.geotransform.0.iter().zip(&grid.geotransform).all(near);
    expect("geotransform (tags 33550, 33922, 34264)", same, &found.geotransform.0, &grid.geotransform);
    let same = crate::source::same_crs(&found.wkt, &grid.crs);
    expect("CRS (tags 34735 to 34737)", same, &found.wkt, &grid.crs);
    let types: Vec<_> = found.bands.iter().map(|band| band.pixel_type.name()).collect();
    expect(
        "type (tags 258 and 339)",
        types.iter().all(|name| *name == grid.data_type),
        &types,
        &grid.data_type,
    );
    let wanted = grid.nodata.as_ref().and_then(|text| text.parse::<Number>().ok());
    let same_nodata = |band: &crate::source::SourceBand| {
        let held = |nodata: Option<Number>| super::as_held(nodata, band.pixel_type);
        held(band.nodata) == held(wanted)
    };
    let nodata: Vec<_> =
        found.bands.iter().map(|band| band.nodata.map(|nodata| nodata.to_string())).collect();
    expect("nodata (tag 42113)", found.bands.iter().all(same_nodata), &nodata, &grid.nodata);
}

/// The file's length and SHA-256 are the report's.
fn check_whole(
    path: &Path,
    size: u64,
    recorded: &Recorded,
    examined: &mut Examined,
    faults: &mut Faults,
) -> Result<()> {
    let wanted = recorded.bytes.file;
    if size != wanted {
        faults.add("the file", format!("has {size} bytes instead of {wanted}, as the report says"), OTHER);
    }
    if recorded.blocks.checksums.is_empty() {
        examined
            .notes
            .push("the report has no checksums of blocks: which of them changed cannot be told".into());
    }
    if recorded.sha256.is_empty() {
        examined.notes.push("the report has no SHA-256 of the file".into());
        return Ok(());
    }
    examined.sha256 = true;
    if sha256(path)? == recorded.sha256 {
        return Ok(());
    }
    // Where a block or a tag is named, that is the reason.
    if faults.is_empty() {
        let message = match examined.checksums {
            0 => "its SHA-256 is not the report's",
            _ => {
                "its SHA-256 is not the report's, though all blocks are: a directory or the values of a tag changed"
            }
        };
        faults.add("the file", message, OTHER);
    }
    Ok(())
}
