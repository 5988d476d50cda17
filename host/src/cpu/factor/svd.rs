//! The singular value decomposition of a small matrix, truncated to the terms that matter.
//!
//! ```text
//! A = sum_k weight_k left_k right_k',    left and right orthonormal,    weight_0 >= weight_1 >= ...
//! ```
//! First the largest remaining row of `A` becomes a direction and is removed from all rows, until the remainder is below a
//! floor (Gram-Schmidt QR with pivoting; each direction is orthogonalised twice). Then plane rotations make the coordinates
//! in these directions orthogonal as well (one-sided Jacobi: Hestenes 1958, doi:10.1137/0106005).
//!
//! Uses only sums, products, quotients and square roots in a fixed order: the same bits on every platform. The SVD of
//! nalgebra 0.34 is wrong for some matrices without an error, by 56 % for 5 x 5 ones, which is a box filter
//! (<https://github.com/dimforge/nalgebra/issues/1172>); faer 0.24 takes 48 crates.
//!
//! Cost: 2 multiply-adds per element of `A` for each direction; 5 per element of the coordinates for each pair of directions
//! in each sweep.

/// One term: `weight` times the outer product of two unit vectors.
#[derive(Clone, Debug)]
pub(super) struct Dyad {
    pub(super) weight: f64,
    pub(super) left: Vec<f64>,
    pub(super) right: Vec<f64>,
}

type Vectors = Vec<Vec<f64>>;

/// Sweeps over all pairs of coordinates. 4 to 8 are enough for 64 terms; convergence is quadratic at the end.
const SWEEPS: usize = 30;

/// Cosine of the angle between coordinates below which they count as orthogonal.
const ORTHOGONAL: f64 = 1e-15;

/// Share of a matrix's sum of squares that is attributed to rounding.
const ROUNDING: f64 = 1e-28;

/// The terms of a row-major matrix of `rows` rows, the largest first, except for a remainder whose sum of squares is at most
/// `floor`. None if that needs more than `most` directions.
pub(super) fn svd(matrix: &[f64], rows: usize, floor: f64, most: usize) -> Option<Vec<Dyad>> {
    let cols = matrix.len() / rows;
    if rows > cols {
        let turned: Vec<f64> = (0..cols).flat_map(|c| (0..rows).map(move |r| matrix[r * cols + c])).collect();
        let turn = |Dyad { weight, left, right }| Dyad { weight, left: right, right: left };
        return svd(&turned, cols, floor, most).map(|dyads| dyads.into_iter().map(turn).collect());
    }
    let (mut coordinates, directions) = reduce(matrix, rows, floor, most)?;
    let turns = diagonalize(&mut coordinates);
    let mut dyads: Vec<Dyad> = coordinates
        .into_iter()
        .zip(turns)
        .filter_map(|(left, turn)| {
            let weight = dot(&left, &left).sqrt();
            let mut right = vec![0.0; cols];
            directions.iter().zip(turn).for_each(|(direction, turn)| add(&mut right, direction, turn));
            (weight > 0.0).then(|| Dyad { weight, left: scaled(left, 1.0 / weight), right })
        })
        .collect();
    dyads.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    Some(dyads)
}

/// Orthonormal directions along the rows of a matrix, and each row's coordinates in them: `A = sum_k x_k d_k'`.
fn reduce(matrix: &[f64], rows: usize, floor: f64, most: usize) -> Option<(Vectors, Vectors)> {
    let mut lines: Vectors = matrix.chunks_exact(matrix.len() / rows).map(<[f64]>::to_vec).collect();
    let (mut coordinates, mut directions) = (Vectors::new(), Vectors::new());
    let floor = floor.max(ROUNDING * dot(matrix, matrix));
    while directions.len() < rows {
        let energies: Vec<f64> = lines.iter().map(|line| dot(line, line)).collect();
        let pivot = (1..rows).fold(0, |best, n| if energies[n] > energies[best] { n } else { best });
        if energies.iter().sum::<f64>() <= floor {
            break;
        }
        if directions.len() == most {
            return None;
        }
        let mut direction = scaled(lines[pivot].clone(), 1.0 / energies[pivot].sqrt());
        for other in &directions {
            let along = dot(&direction, other);
            add(&mut direction, other, -along);
        }
        let length = dot(&direction, &direction).sqrt();
        let direction = scaled(direction, 1.0 / length);
        let along: Vec<f64> = lines.iter().map(|line| dot(line, &direction)).collect();
        lines.iter_mut().zip(&along).for_each(|(line, along)| add(line, &direction, -along));
        coordinates.push(along);
        directions.push(direction);
    }
    Some((coordinates, directions))
}

