//! Sources that are left out of the rest of a job because children died of them, and the areas that lack them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::geometry::Window;
use crate::output::Lacking;
use crate::source::Mosaic;

/// The sources of a mosaic that are left out.
pub struct LeftOut<'a> {
    mosaic: &'a Mosaic,
    sources: Mutex<Vec<LeftOutSource>>,
}

struct LeftOutSource {
    /// Its index among the mosaic's sources.
    index: usize,
    /// Where it began, and why.
    reason: String,
    /// What was decided without it.
    areas: Vec<Window>,
    /// How many of them were told.
    told: usize,
}

impl<'a> LeftOut<'a> {
    /// What blocks are lacking that were made before.
    pub fn new(mosaic: &'a Mosaic, lacking: &[Lacking]) -> LeftOut<'a> {
        let left_out = LeftOut { mosaic, sources: Mutex::default() };
        for Lacking { lacking, because, areas } in lacking {
            left_out.add(lacking, because);
            for source in left_out.lock().iter_mut().filter(|source| left_out.is(source.index, lacking)) {
                source.areas.extend(areas);
                source.told = source.areas.len();
            }
        }
        left_out
    }

    /// Leaves a source out, under all of its indices.
    pub fn add(&self, name: &str, reason: &str) {
        let mut all = self.lock();
        for index in 0..self.mosaic.sources.len() {
            if self.is(index, name) && all.iter().all(|source| source.index != index) {
                all.push(LeftOutSource { index, reason: reason.into(), areas: Vec::new(), told: 0 });
            }
        }
    }

    /// Their indices, in the order in which they were left out.
    pub fn indices(&self) -> Vec<usize> {
        self.lock().iter().map(|source| source.index).collect()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// An area was decided without the first `count` of them.
    pub fn note(&self, area: Window, count: usize) {
        for source in self.lock().iter_mut().take(count) {
            let touched =
                self.mosaic.sources[source.index].window.and_then(|window| window.intersection(area));
            source.areas.extend(touched.map(|_| area));
        }
    }

    /// What was noted since this was last asked.
    pub fn news(&self) -> Vec<Lacking> {
        let mut all = self.lock();
        let untold = all.iter_mut().filter(|source| source.told < source.areas.len());
        let tell = |source: &mut LeftOutSource| {
            let from = std::mem::replace(&mut source.told, source.areas.len());
            self.lacking(source, from)
        };
        untold.map(tell).collect()
    }

    /// For reports: each name once.
    pub fn all(&self) -> Vec<Lacking> {
        let mut all: Vec<Lacking> = Vec::new();
        for source in self.lock().iter() {
            if all.iter().all(|other| !self.is(source.index, &other.lacking)) {
                all.push(self.lacking(source, 0));
            }
        }
        all
    }

    fn lacking(&self, source: &LeftOutSource, from: usize) -> Lacking {
        Lacking {
            lacking: self.mosaic.sources[source.index].source.name.to_string(),
            because: source.reason.clone(),
            areas: source.areas[from..].to_vec(),
        }
    }

    /// Cuts an area into parts, each with those of the sources `touching` it that it was decided from.
    pub fn parts(&self, area: Window, touching: &[usize]) -> Vec<(Window, Vec<usize>)> {
        let all = self.lock();
        let lacking: Vec<&LeftOutSource> = all
            .iter()
            .filter(|source| source.areas.iter().any(|lacks| lacks.intersection(area).is_some()))
            .collect();
        let without = lacking.iter().flat_map(|source| source.areas.iter().copied());
        let of_part = |part: Window| {
            let is_out = |index: usize| {
                let is_it = |source: &&&LeftOutSource| source.index == index;
                let lacks = |source: &&LeftOutSource| {
                    source.areas.iter().any(|area| area.intersection(part).is_some())
                };
                lacking.iter().find(is_it).is_some_and(lacks)
            };
            let left = touching.iter().copied().filter(|&index| !self.hides(index, &is_out));
            (part, left.collect())
        };
        cut(area, &without.collect::<Vec<_>>()).into_iter().map(of_part).collect()
    }

    /// Whether a source shows nothing: it is left out, or the mask of its scene is.
    fn hides(&self, index: usize, is_out: &dyn Fn(usize) -> bool) -> bool {
        let stack = self.mosaic.stack.as_ref();
        let scene = stack.and_then(|stack| Some(&stack.scenes[stack.scene_of(index)?]));
        is_out(index) || scene.and_then(|scene| scene.mask).is_some_and(is_out)
    }

    fn is(&self, index: usize, name: &str) -> bool {
        *self.mosaic.sources[index].source.name == *name
    }

    fn lock(&self) -> MutexGuard<'_, Vec<LeftOutSource>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cuts an area along the edges of others, so that each part lies inside or outside of each of them.
fn cut(area: Window, others: &[Window]) -> Vec<Window> {
    let edges = |from: usize, to: usize, of: &dyn Fn(&Window) -> [usize; 2]| {
        let inside = others.iter().flat_map(of).filter(|&edge| edge > from && edge < to);
        let mut edges: Vec<usize> = inside.chain([from, to]).collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    };
    let columns = edges(area.column, area.end_column(), &|other| [other.column, other.end_column()]);
    let rows = edges(area.row, area.end_row(), &|other| [other.row, other.end_row()]);
    let part = |row: &[usize], column: &[usize]| {
        Window::new(column[0], row[0], column[1] - column[0], row[1] - row[0])
    };
    rows.windows(2).flat_map(|row| columns.windows(2).map(|column| part(row, column))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_area_is_cut_into_parts_that_lie_inside_or_outside_of_each_other_area(
            (column, row, columns, rows) in (0usize..50, 0usize..50, 1usize..50, 1usize..50),
            others in prop::collection::vec((0usize..80, 0usize..80, 1usize..60, 1usize..60), 0..5),
        ) {
            let area = Window::new(column, row, columns, rows);
            let others: Vec<Window> = others.into_iter().map(|(c, r, w, h)| Window::new(c, r, w, h)).collect();
            let parts = cut(area, &others);
            prop_assert_eq!(parts.iter().map(|part| part.pixels()).sum::<usize>(), area.pixels());
            for part in parts {
                prop_assert_eq!(part.intersection(area), Some(part));
                for other in &others {
                    prop_assert!(part.intersection(*other).is_none_or(|common| common == part));
                }
            }
        }
    }
}
