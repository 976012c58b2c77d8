//! What holds for every codec together.

use super::*;
use proptest::prelude::*;

const WIDTHS: [usize; 4] = [1, 2, 4, 8];

/// Bytes as imagery has them: smooth ground with noise, and flat places.
fn imagery(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let step = |i: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if (i / 700).is_multiple_of(3) { 0 } else { (i / 40 % 200) as u8 ^ (state >> 61) as u8 }
    };
    (0..length).map(step).collect()
}

fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(step).collect()
}

/// Encodes and decodes `raw`; the encoded length.
fn assert_comes_back(
    compression: Compression,
    predictor: Predictor,
    layout: BlockLayout,
    raw: &[u8],
) -> usize {
    let mut encoder = Encoder::new(compression, predictor, None).unwrap();
    let mut decoder = Decoder::new(compression, predictor).unwrap();
    let (mut encoded, mut decoded) = (vec![7; 3], vec![9; raw.len()]);
    // Twice, since what an encoder or a decoder keeps of the first block must not show in the second.
    for _ in 0..2 {
        encoder.encode(&mut raw.to_vec(), layout, &mut encoded).unwrap();
        assert!(encoded.len() <= max_encoded_len(compression, raw.len()));
        decoder.decode(&encoded, layout, &mut decoded).unwrap();
        assert!(decoded == raw, "{compression} {predictor} {layout:?}");
    }
    encoded.len()
}

fn cases() -> impl Iterator<Item = (Compression, Predictor, usize)> {
    let predictors = |width| Predictor::ALL.iter().filter(move |p| **p != Predictor::Float || width >= 4);
    Compression::ALL.iter().flat_map(move |&compression| {
        WIDTHS.into_iter().flat_map(move |width| predictors(width).map(move |&p| (compression, p, width)))
    })
}

#[test]
fn every_codec_gives_back_blocks_of_every_shape() {
    for (compression, predictor, sample_bytes) in cases() {
        for (columns, rows, samples) in
            [(0, 0, 1), (1, 1, 1), (1, 7, 3), (7, 1, 2), (37, 23, 1), (16, 16, 4), (33, 5, 13), (128, 128, 3)]
        {
            let layout = BlockLayout { columns, rows, samples, sample_bytes };
            assert_comes_back(compression, predictor, layout, &imagery(layout.bytes(), 5));
            assert_comes_back(compression, predictor, layout, &noise(layout.bytes(), 5));
            assert_comes_back(compression, predictor, layout, &vec![255; layout.bytes()]);
        }
    }
}

/// Every length around the places where the width of LZW codes changes and the dictionary is cleared.
#[test]
fn lzw_ends_rightly_at_every_length() {
    let mut raw = noise(8_000, 3);
    // No string of two bytes comes twice in its period, so that a byte is a code and widths change at known lengths.
    for (i, byte) in raw.iter_mut().enumerate() {
        *byte = (i * (i / 256 % 128 * 2 + 1)) as u8;
    }
    for length in (0..600).chain(760..772).chain(1780..1800).chain(3820..3860).chain(7660..7690) {
        let layout = BlockLayout { columns: length, rows: 1, samples: 1, sample_bytes: 1 };
        assert_comes_back(Compression::Lzw, Predictor::None, layout, &raw[..length]);
        assert_comes_back(Compression::Lzw, Predictor::None, layout, &noise(length, 11));
        assert_comes_back(Compression::Lzw, Predictor::None, layout, &vec![0; length]);
    }
}

/// The generations of the dictionary run out after 255 clear codes; the table is then zeroed.
#[test]
fn lzw_outlives_its_generations() {
    let raw = noise(4096 * 3900, 17);
    let layout = BlockLayout { columns: raw.len(), rows: 1, samples: 1, sample_bytes: 1 };
    assert_comes_back(Compression::Lzw, Predictor::None, layout, &raw);
}

