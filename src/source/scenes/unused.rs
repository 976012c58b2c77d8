//! Files that lie with those of a scene and that nothing is taken from: they may be meant as well.

use std::path::Path;

use super::band_names::{Choice, Named, Wanted, choose, is_reflectance};
use super::shelf::{Shelf, described_as};
use super::{Asked, Scene, document};
use crate::source::Problem;

/// Formats of pictures, which lie beside scenes to be looked at.
const PICTURES: [&str; 4] = ["jpg", "jpeg", "png", "gif"];

/// The files that are not used and do not look like other bands of the scene. Those whose names say what they are
/// (bands of a sensor, masks, pictures) are not opened.
///
/// # Errors
/// One of them has the name, or a band of the name, that another file was taken for.
pub fn among(files: &[Named], scene: &Scene, asked: &Asked, shelf: &Shelf) -> Result<Vec<String>, Problem> {
    let used = |file: &str| scene.bands.iter().chain(&scene.mask).any(|band| band.file == file);
    let (used, others): (Vec<_>, Vec<_>) = files.iter().partition(|named| used(&named.file));
    if let Some(problem) = asked.names().find_map(|name| namesake(name, (&used, &others), scene)) {
        return Err(problem);
    }
    let mut unused = Vec::new();
    for named in others.into_iter().filter(|named| !says_what_it_is(named)) {
        // What is wrong with a file matters when it is used.
        let source = shelf.open(named).ok();
        let bands = source.as_ref().map_or(&[][..], |source| &source.bands);
        for (band, name) in bands.iter().flat_map(|band| asked.names().map(move |name| (band, name))) {
            if described_as(band).any(|description| description == name) {
                return Err(rivals(name, named, scene));
            }
        }
        if bands.len() > 1 || !used.iter().any(|other| is_named_like(other, named)) {
            unused.push(named.file.clone());
        }
    }
    Ok(unused)
}

/// What should be known of files that are not used.
pub fn notice<'a>(files: impl Iterator<Item = &'a String>) -> Option<String> {
    const MOST: usize = 5;
    let files: Vec<&str> = files.map(String::as_str).collect();
    let more = if files.len() > MOST { ", …" } else { "" };
    let told = files[..files.len().min(MOST)].join(", ");
    let count = files.len();
    (count > 0).then(|| format!("{count} files that lie with those of scenes are not used: {told}{more}"))
}

/// What is wrong where a file was taken that is called as asked, and another's name ends with that: both may be meant,
/// as scenes of their own.
fn namesake(name: &str, (used, others): (&[&Named], &[&Named]), scene: &Scene) -> Option<Problem> {
    let Wanted { stem, band: None, .. } = Wanted::parse(name) else { return None };
    let taken = used.iter().find(|named| named.stem == stem)?;
    let fits = |named: &Named| choose(stem, std::slice::from_ref(named)) != Choice::None;
    let other = others.iter().find(|named| !is_picture(named) && named.stem != stem && fits(named))?;
    let (taken, other) = (document::file_name(&taken.file), document::file_name(&other.file));
    Some(problem(format!("{name} may be {taken} or {other}"), name, scene))
}

fn rivals(name: &str, other: &Named, scene: &Scene) -> Problem {
    let file = document::file_name(&other.file);
    problem(
        format!("{name} is the name of one file, but {file} has a band described as {name} too"),
        name,
        scene,
    )
}

fn problem(message: String, name: &str, scene: &Scene) -> Problem {
    Problem::new(&scene.name, message).with_hint(format!(
        "{name}:1 is the file that is called so; where each file is a scene, say so with \
         --scene-pattern '(?<scene>[^/]+?)(_(?<band>B\\d+))?\\.tif$'"
    ))
}

/// Whether a name is that of a band of a sensor, a mask or a picture.
fn says_what_it_is(named: &Named) -> bool {
    is_picture(named) || Wanted::parse(&named.stem).is_one_band() || !is_reflectance(&named.stem)
}

fn is_picture(named: &Named) -> bool {
    let extension = Path::new(document::file_name(&named.file)).extension().unwrap_or_default();
    PICTURES.iter().any(|picture| extension.eq_ignore_ascii_case(picture))
}

/// Whether two files may be bands of one scene: names start with the same word, or neither has several.
fn is_named_like(one: &Named, other: &Named) -> bool {
    let parts =
        |named: &Named| named.stem.split_once(['_', '-', '.', ' ']).map(|(first, _)| first.to_owned());
    parts(one) == parts(other)
}
