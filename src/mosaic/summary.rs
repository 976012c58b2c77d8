//! What a job did, put together for its report.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Hooks, Prepared};
use crate::config::Settings;
use crate::output::Written;
use crate::run::Totals;
use crate::run::memory::{self, Drift};
use crate::run::report::{
    Blocks, BudgetReport, Bytes, GridReport, Inputs, PlanReport, Report, SCHEMA, SceneReport, Seconds,
};
use crate::run::verify::Findings;
use crate::run::verify::product::checksums_of;
use crate::source::direct;
use crate::source::{Mosaic, PlacedSource, Problem};

/// What the report tells of a job whose blocks are written.
pub fn report(
    settings: &Settings,
    prepared: Prepared,
    written: &Written,
    totals: &Totals,
    verification: Option<Findings>,
    hooks: &Hooks,
) -> Report {
    let (plan_report, levels) = (plan_report(&prepared), prepared.encoding.overviews.len());
    let Prepared { mosaic, plan, jobs, used, mut skipped, lacking, mut warnings, .. } = prepared;
    let Prepared { seconds, children_peak, .. } = prepared;
    skipped.extend(lacking.iter().map(|source| Problem::new(&*source.lacking, &*source.because)));
    let seconds_of = |nanoseconds: &AtomicU64| nanoseconds.load(Ordering::Relaxed) as f64 / 1e9;
    let in_workers = [
        ("read", &totals.read),
        ("composite", &totals.composite),
        ("overviews", &totals.overviews),
        ("encode", &totals.encode),
    ];
    let in_workers = in_workers.map(|(stage, total)| Seconds { stage, seconds: seconds_of(total) });
    let samples_read = totals.samples_read.load(Ordering::Relaxed);
    let samples = jobs.pixels() * mosaic.bands.len() as u64;
    warnings.extend(totals.noted());
    if written.records.is_empty() {
        let empty = if mosaic.nodata.is_some() || mosaic.mask { "has data" } else { "is other than 0" };
        warnings.push(format!(
            "not one pixel of the output {empty}: are bounds, masks and nodata as they should be?"
        ));
    }
    let growth = totals.growth.samples();
    let drift = Drift::of(&growth);
    warnings.extend(drift.and_then(|drift| drift.suspicion(plan.total())));
    let measured_peak = memory::peak_resident() + children_peak;
    if measured_peak > plan.limit {
        let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
        let (peak, limit) = (mebibytes(measured_peak), mebibytes(plan.limit));
        warnings.push(format!(
            "memory peaked at {peak} MiB, over the budget of {limit} MiB: please report it with -v"
        ));
    }
    Report {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        gdal: crate::source::gdal_version(),
        command: hooks.command.clone(),
        output: settings.output.display().to_string(),
        inputs: Inputs { used, skipped, lacking },
        scenes: SceneReport::all(&mosaic),
        grid: GridReport::new(&mosaic),
        plan: plan_report,
        budget: BudgetReport {
            total: plan.total(),
            limit: plan.limit,
            lines: plan.lines,
            measured_peak,
            drift_per_thousand_windows: drift.map(|drift| drift.per_thousand_windows),
            growth,
        },
        seconds: seconds.into_iter().chain(in_workers).collect(),
        bytes: Bytes {
            pixels: mosaic.grid.size.pixels() as u64 * mosaic.pixel_bytes() as u64,
            read: samples_read * mosaic.working_type.bytes() as u64,
            file: written.bytes,
        },
        blocks: Blocks {
            written: written.records.len() as u64,
            sparse: totals.sparse_blocks.load(Ordering::Relaxed),
            decoded_per_needed: decoded_per_needed(&mosaic, totals),
            read_per_pixel: samples_read as f64 / samples.max(1) as f64,
            taken_over: 0,
            checksums: match settings.report {
                Some(_) => checksums_of(&written.records, 1 + levels, mosaic.mask),
                None => Vec::new(),
            },
        },
        warnings,
        verification,
        sha256: String::new(),
    }
}

/// Blocks decoded for each block of the directly read sources that the mosaic needs: 1 where none was decoded twice.
fn decoded_per_needed(mosaic: &Mosaic, totals: &Totals) -> Option<f64> {
    // A mask among the bands of another source's file is decoded with it.
    let first = |(index, placed): &(usize, &PlacedSource)| placed.file == *index;
    let needed: u64 = mosaic
        .sources
        .iter()
        .enumerate()
        .filter(first)
        .map(|(_, placed)| direct::blocks_needed(placed))
        .sum();
    let decoded = totals.blocks_decoded.load(Ordering::Relaxed);
    (needed > 0).then(|| decoded as f64 / needed as f64)
}

fn plan_report(prepared: &Prepared) -> PlanReport {
    let Prepared { plan, encoding, jobs, .. } = prepared;
    PlanReport {
        window: [plan.window.columns, plan.window.rows],
        block: [encoding.block; 2],
        compression: encoding.compression.name(),
        predictor: encoding.predictor.tag(),
        interleave: if encoding.bands_apart { "band" } else { "pixel" },
        bigtiff: encoding.big,
        cloud_optimized: encoding.cloud_optimized,
        overviews: encoding.overviews.iter().map(|size| [size.columns, size.rows]).collect(),
        overview_resampling: encoding.overview_resampling.name(),
        windows: jobs.len(),
        windows_without_sources: jobs.grid.windows().pixels() - jobs.len(),
        bands_at_once: plan.bands_at_once,
        workers: plan.workers,
        windows_ahead: plan.windows_ahead,
        open_sources: plan.open_sources,
        cache_bytes: plan.cache_bytes,
        decoded_bytes: plan.decoded_bytes,
    }
}
