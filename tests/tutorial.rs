//! The tutorial's commands do what stands there: `scripts/tutorial` runs each and compares what it prints.

mod common;

use std::path::Path;
use std::process::Command;

use common::Outcome;

#[test]
fn every_command_of_the_tutorial_prints_what_stands_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Path::new(env!("CARGO_BIN_EXE_mosaic-stream"));
    let profile = match program.parent().unwrap().file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    // For a test cargo builds the programs, but no examples; the tutorial's scenes are made by one.
    let build = ["build", "--quiet", "--example", "make_scenes", "--profile", profile];
    Outcome::of(Command::new(env!("CARGO")).args(build).current_dir(root)).done();
    let mut tutorial = Command::new(root.join("scripts/tutorial"));
    Outcome::of(tutorial.arg("--check").env("MOSAIC_STREAM_PROGRAM", program)).done();
}
