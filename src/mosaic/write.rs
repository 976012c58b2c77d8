//! From a prepared job to a verified file under its final name.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};

use super::part::{self, Storing};
use super::summary::report;
use super::{Failure, Hooks, Prepared, Unfinished};
use crate::codec::Compression;
use crate::config::{Settings, Verify};
use crate::output::{Job, OverviewStore, Stored, Target, Written};
use crate::run::report::{Report, Seconds, sha256};
use crate::run::verify::{Depth, Findings, verify};
use crate::run::{FinishedPart, Pyramid, Shared, Totals, WindowMaker, memory, run_jobs, step_by_step};
use crate::source::direct::{BlockCache, DirectFiles, DirectSources};
use crate::source::{Problem, ReaderChoice, Stamp};

/// Writes, verifies, and gives the file its name.
pub fn write(settings: &Settings, mut prepared: Prepared, hooks: &Hooks) -> Result<Report, Failure> {
    let started = Instant::now();
    let job = part::job(settings, &prepared);
    let (mut target, stored) = part::claim(settings, &job, &mut prepared)?;
    let taken_over = stored.as_ref().map_or(0, |stored| stored.records.len() as u64);
    let path = target.path().to_owned();
    let unfinished = if stored.is_some() { Unfinished::Part(path) } else { Unfinished::Worthless(path) };
    let told = Told::set(hooks, unfinished);
    let totals = Totals::default();
    hooks.progress.stage("run");
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
    told.now(Unfinished::Done);
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
        patience: settings.patience(hooks.stop),
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
        if part {
            // The disk may be slow, and whoever ends the process at once must not remove it.
            hooks.unfinished.lock().unwrap_or_else(PoisonError::into_inner).worth_keeping();
        }
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
    let limits = (plan.verifiers, plan.bytes_to_decide);
    verify(path, made, &written.records, layout, depth, limits, settings.patience(hooks.stop)).map(Some)
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

impl Prepared {
    fn time(&mut self, stage: &'static str, since: Instant) {
        self.seconds.push(Seconds { stage, seconds: since.elapsed().as_secs_f64() });
    }
}

/// Tells what stands beside the output for as long as that is so.
struct Told<'a>(&'a Mutex<Unfinished>);

impl<'a> Told<'a> {
    fn set(hooks: &'a Hooks, unfinished: Unfinished) -> Self {
        *hooks.unfinished.lock().unwrap_or_else(PoisonError::into_inner) = unfinished;
        Told(hooks.unfinished)
    }

    fn now(&self, unfinished: Unfinished) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = unfinished;
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        let mut unfinished = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *unfinished != Unfinished::Done {
            *unfinished = Unfinished::Nothing;
        }
    }
}
