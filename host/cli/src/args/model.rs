//! The arguments of `foveola model`.

use super::InputArgs;
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
reads, and outputs; docs/guide/model-files.md explains it.
The files of the folder models/ are also known by their
names: retina is models/retina.toml. What has a / or ends
with .toml is a file, anything else such a name.

Examples:
  foveola model show retina --toml     start from this
  foveola model check mine.toml
  foveola model show mine.toml --size 128x128
  foveola model show mine.toml --set centre.tau=8ms
  foveola model show mine.toml --svg mine.svg
  foveola model plot mine.toml --layer centre
  foveola model weights mine.toml --out w.npz
  foveola run a.raw --model mine.toml --weights w.npz
  foveola model plot mine.toml --weights w.npz
  foveola model export mine.toml --to firmware src --binning 5
  foveola model quantise mine.toml --on a.raw --out q15.toml
  foveola run recording.raw --model mine.toml";

#[derive(Subcommand, Clone)]
pub(crate) enum ModelCommand {
    /// Say whether files are models: line, column and key of the first mistake in each
    Check(CheckArgs),
    /// Print layers, output shapes, parameters, state, work and delays of a model, or draw its graph
    Show(ShowArgs),
    /// Draw the responses of a model to a flash, its gain for gratings, and its weights
    Plot(PlotArgs),
    /// List the parameters of a model: names and shapes; --out writes them as arrays
    Weights(WeightsArgs),
    /// Write a model as Rust source for a microcontroller, and print its flash and RAM by layer
    Export(ExportArgs),
    /// Turn a model into one of 16-bit integers, whose full scales are chosen from a recording, and print what that costs
    Quantise(Box<QuantiseArgs>),
}

#[derive(Args, Clone)]
pub(crate) struct CheckArgs {
    /// Model files, or names of ready models
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Size of a frame [default: that of the file, or 64x64]
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry, allow_hyphen_values = true)]
    pub(crate) size: Option<foveola::Geometry>,
}

#[derive(Args, Clone)]
pub(crate) struct ShowArgs {
    /// The model file, or the name of a ready one
    pub(crate) file: PathBuf,

    /// Size of a frame [default: that of the file, or 64x64]
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry, allow_hyphen_values = true)]
    pub(crate) size: Option<foveola::Geometry>,

    /// Change a value, such as centre.tau=8ms; repeat for several
    #[arg(long, value_name = "KEY=VALUE", value_parser = units::assignment)]
    pub(crate) set: Vec<(String, String)>,

    /// Set all parameters from an archive of arrays, as foveola model weights writes it
    #[arg(long, value_name = "NPZ", conflicts_with_all = ["toml", "svg"])]
    pub(crate) weights: Option<PathBuf>,

    /// Print the model as a file, with the changes, instead of the table
    #[arg(long, conflicts_with = "json")]
    pub(crate) toml: bool,

    /// Draw the graph of the layers into this file, instead of the table
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "toml"])]
    pub(crate) svg: Option<PathBuf>,

    /// Print only JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone)]
#[command(after_help = PLOT_HELP)]
pub(crate) struct PlotArgs {
    /// The model file
    pub(crate) file: PathBuf,

    /// Draw this layer as well as the outputs; repeat for several
    #[arg(long, value_name = "NAME")]
    pub(crate) layer: Vec<String>,

    /// Folder of the pictures; made if it is missing
    #[arg(long, short, default_value = "foveola-out", value_name = "FOLDER")]
    pub(crate) out: PathBuf,

    /// Size of a frame [default: that of the file, or 64x64]
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry, allow_hyphen_values = true)]
    pub(crate) size: Option<foveola::Geometry>,

    /// Change a value, such as centre.tau=8ms; repeat for several
    #[arg(long, value_name = "KEY=VALUE", value_parser = units::assignment)]
    pub(crate) set: Vec<(String, String)>,

    /// Set all parameters from an archive of arrays, as foveola model weights writes it
    #[arg(long, value_name = "NPZ")]
    pub(crate) weights: Option<PathBuf>,

    /// How long the response is followed, 131072 frames at most [default: until it has decayed, as the layers tell]
    #[arg(long, value_name = "TIME", value_parser = units::microseconds, allow_hyphen_values = true)]
    pub(crate) duration: Option<u64>,

    /// The pixel that flashes [default: in the middle]
    #[arg(long, value_name = "ROW,COL", value_parser = units::pixel, allow_hyphen_values = true)]
    pub(crate) pixel: Option<(usize, usize)>,

    /// What a bright flash adds to the background
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = units::finite, allow_hyphen_values = true)]
    pub(crate) flash: f32,

    /// Samples around and before the flash
    #[arg(long, value_name = "NUMBER", default_value = "0", value_parser = units::finite, allow_hyphen_values = true)]
    pub(crate) background: f32,

    /// Print only JSON on stdout, with the numbers of the curves
    #[arg(long)]
    pub(crate) json: bool,
}

