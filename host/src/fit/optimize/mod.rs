//! Minimisers of a function of many variables that has a gradient.
//!
//! | [`Optimizer`] | for | memory for `n` variables | needs |
//! |---|---|---|---|
//! | [`Lbfgs`](Optimizer::Lbfgs) | most fits | `(2 memory + 8) n` | gradient |
//! | [`Adam`](Optimizer::Adam) | rough functions, a long way from the minimum | `6 n` | gradient, a good `rate` |
//! | [`LevenbergMarquardt`](Optimizer::LevenbergMarquardt) | up to a few hundred variables, near a valley | `2 n^2` | [`Objective::curvature`] |
//!
//! All are deterministic: the same function and start give the same bits. A value or gradient that is not finite is a
//! wall, from which they step back. They return the lowest point that they evaluated and accepted, and never NaN.
//!
//! The code is our own because no crate has all three without a linear-algebra suite: `argmin` has no
//! Levenberg-Marquardt, and its More-Thuente line search ends with an error at a value that is not finite;
//! `levenberg-marquardt` needs `nalgebra`.
//!
//! ```
//! use foveola::fit::{Objective, Optimizer, Step, Stop, Why, minimize};
//! use std::ops::ControlFlow;
//!
//! /// (x - 3)^2 + 10 (y + 1)^2
//! struct Bowl;
//! impl Objective for Bowl {
//!     fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> foveola::Result<f64> {
//!         gradient.copy_from_slice(&[2.0 * (x[0] - 3.0), 20.0 * (x[1] + 1.0)]);
//!         Ok((x[0] - 3.0).powi(2) + 10.0 * (x[1] + 1.0).powi(2))
//!     }
//! }
//!
//! let watch = &mut |_: &Step<'_>| ControlFlow::Continue(());
//! let found = minimize(&Optimizer::default(), &mut Bowl, &[0.0, 0.0], &Stop::default(), watch)?;
//! assert!((found.x[0] - 3.0).abs() < 1e-6 && (found.x[1] + 1.0).abs() < 1e-6);
//! assert_eq!(found.why, Why::Converged);
//! # Ok::<(), foveola::Error>(())
//! ```

mod adam;
mod lbfgs;
mod levenberg_marquardt;
#[cfg(test)]
mod tests;
mod wolfe;

use crate::error::in_range;
use crate::{Error, Result};
use std::ops::ControlFlow;

/// The function's name in error messages.
const ITEM: &str = "minimize";

/// Share of the value at the start below which values count as 0, so that a search for an exact solution ends.
const NOTHING: f64 = 1e-8;

/// Steps in a row that decrease the value by too little. A single one may be the fault of a wall or of a bad direction.
const SMALL_STEPS: u32 = 2;

/// A function to minimise.
pub trait Objective {
    /// The value at `x`, whose numbers are finite. Writes the whole `gradient`, as long as `x`. Either may be NaN or
    /// infinite, as for an `x` that the function is not defined for: the optimiser steps back.
    ///
    /// # Errors
    /// Those of the function. They end the search, and its result is lost.
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64>;

    /// Writes the Gauss-Newton or Fisher matrix, an estimate of the second derivatives of the value, at the `x` of the last
    /// [`evaluate`](Self::evaluate): `n x n`, row by row, of which the lower triangle is read. Only
    /// [`Optimizer::LevenbergMarquardt`] asks for it.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a function that has none.
    fn curvature(&mut self, matrix: &mut [f64]) -> Result<()> {
        Err(Error::Parameter {
            item: ITEM,
            name: "optimizer",
            value: format!(
                "LevenbergMarquardt, for a function of {} variables without curvature",
                matrix.len().isqrt()
            ),
            expected: "Lbfgs or Adam",
        })
    }
}

/// How to minimise.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Optimizer {
    /// Limited-memory BFGS with a line search for the strong Wolfe conditions.
    Lbfgs {
        /// Number of past steps from which the curvature is estimated, 1 or more; 10 by default.
        memory: usize,
    },
    /// Gradient steps in units of the gradient's running root mean square.
    Adam {
        /// Length of a step in each variable, above 0.
        rate: f64,
    },
    /// Damped Gauss-Newton steps.
    LevenbergMarquardt,
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Lbfgs { memory: 10 }
    }
}

