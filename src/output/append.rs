//! Appends encoded blocks to the file and remembers where they lie.
//!
//! In a cloud optimized GeoTIFF every block stands between its size (4 bytes) and its last 4 bytes once more, and the
//! overviews stand before the image: once they are known, the image's blocks move up to make room.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};

use super::write_back::WriteBack;
use super::{BlockId, BlockRecord, Container, EncodedBlock, OverviewStore, patch};

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
        let frame = self.frame();
        let written = match frame {
            0 => self.file.write_all_at(&block.bytes, self.end),
            _ => self.file.write_all_at(&framed(&block.bytes), self.end),
        };
        written.map_err(|error| write_error(&self.container.path, error))?;
        self.records.push(BlockRecord { id, offset: self.end + frame, size, checksum: block.checksum });
        self.end += u64::from(size) + 2 * frame;
        if self.container.cloud_optimized && !self.container.overviews.is_empty() {
            // These bytes will move; there is no use in bringing them to the disk before.
            return Ok(());
        }
        self.write_back.wrote(size.into()).with_context(|| format!("{name} cannot be brought to the disk"))
    }

    /// Bytes before and behind each block.
    fn frame(&self) -> u64 {
        if self.container.cloud_optimized { FRAME } else { 0 }
    }

    /// Puts the overviews' blocks where they belong: behind the image's, or in a cloud optimized GeoTIFF before them,
    /// the smallest level first. Each level's blocks are in row-major order, a mask's behind the image's.
    ///
    /// # Errors
    /// As [`BlockWriter::append`].
    pub fn add_overviews(&mut self, store: OverviewStore) -> Result<()> {
        let (path, cloud_optimized) = (self.container.path.clone(), self.container.cloud_optimized);
        let mut kept = store.into_kept();
        let last = self.container.overviews.len() as u8;
        let level = |level: u8| if cloud_optimized { last - level } else { level };
        kept.records
            .sort_unstable_by_key(|record| (level(record.id.level), record.id.index, record.id.plane));
        let image = self.records.len();
        let image_end = self.end;
        let room: u64 = kept.records.iter().map(|record| u64::from(record.size) + 2 * self.frame()).sum();
        if cloud_optimized {
            let end = image_end + room;
            ensure!(self.container.image.big || end <= u64::from(u32::MAX), too_large(&path));
            move_up(&self.file, self.container.header_bytes..image_end, room)
                .map_err(|error| write_error(&path, error))?;
            self.records.iter_mut().for_each(|record| record.offset += room);
            self.end = self.container.header_bytes;
        }
        let mut bytes = Vec::new();
        for record in &kept.records {
            bytes.resize(record.size as usize, 0);
            kept.file.read_exact_at(&mut bytes, record.offset).context("read an overview's block back")?;
            let block = EncodedBlock { bytes, checksum: record.checksum };
            self.append(record.id, &block)?;
            bytes = block.bytes;
        }
        if cloud_optimized {
            debug_assert_eq!(self.records.len(), image + kept.records.len());
            self.end = image_end + room;
        }
        Ok(())
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

/// Bytes of a block's size, and of its repeated end.
const FRAME: u64 = 4;

/// A block between its size and its last four bytes once more.
fn framed(block: &[u8]) -> Vec<u8> {
    let mut last = [0; FRAME as usize];
    let end = &block[block.len().saturating_sub(last.len())..];
    last[..end.len()].copy_from_slice(end);
    [&(block.len() as u32).to_le_bytes(), block, &last].concat()
}

/// Moves a range of the file towards its end.
fn move_up(file: &File, range: Range<u64>, by: u64) -> io::Result<()> {
    const PIECE: u64 = 4 << 20;
    let mut piece = vec![0; PIECE.min(range.end - range.start) as usize];
    let mut end = range.end;
    // From the end, so that nothing is overwritten before it was read.
    while by > 0 && end > range.start {
        let start = end.saturating_sub(PIECE).max(range.start);
        let piece = &mut piece[..(end - start) as usize];
        file.read_exact_at(piece, start)?;
        file.write_all_at(piece, start + by)?;
        end = start;
    }
    Ok(())
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
