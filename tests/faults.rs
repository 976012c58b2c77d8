//! What goes wrong outside: bad inputs, outputs that are in the way, disks that are full, signals, too little memory.
//! Whatever happens, the output's name holds the old file or the whole new one, and nothing else stays behind.

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Folder, Outcome, Source, Tiff, random};
use gdal::DriverManager;
use gdal::version::VersionInfo;

/// A source of noise whose codes do not compress.
fn noise(side: usize, seed: u64) -> Source {
    let options = "TILED=YES BLOCKXSIZE=128 BLOCKYSIZE=128 COMPRESS=DEFLATE";
    Source::new(side, side)
        .options(options)
        .pixels(move |band, x, y| i128::from(random(seed, band, x, y) % 256))
}

/// `good.tif` and `other.tif` beside one file that is missing, one that is cut in its header and one that is text.
fn write_mixed_lot(folder: &Folder) {
    noise(300, 1).write(folder.path("good.tif"));
    noise(300, 2).at(300.0, 0.0).write(folder.path("other.tif"));
    let whole = folder.read("good.tif");
    folder.write("cut.tif", &whole[..6]);
    folder.write("text.tif", "no raster at all");
}

#[test]
fn bad_inputs_are_listed_all_at_once_and_nothing_is_written() {
    let folder = Folder::new();
    write_mixed_lot(&folder);
    let before = folder.names();
    let outcome = folder.run("missing.tif good.tif cut.tif text.tif other.tif -o out.tif").ended(1);
    outcome.names(&["missing.tif", "cut.tif", "text.tif"]);
    assert_eq!(folder.names(), before);
}

#[test]
fn inputs_may_be_skipped_and_are_then_listed() {
    let folder = Folder::new();
    write_mixed_lot(&folder);
    let line =
        "missing.tif good.tif cut.tif text.tif other.tif -o out.tif --on-error skip --report report.json";
    folder.run(line).done().names(&["missing.tif", "cut.tif", "text.tif"]);
    folder.run("good.tif other.tif -o wanted.tif").done();
    assert!(folder.read("out.tif") == folder.read("wanted.tif"));
    let report: serde_json::Value = serde_json::from_slice(&folder.read("report.json")).unwrap();
    let skipped = report["inputs"]["skipped"].as_array().unwrap();
    assert_eq!(skipped.len(), 3, "{skipped:?}");
    for (name, entry) in ["missing.tif", "cut.tif", "text.tif"].iter().zip(skipped) {
        assert!(entry.to_string().contains(name), "{entry}");
    }
    assert_eq!(report["inputs"]["used"].as_array().unwrap().len(), 2);
}

#[test]
fn skipping_every_input_is_an_error() {
    let folder = Folder::new();
    folder.write("text.tif", "no raster at all");
    folder
        .run("text.tif missing.tif -o out.tif --on-error skip")
        .ended(1)
        .names(&["text.tif", "missing.tif"]);
    assert!(!folder.path("out.tif").exists());
}

#[test]
fn a_source_whose_pixels_are_cut_short_is_named_and_leaves_nothing() {
    let folder = Folder::new();
    noise(600, 1).write(folder.path("good.tif"));
    noise(600, 2).at(600.0, 0.0).write(folder.path("short.tif"));
    let whole = folder.read("short.tif");
    folder.write("short.tif", &whole[..whole.len() / 2]);
    let before = folder.names();
    folder.run("good.tif short.tif -o out.tif").ended(1).names(&["short.tif"]);
    assert_eq!(folder.names(), before);
}

#[test]
fn a_vrt_that_points_nowhere_is_an_error() {
    let folder = Folder::new();
    noise(300, 1).write(folder.path("inner.tif"));
    folder.tool("gdalbuildvrt -q outer.vrt inner.tif");
    std::fs::remove_file(folder.path("inner.tif")).unwrap();
    folder.run("outer.vrt -o out.tif").ended(1).names(&["inner.tif"]);
    assert_eq!(folder.names(), ["outer.vrt".to_owned()].into());
}

