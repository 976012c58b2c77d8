//! Amounts of memory as a user types them.

use std::fmt;
use std::str::FromStr;

/// An amount of memory: bytes, or a share of what the machine has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MemorySize {
    /// So many bytes.
    Bytes(u64),
    /// So many hundredths of the machine's (or container's) memory.
    Percent(f64),
}

/// Units and their bytes. A bare letter is binary, as in most tools' flags; `GB` and the like are decimal.
const UNITS: [(&str, u64); 14] = [
    ("", 1),
    ("b", 1),
    ("k", 1 << 10),
    ("kib", 1 << 10),
    ("kb", 1_000),
    ("m", 1 << 20),
    ("mib", 1 << 20),
    ("mb", 1_000_000),
    ("g", 1 << 30),
    ("gib", 1 << 30),
    ("gb", 1_000_000_000),
    ("t", 1 << 40),
    ("tib", 1 << 40),
    ("tb", 1_000_000_000_000),
];

impl MemorySize {
    /// The bytes meant on a machine with `total` bytes of memory.
    pub fn bytes(self, total: u64) -> u64 {
        match self {
            MemorySize::Bytes(bytes) => bytes,
            MemorySize::Percent(percent) => (total as f64 * percent / 100.0) as u64,
        }
    }

    /// Bytes in the unit a person would choose: `512 MiB`, `1.5 GiB`.
    pub fn describe(bytes: u64) -> String {
        const NAMES: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
        let power = (bytes.max(1).ilog2() / 10).min(4) as usize;
        let amount = bytes as f64 / (1u64 << (10 * power)) as f64;
        let decimals = usize::from(amount.fract() >= 0.05 && amount < 100.0);
        format!("{amount:.decimals$} {}", NAMES[power])
    }
}

impl FromStr for MemorySize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("'{text}' is no amount of memory; write 4GiB, 512MiB, 1.5GB, 800M, bytes or 50%");
        let lower = text.trim().to_ascii_lowercase();
        let end = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
        let (amount, unit) = (&lower[..end], lower[end..].trim_start());
        let number: f64 = amount.parse().map_err(|_| wrong())?;
        if unit == "%" {
            let valid = number > 0.0 && number <= 100.0;
            return valid.then_some(MemorySize::Percent(number)).ok_or_else(wrong);
        }
        let scale = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?.1;
        // Whole amounts do not pass through floating point.
        let bytes = match amount.parse::<u64>() {
            Ok(whole) => whole.checked_mul(scale).ok_or_else(wrong)?,
            Err(_) => (number * scale as f64) as u64,
        };
        if bytes == 0 { Err(wrong()) } else { Ok(MemorySize::Bytes(bytes)) }
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MemorySize::Bytes(bytes) => out.write_str(&MemorySize::describe(*bytes)),
            MemorySize::Percent(percent) => write!(out, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_binary_and_decimal_units_and_shares() {
        let bytes = |text: &str| text.parse::<MemorySize>().unwrap().bytes(1000);
        assert_eq!(bytes("4GiB"), 4 << 30);
        assert_eq!(bytes("512 MiB"), 512 << 20);
        assert_eq!(bytes("1.5GB"), 1_500_000_000);
        assert_eq!(bytes("2G"), 2 << 30);
        assert_eq!(bytes("800m"), 800 << 20);
        assert_eq!(bytes("1.5kib"), 1536);
        assert_eq!(bytes("134217728"), 128 << 20);
        assert_eq!(bytes("18446744073709551615"), u64::MAX);
        assert_eq!(bytes("50%"), 500);
        assert_eq!(bytes("12.5%"), 125);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in
            ["", "GiB", "4 elephants", "-1", "0", "0%", "101%", "1e9", "1..5G", "nan", "99999999T", "5%%"]
        {
            assert!(text.parse::<MemorySize>().is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_are_told_in_a_unit_of_their_size() {
        assert_eq!(MemorySize::describe(0), "0 bytes");
        assert_eq!(MemorySize::describe(512 << 20), "512 MiB");
        assert_eq!(MemorySize::describe(3 << 29), "1.5 GiB");
    }
}
