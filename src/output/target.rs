//! The file under its temporary name beside its final place, and its way to the final name.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use tempfile::TempPath;

use super::leads_to::folder_of;
use super::part::{self, Index, Job, Opened, Stored, remove_if_there};
use crate::container::side_files::{METADATA, OVERVIEWS, behind, side_files};

/// A temporary file in the output's folder. Dropped without [`Target::persist`], it is removed.
#[derive(Debug)]
pub struct Target {
    // Declared first, dropped first: the index and the side file go with the temporary file.
    temporary: Option<TempPath>,
    index: Index,
    kept: bool,
    side_file: PathBuf,
    final_path: PathBuf,
    folder: PathBuf,
}

impl Target {
    /// Makes an empty file `.{file name}.{random}.partial` beside `final_path`, and its index.
    ///
    /// # Errors
    /// When the folder does not exist or may not be written; the message names it. When another run is making the same
    /// file.
    pub fn new(final_path: &Path) -> Result<Self> {
        let name = final_path.file_name().ok_or_else(|| anyhow!("{} names no file", final_path.display()))?;
        let folder = folder_of(final_path);
        ensure!(folder.is_dir(), "the folder {} does not exist; make it first", folder.display());
        // The index is made first: by it a part is known, whenever this process dies.
        let mut index = None;
        let temporary = tempfile::Builder::new()
            .prefix(&part::prefix(name))
            .suffix(part::PART)
            .make_in(folder, |path| {
                index = Some(Index::create(path)?);
                File::create_new(path)
            })
            .with_context(|| format!("cannot write into the folder {}", folder.display()))?
            .into_temp_path();
        let index = index.expect("made with the part");
        let target = Self::of(temporary, index, final_path);
        // Of two that begin at once, each sees the other's index.
        for other in target.left_by_others()? {
            match Index::open(&other)? {
                Opened::InWork => bail!(in_work(final_path)),
                Opened::Free(mut index, _) => index.set_kept(true),
            }
        }
        Ok(target)
    }

    /// Takes over the part that another run of the same job left, and tells what it holds; the one that holds most.
    /// Parts that hold nothing are removed. Nothing where there is none.
    ///
    /// # Errors
    /// When another run is at work on one, or when all that are left are those of other jobs: the message says what
    /// differs.
    pub fn take_over(final_path: &Path, job: &Job) -> Result<Option<(Self, Stored)>> {
        let mut own: Vec<(Self, Stored)> = Vec::new();
        let mut others = Vec::new();
        for path in part::beside(final_path)? {
            let Opened::Free(mut index, found) = Index::open(&path)? else { bail!(in_work(final_path)) };
            let Some((of, stored)) = found.filter(|_| path.is_file()) else {
                part::remove(&path)?;
                continue;
            };
            let differences = job.differences(&of);
            if !differences.is_empty() {
                index.set_kept(true);
                others.push(format!("{} is of another job:\n      {}", path.display(), shown(&differences)));
                continue;
            }
            let temporary = TempPath::try_from_path(&path).context("the folder's name")?;
            let mut target = Self::of(temporary, index, final_path);
            // Whatever comes of the others, this one is not lost.
            target.keep();
            own.push((target, stored));
        }
        if own.is_empty() && !others.is_empty() {
            let clean = format!("mosaic-stream clean {}", final_path.display());
            bail!("{}\n      ask for the same job, or remove what is left: {clean}", others.join("\n"));
        }
        let mut most = own.into_iter().max_by_key(|(_, stored)| stored.position);
        if let Some((target, _)) = &mut most {
            target.set_kept(false);
        }
        Ok(most)
    }

    fn of(temporary: TempPath, index: Index, final_path: &Path) -> Self {
        let side_file = behind(&temporary, METADATA);
        let (final_path, folder) = (final_path.to_owned(), folder_of(final_path).to_owned());
        Self { temporary: Some(temporary), index, kept: false, side_file, final_path, folder }
    }

