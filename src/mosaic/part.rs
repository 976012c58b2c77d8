//! What decides an output's bytes, so that another run may go on with a part of it; and the part that this run works on.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Failure, Hooks, Prepared, Unfinished};
use crate::config::{SceneSettings, Settings};
use crate::geometry::Grid;
use crate::output::{BlockId, BlockWriter, Checkpoints, Container, EncodedBlock, OutputSpec, Stored, Target};
use crate::output::{Job, Lacking, create_header, scratch_of};
use crate::plan::Jobs;
use crate::run::{LeftOut, Sink};
use crate::source::{Mosaic, Problem, Source, StackedScene, gdal_version};

/// Everything that decides the bytes of the output: the program, what is asked, and the inputs as they are now. How
/// windows are cut, and by how many workers they are made, does not.
pub fn job(settings: &Settings, prepared: &Prepared) -> Job {
    let Settings {
        inputs: _,
        output,
        format,
        overviews,
        overview_resampling,
        overwrite: _,
        chunk: _,
        block,
        method,
        expressions,
        expression_stage,
        scale_factor,
        count_band,
        provenance,
        date_band,
        scenes,
        crs,
        resolution,
        bounds,
        align,
        resampling,
        bands,
        dtype,
        src_nodata,
        nodata,
        compression,
        predictor,
        creation_options,
        memory: _,
        memory_ceiling: _,
        threads: _,
        isolate: _,
        window_timeout: _,
        on_error: _,
        allow_remote: _,
        allow_roots: _,
        reader: _,
        retries: _,
        verify: _,
        resume: _,
        checkpoint: _,
        report: _,
    } = settings;
    let SceneSettings {
        stac,
        scene_pattern,
        from,
        to,
        max_cloud,
        order,
        harmonize,
        zero_is_nodata,
        mask_band,
        mask_values,
        keep_values,
        mask_bits,
        mask_buffer,
        min_count,
    } = scenes;
    let asked = [
        ("mosaic-stream", env!("CARGO_PKG_VERSION").into()),
        ("GDAL", gdal_version()),
        ("--output", output.file_name().unwrap_or_default().to_string_lossy().into_owned()),
        ("--format", format!("{format:?}")),
        ("--overviews", format!("{overviews:?}")),
        ("--overview-resampling", format!("{overview_resampling:?}")),
        ("--block", block.to_string()),
        ("--method", method.to_string()),
        ("--expr", expressions.join(";")),
        ("--expr-stage", format!("{expression_stage:?}")),
        ("--scale-factor", format!("{scale_factor:?}")),
        ("--count-band, --provenance, --date-band", format!("{count_band}, {provenance}, {date_band}")),
        ("which scenes", format!("{stac:?}, {scene_pattern:?}, {from:?}, {to:?}, {max_cloud:?}, {order:?}")),
        ("--harmonize, --zero-is-nodata", format!("{harmonize:?}, {zero_is_nodata}")),
        (
            "which pixels",
            format!("{mask_band:?}, {mask_values:?}, {keep_values:?}, {mask_bits:?}, {mask_buffer}"),
        ),
        ("--min-count", min_count.to_string()),
        ("--crs", format!("{crs:?}")),
        ("--resolution", format!("{resolution:?}")),
        ("--bounds", format!("{bounds:?}")),
        ("--align", align.to_string()),
        ("--resampling", format!("{resampling:?}")),
        ("--bands", bands.join(",")),
        ("--dtype", format!("{dtype:?}")),
        ("--src-nodata", format!("{src_nodata:?}")),
        ("--nodata", format!("{nodata:?}")),
        ("--compress", format!("{compression:?}")),
        ("--predictor", format!("{predictor:?}")),
        ("--co", format!("{creation_options:?}")),
    ];
    let asked = asked.map(|(name, value)| (name.to_string(), value)).into_iter();
    let sources = prepared.mosaic.sources.iter().flat_map(|placed| files(&placed.source));
    Job { decides: asked.chain(grid_and_scenes(&prepared.mosaic)).chain(sources).collect() }
}

/// Where the mosaic lies, and what names and documents say of scenes: neither stands in the files that are read.
fn grid_and_scenes(mosaic: &Mosaic) -> impl Iterator<Item = (String, String)> {
    let Grid { origin_x, origin_y, resolution, size } = mosaic.grid;
    let grid = format!(
        "{} × {} pixels of {} × {} from {origin_x}, {origin_y}",
        size.columns, size.rows, resolution.x, resolution.y
    );
    let scenes = mosaic.stack.iter().flat_map(|stack| &stack.scenes).map(|scene| {
        let StackedScene { name, sources, bounds: _, mask, date, nodata, shifts } = scene;
        let date = date.map_or("no date".into(), |date| date.to_string());
        let value =
            format!("{date}, {shifts:?} added, nodata {nodata:?}, files {sources:?} and mask {mask:?}");
        (format!("scene {name}"), value)
    });
    std::iter::once(("the grid".to_owned(), grid)).chain(scenes)
}

/// A source's files, each with how it looks, and where the source lies: world files may say that.
fn files(source: &Source) -> impl Iterator<Item = (String, String)> {
    let at = format!("geotransform {:?}", source.geotransform.0);
    source.files().enumerate().map(move |(index, (name, stamp))| {
        let stamp = stamp.map_or("not a local file".into(), |stamp| stamp.to_string());
        (name.to_owned(), if index == 0 { format!("{stamp}, {at}") } else { stamp })
    })
}

