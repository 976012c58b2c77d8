//! What stood in the output when the run began, and is not made again.

use std::ops::Range;
use std::path::Path;

use anyhow::Result;

use crate::geometry::Window;
use crate::pixels::Buffer;
use crate::plan::Jobs;
use crate::source::Finished;

/// An output that an earlier run began.
pub struct FinishedPart<'a> {
    /// All blocks before this position, counted row by row, stand in it, and are entered in its header.
    pub position: u64,
    /// The windows of this run.
    pub jobs: &'a Jobs,
    /// The file.
    pub path: &'a Path,
}

impl FinishedPart<'_> {
    /// Whether all blocks of a window stood in it.
    pub fn has(&self, window: Window) -> bool {
        self.jobs.is_before(window, self.position)
    }

    /// The pixels of a window whose blocks did not stand in it.
    pub fn missing(&self, window: Window) -> Vec<Window> {
        let [_, missing] = self.jobs.cut_at(window, self.position);
        missing
    }
}

/// A worker's way to its pixels.
pub struct FinishedReader<'a> {
    part: &'a FinishedPart<'a>,
    file: Option<Finished>,
}

impl<'a> FinishedReader<'a> {
    /// Nothing is opened yet.
    pub fn new(part: &'a FinishedPart<'a>) -> FinishedReader<'a> {
        FinishedReader { part, file: None }
    }

    /// Reads what stood in it of some bands of an area into `pixels` (bands × rows × columns), and where there is a mask,
    /// which of these pixels are valid into `mask` (rows × columns, 1 or 0). All others stay as they are.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(
        &mut self,
        area: Window,
        bands: Range<usize>,
        pixels: &mut Buffer,
        mut mask: Option<&mut [u8]>,
    ) -> Result<()> {
        let [stored, _] = self.part.jobs.cut_at(area, self.part.position);
        for part in stored {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(Finished::open(self.part.path)?),
            };
            file.read((part, area), bands.clone(), pixels, mask.as_deref_mut())?;
        }
        mask.into_iter().flatten().for_each(|valid| *valid = u8::from(*valid != 0));
        Ok(())
    }
}
