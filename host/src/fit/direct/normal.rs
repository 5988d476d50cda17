//! The normal matrix of a regression, from the autocorrelation of the stimulus.
//!
//! ```text
//! G[(j, p), (k, q)] = sum_n x[n+j, p] x[n+k, q]                  n = 0 .. N-1;  N = T - taps + 1
//! G[(j+1, p), (k+1, q)] = G[(j, p), (k, q)] - x[j, p] x[k, q] + x[N+j, p] x[N+k, q]
//! ```
//! Only the first tap's rows are summed over the recording; each other row follows from a row one tap before it by the
//! two frames that leave and enter. This is exact at the edges, and takes `taps` times fewer products than the sum over
//! the rows. The means are removed: `G` is the number of rows times the covariance of the stimulus.
//!
//! - Cost: `frame x width` multiply-adds per frame of the recording, `width = taps x frame`.
//! - Memory: `width^2` numbers of 8 bytes, at most [`MOST`]` ^2`; the rows are not stored.
//! - Rounding: the pixels' means are subtracted first, so the sums in `f64` are those of the contrast.

use super::design::{Design, Responses};
use super::linear::{add_four, mirror};
use crate::fit::matrix::add;
use crate::{Error, Result};

/// The largest number of weights of a kernel that is fitted through a matrix: 134 MB.
pub(super) const MOST: usize = 4096;

/// Rows that are converted at once.
const BLOCK: usize = 64;

/// Returns an error for a field whose matrix would not fit.
pub(super) fn check_width(item: &'static str, design: &Design<'_>) -> Result<()> {
    let width = design.width();
    if width <= MOST {
        return Ok(());
    }
    let value = format!("{width} weights (channels x taps x rows x columns)");
    Err(Error::Parameter { item, name: "field", value, expected: "at most 4096, for a matrix of their products" })
}

/// An empty matrix.
fn zeros(n: usize) -> Result<Vec<f64>> {
    let (mut matrix, len) = (Vec::new(), n.saturating_mul(n));
    let error = |_| Error::Memory { what: "the normal matrix", samples: len.saturating_mul(2) };
    matrix.try_reserve_exact(len).map_err(error)?;
    matrix.resize(len, 0.0);
    Ok(matrix)
}

/// The matrix `sum_n (row n - means) (row n - means)'`; `means` are those of the columns.
pub(super) fn gram(design: &Design<'_>, means: &[f64]) -> Result<Vec<f64>> {
    let (frame, taps, width, rows) = (design.frame(), design.taps(), design.width(), design.rows());
    let samples = design.samples();
    let mut matrix = zeros(width)?;
    let centre = &means[..frame];
    let centred = |from: usize, to: usize| -> Vec<f64> {
        let frames = samples[from * frame..to * frame].chunks_exact(frame);
        frames.flat_map(|x| x.iter().zip(centre).map(|(x, mean)| f64::from(*x) - mean)).collect()
    };
    for start in (0..rows).step_by(BLOCK) {
        let count = BLOCK.min(rows - start);
        let block = centred(start, start + count + taps - 1);
        let row = |n: usize| &block[n * frame..][..width];
        for (p, sums) in matrix.chunks_exact_mut(width).take(frame).enumerate() {
            let fours = count / 4 * 4;
            for n in (0..fours).step_by(4) {
                let rows = [row(n), row(n + 1), row(n + 2), row(n + 3)];
                add_four(sums, rows, rows.map(|row| row[p]));
            }
            (fours..count).for_each(|n| add(sums, row(n), row(n)[p]));
        }
    }
    for tap in 1..taps {
        let old = centred(tap - 1, taps - 1);
        let new = centred(tap - 1 + rows, taps - 1 + rows);
        for p in 0..frame {
            let (above, below) = matrix.split_at_mut((tap * frame + p) * width);
            let before = &above[((tap - 1) * frame + p) * width..][(tap - 1) * frame..width - frame];
            let sums = &mut below[tap * frame..width];
            for (((sum, before), old_q), new_q) in sums.iter_mut().zip(before).zip(&old).zip(&new) {
                *sum = before - old[p] * old_q + new[p] * new_q;
            }
        }
    }
    // The means of the other taps differ from those of the first one by the frames at the edges.
    let rest: Vec<f64> = means.iter().enumerate().map(|(column, mean)| mean - centre[column % frame]).collect();
    for (sums, r) in matrix.chunks_exact_mut(width).zip(&rest) {
        add(sums, &rest, -(rows as f64) * r);
    }
    mirror(&mut matrix, width);
    Ok(matrix)
}