#[test]
fn an_output_that_exists_is_refused_unless_it_may_be_replaced() {
    let folder = Folder::new();
    noise(300, 1).write(folder.path("a.tif"));
    folder.write("out.tif", "something precious");
    folder.run("a.tif -o out.tif").refused().names(&["out.tif", "--overwrite"]);
    assert_eq!(folder.read("out.tif"), b"something precious");
    folder.run("a.tif -o out.tif --overwrite").done();
    assert_eq!(folder.raster("out.tif").pixels(1), folder.raster("a.tif").pixels(1));
    assert_eq!(folder.names(), ["a.tif", "out.tif"].map(String::from).into());
}

#[test]
fn an_output_that_is_an_input_is_refused_however_it_is_spelled() {
    let folder = Folder::new();
    noise(300, 1).write(folder.path("a.tif"));
    noise(300, 2).write(folder.path("b.tif"));
    std::os::unix::fs::symlink(folder.path("a.tif"), folder.path("link.tif")).unwrap();
    std::fs::create_dir(folder.path("sub")).unwrap();
    let (before, content) = (folder.names(), folder.read("a.tif"));
    let absolute = folder.path("a.tif");
    for output in ["a.tif", "./a.tif", "sub/../a.tif", "link.tif", absolute.to_str().unwrap()] {
        folder.run(&format!("a.tif b.tif -o {output} --overwrite")).refused().names(&["input"]);
        assert!(folder.read("a.tif") == content, "{output}");
        assert_eq!(folder.names(), before, "{output}");
    }
    folder.run("link.tif b.tif -o a.tif --overwrite").refused();
    assert!(folder.read("a.tif") == content);
}

#[test]
fn a_dash_is_no_file_to_write() {
    let folder = Folder::new();
    Source::new(8, 8).write(folder.path("a.tif"));
    folder.run("a.tif -o -").refused().names(&["-: is no file", "stdout", "./-"]);
    folder.run("a.tif -o out.tif --report -").refused().names(&["-: is no file", "/dev/stdout", "--report"]);
    folder.run("a.tif -o ./-").done();
    assert!(folder.path("-").exists());
}

#[test]
fn an_output_folder_that_is_missing_is_named() {
    let folder = Folder::new();
    noise(300, 1).write(folder.path("a.tif"));
    folder.run("a.tif -o nowhere/out.tif").refused().names(&["nowhere"]);
    folder.run("a.tif -o a.tif/out.tif").refused().names(&["a.tif"]);
    assert_eq!(folder.names(), ["a.tif".to_owned()].into());
}

#[test]
fn an_output_folder_that_cannot_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    noise(300, 1).write(folder.path("a.tif"));
    std::fs::create_dir(folder.path("locked")).unwrap();
    let allow = |mode| {
        std::fs::set_permissions(folder.path("locked"), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    allow(0o555);
    // Root may write anywhere.
    let is_root = std::fs::write(folder.path("locked/probe"), "").is_ok();
    if is_root {
        println!("skipped: this user may write into a folder without write permission");
    } else {
        folder.run("a.tif -o locked/out.tif").refused().names(&["locked"]);
    }
    allow(0o755);
}

/// Runs the program under a limit of file sizes, with the signal of the limit as `signal` says.
fn run_with_limit(folder: &Folder, signal: &str, line: &str) -> Outcome {
    let binary = env!("CARGO_BIN_EXE_mosaic-stream");
    let mut command = Command::new("bash");
    // The unit is 1024 bytes.
    command.args(["-c", &format!("{signal} ulimit -c 0; ulimit -f 200; exec '{binary}' {line}")]);
    folder.isolate(&mut command);
    Outcome::of(&mut command)
}

#[test]
fn a_full_disk_is_an_error_and_the_old_output_survives() {
    let folder = Folder::new();
    noise(1000, 1).write(folder.path("a.tif"));
    folder.write("old.tif", "something precious");
    let before = folder.names();
    for signal in ["trap '' XFSZ;", ""] {
        for options in ["", "--verify none", "--threads 4 --chunk 128 --block 128"] {
            let outcome = run_with_limit(&folder, signal, &format!("a.tif -o out.tif {options}")).ended(1);
            outcome.names(&["out.tif"]);
            assert_eq!(folder.names(), before, "'{signal}' {options}");
        }
        run_with_limit(&folder, signal, "a.tif -o old.tif --overwrite").ended(1);
        assert_eq!(folder.read("old.tif"), b"something precious");
        assert_eq!(folder.names(), before);
    }
}

#[test]
fn the_old_output_survives_a_run_that_fails() {
    let folder = Folder::new();
    noise(512, 1).write(folder.path("a.tif"));
    let mut bytes = folder.read("a.tif");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 30_000].fill(0xff);
    folder.write("a.tif", bytes);
    folder.write("old.tif", "something precious");
    folder.run("a.tif -o old.tif --overwrite").ended(1);
    assert_eq!(folder.read("old.tif"), b"something precious");
    assert_eq!(folder.names(), ["a.tif", "old.tif"].map(String::from).into());
}

