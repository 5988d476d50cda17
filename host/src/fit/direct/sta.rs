//! Spike-triggered average: the mean stimulus before a spike.
//!
//! ```text
//! sta[k] = sum_t y[t] (x[t-k] - mean_k) / sum_t y[t]        t = taps-1 .. T-1
//! ```
//! `mean_k` is each pixel's mean over the frames that tap `k` reads, so that a constant response gives zeros. For a white
//! Gaussian stimulus and a linear-nonlinear neuron it is proportional to the kernel of the neuron. Its standard error is
//! the stimulus' standard deviation over `sqrt(sum_t y)`.
//!
//! - Cost: one multiply-add per weight for each frame with a spike; `taps rows cols` numbers of 8 bytes per neuron. A
//!   kernel of 12 x 20 x 20 from 2,000 frames with a spike in each takes 6 to 9 ms on one core of a busy x86-64 machine,
//!   with a spike in every tenth frame 1 ms (the ignored test `speed`).
//! - Rounding: sums in `f64`, the result in `f32`.
//! - Reference: E. J. Chichilnisky 2001, A simple white noise analysis of neuronal light responses,
//!   doi:10.1080/713663221.

use super::Field;
use super::design::Design;
use crate::{Movie, Result};
use ndarray::{Array5, ArrayView2};