/// Rotates vectors until they are orthogonal to each other. Returns the rotation: each new vector in terms of the old ones.
fn diagonalize(vectors: &mut [Vec<f64>]) -> Vectors {
    let n = vectors.len();
    let mut turns: Vectors = (0..n).map(|k| (0..n).map(|l| f64::from(k == l)).collect()).collect();
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for q in 1..n {
            for p in 0..q {
                let (alpha, beta) = (dot(&vectors[p], &vectors[p]), dot(&vectors[q], &vectors[q]));
                let gamma = dot(&vectors[p], &vectors[q]);
                if gamma.abs() <= ORTHOGONAL * (alpha.sqrt() * beta.sqrt()) {
                    continue;
                }
                rotated = true;
                let zeta = (beta - alpha) / (2.0 * gamma);
                let tan = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
                let cos = 1.0 / (1.0 + tan * tan).sqrt();
                rotate(vectors, p, q, cos, cos * tan);
                rotate(&mut turns, p, q, cos, cos * tan);
            }
        }
        if !rotated {
            break;
        }
    }
    turns
}

/// `p' = cos p - sin q` and `q' = sin p + cos q`, for `p < q`.
fn rotate(vectors: &mut [Vec<f64>], p: usize, q: usize, cos: f64, sin: f64) {
    let (head, tail) = vectors.split_at_mut(q);
    for (a, b) in head[p].iter_mut().zip(&mut tail[0]) {
        (*a, *b) = (cos * *a - sin * *b, sin * *a + cos * *b);
    }
}

/// The scalar product, summed in four lanes.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut lanes = [0.0; 4];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..4 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]) + rest
}

/// `to += factor * from`.
pub(super) fn add(to: &mut [f64], from: &[f64], factor: f64) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
}

/// A vector multiplied by a number.
pub(super) fn scaled(mut vector: Vec<f64>, factor: f64) -> Vec<f64> {
    vector.iter_mut().for_each(|x| *x *= factor);
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_pcg::Pcg64Mcg;
    use rand_pcg::rand_core::{Rng, SeedableRng};

    /// Largest deviation of the sum from the matrix, and of the vectors' products from 0 and 1.
    fn worst(matrix: &[f64], rows: usize) -> f64 {
        let dyads = svd(matrix, rows, 0.0, usize::MAX).unwrap();
        let cols = matrix.len() / rows;
        let mut rest = matrix.to_vec();
        for Dyad { weight, left, right } in &dyads {
            left.iter().zip(rest.chunks_exact_mut(cols)).for_each(|(l, line)| add(line, right, -weight * l));
        }
        let mut worst = rest.iter().fold(0.0_f64, |worst, x| worst.max(x.abs()));
        for (k, a) in dyads.iter().enumerate() {
            for (l, b) in dyads.iter().enumerate().filter(|(_, b)| a.weight.min(b.weight) > 1e-12 * dyads[0].weight) {
                let unit = f64::from(k == l);
                worst = worst.max((dot(&a.left, &b.left) - unit).abs()).max((dot(&a.right, &b.right) - unit).abs());
            }
        }
        worst
    }

    #[test]
    fn terms_are_orthonormal_and_sum_up() {
        let mut random = Pcg64Mcg::seed_from_u64(1);
        let mut uniform = || f64::from(random.next_u32()) / f64::from(u32::MAX) - 0.5;
        for (rows, cols) in [(1, 1), (1, 7), (7, 1), (2, 3), (9, 9), (63, 63), (20, 400), (400, 20)] {
            let n = rows * cols;
            let noise: Vec<f64> = (0..n).map(|_| uniform()).collect();
            let hilbert: Vec<f64> = (0..n).map(|n| 1.0 / (n / cols + n % cols + 1) as f64).collect();
            let diagonal: Vec<f64> = (0..n).map(|n| f64::from(n / cols == n % cols)).collect();
            let cases = [("noise", noise), ("Hilbert", hilbert), ("ones", vec![1.0; n]), ("diagonal", diagonal)];
            for (name, matrix) in cases {
                let worst = worst(&matrix, rows);
                assert!(worst < 2e-13, "{name} {rows} x {cols}: {worst:e}");
            }
        }
    }

    #[test]
    fn known_values() {
        // The reproducer of nalgebra's issue 1172, and a matrix whose singular values are the golden ratio and its inverse.
        let ones = svd(&[1.0; 15], 3, 1e-20, 15).unwrap();
        assert_eq!(ones.len(), 1, "terms of ones");
        assert!((ones[0].weight - 15.0_f64.sqrt()).abs() < 1e-15, "{}", ones[0].weight);
        let golden: Vec<f64> = svd(&[1.0, 1.0, 1.0, 0.0], 2, 0.0, 2).unwrap().iter().map(|d| d.weight).collect();
        let ratio = f64::midpoint(1.0, 5.0_f64.sqrt());
        assert!((golden[0] - ratio).abs() < 1e-15 && (golden[1] - 1.0 / ratio).abs() < 1e-15, "{golden:?}");
        assert!(svd(&[0.0; 9], 3, 0.0, 3).unwrap().is_empty(), "terms of zeros");
        assert!(svd(&[1.0, 0.0, 0.0, 1.0], 2, 0.0, 1).is_none(), "two directions are one too many");
    }
}
