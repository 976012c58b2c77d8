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

/// Dates of 24×24 pixels with three bands, each near what it is on the other dates: reflectances of that type, whole
/// numbers or fractions.
fn write_reflectances(folder: &Folder, pixel_type: &str, dates: u64) {
    for date in 0..dates {
        let value = move |band, x, y| {
            let common = 300 + random(9, band, x / 4, y / 4) % 3700;
            (common * 9 / 10 + random(date, band, x, y) % (common / 5 + 1)) as i128
        };
        let source =
            Source::new(24, 24).of(pixel_type).bands(3).described(&["blue", "red", "nir"]).nodata(0.0);
        let source = match pixel_type {
            "Float32" => source.fractions(move |band, x, y| value(band, x, y) as f64 / 10_000.0),
            _ => source.pixels(value),
        };
        source.write(folder.path(format!("s_2024-06-{:02}.tif", date + 1)));
    }
}

const INDICES: &str = "ndvi=(nir-red)/(nir+red); evi=2.5*(nir-red)/(nir+6*red-7.5*blue+1); difference=nir-red; \
                       ratio=log(nir/red); green=where(nir > 2*red, nir, 0); same=nir==red; part=nir%7";

#[test]
fn formulas_over_composites_are_verified() {
    for (pixel_type, dates, methods) in [
        ("Float32", 4, &["median", "percentile:30", "percentile:66.6", "geomedian", "stddev"][..]),
        ("UInt16", 5, &["median", "percentile:30", "geomedian", "stddev"]),
        ("Int64", 4, &["percentile:30", "mean", "geomedian"]),
    ] {
        let folder = Folder::new();
        write_reflectances(&folder, pixel_type, dates);
        let files: Vec<String> = (1..=dates).map(|date| format!("s_2024-06-{date:02}.tif")).collect();
        for method in methods {
            for more in [&[][..], &["--dtype", "Int16", "--scale-factor", "1000"]] {
                let mut words: Vec<&str> = files.iter().map(String::as_str).collect();
                words.extend(["-o", "out.tif", "--overwrite", "--verify", "full", "--method", method]);
                words.extend(["--expr", INDICES].iter().chain(more));
                folder.run_words(&words).done();
            }
        }
    }
}

#[test]
fn a_formula_over_a_median_is_verified_though_it_lies_half_way_between_two_floats() {
    let folder = Folder::new();
    write_reflectances(&folder, "Float32", 4);
    let files = "s_2024-06-01.tif s_2024-06-02.tif s_2024-06-03.tif s_2024-06-04.tif";
    folder.run(&format!("{files} -o out.tif --method median --expr (b3-b2)/(b3+b2) --verify full")).done();
    let dates: Vec<_> = files.split(' ').map(|file| folder.raster(file)).collect();
    let median = |band: usize| -> Vec<f32> {
        let of_dates: Vec<Vec<f64>> = dates.iter().map(|date| date.pixels(band)).collect();
        let of_pixel = |pixel: usize| {
            let mut values: Vec<f64> = of_dates.iter().map(|date| date[pixel]).collect();
            values.sort_by(f64::total_cmp);
            ((values[1] + values[2]) / 2.0) as f32
        };
        (0..24 * 24).map(of_pixel).collect()
    };
    let index = |(near, red): (f32, f32)| f64::from((near - red) / (near + red));
    let wanted: Vec<f64> = median(3).into_iter().zip(median(2)).map(index).collect();
    assert_same_pixels(&folder.raster("out.tif").pixels(1), &wanted, 24, "index of the median");
}

