//! What inputs of strangers refer to in ways that GDAL knows and a reader of their text may pass over.

mod common;

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::symlink;

use common::{Folder, Outcome, Source};
use gdal::DriverManager;

/// A folder with `secret.tif` beside the folder `own`, in which `own/a.tif` lies.
fn two_folders() -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.path("own")).unwrap();
    for (value, name) in [(1, "secret.tif"), (2, "own/a.tif")] {
        Source::new(64, 64).value(value).write(folder.path(name));
    }
    folder
}

/// A virtual raster with this simple source.
fn virtual_raster(source: &str) -> String {
    format!(
        "<VRTDataset rasterXSize=\"64\" rasterYSize=\"64\"><GeoTransform>0,1,0,0,0,-1</GeoTransform>\
         <VRTRasterBand dataType=\"Byte\" band=\"1\">{source}</VRTRasterBand></VRTDataset>"
    )
}

/// A simple source of the element that names it, and what else is in it.
fn simple_source(elements: &str) -> String {
    virtual_raster(&format!("<SimpleSource>{elements}<SourceBand>1</SourceBand></SimpleSource>"))
}

/// A Meta Raster Format of one tile with these elements and attributes of its raster.
fn meta_raster(elements: &str, attributes: &str) -> String {
    format!(
        "<MRF_META>{elements}<Raster {attributes}><Size x=\"64\" y=\"64\" c=\"1\"/><PageSize x=\"64\" y=\"64\" c=\"1\"/>\
         <Compression>NONE</Compression></Raster><GeoTags><BoundingBox minx=\"0\" miny=\"-64\" maxx=\"64\" maxy=\"0\"/>\
         </GeoTags></MRF_META>"
    )
}

/// Runs the program on an input, which it must refuse with these words before anything is read or written.
#[track_caller]
fn refused(folder: &Folder, input: &str, words: &[&str]) -> Outcome {
    let before = (folder.names(), fs::read_dir(folder.path("own")).unwrap().count());
    folder.run(&format!("inspect {input}")).ended(1).names(words);
    let outcome = folder.run(&format!("{input} -o out.tif")).ended(1).names(words);
    assert_eq!((folder.names(), fs::read_dir(folder.path("own")).unwrap().count()), before);
    outcome
}

/// Sets an item of a raster's own metadata.
fn set_item(folder: &Folder, name: &str, (domain, item, value): (&str, &str, &str)) {
    let text = |text: &str| CString::new(text).unwrap();
    let path = text(folder.path(name).to_str().unwrap());
    // SAFETY: the texts end with a zero byte and outlive the calls; the dataset is closed once.
    unsafe {
        gdal_sys::GDALAllRegister();
        let dataset = gdal_sys::GDALOpen(path.as_ptr(), gdal_sys::GDALAccess::GA_Update);
        assert!(!dataset.is_null());
        let (item, value, domain) = (text(item), text(value), text(domain));
        gdal_sys::GDALSetMetadataItem(dataset, item.as_ptr(), value.as_ptr(), domain.as_ptr());
        gdal_sys::GDALClose(dataset);
    }
}

const OUTSIDE: [&str; 2] = ["outside of its own folder", "--allow-root"];

#[test]
fn a_name_in_an_attribute_is_a_name() {
    let folder = two_folders();
    let secret = folder.path("secret.tif").to_str().unwrap().to_owned();
    let of = |name: &str| {
        virtual_raster(&format!(
            "<SimpleSource SourceFilename=\"{name}\"><SourceBand>1</SourceBand></SimpleSource>"
        ))
    };
    folder.write("own/attribute.vrt", of(&secret));
    refused(&folder, "own/attribute.vrt", &OUTSIDE);
    folder.write("own/attribute.vrt", of("/vsicurl/http://192.0.2.1/a.tif"));
    refused(&folder, "own/attribute.vrt", &["192.0.2.1", "--allow-remote"]);
    let own = folder.path("own/a.tif");
    folder.write("own/attribute.vrt", of(own.to_str().unwrap()));
    folder.run("own/attribute.vrt -o own.tif").done();
    assert_eq!(folder.raster("own.tif").pixels(1)[0], 2.0);
    let code = "<VRTRasterBand pixelFunctionCode=\"x\"";
    folder.write("own/code.vrt", of("a.tif").replace("<VRTRasterBand", code));
    refused(&folder, "own/code.vrt", &["pixel function's code"]);
}

