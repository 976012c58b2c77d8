//! Sources of another CRS, turned or upside down, have the pixels that gdalwarp gives them, whatever is read of them at
//! once.

mod common;

use common::{Folder, Source, assert_same_pixels, assert_same_rasters, random};

/// A file of the folder has the pixels of another one.
fn assert_equals(folder: &Folder, found: &str, wanted: &str, what: &str) {
    assert_same_rasters(&folder.raster(found), &folder.raster(wanted), what);
}

/// The same place in UTM zones 31 and 32, as two sources of noise.
fn write_two_zones(folder: &Folder) {
    let noise = |seed: u64| move |band, x, y| i128::from(random(seed, band, x, y) % 4000) + 1;
    let source = |crs: &str| Source::new(200, 180).of("UInt16").nodata(0.0).crs(crs).pixel(20.0);
    source("EPSG:32631").at(719_000.0, 5_003_000.0).pixels(noise(1)).write(folder.path("31.tif"));
    source("EPSG:32632").at(246_000.0, 5_004_000.0).pixels(noise(2)).write(folder.path("32.tif"));
}

#[test]
fn warped_pixels_do_not_depend_on_the_windows() {
    let folder = Folder::new();
    write_two_zones(&folder);
    for crs in ["EPSG:32631", "EPSG:4326"] {
        for resampling in ["nearest", "bilinear", "cubic"] {
            let line = format!(
                "31.tif 32.tif --crs {crs} --resolution highest --resampling {resampling} --block 32"
            );
            folder.run(&format!("{line} --overwrite -o whole.tif --chunk 1024 --threads 1")).done();
            assert_eq!(folder.raster("whole.tif").authority(), crs);
            for chunk in [32, 96] {
                folder.run(&format!("{line} --overwrite -o pieces.tif --chunk {chunk} --threads 3")).done();
                assert_equals(
                    &folder,
                    "pieces.tif",
                    "whole.tif",
                    &format!("{crs} {resampling} --chunk {chunk}"),
                );
            }
        }
    }
}

#[test]
fn warped_pixels_equal_gdalwarps_nearest_ones() {
    let folder = Folder::new();
    write_two_zones(&folder);
    // Aligned, the source of zone 31 lies on the grid, and nearest pixels are the same whoever chooses them.
    folder.run("31.tif 32.tif --crs EPSG:32631 --resolution 20 --align -o out.tif").done();
    let out = folder.raster("out.tif");
    let [x, pixel, _, y, _, _] = out.geotransform();
    let (east, south) = (x + pixel * out.width as f64, y - pixel * out.height as f64);
    let grid = format!("-te {x} {south} {east} {y} -tr {pixel} {pixel}");
    let rules = "-t_srs EPSG:32631 -et 0 -r near -srcnodata 0 -dstnodata 0";
    folder.tool(&format!("gdalwarp -q {rules} {grid} 31.tif 32.tif reference.tif"));
    assert_equals(&folder, "out.tif", "reference.tif", "warped to zone 31");
}

#[test]
fn a_source_across_the_date_line_lies_on_both_sides_of_it_and_of_the_next_ones() {
    let folder = Folder::new();
    // From 178.9 degrees east to 182.6.
    let source = Source::new(160, 80).at(700_000.0, 8_200_000.0).pixel(2_500.0).crs("EPSG:32760").nodata(0.0);
    source.pixels(|_, x, y| i128::from(1 + random(3, 0, x, y) % 200)).write(folder.path("60.tif"));
    for bounds in [[178.5, -18.5, 183.0, -16.0], [-182.0, -18.5, -176.0, -16.0], [180.5, -18.0, 182.0, -17.0]]
    {
        let [west, south, east, north] = bounds;
        let job = format!("60.tif --crs EPSG:4326 --bounds {west},{south},{east},{north} --resolution 0.05");
        let outcome = folder.run(&format!("{job} -o out.tif --overwrite --verify full")).done();
        assert!(!outcome.stderr.contains("outside"), "{}", outcome.stderr);
        let grid = format!("-te {west} {south} {east} {north} -tr 0.05 0.05");
        folder.tool(&format!("gdalwarp -q -overwrite -t_srs EPSG:4326 -et 0 {grid} 60.tif reference.tif"));
        assert!(folder.raster("reference.tif").pixels(1).iter().any(|&value| value > 0.0));
        assert_equals(&folder, "out.tif", "reference.tif", &format!("across the date line, {bounds:?}"));
    }
}

