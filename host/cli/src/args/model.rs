//! The arguments of `foveola model`.

use crate::units;
use clap::{Args, Subcommand};
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
docs/guide/your-own-model.md explains them.

Examples:
  foveola model check mine.toml
  foveola model show mine.toml --size 128x128
  foveola model show mine.toml --set centre.tau=8ms
  foveola run recording.raw --model mine.toml";

#[derive(Subcommand, Clone)]
pub(crate) enum ModelCommand {
    /// Say whether files are models: line, column and key of the first mistake in each
    Check(CheckArgs),
    /// Print layers, output shapes, parameters, state and work of a model
    Show(ShowArgs),
}

#[derive(Args, Clone)]
pub(crate) struct CheckArgs {
    /// Model files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
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
