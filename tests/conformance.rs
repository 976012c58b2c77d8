//! The conformance cases: tiny inputs with exact answers, re-expressed from the test suites of other mosaic programs.
//! M: mosaics, R: resolutions, T: target bounds, K: masks and alpha, P: arithmetic, N: nodata, E: errors.

mod common;

use common::{Folder, Source, assert_close};

/// 10×10 pixels of 0.1° with one value.
fn tile(value: i128, x: f64, y: f64) -> Source {
    Source::new(10, 10).pixel(0.1).at(x, y).value(value)
}

/// M3's and M4's pieces: 10×10 pixels of 0.2°, nodata 0.
fn piece(value: i128, x: f64, y: f64) -> Source {
    Source::new(10, 10).pixel(0.2).at(x, y).value(value).nodata(0.0)
}

/// A square of `value` on a background, 10×10 pixels at one place.
fn square(value: i128, from: usize, to: usize, background: i128) -> Source {
    let inside = move |x, y| (from..to).contains(&x) && (from..to).contains(&y);
    Source::new(10, 10).pixel(0.2).at(-114.0, 46.0).pixels(
        move |_, x, y| {
            if inside(x, y) { value } else { background }
        },
    )
}

#[test]
fn m1_four_tiles_give_one_raster_with_the_known_checksum() {
    let folder = Folder::new();
    tile(0, 2.0, 49.0).write(folder.path("a.tif"));
    tile(63, 3.0, 49.0).write(folder.path("b.tif"));
    tile(127, 2.0, 48.0).write(folder.path("c.tif"));
    tile(255, 3.0, 48.0).write(folder.path("d.tif"));
    folder.run("a.tif b.tif c.tif d.tif -o out.tif").done();
    let out = folder.raster("out.tif");
    assert_eq!(out.size(), (20, 20));
    assert_close(&out.geotransform(), &[2.0, 0.1, 0.0, 49.0, 0.0, -0.1]);
    assert_eq!(out.checksum(1), 3508);
    assert_eq!(out.pixel_type(1), "Byte");
    assert_eq!(out.authority(), "EPSG:4326");
}

#[test]
fn m2_places_without_a_source_have_the_background() {
    let folder = Folder::new();
    tile(63, 3.0, 49.0).write(folder.path("b.tif"));
    tile(127, 2.0, 48.0).write(folder.path("c.tif"));
    folder.run("b.tif c.tif -o out.tif --nodata 255").done();
    let out = folder.raster("out.tif");
    assert_eq!((out.size(), out.checksum(1)), ((20, 20), 4725));
    assert_eq!(out.nodata(1), Some(255.0));
}

#[test]
fn m3_the_first_of_two_overlapping_pieces_stays_on_top() {
    let folder = Folder::new();
    piece(1, -114.0, 46.0).write(folder.path("a.tif"));
    piece(2, -113.0, 45.0).write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif --method first").done();
    let out = folder.raster("out.tif");
    assert_eq!(out.size(), (15, 15));
    // Bounds -114, 43, -111, 46.
    assert_close(&out.geotransform(), &[-114.0, 0.2, 0.0, 46.0, 0.0, -0.2]);
    assert_eq!(out.only_value(1, (0, 0), (10, 10)), 1.0);
    assert_eq!(out.only_value(1, (10, 5), (5, 10)), 2.0);
    assert_eq!(out.only_value(1, (5, 10), (5, 5)), 2.0);
    assert_eq!(out.only_value(1, (10, 0), (5, 5)), 0.0);
    assert_eq!(out.only_value(1, (0, 10), (5, 5)), 0.0);
}

#[test]
fn m4_every_method_gives_its_answer_where_three_overlap() {
    let folder = Folder::new();
    piece(1, -114.0, 46.0).write(folder.path("1.tif"));
    piece(3, -114.0, 46.0).write(folder.path("3.tif"));
    piece(2, -113.0, 45.0).write(folder.path("2.tif"));
    let answers = [
        ("first", 1.0),
        ("last", 2.0),
        ("min", 1.0),
        ("max", 3.0),
        ("sum", 6.0),
        ("count", 3.0),
        ("mean", 2.0),
    ];
    for (method, answer) in answers {
        folder.run(&format!("1.tif 3.tif 2.tif -o {method}.tif --method {method}")).done();
        let out = folder.raster(&format!("{method}.tif"));
        assert_eq!(out.size(), (15, 15), "{method}");
        assert_eq!(out.only_value(1, (5, 5), (5, 5)), answer, "{method} of 1, 3 and 2");
    }
}

