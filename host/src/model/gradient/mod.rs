//! The gradient of a loss with respect to the parameters of a model.
//!
//! ```text
//! movie --> model --> output --> loss           forward, in segments of frames; the state before each is kept
//! dloss/dparameters <-- model <-- dloss/doutput  backward, last segment first; each runs forward again from its state
//! ```
//! The algorithm is that of [`foveola_core::adjoint`]. The gradient of a recording does not depend on the segments, nor on the number
//! of threads.

mod nodes;
mod pass;

pub use nodes::{NodeGradient, NodeGradients};
pub(crate) use pass::{Pass, Recording};

use super::Model;
use super::feed::{not_finite, stage};
use super::network::{Network, Span};
use super::parameters::{Parameter, inside, unknown};
use crate::cpu::magnitude;
use crate::cpu::threads::Threads;
use crate::{Error, Movie, Result};
use foveola_core::adjoint::{Lengths, Wanted};
use foveola_core::{Shape, StreamShape};
use ndarray::{Array5, ArrayView5};

/// The memory of the last gradient of a model. A clone has its own.
#[derive(Default)]
pub(super) struct SparePass(Option<Box<Pass>>);

impl Clone for SparePass {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// A loss and its gradient, from [`Model::gradient`].
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    /// The value of the loss.
    pub loss: f64,
    /// The derivatives of the loss, under the names of the parameters and in their shapes.
    pub parameters: Vec<Parameter>,
}

impl Model {
    /// The gradient of a loss with respect to some parameters, by their [names](Model::parameters).
    ///
    /// `loss` gets the first output of the model for the whole recording, as (batch, channel, time, row, col), and returns its value
    /// and its derivative with respect to each sample of the output.
    ///
    /// ```
    /// use foveola::{LowPass, Model, Resolution};
    /// let movie = ndarray::Array3::from_shape_fn((50, 2, 2), |(t, r, c)| if t % 7 == r + c { 1.0_f32 } else { 0.0 });
    /// let slow = |tau| Model::new().named("slow", LowPass::new(tau, Resolution::DEFAULT).unwrap());
    /// let target = slow(0.010).run(&movie, 50)?;
    ///
    /// let mut model = slow(0.005);
    /// let gradient = model.gradient(&movie, &["slow.tau"], |output| {
    ///     let error = &output - &target;
    ///     Ok((error.iter().map(|e| f64::from(e * e)).sum(), 2.0 * error))
    /// })?;
    /// assert!(gradient.loss > 0.0 && gradient.parameters[0].value.sum() < 0.0); // a larger tau fits better
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// The recording begins a stream: its first chunk, which initialises temporal padding, is the whole recording, and the state of
    /// this model plays no part. The streams of a batch are separate recordings, as if each were fed alone. The gradient is computed on
    /// the CPU, whatever [`Model::to`] says, without the frequency domain.
    ///
    /// # Cost
    /// About 3 forward passes. Memory: the output and its derivative; the frames between the layers and their gradients, for segments
    /// of the recording: 64 MB, or more where one segment needs that (one frame of large models, `PadMode::Mean` and `FullCopy`,
    /// `TimePadding`); the states before all segments, up to 64 MB. The model keeps this memory for the next gradient.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that no parameter has; [`Error::NotFitted`] for a parameter without a gradient, such as a
    /// delay, and for a custom filter between a parameter and the output; [`Error::NonFinite`] for a sample that is not finite;
    /// [`Error::EmptyInput`]; [`Error::Memory`]; those of `loss`, and [`Error::Data`] or a wrong shape of its derivative.
    pub fn gradient<'a>(
        &mut self,
        input: impl Movie<'a>,
        free: &[impl AsRef<str>],
        loss: impl FnOnce(ArrayView5<'_, f32>) -> Result<(f64, Array5<f32>)>,
    ) -> Result<Gradient> {
        let input = input.movie()?;
        let input = input.view();
        check(&input)?;
        let (batch, channels, frames, rows, cols) = input.dim();
        let shape = Shape::new(channels, rows, cols);
        let mut staged = Vec::new();
        let samples = stage(input, Threads::SINGLE, &mut staged)?;
        let recording = Recording { samples, batch, frames, shape };
        let free: Vec<&str> = free.iter().map(AsRef::as_ref).collect();
        let mut pass = match self.pass.0.take() {
            Some(pass) => pass,
            None => Box::new(Pass::new(self, &[], shape)?),
        };
        pass.prepare(self, &free, shape)?;
        let gradient = pass.gradient(self, &recording, |output, [frames, channels, rows, cols], to| {
            let view = ArrayView5::from_shape((batch, frames, channels, rows, cols), output);
            let view = view.map_err(|_| Error::Memory { what: "the output", samples: output.len() })?;
            let view = view.permuted_axes([0, 2, 1, 3, 4]);
            let (value, derivative) = loss(view)?;
            if derivative.dim() != view.dim() {
                let (found, expected) = (derivative.shape().to_vec(), view.shape().to_vec());
                return Err(Error::ValuesShape { found, expected });
            }
            let derivative = derivative.permuted_axes([0, 2, 1, 3, 4]);
            to.iter_mut().zip(derivative.iter()).for_each(|(to, g)| *to = *g);
            Ok(value)
        });
        self.pass.0 = Some(pass);
        gradient
    }
}

