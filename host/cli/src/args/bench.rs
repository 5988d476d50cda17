//! Arguments of `foveola bench`.

use super::denoise::DenoiseArgs;
use crate::units;
use clap::{Args, Subcommand};
use foveola::Geometry;

const HELP: &str = "\
Each line shows the frames per second, the operations per
second (of direct evaluation), the share of the limit that
bounds them (FMA: multiply-adds in registers; copy, read: of
about as many bytes as a chunk), and the algorithm of a
convolution.

Examples:
  foveola bench                       the whole table
  foveola bench conv3d_10x10x10 low_pass --threads 1
  foveola bench conv2d_9x9 --size 1280x720
  foveola bench conv3d --kernel 7,9,11 --channels 2,4 \\
      --size 200x150 --frames 100 --plan direct
  foveola bench --list                their names
  foveola bench denoise               event-filter accuracy";

#[derive(Subcommand, Clone)]
pub(crate) enum Accuracy {
    /// Measure signal and noise retention of event filters
    Denoise(DenoiseArgs),
}

#[derive(Args, Clone)]
#[command(after_help = HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) accuracy: Option<Accuracy>,

    /// Workloads: names from --list, conv3d, conv2d or conv1d [default: all of --list]
    pub(crate) workload: Vec<String>,

    /// Number of threads; 0 for all threads of the machine
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = units::threads, allow_negative_numbers = true)]
    pub(crate) threads: usize,

    /// Time for each workload, in seconds
    #[arg(long, default_value_t = 0.5, value_name = "S", value_parser = units::duration, allow_negative_numbers = true)]
    pub(crate) seconds: f64,

    /// Algorithm of convolutions: auto, direct, separable or fft
    #[arg(long, default_value = "auto")]
    pub(crate) plan: String,

    /// fast, reproducible, or the highest vector level to use: baseline, sse4.2, avx2 or avx512, if the CPU has it
    #[arg(long, default_value = "fast")]
    pub(crate) precision: String,

    /// Compare convolutions with the baseline vector level, which every such CPU has
    #[arg(long)]
    pub(crate) baseline: bool,

    /// Size of a frame
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry, allow_hyphen_values = true)]
    pub(crate) size: Option<Geometry>,

    /// Frames per chunk [default: 64, fewer if frames are large]
    #[arg(long, value_name = "N", value_parser = units::positive, allow_negative_numbers = true)]
    pub(crate) frames: Option<usize>,

    /// Kernel size of conv3d (time,rows,columns), conv2d (rows,columns) or conv1d (time)
    #[arg(long, value_name = "SIZE", value_delimiter = ',', value_parser = units::positive, allow_negative_numbers = true)]
    pub(crate) kernel: Vec<usize>,

    /// Input and output channels of conv3d, conv2d or conv1d [default: 1,1]
    #[arg(long, value_name = "IN,OUT", value_delimiter = ',', value_parser = units::positive, allow_negative_numbers = true)]
    pub(crate) channels: Vec<usize>,

    /// Print the names of the workloads and measure nothing
    #[arg(long, conflicts_with_all = ["threads", "seconds", "plan", "precision", "baseline"])]
    pub(crate) list: bool,

    /// Print only JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
}
