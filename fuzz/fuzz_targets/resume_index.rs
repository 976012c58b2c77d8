//! Any bytes are the index of a part up to the line that cannot be right: what is believed hangs together, and whatever
//! happens to a line afterwards leaves the entries before it, or all of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaic_stream::output::{Job, Stored, read_index};
use twox_hash::XxHash3_64;

/// Blocks of an entry: level, mask or not, index, bytes since the one before, size.
type Blocks = Vec<(u8, u8, u16, i8, u16)>;

fuzz_target!(|input: (Vec<(u8, &[u8], u16, Blocks)>, usize, u8)| {
    let (lines, place, damage) = input;
    let mut file = Vec::new();
    let mut end = 0;
    for (kind, bytes, position, blocks) in lines {
        match kind % 4 {
            0 => file.extend(bytes),
            1 => seal(bytes, &mut file),
            2 => {
                end = u64::from(position);
                seal(format!("{{\"job\":{{\"decides\":[]}},\"header_bytes\":{end}}}").as_bytes(), &mut file);
            }
            _ => seal(entry(position, &blocks, &mut end).as_bytes(), &mut file),
        }
    }
    let (found, good) = read(&file);
    check(&found, good, &file);
    if !file.is_empty() {
        let place = place % file.len();
        let cut = read(&file[..place]);
        assert!(cut.1 <= place && cut == read(&file[..cut.1]));
        file[place] ^= damage;
        let (after, still) = read(&file);
        file[place] ^= damage;
        // A letter's case may change in a checksum, and the line stays right.
        assert!(still <= good || damage == 0 || place >= good);
        assert!(still > good || (after, still) == read(&file[..still]));
    }
});

fn read(file: &[u8]) -> (Option<(Job, Stored)>, usize) {
    let (found, good) = read_index(file).expect("bytes in memory can be read");
    (found, good as usize)
}

/// Makes a line of this text, with its checksum.
fn seal(text: &[u8], file: &mut Vec<u8>) {
    file.extend(format!("{:016x} ", XxHash3_64::oneshot(text)).bytes());
    file.extend(text);
    file.push(b'\n');
}

/// An entry whose blocks mostly follow what is before them.
fn entry(position: u16, blocks: &Blocks, end: &mut u64) -> String {
    let block = |&(level, mask, index, gap, size): &(u8, u8, u16, i8, u16)| {
        let offset = end.wrapping_add_signed(gap.into());
        *end = offset.wrapping_add(size.into());
        format!("[{level},{mask},{index},{offset},{size},0]")
    };
    let blocks: Vec<String> = blocks.iter().map(block).collect();
    format!("{{\"position\":{position},\"end\":{end},\"blocks\":[{}]}}", blocks.join(","))
}

/// What was believed is whole lines, and blocks that lie one behind the other between the header and the end.
fn check(found: &Option<(Job, Stored)>, good: usize, file: &[u8]) {
    assert!(good <= file.len() && file[..good].last().is_none_or(|&last| last == b'\n'));
    assert_eq!(found.is_some(), good > 0);
    let Some((_, stored)) = found else { return };
    // No entry is shorter than its numbers.
    assert!(stored.records.len() <= good / 10);
    let mut end = stored.header_bytes;
    for record in &stored.records {
        assert!(record.size > 0 && record.offset >= end);
        end = record.offset + u64::from(record.size);
    }
    assert!(end <= stored.end);
}
