//! From a prepared job to a verified file under its final name.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::{Context, Result};

use super::part::{self, Storing};
use super::{Failure, Hooks, Prepared};
use crate::codec::Compression;
use crate::config::{Settings, Verify};
use crate::output::{Job, OverviewStore, Stored, Target, Written};
use crate::run::report::{
    Blocks, BudgetReport, Bytes, GridReport, Inputs, PlanReport, Report, SCHEMA, SceneReport, Seconds, sha256,
};
use crate::run::verify::product::checksums_of;
use crate::run::verify::{Depth, Findings, verify};
use crate::run::{FinishedPart, Pyramid, Shared, Totals, WindowMaker, memory, run_jobs, step_by_step};
use crate::source::direct::{self, BlockCache, DirectFiles, DirectSources};
use crate::source::{Mosaic, PlacedSource, Problem, ReaderChoice, Stamp};

/// Writes, verifies, and gives the file its name.
pub fn write(settings: &Settings, mut prepared: Prepared, hooks: &Hooks) -> Result<Report, Failure> {
    let started = Instant::now();
    let job = part::job(settings, &prepared);
    let (mut target, stored) = part::claim(settings, &job, &mut prepared)?;
    let taken_over = stored.as_ref().map_or(0, |stored| stored.records.len() as u64);
    let unfinished = Unfinished::set(hooks, target.path());
    let totals = Totals::default();
    hooks.progress.stage("run");
    if stored.is_some() {
        unfinished.forget();
    }
    let (written, part) = match write_blocks(settings, &prepared, (&target, stored), job, &totals, hooks) {
        Ok(written) => written,
        Err(Left { error, part }) => {
            let error = error.context(format!("{}: could not be made", settings.output.display()));
            return Err(match part {
                true => Failure::Kept(Box::new(error.into()), target.keep()),
                false => error.into(),
            });
        }
    };
    prepared.time("run", started);

    // What blocks and windows took is wanted for other pieces now.
    memory::trim_heap();
    hooks.progress.stage("verify");
    let verifying = Instant::now();
    let path = target.path().to_str().context("the output's name is not UTF-8")?;
    let findings = match check(settings, &prepared, path, &written, hooks).map_err(Failure::from) {
        Ok(findings) => findings,
        Err(Failure::Interrupted) if part => return Err(kept(&mut target)),
        Err(failure) => return Err(failure),
    };
    // First: where a source changed, the file differs from it and is no less right for that.
    check_sources_unchanged(&prepared)?;
    prepared.time("verify", verifying);
    if findings.as_ref().is_some_and(|findings| !findings.faults.is_empty()) {
        let report = report(settings, prepared, &written, &totals, findings, hooks);
        return Err(Failure::Faults(Box::new(report)));
    }

    hooks.progress.stage("finish");
    let finishing = Instant::now();
    let sha256 = match settings.report {
        Some(_) => sha256(target.path())?,
        None => String::new(),
    };
    if hooks.stop.load(Ordering::Relaxed) {
        return Err(if part { kept(&mut target) } else { Failure::Interrupted });
    }
    target.persist(settings.overwrite)?;
    drop(unfinished);
    prepared.time("finish", finishing);
    let mut report = report(settings, prepared, &written, &totals, findings, hooks);
    (report.sha256, report.blocks.taken_over) = (sha256, taken_over);
    Ok(report)
}

/// The job is told to stop when all blocks are written: another run takes them over.
fn kept(target: &mut Target) -> Failure {
    Failure::Kept(Box::new(Failure::Interrupted), target.keep())
}

/// Why the blocks are not all written, and whether another run can go on with the part.
struct Left {
    error: anyhow::Error,
    part: bool,
}

impl From<anyhow::Error> for Left {
    fn from(error: anyhow::Error) -> Left {
        Left { error, part: false }
    }
}

