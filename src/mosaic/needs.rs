//! What the mosaic needs, byte by byte, and the plan that fits it into the budget.

use super::{Encoding, Failure, decoded, stacked};
use crate::codec::{BlockLayout, Encoder, max_encoded_len};
use crate::config::{Settings, Verify};
use crate::geometry::Size;
use crate::output::BlockWriter;
use crate::pixels::Composite;
use crate::plan::{self, Jobs, Levels, Needs, Plan, TooSmall, Touching, Verifying, WindowGrid};
use crate::run::{DerivedBands, Pyramid, memory};
use crate::source::{Mosaic, PlacedSource, Placement, Problem, ReaderChoice, Source};

/// Cuts the work so that it fits into the budget. A child process that inspected inputs took `inspected` bytes.
pub fn plan(
    settings: &Settings,
    mosaic: &Mosaic,
    encoding: &Encoding,
    inspected: u64,
) -> Result<(Plan, Touching, Jobs), Failure> {
    let grid = |window: Size| WindowGrid { size: mosaic.grid.size, window, block: encoding.block };
    let touching = |window| Touching::new(&grid(window), mosaic.sources.iter().map(|source| source.window));
    let row_of_blocks = |rows: usize| {
        bytes_of_a_row_of_blocks(mosaic, &touching(Size::new(mosaic.grid.size.columns, rows)), rows)
    };
    let wanted_again = |window: Size, workers| decoded::bytes(mosaic, &touching(window), window, workers);
    let encoder = Encoder::new(encoding.compression, encoding.predictor, encoding.level)
        .map_err(|error| Failure::Problems(vec![Problem::new("--compress", format!("{error:#}"))]))?;
    let samples = if encoding.bands_apart { 1 } else { mosaic.bands.len() };
    let (columns, rows) = (encoding.block, encoding.block);
    let block_layout = BlockLayout { columns, rows, samples, sample_bytes: mosaic.pixel_type.bytes() };
    let direct = plan::Direct {
        block_bytes: largest(mosaic, true, |source| source.storage.block_bytes),
        encoded_bytes: largest(mosaic, true, |source| source.storage.encoded_bytes),
        judge_bytes: match settings.reader {
            ReaderChoice::Auto => largest(mosaic, true, Source::handle_bytes),
            _ => 0,
        },
        block_pixels: largest(mosaic, true, |source| source.storage.block.pixels()),
        at_once: 2,
        wanted_again: &wanted_again,
    };
    let through_gdal = plan::ThroughGdal {
        handle_bytes: largest(mosaic, false, Source::handle_bytes),
        reader_bytes: reader_bytes(mosaic, encoding.block),
        unit: mosaic.unit(encoding.block),
        block_bytes: largest(mosaic, false, |source| source.storage.block_bytes),
        row_of_blocks: &row_of_blocks,
    };
    let levels = Levels {
        size: mosaic.grid.size,
        overviews: encoding.overviews.clone(),
        block: encoding.block,
        pixel_bytes: mosaic.pixel_bytes() + usize::from(mosaic.mask),
        kernel_radius: encoding.overview_resampling.kernel_radius(),
    };
    let derived_bytes = DerivedBands::bytes_per_pixel(mosaic);
    // A window that is made anew without a source must not have been handed on to the overviews in part.
    let may_be_made_anew = settings.leaves_out();
    let stack_bytes = |area: Size| stacked::bytes_per_pixel(mosaic, || touching(area)) + derived_bytes;
    let margin_bytes = |area: Size| stacked::margin_bytes(mosaic, area);
    let needs = Needs {
        levels: &levels,
        // Where transparency is added, a pixel is opaque where any band has data.
        bands_together: mosaic.stack.is_some()
            || mosaic.derived.is_some()
            || mosaic.opaque.is_some()
            || !levels.overviews.is_empty() && (may_be_made_anew || Pyramid::bands_together(mosaic)),
        moving_bytes: if encoding.cloud_optimized { BlockWriter::MOVING_BYTES } else { 0 },
        size: mosaic.grid.size,
        block: encoding.block,
        bands: mosaic.bands.len(),
        bands_apart: encoding.bands_apart,
        working_bytes: mosaic.working_type.bytes(),
        state_bytes: match mosaic.stack {
            Some(_) => 0,
            None => Composite::bytes_per_pixel(mosaic.working_type, mosaic.method),
        },
        stack_bytes: &stack_bytes,
        margin_bytes: &margin_bytes,
        stack_work_bytes: stacked::work_bytes(mosaic),
        output_bytes: mosaic.pixel_type.bytes(),
        mask: mosaic.mask,
        max_encoded: &|raw| max_encoded_len(encoding.compression, raw),
        batch: encoder.batch(),
        encoder_bytes: encoder.working_bytes(block_layout),
        source_block: largest_block(mosaic),
        direct: mosaic.sources.iter().any(|placed| placed.direct).then_some(direct),
        through_gdal: mosaic.sources.iter().any(|placed| !placed.direct).then_some(through_gdal),
        verifying: verifying(settings, mosaic, encoding.block),
        runtime: memory::resident() + still_to_come(mosaic),
        child: settings.isolate.map(|_| memory::resident().max(inspected) + still_to_come(mosaic)),
        chunk: settings.chunk,
        workers: settings.workers(),
    };
    let plan = plan::plan(&needs, settings.memory).map_err(|TooSmall { least }| {
        Failure::TooLittleMemory { limit: settings.memory, least: least + DRIFT }
    })?;
    let touching = touching(plan.window);
    let jobs = mosaic.jobs(grid(plan.window), &touching);
    Ok((plan, touching, jobs))
}

