//! Arguments of `foveola record`.

use super::sensor::SensorArgs;
use crate::units;
use clap::Args;
use foveola::{Geometry, movie};
use std::path::PathBuf;

const HELP: &str = "\
The file extension gives the format; the default is EVT2.

Examples:
  foveola record scene.raw
  foveola record a.raw --geometry 64x64 --duration 200ms
  foveola record a.raw --movie frames/ --rate 240
  foveola record dim.raw --movie a.gif --threshold 0.2 \\
      --leak 0.2 --shot 5 --cutoff 100 --cutoff-dark 0.1";

#[derive(Args, Clone)]
#[command(after_help = HELP)]
pub(crate) struct RecordArgs {
    /// The file to write
    pub(crate) file: PathBuf,

    /// Movie to record: a folder of PNGs, a GIF, an array in .npy or .npz [default: the built-in scene]
    #[arg(long, value_name = "PATH")]
    pub(crate) movie: Option<PathBuf>,

    /// Frame rate of the movie; each picture of a GIF is then one frame [default: that of the movie, or 30]
    #[arg(long, value_name = "HZ", requires = "movie", value_parser = units::number, allow_hyphen_values = true)]
    pub(crate) rate: Option<f32>,

    /// Scale of array samples: unit (0 to 1, relative to the largest value of the type) or raw (as stored) [default: unit
    /// for u1 and u2, raw for floats]
    #[arg(long, requires = "movie", value_parser = units::scale, value_name = "HOW")]
    pub(crate) scale: Option<movie::Scale>,

    /// Exponent that converts samples to luminance: 2.2 for most pictures, 1 for no conversion
    #[arg(long, value_name = "X", default_value = "1", requires = "movie", value_parser = units::number, allow_hyphen_values = true)]
    pub(crate) gamma: f32,

    /// Sensor size [default: that of the movie, or 128x96]
    #[arg(long, value_name = "COLSxROWS", conflicts_with = "movie", value_parser = units::geometry, allow_hyphen_values = true)]
    pub(crate) geometry: Option<Geometry>,

    /// Duration of the recording [default: to the end of the movie, or 2s]
    #[arg(long, value_name = "TIME", value_parser = units::microseconds, allow_hyphen_values = true)]
    pub(crate) duration: Option<u64>,

    #[command(flatten)]
    pub(crate) sensor: SensorArgs,
}
