//! Damaged sources: the job ends with an error and no output, or makes what GDAL makes of them; it never crashes,
//! hangs, or takes more memory than it may.

mod common;

use std::process::Command;

use common::{Field, Folder, Numbers, Outcome, Source, Tiff, random};

/// A small source in one of many layouts.
fn write_source(folder: &Folder, numbers: &mut Numbers) {
    let pixel_type = numbers.one(&["Byte", "UInt16", "Int16", "UInt32", "Float32", "Float64", "Int64"]);
    let shape = numbers.one(&[
        "TILED=YES BLOCKXSIZE=32 BLOCKYSIZE=16",
        "BLOCKYSIZE=7",
        "BLOCKYSIZE=1",
        "BLOCKYSIZE=99",
    ]);
    let codec = numbers.one(&["NONE", "LZW", "LZW PREDICTOR=2", "DEFLATE", "DEFLATE PREDICTOR=2", "ZSTD"]);
    let others =
        numbers.one(&["", "INTERLEAVE=BAND", "BIGTIFF=YES", "BIGTIFF=YES INTERLEAVE=BAND", "ENDIANNESS=BIG"]);
    let (seed, nodata) = (numbers.seed, numbers.below(2) == 0);
    let value = move |band, x, y| {
        if x < 32 && y < 16 { 0 } else { i128::from(random(seed, band, x, y) % 60) }
    };
    let source = Source::new(20 + numbers.below(60), 20 + numbers.below(60)).bands(1 + numbers.below(3));
    let source = source
        .of(pixel_type)
        .pixels(value)
        .options(&format!("{shape} COMPRESS={codec} SPARSE_OK=TRUE {others}"));
    let source = match (nodata, pixel_type) {
        (false, _) => source,
        (true, "Int64") => source.whole_nodata(0),
        (true, _) => source.nodata(0.0),
    };
    source.write(folder.path("bad.tif"));
}

/// Numbers that headers like least.
const ODD: [u64; 16] = [
    0,
    1,
    2,
    3,
    5,
    16,
    255,
    65_535,
    65_536,
    1 << 30,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 40,
    1 << 63,
    u64::MAX,
];
/// Tags that decide how pixels are read.
const TAGS: [u64; 16] = [256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 322, 324, 325, 339];

/// Damages a file in one of many ways; says how.
fn damage(tiff: &mut Tiff, numbers: &mut Numbers) -> String {
    let fields = tiff.fields();
    let field: Field = fields[numbers.below(fields.len())];
    let length = tiff.bytes.len();
    let odd = match numbers.below(3) {
        0 => numbers.below(2 * length) as u64,
        _ => numbers.one(&ODD),
    };
    match numbers.below(8) {
        0 => {
            tiff.set_inside(field, odd);
            format!("tag {} holds {odd}", field.tag)
        }
        1 => {
            let (at, width) = tiff.value(field, 0);
            if at + width <= length {
                tiff.set_number(at, width, odd);
            }
            format!("the first value of tag {} is {odd}", field.tag)
        }
        2 => {
            tiff.set_count(field, odd);
            format!("tag {} has {odd} values", field.tag)
        }
        3 => {
            let kind = numbers.below(20) as u64;
            tiff.set_kind(field, kind);
            format!("tag {} is of type {kind}", field.tag)
        }
        4 => {
            let tag = numbers.one(&TAGS);
            tiff.set_number(field.start, 2, tag);
            format!("tag {} calls itself {tag}", field.tag)
        }
        5 => {
            let at = numbers.below(16);
            tiff.bytes[at] ^= 1 << numbers.below(8);
            format!("a bit of byte {at} is turned")
        }
        6 => {
            let at = numbers.below(length);
            tiff.bytes[at] = numbers.below(256) as u8;
            format!("byte {at} is another")
        }
        _ => {
            tiff.bytes.truncate(20 + numbers.below(length));
            "it is cut short".into()
        }
    }
}

/// Runs a job with half a gigabyte of memory beyond what the program maps, and a minute of time.
fn run(folder: &Folder, reader: &str) -> Outcome {
    let program = env!("CARGO_BIN_EXE_mosaic-stream");
    let job = format!(
        "bad.tif good.tif -o {reader}.tif --reader {reader} --method first --verify none --overwrite"
    );
    let limits = "ulimit -c 0; ulimit -v 3000000; exec timeout 60";
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{limits} {program} {job} --memory 256MiB --threads 2 --compress none")]);
    folder.isolate(&mut command);
    Outcome::of(&mut command)
}

/// Whether GDAL's pixels differ from run to run: for a DEFLATE block that holds more than it is asked for, libtiff may
/// hand out memory that nobody has filled, without an error.
fn gdal_makes_them_up(folder: &Folder) -> bool {
    let before = folder.read("vrt.tif");
    (0..5).any(|_| run(folder, "vrt").code != Some(0) || folder.read("vrt.tif") != before)
}

/// The job of a damaged source ends as it may.
#[track_caller]
fn assert_contained(folder: &Folder, what: &str) {
    let _ = std::fs::remove_file(folder.path("vrt.tif"));
    let through_gdal = run(folder, "vrt");
    for reader in ["auto", "direct"] {
        let output = format!("{reader}.tif");
        let _ = std::fs::remove_file(folder.path(&output));
        let outcome = run(folder, reader);
        let told = format!("{what}, {reader}: {:?}\n{}", outcome.code, outcome.stderr);
        assert!(!outcome.stderr.contains("panicked"), "{told}");
        match outcome.code {
            Some(0) => {
                assert_eq!(through_gdal.code, Some(0), "GDAL cannot read it: {told}");
                let same = folder.read(&output) == folder.read("vrt.tif");
                assert!(same || gdal_makes_them_up(folder), "other pixels than GDAL's: {told}");
            }
            Some(1) => assert!(!folder.path(&output).exists(), "an output is left: {told}"),
            _ => panic!("{told}"),
        }
    }
}

