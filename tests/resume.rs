//! A job that ends early, however that happens, loses no more than its last seconds: `--resume` goes on, and the file is
//! the one that an undisturbed run makes.

mod common;

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use common::{Folder, Outcome, Source, random, write_overlapping};

const JOB: &str = "in0.tif in1.tif in2.tif in3.tif -o out.tif --block 64 --checkpoint 0 --progress none";

/// Lines in the index of the part that is there; 0 where there is none.
fn entries(folder: &Folder) -> usize {
    let index = folder.names().into_iter().find(|name| name.ends_with(".partial.index"));
    index.map_or(0, |name| fs::read_to_string(folder.path(name)).unwrap_or_default().lines().count())
}

fn start(folder: &Folder, line: &str) -> Child {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut command = folder.command(&words);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Starts the job and ends it with SIGKILL once its index has so many lines. Whether it was not done before.
fn killed_at(folder: &Folder, line: &str, lines: usize) -> bool {
    let mut child = start(folder, line);
    let since = Instant::now();
    while entries(folder) < lines && child.try_wait().unwrap().is_none() {
        assert!(since.elapsed() < Duration::from_secs(60), "the job neither ends nor goes on");
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    !folder.path("out.tif").exists()
}

/// Starts the job and waits until its index tells of blocks, or it is done.
fn begin(folder: &Folder) -> Child {
    let words: Vec<&str> = JOB.split_whitespace().collect();
    let mut child = folder.command(&words).stderr(Stdio::piped()).spawn().unwrap();
    while entries(folder) < 3 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(200));
    }
    child
}

/// Whether a killed and resumed job makes the file that an undisturbed one makes; killed as often as it can be.
fn check_kills(mask: bool, options: &str, kills: u64) {
    let folder = Folder::new();
    write_overlapping(&folder, mask);
    folder.run(&format!("{JOB} {options}").replace("out.tif", "wanted.tif")).done();
    let mut killed = 0;
    for kill in 0..kills {
        // Windows and workers may be others the next time.
        let other = |what: usize| {
            let chunk = 64 * (1 + random(kill, what, 1, 0) % 3);
            format!("{JOB} {options} --chunk {chunk} --threads {}", 1 + random(kill, what, 2, 0) % 2)
        };
        let mut lines = 2;
        let mut resume = "";
        while killed_at(&folder, &format!("{} {resume}", other(lines)), lines) {
            (killed, resume) = (killed + 1, "--resume");
            lines += 1 + random(kill, lines, 3, 0) as usize % 9;
            if killed % 4 == 3 {
                break;
            }
        }
        if !folder.path("out.tif").exists() {
            folder.run(&format!("{} --resume --verify full", other(0))).done();
        }
        assert!(folder.read("out.tif") == folder.read("wanted.tif"), "{options}, kill {kill}");
        let left = folder.names().into_iter().filter(|name| name.starts_with('.')).collect::<Vec<_>>();
        assert!(left.is_empty(), "a finished run leaves {left:?}");
        fs::remove_file(folder.path("out.tif")).unwrap();
    }
    assert!(killed > 0, "{options}: no run was slow enough to be killed");
}

#[test]
fn a_job_that_is_killed_goes_on_to_the_same_bytes() {
    check_kills(false, "", 4);
    check_kills(false, "--co INTERLEAVE=BAND --compress zstd", 3);
    check_kills(true, "--method mean", 3);
}

#[test]
fn overviews_are_made_of_what_stood_in_the_file_too() {
    check_kills(false, "--overviews 2,4,8", 3);
    check_kills(true, "--format cog", 3);
    check_kills(false, "--format cog --overview-resampling cubic", 2);
}

/// A part that a killed run left.
fn leave_part(folder: &Folder) {
    write_overlapping(folder, false);
    leave_part_of(folder, JOB);
}

/// A part that a killed run of this job left.
fn leave_part_of(folder: &Folder, job: &str) {
    let mut lines = 8;
    while !killed_at(folder, job, lines) {
        fs::remove_file(folder.path("out.tif")).unwrap();
        lines = 2 + lines / 2;
    }
    assert!(entries(folder) > 0);
}