/// When to stop. A relative limit is in units of the value: its magnitude, or 1e-8 of that at the start if that is more.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// The most evaluations, 1 or more; 1000 by default. A line search in progress ends there too.
    pub evaluations: usize,
    /// The largest `|gradient| max(|x|, 1)` of a variable at a minimum, relative, 0 or more; 1e-6 by default.
    pub gradient: f64,
    /// The least decrease of the value, relative, 0 or more; 1e-9 by default. Two smaller ones in a row end the search.
    pub progress: f64,
    /// The value that counts as 0, as a share of that at the start, 0 or more; 0 by default. A search that gets there has converged.
    pub value: f64,
}

impl Default for Stop {
    fn default() -> Self {
        Self { evaluations: 1000, gradient: 1e-6, progress: 1e-9, value: 0.0 }
    }
}

/// The state after a step: what `watch` sees.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Step<'a> {
    /// Evaluations so far.
    pub evaluations: usize,
    /// Steps so far, 1 or more.
    pub iteration: usize,
    /// The value at `x`.
    pub value: f64,
    /// The largest magnitude in the gradient at `x`.
    pub gradient_norm: f64,
    /// The point. With [`Optimizer::Adam`] it is not always the best one so far.
    pub x: &'a [f64],
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The gradient is as small as [`Stop::gradient`] asks for, the value as [`Stop::value`] does, or a Gauss-Newton step promises nothing within rounding.
    Converged,
    /// The value decreases by less than [`Stop::progress`]: a minimum, or a long flat valley.
    NoProgress,
    /// No lower value could be found: a minimum within rounding, a wall, or a gradient that is not that of the value.
    NoStep,
    /// [`Stop::evaluations`] were used.
    Evaluations,
    /// `watch` ended the search.
    Stopped,
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The lowest accepted point; finite.
    pub x: Vec<f64>,
    /// The value there; finite.
    pub value: f64,
    /// The largest magnitude in the gradient there; finite.
    pub gradient_norm: f64,
    /// Evaluations used.
    pub evaluations: usize,
    /// Steps taken.
    pub iterations: usize,
    /// Why the search ended.
    pub why: Why,
}

/// Minimises `objective` from `start`. `watch` is called after each step and can end the search.
///
/// # Errors
/// [`Error::Parameter`] if a setting is out of its range, or if `start`, or the value or gradient there, is not finite;
/// errors of the objective.
pub fn minimize(
    optimizer: &Optimizer,
    objective: &mut dyn Objective,
    start: &[f64],
    stop: &Stop,
    watch: &mut dyn FnMut(&Step<'_>) -> ControlFlow<()>,
) -> Result<Outcome> {
    check(optimizer, stop)?;
    let mut search = Search { objective, stop, watch, evaluations: 0, iterations: 0, small_steps: 0, start_value: 0.0 };
    let start = search.start(start)?;
    let (best, why) = if search.is_minimum(&start) {
        (start, Why::Converged)
    } else if search.is_spent() {
        (start, Why::Evaluations)
    } else {
        match optimizer {
            Optimizer::Lbfgs { memory } => lbfgs::minimize(&mut search, start, *memory)?,
            Optimizer::Adam { rate } => adam::minimize(&mut search, start, *rate)?,
            Optimizer::LevenbergMarquardt => levenberg_marquardt::minimize(&mut search, start)?,
        }
    };
    let (evaluations, iterations, gradient_norm) = (search.evaluations, search.iterations, best.gradient_norm());
    Ok(Outcome { value: best.value, gradient_norm, evaluations, iterations, why, x: best.x })
}

fn check(optimizer: &Optimizer, stop: &Stop) -> Result<()> {
    match optimizer {
        Optimizer::Lbfgs { memory } => in_range(ITEM, "memory", memory, *memory >= 1, "1 or more")?,
        Optimizer::Adam { rate } => in_range(ITEM, "rate", rate, rate.is_finite() && *rate > 0.0, "above 0")?,
        Optimizer::LevenbergMarquardt => {}
    }
    in_range(ITEM, "stop.evaluations", stop.evaluations, stop.evaluations >= 1, "1 or more")?;
    in_range(ITEM, "stop.gradient", stop.gradient, stop.gradient >= 0.0, "0 or more")?;
    in_range(ITEM, "stop.progress", stop.progress, stop.progress >= 0.0, "0 or more")?;
    in_range(ITEM, "stop.value", stop.value, stop.value >= 0.0, "0 or more")
}

/// An evaluated point.
#[derive(Clone, Debug)]
struct Point {
    x: Vec<f64>,
    /// Infinity if the value or the gradient is not finite.
    value: f64,
    gradient: Vec<f64>,
}

impl Point {
    /// The largest magnitude in the gradient.
    fn gradient_norm(&self) -> f64 {
        self.gradient.iter().fold(0.0, |most, g| g.abs().max(most))
    }

    /// Makes `x` the sum of `from` and `length` times `direction`.
    fn set(&mut self, from: &[f64], direction: &[f64], length: f64) {
        for (x, (from, d)) in self.x.iter_mut().zip(from.iter().zip(direction)) {
            *x = from + length * d;
        }
    }
}

/// What the optimisers have in common: evaluations and their number, the limits, the observer.
struct Search<'a> {
    objective: &'a mut dyn Objective,
    stop: &'a Stop,
    watch: &'a mut dyn FnMut(&Step<'_>) -> ControlFlow<()>,
    evaluations: usize,
    iterations: usize,
    /// Steps in a row that decreased the value by too little.
    small_steps: u32,
    start_value: f64,
}

