//! A source that is left out while the job runs is left out of whole windows and of blocks that were not stored before,
//! and verification and the report tell the same.

mod common;

use std::fs;

use common::waiting::{UNSEEN, children, end, fill_pipe, index, signal, start_and, waits, write_virtual};
use common::{Folder, Source, assert_same_pixels, random};

/// A virtual raster of 300 × 300 pixels of a type with this upper left corner, each of its bands out of the first band of
/// `nine.tif`; those from `greedy` on through a kernel that wants more memory than a child may have, once it is read.
fn write_greedy(folder: &Folder, name: &str, (x, y): (i32, i32), pixel_type: &str, bands: (usize, usize)) {
    let (count, greedy) = bands;
    let size = 20_001;
    let kernel =
        format!("<Kernel normalized=\"1\"><Size>{size}</Size><Coefs>{}</Coefs></Kernel>", "1 ".repeat(size));
    let band = |number: usize| {
        let (kind, kernel) = match number < greedy {
            true => ("SimpleSource", ""),
            false => ("KernelFilteredSource", &kernel[..]),
        };
        format!(
            "<VRTRasterBand dataType=\"{pixel_type}\" band=\"{number}\"><{kind}>\
             <SourceFilename relativeToVRT=\"1\">nine.tif</SourceFilename><SourceBand>1</SourceBand>\
             <SourceProperties RasterXSize=\"300\" RasterYSize=\"300\" DataType=\"{pixel_type}\" BlockXSize=\"64\" \
             BlockYSize=\"64\"/>{kernel}</{kind}></VRTRasterBand>"
        )
    };
    let bands: String = (1..=count).map(band).collect();
    folder.write(
        name,
        format!(
            "<VRTDataset rasterXSize=\"300\" rasterYSize=\"300\"><SRS>EPSG:4326</SRS>\
             <GeoTransform>{x}, 1, 0, {y}, 0, -1</GeoTransform>{bands}</VRTDataset>"
        ),
    );
    if !folder.path("nine.tif").exists() {
        Source::new(300, 300).of(pixel_type).value(9).options("TILED=YES").write(folder.path("nine.tif"));
    }
}

/// Gives a virtual raster a size and a time that it keeps, whatever it says.
fn disguise(folder: &Folder, name: &str) {
    let mut text = folder.read(name);
    text.resize(1 << 18, b' ');
    folder.write(name, text);
    let file = std::fs::File::options().write(true).open(folder.path(name)).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
}

fn report(folder: &Folder) -> serde_json::Value {
    serde_json::from_slice(&folder.read("report.json")).unwrap()
}

/// The least memory with which a job says that it works.
fn least_memory(folder: &Folder, job: &str) -> String {
    let told = folder.run(&format!("{job} --memory 20MiB")).refused().stderr;
    let word = told.split("--memory ").nth(1).unwrap_or_else(|| panic!("{told}"));
    word.split_whitespace().next().unwrap().trim_end_matches([',', ';', '.']).to_owned()
}

#[test]
fn a_source_that_fails_in_a_later_band_is_left_out_of_all_bands_of_its_window() {
    let folder = Folder::new();
    let below = |mask: bool| {
        let source =
            Source::new(520, 300).of("Float64").bands(12).value(5).options("COMPRESS=DEFLATE TILED=YES");
        match mask {
            true => source.internal_mask(|x, _| x % 7 > 0),
            false => source,
        }
    };
    write_greedy(&folder, "greedy.vrt", (100, 0), "Float64", (12, 7));
    for (mask, options) in [(false, ""), (true, ""), (false, "--overviews 2")] {
        below(mask).write(folder.path("below.tif"));
        let job = format!(
            "below.tif greedy.vrt -o out.tif --block 512 --co INTERLEAVE=BAND --isolate 1 --on-error skip \
             --overwrite --verify full --progress none {options}"
        );
        let memory = least_memory(&folder, &job);
        let outcome = folder.run(&format!("{job} --memory {memory} --report report.json")).done();
        outcome.names(&["left out", "greedy.vrt"]);
        let at_once = report(&folder)["plan"]["bands_at_once"].as_u64().unwrap();
        assert_eq!(at_once < 7, options.is_empty(), "{at_once} bands at once with {options}");
        let valid = folder.raster("out.tif");
        for band in [1, 12] {
            let wanted: Vec<f64> = match mask {
                true => (0..520 * 300).map(|pixel| if pixel % 520 % 7 > 0 { 5.0 } else { 0.0 }).collect(),
                false => vec![5.0; 520 * 300],
            };
            assert_same_pixels(&valid.pixels(band), &wanted, 520, &format!("band {band} with {options}"));
        }
        if !options.is_empty() {
            folder.tool("gdal_translate -q -oo OVERVIEW_LEVEL=0 out.tif half.tif");
            assert_same_pixels(&folder.raster("half.tif").pixels(1), &[5.0; 260 * 150], 260, "the overview");
        }
        folder
            .run("verify out.tif --against below.tif greedy.vrt --block 512 --report report.json --isolate 1")
            .done();
    }
}

