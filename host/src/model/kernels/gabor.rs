//! Gabor kernels: a grating under a Gaussian, still or drifting.
//!
//! ```text
//! x' =  c cos(orientation) + r sin(orientation)
//! y' = -c sin(orientation) + r cos(orientation)
//! still     w(r, c)    = exp(-(x'^2 + aspect^2 y'^2) / (2 sigma^2)) cos(2 pi x' / wavelength + phase)
//! drifting  w(t, r, c) = exp(-(x'^2 + aspect^2 y'^2) / (2 sigma^2) - (t - t0)^2 / (2 duration^2))
//!                        cos(2 pi (x' / wavelength - frequency (t - t0)) + phase)
//! ```
//! `r`, `c` are the distances in pixels from the centre of the array (rows go down), `t - t0` that in frames. With an
//! orientation of 0 the bars are vertical; as an impulse response, a drifting kernel with a positive frequency prefers motion
//! along `x'`. Two kernels whose phases differ by 90 degrees are a quadrature pair: the sum of their squared outputs is the
//! motion energy, which does not depend on the phase of the stimulus. Cost: one exponential and one cosine per sample.
//!
//! References: Daugman, Uncertainty relation for resolution in space, spatial frequency, and orientation, 1985,
//! doi:10.1364/JOSAA.2.001160; Adelson and Bergen, Spatiotemporal energy models for the perception of motion, 1985,
//! doi:10.1364/JOSAA.2.000284.

use super::{positive, room};
use crate::{Error, Result};
use ndarray::{Array2, Array3};
use std::f64::consts::TAU;

const NAME: &str = "Gabor";

/// A still Gabor kernel.
///
/// ```
/// use foveola::kernels::Gabor;
/// let edge = Gabor { phase: std::f64::consts::FRAC_PI_2, ..Gabor::new(2.0, 6.0) }; // odd
/// assert!(edge.write([9, 9])?.sum().abs() < 1e-6);
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gabor {
    /// Standard deviation of the Gaussian along the grating, in pixels, above 0.
    pub sigma: f64,
    /// Length of a cycle in pixels, above 0.
    pub wavelength: f64,
    /// Direction in which the grating varies, in radians: 0 along the columns, towards the rows.
    pub orientation: f64,
    /// Phase of the grating at the centre, in radians: 0 is even, 90 degrees odd.
    pub phase: f64,
    /// `sigma` over the standard deviation along the bars, above 0.
    pub aspect: f64,
}

/// The time course of a drifting Gabor kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Cycles per frame; negative for motion the other way.
    pub frequency: f64,
    /// Standard deviation of the Gaussian in time, in frames, above 0.
    pub duration: f64,
}

impl Gabor {
    /// Vertical bars, even, under a round Gaussian.
    pub const fn new(sigma: f64, wavelength: f64) -> Self {
        Self { sigma, wavelength, orientation: 0.0, phase: 0.0, aspect: 1.0 }
    }

    fn check(&self) -> Result<()> {
        positive(NAME, "sigma", self.sigma)?;
        positive(NAME, "wavelength", self.wavelength)?;
        positive(NAME, "aspect", self.aspect)?;
        finite("orientation", self.orientation)?;
        finite("phase", self.phase)
    }

    /// The kernel `(row, col)` of `size`.
    ///
    /// # Errors
    /// A parameter outside its range; [`Error::Memory`].
    pub fn write(&self, size: [usize; 2]) -> Result<Array2<f32>> {
        let [rows, cols] = size;
        let kernel = self.sampled([1, rows, cols], Drift { frequency: 0.0, duration: 1.0 })?;
        Array2::from_shape_vec(size, kernel).map_err(|_| Error::Memory { what: "a kernel", samples: rows * cols })
    }

    /// The drifting kernel `(time, row, col)` of `size`.
    ///
    /// # Errors
    /// A parameter outside its range; [`Error::Memory`].
    pub fn write_drifting(&self, drift: Drift, size: [usize; 3]) -> Result<Array3<f32>> {
        finite("frequency", drift.frequency)?;
        positive(NAME, "duration", drift.duration)?;
        let samples = size.iter().product();
        Array3::from_shape_vec(size, self.sampled(size, drift)?)
            .map_err(|_| Error::Memory { what: "a kernel", samples })
    }