/// A source whose mosaic takes many seconds: noise read again and again until 1.6 thousand million pixels are full.
fn write_endless(folder: &Folder) {
    write_long(folder, 40_960);
}

/// A virtual raster of that many columns and rows, `endless.vrt`, of `noise.tif`.
fn write_long(folder: &Folder, side: usize) {
    noise(1024, 5).write(folder.path("noise.tif"));
    folder
        .tool(&format!("gdal_translate -q -of VRT -outsize {side} {side} -r nearest noise.tif endless.vrt"));
}

/// Waits until something that was not in the folder before appears there.
fn wait_for_work(folder: &Folder, before: &std::collections::BTreeSet<String>, child: &mut Child) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while folder.names() == *before {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be interrupted");
        assert!(Instant::now() < deadline, "no work was seen");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
}

/// Waits for the end, so that a program that does not stop fails the test instead of holding it up.
fn wait_for_end(child: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it did not stop");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn interrupted_by(signal: i32, options: &str) {
    let folder = Folder::new();
    write_endless(&folder);
    folder.write("old.tif", "something precious");
    let before = folder.names();
    let line = format!("endless.vrt -o old.tif --overwrite {options}");
    let mut command = folder.command(&line.split_whitespace().collect::<Vec<_>>());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_work(&folder, &before, &mut child);
    // SAFETY: the child was started here and has not been waited for, so its number is still its own.
    assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
    assert_eq!(wait_for_end(&mut child), Some(130), "signal {signal} {options}");
    assert_eq!(folder.names(), before, "signal {signal} {options}");
    assert_eq!(folder.read("old.tif"), b"something precious");
}

#[test]
fn ctrl_c_cleans_up_and_ends_with_130() {
    interrupted_by(libc::SIGINT, "--threads 1");
}

#[test]
fn a_request_to_terminate_cleans_up_and_ends_with_130() {
    interrupted_by(libc::SIGTERM, "--threads 2 --chunk 512");
}

#[test]
fn a_job_started_by_nohup_outlives_its_terminal() {
    let folder = Folder::new();
    write_endless(&folder);
    let before = folder.names();
    let mut command = folder.command(&["endless.vrt", "-o", "out.tif", "--threads", "1"]);
    // SAFETY: between fork and exec one signal is ignored, as nohup does; that runs no code of this process.
    unsafe {
        std::os::unix::process::CommandExt::pre_exec(&mut command, || {
            libc::signal(libc::SIGHUP, libc::SIG_IGN);
            Ok(())
        });
    }
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_work(&folder, &before, &mut child);
    for (signal, ended) in [(libc::SIGHUP, false), (libc::SIGTERM, true)] {
        // SAFETY: the child was started here and has not been waited for, so its number is still its own.
        assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
        if ended {
            assert_eq!(wait_for_end(&mut child), Some(130));
        } else {
            std::thread::sleep(Duration::from_millis(500));
            assert!(child.try_wait().unwrap().is_none(), "it ended by a signal that it was to ignore");
        }
    }
    assert_eq!(folder.names(), before);
}

