//! From a prepared job to a verified file under its final name.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::part::{self, Storing};
use super::summary::report;
use super::{Failure, Hooks, Prepared, Unfinished};
use crate::codec::Compression;
use crate::config::{OnError, Settings, Verify};
use crate::output::{Job, OverviewStore, Stored, Target, Written};
use crate::run::report::{Report, Seconds, sha256};
use crate::run::verify::{Depth, Findings, Verifiers, verify};
use crate::run::{
    Deciding, FinishedPart, Isolation, Pyramid, Shared, Totals, Treatment, WindowMaker, memory, run_jobs,
    step_by_step,
};
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
    let isolation = isolation(settings, &prepared, &totals, hooks)?;
    hooks.progress.stage("run");
    let (written, part) =
        match write_blocks(settings, &prepared, (&target, stored, job), (&totals, isolation.as_ref()), hooks)
        {
            Ok(written) => written,
            Err(Left { error, part }) => {
                let error = error.context(format!("{}: could not be made", settings.output.display()));
                return Err(match part {
                    true => Failure::Kept(Box::new(error.into()), target.keep()),
                    false => error.into(),
                });
            }
        };
    let ran = started.elapsed();

    // What blocks and windows took is wanted for other pieces now.
    memory::trim_heap();
    hooks.progress.stage("verify");
    let verifying = Instant::now();
    let path = target.path().to_str().context("the output's name is not UTF-8")?;
    let findings = match check(settings, &prepared, (path, &written), isolation.as_ref(), hooks)
        .map_err(Failure::from)
    {
        Ok(findings) => findings,
        Err(Failure::Interrupted) if part => return Err(kept(&mut target)),
        Err(failure) => return Err(failure),
    };
    let (left_out, children_peak) = isolation.map_or((Vec::new(), 0), |all| (all.left_out(), all.peak()));
    // First: where a source changed, the file differs from it and is no less right for that.
    check_sources_unchanged(&prepared, &left_out)?;
    prepared.skipped.extend(left_out);
    prepared.children_peak = children_peak;
    prepared.time("run", ran);
    prepared.time("verify", verifying.elapsed());
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
    prepared.time("finish", finishing.elapsed());
    let mut report = report(settings, prepared, &written, &totals, findings, hooks);
    (report.sha256, report.blocks.taken_over) = (sha256, taken_over);
    Ok(report)
}

/// The child processes that read and decide, where they are asked for.
///
/// # Errors
/// When nobody named a program for them.
pub fn isolation<'a>(
    settings: &Settings,
    prepared: &'a Prepared,
    totals: &'a Totals,
    hooks: &'a Hooks,
) -> Result<Option<Isolation<'a>>, Failure> {
    if settings.isolate.is_none() {
        return Ok(None);
    }
    let Some(program) = &hooks.child else {
        let problem = Problem::new("isolate", "no program is named that child processes could be");
        let hint = "name one in Hooks::child that runs mosaic_stream::run::serve";
        return Err(Failure::Problems(vec![problem.with_hint(hint)]));
    };
    let treatment = Treatment {
        program,
        patience: Some(Duration::from_secs(settings.window_timeout)).filter(|patience| !patience.is_zero()),
        retries: settings.retries,
        skip: settings.on_error == OnError::Skip,
        stop: hooks.stop,
    };
    let Prepared { mosaic, plan, touching, encoding, .. } = prepared;
    let ask_gdal = settings.reader == ReaderChoice::Auto;
    Ok(Some(Isolation::new(treatment, (mosaic, plan, touching), (encoding.block, ask_gdal), totals)))
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
    (target, stored, job): (&Target, Option<Stored>, Job),
    (totals, isolation): (&Totals, Option<&Isolation>),
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
    let deciding = Deciding {
        mosaic,
        plan,
        touching,
        block: encoding.block,
        direct: &direct,
        ask_gdal: settings.reader == ReaderChoice::Auto,
        patience: settings.patience(hooks.stop),
        judging: Mutex::new(()),
        totals,
    };
    let shared = Shared {
        deciding,
        isolation,
        blocks_in_pairs: encoding.cloud_optimized && mosaic.mask,
        overviews: pyramid.as_ref().zip(store.as_ref()),
        bands_apart: encoding.bands_apart,
        compression: encoding.compression,
        predictor: encoding.predictor,
        level: encoding.level,
        // GDAL's own choice for masks inside a GeoTIFF, which the header says.
        mask_compression: Compression::Deflate,
        finished: (stored_to > 0).then_some(FinishedPart { position: stored_to, jobs, path }),
    };
    let growth = &totals.growth;
    let mut storing = Storing::new(writer, stored_to, jobs, hooks);
    hooks.progress.start(jobs.len() as u64, jobs.pixels() * mosaic.pixel_bytes() as u64);
    let workers = plan.workers.min(jobs.len()).max(1);
    let made = run_jobs(
        jobs,
        (workers, plan.windows_ahead),
        || WindowMaker::new(&shared),
        &mut storing,
        hooks.stop,
        &|job| {
            growth.window_done();
            hooks.progress.window_done((job.window.pixels() * mosaic.pixel_bytes()) as u64);
        },
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
    totals.blocks_decoded.fetch_add(direct.cache.decoded(), Ordering::Relaxed);
    let added = match store {
        Some(store) => writer.add_overviews(store, &|step| step_by_step(plan.workers, hooks.stop, step)),
        None => Ok(()),
    };
    let finished = added.and_then(|()| writer.finish());
    // The first entry of a short job may reach the index at its end.
    let part = writer.can_be_resumed();
    let written = finished.map_err(|error| Left { error, part })?;
    Ok((written, part))
}

/// Files that are open at once for direct reading: below the usual limit of a process.
const OPEN_FILES: usize = 256;

fn check(
    settings: &Settings,
    prepared: &Prepared,
    (path, written): (&str, &Written),
    isolation: Option<&Isolation>,
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
    let by = Verifiers { threads: plan.verifiers, bytes_to_decide: plan.bytes_to_decide, isolation };
    verify(path, made, &written.records, layout, depth, by, settings.patience(hooks.stop)).map(Some)
}

/// A source that was replaced while it was read may be half old and half new in the mosaic. Of those that were left out
/// meanwhile that is told anyway.
pub fn check_sources_unchanged(prepared: &Prepared, left_out: &[Problem]) -> Result<(), Failure> {
    let changed = prepared.mosaic.sources.iter().filter(|placed| {
        placed.source.stamp.is_some()
            && Stamp::of(&placed.source.name) != placed.source.stamp
            && left_out.iter().all(|problem| *problem.source != *placed.source.name)
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
    fn time(&mut self, stage: &'static str, took: Duration) {
        self.seconds.push(Seconds { stage, seconds: took.as_secs_f64() });
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
