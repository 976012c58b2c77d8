//! Relations that hold on any data: against GDAL's own mosaic, against other settings of the same job, against the
//! raster that was split, against other orders of the inputs; for every real pixel type of the linked GDAL.

mod common;

use common::{Folder, Source, assert_same_rasters, pixel_type_nodata, pixel_types, pixel_value, random};
use proptest::prelude::*;

/// What a mosaic has in common with GDAL's, so that files can be compared with those of gdal_translate.
const GDAL_LAYOUT: &str = "-co COMPRESS=LZW -co TILED=YES -co BLOCKXSIZE=512 -co BLOCKYSIZE=512";

/// Four overlapping pieces of two bands on one grid, one in five pixels nodata: `0.tif` … `3.tif`.
fn write_pieces(folder: &Folder, pixel_type: &'static str, options: &str) {
    for piece in 0..4_u64 {
        let (width, height) = (150 + 7 * piece as usize, 130 - 11 * piece as usize);
        let (x, y) = (500_000.0 + 600.0 * (piece % 2) as f64, 5_000_000.0 - 700.0 * (piece / 2) as f64);
        let source =
            Source::new(width, height).crs("EPSG:32631").pixel(10.0).at(x, y).of(pixel_type).bands(2);
        let source =
            source.options(options).pixels(move |band, x, y| pixel_value(pixel_type, piece, band, x, y));
        let (nodata, is_whole) = pixel_type_nodata(pixel_type);
        let source = if is_whole { source.whole_nodata(nodata) } else { source.nodata(nodata as f64) };
        source.write(folder.path(format!("{piece}.tif")));
    }
}

fn assert_equals(folder: &Folder, found: &str, wanted: &str, what: &str) {
    assert_same_rasters(&folder.raster(found), &folder.raster(wanted), what);
}

#[test]
fn last_equals_gdals_mosaic_and_first_the_same_with_inputs_reversed() {
    // GDAL 3.6 is no reference for 64-bit types with nodata: its VRT puts 0 where nodata belongs. What they must be is
    // computed in `every_method_gives_what_its_words_say`.
    for pixel_type in pixel_types().into_iter().filter(|name| !name.ends_with("Int64")) {
        let folder = Folder::new();
        write_pieces(&folder, pixel_type, "");
        folder.run("0.tif 1.tif 2.tif 3.tif -o last.tif --chunk 128 --block 64").done();
        folder.run("0.tif 1.tif 2.tif 3.tif -o first.tif --method first --chunk 128 --block 64").done();
        folder.reference("0.tif 1.tif 2.tif 3.tif", "", "", "forward.tif");
        folder.reference("3.tif 2.tif 1.tif 0.tif", "", "", "backward.tif");
        assert_equals(&folder, "last.tif", "forward.tif", &format!("last of {pixel_type}"));
        assert_equals(&folder, "first.tif", "backward.tif", &format!("first of {pixel_type}"));
    }
}

#[test]
fn sources_without_nodata_equal_gdals_mosaic_too() {
    for pixel_type in pixel_types() {
        let folder = Folder::new();
        for piece in 0..2_u64 {
            let source = Source::new(90, 70).at(piece as f64 * 40.0, piece as f64 * 30.0).of(pixel_type);
            let source =
                source.options(if piece == 0 { "TILED=YES BLOCKXSIZE=32 BLOCKYSIZE=48" } else { "" });
            let source = source.pixels(move |band, x, y| pixel_value(pixel_type, piece, band, x, y));
            source.write(folder.path(format!("{piece}.tif")));
        }
        folder.run("0.tif 1.tif -o last.tif").done();
        folder.reference("0.tif 1.tif", "", "", "reference.tif");
        assert_equals(&folder, "last.tif", "reference.tif", pixel_type);
    }
}

/// Decides between two pixels that both have data, the lower one first.
type Decide = fn(i128, i128) -> i128;

