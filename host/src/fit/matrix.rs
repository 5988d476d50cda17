//! Cholesky factor of a symmetric positive definite matrix, `A = L L'`, for normal equations and variances.
//!
//! ```text
//! L[i][i] = sqrt(A[i][i] - sum_k L[i][k]^2)
//! L[i][j] = (A[i][j] - sum_k L[i][k] L[j][k]) / L[j][j]    for j < i, sums over k < j
//! ```
//! A matrix is `n x n` samples, row by row; only its lower triangle is read and written. Cost: `n^3 / 6` products for a
//! factor, `n^2` for a solution, `n^3 / 6` for the diagonal of the inverse. Reference: Golub and Van Loan, Matrix
//! Computations, 4.2.
//!
//! ```
//! use foveola::fit::matrix::{MatrixError, cholesky, inverse_diagonal, solve};
//!
//! let (mut a, mut x) = ([4.0, 2.0, 2.0, 5.0], [8.0, 12.0]);
//! cholesky(&mut a, 2, 1e-12)?;
//! solve(&a, 2, &mut x)?;
//! assert_eq!(x, [1.0, 2.0]);
//! assert_eq!(inverse_diagonal(&a, 2)?, [0.3125, 0.25]);
//!
//! // The third row is the sum of the first two.
//! let mut singular = [1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 2.0];
//! assert!(matches!(cholesky(&mut singular, 3, 1e-12), Err(MatrixError::Undetermined { index: 2, .. })));
//! # Ok::<(), MatrixError>(())
//! ```

/// Why a matrix has no Cholesky factor.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MatrixError {
    /// A row that is a combination of those before it, or a matrix that is not positive definite.
    #[error(
        "row {index} is determined by those before it: {left:e} of its diagonal is left; expected more than {least:e}"
    )]
    Undetermined {
        /// The first such row.
        index: usize,
        /// The share of its diagonal that the rows before it leave, `1 - R^2`.
        left: f64,
        /// The share that is expected.
        least: f64,
    },
    /// An element that is NaN or infinite.
    #[error("the element in row {row}, column {col} is {value}; expected a finite number")]
    NotFinite {
        /// Row.
        row: usize,
        /// Column.
        col: usize,
        /// The value there.
        value: f64,
    },
    /// A slice of another length.
    #[error("{found} numbers; expected {expected}")]
    Length {
        /// The length given.
        found: usize,
        /// The length that `n` asks for.
        expected: usize,
    },
}

/// Replaces the lower triangle of the `n x n` `matrix` by its Cholesky factor.
///
/// A pivot counts as 0 if it is `least` of its diagonal element or less: about 1e-12 for a matrix that is exact within
/// rounding, about 1e-6 for products of derivatives in single precision. The units of the rows do not matter.
///
/// # Errors
/// [`MatrixError`]. The lower triangle is then lost.
pub fn cholesky(matrix: &mut [f64], n: usize, least: f64) -> Result<(), MatrixError> {
    length(matrix, n.saturating_mul(n))?;
    for i in 0..n {
        let (before, rest) = matrix.split_at_mut(i * n);
        let row = &mut rest[..=i];
        if let Some(col) = row.iter().position(|x| !x.is_finite()) {
            return Err(MatrixError::NotFinite { row: i, col, value: row[col] });
        }
        for j in 0..i {
            let other = &before[j * n..=j * n + j];
            row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let pivot = row[i] - dot(&row[..i], &row[..i]);
        // A diagonal of 0 leaves nothing; NaN from an overflow is no pivot either.
        let left = if row[i] == 0.0 { 0.0 } else { pivot / row[i] };
        if row[i] < 0.0 || left.is_nan() || left <= least.max(0.0) {
            return Err(MatrixError::Undetermined { index: i, left, least });
        }
        row[i] = pivot.sqrt();
    }
    Ok(())
}

/// Replaces `b` by the solution `x` of `A x = b`. `factor` is that of `A`, of [`cholesky`].
///
/// # Errors
/// [`MatrixError::Length`].
pub fn solve(factor: &[f64], n: usize, b: &mut [f64]) -> Result<(), MatrixError> {
    length(factor, n.saturating_mul(n))?;
    length(b, n)?;
    for i in 0..n {
        let row = &factor[i * n..=i * n + i];
        b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
    }
    for i in (0..n).rev() {
        let row = &factor[i * n..=i * n + i];
        b[i] /= row[i];
        let x = b[i];
        add(&mut b[..i], row, -x);
    }
    Ok(())
}

/// The diagonal of the inverse of `A`. `factor` is that of `A`, of [`cholesky`]. If `A` is a Fisher matrix, these are the
/// variances of the estimates.
///
/// # Errors
/// [`MatrixError::Length`].
pub fn inverse_diagonal(factor: &[f64], n: usize) -> Result<Vec<f64>, MatrixError> {
    length(factor, n.saturating_mul(n))?;
    let mut diagonal = vec![0.0; n];
    // Column j of the inverse of L, which begins in row j; the squares of its elements add up to the diagonal.
    let mut column = vec![0.0; n];
    for j in 0..n {
        for i in j..n {
            let row = &factor[i * n..=i * n + i];
            let sum = if i == j { 1.0 } else { -dot(&row[j..i], &column[j..i]) };
            column[i] = sum / row[i];
        }
        diagonal[j] = dot(&column[j..], &column[j..]);
    }
    Ok(diagonal)
}

/// `to += factor from`, up to the shorter one.
pub(super) fn add(to: &mut [f64], from: &[f64], factor: f64) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
}

