//! A filter of a model: an enum over all filters.

use crate::cases::Cases;
use crate::engine::Engine;
use crate::{
    Conv3d, Delay, Diff, Error, Filter, Finite, HighPass, LowPass, Pointwise, Rf, Sample, Signature, SmoothConv, Sum,
    TimePadding, VariableDelay,
};

/// The cost of moving a sample through the second-level cache, in multiply-adds (measured on an x86-64 with AVX-512: a
/// copy takes 0.13 ns per sample, a multiply-add of a convolution 0.02 ns).
pub const MOVE: usize = 8;

/// A filter of this crate, or a user's own filter.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "each is documented as the type it holds")]
#[non_exhaustive]
pub enum Stage<'a, T: Sample = f32> {
    TimePadding(TimePadding),
    Delay(Delay),
    VariableDelay(VariableDelay<'a>),
    Conv3d(Conv3d<'a, T>),
    Rf(Rf<'a, T>),
    LowPass(LowPass),
    HighPass(HighPass),
    SmoothConv(SmoothConv<'a, T>),
    Pointwise(Pointwise),
    Sum(Sum),
    Diff(Diff),
    Finite(Finite),
    /// A filter from outside this crate, or another [`Graph`](super::Graph), with its signature ([`Stage::custom`]). It
    /// processes the streams of a batch one by one, so a [`PadMode::Mean`](crate::PadMode) inside it uses the mean of a
    /// single stream.
    Custom(&'a (dyn Filter<T> + Sync), Signature),
}

impl<'a, T: Sample> Stage<'a, T> {
    /// A filter from outside this crate.
    pub fn custom(filter: &'a (dyn Filter<T> + Sync)) -> Self {
        Self::Custom(filter, filter.signature())
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        match self {
            Self::TimePadding(filter) => filter.signature(),
            Self::Delay(filter) => filter.signature(),
            Self::VariableDelay(filter) => filter.signature(),
            Self::Conv3d(filter) => filter.signature(),
            Self::Rf(filter) => filter.signature(),
            Self::LowPass(filter) => filter.signature(),
            Self::HighPass(filter) => filter.signature(),
            Self::SmoothConv(filter) => filter.signature(),
            Self::Pointwise(filter) => filter.signature(),
            Self::Sum(filter) => filter.signature(),
            Self::Diff(filter) => filter.signature(),
            Self::Finite(filter) => filter.signature(),
            Self::Custom(_, signature) => *signature,
        }
    }

    /// What the filter asks for.
    pub(super) const fn cases(&self) -> Cases {
        match self {
            Self::Conv3d(filter) => filter.cases(),
            Self::SmoothConv(filter) => filter.cases(),
            Self::Pointwise(filter) => filter.cases(),
            _ => Cases::NONE,
        }
    }

    /// Approximate multiply-adds per input frame; a sample that is moved counts as [`MOVE`].
    pub const fn work(&self) -> usize {
        match self {
            Self::Conv3d(filter) => filter.work(),
            Self::Rf(filter) => filter.work(),
            Self::SmoothConv(filter) => filter.work(),
            other => {
                let Signature { input, output, .. } = other.signature();
                input.len().saturating_add(output.len()).saturating_mul(MOVE)
            }
        }
    }

    /// Whether [`Stage::replace`] runs the filter: each output sample takes the place of an input sample that is not needed
    /// any more.
    pub const fn is_in_place(&self) -> bool {
        match self {
            Self::Pointwise(_) | Self::Finite(_) => true,
            Self::SmoothConv(filter) => filter.is_in_place(),
            _ => false,
        }
    }

    /// Replaces the frames of one stream, of which the first has number `t`, by the filter's output. Does nothing for a
    /// filter that is not [in place](Self::is_in_place).
    ///
    /// # Errors
    /// As [`Filter::advance`].
    pub fn replace(&self, t: u64, state: &mut [T], scratch: &mut [T], frames: &mut [T]) -> Result<(), Error> {
        let engine = Engine::single_thread(T::LANES);
        match self {
            Self::Pointwise(filter) => filter.replace_with(engine, frames),
            Self::Finite(filter) => return filter.check(t, frames),
            Self::SmoothConv(filter) => return filter.replace_with(engine, t, state, scratch, frames),
            _ => {}
        }
        Ok(())
    }

    /// The filter as a trait object.
    pub fn as_filter(&self) -> &dyn Filter<T> {
        match self {
            Self::TimePadding(filter) => filter,
            Self::Delay(filter) => filter,
            Self::VariableDelay(filter) => filter,
            Self::Conv3d(filter) => filter,
            Self::Rf(filter) => filter,
            Self::LowPass(filter) => filter,
            Self::HighPass(filter) => filter,
            Self::SmoothConv(filter) => filter,
            Self::Pointwise(filter) => filter,
            Self::Sum(filter) => filter,
            Self::Diff(filter) => filter,
            Self::Finite(filter) => filter,
            Self::Custom(filter, _) => *filter,
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::events::{CustomStage, EventChain, EventStage, Geometry, PolarityOnly};
    use crate::{Graph, Node, Shape, Source};

    /// A model can be printed, custom filters and all.
    #[test]
    fn models_and_chains_are_printed() {
        let diff = Diff::new(Shape::new(1, 1, 2));
        let nodes = [Node::Filter(Source::Input, Stage::<f32>::custom(&diff))];
        let text = std::format!("{:?}", Graph::new(Shape::new(1, 1, 2), &nodes).unwrap());
        assert!(text.contains("Filter(Input, Custom(dyn Filter, Signature"), "{text}");
        let sensor = Geometry { cols: 2, rows: 1 };
        let stages = [EventStage::Custom(CustomStage::new(&PolarityOnly::On, 0, sensor, sensor))];
        let text = std::format!("{:?}", EventChain::new(sensor, &stages).unwrap());
        assert!(text.contains("dyn EventFilter"), "{text}");
    }
}
