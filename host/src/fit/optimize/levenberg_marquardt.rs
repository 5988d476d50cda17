//! Levenberg-Marquardt: Gauss-Newton steps, damped as much as needed.
//!
//! With the gradient `g` and the curvature `A` of the value (of least squares: `J' W J`) and the largest diagonal `D` of
//! all `A` so far, each step `h` solves
//! ```text
//! (A + mu D) h = -g          expected decrease:  h . (mu D h - g) / 2
//! ```
//! With `r` = actual / expected decrease: if `r > 0`, the step is taken, and `mu *= max(1/3, 1 - (2 r - 1)^3)`. Otherwise
//! `mu *= nu`, where `nu` is 2 and doubles each time in a row. `D` makes the steps independent of the units of the variables.
//! Cost per step, beside the evaluations: `n^3 / 6` products. References: Marquardt (1963), doi:10.1137/0111030; Moré (1978),
//! doi:10.1007/BFb0067700 (`D`); Nielsen (1999), IMM-REP-1999-05 (`mu`).

use super::{ITEM, Point, Search, Why};
use crate::fit::matrix::{MatrixError, cholesky, dot, solve};
use crate::{Error, Result};
use std::mem::swap;

/// Damping at the start, as a share of the diagonal. Nielsen: 1e-3 for a start of unknown quality.
const START: f64 = 1e-3;

/// The range of damping: less is lost in rounding, and with more no step is left.
const LEAST: f64 = 1e-16;
const MOST: f64 = 1e16;

pub(super) fn minimize(search: &mut Search<'_>, mut point: Point) -> Result<(Point, Why)> {
    let n = point.x.len();
    // `next` is by turns the factor of the damped matrix and the curvature at the trial point.
    let (mut matrix, mut next) = (square(n)?, square(n)?);
    search.objective.curvature(&mut matrix)?;
    if let Some((row, col)) = not_finite(&matrix, n) {
        let value = format!("{} in row {row}, column {col}", matrix[row * n + col]);
        let expected = "finite numbers, from another start";
        return Err(Error::Parameter { item: ITEM, name: "the curvature at the start", value, expected });
    }
    let (mut trial, mut step, mut diagonal) = (point.clone(), vec![0.0; n], vec![0.0; n]);
    widen(&mut diagonal, &matrix);
    let (mut mu, mut nu) = (START, 2.0);
    while mu <= MOST {
        // A variable without curvature gets the gradient's own step.
        let damping = |d: &f64| mu * if *d > 0.0 { *d } else { 1.0 };
        next.copy_from_slice(&matrix);
        diagonal.iter().enumerate().for_each(|(i, d)| next[i * n + i] += damping(d));
        step.iter_mut().zip(&point.gradient).for_each(|(h, g)| *h = -g);
        let solved = cholesky(&mut next, n, n as f64 * f64::EPSILON).and_then(|()| solve(&next, n, &mut step));
        let mut ratio = 0.0;
        match solved {
            Ok(()) => {
                let damped: f64 = step.iter().zip(&diagonal).map(|(h, d)| damping(d) * h * h).sum();
                let expected = 0.5 * (damped - dot(&step, &point.gradient));
                if expected.is_finite() && expected <= f64::EPSILON * point.value.abs() {
                    // Of a step that is hardly damped, this is the mark of a minimum.
                    return Ok((point, if mu <= START { Why::Converged } else { Why::NoStep }));
                }
                trial.set(&point.x, &step, 1.0);
                if search.evaluate(&mut trial)? && trial.value < point.value {
                    search.objective.curvature(&mut next)?;
                    if not_finite(&next, n).is_none() {
                        ratio = (point.value - trial.value) / expected;
                    }
                }
            }
            Err(MatrixError::Undetermined { .. } | MatrixError::NotFinite { .. }) => {}
            Err(MatrixError::Length { .. }) => return Ok((point, Why::NoStep)),
        }
        if ratio > 0.0 {
            swap(&mut matrix, &mut next);
            swap(&mut point, &mut trial);
            widen(&mut diagonal, &matrix);
            mu = (mu * (1.0 - (2.0 * ratio - 1.0).powi(3)).max(1.0 / 3.0)).max(LEAST);
            nu = 2.0;
            if let Some(why) = search.accept(trial.value, &point) {
                return Ok((point, why));
            }
        } else {
            mu *= nu;
            nu *= 2.0;
            if search.is_spent() {
                return Ok((point, Why::Evaluations));
            }
        }
    }
    Ok((point, Why::NoStep))
}

fn square(n: usize) -> Result<Vec<f64>> {
    let len = n.saturating_mul(n);
    let mut matrix = Vec::new();
    matrix
        .try_reserve_exact(len)
        .map_err(|_| Error::Memory { what: "the curvature of the variables", samples: len.saturating_mul(2) })?;
    matrix.resize(len, 0.0);
    Ok(matrix)
}

/// Raises `diagonal` to that of `matrix`.
fn widen(diagonal: &mut [f64], matrix: &[f64]) {
    let n = diagonal.len();
    diagonal.iter_mut().enumerate().for_each(|(i, d)| *d = matrix[i * n + i].max(*d));
}

/// The first element of the lower triangle that is not finite.
fn not_finite(matrix: &[f64], n: usize) -> Option<(usize, usize)> {
    (0..n).find_map(|row| Some((row, matrix[row * n..=row * n + row].iter().position(|x| !x.is_finite())?)))
}
