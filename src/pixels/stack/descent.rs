//! Steps towards geometric medians, of a group of pixels at once.
//!
//! The sum of the distances is convex. With u the unit vectors from the point to the scenes and w the reciprocal
//! distances, it falls along R = Σ u, and bends by H = Σ w·(I − u·uᵀ), so that Newton's step is H⁻¹·R. Weiszfeld's is
//! R / Σ w, for which H is taken to be Σ w·I: short steps where the scenes lie nearly on a line. At a scene there is no
//! H; there the step of Y. Vardi and C.-H. Zhang is made (The multivariate L1-median and associated data depth, PNAS
//! 97, 2000), max(0, 1 − η/|R|) · R / Σ w over the others, η scenes being at the point: where |R| ≤ η it is the median.
//!
//! What keeps Newton's step from going astray: it is at most half the harmonic mean of the distances long, which about
//! doubles the speed among outliers, and is halved until the sum is smaller or, within rounding, no longer rises as
//! steeply as it fell. A scene that holds most of Σ w is tried itself, since near it H tells little.

use super::block::lanes;
use super::curvature::{factorize, solve};
use super::sample::Real;
use super::view::{View, length, look, product};
use super::wide::widest;

/// Pixels that are iterated at once.
pub(super) const GROUP: usize = 16;

/// One number of each of these pixels.
pub(super) type Group<R> = [R; GROUP];

/// What becomes of a pixel after a step.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Turn {
    /// The sum of the distances is to be looked at where it has got to.
    #[default]
    Further,
    /// The same at its nearest scene.
    ToScene,
    /// It has arrived.
    Done,
}

/// The pixels that are iterated.
pub(super) struct Descent<R> {
    /// Scenes × bands.
    pub offsets: Vec<Group<R>>,
    /// Scenes: 1 where they have data.
    pub weights: Vec<Group<R>>,
    /// Bands: the points.
    pub points: Vec<Group<R>>,
    /// How many scenes have data.
    pub counts: Group<R>,
    /// A step is as good as none that is no longer; known after the first step.
    short: Group<R>,
    /// Bands: the points of the least sums so far, and the steps from there.
    bases: Vec<Group<R>>,
    strides: Vec<Group<R>>,
    /// The least sums so far, and the lengths of the last steps.
    least: Group<R>,
    lengths: Group<R>,
    /// How fast the sum fell along them where they began.
    slopes: Group<R>,
    /// The scene nearest to the point, and the one that was tried last.
    pub nearest: Group<R>,
    tried: Group<R>,
    /// 1 where that is being tried.
    trying: Group<R>,
    /// Bands: the vector R, and the unit vector to a scene.
    pub pulls: Vec<Group<R>>,
    pub units: Vec<Group<R>>,
    /// The lower triangle of Σ w·u·uᵀ, row by row; then that of H's factors, of which the diagonal is kept inverse.
    pub bends: Vec<Group<R>>,
}

/// What is chosen, in numbers for the sake of vectors: 1 where it is so.
#[derive(Default)]
struct Choice<R> {
    /// What Newton's step is multiplied by; at a scene R.
    factors: Group<R>,
    /// Half of the last step is made from where it began.
    back: Group<R>,
    /// No step is made.
    still: Group<R>,
    arrives: Group<R>,
    jumps: Group<R>,
}

impl<R: Real> Descent<R> {
    /// For that many scenes and bands.
    pub fn new(bands: usize, depth: usize) -> Self {
        let zero = [R::default(); GROUP];
        let each_band = || vec![zero; bands];
        Descent {
            offsets: vec![zero; bands * depth],
            weights: vec![zero; depth],
            points: each_band(),
            counts: zero,
            short: zero,
            bases: each_band(),
            strides: each_band(),
            least: zero,
            lengths: zero,
            slopes: zero,
            nearest: zero,
            tried: zero,
            trying: zero,
            pulls: each_band(),
            units: each_band(),
            bends: vec![zero; bands * (bands + 1) / 2],
        }
    }

    /// Bytes for that many scenes and bands.
    pub const fn bytes(real_bytes: usize, bands: usize, depth: usize) -> usize {
        ((bands + 1) * depth + 5 * bands + bands * (bands + 1) / 2 + 8) * GROUP * real_bytes
    }

    /// Begins anew in a lane, whose pixel has been put there.
    pub fn begin(&mut self, lane: usize) {
        self.least[lane] = R::INFINITY;
        (self.tried[lane], self.trying[lane]) = (-R::ONE, R::default());
    }

    /// A band of the point that is best: of one that has not arrived the one from which it makes its last step.
    pub fn found(&self, band: usize, lane: usize, turn: Turn) -> R {
        if turn == Turn::Done { self.points[band][lane] } else { self.bases[band][lane] }
    }

    /// Goes to the nearest scene.
    pub fn try_scene(&mut self, lane: usize) {
        (self.tried[lane], self.trying[lane]) = (self.nearest[lane], R::ONE);
        let scene = self.nearest[lane].to_f64() as usize * self.points.len();
        for (point, offset) in self.points.iter_mut().zip(&self.offsets[scene..]) {
            point[lane] = offset[lane];
        }
    }
}