#[test]
fn m7_the_first_square_stays_on_top_where_both_have_data() {
    let folder = Folder::new();
    square(254, 4, 8, 1).nodata(1.0).write(folder.path("a.tif"));
    square(255, 0, 6, 1).nodata(1.0).write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif --method first").done();
    let out = folder.raster("out.tif");
    assert_eq!(out.only_value(1, (4, 4), (4, 4)), 254.0);
    assert_eq!(out.only_value(1, (0, 0), (4, 6)), 255.0);
    assert_eq!(out.only_value(1, (0, 0), (6, 4)), 255.0);
    assert_eq!(out.only_value(1, (0, 8), (10, 2)), 1.0);

    // Without nodata every pixel of the first is data, its background too.
    square(254, 4, 8, 0).write(folder.path("c.tif"));
    square(255, 0, 6, 0).write(folder.path("d.tif"));
    folder.run("c.tif d.tif -o all.tif --method first").done();
    let all = folder.raster("all.tif");
    assert_eq!(all.pixels(1), folder.raster("c.tif").pixels(1));
    assert_eq!(all.only_value(1, (4, 4), (4, 4)), 254.0);
}

#[test]
fn m8_the_outputs_nodata_replaces_the_sources() {
    let folder = Folder::new();
    square(254, 4, 8, 0).of("Float64").nodata(0.0).write(folder.path("a.tif"));
    square(255, 0, 6, 0).of("Float64").nodata(0.0).write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif --method first --nodata -1.5").done();
    let out = folder.raster("out.tif");
    assert_eq!((out.nodata(1), out.pixel_type(1)), (Some(-1.5), "Float64".to_owned()));
    assert_eq!(out.only_value(1, (4, 4), (4, 4)), 254.0);
    assert_eq!(out.only_value(1, (0, 0), (4, 6)), 255.0);
    assert_eq!(out.only_value(1, (0, 8), (10, 2)), -1.5);
    assert_eq!(out.only_value(1, (8, 0), (2, 10)), -1.5);
}

#[test]
fn r1_mixed_resolutions_need_a_flag_that_says_which() {
    let folder = Folder::new();
    Source::new(1, 1).at(2.0, 49.0).value(7).write(folder.path("coarse.tif"));
    Source::new(2, 2).pixel(0.5).at(3.0, 49.0).value(9).write(folder.path("fine.tif"));
    let both = "coarse.tif fine.tif -o";

    folder.run(&format!("{both} none.tif")).refused().names(&["coarse.tif", "fine.tif", "--resolution"]);
    assert!(!folder.path("none.tif").exists());

    let cases = [
        ("average", (3, 1), 0.75, (2.0, 49.0)),
        ("highest", (4, 2), 0.5, (2.0, 49.0)),
        ("lowest", (2, 1), 1.0, (2.0, 49.0)),
        ("0.3,0.6 --align", (8, 2), 0.3, (1.8, 49.2)),
    ];
    for (number, (resolution, size, pixel, (x, y))) in cases.into_iter().enumerate() {
        folder.run(&format!("{both} {number}.tif --resolution {resolution}")).done();
        let out = folder.raster(&format!("{number}.tif"));
        let height = if number == 3 { 0.6 } else { pixel };
        assert_eq!(out.size(), size, "{resolution}");
        assert_close(&out.geotransform(), &[x, pixel, 0.0, y, 0.0, -height]);
    }
    assert_eq!(folder.raster("1.tif").pixels(1), [[7.0, 7.0, 9.0, 9.0]; 2].concat());
}

