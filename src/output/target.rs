//! The file under its temporary name beside its final place, and its way to the final name.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use tempfile::TempPath;

/// What GDAL may find beside a GeoTIFF and take as belonging to it: statistics and categories, overviews, a mask.
const SIDE_FILES: [&str; 3] = [".aux.xml", ".ovr", ".msk"];

/// A temporary file in the output's folder. Dropped without [`Target::persist`], it is removed.
#[derive(Debug)]
pub struct Target {
    // Declared first, dropped first: the side file goes with the temporary file.
    temporary: Option<TempPath>,
    side_file: PathBuf,
    final_path: PathBuf,
    folder: PathBuf,
}

impl Target {
    /// Makes an empty file `.{file name}.{random}.partial` beside `final_path`.
    ///
    /// # Errors
    /// When the folder does not exist or may not be written; the message names it.
    pub fn new(final_path: &Path) -> Result<Self> {
        let name = final_path.file_name().ok_or_else(|| anyhow!("{} names no file", final_path.display()))?;
        let folder = match final_path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        ensure!(folder.is_dir(), "the folder {} does not exist; make it first", folder.display());
        let mut prefix = OsString::from(".");
        // File systems allow 255 bytes.
        prefix.push(if name.len() <= 200 { name } else { "output".as_ref() });
        prefix.push(".");
        // Permissions as of any new file: the umask is applied.
        let temporary = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(".partial")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .with_context(|| format!("cannot write into the folder {}", folder.display()))?
            .into_temp_path();
        let side_file = beside(&temporary, SIDE_FILES[0]);
        let (final_path, folder) = (final_path.to_owned(), folder.to_owned());
        Ok(Self { temporary: Some(temporary), side_file, final_path, folder })
    }

    /// The temporary file; a watchdog that ends the process may remove it.
    pub fn path(&self) -> &Path {
        self.temporary.as_deref().expect("kept until persisted or dropped")
    }

    /// The side file that GDAL may have made beside the temporary file.
    pub fn side_file(&self) -> &Path {
        &self.side_file
    }

    /// Files under the final name, or beside it and read as belonging to it: what overwriting would replace.
    pub fn existing(final_path: &Path) -> Vec<PathBuf> {
        let sides = SIDE_FILES.map(|ending| beside(final_path, ending));
        let all = [final_path.to_owned()].into_iter().chain(sides);
        all.filter(|path| fs::symlink_metadata(path).is_ok()).collect()
    }

    /// Gives the file its final name, and its side file with it, durably. Side files of a replaced file are removed.
    ///
    /// # Errors
    /// When there is a file of that name and `overwrite` is not set, or when it cannot be renamed; then the final
    /// name still has what it had, and the temporary file is removed.
    pub fn persist(mut self, overwrite: bool) -> Result<()> {
        let name = self.final_path.display();
        if !overwrite && let Some(existing) = Self::existing(&self.final_path).first() {
            bail!("{} exists already; it stays as it is (--overwrite replaces it)", existing.display());
        }
        let temporary = self.temporary.take().expect("kept until persisted or dropped");
        let renamed = match overwrite {
            true => temporary.persist(&self.final_path),
            false => temporary.persist_noclobber(&self.final_path),
        };
        renamed
            .map_err(|error| error.error)
            .with_context(|| format!("cannot give the file its name {name}"))?;
        for ending in SIDE_FILES {
            let side_file = beside(&self.final_path, ending);
            let replaced = match ending == SIDE_FILES[0] && self.side_file.exists() {
                true => fs::rename(&self.side_file, &side_file),
                false => remove_if_there(&side_file),
            };
            replaced.with_context(|| format!("cannot replace {}", side_file.display()))?;
        }
        let folder = File::open(&self.folder).and_then(|folder| folder.sync_all());
        folder.with_context(|| format!("cannot make the folder {} durable", self.folder.display()))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // Nothing more can be done about a file that will not go.
        let _ = remove_if_there(&self.side_file);
    }
}

/// The path with an ending added.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names in a folder, sorted.
    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_dropped_target_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::new(&folder.path().join("a.tif")).unwrap();
        fs::write(target.side_file(), "x").unwrap();
        let found = names(folder.path());
        assert!(found[0].starts_with(".a.tif.") && found[0].ends_with(".partial"), "{found:?}");
        drop(target);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_persisted_target_takes_its_side_file_along() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        for stale in ["a.tif", "a.tif.ovr", "a.tif.aux.xml"] {
            fs::write(folder.path().join(stale), "old").unwrap();
        }
        let target = Target::new(&path).unwrap();
        fs::write(target.path(), "new").unwrap();
        let error = target.persist(false).unwrap_err();
        assert!(error.to_string().contains("a.tif exists"), "{error:#}");
        assert_eq!(names(folder.path()), ["a.tif", "a.tif.aux.xml", "a.tif.ovr"]);
        let target = Target::new(&path).unwrap();
        fs::write(target.path(), "new").unwrap();
        fs::write(target.side_file(), "names").unwrap();
        target.persist(true).unwrap();
        assert_eq!(names(folder.path()), ["a.tif", "a.tif.aux.xml"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_to_string(folder.path().join("a.tif.aux.xml")).unwrap(), "names");
        let target = Target::new(&path).unwrap();
        target.persist(true).unwrap();
        assert_eq!(names(folder.path()), ["a.tif"]);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Target::new(&folder.path().join("nowhere/a.tif")).unwrap_err();
        assert!(error.to_string().contains("nowhere does not exist"), "{error:#}");
    }
}