/// The kinds of gradients that a parameter needs, by the last part of its name, beside those of `others`.
fn needed_for(parameter: &str, others: Wanted) -> Wanted {
    match parameter.rsplit('.').next().unwrap_or(parameter) {
        "weight" | "weights" | "inputs" | "values" => Wanted { weights: true, ..others },
        "bias" => Wanted { bias: true, ..others },
        "tau" => Wanted { gains: true, ..others },
        "scale" | "k" => Wanted { scale: true, ..others },
        _ => Wanted::ALL, // a layer from outside may call its parameters as it likes
    }
}

impl Model {
    /// Makes the output called `name` the only one; without a name, the first one.
    pub(crate) fn keep_output(&mut self, name: Option<&str>) -> Result<()> {
        let network = &mut self.network;
        let outputs: Vec<String> = network.outputs().map(str::to_owned).collect();
        let layer = match name {
            Some(name) => match outputs.iter().position(|output| output == name) {
                Some(output) => Some(network.layer_of_output(output)?),
                None => return Err(Error::unknown("output", name, outputs.iter().map(String::as_str))),
            },
            None if outputs.is_empty() => None,
            None => Some(network.layer_of_output(0)?),
        };
        if let Some(layer) = layer {
            network.set_outputs([layer]);
        }
        Ok(())
    }

    /// Takes the layers of another model of the same names.
    #[cfg(feature = "files")]
    pub(crate) fn take_layers(&mut self, other: &Self) {
        for (i, from) in other.network.entries().iter().enumerate() {
            if let Some(entry) = self.network.entry_mut(i) {
                entry.layer = from.layer.clone();
                entry.inputs = from.inputs.clone();
            }
        }
    }
}

/// Refuses an empty recording and one with a sample that is not finite.
pub(crate) fn check(input: &ArrayView5<'_, f32>) -> Result<()> {
    if input.is_empty() {
        return Err(Error::EmptyInput { shape: input.shape().to_vec() });
    }
    match input.as_slice_memory_order() {
        // The search for the place is slow.
        Some(samples) if magnitude::largest(samples).is_finite() => Ok(()),
        _ => not_finite(input, 0).map_or(Ok(()), Err),
    }
}

impl Network {
    /// The gradients of the parameters of all layers, from those of all nodes.
    pub(super) fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        let Ok(spans) = self.spans(nodes.stream()) else { return Vec::new() };
        let of_entry = |(i, span): (usize, &Span)| {
            let entry = &self.entries()[i];
            let own = entry.own_gradients(&nodes.part(span.join.clone(), nodes.stream()));
            let of_layer = entry.layer.gradients(&nodes.part(span.own.clone(), span.reads));
            let layer = self.prefix(i);
            own.into_iter().chain(of_layer).map(move |gradient| inside(&layer, gradient)).collect::<Vec<_>>()
        };
        spans.iter().enumerate().flat_map(of_entry).collect()
    }

    /// For each node the kinds of gradients that the parameters called `free` need.
    fn wanted(&self, free: &[&str], shape: Shape) -> Result<Vec<Wanted>> {
        let spans = self.spans(StreamShape::input(shape))?;
        let mut wanted = vec![Wanted::NONE; spans.last().map_or(0, |span| span.own.end)];
        for (i, span) in spans.iter().enumerate() {
            let prefix = self.prefix(i) + ".";
            for name in free.iter().filter_map(|name| name.strip_prefix(&prefix)) {
                let nodes = if name == "inputs" { span.join.clone() } else { span.own.clone() };
                wanted[nodes].iter_mut().for_each(|node| *node = needed_for(name, *node));
            }
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests;