#[test]
fn a_file_that_an_input_refers_to_or_that_comes_beside_it_may_not_change_while_the_job_runs() {
    for changed in ["noise.tif", "noise.tif.aux.xml"] {
        let folder = Folder::new();
        write_long(&folder, 10_240);
        let before = folder.names();
        let words = ["endless.vrt", "-o", "out.tif", "--threads", "1", "--chunk", "512"];
        let mut command = folder.command(&words);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for_work(&folder, &before, &mut child);
        match changed {
            "noise.tif" => {
                let file = std::fs::File::options().write(true).open(folder.path(changed)).unwrap();
                file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
            }
            _ => folder.write(changed, "<PAMDataset/>"),
        }
        let ended = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{told}");
        assert!(told.contains(changed) && told.contains("while the job ran"), "{told}");
        assert!(!folder.path("out.tif").exists());
    }
}

/// Every amount such as `96 MiB` or `1.5GiB` in a text, in bytes.
fn amounts(text: &str) -> Vec<f64> {
    let units = [("KiB", 1024.0), ("MiB", 1048576.0), ("GiB", 1073741824.0)];
    let mut found = Vec::new();
    for (unit, bytes) in units {
        for (position, _) in text.match_indices(unit) {
            let before = text[..position].trim_end();
            let start = before.rfind(|c: char| !c.is_ascii_digit() && c != '.').map_or(0, |at| at + 1);
            found.extend(before[start..].parse::<f64>().map(|number| number * bytes));
        }
    }
    found
}

#[test]
fn too_little_memory_is_refused_before_work_with_the_least_that_works() {
    let folder = Folder::new();
    noise(1024, 1).write(folder.path("a.tif"));
    let before = folder.names();
    let outcome = folder.run("a.tif -o out.tif --memory 2MiB").ended(1).names(&["memory"]);
    assert_eq!(folder.names(), before);
    let least = amounts(&outcome.stderr).into_iter().fold(0.0, f64::max);
    assert!(least > 2.0 * 1048576.0, "no least amount is named: {}", outcome.stderr);
    // One more MiB for what was cut off when the amount was printed.
    let memory = (least / 1048576.0).ceil() as u64 + 1;
    folder.run(&format!("a.tif -o out.tif --memory {memory}MiB")).done();
    assert!(Path::new(&folder.path("out.tif")).exists());
}

#[test]
fn wrong_usage_ends_with_2() {
    let folder = Folder::new();
    noise(64, 1).write(folder.path("a.tif"));
    for line in [
        "",
        "a.tif",
        "a.tif -o out.tif --no-such-flag",
        "a.tif -o out.tif --method average",
        "a.tif -o out.tif --chunk many",
        "a.tif -o out.tif --block 100",
        "a.tif -o out.tif --chunk 700 --block 512",
        "a.tif -o out.tif --threads 0",
        "a.tif -o out.tif --bounds 1,2,3",
        "a.tif -o out.tif --dtype CFloat32",
        "a.tif -o out.tif --memory lots",
    ] {
        let outcome = folder.run(line).ended(2);
        assert!(!outcome.stderr.trim().is_empty(), "'{line}' is refused without a word");
        assert_eq!(folder.names(), ["a.tif".to_owned()].into(), "{line}");
    }
}

#[test]
fn whatever_is_in_the_outputs_way_is_found_before_the_work() {
    let folder = Folder::new();
    noise(64, 1).write(folder.path("a.tif"));
    folder.write("side.tif.aux.xml", "<PAMDataset/>");
    std::os::unix::fs::symlink("nowhere.tif", folder.path("link.tif")).unwrap();
    folder.tool("mkfifo pipe.tif");
    let before = folder.names();
    let long = format!("{}.tif", "y".repeat(252));
    for (output, told) in [
        ("side.tif", "side.tif.aux.xml: exists"),
        ("link.tif", "exists"),
        ("pipe.tif --overwrite", "regular"),
        (long.as_str(), "name"),
    ] {
        folder.run(&format!("a.tif -o {output} --dry-run")).ended(1).names(&[told]);
        folder.run(&format!("a.tif -o {output}")).ended(1).names(&[told]);
        assert_eq!(folder.names(), before, "{output}");
    }
}