#[test]
fn r2_the_common_resolution_is_the_greatest_that_divides_both() {
    let folder = Folder::new();
    Source::new(5, 5).pixel(3.0).at(2.0, 49.0).value(3).write(folder.path("a.tif"));
    Source::new(3, 3).pixel(5.0).at(17.0, 49.0).value(5).write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif --resolution common").done();
    let out = folder.raster("out.tif");
    assert_eq!(out.size(), (30, 15));
    assert_close(&out.geotransform(), &[2.0, 1.0, 0.0, 49.0, 0.0, -1.0]);
    assert_eq!(out.only_value(1, (0, 0), (15, 15)), 3.0);
    assert_eq!(out.only_value(1, (15, 0), (15, 15)), 5.0);
}

#[test]
fn t2_bounds_that_only_touch_the_source_give_an_empty_mosaic_and_a_warning() {
    let folder = Folder::new();
    tile(63, 3.0, 49.0).write(folder.path("plain.tif"));
    tile(63, 3.0, 49.0).nodata(9.0).write(folder.path("nodata.tif"));
    for (name, background) in [("plain", 0.0), ("nodata", 9.0)] {
        let line = format!("{name}.tif -o {name}-out.tif --bounds 2,48,3,49");
        folder.run(&line).done().names(&["warning"]);
        let out = folder.raster(&format!("{name}-out.tif"));
        assert_eq!(out.size(), (10, 10));
        assert_close(&out.geotransform(), &[2.0, 0.1, 0.0, 49.0, 0.0, -0.1]);
        assert_eq!(out.only_value(1, (0, 0), (10, 10)), background);
    }
}

#[test]
fn k1_internal_masks_decide_which_source_shows() {
    let folder = Folder::new();
    Source::new(3, 1).value(255).internal_mask(|x, _| x == 0).write(folder.path("a.tif"));
    Source::new(3, 1).value(127).internal_mask(|x, _| x == 1).write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif").done();
    let out = folder.raster("out.tif");
    assert_eq!(out.pixels(1), [255.0, 127.0, 0.0]);
    assert_eq!(out.mask(1), [255, 255, 0]);
    assert!(out.has_stored_mask(1));
}

#[test]
fn k2_a_transparent_pixel_never_hides_one_below() {
    let folder = Folder::new();
    let source = |value: i128, opaque: usize| {
        let pixel = move |band, x, _| match band {
            1 if x == opaque => value,
            2 if x == opaque => 255,
            _ => 0,
        };
        Source::new(3, 1).bands(2).shows(&["Gray", "Alpha"]).options("ALPHA=YES").pixels(pixel)
    };
    source(255, 0).write(folder.path("a.tif"));
    source(127, 1).write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif").done();
    let out = folder.raster("out.tif");
    assert_eq!(out.bands, 2);
    assert_eq!(out.pixels(1), [255.0, 127.0, 0.0]);
    assert_eq!(out.pixels(2), [255.0, 255.0, 0.0]);
    assert_eq!(out.shows(2), "Alpha");
}

#[test]
fn k3_rgb_with_rgba_gives_rgba_that_is_opaque_where_the_rgb_lies() {
    let folder = Folder::new();
    let rgb = Source::new(4, 4).bands(3).shows(&["Red", "Green", "Blue"]);
    rgb.pixels(|band, _, _| 10 * band as i128).write(folder.path("rgb.tif"));
    let shows = ["Red", "Green", "Blue", "Alpha"];
    let rgba = Source::new(4, 4).at(4.0, 0.0).bands(4).shows(&shows).options("PHOTOMETRIC=RGB ALPHA=YES");
    let pixel = |band, x, _| match band {
        4 => 255 * i128::from(x < 2),
        _ => 50 + band as i128,
    };
    rgba.pixels(pixel).write(folder.path("rgba.tif"));
    for inputs in ["rgb.tif rgba.tif", "rgba.tif rgb.tif"] {
        folder.run(&format!("{inputs} -o out.tif --overwrite")).done();
        let out = folder.raster("out.tif");
        assert_eq!((out.bands, out.size()), (4, (8, 4)), "{inputs}");
        assert_eq!([1, 2, 3, 4].map(|band| out.shows(band)), shows);
        for band in 1..=3 {
            assert_eq!(out.only_value(band, (0, 0), (4, 4)), 10.0 * band as f64);
            assert_eq!(out.only_value(band, (4, 0), (2, 4)), 50.0 + band as f64);
        }
        assert_eq!(out.only_value(4, (0, 0), (6, 4)), 255.0);
        assert_eq!(out.only_value(4, (6, 0), (2, 4)), 0.0);
    }
}