    fn sampled(&self, size: [usize; 3], drift: Drift) -> Result<Vec<f32>> {
        self.check()?;
        let [frames, rows, cols] = size;
        let mut weights = room(size.iter().fold(1, |all, len| all.saturating_mul(*len)))?;
        let (sin, cos) = (libm::sin(self.orientation), libm::cos(self.orientation));
        let from_centre = |i: usize, len: usize| i as f64 - (len as f64 - 1.0) / 2.0;
        for (i, weight) in weights.iter_mut().enumerate() {
            let [t, r, c] = [
                from_centre(i / (rows * cols), frames),
                from_centre(i / cols % rows, rows),
                from_centre(i % cols, cols),
            ];
            let (x, y) = (c * cos + r * sin, r * cos - c * sin);
            let (u, v, w) = (x / self.sigma, self.aspect * y / self.sigma, t / drift.duration);
            let grating = libm::cos(TAU * (x / self.wavelength - drift.frequency * t) + self.phase);
            *weight = (libm::exp(-0.5 * (u * u + v * v + w * w)) * grating) as f32;
        }
        Ok(weights)
    }
}

fn finite(name: &'static str, value: f64) -> Result<()> {
    crate::error::in_range(NAME, name, value, value.is_finite(), "a finite number")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Conv3d, Model};
    use std::f64::consts::{FRAC_PI_2, PI};

    /// The response to the preferred direction is many times that to the opposite one, whatever the orientation.
    #[test]
    fn a_positive_frequency_prefers_motion_along_its_orientation() {
        let drift = Drift { frequency: 0.1, duration: 5.0 };
        for orientation in [0.0, FRAC_PI_2, PI, 0.6] {
            let gabor = Gabor { orientation, ..Gabor::new(2.0, 6.0) };
            let kernel = gabor.write_drifting(drift, [21, 13, 13]).expect("a kernel");
            let response = |direction: f64| {
                let movie = Array3::from_shape_fn((60, 25, 25), |(t, r, c)| {
                    let x = c as f64 * orientation.cos() + r as f64 * orientation.sin();
                    (TAU * (x / 6.0 - direction * 0.1 * t as f64)).cos() as f32
                });
                let layer = Conv3d::new(1, 1, [1, 1, 1]).and_then(|conv| conv.with_weight(kernel.clone()));
                let out = Model::of(layer.expect("a layer")).run(&movie, 60).expect("good");
                (30..60).map(|t| out[(0, 0, t, 12, 12)].abs()).fold(0.0, f32::max)
            };
            let (along, against) = (response(1.0), response(-1.0));
            assert!(along > 10.0 * against, "{orientation}: {along} and {against}");
        }
    }

    #[test]
    fn a_quadrature_pair_is_even_and_odd() {
        let even = Gabor::new(2.0, 6.0).write([9, 11]).expect("a kernel");
        let odd = Gabor { phase: FRAC_PI_2, ..Gabor::new(2.0, 6.0) }.write([9, 11]).expect("a kernel");
        for ((r, c), weight) in even.indexed_iter() {
            assert!((weight - even[(8 - r, 10 - c)]).abs() < 1e-6, "even at {r}, {c}");
            assert!((odd[(r, c)] + odd[(8 - r, 10 - c)]).abs() < 1e-6, "odd at {r}, {c}");
        }
    }

    #[test]
    fn bad_parameters_are_refused() {
        let good = Gabor::new(2.0, 6.0);
        let bad = [
            Gabor { sigma: 0.0, ..good },
            Gabor { wavelength: -1.0, ..good },
            Gabor { aspect: f64::NAN, ..good },
            Gabor { phase: f64::INFINITY, ..good },
            Gabor { orientation: f64::NAN, ..good },
        ];
        assert!(bad.iter().all(|gabor| gabor.write([3, 3]).is_err()), "each is refused");
        for drift in [Drift { frequency: f64::NAN, duration: 1.0 }, Drift { frequency: 0.1, duration: 0.0 }] {
            assert!(good.write_drifting(drift, [3, 3, 3]).is_err(), "{drift:?}");
        }
        assert!(good.write([1 << 20, 1 << 20]).is_err(), "too large");
    }
}
