//! Writes Sentinel-2-like scenes to mosaic or to composite: the demonstration's and the benchmarks' input.
//!
//!     cargo run --release --example make_scenes -- --folder demo/scenes --side 1098
//!     cargo run --release --example make_scenes -- --folder demo/dates --layout dates --count 8
//!
//! Four bands of 10 m pixels in EPSG:32631 with nodata 0 outside of the slanting swath, DEFLATE with predictor 2 in
//! tiles of 512, all bands of a pixel together. The same flags give the same pixels on any machine.

mod clouds;
mod dates;
mod ground;
mod noise;
mod raster_file;
mod scenes;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};
use ground::Ground;
use raster_file::{Kind, folder};
use rayon::prelude::*;

/// Rows that one task makes; even, so that squares of two pixels are not cut.
const PATCH_ROWS: usize = 64;
/// Bands of a Sentinel-2 scene at 10 m.
const DESCRIPTIONS: [&str; 4] = ["B02", "B03", "B04", "B08"];

/// Write deterministic, Sentinel-2-like scenes.
#[derive(Parser)]
struct Options {
    /// Folder to write to; made when it is not there.
    #[arg(long)]
    folder: PathBuf,
    /// Scenes overlap by a tenth and have nodata wedges; tiles adjoin and are full; dates are one place with clouds.
    #[arg(long, value_enum, default_value = "scenes")]
    layout: Arrangement,
    /// How many files, laid out in a square, or how many dates.
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
    /// With dates: another folder, for copies with nodata where there are clouds.
    #[arg(long)]
    masked: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Arrangement {
    Scenes,
    Tiles,
    Dates,
}

impl Options {
    /// What the bands are called.
    fn descriptions(&self) -> Vec<String> {
        let name = |index: usize| {
            DESCRIPTIONS.get(index).map_or_else(|| format!("band {}", index + 1), |name| name.to_string())
        };
        (0..self.bands).map(name).collect()
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    ensure!(options.bands > 0 && options.side > 0 && options.count > 0, "bands, side and count start at 1");
    let dates = options.layout == Arrangement::Dates;
    ensure!(dates || options.masked.is_none(), "--masked is for --layout dates");
    for path in [Some(&options.folder), options.masked.as_ref()].into_iter().flatten() {
        folder(path)?;
    }
    let ground = Ground::new(options.seed, options.bands);
    if dates { dates::write(&options, &ground) } else { scenes::write(&options, &ground) }?;
    let Options { count, side, bands, folder, .. } = &options;
    let what = if dates { "dates" } else { "files" };
    println!("{count} {what} of {side} × {side} pixels, {bands} bands, in {}", folder.display());
    Ok(())
}

/// Makes patches of rows, a batch at a time on every CPU, and hands them over from the top down: `make` is told the
/// first row and how many, `take` the first row.
fn in_patches<P: Send>(
    side: usize,
    make: impl Fn(usize, usize) -> P + Sync,
    mut take: impl FnMut(usize, P) -> Result<()>,
) -> Result<()> {
    let starts: Vec<usize> = (0..side).step_by(PATCH_ROWS).collect();
    for batch in starts.chunks(rayon::current_num_threads()) {
        let made: Vec<P> = batch.par_iter().map(|&start| make(start, PATCH_ROWS.min(side - start))).collect();
        batch.iter().zip(made).try_for_each(|(&start, patch)| take(start, patch))?;
    }
    Ok(())
}
