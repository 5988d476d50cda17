//! The function that a fit minimises: losses of recordings, and penalties, as a function of free variables.
//!
//! ```text
//! value(x) = sum_r n_r loss_r / sum_r n_r + penalties        n_r: sum of the weights of recording r
//! ```

use super::measured::Measured;
use super::subject::{Subject, Variable};
use super::{Loss, Objective, Observed, Penalty, Transform};
use crate::error::in_range;
use crate::model::gradient::{Pass, Recording};
use crate::{Error, Parameter, Result};
use foveola_core::Shape;
use ndarray::{ArrayD, Dimension, IxDyn};
use std::cell::RefCell;
use std::ops::Range;

const ITEM: &str = "Fit";

/// The largest number of predictions that a curvature keeps: 256 MB.
const MOST_PREDICTIONS: usize = 64 << 20;

/// The step of a difference, in free variables.
const STEP: f64 = 1e-3;

/// Some of a recording's output frames.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) frames: Range<usize>,
    /// The weight of each sample of the recording, 0 outside of these frames.
    pub(super) weights: Vec<f32>,
    /// Their sum.
    pub(super) total: f64,
}

impl Part {
    fn new(measured: &Measured, frames: Range<usize>) -> Self {
        let weight = |i: usize| {
            let inside = frames.contains(&(i / measured.neurons));
            if inside { measured.weights.get(i).copied().unwrap_or(1.0) } else { 0.0 }
        };
        let weights: Vec<f32> = (0..measured.samples.len()).map(weight).collect();
        let total = weights.iter().map(|weight| f64::from(*weight)).sum();
        Self { frames, weights, total }
    }
}

/// A recording: what was shown, and what was measured.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Frame after frame of (channel, row, col).
    pub(super) stimulus: Vec<f32>,
    pub(super) frames: usize,
    pub(super) target: Vec<f32>,
    pub(super) training: Part,
    pub(super) validation: Part,
    /// The latest prediction.
    pub(super) prediction: Vec<f32>,
}

impl Prepared {
    /// The output frames from `warm_up` on are for training, but for the last `share` of them, which is for validation.
    pub(super) fn new(
        stimulus: Vec<f32>,
        frames: usize,
        measured: Measured,
        warm_up: usize,
        share: f64,
    ) -> Result<Self> {
        let outputs = measured.frames;
        let rest = outputs.saturating_sub(warm_up);
        let held = (share * rest as f64).round() as usize;
        let left = rest.saturating_sub(held);
        let told = format!("{warm_up} of {outputs} frames");
        in_range(ITEM, "warm_up", told, left > 0, "fewer than the output has, with frames left to train on")?;
        in_range(ITEM, "validate", share, share == 0.0 || held > 0, "0, or a share of a frame or more")?;
        let middle = warm_up + left;
        let [training, validation] = [warm_up..middle, middle..outputs].map(|part| Part::new(&measured, part));
        Ok(Self { stimulus, frames, target: measured.samples, training, validation, prediction: Vec::new() })
    }

    /// The prediction beside the target in some of the frames.
    pub(super) fn observed<'a>(&'a self, part: &'a Part, neurons: usize) -> Observed<'a> {
        Observed { prediction: &self.prediction, target: &self.target, weights: &part.weights, neurons }
    }
}

/// A point that was evaluated.
#[derive(Debug)]
pub(super) struct Evaluation {
    pub(super) x: Vec<f64>,
    /// The loss without penalties, in training and in validation.
    pub(super) loss: f64,
    pub(super) validation: Option<f64>,
}

/// What an optimiser evaluates.
pub(super) struct Problem {
    pub(super) subject: Subject,
    pub(super) data: Vec<Prepared>,
    pub(super) loss: Loss,
    /// Penalties, each with the variable that it is for.
    pub(super) penalties: Vec<(usize, Penalty)>,
    pub(super) input: Shape,
    pub(super) neurons: usize,
    pass: Pass,
    /// The loss of the first evaluation.
    pub(super) loss_before: Option<f64>,
    pub(super) latest: Evaluation,
}

impl Problem {
    pub(super) fn new(
        subject: Subject,
        data: Vec<Prepared>,
        loss: Loss,
        penalties: Vec<(usize, Penalty)>,
        [input, output]: [Shape; 2],
    ) -> Result<Self> {
        let needed = subject.needed();
        let pass = Pass::new(&subject.model, &needed.iter().map(String::as_str).collect::<Vec<_>>(), input)?;
        let latest = Evaluation { x: Vec::new(), loss: f64::NAN, validation: None };
        let neurons = output.len();
        Ok(Self { subject, data, loss, penalties, input, neurons, pass, loss_before: None, latest })
    }

