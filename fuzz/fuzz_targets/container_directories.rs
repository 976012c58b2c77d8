//! Garbage as a TIFF's header and directories: read or refused, never believed without a check, by every reader of
//! headers, that of the blocks which are read directly included.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaic_stream::container::{
    Directory, check_blocks_inside, directories, extents, fields_of_directories, tags_of_only_directory,
};
use mosaic_stream::pixels::PixelType;
use mosaic_stream::source::SourceBand;
use mosaic_stream::source::direct::DirectLayout;

fuzz_target!(|file: &[u8]| {
    if let Ok(Some(tags)) = tags_of_only_directory(file, &[273, 324]) {
        assert!(!tags.fields.contains_key(&324));
        let _ = tags.doubles(33550);
    }
    let found = directories(file).unwrap_or_default();
    if let Ok(taken) = extents(file, found.iter().map(|directory| directory.position)) {
        assert!(taken.iter().all(|extent| extent.bytes.end <= file.len() as u64));
    }
    if let Ok(fields) = fields_of_directories(file) {
        assert_eq!(fields.len(), found.len());
    }
    for directory in found {
        if let Ok(ranges) = directory.block_ranges(file) {
            // Each block has an entry in the file's own arrays.
            assert!(ranges.len() <= file.len());
            let sliced: Vec<_> = directory.block_ranges_in_slices(file).flat_map(|slice| slice.unwrap().1).collect();
            assert_eq!(ranges, sliced);
        }
        let _ = check_blocks_inside(file, &directory);
        check_layout(file, &directory);
    }
});

/// A layout, of whatever type GDAL may say the pixels have, is one that memory can hold, and finds every block's entry.
fn check_layout(file: &[u8], directory: &Directory) {
    for pixel_type in PixelType::ALL {
        let bands = vec![band(pixel_type); directory.samples.clamp(1, 16).into()];
        let Ok(layout) = DirectLayout::of(directory, directory.size, &bands) else { continue };
        assert!(layout.block_bytes() <= 1 << 31);
        let blocks = layout.blocks;
        let shape = layout.block_layout(blocks.rows - 1, directory.size.rows);
        assert!(shape.rows > 0 && shape.columns > 0 && shape.samples > 0);
        let last_band = if layout.is_planar(bands.len()) { bands.len() - 1 } else { 0 };
        let last = directory.block_index(blocks.columns - 1, blocks.rows - 1, last_band);
        assert_eq!(last + 1, directory.blocks());
        let _ = directory.block_ranges_of(file, last..last + 1);
    }
}

fn band(pixel_type: PixelType) -> SourceBand {
    SourceBand {
        pixel_type,
        nodata: None,
        impossible_nodata: None,
        description: String::new(),
        unit: String::new(),
        scale: None,
        offset: None,
        color_interpretation: String::new(),
        palette: None,
        categories: Vec::new(),
        metadata: Vec::new(),
    }
}
