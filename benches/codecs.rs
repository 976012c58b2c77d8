//! Bytes a second of the block codecs on one core, for every kind of data, beside weezl and libtiff.
//!
//! libtiff's speed is GDAL's time to write a compressed file in memory less its time to write it uncompressed, both
//! on one thread; it is printed, since criterion does not subtract.

// criterion_group! makes a public function without a doc.
#![allow(missing_docs)]

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use gdal::raster::{Buffer, GdalType, RasterCreationOptions};
use gdal::{DriverManager, vsi};
use mosaic_stream::codec::{BlockLayout, Compression, Decoder, Encoder, Predictor};
use std::hint::black_box;
use std::time::{Duration, Instant};
use weezl::BitOrder;

const SIDE: usize = 512;
const BLOCKS: usize = 4;

/// Four blocks of one kind of data, with the predictor it is usually stored with.
struct Kind {
    name: &'static str,
    predictor: Predictor,
    layout: BlockLayout,
    blocks: Vec<Vec<u8>>,
    libtiff: fn(&[Vec<u8>], Predictor, &str) -> f64,
}

impl Kind {
    fn new<T: GdalType + bytemuck::Pod>(
        name: &'static str,
        predictor: Predictor,
        sample: fn(usize, usize, usize, f64) -> T,
    ) -> Self {
        let layout = BlockLayout { columns: SIDE, rows: SIDE, samples: 1, sample_bytes: size_of::<T>() };
        let mut state = 1u64;
        let mut block = |block| {
            let samples = (0..SIDE * SIDE).map(|i| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Four small random numbers: nearly a bell curve, as a sensor's noise is.
                let noise = state.to_be_bytes()[..4].iter().map(|byte| f64::from(byte % 24)).sum::<f64>();
                sample(block, i % SIDE, i / SIDE, noise)
            });
            bytemuck::cast_slice(&samples.collect::<Vec<T>>()).to_vec()
        };
        Self { name, predictor, layout, blocks: (0..BLOCKS).map(&mut block).collect(), libtiff: libtiff::<T> }
    }

    fn bytes(&self) -> usize {
        self.blocks.iter().map(Vec::len).sum()
    }
}

/// Relief of waves and fields with borders, from 0 to about 4600, under the noise.
fn ground(block: usize, x: usize, y: usize) -> f64 {
    let field = ((x / 43 * 7 + y / 29 * 13 + block) % 11 * 60) as f64;
    let (x, y) = (x as f64 + 512.0 * block as f64, y as f64);
    3000.0 + 900.0 * (x / 97.0).sin() * (y / 61.0).cos() + 150.0 * (x / 11.0 + y / 7.0).sin() + field
}

fn kinds() -> Vec<Kind> {
    use Predictor::{Float, Horizontal, None};
    const TEXT: &[u8] = include_bytes!("codecs.rs");
    vec![
        Kind::new("uint8 imagery", Horizontal, |block, x, y, noise| {
            ((ground(block, x, y) + noise) / 18.0) as u8
        }),
        Kind::new("uint16 imagery", Horizontal, |block, x, y, noise| (ground(block, x, y) + noise) as u16),
        Kind::new("int16 imagery", Horizontal, |block, x, y, noise| {
            (ground(block, x, y) + noise / 4.0) as i16 - 3000
        }),
        Kind::new("float32 imagery", Float, |block, x, y, noise| {
            ((ground(block, x, y) + noise) * 0.0001) as f32
        }),
        Kind::new("constant", None, |_, _, _, _| 7u8),
        Kind::new("random", None, |_, x, y, noise| {
            (((x * 31 + y * 517) as f64 * noise + noise * noise) as u64 % 251) as u8
        }),
        Kind::new("ramp", None, |_, x, y, _| (x + SIDE * y) as u8),
        Kind::new("text", None, |block, x, y, _| TEXT[(x + SIDE * y + block * 999) % TEXT.len()]),
    ]
}

/// libtiff's bytes a second on these blocks: the best of some runs.
fn libtiff<T: GdalType + bytemuck::Pod>(blocks: &[Vec<u8>], predictor: Predictor, name: &str) -> f64 {
    const REPEATS: usize = 8;
    let samples: Vec<T> = blocks.iter().flat_map(|block| bytemuck::pod_collect_to_vec(block)).collect();
    let samples = samples.repeat(REPEATS);
    let rows = samples.len() / SIDE;
    let mut buffer = Buffer::new((SIDE, rows), samples);
    let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
    let mut seconds = |options: &[&str]| {
        let options = RasterCreationOptions::from_iter(
            ["TILED=YES", "BLOCKXSIZE=512", "BLOCKYSIZE=512"].iter().chain(options).copied(),
        );
        let run = |_| {
            let path = format!("/vsimem/{name}.tif");
            let start = Instant::now();
            let file =
                driver.create_with_band_type_with_options::<T, _>(&path, SIDE, rows, 1, &options).unwrap();
            file.rasterband(1).unwrap().write((0, 0), (SIDE, rows), &mut buffer).unwrap();
            file.close().unwrap();
            let seconds = start.elapsed().as_secs_f64();
            vsi::unlink_mem_file(&path).unwrap();
            seconds
        };
        (0..5).map(run).fold(f64::INFINITY, f64::min)
    };
    let predictor = format!("PREDICTOR={}", predictor.tag());
    let encoding = seconds(&["COMPRESS=LZW", &predictor]) - seconds(&["COMPRESS=NONE"]);
    (REPEATS * blocks.iter().map(Vec::len).sum::<usize>()) as f64 / encoding
}

