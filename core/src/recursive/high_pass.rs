//! Exponential high-pass: `out = x - k lowpass(x)`.
//!
//! `k` is the relative weight of the [low-pass](super::LowPass): 1 removes DC, 0 passes everything. State: the
//! low-pass, one frame, or two from `tau fs = 1680` on. Cost: 5 operations per sample, or 10. The rounding error is
//! that of the [low-pass](super) times `k`: at most 1e-4 of a constant input. There are no subnormal numbers, as there,
//! for `k` of at least 2^-30 in magnitude.

use super::{Decay, LowPass};
use crate::engine::{Engine, WorkSplitter};
use crate::error::within_range;
use crate::lanes::Lanes;
use crate::sample::Scaled;
use crate::{Error, Filter, Sample, Shape, Signature};

/// Exponential high-pass of every pixel; see the [equation](self).
///
/// ```
/// use foveola_core::{constant, Decay, Filter, HighPass, Shape};
/// const HIGH_PASS: HighPass =
///     constant!(HighPass::new(Shape::new(1, 1, 1), constant!(Decay::from_gain(0.5)), 1.0));
/// let (mut state, mut out) = ([0.0_f32], [0.0; 3]);
/// HIGH_PASS.run(0, &mut state, &mut [], &[1.0, 1.0, 1.0], &mut out).unwrap();
/// assert_eq!(out, [0.5, 0.25, 0.125]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HighPass {
    low_pass: LowPass,
    k: f64,
}

impl HighPass {
    /// A high-pass of frames of `shape` that subtracts `k` times the low-pass.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a `k` that is not finite as an `f32`.
    pub const fn new(shape: Shape, decay: Decay, k: f64) -> Result<Self, Error> {
        if let Err(error) = within_range("k", k) {
            return Err(error);
        }
        Ok(Self { low_pass: LowPass::new(shape, decay), k })
    }

    pub(crate) const fn low_pass(&self) -> &LowPass {
        &self.low_pass
    }

    /// The decay of the low-pass.
    pub const fn decay(&self) -> Decay {
        self.low_pass.decay()
    }

    /// The weight of the low-pass.
    pub const fn k(&self) -> f64 {
        self.k
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        self.low_pass.signature()
    }

    /// [`Filter::advance`] with given vectors and threads.
    #[inline(always)]
    pub fn advance_with<T: Sample, L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        t: u64,
        state: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> usize {
        let Scaled { value: [one, k], shift } = T::scaled([1.0, -self.k]);
        self.low_pass.each(
            engine,
            t,
            state,
            input,
            output,
            #[inline(always)]
            |x, y, _| T::from_sum(T::add_product(x.product(one), y, k), shift),
        )
    }
}

impl<T: Sample> Filter<T> for HighPass {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    fn advance(&self, t: u64, state: &mut [T], _: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        Ok(self.advance_with(Engine::single_thread(T::LANES), t, state, input, output))
    }
}
