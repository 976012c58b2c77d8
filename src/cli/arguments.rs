//! Flags and their help, made from the table of settings. What the texts mean is decided by `config`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use clap_complete::Shell;
use mosaic_stream::config::{KEYS, Key, Kind, Typed};

const NAME: &str = env!("CARGO_PKG_NAME");

const INPUTS_HELP: &str = "Raster files, folders (every raster inside), quoted globs, @list.txt (one a line), - (a list \
     on stdin), or anything that GDAL opens by name (/vsizip/…, https://…, s3://…)";

const EXAMPLES: &str = "\
Examples:
  Mosaic every scene of a folder, the last one on top:
    mosaic-stream scenes/ -o mosaic.tif

  Windows of 1024 pixels, at most 2 GiB of memory, ZSTD blocks:
    mosaic-stream *.tif -o mosaic.tif --chunk 1024 --memory 2GiB --compress zstd --co ZSTD_LEVEL=9

  The mean of overlaps, warped to one CRS and pixel size, cut to bounds:
    mosaic-stream 'tiles/**/*.jp2' -o mosaic.tif --method mean --crs EPSG:32633 \\
        --resolution 10 --bounds 300000,5790000,410000,5900000 --resampling bilinear

  Red, green and blue of a list of files on stdin, with nodata set right:
    find . -name '*.tif' | mosaic-stream - -o rgb.tif --bands 3,2,1 --src-nodata -9999 --nodata 0

  The median of a summer's clear pixels, by Sentinel-2's scene classification:
    mosaic-stream products/ -o summer.tif --bands B04,B03,B02 --method median --from 2024-06-01 --to 2024-08-31 \\
        --mask-band SCL --mask-values 0,1,3,8-11 --mask-buffer 60

  The greenest pixel of each place, its vegetation index, and the day it was seen:
    mosaic-stream products/ -o green.tif --method 'best:max:(B08-B04)/(B08+B04)' \\
        --expr 'ndvi=(B08-B04)/(B08+B04)' --date-band

  What would be done, and where each setting comes from:
    mosaic-stream scenes/ -o mosaic.tif --dry-run -v

  How rasters are stored, and in which order they are best read:
    mosaic-stream inspect scenes/

Every flag can also be set in the environment (MOSAIC_STREAM_MEMORY=4GiB, MOSAIC_STREAM_OVERWRITE=true) \
and in a TOML file (memory = \"4GiB\"); flags go before the environment, and that before the file.

A file whose name is that of a subcommand is reached as ./inspect, ./completions.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 verification found faults, 130 interrupted, 137 memory exhausted.";

/// Settings whose values may begin with a hyphen without being a plain number (`-inf`, `-10,40,5,50`, `-date`).
const HYPHENATED: [&str; 7] =
    ["nodata", "src-nodata", "bounds", "resolution", "mask-values", "keep-values", "order"];

/// What the command line asks for.
pub enum Request {
    /// A job.
    Job(Typed),
    /// A shell's completions.
    Completions(Shell),
    /// How rasters are stored.
    Inspect(Inspect),
}

/// What `inspect` is asked for.
pub struct Inspect {
    /// The rasters, named as the inputs of a job are.
    pub inputs: Vec<String>,
    /// Whether programs read the answer.
    pub json: bool,
    /// Whether the rasters may refer to the network and to names of GDAL's.
    pub allow_remote: bool,
    /// Folders whose files they may refer to, beside their own.
    pub allow_roots: Vec<PathBuf>,
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

fn read(mut matches: ArgMatches) -> Request {
    if let Some(("completions", completions)) = matches.subcommand() {
        return Request::Completions(
            *completions.get_one("shell").expect("the shell is a required argument"),
        );
    }
    if let Some(("inspect", inspect)) = matches.subcommand() {
        return Request::Inspect(Inspect {
            inputs: inspect.get_many("file").into_iter().flatten().cloned().collect(),
            json: inspect.get_flag("json"),
            allow_remote: inspect.get_flag("allow-remote"),
            allow_roots: words_of(inspect, "allow-root").map(PathBuf::from).collect(),
        });
    }
    let inputs = matches.remove_many::<OsString>("input").into_iter().flatten().collect();
    let flags = KEYS.iter().filter_map(|key| Some((key.name, words(&matches, key)?))).collect();
    Request::Job(Typed { inputs, flags, config: matches.remove_one::<PathBuf>("config") })
}

fn words_of(matches: &ArgMatches, name: &str) -> impl Iterator<Item = OsString> {
    matches.get_many::<OsString>(name).into_iter().flatten().cloned()
}

fn words(matches: &ArgMatches, key: &Key) -> Option<Vec<OsString>> {
    match key.kind {
        Kind::Switch => matches.get_flag(key.name).then(|| vec!["true".into()]),
        Kind::Value | Kind::List | Kind::Formulas => {
            matches.contains_id(key.name).then(|| words_of(matches, key.name).collect())
        }
    }
}

fn command() -> Command {
    let inputs = Arg::new("input")
        .value_name("INPUT")
        .help(INPUTS_HELP)
        .action(ArgAction::Append)
        .num_args(1..)
        .value_hint(ValueHint::AnyPath)
        .value_parser(value_parser!(OsString));
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .help("Read settings from this TOML file [default: mosaic-stream.toml in the working folder]")
        .value_hint(ValueHint::FilePath)
        .value_parser(value_parser!(PathBuf));
    let shell = Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell));
    let completions = Command::new("completions").about("Print the completions of a shell").arg(shell);
    let usage = format!(
        "{NAME} [OPTIONS] <INPUT>... -o <OUTPUT>\n       {NAME} inspect [OPTIONS] <FILE>...\n       {NAME} completions <SHELL>"
    );
    Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .override_usage(usage)
        .max_term_width(110)
        .args_conflicts_with_subcommands(true)
        .disable_help_subcommand(true)
        .subcommand(inspect())
        .subcommand(completions)
        .arg(inputs)
        .args(KEYS.iter().map(flag))
        .arg(config)
        .after_help(EXAMPLES)
}

fn inspect() -> Command {
    let files = Arg::new("file")
        .value_name("FILE")
        .help(INPUTS_HELP)
        .required(true)
        .num_args(1..)
        .value_hint(ValueHint::AnyPath)
        .value_parser(value_parser!(String));
    let json = Arg::new("json").long("json").help("Print an array of objects").action(ArgAction::SetTrue);
    Command::new("inspect")
        .about("Print how rasters are stored, the cache that their rows need, and the read order that suits them")
        .arg(json)
        .args(["allow-remote", "allow-root"].into_iter().filter_map(Key::find).map(flag))
        .arg(files)
}

fn flag(key: &'static Key) -> Arg {
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