widest! {
    /// Looks at the points, and moves them; `unit` is a length that does not count. Where a pixel is done its point is
    /// the median.
    pub(super) fn step<R: Real>(group: &mut Descent<R>, depth: usize, unit: R) -> [Turn; GROUP] {
        let view = look(group, depth);
        factorize(&mut group.bends, group.points.len(), &view.weights);
        solve(&group.bends, &group.pulls, &mut group.units);
        let choice = choose(group, &view, unit);
        go(group, &view, &choice);
        lanes(|lane| match (choice.arrives[lane] > R::default(), choice.jumps[lane] > R::default()) {
            (true, _) => Turn::Done,
            (_, true) => Turn::ToScene,
            _ => Turn::Further,
        })
    }
}

/// Chooses each pixel's step: further down, or half of the last one.
#[inline(always)]
fn choose<R: Real>(group: &mut Descent<R>, view: &View<R>, unit: R) -> Choice<R> {
    let (zero, half) = (R::default(), R::of(0.5));
    let (pulls, newton) = (length(&group.pulls), length(&group.units));
    let slopes = product(&group.pulls, &group.strides);
    let mark = |truth| if truth { R::ONE } else { zero };
    let mut choice = Choice::default();
    // No lane branches: all is computed of all.
    for lane in 0..GROUP {
        let (sum, count, weight) = (view.distances[lane], group.counts[lane], view.weights[lane]);
        let (least, nearest) = (group.least[lane], view.nearest[lane]);
        let harmonic = count / weight;
        let near = R::SMALL * harmonic;
        let short = if near > unit { near } else { unit };
        let short = if least < R::INFINITY { group.short[lane] } else { short };
        // Within rounding the slope tells whether a step went too far: the sum is convex.
        let rounding = R::SMALL * least;
        let steep = -slopes[lane] > R::of(0.75) * group.slopes[lane];
        let trying = group.trying[lane] > zero;
        let worse = (sum > least + rounding) | ((sum > least - rounding) & steep & !trying);
        let excess = pulls[lane] - view.coincident[lane];
        // What is not a number is done, too.
        let is_pulled = excess > R::SMALL * count;
        let is_median = !is_pulled;
        let at_scene = view.coincident[lane] > zero;
        let most = half * harmonic;
        let long = !at_scene & (newton[lane] > most);
        let full = if at_scene { excess / weight } else { newton[lane] };
        let new = if long { most } else { full };
        let holds_most = view.twins[lane] > R::of(0.75) * weight * nearest;
        let to_scene = !at_scene & holds_most & (group.tried[lane] != group.nearest[lane]);
        // Newton's step leaves about its square by the distance of the nearest scene, the more the less the sum bends,
        // which is told by how much longer it is than Weiszfeld's. What other steps leave is not known.
        let left = R::of(16.0) * new * new * new * weight;
        let near = left <= short * nearest * pulls[lane];
        let ends = !long & !at_scene & ((new <= short) | near);
        let halved = half * group.lengths[lane];
        let gives_up = worse & !trying & (halved <= short);
        let jumps = !worse & !is_median & to_scene;
        let arrives = gives_up | (!worse & (is_median | (!to_scene & ends)));
        let still = (worse & trying) | gives_up | (!worse & (is_median | jumps));
        let factor = if long { most / full } else { R::ONE };
        choice.factors[lane] = if at_scene { excess / (pulls[lane] * weight) } else { factor };
        choice.back[lane] = mark(worse);
        choice.still[lane] = mark(still);
        choice.arrives[lane] = mark(arrives);
        choice.jumps[lane] = mark(jumps);
        group.short[lane] = short;
        group.lengths[lane] = if worse { halved } else { new };
        group.least[lane] = if sum < least { sum } else { least };
        group.trying[lane] = zero;
    }
    choice
}

/// Makes the steps.
#[inline(always)]
fn go<R: Real>(group: &mut Descent<R>, view: &View<R>, choice: &Choice<R>) {
    let (zero, half) = (R::default(), R::of(0.5));
    let mut slopes = [zero; GROUP];
    let moves = group.points.iter_mut().zip(&mut group.bases).zip(&mut group.strides);
    for (((point, base), stride), (pull, newton)) in moves.zip(group.pulls.iter().zip(&group.units)) {
        let new: Group<R> = lanes(|lane| {
            choice.factors[lane] * if view.coincident[lane] > zero { pull[lane] } else { newton[lane] }
        });
        let next: Group<R> =
            lanes(|lane| if choice.back[lane] > zero { half * stride[lane] } else { new[lane] });
        *base = lanes(|lane| if choice.back[lane] > zero { base[lane] } else { point[lane] });
        let next: Group<R> = lanes(|lane| if choice.still[lane] > zero { zero } else { next[lane] });
        *stride = next;
        slopes = lanes(|lane| slopes[lane] + pull[lane] * next[lane]);
        *point = lanes(|lane| base[lane] + stride[lane]);
    }
    group.slopes =
        lanes(|lane| if choice.back[lane] > zero { half * group.slopes[lane] } else { slopes[lane] });
}
