//! GeoTIFFs read without GDAL give what GDAL gives, whatever they look like; what is GDAL's alone is refused by name.

mod common;

use common::{Folder, Source, Tiff, pixel_type_nodata, pixel_types, pixel_value, random};

/// Choices that look random and are the same on every run.
struct Choices {
    seed: u64,
    asked: usize,
}

impl Choices {
    fn number(&mut self, below: usize) -> usize {
        self.asked += 1;
        (random(self.seed, 0, self.asked, 0) % below as u64) as usize
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.number(of.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.number(100) < percent
    }
}

/// Creation options of a source of this type that the direct reader reads.
fn layout(choices: &mut Choices, pixel_type: &str) -> String {
    let sides = [16, 32, 48, 64, 128, 512];
    let mut options = match choices.chance(60) {
        true => format!("TILED=YES BLOCKXSIZE={} BLOCKYSIZE={}", choices.one(&sides), choices.one(&sides)),
        // Rows of a strip: some that leave a lower last one, and all rows in one.
        false => format!("BLOCKYSIZE={}", choices.one(&[1, 3, 8, 17, 50, 1000])),
    };
    let compression = choices.one(&["NONE", "LZW", "DEFLATE", "ZSTD"]);
    let big_endian = choices.chance(15);
    let predictors: &[usize] = match pixel_type.starts_with("Float") {
        _ if big_endian || compression == "NONE" => &[1],
        true => &[1, 2, 3],
        false => &[1, 2],
    };
    options += &format!(" COMPRESS={compression} SPARSE_OK=TRUE");
    if compression != "NONE" {
        options += &format!(" PREDICTOR={}", choices.one(predictors));
    }
    options +=
        &format!(" INTERLEAVE={} BIGTIFF={}", choices.one(&["PIXEL", "BAND"]), choices.one(&["YES", "NO"]));
    options + if big_endian { " ENDIANNESS=BIG" } else { "" }
}

/// Types of sources whose pixels one of them, or a wider one, holds.
fn families() -> Vec<Vec<&'static str>> {
    let mixed = [
        &["Byte", "UInt16", "Float32"][..],
        &["Byte", "Int16", "Int32"],
        &["Int16", "Float32", "Float64"],
        &["UInt16", "UInt32", "Byte"],
    ];
    let mixed = mixed.into_iter().map(<[_]>::to_vec);
    pixel_types().into_iter().map(|one| vec![one]).chain(mixed).collect()
}

/// Sources on one grid, or on coarser ones whose pixels' edges are edges of that one's, with areas that hold nothing; what is asked of their mosaic.
fn write_mixture(folder: &Folder, choices: &mut Choices) -> String {
    let families = families();
    let family = families[choices.number(families.len())].clone();
    let colors = choices.one(&[1, 1, 2, 3, 5]);
    let (seed, with_nodata) = (choices.seed, choices.chance(60));
    let coarser = choices.chance(40);
    let mut names = Vec::new();
    for number in 0..2 + choices.number(3) {
        let pixel_type = choices.one(&family);
        let alpha = choices.chance(25) && !pixel_type.ends_with("nt64");
        let size = (1 + choices.number(150), 1 + choices.number(150));
        let corner = (10.0 * choices.number(120) as f64, -10.0 * choices.number(120) as f64);
        let (nodata, is_whole) = pixel_type_nodata(pixel_type);
        let bands = colors + usize::from(alpha);
        let empty = (choices.number(150), choices.number(150), if with_nodata { nodata } else { 0 });
        let value = move |band, x, y| match (x < empty.0 && y < empty.1, alpha && band == bands) {
            (true, is_alpha) => {
                if is_alpha {
                    0
                } else {
                    empty.2
                }
            }
            (false, true) => i128::from(random(seed, band, x / 9, y / 9) % 2 * 100),
            (false, false) => pixel_value(pixel_type, seed + number as u64, band, x, y),
        };
        let mut shows = vec!["Undefined"; bands];
        shows[0] = "Gray";
        if alpha {
            shows[bands - 1] = "Alpha";
        }
        // Each pixel of a coarser source is several of the mosaic's.
        let times = if coarser && number > 0 { choices.one(&[1, 2, 3, 5, 6]) } else { 1 };
        let size = (size.0.div_ceil(times), size.1.div_ceil(times));
        let source = Source::new(size.0, size.1).crs("EPSG:32631").pixel(10.0 * times as f64);
        let source = source.at(corner.0, corner.1);
        let source = source.of(pixel_type).bands(bands).shows(&shows).pixels(value);
        let source = match (with_nodata, is_whole) {
            (false, _) => source,
            (true, true) => source.whole_nodata(nodata),
            (true, false) => source.nodata(nodata as f64),
        };
        source.options(&layout(choices, pixel_type)).write(folder.path(format!("{number}.tif")));
        names.push(format!("{number}.tif"));
    }
    let mut line = names.join(" ");
    if colors > 1 && choices.chance(40) {
        line += choices.one(&[" --bands 2,1", " --bands 2", " --bands 1"]);
    }
    if coarser {
        line += " --resolution 10";
    }
    if choices.chance(40) {
        line += " --bounds 100,-900,900,-100";
    }
    line += choices.one(&["", " --method first", " --method max", " --method count", " --src-nodata 3"]);
    line += choices.one(&[" --block 64 --chunk 64", " --block 128 --chunk 256", " --co INTERLEAVE=BAND"]);
    line
}

