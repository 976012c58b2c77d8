//! How messages name sources.

use std::sync::Arc;

use crate::source::Source;

/// All of so many sources.
pub(super) fn count_of(count: usize) -> String {
    if count == 1 { "the input".into() } else { format!("{count} inputs") }
}

/// A few names, and how many more.
pub(super) fn some_names(sources: &[Arc<Source>], indices: &[usize]) -> String {
    const SHOWN: usize = 5;
    let names: Vec<&str> = indices.iter().take(SHOWN).map(|&index| &*sources[index].name).collect();
    match indices.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