/// Blocks of every kind side by side, uniform ones among them: a batch of any size has the bytes of single blocks.
#[test]
fn a_batch_encodes_to_the_bytes_of_its_blocks_alone() {
    let layout = BlockLayout { columns: 61, rows: 40, samples: 3, sample_bytes: 2 };
    let length = layout.bytes();
    let kinds = |i: usize| match i % 5 {
        0 | 3 => imagery(length, i as u64),
        1 => noise(length, i as u64),
        2 => vec![i as u8; length],
        _ => (0..length).map(|byte| (byte / 2 * i) as u8).collect(),
    };
    for &compression in Compression::ALL {
        let mut alone = Encoder::new(compression, Predictor::Horizontal, None).unwrap();
        let mut together = Encoder::new(compression, Predictor::Horizontal, None).unwrap();
        for count in 0..11 {
            let mut blocks: Vec<_> = (0..count).map(|i| kinds(i + count)).collect();
            let mut expected = vec![vec![1]; count];
            for (block, out) in blocks.clone().iter_mut().zip(&mut expected) {
                alone.encode(block, layout, out).unwrap();
            }
            let mut outs = vec![vec![9; 5]; count];
            let mut slices: Vec<_> = blocks.iter_mut().map(|block| &mut block[..]).collect();
            together.encode_batch(&mut slices, layout, &mut outs).unwrap();
            assert!(outs == expected, "{compression}, {count} blocks");
            let refused = together.encode_batch(&mut slices, layout, &mut vec![Vec::new(); count + 1]);
            assert!(refused.is_err());
        }
    }
}

#[test]
fn lzw_is_as_small_as_an_encoder_that_forgets_nothing() {
    let layout = BlockLayout { columns: 512, rows: 512, samples: 1, sample_bytes: 2 };
    let raw: Vec<u8> = (0..512 * 512)
        .zip(noise(512 * 512, 23))
        .flat_map(|(i, noise)| {
            let (x, y) = (f64::from(i % 512), f64::from(i / 512));
            let ground =
                2000.0 + 600.0 * (x / 37.0).sin() + 500.0 * (y / 23.0).cos() + 3.0 * (x * y / 900.0).sin();
            (ground as u16 + u16::from(noise) % 48).to_le_bytes()
        })
        .collect();
    let ours = assert_comes_back(Compression::Lzw, Predictor::Horizontal, layout, &raw);
    let mut predicted = raw;
    predictor::apply(Predictor::Horizontal, &mut predicted, layout, &mut Vec::new()).unwrap();
    let mut reference = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
    let theirs = reference.encode(&predicted).unwrap().len();
    assert!(theirs < predicted.len() && ours * 100 <= theirs * 101, "{ours} bytes against {theirs}");
}

#[test]
fn predictors_leave_what_the_format_says() {
    let layout = BlockLayout { columns: 3, rows: 2, samples: 2, sample_bytes: 2 };
    let samples = |values: [u16; 12]| values.map(u16::to_le_bytes).concat();
    let mut block = samples([1, 100, 3, 90, 2, 65535, 7, 7, 7, 8, 9, 0]);
    predictor::apply(Predictor::Horizontal, &mut block, layout, &mut Vec::new()).unwrap();
    let minus = |n: u16| 0u16.wrapping_sub(n);
    assert_eq!(block, samples([1, 100, 2, minus(10), minus(1), 65445, 7, 7, 0, 1, 2, minus(8)]));

    let layout = BlockLayout { columns: 2, rows: 1, samples: 1, sample_bytes: 4 };
    let mut block = [0x3F80_0102_u32, 0x4080_0305].map(u32::to_le_bytes).concat();
    predictor::apply(Predictor::Float, &mut block, layout, &mut Vec::new()).unwrap();
    // Planes 3F 40 | 80 80 | 01 03 | 02 05, then each byte minus the one before.
    assert_eq!(block, [0x3F, 0x01, 0x40, 0x00, 0x81, 0x02, 0xFF, 0x03]);
}

