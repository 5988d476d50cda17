//! Arguments, and what each command prints.

mod info;
mod input;
mod run;
mod units;

use clap::{Args, Parser, Subcommand};
use foveola::{Error, Geometry};
use std::path::PathBuf;
use std::process::ExitCode;

/// Models of early vision on event-camera recordings and movies.
#[derive(Parser)]
#[command(version, about, after_help = "Without a command, foveola runs the default model on its built-in scene.")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run a model over a recording, a movie, or the built-in scene, and write pictures of what it does
    Run(RunArgs),
    /// Describe an event recording
    Info(InfoArgs),
}

/// Which input, and how to read it.
#[derive(Args, Clone, Default)]
struct InputArgs {
    /// Size of the sensor [default: the header's, or the smallest that holds all events]
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry)]
    geometry: Option<Geometry>,

    /// Format of the recording: evt2 or nmnist [default: recognised by its content]
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// Print JSON on stdout and nothing else there
    #[arg(long)]
    json: bool,
}

#[derive(Args, Clone)]
#[command(after_help = RUN_HELP)]
struct RunArgs {
    /// An event recording (Prophesee EVT2 .raw, N-MNIST .bin) or a .npy movie [default: the built-in scene]
    input: Option<PathBuf>,

    /// The model: retina, centre_surround, transient or smooth
    #[arg(long, short, default_value = "retina")]
    model: String,

    /// Time of a frame: events are counted in bins of this length
    #[arg(long, default_value = "1ms", value_name = "TIME", value_parser = units::microseconds)]
    dt: u64,

    /// Channels of a frame: signed (ON minus OFF) or split (ON and OFF)
    #[arg(long, default_value = "signed", value_parser = units::polarity, value_name = "HOW")]
    polarity: foveola::Polarity,

    /// Folder for pictures and arrays
    #[arg(long, short, default_value = "foveola-out", value_name = "DIR")]
    out: PathBuf,

    /// Save every Nth frame of the output to output.npy; 0 saves none
    #[arg(long, default_value_t = 10, value_name = "N")]
    every: usize,

    /// Frames in a piece, with which filters that look back begin their history [default: 100, fewer when frames are large]
    #[arg(long, value_name = "FRAMES", value_parser = units::positive)]
    piece: Option<usize>,

    /// Seed of the built-in scene
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Show no progress
    #[arg(long, short)]
    quiet: bool,

    #[command(flatten)]
    common: InputArgs,
}

const RUN_HELP: &str = "\
Examples:
  foveola run                                the built-in scene through the retina
  foveola run recording.raw --dt 5ms         a recording, 200 frames a second
  foveola run digit.bin --model transient    another model
  foveola run movie.npy --out pictures       frames (time, row, column)

Exit codes: 0 done, 1 the data cannot be used, 2 the arguments cannot be used.";

#[derive(Args, Clone)]
struct InfoArgs {
    /// An event recording (Prophesee EVT2 .raw, N-MNIST .bin)
    file: PathBuf,

    /// Add the SHA3-224 of the columns t (u64), x, y (u16) and on (u8), little-endian
    #[arg(long)]
    digest: bool,

    #[command(flatten)]
    common: InputArgs,
}

/// Parses the arguments and runs the command.
pub(crate) fn main() -> ExitCode {
    let command = match Cli::parse().command {
        Some(command) => command,
        None => Cli::parse_from(["foveola", "run"]).command.unwrap_or_else(|| unreachable!("a command was given")),
    };
    let result = match command {
        Command::Run(args) => run::run(&args),
        Command::Info(args) => info::info(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            // A name that is not on a list is a mistake in the arguments, as are those that clap finds.
            ExitCode::from(if matches!(error, Error::Unknown { .. }) { 2 } else { 1 })
        }
    }
}

/// Prints to stdout; a reader that went away is no error.
fn print(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
}
