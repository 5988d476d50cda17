//! The gain of an impulse response for drifting gratings.
//!
//! ```text
//! s(t, x) = cos(2 pi (f t - k x))           a grating that drifts towards larger x for k > 0
//! gain(k, f) = |sum_t sum_x h(t, x) e^(-2 pi i (f t - k x))|     h summed over the other axis of space
//! ```
//! `f` is in cycles per frame of the input, `k` in cycles per pixel of the input. Computed term by term in `f64`.

use ndarray::{Array2, ArrayView3, Axis};
use std::f64::consts::TAU;

/// The response of one channel, summed along rows and along columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// `(time, position)` for gratings that vary along rows, and along columns.
    profiles: [Array2<f64>; 2],
    every: f64,
    pitch: [f64; 2],
}

/// A grating, and the gain for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// The axis along which it varies: 0 along rows (up and down), 1 along columns (left and right).
    pub axis: usize,
    /// Cycles per pixel of the input; positive towards larger rows or columns.
    pub space: f64,
    /// Cycles per frame of the input.
    pub time: f64,
    /// Amplitude of the output for a grating with an amplitude of 1.
    pub gain: f64,
}

/// Frequencies in space on each side of 0 among which the best grating is looked for.
const SPACE: usize = 32;
/// Frequencies in time per decade, and decades.
const TIME: usize = 16;
const DECADES: usize = 3;

impl Spectrum {
    pub(super) fn new(response: ArrayView3<'_, f32>, every: usize, pitch: [f64; 2], amplitude: f32) -> Self {
        let scaled = response.mapv(|sample| f64::from(sample) / f64::from(amplitude));
        Self { profiles: [scaled.sum_axis(Axis(2)), scaled.sum_axis(Axis(1))], every: every as f64, pitch }
    }

    /// The response `(time, position)` to a line instead of a pixel: along rows (0), or along columns (1), summed over the
    /// other axis.
    pub fn profile(&self, axis: usize) -> &Array2<f64> {
        &self.profiles[axis.min(1)]
    }

    /// The gain for a grating that varies along rows (0) or columns (1), of `space` cycles per pixel and `time` cycles per
    /// frame of the input.
    pub fn at(&self, axis: usize, space: f64, time: f64) -> f64 {
        self.gains(axis, space, &[time])[0]
    }

    /// [`Spectrum::at`] for several frequencies in time.
    pub fn gains(&self, axis: usize, space: f64, times: &[f64]) -> Vec<f64> {
        let axis = axis.min(1);
        let in_space: Vec<[f64; 2]> = self.profiles[axis]
            .outer_iter()
            .map(|row| {
                let terms = row.iter().enumerate().filter(|(_, h)| **h != 0.0);
                terms.fold([0.0; 2], |[re, im], (x, h)| {
                    let (sin, cos) = (TAU * space * self.pitch[axis] * x as f64).sin_cos();
                    [re + h * cos, im + h * sin]
                })
            })
            .collect();
        let gain = |time: &f64| {
            let sum = in_space.iter().enumerate().fold([0.0; 2], |[re, im], (t, [a, b])| {
                let (sin, cos) = (-TAU * time * self.every * t as f64).sin_cos();
                [re + a * cos - b * sin, im + a * sin + b * cos]
            });
            sum[0].hypot(sum[1])
        };
        times.iter().map(gain).collect()
    }

    /// Frequencies in time: 0, then evenly spaced on a logarithmic axis up to half a cycle per frame of the response.
    pub fn times(&self) -> Vec<f64> {
        let nyquist = 0.5 / self.every;
        let step = |i: usize| nyquist * 10_f64.powf((i as f64 - (TIME * DECADES) as f64) / TIME as f64);
        [0.0].into_iter().chain((0..=TIME * DECADES).map(step)).collect()
    }

    /// Frequencies in space from 0 up to half a cycle per pixel of the response.
    pub fn spaces(&self, axis: usize) -> Vec<f64> {
        let nyquist = 0.5 / self.pitch[axis.min(1)];
        (0..=SPACE).map(|i| nyquist * i as f64 / SPACE as f64).collect()
    }

    /// The grating with the largest gain, among those of [`Spectrum::times`] and [`Spectrum::spaces`] in both directions. Of
    /// equal ones the slowest and coarsest; none without a response.
    pub fn best(&self) -> Option<Best> {
        let times = self.times();
        let mut best = Best { axis: 1, space: 0.0, time: 0.0, gain: 0.0 };
        for axis in [1, 0] {
            for space in self.spaces(axis) {
                // Gratings of 0 cycles have no direction.
                for space in [space, -space].into_iter().take(if space == 0.0 { 1 } else { 2 }) {
                    for (time, gain) in times.iter().zip(self.gains(axis, space, &times)) {
                        // Equal up to rounding is equal.
                        if gain > best.gain * (1.0 + 1e-6) {
                            best = Best { axis, space, time: *time, gain };
                        }
                    }
                }
            }
        }
        (best.gain > 0.0).then_some(best)
    }
}
