//! The function that a fit minimises: losses of recordings, and penalties, as a function of free variables.
//!
//! ```text
//! value(x) = sum_r n_r loss_r / sum_r n_r + penalties        n_r: sum of the weights of recording r
//! ```

use super::measured::Measured;
use super::subject::Subject;
use super::{Loss, Objective, Observed, Penalty};
use crate::error::in_range;
use crate::model::gradient::{Pass, Recording};
use crate::{Error, Result};
use foveola_core::Shape;
use std::ops::Range;

const ITEM: &str = "Fit";

/// The largest number of predictions that a curvature keeps: 256 MB.
const MOST_PREDICTIONS: usize = 64 << 20;

/// The step of a difference, in free variables.
const STEP: f64 = 1e-3;

/// A recording: what was shown, and what was measured.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Frame after frame of (channel, row, col).
    pub(super) stimulus: Vec<f32>,
    pub(super) frames: usize,
    pub(super) target: Vec<f32>,
    /// The weight of each sample for training, and for validation.
    pub(super) training: Vec<f32>,
    pub(super) validation: Vec<f32>,
    /// Output frames that are not used, that are for training, and for validation.
    pub(super) parts: [Range<usize>; 3],
    /// The latest prediction.
    pub(super) prediction: Vec<f32>,
}

impl Prepared {
    /// The weights for training: none before `warm_up`, and none in the last `share` of the rest, which is for validation.
    pub(super) fn new(
        stimulus: Vec<f32>,
        frames: usize,
        measured: &Measured,
        warm_up: usize,
        share: f64,
    ) -> Result<Self> {
        let (outputs, neurons) = (measured.frames, measured.neurons);
        let rest = outputs.saturating_sub(warm_up);
        let held = (share * rest as f64).round() as usize;
        let left = rest.saturating_sub(held);
        let told = format!("{warm_up} of {outputs} frames");
        in_range(ITEM, "warm_up", told, left > 0, "fewer than the output has, with frames left to train on")?;
        in_range(ITEM, "validate", share, share == 0.0 || held > 0, "0, or a share of a frame or more")?;
        let parts = [0..warm_up, warm_up..warm_up + left, warm_up + left..outputs];
        let weights = |frames: &Range<usize>| {
            let of = |i: usize| {
                if frames.contains(&(i / neurons)) { measured.weights.get(i).copied().unwrap_or(1.0) } else { 0.0 }
            };
            (0..measured.samples.len()).map(of).collect::<Vec<f32>>()
        };
        let (training, validation) = (weights(&parts[1]), weights(&parts[2]));
        let target = measured.samples.clone();
        Ok(Self { stimulus, frames, target, training, validation, parts, prediction: Vec::new() })
    }

