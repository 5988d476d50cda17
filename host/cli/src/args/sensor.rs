//! The simulated sensor as arguments of the command line.

use crate::units;
use clap::Args;
use foveola::scene::SensorParameters;
use std::time::Duration;

/// What is not given is as in [`SensorParameters::default`].
#[derive(Args, Clone)]
#[command(next_help_heading = "Simulated sensor")]
pub(crate) struct SensorArgs {
    /// Change of ln(luminance) that makes an event [default: 0.25]
    #[arg(long, value_name = "X", value_parser = units::number, allow_hyphen_values = true)]
    threshold: Option<f32>,

    /// Deviation of the thresholds between pixels, as a part of them [default: 0.03]
    #[arg(long, value_name = "PART", value_parser = units::number, allow_hyphen_values = true)]
    mismatch: Option<f32>,

    /// Time for which a pixel is blind after an event; 0us for none [default: 500us]
    #[arg(long, value_name = "TIME", value_parser = units::microseconds_or_zero, allow_hyphen_values = true)]
    refractory: Option<u64>,

    /// Leak: ON events per pixel and second where nothing moves [default: 0]
    #[arg(long, value_name = "HZ", value_parser = units::number, allow_hyphen_values = true)]
    leak: Option<f32>,

    /// Shot noise: events per pixel and second in the dark [default: 0.2]
    #[arg(long, value_name = "HZ", value_parser = units::number, allow_hyphen_values = true)]
    shot: Option<f32>,

    /// Part of the shot noise that is left in the light [default: 1]
    #[arg(long, value_name = "PART", value_parser = units::number, allow_hyphen_values = true)]
    shot_bright: Option<f32>,

    /// Cutoff of the photoreceptor's low-pass in the light [default: none]
    #[arg(long, value_name = "HZ", value_parser = units::number, allow_hyphen_values = true)]
    cutoff: Option<f32>,

    /// Part of the cutoff that is left in the dark [default: 1]
    #[arg(long, value_name = "PART", value_parser = units::number, allow_hyphen_values = true)]
    cutoff_dark: Option<f32>,

    /// Dark current, as luminance, where white is 1 [default: 0; 0.02 for a movie]
    #[arg(long, value_name = "X", value_parser = units::number, allow_hyphen_values = true)]
    dark: Option<f32>,

    /// Seed of all that is random in the sensor
    #[arg(long, default_value_t = 0, value_parser = units::whole::<u64>, allow_negative_numbers = true)]
    seed: u64,
}

impl SensorArgs {
    /// The parameters, where `dark` is the dark current unless another one is given.
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
