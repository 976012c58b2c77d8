//! Newton's step from the curvature: H⁻¹·R, of a group of pixels at once, by A.-L. Cholesky's factors without roots.
//!
//! H is Σ w·(I − u·uᵀ). Of a symmetric matrix the lower triangle is kept, row by row.

use super::block::lanes;
use super::descent::{GROUP, Group};
use super::sample::Real;

/// Where a number of a lower triangle lies.
#[inline(always)]
const fn at(row: usize, column: usize) -> usize {
    row * (row + 1) / 2 + column
}

/// Makes of Σ w·u·uᵀ the factors L·D·Lᵀ of H: L·D below the diagonal, D⁻¹ on it. Where H is singular but for rounding,
/// as along a line of scenes, D is kept positive, so that every step leads down.
#[inline(always)]
pub(super) fn factorize<R: Real>(bends: &mut [Group<R>], bands: usize, weights: &Group<R>) {
    for row in 0..bands {
        for column in 0..=row {
            let mut sum = bends[at(row, column)];
            for before in 0..column {
                let (one, other) = (bends[at(row, before)], bends[at(column, before)]);
                let inverse = bends[at(before, before)];
                sum = lanes(|lane| sum[lane] + one[lane] * other[lane] * inverse[lane]);
            }
            bends[at(row, column)] = lanes(|lane| -sum[lane]);
        }
        let diagonal = bends[at(row, row)];
        bends[at(row, row)] = lanes(|lane| {
            let (bend, least) = (weights[lane] + diagonal[lane], R::of(16.0) * R::SMALL * weights[lane]);
            R::ONE / if bend > least { bend } else { least }
        });
    }
}

/// Finds H⁻¹·R from the factors.
#[inline(always)]
pub(super) fn solve<R: Real>(factors: &[Group<R>], pulls: &[Group<R>], found: &mut [Group<R>]) {
    let bands = pulls.len();
    for band in 0..bands {
        let mut part = pulls[band];
        for before in 0..band {
            let (factor, other) = (factors[at(band, before)], found[before]);
            part = lanes(|lane| part[lane] - factor[lane] * other[lane]);
        }
        let inverse = factors[at(band, band)];
        found[band] = lanes(|lane| part[lane] * inverse[lane]);
    }
    for band in (0..bands).rev() {
        let mut sum = [R::default(); GROUP];
        for behind in band + 1..bands {
            let (factor, other) = (factors[at(behind, band)], found[behind]);
            sum = lanes(|lane| sum[lane] + factor[lane] * other[lane]);
        }
        let (part, inverse) = (found[band], factors[at(band, band)]);
        found[band] = lanes(|lane| part[lane] - inverse[lane] * sum[lane]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_through_the_curvature_is_the_pull() {
        // 3·I − J with J of rows (1, ·, ·), (½, ¾, ·), (−¼, 0, ½).
        let triangle = [1.0, 0.5, 0.75, -0.25, 0.0, 0.5];
        let pulls = [2.0, -1.0, 4.0];
        let mut factors = triangle.map(|number| [number; GROUP]);
        factorize(&mut factors, 3, &[3.0; GROUP]);
        let mut found = [[0.0f64; GROUP]; 3];
        solve(&factors, &pulls.map(|pull| [pull; GROUP]), &mut found);
        for row in 0..3 {
            let element = |column: usize| {
                let bend = triangle[at(row.max(column), row.min(column))];
                if row == column { 3.0 - bend } else { -bend }
            };
            let pull: f64 = (0..3).map(|column| element(column) * found[column][GROUP - 1]).sum();
            assert!((pull - pulls[row]).abs() < 1e-12, "{pull} is not {}", pulls[row]);
        }
    }

    #[test]
    fn along_a_line_of_scenes_a_step_is_long_but_leads_down() {
        // All unit vectors are those of the first axis: there is no curvature along it.
        let mut factors = [[2.0f64; GROUP], [0.0; GROUP], [0.0; GROUP]];
        factorize(&mut factors, 2, &[2.0; GROUP]);
        let mut found = [[0.0; GROUP]; 2];
        solve(&factors, &[[1.0; GROUP]; 2], &mut found);
        assert!(found[0][0] > 1e6 && found[0][0].is_finite());
        assert_eq!(found[1][0], 0.5);
    }
}
