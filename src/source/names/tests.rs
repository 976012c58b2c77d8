//! What inputs stand for.

use super::*;
use std::path::PathBuf;

fn expand_texts(inputs: &[&str], stdin: &str) -> Names {
    let inputs: Vec<_> = inputs.iter().map(|input| input.to_string()).collect();
    expand(&inputs, stdin.as_bytes())
}

fn in_folder(files: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        fs::write(folder.path().join(file), "x").unwrap();
    }
    let path = folder.path().to_owned();
    (folder, path)
}

#[test]
fn names_that_only_gdal_knows_pass_and_addresses_are_turned_into_them() {
    let same =
        ["/vsizip/a.zip/b.tif", "NETCDF:\"a*.nc\":x", "vrt://a.tif?bands=1", "<VRTDataset/>", "missing.tif"];
    assert_eq!(expand_texts(&same, "").names, same);
    let addresses =
        ["https://e.org/a.tif?x=1", "s3://b/k.tif", "gs://b/k.tif", "az://c/k.tif", "file:///d/a.tif"];
    let names = expand_texts(&addresses, "").names;
    let expected = [
        "/vsicurl/https://e.org/a.tif?x=1",
        "/vsis3/b/k.tif",
        "/vsigs/b/k.tif",
        "/vsiaz/c/k.tif",
        "/d/a.tif",
    ];
    assert_eq!(names, expected);
}

#[test]
fn globs_match_in_order_unless_a_file_has_that_very_name() {
    let (_keep, folder) = in_folder(&["b1.tif", "a1.tif", "c[1].tif", ".d1.tif"]);
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let found = expand_texts(&[&at("*1.tif"), &at("c[1].tif")], "");
    assert_eq!(found.names, [at("a1.tif"), at("b1.tif"), at("c[1].tif")]);
    let found = expand_texts(&[&at("z*.tif"), &at("[.tif")], "");
    assert!(found.names.is_empty());
    assert_eq!(found.problems[0].message, "no file matches");
    assert_eq!(found.problems.len(), 2);
}

#[test]
fn a_folder_without_rasters_is_a_problem() {
    let (_keep, folder) = in_folder(&["notes.txt", "a.tif"]);
    let at = folder.to_str().unwrap();
    assert_eq!(expand_texts(&[at], "").names, [format!("{at}/a.tif")]);
    fs::remove_file(folder.join("a.tif")).unwrap();
    assert_eq!(expand_texts(&[at], "").problems[0].message, "there is no raster in this folder");
}

#[test]
fn lists_hold_one_input_a_line() {
    let (_keep, folder) = in_folder(&["a.tif", "b.tif", "empty.txt"]);
    let list = folder.join("list.txt");
    let pattern = folder.join("*.tif");
    fs::write(&list, format!("\u{feff}# scenes\r\nx.tif\r\n\r\n  {}\ns3://b/k\n", pattern.display()))
        .unwrap();
    let input = format!("@{}", list.display());
    let found = expand_texts(&[&input, "-"], "y.tif\n#z.tif\n");
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    assert_eq!(found.names, ["x.tif".into(), at("a.tif"), at("b.tif"), "/vsis3/b/k".into(), "y.tif".into()]);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
}

#[test]
fn lists_that_name_nothing_are_problems() {
    let (_keep, folder) = in_folder(&[]);
    fs::write(folder.join("empty.txt"), "# nothing\n").unwrap();
    fs::write(folder.join("odd.txt"), b"a\xff.tif\n@other.txt\n").unwrap();
    let inputs =
        ["none.txt", "empty.txt", "odd.txt", "."].map(|name| format!("@{}", folder.join(name).display()));
    let found = expand(&inputs, &b""[..]);
    let messages: Vec<_> = found.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages.len(), 5, "{messages:?}");
    assert!(messages[0].starts_with("the list cannot be read"));
    assert_eq!(messages[1], "the list names no input");
    assert!(messages[2].contains("UTF-8") && found.problems[2].input.ends_with("odd.txt, line 1"));
    assert!(messages[3].contains("a list within a list"));
    assert!(messages[4].contains("this is a folder"));
}

#[test]
fn a_raster_named_twice_counts_twice_and_is_told() {
    let found = expand_texts(&["b.tif", "a.tif", "b.tif"], "");
    assert_eq!(found.names, ["b.tif", "a.tif", "b.tif"]);
    assert_eq!(found.notices, ["b.tif is named 2 times; each counts"]);
    assert!(expand_texts(&["b.tif", "a.tif"], "").notices.is_empty());
}
