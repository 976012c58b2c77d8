//! Runs on real rasters, where they are: in the folder that `MOSAIC_STREAM_DATA` names, else in `../shared/data`.
//! Where there are none, or the linked GDAL does not read their format, a test says that it was skipped.

mod common;

use std::path::{Path, PathBuf};

use common::{Folder, Raster, assert_same_pixels, assert_same_rasters};

/// The folder of one set of real rasters; none, said aloud, where it is not there.
fn set(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let root = std::env::var_os("MOSAIC_STREAM_DATA").map_or_else(beside, PathBuf::from);
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder.canonicalize().unwrap());
    }
    println!("skipped: there is no {}", folder.display());
    None
}

/// As [`set`], of a format that one of these drivers reads, which not every GDAL has.
fn set_read_by(drivers: &[&str], name: &str) -> Option<PathBuf> {
    if drivers.iter().any(|driver| gdal::DriverManager::get_driver_by_name(driver).is_ok()) {
        return set(name);
    }
    println!("skipped: this GDAL has none of the drivers {}", drivers.join(", "));
    None
}

/// The paths of files in a folder, separated by spaces.
fn paths(folder: &Path, names: &[&str]) -> String {
    let path = |name: &&str| folder.join(name).to_str().unwrap().to_owned();
    names.iter().map(path).collect::<Vec<_>>().join(" ")
}

#[test]
fn four_quarters_give_the_known_checksums() {
    let Some(data) = set("rgb-four-quarters") else { return };
    let folder = Folder::new();
    let inputs = paths(&data, &["rgb1.tif", "rgb2.tif", "rgb3.tif", "rgb4.tif"]);
    folder.run(&format!("{inputs} -o out.tif")).done();
    let out = folder.raster("out.tif");
    assert_eq!(out.checksums(), [25420, 29131, 37860]);
    assert_same_rasters(&out, &folder.reference(&inputs, "", "", "reference.tif"), "four quarters");
    for method in ["first", "last", "min", "max"] {
        folder.run(&format!("{inputs} -o {method}.tif --method {method}")).done();
        assert_eq!(folder.raster(&format!("{method}.tif")).checksums(), [25420, 29131, 37860], "{method}");
    }
}

#[test]
fn four_height_tiles_that_share_their_edges_give_2401_pixels_a_side() {
    let Some(data) = set_read_by(&["SRTMHGT"], "srtm3-azores") else { return };
    let folder = Folder::new();
    let inputs = paths(&data, &["N38W028.hgt", "N38W029.hgt", "N39W028.hgt", "N39W029.hgt"]);
    folder.run(&format!("{inputs} -o out.tif")).done();
    let out = folder.raster("out.tif");
    assert_eq!((out.size(), out.pixel_type(1).as_str()), ((2401, 2401), "Int16"));
    assert_same_rasters(&out, &folder.reference(&inputs, "", "", "reference.tif"), "height tiles");
}

#[test]
fn two_land_cover_tiles_keep_their_palette_and_their_gap_costs_nothing() {
    let Some(data) = set("landcover-cdl-pair") else { return };
    let folder = Folder::new();
    let inputs = paths(&data, &["CDL_2016_19_test.tif", "CDL_2016_19_train.tif"]);
    folder.run(&format!("{inputs} -o out.tif")).done();
    let out = folder.raster("out.tif");
    assert_eq!(out.size(), (15_680, 23_360));
    assert_eq!(out.shows(1), "Palette");
    let [west, pixel, _, north, _, _] = out.geotransform();
    for input in inputs.split(' ') {
        let source = Raster::open(Path::new(input));
        assert_eq!(out.palette(1), source.palette(1));
        let column = ((source.geotransform()[0] - west) / pixel).round() as usize;
        let row = ((north - source.geotransform()[3]) / pixel).round() as usize;
        assert_eq!(out.checksum_of(1, (column, row), source.size()), source.checksum(1), "{input}");
    }
    let sources: u64 = inputs.split(' ').map(|input| std::fs::metadata(input).unwrap().len()).sum();
    let bytes = folder.read("out.tif").len() as u64;
    assert!(bytes < 2 * sources, "{bytes} bytes from {sources}");
}

#[test]
fn every_way_to_say_where_data_are_reproduces_the_same_valid_pixels() {
    let Some(data) = set("validity-variants") else { return };
    for variant in ["", "_nodata", "_mask", "_extmask", "_alpha"] {
        let folder = Folder::new();
        let input = data.join(format!("201404_13SED190110_201404_0x1500m_CL_1{variant}.tif"));
        let line = format!("{} -o out.tif --block 64 --chunk 128", input.display());
        folder.run(&line).done();
        let (out, source) = (folder.raster("out.tif"), Raster::open(&input));
        assert_eq!((out.size(), out.bands), (source.size(), source.bands), "{variant}");
        for band in 1..=source.bands {
            let (valid, wanted) = (source.mask(band), source.pixels(band));
            assert!(out.mask(band) == valid, "{variant}, band {band}: validity differs");
            let found = out.pixels(band);
            let differing = (0..wanted.len()).filter(|&i| valid[i] != 0 && found[i] != wanted[i]).count();
            assert_eq!(differing, 0, "{variant}, band {band}");
        }
    }
}

