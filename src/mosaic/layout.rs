//! How the mosaic is stored, and how the work is cut so that it fits into the budget.

use anyhow::Context;

use super::Failure;
use crate::codec::{BlockLayout, Compression, Encoder, Predictor, max_encoded_len};
use crate::config::{self, BigTiff, Settings, Verify};
use crate::geometry::Size;
use crate::output::{Interleave, OutputBand, OutputSpec, check_pixel_type};
use crate::pixels::Composite;
use crate::plan::{self, Jobs, Needs, Plan, TooSmall, Touching, WindowGrid};
use crate::run::memory;
use crate::source::{Mosaic, PlacedSource, Placement, Problem, Source};

/// How the mosaic is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoding {
    /// How blocks are compressed.
    pub compression: Compression,
    /// What is done to pixels before.
    pub predictor: Predictor,
    /// How hard the codec tries; its default when `None`.
    pub level: Option<i32>,
    /// Side of a block.
    pub block: usize,
    /// Whether each band has blocks of its own.
    pub bands_apart: bool,
    /// Whether the file can grow over 4 GiB.
    pub big: bool,
    /// Further creation options, for the header.
    pub passed_on: Vec<(String, String)>,
}

/// Blocks of all bands beyond this size (bytes of pixels) are a burden to every reader: the bands are stored apart.
const LARGEST_COMMON_BLOCK: usize = 8 << 20;

impl Encoding {
    /// What the settings ask for, and where they are silent what suits the mosaic. Never depends on budget or threads.
    ///
    /// # Errors
    /// What cannot be done with pixels of the mosaic's type.
    pub fn of(settings: &Settings, mosaic: &Mosaic) -> Result<Encoding, Failure> {
        let problems = |all: Vec<config::Problem>| {
            let of = |p: config::Problem| Problem { source: "--co".into(), message: p.message, hint: p.hint };
            Failure::Problems(all.into_iter().map(of).collect())
        };
        let options = settings.creation_options().map_err(problems)?;
        check_pixel_type(mosaic.pixel_type)
            .map_err(|error| Failure::Problems(vec![Problem::new("--dtype", error.to_string())]))?;
        let compression = settings.compression;
        let tag = settings.predictor_for(mosaic.pixel_type);
        if tag == 3 && !mosaic.pixel_type.is_float() {
            let message = format!("3 is for floats, and the output has {}", mosaic.pixel_type);
            let problem = Problem::new("--predictor", message).with_hint("take 2, or leave it out");
            return Err(Failure::Problems(vec![problem]));
        }
        let predictor = Predictor::from_tag(tag.into()).context("the predictor is not known")?;
        let block_bytes = settings.block * settings.block * mosaic.pixel_bytes();
        let bands_apart = match options.interleave {
            Some(interleave) => interleave == config::Interleave::Band,
            None => block_bytes > LARGEST_COMMON_BLOCK,
        };
        let mut encoding = Encoding {
            compression,
            predictor,
            level: options.level(compression),
            block: settings.block,
            bands_apart: bands_apart && mosaic.bands.len() > 1,
            big: false,
            passed_on: options.passed_on,
        };
        encoding.big = match options.bigtiff {
            Some(BigTiff::Yes) => true,
            Some(BigTiff::No) => false,
            _ => encoding.largest_file(mosaic) >= 1 << 32,
        };
        Ok(encoding)
    }

    /// The most bytes that the file can have.
    fn largest_file(&self, mosaic: &Mosaic) -> u64 {
        let blocks = mosaic.grid.size.tiles(Size::square(self.block)).pixels() as u64;
        let block = self.block * self.block;
        let image = max_encoded_len(self.compression, block * mosaic.pixel_bytes());
        const INDEX: usize = 16;
        const HEADER: u64 = 4 << 20;
        blocks * (image + block / 8 + INDEX * (mosaic.bands.len() + 1)) as u64 + HEADER
    }

    /// What the file's header shall say.
    pub fn spec(&self, mosaic: &Mosaic) -> OutputSpec {
        let band = |band: &crate::source::MosaicBand| OutputBand {
            description: band.carried.description.clone(),
            unit: band.carried.unit.clone(),
            scale: band.carried.scale,
            offset: band.carried.offset,
            color_interpretation: band.carried.color_interpretation.clone(),
            palette: band.carried.palette.clone(),
            categories: band.carried.categories.clone(),
            metadata: band.carried.metadata.clone(),
        };
        OutputSpec {
            grid: mosaic.grid,
            wkt: Some(mosaic.wkt.to_string()).filter(|wkt| !wkt.is_empty()),
            pixel_type: mosaic.pixel_type,
            bands: mosaic.bands.iter().map(band).collect(),
            metadata: mosaic.metadata.clone(),
            nodata: mosaic.nodata,
            mask: mosaic.mask,
            block: self.block,
            interleave: if self.bands_apart { Interleave::Band } else { Interleave::Pixel },
            compression: self.compression,
            predictor: self.predictor.tag(),
            big: self.big,
            extra_options: self.passed_on.clone(),
        }
    }
}

