//! Keeps the encoded blocks of overviews until the file's end is known: in a file without a name, beside the output.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

use super::append::write_error;
use super::{BlockId, BlockRecord, EncodedBlock};

/// Blocks of overviews, taken from any worker in any order.
#[derive(Debug)]
pub struct OverviewStore {
    folder: PathBuf,
    file: File,
    end: AtomicU64,
    records: Mutex<Vec<BlockRecord>>,
}

/// What was kept.
pub(super) struct Kept {
    pub file: File,
    /// In no order; offsets are those in `file`.
    pub records: Vec<BlockRecord>,
}

impl OverviewStore {
    /// An empty store in the folder of `output`, on whose disk its bytes will end in any case. It vanishes with the
    /// process.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn beside(output: &Path) -> Result<OverviewStore> {
        let folder = match output.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let file = tempfile::tempfile_in(&folder)
            .with_context(|| format!("cannot keep overviews in the folder {}", folder.display()))?;
        Ok(OverviewStore { folder, file, end: AtomicU64::new(0), records: Mutex::new(Vec::new()) })
    }

    /// Keeps a block.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, id: BlockId, block: &EncodedBlock) -> Result<()> {
        let size = u32::try_from(block.bytes.len()).context("an overview's block of more than 4 GiB")?;
        let offset = self.end.fetch_add(size.into(), Ordering::Relaxed);
        let written = self.file.write_all_at(&block.bytes, offset);
        written.map_err(|error| write_error(&self.folder, error)).context("keep overviews")?;
        let record = BlockRecord { id, offset, size, checksum: block.checksum };
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        Ok(())
    }

    pub(super) fn into_kept(self) -> Kept {
        let records = self.records.into_inner().unwrap_or_else(PoisonError::into_inner);
        Kept { file: self.file, records }
    }
}
