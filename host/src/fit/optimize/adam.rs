//! Adam: gradient steps in units of the gradient's running root mean square.
//!
//! ```text
//! m = b1 m + (1 - b1) g           v = b2 v + (1 - b2) g^2          b1 = 0.9, b2 = 0.999
//! x -= rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + e)
//! ```
//! `e` is 1e-8 of the largest gradient at the start, so that the path does not depend on the unit of the value. A step to
//! a point that is not finite is taken back: the search restarts at its best point with half the rate. Reference: Kingma
//! and Ba (2015), arXiv:1412.6980, algorithm 1.

use super::{Point, Search, Why};
use crate::Result;

const B1: f64 = 0.9;
const B2: f64 = 0.999;
const E: f64 = 1e-8;

/// Steps without a lower value after which the search ends: the memory of `v` is ten times as long, that of `m` a tenth.
const PATIENCE: usize = 100;

/// The most restarts: the rate is then 1e-6 of what it was.
const RESTARTS: u32 = 20;

pub(super) fn minimize(search: &mut Search<'_>, start: Point, mut rate: f64) -> Result<(Point, Why)> {
    let small = E * start.gradient_norm();
    let (mut point, mut best) = (start.clone(), start);
    let (mut m, mut v) = (vec![0.0; point.x.len()], vec![0.0; point.x.len()]);
    // Products of b1 and b2 with themselves; the value from which progress counts; steps since.
    let (mut p1, mut p2, mut before, mut steps) = (1.0, 1.0, best.value, 0);
    let mut restarts = 0;
    loop {
        (p1, p2) = (p1 * B1, p2 * B2);
        for (i, g) in point.gradient.iter().enumerate() {
            m[i] = B1 * m[i] + (1.0 - B1) * g;
            v[i] = B2 * v[i] + (1.0 - B2) * g * g;
            let deep = (v[i] / (1.0 - p2)).sqrt() + small;
            // 0 / 0: a variable without influence, if gradients are too small to be squared.
            if deep > 0.0 {
                point.x[i] -= rate * (m[i] / (1.0 - p1)) / deep;
            }
        }
        if !search.evaluate(&mut point)? {
            if restarts == RESTARTS {
                return Ok((best, Why::NoStep));
            }
            restarts += 1;
            rate /= 2.0;
            point = best.clone();
            m.fill(0.0);
            v.fill(0.0);
            (p1, p2) = (1.0, 1.0);
            if search.is_spent() {
                return Ok((best, Why::Evaluations));
            }
            continue;
        }
        let stopped = search.observe(&point).is_break();
        if point.value < best.value {
            best.clone_from(&point);
        }
        steps += 1;
        if before - best.value > search.stop.progress * search.unit(best.value) {
            (before, steps) = (best.value, 0);
        }
        if stopped {
            return Ok((best, Why::Stopped));
        } else if search.is_minimum(&best) {
            return Ok((best, Why::Converged));
        } else if steps >= PATIENCE {
            return Ok((best, Why::NoProgress));
        } else if search.is_spent() {
            return Ok((best, Why::Evaluations));
        }
    }
}
