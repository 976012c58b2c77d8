//! The functions that formulas know, and how many values each takes.

use crate::pixels::expression::tree::{Binary, Tree, Unary};

/// Functions of several values.
const OTHERS: [&str; 6] = ["atan2", "clip", "max", "min", "pow", "where"];

/// The function called `name` of `values`, or what is wrong about that.
pub(super) fn call(name: &str, values: Vec<Tree>) -> Result<Tree, String> {
    let count = values.len();
    let takes = |wanted: &str| format!("{name} takes {wanted}, not {count}");
    if let Some((_, function)) = Unary::FUNCTIONS.iter().find(|(known, _)| *known == name) {
        let [value] = exactly(values).ok_or_else(|| takes("1 value"))?;
        return Ok(Tree::unary(*function, value));
    }
    match name {
        "where" => {
            let values =
                exactly(values).ok_or_else(|| takes("3 values: a condition, what holds there, else"))?;
            Ok(Tree::Where(Box::new(values)))
        }
        "clip" => {
            let [value, low, high] = exactly(values).ok_or_else(|| takes("3 values: x, lowest, highest"))?;
            Ok(Tree::binary(Binary::Min, Tree::binary(Binary::Max, value, low), high))
        }
        "pow" => {
            let [base, exponent] = exactly(values).ok_or_else(|| takes("2 values: base, exponent"))?;
            Ok(Tree::binary(Binary::Power, base, exponent))
        }
        "atan2" => {
            let [y, x] = exactly(values).ok_or_else(|| takes("2 values: y, x"))?;
            Ok(Tree::binary(Binary::Atan2, y, x))
        }
        "min" | "max" if count < 2 => Err(takes("2 values or more")),
        "min" => Ok(fold(Binary::Min, values)),
        "max" => Ok(fold(Binary::Max, values)),
        _ => {
            let mut known: Vec<&str> =
                Unary::FUNCTIONS.iter().map(|(known, _)| *known).chain(OTHERS).collect();
            known.sort_unstable();
            Err(format!("there is no function {name}; known are {}", known.join(", ")))
        }
    }
}

fn exactly<const COUNT: usize>(values: Vec<Tree>) -> Option<[Tree; COUNT]> {
    values.try_into().ok()
}

fn fold(operation: Binary, values: Vec<Tree>) -> Tree {
    let joined = values.into_iter().reduce(|left, right| Tree::binary(operation, left, right));
    joined.unwrap_or(Tree::Number(f64::NAN))
}
