//! What is carried over from the sources to the mosaic besides their pixels, what is refused because it cannot be,
//! and the flags that change types, bands, nodata and compression.

mod common;

use common::{Color, Folder, Source, assert_close, assert_same_pixels, pixel_types, pixel_value, random};

const PALETTE: [Color; 4] = [(0, 0, 0, 255), (200, 10, 10, 255), (10, 200, 10, 255), (10, 10, 200, 255)];

/// 8×8 pixels of one value, at column `x`.
fn tile(value: i128, x: f64) -> Source {
    Source::new(8, 8).at(x, 0.0).value(value)
}

#[test]
fn an_equal_palette_is_kept() {
    let folder = Folder::new();
    tile(1, 0.0).palette(&PALETTE).write(folder.path("a.tif"));
    tile(3, 8.0).palette(&PALETTE).write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif").done();
    let out = folder.raster("out.tif");
    assert_eq!(out.palette(1).unwrap()[..4], PALETTE);
    assert_eq!(out.palette(1), folder.raster("a.tif").palette(1));
    assert_eq!(out.shows(1), "Palette");
    assert_eq!((out.only_value(1, (0, 0), (8, 8)), out.only_value(1, (8, 0), (8, 8))), (1.0, 3.0));
}

#[test]
fn a_palette_that_the_output_cannot_hold_is_left_out_with_a_warning() {
    let folder = Folder::new();
    tile(1, 0.0).palette(&PALETTE).write(folder.path("a.tif"));
    folder.run("a.tif -o wide.tif --dtype Int16").done().names(&["warning", "band 1", "palette"]);
    let wide = folder.raster("wide.tif");
    assert_eq!((wide.palette(1), &*wide.shows(1), wide.only_value(1, (0, 0), (8, 8))), (None, "Gray", 1.0));
    folder.run("a.tif -o twice.tif --bands 1,1").done().names(&["warning", "band 2", "palette"]);
    let twice = folder.raster("twice.tif");
    assert_eq!((&twice.palette(1).unwrap()[..4], twice.palette(2)), (&PALETTE[..], None));
}

#[test]
fn different_palettes_are_refused_and_both_files_named() {
    let folder = Folder::new();
    tile(1, 0.0).palette(&PALETTE).write(folder.path("a.tif"));
    let mut other = PALETTE;
    other[3] = (1, 2, 3, 255);
    tile(3, 8.0).palette(&other).write(folder.path("b.tif"));
    tile(3, 16.0).write(folder.path("none.tif"));
    folder.run("a.tif b.tif -o out.tif").refused().names(&["palette", "b.tif"]);
    folder.run("a.tif none.tif -o out.tif").refused().names(&["palette"]);
    assert!(!folder.path("out.tif").exists());
}

#[test]
fn scale_unit_descriptions_and_metadata_are_carried_over() {
    let folder = Folder::new();
    for (name, x) in [("a.tif", 0.0), ("b.tif", 8.0)] {
        let source =
            tile(7, x).of("Int16").bands(2).scale(0.01, -5.0).unit("m").described(&["height", "depth"]);
        source.metadata("SENSOR", "sounder").write(folder.path(name));
    }
    folder.run("a.tif b.tif -o out.tif").done();
    let out = folder.raster("out.tif");
    for band in 1..=2 {
        assert_eq!(out.scale(band), (Some(0.01), Some(-5.0)));
        assert_eq!(out.unit(band), "m");
    }
    assert_eq!((out.description(1), out.description(2)), ("height".into(), "depth".into()));
    assert_eq!(out.metadata("SENSOR", "").as_deref(), Some("sounder"));
    assert_eq!(out.metadata("AREA_OR_POINT", "").as_deref(), Some("Area"));
}

