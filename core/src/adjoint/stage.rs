//! The adjoint of a filter of a model: an enum over all of them.

use super::{Adjoint, Chunk, ConvAdjoint, FirstGradient, Memory, SmoothConvAdjoint};
use crate::engine::{Engine, WorkSplitter};
use crate::lanes::Lanes;
use crate::{
    Delay, Diff, Error, Finite, HighPass, LowPass, Pointwise, Rf, Sample, Stage, Sum, TimePadding, VariableDelay,
};

/// The adjoint of a [`Stage`].
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "each is documented as the type it holds")]
#[non_exhaustive]
pub enum StageAdjoint<'a, T: Sample = f32> {
    TimePadding(TimePadding),
    Delay(Delay),
    VariableDelay(VariableDelay<'a>),
    Conv3d(ConvAdjoint<'a, T>),
    Rf(Rf<'a, T>),
    LowPass(LowPass),
    HighPass(HighPass),
    SmoothConv(SmoothConvAdjoint<'a, T>),
    Pointwise(Pointwise),
    Sum(Sum),
    Diff(Diff),
    Finite(Finite),
}

impl<'a, T: Sample> StageAdjoint<'a, T> {
    /// The adjoint of `stage`, with its kernel as [`StageAdjoint::reverse`] writes it. `None` for a filter from outside this crate.
    ///
    /// # Errors
    /// As [`ConvAdjoint::new`].
    pub const fn new(stage: &Stage<'a, T>, reversed: &'a [T]) -> Result<Option<Self>, Error> {
        Ok(Some(match *stage {
            Stage::TimePadding(filter) => Self::TimePadding(filter),
            Stage::Delay(filter) => Self::Delay(filter),
            Stage::VariableDelay(filter) => Self::VariableDelay(filter),
            Stage::Conv3d(filter) => match ConvAdjoint::new(filter, reversed) {
                Ok(adjoint) => Self::Conv3d(adjoint),
                Err(error) => return Err(error),
            },
            Stage::Rf(filter) => Self::Rf(filter),
            Stage::LowPass(filter) => Self::LowPass(filter),
            Stage::HighPass(filter) => Self::HighPass(filter),
            Stage::SmoothConv(filter) => match SmoothConvAdjoint::new(filter, reversed) {
                Ok(adjoint) => Self::SmoothConv(adjoint),
                Err(error) => return Err(error),
            },
            Stage::Pointwise(filter) => Self::Pointwise(filter),
            Stage::Sum(filter) => Self::Sum(filter),
            Stage::Diff(filter) => Self::Diff(filter),
            Stage::Finite(filter) => Self::Finite(filter),
            Stage::Custom(..) => return Ok(None),
        }))
    }

    /// Samples of the reversed kernel of `stage`: as many as it has weights, 0 for a filter without such a kernel.
    pub const fn reversed_len(stage: &Stage<'_, T>) -> usize {
        match stage {
            Stage::Conv3d(filter) => filter.kernel().weights.len(),
            Stage::SmoothConv(filter) => filter.weights().0.len(),
            _ => 0,
        }
    }

    /// Writes the reversed kernel of `stage`.
    ///
    /// # Errors
    /// [`Error::Length`] when `to` is not as long as [`StageAdjoint::reversed_len`].
    pub fn reverse(stage: &Stage<'_, T>, to: &mut [T]) -> Result<(), Error> {
        match stage {
            Stage::Conv3d(filter) => ConvAdjoint::reverse(filter, to),
            Stage::SmoothConv(filter) => SmoothConvAdjoint::reverse(filter, to),
            _ => crate::error::exact("the reversed kernel", to.len(), 0),
        }
    }

    /// The adjoint as a trait object.
    pub fn as_adjoint(&self) -> &dyn Adjoint<T> {
        match self {
            Self::TimePadding(adjoint) => adjoint,
            Self::Delay(adjoint) => adjoint,
            Self::VariableDelay(adjoint) => adjoint,
            Self::Conv3d(adjoint) => adjoint,
            Self::Rf(adjoint) => adjoint,
            Self::LowPass(adjoint) => adjoint,
            Self::HighPass(adjoint) => adjoint,
            Self::SmoothConv(adjoint) => adjoint,
            Self::Pointwise(adjoint) => adjoint,
            Self::Sum(adjoint) => adjoint,
            Self::Diff(adjoint) => adjoint,
            Self::Finite(adjoint) => adjoint,
        }
    }

    /// [`Adjoint::finish`] with given vectors and threads, where the adjoint uses them.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    pub fn finish_with<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        state: &mut [T],
        scratch: &mut [T],
        first: FirstGradient<'_, T>,
    ) -> Result<(), Error> {
        match self {
            Self::Conv3d(adjoint) => adjoint.finish_with(engine, state, scratch, first),
            other => other.as_adjoint().finish(state, scratch, first),
        }
    }

    /// [`Adjoint::retreat`] with given vectors and threads, where the adjoint uses them.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    pub fn retreat_with<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        chunk: Chunk<'_, T>,
        memory: Memory<'_, T>,
    ) -> Result<(), Error> {
        // What is inlined here has the vectors of the lanes.
        engine.lanes.vectorize(
            #[inline(always)]
            || match self {
                Self::Conv3d(adjoint) => adjoint.retreat_with(engine, chunk, memory),
                Self::Rf(adjoint) => adjoint.retreat_with(engine, chunk, memory),
                Self::LowPass(adjoint) => adjoint.retreat_with(engine, chunk, memory),
                Self::HighPass(adjoint) => adjoint.retreat_with(engine, chunk, memory),
                Self::SmoothConv(adjoint) => adjoint.retreat_with(engine, chunk, memory),
                Self::Pointwise(adjoint) => {
                    adjoint.retreat_with(engine.lanes, chunk, memory);
                    Ok(())
                }
                Self::TimePadding(_)
                | Self::Delay(_)
                | Self::VariableDelay(_)
                | Self::Sum(_)
                | Self::Diff(_)
                | Self::Finite(_) => self.as_adjoint().retreat(chunk, memory),
            },
        )
    }
}
