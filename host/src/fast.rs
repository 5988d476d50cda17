//! Vectors of the instruction set that the CPU turns out to have, for the filters of `core` that take them.
//!
//! | level | vectors | multiply-add | tile (rows x vectors) |
//! |---|---|---|---|
//! | AVX-512 | 16 `f32` | fused | 2 x 8 |
//! | AVX2 | 8 | fused | 2 x 4 |
//! | SSE4.2, SSE2 | 4 | multiply, add | 2 x 4 |
//! | NEON | 4 | fused | 2 x 4 |
//!
//! The level is found once and chosen anew for every chunk of a filter; everything from there to the vectors is inlined
//! (a function that is not loses a factor of ten). A fused multiply-add rounds once where the reproducible lanes round
//! twice, so results differ in the last bits: by at most `taps` units in the last place of `sum |w x|`.

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch};
use foveola_core::lanes::Lanes;
use foveola_core::{Conv3d, Engine, Error, Reproducible, Runner, SmoothConv, Stage};

/// How a model computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// As fast as the CPU can, with fused multiply-adds where it has them. The default.
    #[default]
    Fast,
    /// [`Precision::Fast`] at a given level at most: slower, to compare.
    AtMost(SimdLevel),
    /// The same bits as scalar code, a microcontroller, or any other CPU: to rehearse firmware.
    Reproducible,
}

/// An instruction set, by the vectors it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SimdLevel {
    /// What the compilation assumes: SSE2 on x86-64, NEON on 64-bit Arm.
    Baseline,
    /// SSE4.2.
    Sse42,
    /// AVX2 with FMA.
    Avx2,
    /// AVX-512.
    Avx512,
}

impl SimdLevel {
    /// The levels that this CPU has, the best one last.
    ///
    /// ```
    /// use foveola::SimdLevel;
    /// assert_eq!(SimdLevel::available().first(), Some(&SimdLevel::Baseline));
    /// ```
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|level| level.level().is_some()).collect()
    }

    const ALL: [Self; 4] = [Self::Baseline, Self::Sse42, Self::Avx2, Self::Avx512];

    /// The token of the best level that the CPU has, up to this one.
    fn at_most(self) -> Level {
        let levels = Self::ALL.into_iter().rev().skip_while(|level| *level > self);
        levels.filter_map(Self::level).next().unwrap_or_else(Level::baseline)
    }

    /// The token, when the CPU has the level: for the benchmark of the machine's limits.
    #[doc(hidden)]
    pub fn level(self) -> Option<Level> {
        let best = Level::new();
        match self {
            Self::Baseline => Some(Level::baseline()),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Self::Sse42 => best.as_sse4_2().map(Level::Sse4_2),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Self::Avx2 => best.as_avx2().map(Level::Avx2),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Self::Avx512 => best.as_avx512().map(Level::Avx512),
            #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
            _ => {
                let _ = best;
                None
            }
        }
    }
}

impl Precision {
    /// Who runs the filters.
    pub(crate) fn runner(self) -> AnyRunner {
        match self {
            Self::Fast => AnyRunner::Fast(Level::new()),
            Self::AtMost(most) => AnyRunner::Fast(most.at_most()),
            Self::Reproducible => AnyRunner::Reproducible,
        }
    }
}

/// Runs filters at a level, or as they are.
#[derive(Default)]
pub(crate) enum AnyRunner {
    Fast(Level),
    #[default]
    Reproducible,
}

impl Runner<f32> for AnyRunner {
    fn advance(
        &self,
        stage: &Stage<'_>,
        t: u64,
        state: &mut [f32],
        scratch: &mut [f32],
        input: &[f32],
        output: &mut [f32],
    ) -> Result<usize, Error> {
        match (self, stage) {
            (Self::Fast(level), Stage::Conv3d(filter)) => {
                dispatch!(*level, simd => conv3d(simd, filter, t, (state, scratch), input, output))
            }
            (Self::Fast(level), Stage::SmoothConv(filter)) => {
                dispatch!(*level, simd => smooth_conv(simd, filter, state, input, output))
            }
            _ => Reproducible.advance(stage, t, state, scratch, input, output),
        }
    }
}

#[inline(always)]
fn conv3d<S: Simd>(
    simd: S,
    filter: &Conv3d<'_>,
    t: u64,
    (state, scratch): (&mut [f32], &mut [f32]),
    input: &[f32],
    output: &mut [f32],
) -> Result<usize, Error> {
    filter.advance_with(Engine::alone(Native(simd)), t, state, scratch, input, output)
}

#[inline(always)]
fn smooth_conv<S: Simd>(
    simd: S,
    filter: &SmoothConv<'_>,
    state: &mut [f32],
    input: &[f32],
    output: &mut [f32],
) -> Result<usize, Error> {
    filter.advance_with(Engine::alone(Native(simd)), state, input, output)
}

/// Vectors as wide as the level's registers.
#[derive(Clone, Copy)]
struct Native<S>(S);

impl<S: Simd> Lanes<f32> for Native<S> {
    type Vector = S::f32s;
    const WIDTH: usize = S::f32s::LEN;
    // Four rows of them: AVX-512 has 32 registers, the others 16.
    const COLUMNS: usize = if S::f32s::LEN == 16 { 4 } else { 2 };

    #[inline(always)]
    fn splat(self, value: f32) -> S::f32s {
        S::f32s::splat(self.0, value)
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> S::f32s {
        match from.get(..S::f32s::LEN) {
            Some(from) => S::f32s::from_slice(self.0, from),
            None => {
                let mut whole = S::f32s::splat(self.0, 0.0);
                for (to, from) in whole.as_mut_slice().iter_mut().zip(from) {
                    *to = *from;
                }
                whole
            }
        }
    }

    #[inline(always)]
    fn store(self, vector: S::f32s, to: &mut [f32]) {
        match to.get_mut(..S::f32s::LEN) {
            Some(to) => vector.store_slice(to),
            None => to.iter_mut().zip(vector.as_slice()).for_each(|(to, from)| *to = *from),
        }
    }

    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        self.0.vectorize(f)
    }

    #[inline(always)]
    fn multiply_add(self, acc: S::f32s, x: S::f32s, w: S::f32s) -> S::f32s {
        x.mul_add(w, acc)
    }
}

/// Whether no sample is NaN or infinite, at the speed of memory: looking at every sample of a block is faster than stopping
/// at the first.
pub(crate) fn all_finite(samples: &[f32]) -> bool {
    dispatch!(Level::new(), simd => simd.vectorize(
        #[inline(always)]
        || samples.chunks(1 << 12).all(
            #[inline(always)]
            |block| {
                let largest = block.iter().fold(0, |most: u32, x| most.max(x.to_bits() & 0x7fff_ffff));
                largest < f32::INFINITY.to_bits()
            },
        ),
    ))
}
