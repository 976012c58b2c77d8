//! How overlaps are decided, as it is typed: names, some of them with a parameter.

use super::meaning::day;
use crate::pixels;
use chrono::NaiveDate;
use std::fmt;
use std::str::FromStr;

/// How one pixel is decided from the sources, or scenes, that have data there. Written as it is typed.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// What needs no more than one source at a time.
    Simple(pixels::Method),
    /// The middle value.
    Median,
    /// The value below which so many percent lie: 0 to 100, fractions too.
    Percentile(f64),
    /// The standard deviation.
    StandardDeviation,
    /// The most frequent value.
    Mode,
    /// The scene whose distances to the others, over all bands, sum up to the least.
    Medoid,
    /// The point whose distances to all scenes, over all bands, sum up to the least.
    GeometricMedian,
    /// The latest scene.
    Newest,
    /// The earliest scene.
    Oldest,
    /// The scene whose day is nearest to this one.
    Closest(NaiveDate),
    /// The source whose centre is nearest to the pixel.
    Center,
    /// The scene whose pixel has the highest, or else the lowest, value of a formula over its bands.
    Best {
        /// Whether the highest value wins.
        highest: bool,
        /// The formula.
        formula: String,
    },
}

/// How the methods beside [`pixels::Method`] are typed, capitals standing for a parameter.
const FORMS: [&str; 12] = [
    "median",
    "percentile:P",
    "stddev",
    "mode",
    "medoid",
    "geomedian",
    "newest",
    "oldest",
    "closest:DATE",
    "center",
    "best:max:EXPR",
    "best:min:EXPR",
];

impl Method {
    /// How every method is typed, in the order in which help lists them; capitals stand for a parameter.
    pub fn forms() -> Vec<&'static str> {
        pixels::Method::ALL.iter().map(|method| method.name()).chain(FORMS).collect()
    }

    /// What is wrong with the parameter.
    pub(super) fn problem(&self) -> Option<String> {
        match self {
            Method::Percentile(share) if !(0.0..=100.0).contains(share) => {
                Some(format!("{share} is no percentile; from 0 to 100 are"))
            }
            Method::Best { formula, .. } if formula.trim().is_empty() => {
                Some(format!("'{self}' lacks the formula that scenes are judged by"))
            }
            _ => None,
        }
    }

    /// Whether the result is a value that a source could have, so that one source comes nearest to it.
    pub fn is_value(&self) -> bool {
        use pixels::Method::{Count, Sum};
        !matches!(self, Method::Simple(Sum | Count) | Method::StandardDeviation)
    }
}

impl From<pixels::Method> for Method {
    fn from(method: pixels::Method) -> Self {
        Method::Simple(method)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Method::Simple(method) => write!(out, "{method}"),
            Method::Median => out.write_str("median"),
            Method::Percentile(share) => write!(out, "percentile:{share}"),
            Method::StandardDeviation => out.write_str("stddev"),
            Method::Mode => out.write_str("mode"),
            Method::Medoid => out.write_str("medoid"),
            Method::GeometricMedian => out.write_str("geomedian"),
            Method::Newest => out.write_str("newest"),
            Method::Oldest => out.write_str("oldest"),
            Method::Closest(day) => write!(out, "closest:{day}"),
            Method::Center => out.write_str("center"),
            Method::Best { highest: true, formula } => write!(out, "best:max:{formula}"),
            Method::Best { highest: false, formula } => write!(out, "best:min:{formula}"),
        }
    }
}

impl FromStr for Method {
    type Err = String;