/// That `source` (UTM zone 31), warped to degrees, has the values of gdalwarp in each band, nodata where that has none.
fn assert_warps_as_gdal(folder: &Folder, source: &str) {
    for resampling in ["near", "bilinear", "cubic", "average"] {
        let ours = name_here(resampling);
        // Finer than the source both ways: however GDAL estimates, no kernel is wider.
        let job = format!("{source} -o out.tif --overwrite --crs EPSG:4326 --resolution 0.00008");
        folder.run(&format!("{job} --resampling {ours} --verify full")).done();
        let out = folder.raster("out.tif");
        let grid = grid_of(folder, "out.tif");
        let rules = format!("-t_srs EPSG:4326 -et 0 -r {resampling} {grid}");
        folder.tool(&format!("gdalwarp -q -overwrite -of VRT {rules} {source} wanted.vrt"));
        let wanted = folder.raster("wanted.vrt");
        for band in 1..=wanted.bands {
            let nodata = out.nodata(band).unwrap();
            // A band without nodata has there what lies below all that Int16 holds.
            let without = wanted.nodata(band).unwrap().max(i16::MIN.into());
            let values: Vec<f64> =
                wanted.pixels(band).iter().map(|&v| if v == without { nodata } else { v }).collect();
            let what = format!("{source}, {resampling}, band {band}");
            assert_same_pixels(&out.pixels(band), &values, out.width, &what);
        }
    }
}

#[test]
fn a_warp_judges_nodata_band_by_band_as_gdalwarp_does() {
    let folder = Folder::new();
    let source = |bands| {
        let source = Source::new(60, 60).of("Int16").crs("EPSG:32631").bands(bands);
        source.at(500_000.0, 5_000_000.0).pixel(10.0)
    };
    let noise = |band, x, y| 1000 + i128::from(random(5, band, x, y) % 100);
    let holed = |nodata| {
        move |band, x: usize, y: usize| {
            let is_hole = band == 1 && (20..40).contains(&x) && (20..40).contains(&y);
            if is_hole { nodata } else { noise(band, x, y) }
        }
    };
    source(2).nodata(0.0).pixels(holed(0)).write(folder.path("both.tif"));
    assert_warps_as_gdal(&folder, "both.tif");
    // The second band has none.
    source(1).nodata(-9999.0).pixels(holed(-9999)).write(folder.path("one.tif"));
    source(1).pixels(move |_, x, y| noise(2, x, y)).write(folder.path("other.tif"));
    folder.tool("gdalbuildvrt -q -separate mixed.vrt one.tif other.tif");
    assert_warps_as_gdal(&folder, "mixed.vrt");
}

