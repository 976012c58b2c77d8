//! From inputs to what may be scenes: products, folders with a file a band, single files, items of STAC.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::BufRead;

use super::band_names::{Choice, Named, Wanted, choose, is_reflectance};
use super::dates::{self, Date};
use super::stac::{self, Item};
use super::{Asked, document, pattern, sentinel2, shelf};
use crate::source::{Problem, inspect, names};

/// What may be a scene, before its bands are looked for.
#[derive(Debug)]
pub struct Candidate {
    /// The scene's name.
    pub name: String,
    /// Where it stands among the inputs.
    pub place: usize,
    /// What it is made of.
    pub content: Content,
}

/// What a scene is made of.
#[derive(Debug)]
pub enum Content {
    /// Files, and the date that a pattern found in their names.
    Files {
        /// The files, at least one.
        files: Vec<Named>,
        /// The date.
        date: Option<Date>,
        /// Whether the scene has its folder for itself, so that documents there are about it.
        owns_folder: bool,
    },
    /// A product of Sentinel-2, by its root.
    Product(String),
    /// An item of STAC.
    Item(Box<Item>),
    /// Nothing that can be used, and why.
    Unusable(Problem),
}

/// All that may be scenes, in the order of the inputs, items of STAC behind them.
pub fn find(
    inputs: &[String],
    asked: &Asked,
    stdin: impl BufRead,
    notices: &mut Vec<String>,
) -> (Vec<Candidate>, Vec<Problem>) {
    let (names, mut problems) = expand(inputs, stdin, notices);
    let mut found = match asked.pattern {
        _ if names.is_empty() => Vec::new(),
        Some(expression) => match pattern::group(expression, names, notices) {
            Ok(candidates) => candidates,
            Err(wrong) => {
                problems.extend(wrong);
                Vec::new()
            }
        },
        None => sort_out(names, asked),
    };
    if let Some(document) = asked.stac {
        match stac::read(document, asked.trust) {
            Ok((items, wrong)) => {
                let behind = |name: String, content| Candidate { name, place: usize::MAX, content };
                let items =
                    items.into_iter().map(|item| behind(item.id.clone(), Content::Item(Box::new(item))));
                let unusable = |problem: Problem| behind(problem.source.clone(), Content::Unusable(problem));
                found.extend(items.chain(wrong.into_iter().map(unusable)));
            }
            Err(error) => problems.push(Problem::new(document, format!("{error:#}"))),
        }
    }
    found.sort_by_key(|candidate| candidate.place);
    notices.extend(names::repeated(found.iter().map(|candidate| candidate.name.as_str())));
    (found, problems)
}

/// The names that inputs stand for, with the archives of products in folders: GDAL knows not all of them.
fn expand(inputs: &[String], stdin: impl BufRead, notices: &mut Vec<String>) -> (Vec<String>, Vec<Problem>) {
    let mut found = names::list(inputs, stdin);
    for input in inputs {
        let archives = archives_in(input);
        if !archives.is_empty() {
            found.problems.retain(|problem| problem.input != *input);
        }
        found
            .names
            .extend(archives.into_iter().filter(|name| !found.names.contains(name)).collect::<Vec<_>>());
    }
    notices.extend(found.notices);
    (
        found.names,
        found.problems.into_iter().map(|problem| Problem::new(problem.input, problem.message)).collect(),
    )
}

fn archives_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.filter_map(|entry| entry.path().to_str().map(str::to_owned));
    let mut archives: Vec<_> = paths.filter(|path| sentinel2::is_archive(path)).collect();
    archives.sort();
    archives
}

/// Tells products from other files, and puts these together folder by folder.
fn sort_out(names: Vec<String>, asked: &Asked) -> Vec<Candidate> {
    let mut products: BTreeMap<String, usize> = BTreeMap::new();
    let mut folders: BTreeMap<String, Vec<(usize, Named)>> = BTreeMap::new();
    let mut found = Vec::new();
    for (place, file) in names.into_iter().enumerate() {
        let named = Named { stem: document::stem(&file).to_owned(), file };
        if sentinel2::is_archive(&named.file) {
            let archive = if named.file.starts_with("/vsizip/") { "" } else { "/vsizip/" };
            products.entry(format!("{archive}{}", named.file)).or_insert(place);
        } else if let Some(root) = sentinel2::root_of(&named.file) {
            products.entry(root.to_owned()).or_insert(place);
        } else if is_inside_a_file(&named.file) {
            found.push(alone(place, named, false));
        } else {
            folders.entry(document::folder(&named.file).to_owned()).or_default().push((place, named));
        }
    }
    for (root, place) in products {
        let name = root.trim_start_matches("/vsizip/").to_owned();
        found.push(Candidate { name, place, content: Content::Product(root) });
    }
    for files in folders.into_values() {
        found.extend(in_folder(files, asked));
    }
    found
}

