//! The best approximation of a kernel by the product of a time course and a spatial profile.
//!
//! ```text
//! w[i, k, r, c] ~ time[k] space[i, r, c]            the pair with the least squared error
//! energy = |time|^2 |space|^2 / |w|^2
//! ```
//! These are the first singular vectors of the matrix (time) x (channel, row, col), from the eigenvectors of its
//! product with its transpose, on the shorter side. `space` has unit length and its largest weight is positive: the
//! sign of an OFF cell, and the unit, are in `time`.
//!
//! Cost, for a shorter side of `n` and a longer one of `m`: `n^2 m + 5 n^3` multiply-adds.

use super::linear::{Eigen, eigen};
use crate::fit::matrix::{add, dot};
use crate::{Error, Result};
use ndarray::{Array1, Array3, Array4, ArrayView4, Axis};

/// A separable kernel: see [`rank_one`](rank_one()).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RankOne {
    /// The time course, an impulse response, with the unit of the kernel.
    pub time: Array1<f32>,
    /// The spatial profile `(channel, row, col)`, of unit length, in the order of the kernel.
    pub space: Array3<f32>,
    /// The share of the kernel's sum of squares that the product has, from 0 to 1: 1 for a separable kernel.
    pub energy: f64,
}

impl RankOne {
    /// The product `(channel, time, row, col)`.
    ///
    /// ```
    /// use foveola::fit::direct::rank_one;
    /// use ndarray::Array4;
    /// let kernel = Array4::from_shape_fn((1, 4, 3, 3), |(_, k, r, c)| (1.0 - k as f32) * (r + c) as f32);
    /// let parts = rank_one(kernel.view())?;
    /// assert!((parts.energy - 1.0).abs() < 1e-12);
    /// assert!(parts.kernel().iter().zip(&kernel).all(|(product, w)| (product - w).abs() < 1e-5));
    /// # Ok::<(), foveola::Error>(())
    /// ```
    #[must_use]
    pub fn kernel(&self) -> Array4<f32> {
        let (channels, rows, cols) = self.space.dim();
        let shape = (channels, self.time.len(), rows, cols);
        Array4::from_shape_fn(shape, |(i, k, r, c)| self.time[k] * self.space[(i, r, c)])
    }
}

/// The best separable approximation of a kernel `(channel, time, row, col)`; the equation is given [above](self).
///
/// One neuron of an array of kernels is `kernels.index_axis(Axis(0), neuron)`.
///
/// # Errors
/// A kernel without weights, with one that is not finite, or with nothing but zeros.
pub fn rank_one(kernel: ArrayView4<'_, f32>) -> Result<RankOne> {
    let error = |value, expected| Err(Error::Parameter { item: "rank_one", name: "kernel", value, expected });
    if let Some((at, w)) = kernel.indexed_iter().find(|(_, w)| !w.is_finite()) {
        return error(format!("{w} at {at:?}"), "finite weights");
    }
    let (channels, taps, rows, cols) = kernel.dim();
    let lines = kernel.axis_iter(Axis(1));
    let lines: Vec<Vec<f64>> = lines.map(|line| line.iter().map(|w| f64::from(*w)).collect()).collect();
    let Some(Dyad { left, right, energy }) = dyad(&lines) else {
        return error(format!("one of {} weights, all 0", kernel.len()), "a weight other than 0");
    };
    let time = left.iter().map(|x| *x as f32).collect::<Vec<_>>();
    if let Some(x) = time.iter().find(|x| !x.is_finite()) {
        return error(format!("so large that its time course is {x}"), "a time course within 32-bit floats");
    }
    let space = Array3::from_shape_fn((channels, rows, cols), |(i, r, c)| right[(i * rows + r) * cols + c] as f32);
    debug_assert_eq!(time.len(), taps, "one number per tap");
    Ok(RankOne { time: Array1::from(time), space, energy })
}

/// The first term of a singular value decomposition.
pub(super) struct Dyad {
    /// Times the singular value.
    pub(super) left: Vec<f64>,
    /// Of unit length; its largest element is positive.
    pub(super) right: Vec<f64>,
    /// Share of the sum of squares.
    pub(super) energy: f64,
}

