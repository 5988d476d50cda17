//! L-BFGS: a quasi-Newton method that keeps the last few steps instead of a matrix.
//!
//! With `s = x' - x` and `y = g' - g` of each kept step and `rho = 1 / s.y`, the direction is `d = -H g` by two loops:
//! ```text
//! q = g;  newest to oldest:  alpha = rho s.q;  q -= alpha y
//! q *= s.y / y.y  of the newest
//! oldest to newest:  beta = rho y.q;  q += (alpha - beta) s;     d = -q
//! ```
//! Cost per step, beside the evaluations: `4 memory n` products. Reference: Nocedal and Wright, Numerical Optimization, 2nd
//! ed. (2006), algorithms 7.4 and 7.5.

use super::{Point, Search, Why, wolfe};
use crate::Result;
use crate::fit::matrix::{add, dot};
use std::collections::VecDeque;
use std::mem::swap;

/// The smallest cosine of the angle between `s` and `y` of a pair that is kept. It is `2 / sqrt(kappa)` or more on a
/// quadratic of condition `kappa`, which double precision limits to 1e16.
const COSINE: f64 = 1e-8;

/// A step: `s`, `y` and `1 / s.y`.
struct Pair {
    s: Vec<f64>,
    y: Vec<f64>,
    rho: f64,
}

pub(super) fn minimize(search: &mut Search<'_>, mut point: Point, memory: usize) -> Result<(Point, Why)> {
    let mut pairs = VecDeque::new();
    let (mut next, mut trial) = (point.clone(), point.clone());
    let mut direction = vec![0.0; point.x.len()];
    loop {
        let mut first = 1.0;
        if !pairs.is_empty() {
            descend(&pairs, &point.gradient, &mut direction);
            // Rounding can turn the direction upwards, or make it useless.
            let slope = dot(&point.gradient, &direction);
            if !(slope < 0.0 && slope.is_finite()) {
                pairs.clear();
            }
        }
        if pairs.is_empty() {
            direction.iter_mut().zip(&point.gradient).for_each(|(d, g)| *d = -g);
            first = first_step(&point);
        }
        if !wolfe::search(search, &point, &direction, first, &mut next, &mut trial)? {
            if search.is_spent() {
                return Ok((point, Why::Evaluations));
            }
            if pairs.is_empty() {
                return Ok((point, Why::NoStep));
            }
            pairs.clear(); // tries the gradient's own direction
            continue;
        }
        remember(&mut pairs, &point, &next, memory);
        swap(&mut point, &mut next);
        if let Some(why) = search.accept(next.value, &point) {
            return Ok((point, why));
        }
    }
}

/// The two loops: writes `-H gradient`.
fn descend(pairs: &VecDeque<Pair>, gradient: &[f64], direction: &mut [f64]) {
    direction.iter_mut().zip(gradient).for_each(|(d, g)| *d = -g);
    let mut alphas = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let alpha = pair.rho * dot(&pair.s, direction);
        add(direction, &pair.y, -alpha);
        alphas.push(alpha);
    }
    if let Some(newest) = pairs.back() {
        let scale = 1.0 / (newest.rho * dot(&newest.y, &newest.y));
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for (pair, alpha) in pairs.iter().zip(alphas.iter().rev()) {
        let beta = pair.rho * dot(&pair.y, direction);
        add(direction, &pair.s, alpha - beta);
    }
}

/// Keeps the step from `point` to `next` if the function curves upwards along it.
fn remember(pairs: &mut VecDeque<Pair>, point: &Point, next: &Point, memory: usize) {
    let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>();
    let (s, y) = (difference(&next.x, &point.x), difference(&next.gradient, &point.gradient));
    let (sy, rho) = (dot(&s, &y), 1.0 / dot(&s, &y));
    if sy > COSINE * (dot(&s, &s) * dot(&y, &y)).sqrt() && rho.is_finite() {
        if pairs.len() >= memory {
            pairs.pop_front();
        }
        pairs.push_back(Pair { s, y, rho });
    }
}

/// A first step along the gradient, as a factor of it: to the minimum of a parabola whose least value is 0, as most
/// losses have, but no longer than `x`, or than 1. It does not depend on the unit of the value.
fn first_step(point: &Point) -> f64 {
    let squared = dot(&point.gradient, &point.gradient);
    let longest = dot(&point.x, &point.x).sqrt().max(1.0) / squared.sqrt();
    let parabola = 2.0 * point.value.abs() / squared;
    let step = if parabola > 0.0 { parabola.min(longest) } else { longest };
    // Squares of tiny or huge gradients leave the range of numbers; the line search finds the scale.
    if step.is_finite() && step > 0.0 { step } else { 1.0 / point.gradient_norm().max(f64::MIN_POSITIVE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: [f64; 3], gradient: [f64; 3]) -> Point {
        Point { x: x.into(), value: 0.0, gradient: gradient.into() }
    }

    /// The inverse Hessian maps the newest `y` to its `s`, whatever the older pairs are; at most `memory` are kept.
    #[test]
    fn the_newest_pair_satisfies_the_secant_equation() {
        let points = [
            point([0.0; 3], [1.0, -2.0, 0.5]),
            point([1.0, 0.5, -1.0], [4.0, -1.0, -3.0]),
            point([0.5, 2.0, 1.0], [2.5, 6.0, 2.0]),
            point([2.0, 1.0, 1.5], [9.0, 3.0, 4.5]),
        ];
        let mut pairs = VecDeque::new();
        for ends in points.windows(2) {
            remember(&mut pairs, &ends[0], &ends[1], 2);
            let newest = pairs.back().expect("curves upwards");
            let mut direction = vec![0.0; 3];
            descend(&pairs, &newest.y, &mut direction);
            let off = direction.iter().zip(&newest.s).fold(0.0, |most: f64, (d, s)| most.max((d + s).abs()));
            assert!(off < 1e-14, "{off}");
        }
        assert_eq!(pairs.len(), 2);
    }

    /// A pair that curves downwards, or within rounding not at all, would turn the direction upwards.
    #[test]
    fn pairs_that_do_not_curve_upwards_are_left_out() {
        let mut pairs = VecDeque::new();
        let start = point([0.0; 3], [0.0; 3]);
        for gradient in [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1e-9, 1.0, 0.0], [0.0; 3], [1e-320, 0.0, 0.0]] {
            remember(&mut pairs, &start, &point([1.0, 0.0, 0.0], gradient), 5);
            assert!(pairs.is_empty(), "{gradient:?}");
        }
        remember(&mut pairs, &start, &point([1.0, 0.0, 0.0], [1e-3, 1.0, 0.0]), 5);
        assert_eq!(pairs.len(), 1);
    }
}
