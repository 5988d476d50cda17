//! The parameters of a simulated sensor, and their ranges.

use crate::Error;
use crate::error::in_range;
use core::time::Duration;

/// The parameters of a [`Sensor`](super::Sensor), which documents the equations.
///
/// The default is a good sensor in good light: leak, dark current and bandwidth limits are off. These two are the extremes:
///
/// ```
/// use foveola::scene::SensorParameters;
///
/// let ideal = SensorParameters::IDEAL; // no mismatch, no refractory period, no noise, no limit of bandwidth
/// let dim = SensorParameters {
///     leak_rate: 0.2,
///     shot_rate: 10.0,
///     shot_bright: 0.25,
///     cutoff: 100.0,
///     cutoff_dark: 0.1,
///     dark: 0.02,
///     ..SensorParameters::default()
/// };
/// # let _ = (ideal, dim);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SensorParameters {
    /// Increase of the natural logarithm of luminance for an ON event, 0.01 to 10. Default 0.25.
    pub threshold_on: f32,
    /// Decrease of the natural logarithm of luminance for an OFF event, 0.01 to 10. Default 0.25.
    pub threshold_off: f32,
    /// Relative standard deviation of the thresholds between pixels, 0 to 0.3. Default 0.03.
    pub mismatch: f32,
    /// Time after an event during which a pixel is blind, at most 10 s. Default 500 us.
    pub refractory: Duration,
    /// Leak: ON events per pixel and second at constant light, 0 to 100. Default 0.
    pub leak_rate: f32,
    /// Relative standard deviation of the leak between pixels, 0 to 0.3. Default 0.1.
    pub leak_jitter: f32,
    /// Shot noise: events of either polarity per pixel and second in the dark, 0 to 1000. Default 0.2.
    pub shot_rate: f32,
    /// Share of the shot noise that remains where luminance is 1 or more, 0 to 1. Default 1: the same everywhere.
    pub shot_bright: f32,
    /// Cutoff of the photoreceptor's low-pass in Hz where luminance is 1 or more, at least 0.1. Default infinite: no
    /// low-pass.
    pub cutoff: f32,
    /// Share of the cutoff that remains in the dark, 0.01 to 1. Default 1: the same everywhere.
    pub cutoff_dark: f32,
    /// Dark current as the luminance that causes the same photocurrent, 0 to 1. Default 0.
    pub dark: f32,
    /// The random seed: the same seed gives the same events on every platform. Default 0.
    pub seed: u64,
}

impl Default for SensorParameters {
    fn default() -> Self {
        Self { mismatch: 0.03, refractory: Duration::from_micros(500), leak_jitter: 0.1, shot_rate: 0.2, ..Self::IDEAL }
    }
}

impl SensorParameters {
    /// Identical pixels with unlimited bandwidth and no noise: an event for every threshold crossing.
    pub const IDEAL: Self = Self {
        threshold_on: 0.25,
        threshold_off: 0.25,
        mismatch: 0.0,
        refractory: Duration::ZERO,
        leak_rate: 0.0,
        leak_jitter: 0.0,
        shot_rate: 0.0,
        shot_bright: 1.0,
        cutoff: f32::INFINITY,
        cutoff_dark: 1.0,
        dark: 0.0,
        seed: 0,
    };

    /// Returns an error for parameters out of range.
    pub(super) fn check(&self) -> Result<(), Error> {
        const ITEM: &str = "sensor";
        for (name, value, (low, high), expected) in [
            ("threshold_on", self.threshold_on, (0.01, 10.0), "a number from 0.01 to 10"),
            ("threshold_off", self.threshold_off, (0.01, 10.0), "a number from 0.01 to 10"),
            ("mismatch", self.mismatch, (0.0, 0.3), "a number from 0 to 0.3"),
            ("leak_rate", self.leak_rate, (0.0, 100.0), "a number from 0 to 100"),
            ("leak_jitter", self.leak_jitter, (0.0, 0.3), "a number from 0 to 0.3"),
            ("shot_rate", self.shot_rate, (0.0, 1e3), "a number from 0 to 1000"),
            ("shot_bright", self.shot_bright, (0.0, 1.0), "a number from 0 to 1"),
            ("cutoff", self.cutoff, (0.1, f32::INFINITY), "0.1 or more"),
            ("cutoff_dark", self.cutoff_dark, (0.01, 1.0), "a number from 0.01 to 1"),
            ("dark", self.dark, (0.0, 1.0), "a number from 0 to 1"),
        ] {
            in_range(ITEM, name, value, (low..=high).contains(&value), expected)?;
        }
        let short = self.refractory <= Duration::from_secs(10);
        in_range(ITEM, "refractory", format!("{:?}", self.refractory), short, "at most 10 s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_parameters_are_named() {
        let ideal = SensorParameters::IDEAL;
        assert!(ideal.check().is_ok() && SensorParameters::default().check().is_ok(), "good ones");
        for (name, bad) in [
            ("threshold_on", SensorParameters { threshold_on: 0.0, ..ideal }),
            ("threshold_off", SensorParameters { threshold_off: f32::NAN, ..ideal }),
            ("mismatch", SensorParameters { mismatch: -0.1, ..ideal }),
            ("refractory", SensorParameters { refractory: Duration::from_secs(11), ..ideal }),
            ("leak_rate", SensorParameters { leak_rate: 101.0, ..ideal }),
            ("leak_jitter", SensorParameters { leak_jitter: 0.4, ..ideal }),
            ("shot_rate", SensorParameters { shot_rate: f32::INFINITY, ..ideal }),
            ("shot_bright", SensorParameters { shot_bright: 1.1, ..ideal }),
            ("cutoff", SensorParameters { cutoff: 0.0, ..ideal }),
            ("cutoff_dark", SensorParameters { cutoff_dark: 0.0, ..ideal }),
            ("dark", SensorParameters { dark: -1.0, ..ideal }),
        ] {
            let error = bad.check().expect_err(name).to_string();
            assert!(error.contains(name), "{error} names {name}");
        }
    }
}
