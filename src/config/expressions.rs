//! Formulas over bands, each `name=formula`, and when they are computed.

use super::Problem;
use crate::pixels::named_values;
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

/// The name and the formula of `name=formula`; the name is `None` where there is no `=` but those of comparisons.
pub fn split_expression(text: &str) -> (Option<&str>, &str) {
    match text.split_once('=') {
        Some((name, formula)) if !name.ends_with(['<', '>', '!']) && !formula.starts_with('=') => {
            (Some(name.trim()), formula.trim())
        }
        _ => (None, text.trim()),
    }
}

/// What is wrong with formulas without looking into them.
pub(super) fn problems(expressions: &[String]) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut names = Vec::new();
    for text in expressions {
        let (name, formula) = split_expression(text);
        let Some(name) = name.filter(|name| !name.is_empty() && !formula.is_empty()) else {
            let hint = "for example 'ndvi=(B08-B04)/(B08+B04)'";
            found.push(Problem::new(format!("'{text}' is not NAME=FORMULA")).hint(hint));
            continue;
        };
        if names.contains(&name) {
            let message = format!("{name} names two formulas");
            found.push(Problem::new(message).hint("give each a name of its own"));
        }
        names.push(name);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_equals_sign_that_compares_nothing_ends_the_name() {
        assert_eq!(split_expression("ndvi = (a-b) / (a+b)"), (Some("ndvi"), "(a-b) / (a+b)"));
        assert_eq!(split_expression("clear=SCL==4"), (Some("clear"), "SCL==4"));
        for comparison in ["SCL==4", "B02<=3", "B02>=3", "B02!=3", "B02"] {
            assert_eq!(split_expression(comparison), (None, comparison));
        }
    }

    #[test]
    fn formulas_have_names_of_their_own() {
        let of = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            problems(&texts).iter().map(Problem::to_string).collect::<Vec<_>>()
        };
        assert!(of(&["a=B02", "b=B03, 1"]).is_empty());
        assert_eq!(of(&["a=B02", "a=B03"]), ["a names two formulas (give each a name of its own)"]);
        for wrong in ["a=", "=B02", "B02", "SCL==4", ""] {
            assert!(of(&[wrong])[0].contains("is not NAME=FORMULA"), "{wrong}");
        }
    }
}
