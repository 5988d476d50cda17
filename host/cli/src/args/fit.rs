//! The arguments of `foveola fit` and `foveola simulate`.

use crate::units;
use clap::{Args, ValueEnum};
use foveola::Geometry;
use foveola::fit::{Loss, Optimizer, Penalty};
use foveola::movie::Scale;
use std::path::PathBuf;

const FIT_HELP: &str = "\
Stimuli are movies: arrays (time, row, col), folders of
PNGs, GIFs. Targets are .npy arrays (time), (time, neuron),
(time, row, col) or (time, channel, row, col), one number for
each output frame, or text with a number a line:
  rate    in the units of the output; loss mse
  counts  events in each frame, of which the output is the
          expected number; loss poisson
  spikes  times in seconds of one neuron, counted in frames

The fitted file says what the model file says, without its
comments, and with the fitted numbers. Weights of more than
64 numbers, and those that the model file reads from other
files, are in an archive beside it: FITTED.npz.

Ctrl-C ends a fit with the best values so far; a second one
ends the program.

Examples:
  foveola fit cell.toml --stimulus movie.npy
      --target rates.npy --out fitted.toml
  foveola fit cell.toml --stimulus movie.npy
      --target spikes.txt --target-kind spikes
      --free field.weight,rate.bias --validate 20%
      --penalty smooth=0.01 --out fitted.toml
  foveola fit cell.toml --stimulus a.npy --target a-n.npy
      --stimulus b.npy --target b-n.npy --free slow.tau
      --bounds rate.scale=0.1..10 --out fitted.toml
      --report fit.json --pictures pictures";

/// What a target holds.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TargetKind {
    /// Numbers in the units of the output
    Rate,
    /// Times in seconds of one neuron
    Spikes,
    /// Events in each frame
    Counts,
}

/// A loss by its short name.
#[derive(ValueEnum, Clone, Copy)]
pub(crate) enum LossName {
    /// Mean squared error
    Mse,
    /// Negative log-likelihood of counts
    Poisson,
    /// Negative log-likelihood of one event at most in a frame
    Bernoulli,
    /// One minus the correlation coefficient
    Correlation,
}

impl From<LossName> for Loss {
    fn from(name: LossName) -> Self {
        match name {
            LossName::Mse => Self::MeanSquaredError,
            LossName::Poisson => Self::Poisson,
            LossName::Bernoulli => Self::Bernoulli,
            LossName::Correlation => Self::Correlation,
        }
    }
}

/// Output frames that are not used, as a time or a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum WarmUp {
    Microseconds(u64),
    Frames(usize),
}

/// The model of a command, and how it reads stimuli.
#[derive(Args, Clone)]
pub(crate) struct ModelOfArgs {
    /// The model file, or the name of a ready one
    pub(crate) model: PathBuf,

    /// Change a value of the model, such as centre.tau=8ms; repeat for several
    #[arg(long, value_name = "KEY=VALUE", value_parser = units::assignment)]
    pub(crate) set: Vec<(String, String)>,

    /// Set all parameters from an archive of arrays, as foveola model weights writes it
    #[arg(long, value_name = "NPZ")]
    pub(crate) weights: Option<PathBuf>,

    /// The output, by name [default: the first]
    #[arg(long, value_name = "NAME")]
    pub(crate) output: Option<String>,

    /// Time per frame of the stimulus [default: that of the model]
    #[arg(long, value_name = "TIME", value_parser = units::microseconds, allow_hyphen_values = true)]
    pub(crate) dt: Option<u64>,

    /// Scale of a stimulus in an array: unit (0 to 1, relative to the largest value of the type) or raw (as stored)
    /// [default: unit for u1 and u2, raw for floats]
    #[arg(long, value_parser = units::scale, value_name = "HOW")]
    pub(crate) scale: Option<Scale>,

    /// Threads; 0 for one per core [default: 0]
    #[arg(long, value_name = "N", value_parser = units::threads, allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,

    /// Print only JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone)]
#[command(after_help = FIT_HELP)]
pub(crate) struct FitArgs {
    #[command(flatten)]
    pub(crate) model: ModelOfArgs,

    /// What was shown: a movie; repeat for several recordings, in pairs with --target
    #[arg(long, value_name = "MOVIE", required = true)]
    pub(crate) stimulus: Vec<PathBuf>,

    /// What was measured: an array, or text with a number a line
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) target: Vec<PathBuf>,

