//! Writes overlapping Sentinel-2-like scenes to mosaic: the demonstration's and the benchmarks' input.
//!
//!     cargo run --release --example make_scenes -- --folder demo/scenes --side 1098
//!
//! Four bands of 10 m pixels in EPSG:32631 with nodata 0 outside of the slanting swath, DEFLATE with predictor 2 in
//! tiles of 512, all bands of a pixel together. The same flags give the same pixels on any machine.

mod ground;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use gdal::raster::{Buffer, RasterCreationOptions};
use gdal::spatial_ref::SpatialRef;
use gdal::{Dataset, DriverManager, Metadata};
use ground::{Ground, View};
use rayon::prelude::*;

/// Rows that one task makes.
const PATCH_ROWS: usize = 64;
/// Upper-left corner of the first scene, and the pixel side, in metres of UTM zone 31 N.
const ORIGIN: (f64, f64) = (600_000.0, 5_700_000.0);
const PIXEL: f64 = 10.0;
/// Share of a scene's side that the slanting swath leaves empty at most; less than the overlap of two scenes.
const WEDGE: f64 = 0.08;
/// Bands of a Sentinel-2 scene at 10 m.
const DESCRIPTIONS: [&str; 4] = ["B02", "B03", "B04", "B08"];

/// Write overlapping, deterministic, Sentinel-2-like scenes.
#[derive(Parser)]
struct Options {
    /// Folder to write to; made when it is not there.
    #[arg(long)]
    folder: PathBuf,
    /// Scenes overlap by a tenth and have nodata wedges; tiles adjoin and are full.
    #[arg(long, value_enum, default_value = "scenes")]
    layout: Layout,
    /// How many files, laid out in a square.
    #[arg(long, visible_alias = "scenes", default_value_t = 4)]
    count: usize,
    /// Pixels a side of one file. A Sentinel-2 tile has 10980; four of 5490 make a mosaic of 10481.
    #[arg(long, default_value_t = 1098)]
    side: usize,
    /// Side of the files' tiles.
    #[arg(long, default_value_t = 512)]
    block: usize,
    #[arg(long, default_value_t = 4)]
    bands: usize,
    #[arg(long = "type", value_enum, default_value = "uint16")]
    kind: Kind,
    /// Another seed is another landscape.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Layout {
    Scenes,
    Tiles,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Kind {
    Uint8,
    Uint16,
    Int16,
    Float32,
}

impl Kind {
    /// What the file stores for a reflectance × 10,000; never 0, which is nodata.
    fn stored(self, reflectance: f32) -> f32 {
        match self {
            Kind::Uint8 => (reflectance / 40.0).round().clamp(1.0, 255.0),
            Kind::Uint16 | Kind::Int16 => reflectance.round().clamp(1.0, 32767.0),
            Kind::Float32 => reflectance.max(1.0) / 10_000.0,
        }
    }
}

/// One file: where it lies on the ground, in pixels from the origin.
struct Scene {
    number: usize,
    name: String,
    x: usize,
    y: usize,
}

fn main() -> Result<()> {
    let options = Options::parse();
    ensure!(options.bands > 0 && options.side > 0 && options.count > 0, "bands, side and count start at 1");
    std::fs::create_dir_all(&options.folder)
        .with_context(|| format!("cannot make the folder {}", options.folder.display()))?;
    let ground = Ground::new(options.seed, options.bands);
    let scenes = lay_out(&options);
    match options.layout {
        // One at a time, each on every CPU: a large scene's blocks are held until they are compressed.
        Layout::Scenes => scenes.iter().try_for_each(|scene| write_scene(&options, &ground, scene))?,
        Layout::Tiles => scenes.par_iter().try_for_each(|scene| write_scene(&options, &ground, scene))?,
    }
    let Options { count, side, bands, folder, .. } = &options;
    println!("{count} files of {side} × {side} pixels, {bands} bands, in {}", folder.display());
    Ok(())
}

/// Positions of all files: rows of a square.
fn lay_out(options: &Options) -> Vec<Scene> {
    let columns = (1..).find(|columns| columns * columns >= options.count).unwrap_or(1);
    let (step, word) = match options.layout {
        Layout::Scenes => (options.side * 4991 / 5490, "scene"),
        Layout::Tiles => (options.side, "tile"),
    };
    (0..options.count)
        .map(|number| {
            let (row, column) = (number / columns, number % columns);
            Scene {
                number,
                name: format!("{word}_{row:02}_{column:02}.tif"),
                x: column * step,
                y: row * step,
            }
        })
        .collect()
}

/// Makes one file, and reads its end back: before 3.7 GDAL does not say when a write has failed.
fn write_scene(options: &Options, ground: &Ground, scene: &Scene) -> Result<()> {
    let path = options.folder.join(&scene.name);
    let mut last = Vec::new();
    let dataset = create(options, scene, &path)?;
    // A batch of patches is made on every CPU, then handed to GDAL.
    let starts: Vec<usize> = (0..options.side).step_by(PATCH_ROWS).collect();
    for batch in starts.chunks(rayon::current_num_threads()) {
        let made: Vec<_> = batch.par_iter().map(|&start| patch(options, ground, scene, start)).collect();
        for (&start, planes) in batch.iter().zip(made) {
            let rows = PATCH_ROWS.min(options.side - start);
            for (band, plane) in planes.into_iter().enumerate() {
                let mut buffer = Buffer::new((options.side, rows), plane);
                let window = (0, start as isize);
                dataset.rasterband(band + 1)?.write(window, (options.side, rows), &mut buffer)?;
                last = buffer.into_shape_and_vec().1;
            }
        }
    }
    dataset.close().with_context(|| format!("cannot finish {}", path.display()))?;

    let (start, rows) = (options.side - last.len() / options.side, last.len() / options.side);
    let size = (options.side, rows);
    let found = Dataset::open(&path)?.rasterband(options.bands)?.read_as::<f32>(
        (0, start as isize),
        size,
        size,
        None,
    );
    let kept = found.is_ok_and(|found| found.data() == last);
    ensure!(kept, "{} was not written whole: is the disk full?", path.display());
    Ok(())
}

/// An empty file with everything but its pixels.
fn create(options: &Options, scene: &Scene, path: &Path) -> Result<Dataset> {
    let mut settings = vec!["COMPRESS=DEFLATE", "INTERLEAVE=PIXEL", "BIGTIFF=IF_SAFER"];
    settings.push(if options.kind == Kind::Float32 { "PREDICTOR=3" } else { "PREDICTOR=2" });
    if options.layout == Layout::Scenes {
        settings.push("NUM_THREADS=ALL_CPUS");
    }
    let tiles = [format!("BLOCKXSIZE={}", options.block), format!("BLOCKYSIZE={}", options.block)];
    if options.side > options.block {
        settings.push("TILED=YES");
        settings.extend(tiles.iter().map(String::as_str));
    }
    let settings = RasterCreationOptions::from_iter(settings);
    let driver = DriverManager::get_driver_by_name("GTiff")?;
    let (side, bands) = (options.side, options.bands);
    let made = match options.kind {
        Kind::Uint8 => driver.create_with_band_type_with_options::<u8, _>(path, side, side, bands, &settings),
        Kind::Uint16 => {
            driver.create_with_band_type_with_options::<u16, _>(path, side, side, bands, &settings)
        }
        Kind::Int16 => {
            driver.create_with_band_type_with_options::<i16, _>(path, side, side, bands, &settings)
        }
        Kind::Float32 => {
            driver.create_with_band_type_with_options::<f32, _>(path, side, side, bands, &settings)
        }
    };
    let mut dataset = made.with_context(|| format!("cannot make {}", path.display()))?;
    let (left, top) = (ORIGIN.0 + scene.x as f64 * PIXEL, ORIGIN.1 - scene.y as f64 * PIXEL);
    dataset.set_geo_transform(&[left, PIXEL, 0.0, top, 0.0, -PIXEL])?;
    dataset.set_spatial_ref(&SpatialRef::from_epsg(32631)?)?;
    for number in 1..=bands {
        let mut band = dataset.rasterband(number)?;
        band.set_no_data_value(Some(0.0))?;
        let description =
            DESCRIPTIONS.get(number - 1).map_or_else(|| format!("band {number}"), |&name| name.into());
        band.set_description(&description)?;
    }
    Ok(dataset)
}

/// The stored values of some rows from `start` on, one plane a band.
fn patch(options: &Options, ground: &Ground, scene: &Scene, start: usize) -> Vec<Vec<f32>> {
    let rows = PATCH_ROWS.min(options.side - start);
    let view = View { scene: scene.number as u64 };
    let mut planes = ground.patch(&view, scene.x as i64, (scene.y + start) as i64, options.side, rows);
    for plane in &mut planes {
        for (row, values) in plane.chunks_mut(options.side).enumerate() {
            let seen = swath(options, start + row);
            for (column, value) in values.iter_mut().enumerate() {
                *value = if seen.contains(&column) { options.kind.stored(*value) } else { 0.0 };
            }
        }
    }
    planes
}

/// Columns of a row that the swath covers. A descending orbit: its edges run from the upper right to the lower left.
fn swath(options: &Options, row: usize) -> std::ops::Range<usize> {
    if options.layout == Layout::Tiles {
        return 0..options.side;
    }
    let (side, down) = (options.side as f64, row as f64 / options.side as f64);
    let (left, right) = (side * WEDGE * (1.0 - down), side * (1.0 - WEDGE * down));
    left.round() as usize..right.round() as usize
}
