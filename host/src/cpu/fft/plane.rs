//! Transposes tiles of `W x W` samples between the transforms of rows and of columns: the lanes of a vector become vectors.

use super::butterfly::Complex;
use fearless_simd::Simd;
use fearless_simd::prelude::*;

/// Transposes `W` vectors of `W` lanes, `W` a power of two up to 16; the rest of the array is unchanged.
///
/// Interleaving the vectors of the first half with those of the second, `log2 W` times, moves lane `l` of vector `v` to lane
/// `v` of vector `l`.
#[inline(always)]
fn transpose<S: Simd>(tile: &mut [S::f32s; 16]) {
    let half = S::f32s::LEN / 2;
    let mut round = 1;
    while round < S::f32s::LEN {
        let from = *tile;
        for v in 0..half {
            tile[2 * v] = from[v].zip_low(from[v + half]);
            tile[2 * v + 1] = from[v].zip_high(from[v + half]);
        }
        round *= 2;
    }
}

/// Transposes `W` consecutive complex vectors of `W` lanes.
#[inline(always)]
pub(super) fn transpose_complex<S: Simd>(simd: S, from: &[f32], to: &mut [f32]) {
    let (width, size) = (S::f32s::LEN, Complex::<S>::LEN);
    let (from, to) = (&from[..width * size], &mut to[..width * size]);
    // Real parts, then imaginary parts: twice sixteen vectors are more than the registers.
    for part in [0, width] {
        let mut tile = [S::f32s::splat(simd, 0.0); 16];
        for v in 0..width {
            tile[v] = S::f32s::from_slice(simd, &from[v * size + part..][..width]);
        }
        transpose::<S>(&mut tile);
        for v in 0..width {
            tile[v].store_slice(&mut to[v * size + part..][..width]);
        }
    }
}
