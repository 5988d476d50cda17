//! The filters of `core` on the vector instructions detected at run time.
//!
//! | level | vectors | multiply-add | tile of a convolution (rows x vectors) |
//! |---|---|---|---|
//! | AVX-512 | 16 `f32` | fused | 4 x 4 |
//! | AVX2 | 8 | fused | 4 x 2 |
//! | SSE4.2, SSE2 | 4 | multiply, add | 4 x 2 |
//! | NEON | 4 | fused | 4 x 2 |
//!
//! The level is detected once and applied for every chunk of a filter. All code below that point is inlined (a function that
//! is not costs a factor of ten). A fused multiply-add rounds once where the reproducible lanes round twice, so results
//! differ in the last bits: by at most `taps` units in the last place of `sum |w x|`.

use super::magnitude;
use super::threads::Threads;
use crate::Error;
use crate::cpu::fft::FftKernel;
use crate::cpu::spectral::Spectral;
use crate::names::find;
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch};
use foveola_core::adjoint::{GraphAdjoint, GraphChunk};
use foveola_core::engine::{
    Engine, Lanes, NodeChunk, Runner, product, product_in_place, weighted_sum, weighted_sum_in_place,
};
use foveola_core::{Sample, Scaled, Stage};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How a model computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Precision {
    /// As fast as the CPU allows, with fused multiply-adds if available. The default.
    #[default]
    Fast,
    /// [`Precision::Fast`] with at most the given level: slower, for comparisons.
    AtMost(SimdLevel),
    /// The same bits as scalar code, a microcontroller or any other CPU: for testing firmware on a host.
    Reproducible,
}

/// An instruction set, by its vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SimdLevel {
    /// The instruction set that the program is compiled for: SSE2 on x86-64, NEON on 64-bit Arm.
    Baseline,
    /// SSE4.2.
    Sse42,
    /// AVX2 with FMA.
    Avx2,
    /// AVX-512.
    Avx512,
}

impl SimdLevel {
    /// The levels of this CPU, the best one last.
    ///
    /// ```
    /// use foveola::SimdLevel;
    /// assert_eq!(SimdLevel::available().first(), Some(&SimdLevel::Baseline));
    /// ```
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|level| level.level().is_some()).collect()
    }

    const ALL: [Self; 4] = [Self::Baseline, Self::Sse42, Self::Avx2, Self::Avx512];

    /// The best level of this CPU.
    pub(crate) fn best() -> Self {
        Self::ALL.into_iter().rev().find(|level| level.level().is_some()).unwrap_or(Self::Baseline)
    }

    /// The token of the best level of this CPU, up to this one.
    pub(crate) fn at_most(self) -> Level {
        let levels = Self::ALL.into_iter().rev().skip_while(|level| *level > self);
        levels.filter_map(Self::level).next().unwrap_or_else(Level::baseline)
    }

    /// The token, if the CPU has the level: for the benchmark of the machine's limits.
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

impl fmt::Display for SimdLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Baseline => "baseline",
            Self::Sse42 => "sse4.2",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        })
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fast => f.write_str("fast"),
            Self::AtMost(level) => level.fmt(f),
            Self::Reproducible => f.write_str("reproducible"),
        }
    }
}

/// Parses `fast`, `reproducible`, or a level of this CPU: `baseline`, `sse4.2`, `avx2`, `avx512`.
impl FromStr for Precision {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let levels = SimdLevel::available().into_iter().map(Self::AtMost);
        let all = [Self::Fast, Self::Reproducible].into_iter().chain(levels);
        let names: Vec<(String, Self)> = all.map(|precision| (precision.to_string(), precision)).collect();
        let names: Vec<(&str, Self)> = names.iter().map(|(name, precision)| (&name[..], *precision)).collect();
        find("precision", &names, name)
    }
}

impl Precision {
    /// The best level to use; none for the reproducible lanes.
    pub(crate) fn level(self) -> Option<SimdLevel> {
        match self {
            Self::Fast => Some(SimdLevel::best()),
            Self::AtMost(most) => Some(most.min(SimdLevel::best())),
            Self::Reproducible => None,
        }
    }
}

