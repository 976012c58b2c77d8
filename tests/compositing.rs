//! Composites of scenes equal what is computed here from the generated pixels, one list of values after the other,
//! and the program's second opinion agrees on every pixel.

mod common;

use common::{Folder, Source, assert_same_pixels, pixel_type_nodata, pixel_types, pixel_value, random};

/// Value of pixels without data.
const NODATA: i128 = 0;
/// What the masks call a cloud, and everything else.
const CLOUD: i128 = 9;
const GROUND: i128 = 4;

/// A scene of generated pixels of 10 m; its upper-left pixel has this column and row in the mosaic.
#[derive(Clone, Copy)]
struct Scene {
    day: u32,
    left: usize,
    top: usize,
    columns: usize,
    rows: usize,
    /// How many values a pixel may have: few make ties.
    values: u64,
}

const fn scene(day: u32, left: usize, top: usize, columns: usize, rows: usize) -> Scene {
    Scene { day, left, top, columns, rows, values: 4000 }
}

/// Five that overlap, their sides even, the first in the mosaic's upper-left corner, the last in its other one.
const SCENES: [Scene; 5] = [
    scene(3, 0, 0, 130, 110),
    scene(18, 20, 10, 120, 130),
    scene(7, 0, 40, 160, 100),
    scene(25, 44, 6, 96, 128),
    scene(12, 30, 20, 130, 120),
];
/// Columns and rows of their mosaic.
const SIZE: (usize, usize) = (160, 140);

impl Scene {
    fn name(self) -> String {
        format!("s_2024-06-{:02}", self.day)
    }

    /// The pixel of a band, one in nine without data.
    fn value(self, band: usize, x: usize, y: usize) -> i128 {
        let number = random(self.day.into(), band, x, y);
        if number.is_multiple_of(9) { NODATA } else { 1 + i128::from(number / 9 % self.values) }
    }

    /// Clouds are squares of seven pixels.
    fn mask(self, x: usize, y: usize) -> i128 {
        if random(self.day.into(), 99, x / 7, y / 7).is_multiple_of(4) { CLOUD } else { GROUND }
    }

    /// Column and row within the scene, of a pixel of the mosaic.
    fn inside(self, x: usize, y: usize) -> Option<(usize, usize)> {
        let (x, y) = (x.checked_sub(self.left)?, y.checked_sub(self.top)?);
        (x < self.columns && y < self.rows).then_some((x, y))
    }

    /// Whether a cloud lies within so many pixels.
    fn is_clouded(self, x: usize, y: usize, reach: f64) -> bool {
        let steps = reach as usize;
        (y.saturating_sub(steps)..(y + steps + 1).min(self.rows)).any(|row| {
            (x.saturating_sub(steps)..(x + steps + 1).min(self.columns)).any(|column| {
                let distance = (column.abs_diff(x).pow(2) + row.abs_diff(y).pow(2)) as f64;
                distance <= reach * reach && self.mask(column, row) == CLOUD
            })
        })
    }

    /// A raster of the scene's place; its pixels are so many of the scene's wide.
    fn raster(self, bands: usize, step: usize) -> Source {
        let (x, y) = (500_000.0 + 10.0 * self.left as f64, 5_000_000.0 - 10.0 * self.top as f64);
        Source::new(self.columns / step, self.rows / step)
            .crs("EPSG:32631")
            .pixel(10.0 * step as f64)
            .at(x, y)
            .of("UInt16")
            .bands(bands)
            .options("TILED=YES BLOCKXSIZE=48 BLOCKYSIZE=32 COMPRESS=DEFLATE")
    }

    /// Two bands, and the mask as a third where one is wanted.
    fn write(self, folder: &Folder, masked: bool) {
        let value = move |band, x, y| if band == 3 { self.mask(x, y) } else { self.value(band, x, y) };
        let source = self.raster(if masked { 3 } else { 2 }, 1).described(&["B04", "B08", "SCL"]);
        source.nodata(NODATA as f64).pixels(value).write(folder.path(self.name() + ".tif"));
    }
}

/// Computes a band of the mosaic, pixel by pixel, from what each scene shows there.
fn compute(decide: impl Fn(usize, usize) -> Option<i128>) -> Vec<f64> {
    let (columns, rows) = SIZE;
    let pixel = |index: usize| decide(index % columns, index / columns).unwrap_or(NODATA) as f64;
    (0..columns * rows).map(pixel).collect()
}

/// The values that the scenes show in a pixel of a band, those without data left out.
fn shown(scenes: &[Scene], band: usize, x: usize, y: usize) -> Vec<i128> {
    let of = |scene: &Scene| scene.inside(x, y).map(|(x, y)| scene.value(band, x, y));
    scenes.iter().filter_map(of).filter(|value| *value != NODATA).collect()
}

/// The middle one, or the even one of two that are as near to the middle of two.
fn median(mut values: Vec<i128>) -> Option<i128> {
    values.sort_unstable();
    let (low, high) = (*values.get(values.len().wrapping_sub(1) / 2)?, values[values.len() / 2]);
    let below = (low + high) / 2;
    Some(if (low + high) % 2 == 1 && below % 2 == 1 { below + 1 } else { below })
}

