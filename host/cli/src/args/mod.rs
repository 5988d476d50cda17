//! The arguments of each command.

pub(crate) mod bench;
pub(crate) mod denoise;
pub(crate) mod fit;
pub(crate) mod model;
pub(crate) mod record;
pub(crate) mod sensor;

use crate::units;
use bench::BenchArgs;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use fit::{FitArgs, SimulateArgs};
use foveola::{Camera, Columns, EventFilterSpec, Format, Geometry, Order, TimeUnit, models, shown};
use model::ModelArgs;
use record::RecordArgs;
use std::path::PathBuf;

/// Models of early vision for event-camera recordings and movies.
#[derive(Parser)]
#[command(name = "foveola", version, after_help = HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const HELP: &str = "\
Without a command, foveola runs the default model on its
built-in scene.

Examples:
  foveola                             = foveola run
  foveola run recording.raw --dt 5ms
  foveola info recording.raw --digest
  foveola convert a.aedat4 a.csv
  foveola simulate cell.toml --stimulus a.npy --out r.npy
  foveola fit cell.toml --stimulus a.npy --target r.npy
      --out fitted.toml
  foveola bench                       measure throughput
  foveola help run                    all options of run";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a model on a recording, a movie or the built-in scene, and write pictures of its activity
    Run(Box<RunArgs>),
    /// Check, describe and export model files
    Model(ModelArgs),
    /// Fit a model's parameters to recordings: a stimulus, and the rates, counts or spikes that were measured
    Fit(Box<FitArgs>),
    /// Write the output of a model as an array, or spikes drawn from it: data to fit to
    Simulate(Box<SimulateArgs>),
    /// Describe an event recording
    Info(InfoArgs),
    /// Convert an event recording to another format
    Convert(ConvertArgs),
    /// Record a movie or the built-in scene with a simulated event sensor
    Record(RecordArgs),
    /// Measure throughput on this machine, relative to its hardware peak
    Bench(BenchArgs),
    /// List the devices that can run models: the CPU and the GPUs
    Devices(DevicesArgs),
}

/// The input and how to read it.
#[derive(Args, Clone, Default)]
pub(crate) struct InputArgs {
    /// Sensor size [default: from the header, or the smallest that holds all events]
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry, allow_hyphen_values = true)]
    pub(crate) geometry: Option<Geometry>,

    #[arg(long, value_name = "FORMAT", value_parser = units::format, help = format_help())]
    pub(crate) format: Option<Format>,

    /// Column order of text and arrays, such as x,y,t,p, or s,ns,x,y,p for a time in parts of s, ms, us or ns; - is an
    /// ignored column [default: detected from names or numbers]
    #[arg(long, value_name = "ORDER", value_parser = units::columns, allow_hyphen_values = true)]
    pub(crate) columns: Option<Columns>,

    /// Time unit of text and arrays: s, ms, us or ns [default: detected from names or numbers]
    #[arg(long, value_name = "UNIT", value_parser = units::time_unit)]
    pub(crate) unit: Option<TimeUnit>,

    /// Byte order of EVT 2.1: little or legacy [default: from the header, or detected]
    #[arg(long, value_name = "ORDER", value_parser = units::order)]
    pub(crate) order: Option<Order>,

    #[arg(long, value_name = "NAME", value_parser = units::camera, help = camera_help())]
    pub(crate) camera: Option<Camera>,

    /// Continue when more than 1 % of the bytes or lines are unreadable
    #[arg(long)]
    pub(crate) damaged: bool,

    /// Start this long after the first event or movie frame
    #[arg(long, value_name = "TIME", value_parser = units::microseconds_or_zero, allow_hyphen_values = true)]
    pub(crate) from: Option<u64>,

    /// Stop this long after the first event or movie frame
    #[arg(long, value_name = "TIME", value_parser = units::microseconds_or_zero, allow_hyphen_values = true)]
    pub(crate) to: Option<u64>,

    /// Event filter, such as stcf:k=2,tau=5ms or refractory:1ms; repeat to apply several in order
    #[arg(long, value_name = "FILTER", value_parser = units::filter)]
    pub(crate) filter: Vec<EventFilterSpec>,

    /// Print only JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Default)]
