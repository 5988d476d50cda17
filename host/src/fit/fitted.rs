//! The result of a fit.

use super::Why;
use ndarray::ArrayD;
use std::ops::Range;

/// The state of a running fit after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Evaluations so far.
    pub evaluations: usize,
    /// Steps so far.
    pub iteration: usize,
    /// The loss, without penalties.
    pub loss: f64,
    /// The value that is minimised: loss and penalties.
    pub value: f64,
    /// The largest magnitude in the gradient of the value.
    pub gradient_norm: f64,
    /// The loss of the frames that were left out for validation.
    pub validation: Option<f64>,
}

/// A parameter before and after a fit.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FittedParameter {
    /// Its name; for a number of a model file as it was asked for.
    pub name: String,
    /// The unit of a number of a model file; empty for a parameter of a model.
    pub unit: String,
    /// Its values before.
    pub before: ArrayD<f64>,
    /// Its values after.
    pub after: ArrayD<f64>,
    /// Standard errors, from the Fisher information: none if there are more than 64 free numbers, or none can be told.
    pub errors: Option<ArrayD<f64>>,
}

/// How good predictions are on one part of the data: means over neurons and recordings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Scores {
    /// The loss, without penalties.
    pub loss: f64,
    /// The loss of a constant prediction: the mean of each neuron in the same frames. None where the loss is not defined for it.
    pub loss_of_mean: Option<f64>,
    /// [`Score::Correlation`](super::Score).
    pub correlation: Option<f64>,
    /// [`Score::VarianceExplained`](super::Score).
    pub variance_explained: Option<f64>,
    /// [`Score::BitsPerSpike`](super::Score); none for other losses than those of counts.
    pub bits_per_spike: Option<f64>,
}

/// Data beside the prediction of the fitted model, for one recording.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Prediction {
    /// Frame after frame, with all neurons of a frame side by side.
    pub predicted: Vec<f32>,
    /// What was measured.
    pub measured: Vec<f32>,
    /// Numbers in a frame.
    pub neurons: usize,
    /// Frames before the first one that is used.
    pub warm_up: Range<usize>,
    /// Frames that the model was fitted to.
    pub training: Range<usize>,
    /// Frames that were left out for validation.
    pub validation: Range<usize>,
}

/// The result of a fit.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Fitted {
    /// The free parameters.
    pub parameters: Vec<FittedParameter>,
    /// The loss before the first step, without penalties.
    pub loss_before: f64,
    /// Scores in the frames that the model was fitted to.
    pub training: Scores,
    /// Scores in those that were left out, if any were.
    pub validation: Option<Scores>,
    /// The state after each step.
    pub history: Vec<Progress>,
    /// Evaluations of the loss and its gradient.
    pub evaluations: usize,
    /// The largest magnitude in the gradient of the value at the end.
    pub gradient_norm: f64,
    /// Why the fit ended.
    pub why: Why,
    /// Why there are no standard errors; empty if there are.
    pub without_errors: String,
    /// Each recording.
    pub predictions: Vec<Prediction>,
    /// Wall-clock time.
    pub seconds: f64,
}

impl Fitted {
    /// The free parameter called `name`.
    pub fn parameter(&self, name: &str) -> Option<&FittedParameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}
