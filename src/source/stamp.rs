//! How a source's files looked when it was inspected, to notice when they change under the job.

use std::collections::BTreeSet;
use std::time::SystemTime;

use super::trust::is_path;
use super::{Source, references};

/// Size and time of a local file.
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
    /// The stamp of the local file `name`; `None` for anything else that GDAL opens by name.
    pub fn of(name: &str) -> Option<Stamp> {
        let metadata = std::fs::metadata(name).ok().filter(|m| m.is_file())?;
        Some(Stamp { size: metadata.len(), modified: metadata.modified().ok() })
    }
}

/// A further file that is read with a source: what it refers to, or what lies beside it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Companion {
    name: String,
    stamp: Stamp,
}

/// The local ones among files, by name.
pub fn companions(files: BTreeSet<String>) -> Vec<Companion> {
    let local = files.into_iter().filter(|file| is_path(file));
    local.filter_map(|name| Stamp::of(&name).map(|stamp| Companion { name, stamp })).collect()
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
