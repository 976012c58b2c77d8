//! `--dry-run`: the plan as text.

use std::fmt::Write;

use mosaic_stream::mosaic::Prepared;
use mosaic_stream::pixels::BandRule;
use mosaic_stream::source::{Compiled, Mosaic, Placement, Role};

use super::grouped::grouped;
use super::messages::size_text;

/// Sources that are listed without `-v`.
const SHOWN: usize = 10;

/// Everything that was decided: sources, grid, windows, workers, and each line of the budget.
pub fn describe(prepared: &Prepared, verbose: bool) -> String {
    let mut text = String::new();
    // Writing into a text cannot fail.
    let _ = write_scenes(&mut text, &prepared.mosaic, verbose)
        .and_then(|()| write_sources(&mut text, prepared, verbose))
        .and_then(|()| write_mosaic(&mut text, prepared))
        .and_then(|()| write_plan(&mut text, prepared))
        .and_then(|()| if verbose { write_formulas(&mut text, &prepared.mosaic) } else { Ok(()) });
    text
}

/// What is decided together, in the order that counts.
fn write_scenes(text: &mut String, mosaic: &Mosaic, verbose: bool) -> std::fmt::Result {
    let Some(stack) = &mosaic.stack else { return Ok(()) };
    writeln!(text, "scenes ({})", stack.scenes.len())?;
    let shown = if verbose { stack.scenes.len() } else { SHOWN };
    for scene in stack.scenes.iter().take(shown) {
        let files = scene.sources.len() + usize::from(scene.mask.is_some());
        write!(text, "  {}  {files} {}", scene.name, if files == 1 { "file" } else { "files" })?;
        match scene.date {
            Some(date) => write!(text, ", taken on {date}")?,
            None => write!(text, ", of an unknown day")?,
        }
        let shift = scene.shifts.iter().find(|&&shift| shift != 0.0);
        writeln!(text, "{}", shift.map_or(String::new(), |shift| format!(", shifted by {shift}")))?;
    }
    if stack.scenes.len() > shown {
        writeln!(text, "  and {} more (-v lists all)", stack.scenes.len() - shown)?;
    }
    Ok(())
}

/// How formulas are computed, and what a worker holds for them.
fn write_formulas(text: &mut String, mosaic: &Mosaic) -> std::fmt::Result {
    let before = mosaic.stack.as_ref().and_then(|stack| stack.before.as_ref());
    let after = mosaic.derived.as_ref().and_then(|derived| derived.formulas.as_ref());
    for (stage, formulas) in [("before", before), ("after", after)] {
        let Some(Compiled { program, .. }) = formulas else { continue };
        writeln!(text, "{stage} the composite, {program}")?;
    }
    Ok(())
}

fn write_sources(text: &mut String, prepared: &Prepared, verbose: bool) -> std::fmt::Result {
    let sources = &prepared.mosaic.sources;
    writeln!(text, "sources ({})", sources.len())?;
    let shown = if verbose { sources.len() } else { SHOWN };
    // For `last` the composite begins with the source on top, which is the last one given.
    let mut listed: Vec<_> = sources.iter().collect();
    let position = |name: &str| prepared.used.iter().position(|used| used == name);
    if sources.len() <= 1000 {
        listed.sort_by_key(|placed| position(&placed.source.name));
    }
    for placed in listed.iter().take(shown) {
        let source = &placed.source;
        let how = match placed.placement {
            _ if placed.window.is_none() => "outside of the bounds",
            Placement::OnGrid { .. } => "on the grid",
            Placement::Enlarged { .. } => "its pixels repeated",
            Placement::Resampled => "resampled",
            Placement::Warped => "warped",
        };
        let role = if placed.role == Role::Mask { ", for its mask" } else { "" };
        writeln!(text, "  {}  {}, {} bands, {how}{role}", source.name, source.size, source.bands.len())?;
    }
    if sources.len() > shown {
        writeln!(text, "  and {} more (-v lists all)", sources.len() - shown)?;
    }
    for problem in &prepared.skipped {
        writeln!(text, "  left out: {}: {}", problem.source, problem.message)?;
    }
    for warning in grouped(&prepared.warnings) {
        writeln!(text, "  warning: {warning}")?;
    }
    Ok(())
}

fn write_mosaic(text: &mut String, prepared: &Prepared) -> std::fmt::Result {
    let mosaic = &prepared.mosaic;
    let encoding = &prepared.encoding;
    let bounds = mosaic.grid.bounds();
    writeln!(text, "mosaic")?;
    writeln!(
        text,
        "  size        {} pixels, {} bands of {}",
        mosaic.grid.size,
        mosaic.bands.len(),
        mosaic.pixel_type
    )?;
    writeln!(text, "  bounds      {bounds}")?;
    writeln!(text, "  resolution  {}", mosaic.grid.resolution)?;
    writeln!(text, "  CRS         {}", crs_name(&mosaic.wkt))?;
    let nodata = mosaic.nodata.map_or("none".into(), |nodata| nodata.to_string());
    let alpha = mosaic.bands.iter().any(|band| matches!(band.rule, BandRule::Alpha(_)));
    let validity = match (mosaic.mask, alpha) {
        (true, _) => ", a mask",
        (_, true) => ", an alpha band",
        _ => "",
    };
    writeln!(text, "  nodata      {nodata}{validity}")?;
    writeln!(text, "  method      {}", mosaic.method_name)?;
    writeln!(
        text,
        "  storage     {} with predictor {}, blocks of {}x{}, {}{}",
        encoding.compression,
        encoding.predictor.tag(),
        encoding.block,
        encoding.block,
        if encoding.bands_apart { "band after band" } else { "pixel interleaved" },
        if encoding.big { ", BigTIFF" } else { "" }
    )
}

fn crs_name(wkt: &str) -> String {
    let name = wkt.split('"').nth(1).unwrap_or("none");
    name.to_string()
}

fn write_plan(text: &mut String, prepared: &Prepared) -> std::fmt::Result {
    let plan = &prepared.plan;
    let all = prepared.jobs.grid.windows().pixels();
    let of = prepared.jobs.len();
    writeln!(text, "plan")?;
    writeln!(text, "  windows     {of} of {} pixels ({} without any source)", plan.window, all - of)?;
    writeln!(text, "  workers     {}, {} bands at once", plan.workers, plan.bands_at_once)?;
    writeln!(text, "  open        {} sources a worker", plan.open_sources)?;
    writeln!(text, "budget        {} of {}", size_text(plan.total()), size_text(plan.limit))?;
    for line in &plan.lines {
        writeln!(text, "  {:>9}  {}", size_text(line.bytes), line.what)?;
    }
    Ok(())
}
