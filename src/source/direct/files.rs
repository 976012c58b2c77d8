//! Open GeoTIFFs that are read directly, shared by all workers: positioned reads need no handle of one's own.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use super::DirectLayout;
use crate::codec::{BlockLayout, max_encoded_len};
use crate::container::{self, Directory, ReadAt};
use crate::source::watch::about_to_read;
use crate::source::{FileReader, Source};

/// An open file and what its header says.
pub struct DirectFile {
    /// The file.
    pub file: FileReader,
    /// Its image.
    pub directory: Directory,
    /// How its blocks are decoded.
    pub layout: DirectLayout,
}

impl DirectFile {
    /// The shape of the blocks in one row of blocks.
    pub(super) fn shape(&self, row: usize) -> BlockLayout {
        self.layout.block_layout(row, self.directory.size.rows)
    }

    /// Reads the encoded bytes of the block at this place of the index; none where the file holds no such block.
    pub(super) fn read_encoded(&self, place: u64, encoded: &mut Vec<u8>) -> Result<()> {
        let (offset, size) = self.directory.block_ranges_of(&self.file, place..place + 1)?[0];
        // GDAL may know the size all the same: of a lone strip it counts itself.
        ensure!(size > 0 || offset == 0, "block {place} has a place and no bytes");
        let raw = self.layout.block_bytes();
        let most = max_encoded_len(self.layout.compression, raw) as u64 * 2 + 4096;
        ensure!(size <= most, "block {place} claims {size} bytes, more than a block of {raw} bytes can need");
        encoded.resize(size as usize, 0);
        self.file
            .read_at(offset, encoded)
            .with_context(|| format!("block {place}, {size} bytes at byte {offset}"))
    }
}

/// The files that are open, the ones used last; a bounded number of them.
pub struct DirectFiles {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: HashMap<usize, (Arc<DirectFile>, u64)>,
    by_use: BTreeMap<u64, usize>,
    uses: u64,
}

impl DirectFiles {
    /// No open file, and at most so many.
    pub fn new(most: usize) -> DirectFiles {
        DirectFiles { most: most.max(1), state: Mutex::default() }
    }

    /// The file of the source with this index.
    ///
    /// # Errors
    /// When it is gone, or no longer the raster that was inspected.
    pub fn get(&self, index: usize, source: &Source) -> Result<Arc<DirectFile>> {
        about_to_read(&source.name);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = state.find(index) {
            return Ok(file);
        }
        drop(state);
        let file = Arc::new(open(source)?);
        state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.keep(index, &file, self.most);
        Ok(file)
    }
}

impl State {
    fn find(&mut self, index: usize) -> Option<Arc<DirectFile>> {
        self.uses += 1;
        let (file, used) = self.open.get_mut(&index)?;
        self.by_use.remove(used);
        *used = self.uses;
        self.by_use.insert(self.uses, index);
        Some(Arc::clone(file))
    }

    fn keep(&mut self, index: usize, file: &Arc<DirectFile>, most: usize) {
        self.uses += 1;
        if let Some((_, used)) = self.open.insert(index, (Arc::clone(file), self.uses)) {
            self.by_use.remove(&used);
        }
        self.by_use.insert(self.uses, index);
        while self.open.len() > most {
            let Some((_, oldest)) = self.by_use.pop_first() else { return };
            self.open.remove(&oldest);
        }
    }
}

fn open(source: &Source) -> Result<DirectFile> {
    let opened = || -> Result<DirectFile> {
        let file = FileReader::open(source.name.as_ref().as_ref())?;
        let directory =
            container::directories(&file)?.into_iter().next().context("it holds no image any more")?;
        let layout = DirectLayout::of(&directory, source.size, &source.bands);
        ensure!(layout.as_ref() == source.direct.as_ref(), "it is not the raster that was inspected");
        Ok(DirectFile { file, directory, layout: layout.map_err(anyhow::Error::msg)? })
    };
    opened().with_context(|| format!("{}: the source could not be opened again", source.name))
}
