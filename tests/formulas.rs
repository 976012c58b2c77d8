//! Bands that no source has: formulas over decided pixels or over each scene, counts, provenance and dates.

mod common;

use common::{Folder, Source, assert_same_pixels, random};

const SIDE: usize = 90;
const DATES: [&str; 4] = ["2024-06-02", "2024-06-17", "2024-08-01", "2024-08-16"];

/// Band 1 or 2 of one of the dates, by column and row; `None` where it has no data.
fn pixel(date: usize, band: usize, x: usize, y: usize) -> Option<f64> {
    let hole = random(7, date, x / 11, y / 7).is_multiple_of(3);
    (!hole).then(|| (1 + random(date as u64, band, x, y) % 4000) as f64)
}

/// Four dates of two bands of UInt16 with holes of nodata 0.
fn write_dates(folder: &Folder) {
    for (date, name) in DATES.iter().enumerate() {
        let value = move |band, x, y| pixel(date, band, x, y).unwrap_or(0.0) as i128;
        let source = Source::new(SIDE, SIDE).of("UInt16").bands(2).nodata(0.0).pixels(value);
        source
            .options("TILED=YES BLOCKXSIZE=32 BLOCKYSIZE=32 COMPRESS=DEFLATE")
            .write(folder.path(format!("{name}.tif")));
    }
}

/// What `value` says of every pixel, row by row.
fn each(value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    (0..SIDE * SIDE).map(|index| value(index % SIDE, index / SIDE)).collect()
}

/// Those dates' values of a band that have data.
fn values(band: usize, x: usize, y: usize) -> Vec<f64> {
    (0..DATES.len()).filter_map(|date| pixel(date, band, x, y)).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => (values[even / 2 - 1] + values[even / 2]) / 2.0,
    }
}

fn index(near: f64, red: f64) -> f64 {
    let (near, red) = (near as f32, red as f32);
    f64::from((near - red) / (near + red))
}

#[test]
fn a_formula_over_one_raster_needs_no_name_and_marks_what_has_no_data() {
    let folder = Folder::new();
    write_dates(&folder);
    let line = format!("{}.tif -o out.tif --dtype Byte --verify full", DATES[0]);
    folder
        .run_words(
            &[&line.split(' ').collect::<Vec<_>>()[..], &["--expr", "where(b1 > 2000, 1, 0)"]].concat(),
        )
        .done();
    let out = folder.raster("out.tif");
    let expected = each(|x, y| f64::from(u8::from(pixel(0, 1, x, y).is_some_and(|value| value > 2000.0))));
    assert_same_pixels(&out.pixels(1), &expected, SIDE, "where");
    let present: Vec<u8> =
        each(|x, y| f64::from(pixel(0, 1, x, y).is_some())).iter().map(|&v| v as u8 * 255).collect();
    assert_eq!(out.mask(1), present);
}

#[test]
fn formulas_come_after_or_before_the_composite() {
    let folder = Folder::new();
    write_dates(&folder);
    let formula = "ndvi=(b2-b1)/(b2+b1); clipped=clip(b1/10000, 0.1, 0.2)";
    let all = DATES.map(|date| format!("{date}.tif"));
    let run = |stage: &str, more: &[&str]| {
        let output = format!("{stage}.tif");
        let mut words: Vec<&str> = all.iter().map(String::as_str).collect();
        words.extend([
            "-o",
            &output,
            "--overwrite",
            "--method",
            "median",
            "--expr",
            formula,
            "--expr-stage",
            stage,
        ]);
        words.extend(["--verify", "full", "--block", "32"].iter().chain(more));
        folder.run_words(&words).done();
        folder.raster(&output)
    };
    let after = run("after", &[]);
    assert_eq!((after.description(1).as_str(), after.description(2).as_str()), ("ndvi", "clipped"));
    assert_eq!(after.pixel_type(1), "Float32");
    let expected = each(|x, y| index(median(values(2, x, y)), median(values(1, x, y))));
    assert_same_pixels(&after.pixels(1), &expected, SIDE, "after");
    let clip = |value: f64| f64::from((value as f32 / 10000.0).clamp(0.1, 0.2));
    assert_same_pixels(&after.pixels(2), &each(|x, y| clip(median(values(1, x, y)))), SIDE, "clipped");
    let before = run("before", &[]);
    let indices = |x, y| -> Vec<f64> {
        (0..DATES.len())
            .filter_map(|date| Some(index(pixel(date, 2, x, y)?, pixel(date, 1, x, y)?)))
            .collect()
    };
    assert_same_pixels(
        &before.pixels(1),
        &each(|x, y| f64::from(median(indices(x, y)) as f32)),
        SIDE,
        "before",
    );
    for stage in ["after", "before"] {
        let bytes = folder.read(&format!("{stage}.tif"));
        run(stage, &["--chunk", "64", "--threads", "1"]);
        assert!(bytes == folder.read(&format!("{stage}.tif")), "{stage} depends on windows or threads");
    }
}

