//! How the program takes its settings: flags, environment and file, and what it says when they make no sense.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in a folder, with an environment that has no settings of whoever runs the tests.
fn run(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mosaic-stream"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MOSAIC_STREAM_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder).envs(variables.iter().copied()).args(arguments).output().unwrap()
}

/// What the program says on stderr when the usage is wrong, for which the exit code is 2.
fn refusal(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let output = run(folder, variables, arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(!folder.join("out.tif").exists());
    text
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

const JOB: [&str; 3] = ["a.tif", "-o", "out.tif"];

fn job<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&JOB[..], more].concat()
}

#[test]
fn a_window_that_is_no_multiple_of_the_block_is_refused_with_its_flag() {
    let folder = tempfile::tempdir().unwrap();
    let text = refusal(folder.path(), &[], &job(&["--chunk", "1000"]));
    assert!(
        text.starts_with("error: --chunk: 1000 is no positive multiple of the block side 512\nhint: 512"),
        "{text}"
    );
}

#[test]
fn flags_without_effect_are_refused_but_not_what_a_file_says_for_other_jobs() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, wanted) in [
        ("--expr-stage before", "--expr-stage: has no effect without formulas\nhint: add --expr"),
        (
            "--overview-resampling mode",
            "--overview-resampling: has no effect without overviews\nhint: add --overviews",
        ),
        ("--overview-resampling mode --format cog --overviews none", "without overviews"),
        ("--allow-root nowhere", "--allow-root: 'nowhere' is no folder"),
    ] {
        let text = refusal(folder.path(), &[], &job(&flags.split(' ').collect::<Vec<_>>()));
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    let text = "expr_stage = 'before'\noverview_resampling = 'mode'\nallow_root = ['nowhere']\n";
    fs::write(folder.path().join("mosaic-stream.toml"), text).unwrap();
    let output = run(folder.path(), &[("MOSAIC_STREAM_EXPR_STAGE", "before")], &JOB);
    assert_eq!(output.status.code(), Some(1), "the input is missing, and no more");
}

#[test]
fn all_problems_of_the_usage_are_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let flags =
        ["--co", "JPEG_QUALITY=90", "--co", "NUM_THREADS=4", "--bounds", "5,0,1,1", "--method", "magic"];
    let text = refusal(folder.path(), &[], &job(&flags));
    assert_eq!(text.lines().filter(|line| line.starts_with("error: ")).count(), 4, "{text}");
    for part in
        ["--co: creation option JPEG_QUALITY", "use --threads N", "--bounds: 5,0,1,1", "--method: 'magic'"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_list_with_nothing_in_it_is_refused_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, text) in
        [("--expr", ""), ("--expr", " ; "), ("--bands", ","), ("--co", ""), ("--allow-root", " ")]
    {
        let refused = refusal(folder.path(), &[], &job(&[flag, text]));
        let wanted = format!("error: {flag}: an empty text where a list belongs\n");
        assert!(refused.starts_with(&wanted), "{refused}");
    }
    // One of several, as of a variable of the shell that is not set.
    let text = refusal(folder.path(), &[], &job(&["--expr", "a=B02", "--expr", ""]));
    assert!(text.starts_with("error: --expr: an empty text"), "{text}");
    let text = refusal(folder.path(), &[("MOSAIC_STREAM_BANDS", ",")], &JOB);
    assert!(text.starts_with("error: MOSAIC_STREAM_BANDS: an empty text"), "{text}");
    for list in ["[]", "['']", "{}", "','"] {
        fs::write(folder.path().join("mosaic-stream.toml"), format!("expr = {}\n", list.replace(',', ";")))
            .unwrap();
        let text = refusal(folder.path(), &[], &JOB);
        assert!(text.starts_with("error: expr in mosaic-stream.toml: an empty text"), "{text}");
    }
}

#[test]
fn missing_inputs_and_output_are_both_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = refusal(folder.path(), &[], &[]);
    assert!(
        text.contains("error: no input is named") && text.contains("error: no output is named"),
        "{text}"
    );
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = refusal(folder.path(), &[], &job(&["--compress", "lzw", "--co", "COMPRESS=ZSTD"]));
    assert!(text.contains("--compress is lzw, but --co asks for zstd"), "{text}");
    let text = refusal(folder.path(), &[], &job(&["-q", "-v"]));
    assert!(text.contains("--quiet and --verbose contradict each other"), "{text}");
}

#[test]
fn flags_that_do_not_exist_or_lack_a_value_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refusal(folder.path(), &[], &job(&["--memroy", "1G"])).contains("--memory"));
    assert!(refusal(folder.path(), &[], &job(&["--threads"])).contains("--threads"));
}

#[test]
fn an_unknown_key_of_the_file_is_named_with_a_near_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mosaic-stream.toml"), "memroy = \"1G\"\n").unwrap();
    let text = refusal(folder.path(), &[], &JOB);
    assert_eq!(text, "error: memroy in mosaic-stream.toml: unknown key\nhint: near it: memory\n");
}

