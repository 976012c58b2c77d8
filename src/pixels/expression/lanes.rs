//! One operation on a strip of pixels: a tight loop for each, which the compiler turns into vector instructions where
//! the machine has them.
//!
//! NaN is no data, and an operation with an operand without data gives none: comparisons, `and` and powers too, where
//! IEEE 754 would know an answer. Only the branch that `where` does not take does not count.

use super::Real;
use super::tree::{Binary, Unary};

/// An operand: one value a pixel, or the same for all.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a, F> {
    Lanes(&'a [F]),
    Number(F),
}

/// Computes `operation` of `a` into `out`.
pub(super) fn unary<F: Real>(operation: Unary, a: Source<F>, out: &mut [F]) {
    match operation {
        Unary::Negate => map(a, out, |a| -a),
        Unary::Not => map(a, out, |a| truth(a == F::ZERO, a.is_nan())),
        Unary::Square => map(a, out, |a| a * a),
        Unary::Abs => map(a, out, F::abs),
        Unary::Sqrt => map(a, out, F::sqrt),
        Unary::Exp => map(a, out, F::exp),
        Unary::Log => map(a, out, F::ln),
        Unary::Log10 => map(a, out, F::log10),
        Unary::Log2 => map(a, out, F::log2),
        Unary::Sin => map(a, out, F::sin),
        Unary::Cos => map(a, out, F::cos),
        Unary::Tan => map(a, out, F::tan),
        Unary::Asin => map(a, out, F::asin),
        Unary::Acos => map(a, out, F::acos),
        Unary::Atan => map(a, out, F::atan),
        Unary::Floor => map(a, out, floor),
        Unary::Ceil => map(a, out, |a| -floor(-a)),
        Unary::Round => map(a, out, round),
    }
}

/// Computes `operation` of `a` and `b` into `out`.
pub(super) fn binary<F: Real>(operation: Binary, a: Source<F>, b: Source<F>, out: &mut [F]) {
    match operation {
        Binary::Add => zip(a, b, out, |a, b| a + b),
        Binary::Subtract => zip(a, b, out, |a, b| a - b),
        Binary::Multiply => zip(a, b, out, |a, b| a * b),
        Binary::Divide => zip(a, b, out, |a, b| a / b),
        Binary::Remainder => zip(a, b, out, remainder),
        Binary::Power => zip(a, b, out, |a, b| if unknown(a, b) { F::NAN } else { a.powf(b) }),
        Binary::Less => zip(a, b, out, |a, b| truth(a < b, unknown(a, b))),
        Binary::LessEqual => zip(a, b, out, |a, b| truth(a <= b, unknown(a, b))),
        Binary::Greater => zip(a, b, out, |a, b| truth(a > b, unknown(a, b))),
        Binary::GreaterEqual => zip(a, b, out, |a, b| truth(a >= b, unknown(a, b))),
        Binary::Equal => zip(a, b, out, |a, b| truth(a == b, unknown(a, b))),
        Binary::NotEqual => zip(a, b, out, |a, b| truth(a != b, unknown(a, b))),
        Binary::And => zip(a, b, out, |a, b| truth((a != F::ZERO) & (b != F::ZERO), unknown(a, b))),
        Binary::Or => zip(a, b, out, |a, b| truth((a != F::ZERO) | (b != F::ZERO), unknown(a, b))),
        Binary::Min => zip(a, b, out, |a, b| if (a < b) | a.is_nan() { a } else { b }),
        Binary::Max => zip(a, b, out, |a, b| if (a > b) | a.is_nan() { a } else { b }),
        Binary::Atan2 => zip(a, b, out, F::atan2),
    }
}

/// Puts `a` into `out` where `condition` is not zero, else `b`.
pub(super) fn choose<F: Real>(condition: Source<F>, a: Source<F>, b: Source<F>, out: &mut [F]) {
    use Source::{Lanes, Number};
    #[inline(always)]
    fn one<F: Real>(condition: F, a: F, b: F) -> F {
        let chosen = if condition != F::ZERO { a } else { b };
        if condition.is_nan() { condition } else { chosen }
    }
    let conditions = match condition {
        Lanes(conditions) => conditions,
        Number(condition) => return zip(a, b, out, |a, b| one(condition, a, b)),
    };
    match (a, b) {
        (Lanes(a), Lanes(b)) => {
            for (((out, &condition), &a), &b) in out.iter_mut().zip(conditions).zip(a).zip(b) {
                *out = one(condition, a, b);
            }
        }
        (Lanes(_), Number(b)) => zip(condition, a, out, |condition, a| one(condition, a, b)),
        (Number(a), Lanes(_)) => zip(condition, b, out, |condition, b| one(condition, a, b)),
        (Number(a), Number(b)) => map(condition, out, |condition| one(condition, a, b)),
    }
}

/// Rounds to whole numbers, half to even.
pub(super) fn round_all<F: Real>(values: &mut [F]) {
    for value in values {
        *value = round(*value);
    }
}

#[inline(always)]
fn map<F: Real>(a: Source<F>, out: &mut [F], function: impl Fn(F) -> F) {
    match a {
        Source::Lanes(a) => out.iter_mut().zip(a).for_each(|(out, &a)| *out = function(a)),
        Source::Number(a) => out.fill(function(a)),
    }
}

#[inline(always)]
fn zip<F: Real>(a: Source<F>, b: Source<F>, out: &mut [F], function: impl Fn(F, F) -> F) {
    use Source::{Lanes, Number};
    match (a, b) {
        (Lanes(a), Lanes(b)) => {
            out.iter_mut().zip(a).zip(b).for_each(|((out, &a), &b)| *out = function(a, b));
        }
        (Lanes(_), Number(b)) => map(a, out, |a| function(a, b)),
        (Number(a), Lanes(_)) => map(b, out, |b| function(a, b)),
        (Number(a), Number(b)) => out.fill(function(a, b)),
    }
}

#[inline(always)]
fn unknown<F: Real>(a: F, b: F) -> bool {
    a.is_nan() | b.is_nan()
}

#[inline(always)]
fn truth<F: Real>(holds: bool, unknown: bool) -> F {
    let truth = if holds { F::ONE } else { F::ZERO };
    if unknown { F::NAN } else { truth }
}

/// The nearest whole number, half to even: numbers from `WHOLE` on have no fraction, so adding it drops that of smaller
/// ones, rounded as all sums are. Unlike the standard library's this needs no instruction beyond the oldest.
#[inline(always)]
fn round<F: Real>(a: F) -> F {
    let size = a.abs();
    let rounded = ((size + F::WHOLE) - F::WHOLE).copysign(a);
    if size < F::WHOLE { rounded } else { a }
}

#[inline(always)]
fn floor<F: Real>(a: F) -> F {
    let rounded = round(a);
    if rounded > a { rounded - F::ONE } else { rounded }
}

/// What is left of `a` after division by `b`, with the sign of `b`, as in Python.
#[inline(always)]
fn remainder<F: Real>(a: F, b: F) -> F {
    let rest = a % b;
    let other_side = (rest != F::ZERO) & ((rest < F::ZERO) != (b < F::ZERO));
    if other_side { rest + b } else { rest.copysign(b) }
}
