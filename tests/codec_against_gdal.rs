//! Blocks that GDAL wrote are decoded by ours, and blocks that ours encoded are read by GDAL: the same pixels.

use gdal::raster::{Buffer, GdalType, RasterCreationOptions};
use gdal::{Dataset, DriverManager, Metadata, vsi};
use mosaic_stream::codec::{BlockLayout, Compression, Decoder, Encoder, Predictor};
use std::fmt::Debug;

/// A pixel type that both sides know.
trait Sample: GdalType + bytemuck::Pod + Default + PartialEq + Debug {
    const FLOAT: bool = false;
    const SIGNED: bool = false;
    fn of(value: f64) -> Self;
}

macro_rules! samples {
    ($($Type:ty: $float:literal, $signed:literal);+) => { $(
        impl Sample for $Type {
            const FLOAT: bool = $float;
            const SIGNED: bool = $signed;
            fn of(value: f64) -> Self {
                value as $Type
            }
        }
    )+ };
}
samples!(u8: false, false; u16: false, false; i16: false, true; u32: false, false; i32: false, true;
    u64: false, false; i64: false, true; f32: true, true; f64: true, true);

/// Smooth ground with noise, in the value range of the type, for one band.
fn pixels<T: Sample>(columns: usize, rows: usize, band: usize) -> Vec<T> {
    let largest = if T::FLOAT { 1e9 } else { 2f64.powi(8 * size_of::<T>() as i32 - i32::from(T::SIGNED)) };
    let middle = if T::SIGNED { 0.0 } else { 0.5 };
    let pixel = |i: usize| {
        let (x, y) = ((i % columns) as f64, (i / columns) as f64);
        let noise = (i as u32 + 7 * band as u32).wrapping_mul(2_654_435_769) >> 20;
        let ground = 0.4 * (x / 19.0 + band as f64).sin() * (y / 13.0).cos() + f64::from(noise) / 1e6;
        T::of((middle + ground) * largest)
    };
    (0..columns * rows).map(pixel).collect()
}

fn predictors<T: Sample>(compression: Compression) -> impl Iterator<Item = Predictor> {
    Predictor::ALL.iter().copied().filter(move |&predictor| match predictor {
        Predictor::None => true,
        // GDAL writes no predictor tag for uncompressed files.
        _ if compression == Compression::None => false,
        Predictor::Horizontal => true,
        Predictor::Float => T::FLOAT,
    })
}

/// A file in GDAL's memory, removed at the end.
struct MemoryFile(String);

impl MemoryFile {
    fn named(name: String) -> Self {
        Self(format!("/vsimem/{name}"))
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        let _ = vsi::unlink_mem_file(&self.0);
    }
}

fn assert_gdal_blocks_decode<T: Sample>(samples: usize, together: bool, tiled: bool) {
    let (columns, rows) = (100, 70);
    for &compression in Compression::ALL {
        for predictor in predictors::<T>(compression) {
            let case = format!("{compression} {predictor} {} x{samples} {together} {tiled}", T::datatype());
            let file = MemoryFile::named(format!("gdal {case}.tif"));
            let mut options = vec![
                format!("COMPRESS={}", compression.name().to_uppercase()),
                format!("INTERLEAVE={}", if together { "PIXEL" } else { "BAND" }),
            ];
            if predictor != Predictor::None {
                options.push(format!("PREDICTOR={}", predictor.tag()));
            }
            let block_rows = if tiled { 32 } else { 35 };
            options.push(format!("BLOCKYSIZE={block_rows}"));
            if tiled {
                options.extend(["TILED=YES", "BLOCKXSIZE=48"].map(String::from));
            }
            let options = RasterCreationOptions::from_iter(options.iter().map(String::as_str));
            let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
            let written = driver
                .create_with_band_type_with_options::<T, _>(&file.0, columns, rows, samples, &options)
                .unwrap();
            for band in 0..samples {
                let mut buffer = Buffer::new((columns, rows), pixels::<T>(columns, rows, band));
                written.rasterband(band + 1).unwrap().write((0, 0), (columns, rows), &mut buffer).unwrap();
            }
            written.close().unwrap();

            let bytes = vsi::get_vsi_mem_file_bytes_owned(&file.0).unwrap();
            vsi::create_mem_file(&file.0, bytes.clone()).unwrap();
            assert_blocks_decode::<T>(
                &Dataset::open(&file.0).unwrap(),
                &bytes,
                compression,
                predictor,
                together,
            );
        }
    }
}

