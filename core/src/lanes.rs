//! Vectors of samples for the convolution kernel: splat, load, store, multiply-add.
//!
//! A family of lanes is selected by a token, so that a host can pass in vectors of an instruction set that it found at
//! run time ([`Runner`](crate::engine::Runner)). The **reproducible** family computes `acc + x * w` unfused: with the crate `wide`, which
//! follows the target features of the compilation, or on a microcontroller with plain arrays. The **fast**
//! family, fused where the CPU can, is in the host. Every lane of a vector belongs to another output pixel, and the
//! taps of one pixel are added in one fixed order. A convolution is therefore bit-identical for any width. A receptive
//! field has one output and is summed by lanes, so the reproducible family has the same number of lanes everywhere:
//! eight of `f32`, four of `f64`.

use crate::Sample;
use crate::cases::Cases;

// The condition for the crate `wide` in Cargo.toml.
#[cfg_attr(
    all(
        not(target_os = "none"),
        any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64", target_arch = "wasm32")
    ),
    path = "lanes/wide.rs"
)]
#[cfg_attr(
    not(all(
        not(target_os = "none"),
        any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64", target_arch = "wasm32")
    )),
    path = "lanes/arrays.rs"
)]
mod reproducible;
pub(crate) use reproducible::{OF_F32, OF_F64};
pub use reproducible::{WideF32, WideF32Vector, WideF64, WideF64Vector};

/// More lanes than any vector has.
pub(crate) const MOST_LANES: usize = 64;

/// A family of vectors of `T`.
///
/// ```
/// use foveola_core::{Sample, engine::Lanes};
/// let lanes = f32::LANES;
/// let acc = lanes.multiply_add(lanes.splat(1.0), lanes.load(&[2.0; 8]), lanes.splat(3.0));
/// let mut out = [0.0; 8];
/// lanes.store(acc, &mut out);
/// assert_eq!(out, [7.0; 8]);
/// ```
pub trait Lanes<T>: Copy + Send + Sync {
    /// A vector in registers.
    type Vector: Copy;
    /// Samples in a vector, at most 64.
    const WIDTH: usize;
    /// Vectors of columns, 1, 2 or 4, that a convolution holds in registers for each of its four rows. It affects only
    /// the speed, not the result.
    const COLUMNS: usize;
    /// Taps of a convolution that cost as much as one tap of a sample by itself, spread over the outputs that read it. Frames
    /// with few samples that are not zero are convolved [in that way](crate::conv::sparse); with 0 none are, with 1 all. It
    /// affects only the speed.
    const SPREAD: usize = 2 * Self::WIDTH;
    /// Whether convolutions go row by row without these vectors: for targets where a load is as expensive as a
    /// multiply-add, and program memory is expensive, too. It affects only the speed.
    const PLAIN: bool = false;
    /// Whether they then use loops over whole rows, which the compiler vectorises.
    const LOOPS: bool = false;

    /// A vector with `value` in every lane.
    fn splat(self, value: T) -> Self::Vector;

    /// The first [`Lanes::WIDTH`] samples of `from`; zeros when there are fewer.
    fn load(self, from: &[T]) -> Self::Vector;

    /// Writes the lanes to the start of `to`; nothing when it is shorter than a vector.
    fn store(self, vector: Self::Vector, to: &mut [T]);

    /// `acc + x * w` in every lane.
    fn multiply_add(self, acc: Self::Vector, x: Self::Vector, w: Self::Vector) -> Self::Vector;

    /// `is`, which tells whether a filter is in one of `cases`. Lanes that know that no filter is answer false, and the
    /// compiler drops what depends on it.
    #[inline(always)]
    fn asks(cases: Cases, is: bool) -> bool {
        let _ = cases;
        is
    }

    /// Runs `f`, compiled for the instructions of these vectors where the compiler has to be told. Code that is inlined
    /// into `f` may use them. A function that is called from there, but not inlined, loses a factor of ten.
    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        f()
    }
}

