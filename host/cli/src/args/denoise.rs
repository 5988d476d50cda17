//! Arguments of `foveola bench denoise`.

use crate::units;
use clap::Args;
use foveola::Geometry;
use std::path::PathBuf;

const HELP: &str = "\
Labelled noise is mixed into the clean events of two
simulated scenes. Each line shows the area under the ROC
curve of a filter over its time constant (or distance), for
each noise rate: 1 is perfect, 0.5 is chance. For the last
rate it also shows the setting with the largest TPR - FPR,
with its signal retention (TPR) and noise retention (FPR).

Examples:
  foveola bench denoise
  foveola bench denoise --shot 2,20 --size 640x480
  foveola bench denoise --recording clean.raw --json
  foveola bench denoise --out docs    denoise.md and .png";

#[derive(Args, Clone)]
#[command(after_help = HELP)]
pub(crate) struct DenoiseArgs {
    /// Size of the simulated sensor
    #[arg(long, value_name = "COLSxROWS", default_value = "346x260", value_parser = units::geometry, allow_hyphen_values = true)]
    pub(crate) size: Geometry,

    /// Duration of the simulation, and of the part of a recording that is read
    #[arg(long, default_value = "2s", value_name = "TIME", value_parser = units::microseconds, allow_hyphen_values = true)]
    pub(crate) duration: u64,

    /// Shot-noise rates, in events per pixel and second
    #[arg(long, default_value = "1,5,10", value_name = "HZ", value_delimiter = ',', value_parser = units::number, allow_hyphen_values = true)]
    pub(crate) shot: Vec<f32>,

    /// Leak-noise rate, in events per pixel and second
    #[arg(long, default_value = "0.2", value_name = "HZ", value_parser = units::number, allow_hyphen_values = true)]
    pub(crate) leak: f32,

    /// A recording without noise, measured like the scenes
    #[arg(long, value_name = "FILE")]
    pub(crate) recording: Option<PathBuf>,

    /// Seed of the noise
    #[arg(long, default_value_t = 0, value_parser = units::whole::<u64>, allow_negative_numbers = true)]
    pub(crate) seed: u64,

    /// Write denoise.md and denoise.png to this folder
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Print only JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
}