#[test]
fn an_offset_is_left_out_where_the_results_do_not_have_it() {
    let folder = Folder::new();
    for (name, value) in [("a.tif", 1000), ("b.tif", 1010), ("c.tif", 1020)] {
        tile(value, 0.0).of("UInt16").scale(0.01, 273.15).write(folder.path(name));
    }
    // Of 283.15, 283.25 and 283.35.
    for (method, meant) in
        [("mean", 283.25), ("median", 283.25), ("max", 283.35), ("stddev", 0.0816496580927726)]
    {
        folder.run(&format!("a.tif b.tif c.tif -o {method}.tif --method {method} --dtype Float64")).done();
        let out = folder.raster(&format!("{method}.tif"));
        let (scale, offset) = out.scale(1);
        assert_close(&[out.pixels(1)[0] * scale.unwrap() + offset.unwrap_or(0.0)], &[meant]);
    }
    let told = folder.run("a.tif b.tif c.tif -o sum.tif --method sum").done();
    told.names(&["warning", "band 1", "offset, 273.15,", "--method count"]);
    let (scale, offset) = folder.raster("sum.tif").scale(1);
    assert_eq!((scale, offset.unwrap_or(0.0)), (Some(0.01), 0.0));
}

#[test]
fn nodata_of_all_bands_together_is_refused_and_taken_as_a_mask() {
    let folder = Folder::new();
    let hole = |band, x, _| if x < 4 { band as i128 } else { 100 };
    tile(50, 0.0).bands(3).write(folder.path("below.tif"));
    let above = tile(0, 0.0).bands(3).pixels(hole).metadata("NODATA_VALUES", "1 2 3");
    above.write(folder.path("above.tif"));
    let refused = folder.run("below.tif above.tif -o out.tif").refused();
    refused.names(&["above.tif", "NODATA_VALUES", "gdal_translate -mask mask"]);
    folder.tool("gdal_translate -q -mask mask above.tif masked.tif");
    folder.run("below.tif masked.tif -o out.tif --verify full").done();
    let wanted = folder.reference("below.tif masked.tif", "", "", "wanted.tif");
    let out = folder.raster("out.tif");
    for band in 1..=3 {
        assert_same_pixels(&out.pixels(band), &wanted.pixels(band), 8, &format!("band {band}"));
    }
    assert_eq!((out.only_value(2, (0, 0), (4, 8)), out.metadata("NODATA_VALUES", "")), (50.0, None));
}

#[test]
fn color_interpretation_and_category_names_are_carried_over() {
    let folder = Folder::new();
    let shows = ["Red", "Green", "Blue", "Undefined"];
    for (name, x) in [("a.tif", 0.0), ("b.tif", 8.0)] {
        tile(7, x).bands(4).shows(&shows).options("PHOTOMETRIC=RGB ALPHA=NO").write(folder.path(name));
        tile(1, x).categories(&["water", "wood", "town"]).write(folder.path(format!("classes-{name}")));
    }
    folder.run("a.tif b.tif -o out.tif").done();
    let out = folder.raster("out.tif");
    assert_eq!([1, 2, 3, 4].map(|band| out.shows(band)), shows);
    folder.run("classes-a.tif classes-b.tif -o classes.tif").done();
    assert_eq!(folder.raster("classes.tif").categories(1), ["water", "wood", "town"]);
}

#[test]
fn different_scales_are_never_mixed_silently() {
    let folder = Folder::new();
    tile(7, 0.0).of("Int16").scale(0.1, 0.0).write(folder.path("a.tif"));
    tile(7, 8.0).of("Int16").scale(0.5, 0.0).write(folder.path("b.tif"));
    let outcome = folder.run("a.tif b.tif -o out.tif");
    if outcome.code != Some(0) {
        outcome.refused().names(&["scale"]);
    } else {
        outcome.names(&["warning", "scale"]);
    }
}