#[test]
fn half_a_header_of_a_run_that_died_as_it_went_on_is_made_anew() {
    let folder = Folder::new();
    leave_part(&folder);
    let part = folder.names().into_iter().find(|name| name.ends_with(".partial")).unwrap();
    folder.run(&JOB.replace("out.tif", "wanted.tif")).done();
    // Directories that lead nowhere: a GeoTIFF by its first bytes, which GDAL cannot open.
    let half = folder.read("wanted.tif")[..16].to_vec();
    folder.write(&format!("{part}.header"), half);
    folder.write(&format!("{part}.header.aux.xml"), "<PAMDataset>");
    folder.run(&format!("{JOB} --resume")).done();
    assert!(folder.read("out.tif") == folder.read("wanted.tif"));
    assert!(folder.names().iter().all(|name| !name.contains(".partial")), "{:?}", folder.names());
}

#[test]
fn an_image_on_its_way_behind_its_overviews_arrives() {
    let folder = Folder::new();
    write_overlapping(&folder, true);
    let job = format!("{JOB} --format cog --compress none");
    folder.run(&job.replace("out.tif", "wanted.tif")).done();
    let moves = |folder: &Folder| {
        let index = folder.names().into_iter().find(|name| name.ends_with(".partial.index"));
        let text = index.map(|name| fs::read_to_string(folder.path(name)).unwrap_or_default());
        text.is_some_and(|text| text.contains("moving_by"))
    };
    let mut killed = 0;
    for wait in [0, 0, 0, 300, 1000, 3000] {
        let mut child = start(&folder, &format!("{job} --resume"));
        while !moves(&folder) && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(50));
        }
        std::thread::sleep(Duration::from_micros(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        killed += usize::from(!folder.path("out.tif").exists());
        folder.run(&format!("{job} --resume --overwrite")).done();
        assert!(folder.read("out.tif") == folder.read("wanted.tif"));
        fs::remove_file(folder.path("out.tif")).unwrap();
    }
    assert!(killed > 0, "no run was killed in time");
}

#[test]
fn without_a_word_of_it_a_part_is_named_and_left_and_clean_removes_it() {
    let folder = Folder::new();
    leave_part(&folder);
    let before = folder.names();
    folder.run(JOB).done().names(&[".partial", "--resume", "mosaic-stream clean"]);
    let after = folder.names();
    assert_eq!(after.difference(&before).collect::<Vec<_>>(), ["out.tif"]);
    let mut clean = folder.command(&["clean", "out.tif"]);
    Outcome::of(&mut clean).done().names(&["removed", ".partial"]);
    assert!(!folder.names().iter().any(|name| name.starts_with('.')), "{:?}", folder.names());
    Outcome::of(&mut clean).done().names(&["nothing is left"]);
    assert!(folder.path("out.tif").exists());
}

#[test]
fn of_two_parts_of_a_job_one_is_gone_on_with_and_the_other_is_told() {
    let folder = Folder::new();
    leave_part(&folder);
    let left: Vec<_> = folder.names().into_iter().filter(|name| name.starts_with(".out.tif.")).collect();
    let part = left.iter().find(|name| name.ends_with(".partial")).unwrap();
    for name in &left {
        let copy = name.replace(part.as_str(), ".out.tif.copied.partial");
        fs::copy(folder.path(name), folder.path(copy)).unwrap();
    }
    let told =
        folder.run(&format!("{JOB} --resume")).done().names(&["an earlier run left", "mosaic-stream clean"]);
    let parts: Vec<_> = folder.names().into_iter().filter(|name| name.ends_with(".partial")).collect();
    assert!(parts.len() == 1 && told.stderr.contains(&parts[0]), "{parts:?}: {}", told.stderr);
}

#[test]
fn outputs_with_long_names_that_begin_alike_do_not_touch_each_others_parts() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    let [one, other] = ["1", "2"].map(|end| format!("{}{end}.tif", "y".repeat(220)));
    let mut lines = 8;
    while entries(&folder) == 0 {
        killed_at(&folder, &JOB.replace("out.tif", &one), lines);
        let _ = fs::remove_file(folder.path(&one));
        lines = 2 + lines / 2;
    }
    let before = folder.names();
    Outcome::of(&mut folder.command(&["clean", &other])).done().names(&["nothing is left"]);
    folder.run(&format!("{} --resume", JOB.replace("out.tif", &other))).done();
    assert_eq!(folder.names().difference(&before).collect::<Vec<_>>(), [&other]);
    assert!(before.is_subset(&folder.names()));
    folder.run(&format!("{} --resume --overwrite", JOB.replace("out.tif", &one))).done();
    assert!(folder.read(&one) == folder.read(&other));
    assert!(!folder.names().iter().any(|name| name.starts_with('.')), "{:?}", folder.names());
}