    /// What the target holds
    #[arg(long, value_name = "KIND", default_value = "rate")]
    pub(crate) target_kind: TargetKind,

    /// Parameters to fit, by the names of foveola model weights, or numbers of the file: centre.tau, small.sigma [default: all
    /// weights and biases]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) free: Vec<String>,

    /// Fit a parameter between two numbers, in its unit in the file; repeat for several
    #[arg(long, value_name = "NAME=LOW..HIGH", value_parser = bounds, allow_hyphen_values = true)]
    pub(crate) bounds: Vec<(String, f64, f64)>,

    /// How far a prediction is from the target [default: mse, for counts and spikes poisson]
    #[arg(long, value_name = "LOSS")]
    pub(crate) loss: Option<LossName>,

    /// Penalty on all free weights, or on one: ridge=0.01, field.weight:smooth=0.1; also lasso, group-lasso, smooth-time and
    /// smooth-space; repeat for several
    #[arg(long, value_name = "[NAME:]KIND=S", value_parser = penalty)]
    pub(crate) penalty: Vec<(Option<String>, Penalty)>,

    /// How to minimise: lbfgs, adam, adam=RATE (of 0.01) or lm (Levenberg-Marquardt)
    #[arg(long, value_name = "NAME", default_value = "lbfgs", value_parser = optimizer)]
    pub(crate) optimizer: Optimizer,

    /// The most evaluations of the loss
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = units::positive, allow_negative_numbers = true)]
    pub(crate) evaluations: usize,

    /// Do not use the begin of each recording: a time, or "20 frames" of the output [default: none]
    #[arg(long, value_name = "TIME", value_parser = warm_up, allow_hyphen_values = true)]
    pub(crate) warm_up: Option<WarmUp>,

    /// Leave out the last part of each recording and score the fitted model on it: 20% [default: none]
    #[arg(long, value_name = "SHARE", value_parser = share, allow_hyphen_values = true)]
    pub(crate) validate: Option<f64>,

    /// The model file to write
    #[arg(long, short, value_name = "TOML")]
    pub(crate) out: PathBuf,

    /// Write the report as JSON
    #[arg(long, value_name = "JSON")]
    pub(crate) report: Option<PathBuf>,

    /// Draw kernels, predictions, the loss and the nonlinearity into this folder; made if it is missing
    #[arg(long, value_name = "FOLDER")]
    pub(crate) pictures: Option<PathBuf>,

    /// Show no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

const SIMULATE_HELP: &str = "\
The output is written as an array (time, row, col), or (time,
channel, row, col), which foveola fit takes as a target.

Without --stimulus, white noise is made here: each pixel is 1
or -1 in each frame, at random.

Examples:
  foveola simulate cell.toml --stimulus a.npy --out rates.npy
  foveola simulate cell.toml --stimulus a.npy
      --spikes poisson --seed 1 --out counts.npy
  foveola simulate cell.toml --frames 20000 --size 9x9
      --stimulus-out noise.npy --out rates.npy";

/// How spikes are drawn.
#[derive(ValueEnum, Clone, Copy)]
pub(crate) enum Spikes {
    /// Independent counts, whose mean is the output
    Poisson,
}

#[derive(Args, Clone)]
#[command(after_help = SIMULATE_HELP)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    pub(crate) model: ModelOfArgs,

    /// What is shown: a movie [default: white noise]
    #[arg(long, value_name = "MOVIE", conflicts_with_all = ["frames", "size", "stimulus_out"])]
    pub(crate) stimulus: Option<PathBuf>,

    /// Frames of white noise
    #[arg(long, value_name = "N", value_parser = units::positive, allow_negative_numbers = true)]
    pub(crate) frames: Option<usize>,

    /// Size of a frame of white noise [default: that of the file]
    #[arg(long, value_name = "COLSxROWS", value_parser = units::geometry, allow_hyphen_values = true)]
    pub(crate) size: Option<Geometry>,

    /// The white noise to write
    #[arg(long, value_name = "NPY")]
    pub(crate) stimulus_out: Option<PathBuf>,

    /// Draw the events in each frame, whose expected number is the output
    #[arg(long, value_name = "HOW")]
    pub(crate) spikes: Option<Spikes>,

    /// Seed of the noise and of the spikes
    #[arg(long, value_name = "SEED", default_value_t = 0, value_parser = units::whole::<u64>, allow_negative_numbers = true)]
    pub(crate) seed: u64,

    /// The array to write
    #[arg(long, short, value_name = "NPY")]
    pub(crate) out: PathBuf,
}