#[test]
fn names_that_are_not_utf8_are_told_all_at_once_also_of_a_glob() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    noise(64, 1).write(folder.path("a.tif"));
    std::fs::create_dir(folder.path("sub")).unwrap();
    for name in [&b"one\xff.tif"[..], b"two\xfe.tif"] {
        std::fs::copy(folder.path("a.tif"), folder.path("sub").join(OsStr::from_bytes(name))).unwrap();
    }
    for inputs in ["sub", "sub/*.tif", "**/*.tif"] {
        folder.run(&format!("{inputs} -o out.tif")).ended(1).names(&["one", "two", "UTF-8"]);
    }
    assert!(!folder.path("out.tif").exists());
}

#[test]
fn a_name_or_path_too_long_for_what_is_made_on_the_way_is_refused_before_the_work() {
    let folder = Folder::new();
    noise(64, 1).write(folder.path("a.tif"));
    let longest = format!("{}.tif", "y".repeat(243));
    folder.run(&format!("a.tif -o {longest}")).done();
    folder.run(&format!("a.tif -o y{longest}")).ended(1).names(&["too long"]);
    assert!(!folder.path(format!("y{longest}")).exists());
    let deep = vec!["d".repeat(199); 11].join("/");
    std::fs::create_dir_all(folder.path(&deep)).unwrap();
    folder.run(&format!("a.tif -o {deep}/out.tif")).ended(1).names(&["too long"]);
    std::fs::copy(folder.path("a.tif"), folder.path(&deep).join("in.tif")).unwrap();
    let input = folder.run(&format!("{deep}/in.tif -o out.tif"));
    match VersionInfo::version_num().parse::<u32>().unwrap() < 3_11_00_00 {
        true => drop(input.refused().names(&["too long"])),
        // Later ones have room for it.
        false => drop(input.done()),
    }
}

#[test]
fn a_report_never_takes_the_place_of_a_raster() {
    let folder = Folder::new();
    noise(64, 1).write(folder.path("a.tif"));
    let input = folder.read("a.tif");
    for (report, told) in [
        ("./a.tif", "the input a.tif"),
        ("./out.tif", "the output"),
        (".", "is a folder"),
        ("nowhere/report.json", "there is no folder nowhere"),
    ] {
        for dry in ["--dry-run", ""] {
            folder.run(&format!("a.tif -o out.tif --report {report} {dry}")).ended(1).names(&[told]);
        }
        assert_eq!(folder.read("a.tif"), input, "{report}");
        assert!(!folder.path("out.tif").exists(), "{report}");
    }
}

/// Runs of a mosaic that would write over `kept`: refused, and everything stays as it was.
fn refused_for(folder: &Folder, lines: &[&str], kept: &[&str]) {
    let contents = |folder: &Folder| kept.iter().map(|name| folder.read(name)).collect::<Vec<_>>();
    let (before, names) = (contents(folder), folder.names());
    for line in lines {
        for dry in ["--dry-run", ""] {
            folder.run(&format!("{line} {dry}")).refused().names(&["at once"]);
            assert!(contents(folder) == before && folder.names() == names, "{line} {dry}");
        }
    }
}

#[test]
fn nothing_that_an_input_refers_to_or_that_names_inputs_is_written_over() {
    let folder = Folder::new();
    noise(64, 1).write(folder.path("a.tif"));
    noise(64, 2).at(64.0, 0.0).write(folder.path("b.tif"));
    folder.tool("gdalbuildvrt -q v.vrt a.tif b.tif");
    folder.tool("gdalbuildvrt -q outer.vrt v.vrt");
    folder.write("list.txt", "a.tif\n");
    std::fs::copy(folder.path("a.tif"), folder.path("c.tif.ovr")).unwrap();
    let part = "--overwrite --bounds 0,-10,10,0";
    refused_for(
        &folder,
        &[
            "v.vrt -o o.tif --report b.tif",
            "outer.vrt -o o.tif --report ./b.tif",
            &format!("v.vrt -o b.tif {part}"),
            &format!("vrt://a.tif?bands=1 -o a.tif {part}"),
            &format!("c.tif.ovr -o c.tif {part}"),
            "@list.txt -o o.tif --report list.txt",
            "@list.txt -o list.txt --overwrite",
        ],
        &["a.tif", "b.tif", "v.vrt", "list.txt", "c.tif.ovr"],
    );
    folder.write("c.toml", "threads = 1\n");
    for line in ["-o o.tif --report c.toml", "-o ./c.toml --overwrite"] {
        folder.run(&format!("a.tif --config c.toml {line}")).ended(2).names(&["settings file"]);
    }
    assert_eq!(folder.read("c.toml"), b"threads = 1\n");
    folder.run("v.vrt -o o.tif --report r.json").done();
}

