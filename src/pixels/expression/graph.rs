//! The values that formulas need, each once: equal ones are shared, what reads no band is computed here already.

use std::collections::HashMap;

use super::Real;
use super::lanes::{self, Source};
use super::tree::{Binary, Tree, Unary};

/// A value of a graph.
pub(super) type Id = usize;

/// How a value comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Value {
    /// A constant by its bits as an `f64`, which holds every `f32` exactly.
    Number(u64),
    /// A band, counted from 0.
    Band(usize),
    Unary(Unary, Id),
    Binary(Binary, Id, Id),
    Where(Id, Id, Id),
}

impl Value {
    /// The values that it reads, one after the other; one twice where it is read twice.
    pub(super) fn reads(self) -> impl Iterator<Item = Id> {
        let (count, reads) = match self {
            Value::Number(_) | Value::Band(_) => (0, [0; 3]),
            Value::Unary(_, a) => (1, [a, 0, 0]),
            Value::Binary(_, a, b) => (2, [a, b, 0]),
            Value::Where(condition, a, b) => (3, [condition, a, b]),
        };
        reads.into_iter().take(count)
    }
}

/// Values whose operands come before them.
#[derive(Default)]
pub(super) struct Graph {
    pub values: Vec<Value>,
    known: HashMap<Value, Id>,
}

impl Graph {
    /// Adds a formula that computes in the precision `F`; `band` knows a band by the name written.
    pub(super) fn add<F: Real>(&mut self, tree: &Tree, band: &impl Fn(&str) -> usize) -> Id {
        let mut part = |tree: &Tree| self.add::<F>(tree, band);
        let value = match tree {
            Tree::Number(number) => number_value(F::from_f64(*number)),
            Tree::Band(name) => Value::Band(band(name)),
            Tree::Unary(operation, a) => Value::Unary(*operation, part(a)),
            Tree::Binary(operation, parts) => Value::Binary(*operation, part(&parts[0]), part(&parts[1])),
            Tree::Where(parts) => Value::Where(part(&parts[0]), part(&parts[1]), part(&parts[2])),
        };
        let value = self.computed::<F>(value);
        *self.known.entry(value).or_insert_with(|| {
            self.values.push(value);
            self.values.len() - 1
        })
    }

    /// The constant, if the value is one.
    pub(super) fn number<F: Real>(&self, id: Id) -> Option<F> {
        match self.values[id] {
            Value::Number(bits) => Some(F::from_f64(f64::from_bits(bits))),
            _ => None,
        }
    }

    /// The value itself, or a constant where it reads nothing else, computed as strips of pixels are.
    fn computed<F: Real>(&self, value: Value) -> Value {
        let number = |id| self.number::<F>(id).map(Source::Number);
        let mut result = [F::ZERO];
        let computed = match value {
            Value::Number(_) | Value::Band(_) => None,
            Value::Unary(operation, a) => number(a).map(|a| lanes::unary(operation, a, &mut result)),
            Value::Binary(operation, a, b) => {
                number(a).zip(number(b)).map(|(a, b)| lanes::binary(operation, a, b, &mut result))
            }
            Value::Where(condition, a, b) => number(condition)
                .zip(number(a).zip(number(b)))
                .map(|(condition, (a, b))| lanes::choose(condition, a, b, &mut result)),
        };
        computed.map_or(value, |()| number_value(result[0]))
    }
}

/// All NaN are one: no data.
fn number_value<F: Real>(number: F) -> Value {
    let number = if number.is_nan() { f64::NAN } else { number.to_f64() };
    Value::Number(number.to_bits())
}
