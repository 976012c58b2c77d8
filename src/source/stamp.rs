//! How a source's file looked when it was inspected, to notice when it changes under the job.

use std::time::SystemTime;

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
