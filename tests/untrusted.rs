//! Inputs of strangers: what they refer to is checked, and what they claim fills neither memory nor time.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Folder, Outcome, Source};

/// Memory that a refusal may take at most: the program with GDAL takes 50 MiB, what it is told to read far more.
const MOST_MEMORY: usize = 400 << 20;

/// A folder with `secret.tif` beside the folder `own`, in which `own/a.tif` lies.
fn two_folders() -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.path("own")).unwrap();
    for (seed, name) in [(1, "secret.tif"), (2, "own/a.tif")] {
        let value = move |band, x, y| i128::from(common::random(seed, band, x, y) % 256);
        Source::new(64, 64).pixels(value).write(folder.path(name));
    }
    folder
}

/// A virtual raster of one band with `elements` in it.
fn virtual_raster(side: u64, elements: &str) -> String {
    format!(
        "<VRTDataset rasterXSize=\"{side}\" rasterYSize=\"{side}\"><GeoTransform>0,1,0,0,0,-1</GeoTransform>\
         <VRTRasterBand dataType=\"Byte\" band=\"1\">{elements}</VRTRasterBand></VRTDataset>"
    )
}

/// A virtual raster of the whole file `name`, relative to itself.
fn of_file(name: &str) -> String {
    let source = format!("<SourceFilename relativeToVRT=\"1\">{name}</SourceFilename>");
    virtual_raster(64, &format!("<SimpleSource>{source}<SourceBand>1</SourceBand></SimpleSource>"))
}

/// A list of one STAC item with an asset `red`.
fn items(href: &str) -> String {
    let item = format!(
        r#"{{"type": "Feature", "id": "i", "properties": {{}}, "assets": {{"red": {{"href": "{href}"}}}}}}"#
    );
    format!(r#"{{"type": "FeatureCollection", "features": [{item}]}}"#)
}

/// Runs the program with [`MOST_MEMORY`], which must refuse what it was given.
#[track_caller]
fn refused_cheaply(folder: &Folder, line: &str) -> Outcome {
    let outcome = cheaply(folder, line).refused();
    assert!(!folder.path("out.tif").exists(), "{line}");
    outcome
}

/// Runs the program in a shell that lets it have no more than [`MOST_MEMORY`]: beyond that allocating fails, which ends
/// it. (What the system counts as a child's peak begins with that of this process.)
fn cheaply(folder: &Folder, line: &str) -> Outcome {
    let mut shell = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_mosaic-stream");
    shell.args(["-c", &format!("ulimit -d {}; exec {program} {line}", MOST_MEMORY >> 10)]);
    folder.isolate(&mut shell);
    Outcome::of(&mut shell)
}

/// Makes an archive of one file with Info-ZIP's layout (APPNOTE.TXT), compressed.
fn zip(path: &Path, name: &str, content: &[u8]) {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::new(6).unwrap());
    let mut data = vec![0; compressor.deflate_compress_bound(content.len())];
    let length = compressor.deflate_compress(content, &mut data).unwrap();
    data.truncate(length);
    let crc = libdeflater::crc32(content);
    let mut common = Vec::new();
    for number in [20_u16, 0, 8, 0, 0] {
        common.extend(number.to_le_bytes());
    }
    for number in [crc, length as u32, content.len() as u32] {
        common.extend(number.to_le_bytes());
    }
    common.extend((name.len() as u16).to_le_bytes());
    common.extend(0_u16.to_le_bytes());
    let mut file = [&b"PK\x03\x04"[..], &common, name.as_bytes(), &data].concat();
    let central = file.len();
    file.extend([&b"PK\x01\x02\x14\0"[..], &common, &[0; 14], name.as_bytes()].concat());
    let size = file.len() - central;
    file.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    for number in [size as u32, central as u32] {
        file.extend(number.to_le_bytes());
    }
    file.extend([0; 2]);
    fs::write(path, file).unwrap();
}

#[test]
fn a_virtual_raster_may_refer_to_what_lies_in_its_own_folder() {
    let folder = two_folders();
    folder.run("own/a.tif -o wanted.tif").done();
    let own = folder.path("own/a.tif");
    fs::create_dir(folder.path("own/deep")).unwrap();
    folder.write("own/absolute.vrt", of_file(own.to_str().unwrap()).replace("relativeToVRT=\"1\"", ""));
    folder.write("own/relative.vrt", of_file("deep/../a.tif"));
    folder.write("own/nested.vrt", of_file("relative.vrt"));
    folder.tool("gdalbuildvrt -q own/built.vrt own/a.tif");
    for name in ["absolute", "relative", "nested", "built"] {
        folder.run(&format!("own/{name}.vrt -o {name}.tif")).done();
        assert_eq!(
            folder.raster(&format!("{name}.tif")).pixels(1),
            folder.raster("wanted.tif").pixels(1),
            "{name}"
        );
    }
}

