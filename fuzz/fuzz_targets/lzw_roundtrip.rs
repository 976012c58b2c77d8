//! Any bytes, as one to five blocks at a time, come back from LZW by our decoder and by weezl's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaic_stream::codec::{BlockLayout, Compression, Decoder, Encoder, Predictor, max_encoded_len};
use std::cell::RefCell;

thread_local! {
    /// One for all inputs, as a worker keeps it.
    static ENCODER: RefCell<Encoder> =
        RefCell::new(Encoder::new(Compression::Lzw, Predictor::None, None).expect("an encoder"));
}

fuzz_target!(|input: (u8, u8, Vec<u8>)| {
    let (count, repeats, bytes) = input;
    let count = usize::from(count % 5) + 1;
    let raw = bytes.repeat(usize::from(repeats) + 1);
    let columns = raw.len() / count;
    let layout = BlockLayout { columns, rows: 1, samples: 1, sample_bytes: 1 };
    let blocks: Vec<&[u8]> = (0..count).map(|i| &raw[i * columns..][..columns]).collect();
    let mut copies: Vec<Vec<u8>> = blocks.iter().map(|block| block.to_vec()).collect();
    let mut slices: Vec<&mut [u8]> = copies.iter_mut().map(|block| &mut block[..]).collect();
    let mut outs = vec![Vec::new(); count];
    ENCODER.with_borrow_mut(|encoder| encoder.encode_batch(&mut slices, layout, &mut outs)).expect("encoded");
    let mut decoder = Decoder::new(Compression::Lzw, Predictor::None).expect("a decoder");
    for (block, encoded) in blocks.into_iter().zip(&outs) {
        assert!(encoded.len() <= max_encoded_len(Compression::Lzw, columns));
        let mut decoded = vec![0; columns];
        decoder.decode(encoded, layout, &mut decoded).expect("decoded");
        assert!(decoded == block);
        let mut other = weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
        assert!(other.decode(encoded).expect("decoded by weezl") == block);
    }
});
