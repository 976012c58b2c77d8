//! Pixels decided by child processes are those that the process itself decides; and whatever a source does to a child,
//! the job goes on or says which source it was.

mod common;

use std::fs;

use common::waiting::{
    UNSEEN, children, end, end_with_signals, fill_pipe, index, signal, start, start_and, wait_for, waits,
    write_virtual,
};
use common::{Folder, Source, assert_same_pixels, random, write_overlapping};

/// Scenes of two bands and a mask, a file each.
fn write_scenes(folder: &Folder) {
    for day in 1..6 {
        let left = f64::from(day) * 20.0;
        let source = || Source::new(200, 150).of("UInt16").at(left, 0.0).nodata(0.0).pixel(1.0);
        for band in ["B04", "B08"] {
            let value = move |band, x, y| i128::from(random(day as u64, band, x, y) % 3000);
            source().pixels(value).write(folder.path(format!("s_2024-06-0{day}_{band}.tif")));
        }
        let mask = move |_, x, y| i128::from(random(day as u64, 7, x / 9, y / 9) % 12);
        source().of("Byte").pixels(mask).write(folder.path(format!("s_2024-06-0{day}_SCL.tif")));
    }
}

const JOB: &str = "in0.tif in1.tif in2.tif in3.tif -o out.tif --block 64 --progress none";

/// Runs a job in the process itself and in children; the files must be the same.
fn check_same(folder: &Folder, job: &str) {
    folder.run(&format!("{job} --overwrite --verify none")).done();
    let wanted = folder.read("out.tif");
    for (children, verify) in [(1, "full"), (3, "quick")] {
        let outcome = folder.run(&format!("{job} --overwrite --isolate {children} --verify {verify}")).done();
        assert!(folder.read("out.tif") == wanted, "{job}");
        assert!(!outcome.stderr.contains("replaced"), "{job}: {}", outcome.stderr);
    }
}

#[test]
fn children_make_the_file_that_the_process_itself_makes() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    check_same(&folder, JOB);
    check_same(&folder, &format!("{JOB} --reader vrt --bands 3,1 --chunk 128"));
    check_same(&folder, &format!("{JOB} --format cog --overview-resampling cubic --method mean"));
    check_same(&folder, &format!("{JOB} --co INTERLEAVE=BAND --expr x=b1*2;y=b2-b3 --dtype Float32"));
    check_same(
        &folder,
        &format!("{JOB} --resolution 1.3 --resampling bilinear --nodata nan --dtype Float64"),
    );
    for (number, x) in [10.0, 10.9].into_iter().enumerate() {
        let value = move |band, x, y| i128::from(random(number as u64, band, x, y) % 200);
        let source = Source::new(120, 120).at(x, 50.0).pixel(0.01).pixels(value);
        source.write(folder.path(format!("warped{number}.tif")));
    }
    check_same(&folder, "warped0.tif warped1.tif -o out.tif --block 64 --crs EPSG:3857 --resampling cubic");
    write_overlapping(&folder, true);
    check_same(&folder, &format!("{JOB} --overviews 2,4"));
    check_same(&folder, &format!("{JOB} --format cog --chunk 192"));
}

#[test]
fn children_decide_masked_scenes() {
    let folder = Folder::new();
    write_scenes(&folder);
    let job = "s_*.tif -o out.tif --bands B08,B04 --mask-band SCL --mask-values 0,1,8-10 --block 64 \
               --scene-pattern (?<scene>s_.*)_(?<band>[^_]+)[.]tif$ --progress none";
    check_same(&folder, &format!("{job} --method median --count-band --provenance"));
    check_same(&folder, &format!("{job} --method best:max:B08-B04 --date-band"));
}

#[test]
fn a_job_whose_children_died_with_it_goes_on_to_the_same_bytes() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    folder.run(JOB).done();
    let wanted = folder.read("out.tif");
    fs::remove_file(folder.path("out.tif")).unwrap();
    let job = format!("{JOB} --isolate 2 --checkpoint 0 --chunk 64");
    let mut killed = 0;
    for lines in [3, 9, 20] {
        let mut job = start(&folder, &format!("{job} --resume"));
        let entries = || {
            let index = folder.names().into_iter().find(|name| name.ends_with(".partial.index"));
            index.map_or(0, |name| fs::read_to_string(folder.path(name)).unwrap_or_default().lines().count())
        };
        wait_for(|| entries() >= lines || job.try_wait().unwrap().is_some());
        job.kill().unwrap();
        job.wait().unwrap();
        killed += usize::from(!folder.path("out.tif").exists());
    }
    assert!(killed > 0, "no run was slow enough to be killed");
    if !folder.path("out.tif").exists() {
        folder.run(&format!("{job} --resume --verify full")).done();
    }
    assert!(folder.read("out.tif") == wanted);
}

