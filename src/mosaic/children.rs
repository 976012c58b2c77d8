//! The child processes of a job that is to be isolated from its sources.

use std::time::Duration;

use super::{Failure, Hooks, Prepared};
use crate::config::{OnError, Settings};
use crate::run::{Isolation, LeftOut, Totals, Treatment};
use crate::source::{Problem, ReaderChoice};

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
    let made = (mosaic, plan, touching);
    Ok(Some(Isolation::new(treatment, made, (encoding.block, ask_gdal), left_out, totals)))
}
