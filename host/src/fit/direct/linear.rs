//! Symmetric matrices: eigenvalues and eigenvectors.
//!
//! ```text
//! A = W' D W                      the rows of W are eigenvectors
//! ```
//! Eigenvalues: Householder reflections make `A` tridiagonal, then implicit QR steps with Wilkinson's shift make it
//! diagonal. Their error is a few `2^-53 |A|`. All matrices are square, row-major, in `f64`; sums have a fixed order.
//!
//! Cost for `n` rows, in multiply-adds: eigenvalues `n^3`; with vectors about `5 n^3`.
//!
//! Reference: G. H. Golub, C. F. Van Loan, Matrix Computations, 4th edition, section 8.3.

use crate::fit::matrix::{add, dot};

/// The part of a diagonal element, after the columns before it are eliminated, below which its column counts as a
/// combination of them. A pixel that is computed from others in `f32` differs from their combination by `2^-24`, whose
/// square is 4e-15.
pub(super) const DEPENDENT: f64 = 1e-12;

/// QR steps per eigenvalue at most. One or two are usual: they converge cubically.
const MOST_STEPS: usize = 60;

/// The eigenvalues of a symmetric matrix in descending order, and their eigenvectors as rows of unit length, if asked.
#[derive(Clone, Debug)]
pub(super) struct Eigen {
    pub(super) values: Vec<f64>,
    /// `n x n`; empty without vectors.
    pub(super) vectors: Vec<f64>,
}

/// None if the QR steps do not converge, which happens only for matrices that are not finite.
pub(super) fn eigen(mut matrix: Vec<f64>, n: usize, with_vectors: bool) -> Option<Eigen> {
    if matrix.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let (mut diagonal, mut off, reflectors) = tridiagonal(&mut matrix, n);
    let mut vectors = if with_vectors { product(&reflectors, n) } else { Vec::new() };
    diagonalize(&mut diagonal, &mut off, &mut vectors)?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| diagonal[*b].total_cmp(&diagonal[*a]));
    let values = order.iter().map(|k| diagonal[*k]).collect();
    let vectors =
        if with_vectors { order.iter().flat_map(|k| &vectors[k * n..][..n]).copied().collect() } else { vectors };
    Some(Eigen { values, vectors })
}

/// The diagonal and the off-diagonal of `T = Q' A Q`, and the unit vectors of the reflections whose product is `Q`. The
/// reflection `k` acts on the rows from `k + 1`; an empty vector is the identity.
fn tridiagonal(matrix: &mut [f64], n: usize) -> (Vec<f64>, Vec<f64>, Vec<Vec<f64>>) {
    let (mut off, mut reflectors) = (Vec::new(), Vec::new());
    for k in 0..n.saturating_sub(1) {
        let mut v = matrix[k * n + k + 1..][..n - k - 1].to_vec();
        let first = v[0];
        let length = reflector(&mut v);
        // A column that is zero below the off-diagonal needs no reflection.
        if v.is_empty() {
            off.push(first);
            reflectors.push(v);
            continue;
        }
        off.push(length);
        // A - v q' - q v', with q = 2 (p - (v' p) v) and p = A v.
        let block = |row: usize| (k + 1 + row) * n + k + 1..(k + 2 + row) * n;
        let mut q: Vec<f64> = (0..v.len()).map(|row| dot(&matrix[block(row)], &v)).collect();
        let along = dot(&v, &q);
        q.iter_mut().zip(&v).for_each(|(q, v)| *q = 2.0 * (*q - along * v));
        for row in 0..v.len() {
            let (vi, qi) = (v[row], q[row]);
            for ((a, v), q) in matrix[block(row)].iter_mut().zip(&v).zip(&q) {
                *a -= vi * q + qi * v;
            }
        }
        reflectors.push(v);
    }
    ((0..n).map(|k| matrix[k * n + k]).collect(), off, reflectors)
}

/// Replaces `x` by the unit vector `v` for which `x - 2 (v' x) v = (alpha, 0, 0, ...)`, and returns `alpha`. `v` is
/// empty if `x` has this form already.
pub(super) fn reflector(x: &mut Vec<f64>) -> f64 {
    let first = x[0];
    let largest = x[1..].iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    if largest == 0.0 {
        x.clear();
        return first;
    }
    let scale = largest.max(first.abs());
    x.iter_mut().for_each(|x| *x /= scale);
    let alpha = -dot(x, x).sqrt().copysign(first);
    x[0] -= alpha;
    let length = dot(x, x).sqrt();
    x.iter_mut().for_each(|x| *x /= length);
    alpha * scale
}