const PLOT_HELP: &str = "\
A flash is one pixel for one frame. Each output has a
picture response-NAME.png and the response itself,
response-NAME.npy: (time, channel, row, col); a nonlinear
one has response-NAME.dark.npy, too. A layer with weights
has weights-NAME.png.

A linear layer has a gain for gratings: the spectrum of its
response. Of another layer the responses to a bright and a
dark flash are drawn, and the gains of the linear stages in
front of its first nonlinearities.

Examples:
  foveola model plot mine.toml --out pictures
  foveola model plot mine.toml --layer centre --size 32x32
  foveola model plot mine.toml --background 0.5 --flash 0.1";

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
    /// The model file, or the name of a ready one
    pub(crate) file: PathBuf,

    /// What the source is for
    #[arg(long, value_name = "KIND")]
    pub(crate) to: Target,

    /// Folder of the source, model.rs; made if it is missing
    pub(crate) folder: PathBuf,

    /// Size of a frame [default: that of the file, or 64x64]
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry, allow_hyphen_values = true)]
    pub(crate) size: Option<foveola::Geometry>,

    /// A pixel of the frame counts the events of N x N pixels of the sensor
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    pub(crate) binning: u16,

    /// Change a value, such as centre.tau=8ms; repeat for several
    #[arg(long, value_name = "KEY=VALUE", value_parser = units::assignment)]
    pub(crate) set: Vec<(String, String)>,

    /// Set all parameters from an archive of arrays, as foveola model weights writes it
    #[arg(long, value_name = "NPZ")]
    pub(crate) weights: Option<PathBuf>,
}

/// What a model can be exported for.
#[derive(ValueEnum, Clone, Copy)]
pub(crate) enum Target {
    /// A program with foveola-core and foveola-pipeline
    Firmware,
}

#[derive(Args, Clone)]
#[command(after_help = QUANTISE_HELP)]
pub(crate) struct QuantiseArgs {
    /// The model file, or the name of a ready one
    pub(crate) file: PathBuf,

    /// The recording or movie [default: the built-in scene]
    #[arg(long, value_name = "INPUT")]
    pub(crate) on: Option<PathBuf>,

    /// The model file to write; arrays of the model lie beside it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Each full scale is this many times the largest sample of the recording, or the next power of two
    #[arg(long, value_name = "NUMBER", default_value_t = 1.05, value_parser = units::headroom, allow_hyphen_values = true)]
    pub(crate) headroom: f64,

    /// No input up to this magnitude may saturate anything, in whatever order: larger full scales, and fewer bits
    #[arg(long, value_name = "NUMBER", value_parser = units::above_zero, allow_hyphen_values = true)]
    pub(crate) range: Option<f64>,

    /// Full scale of the input, a power of two; more saturates [default: 128 for events, else as for the layers]
    #[arg(long, value_name = "NUMBER", value_parser = units::above_zero, allow_hyphen_values = true)]
    pub(crate) full_scale: Option<f64>,

    /// Use so many frames
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = units::positive, allow_negative_numbers = true)]
    pub(crate) frames: usize,

    /// Time per frame [default: that of the model]
    #[arg(long, value_name = "TIME", value_parser = units::microseconds, allow_hyphen_values = true)]
    pub(crate) dt: Option<u64>,

    /// Change a value, such as centre.tau=8ms; repeat for several. A full scale that is set here stays, and the
    /// others are chosen
    #[arg(long, value_name = "KEY=VALUE", value_parser = units::assignment)]
    pub(crate) set: Vec<(String, String)>,

    #[command(flatten)]
    pub(crate) common: InputArgs,
}

const QUANTISE_HELP: &str = "\
For each layer the table tells the largest sample, the full
scale, which is what the integer 32768 stands for, and the
signal-to-noise ratio of what it yields, all layers before it
included. 'inner' is the full scale between the low-passes
of a SmoothConv or the passes of a separable convolution.

Sums of products never overflow: a model of which one could
is refused. Samples beyond a full scale saturate; the last
line says up to which input none does.

Examples:
  foveola model quantise retina --on a.raw --out q15.toml
  foveola run a.raw --model q15.toml
  foveola model export q15.toml --to firmware src";
