//! Reverse correlation: the linear kernel that predicts the response, from its covariance with the stimulus.
//!
//! ```text
//! white       w[k] = sum_t (y[t] - mean y) (x[t-k] - mean_k) / sum_t (x[t-k] - mean_k)^2
//! otherwise   w = (X' X + penalty 1)^-1 X' y
//! ```
//! `t = taps-1 .. T-1`; `X` has one row `x[t], x[t-1], ...` per response, without its mean. The first equation is the
//! second one for a white stimulus, whose samples are uncorrelated: `X' X` is then diagonal, but for the sampling
//! error. In other stimuli each weight also contains the weights of the samples that are correlated with its own.
//!
//! Cost of the first: that of the spike-triggered average, for all frames whose response is not zero.
//!
//! Reference: F. E. Theunissen and others 2001, Estimating spatio-temporal receptive fields of auditory and visual neurons
//! from their responses to natural stimuli, doi:10.1080/net.12.3.289.316.

use super::Field;
use super::design::Design;
use super::ridge::{Shrinkage, regression};
use crate::{Error, Movie, Result};
use ndarray::{Array5, ArrayView2};

/// The linear kernel of each neuron for a white stimulus; the equation is given [above](self), with the axes.
///
/// `responses` are numbers `(time, neuron)` of any sign: counts, rates or voltages. The result has the unit of the response
/// over that of the stimulus. Each weight's standard error is about `std y / (std x sqrt(T))`.
///
/// ```
/// use foveola::fit::direct::{Field, reverse_correlation};
/// use foveola::kernels;
/// use ndarray::Array2;
/// let stimulus = kernels::noise(1, 0.5, &[10_000, 1, 1])?;
/// let response = Array2::from_shape_fn((10_000, 1), |(t, _)| if t > 0 { 3.0 * stimulus[[t - 1, 0, 0]] } else { 0.0 });
/// let kernels = reverse_correlation(&stimulus, response.view(), Field::frame(2))?;
/// assert!((kernels[(0, 0, 1, 0, 0)] - 3.0).abs() < 1e-3); // one frame ago
/// assert!(kernels[(0, 0, 0, 0, 0)].abs() < 0.15); // 5 standard errors
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// Those of [`spike_triggered_average`](super::spike_triggered_average), but for the sign of the responses; a pixel
/// that does not change.
pub fn reverse_correlation<'a>(
    stimulus: impl Movie<'a>,
    responses: ArrayView2<'_, f32>,
    field: Field,
) -> Result<Array5<f32>> {
    const ITEM: &str = "reverse_correlation";
    let design = Design::new(ITEM, stimulus, field)?;
    let responses = design.responses(responses)?;
    let means = design.means();
    let mut powers = vec![0.0; design.width()];
    for n in 0..design.rows() {
        for ((power, x), mean) in powers.iter_mut().zip(design.row(n)).zip(&means) {
            let x = f64::from(*x) - mean;
            *power += x * x;
        }
    }
    if let Some(column) = powers.iter().position(|power| *power == 0.0) {
        let value = format!("the same in all frames of {}", design.describe(column));
        return Err(Error::Parameter { item: ITEM, name: "stimulus", value, expected: "pixels that change" });
    }
    let kernels: Vec<Vec<f64>> = responses
        .iter()
        .map(|responses| {
            let sums = design.weighted_sum(responses, &means);
            sums.iter().zip(&powers).map(|(sum, power)| sum / power).collect()
        })
        .collect();
    design.kernels(kernels.iter().map(Vec::as_slice))
}

/// The spike-triggered average, whitened: the linear kernel for a stimulus that is not white.
///
/// `penalty` is 0 or more, in the unit of `X' X`: [`ridge`](super::ridge()) with this penalty, and without the offsets.
/// A penalty of a few percent of the stimulus' variance times the frames keeps the noise small along the stimulus' weak
/// components.
///
/// # Errors
/// Those of [`ridge`](super::ridge()).
pub fn whitened_average<'a>(
    stimulus: impl Movie<'a>,
    responses: ArrayView2<'_, f32>,
    field: Field,
    penalty: f64,
) -> Result<Array5<f32>> {
    regression("whitened_average", stimulus, responses, field, Shrinkage::Fixed(penalty)).map(|fit| fit.kernels)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{distance, random_kernel, respond, white};
    use super::*;
    use ndarray::{Array2, Array4};

    #[test]
    fn the_kernel_is_found_in_white_noise() {
        let kernel = random_kernel(2, [2, 2, 4, 2, 3]);
        // The variance differs between pixels, and the mean is far from 0.
        let stimulus =
            Array4::from_shape_fn((2, 20_000, 2, 3), |(.., c)| 0.5 + c as f32) * white(1, [2, 20_000, 2, 3]) + 5.0;
        let responses = respond(&kernel, &stimulus);
        let found = reverse_correlation(&stimulus, responses.view(), Field::frame(4)).expect("kernels");
        let deviation = responses.std_axis(ndarray::Axis(0), 0.0);
        for (n, i, k, r, c) in ndarray::indices_of(&kernel) {
            let error = (found[(n, i, k, r, c)] - kernel[(n, i, k, r, c)]).abs();
            let standard = deviation[n] / (0.5 + (2 - c) as f32) / 20_000_f32.sqrt();
            assert!(error < 4.0 * standard, "{error} at {n} {i} {k} {r} {c}; standard error {standard}");
        }
    }

    /// In a stimulus that is not white the weights leak, unless it is whitened.
    #[test]
    fn whitening_is_exact_where_white_noise_is_assumed_in_vain() {
        let kernel = random_kernel(3, [1, 1, 3, 2, 2]);
        let mut stimulus = white(1, [1, 2000, 2, 2]);
        for t in 1..2000 {
            for (r, c) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                stimulus[(0, t, r, c)] += 0.8 * stimulus[(0, t - 1, r, c)];
            }
        }
        let responses = respond(&kernel, &stimulus);
        let white = reverse_correlation(&stimulus, responses.view(), Field::frame(3)).expect("kernels");
        let whitened = whitened_average(&stimulus, responses.view(), Field::frame(3), 0.0).expect("kernels");
        assert!(distance(&white, &kernel) > 0.2, "{}", distance(&white, &kernel));
        assert!(distance(&whitened, &kernel) < 1e-5, "{}", distance(&whitened, &kernel));
    }

    #[test]
    fn a_dark_pixel_is_named() {
        let mut stimulus = white(1, [1, 50, 2, 3]);
        stimulus.slice_mut(ndarray::s![0, .., 1, 2]).fill(0.25);
        let responses = Array2::from_shape_fn((50, 1), |(t, _)| t as f32);
        let error =
            reverse_correlation(&stimulus, responses.view(), Field::frame(2)).expect_err("constant").to_string();
        assert!(error.contains("tap 1 (frames back) of channel 0, row 1, column 2"), "{error}");
        let error =
            whitened_average(&stimulus, responses.view(), Field::frame(2), 0.0).expect_err("singular").to_string();
        assert!(error.contains("whitened_average") && error.contains("row 1, column 2"), "{error}");
    }
}
