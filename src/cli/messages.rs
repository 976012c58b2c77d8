//! What is printed: data on stdout, messages on stderr; and the exit codes.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{ExitCode, Termination};

use anyhow::{Context, Result};
use mosaic_stream::config::{Origin, Problem, Setting};
use mosaic_stream::mosaic::Failure;
use mosaic_stream::output::{end_of_links, folder_of};
use mosaic_stream::run::report::Report;
use mosaic_stream::run::verify::product::{Examined, Fault};

use super::grouped::grouped;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "the codes are one documented list, wherever they are used")]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The job failed; there is no output, unless the message says so.
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

/// Prints why there is no output, and gives the exit code that says so.
pub fn print_failure(failure: &Failure) -> Exit {
    match failure {
        Failure::Problems(problems) => {
            let as_text = |problem: &mosaic_stream::source::Problem| Problem {
                message: format!("{}: {}", problem.source, problem.message),
                hint: problem.hint.clone(),
            };
            print_problems(&problems.iter().map(as_text).collect::<Vec<_>>());
        }
        Failure::TooLittleMemory { least, .. } => {
            let mebibytes = least.div_ceil(1 << 20);
            let hint = format!("--memory {mebibytes}MiB is enough; a smaller --chunk or --block needs less");
            print_problems(&[Problem::new(failure.to_string()).hint(hint)]);
        }
        Failure::Faults(report) => {
            let faults = report.faults();
            let of = |fault: &String| Problem::new(format!("the written file is wrong: {fault}"));
            print_problems(&faults.iter().map(of).collect::<Vec<_>>());
            print_notice("the file was removed; what stood under the output's name before is untouched");
            return Exit::Faults;
        }
        Failure::Interrupted => {
            write_line(&mut io::stderr().lock(), "error", "interrupted; nothing was written");
            return Exit::Interrupted;
        }
        Failure::Exhausted(exhausted) => {
            let hint = "a smaller --memory plans with less; --memory-ceiling allows more";
            print_problems(&[Problem::new(exhausted.to_string()).hint(hint)]);
            return Exit::MemoryExhausted;
        }
        Failure::Kept(failure, part) => {
            let exit = match **failure {
                Failure::Interrupted => {
                    write_line(&mut io::stderr().lock(), "error", "interrupted");
                    Exit::Interrupted
                }
                _ => print_failure(failure),
            };
            print_notice(&format!(
                "what was made is kept in {}: the same command with --resume goes on with it, mosaic-stream clean \
                 removes it",
                part.display()
            ));
            return exit;
        }
        Failure::Error(error) => print_error(error),
    }
    Exit::Failed
}

/// Prints what is wrong with a file that was verified, and what should be known beside that.
pub fn print_faults(examined: &Examined) {
    const SHOWN: usize = 20;
    examined.notes.iter().for_each(|note| print_notice(note));
    let of = |fault: &Fault| Problem::new(format!("{}: {}", fault.place, fault.message)).hint(fault.hint);
    print_problems(&examined.faults.iter().take(SHOWN).map(of).collect::<Vec<_>>());
    if examined.fault_count > SHOWN as u64 {
        let left = examined.fault_count - SHOWN as u64;
        print_notice(&format!("{left} more faults (--json lists the first thousand)"));
    }
}

/// Writes the report as JSON: a file under a name of its own at first, so that an old report stays until the new one is
/// whole; into a device or a pipe as it is.
///
/// # Errors
/// When the file cannot be written; the message names it.
pub fn write_report(file: &Path, report: &Report) -> Result<()> {
    // Piece by piece: the checksums of a large file's blocks need not be in memory twice.
    let write = |to: &File| -> io::Result<()> {
        let mut out = BufWriter::new(to);
        serde_json::to_writer_pretty(&mut out, report)?;
        out.write_all(b"\n")?;
        out.flush()
    };
    let replace = |file: &Path| -> io::Result<()> {
        let mut beside = tempfile::Builder::new();
        beside.prefix(".report.").permissions(Permissions::from_mode(0o666));
        let new = beside.tempfile_in(folder_of(file))?;
        write(new.as_file())?;
        new.persist(file)?;
        Ok(())
    };
    // They lead to a file where a shell has opened one, and that very file is to be written.
    let opened = ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"].iter().any(|name| file.starts_with(name));
    let replaced = !opened && file.metadata().map_or(true, |there| there.is_file());
    let written = match replaced {
        true => replace(&end_of_links(file)),
        false => File::create(file).and_then(|opened| write(&opened)),
    };
    written.with_context(|| format!("write the report {}", file.display()))
}

/// Prints what was done, and what should be known about it.
pub fn print_result(report: &Report, verbose: bool) {
    for problem in &report.inputs.skipped {
        print_notice(&format!("left out: {}: {}", problem.source, problem.message));
    }
    print_warnings(&report.warnings, verbose);
    let seconds: f64 =
        report.seconds.iter().filter(|s| !IN_WORKERS.contains(&s.stage)).map(|s| s.seconds).sum();
    let grid = &report.grid;
    let line = format!(
        "{}: {}x{}, {} bands of {}, {} in {seconds:.1} s; peak memory {} of {}",
        report.output,
        grid.columns,
        grid.rows,
        grid.bands,
        grid.data_type,
        size_text(report.bytes.file),
        size_text(report.budget.measured_peak),
        size_text(report.budget.limit)
    );
    write_line(&mut io::stderr().lock(), "done", &line);
}

/// Prints what should be known although nothing failed: the first of it, or with `verbose` each word.
fn print_warnings(warnings: &[String], verbose: bool) {
    const SHOWN: usize = 10;
    let told = if verbose { warnings.to_vec() } else { grouped(warnings) };
    let shown = if verbose { told.len() } else { SHOWN };
    let mut out = io::stderr().lock();
    told.iter().take(shown).for_each(|warning| write_line(&mut out, "warning", warning));
    if told.len() > shown {
        write_line(
            &mut out,
            "note",
            &format!("{} more warnings (-v or --report list them)", told.len() - shown),
        );
    }
}

/// Stages whose seconds are sums over the workers.
const IN_WORKERS: [&str; 4] = ["read", "composite", "encode", "overviews"];

/// Bytes as a person reads them.
pub fn size_text(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        1_048_576..10_737_418_240 => format!("{} MiB", bytes.div_ceil(1 << 20)),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
    }
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
