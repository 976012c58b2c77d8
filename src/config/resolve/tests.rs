//! What layers of texts resolve to, and what is refused.

mod compositing;

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
        layer(file.clone(), &[("output", "o.tif"), ("memory", "1G"), ("threads", "1"), ("method", "mean")]),
        layer(Origin::Environment, &[("memory", "2G"), ("threads", "2"), ("overwrite", "false")]),
        layer(Origin::Flag, &[("memory", "25%")]),
    ];
    let (settings, session) = resolved(&layers).unwrap();
    assert_eq!((settings.memory, settings.threads, settings.method), (4 << 30, 2, Method::Mean.into()));
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
    let file = layer(Origin::File("s.toml".into()), &[("block", "100"), ("method", "magic")]);
    let environment = layer(Origin::Environment, &[("src-nodata", "none")]);
    let flags = layer(Origin::Flag, &[("memory", "lots"), ("bounds", "5,0,1,1"), ("threads", "0")]);
    let problems = resolved(&[file, environment, flags]).unwrap_err();
    let text: String = problems.iter().map(|problem| problem.to_string() + "\n").collect();
    for start in [
        "block in s.toml: 100 is no",
        "method in s.toml: 'magic'",
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
