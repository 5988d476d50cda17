//! Adjoints of the filters, for fitting: the gradient of a loss with respect to a filter's input and to its parameters.
//!
//! ```text
//! <A x, y> = <x, A* y>          over a whole recording; A: the filter's linear part, with its temporal padding
//!
//! forward    chunk 0 --state--> chunk 1 --state--> chunk 2
//! backward   chunk 0 <--state-- chunk 1 <--state-- chunk 2     finish: padding --> first chunk
//! ```
//! The adjoint of a causal filter is a filter of the same kind that runs backward in time. Chunks are fed last to first; the
//! adjoint's state carries what later outputs contribute to earlier inputs, so the gradient of a recording does not depend on
//! how it is cut. (Only the first chunk matters: it determines the temporal padding, as in the forward pass.)
//!
//! - [`Adjoint::backward`] overwrites the gradient of the chunk's input; where branches
//!   meet, the caller adds.
//! - [`Adjoint::finish`], after the chunk at `t = 0`, adds the gradient of the temporal padding to that of the first chunk.
//! - [`Parameters`] asks for gradients of parameters. They are added to slices of `f64`, from chunk to chunk. They need the
//!   filter's own state before the chunk, a checkpoint of the forward pass. An empty slice costs nothing.
//! - Delays are not fitted.
//!
//! | filter | adjoint | parameters |
//! |---|---|---|
//! | [`Conv3d`](crate::Conv3d) | [`ConvAdjoint`] | weights, bias |
//! | [`Rf`](crate::Rf) | itself | weights, bias |
//! | [`SmoothConv`](crate::SmoothConv) | [`SmoothConvAdjoint`] | weights, the gain of each stage |
//! | [`LowPass`](crate::LowPass) | itself | gain |
//! | [`HighPass`](crate::HighPass) | itself | gain; `k` as scale |
//! | [`Pointwise`](crate::Pointwise) | itself | scale, bias |
//! | [`TimePadding`](crate::TimePadding), [`Delay`](crate::Delay), [`VariableDelay`](crate::VariableDelay), [`Diff`](crate::Diff), [`Sum`](crate::Sum), [`Finite`](crate::Finite) | itself | none |
//!
//! The weight of a branch of [`Node::Add`](crate::Node::Add) has the gradient [`inner_product`] of the branch and the
//! gradient of the sum. [`Decay::derivative`](crate::Decay::derivative) leads from a gain to its time constant. A whole model:
//! [`graph`].
//!
//! ```
//! use foveola_core::adjoint::{Adjoint, Chunk, Gradient, Memory, Parameters};
//! use foveola_core::{Decay, Filter, LowPass, Shape};
//! // One step of a fit: the time constant for which the response to an impulse comes closest to a target.
//! let (input, target) = ([1.0_f64, 0.0, 0.0], [0.25, 0.1875, 0.140625]);
//! let low_pass = LowPass::new(Shape::new(1, 1, 1), Decay::from_gain(0.5)?);
//! let (mut state, mut output) = ([0.0], [0.0; 3]);
//! low_pass.run(0, &mut state, &mut [], &input, &mut output)?;
//! let grad_out = [0, 1, 2].map(|t| 2.0 * (output[t] - target[t])); // of the squared error
//! let (mut grad_in, mut gains) = ([0.0; 3], [0.0]);
//! let gradient = Gradient { gains: &mut gains, ..Gradient::default() };
//! low_pass.backward(
//!     Chunk { t: 0, input: &input, grad_out: &grad_out },
//!     Memory {
//!         state: &mut [0.0],
//!         scratch: &mut [0.0],
//!         grad_in: &mut grad_in,
//!         parameters: Parameters { state: &mut [0.0], gradient },
//!     },
//! )?;
//! assert!(gains[0] > 0.0); // a smaller gain fits better
//! # Ok::<(), foveola_core::Error>(())
//! ```

pub mod conv;
pub mod delays;
pub mod diff;
pub mod graph;
pub mod pointwise;
pub mod recursive;
pub mod reduce;
pub mod rf;
pub mod smooth_conv;
mod stage;
mod sums;
pub mod taps;
#[cfg(test)]
mod tests;
pub mod variable_delay;
pub mod weights;

pub use conv::ConvAdjoint;
pub use graph::{GraphAdjoint, GraphChunk, GraphNeeds, NodeAdjoint, Wanted};
pub use smooth_conv::SmoothConvAdjoint;
pub use stage::StageAdjoint;
pub use sums::inner_product;

use crate::error::{at_least, exact};
use crate::{Error, PadFrame, PadMode, Sample, Scratch, Signature};