#[test]
fn a_formula_over_a_geometric_median_that_is_a_little_off_is_found() {
    let folder = Folder::new();
    write_reflectances(&folder, "UInt16", 5);
    let files = (1..=5).map(|date| format!("s_2024-06-0{date}.tif"));
    let settings = Settings {
        inputs: files.map(|file| folder.path(file).to_str().unwrap().into()).collect(),
        output: folder.path("never.tif"),
        method: "geomedian".parse().unwrap(),
        expressions: vec!["ndvi=(nir-red)/(nir+red)".into()],
        ..Settings::default()
    };
    let prepared = prepared(&settings);
    let output = folder.path("out.tif");
    for (off, differs) in [("0", false), ("0.001", true), ("0-0.001", true)] {
        let formula = format!("ndvi=(nir-red)/(nir+red)+({off})");
        let run = "s_*.tif -o out.tif --overwrite --method geomedian --verify none --expr";
        folder.run_words(&run.split(' ').chain([formula.as_str()]).collect::<Vec<_>>()).done();
        let area = Window::new(0, 0, 24, 24);
        let all = [0, 1, 2, 3, 4];
        let mut reference = Reference::new(&prepared.mosaic, prepared.jobs.grid.block, 5);
        let found = reference.first_difference(output.to_str().unwrap(), area, &all, Patience::default());
        assert_eq!(found.unwrap().is_some(), differs, "{off}");
    }
}

#[test]
fn scenes_are_told_by_what_was_decided_before_it_is_rounded_or_clamped() {
    let folder = Folder::new();
    // The first one is the newest: it and the second are clamped to the same value of UInt16.
    let dates = [("s_2024-06-02.tif", -30.0), ("s_2024-06-01.tif", -1.0), ("s_2024-05-01.tif", 7.0)];
    for (name, value) in dates {
        let value =
            move |band, x, y| value + f64::from(u8::from(band == 2)) / 4.0 + (x + 2 * y) as f64 / 32.0;
        Source::new(6, 4).of("Float32").bands(2).nodata(-9999.0).fractions(value).write(folder.path(name));
    }
    let (june_2, june_1, may_1) = (Some(19_876.0), Some(19_875.0), Some(19_844.0));
    for (method, date) in [
        ("newest", june_2),
        ("oldest", may_1),
        ("closest:2024-05-30", june_1),
        ("min", june_2),
        ("max", may_1),
        ("median", june_1),
        ("percentile:20", june_2),
        ("medoid", june_1),
        ("best:min:b1", june_2),
        ("best:max:b1", may_1),
        ("mode", june_2),
        ("mean", june_1),
        ("geomedian", None),
        ("first", None),
        ("last", None),
    ] {
        for pixel_type in ["UInt16", "Int32"] {
            let told = "--provenance --date-band --count-band --nodata 50000 --verify full --overwrite";
            folder.run(&format!("s_*.tif -o out.tif --method {method} --dtype {pixel_type} {told}")).done();
            let found = folder.raster("out.tif").only_value(5, (0, 0), (6, 4));
            assert!(date.is_none_or(|date| date == found), "{method} as {pixel_type}: {found}");
        }
    }
}

#[test]
fn a_scene_with_an_infinite_value_takes_no_part_in_a_geometric_median() {
    let folder = Folder::new();
    let infinite = f64::INFINITY;
    // By date three pixels of two bands: a scene that is infinite in one, all of them, one that lacks a band.
    let dates = [
        [[1.0, 4.0], [infinite, 1.0], [1.0, 4.0]],
        [[2.0, 8.0], [1.0, -infinite], [infinite, f64::NAN]],
        [[5.0, infinite], [infinite, infinite], [2.0, 8.0]],
    ];
    for (date, pixels) in dates.into_iter().enumerate() {
        let source = Source::new(3, 1)
            .of("Float32")
            .bands(2)
            .nodata(f64::NAN)
            .fractions(move |band, x, _| pixels[x][band - 1]);
        source.write(folder.path(format!("s_2024-06-0{}.tif", date + 1)));
    }
    folder.run("s_*.tif -o out.tif --method geomedian --count-band --provenance --verify full").done();
    let out = folder.raster("out.tif");
    assert_same_pixels(&out.pixels(1), &[1.5, f64::NAN, 1.5], 3, "first band");
    assert_same_pixels(&out.pixels(2), &[6.0, f64::NAN, 6.0], 3, "second band");
    assert_same_pixels(&out.pixels(3), &[2.0, f64::NAN, 2.0], 3, "count");
}