#[test]
fn a_factor_multiplies_pixels_before_they_take_the_outputs_type() {
    let folder = Folder::new();
    write_dates(&folder);
    folder.run(&format!("{}.tif -o out.tif --scale-factor 0.0001 --verify full", DATES[1])).done();
    let expected =
        each(|x, y| pixel(1, 2, x, y).map_or(f64::NAN, |value| f64::from(value as f32 * 0.0001f32)));
    assert_same_pixels(&folder.raster("out.tif").pixels(2), &expected, SIDE, "scaled");
    // Where no formula is computed of each scene, there is nothing that could be done before.
    folder.write("mosaic-stream.toml", "expr_stage = 'before'");
    let again = "-o out.tif --overwrite --scale-factor 0.0001 --verify full";
    folder.run(&format!("{}.tif {again}", DATES[1])).done();
    assert_same_pixels(&folder.raster("out.tif").pixels(2), &expected, SIDE, "scaled, before");
}

#[test]
fn a_factor_leaves_transparency_and_what_is_known_of_the_bands_as_they_are() {
    let folder = Folder::new();
    let value = |band, x: usize, _| if band == 3 { [255, 0, 255, 30][x % 4] } else { 50 };
    let source = Source::new(8, 6).bands(4).shows(&["Red", "Green", "Blue", "Alpha"]).pixels(value);
    source
        .options("PHOTOMETRIC=RGB ALPHA=YES")
        .described(&["", "green", "", ""])
        .metadata("SENSOR", "camera")
        .write(folder.path("a.tif"));
    for kind in ["Byte", "Float32"] {
        folder.run(&format!("a.tif -o {kind}.tif --scale-factor 0.5 --dtype {kind} --verify full")).done();
        let (out, wanted) = (folder.raster(&format!("{kind}.tif")), folder.raster("a.tif"));
        assert_eq!(out.pixels(4), wanted.pixels(4), "alpha as {kind}");
        assert_eq!([1, 2, 3, 4].map(|band| out.shows(band)), [1, 2, 3, 4].map(|band| wanted.shows(band)));
        assert_eq!([1, 2].map(|band| out.description(band)), ["", "green"]);
        assert_eq!(out.metadata("SENSOR", "").as_deref(), Some("camera"));
        assert!(!out.has_stored_mask(1));
        assert_eq!(&out.pixels(1)[2..4], [25.0, 25.0]);
    }
    assert_eq!(folder.raster("Byte.tif").mask(1), folder.raster("a.tif").mask(1));
    folder.run("a.tif -o wide.tif --scale-factor 2 --dtype UInt16").refused().names(&["a.tif", "65535"]);
}

