//! What a text means, by kind of value. Errors name the text and what would be understood.

use crate::geometry::{Bounds, Resolution, ResolutionRule};
use crate::plan::Overviews;
use chrono::NaiveDate;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("an empty text names no file".to_owned()) } else { Ok(text.into()) }
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(format!("'{text}' is neither true nor false")),
    }
}

/// A value of a fixed list of names, in any case.
pub(super) fn named<T: FromStr<Err = String>>(text: &str) -> Result<T, String> {
    text.to_ascii_lowercase().parse()
}

pub(super) fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("'{text}' is no whole number"))
}

pub(super) fn predictor(text: &str) -> Result<u8, String> {
    let known = text.parse().ok().filter(|number| (1..=3).contains(number));
    known.ok_or_else(|| format!("'{text}' is no predictor; 1, 2 and 3 are"))
}

/// none, auto, or growing factors from 2 on.
pub(super) fn overviews(text: &str) -> Result<Overviews, String> {
    match text.to_ascii_lowercase().as_str() {
        "none" => return Ok(Overviews::None),
        "auto" => return Ok(Overviews::Auto),
        _ => {}
    }
    let factors: Option<Vec<usize>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    let factors = factors.filter(|factors| {
        let growing =
            factors.first().is_some_and(|&first| first >= 2) && factors.windows(2).all(|p| p[0] < p[1]);
        growing && factors.len() <= 30
    });
    let wrong = || format!("'{text}' are no overviews; write none, auto, or growing factors such as 2,4,8");
    Ok(Overviews::Factors(factors.ok_or_else(wrong)?))
}

/// `KEY=VALUE`, the key in upper case.
pub(super) fn creation_option(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("'{text}' is not KEY=VALUE"))?;
    Ok((key.trim().to_ascii_uppercase(), value.trim().to_owned()))
}

pub(super) fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

pub(super) fn resolution(text: &str) -> Result<ResolutionRule, String> {
    let wrong = || format!("'{text}' is no resolution; write highest, lowest, average, common, or X[,Y]");
    Ok(match text.to_ascii_lowercase().as_str() {
        "same" => ResolutionRule::Same,
        "highest" => ResolutionRule::Highest,
        "lowest" => ResolutionRule::Lowest,
        "average" => ResolutionRule::Average,
        "common" => ResolutionRule::Common,
        _ => match numbers(text).ok_or_else(wrong)?.as_slice() {
            [side] => ResolutionRule::Given(Resolution { x: *side, y: *side }),
            [x, y] => ResolutionRule::Given(Resolution { x: *x, y: *y }),
            _ => return Err(wrong()),
        },
    })
}

pub(super) fn bounds(text: &str) -> Result<Bounds, String> {
    match numbers(text).as_deref() {
        Some(&[min_x, min_y, max_x, max_y]) => Ok(Bounds { min_x, min_y, max_x, max_y }),
        _ => Err(format!("'{text}' is not four numbers xmin,ymin,xmax,ymax")),
    }
}

pub(super) fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("'{text}' is no number"))
}

/// A day as ISO 8601 writes it, all digits.
pub(super) fn day(text: &str) -> Result<NaiveDate, String> {
    let day = text.parse().ok().filter(|day: &NaiveDate| day.to_string() == text);
    day.ok_or_else(|| format!("'{text}' is no day; write YYYY-MM-DD"))
}

/// One value or a range of them with both ends: `4`, `8-11`, `-5--1`.
pub(super) fn values(text: &str) -> Result<RangeInclusive<i64>, String> {
    // A hyphen in front is a sign.
    let hyphen = text.char_indices().skip(1).find(|(_, character)| *character == '-');
    let (first, last) = hyphen.map_or((text, text), |(at, _)| (&text[..at], &text[at + 1..]));
    let values = first.trim().parse().ok().zip(last.trim().parse().ok());
    let values = values.map(|(first, last)| first..=last).filter(|values| !values.is_empty());
    values.ok_or_else(|| format!("'{text}' is neither a whole number nor a range such as 8-11"))
}

pub(super) fn bit(text: &str) -> Result<u8, String> {
    let bit = text.parse().ok().filter(|bit| *bit <= 63);
    bit.ok_or_else(|| format!("'{text}' is no bit; 0 to 63 are"))
}

fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split(',').map(|part| part.trim().parse().ok()).collect()
}
