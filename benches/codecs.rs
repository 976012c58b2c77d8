//! Bytes a second of the block codecs on one core: a 512×512 block of uint16 that compresses like imagery.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use mosaic_stream::codec::{BlockLayout, Compression, Decoder, Encoder, Predictor};
use std::hint::black_box;
use std::time::Duration;

const LAYOUT: BlockLayout = BlockLayout { columns: 512, rows: 512, samples: 1, sample_bytes: 2 };

/// Relief of waves, fields with borders, sensor noise.
fn imagery() -> Vec<u8> {
    let mut state = 1u64;
    let pixel = |i: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (x, y) = (f64::from(i % 512), f64::from(i / 512));
        let relief = 900.0 * (x / 97.0).sin() * (y / 61.0).cos() + 150.0 * (x / 11.0 + y / 7.0).sin();
        let field = (i % 512 / 43 * 7 + i / 512 / 29 * 13) % 11 * 60;
        // Four small random numbers: nearly a bell curve, as a sensor's noise is.
        let noise = state.to_be_bytes()[..4].iter().map(|byte| u32::from(byte % 24)).sum::<u32>();
        ((3000.0 + relief) as u16 + (field + noise) as u16).to_le_bytes()
    };
    (0..512 * 512).flat_map(pixel).collect()
}

/// Predictor 2 as it stands in the format, to feed the other encoder.
fn differences(raw: &[u8]) -> Vec<u8> {
    let row = |row: &[u8]| {
        let sample = |i: usize| u16::from_le_bytes([row[2 * i], row[2 * i + 1]]);
        let difference = |i: usize| if i == 0 { sample(0) } else { sample(i).wrapping_sub(sample(i - 1)) };
        (0..row.len() / 2).flat_map(|i| difference(i).to_le_bytes()).collect::<Vec<_>>()
    };
    raw.chunks(2 * LAYOUT.columns).flat_map(row).collect()
}

fn codecs(criterion: &mut Criterion) {
    let raw = imagery();
    let mut group = criterion.benchmark_group("codecs");
    group.throughput(Throughput::Bytes(raw.len() as u64));
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for &compression in Compression::ALL {
        let mut encoder = Encoder::new(compression, Predictor::Horizontal, None).unwrap();
        let mut encoded = Vec::new();
        encoder.encode(&mut raw.clone(), LAYOUT, &mut encoded).unwrap();
        println!("{compression}: {:.1} % of the raw bytes", 100.0 * encoded.len() as f64 / raw.len() as f64);
        let mut out = Vec::new();
        group.bench_function(format!("encode {compression}"), |bencher| {
            let encode = |block: &mut Vec<u8>| encoder.encode(block, LAYOUT, &mut out).unwrap();
            bencher.iter_batched_ref(|| raw.clone(), encode, BatchSize::SmallInput);
        });
        let mut decoder = Decoder::new(compression, Predictor::Horizontal).unwrap();
        let mut decoded = vec![0; raw.len()];
        group.bench_function(format!("decode {compression}"), |bencher| {
            bencher.iter(|| decoder.decode(black_box(&encoded), LAYOUT, &mut decoded).unwrap());
        });
    }

    let predicted = differences(&raw);
    let other = || weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
    let length = other().encode(&predicted).unwrap().len();
    println!("weezl: {:.1} % of the raw bytes", 100.0 * length as f64 / raw.len() as f64);
    group.bench_function("encode lzw by weezl", |bencher| {
        let mut out = Vec::new();
        bencher.iter(|| {
            out.clear();
            other().into_vec(&mut out).encode_all(black_box(&predicted)).status.unwrap();
        });
    });
    group.finish();
}

criterion_group!(benches, codecs);
criterion_main!(benches);