/// Numbers of parameters of each kind, or of samples in the slices of a [`Gradient`].
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Lengths {
    /// Weights of kernels, in correlation order.
    pub weights: usize,
    /// One bias for each output channel that has one; the bias of a nonlinearity.
    pub bias: usize,
    /// Gains of exponentials, see [`Decay::gain`](crate::Decay::gain).
    pub gains: usize,
    /// The scale of a nonlinearity; the weight `k` of a high-pass.
    pub scale: usize,
}

impl Lengths {
    /// No parameters.
    pub const NONE: Self = Self { weights: 0, bias: 0, gains: 0, scale: 0 };

    /// Of all kinds together.
    pub const fn total(self) -> usize {
        self.weights.saturating_add(self.bias).saturating_add(self.gains).saturating_add(self.scale)
    }
}

/// Gradients of parameters, which a chunk is added to. Empty slices are not computed.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "the fields are those of Lengths")]
pub struct Gradient<'a> {
    pub weights: &'a mut [f64],
    pub bias: &'a mut [f64],
    pub gains: &'a mut [f64],
    pub scale: &'a mut [f64],
}

impl Gradient<'_> {
    /// Whether no gradient is asked for.
    pub const fn is_empty(&self) -> bool {
        self.weights.is_empty() && self.bias.is_empty() && self.gains.is_empty() && self.scale.is_empty()
    }

    fn check(&self, lengths: &Lengths) -> Result<(), Error> {
        let asked = |what, found, expected| if found == 0 { Ok(()) } else { exact(what, found, expected) };
        asked("the gradient of the weights", self.weights.len(), lengths.weights)?;
        asked("the gradient of the bias", self.bias.len(), lengths.bias)?;
        asked("the gradient of the gains", self.gains.len(), lengths.gains)?;
        asked("the gradient of the scale", self.scale.len(), lengths.scale)
    }
}

/// The gradients of parameters that are asked for, and what they need.
#[derive(Debug)]
pub struct Parameters<'a, T> {
    /// The filter's state before the chunk, which the chunk may advance; for the first chunk, as
    /// [`Filter::start`](crate::Filter::start) leaves it.
    pub state: &'a mut [T],
    /// The gradients.
    pub gradient: Gradient<'a>,
}

impl<T> Default for Parameters<'_, T> {
    /// No gradients.
    fn default() -> Self {
        Self { state: &mut [], gradient: Gradient::default() }
    }
}

/// A chunk on its way back.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a, T> {
    /// The number of its first frame.
    pub t: u64,
    /// Its frames.
    pub input: &'a [T],
    /// The gradients of the output frames that it yielded ([`Signature::frames_out`]), in the order of the output.
    pub grad_out: &'a [T],
}

/// What an adjoint reads and writes for a chunk.
#[derive(Debug, Default)]
pub struct Memory<'a, T> {
    /// Its state: that of the chunk after this one, zeros for the last chunk.
    pub state: &'a mut [T],
    /// Working memory.
    pub scratch: &'a mut [T],
    /// The gradient of the chunk's frames, which is overwritten. May be empty if nobody reads it and [`Needs::grad_in`] is false.
    pub grad_in: &'a mut [T],
    /// Gradients of parameters.
    pub parameters: Parameters<'a, T>,
}

/// What an adjoint takes and needs.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Needs {
    /// The filter itself.
    pub filter: Signature,
    /// Samples of state, carried from a chunk to the one before it.
    pub state: usize,
    /// Samples of working memory.
    pub scratch: Scratch,
    /// The same when gradients of parameters are asked for.
    pub scratch_of_parameters: Scratch,
    /// Parameters that have a gradient.
    pub parameters: Lengths,
    /// Whether the gradient of the input is always computed. Convolutions, receptive fields and nonlinearities can leave it out.
    pub grad_in: bool,
}

impl Needs {
    /// Needs of an adjoint with `state` samples of state, no working memory and no parameters.
    pub const fn of(filter: Signature, state: usize) -> Self {
        let (scratch, parameters) = (Scratch::NONE, Lengths::NONE);
        Self { filter, state, scratch, scratch_of_parameters: scratch, parameters, grad_in: true }
    }
}

/// The gradient of the first chunk, to which [`Adjoint::finish`] adds that of the temporal padding.
#[derive(Debug)]
pub struct FirstGradient<'a, T> {
    batch: &'a mut [T],
    /// Samples of a stream, and where this stream begins.
    stream: usize,
    from: usize,
    /// The sum of the gradients of frames that hold the mean.
    of_mean: f64,
}

impl<'a, T: Sample> FirstGradient<'a, T> {
    /// That of a single stream.
    pub const fn alone(grad_in: &'a mut [T]) -> Self {
        let stream = grad_in.len();
        Self { batch: grad_in, stream, from: 0, of_mean: 0.0 }
    }

