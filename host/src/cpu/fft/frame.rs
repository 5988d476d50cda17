//! Transforms one frame into its spectrum, and sums of products of spectra into frames, on one thread.

use super::accumulate::{self, Products};
use super::butterfly::Complex;
use super::{FftKernel, Inputs, Work, plane};
use fearless_simd::Simd;
use fearless_simd::prelude::*;
use std::ops::Range;

impl FftKernel {
    /// The spectrum of the frame whose rows `line` yields.
    #[inline(always)]
    pub(super) fn transform<'a, S: Simd>(
        &self,
        simd: S,
        work: &mut Work,
        line: &impl Fn(usize) -> Option<&'a [f32]>,
        spectrum: &mut [f32],
    ) {
        let (size, strip) = (Complex::<S>::LEN, self.strip());
        let (full, rest) = (self.in_size[1] / S::f32s::LEN, self.in_size[1] % S::f32s::LEN);
        let row = |r: usize| {
            let line = if r < self.in_size[0] { line(r) } else { None };
            line.map_or(&work.zeros[..self.in_size[1]], |line| &line[..self.in_size[1]])
        };
        for (n, &twist) in self.twist.iter().enumerate() {
            let (upper, lower) = (row(n), row(n + self.vertical.len()));
            let pairs = upper.chunks_exact(S::f32s::LEN).zip(lower.chunks_exact(S::f32s::LEN));
            for ((re, im), half) in pairs.zip(work.half.chunks_exact_mut(strip)) {
                let (re, im) = (S::f32s::from_slice(simd, re), -S::f32s::from_slice(simd, im));
                Complex::<S> { re, im }.times(simd, twist).store(half, n * size);
            }
            if rest > 0 {
                let half = &mut work.half[full * strip..];
                let (re, im) = (last(simd, upper), -last(simd, lower));
                Complex::<S> { re, im }.times(simd, twist).store(half, n * size);
            }
        }
        for half in work.half.chunks_exact_mut(strip) {
            self.vertical.forward(simd, half);
        }
        let width = S::f32s::LEN * size;
        for (block, slab) in spectrum.chunks_exact_mut(self.slab()).take(self.blocks()).enumerate() {
            for (half, to) in work.half.chunks_exact(strip).zip(slab.chunks_exact_mut(width)) {
                plane::transpose_complex(simd, &half[block * width..], to);
            }
            slab[work.half.len() / strip * width..].fill(0.0);
            self.horizontal.forward(simd, slab);
        }
    }

    /// Output channels `outs` of `frames`.
    #[inline(always)]
    pub(super) fn invert<S: Simd, F: Fn(usize, usize, usize) -> usize>(
        &self,
        simd: S,
        inputs: &Inputs<'_, F>,
        work: &mut Work,
        frames: Range<usize>,
        outs: Range<usize>,
        out: &mut [f32],
    ) {
        let plane = self.out_size[0] * self.out_size[1];
        let (slab, terms, spectrum) = (self.slab(), self.ins * self.taps, self.spectrum_len());
        let stride = self.blocks() * slab;
        for first in frames.clone().step_by(self.frames()) {
            let count = self.frames().min(frames.end - first);
            for (n, o) in outs.clone().enumerate() {
                self.find(inputs, work, first..first + count, o);
                for block in 0..self.blocks() {
                    let products = Products {
                        kernels: &self.spectra,
                        kernel: o * terms * spectrum,
                        kernel_len: spectrum,
                        spectra: inputs.spectra,
                        starts: &work.starts[..count * terms],
                        terms,
                        from: block * slab,
                        bins: self.horizontal.len(),
                    };
                    accumulate::run(simd, &products, &mut work.sums[block * slab..], stride);
                    for f in 0..count {
                        self.horizontal.inverse(simd, &mut work.sums[f * stride + block * slab..][..slab]);
                    }
                }
                let bias = inputs.bias.get(o).copied().unwrap_or(0.0);
                for f in 0..count {
                    let at = (first - frames.start + f) * outs.len() + n;
                    let sums = &work.sums[f * stride..][..stride];
                    self.columns(simd, sums, &mut work.columns, bias, &mut out[at * plane..][..plane]);
                }
            }
        }
    }

    /// The start of each spectrum that contributes to output channel `o` of each of `frames`.
    fn find<F: Fn(usize, usize, usize) -> usize>(
        &self,
        inputs: &Inputs<'_, F>,
        work: &mut Work,
        frames: Range<usize>,
        o: usize,
    ) {
        let group = o / (self.outs / self.groups);
        for (f, starts) in frames.zip(work.starts.chunks_exact_mut(self.ins * self.taps)) {
            for (i, starts) in starts.chunks_exact_mut(self.taps).enumerate() {
                for (a, start) in starts.iter_mut().enumerate() {
                    *start = (inputs.slot)(f, a, group * self.ins + i) * self.spectrum_len();
                }
            }
        }
    }

    /// The last transform, along rows: converts sums of products, already transformed along columns, into a frame.
    #[inline(always)]
    fn columns<S: Simd>(&self, simd: S, sums: &[f32], columns: &mut [f32], bias: f32, out: &mut [f32]) {
        let (size, slab, [rows, cols]) = (Complex::<S>::LEN, self.slab(), self.out_size);
        let width = S::f32s::LEN * size;
        let bias = S::f32s::splat(simd, bias);
        for col in (0..cols).step_by(S::f32s::LEN) {
            for (sums, columns) in sums.chunks_exact(slab).zip(columns.chunks_exact_mut(width)) {
                plane::transpose_complex(simd, &sums[col * size..], columns);
            }
            self.vertical.inverse(simd, columns);
            let (upper, lower) = out.split_at_mut(rows.min(self.vertical.len()) * cols);
            let mut lower = lower.chunks_exact_mut(cols);
            let points = columns.chunks_exact(size).zip(&self.twist);
            for (upper, (x, &[re, im])) in upper.chunks_exact_mut(cols).zip(points) {
                let x = Complex::<S>::load(simd, x, 0).times(simd, [re, -im]);
                put(x.re + bias, &mut upper[col..]);
                if let Some(lower) = lower.next() {
                    put(bias - x.im, &mut lower[col..]);
                }
            }
        }
    }
}

/// The samples after the last full vector, padded with zeros.
#[inline(always)]
fn last<S: Simd>(simd: S, line: &[f32]) -> S::f32s {
    let rest = line.chunks_exact(S::f32s::LEN).remainder();
    let mut full = [0.0; 16];
    full[..rest.len()].copy_from_slice(rest);
    S::f32s::from_slice(simd, &full[..S::f32s::LEN])
}

/// Writes as many samples as there is room for.
#[inline(always)]
fn put<S: Simd, V: SimdFloat<S, Element = f32>>(vector: V, to: &mut [f32]) {
    match to.get_mut(..V::LEN) {
        Some(to) => vector.store_slice(to),
        None => to.copy_from_slice(&vector.as_slice()[..to.len()]),
    }
}
