//! Overviews and cloud optimized GeoTIFFs, against those that GDAL makes of the same pixels.

mod common;

use common::{Color, Folder, Source, assert_same_pixels, random};
use gdal::Dataset;
use gdal::raster::RasterBand;
use gdal::version::VersionInfo;

/// What a test's sources look like.
#[derive(Clone, Copy)]
struct Look {
    pixel_type: &'static str,
    bands: usize,
    nodata: Option<f64>,
    /// A few values only, so that some are frequent.
    values: u64,
}

const LOOKS: [Look; 6] = [
    Look { pixel_type: "Byte", bands: 3, nodata: None, values: 250 },
    Look { pixel_type: "UInt16", bands: 2, nodata: Some(0.0), values: 6 },
    Look { pixel_type: "Int16", bands: 1, nodata: Some(-5.0), values: 900 },
    Look { pixel_type: "UInt16", bands: 1, nodata: None, values: 60_000 },
    Look { pixel_type: "Int16", bands: 1, nodata: Some(5000.0), values: 12 },
    Look { pixel_type: "Float32", bands: 2, nodata: Some(-1.0), values: 200 },
];

impl Look {
    /// The overview resamplings of which the linked GDAL is a reference. Where nothing below is valid, the mode of
    /// newer ones is 0 in place of a nodata value below zero, in types of whole numbers, and is a pixel from then on
    /// (3.6 is right, 3.12 wrong; where in between it changed is not known).
    fn comparable_ways(&self) -> &'static [&'static str] {
        let negative = self.nodata.is_some_and(|nodata| nodata < 0.0) && self.pixel_type.starts_with("Int");
        let old = VersionInfo::version_num().parse::<u32>().unwrap() < 3_07_00_00;
        if negative && !old { &["nearest", "average"] } else { &["nearest", "average", "mode"] }
    }
}

/// Resamplings by a kernel.
const KERNELS: [&str; 2] = ["bilinear", "cubic"];

/// How far from GDAL's a pixel made by a kernel may be: halves may be rounded otherwise, where weights are summed in
/// another order, and before 3.7 numbers of 64 bits pass through 32-bit floats (here of less than 10,000).
fn rounding(pixel_type: &str) -> f64 {
    match pixel_type {
        "Float32" => 0.0,
        "Float64" => 1e-3,
        _ => 1.0,
    }
}

/// Writes two sources that overlap nowhere, with a gap of several blocks between them; every side is odd or even.
fn write_sources(folder: &Folder, look: Look, odd: usize) {
    for (name, x, y, seed) in [("a.tif", 0.0, 0.0, 1), ("b.tif", 4000.0, -1700.0, 2)] {
        let value = move |band, column, row| {
            let hole = look.nodata.filter(|_| random(seed + 7, band, column / 3, row / 2).is_multiple_of(4));
            hole.map_or_else(
                || i128::from(random(seed, band, column, row) % look.values) + 1,
                |hole| hole as i128,
            )
        };
        let source = Source::new(256 + 5 * odd, 192 + odd).of(look.pixel_type).bands(look.bands);
        let source = source.at(500_000.0 + x, 5_000_000.0 + y).pixel(10.0).crs("EPSG:32631");
        let source = look.nodata.into_iter().fold(source, |source, nodata| source.nodata(nodata));
        source.pixels(value).write(folder.path(name));
    }
}

fn pixels(band: &RasterBand<'_>) -> (Vec<f64>, usize) {
    let buffer = band.read_band_as::<f64>().unwrap();
    (buffer.data().to_vec(), buffer.width())
}

/// Demands the same overviews, pixel for pixel (floats: to a part in a million).
fn assert_same_overviews(folder: &Folder, found: &str, wanted: &str, what: &str) {
    assert_near_overviews(folder, found, wanted, what, 0.0);
}