#[test]
fn a_virtual_raster_that_leads_out_of_its_folder_needs_the_root_allowed() {
    let folder = two_folders();
    let secret = folder.path("secret.tif");
    std::os::unix::fs::symlink(&secret, folder.path("own/link.tif")).unwrap();
    folder.write("own/absolute.vrt", of_file(secret.to_str().unwrap()));
    folder.write("own/above.vrt", of_file("../secret.tif"));
    folder.write("own/linked.vrt", of_file("link.tif"));
    folder.write("own/nested.vrt", of_file("above.vrt"));
    folder.write("own/cased.vrt", of_file("../secret.tif").replace("SourceFilename", "sourcefilename"));
    folder.write("own/hidden.txt", format!("no raster, or is it? {}", of_file("../secret.tif")));
    folder.write("own/b.tif", folder.read("own/a.tif"));
    folder.write("own/b.tif.ovr", of_file("../secret.tif"));
    folder.run("secret.tif -o wanted.tif").done();
    for name in ["absolute.vrt", "above.vrt", "linked.vrt", "nested.vrt", "cased.vrt", "hidden.txt", "b.tif"]
    {
        let line = format!("own/{name} -o out.tif");
        folder.run(&line).ended(1).names(&["outside of its own folder", "--allow-root"]);
        folder.run(&format!("inspect own/{name}")).ended(1).names(&["outside of its own folder"]);
        let root = folder.path("").to_str().unwrap().to_owned();
        folder.run(&format!("{line} --overwrite --allow-root {root}")).done();
        if name != "b.tif" {
            assert_eq!(folder.raster("out.tif").pixels(1), folder.raster("wanted.tif").pixels(1), "{name}");
        }
        folder.run(&format!("inspect own/{name} --allow-root {root}")).done();
    }
}

#[test]
fn what_the_user_names_himself_is_free() {
    let folder = two_folders();
    let written = of_file(folder.path("secret.tif").to_str().unwrap());
    folder.run_words(&[&written, "-o", "out.tif"]).done();
    zip(&folder.path("a.zip"), "a.tif", &folder.read("secret.tif"));
    folder.run("/vsizip/a.zip/a.tif -o archive.tif").done();
    // But not what a named file refers to in turn.
    folder.write("own/above.vrt", of_file("../secret.tif"));
    let nested = of_file("own/above.vrt");
    folder
        .run_words(&[&nested, "-o", "no.tif"])
        .ended(1)
        .names(&["own/above.vrt", "outside of its own folder"]);
    folder.run("vrt://own/above.vrt?bands=1 -o no.tif").ended(1).names(&["outside of its own folder"]);
}

#[test]
fn names_of_the_network_and_of_gdal_need_to_be_allowed() {
    let folder = two_folders();
    zip(&folder.path("own/a.zip"), "a.tif", &folder.read("secret.tif"));
    let archive = format!("/vsizip/{}/a.tif", folder.path("own/a.zip").display());
    folder.write("own/archive.vrt", of_file(&archive));
    let line = "own/archive.vrt -o out.tif";
    folder.run(line).ended(1).names(&["own/archive.vrt", &archive, "--allow-remote"]);
    folder.run(&format!("{line} --allow-root /")).ended(1);
    folder.run(&format!("{line} --allow-remote")).done();
    for name in [
        "/vsicurl/http://192.0.2.1/a.tif",
        "http://192.0.2.1/a.tif",
        "vrt://../secret.tif",
        "PG:host=192.0.2.1",
    ] {
        folder.write("own/remote.vrt", of_file(name));
        folder.run("own/remote.vrt -o no.tif").ended(1).names(&[name, "--allow-remote"]);
    }
    // Known by GDAL's drivers themselves.
    let template = format!("{}/secret.tif", folder.path("").display());
    for service in [
        "<GDAL_WMS><Service name=\"TMS\"><ServerUrl>http://192.0.2.1</ServerUrl></Service></GDAL_WMS>".into(),
        "<gdal_wms><Service name=\"TMS\"><ServerUrl>file:///etc</ServerUrl></Service></gdal_wms>".into(),
        "<TileMap version=\"1.0.0\"><TileSets><TileSet href=\"http://192.0.2.1\"/></TileSets></TileMap>"
            .into(),
        format!(
            "{{\"stac_extensions\": [\"tiled-assets\"], \"properties\": {{\"tiles:tile_matrix_sets\": {{}}}}, \
             \"asset_templates\": {{\"a\": {{\"href\": \"{template}\"}}}}}}"
        ),
    ] {
        let name = if service.starts_with('{') { "service.json" } else { "service.tif" };
        folder.write(&format!("own/{name}"), &service);
        folder.write("own/of_service.vrt", of_file(name));
        for name in [name, "of_service.vrt"] {
            folder.run(&format!("own/{name} -o no.tif")).ended(1).names(&["anywhere", "--allow-remote"]);
        }
    }
}

