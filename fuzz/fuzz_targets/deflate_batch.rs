//! Garbage, and compressed bytes with a flaw, as DEFLATE blocks of a batch: what each gives alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaic_stream::codec::{BlockLayout, Compression, Decoder, Encoder, Predictor};

fuzz_target!(|input: (u8, u32, u8, Vec<u8>, Vec<u8>)| {
    let (repeats, place, flaw, raw, garbage) = input;
    let mut raw = raw.repeat(usize::from(repeats) + 1);
    let layout = BlockLayout { columns: raw.len(), rows: 1, samples: 1, sample_bytes: 1 };
    let mut outs = vec![Vec::new()];
    let mut encoder = Encoder::new(Compression::Deflate, Predictor::None, None).expect("an encoder");
    encoder.encode_batch(&mut [&mut raw[..]], layout, &mut outs).expect("encoded");
    let good = outs.remove(0);
    let mut flawed = good.clone();
    let place = place as usize % flawed.len();
    flawed[place] ^= flaw;
    let blocks = [&good[..], &flawed, &good[..place], &garbage];
    let mut decoder = Decoder::new(Compression::Deflate, Predictor::None).expect("a decoder");
    let mut outs = vec![vec![1; raw.len()]; blocks.len()];
    let mut slices: Vec<&mut [u8]> = outs.iter_mut().map(|out| &mut out[..]).collect();
    let results = decoder.decode_batch(&blocks, layout, &mut slices);
    for ((block, result), out) in blocks.iter().zip(results).zip(&outs) {
        let mut expected = vec![2; raw.len()];
        let alone = decoder.decode(block, layout, &mut expected);
        assert_eq!(alone.is_ok(), result.is_ok());
        assert!(alone.is_err() || expected == *out);
    }
});
