//! A child: it hears what it is for, then decides pixels (or inspects inputs) as it is asked, until its parent is gone.

use std::io::{self, BufReader, BufWriter, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Error, Result, bail, ensure};

use super::ceiling;
use super::inspecting::serve_inspections;
use super::message::{Answer, Done, Making, Request, Setup, greeting, hear, hear_next, tell};
use super::own_pipes::{end_with_parent, take_stdout};
use crate::plan::{Job, Jobs, Touching, WindowGrid};
use crate::run::window::{Decide, DecidedPixels, Decider, Deciding};
use crate::run::{Totals, memory};
use crate::source::direct::{BlockCache, DirectFiles, DirectSources};
use crate::source::reference::Reference;
use crate::source::{Mosaic, Patience, prepare_gdal, set_gdal_cache, watch_reading};

/// Files that are open at once for direct reading.
const OPEN_FILES: usize = 64;

/// The pipe to the parent.
pub type Out = Arc<Mutex<BufWriter<std::fs::File>>>;

/// Serves the process that started this one, through stdin and stdout, until it closes them.
///
/// # Errors
/// When the parent speaks another language, or is gone.
pub fn serve() -> Result<()> {
    end_with_parent();
    let out: Out = Arc::new(Mutex::new(BufWriter::new(take_stdout()?)));
    let mut input = BufReader::new(io::stdin().lock());
    let greeted: String = hear(&mut input).context("no job was told on stdin")?;
    if greeted != greeting() {
        let text = format!("the children's program is {}, but the job's is {greeted}", greeting());
        return Ok(answer(&out, &Answer::Failed(text))?);
    }
    let setup: Setup<Mosaic> = hear(&mut input).context("hear what is made")?;
    let served = match setup {
        Setup::Inspect(looking) => serve_inspections(looking, &mut input, &out),
        Setup::Make(making) => decide(*making, &mut input, &out),
    };
    match served {
        Ok(()) => Ok(()),
        Err(error) if error.is::<io::Error>() => Err(error),
        Err(error) => Ok(answer(&out, &failed(&error))?),
    }
}

/// Why the child ends: its ceiling, where that is the reason.
fn failed(error: &Error) -> Answer {
    let text = format!("{error:#}");
    if ceiling::tells_of_no_memory(&text) { Answer::Exhausted(text) } else { Answer::Failed(text) }
}

/// Answers the parent.
pub fn answer(out: &Out, answer: &Answer) -> io::Result<()> {
    tell(&mut *out.lock().unwrap_or_else(PoisonError::into_inner), answer)
}

/// Answers requests until there is none left.
fn decide(making: Making<Mosaic>, input: &mut impl io::BufRead, out: &Out) -> Result<()> {
    let Making { mut mosaic, plan, block, ask_gdal, retries, left_out, bytes } = making;
    memory::prepare_heap();
    prepare_gdal(plan.cache_bytes)?;
    let grid = WindowGrid { size: mosaic.grid.size, window: plan.window, block };
    let touching = |mosaic: &Mosaic| Touching::new(&grid, mosaic.sources.iter().map(|placed| placed.window));
    // Jobs have the numbers that the parent gives them, whatever is left out.
    let jobs = mosaic.jobs(grid, &touching(&mosaic));
    for index in left_out {
        mosaic.sources[index].window = None;
    }
    let touching = touching(&mosaic);
    let totals = Totals::default();
    let direct = DirectSources {
        files: DirectFiles::new(OPEN_FILES),
        cache: BlockCache::new(plan.decoded_bytes as usize, plan.windows_ahead),
    };
    let deciding = Deciding {
        mosaic: &mosaic,
        plan: &plan,
        touching: &touching,
        block,
        direct: &direct,
        ask_gdal,
        // The parent ends its children itself.
        patience: Patience { retries, ..Patience::default() },
        judging: Mutex::new(()),
        totals: &totals,
    };
    let mut child = Child {
        jobs: &jobs,
        deciding: &deciding,
        decider: Decider::new(&deciding),
        decided: DecidedPixels::new(mosaic.pixel_type),
        reference: None,
        job: None,
        blocks_told: 0,
    };
    announce_sources(out);
    answer(out, &Answer::Ready(ceiling::lower(bytes)?))?;
    while let Some(request) = hear_next(input)? {
        child.serve(request, out)?;
    }
    Ok(())
}

