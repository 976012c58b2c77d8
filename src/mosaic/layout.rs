//! How the mosaic is stored, and how the work is cut so that it fits into the budget.

use anyhow::Context;

use super::Failure;
use crate::codec::{BlockLayout, Compression, Encoder, Predictor, max_encoded_len};
use crate::config::{self, BigTiff, Format, Settings};
use crate::geometry::Size;
use crate::output::{Interleave, OutputBand, OutputSpec};
use crate::pixels::{Composite, OverviewResampling};
use crate::plan::{self, Jobs, Levels, Needs, Overviews, Plan, TooSmall, Touching, WindowGrid};
use crate::run::{Pyramid, memory};
use crate::source::{Mosaic, Placement, Problem};

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
    /// Whether it is a cloud optimized GeoTIFF.
    pub cloud_optimized: bool,
    /// Sizes of its overviews, the largest first.
    pub overviews: Vec<Size>,
    /// How they are made.
    pub overview_resampling: OverviewResampling,
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
        let compression = settings.compression;
        let tag = settings.predictor_for(mosaic.pixel_type);
        if tag == 3 && !mosaic.pixel_type.is_float() {
            let message = format!("3 is for floats, and the output has {}", mosaic.pixel_type);
            let problem = Problem::new("--predictor", message).with_hint("take 2, or leave it out");
            return Err(Failure::Problems(vec![problem]));
        }
        let predictor = Predictor::from_tag(tag.into()).context("the predictor is not known")?;
        let block_bytes = settings.block * settings.block * mosaic.pixel_bytes();
        let cloud_optimized = settings.format == Format::Cog;
        let overviews = settings.overviews.clone().unwrap_or(match settings.format {
            Format::Cog => Overviews::Auto,
            Format::Gtiff => Overviews::None,
        });
        let overviews = overviews.sizes(mosaic.grid.size, settings.block, !cloud_optimized);
        let bands_apart = match options.interleave {
            Some(interleave) => interleave == config::Interleave::Band,
            None if cloud_optimized => false,
            None => block_bytes > LARGEST_COMMON_BLOCK,
        };
        let mut encoding = Encoding {
            compression,
            predictor,
            level: options.level(compression),
            block: settings.block,
            bands_apart: bands_apart && mosaic.bands.len() > 1,
            cloud_optimized,
            overviews,
            overview_resampling: overview_resampling(settings, mosaic)?,
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
        let overviews: usize =
            self.overviews.iter().map(|size| size.tiles(Size::square(self.block)).pixels()).sum();
        const FRAMES: usize = 16;
        let all = blocks + overviews as u64;
        all * (image + block / 8 + FRAMES + INDEX * (mosaic.bands.len() + 1)) as u64 + HEADER
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
            overviews: self.overviews.clone(),
            cloud_optimized: self.cloud_optimized,
            extra_options: self.passed_on.clone(),
        }
    }
}

/// How overviews are made: as asked, or the most frequent colour of a palette and the mean of anything else.
fn overview_resampling(settings: &Settings, mosaic: &Mosaic) -> Result<OverviewResampling, Failure> {
    let palette = mosaic.bands.iter().any(|band| band.carried.palette.is_some());
    match settings.overview_resampling {
        Some(OverviewResampling::Average) if palette => {
            let message = "average has no meaning for the colours of a palette";
            let problem = Problem::new("--overview-resampling", message).with_hint("take mode or nearest");
            Err(Failure::Problems(vec![problem]))
        }
        Some(asked) => Ok(asked),
        None if palette => Ok(OverviewResampling::Mode),
        None => Ok(OverviewResampling::Average),
    }
}

/// Cuts the work so that it fits into the budget.
pub fn plan(
    settings: &Settings,
    mosaic: &Mosaic,
    encoding: &Encoding,
) -> Result<(Plan, Touching, Jobs), Failure> {
    let grid = |chunk: usize| WindowGrid {
        size: mosaic.grid.size,
        window: Size::square(chunk),
        block: encoding.block,
    };
    let touching = |chunk| Touching::new(&grid(chunk), mosaic.sources.iter().map(|source| source.window));
    let row_of_blocks = |chunk: usize| bytes_of_a_row_of_blocks(mosaic, &touching(chunk), chunk);
    let encoder = Encoder::new(encoding.compression, encoding.predictor, encoding.level)
        .map_err(|error| Failure::Problems(vec![Problem::new("--compress", format!("{error:#}"))]))?;
    let samples = if encoding.bands_apart { 1 } else { mosaic.bands.len() };
    let (columns, rows) = (encoding.block, encoding.block);
    let block_layout = BlockLayout { columns, rows, samples, sample_bytes: mosaic.pixel_type.bytes() };
    let storages = || mosaic.sources.iter().map(|placed| placed.source.storage);
    let levels = Levels {
        size: mosaic.grid.size,
        overviews: encoding.overviews.clone(),
        block: encoding.block,
        pixel_bytes: mosaic.pixel_bytes() + usize::from(mosaic.mask),
    };
    let needs = Needs {
        levels: &levels,
        bands_together: !levels.overviews.is_empty() && Pyramid::bands_together(mosaic),
        size: mosaic.grid.size,
        block: encoding.block,
        bands: mosaic.bands.len(),
        bands_apart: encoding.bands_apart,
        working_bytes: mosaic.working_type.bytes(),
        state_bytes: Composite::bytes_per_pixel(mosaic.working_type, mosaic.method),
        output_bytes: mosaic.pixel_type.bytes(),
        mask: mosaic.mask,
        max_encoded: &|raw| max_encoded_len(encoding.compression, raw),
        encoder_bytes: encoder.working_bytes(block_layout),
        handle_bytes: mosaic.sources.iter().map(|placed| placed.source.handle_bytes()).max().unwrap_or(0),
        reader_bytes: reader_bytes(mosaic, encoding.block),
        source_block_bytes: storages().map(|storage| storage.block_bytes).max().unwrap_or(0),
        row_of_blocks: &row_of_blocks,
        runtime: memory::resident() + STILL_TO_COME,
        chunk: settings.chunk,
        workers: settings.threads,
    };
    let plan = plan::plan(&needs, settings.memory)
        .map_err(|TooSmall { least }| Failure::TooLittleMemory { limit: settings.memory, least })?;
    let touching = touching(plan.window.columns);
    let jobs = Jobs::new(grid(plan.window.columns), &touching);
    Ok((plan, touching, jobs))
}

/// What the process will take beside the plan once it works: parts of GDAL and PROJ that are loaded on first use, and
/// what the C heap loses between the pieces.
const STILL_TO_COME: u64 = 16 << 20;

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

/// Bytes of the decoded source blocks that one row of windows touches, the row that touches most.
fn bytes_of_a_row_of_blocks(mosaic: &Mosaic, touching: &Touching, chunk: usize) -> u64 {
    let of_source = |index: usize| {
        let source = &mosaic.sources[index].source;
        let block = source.storage.block;
        let rows =
            ((chunk / block.rows.max(1) + 2) * block.rows).min(source.size.rows.next_multiple_of(block.rows));
        let columns = source.size.columns.next_multiple_of(block.columns);
        (rows * columns * source.pixel_bytes()) as u64
    };
    touching.rows().map(|row| row.map(of_source).sum()).max().unwrap_or(0)
}
