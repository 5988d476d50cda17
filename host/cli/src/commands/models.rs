//! The model of `foveola run` and its parts.

use crate::args::RunArgs;
use foveola::{Device, Model, Precision, Resolution, Result, models};

/// A model and its parts, with the device and precision given by the arguments.
pub(crate) struct Models {
    pub(crate) whole: Model,
    pub(crate) parts: Vec<(&'static str, Model)>,
}

impl Models {
    /// Builds the model for frames of `dt` microseconds.
    pub(crate) fn build(args: &RunArgs, device: &Device, dt: u64) -> Result<Self> {
        let resolution = Resolution { steps_per_second: 1e6 / dt as f64, ..Resolution::DEFAULT };
        let named = models::build(&args.model, resolution)?;
        let precision = if args.reproducible { Precision::Reproducible } else { Precision::Fast };
        let there = |model: Model| model.with_precision(precision).to(device);
        let parts = named.parts.into_iter().map(|(name, part)| (name, there(part))).collect();
        Ok(Self { whole: there(named.model), parts })
    }
}
