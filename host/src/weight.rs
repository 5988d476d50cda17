//! What `set_weight` takes: an array of some rank, and how to understand it.
//!
//! | rank of w | `Conv3d`                        | `Conv2d`             | `Conv1d`          | `RF`                       |
//! |-----------|---------------------------------|----------------------|-------------------|----------------------------|
//! | scalar    | fill the current shape          | same                 | same              | same                       |
//! | 1         | (time)                          | -                    | (time)            | (time), one pixel: empty   |
//! | 2         | (row, col)                      | (row, col)           | -                 | (row, col)                 |
//! | 3         | (time, row, col)                | (out, row, col)      | (out, in, time)   | (time, row, col)           |
//! | 4         | -                               | (out, in, row, col)  | -                 | -                          |
//! | 5         | (out, in/groups, time, row, col)| -                    | -                 | (out, in, time, row, col)  |

use crate::{Error, Result, memory};
use ndarray::{Array, ArrayBase, ArrayD, Data, Dimension, IxDyn};

/// An array of weights and how to understand it. Every array and a plain number convert into one.
///
/// With `flip` (the default) the array is an impulse response; without, a correlation kernel.
///
/// ```
/// use foveola::{Conv2d, Weight};
/// use ndarray::arr2;
/// let mut conv = Conv2d::new(1, 1, [3, 3])?;
/// conv.set_weight(arr2(&[[1.0, 2.0], [3.0, 4.0]]))?;
/// conv.set_weight(Weight::from(arr2(&[[1.0, 2.0], [3.0, 4.0]])).normalize().no_flip())?;
/// # Ok::<(), foveola::Error>(())
/// ```
#[must_use]
#[derive(Clone, Debug)]
pub struct Weight {
    pub(crate) array: ArrayD<f32>,
    pub(crate) normalize: bool,
    pub(crate) preserve_channels: bool,
    pub(crate) flip: bool,
}

impl Weight {
    /// Divides by the sum of the whole resulting weight. One that is 0 within rounding, below 4.8e-7 of the sum of magnitudes, is
    /// refused.
    pub fn normalize(self) -> Self {
        Self { normalize: true, ..self }
    }

    /// Copies a kernel of rank 1 to 3 to every pair of output and input channels that the layer has.
    pub fn preserve_channels(self) -> Self {
        Self { preserve_channels: true, ..self }
    }

    /// Takes the array as a correlation kernel instead of an impulse response.
    pub fn no_flip(self) -> Self {
        Self { flip: false, ..self }
    }

    /// The values, row-major.
    pub(crate) fn values(&self) -> Result<Vec<f32>> {
        memory::collect(WEIGHT, self.array.len(), self.array.iter().copied())
    }

    pub(crate) fn check(&self, layer: &'static str) -> Result<()> {
        match self.array.indexed_iter().find(|(_, w)| !w.is_finite()) {
            Some((index, &value)) => {
                Err(Error::WeightNotFinite { layer, index: Dimension::slice(&index).to_vec(), value })
            }
            None => Ok(()),
        }
    }
}

impl<S: Data<Elem = f32>, D: Dimension> From<&ArrayBase<S, D>> for Weight {
    fn from(array: &ArrayBase<S, D>) -> Self {
        Self { array: array.to_owned().into_dyn(), normalize: false, preserve_channels: false, flip: true }
    }
}

impl<D: Dimension> From<Array<f32, D>> for Weight {
    fn from(array: Array<f32, D>) -> Self {
        Self { array: array.into_dyn(), normalize: false, preserve_channels: false, flip: true }
    }
}

impl From<f32> for Weight {
    fn from(value: f32) -> Self {
        Self::from(ArrayD::from_elem(IxDyn(&[]), value))
    }
}

/// A weight `(out, in / groups, time, row, col)` in correlation order.
#[derive(Clone, Debug)]
pub(crate) struct Bank {
    pub(crate) values: Vec<f32>,
    pub(crate) shape: [usize; 5],
}

