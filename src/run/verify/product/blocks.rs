//! What the blocks hold: bytes that decode to the right size, in their frame where there is one, and with the checksum
//! that the report recorded.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use twox_hash::XxHash3_64;

use super::fault::{Fault, Faults, LOST, OTHER};
use super::layout::Layout;
use super::places::Stored;
use crate::codec::{Compression, Decoder, Predictor};
use crate::run::{Stopped, in_parallel};

/// The checksums that a report recorded, of the blocks of each directory in the order of its index.
pub struct Checksums(Vec<OfDirectory>);

struct OfDirectory {
    /// The places of the blocks that the index lists, in order.
    listed: Vec<u64>,
    checksums: Vec<u64>,
    /// Whether the index lists as many blocks as were written; else it is not known which checksum is whose.
    in_order: bool,
}

impl Checksums {
    /// Puts the recorded checksums beside the blocks that the index lists; where their numbers differ that is a fault.
    pub fn new(
        recorded: Vec<Vec<u64>>,
        blocks: &[Stored],
        layout: &Layout,
        faults: &mut Faults,
    ) -> Option<Checksums> {
        let (found, wanted) = (layout.directories.len(), recorded.len());
        if found != wanted {
            faults.add("the directories", format!("{found} instead of {wanted}, as the report says"), OTHER);
            return None;
        }
        let mut each: Vec<OfDirectory> = recorded
            .into_iter()
            .map(|checksums| OfDirectory { listed: Vec::new(), checksums, in_order: true })
            .collect();
        for block in blocks {
            each[block.directory as usize].listed.push(block.index);
        }
        for (directory, described) in each.iter_mut().zip(&layout.directories) {
            let (listed, written) = (directory.listed.len(), directory.checksums.len());
            if listed != written {
                let message = format!("its index lists {listed} blocks, and {written} were written");
                faults.add(described.name(), message, OTHER);
                directory.in_order = false;
                directory.checksums.sort_unstable();
            }
        }
        Some(Checksums(each))
    }

    /// Whether a block has the checksum that was recorded of it.
    fn hold(&self, block: &Stored, checksum: u64) -> bool {
        let OfDirectory { listed, checksums, in_order } = &self.0[block.directory as usize];
        match in_order {
            true => listed.binary_search(&block.index).is_ok_and(|place| checksums[place] == checksum),
            false => checksums.binary_search(&checksum).is_ok(),
        }
    }
}

/// The file's blocks, all of which lie inside it.
pub struct Blocks<'a> {
    /// The file.
    pub path: &'a Path,
    /// Its directories.
    pub layout: &'a Layout,
    /// What a report recorded.
    pub checksums: Option<&'a Checksums>,
}

/// A thread's memory for a block, and the decoders that it has used.
#[derive(Default)]
struct Scratch {
    encoded: Vec<u8>,
    raw: Vec<u8>,
    decoders: Vec<((Compression, Predictor), Decoder)>,
}

impl Blocks<'_> {
    /// Reads and decodes all blocks, on as many of `threads` as so many bytes of memory are enough for.
    ///
    /// # Errors
    /// When the file cannot be read, or verification was told to stop.
    pub fn check(
        &self,
        blocks: &[Stored],
        (threads, memory): (usize, u64),
        stop: &AtomicBool,
        faults: &mut Faults,
    ) -> Result<()> {
        /// So many that a decoder is worth making.
        const AT_ONCE: usize = 16;
        let file = File::open(self.path).with_context(|| format!("cannot open {}", self.path.display()))?;
        let raw = self.layout.directories.iter().filter_map(|described| described.blocks);
        let raw = raw.map(|(.., layout)| layout.bytes() as u64).max().unwrap_or(0);
        let most = blocks.iter().map(|block| block.size).max().unwrap_or(0) + raw;
        let threads = threads.min((memory / most.max(1)) as usize).max(1);
        let pieces: Vec<&[Stored]> = blocks.chunks(AT_ONCE).collect();
        let check = |piece: usize| -> Result<Vec<Fault>> {
            let (mut scratch, mut found) = (Scratch::default(), Vec::new());
            for block in pieces[piece] {
                if stop.load(Ordering::Relaxed) {
                    return Err(Stopped.into());
                }
                let told = self.check_block(&file, block, &mut scratch)?;
                let fault = |message: String| Fault { place: block.name(self.layout), message, hint: LOST };
                found.extend(told.map(fault));
            }
            Ok(found)
        };
        for found in in_parallel(threads, pieces.len(), check)? {
            found?.into_iter().for_each(|fault| faults.push(fault));
        }
        Ok(())
    }

    /// What is wrong with one block, if anything.
    fn check_block(&self, file: &File, block: &Stored, scratch: &mut Scratch) -> Result<Option<String>> {
        let frame = self.layout.frame as usize;
        let size = usize::try_from(block.size)?;
        let Scratch { encoded: bytes, raw, decoders } = scratch;
        bytes.resize(size + 2 * frame, 0);
        file.read_exact_at(bytes, block.offset - frame as u64)
            .with_context(|| format!("{}: cannot read {}", self.path.display(), block.name(self.layout)))?;
        let (leader, rest) = bytes.split_at(frame);
        let (encoded, trailer) = rest.split_at(size);
        let checksum = self.checksums.map(|all| all.hold(block, XxHash3_64::oneshot(encoded)));
        if checksum == Some(false) {
            return Ok(Some("does not hold what was written: its checksum is not the report's".into()));
        }
        if frame > 0 && leader != (size as u32).to_le_bytes() {
            return Ok(Some("its size does not stand before it".into()));
        }
        let last = &encoded[size.saturating_sub(frame)..];
        if !trailer.starts_with(last) {
            return Ok(Some("its last four bytes do not stand behind it once more".into()));
        }
        let Some((compression, predictor, layout)) = self.layout.directories[block.directory as usize].blocks
        else {
            // Why it cannot be decoded is told of its directory.
            return Ok(None);
        };
        let kind = (compression, predictor);
        let known = decoders.iter().position(|(known, _)| *known == kind);
        let known = match known {
            Some(known) => known,
            None => {
                decoders.push((kind, Decoder::new(compression, predictor)?));
                decoders.len() - 1
            }
        };
        raw.resize(layout.bytes(), 0);
        let decoded = decoders[known].1.decode(encoded, layout, raw);
        Ok(decoded.err().map(|error| format!("cannot be decoded: {error:#}")))
    }
}
