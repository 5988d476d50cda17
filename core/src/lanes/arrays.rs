//! The reproducible lanes of a CPU without vectors: arrays, with the same bits.

use super::Plain;

/// Eight `f32`, one after the other.
pub type WideF32 = Plain<8, { cfg!(helium) }>;
/// Four `f64`, one after the other.
pub type WideF64 = Plain<4, { cfg!(helium) }>;
/// Eight `f32`.
pub type WideF32Vector = [f32; 8];
/// Four `f64`.
pub type WideF64Vector = [f64; 4];

pub(crate) const OF_F32: WideF32 = Plain;
pub(crate) const OF_F64: WideF64 = Plain;