#[track_caller]
fn assert_band(folder: &Folder, band: usize, wanted: &[f64], what: &str) {
    let found = folder.raster("out.tif");
    assert_eq!(found.size(), SIZE, "{what}");
    assert_same_pixels(&found.pixels(band), wanted, SIZE.0, &format!("{what}, band {band}"));
    let mask: Vec<f64> = found.mask(band).iter().map(|&valid| f64::from(valid / 255)).collect();
    let valid: Vec<f64> = wanted.iter().map(|&value| f64::from(u8::from(value != NODATA as f64))).collect();
    assert_same_pixels(&mask, &valid, SIZE.0, &format!("validity of {what}, band {band}"));
}

const RUN: &str = "-o out.tif --overwrite --verify full --block 64 --chunk 64";
const MASKED: &str = "--bands B04,B08 --mask-band SCL --mask-values 0,1,8-10";

#[test]
fn a_masked_median_takes_what_enough_scenes_show_away_from_clouds() {
    let folder = Folder::new();
    SCENES.iter().for_each(|scene| scene.write(&folder, true));
    // The last reaches beyond the mosaic from everywhere.
    for (buffer, least) in [(0, 1), (0, 3), (25, 1), (34, 2), (2_000_000_000, 1)] {
        let options = format!("--mask-buffer {buffer} --min-count {least}");
        folder.run(&format!("s_*.tif {RUN} {MASKED} --method median {options}")).done();
        for band in [1, 2] {
            let wanted = compute(|x, y| {
                let clear = |scene: &&Scene| {
                    let clouded = |(x, y)| scene.is_clouded(x, y, f64::from(buffer) / 10.0);
                    scene.inside(x, y).is_some_and(|place| !clouded(place))
                };
                let clear: Vec<Scene> = SCENES.iter().filter(clear).copied().collect();
                let values = shown(&clear, band, x, y);
                if values.len() < least { None } else { median(values) }
            });
            assert_band(&folder, band, &wanted, &options);
        }
    }
}

#[test]
fn bands_of_a_scene_may_lie_in_files_of_several_resolutions() {
    let folder = Folder::new();
    for scene in SCENES {
        std::fs::create_dir(folder.path(scene.name())).unwrap();
        let path = |band: &str| folder.path(format!("{}/T31_{band}.tif", scene.name()));
        let band = move |number| move |_, x, y| scene.value(number, x, y);
        scene.raster(1, 1).nodata(NODATA as f64).pixels(band(1)).write(path("B04"));
        scene.raster(1, 2).nodata(NODATA as f64).pixels(band(2)).write(path("B11"));
        scene.raster(1, 2).pixels(move |_, x, y| scene.mask(x, y)).write(path("SCL"));
    }
    let masked = "--bands B04,B11 --mask-band SCL --keep-values 4";
    let inputs: Vec<String> = SCENES.iter().map(|scene| scene.name()).collect();
    folder.run(&format!("{} {RUN} {masked} --method median --resampling nearest", inputs.join(" "))).done();
    for band in [1, 2] {
        let wanted = compute(|x, y| {
            let of = |scene: &Scene| {
                let (x, y) = scene.inside(x, y)?;
                let value = if band == 1 { scene.value(1, x, y) } else { scene.value(2, x / 2, y / 2) };
                (scene.mask(x / 2, y / 2) == GROUND && value != NODATA).then_some(value)
            };
            median(SCENES.iter().filter_map(of).collect())
        });
        assert_band(&folder, band, &wanted, "10 m and 20 m");
    }
    // What GDAL makes between pixels is its own matter; the second opinion reads it another way.
    let further = "--method geomedian --resampling bilinear --mask-buffer 45";
    folder.run(&format!("{} {RUN} {masked} {further}", inputs.join(" "))).done();
    folder.run(&format!("{} {RUN} {masked} {further} --crs EPSG:32630", inputs.join(" "))).done();
}

/// What a rule makes of the values of one band.
type OfBand = fn(Vec<i128>) -> Option<i128>;

#[test]
fn statistics_of_plain_files_equal_those_of_lists() {
    let folder = Folder::new();
    let scenes = SCENES.map(|scene| Scene { values: 5, ..scene });
    scenes.iter().for_each(|scene| scene.write(&folder, false));
    let quarter = |mut values: Vec<i128>| {
        values.sort_unstable();
        let place = 0.25 * values.len().checked_sub(1)? as f64;
        let (low, high) = (values[place as usize], values[place.ceil() as usize]);
        let between = low as f64 + (high - low) as f64 * place.fract();
        Some(between.round_ties_even() as i128)
    };
    let mode = |values: Vec<i128>| {
        let frequency = |value: i128| values.iter().filter(|other| **other == value).count();
        (1..=5).rev().filter(|value| frequency(*value) > 0).max_by_key(|value| frequency(*value))
    };
    let deviation = |values: Vec<i128>| {
        let count = values.len() as f64;
        let mean = values.iter().sum::<i128>() as f64 / count;
        let squares: f64 = values.iter().map(|value| (*value as f64 - mean).powi(2)).sum();
        // All of one value deviate by 0, which is nodata's value here and stays it.
        (!values.is_empty()).then(|| (squares / count).sqrt().round_ties_even() as i128)
    };
    let methods: [(&str, OfBand); 4] =
        [("percentile:25", quarter), ("mode", mode), ("median", median), ("stddev", deviation)];
    for (method, rule) in methods {
        folder.run(&format!("s_*.tif {RUN} --method {method}")).done();
        for band in [1, 2] {
            let found = folder.raster("out.tif").pixels(band);
            let wanted = compute(|x, y| rule(shown(&scenes, band, x, y)));
            if method == "stddev" {
                assert_same_pixels(&found, &wanted, SIZE.0, method);
            } else {
                assert_band(&folder, band, &wanted, method);
            }
        }
    }
}

