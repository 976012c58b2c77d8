//! A file that was made before: whether it is sound, and whether it holds what its inputs give.

use std::path::Path;

use anyhow::Context;

use super::children::isolation;
use super::{Failure, Hooks, prepare, scenes, write};
use crate::config::{Settings, Verify};
use crate::run::verify::product::{Examined, Recorded, examine};
use crate::run::verify::{Verifiers, verify_anew};
use crate::run::{LeftOut, Totals};
use crate::source::Problem;

/// Puts the sources that a report names in the place of a list that its job read on stdin.
///
/// # Errors
/// When the job worked on scenes: what these are made of is not told.
pub fn name_listed_inputs(settings: &mut Settings, recorded: &Recorded) -> Result<(), Failure> {
    if !settings.inputs.iter().any(|input| input == "-") {
        return Ok(());
    }
    if scenes::are_asked_for(settings) {
        let message = "the job read a list of inputs on stdin, and the report names the scenes made of them";
        let hint = "name the inputs behind it; with '--against -' the same list is read on stdin";
        return Err(Failure::Problems(vec![Problem::new("--against", message).with_hint(hint)]));
    }
    settings.inputs.clone_from(&recorded.inputs.used);
    Ok(())
}

/// Verifies the file at `path`, against a report where there is one.
///
/// With `against` all pixels are decided anew, by these settings and inputs, and compared: of a file that is sound
/// otherwise, since blocks that cannot be read have no pixels. What the settings say of an output and a report is of no
/// account. Faults are findings, no failure.
///
/// # Errors
/// A [`Failure`] when the file cannot be read, or the inputs cannot be used as asked.
pub fn verify(
    path: &Path,
    recorded: Option<&Recorded>,
    against: Option<&Settings>,
    hooks: &mut Hooks,
) -> Result<Examined, Failure> {
    crate::source::prepare_gdal(4 << 20)?;
    let Some(settings) = against else {
        let Settings { threads, memory, .. } = Settings::default();
        return Ok(examine(path, recorded, (threads, memory), hooks.stop)?);
    };
    let settings = Settings {
        output: path.to_owned(),
        overwrite: true,
        report: None,
        verify: Verify::Full,
        ..settings.clone()
    };
    std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    let prepared = prepare(&settings, hooks)?;
    let mut examined = examine(path, recorded, (settings.threads, settings.memory / 2), hooks.stop)?;
    examined.notes.extend(prepared.warnings.iter().cloned());
    if examined.fault_count > 0 {
        examined.notes.push("pixels were not decided anew, since the file is not sound".into());
        return Ok(examined);
    }
    let name = path.to_str().context("the file's name is not UTF-8")?;
    let totals = Totals::default();
    let lacking = recorded.map_or(&[][..], |recorded| &recorded.inputs.lacking);
    let left_out = LeftOut::new(&prepared.mosaic, lacking);
    let isolation = isolation(&settings, &prepared, &left_out, &totals, hooks)?;
    let made = (&prepared.mosaic, &prepared.jobs, &prepared.touching);
    let by = Verifiers::of(&prepared.plan, isolation.as_ref(), &left_out);
    let pixels = verify_anew(name, made, by, settings.patience(hooks.stop))?;
    write::check_sources_unchanged(&prepared, &[])?;
    examined.add_pixels(pixels);
    Ok(examined)
}
