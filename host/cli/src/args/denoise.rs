//! Arguments of `foveola bench denoise`.

use crate::units;
use clap::Args;
use foveola::Geometry;
use std::path::PathBuf;

const HELP: &str = "\
Known noise is mixed into the clean events of two simulated
scenes. Each line says the area under the curve of a filter
over its time constant (or distance) for each rate of noise,
1 at best and 0.5 by chance; and, for the last rate, the
setting that is farthest from chance, with the part of the
signal (TPR) and of the noise (FPR) that it keeps.

Examples:
  foveola bench denoise
  foveola bench denoise --shot 2,20 --size 640x480
  foveola bench denoise --recording clean.raw --json
  foveola bench denoise --out docs    denoise.md and .png";

#[derive(Args, Clone)]
#[command(after_help = HELP)]
pub(crate) struct DenoiseArgs {
    /// Size of the simulated sensor
    #[arg(long, value_name = "COLSxROWS", default_value = "346x260", value_parser = units::geometry)]
    pub(crate) size: Geometry,

    /// How long it looks, and how much of a recording is read
    #[arg(long, default_value = "2s", value_name = "TIME", value_parser = units::microseconds, allow_hyphen_values = true)]
    pub(crate) duration: u64,

    /// Rates of shot noise, in events per pixel and second
    #[arg(long, default_value = "1,5,10", value_name = "HZ", value_delimiter = ',', value_parser = units::number, allow_hyphen_values = true)]
    pub(crate) shot: Vec<f32>,

    /// Leak noise beside it, in events per pixel and second
    #[arg(long, default_value = "0.2", value_name = "HZ", value_parser = units::number, allow_hyphen_values = true)]
    pub(crate) leak: f32,

    /// A recording that is clean, to be measured like the scenes
    #[arg(long, value_name = "FILE")]
    pub(crate) recording: Option<PathBuf>,

    /// Seed of the noise
    #[arg(long, default_value_t = 0, value_parser = units::whole::<u64>, allow_negative_numbers = true)]
    pub(crate) seed: u64,

    /// Write denoise.md and denoise.png into this folder
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Print JSON on stdout and nothing else there
    #[arg(long)]
    pub(crate) json: bool,
}