impl Bank {
    /// A weight that has one value everywhere.
    pub(crate) fn filled(shape: [usize; 5], value: f32) -> Result<Self> {
        Self::copies(&[value], [1; 3], [shape.iter().product(), 1]).map(|bank| Self { shape, ..bank })
    }

    /// Copies one kernel of `[time, row, col]` to `out x in` pairs of channels.
    pub(crate) fn copies(kernel: &[f32], [t, r, c]: [usize; 3], [out, ins]: [usize; 2]) -> Result<Self> {
        let samples = kernel.len().saturating_mul(out).saturating_mul(ins);
        let copies = std::iter::repeat_n(kernel, out.saturating_mul(ins)).flatten().copied();
        Ok(Self { values: memory::collect(WEIGHT, samples, copies)?, shape: [out, ins, t, r, c] })
    }

    /// Reverses time, rows and columns: an impulse response into correlation order, and back.
    pub(crate) fn flipped(mut self) -> Self {
        let [.., t, r, c] = self.shape;
        for kernel in self.values.chunks_exact_mut((t * r * c).max(1)) {
            kernel.reverse();
        }
        self
    }

    /// Divides by the sum over everything.
    ///
    /// # Errors
    /// [`Error::ZeroSum`] where the sum is 0 within the rounding of the weights: what is left of it is noise.
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

    /// Applies the options of `weight` that do not concern its shape.
    pub(crate) fn finished(self, weight: &Weight, layer: &'static str) -> Result<Self> {
        if self.values.is_empty() {
            return Err(Error::layer(layer, foveola_core::Error::EmptyKernel { kernel: self.shape }));
        }
        let bank = if weight.flip { self.flipped() } else { self };
        if weight.normalize { bank.normalized(layer) } else { Ok(bank) }
    }
}

impl Error {
    pub(crate) fn layer(layer: impl Into<String>, source: foveola_core::Error) -> Self {
        Self::Layer { layer: layer.into(), source }
    }
}

const WEIGHT: &str = "the weight";

/// How far the sum of weights may be from what was meant, relative to the sum of their magnitudes: a weight that was computed in
/// `f32` is off by a few units in its last place, 6e-8 each.
const ROUNDING: f64 = 4.0 * f32::EPSILON as f64;

/// Weights of a layer, at most: 1 GB. A larger kernel is a mistake in its arguments.
pub(crate) const MAX_WEIGHTS: usize = 1 << 28;

/// Whether there is one finite bias for each output channel, or none at all.
pub(crate) fn check_bias(layer: &'static str, bias: &[f32], channels: usize) -> Result<()> {
    if !bias.is_empty() && bias.len() != channels {
        let (found, expected) = (bias.len(), channels);
        return Err(Error::layer(layer, foveola_core::Error::Length { what: "the bias", found, expected }));
    }
    match bias.iter().find(|b| !b.is_finite()) {
        Some(value) => {
            let (name, value) = ("bias", f64::from(*value));
            Err(Error::layer(layer, foveola_core::Error::Parameter { name, value, expected: "a finite number" }))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sum that is 0 but for the rounding of its terms is no scale.
    #[test]
    fn a_sum_of_nothing_but_rounding_is_refused() {
        let normalized = |values: [f32; 3]| Bank { values: values.into(), shape: [1, 1, 1, 1, 3] }.normalized("layer");
        for values in [[0.1, 0.2, -0.3], [1.0, -1.0, 1e-8], [0.0; 3]] {
            assert!(matches!(normalized(values), Err(Error::ZeroSum { .. })), "{values:?}");
        }
        assert_eq!(normalized([1.0, 2.0, -1.0]).map(|bank| bank.values).ok(), Some(vec![0.5, 1.0, -0.5]));
        assert!(normalized([1.0, -1.0, 1e-4]).is_ok(), "small, and no rounding");
    }
}