#[test]
fn p1_sum_and_min_take_every_source_that_is_there() {
    let folder = Folder::new();
    Source::new(3, 1).of("Int16").value(1).write(folder.path("a.tif"));
    Source::new(3, 1).of("Int16").at(1.0, 0.0).value(2).write(folder.path("b.tif"));
    for (method, answer) in [("sum", [1.0, 3.0, 3.0, 2.0]), ("min", [1.0, 1.0, 1.0, 2.0])] {
        folder.run(&format!("a.tif b.tif -o {method}.tif --method {method} --nodata -999")).done();
        let out = folder.raster(&format!("{method}.tif"));
        assert_eq!(out.pixels(1), answer, "{method}");
        assert_eq!(out.nodata(1), Some(-999.0));
    }
}

#[test]
fn p2_nodata_adds_nothing_to_a_sum() {
    let folder = Folder::new();
    let source = || Source::new(4, 1).of("Int16").nodata(99.0);
    source().rows(&[&[1, 1, 1, 99]]).write(folder.path("a.tif"));
    source().at(1.0, 0.0).rows(&[&[99, 2, 2, 2]]).write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif --method sum").done();
    assert_eq!(folder.raster("out.tif").pixels(1), [1.0, 1.0, 3.0, 2.0, 2.0]);
}

#[test]
fn n1_nodata_that_the_type_cannot_hold_is_a_warning_that_names_it() {
    let folder = Folder::new();
    let cases = [("Byte", f64::NAN, "nan"), ("UInt16", -1.0, "-1"), ("Byte", 9999.0, "9999")];
    for (number, (pixel_type, nodata, named)) in cases.into_iter().enumerate() {
        let (source, out) = (format!("{number}.tif"), format!("{number}-out.tif"));
        let pixels = |_, x, y| (x * 60 + y) as i128;
        Source::new(4, 4).of(pixel_type).nodata(nodata).pixels(pixels).write(folder.path(&source));
        folder.run(&format!("{source} -o {out}")).done().names(&["warning", "nodata", named]);
        // No pixel can have that value: all of them are data, and stay what they are.
        assert_eq!(folder.raster(&out).pixels(1), folder.raster(&source).pixels(1), "{pixel_type} {named}");
        assert_eq!(folder.raster(&out).pixel_type(1), pixel_type);
    }
}

#[test]
fn e1_mixed_crs_without_a_target_name_the_groups_and_the_flag() {
    let folder = Folder::new();
    tile(1, 2.0, 49.0).write(folder.path("a.tif"));
    tile(2, 3.0, 49.0).write(folder.path("b.tif"));
    Source::new(10, 10)
        .crs("EPSG:32631")
        .pixel(1000.0)
        .at(500_000.0, 5_400_000.0)
        .write(folder.path("c.tif"));
    let named = ["a.tif", "c.tif", "4326", "32631", "--crs"];
    folder.run("a.tif b.tif c.tif -o out.tif").ended(1).names(&named);
    assert_eq!(folder.names(), ["a.tif", "b.tif", "c.tif"].map(String::from).into());
}