#[test]
fn whole_numbers_of_64_bits_pass_exactly() {
    for (pixel_type, largest) in [("Int64", i128::from(i64::MAX)), ("UInt64", i128::from(u64::MAX))] {
        let folder = Folder::new();
        // Neighbours that no double tells apart, below a nodata value that is their neighbour too.
        let source = || Source::new(20, 20).of(pixel_type).whole_nodata(largest);
        source().pixels(move |_, x, y| largest - ((x + y) % 3) as i128).write(folder.path("0.tif"));
        source()
            .at(10.0, 0.0)
            .pixels(move |_, x, y| largest - ((x * y) % 4) as i128)
            .write(folder.path("1.tif"));
        let (below, above) = (folder.raster("0.tif").exact(1), folder.raster("1.tif").exact(1));
        let wanted = |from_above: Decide| -> Vec<i128> {
            let place = |i: usize| {
                let (x, y) = (i % 30, i / 30);
                let a = if x < 20 { below[y * 20 + x] } else { largest };
                let b = if x >= 10 { above[y * 20 + x - 10] } else { largest };
                if a == largest || b == largest { a.min(b) } else { from_above(a, b) }
            };
            (0..600).map(place).collect()
        };
        let methods: [(&str, Decide); 4] =
            [("last", |_, b| b), ("first", |a, _| a), ("min", i128::min), ("max", i128::max)];
        for (method, decide) in methods {
            folder.run(&format!("0.tif 1.tif -o {method}.tif --method {method}")).done();
            let out = folder.raster(&format!("{method}.tif"));
            assert_eq!(out.pixel_type(1), pixel_type);
            assert_eq!(out.exact_nodata(1), Some(largest));
            assert!(out.exact(1) == wanted(decide), "{method} of {pixel_type}");
        }
    }
}

#[test]
fn whole_numbers_of_32_bits_pass_exactly_where_64_are_needed() {
    const LARGE: i128 = 4_000_000_001;
    let folder = Folder::new();
    Source::new(4, 4).of("UInt32").nodata(0.0).value(LARGE).write(folder.path("a.tif"));
    Source::new(4, 4).of("Int32").at(8.0, 0.0).value(-5).write(folder.path("b.tif"));
    folder.run("a.tif b.tif -o out.tif").done();
    assert_eq!(folder.raster("out.tif").exact(1)[..4], [LARGE; 4]);
    for reader in ["auto", "vrt"] {
        let line =
            format!("a.tif b.tif -o {reader}.tif --bounds 0.4,-4,12.4,0 --verify full --reader {reader}");
        folder.run(&line).done();
        assert_eq!(folder.raster(&format!("{reader}.tif")).exact(1)[..2], [LARGE; 2]);
    }
}

#[test]
fn whole_numbers_of_64_bits_under_a_mask_pass_exactly_or_are_refused() {
    const LARGE: i128 = (1 << 62) + 1;
    let folder = Folder::new();
    let source = Source::new(4, 4).of("Int64").value(LARGE).internal_mask(|x, _| x > 0);
    source.write(folder.path("a.tif"));
    folder.run("a.tif -o out.tif").done();
    assert_eq!(folder.raster("out.tif").exact(1)[..3], [0, LARGE, LARGE]);
    let refused = folder.run("a.tif -o between.tif --bounds 0.4,-4,3.4,0").refused();
    refused.names(&["a.tif", "mask", "gdalwarp"]);
}

#[test]
fn large_whole_numbers_that_a_warp_would_round_are_refused() {
    const LARGE: i128 = (1 << 60) + 1;
    let folder = Folder::new();
    let south_up = |of: &str| Source::new(4, 4).of(of).geotransform([0.0, 1.0, 0.0, -4.0, 0.0, 1.0]);
    south_up("Int64").value(LARGE).write(folder.path("a.tif"));
    for resampling in ["nearest", "bilinear"] {
        let refused = folder.run(&format!("a.tif -o out.tif --resampling {resampling}")).refused();
        refused.names(&["a.tif", "south up", "Int64", "gdal_translate"]);
    }
    // Of 32 bits doubles hold them all, also where they are read in 64.
    let rows = |_: usize, x: usize, y: usize| 4_000_000_001 + (x + 4 * y) as i128;
    south_up("UInt32").pixels(rows).write(folder.path("b.tif"));
    Source::new(4, 4).of("Int32").at(4.0, 0.0).value(-5).write(folder.path("c.tif"));
    folder.run("b.tif c.tif -o out.tif --verify full").done();
    let out = folder.raster("out.tif").exact(1);
    let wanted = folder.raster("b.tif").exact(1);
    for y in 0..4 {
        assert_eq!(out[8 * y..][..4], wanted[4 * (3 - y)..][..4]);
        assert_eq!(out[8 * y + 4..][..4], [-5; 4]);
    }
}