/// Tells the parent each source before it is read, once until it is another.
fn announce_sources(out: &Out) {
    let out = Arc::clone(out);
    let last = Mutex::new(String::new());
    watch_reading(move |name| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != name {
            name.clone_into(&mut last);
            // A parent that is gone ends this process anyway.
            let _ = answer(&out, &Answer::Reading(name.to_owned()));
        }
    });
}

struct Child<'a> {
    jobs: &'a Jobs,
    deciding: &'a Deciding<'a>,
    decider: Decider<'a>,
    decided: DecidedPixels,
    /// What was verified with until now.
    reference: Option<Reference<'a>>,
    job: Option<Job>,
    /// Blocks decoded, as far as the parent knows.
    blocks_told: u64,
}

impl Child<'_> {
    fn serve(&mut self, request: Request, out: &Out) -> Result<()> {
        match request {
            Request::Begin { job, bands } => {
                ensure!(job < self.jobs.len(), "there is no window {job}");
                let job = self.jobs.job(job);
                self.job = Some(job);
                self.decider.begin(job, bands)
            }
            Request::Leave => {
                let _ = self.decider.leave();
                self.job = None;
                Ok(())
            }
            Request::Decide { area, bands } => {
                let job = self.job()?;
                self.decider.decide(job, area, bands, &mut self.decided)?;
                let done = self.done();
                let (pixels, valid) = (self.decided.pixels.bytes(), &self.decided.valid[..]);
                send(out, &Answer::Decided(done, pixels.len(), valid.len()), &[pixels, valid])
            }
            Request::TakeBlock { block, bands, fill, bytes } => {
                let (job, mut raw) = (self.job()?, vec![0; bytes]);
                let taken = self.decider.take_block(job, block, bands, (&mut raw, &fill))?;
                let done = self.done();
                send(out, &Answer::Block(done, taken), &[&raw[..if taken { bytes } else { 0 }]])
            }
            Request::Inspect { name, .. } => bail!("a child that decides pixels is asked to inspect {name}"),
            Request::Verify { file, area, sources } => {
                let Deciding { mosaic, plan, block, patience, .. } = *self.deciding;
                let reference = self.reference.get_or_insert_with(|| {
                    set_gdal_cache(plan.cache_to_verify);
                    Reference::new(mosaic, block, plan.open_to_verify)
                });
                let difference = reference.first_difference(&file, area, &sources, patience)?;
                send(out, &Answer::Verified(self.done(), difference), &[])
            }
        }
    }

    fn job(&self) -> Result<Job> {
        match self.job {
            Some(job) => Ok(job),
            None => bail!("no window was begun"),
        }
    }

    /// What was done since this was asked last.
    fn done(&mut self) -> Done {
        let take = |total: &AtomicU64| total.swap(0, Ordering::Relaxed);
        let Deciding { totals, direct, .. } = self.deciding;
        let decoded = direct.cache.decoded();
        let blocks_decoded = decoded - std::mem::replace(&mut self.blocks_told, decoded);
        Done {
            read: take(&totals.read),
            composite: take(&totals.composite),
            samples_read: take(&totals.samples_read),
            blocks_decoded,
            warnings: totals.take_noted(),
            peak: memory::peak_resident(),
        }
    }
}

/// Sends an answer, and the pixels that it announces.
fn send(out: &Out, answer: &Answer, pixels: &[&[u8]]) -> Result<()> {
    let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
    tell(&mut *out, answer)?;
    pixels.iter().try_for_each(|bytes| out.write_all(bytes))?;
    Ok(out.flush()?)
}