/// A virtual raster beside the sources whose pixels come out of a pipe: whoever reads it waits for ever.
fn write_waiting(folder: &Folder) {
    write_overlapping(folder, false);
    write_virtual(folder, "waits.vrt", (100, -100), "Byte", &["pipe.tif"; 3]);
}

/// The job with the waiting raster among the sources; it does not reach beyond the others.
const WAITING: &str =
    "in0.tif in1.tif waits.vrt in2.tif in3.tif -o out.tif --block 64 --progress none --isolate 2";

fn is_alive(id: &str) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_child_that_dies_is_replaced_and_the_file_is_right() {
    let folder = Folder::new();
    write_waiting(&folder);
    let mut job = start_and(&folder, WAITING, |job| children(job).iter().any(|id| waits(id)));
    assert!(job.try_wait().unwrap().is_none(), "{}", end(job).stderr);
    // From now on there are pixels where the pipe was.
    fill_pipe(&folder, "pipe.tif");
    wait_for(|| {
        children(&job).iter().filter(|id| waits(id)).for_each(|id| signal("-ABRT", id));
        job.try_wait().unwrap().is_some()
    });
    end(job).done().names(&["waits.vrt", "replaced", "signal 6"]);
    let isolated = folder.read("out.tif");
    folder.run(&format!("{} --overwrite", WAITING.replace("--isolate 2", "--threads 2"))).done();
    assert!(folder.read("out.tif") == isolated);
}

/// The file must hold what the other sources alone give.
fn check_without(folder: &Folder) {
    folder.run(&format!("{JOB} --overwrite").replace("out.tif", "without.tif")).done();
    check_pixels(folder);
}

/// Both files must hold the same.
fn check_pixels(folder: &Folder) {
    let (found, wanted) = (folder.raster("out.tif"), folder.raster("without.tif"));
    assert_eq!(found.size(), wanted.size());
    for band in 1..=3 {
        assert_same_pixels(
            &found.pixels(band),
            &wanted.pixels(band),
            wanted.size().0,
            &format!("band {band}"),
        );
    }
}

#[test]
fn a_source_that_ends_each_child_is_named_or_left_out() {
    let folder = Folder::new();
    write_waiting(&folder);
    let run = |options: &str| end_with_signals(&folder, &format!("{WAITING} {options}"), Some("-ABRT"));
    run("--on-error fail").refused().names(&["waits.vrt", "signal 6", "window", "--on-error skip"]);
    assert!(!folder.path("out.tif").exists());
    let skipped = run("--on-error skip --verify full --report report.json").done();
    skipped.names(&["left out", "waits.vrt", "signal 6"]);
    check_without(&folder);
    let report: serde_json::Value = serde_json::from_slice(&folder.read("report.json")).unwrap();
    assert_eq!(report["inputs"]["skipped"][0]["source"], "waits.vrt");
}

#[test]
fn what_a_killed_job_left_out_stays_left_out_when_it_is_resumed() {
    let folder = Folder::new();
    write_waiting(&folder);
    // The other one is where the job stands still until it is killed.
    for (name, place, pipe) in
        [("waits.vrt", (100, -100), "pipe.tif"), ("stays.vrt", (200, -240), "second.tif")]
    {
        let pipe = format!("{UNSEEN}{pipe}");
        write_virtual(&folder, name, place, "Byte", &[&*pipe; 3]);
    }
    let inputs = "in0.tif in1.tif waits.vrt stays.vrt in2.tif in3.tif --allow-remote";
    let job = format!("{inputs} -o out.tif --block 64 --chunk 64 --progress none");
    let isolated = format!("{job} --isolate 2 --on-error skip --checkpoint 0 --verify full --resume");
    let mut killed = start_and(&folder, &isolated, |job| {
        let tells = index(&folder).contains("\"lacking\":\"waits.vrt\"");
        if !tells {
            children(job).iter().filter(|id| waits(id)).for_each(|id| signal("-ABRT", id));
        }
        tells
    });
    assert!(killed.try_wait().unwrap().is_none(), "{}", end(killed).stderr);
    killed.kill().unwrap();
    killed.wait().unwrap();

    // Both could be read now; but blocks that lack one of them stand in the part.
    fill_pipe(&folder, "pipe.tif");
    fill_pipe(&folder, "second.tif");
    folder.run(&format!("{job} --resume")).refused().names(&["waits.vrt", "lacks it", "--on-error skip"]);
    let resumed = folder.run(&format!("{isolated} --report report.json")).done();
    resumed.names(&["left out", "waits.vrt", "signal 6"]);
    folder
        .run(&format!("{job} --overwrite").replace("out.tif", "without.tif").replace("waits.vrt ", ""))
        .done();
    check_pixels(&folder);

    let verify = format!("verify out.tif --against {inputs} --block 64");
    folder.run(&format!("{verify} --report report.json")).done();
    folder.run(&verify).ended(3).names(&["pixels differ"]);
}

