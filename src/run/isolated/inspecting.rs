//! Inputs inspected by children: one whose header ends a process, or lets it hang, is a problem like another.

use std::fmt;
use std::io::BufRead;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail};

use super::child::{Child, Death, End};
use super::message::{Answer, Looking, Request, Setup, hear_next};
use super::of_threads::OfThreads;
use super::serve::{Out, answer};
use super::{DEATHS, Treatment, ceiling};
use crate::run::memory;
use crate::source::{Inspected, Inspector, Patience, Problem, Trust, inspect, prepare_gdal};

/// Bytes of GDAL's cache in a child that reads no pixels.
const CACHE_BYTES: u64 = 4 << 20;

/// Children that inspect inputs, one for each thread that asks.
pub struct RemoteInspector<'a> {
    treatment: Treatment<'a>,
    looking: Looking,
    children: OfThreads<'a>,
    /// Bytes that this process and its children may take.
    bytes: u64,
    /// Children that were alive at once, at most.
    at_once: AtomicU64,
    started: AtomicU64,
    /// What one of them had in memory at most.
    greatest: AtomicU64,
}

impl<'a> RemoteInspector<'a> {
    /// No child is started yet. So many threads ask at once; all their children together may take so many bytes. Inputs
    /// may refer to what `trust` says.
    pub fn new(treatment: Treatment<'a>, trust: Trust, threads: usize, bytes: u64) -> RemoteInspector<'a> {
        let at_once = threads as u64;
        let Trust { remote, roots, .. } = trust;
        let (retries, of_one) = (treatment.retries, bytes / at_once.max(1));
        RemoteInspector {
            treatment,
            looking: Looking { remote, roots: roots.to_vec(), retries, bytes: of_one },
            children: OfThreads::default(),
            bytes,
            at_once: at_once.into(),
            started: AtomicU64::new(0),
            greatest: AtomicU64::new(0),
        }
    }

    /// No more bytes were in memory of all children together.
    pub fn peak(&self) -> u64 {
        self.greatest() * self.started.load(Ordering::Relaxed).min(self.at_once.load(Ordering::Relaxed))
    }

    /// The most bytes that one of them had in memory.
    pub fn greatest(&self) -> u64 {
        self.greatest.load(Ordering::Relaxed)
    }

    fn start(&self) -> Result<Child<'a>, End> {
        let Treatment { program, patience, stop, .. } = self.treatment;
        self.started.fetch_add(1, Ordering::Relaxed);
        Child::start(program, &Setup::Inspect(self.looking.clone()), patience, stop)
    }

    fn ask(&self, request: &Request) -> Result<Result<Inspected, Problem>, End> {
        self.children.ask(
            || self.start(),
            request,
            |answer, child| match answer {
                Answer::Inspected(inspected, peak) => {
                    self.greatest.fetch_max(peak, Ordering::Relaxed);
                    Ok(*inspected)
                }
                other => Err(child.confused(&other)),
            },
        )
    }
}

impl fmt::Debug for RemoteInspector<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RemoteInspector").field("looking", &self.looking).finish_non_exhaustive()
    }
}

/// How many of so many threads may have a child each, in so many bytes beside this process: those of a child grow a
/// little from input to input. One in any case.
fn children_that_fit(room: u64, greatest: u64, threads: usize) -> usize {
    let each = (greatest + greatest / 8).max(1);
    usize::try_from(room / each).unwrap_or(threads).clamp(1, threads.max(1))
}

impl Inspector for RemoteInspector<'_> {
    fn at_once(&self, threads: usize) -> usize {
        // The thread that asked until now waits for the others.
        self.children.end();
        let room = self.bytes.saturating_sub(memory::resident());
        let threads = children_that_fit(room, self.greatest(), threads);
        self.at_once.store(threads as u64, Ordering::Relaxed);
        threads
    }

    fn inspect(&self, name: &str, target: Option<&str>) -> Result<Inspected, Problem> {
        let request = Request::Inspect { name: name.into(), target: target.map(str::to_owned) };
        let mut replaced = Vec::new();
        loop {
            let how = match self.ask(&request) {
                Ok(Ok((source, notes))) => return Ok((source, notes.into_iter().chain(replaced).collect())),
                Ok(Err(problem)) => return Err(problem),
                // Nobody hears of it: the job ends.
                Err(End::Stopped) => return Err(Problem::new(name, "was not inspected")),
                Err(End::Failed(text)) => return Err(Problem::new(name, text)),
                Err(End::Died(Death { how, .. })) => how,
            };
            replaced.push(format!("a child process that inspected it was replaced: {how}"));
            if replaced.len() == DEATHS {
                let message = format!("{DEATHS} child processes died while they inspected it: {how}");
                return Err(Problem::new(name, message)
                    .with_hint("repair it, leave it out, or let --on-error skip leave it out"));
            }
        }
    }
}

/// The child: inspects inputs until it is asked no more.
pub fn serve_inspections(looking: Looking, input: &mut impl BufRead, out: &Out) -> Result<()> {
    let Looking { remote, roots, retries, bytes } = looking;
    memory::prepare_heap();
    prepare_gdal(CACHE_BYTES)?;
    let patience = Patience { retries, ..Patience::default() };
    let trust = Trust { remote, roots: &roots, patience, ..Trust::default() };
    answer(out, &Answer::Ready(ceiling::lower(bytes)?))?;
    while let Some(request) = hear_next(input)? {
        let Request::Inspect { name, target } = request else {
            bail!("a child that inspects inputs is asked for {request:?}");
        };
        let inspected = inspect(&name, target.as_deref(), None, trust);
        answer(out, &Answer::Inspected(Box::new(inspected), memory::peak_resident()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_children_inspect_than_fit_and_always_one() {
        assert_eq!(children_that_fit(140 << 20, 60 << 20, 8), 2);
        assert_eq!(children_that_fit(130 << 20, 60 << 20, 8), 1);
        assert_eq!(children_that_fit(0, 60 << 20, 8), 1);
        assert_eq!(children_that_fit(u64::MAX, 60 << 20, 8), 8);
        assert_eq!(children_that_fit(1 << 30, 0, 8), 8, "nothing is known yet");
    }
}
