//! Line search for the strong Wolfe conditions.
//!
//! With `phi(a) = f(x + a d)`, a step `a` is accepted where
//! ```text
//! phi(a) <= phi(0) + c1 a phi'(0)       (sufficient decrease, c1 = 1e-4)
//! |phi'(a)| <= c2 |phi'(0)|             (curvature, c2 = 0.9)
//! ```
//! `low` is the lowest step of sufficient decrease so far, 0 at first. `high` is a step beyond which the search need not go:
//! too high, or with a slope that leads back to `low`. Without a `high` the step grows; with one, it is the minimum of the
//! cubic through both ends, or, where `high` is not finite, a quarter of the way. Reference: Nocedal and Wright, Numerical
//! Optimization, 2nd ed. (2006), algorithms 3.5 and 3.6 and equation 3.59.

use super::{Point, Search};
use crate::Result;
use crate::fit::matrix::dot;
use std::mem::swap;

/// Sufficient decrease and curvature: the values that the book gives for quasi-Newton directions.
const DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;

/// The most evaluations on a line: a quarter of the way twenty times is 1e-12 of it.
const MOST: usize = 30;

/// A step along the line.
#[derive(Clone, Copy)]
struct End {
    at: f64,
    value: f64,
    slope: f64,
}

/// Searches from `from` along `direction`, beginning with the step `first`. Returns whether `found` is a lower point; its
/// curvature condition may then fail if the evaluations ran out. `trial` is scratch.
pub(super) fn search(
    search: &mut Search<'_>,
    from: &Point,
    direction: &[f64],
    first: f64,
    found: &mut Point,
    trial: &mut Point,
) -> Result<bool> {
    let start = End { at: 0.0, value: from.value, slope: dot(&from.gradient, direction) };
    let (mut low, mut high) = (start, None::<End>);
    let mut at = first;
    for _ in 0..MOST {
        if search.is_spent() {
            break;
        }
        trial.set(&from.x, direction, at);
        search.evaluate(trial)?;
        let end = End { at, value: trial.value, slope: dot(&trial.gradient, direction) };
        let mut before = None;
        if end.value > start.value + DECREASE * end.at * start.slope || end.value >= low.value {
            high = Some(end);
        } else {
            swap(found, trial);
            if end.slope.abs() <= CURVATURE * start.slope.abs() {
                return Ok(true);
            }
            // A slope that rises towards `high`, or towards larger steps, leaves the minimum behind, on the side of the
            // old `low`.
            if end.slope * high.map_or(1.0, |high| high.at - low.at) >= 0.0 {
                high = Some(low);
            }
            before = Some(low);
            low = end;
        }
        at = match high {
            Some(high) if (low.slope * (high.at - low.at)).abs() <= f64::EPSILON * low.value.abs() => break,
            Some(high) => between(low, high),
            None => beyond(before.unwrap_or(start), low),
        };
    }
    Ok(low.at > 0.0)
}

/// A step between `low` and `high`, a tenth of the interval or more from each end.
fn between(low: End, high: End) -> f64 {
    let width = high.at - low.at;
    if !high.value.is_finite() {
        return low.at + 0.25 * width;
    }
    let share = (cubic_minimum(low, high) - low.at) / width;
    low.at + width * if share.is_finite() { share.clamp(0.1, 0.9) } else { 0.5 }
}

/// A step beyond `b`, which is beyond `a`: by once to nine times their distance.
fn beyond(a: End, b: End) -> f64 {
    let share = (cubic_minimum(a, b) - b.at) / (b.at - a.at);
    // Without a minimum ahead of `b` the line goes on downwards.
    b.at + (b.at - a.at) * if share > 0.0 { share.clamp(1.0, 9.0) } else { 9.0 }
}

/// The minimum of the cubic with the values and slopes of `a` and `b`; NaN if it has none.
fn cubic_minimum(a: End, b: End) -> f64 {
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.at - b.at);
    let d2 = (b.at - a.at).signum() * (d1 * d1 - a.slope * b.slope).sqrt();
    b.at - (b.at - a.at) * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::{Objective, Step, Stop};
    use std::ops::ControlFlow;

    /// A function of one variable, with its derivative.
    struct Line(fn(f64) -> (f64, f64));

    impl Objective for Line {
        fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
            let (value, slope) = (self.0)(x[0]);
            gradient[0] = slope;
            Ok(value)
        }
    }

    /// Both conditions hold after a few evaluations, however bad the first step is. The first two functions are those of
    /// More and Thuente (1994), doi:10.1145/192115.192132.
    #[test]
    fn steps_satisfy_the_strong_wolfe_conditions() {
        let rational: fn(f64) -> _ = |a| (-a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0).powi(2));
        let quintic: fn(f64) -> _ = |a| {
            let b = a + 0.004;
            (b.powi(5) - 2.0 * b.powi(4), 5.0 * b.powi(4) - 8.0 * b.powi(3))
        };
        let cosine: fn(f64) -> _ = |a| (-(a + 0.1).sin() + 0.01 * a * a, -(a + 0.1).cos() + 0.02 * a);
        // Not finite from 0.1 on, where it still falls.
        let wall: fn(f64) -> _ = |a| if a < 0.1 { ((a - 0.5).powi(2), 2.0 * a - 1.0) } else { (f64::NAN, f64::NAN) };
        let cases = [("rational", rational, 6), ("quintic", quintic, 18), ("cosine", cosine, 7), ("wall", wall, 11)];
        for (name, phi, most) in cases {
            for first in [1e-3, 1e-1, 1.0, 1e1, 1e3] {
                let (mut line, stop) = (Line(phi), Stop::default());
                let mut search = Search {
                    objective: &mut line,
                    stop: &stop,
                    watch: &mut |_: &Step<'_>| ControlFlow::Continue(()),
                    evaluations: 0,
                    iterations: 0,
                    small_steps: 0,
                    start_value: 0.0,
                };
                let from = search.start(&[0.0]).expect("finite");
                let (mut found, mut trial) = (from.clone(), from.clone());
                let lower = super::search(&mut search, &from, &[1.0], first, &mut found, &mut trial);
                let (a, slope) = (found.x[0], from.gradient[0]);
                assert_eq!(lower.ok(), Some(true), "{name} {first}");
                assert!(found.value <= from.value + DECREASE * a * slope, "{name} {first}: {found:?}");
                let flat = found.gradient[0].abs() <= CURVATURE * slope.abs();
                assert!(flat, "{name} {first}: {found:?}");
                assert!(search.evaluations <= most, "{name} {first}: {} evaluations", search.evaluations);
            }
        }
    }
}