/// None for a matrix of zeros, without elements, or not finite.
pub(super) fn dyad(lines: &[Vec<f64>]) -> Option<Dyad> {
    let cols = lines.first()?.len();
    let power: f64 = lines.iter().map(|line| dot(line, line)).sum();
    if power == 0.0 {
        return None;
    }
    let first = |vectors: &[Vec<f64>]| -> Option<Vec<f64>> {
        let n = vectors.len();
        let products = vectors.iter().flat_map(|a| vectors.iter().map(|b| dot(a, b) / power)).collect();
        let Eigen { vectors, .. } = eigen(products, n, true)?;
        Some(vectors[..n].to_vec())
    };
    let mut right = vec![0.0; cols];
    if lines.len() <= cols {
        let left = first(lines)?;
        lines.iter().zip(left).for_each(|(line, left)| add(&mut right, line, left));
    } else {
        let columns: Vec<Vec<f64>> = (0..cols).map(|c| lines.iter().map(|line| line[c]).collect()).collect();
        right = first(&columns)?;
    }
    let largest = right.iter().fold(0.0_f64, |most, x| if x.abs() > most.abs() { *x } else { most });
    let length = dot(&right, &right).sqrt().copysign(largest);
    right.iter_mut().for_each(|x| *x /= length);
    let left: Vec<f64> = lines.iter().map(|line| dot(line, &right)).collect();
    let energy = (dot(&left, &left) / power).min(1.0);
    Some(Dyad { left, right, energy })
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{distance, random_kernel};
    use super::*;

    #[test]
    fn separable_kernels_are_exact() {
        // More taps than pixels, and fewer.
        for (channels, taps, rows, cols) in [(1, 12, 1, 5), (2, 4, 3, 3), (1, 1, 4, 4), (1, 6, 1, 1)] {
            let time = random_kernel(1, [1, 1, taps, 1, 1]);
            let space = random_kernel(2, [1, channels, 1, rows, cols]);
            let kernel = (&time * &space).index_axis_move(Axis(0), 0);
            let parts = rank_one(kernel.view()).expect("parts");
            assert!(distance(&parts.kernel(), &kernel) < 1e-6, "{}", distance(&parts.kernel(), &kernel));
            assert!((parts.energy - 1.0).abs() < 1e-12, "{}", parts.energy);
            assert!((parts.space.iter().map(|w| w * w).sum::<f32>() - 1.0).abs() < 1e-6, "unit length");
            let largest = parts.space.iter().fold(0.0_f32, |most, x| if x.abs() > most.abs() { *x } else { most });
            assert!(largest > 0.0, "{largest}");
        }
    }

    /// `3 a b' + 2 c d'` with unit vectors at right angles: the first term, with 9 / 13 of the energy.
    #[test]
    fn the_larger_of_two_terms_is_found() {
        let (a, c) = ([0.6, 0.8], [-0.8, 0.6]);
        let (b, d) = ([0.0, -1.0, 0.0], [0.6, 0.0, 0.8]);
        let kernel = Array4::from_shape_fn((1, 2, 1, 3), |(_, k, _, p)| 3.0 * a[k] * b[p] + 2.0 * c[k] * d[p]);
        let parts = rank_one(kernel.view()).expect("parts");
        assert!((parts.energy - 9.0 / 13.0).abs() < 1e-7, "{}", parts.energy);
        assert!((parts.space[(0, 0, 1)] - 1.0).abs() < 1e-6, "{}", parts.space);
        assert!((parts.time[0] + 1.8).abs() < 1e-6 && (parts.time[1] + 2.4).abs() < 1e-6, "{}", parts.time);
    }

    #[test]
    fn bad_kernels_are_refused() {
        let error = |kernel: Array4<f32>| rank_one(kernel.view()).expect_err("bad kernel").to_string();
        assert!(error(Array4::zeros((1, 2, 2, 2))).contains("8 weights, all 0"), "zeros");
        assert!(error(Array4::zeros((1, 0, 2, 2))).contains("0 weights"), "empty");
        let mut kernel = Array4::ones((1, 2, 2, 2));
        kernel[(0, 1, 0, 1)] = f32::NAN;
        assert!(error(kernel).contains("NaN at (0, 1, 0, 1)"), "NaN");
        assert!(error(Array4::from_elem((1, 1, 2, 2), f32::MAX)).contains("time course"), "out of range");
    }
}
