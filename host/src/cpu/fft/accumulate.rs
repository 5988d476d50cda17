//! Sums of products of spectra, for several frames at a time.
//!
//! ```text
//! y_f[bin] = sum over terms t, in this order, of k_t[bin] x_ft[bin]
//! ```
//! The sums of a few bins and frames stay in registers over all terms. So a kernel's spectrum is loaded once for all frames,
//! and no sum is stored between two terms. Each sum takes two fused multiply-adds per term for its real part and two for its
//! imaginary part, in the order of the terms, for any number of frames and bins at a time.

use super::butterfly::Complex;
use fearless_simd::Simd;
use fearless_simd::prelude::*;

/// The factors of the products.
pub(super) struct Products<'a> {
    /// The spectra of the kernels, and the start of the first term's spectrum; the others follow, `kernel_len` apart.
    pub(super) kernels: &'a [f32],
    pub(super) kernel: usize,
    pub(super) kernel_len: usize,
    /// The spectra of the frames, and the start of each spectrum used: for each frame all terms.
    pub(super) spectra: &'a [f32],
    pub(super) starts: &'a [usize],
    pub(super) terms: usize,
    /// The first bin in each spectrum, and the number of bins.
    pub(super) from: usize,
    pub(super) bins: usize,
}

/// Writes the sums of frame `f` at `sums[f * stride ..]`.
#[inline(always)]
pub(super) fn run<S: Simd>(simd: S, products: &Products<'_>, sums: &mut [f32], stride: usize) {
    let frames = products.starts.len().checked_div(products.terms).unwrap_or(0);
    let mut frame = 0;
    while frame < frames {
        let sums = &mut sums[frame * stride..];
        frame += match frames - frame {
            4.. => rows::<S, 4, 2>(simd, products, frame, sums, stride),
            2..4 => rows::<S, 2, 4>(simd, products, frame, sums, stride),
            _ => rows::<S, 1, 8>(simd, products, frame, sums, stride),
        };
    }
}

/// All bins of `F` frames, `B` bins at a time. Returns `F`.
#[inline(always)]
fn rows<S: Simd, const F: usize, const B: usize>(
    simd: S,
    products: &Products<'_>,
    frame: usize,
    sums: &mut [f32],
    stride: usize,
) -> usize {
    let mut bin = 0;
    while bin + B <= products.bins {
        tile::<S, F, B>(simd, products, frame, bin, sums, stride);
        bin += B;
    }
    while bin < products.bins {
        tile::<S, F, 1>(simd, products, frame, bin, sums, stride);
        bin += 1;
    }
    F
}

#[inline(always)]
fn tile<S: Simd, const F: usize, const B: usize>(
    simd: S,
    products: &Products<'_>,
    frame: usize,
    bin: usize,
    sums: &mut [f32],
    stride: usize,
) {
    let (size, terms) = (Complex::<S>::LEN, products.terms);
    let at = products.from + bin * size;
    let starts = &products.starts[frame * terms..][..F * terms];
    let mut acc = [[Complex::<S>::zero(simd); B]; F];
    for term in 0..terms {
        let kernel = &products.kernels[products.kernel + term * products.kernel_len + at..][..B * size];
        for (f, acc) in acc.iter_mut().enumerate() {
            let x = &products.spectra[starts[f * terms + term] + at..][..B * size];
            for (b, acc) in acc.iter_mut().enumerate() {
                let x = Complex::<S>::load(simd, x, b * size);
                let k = Complex::<S>::load(simd, kernel, b * size);
                acc.re = x.re.mul_add(k.re, acc.re);
                acc.im = x.re.mul_add(k.im, acc.im);
                acc.re = (-x.im).mul_add(k.im, acc.re);
                acc.im = x.im.mul_add(k.re, acc.im);
            }
        }
    }
    for (f, acc) in acc.into_iter().enumerate() {
        for (b, acc) in acc.into_iter().enumerate() {
            acc.store(sums, f * stride + (bin + b) * size);
        }
    }
}
