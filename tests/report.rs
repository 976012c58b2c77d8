//! What the program tells: the JSON report, the dry run, where settings come from, progress, and silence.

mod common;

use common::{Folder, Source, random};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Two overlapping scenes of noise, `a.tif` and `b.tif`, whose mosaic has 900×700 pixels.
fn write_scenes(folder: &Folder) {
    for (name, corner) in [("a.tif", 0.0), ("b.tif", 100.0)] {
        let source =
            Source::new(800, 600).crs("EPSG:32631").at(corner, -corner).of("UInt16").bands(2).nodata(0.0);
        let value = move |band, x, y| i128::from(random(corner as u64, band, x, y) % 65536);
        source.pixels(value).write(folder.path(name));
    }
}

fn report(folder: &Folder, name: &str) -> Value {
    serde_json::from_slice(&folder.read(name)).unwrap()
}

#[test]
fn the_report_holds_everything_it_promises() {
    let folder = Folder::new();
    write_scenes(&folder);
    folder.write("bad.tif", "no raster");
    let line =
        "a.tif bad.tif b.tif -o out.tif --on-error skip --report report.json --memory 512MiB --chunk 512";
    folder.run(line).done();
    let report = report(&folder, "report.json");

    assert!(report["schema"].as_u64().is_some_and(|schema| schema >= 1), "{}", report["schema"]);
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert!(report["command"].to_string().contains("--on-error"), "{}", report["command"]);
    assert!(report["output"].to_string().contains("out.tif"));

    let names = |list: &str| {
        report["inputs"][list].as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>()
    };
    let (used, skipped) = (names("used"), names("skipped"));
    assert!(used.len() == 2 && used[0].contains("a.tif") && used[1].contains("b.tif"), "{used:?}");
    assert!(skipped.len() == 1 && skipped[0].contains("bad.tif"), "{skipped:?}");
    assert!(skipped[0].len() > r#"{"path":"bad.tif"}"#.len() + 10, "no reason is given: {}", skipped[0]);

    for (key, wanted) in [("grid", "900"), ("grid", "700"), ("grid", "32631"), ("plan", "512")] {
        assert!(report[key].to_string().contains(wanted), "{key} lacks {wanted}: {}", report[key]);
    }

    let budget = &report["budget"];
    let (total, limit, measured) = (&budget["total"], &budget["limit"], &budget["measured_peak"]);
    let [total, limit, measured] = [total, limit, measured].map(|bytes| bytes.as_u64().unwrap());
    assert_eq!(limit, 512 << 20);
    assert!(total <= limit && measured <= limit && measured > 0, "{budget}");
    assert!(budget["lines"].as_array().unwrap().len() >= 5, "{budget}");

    let seconds = report["seconds"].as_object().unwrap();
    assert!(seconds.len() >= 3 && seconds.values().all(|second| second.as_f64().is_some_and(|s| s >= 0.0)));
    let bytes = report["bytes"].as_object().unwrap();
    let length = folder.read("out.tif").len() as u64;
    assert!(bytes.values().any(|count| count.as_u64() == Some(length)), "{length} is not among {bytes:?}");
    assert!(report["blocks"].is_object() && report["warnings"].is_array(), "{report}");
    assert!(!report["verification"].is_null());

    let digest: String =
        Sha256::digest(folder.read("out.tif")).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(report["sha256"], digest);
}

#[test]
fn warnings_stand_in_the_report_too() {
    let folder = Folder::new();
    Source::new(8, 8).nodata(9999.0).value(3).write(folder.path("a.tif"));
    folder.run("a.tif -o out.tif --report report.json").done();
    let warnings = report(&folder, "report.json")["warnings"].to_string();
    assert!(warnings.contains("9999"), "{warnings}");
}

#[test]
fn an_output_without_any_data_is_told() {
    let folder = Folder::new();
    Source::new(70, 80).nodata(3.0).value(3).write(folder.path("a.tif"));
    folder.run("a.tif -o out.tif").done().names(&["not one pixel of the output has data"]);
    Source::new(70, 80).value(0).write(folder.path("b.tif"));
    folder.run("b.tif -o zeros.tif").done().names(&["not one pixel of the output is other than 0"]);
}

#[test]
fn full_verification_finds_a_good_file_good() {
    let folder = Folder::new();
    write_scenes(&folder);
    let areas = ["quick", "full"].map(|level| {
        let line =
            format!("a.tif b.tif -o out.tif --overwrite --verify {level} --report report.json --block 64");
        folder.run(&line).done();
        let verification = &report(&folder, "report.json")["verification"];
        assert_eq!(verification["faults"], Value::Array(Vec::new()));
        assert!(verification["blocks"].as_u64().is_some_and(|blocks| blocks > 100), "{verification}");
        verification["areas"].as_u64().unwrap()
    });
    assert!(areas[0] > 0 && areas[1] >= areas[0], "{areas:?}");
}

#[test]
fn a_failed_run_says_so_in_its_report_or_writes_none() {
    let folder = Folder::new();
    folder.write("bad.tif", "no raster");
    folder.run("bad.tif -o out.tif --report report.json").ended(1);
    if folder.path("report.json").exists() {
        assert!(report(&folder, "report.json")["inputs"].to_string().contains("bad.tif"));
    }
    assert!(!folder.path("out.tif").exists());
}

#[test]
fn a_report_that_cannot_be_written_costs_neither_the_output_nor_an_older_report() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    Source::new(8, 8).value(3).write(folder.path("a.tif"));
    folder.run("a.tif -o out.tif --report /dev/full").ended(1).names(&["/dev/full", "out.tif is whole"]);
    assert_eq!(folder.raster("out.tif").pixels(1), folder.raster("a.tif").pixels(1));

    // No file may be longer than 8 KiB: room for the output, not for a report with a long command in it.
    folder.write("old.json", "old");
    folder.write("settings.toml", "threads = 1");
    let long = |name: &str| format!("{}{name}", "./".repeat(2000));
    let mut command = std::process::Command::new("bash");
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" a.tif -o limited.tif --report $1 --config $2";
    command.args(["-c", script, env!("CARGO_BIN_EXE_mosaic-stream")]);
    command.args([long("old.json"), long("settings.toml")]);
    folder.isolate(&mut command);
    common::Outcome::of(&mut command).ended(1).names(&["old.json", "limited.tif is whole"]);
    assert_eq!(folder.read("old.json"), b"old");
    assert!(!folder.names().iter().any(|name| name.starts_with('.')), "{:?}", folder.names());

    let printed = folder.run("a.tif -o piped.tif --report /dev/stdout").done();
    assert!(serde_json::from_str::<Value>(&printed.stdout).unwrap()["schema"].is_number());
    folder.run("a.tif -o again.tif --report old.json").done();
    assert!(report(&folder, "old.json")["schema"].is_number());
    let mode = |name: &str| folder.path(name).metadata().unwrap().permissions().mode();
    assert_eq!(mode("old.json"), mode("again.tif"), "others may read it as they may read any new file");
}

