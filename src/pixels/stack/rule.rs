//! The rules that need all scenes at once, and those that are made of the same parts.

use super::super::Number;

/// How a pixel is decided from the scenes that have data there.
///
/// Whole output types round half to even and clamp; a result that is NaN is no data.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Rule {
    /// The first scene with data in all bands.
    First,
    /// Of each band the first scene's with data in it.
    FirstOfBand,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The mean.
    Mean,
    /// The sum.
    Sum,
    /// How many scenes have data.
    Count,
    /// The middle value, or exactly half-way between the two in the middle.
    Median,
    /// The value below which so many percent lie (0 to 100), linearly between two values as numpy's default:
    /// Hyndman and Fan's definition 7.
    Percentile(f64),
    /// The standard deviation of the population: divided by the count, not by one less.
    StandardDeviation,
    /// The most frequent value; of several the smallest.
    Mode,
    /// The scene whose Euclidean distances to the others sum up to the least; of several the first.
    Medoid,
    /// The point, of no scene, whose Euclidean distances to all scenes sum up to the least. A scene with an infinite
    /// value takes no part.
    GeometricMedian,
    /// The scene with the highest score; of several the first.
    Highest,
    /// The scene with the lowest score; of several the first.
    Lowest,
}

impl Rule {
    /// Whether all bands are decided together: then only scenes with data in every band take part.
    pub const fn is_together(self) -> bool {
        self.chooses_scene() || matches!(self, Rule::GeometricMedian)
    }

    /// Whether a pixel is that of one scene, in all bands.
    pub const fn chooses_scene(self) -> bool {
        matches!(self, Rule::First | Rule::Medoid | Rule::Highest | Rule::Lowest)
    }

    /// Whether scenes are told apart by a score.
    pub const fn needs_score(self) -> bool {
        matches!(self, Rule::Highest | Rule::Lowest)
    }

    /// Whether the result is a value that a scene could have, so that one scene comes nearest to it.
    pub const fn is_value(self) -> bool {
        !matches!(self, Rule::Sum | Rule::Count | Rule::StandardDeviation)
    }
}

/// What is asked of a stack.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    /// How pixels are decided.
    pub rule: Rule,
    /// Scenes × pixels, for rules that need a score. A scene takes no part where its score is NaN.
    pub score: Option<&'a [f32]>,
    /// Fewer scenes with data than that give the background; none at all always do.
    pub least: u32,
    /// Of each band the value of pixels without data.
    pub background: &'a [Number],
}
