//! What operations of one value lie between.

use std::f64::consts::{FRAC_PI_2, PI};

use super::{Bounds, Ends, Real, greater, lesser, may_hold_or_fail, reaches_infinity, spans_zero};
use crate::pixels::expression::slow;
use crate::pixels::expression::tree::Unary;

/// What the operation of a value between these ends, which are not the same, lies between.
pub(super) fn unary<F: Real>(operation: Unary, (low, high): Ends<F>) -> Bounds<F> {
    let of = |value: F| slow::unary(operation, value);
    let ends = (low, high);
    match operation {
        // Rounded correctly, and steady from the one end to the other.
        Unary::Negate | Unary::Floor | Unary::Ceil | Unary::Round => Bounds::around(&[of(low), of(high)]),
        Unary::Not => {
            let (holds, fails) = may_hold_or_fail(ends);
            Bounds::truth(fails, holds)
        }
        Unary::Square | Unary::Abs if spans_zero(ends) => Bounds::around(&[of(low), of(high), F::ZERO]),
        Unary::Square | Unary::Abs => Bounds::around(&[of(low), of(high)]),
        Unary::Sqrt => {
            inside(ends, (-F::ZERO, F::INFINITY), |low, high| Bounds::around(&[of(low), of(high)]))
        }
        Unary::Log | Unary::Log10 | Unary::Log2 => {
            inside(ends, (-F::ZERO, F::INFINITY), |low, high| Bounds::around(&[of(low), of(high)]).widened())
        }
        Unary::Asin | Unary::Acos => {
            inside(ends, (-F::ONE, F::ONE), |low, high| Bounds::around(&[of(low), of(high)]).widened())
        }
        Unary::Exp => Bounds::around(&[of(low), of(high)]).widened().within(F::ZERO, F::INFINITY),
        Unary::Atan => Bounds::around(&[of(low), of(high)]).widened(),
        Unary::Sin => wave(ends, &of, FRAC_PI_2),
        Unary::Cos => wave(ends, &of, 0.0),
        Unary::Tan if turns(ends, FRAC_PI_2).is_some_and(|(first, last)| first > last) => {
            Bounds::around(&[of(low), of(high)]).widened()
        }
        Unary::Tan => Bounds::between(-F::INFINITY, F::INFINITY).or_nothing_if(reaches_infinity(ends)),
    }
}

/// What a function has where it has values, from `least` to `most`; beyond them there are none.
fn inside<F: Real>(
    (low, high): Ends<F>,
    (least, most): Ends<F>,
    of: impl Fn(F, F) -> Bounds<F>,
) -> Bounds<F> {
    if high < least || low > most {
        return Bounds::NOTHING;
    }
    of(greater(low, least), lesser(high, most)).or_nothing_if(low < least || high > most)
}

/// A wave that is 1 at `crest`, in radians, and at every second half turn from there.
fn wave<F: Real>(ends: Ends<F>, of: &dyn Fn(F) -> F, crest: f64) -> Bounds<F> {
    let everything = Bounds::between(-F::ONE, F::ONE);
    let Some((first, last)) = turns(ends, crest) else {
        return everything.or_nothing_if(reaches_infinity(ends));
    };
    let mut bounds = Bounds::around(&[of(ends.0), of(ends.1)]).widened();
    if last > first {
        return everything;
    } else if last == first {
        let is_crest = first.rem_euclid(2.0) == 0.0;
        bounds = bounds.or(Bounds::exactly(if is_crest { F::ONE } else { -F::ONE }));
    }
    bounds.within(-F::ONE, F::ONE)
}

/// The first and the last of the whole numbers n for which `start` + nπ lies between the ends, or so near that it cannot
/// be told; the last is less than the first where there is none. Nothing of ends that are too far away to be sure.
fn turns<F: Real>((low, high): Ends<F>, start: f64) -> Option<(f64, f64)> {
    /// Up to here half turns are counted.
    const FARTHEST: f64 = 1e6;
    /// Beyond rounding; a wave is as good as flat over that.
    const NEAR: f64 = 1e-9;
    let (low, high) = (low.to_f64(), high.to_f64());
    let turn = |angle: f64| (angle - start) / PI;
    let sure = low.abs() <= FARTHEST && high.abs() <= FARTHEST;
    sure.then(|| ((turn(low) - NEAR).ceil(), (turn(high) + NEAR).floor()))
}