    /// That of stream `index` of `streams`, whose gradients lie one after another: [`PadMode::Mean`] averages over all.
    ///
    /// # Errors
    /// [`Error::Length`] when the streams do not have equal lengths; [`Error::Parameter`] for a stream that is not one of them.
    pub fn of_batch(batch: &'a mut [T], index: usize, streams: usize) -> Result<Self, Error> {
        if index >= streams {
            return Err(Error::Parameter { name: "index", value: index as f64, expected: "one of the streams" });
        }
        let stream = batch.len() / streams;
        exact("the gradient of the first chunk", batch.len(), stream.saturating_mul(streams))?;
        Ok(Self { batch, stream, from: index.saturating_mul(stream), of_mean: 0.0 })
    }

    /// The gradient of this stream.
    pub fn frames(&mut self) -> &mut [T] {
        self.batch.get_mut(self.from..self.from.saturating_add(self.stream)).unwrap_or_default()
    }

    /// Adds the gradient of the padding frame `back` frames before the first one.
    fn add(&mut self, mode: PadMode, back: usize, gradient: &[T]) {
        let len = gradient.len();
        match mode.frame(back, self.stream.checked_div(len).unwrap_or(0)) {
            PadFrame::Frame(i) => {
                if let Ok(to) = crate::filter::piece_mut(self.frames(), i, len) {
                    add(to, gradient);
                }
            }
            PadFrame::Mean => self.of_mean += gradient.iter().map(|g| g.to_f64()).sum::<f64>(),
            PadFrame::One | PadFrame::Zero => {}
        }
    }

    /// Shares what was added to the mean among all samples.
    fn spread(self) {
        if self.of_mean != 0.0 {
            let share = T::from_f64(self.of_mean / self.batch.len() as f64);
            self.batch.iter_mut().for_each(|g| *g = *g + share);
        }
    }
}

/// The adjoint of a filter; see the [picture](self).
///
/// Implementations provide [`Adjoint::needs`], [`Adjoint::retreat`] and, if they have temporal padding,
/// [`Adjoint::finish`]; callers use [`Adjoint::backward`].
pub trait Adjoint<T: Sample = f32> {
    /// What the adjoint takes and needs.
    fn needs(&self) -> Needs;

    /// [`Adjoint::backward`], which has checked every length and that the chunk has frames. An implementation that finds a slice
    /// too short returns an error; it never panics.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    fn retreat(&self, chunk: Chunk<'_, T>, memory: Memory<'_, T>) -> Result<(), Error>;

    /// Overwrites the gradient of the frames of `chunk`, and adds to the gradients of parameters. The chunk after this one has been
    /// fed before. An empty chunk does nothing.
    ///
    /// # Errors
    /// [`Error::Length`] when a slice does not fit [`Adjoint::needs`]; nothing is then changed.
    fn backward(&self, chunk: Chunk<'_, T>, memory: Memory<'_, T>) -> Result<(), Error> {
        let Memory { state, scratch, grad_in, parameters } = &memory;
        let needs = self.needs();
        let frame = needs.filter.input.len().max(1);
        let frames = chunk.input.len() / frame;
        exact("the input", chunk.input.len(), frames.saturating_mul(frame))?;
        let len = needs.filter.frames_out(chunk.t, frames).saturating_mul(needs.filter.output.len());
        exact("the gradient of the output", chunk.grad_out.len(), len)?;
        exact("the adjoint's state", state.len(), needs.state)?;
        parameters.gradient.check(&needs.parameters)?;
        let mut needed = needs.scratch;
        if !parameters.gradient.is_empty() {
            exact("the state before the chunk", parameters.state.len(), needs.filter.state)?;
            needed = needed.larger(needs.scratch_of_parameters);
        }
        at_least("the scratch", scratch.len(), needed.len(frames))?;
        if needs.grad_in || !grad_in.is_empty() {
            exact("the gradient of the input", grad_in.len(), chunk.input.len())?;
        }
        if chunk.input.is_empty() {
            return Ok(());
        }
        self.retreat(chunk, memory)
    }

    /// Adds the gradient of the temporal padding to that of the first chunk, which has been fed last. Nothing by default.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    fn finish(&self, state: &mut [T], scratch: &mut [T], first: FirstGradient<'_, T>) -> Result<(), Error> {
        let _ = (state, scratch, first);
        Ok(())
    }
}

/// The counter of a filter that runs backward in time, at frame `t`: any that grows by 1 from a frame to the one before it.
const fn reversed(t: u64) -> u64 {
    t.wrapping_neg()
}

/// The same for a ring of `slots` frames, below `slots`.
const fn reversed_slot(t: u64, slots: usize) -> u64 {
    match t.checked_rem(slots as u64) {
        None | Some(0) => 0,
        Some(slot) => slots as u64 - slot,
    }
}

/// Adds samples to others.
#[inline(always)]
fn add<T: Sample>(to: &mut [T], x: &[T]) {
    for (to, x) in to.iter_mut().zip(x) {
        *to = *to + *x;
    }
}
