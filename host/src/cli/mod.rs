//! Arguments, and what each command prints.

mod applies;
mod bench;
mod chosen;
mod convert;
mod denoise;
mod devices;
mod gallery;
mod info;
mod input;
mod probe;
mod record;
mod run;
mod sensor;
mod units;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, Parser, Subcommand};
use foveola::{Camera, Columns, Error, EventFilterSpec, Format, Geometry, Order, TimeUnit, models};
use foveola_core::events::Skipped;
use serde_json::{Map, Value, json};
use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Models of early vision on event-camera recordings and movies.
#[derive(Parser)]
#[command(version, after_help = HELP)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
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
enum Command {
    /// Run a model over a recording, a movie, or the built-in scene, and write pictures of what it does
    Run(RunArgs),
    /// Describe an event recording
    Info(InfoArgs),
    /// Write an event recording in another format
    Convert(ConvertArgs),
    /// Write what a simulated sensor sees of a movie, or of the built-in scene, as an event recording
    Record(record::RecordArgs),
    /// Measure how fast this machine runs the filters, beside what it can do at most
    Bench(bench::BenchArgs),
    /// List where models can compute: the processor, and the GPUs that were found
    Devices(devices::DevicesArgs),
}

/// Which input, and how to read it.
#[derive(Args, Clone, Default)]
struct InputArgs {
    /// Size of the sensor [default: the header's, or the smallest that holds all events]
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry)]
    geometry: Option<Geometry>,

    #[arg(long, value_name = "FORMAT", value_parser = units::format, help = format_help())]
    format: Option<Format>,

    /// Order of the columns of text and arrays, such as x,y,t,p, or s,ns,x,y,p for a time in parts of s, ms, us or ns; - is
    /// another column [default: by their names or numbers]
    #[arg(long, value_name = "ORDER", value_parser = units::columns, allow_hyphen_values = true)]
    columns: Option<Columns>,

    /// Unit of the times of text and arrays: s, ms, us or ns [default: by their name or numbers]
    #[arg(long, value_name = "UNIT", value_parser = units::time_unit)]
    unit: Option<TimeUnit>,

    /// Order of the bytes of EVT 2.1: little or legacy [default: the header's, or by its words]
    #[arg(long, value_name = "ORDER", value_parser = units::order)]
    order: Option<Order>,

    #[arg(long, value_name = "NAME", value_parser = units::camera, help = camera_help())]
    camera: Option<Camera>,

    /// Read on where more than 1 % of the bytes or lines cannot be read
    #[arg(long)]
    damaged: bool,

    /// Begin this long after the first event, or frame of a movie
    #[arg(long, value_name = "TIME", value_parser = units::microseconds_or_zero)]
    from: Option<u64>,

    /// End this long after the first event, or frame of a movie
    #[arg(long, value_name = "TIME", value_parser = units::microseconds_or_zero)]
    to: Option<u64>,

    /// Filter the events, such as stcf:k=2,tau=5ms or refractory:1ms; one after another where it is given again
    #[arg(long, value_name = "FILTER", value_parser = units::filter)]
    filter: Vec<EventFilterSpec>,

    /// Print JSON on stdout and nothing else there
    #[arg(long)]
    json: bool,
}

#[derive(Args, Clone, Default)]
#[command(after_help = RUN_HELP)]
struct RunArgs {
    /// An event recording (- is the standard input), or a movie: a folder of PNGs, a GIF, an array in .npy or .npz
    /// [default: the built-in scene]
    input: Option<PathBuf>,

    #[arg(long, short, default_value = "retina", help = model_help())]
    model: String,

    /// Time of a frame: events are counted in bins of this length, pictures of a movie follow each other after it
    /// [default: 1ms; a GIF's own]
    #[arg(long, value_name = "TIME", value_parser = units::microseconds, allow_hyphen_values = true)]
    dt: Option<u64>,

    /// Channels of a frame of events: signed (ON minus OFF) or split (ON and OFF) [default: signed]
    #[arg(long, value_parser = units::polarity, value_name = "HOW")]
    polarity: Option<foveola::Polarity>,

    /// Samples of an array: unit (0 to 1, parts of the largest of their type) or raw (as they stand) [default: unit for u1
    /// and u2, raw for floats]
    #[arg(long, value_parser = units::scale, value_name = "HOW")]
    scale: Option<foveola::movie::Scale>,

