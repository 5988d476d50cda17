//! The reproducible lanes of a host: vectors of the crate `wide`.

use super::Lanes;
use wide::{f32x8, f64x4};

pub(crate) const OF_F32: WideF32 = WideF32;
pub(crate) const OF_F64: WideF64 = WideF64;

/// Eight `f32` of `wide`. Where a CPU has no vectors, this is [`Plain`](super::Plain), with the same bits.
#[derive(Clone, Copy, Debug, Default)]
pub struct WideF32;

/// Eight `f32` in registers.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct WideF32Vector(f32x8);

impl Lanes<f32> for WideF32 {
    type Vector = WideF32Vector;
    const WIDTH: usize = 8;
    const COLUMNS: usize = if cfg!(target_feature = "avx") { 2 } else { 1 };

    #[inline(always)]
    fn splat(self, value: f32) -> WideF32Vector {
        WideF32Vector(f32x8::splat(value))
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> WideF32Vector {
        WideF32Vector(from.first_chunk::<8>().map_or(f32x8::ZERO, |x| f32x8::new(*x)))
    }

    #[inline(always)]
    fn store(self, WideF32Vector(vector): WideF32Vector, to: &mut [f32]) {
        if let Some(to) = to.first_chunk_mut::<8>() {
            *to = vector.to_array();
        }
    }

    #[inline(always)]
    fn multiply_add(
        self,
        WideF32Vector(acc): WideF32Vector,
        WideF32Vector(x): WideF32Vector,
        WideF32Vector(w): WideF32Vector,
    ) -> WideF32Vector {
        WideF32Vector(acc + x * w)
    }
}

/// Four `f64` of `wide`, where a CPU has vectors.
#[derive(Clone, Copy, Debug, Default)]
pub struct WideF64;

/// Four `f64` in registers.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct WideF64Vector(f64x4);

impl Lanes<f64> for WideF64 {
    type Vector = WideF64Vector;
    const WIDTH: usize = 4;
    const COLUMNS: usize = if cfg!(target_feature = "avx") { 2 } else { 1 };

    #[inline(always)]
    fn splat(self, value: f64) -> WideF64Vector {
        WideF64Vector(f64x4::splat(value))
    }

    #[inline(always)]
    fn load(self, from: &[f64]) -> WideF64Vector {
        WideF64Vector(from.first_chunk::<4>().map_or(f64x4::ZERO, |x| f64x4::new(*x)))
    }

    #[inline(always)]
    fn store(self, WideF64Vector(vector): WideF64Vector, to: &mut [f64]) {
        if let Some(to) = to.first_chunk_mut::<4>() {
            *to = vector.to_array();
        }
    }

    #[inline(always)]
    fn multiply_add(
        self,
        WideF64Vector(acc): WideF64Vector,
        WideF64Vector(x): WideF64Vector,
        WideF64Vector(w): WideF64Vector,
    ) -> WideF64Vector {
        WideF64Vector(acc + x * w)
    }
}