#[test]
fn a_part_of_another_job_is_refused_and_what_differs_is_told() {
    let folder = Folder::new();
    leave_part(&folder);
    let before = folder.names();
    let resumed = |change: &str| folder.run(&format!("{JOB} --resume {change}")).refused();
    resumed("--method first").names(&["--method", "last then", "first now", "mosaic-stream clean out.tif"]);
    resumed("--bands 2,1").names(&["--bands: not given then, 2,1 now"]);
    let many = "--nodata 0 --src-nodata nan --overviews 2,4 --min-count 2 --co ZLEVEL=9 \
                --compress deflate --resolution 0.5,1";
    let outcome = resumed(many).names(&[
        "--nodata: not given then, 0 now",
        "--src-nodata: not given then, nan now",
        "--overviews: not given then, 2,4 now",
        "--co: not given then, ZLEVEL=9 now",
        "--resolution: same then, 0.5,1 now",
    ]);
    assert!(!outcome.stderr.contains("Some"), "{}", outcome.stderr);
    Source::new(300, 300).bands(3).at(0.0, 0.0).write(folder.path("in0.tif"));
    resumed("").names(&["in0.tif", "bytes"]);
    assert_eq!(folder.names(), before);
}

fn time_of(folder: &Folder, name: &str) -> SystemTime {
    fs::metadata(folder.path(name)).unwrap().modified().unwrap()
}

fn set_time(folder: &Folder, name: &str, time: SystemTime) {
    fs::File::options().write(true).open(folder.path(name)).unwrap().set_modified(time).unwrap();
}

#[test]
fn what_an_input_refers_to_and_what_lies_beside_it_counts_as_the_input() {
    for virtual_raster in [true, false] {
        let folder = Folder::new();
        write_overlapping(&folder, false);
        folder.tool("gdalbuildvrt -q in.vrt in0.tif in1.tif in2.tif in3.tif");
        let job = match virtual_raster {
            true => JOB.replace("in0.tif in1.tif in2.tif in3.tif", "in.vrt"),
            false => JOB.into(),
        };
        folder.run(&job.replace("out.tif", "wanted.tif")).done();
        leave_part_of(&folder, &job);
        let resume = format!("{job} --resume");
        let before = time_of(&folder, "in1.tif");
        set_time(&folder, "in1.tif", before + Duration::from_secs(1));
        folder.run(&resume).refused().names(&["in1.tif", "then", "now"]);
        set_time(&folder, "in1.tif", before);
        folder.write("in2.tif.aux.xml", "<PAMDataset/>");
        folder.run(&resume).refused().names(&["in2.tif.aux.xml: not there then"]);
        folder.run(&format!("{resume} --isolate 1")).refused().names(&["in2.tif.aux.xml: not there then"]);
        fs::remove_file(folder.path("in2.tif.aux.xml")).unwrap();
        folder.run(&resume).done();
        assert!(folder.read("out.tif") == folder.read("wanted.tif"));
    }
}

#[test]
fn an_archive_counts_as_the_inputs_in_it() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    folder.tool("/usr/bin/python3 -m zipfile -c in.zip in0.tif in1.tif in2.tif in3.tif");
    let inputs = (0..4).map(|index| format!("/vsizip/in.zip/in{index}.tif")).collect::<Vec<_>>();
    let job = JOB.replace("in0.tif in1.tif in2.tif in3.tif", &inputs.join(" "));
    leave_part_of(&folder, &job);
    let before = time_of(&folder, "in.zip");
    set_time(&folder, "in.zip", before + Duration::from_secs(1));
    folder.run(&format!("{job} --resume")).refused().names(&["in.zip/in0.tif", "then", "now"]);
    set_time(&folder, "in.zip", before);
    folder.run(&format!("{job} --resume")).done();
}

