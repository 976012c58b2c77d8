//! The flags of `inspect`.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use mosaic_stream::config::Key;

use super::arguments::{INPUTS_HELP, flag, words_of};

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

/// What was typed.
pub fn read(inspect: &ArgMatches) -> Inspect {
    Inspect {
        inputs: inspect.get_many("file").into_iter().flatten().cloned().collect(),
        json: inspect.get_flag("json"),
        allow_remote: inspect.get_flag("allow-remote"),
        allow_roots: words_of(inspect, "allow-root").map(PathBuf::from).collect(),
    }
}

/// The subcommand.
pub fn command() -> Command {
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
