//! Arguments of `foveola record`.

use super::sensor::SensorArgs;
use crate::units;
use clap::Args;
use foveola::{Geometry, movie};
use std::path::PathBuf;

const HELP: &str = "\
The format is that of the file's name, or EVT2.

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

    /// A movie to look at: a folder of PNGs, a GIF, an array in .npy or .npz [default: the built-in scene]
    #[arg(long, value_name = "PATH")]
    pub(crate) movie: Option<PathBuf>,

    /// Frames of the movie in a second: of a GIF, each picture is one then [default: its own, or 30]
    #[arg(long, value_name = "HZ", requires = "movie", value_parser = units::number, allow_hyphen_values = true)]
    pub(crate) rate: Option<f32>,

    /// Samples of an array: unit (0 to 1, parts of the largest of their type) or raw (as they stand) [default: unit for u1
    /// and u2, raw for floats]
    #[arg(long, requires = "movie", value_parser = units::scale, value_name = "HOW")]
    pub(crate) scale: Option<movie::Scale>,

    /// Exponent that makes luminance of the movie's samples: 2.2 for most pictures, 1 leaves them as they are
    #[arg(long, value_name = "X", default_value = "1", requires = "movie", value_parser = units::number, allow_hyphen_values = true)]
    pub(crate) gamma: f32,

    /// Size of the sensor [default: the movie's, or 128x96]
    #[arg(long, value_name = "COLSxROWS", conflicts_with = "movie", value_parser = units::geometry)]
    pub(crate) geometry: Option<Geometry>,

    /// How long it looks [default: to the movie's end, or 2s]
    #[arg(long, value_name = "TIME", value_parser = units::microseconds, allow_hyphen_values = true)]
    pub(crate) duration: Option<u64>,

    #[command(flatten)]
    pub(crate) sensor: SensorArgs,
}