/// Runs the filters of a model: with the vectors of a level or with the reproducible lanes, on one or more threads.
#[derive(Clone, Copy)]
pub(crate) struct Engines<'m> {
    pub(crate) level: Option<SimdLevel>,
    pub(crate) splitter: Threads,
    /// The spectral kernel of each node that uses the frequency domain.
    pub(crate) kernels: &'m [Option<Arc<FftKernel>>],
    /// For each node and stream of the batch, the spectra kept in addition to the state.
    pub(crate) spectral: &'m [Mutex<Spectral>],
    pub(crate) batch: usize,
    /// Where overflow is checked: the first one found.
    pub(crate) overflow: Option<&'m OnceLock<Overflow>>,
}

/// A value between two layers that is not finite.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overflow {
    /// The node that yielded it.
    pub(crate) node: usize,
    /// Number of the first frame that the node yielded for this chunk.
    pub(crate) t: u64,
    /// The sample's index in all output of the node, over all streams, and the size of that output.
    pub(crate) index: usize,
    pub(crate) len: usize,
    pub(crate) value: f32,
}

impl Runner<f32> for Engines<'_> {
    type Splitter = Threads;

    fn splitter(&self) -> Threads {
        self.splitter
    }

    fn advance(&self, stage: &Stage<'_>, chunk: NodeChunk<'_, f32>) -> Result<usize, foveola_core::Error> {
        let splitter = self.splitter;
        if let (Stage::Conv3d(conv), Some(Some(kernel))) = (stage, self.kernels.get(chunk.node))
            && let Some(spectral) = self.spectral.get(chunk.node * self.batch + chunk.stream)
        {
            let mut spectral = spectral.lock().unwrap_or_else(PoisonError::into_inner);
            // The buffers were allocated before the chunk.
            let (what, found, expected) = ("the buffers of transforms", 0, chunk.input.len());
            return spectral.advance(conv, kernel, splitter, chunk).map_err(|_| foveola_core::Error::Length {
                what,
                found,
                expected,
            });
        }
        match self.level.map(SimdLevel::at_most) {
            Some(level) => dispatch!(level, simd => advance(Engine { lanes: Native(simd), splitter }, stage, chunk)),
            None => advance(Engine { lanes: f32::LANES, splitter }, stage, chunk),
        }
    }

    fn add(&self, branches: [&[f32]; 2], weights: Scaled<[f32; 2]>, to: &mut [f32]) {
        // Not fused at any level, so only the width matters.
        dispatch!(self.level.map_or(Level::baseline(), SimdLevel::at_most), simd => simd.vectorize(
            #[inline(always)]
            || weighted_sum(branches, weights, to),
        ));
    }

    fn multiply(&self, branches: [&[f32]; 2], to: &mut [f32]) {
        dispatch!(self.level.map_or(Level::baseline(), SimdLevel::at_most), simd => simd.vectorize(
            #[inline(always)]
            || product(branches, to),
        ));
    }

    fn replace(
        &self,
        stage: &Stage<'_>,
        t: u64,
        state: &mut [f32],
        scratch: &mut [f32],
        frames: &mut [f32],
    ) -> Result<(), foveola_core::Error> {
        let splitter = self.splitter;
        match self.level.map(SimdLevel::at_most) {
            Some(level) => {
                let state = (t, state, scratch);
                dispatch!(level, simd => replace(Engine { lanes: Native(simd), splitter }, stage, state, frames))
            }
            None => replace(Engine { lanes: f32::LANES, splitter }, stage, (t, state, scratch), frames),
        }
    }

    fn add_to(&self, to: &mut [f32], b: &[f32], weights: Scaled<[f32; 2]>) {
        dispatch!(self.level.map_or(Level::baseline(), SimdLevel::at_most), simd => simd.vectorize(
            #[inline(always)]
            || weighted_sum_in_place(to, b, weights),
        ));
    }

    fn multiply_to(&self, to: &mut [f32], b: &[f32]) {
        dispatch!(self.level.map_or(Level::baseline(), SimdLevel::at_most), simd => simd.vectorize(
            #[inline(always)]
            || product_in_place(to, b),
        ));
    }

    fn written(&self, node: usize, t: u64, frames: &[f32]) -> Result<(), foveola_core::Error> {
        let Some(overflow) = self.overflow.filter(|_| !magnitude::shared(self.splitter, frames).is_finite()) else {
            return Ok(());
        };
        match frames.iter().enumerate().find(|(_, x)| !x.is_finite()) {
            Some((index, &value)) => {
                overflow.get_or_init(|| Overflow { node, t, index, len: frames.len(), value });
                Err(foveola_core::Error::NonFinite { frame: t, index })
            }
            None => Ok(()),
        }
    }
}

