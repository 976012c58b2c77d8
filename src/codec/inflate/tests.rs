use super::Inflater;
use crate::codec::{BlockLayout, Compression, Decoder, Predictor};
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use proptest::prelude::*;

fn compressed(raw: &[u8], level: i32) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::new(level).unwrap());
    let mut out = vec![0; compressor.zlib_compress_bound(raw.len())];
    let length = compressor.zlib_compress(raw, &mut out).unwrap();
    out.truncate(length);
    out
}

/// Which of the streams are decoded here, after a check that those are decoded to what libdeflate gives.
fn decoded_as_libdeflate_does(streams: &[Vec<u8>], lengths: &[usize]) -> Vec<bool> {
    let mut outs: Vec<Vec<u8>> = lengths.iter().map(|&length| vec![1; length]).collect();
    let mut slices: Vec<&mut [u8]> = outs.iter_mut().map(|out| &mut out[..]).collect();
    let inputs: Vec<&[u8]> = streams.iter().map(|stream| &stream[..]).collect();
    let done = Inflater::new().decode(&inputs, &mut slices);
    for ((stream, out), _) in streams.iter().zip(&outs).zip(&done).filter(|(_, done)| **done) {
        let mut expected = vec![2; out.len()];
        assert_eq!(Decompressor::new().zlib_decompress(stream, &mut expected).unwrap(), out.len());
        assert!(expected == *out);
    }
    done
}

/// Noise of `spread` values, some of them repeated from before, which makes matches of all distances.
fn imagery(seed: u64, length: usize, spread: u64, repeats: u64) -> Vec<u8> {
    let mut state = seed;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut bytes: Vec<u8> = Vec::with_capacity(length + 300);
    while bytes.len() < length {
        if random() % 100 < repeats && bytes.len() > 400 {
            let start = random() as usize % (bytes.len() - 300);
            let count = 3 + random() as usize % if random() % 16 == 0 { 260 } else { 6 };
            bytes.extend_from_within(start..start + count);
        } else {
            // The sum of several random numbers: values of very different frequencies.
            bytes.push(((random() % spread + random() % spread + random() % spread) / 2) as u8);
        }
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn streams_of_imagery_are_decoded_here_whatever_their_number() {
    for count in 1..6 {
        let raw: Vec<_> =
            (0..count).map(|seed| imagery(seed, 100_000 + 999 * seed as usize, 40, 2)).collect();
        let streams: Vec<_> = raw.iter().map(|raw| compressed(raw, 6)).collect();
        let lengths: Vec<_> = raw.iter().map(Vec::len).collect();
        assert_eq!(decoded_as_libdeflate_does(&streams, &lengths), vec![true; count as usize]);
    }
}

#[test]
fn a_fixed_code_and_a_stored_block_behind_it_are_decoded_here() {
    // "aab" with the fixed code, then "cd" stored.
    let mut stream = vec![0x78, 0x9c];
    let bits = "0" // not the last
        .to_owned()
        + "10" // the fixed code, lowest bit first
        + "10010001" + "10010001" + "10010010" // 'a', 'a', 'b': 0x30 plus the byte
        + "0000000" // the end
        + "1" + "00"; // the last, stored
    let mut bytes = vec![0u8; bits.len().div_ceil(8)];
    for (place, bit) in bits.bytes().enumerate() {
        bytes[place / 8] |= (bit - b'0') << (place % 8);
    }
    stream.extend(bytes);
    stream.extend([2, 0, !2, !0, b'c', b'd']);
    stream.extend(libdeflater::adler32(b"aabcd").to_be_bytes());
    assert_eq!(decoded_as_libdeflate_does(&[stream], &[5]), [true]);
}

#[test]
fn a_wrong_checksum_or_size_is_not_done() {
    let raw = imagery(5, 50_000, 40, 2);
    let good = compressed(&raw, 6);
    let mut wrong = good.clone();
    *wrong.last_mut().unwrap() ^= 1;
    let cut = good[..good.len() - 1].to_vec();
    let streams = [good.clone(), wrong, cut, good.clone(), good];
    let lengths = [raw.len(), raw.len(), raw.len(), raw.len() - 1, raw.len() + 1];
    assert_eq!(decoded_as_libdeflate_does(&streams, &lengths), [true, false, false, false, false]);
}

#[test]
fn what_does_not_pay_is_given_up() {
    for raw in [vec![7; 100_000], (0..100_000u32).map(|i| i as u8).collect()] {
        assert_eq!(decoded_as_libdeflate_does(&[compressed(&raw, 6)], &[raw.len()]), [false]);
    }
}

/// How a stream is spoiled: a place, and what becomes of it.
#[derive(Debug, Clone)]
enum Damage {
    None,
    Flip(usize, u8),
    Cut(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::None),
        (any::<usize>(), 0..8u8).prop_map(|(place, bit)| Damage::Flip(place, bit)),
        any::<usize>().prop_map(Damage::Cut),
    ]
}

fn spoil(stream: &mut Vec<u8>, damage: &Damage) {
    match *damage {
        Damage::None => {}
        Damage::Flip(place, bit) => {
            let place = place % stream.len();
            stream[place] ^= 1 << bit;
        }
        Damage::Cut(place) => stream.truncate(place % stream.len()),
    }
}

proptest! {
    #[test]
    fn a_batch_gives_what_one_at_a_time_gives(
        length in 1usize..60_000,
        level in 0..=12,
        blocks in prop::collection::vec((any::<u64>(), 1u64..170, 0u64..60, damage()), 1..6),
    ) {
        let layout = BlockLayout { columns: length, rows: 1, samples: 1, sample_bytes: 1 };
        let streams: Vec<Vec<u8>> = blocks.iter().map(|(seed, spread, repeats, damage)| {
            let mut stream = compressed(&imagery(*seed, length, *spread, *repeats), level);
            spoil(&mut stream, damage);
            stream
        }).collect();
        let inputs: Vec<&[u8]> = streams.iter().map(|stream| &stream[..]).collect();
        let mut outs = vec![vec![1; length]; streams.len()];
        let mut slices: Vec<&mut [u8]> = outs.iter_mut().map(|out| &mut out[..]).collect();
        let mut decoder = Decoder::new(Compression::Deflate, Predictor::Horizontal).unwrap();
        let results = decoder.decode_batch(&inputs, layout, &mut slices);
        for ((input, result), out) in inputs.iter().zip(results).zip(&outs) {
            let mut expected = vec![2; length];
            match (decoder.decode(input, layout, &mut expected), result) {
                (Ok(()), Ok(())) => prop_assert!(expected == *out),
                (Err(one), Err(batch)) => prop_assert_eq!(one.to_string(), batch.to_string()),
                (one, batch) => prop_assert!(false, "alone {one:?}, in a batch {batch:?}"),
            }
        }
    }
}
