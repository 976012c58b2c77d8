//! The floors of the house: a module imports only from its own floor's folder or from lower floors, GDAL is spoken
//! to on floor 2 alone, and threads are started on floor 3 alone.

use std::fs;
use std::path::{Path, PathBuf};

/// Which floor every module at the top of `src` lives on.
const FLOORS: &[(&str, u8)] = &[
    ("main", 5),
    ("cli", 5),
    ("mosaic", 4),
    ("config", 4),
    ("run", 3),
    ("source", 2),
    ("output", 2),
    ("plan", 1),
    ("geometry", 0),
    ("pixels", 0),
    ("codec", 0),
    ("container", 0),
];

/// Packages that only some modules may use.
const RESERVED: &[(&str, &[&str])] =
    &[("gdal", &["source", "output"]), ("gdal_sys", &["source", "output"]), ("rayon", &["run"])];

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// Every source file with the module at the top of `src` that it belongs to; `lib.rs`, which only lists, is left out.
fn files() -> Vec<(String, PathBuf)> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    let module = |path: &Path| {
        let first = path.strip_prefix(&root).unwrap().components().next().unwrap();
        Path::new(first.as_os_str()).with_extension("").to_str().unwrap().to_owned()
    };
    let all = paths.into_iter().map(|path| (module(&path), path));
    all.filter(|(module, _)| module != "lib").collect()
}

/// The lines of code, without comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The first names of every path that starts with `root::`, those in braces too.
fn imported(code: &str, root: &str) -> Vec<String> {
    let start = format!("{root}::");
    let mut found = Vec::new();
    for (position, _) in code.match_indices(&start) {
        let before = code[..position].chars().next_back();
        if before.is_some_and(|character| character.is_alphanumeric() || "_:".contains(character)) {
            continue;
        }
        let rest = &code[position + start.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_names(group)),
            None => found.extend(first_name(rest)),
        }
    }
    found
}

/// The first names of the paths in `{a::b, c::{d, e}}`, given what follows the opening brace.
fn group_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (0, Vec::new(), 0);
    for (position, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.extend(first_name(group[start..position].trim()));
                start = position + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

/// The name at the start of a text; none for a macro, which is exported at the root wherever it lives.
fn first_name(text: &str) -> Option<String> {
    let end =
        text.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(text.len());
    let is_macro = text[end..].starts_with('!');
    (end > 0 && !is_macro).then(|| text[..end].to_owned())
}

#[test]
fn every_module_has_a_floor() {
    let homeless: Vec<_> = files().into_iter().filter(|(module, _)| floor(module).is_none()).collect();
    assert!(homeless.is_empty(), "give these a floor: {homeless:?}");
    assert!(files().len() > 10, "the sources were not found");
}

#[test]
fn a_lower_floor_never_imports_a_higher_one() {
    let mut faults = Vec::new();
    for (module, path) in files() {
        let Some(own) = floor(&module) else { continue };
        let code = code(&path);
        for name in imported(&code, "crate").into_iter().chain(imported(&code, "mosaic_stream")) {
            // Names that are no module (macros, what `lib.rs` re-exports) have no floor of their own.
            if floor(&name).is_some_and(|other| other > own) {
                faults.push(format!("{} (floor {own}) imports {name}", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn gdal_and_rayon_are_used_only_where_they_live() {
    let mut faults = Vec::new();
    for (module, path) in files() {
        // Unit tests below may ask GDAL for the truth.
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        let code = code(&path);
        let product = code.split("#[cfg(test)]").next().unwrap();
        for (package, homes) in RESERVED {
            let uses = !imported(product, package).is_empty() || product.contains(&format!("use {package};"));
            if uses && !homes.contains(&module.as_str()) {
                faults.push(format!("{} uses {package}, which belongs in {homes:?}", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn imports_are_found_alone_in_groups_and_nested() {
    let code = "use crate::plan::Plan; use crate::{geometry::{Size, Window}, pixels::Buffer}; crate::fit!(x); my_crate::x";
    assert_eq!(imported(code, "crate"), ["plan", "geometry", "pixels"]);
}
