//! The child processes of a job that is to be isolated from its sources.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::{Failure, Hooks, Prepared};
use crate::config::Settings;
use crate::run::{Isolation, LeftOut, Program, RemoteInspector, Totals, Treatment};
use crate::source::{Problem, ReaderChoice, Trust};

/// How children are treated, where they are asked for.
///
/// # Errors
/// When nobody named a program for them.
fn treatment<'a>(
    settings: &Settings,
    program: Option<&'a Program>,
    stop: &'a AtomicBool,
) -> Result<Option<Treatment<'a>>, Failure> {
    if settings.isolate.is_none() {
        return Ok(None);
    }
    let Some(program) = program else {
        let problem = Problem::new("isolate", "no program is named that child processes could be");
        let hint = "name one in Hooks::child that runs mosaic_stream::run::serve";
        return Err(Failure::Problems(vec![problem.with_hint(hint)]));
    };
    Ok(Some(Treatment {
        program,
        patience: Some(Duration::from_secs(settings.window_timeout)).filter(|patience| !patience.is_zero()),
        retries: settings.retries,
        skip: settings.leaves_out(),
        stop,
    }))
}

/// The child processes that inspect inputs, where they are asked for. All together may take what the budget is.
///
/// # Errors
/// When nobody named a program for them.
pub fn inspector<'a>(
    settings: &Settings,
    program: Option<&'a Program>,
    trust: Trust<'a>,
) -> Result<Option<RemoteInspector<'a>>, Failure> {
    let treatment = treatment(settings, program, trust.patience.stop)?;
    Ok(treatment.map(|treatment| RemoteInspector::new(treatment, trust, settings.workers(), settings.memory)))
}

/// The child processes that read and decide, where they are asked for.
///
/// # Errors
/// When nobody named a program for them.
pub fn isolation<'a>(
    settings: &Settings,
    prepared: &'a Prepared,
    left_out: &'a LeftOut<'a>,
    totals: &'a Totals,
    hooks: &'a Hooks,
) -> Result<Option<Isolation<'a>>, Failure> {
    let Prepared { mosaic, plan, touching, encoding, .. } = prepared;
    let ask_gdal = settings.reader == ReaderChoice::Auto;
    let made = (mosaic, plan, touching);
    let treatment = treatment(settings, hooks.child.as_ref(), hooks.stop)?;
    Ok(treatment
        .map(|treatment| Isolation::new(treatment, made, (encoding.block, ask_gdal), left_out, totals)))
}
