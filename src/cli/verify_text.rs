//! `verify`: what was looked at, as text.

use mosaic_stream::run::verify::product::Examined;

use super::messages::size_text;

/// The file's name, a line for each thing that was looked at, and how many faults there are.
pub fn describe(examined: &Examined) -> String {
    let Examined { directories, blocks, checksums, .. } = examined;
    let report = match (checksums, examined.sha256) {
        (0, false) => "not given, or without checksums".into(),
        (0, true) => "SHA-256 compared".into(),
        (count, whole) => {
            format!("checksums of {count} blocks{} compared", if whole { " and SHA-256" } else { "" })
        }
    };
    let pixels = match examined.areas {
        None => "not decided anew",
        Some(_) => "all of full resolution decided anew",
    };
    let faults = match examined.fault_count {
        0 => "none".into(),
        count => count.to_string(),
    };
    let rows = [
        ("bytes", size_text(examined.bytes)),
        ("directories", directories.to_string()),
        ("blocks", format!("{blocks} found and decoded")),
        ("report", report),
        ("pixels", pixels.into()),
        ("faults", faults),
    ];
    let lines = rows.iter().map(|(label, value)| format!("  {label:<11} {value}\n"));
    format!("{}\n{}", examined.file, lines.collect::<String>())
}
