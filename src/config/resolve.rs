//! From texts to settings: one parser a key, one form of error that says where the value came from.

use super::asked::Asked;
use super::creation_options::MERGED;
use super::meaning::{bounds, named, path, predictor, resolution, switch, text, whole};
use super::{
    CreationOptions, ENVIRONMENT_PREFIX, KEYS, Key, Layer, Machine, MemorySize, Origin, Problem,
    ProgressMode, Session, Settings, Typed,
};
use std::cmp::Ordering;
use std::env;
use std::ffi::OsString;

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
    let environment = Layer::from_environment(env::vars_os(), &mut problems, &mut notices);
    let words = typed.flags.into_iter().filter_map(|(name, words)| Some((Key::find(name)?, words)));
    let flags = Layer::from_words(Origin::Flag, words, &mut problems);
    let inputs = typed.inputs.into_iter().map(|input| readable(input, &mut problems)).collect();
    match resolve(inputs, &[file, environment, flags], &Machine::look()) {
        Ok((settings, mut session)) if problems.is_empty() => {
            session.notices.splice(0..0, notices);
            Ok((settings, session))
        }
        Ok(_) => Err(problems),
        Err(more) => Err(problems.into_iter().chain(more).collect()),
    }
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
    take_work(&mut asked, &mut settings, machine);
    let mut session = take_session(&mut asked);
    add_contradictions(&mut asked, &settings);
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
    asked.value("overwrite", &mut settings.overwrite, switch);
    asked.value("compress", &mut settings.compression, named);
    settings.predictor = asked.parsed("predictor", "by type", predictor);
    asked.value("block", &mut settings.block, whole);
    let options = take_creation_options(asked);
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