/// The sum of `x y`, up to the shorter one: eight chains of additions, then their sum, in the same order everywhere.
pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len().min(y.len());
    let (xs, x_rest) = x[..n].as_chunks::<8>();
    let (ys, y_rest) = y[..n].as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (x, y) in xs.iter().zip(ys) {
        for (sum, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f64>() + x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum::<f64>()
}

fn length(slice: &[f64], expected: usize) -> Result<(), MatrixError> {
    if slice.len() == expected { Ok(()) } else { Err(MatrixError::Length { found: slice.len(), expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `J' J` for a tall `J` without pattern, with a unit for each of its columns.
    fn gram(n: usize, units: impl Fn(usize) -> f64) -> Vec<f64> {
        let sample = |k: usize, i: usize| ((k * k + 3 * i * i + 7 * k * i + k) as f64).sqrt().fract() - 0.5;
        let rows: Vec<Vec<f64>> = (0..2 * n + 3).map(|k| (0..n).map(|i| units(i) * sample(k, i)).collect()).collect();
        (0..n * n).map(|at| rows.iter().map(|row| row[at / n] * row[at % n]).sum()).collect()
    }

    #[test]
    fn a_solution_solves() {
        for n in [0, 1, 2, 7, 8, 9, 30] {
            for power in [0, 4] {
                let a = gram(n, |i| 10_f64.powi(power * (i % 3) as i32));
                let expected: Vec<f64> = (0..n).map(|i| i as f64 - 3.0).collect();
                let mut x: Vec<f64> = (0..n).map(|i| dot(&a[i * n..(i + 1) * n], &expected)).collect();
                let mut factor = a.clone();
                cholesky(&mut factor, n, 1e-12).expect("positive definite");
                solve(&factor, n, &mut x).expect("n numbers");
                for (x, expected) in x.iter().zip(&expected) {
                    assert!((x - expected).abs() < 1e-4, "n {n}, power {power}: {x} {expected}");
                }
            }
        }
    }

    #[test]
    fn the_inverse_has_this_diagonal() {
        let n = 11;
        let mut factor = gram(n, |i| 1.0 + i as f64);
        cholesky(&mut factor, n, 1e-12).expect("positive definite");
        let diagonal = inverse_diagonal(&factor, n).expect("n x n numbers");
        for i in 0..n {
            let mut column = vec![0.0; n];
            column[i] = 1.0;
            solve(&factor, n, &mut column).expect("n numbers");
            assert!((column[i] / diagonal[i] - 1.0).abs() < 1e-12, "{i}: {} {}", column[i], diagonal[i]);
        }
    }

    /// The first row that others determine is named, in any units.
    #[test]
    fn an_undetermined_row_is_named() {
        for unit in [1e-6, 1.0, 1e6] {
            let n = 6;
            let a = gram(n, |i| if i == 4 { unit } else { 1.0 });
            // Row 4 becomes a multiple of row 1; row 5 stays independent.
            let source = |i: usize| if i == 4 { (1, unit) } else { (i, 1.0) };
            let mut copy: Vec<f64> = (0..n * n)
                .map(|at| {
                    let ((i, x), (j, y)) = (source(at / n), source(at % n));
                    x * y * a[i * n + j]
                })
                .collect();
            let found = cholesky(&mut copy, n, 1e-12);
            assert!(matches!(found, Err(MatrixError::Undetermined { index: 4, .. })), "{found:?}");
        }
        assert!(matches!(cholesky(&mut [0.0], 1, 0.0), Err(MatrixError::Undetermined { index: 0, left: 0.0, .. })));
        assert!(matches!(cholesky(&mut [-1.0], 1, 0.0), Err(MatrixError::Undetermined { index: 0, .. })));
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        let mut nan = [1.0, 0.0, f64::NAN, 1.0];
        assert!(matches!(cholesky(&mut nan, 2, 0.0), Err(MatrixError::NotFinite { row: 1, col: 0, .. })));
        // Above the diagonal nothing is read.
        assert_eq!(cholesky(&mut [1.0, f64::NAN, 0.0, 1.0], 2, 0.0), Ok(()));
        assert_eq!(cholesky(&mut [1.0; 3], 2, 0.0), Err(MatrixError::Length { found: 3, expected: 4 }));
        assert_eq!(solve(&[1.0; 4], 2, &mut [1.0]), Err(MatrixError::Length { found: 1, expected: 2 }));
        assert_eq!(inverse_diagonal(&[1.0; 3], 2), Err(MatrixError::Length { found: 3, expected: 4 }));
        // An overflow on the way is no factor.
        assert!(cholesky(&mut [1e-300, 0.0, 1e300, 1e300], 2, 0.0).is_err(), "overflow");
    }
}
