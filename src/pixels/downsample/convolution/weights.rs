//! The weights under the kernel of one target pixel, along one axis.

use std::ops::Range;

use super::{Axis, Kernel, middle};

/// Weights of the source pixels from `start` on.
pub(super) struct Weights {
    pub start: usize,
    pub weights: Vec<f64>,
    /// All of them together.
    pub sum: f64,
}

impl Weights {
    pub(super) fn new(kernel: Kernel, axis: Axis, target: usize) -> Weights {
        let span = kernel.span(axis, target);
        // A level that is not smaller along this axis is weighed by its own pixels.
        let scale = 1.0 / axis.ratio().max(1.0);
        let middle = middle(axis, target);
        let weight = |source: usize| (kernel.weight)(scale * (source as f64 - middle + 0.5));
        let weights: Vec<f64> = span.clone().map(weight).collect();
        Weights { start: span.start, sum: weights.iter().sum(), weights }
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.start + self.weights.len()
    }
}