    /// The parts of the same output that other runs have left, or work on.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn left_by_others(&self) -> Result<Vec<PathBuf>> {
        let mut parts = part::beside(&self.final_path)?;
        parts.retain(|part| part.file_name() != self.path().file_name());
        Ok(parts)
    }

    /// The index, to append entries to.
    ///
    /// # Errors
    /// When the process may open no more files.
    pub fn index(&self) -> Result<File> {
        self.index.file().context("open the index of the part")
    }

    /// Leaves the unfinished file for a run that goes on with it; returns where it is.
    pub fn keep(&mut self) -> PathBuf {
        self.set_kept(true);
        self.path().to_owned()
    }

    fn set_kept(&mut self, kept: bool) {
        self.index.set_kept(kept);
        self.kept = kept;
        if let Some(temporary) = self.temporary.as_mut() {
            temporary.disable_cleanup(kept);
        }
    }

    /// The temporary file; a watchdog that ends the process may remove it.
    pub fn path(&self) -> &Path {
        self.temporary.as_deref().expect("kept until persisted or dropped")
    }

    /// The side file that GDAL may have made beside the temporary file.
    pub fn side_file(&self) -> &Path {
        &self.side_file
    }

    /// Why a path is too long to write to, where it is: the file needs a name while it is unfinished, and GDAL may write
    /// another one beside it.
    pub fn too_long(final_path: &Path) -> Option<String> {
        /// What file systems allow for a name.
        const NAME: usize = 255;
        /// What GDAL before 3.11 has room for (CPL_PATH_BUF_SIZE), and what is put into it beside folder and name.
        const PATH: usize = 2047;
        const ADDED: usize = 40;
        let name = final_path.file_name().unwrap_or_default().len();
        let (path, most) = (final_path.as_os_str().len(), NAME - METADATA.len());
        if name > most {
            return Some(format!("a file's name of {name} bytes is too long, {most} are possible"));
        }
        (path > PATH - ADDED)
            .then(|| format!("a path of {path} bytes is too long, GDAL has room for {}", PATH - ADDED))
    }

    /// Files under the final name, or beside it and read as belonging to it: what overwriting would replace.
    pub fn existing(final_path: &Path) -> Vec<PathBuf> {
        let all = [final_path.to_owned()].into_iter().chain(side_files(final_path));
        all.filter(|path| fs::symlink_metadata(path).is_ok()).collect()
    }

    /// Gives the file its final name.
    ///
    /// # Errors
    /// When there is a file of that name and `overwrite` is not set, or when it cannot be renamed; then the final
    /// name still has what it had.
    pub fn persist(&mut self, overwrite: bool) -> Result<()> {
        let name = self.final_path.display();
        if !overwrite && let Some(existing) = Self::existing(&self.final_path).first() {
            bail!("{} exists already; it stays as it is (--overwrite replaces it)", existing.display());
        }
        if self.side_file.exists() {
            let durable = File::open(&self.side_file).and_then(|file| file.sync_all());
            durable.with_context(|| format!("cannot make {} durable", self.side_file.display()))?;
        }
        // Those of a replaced file would be taken for the new one's. Without its overviews the old one is still right.
        remove_if_there(&behind(&self.final_path, OVERVIEWS))
            .with_context(|| format!("cannot remove the overviews of {name}"))?;
        let temporary = self.temporary.take().expect("kept until persisted or dropped");
        let renamed = match overwrite {
            true => temporary.persist(&self.final_path),
            false => temporary.persist_noclobber(&self.final_path),
        };
        renamed.map_err(|refused| {
            self.temporary = Some(refused.path);
            anyhow::Error::new(refused.error).context(format!("cannot give the file its name {name}"))
        })
    }

    /// Gives the side file its name, removes those of a replaced file, and makes the names durable. The output has its
    /// name already: returns what went wrong, for people to know.
    pub fn settle(self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut done = |result: io::Result<()>, what: String| {
            warnings.extend(result.err().map(|error| format!("{what}: {error}")));
        };
        let metadata = behind(&self.final_path, METADATA);
        for side_file in side_files(&self.final_path) {
            let replaced = match side_file == metadata && self.side_file.exists() {
                true => fs::rename(&self.side_file, &side_file),
                false => remove_if_there(&side_file),
            };
            done(replaced, format!("{} is not the output's, and cannot be replaced", side_file.display()));
        }
        let folder = File::open(&self.folder).and_then(|folder| folder.sync_all());
        done(folder, format!("the folder {} cannot be made durable", self.folder.display()));
        warnings
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing more can be done about a file that will not go.
            let _ = remove_if_there(&self.side_file);
        }
    }
}

fn in_work(path: &Path) -> String {
    format!("{}: another run is making it; let that one end, or stop it", path.display())
}

/// What differs, a line each, the first of many.
fn shown(lines: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text = lines[..lines.len().min(SHOWN)].join("\n      ");
    if lines.len() > SHOWN {
        text += &format!("\n      and {} more", lines.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests;
