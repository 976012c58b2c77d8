//! What the order of reading costs: all pixels of one tiled raster, read in several orders, through GDAL and through
//! this project's reader of blocks. Prints a Markdown table.
//!
//!     cargo run --release --example make_scenes -- --folder demo/tiled --layout tiles --count 1 \
//!         --side 8192 --block 128 --bands 1 --type int16
//!     cargo run --release --example read_orders -- demo/tiled/*.tif
//!
//! It reads the first band in one thread. Each pass opens the file anew, and gives the same sum of pixels or ends the
//! run. The file is in the kernel's page cache: what is measured is decoding, not the disk. CPU seconds are told too, and
//! the speed follows from them, so that other work on the machine counts less.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use gdal::raster::RasterCreationOptions;
use gdal::{Dataset, DriverManager};
use mosaic_stream::geometry::{Size, Window};
use mosaic_stream::pixels::PixelType;
use mosaic_stream::source::direct::{self, BlockCache, DirectFiles, DirectReader, DirectSources};
use mosaic_stream::source::inspection::{BlockKind, Inspection, look};
use mosaic_stream::source::{self, Mosaic, Pixels, ReaderChoice, Request, Trust};

/// Blocks that a chunk spans.
const CHUNK: usize = 32;

/// Read all pixels of a tiled raster in several orders, and print what each costs.
#[derive(Parser)]
struct Options {
    /// A tiled GeoTIFF of Int16 pixels.
    file: PathBuf,
    /// Leave out the passes without a cache, which decode every block once for each of its rows.
    #[arg(long)]
    skip_uncached: bool,
}

/// One way to read everything.
struct Pass {
    order: &'static str,
    file: PathBuf,
    /// Pixels asked for at a time.
    window: Size,
    /// Bytes of decoded blocks that may be kept.
    cache: u64,
}

/// What a pass cost.
struct Cost {
    /// Seconds by the clock, and of the CPU.
    seconds: (f64, f64),
    /// Blocks decoded for each block there is.
    decoded: f64,
    sum: i64,
}

fn main() -> Result<()> {
    let options = Options::parse();
    source::prepare_gdal(0)?;
    let tiled = inspected(&options.file)?;
    ensure!(tiled.blocks.kind == BlockKind::Tiles, "{} has no tiles", tiled.name);
    ensure!(tiled.bands[0].pixel_type == "Int16", "{} has no Int16 pixels", tiled.name);
    let folder =
        tempfile::tempdir_in(options.file.parent().filter(|p| p.is_dir()).unwrap_or(Path::new(".")))?;
    let striped = folder.path().join("striped.tif");
    write_striped(&options.file, &striped, tiled.codec.as_deref().unwrap_or("none"))?;

    println!(
        "| order | reader | cache | seconds | CPU seconds | MB per CPU second | blocks decoded / needed |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut sum = None;
    for pass in passes(&tiled, &options, &striped) {
        for reader in ["GDAL", "direct"] {
            let cost = if reader == "GDAL" { through_gdal(&pass)? } else { directly(&pass)? };
            print_line(&pass, reader, &cost, &tiled);
            ensure!(*sum.get_or_insert(cost.sum) == cost.sum, "{}: other pixels by {reader}", pass.order);
        }
    }
    Ok(())
}

fn passes(tiled: &Inspection, options: &Options, striped: &Path) -> Vec<Pass> {
    let row = Size::new(tiled.columns, 1);
    let block = Size::new(tiled.blocks.columns, tiled.blocks.rows);
    let chunk = Size::new(CHUNK * block.columns, block.rows);
    // The keepers of blocks count what they spend on each beside its pixels.
    let kept = tiled.cache.pixel_row * 5 / 4;
    let pass = |order, file: &Path, window, cache| Pass { order, file: file.into(), window, cache };
    let mut passes = vec![
        pass("row by row", &options.file, row, kept),
        pass("row by row, striped copy", striped, row, 1 << 20),
        pass("block by block", &options.file, block, 1 << 20),
        pass("32 blocks at a time", &options.file, chunk, 1 << 20),
    ];
    if !options.skip_uncached {
        passes.push(pass("row by row, cache off", &options.file, row, 0));
    }
    passes
}

fn print_line(pass: &Pass, reader: &str, cost: &Cost, tiled: &Inspection) {
    let Cost { seconds: (clock, cpu), decoded, .. } = cost;
    let cache = pass.cache as f64 / f64::from(1 << 20);
    let speed = tiled.bytes.raw as f64 / 1e6 / cpu;
    let order = pass.order;
    println!("| {order} | {reader} | {cache:.1} MiB | {clock:.2} | {cpu:.2} | {speed:.0} | {decoded:.2} |");
}

fn inspected(file: &Path) -> Result<Inspection> {
    let name = file.to_str().context("the name is not UTF-8")?;
    look(name, Trust::default()).map_err(|problem| anyhow::anyhow!("{}: {}", problem.source, problem.message))
}

fn write_striped(from: &Path, to: &Path, codec: &str) -> Result<()> {
    let options = RasterCreationOptions::from_iter(["TILED=NO".into(), format!("COMPRESS={codec}")]);
    let source = Dataset::open(from)?;
    source.create_copy(&DriverManager::get_driver_by_name("GTiff")?, to, &options)?.close()?;
    Ok(())
}

fn sum_of(pixels: &[i16]) -> i64 {
    pixels.iter().map(|&pixel| i64::from(pixel)).sum()
}

/// Reads through GDAL. It does not tell how many blocks it decodes, but reads each one from the file when it does: the
/// bytes read for each byte stored say it, a few percent too high for what is read around blocks.
fn through_gdal(pass: &Pass) -> Result<Cost> {
    source::prepare_gdal(pass.cache)?;
    let stored = inspected(&pass.file)?.bytes.stored.context("its block index is not known")?;
    let dataset = Dataset::open(&pass.file)?;
    let band = dataset.rasterband(1)?;
    let raster = Size::new(dataset.raster_size().0, dataset.raster_size().1);
    let mut pixels = vec![0i16; pass.window.pixels()];
    let (mut sum, before, watch) = (0, bytes_read()?, Watch::start()?);
    for window in Window::whole(raster).cut(pass.window) {
        let (place, size) = ((window.column as isize, window.row as isize), (window.columns, window.rows));
        let pixels = &mut pixels[..window.pixels()];
        band.read_into_slice(place, size, size, pixels, None)?;
        sum += sum_of(pixels);
    }
    let seconds = watch.seconds()?;
    Ok(Cost { seconds, decoded: (bytes_read()? - before) as f64 / stored as f64, sum })
}

/// A clock, and the CPU's time for this process.
struct Watch {
    clock: Instant,
    cpu: f64,
}

impl Watch {
    fn start() -> Result<Watch> {
        Ok(Watch { clock: Instant::now(), cpu: cpu_seconds()? })
    }

    fn seconds(&self) -> Result<(f64, f64)> {
        Ok((self.clock.elapsed().as_secs_f64(), cpu_seconds()? - self.cpu))
    }
}

/// Time that this process's first thread, which does all the work, has spent on a CPU (Linux, proc(5)).
fn cpu_seconds() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").context("only Linux tells the CPU time")?;
    let nanoseconds = text.split_whitespace().next().and_then(|field| field.parse::<f64>().ok());
    Ok(nanoseconds.context("/proc/self/schedstat has no time")? / 1e9)
}

