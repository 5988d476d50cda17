//! What a fit tells at its end: standard errors, scores, predictions.
//!
//! ```text
//! errors = sqrt(diag(F^-1))        F = sum_i w_i J_i' I_i J_i, the Fisher information of all samples
//! ```
//! With the mean squared error, the variance of the noise is that of the residuals.

use super::fitted::{FittedParameter, Prediction, Scores};
use super::matrix::{MatrixError, cholesky, inverse_diagonal};
use super::problem::{Prepared, Problem, sum};
use super::subject::Variable;
use super::{Loss, Objective, Observed, Outcome, Score};
use crate::Result;

/// The most free numbers for which standard errors are computed.
const MOST_WITH_ERRORS: usize = 64;

/// A pivot of a Fisher matrix that counts as 0: its elements are products of single-precision differences.
const LEAST_PIVOT: f64 = 1e-6;

/// The standard errors of all numbers, or why there are none.
pub(super) fn standard_errors(problem: &mut Problem, outcome: &Outcome) -> Result<(Option<Vec<f64>>, String)> {
    let n = outcome.x.len();
    if n > MOST_WITH_ERRORS {
        return Ok((None, format!("{n} free numbers, more than {MOST_WITH_ERRORS}")));
    }
    if problem.loss == Loss::Correlation {
        return Ok((None, "a correlation is no likelihood".into()));
    }
    let mut gradient = vec![0.0; n];
    problem.evaluate(&outcome.x, &mut gradient)?;
    let loss = problem.latest.1;
    let mut matrix = vec![0.0; n * n];
    if let Err(error) = problem.curvature(&mut matrix) {
        return Ok((None, error.to_string()));
    }
    match cholesky(&mut matrix, n, LEAST_PIVOT).and_then(|()| inverse_diagonal(&matrix, n)) {
        Err(MatrixError::Undetermined { index, .. }) => {
            Ok((None, format!("{} is not determined by the data", problem.name(index))))
        }
        Err(error) => Ok((None, error.to_string())),
        Ok(diagonal) => {
            let total = problem.total();
            // The matrix is that of the mean. That of squares has no unit of its own: their mean is the variance, of which
            // the Fisher information is half the second derivative.
            let unit = match problem.loss {
                Loss::MeanSquaredError => 2.0 * loss / (total - n as f64).max(1.0),
                _ => 1.0 / total,
            };
            let transforms = problem.subject.variables.iter().flat_map(|v| std::iter::repeat_n(v.transform, v.len()));
            let errors = diagonal.iter().zip(&outcome.x).zip(transforms);
            Ok((Some(errors.map(|((d, x), t)| (d * unit).sqrt() * t.derivative(*x).abs()).collect()), String::new()))
        }
    }
}

pub(super) fn parameters(
    problem: &Problem,
    before: &[f64],
    after: &[f64],
    errors: Option<&[f64]>,
) -> Vec<FittedParameter> {
    let mut at = 0;
    let of_variable = |variable: &Variable| {
        let own = at..at + variable.len();
        at = own.end;
        FittedParameter {
            name: variable.name.clone(),
            unit: variable.unit().into(),
            before: variable.array(&before[own.clone()]),
            after: variable.array(&after[own.clone()]),
            errors: errors.map(|errors| variable.array(&errors[own])),
        }
    };
    problem.subject.variables.iter().map(of_variable).collect()
}

/// Means over recordings, in proportion to their weights.
pub(super) fn scores<'p>(problem: &'p Problem, weights: impl Fn(&'p Prepared) -> &'p Vec<f32>) -> Scores {
    let mut all: [(f64, f64); 5] = [(0.0, 0.0); 5];
    for data in &problem.data {
        let weights = weights(data);
        let (weight, observed) = (sum(weights), data.observed(weights, problem.neurons));
        if weight == 0.0 {
            continue;
        }
        let means = means(&observed);
        let of_mean = Observed { prediction: &means, ..observed };
        let counts = problem.loss == Loss::Poisson;
        let found = [
            problem.loss.evaluate(&observed, &mut []).ok(),
            problem.loss.evaluate(&of_mean, &mut []).ok(),
            mean(Score::Correlation, &observed),
            mean(Score::VarianceExplained, &observed),
            if counts { mean(Score::BitsPerSpike, &observed) } else { None },
        ];
        for ((sum, total), found) in all.iter_mut().zip(found) {
            if let Some(found) = found {
                *sum += weight * found;
                *total += weight;
            }
        }
    }
    let [loss, loss_of_mean, correlation, variance_explained, bits_per_spike] =
        all.map(|(sum, total)| (total > 0.0).then(|| sum / total));
    Scores { loss: loss.unwrap_or(f64::NAN), loss_of_mean, correlation, variance_explained, bits_per_spike }
}

/// The mean of each neuron's target, in every frame.
fn means(observed: &Observed<'_>) -> Vec<f32> {
    let means: Vec<f32> = observed.means().iter().map(|(_, mean)| *mean as f32).collect();
    means.iter().copied().cycle().take(observed.target.len()).collect()
}

pub(super) fn prediction(data: &Prepared, neurons: usize) -> Prediction {
    let [warm_up, training, validation] = data.parts.clone();
    Prediction {
        predicted: data.prediction.clone(),
        measured: data.target.clone(),
        neurons,
        warm_up,
        training,
        validation,
    }
}

/// The mean of the scores that there are.
fn mean(score: Score, observed: &Observed<'_>) -> Option<f64> {
    let scores: Vec<f64> = score.evaluate(observed).ok()?.into_iter().flatten().collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}
