//! Files made here, read back by GDAL.

use crate::source::FileReader;
use std::path::{Path, PathBuf};

use gdal::raster::RasterBand;
use gdal::{Dataset, Metadata};

use super::*;
use crate::codec::Compression;
use crate::container::check_blocks_inside;
use crate::dispatch_pixel_type;
use crate::geometry::{Grid, Resolution, Size};
use crate::pixels::{Number, Pixel, PixelType};

const UTM: &str = r#"PROJCS["WGS 84 / UTM zone 31N",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",3],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1],AUTHORITY["EPSG","32631"]]"#;

fn spec(size: Size, pixel_type: PixelType, bands: usize) -> OutputSpec {
    OutputSpec {
        grid: Grid { origin_x: 3e5, origin_y: 5e6, resolution: Resolution { x: 10.0, y: 20.0 }, size },
        wkt: None,
        pixel_type,
        bands: vec![OutputBand::default(); bands],
        metadata: Vec::new(),
        nodata: None,
        mask: false,
        block: 16,
        interleave: Interleave::Pixel,
        compression: Compression::None,
        predictor: 1,
        big: false,
        overviews: Vec::new(),
        cloud_optimized: false,
        extra_options: Vec::new(),
    }
}

/// The value of a pixel; every type holds it.
fn value(band: usize, column: usize, row: usize) -> i128 {
    ((band * 31 + row * 7 + column * 3) % 100 + 1) as i128
}

fn is_valid(column: usize, row: usize) -> bool {
    !(column + row).is_multiple_of(3)
}

/// Blocks that are left out.
fn is_sparse(column_block: usize, row_block: usize) -> bool {
    (column_block + row_block) % 3 == 2
}

/// One uncompressed block of the image: whole, also where it reaches over the edge.
fn image_block(spec: &OutputSpec, column_block: usize, row_block: usize, bands: &[usize]) -> EncodedBlock {
    let mut bytes = Vec::new();
    for row in row_block * spec.block..(row_block + 1) * spec.block {
        for column in column_block * spec.block..(column_block + 1) * spec.block {
            for &band in bands {
                let value = value(band, column, row);
                dispatch_pixel_type!(spec.pixel_type, T => bytes.extend(bytemuck::bytes_of(&T::from_i128(value))));
            }
        }
    }
    EncodedBlock::new(bytes)
}

/// One block of the mask: a bit a pixel, the highest first, compressed as its directory says.
fn mask_block(spec: &OutputSpec, compression: u16, column_block: usize, row_block: usize) -> EncodedBlock {
    let mut bytes = vec![0; spec.block * spec.block / 8];
    for row in 0..spec.block {
        for column in 0..spec.block {
            if is_valid(column_block * spec.block + column, row_block * spec.block + row) {
                bytes[(row * spec.block + column) / 8] |= 128 >> (column % 8);
            }
        }
    }
    assert_eq!(compression, 8, "GDAL compresses masks with DEFLATE");
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut encoded = vec![0; compressor.zlib_compress_bound(bytes.len())];
    let length = compressor.zlib_compress(&bytes, &mut encoded).unwrap();
    encoded.truncate(length);
    EncodedBlock::new(encoded)
}

/// Writes the whole file, the blocks in row-major order.
fn write(path: &Path, spec: &OutputSpec) -> Written {
    let container = create_header(path, spec).unwrap();
    let (image, mask) = (container.image.clone(), container.mask.clone());
    let all: Vec<usize> = (0..spec.bands.len()).collect();
    let mut writer = BlockWriter::new(container).unwrap();
    let grid = image.block_grid();
    for row in 0..grid.rows {
        for column in (0..grid.columns).filter(|column| !is_sparse(*column, row)) {
            let planes: Vec<&[usize]> = if image.planar { all.chunks(1).collect() } else { vec![&all] };
            for (band, bands) in planes.into_iter().enumerate() {
                let id =
                    BlockId { level: 0, plane: Plane::Image, index: image.block_index(column, row, band) };
                writer.append(id, &image_block(spec, column, row, bands)).unwrap();
            }
            if let Some(mask) = &mask {
                let id = BlockId { level: 0, plane: Plane::Mask, index: mask.block_index(column, row, 0) };
                writer.append(id, &mask_block(spec, mask.compression, column, row)).unwrap();
            }
        }
    }
    writer.finish().unwrap()
}

fn read(band: &RasterBand<'_>) -> Vec<f64> {
    band.read_band_as::<f64>().unwrap().data().to_vec()
}

