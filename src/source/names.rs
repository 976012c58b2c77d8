//! The list of inputs: from what was typed to one name a raster, in order.
//!
//! Nothing is opened here; whether a named file is a good raster is found by inspection. Only in folders is there a
//! choice to make, and there a file counts when its extension is a raster's (so that a damaged one is not passed
//! over) or GDAL identifies it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::{folder, globs};

/// What the inputs stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Names that GDAL opens, in the order of the inputs.
    pub names: Vec<String>,
    /// Inputs that stand for nothing, and why.
    pub problems: Vec<NameProblem>,
    /// What the user should know but nothing fails for.
    pub notices: Vec<String>,
}

/// An input that stands for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameProblem {
    /// The input as typed, or the file in it.
    pub input: String,
    /// What is wrong with it.
    pub message: String,
}

/// Address schemes and the GDAL file system that reads them
/// (<https://gdal.org/en/stable/user/virtual_file_systems.html>); an HTTP address is kept whole.
const SCHEMES: [(&str, &str); 8] = [
    ("http://", "/vsicurl/http://"),
    ("https://", "/vsicurl/https://"),
    ("ftp://", "/vsicurl/ftp://"),
    ("s3://", "/vsis3/"),
    ("gs://", "/vsigs/"),
    ("az://", "/vsiaz/"),
    ("oss://", "/vsioss/"),
    ("file://", ""),
];

/// The rasters that `inputs` stand for: files, folders (every raster inside, sorted by path), globs where no file
/// has that very name, `@list.txt` and `-` (one input a line of the file or of `stdin`; blank lines and lines that
/// start with `#` are skipped; relative names are relative to the working folder), addresses, and anything else
/// that GDAL opens by name.
///
/// A raster named twice stays in the list twice, with a notice.
pub fn expand(inputs: &[String], stdin: impl BufRead) -> Names {
    let mut found = list(inputs, stdin);
    found.notices.extend(repeated(found.names.iter().map(String::as_str)));
    found
}

/// The same without that notice, for whoever decides what counts.
pub fn list(inputs: &[String], mut stdin: impl BufRead) -> Names {
    let mut found = Names::default();
    for input in inputs {
        if input == "-" {
            found.add_list("-", &mut stdin);
        } else if let Some(path) = input.strip_prefix('@') {
            match fs::File::open(path) {
                Ok(file) => found.add_list(input, &mut BufReader::new(file)),
                Err(error) => found.problem(input, format!("the list cannot be read: {error}")),
            }
        } else {
            found.add(input);
        }
    }
    found
}

/// The notice that names stand there more than once, where any do.
pub fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    names.for_each(|name| *times.entry(name).or_default() += 1);
    let repeated: Vec<_> = times.into_iter().filter(|(_, times)| *times > 1).collect();
    let (name, times) = repeated.first()?;
    let others = match repeated.len() - 1 {
        0 => String::new(),
        others => format!(", and {others} more inputs are named repeatedly"),
    };
    Some(format!("{name} is named {times} times{others}; each counts"))
}

impl Names {
    pub(super) fn problem(&mut self, input: &str, message: impl Into<String>) {
        self.problems.push(NameProblem { input: input.to_owned(), message: message.into() });
    }

    /// Adds a path, or a problem when its name cannot go to GDAL unchanged.
    pub(super) fn add_path(&mut self, path: &Path) {
        match path.to_str() {
            Some(name) => self.names.push(name.to_owned()),
            None => self.problem(&format!("{path:?}"), "the name is not UTF-8; rename the file"),
        }
    }

    fn add(&mut self, input: &str) {
        if let Some(name) = name_of_address(input) {
            return self.names.push(name);
        }
        if is_for_gdal_alone(input) {
            return self.names.push(input.to_owned());
        }
        match fs::metadata(input) {
            Ok(metadata) if metadata.is_dir() => self.add_folder(Path::new(input)),
            Ok(_) => self.names.push(input.to_owned()),
            Err(_) if is_connection(input) => self.names.push(input.to_owned()),
            Err(_) if input.contains(['*', '?', '[']) => self.add_glob(input),
            // A missing file is a problem of inspection, told beside the problems of the files that exist.
            Err(_) => self.names.push(input.to_owned()),
        }
    }

    fn add_folder(&mut self, path: &Path) {
        let before = (self.names.len(), self.problems.len());
        folder::add_rasters(self, path);
        if before == (self.names.len(), self.problems.len()) {
            self.problem(&path.to_string_lossy(), "there is no raster in this folder");
        }
    }

    /// Adds what matches, as a shell would: sorted, hidden files left out, `**` for folders of any depth.
    fn add_glob(&mut self, pattern: &str) {
        let found = match globs::matches(pattern) {
            Ok(found) => found,
            Err(error) => {
                return self.problem(pattern, format!("there is no such file, nor is it a glob: {error}"));
            }
        };
        if found.paths.is_empty() && found.unreadable.is_empty() {
            self.problem(pattern, "no file matches");
        }
        for (folder, error) in found.unreadable {
            self.problem(&folder.to_string_lossy(), format!("the folder cannot be read: {error}"));
        }
        for path in found.paths {
            match path.is_dir() {
                true => self.add_folder(&path),
                false => self.add_path(&path),
            }
        }
    }

    fn add_list(&mut self, list: &str, lines: &mut dyn BufRead) {
        let mut any = false;
        for (index, line) in lines.split(b'\n').enumerate() {
            let place = format!("{list}, line {}", index + 1);
            let line = match line.map(String::from_utf8) {
                Ok(Ok(line)) => line,
                Ok(Err(_)) => {
                    any = true;
                    self.problem(&place, "the name is not UTF-8; rename the file");
                    continue;
                }
                Err(error) => return self.problem(&place, unreadable_list(&error)),
            };
            // Lists written on other systems may start with a byte order mark.
            let name = line.trim_start_matches('\u{feff}').trim();
            if name.is_empty() || name.starts_with('#') {
                continue;
            }
            any = true;
            if name == "-" || name.starts_with('@') {
                self.problem(&place, format!("'{name}': a list within a list is not read"));
            } else {
                self.add(name);
            }
        }
        if !any {
            self.problem(list, "the list names no input");
        }
    }
}

fn unreadable_list(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::IsADirectory => "this is a folder, not a list; name it without the @".to_owned(),
        _ => format!("the list cannot be read: {error}"),
    }
}

/// GDAL's name of an address of a scheme that it reads; nothing of other texts.
pub(super) fn name_of_address(input: &str) -> Option<String> {
    SCHEMES.iter().find_map(|(scheme, prefix)| Some(format!("{prefix}{}", input.strip_prefix(scheme)?)))
}

/// Names that mean nothing to the file system: GDAL's virtual files, other addresses, datasets written as XML.
fn is_for_gdal_alone(input: &str) -> bool {
    input.starts_with("/vsi") || input.starts_with('<') || input.contains("://")
}

/// Whether a name starts as GDAL's subdatasets and connections do: `NETCDF:"file.nc":variable`.
fn is_connection(input: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    input.split_once(':').is_some_and(|(driver, _)| {
        driver.len() > 1 && driver.starts_with(|c: char| c.is_ascii_alphabetic()) && driver.chars().all(word)
    })
}

#[cfg(test)]
mod tests;
