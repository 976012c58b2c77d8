//! Why a job ended without a new output.

use std::fmt;
use std::path::PathBuf;

use crate::run::Stopped;
use crate::run::memory::Exhausted;
use crate::run::report::Report;
use crate::source::Problem;

/// Why a job ended without a new output.
#[derive(Debug)]
pub enum Failure {
    /// The inputs, or what is asked of them, cannot be used as asked: everything that is wrong.
    Problems(Vec<Problem>),
    /// The budget is too small for any plan.
    TooLittleMemory {
        /// The budget, in bytes.
        limit: u64,
        /// The least budget that is enough.
        least: u64,
    },
    /// The written file is not what it should be; it was removed. The report tells what was found.
    Faults(Box<Report>),
    /// The job was told to stop.
    Interrupted,
    /// The process held more than its ceiling, and the job was ended.
    Exhausted(Box<Exhausted>),
    /// The job ended early, and what it made is kept in this part for another run to go on with.
    Kept(Box<Failure>, PathBuf),
    /// Anything else.
    Error(anyhow::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Problems(problems) => {
                let texts = problems.iter().map(|problem| format!("{}: {}", problem.source, problem.message));
                out.write_str(&texts.collect::<Vec<_>>().join("\n"))
            }
            Failure::TooLittleMemory { limit, least } => {
                let (limit, least) = (limit >> 20, least.div_ceil(1 << 20));
                write!(
                    out,
                    "a budget of {limit} MiB is too small for this job: the least that works is {least} MiB"
                )
            }
            Failure::Faults(report) => {
                let faults = report.faults();
                write!(out, "verification found {} faults: {}", faults.len(), faults.join("; "))
            }
            Failure::Interrupted => out.write_str("interrupted"),
            Failure::Exhausted(exhausted) => write!(out, "{exhausted}"),
            Failure::Kept(failure, part) => {
                write!(out, "{failure}; what was made is kept in {}", part.display())
            }
            Failure::Error(error) => write!(out, "{error:#}"),
        }
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// The same, where what interrupted the job was that memory was exhausted.
    pub(super) fn for_memory(self, exhausted: Exhausted) -> Failure {
        match self {
            Failure::Interrupted => Failure::Exhausted(Box::new(exhausted)),
            Failure::Kept(failure, part) => Failure::Kept(Box::new(failure.for_memory(exhausted)), part),
            other => other,
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        if error.is::<Stopped>() || error.chain().any(|cause| cause.is::<Stopped>()) {
            return Failure::Interrupted;
        }
        Failure::Error(error)
    }
}