/// One sample at a time: edges, strided kernels, and sample types without vectors.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scalar;

impl<T: Sample> Lanes<T> for Scalar {
    type Vector = T;
    const WIDTH: usize = 1;
    const COLUMNS: usize = 1;

    #[inline(always)]
    fn splat(self, value: T) -> T {
        value
    }

    #[inline(always)]
    fn load(self, from: &[T]) -> T {
        from.first().copied().unwrap_or_else(T::zero)
    }

    #[inline(always)]
    fn store(self, vector: T, to: &mut [T]) {
        if let Some(to) = to.first_mut() {
            *to = vector;
        }
    }

    #[inline(always)]
    fn multiply_add(self, acc: T, x: T, w: T) -> T {
        acc + x * w
    }
}

/// Samples one after the other: the family of a microcontroller, which has no vectors. It has as many lanes as the
/// vectors of a host, because sums over a receptive field are computed by lanes. With `LOOPS` the compiler vectorises
/// the loops over rows by itself. This is how the Helium of a Cortex-M55 is used, for which there are no stable
/// intrinsics. `-C target-cpu=cortex-m55 --cfg helium` selects it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain<const LANES: usize, const LOOPS: bool>;

impl<T: Sample, const LANES: usize, const LOOPS: bool> Lanes<T> for Plain<LANES, LOOPS> {
    type Vector = [T; LANES];
    const WIDTH: usize = LANES;
    const COLUMNS: usize = 1;
    const SPREAD: usize = 4;
    const PLAIN: bool = true;
    const LOOPS: bool = LOOPS;

    #[inline(always)]
    fn splat(self, value: T) -> [T; LANES] {
        [value; LANES]
    }

    #[inline(always)]
    fn load(self, from: &[T]) -> [T; LANES] {
        from.first_chunk().copied().unwrap_or([T::zero(); LANES])
    }

    #[inline(always)]
    fn store(self, vector: [T; LANES], to: &mut [T]) {
        if let Some(to) = to.first_chunk_mut() {
            *to = vector;
        }
    }

    #[inline(always)]
    fn multiply_add(self, mut acc: [T; LANES], x: [T; LANES], w: [T; LANES]) -> [T; LANES] {
        for (acc, (x, w)) in acc.iter_mut().zip(x.into_iter().zip(w)) {
            *acc = *acc + x * w;
        }
        acc
    }
}

/// The first samples of `from`, up to [`Lanes::WIDTH`], and zeros after its end.
#[inline(always)]
pub(crate) fn load_part<T: Sample, L: Lanes<T>>(lanes: L, from: &[T]) -> L::Vector {
    if from.len() >= L::WIDTH { lanes.load(from) } else { lanes.load(&pad(from)) }
}

/// `acc + x * w`, rounded as in a vector.
#[inline(always)]
pub(crate) fn add_product<T: Sample, L: Lanes<T>>(lanes: L, acc: T, x: T, w: T) -> T {
    if L::PLAIN {
        return acc + x * w;
    }
    let mut out = [T::zero(); MOST_LANES];
    lanes.store(lanes.multiply_add(lanes.splat(acc), lanes.splat(x), lanes.splat(w)), &mut out);
    out[0]
}

/// Writes as many lanes as `to` holds.
#[inline(always)]
pub(crate) fn store_part<T: Sample, L: Lanes<T>>(lanes: L, vector: L::Vector, to: &mut [T]) {
    if to.len() >= L::WIDTH {
        return lanes.store(vector, to);
    }
    let mut whole = [T::zero(); MOST_LANES];
    lanes.store(vector, &mut whole);
    crate::filter::copy(to, &whole);
}

/// At least a vector of samples, padded. A separate function, so that other values stay in registers where it is not
/// called.
#[cold]
#[inline(never)]
fn pad<T: Sample>(from: &[T]) -> [T; MOST_LANES] {
    let mut padded = [T::zero(); MOST_LANES];
    crate::filter::copy(&mut padded, from);
    padded
}
