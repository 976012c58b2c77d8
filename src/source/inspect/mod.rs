//! What an input is: everything that can be known without reading a pixel, and what is wrong with it.

mod band;
mod blocks;
mod dataset;
mod decoder;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use anyhow::Result;

use super::network::NotGiven;
use super::open::open;
use super::stamp::companions;
use super::trap::checked_with_warnings;
use super::{Model, Problem, Source, Trust, references};

/// Paths that are longer may be more than GDAL before 3.11 has room for (CPL_PATH_BUF_SIZE, with what is put behind them).
const GDALS_ROOM: usize = 2000;
const COMPLEX: &str = "has complex pixels; split them into real bands first";

/// What an input is, and GDAL's warnings.
pub type Inspected = (Source, Vec<String>);

/// Inspects inputs in place of this process.
pub trait Inspector: fmt::Debug + Sync {
    /// What an input is, for a mosaic in the CRS `target` (WKT), or in its own where there is none.
    ///
    /// # Errors
    /// As [`inspect`], and where it takes whoever opens it down with it.
    fn inspect(&self, name: &str, target: Option<&str>) -> Result<Inspected, Problem>;

    /// How many of so many threads may ask at once, by what the inputs before took; nobody asks meanwhile.
    fn at_once(&self, threads: usize) -> usize;
}

/// Inspects one input for a mosaic in the CRS `target` (WKT), or in its own where there is none.
/// What it has in common with `like` it shares with it. GDAL's warnings come beside it.
///
/// # Errors
/// A problem that names the input: missing, damaged, cut short, no raster, complex pixels, or referring to what `trust`
/// does not allow.
pub fn inspect(
    name: &str,
    target: Option<&str>,
    like: Option<&Model>,
    trust: Trust,
) -> Result<Inspected, Problem> {
    if let Some(source) = like.and_then(|like| like.describe(name)) {
        return Ok((source, Vec::new()));
    }
    let (source, warnings) = match trust.inspector {
        Some(inspector) => inspector.inspect(name, target)?,
        None => inspect_here(name, target, trust)?,
    };
    let source = match like {
        Some(like) => share(source, &like.source),
        None => source,
    };
    Ok((source, warnings))
}

/// Inspects an input in this very process.
fn inspect_here(name: &str, target: Option<&str>, trust: Trust) -> Result<Inspected, Problem> {
    // A server that fails while references are looked for may hide them, so both are one attempt.
    let look = || match references::check(name, trust) {
        Ok(files) => look_at(name, target, files, trust),
        Err(problem) => Ok(Err(problem)),
    };
    let looked = trust.patience.with(name, look);
    looked.map_err(|error| Problem::new(name, explain(name, &error)))?
}

/// What GDAL says of an input that is read with `files`, and its warnings.
fn look_at(
    name: &str,
    target: Option<&str>,
    files: BTreeSet<String>,
    trust: Trust,
) -> Result<Result<Inspected, Problem>> {
    let dataset = open(name)?;
    // Asking for the files makes GDAL look further, and say what it finds.
    let look = || match references::check_opened(name, &dataset, files, trust) {
        Ok(opened) => dataset::describe(name, &dataset, target).map(|source| Ok((source, opened))),
        Err(problem) => Ok(Err(problem)),
    };
    let (looked, warnings) = checked_with_warnings("inspect", look)?;
    let (mut source, opened) = match looked {
        Ok(looked) => looked,
        Err(problem) => return Ok(Err(problem)),
    };
    blocks::look_inside(&mut source, &dataset)?;
    decoder::count_decoder(&mut source, &dataset);
    if opened.names_files {
        source.direct = Err("its metadata name files");
    }
    source.companions = Arc::new(companions(opened.files));
    Ok(Ok((source, warnings)))
}

/// The reason in plain words, where the plain reason is known.
fn explain(name: &str, error: &anyhow::Error) -> String {
    let path = std::path::Path::new(name);
    if !name.starts_with("/vsi") && !name.contains(':') && !path.exists() {
        return "no such file".into();
    }
    if name.len() > GDALS_ROOM && path.exists() {
        return format!(
            "a path of {} bytes is too long for GDAL; use one that is relative to a nearer folder",
            name.len()
        );
    }
    if let Some(not_given) = error.downcast_ref::<NotGiven>() {
        return not_given.to_string();
    }
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() == 0 => "the file is empty".into(),
        _ => {
            // Of the bindings' own sentence only what GDAL says is of use.
            let text = format!("{error:#}");
            let said = text.split_once("Error msg: '").and_then(|(_, said)| said.strip_suffix('\''));
            said.map_or(text.clone(), str::to_owned)
        }
    }
}

/// Replaces what equals `like`'s by `like`'s own, so that ten thousand inputs do not hold ten thousand copies.
fn share(mut source: Source, like: &Source) -> Source {
    if source.companions == like.companions {
        source.companions = Arc::clone(&like.companions);
    }
    if source.bands == like.bands {
        source.bands = Arc::clone(&like.bands);
    }
    if source.wkt == like.wkt {
        source.wkt = Arc::clone(&like.wkt);
    }
    if source.metadata == like.metadata {
        source.metadata = Arc::clone(&like.metadata);
    } else {
        // Only what all sources agree on is carried over, so nothing else needs to be kept.
        let common = source.metadata.iter().filter(|item| like.metadata.contains(item)).cloned().collect();
        source.metadata = Arc::new(common);
    }
    source
}
