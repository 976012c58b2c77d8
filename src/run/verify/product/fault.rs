//! What is wrong with a file, as data.

use serde::Serialize;

/// One thing that is wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The block, the tag, or the bytes.
    pub place: String,
    /// What is wrong there.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

/// For a block whose pixels are lost.
pub const LOST: &str = "what lies there is lost: restore the file from a copy, or run the job again";
/// For a file that readers will find other blocks in, or none.
pub const MISLED: &str =
    "readers take other bytes for pixels, or none: restore the file from a copy, or run the job again";
/// For a file that is not the one of the report.
pub const OTHER: &str =
    "the file is not as its job left it: if nobody changed it on purpose, restore it or run the job again";
/// For pixels that the inputs do not give.
pub const DECIDED: &str = "unless the inputs or the settings are others than the job's, run the job again";

/// What is wrong so far. A file without a single sound block has millions of faults, of which a bounded number is told.
#[derive(Debug, Default)]
pub struct Faults {
    /// The first ones.
    pub told: Vec<Fault>,
    /// How many there are.
    pub count: u64,
}

impl Faults {
    const MOST: usize = 1000;

    /// Adds one.
    pub fn add(&mut self, place: impl Into<String>, message: impl Into<String>, hint: &'static str) {
        self.push(Fault { place: place.into(), message: message.into(), hint });
    }

    /// Adds one that is made already.
    pub fn push(&mut self, fault: Fault) {
        self.count += 1;
        if self.told.len() < Self::MOST {
            self.told.push(fault);
        }
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}