#[test]
fn mixed_types_are_promoted_without_loss() {
    let folder = Folder::new();
    let cases = [
        ("Byte", 255, "UInt16", 65535, "UInt16"),
        ("UInt16", 65535, "Int16", -32768, "Int32"),
        ("Byte", 255, "Float32", -7, "Float32"),
        ("Int32", i32::MAX.into(), "Float32", 1, "Float64"),
        ("UInt32", u32::MAX.into(), "Int16", -1, "Int64"),
    ];
    for (first, a, second, b, wanted) in cases {
        tile(a, 0.0).of(first).write(folder.path("a.tif"));
        tile(b, 8.0).of(second).write(folder.path("b.tif"));
        folder.run("a.tif b.tif -o out.tif --overwrite --report report.json").done();
        let out = folder.raster("out.tif");
        assert_eq!(out.pixel_type(1), wanted, "{first} and {second}");
        assert_eq!(out.only_value(1, (0, 0), (8, 8)), a as f64);
        assert_eq!(out.only_value(1, (8, 0), (8, 8)), b as f64);
        assert!(String::from_utf8(folder.read("report.json")).unwrap().contains(wanted));
    }
}

#[test]
fn types_without_a_common_one_are_refused() {
    let folder = Folder::new();
    tile(7, 0.0).of("UInt64").write(folder.path("a.tif"));
    tile(-7, 8.0).of("Int16").write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif").refused().names(&["UInt64", "Int16", "--dtype"]);
    folder.run("a.tif b.tif -o out.tif --dtype Int32").done();
    assert_eq!(folder.raster("out.tif").only_value(1, (8, 0), (8, 8)), -7.0);
}

#[test]
fn nodata_that_other_values_are_clamped_to_is_refused_by_name() {
    let folder = Folder::new();
    tile(2, 0.0).of("UInt64").whole_nodata(255).write(folder.path("a.tif"));
    tile(1000, 8.0).of("Int64").whole_nodata(255).write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif --dtype Byte").refused().names(&["a.tif", "b.tif", "255", "--dtype"]);
    folder.run("a.tif b.tif -o out.tif --dtype UInt16").done();
    assert_eq!(folder.raster("out.tif").only_value(1, (8, 0), (8, 8)), 1000.0);
    tile(-7, 8.0).of("Int64").whole_nodata(-9999).write(folder.path("c.tif"));
    folder.run("a.tif c.tif -o signed.tif --dtype UInt64").refused().names(&["c.tif", "-9999"]);
    folder.run("a.tif c.tif -o signed.tif --dtype Int64").done();
}

#[test]
fn mixed_nodata_values_end_as_one() {
    let folder = Folder::new();
    let row = |nodata: i128| {
        move |_: usize, x: usize, _: usize| if x.is_multiple_of(2) { nodata } else { 40 + nodata }
    };
    Source::new(8, 8).of("Int16").nodata(-1.0).pixels(row(-1)).write(folder.path("a.tif"));
    Source::new(8, 8).of("Int16").nodata(5.0).at(8.0, 0.0).pixels(row(5)).write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif").done();
    let out = folder.raster("out.tif");
    let nodata = out.nodata(1).expect("the mosaic has nodata");
    let wanted = |i: usize| match i % 16 {
        x if x % 2 == 0 => nodata,
        x if x < 8 => 39.0,
        _ => 45.0,
    };
    assert_eq!(out.pixels(1), (0..128).map(wanted).collect::<Vec<_>>());
}

#[test]
fn alpha_of_eight_bits_is_not_mixed_into_pixels_of_sixteen() {
    let folder = Folder::new();
    tile(255, 0.0).bands(2).shows(&["Gray", "Alpha"]).write(folder.path("a.tif"));
    tile(500, 8.0).of("UInt16").write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif").refused().names(&["a.tif", "255", "65535", "--bands"]);
    folder.run("a.tif -o out.tif --dtype UInt16").refused().names(&["a.tif", "65535"]);
    folder.run("a.tif b.tif -o out.tif --bands 1").done();
    tile(65535, 0.0).of("UInt16").bands(2).shows(&["Gray", "Alpha"]).write(folder.path("c.tif"));
    folder.run("c.tif b.tif -o same.tif").done();
    assert_eq!(folder.raster("same.tif").only_value(2, (0, 0), (16, 8)), 65535.0);
}

