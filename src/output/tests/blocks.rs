//! Blocks come back as they were written, and lie where it is said.

use super::*;
use crate::container::check_blocks_inside;
use crate::source::FileReader;

#[test]
fn every_layout_comes_back_pixel_for_pixel() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    for pixel_type in PixelType::ALL {
        for interleave in Interleave::ALL.iter().copied() {
            for (bands, size, block) in [(1, 1, 16), (1, 70, 32), (3, 70, 16), (120, 17, 16)] {
                for (mask, big) in [(false, false), (true, false), (false, true), (true, true)] {
                    let mut spec = spec(Size::new(size, size.div_ceil(2)), pixel_type, bands);
                    (spec.mask, spec.big, spec.interleave, spec.block) = (mask, big, interleave, block);
                    spec.nodata = (bands == 3).then_some(Number::Whole(101));
                    if new_dataset::gdal_type(pixel_type).is_err() {
                        let error = format!("{:#}", create_header(&path, &spec).unwrap_err());
                        assert!(pixel_type == PixelType::Int8 && error.contains("GDAL 3.7"), "{error}");
                        continue;
                    }
                    let written = write(&path, &spec);
                    assert_eq!(written.bytes, std::fs::metadata(&path).unwrap().len());
                    assert_pixels(&path, &spec);
                }
            }
        }
    }
}

#[test]
fn records_say_where_the_bytes_lie() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    let mut spec = spec(Size::new(100, 60), PixelType::UInt16, 2);
    spec.mask = true;
    let written = write(&path, &spec);
    let file = std::fs::read(&path).unwrap();
    for record in &written.records {
        let bytes = &file[record.offset as usize..][..record.size as usize];
        assert_eq!(twox_hash::XxHash3_64::oneshot(bytes), record.checksum);
    }
    assert_eq!(written.records.iter().filter(|r| r.id.plane == Plane::Image).count(), 7 * 4 - 9);
    let reader = FileReader::open(&path).unwrap();
    let directories = crate::container::directories(&reader).unwrap();
    let ranges = directories[0].block_ranges(&reader).unwrap();
    for record in written.records.iter().filter(|record| record.id.plane == Plane::Image) {
        assert_eq!(ranges[record.id.index as usize], (record.offset, record.size.into()));
    }
    for directory in &directories {
        assert_eq!(check_blocks_inside(&reader, directory).unwrap().0, None);
    }
    let cut = &file[..file.len() - 1];
    let outside = check_blocks_inside(cut, &directories[1]).unwrap().0.unwrap();
    assert_eq!(outside.count, 1);
}

#[test]
fn a_huge_file_starts_small_and_takes_its_last_block() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    let mut spec = spec(Size::new(100_000, 80_000), PixelType::UInt16, 4);
    (spec.big, spec.mask, spec.block) = (true, true, 512);
    let container = create_header(&path, &spec).unwrap();
    assert!(container.header_bytes < 1 << 20);
    let mut writer = BlockWriter::new(container, None).unwrap();
    let block = image_block(&spec, 195, 156, &[0, 1, 2, 3]);
    let index = writer.container().image.block_index(195, 156, 0);
    assert_eq!(index + 1, writer.container().image.blocks());
    writer.append(BlockId { level: 0, plane: Plane::Image, index }, &block).unwrap();
    writer.finish().unwrap();
    let dataset = Dataset::open(&path).unwrap();
    let band = dataset.rasterband(4).unwrap();
    let corner = band.read_as::<f64>((99_999, 79_999), (1, 1), (1, 1), None).unwrap();
    assert_eq!(corner.data(), [value(3, 99_999, 79_999) as f64]);
    assert_eq!(band.read_as::<f64>((0, 0), (1, 1), (1, 1), None).unwrap().data(), [0.0]);
}