/// The matrix `sum_n y[n] (row n - means) (row n - means)'`. The rows without a response cost nothing, each other one
/// `width^2 / 2` multiply-adds.
pub(super) fn weighted_gram(design: &Design<'_>, means: &[f64], responses: &Responses) -> Result<Vec<f64>> {
    let width = design.width();
    let mut matrix = zeros(width)?;
    let used: Vec<usize> = (0..design.rows()).filter(|n| responses.values[*n] != 0.0).collect();
    for block in used.chunks(BLOCK) {
        let row = |n: &usize| design.row(*n).iter().zip(means).map(|(x, mean)| f64::from(*x) - mean);
        let rows: Vec<f64> = block.iter().flat_map(row).collect();
        for (p, sums) in matrix.chunks_exact_mut(width).enumerate() {
            let row = |n: usize| &rows[n * width + p..(n + 1) * width];
            let factor = |n: usize| responses.values[block[n]] * row(n)[0];
            let fours = block.len() / 4 * 4;
            for n in (0..fours).step_by(4) {
                let four = [n, n + 1, n + 2, n + 3];
                add_four(&mut sums[p..], four.map(row), four.map(factor));
            }
            (fours..block.len()).for_each(|n| add(&mut sums[p..], row(n), factor(n)));
        }
    }
    mirror(&mut matrix, width);
    Ok(matrix)
}

#[cfg(test)]
mod tests {
    use super::super::Field;
    use super::*;
    use crate::kernels::noise;

    /// The sum over the rows, one by one.
    fn naive(design: &Design<'_>, means: &[f64], y: impl Fn(usize) -> f64) -> Vec<f64> {
        let width = design.width();
        let mut matrix = vec![0.0; width * width];
        for n in 0..design.rows() {
            let row: Vec<f64> = design.row(n).iter().zip(means).map(|(x, mean)| f64::from(*x) - mean).collect();
            for (at, sum) in matrix.iter_mut().enumerate() {
                *sum += y(n) * row[at / width] * row[at % width];
            }
        }
        matrix
    }

    #[test]
    fn matrices_equal_the_sums_over_the_rows() {
        for (frames, channels, taps, size) in
            [(150, 1, 4, [3, 2]), (9, 2, 9, [1, 2]), (70, 2, 1, [2, 2]), (5, 1, 3, [1, 1])]
        {
            // A mean of 100, which must not be seen in the digits of the contrast.
            let stimulus = noise(3, 1.0, &[channels, frames, 4, 3]).expect("noise") + 100.0;
            let design = Design::new("test", &stimulus, Field::around(taps, [1, 1], size)).expect("a design");
            let means = design.means();
            let rows = design.rows() as f64;
            for (column, mean) in means.iter().enumerate() {
                let sum: f64 = (0..design.rows()).map(|n| f64::from(design.row(n)[column])).sum();
                assert!((mean - sum / rows).abs() < 1e-12, "mean of column {column}");
            }
            let close = |a: Vec<f64>, b: Vec<f64>| a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-10);
            assert!(close(gram(&design, &means).expect("memory"), naive(&design, &means, |_| 1.0)), "{frames}, {taps}");
            let y: Vec<f64> = (0..design.rows()).map(|n| (n % 3) as f64 - 0.5 * f64::from(n % 2 == 0)).collect();
            let expected = naive(&design, &means, |n| y[n]);
            let found = weighted_gram(&design, &means, &Responses::new(y.clone())).expect("memory");
            assert!(close(found, expected), "weighted: {frames}, {taps}");
        }
    }

    #[test]
    fn wide_fields_are_refused() {
        let stimulus = noise(3, 1.0, &[5, 64, 64]).expect("noise");
        let check = |taps| check_width("test", &Design::new("test", &stimulus, Field::frame(taps)).expect("a design"));
        assert!(check(1).is_ok(), "4096 weights");
        assert!(check(2).expect_err("wide").to_string().contains("8192 weights"), "the message");
    }
}
