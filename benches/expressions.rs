//! Pixels a second of formulas on one core, over a window of four uint16 bands.

// criterion_group! makes a public function without a doc.
#![allow(missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mosaic_stream::pixels::{Buffer, Evaluator, Formula, PixelType, Present, Program};
use std::hint::black_box;
use std::time::Duration;

const PIXELS: usize = 512 * 512;
const BANDS: usize = 4;

/// Formulas by name, with the type of their output.
const FORMULAS: [(&str, &str, PixelType); 6] = [
    ("ndvi", "(b4-b3)/(b4+b3)", PixelType::Float32),
    ("ndvi as int16", "round(10000*(b4-b3)/(b4+b3))", PixelType::Int16),
    ("where", "where(b1 > 50, 1, 0)", PixelType::Byte),
    ("clip", "clip(b1/10000, 0, 1)", PixelType::Float32),
    ("evi", "2.5*(b4-b3)/(b4+6*b3-7.5*b1+10000)", PixelType::Float32),
    ("decibels", "10*log10(b1)", PixelType::Float32),
];

fn formulas(criterion: &mut Criterion) {
    let mut state = 1u64;
    let mut pixel = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 52) as u16
    };
    let inputs = Buffer::UInt16((0..BANDS * PIXELS).map(|_| pixel()).collect());
    let present: Vec<u8> = inputs.pixels::<u16>().iter().map(|pixel| u8::from(*pixel != 0)).collect();
    let mut group = criterion.benchmark_group("expressions");
    group.throughput(Throughput::Elements(PIXELS as u64));
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(700));
    for (name, text, output_type) in FORMULAS {
        let formulas = Formula::parse(text).unwrap();
        let program =
            Program::compile(&formulas, &vec![String::new(); BANDS], &[PixelType::UInt16; BANDS]).unwrap();
        let (mut outputs, mut valid) = (Buffer::zeros(output_type, PIXELS), vec![0; PIXELS]);
        let mut evaluator = Evaluator::default();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let present = Present::Bands(black_box(&present));
                evaluator.run(&program, black_box(&inputs), present, &mut outputs, &mut valid);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, formulas);
criterion_main!(benches);
