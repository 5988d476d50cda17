//! What one core of this machine can do at most: multiply-adds a second in registers at every level of vectors, and bytes
//! a second that a copy moves (read and written) within the second-level cache and far beyond the last one.
//!
//! A convolution cannot be faster than the first, a filter that touches each sample once not faster than the second.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, dispatch};
use foveola::SimdLevel;
use std::hint::black_box;

/// Rounds of multiply-adds in a call.
const ROUNDS: usize = 10_000;
/// Independent chains: more than latency x units of any core.
const CHAINS: usize = 12;

/// `ROUNDS` multiply-adds in each of `CHAINS` vectors; returns their sum, and the floating-point operations.
#[inline(always)]
fn multiply_adds<S: Simd>(simd: S) -> (f32, u64) {
    let (factor, term) = (S::f32s::splat(simd, 0.999), S::f32s::splat(simd, 1e-3));
    let mut chains = [S::f32s::splat(simd, black_box(1.0)); CHAINS];
    for _ in 0..ROUNDS {
        for chain in &mut chains {
            *chain = chain.mul_add(factor, term);
        }
    }
    let sum = chains.iter().map(|chain| chain.as_slice().iter().sum::<f32>()).sum();
    (sum, (2 * S::f32s::LEN * CHAINS * ROUNDS) as u64)
}

fn registers(c: &mut Criterion) {
    let mut group = c.benchmark_group("limit_multiply_add");
    for level in SimdLevel::available() {
        let Some(token) = level.level() else { continue };
        let (_, operations) = dispatch!(token, simd => multiply_adds(simd));
        group.throughput(Throughput::Elements(operations));
        group.bench_function(format!("{level:?}, floating-point operations"), |b| {
            b.iter(|| dispatch!(token, simd => multiply_adds(simd)));
        });
    }
    group.finish();
}

fn copy(c: &mut Criterion) {
    let mut group = c.benchmark_group("limit_copy");
    for (name, samples) in [("128 kB", 1 << 15), ("256 MB", 1 << 26)] {
        let (from, mut to) = (vec![1.0_f32; samples], vec![0.0_f32; samples]);
        group.throughput(Throughput::Bytes(8 * samples as u64)).sample_size(10);
        group.bench_function(format!("{name}, bytes read and written"), |b| {
            b.iter(|| black_box(&mut to).copy_from_slice(black_box(&from)));
        });
    }
    group.finish();
}

criterion_group!(benches, registers, copy);
criterion_main!(benches);
