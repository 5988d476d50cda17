//! What a fit tells at its end: standard errors, scores, predictions.
//!
//! ```text
//! errors = sqrt(diag(F^-1))        F = sum_i w_i J_i' I_i J_i, the Fisher information of all samples
//! ```
//! With the mean squared error, the variance of the noise is that of the residuals.

use super::fitted::{FittedParameter, Prediction, Scores};
use super::matrix::{MatrixError, cholesky, inverse_diagonal};
use super::problem::{Part, Prepared, Problem};
use super::subject::Variable;
use super::{Loss, Objective, Observed, Score};

/// The most free numbers for which standard errors are computed.
const MOST_WITH_ERRORS: usize = 64;

/// A pivot of a Fisher matrix that counts as 0: its elements are products of single-precision differences.
const LEAST_PIVOT: f64 = 1e-6;

/// The standard errors of all numbers at the latest evaluation, or why there are none.
pub(super) fn standard_errors(problem: &mut Problem) -> Result<Vec<f64>, String> {
    let n = problem.latest.x.len();
    if n > MOST_WITH_ERRORS {
        return Err(format!("{n} free numbers, more than {MOST_WITH_ERRORS}"));
    }
    if problem.loss == Loss::Correlation {
        return Err("a correlation is no likelihood".into());
    }
    let mut matrix = vec![0.0; n * n];
    problem.curvature(&mut matrix).map_err(|error| error.to_string())?;
    match cholesky(&mut matrix, n, LEAST_PIVOT).and_then(|()| inverse_diagonal(&matrix, n)) {
        Err(MatrixError::Undetermined { index, .. }) => {
            Err(format!("{} is not determined by the data", problem.name(index)))
        }
        Err(error) => Err(error.to_string()),
        Ok(diagonal) => {
            let total = problem.total();
            // The matrix is that of the mean. That of squares has no unit of its own: their mean is the variance, of which
            // the Fisher information is half the second derivative.
            let unit = match problem.loss {
                Loss::MeanSquaredError => 2.0 * problem.latest.loss / (total - n as f64).max(1.0),
                _ => 1.0 / total,
            };
            let errors = diagonal.iter().zip(&problem.latest.x).zip(problem.transforms());
            Ok(errors.map(|((d, x), transform)| (d * unit).sqrt() * transform.derivative(*x).abs()).collect())
        }
    }
}

pub(super) fn parameters(
    problem: &Problem,
    before: &[f64],
    after: &[f64],
    errors: Option<&[f64]>,
) -> Vec<FittedParameter> {
    let of_variable = |variable: &Variable| FittedParameter {
        name: variable.name.clone(),
        unit: variable.unit().into(),
        before: variable.array(before),
        after: variable.array(after),
        errors: errors.map(|errors| variable.array(errors)),
    };
    problem.subject.variables.iter().map(of_variable).collect()
}

/// Means over recordings, in proportion to their weights.
pub(super) fn scores<'p>(problem: &'p Problem, part: impl Fn(&'p Prepared) -> &'p Part) -> Scores {
    let mut all: [(f64, f64); 5] = [(0.0, 0.0); 5];
    for data in &problem.data {
        let part = part(data);
        let (weight, observed) = (part.total, data.observed(part, problem.neurons));
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
    Prediction {
        predicted: data.prediction.clone(),
        measured: data.target.clone(),
        neurons,
        warm_up: 0..data.training.frames.start,
        training: data.training.frames.clone(),
        validation: data.validation.frames.clone(),
    }
}

/// The mean of the scores that there are.
fn mean(score: Score, observed: &Observed<'_>) -> Option<f64> {
    let scores: Vec<f64> = score.evaluate(observed).ok()?.into_iter().flatten().collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}