#[test]
fn south_up_sources_are_placed_right() {
    let folder = Folder::new();
    let value = |x: usize, y: usize| (1 + x + 16 * y) as i128;
    Source::new(8, 6).at(0.0, 6.0).pixels(move |_, x, y| value(x, y)).write(folder.path("north.tif"));
    let south = Source::new(8, 6).pixels(move |_, x, y| value(x, 5 - y));
    south.geotransform([8.0, 1.0, 0.0, 0.0, 0.0, 1.0]).write(folder.path("south.tif"));
    folder.run("north.tif south.tif -o out.tif").done();
    let out = folder.raster("out.tif");
    assert_close(&out.geotransform(), &[0.0, 1.0, 0.0, 6.0, 0.0, -1.0]);
    let wanted: Vec<f64> = (0..96).map(|i| value(i % 16 % 8, i / 16) as f64).collect();
    assert_same_pixels(&out.pixels(1), &wanted, 16, "north-up beside south-up");
}

#[test]
fn rotated_sources_are_refused_by_name() {
    let folder = Folder::new();
    tile(1, 0.0).write(folder.path("plain.tif"));
    tile(1, 0.0).geotransform([0.0, 0.8, 0.6, 0.0, 0.6, -0.8]).write(folder.path("turned.tif"));
    folder.run("plain.tif turned.tif -o out.tif").ended(1).names(&["turned.tif", "rotated"]);
    assert!(!folder.path("out.tif").exists());
}

#[test]
fn no_crs_is_fine_when_no_source_has_one() {
    let folder = Folder::new();
    tile(1, 0.0).no_crs().write(folder.path("a.tif"));
    tile(2, 8.0).no_crs().write(folder.path("b.tif"));
    tile(3, 16.0).write(folder.path("c.tif"));
    folder.run("a.tif b.tif -o out.tif").done();
    assert_eq!(folder.raster("out.tif").wkt(), "");
    assert_eq!(folder.raster("out.tif").size(), (16, 8));
    folder.run("a.tif c.tif -o mixed.tif").ended(1).names(&["a.tif", "c.tif"]);
}

#[test]
fn the_same_crs_spelled_differently_is_the_same() {
    let folder = Folder::new();
    let wkt = r#"PROJCS["zone 31",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],
        PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],
        PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",3],PARAMETER["scale_factor",0.9996],
        PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1]]"#;
    tile(1, 0.0).crs("EPSG:32631").write(folder.path("a.tif"));
    tile(2, 8.0).crs(wkt).write(folder.path("b.tif"));
    tile(3, 16.0).crs("+proj=utm +zone=31 +datum=WGS84 +units=m").write(folder.path("c.tif"));
    folder.run("a.tif b.tif c.tif -o out.tif").done();
    let out = folder.raster("out.tif");
    assert_eq!(out.size(), (24, 8));
    assert_eq!([0, 8, 16].map(|x| out.only_value(1, (x, 0), (8, 8))), [1.0, 2.0, 3.0]);
}

#[test]
fn complex_pixels_are_refused_clearly() {
    let folder = Folder::new();
    tile(1, 0.0).of("CFloat32").write(folder.path("radar.tif"));
    folder.run("radar.tif -o out.tif").ended(1).names(&["radar.tif", "complex"]);
}

