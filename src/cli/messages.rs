//! What is printed: data on stdout, messages on stderr; and the exit codes.

use std::io::{self, Write};
use std::process::{ExitCode, Termination};

use mosaic_stream::config::{Origin, Problem, Setting};

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "the codes are one documented list, wherever they are used")]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The job failed; there is no output.
    Failed = 1,
    /// What was typed makes no sense.
    Usage = 2,
    /// Verification found faults.
    Faults = 3,
    /// Ctrl-C or SIGTERM.
    Interrupted = 130,
    /// The memory ceiling was reached.
    MemoryExhausted = 137,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

/// Prints problems, each with its hint; a hint that many share is printed once, after the last of them.
pub fn print_problems(problems: &[Problem]) {
    write_problems(&mut io::stderr().lock(), problems);
}

/// Prints an error with all its context on one line.
pub fn print_error(error: &anyhow::Error) {
    write_line(&mut io::stderr().lock(), "error", &format!("{error:#}"));
}

/// Prints what the user should know although nothing failed.
pub fn print_notice(text: &str) {
    write_line(&mut io::stderr().lock(), "note", text);
}

/// Prints data on stdout. A reader that has seen enough and closed its end is no error.
///
/// # Errors
/// Data that could not be written.
pub fn print_data(data: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(data).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Every setting on a line of its own: name, value, and where the value came from.
pub fn describe_settings(settings: &[Setting]) -> String {
    let width = |text: fn(&Setting) -> usize| settings.iter().map(text).max().unwrap_or(0);
    let (keys, values) =
        (width(|setting| setting.key.len()), width(|setting| setting.value.chars().count()).min(40));
    let line = |Setting { key, value, origin }: &Setting| {
        let place = if *origin == Origin::Default { "default".to_owned() } else { origin.place(key) };
        format!("  {key:keys$}  {value:values$}  {place}\n")
    };
    format!("settings\n{}", settings.iter().map(line).collect::<String>())
}

fn write_problems(out: &mut impl Write, problems: &[Problem]) {
    for (index, Problem { message, hint }) in problems.iter().enumerate() {
        write_line(out, "error", message);
        let told_later = problems[index + 1..].iter().any(|later| later.hint == *hint);
        if let Some(hint) = hint.as_ref().filter(|_| !told_later) {
            write_line(out, "hint", hint);
        }
    }
}

/// Writes `label: text`, the following lines of a longer text indented below it. A closed stderr is no reason to
/// fail.
fn write_line(out: &mut impl Write, label: &str, text: &str) {
    let _ = writeln!(out, "{label}: {}", text.trim_end().replace('\n', "\n    "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_listed_with_value_and_origin() {
        let setting = |key, value: &str, origin| Setting { key, value: value.into(), origin };
        let settings = [setting("memory", "1 GiB", Origin::Environment), setting("crs", "", Origin::Default)];
        let text = describe_settings(&settings);
        assert_eq!(text, "settings\n  memory  1 GiB  MOSAIC_STREAM_MEMORY\n  crs            default\n");
    }

    #[test]
    fn many_problems_are_printed_each_with_its_hint_and_a_shared_hint_once() {
        let problems = [
            Problem::new("a is wrong").hint("do this"),
            Problem::new("b is wrong\non two lines").hint("do this"),
            Problem::new("c is wrong"),
        ];
        let mut out = Vec::new();
        write_problems(&mut out, &problems);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "error: a is wrong\nerror: b is wrong\n    on two lines\nhint: do this\nerror: c is wrong\n"
        );
    }
}
