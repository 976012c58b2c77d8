//! The command line's entry point.

mod cli;

use std::io::{self, BufReader};

use cli::arguments::{self, Inspect, Request};
use cli::messages::{self, Exit};
use cli::signals::Signals;
use cli::{inspect_text, plan_text};
use mosaic_stream::config::{self, Session, Settings};
use mosaic_stream::mosaic::{self, Failure, Hooks};
use mosaic_stream::source::{self, Problem, Trust, inspection, names};

fn main() -> Exit {
    let typed = match arguments::parse() {
        Request::Job(typed) => typed,
        Request::Completions(shell) => return told(&arguments::completions(shell)),
        Request::Inspect(asked) => {
            return inspect(&asked).unwrap_or_else(|failure| messages::print_failure(&failure));
        }
    };
    let (settings, session) = match config::load(typed) {
        Ok(loaded) => loaded,
        Err(problems) => {
            messages::print_problems(&problems);
            return Exit::Usage;
        }
    };
    if !session.quiet {
        session.notices.iter().for_each(|notice| messages::print_notice(notice));
    }
    if session.dry_run && session.verbose {
        told(messages::describe_settings(&session.settings).as_bytes());
    }
    run(&settings, &session).unwrap_or_else(|failure| messages::print_failure(&failure))
}

/// Does the job, or with `--dry-run` says what it would be.
fn run(settings: &Settings, session: &Session) -> Result<Exit, Failure> {
    let signals = Signals::catch()?;
    let progress = cli::progress::for_session(session);
    let mut hooks = Hooks {
        progress: progress.as_ref(),
        stop: &signals.stop,
        stdin: &mut BufReader::new(io::stdin()),
        unfinished: &signals.unfinished,
        command: std::env::args().collect(),
    };
    if session.dry_run {
        let prepared = mosaic::prepare(settings, &mut hooks)?;
        drop(progress);
        return Ok(told(plan_text::describe(&prepared, session.verbose).as_bytes()));
    }
    let built = mosaic::build(settings, &mut hooks);
    drop(progress);
    let told = match &built {
        Ok(report) => Some(report),
        Err(Failure::Faults(report)) => Some(&**report),
        Err(_) => None,
    };
    if let (Some(file), Some(report)) = (&settings.report, told) {
        messages::write_report(file, report)?;
    }
    let report = built?;
    if !session.quiet {
        messages::print_result(&report, session.verbose);
    }
    Ok(Exit::Done)
}

/// Tells how rasters are stored: all that can be told, and then everything that is wrong with the others.
fn inspect(asked: &Inspect) -> Result<Exit, Failure> {
    source::prepare_gdal(4 << 20)?;
    let expanded = names::expand(&asked.inputs, io::stdin().lock());
    expanded.notices.iter().for_each(|notice| messages::print_notice(notice));
    let mut problems: Vec<_> =
        expanded.problems.into_iter().map(|problem| Problem::new(problem.input, problem.message)).collect();
    let mut inspections = Vec::new();
    for name in &expanded.names {
        let trust = Trust { remote: asked.allow_remote, roots: &asked.allow_roots };
        match inspection::look(name, trust) {
            Ok(inspection) => inspections.push(inspection),
            Err(problem) => problems.push(problem),
        }
    }
    let text = match asked.json {
        true => serde_json::to_string_pretty(&inspections).map_err(anyhow::Error::new)? + "\n",
        false => inspect_text::describe(&inspections),
    };
    let printed = told(text.as_bytes());
    if problems.is_empty() { Ok(printed) } else { Err(Failure::Problems(problems)) }
}

/// Prints data; the job is done when they are written.
fn told(data: &[u8]) -> Exit {
    messages::print_data(data).map_or_else(
        |error| {
            messages::print_error(&anyhow::Error::new(error).context("stdout"));
            Exit::Failed
        },
        |()| Exit::Done,
    )
}