#[test]
fn bands_are_chosen_by_number_and_by_description_in_the_order_asked() {
    let folder = Folder::new();
    let source = Source::new(8, 8).bands(3).described(&["B02", "B03", "B04"]);
    source.pixels(|band, x, _| (10 * band + x) as i128).write(folder.path("a.tif"));
    let source = folder.raster("a.tif");
    for (asked, wanted) in
        [("3,1", vec![3, 1]), ("B04,B02", vec![3, 1]), ("2", vec![2]), ("B03,1,3", vec![2, 1, 3])]
    {
        folder.run(&format!("a.tif -o out.tif --overwrite --bands {asked}")).done();
        let out = folder.raster("out.tif");
        assert_eq!(out.bands, wanted.len(), "{asked}");
        for (index, band) in wanted.into_iter().enumerate() {
            assert_eq!(out.pixels(index + 1), source.pixels(band), "{asked}");
            assert_eq!(out.description(index + 1), source.description(band), "{asked}");
        }
    }
    folder.run("a.tif -o none.tif --bands 4").refused().names(&["4"]);
    folder.run("a.tif -o none.tif --bands B08").refused().names(&["B08"]);
    assert!(!folder.path("none.tif").exists());
}

#[test]
fn the_asked_type_rounds_and_clamps_and_turns_nan_into_nodata() {
    let folder = Folder::new();
    let values = [-3.7, 0.5, 1.5, 2.4, 254.6, 300.0, f64::NAN, f64::INFINITY];
    Source::new(8, 1).of("Float32").fractions(move |_, x, _| values[x]).write(folder.path("a.tif"));
    folder.run("a.tif -o out.tif --dtype Byte --nodata 7").done();
    let out = folder.raster("out.tif");
    assert_eq!((out.pixel_type(1).as_str(), out.nodata(1)), ("Byte", Some(7.0)));
    let found = out.pixels(1);
    assert_eq!([found[0], found[3], found[4], found[5]], [0.0, 2.0, 255.0, 255.0], "{found:?}");
    assert_eq!([found[6], found[7]], [7.0, 255.0], "{found:?}");
    // Halves go up as in GDAL or to the even number: never down and never lost.
    assert!([0.0, 1.0].contains(&found[1]) && found[2] == 2.0, "{found:?}");
}

#[test]
fn every_type_can_be_asked_for() {
    for pixel_type in pixel_types() {
        let folder = Folder::new();
        Source::new(8, 8).pixels(|_, x, y| (x + 8 * y) as i128).write(folder.path("a.tif"));
        folder.run(&format!("a.tif -o out.tif --dtype {pixel_type}")).done();
        let out = folder.raster("out.tif");
        assert_eq!(out.pixel_type(1), pixel_type);
        assert_eq!(out.pixels(1), folder.raster("a.tif").pixels(1));
    }
}

#[test]
fn the_sources_nodata_can_be_overridden() {
    let folder = Folder::new();
    let collar = |value: i128| move |_: usize, x: usize, _: usize| if x < 4 { value } else { -9 };
    Source::new(8, 8).of("Int16").value(50).write(folder.path("below.tif"));
    Source::new(8, 8).of("Int16").pixels(collar(60)).write(folder.path("above.tif"));
    for flag in ["--src-nodata -9", "--src-nodata=-9"] {
        folder.run(&format!("below.tif above.tif -o out.tif --overwrite {flag}")).done();
        let out = folder.raster("out.tif");
        assert_eq!(out.only_value(1, (0, 0), (4, 8)), 60.0);
        assert_eq!(out.only_value(1, (4, 0), (4, 8)), 50.0);
    }
}

#[test]
fn the_outputs_nodata_may_be_negative_or_nan() {
    let folder = Folder::new();
    tile(1, 0.0).of("Float32").write(folder.path("a.tif"));
    tile(2, 16.0).of("Float32").write(folder.path("b.tif"));
    for flag in ["--nodata -9999", "--nodata=-9999", "--nodata nan", "--nodata NaN"] {
        folder.run(&format!("a.tif b.tif -o out.tif --overwrite {flag}")).done();
        let out = folder.raster("out.tif");
        let (nodata, gap) = (out.nodata(1).unwrap(), out.window(1, (8, 0), (8, 8)));
        let wanted = |value: f64| if flag.contains("9999") { value == -9999.0 } else { value.is_nan() };
        assert!(wanted(nodata) && gap.iter().all(|&value| wanted(value)), "{flag}: {nodata}, {gap:?}");
        assert_eq!(out.only_value(1, (16, 0), (8, 8)), 2.0);
    }
}

