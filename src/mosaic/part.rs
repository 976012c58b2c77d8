//! The part that a run works on: a new one, or one that an earlier run of the same job left.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Failure, Hooks, Prepared, Unfinished};
use crate::config::Settings;
use crate::output::{BlockId, BlockWriter, Checkpoints, Container, EncodedBlock, OutputSpec, Stored, Target};
use crate::output::{Job, Lacking, create_header, new_header, remove_new_header};
use crate::plan::Jobs;
use crate::run::{LeftOut, Sink};
use crate::source::Problem;

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
    remove_new_header(target.path())?;
    let container = create_header(&new_header(target.path()), spec).and_then(|container| {
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
    let removed = remove_new_header(target.path());
    let writer = writer?;
    removed?;
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
