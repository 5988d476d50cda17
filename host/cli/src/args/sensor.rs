//! The simulated sensor as command-line arguments.

use crate::units;
use clap::Args;
use foveola::scene::SensorParameters;
use std::time::Duration;

/// The defaults are those of [`SensorParameters::default`].
#[derive(Args, Clone)]
#[command(next_help_heading = "Simulated sensor")]
pub(crate) struct SensorArgs {
    /// Change of ln(luminance) per event [default: 0.25]
    #[arg(long, value_name = "X", value_parser = units::number, allow_hyphen_values = true)]
    threshold: Option<f32>,

    /// Relative standard deviation of the thresholds between pixels [default: 0.03]
    #[arg(long, value_name = "PART", value_parser = units::number, allow_hyphen_values = true)]
    mismatch: Option<f32>,

    /// Blind time of a pixel after an event; 0us for none [default: 500us]
    #[arg(long, value_name = "TIME", value_parser = units::microseconds_or_zero, allow_hyphen_values = true)]
    refractory: Option<u64>,

    /// Leak: ON events per pixel and second at constant light [default: 0]
    #[arg(long, value_name = "HZ", value_parser = units::number, allow_hyphen_values = true)]
    leak: Option<f32>,

    /// Shot noise: events per pixel and second in the dark [default: 0.2]
    #[arg(long, value_name = "HZ", value_parser = units::number, allow_hyphen_values = true)]
    shot: Option<f32>,

    /// Share of the shot noise that remains in bright light [default: 1]
    #[arg(long, value_name = "PART", value_parser = units::number, allow_hyphen_values = true)]
    shot_bright: Option<f32>,

    /// Cutoff of the photoreceptor's low-pass in bright light [default: none]
    #[arg(long, value_name = "HZ", value_parser = units::number, allow_hyphen_values = true)]
    cutoff: Option<f32>,

    /// Share of the cutoff that remains in the dark [default: 1]
    #[arg(long, value_name = "PART", value_parser = units::number, allow_hyphen_values = true)]
    cutoff_dark: Option<f32>,

    /// Dark current, as a luminance; white is 1 [default: 0; 0.02 for a movie]
    #[arg(long, value_name = "X", value_parser = units::number, allow_hyphen_values = true)]
    dark: Option<f32>,

    /// Seed of the sensor's random numbers
    #[arg(long, default_value_t = 0, value_parser = units::whole::<u64>, allow_negative_numbers = true)]
    seed: u64,
}

impl SensorArgs {
    /// The parameters; `dark` is the default of the dark current.
    pub(crate) fn parameters(&self, dark: f32) -> SensorParameters {
        let default = SensorParameters::default();
        SensorParameters {
            threshold_on: self.threshold.unwrap_or(default.threshold_on),
            threshold_off: self.threshold.unwrap_or(default.threshold_off),
            mismatch: self.mismatch.unwrap_or(default.mismatch),
            refractory: self.refractory.map_or(default.refractory, Duration::from_micros),
            leak_rate: self.leak.unwrap_or(default.leak_rate),
            leak_jitter: default.leak_jitter,
            shot_rate: self.shot.unwrap_or(default.shot_rate),
            shot_bright: self.shot_bright.unwrap_or(default.shot_bright),
            cutoff: self.cutoff.unwrap_or(default.cutoff),
            cutoff_dark: self.cutoff_dark.unwrap_or(default.cutoff_dark),
            dark: self.dark.unwrap_or(dark),
            seed: self.seed,
        }
    }
}
