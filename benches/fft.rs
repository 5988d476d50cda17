//! Convolutions in the frequency domain, by part: time of a chunk's spectra and of its output frames, and what the cost
//! model expects of both.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use foveola::SimdLevel;
use foveola::fft::{FftKernel, Samples};
use std::hint::black_box;

fn noise(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919) % 1009) as f32 / 1009.0 - 0.5).collect()
}

fn fft(c: &mut Criterion) {
    let Some(level) = SimdLevel::available().last().and_then(|level| level.level()) else { return };
    let cases = [
        ([10, 10, 10], 128, 16),
        ([10, 10, 10], 128, 1),
        ([10, 10, 10], 64, 16),
        ([1, 15, 15], 128, 16),
        ([1, 31, 31], 128, 16),
        ([1, 63, 63], 128, 16),
        ([1, 63, 63], 256, 16),
    ];
    for ([kt, kh, kw], side, frames) in cases {
        let (shape, weights) = ([1, 1, kt, kh, kw], noise(kt * kh * kw));
        let plan = FftKernel::new(level, &weights, shape, 1, [1, 1], [side, side]).expect("memory");
        let (_, expected) = FftKernel::best(level, shape, 1, [1, 1], [side, side]).expect("a small frame");
        let ([rows, cols], [height, width]) = (plan.in_size(), plan.size());
        let input = noise(frames * rows * cols);
        let mut out = vec![0.0; frames * side * side];
        let mut spectra = Samples::zeros("spectra", (frames + kt - 1) * plan.spectrum_len()).expect("memory");
        let mut group = c.benchmark_group(format!("fft_{kt}x{kh}x{kw}_{side}x{side}_by_{frames}"));
        println!("{height} x {width}, {:.1} us a frame expected of one thread", expected / 1e3);
        group.throughput(Throughput::Elements(frames as u64)).sample_size(20);
        for threads in [1, 2] {
            let mut works: Vec<_> = (0..threads).map(|_| plan.work().expect("memory")).collect();
            group.bench_function(format!("{threads} threads"), |b| {
                b.iter(|| {
                    let new = &mut spectra[(kt - 1) * plan.spectrum_len()..];
                    plan.forward(&mut works, |n, r| Some(&input[(n * rows + r) * cols..][..cols]), new);
                    plan.output(&mut works, &spectra, frames, |f, a, _| f + a, &[0.1], black_box(&mut out));
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, fft);
criterion_main!(benches);