/// What a scene without a gap shows in both bands.
fn whole(scene: &Scene, x: usize, y: usize) -> Option<[i128; 2]> {
    let (x, y) = scene.inside(x, y)?;
    let pixel = [1, 2].map(|band| scene.value(band, x, y));
    (!pixel.contains(&NODATA)).then_some(pixel)
}

#[test]
fn rules_that_choose_a_scene_take_all_bands_from_it() {
    let folder = Folder::new();
    SCENES.iter().for_each(|scene| scene.write(&folder, false));
    let by = |key: &dyn Fn(&Scene) -> i64| {
        let mut scenes = SCENES;
        scenes.sort_by_key(key);
        scenes
    };
    let first = |scenes: [Scene; 5]| move |x, y| scenes.iter().find_map(|scene| whole(scene, x, y));
    let medoid = |x, y| {
        let scenes: Vec<[i128; 2]> =
            by(&|scene| scene.day.into()).iter().filter_map(|s| whole(s, x, y)).collect();
        let distances = |one: &[i128; 2]| -> f64 {
            let square = |other: &[i128; 2]| (one[0] - other[0]).pow(2) + (one[1] - other[1]).pow(2);
            scenes.iter().map(|other| (square(other) as f64).sqrt()).sum()
        };
        scenes.iter().copied().min_by(|one, other| {
            // Of two scenes each is as near as the other: the first one counts.
            let (one, other) = (distances(one), distances(other));
            if (one - other).abs() < 1e-6 * one { std::cmp::Ordering::Equal } else { one.total_cmp(&other) }
        })
    };
    let greenest = |x, y| {
        let scenes: Vec<[i128; 2]> =
            by(&|scene| scene.day.into()).iter().filter_map(|s| whole(s, x, y)).collect();
        let index = |pixel: &[i128; 2]| (pixel[1] - pixel[0]) as f32 / (pixel[1] + pixel[0]) as f32;
        scenes.into_iter().reduce(|best, pixel| if index(&pixel) > index(&best) { pixel } else { best })
    };
    type OfBoth<'a> = Box<dyn Fn(usize, usize) -> Option<[i128; 2]> + 'a>;
    let methods: [(&str, OfBoth); 6] = [
        ("newest", Box::new(first(by(&|scene| -i64::from(scene.day))))),
        ("oldest", Box::new(first(by(&|scene| scene.day.into())))),
        ("closest:2024-06-11", Box::new(first(by(&|scene| (i64::from(scene.day) - 11).abs())))),
        ("medoid", Box::new(medoid)),
        ("best:max:(B08-B04)/(B08+B04)", Box::new(greenest)),
        ("best:min:(B04-B08)/(b2+b1)", Box::new(greenest)),
    ];
    for (method, rule) in methods {
        folder.run(&format!("s_*.tif {RUN} --method {method}")).done();
        for band in [1, 2] {
            assert_band(&folder, band, &compute(|x, y| Some(rule(x, y)?[band - 1])), method);
        }
    }
}

#[test]
fn composites_are_the_same_bytes_however_they_are_cut_and_ordered() {
    let folder = Folder::new();
    SCENES.iter().for_each(|scene| scene.write(&folder, true));
    let names: Vec<String> = SCENES.iter().map(|scene| scene.name() + ".tif").collect();
    let forwards = names.join(" ");
    let backwards = names.iter().rev().cloned().collect::<Vec<_>>().join(" ");
    for method in ["median", "geomedian", "mean", "stddev"] {
        let job = format!("{MASKED} --mask-buffer 30 --method {method} --block 64 --verify full --overwrite");
        folder.run(&format!("{forwards} -o one.tif {job} --chunk 64 --threads 1")).done();
        for (inputs, options) in [
            (&forwards, "--chunk 128 --threads 2"),
            (&forwards, "--chunk 512 --threads 3 --memory 200MiB"),
            (&backwards, "--chunk 64 --threads 2 --memory 150MiB"),
        ] {
            folder.run(&format!("{inputs} -o other.tif {job} {options}")).done();
            assert!(folder.read("one.tif") == folder.read("other.tif"), "{method} {options}");
        }
    }
}