/// The file to write: a new one, or with `--resume` that of an earlier run of the same job, with what it holds.
///
/// # Errors
/// When it is in use, of another job, or lacks sources that were left out and nobody asks for that any more.
pub fn claim(
    settings: &Settings,
    job: &Job,
    prepared: &mut Prepared,
) -> Result<(Target, Option<Stored>), Failure> {
    let output = &settings.output;
    if settings.resume
        && let Some((mut target, stored)) = Target::take_over(output, job)?
    {
        if !stored.lacking.is_empty() && !settings.leaves_out() {
            target.keep();
            return Err(Failure::Problems(stored.lacking.iter().map(still_left_out).collect()));
        }
        let sources = prepared.mosaic.sources.iter().map(|placed| &placed.source);
        let mut unknown = sources.filter(|source| source.files().all(|(_, stamp)| stamp.is_none()));
        if let Some(source) = unknown.next() {
            prepared.warnings.push(format!(
                "what is no file on this machine may have changed since the part was made: {}",
                source.name
            ));
        }
        let left = left_by_others(&target, output);
        prepared.warnings.extend(left.inspect_err(|_| drop(target.keep()))?);
        return Ok((target, Some(stored)));
    }
    let target = Target::new(output)?;
    prepared.warnings.extend(left_by_others(&target, output)?);
    Ok((target, None))
}

/// What is told of each part that this run does not work on.
fn left_by_others(target: &Target, output: &Path) -> Result<Vec<String>> {
    let told = |part: PathBuf| {
        let (part, output) = (part.display(), output.display());
        format!(
            "an earlier run left {part}: --resume goes on with it, mosaic-stream clean {output} removes it"
        )
    };
    Ok(target.left_by_others()?.into_iter().map(told).collect())
}

fn still_left_out(Lacking { lacking, because, .. }: &Lacking) -> Problem {
    Problem::new(&**lacking, format!("the part that is to be resumed lacks it: {because}"))
        .with_hint("go on with --isolate and --on-error skip, or remove the part with mosaic-stream clean")
}

/// Opens the file for its blocks: with a new header, or behind what is stored.
pub fn open(
    settings: &Settings,
    (target, stored): (&Target, Option<Stored>),
    spec: &OutputSpec,
    job: Job,
) -> Result<(BlockWriter, Vec<String>)> {
    let every = Duration::from_secs(settings.checkpoint);
    let checkpoints = Checkpoints { index: target.index()?, job, every };
    let Some(stored) = stored else {
        let container = create_header(target.path(), spec)?;
        let warnings = container.warnings.clone();
        return Ok((BlockWriter::new(container, Some(checkpoints))?, warnings));
    };
    let scratch = scratch_of(target.path());
    let container = create_header(&scratch, spec).and_then(|container| {
        if let Some(side_file) = &container.side_file {
            std::fs::rename(side_file, target.side_file()).context("the part's side file")?;
        }
        Ok(Container {
            side_file: Some(target.side_file().to_owned()).filter(|file| file.exists()),
            ..container
        })
    });
    let warnings = container.as_ref().map_or(Vec::new(), |container| container.warnings.clone());
    let writer =
        container.and_then(|container| BlockWriter::resume(container, target.path(), stored, checkpoints));
    let removed = std::fs::remove_file(&scratch);
    let writer = writer?;
    removed.context("remove the new header")?;
    Ok((writer, warnings))
}

/// Appends blocks as they come in their order, without those that stand in the file already.
pub struct Storing<'a> {
    pub writer: BlockWriter,
    pub jobs: &'a Jobs,
    /// All blocks before this position stood in the file when the run began.
    pub stored_to: u64,
    /// What the file is to whoever must end the process at once.
    pub unfinished: &'a Mutex<Unfinished>,
    /// What blocks lack.
    pub left_out: &'a LeftOut<'a>,
}

impl<'a> Storing<'a> {
    /// For a writer that has taken over everything before this position.
    pub fn new(
        (writer, stored_to): (BlockWriter, u64),
        jobs: &'a Jobs,
        left_out: &'a LeftOut<'a>,
        hooks: &'a Hooks,
    ) -> Storing<'a> {
        Storing { writer, jobs, stored_to, unfinished: hooks.unfinished, left_out }
    }
}

impl Sink<(BlockId, EncodedBlock)> for Storing<'_> {
    fn store(&mut self, place: usize, blocks: Vec<(BlockId, EncodedBlock)>) -> Result<()> {
        let count = self.jobs.grid.blocks().pixels() as u64;
        let new = |id: &BlockId| id.index % count >= self.stored_to;
        blocks.iter().filter(|(id, _)| new(id)).try_for_each(|(id, block)| self.writer.append(*id, block))?;
        let end = self.jobs.end_of_run(place);
        if end <= self.stored_to {
            return Ok(());
        }
        self.left_out.news().iter().try_for_each(|lacking| self.writer.lacks(lacking))?;
        self.writer.done_to(end)?;
        if self.writer.can_be_resumed() {
            let mut unfinished = self.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
            unfinished.worth_keeping();
        }
        Ok(())
    }
}
