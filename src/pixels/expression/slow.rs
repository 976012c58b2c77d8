//! A formula's value for one pixel, slowly and obviously: the second opinion on what [`super::Evaluator`] computes.
//!
//! Nothing is compiled, folded or shared here, and no data are `None`, not NaN. In the same precision both give the
//! same value to the last bit.

use super::tree::{Binary, Tree, Unary};
use super::{Formula, Real};

impl Formula {
    /// The value of one pixel in the precision `F`, given its bands by the names of [`Formula::names`], `None` where
    /// a band has no data. `None` where any of them has none, and where the result is no data.
    pub fn value<F: Real>(&self, bands: &dyn Fn(&str) -> Option<F>) -> Option<F> {
        let complete = self.names().iter().all(|name| bands(name).is_some());
        if complete { value(&self.tree, bands) } else { None }
    }
}

fn value<F: Real>(tree: &Tree, bands: &dyn Fn(&str) -> Option<F>) -> Option<F> {
    let result = match tree {
        Tree::Number(number) => F::from_f64(*number),
        Tree::Band(name) => bands(name)?,
        Tree::Unary(operation, part) => unary(*operation, value(part, bands)?),
        Tree::Binary(operation, parts) => {
            binary(*operation, value(&parts[0], bands)?, value(&parts[1], bands)?)
        }
        Tree::Where(parts) => {
            let chosen = if value(&parts[0], bands)? == F::ZERO { &parts[2] } else { &parts[1] };
            value(chosen, bands)?
        }
    };
    Some(result).filter(|result| !result.is_nan())
}

pub(super) fn unary<F: Real>(operation: Unary, a: F) -> F {
    match operation {
        Unary::Negate => -a,
        Unary::Not => truth(a == F::ZERO),
        Unary::Square => a * a,
        Unary::Abs => a.abs(),
        Unary::Sqrt => a.sqrt(),
        Unary::Exp => a.exp(),
        Unary::Log => a.ln(),
        Unary::Log10 => a.log10(),
        Unary::Log2 => a.log2(),
        Unary::Sin => a.sin(),
        Unary::Cos => a.cos(),
        Unary::Tan => a.tan(),
        Unary::Asin => a.asin(),
        Unary::Acos => a.acos(),
        Unary::Atan => a.atan(),
        Unary::Floor => a.floor(),
        Unary::Ceil => a.ceil(),
        Unary::Round => a.round_ties_even(),
    }
}

pub(super) fn binary<F: Real>(operation: Binary, a: F, b: F) -> F {
    match operation {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        // With the divisor's sign, as in Python.
        Binary::Remainder if b < F::ZERO => -(-a).rem_euclid(-b).abs(),
        Binary::Remainder => a.rem_euclid(b).abs(),
        Binary::Power => a.powf(b),
        Binary::Less => truth(a < b),
        Binary::LessEqual => truth(a <= b),
        Binary::Greater => truth(a > b),
        Binary::GreaterEqual => truth(a >= b),
        Binary::Equal => truth(a == b),
        Binary::NotEqual => truth(a != b),
        Binary::And => truth(a != F::ZERO && b != F::ZERO),
        Binary::Or => truth(a != F::ZERO || b != F::ZERO),
        Binary::Min if a < b => a,
        Binary::Max if a > b => a,
        Binary::Min | Binary::Max => b,
        Binary::Atan2 => a.atan2(b),
    }
}

fn truth<F: Real>(holds: bool) -> F {
    if holds { F::ONE } else { F::ZERO }
}
