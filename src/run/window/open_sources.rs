//! The sources that a worker has open.

use anyhow::Result;

use crate::source::{Handle, Mosaic, Patience};

/// Open sources, the one used last at the end; beyond `most` the one unused for longest is closed.
pub struct OpenSources<'a> {
    mosaic: &'a Mosaic,
    most: usize,
    open: Vec<(usize, Handle)>,
}

impl<'a> OpenSources<'a> {
    /// None of the mosaic's sources yet.
    pub fn new(mosaic: &'a Mosaic, most: usize) -> OpenSources<'a> {
        OpenSources { mosaic, most, open: Vec::new() }
    }

    /// The source with this index in the mosaic, opened now when it is not open yet.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn get(&mut self, index: usize, patience: Patience) -> Result<&Handle> {
        let handle = match self.open.iter().position(|(open, _)| *open == index) {
            Some(position) => self.open.remove(position).1,
            None => {
                if self.open.len() >= self.most {
                    self.open.remove(0);
                }
                Handle::open(self.mosaic, &self.mosaic.sources[index], patience)?
            }
        };
        self.open.push((index, handle));
        Ok(&self.open.last().expect("pushed just now").1)
    }
}