fn write_blocks(
    settings: &Settings,
    prepared: &Prepared,
    (target, stored): (&Target, Option<Stored>),
    job: Job,
    totals: &Totals,
    hooks: &Hooks,
) -> Result<(Written, bool), Left> {
    let Prepared { mosaic, encoding, plan, jobs, touching, .. } = prepared;
    let path = target.path();
    let resumed = stored.is_some();
    let (writer, warnings) = part::open(settings, (target, stored), &encoding.spec(mosaic), job)
        .map_err(|error| Left { error, part: resumed })?;
    totals.note(warnings);
    let stored_to = writer.position();
    let direct = DirectSources {
        files: DirectFiles::new(OPEN_FILES),
        cache: BlockCache::new(plan.decoded_bytes as usize, plan.windows_ahead),
    };
    let (pyramid, store) = match encoding.overviews.as_slice() {
        [] => (None, None),
        sizes => {
            let pyramid = Pyramid::new(mosaic, jobs, sizes, encoding.block, encoding.overview_resampling);
            (Some(pyramid), Some(OverviewStore::beside(path)?))
        }
    };
    let shared = Shared {
        mosaic,
        blocks_in_pairs: encoding.cloud_optimized && mosaic.mask,
        overviews: pyramid.as_ref().zip(store.as_ref()),
        plan,
        touching,
        block: encoding.block,
        bands_apart: encoding.bands_apart,
        compression: encoding.compression,
        predictor: encoding.predictor,
        level: encoding.level,
        // GDAL's own choice for masks inside a GeoTIFF, which the header says.
        mask_compression: Compression::Deflate,
        direct: &direct,
        ask_gdal: settings.reader == ReaderChoice::Auto,
        judging: Mutex::new(()),
        totals,
        finished: (stored_to > 0).then_some(FinishedPart { position: stored_to, jobs, path }),
    };
    let mut storing = Storing::new(writer, stored_to, jobs, hooks);
    hooks.progress.start(jobs.len() as u64, jobs.pixels() * mosaic.pixel_bytes() as u64);
    let workers = plan.workers.min(jobs.len()).max(1);
    let made = run_jobs(
        jobs,
        (workers, plan.windows_ahead),
        || WindowMaker::new(&shared),
        &mut storing,
        hooks.stop,
        &|job| hooks.progress.window_done((job.window.pixels() * mosaic.pixel_bytes()) as u64),
    );
    hooks.progress.finish();
    let mut writer = storing.writer;
    if let Err(error) = made {
        let part = writer.can_be_resumed();
        // The first error counts; what the index tells by now is kept in any case.
        let _ = writer.leave();
        return Err(Left { error, part });
    }
    totals.blocks_decoded.store(direct.cache.decoded(), Ordering::Relaxed);
    let added = match store {
        Some(store) => writer.add_overviews(store, &|step| step_by_step(plan.workers, hooks.stop, step)),
        None => Ok(()),
    };
    let part = writer.can_be_resumed();
    let written = added.and_then(|()| writer.finish()).map_err(|error| Left { error, part })?;
    Ok((written, part))
}

/// Files that are open at once for direct reading: below the usual limit of a process.
const OPEN_FILES: usize = 256;

fn check(
    settings: &Settings,
    prepared: &Prepared,
    path: &str,
    written: &Written,
    hooks: &Hooks,
) -> Result<Option<Findings>> {
    let depth = match settings.verify {
        Verify::None => return Ok(None),
        Verify::Quick => Depth::Sample,
        Verify::Full => Depth::Everything,
    };
    let Prepared { mosaic, jobs, touching, plan, encoding, .. } = prepared;
    let layout = (&encoding.overviews[..], encoding.cloud_optimized);
    let made = (mosaic, jobs, touching);
    verify(path, made, &written.records, layout, depth, (plan.verifiers, plan.bytes_to_decide), hooks.stop)
        .map(Some)
}

/// A source that was replaced while it was read may be half old and half new in the mosaic.
pub fn check_sources_unchanged(prepared: &Prepared) -> Result<(), Failure> {
    let changed = prepared.mosaic.sources.iter().filter(|placed| {
        placed.source.stamp.is_some() && Stamp::of(&placed.source.name) != placed.source.stamp
    });
    let problems: Vec<Problem> = changed
        .map(|placed| {
            Problem::new(&*placed.source.name, "changed or vanished while the job ran")
                .with_hint("run the job again when the inputs rest")
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Failure::Problems(problems)) }
}

fn report(
    settings: &Settings,
    prepared: Prepared,
    written: &Written,
    totals: &Totals,
    verification: Option<Findings>,
    hooks: &Hooks,
) -> Report {
    let (plan_report, levels) = (plan_report(&prepared), prepared.encoding.overviews.len());
    let Prepared { mosaic, plan, jobs, used, skipped, mut warnings, seconds, .. } = prepared;
    let seconds_of =
        |nanoseconds: &std::sync::atomic::AtomicU64| nanoseconds.load(Ordering::Relaxed) as f64 / 1e9;
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
    Report {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        gdal: crate::source::gdal_version(),
        command: hooks.command.clone(),
        output: settings.output.display().to_string(),
        inputs: Inputs { used, skipped },
        scenes: SceneReport::all(&mosaic),
        grid: GridReport::new(&mosaic),
        plan: plan_report,
        budget: BudgetReport {
            total: plan.total(),
            limit: plan.limit,
            lines: plan.lines,
            measured_peak: memory::peak_resident(),
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

impl Prepared {
    fn time(&mut self, stage: &'static str, since: Instant) {
        self.seconds.push(Seconds { stage, seconds: since.elapsed().as_secs_f64() });
    }
}

/// Tells where the unfinished file is for as long as there is one.
struct Unfinished<'a>(&'a std::sync::Mutex<Option<std::path::PathBuf>>);

impl<'a> Unfinished<'a> {
    fn set(hooks: &'a Hooks, path: &Path) -> Self {
        *hooks.unfinished.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(path.to_owned());
        Unfinished(hooks.unfinished)
    }
}

impl Unfinished<'_> {
    /// The file is worth keeping.
    fn forget(&self) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.forget();
    }
}