fn take_creation_options(asked: &mut Asked) -> Vec<(String, String)> {
    let mut options = Vec::new();
    for text in asked.list("co", "none") {
        match text.split_once('=') {
            Some((key, value)) => options.push((key.trim().to_ascii_uppercase(), value.trim().to_owned())),
            None => {
                let place = asked.place("co");
                asked.problems.push(Problem::new(format!("'{text}' is not KEY=VALUE")).at(&place));
            }
        }
    }
    options
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
    asked.value("method", &mut settings.method, named);
    settings.bands = asked.list("bands", "all");
    settings.dtype = asked.parsed("dtype", "by method and sources", str::parse);
    settings.src_nodata = asked.parsed("src-nodata", "each source's own", str::parse);
    settings.nodata = asked.parsed("nodata", "by sources", str::parse);
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
    asked.value("threads", &mut settings.threads, whole);
    asked.value("on-error", &mut settings.on_error, named);
    asked.value("verify", &mut settings.verify, named);
    settings.report = asked.parsed("report", "none", path);
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
        if !understood && ["chunk", "predictor", "co"].contains(&key) {
            continue;
        }
        let missing = Key::find(key).is_none() || asked.origin(key) == Origin::Default;
        asked.problems.push(if missing { problem } else { problem.at(&asked.place(key)) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Compression;
    use crate::geometry::{Bounds, Resolution, ResolutionRule};
    use crate::pixels::{Method, Number, PixelType};

    const MACHINE: Machine = Machine { total_memory: 16 << 30, free_memory: 8 << 30, cpus: 4 };

    fn layer(origin: Origin, words: &[(&str, &str)]) -> Layer {
        let words = words.iter().map(|(key, text)| (Key::find(key).unwrap(), vec![OsString::from(text)]));
        Layer::from_words(origin, words, &mut Vec::new())
    }

    fn resolved(layers: &[Layer]) -> Result<(Settings, Session), Vec<Problem>> {
        resolve(vec!["a.tif".into()], layers, &MACHINE)
    }

    fn flags(words: &[(&str, &str)]) -> Result<(Settings, Session), Vec<Problem>> {
        let output = layer(Origin::Environment, &[("output", "out.tif")]);
        resolved(&[output, layer(Origin::Flag, words)])
    }

    fn faults(words: &[(&str, &str)]) -> String {
        flags(words).unwrap_err().iter().map(|problem| problem.to_string() + "\n").collect()
    }

    #[test]
    fn defaults_yield_to_file_environment_and_flags_in_this_order() {
        let file = Origin::File("s.toml".into());
        let mut layers = vec![
            layer(
                file.clone(),
                &[("output", "o.tif"), ("memory", "1G"), ("threads", "1"), ("method", "mean")],
            ),
            layer(Origin::Environment, &[("memory", "2G"), ("threads", "2"), ("overwrite", "false")]),
            layer(Origin::Flag, &[("memory", "25%")]),
        ];
        let (settings, session) = resolved(&layers).unwrap();
        assert_eq!((settings.memory, settings.threads, settings.method), (4 << 30, 2, Method::Mean));
        assert_eq!((settings.block, settings.chunk, settings.overwrite), (512, None, false));
        let of = |key: &str| session.settings.iter().find(|setting| setting.key == key).unwrap();
        assert_eq!((of("memory").origin.clone(), of("memory").value.as_str()), (Origin::Flag, "25% (4 GiB)"));
        assert_eq!(of("threads").origin, Origin::Environment);
        assert_eq!(of("method").origin, file);
        assert_eq!((of("block").origin.clone(), of("block").value.as_str()), (Origin::Default, "512"));
        layers.truncate(1);
        assert_eq!(resolved(&layers).unwrap().0.memory, 1 << 30);
    }

    #[test]
    fn every_key_is_taken_once() {
        let (_, session) = flags(&[]).unwrap();
        let names: Vec<_> = session.settings.iter().map(|setting| setting.key).collect();
        assert_eq!(names, KEYS.iter().map(|key| key.name).collect::<Vec<_>>());
    }

    #[test]
    fn values_mean_what_they_say() {
        let words = [
            ("bounds", "-10,40,5,50.5"),
            ("resolution", "30,20"),
            ("nodata", "-9999"),
            ("src-nodata", "NaN"),
            ("bands", "3,1, red"),
            ("dtype", "uint16"),
            ("compress", "ZSTD"),
            ("co", "zstd_level=3,BIGTIFF=yes"),
        ];
        let (settings, _) = flags(&words).unwrap();
        assert_eq!(settings.bounds, Some(Bounds { min_x: -10.0, min_y: 40.0, max_x: 5.0, max_y: 50.5 }));
        assert_eq!(settings.resolution, ResolutionRule::Given(Resolution { x: 30.0, y: 20.0 }));
        assert_eq!(settings.nodata, Some(Number::Whole(-9999)));
        assert_eq!(settings.src_nodata, Some(Number::Float(f64::NAN)));
        assert_eq!(settings.bands, ["3", "1", "red"]);
        assert_eq!((settings.dtype, settings.compression), (Some(PixelType::UInt16), Compression::Zstd));
        assert_eq!(settings.creation_options().unwrap().level(Compression::Zstd), Some(3));
        assert_eq!(settings.predictor_for(PixelType::Float32), 3);
        assert_eq!(settings.predictor_for(PixelType::UInt16), 2);
    }

    #[test]
    fn all_faults_are_told_at_once_each_with_its_place() {
        let file = layer(Origin::File("s.toml".into()), &[("block", "100"), ("method", "median")]);
        let environment = layer(Origin::Environment, &[("src-nodata", "none")]);
        let flags = layer(Origin::Flag, &[("memory", "lots"), ("bounds", "5,0,1,1"), ("threads", "0")]);
        let problems = resolved(&[file, environment, flags]).unwrap_err();
        let text: String = problems.iter().map(|problem| problem.to_string() + "\n").collect();
        for start in [
            "block in s.toml: 100 is no",
            "method in s.toml: 'median'",
            "MOSAIC_STREAM_SRC_NODATA: 'none'",
            "--memory: 'lots'",
            "--bounds: 5,0,1,1",
            "--threads: at least",
            "no output is named",
        ] {
            assert!(text.lines().any(|line| line.starts_with(start)), "{start} in\n{text}");
        }
        assert_eq!(problems.len(), 7, "{text}");
    }

    #[test]
    fn windows_are_whole_blocks() {
        assert!(
            faults(&[("chunk", "1000")])
                .starts_with("--chunk: 1000 is no positive multiple of the block side 512")
        );
        assert!(faults(&[("chunk", "0")]).contains("--chunk: 0"));
        assert!(faults(&[("block", "0")]).contains("--block: 0"));
        assert!(flags(&[("chunk", "768"), ("block", "256")]).is_ok());
        assert!(faults(&[("resolution", "0")]).contains("--resolution"));
        assert!(faults(&[("resolution", "-5,5")]).contains("--resolution"));
        assert!(faults(&[("bounds", "0,0,nan,1")]).contains("--bounds"));
        assert!(faults(&[("bounds", "0,0,1")]).contains("four numbers"));
    }

    #[test]
    fn creation_options_are_settings_too() {
        let (settings, session) = flags(&[("co", "COMPRESS=DEFLATE,PREDICTOR=1,ZLEVEL=9")]).unwrap();
        assert_eq!((settings.compression, settings.predictor), (Compression::Deflate, Some(1)));
        assert_eq!(settings.creation_options, [("ZLEVEL".to_owned(), "9".to_owned())]);
        let compress = session.settings.iter().find(|setting| setting.key == "compress").unwrap();
        assert_eq!((compress.value.as_str(), &compress.origin), ("deflate (co)", &Origin::Flag));

        let text = faults(&[("compress", "lzw"), ("co", "COMPRESS=ZSTD")]);
        assert!(text.starts_with("--compress is lzw, but --co asks for zstd"), "{text}");
        assert!(flags(&[("compress", "zstd"), ("co", "COMPRESS=ZSTD")]).is_ok());
        assert!(faults(&[("co", "ZLEVEL=5")]).contains("no effect with lzw"));
        assert!(faults(&[("co", "QUALITY")]).contains("KEY=VALUE"));
        assert!(faults(&[("co", "JPEG_QUALITY=75")]).starts_with("--co: creation option JPEG_QUALITY"));
    }

    #[test]
    fn a_stronger_layer_wins_over_a_weaker_creation_option() {
        let file = layer(Origin::File("s.toml".into()), &[("output", "o.tif"), ("co", "COMPRESS=ZSTD")]);
        let (settings, _) = resolved(&[file.clone(), layer(Origin::Flag, &[("compress", "none")])]).unwrap();
        assert_eq!((settings.compression, settings.creation_options.len()), (Compression::None, 0));
        let weak = layer(Origin::File("s.toml".into()), &[("output", "o.tif"), ("compress", "none")]);
        let (settings, _) = resolved(&[weak, layer(Origin::Flag, &[("co", "COMPRESS=ZSTD")])]).unwrap();
        assert_eq!(settings.compression, Compression::Zstd);
    }

    #[test]
    fn predictors_go_with_compression_and_type() {
        assert!(faults(&[("predictor", "2"), ("compress", "none")]).contains("needs a compression"));
        assert!(faults(&[("predictor", "3"), ("dtype", "Byte")]).contains("for floats"));
        assert!(faults(&[("predictor", "4")]).contains("--predictor: '4'"));
        let (settings, _) = flags(&[("compress", "none")]).unwrap();
        assert_eq!(settings.predictor_for(PixelType::Byte), 1);
    }

    #[test]
    fn quiet_and_verbose_contradict_each_other_unless_one_is_stronger() {
        assert!(faults(&[("quiet", "true"), ("verbose", "true")]).contains("--quiet and --verbose"));
        let weak = layer(Origin::Environment, &[("output", "o.tif"), ("verbose", "yes")]);
        let (_, session) = resolved(&[weak, layer(Origin::Flag, &[("quiet", "true")])]).unwrap();
        assert!(session.quiet && !session.verbose);
    }

    #[test]
    fn more_memory_than_the_machine_has_is_noticed() {
        let (_, session) = flags(&[("memory", "64GiB")]).unwrap();
        assert_eq!(session.notices, ["memory is 64 GiB, but the machine has 16 GiB"]);
    }
}
