//! Mosaics two rasters from Rust: makes them, runs the job through the library, and prints what it did and cost.
//!
//!     cargo run --example mosaic_from_rust

use std::path::Path;

use anyhow::{Result, ensure};
use gdal::raster::Buffer;
use gdal::spatial_ref::SpatialRef;
use gdal::{Dataset, DriverManager};
use mosaic_stream::config::{Settings, Verify};
use mosaic_stream::mosaic;
use mosaic_stream::pixels::Method;
use mosaic_stream::run::report::Report;

/// Columns and rows of one raster, and the side of a pixel in metres.
const SIDE: usize = 100;
const PIXEL: f64 = 10.0;

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let report = mosaic_two_rasters(folder.path())?;
    let Report { grid, bytes, budget, .. } = &report;
    println!("{} columns, {} rows of {}", grid.columns, grid.rows, grid.data_type);
    println!("{} bytes of pixels in a file of {} bytes", bytes.pixels, bytes.file);
    println!("at most {} bytes of memory, {} were allowed", budget.measured_peak, budget.limit);
    for stage in &report.seconds {
        println!("{:>9}: {:.3} s", stage.stage, stage.seconds);
    }
    Ok(())
}

/// The mean of a raster of tens and one of thirty-ones that overlap by half.
fn mosaic_two_rasters(folder: &Path) -> Result<Report> {
    let (left, right, output) =
        (folder.join("left.tif"), folder.join("right.tif"), folder.join("mosaic.tif"));
    write_raster(&left, 0, 10)?;
    write_raster(&right, SIDE / 2, 31)?;
    let settings = Settings {
        inputs: [left, right].iter().map(|path| path.display().to_string()).collect(),
        output: output.clone(),
        method: Method::Mean.into(),
        memory: 512 << 20,
        verify: Verify::Full,
        ..Settings::default()
    };
    let report = mosaic::build_simply(&settings)?;

    let mosaic = Dataset::open(&output)?;
    ensure!(mosaic.raster_size() == (SIDE + SIDE / 2, SIDE), "the mosaic has another size");
    let band = mosaic.rasterband(1)?;
    // The mean of 10 and 31 lies halfway between 20 and 21: whole types round to the even one.
    for (column, wanted) in [(0, 10), (SIDE / 2, 20), (SIDE, 31)] {
        let pixel = band.read_as::<u8>((column as isize, 0), (1, 1), (1, 1), None)?;
        ensure!(pixel.data() == [wanted], "column {column} is {:?} and not {wanted}", pixel.data());
    }
    Ok(report)
}

/// A raster of one value whose left edge lies so many pixels east of the origin.
fn write_raster(path: &Path, column: usize, value: u8) -> Result<()> {
    let driver = DriverManager::get_driver_by_name("GTiff")?;
    let mut raster = driver.create_with_band_type::<u8, _>(path, SIDE, SIDE, 1)?;
    raster.set_spatial_ref(&SpatialRef::from_epsg(32631)?)?;
    let left = 600_000.0 + column as f64 * PIXEL;
    raster.set_geo_transform(&[left, PIXEL, 0.0, 5_700_000.0, 0.0, -PIXEL])?;
    let mut pixels = Buffer::new((SIDE, SIDE), vec![value; SIDE * SIDE]);
    raster.rasterband(1)?.write((0, 0), (SIDE, SIDE), &mut pixels)?;
    raster.close()?;
    Ok(())
}

#[test]
fn two_rasters_become_one() {
    let folder = tempfile::tempdir().unwrap();
    let report = mosaic_two_rasters(folder.path()).unwrap();
    assert_eq!((report.grid.columns, report.grid.rows, report.grid.bands), (SIDE + SIDE / 2, SIDE, 1));
    assert_eq!(report.inputs.used.len(), 2);
    assert!(report.inputs.skipped.is_empty() && report.warnings.is_empty());
    assert!(report.verification.is_some_and(|findings| findings.faults.is_empty()));
}

#[test]
fn settings_without_meaning_are_refused_all_at_once() {
    let settings = Settings { chunk: Some(100), threads: 0, ..Settings::default() };
    let message = mosaic::build_simply(&settings).unwrap_err().to_string();
    for part in ["input", "output", "chunk", "threads"] {
        assert!(message.contains(part), "{part} is not named: {message}");
    }
}
