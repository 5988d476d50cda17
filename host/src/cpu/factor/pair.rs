//! A kernel with two terms that are not orthogonal: a centre and a surround, each with its own time course.
//!
//! Nested singular values write `t_1 a_1 b_1' + t_2 a_2 b_2'` (row a, column b) in four terms, because the two time courses
//! are correlated and so are the two shapes. In orthonormal bases of its three axes the kernel is a cube of 2 x 2 x 2: two
//! matrices `G_k = sum_r t_rk a_r b_r'`. Where `x G_0 + y G_1` is singular it contains only one of the terms, which gives
//! the row and column of that term. Both lie at the roots of
//!
//! ```text
//! det(x G_0 + y G_1) = det(G_0) x^2 + m x y + det(G_1) y^2 = 0
//! ```
//! which are real and distinct if the cube is a sum of two real terms (V. de Silva, L.-H. Lim 2008, doi:10.1137/06066518X).
//! Alternating least squares over the axes then remove the error that rounding of the weight has added.

use super::Term;
use super::svd::{add, dot, scaled};

/// Rounds of least squares over the three axes.
const ROUNDS: usize = 4;

/// Two vectors of one axis.
type Two = [[f64; 2]; 2];

/// The two terms of `kernel`, given two orthonormal vectors for each of its axes. None if two terms are not enough.
pub(super) fn pair(kernel: &[f64], bases: &[[Vec<f64>; 2]; 3]) -> Option<Vec<Term>> {
    let cube = cube(kernel, bases);
    let mut axes = roots(&cube)?;
    for _ in 0..ROUNDS {
        for axis in 0..3 {
            axes[axis] = fit(&cube, &axes, axis)?;
        }
    }
    let term = |n: usize| {
        let mut weight = 0.0; // the length of the last axis: it was fitted to unit vectors of the others
        let axes = [0, 1, 2].map(|axis| {
            let [x, y]: [f64; 2] = axes[axis][n];
            let length = (x * x + y * y).sqrt();
            weight = length;
            let [first, second] = &bases[axis];
            let mut vector = scaled(first.clone(), x / length);
            add(&mut vector, second, y / length);
            vector
        });
        Term { weight, axes }
    };
    let mut terms = vec![term(0), term(1)];
    terms.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    terms.iter().all(|term| term.weight.is_finite() && term.weight > 0.0).then_some(terms)
}

/// The kernel in the bases: `cube[t][r][c]`.
fn cube(kernel: &[f64], [time, rows, cols]: &[[Vec<f64>; 2]; 3]) -> [Two; 2] {
    let (height, width) = (rows[0].len(), cols[0].len());
    let mut cube = [[[0.0; 2]; 2]; 2];
    for (n, line) in kernel.chunks_exact(width).enumerate() {
        let (t, r) = (n / height, n % height);
        for (e, col) in cols.iter().enumerate() {
            let along = dot(line, col);
            for a in 0..2 {
                for b in 0..2 {
                    cube[a][b][e] += time[a][t] * rows[b][r] * along;
                }
            }
        }
    }
    cube
}

/// The vectors of the two terms along time, rows and columns; those along time are not computed yet.
fn roots(cube: &[Two; 2]) -> Option<[Two; 3]> {
    let [g, h] = cube;
    let det = |m: &Two| m[0][0] * m[1][1] - m[0][1] * m[1][0];
    let mixed = g[0][0] * h[1][1] + h[0][0] * g[1][1] - g[0][1] * h[1][0] - h[0][1] * g[1][0];
    let discriminant = mixed * mixed - 4.0 * det(g) * det(h);
    if discriminant <= 0.0 {
        return None;
    }
    // Without cancellation: (x, y) = (-q, det(g)) and (det(h), -q), up to a factor.
    let q = 0.5 * (mixed + discriminant.sqrt().copysign(mixed));
    let mut axes = [[[1.0, 0.0], [0.0, 1.0]]; 3];
    for (n, [x, y]) in [[-q, det(g)], [det(h), -q]].into_iter().enumerate() {
        let single: Two = [0, 1].map(|b| [0, 1].map(|e| x * g[b][e] + y * h[b][e]));
        let (_, b, e) = [(0, 0), (0, 1), (1, 0), (1, 1)]
            .map(|(b, e)| (single[b][e].abs(), b, e))
            .into_iter()
            .reduce(|best, next| if next.0 > best.0 { next } else { best })?;
        axes[1][n] = unit([single[0][e], single[1][e]])?;
        axes[2][n] = unit(single[b])?;
    }
    Some(axes)
}

/// The vectors of `axis` that fit the cube best, given those of the other two axes.
fn fit(cube: &[Two; 2], axes: &[Two; 3], axis: usize) -> Option<Two> {
    let [u, v] = [[1, 2], [0, 2], [0, 1]][axis].map(|other| axes[other].map(unit));
    let ([Some(u0), Some(u1)], [Some(v0), Some(v1)]) = (u, v) else { return None };
    let at = |n: usize, i: usize, j: usize| match axis {
        0 => cube[n][i][j],
        1 => cube[i][n][j],
        _ => cube[i][j][n],
    };
    let along =
        |n: usize, u: [f64; 2], v: [f64; 2]| -> f64 { (0..4).map(|k| at(n, k / 2, k % 2) * u[k / 2] * v[k % 2]).sum() };
    // The normal equations of two unit products whose cosine is `cos`.
    let cos = dot(&u0, &u1) * dot(&v0, &v1);
    let sine = 1.0 - cos * cos;
    if sine <= 1e-12 {
        return None;
    }
    let solved = [0, 1].map(|n| {
        let (a, b) = (along(n, u0, v0), along(n, u1, v1));
        [(a - cos * b) / sine, (b - cos * a) / sine]
    });
    Some([0, 1].map(|term| [solved[0][term], solved[1][term]]))
}

/// A vector of length 1, unless it has none.
fn unit([x, y]: [f64; 2]) -> Option<[f64; 2]> {
    let length = (x * x + y * y).sqrt();
    (length > 0.0 && length.is_finite()).then(|| [x / length, y / length])
}