/// Bytes that this process has read from files, those in the kernel's cache counted (Linux, proc(5)).
fn bytes_read() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/io").context("only Linux tells what was read")?;
    let number = text.lines().find_map(|line| line.strip_prefix("rchar: "));
    number.and_then(|number| number.parse().ok()).context("/proc/self/io has no rchar")
}

/// Reads with the project's own reader of blocks and its cache.
fn directly(pass: &Pass) -> Result<Cost> {
    let mosaic = mosaic_of(&pass.file)?;
    let placed = &mosaic.sources[0];
    ensure!(placed.direct, "{} is not read directly", placed.source.name);
    let shared = DirectSources { files: DirectFiles::new(1), cache: BlockCache::new(pass.cache as usize, 1) };
    let mut reader = DirectReader::new(&mosaic, &shared, (pass.window, 1));
    let mut part_pixels = Pixels::new(PixelType::Int16);
    let mut pixels = vec![0i16; pass.window.pixels()];
    let (mut sum, watch) = (0, Watch::start()?);
    for window in Window::whole(placed.source.size).cut(pass.window) {
        reader.enter(window);
        for part in direct::parts(placed, window) {
            reader.read(placed, part, 0..1, &mut part_pixels)?;
            let rows = part_pixels.values.pixels::<i16>().chunks_exact(part.place.columns);
            for (row, values) in (part.place.row - window.row..).zip(rows) {
                let start = row * window.columns + part.place.column - window.column;
                pixels[start..start + values.len()].copy_from_slice(values);
            }
        }
        reader.leave();
        sum += sum_of(&pixels[..window.pixels()]);
    }
    let seconds = watch.seconds()?;
    let needed = direct::blocks_needed(placed);
    Ok(Cost { seconds, decoded: shared.cache.decoded() as f64 / needed as f64, sum })
}

/// The mosaic of one raster: itself.
fn mosaic_of(file: &Path) -> Result<Mosaic> {
    let name = file.to_str().context("the name is not UTF-8")?;
    let (source, _) = source::inspect(name, None, None, Trust::default())
        .map_err(|problem| anyhow::anyhow!(problem.message))?;
    let request = Request { reader: ReaderChoice::Direct, bands: vec!["1".into()], ..Request::default() };
    match source::unify(&[Arc::new(source)], &request).0 {
        Ok(mosaic) => Ok(mosaic),
        Err(conflicts) => bail!("{}", conflicts[0].problem.message),
    }
}
