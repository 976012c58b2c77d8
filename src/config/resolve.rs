//! From texts to settings: one parser a key, one form of error that says where the value came from.

use super::asked::Asked;
use super::creation_options::MERGED;
use super::in_vain;
use super::meaning::{
    bounds, creation_option, named, number, overviews, path, predictor, resolution, switch, text, whole,
};
use super::{
    CreationOptions, DEFAULT_FILE, ENVIRONMENT_PREFIX, KEYS, Key, Layer, Machine, MemoryCeiling, MemorySize,
    Origin, Problem, ProgressMode, SceneSettings, Session, Settings, Typed,
};
use crate::output::is_same_file;
use std::cmp::Ordering;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Settings and session of a command line, with the environment, the settings file and the machine looked at.
///
/// # Errors
/// Every problem that can be found without looking at an input.
pub fn load(typed: Typed) -> Result<(Settings, Session), Vec<Problem>> {
    let (mut problems, mut notices) = (Vec::new(), Vec::new());
    let named_by_environment =
        env::var_os(format!("{ENVIRONMENT_PREFIX}CONFIG")).filter(|path| !path.is_empty());
    let config = typed.config.or(named_by_environment.map(Into::into));
    let file = Layer::from_file(config.as_deref(), &mut problems);
    let config = config.unwrap_or_else(|| DEFAULT_FILE.into());
    let environment = Layer::from_environment(env::vars_os(), &mut problems, &mut notices);
    let words = typed.flags.into_iter().filter_map(|(name, words)| Some((Key::find(name)?, words)));
    let flags = Layer::from_words(Origin::Flag, words, &mut problems);
    let inputs = typed.inputs.into_iter().map(|input| readable(input, &mut problems)).collect();
    match resolve(inputs, &[file, environment, flags], &Machine::look()) {
        Ok((settings, mut session)) if problems.is_empty() => {
            keep_settings_file(&config, &settings)?;
            session.notices.splice(0..0, notices);
            Ok((settings, session))
        }
        Ok(_) => Err(problems),
        Err(more) => Err(problems.into_iter().chain(more).collect()),
    }
}

