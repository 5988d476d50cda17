//! Adjoint of recursive smoothing with spatial kernels: the kernels' adjoint, then the chain of exponentials backward.
//!
//! ```text
//! p_i = g_i*(gradient of the output)                      the adjoint of the kernels, frame by frame
//! m_i[t] = a_i m_i[t+1] + (1 - a_i) (p_i[t] + m_{i+1}[t])     low-pass backward in time, the last stage first
//! gx = m_0
//! d/dgain_i = sum_t m_i[t] (y_{i-1}[t] - y_i[t-1]) / gain_i,   y_{-1} = x
//! ```
//! The gradient of kernel `g_i` is the [correlation](super::weights) of `y_i` and the gradient of the output.
//!
//! - State: `m_i` of every channel and stage, two words where the stage is [compensated](crate::recursive).
//! - Scratch: that of the kernels' adjoint, and `n + 1` planes. For parameters also the `y_i` of all frames of the chunk, `n`
//!   frames for each.
//! - Cost: that of the filter; for parameters, another chain and the correlation.

use super::sums::sum_of;
use super::{Adjoint, Chunk, ConvAdjoint, Gradient, Lengths, Memory, Needs, Parameters, add, reversed};
use crate::engine::{Engine, WorkSplitter};
use crate::filter::{copy, piece, piece_mut};
use crate::lanes::Lanes;
use crate::{Conv3d, ConvOptions, Error, Factors, Kernel, LowPass, PadMode, Sample, Scratch, Shape, SmoothConv};

/// The adjoint of a [`SmoothConv`]; see the [equation](self).
#[must_use]
#[derive(Clone, Copy, Debug)]
pub struct SmoothConvAdjoint<'w, T = f32> {
    smooth: SmoothConv<'w, T>,
    /// The adjoint of the kernels: a convolution of the stages of one channel.
    spatial: ConvAdjoint<'w, T>,
}

/// The kernels, as a convolution of frames whose channels are the stages.
const fn kernels<'w, T>(smooth: &SmoothConv<'w, T>) -> Result<Conv3d<'w, T>, Error> {
    let (n, Shape { rows, cols, .. }, (weights, [kh, kw])) =
        (smooth.decays().len(), smooth.signature().input, smooth.weights());
    let (shape, groups) = if smooth.yields_components() { ([n, 1, 1, kh, kw], n) } else { ([1, n, 1, kh, kw], 1) };
    let options =
        ConvOptions { border: Some(smooth.border()), pad: Some(PadMode::Zeros), groups, ..ConvOptions::DEFAULT };
    Conv3d::from_checked(Shape::new(n, rows, cols), Kernel::new(weights, shape), options)
}

impl<'w, T> SmoothConvAdjoint<'w, T> {
    /// The adjoint of `smooth`, with its kernels as [`SmoothConvAdjoint::reverse`] writes them.
    ///
    /// # Errors
    /// [`Error::Length`] for reversed kernels of the wrong length; frames that are too large.
    pub const fn new(smooth: SmoothConv<'w, T>, reversed: &'w [T]) -> Result<Self, Error> {
        match kernels(&smooth) {
            Ok(kernels) => match ConvAdjoint::new(kernels, reversed) {
                Ok(spatial) => Ok(Self { smooth, spatial }),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// The filter.
    pub const fn smooth_conv(&self) -> &SmoothConv<'w, T> {
        &self.smooth
    }

    /// The adjoint of the kernels.
    pub const fn spatial(&self) -> &ConvAdjoint<'w, T> {
        &self.spatial
    }

    /// The same adjoint, whose kernels are computed with factors of the reversed ones: see [`Conv3d::separable`].
    ///
    /// # Errors
    /// As [`Conv3d::separable`].
    pub const fn separable(self, factors: Factors<'w, T>) -> Result<Self, Error> {
        match self.spatial.separable(factors) {
            Ok(spatial) => Ok(Self { spatial, ..self }),
            Err(error) => Err(error),
        }
    }

    /// [`ConvAdjoint::in_blocks`] of the kernels' adjoint.
    pub const fn in_blocks(self, frames: usize) -> Self {
        Self { spatial: self.spatial.in_blocks(frames), ..self }
    }

    /// Samples of state of a channel.
    const fn words(&self) -> usize {
        let (decays, mut words, mut i) = (self.smooth.decays(), 0, 0);
        while i < decays.len() {
            words += decays[i].words();
            i += 1;
        }
        words * self.smooth.signature().input.pixels()
    }

    /// What the adjoint takes and needs.
    pub const fn needs(&self) -> Needs {
        let filter = self.smooth.signature();
        let (n, pixels, spatial) = (self.smooth.decays().len(), filter.input.pixels(), self.spatial.needs());
        let state = filter.input.channels.saturating_mul(self.words());
        let mut needs = Needs { grad_in: false, ..Needs::of(filter, state) };
        needs.scratch = spatial.scratch.and(pixels.saturating_mul(n + 1));
        let stages = n.saturating_mul(filter.input.len());
        needs.scratch_of_parameters =
            needs.scratch.larger(spatial.scratch_of_parameters).plus(Scratch { fixed: stages, per_frame: stages });
        needs.parameters = Lengths { weights: spatial.parameters.weights, gains: n, ..Lengths::NONE };
        needs
    }
}

impl<T: Sample> SmoothConvAdjoint<'_, T> {
    /// Writes the reversed kernels.
    ///
    /// # Errors
    /// [`Error::Length`] when `to` is not as long as the kernels.
    pub fn reverse(smooth: &SmoothConv<'_, T>, to: &mut [T]) -> Result<(), Error> {
        ConvAdjoint::reverse(&kernels(smooth)?, to)
    }