#[test]
fn a_cache_is_never_written() {
    let folder = two_folders();
    let data = folder.path("data.dat").to_str().unwrap().to_owned();
    let files = format!("DataFile=\"{data}\" IndexFile=\"{data}.idx\"");
    folder.write("own/far.mrf", meta_raster("", &files));
    refused(&folder, "own/far.mrf", &OUTSIDE);
    let cached = "<CachedSource><Source>a.tif</Source></CachedSource>";
    for cached in [cached, "<CachedSource Source=\"own/a.tif\"/>"] {
        folder.write("own/cached.mrf", meta_raster(cached, ""));
        folder.write("own/far.mrf", meta_raster(cached, &files));
        for name in ["own/cached.mrf", "own/far.mrf", "own/cached.mrf:MRF:"] {
            refused(&folder, name, &["cache"]);
        }
    }
    let named = simple_source("<SourceFilename relativeToVRT=\"1\">cached.mrf:MRF:</SourceFilename>");
    folder.write("own/named.vrt", named);
    refused(&folder, "own/named.vrt", &["cached.mrf:MRF:", "--allow-remote"]);
    folder.run("own/named.vrt -o out.tif --allow-remote").ended(1).names(&["cache"]);
}

#[test]
fn a_name_begins_where_gdal_lets_it_begin() {
    let folder = two_folders();
    folder.write("own/secret.tif", folder.read("own/a.tif"));
    let of =
        |relative: &str| simple_source(&format!("<SourceFilename {relative}>secret.tif</SourceFilename>"));
    for relative in ["relativeToVRT=\"yes\"", "relativeToVRT=\"0\"", "relativeToVRT=\"true\"", ""] {
        folder.write("own/relative.vrt", of(relative));
        refused(&folder, "own/relative.vrt", &OUTSIDE);
    }
    folder.write("own/relative.vrt", of("relativeToVRT=\"1\""));
    folder.run("own/relative.vrt -o own.tif").done();
    let nested = simple_source(
        "<SourceFilename relativeToVRT=\"1\">relative.vrt</SourceFilename><OpenOptions><OOI key=\"ROOT_PATH\">..</OOI>\
         </OpenOptions>",
    );
    folder.write("own/nested.vrt", nested);
    refused(&folder, "own/nested.vrt", &["option", "OOI"]);
}

#[test]
fn a_name_that_ends_in_a_space_is_that_name() {
    let folder = two_folders();
    let of =
        |name: &str| simple_source(&format!("<SourceFilename relativeToVRT=\"1\">{name}</SourceFilename>"));
    folder.write("own/inner.vrt ", of("../secret.tif"));
    folder.write("own/outer.vrt", of("inner.vrt "));
    refused(&folder, "own/outer.vrt", &OUTSIDE);
}

#[test]
fn metadata_beside_a_raster_are_read_whatever_their_root_is() {
    let folder = two_folders();
    let item = |start: &str, name: &str| {
        format!(
            "{start}<Metadata domain=\"OVERVIEWS\"><MDI key=\"OVERVIEW_FILE\">{name}</MDI></Metadata></{}>",
            start.trim().trim_start_matches('<')
        )
    };
    let spaces = format!("{}<PAMDataset>", " ".repeat(1100));
    for start in ["<PAMDataset>", "<Any>", &spaces] {
        for name in ["../secret.tif", ":::BASE:::../secret.tif", ":::base:::../secret.tif"] {
            folder.write("own/a.tif.aux.xml", item(start, name));
            refused(&folder, "own/a.tif", &OUTSIDE);
        }
    }
    for harmless in ["", "no XML", "<PAMDataset>", &item("<PAMDataset>", ":::BASE:::a.ovr")] {
        folder.write("own/a.tif.aux.xml", harmless);
        folder.run("own/a.tif -o own.tif --overwrite").done();
    }
}