    /// The prediction beside the target, with these weights.
    pub(super) fn observed<'a>(&'a self, weights: &'a [f32], neurons: usize) -> Observed<'a> {
        Observed { prediction: &self.prediction, target: &self.target, weights, neurons }
    }
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
    /// The point of the latest evaluation, its loss without penalties, and that for validation.
    pub(super) latest: (Vec<f64>, f64, Option<f64>),
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
        let latest = (Vec::new(), f64::NAN, None);
        Ok(Self { subject, data, loss, penalties, input, neurons: output.len(), pass, latest })
    }

    /// The sum of the weights for training.
    pub(super) fn total(&self) -> f64 {
        self.data.iter().map(|data| sum(&data.training)).sum()
    }

    /// The values of the parameters at free variables `x`.
    pub(super) fn values(&self, x: &[f64]) -> Vec<f64> {
        let transforms = self.subject.variables.iter().flat_map(|v| std::iter::repeat_n(v.transform, v.len()));
        transforms.zip(x).map(|(transform, x)| transform.from_free(*x)).collect()
    }

    /// The free variables of the present values.
    pub(super) fn start(&self) -> Result<Vec<f64>> {
        let values = self.subject.values()?;
        let mut rest = values.as_slice();
        let mut x = Vec::with_capacity(values.len());
        for variable in &self.subject.variables {
            let (own, others) = rest.split_at(variable.len());
            for value in own {
                let free = variable.transform.to_free(*value);
                x.push(free.map_err(|source| Error::ModelParameter {
                    name: variable.name.clone(),
                    source: Box::new(source),
                })?);
            }
            rest = others;
        }
        Ok(x)
    }

    /// The variable that an element of `x` belongs to, for messages.
    pub(super) fn name(&self, mut index: usize) -> String {
        for variable in &self.subject.variables {
            if index < variable.len() {
                let place = variable.array(&vec![0.0; variable.len()]).indexed_iter().nth(index).map(|(at, _)| at);
                return match place {
                    Some(at) if variable.len() > 1 => format!("{}{:?}", variable.name, ndarray::Dimension::slice(&at)),
                    _ => variable.name.clone(),
                };
            }
            index -= variable.len();
        }
        String::new()
    }

    /// The penalties at these values; adds to the gradient.
    fn penalize(&self, values: &[f64], gradient: &mut [f64]) -> Result<f64> {
        let mut sum = 0.0;
        for (index, penalty) in &self.penalties {
            let first: usize = self.subject.variables[..*index].iter().map(|variable| variable.len()).sum();
            let variable = &self.subject.variables[*index];
            let own = first..first + variable.len();
            sum += penalty.evaluate(&values[own.clone()], self.kernel_shape(*index), &mut gradient[own])?;
        }
        Ok(sum)
    }

    /// The shape of a kernel as (out, in, time, row, col).
    fn kernel_shape(&self, index: usize) -> [usize; 5] {
        let variable = &self.subject.variables[index];
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

    /// The means of the losses over all recordings, with the weights for training and for validation.
    fn validation(&self) -> Result<Option<f64>> {
        let (mut value, mut total) = (0.0, 0.0);
        for data in &self.data {
            let weight = sum(&data.validation);
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
        let first = self.latest.0.is_empty();
        if let Err(error) = self.subject.set(&values) {
            // A value that a layer refuses is a wall for the search, but not where it begins.
            return if first { Err(error) } else { Ok(f64::INFINITY) };
        }
        let total = self.total();
        let Self { subject, data, loss, pass, input, neurons, .. } = self;
        let mut value = 0.0;
        for data in data.iter_mut() {
            let share = sum(&data.training) / total;
            let recording = Recording { samples: &data.stimulus, batch: 1, frames: data.frames, shape: *input };
            let found = pass.gradient(&subject.model, &recording, |output, _, to| {
                data.prediction.clear();
                data.prediction.extend_from_slice(output);
                let observed =
                    Observed { prediction: output, target: &data.target, weights: &data.training, neurons: *neurons };
                loss.evaluate(&observed, to)
            })?;
            value += share * found.loss;
            if found.loss.is_finite() {
                let own = subject.chain(&found.parameters)?;
                gradient.iter_mut().zip(own).for_each(|(to, g)| *to += share * g);
            }
        }
        let fitted = value;
        value += self.penalize(&values, gradient)?;
        let transforms = self.subject.variables.iter().flat_map(|v| std::iter::repeat_n(v.transform, v.len()));
        gradient.iter_mut().zip(x).zip(transforms).for_each(|((g, x), transform)| *g *= transform.derivative(*x));
        self.latest = (x.to_vec(), fitted, if fitted.is_finite() { self.validation()? } else { None });
        Ok(value)
    }

    /// `J' W J` by forward differences of the predictions.
    fn curvature(&mut self, matrix: &mut [f64]) -> Result<()> {
        let x = self.latest.0.clone();
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
            let share = sum(&data.training) / total;
            weights.extend(own.into_iter().map(|weight| share * f64::from(weight)));
        }
        let base = self.predict(&x)?;
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

impl Problem {
    /// The size of a free variable: the largest number of its parameter, or 1 for a logarithm.
    fn unit(&self, mut index: usize, x: &[f64]) -> f64 {
        let mut first = 0;
        for variable in &self.subject.variables {
            if index < variable.len() {
                let own = &x[first..first + variable.len()];
                let most = own.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
                return if variable.transform == super::Transform::Identity && most > 0.0 { most } else { 1.0 };
            }
            index -= variable.len();
            first += variable.len();
        }
        1.0
    }
}

pub(super) fn sum(weights: &[f32]) -> f64 {
    weights.iter().map(|weight| f64::from(*weight)).sum()
}