    /// The sum of the weights for training.
    pub(super) fn total(&self) -> f64 {
        self.data.iter().map(|data| data.training.total).sum()
    }

    /// The values of the parameters at free variables `x`.
    pub(super) fn values(&self, x: &[f64]) -> Vec<f64> {
        self.transforms().zip(x).map(|(transform, x)| transform.from_free(*x)).collect()
    }

    /// How the value of each free variable depends on it.
    pub(super) fn transforms(&self) -> impl Iterator<Item = Transform> {
        self.subject.variables.iter().flat_map(|variable| std::iter::repeat_n(variable.transform, variable.len()))
    }

    /// The variable that an element of `x` belongs to.
    fn variable(&self, index: usize) -> Option<&Variable> {
        self.subject.variables.iter().find(|variable| variable.range().contains(&index))
    }

    /// The free variables of the present values.
    pub(super) fn start(&self) -> Result<Vec<f64>> {
        let values = self.subject.values()?;
        let free = |variable: &Variable, value: &f64| {
            let named = |source| Error::ModelParameter { name: variable.name.clone(), source: Box::new(source) };
            variable.transform.to_free(*value).map_err(named)
        };
        let of = |variable: &Variable| values[variable.range()].iter().map(|value| free(variable, value)).collect();
        let all: Vec<Vec<f64>> = self.subject.variables.iter().map(of).collect::<Result<_>>()?;
        Ok(all.concat())
    }

    /// The variable that an element of `x` belongs to, for messages.
    pub(super) fn name(&self, index: usize) -> String {
        let Some(variable) = self.variable(index) else { return String::new() };
        let place = ArrayD::<()>::default(IxDyn(&variable.shape));
        match place.indexed_iter().nth(index - variable.range().start) {
            Some((at, ())) if variable.len() > 1 => format!("{}{:?}", variable.name, at.slice()),
            _ => variable.name.clone(),
        }
    }

    /// The penalties at these values; adds to the gradient.
    fn penalize(&self, values: &[f64], gradient: &mut [f64]) -> Result<f64> {
        let mut sum = 0.0;
        for (index, penalty) in &self.penalties {
            let variable = &self.subject.variables[*index];
            let own = variable.range();
            sum += penalty.evaluate(&values[own.clone()], self.kernel_shape(variable), &mut gradient[own])?;
        }
        Ok(sum)
    }

    /// The shape of a kernel as (out, in, time, row, col).
    fn kernel_shape(&self, variable: &Variable) -> [usize; 5] {
        let layer = variable.name.strip_suffix(".weight").unwrap_or_default();
        let stages = self.subject.model.layer::<crate::SmoothConv>(layer).is_some();
        match variable.shape[..] {
            [o, i, t, r, c] => [o, i, t, r, c],
            [o, i, r, c] => [o, i, 1, r, c],
            [n, r, c] if stages => [n, 1, 1, r, c],
            [o, i, t] => [o, i, t, 1, 1],
            _ => [1, 1, variable.len(), 1, 1],
        }
    }

    /// The mean of the losses of all recordings in validation.
    fn validation(&self) -> Result<Option<f64>> {
        let (mut value, mut total) = (0.0, 0.0);
        for data in &self.data {
            let weight = data.validation.total;
            if weight > 0.0 {
                value += weight * self.loss.evaluate(&data.observed(&data.validation, self.neurons), &mut [])?;
                total += weight;
            }
        }
        Ok((total > 0.0).then(|| value / total))
    }

    /// Predictions of all recordings at `x`, one after another.
    fn predict(&mut self, x: &[f64]) -> Result<Vec<f32>> {
        let values = self.values(x);
        self.subject.set(&values)?;
        let Self { subject, data, pass, input, .. } = self;
        let mut all = Vec::new();
        for data in data {
            let recording = Recording { samples: &data.stimulus, batch: 1, frames: data.frames, shape: *input };
            all.extend_from_slice(pass.predict(&subject.model, &recording)?);
        }
        Ok(all)
    }
}