/// The same, with values that differ by no more than `rounding`; but what is nodata must be in both.
fn assert_near_overviews(folder: &Folder, found: &str, wanted: &str, what: &str, rounding: f64) {
    let open = |name: &str| Dataset::open(folder.path(name)).unwrap();
    let (found, wanted) = (open(found), open(wanted));
    for band in 1..=wanted.raster_count() {
        let (found, wanted) = (found.rasterband(band).unwrap(), wanted.rasterband(band).unwrap());
        let count = wanted.overview_count().unwrap();
        assert!(count > 0, "{what}: no overviews");
        assert_eq!(found.overview_count().unwrap(), count, "{what}: number of overviews");
        for level in 0..count as usize {
            let (found, wanted) = (found.overview(level).unwrap(), wanted.overview(level).unwrap());
            assert_eq!(found.size(), wanted.size(), "{what}: size of overview {level}");
            let nodata = wanted.no_data_value();
            let ((mut found, width), (wanted, _)) = (pixels(&found), pixels(&wanted));
            for (found, wanted) in found.iter_mut().zip(&wanted) {
                let apart = (*found - wanted).abs();
                let near = apart < 1e-6 * wanted.abs() && found.fract() != 0.0
                    || apart <= rounding && (Some(*found) == nodata) == (Some(*wanted) == nodata);
                *found = if near { *wanted } else { *found };
            }
            assert_same_pixels(&found, &wanted, width, &format!("{what}, band {band}, overview {level}"));
        }
    }
}

#[test]
fn overviews_of_a_plain_file_equal_gdaladdos() {
    for look in LOOKS {
        for odd in [0, 1] {
            let folder = Folder::new();
            write_sources(&folder, look, odd);
            let line = "a.tif b.tif --block 32 --co INTERLEAVE=PIXEL";
            folder.run(&format!("{line} -o plain.tif")).done();
            for &how in look.comparable_ways() {
                let what = format!("{how} of {} with {odd}", look.pixel_type);
                folder
                    .run(&format!("{line} -o {how}.tif --overviews 2,4,8 --overview-resampling {how}"))
                    .done();
                std::fs::copy(folder.path("plain.tif"), folder.path("gdal.tif")).unwrap();
                folder.tool(&format!("gdaladdo -q -r {how} --config COMPRESS_OVERVIEW LZW gdal.tif 2 4 8"));
                assert_same_overviews(&folder, &format!("{how}.tif"), "gdal.tif", &what);
                let (found, wanted) = (folder.raster(&format!("{how}.tif")), folder.raster("plain.tif"));
                for band in 1..=look.bands {
                    assert_same_pixels(&found.pixels(band), &wanted.pixels(band), wanted.width, &what);
                }
            }
        }
    }
}

#[test]
fn overviews_by_a_kernel_equal_gdaladdos() {
    let more = [
        Look { pixel_type: "Float64", bands: 1, nodata: None, values: 9_000 },
        Look { pixel_type: "Int32", bands: 2, nodata: Some(0.0), values: 30_000 },
    ];
    for look in LOOKS.into_iter().chain(more) {
        for odd in [0, 1] {
            let folder = Folder::new();
            write_sources(&folder, look, odd);
            let line = "a.tif b.tif --block 64 --co INTERLEAVE=PIXEL";
            folder.run(&format!("{line} -o plain.tif")).done();
            for how in KERNELS {
                for factors in [["2,4,8", "16"], ["2,4,8", "3"]][odd] {
                    let what = format!("{how} of {} with {odd} by {factors}", look.pixel_type);
                    let ours = format!("--overviews {factors} --overview-resampling {how} --chunk 64");
                    folder.run(&format!("{line} -o {how}.tif {ours} --overwrite")).done();
                    std::fs::copy(folder.path("plain.tif"), folder.path("gdal.tif")).unwrap();
                    let factors = factors.replace(',', " ");
                    let addo = format!("gdaladdo -q -r {how} --config COMPRESS_OVERVIEW LZW gdal.tif");
                    folder.tool(&format!("{addo} {factors}"));
                    assert_near_overviews(
                        &folder,
                        &format!("{how}.tif"),
                        "gdal.tif",
                        &what,
                        rounding(look.pixel_type),
                    );
                }
            }
        }
    }
}