#[test]
fn e2_rotated_and_flipped_sources_are_placed_correctly_or_refused_by_name() {
    let folder = Folder::new();
    let pixels = |_: usize, x: usize, y: usize| (1 + x + 10 * y) as i128;
    let plain = || Source::new(4, 3).nodata(0.0).pixels(pixels);
    plain().geotransform([10.0, 0.8, 0.6, 50.0, 0.6, -0.8]).write(folder.path("rotated.tif"));
    folder.run("rotated.tif -o out.tif").refused().names(&["rotated.tif"]);

    // The same pixels written from the bottom up, or from right to left: they lie where the plain ones lie.
    plain().at(10.0, 50.0).write(folder.path("plain.tif"));
    let up = Source::new(4, 3).nodata(0.0).pixels(move |band, x, y| pixels(band, x, 2 - y));
    up.geotransform([10.0, 1.0, 0.0, 47.0, 0.0, 1.0]).write(folder.path("south-up.tif"));
    let left = Source::new(4, 3).nodata(0.0).pixels(move |band, x, y| pixels(band, 3 - x, y));
    left.geotransform([14.0, -1.0, 0.0, 50.0, 0.0, -1.0]).write(folder.path("flipped.tif"));
    for name in ["south-up", "flipped"] {
        let outcome = folder.run(&format!("{name}.tif -o {name}-out.tif"));
        if outcome.code != Some(0) {
            outcome.refused().names(&[name]);
            assert!(!folder.path(format!("{name}-out.tif")).exists());
            continue;
        }
        let out = folder.raster(&format!("{name}-out.tif"));
        assert_close(&out.geotransform(), &[10.0, 1.0, 0.0, 50.0, 0.0, -1.0]);
        assert_eq!(out.pixels(1), folder.raster("plain.tif").pixels(1), "{name}");
    }
}

#[test]
fn e3_all_bad_inputs_are_listed_in_one_error() {
    let folder = Folder::new();
    tile(1, 2.0, 49.0).write(folder.path("good.tif"));
    tile(2, 3.0, 49.0).write(folder.path("cut.tif"));
    // What is left ends inside the header.
    let whole = folder.read("cut.tif");
    folder.write("cut.tif", &whole[..12]);
    folder.write("text.tif", "no raster at all");
    let before = folder.names();
    let named = ["missing.tif", "cut.tif", "text.tif"];
    folder.run("missing.tif good.tif cut.tif text.tif -o out.tif").ended(1).names(&named);
    assert_eq!(folder.names(), before);
}

#[test]
fn e4_pixel_data_that_turn_out_damaged_leave_nothing() {
    let folder = Folder::new();
    let options = "TILED=YES BLOCKXSIZE=64 BLOCKYSIZE=64 COMPRESS=DEFLATE";
    let noise = |band, x, y| i128::from(common::random(4, band, x, y) % 256);
    Source::new(512, 512).options(options).pixels(noise).write(folder.path("damaged.tif"));
    folder.tool("gdalbuildvrt -q window.vrt damaged.tif");
    // The header stays whole, so that nothing shows before the pixels are read.
    let mut bytes = folder.read("damaged.tif");
    let (from, to) = (bytes.len() / 2, bytes.len() / 2 + 20_000);
    bytes[from..to].fill(0xff);
    folder.write("damaged.tif", bytes);
    folder.tool("gdalinfo damaged.tif");
    let before = folder.names();
    for source in ["damaged.tif", "window.vrt"] {
        for options in ["", "--chunk 64 --block 64 --threads 4", "--on-error skip --verify none"] {
            let outcome = folder.run(&format!("{source} -o out.tif {options}")).ended(1);
            assert_eq!(folder.names(), before, "{source} {options}");
            outcome.names(&["damaged.tif"]);
        }
    }
}

#[test]
fn e5_an_output_that_exists_or_is_an_input_is_refused() {
    let folder = Folder::new();
    tile(1, 2.0, 49.0).write(folder.path("a.tif"));
    tile(2, 2.0, 49.0).write(folder.path("old.tif"));
    let (old, input) = (folder.read("old.tif"), folder.read("a.tif"));
    folder.run("a.tif -o old.tif").refused().names(&["old.tif", "--overwrite"]);
    assert_eq!(folder.read("old.tif"), old);
    folder.run("a.tif -o a.tif --overwrite").refused().names(&["a.tif"]);
    assert_eq!(folder.read("a.tif"), input);
    folder.run("a.tif -o old.tif --overwrite").done();
    assert_eq!(folder.raster("old.tif").only_value(1, (0, 0), (10, 10)), 1.0);
}
