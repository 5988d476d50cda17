//! A drifting sinusoid: a stimulus for receptive fields.
//!
//! `L(x, y, t) = mean * (1 + contrast * sin(2 pi (s / wavelength - frequency * t + phase)))` with
//! `s = x cos(direction) - y sin(direction)`, x the column, y the row, t the frame.

use super::{Size, finite, positive, unit_vector};
use crate::Error;
use crate::error::in_range;
use core::f64::consts::TAU;
use ndarray::Array5;

/// The parameters of a [`moving_grating`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MovingGrating {
    /// Drift direction in degrees: 0 is right, 90 is up. Default 0.
    pub direction: f32,
    /// Distance between two crests in pixels, above 0. Default 16.
    pub wavelength: f32,
    /// Cycles per frame; a crest moves `frequency * wavelength` pixels per frame; negative drifts backwards.
    /// Default 0.02.
    pub frequency: f32,
    /// Michelson contrast, 0 to 1. Default 1.
    pub contrast: f32,
    /// Mean luminance. Default 0.5, so that values lie between 0 and 1.
    pub mean: f32,
    /// Phase of the pixel (0, 0) in the first frame, in cycles. Default 0.
    pub phase: f32,
}

impl Default for MovingGrating {
    fn default() -> Self {
        Self { direction: 0.0, wavelength: 16.0, frequency: 0.02, contrast: 1.0, mean: 0.5, phase: 0.0 }
    }
}

/// A drifting sinusoidal grating.
///
/// ```
/// use foveola::samples::{MovingGrating, Size, moving_grating};
///
/// let movie = moving_grating(
///     Size::new(100, 16, 16),
///     &MovingGrating { wavelength: 8.0, frequency: 0.25, ..MovingGrating::default() },
/// )?;
/// let (now, next) = (movie[[0, 0, 0, 3, 3]], movie[[0, 0, 1, 3, 5]]); // 0.25 * 8 = 2 pixels to the right
/// assert!((now - next).abs() < 1e-6);
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] where a number is not finite, the wavelength is not above 0, the contrast is outside 0 to 1,
/// or the movie is empty or larger than memory.
pub fn moving_grating(size: Size, grating: &MovingGrating) -> Result<Array5<f32>, Error> {
    const ITEM: &str = "moving_grating";
    let &MovingGrating { direction, wavelength, frequency, contrast, mean, phase } = grating;
    finite(ITEM, "direction", direction)?;
    positive(ITEM, "wavelength", wavelength)?;
    finite(ITEM, "frequency", frequency)?;
    in_range(ITEM, "contrast", contrast, (0.0..=1.0).contains(&contrast), "a number from 0 to 1")?;
    finite(ITEM, "mean", mean)?;
    finite(ITEM, "phase", phase)?;

    let (cos, sin) = unit_vector(direction);
    let per_pixel = 1.0 / f64::from(wavelength);
    let (amplitude, mean) = (f64::from(mean) * f64::from(contrast), f64::from(mean));
    size.movie(ITEM, |t, frame| {
        let start = f64::from(phase) - f64::from(frequency) * t as f64;
        for (y, row) in frame.chunks_exact_mut(size.cols).enumerate() {
            for (x, sample) in row.iter_mut().enumerate() {
                let cycles = (x as f64 * cos - y as f64 * sin) * per_pixel + start;
                // Whole cycles are removed first: the sine of a small angle is fast and exact.
                *sample = (mean + amplitude * libm::sin(TAU * (cycles - libm::floor(cycles)))) as f32;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stimuli::samples::tests::hash;

    #[test]
    fn contrast_is_michelson() {
        let grating = MovingGrating { contrast: 0.4, mean: 2.0, wavelength: 4.0, ..MovingGrating::default() };
        let movie = moving_grating(Size::new(4, 3, 16), &grating).expect("good");
        let (low, high) = movie.iter().fold((f32::MAX, f32::MIN), |(l, h), &v| (l.min(v), h.max(v)));
        assert!((((high - low) / (high + low)) - 0.4).abs() < 1e-6, "contrast of {low}..{high}");
    }

    #[test]
    fn upwards_is_towards_lower_rows() {
        let grating = MovingGrating { direction: 90.0, wavelength: 10.0, frequency: 0.1, ..MovingGrating::default() };
        let movie = moving_grating(Size::new(2, 12, 2), &grating).expect("good");
        for row in 1..12 {
            let moved = movie[[0, 0, 1, row - 1, 0]] - movie[[0, 0, 0, row, 0]];
            assert!(moved.abs() < 1e-6, "row {row} moved up by one pixel");
        }
    }

    #[test]
    fn the_same_bits_everywhere() {
        let movie = moving_grating(Size::new(7, 5, 6), &MovingGrating { direction: 33.0, ..Default::default() });
        assert_eq!(hash(&movie.expect("good")), 0xa6e4_6c05_1089_06fa, "digest");
    }

    #[test]
    fn bad_parameters_are_named() {
        let good = MovingGrating::default();
        for (name, bad) in [
            ("direction", MovingGrating { direction: f32::NAN, ..good }),
            ("wavelength", MovingGrating { wavelength: 0.0, ..good }),
            ("wavelength", MovingGrating { wavelength: -3.0, ..good }),
            ("frequency", MovingGrating { frequency: f32::INFINITY, ..good }),
            ("contrast", MovingGrating { contrast: 1.5, ..good }),
            ("contrast", MovingGrating { contrast: f32::NAN, ..good }),
            ("mean", MovingGrating { mean: f32::NAN, ..good }),
            ("phase", MovingGrating { phase: f32::NAN, ..good }),
        ] {
            let error = moving_grating(Size::new(2, 2, 2), &bad).expect_err(name).to_string();
            assert!(error.contains(name), "{error} names {name}");
        }
    }
}
