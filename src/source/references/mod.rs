//! What rasters refer to: virtual rasters and Meta Raster Formats, which are descriptions, the files beside a raster that
//! GDAL reads with it, and what only an opened dataset tells. Descriptions are checked before GDAL opens the first of them.
//!
//! The formats: <https://gdal.org/en/stable/drivers/raster/vrt.html>, <https://gdal.org/en/stable/drivers/raster/marfa.html>.

mod description;
mod opened;

use std::collections::BTreeSet;
use std::fs;

use super::trust::{Trust, folder, is_path, parent};
use super::{Problem, identify, text};
use crate::container::side_files::{MASK, METADATA, OVERVIEWS};

pub use opened::check_opened;

/// GDAL looks for what marks a description in so many of a file's first bytes, up to the first zero byte.
const HEAD: usize = 1024;
/// No longer description is read.
const LONGEST: usize = 64 << 20;
/// Descriptions whose references are followed.
const FOLLOWED: [&str; 2] = ["<VRTDataset", "<MRF_META"];
/// What GDAL reads with a raster, by what is put behind the raster's name.
const BESIDE: [&str; 5] = [METADATA, OVERVIEWS, ".OVR", MASK, ".MSK"];
/// What stands in a name between a Meta Raster Format's file and what is wanted of it.
const MRF: &str = ":MRF:";

/// Checks what the raster `name` refers to, and what these files refer to in turn; gives these files, and those beside
/// them and the raster. What the user wrote, a dataset written as XML included, may refer to anything.
///
/// # Errors
/// A problem of the first file that refers to what `trust` does not allow, that would run code or have GDAL write, or that
/// is too large.
pub fn check(name: &str, trust: Trust) -> Result<BTreeSet<String>, Problem> {
    let mut files = match name.contains("<VRTDataset") {
        true => follow(description::names("", name.as_bytes())?, trust)?,
        false => follow(vec![name.to_owned()], trust)?,
    };
    files.remove(name);
    Ok(files)
}

/// Follows names that may be opened to all files they lead to, themselves included.
fn follow(mut waiting: Vec<String>, trust: Trust) -> Result<BTreeSet<String>, Problem> {
    let mut seen = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        let file = opened_by(&name).to_owned();
        let is_description = name.contains(MRF) || file.ends_with(METADATA);
        if !seen.insert((file.clone(), is_description)) {
            continue;
        }
        for reference in referred_to(&file, is_description, trust)? {
            allow(&file, &reference, trust)?;
            // What may be anywhere in the network is taken as it is.
            if is_path(opened_by(&reference)) || !trust.remote {
                waiting.push(reference);
            }
        }
        if !file.ends_with(METADATA) {
            for beside in beside(&file).filter(|beside| is_there(beside)) {
                if is_path(&beside) {
                    allow(&file, &beside, trust)?;
                }
                waiting.push(beside);
            }
        }
    }
    Ok(seen.into_iter().map(|(file, _)| file).collect())
}

/// Whether `file` may refer to `name`. What lies beside a link belongs to it as what lies beside the file it leads to.
fn allow(file: &str, name: &str, trust: Trust) -> Result<(), Problem> {
    let checked = trust.check(file, &folder(file), name);
    match checked.is_err() && is_path(file) && trust.check(file, parent(file), name).is_ok() {
        true => Ok(()),
        false => checked,
    }
}

/// The names that GDAL tries for files that belong to another one.
pub fn beside(file: &str) -> impl Iterator<Item = String> {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    // Erdas' files are no descriptions, so only where they lead matters.
    let erdas = [file, stem].map(|start| format!("{start}.aux"));
    let ends = BESIDE.iter().map(move |end| format!("{file}{end}"));
    ends.chain(erdas.into_iter().filter(move |_| is_path(file)))
}

/// Whether there is anything of this name, a link that leads nowhere included.
fn is_there(name: &str) -> bool {
    match is_path(name) {
        true => fs::symlink_metadata(name).is_ok(),
        false => !text::head(name, 1).is_empty(),
    }
}

/// The file that GDAL opens for a connection to another raster.
fn opened_by(name: &str) -> &str {
    if let Some(virtual_raster) = name.strip_prefix("vrt://") {
        return virtual_raster.split('?').next().unwrap_or_default();
    }
    let derived = name.strip_prefix("DERIVED_SUBDATASET:").and_then(|rest| rest.split_once(':'));
    let name = derived.map_or(name, |(_, name)| name);
    name.split_once(MRF).map_or(name, |(file, _)| file)
}

/// The files that a file refers to; none where it is no description.
fn referred_to(file: &str, is_description: bool, trust: Trust) -> Result<Vec<String>, Problem> {
    let head = text::head(file, HEAD);
    if head.is_empty() {
        return Ok(Vec::new());
    }
    let text = String::from_utf8_lossy(head.split(|&byte| byte == 0).next().unwrap_or_default());
    if is_description || FOLLOWED.iter().any(|mark| text.contains(mark)) {
        let bytes = text::bytes(file, LONGEST).map_err(|error| Problem::new(file, format!("{error:#}")))?;
        return description::names(file, &bytes);
    }
    // The many of the commonest format need not be shown to each driver.
    let is_tiff = [b"II*\0", b"II+\0", b"MM\0*", b"MM\0+"].iter().any(|start| head.starts_with(*start));
    if !trust.remote && !is_tiff && identify::describes_a_service(file) {
        return Err(Problem::new(file, "describes rasters that may lie anywhere")
            .with_hint("--allow-remote lets inputs refer to the network and to names of GDAL's"));
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_opened_for_a_connection_is_looked_at() {
        for (name, file) in [
            ("a.tif", "a.tif"),
            ("vrt://a.tif?bands=1", "a.tif"),
            ("DERIVED_SUBDATASET:AMPLITUDE:/a/b.tif", "/a/b.tif"),
            ("/a/b.mrf:MRF:L1", "/a/b.mrf"),
        ] {
            assert_eq!(opened_by(name), file);
        }
    }

    #[test]
    fn files_beside_a_raster_are_found_and_those_beside_them() {
        let temporary = tempfile::tempdir().unwrap();
        let at = |name: &str| temporary.path().join(name).to_str().unwrap().to_owned();
        for name in ["a.tif", "a.tif.ovr", "a.tif.ovr.msk", "a.tif.aux.xml", "a.aux", "a.tif.other"] {
            fs::write(at(name), "x").unwrap();
        }
        let found = check(&at("a.tif"), Trust::default()).unwrap();
        let expected = ["a.aux", "a.tif.aux.xml", "a.tif.ovr", "a.tif.ovr.msk"].map(at);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    }
}
