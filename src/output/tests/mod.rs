//! Files made here, read back by GDAL.

mod blocks;
mod refused;
mod said;

use std::path::{Path, PathBuf};

use gdal::Dataset;
use gdal::raster::RasterBand;

use super::*;
use crate::codec::Compression;
use crate::dispatch_pixel_type;
use crate::geometry::{Grid, Resolution, Size};
use crate::pixels::{Number, Pixel, PixelType};

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
    let mut writer = BlockWriter::new(container, None).unwrap();
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
