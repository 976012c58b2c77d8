//! What the directories say of a file, against what this program's files say, and against the report.

use anyhow::Result;

use super::described::{Described, how_decoded};
use super::fault::{Faults, MISLED, OTHER};
use super::recorded::Recorded;
use crate::container::{self, ByteOrder, Directory, Extent, GHOST_OF_COG, GHOST_OF_MASKED_COG, ReadAt};
use crate::geometry::Size;

/// A file's directories, and how their blocks stand in it.
pub struct Layout {
    /// In the order of the file: each level's image, then its mask where there are masks.
    pub directories: Vec<Described>,
    /// First byte behind the directories and all values of their fields.
    pub header_end: u64,
    /// Bytes before and behind each block: its size, and its last four bytes once more. 0 in plain files.
    pub frame: u64,
}

impl Layout {
    /// Reads the directories and judges what each says by itself and beside the others.
    ///
    /// # Errors
    /// What keeps the directories from being read at all.
    pub fn read(file: &(impl ReadAt + ?Sized), faults: &mut Faults) -> Result<Layout> {
        let found = container::directories(file)?;
        let extents = container::extents(file, found.iter().map(|directory| directory.position))?;
        let mut directories: Vec<Described> = Vec::new();
        for directory in found {
            let level = match directories.last() {
                None => 0,
                Some(before) => before.level + usize::from(!directory.is_mask()),
            };
            let blocks = how_decoded(&directory);
            directories.push(Described { directory, level, blocks });
        }
        check_extents(&directories, &extents, faults);
        for described in &directories {
            check_directory(described, &directories[0].directory, faults);
        }
        check_levels(&directories, faults);
        let header_end = extents.iter().map(|extent| extent.bytes.end).max().unwrap_or(0);
        let frame = if check_ghost(file, &directories, faults) { 4 } else { 0 };
        Ok(Layout { directories, header_end, frame })
    }

    /// Holds what the directories say against the report.
    pub fn check_recorded(&self, recorded: &Recorded, faults: &mut Faults) {
        let image = &self.directories[0].directory;
        let sizes = |mask: bool| {
            let smaller =
                self.directories.iter().filter(move |d| d.level > 0 && d.directory.is_mask() == mask);
            smaller.map(|d| [d.directory.size.columns, d.directory.size.rows]).collect::<Vec<_>>()
        };
        let masks = self.directories.iter().any(|described| described.directory.is_mask());
        let compression = how_decoded(image).map(|(compression, ..)| compression.name());
        let planes = if image.planar { "band" } else { "pixel" };
        let (plan, grid) = (&recorded.plan, &recorded.grid);
        let mut expect =
            |what: &str, same: bool, found: &dyn std::fmt::Debug, wanted: &dyn std::fmt::Debug| {
                if !same {
                    faults.add(what, format!("{found:?} instead of {wanted:?}, as the report says"), OTHER);
                }
            };
        let size = [image.size.columns, image.size.rows];
        let wanted = [grid.columns, grid.rows];
        expect("size (tags 256 and 257)", size == wanted, &size, &wanted);
        let bands = usize::from(image.samples);
        expect("bands (tag 277)", bands == grid.bands, &bands, &grid.bands);
        let block = [image.block.columns, image.block.rows];
        expect("sides of blocks (tags 322 and 323)", block == plan.block, &block, &plan.block);
        let same = compression == Some(&plan.compression[..]);
        expect("compression (tag 259)", same, &image.compression, &plan.compression);
        let same = compression == Some("none") || image.predictor == plan.predictor;
        expect("predictor (tag 317)", same, &image.predictor, &plan.predictor);
        expect("interleave (tag 284)", bands == 1 || planes == plan.interleave, &planes, &plan.interleave);
        expect("BigTIFF (byte 2)", image.big == plan.bigtiff, &image.big, &plan.bigtiff);
        expect(
            "ghost area",
            (self.frame > 0) == plan.cloud_optimized,
            &(self.frame > 0),
            &plan.cloud_optimized,
        );
        let overviews = sizes(false);
        expect("sizes of overviews", overviews == plan.overviews, &overviews, &plan.overviews);
        expect("mask", masks == grid.mask, &masks, &grid.mask);
    }
}

/// Tags ascend, and no two fields share a byte.
fn check_extents(directories: &[Described], extents: &[Extent], faults: &mut Faults) {
    let name = |extent: &Extent| match extent.tag {
        Some(tag) => format!("tag {tag} of {}", directories[extent.directory].name()),
        None => format!("the directory of {}", directories[extent.directory].name()),
    };
    for pair in extents.windows(2) {
        if pair[0].directory == pair[1].directory && pair[0].tag >= pair[1].tag {
            faults.add(name(&pair[1]), format!("stands behind {}; tags ascend", name(&pair[0])), MISLED);
        }
    }
    let mut sorted: Vec<&Extent> = extents.iter().collect();
    sorted.sort_by_key(|extent| (extent.bytes.start, std::cmp::Reverse(extent.bytes.end)));
    for pair in sorted.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        // Values that fit stand inside their own directory.
        let inside = before.directory == after.directory
            && before.tag.is_none()
            && after.bytes.end <= before.bytes.end;
        if after.bytes.start < before.bytes.end && !inside {
            let at = after.bytes.start;
            faults.add(name(after), format!("its values at byte {at} lie in {}", name(before)), MISLED);
        }
    }
}

