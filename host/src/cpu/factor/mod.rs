//! A kernel as a sum of separable kernels.
//!
//! ```text
//! w[t, r, c] ~ sum_k u_k[t] v_k[r] h_k[c],    |w - sum| <= tolerance |w|    (Frobenius norms)
//! ```
//! The singular values of the matrix (time) x (row, col) give the terms in time; those of each term's (row) x (col) matrix
//! give the terms in space. All terms are orthogonal, so the squared error is the sum of the squares of the omitted terms.
//! Over both levels, the smallest terms are omitted while the tolerance allows it. The same is tried with rows and with
//! columns in the place of time, and with two terms that are not orthogonal (`pair`). The shortest sum is used; if it
//! reaches the rank of one of the matrices, no sum is shorter. Three terms of three axes that are not orthogonal take up to
//! nine.
//!
//! - Reference for nested singular values: L. De Lathauwer, B. De Moor, J. Vandewalle 2000,
//!   doi:10.1137/S0895479896305696.
//! - IEEE operations in a fixed order: the same bits on every platform.
//! - Time for a kernel of one or two terms (one core at 2 to 3 GHz): 0.01 ms for 31 x 31, 0.04 ms for 63 x 63, 1 to 3 ms for
//!   20 x 64 x 64. Noise is rejected after 2 to 4 ms for 20 x 64 x 64, and after 150 ms for 100 x 100 x 100.

mod pair;
mod svd;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use svd::{Dyad, add, dot, svd};

/// A tolerance that preserves the precision of an `f32` weight.
///
/// Rounding to 24 bits changes a weight by up to 6e-8 of itself; computing it in `f32` changes it by a few times that.
/// Gaussians along the axes, differences of two Gaussians, Gabors and exponentials in time need the same number of terms for
/// every tolerance from 2e-7 to 1e-4, with errors of 1e-9 to 1.5e-7 (5 x 5 to 127 x 127, 8 x 9 x 9 to 60 x 64 x 64). Below
/// 1e-7 rounding needs additional terms: a difference of two Gaussians of 127 x 127 computed in `f32` takes 2 terms at 1e-7,
/// but 8 at 5e-8.
pub(crate) const TOLERANCE: f64 = 1e-6;

/// The largest number of terms. A kernel for which more would pay off is faster in the frequency domain.
const MAX_TERMS: usize = 32;

/// Share of the squared tolerance for omitted terms; the rest is for [`REST`] and for rounding.
const TRUNCATION: f64 = 0.75;

/// Share of the squared tolerance, at each level, below which singular values are not computed.
const REST: f64 = 1.0 / 16.0;

/// A set of kernels `(out, in / groups, time, row, col)`, each a sum of `terms` separable kernels, the largest first.
///
/// The vectors of a term have the same norm, except along axes of one sample, where they hold 1. Terms that a kernel does
/// not need are 0. The sign is in time, or in the first axis of more than one sample: in every other vector, the first of
/// the largest values is positive. A kernel with one axis is its own vector.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Factors {
    /// Terms of each kernel.
    pub(crate) terms: usize,
    /// `(out, in / groups, term, time)`.
    pub(crate) time: Vec<f32>,
    /// `(out, in / groups, term, row)`.
    pub(crate) rows: Vec<f32>,
    /// `(out, in / groups, term, col)`.
    pub(crate) cols: Vec<f32>,
    /// Norm of the difference between a kernel and the sum of its stored terms, relative to the norm of the kernel: the
    /// largest of all kernels.
    pub(crate) error: f64,
}

impl Factors {
    /// The factors in the form that core takes.
    pub(crate) fn borrow(&self) -> foveola_core::Factors<'_> {
        let Self { terms, time, rows, cols, .. } = self;
        foveola_core::Factors { terms: *terms, time, rows, cols }
    }
}

/// A separable kernel: `weight` times the outer product of unit vectors over time, rows and columns.
#[derive(Clone, Debug)]
struct Term {
    weight: f64,
    axes: [Vec<f64>; 3],
}

/// The terms of a kernel in single precision, and their error.
struct Sum {
    terms: Vec<[Vec<f32>; 3]>,
    error: f64,
}

