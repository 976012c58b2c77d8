//! Draws a small PNG of a raster of any size: `cargo run --release --example quicklook -- FILE OUT.png`.
//!
//! Red, green and blue bands where the file names them, else bands 3, 2, 1 (the natural colours of Sentinel-2's 10 m
//! bands), else band 1 in grey or in its palette. Values from the 2nd to the 98th percentile of what is valid are
//! stretched over black to white; what is not valid is black.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use gdal::raster::{Buffer, ColorInterpretation, RasterBand, RasterCreationOptions, ResampleAlg};
use gdal::{Dataset, DriverManager};

/// Draw a small PNG of a raster.
#[derive(Parser)]
struct Options {
    file: PathBuf,
    png: PathBuf,
    /// The picture's longer side in pixels, at most.
    #[arg(long, default_value_t = 1024)]
    side: usize,
}

/// Width and height in pixels.
type Shape = (usize, usize);

fn main() -> Result<()> {
    let options = Options::parse();
    let source =
        Dataset::open(&options.file).with_context(|| format!("cannot open {}", options.file.display()))?;
    let shape = fit(source.raster_size(), options.side);
    let planes = draw(&source, shape).with_context(|| format!("cannot read {}", options.file.display()))?;
    write_png(&options.png, shape, planes).with_context(|| format!("cannot write {}", options.png.display()))
}

/// The largest shape of the same proportions whose sides are at most `side`; never larger than the raster itself.
fn fit((width, height): Shape, side: usize) -> Shape {
    let scale = (side as f64 / width.max(height) as f64).min(1.0);
    let shrink = |length: usize| ((length as f64 * scale).round() as usize).max(1);
    (shrink(width), shrink(height))
}

/// One plane of grey, or three of colour.
fn draw(source: &Dataset, shape: Shape) -> Result<Vec<Vec<u8>>> {
    let first = source.rasterband(1)?;
    if first.color_table().is_some() {
        return paint(&first, shape);
    }
    visible_bands(source)?.into_iter().map(|number| stretch(&source.rasterband(number)?, shape)).collect()
}

/// Numbers of the bands to show as red, green and blue, or of the one to show as grey.
fn visible_bands(source: &Dataset) -> Result<Vec<usize>> {
    let meanings = source
        .rasterbands()
        .map(|band| band.map(|band| band.color_interpretation()))
        .collect::<gdal::errors::Result<Vec<_>>>()?;
    let number = |wanted| meanings.iter().position(|meaning| *meaning == wanted).map(|index| index + 1);
    let named = [ColorInterpretation::RedBand, ColorInterpretation::GreenBand, ColorInterpretation::BlueBand];
    Ok(match named.map(number) {
        [Some(red), Some(green), Some(blue)] => vec![red, green, blue],
        _ if meanings.len() >= 3 => vec![3, 2, 1],
        _ => vec![1],
    })
}

/// Which pixels of a band are valid: its nodata, mask or alpha, whichever GDAL goes by.
fn validity(band: &RasterBand, shape: Shape) -> Result<Vec<bool>> {
    let nearest = Some(ResampleAlg::NearestNeighbour);
    let mask = band.open_mask_band()?.read_as::<u8>((0, 0), band.size(), shape, nearest)?;
    Ok(mask.data().iter().map(|&value| value > 0).collect())
}

/// A band's valid values spread over 1 to 255; 0 where nothing is valid.
fn stretch(band: &RasterBand, shape: Shape) -> Result<Vec<u8>> {
    let values = band.read_as::<f64>((0, 0), band.size(), shape, Some(ResampleAlg::NearestNeighbour))?;
    let valid = validity(band, shape)?;
    let mut sorted: Vec<f64> = values
        .data()
        .iter()
        .zip(&valid)
        .filter(|(value, valid)| **valid && value.is_finite())
        .map(|(value, _)| *value)
        .collect();
    sorted.sort_unstable_by(f64::total_cmp);
    if sorted.is_empty() {
        return Ok(vec![0; valid.len()]);
    }
    let percentile = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    let (low, high) = (percentile(0.02), percentile(0.98));
    let range = if high > low { high - low } else { 1.0 };
    let grey = |value: f64| (1.0 + 254.0 * ((value - low) / range).clamp(0.0, 1.0)).round() as u8;
    Ok(values.data().iter().zip(valid).map(|(&value, valid)| if valid { grey(value) } else { 0 }).collect())
}

/// A palette band in its own colours.
fn paint(band: &RasterBand, shape: Shape) -> Result<Vec<Vec<u8>>> {
    let table = band.color_table().context("the band has no palette")?;
    let values = band.read_as::<u16>((0, 0), band.size(), shape, Some(ResampleAlg::NearestNeighbour))?;
    let valid = validity(band, shape)?;
    let colours: Vec<[u8; 3]> = (0..table.entry_count())
        .map(|index| {
            table
                .entry_as_rgb(index)
                .map_or([0; 3], |entry| [entry.r, entry.g, entry.b].map(|part| part.clamp(0, 255) as u8))
        })
        .collect();
    let colour = |value: u16| colours.get(usize::from(value)).copied().unwrap_or_default();
    let painted: Vec<[u8; 3]> = values
        .data()
        .iter()
        .zip(valid)
        .map(|(&value, valid)| if valid { colour(value) } else { [0; 3] })
        .collect();
    Ok((0..3).map(|part| painted.iter().map(|colour| colour[part]).collect()).collect())
}

/// GDAL's PNG driver only copies: the picture is made in memory first.
fn write_png(path: &std::path::Path, (width, height): Shape, planes: Vec<Vec<u8>>) -> Result<()> {
    let memory = DriverManager::get_driver_by_name("MEM")?;
    let picture = memory.create_with_band_type::<u8, _>("", width, height, planes.len())?;
    for (index, plane) in planes.into_iter().enumerate() {
        let mut buffer = Buffer::new((width, height), plane);
        picture.rasterband(index + 1)?.write((0, 0), (width, height), &mut buffer)?;
    }
    let png = DriverManager::get_driver_by_name("PNG")?;
    picture.create_copy(&png, path, &RasterCreationOptions::from_iter(["ZLEVEL=6"]))?.close()?;
    let drawn = Dataset::open(path)?.raster_size();
    anyhow::ensure!(drawn == (width, height), "the picture came out as {drawn:?}");
    Ok(())
}
