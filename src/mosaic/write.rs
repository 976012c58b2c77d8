//! From a prepared job to a verified file under its final name.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::blocks::{Left, write_blocks};
use super::children::isolation;
use super::job::job;
use super::part;
use super::summary::report;
use super::{Failure, Hooks, Prepared, Unfinished};
use crate::config::{Settings, Verify};
use crate::output::{Lacking, Target, Written};
use crate::run::report::{Report, Seconds, sha256};
use crate::run::verify::{Depth, Findings, Verifiers, verify};
use crate::run::{Isolation, LeftOut, Totals, memory};
use crate::source::{Problem, Source};

/// Writes, verifies, and gives the file its name.
pub fn write(settings: &Settings, mut prepared: Prepared, hooks: &Hooks) -> Result<Report, Failure> {
    let started = Instant::now();
    let job = job(settings, &prepared);
    let (mut target, stored) = part::claim(settings, &job, &mut prepared)?;
    let taken_over = stored.as_ref().map_or(0, |stored| stored.records.len() as u64);
    let path = target.path().to_owned();
    let unfinished = if stored.is_some() { Unfinished::Part(path) } else { Unfinished::Worthless(path) };
    let told = Told::set(hooks, unfinished);
    let totals = Totals::default();
    let lacking = stored.as_ref().map_or(&[][..], |stored| &stored.lacking);
    let left_out = LeftOut::new(&prepared.mosaic, lacking);
    let isolation = isolation(settings, &prepared, &left_out, &totals, hooks)?;
    hooks.progress.stage("run");
    let by = (isolation.as_ref(), &left_out);
    let made = write_blocks(settings, &prepared, (&target, stored, job), &totals, by, hooks);
    let (written, part) = made.map_err(|Left { error, part }| {
        let error = error.context(format!("{}: could not be made", settings.output.display()));
        kept(&mut target, part, error.into())
    })?;
    let ran = started.elapsed();

    // What blocks and windows took is wanted for other pieces now.
    memory::trim_heap();
    hooks.progress.stage("verify");
    let verifying = Instant::now();
    let verified = verified(settings, &prepared, (&target, &written), by, hooks);
    let findings = verified.map_err(|failure| kept(&mut target, part, failure))?;
    let children_peak = isolation.map_or(0, |isolation| isolation.peak()).max(prepared.children_peak);
    prepared.lacking = left_out.all();
    prepared.children_peak = children_peak;
    prepared.time("run", ran);
    prepared.time("verify", verifying.elapsed());
    if findings.as_ref().is_some_and(|findings| !findings.faults.is_empty()) {
        let report = report(settings, prepared, &written, &totals, findings, hooks);
        return Err(Failure::Faults(Box::new(report)));
    }

    hooks.progress.stage("finish");
    let finishing = Instant::now();
    let sha256 = named(settings, &mut target, hooks).map_err(|failure| kept(&mut target, part, failure))?;
    told.now(Unfinished::Done);
    totals.note(target.settle());
    prepared.time("finish", finishing.elapsed());
    let mut report = report(settings, prepared, &written, &totals, findings, hooks);
    (report.sha256, report.blocks.taken_over) = (sha256, taken_over);
    Ok(report)
}

/// Keeps the part, where there is one, for another run; but not of a file that is wrong, or whose sources are others now.
fn kept(target: &mut Target, part: bool, failure: Failure) -> Failure {
    match failure {
        Failure::Faults(_) | Failure::Problems(_) => failure,
        failure if part => Failure::Kept(Box::new(failure), target.keep()),
        failure => failure,
    }
}

/// What verification finds, of sources that have not changed meanwhile.
fn verified(
    settings: &Settings,
    prepared: &Prepared,
    (target, written): (&Target, &Written),
    by: (Option<&Isolation>, &LeftOut),
    hooks: &Hooks,
) -> Result<Option<Findings>, Failure> {
    let path = target.path().to_str().context("the output's name is not UTF-8")?;
    let checked = check(settings, prepared, (path, written), by, hooks).map_err(Failure::from);
    if !matches!(checked, Err(Failure::Interrupted)) {
        // First: where a source changed, the file differs from it and is no less right for that.
        check_sources_unchanged(prepared, &by.1.all())?;
    }
    checked
}

/// Gives the file its name; returns its SHA-256 where a report is to tell it.
fn named(settings: &Settings, target: &mut Target, hooks: &Hooks) -> Result<String, Failure> {
    let sha256 = match settings.report {
        Some(_) => sha256(target.path())?,
        None => String::new(),
    };
    if hooks.stop.load(Ordering::Relaxed) {
        return Err(Failure::Interrupted);
    }
    target.persist(settings.overwrite)?;
    Ok(sha256)
}

fn check(
    settings: &Settings,
    prepared: &Prepared,
    (path, written): (&str, &Written),
    (isolation, left_out): (Option<&Isolation>, &LeftOut),
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
    let by = Verifiers::of(plan, isolation, left_out);
    verify(path, made, &written.records, layout, depth, by, settings.patience(hooks.stop)).map(Some)
}

/// A source that was replaced while it was read may be half old and half new in the mosaic. Of those that were left out
/// meanwhile that is told anyway.
pub fn check_sources_unchanged(prepared: &Prepared, lacking: &[Lacking]) -> Result<(), Failure> {
    let left_out = |source: &Source| lacking.iter().any(|left_out| *left_out.lacking == *source.name);
    let sources = prepared.mosaic.sources.iter().map(|placed| &placed.source);
    let changed = sources.filter(|source| !left_out(source)).filter_map(|source| source.changed_file());
    // Sources may have files in common.
    let changed: BTreeSet<String> = changed.collect();
    let problems: Vec<Problem> = changed
        .into_iter()
        .map(|file| {
            Problem::new(file, "changed, vanished or appeared while the job ran")
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
