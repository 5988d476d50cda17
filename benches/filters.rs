//! One frame of 128 x 128 through the filters, one thread, default build. `cargo bench` prints time a frame and taps (or
//! samples) a second of
//! - a model at every level of vectors that this CPU has (the best one is the default),
//! - the reproducible lanes of `core` (SSE2 on x86-64, unless compiled for more),
//! - the same as plain loops.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use foveola::{Model, Precision, SimdLevel};
use foveola_benches::{plain_conv3d, plain_low_pass};
use foveola_core::{Conv3d, ConvOptions, Decay, Filter, Kernel, LowPass, Shape};
use ndarray::{Array3, ArrayView3};
use std::hint::black_box;

const SIDE: usize = 128;
const SHAPE: Shape = Shape::new(1, SIDE, SIDE);

fn noise(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919) % 1009) as f32 / 1009.0 - 0.5).collect()
}

fn conv3d(c: &mut Criterion) {
    for kernel in [[10, 10, 10], [5, 5, 5], [1, 9, 9], [1, 3, 3]] {
        let [kt, kh, kw] = kernel;
        let taps = kt * kh * kw;
        let (weights, frame) = (noise(taps), noise(SHAPE.len()));
        let mut group = c.benchmark_group(format!("conv3d_{kt}x{kh}x{kw}"));
        group.throughput(Throughput::Elements((taps * SHAPE.len()) as u64)).sample_size(20);

        let conv = Conv3d::new(SHAPE, Kernel::new(&weights, [1, 1, kt, kh, kw]), ConvOptions::DEFAULT)
            .expect("a kernel that fits");
        let signature = conv.signature();
        let (mut state, mut scratch) = (vec![0.0; signature.state], vec![0.0; signature.scratch.len(1)]);
        let mut out = vec![0.0; SHAPE.len()];
        let mut t = 0;
        group.bench_function("foveola-core", |b| {
            b.iter(|| {
                conv.step(t, &mut state, &mut scratch, black_box(&frame), &mut out).expect("lengths that fit");
                t += 1;
            });
        });

        let movie = Array3::from_shape_vec((1, SIDE, SIDE), frame.clone()).expect("one frame");
        let array = ArrayView3::from_shape((kt, kh, kw), &weights).expect("a kernel");
        for level in SimdLevel::available() {
            let layer = foveola::Conv3d::new(1, 1, kernel).and_then(|conv| conv.with_weight(&array));
            let mut model = Model::of(layer.expect("a kernel that fits")).precision(Precision::AtMost(level));
            group.bench_function(format!("foveola, {level:?}"), |b| {
                b.iter(|| model.process(black_box(&movie)).expect("a frame").len());
            });
        }

        let frames = noise(kt * (SIDE + kh - 1) * (SIDE + kw - 1));
        group.bench_function("plain loops", |b| {
            b.iter(|| plain_conv3d(black_box(&frames), &weights, kernel, [SIDE, SIDE], &mut out));
        });
        group.finish();
    }
}

fn low_pass(c: &mut Criterion) {
    let decay = Decay::new(0.01, 1000.0).expect("a positive time constant");
    let (filter, frame) = (LowPass::new(SHAPE, decay), noise(SHAPE.len()));
    let (mut state, mut out) = (vec![0.0; SHAPE.len()], vec![0.0; SHAPE.len()]);
    let mut group = c.benchmark_group("low_pass");
    group.throughput(Throughput::Elements(SHAPE.len() as u64));
    let mut t = 0;
    group.bench_function("foveola-core", |b| {
        b.iter(|| {
            filter.step(t, &mut state, &mut [], black_box(&frame), &mut out).expect("lengths that fit");
            t += 1;
        });
    });
    let a = 1.0 - decay.gain() as f32;
    group.bench_function("plain loops", |b| b.iter(|| plain_low_pass(a, black_box(&frame), &mut state, &mut out)));
    group.finish();
}

criterion_group!(benches, conv3d, low_pass);
criterion_main!(benches);