/// A folder of one scene with its metadata, as of a processing baseline.
fn write_product(folder: &Folder, name: &str, day: u32, baseline: &str, offset: &str, row: &'static [i128]) {
    std::fs::create_dir(folder.path(name)).unwrap();
    let offsets = (0..13).map(|band| offset.replace("ID", &band.to_string())).collect::<String>();
    let document = format!(
        "<p><PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>\
         <DATATAKE_SENSING_START>2022-01-{day:02}T11:00:00Z</DATATAKE_SENSING_START>{offsets}</p>"
    );
    folder.write(&format!("{name}/MTD_MSIL2A.xml"), document);
    for band in ["B04", "B08"] {
        let raster = Source::new(row.len(), 1).crs("EPSG:32631").pixel(10.0).at(500_000.0, 5_000_000.0);
        raster.of("UInt16").nodata(0.0).rows(&[row]).write(folder.path(format!("{name}/{band}.tif")));
    }
}

#[test]
fn scenes_of_an_old_and_a_new_baseline_are_brought_to_one_level() {
    let folder = Folder::new();
    let offset = r#"<BOA_ADD_OFFSET band_id="ID">-1000</BOA_ADD_OFFSET>"#;
    write_product(&folder, "new", 20, "04.00", offset, &[0, 1, 999, 1000, 1001, 1200, 5000, 65535]);
    write_product(&folder, "old", 10, "03.01", "", &[70, 0, 0, 0, 0, 0, 0, 7]);
    let run = "new old -o out.tif --bands B04,B08 --verify full --overwrite";
    let pixels = || [1, 2].map(|band| folder.raster("out.tif").pixels(band));
    // What falls to nodata's value has data still.
    folder.run(&format!("{run} --method newest")).done().names(&["new: -1000 is added"]);
    assert_eq!(pixels(), [[70.0, 1.0, 1.0, 1.0, 1.0, 200.0, 4000.0, 64535.0]; 2]);
    folder.run(&format!("{run} --method min")).done();
    assert_eq!(pixels(), [[70.0, 1.0, 1.0, 1.0, 1.0, 200.0, 4000.0, 7.0]; 2]);
    folder.run(&format!("{run} --method newest --harmonize off")).done();
    assert_eq!(pixels(), [[70.0, 1.0, 999.0, 1000.0, 1001.0, 1200.0, 5000.0, 65535.0]; 2]);
}

#[test]
fn zeros_are_no_data_where_that_is_asked() {
    let folder = Folder::new();
    for (name, values) in [("a.tif", [[0, 0, 6, 8], [0, 5, 0, 8]]), ("b.tif", [[2, 2, 2, 2]; 2])] {
        let source = Source::new(4, 1).of("UInt16").bands(2).pixels(move |band, x, _| values[band - 1][x]);
        source.write(folder.path(name));
    }
    let run = "a.tif b.tif -o out.tif --overwrite --verify full --method min";
    let pixels = || [1, 2].map(|band| folder.raster("out.tif").pixels(band));
    folder.run(&format!("{run} --zero-is-nodata")).done();
    assert_eq!(pixels(), [[2.0; 4]; 2]);
    folder.run(run).done();
    assert_eq!(pixels(), [[0.0, 0.0, 2.0, 2.0], [0.0, 2.0, 0.0, 2.0]]);
}

/// Scenes of a pixel each: the days' values of B04 and B08.
fn write_days(folder: &Folder, pixel_type: &str, days: &[[f64; 2]]) {
    for (day, values) in days.iter().enumerate() {
        std::fs::create_dir(folder.path(format!("2024-01-0{}", day + 1))).unwrap();
        for (band, value) in ["B04", "B08"].into_iter().zip(*values) {
            let source = Source::new(1, 1).crs("EPSG:32631").pixel(10.0).at(500_000.0, 5_000_000.0);
            let source = source.of(pixel_type).fractions(move |_, _, _| value);
            source.write(folder.path(format!("2024-01-0{}/{band}.tif", day + 1)));
        }
    }
}

#[test]
fn scenes_are_scored_by_what_is_read_of_them_also_where_formulas_come_before() {
    let folder = Folder::new();
    write_days(&folder, "UInt16", &[[4.0, 6.0], [5.0, 9.0]]);
    let run = "2024-01-01 2024-01-02 -o out.tif --overwrite --verify full --bands B04,B08 \
               --method best:max:B08-B04 --expr-stage before";
    folder.run(&format!("{run} --expr s=B08+B04;r=B04")).done();
    assert_eq!([1, 2].map(|band| folder.raster("out.tif").pixels(band)[0]), [14.0, 5.0]);
    folder.run(&format!("{run} --expr s=B08+B04")).done();
    assert_eq!(folder.raster("out.tif").pixels(1), [14.0]);
}

#[test]
fn what_no_scene_shows_is_not_data_also_where_there_is_no_nodata_value() {
    let folder = Folder::new();
    write_days(&folder, "Float32", &[[f64::NAN, 1.0], [f64::NAN, 3.0]]);
    for method in ["median", "newest", "stddev"] {
        let bands = if method == "newest" { "B04" } else { "B04,B08" };
        let run = format!("2024-01-01 2024-01-02 -o out.tif --overwrite --verify full --bands {bands}");
        folder.run(&format!("{run} --method {method}")).done();
        let shown = bands.contains("B08");
        assert_eq!(folder.raster("out.tif").mask(1)[0] != 0, shown, "{method}");
    }
}

