//! When a scene was taken, how cloudy it is, and how it was processed.

use std::sync::LazyLock;

use regex::Regex;

use super::dates::{self, Date};
use super::document;
use crate::source::Source;

/// The processing baseline of Sentinel-2: `04.00` is `(4, 0)`.
pub type Baseline = (u16, u16);

/// From this baseline on Sentinel-2's reflectances carry an offset, never before
/// (<https://sentinels.copernicus.eu/web/sentinel/-/copernicus-sentinel-2-major-products-upgrade-upcoming>).
const FIRST_WITH_OFFSET: Baseline = (4, 0);

/// What is known of a scene beside its pixels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    /// The day of acquisition.
    pub date: Option<Date>,
    /// Clouded part of the scene, in percent.
    pub cloud: Option<f64>,
    /// The processing baseline.
    pub baseline: Option<Baseline>,
}

impl Details {
    /// These, and of `other` what is not known yet.
    pub fn or(self, other: Details) -> Details {
        Details {
            date: self.date.or(other.date),
            cloud: self.cloud.or(other.cloud),
            baseline: self.baseline.or(other.baseline),
        }
    }

    /// What the name of a file, folder or product tells.
    pub fn of_name(name: &str) -> Details {
        let name = document::file_name(name);
        static BASELINE: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"_N([0-9]{2})([0-9]{2})_").expect("the expression is sound"));
        let baseline =
            BASELINE.captures(name).and_then(|found| Some((found[1].parse().ok()?, found[2].parse().ok()?)));
        Details { date: dates::in_text(name), cloud: None, baseline }
    }

    /// What a raster's metadata tell. The date that TIFF has a tag for is often that of the file, so it comes last.
    pub fn of_source(source: &Source) -> Details {
        let first = |keys: &[&str]| {
            keys.iter().find_map(|key| {
                let mut items = source.metadata.iter();
                items.find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
            })
        };
        let date = first(&[
            "datetime",
            "ACQUISITION_DATE",
            "ACQUISITIONDATETIME",
            "DATE_ACQUIRED",
            "SENSING_TIME",
            "DATATAKE_1_DATATAKE_SENSING_START",
            "PRODUCT_START_TIME",
            "start_datetime",
            "TIFFTAG_DATETIME",
        ]);
        let cloud =
            first(&["eo:cloud_cover", "CLOUD_COVER", "CLOUD_COVERAGE_ASSESSMENT", "CLOUDY_PIXEL_PERCENTAGE"]);
        Details {
            date: date.and_then(dates::in_text),
            cloud: cloud.and_then(percent),
            baseline: first(&["PROCESSING_BASELINE"]).and_then(baseline),
        }
    }

    /// Whether this scene's baseline is known to be one without an offset.
    pub fn is_before_offsets(&self) -> bool {
        self.baseline.is_some_and(|baseline| baseline < FIRST_WITH_OFFSET)
    }
}

/// A baseline as documents write it: `05.10`.
pub fn baseline(text: &str) -> Option<Baseline> {
    let (major, minor) = text.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A share in percent.
pub fn percent(text: &str) -> Option<f64> {
    text.trim().trim_end_matches('%').parse().ok().filter(|share| (0.0..=100.0).contains(share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::PixelType;
    use crate::source::sample;
    use std::sync::Arc;

    #[test]
    fn names_tell_date_and_baseline() {
        let details =
            Details::of_name("/20230101/S2A_MSIL2A_20240602T112121_N0510_R037_T30UVB_20240603T181503.SAFE");
        assert_eq!((details.date, details.baseline), (Date::from_ymd_opt(2024, 6, 2), Some((5, 10))));
        assert!(!details.is_before_offsets());
        assert!(Details::of_name("S2A_MSIL2A_20200602T112121_N0214_R037.SAFE").is_before_offsets());
        assert_eq!(Details::of_name("/20230101/a.tif"), Details::default());
    }

    #[test]
    fn the_tag_of_tiff_counts_least() {
        let mut source = sample::source("a.tif", 0.0, PixelType::Byte, 1);
        let mut items = vec![("TIFFTAG_DATETIME".to_owned(), "2025:01:01 00:00:00".to_owned())];
        source.metadata = Arc::new(items.clone());
        assert_eq!(Details::of_source(&source).date, Date::from_ymd_opt(2025, 1, 1));
        items.push(("DateTime".into(), "2024-06-02T11:21:19Z".into()));
        items.push(("CLOUD_COVER".into(), "12.5".into()));
        source.metadata = Arc::new(items);
        let details = Details::of_source(&source);
        assert_eq!((details.date, details.cloud), (Date::from_ymd_opt(2024, 6, 2), Some(12.5)));
    }

    #[test]
    fn shares_lie_between_none_and_all() {
        assert_eq!(
            (percent("0"), percent(" 72.8 % "), percent("-1"), percent("nan")),
            (Some(0.0), None, None, None)
        );
        assert_eq!(percent("72.8%"), Some(72.8));
    }
}
