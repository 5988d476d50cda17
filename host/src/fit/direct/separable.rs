//! Separable regression: the product of a time course and a spatial profile that predicts the response best.
//!
//! ```text
//! minimise   sum_t (y[t] - offset - sum_{k, p} u[k] v[p] x[t-k, p])^2 + penalty |u|^2 |v|^2        t = taps-1 .. T-1
//! ```
//! Alternating least squares: with `v` fixed, `u` is the solution of a linear system of `taps` equations, then `v` of
//! one of `channels x rows x cols`. The first `v` is that of the best separable approximation of `X' y`. Rounds end
//! when one lowers the sum by less than 1e-12 of the response's sum of squares, or after 500. The error never rises,
//! and may end in a minimum that is not the least.
//!
//! A kernel of `taps + rows cols` free weights instead of `taps rows cols` needs fewer frames than
//! [`ridge`](super::ridge()).
//!
//! Cost: that of the normal matrix, and `2 width^2` multiply-adds for each round, `width = channels x taps x rows x cols`.
//!
//! Reference: M. B. Ahrens, L. Paninski, M. Sahani 2008, Inferring input nonlinearities in neural encoding models,
//! doi:10.1080/09548980701813936.

use super::linear::DEPENDENT;
use super::rank_one::{Dyad, dyad};
use super::ridge::{Problem, Ridge, Target, check_penalty};
use super::{Field, RankOne, rank_one};
use crate::fit::matrix::{MatrixError, cholesky, dot, solve};
use crate::{Error, Movie, Result};
use ndarray::{ArrayView2, Axis};

const ITEM: &str = "separable";

/// Rounds at most.
const MOST_ROUNDS: usize = 500;

/// The decrease of the error, relative to the response's sum of squares, that ends the rounds.
const TOLERANCE: f64 = 1e-12;

/// A separable linear model of each neuron: see [`separable`](separable()).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Separable {
    /// The kernels as products, with their offsets.
    pub fit: Ridge,
    /// The time course and the spatial profile of each neuron.
    pub parts: Vec<RankOne>,
}

/// Separable regression of responses `(time, neuron)` of any sign; the equation is given [above](self).
///
/// ```
/// use foveola::fit::direct::{Field, separable};
/// use foveola::{Model, RF, kernels};
/// use ndarray::{Array2, Array3};
/// let (time, space) = ([1.0, -0.5, 0.25], [0.2, 1.0, 0.4]);
/// let kernel = Array3::from_shape_fn((3, 1, 3), |(k, _, c)| time[k] * space[c]);
/// let stimulus = kernels::noise(1, 1.0, &[60, 1, 3])?;
/// let responses = Model::of(RF::new(1, 1, 3)?.with_weight(kernel.view())?).run(&stimulus, 60)?;
/// let responses = Array2::from_shape_vec((60, 1), responses.iter().copied().collect()).unwrap();
/// let found = separable(&stimulus, responses.view(), Field::frame(3), 0.0)?;
/// assert!(found.fit.kernels.iter().zip(&kernel).all(|(found, w)| (found - w).abs() < 1e-4));
/// assert!((found.parts[0].time[1] / found.parts[0].time[0] + 0.5).abs() < 1e-4);
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// Those of [`ridge`](super::ridge()) with a fixed penalty; a response that does not covary with the stimulus at all.
pub fn separable<'a>(
    stimulus: impl Movie<'a>,
    responses: ArrayView2<'_, f32>,
    field: Field,
    penalty: f64,
) -> Result<Separable> {
    check_penalty(ITEM, penalty)?;
    let mut problem = Problem::new(ITEM, stimulus, responses, field)?;
    let width = problem.design.width();
    // |u v'| = |u| |v|, so the penalty is that of ridge regression.
    problem.gram.iter_mut().step_by(width + 1).for_each(|x| *x += penalty);
    let weights = problem.targets.iter().map(|target| alternate(&problem, target, penalty)).collect::<Result<Vec<_>>>();
    let weights = weights?;
    problem.gram.iter_mut().step_by(width + 1).for_each(|x| *x -= penalty);
    let penalties = vec![penalty; weights.len()];
    let fit = problem.finish(weights, penalties)?;
    let parts = fit.kernels.axis_iter(Axis(0)).map(rank_one).collect::<Result<_>>()?;
    Ok(Separable { fit, parts })
}

/// The product `u v'` for one neuron.
fn alternate(problem: &Problem<'_>, target: &Target, penalty: f64) -> Result<Vec<f64>> {
    let frame = problem.design.frame();
    let lines: Vec<Vec<f64>> = target.products.chunks_exact(frame).map(<[f64]>::to_vec).collect();
    let Some(Dyad { right: mut v, .. }) = dyad(&lines) else {
        let value = "without any covariance with the stimulus".into();
        let expected = "responses that the stimulus changes";
        return Err(Error::Parameter { item: ITEM, name: "responses", value, expected });
    };
    let (mut u, mut last) = (Vec::new(), f64::INFINITY);
    for _ in 0..MOST_ROUNDS {
        (u, _) = half(problem, target, lines.len(), |column| (column / frame, v[column % frame]))
            .map_err(|error| problem.undetermined(&error, frame, penalty))?;
        // Otherwise the scale could move from one to the other without an end.
        let length = dot(&u, &u).sqrt();
        u.iter_mut().for_each(|u| *u /= length);
        let gain;
        (v, gain) = half(problem, target, frame, |column| (column % frame, u[column / frame]))
            .map_err(|error| problem.undetermined(&error, 1, penalty))?;
        let error = target.power - gain;
        if last - error <= TOLERANCE * target.power {
            break;
        }
        last = error;
    }
    Ok(u.iter().flat_map(|u| v.iter().map(move |v| u * v)).collect())
}

