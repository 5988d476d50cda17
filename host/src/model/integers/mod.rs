//! Models in samples of 16 bits, as a microcontroller without a floating-point unit runs them; here with the same bits.
//!
//! Between the layers `x = 2^e q`: a sample `q` from -1 up to 1 ([`Q15`](foveola_core::Q15)), and the **full scale** `2^e`, what the
//! sample 1 stands for. The layers stay as they are, in the units of the model; full scales go into their numbers:
//!
//! | filter | with input `2^e q` | output |
//! |---|---|---|
//! | convolution, receptive field, `SmoothConv`, sum of layers | weights times `2^(e-f)`, biases times `2^-f` | any `2^f` |
//! | low-pass | its output, which has a remainder, times `2^(e-f)` | any `2^f` |
//! | delays, paddings, high-pass, rectifier, differences, sums over an axis | nothing changes | `2^e` |
//! | `max(b + s x, 0)` | scale times `2^(e-f)`, bias times `2^-f` | any `2^f` |
//! | squares of `b + s x` | scale times `2^(e-f)`, bias times `2^-f` | `2^(2f)` |
//! | `exp(b + s x)` | scale times `2^e`, bias minus `f ln 2` | any `2^f` |
//! | softplus, logistic function | scale times `2^e` | 1 |
//! | product of layers | nothing changes | `2^(e1+e2)` |
//!
//! A sum over an axis saturates on its way, too: terms that cancel need a full scale that holds the largest sum of some of them.
//!
//! Where a layer's full scale is another than its filter's, a node beside the filter multiplies. A layer whose full scale is not set
//! has the one of its input where nothing changes, else the least from which it cannot saturate.
//!
//! | file | what |
//! |---|---|
//! | `table` | a graph of floats as a graph of integers |
//! | `nodes` | its nodes and their tables |
//! | `steps` | weights as integers |
//! | `run` | a chunk through it |
//! | `quantise` | full scales from a recording, and what they cost |
//! | `probe` | how large samples become, also inside of layers |

mod nodes;
mod probe;
mod quantise;
mod run;
mod steps;
mod table;
#[cfg(all(test, feature = "files"))]
mod tests;

pub use quantise::{Quantised, QuantisedLayer};
pub(super) use run::Integers;
pub(super) use table::{SpareGraph, Tables, Wanted, only_cuts};

use super::network::Entry;
use super::{LayerId, Model};
use crate::{Error, Result};
use foveola_core::events::Accumulator;
use foveola_core::{Graph, Layout, Shape};

/// What a model computes with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Samples {
    /// Floating-point numbers of 32 bits.
    #[default]
    F32,
    /// Integers of 16 bits: [`Q15`](foveola_core::Q15).
    Q15 {
        /// The full scale of the input, a power of two: what the sample 1 stands for. [`Samples::EVENTS`] for counts of events.
        full_scale: f64,
    },
}

/// The largest exponent of a full scale.
const MOST: i32 = 15;

impl Samples {
    /// Counts of events: an event is a step of 1/128, on a board ([`Accumulator::COUNTING_TO`]) and here.
    pub const EVENTS: Self = Self::Q15 { full_scale: (1_u32 << Accumulator::COUNTING_TO) as f64 };
}

/// The exponent of a full scale.
pub(crate) fn exponent(full_scale: f64) -> Option<i32> {
    (-MOST..=MOST).find(|exponent| 2.0_f64.powi(*exponent) == full_scale)
}

/// What is so much larger than a full scale still counts as in range: sums of weights that should be 1 are off by a rounding, and the
/// range ends a step before 1.
const SLACK: f64 = 1.0 + 1.0 / 32768.0;

/// The exponent of the least full scale that holds `most`.
fn exponent_for(most: f64) -> i32 {
    if most > 0.0 { (most / SLACK).log2().ceil() as i32 } else { 0 }
}

/// What decides whether a state belongs to a model in integers.
pub(super) struct StateOfIntegers {
    /// Another number for other full scales.
    pub(super) mark: u32,
    /// Samples for one stream.
    pub(super) state: usize,
    pub(super) layouts: Vec<Layout>,
}

/// The model, in errors about its state.
pub(super) const IN_16_BITS: &str = "the model in 16 bits";

fn refused(name: &'static str, full_scale: f64) -> Error {
    let expected = "a power of two from 1/32768 to 32768";
    Error::Parameter { item: "a model in 16 bits", name, value: full_scale.to_string(), expected }
}

