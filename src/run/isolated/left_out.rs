//! Sources that are left out of the rest of a job because children died of them, and the areas that lack them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::geometry::Window;
use crate::source::{Mosaic, Problem};

/// The sources left out until now.
#[derive(Default)]
pub struct LeftOut(Mutex<Vec<LeftOutSource>>);

struct LeftOutSource {
    /// Its index among the mosaic's sources.
    index: usize,
    /// Where it began, and why.
    reason: String,
    /// What was decided without it.
    areas: Vec<Window>,
}

impl LeftOut {
    /// Leaves a source out, under all of its indices.
    pub fn add(&self, mosaic: &Mosaic, name: &str, reason: &str) {
        let mut all = self.lock();
        for (index, placed) in mosaic.sources.iter().enumerate() {
            if *placed.source.name == *name && all.iter().all(|source| source.index != index) {
                all.push(LeftOutSource { index, reason: reason.into(), areas: Vec::new() });
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
    pub fn note(&self, mosaic: &Mosaic, area: Window, count: usize) {
        for source in self.lock().iter_mut().take(count) {
            let touched = mosaic.sources[source.index].window.and_then(|window| window.intersection(area));
            source.areas.extend(touched.map(|_| area));
        }
    }

    /// For reports: each name once.
    pub fn problems(&self, mosaic: &Mosaic) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        for source in self.lock().iter() {
            let name = &*mosaic.sources[source.index].source.name;
            if problems.iter().all(|problem| problem.source != name) {
                problems.push(Problem::new(name, &source.reason));
            }
        }
        problems
    }

    /// Cuts an area into parts, each with those of the sources `touching` it that it was decided from.
    pub fn parts(&self, mosaic: &Mosaic, area: Window, touching: &[usize]) -> Vec<(Window, Vec<usize>)> {
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
            let left = touching.iter().copied().filter(|&index| !hides(mosaic, index, &is_out));
            (part, left.collect())
        };
        cut(area, &without.collect::<Vec<_>>()).into_iter().map(of_part).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<LeftOutSource>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a source shows nothing: it is left out, or the mask of its scene is.
fn hides(mosaic: &Mosaic, index: usize, is_out: &dyn Fn(usize) -> bool) -> bool {
    let scene = mosaic.stack.as_ref().and_then(|stack| Some(&stack.scenes[stack.scene_of(index)?]));
    is_out(index) || scene.and_then(|scene| scene.mask).is_some_and(is_out)
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