#[test]
fn a_cloud_optimized_file_is_valid_and_equals_gdals() {
    for look in LOOKS {
        for odd in [0, 1] {
            let folder = Folder::new();
            write_sources(&folder, look, odd);
            folder.run("a.tif b.tif --block 128 --co INTERLEAVE=PIXEL -o plain.tif").done();
            for &how in look.comparable_ways().iter().chain(&KERNELS) {
                let what = format!("COG by {how} of {} with {odd}", look.pixel_type);
                let line = format!("a.tif b.tif --block 128 --format cog --overview-resampling {how}");
                folder.run(&format!("{line} -o {how}.tif --verify full")).done();
                let options = format!("-co BLOCKSIZE=128 -co COMPRESS=LZW -co OVERVIEW_RESAMPLING={how}");
                folder.tool(&format!("gdal_translate -q -of COG {options} plain.tif gdal.tif"));
                let rounding = if KERNELS.contains(&how) { rounding(look.pixel_type) } else { 0.0 };
                assert_near_overviews(&folder, &format!("{how}.tif"), "gdal.tif", &what, rounding);
                assert_valid_cog(&folder, &format!("{how}.tif"));
                let (found, wanted) = (folder.raster(&format!("{how}.tif")), folder.raster("plain.tif"));
                assert_eq!(found.metadata("LAYOUT", "IMAGE_STRUCTURE").as_deref(), Some("COG"));
                for band in 1..=look.bands {
                    assert_same_pixels(&found.pixels(band), &wanted.pixels(band), wanted.width, &what);
                }
            }
        }
    }
}

/// Demands what GDAL's own check of cloud optimized GeoTIFFs demands, the bytes around every block among it.
fn assert_valid_cog(folder: &Folder, name: &str) {
    let check = "-m osgeo_utils.samples.validate_cloud_optimized_geotiff --full-check=yes";
    let outcome = folder.tool(&format!("/usr/bin/python3 {check} {name}"));
    assert!(outcome.stdout.contains("is a valid cloud optimized GeoTIFF"), "{}", outcome.stdout);
    assert!(!outcome.stdout.to_lowercase().contains("warning"), "{}", outcome.stdout);
}

#[test]
fn masks_have_overviews_that_equal_gdaladdos() {
    let folder = Folder::new();
    let valid = |column: usize, row: usize| !random(5, 0, column / 4, row / 4).is_multiple_of(3);
    let source = Source::new(300, 211).of("Byte").bands(3).crs("EPSG:32631").pixel(10.0).internal_mask(valid);
    source
        .pixels(|band, column, row| i128::from(random(6, band, column, row) % 256))
        .write(folder.path("a.tif"));
    for (how, rounding) in [("bilinear", 1.0), ("cubic", 1.0), ("average", 0.0)] {
        let line = format!("a.tif --block 64 --overwrite --overview-resampling {how}");
        folder.run(&format!("{line} -o out.tif --overviews 2,4 --verify full")).done();
        folder.run("a.tif -o gdal.tif --block 64 --overwrite").done();
        folder.tool(&format!("gdaladdo -q -r {how} --config COMPRESS_OVERVIEW LZW gdal.tif 2 4"));
        let open = |name: &str| Dataset::open(folder.path(name)).unwrap();
        let (out, gdal) = (open("out.tif"), open("gdal.tif"));
        for level in 0..2 {
            let mask = |dataset: &Dataset| {
                let overview = dataset.rasterband(1).unwrap().overview(level).unwrap();
                pixels(&overview.open_mask_band().unwrap())
            };
            let ((found, width), (wanted, _)) = (mask(&out), mask(&gdal));
            assert!(wanted.contains(&0.0) && wanted.contains(&255.0));
            assert_same_pixels(&found, &wanted, width, &format!("mask of overview {level} by {how}"));
        }
        assert_near_overviews(&folder, "out.tif", "gdal.tif", &format!("{how} below a mask"), rounding);
    }
    for how in ["nearest", "average", "mode", "bilinear", "cubic"] {
        folder.run(&format!("a.tif -o {how}.tif --block 64 --format cog --overview-resampling {how}")).done();
        assert_valid_cog(&folder, &format!("{how}.tif"));
        let found = folder.raster(&format!("{how}.tif"));
        assert_eq!(
            (found.pixels(2), found.mask(1)),
            (folder.raster("gdal.tif").pixels(2), folder.raster("gdal.tif").mask(1))
        );
    }
}

