//! The command line's entry point.

mod cli;

use std::io::{self, BufReader};
use std::path::PathBuf;

use anyhow::Context;
use cli::arguments::{self, Request};
use cli::inspect_arguments::Inspect;
use cli::messages::{self, Exit};
use cli::signals::Signals;
use cli::verify_arguments::{self, Verify};
use cli::{inspect_text, plan_text, verify_text};
use mosaic_stream::config::{self, Session, Settings};
use mosaic_stream::mosaic::{self, Failure, Hooks};
use mosaic_stream::output;
use mosaic_stream::run::progress::Silent;
use mosaic_stream::run::serve;
use mosaic_stream::run::verify::product::Recorded;
use mosaic_stream::source::{self, Problem, Trust, inspection, names};

fn main() -> Exit {
    if arguments::is_child() {
        return serve().map_or_else(
            |error| {
                messages::print_error(&error);
                Exit::Failed
            },
            |()| Exit::Done,
        );
    }
    let typed = match arguments::parse() {
        Request::Job(typed) => typed,
        Request::Completions(shell) => return told(&arguments::completions(shell)),
        Request::Clean(outputs) => {
            return clean(&outputs).unwrap_or_else(|failure| messages::print_failure(&failure));
        }
        Request::Inspect(asked) => {
            return inspect(&asked).unwrap_or_else(|failure| messages::print_failure(&failure));
        }
        Request::Verify(asked) => {
            return verify(asked).unwrap_or_else(|failure| messages::print_failure(&failure));
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
        child: arguments::child_program(),
        command: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
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
    let written = match (&settings.report, told) {
        (Some(file), Some(report)) => messages::write_report(file, report),
        _ => Ok(()),
    };
    let report = match built {
        Ok(report) => report,
        Err(failure) => {
            written.unwrap_or_else(|error| messages::print_error(&error));
            return Err(failure);
        }
    };
    if !session.quiet {
        messages::print_result(&report, session.verbose);
    }
    // Told last: the output is there all the same.
    written.with_context(|| {
        format!("{} is whole and has its name, only its report is missing", report.output)
    })?;
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
        let trust = Trust { remote: asked.allow_remote, roots: &asked.allow_roots, ..Trust::default() };
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

/// Removes what runs that ended early left, and says what that was.
fn clean(outputs: &[PathBuf]) -> Result<Exit, Failure> {
    for path in outputs {
        let removed = output::clean(path)?;
        if removed.is_empty() {
            messages::print_notice(&format!("nothing is left of {}", path.display()));
        }
        removed.iter().for_each(|part| messages::print_notice(&format!("removed {}", part.display())));
    }
    Ok(Exit::Done)
}

/// Tells whether a file is sound: on stdout what was looked at, on stderr what is wrong.
fn verify(asked: Verify) -> Result<Exit, Failure> {
    let recorded = asked.report.as_deref().map(Recorded::read).transpose()?;
    let as_recorded = asked.against.as_ref().is_some_and(|typed| typed.inputs.is_empty());
    let typed = match (asked.against, &recorded) {
        (Some(typed), Some(recorded)) if !recorded.command.is_empty() => {
            Some(verify_arguments::typed_again(&recorded.command, typed).map_err(|error| {
                anyhow::anyhow!("the command in the report is not understood: {}", error.trim_end())
            })?)
        }
        (against, _) => against,
    };
    let mut settings = match typed.map(|typed| config::load(typed.for_output(&asked.file))).transpose() {
        Ok(loaded) => loaded.map(|(settings, _)| settings),
        Err(problems) => {
            messages::print_problems(&problems);
            return Ok(Exit::Usage);
        }
    };
    if let (true, Some(settings), Some(recorded)) = (as_recorded, &mut settings, &recorded) {
        mosaic::name_listed_inputs(settings, recorded)?;
    }
    let signals = Signals::catch()?;
    let mut hooks = Hooks {
        progress: &Silent,
        stop: &signals.stop,
        stdin: &mut BufReader::new(io::stdin()),
        unfinished: &signals.unfinished,
        child: arguments::child_program(),
        command: Vec::new(),
    };
    let examined = mosaic::verify(&asked.file, recorded.as_ref(), settings.as_ref(), &mut hooks)?;
    let text = match asked.json {
        true => serde_json::to_string_pretty(&examined).map_err(anyhow::Error::new)? + "\n",
        false => verify_text::describe(&examined),
    };
    let printed = told(text.as_bytes());
    messages::print_faults(&examined);
    Ok(if examined.fault_count > 0 { Exit::Faults } else { printed })
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
