//! `NLRectify`, `NLRectifyScale`, `NLSquare`, `NLRectifySquare`, `NLExponential`, `NLSoftplus`, `NLLogistic`. See
//! [`foveola_core::pointwise`].

use crate::model::gradient::NodeGradients;
use crate::model::layer::{Table, named};
use crate::{Error, Layer, Parameter, Result, Values};
use foveola_core::{Nonlinearity, Pointwise, Source, Stage};

fn push(layer: &dyn Layer, table: &mut Table<'_>, from: Source, function: Nonlinearity) -> Result<Source> {
    let pointwise = named(layer, Pointwise::new(table.shape(from), function))?;
    Ok(table.push(from, Stage::Pointwise(pointwise)))
}

fn finite(item: &'static str, values: [(&'static str, f64); 2]) -> Result<()> {
    // Layers compute in `f32`, where a larger number would be infinite.
    match values.into_iter().find(|(_, value)| !(*value as f32).is_finite()) {
        Some((name, value)) => {
            let expected = "a finite number, up to 3.4e38 in magnitude";
            Err(Error::Parameter { item, name, value: format!("{value:?}"), expected })
        }
        None => Ok(()),
    }
}

/// `max(x, 0)`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NLRectify;

impl Layer for NLRectify {
    fn name(&self) -> &'static str {
        "NLRectify"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        push(self, table, from, Nonlinearity::Rectify)
    }
}

/// Layers that compute a function of `bias + scale x`.
macro_rules! of_scaled {
    ($($(#[$about:meta])* $name:ident $function:ident)*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name {
            scale: f64,
            bias: f64,
        }

        impl $name {
            /// A layer with this scale and bias.
            ///
            /// # Errors
            /// A scale or bias that is not finite as an `f32`.
            pub fn new(scale: f64, bias: f64) -> Result<Self> {
                finite(stringify!($name), [("scale", scale), ("bias", bias)]).map(|()| Self { scale, bias })
            }

            /// The factor of `x`.
            pub fn scale(&self) -> f64 {
                self.scale
            }

            /// The number added.
            pub fn bias(&self) -> f64 {
                self.bias
            }
        }

        impl Layer for $name {
            fn name(&self) -> &'static str {
                stringify!($name)
            }

            fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
                push(self, table, from, Nonlinearity::$function { scale: self.scale, bias: self.bias })
            }

            fn parameters(&self) -> Vec<Parameter> {
                vec![Parameter::new("scale", self.scale), Parameter::new("bias", self.bias)]
            }

            fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
                let node = nodes.node(0);
                let [scale, bias] = [node.scale, node.bias].map(|of_node| of_node.iter().sum::<f64>());
                vec![Parameter::new("scale", scale), Parameter::new("bias", bias)]
            }

            fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
                match name {
                    "scale" => self.scale = values.number()?,
                    "bias" => self.bias = values.number()?,
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
    )*};
}

of_scaled! {
    /// `max(bias + scale x, 0)`.
    NLRectifyScale RectifyScale
    /// `(bias + scale x)^2`.
    NLSquare Square
    /// `max(bias + scale x, 0)^2`.
    NLRectifySquare RectifySquare
    /// `exp(bias + scale x)`: the rate of the model cell of point-process statistics, whose likelihood then has one maximum.
    ///
    /// Above `bias + scale x` = 88.72 it overflows ([`Error::Overflow`]); below -87.34 it is 0. The error is at most 1.0 units in
    /// the last place of the `f32` for a given `bias + scale x`. Cost: 28 operations a sample. The bits are those of a
    /// microcontroller.
    ///
    /// ```
    /// use foveola::{Model, NLExponential};
    /// let mut rate = Model::of(NLExponential::new(2.0, 0.0)?);
    /// let out = rate.run(&ndarray::arr3(&[[[0.0_f32, 0.5]]]), 1)?;
    /// assert_eq!(out.as_slice(), Some(&[1.0, 1.0_f64.exp() as f32][..]));
    /// # Ok::<(), foveola::Error>(())
    /// ```
    NLExponential Exponential
    /// `ln(1 + exp(bias + scale x))`: near `bias + scale x` where that is large, near 0 where it is very negative, and smooth between.
    ///
    /// The error is at most 2.9 units in the last place of the `f32` for a given `bias + scale x`, below -87.34 of which it is 0.
    /// Cost: 45 operations a sample. The bits are those of a microcontroller.
    ///
    /// ```
    /// use foveola::{Model, NLSoftplus};
    /// let mut soft = Model::of(NLSoftplus::new(10.0, 0.0)?);
    /// let out = soft.run(&ndarray::arr3(&[[[-20.0_f32, 0.0, 20.0]]]), 1)?;
    /// assert_eq!(out.as_slice(), Some(&[0.0, std::f32::consts::LN_2, 200.0][..]));
    /// # Ok::<(), foveola::Error>(())
    /// ```
    NLSoftplus Softplus
    /// `1 / (1 + exp(-(bias + scale x)))`, from 0 to 1: a probability.
    ///
    /// The error is at most 2.5 units in the last place of the `f32` for a given `bias + scale x`, below -87.34 of which it is 0.
    /// Cost: 33 operations a sample. The bits are those of a microcontroller.
    ///
    /// ```
    /// use foveola::{Model, NLLogistic};
    /// let mut spike = Model::of(NLLogistic::new(10.0, 0.0)?);
    /// let out = spike.run(&ndarray::arr3(&[[[-20.0_f32, 0.0, 20.0]]]), 1)?;
    /// assert_eq!(out.as_slice(), Some(&[0.0, 0.5, 1.0][..]));
    /// # Ok::<(), foveola::Error>(())
    /// ```
    NLLogistic Logistic
}