#[test]
fn bigtiff_can_be_asked_for() {
    let folder = Folder::new();
    tile(1, 0.0).write(folder.path("a.tif"));
    folder.run("a.tif -o classic.tif").done();
    folder.run("a.tif -o big.tif --co BIGTIFF=YES").done();
    // Version 42 is classic TIFF, 43 is BigTIFF (TIFF 6.0, section 2; BigTIFF design).
    let version = |name: &str| folder.read(name)[2..4].to_vec();
    assert_eq!((version("classic.tif"), version("big.tif")), (vec![42, 0], vec![43, 0]));
    assert_eq!(folder.raster("big.tif").pixels(1), folder.raster("a.tif").pixels(1));
}

#[test]
fn every_compression_with_every_predictor_is_read_back_by_gdal() {
    for pixel_type in pixel_types() {
        let folder = Folder::new();
        let source = Source::new(300, 170).of(pixel_type).bands(3);
        let source = source.pixels(move |band, x, y| match (x / 40 + y / 40) % 3 {
            0 => pixel_value(pixel_type, 3, band, x, y),
            1 => (x % 100) as i128,
            _ => 17,
        });
        source.write(folder.path("a.tif"));
        let wanted = folder.raster("a.tif");
        for compression in ["lzw", "deflate", "zstd", "none"] {
            for predictor in 1..=3 {
                let is_wrong = predictor == 3 && !pixel_type.starts_with("Float");
                if is_wrong || (predictor > 1 && compression == "none") {
                    continue;
                }
                let what = format!("--compress {compression} --predictor {predictor}");
                folder.run(&format!("a.tif -o out.tif --overwrite --block 64 {what}")).done();
                let out = folder.raster("out.tif");
                for band in 1..=3 {
                    assert!(out.exact(band) == wanted.exact(band), "{pixel_type} {what} band {band}");
                }
                let stored = out.metadata("COMPRESSION", "IMAGE_STRUCTURE").unwrap_or("NONE".into());
                assert_eq!(stored.to_lowercase(), compression);
            }
        }
    }
}

#[test]
fn a_predictor_of_floats_on_whole_numbers_is_refused() {
    let folder = Folder::new();
    tile(1, 0.0).write(folder.path("a.tif"));
    folder.run("a.tif -o out.tif --predictor 3").refused().names(&["predictor"]);
    assert!(!folder.path("out.tif").exists());
}

#[test]
fn creation_options_that_cannot_be_honoured_are_refused_by_name() {
    let folder = Folder::new();
    tile(1, 0.0).write(folder.path("a.tif"));
    for option in ["NO_SUCH_OPTION=1", "PHOTOMETRIC=RGB", "ALPHA=YES", "JPEG_QUALITY=50"] {
        let name = option.split('=').next().unwrap();
        folder.run(&format!("a.tif -o out.tif --co {option}")).ended(2).names(&[name]);
    }
    folder.run("a.tif -o out.tif --co nonsense").refused().names(&["nonsense"]);
    assert!(!folder.path("out.tif").exists());
}

#[test]
fn the_smallest_and_the_narrowest_rasters_come_through() {
    for (width, height) in [(1, 1), (1000, 1), (1, 1000), (513, 2)] {
        let folder = Folder::new();
        let source = Source::new(width, height).of("UInt16").bands(2);
        source.pixels(|band, x, y| i128::from(random(2, band, x, y) % 65536)).write(folder.path("a.tif"));
        folder.run("a.tif -o out.tif").done();
        let (out, source) = (folder.raster("out.tif"), folder.raster("a.tif"));
        assert_eq!(out.size(), (width, height));
        for band in 1..=2 {
            assert_same_pixels(&out.pixels(band), &source.pixels(band), width, &format!("{width}×{height}"));
        }
    }
}

