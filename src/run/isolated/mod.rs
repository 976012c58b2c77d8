//! Pixels decided in child processes, each with a GDAL of its own and a ceiling over its memory: a source that ends one,
//! or lets it hang, does not end the job.
//!
//! ```text
//! parent: worker ──requests──▶ child: read ▶ decide
//!         encode, overviews  ◀──pixels──
//!         store
//! ```
//!
//! Each worker has a child, which is handed the mosaic as it was planned ([`message::Setup`]) and decides what the worker
//! asks for, so that the worker goes on where a child died: with another one, and the same question. After the second
//! death at one window the source that was read last is left out of the rest of the job, or the job fails. Inputs are
//! inspected by children before ([`RemoteInspector`]).

mod ceiling;
mod child;
mod held;
mod inspecting;
mod message;
mod of_threads;
mod own_pipes;
mod pipes;
mod remote;
mod serve;
mod verify;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};

use super::{LeftOut, Stopped, Totals};
use crate::geometry::Window;
use crate::plan::{Plan, Touching};
use crate::source::Mosaic;
use child::{Child, Death, End};
use held::{Held, Share};
use message::{Done, Making, Setup};

pub use child::Program;
pub use inspecting::RemoteInspector;
pub use remote::RemoteDecider;
pub use serve::serve;
pub use verify::RemoteVerifier;

/// Deaths at one window after which its source is given up.
const DEATHS: usize = 2;

/// How a job's children are treated.
#[derive(Clone, Copy)]
pub struct Treatment<'a> {
    /// The program that they are.
    pub program: &'a Program,
    /// How long one may take for an answer.
    pub patience: Option<Duration>,
    /// How often it asks servers again for what they did not give.
    pub retries: u32,
    /// Whether a source that children die of is left out, instead of failing the job.
    pub skip: bool,
    /// Set when the job is to stop.
    pub stop: &'a AtomicBool,
}

/// What all workers share whose pixels are decided by children.
pub struct Isolation<'a> {
    treatment: Treatment<'a>,
    mosaic: &'a Mosaic,
    plan: Plan,
    touching: &'a Touching,
    block: usize,
    ask_gdal: bool,
    totals: &'a Totals,
    /// Sources that are left out.
    pub left_out: &'a LeftOut<'a>,
    held: Held,
}

impl<'a> Isolation<'a> {
    /// For a job that makes this mosaic by this plan; `ask_gdal` says whether a block that cannot be decoded directly is
    /// left to GDAL to judge.
    pub fn new(
        treatment: Treatment<'a>,
        (mosaic, plan, touching): (&'a Mosaic, &Plan, &'a Touching),
        (block, ask_gdal): (usize, bool),
        left_out: &'a LeftOut<'a>,
        totals: &'a Totals,
    ) -> Isolation<'a> {
        Isolation {
            treatment,
            mosaic,
            plan: plan.of_child(),
            touching,
            block,
            ask_gdal,
            totals,
            left_out,
            held: Held::default(),
        }
    }

    /// The most bytes that all children together had in memory, as far as can be told.
    pub fn peak(&self) -> u64 {
        self.held.peak()
    }

    /// A child that may take so many bytes for what it does, and takes these sources for ones that lie outside.
    fn start(&'a self, bytes: u64, left_out: Vec<usize>) -> Result<Child<'a>, End> {
        let count = left_out.len();
        let making = Making {
            mosaic: self.mosaic,
            plan: self.plan.clone(),
            block: self.block,
            ask_gdal: self.ask_gdal,
            retries: self.treatment.retries,
            left_out,
            bytes,
        };
        let Treatment { program, patience, stop, .. } = self.treatment;
        let mut child = Child::start(program, &Setup::Make(Box::new(making)), patience, stop)?;
        child.left_out = count;
        child.share = Some(Share::new(&self.held));
        Ok(child)
    }

    /// Adds what a child did to what all workers did.
    fn count(&self, done: Done, child: &mut Child) {
        let Done { read, composite, samples_read, blocks_decoded, warnings, peak } = done;
        let totals = self.totals;
        let sums = [
            (&totals.read, read),
            (&totals.composite, composite),
            (&totals.samples_read, samples_read),
            (&totals.blocks_decoded, blocks_decoded),
        ];
        sums.into_iter().for_each(|(sum, more)| _ = sum.fetch_add(more, Ordering::Relaxed));
        totals.note(warnings);
        child.share.iter_mut().for_each(|share| share.grow_to(peak));
    }

    /// A child that was asked about an area is gone: goes on with another one, without its source where that `may_skip`,
    /// or says why the job ends.
    fn after(&self, end: End, area: Window, deaths: &mut usize, may_skip: bool) -> Result<()> {
        let Death { how, reading } = match end {
            End::Stopped => return Err(Stopped.into()),
            End::Failed(text) => bail!(text),
            End::Died(death) => death,
        };
        *deaths += 1;
        if *deaths < DEATHS {
            let at = reading.map_or(String::new(), |name| format!(", after it began to read {name}"));
            self.totals.note(vec![format!("a child process was replaced at {area}: {how}{at}")]);
            return Ok(());
        }
        let Some(name) = reading else {
            bail!("{DEATHS} child processes in a row died at {area}, before they read any source: {how}");
        };
        if self.treatment.skip && may_skip {
            let reason = format!("left out from {area} on, where {DEATHS} child processes died of it: {how}");
            self.left_out.add(&name, &reason);
            *deaths = 0;
            return Ok(());
        }
        Err(anyhow!(
            "{name}: {DEATHS} child processes died after they began to read it, the last one at {area}: {how}; \
             repair it, leave it out, or let --on-error skip leave it out"
        ))
    }
}
