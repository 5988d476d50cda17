//! Receptive fields in closed form: estimates from a stimulus and the responses to it, without iterated descent.
//!
//! | function | estimate | for |
//! |---|---|---|
//! | [`spike_triggered_average`] | mean stimulus before a spike | white stimuli, a first look |
//! | [`event_triggered_average`] | mean events before a spike | event cameras, without frames |
//! | [`reverse_correlation`](reverse_correlation()) | covariance over the stimulus' variance | white stimuli, in units of the response |
//! | [`whitened_average`] | the same for stimuli that are not white | natural movies, small kernels |
//! | [`ridge`](ridge()) | least squares with a penalty, offsets, cross-validation | any stimulus, small kernels |
//! | [`separable`](separable()) | least squares with space x time | few frames, small kernels |
//! | [`rank_one`](rank_one()) | space x time approximation of a kernel | any kernel |
//! | [`spike_triggered_covariance`] | axes along which the variance changes before a spike | complex cells |
//!
//! Spikes become responses by [`counts_of_times`] and [`counts_of_events`].
//!
//! # Stimuli, responses and kernels
//! A stimulus is a [`Movie`](crate::Movie) of batch 1: `(time, row, col)` or `(channel, time, row, col)`. Responses are an
//! array `(time, neuron)`, one row per frame of the stimulus. A [`Field`] gives the size of the kernels.
//!
//! Kernels have the axes `(neuron, channel, time, row, col)` and are **impulse responses**, the default order of
//! [`Weight`](crate::Weight): with `size` the kernel's rows and columns and `top`, `left` the corner of its window,
//! ```text
//! response[t] = sum_{i, k, r, c} kernel[n, i, k, r, c] x[i, t - k, top + rows - 1 - r, left + cols - 1 - c]
//! ```
//! Tap 0 is the current frame; rows and columns are mirrored. Kernels of a whole frame are the weight of an
//! [`RF`](crate::RF) (of more than 1 x 1 pixels). Kernels of a window are the weight of a [`Conv3d`](crate::Conv3d), whose
//! output at the window's pixel is the neuron's; so are those of a whole frame at the pixel `[rows / 2, cols / 2]`.
//!
//! The responses to the first `taps - 1` frames are not used: what the neuron saw before the recording is not known. So no
//! temporal padding is assumed, and means and variances are those of exactly the frames that each tap reads.
//!
//! ```
//! use foveola::fit::direct::{Field, Shrinkage, ridge};
//! use foveola::{Model, RF, kernels};
//! use ndarray::{Array2, Array3};
//!
//! // A neuron that sees 3 frames of 2 x 2 pixels.
//! let kernel = Array3::from_shape_fn((3, 2, 2), |(k, r, c)| 1.0 - 0.3 * k as f32 + 0.2 * r as f32 - 0.1 * c as f32);
//! let mut neuron = Model::of(RF::new(1, 1, 3)?.with_weight(kernel.view())?);
//! let stimulus = kernels::noise(1, 1.0, &[100, 2, 2])?;
//! let responses = neuron.run(&stimulus, 100)?;
//! let responses = Array2::from_shape_vec((100, 1), responses.iter().copied().collect()).unwrap();
//!
//! let fit = ridge(&stimulus, responses.view(), Field::frame(3), Shrinkage::Fixed(0.0))?;
//! let found = fit.kernels.iter().zip(&kernel);
//! assert!(found.into_iter().all(|(found, kernel)| (found - kernel).abs() < 1e-5));
//!
//! // The same neuron again.
//! let mut fitted = Model::of(RF::new(1, 1, 3)?.with_weight(fit.kernels)?.with_bias(&fit.offsets)?);
//! assert!((fitted.run(&stimulus, 100)?[(0, 0, 99, 0, 0)] - responses[(99, 0)]).abs() < 1e-4);
//! # Ok::<(), foveola::Error>(())
//! ```

mod design;
pub mod event_average;
mod field;
mod linear;
mod normal;
pub mod rank_one;
pub mod reverse_correlation;
pub mod ridge;
pub mod separable;
pub mod spikes;
pub mod sta;
pub mod stc;

pub use event_average::{EventStudy, event_triggered_average};
pub use field::Field;
pub use rank_one::{RankOne, rank_one};
pub use reverse_correlation::{reverse_correlation, whitened_average};
pub use ridge::{Ridge, Shrinkage, ridge};
pub use separable::{Separable, separable};
pub use spikes::{counts_of_events, counts_of_times};
pub use sta::spike_triggered_average;
pub use stc::{SpikeTriggeredCovariance, spike_triggered_covariance};

#[cfg(test)]
mod fixtures;
