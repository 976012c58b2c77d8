//! The list of inputs: from what was typed to one name a raster, in order.
//!
//! Nothing is opened here; whether a named file is a good raster is found by inspection. Only in folders is there a
//! choice to make, and there a file counts when its extension is a raster's (so that a damaged one is not passed
//! over) or GDAL identifies it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::folder;

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
pub fn expand(inputs: &[String], mut stdin: impl BufRead) -> Names {
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
    found.notice_repeated();
    found
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
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let matches = match glob::glob_with(pattern, options) {
            Ok(matches) => matches,
            Err(error) => {
                return self.problem(pattern, format!("there is no such file, nor is it a glob: {error}"));
            }
        };
        let mut matched = false;
        for path in matches {
            matched = true;
            match path {
                Ok(path) if path.is_dir() => self.add_folder(&path),
                Ok(path) => self.add_path(&path),
                Err(error) => self.problem(pattern, error.to_string()),
            }
        }
        if !matched {
            self.problem(pattern, "no file matches");
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

    fn notice_repeated(&mut self) {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &self.names {
            *times.entry(name).or_default() += 1;
        }
        let repeated: Vec<_> = times.into_iter().filter(|(_, times)| *times > 1).collect();
        let Some((name, times)) = repeated.first() else { return };
        let others = match repeated.len() - 1 {
            0 => String::new(),
            others => format!(", and {others} more inputs are named repeatedly"),
        };
        self.notices.push(format!("{name} is named {times} times{others}; each counts"));
    }
}

fn unreadable_list(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::IsADirectory => "this is a folder, not a list; name it without the @".to_owned(),
        _ => format!("the list cannot be read: {error}"),
    }
}

fn name_of_address(input: &str) -> Option<String> {
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
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn expand_texts(inputs: &[&str], stdin: &str) -> Names {
        let inputs: Vec<_> = inputs.iter().map(|input| input.to_string()).collect();
        expand(&inputs, stdin.as_bytes())
    }

    fn in_folder(files: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(folder.path().join(file), "x").unwrap();
        }
        let path = folder.path().to_owned();
        (folder, path)
    }

    #[test]
    fn names_that_only_gdal_knows_pass_and_addresses_are_turned_into_them() {
        let same = [
            "/vsizip/a.zip/b.tif",
            "NETCDF:\"a*.nc\":x",
            "vrt://a.tif?bands=1",
            "<VRTDataset/>",
            "missing.tif",
        ];
        assert_eq!(expand_texts(&same, "").names, same);
        let addresses =
            ["https://e.org/a.tif?x=1", "s3://b/k.tif", "gs://b/k.tif", "az://c/k.tif", "file:///d/a.tif"];
        let names = expand_texts(&addresses, "").names;
        let expected = [
            "/vsicurl/https://e.org/a.tif?x=1",
            "/vsis3/b/k.tif",
            "/vsigs/b/k.tif",
            "/vsiaz/c/k.tif",
            "/d/a.tif",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn globs_match_in_order_unless_a_file_has_that_very_name() {
        let (_keep, folder) = in_folder(&["b1.tif", "a1.tif", "c[1].tif", ".d1.tif"]);
        let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let found = expand_texts(&[&at("*1.tif"), &at("c[1].tif")], "");
        assert_eq!(found.names, [at("a1.tif"), at("b1.tif"), at("c[1].tif")]);
        let found = expand_texts(&[&at("z*.tif"), &at("[.tif")], "");
        assert!(found.names.is_empty());
        assert_eq!(found.problems[0].message, "no file matches");
        assert_eq!(found.problems.len(), 2);
    }

    #[test]
    fn a_folder_without_rasters_is_a_problem() {
        let (_keep, folder) = in_folder(&["notes.txt", "a.tif"]);
        let at = folder.to_str().unwrap();
        assert_eq!(expand_texts(&[at], "").names, [format!("{at}/a.tif")]);
        fs::remove_file(folder.join("a.tif")).unwrap();
        assert_eq!(expand_texts(&[at], "").problems[0].message, "there is no raster in this folder");
    }

    #[test]
    fn lists_hold_one_input_a_line() {
        let (_keep, folder) = in_folder(&["a.tif", "b.tif", "empty.txt"]);
        let list = folder.join("list.txt");
        let pattern = folder.join("*.tif");
        fs::write(&list, format!("\u{feff}# scenes\r\nx.tif\r\n\r\n  {}\ns3://b/k\n", pattern.display()))
            .unwrap();
        let input = format!("@{}", list.display());
        let found = expand_texts(&[&input, "-"], "y.tif\n#z.tif\n");
        let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        assert_eq!(
            found.names,
            ["x.tif".into(), at("a.tif"), at("b.tif"), "/vsis3/b/k".into(), "y.tif".into()]
        );
        assert!(found.problems.is_empty(), "{:?}", found.problems);
    }

    #[test]
    fn lists_that_name_nothing_are_problems() {
        let (_keep, folder) = in_folder(&[]);
        fs::write(folder.join("empty.txt"), "# nothing\n").unwrap();
        fs::write(folder.join("odd.txt"), b"a\xff.tif\n@other.txt\n").unwrap();
        let inputs =
            ["none.txt", "empty.txt", "odd.txt", "."].map(|name| format!("@{}", folder.join(name).display()));
        let found = expand(&inputs, &b""[..]);
        let messages: Vec<_> = found.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(messages.len(), 5, "{messages:?}");
        assert!(messages[0].starts_with("the list cannot be read"));
        assert_eq!(messages[1], "the list names no input");
        assert!(messages[2].contains("UTF-8") && found.problems[2].input.ends_with("odd.txt, line 1"));
        assert!(messages[3].contains("a list within a list"));
        assert!(messages[4].contains("this is a folder"));
    }

    #[test]
    fn a_raster_named_twice_counts_twice_and_is_told() {
        let found = expand_texts(&["b.tif", "a.tif", "b.tif"], "");
        assert_eq!(found.names, ["b.tif", "a.tif", "b.tif"]);
        assert_eq!(found.notices, ["b.tif is named 2 times; each counts"]);
        assert!(expand_texts(&["b.tif", "a.tif"], "").notices.is_empty());
    }
}