/// Finds every block of every band in the file's bytes, decodes it, and compares its pixels inside the raster.
fn assert_blocks_decode<T: Sample>(
    dataset: &Dataset,
    file: &[u8],
    compression: Compression,
    predictor: Predictor,
    together: bool,
) {
    let (columns, rows) = dataset.raster_size();
    let samples = if together { dataset.raster_count() } else { 1 };
    let mut decoder = Decoder::new(compression, predictor).unwrap();
    for band in 0..dataset.raster_count() {
        let expected = pixels::<T>(columns, rows, band);
        let raster_band = dataset.rasterband(band + 1).unwrap();
        let (width, height) = raster_band.block_size();
        let layout = BlockLayout { columns: width, rows: height, samples, sample_bytes: size_of::<T>() };
        for (x, y) in
            (0..columns.div_ceil(width)).flat_map(|x| (0..rows.div_ceil(height)).map(move |y| (x, y)))
        {
            let number = |item: &str| -> usize {
                raster_band.metadata_item(&format!("BLOCK_{item}_{x}_{y}"), "TIFF").unwrap().parse().unwrap()
            };
            let offset = number("OFFSET");
            let mut raw = vec![T::default(); width * height * samples];
            let encoded = &file[offset..offset + number("SIZE")];
            decoder.decode(encoded, layout, bytemuck::cast_slice_mut(&mut raw)).unwrap();
            for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
                let (raster_x, raster_y) = (x * width + column, y * height + row);
                if raster_x < columns && raster_y < rows {
                    let sample = raw[(row * width + column) * samples + if together { band } else { 0 }];
                    assert_eq!(
                        sample,
                        expected[raster_y * columns + raster_x],
                        "{compression} {predictor} {} band {band}, pixel {raster_x}, {raster_y}",
                        T::datatype()
                    );
                }
            }
        }
    }
}

fn assert_gdal_reads_ours<T: Sample>(columns: usize, rows: usize, samples: usize) {
    let layout = BlockLayout { columns, rows, samples, sample_bytes: size_of::<T>() };
    let bands: Vec<Vec<T>> = (0..samples).map(|band| pixels(columns, rows, band)).collect();
    let raw: Vec<T> = (0..columns * rows).flat_map(|i| bands.iter().map(move |band| band[i])).collect();
    for &compression in Compression::ALL {
        for predictor in predictors::<T>(compression) {
            let case = format!("{compression} {predictor} {} {layout:?}", T::datatype());
            let mut block: Vec<u8> = bytemuck::cast_slice(&raw).to_vec();
            let mut encoded = Vec::new();
            Encoder::new(compression, predictor, None)
                .unwrap()
                .encode(&mut block, layout, &mut encoded)
                .unwrap();

            let file = MemoryFile::named(format!("ours {case}.tif"));
            let format = if T::FLOAT { 3 } else { 1 + u16::from(T::SIGNED) };
            vsi::create_mem_file(&file.0, one_block_tiff(&encoded, layout, compression, predictor, format))
                .unwrap();
            let dataset = Dataset::open(&file.0).unwrap();
            for (band, expected) in bands.iter().enumerate() {
                let band = dataset.rasterband(band + 1).unwrap();
                assert_eq!(band.band_type(), T::datatype(), "{case}");
                let read = band.read_as::<T>((0, 0), (columns, rows), (columns, rows), None).unwrap();
                assert!(read.data() == expected, "{case}");
            }
        }
    }
}

