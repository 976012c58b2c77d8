//! A job that holds more than its ceiling ends in order, says where the memory is, and loses nothing.

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Folder, Source, random};
use serde_json::Value;

/// No process that has GDAL loaded holds so little.
const TOO_LOW: &str = "--memory-ceiling 10MiB";

fn write_source(folder: &Folder) {
    let source =
        Source::new(1500, 1500).of("UInt16").pixels(|band, x, y| i128::from(random(3, band, x, y) % 4000));
    source.options("TILED=YES COMPRESS=DEFLATE").write(folder.path("a.tif"));
}

#[test]
fn a_job_over_its_ceiling_says_so_and_leaves_what_was_there() {
    let folder = Folder::new();
    write_source(&folder);
    folder.write("out.tif", "old");
    let ended = folder.run(&format!("a.tif -o out.tif --overwrite {TOO_LOW}"));
    assert_eq!(ended.code, Some(137), "{}", ended.stderr);
    ended.names(&["over the ceiling of 10 MiB", "C heap", "--memory-ceiling"]);
    assert_eq!(folder.read("out.tif"), b"old");
    assert_eq!(folder.names().into_iter().collect::<Vec<_>>(), ["a.tif", "out.tif"]);
}

#[test]
fn a_ceiling_may_be_off_or_far_away() {
    let folder = Folder::new();
    write_source(&folder);
    for ceiling in ["off", "auto", "8GiB"] {
        folder.run(&format!("a.tif -o out.tif --overwrite --memory-ceiling {ceiling}")).done();
    }
    folder.run("a.tif -o out.tif --memory-ceiling much").refused().names(&[
        "--memory-ceiling",
        "auto",
        "off",
    ]);
}

#[test]
fn a_part_outlives_a_run_over_its_ceiling() {
    let folder = Folder::new();
    write_source(&folder);
    let job = "a.tif -o out.tif --block 64 --checkpoint 0 --threads 1 --progress none --compress zstd";
    folder.run(&job.replace("out.tif", "wanted.tif")).done();
    let words: Vec<&str> = job.split_whitespace().collect();
    let index = |folder: &Folder| folder.names().into_iter().find(|name| name.ends_with(".partial.index"));
    let begun = |folder: &Folder| index(folder).is_some_and(|name| !folder.read(&name).is_empty());
    let mut child = folder.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !begun(&folder) && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(200));
    }
    let _ = Command::new("kill").args(["-KILL", &child.id().to_string()]).stderr(Stdio::null()).status();
    if child.wait().unwrap().success() {
        return;
    }
    let ended = folder.run(&format!("{job} --resume {TOO_LOW}"));
    assert_eq!(ended.code, Some(137), "{}", ended.stderr);
    assert!(begun(&folder), "{:?}", folder.names());
    folder.run(&format!("{job} --resume")).done();
    assert!(folder.read("out.tif") == folder.read("wanted.tif"));
    assert_eq!(folder.names().len(), 3);
}

#[test]
fn the_report_tells_how_memory_went_from_window_to_window() {
    let folder = Folder::new();
    write_source(&folder);
    folder.run("a.tif -o out.tif --block 32 --chunk 32 --report report.json").done();
    let report: Value = serde_json::from_slice(&folder.read("report.json")).unwrap();
    let growth = report["budget"]["growth"].as_array().unwrap();
    let windows: Vec<u64> = growth.iter().map(|sample| sample["windows"].as_u64().unwrap()).collect();
    assert!(windows.len() > 16 && windows.is_sorted() && *windows.last().unwrap() <= 47 * 47, "{windows:?}");
    assert!(growth.iter().all(|sample| sample["resident"].as_u64().unwrap() > 1 << 20), "{growth:?}");
    assert!(report["budget"]["drift_per_thousand_windows"].is_f64(), "{}", report["budget"]);
}
