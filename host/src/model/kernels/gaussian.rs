//! Gaussians on an array of a given size.
//!
//! ```text
//! gaussian                 G(r, c; s) = exp(-r^2 / (2 s_row^2) - c^2 / (2 s_col^2)) / sum of the same over the array
//! difference of gaussians  D(r, c) = G(r, c; s) - ratio G(r, c; s_surround)
//! ```
//! `r`, `c` are the distances in pixels from the centre of the array, half a pixel for even sizes. `G` sums to 1 on any array,
//! `D` to `1 - ratio`. Cost: one product per sample.
//!
//! Reference: Rodieck, Quantitative analysis of cat retinal ganglion cell response to visual stimuli, 1965,
//! doi:10.1016/0042-6989(65)90033-7.

use super::{positive, room};
use crate::{Error, Result};
use ndarray::Array2;

/// A Gaussian kernel `(row, col)` of `size` with standard deviations `sigma` `[row, col]` in pixels, above 0. Its sum is 1.
///
/// ```
/// let blur = foveola::kernels::gaussian([0.8, 0.8], [5, 5])?;
/// assert!((blur.sum() - 1.0).abs() < 1e-6);
/// assert!(blur[(2, 2)] > 4.0 * blur[(2, 0)]);
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// A standard deviation that is not above 0, or so small that no sample of an even size is left; a length of 0;
/// [`Error::Memory`].
pub fn gaussian(sigma: [f64; 2], size: [usize; 2]) -> Result<Array2<f32>> {
    let [rows, cols] = size;
    let mut weights = room(rows.saturating_mul(cols))?;
    let [row, col] = [profile(sigma[0], rows)?, profile(sigma[1], cols)?];
    for (i, weight) in weights.iter_mut().enumerate() {
        *weight = (row[i / cols] * col[i % cols]) as f32;
    }
    Array2::from_shape_vec(size, weights).map_err(|_| Error::Memory { what: "a kernel", samples: rows * cols })
}

/// A Gaussian of `sigma` pixels minus `ratio` times one of `surround` pixels: a receptive field with a centre and a surround.
///
/// ```
/// let field = foveola::kernels::difference_of_gaussians(1.0, 3.0, 1.0, [19, 19])?;
/// assert!(field.sum().abs() < 1e-6); // silent for uniform light
/// assert!(field[(9, 9)] > 0.0 && field[(9, 4)] < 0.0);
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// As [`gaussian`]; a `ratio` that is not finite.
pub fn difference_of_gaussians(sigma: f64, surround: f64, ratio: f64, size: [usize; 2]) -> Result<Array2<f32>> {
    if !(ratio as f32).is_finite() {
        let (item, name, value) = ("difference_of_gaussians", "ratio", ratio.to_string());
        return Err(Error::Parameter { item, name, value, expected: "a finite number" });
    }
    let mut field = gaussian([sigma; 2], size)?;
    field.zip_mut_with(&gaussian([surround; 2], size)?, |w, s| *w = (f64::from(*w) - ratio * f64::from(*s)) as f32);
    Ok(field)
}

/// `len` samples of a Gaussian with a sum of 1.
fn profile(sigma: f64, len: usize) -> Result<Vec<f64>> {
    positive("gaussian", "sigma", sigma)?;
    let centre = (len as f64 - 1.0) / 2.0;
    let value = |i| {
        let x = (i as f64 - centre) / sigma;
        libm::exp(-0.5 * x * x)
    };
    let samples: Vec<f64> = (0..len).map(value).collect();
    let sum: f64 = samples.iter().sum();
    if sum > 0.0 {
        return Ok(samples.into_iter().map(|sample| sample / sum).collect());
    }
    let (item, name, value) = ("gaussian", "sigma", format!("{sigma} on {len} samples"));
    Err(Error::Parameter { item, name, value, expected: "a width of which a sample is left" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gaussian_has_its_width_and_its_sum() {
        for (sigma, size) in [([0.8, 3.0], [9, 25]), ([2.0, 1.0], [16, 8])] {
            let kernel = gaussian(sigma, size).expect("a kernel");
            assert!((kernel.sum() - 1.0).abs() < 1e-6, "{sigma:?}");
            let centre = size.map(|len| (len as f64 - 1.0) / 2.0);
            let variance = |axis: usize| -> f64 {
                let square = |(place, w): ((usize, usize), &f32)| {
                    let x = [place.0, place.1][axis] as f64 - centre[axis];
                    x * x * f64::from(*w)
                };
                kernel.indexed_iter().map(square).sum()
            };
            for (axis, expected) in sigma.into_iter().enumerate() {
                assert!((variance(axis).sqrt() / expected - 1.0).abs() < 0.02, "{sigma:?}, axis {axis}");
            }
        }
    }

    #[test]
    fn bad_parameters_are_refused() {
        for (sigma, size) in
            [(0.0, 3), (-1.0, 3), (f64::NAN, 3), (f64::INFINITY, 3), (1e-3, 2), (1.0, 0), (1.0, 1 << 20)]
        {
            assert!(gaussian([sigma; 2], [size; 2]).is_err(), "{sigma} {size}");
        }
        assert!(difference_of_gaussians(1.0, 2.0, f64::NAN, [3, 3]).is_err(), "a ratio that is no number");
    }
}