#[test]
fn a_document_of_scenes_is_not_written_over() {
    let folder = Folder::new();
    noise(64, 1).write(folder.path("a.tif"));
    let item = r#"{"type": "Feature", "stac_version": "1.0.0", "id": "s", "properties": {"datetime": "2024-05-01T00:00:00Z"},
        "assets": {"B04": {"href": "a.tif"}}}"#;
    folder.write("item.json", item);
    refused_for(
        &folder,
        &["--stac item.json -o o.tif --bands B04 --report item.json"],
        &["a.tif", "item.json"],
    );
    folder.run("--stac item.json -o o.tif --bands B04 --report r.json").done();
}

#[test]
fn a_report_is_not_written_over_the_new_output_through_a_link() {
    let folder = Folder::new();
    noise(64, 1).write(folder.path("a.tif"));
    std::os::unix::fs::symlink("o.tif", folder.path("r.json")).unwrap();
    refused_for(
        &folder,
        &["a.tif -o o.tif --report r.json", "a.tif -o o.tif --report o.tif.aux.xml"],
        &["a.tif"],
    );
    folder.run("a.tif -o p.tif --report r.json").done();
    assert!(folder.read("o.tif").starts_with(b"{"), "a report goes where its link leads");
}

#[test]
fn an_output_that_a_finished_file_could_not_be_renamed_to_is_refused_before_the_work() {
    let folder = Folder::new();
    noise(64, 1).write(folder.path("a.tif"));
    let before = folder.names();
    for line in ["-o out.tif/", "-o out.tif/.", "-o out.tif --report r.json/"] {
        folder.run(&format!("a.tif {line}")).ended(1).names(&["'/'"]);
        assert_eq!(folder.names(), before, "{line}");
    }
    folder.write("old file.tif", "old");
    let mut command = Command::new("unshare");
    let script = "mount --bind 'old file.tif' 'old file.tif' || exit 77; exec \"$0\" a.tif -o 'old file.tif' --overwrite";
    command.args(["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_mosaic-stream")]);
    folder.isolate(&mut command);
    let outcome = Outcome::of(&mut command);
    if outcome.code == Some(77) || outcome.stderr.contains("unshare") {
        println!("skipped: this user may not mount");
    } else {
        outcome.ended(1).names(&["old file.tif", "mounted"]);
    }
    assert_eq!(folder.read("old file.tif"), b"old");
}

#[test]
fn the_least_memory_that_is_named_works_every_time() {
    let folder = Folder::new();
    Source::new(300, 300).of("UInt16").bands(60).write(folder.path("a.tif"));
    let refused = folder.run("a.tif -o out.tif --memory 40MiB").ended(1);
    let least = amounts(&refused.stderr).into_iter().fold(0.0, f64::max) as u64;
    for _ in 0..8 {
        folder.run(&format!("a.tif -o out.tif --overwrite --verify none --memory {least}")).done();
    }
}

