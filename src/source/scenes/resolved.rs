//! A scene whose bands were found, and whether it goes together with others.

use super::band_names::{Named, same};
use super::details::Details;
use super::picks::Picked;
use super::shelf::Shelf;
use super::{Asked, Scene};
use crate::source::Problem;

/// A scene and the bands that each name asked for stands for in it.
#[derive(Debug)]
pub struct Resolved {
    /// The scene.
    pub scene: Scene,
    /// Name by name, its bands.
    pub bands: Vec<Vec<Picked>>,
    /// Files that lie with the scene's and are not used.
    pub unused: Vec<String>,
}

impl Resolved {
    /// Takes the processing baseline from the metadata of the first file with reflectances, where nothing else told it
    /// or the offset. What is wrong with that file is told when it is used.
    pub fn take_baseline(&mut self, files: &[Named], shelf: &Shelf) {
        let scene = &mut self.scene;
        if scene.baseline.is_some() || scene.offset.is_some() {
            return;
        }
        let first = self.bands.iter().flatten().find(|pick| pick.reflectance);
        let file = first.and_then(|pick| files.iter().find(|named| named.file == pick.source.file));
        let Some(source) = file.and_then(|named| shelf.open(named).ok()) else { return };
        let details = Details::of_source(&source);
        scene.baseline = details.baseline;
        scene.offset = details.is_before_offsets().then_some(0.0);
    }
}

/// The scenes whose bands are like the first one's, and what is wrong with the others.
pub fn alike(resolved: Vec<Resolved>, asked: &Asked) -> (Vec<Resolved>, Vec<Problem>) {
    let mut alike: Vec<Resolved> = Vec::with_capacity(resolved.len());
    let mut problems = Vec::new();
    for other in resolved {
        match alike.first().and_then(|first| difference(first, &other, asked)) {
            None => alike.push(other),
            Some(problem) => problems.push(problem),
        }
    }
    (alike, problems)
}

/// In what a scene's bands differ from the first one's, where a name stands for all bands of a file: in how many there
/// are, or in what files of several bands call them.
fn difference(first: &Resolved, other: &Resolved, asked: &Asked) -> Option<Problem> {
    let of = |index: usize| asked.bands.get(index).map_or(String::new(), |name| format!(" of {name}"));
    let message =
        first.bands.iter().zip(&other.bands).enumerate().find_map(|(index, (first_ones, others))| {
            if first_ones.len() != others.len() {
                let (count, wanted) = (others.len(), first_ones.len());
                return Some(format!(
                    "has {count} bands{}, but {} has {wanted}",
                    of(index),
                    first.scene.name
                ));
            }
            let contradict =
                |a: &Picked, b: &Picked| a.described && b.described && !same(&a.name, &b.name, true);
            let mut pairs = first_ones.iter().zip(others).filter(|_| others.len() > 1);
            let (a, b) = pairs.find(|(a, b)| contradict(a, b))?;
            let number = b.source.band;
            Some(format!(
                "calls band {number}{} {}, but {} calls it {}",
                of(index),
                b.name,
                first.scene.name,
                a.name
            ))
        })?;
    Some(Problem::new(&other.scene.name, message).with_hint("name the bands one by one with --bands"))
}