#[test]
fn every_reader_makes_the_same_file_of_any_mixture() {
    let cases = std::env::var("MIXTURES").map_or(40, |cases| cases.parse().unwrap());
    let mut compared = 0;
    for seed in 0..cases {
        let folder = Folder::new();
        let line = write_mixture(&folder, &mut Choices { seed, asked: 0 });
        let run = |reader: &str| {
            let outcome = folder.run(&format!("{line} -o {reader}.tif --reader {reader} --verify full"));
            assert!(matches!(outcome.code, Some(0 | 1)), "seed {seed}, {reader}: {line}\n{}", outcome.stderr);
            outcome
        };
        let outcomes = ["auto", "direct", "vrt"].map(run);
        // Bounds may miss all sources, and types may have no common one: then for every reader.
        if outcomes[2].code == Some(1) {
            assert!(outcomes.iter().all(|outcome| outcome.code == Some(1)), "seed {seed}: {line}");
            continue;
        }
        for (reader, outcome) in ["auto", "direct"].iter().zip(&outcomes) {
            assert_eq!(outcome.code, Some(0), "seed {seed}, {reader}: {line}\n{}", outcome.stderr);
            let same = folder.read(&format!("{reader}.tif")) == folder.read("vrt.tif");
            assert!(same, "seed {seed}: {reader} differs from vrt: {line}");
        }
        compared += 1;
    }
    assert!(compared * 10 >= cases * 8, "only {compared} of {cases} mixtures could be made");
}

/// A source of noise that is on the grid of all others here.
fn noise(width: usize, height: usize) -> Source {
    Source::new(width, height).pixels(|band, x, y| i128::from(random(1, band, x, y) % 250))
}

/// All readers agree on `name`; `direct` only when it may.
#[track_caller]
fn assert_same(folder: &Folder, inputs: &str, readers: &[&str]) {
    folder.run(&format!("{inputs} -o vrt.tif --overwrite --reader vrt")).done();
    for reader in readers {
        folder.run(&format!("{inputs} -o {reader}.tif --overwrite --reader {reader}")).done();
        assert!(folder.read(&format!("{reader}.tif")) == folder.read("vrt.tif"), "{inputs}: {reader}");
    }
}

#[test]
fn what_is_gdals_alone_is_refused_by_name_and_read_by_it() {
    let folder = Folder::new();
    noise(90, 70).write(folder.path("good.tif"));
    let tiles = "TILED=YES BLOCKXSIZE=32 BLOCKYSIZE=32";
    noise(90, 70).internal_mask(|x, _| x > 9).write(folder.path("inside.tif"));
    noise(90, 70).external_mask(|x, _| x > 9).write(folder.path("beside.tif"));
    noise(90, 70).bands(3).options("COMPRESS=JPEG").write(folder.path("jpeg.tif"));
    noise(90, 70).bands(3).options("COMPRESS=JPEG PHOTOMETRIC=YCBCR").write(folder.path("ycbcr.tif"));
    noise(90, 70).bands(4).options("PHOTOMETRIC=CMYK COMPRESS=LZW").write(folder.path("cmyk.tif"));
    noise(90, 70).pixels(|_, x, y| ((x + y) % 16) as i128).options("NBITS=4").write(folder.path("nbits.tif"));
    noise(90, 70).at(0.4, 0.3).write(folder.path("off.tif"));
    noise(90, 70)
        .of("UInt16")
        .options("COMPRESS=LZW PREDICTOR=2 ENDIANNESS=BIG")
        .write(folder.path("big.tif"));
    noise(90, 70).options(tiles).options("COMPRESS=PACKBITS").write(folder.path("packbits.tif"));
    noise(2000, 1200).options("BLOCKYSIZE=1200").write(folder.path("strip.tif"));
    folder.tool("gdalbuildvrt -q virtual.vrt good.tif");
    folder.tool("gdal_translate -q -of PNG good.tif image.png -co WORLDFILE=YES");
    let cases = [
        ("inside.tif", "mask"),
        ("beside.tif", "mask"),
        ("jpeg.tif", "codec"),
        ("ycbcr.tif", "codec"),
        ("cmyk.tif", "cmyk"),
        ("nbits.tif", "whole bytes"),
        ("good.tif off.tif", "off.tif: is not read directly: it is not on the mosaic's grid"),
        ("big.tif", "big-endian"),
        ("packbits.tif", "codec"),
        ("strip.tif", "strip"),
        ("virtual.vrt", "geotiff"),
        ("image.png", "geotiff"),
        ("good.tif --crs EPSG:3857", "grid"),
    ];
    for (inputs, reason) in cases {
        let outcome = folder.run(&format!("{inputs} -o out.tif --reader direct"));
        outcome.ended(1).names(&["is not read directly", reason]);
        assert!(!folder.path("out.tif").exists(), "{inputs}");
        assert_same(&folder, inputs, &["auto"]);
    }
    let path = format!("/vsizip/{}/good.tif", folder.path("all.zip").display());
    let script = "import zipfile; zipfile.ZipFile('all.zip', 'w').write('good.tif')";
    folder.tool_words(&["python3", "-c", script]);
    folder
        .run(&format!("{path} -o out.tif --reader direct"))
        .ended(1)
        .names(&["is not read directly", "machine"]);
    assert_same(&folder, &path, &["auto"]);
}