#[test]
fn a_dry_run_prints_the_plan_and_writes_nothing() {
    let folder = Folder::new();
    write_scenes(&folder);
    let before = folder.names();
    let outcome =
        folder.run("a.tif b.tif -o out.tif --dry-run --memory 512MiB --block 128 --chunk 256").done();
    assert_eq!(folder.names(), before);
    let outcome = outcome.prints(&["a.tif", "b.tif", "900", "700", "window", "worker", "256", "MiB"]);
    let budget = outcome.stdout.lines().filter(|line| line.contains("MiB") || line.contains("KiB")).count();
    assert!(budget >= 4, "each line of the budget is printed:\n{}", outcome.stdout);
}

#[test]
fn a_dry_run_lists_problems_and_ends_as_the_run_would() {
    let folder = Folder::new();
    write_scenes(&folder);
    folder.write("bad.tif", "no raster");
    let outcome = folder.run("a.tif bad.tif missing.tif -o out.tif --dry-run").ended(1);
    let told = outcome.stdout + &outcome.stderr;
    assert!(told.contains("bad.tif") && told.contains("missing.tif"), "{told}");
    assert!(!folder.path("out.tif").exists());
}

/// The one line that starts with a setting's name.
fn origin(printed: &str, setting: &str) -> String {
    let own = |line: &&str| line.split_whitespace().next() == Some(setting);
    // The settings come first; the plan below may use the same words.
    let lines: Vec<&str> =
        printed.lines().take_while(|line| !line.starts_with("sources")).filter(own).collect();
    assert_eq!(lines.len(), 1, "one line for {setting} in:\n{printed}");
    lines[0].to_owned()
}

#[test]
fn settings_come_from_defaults_then_file_then_environment_then_flags() {
    let folder = Folder::new();
    write_scenes(&folder);
    folder.write("mosaic-stream.toml", "block = 64\nchunk = 128\nthreads = 1\nmethod = \"max\"\n");
    let line = "a.tif b.tif -o out.tif --dry-run -v --method min";
    let mut command = folder.command(&line.split_whitespace().collect::<Vec<_>>());
    command.env("MOSAIC_STREAM_MEMORY", "600MiB").env("MOSAIC_STREAM_CHUNK", "256");
    command.env("MOSAIC_STREAM_METHOD", "first");
    let printed = common::Outcome::of(&mut command).done().stdout;
    let wanted = [
        ("method", "min", "--method"),
        ("chunk", "256", "MOSAIC_STREAM_CHUNK"),
        ("memory", "600", "MOSAIC_STREAM_MEMORY"),
        ("block", "64", "mosaic-stream.toml"),
        ("threads", "1", "mosaic-stream.toml"),
        ("resampling", "nearest", "default"),
    ];
    for (setting, value, from) in wanted {
        let line = origin(&printed, setting);
        assert!(line.contains(value) && line.contains(from), "{setting} should be {value} by {from}: {line}");
    }
}

