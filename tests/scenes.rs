//! Which files are a scene, and what is told where that cannot be known.

mod common;

use common::{Folder, Source};

/// A file of 4×4 pixels, each band of one value and, where it is not empty, described; its folder is made with it.
fn write(folder: &Folder, name: &str, bands: &[(i128, &'static str)], metadata: &[(&str, &str)]) {
    let path = folder.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let raster = Source::new(4, 4).crs("EPSG:32631").pixel(10.0).at(500_000.0, 5_000_000.0).of("UInt16");
    let values: Vec<i128> = bands.iter().map(|(value, _)| *value).collect();
    let descriptions: Vec<&str> = bands.iter().map(|(_, description)| *description).collect();
    let raster = raster.nodata(0.0).bands(bands.len()).pixels(move |band, _, _| values[band - 1]);
    let described = raster.described(&descriptions);
    metadata.iter().fold(described, |raster, (key, value)| raster.metadata(key, value)).write(path);
}

/// The values of the bands of `out.tif`.
fn made(folder: &Folder) -> Vec<f64> {
    let out = folder.raster("out.tif");
    (1..=out.bands).map(|band| out.only_value(band, (0, 0), (4, 4))).collect()
}

#[test]
fn a_file_that_is_called_like_a_band_does_not_make_the_others_vanish() {
    let folder = Folder::new();
    write(&folder, "x/a.tif", &[(100, "B04")], &[]);
    write(&folder, "x/b.tif", &[(200, "B04")], &[]);
    write(&folder, "x/c_B04.tif", &[(900, "")], &[]);
    let run = "-o out.tif --overwrite --bands B04 --method count";
    for inputs in ["x/a.tif x/b.tif x/c_B04.tif", "x"] {
        let refused = folder.run(&format!("{inputs} {run}")).refused();
        refused.names(&["B04", "a.tif has a band described", "--scene-pattern", "B04:1"]);
    }
    folder.run(&format!(r"x {run} --scene-pattern (?<scene>[^/]+?)(_(?<band>B\d+))?\.tif$")).done();
    assert_eq!(made(&folder), [3.0]);
    folder.run("x -o out.tif --overwrite --bands B04:1 --method count").done().names(&[
        "warning",
        "2 files that lie with those of scenes are not used",
        "x/a.tif",
    ]);
    assert_eq!(made(&folder), [1.0]);
}

#[test]
fn a_file_whose_name_ends_like_the_one_that_is_taken_is_not_dropped() {
    let folder = Folder::new();
    write(&folder, "x/B04.tif", &[(100, "")], &[]);
    write(&folder, "x/x_B04.tif", &[(900, "")], &[]);
    write(&folder, "x/x_B08.tif", &[(5, "")], &[]);
    let run = "x -o out.tif --overwrite --method count";
    let wanted = ["B04 may be B04.tif or x_B04.tif", "--scene-pattern", "B04:1"];
    folder.run(&format!("{run} --bands B04,B08")).refused().names(&wanted);
    folder.run(&format!("{run} --bands B04:1,B08")).done();
    assert_eq!(made(&folder), [1.0, 1.0]);
    folder.run(&format!(r"{run} --bands B04 --scene-pattern (?<scene>x_|/)(?<band>B04)\.tif$")).done();
    assert_eq!(made(&folder), [2.0]);
}

#[test]
fn files_of_several_dates_are_no_one_scene() {
    let folder = Folder::new();
    write(&folder, "y/20240101_B04.tif", &[(100, "")], &[]);
    write(&folder, "y/20240106_B08.tif", &[(900, "")], &[]);
    for inputs in ["y", "y/20240101_B04.tif y/20240106_B08.tif"] {
        for bands in ["B04,B08", "B04"] {
            let outcome = folder.run(&format!("{inputs} -o out.tif --bands {bands} --method newest"));
            outcome.refused().names(&["y", "several dates, 2024-01-01 to 2024-01-06", "--scene-pattern"]);
        }
    }
}

#[test]
fn other_bands_masks_and_pictures_of_a_scene_may_lie_there_unused() {
    let folder = Folder::new();
    let stem = "s/T31UFS_20240101T104441";
    for band in ["B02_10m", "B02_20m", "B08_10m", "SCL_20m", "AOT_10m"] {
        write(&folder, &format!("{stem}_{band}.tif"), &[(7, "")], &[]);
    }
    write(&folder, &format!("{stem}_TCI_10m.tif"), &[(1, "B02"), (2, ""), (3, "")], &[]);
    write(&folder, "l/LC08_20240103_SR_B2.tif", &[(9, "")], &[]);
    write(&folder, "l/LC08_20240103_ST_ATRAN.tif", &[(1, "")], &[]);
    write(&folder, "l/LC08_20240103_QA_PIXEL.tif", &[(1, "")], &[]);
    for (input, band, value) in [("s", "B02", 7.0), ("l", "B2", 9.0)] {
        let run = format!("{input} -o out.tif --overwrite --bands {band} --method median");
        let outcome = folder.run(&run).done();
        assert!(!outcome.stderr.contains("not used"), "{}", outcome.stderr);
        assert_eq!(made(&folder), [value]);
    }
    write(&folder, "l/LC08_20240103_indices.tif", &[(1, "NDVI"), (2, "EVI")], &[]);
    folder.run("l -o out.tif --overwrite --bands B2").done().names(&["1 files", "not used", "indices.tif"]);
}

/// Two scenes of which the later one carries the offset; without it both are 2000.
const BASELINES: [(&str, &str, i128); 2] = [("20200601", "02.14", 2000), ("20240601", "05.10", 3000)];

#[test]
fn a_baseline_in_the_metadata_of_files_is_found() {
    let folder = Folder::new();
    for (day, baseline, value) in BASELINES {
        let metadata = [("PROCESSING_BASELINE", baseline), ("ACQUISITION_DATE", day)];
        write(&folder, &format!("one/{day}/bands.tif"), &[(value, "B04")], &metadata);
        write(&folder, &format!("two/{day}/B04.tif"), &[(value, "")], &metadata);
        write(&folder, &format!("two/{day}/AOT.tif"), &[(1, "")], &[]);
    }
    for input in ["one", "two"] {
        let run = format!("{input} -o out.tif --overwrite --bands B04 --method mean");
        folder.run(&run).done().names(&["20240601", "-1000 is added"]);
        assert_eq!(made(&folder), [2000.0]);
        folder.run(&format!("{run} --harmonize off")).done();
        assert_eq!(made(&folder), [2500.0]);
    }
}

#[test]
fn documents_beside_files_count_also_where_a_pattern_puts_them_together() {
    let folder = Folder::new();
    for (day, baseline, value) in BASELINES {
        let short = baseline.replace('.', "");
        let product = format!("safe/S2A_MSIL2A_{day}T112121_N9999_R037_T31UFS_{day}T181503.SAFE");
        let named = format!("named/S2A_MSIL2A_{day}T112121_N{short}_R037_T31UFS_{day}T181503");
        let granule = format!("{product}/GRANULE/L2A/IMG_DATA/R10m");
        for place in [&format!("flat/{day}"), &granule, &named] {
            write(&folder, &format!("{place}/T31UFS_{day}_B04.tif"), &[(value, "")], &[]);
        }
        let offset = if value == 3000 { r#"<BOA_ADD_OFFSET band_id="3">-1000</BOA_ADD_OFFSET>"# } else { "" };
        let document = format!("<a><PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>{offset}</a>");
        folder.write(&format!("flat/{day}/MTD_MSIL2A.xml"), &document);
        folder.write(&format!("{product}/MTD_MSIL2A.xml"), &document);
    }
    for input in ["flat", "safe", "named"] {
        for pattern in ["", r"--scene-pattern (?<date>\d{8})_(?<band>B\d+)\.tif$"] {
            let run = format!("{input} -o out.tif --overwrite --bands B04 --method mean {pattern}");
            folder.run(&run).done().names(&["-1000 is added"]);
            assert_eq!(made(&folder), [2000.0], "{input} {pattern}");
        }
    }
}

#[test]
fn bands_of_a_file_are_not_mixed_by_their_place_where_their_names_contradict() {
    let folder = Folder::new();
    write(&folder, "y/20240101/bands.tif", &[(10, "B02"), (20, "B03"), (30, "B04")], &[]);
    write(&folder, "y/20240106/bands.tif", &[(30, "B04"), (20, "B03"), (10, "B02")], &[]);
    write(&folder, "z/d3/bands.tif", &[(50, ""), (60, "b03"), (70, "")], &[]);
    let run = "-o out.tif --overwrite --method min";
    for which in ["--bands bands", "--order date"] {
        let wanted = ["y/20240106", "calls band 1", "B04, but y/20240101", "one by one with --bands"];
        folder.run(&format!("y {run} {which}")).refused().names(&wanted[..]);
    }
    folder.run(&format!("y {run} --bands B04,B02")).done();
    assert_eq!(made(&folder), [30.0, 10.0]);
    folder.run(&format!("y/20240101 z {run} --bands bands")).done();
    assert_eq!(made(&folder), [10.0, 20.0, 30.0]);
}
