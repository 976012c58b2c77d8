//! What a job may hold before it is ended.

use std::fmt;

use super::MemorySize;

/// What the process may hold before its job is ended in order.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum MemoryCeiling {
    /// A fifth more than the budget: a job that breaks its promise by so much is on its way to break the machine.
    #[default]
    Auto,
    /// So many bytes.
    Bytes(u64),
    /// Whatever it takes.
    Off,
}

impl MemoryCeiling {
    /// The bytes meant, with a budget of so many.
    pub fn bytes(self, budget: u64) -> Option<u64> {
        match self {
            MemoryCeiling::Auto => Some(budget.saturating_add(budget / 5)),
            MemoryCeiling::Bytes(bytes) => Some(bytes),
            MemoryCeiling::Off => None,
        }
    }

    /// Reads it as typed, on a machine with `total` bytes of memory.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn read(text: &str, total: u64) -> Result<MemoryCeiling, String> {
        match text {
            "auto" => Ok(MemoryCeiling::Auto),
            "off" => Ok(MemoryCeiling::Off),
            size => match size.parse::<MemorySize>() {
                Ok(size) => Ok(MemoryCeiling::Bytes(size.bytes(total))),
                Err(message) => Err(format!("{message}; or auto, or off")),
            },
        }
    }
}

impl fmt::Display for MemoryCeiling {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MemoryCeiling::Auto => out.write_str("auto"),
            MemoryCeiling::Bytes(bytes) => out.write_str(&MemorySize::describe(*bytes)),
            MemoryCeiling::Off => out.write_str("off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceiling_is_a_word_or_an_amount() {
        let read = |text: &str| MemoryCeiling::read(text, 1000);
        assert_eq!(read("auto").unwrap().bytes(500), Some(600));
        assert_eq!(read("off").unwrap().bytes(500), None);
        assert_eq!(read("50%").unwrap().bytes(7), Some(500));
        assert!(read("much").unwrap_err().contains("off"));
    }
}
