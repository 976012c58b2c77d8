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