/// What one directory says by itself, and what it shares with the image.
fn check_directory(described: &Described, image: &Directory, faults: &mut Faults) {
    let Described { directory, level, blocks } = described;
    let (name, is_mask) = (described.name(), directory.is_mask());
    let subfile = u32::from(*level > 0) | if is_mask { 4 } else { 0 };
    let Size { columns, rows } = directory.block;
    let (float, bits) = (directory.sample_format == 3, directory.bits_per_sample);
    let count = directory.blocks();
    let same = |of: fn(&Directory) -> u16| is_mask || of(directory) == of(image);
    let mut expect = |tag: &str, right: bool, found: &dyn std::fmt::Debug, due: &str| {
        if !right {
            faults.add(format!("{tag} of {name}"), format!("{found:?} is not {due}"), MISLED);
        }
    };
    let found = directory.subfile_type;
    expect("tag 254 (kind of image)", found == subfile, &found, "what stands at this place");
    let known = if is_mask { bits == 1 } else { [8, 16, 32, 64].contains(&bits) };
    expect("tag 258 (bits)", known && same(|d| d.bits_per_sample), &bits, "what its pixels have");
    let codec = blocks.is_some() && same(|d| d.compression);
    expect("tag 259 (compression)", codec, &directory.compression, "a codec that decodes such blocks");
    let photometric = directory.photometric;
    let known = if is_mask { photometric == 4 } else { [1, 2, 3].contains(&photometric) };
    expect("tag 262 (colours)", known && same(|d| d.photometric), &photometric, "written by this program");
    expect("tag 266 (order of bits)", directory.fill_order == 1, &directory.fill_order, "1");
    let samples = directory.samples;
    expect("tag 277 (bands)", same(|d| d.samples) && (!is_mask || samples == 1), &samples, "the image's");
    expect("tag 284 (planes)", same(|d| d.planar.into()), &directory.planar, "the image's");
    let fits = if directory.predictor == 3 { float } else { directory.predictor <= 2 };
    expect("tag 317 (predictor)", fits && same(|d| d.predictor), &directory.predictor, "one for such pixels");
    let square =
        directory.tiled && columns == rows && columns.is_multiple_of(16) && directory.block == image.block;
    expect("tags 322 and 323 (sides of blocks)", square, &(columns, rows), "the image's square of sixteens");
    let listed = (directory.offsets.count, directory.byte_counts.count);
    expect("tags 324 and 325 (places of blocks)", listed == (count, count), &listed, "its number of blocks");
    let extra = &directory.extra_samples;
    let known = extra.len() <= usize::from(samples) && extra.iter().all(|&meaning| meaning <= 2);
    expect(
        "tag 338 (extra bands)",
        known && (is_mask || *extra == image.extra_samples),
        extra,
        "a known meaning",
    );
    let format = [1, 2, 3].contains(&directory.sample_format) && (!float || bits >= 32);
    expect(
        "tag 339 (kind of number)",
        format && same(|d| d.sample_format),
        &directory.sample_format,
        "the pixels'",
    );
    expect("byte order", directory.byte_order == ByteOrder::Little, &directory.byte_order, "II");
}

/// Every level has a mask or none has, each as large as its image; each level is smaller than the one before.
fn check_levels(directories: &[Described], faults: &mut Faults) {
    let masked = directories.get(1).is_some_and(|described| described.directory.is_mask());
    for level in directories.chunks(1 + usize::from(masked)) {
        let masks = level.iter().skip(1).all(|mask| mask.directory.is_mask());
        let complete = level.len() == 1 + usize::from(masked) && !level[0].directory.is_mask() && masks;
        let same = level.iter().all(|described| described.directory.size == level[0].directory.size);
        if !complete || !same {
            faults.add(level[0].name(), "its mask is missing, or of another size", MISLED);
        }
    }
    let images: Vec<&Described> = directories.iter().filter(|d| !d.directory.is_mask()).collect();
    for pair in images.windows(2) {
        let (large, small) = (pair[0].directory.size, pair[1].directory.size);
        if small.columns > large.columns || small.rows > large.rows || small == large {
            let message = format!("its size {small} (tags 256 and 257) is not smaller than {large}");
            faults.add(pair[1].name(), message, MISLED);
        }
    }
}

/// Whether a cloud optimized file's ghost area is there; it must say what stands in the file.
fn check_ghost(file: &(impl ReadAt + ?Sized), directories: &[Described], faults: &mut Faults) -> bool {
    let image = &directories[0].directory;
    let start = if image.big { 16 } else { 8 };
    let masked = directories.iter().any(|described| described.directory.is_mask());
    let due = if masked { GHOST_OF_MASKED_COG } else { GHOST_OF_COG };
    let mut found = vec![0; due.len()];
    if file.read_at(start, &mut found).is_err() || !found.starts_with(b"GDAL_STRUCTURAL_METADATA") {
        return false;
    }
    if found != due.as_bytes() {
        let place = format!("the ghost area at byte {start}");
        faults.add(place, "does not say what this program's cloud optimized files say", MISLED);
    }
    true
}
