//! Globs as shells know them: sorted, hidden files left out, `**` for folders of any depth. Names that are not UTF-8 are
//! found, too: whoever asked for them must hear of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern, PatternError};

/// What a glob stands for.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// Files and folders, sorted folder by folder.
    pub paths: Vec<PathBuf>,
    /// Folders that could not be read.
    pub unreadable: Vec<(PathBuf, io::Error)>,
}

/// What matches, part by part of the pattern.
///
/// # Errors
/// When a part is no pattern.
pub(super) fn matches(pattern: &str) -> Result<Matches, PatternError> {
    let parts: Vec<Part> =
        pattern.split('/').filter(|part| !part.is_empty()).map(Part::new).collect::<Result<_, _>>()?;
    let mut found = Matches::default();
    found.follow(Path::new(if pattern.starts_with('/') { "/" } else { "" }), &parts);
    Ok(found)
}

/// A part of a pattern, between two separators.
enum Part {
    Plain(String),
    AnyDepth,
    Names(Pattern),
}

impl Part {
    fn new(text: &str) -> Result<Part, PatternError> {
        Ok(match text {
            "**" => Part::AnyDepth,
            _ if text.contains(['*', '?', '[']) => Part::Names(Pattern::new(text)?),
            _ => Part::Plain(text.to_owned()),
        })
    }
}

const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

impl Matches {
    /// Adds what the rest of the pattern matches below `folder`.
    fn follow(&mut self, folder: &Path, parts: &[Part]) {
        let Some((part, rest)) = parts.split_first() else {
            return self.paths.push(folder.to_owned());
        };
        match part {
            Part::Plain(name) => {
                let path = folder.join(name);
                if path.symlink_metadata().is_ok() {
                    self.follow(&path, rest);
                }
            }
            Part::AnyDepth => {
                self.follow(folder, rest);
                // Whoever names a folder means all in it.
                if !rest.is_empty() {
                    self.each(folder, &mut |found, path, name| {
                        let is_folder = || path.is_dir() && !path.is_symlink();
                        if !name.starts_with('.') && is_folder() {
                            found.follow(path, parts);
                        }
                    });
                }
            }
            Part::Names(pattern) => self.each(folder, &mut |found, path, name| {
                if pattern.matches_with(name, OPTIONS) && (rest.is_empty() || path.is_dir()) {
                    found.follow(path, rest);
                }
            }),
        }
    }

    /// Does something with everything in a folder, by path and name; a name that is not UTF-8 is told as well as it can.
    fn each(&mut self, folder: &Path, act: &mut dyn FnMut(&mut Matches, &Path, &str)) {
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let names = fs::read_dir(here)
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>());
        match names {
            Ok(mut names) => {
                names.sort();
                names.iter().for_each(|name| act(self, &folder.join(name), &name.to_string_lossy()));
            }
            Err(error) => self.unreadable.push((here.to_owned(), error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn patterns_match_as_in_a_shell_and_names_that_are_not_utf8_too() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("deep/er")).unwrap();
        fs::create_dir(folder.path().join(".hidden")).unwrap();
        for name in ["b.tif", "a.tif", ".c.tif", "deep/d.tif", "deep/er/e.tif", ".hidden/f.tif"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let odd = OsStr::from_bytes(b"z\xff.tif");
        fs::write(folder.path().join(odd), "").unwrap();
        let found = |pattern: &str| -> Vec<PathBuf> {
            let paths = matches(&format!("{}/{pattern}", folder.path().display())).unwrap().paths;
            paths.iter().map(|path| path.strip_prefix(folder.path()).unwrap().to_owned()).collect()
        };
        assert_eq!(found("*.tif"), [Path::new("a.tif"), Path::new("b.tif"), Path::new(odd)]);
        assert_eq!(found("**/[de].tif"), [Path::new("deep/d.tif"), Path::new("deep/er/e.tif")]);
        assert_eq!(found("*/*/e.tif"), [Path::new("deep/er/e.tif")]);
        assert_eq!(found(".*.tif"), [Path::new(".c.tif")]);
        assert_eq!((found("a.t?f").len(), found("x*").len(), found("a.tif/*").len()), (1, 0, 0));
        assert!(matches("a[").is_err() && matches("a**b").is_err());
    }
}