#[test]
fn a_deviation_of_nothing_is_data() {
    for (pixel_type, nodata) in [("UInt16", false), ("Float32", true)] {
        let folder = Folder::new();
        for name in ["a.tif", "b.tif"] {
            let value = |_, x, _| if x == 0 { 0 } else { 5 };
            Source::new(2, 1).of(pixel_type).nodata(0.0).pixels(value).write(folder.path(name));
        }
        folder.run("a.tif b.tif -o out.tif --method stddev --verify full").done();
        let out = folder.raster("out.tif");
        assert_eq!(out.mask(1).iter().map(|&valid| valid != 0).collect::<Vec<_>>(), [false, true]);
        assert_eq!((out.pixels(1)[1], out.pixels(1)[0].is_nan()), (0.0, nodata), "{pixel_type}");
    }
}

#[test]
fn a_deviation_of_finite_values_is_finite_however_large_they_are() {
    let folder = Folder::new();
    let rows =
        [[-1.7e308, -1.7e308, 1e200, 5e-3], [-1.7e308, 1.7e308, 3e200, 7e-3], [-1.7e308, 0.0, 5e200, 9e-3]];
    for (index, row) in rows.into_iter().enumerate() {
        let source = Source::new(4, 1).of("Float64").fractions(move |_, x, _| row[x]);
        source.write(folder.path(format!("{index}.tif")));
    }
    let run = "-o out.tif --overwrite --verify full --method stddev";
    folder.run(&format!("0.tif {run}")).done();
    assert_eq!(folder.raster("out.tif").pixels(1), [0.0; 4]);
    folder.run(&format!("0.tif 1.tif 2.tif {run}")).done();
    let found = folder.raster("out.tif").pixels(1);
    let of_two_thirds = (2.0f64 / 3.0).sqrt();
    let wanted = [0.0, 1.7e308 * of_two_thirds, 2e200 * of_two_thirds, 2e-3 * of_two_thirds];
    for (found, wanted) in found.into_iter().zip(wanted) {
        assert!((found - wanted).abs() <= 1e-12 * wanted, "{found} is not {wanted}");
    }
}

#[test]
fn a_geometric_median_does_not_drift_towards_what_lies_far_off() {
    // Weiszfeld's iteration in 40 digits gives these.
    const UP: [f64; 2] = [7.8868, 27.6818];
    const DOWN: [f64; 2] = [7.8510, 24.0432];
    let near = [[7, 20], [9, 31], [8, 24], [7, 28]];
    for (pixel_type, far, wanted) in [
        ("Float64", 1e8, UP),
        ("Float32", 1e10, UP),
        ("Float64", 1e18, UP),
        ("Int32", -2_147_483_647.0, DOWN),
        ("UInt16", 65535.0, UP),
    ] {
        let folder = Folder::new();
        for (index, values) in near.into_iter().map(|v| v.map(f64::from)).chain([[far; 2]]).enumerate() {
            let source = Source::new(1, 1).of(pixel_type).bands(2);
            let source = source.fractions(move |band, _, _| values[band - 1]);
            source.write(folder.path(format!("{index}.tif")));
        }
        let inputs = "0.tif 1.tif 2.tif 3.tif 4.tif";
        folder.run(&format!("{inputs} -o out.tif --method geomedian --dtype Float64 --verify full")).done();
        let out = folder.raster("out.tif");
        for band in [1, 2] {
            let found = out.pixels(band)[0];
            assert!(
                (found - wanted[band - 1]).abs() < 3e-3,
                "{found} in band {band} of {pixel_type} and {far}"
            );
        }
    }
}

/// Scenes of two days in a folder each: colours with transparency, and a mask of other pixels.
fn write_transparent(folder: &Folder) {
    for (day, color, seen) in [("2024-01-01", 10, [255, 255, 0, 0]), ("2024-01-02", 30, [255, 0, 255, 0])] {
        std::fs::create_dir(folder.path(day)).unwrap();
        let raster = || Source::new(4, 1).crs("EPSG:32631").pixel(10.0).at(500_000.0, 5_000_000.0);
        let value = move |band: usize, x: usize, _| if band == 4 { seen[x] } else { color + band as i128 };
        let bands = raster().bands(4).shows(&["Red", "Green", "Blue", "Alpha"]).pixels(value);
        bands.write(folder.path(format!("{day}/bands.tif")));
        raster().value(4).write(folder.path(format!("{day}/SCL.tif")));
    }
}