/// The good source beside the bad one, of as many bands and the same type.
fn write_good(folder: &Folder) {
    let bad = folder.raster("bad.tif");
    let source = Source::new(30, 30).at(25.0, -5.0).bands(bad.bands).of(&bad.pixel_type(1)).value(33);
    source.write(folder.path("good.tif"));
}

#[test]
fn a_damaged_source_gives_an_error_or_gdals_pixels() {
    let cases = std::env::var("DAMAGES").map_or(150, |cases| cases.parse().unwrap());
    let damage_sources = |seeds: &mut dyn Iterator<Item = u64>| {
        for seed in seeds {
            let folder = Folder::new();
            let mut numbers = Numbers::new(seed, 1);
            write_source(&folder, &mut numbers);
            write_good(&folder);
            let mut tiff = Tiff::of(folder.read("bad.tif"));
            let what = damage(&mut tiff, &mut numbers);
            folder.write("bad.tif", &tiff.bytes);
            assert_contained(&folder, &format!("seed {seed}: {what}"));
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| damage_sources(&mut (1..cases).step_by(2)));
        damage_sources(&mut (0..cases).step_by(2));
    });
}

#[test]
fn headers_that_claim_too_much_are_refused_without_taking_memory() {
    let tiles = "TILED=YES BLOCKXSIZE=32 BLOCKYSIZE=32 COMPRESS=LZW";
    let claims: [(&str, &[(u64, u64)]); 9] = [
        (tiles, &[(256, (1 << 31) - 1), (257, (1 << 31) - 1)]),
        (tiles, &[(256, 1 << 31), (257, 1 << 31)]),
        (tiles, &[(322, 1 << 30), (323, 1 << 30)]),
        (tiles, &[(322, 1 << 15), (323, 1 << 15)]),
        (tiles, &[(322, (1 << 32) - 16), (323, 16)]),
        ("BLOCKYSIZE=99", &[(256, 1 << 30), (257, 1 << 30)]),
        ("BLOCKYSIZE=99 COMPRESS=ZSTD", &[(257, (1 << 31) - 1), (278, (1 << 32) - 1)]),
        (tiles, &[(277, 65_535)]),
        ("COMPRESS=DEFLATE BLOCKYSIZE=10", &[(278, 0)]),
    ];
    for (options, changes) in claims {
        let folder = Folder::new();
        // Sides of tiles and rasters are written as longer numbers where they are to become larger ones.
        Source::new(70, 60).options(options).write(folder.path("bad.tif"));
        write_good(&folder);
        let mut tiff = Tiff::of(folder.read("bad.tif"));
        for &(tag, value) in changes {
            let field = tiff.field(tag);
            if value > 65_535 {
                tiff.set_kind(field, 4);
                tiff.set_inside(field, value);
            } else {
                tiff.set(tag, 0, value);
            }
        }
        folder.write("bad.tif", &tiff.bytes);
        assert_contained(&folder, &format!("{options} {changes:?}"));
    }
}

#[test]
fn blocks_that_have_a_place_and_no_bytes_are_what_gdal_makes_of_them() {
    for (options, index) in [
        ("BLOCKYSIZE=150 COMPRESS=DEFLATE", 0),
        ("BLOCKYSIZE=150 COMPRESS=ZSTD BIGTIFF=YES", 0),
        ("BLOCKYSIZE=10 COMPRESS=LZW", 3),
        ("TILED=YES BLOCKXSIZE=32 BLOCKYSIZE=32 COMPRESS=DEFLATE", 2),
    ] {
        let folder = Folder::new();
        let noise = |band, x, y| i128::from(random(5, band, x, y) % 256);
        Source::new(140, 140).options(options).pixels(noise).write(folder.path("bad.tif"));
        write_good(&folder);
        let mut tiff = Tiff::of(folder.read("bad.tif"));
        tiff.set(if options.starts_with("TILED") { 325 } else { 279 }, index, 0);
        folder.write("bad.tif", &tiff.bytes);
        assert_contained(&folder, options);
    }
}

#[test]
fn blocks_that_claim_too_much_are_refused_without_taking_memory() {
    for big in ["NO", "YES"] {
        for (tag, value) in
            [(325, (1_u64 << 32) - 1), (325, 1 << 62), (324, 1 << 31), (324, u64::MAX), (324, 8), (325, 1)]
        {
            let folder = Folder::new();
            let options = format!("TILED=YES BLOCKXSIZE=32 BLOCKYSIZE=32 COMPRESS=DEFLATE BIGTIFF={big}");
            let noise = |band, x, y| i128::from(random(3, band, x, y) % 256);
            Source::new(150, 140).options(&options).pixels(noise).write(folder.path("bad.tif"));
            write_good(&folder);
            let mut tiff = Tiff::of(folder.read("bad.tif"));
            tiff.set(tag, 3, value);
            folder.write("bad.tif", &tiff.bytes);
            assert_contained(&folder, &format!("BIGTIFF={big}: block 3 has {value} in tag {tag}"));
        }
    }
}
