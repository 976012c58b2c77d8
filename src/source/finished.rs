//! What stands in the output already, read back to go on with it.

use std::ffi::c_int;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use gdal::Dataset;

use super::calls::{self, Destination};
use super::open::open;
use super::trap::checked;
use crate::geometry::Window;
use crate::pixels::Buffer;

/// An unfinished output whose blocks are entered in its header. It belongs to the thread that opened it.
pub struct Finished(Dataset);

impl Finished {
    /// Opens it.
    ///
    /// # Errors
    /// When GDAL does not take it.
    pub fn open(path: &Path) -> Result<Finished> {
        let name = path.to_str().context("the output's name is not UTF-8")?;
        checked("open what is finished", || open(name)).map(Finished)
    }

    /// Reads `part` of an area, of some bands, to its place in `pixels` (bands × rows × columns of the area), and where there
    /// is a mask, which of its pixels are valid into `mask` (rows × columns of the area, zero or not).
    ///
    /// # Errors
    /// When GDAL reports any failure.
    pub fn read(
        &self,
        (part, area): (Window, Window),
        bands: Range<usize>,
        pixels: &mut Buffer,
        mask: Option<&mut [u8]>,
    ) -> Result<()> {
        checked("read what is finished", || {
            let Window { column, row, .. } = part.from(area);
            let to = Destination { size: area.size(), column, row, band: 0 };
            pixels.resize(bands.len() * area.pixels());
            let numbers: Vec<c_int> = bands.map(|band| band as c_int + 1).collect();
            calls::read(&self.0, part, &numbers, pixels, to)?;
            mask.map_or(Ok(()), |mask| calls::read_mask(&self.0, part, mask, to))
        })
    }
}