#[test]
fn holes_in_alpha_show_what_lies_below() {
    let Some(data) = set("rgba-alpha-holes") else { return };
    let folder = Folder::new();
    let names = ["0-0-0-test-2003-a.tif", "0-0-0-test-2004-b.tif", "0-0-0-test-2005-c.tif"];
    folder.run(&format!("{} -o out.tif", paths(&data, &names))).done();
    folder.run(&format!("{} -o first.tif --method first", paths(&data, &names))).done();
    let sources = names.map(|name| Raster::open(&data.join(name)));
    for (output, topmost_is_last) in [("out.tif", true), ("first.tif", false)] {
        let out = folder.raster(output);
        let alphas = [0, 1, 2].map(|index: usize| sources[index].pixels(4));
        for band in 1..=4 {
            let pixels = [0, 1, 2].map(|index: usize| sources[index].pixels(band));
            let shown = |i: usize| {
                let opaque = |index: &usize| alphas[*index][i] > 0.0;
                let top = if topmost_is_last { (0..3).rev().find(opaque) } else { (0..3).find(opaque) };
                top.map(|index| pixels[index][i])
            };
            let found = out.pixels(band);
            let is_wrong = |&i: &usize| match shown(i) {
                Some(wanted) => found[i] != wanted,
                None => band == 4 && found[i] != 0.0,
            };
            assert_eq!((0..found.len()).filter(is_wrong).count(), 0, "{output}, band {band}");
        }
    }
}

#[test]
fn three_dates_on_one_grid_equal_gdals_mosaic() {
    let Some(data) = set("sentinel2-l2a-exeter") else { return };
    let folder = Folder::new();
    let dates = ["exe_2024-08-01_12-21-19.tif", "exe_2024-08-16_12-21-11.tif", "exe_2024-08-26_12-21-11.tif"];
    let inputs = paths(&data, &dates);
    folder.run(&format!("{inputs} -o out.tif --block 128 --chunk 128")).done();
    let out = folder.raster("out.tif");
    assert_eq!((out.size(), out.bands), ((354, 335), 5));
    assert_same_rasters(&out, &folder.reference(&inputs, "", "", "reference.tif"), "three dates");
}

#[test]
fn mixed_crs_are_refused_with_the_flag_and_warped_with_it() {
    let Some(data) = set("sentinel2-l2a-exeter") else { return };
    let folder = Folder::new();
    let dates = [
        "exe_2024-06-02_12-21-19_EPSG27700.tif",
        "exe_2024-06-17_12-21-21_UTM.tif",
        "exe_2024-08-01_12-21-19.tif",
    ];
    let inputs = paths(&data, &dates);
    let mut named = dates.to_vec();
    named.extend(["27700", "--crs"]);
    folder.run(&format!("{inputs} -o out.tif")).ended(1).names(&named);
    assert!(folder.names().is_empty());
    folder.run(&format!("{inputs} -o out.tif --crs EPSG:32630 --resolution 20")).done();
    let out = folder.raster("out.tif");
    assert_eq!((out.authority().as_str(), out.bands), ("EPSG:32630", 5));
    assert_eq!(out.geotransform()[1], 20.0);
    // Seven by seven kilometres of land, most of it seen on at least one date.
    let valid = out.pixels(1).into_iter().filter(|&value| value > 0.0).count();
    assert!(valid > 100_000, "{valid} pixels with data");
}

#[test]
fn eight_years_on_one_grid_give_the_largest_of_each_pixel() {
    let Some(data) = set("landsat-peru-8years") else { return };
    let folder = Folder::new();
    let years = [1985, 1990, 1995, 2000, 2005, 2010, 2015, 2020].map(|year| format!("{year}.tif"));
    let names: Vec<&str> = years.iter().map(String::as_str).collect();
    folder.run(&format!("{} -o out.tif --method max", paths(&data, &names))).done();
    let out = folder.raster("out.tif");
    for band in 1..=4 {
        let mut largest = vec![0.0_f64; out.width * out.height];
        for name in &names {
            let pixels = Raster::open(&data.join(name)).pixels(band);
            largest.iter_mut().zip(pixels).for_each(|(most, value)| *most = most.max(value));
        }
        assert_same_pixels(&out.pixels(band), &largest, out.width, &format!("band {band}"));
    }
}

#[test]
fn thirteen_jpeg_2000_bands_of_three_resolutions_need_a_flag() {
    let drivers = ["JP2OpenJPEG", "JP2KAK", "JP2ECW", "JP2MrSID"];
    let Some(data) = set_read_by(&drivers, "sentinel2-l1c-jp2") else { return };
    let folder = Folder::new();
    let inputs = paths(&data, &["T33UUU_20170216T102101_B01.jp2", "T33UUU_20170216T102101_B02.jp2"]);
    folder.run(&format!("{inputs} -o out.tif")).ended(1).names(&["B01.jp2", "B02.jp2", "--resolution"]);
    folder.run(&format!("{inputs} -o out.tif --resolution highest")).done();
    let reference = folder.reference(&inputs, "-resolution highest", "", "reference.tif");
    assert_same_rasters(&folder.raster("out.tif"), &reference, "two bands");
}