#[test]
fn files_beside_a_raster_are_followed_whatever_they_are() {
    let folder = two_folders();
    let inner = simple_source("<SourceFilename relativeToVRT=\"1\">../secret.tif</SourceFilename>");
    for name in ["a.tif.MSK", "a.tif.msk", "a.tif.OVR"] {
        folder.write(&format!("own/{name}"), &inner);
        refused(&folder, "own/a.tif", &OUTSIDE);
        fs::remove_file(folder.path(format!("own/{name}"))).unwrap();
    }
    for name in ["a.tif.ovr", "a.tif.msk", "a.tif.aux.xml", "a.aux"] {
        let link = folder.path(format!("own/{name}"));
        symlink("../secret.tif", &link).unwrap();
        refused(&folder, "own/a.tif", &OUTSIDE);
        let root = folder.path("").to_str().unwrap().to_owned();
        folder.run(&format!("inspect own/a.tif --allow-root {root}")).done();
        fs::remove_file(link).unwrap();
    }
    // Beside the file of a file.
    folder.write("own/a.tif.ovr", folder.read("own/a.tif"));
    symlink("../secret.tif", folder.path("own/a.tif.ovr.msk")).unwrap();
    refused(&folder, "own/a.tif", &OUTSIDE);
}

#[test]
fn links_to_rasters_keep_what_lies_beside_them_and_beside_what_they_lead_to() {
    let folder = two_folders();
    fs::create_dir(folder.path("links")).unwrap();
    symlink("../own/a.tif", folder.path("links/a.tif")).unwrap();
    folder.write("own/a.tif.ovr", folder.read("own/a.tif"));
    symlink("../own/a.tif.ovr", folder.path("links/a.tif.ovr")).unwrap();
    folder.write("links/a.tif.aux.xml", "<PAMDataset/>");
    folder.run("links/a.tif -o out.tif").done();
}

#[test]
fn a_raster_s_own_metadata_lead_nowhere_else() {
    let folder = two_folders();
    let secret = folder.path("secret.tif").to_str().unwrap().to_owned();
    for (index, item) in [
        ("OVERVIEWS", "OVERVIEW_FILE", &*secret),
        ("OVERVIEWS", "OVERVIEW_FILE", ":::BASE:::../secret.tif"),
        ("GEOLOCATION", "X_DATASET", &secret),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("own/{index}.tif");
        folder.write(&name, folder.read("own/a.tif"));
        set_item(&folder, &name, item);
        assert!(!folder.path(format!("{name}.aux.xml")).exists());
        refused(&folder, &name, &OUTSIDE);
        // Nor is it known by its likeness to another one.
        let root = folder.path("").to_str().unwrap().to_owned();
        fs::create_dir_all(folder.path("other")).unwrap();
        fs::copy(folder.path(&name), folder.path("other/b.tif")).unwrap();
        folder
            .run(&format!("other/b.tif {name} -o out.tif --allow-root {root}/other"))
            .ended(1)
            .names(&OUTSIDE);
    }
    set_item(&folder, "own/a.tif", ("OVERVIEWS", "OVERVIEW_FILE", ":::BASE:::a.ovr"));
    folder.run("own/a.tif -o own.tif").done();
}

#[test]
fn formats_that_only_gdal_reads_are_asked_for_their_files() {
    if DriverManager::get_driver_by_name("ERS").is_err() {
        eprintln!("this GDAL is built without the format's driver");
        return;
    }
    let folder = two_folders();
    folder.tool("gdal_translate -q -of ERS own/a.tif own/a.ers");
    folder.write("raw.bin", vec![9; 64 * 64]);
    let header = String::from_utf8(folder.read("own/a.ers")).unwrap();
    let of = |name: &str| {
        header.replacen("DatasetHeader Begin", &format!("DatasetHeader Begin\n\tDataFile\t= \"{name}\""), 1)
    };
    folder.write("own/far.ers", of("../raw.bin"));
    refused(&folder, "own/far.ers", &OUTSIDE);
    folder.run(&format!("own/far.ers -o far.tif --allow-root {}", folder.path("").display())).done();
    // What lies where it belongs is no concern.
    fs::create_dir(folder.path("own/deep")).unwrap();
    folder.write("own/deep/raw.bin", vec![9; 64 * 64]);
    folder.write("own/near.ers", of("deep/raw.bin"));
    for format in ["ENVI", "HFA", "PNG"] {
        folder.tool(&format!("gdal_translate -q -co WORLDFILE=YES -of {format} own/a.tif own/a.{format}"));
    }
    for name in ["near.ers", "a.ers", "a.ENVI", "a.HFA", "a.PNG"] {
        folder.run(&format!("own/{name} -o out.tif --overwrite")).done();
    }
    let mut inside = folder.command(&["near.ers", "-o", "../out.tif", "--overwrite"]);
    Outcome::of(inside.current_dir(folder.path("own"))).done();
    folder.run("GTIFF_DIR:1:own/a.tif vrt://own/a.tif?bands=1 -o out.tif --overwrite").done();
}