/// Writes each kernel of a set as a sum of separable kernels. Equal kernels are factored once.
///
/// None if a kernel has no sum within the tolerance that takes fewer multiplications than its taps (a single term is always
/// accepted), if there are no weights or `shape` does not match them, or if a weight is not finite.
pub(crate) fn factor(weights: &[f32], shape: [usize; 5], tolerance: f64) -> Option<Factors> {
    let [.., t, r, c] = shape;
    let len = shape.iter().try_fold(1_usize, |n, len| n.checked_mul(*len));
    let valid = !weights.is_empty() && len == Some(weights.len()) && tolerance >= 0.0;
    if !valid || weights.iter().any(|w| !w.is_finite()) {
        return None;
    }
    let tolerance = tolerance.min(1.0); // the error without any terms is 1
    let mut known = HashMap::new();
    let mut sums = Vec::new();
    let mut pairs = Vec::new(); // the sum of each pair of channels
    for kernel in weights.chunks_exact(t * r * c) {
        let bits: Vec<u32> = kernel.iter().map(|w| w.to_bits()).collect();
        pairs.push(match known.entry(bits) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                sums.push(separate(kernel, [t, r, c], tolerance)?);
                *entry.insert(sums.len() - 1)
            }
        });
    }
    let terms = sums.iter().map(|sum| sum.terms.len()).fold(1, usize::max);
    let axis = |axis: usize, len: usize| -> Vec<f32> {
        let mut out = vec![0.0; pairs.len() * terms * len];
        for (pair, out) in pairs.iter().zip(out.chunks_exact_mut(terms * len)) {
            for (term, out) in sums[*pair].terms.iter().zip(out.chunks_exact_mut(len)) {
                out.copy_from_slice(&term[axis]);
            }
        }
        out
    };
    let error = sums.iter().map(|sum| sum.error).fold(0.0, f64::max);
    Some(Factors { terms, time: axis(0, t), rows: axis(1, r), cols: axis(2, c), error })
}

/// The largest number of terms that can pay off: more take as many multiplications as the taps.
fn limit([t, r, c]: [usize; 3]) -> usize {
    ((t * r * c - 1) / (t + r + c)).clamp(1, MAX_TERMS)
}

/// The shortest sum found for one kernel.
fn separate(kernel: &[f32], size: [usize; 3], tolerance: f64) -> Option<Sum> {
    let largest = kernel.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
    if largest == 0.0 {
        return Some(Sum { terms: Vec::new(), error: 0.0 });
    }
    if let Some(axis) = (0..3).rev().find(|axis| size[*axis] == kernel.len()) {
        let mut term = [const { Vec::new() }; 3].map(|_: Vec<f32>| vec![1.0]);
        term[axis] = kernel.to_vec();
        return Some(Sum { terms: vec![term], error: 0.0 });
    }
    let scale = f64::from(largest);
    let unit: Vec<f64> = kernel.iter().map(|w| f64::from(*w) / scale).collect();
    let norm = dot(&unit, &unit).sqrt();
    let most = limit(size);
    let budget = (tolerance * norm) * (tolerance * norm);
    let finish = |terms: Vec<Term>| rounded(&unit, norm, scale, terms, tolerance, most);

    let time = nested(&unit, size, 0, budget, most)?;
    if time.terms.is_empty() && time.rank != 2 {
        return None;
    }
    let found = finish(time.terms);
    if size.contains(&1) || found.as_ref().is_some_and(|sum| sum.terms.len() <= time.rank) {
        return found; // no sum has fewer terms than the matrix has singular values
    }
    let others = [1, 2].map(|axis| nested(&unit, size, axis, budget, most));
    let mut candidates = vec![found];
    if let [Some(rows), Some(cols)] = others {
        if let (Some(t), Some(r), Some(c)) = (two(time.basis), two(rows.basis), two(cols.basis)) {
            candidates.push(pair::pair(&unit, &[t, r, c]).and_then(&finish));
        }
        candidates.extend([finish(rows.terms), finish(cols.terms)]);
    }
    candidates.into_iter().flatten().reduce(|best, next| if next.terms.len() < best.terms.len() { next } else { best })
}

/// The orthogonal terms of a kernel.
struct Nested {
    /// The terms, the largest first. None if there are too many.
    terms: Vec<Term>,
    /// The number of singular values of the first matrix that the tolerance requires.
    rank: usize,
    /// Their vectors along the first axis.
    basis: Vec<Vec<f64>>,
}