/// Compares what GDAL reads with what was written.
fn assert_pixels(path: &Path, spec: &OutputSpec) {
    let dataset = Dataset::open(path).unwrap();
    let size = spec.grid.size;
    assert_eq!(dataset.raster_size(), (size.columns, size.rows));
    assert_eq!(dataset.geo_transform().unwrap(), spec.grid.geotransform().0);
    let background = spec.nodata.map_or(0.0, Number::to_f64);
    let places = || (0..size.rows).flat_map(|row| (0..size.columns).map(move |column| (column, row)));
    let sparse = |column: usize, row: usize| is_sparse(column / spec.block, row / spec.block);
    for index in 0..spec.bands.len() {
        let band = dataset.rasterband(index + 1).unwrap();
        let expected = places().map(|(column, row)| match sparse(column, row) {
            true => background,
            false => value(index, column, row) as f64,
        });
        assert!(read(&band) == expected.collect::<Vec<_>>(), "band {index} of {spec:?}");
    }
    if spec.mask {
        let band = dataset.rasterband(1).unwrap();
        assert!(band.mask_flags().unwrap().is_per_dataset());
        let valid = |(column, row)| f64::from(!sparse(column, row) && is_valid(column, row)) * 255.0;
        assert!(read(&band.open_mask_band().unwrap()) == places().map(valid).collect::<Vec<_>>(), "{spec:?}");
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

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
        assert_eq!(xxhash_rust::xxh3::xxh3_64(bytes), record.checksum);
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

/// Colour interpretations of a file's bands.
fn colors(path: &Path) -> Vec<String> {
    let dataset = Dataset::open(path).unwrap();
    dataset.rasterbands().map(|band| band.unwrap().color_interpretation().name()).collect()
}

#[test]
fn colours_come_out_as_gdal_translate_writes_them() {
    let folder = Folder::new();
    for pixel_type in [PixelType::Byte, PixelType::UInt16] {
        for wanted in [
            &["Gray"][..],
            &["Undefined"],
            &["Gray", "Alpha"],
            &["Gray", "Undefined", "Undefined"],
            &["Red", "Green", "Blue"],
            &["Red", "Green", "Blue", "Alpha"],
            &["Red", "Green", "Blue", "Undefined"],
            &["Red", "Green", "Blue", "Undefined", "Alpha"],
            &["Blue", "Green", "Red"],
        ] {
            let path = folder.file("a.tif");
            let mut spec = spec(Size::new(20, 20), pixel_type, wanted.len());
            for (band, name) in spec.bands.iter_mut().zip(wanted) {
                band.color_interpretation = (*name).to_owned();
            }
            let container = create_header(&path, &spec).unwrap();
            let copy = folder.file("copy.tif");
            let driver = gdal::DriverManager::get_driver_by_name("GTiff").unwrap();
            Dataset::open(&path).unwrap().create_copy(&driver, &copy, &Default::default()).unwrap();
            let expected = if wanted == ["Undefined"] { &["Gray"] } else { wanted };
            assert_eq!(colors(&path), expected);
            assert_eq!(colors(&copy), expected);
            assert_eq!(container.side_file, None);
            let translated = &crate::container::directories(&FileReader::open(&copy).unwrap()).unwrap()[0];
            let tags = |image: &crate::container::Directory| (image.photometric, image.extra_samples.clone());
            // A copy of three bands of bytes is RGB by default, whatever the bands show.
            if !(pixel_type == PixelType::Byte && wanted.len() == 3) {
                assert_eq!(tags(&container.image), tags(translated), "{wanted:?}");
            }
        }
    }
}

#[test]
fn four_bands_that_show_nothing_are_not_taken_for_rgba() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    let container = create_header(&path, &spec(Size::new(20, 20), PixelType::Byte, 4)).unwrap();
    assert_eq!((container.image.photometric, &container.image.extra_samples[..]), (1, &[0, 0, 0][..]));
    assert_eq!(colors(&path), ["Gray", "Undefined", "Undefined", "Undefined"]);
}

#[test]
fn a_palette_and_its_categories_are_kept() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    let mut spec = spec(Size::new(20, 20), PixelType::Byte, 1);
    let palette = vec![[0, 0, 0, 255], [250, 10, 20, 255], [3, 200, 100, 255]];
    spec.bands[0].palette = Some(palette.clone());
    spec.bands[0].color_interpretation = "Palette".into();
    spec.bands[0].categories = vec!["nothing".into(), "forest, dense".into(), "Gewässer".into()];
    let container = create_header(&path, &spec).unwrap();
    let side_file = container.side_file.expect("names of categories need a side file");
    assert!(std::fs::read_to_string(side_file).unwrap().contains("Gewässer"));
    assert_eq!(container.image.photometric, 3);
    assert_eq!(colors(&path), ["Palette"]);
    let dataset = Dataset::open(&path).unwrap();
    let band = dataset.rasterband(1).unwrap();
    let table = band.color_table().unwrap();
    for (index, [red, green, blue, alpha]) in palette.into_iter().enumerate() {
        let found = table.entry_as_rgb(index).unwrap();
        assert_eq!([found.r, found.g, found.b, found.a], [red, green, blue, alpha]);
    }
}

