//! Ridge regression: the linear kernel with the least squared error and penalty.
//!
//! ```text
//! minimise   sum_t (y[t] - offset - sum_k w[k] x[t-k])^2 + penalty sum w^2            t = taps-1 .. T-1
//! solution   (X' X + penalty 1) w = X' y,    offset = mean y - means w
//! ```
//! `X` has one row `x[t], x[t-1], ...` per response, without its mean; it is never stored. `X' X` comes from the
//! autocorrelation of the stimulus. The offset is not penalised.
//!
//! Generalised cross-validation chooses the penalty whose fit predicts each left out response best, on the average:
//! ```text
//! GCV(penalty) = N sum_t residual[t]^2 / (N - 1 - trace X (X' X + penalty 1)^-1 X')^2
//! ```
//! It tries 61 penalties, four a decade, from 1e-9 to 1e6 of the mean diagonal of `X' X`, each by the eigenvalues of
//! `X' X`.
//!
//! - Cost for `width = channels x taps x rows x cols`, in multiply-adds: `width^2 T / taps` for `X' X`; `width^3 / 6` for a
//!   fixed penalty (Cholesky), about `5 width^3` for a chosen one. Memory: `width^2` numbers of 8 bytes, twice
//!   for a fixed penalty, five times for a chosen one.
//! - References: A. E. Hoerl, R. W. Kennard 1970, doi:10.1080/00401706.1970.10488634; G. H. Golub, M. Heath, G. Wahba 1979,
//!   doi:10.1080/00401706.1979.10489751.

use super::Field;
use super::design::{Design, Responses};
use super::linear::{self, Eigen};
use super::normal::{check_width, gram};
use crate::error::in_range;
use crate::fit::matrix::{MatrixError, add, cholesky, dot, solve};
use crate::{Error, Movie, Result};
use ndarray::{Array5, ArrayView2};

/// The share of the degrees of freedom that a fit must leave to be scored: with fewer, GCV is a quotient of rounding
/// errors.
const FREEDOM: f64 = 1e-3;

/// The penalty of a [`ridge`](ridge()) regression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shrinkage {
    /// This number, 0 or more, in the unit of the stimulus' sum of squares over the recording.
    Fixed(f64),
    /// Chosen for each neuron by generalised cross-validation.
    CrossValidated,
}

/// A linear model of each neuron: see [`ridge`](ridge()).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ridge {
    /// Impulse responses `(neuron, channel, time, row, col)`, in the unit of the response over that of the stimulus.
    pub kernels: Array5<f32>,
    /// The response to a stimulus of zeros, for each neuron: the bias of a layer with these kernels.
    pub offsets: Vec<f32>,
    /// The penalty of each neuron.
    pub penalties: Vec<f64>,
    /// The share of the variance of the responses that the fit explains, from 0 to 1, for each neuron: on the same
    /// responses that it was fitted to.
    pub explained: Vec<f64>,
}

/// Ridge regression of responses `(time, neuron)` of any sign; the equation is given [above](self), with the axes and
/// an example.
///
/// # Errors
/// Those of [`spike_triggered_average`](super::spike_triggered_average), but for the sign of the responses; a neuron whose
/// response is constant; a penalty that is negative or not finite; a field of more than 4096 weights; a penalty of 0 (or
/// almost 0) for a stimulus that does not determine all weights: the error names the first such weight.
pub fn ridge<'a>(
    stimulus: impl Movie<'a>,
    responses: ArrayView2<'_, f32>,
    field: Field,
    penalty: Shrinkage,
) -> Result<Ridge> {
    regression("ridge", stimulus, responses, field, penalty)
}

/// [`ridge`] by the name of `item`.
pub(super) fn regression<'a>(
    item: &'static str,
    stimulus: impl Movie<'a>,
    responses: ArrayView2<'_, f32>,
    field: Field,
    penalty: Shrinkage,
) -> Result<Ridge> {
    if let Shrinkage::Fixed(penalty) = penalty {
        check_penalty(item, penalty)?;
    }
    let problem = Problem::new(item, stimulus, responses, field)?;
    let width = problem.design.width();
    let (weights, penalties) = match penalty {
        Shrinkage::Fixed(penalty) => {
            let mut factor = problem.gram.clone();
            factor.iter_mut().step_by(width + 1).for_each(|x| *x += penalty);
            cholesky(&mut factor, width, linear::DEPENDENT)
                .map_err(|error| problem.undetermined(&error, 1, penalty))?;
            let weights = problem.targets.iter().map(|target| {
                let mut weights = target.products.clone();
                solve(&factor, width, &mut weights).map(|()| weights)
            });
            let weights =
                weights.collect::<Result<Vec<_>, _>>().map_err(|error| problem.undetermined(&error, 1, penalty))?;
            (weights, vec![penalty; problem.targets.len()])
        }
        Shrinkage::CrossValidated => {
            let eigen = linear::eigen(problem.gram.clone(), width, true).ok_or_else(|| problem.overflow())?;
            problem.targets.iter().map(|target| cross_validated(&eigen, target, problem.design.rows())).unzip()
        }
    };
    problem.finish(weights, penalties)
}

