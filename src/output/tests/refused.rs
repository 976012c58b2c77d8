//! What cannot be made or written is refused by name.

use super::*;

#[test]
fn what_cannot_be_made_is_refused_by_name() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    let refusal = |change: fn(&mut OutputSpec)| {
        let mut spec = spec(Size::new(50, 50), PixelType::Byte, 1);
        change(&mut spec);
        format!("{:#}", create_header(&path, &spec).unwrap_err())
    };
    for (change, said) in [
        ((|spec| spec.bands.clear()) as fn(&mut OutputSpec), "no bands"),
        (|spec| spec.predictor = 2, "predictor"),
        (|spec| spec.block = 20, "multiple of 16"),
        (|spec| spec.wkt = Some("PROJCS[nonsense".into()), "CRS"),
        (|spec| spec.nodata = Some(Number::Whole(300)), "value 300"),
        (|spec| spec.extra_options.push(("tiled".into(), "NO".into())), "tiled"),
        (|spec| spec.bands[0].color_interpretation = "Purple".into(), "Purple"),
        (|spec| spec.grid.size = Size::new(1 << 30, 1 << 30), "a.tif"),
    ] {
        let message = refusal(change);
        assert!(message.contains("a.tif") && message.contains(said), "{message}");
    }
    let missing = folder.file("nowhere/a.tif");
    let message =
        format!("{:#}", create_header(&missing, &spec(Size::new(5, 5), PixelType::Byte, 1)).unwrap_err());
    assert!(message.contains("nowhere"), "{message}");
}

#[test]
fn blocks_that_the_file_cannot_take_are_refused() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    let spec = spec(Size::new(20, 20), PixelType::Byte, 1);
    let image = |index| BlockId { level: 0, plane: Plane::Image, index };
    let block = image_block(&spec, 0, 0, &[0]);
    let mut writer = BlockWriter::new(create_header(&path, &spec).unwrap(), None).unwrap();
    assert!(writer.append(image(4), &block).unwrap_err().to_string().contains("no block"));
    let mask = BlockId { level: 0, plane: Plane::Mask, index: 0 };
    assert!(writer.append(mask, &block).unwrap_err().to_string().contains("no mask"));
    assert!(writer.append(image(0), &EncodedBlock::new(Vec::new())).is_err());
    writer.append(image(1), &block).unwrap();
    writer.append(image(1), &block).unwrap();
    assert!(writer.finish().unwrap_err().to_string().contains("twice"));

    let mut container = create_header(&path, &spec).unwrap();
    container.header_bytes = u64::from(u32::MAX) - 300;
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(container.header_bytes).unwrap();
    let mut writer = BlockWriter::new(container.clone(), None).unwrap();
    writer.append(image(0), &block).unwrap();
    let message = writer.append(image(1), &block).unwrap_err().to_string();
    assert!(message.contains("4 GiB") && message.contains("BigTIFF"), "{message}");
    assert!(BlockWriter::new(container, None).unwrap_err().to_string().contains("changed by somebody else"));
}

#[test]
fn a_full_disk_is_reported_with_the_name_of_the_file() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    let container = create_header(&path, &spec(Size::new(20, 20), PixelType::Byte, 1)).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let mut writer = BlockWriter::new(Container { header_bytes: 0, ..container }, None).unwrap();
    let block = EncodedBlock::new(vec![1; 256]);
    let error = writer.append(BlockId { level: 0, plane: Plane::Image, index: 0 }, &block).unwrap_err();
    let message = format!("{error:#}");
    assert!(message.contains("a.tif") && message.contains("disk is full"), "{message}");
}
