//! What files and the environment give.

use super::*;

fn layer(text: &str) -> (Layer, Vec<Problem>) {
    let mut problems = Vec::new();
    (Layer::from_toml(text, Path::new("settings.toml"), &mut problems), problems)
}

#[test]
fn a_file_gives_the_texts_that_flags_would() {
    let text = "memory = 134217728\nnodata = nan\nsrc_nodata = -9999\nbounds = [-10, 40.5, 5, 50]\n\
                overwrite = false\nbands = [\"red, narrow\", 2]\nco = { ZLEVEL = 9 }\n";
    let (layer, problems) = layer(text);
    assert!(problems.is_empty(), "{problems:?}");
    let value = |key: &str| layer.values[key].join("|");
    assert_eq!(value("memory"), "134217728");
    assert_eq!(value("nodata"), "nan");
    assert_eq!(value("src-nodata"), "-9999");
    assert_eq!(value("bounds"), "-10,40.5,5,50");
    assert_eq!(value("overwrite"), "false");
    assert_eq!(value("bands"), "red, narrow|2");
    assert_eq!(value("co"), "ZLEVEL=9");
}

#[test]
fn unknown_keys_are_named_with_near_ones_all_at_once() {
    let (layer, problems) = layer("memroy = 1\nelephant = 2\nchunk = { a = 1 }\nthreads = 2\n");
    assert_eq!(layer.values["threads"], ["2"]);
    let texts: Vec<_> = problems.iter().map(Problem::to_string).collect();
    assert_eq!(texts.len(), 3);
    assert!(texts.iter().any(|text| text == "memroy in settings.toml: unknown key (near it: memory)"));
    assert!(texts.iter().any(|text| text.starts_with("elephant in settings.toml") && text.contains("chunk")));
    assert!(texts.iter().any(|text| text == "chunk in settings.toml: a table is no value here"));
}

#[test]
fn a_broken_file_is_one_problem_with_its_line() {
    let (_, problems) = layer("threads = 2\nmemory = \n");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.starts_with("settings file settings.toml: "), "{}", problems[0]);
    assert!(problems[0].message.contains("line 2"), "{}", problems[0]);
}

#[test]
fn the_environment_is_read_and_strangers_are_told() {
    let variables = [("MOSAIC_STREAM_SRC_NODATA", "-1"), ("MOSAIC_STREAM_BANDS", "3, 1"), ("PATH", "/bin")];
    let odd = [("MOSAIC_STREAM_MEMROY", "1G"), ("MOSAIC_STREAM_CHUNK", "")];
    let (mut problems, mut notices) = (Vec::new(), Vec::new());
    let words = variables.into_iter().chain(odd).map(|(name, value)| (name.into(), value.into()));
    let layer = Layer::from_environment(words, &mut problems, &mut notices);
    assert_eq!(layer.values["src-nodata"], ["-1"]);
    assert_eq!(layer.values["bands"], ["3", "1"]);
    assert_eq!(layer.values.len(), 2);
    assert!(problems.is_empty());
    assert!(notices[0].ends_with("did you mean MOSAIC_STREAM_MEMORY?"), "{notices:?}");
}
