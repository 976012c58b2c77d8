//! The document beside the bands of a Landsat scene: `…_MTL.txt`.
//!
//! The format: Landsat 8-9 Collection 2 Level 2 Data Format Control Book, LSDS-1822 (`KEY = VALUE`, a line each).

use super::dates;
use super::details::{self, Details};

/// Whether a file name is that of such a document.
pub fn is_document(file_name: &str) -> bool {
    file_name.ends_with("_MTL.txt")
}

/// What it tells.
pub fn parse(text: &str) -> Details {
    let value = |key: &str| {
        let mut items = text.lines().filter_map(|line| line.split_once('='));
        items.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().trim_matches('"'))
    };
    Details {
        date: value("DATE_ACQUIRED").and_then(dates::in_text),
        // -1 where it was not determined.
        cloud: value("CLOUD_COVER").and_then(details::percent),
        baseline: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::scenes::Date;

    #[test]
    fn date_and_clouds_are_found() {
        let text =
            "GROUP = IMAGE_ATTRIBUTES\n    DATE_ACQUIRED = 2020-01-01\n    CLOUD_COVER = 5.43\nEND_GROUP\n";
        let details = parse(text);
        assert_eq!((details.date, details.cloud), (Date::from_ymd_opt(2020, 1, 1), Some(5.43)));
        assert_eq!(parse("CLOUD_COVER = -1").cloud, None);
    }
}