/// A raster of which only one block is written.
fn mostly_absent() -> Source {
    let options = "TILED=YES BLOCKXSIZE=32 BLOCKYSIZE=16 INTERLEAVE=BAND SPARSE_OK=TRUE COMPRESS=LZW";
    let value =
        |_, x, y| if (32..64).contains(&x) && (16..32).contains(&y) { 100 + (x % 7) as i128 } else { 0 };
    Source::new(100, 80).options(options).pixels(value)
}

#[test]
fn missing_blocks_read_as_gdal_reads_them() {
    let readers = ["auto", "direct"];
    for (pixel_type, nodata) in [
        ("Byte", 300.0),
        ("Byte", -1.0),
        ("Byte", 1.5),
        ("Byte", 2.5),
        ("Byte", f64::NAN),
        ("Int16", -40_000.0),
        ("Int16", -2.5),
        ("Float32", 0.1),
        ("Float32", f64::NAN),
        ("Float32", 1e300),
    ] {
        let folder = Folder::new();
        // GDAL leaves out blocks of zeros where nodata is not yet known.
        mostly_absent().of(pixel_type).write(folder.path("a.tif"));
        folder.tool(&format!("gdal_edit.py -a_nodata {nodata} a.tif"));
        assert_same(&folder, "a.tif", &readers);
        Source::new(20, 20).of("Float64").value(5).at(90.0, -70.0).write(folder.path("b.tif"));
        assert_same(&folder, "a.tif b.tif", &readers);
    }
    let folder = Folder::new();
    mostly_absent().bands(2).shows(&["Gray", "Alpha"]).write(folder.path("alpha.tif"));
    assert_same(&folder, "alpha.tif", &readers);
    folder.tool("gdal_edit.py -a_nodata 9 alpha.tif");
    assert_same(&folder, "alpha.tif", &readers);
}

#[test]
fn an_alpha_of_any_type_hides_what_gdal_hides() {
    let folder = Folder::new();
    let values = [-3.0, 0.2, 0.5, 0.7, 0.0, 1.0, 255.0, 70_000.0, f64::NAN];
    for pixel_type in ["Byte", "Int16", "UInt16", "Int32", "UInt32", "Float32", "Float64"] {
        let value = move |band, x: usize, y| match band {
            1 => (x + y) as f64,
            _ => values[x % values.len()],
        };
        let source = Source::new(40, 30).of(pixel_type).bands(2).shows(&["Gray", "Alpha"]).fractions(value);
        source.write(folder.path("alpha.tif"));
        assert_same(&folder, "alpha.tif", &["auto", "direct"]);
    }
}

