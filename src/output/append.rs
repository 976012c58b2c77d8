//! Appends encoded blocks to the file and remembers where they lie.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};

use super::write_back::WriteBack;
use super::{BlockId, BlockRecord, Container, EncodedBlock, Plane, patch};

/// The one writer of a file's blocks. Blocks that are never appended stay sparse: they cost no byte and read as
/// nodata (or zero).
#[derive(Debug)]
pub struct BlockWriter {
    file: File,
    container: Container,
    end: u64,
    records: Vec<BlockRecord>,
    write_back: WriteBack,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Every written block, sorted by its id.
    pub records: Vec<BlockRecord>,
    /// Bytes of the whole file.
    pub bytes: u64,
}

impl BlockWriter {
    /// Bytes of memory that a written block costs (vectors may hold twice as many while they grow).
    pub const RECORD_BYTES: usize = size_of::<BlockRecord>();

    /// Opens an empty file for its blocks.
    ///
    /// # Errors
    /// When it cannot be opened, or is no longer as it was made.
    pub fn new(container: Container) -> Result<Self> {
        let name = container.path.display();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&container.path)
            .with_context(|| format!("cannot open {name} for writing"))?;
        let end = file.metadata().with_context(|| format!("cannot ask for the size of {name}"))?.len();
        ensure!(end == container.header_bytes, "{name} was changed by somebody else: it has {end} bytes");
        let write_back = WriteBack::start(&file).with_context(|| format!("cannot start writing {name}"))?;
        Ok(Self { file, container, end, records: Vec::new(), write_back })
    }

    /// The file's description.
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// Bytes of the file by now.
    pub fn bytes(&self) -> u64 {
        self.end
    }

    /// Appends a block. Each may be appended once.
    ///
    /// # Errors
    /// When the file has no such block, would grow beyond what its kind of TIFF can hold, or cannot be written.
    pub fn append(&mut self, id: BlockId, block: &EncodedBlock) -> Result<()> {
        let name = self.container.path.display();
        let size = self.check(id, block.bytes.len())?;
        let written = self.file.write_all_at(&block.bytes, self.end);
        written.map_err(|error| write_error(&self.container.path, error))?;
        self.records.push(BlockRecord { id, offset: self.end, size, checksum: block.checksum });
        self.end += u64::from(size);
        self.write_back.wrote(size.into()).with_context(|| format!("{name} cannot be brought to the disk"))
    }

    /// The block's size, when the file can take it.
    fn check(&self, id: BlockId, bytes: usize) -> Result<u32> {
        let name = self.container.path.display();
        let directory = match id.plane {
            Plane::Image => Some(&self.container.image),
            Plane::Mask => self.container.mask.as_ref(),
        };
        let directory = directory.ok_or_else(|| anyhow!("{name} has no mask"))?;
        ensure!(id.index < directory.blocks(), "{name} has no block {id:?}");
        ensure!(bytes > 0, "block {id:?} of {name} is empty");
        // GDAL makes the sizes 2 bytes wide only where blocks are so small that ten times their pixels fit.
        let largest = match directory.byte_counts.entry_bytes {
            2 => u64::from(u16::MAX),
            _ => u64::from(u32::MAX),
        };
        ensure!(
            bytes as u64 <= largest,
            "block {id:?} of {name} has {bytes} bytes; its arrays hold {largest}"
        );
        let end = self.end + bytes as u64;
        ensure!(
            self.container.image.big || end <= u64::from(u32::MAX),
            "{name} grows past 4 GiB, more than classic TIFF can hold; write it as BigTIFF (BIGTIFF=YES)"
        );
        Ok(bytes as u32)
    }

    /// Enters all blocks into the file's arrays and makes the file durable.
    ///
    /// # Errors
    /// When a block was appended twice, or when anything could not be brought to the disk, now or before.
    pub fn finish(mut self) -> Result<Written> {
        let path = &self.container.path;
        self.records.sort_unstable_by_key(|record| record.id);
        let twice = self.records.windows(2).find(|pair| pair[0].id == pair[1].id);
        ensure!(
            twice.is_none(),
            "{}: a block was written twice: {:?}",
            path.display(),
            twice.map(|pair| pair[0].id)
        );
        let durable = || format!("{} cannot be brought to the disk", path.display());
        self.write_back.finish().with_context(durable)?;
        let entered = patch::enter_blocks(&self.file, &self.container, &self.records);
        entered.map_err(|error| write_error(path, error))?;
        self.file.sync_all().with_context(durable)?;
        let bytes = self.file.metadata().with_context(durable)?.len();
        ensure!(bytes == self.end, "{} was changed by somebody else while it was written", path.display());
        Ok(Written { records: self.records, bytes })
    }
}

/// Says what to do about a failed write.
fn write_error(path: &Path, error: io::Error) -> anyhow::Error {
    let advice = match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full; make room or write elsewhere",
        io::ErrorKind::QuotaExceeded => "the disk quota is used up; make room or write elsewhere",
        io::ErrorKind::FileTooLarge => {
            "the file would be larger than the file system or a limit (ulimit -f) allows"
        }
        _ => "the write failed",
    };
    anyhow::Error::new(error).context(format!("cannot write {}: {advice}", path.display()))
}