impl Engines<'_> {
    /// [`GraphAdjoint::backward`] with these vectors and threads.
    pub(crate) fn backward(
        &self,
        adjoint: &GraphAdjoint<'_>,
        chunk: GraphChunk<'_, f32>,
        [state, scratch, grad_in]: [&mut [f32]; 3],
        gradient: &mut [f64],
    ) -> Result<(), foveola_core::Error> {
        let splitter = self.splitter;
        macro_rules! with {
            ($lanes:expr) => {
                adjoint.backward_with(Engine { lanes: $lanes, splitter }, chunk, state, scratch, grad_in, gradient)
            };
        }
        // Each set of vectors takes ten seconds to compile: only those of present CPUs have their own.
        let level = self.level.map(SimdLevel::at_most);
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            if let Some(simd) = level.and_then(Level::as_avx512) {
                return with!(Native(simd));
            }
            if let Some(simd) = level.and_then(Level::as_avx2) {
                return with!(Native(simd));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if let Some(simd) = level.and_then(Level::as_neon) {
            return with!(Native(simd));
        }
        let _ = level;
        with!(f32::LANES)
    }
}

#[inline(always)]
pub(super) fn advance<T: Sample, L: Lanes<T>>(
    engine: Engine<L, Threads>,
    stage: &Stage<'_, T>,
    NodeChunk { t, state, scratch, input, output, .. }: NodeChunk<'_, T>,
) -> Result<usize, foveola_core::Error> {
    match stage {
        Stage::Conv3d(filter) => filter.advance_with(engine, t, state, scratch, input, output),
        Stage::Rf(filter) => filter.advance_with(engine, t, state, scratch, input, output),
        Stage::SmoothConv(filter) => filter.advance_with(engine, t, state, scratch, input, output),
        Stage::LowPass(filter) => Ok(filter.advance_with(engine, t, state, input, output)),
        Stage::HighPass(filter) => Ok(filter.advance_with(engine, t, state, input, output)),
        Stage::Pointwise(filter) => Ok(filter.advance_with(engine, input, output)),
        Stage::Diff(filter) => Ok(filter.advance_with(engine, state, input, output)),
        // These only move samples, or are custom filters.
        other => other.as_filter().advance(t, state, scratch, input, output),
    }
}

#[inline(always)]
pub(super) fn replace<T: Sample, L: Lanes<T>>(
    engine: Engine<L, Threads>,
    stage: &Stage<'_, T>,
    (t, state, scratch): (u64, &mut [T], &mut [T]),
    frames: &mut [T],
) -> Result<(), foveola_core::Error> {
    match stage {
        Stage::Pointwise(filter) => filter.replace_with(engine, frames),
        Stage::SmoothConv(filter) => return filter.replace_with(engine, t, state, scratch, frames),
        other => return other.replace(t, state, scratch, frames),
    }
    Ok(())
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
            None => S::f32s::splat(self.0, 0.0),
        }
    }

    #[inline(always)]
    fn store(self, vector: S::f32s, to: &mut [f32]) {
        if let Some(to) = to.get_mut(..S::f32s::LEN) {
            vector.store_slice(to);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precisions_have_names() {
        for level in SimdLevel::available() {
            let precision = Precision::AtMost(level);
            assert_eq!(precision.to_string().parse::<Precision>().ok(), Some(precision));
        }
        assert_eq!("reproducible".parse::<Precision>().ok(), Some(Precision::Reproducible));
        let error = "avx1024".parse::<Precision>().expect_err("no such level").to_string();
        assert!(error.contains("fast, reproducible, baseline"), "{error}");
    }
}
