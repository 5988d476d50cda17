//! The arguments of `foveola model`.

use crate::units;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Args, Clone)]
#[command(after_help = MODEL_HELP)]
pub(crate) struct ModelArgs {
    #[command(subcommand)]
    pub(crate) command: ModelCommand,
}

const MODEL_HELP: &str = "\
A model file is TOML: the input, layers, what each of them
reads, and outputs. The folder models/ has examples, and
docs/guide/model-files.md explains them.

Examples:
  foveola model check mine.toml
  foveola model show mine.toml --size 128x128
  foveola model show mine.toml --set centre.tau=8ms
  foveola model weights mine.toml --out w.npz
  foveola run a.raw --model mine.toml --weights w.npz
  foveola model export mine.toml --to firmware src --binning 5
  foveola run recording.raw --model mine.toml";

#[derive(Subcommand, Clone)]
pub(crate) enum ModelCommand {
    /// Say whether files are models: line, column and key of the first mistake in each
    Check(CheckArgs),
    /// Print layers, output shapes, parameters, state and work of a model
    Show(ShowArgs),
    /// List the parameters of a model: names and shapes; --out writes them as arrays
    Weights(WeightsArgs),
    /// Write a model as Rust source for a microcontroller, and print its flash and RAM by layer
    Export(ExportArgs),
}

#[derive(Args, Clone)]
pub(crate) struct CheckArgs {
    /// Model files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Size of a frame [default: that of the file, or 64x64]
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry)]
    pub(crate) size: Option<foveola::Geometry>,
}

#[derive(Args, Clone)]
pub(crate) struct ShowArgs {
    /// The model file
    pub(crate) file: PathBuf,

    /// Size of a frame [default: that of the file, or 64x64]
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry)]
    pub(crate) size: Option<foveola::Geometry>,

    /// Change a value, such as centre.tau=8ms; repeat for several
    #[arg(long, value_name = "KEY=VALUE", value_parser = units::assignment)]
    pub(crate) set: Vec<(String, String)>,

    /// Print the model as a file, with the changes, instead of the table
    #[arg(long, conflicts_with = "json")]
    pub(crate) toml: bool,

    /// Print only JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone)]
pub(crate) struct WeightsArgs {
    /// The model file
    pub(crate) file: PathBuf,

    /// The archive to write: an array of float64 for each parameter, as numpy.load reads it
    #[arg(long, short, value_name = "NPZ")]
    pub(crate) out: Option<PathBuf>,

    /// Change a value, such as centre.tau=8ms; repeat for several
    #[arg(long, value_name = "KEY=VALUE", value_parser = units::assignment)]
    pub(crate) set: Vec<(String, String)>,
}

#[derive(Args, Clone)]
pub(crate) struct ExportArgs {
    /// The model file
    pub(crate) file: PathBuf,

    /// What the source is for
    #[arg(long, value_name = "KIND")]
    pub(crate) to: Target,

    /// Folder of the source, model.rs; made if it is missing
    pub(crate) folder: PathBuf,

    /// Size of a frame [default: that of the file, or 64x64]
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry)]
    pub(crate) size: Option<foveola::Geometry>,

    /// A pixel of the frame counts the events of N x N pixels of the sensor
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) binning: u16,

    /// Change a value, such as centre.tau=8ms; repeat for several
    #[arg(long, value_name = "KEY=VALUE", value_parser = units::assignment)]
    pub(crate) set: Vec<(String, String)>,
}

/// What a model can be exported for.
#[derive(ValueEnum, Clone, Copy)]
pub(crate) enum Target {
    /// A program with foveola-core and foveola-pipeline
    Firmware,
}