/// What the process will take beside the plan once it works: parts of GDAL and PROJ that are loaded on first use, and
/// what the C heap loses between the pieces.
fn still_to_come(mosaic: &Mosaic) -> u64 {
    if mosaic.sources.iter().all(|placed| placed.direct) { 8 << 20 } else { 16 << 20 }
}

/// By how much what the process takes differs from run to run: the least that is named must work in the next one.
const DRIFT: u64 = 2 << 20;

/// What GDAL's warper and resampler take beside the block cache while they read.
fn reader_bytes(mosaic: &Mosaic, block: usize) -> usize {
    const WARPER: usize = 40 << 20;
    let of = |placed: &PlacedSource| match placed.placement {
        Placement::OnGrid { .. } | Placement::Enlarged { .. } => 0,
        Placement::Resampled => (8 << 20) + 4 * block * block * 8,
        Placement::Warped => WARPER + placed.warp.map_or(0, |warp| warp.bytes),
    };
    mosaic.sources.iter().map(of).max().unwrap_or(0)
}

/// What one thread takes to verify: a handle and its block, of a source and of the output.
fn verifying(settings: &Settings, mosaic: &Mosaic, block: usize) -> Verifying {
    if settings.verify == Verify::None {
        return Verifying::default();
    }
    const AREAS: usize = 8 << 20;
    const LEAST_CACHE: usize = 4 << 20;
    let of_sources = |figure: fn(&Source) -> usize| {
        mosaic.sources.iter().map(|placed| figure(&placed.source)).max().unwrap_or(0)
    };
    let handle = of_sources(Source::handle_bytes);
    let of_output = 3 * block * block * mosaic.pixel_bytes();
    let cache = LEAST_CACHE + of_sources(|source| source.storage.block_bytes) + of_output;
    Verifying {
        bytes: (handle + cache + reader_bytes(mosaic, block) + AREAS) as u64,
        handle_bytes: handle as u64,
        cache_bytes: cache as u64,
    }
}

/// The largest of a figure of the sources that are read directly, or of those that are not.
fn largest(mosaic: &Mosaic, direct: bool, figure: impl Fn(&Source) -> usize) -> usize {
    let sources = mosaic.sources.iter().filter(|placed| placed.direct == direct);
    sources.map(|placed| figure(&placed.source)).max().unwrap_or(0)
}

/// Size of the largest of the sources' blocks.
fn largest_block(mosaic: &Mosaic) -> Size {
    let blocks = mosaic.sources.iter().map(|placed| placed.source.storage.block);
    blocks.max_by_key(|block| block.pixels()).unwrap_or(Size::square(1))
}

/// Bytes of the decoded source blocks that one row of windows touches, the row that touches most, of the sources that
/// are read through GDAL: its cache keeps what was used last.
fn bytes_of_a_row_of_blocks(mosaic: &Mosaic, touching: &Touching, chunk: usize) -> u64 {
    let of_source = |index: usize| {
        let placed = &mosaic.sources[index];
        if placed.direct {
            return 0;
        }
        let source = &placed.source;
        let block = source.storage.block;
        // So many rows of blocks at most, wherever the windows begin.
        let rows_of_blocks = (chunk + block.rows - 2) / block.rows + 1;
        let rows = (rows_of_blocks * block.rows).min(source.size.rows.next_multiple_of(block.rows));
        let columns = source.size.columns.next_multiple_of(block.columns);
        (rows * columns * source.pixel_bytes()) as u64
    };
    touching.rows().map(|row| row.map(of_source).sum()).max().unwrap_or(0)
}
