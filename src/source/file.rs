//! A file on disk as something that is read at any place.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::container::ReadAt;

/// A file that is open for reading; its size is taken once.
#[derive(Debug)]
pub struct FileReader {
    file: File,
    size: u64,
}

impl FileReader {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be opened; the message names it.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let size =
            file.metadata().with_context(|| format!("cannot ask for the size of {}", path.display()))?.len();
        Ok(Self { file, size })
    }
}

impl ReadAt for FileReader {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn size(&self) -> u64 {
        self.size
    }
}
