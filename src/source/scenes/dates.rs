//! Dates of acquisition, as file names and metadata write them.

use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};
use regex::{Captures, Regex};

/// A day of the Gregorian calendar.
pub type Date = NaiveDate;

/// `20240602`, `2024-06-02`, `2024_06_02`, `2024.06.02`, `2024:06:02` (as TIFF writes it), with the same separator
/// twice; no digit may touch either end, so that numbers of orbits and tiles are not taken for dates.
static DAY: LazyLock<Regex> = LazyLock::new(|| {
    let days = ["", "-", "_", r"\.", ":", "/"].map(|s| format!(r"(?:[0-9]{{4}}{s}[0-9]{{2}}{s}[0-9]{{2}})"));
    Regex::new(&format!(r"(?:^|[^0-9])({})(?:[^0-9]|$)", days.join("|"))).expect("the expression is sound")
});

/// Year and day of the year, as in names of MODIS (`.A2020117.`) and HLS (`.2020117T160901.`).
static DAY_OF_YEAR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^0-9A-Za-z])(?:A([0-9]{4})([0-9]{3})(?:[^0-9]|$)|([0-9]{4})([0-9]{3})T[0-9]{6})")
        .expect("the expression is sound")
});

/// A stem that is nothing but a year, or a year and a month.
static YEAR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^([0-9]{4})(?:[-_]([0-9]{2}))?$").expect("the expression is sound"));

/// The first date in a text: `S2A_MSIL2A_20240602T112121_…`, `LC08_L2SP_007066_20200101_…`, `exe_2024-06-02_12-21-19`,
/// `2024:06:02 11:21:19`. The first one, since names of products have the acquisition before the processing.
pub fn in_text(text: &str) -> Option<Date> {
    let mut from = 0;
    while let Some(found) = DAY.captures_at(text, from) {
        let written = found.get(1)?;
        let digits: String = written.as_str().chars().filter(char::is_ascii_digit).collect();
        let number = |range: std::ops::Range<usize>| digits[range].parse().ok();
        let date = plausible(number(0..4)?, number(4..6)?, number(6..8)?);
        if date.is_some() {
            return date;
        }
        // The character behind a number that is no date may stand in front of one that is.
        from = written.end();
    }
    DAY_OF_YEAR.captures_iter(text).find_map(|found| day_of_year(&found))
}

/// The day that a whole text is: `2024-06-02`, not `delivered 2024-06-02`.
pub fn of_day(text: &str) -> Option<Date> {
    let written = DAY.captures(text)?.get(1)?;
    if written.as_str() == text { in_text(text) } else { None }
}

/// The first day of the year or month that a whole file stem names: `1985`, `2024-06`.
pub fn of_year(stem: &str) -> Option<Date> {
    let found = YEAR.captures(stem)?;
    let month = found.get(2).map_or(Some(1), |month| month.as_str().parse().ok())?;
    plausible(found[1].parse().ok()?, month, 1)
}

fn day_of_year(found: &Captures) -> Option<Date> {
    let (year, day) = found.get(1).zip(found.get(2)).or_else(|| found.get(3).zip(found.get(4)))?;
    NaiveDate::from_yo_opt(year.as_str().parse().ok()?, day.as_str().parse().ok()?).filter(is_plausible)
}

fn plausible(year: u32, month: u32, day: u32) -> Option<Date> {
    NaiveDate::from_ymd_opt(year.try_into().ok()?, month, day).filter(is_plausible)
}

/// Whether there can be a picture of that day; other numbers of eight digits are seldom dates by chance.
fn is_plausible(date: &Date) -> bool {
    (1900..2100).contains(&date.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_products_tell_the_acquisition() {
        for (name, expected) in [
            ("S2A_MSIL2A_20240602T112121_N0510_R037_T30UVB_20240603T181503.SAFE", "2024-06-02"),
            ("T33UUU_20170216T102101_B01", "2017-02-16"),
            ("LC08_L2SP_007066_20200101_20200823_02_T1_SR_B4", "2020-01-01"),
            ("exe_2024-06-02_12-21-19", "2024-06-02"),
            ("openEO_2023-06-01Z", "2023-06-01"),
            ("HLS.S30.T17SLU.2020117T160901.v2.0.B8A", "2020-04-26"),
            ("MOD09GA.A2020117.h18v04.061", "2020-04-26"),
            ("2024:06:02 11:21:19", "2024-06-02"),
            ("2024-06-02T11:21:19.024000Z", "2024-06-02"),
            ("tile_99999999_20240602", "2024-06-02"),
        ] {
            assert_eq!(in_text(name).map(|date| date.to_string()).as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn numbers_that_are_no_dates_are_left_alone() {
        for name in
            ["1985", "tile_20241302", "120240602", "202406021", "2024-06_02", "T30UVB", "17000101", ""]
        {
            assert_eq!(in_text(name), None, "{name}");
        }
    }

    #[test]
    fn a_text_is_a_day_only_as_a_whole() {
        assert_eq!(of_day("2024-06-02"), Date::from_ymd_opt(2024, 6, 2));
        assert_eq!(of_day("20240602"), of_day("2024-06-02"));
        assert_eq!(
            (of_day("delivered 2024-06-02"), of_day("2024-06-02b"), of_day("20249902")),
            (None, None, None)
        );
    }

    #[test]
    fn a_stem_that_is_a_year_means_its_first_day() {
        assert_eq!(of_year("1985"), Date::from_ymd_opt(1985, 1, 1));
        assert_eq!(of_year("2024-06"), Date::from_ymd_opt(2024, 6, 1));
        assert_eq!((of_year("2024-13"), of_year("scene_1985"), of_year("9999")), (None, None, None));
    }
}