/// Singular values of the matrix (first axis) x (others), and of each of their vectors over the other axes. None if `most`
/// are not enough for the matrix.
fn nested(kernel: &[f64], size: [usize; 3], first: usize, budget: f64, most: usize) -> Option<Nested> {
    let second = usize::from(first == 0);
    let third = 3 - first - second;
    let strides = [size[1] * size[2], size[2], 1];
    let mut turned = Vec::with_capacity(kernel.len());
    for a in 0..size[first] {
        for b in 0..size[second] {
            let start = a * strides[first] + b * strides[second];
            turned.extend((0..size[third]).map(|e| kernel[start + e * strides[third]]));
        }
    }
    // Pivoting needs a few more directions than singular values: a heuristic, not a bound.
    let directions = most + most / 4 + 2;
    let dyads = svd(&turned, size[first], REST * budget, directions)?;
    let rank = needed(dyads.iter().map(|dyad| dyad.weight), budget);
    if rank > most {
        return None;
    }
    let basis = dyads.iter().take(rank).map(|dyad| dyad.left.clone()).collect();
    let rest = REST * budget / dyads.len() as f64;
    let (mut terms, mut count) = (Vec::new(), 0);
    for Dyad { weight, left, right } in dyads {
        let Some(inner) = svd(&right, size[second], rest / (weight * weight), directions) else {
            terms.clear();
            break;
        };
        // For this part alone, the tolerance requires at least these terms.
        count += needed(inner.iter().map(|dyad| weight * dyad.weight), budget);
        if count > most {
            terms.clear();
            break;
        }
        for dyad in inner {
            let mut axes = [const { Vec::new() }; 3];
            axes[first].clone_from(&left);
            axes[second] = dyad.left;
            axes[third] = dyad.right;
            terms.push(Term { weight: weight * dyad.weight, axes });
        }
    }
    terms.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    Some(Nested { terms, rank, basis })
}

/// How many of the orthogonal terms, the largest first, the tolerance requires.
fn needed(weights: impl DoubleEndedIterator<Item = f64> + ExactSizeIterator, budget: f64) -> usize {
    let count = weights.len();
    let mut squares = 0.0;
    let dropped = weights.rev().take_while(|weight| {
        squares += weight * weight;
        squares <= TRUNCATION * budget
    });
    count - dropped.count()
}

/// The two vectors of `basis`; none if it does not have exactly two.
fn two(basis: Vec<Vec<f64>>) -> Option<[Vec<f64>; 2]> {
    basis.try_into().ok()
}

/// The first terms in single precision, as many as the tolerance requires; none if these are more than `most`.
fn rounded(kernel: &[f64], norm: f64, scale: f64, terms: Vec<Term>, tolerance: f64, most: usize) -> Option<Sum> {
    let mut rest = kernel.to_vec();
    let mut sum = Sum { terms: Vec::new(), error: 1.0 };
    for term in terms.iter().take(most) {
        let term = term.rounded(scale);
        let [time, rows, cols] = &term;
        let cols: Vec<f64> = cols.iter().map(|h| f64::from(*h)).collect();
        for (n, line) in rest.chunks_exact_mut(cols.len()).enumerate() {
            let (t, r) = (time[n / rows.len()], rows[n % rows.len()]);
            add(line, &cols, -f64::from(t) * f64::from(r) / scale);
        }
        sum.terms.push(term);
        sum.error = dot(&rest, &rest).sqrt() / norm;
        if sum.error <= tolerance {
            return Some(sum);
        }
    }
    None
}

impl Term {
    /// The three vectors of the term, multiplied by `scale`.
    fn rounded(&self, scale: f64) -> [Vec<f32>; 3] {
        let weight = self.weight * scale;
        let long = self.axes.each_ref().map(|axis| axis.len() > 1);
        let length = match long.iter().filter(|long| **long).count() {
            3 => libm::cbrt(weight),
            2 => weight.sqrt(),
            _ => weight,
        };
        let mut signs = self.axes.each_ref().map(|axis| sign(axis));
        let first = long.iter().position(|long| *long).unwrap_or(2);
        signs[first] = (0..3).filter(|axis| *axis != first).map(|axis| signs[axis]).product();
        [0, 1, 2].map(|n| {
            let factor = if long[n] || n == first { signs[n] * length } else { signs[n] };
            self.axes[n].iter().map(|x| (x * factor) as f32).collect()
        })
    }
}