/// A classic little-endian TIFF (TIFF 6.0) whose only block is `encoded`: a tile where its sides are multiples of 16,
/// otherwise a strip.
fn one_block_tiff(
    encoded: &[u8],
    layout: BlockLayout,
    compression: Compression,
    predictor: Predictor,
    sample_format: u16,
) -> Vec<u8> {
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    let (columns, rows, samples) = (layout.columns as u32, layout.rows as u32, layout.samples as u32);
    let scheme = match compression {
        Compression::None => 1,
        Compression::Lzw => 5,
        Compression::Deflate => 8,
        Compression::Zstd => 50000,
    };
    let is_tile = columns % 16 == 0 && rows % 16 == 0;
    // The block follows the 8 bytes of the header, the directory the block, and long values the directory.
    let directory = (8 + encoded.len()).next_multiple_of(2);
    let each = |value: u32| vec![value; samples as usize];
    let mut tags = vec![
        (256, LONG, vec![columns]),
        (257, LONG, vec![rows]),
        (258, SHORT, each(8 * layout.sample_bytes as u32)),
        (259, SHORT, vec![scheme]),
        (262, SHORT, vec![1]),
        (277, SHORT, vec![samples]),
        (284, SHORT, vec![1]),
        (317, SHORT, vec![predictor.tag().into()]),
        (338, SHORT, vec![0; samples as usize - 1]),
        (339, SHORT, each(sample_format.into())),
    ];
    let length = encoded.len() as u32;
    if is_tile {
        let tile = [(322, vec![columns]), (323, vec![rows]), (324, vec![8]), (325, vec![length])];
        tags.extend(tile.map(|(tag, value)| (tag, LONG, value)));
    } else {
        let strip = [(273, vec![8]), (278, vec![rows]), (279, vec![length])];
        tags.extend(strip.map(|(tag, value)| (tag, LONG, value)));
    }
    tags.retain(|(tag, _, values)| !values.is_empty() && (*tag != 317 || compression != Compression::None));
    tags.sort_by_key(|(tag, ..)| *tag);

    let mut file = b"II*\0".to_vec();
    file.extend((directory as u32).to_le_bytes());
    file.extend(encoded);
    file.resize(directory, 0);
    file.extend((tags.len() as u16).to_le_bytes());
    let mut long_values = Vec::new();
    let after_directory = directory + 2 + 12 * tags.len() + 4;
    for (tag, kind, values) in tags {
        let bytes = match kind {
            SHORT => values.iter().flat_map(|&value| (value as u16).to_le_bytes()).collect::<Vec<_>>(),
            _ => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        };
        file.extend([tag, kind].iter().flat_map(|number: &u16| number.to_le_bytes()));
        file.extend((values.len() as u32).to_le_bytes());
        if bytes.len() <= 4 {
            file.extend([&bytes[..], &[0; 4][bytes.len()..]].concat());
        } else {
            file.extend(((after_directory + long_values.len()) as u32).to_le_bytes());
            long_values.extend(bytes);
        }
    }
    file.extend([0; 4]);
    file.extend(long_values);
    file
}

macro_rules! both_ways {
    ($($name:ident: $Type:ty);+ $(;)?) => {
        mod we_decode_what_gdal_wrote { $(
            #[test]
            fn $name() {
                for (samples, together) in [(1, true), (3, true), (3, false), (7, true)] {
                    for tiled in [true, false] {
                        super::assert_gdal_blocks_decode::<$Type>(samples, together, tiled);
                    }
                }
            }
        )+ }
        mod gdal_reads_what_we_encoded { $(
            #[test]
            fn $name() {
                for (columns, rows, samples) in [(64, 48, 1), (256, 256, 4), (37, 23, 3), (1, 1, 1), (129, 1, 6)] {
                    super::assert_gdal_reads_ours::<$Type>(columns, rows, samples);
                }
            }
        )+ }
    };
}
both_ways! {
    byte: u8; uint16: u16; int16: i16; uint32: u32; int32: i32; uint64: u64; int64: i64; float32: f32; float64: f64;
}