#[test]
fn predictors_refuse_samples_they_cannot_take() {
    for (predictor, sample_bytes) in [(Predictor::Float, 2), (Predictor::Horizontal, 3)] {
        let layout = BlockLayout { columns: 4, rows: 4, samples: 1, sample_bytes };
        let mut block = vec![0; layout.bytes()];
        let refused = Encoder::new(Compression::Lzw, predictor, None).unwrap().encode(
            &mut block,
            layout,
            &mut Vec::new(),
        );
        assert!(refused.unwrap_err().to_string().contains("predictor"));
    }
}

#[test]
fn more_or_fewer_bytes_than_the_block_has_are_an_error() {
    let layout = |columns| BlockLayout { columns, rows: 1, samples: 1, sample_bytes: 1 };
    for &compression in Compression::ALL {
        let mut encoded = Vec::new();
        let mut encoder = Encoder::new(compression, Predictor::None, None).unwrap();
        encoder.encode(&mut imagery(5000, 1), layout(5000), &mut encoded).unwrap();
        let mut decoder = Decoder::new(compression, Predictor::None).unwrap();
        for columns in [0, 1, 4999, 5001, 9000] {
            let decoded = decoder.decode(&encoded, layout(columns), &mut vec![0; columns]);
            assert!(decoded.is_err(), "{compression}: 5000 bytes passed for {columns}");
        }
        for cut in [0, 1, encoded.len() / 2, encoded.len() - 3] {
            let decoded = decoder.decode(&encoded[..cut], layout(5000), &mut [0; 5000]);
            assert!(decoded.is_err(), "{compression}: passed though cut to {cut}");
        }
        // The decoder has forgotten the damage.
        decoder.decode(&encoded, layout(5000), &mut [0; 5000]).unwrap();
    }
}

#[test]
fn tags_are_those_of_the_format() {
    assert_eq!(Predictor::ALL.iter().map(|p| p.tag()).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(Predictor::from_tag(2), Some(Predictor::Horizontal));
    assert_eq!(Predictor::from_tag(34892), None);
}

proptest! {
    #[test]
    fn any_block_comes_back(
        columns in 1usize..90, rows in 1usize..40, samples in 1usize..7, smooth: bool, seed: u64, case in 0usize..40
    ) {
        let cases: Vec<_> = cases().collect();
        let (compression, predictor, sample_bytes) = cases[case % cases.len()];
        let layout = BlockLayout { columns, rows, samples, sample_bytes };
        let raw = if smooth { imagery(layout.bytes(), seed) } else { noise(layout.bytes(), seed) };
        assert_comes_back(compression, predictor, layout, &raw);
    }

    #[test]
    fn nothing_encodes_to_more_than_its_bound(length in 0usize..60_000, seed: u64, level in 1i32..=12) {
        let layout = BlockLayout { columns: length, rows: 1, samples: 1, sample_bytes: 1 };
        let mut encoded = Vec::new();
        for &compression in Compression::ALL {
            let level = matches!(compression, Compression::Deflate | Compression::Zstd).then_some(level);
            let mut encoder = Encoder::new(compression, Predictor::None, level).unwrap();
            encoder.encode(&mut noise(length, seed), layout, &mut encoded).unwrap();
            prop_assert!(encoded.len() <= max_encoded_len(compression, length), "{compression}");
        }
    }

    #[test]
    fn damaged_blocks_never_panic(garbage: Vec<u8>, position: prop::sample::Index, flip in 1u8.., case in 0usize..40) {
        let cases: Vec<_> = cases().collect();
        let (compression, predictor, sample_bytes) = cases[case % cases.len()];
        let layout = BlockLayout { columns: 13, rows: 7, samples: 2, sample_bytes };
        let mut out = vec![0; layout.bytes()];
        let mut decoder = Decoder::new(compression, predictor).unwrap();
        // Either answer is right; to return is what is asked.
        let _ = decoder.decode(&garbage, layout, &mut out);
        let mut encoded = Vec::new();
        let mut encoder = Encoder::new(compression, predictor, None).unwrap();
        encoder.encode(&mut imagery(layout.bytes(), 1), layout, &mut encoded).unwrap();
        let length = encoded.len();
        encoded[position.index(length)] ^= flip;
        let _ = decoder.decode(&encoded, layout, &mut out);
    }
}