/// The sign of the first of the largest values; the values of a symmetric vector may differ by rounding.
fn sign(vector: &[f64]) -> f64 {
    let most = vector.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    vector.iter().find(|x| x.abs() >= 0.999 * most).map_or(1.0, |x| x.signum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_pcg::Pcg64Mcg;
    use rand_pcg::rand_core::{Rng, SeedableRng};

    /// Samples of a function over an axis that is centred on 0 and ends at -1 and 1.
    fn axis(len: usize, f: impl Fn(f64) -> f64) -> Vec<f64> {
        (0..len).map(|n| f(if len == 1 { 0.0 } else { 2.0 * n as f64 / (len - 1) as f64 - 1.0 })).collect()
    }

    fn gauss(len: usize, sigma: f64) -> Vec<f64> {
        axis(len, |x| (-0.5 * x * x / (sigma * sigma)).exp())
    }

    fn decay(len: usize, tau: f64) -> Vec<f64> {
        axis(len, |x| ((x - 1.0) / tau).exp())
    }

    fn random(random: &mut Pcg64Mcg, len: usize) -> Vec<f64> {
        (0..len).map(|_| f64::from(random.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0).collect()
    }

    /// The sum of outer products, rounded once.
    fn sum(terms: &[[&[f64]; 3]]) -> (Vec<f32>, [usize; 5]) {
        let [t, r, c] = terms[0].map(<[f64]>::len);
        let at = |n: usize| -> f64 { terms.iter().map(|[u, v, h]| u[n / c / r] * v[n / c % r] * h[n % c]).sum() };
        ((0..t * r * c).map(|n| at(n) as f32).collect(), [1, 1, t, r, c])
    }

    /// Norm of the difference between `weights` and the product of the factors, relative, for the worst kernel.
    fn error(weights: &[f32], [.., t, r, c]: [usize; 5], f: &Factors) -> f64 {
        let kernels = weights.chunks_exact(t * r * c).enumerate();
        let errors = kernels.map(|(pair, kernel)| {
            let product = |n: usize, k: usize| {
                let (k, a, b, e) = (pair * f.terms + k, n / c / r, n / c % r, n % c);
                f64::from(f.time[k * t + a]) * f64::from(f.rows[k * r + b]) * f64::from(f.cols[k * c + e])
            };
            let squares = kernel.iter().enumerate().fold([0.0, 0.0], |[rest, norm], (n, w)| {
                let w = f64::from(*w);
                let d = w - (0..f.terms).map(|k| product(n, k)).sum::<f64>();
                [rest + d * d, norm + w * w]
            });
            if squares[1] > 0.0 { (squares[0] / squares[1]).sqrt() } else { squares[0] }
        });
        errors.fold(0.0, f64::max)
    }

    /// Factors whose error is as reported, and within the tolerance.
    fn checked(name: &str, weights: &[f32], shape: [usize; 5], tolerance: f64) -> Factors {
        let factors = factor(weights, shape, tolerance).unwrap_or_else(|| panic!("{name}: no factors"));
        let [o, i, t, r, c] = shape;
        let lens = [factors.time.len(), factors.rows.len(), factors.cols.len()];
        assert_eq!(lens, [t, r, c].map(|len| o * i * factors.terms * len), "{name}: lengths");
        let error = error(weights, shape, &factors);
        assert!((error - factors.error).abs() <= 1e-12 + 1e-6 * error, "{name}: {error:e}, not {:e}", factors.error);
        assert!(error <= tolerance, "{name}: {error:e}");
        factors
    }

    fn terms(name: &str, (weights, shape): &(Vec<f32>, [usize; 5])) -> usize {
        checked(name, weights, *shape, TOLERANCE).terms
    }

    #[test]
    fn kernels_of_early_vision() {
        let one = [1.0];
        let (narrow, wide) = (gauss(31, 0.2), gauss(31, 0.4));
        let half: Vec<f64> = wide.iter().map(|w| -0.5 * w).collect();
        let (fast, slow) = (decay(20, 0.1), decay(20, 0.4));
        let waves = [f64::cos, f64::sin].map(|f| axis(31, |x| (-8.0 * x * x).exp() * f(9.0 * x)));
        let gabor = [[&one[..], &waves[0], &waves[0]], [&one, &waves[1], &waves[1]]];
        let moving = [0, 1].map(|n| [&waves[n][..], &narrow, &waves[n]]);
        let cases = [
            ("box", sum(&[[&[1.0; 3], &[1.0; 5], &[1.0; 5]]]), 1),
            ("binomial", sum(&[[&one, &[1.0, 2.0, 1.0], &[1.0, 2.0, 1.0]]]), 1),
            ("Sobel", sum(&[[&one, &[1.0, 2.0, 1.0], &[-1.0, 0.0, 1.0]]]), 1),
            ("Gaussian", sum(&[[&one, &narrow, &wide]]), 1),
            ("exponential x Gaussian", sum(&[[&slow, &narrow, &narrow]]), 1),
            ("DoG", sum(&[[&one, &narrow, &narrow], [&one, &wide, &half]]), 2),
            ("DoG in time and space", sum(&[[&fast, &narrow, &narrow], [&slow, &wide, &half]]), 2),
            ("oblique Gabor", sum(&gabor), 2),
            ("moving grating", sum(&moving), 2),
        ];
        for (name, kernel, expected) in cases {
            assert_eq!(terms(name, &kernel), expected, "{name}");
        }
    }

    #[test]
    fn random_kernels_of_low_rank() {
        let mut seed = Pcg64Mcg::seed_from_u64(2);
        for size in [[1, 9, 9], [9, 1, 8], [7, 9, 1], [5, 12, 9], [4, 11, 12], [12, 4, 5], [3, 3, 3]] {
            for rank in 1..=3 {
                for _ in 0..20 {
                    let vectors: Vec<[Vec<f64>; 3]> =
                        (0..rank).map(|_| size.map(|len| random(&mut seed, len))).collect();
                    let views: Vec<[&[f64]; 3]> = vectors.iter().map(|v| v.each_ref().map(Vec::as_slice)).collect();
                    let (name, kernel) = (format!("rank {rank} of {size:?}"), sum(&views));
                    if rank == 3 && limit(size) < if size.contains(&1) { 3 } else { 9 } {
                        continue;
                    }
                    let (found, matrix) = (terms(&name, &kernel), size.contains(&1));
                    // Three terms of three axes: nested singular values need up to three for each.
                    assert!(found == rank || !matrix && rank == 3 && found <= 9, "{name}: {found} terms");
                }
            }
        }
    }

    #[test]
    fn what_does_not_pay_off() {
        let mut seed = Pcg64Mcg::seed_from_u64(3);
        for shape in [[1, 1, 1, 5, 5], [1, 1, 1, 2, 2], [1, 1, 3, 3, 3], [1, 1, 20, 24, 24], [1, 1, 1, 63, 63]] {
            let noise: Vec<f32> = random(&mut seed, shape.iter().product()).iter().map(|w| *w as f32).collect();
            assert_eq!(factor(&noise, shape, TOLERANCE), None, "{shape:?}");
            // One noise kernel in a set is enough.
            let bank = [vec![1.0; noise.len()], noise].concat();
            assert_eq!(factor(&bank, [2, 1, shape[2], shape[3], shape[4]], TOLERANCE), None, "bank of {shape:?}");
        }
    }

    #[test]
    fn what_is_not_a_bank() {
        let cases: [(&[f32], [usize; 5], f64); 7] = [
            (&[], [0, 1, 1, 1, 1], 0.0),
            (&[], [1, 1, 0, 3, 3], 0.0),
            (&[1.0; 8], [1, 1, 1, 3, 3], 0.0),
            (&[1.0, f32::NAN], [1, 1, 1, 1, 2], 0.0),
            (&[1.0, f32::INFINITY], [1, 1, 1, 1, 2], 0.0),
            (&[1.0], [1; 5], f64::NAN),
            (&[1.0], [usize::MAX, usize::MAX, 1, 1, 1], 0.0),
        ];
        for (weights, shape, tolerance) in cases {
            assert_eq!(factor(weights, shape, tolerance), None, "{weights:?} as {shape:?}");
        }
    }

    #[test]
    fn kernels_of_one_axis_are_themselves() {
        let kernel = [0.1, -0.3, 0.7, 0.2];
        for axis in 0..3 {
            let mut shape = [1; 5];
            shape[2 + axis] = 4;
            let f = checked("one axis", &kernel, shape, 0.0);
            let mut vectors = [f.time, f.rows, f.cols];
            assert_eq!(std::mem::take(&mut vectors[axis]), kernel, "axis {axis}");
            vectors[axis] = vec![1.0];
            assert_eq!((f.terms, vectors), (1, [0; 3].map(|_| vec![1.0])), "axis {axis}");
        }
        let f = checked("one tap", &[-3.5], [1; 5], 0.0);
        assert_eq!((f.terms, f.time, f.rows, f.cols), (1, vec![1.0], vec![1.0], vec![-3.5]));
    }

    #[test]
    fn zeros_have_one_term_of_zeros() {
        let f = checked("zeros", &[0.0; 18], [1, 1, 2, 3, 3], TOLERANCE);
        assert_eq!((f.terms, f.error), (1, 0.0));
        assert_eq!((f.time, f.rows, f.cols), (vec![0.0; 2], vec![0.0; 3], vec![0.0; 3]));
    }

    #[test]
    fn extreme_weights() {
        let (narrow, wide) = (gauss(15, 0.3), gauss(15, 0.5));
        for scale in [1e30, 3e38, 1e-30, 1e-33] {
            let time: Vec<f64> = decay(9, 0.5).iter().map(|u| u * scale).collect();
            let one = [scale];
            let cases = [
                ("one term", sum(&[[&time, &narrow, &wide]]), 1),
                ("two terms", sum(&[[&one, &narrow, &wide], [&one, &wide, &narrow]]), 2),
            ];
            for (name, (weights, shape), expected) in cases {
                // A sum of two terms of 3e38 is infinite.
                let weights: Vec<f32> = weights.iter().map(|w| w.min(f32::MAX)).collect();
                if expected == 2 && scale > 1e38 {
                    continue;
                }
                let f = checked(name, &weights, shape, TOLERANCE);
                assert_eq!(f.terms, expected, "{name} of {scale:e}");
                let all = [f.time, f.rows, f.cols].concat();
                assert!(all.iter().all(|x| *x == 0.0 || x.is_normal() && x.abs() < 1e20), "{name} of {scale:e}");
            }
        }
        // Subnormal weights have few bits: any result is within its bounds.
        let subnormal = sum(&[[&[1e-42][..], &narrow, &wide]]).0;
        for tolerance in [TOLERANCE, 0.1, 2.0] {
            if let Some(f) = factor(&subnormal, [1, 1, 1, 15, 15], tolerance) {
                assert!(f.error <= tolerance, "{:e}", f.error);
            }
        }
        let wild: Vec<f32> = (0..75).map(|n| [f32::MAX, f32::MIN_POSITIVE, -1.0, 0.0][n % 4]).collect();
        for tolerance in [0.0, TOLERANCE, 0.5] {
            let _ = factor(&wild, [1, 1, 3, 5, 5], tolerance);
        }
    }

    #[test]
    fn banks_are_padded_with_zeros_and_copies_factored_once() {
        let one = [1.0];
        let (narrow, wide) = (gauss(9, 0.3), gauss(9, 0.6));
        let single = sum(&[[&one, &narrow, &wide]]).0;
        let double = sum(&[[&one, &narrow, &narrow], [&one, &wide, &wide]]).0;
        let bank = [&single[..], &double, &[0.0; 81], &single, &double, &single].concat();
        let f = checked("bank", &bank, [3, 2, 1, 9, 9], TOLERANCE);
        assert_eq!(f.terms, 2);
        assert_eq!(f.rows[9..18], [0.0; 9], "the second term of the first kernel");
        assert_eq!(f.rows[4 * 9..6 * 9], [0.0; 18], "the kernel of zeros");
        assert_eq!(f.rows[..18], f.rows[6 * 9..8 * 9], "copies");
        assert_eq!(f.time, [1., 0., 1., 1., 0., 0., 1., 0., 1., 1., 1., 0.], "one frame");
        assert!(f.rows.iter().chain(&f.cols[..18]).all(|x| *x >= -0.9), "lengths are balanced");
    }

    #[test]
    fn the_largest_term_comes_first_and_time_bears_the_sign() {
        let (narrow, wide) = (gauss(9, 0.3), gauss(9, 0.6));
        let time: Vec<f64> = decay(5, 0.3).iter().map(|u| -u).collect();
        let (weights, shape) = sum(&[[&time, &narrow, &wide], [&decay(5, 0.9), &wide, &narrow]]);
        let f = checked("signs", &weights, shape, TOLERANCE);
        let norm = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().sqrt();
        let norms: Vec<[f32; 3]> = (0..f.terms)
            .map(|k| [norm(&f.time[k * 5..][..5]), norm(&f.rows[k * 9..][..9]), norm(&f.cols[k * 9..][..9])])
            .collect();
        for lengths in &norms {
            assert!(lengths.iter().all(|x| (x / lengths[0] - 1.0).abs() < 1e-5), "lengths differ: {lengths:?}");
        }
        assert!(norms.is_sorted_by(|a, b| a[0] >= b[0]), "{norms:?}");
        for vector in f.rows.chunks_exact(9).chain(f.cols.chunks_exact(9)) {
            let vector: Vec<f64> = vector.iter().map(|x| f64::from(*x)).collect();
            assert!(sign(&vector) > 0.0, "{vector:?}");
        }
    }
}