#[test]
fn overviews_do_not_depend_on_chunk_threads_or_memory() {
    for look in LOOKS {
        let folder = Folder::new();
        write_sources(&folder, look, 1);
        let layouts = [
            "--format cog",
            "--overviews 2,4,8,16",
            "--overviews 3,7 --co INTERLEAVE=BAND",
            "--format cog --overview-resampling bilinear",
            "--overviews 2,4,8 --overview-resampling cubic",
            "--overviews 3,32 --co INTERLEAVE=BAND --overview-resampling cubic",
        ];
        for layout in layouts {
            let line = format!("a.tif b.tif --block 32 --overwrite {layout}");
            folder.run(&format!("{line} -o wanted.tif --chunk 32 --threads 1")).done();
            let settings = [
                "--chunk 64 --threads 1",
                "--chunk 96 --threads 3 --memory 256MiB",
                "--chunk 1024 --threads 2",
                "--chunk 32 --threads 8",
                "--threads 4 --memory 128MiB --verify full",
            ];
            for setting in settings {
                folder.run(&format!("{line} -o found.tif {setting}")).done();
                let same = folder.read("found.tif") == folder.read("wanted.tif");
                assert!(same, "{layout} of {} with {setting}: the bytes differ", look.pixel_type);
            }
        }
    }
}

#[test]
fn transparency_is_made_smaller_as_gdal_does() {
    // With kernels GDAL weighs half transparent pixels along one axis only, so for those there are none.
    for (how, rounding, half) in [("average", 0.0, true), ("bilinear", 1.0, false), ("cubic", 1.0, false)] {
        let folder = Folder::new();
        let value = move |band, column, row| match band {
            3 => i128::from(random(3, 0, column / 3, row / 3) % 2 * 255),
            4 if !half => i128::from(random(3, 0, column / 3, row / 3) % 2 * 255),
            _ => i128::from(random(4, band, column, row) % 256),
        };
        let source = Source::new(270, 130).of("Byte").bands(4).shows(&["Red", "Green", "Blue", "Alpha"]);
        source.crs("EPSG:32631").pixel(10.0).pixels(value).write(folder.path("a.tif"));
        let line = format!("a.tif --block 32 --overview-resampling {how}");
        folder.run(&format!("{line} -o out.tif --overviews 2,4")).done();
        folder.run("a.tif -o gdal.tif --block 32").done();
        folder.tool(&format!("gdaladdo -q -r {how} --config COMPRESS_OVERVIEW LZW gdal.tif 2 4"));
        let what = format!("{how} with transparency");
        assert_near_overviews(&folder, "out.tif", "gdal.tif", &what, rounding);
    }
}

#[test]
fn a_palette_keeps_its_colours() {
    let folder = Folder::new();
    let colours: Vec<Color> = (0..7).map(|index| (30 * index, 255 - 30 * index, 100, 255)).collect();
    let source = Source::new(200, 150).of("Byte").crs("EPSG:32631").pixel(10.0).palette(&colours);
    source.pixels(|_, column, row| i128::from(random(9, 0, column / 2, row) % 7)).write(folder.path("a.tif"));
    folder.run("a.tif -o out.tif --block 32 --overviews 2,4").done();
    folder.run("a.tif -o gdal.tif --block 32").done();
    folder.tool("gdaladdo -q -r mode --config COMPRESS_OVERVIEW LZW gdal.tif 2 4");
    assert_same_overviews(&folder, "out.tif", "gdal.tif", "a palette");
    for how in ["average", "bilinear", "cubic"] {
        let line = format!("a.tif -o o.tif --overviews auto --overview-resampling {how}");
        folder.run(&line).refused().names(&["palette", how, "mode or nearest"]);
    }
}

