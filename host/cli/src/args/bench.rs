//! Arguments of `foveola bench`.

use super::denoise::DenoiseArgs;
use crate::units;
use clap::{Args, Subcommand};
use foveola::Geometry;

const HELP: &str = "\
Each line says how many frames a second come out, the
operations of the definition that this makes a second,
the share of the limit that holds them back (FMA: multiply-
adds in registers; copy, read: of about as many bytes as a
piece takes), and the plan of a convolution.

Examples:
  foveola bench                       the whole table
  foveola bench conv3d_10x10x10 low_pass --threads 1
  foveola bench conv2d_9x9 --size 1280x720
  foveola bench conv3d --kernel 7,9,11 --channels 2,4 \\
      --size 200x150 --frames 100 --plan direct
  foveola bench --list                their names
  foveola bench denoise               what filters of events
                                      are worth";

#[derive(Subcommand, Clone)]
pub(crate) enum Accuracy {
    /// Measure how much signal and noise filters of events keep
    Denoise(DenoiseArgs),
}

#[derive(Args, Clone)]
#[command(after_help = HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) accuracy: Option<Accuracy>,

    /// What to measure: names of --list, conv3d, conv2d or conv1d [default: all of --list]
    pub(crate) workload: Vec<String>,

    /// Threads; 0 for as many as the machine runs at once
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = units::threads, allow_negative_numbers = true)]
    pub(crate) threads: usize,

    /// Time for each workload, in seconds
    #[arg(long, default_value_t = 0.5, value_name = "S", value_parser = units::duration, allow_negative_numbers = true)]
    pub(crate) seconds: f64,

    /// How convolutions are computed: auto, direct, separable or fft
    #[arg(long, default_value = "auto")]
    pub(crate) plan: String,

    /// fast, reproducible, or the vectors to use at most: baseline, sse4.2, avx2 or avx512 where the CPU has them
    #[arg(long, default_value = "fast")]
    pub(crate) precision: String,

    /// Compare convolutions with the vectors that every such CPU has
    #[arg(long)]
    pub(crate) baseline: bool,

    /// Size of a frame
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry)]
    pub(crate) size: Option<Geometry>,

    /// Frames in a piece [default: 64, fewer when they are large]
    #[arg(long, value_name = "N", value_parser = units::positive, allow_negative_numbers = true)]
    pub(crate) frames: Option<usize>,

    /// Size of the kernel of conv3d (time,rows,columns), conv2d (rows,columns) or conv1d (time)
    #[arg(long, value_name = "SIZE", value_delimiter = ',', value_parser = units::positive, allow_negative_numbers = true)]
    pub(crate) kernel: Vec<usize>,

    /// Input and output channels of conv3d, conv2d or conv1d [default: 1,1]
    #[arg(long, value_name = "IN,OUT", value_delimiter = ',', value_parser = units::positive, allow_negative_numbers = true)]
    pub(crate) channels: Vec<usize>,

    /// Print the names of the workloads and measure nothing
    #[arg(long, conflicts_with_all = ["threads", "seconds", "plan", "precision", "baseline"])]
    pub(crate) list: bool,

    /// Print JSON on stdout and nothing else there
    #[arg(long)]
    pub(crate) json: bool,
}