    /// Folder for pictures and arrays
    #[arg(long, short, default_value = "foveola-out", value_name = "DIR")]
    out: PathBuf,

    /// Save every Nth frame of the output to output.npy; 0 saves none
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = units::whole::<usize>, allow_negative_numbers = true)]
    every: usize,

    /// Frames in a piece, with which filters that look back begin their history [default: 100, fewer when frames are large]
    #[arg(long, value_name = "FRAMES", value_parser = units::positive, allow_negative_numbers = true)]
    piece: Option<usize>,

    /// The pixel of the output whose time course is drawn, counted from 0, such as 20,31 [default: the most variable]
    #[arg(long, value_name = "ROW,COL", value_parser = units::pixel, conflicts_with = "no_pictures")]
    pixel: Option<(usize, usize)>,

    /// Draw no pictures: write only output.npy
    #[arg(long)]
    no_pictures: bool,

    /// Seed of the built-in scene [default: 0]
    #[arg(long, value_name = "SEED", value_parser = units::whole::<u64>, allow_negative_numbers = true)]
    seed: Option<u64>,

    /// Where the model and its parts compute: cpu, gpu (the first one), or gpu:NAME, with a part of a name of foveola devices
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: String,

    /// Compute the same bits as a microcontroller or any other CPU, more slowly
    #[arg(long)]
    reproducible: bool,

    /// Print a digest of all bits of the output: with --reproducible it is that of a microcontroller
    #[arg(long)]
    digest: bool,

    /// Show no progress
    #[arg(long, short)]
    quiet: bool,

    #[command(flatten)]
    common: InputArgs,
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
struct InfoArgs {
    /// An event recording; - is the standard input
    file: PathBuf,

    /// Add the SHA3-224 of the columns t (u64), x, y (u16) and on (u8), little-endian
    #[arg(long)]
    digest: bool,

    #[command(flatten)]
    common: InputArgs,
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
struct ConvertArgs {
    /// An event recording; - is the standard input
    input: PathBuf,

    /// The file to write; - is the standard output
    output: PathBuf,

    #[arg(long, value_name = "FORMAT", value_parser = units::format, help = written_help())]
    to_format: Option<Format>,

    /// Order of the columns of text to write [default: t,x,y,p]
    #[arg(long, value_name = "ORDER", value_parser = units::columns, allow_hyphen_values = true)]
    to_columns: Option<Columns>,

    /// Unit of the times of text to write: s, ms, us or ns [default: us]
    #[arg(long, value_name = "UNIT", value_parser = units::time_unit)]
    to_unit: Option<TimeUnit>,

    /// Order of the bytes of EVT 2.1 to write: little or legacy [default: little]
    #[arg(long, value_name = "ORDER", value_parser = units::order)]
    to_order: Option<Order>,

    /// Let time begin with the first event, and go on where the clock was reset
    #[arg(long)]
    zero_time: bool,

    #[command(flatten)]
    common: InputArgs,
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

/// Parses the arguments and runs the command.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| {
        let _ = error.print();
        if let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand)
            && Path::new(name).exists()
        {
            complain(&format!("\nTo run a model over the file {name}: foveola run {name}\n"));
        }
        std::process::exit(error.exit_code());
    });
    let command = match cli.command {
        Some(command) => command,
        None => Cli::parse_from(["foveola", "run"]).command.unwrap_or_else(|| unreachable!("a command was given")),
    };
    let result = match command {
        Command::Run(args) => run::run(&args),
        Command::Info(args) => info::info(&args),
        Command::Convert(args) => convert::convert(&args),
        Command::Record(args) => record::record(&args),
        Command::Bench(args) => bench::bench(&args),
        Command::Devices(args) => {
            devices::devices(&args);
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: {error}\n"));
            // A name that is not on a list, or is misspelled, is a mistake in the arguments, as are those that clap finds.
            ExitCode::from(if matches!(error, Error::Unknown { .. } | Error::Spelling { .. }) { 2 } else { 1 })
        }
    }
}