    /// Names are known in any case; formulas are taken as they are.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name.trim().to_ascii_lowercase(), Some(parameter.trim())),
            None => (text.trim().to_ascii_lowercase(), None),
        };
        let method = match (name.as_str(), parameter) {
            ("median", None) => Method::Median,
            ("stddev", None) => Method::StandardDeviation,
            ("mode", None) => Method::Mode,
            ("medoid", None) => Method::Medoid,
            ("geomedian", None) => Method::GeometricMedian,
            ("newest", None) => Method::Newest,
            ("oldest", None) => Method::Oldest,
            ("center", None) => Method::Center,
            ("percentile", Some(share)) => Method::Percentile(share.parse().map_err(|_| unknown(text))?),
            ("closest", Some(date)) => Method::Closest(day(date)?),
            ("best", Some(rest)) => best(rest).ok_or_else(|| unknown(text))?,
            (simple, None) => Method::Simple(simple.parse().map_err(|_| unknown(text))?),
            _ => return Err(unknown(text)),
        };
        method.problem().map_or(Ok(method), Err)
    }
}

/// `max:EXPR` or `min:EXPR`.
fn best(text: &str) -> Option<Method> {
    let (which, formula) = text.split_once(':')?;
    let highest = match which.trim().to_ascii_lowercase().as_str() {
        "max" => true,
        "min" => false,
        _ => return None,
    };
    Some(Method::Best { highest, formula: formula.trim().to_owned() })
}

/// Names the forms of the method that was meant, or all where none was.
fn unknown(text: &str) -> String {
    let name_of = |form: &str| form.split(':').next().unwrap_or(form).trim().to_ascii_lowercase();
    let meant: Vec<_> = Method::forms().into_iter().filter(|form| name_of(form) == name_of(text)).collect();
    match meant.as_slice() {
        [] => format!("'{text}' is no method; known are {}", Method::forms().join(", ")),
        forms => format!("'{text}' is no method; write {}", forms.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Method {
        text.parse().unwrap_or_else(|message| panic!("{message}"))
    }

    fn refused(text: &str) -> String {
        text.parse::<Method>().expect_err(text)
    }

    #[test]
    fn a_method_is_written_as_it_is_typed() {
        for text in Method::forms() {
            let text =
                text.replace("EXPR", "(B08-B04)/B04").replace("DATE", "2024-07-01").replace('P', "12.5");
            assert_eq!(parsed(&text).to_string(), text);
        }
    }

    #[test]
    fn parameters_are_understood() {
        assert_eq!(parsed("percentile:25"), Method::Percentile(25.0));
        assert_eq!(parsed("Percentile: 99.5"), Method::Percentile(99.5));
        assert_eq!(
            parsed("closest:2024-02-29"),
            Method::Closest(NaiveDate::from_ymd_opt(2024, 2, 29).unwrap())
        );
        let formula = "where(B02 > 0, {a:b}, 1)".to_owned();
        assert_eq!(parsed("best:MIN: where(B02 > 0, {a:b}, 1)"), Method::Best { highest: false, formula });
        assert_eq!(parsed("MEAN"), Method::Simple(pixels::Method::Mean));
    }

    #[test]
    fn what_is_no_method_is_told_with_what_would_be_one() {
        assert!(refused("magic").starts_with("'magic' is no method; known are last, first, "));
        assert_eq!(refused("percentile"), "'percentile' is no method; write percentile:P");
        assert_eq!(refused("percentile:many"), "'percentile:many' is no method; write percentile:P");
        assert_eq!(refused("median:3"), "'median:3' is no method; write median");
        assert_eq!(refused("last:3"), "'last:3' is no method; write last");
        assert_eq!(refused("best:B04"), "'best:B04' is no method; write best:max:EXPR or best:min:EXPR");
        assert!(refused("best:max: ").contains("lacks the formula"));
        for share in ["-1", "100.5", "nan", "inf"] {
            assert!(refused(&format!("percentile:{share}")).contains("is no percentile"), "{share}");
        }
        for date in ["", "2024", "2024-02-30", "2024-2-3", "yesterday"] {
            assert!(refused(&format!("closest:{date}")).contains("YYYY-MM-DD"), "{date}");
        }
    }

    #[test]
    fn some_methods_give_values_that_no_source_has() {
        assert!(parsed("median").is_value() && parsed("last").is_value());
        assert!(!parsed("sum").is_value() && !parsed("count").is_value() && !parsed("stddev").is_value());
    }
}
