//! `NLRectify`, `NLRectifyScale`, `NLSquare`, `NLRectifySquare`. See [`foveola_core::pointwise`].

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

fn parameters(scale: f64, bias: f64) -> Vec<Parameter> {
    vec![Parameter::new("scale", scale), Parameter::new("bias", bias)]
}

/// Their gradients.
fn gradients(nodes: &NodeGradients<'_>) -> Vec<Parameter> {
    let node = nodes.node(0);
    parameters(node.scale.iter().sum(), node.bias.iter().sum())
}

fn set(name: &str, values: &Values, scale: &mut f64, bias: &mut f64) -> Result<bool> {
    match name {
        "scale" => *scale = values.number()?,
        "bias" => *bias = values.number()?,
        _ => return Ok(false),
    }
    Ok(true)
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

/// `max(bias + scale x, 0)`.
#[derive(Clone, Copy, Debug)]
pub struct NLRectifyScale {
    scale: f64,
    bias: f64,
}

impl NLRectifyScale {
    /// A layer with this scale and bias.
    ///
    /// # Errors
    /// A scale or bias that is not finite as an `f32`.
    pub fn new(scale: f64, bias: f64) -> Result<Self> {
        finite("NLRectifyScale", [("scale", scale), ("bias", bias)]).map(|()| Self { scale, bias })
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

impl Layer for NLRectifyScale {
    fn name(&self) -> &'static str {
        "NLRectifyScale"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        push(self, table, from, Nonlinearity::RectifyScale { scale: self.scale, bias: self.bias })
    }

    fn parameters(&self) -> Vec<Parameter> {
        parameters(self.scale, self.bias)
    }

    fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        gradients(nodes)
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        set(name, values, &mut self.scale, &mut self.bias)
    }
}

/// `(bias + scale x)^2`.
#[derive(Clone, Copy, Debug)]
pub struct NLSquare {
    scale: f64,
    bias: f64,
}

impl NLSquare {
    /// A layer with this scale and bias.
    ///
    /// # Errors
    /// A scale or bias that is not finite as an `f32`.
    pub fn new(scale: f64, bias: f64) -> Result<Self> {
        finite("NLSquare", [("scale", scale), ("bias", bias)]).map(|()| Self { scale, bias })
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

impl Layer for NLSquare {
    fn name(&self) -> &'static str {
        "NLSquare"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        push(self, table, from, Nonlinearity::Square { scale: self.scale, bias: self.bias })
    }

    fn parameters(&self) -> Vec<Parameter> {
        parameters(self.scale, self.bias)
    }

    fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        gradients(nodes)
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        set(name, values, &mut self.scale, &mut self.bias)
    }
}

/// `max(bias + scale x, 0)^2`.
#[derive(Clone, Copy, Debug)]
pub struct NLRectifySquare {
    scale: f64,
    bias: f64,
}

impl NLRectifySquare {
    /// A layer with this scale and bias.
    ///
    /// # Errors
    /// A scale or bias that is not finite as an `f32`.
    pub fn new(scale: f64, bias: f64) -> Result<Self> {
        finite("NLRectifySquare", [("scale", scale), ("bias", bias)]).map(|()| Self { scale, bias })
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

impl Layer for NLRectifySquare {
    fn name(&self) -> &'static str {
        "NLRectifySquare"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        push(self, table, from, Nonlinearity::RectifySquare { scale: self.scale, bias: self.bias })
    }

    fn parameters(&self) -> Vec<Parameter> {
        parameters(self.scale, self.bias)
    }

    fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        gradients(nodes)
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        set(name, values, &mut self.scale, &mut self.bias)
    }
}
