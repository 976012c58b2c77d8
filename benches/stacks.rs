//! Pixels a second of the rules that need all scenes at once, on one core, with gaps as clouds leave them.

// criterion_group! makes a public function without a doc.
#![allow(missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mosaic_stream::geometry::Size;
use mosaic_stream::pixels::{Buffer, Decision, Number, PixelType, Rule, Stack};
use std::hint::black_box;

const SIZE: Size = Size::new(256, 256);

/// A stack of scenes with a bell curve of values; where there are gaps, every eighth stretch of pixels is masked.
fn stack(depth: usize, bands: usize, gaps: bool) -> Stack {
    let mut stack = Stack::new(PixelType::UInt16, bands);
    stack.reset(SIZE, depth);
    let mut state = 1u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()
    };
    for scene in 0..depth {
        stack.push(&vec![Some(Number::Whole(0)); bands]);
        let (values, seen) = stack.scene_mut::<u16>(scene);
        values.fill_with(|| 1000 + random()[..4].iter().map(|&byte| u16::from(byte)).sum::<u16>());
        for stretch in seen.chunks_mut(37) {
            stretch.fill(u8::from(!gaps || random()[0] >= 32));
        }
    }
    stack
}

fn stacks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stacks");
    group.throughput(Throughput::Elements(SIZE.pixels() as u64));
    group.sample_size(10);
    let cases = [
        ("median of 8", Rule::Median, 8, 1),
        ("median of 60", Rule::Median, 60, 1),
        ("90th percentile of 60", Rule::Percentile(90.0), 60, 1),
        ("mode of 60", Rule::Mode, 60, 1),
        ("minimum of 8", Rule::Min, 8, 1),
        ("mean of 8", Rule::Mean, 8, 1),
        ("deviation of 8", Rule::StandardDeviation, 8, 1),
        ("first of 8, 4 bands", Rule::First, 8, 4),
        ("medoid of 8, 4 bands", Rule::Medoid, 8, 4),
        ("geometric median of 8, 4 bands", Rule::GeometricMedian, 8, 4),
    ];
    for (name, rule, depth, bands) in cases {
        for (gaps, kind) in [(false, "whole"), (true, "with gaps")] {
            let stack = stack(depth, bands, gaps);
            let mut pixels = Buffer::zeros(PixelType::UInt16, bands * SIZE.pixels());
            let mut valid = vec![0; SIZE.pixels()];
            let background = vec![Number::Whole(0); bands];
            let decision = Decision { rule, score: None, least: 1, background: &background };
            group.bench_function(format!("{name}, {kind}"), |bencher| {
                bencher.iter(|| stack.decide(&decision, black_box(&mut pixels), &mut valid, None));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, stacks);
criterion_main!(benches);
