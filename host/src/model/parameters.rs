//! The parameters of a model by name: weights, biases, time constants, delays and factors, to be read and written.
//!
//! ```text
//! name            <layer> "." <parameter>      centre.tau, on.bias, 2.weight
//! <layer>         the name of a layer, or its index from 0; of a branch of `Branches`, its index
//! inside another  <outer> "." <inner> "." ...  retina.0.tau
//! ```
//! Each layer tells its own: [`Layer::parameters`] and [`Layer::set_parameter`]. A weighted sum of two terms or more that
//! a layer reads is its parameter `inputs`, one number for each term.

use super::gradient::NodeGradients;
use super::inputs::Join;
use super::{Entry, Model};
use crate::names::nearest;
use crate::{Error, Layer, Result};
use ndarray::{Array, Array1, ArrayBase, ArrayD, ArrayView1, Data, Dimension, IxDyn};

/// A parameter of a layer or a model: a number, a list or an array.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name, such as `centre.tau`.
    pub name: String,
    /// Its value, which has no axes for a single number. Weights are impulse responses with the axes of
    /// [`Weight`](crate::Weight); time constants are in seconds, delays in frames.
    pub value: ArrayD<f64>,
}

impl Parameter {
    /// A parameter of a layer, for [`Layer::parameters`].
    pub fn new(name: impl Into<String>, value: impl Into<Values>) -> Self {
        Self { name: name.into(), value: value.into().0 }
    }

    /// The lengths of its axes; empty for a single number.
    pub fn shape(&self) -> &[usize] {
        self.value.shape()
    }
}

/// Numbers for a parameter: a number, a list or an array of `f32` or `f64`.
#[derive(Clone, Debug, PartialEq)]
pub struct Values(pub(crate) ArrayD<f64>);

impl Values {
    /// The lengths of the axes; empty for a single number.
    pub fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    /// The numbers in row-major order.
    pub fn iter(&self) -> impl Iterator<Item = f64> {
        self.0.iter().copied()
    }

    /// The numbers, if they have this shape.
    ///
    /// # Errors
    /// [`Error::ValuesShape`] for another shape.
    pub fn of_shape(&self, expected: &[usize]) -> Result<&ArrayD<f64>> {
        if self.shape() == expected {
            return Ok(&self.0);
        }
        Err(Error::ValuesShape { found: self.shape().to_vec(), expected: expected.to_vec() })
    }

    /// The number, if it is one.
    ///
    /// # Errors
    /// [`Error::ValuesShape`] for several.
    pub fn number(&self) -> Result<f64> {
        self.of_shape(&[]).map(|array| array.iter().copied().next().unwrap_or_default())
    }
}

impl From<f64> for Values {
    fn from(number: f64) -> Self {
        Self(ArrayD::from_elem(IxDyn(&[]), number))
    }
}

impl<A: Copy + Into<f64>> From<&[A]> for Values {
    fn from(list: &[A]) -> Self {
        Self::from(&ArrayView1::from(list))
    }
}

impl<A: Copy + Into<f64>> From<Vec<A>> for Values {
    fn from(list: Vec<A>) -> Self {
        Self::from(&list[..])
    }
}

impl<A: Copy + Into<f64>, const N: usize> From<[A; N]> for Values {
    fn from(list: [A; N]) -> Self {
        Self::from(&list[..])
    }
}

impl<A: Copy + Into<f64>, S: Data<Elem = A>, D: Dimension> From<&ArrayBase<S, D>> for Values {
    fn from(array: &ArrayBase<S, D>) -> Self {
        Self(array.map(|number| (*number).into()).into_dyn())
    }
}

impl<A: Copy + Into<f64>, D: Dimension> From<Array<A, D>> for Values {
    fn from(array: Array<A, D>) -> Self {
        Self::from(&array)
    }
}

