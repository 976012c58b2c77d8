//! What stands in the directories of a GeoTIFF: whether all of its blocks are there, and whether they are read without
//! GDAL.

use anyhow::{Context, Result, bail};
use gdal::Dataset;

use super::COMPLEX;
use crate::container;
use crate::source::direct::DirectLayout;
use crate::source::{FileReader, Source};

/// Looks into a local GeoTIFF: how its blocks are read without GDAL, or why they are not. One that is cut short opens
/// without complaint when its header stands in front, so its blocks are looked for here.
pub(super) fn look_inside(source: &mut Source, dataset: &Dataset) -> Result<()> {
    if dataset.driver().short_name() != "GTiff" {
        source.direct = Err("it is no GeoTIFF");
        return Ok(());
    }
    let Ok(file) = FileReader::open(source.name.as_ref().as_ref()) else {
        source.direct = Err("it is no file on this machine");
        return Ok(());
    };
    // A directory that this reader does not understand is GDAL's to judge.
    let Ok(directories) = container::directories(&file) else {
        source.direct = Err("its header is not understood here");
        return Ok(());
    };
    // GDAL before 3.11 does not know complex numbers of two halves and shows whole numbers in their place.
    if matches!(directories[0].sample_format, 5 | 6) {
        bail!("{COMPLEX}");
    }
    let mut largest = 0;
    for directory in directories.iter().filter(|directory| !directory.is_overview()) {
        let (outside, largest_here) =
            container::check_blocks_inside(&file, directory).context("read the block index")?;
        if let Some(outside) = outside {
            bail!(
                "is cut short: {} of its blocks lie behind the end of the file (the first is block {})",
                outside.count,
                outside.first
            );
        }
        largest = largest_here.max(largest);
    }
    source.storage.encoded_bytes = largest as usize;
    source.direct = match source.mask {
        true => Err("it has a mask"),
        false => DirectLayout::of(&directories[0], source.size, &source.bands),
    };
    if let Ok(layout) = &source.direct {
        // GDAL shows one strip that is not compressed as many smaller ones; read directly it is one block.
        source.storage.block = layout.block;
        source.storage.block_bytes = layout.block_bytes();
    }
    Ok(())
}
