//! Adjoints of the exponential filters: the same filters, backward in time.
//!
//! ```text
//! l[t] = a l[t+1] + g[t],   m[t] = (1-a) l[t]                                low-pass of g, backward in time
//! low-pass    gx = m                 d/dgain = sum_t m[t] (x[t] - y[t-1]) / gain,   gain = 1 - a
//! high-pass   gx = g - k m           d/dgain = -k sum_t m[t] (x[t] - y[t-1]) / gain,   d/dk = -sum_t g[t] y[t]
//! ```
//! `y` is the low-pass of `x`. State: that of the filter. Rounding and small numbers: as in the [filters](crate::recursive).
//! Cost: that of the filter; for parameters, another pass and a sum. The gradient of the gain needs that of the input, and a
//! frame of scratch.

use super::sums::sum_of;
use super::{Adjoint, Chunk, Lengths, Memory, Needs, Parameters, reversed};
use crate::engine::{Engine, WorkSplitter};
use crate::filter::{piece, piece_mut};
use crate::lanes::Lanes;
use crate::{Decay, Error, HighPass, LowPass, Sample, Scratch, Signature};

impl Decay {
    /// The derivative of the [gain](Decay::gain) of [`Decay::new`] with respect to the time constant: `-a / (tau^2 fs)`, 0 for
    /// `tau = 0`.
    ///
    /// ```
    /// use foveola_core::Decay;
    /// let (tau, h) = (0.02, 1e-6);
    /// let gain = |tau| Decay::new(tau, 1000.0).map_or(f64::NAN, Decay::gain);
    /// let slope = (gain(tau + h) - gain(tau - h)) / (2.0 * h);
    /// assert!((Decay::new(tau, 1000.0)?.derivative(tau, 1000.0) / slope - 1.0).abs() < 1e-6);
    /// # Ok::<(), foveola_core::Error>(())
    /// ```
    pub const fn derivative(self, tau: f64, steps_per_second: f64) -> f64 {
        if tau > 0.0 { -(1.0 - self.gain()) / (tau * tau * steps_per_second) } else { 0.0 }
    }
}

const fn needs(signature: Signature, scale: usize) -> Needs {
    let mut needs = Needs::of(signature, signature.state);
    needs.scratch_of_parameters = Scratch::NONE.and(signature.input.len());
    needs.parameters = Lengths { gains: 1, scale, ..Lengths::NONE };
    needs
}

/// Runs `advance(t, gradient of the output, gradient of the input)` from the last frame to the first, with a counter of frames.
#[inline(always)]
fn backward<T: Sample>(
    signature: &Signature,
    chunk: &Chunk<'_, T>,
    grad_in: &mut [T],
    mut advance: impl FnMut(u64, &[T], &mut [T]),
) {
    let len = signature.input.len().max(1);
    let frames = chunk.grad_out.chunks_exact(len).zip(grad_in.chunks_exact_mut(len));
    for (i, (g, x)) in frames.enumerate().rev() {
        advance(reversed(chunk.t.wrapping_add(i as u64)), g, x);
    }
}

/// `sum_t m[t] (x[t] - y[t-1])` and, `with_y`, `sum_t g[t] y[t]`.
#[inline(always)]
fn sums<T: Sample, L: Lanes<T>, F: WorkSplitter>(
    low_pass: &LowPass,
    engine: Engine<L, F>,
    chunk: &Chunk<'_, T>,
    scratch: &mut [T],
    state: &mut [T],
    m: &[T],
    with_y: bool,
) -> Result<[f64; 2], Error> {
    let len = low_pass.signature().input.len().max(1);
    let (y, mut of_gain, mut of_k) = (piece_mut(scratch, 0, len)?, 0.0, 0.0);
    for (i, x) in chunk.input.chunks_exact(len).enumerate() {
        let (g, m) = (piece(chunk.grad_out, i, len)?, piece(m, i, len)?);
        of_gain += sum_of(engine.lanes, [m, x, piece(state, 0, len)?], |[m, x, y]| m * (x - y));
        low_pass.advance_with(engine, chunk.t.wrapping_add(i as u64), state, x, y);
        if with_y {
            of_k += sum_of(engine.lanes, [g, y], |[g, y]| g * y);
        }
    }
    Ok([of_gain, of_k])
}

impl LowPass {
    /// What the [adjoint](self) takes and needs.
    pub const fn adjoint_needs(&self) -> Needs {
        needs(self.signature(), 0)
    }

    /// [`Adjoint::retreat`] with given vectors and threads.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    #[inline(always)]
    pub fn retreat_with<T: Sample, L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        chunk: Chunk<'_, T>,
        memory: Memory<'_, T>,
    ) -> Result<(), Error> {
        let Memory { state, scratch, grad_in, parameters } = memory;
        backward(
            &self.signature(),
            &chunk,
            grad_in,
            #[inline(always)]
            |t, g, x| {
                self.advance_with(engine, t, state, g, x);
            },
        );
        if let [gain] = parameters.gradient.gains {
            let [of_gain, _] = sums(self, engine, &chunk, scratch, parameters.state, grad_in, false)?;
            *gain += of_gain / self.decay().gain();
        }
        Ok(())
    }
}

impl HighPass {
    /// What the [adjoint](self) takes and needs.
    pub const fn adjoint_needs(&self) -> Needs {
        needs(self.signature(), 1)
    }

    /// [`Adjoint::retreat`] with given vectors and threads.
    ///
    /// # Errors
    /// [`Error::Length`] when called with wrong lengths.
    #[inline(always)]
    pub fn retreat_with<T: Sample, L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        chunk: Chunk<'_, T>,
        memory: Memory<'_, T>,
    ) -> Result<(), Error> {
        let Memory { state, scratch, grad_in, parameters } = memory;
        let low_pass = self.low_pass();
        backward(
            &self.signature(),
            &chunk,
            grad_in,
            #[inline(always)]
            |t, g, m| {
                low_pass.advance_with(engine, t, state, g, m);
            },
        );
        let Parameters { state, gradient } = parameters;
        if !(gradient.gains.is_empty() && gradient.scale.is_empty()) {
            let [of_gain, of_k] = sums(low_pass, engine, &chunk, scratch, state, grad_in, !gradient.scale.is_empty())?;
            gradient.gains.iter_mut().for_each(|gain| *gain -= self.k() * of_gain / self.decay().gain());
            gradient.scale.iter_mut().for_each(|k| *k -= of_k);
        }
        let k = T::from_f64(self.k());
        engine.lanes.vectorize(
            #[inline(always)]
            || grad_in.iter_mut().zip(chunk.grad_out).for_each(|(m, g)| *m = *g - k * *m),
        );
        Ok(())
    }
}

macro_rules! adjoint {
    ($filter:ty) => {
        impl<T: Sample> Adjoint<T> for $filter {
            fn needs(&self) -> Needs {
                self.adjoint_needs()
            }

            fn retreat(&self, chunk: Chunk<'_, T>, memory: Memory<'_, T>) -> Result<(), Error> {
                self.retreat_with(Engine::single_thread(T::LANES), chunk, memory)
            }
        }
    };
}

adjoint!(LowPass);
adjoint!(HighPass);