#[command(after_help = RUN_HELP)]
pub(crate) struct RunArgs {
    /// An event recording (- is the standard input), or a movie: a folder of PNGs, a GIF, an array in .npy or .npz [default:
    /// the built-in scene]
    pub(crate) input: Option<PathBuf>,

    #[arg(long, short, default_value = "retina", help = model_help())]
    pub(crate) model: String,

    /// Change a value of the model, such as centre.tau=8ms or parameters.tau=8ms; repeat for several
    #[arg(long, value_name = "KEY=VALUE", value_parser = units::assignment)]
    pub(crate) set: Vec<(String, String)>,

    /// The model file, once it was read.
    #[arg(skip)]
    pub(crate) file: Option<foveola::ModelFile>,

    /// Set all parameters of the model file from an archive of arrays, as foveola model weights writes it
    #[arg(long, value_name = "NPZ")]
    pub(crate) weights: Option<PathBuf>,

    /// Time per frame: the bin length for events, or the interval between the pictures of a movie [default: 1ms, or that of
    /// a GIF]
    #[arg(long, value_name = "TIME", value_parser = units::microseconds, allow_hyphen_values = true)]
    pub(crate) dt: Option<u64>,

    /// Channels of event frames: signed (ON minus OFF) or split (ON and OFF) [default: signed]
    #[arg(long, value_parser = units::polarity, value_name = "HOW")]
    pub(crate) polarity: Option<foveola::Polarity>,

    /// Scale of array samples: unit (0 to 1, relative to the largest value of the type) or raw (as stored) [default: unit
    /// for u1 and u2, raw for floats]
    #[arg(long, value_parser = units::scale, value_name = "HOW")]
    pub(crate) scale: Option<foveola::movie::Scale>,

    /// Folder for pictures and arrays
    #[arg(long, short, default_value = "foveola-out", value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// Save every Nth frame of the output to output.npy, or of several outputs each to a file of its name; 0 saves none
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = units::whole::<usize>, allow_negative_numbers = true)]
    pub(crate) every: usize,

    /// Frames per chunk; the first chunk initialises temporal padding [default: 100, fewer if frames are large]
    #[arg(long, alias = "piece", value_name = "FRAMES", value_parser = units::positive, allow_negative_numbers = true)]
    pub(crate) chunk: Option<usize>,

    /// The output pixel whose time course is drawn, counted from 0, such as 20,31 [default: the most variable]
    #[arg(long, value_name = "ROW,COL", value_parser = units::pixel, allow_hyphen_values = true, conflicts_with = "no_pictures")]
    pub(crate) pixel: Option<(usize, usize)>,

    /// Draw no pictures: write only the outputs
    #[arg(long)]
    pub(crate) no_pictures: bool,

    /// Write the state after the last frame; with --to, after the last whole frame before that time
    #[arg(long, value_name = "FILE")]
    pub(crate) save_state: Option<PathBuf>,

    /// Go on from a state that --save-state wrote: in the same recording or movie with the --from that it was told, or with
    /// another one after it
    #[arg(long, value_name = "FILE", requires = "no_pictures")]
    pub(crate) load_state: Option<PathBuf>,

    /// Where --load-state goes on, once it was read.
    #[arg(skip)]
    pub(crate) position: Option<crate::commands::resume::Position>,

    /// Seed of the built-in scene [default: 0]
    #[arg(long, value_name = "SEED", value_parser = units::whole::<u64>, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,

    /// Device for the model and its parts: cpu, gpu (the first one), or gpu:NAME, with a part of a name from foveola devices
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub(crate) device: String,

    /// Compute the same bits as a microcontroller or any other CPU; slower
    #[arg(long)]
    pub(crate) reproducible: bool,

    /// Print a digest of all output bits; with --reproducible it equals that of a microcontroller
    #[arg(long)]
    pub(crate) digest: bool,

    /// Show no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) common: InputArgs,
}

fn model_help() -> String {
    let names = models::names().collect::<Vec<_>>().join(", ");
    format!("Model: {names}, or a file: a path with / or the ending .toml (foveola help model)")
}

