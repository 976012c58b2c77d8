//! Garbage as an LZW block: an answer, never a panic, and the same from a decoder that has seen other blocks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaic_stream::codec::{BlockLayout, Compression, Decoder, Predictor};

fuzz_target!(|input: (u16, Vec<u8>)| {
    let (length, encoded) = input;
    let layout = BlockLayout { columns: length.into(), rows: 1, samples: 1, sample_bytes: 1 };
    let new = || Decoder::new(Compression::Lzw, Predictor::None).expect("a decoder");
    let (mut fresh, mut used) = (new(), new());
    let (mut first, mut second) = (vec![1; layout.bytes()], vec![2; layout.bytes()]);
    // A clear code and then the input in reverse, most of which gets further than the input alone.
    let other: Vec<u8> = [0x80, 0].into_iter().chain(encoded.iter().rev().copied()).collect();
    let _ = used.decode(&other, layout, &mut second);
    let found = fresh.decode(&encoded, layout, &mut first);
    let again = used.decode(&encoded, layout, &mut second);
    assert_eq!(found.is_ok(), again.is_ok());
    assert!(found.is_err() || first == second);
});
