//! Band arithmetic: formulas such as `ndvi=(B08-B04)/(B08+B04)`, compiled once to a small program over strips of pixels.
//!
//! | what | how it is written |
//! |---|---|
//! | formulas | `name=formula` or a formula alone; several are separated by `;` |
//! | bands | `b1`, `b2`, … by number, always; else by description, `B08`; `{near infrared}` in braces where it holds more than letters, digits and `_` or begins with a digit (not in backquotes, inside which a shell runs commands) |
//! | numbers | `3`, `0.5`, `1e-4`; `nodata` or `nan` is no data |
//! | operators | as in Python, from tight to loose: `**`, then `-` `+` `!` `~` before a value, `*` `/` `%`, `+` `-`, `&`, `\|`, comparisons `<` `<=` `>` `>=` `==` `!=`, `not`, `and`, `or` |
//! | functions | `where(condition, then, else)`, `clip(x, lowest, highest)`, `min`, `max`, `pow(x, y)`, `atan2(y, x)`, `abs`, `sqrt`, `exp`, `log`, `log2`, `log10`, `sin`, `cos`, `tan`, `asin`, `acos`, `atan`, `floor`, `ceil`, `round` (half to even) |
//!
//! - Conditions are 1 where they hold, else 0; every number but 0 holds. Comparisons are not chained. `&`, `|` and `~`
//!   take conditions only, since in Python they compute with bits. `%` has the divisor's sign, as in Python.
//! - A result has data only where every band that its formula reads has data. NaN is no data, so `0/0`, `sqrt(-1)` and
//!   `log(-1)` are; an operation with an operand without data has none, whatever the operation. Only the branch that
//!   `where` does not take does not count: `where(b2 == 0, 0, b1 / b2)` has data. A formula that reads no band has data
//!   everywhere.
//! - Infinities are numbers: they stay in outputs of floats, and become the largest and least of whole ones.
//! - What is computed in is said at [`Program::compile`]. Every operation is rounded by itself, as IEEE 754 has it, so
//!   results depend on neither the machine's vectors nor the window; only of powers, `exp`, logarithms and angles the C
//!   library decides the last digit. `x ** 2` is `x * x`.

mod bounds;
mod compile;
mod evaluate;
mod graph;
mod lanes;
mod parse;
mod plan_text;
mod program;
mod real;
mod schedule;
mod slow;
#[cfg(test)]
mod tests;
mod tree;

pub use bounds::Bounds;
pub use compile::find_band;
pub use evaluate::{Evaluator, Present};
pub use program::{Precision, Program};
pub use real::Real;

/// Pixels in a strip: a register of `f32` takes 4 KiB, so that eight of them stay in the nearest cache of any core.
const LANES: usize = 1024;

/// One output: a formula over the bands of a raster, and its name if it was given one.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Formula {
    name: Option<String>,
    tree: tree::Tree,
}

impl Formula {
    /// The formulas of a text, an output each.
    ///
    /// # Errors
    /// What is wrong with the text, below it the place.
    pub fn parse(text: &str) -> Result<Vec<Formula>, String> {
        parse::formulas(text).map_err(|fault| fault.shown_in(text))
    }

    /// The values of the band with this index, under a name.
    pub fn of_band(index: usize, name: &str) -> Formula {
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        Formula { name, tree: tree::Tree::Band(format!("b{}", index + 1)) }
    }

    /// The same, multiplied with a factor.
    pub fn times(&self, factor: f64) -> Formula {
        let tree = tree::Tree::binary(tree::Binary::Multiply, self.tree.clone(), tree::Tree::Number(factor));
        Formula { name: self.name.clone(), tree }
    }
}
