//! The reproducible lanes of a host: vectors of the crate `wide`.

use super::Lanes;
use wide::{f32x8, f64x4};

/// Eight `f32` of `wide`. Not on a target without an operating system, where [`Plain`](super::Plain) has the same bits.
#[derive(Clone, Copy, Debug, Default)]
pub struct WideF32;

impl Lanes<f32> for WideF32 {
    type Vector = f32x8;
    const WIDTH: usize = 8;
    const COLUMNS: usize = if cfg!(target_feature = "avx") { 2 } else { 1 };

    #[inline(always)]
    fn splat(self, value: f32) -> f32x8 {
        f32x8::splat(value)
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> f32x8 {
        from.first_chunk::<8>().map_or(f32x8::ZERO, |x| f32x8::new(*x))
    }

    #[inline(always)]
    fn store(self, vector: f32x8, to: &mut [f32]) {
        if let Some(to) = to.first_chunk_mut::<8>() {
            *to = vector.to_array();
        }
    }

    #[inline(always)]
    fn multiply_add(self, acc: f32x8, x: f32x8, w: f32x8) -> f32x8 {
        acc + x * w
    }
}

/// Four `f64` of `wide`, on the same targets.
#[derive(Clone, Copy, Debug, Default)]
pub struct WideF64;

impl Lanes<f64> for WideF64 {
    type Vector = f64x4;
    const WIDTH: usize = 4;
    const COLUMNS: usize = if cfg!(target_feature = "avx") { 2 } else { 1 };

    #[inline(always)]
    fn splat(self, value: f64) -> f64x4 {
        f64x4::splat(value)
    }

    #[inline(always)]
    fn load(self, from: &[f64]) -> f64x4 {
        from.first_chunk::<4>().map_or(f64x4::ZERO, |x| f64x4::new(*x))
    }

    #[inline(always)]
    fn store(self, vector: f64x4, to: &mut [f64]) {
        if let Some(to) = to.first_chunk_mut::<4>() {
            *to = vector.to_array();
        }
    }

    #[inline(always)]
    fn multiply_add(self, acc: f64x4, x: f64x4, w: f64x4) -> f64x4 {
        acc + x * w
    }
}