#[test]
fn factors_that_come_to_one_size_make_one_overview() {
    let folder = Folder::new();
    for (size, factors) in [((5, 5), "2,4,8,16"), ((100, 80), "100,200"), ((5, 5), "3,4"), ((64, 64), "2,4")]
    {
        Source::new(size.0, size.1).value(9).write(folder.path("a.tif"));
        let told = folder.run(&format!("a.tif -o out.tif --overwrite --overviews {factors}")).done();
        folder.run("verify out.tif").done();
        folder.run("a.tif -o gdal.tif --overwrite").done();
        folder.tool(&format!("gdaladdo -q -r average gdal.tif {}", factors.replace(',', " ")));
        assert_same_overviews(&folder, "out.tif", "gdal.tif", factors);
        let count =
            Dataset::open(folder.path("out.tif")).unwrap().rasterband(1).unwrap().overview_count().unwrap();
        let lacking = factors.split(',').count() - count as usize;
        let warning = format!("--overviews: left out {lacking} of ");
        assert_eq!(told.stderr.contains(&warning), lacking > 0, "{}", told.stderr);
    }
    Source::new(1, 1).write(folder.path("a.tif"));
    folder.run("a.tif -o out.tif --overwrite --overviews 2").done().names(&["left out 1 of 1"]);
    folder.run("verify out.tif").done();
}

#[test]
fn transparency_is_made_smaller_by_itself_whatever_the_nodata_value_is() {
    let folder = Folder::new();
    let value = |band, x, y| match band {
        3 => [255, 255, 255, 0, 30][random(4, 0, x / 3, y / 3) as usize % 5],
        _ => 40 + i128::from(random(5, band, x, y) % 100),
    };
    let source = Source::new(70, 50).of("Byte").bands(4).shows(&["Red", "Green", "Blue", "Alpha"]);
    source.options("PHOTOMETRIC=RGB ALPHA=YES").pixels(value).write(folder.path("a.tif"));
    let alphas = |name: &str| {
        let dataset = Dataset::open(folder.path(name)).unwrap();
        let alpha = dataset.rasterband(4).unwrap();
        [0, 1].map(|level| pixels(&alpha.overview(level).unwrap()).0)
    };
    for how in ["nearest", "average", "mode", "bilinear", "cubic"] {
        let line = format!("a.tif --overwrite --block 32 --overviews 2,4 --overview-resampling {how}");
        folder.run(&format!("{line} -o plain.tif")).done();
        for nodata in ["0", "255", "7"] {
            folder.run(&format!("{line} -o nodata.tif --nodata {nodata}")).done();
            assert_eq!(alphas("nodata.tif"), alphas("plain.tif"), "{how} with nodata {nodata}");
        }
    }
}

#[test]
fn blocks_without_sources_stay_sparse() {
    let folder = Folder::new();
    write_sources(&folder, LOOKS[1], 0);
    folder.run("a.tif b.tif -o plain.tif --block 16").done();
    folder.run("a.tif b.tif -o cog.tif --block 16 --format cog").done();
    let length = |name: &str| folder.read(name).len() as f64;
    assert!(length("cog.tif") < 1.5 * length("plain.tif"), "{} {}", length("cog.tif"), length("plain.tif"));
    assert_valid_cog(&folder, "cog.tif");
}

#[test]
fn what_cannot_be_had_is_refused_by_name() {
    let folder = Folder::new();
    write_sources(&folder, LOOKS[0], 0);
    folder.run("a.tif -o o.tif --overview-resampling lanczos").refused().names(&["lanczos", "average"]);
    folder.run("a.tif -o o.tif --overviews 4,2").refused().names(&["4,2", "auto"]);
    folder.run("a.tif -o o.tif --overviews 1").refused().names(&["growing"]);
    let band = folder.run("a.tif -o o.tif --format cog --co INTERLEAVE=BAND");
    band.refused().names(&["INTERLEAVE", "cloud optimized"]);
    assert!(!folder.path("o.tif").exists());
}

#[test]
fn no_file_is_left_beside_the_output() {
    let folder = Folder::new();
    write_sources(&folder, LOOKS[0], 1);
    folder.run("a.tif b.tif -o out.tif --block 32 --format cog").done();
    let names: Vec<_> = folder.names().into_iter().collect();
    assert_eq!(names, ["a.tif", "b.tif", "out.tif"]);
}