#[test]
fn a_settings_file_can_be_named_and_its_mistakes_are_too() {
    let folder = Folder::new();
    write_scenes(&folder);
    folder.write("other.toml", "method = \"count\"\nblock = 64\n");
    folder.run("a.tif b.tif -o out.tif --config other.toml").done();
    let out = folder.raster("out.tif");
    assert_eq!(out.block(1), (64, 64));
    assert!(out.pixels(1).into_iter().all(|count| count <= 2.0));
    folder.write("wrong.toml", "methud = \"count\"\n");
    folder.run("a.tif b.tif -o no.tif --config wrong.toml").refused().names(&["wrong.toml", "methud"]);
    folder.run("a.tif b.tif -o no.tif --config gone.toml").refused().names(&["gone.toml"]);
    assert!(!folder.path("no.tif").exists());
}

#[test]
fn progress_is_printed_in_lines_when_asked_plainly() {
    let folder = Folder::new();
    write_scenes(&folder);
    let outcome = folder.run("a.tif b.tif -o out.tif --progress plain --block 64 --chunk 64").done();
    assert!(outcome.stderr.contains('%') || outcome.stderr.contains("window"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains('\u{1b}') && !outcome.stderr.contains('\r'), "{:?}", outcome.stderr);
}

#[test]
fn a_quiet_run_prints_nothing_when_all_is_well() {
    let folder = Folder::new();
    write_scenes(&folder);
    let outcome = folder.run("a.tif b.tif -o out.tif -q").done();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    folder.run("missing.tif -o other.tif -q").ended(1).names(&["missing.tif"]);
}

#[test]
fn inputs_are_folders_globs_and_lists() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("scenes")).unwrap();
    write_scenes(&folder);
    for name in ["a.tif", "b.tif"] {
        std::fs::copy(folder.path(name), folder.path(format!("scenes/{name}"))).unwrap();
    }
    folder.write("scenes/notes.txt", "no raster, and not asked for");
    folder.write("list.txt", "a.tif\n\nb.tif\n");
    folder.run("a.tif b.tif -o wanted.tif").done();
    for input in ["scenes", "scenes/*.tif", "@list.txt"] {
        folder.run_words(&[input, "-o", "out.tif", "--overwrite"]).done();
        assert!(folder.read("out.tif") == folder.read("wanted.tif"), "{input}");
    }
    let mut command = folder.command(&["-", "-o", "out.tif", "--overwrite"]);
    command.stdin(std::fs::File::open(folder.path("list.txt")).unwrap());
    common::Outcome::of(&mut command).done();
    assert!(folder.read("out.tif") == folder.read("wanted.tif"), "stdin");
    folder.run_words(&["nothing-*.tif", "-o", "none.tif"]).refused().names(&["nothing-*.tif"]);
}

#[test]
fn help_has_examples_and_completions_are_printed() {
    let folder = Folder::new();
    folder.run("--help").done().prints(&["example", "--memory", "--on-error", "MOSAIC_STREAM_MEMORY"]);
    folder.run("--version").done().prints(&[env!("CARGO_PKG_VERSION")]);
    for shell in ["bash", "zsh", "fish"] {
        folder.run(&format!("completions {shell}")).done().prints(&["mosaic-stream", "overwrite"]);
    }
}

fn peak(folder: &Folder, line: &str) -> u64 {
    folder.run(&format!("{line} --report report.json")).done();
    report(folder, "report.json")["budget"]["measured_peak"].as_u64().unwrap()
}

#[test]
fn full_verification_of_many_layers_stays_within_the_budget() {
    let folder = Folder::new();
    for number in 0..40 {
        let source = Source::new(256, 256).bands(3);
        source.value(number).write(folder.path(format!("{number:02}.tif")));
    }
    let names: Vec<String> = (0..40).map(|number| format!("{number:02}.tif")).collect();
    let line = format!("{} -o out.tif --method mean --memory 128MiB --verify full", names.join(" "));
    assert!(peak(&folder, &line) < 128 << 20);
}

#[test]
fn more_threads_than_work_cost_nothing() {
    let folder = Folder::new();
    write_scenes(&folder);
    assert!(peak(&folder, "a.tif b.tif -o out.tif --memory 128MiB --threads 3000") < 128 << 20);
}

#[test]
fn full_verification_agrees_with_resamplings_that_depend_on_the_window() {
    let folder = Folder::new();
    let value = |band, x, y| i128::from(random(7, band, x, y) % 255);
    Source::new(700, 600).crs("EPSG:32631").pixels(value).write(folder.path("a.tif"));
    Source::new(700, 600).crs("EPSG:32631").at(300.37, -200.61).pixels(value).write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif --resampling average --verify full").done();
    folder.tool("gdalbuildvrt -q -r average both.vrt a.tif b.tif");
    folder.run("both.vrt -o virtual.tif --verify full").done();
}