#[test]
fn transparency_of_scenes_says_what_is_there_and_is_no_band() {
    let folder = Folder::new();
    write_transparent(&folder);
    let run = "2024-01-01 2024-01-02 -o out.tif --overwrite --verify full --mask-band SCL --mask-values 9";
    let seen = [255, 255, 255, 0];
    for (options, of_red) in [
        ("--bands bands --method median", [21, 11, 31, 0]),
        ("--bands bands --method medoid", [11, 11, 31, 0]),
        ("--bands bands --method geomedian", [21, 11, 31, 0]),
        ("--bands bands", [31, 11, 31, 0]),
        ("--bands bands:1,bands:4,bands:2,bands:3 --method min", [11, 11, 31, 0]),
        ("--bands bands --method max --provenance", [31, 11, 31, 0]),
    ] {
        folder.run(&format!("{run} {options}")).done();
        let out = folder.raster("out.tif");
        assert_eq!(out.bands, 3 + usize::from(options.contains("provenance")), "{options}");
        assert!((1..=out.bands).all(|band| out.shows(band) != "Alpha"), "{options}");
        assert_eq!(
            (out.mask(1), out.pixels(1)),
            (seen.to_vec(), of_red.map(f64::from).to_vec()),
            "{options}"
        );
        folder.run(&format!("{run} {options} --nodata 0")).done();
        let out = folder.raster("out.tif");
        assert!(!out.has_stored_mask(1) && out.nodata(1) == Some(0.0) && out.shows(3) == "Blue", "{options}");
    }
    folder.run(&format!("{run} --bands bands --expr s=b1+b3 --method min")).done();
    assert_eq!(folder.raster("out.tif").pixels(1)[..3], [24.0, 24.0, 64.0]);
    let refused = folder.run(&format!("{run} --bands bands:4")).refused();
    refused.names(&["2024-01-01/bands.tif", "band 4 is transparency, and no other is taken", "--mask-band"]);
    let all = "--bands bands --method median --on-error skip";
    Source::new(4, 1)
        .crs("EPSG:32631")
        .pixel(10.0)
        .at(500_000.0, 5_000_000.0)
        .bands(4)
        .shows(&["Red", "Green", "Blue", "Undefined"])
        .value(7)
        .write(folder.path("2024-01-02/bands.tif"));
    let skipping = folder.run(&format!("{run} {all}")).done();
    skipping.names(&["left out: 2024-01-02: band bands:4 is not transparency, and is in 2024-01-01"]);
}

#[test]
fn infinities_are_verified_as_they_are_made() {
    let folder = Folder::new();
    for (name, value) in [("a.tif", 1.0), ("b.tif", f64::INFINITY), ("c.tif", 2.0)] {
        Source::new(1, 1).of("Float32").fractions(move |_, _, _| value).write(folder.path(name));
    }
    let run = "-o out.tif --overwrite --verify full --provenance --count-band --method";
    folder.run(&format!("a.tif b.tif {run} median")).done();
    folder.run(&format!("a.tif b.tif c.tif {run} percentile:90")).done();
    assert_eq!(folder.raster("out.tif").pixels(1), [f64::INFINITY]);
}

#[test]
fn only_kept_values_of_a_mask_keep_their_pixels() {
    let folder = Folder::new();
    write_days(&folder, "UInt16", &[[4.0, 6.0], [5.0, 9.0], [7.0, 7.0]]);
    for (day, value) in [4.5, f64::NAN, 4.0].into_iter().enumerate() {
        let mask = Source::new(1, 1).crs("EPSG:32631").pixel(10.0).at(500_000.0, 5_000_000.0).of("Float32");
        let mask = mask.fractions(move |_, _, _| value);
        mask.write(folder.path(format!("2024-01-0{}/SCL.tif", day + 1)));
    }
    let run = "2024-01-01 2024-01-02 2024-01-03 -o out.tif --verify full --bands B04 --method min";
    folder.run(&format!("{run} --mask-band SCL --keep-values 4 --count-band")).done();
    assert_eq!([1, 2].map(|band| folder.raster("out.tif").pixels(band)[0]), [7.0, 1.0]);
}

#[test]
fn what_a_mask_reaches_around_is_in_the_budget() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("s")).unwrap();
    let raster = || {
        let source = Source::new(4000, 4000).crs("EPSG:32631").pixel(10.0).at(500_000.0, 5_000_000.0);
        source.options("TILED=YES BLOCKXSIZE=512 BLOCKYSIZE=512 COMPRESS=DEFLATE")
    };
    raster().of("UInt16").value(7).write(folder.path("s/B04.tif"));
    raster().pixels(|_, x, y| i128::from(x == 1000 && y == 3000)).write(folder.path("s/SCL.tif"));
    let job = |buffer: u32, memory: u64| {
        let masked = format!("--bands B04 --mask-band SCL --mask-values 1 --mask-buffer {buffer}");
        let run = "s -o out.tif --overwrite --method median --nodata 0 --threads 1 --report report.json";
        folder.run(&format!("{run} {masked} --memory {memory}MiB"))
    };
    let least = |buffer: u32| -> u64 {
        let refusal = job(buffer, 40).refused().stderr;
        let words = refusal.split_once("--memory ").expect("it says what is enough").1;
        words.split_once("MiB").unwrap().0.parse().unwrap()
    };
    let (none, wide) = (least(0), least(10_000));
    // An area of a block's width and 1000 pixels on each side: five bytes each, and four of each mark.
    // What the process holds already differs by some MiB from run to run.
    assert!(wide > none + 16, "{wide} MiB are enough with a buffer and {none} MiB without");
    job(10_000, wide).done();
    let report: serde_json::Value = serde_json::from_slice(&folder.read("report.json")).unwrap();
    let peak = report["budget"]["measured_peak"].as_u64().unwrap();
    assert!(peak <= wide << 20, "{peak} bytes of {wide} MiB");
    let pixels = folder.raster("out.tif").pixels(1);
    let at = |column: usize, row: usize| pixels[row * 4000 + column];
    assert_eq!([at(2000, 3000), at(2001, 3000), at(1000, 2000), at(1000, 1999)], [0.0, 7.0, 0.0, 7.0]);
}

