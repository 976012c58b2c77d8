//! What operations of two values lie between.

use super::power::power;
use super::{
    Bounds, Ends, Real, changes_sign, greater, is_exact, is_negative, lesser, may_hold_or_fail,
    reaches_infinity, spans_zero,
};
use crate::pixels::expression::slow;
use crate::pixels::expression::tree::Binary;

/// What the operation of values between these ends, not all of them the same, lies between.
pub(super) fn binary<F: Real>(operation: Binary, a: Ends<F>, b: Ends<F>) -> Bounds<F> {
    let of = |a: F, b: F| slow::binary(operation, a, b);
    // These are steady in each value while the other one stays, so that they have their extremes in the corners.
    let corners = || Bounds::around(&[of(a.0, b.0), of(a.0, b.1), of(a.1, b.0), of(a.1, b.1)]);
    // In corners where there is no number the numbers beside them may be zero.
    let zeros = Bounds::around(&[-F::ZERO, F::ZERO]);
    match operation {
        Binary::Add | Binary::Subtract => corners(),
        Binary::Multiply if spans_zero(a) && reaches_infinity(b) || reaches_infinity(a) && spans_zero(b) => {
            corners().or(zeros).or_nothing_if(true)
        }
        Binary::Multiply => corners(),
        Binary::Divide => {
            let nothing = spans_zero(a) && spans_zero(b) || reaches_infinity(a) && reaches_infinity(b);
            let bounds = match changes_sign(b) {
                true => Bounds::between(-F::INFINITY, F::INFINITY),
                false if nothing => corners().or(zeros),
                false => corners(),
            };
            bounds.or_nothing_if(nothing)
        }
        Binary::Remainder => remainder(&of, a, b),
        Binary::Power => power(a, b),
        Binary::Less => Bounds::truth(a.0 < b.1, a.1 >= b.0),
        Binary::LessEqual => Bounds::truth(a.0 <= b.1, a.1 > b.0),
        Binary::Greater => Bounds::truth(a.1 > b.0, a.0 <= b.1),
        Binary::GreaterEqual => Bounds::truth(a.1 >= b.0, a.0 < b.1),
        Binary::Equal => Bounds::truth(may_be_equal(a, b), may_differ(a, b)),
        Binary::NotEqual => Bounds::truth(may_differ(a, b), may_be_equal(a, b)),
        Binary::And | Binary::Or => {
            let ((a_holds, a_fails), (b_holds, b_fails)) = (may_hold_or_fail(a), may_hold_or_fail(b));
            match operation {
                Binary::And => Bounds::truth(a_holds && b_holds, a_fails || b_fails),
                _ => Bounds::truth(a_holds || b_holds, a_fails && b_fails),
            }
        }
        // Of zeros the second one is taken.
        Binary::Min | Binary::Max if spans_zero(a) && spans_zero(b) => {
            Bounds::around(&[of(a.0, b.0), of(a.1, b.1)]).or(zeros)
        }
        Binary::Min | Binary::Max => Bounds::around(&[of(a.0, b.0), of(a.1, b.1)]),
        // Half a turn away the angle changes its sign, and at the origin it may be any.
        Binary::Atan2 if changes_sign(a) && is_negative(b.0) => {
            let half = of(F::ZERO, -F::ONE);
            Bounds::between(-half, half)
        }
        Binary::Atan2 => corners().widened(),
    }
}

fn may_be_equal<F: Real>(a: Ends<F>, b: Ends<F>) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

fn may_differ<F: Real>(a: Ends<F>, b: Ends<F>) -> bool {
    !(a.0 == a.1 && b.0 == b.1 && a.0 == b.0)
}

/// What is left of `a` between two multiples of `b`; from zero to `b` where `a` may lie beyond one.
fn remainder<F: Real>(of: &dyn Fn(F, F) -> F, a: Ends<F>, b: Ends<F>) -> Bounds<F> {
    if b.0 == F::ZERO && b.1 == F::ZERO {
        return Bounds::NOTHING;
    }
    let (first, last) = (of(a.0, b.0), of(a.1, b.0));
    let is_near = a.1 - a.0 < b.0.abs() * F::from_f64(0.5);
    if is_exact(b) && is_near && first <= last {
        return Bounds::between(first, last);
    }
    let all = Bounds::between(lesser(b.0, -F::ZERO), greater(b.1, F::ZERO));
    all.or_nothing_if(spans_zero(b) || reaches_infinity(a))
}