#[test]
fn what_gdal_decodes_in_larger_pieces_than_blocks_fits_into_the_least_memory_that_is_named() {
    let folder = Folder::new();
    Source::new(50, 50).bands(3).pixels(|_, x, y| (x * y % 251) as i128).write(folder.path("small.tif"));
    folder.tool("gdal_translate -q -outsize 2300 2300 -r bilinear small.tif large.tif");
    let formats = ["WEBP -co LOSSLESS=YES", "JP2OpenJPEG -co BLOCKXSIZE=2300 -co BLOCKYSIZE=2300"];
    // Not every GDAL is built with both.
    let is_known = |of: &&str| DriverManager::get_driver_by_name(of.split(' ').next().unwrap()).is_ok();
    for options in formats.into_iter().filter(is_known) {
        folder.tool(&format!("gdal_translate -q large.tif a.image -of {options}"));
        let refused = folder.run("a.image -o out.tif --overwrite --memory 40MiB").ended(1);
        let least = amounts(&refused.stderr).into_iter().fold(0.0, f64::max) as u64;
        folder.run(&format!("a.image -o out.tif --overwrite --memory {least} --report report.json")).done();
        let report: serde_json::Value = serde_json::from_slice(&folder.read("report.json")).unwrap();
        let peak = report["budget"]["measured_peak"].as_u64().unwrap();
        assert!(peak <= least, "{options}: {peak} of {least}");
    }
}

#[test]
fn bad_files_and_good_ones_that_do_not_fit_are_told_at_once() {
    let folder = Folder::new();
    write_mixed_lot(&folder);
    noise(8, 3).crs("EPSG:32631").write(folder.path("elsewhere.tif"));
    let outcome = folder.run("good.tif text.tif missing.tif elsewhere.tif -o out.tif").ended(1);
    outcome.names(&["text.tif: `text.tif' not recognized", "missing.tif", "different CRSs", "elsewhere.tif"]);
}

#[test]
fn a_dry_run_refuses_the_types_that_this_gdal_does_not_know() {
    let folder = Folder::new();
    noise(8, 3).write(folder.path("a.tif"));
    // The dry run first: a GDAL that knows the type leaves a file behind.
    let told = folder.run("a.tif -o out.tif --dtype Int8 --dry-run").code;
    assert_eq!(folder.run("a.tif -o out.tif --dtype Int8").code, told);
    assert_eq!(folder.path("out.tif").exists(), told == Some(0));
}

#[test]
fn complex_pixels_are_refused_also_of_a_type_that_this_gdal_does_not_know() {
    let folder = Folder::new();
    noise(8, 3).of("UInt32").write(folder.path("a.tif"));
    // SampleFormat: complex numbers of two floats, here of 16 bits each.
    let mut tiff = Tiff::of(folder.read("a.tif"));
    tiff.set(339, 0, 6);
    folder.write("a.tif", &tiff.bytes);
    folder.run("a.tif -o out.tif").refused().names(&["a.tif", "complex"]);
}

#[test]
fn masks_and_alpha_bands_that_contradict_each_other_are_refused_by_name() {
    let folder = Folder::new();
    let gray = |bands: usize| noise(8, 3).bands(bands);
    let refused = |name: &str, words: &[&str]| {
        folder.run(&format!("{name} -o out.tif --dry-run")).refused().names(&[name]).names(words);
    };
    gray(2).shows(&["Gray", "Alpha"]).internal_mask(|x, _| x > 2).write(folder.path("both.tif"));
    refused("both.tif", &["mask beside its alpha band, 2", "-mask none"]);
    let shows = ["Gray", "Alpha", "Undefined", "Alpha"];
    gray(4).shows(&shows).write(folder.path("alphas.tif"));
    refused("alphas.tif", &["two alpha bands, 2 and 4", "gdal_translate -b"]);
    let mask = |side: usize, bands: usize, flags: &str| {
        let mask = Source::new(side, side).bands(bands).metadata("INTERNAL_MASK_FLAGS_1", flags);
        mask.metadata("INTERNAL_MASK_FLAGS_2", flags)
    };
    gray(2).write(folder.path("apart.tif"));
    mask(8, 2, "0").write(folder.path("apart.tif.msk"));
    refused("apart.tif", &["band 1 has a mask of its own", "gdal_translate -mask none"]);
    gray(1).write(folder.path("size.tif"));
    mask(4, 1, "2").write(folder.path("size.tif.msk"));
    refused("size.tif", &["mask of 4x4 pixels for 8x8"]);
}
