//! Garbage as a TIFF's header and directories: read or refused, never believed without a check.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaic_stream::container::{check_blocks_inside, directories};

fuzz_target!(|file: &[u8]| {
    for directory in directories(file).unwrap_or_default() {
        let _ = directory.block_grid();
        if let Ok(ranges) = directory.block_ranges(file) {
            // Each block has an entry in the file's own arrays.
            assert!(ranges.len() <= file.len());
        }
        let _ = check_blocks_inside(file, &directory);
    }
});