#[test]
fn a_hundred_and_twenty_bands_come_through() {
    let folder = Folder::new();
    for (name, x) in [("a.tif", 0.0), ("b.tif", 50.0)] {
        let source = Source::new(90, 70).of("UInt16").bands(120).at(x, 0.0);
        let value = move |band, column, row| i128::from(random(x as u64, band, column, row) % 65536);
        source.pixels(value).write(folder.path(name));
    }
    folder.run("a.tif b.tif -o out.tif").done();
    let (out, reference) =
        (folder.raster("out.tif"), folder.reference("a.tif b.tif", "", "", "reference.tif"));
    assert_eq!(out.bands, 120);
    for band in 1..=120 {
        assert_same_pixels(&out.pixels(band), &reference.pixels(band), 140, &format!("band {band}"));
    }
}

#[test]
fn two_tiles_far_apart_make_a_small_file() {
    let folder = Folder::new();
    let noise = |_: usize, x: usize, y: usize| i128::from(random(9, 1, x, y) % 256);
    Source::new(64, 64).pixels(noise).write(folder.path("a.tif"));
    Source::new(64, 64).at(60_000.0, -60_000.0).no_crs().pixels(noise).write(folder.path("b.tif"));
    Source::new(64, 64).no_crs().pixels(noise).write(folder.path("a.tif"));
    // 3.6 thousand million pixels, of which two blocks exist.
    folder.run("a.tif b.tif -o out.tif").done();
    let out = folder.raster("out.tif");
    assert_eq!(out.size(), (60_064, 60_064));
    let wanted = folder.raster("a.tif").pixels(1);
    assert_eq!(out.window(1, (0, 0), (64, 64)), wanted);
    assert_eq!(out.window(1, (60_000, 60_000), (64, 64)), wanted);
    assert_eq!(out.only_value(1, (30_000, 30_000), (500, 500)), 0.0);
    assert_eq!(out.band_metadata(1, "BLOCK_OFFSET_50_50", "TIFF"), None);
    // Two arrays of 8 and 4 bytes a block, and a few blocks.
    let bytes = folder.read("out.tif").len();
    assert!(bytes < 1_000_000, "{bytes} bytes");
}

#[test]
fn a_nodata_that_floats_hold_only_nearly_is_no_fault() {
    for nodata in ["0.1", "-9999.1", "-3.4e38"] {
        let folder = Folder::new();
        Source::new(4, 4).of("Float32").fractions(|_, x, _| x as f64).write(folder.path("a.tif"));
        folder.run(&format!("a.tif -o out.tif --nodata {nodata} --bounds -2,-4,4,0")).done();
        let (found, wanted) = (folder.raster("out.tif"), nodata.parse::<f32>().unwrap());
        assert_eq!(found.nodata(1).unwrap() as f32, wanted);
        assert_eq!(found.pixels(1)[0] as f32, wanted);
        assert_eq!(found.mask(1)[..6], [0, 0, 255, 255, 255, 255]);
    }
}

#[test]
fn a_nodata_means_the_same_in_floats_of_both_widths() {
    let folder = Folder::new();
    Source::new(2, 1).of("Float64").fractions(|_, _, _| 7.0).write(folder.path("wide.tif"));
    let half = |_, x: usize, _| if x == 0 { -9999.1 } else { 3.0 };
    Source::new(2, 1).of("Float32").fractions(half).write(folder.path("narrow.tif"));
    folder.run("wide.tif narrow.tif -o out.tif --src-nodata -9999.1 --verify full").done();
    assert_eq!(folder.raster("out.tif").pixels(1), [7.0, 3.0]);
}
