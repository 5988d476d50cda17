//! The arguments of each command.

pub(crate) mod bench;
pub(crate) mod denoise;
pub(crate) mod record;
pub(crate) mod sensor;

use crate::units;
use bench::BenchArgs;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use foveola::{Camera, Columns, EventFilterSpec, Format, Geometry, Order, TimeUnit, models};
use record::RecordArgs;
use std::path::PathBuf;

/// Models of early vision on event-camera recordings and movies.
#[derive(Parser)]
#[command(version, after_help = HELP)]
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
  foveola bench                       how fast it is here
  foveola help run                    all options of run";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run a model over a recording, a movie, or the built-in scene, and write pictures of what it does
    Run(RunArgs),
    /// Describe an event recording
    Info(InfoArgs),
    /// Write an event recording in another format
    Convert(ConvertArgs),
    /// Write what a simulated sensor sees of a movie, or of the built-in scene, as an event recording
    Record(RecordArgs),
    /// Measure how fast this machine runs the filters, beside what it can do at most
    Bench(BenchArgs),
    /// List where models can compute: the processor, and the GPUs that were found
    Devices(DevicesArgs),
}

/// Which input, and how to read it.
#[derive(Args, Clone, Default)]
pub(crate) struct InputArgs {
    /// Size of the sensor [default: the header's, or the smallest that holds all events]
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry)]
    pub(crate) geometry: Option<Geometry>,

    #[arg(long, value_name = "FORMAT", value_parser = units::format, help = format_help())]
    pub(crate) format: Option<Format>,

    /// Order of the columns of text and arrays, such as x,y,t,p, or s,ns,x,y,p for a time in parts of s, ms, us or ns; - is
    /// another column [default: by their names or numbers]
    #[arg(long, value_name = "ORDER", value_parser = units::columns, allow_hyphen_values = true)]
    pub(crate) columns: Option<Columns>,

    /// Unit of the times of text and arrays: s, ms, us or ns [default: by their name or numbers]
    #[arg(long, value_name = "UNIT", value_parser = units::time_unit)]
    pub(crate) unit: Option<TimeUnit>,

    /// Order of the bytes of EVT 2.1: little or legacy [default: the header's, or by its words]
    #[arg(long, value_name = "ORDER", value_parser = units::order)]
    pub(crate) order: Option<Order>,

    #[arg(long, value_name = "NAME", value_parser = units::camera, help = camera_help())]
    pub(crate) camera: Option<Camera>,

    /// Read on where more than 1 % of the bytes or lines cannot be read
    #[arg(long)]
    pub(crate) damaged: bool,

    /// Begin this long after the first event, or frame of a movie
    #[arg(long, value_name = "TIME", value_parser = units::microseconds_or_zero)]
    pub(crate) from: Option<u64>,

    /// End this long after the first event, or frame of a movie
    #[arg(long, value_name = "TIME", value_parser = units::microseconds_or_zero)]
    pub(crate) to: Option<u64>,

    /// Filter the events, such as stcf:k=2,tau=5ms or refractory:1ms; one after another where it is given again
    #[arg(long, value_name = "FILTER", value_parser = units::filter)]
    pub(crate) filter: Vec<EventFilterSpec>,

    /// Print JSON on stdout and nothing else there
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Default)]
#[command(after_help = RUN_HELP)]
pub(crate) struct RunArgs {
    /// An event recording (- is the standard input), or a movie: a folder of PNGs, a GIF, an array in .npy or .npz
    /// [default: the built-in scene]
    pub(crate) input: Option<PathBuf>,

    #[arg(long, short, default_value = "retina", help = model_help())]
    pub(crate) model: String,

    /// Time of a frame: events are counted in bins of this length, pictures of a movie follow each other after it
    /// [default: 1ms; a GIF's own]
    #[arg(long, value_name = "TIME", value_parser = units::microseconds, allow_hyphen_values = true)]
    pub(crate) dt: Option<u64>,

    /// Channels of a frame of events: signed (ON minus OFF) or split (ON and OFF) [default: signed]
    #[arg(long, value_parser = units::polarity, value_name = "HOW")]
    pub(crate) polarity: Option<foveola::Polarity>,

    /// Samples of an array: unit (0 to 1, parts of the largest of their type) or raw (as they stand) [default: unit for u1
    /// and u2, raw for floats]
    #[arg(long, value_parser = units::scale, value_name = "HOW")]
    pub(crate) scale: Option<foveola::movie::Scale>,

