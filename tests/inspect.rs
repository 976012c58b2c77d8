//! `mosaic-stream inspect`: how rasters are stored, the cache that their rows need, and the read order that suits them.

mod common;

use std::path::{Path, PathBuf};

use common::{Folder, Source, random};
use serde_json::{Value, json};

/// What `inspect --json` prints of the files in `line`.
fn inspect(folder: &Folder, line: &str) -> Vec<Value> {
    let outcome = folder.run(&format!("inspect --json {line}")).done();
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn noise(width: usize, height: usize) -> Source {
    Source::new(width, height).pixels(|band, x, y| i128::from(random(7, band, x, y) % 100))
}

#[test]
fn a_tiled_geotiff_tells_its_whole_layout() {
    let folder = Folder::new();
    noise(300, 200)
        .of("Int16")
        .bands(2)
        .nodata(-9999.0)
        .described(&["height", "slope"])
        .crs("EPSG:32631")
        .at(600_000.0, 5_700_000.0)
        .pixel(10.0)
        .options("TILED=YES BLOCKXSIZE=128 BLOCKYSIZE=64 COMPRESS=LZW PREDICTOR=2 INTERLEAVE=PIXEL")
        .write(folder.path("a.tif"));
    let found = &inspect(&folder, "a.tif")[0];
    let blocks = json!({
        "kind": "tiles", "columns": 128, "rows": 64, "across": 3, "down": 4, "count": 12, "empty": 0
    });
    assert_eq!(found["blocks"], blocks);
    assert_eq!((&found["columns"], &found["rows"]), (&json!(300), &json!(200)));
    assert_eq!(
        found["bands"][1],
        json!({"type": "Int16", "shows": "Undefined", "description": "slope", "nodata": "-9999"})
    );
    assert!(found["crs"].as_str().unwrap().starts_with("EPSG:32631"), "{}", found["crs"]);
    assert_eq!(found["resolution"], json!([10.0, 10.0]));
    assert_eq!(found["geotransform"][3], 5_700_000.0);
    let wanted = [
        ("driver", json!("GTiff")),
        ("codec", json!("LZW")),
        ("predictor", json!(2)),
        ("interleave", json!("pixel")),
        ("byte_order", json!("little")),
        ("bigtiff", json!(false)),
        ("mask", Value::Null),
        ("alpha", Value::Null),
        ("overviews", json!([])),
        ("direct", json!(true)),
        ("not_direct_because", Value::Null),
        ("read_order", json!("rows_of_blocks")),
        // Three blocks side by side, four bytes a pixel; all four rows of blocks lie in a row of windows.
        ("cache", json!({"pixel_row": 3 * 128 * 64 * 4, "window_row": 4 * 3 * 128 * 64 * 4})),
    ];
    for (key, value) in wanted {
        assert_eq!(found[key], value, "{key}");
    }
    assert_eq!((&found["bytes"]["raw"], &found["bytes"]["block"]), (&json!(240_000), &json!(32_768)));
}

/// GDAL's own numbers of the bytes of each block are the reference.
#[test]
fn stored_bytes_and_the_largest_block_are_those_of_the_block_index() {
    let folder = Folder::new();
    noise(100, 90)
        .options("TILED=YES BLOCKXSIZE=32 BLOCKYSIZE=32 COMPRESS=DEFLATE")
        .write(folder.path("a.tif"));
    let raster = folder.raster("a.tif");
    let size = |x, y| raster.band_metadata(1, &format!("BLOCK_SIZE_{x}_{y}"), "TIFF").unwrap();
    let sizes: Vec<u64> =
        (0..12).map(|index| size(index % 4, index / 4)).map(|size| size.parse().unwrap()).collect();
    let bytes = &inspect(&folder, "a.tif")[0]["bytes"];
    assert_eq!(bytes["stored"], sizes.iter().sum::<u64>());
    assert_eq!(bytes["largest_block"], *sizes.iter().max().unwrap());
    assert_eq!(bytes["file"], folder.read("a.tif").len());
}

#[test]
fn strips_bands_byte_order_and_empty_blocks_are_told() {
    let folder = Folder::new();
    let options = "INTERLEAVE=BAND BLOCKYSIZE=10 ENDIANNESS=BIG BIGTIFF=YES";
    noise(50, 35).of("UInt16").bands(3).options(options).write(folder.path("strips.tif"));
    noise(50, 35).options("BLOCKYSIZE=1").write(folder.path("rows.tif"));
    noise(50, 35).options("TILED=YES").write(folder.path("one.tif"));
    let sparse = "TILED=YES BLOCKXSIZE=16 BLOCKYSIZE=16 SPARSE_OK=YES";
    let corner = |_, x, y| i128::from(x < 16 && y < 16);
    Source::new(64, 32).pixels(corner).options(sparse).write(folder.path("sparse.tif"));
    let found = inspect(&folder, "strips.tif rows.tif one.tif sparse.tif");
    let strips = &found[0];
    let blocks = json!({
        "kind": "strips", "columns": 50, "rows": 10, "across": 1, "down": 4, "count": 12, "empty": 0
    });
    assert_eq!(strips["blocks"], blocks);
    assert_eq!((&strips["interleave"], &strips["byte_order"]), (&json!("band"), &json!("big")));
    assert_eq!((&strips["bigtiff"], &strips["codec"]), (&json!(true), &json!("none")));
    assert_eq!((&strips["bytes"]["block"], &strips["cache"]["pixel_row"]), (&json!(1000), &json!(3000)));
    let orders: Vec<_> = found.iter().map(|raster| raster["read_order"].as_str().unwrap()).collect();
    assert_eq!(orders, ["strips", "rows", "any", "rows_of_blocks"]);
    assert_eq!((&found[3]["blocks"]["count"], &found[3]["blocks"]["empty"]), (&json!(8), &json!(7)));
}

#[test]
fn masks_alpha_and_overviews_are_told_and_why_gdal_reads() {
    let folder = Folder::new();
    let tiles = "TILED=YES BLOCKXSIZE=64 BLOCKYSIZE=64";
    noise(400, 300).options(tiles).internal_mask(|x, _| x > 9).write(folder.path("inside.tif"));
    noise(400, 300).options(tiles).external_mask(|x, _| x > 9).write(folder.path("beside.tif"));
    noise(400, 300).bands(2).shows(&["Gray", "Alpha"]).options("ALPHA=YES").write(folder.path("alpha.tif"));
    noise(400, 300).options("TILED=YES COMPRESS=JPEG").write(folder.path("jpeg.tif"));
    folder.tool("gdaladdo -q jpeg.tif 2 4");
    folder.tool("gdal_translate -q -of PNG alpha.tif other.png");
    let found = inspect(&folder, "inside.tif beside.tif alpha.tif jpeg.tif other.png");
    assert_eq!((&found[0]["mask"], &found[1]["mask"]), (&json!("internal"), &json!("file")));
    assert_eq!((&found[2]["mask"], &found[2]["alpha"]), (&Value::Null, &json!(2)));
    assert_eq!(found[3]["overviews"], json!([[200, 150], [100, 75]]));
    let reason = |index: usize| found[index]["not_direct_because"].as_str().unwrap();
    assert!(reason(0).contains("mask") && reason(1).contains("mask"));
    assert!(reason(3).contains("codec"), "{}", reason(3));
    assert!(reason(4).contains("GeoTIFF"), "{}", reason(4));
    let other = &found[4];
    assert_eq!((&other["driver"], &other["bytes"]["stored"]), (&json!("PNG"), &Value::Null));
}

#[test]
fn people_read_lines_under_each_name() {
    let folder = Folder::new();
    noise(300, 200).options("TILED=YES BLOCKXSIZE=64 BLOCKYSIZE=64").write(folder.path("a.tif"));
    noise(300, 200).options("BLOCKYSIZE=8").nodata(3.0).write(folder.path("b.tif"));
    let told = folder.run("inspect a.tif b.tif").done();
    let texts: Vec<&str> = told.stdout.split("\n\n").collect();
    assert_eq!(texts.len(), 2, "{}", told.stdout);
    assert!(texts[0].starts_with("a.tif\n") && texts[1].starts_with("b.tif\n"), "{}", told.stdout);
    for words in ["300x200, 1 band of Byte", "20 tiles of 64x64, 5 across and 4 down", "by row of blocks"] {
        assert!(texts[0].contains(words), "'{words}' is missing in:\n{}", texts[0]);
    }
    for words in ["nodata      3", "25 strips of 300x8", "strip by strip", "read directly"] {
        assert!(texts[1].contains(words), "'{words}' is missing in:\n{}", texts[1]);
    }
}

#[test]
fn every_problem_is_told_and_the_good_ones_are_shown_all_the_same() {
    let folder = Folder::new();
    noise(300, 200).write(folder.path("good.tif"));
    noise(300, 200).write(folder.path("short.tif"));
    let whole = folder.read("short.tif");
    folder.write("short.tif", &whole[..whole.len() / 2]);
    folder.write("text.tif", "no raster");
    for form in ["", "--json"] {
        let line = format!("inspect {form} missing.tif good.tif short.tif text.tif");
        let told = folder.run(&line).ended(1).prints(&["good.tif", "300"]);
        assert!(!told.stdout.contains("short.tif"), "{}", told.stdout);
        told.names(&["missing.tif: no such file", "short.tif", "cut short", "text.tif"]);
    }
    let none: Value =
        serde_json::from_str(&folder.run("inspect --json missing.tif").ended(1).stdout).unwrap();
    assert_eq!(none, json!([]));
}

#[test]
fn rasters_are_named_as_inputs_are_and_a_file_may_have_the_subcommands_name() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("scenes")).unwrap();
    for name in ["scenes/b.tif", "scenes/a.tif", "inspect"] {
        noise(20, 20).write(folder.path(name));
    }
    folder.write("list.txt", "scenes/b.tif\n# nothing\n./inspect\n");
    let names = |line: &str| -> Vec<String> {
        inspect(&folder, line).iter().map(|raster| raster["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("scenes"), ["scenes/a.tif", "scenes/b.tif"]);
    assert_eq!(names("@list.txt"), ["scenes/b.tif", "./inspect"]);
    folder.run("./inspect scenes/a.tif -o out.tif").done();
    folder.run("inspect").ended(2);
}

#[test]
fn what_is_read_directly_is_what_a_job_reads_directly() {
    let folder = Folder::new();
    noise(100, 100).options("COMPRESS=ZSTD").write(folder.path("plain.tif"));
    noise(100, 100).options("COMPRESS=PACKBITS").write(folder.path("other.tif"));
    for raster in inspect(&folder, "plain.tif other.tif") {
        let name = raster["name"].as_str().unwrap();
        let outcome = folder.run(&format!("{name} -o out.tif --overwrite --reader direct"));
        assert_eq!(outcome.code == Some(0), raster["direct"] == true, "{name}: {}", outcome.stderr);
    }
}

/// The folder of one set of real rasters; none, said aloud, where it is not there.
fn real(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let root = std::env::var_os("MOSAIC_STREAM_DATA").map_or_else(beside, PathBuf::from);
    let folder = root.join(name).canonicalize();
    if folder.is_err() {
        println!("skipped: there is no {}", root.join(name).display());
    }
    folder.ok()
}

#[test]
fn real_rasters_tell_what_gdalinfo_tells() {
    let Some(data) = real("validity-variants") else { return };
    let folder = Folder::new();
    let names = ["cog_int16.tif", "cog_rgb_mask.tif", "nocog.tif", "cog_hirise_mars.tif", "web.tif"];
    let paths: Vec<_> = names.iter().map(|name| data.join(name).to_str().unwrap().to_owned()).collect();
    let found = inspect(&folder, &paths.join(" "));
    assert_eq!(found.len(), names.len());
    for (raster, path) in found.iter().zip(&paths) {
        let info: Value =
            serde_json::from_str(&folder.tool_words(&["gdalinfo", "-json", path]).stdout).unwrap();
        assert_eq!(json!([raster["columns"], raster["rows"]]), info["size"], "{path}");
        let first = &info["bands"][0];
        assert_eq!(raster["bands"][0]["type"], first["type"], "{path}");
        assert_eq!(json!([raster["blocks"]["columns"], raster["blocks"]["rows"]]), first["block"], "{path}");
        let sizes: Vec<_> = first["overviews"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|overview| overview["size"].clone())
            .collect();
        assert_eq!(raster["overviews"], Value::from(sizes), "{path}");
        assert_eq!(raster["codec"], info["metadata"]["IMAGE_STRUCTURE"]["COMPRESSION"], "{path}");
    }
}
