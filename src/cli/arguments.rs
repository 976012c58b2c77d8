//! Flags and their help, made from the table of settings. What the texts mean is decided by `config`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use clap_complete::Shell;
use mosaic_stream::config::{KEYS, Key, Kind, Typed};
use mosaic_stream::run::Program;

use super::examples;
use super::inspect_arguments::{self, Inspect};
use super::verify_arguments::{self, Verify};

pub(super) const NAME: &str = env!("CARGO_PKG_NAME");

pub(super) const INPUTS_HELP: &str = "Raster files, folders (every raster inside), quoted globs, @list.txt (one a line), - (a list \
     on stdin), or anything that GDAL opens by name (/vsizip/…, https://…, s3://…)";

/// What tells a process that it is a child of another one, for no person to type: the only argument.
const CHILD: &str = "--child-process";

/// Whether this process is a child that reads and decides for another one.
pub fn is_child() -> bool {
    std::env::args_os().skip(1).eq([CHILD])
}

/// What such a child is started as: this very program.
pub fn child_program() -> Option<Program> {
    let path = std::env::current_exe().ok()?;
    Some(Program { path, arguments: vec![CHILD.into()] })
}

/// Settings whose values may begin with a hyphen without being a plain number (`-inf`, `-10,40,5,50`, `-date`, `-B04`).
const HYPHENATED: [&str; 8] =
    ["nodata", "src-nodata", "bounds", "resolution", "mask-values", "keep-values", "order", "expr"];

/// What the command line asks for.
pub enum Request {
    /// A job.
    Job(Typed),
    /// A shell's completions.
    Completions(Shell),
    /// How rasters are stored.
    Inspect(Inspect),
    /// To remove what unfinished runs left of these outputs.
    Clean(Vec<PathBuf>),
    /// Whether a file is sound.
    Verify(Verify),
}

/// Reads the command line. Wrong usage, `--help` and `--version` end the process here, with exit code 2 or 0.
pub fn parse() -> Request {
    read(command().get_matches())
}

/// A shell's completions.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), NAME, &mut script);
    script
}

pub(super) fn read(mut matches: ArgMatches) -> Request {
    if let Some(("completions", completions)) = matches.subcommand() {
        return Request::Completions(
            *completions.get_one("shell").expect("the shell is a required argument"),
        );
    }
    if let Some(("inspect", inspect)) = matches.subcommand() {
        return Request::Inspect(inspect_arguments::read(inspect));
    }
    if let Some(("clean", clean)) = matches.subcommand() {
        return Request::Clean(clean.get_many("output").into_iter().flatten().cloned().collect());
    }
    if let Some(("verify", verify)) = matches.subcommand() {
        return Request::Verify(verify_arguments::read(verify));
    }
    let inputs = matches.remove_many::<OsString>("input").into_iter().flatten().collect();
    let flags = KEYS.iter().filter_map(|key| Some((key.name, words(&matches, key)?))).collect();
    Request::Job(Typed { inputs, flags, config: matches.remove_one::<PathBuf>("config") })
}

pub(super) fn words_of(matches: &ArgMatches, name: &str) -> impl Iterator<Item = OsString> {
    matches.get_many::<OsString>(name).into_iter().flatten().cloned()
}

pub(super) fn words(matches: &ArgMatches, key: &Key) -> Option<Vec<OsString>> {
    match key.kind {
        Kind::Switch => matches.get_flag(key.name).then(|| vec!["true".into()]),
        Kind::Value | Kind::List | Kind::Formulas => {
            matches.contains_id(key.name).then(|| words_of(matches, key.name).collect())
        }
    }
}

pub(super) fn command() -> Command {
    let inputs = Arg::new("input")
        .value_name("INPUT")
        .help(INPUTS_HELP)
        .action(ArgAction::Append)
        .num_args(1..)
        .value_hint(ValueHint::AnyPath)
        .value_parser(value_parser!(OsString));
    let shell = Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell));
    let completions = Command::new("completions").about("Print the completions of a shell").arg(shell);
    let usage = format!(
        "{NAME} [OPTIONS] <INPUT>... -o <OUTPUT>\n       {NAME} inspect [OPTIONS] <FILE>...\n       \
         {NAME} verify [OPTIONS] <FILE> [--against [<INPUT>...]]\n       {NAME} clean <OUTPUT>...\n       \
         {NAME} completions <SHELL>"
    );
    Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .override_usage(usage)
        .max_term_width(110)
        .args_conflicts_with_subcommands(true)
        .disable_help_subcommand(true)
        .subcommand(inspect_arguments::command())
        .subcommand(clean())
        .subcommand(verify_arguments::command())
        .subcommand(completions)
        .arg(inputs)
        .args(KEYS.iter().map(flag))
        .arg(config())
        .after_help(examples::EXAMPLES)
}

pub(super) fn config() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("FILE")
        .help("Read settings from this TOML file [default: mosaic-stream.toml in the working folder]")
        .value_hint(ValueHint::FilePath)
        .value_parser(value_parser!(PathBuf))
}

fn clean() -> Command {
    let outputs = Arg::new("output")
        .value_name("OUTPUT")
        .help("The files that the runs were to make")
        .required(true)
        .num_args(1..)
        .value_hint(ValueHint::FilePath)
        .value_parser(value_parser!(PathBuf));
    Command::new("clean").about("Remove what runs that ended early left beside their outputs").arg(outputs)
}

