//! What is wrong with an input, as data.

use serde::{Deserialize, Serialize};

/// Why an input cannot be used as asked, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The input's name, or a few of them.
    pub source: String,
    /// What is wrong.
    pub message: String,
    /// What to do, when there is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(source: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem { source: source.into(), message: message.into(), hint: None }
    }

    /// The same problem with advice.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }
}
