//! What was typed: texts by key, from the file, the environment and the flags.

#[cfg(test)]
mod tests;

use super::{Key, Kind, Problem};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use toml::Value;

/// The settings file that is read when the working folder has it.
pub const DEFAULT_FILE: &str = "mosaic-stream.toml";

/// What the environment's variables begin with: `MOSAIC_STREAM_MEMORY`.
pub const ENVIRONMENT_PREFIX: &str = "MOSAIC_STREAM_";

/// Where a value came from; a later one outranks an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody asked.
    Default,
    /// This settings file.
    File(PathBuf),
    /// A variable of the environment.
    Environment,
    /// A flag.
    Flag,
}

impl Origin {
    /// The place of a key's value, for messages: `--memory`, `MOSAIC_STREAM_MEMORY`, `memory in settings.toml`.
    pub fn place(&self, key: &str) -> String {
        match self {
            Origin::Default => format!("the default of --{key}"),
            Origin::File(path) => format!("{key} in {}", path.display()),
            Origin::Environment => variable(key),
            Origin::Flag => format!("--{key}"),
        }
    }
}

/// The name of a key's variable in the environment.
fn variable(key: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", key.to_ascii_uppercase().replace('-', "_"))
}

/// The texts of one origin by key. Lists are split; every other key has one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Where they stand.
    pub origin: Origin,
    /// The texts.
    pub values: BTreeMap<&'static str, Vec<String>>,
}

/// What the command line was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    /// The inputs.
    pub inputs: Vec<OsString>,
    /// The flags by key, every occurrence; a switch that is on has the word `true`.
    pub flags: Vec<(&'static str, Vec<OsString>)>,
    /// The settings file named by a flag.
    pub config: Option<PathBuf>,
}

impl Typed {
    /// The same, for a file that is there already.
    pub fn for_output(mut self, file: &Path) -> Typed {
        self.flags.retain(|(name, _)| *name != "output");
        self.flags.push(("output", vec![file.into()]));
        self
    }
}

impl Layer {
    /// A layer without any text.
    pub fn empty(origin: Origin) -> Layer {
        Layer { origin, values: BTreeMap::new() }
    }

    /// The layer of words typed for keys. Words that are no UTF-8 are added to `problems`.
    pub fn from_words(
        origin: Origin,
        words: impl IntoIterator<Item = (&'static Key, Vec<OsString>)>,
        problems: &mut Vec<Problem>,
    ) -> Layer {
        let mut layer = Layer::empty(origin);
        for (key, words) in words {
            for word in words {
                match word.into_string() {
                    Ok(text) => layer.values.entry(key.name).or_default().extend(split(key, &text)),
                    Err(word) => {
                        let place = layer.origin.place(key.name);
                        problems.push(Problem::new(format!("{place}: {word:?} is not UTF-8")));
                    }
                }
            }
        }
        layer
    }

    /// The layer of the environment's variables. An empty variable counts as not set; what begins with the prefix
    /// but is no setting is added to `notices`.
    pub fn from_environment(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        problems: &mut Vec<Problem>,
        notices: &mut Vec<String>,
    ) -> Layer {
        let mut words = Vec::new();
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with(ENVIRONMENT_PREFIX)) else {
                continue;
            };
            let key = name[ENVIRONMENT_PREFIX.len()..].to_ascii_lowercase().replace('_', "-");
            match Key::find(&key) {
                Some(known) if !value.is_empty() => words.push((known, vec![value])),
                Some(_) => {}
                None if key == "config" => {}
                None => notices
                    .push(format!("{name} in the environment is no setting{}", suggestion(&key, variable))),
            }
        }
        Layer::from_words(Origin::Environment, words, problems)
    }

    /// The layer of a settings file; without one asked for, of [`DEFAULT_FILE`] when it exists.
    ///
    /// What cannot be read or is unknown is added to `problems`; the rest is still returned.
    pub fn from_file(asked: Option<&Path>, problems: &mut Vec<Problem>) -> Layer {
        let path = asked.unwrap_or(Path::new(DEFAULT_FILE));
        match fs::read_to_string(path) {
            Ok(text) => return Layer::from_toml(&text, path, problems),
            Err(error) if asked.is_none() && error.kind() == ErrorKind::NotFound => {}
            Err(error) => problems.push(Problem::new(format!("settings file {}: {error}", path.display()))),
        }
        Layer::empty(Origin::File(path.to_owned()))
    }

    /// The layer of a settings file's text.
    pub fn from_toml(text: &str, path: &Path, problems: &mut Vec<Problem>) -> Layer {
        let mut layer = Layer::empty(Origin::File(path.to_owned()));
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let text = error.to_string();
                let lines: Vec<_> =
                    text.lines().filter(|line| !line.trim_matches([' ', '|']).is_empty()).collect();
                problems.push(Problem::new(format!(
                    "settings file {}: {}",
                    path.display(),
                    lines.join("; ")
                )));
                return layer;
            }
        };
        for (name, value) in table {
            let place = layer.origin.place(&name);
            let Some(key) = Key::find(&name.replace('_', "-")) else {
                problems.push(unknown_key(&name, &place));
                continue;
            };
            match texts(key, &value) {
                Err(problem) => problems.push(problem.at(&place)),
                Ok(_) if layer.values.contains_key(key.name) => {
                    problems.push(Problem::new("the key is given twice").at(&place));
                }
                Ok(texts) => drop(layer.values.insert(key.name, texts)),
            }
        }
        layer
    }
}

fn unknown_key(name: &str, place: &str) -> Problem {
    let known: Vec<_> = super::KEYS.iter().map(|key| key.name).collect();
    let hint = match Key::near(name).as_slice() {
        [] => format!("known keys are {}", known.join(", ")),
        near => format!("near it: {}", near.join(", ")),
    };
    Problem::new("unknown key").at(place).hint(hint)
}

/// `; did you mean …?` with the nearest key, where one is near.
fn suggestion(name: &str, write: impl Fn(&str) -> String) -> String {
    Key::near(name).first().map_or(String::new(), |near| format!("; did you mean {}?", write(near)))
}

/// The parts of a text, the empty ones left out; of a list without any other an empty text remains, to be refused.
fn split(key: &Key, text: &str) -> Vec<String> {
    let separator = match key.kind {
        Kind::List => ',',
        Kind::Formulas => ';',
        Kind::Value | Kind::Switch => return vec![text.to_owned()],
    };
    let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(str::to_owned).collect();
    if parts.is_empty() { vec![String::new()] } else { parts }
}

/// A file's value as the texts that the command line would give. An array's elements are taken whole: a band's
/// description may have a comma in it.
fn texts(key: &Key, value: &Value) -> Result<Vec<String>, Problem> {
    match (key.kind, value) {
        (Kind::List | Kind::Formulas, Value::Array(values)) => values.iter().map(scalar).collect(),
        (Kind::List | Kind::Formulas, Value::Table(table)) => {
            table.iter().map(|(name, value)| Ok(format!("{name}={}", scalar(value)?))).collect()
        }
        (Kind::Value, Value::Array(values)) => {
            Ok(vec![values.iter().map(scalar).collect::<Result<Vec<_>, _>>()?.join(",")])
        }
        _ => Ok(split(key, &scalar(value)?)),
    }
}

fn scalar(value: &Value) -> Result<String, Problem> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(if number.is_nan() { "nan".to_owned() } else { format!("{number:?}") }),
        Value::Boolean(value) => Ok(value.to_string()),
        Value::Datetime(day) => Ok(day.to_string()),
        other => Err(Problem::new(format!("a {} is no value here", other.type_str()))),
    }
}
