//! Where output and report go: what is in the way there is found before the work, and nothing that is read is written
//! over.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Settings;
use crate::container::side_files::side_files;
use crate::output::{Target, folder_of, identity, is_mount_point, is_same_file};
use crate::source::{Problem, Source};

/// What is wrong with the places of output and report, whatever the inputs are.
pub fn in_the_way(settings: &Settings) -> Vec<Problem> {
    of_output(settings).into_iter().chain(of_report(settings)).collect()
}

/// Output and report must never be what is read, however either is spelled: `names` as they go to GDAL, what else was
/// typed to be read, and the files that `sources` are read with.
pub fn among_the_read(settings: &Settings, names: &[String], sources: &[Arc<Source>]) -> Vec<Problem> {
    let sides = Target::existing(&settings.output).into_iter().map(|path| {
        let is = if path == settings.output { "the output" } else { "replaced with the output" };
        (path, is, "write to another file")
    });
    let report =
        settings.report.iter().map(|path| (path.clone(), "the report", "name another file with --report"));
    let mut written: Vec<_> =
        sides.chain(report).filter_map(|place| identity(&place.0).map(|file| (file, place))).collect();
    let typed = names.iter().chain(&settings.inputs).chain(&settings.scenes.stac);
    let typed = typed.map(|name| (local(name), format!("the input {name}")));
    let with = sources.iter().flat_map(|source| {
        source
            .files()
            .skip(1)
            .map(|(file, _)| (Path::new(file), format!("read with the input {}", source.name)))
    });
    let mut problems = Vec::new();
    for (path, what) in typed.chain(with) {
        if written.is_empty() {
            break;
        }
        let read = identity(path);
        written.retain(|(file, (path, is, hint))| {
            if read == Some(*file) {
                let message = format!("is {is} and {what} at once");
                problems.push(Problem::new(path.display().to_string(), message).with_hint(*hint));
            }
            read != Some(*file)
        });
    }
    problems
}

/// The local file that an input as typed stands for: a list's own, too.
fn local(typed: &str) -> &Path {
    let name = typed.strip_prefix('@').or(typed.strip_prefix("file://"));
    Path::new(name.unwrap_or(typed))
}

/// What is wrong with the place the output is to have.
fn of_output(settings: &Settings) -> Vec<Problem> {
    let output = &settings.output;
    let name = output.display().to_string();
    let folder = folder_of(output);
    let mut problems = Vec::new();
    let unusual = |error: &std::io::Error| error.kind() != std::io::ErrorKind::NotFound;
    if output.as_os_str() == "-" {
        problems.push(
            Problem::new(&name, "is no file: a GeoTIFF is not written to stdout")
                .with_hint("name the file to write; a file of that name is ./-"),
        );
    } else if let Some(error) = output.symlink_metadata().err().filter(unusual) {
        problems.push(Problem::new(&name, format!("cannot be a file's name: {error}")));
    } else if let Some(too_long) = Target::too_long(output) {
        problems.push(
            Problem::new(&name, too_long).with_hint("use a shorter one, or one relative to a nearer folder"),
        );
    } else if output.is_dir() {
        problems.push(Problem::new(&name, "is a folder").with_hint("name the file to write"));
    } else if names_a_folder(output) {
        problems.push(Problem::new(&name, FOLDERS_NAME).with_hint("name the file to write"));
    } else if !folder.is_dir() {
        problems.push(
            Problem::new(&name, format!("there is no folder {}", folder.display()))
                .with_hint("make it first"),
        );
    } else if output.exists() && !output.is_file() {
        problems.push(Problem::new(&name, "is no regular file").with_hint("name the file to write"));
    } else if let (false, Some(existing)) = (settings.overwrite, Target::existing(output).first()) {
        problems.push(
            Problem::new(existing.display().to_string(), "exists already")
                .with_hint("--overwrite replaces it when the new one is whole"),
        );
    } else if is_mount_point(output) {
        problems.push(
            Problem::new(&name, "is mounted there and cannot be replaced")
                .with_hint("write to another file, or mount its folder instead"),
        );
    }
    problems
}

/// What is wrong with the place of the report, and that it is none of the output's.
fn of_report(settings: &Settings) -> Option<Problem> {
    let report = settings.report.as_ref()?;
    let folder = folder_of(report);
    let beside = |path: &PathBuf| is_same_file(report, path);
    let message = match () {
        () if report.as_os_str() == "-" => "is no file; stdout is /dev/stdout".into(),
        () if is_same_file(report, &settings.output) => "is the report and the output at once".into(),
        () if side_files(&settings.output).iter().any(beside) => {
            "is the report and a file that belongs to the output at once".into()
        }
        () if report.is_dir() => "is a folder".into(),
        () if names_a_folder(report) => FOLDERS_NAME.into(),
        () if !folder.is_dir() => format!("there is no folder {}", folder.display()),
        () => return None,
    };
    Some(Problem::new(report.display().to_string(), message).with_hint("name another file with --report"))
}

const FOLDERS_NAME: &str = "is the name of a folder, by its '/' at the end";

/// Whether a path's end says that a folder is meant; `Path` itself does not tell.
fn names_a_folder(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    bytes.ends_with(b"/") || bytes.ends_with(b"/.")
}