#[test]
fn transparency_that_is_added_does_not_depend_on_memory() {
    // Blocks of so many bands are stored apart, and where memory is short bands might be made a few at a time.
    const BANDS: usize = 40;
    let folder = Folder::new();
    let source = |width| Source::new(width, 600).of("UInt16").options("INTERLEAVE=BAND TILED=YES");
    let value = |band, x, _| i128::from(band == 1 || x >= 100) * 7;
    source(600).bands(BANDS).nodata(0.0).pixels(value).write(folder.path("plain.tif"));
    let shows = [vec!["Gray"], vec!["Undefined"; BANDS - 1], vec!["Alpha"]].concat();
    source(10).bands(BANDS + 1).at(600.0, 0.0).value(65535).shows(&shows).write(folder.path("clear.tif"));
    let line = "clear.tif plain.tif --threads 1 --verify none -o";
    let told = folder.run(&format!("{line} none.tif --memory 8MiB")).refused().stderr;
    let least = told.split("the least that works is ").nth(1).expect("it is told");
    let least: u64 = least.split(' ').next().unwrap().parse().unwrap();
    folder.run(&format!("{line} much.tif --memory 2GiB")).done();
    assert_eq!(folder.raster("much.tif").only_value(BANDS + 1, (0, 0), (610, 600)), 65535.0);
    for memory in [least, least + 20, least + 60] {
        folder.run(&format!("{line} little.tif --overwrite --memory {memory}MiB")).done();
        let same = folder.read("little.tif") == folder.read("much.tif");
        assert!(same, "with {memory} MiB, the least being {least}, the bytes differ");
    }
}

#[test]
fn chunk_threads_and_memory_never_change_a_byte() {
    for (pixel_type, options) in
        [("UInt16", "TILED=YES BLOCKXSIZE=48 BLOCKYSIZE=80"), ("Float32", ""), ("Byte", "")]
    {
        let folder = Folder::new();
        write_pieces(&folder, pixel_type, options);
        for method in ["last", "mean", "count"] {
            let line = format!("0.tif 1.tif 2.tif 3.tif --method {method} --block 32 --overwrite");
            folder.run(&format!("{line} -o wanted.tif --chunk 32 --threads 1")).done();
            let settings = [
                "--chunk 64 --threads 1",
                "--chunk 96 --threads 2 --memory 256MiB",
                "--chunk 1024 --threads 3 --memory 1GiB",
                "--threads 4 --memory 128MiB",
                "--verify full",
                "--chunk 32 --threads 8 --verify none",
            ];
            for setting in settings {
                folder.run(&format!("{line} -o found.tif {setting}")).done();
                let same = folder.read("found.tif") == folder.read("wanted.tif");
                assert!(same, "{method} of {pixel_type} with {setting}: the bytes differ");
            }
        }
    }
}

/// Splits a raster of `size` pixels at `column` and `row`, mosaics the pieces and compares with the whole.
fn split_and_mosaic(
    size: (usize, usize),
    (column, row): (usize, usize),
    pixel: f64,
    corner: (f64, f64),
    seed: u64,
) {
    let folder = Folder::new();
    let value = move |band, x, y| i128::from(random(seed, band, x, y) % 60_000);
    let source = |width, height, x: usize, y: usize| {
        let corner = (corner.0 + x as f64 * pixel, corner.1 - y as f64 * pixel);
        let source = Source::new(width, height).of("UInt16").pixel(pixel).at(corner.0, corner.1);
        source.crs("EPSG:32631").pixels(move |band, column, row| value(band, x + column, y + row))
    };
    let (rest_width, rest_height) = (size.0 - column, size.1 - row);
    source(size.0, size.1, 0, 0).write(folder.path("whole.tif"));
    source(column, row, 0, 0).write(folder.path("a.tif"));
    source(rest_width, row, column, 0).write(folder.path("b.tif"));
    source(column, rest_height, 0, row).write(folder.path("c.tif"));
    source(rest_width, rest_height, column, row).write(folder.path("d.tif"));
    folder.run("c.tif a.tif d.tif b.tif -o out.tif").done();
    assert_equals(&folder, "out.tif", "whole.tif", "the pieces");
}