impl Objective for Problem {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
        let values = self.values(x);
        gradient.fill(0.0);
        if let Err(error) = self.subject.set(&values) {
            // A value that a layer refuses is a wall for the search, but not where it begins.
            return if self.loss_before.is_none() { Err(error) } else { Ok(f64::INFINITY) };
        }
        let total = self.total();
        let Self { subject, data, loss, pass, input, neurons, .. } = self;
        let (mut fitted, mut of_parameters) = (0.0, Vec::<Parameter>::new());
        for Prepared { stimulus, frames, target, training, prediction, .. } in data {
            let recording = Recording { samples: stimulus, batch: 1, frames: *frames, shape: *input };
            let mut found = pass.gradient(&subject.model, &recording, |output, _, to| {
                prediction.clear();
                prediction.extend_from_slice(output);
                loss.evaluate(&Observed { prediction, target, weights: &training.weights, neurons: *neurons }, to)
            })?;
            let share = training.total / total;
            fitted += share * found.loss;
            found.parameters.iter_mut().for_each(|parameter| parameter.value *= share);
            if of_parameters.is_empty() {
                of_parameters = found.parameters;
            } else {
                of_parameters.iter_mut().zip(&found.parameters).for_each(|(sum, own)| sum.value += &own.value);
            }
        }
        if fitted.is_finite() {
            gradient.copy_from_slice(&self.subject.chain(&of_parameters)?);
        }
        let value = fitted + self.penalize(&values, gradient)?;
        for ((g, x), transform) in gradient.iter_mut().zip(x).zip(self.transforms()) {
            *g *= transform.derivative(*x);
        }
        let validation = if fitted.is_finite() { self.validation()? } else { None };
        self.latest = Evaluation { x: x.to_vec(), loss: fitted, validation };
        self.loss_before.get_or_insert(fitted);
        Ok(value)
    }

    /// `J' W J` by forward differences of the predictions.
    fn curvature(&mut self, matrix: &mut [f64]) -> Result<()> {
        let x = self.latest.x.clone();
        let n = x.len();
        let samples: usize = self.data.iter().map(|data| data.target.len()).sum();
        let told = format!("{n} columns of {samples} predictions");
        let small = samples.saturating_mul(n + 1) <= MOST_PREDICTIONS;
        in_range(
            ITEM,
            "curvature",
            told,
            small,
            "2^26 numbers or fewer: fewer free parameters or a shorter recording",
        )?;
        let mut weights = Vec::with_capacity(samples);
        let total = self.total();
        for data in &self.data {
            let mut own = vec![0.0; data.target.len()];
            self.loss.curvature(&data.observed(&data.training, self.neurons), &mut own)?;
            let share = data.training.total / total;
            weights.extend(own.into_iter().map(|weight| share * f64::from(weight)));
        }
        let base: Vec<f32> = self.data.iter().flat_map(|data| data.prediction.iter().copied()).collect();
        let mut columns = Vec::with_capacity(n);
        for i in 0..n {
            let mut moved = x.clone();
            let step = STEP * self.unit(i, &x);
            moved[i] += step;
            let prediction = self.predict(&moved)?;
            let slope = |(after, before): (f32, &f32)| ((f64::from(after) - f64::from(*before)) / step) as f32;
            columns.push(prediction.into_iter().zip(&base).map(slope).collect::<Vec<f32>>());
        }
        let values = self.values(&x);
        self.subject.set(&values)?;
        for i in 0..n {
            for j in 0..=i {
                let products = columns[i].iter().zip(&columns[j]).zip(&weights);
                let product: f64 = products.map(|((a, b), w)| f64::from(*a) * f64::from(*b) * w).sum();
                (matrix[i * n + j], matrix[j * n + i]) = (product, product);
            }
        }
        Ok(())
    }
}

/// So that the observer of a search sees the latest evaluation.
impl Objective for &RefCell<Problem> {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
        self.borrow_mut().evaluate(x, gradient)
    }

    fn curvature(&mut self, matrix: &mut [f64]) -> Result<()> {
        self.borrow_mut().curvature(matrix)
    }
}

impl Problem {
    /// The size of a free variable: the largest number of its parameter, or 1 for a logarithm.
    fn unit(&self, index: usize, x: &[f64]) -> f64 {
        let linear = self.variable(index).filter(|variable| variable.transform == Transform::Identity);
        let most =
            linear.map_or(0.0, |variable| x[variable.range()].iter().fold(0.0, |most: f64, x| most.max(x.abs())));
        if most > 0.0 { most } else { 1.0 }
    }
}