/// `x - 2 (v' x) v`.
pub(super) fn reflect(x: &mut [f64], v: &[f64]) {
    let along = dot(x, v);
    add(x, v, -2.0 * along);
}

/// `Q'`, the product of the reflections in reverse order.
fn product(reflectors: &[Vec<f64>], n: usize) -> Vec<f64> {
    let mut rows = vec![0.0; n * n];
    rows.iter_mut().step_by(n + 1).for_each(|x| *x = 1.0);
    for (k, v) in reflectors.iter().enumerate().rev().filter(|(_, v)| !v.is_empty()) {
        // The rows above are those of the identity, which have no part in the reflection.
        rows[(k + 1) * n..].chunks_exact_mut(n).for_each(|row| reflect(&mut row[k + 1..], v));
    }
    rows
}

/// QR steps until the off-diagonal is zero within rounding. Rotates the rows of `vectors` along, if there are any.
fn diagonalize(d: &mut [f64], e: &mut [f64], vectors: &mut [f64]) -> Option<()> {
    let n = d.len();
    let scale = d.iter().chain(&*e).fold(0.0_f64, |most, x| most.max(x.abs()));
    let negligible = 0.5 * f64::EPSILON * scale;
    let (mut hi, mut steps) = (n.saturating_sub(1), 0);
    while hi > 0 {
        if e[hi - 1].abs() <= negligible {
            (hi, steps) = (hi - 1, 0);
            continue;
        }
        if steps == MOST_STEPS {
            return None;
        }
        steps += 1;
        let lo = (1..hi).rev().find(|k| e[k - 1].abs() <= negligible).unwrap_or(0);
        qr_step(d, e, lo, hi, vectors);
    }
    Some(())
}

/// One QR step on the block `lo ..= hi`: the first rotation is that of `T - shift`; the others move the element that it
/// creates beside the off-diagonal down and out.
fn qr_step(d: &mut [f64], e: &mut [f64], lo: usize, hi: usize, vectors: &mut [f64]) {
    let n = d.len();
    let (half, last) = (0.5 * (d[hi - 1] - d[hi]), e[hi - 1]);
    // The eigenvalue of the last 2 x 2 block that is closer to its last element.
    let shift = d[hi] - last * (last / (half + half.hypot(last).copysign(half)));
    let (mut x, mut z) = (d[lo] - shift, e[lo]);
    for k in lo..hi {
        let r = x.hypot(z);
        let (cos, sin) = if r == 0.0 { (1.0, 0.0) } else { (x / r, z / r) };
        if k > lo {
            e[k - 1] = r;
        }
        let (a, b, c) = (d[k], e[k], d[k + 1]);
        let cross = 2.0 * cos * sin * b;
        d[k] = cos * cos * a + cross + sin * sin * c;
        d[k + 1] = sin * sin * a - cross + cos * cos * c;
        e[k] = (cos * cos - sin * sin) * b + cos * sin * (c - a);
        if k + 1 < hi {
            z = sin * e[k + 1];
            e[k + 1] *= cos;
            x = e[k];
        }
        if !vectors.is_empty() {
            let (head, tail) = vectors.split_at_mut((k + 1) * n);
            for (a, b) in head[k * n..].iter_mut().zip(&mut tail[..n]) {
                (*a, *b) = (cos * *a + sin * *b, cos * *b - sin * *a);
            }
        }
    }
}

/// `to += sum_k factors[k] from[k]`: four at once, so that `to` is read and written less often.
pub(super) fn add_four(to: &mut [f64], from: [&[f64]; 4], factors: [f64; 4]) {
    let [a, b, c, d] = from.map(|from| &from[..to.len()]);
    for (i, to) in to.iter_mut().enumerate() {
        *to += (factors[0] * a[i] + factors[1] * b[i]) + (factors[2] * c[i] + factors[3] * d[i]);
    }
}

/// Copies the upper triangle to the lower one.
pub(super) fn mirror(matrix: &mut [f64], n: usize) {
    for i in 1..n {
        for j in 0..i {
            matrix[i * n + j] = matrix[j * n + i];
        }
    }
}