#[test]
fn everything_said_about_the_file_is_kept() {
    let folder = Folder::new();
    let path = folder.file("é.tif");
    let mut spec = spec(Size::new(33, 44), PixelType::Int16, 2);
    spec.wkt = Some(UTM.into());
    spec.nodata = Some(Number::Whole(-999));
    spec.metadata =
        vec![("PLATFORM".into(), "S2 <A> & \"B\"".into()), ("AREA_OR_POINT".into(), "Point".into())];
    spec.bands[1] = OutputBand {
        description: "B8A".into(),
        unit: "W/m²".into(),
        scale: Some(0.0001),
        offset: Some(-0.1),
        metadata: vec![("WAVELENGTH".into(), "865".into())],
        ..OutputBand::default()
    };
    write(&path, &spec);
    assert_pixels(&path, &spec);
    let dataset = Dataset::open(&path).unwrap();
    assert!(dataset.projection().contains("UTM zone 31N"));
    assert_eq!(dataset.metadata_item("PLATFORM", "").as_deref(), Some("S2 <A> & \"B\""));
    assert_eq!(dataset.metadata_item("AREA_OR_POINT", "").as_deref(), Some("Point"));
    let [first, second] = [1, 2].map(|band| dataset.rasterband(band).unwrap());
    assert_eq!((first.no_data_value(), second.no_data_value()), (Some(-999.0), Some(-999.0)));
    assert_eq!((second.description().unwrap(), second.unit()), ("B8A".into(), "W/m²".into()));
    assert_eq!((second.scale(), second.offset()), (Some(0.0001), Some(-0.1)));
    assert_eq!(second.metadata_item("WAVELENGTH", "").as_deref(), Some("865"));
    assert_eq!((first.description().unwrap(), first.unit()), (String::new(), String::new()));
}

#[test]
fn nodata_of_64_bits_is_exact() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    let mut unsigned = spec(Size::new(9, 9), PixelType::UInt64, 2);
    unsigned.nodata = Some(Number::Whole(u64::MAX.into()));
    create_header(&path, &unsigned).unwrap();
    let dataset = Dataset::open(&path).unwrap();
    assert_eq!(dataset.rasterband(2).unwrap().no_data_value_u64(), Some(u64::MAX));
    drop(dataset);
    let mut signed = spec(Size::new(9, 9), PixelType::Int64, 1);
    signed.nodata = Some(Number::Whole((i64::MIN + 1).into()));
    create_header(&path, &signed).unwrap();
    let dataset = Dataset::open(&path).unwrap();
    assert_eq!(dataset.rasterband(1).unwrap().no_data_value_i64(), Some(i64::MIN + 1));
    let mut float = spec(Size::new(9, 9), PixelType::Float32, 1);
    float.nodata = Some(Number::Float(f64::NAN));
    let other = folder.file("b.tif");
    create_header(&other, &float).unwrap();
    assert!(Dataset::open(&other).unwrap().rasterband(1).unwrap().no_data_value().unwrap().is_nan());
}

#[test]
fn a_huge_file_starts_small_and_takes_its_last_block() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    let mut spec = spec(Size::new(100_000, 80_000), PixelType::UInt16, 4);
    (spec.big, spec.mask, spec.block) = (true, true, 512);
    let container = create_header(&path, &spec).unwrap();
    assert!(container.header_bytes < 1 << 20);
    let mut writer = BlockWriter::new(container).unwrap();
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

#[test]
fn every_compression_is_said_in_the_header() {
    let folder = Folder::new();
    for (compression, tag) in [(Compression::Lzw, 5), (Compression::Deflate, 8), (Compression::Zstd, 50000)] {
        for predictor in [1, 2] {
            let mut spec = spec(Size::new(100, 100), PixelType::UInt16, 3);
            (spec.compression, spec.predictor) = (compression, predictor);
            spec.extra_options = vec![("NUM_THREADS".into(), "1".into())];
            let container = create_header(&folder.file("a.tif"), &spec).unwrap();
            assert_eq!((container.image.compression, container.image.predictor), (tag, predictor));
            assert_eq!(container.warnings, [] as [String; 0]);
        }
    }
}

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
    let mut writer = BlockWriter::new(create_header(&path, &spec).unwrap()).unwrap();
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
    let mut writer = BlockWriter::new(container.clone()).unwrap();
    writer.append(image(0), &block).unwrap();
    let message = writer.append(image(1), &block).unwrap_err().to_string();
    assert!(message.contains("4 GiB") && message.contains("BigTIFF"), "{message}");
    assert!(BlockWriter::new(container).unwrap_err().to_string().contains("changed by somebody else"));
}

#[test]
fn a_full_disk_is_reported_with_the_name_of_the_file() {
    let folder = Folder::new();
    let path = folder.file("a.tif");
    let container = create_header(&path, &spec(Size::new(20, 20), PixelType::Byte, 1)).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let mut writer = BlockWriter::new(Container { header_bytes: 0, ..container }).unwrap();
    let block = EncodedBlock::new(vec![1; 256]);
    let error = writer.append(BlockId { level: 0, plane: Plane::Image, index: 0 }, &block).unwrap_err();
    let message = format!("{error:#}");
    assert!(message.contains("a.tif") && message.contains("disk is full"), "{message}");
}
