//! Blocks of any shape and content come back from every predictor that their samples can have; others are refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaic_stream::codec::{BlockLayout, Compression, Decoder, Encoder, Predictor};

fuzz_target!(|input: (u8, u8, u8, u8, Vec<u8>)| {
    let (shape, samples, width, predictor, bytes) = input;
    let samples = usize::from(samples % 9) + 1;
    let sample_bytes = usize::from(width % 9);
    let columns = usize::from(shape);
    let row = columns * samples * sample_bytes;
    let rows = bytes.len().checked_div(row).unwrap_or(3);
    let layout = BlockLayout { columns, rows, samples, sample_bytes };
    let predictor = Predictor::ALL[usize::from(predictor) % Predictor::ALL.len()];
    let raw = &bytes[..layout.bytes()];
    let mut encoder = Encoder::new(Compression::Lzw, predictor, None).expect("an encoder");
    let mut encoded = Vec::new();
    let taken = encoder.encode(&mut raw.to_vec(), layout, &mut encoded).is_ok();
    let can = match predictor {
        Predictor::None => true,
        Predictor::Horizontal => matches!(sample_bytes, 1 | 2 | 4 | 8),
        Predictor::Float => matches!(sample_bytes, 4 | 8),
    };
    assert_eq!(taken, can);
    if taken {
        let mut decoded = vec![0; raw.len()];
        let mut decoder = Decoder::new(Compression::Lzw, predictor).expect("a decoder");
        decoder.decode(&encoded, layout, &mut decoded).expect("decoded");
        assert!(decoded == raw);
    }
});
