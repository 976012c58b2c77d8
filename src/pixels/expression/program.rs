//! What formulas are compiled to: steps over registers, each of which holds a value for every pixel of a strip.

use super::tree::{Binary, Unary};
use super::{Formula, LANES};

/// What a program computes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Precision {
    /// `f32`.
    Single,
    /// `f64`.
    Double,
}

impl Precision {
    /// Bytes of a number.
    pub const fn bytes(self) -> usize {
        match self {
            Precision::Single => 4,
            Precision::Double => 8,
        }
    }
}

/// What a step reads.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) enum Operand {
    Register(usize),
    /// As an `f64`, which holds every `f32` exactly.
    Number(f64),
}

/// What a step does; `to` is the register it writes.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) enum Action {
    Load { band: usize, to: usize },
    Unary { operation: Unary, a: Operand, to: usize },
    Binary { operation: Binary, a: Operand, b: Operand, to: usize },
    Where { condition: Operand, a: Operand, b: Operand, to: usize },
    Store { output: usize, from: Operand },
}

impl Action {
    /// The register that is written.
    pub(super) fn to(self) -> Option<usize> {
        match self {
            Action::Load { to, .. }
            | Action::Unary { to, .. }
            | Action::Binary { to, .. }
            | Action::Where { to, .. } => Some(to),
            Action::Store { .. } => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Step {
    pub action: Action,
    /// Registers whose last reader this is, but for the one it writes.
    pub freed: Vec<usize>,
}

/// One band of the result.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Output {
    pub name: Option<String>,
    /// The bands that its formula reads, in ascending order: only where all have data, it may have.
    pub bands: Vec<usize>,
}

/// Formulas compiled against the bands of a raster.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Program {
    pub(super) precision: Precision,
    pub(super) steps: Vec<Step>,
    pub(super) registers: usize,
    pub(super) outputs: Vec<Output>,
    /// What the raster's bands are called, `b1` and so on where they have no description.
    pub(super) bands: Vec<String>,
}

impl Program {
    /// What it computes in: see [`Program::compile`].
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Bands of the raster it was compiled against.
    pub fn bands(&self) -> usize {
        self.bands.len()
    }

    /// The bands that any formula reads, counted from 0, in ascending order.
    pub fn inputs(&self) -> Vec<usize> {
        let read = |band: &usize| self.outputs.iter().any(|output| output.bands.contains(band));
        (0..self.bands.len()).filter(read).collect()
    }

    /// The name of each output, where its formula has one.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.outputs.iter().map(|output| output.name.as_deref())
    }

    /// The bands that output `index` reads, counted from 0, in ascending order.
    ///
    /// # Panics
    /// When there is no such output.
    pub fn reads(&self, index: usize) -> &[usize] {
        &self.outputs[index].bands
    }

    /// Most values of a pixel that are alive at once.
    pub fn registers(&self) -> usize {
        self.registers
    }

    /// Bytes that an [`super::Evaluator`] takes for this program: strips of all registers, and of one more that a step
    /// writes while its operands are still there. They do not depend on the window.
    pub fn bytes(&self) -> usize {
        LANES * (self.registers + 1) * self.precision.bytes()
    }
}

impl Formula {
    /// The name of its output.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}
