//! A decoder of zlib streams (RFC 1950, 1951) made for imagery: two streams at a time, interleaved.
//!
//! What a DEFLATE decoder waits for is one table's answer after the other: which length, which distance. Two streams
//! side by side, a lane each, give the processor other work meanwhile. Imagery's matches are short, and whether a
//! literal or a match comes next cannot be foreseen, so nothing in the fast loop branches on it: each step takes up to
//! two literals and a match, any of them of no length. What is rare in imagery (long matches, those that overlap
//! themselves, long words, the ends of things) is read with care, symbol by symbol.
//!
//! Streams of another kind, and all that are damaged, are given up: another decoder judges them.

mod bits;
mod code;
mod lane;
mod tables;

use bits::BitReader;
use lane::{Codes, Lane, Stage};
use tables::Tables;

/// How many streams are decoded side by side; with more, their state no longer fits the registers.
const LANES: usize = 2;
/// Bytes that a match is copied in, more than it can have in the fast loop.
const COPY: usize = 16;

/// A decoder that serves for many blocks.
pub(in crate::codec) struct Inflater {
    codes: Box<[Codes; LANES]>,
}

impl Inflater {
    pub(in crate::codec) fn new() -> Self {
        Self { codes: Box::new([const { Codes::EMPTY }; LANES]) }
    }

    /// Bytes on the heap.
    pub(in crate::codec) const fn bytes() -> usize {
        size_of::<[Codes; LANES]>()
    }

    /// Fills each of `outs` from the zlib stream at the same place, and tells of each whether that is done: exactly
    /// filled, and its checksum right. If not, what it holds is not defined, and the stream may still be a good one.
    pub(in crate::codec) fn decode(&mut self, streams: &[&[u8]], outs: &mut [&mut [u8]]) -> Vec<bool> {
        assert_eq!(streams.len(), outs.len(), "an output for each stream is due");
        let mut done = vec![false; streams.len()];
        let both = streams.iter().zip(outs.iter_mut()).enumerate();
        let mut waiting = both.map(|(index, (stream, out))| Lane::new(index, stream, out));
        let [first_codes, second_codes] = &mut *self.codes;
        let (mut first, mut second) = (waiting.next(), waiting.next());
        loop {
            match (&mut first, &mut second) {
                (Some(a), Some(b)) => run([(a, first_codes), (b, second_codes)]),
                (Some(a), None) => run([(a, first_codes)]),
                (None, Some(b)) => run([(b, second_codes)]),
                (None, None) => return done,
            }
            for lane in [&mut first, &mut second] {
                if let Some(over) = lane.take_if(|lane| lane.is_over()) {
                    done[over.index] = over.stage == Stage::Done;
                    *lane = waiting.next();
                }
            }
        }
    }
}

/// Decodes until a lane is over.
fn run<const USED: usize>(mut lanes: [(&mut Lane<'_>, &mut Codes); USED]) {
    while lanes.iter().all(|(lane, _)| !lane.is_over()) {
        if lanes.iter().all(|(lane, _)| lane.stage == Stage::Symbols) {
            let stopped = interleave(&mut lanes);
            let (lane, codes) = &mut lanes[stopped];
            lane.advance(codes);
        } else {
            for (lane, codes) in lanes.iter_mut().filter(|(lane, _)| lane.stage != Stage::Symbols) {
                lane.advance(codes);
            }
        }
    }
}

/// Decodes what can be decoded fast, and tells which lane then needs care.
fn interleave<const USED: usize>(lanes: &mut [(&mut Lane<'_>, &mut Codes); USED]) -> usize {
    // Copies, which can live in registers.
    let mut readers = std::array::from_fn::<_, USED, _>(|lane| lanes[lane].0.reader);
    let mut filled = std::array::from_fn::<_, USED, _>(|lane| lanes[lane].0.filled);
    let stopped = 'all: loop {
        for (index, (lane, codes)) in lanes.iter_mut().enumerate() {
            if step(&mut readers[index], &mut filled[index], lane.out, &codes.tables).is_none() {
                break 'all index;
            }
        }
    };
    for (index, (lane, _)) in lanes.iter_mut().enumerate() {
        (lane.reader, lane.filled) = (readers[index], filled[index]);
    }
    stopped
}

/// Decodes up to two literals and a match; none, and nothing taken, where care is needed.
#[inline(always)]
fn step(reader: &mut BitReader<'_>, filled: &mut usize, out: &mut [u8], tables: &Tables) -> Option<()> {
    if !reader.refill() {
        return None;
    }
    let entry = tables.entry(reader.bits());
    let bits = reader.bits() >> entry.bits();
    let found = tables.distance(entry, bits);
    let (length, distance) = (entry.match_length(), found.distance(bits));
    let start = *filled + entry.literal_count();
    out.get_mut(*filled..*filled + 2)?.copy_from_slice(&entry.literals());
    if entry.is_rare() || distance < length {
        return None;
    }
    let from = start.wrapping_sub(distance);
    let copied: [u8; COPY] = *out.get(from..)?.first_chunk()?;
    *out.get_mut(start..)?.first_chunk_mut()? = copied;
    *filled = start + length;
    reader.skip(entry.bits() + found.bits());
    Some(())
}

#[cfg(test)]
mod tests;