/// Ends the program as clap does for arguments that cannot be used.
fn refuse(message: &str) -> ! {
    let mut command = Cli::command();
    command.build(); // for the names in the usage
    let name = std::env::args().nth(1).unwrap_or_default();
    let mut command = command.find_subcommand(name).cloned().unwrap_or(command);
    command.error(ErrorKind::ValueValidation, message).exit()
}

/// Prints to stdout; a reader that went away is no error.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Prints to stderr, in the same way.
fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// A reason to leave something out: its key in JSON, its name in words, and how often.
type Reason = (&'static str, &'static str, u64);

/// What a decoder skipped.
fn decoder_reasons(skipped: &Skipped) -> impl Iterator<Item = Reason> {
    let keys = ["garbage_bytes", "untimed_bytes", "other_bytes", "tail_bytes", "backward"];
    keys.into_iter().zip(skipped.reasons()).map(|(key, (words, count))| (key, words, count.into()))
}

/// Events outside the geometry, those that the decoder could not deliver among them.
fn outside_events(count: u64, skipped: &Skipped) -> Reason {
    ("outside_events", "events outside the geometry", count + u64::from(skipped.outside))
}

/// All reasons as JSON.
fn reasons_as_json(reasons: &[Reason]) -> Value {
    reasons.iter().map(|(key, _, count)| ((*key).into(), json!(count))).collect::<Map<_, _>>().into()
}

/// The reasons that there were, as lines.
fn reasons_as_text(reasons: &[Reason]) -> Vec<String> {
    let some = reasons.iter().filter(|(_, _, count)| *count > 0);
    let lines: Vec<String> = some.map(|(_, words, count)| format!("{} {words}", units::thousands(*count))).collect();
    if lines.is_empty() { vec!["nothing".into()] } else { lines }
}

/// Lines `name value` in two columns: the text, and how wide it may be, which is the terminal's width if the output is one.
struct Lines(String, usize);

impl Default for Lines {
    fn default() -> Self {
        let width = terminal_size::terminal_size_of(std::io::stdout()).map_or(usize::MAX, |(width, _)| width.0.into());
        Self(String::new(), width)
    }
}

impl Lines {
    fn push(&mut self, name: &str, value: impl Display) {
        let value = value.to_string();
        let _ = write!(self.0, "{name:9}");
        // What was written of the line so far; a line has one word at least.
        let mut column = 9_usize;
        for word in value.split(' ') {
            let needed = 1 + word.chars().count();
            if column > 9 && column + needed > self.1 {
                let _ = write!(self.0, "\n{:9}", "");
                column = 9;
            }
            let _ = write!(self.0, " {word}");
            column += needed;
        }
        self.0.push('\n');
    }

    /// How often the clock was reset, if it was.
    fn push_resets(&mut self, resets: u64) {
        if resets > 0 {
            self.push("resets", format!("{}, at which the clock began anew", units::thousands(resets)));
        }
    }

    /// What was skipped, where damage began, and what filters dropped.
    fn push_left_out(&mut self, skipped: &[Reason], damage: Option<u64>, filtered: &[(String, u64)]) {
        self.push_all("skipped", reasons_as_text(skipped));
        if let Some(at) = damage {
            self.push("damage", format!("from byte {} on", units::thousands(at)));
        }
        self.push_all("filtered", chosen::filtered_as_text(filtered));
    }

    /// Several values of one name, which stands before the first.
    fn push_all(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        for (i, value) in values.into_iter().enumerate() {
            self.push(if i == 0 { name } else { "" }, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_the_terminal() {
        let mut lines = Lines(String::new(), 40);
        lines.push("model ran", "480,317 frames/s, 480.32 x real time");
        lines.push("", "stages.png  input, centre, surround, retina");
        lines.push("file", "a_name_that_is_longer_than_the_terminal_is_wide.raw of 3 bytes");
        let expected = "\
model ran 480,317 frames/s, 480.32 x
          real time
          stages.png  input, centre,
          surround, retina
file      a_name_that_is_longer_than_the_terminal_is_wide.raw
          of 3 bytes
";
        assert_eq!(lines.0, expected);
        lines = Lines(String::new(), usize::MAX);
        lines.push("", "stages.png  input, centre, surround, retina");
        assert_eq!(lines.0, "          stages.png  input, centre, surround, retina\n", "no terminal");
    }
}
