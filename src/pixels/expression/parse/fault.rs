//! What is wrong with a text, shown below its place.

/// Characters shown before and behind the place.
const AROUND: usize = 48;

/// A fault of a text and the byte where it lies.
#[derive(Debug, PartialEq)]
pub(in crate::pixels::expression) struct Fault {
    at: usize,
    message: String,
}

impl Fault {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Fault {
        Fault { at, message: message.into() }
    }

    /// The message, below it the line of `text`, or what of it is around the place, and a caret under the place.
    pub(in crate::pixels::expression) fn shown_in(&self, text: &str) -> String {
        let at = (0..=self.at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let before: Vec<char> = text[start..at].chars().collect();
        let skipped = before.len().saturating_sub(AROUND);
        let mark = if skipped > 0 { "…" } else { "" };
        let behind = text[at..].lines().next().unwrap_or("");
        // Tabs and the like would move the caret.
        let shown = before[skipped..].iter().copied().chain(behind.chars().take(AROUND));
        let line: String = shown.map(|c| if c.is_control() { ' ' } else { c }).collect();
        let cut = if behind.chars().nth(AROUND).is_some() { "…" } else { "" };
        let column = before.len() - skipped + mark.chars().count();
        format!("{}:\n  {mark}{line}{cut}\n  {}^", self.message, " ".repeat(column))
    }
}