#[test]
fn a_world_file_counts_as_the_input_it_places() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    let plain = "gdal_translate -q -co PROFILE=BASELINE -co TFW=YES";
    for index in 0..4 {
        folder.tool(&format!("{plain} in{index}.tif w{index}.tif"));
        let _ = fs::remove_file(folder.path(format!("w{index}.tif.aux.xml")));
    }
    let job = JOB.replace("in0.tif in1.tif in2.tif in3.tif", "w0.tif w1.tif w2.tif w3.tif");
    leave_part_of(&folder, &job);
    fs::copy(folder.path("w0.tfw"), folder.path("w1.tfw")).unwrap();
    folder.run(&format!("{job} --resume")).refused().names(&["w1.tif", "geotransform", "then", "now"]);
}

#[test]
fn what_documents_say_of_scenes_counts_as_the_inputs() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    let write = |offset: f64, day: u32| {
        let item = |index: usize| {
            let offset = if index > 0 { offset } else { 0.0 };
            format!(
                r#"{{"type": "Feature", "id": "s{index}", "properties":
                    {{"platform": "sentinel-2a", "datetime": "2024-01-0{day}T10:00:00Z"}},
                    "assets": {{"red": {{"href": "in{index}.tif", "raster:bands": [{{"scale": 1, "offset": {offset}}}]}}}}}}"#
            )
        };
        let items: Vec<String> = (0..4).map(item).collect();
        let items = format!(r#"{{"type": "FeatureCollection", "features": [{}]}}"#, items.join(","));
        folder.write("items.json", items);
    };
    write(-1.0, 1);
    let job = JOB.replace("in0.tif in1.tif in2.tif in3.tif", "--stac items.json --bands red --method max");
    leave_part_of(&folder, &job);
    let changed = "--from 2024-01-01 --order=-date --mask-band red --mask-values=-3--1,4,8-11";
    folder.run(&format!("{job} --resume {changed}")).refused().names(&[
        "--from: not given then, 2024-01-01 now",
        "--order: given then, -date now",
        "--mask-values: not given then, -3--1,4,8-11 now",
    ]);
    write(-2.0, 1);
    folder.run(&format!("{job} --resume")).refused().names(&["scene s1", "added", "then", "now"]);
    write(-1.0, 2);
    folder.run(&format!("{job} --resume")).refused().names(&["scene s0", "2024-01-01", "2024-01-02"]);
    write(-1.0, 1);
    folder.run(&format!("{job} --resume")).done();
}

#[test]
fn with_nothing_to_go_on_with_a_job_begins_afresh() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    folder.run(&JOB.replace("out.tif", "wanted.tif")).done();
    // What was left before the first entry says nothing, nor does an index whose part was never made.
    folder.write(".out.tif.abc123.partial", "header");
    folder.write(".out.tif.abc123.partial.index", "0123 {\"job\"");
    folder.write(".out.tif.def456.partial.index", "");
    folder.run(&format!("{JOB} --resume")).done();
    assert!(folder.read("out.tif") == folder.read("wanted.tif"));
    assert!(!folder.names().iter().any(|name| name.starts_with('.')), "{:?}", folder.names());
}

#[test]
fn blocks_that_are_not_as_they_were_stored_are_made_again_whatever_happens_then() {
    for again in [false, true] {
        let folder = Folder::new();
        leave_part(&folder);
        folder.run(&JOB.replace("out.tif", "wanted.tif")).done();
        let part = folder.names().into_iter().find(|name| name.ends_with(".partial")).unwrap();
        let mut bytes = folder.read(&part);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        folder.write(&part, &bytes);
        let resume = format!("{JOB} --resume --verify full");
        // What was made again stands in the index a second time.
        if !again || killed_at(&folder, &resume, entries(&folder) + 2) {
            folder.run(&resume).done();
        }
        assert!(folder.read("out.tif") == folder.read("wanted.tif"));
    }
}

#[test]
fn what_a_full_disk_left_goes_on_when_there_is_room() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    folder.run(&JOB.replace("out.tif", "wanted.tif")).done();
    let size = folder.read("wanted.tif").len();
    for tenths in 1..10 {
        // The unit is 1024 bytes.
        let script = format!(
            "trap '' XFSZ; ulimit -f {}; exec '{}' {JOB}",
            size * tenths / 10_240,
            env!("CARGO_BIN_EXE_mosaic-stream")
        );
        let mut command = Command::new("bash");
        command.args(["-c", &script]);
        folder.isolate(&mut command);
        Outcome::of(&mut command).ended(1).names(&["out.tif"]);
        // Whether anything was kept or not, which is a matter of time.
        folder.run(&format!("{JOB} --resume")).done();
        assert!(folder.read("out.tif") == folder.read("wanted.tif"), "{tenths} tenths");
        fs::remove_file(folder.path("out.tif")).unwrap();
        assert!(!folder.names().iter().any(|name| name.starts_with('.')), "{:?}", folder.names());
    }
}