#[test]
fn assets_lie_in_the_folder_of_their_document_unless_more_is_allowed() {
    let folder = two_folders();
    let secret = folder.path("secret.tif").to_str().unwrap().to_owned();
    folder.write("own/items.json", items("./a.tif"));
    folder.run("--stac own/items.json --bands red -o own.tif").done();
    for href in [secret.clone(), "../secret.tif".into(), format!("file://{secret}")] {
        folder.write("own/items.json", items(&href));
        let line = "--stac own/items.json --bands red -o out.tif --overwrite";
        folder.run(line).ended(1).names(&["own/items.json", "secret.tif", "--allow-root"]);
        folder.run(&format!("{line} --allow-root {}", folder.path("").display())).done();
    }
    // The last one is a name like the others, no list that is read.
    fs::create_dir(folder.path("x:")).unwrap();
    folder.write("x:/y", "own/a.tif");
    for href in ["https://192.0.2.1/a.tif", "/vsizip/a.zip/a.tif", "@x://y", "@x://none"] {
        folder.write("own/items.json", items(href));
        let refused = folder.run("--stac own/items.json --bands red -o no.tif").ended(1);
        refused.names(&["own/items.json", href.trim_start_matches("https:"), "--allow-remote"]);
    }
}

#[test]
fn the_flags_are_settings_like_the_others() {
    let folder = two_folders();
    folder.write("own/above.vrt", of_file("../secret.tif"));
    let root = folder.path("").to_str().unwrap().to_owned();
    let mut command = folder.command(&["own/above.vrt", "-o", "out.tif", "--dry-run", "-v"]);
    let told = Outcome::of(command.env("MOSAIC_STREAM_ALLOW_ROOT", &root)).done();
    told.prints(&["allow-root", "allow-remote"]);
    folder.write("mosaic-stream.toml", format!("allow_root = [\"{root}\"]\nallow_remote = true\n"));
    folder.run("own/above.vrt -o out.tif").done();
}

#[test]
fn code_in_a_virtual_raster_is_never_run() {
    let folder = two_folders();
    let function = "<PixelFunctionType>f</PixelFunctionType><PixelFunctionLanguage>Python</PixelFunctionLanguage>\
        <PixelFunctionCode><![CDATA[open('ran', 'w')]]></PixelFunctionCode>";
    let text = of_file("a.tif").replace("<SimpleSource>", &format!("{function}<SimpleSource>"));
    folder.write(
        "own/code.vrt",
        text.replace("<VRTRasterBand", "<VRTRasterBand subClass=\"VRTDerivedRasterBand\""),
    );
    let mut command =
        folder.command(&["own/code.vrt", "-o", "out.tif", "--allow-remote", "--allow-root", "/"]);
    let outcome = Outcome::of(command.env("GDAL_VRT_ENABLE_PYTHON", "YES")).ended(1);
    outcome.names(&["own/code.vrt", "pixel function"]);
    assert!(!folder.path("ran").exists() && !folder.path("out.tif").exists());
}