    /// Folder for pictures and arrays
    #[arg(long, short, default_value = "foveola-out", value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// Save every Nth frame of the output to output.npy; 0 saves none
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = units::whole::<usize>, allow_negative_numbers = true)]
    pub(crate) every: usize,

    /// Frames in a piece, with which filters that look back begin their history [default: 100, fewer when frames are large]
    #[arg(long, value_name = "FRAMES", value_parser = units::positive, allow_negative_numbers = true)]
    pub(crate) piece: Option<usize>,

    /// The pixel of the output whose time course is drawn, counted from 0, such as 20,31 [default: the most variable]
    #[arg(long, value_name = "ROW,COL", value_parser = units::pixel, conflicts_with = "no_pictures")]
    pub(crate) pixel: Option<(usize, usize)>,

    /// Draw no pictures: write only output.npy
    #[arg(long)]
    pub(crate) no_pictures: bool,

    /// Seed of the built-in scene [default: 0]
    #[arg(long, value_name = "SEED", value_parser = units::whole::<u64>, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,

    /// Where the model and its parts compute: cpu, gpu (the first one), or gpu:NAME, with a part of a name of foveola devices
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub(crate) device: String,

    /// Compute the same bits as a microcontroller or any other CPU, more slowly
    #[arg(long)]
    pub(crate) reproducible: bool,

    /// Print a digest of all bits of the output: with --reproducible it is that of a microcontroller
    #[arg(long)]
    pub(crate) digest: bool,

    /// Show no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) common: InputArgs,
}

fn model_help() -> String {
    format!("The model: {}", models::names().map(|(name, _)| name).collect::<Vec<_>>().join(", "))
}

const RUN_HELP: &str = "\
Examples:
  foveola run                          the built-in scene
  foveola run a.raw --dt 5ms           200 frames a second
  foveola run a.bin --model transient  another model
  foveola run a.npy --out pictures     (time, row, column)
  foveola run frames/ --dt 40ms        PNGs, 25 a second
  foveola run a.gif --pixel 20,31      the time course of a
                                       pixel
  foveola run a.raw --filter stcf:k=2  without noise
  foveola run a.raw --device gpu       on the first GPU

Exit codes: 0 done, 1 the data cannot be used (or more than
1 % of it is damaged), 2 the arguments cannot be used.";

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

Times are kept. Where a format cannot hold them, as those of
AEDAT 4, which count from 1970, --zero-time helps.";

#[derive(Args, Clone)]
#[command(after_help = CONVERT_HELP)]
pub(crate) struct ConvertArgs {
    /// An event recording; - is the standard input
    pub(crate) input: PathBuf,

    /// The file to write; - is the standard output
    pub(crate) output: PathBuf,

    #[arg(long, value_name = "FORMAT", value_parser = units::format, help = written_help())]
    pub(crate) to_format: Option<Format>,

    /// Order of the columns of text to write [default: t,x,y,p]
    #[arg(long, value_name = "ORDER", value_parser = units::columns, allow_hyphen_values = true)]
    pub(crate) to_columns: Option<Columns>,

    /// Unit of the times of text to write: s, ms, us or ns [default: us]
    #[arg(long, value_name = "UNIT", value_parser = units::time_unit)]
    pub(crate) to_unit: Option<TimeUnit>,

    /// Order of the bytes of EVT 2.1 to write: little or legacy [default: little]
    #[arg(long, value_name = "ORDER", value_parser = units::order)]
    pub(crate) to_order: Option<Order>,

    /// Let time begin with the first event, and go on where the clock was reset
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

GPUs in software are listed too; --device gpu takes none of
them, but they can be named.";

#[derive(Args, Clone)]
#[command(after_help = DEVICES_HELP)]
pub(crate) struct DevicesArgs {
    /// Print JSON on stdout and nothing else there
    #[arg(long)]
    pub(crate) json: bool,
}

fn format_help() -> String {
    let names: Vec<_> = Format::NAMES.iter().map(|(name, _)| *name).collect();
    format!("Format of the recording: {} [default: recognised by its content]", names.join(", "))
}

fn camera_help() -> String {
    let names: Vec<_> = Camera::KNOWN.iter().map(|(name, _)| *name).collect();
    format!("Camera of AEDAT 2: {} [default: the header's, or by its words]", names.join(", "))
}

fn written_help() -> String {
    let names: Vec<_> = Format::written().map(Format::name).collect();
    format!("Format to write: {} [default: by the ending of the name]", names.join(", "))
}

/// Ends the program as clap does for arguments that cannot be used.
pub(crate) fn refuse(message: &str) -> ! {
    let mut command = Cli::command();
    command.build(); // for the names in the usage
    let name = std::env::args().nth(1).unwrap_or_default();
    let mut command = command.find_subcommand(name).cloned().unwrap_or(command);
    command.error(ErrorKind::ValueValidation, message).exit()
}
