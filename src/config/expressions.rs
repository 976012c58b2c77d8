//! Formulas over bands, and when they are computed.

use super::Problem;
use crate::pixels::{Formula, named_values};
use std::fmt;
use std::str::FromStr;

named_values! {
    /// When formulas are computed.
    Stage, "stage of formulas" {
        /// For every scene, before overlaps are decided.
        Before => "before",
        /// Of the decided pixels.
        After => "after",
    }
}

/// What is wrong with formulas without knowing the bands.
pub(super) fn problems(expressions: &[String]) -> Vec<Problem> {
    let wrong = |text: &String| Formula::parse(text).err().map(Problem::new);
    expressions.iter().filter_map(wrong).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_that_cannot_be_understood_are_problems_with_or_without_a_name() {
        let of = |text: &str| problems(&[text.to_owned()]).len();
        for right in ["ndvi = (B08-B04) / (B08+B04)", "where(b1 > 50, 1, 0)", "clear = SCL == 4; b1 * 2"] {
            assert_eq!(of(right), 0, "{right}");
        }
        for wrong in ["ndvi = (B08-", "a=", "", "where(b1)"] {
            assert_eq!(of(wrong), 1, "{wrong}");
        }
    }
}