impl Model {
    /// What the model computes with, from the next chunk on; [`Samples::F32`] by default. A stream that runs has to be
    /// [cleared](Model::clear_state) first.
    ///
    /// In 16 bits the model runs on the CPU, with the same bits for any threads and vectors and, given the same first chunk, any
    /// chunks, and on a microcontroller ([`Model::to_rust`]). Samples beyond a full scale saturate. Gradients and fits are those of
    /// the model in floats.
    ///
    /// ```
    /// use foveola::{LowPass, Model, Resolution, Samples};
    /// let mut model = Model::of(LowPass::new(0.01, Resolution::DEFAULT)?);
    /// let movie = ndarray::Array3::<f32>::ones((5, 2, 2));
    /// let exactly = model.run(&movie, 5)?[(0, 0, 4, 0, 0)];
    /// model.clear_state();
    /// model.set_samples(Samples::Q15 { full_scale: 2.0 })?;
    /// let found = model.run(&movie, 5)?[(0, 0, 4, 0, 0)];
    /// assert!((found - exactly).abs() <= 2.0 / 65536.0);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for a full scale that is no power of two from 1/32768 to 32768. What a layer cannot compute in 16 bits
    /// is [`Error::Integers`] when the model is run.
    pub fn set_samples(&mut self, samples: Samples) -> Result<()> {
        if let Samples::Q15 { full_scale } = samples
            && exponent(full_scale).is_none()
        {
            return Err(refused("full scale of the input", full_scale));
        }
        self.network.changing();
        self.network.samples = samples;
        Ok(())
    }

    /// What the model computes with.
    pub fn samples(&self) -> Samples {
        self.network.samples
    }

    /// Sets the full scale of what a layer yields, for [`Samples::Q15`]; see the [table](self). [`None`] to choose it by itself.
    /// [`Model::quantise`] sets all from a recording. Those of a model that is itself a layer are not used.
    ///
    /// # Errors
    /// [`Error::Parameter`] for another number than a power of two from 1/32768 to 32768; [`Error::Unknown`] for a layer that the
    /// model does not have.
    pub fn set_full_scale(&mut self, layer: impl LayerId, full_scale: Option<f64>) -> Result<()> {
        self.entry_with(layer, full_scale).map(|(entry, exponent)| entry.full_scale = exponent)
    }

    /// The full scale of what a layer yields, where it was set.
    pub fn full_scale(&self, layer: impl LayerId) -> Option<f64> {
        let exponent = self.network.entries().get(layer.index(self)?)?.full_scale?;
        Some(2.0_f64.powi(exponent))
    }

    /// Sets the full scale of what is between the stages of a layer: the low-passes of a `SmoothConv`, or the columns of a separable
    /// convolution before its rows. [`None`], the default, is that of the input, or one from which they cannot saturate.
    ///
    /// # Errors
    /// As [`Model::set_full_scale`]. A layer without stages is [`Error::Integers`] when the model is run.
    pub fn set_inner_scale(&mut self, layer: impl LayerId, full_scale: Option<f64>) -> Result<()> {
        self.entry_with(layer, full_scale).map(|(entry, exponent)| entry.inner_scale = exponent)
    }

    /// The full scale of what is between the stages of a layer, where it was set.
    pub fn inner_scale(&self, layer: impl LayerId) -> Option<f64> {
        let exponent = self.network.entries().get(layer.index(self)?)?.inner_scale?;
        Some(2.0_f64.powi(exponent))
    }

    /// The full scale of each output for frames of `input`, set or not; none in floats. An output is a sample times its full scale,
    /// exactly.
    ///
    /// ```
    /// use foveola::{Diff, Model, Samples, Shape};
    /// let mut model = Model::of(Diff);
    /// assert_eq!(model.output_scales(Shape::new(1, 4, 4))?, None);
    /// model.set_samples(Samples::Q15 { full_scale: 4.0 })?;
    /// assert_eq!(model.output_scales(Shape::new(1, 4, 4))?, Some(vec![8.0])); // differences of up to twice as much
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Layer`] when a layer does not fit, [`Error::Integers`] for one that has no integers.
    pub fn output_scales(&self, input: Shape) -> Result<Option<Vec<f64>>> {
        if self.samples() == Samples::F32 {
            return Ok(None);
        }
        self.tables_with(input, |tables, graph| Ok(Some(tables.output_scales(graph))))
    }

    /// The state of this model in integers, for frames of `input`; none in floats.
    pub(super) fn integers_for(&self, input: Shape) -> Result<Option<StateOfIntegers>> {
        if self.samples() == Samples::F32 {
            return Ok(None);
        }
        self.tables_with(input, |tables, _| {
            let (state, layouts) = tables.state_for(input, &mut SpareGraph::default())?;
            Ok(Some(StateOfIntegers { mark: tables.mark(), state, layouts }))
        })
    }

    /// Calls `run` with the tables in integers, and the graph of floats that they are of.
    fn tables_with<R>(&self, input: Shape, run: impl FnOnce(Tables, &Graph<'_>) -> Result<R>) -> Result<R> {
        let network = self.network.reproducible();
        network.compiled(input, &mut crate::Table::default(), false, |compiled| {
            run(network.integers(&compiled.graph)?, &compiled.graph)
        })
    }

    fn entry_with(&mut self, layer: impl LayerId, full_scale: Option<f64>) -> Result<(&mut Entry, Option<i32>)> {
        let exponent = match full_scale {
            None => None,
            Some(scale) => Some(exponent(scale).ok_or_else(|| refused("full scale", scale))?),
        };
        let index = layer.index(self).unwrap_or(usize::MAX);
        let error = Error::unknown("layer", &layer.in_words(), self.names());
        let entry = self.network.entry_mut(index).ok_or(error)?;
        Ok((entry, exponent))
    }
}