impl Search<'_> {
    /// The first point, which has to be finite.
    fn start(&mut self, x: &[f64]) -> Result<Point> {
        let refused = |name, value, expected| Err(Error::Parameter { item: ITEM, name, value, expected });
        if let Some((i, x)) = x.iter().enumerate().find(|(_, x)| !x.is_finite()) {
            return refused("start", format!("{x} in variable {i}"), "finite numbers");
        }
        let mut point = Point { x: x.to_vec(), value: 0.0, gradient: vec![0.0; x.len()] };
        point.value = self.objective.evaluate(&point.x, &mut point.gradient)?;
        self.evaluations += 1;
        if !point.value.is_finite() {
            return refused("the value at the start", point.value.to_string(), "a finite number, from another start");
        }
        if let Some((i, g)) = point.gradient.iter().enumerate().find(|(_, g)| !g.is_finite()) {
            let value = format!("{g} in variable {i}");
            return refused("the gradient at the start", value, "finite numbers, from another start");
        }
        self.start_value = point.value;
        Ok(point)
    }

    /// Evaluates a point at its `x`. Returns whether it, the value and the gradient are finite; if not, the value is
    /// infinity.
    fn evaluate(&mut self, point: &mut Point) -> Result<bool> {
        let mut finite = point.x.iter().all(|x| x.is_finite());
        if finite {
            point.value = self.objective.evaluate(&point.x, &mut point.gradient)?;
            self.evaluations += 1;
            finite = point.value.is_finite() && point.gradient.iter().all(|g| g.is_finite());
        }
        if !finite {
            point.value = f64::INFINITY;
        }
        Ok(finite)
    }

    /// Whether no evaluation is left.
    fn is_spent(&self) -> bool {
        self.evaluations >= self.stop.evaluations
    }

    /// The unit of relative limits.
    fn unit(&self, value: f64) -> f64 {
        value.abs().max(NOTHING * self.start_value.abs())
    }

    /// Whether the gradient is as small as required.
    fn is_minimum(&self, point: &Point) -> bool {
        let most = point.gradient.iter().zip(&point.x).fold(0.0, |most, (g, x)| (g.abs() * x.abs().max(1.0)).max(most));
        let is_zero = point.value.abs() < self.stop.value * self.start_value.abs();
        is_zero || most <= self.stop.gradient * self.unit(point.value)
    }

    /// Tells the observer of a step to `point`.
    fn observe(&mut self, point: &Point) -> ControlFlow<()> {
        self.iterations += 1;
        (self.watch)(&Step {
            evaluations: self.evaluations,
            iteration: self.iterations,
            value: point.value,
            gradient_norm: point.gradient_norm(),
            x: &point.x,
        })
    }

    /// A step from a point of value `before` down to `point`: the reason to end there, if there is one.
    fn accept(&mut self, before: f64, point: &Point) -> Option<Why> {
        let stopped = self.observe(point).is_break();
        let small = before - point.value <= self.stop.progress * self.unit(point.value);
        self.small_steps = if small { self.small_steps + 1 } else { 0 };
        if stopped {
            Some(Why::Stopped)
        } else if self.is_minimum(point) {
            Some(Why::Converged)
        } else if self.small_steps >= SMALL_STEPS {
            Some(Why::NoProgress)
        } else {
            self.is_spent().then_some(Why::Evaluations)
        }
    }
}
