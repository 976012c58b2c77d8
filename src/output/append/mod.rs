//! Appends encoded blocks to the file and remembers where they lie.
//!
//! In a cloud optimized GeoTIFF every block stands between its size (4 bytes) and its last 4 bytes once more.

mod arrive;
mod checkpoints;
mod move_up;
mod overviews;
mod taken_over;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};

use super::write_back::WriteBack;
use super::{BlockId, BlockRecord, Container, EncodedBlock, Stored, patch};
pub use checkpoints::Checkpoints;
use checkpoints::Progress;
pub use overviews::{OnThreads, Step};

/// The one writer of a file's blocks. Blocks that are never appended stay sparse: they cost no byte and read as
/// nodata (or zero).
#[derive(Debug)]
pub struct BlockWriter {
    file: File,
    container: Container,
    end: u64,
    records: Vec<BlockRecord>,
    write_back: WriteBack,
    /// The part's index, and what it tells; nothing where nobody is to go on with the file.
    index: Option<File>,
    progress: Option<Progress>,
    /// Bytes by which the image's blocks have moved up to make room for overviews, or are about to.
    moved_by: Option<u64>,
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

    /// Opens an empty file for its blocks; with checkpoints another run can go on with it.
    ///
    /// # Errors
    /// When it cannot be opened, or is no longer as it was made.
    pub fn new(container: Container, checkpoints: Option<Checkpoints>) -> Result<Self> {
        let writer = Self::open(container, checkpoints, None)?;
        let (name, end) = (writer.container.path.display(), writer.end);
        let made = writer.container.header_bytes;
        ensure!(end == made, "{name} was changed by somebody else: it has {end} bytes");
        Ok(writer)
    }

    /// Goes on with a part that holds this already. Its header becomes that of `container`, a file of its own that is
    /// no longer needed then. Blocks that are not as they were stored are dropped, with all behind them.
    ///
    /// # Errors
    /// When the part cannot be read or written, or does not belong to the header.
    pub fn resume(
        mut container: Container,
        part: &Path,
        mut stored: Stored,
        checkpoints: Checkpoints,
    ) -> Result<Self> {
        let header = std::fs::read(&container.path).context("read the new header")?;
        container.path = part.to_owned();
        let (told, made) = (stored.header_bytes, header.len() as u64);
        ensure!(told == made, "{}: its header has {told} bytes, that of this job {made}", part.display());
        stored.arrive(&container)?;
        stored.drop_damaged(&container)?;
        let mut writer = Self::open(container, Some(checkpoints), Some(&stored))?;
        writer.take_over(&header, stored)?;
        Ok(writer)
    }

    fn open(container: Container, checkpoints: Option<Checkpoints>, stored: Option<&Stored>) -> Result<Self> {
        let name = container.path.display();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&container.path)
            .with_context(|| format!("cannot open {name} for writing"))?;
        let end = file.metadata().with_context(|| format!("cannot ask for the size of {name}"))?.len();
        let index = checkpoints.as_ref().map(|checkpoints| checkpoints.index.try_clone()).transpose()?;
        let begun = checkpoints.map(|checkpoints| checkpoints.begin(&container, stored)).transpose()?;
        let (progress, entries) = begun.unzip();
        let write_back =
            WriteBack::start(&file, entries).with_context(|| format!("cannot start writing {name}"))?;
        let (records, moved_by) = (Vec::new(), None);
        Ok(Self { file, container, end, records, write_back, index, progress, moved_by })
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
        let position = self.place(id, block.bytes.len(), block.checksum)?;
        let written = match self.frame() {
            0 => self.file.write_all_at(&block.bytes, position),
            _ => self.file.write_all_at(&framed(&block.bytes), position),
        };
        written.map_err(|error| write_error(&self.container.path, error))?;
        if self.container.cloud_optimized && !self.container.overviews.is_empty() {
            // These bytes will move; there is no use in bringing them to the disk before.
            return Ok(());
        }
        let name = self.container.path.display();
        let wrote = self.write_back.wrote(self.end - position);
        wrote.with_context(|| format!("{name} cannot be brought to the disk"))
    }

    /// Gives the next bytes of the file to a block; returns where they begin, with what stands before the block.
    fn place(&mut self, id: BlockId, bytes: usize, checksum: u64) -> Result<u64> {
        let size = self.check(id, bytes)?;
        let (position, frame) = (self.end, self.frame());
        self.records.push(BlockRecord { id, offset: position + frame, size, checksum });
        self.end += u64::from(size) + 2 * frame;
        Ok(position)
    }

    /// Bytes before and behind each block.
    fn frame(&self) -> u64 {
        if self.container.cloud_optimized { FRAME } else { 0 }
    }

    /// The block's size, when the file can take it.
    fn check(&self, id: BlockId, bytes: usize) -> Result<u32> {
        let name = self.container.path.display();
        let directory = self.container.directory(id);
        let directory = directory.ok_or_else(|| match id.level {
            0 => anyhow!("{name} has no mask"),
            level => anyhow!("{name} has no {:?} of overview {level}", id.plane),
        })?;
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
        let end = self.end + bytes as u64 + 2 * self.frame();
        let fits = self.container.image.big || end <= u64::from(u32::MAX);
        ensure!(fits, too_large(&self.container.path));
        Ok(bytes as u32)
    }

    /// Enters all blocks into the file's arrays and makes the file durable. Nothing is appended after that.
    ///
    /// # Errors
    /// When a block was appended twice, or when anything could not be brought to the disk, now or before.
    pub fn finish(&mut self) -> Result<Written> {
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
        Ok(Written { records: std::mem::take(&mut self.records), bytes })
    }
}

/// Bytes of a block's size, and of its repeated end.
const FRAME: u64 = 4;

/// A block between its size and its last four bytes once more.
fn framed(block: &[u8]) -> Vec<u8> {
    let frame = [0; FRAME as usize];
    let mut bytes = [&frame[..], block, &frame].concat();
    fill_frame(&mut bytes);
    bytes
}

/// Writes a block's size before it and its last four bytes behind it, where room was left for them.
fn fill_frame(bytes: &mut [u8]) {
    const SIDE: usize = FRAME as usize;
    let (size, rest) = bytes.split_at_mut(SIDE);
    let (block, last) = rest.split_at_mut(rest.len() - SIDE);
    size.copy_from_slice(&(block.len() as u32).to_le_bytes());
    let end = &block[block.len().saturating_sub(SIDE)..];
    last.fill(0);
    last[..end.len()].copy_from_slice(end);
}

fn too_large(path: &Path) -> String {
    let name = path.display();
    format!("{name} grows past 4 GiB, more than classic TIFF can hold; write it as BigTIFF (BIGTIFF=YES)")
}

/// Says what to do about a failed write.
pub(super) fn write_error(path: &Path, error: io::Error) -> anyhow::Error {
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