#[test]
fn a_source_that_lets_children_hang_is_named_or_left_out() {
    let folder = Folder::new();
    write_waiting(&folder);
    let run =
        |options: &str| end_with_signals(&folder, &format!("{WAITING} --window-timeout 1 {options}"), None);
    run("").refused().names(&["waits.vrt", "no answer for 1 s"]);
    run("--on-error skip --chunk 128").done().names(&["left out", "waits.vrt"]);
    check_without(&folder);
}

#[test]
fn an_input_that_ends_whoever_inspects_it_is_named_or_left_out() {
    let folder = Folder::new();
    write_waiting(&folder);
    let run = |options: &str, name: Option<&str>| {
        let mut job = start(&folder, &format!("{WAITING} {options}"));
        wait_for(|| {
            let waiting: Vec<String> = children(&job).into_iter().filter(|id| waits(id)).collect();
            waiting.iter().for_each(|id| name.into_iter().for_each(|name| signal(name, id)));
            job.try_wait().unwrap().is_some()
        });
        end(job)
    };
    run("--on-error fail", Some("-ABRT")).refused().names(&[
        "waits.vrt",
        "SIGABRT",
        "while they inspected it",
    ]);
    assert!(!folder.path("out.tif").exists());
    run("--window-timeout 1 --on-error skip", None).done().names(&[
        "left out",
        "waits.vrt",
        "no answer for 1 s",
    ]);
    check_without(&folder);
}

#[test]
fn a_source_that_wants_more_than_the_ceiling_is_named_or_left_out() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    // A kernel that wants thousands of pixels around each, of which nothing is known before it is read.
    let size = 20_001;
    let band = |number: usize| {
        format!(
            "<VRTRasterBand dataType=\"Byte\" band=\"{number}\"><NoDataValue>7</NoDataValue><KernelFilteredSource>\
             <SourceFilename relativeToVRT=\"1\">in0.tif</SourceFilename><SourceBand>{number}</SourceBand>\
             <SourceProperties RasterXSize=\"300\" RasterYSize=\"300\" DataType=\"Byte\" BlockXSize=\"64\" \
             BlockYSize=\"64\"/><Kernel normalized=\"1\"><Size>{size}</Size><Coefs>{}</Coefs></Kernel>\
             </KernelFilteredSource></VRTRasterBand>",
            "1 ".repeat(size)
        )
    };
    let document = format!(
        "<VRTDataset rasterXSize=\"300\" rasterYSize=\"300\"><SRS>EPSG:4326</SRS>\
         <GeoTransform>100, 1, 0, -100, 0, -1</GeoTransform>{}{}{}</VRTDataset>",
        band(1),
        band(2),
        band(3)
    );
    folder.write("greedy.vrt", document);
    let job = WAITING.replace("waits.vrt", "greedy.vrt");
    folder.run(&job).refused().names(&["greedy.vrt", "memory ceiling"]);
    folder.run(&format!("{job} --on-error skip")).done().names(&["left out", "greedy.vrt", "memory ceiling"]);
    check_without(&folder);
}

#[test]
fn children_end_with_their_parent_whatever_they_wait_for() {
    let folder = Folder::new();
    write_waiting(&folder);
    for (name, code) in [("-KILL", None), ("-INT", Some(130))] {
        let mut job = start_and(&folder, WAITING, |job| children(job).iter().any(|id| waits(id)));
        let found = children(&job);
        signal(name, &job.id().to_string());
        job.wait().unwrap();
        wait_for(|| !found.iter().any(|id| is_alive(id)));
        let outcome = end(job);
        assert_eq!(outcome.code, code, "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("replaced"), "{}", outcome.stderr);
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    folder.run(&format!("{JOB} --window-timeout 5")).ended(2).names(&["--window-timeout", "--isolate"]);
    folder.run(&format!("{JOB} --isolate 2 --threads 3")).ended(2).names(&["--isolate", "--threads"]);
    folder.run(&format!("{JOB} --isolate 0")).ended(2).names(&["at least one"]);
    folder.run(&format!("{JOB} --isolate 2 --threads 2")).done();
}

#[test]
fn the_budget_has_lines_for_the_children() {
    let folder = Folder::new();
    write_overlapping(&folder, false);
    folder.run(&format!("{JOB} --isolate 2 --dry-run")).done().prints(&["child processes", "2 workers"]);
    let least = folder.run(&format!("{JOB} --isolate 1 --memory 60MiB")).refused();
    least.names(&["budget of 60 mib is too small"]);
}