/// The spike-triggered average of each neuron; the equation is given [above](self), with the axes.
///
/// `spikes` are counts or rates `(time, neuron)`, 0 or more. The result has the unit of the stimulus.
///
/// ```
/// use foveola::fit::direct::{Field, spike_triggered_average};
/// use foveola::{RF, kernels};
/// use ndarray::Array2;
/// let stimulus = kernels::noise(1, 1.0, &[1000, 4, 4])?;
/// // A neuron that spikes if the pixel at row 1, column 2 was bright two frames ago.
/// let spikes = Array2::from_shape_fn((1000, 1), |(t, _)| {
///     if t >= 2 && stimulus[[t - 2, 1, 2]] > 1.0 { 1.0 } else { 0.0 }
/// });
/// let kernels = spike_triggered_average(&stimulus, spikes.view(), Field::frame(5))?;
/// assert_eq!(kernels.dim(), (1, 1, 5, 4, 4));
/// assert!(kernels[(0, 0, 2, 4 - 1 - 1, 4 - 1 - 2)] > 1.0); // rows and columns are mirrored
/// RF::new(1, 1, 5)?.set_weight(kernels)?;
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// A stimulus with a batch, an empty axis or a sample that is not finite, or that does not change; a field that does
/// not fit into the frame or the recording; responses of another length, negative, not finite, or without a spike after
/// the first `taps - 1` frames.
pub fn spike_triggered_average<'a>(
    stimulus: impl Movie<'a>,
    spikes: ArrayView2<'_, f32>,
    field: Field,
) -> Result<Array5<f32>> {
    let design = Design::new("spike_triggered_average", stimulus, field)?;
    let spikes = design.spikes(spikes)?;
    let means = design.means();
    let averages: Vec<Vec<f64>> = spikes
        .iter()
        .map(|spikes| {
            let mut average = design.weighted_sum(spikes, &means);
            average.iter_mut().for_each(|x| *x /= spikes.sum);
            average
        })
        .collect();
    design.kernels(averages.iter().map(Vec::as_slice))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{distance, dynamic, random_kernel, respond, white};
    use super::*;
    use crate::Error;
    use ndarray::{Array2, Array4, Array5, s};

    /// The equation, sample by sample; `corner` is the first pixel of the field.
    fn naive(
        x: &Array4<f32>,
        y: &Array2<f32>,
        taps: usize,
        [top, left]: [usize; 2],
        [rows, cols]: [usize; 2],
    ) -> Array5<f32> {
        let (channels, frames, ..) = x.dim();
        Array5::from_shape_fn((y.dim().1, channels, taps, rows, cols), |(n, i, k, r, c)| {
            let at = |t: usize| f64::from(x[(i, t - k, top + rows - 1 - r, left + cols - 1 - c)]);
            let range = taps - 1..frames;
            let mean = range.clone().map(at).sum::<f64>() / range.len() as f64;
            let sum: f64 = range.clone().map(|t| f64::from(y[(t, n)]) * (at(t) - mean)).sum();
            (sum / range.map(|t| f64::from(y[(t, n)])).sum::<f64>()) as f32
        })
    }

    #[test]
    fn averages_equal_the_equation() {
        let x = white(1, [2, 40, 5, 4]) + 3.0;
        let y = Array2::from_shape_fn((40, 3), |(t, n)| if (t + n) % 3 == 0 { (t % 5) as f32 } else { 0.0 });
        let whole = spike_triggered_average(&x, y.view(), Field::frame(6)).expect("an average");
        assert!(distance(&whole, &naive(&x, &y, 6, [0, 0], [5, 4])) < 1e-6, "whole frame");
        let window = Field::around(6, [2, 2], [2, 3]);
        let part = spike_triggered_average(dynamic(&x), y.view(), window).expect("an average");
        assert!(distance(&part, &naive(&x, &y, 6, [1, 1], [2, 3])) < 1e-6, "window");
        // One channel in row-major order is borrowed; the same samples in another order are copied.
        let one = x.slice(s![..1, .., .., ..]).to_owned();
        let borrowed = spike_triggered_average(&one, y.view(), Field::frame(6)).expect("an average");
        assert!(distance(&borrowed, &naive(&one, &y, 6, [0, 0], [5, 4])) < 1e-6, "borrowed");
        let turned = one.clone().reversed_axes().as_standard_layout().into_owned().reversed_axes();
        assert!(turned == one && !turned.is_standard_layout(), "the same samples in another order");
        let copied = spike_triggered_average(&turned, y.view(), Field::frame(6)).expect("an average");
        assert_eq!(copied, borrowed);
    }

    /// White Gaussian noise and a linear-nonlinear neuron: the average is proportional to the kernel (Bussgang's theorem).
    #[test]
    fn the_kernel_of_a_rectifying_neuron_is_found() {
        let kernel = random_kernel(2, [2, 1, 4, 3, 3]);
        let stimulus = white(1, [1, 20_000, 3, 3]);
        let rates = respond(&kernel, &stimulus).mapv(|y| y.max(0.0));
        let found = spike_triggered_average(&stimulus, rates.view(), Field::frame(4)).expect("an average");
        for (kernel, found) in kernel.outer_iter().zip(found.outer_iter()) {
            let length = |a: &ndarray::ArrayView4<'_, f32>| a.iter().map(|w| w * w).sum::<f32>().sqrt();
            let cosine = (&kernel * &found).sum() / length(&kernel) / length(&found);
            // The mean of x along the kernel, weighted by max(x, 0), is sqrt(pi / 2).
            assert!((length(&found) - 1.2533).abs() < 0.05, "{}", length(&found));
            // 36 weights with an error of about 1 / sqrt(10,000 effective spikes) each: 0.06 of 1.25, whose cosine is 0.999.
            assert!(cosine > 0.997, "{cosine}");
        }
    }

    #[test]
    fn bad_input_is_named() {
        let x = white(1, [1, 10, 2, 2]);
        let y = Array2::<f32>::ones((10, 2));
        let error = |x: &Array4<f32>, y: &Array2<f32>, taps| {
            spike_triggered_average(x, y.view(), Field::frame(taps)).expect_err("bad input").to_string()
        };
        let changed = |at: (usize, usize), value| {
            let mut y = y.clone();
            y[at] = value;
            y
        };
        let silent = Array2::from_shape_fn((10, 2), |(t, n)| if n == 0 || t < 2 { 1.0 } else { 0.0 });
        for (y, taps, parts) in [
            (Array2::ones((9, 2)), 1, &["9 frames", "stimulus of 10"][..]),
            (Array2::ones((10, 0)), 1, &["without neurons"]),
            (changed((4, 1), f32::NAN), 1, &["NaN at frame 4, neuron 1"]),
            (changed((4, 0), -1.0), 1, &["-1 at frame 4, neuron 0"]),
            (changed((0, 0), f32::INFINITY), 3, &["inf at frame 0, neuron 0"]),
            (silent, 3, &["0 in all frames from 2 to 9 of neuron 1"]),
            (y.clone(), 11, &["taps is 11", "10 frames"]),
            (y.clone(), 0, &["taps is 0"]),
        ] {
            let error = error(&x, &y, taps);
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
        assert!(error(&Array4::ones((1, 10, 2, 2)), &y, 2).contains("the same in all of its 10 frames"), "constant");
        let nan = Array4::from_shape_fn((2, 10, 3, 4), |at| if at == (1, 7, 2, 3) { f32::NAN } else { 1.0 });
        let window = Field::around(1, [2, 3], [1, 1]);
        for field in [Field::frame(2), window] {
            let error = spike_triggered_average(&nan, y.view(), field).expect_err("NaN");
            let place = matches!(error, Error::NonFinite { channel: 1, frame: 7, row: 2, col: 3, .. });
            assert!(place, "{error}");
        }
        let batch = Array5::<f32>::zeros((2, 1, 10, 2, 2));
        let error = spike_triggered_average(&batch, y.view(), Field::frame(1)).expect_err("a batch").to_string();
        assert!(error.contains("a batch of 2"), "{error}");
        let empty = spike_triggered_average(Array4::<f32>::zeros((1, 10, 0, 2)), y.view(), Field::frame(1));
        assert!(matches!(empty, Err(Error::EmptyInput { .. })), "no rows");
    }

    /// `cargo test --release -p foveola --lib fit::direct::sta -- --ignored --nocapture`
    #[test]
    #[ignore = "measures time"]
    fn speed() {
        let x = white(1, [1, 2000, 20, 20]);
        for every in [1, 10] {
            let y = Array2::from_shape_fn((2000, 1), |(t, _)| if t % every == 0 { 1.0 } else { 0.0 });
            for field in [Field::frame(12), Field::around(10, [10, 10], [5, 5])] {
                let times = (0..20).map(|_| {
                    let start = std::time::Instant::now();
                    let kernels = spike_triggered_average(&x, y.view(), field).expect("an average");
                    assert!(kernels.iter().all(|w| w.is_finite()), "a kernel");
                    start.elapsed()
                });
                println!("a spike every {every} frames, {field:?}: {:?}", times.min());
            }
        }
    }
}
