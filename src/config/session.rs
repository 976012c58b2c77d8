//! What only a session at the command line needs beside the settings.

use super::Origin;
use crate::pixels::named_values;
use std::fmt;
use std::str::FromStr;

named_values! {
    /// How progress is shown.
    ProgressMode, "way to show progress" {
        /// A bar on a terminal, lines elsewhere.
        Auto => "auto",
        /// A bar with rate and time left.
        Bar => "bar",
        /// A line every few seconds.
        Plain => "plain",
        /// Not at all.
        None => "none",
    }
}

/// One setting as it was resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as in the file.
    pub key: &'static str,
    /// Its value as text, with what it was resolved to.
    pub value: String,
    /// Where the value came from.
    pub origin: Origin,
}

/// What the command line needs beside the settings of the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whether the plan is printed instead of carried out.
    pub dry_run: bool,
    /// How progress is shown.
    pub progress: ProgressMode,
    /// Whether only errors are printed.
    pub quiet: bool,
    /// Whether more is printed.
    pub verbose: bool,
    /// Every setting with its value and origin, in the order of [`KEYS`](super::KEYS).
    pub settings: Vec<Setting>,
    /// What the user should know but nothing fails for.
    pub notices: Vec<String>,
}
