//! Samples of 16 bits on the vector instructions detected at run time: the loops of `core`, compiled for each level. Sums of
//! integers have the same bits in any order, so all levels, threads and boards agree.

use super::simd::{SimdLevel, advance, replace};
use super::threads::Threads;
use fearless_simd::{Simd, dispatch};
use foveola_core::engine::{
    Engine, Lanes, NodeChunk, Runner, product, product_in_place, weighted_sum, weighted_sum_in_place,
};
use foveola_core::{Error, Q15, Sample, Scaled, Stage};

/// Runs the filters of a model in samples of 16 bits.
#[derive(Clone, Copy)]
pub(crate) struct Integers {
    /// None for the loops as they are compiled.
    pub(crate) level: Option<SimdLevel>,
    pub(crate) splitter: Threads,
}

/// The lanes of `core`, whose loops are compiled for a level.
#[derive(Clone, Copy)]
struct Compiled<S>(S);

type OfCore = <Q15 as Sample>::Lanes;

impl<S: Simd> Lanes<Q15> for Compiled<S> {
    type Vector = <OfCore as Lanes<Q15>>::Vector;
    const WIDTH: usize = <OfCore as Lanes<Q15>>::WIDTH;
    const COLUMNS: usize = <OfCore as Lanes<Q15>>::COLUMNS;
    const PLAIN: bool = true;
    const LOOPS: bool = true;

    #[inline(always)]
    fn splat(self, value: Q15) -> Self::Vector {
        Q15::LANES.splat(value)
    }

    #[inline(always)]
    fn load(self, from: &[Q15]) -> Self::Vector {
        Q15::LANES.load(from)
    }

    #[inline(always)]
    fn store(self, vector: Self::Vector, to: &mut [Q15]) {
        Q15::LANES.store(vector, to);
    }

    #[inline(always)]
    fn multiply_add(self, acc: Self::Vector, x: Self::Vector, w: Self::Vector) -> Self::Vector {
        Q15::LANES.multiply_add(acc, x, w)
    }

    #[inline(always)]
    fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        self.0.vectorize(f)
    }
}

/// Runs `$body` with the lanes of the level.
macro_rules! with {
    ($level:expr, $lanes:ident => $body:expr) => {
        match $level.map(SimdLevel::at_most) {
            Some(level) => dispatch!(level, simd => {
                let $lanes = Compiled(simd);
                $body
            }),
            None => {
                let $lanes = Q15::LANES;
                $body
            }
        }
    };
}

impl Runner<Q15> for Integers {
    type Splitter = Threads;

    fn splitter(&self) -> Threads {
        self.splitter
    }

    fn advance(&self, stage: &Stage<'_, Q15>, chunk: NodeChunk<'_, Q15>) -> Result<usize, Error> {
        let splitter = self.splitter;
        with!(self.level, lanes => advance(Engine { lanes, splitter }, stage, chunk))
    }

    fn add(&self, branches: [&[Q15]; 2], weights: Scaled<[Q15; 2]>, to: &mut [Q15]) {
        with!(self.level, lanes => Lanes::<Q15>::vectorize(lanes,
            #[inline(always)]
            || weighted_sum(branches, weights, to),
        ));
    }

    fn multiply(&self, branches: [&[Q15]; 2], to: &mut [Q15]) {
        with!(self.level, lanes => Lanes::<Q15>::vectorize(lanes,
            #[inline(always)]
            || product(branches, to),
        ));
    }

    fn replace(
        &self,
        stage: &Stage<'_, Q15>,
        t: u64,
        state: &mut [Q15],
        scratch: &mut [Q15],
        frames: &mut [Q15],
    ) -> Result<(), Error> {
        let splitter = self.splitter;
        with!(self.level, lanes => replace(Engine { lanes, splitter }, stage, (t, state, scratch), frames))
    }

    fn add_to(&self, to: &mut [Q15], b: &[Q15], weights: Scaled<[Q15; 2]>) {
        with!(self.level, lanes => Lanes::<Q15>::vectorize(lanes,
            #[inline(always)]
            || weighted_sum_in_place(to, b, weights),
        ));
    }

    fn multiply_to(&self, to: &mut [Q15], b: &[Q15]) {
        with!(self.level, lanes => Lanes::<Q15>::vectorize(lanes,
            #[inline(always)]
            || product_in_place(to, b),
        ));
    }
}
