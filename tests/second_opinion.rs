//! The second opinion agrees with GDAL's own pixels, whatever resamples them, and still finds what is wrong.

mod common;

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use common::{Folder, Source, Tiff, assert_same_pixels, random};
use mosaic_stream::config::{SceneSettings, Settings};
use mosaic_stream::geometry::Window;
use mosaic_stream::mosaic::{Hooks, Prepared, prepare};
use mosaic_stream::run::progress::Silent;
use mosaic_stream::source::Patience;
use mosaic_stream::source::reference::Reference;

/// Two sources of noise that are a fraction of a pixel apart.
fn write_noise(folder: &Folder, nodata: bool) {
    for (name, seed, x, y) in [("a.tif", 1, 0.0, 0.0), ("b.tif", 2, 150.37, -20.61)] {
        let value = move |band, x, y| i128::from(random(seed, band, x, y) % 60_000);
        let source = Source::new(200, 180).crs("EPSG:32631").bands(2).of("UInt16").at(x, y).pixels(value);
        let source = if nodata { source.nodata(7.0) } else { source };
        source.write(folder.path(name));
    }
}

/// A VRT of both on a grid that is neither's.
fn build_shifted_vrt(folder: &Folder, resampling: &str) {
    let grid = "-te 0.4 -179.6 340.4 0.4 -tr 2 1.5";
    folder.tool(&format!("gdalbuildvrt -q -overwrite -r {resampling} {grid} shifted.vrt a.tif b.tif"));
}

/// What a job would write, as `--verify full` compares it.
fn prepared(settings: &Settings) -> Prepared {
    let mut hooks = Hooks {
        progress: &Silent,
        stop: &AtomicBool::new(false),
        stdin: &mut std::io::empty(),
        unfinished: &Mutex::default(),
        child: None,
        command: Vec::new(),
    };
    prepare(settings, &mut hooks).unwrap()
}

/// Turns the lowest bit of the first band's pixel in column 64, row 64 of an uncompressed output in blocks of 64: the first
/// of the second row of blocks' second block.
fn turn_a_bit(folder: &Folder) {
    let mut tiff = Tiff::of(folder.read("out.tif"));
    let blocks_across = folder.raster("out.tif").width.div_ceil(64);
    let block = tiff.values(324)[blocks_across + 1] as usize;
    tiff.bytes[block] ^= 1;
    folder.write("out.tif", &tiff.bytes);
}

#[test]
fn a_vrt_that_resamples_is_verified_against_the_pixels_that_gdal_gives() {
    for nodata in [false, true] {
        let folder = Folder::new();
        write_noise(&folder, nodata);
        for resampling in ["nearest", "average", "bilinear", "cubic"] {
            build_shifted_vrt(&folder, resampling);
            folder.run("shifted.vrt -o out.tif --overwrite --verify full --block 512").done();
            folder.tool("gdal_translate -q shifted.vrt wanted.tif");
            let (found, wanted) = (folder.raster("out.tif"), folder.raster("wanted.tif"));
            for band in 1..=2 {
                let what = format!("{resampling}, nodata {nodata}, band {band}");
                assert_same_pixels(&found.pixels(band), &wanted.pixels(band), found.width, &what);
            }
            folder.run("shifted.vrt -o out.tif --overwrite --verify full --block 64").done();
        }
    }
}

#[test]
fn a_vrt_that_resamples_keeps_the_range_of_its_type_beside_a_wider_one() {
    let folder = Folder::new();
    write_noise(&folder, false);
    for resampling in ["average", "bilinear", "cubic"] {
        build_shifted_vrt(&folder, resampling);
        folder.tool("gdal_translate -q shifted.vrt wanted.tif");
        let grid = folder.raster("wanted.tif");
        for wider in ["Int32", "Float32"] {
            // A source of the wider type on the VRT's grid, wholly below it.
            let below =
                Source::new(grid.width, grid.height).crs("EPSG:32631").bands(2).of(wider).value(70_000);
            below.geotransform([0.4, 2.0, 0.0, 0.4, 0.0, -1.5]).write(folder.path("wider.tif"));
            let line = "shifted.vrt wider.tif -o out.tif --method first --overwrite --verify full";
            folder.run(&format!("{line} --block 64")).done();
            let pixels = folder.raster("out.tif").pixels(1);
            let outside = pixels.iter().filter(|pixel| !(0.0..=65_535.0).contains(*pixel)).count();
            assert_eq!(outside, 0, "{resampling}, {wider}: pixels that UInt16 does not hold");
        }
    }
}

