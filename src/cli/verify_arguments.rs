//! The flags of `verify`, and how those of a report's command and those typed beside it go together.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use mosaic_stream::config::{KEYS, Typed};

use super::arguments::{self, NAME, Request, config, flag, words};

/// Settings that say nothing of what a mosaic's pixels are.
const OF_THE_JOB_ALONE: [&str; 10] = [
    "output",
    "overwrite",
    "report",
    "verify",
    "resume",
    "checkpoint",
    "dry-run",
    "progress",
    "quiet",
    "verbose",
];

/// What `verify` is asked for.
pub struct Verify {
    /// The file.
    pub file: PathBuf,
    /// The report of its job.
    pub report: Option<PathBuf>,
    /// The inputs and flags to decide its pixels by; none where that is not asked for.
    pub against: Option<Typed>,
    /// Whether programs read the answer.
    pub json: bool,
}

/// The inputs and flags of a job's command as a report records it, those that are typed beside it going before.
///
/// # Errors
/// What is wrong with the command.
pub fn typed_again(command_words: &[String], typed: Typed) -> Result<Typed, String> {
    let matches =
        arguments::command().try_get_matches_from(command_words).map_err(|error| error.to_string())?;
    let Request::Job(recorded) = arguments::read(matches) else { return Err("it is no job's".into()) };
    let mut flags = typed.flags;
    for (name, words) in recorded.flags {
        if !flags.iter().any(|(known, _)| *known == name) && !OF_THE_JOB_ALONE.contains(&name) {
            flags.push((name, words));
        }
    }
    let inputs = if typed.inputs.is_empty() { recorded.inputs } else { typed.inputs };
    Ok(Typed { inputs, flags, config: typed.config.or(recorded.config) })
}

/// What was typed.
pub fn read(verify: &ArgMatches) -> Verify {
    let against = verify.contains_id("against").then(|| {
        let inputs = verify.get_many::<OsString>("against").into_iter().flatten().cloned().collect();
        let keys = KEYS.iter().filter(|key| !OF_THE_JOB_ALONE.contains(&key.name));
        let flags = keys.filter_map(|key| Some((key.name, words(verify, key)?))).collect();
        Typed { inputs, flags, config: verify.get_one("config").cloned() }
    });
    Verify {
        file: verify.get_one::<PathBuf>("file").cloned().expect("the file is a required argument"),
        report: verify.get_one("report").cloned(),
        against,
        json: verify.get_flag("json"),
    }
}

/// The subcommand.
pub fn command() -> Command {
    let path = |arg: Arg| arg.value_hint(ValueHint::FilePath).value_parser(value_parser!(PathBuf));
    let file =
        path(Arg::new("file").value_name("FILE").required(true)).help("A GeoTIFF that a job has written");
    let report = path(Arg::new("report").long("report").value_name("REPORT"))
        .help("The report of the file's job: its SHA-256 and a checksum for each block are compared");
    let against = Arg::new("against")
        .long("against")
        .value_name("INPUT")
        .help(
            "Decide all pixels anew of these inputs, by the flags of the report's command and those given here; \
             without INPUT of those that the command names",
        )
        .num_args(0..)
        .value_hint(ValueHint::AnyPath)
        .value_parser(value_parser!(OsString));
    let json = Arg::new("json").long("json").help("Print an object").action(ArgAction::SetTrue);
    let keys = KEYS.iter().filter(|key| !OF_THE_JOB_ALONE.contains(&key.name));
    Command::new("verify")
        .about("Tell whether a file is sound: its structure, its blocks, and against its report or inputs all of it")
        .override_usage(format!("{NAME} verify [--json] [--report REPORT] <FILE> [--against [<INPUT>...] [job's flags]]"))
        .after_help("Exit codes: 0 sound, 3 faults found, 1 cannot be read, 2 wrong usage.")
        .args([file, report, against, json])
        .args(keys.map(|key| flag(key).requires("against")))
        .arg(config().requires("against"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verify_takes_the_reports_command_and_flags_of_its_own_before_it() {
        let verify =
            |words: &[&str]| read(&command().try_get_matches_from([&["verify"], words].concat()).unwrap());
        assert!(verify(&["out.tif", "--report", "r.json"]).against.is_none());
        let asked = verify(&["out.tif", "--against", "--method", "min"]).against.unwrap();
        assert!(asked.inputs.is_empty());
        let words = [NAME, "a.tif", "-o", "o.tif", "--report", "r.json", "--method", "max", "--block", "64"];
        let typed = typed_again(&words.map(String::from), asked).unwrap();
        let flag_words = |typed: &Typed, name: &str| {
            let found = typed.flags.iter().find(|(key, _)| *key == name);
            found.map(|(_, words)| words.clone()).unwrap_or_default()
        };
        assert_eq!(typed.inputs, ["a.tif"]);
        assert_eq!(
            (flag_words(&typed, "method"), flag_words(&typed, "block")),
            (vec!["min".into()], vec!["64".into()])
        );
        assert!(flag_words(&typed, "output").is_empty() && flag_words(&typed, "report").is_empty());
        assert!(typed_again(&[NAME, "inspect", "a.tif"].map(String::from), typed).is_err());
    }
}
