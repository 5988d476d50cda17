//! The weights of a kernel, in the form that the filters of core take.

use crate::{Error, Result, memory};

/// The name of weight memory in error messages.
pub(crate) const WEIGHT: &str = "the weight";

/// The tolerance of a sum of weights, relative to the sum of their magnitudes. A weight computed in `f32` is off by a few
/// units in the last place, 6e-8 each.
const ROUNDING: f64 = 4.0 * f32::EPSILON as f64;

/// The largest number of weights in a layer: 1 GB. A larger kernel is a mistake in its arguments.
pub(crate) const MAX_WEIGHTS: usize = 1 << 28;

/// A weight `(out, in / groups, time, row, col)` in correlation order.
#[derive(Clone, Debug)]
pub(crate) struct Taps {
    pub(crate) values: Vec<f32>,
    pub(crate) shape: [usize; 5],
}

impl Taps {
    /// A weight with one value everywhere.
    pub(crate) fn filled(shape: [usize; 5], value: f32) -> Result<Self> {
        Self::copies(&[value], [1; 3], [shape.iter().product(), 1]).map(|taps| Self { shape, ..taps })
    }

    /// Copies one kernel `[time, row, col]` to `out x in` pairs of channels.
    pub(crate) fn copies(kernel: &[f32], [t, r, c]: [usize; 3], [out, ins]: [usize; 2]) -> Result<Self> {
        let samples = kernel.len().saturating_mul(out).saturating_mul(ins);
        let copies = std::iter::repeat_n(kernel, out.saturating_mul(ins)).flatten().copied();
        Ok(Self { values: memory::collect(WEIGHT, samples, copies)?, shape: [out, ins, t, r, c] })
    }

    /// Reverses time, rows and columns: converts an impulse response into correlation order, and back.
    pub(crate) fn flipped(mut self) -> Self {
        let [.., t, r, c] = self.shape;
        for kernel in self.values.chunks_exact_mut((t * r * c).max(1)) {
            kernel.reverse();
        }
        self
    }

    /// Divides by the sum of all weights.
    ///
    /// # Errors
    /// [`Error::ZeroSum`] where the sum is 0 within the rounding of the weights.
    pub(crate) fn normalized(mut self, layer: &'static str) -> Result<Self> {
        let sum: f64 = self.values.iter().map(|w| f64::from(*w)).sum();
        let magnitudes: f64 = self.values.iter().map(|w| f64::from(w.abs())).sum();
        if sum.abs() > ROUNDING * magnitudes {
            self.values.iter_mut().for_each(|w| *w = (f64::from(*w) / sum) as f32);
            if self.values.iter().all(|w| w.is_finite()) {
                return Ok(self);
            }
        }
        Err(Error::ZeroSum { layer, sum, magnitudes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sum that is 0 within rounding is not a valid scale.
    #[test]
    fn a_sum_of_nothing_but_rounding_is_refused() {
        let normalized = |values: [f32; 3]| Taps { values: values.into(), shape: [1, 1, 1, 1, 3] }.normalized("layer");
        for values in [[0.1, 0.2, -0.3], [1.0, -1.0, 1e-8], [0.0; 3]] {
            assert!(matches!(normalized(values), Err(Error::ZeroSum { .. })), "{values:?}");
        }
        assert_eq!(normalized([1.0, 2.0, -1.0]).map(|taps| taps.values).ok(), Some(vec![0.5, 1.0, -0.5]));
        assert!(normalized([1.0, -1.0, 1e-4]).is_ok(), "small, and no rounding");
    }
}