#[test]
fn entities_that_multiply_stay_names() {
    let folder = two_folders();
    let mut bomb = String::from("<!DOCTYPE a [<!ENTITY e0 \"lol\">");
    (1..30).for_each(|n| bomb += &format!("<!ENTITY e{n} \"{}\">", format!("&e{};", n - 1).repeat(10)));
    bomb += "]>";
    let vrt = virtual_raster(64, "<SimpleSource><SourceFilename>&e29;</SourceFilename></SimpleSource>");
    folder.write("own/bomb.vrt", format!("<VRTDataset/>{bomb}{vrt}"));
    refused_cheaply(&folder, "own/bomb.vrt -o out.tif");
    folder.write("own/bomb.vrt", virtual_raster(64, &("<a>".repeat(9000) + &"</a>".repeat(9000))));
    refused_cheaply(&folder, "own/bomb.vrt -o out.tif").names(&["own/bomb.vrt", "deep"]);
    folder.write("own/bomb.vrt", virtual_raster(64, &"<a/>".repeat(5_000_000)));
    refused_cheaply(&folder, "own/bomb.vrt -o out.tif").names(&["own/bomb.vrt", "elements"]);
    let product = "S2A_MSIL2A_20240602T112121_N0510_R037_T30UVB_20240602T150000.SAFE";
    let images = format!("{product}/GRANULE/L2A/IMG_DATA");
    fs::create_dir_all(folder.path(&images)).unwrap();
    folder.write(&format!("{images}/T30UVB_20240602T112121_B04_10m.tif"), folder.read("own/a.tif"));
    for document in [format!("{bomb}<a>&e29;</a>"), format!("<a>{}</a>", "<a/>".repeat(3_000_000))] {
        folder.write(&format!("{product}/MTD_MSIL2A.xml"), document);
        refused_cheaply(&folder, &format!("{product} --bands B04 -o out.tif"))
            .names(&["MTD_MSIL2A.xml", "XML"]);
    }
}

#[test]
fn a_document_nested_without_end_is_refused() {
    let folder = two_folders();
    for open in ["[", "{\"a\":"] {
        folder.write("own/items.json", open.repeat(2_000_000));
        refused_cheaply(&folder, "--stac own/items.json --bands red -o out.tif")
            .names(&["own/items.json", "JSON"]);
    }
}

#[test]
fn a_header_that_claims_a_tebipixel_is_refused() {
    let folder = two_folders();
    let side = 1 << 20;
    folder.write("own/claims.vrt", of_file("a.tif").replace("=\"64\"", &format!("=\"{side}\"")));
    let mut claims = common::Tiff::of(folder.read("own/a.tif"));
    for tag in [256, 257, 278] {
        // Wide enough for the number: a field of 16 bits becomes one of 32.
        let field = claims.field(tag);
        claims.set_kind(field, 4);
        claims.set_inside(field, side);
    }
    folder.write("own/claims.tif", &claims.bytes);
    for name in ["own/claims.vrt", "own/claims.tif"] {
        refused_cheaply(&folder, &format!("{name} -o out.tif --memory 2GiB")).names(&[
            name,
            "1048576x1048576",
            "--bounds",
        ]);
    }
    // Whoever wants a part of it says so, and whoever skips problems goes on with the others.
    folder.run("own/claims.vrt --bounds 0,-64,64,0 -o part.tif").done();
    folder.run("own/a.tif own/claims.vrt --on-error skip -o others.tif").done().names(&["own/claims.vrt"]);
    assert_eq!(folder.raster("others.tif").size(), (64, 64));
}

#[test]
fn a_small_archive_with_a_giant_in_it_takes_no_memory() {
    let folder = two_folders();
    let giant = vec![0; 160 << 20];
    let product = "S2A_MSIL2A_20240602T112121_N0510_R037_T30UVB_20240602T150000.SAFE";
    zip(&folder.path(format!("{product}.zip")), &format!("{product}/MTD_MSIL2A.xml"), &giant);
    assert!(folder.read(&format!("{product}.zip")).len() < 1 << 20);
    refused_cheaply(&folder, &format!("{product}.zip --bands B04 -o out.tif"));
    zip(&folder.path("items.zip"), "items.json", &giant);
    refused_cheaply(&folder, "--stac /vsizip/items.zip/items.json --bands red -o out.tif")
        .names(&["128 MiB"]);
    // A raster of one strip of zeros, of which GDAL reads parts, with more behind it.
    let mut claims = common::Tiff::of(folder.read("own/a.tif"));
    let (columns, rows, at) = (1 << 14, 2 << 10, claims.bytes.len() as u64);
    for (tag, value) in [(256, columns), (257, rows), (278, rows), (273, at), (279, columns * rows)] {
        let field = claims.field(tag);
        claims.set_kind(field, 4);
        claims.set_count(field, 1);
        claims.set_inside(field, value);
    }
    zip(&folder.path("a.zip"), "a.tif", &[&claims.bytes[..], &giant].concat());
    cheaply(&folder, "/vsizip/a.zip/a.tif -o out.tif --memory 128MiB --report report.json").done();
    let report: serde_json::Value = serde_json::from_slice(&folder.read("report.json")).unwrap();
    assert!(report["budget"]["measured_peak"].as_u64().unwrap() <= 128 << 20, "{}", report["budget"]);
}