#[test]
fn every_layer_is_named_as_the_place_of_its_faults() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.toml"), "resampling = \"magic\"\n").unwrap();
    let variables = [("MOSAIC_STREAM_VERIFY", "twice"), ("MOSAIC_STREAM_CONFIG", "mine.toml")];
    let text = refusal(folder.path(), &variables, &job(&["--on-error", "shrug"]));
    for part in ["resampling in mine.toml: 'magic'", "MOSAIC_STREAM_VERIFY: 'twice'", "--on-error: 'shrug'"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_settings_file_that_is_asked_for_must_exist() {
    let folder = tempfile::tempdir().unwrap();
    let text = refusal(folder.path(), &[], &job(&["--config", "none.toml"]));
    assert!(text.contains("settings file none.toml"), "{text}");
}

#[test]
fn a_verbose_dry_run_tells_where_each_setting_came_from() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mosaic-stream.toml"), "method = \"mean\"\nthreads = 1\noverwrite = true\n")
        .unwrap();
    let variables = [("MOSAIC_STREAM_THREADS", "3"), ("MOSAIC_STREAM_OVERWRITE", "false")];
    let output =
        run(folder.path(), &variables, &job(&["--dry-run", "-v", "--nodata", "-9999", "--memory", "1024M"]));
    let text = stdout(&output);
    let line = |key: &str| {
        let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines
            .find(|line| line.starts_with(&format!("{key} ")))
            .unwrap_or_else(|| panic!("no {key} in {text}"))
    };
    assert_eq!(line("method"), "method mean method in mosaic-stream.toml");
    assert_eq!(line("threads"), "threads 3 MOSAIC_STREAM_THREADS");
    assert_eq!(line("overwrite"), "overwrite false MOSAIC_STREAM_OVERWRITE");
    assert_eq!(line("nodata"), "nodata -9999 --nodata");
    assert_eq!(line("memory"), "memory 1024M (1 GiB) --memory");
    assert_eq!(line("block"), "block 512 default");
}

#[test]
fn a_name_that_is_not_utf8_is_refused_by_name() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let mut command = Command::new(env!("CARGO_BIN_EXE_mosaic-stream"));
    let output = command.arg(OsStr::from_bytes(b"a\xff.tif")).args(["-o", "out.tif"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("input \"a\\xFF.tif\": the name is not UTF-8"), "{text}");
}

#[test]
fn a_settings_file_may_have_a_name_that_is_not_utf8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let name = OsStr::from_bytes(b"c\xff.toml");
    fs::write(folder.path().join(name), "threads = 1").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mosaic-stream"));
    command.current_dir(folder.path()).args(["none.tif", "-o", "out.tif", "--config"]).arg(name);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("none.tif") && !text.contains("panicked"), "{text}");
}

#[test]
fn a_verbose_dry_run_tells_what_was_asked_of_scenes() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mosaic-stream.toml"), "mask_band = \"SCL\"\nmask_values = [0, \"8-11\"]\n")
        .unwrap();
    let variables = [("MOSAIC_STREAM_METHOD", "percentile:12.5")];
    let flags = ["--dry-run", "-v", "--order", "-date", "--expr", "low=min(B02, B03)", "--expr", "b=B04"];
    let text = stdout(&run(folder.path(), &variables, &job(&flags)));
    let lines: Vec<_> =
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "mask-band SCL mask-band in mosaic-stream.toml",
        "mask-values 0, 8-11 mask-values in mosaic-stream.toml",
        "method percentile:12.5 MOSAIC_STREAM_METHOD",
        "order -date --order",
        "expr low=min(B02, B03), b=B04 --expr",
        "harmonize auto default",
        "min-count 1 default",
    ] {
        assert!(lines.iter().any(|told| told == line), "{line} in {text}");
    }
}

#[test]
fn a_mask_band_that_masks_nothing_is_refused_with_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("MOSAIC_STREAM_MASK_BAND", "SCL")];
    let text = refusal(folder.path(), &variables, &job(&["--from", "2024-13-01"]));
    assert!(text.contains("error: --from: '2024-13-01' is no day; write YYYY-MM-DD"), "{text}");
    let text = refusal(folder.path(), &variables, &JOB);
    let told = "error: MOSAIC_STREAM_MASK_BAND: nothing says which values of SCL are left out\n\
                hint: add --mask-values LIST, --keep-values LIST or --mask-bits LIST\n";
    assert_eq!(text, told);
}

#[test]
fn help_has_every_flag_of_the_table_and_examples() {
    let output = run(Path::new("."), &[], &["--help"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0));
    let flags = mosaic_stream::config::KEYS.iter().map(|key| format!("--{}", key.name));
    for part in flags.chain(
        ["--config", "Examples:", "completions", "MOSAIC_STREAM_MEMORY", "Scenes and masks:", "percentile:P"]
            .map(str::to_owned),
    ) {
        assert!(text.contains(&part), "{part} in {text}");
    }
}

#[test]
fn the_version_is_the_packages() {
    let output = run(Path::new("."), &[], &["--version"]);
    assert_eq!(stdout(&output), format!("mosaic-stream {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_are_printed_for_a_shell_that_is_known() {
    let output = run(Path::new("."), &[], &["completions", "bash"]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(
        text.contains("mosaic-stream")
            && text.contains("--memory")
            && text.contains("cubicspline")
            && text.contains("geomedian")
    );
    assert_eq!(run(Path::new("."), &[], &["completions", "basket"]).status.code(), Some(2));
}