/// Its edges lie within a thousandth of a pixel of the grid's, and its pixels are a trace larger: the far edge lies further
/// away.
#[test]
fn a_source_on_the_grid_has_its_own_pixels_and_no_more() {
    let folder = Folder::new();
    let value = |number: usize| move |_, x: usize, y| i128::from(1 + random(number as u64, 1, x, y) % 200);
    for layout in ["TILED=YES BLOCKXSIZE=64 BLOCKYSIZE=64 COMPRESS=LZW", "COMPRESS=LZW"] {
        let source = |number| Source::new(1000, 30).options(layout).pixels(value(number));
        source(0).pixel(1.0).at(1000.0, 100.0).write(folder.path("right.tif"));
        source(1).pixel(1.0).at(0.0, 130.0).write(folder.path("above.tif"));
        let trace = [0.0009, 1.000_000_9, 0.0, 100.0, 0.0, -1.0];
        source(2).geotransform(trace).write(folder.path("wide.tif"));
        for reader in ["auto", "vrt"] {
            let inputs = "right.tif above.tif wide.tif -o out.tif --overwrite --verify full";
            folder.run(&format!("{inputs} --reader {reader}")).done();
            let out = folder.raster("out.tif").pixels(1);
            for (number, left, top) in [(0, 1000, 30), (1, 0, 0), (2, 0, 30)] {
                for (x, y) in (0..1000).flat_map(|x| (0..30).map(move |y| (x, y))) {
                    let wanted = value(number)(1, x, y) as f64;
                    assert_eq!(
                        out[(top + y) * 2000 + left + x],
                        wanted,
                        "{layout} {reader} {number} {x} {y}"
                    );
                }
            }
        }
    }
}

/// Blocks that are left out read as nodata in all bands: as 255 in transparency, too.
#[test]
fn gaps_between_sources_with_nodata_and_alpha_are_transparent_however_the_work_is_cut() {
    let folder = Folder::new();
    for (name, x) in [("a.tif", 0.0), ("b.tif", 900.0)] {
        let value = |band, x, y| if band == 2 { 255 } else { i128::from(random(3, 1, x, y) % 255) };
        let source = Source::new(40, 30).bands(2).shows(&["Gray", "Alpha"]).nodata(255.0).pixel(1.0);
        source.at(x, 0.0).pixels(value).write(folder.path(name));
    }
    let run = "a.tif b.tif -o out.tif --overwrite --block 64 --verify full";
    let mut files = Vec::new();
    for chunk in [64, 256, 1024] {
        folder.run(&format!("{run} --chunk {chunk}")).done();
        let alpha = folder.raster("out.tif").pixels(2);
        assert!((0..30).all(|y| (40..900).all(|x| alpha[y * 940 + x] == 0.0)), "--chunk {chunk}");
        files.push(folder.read("out.tif"));
    }
    assert!(files.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_last_strip_that_is_padded_is_left_to_gdal() {
    for compression in ["NONE", "LZW", "DEFLATE", "ZSTD"] {
        let folder = Folder::new();
        let options = format!("BLOCKYSIZE=16 COMPRESS={compression}");
        noise(60, 64).options(&options).write(folder.path("a.tif"));
        let mut tiff = Tiff::of(folder.read("a.tif"));
        // The fourth strip keeps its 16 rows, of which the raster now has only 5.
        tiff.set(257, 0, 53);
        folder.write("a.tif", &tiff.bytes);
        assert_same(&folder, "a.tif", &["auto"]);
        let outcome = folder.run("a.tif -o no.tif --reader direct").ended(1);
        outcome.names(&["a.tif", "block 3", if compression == "LZW" { "bytes" } else { "block" }]);
        assert!(!folder.path("no.tif").exists());
    }
}

#[test]
fn blocks_are_decoded_about_once_where_memory_allows_it() {
    let layouts = [
        "TILED=YES BLOCKXSIZE=2048 BLOCKYSIZE=2048",
        "TILED=YES BLOCKXSIZE=128 BLOCKYSIZE=128",
        "TILED=YES BLOCKXSIZE=512 BLOCKYSIZE=256 INTERLEAVE=BAND",
        "BLOCKYSIZE=1",
        "BLOCKYSIZE=100",
        "BLOCKYSIZE=5000",
    ];
    let folder = Folder::new();
    for (number, layout) in layouts.iter().enumerate() {
        // A corner that no block of the mosaic begins at.
        let source = noise(2500, 2100).bands(2).at(77.0, -33.0).options(layout).options("COMPRESS=LZW");
        source.write(folder.path(format!("{number}.tif")));
        noise(100, 100).bands(2).write(folder.path("corner.tif"));
        let line =
            format!("corner.tif {number}.tif -o out.tif --overwrite --memory 400MiB --report report.json");
        folder.run(&format!("{line} --chunk 256 --block 256 --reader direct --compress none")).done();
        let report: serde_json::Value = serde_json::from_slice(&folder.read("report.json")).unwrap();
        let decoded = report["blocks"]["decoded_per_needed"].as_f64().unwrap();
        // Workers that are held up now and then let a block go too early; each window's own would make ten of most.
        assert!((0.5..=1.3).contains(&decoded), "{layout}: {decoded} blocks decoded for each one needed");
        let peak = report["budget"]["measured_peak"].as_u64().unwrap();
        assert!(peak <= 400 << 20, "{layout}: {peak} bytes");
    }
}