#[test]
fn a_factor_leaves_what_values_mean_and_tells_what_it_cannot_keep() {
    let folder = Folder::new();
    let one = || Source::new(4, 4).of("Int16").value(200);
    one().scale(0.1, 5.0).unit("m").write(folder.path("scaled.tif"));
    folder.run("scaled.tif -o out.tif --scale-factor 10").done();
    let out = folder.raster("out.tif");
    let (scale, offset) = out.scale(1);
    assert_eq!((scale.unwrap() * out.pixels(1)[0] + offset.unwrap(), &*out.unit(1)), (25.0, "m"));
    // Without a scale its values are to be in another unit.
    one().unit("m").write(folder.path("metres.tif"));
    let told = folder.run("metres.tif -o out.tif --scale-factor 0.001 --overwrite").done();
    told.names(&["warning", "band 1", "unit, m,", "--scale-factor"]);
    assert_eq!(folder.raster("out.tif").unit(1), "");
    Source::new(4, 4).value(1).palette(&[(0, 0, 0, 255), (9, 9, 9, 255)]).write(folder.path("colours.tif"));
    let told = folder.run("colours.tif -o out.tif --scale-factor 2 --dtype Byte --overwrite").done();
    told.names(&["warning", "band 1", "palette", "--scale-factor"]);
    assert_eq!((folder.raster("out.tif").palette(1), &*folder.raster("out.tif").shows(1)), (None, "Gray"));
}

#[test]
fn counts_provenance_and_dates_are_told_beside() {
    let folder = Folder::new();
    write_dates(&folder);
    let line = "2024-06-02.tif 2024-06-17.tif 2024-08-01.tif 2024-08-16.tif -o out.tif --method newest --count-band \
                --provenance --date-band --verify full --report report.json";
    folder.run(line).done();
    let out = folder.raster("out.tif");
    let newest = |x, y| (0..DATES.len()).rev().find(|&date| pixel(date, 1, x, y).is_some());
    let of = |told: &dyn Fn(usize) -> f64| each(|x, y| newest(x, y).map_or(0.0, told));
    assert_same_pixels(
        &out.pixels(1),
        &each(|x, y| newest(x, y).map_or(0.0, |date| pixel(date, 1, x, y).unwrap())),
        SIDE,
        "newest",
    );
    let count = each(|x, y| values(1, x, y).len() as f64);
    assert_same_pixels(&out.pixels(3), &count, SIDE, "count");
    // The newest scene is the first.
    assert_same_pixels(&out.pixels(4), &of(&|date| (DATES.len() - date) as f64), SIDE, "provenance");
    let days = [19_876.0, 19_891.0, 19_936.0, 19_951.0];
    assert_same_pixels(&out.pixels(5), &of(&|date| days[date]), SIDE, "days");
    let categories = out.categories(4);
    assert_eq!((categories[0].as_str(), categories.len()), ("no data", 5));
    assert!(categories[1].ends_with("2024-08-16.tif"), "{categories:?}");
    let report: serde_json::Value = serde_json::from_slice(&folder.read("report.json")).unwrap();
    assert_eq!(report["scenes"][0]["date"], "2024-08-16");
    assert_eq!(report["scenes"][0]["number"], 1);
}

#[test]
fn a_formula_that_cannot_be_understood_or_names_no_band_is_told_with_what_is_known() {
    let folder = Folder::new();
    write_dates(&folder);
    let run = |formula: &str| folder.run_words(&["2024-06-02.tif", "-o", "out.tif", "--expr", formula]);
    run("ndvi=(b1-").ended(2).names(&["--expr", "(b1-"]);
    run("b3+nir").ended(1).names(&["--expr", "b3", "nir", "b1", "b2"]);
    assert!(!folder.path("out.tif").exists());
}

#[test]
fn formulas_over_sums_have_room_for_them() {
    let folder = Folder::new();
    Source::new(4, 4).of("UInt16").value(65534).write(folder.path("a.tif"));
    folder.write("list.txt", "a.tif\n".repeat(299));
    folder.run("@list.txt -o out.tif --method sum --expr b1+1 --verify full").done();
    // Beyond 2^24 odd numbers are no 32-bit floats.
    assert_eq!(folder.raster("out.tif").only_value(1, (0, 0), (4, 4)), 299.0 * 65534.0 + 1.0);
}
