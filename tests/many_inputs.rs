//! Thousands of inputs that are alike: known from one another, and the mosaic is the same as when each is opened.

mod common;

use common::{Folder, Source, assert_close, random};
use serde_json::Value;

/// Tiles of 8×8 pixels in a square of so many by so many, with a few that overlap; their names.
fn write_tiles(folder: &Folder, across: usize, options: &str) -> Vec<String> {
    let mut names = Vec::new();
    for number in 0..across * across {
        let (column, row) = (number % across, number / across);
        // One in seven is larger than the step from tile to tile.
        let side = if number % 7 == 3 { 11 } else { 8 };
        let seed = number as u64;
        let value = move |band, x, y| i128::from(random(seed, band, x, y) % 2000);
        let source =
            Source::new(side, side).crs("EPSG:32631").pixel(20.0).of("UInt16").nodata(0.0).pixels(value);
        let source = source.at(400_000.0 + 160.0 * column as f64, 5_000_000.0 - 160.0 * row as f64);
        let name = format!("{number:05}.tif");
        source.options(options).write(folder.path(&name));
        names.push(name);
    }
    names
}

/// The report without what differs from run to run.
fn lasting(folder: &Folder) -> Value {
    let mut report: Value = serde_json::from_slice(&folder.read("report.json")).unwrap();
    for key in ["seconds", "budget", "command", "output"] {
        report.as_object_mut().unwrap().remove(key);
    }
    report
}

#[test]
fn thousands_of_small_inputs_equal_gdals_mosaic() {
    let folder = Folder::new();
    let names = write_tiles(&folder, 45, "");
    folder.write("list.txt", names.join("\n"));
    folder.run("@list.txt -o out.tif --memory 256MiB --report report.json").done();
    folder.tool("gdalbuildvrt -q -input_file_list list.txt all.vrt");
    folder.tool("gdal_translate -q all.vrt wanted.tif");
    let (found, wanted) = (folder.raster("out.tif"), folder.raster("wanted.tif"));
    assert_eq!(found.size(), wanted.size());
    assert_close(&found.geotransform(), &wanted.geotransform());
    assert!(found.pixels(1) == wanted.pixels(1));
    let peak: Value = serde_json::from_slice(&folder.read("report.json")).unwrap();
    assert!(peak["budget"]["measured_peak"].as_u64().unwrap() < 256 << 20);
}

#[test]
fn a_file_beside_each_input_changes_nothing_but_the_way() {
    for options in
        ["", "TILED=YES BLOCKXSIZE=16 BLOCKYSIZE=16 COMPRESS=DEFLATE BIGTIFF=YES", "ENDIANNESS=BIG"]
    {
        let folder = Folder::new();
        let names = write_tiles(&folder, 6, options);
        let line = format!("{} -o out.tif --overwrite --report report.json --memory 400MiB", names.join(" "));
        folder.run(&line).done();
        let (bytes, report) = (folder.read("out.tif"), lasting(&folder));
        let statistics = "<PAMDataset><PAMRasterBand band=\"1\"><Metadata><MDI key=\"STATISTICS_MEAN\">9</MDI></Metadata>\
                          </PAMRasterBand></PAMDataset>";
        for name in &names {
            folder.write(&format!("{name}.aux.xml"), statistics);
        }
        folder.run(&line).done();
        assert!(folder.read("out.tif") == bytes, "{options}");
        assert_eq!(lasting(&folder), report, "{options}");
    }
}

#[test]
fn one_that_differs_among_many_is_read_as_what_it_is() {
    let folder = Folder::new();
    let mut names = write_tiles(&folder, 4, "COMPRESS=LZW");
    let odd = |name: &str| {
        let value = |band, x, y| i128::from(random(99, band, x, y) % 3 * 5);
        let source = Source::new(8, 8).crs("EPSG:32631").pixel(20.0).of("UInt16").at(400_080.0, 4_999_920.0);
        (source.pixels(value).options("COMPRESS=LZW"), folder.path(name))
    };
    let (source, path) = odd("nodata.tif");
    source.nodata(5.0).write(path);
    let (source, path) = odd("mask.tif");
    source.nodata(0.0).at(400_180.0, 4_999_820.0).internal_mask(|x, _| x % 2 == 0).write(path);
    let (source, path) = odd("world.tif");
    source.nodata(0.0).write(path);
    folder.tool("gdal_edit.py -unsetgt world.tif");
    folder.write("world.tfw", "20\n0\n0\n-20\n400270\n4999790\n");
    names.extend(["nodata.tif", "mask.tif", "world.tif"].map(String::from));
    let inputs = names.join(" ");
    folder.run(&format!("{inputs} -o auto.tif")).done();
    folder.run(&format!("{inputs} -o vrt.tif --reader vrt --verify full")).done();
    assert!(folder.read("auto.tif") == folder.read("vrt.tif"));
    // The first input decides which others are alike; each alone is its own.
    let mut turned = names.clone();
    turned.rotate_right(3);
    folder.run(&format!("{} -o turned.tif --verify full", turned.join(" "))).done();
    assert_eq!(folder.raster("turned.tif").size(), folder.raster("auto.tif").size());
}
