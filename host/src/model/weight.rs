//! The argument of `set_weight`: an array of some rank and its interpretation.

use crate::axes::Element;
use crate::model::gradient::NodeGradient;
use crate::taps::{Taps, WEIGHT};
use crate::{Error, Parameter, Result, memory};
use ndarray::{Array, Array1, Array2, ArrayBase, ArrayD, ArrayView, ArrayView1, Data, Dimension, IxDyn};

/// An array of weights and its interpretation. Numbers, arrays and views of `f32` and `f64`, vectors and slices convert into
/// a `Weight`; `f64` is rounded to `f32`.
///
/// # Ranks
/// | rank of w | `Conv3d`                        | `Conv2d`             | `Conv1d`          | `RF`                       |
/// |-----------|---------------------------------|----------------------|-------------------|----------------------------|
/// | scalar    | fill the current shape          | same                 | same              | same                       |
/// | 1         | (time)                          | -                    | (time)            | -                          |
/// | 2         | (row, col)                      | (row, col)           | -                 | (row, col)                 |
/// | 3         | (time, row, col)                | (out, row, col)      | (out, in, time)   | (time, row, col)           |
/// | 4         | -                               | (out, in, row, col)  | -                 | -                          |
/// | 5         | (out, in/groups, time, row, col)| -                    | -                 | (out, in, time, row, col)  |
///
/// By default the array is an impulse response; with [`no_flip`](Self::no_flip) it is a correlation kernel.
///
/// ```
/// use foveola::{Conv2d, Weight};
/// use ndarray::arr2;
/// let mut conv = Conv2d::new(1, 1, [3, 3])?;
/// conv.set_weight([[1.0, 2.0], [3.0, 4.0]])?;
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
    /// Divides by the sum of the whole resulting weight. A sum that is 0 within rounding, below 4.8e-7 of the sum of
    /// magnitudes, is an error.
    pub fn normalize(self) -> Self {
        Self { normalize: true, ..self }
    }

    /// Copies a kernel of rank 1 to 3 to every pair of output and input channels of the layer.
    pub fn preserve_channels(self) -> Self {
        Self { preserve_channels: true, ..self }
    }

    /// Interprets the array as a correlation kernel instead of an impulse response.
    pub fn no_flip(self) -> Self {
        Self { flip: false, ..self }
    }

    /// The values in row-major order.
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

impl Weight {
    fn of(array: ArrayD<f32>) -> Self {
        Self { array, normalize: false, preserve_channels: false, flip: true }
    }
}

impl<A: Element, S: Data<Elem = A>, D: Dimension> From<&ArrayBase<S, D>> for Weight {
    fn from(array: &ArrayBase<S, D>) -> Self {
        Self::of(array.map(|w| w.single()).into_dyn())
    }
}

impl<A: Element, D: Dimension> From<ArrayView<'_, A, D>> for Weight {
    fn from(array: ArrayView<'_, A, D>) -> Self {
        Self::from(&array)
    }
}

impl<A: Element, D: Dimension> From<Array<A, D>> for Weight {
    fn from(array: Array<A, D>) -> Self {
        Self::of(array.mapv_into_any(A::single).into_dyn())
    }
}

/// A weight of rank 1.
impl<A: Element> From<Vec<A>> for Weight {
    fn from(values: Vec<A>) -> Self {
        Self::from(Array1::from(values))
    }
}

/// A weight of rank 1.
impl<A: Element> From<&[A]> for Weight {
    fn from(values: &[A]) -> Self {
        Self::from(ArrayView1::from(values))
    }
}

/// A weight of rank 1.
impl<A: Element, const N: usize> From<[A; N]> for Weight {
    fn from(values: [A; N]) -> Self {
        Self::from(&values[..])
    }
}

/// A weight of rank 2.
impl<A: Element, const R: usize, const C: usize> From<[[A; C]; R]> for Weight {
    fn from(rows: [[A; C]; R]) -> Self {
        Self::from(Array2::from(rows.to_vec()))
    }
}

/// The same weight everywhere.
impl From<f32> for Weight {
    fn from(value: f32) -> Self {
        Self::of(ArrayD::from_elem(IxDyn(&[]), value))
    }
}

/// The same weight everywhere.
impl From<f64> for Weight {
    fn from(value: f64) -> Self {
        Self::from(value as f32)
    }
}

impl Taps {
    /// Applies the options of `weight` that do not concern its shape.
    pub(crate) fn finished(self, weight: &Weight, layer: &'static str) -> Result<Self> {
        if self.values.is_empty() {
            return Err(Error::layer(layer, foveola_core::Error::EmptyKernel { kernel: self.shape }));
        }
        let taps = if weight.flip { self.flipped() } else { self };
        if weight.normalize { taps.normalized(layer) } else { Ok(taps) }
    }
}

/// Checks that there is one finite bias per output channel, or none at all.
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

/// The parameters of a layer with a weight of `shape` and a bias, which may be absent.
pub(crate) fn parameters(taps: &Taps, shape: &[usize], bias: &[f32]) -> Vec<Parameter> {
    let values = taps.clone().flipped().values;
    let weight = ArrayD::from_shape_vec(IxDyn(shape), values).unwrap_or_default();
    let bias = (!bias.is_empty()).then(|| Parameter::new("bias", bias));
    std::iter::once(Parameter::new("weight", weight)).chain(bias).collect()
}

/// The gradients of [`parameters`], from those of the node of a kernel of `taps` taps.
pub(crate) fn gradients(node: NodeGradient<'_>, taps: usize, shape: &[usize]) -> Vec<Parameter> {
    let values = node.weights.chunks_exact(taps.max(1)).flat_map(|kernel| kernel.iter().rev().copied()).collect();
    let weight = ArrayD::from_shape_vec(IxDyn(shape), values).unwrap_or_default();
    let bias = (!node.bias.is_empty()).then(|| Parameter::new("bias", node.bias));
    std::iter::once(Parameter::new("weight", weight)).chain(bias).collect()
}

/// The nearest `f32` of each number.
pub(crate) fn singles(numbers: &ArrayD<f64>) -> Vec<f32> {
    numbers.iter().map(|number| *number as f32).collect()
}

#[cfg(feature = "serde")]
mod serial {
    use super::Weight;
    use ndarray::{ArrayD, IxDyn};
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Form {
        shape: Vec<usize>,
        /// Row-major.
        values: Vec<f32>,
        #[serde(default)]
        normalize: bool,
        #[serde(default)]
        preserve_channels: bool,
        flip: bool,
    }

    impl Serialize for Weight {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let Self { array, normalize, preserve_channels, flip } = self;
            let (shape, values) = (array.shape().to_vec(), array.iter().copied().collect());
            let (normalize, preserve_channels, flip) = (*normalize, *preserve_channels, *flip);
            Form { shape, values, normalize, preserve_channels, flip }.serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for Weight {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let Form { shape, values, normalize, preserve_channels, flip } = Form::deserialize(deserializer)?;
            let found = values.len();
            let array = ArrayD::from_shape_vec(IxDyn(&shape), values);
            let array =
                array.map_err(|_| D::Error::custom(format!("{found} values for a weight of shape {shape:?}")))?;
            Ok(Self { array, normalize, preserve_channels, flip })
        }
    }
}