#[test]
fn a_single_wrong_pixel_of_a_vrt_that_resamples_is_found() {
    let folder = Folder::new();
    write_noise(&folder, false);
    build_shifted_vrt(&folder, "average");
    folder.run("shifted.vrt -o out.tif --compress none --block 64").done();
    let settings = Settings {
        inputs: vec![folder.path("shifted.vrt").to_str().unwrap().into()],
        output: folder.path("never.tif"),
        block: 64,
        ..Settings::default()
    };
    let prepared = prepared(&settings);
    let output = folder.path("out.tif");
    let area = Window::new(10, 20, 150, 90);
    let difference = || {
        let mut reference = Reference::new(&prepared.mosaic, prepared.jobs.grid.block, 1);
        reference.first_difference(output.to_str().unwrap(), area, &[0], Patience::default()).unwrap()
    };
    assert_eq!(difference(), None);

    turn_a_bit(&folder);
    let found = difference().expect("the damage is found");
    assert!(found.starts_with("band 1 at column 64, row 64"), "{found}");
}

#[test]
fn a_single_wrong_pixel_of_a_masked_median_is_found() {
    let folder = Folder::new();
    for (day, left) in [(1, 0.0), (2, 10.0), (3, 20.0)] {
        let value = move |band, x, y| match band {
            3 => i128::from(random(day, band, x / 5, y / 5) % 3),
            _ => i128::from(random(day, band, x, y) % 900),
        };
        let source = Source::new(150, 140).of("UInt16").bands(3).at(left, 0.0).pixels(value);
        source.described(&["a", "b", "SCL"]).write(folder.path(format!("s_2024-06-0{day}.tif")));
    }
    let run = |what: &str| {
        let job = "--bands a,b --mask-band SCL --nodata 0 --compress none --block 64 --verify none";
        folder.run(&format!("s_*.tif -o out.tif --overwrite {job} {what}")).done();
    };
    run("--mask-values 1 --method median");
    let settings = Settings {
        inputs: (1..=3)
            .map(|day| folder.path(format!("s_2024-06-0{day}.tif")).to_str().unwrap().into())
            .collect(),
        output: folder.path("never.tif"),
        bands: vec!["a".into(), "b".into()],
        method: "median".parse().unwrap(),
        nodata: Some("0".parse().unwrap()),
        scenes: SceneSettings {
            mask_band: Some("SCL".into()),
            mask_values: vec![1..=1],
            ..SceneSettings::default()
        },
        block: 64,
        ..Settings::default()
    };
    let prepared = prepared(&settings);
    let output = folder.path("out.tif");
    let all: Vec<usize> = (0..prepared.mosaic.sources.len()).collect();
    let difference = || {
        let area = Window::new(30, 20, 120, 110);
        let mut reference = Reference::new(&prepared.mosaic, prepared.jobs.grid.block, 1);
        reference.first_difference(output.to_str().unwrap(), area, &all, Patience::default()).unwrap()
    };
    assert_eq!(difference(), None);

    turn_a_bit(&folder);
    let found = difference().expect("the damage is found");
    assert!(found.starts_with("band 1 at column 64, row 64"), "{found}");

    // Another rule, another least number and other masks give other pixels.
    for other in [
        "--mask-values 1 --method medoid",
        "--mask-values 1 --method median --min-count 3",
        "--mask-values 1 --method median --mask-buffer 120000",
        "--mask-values 2 --method median",
    ] {
        run(other);
        assert!(difference().is_some(), "{other}");
    }
}