/// Cuts the work so that it fits into the budget.
pub fn plan(
    settings: &Settings,
    mosaic: &Mosaic,
    encoding: &Encoding,
) -> Result<(Plan, Touching, Jobs), Failure> {
    let grid = |window: Size| WindowGrid { size: mosaic.grid.size, window, block: encoding.block };
    let touching = |window| Touching::new(&grid(window), mosaic.sources.iter().map(|source| source.window));
    let row_of_blocks = |direct: bool, rows: usize| {
        bytes_of_a_row_of_blocks(mosaic, &touching(Size::new(mosaic.grid.size.columns, rows)), rows, direct)
    };
    let (row_directly, row_through_gdal) =
        (|rows| row_of_blocks(true, rows), |rows| row_of_blocks(false, rows));
    let encoder = Encoder::new(encoding.compression, encoding.predictor, encoding.level)
        .map_err(|error| Failure::Problems(vec![Problem::new("--compress", format!("{error:#}"))]))?;
    let samples = if encoding.bands_apart { 1 } else { mosaic.bands.len() };
    let (columns, rows) = (encoding.block, encoding.block);
    let block_layout = BlockLayout { columns, rows, samples, sample_bytes: mosaic.pixel_type.bytes() };
    let direct = plan::Direct {
        block_bytes: largest(mosaic, true, |source| source.storage.block_bytes),
        encoded_bytes: largest(mosaic, true, |source| source.storage.encoded_bytes),
        block_pixels: largest(mosaic, true, |source| source.storage.block.pixels()),
        row_of_blocks: &row_directly,
    };
    let through_gdal = plan::ThroughGdal {
        handle_bytes: largest(mosaic, false, Source::handle_bytes),
        reader_bytes: reader_bytes(mosaic, encoding.block),
        block_bytes: largest(mosaic, false, |source| source.storage.block_bytes),
        row_of_blocks: &row_through_gdal,
    };
    let needs = Needs {
        size: mosaic.grid.size,
        block: encoding.block,
        bands: mosaic.bands.len(),
        bands_apart: encoding.bands_apart,
        working_bytes: mosaic.working_type.bytes(),
        state_bytes: Composite::bytes_per_pixel(mosaic.working_type, mosaic.method),
        output_bytes: mosaic.pixel_type.bytes(),
        mask: mosaic.mask,
        max_encoded: &|raw| max_encoded_len(encoding.compression, raw),
        batch: encoder.batch(),
        encoder_bytes: encoder.working_bytes(block_layout),
        direct: mosaic.sources.iter().any(|placed| placed.direct).then_some(direct),
        through_gdal: mosaic.sources.iter().any(|placed| !placed.direct).then_some(through_gdal),
        verifier_bytes: verifier_bytes(settings, mosaic, encoding.block),
        runtime: memory::resident() + STILL_TO_COME,
        chunk: settings.chunk,
        workers: settings.threads,
    };
    let plan = plan::plan(&needs, settings.memory).map_err(|TooSmall { least }| {
        Failure::TooLittleMemory { limit: settings.memory, least: least + DRIFT }
    })?;
    let touching = touching(plan.window);
    let jobs = Jobs::new(grid(plan.window), &touching);
    Ok((plan, touching, jobs))
}

/// What the process will take beside the plan once it works: parts of GDAL and PROJ that are loaded on first use, and
/// what the C heap loses between the pieces.
const STILL_TO_COME: u64 = 16 << 20;

/// By how much what the process takes differs from run to run: the least that is named must work in the next one.
const DRIFT: u64 = 2 << 20;

/// What GDAL's warper and resampler take beside the block cache while they read.
fn reader_bytes(mosaic: &Mosaic, block: usize) -> usize {
    const WARPER: usize = 40 << 20;
    let of = |placement: &Placement| match placement {
        Placement::OnGrid { .. } => 0,
        Placement::Resampled => (8 << 20) + 4 * block * block * 8,
        Placement::Warped => WARPER,
    };
    mosaic.sources.iter().map(|placed| of(&placed.placement)).max().unwrap_or(0)
}

/// What one thread takes to verify: a handle and its block, of a source and of the output.
fn verifier_bytes(settings: &Settings, mosaic: &Mosaic, block: usize) -> u64 {
    if settings.verify == Verify::None {
        return 0;
    }
    const AREAS: usize = 12 << 20;
    let source = |placed: &PlacedSource| placed.source.handle_bytes() + placed.source.storage.block_bytes;
    let of_source = mosaic.sources.iter().map(source).max().unwrap_or(0);
    let of_output = 3 * block * block * mosaic.pixel_bytes();
    (of_source + reader_bytes(mosaic, block) + of_output + AREAS) as u64
}

/// The largest of a figure of the sources that are read directly, or of those that are not.
fn largest(mosaic: &Mosaic, direct: bool, figure: impl Fn(&Source) -> usize) -> usize {
    let sources = mosaic.sources.iter().filter(|placed| placed.direct == direct);
    sources.map(|placed| figure(&placed.source)).max().unwrap_or(0)
}

/// Bytes of the decoded source blocks that one row of windows touches, the row that touches most, of the sources that
/// are read directly or of those that are not.
fn bytes_of_a_row_of_blocks(mosaic: &Mosaic, touching: &Touching, chunk: usize, direct: bool) -> u64 {
    let of_source = |index: usize| {
        let placed = &mosaic.sources[index];
        if placed.direct != direct {
            return 0;
        }
        let source = &placed.source;
        let block = source.storage.block;
        let rows =
            ((chunk / block.rows.max(1) + 2) * block.rows).min(source.size.rows.next_multiple_of(block.rows));
        let columns = source.size.columns.next_multiple_of(block.columns);
        (rows * columns * source.pixel_bytes()) as u64
    };
    touching.rows().map(|row| row.map(of_source).sum()).max().unwrap_or(0)
}
