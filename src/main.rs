//! The command line's entry point.

mod cli;

use cli::arguments::{self, Request};
use cli::messages::{self, Exit};
use mosaic_stream::config;

fn main() -> Exit {
    let typed = match arguments::parse() {
        Request::Job(typed) => typed,
        Request::Completions(shell) => return told(&arguments::completions(shell)),
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
    let progress = cli::progress::for_session(&session);
    // TO WIRE: the next line becomes mosaic::build(&settings, &session, progress.as_ref()) and its exit code.
    let outcome: anyhow::Result<Exit> = std::hint::black_box(Err(anyhow::anyhow!("{:?}", settings.output)));
    drop(progress);
    outcome.unwrap_or_else(|error| {
        messages::print_error(&error);
        Exit::Failed
    })
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