/// Parses `rate.scale=0.1..10`.
fn bounds(text: &str) -> Result<(String, f64, f64), String> {
    let parts = || {
        let (name, range) = text.split_once('=')?;
        let (low, high) = range.split_once("..")?;
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let (low, high) = (number(low)?, number(high)?);
        (!name.trim().is_empty() && low < high).then(|| (name.trim().to_owned(), low, high))
    };
    parts()
        .ok_or_else(|| format!("'{text}' has no bounds; expected a lower and a higher number, as rate.scale=0.1..10"))
}

/// Parses `ridge=0.01`, or `field.weight:ridge=0.01`.
fn penalty(text: &str) -> Result<(Option<String>, Penalty), String> {
    // A corner follows the strength, behind a colon as well: lasso=0.1:1e-3.
    let before = text.find('=').unwrap_or(text.len());
    let (name, penalty) = match text[..before].rfind(':') {
        Some(colon) => (Some(text[..colon].trim().to_owned()), &text[colon + 1..]),
        None => (None, text),
    };
    penalty.parse().map(|penalty| (name, penalty)).map_err(|error: foveola::Error| error.to_string())
}

/// Parses `lbfgs`, `adam`, `adam=0.01` or `lm`.
fn optimizer(text: &str) -> Result<Optimizer, String> {
    let rate = |text: &str| text.parse().ok().filter(|rate: &f64| *rate > 0.0 && rate.is_finite());
    let found = match text.split_once('=') {
        None => match text {
            "lbfgs" => Some(Optimizer::default()),
            "adam" => Some(Optimizer::Adam { rate: 0.01 }),
            "lm" => Some(Optimizer::LevenbergMarquardt),
            _ => None,
        },
        Some(("adam", text)) => rate(text).map(|rate| Optimizer::Adam { rate }),
        Some(_) => None,
    };
    found.ok_or_else(|| format!("'{text}' is unknown; expected lbfgs, adam, adam=RATE with a rate above 0, or lm"))
}

/// Parses `200ms` or `20 frames`.
fn warm_up(text: &str) -> Result<WarmUp, String> {
    let frames = text.strip_suffix("frames").or_else(|| text.strip_suffix("frame"));
    match frames {
        Some(number) => units::whole(number.trim()).map(WarmUp::Frames),
        None => units::microseconds_or_zero(text).map(WarmUp::Microseconds),
    }
}

/// Parses `20%` or `0.2`.
fn share(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let share = match text.strip_suffix('%') {
        Some(percent) => number(percent).map(|percent| percent / 100.0),
        None => number(text),
    };
    let good = share.filter(|share| (0.0..=0.9).contains(share));
    good.ok_or_else(|| format!("'{text}' is no share; expected one from 0 to 90%, such as 20%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations() {
        assert_eq!(bounds("a.b=-1..2e3"), Ok(("a.b".into(), -1.0, 2000.0)));
        assert_eq!([share("20%"), share("0.2"), share("0")], [Ok(0.2), Ok(0.2), Ok(0.0)]);
        assert_eq!(warm_up("20 frames"), Ok(WarmUp::Frames(20)));
        assert_eq!(warm_up("200ms"), Ok(WarmUp::Microseconds(200_000)));
        assert_eq!(optimizer("adam=0.5"), Ok(Optimizer::Adam { rate: 0.5 }));
        let lasso: Penalty = "lasso=0.1:1e-3".parse().expect("a penalty");
        assert_eq!(penalty("lasso=0.1:1e-3"), Ok((None, lasso)));
        assert_eq!(penalty("a.weight:lasso=0.1:1e-3"), Ok((Some("a.weight".into()), lasso)));
        for text in ["a", "a=1", "a=2..1", "a=1..nan", "=1..2", "a=1..1"] {
            assert!(bounds(text).is_err(), "{text}");
        }
        assert!(["91%", "-1%", "x", "nan"].iter().all(|text| share(text).is_err()));
        assert!(["frames", "-1 frames", "1.5 frames", "3"].iter().all(|text| warm_up(text).is_err()));
        assert!(["sgd", "adam=0", "adam=x", "lm=1"].iter().all(|text| optimizer(text).is_err()));
        assert!(["ridge", "a:ridge=-1", "a:=1"].iter().all(|text| penalty(text).is_err()));
    }
}
