//! The story of a job, from what was typed to a verified file under its final name.
//!
//! ```text
//! inputs ─inspect→ sources + problems ─unify→ mosaic ─plan→ windows, budget, workers
//!        ─write→ per window: read → composite → encode → append, in order
//!        ─verify→ findings ─rename→ the output ─report→
//! ```

mod blocks;
mod children;
mod decoded;
mod encoding;
mod examine;
mod failure;
mod gather;
mod harmonize;
mod job;
mod method;
mod needs;
mod part;
mod places;
mod scene_checks;
mod scenes;
mod stacked;
mod summary;
mod transparency;
mod write;

use std::io::{self, BufRead};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::config::{self, MemoryCeiling, Settings};
use crate::output::Lacking;
use crate::plan::{Jobs, Plan, Touching};
use crate::run::progress::{Progress, Silent};
use crate::run::report::{Report, Seconds};
use crate::run::{Program, memory};
use crate::source::{Inspector, Mosaic, Problem, Trust};

pub use encoding::Encoding;
pub use examine::{name_listed_inputs, verify};
pub use failure::Failure;

/// What a job that is not done has made beside its output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Unfinished {
    /// Nothing, or nothing more.
    #[default]
    Nothing,
    /// A file that nobody can go on with: to be removed, with what begins with its name.
    Worthless(PathBuf),
    /// A part that another run can go on with.
    Part(PathBuf),
    /// The output has its name: there is nothing to be ended any more.
    Done,
}

impl Unfinished {
    /// Another run can go on with the file from now on.
    fn worth_keeping(&mut self) {
        if let Unfinished::Worthless(path) = self {
            *self = Unfinished::Part(std::mem::take(path));
        }
    }
}

/// What a job needs from whoever starts it.
pub struct Hooks<'a> {
    /// Hears how far the job is.
    pub progress: &'a dyn Progress,
    /// Set to end the job early, in order.
    pub stop: &'a AtomicBool,
    /// Where a list of inputs named `-` is read.
    pub stdin: &'a mut dyn BufRead,
    /// What stands beside the output, for whoever must end the process at once.
    pub unfinished: &'a Mutex<Unfinished>,
    /// The program that child processes are, for `isolate`: it runs [`crate::run::serve`] and nothing else.
    pub child: Option<Program>,
    /// The command as it was typed, for the report.
    pub command: Vec<String>,
}

/// A job that is decided to the last number and has written nothing.
pub struct Prepared {
    /// What is made.
    pub mosaic: Mosaic,
    /// How it is stored.
    pub encoding: Encoding,
    /// How the work is cut, and its budget.
    pub plan: Plan,
    /// The windows that have something to do.
    pub jobs: Jobs,
    /// Which sources touch which window.
    pub touching: Touching,
    /// The names of the sources, in the order given.
    pub used: Vec<String>,
    /// What was decided without sources that were left out while the job ran.
    pub lacking: Vec<Lacking>,
    /// Inputs left out, and why.
    pub skipped: Vec<Problem>,
    /// What should be known.
    pub warnings: Vec<String>,
    /// Bytes that child processes had in memory together, at most.
    children_peak: u64,
    seconds: Vec<Seconds>,
}

/// Makes the mosaic.
///
/// # Errors
/// A [`Failure`]; whatever it is, under the output's name there is what was there before.
pub fn build(settings: &Settings, hooks: &mut Hooks) -> Result<Report, Failure> {
    let ceiling =
        (settings.memory_ceiling.bytes(settings.memory), settings.memory_ceiling == MemoryCeiling::Auto);
    let (built, exhausted) = memory::watched(ceiling, hooks.stop, |watch| {
        let prepared = prepare(settings, hooks)?;
        watch.plan(&prepared.plan.lines);
        write::write(settings, prepared, hooks)
    });
    match exhausted {
        Some(exhausted) => built.map_err(|failure| failure.for_memory(exhausted)),
        None => built,
    }
}

/// Makes the mosaic without hooks: nobody hears of its progress, nothing stops it, and a list on stdin is empty.
///
/// # Errors
/// As [`build`].
pub fn build_simply(settings: &Settings) -> Result<Report, Failure> {
    let mut hooks = Hooks {
        progress: &Silent,
        stop: &AtomicBool::new(false),
        stdin: &mut io::empty(),
        unfinished: &Mutex::default(),
        child: None,
        command: Vec::new(),
    };
    build(settings, &mut hooks)
}

/// Decides everything and writes nothing: looks at the inputs, makes one mosaic of them, plans the work.
///
/// # Errors
/// Everything that stands in the way, at once.
pub fn prepare(settings: &Settings, hooks: &mut Hooks) -> Result<Prepared, Failure> {
    let started = Instant::now();
    check(settings)?;
    memory::prepare_heap();
    crate::source::prepare_gdal(4 << 20)?;
    hooks.progress.stage("inspect");
    let program = hooks.child.clone();
    let inspector = children::inspector(settings, program.as_ref(), settings.trust(hooks.stop))?;
    let inspects = inspector.as_ref().map(|inspector| inspector as &dyn Inspector);
    let trust = Trust { inspector: inspects, ..settings.trust(hooks.stop) };
    let gathered = gather::gather(settings, trust, hooks)?;
    let (children_peak, of_child) =
        inspector.map_or((0, 0), |children| (children.peak(), children.greatest()));
    let inspected = Instant::now();
    hooks.progress.stage("plan");
    let encoding = Encoding::of(settings, &gathered.mosaic)?;
    memory::trim_heap();
    let (plan, touching, jobs) = needs::plan(settings, &gathered.mosaic, &encoding, of_child)?;
    crate::source::prepare_gdal(plan.cache_bytes)?;
    if hooks.stop.load(Ordering::Relaxed) {
        return Err(Failure::Interrupted);
    }
    let seconds = vec![
        Seconds { stage: "inspect", seconds: (inspected - started).as_secs_f64() },
        Seconds { stage: "plan", seconds: inspected.elapsed().as_secs_f64() },
    ];
    let gather::Gathered { mosaic, used, skipped, mut warnings } = gathered;
    warnings.extend(encoding.note(settings));
    Ok(Prepared {
        mosaic,
        encoding,
        plan,
        jobs,
        touching,
        used,
        skipped,
        warnings,
        lacking: Vec::new(),
        children_peak,
        seconds,
    })
}

/// Refuses settings that have no meaning. The command line has done so before, and named where each came from.
fn check(settings: &Settings) -> Result<(), Failure> {
    let of = |(key, problem): (&str, config::Problem)| Problem {
        source: key.into(),
        message: problem.message,
        hint: problem.hint,
    };
    let problems: Vec<Problem> = settings.problems().into_iter().map(of).collect();
    if problems.is_empty() { Ok(()) } else { Err(Failure::Problems(problems)) }
}