    /// [`Adjoint::retreat`] with given vectors and threads.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    #[inline(always)]
    pub fn retreat_with<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        chunk: Chunk<'_, T>,
        memory: Memory<'_, T>,
    ) -> Result<(), Error> {
        let Memory { state, mut scratch, grad_in, parameters } = memory;
        let Parameters { state: before, gradient: Gradient { weights, gains, .. } } = parameters;
        let (len, n) = (self.smooth.signature().input.len().max(1), self.smooth.decays().len());
        let mut stages = &mut [][..];
        if !(weights.is_empty() && gains.is_empty()) {
            let all = (chunk.input.len() / len + 1).saturating_mul(n).saturating_mul(len);
            (stages, scratch) = scratch.split_at_mut_checked(all).unwrap_or_default();
            self.stages(engine, chunk, before, stages)?;
        }
        let stages = &*stages;
        if !weights.is_empty() {
            // Each channel of each frame is a frame of the kernels.
            let input = stages.get(n * len..).unwrap_or(&[]);
            let gradient = Gradient { weights, ..Gradient::default() };
            let parameters = Parameters { state: &mut [], gradient };
            self.spatial.weights().add(engine, Chunk { input, ..chunk }, scratch, parameters)?;
        }
        if grad_in.is_empty() && gains.is_empty() {
            return Ok(());
        }
        self.chain(engine, chunk, (state, scratch), grad_in, (stages, gains))
    }

    /// Writes the stages before the chunk and after each of its frames: `frame x channel x stage x row x col`.
    #[inline(always)]
    fn stages<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        chunk: Chunk<'_, T>,
        state: &mut [T],
        to: &mut [T],
    ) -> Result<(), Error> {
        let (len, n) = (self.smooth.signature().input.len().max(1), self.smooth.decays().len());
        for (f, to) in to.chunks_exact_mut(n * len).enumerate() {
            if let Some(f) = f.checked_sub(1) {
                self.smooth.chain_of_frame(engine, chunk.t.wrapping_add(f as u64), piece(chunk.input, f, len)?, state);
            }
            let Shape { rows, cols, .. } = self.smooth.signature().input;
            for (channel, to) in to.chunks_exact_mut(n * rows * cols).enumerate() {
                for (i, to) in to.chunks_exact_mut(rows * cols).enumerate() {
                    for (r, to) in to.chunks_exact_mut(cols).enumerate() {
                        copy(to, self.smooth.stage_row(state, channel * rows + r, i));
                    }
                }
            }
        }
        Ok(())
    }

    /// The gradient of the input, and those of the gains if there are any.
    #[inline(always)]
    fn chain<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        chunk: Chunk<'_, T>,
        (state, scratch): (&mut [T], &mut [T]),
        grad_in: &mut [T],
        (stages, gains): (&[T], &mut [f64]),
    ) -> Result<(), Error> {
        let (input, decays) = (self.smooth.signature().input, self.smooth.decays());
        let (pixels, channels, n) = (input.pixels().max(1), input.channels.max(1), decays.len());
        let plane = Shape::new(1, input.rows, input.cols);
        let (p, scratch) = scratch.split_at_mut_checked(n * pixels).unwrap_or_default();
        let (m, scratch) = scratch.split_at_mut_checked(pixels).unwrap_or_default();
        let of_out = self.spatial.conv().signature().output.len();
        // Plane k of the chunk belongs to channel k mod channels.
        for (k, x) in chunk.input.chunks_exact(pixels).enumerate().rev() {
            let t = chunk.t.wrapping_add((k / channels) as u64);
            let mut state = piece_mut(state, k % channels, self.words())?;
            self.spatial.frame(engine, piece(chunk.grad_out, k, of_out)?, scratch, p)?;
            m.fill(T::zero());
            // The last stage first; its words of state are the last ones.
            for (i, (decay, p)) in decays.iter().zip(p.chunks_exact_mut(pixels)).enumerate().rev() {
                let (others, words) =
                    state.split_at_mut_checked(state.len() - decay.words() * pixels).unwrap_or_default();
                state = others;
                add(p, m);
                LowPass::new(plane, *decay).advance_with(engine, reversed(t), words, p, m);
                if let Some(gain) = gains.get_mut(i) {
                    let y = |frame: usize, i: usize| piece(stages, (frame * channels + k % channels) * n + i, pixels);
                    let source = if i == 0 { x } else { y(k / channels + 1, i - 1)? };
                    let before = y(k / channels, i)?;
                    *gain += sum_of(engine.lanes, [&*m, source, before], |[m, x, y]| m * (x - y)) / decay.gain();
                }
            }
            if !grad_in.is_empty() {
                copy(piece_mut(grad_in, k, pixels)?, m);
            }
        }
        Ok(())
    }
}

impl<T: Sample> Adjoint<T> for SmoothConvAdjoint<'_, T> {
    fn needs(&self) -> Needs {
        Self::needs(self)
    }

    fn retreat(&self, chunk: Chunk<'_, T>, memory: Memory<'_, T>) -> Result<(), Error> {
        self.retreat_with(Engine::single_thread(T::LANES), chunk, memory)
    }
}