/// The best `n` weights of one factor, and by how much they lower the sum of squares and penalty. `role` tells which of
/// them a column has, and its weight of the other factor, which is fixed.
fn half(
    problem: &Problem<'_>,
    target: &Target,
    n: usize,
    role: impl Fn(usize) -> (usize, f64),
) -> Result<(Vec<f64>, f64), MatrixError> {
    let roles: Vec<(usize, f64)> = (0..target.products.len()).map(role).collect();
    let (mut matrix, mut products) = (vec![0.0; n * n], vec![0.0; n]);
    for ((row, (a, factor)), product) in problem.gram.chunks_exact(roles.len()).zip(&roles).zip(&target.products) {
        products[*a] += factor * product;
        let sums = &mut matrix[a * n..][..n];
        for (g, (b, other)) in row.iter().zip(&roles) {
            sums[*b] += factor * other * g;
        }
    }
    cholesky(&mut matrix, n, DEPENDENT)?;
    let mut weights = products.clone();
    solve(&matrix, n, &mut weights)?;
    let gain = dot(&weights, &products);
    Ok((weights, gain))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{distance, random_kernel, respond, white};
    use super::super::{Shrinkage, ridge};
    use super::*;
    use crate::kernels::noise;
    use ndarray::{Array2, Array5, Ix2};

    fn separable_kernel(shape: [usize; 5]) -> Array5<f32> {
        let [neurons, channels, taps, rows, cols] = shape;
        random_kernel(1, [neurons, 1, taps, 1, 1]) * random_kernel(2, [neurons, channels, 1, rows, cols])
    }

    #[test]
    fn separable_neurons_are_recovered_from_few_frames() {
        let kernel = separable_kernel([2, 1, 8, 3, 3]);
        // 93 frames: 86 responses for 72 weights, of which 16 are free.
        let stimulus = white(3, [1, 93, 3, 3]) + 2.0;
        let responses = respond(&kernel, &stimulus) - 4.0;
        let found = separable(&stimulus, responses.view(), Field::frame(8), 0.0).expect("a fit");
        assert!(distance(&found.fit.kernels, &kernel) < 1e-4, "{}", distance(&found.fit.kernels, &kernel));
        assert!(found.fit.offsets.iter().all(|offset| (offset + 4.0).abs() < 1e-3), "{:?}", found.fit.offsets);
        assert!(found.parts.iter().all(|parts| parts.energy > 1.0 - 1e-9), "separable");
    }

    /// With noise, fewer weights are found more precisely than all of them.
    #[test]
    fn noise_disturbs_fewer_weights_less() {
        let kernel = separable_kernel([1, 2, 8, 3, 3]);
        let stimulus = white(3, [2, 400, 3, 3]);
        let noise = noise(4, 1.0, &[400, 1]).expect("noise").into_dimensionality::<Ix2>().expect("two axes");
        let responses = respond(&kernel, &stimulus) + &noise;
        let error = |kernels: &Array5<f32>| (kernels - &kernel).mapv(|w| w * w).sum();
        let found = separable(&stimulus, responses.view(), Field::frame(8), 0.0).expect("a fit").fit.kernels;
        let full =
            ridge(&stimulus, responses.view(), Field::frame(8), Shrinkage::CrossValidated).expect("a fit").kernels;
        // 25 free weights instead of 144.
        assert!(error(&found) < 0.5 * error(&full), "{} {}", error(&found), error(&full));
    }

    /// At the solution, neither factor can be improved: the gradient along each of them is zero.
    #[test]
    fn the_solution_is_stationary() {
        let stimulus = white(5, [1, 80, 2, 2]);
        let responses = Array2::from_shape_fn((80, 1), |(t, _)| (t * t % 17) as f32);
        let found = separable(&stimulus, responses.view(), Field::frame(3), 4.0).expect("a fit");
        let (parts, offset) = (&found.parts[0], f64::from(found.fit.offsets[0]));
        let at = |t: usize, k: usize, r: usize, c: usize| f64::from(stimulus[(0, t - k, 1 - r, 1 - c)]);
        let kernel = parts.kernel();
        let residual = |t: usize| {
            let sum: f64 = kernel.indexed_iter().map(|((_, k, r, c), w)| f64::from(*w) * at(t, k, r, c)).sum();
            f64::from(responses[(t, 0)]) - offset - sum
        };
        let gradient = |k, r, c| {
            (2..80).map(|t| residual(t) * at(t, k, r, c)).sum::<f64>() - 4.0 * f64::from(kernel[(0, k, r, c)])
        };
        for k in 0..3 {
            let along: f64 = parts.space.indexed_iter().map(|((_, r, c), v)| f64::from(*v) * gradient(k, r, c)).sum();
            assert!(along.abs() < 0.02, "{along} at tap {k}");
        }
        for (r, c) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let along: f64 = (0..3).map(|k| f64::from(parts.time[k]) * gradient(k, r, c)).sum();
            assert!(along.abs() < 0.02, "{along} at {r} {c}");
        }
    }

    #[test]
    fn bad_input_is_refused() {
        let mut stimulus = white(5, [1, 80, 2, 2]);
        let responses = Array2::from_shape_fn((80, 1), |(t, _)| (t * t % 17) as f32);
        assert!(separable(&stimulus, responses.view(), Field::frame(3), -1.0).is_err(), "a negative penalty");
        stimulus.slice_mut(ndarray::s![0, .., 1, 0]).fill(1.0);
        let error = separable(&stimulus, responses.view(), Field::frame(3), 0.0).expect_err("a dark pixel").to_string();
        assert!(error.contains("separable") && error.contains("row 1, column 0"), "{error}");
    }
}