#[test]
fn a_mask_hides_where_it_has_no_data_but_nothing_around() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("s")).unwrap();
    let raster = || Source::new(8, 1).crs("EPSG:32631").pixel(10.0).at(500_000.0, 5_000_000.0);
    raster().of("UInt16").value(7).write(folder.path("s/B04.tif"));
    // Its own mask leaves out the third pixel, whose value would hide; the seventh is a cloud.
    let mask = raster().rows(&[&[4, 4, 9, 4, 4, 4, 9, 4]]).internal_mask(|x, _| x != 2);
    mask.write(folder.path("s/SCL.tif"));
    let masked = "--bands B04 --mask-band SCL --mask-values 9 --mask-buffer 10";
    for reader in ["vrt", "auto"] {
        let run = "s -o out.tif --overwrite --verify full --nodata 0 --method median";
        folder.run(&format!("{run} {masked} --reader {reader}")).done();
        assert_eq!(folder.raster("out.tif").pixels(1), [7.0, 7.0, 0.0, 7.0, 7.0, 0.0, 0.0, 0.0]);
        let further = masked.replace("--mask-buffer 10", "--mask-buffer 1e300");
        folder.run(&format!("{run} {further} --reader {reader}")).done();
        assert_eq!(folder.raster("out.tif").pixels(1), [0.0; 8]);
    }
}

#[test]
fn all_scenes_that_lack_a_band_are_named_at_once() {
    let folder = Folder::new();
    for (name, bands) in [("a", &["B02", "SCL"][..]), ("b", &["B02", "B04", "SCL"]), ("c", &["B02", "B04"])] {
        std::fs::create_dir(folder.path(name)).unwrap();
        for band in bands {
            let source = Source::new(4, 4).of("UInt16").value(5);
            source.write(folder.path(format!("{name}/{band}.tif")));
        }
    }
    let run = "a b c -o out.tif --bands B02,B04 --mask-band SCL --mask-values 1 --method median";
    let outcome = folder.run(run).refused().names(&["a: has no band B04", "c: has no band SCL"]);
    assert!(!outcome.stderr.contains("b: "), "{}", outcome.stderr);
    assert!(!folder.names().contains("out.tif"));
}

#[test]
fn what_would_leave_nothing_is_told_before_the_work() {
    let folder = Folder::new();
    SCENES.iter().for_each(|scene| scene.write(&folder, true));
    let run = "s_*.tif -o out.tif --bands B04 --mask-band SCL --method median";
    let outcome = folder.run(&format!("{run} --mask-values 9 --min-count 6")).refused();
    outcome.names(&["--min-count: a pixel needs data of 6 scenes, and there are only 5"]);
    folder.run(&format!("{run} --keep-values 70000")).refused().names(&["--keep-values", "left out", "SCL"]);
    let outcome = folder.run(&format!("{run} --mask-values 9,-1 --mask-bits 16")).done();
    outcome.names(&["--mask-values -1: no pixel of SCL can have this value", "--mask-bits 16", "UInt16"]);
}

#[test]
fn a_scene_without_its_mask_can_be_skipped() {
    let folder = Folder::new();
    SCENES.iter().enumerate().for_each(|(number, scene)| scene.write(&folder, number != 1));
    let run = format!("s_*.tif {RUN} {MASKED} --method median");
    folder.run(&run).refused().names(&["s_2024-06-18.tif: has no band SCL"]);
    let skipping =
        folder.run(&format!("{run} --on-error skip --bounds 500000,4998600,501600,5000000")).done();
    skipping.names(&["left out: s_2024-06-18.tif: has no band SCL"]);
}

#[test]
fn the_second_opinion_agrees_on_every_rule_for_every_pixel_type() {
    for pixel_type in pixel_types() {
        let folder = Folder::new();
        for piece in 0..5_u64 {
            let source = Source::new(60 + piece as usize, 50).at(3.0 * piece as f64, -2.0 * piece as f64);
            let source = source.of(pixel_type).bands(3).described(&["red", "green", "blue"]);
            let source = source.pixels(move |band, x, y| pixel_value(pixel_type, piece, band, x, y));
            let (nodata, is_whole) = pixel_type_nodata(pixel_type);
            let source = if is_whole { source.whole_nodata(nodata) } else { source.nodata(nodata as f64) };
            source.write(folder.path(format!("s_{}-01-01.tif", 2000 + piece)));
        }
        for method in [
            "median",
            "percentile:10",
            "percentile:66.6",
            "mode",
            "stddev",
            "medoid",
            "geomedian",
            "newest",
            "oldest",
            "closest:2002-05-01",
            "center",
            "best:max:red-2*green",
            "best:min:sqrt(abs(blue))/red",
            "mean --min-count 3",
            "sum --min-count 2",
            "count --min-count 2",
            "first --min-count 2",
            "last --min-count 2",
            "min --min-count 2",
            "max --min-count 2",
            "mean --zero-is-nodata --dtype Float64",
            "median --dtype Byte",
            "geomedian --dtype Float32",
            "stddev --dtype Float64",
            "percentile:30 --dtype Float32",
        ] {
            let method = format!("s_*.tif --method {method} --verify full --block 32 --nodata 0");
            folder.run(&format!("{method} -o out.tif --overwrite")).done();
        }
    }
}

