//! What a formula's value lies between where its bands are known within bounds: interval arithmetic over its tree.
//!
//! Each operation is given the least and the largest number that it can have, in the precision in which it is computed:
//! rounding is monotone, so corners that are rounded bound what is rounded. Of operands that are known exactly it gives
//! what [`Formula::value`] gives. Operands are taken as independent: `b1 - b1` is not known to be zero.

mod binary;
mod power;
mod unary;

use super::slow;
use super::tree::Tree;
use super::{Formula, Real};

/// What is known of a value: that it is no data, a number between two, or either.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds<F> {
    /// The least and the largest number that it may be; nothing where it is no data.
    pub between: Option<(F, F)>,
    /// Whether it may be no data.
    pub or_nothing: bool,
}

impl<F: Real> Bounds<F> {
    /// No data.
    pub const NOTHING: Bounds<F> = Bounds { between: None, or_nothing: true };

    /// This number; NaN is no data.
    pub fn exactly(number: F) -> Bounds<F> {
        Bounds::between(number, number)
    }

    /// A number from `low` to `high`; no data where one is NaN.
    pub fn between(low: F, high: F) -> Bounds<F> {
        match low.is_nan() || high.is_nan() {
            true => Bounds::NOTHING,
            false => Bounds { between: Some((low, high)), or_nothing: false },
        }
    }

    /// What lies between the least and the largest of these; no data where one is NaN.
    fn around(numbers: &[F]) -> Bounds<F> {
        let exact = numbers.iter().map(|&number| Bounds::exactly(number));
        exact.reduce(Bounds::or).unwrap_or(Bounds::NOTHING)
    }

    /// 1 or 0, by which of both may be.
    fn truth(may_hold: bool, may_fail: bool) -> Bounds<F> {
        match (may_hold, may_fail) {
            (true, false) => Bounds::exactly(F::ONE),
            (false, true) => Bounds::exactly(F::ZERO),
            _ => Bounds::between(F::ZERO, F::ONE),
        }
    }

    /// What is one or the other.
    fn or(self, other: Bounds<F>) -> Bounds<F> {
        let between = match (self.between, other.between) {
            (Some((a, b)), Some((c, d))) => Some((lesser(a, c), greater(b, d))),
            (one, other) => one.or(other),
        };
        Bounds { between, or_nothing: self.or_nothing || other.or_nothing }
    }

    /// The same, or no data if `nothing`.
    fn or_nothing_if(self, nothing: bool) -> Bounds<F> {
        Bounds { or_nothing: self.or_nothing || nothing, ..self }
    }

    /// A little more, for functions of whose results the C library decides the last digit: each is less than one off,
    /// which also the one at the corner may be.
    fn widened(self) -> Bounds<F> {
        let down = |number: F| number.next_down().next_down();
        let up = |number: F| number.next_up().next_up();
        Bounds { between: self.between.map(|(low, high)| (down(low), up(high))), ..self }
    }

    /// Only as far as it lies in a function's range.
    fn within(self, least: F, most: F) -> Bounds<F> {
        let between = self.between.map(|(low, high)| (greater(low, least), lesser(high, most)));
        Bounds { between, ..self }
    }
}

/// The lesser of two numbers; of two zeros the negative one.
fn lesser<F: Real>(a: F, b: F) -> F {
    if b < a || a == b && is_negative(b) { b } else { a }
}

/// The greater of two numbers; of two zeros the positive one.
fn greater<F: Real>(a: F, b: F) -> F {
    if b > a || a == b && is_negative(a) { b } else { a }
}

fn is_negative<F: Real>(number: F) -> bool {
    F::ONE.copysign(number) < F::ZERO
}

/// The ends of an operand; of two zeros -0 is the lesser one, so that the sign of a zero is known that is an end.
type Ends<F> = (F, F);

/// Whether there is one number between the ends, down to the sign of zero.
fn is_exact<F: Real>((low, high): Ends<F>) -> bool {
    low == high && is_negative(low) == is_negative(high)
}

/// Whether numbers of both signs, zeros too, lie between the ends.
fn changes_sign<F: Real>((low, high): Ends<F>) -> bool {
    is_negative(low) && !is_negative(high)
}

/// Whether zero, of any sign, may lie between the ends.
fn spans_zero<F: Real>((low, high): Ends<F>) -> bool {
    low <= F::ZERO && high >= F::ZERO
}

/// Whether an infinity lies there.
fn reaches_infinity<F: Real>((low, high): Ends<F>) -> bool {
    low == -F::INFINITY || high == F::INFINITY
}

/// Whether a condition may hold, and whether it may fail.
fn may_hold_or_fail<F: Real>((low, high): Ends<F>) -> (bool, bool) {
    (low != F::ZERO || high != F::ZERO, spans_zero((low, high)))
}

impl Formula {
    /// What one pixel's value lies between, in the precision `F`, given what its bands lie between by the names of
    /// [`Formula::names`].
    pub fn bounds<F: Real>(&self, bands: &dyn Fn(&str) -> Bounds<F>) -> Bounds<F> {
        let named = || self.names().into_iter().map(bands);
        if named().any(|band| band.between.is_none()) {
            return Bounds::NOTHING;
        }
        bounds(&self.tree, bands).or_nothing_if(named().any(|band| band.or_nothing))
    }
}

fn bounds<F: Real>(tree: &Tree, bands: &dyn Fn(&str) -> Bounds<F>) -> Bounds<F> {
    let of = |part: &Tree| bounds(part, bands);
    match tree {
        Tree::Number(number) => Bounds::exactly(F::from_f64(*number)),
        Tree::Band(name) => bands(name),
        Tree::Unary(operation, part) => {
            let part = of(part);
            let Some(ends) = part.between else { return Bounds::NOTHING };
            let result = match is_exact(ends) {
                true => Bounds::exactly(slow::unary(*operation, ends.0)),
                false => unary::unary(*operation, ends),
            };
            result.or_nothing_if(part.or_nothing)
        }
        Tree::Binary(operation, parts) => {
            let (a, b) = (of(&parts[0]), of(&parts[1]));
            let (Some(left), Some(right)) = (a.between, b.between) else { return Bounds::NOTHING };
            let result = match is_exact(left) && is_exact(right) {
                true => Bounds::exactly(slow::binary(*operation, left.0, right.0)),
                false => binary::binary(*operation, left, right),
            };
            result.or_nothing_if(a.or_nothing || b.or_nothing)
        }
        Tree::Where(parts) => {
            let condition = of(&parts[0]);
            let Some(ends) = condition.between else { return Bounds::NOTHING };
            let chosen = match may_hold_or_fail(ends) {
                (true, false) => of(&parts[1]),
                (false, _) => of(&parts[2]),
                _ => of(&parts[1]).or(of(&parts[2])),
            };
            chosen.or_nothing_if(condition.or_nothing)
        }
    }
}
