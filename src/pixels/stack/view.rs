//! What is summed over the scenes, seen from the points of a descent.

use super::block::lanes;
use super::descent::{Descent, GROUP, Group};
use super::sample::Real;

/// The sums over the scenes, seen from a point.
pub(super) struct View<R> {
    /// Σ w, η, and the sum of the distances.
    pub weights: Group<R>,
    pub coincident: Group<R>,
    pub distances: Group<R>,
    /// The least distance, and how many scenes are that near.
    pub nearest: Group<R>,
    pub twins: Group<R>,
}

/// Sets R and Σ w·u·uᵀ for the points.
#[inline(always)]
pub(super) fn look<R: Real>(group: &mut Descent<R>, depth: usize) -> View<R> {
    let zero = [R::default(); GROUP];
    let far = [R::INFINITY; GROUP];
    let mut view = View { weights: zero, coincident: zero, distances: zero, nearest: far, twins: zero };
    group.pulls.fill(zero);
    group.bends.fill(zero);
    let mut number = R::default();
    let scenes = group.offsets.chunks_exact(group.points.len()).zip(&group.weights);
    for (offsets, present) in scenes.take(depth) {
        let mut squares = zero;
        for ((offset, point), away) in offsets.iter().zip(&group.points).zip(&mut group.units) {
            let apart: Group<R> = lanes(|lane| offset[lane] - point[lane]);
            squares = lanes(|lane| squares[lane] + apart[lane] * apart[lane]);
            *away = apart;
        }
        let mut weight = zero;
        for lane in 0..GROUP {
            let distance = squares[lane].square_root();
            let apart = distance > R::default();
            let reciprocal = present[lane] / distance;
            weight[lane] = if apart { reciprocal } else { R::default() };
            view.coincident[lane] += if apart { R::default() } else { present[lane] };
            view.weights[lane] += weight[lane];
            view.distances[lane] += present[lane] * distance;
            let square = if present[lane] > R::default() { squares[lane] } else { R::INFINITY };
            let twins =
                if square == view.nearest[lane] { view.twins[lane] + R::ONE } else { view.twins[lane] };
            let nearer = square < view.nearest[lane];
            view.twins[lane] = if nearer { R::ONE } else { twins };
            view.nearest[lane] = if nearer { square } else { view.nearest[lane] };
            group.nearest[lane] = if nearer { number } else { group.nearest[lane] };
        }
        number += R::ONE;
        for (unit, pull) in group.units.iter_mut().zip(&mut group.pulls) {
            let scaled: Group<R> = lanes(|lane| unit[lane] * weight[lane]);
            *pull = lanes(|lane| pull[lane] + scaled[lane]);
            *unit = scaled;
        }
        let mut rows = &mut group.bends[..];
        for (band, one) in group.units.iter().enumerate() {
            let row;
            (row, rows) = rows.split_at_mut(band + 1);
            let weighted: Group<R> = lanes(|lane| weight[lane] * one[lane]);
            for (bend, other) in row.iter_mut().zip(&group.units) {
                *bend = lanes(|lane| bend[lane] + weighted[lane] * other[lane]);
            }
        }
    }
    view.nearest = lanes(|lane| view.nearest[lane].square_root());
    view
}

/// The lengths of vectors.
#[inline(always)]
pub(super) fn length<R: Real>(vectors: &[Group<R>]) -> Group<R> {
    let squares = product(vectors, vectors);
    lanes(|lane| squares[lane].square_root())
}

/// The products of vectors.
#[inline(always)]
pub(super) fn product<R: Real>(ones: &[Group<R>], others: &[Group<R>]) -> Group<R> {
    let mut sums = [R::default(); GROUP];
    for (one, other) in ones.iter().zip(others) {
        sums = lanes(|lane| sums[lane] + one[lane] * other[lane]);
    }
    sums
}