/// `A x`.
pub(super) fn times(matrix: &[f64], x: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(x.len()).map(|row| dot(row, x)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stimuli::samples::generator;
    use rand_pcg::rand_core::Rng;

    fn uniform(seed: u64, len: usize) -> Vec<f64> {
        let mut random = generator(seed);
        (0..len).map(|_| f64::from(random.next_u32()) / f64::from(u32::MAX) - 0.5).collect()
    }

    /// `B' B` of a random matrix with `rows` rows.
    fn gram(seed: u64, rows: usize, n: usize) -> Vec<f64> {
        let b = uniform(seed, rows * n);
        (0..n * n).map(|at| (0..rows).map(|k| b[k * n + at / n] * b[k * n + at % n]).sum()).collect()
    }

    fn close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance)
    }

    #[test]
    fn eigenvalues_made_by_hand() {
        let values = |matrix: &[f64], n| eigen(matrix.to_vec(), n, false).expect("finite").values;
        assert!(close(&values(&[2.0, 1.0, 1.0, 2.0], 2), &[3.0, 1.0], 1e-15));
        assert!(close(&values(&[5.0], 1), &[5.0], 0.0));
        assert!(values(&[], 0).is_empty(), "no rows");
        assert!(close(&values(&[0.0; 9], 3), &[0.0; 3], 0.0));
        // Second differences: 2 - 2 cos(k pi / (n + 1)).
        let n = 12_usize;
        let differences: Vec<f64> = (0..n * n)
            .map(|at| match (at / n).abs_diff(at % n) {
                0 => 2.0,
                1 => -1.0,
                _ => 0.0,
            })
            .collect();
        let expected: Vec<f64> =
            (1..=n).rev().map(|k| 2.0 - 2.0 * (k as f64 * std::f64::consts::PI / (n + 1) as f64).cos()).collect();
        assert!(close(&values(&differences, n), &expected, 1e-14));
        // Equal eigenvalues: 1 + ones.
        let ones: Vec<f64> = (0..25).map(|at| if at % 6 == 0 { 2.0 } else { 1.0 }).collect();
        assert!(close(&values(&ones, 5), &[6.0, 1.0, 1.0, 1.0, 1.0], 1e-14));
        assert!(eigen(vec![f64::NAN], 1, true).is_none(), "NaN");
        assert!(eigen(vec![0.0, f64::INFINITY, f64::INFINITY, 0.0], 2, false).is_none(), "infinity");
    }

    #[test]
    fn eigenvectors_are_orthonormal_and_satisfy_their_equation() {
        for n in [1, 2, 3, 5, 16, 60] {
            let scattered: Vec<f64> = {
                let x = uniform(n as u64, n * n);
                (0..n * n).map(|at| x[at] + x[at % n * n + at / n]).collect()
            };
            let diagonal = (0..n * n).map(|at| if at % (n + 1) == 0 { (at % 3) as f64 } else { 0.0 }).collect();
            for (name, matrix) in [("random", scattered), ("rank 2", gram(1, 2, n)), ("diagonal", diagonal)] {
                let Eigen { values, vectors } = eigen(matrix.clone(), n, true).expect("finite");
                assert!(values.is_sorted_by(|a, b| a >= b), "{name} {n}: {values:?}");
                assert!(close(&values, &eigen(matrix.clone(), n, false).expect("finite").values, 1e-13), "{name} {n}");
                for (k, v) in vectors.chunks_exact(n).enumerate() {
                    let scaled: Vec<f64> = v.iter().map(|v| values[k] * v).collect();
                    assert!(close(&times(&matrix, v), &scaled, 1e-13 * n as f64), "{name} {n}: vector {k}");
                    for (l, other) in vectors.chunks_exact(n).enumerate() {
                        assert!((dot(v, other) - f64::from(k == l)).abs() < 1e-13, "{name} {n}: vectors {k}, {l}");
                    }
                }
            }
        }
    }

    #[test]
    fn four_vectors_at_once() {
        let from: Vec<Vec<f64>> = (0..4).map(|seed| uniform(seed, 11)).collect();
        let factors = [1.0, -2.0, 0.5, 3.0];
        let (mut at_once, mut each) = (vec![1.0; 9], vec![1.0; 9]);
        add_four(&mut at_once, [&from[0], &from[1], &from[2], &from[3]], factors);
        from.iter().zip(factors).for_each(|(from, factor)| add(&mut each, &from[..9], factor));
        assert!(close(&at_once, &each, 1e-15));
    }
}
