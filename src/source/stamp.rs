//! How a source's files looked when it was inspected, to notice when they change under the job.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::SystemTime;
use std::{fs, io};

use super::trust::is_path;
use super::{Source, references};

/// What GDAL reads archives through; what lies in them looks as the archive does.
const ARCHIVES: [&str; 5] = ["/vsizip/", "/vsitar/", "/vsigzip/", "/vsi7z/", "/vsirar/"];

/// Size and time of a local file, or of all files of a folder that is a raster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    modified: Option<SystemTime>,
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} bytes", self.size)?;
        let since = self.modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        since.map_or(Ok(()), |since| write!(out, " of {}.{:09}", since.as_secs(), since.subsec_nanos()))
    }
}

impl Stamp {
    /// The stamp of what GDAL reads of this machine as `name`: of a file, of the archive that it lies in, or of a folder:
    /// the bytes of all its files and the youngest one's time. `None` for what lies elsewhere.
    pub fn of(name: &str) -> Option<Stamp> {
        let path = archive(name).unwrap_or(Path::new(name));
        let metadata = fs::metadata(path).ok()?;
        if metadata.is_dir() {
            return Stamp::of_folder(path).ok();
        }
        metadata.is_file().then(|| Stamp::in_metadata(&metadata))
    }

    fn in_metadata(metadata: &fs::Metadata) -> Stamp {
        Stamp { size: metadata.len(), modified: metadata.modified().ok() }
    }

    fn of_folder(folder: &Path) -> io::Result<Stamp> {
        let mut all = Stamp { size: 0, modified: None };
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let one = match entry.file_type()?.is_dir() {
                true => Stamp::of_folder(&entry.path())?,
                false => Stamp::in_metadata(&entry.metadata()?),
            };
            all = Stamp { size: all.size + one.size, modified: all.modified.max(one.modified) };
        }
        Ok(all)
    }
}

/// The file of this machine that is the (outermost) archive with this name in it.
fn archive(name: &str) -> Option<&Path> {
    let through =
        |name: &str| ARCHIVES.iter().find(|prefix| name.starts_with(**prefix)).map(|prefix| prefix.len());
    let mut inside = &name[through(name)?..];
    // Archives in archives, with or without braces around the name of the outer one.
    while let Some(skipped) = through(inside).or(inside.starts_with('{').then_some(1)) {
        inside = &inside[skipped..];
    }
    let inside = inside.split('}').next().unwrap_or(inside);
    Path::new(inside).ancestors().find(|path| path.is_file())
}

/// A further file that is read with a source: what it refers to, or what lies beside it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Companion {
    name: String,
    stamp: Stamp,
}

/// The local ones among files, by name.
pub fn companions(files: BTreeSet<String>) -> Vec<Companion> {
    files.into_iter().filter_map(|name| Stamp::of(&name).map(|stamp| Companion { name, stamp })).collect()
}

impl Source {
    /// Its files, its own name first, each with how it looked; of what is no local file there is no stamp.
    pub fn files(&self) -> impl Iterator<Item = (&str, Option<Stamp>)> {
        let companions = self.companions.iter().map(|file| (&*file.name, Some(file.stamp)));
        std::iter::once((&*self.name, self.stamp)).chain(companions)
    }

    /// The first of its files that looks otherwise than when it was inspected, is gone, or has come.
    pub fn changed_file(&self) -> Option<String> {
        let local = || self.files().filter(|(_, stamp)| stamp.is_some());
        let changed = local().find(|(name, stamp)| Stamp::of(name) != *stamp);
        let is_known = |name: &String| self.companions.binary_search_by(|file| file.name.cmp(name)).is_ok();
        let come = || {
            local()
                .filter(|(name, _)| is_path(name))
                .flat_map(|(name, _)| references::beside(name))
                .find(|name| !is_known(name) && Stamp::of(name).is_some())
        };
        changed.map(|(name, _)| name.to_owned()).or_else(come)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::PixelType;
    use crate::source::sample;

    #[test]
    fn what_lies_in_an_archive_or_in_a_folder_looks_as_that_does() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().to_str().unwrap();
        fs::create_dir_all(format!("{root}/a.zarr/deep")).unwrap();
        for name in ["a.zip", "a.zarr/b", "a.zarr/deep/c"] {
            fs::write(format!("{root}/{name}"), name).unwrap();
        }
        let of = |name: &str| Stamp::of(&name.replace("ROOT", root)).map(|stamp| stamp.size);
        let inside = ["/vsizip/ROOT/a.zip/d/b.tif", "/vsizip/ROOT/a.zip", "/vsigzip//vsitar/ROOT/a.zip/b"];
        let braces = ["/vsizip/{ROOT/a.zip}/b.tif", "/vsizip/{/vsizip/{ROOT/a.zip}/b.zip}/c.tif"];
        for name in inside.into_iter().chain(braces) {
            assert_eq!(of(name), Some(5), "{name}");
        }
        assert_eq!(of("ROOT/a.zarr"), Some(8 + 13));
        for elsewhere in [
            "/vsizip/ROOT/b.zip/c.tif",
            "/vsicurl/http://a/b.tif",
            "/vsizip//vsicurl/http://a/b.zip/c",
            "ROOT/c",
        ] {
            assert_eq!(of(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn every_file_of_a_source_is_looked_at_again() {
        let temporary = tempfile::tempdir().unwrap();
        let at = |name: &str| temporary.path().join(name).to_str().unwrap().to_owned();
        let write = |name: &str, text: &str| std::fs::write(at(name), text).unwrap();
        ["a.vrt", "a.vrt.msk", "b.tif"].iter().for_each(|name| write(name, "1"));
        let mut source = sample::source(&at("a.vrt"), 0.0, PixelType::Byte, 1);
        source.stamp = Stamp::of(&source.name);
        let others = [at("a.vrt.msk"), at("b.tif"), at("none.tif"), "/vsizip/a.zip/b.tif".into()];
        source.companions = companions(others.into()).into();
        assert_eq!(source.files().count(), 3);
        for (name, text) in [("a.vrt", "12"), ("a.vrt.msk", "12"), ("b.tif", ""), ("b.tif.ovr", "1")] {
            assert_eq!(source.changed_file(), None);
            write(name, text);
            assert_eq!(source.changed_file(), Some(at(name)));
            match name {
                "b.tif.ovr" => std::fs::remove_file(at(name)).unwrap(),
                _ => {
                    let time =
                        source.files().find(|(file, _)| *file == at(name)).unwrap().1.unwrap().modified;
                    write(name, "1");
                    let file = std::fs::File::options().write(true).open(at(name)).unwrap();
                    file.set_modified(time.unwrap()).unwrap();
                }
            }
        }
        std::fs::remove_file(at("b.tif")).unwrap();
        assert_eq!(source.changed_file(), Some(at("b.tif")));
    }
}
