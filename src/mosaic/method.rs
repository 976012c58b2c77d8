//! What a method asked for means: a rule, and the order of the scenes.

use std::cmp::Reverse;

use crate::config::Method;
use crate::pixels::{self, Formula, Rule};
use crate::source::scenes::{Date, Scene};
use crate::source::{Problem, ScoreRequest};

/// The rule by which a stack of scenes is decided; the first of them comes first.
pub fn rule(method: &Method) -> Rule {
    match method {
        Method::Simple(pixels::Method::First | pixels::Method::Last) => Rule::FirstOfBand,
        Method::Simple(pixels::Method::Min) => Rule::Min,
        Method::Simple(pixels::Method::Max) => Rule::Max,
        Method::Simple(pixels::Method::Mean) => Rule::Mean,
        Method::Simple(pixels::Method::Sum) => Rule::Sum,
        Method::Simple(pixels::Method::Count) => Rule::Count,
        Method::Median => Rule::Median,
        Method::Percentile(percent) => Rule::Percentile(*percent),
        Method::StandardDeviation => Rule::StandardDeviation,
        Method::Mode => Rule::Mode,
        Method::Medoid => Rule::Medoid,
        Method::GeometricMedian => Rule::GeometricMedian,
        Method::Newest | Method::Oldest | Method::Closest(_) => Rule::First,
        Method::Center => Rule::Highest,
        Method::Best { highest: true, .. } => Rule::Highest,
        Method::Best { highest: false, .. } => Rule::Lowest,
    }
}

/// The method that adds source by source to which this one is alike: whether it chooses values or makes new ones, and
/// which of several comes first.
pub fn alike(method: &Method) -> pixels::Method {
    match method {
        Method::Simple(simple) => *simple,
        Method::Median | Method::Percentile(_) | Method::StandardDeviation | Method::GeometricMedian => {
            pixels::Method::Mean
        }
        Method::Mode => pixels::Method::Min,
        _ => pixels::Method::First,
    }
}

/// By what a method tells scenes apart, where its rule needs a score.
///
/// # Errors
/// A formula that cannot be understood, or several.
pub fn score(method: &Method) -> Result<Option<ScoreRequest>, Problem> {
    let formula = match method {
        Method::Center => return Ok(Some(ScoreRequest::FromEdge)),
        Method::Best { formula, .. } => formula,
        _ => return Ok(None),
    };
    let problem = |message: String| Problem::new("--method", message);
    match <[Formula; 1]>::try_from(Formula::parse(formula).map_err(problem)?) {
        Ok([formula]) => Ok(Some(ScoreRequest::Formula(formula))),
        Err(several) => Err(problem(format!("one formula is needed, and there are {}", several.len()))),
    }
}

/// Whether a method chooses among scenes by their dates.
pub fn needs_dates(method: &Method) -> bool {
    matches!(method, Method::Newest | Method::Oldest | Method::Closest(_))
}

/// Puts scenes in the order in which they count: by date for methods that choose by date, the last given first for
/// `last`; for rules to which the order is nothing by name, so that the sums of floats do not depend on it.
pub fn put_in_order(method: &Method, scenes: &mut [Scene]) {
    let days = |scene: &Scene, day: &Date| scene.date.map(|date| (date - *day).num_days().abs());
    match method {
        Method::Newest => scenes.sort_by_key(|scene| Reverse(scene.date)),
        Method::Oldest => scenes.sort_by_key(|scene| scene.date),
        Method::Closest(day) => scenes.sort_by_key(|scene| days(scene, day)),
        Method::Simple(pixels::Method::Last) => scenes.reverse(),
        Method::Simple(pixels::Method::First) | Method::Medoid | Method::Center | Method::Best { .. } => {}
        _ => scenes.sort_by(|one, other| one.name.cmp(&other.name)),
    }
}
