//! The lines of an index.

use serde::{Deserialize, Serialize};

use crate::geometry::Window;
use crate::output::{BlockId, BlockRecord, Plane};

/// Everything that decides the bytes of an output, by name; and where its blocks begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Version, options and inputs, each with its value, in an order that is the same for every job.
    pub decides: Vec<(String, String)>,
}

impl Job {
    /// What differs between this job and that of a part: a line each.
    pub fn differences(&self, other: &Job) -> Vec<String> {
        let value = |job: &Job, name: &str| {
            job.decides.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
        };
        let mut lines = Vec::new();
        let shared = self.decides.iter().zip(&other.decides).take_while(|(a, b)| a == b).count();
        for (name, now) in &self.decides[shared..] {
            match value(other, name) {
                Some(then) if then == *now => {}
                Some(then) => lines.push(format!("{name}: {then} then, {now} now")),
                None => lines.push(format!("{name}: not there then, {now} now")),
            }
        }
        for (name, then) in &other.decides[shared..] {
            if value(self, name).is_none() {
                lines.push(format!("{name}: {then} then, not there now"));
            }
        }
        if lines.is_empty() && self != other {
            lines.push("the order of the inputs".into());
        }
        lines
    }
}

/// Blocks stored since the last entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::output) struct Done {
    /// The position of the entry before: of the blocks behind it those that are not named stay sparse.
    pub from: u64,
    /// All blocks before this position of the full resolution, counted row by row, are stored or stay sparse.
    pub position: u64,
    /// Bytes of the part with them.
    pub end: u64,
    blocks: Vec<(u8, u8, u64, u64, u32, u64)>,
}

impl Done {
    /// What is stored between two positions, with which the part has `end` bytes.
    pub fn new((from, position): (u64, u64), end: u64, records: &[BlockRecord]) -> Done {
        let block = |record: &BlockRecord| {
            let BlockRecord { id, offset, size, checksum } = *record;
            (id.level, u8::from(id.plane == Plane::Mask), id.index, offset, size, checksum)
        };
        Done { from, position, end, blocks: records.iter().map(block).collect() }
    }

    pub fn records(&self) -> impl Iterator<Item = BlockRecord> {
        self.blocks.iter().map(|&(level, mask, index, offset, size, checksum)| {
            let plane = if mask == 0 { Plane::Image } else { Plane::Mask };
            BlockRecord { id: BlockId { level, plane, index }, offset, size, checksum }
        })
    }
}

/// All blocks are about to move up, or have: each stands where it did, or so many bytes further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::output) struct Moving {
    /// Bytes that each moves up.
    pub moving_by: u64,
}

/// Pixels that were decided without a source, which the job left out while it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lacking {
    /// The source's name.
    pub lacking: String,
    /// Why it was left out.
    pub because: String,
    /// The pixels.
    pub areas: Vec<Window>,
}

/// The first line.
#[derive(Serialize, Deserialize)]
pub(in crate::output) struct Head {
    pub job: Job,
    /// Bytes before the first block.
    pub header_bytes: u64,
}

/// An entry as a line: the checksum of its text, and the text.
pub(in crate::output) fn line(entry: &impl Serialize) -> serde_json::Result<String> {
    let text = serde_json::to_string(entry)?;
    Ok(format!("{:016x} {text}\n", twox_hash::XxHash3_64::oneshot(text.as_bytes())))
}

/// An entry of a line; nothing where the line is damaged, or cut short.
pub(in crate::output) fn read<'l, E: Deserialize<'l>>(line: &'l str) -> Option<E> {
    let (checksum, text) = line.strip_suffix('\n')?.split_once(' ')?;
    let right = u64::from_str_radix(checksum, 16).ok()? == twox_hash::XxHash3_64::oneshot(text.as_bytes());
    right.then(|| serde_json::from_str(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(decides: &[(&str, &str)]) -> Job {
        Job { decides: decides.iter().map(|&(name, value)| (name.into(), value.into())).collect() }
    }

    #[test]
    fn a_damaged_or_cut_line_is_no_entry() {
        let records = [BlockRecord {
            id: BlockId { level: 0, plane: Plane::Mask, index: 7 },
            offset: 1 << 40,
            size: 5,
            checksum: u64::MAX,
        }];
        let done = Done::new((2, 3), 1 << 41, &records);
        let text = line(&done).unwrap();
        let read_back: Done = read(&text).unwrap();
        assert_eq!(read_back, done);
        assert!(read_back.records().eq(records));
        for end in 0..text.len() {
            assert!(read::<Done>(&text[..end]).is_none(), "{end} bytes are no line");
        }
        assert!(read::<Done>(&text.replace("\"position\":3", "\"position\":4")).is_none());
    }

    #[test]
    fn what_differs_is_told_by_name() {
        let then = job(&[("method", "last"), ("a.tif", "10 bytes"), ("b.tif", "20 bytes")]);
        assert!(then.differences(&then).is_empty());
        let now = job(&[("method", "first"), ("a.tif", "10 bytes"), ("c.tif", "1 byte")]);
        let told = [
            "method: last then, first now",
            "c.tif: not there then, 1 byte now",
            "b.tif: 20 bytes then, not there now",
        ];
        assert_eq!(now.differences(&then), told);
        let swapped = job(&[("method", "last"), ("b.tif", "20 bytes"), ("a.tif", "10 bytes")]);
        assert_eq!(swapped.differences(&then), ["the order of the inputs"]);
    }
}