/// Returns an error for everything but finite penalties of 0 or more.
pub(super) fn check_penalty(item: &'static str, penalty: f64) -> Result<()> {
    in_range(item, "penalty", penalty, penalty >= 0.0 && penalty.is_finite(), "a finite number of 0 or more")
}

/// The normal equations of a regression.
pub(super) struct Problem<'a> {
    pub(super) item: &'static str,
    pub(super) design: Design<'a>,
    /// The means of the columns.
    means: Vec<f64>,
    /// `X' X`.
    pub(super) gram: Vec<f64>,
    pub(super) targets: Vec<Target>,
}

/// The response of one neuron.
pub(super) struct Target {
    mean: f64,
    /// The sum of squares about the mean.
    pub(super) power: f64,
    /// `X' y`.
    pub(super) products: Vec<f64>,
}

impl<'a> Problem<'a> {
    /// # Errors
    /// As [`ridge`](ridge()), but for the penalty.
    pub(super) fn new(
        item: &'static str,
        stimulus: impl Movie<'a>,
        responses: ArrayView2<'_, f32>,
        field: Field,
    ) -> Result<Self> {
        let design = Design::new(item, stimulus, field)?;
        check_width(item, &design)?;
        let responses = design.responses(responses)?;
        let means = design.means();
        let target = |(n, responses): (usize, &Responses)| {
            if responses.values.iter().all(|y| *y == responses.values[0]) {
                let value =
                    format!("{} in all frames of neuron {n} from {} on", responses.values[0], design.taps() - 1);
                return Err(Error::Parameter { item, name: "responses", value, expected: "responses that change" });
            }
            let mean = responses.sum / design.rows() as f64;
            let centred = Responses::new(responses.values.iter().map(|y| y - mean).collect());
            let products = design.weighted_sum(&centred, &means);
            Ok(Target { mean, power: dot(&centred.values, &centred.values), products })
        };
        let targets = responses.iter().enumerate().map(target).collect::<Result<_>>()?;
        let gram = gram(&design, &means)?;
        Ok(Self { item, design, means, gram, targets })
    }

    /// The model of these weights, which are in the order of the columns.
    pub(super) fn finish(self, weights: Vec<Vec<f64>>, penalties: Vec<f64>) -> Result<Ridge> {
        let kernels = self.design.kernels(weights.iter().map(Vec::as_slice))?;
        let offsets = self.targets.iter().zip(&weights).map(|(target, w)| (target.mean - dot(&self.means, w)) as f32);
        let offsets: Vec<f32> = offsets.collect();
        if let Some(offset) = offsets.iter().find(|offset| !offset.is_finite()) {
            let (item, value) = (self.item, format!("so large that the offset is {offset}"));
            let expected = "samples and responses whose offset fits into 32-bit floats";
            return Err(Error::Parameter { item, name: "responses", value, expected });
        }
        let explained = self.targets.iter().zip(&weights).map(|(target, w)| {
            let residual = target.power - 2.0 * dot(&target.products, w) + dot(&linear::times(&self.gram, w), w);
            (1.0 - residual / target.power).clamp(0.0, 1.0)
        });
        Ok(Ridge { explained: explained.collect(), kernels, offsets, penalties })
    }

    /// The error of a problem that `penalty` does not make regular; a row of its matrix stands for `step` weights.
    pub(super) fn undetermined(&self, error: &MatrixError, step: usize, penalty: f64) -> Error {
        let MatrixError::Undetermined { index, .. } = *error else { return self.overflow() };
        let place = self.design.describe(index * step);
        let value = format!(
            "{penalty}, and the stimulus does not determine the weight of {place}: its samples are constant, or a \
             combination of those before them"
        );
        let expected = "a larger penalty, a smaller field, or a stimulus that determines all weights";
        Error::Parameter { item: self.item, name: "penalty", value, expected }
    }

    /// The error of sums of squares that are not finite.
    pub(super) fn overflow(&self) -> Error {
        let (item, value) = (self.item, "so large that its squares overflow".into());
        Error::Parameter { item, name: "stimulus", value, expected: "smaller samples" }
    }
}