#[test]
fn what_differs_decides_whether_a_job_goes_on_and_not_which_time_is_later() {
    let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let (past, future) = (at(1_000_000), at(4_000_000_000));
    let folder = Folder::new();
    leave_part(&folder);
    for time in [past, future] {
        folder
            .names()
            .iter()
            .filter(|name| name.starts_with('.'))
            .for_each(|name| set_time(&folder, name, time));
        let before = time_of(&folder, "in0.tif");
        set_time(&folder, "in0.tif", time);
        folder.run(&format!("{JOB} --resume")).refused().names(&["in0.tif", "then", "now"]);
        set_time(&folder, "in0.tif", before);
    }
    folder.run(&format!("{JOB} --resume")).done();
    folder.run(&JOB.replace("out.tif", "wanted.tif")).done();
    assert!(folder.read("out.tif") == folder.read("wanted.tif"));
}

#[test]
fn of_two_runs_that_make_one_file_the_second_is_refused() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    // What a run that is at work holds.
    folder.write(".out.tif.zzz999.partial", "");
    let index = fs::File::create(folder.path(".out.tif.zzz999.partial.index")).unwrap();
    index.lock().unwrap();
    let before = folder.names();
    for resume in ["", "--resume"] {
        folder.run(&format!("{JOB} {resume}")).refused().names(&["out.tif", "another run"]);
        assert_eq!(folder.names(), before);
    }
    let mut clean = folder.command(&["clean", "out.tif"]);
    Outcome::of(&mut clean).refused().names(&["a run is at work on it"]);
    drop(index);
    folder.run(JOB).done();
}

#[test]
fn a_part_is_not_lost_to_whoever_would_go_on_with_it_while_another_run_is_at_work() {
    let folder = Folder::new();
    leave_part(&folder);
    folder.write(".out.tif.zzzzzz.partial", "");
    let index = fs::File::create(folder.path(".out.tif.zzzzzz.partial.index")).unwrap();
    index.lock().unwrap();
    let before = folder.names();
    folder.run(&format!("{JOB} --resume")).refused().names(&["another run"]);
    assert_eq!(folder.names(), before);
}

#[test]
fn a_file_that_cannot_take_its_name_is_kept_for_another_run() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    folder.run(&JOB.replace("out.tif", "wanted.tif")).done();
    // Begun again where the job was done before the name could be taken.
    let (mut child, mut other) = (begin(&folder), fs::File::create_new(folder.path("out.tif")));
    while other.is_err() {
        assert!(child.wait().unwrap().success());
        fs::remove_file(folder.path("out.tif")).unwrap();
        (child, other) = (begin(&folder), fs::File::create_new(folder.path("out.tif")));
    }
    other.unwrap().write_all(b"somebody else's").unwrap();
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("out.tif exists already") && told.contains("--resume"), "{told}");
    assert_eq!(folder.read("out.tif"), b"somebody else's");
    folder.run(&format!("{JOB} --resume --overwrite")).done();
    assert!(folder.read("out.tif") == folder.read("wanted.tif"));
    assert!(!folder.names().iter().any(|name| name.starts_with('.')), "{:?}", folder.names());
}

#[test]
fn an_interrupted_job_keeps_what_it_made_and_says_how_to_go_on() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    folder.run(&JOB.replace("out.tif", "wanted.tif")).done();
    let child = begin(&folder);
    let id = child.id().to_string();
    // It may have ended in the meantime.
    let _ = Command::new("kill").args(["-INT", &id]).stderr(Stdio::null()).status().unwrap();
    let ended = child.wait_with_output().unwrap();
    if ended.status.success() {
        return;
    }
    assert_eq!(ended.status.code(), Some(130));
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(told.contains("--resume") && told.contains("mosaic-stream clean"), "{told}");
    folder.run(&format!("{JOB} --resume")).done();
    assert!(folder.read("out.tif") == folder.read("wanted.tif"));
}