/// A file of 4×4 pixels of a value, without data where it is 0, in a folder that is made with it.
fn write_small(folder: &Folder, name: &str, value: i128) {
    let path = folder.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let raster = Source::new(4, 4).crs("EPSG:32631").pixel(10.0).at(500_000.0, 5_000_000.0);
    raster.of("UInt16").nodata(0.0).value(value).write(path);
}

#[test]
fn scenes_that_cannot_be_used_are_left_out_and_not_told_of() {
    let folder = Folder::new();
    for name in ["dated/2024-01-01", "dated/x", "damaged/2024-01-01", "mixed/2024-01-01"] {
        write_small(&folder, &format!("{name}/B04.tif"), 4);
    }
    std::fs::create_dir(folder.path("damaged/2024-01-09")).unwrap();
    folder.write("damaged/2024-01-09/B04.tif", "no raster");
    let offset = r#"<BOA_ADD_OFFSET band_id="ID">-1000</BOA_ADD_OFFSET>"#;
    write_product(&folder, "mixed/new", 1, "04.00", offset, &[4; 4]);
    let items = r#"{"type": "FeatureCollection", "features": [{"id": "bare"}, {"id": "sound",
        "properties": {"datetime": "2024-01-01T11:00:00Z"},
        "assets": {"B04": {"href": "dated/2024-01-01/B04.tif"}}}]}"#;
    folder.write("items.json", items);
    for (inputs, left_out, day) in [
        ("dated --method newest", "dated/x: its date is not known, and --method newest", "2024-01-01"),
        (
            "dated --method median --date-band",
            "dated/x: its date is not known, and --date-band",
            "2024-01-01",
        ),
        ("damaged --method median", "damaged/2024-01-09/B04.tif: ", "2024-01-01"),
        ("mixed --method median", "mixed/2024-01-01: nothing tells whether its pixels carry", "2022-01-01"),
        ("--stac items.json --method median", "items.json, bare: has no assets", "2024-01-01"),
    ] {
        let run = format!("{inputs} --bands B04 -o out.tif --overwrite");
        folder.run(&run).refused().names(&[left_out]);
        folder.run(&format!("{run} --on-error skip")).done().names(&[&format!("left out: {left_out}")]);
        let made = folder.raster("out.tif");
        let told = ["SCENES", "FIRST_DATE", "LAST_DATE"].map(|key| made.metadata(key, "").unwrap());
        assert_eq!(told, ["1", day, day], "{inputs}");
        assert_eq!(made.pixels(1)[..4], [4.0; 4], "{inputs}");
    }
}

#[test]
fn the_days_of_scenes_come_from_their_files_first_and_may_lie_before_1970() {
    let folder = Folder::new();
    write_small(&folder, "delivered_20250101/T30UVB_20240602T112121_B04_10m.tif", 4);
    write_small(&folder, "1965-05-05/B04.tif", 4);
    write_small(&folder, "1970-01-01/B04.tif", 4);
    std::fs::create_dir(folder.path("tagged")).unwrap();
    let tagged = Source::new(4, 4).of("UInt16").value(4).metadata("TIFFTAG_DATETIME", "2024:06:02 11:21:19");
    ["a", "b"].iter().for_each(|name| tagged.write(folder.path(format!("tagged/{name}.tif"))));
    let run =
        |inputs: &str| folder.run(&format!("{inputs} --date-band --verify full -o out.tif --overwrite"));
    for (inputs, day) in [
        ("delivered_20250101 --bands B04", 19876.0),
        ("1965-05-05 --bands B04", -1702.0),
        ("1970-01-01 --bands B04 --nodata 65535", 0.0),
        ("tagged --bands a --method newest", 19876.0),
    ] {
        run(inputs).done();
        let made = folder.raster("out.tif");
        assert_eq!(
            (made.only_value(1, (0, 0), (4, 4)), made.only_value(2, (0, 0), (4, 4))),
            (4.0, day),
            "{inputs}"
        );
    }
    run("1970-01-01 --bands B04").refused().names(&["--nodata", "told beside", "no scene's day"]);
}

#[test]
fn a_scene_may_have_more_than_255_files() {
    let folder = Folder::new();
    (1..=256).for_each(|band| write_small(&folder, &format!("2024-01-01/X{band}.tif"), band));
    // One of them does not lie under the others' left column.
    let narrow = Source::new(3, 4).crs("EPSG:32631").pixel(10.0).at(500_010.0, 5_000_000.0);
    narrow.of("UInt16").nodata(0.0).value(77).write(folder.path("2024-01-01/X77.tif"));
    let bands = (1..=256).map(|band| format!("X{band}")).collect::<Vec<_>>().join(",");
    folder.run(&format!("2024-01-01 --bands {bands} --method median --verify full -o out.tif")).done();
    let made = folder.raster("out.tif");
    for band in [1, 77, 256] {
        assert_eq!(made.pixels(band)[..4], [0.0, band as f64, band as f64, band as f64]);
    }
}