#[test]
fn blocks_that_were_made_of_a_source_are_made_anew_when_their_window_has_to_do_without_it() {
    for options in ["", "--co INTERLEAVE=BAND"] {
        let folder = Folder::new();
        let layout = if options.is_empty() { "INTERLEAVE=PIXEL" } else { "INTERLEAVE=BAND" };
        // Its blocks are copied as they are, until one to their right has to be decided.
        let tiles = format!("TILED=YES BLOCKXSIZE=64 BLOCKYSIZE=64 COMPRESS=DEFLATE {layout}");
        let value = |band, x, y| i128::from(1 + random(5, band, x, y) % 200);
        Source::new(320, 320).bands(3).pixels(value).options(&tiles).write(folder.path("vanishes.tif"));
        write_virtual(&folder, "waits.vrt", (320, 0), "Byte", &["pipe.tif"; 3]);
        let job =
            format!("-o out.tif --bounds 0,-320,620,0 --block 64 --overwrite --progress none {options}");
        let isolated = format!("vanishes.tif waits.vrt {job} --isolate 1 --on-error skip --verify full");
        let mut vanished = false;
        let outcome = end(start_and(&folder, &format!("{isolated} --report report.json"), |job| {
            for id in children(job).iter().filter(|id| waits(id)) {
                if !vanished {
                    fill_pipe(&folder, "pipe.tif");
                    fs::remove_file(folder.path("vanishes.tif")).unwrap();
                    folder.tool("mkfifo vanishes.tif");
                    vanished = true;
                }
                signal("-ABRT", id);
            }
            false
        }));
        outcome.done().names(&["left out", "vanishes.tif"]);
        assert!(vanished, "nobody waited");
        folder.run(&format!("waits.vrt {job}").replace("out.tif", "without.tif")).done();
        let (found, wanted) = (folder.raster("out.tif"), folder.raster("without.tif"));
        for band in 1..=3 {
            assert_same_pixels(&found.pixels(band), &wanted.pixels(band), 620, &format!("band {band}"));
        }
        let lacking = &report(&folder)["inputs"]["lacking"][0];
        assert_eq!(lacking["lacking"], "vanishes.tif");
        let whole = serde_json::json!([{"column": 0, "row": 0, "columns": 620, "rows": 320}]);
        assert_eq!(lacking["areas"], whole);
    }
}

#[test]
fn blocks_that_a_killed_job_stored_with_a_source_do_not_lack_it_when_the_next_one_leaves_it_out() {
    for options in ["", "--overviews 2"] {
        let folder = Folder::new();
        write_greedy(&folder, "inner.vrt", (0, 0), "Byte", (3, 4));
        disguise(&folder, "inner.vrt");
        write_virtual(&folder, "fails.vrt", (0, 0), "Byte", &["inner.vrt"; 3]);
        let second = format!("{UNSEEN}second.tif");
        write_virtual(&folder, "stays.vrt", (200, -200), "Byte", &[&*second; 3]);
        Source::new(600, 600).bands(3).value(5).write(folder.path("below.tif"));
        let inputs = "below.tif fails.vrt stays.vrt";
        let job =
            format!("{inputs} -o out.tif --block 64 --progress none --isolate 1 --allow-remote {options}");
        let first = format!("{job} --chunk 64 --checkpoint 0");
        let mut killed = start_and(&folder, &first, |job| {
            index(&folder).contains("position") && children(job).iter().any(|id| waits(id))
        });
        assert!(killed.try_wait().unwrap().is_none(), "{}", end(killed).stderr);
        killed.kill().unwrap();
        killed.wait().unwrap();
        let told = index(&folder);
        let position = told.rsplit("\"position\":").next().and_then(|rest| rest.split(',').next());
        let position: usize = position.unwrap().parse().unwrap();
        assert!((1..40).contains(&position), "the first windows of the next run are to be finished in part");

        // Whatever it held before, now it ends whoever reads it.
        write_greedy(&folder, "inner.vrt", (0, 0), "Byte", (3, 1));
        disguise(&folder, "inner.vrt");
        fill_pipe(&folder, "second.tif");
        let second = format!("{job} --chunk 256 --resume --on-error skip --verify none --report report.json");
        folder.run(&second).done().names(&["left out", "fails.vrt"]);
        let made = folder.raster("out.tif");
        let of_block = |number: usize| made.only_value(1, (number % 10 * 64, number / 10 * 64), (64, 64));
        let touched = (0..30).filter(|number| number % 10 < 4);
        for number in touched {
            let wanted = if number < position { 9.0 } else { 5.0 };
            assert_eq!(of_block(number), wanted, "block {number} of {position} with {options}");
        }
        let report = report(&folder);
        for area in report["inputs"]["lacking"][0]["areas"].as_array().unwrap() {
            let first = |name: &str| area[name].as_u64().unwrap() as usize / 64;
            assert!(
                first("row") * 10 + first("column") >= position,
                "{area} is lacking, but {position} stood"
            );
        }
        write_greedy(&folder, "inner.vrt", (0, 0), "Byte", (3, 4));
        let verify = format!(
            "verify out.tif --against {inputs} --block 64 --report report.json --isolate 1 --allow-remote"
        );
        folder.run(&verify).done();
        if !options.is_empty() {
            folder.run(&format!("out.tif -o again.tif --block 64 {options}")).done();
            for name in ["out", "again"] {
                folder.tool(&format!("gdal_translate -q -oo OVERVIEW_LEVEL=0 {name}.tif half_{name}.tif"));
            }
            let [found, wanted] = ["out", "again"].map(|name| folder.raster(&format!("half_{name}.tif")));
            assert_same_pixels(&found.pixels(1), &wanted.pixels(1), 300, "the overview");
        }
    }
}