#[test]
fn a_warp_never_weighs_nodata_beside_a_mask_or_transparency() {
    let folder = Folder::new();
    let half = |nodata: i128| {
        let source = Source::new(40, 40).crs("EPSG:32631").at(500_000.0, 5_000_000.0).nodata(nodata as f64);
        source.pixels(move |band, x, y| match band {
            4 => i128::from(y > 4) * 255,
            _ if x < 20 => 100,
            _ => nodata,
        })
    };
    half(-9999).of("Float32").internal_mask(|_, y| y > 0).write(folder.path("masked.tif"));
    let shows = ["Red", "Green", "Blue", "Alpha"];
    half(0).bands(4).shows(&shows).options("PHOTOMETRIC=RGB").write(folder.path("clear.tif"));
    half(7).bands(4).shows(&shows).options("PHOTOMETRIC=RGB").write(folder.path("seven.tif"));
    for (name, nodata) in [("masked", -9999.0), ("clear", 0.0), ("seven", 7.0)] {
        for resampling in ["bilinear", "cubic"] {
            let out = format!("{name}-{resampling}.tif");
            let line =
                format!("{name}.tif -o {out} --crs EPSG:32632 --resampling {resampling} --verify full");
            folder.run(&line).done();
            let out = folder.raster(&out);
            let pixels = out.pixels(1);
            let is_data = |value: &f64| (value - 100.0).abs() < 0.01;
            let data = pixels.iter().filter(|value| is_data(value)).count();
            let others = pixels.len() - data - pixels.iter().filter(|&&value| value == nodata).count();
            assert!(
                data > 600 && others == 0,
                "{name} {resampling}: {data} pixels of data, {others} between"
            );
            if out.bands == 4 {
                let alpha = out.pixels(4);
                let shown =
                    pixels.iter().zip(&alpha).filter(|(value, alpha)| **value == 100.0 && **alpha == 0.0);
                assert_eq!(shown.count(), 0);
                assert_eq!((alpha[0], alpha[alpha.len() - 1]), (0.0, 0.0), "outside the source");
            }
        }
    }
}

/// What a resampling of gdalwarp's is called here.
fn name_here(resampling: &str) -> &str {
    if resampling == "near" { "nearest" } else { resampling }
}

/// The grid of a raster, as gdalwarp takes it.
fn grid_of(folder: &Folder, name: &str) -> String {
    let raster = folder.raster(name);
    let [x, width, _, y, _, height] = raster.geotransform();
    let (east, south) = (x + width * raster.width as f64, y + height * raster.height as f64);
    format!("-te {x:?} {south:?} {east:?} {y:?} -ts {} {}", raster.width, raster.height)
}

/// Random values in zone 31, at its western edge: four degrees are between its grid's north and the next zone's.
fn write_turned(folder: &Folder, side: usize) {
    let source =
        Source::new(side, side).of("UInt16").crs("EPSG:32631").at(300_000.0, 5_000_000.0).pixel(10.0);
    let source = source.pixels(|band, x, y| 1 + i128::from(random(11, band, x, y) % 30_000));
    let source = source.options("TILED=YES COMPRESS=DEFLATE");
    source.write(folder.path("31.tif"));
}

#[test]
fn kernels_are_no_wider_where_a_source_is_turned_a_little() {
    let folder = Folder::new();
    write_turned(&folder, 300);
    for resampling in ["bilinear", "cubic", "cubicspline", "lanczos"] {
        let job = format!("31.tif --crs EPSG:32632 --resolution 10 --resampling {resampling} --overwrite");
        folder.run(&format!("{job} -o out.tif --verify full")).done();
        let grid = grid_of(&folder, "out.tif");
        folder.tool(&format!(
            "gdalwarp -q -overwrite -t_srs EPSG:32632 -et 0 -r {resampling} {grid} 31.tif wanted.tif"
        ));
        let out = folder.raster("out.tif");
        assert_same_pixels(&out.pixels(1), &folder.raster("wanted.tif").pixels(1), out.width, resampling);
        // A part has the pixels of the whole.
        let [x, pixel, _, y, _, _] = out.geotransform();
        let (west, north) = (x + 90.0 * pixel, y - 110.0 * pixel);
        let bounds = format!("{west:?},{:?},{:?},{north:?}", north - 70.0 * pixel, west + 150.0 * pixel);
        folder.run(&format!("{job} -o part.tif --bounds {bounds}")).done();
        assert_same_pixels(
            &folder.raster("part.tif").pixels(1),
            &out.window(1, (90, 110), (150, 70)),
            150,
            resampling,
        );
    }
}