/// The settings file must be neither the output nor the report, however it is spelled.
fn keep_settings_file(file: &Path, settings: &Settings) -> Result<(), Vec<Problem>> {
    let written = [("--output", Some(&settings.output)), ("--report", settings.report.as_ref())];
    let over = |path: &PathBuf| file.exists() && is_same_file(file, path);
    let over = written.into_iter().filter(|(_, path)| path.is_some_and(over));
    let problems: Vec<_> = over
        .map(|(flag, _)| {
            Problem::new(format!("{flag}: {} is the settings file", file.display())).hint("name another file")
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// An input's name; one that is no UTF-8 becomes a problem (GDAL's bindings would change it silently).
fn readable(input: OsString, problems: &mut Vec<Problem>) -> String {
    input.into_string().unwrap_or_else(|name| {
        problems.push(Problem::new(format!("input {name:?}: the name is not UTF-8")).hint("rename the file"));
        name.to_string_lossy().into_owned()
    })
}

/// Settings and session of layers, the strongest last.
///
/// # Errors
/// Every value that has no meaning or does not go with the others.
pub fn resolve(
    inputs: Vec<String>,
    layers: &[Layer],
    machine: &Machine,
) -> Result<(Settings, Session), Vec<Problem>> {
    let mut asked = Asked { layers, problems: Vec::new(), settings: Vec::new() };
    let mut settings = Settings { inputs, ..Settings::for_machine(machine) };
    take_output(&mut asked, &mut settings);
    take_grid(&mut asked, &mut settings);
    take_pixels(&mut asked, &mut settings);
    settings.scenes = SceneSettings::take(&mut asked);
    take_work(&mut asked, &mut settings, machine);
    let mut session = take_session(&mut asked);
    add_contradictions(&mut asked, &settings);
    in_vain::refuse(&mut asked, &settings);
    if !asked.problems.is_empty() {
        return Err(asked.problems);
    }
    session.notices.extend(settings.memory_notice(machine));
    session.settings = asked.settings;
    session.settings.sort_by_key(|setting| KEYS.iter().position(|key| key.name == setting.key));
    Ok((settings, session))
}

fn take_output(asked: &mut Asked, settings: &mut Settings) {
    if let Some(output) = asked.parsed("output", "", path) {
        settings.output = output;
    }
    asked.value("format", &mut settings.format, named);
    settings.overviews = asked.parsed("overviews", "none, with format cog auto", overviews);
    settings.overview_resampling = asked.parsed("overview-resampling", "by the bands", named);
    asked.value("overwrite", &mut settings.overwrite, switch);
    asked.value("compress", &mut settings.compression, named);
    settings.predictor = asked.parsed("predictor", "by type", predictor);
    asked.value("block", &mut settings.block, whole);
    let options = asked.parsed_list("co", "none", creation_option);
    match CreationOptions::parse(&options) {
        Err(problems) => {
            let place = asked.place("co");
            asked.problems.extend(problems.into_iter().map(|problem| problem.at(&place)));
        }
        Ok(parsed) => merge_creation_options(asked, settings, &parsed),
    }
    settings.creation_options =
        options.into_iter().filter(|(key, _)| !MERGED.contains(&key.as_str())).collect();
}

fn merge_creation_options(asked: &mut Asked, settings: &mut Settings, parsed: &CreationOptions) {
    if let Some(option) = parsed.compression {
        let merged = asked.merge("compress", option, Some(settings.compression));
        settings.compression = merged.unwrap_or(option);
    }
    if let Some(option) = parsed.block {
        settings.block = asked.merge("block", option, Some(settings.block)).unwrap_or(option);
    }
    if let Some(option) = parsed.predictor {
        settings.predictor = asked.merge("predictor", option, settings.predictor);
    }
}

fn take_grid(asked: &mut Asked, settings: &mut Settings) {
    settings.crs = asked.parsed("crs", "the sources'", text);
    if let Some(rule) = asked.parsed("resolution", "the sources', which must agree", resolution) {
        settings.resolution = rule;
    }
    settings.bounds = asked.parsed("bounds", "all sources", bounds);
    asked.value("align", &mut settings.align, switch);
    asked.value("resampling", &mut settings.resampling, named);
}

fn take_pixels(asked: &mut Asked, settings: &mut Settings) {
    asked.value("method", &mut settings.method, str::parse);
    settings.bands = asked.list("bands", "all");
    settings.dtype = asked.parsed("dtype", "by method and sources", str::parse);
    settings.src_nodata = asked.parsed("src-nodata", "each source's own", str::parse);
    settings.nodata = asked.parsed("nodata", "by sources", str::parse);
    settings.expressions = asked.list("expr", "none");
    asked.value("expr-stage", &mut settings.expression_stage, named);
    settings.scale_factor = asked.parsed("scale-factor", "none", number);
    asked.value("count-band", &mut settings.count_band, switch);
    asked.value("provenance", &mut settings.provenance, switch);
    asked.value("date-band", &mut settings.date_band, switch);
}

fn take_work(asked: &mut Asked, settings: &mut Settings, machine: &Machine) {
    settings.chunk = asked.parsed("chunk", "planned", whole);
    let free = format!("{} (half of what is free)", MemorySize::describe(settings.memory));
    if let Some(size) = asked.parsed("memory", &free, str::parse::<MemorySize>) {
        settings.memory = size.bytes(machine.total_memory);
        let meant = MemorySize::describe(settings.memory);
        let shown = asked.settings.last_mut().expect("memory was taken just now");
        if shown.value.replace(' ', "") != meant.replace(' ', "") {
            shown.value += &format!(" ({meant})");
        }
    }
    asked.value("memory-ceiling", &mut settings.memory_ceiling, |text| {
        MemoryCeiling::read(text, machine.total_memory)
    });
    asked.value("threads", &mut settings.threads, whole);
    settings.isolate = asked.parsed("isolate", "none", whole);
    refuse_other_threads(asked, settings);
    asked.value("window-timeout", &mut settings.window_timeout, whole);
    asked.value("on-error", &mut settings.on_error, named);
    asked.value("reader", &mut settings.reader, named);
    asked.value("allow-remote", &mut settings.allow_remote, switch);
    settings.allow_roots = asked.parsed_list("allow-root", "none", path);
    asked.value("retries", &mut settings.retries, whole);
    asked.value("verify", &mut settings.verify, named);
    asked.value("resume", &mut settings.resume, switch);
    asked.value("checkpoint", &mut settings.checkpoint, whole);
    settings.report = asked.parsed("report", "none", path);
}

/// Each worker has a child process: another number of workers is refused, unless whoever asks for children outranks it.
fn refuse_other_threads(asked: &mut Asked, settings: &Settings) {
    let (Some(children), threads) = (settings.isolate, settings.threads) else { return };
    let (isolate, other) = (asked.origin("isolate"), asked.origin("threads"));
    if children != threads && other != Origin::Default && isolate.cmp(&other) != Ordering::Greater {
        let message = format!(
            "{} asks for {children} child processes, a worker each, and {} for {threads} workers",
            asked.place("isolate"),
            asked.place("threads")
        );
        asked.problems.push(Problem::new(message).hint("give one of them"));
    }
}

fn take_session(asked: &mut Asked) -> Session {
    let mut session = Session {
        dry_run: false,
        progress: ProgressMode::Auto,
        quiet: false,
        verbose: false,
        settings: Vec::new(),
        notices: Vec::new(),
    };
    asked.value("dry-run", &mut session.dry_run, switch);
    asked.value("progress", &mut session.progress, named);
    asked.value("quiet", &mut session.quiet, switch);
    asked.value("verbose", &mut session.verbose, switch);
    if session.quiet && session.verbose {
        match asked.origin("quiet").cmp(&asked.origin("verbose")) {
            Ordering::Less => session.quiet = false,
            Ordering::Greater => session.verbose = false,
            Ordering::Equal => {
                let message =
                    format!("{} and {} contradict each other", asked.place("quiet"), asked.place("verbose"));
                asked.problems.push(message.into());
            }
        }
    }
    session
}

/// Adds what does not go together, or is missing, to the problems.
fn add_contradictions(asked: &mut Asked, settings: &Settings) {
    let understood = asked.problems.is_empty();
    for (key, problem) in settings.problems() {
        // Where a value had no meaning its default stands in, which must not be held against the others.
        if !understood && ["chunk", "predictor", "co", "mask-band"].contains(&key) {
            continue;
        }
        let missing = Key::find(key).is_none() || asked.origin(key) == Origin::Default;
        asked.problems.push(if missing { problem } else { problem.at(&asked.place(key)) });
    }
}

#[cfg(test)]
mod tests;