fn slices(blocks: &mut [Vec<u8>]) -> Vec<&mut [u8]> {
    blocks.iter_mut().map(|block| &mut block[..]).collect()
}

fn settings<'a>(criterion: &'a mut Criterion, name: &str, bytes: usize) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes as u64));
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(700));
    group
}

/// Every codec with every kind's predictor and without, four blocks at a time.
fn codecs(criterion: &mut Criterion) {
    for kind in kinds() {
        let mut group = settings(criterion, kind.name, kind.bytes());
        let mut predictors = vec![Predictor::None, kind.predictor];
        predictors.dedup();
        for (&compression, &predictor) in Compression::ALL
            .iter()
            .flat_map(|codec| predictors.iter().map(move |predictor| (codec, predictor)))
        {
            let mut encoder = Encoder::new(compression, predictor, None).unwrap();
            let mut outs = vec![Vec::new(); BLOCKS];
            encoder.encode_batch(&mut slices(&mut kind.blocks.clone()), kind.layout, &mut outs).unwrap();
            let size = 100.0 * outs.iter().map(Vec::len).sum::<usize>() as f64 / kind.bytes() as f64;
            println!("{}, {compression}, predictor {predictor}: {size:.2} % of the raw bytes", kind.name);
            let encoded = outs.clone();
            group.bench_function(format!("encode {compression}, predictor {predictor}"), |bencher| {
                let encode = |blocks: &mut Vec<Vec<u8>>| {
                    encoder.encode_batch(&mut slices(blocks), kind.layout, &mut outs).unwrap();
                };
                bencher.iter_batched_ref(|| kind.blocks.clone(), encode, BatchSize::LargeInput);
            });
            let mut decoder = Decoder::new(compression, predictor).unwrap();
            let mut decoded = vec![0; kind.layout.bytes()];
            group.bench_function(format!("decode {compression}, predictor {predictor}"), |bencher| {
                bencher.iter(|| {
                    for block in &encoded {
                        decoder.decode(black_box(block), kind.layout, &mut decoded).unwrap();
                    }
                });
            });
            if compression == Compression::Deflate {
                let inputs: Vec<&[u8]> = encoded.iter().map(Vec::as_slice).collect();
                let mut decoded = vec![decoded.clone(); BLOCKS];
                group.bench_function(
                    format!("decode {compression} in a batch, predictor {predictor}"),
                    |bencher| {
                        bencher.iter(|| {
                            let results = decoder.decode_batch(
                                black_box(&inputs),
                                kind.layout,
                                &mut slices(&mut decoded),
                            );
                            assert!(results.iter().all(Result::is_ok));
                        });
                    },
                );
            }
        }
        group.finish();
    }
}

/// LZW with the usual predictor: four blocks at a time and one, libtiff, and weezl on blocks without predictor.
fn lzw_beside_others(criterion: &mut Criterion) {
    for kind in kinds() {
        let speed = (kind.libtiff)(&kind.blocks, kind.predictor, kind.name);
        println!("lzw, {}: libtiff encodes {:.0} MB/s", kind.name, speed / 1e6);
        let mut group = settings(criterion, &format!("lzw, {}", kind.name), kind.bytes());
        for together in [BLOCKS, 1] {
            let mut encoder = Encoder::new(Compression::Lzw, kind.predictor, None).unwrap();
            let mut outs = vec![Vec::new(); together];
            group.bench_function(format!("encode {together} at a time"), |bencher| {
                let encode = |blocks: &mut Vec<Vec<u8>>| {
                    for blocks in blocks.chunks_mut(together) {
                        encoder.encode_batch(&mut slices(blocks), kind.layout, &mut outs).unwrap();
                    }
                };
                bencher.iter_batched_ref(|| kind.blocks.clone(), encode, BatchSize::LargeInput);
            });
        }
        let encoder = || weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8);
        let encoded: Vec<_> = kind.blocks.iter().map(|block| encoder().encode(block).unwrap()).collect();
        group.bench_function("encode by weezl, no predictor", |bencher| {
            bencher.iter(|| {
                kind.blocks.iter().map(|block| encoder().encode(block).unwrap().len()).sum::<usize>()
            });
        });
        let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
        group.bench_function("decode by weezl, no predictor", |bencher| {
            let mut decoded = Vec::with_capacity(kind.layout.bytes());
            bencher.iter(|| {
                for block in &encoded {
                    decoded.clear();
                    decoder.reset();
                    decoder.into_vec(&mut decoded).decode_all(black_box(block)).status.unwrap();
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, codecs, lzw_beside_others);
criterion_main!(benches);