#[test]
fn a_source_with_overviews_is_warped_from_the_one_that_gdalwarp_takes() {
    let folder = Folder::new();
    write_turned(&folder, 400);
    folder.tool("gdaladdo -q -r average 31.tif 2 4");
    for resampling in ["near", "bilinear", "average"] {
        let ours = name_here(resampling);
        for options in ["", "--isolate 1"] {
            let job = format!(
                "31.tif -o out.tif --overwrite --crs EPSG:32632 --resolution 40 --resampling {ours} {options}"
            );
            folder.run(&format!("{job} --verify full")).done();
        }
        // An overview's pixel is the mosaic's: no kernel is wider.
        let rules = format!("-t_srs EPSG:32632 -et 0 -r {resampling} -wo XSCALE=1 -wo YSCALE=1");
        folder.tool(&format!(
            "gdalwarp -q -overwrite {rules} {} 31.tif wanted.tif",
            grid_of(&folder, "out.tif")
        ));
        let out = folder.raster("out.tif");
        assert_same_pixels(&out.pixels(1), &folder.raster("wanted.tif").pixels(1), out.width, resampling);
    }
}

#[test]
fn a_strong_reduction_keeps_the_memory_and_gdalwarps_pixels() {
    let folder = Folder::new();
    let lowest = f64::MIN;
    let side = 2400;
    let source = Source::new(side, side)
        .of("Float64")
        .bands(2)
        .crs("EPSG:32631")
        .at(300_000.0, 5_000_000.0)
        .pixel(10.0);
    source
        .fractions(move |band, x, y| {
            if (900..1100).contains(&y) { lowest } else { (random(11, band, x, y) % 30_000) as f64 + 0.5 }
        })
        .nodata(lowest)
        .options("TILED=YES")
        .write(folder.path("31.tif"));
    for resampling in ["near", "average", "lanczos"] {
        let ours = name_here(resampling);
        let job =
            format!("31.tif -o out.tif --overwrite --crs EPSG:32632 --resolution 500 --resampling {ours}");
        folder.run(&format!("{job} --memory 160MiB --report report.json --verify full")).done();
        let report: serde_json::Value = serde_json::from_slice(&folder.read("report.json")).unwrap();
        let peak = report["budget"]["measured_peak"].as_u64().unwrap();
        assert!(peak <= 160 << 20, "{peak} bytes with {resampling}");
        if resampling == "lanczos" {
            // How much wider its kernel is GDAL estimates a little otherwise.
            continue;
        }
        let rules = format!("-t_srs EPSG:32632 -et 0 -r {resampling} -wo UNIFIED_SRC_NODATA=NO");
        folder.tool(&format!(
            "gdalwarp -q -overwrite {rules} {} 31.tif wanted.tif",
            grid_of(&folder, "out.tif")
        ));
        let (out, wanted) = (folder.raster("out.tif"), folder.raster("wanted.tif"));
        for band in [1, 2] {
            assert_same_pixels(&out.pixels(band), &wanted.pixels(band), out.width, resampling);
        }
    }
}

#[test]
fn a_source_upside_down_on_the_grid_keeps_its_values_whatever_the_resampling() {
    let folder = Folder::new();
    let value = |_, x, y| i128::from(random(2, 0, x, y) % 250);
    let source = Source::new(90, 70).crs("EPSG:32631").pixels(value);
    source.geotransform([300_000.0, 10.0, 0.0, 5_000_000.0, 0.0, 10.0]).write(folder.path("south-up.tif"));
    folder.run("south-up.tif -o out.tif --resampling cubicspline --verify full").done();
    let wanted: Vec<f64> = (0..90 * 70).map(|pixel| value(0, pixel % 90, 69 - pixel / 90) as f64).collect();
    assert_same_pixels(&folder.raster("out.tif").pixels(1), &wanted, 90, "south up");
}