impl Model {
    /// The parameters of all layers, in their order, with their present values.
    ///
    /// ```
    /// use foveola::{LowPass, Model, NLRectifyScale, Resolution};
    /// let mut model = Model::new()
    ///     .named("slow", LowPass::new(0.050, Resolution::DEFAULT)?)
    ///     .named("on", NLRectifyScale::new(2.0, -0.5)?).reading([("input", 1.0), ("slow", -1.0)]);
    ///
    /// let names: Vec<String> = model.parameters().into_iter().map(|parameter| parameter.name).collect();
    /// assert_eq!(names, ["slow.tau", "on.inputs", "on.scale", "on.bias"]);
    ///
    /// model.set_parameter("slow.tau", 0.080)?;
    /// model.set_parameter("on.inputs", [1.0, -0.9])?;
    /// assert_eq!(model.layer::<LowPass>("slow").unwrap().tau(), 0.080);
    ///
    /// let error = model.set_parameter("slow.tua", 0.080).unwrap_err();
    /// let expected = "unknown parameter 'slow.tua'; expected one of: slow.tau (the nearest), on.inputs, on.scale, on.bias";
    /// assert_eq!(error.to_string(), expected);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// | layer | parameters |
    /// |---|---|
    /// | `Conv1d`, `Conv2d`, `Conv3d` | `weight` (out, in/groups, and time, row, col as it has them), `bias` (out) if it has one |
    /// | `RF` | `weight` (out, in, time, row, col) once it was set, `bias` (out) if it has one |
    /// | `SmoothConv` | `tau` (stage), `weight` (stage, row, col) |
    /// | `LowPass`, `HighPass` | `tau`; `k` of the second |
    /// | `NLRectifyScale`, `NLSquare`, `NLRectifySquare`, `NLExponential`, `NLSoftplus`, `NLLogistic` | `scale`, `bias` |
    /// | `NLPiecewiseLinear` | `values` (knot) |
    /// | `Delay`, `VariableDelay` | `delay`; `delays` (row, col) |
    /// | `Branches` | `weights` (branch), and those of the branches: `0.tau` |
    /// | any that reads a weighted sum of two or more | `inputs` (term) |
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut all = Vec::new();
        for (i, entry) in self.network.entries().iter().enumerate() {
            let layer = self.network.prefix(i);
            all.extend(
                entry.own().into_iter().chain(entry.layer.parameters()).map(|parameter| inside(&layer, parameter)),
            );
        }
        all
    }

    /// The present value of a parameter; see [`Model::parameters`] for the names.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that no parameter has.
    pub fn parameter(&self, name: &str) -> Result<Parameter> {
        let all = self.parameters();
        match all.iter().position(|parameter| parameter.name == name) {
            Some(at) => Ok(all.into_iter().nth(at).unwrap_or_else(|| unreachable!("it is there"))),
            None => Err(unknown(name, &all)),
        }
    }

    /// Sets a parameter to values of the same shape. The layer checks them as its own setter does. During a stream they take
    /// effect with the next frame; another delay, and a time constant beyond the limits of
    /// [`LowPass`](crate::LowPass), need a new stream ([`Error::StateChanged`]).
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that no parameter has; [`Error::ModelParameter`] with the layer's error for values that it
    /// refuses. The model is then unchanged.
    pub fn set_parameter(&mut self, name: &str, values: impl Into<Values>) -> Result<()> {
        let values = values.into();
        let not_finite = values.0.indexed_iter().find(|(_, value)| !(**value as f32).is_finite());
        let set = match not_finite {
            Some((index, value)) => {
                let index =
                    if values.shape().is_empty() { "its".into() } else { format!("at {:?}, its", index.slice()) };
                let value = format!("{value:?} ({index} value)");
                let expected = "finite numbers, up to 3.4e38 in magnitude";
                Err(Error::Parameter { item: "Model::set_parameter", name: "a value", value, expected })
            }
            None => self.set_values(name, &values),
        };
        match set {
            Ok(true) => Ok(()),
            Ok(false) => Err(unknown(name, &self.parameters())),
            Err(source) => Err(Error::ModelParameter { name: name.into(), source: Box::new(source) }),
        }
    }

    /// Sets a parameter; false if there is none of this name.
    pub(super) fn set_values(&mut self, name: &str, values: &Values) -> Result<bool> {
        let Some((layer, parameter)) = name.split_once('.') else { return Ok(false) };
        let index = self.network.find(layer).or_else(|| {
            let index = index(layer)?;
            self.network.entries().get(index)?.name.is_empty().then_some(index)
        });
        let Some(entry) = index.and_then(|index| self.network.entry_mut(index)) else { return Ok(false) };
        match parameter {
            "inputs" if entry.sums() => {
                let weights = values.of_shape(&[entry.inputs.terms.len()])?;
                entry.inputs.terms.iter_mut().zip(weights).for_each(|((_, weight), value)| *weight = *value);
                Ok(true)
            }
            _ => entry.layer.set_parameter(parameter, values),
        }
    }
}

impl Entry {
    /// Whether the layer reads a weighted sum.
    fn sums(&self) -> bool {
        self.inputs.join == Join::Sum && self.inputs.terms.len() > 1
    }

    /// The gradients of [`Entry::own`], from those of the nodes that add up the terms.
    pub(super) fn own_gradients(&self, nodes: &NodeGradients<'_>) -> Option<Parameter> {
        let sums = self.inputs.terms.len().saturating_sub(1);
        let first = nodes.node(0).weights.iter();
        // Each further term is added to the sum of those before.
        let others = (1..sums).filter_map(|sum| nodes.node(sum).weights.get(1));
        self.sums().then(|| Parameter::new("inputs", first.chain(others).copied().collect::<Vec<f64>>()))
    }

    /// The parameters of what it reads.
    fn own(&self) -> Option<Parameter> {
        let weights = self.inputs.terms.iter().map(|(_, weight)| *weight);
        self.sums().then(|| Parameter::new("inputs", weights.collect::<Array1<f64>>()))
    }
}

/// A parameter of the layer or branch called `outer`.
pub(crate) fn inside(outer: &str, Parameter { name, value }: Parameter) -> Parameter {
    Parameter { name: format!("{outer}.{name}"), value }
}

/// The number of a layer or branch, as [`Model::parameters`] writes it.
pub(crate) fn index(text: &str) -> Option<usize> {
    let index = text.parse::<usize>().ok()?;
    (index.to_string() == text).then_some(index)
}

/// The names in a message: one that is near the wrong one first, and no more than a few.
const MOST_NAMED: usize = 12;

pub(crate) fn unknown(name: &str, all: &[Parameter]) -> Error {
    let names: Vec<&str> = all.iter().map(|parameter| parameter.name.as_str()).collect();
    let near = nearest(name, &names);
    let mut told: Vec<String> = near.iter().map(|near| format!("{near} (the nearest)")).collect();
    told.extend(names.iter().filter(|name| Some(**name) != near).take(MOST_NAMED).map(|name| (*name).to_owned()));
    if names.len() > told.len() {
        told.push(format!("and {} others", names.len() - told.len()));
    }
    if told.is_empty() {
        told.push("none, since no layer has any".into());
    }
    Error::unknown("parameter", name, told.iter().map(String::as_str))
}

#[cfg(test)]
mod tests;