/// The weights of one neuron and their penalty: the one with the smallest GCV.
fn cross_validated(eigen: &Eigen, target: &Target, rows: usize) -> (Vec<f64>, f64) {
    let Eigen { values, vectors } = eigen;
    let width = values.len();
    let along = linear::times(vectors, &target.products);
    let scale = values.iter().sum::<f64>() / width as f64;
    let score = |penalty: f64| {
        let (mut residual, mut freedom) = (target.power, rows as f64 - 1.0);
        for (value, along) in values.iter().zip(&along) {
            // Rounding leaves an eigenvalue of zero, or just below, along what the stimulus does not contain.
            let (value, total) = (value.max(0.0), value.max(0.0) + penalty);
            residual -= along * along * (value + 2.0 * penalty) / (total * total);
            freedom -= value / total;
        }
        if freedom < FREEDOM * rows as f64 { f64::INFINITY } else { residual.max(0.0) / (freedom * freedom) }
    };
    let penalties = (0..=60).map(|k| scale * libm::exp10(-9.0 + 0.25 * f64::from(k)));
    let best = penalties.map(|penalty| (score(penalty), penalty)).min_by(|a, b| a.0.total_cmp(&b.0));
    let penalty = best.map_or(scale, |(_, penalty)| penalty);
    let mut weights = vec![0.0; width];
    for ((value, along), vector) in values.iter().zip(&along).zip(vectors.chunks_exact(width)) {
        add(&mut weights, vector, along / (value.max(0.0) + penalty));
    }
    (weights, penalty)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{distance, random_kernel, respond, white};
    use super::*;
    use crate::kernels::noise;
    use ndarray::{Array2, Array4, Ix2, s};

    #[test]
    fn linear_neurons_are_recovered_exactly() {
        for (frames, channels, taps, size) in [(400, 1, 10, [5, 5]), (200, 2, 3, [2, 3]), (30, 1, 1, [1, 4])] {
            let kernel = random_kernel(1, [2, channels, taps, size[0], size[1]]);
            let stimulus = white(2, [channels, frames, size[0], size[1]]) * 3.0 + 10.0;
            let mut responses = respond(&kernel, &stimulus);
            responses += &ndarray::arr1(&[0.5, -7.0]);
            let fit = ridge(&stimulus, responses.view(), Field::frame(taps), Shrinkage::Fixed(0.0)).expect("a fit");
            let worst = distance(&fit.kernels, &kernel);
            assert!(worst < 1e-5, "{worst}: {frames}, {taps}");
            assert!((fit.offsets[0] - 0.5).abs() < 1e-3 && (fit.offsets[1] + 7.0).abs() < 1e-3, "{:?}", fit.offsets);
            assert!(fit.explained.iter().all(|share| *share > 1.0 - 1e-9), "{:?}", fit.explained);
        }
    }

    /// The gradient of the sum of squares and penalty, from the rows, is zero.
    #[test]
    fn the_solution_is_a_minimum() {
        let stimulus = white(2, [2, 60, 3, 3]);
        let responses = Array2::from_shape_fn((60, 1), |(t, _)| (t * t % 17) as f32);
        let fit =
            ridge(&stimulus, responses.view(), Field::around(4, [1, 1], [2, 2]), Shrinkage::Fixed(5.0)).expect("a fit");
        let kernel = fit.kernels.index_axis(ndarray::Axis(0), 0);
        let at = |i, t: usize, k: usize, r: usize, c: usize| f64::from(stimulus[(i, t - k, 1 - r, 1 - c)]);
        let residual = |t: usize| {
            let sum: f64 = kernel.indexed_iter().map(|((i, k, r, c), w)| f64::from(*w) * at(i, t, k, r, c)).sum();
            f64::from(responses[(t, 0)]) - f64::from(fit.offsets[0]) - sum
        };
        assert!((3..60).map(residual).sum::<f64>().abs() < 1e-3, "offset");
        for ((i, k, r, c), w) in kernel.indexed_iter() {
            let gradient = (3..60).map(|t| residual(t) * at(i, t, k, r, c)).sum::<f64>() - 5.0 * f64::from(*w);
            assert!(gradient.abs() < 1e-3, "{gradient} at {i} {k} {r} {c}");
        }
        let (mean, squares) =
            ((3..60).map(|t| f64::from(responses[(t, 0)])).sum::<f64>() / 57.0, (3..60).map(residual));
        let power: f64 = (3..60).map(|t| (f64::from(responses[(t, 0)]) - mean).powi(2)).sum();
        let explained = 1.0 - squares.map(|x| x * x).sum::<f64>() / power;
        assert!((fit.explained[0] - explained).abs() < 1e-6, "{} {explained}", fit.explained[0]);
    }

    /// With noise in the responses, the penalty that is chosen predicts new ones better than none, and nearly as well
    /// as the best of all that are tried.
    #[test]
    fn cross_validation_chooses_a_good_penalty() {
        let kernel = random_kernel(1, [1, 1, 6, 4, 4]) * 0.2;
        let stimulus = white(2, [1, 200, 4, 4]);
        let noise = noise(9, 1.0, &[200, 1]).expect("noise").into_dimensionality::<Ix2>().expect("two axes");
        let responses = respond(&kernel, &stimulus) + &noise;
        let fresh = white(3, [1, 2000, 4, 4]);
        let truth = respond(&kernel, &fresh);
        let fit = |penalty| ridge(&stimulus, responses.view(), Field::frame(6), penalty).expect("a fit");
        let error = |fit: &Ridge| {
            let predicted = respond(&fit.kernels, &fresh) + fit.offsets[0];
            (&predicted - &truth).slice(s![5.., ..]).mapv(|x| x * x).mean().expect("a mean")
        };
        let chosen = fit(Shrinkage::CrossValidated);
        assert!(
            error(&chosen) < 0.8 * error(&fit(Shrinkage::Fixed(0.0))),
            "{} {}",
            error(&chosen),
            error(&fit(Shrinkage::Fixed(0.0)))
        );
        let best =
            (-10..20).map(|k| error(&fit(Shrinkage::Fixed(200.0 * 2.0_f64.powi(k))))).fold(f32::INFINITY, f32::min);
        assert!(error(&chosen) < 1.2 * best, "{} {best}: penalty {}", error(&chosen), chosen.penalties[0]);
        // The two solvers agree.
        let same = fit(Shrinkage::Fixed(chosen.penalties[0]));
        assert!(distance(&same.kernels, &chosen.kernels) < 1e-6, "{}", distance(&same.kernels, &chosen.kernels));
    }

    #[test]
    fn more_weights_than_frames_need_a_penalty() {
        let stimulus = white(2, [1, 20, 4, 4]);
        let responses = Array2::from_shape_fn((20, 1), |(t, _)| (t * t % 7) as f32);
        let fit = |penalty| ridge(&stimulus, responses.view(), Field::frame(3), penalty);
        // 18 rows without their mean: the first 17 columns are independent.
        let error = fit(Shrinkage::Fixed(0.0)).expect_err("singular").to_string();
        assert!(
            error.contains("penalty is 0") && error.contains("tap 1 (frames back) of channel 0, row 0, column 1"),
            "{error}"
        );
        assert!(fit(Shrinkage::Fixed(1.0)).is_ok(), "a penalty");
        let chosen = fit(Shrinkage::CrossValidated).expect("a penalty");
        assert!(chosen.penalties[0] > 0.0 && chosen.kernels.iter().all(|w| w.is_finite()), "{:?}", chosen.penalties);
    }

    #[test]
    fn bad_input_is_named() {
        let stimulus = white(2, [1, 20, 2, 2]);
        let responses = Array2::from_shape_fn((20, 2), |(t, n)| if n == 1 { 3.0 } else { t as f32 });
        let error = |stimulus: &Array4<f32>, neurons, penalty| {
            let responses = responses.slice(s![.., ..neurons]);
            ridge(stimulus, responses, Field::frame(2), penalty).expect_err("bad input").to_string()
        };
        assert!(
            error(&stimulus, 2, Shrinkage::Fixed(1.0)).contains("3 in all frames of neuron 1"),
            "constant response"
        );
        for penalty in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(error(&stimulus, 1, Shrinkage::Fixed(penalty)).contains("penalty is"), "{penalty}");
        }
        // The third pixel is the mean of the first two, rounded to f32.
        let mut dependent = stimulus.clone();
        let mean = stimulus.slice(s![0, .., 0, ..]).mean_axis(ndarray::Axis(1)).expect("a mean");
        dependent.slice_mut(s![0, .., 1, 0]).assign(&mean);
        let message = error(&dependent, 1, Shrinkage::Fixed(0.0));
        assert!(message.contains("tap 1 (frames back) of channel 0, row 1, column 0"), "{message}");
        let tiny = &stimulus * 1e-38;
        assert!(error(&tiny, 1, Shrinkage::Fixed(0.0)).contains("32-bit floats"), "a kernel out of range");
    }
}
