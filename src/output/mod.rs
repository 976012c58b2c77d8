//! GeoTIFF out: GDAL writes the header of an empty sparse file, encoded blocks are appended to it, and the arrays
//! that say where they lie are filled in at the end. Overviews are kept aside until then.

mod append;
mod header;
mod leads_to;
mod new_dataset;
mod overview_store;
mod part;
mod patch;
mod spec;
mod target;
#[cfg(test)]
mod tests;
mod write_back;

pub use append::{BlockWriter, Checkpoints, OnThreads, Step, Written};
pub use header::{Container, Overview, create_header};
pub use leads_to::{end_of_links, folder_of, identity, is_mount_point, is_same_file};
pub use new_dataset::check_pixel_type;
pub use overview_store::OverviewStore;
pub use part::{Job, Lacking, Stored, clean, discard, new_header, read_index, remove_new_header};
pub use patch::{BlockId, BlockRecord, Plane};
pub use spec::{Interleave, OutputBand, OutputSpec};
pub use target::Target;

/// An encoded block, ready for the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedBlock {
    /// The block as it is stored.
    pub bytes: Vec<u8>,
    /// Its checksum: xxh3-64 of `bytes`.
    pub checksum: u64,
}

impl EncodedBlock {
    /// Takes the checksum of encoded bytes; the worker that encoded them calls this.
    pub fn new(bytes: Vec<u8>) -> Self {
        let checksum = twox_hash::XxHash3_64::oneshot(&bytes);
        Self { bytes, checksum }
    }
}
