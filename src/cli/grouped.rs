//! Warnings that many inputs share, told once.

use std::collections::HashMap;

/// Input and text of warnings such as `a.tif: its rows are …`, those with the same text as one, at the place of the
/// first: `a.tif, b.tif and 3 more: its rows are …`.
pub fn grouped(warnings: &[String]) -> Vec<String> {
    let mut groups: Vec<(Vec<&str>, &str)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for warning in warnings {
        let (of, text) = warning.split_once(": ").unwrap_or(("", warning));
        let place = *places.entry(text).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((all, _)) => all.push(of),
            None => groups.push((vec![of], text)),
        }
    }
    groups.iter().map(|(of, text)| told(of, text)).collect()
}

fn told(of: &[&str], text: &str) -> String {
    match of {
        ["", ..] => text.to_owned(),
        [one] => format!("{one}: {text}"),
        [one, other] => format!("{one}, {other}: {text}"),
        [one, other, more @ ..] => format!("{one}, {other} and {} more: {text}", more.len()),
        [] => unreachable!("a group has its first warning"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_with_the_same_text_are_one() {
        let warnings = [
            "a.tif: has no nodata",
            "the grid is odd",
            "b.tif: is wide",
            "c.tif: has no nodata",
            "d.tif: is wide",
            "e.tif: has no nodata",
            "f.tif: has no nodata",
        ];
        assert_eq!(
            grouped(&warnings.map(String::from)),
            ["a.tif, c.tif and 2 more: has no nodata", "the grid is odd", "b.tif, d.tif: is wide"]
        );
    }
}