/// Whether a name leads to a raster within a file, or is no path: such a raster has no neighbours.
fn is_inside_a_file(name: &str) -> bool {
    name.starts_with('<')
        || !name.starts_with("/vsi") && name.contains(':') && !fs::exists(name).unwrap_or(false)
}

fn alone(place: usize, named: Named, owns_folder: bool) -> Candidate {
    let name = named.file.clone();
    Candidate { name, place, content: Content::Files { files: vec![named], date: None, owns_folder } }
}

/// The files of a folder are one scene where the bands asked for have files of their own, or where a file of bands has
/// its masks beside it; else each is one.
fn in_folder(files: Vec<(usize, Named)>, asked: &Asked) -> Vec<Candidate> {
    let place = files[0].0;
    let mut distinct: Vec<Named> = Vec::with_capacity(files.len());
    // A folder's files are sorted, a list's need not be: what is named twice is no second band.
    let mut seen = std::collections::HashSet::new();
    distinct
        .extend(files.iter().filter(|(_, named)| seen.insert(&named.file)).map(|(_, named)| named.clone()));
    let fits = asked.names().any(|name| choose(Wanted::parse(name).stem, &distinct) != Choice::None);
    let together = || are_bands_and_masks(&distinct) || have_bands_of_their_own(&distinct, asked);
    if !fits && (distinct.len() == 1 || !together()) {
        let owns_folder = distinct.len() == 1;
        return files.into_iter().map(|(place, named)| alone(place, named, owns_folder)).collect();
    }
    let name = document::own_folder(&distinct[0].file).to_owned();
    let content = match of_several_dates(&name, &distinct, asked) {
        Some(problem) => Content::Unusable(problem),
        None => Content::Files { files: distinct, date: None, owns_folder: true },
    };
    vec![Candidate { name, place, content }]
}

/// What is wrong with a folder whose files were taken on several days, by their own names: no scene has two. Pictures
/// and the like that nobody asks for may be of any day.
fn of_several_dates(folder: &str, files: &[Named], asked: &Asked) -> Option<Problem> {
    let counts = |named: &Named| {
        let fits = |name| choose(Wanted::parse(name).stem, std::slice::from_ref(named)) != Choice::None;
        is_reflectance(&named.stem) || asked.names().any(fits)
    };
    let date = |named: &Named| {
        dates::in_text(document::file_name(&named.file)).or_else(|| dates::of_year(&named.stem))
    };
    let dates: BTreeSet<Date> = files.iter().filter(|named| counts(named)).filter_map(date).collect();
    let (first, last) = (dates.first()?, dates.last()?);
    let message = || format!("holds files of several dates, {first} to {last}, which are no one scene");
    let hint = r"--scene-pattern puts them together to scenes, such as '(?<date>\d{8})_(?<band>[^_]+)\.tif$'";
    (first != last).then(|| Problem::new(folder, message()).with_hint(hint))
}

/// Whether all files but one are named like the masks of a sensor, such as SCL or QA_PIXEL: no scenes of their own, even
/// where nobody asks for a mask.
fn are_bands_and_masks(files: &[Named]) -> bool {
    let is_mask = |stem: &str| Wanted::parse(stem).is_one_band() && !is_reflectance(stem);
    files.iter().filter(|named| !is_mask(&named.stem)).count() == 1
}

/// Whether files hold one band each, and one that is asked for is described by just one of them. Files are opened
/// only until one shows that it is not so.
fn have_bands_of_their_own(files: &[Named], asked: &Asked) -> bool {
    let mut described = Vec::new();
    for named in files {
        match inspect(&named.file, None, None, asked.trust) {
            Ok((source, _)) if source.bands.len() == 1 => {
                let names: Vec<_> = shelf::described_as(&source.bands[0]).map(str::to_owned).collect();
                if names.is_empty() {
                    return false;
                }
                described.extend(names);
            }
            _ => return false,
        }
    }
    let times =
        |name: &str| described.iter().filter(|description| description.eq_ignore_ascii_case(name)).count();
    asked.names().any(|name| times(name) == 1)
}