pub(super) fn flag(key: &'static Key) -> Arg {
    let arg =
        Arg::new(key.name).long(key.name).short(key.short).help(key.help).help_heading(key.group.title());
    let taking_words = |arg: Arg| {
        let hint = if key.placeholder == "FILE" { ValueHint::FilePath } else { ValueHint::Other };
        // -9999 is a nodata, -10,40,5,50 are bounds.
        let arg = arg.allow_negative_numbers(true).allow_hyphen_values(HYPHENATED.contains(&key.name));
        arg.value_name(key.placeholder).value_parser(Words(key)).value_hint(hint)
    };
    match key.kind {
        Kind::Switch => arg.overrides_with(key.name).action(ArgAction::SetTrue),
        Kind::List | Kind::Formulas => taking_words(arg).action(ArgAction::Append),
        Kind::Value => taking_words(arg).action(ArgAction::Set),
    }
}

/// Takes any word, and lists the names of a setting that has a fixed list of them for help and completions.
/// Whether the word is one of them is decided where file and environment are, too.
#[derive(Clone)]
struct Words(&'static Key);

impl TypedValueParser for Words {
    type Value = OsString;

    fn parse_ref(&self, _: &Command, _: Option<&Arg>, word: &OsStr) -> Result<OsString, clap::Error> {
        Ok(word.to_owned())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let choices = (self.0.choices)();
        (!choices.is_empty()).then(|| Box::new(choices.into_iter().map(PossibleValue::new)) as Box<_>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &[&str]) -> Typed {
        match read(command().try_get_matches_from([&[NAME], words].concat()).unwrap()) {
            Request::Job(typed) => typed,
            _ => panic!("a job was asked for"),
        }
    }

    fn flag_words(typed: &Typed, name: &str) -> Vec<OsString> {
        typed.flags.iter().find(|(key, _)| *key == name).map(|(_, words)| words.clone()).unwrap_or_default()
    }

    #[test]
    fn a_formula_may_begin_with_a_sign() {
        let typed = typed(&["a.tif", "-o", "b.tif", "--expr", "-B04", "--threads", "2"]);
        assert_eq!(
            (flag_words(&typed, "expr"), flag_words(&typed, "threads")),
            (vec!["-B04".into()], vec!["2".into()])
        );
    }

    #[test]
    fn the_command_is_well_made() {
        command().debug_assert();
    }

    #[test]
    fn values_may_start_with_a_hyphen() {
        let words =
            ["a.tif", "-o", "out.tif", "--nodata", "-9999", "--bounds", "-10,40,5,50", "--src-nodata", "nan"];
        let typed = typed(&words);
        assert_eq!(typed.inputs, ["a.tif"]);
        assert_eq!(flag_words(&typed, "nodata"), ["-9999"]);
        assert_eq!(flag_words(&typed, "bounds"), ["-10,40,5,50"]);
        assert_eq!(flag_words(&typed, "src-nodata"), ["nan"]);
    }

    #[test]
    fn orders_and_values_of_masks_may_start_with_a_hyphen() {
        let typed = typed(&["a.tif", "--order", "-date", "--mask-values", "-1,3", "--keep-values", "-5--1"]);
        assert_eq!(flag_words(&typed, "order"), ["-date"]);
        assert_eq!(flag_words(&typed, "mask-values"), ["-1,3"]);
        assert_eq!(flag_words(&typed, "keep-values"), ["-5--1"]);
    }

    #[test]
    fn formulas_and_parameters_of_methods_are_taken_whole() {
        let words =
            ["a.tif", "--method", "best:max:B08 - B04", "--expr", "low=min(B02, B03)", "--expr", "b=B04"];
        let typed = typed(&words);
        assert_eq!(flag_words(&typed, "method"), ["best:max:B08 - B04"]);
        assert_eq!(flag_words(&typed, "expr"), ["low=min(B02, B03)", "b=B04"]);
    }

    #[test]
    fn inputs_may_stand_anywhere_and_be_stdin() {
        let typed = typed(&["-c", "1024", "-", "--overwrite", "b.tif", "-q", "-oout.tif", "--", "-odd.tif"]);
        assert_eq!(typed.inputs, ["-", "b.tif", "-odd.tif"]);
        assert_eq!(flag_words(&typed, "chunk"), ["1024"]);
        assert_eq!(flag_words(&typed, "output"), ["out.tif"]);
        assert_eq!(flag_words(&typed, "overwrite"), ["true"]);
        assert!(flag_words(&typed, "verbose").is_empty());
    }

    #[test]
    fn lists_may_be_repeated_and_single_values_not() {
        let many = typed(&["a.tif", "--co", "BIGTIFF=YES", "--co", "ZLEVEL=9", "-v", "-v"]);
        assert_eq!(flag_words(&many, "co"), ["BIGTIFF=YES", "ZLEVEL=9"]);
        assert!(command().try_get_matches_from([NAME, "a.tif", "--memory", "1G", "--memory", "2G"]).is_err());
    }

    #[test]
    fn a_file_named_as_the_subcommand_can_be_reached() {
        assert_eq!(typed(&["./completions", "a.tif"]).inputs, ["./completions", "a.tif"]);
        assert_eq!(typed(&["a.tif", "completions"]).inputs, ["a.tif", "completions"]);
        assert_eq!(typed(&["--", "completions"]).inputs, ["completions"]);
        assert_eq!(typed(&["help"]).inputs, ["help"]);
        assert_eq!(typed(&["./inspect", "inspect"]).inputs, ["./inspect", "inspect"]);
        let matches = command().try_get_matches_from([NAME, "completions", "fish"]).unwrap();
        assert!(matches!(read(matches), Request::Completions(Shell::Fish)));
        let matches = command().try_get_matches_from([NAME, "inspect", "a.tif", "--json", "b"]).unwrap();
        let Request::Inspect(inspect) = read(matches) else { panic!("an inspection was asked for") };
        assert!(inspect.json && inspect.inputs == ["a.tif", "b"]);
        assert!(command().try_get_matches_from([NAME, "inspect"]).is_err());
    }
}