#[test]
fn pieces_of_2370_pixels_give_4740_and_not_4741() {
    split_and_mosaic((4740, 4740), (2370, 2370), 1.0 / 3.0, (399_999.7, 5_000_000.1), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_raster_that_was_split_comes_back(
        (width, column) in (2_usize..400).prop_flat_map(|width| (Just(width), 1..width)),
        (height, row) in (2_usize..400).prop_flat_map(|height| (Just(height), 1..height)),
        pixel in prop_oneof![Just(10.0), Just(0.1), Just(1.0 / 3.0), 0.001_f64..100.0],
        corner in (-1e6_f64..1e6, -1e6_f64..1e6),
        seed in any::<u64>(),
    ) {
        split_and_mosaic((width, height), (column, row), pixel, corner, seed);
    }
}

#[test]
fn the_order_of_inputs_does_not_matter_where_no_source_is_preferred() {
    for pixel_type in pixel_types() {
        let folder = Folder::new();
        write_pieces(&folder, pixel_type, "");
        for method in ["min", "max", "mean", "count", "sum"] {
            let line = format!("--method {method} --overwrite -o");
            folder.run(&format!("0.tif 1.tif 2.tif 3.tif {line} forward.tif")).done();
            folder.run(&format!("2.tif 0.tif 3.tif 1.tif {line} shuffled.tif")).done();
            let same = folder.read("forward.tif") == folder.read("shuffled.tif");
            assert!(same, "{method} of {pixel_type}");
        }
    }
}

#[test]
fn every_method_gives_what_its_words_say() {
    for pixel_type in pixel_types() {
        let folder = Folder::new();
        write_pieces(&folder, pixel_type, "");
        let (nodata, _) = pixel_type_nodata(pixel_type);
        folder.reference("0.tif 1.tif 2.tif 3.tif", "", "", "grid.tif");
        let grid = folder.raster("grid.tif");
        let mut stacks = vec![Vec::new(); grid.width * grid.height];
        for name in ["0.tif", "1.tif", "2.tif", "3.tif"] {
            let source = folder.raster(name);
            let column = ((source.geotransform()[0] - grid.geotransform()[0]) / 10.0).round() as usize;
            let row = ((grid.geotransform()[3] - source.geotransform()[3]) / 10.0).round() as usize;
            for (index, value) in source.exact(2).into_iter().enumerate() {
                let (x, y) = (column + index % source.width, row + index / source.width);
                if value != nodata {
                    stacks[y * grid.width + x].push(value);
                }
            }
        }
        for method in ["first", "last", "min", "max", "mean", "sum", "count"] {
            folder
                .run(&format!("0.tif 1.tif 2.tif 3.tif -o {method}.tif --method {method} --block 64"))
                .done();
            let out = folder.raster(&format!("{method}.tif"));
            let background = out.nodata(2).unwrap_or(0.0);
            let is_float = out.pixel_type(2).starts_with("Float");
            let wanted: Vec<f64> =
                stacks.iter().map(|stack| decide(method, stack, is_float).unwrap_or(background)).collect();
            let found = out.pixels(2);
            // A mean of floats may be rounded once more or less on its way.
            let tolerance = if method == "mean" && is_float { 1e-6 } else { 0.0 };
            let far = |&i: &usize| (found[i] - wanted[i]).abs() > tolerance * wanted[i].abs().max(1.0);
            let wrong: Vec<usize> = (0..wanted.len()).filter(far).collect();
            if let Some(&i) = wrong.first() {
                let stack = &stacks[i];
                panic!("{method} of {pixel_type}: {} wrong, such as {} for {stack:?}", wrong.len(), found[i]);
            }
        }
    }
}

/// One pixel of a method over the values that are there, bottom to top; none where there is none.
fn decide(method: &str, stack: &[i128], is_float: bool) -> Option<f64> {
    let sum: i128 = stack.iter().sum();
    let first = *stack.first()?;
    let count = stack.len() as i128;
    Some(match method {
        "first" => first as f64,
        "last" => stack[stack.len() - 1] as f64,
        "min" => *stack.iter().min().unwrap() as f64,
        "max" => *stack.iter().max().unwrap() as f64,
        "sum" => sum as f64,
        "count" => count as f64,
        "mean" if is_float => sum as f64 / count as f64,
        "mean" => {
            // Half to even, in whole numbers.
            let (below, rest) = (sum.div_euclid(count), 2 * sum.rem_euclid(count));
            let up = rest > count || (rest == count && below % 2 != 0);
            (below + i128::from(up)) as f64
        }
        _ => unreachable!(),
    })
}

#[test]
fn the_file_is_no_larger_than_gdals_with_the_same_options() {
    let folder = Folder::new();
    for (name, x) in [("0.tif", 0.0), ("1.tif", 900.0)] {
        // Slopes with a little noise: they compress as imagery does.
        let value = |band, x: usize, y: usize| {
            (2000 + 3 * x + 2 * y) as i128 + i128::from(random(7, band, x, y) % 32)
        };
        let source = Source::new(1500, 1300).of("UInt16").bands(3).at(x, 0.0).pixel(1.0).crs("EPSG:32631");
        source.pixels(value).write(folder.path(name));
    }
    folder.run("0.tif 1.tif -o out.tif --compress lzw --predictor 2 --block 512 --chunk 1024").done();
    let interleave = folder.raster("out.tif").metadata("INTERLEAVE", "IMAGE_STRUCTURE").unwrap();
    let options = format!("{GDAL_LAYOUT} -co PREDICTOR=2 -co INTERLEAVE={interleave}");
    folder.reference("0.tif 1.tif", "", &options, "reference.tif");
    assert_equals(&folder, "out.tif", "reference.tif", "the mosaic");
    let (found, wanted) = (folder.read("out.tif").len(), folder.read("reference.tif").len());
    assert!(found as f64 <= 1.02 * wanted as f64, "{found} bytes where GDAL needs {wanted}");
}

/// Two sources of noise whose grids differ by a fraction of a pixel, and one of finer pixels.
fn write_misaligned(folder: &Folder) {
    let noise = |seed: u64| move |band, x, y| i128::from(random(seed, band, x, y) % 4000) + 1;
    let source =
        |width, height| Source::new(width, height).of("UInt16").nodata(0.0).crs("EPSG:32631").bands(2);
    source(140, 120).pixel(10.0).at(500_000.0, 5_000_000.0).pixels(noise(1)).write(folder.path("0.tif"));
    source(140, 120)
        .pixel(10.0)
        .at(500_603.7, 4_999_396.1)
        .pixels(noise(2))
        .write(folder.path("shifted.tif"));
    source(150, 150).pixel(5.0).at(500_850.0, 4_999_900.0).pixels(noise(3)).write(folder.path("fine.tif"));
}

#[test]
fn sources_shifted_by_parts_of_a_pixel_equal_gdals_mosaic() {
    let folder = Folder::new();
    write_misaligned(&folder);
    for (resampling, of_gdal) in [("nearest", "nearest"), ("bilinear", "bilinear")] {
        let line = format!("0.tif shifted.tif --resampling {resampling} -o");
        folder.run(&format!("{line} {resampling}.tif --block 64 --chunk 64")).done();
        let reference = format!("{resampling}-reference.tif");
        folder.reference("0.tif shifted.tif", &format!("-r {of_gdal}"), "", &reference);
        assert_equals(&folder, &format!("{resampling}.tif"), &reference, resampling);
    }
}

#[test]
fn mixed_resolutions_at_the_highest_equal_gdals_mosaic() {
    let folder = Folder::new();
    write_misaligned(&folder);
    for resampling in ["nearest", "bilinear"] {
        let line =
            format!("0.tif fine.tif --resolution highest --resampling {resampling} -o {resampling}.tif");
        folder.run(&format!("{line} --block 64 --chunk 128")).done();
        let reference = format!("{resampling}-reference.tif");
        folder.reference("0.tif fine.tif", &format!("-resolution highest -r {resampling}"), "", &reference);
        assert_equals(&folder, &format!("{resampling}.tif"), &reference, resampling);
    }
}

#[test]
fn resampled_pixels_do_not_depend_on_the_windows() {
    let folder = Folder::new();
    write_misaligned(&folder);
    for resampling in ["nearest", "bilinear", "cubic", "cubicspline", "lanczos", "average", "mode"] {
        for (inputs, resolution) in
            [("0.tif shifted.tif fine.tif", "highest"), ("0.tif shifted.tif fine.tif", "lowest")]
        {
            let what = format!("--resolution {resolution} --resampling {resampling}");
            let line = format!("{inputs} {what} --block 32 --overwrite -o");
            folder.run(&format!("{line} whole.tif --chunk 1024 --threads 1")).done();
            for chunk in [32, 64, 160] {
                folder.run(&format!("{line} pieces.tif --chunk {chunk} --threads 3")).done();
                assert_equals(&folder, "pieces.tif", "whole.tif", &format!("{what} --chunk {chunk}"));
            }
        }
    }
}