const RUN_HELP: &str = "\
Examples:
  foveola run                          the built-in scene
  foveola run a.raw --dt 5ms           200 frames per second
  foveola run a.bin --model transient  another model
  foveola run --model mine.toml        a model of your own
  foveola run a.npy --out pictures     (time, row, column)
  foveola run frames/ --dt 40ms        PNGs, 25 per second
  foveola run a.gif --pixel 20,31      the time course of a
                                       pixel
  foveola run a.raw --filter stcf:k=2  without noise
  foveola run a.raw --device gpu       on the first GPU
  foveola run a.npy --to 1s --save-state s
  foveola run a.npy --from 1s --load-state s --no-pictures
                                       in two parts

Exit codes: 0 success, 1 unusable data (or more than 1 % of
it is damaged), 2 invalid arguments.";

const INFO_HELP: &str = "\
Examples:
  foveola info a.raw
  foveola info a.raw --digest --json
  foveola info a.txt --columns x,y,t,p --unit ms
  foveola info a.raw --from 10s --to 11s
  cat a.aedat4 | foveola info -";

#[derive(Args, Clone)]
#[command(after_help = INFO_HELP)]
pub(crate) struct InfoArgs {
    /// An event recording; - is the standard input
    pub(crate) file: PathBuf,

    /// Add the SHA3-224 of the columns t (u64), x, y (u16) and on (u8), little-endian
    #[arg(long)]
    pub(crate) digest: bool,

    #[command(flatten)]
    pub(crate) common: InputArgs,
}

const CONVERT_HELP: &str = "\
Examples:
  foveola convert a.aedat4 a.csv
  foveola convert a.raw a.txt --to-unit s
  foveola convert a.aedat4 a.raw --zero-time
  cat a.raw | foveola convert - - --to-format csv

Times are kept. If the output format cannot hold them (times
of AEDAT 4 count from 1970), use --zero-time.";

#[derive(Args, Clone)]
#[command(after_help = CONVERT_HELP)]
pub(crate) struct ConvertArgs {
    /// An event recording; - is the standard input
    pub(crate) input: PathBuf,

    /// The file to write; - is the standard output
    pub(crate) output: PathBuf,

    #[arg(long, value_name = "FORMAT", value_parser = units::format, help = written_help())]
    pub(crate) to_format: Option<Format>,

    /// Column order of the text to write [default: t,x,y,p]
    #[arg(long, value_name = "ORDER", value_parser = units::columns, allow_hyphen_values = true)]
    pub(crate) to_columns: Option<Columns>,

    /// Time unit of the text to write: s, ms, us or ns [default: us]
    #[arg(long, value_name = "UNIT", value_parser = units::time_unit)]
    pub(crate) to_unit: Option<TimeUnit>,

    /// Byte order of the EVT 2.1 file to write: little or legacy [default: little]
    #[arg(long, value_name = "ORDER", value_parser = units::order)]
    pub(crate) to_order: Option<Order>,

    /// Let time start at the first event and continue over clock resets
    #[arg(long)]
    pub(crate) zero_time: bool,

    #[command(flatten)]
    pub(crate) common: InputArgs,
}

const DEVICES_HELP: &str = "\
Examples:
  foveola devices
  foveola devices --json
  foveola run a.raw --device gpu       the first GPU
  foveola run a.raw --device gpu:nvidia
                                       part of a name

Software GPUs are listed too. --device gpu does not use
them; select one with --device gpu:NAME.";

#[derive(Args, Clone)]
#[command(after_help = DEVICES_HELP)]
pub(crate) struct DevicesArgs {
    /// Print only JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

fn format_help() -> String {
    let names: Vec<_> = Format::NAMES.iter().map(|(name, _)| *name).collect();
    format!("Format of the recording: {} [default: detected from the content]", names.join(", "))
}

fn camera_help() -> String {
    let names: Vec<_> = Camera::KNOWN.iter().map(|(name, _)| *name).collect();
    format!("Camera of AEDAT 2: {} [default: from the header, or detected]", names.join(", "))
}

fn written_help() -> String {
    let names: Vec<_> = Format::written().map(Format::name).collect();
    format!("Format to write: {} [default: by the file extension]", names.join(", "))
}

/// Exits as clap does for invalid arguments.
pub(crate) fn refuse(message: &str) -> ! {
    let mut command = Cli::command();
    command.build(); // sets the names in the usage line
    let name = std::env::args().nth(1).unwrap_or_default();
    let mut command = command.find_subcommand(name).cloned().unwrap_or(command);
    command.error(ErrorKind::ValueValidation, shown(message)).exit()
}
