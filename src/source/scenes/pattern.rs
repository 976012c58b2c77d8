//! Files put together to scenes by a regular expression over their names.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::band_names::Named;
use super::beside;
pub use super::candidates::{Candidate, Content};
use super::dates::{self, Date};
use super::document;
use crate::source::Problem;

const EXAMPLE: &str = r"such as '(?<scene>.*)_(?<band>[^_]+)\.tif$'";

/// Groups files into scenes: the same `scene` and the same `date` make one, `band` names its files.
///
/// # Errors
/// The expression is none, lacks both groups that make scenes, or a group named `date` holds none.
pub fn group(
    pattern: &str,
    names: Vec<String>,
    notices: &mut Vec<String>,
) -> Result<Vec<Candidate>, Vec<Problem>> {
    let wrong = |message: String| vec![Problem::new("--scene-pattern", message).with_hint(EXAMPLE)];
    let pattern = Regex::new(pattern).map_err(|error| wrong(error.to_string()))?;
    let has = |group: &str| pattern.capture_names().flatten().any(|name| name == group);
    if !has("scene") && !has("date") {
        return Err(wrong("has no group named 'scene' or 'date', so it makes no scenes".into()));
    }
    let mut scenes: Vec<Candidate> = Vec::new();
    let mut known: BTreeMap<(String, Option<Date>), usize> = BTreeMap::new();
    let (mut others, mut problems) = (Vec::new(), Vec::new());
    for (place, file) in names.into_iter().enumerate() {
        let Some(found) = pattern.captures(&file) else {
            others.push(file);
            continue;
        };
        let group = |name: &str| found.name(name).map(|group| group.as_str());
        let (scene, band, written) = (group("scene").unwrap_or_default(), group("band"), group("date"));
        let date = written.and_then(|text| dates::in_text(text).or_else(|| dates::of_year(text)));
        if let (Some(written), None) = (written, date) {
            problems.push(Problem::new(
                &file,
                format!("--scene-pattern takes '{written}' for its date, which is none"),
            ));
            continue;
        }
        let named =
            Named { stem: band.unwrap_or_else(|| document::stem(&file)).to_owned(), file: file.clone() };
        let index = *known.entry((scene.to_owned(), date)).or_insert_with(|| {
            let parts = [(!scene.is_empty()).then(|| scene.to_owned()), date.map(|date| date.to_string())];
            let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
            scenes.push(Candidate {
                name,
                place,
                content: Content::Files { files: Vec::new(), date, owns_folder: false },
            });
            scenes.len() - 1
        });
        if let Content::Files { files, .. } = &mut scenes[index].content {
            // A file that is named twice is no second band.
            if !files.contains(&named) {
                files.push(named);
            }
        }
    }
    if scenes.is_empty() && problems.is_empty() {
        let first = others.first().map_or(String::new(), |first| format!(" (the first is {first})"));
        return Err(wrong(format!("fits none of the {} files{first}", others.len())));
    }
    give_places(&mut scenes);
    if let Some(first) = others.first() {
        let count = others.len();
        notices.push(format!(
            "{count} files that --scene-pattern does not fit are left out; the first is {first}"
        ));
    }
    if problems.is_empty() { Ok(scenes) } else { Err(problems) }
}

/// Finds the scenes that have the folder or product of their files for themselves, so that documents there are about
/// them; files of no scene are passed over.
fn give_places(scenes: &mut [Candidate]) {
    let places_of = |scene: &Candidate| match &scene.content {
        Content::Files { files, .. } => {
            files.iter().map(|named| beside::place(&named.file).to_owned()).collect()
        }
        _ => BTreeSet::new(),
    };
    let places: Vec<BTreeSet<String>> = scenes.iter().map(places_of).collect();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    places.iter().flatten().for_each(|place| *times.entry(place).or_default() += 1);
    for (scene, places) in scenes.iter_mut().zip(&places) {
        if let Content::Files { owns_folder, .. } = &mut scene.content {
            *owns_folder = places.len() == 1 && places.iter().all(|place| times[place.as_str()] == 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The scenes' names with the stems of their files, and how many notices there are.
    type Grouped = (Vec<(String, Vec<String>)>, usize);

    fn grouped(pattern: &str, names: &[&str]) -> Result<Grouped, Vec<Problem>> {
        let mut notices = Vec::new();
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let scenes = group(pattern, names, &mut notices)?;
        let stems = |content: Content| match content {
            Content::Files { files, .. } => files.into_iter().map(|named| named.stem).collect(),
            _ => Vec::new(),
        };
        Ok((scenes.into_iter().map(|scene| (scene.name, stems(scene.content))).collect(), notices.len()))
    }

    #[test]
    fn files_of_one_scene_come_together() {
        let names = ["ref_S2_B02.tif", "ref_L8_B02.tif", "ref_S2_B03.tif", "other.tif"];
        let (scenes, notices) = grouped(r"ref_(?<scene>\w+)_(?<band>\w+)\.tif$", &names).unwrap();
        let expected = [("S2".into(), vec!["B02".into(), "B03".into()]), ("L8".into(), vec!["B02".into()])];
        assert_eq!((scenes, notices), (expected.to_vec(), 1));
    }

    #[test]
    fn a_date_makes_scenes_too() {
        let names = ["a_20240602_B02.tif", "a_20240603_B02.tif", "a_20240602_B03.tif"];
        let (scenes, _) = grouped(r"(?<date>\d{8})_(?<band>B\d+)", &names).unwrap();
        assert_eq!(scenes.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["2024-06-02", "2024-06-03"]);
        assert_eq!(scenes[0].1, ["B02", "B03"]);
        let wrong = grouped(r"(?<date>\d{8})", &["20241402.tif"]).unwrap_err();
        assert!(wrong[0].message.contains("'20241402'"), "{wrong:?}");
    }

    #[test]
    fn a_pattern_that_makes_nothing_is_told() {
        assert!(grouped("(", &["a"]).unwrap_err()[0].hint.is_some());
        assert!(grouped("(?<band>.*)", &["a"]).unwrap_err()[0].message.contains("'scene' or 'date'"));
        assert!(grouped("x(?<scene>.*)", &["a"]).unwrap_err()[0].message.contains("the first is a"));
    }
}
