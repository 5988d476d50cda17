//! `foveola simulate`: the output of a model as data, with or without the noise of spikes.

use super::guard::Guard;
use super::models::{frames, title};
use super::stimulus::{Subject, neurons, shape};
use crate::args::fit::SimulateArgs;
use crate::args::refuse;
use crate::text::{Lines, print};
use crate::units::{plural, seconds, thousands};
use foveola::fit::Poisson;
use foveola::npy::NpyWriter;
use foveola::samples::{RandomCheckerboard, Size, random_checkerboard};
use foveola::{Error, Result, Shape};
use ndarray::{Array5, ArrayView5, Axis, Ix5};
use serde_json::json;
use std::path::Path;

pub(crate) fn simulate(args: &SimulateArgs) -> Result<()> {
    let subject = Subject::read(&args.model)?;
    let read = args.stimulus.iter().chain(&args.model.weights);
    let guard = Guard::new("simulate", Some(&subject.file), read);
    const EXPECTED: &str = "a file that is not read";
    guard.check("--out", &args.out, EXPECTED)?;
    args.stimulus_out.iter().try_for_each(|path| guard.check("--stimulus-out", path, EXPECTED))?;
    if args.stimulus_out.as_ref() == Some(&args.out) {
        return Err(guard.refused("--stimulus-out", &args.out, "another file than --out"));
    }

    let stimulus = match &args.stimulus {
        Some(path) => subject.movie(&args.model, path)?,
        None => noise(args, frames(&subject.file, args.size)?)?,
    };
    subject.file.frames(shape(&stimulus))?;
    let mut model = subject.model(&subject.file, args.model.threads)?;
    let length = stimulus.len_of(Axis(2));
    let signature = model.signature(shape(&stimulus))?;
    // In one piece, as a fit runs it: padding in time depends on the first one.
    let mut output = model.run(&stimulus, length)?;
    if args.spikes.is_some() {
        output = spikes(&output, args.seed)?;
    }
    // Nothing is written before all is known.
    args.stimulus_out.iter().try_for_each(|path| write(path, stimulus.view()))?;
    write(&args.out, output.view())?;

    let dt = subject.dt();
    let count = output.len_of(Axis(2));
    let samples = output.len().max(1) as f64;
    let sum: f64 = output.iter().map(|x| f64::from(*x)).sum();
    let (low, high) = output.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), x| (l.min(*x), h.max(*x)));
    let Shape { channels, rows, cols } = signature.output;
    if args.model.json {
        let value = json!({
            "model": subject.file.name(),
            "output": subject.output,
            "dt_us": dt * 1e6,
            "frames": length,
            "output_frames": count,
            "output_shape": [channels, rows, cols],
            "spikes": args.spikes.map(|_| sum),
            "mean": sum / samples,
            "lowest": low,
            "highest": high,
            "seed": args.seed,
            "stimulus": args.stimulus.as_ref().or(args.stimulus_out.as_ref()).map(|path| path.display().to_string()),
            "wrote": args.stimulus_out.iter().chain([&args.out]).map(|path| path.display().to_string()).collect::<Vec<_>>(),
        });
        return print(&format!("{value:#}\n"));
    }
    let mut lines = Lines::default();
    lines.push("model", title(&subject.file, &args.model.model));
    let what = match &args.stimulus {
        Some(path) => path.display().to_string(),
        None => format!("white noise of seed {}", args.seed),
    };
    lines.push(
        "stimulus",
        format!("{what}: {} of {}, {}", plural(length as u64, "frame"), seconds(dt), shape(&stimulus)),
    );
    let of = format!("{} of {}", plural(count as u64, "frame"), neurons(signature.output));
    lines.push("output", format!("{}: {of}", subject.output));
    match args.spikes {
        Some(_) => {
            lines.push("spikes", format!("{}, {:.3} in a frame, {high} at most", thousands(sum as u64), sum / samples));
        }
        None => lines.push("values", format!("{low:.4} to {high:.4}, mean {:.4}", sum / samples)),
    }
    let paths = args.stimulus_out.iter().chain([&args.out]);
    lines.push_all("wrote", paths.map(|path| path.display().to_string()));
    print(&lines.0)
}

/// White noise of 1 and -1 in frames of `shape`.
fn noise(args: &SimulateArgs, shape: Shape) -> Result<Array5<f32>> {
    let Some(length) = args.frames else {
        refuse("no stimulus; expected --stimulus MOVIE, or --frames N and --stimulus-out NPY for white noise")
    };
    if args.stimulus_out.is_none() {
        refuse("--frames makes white noise, which nothing would keep; expected --stimulus-out NPY as well");
    }
    let Shape { channels, rows, cols } = shape;
    let samples = channels.saturating_mul(length).saturating_mul(rows).saturating_mul(cols);
    let mut all = Vec::new();
    for channel in 0..channels {
        let seed = args.seed.wrapping_add(channel as u64);
        let board = RandomCheckerboard { seed, check: 1, hold: 1, low: -1.0, high: 1.0 };
        all.push(random_checkerboard(Size::new(length, rows, cols), &board)?);
    }
    let views: Vec<_> = all.iter().map(|movie| movie.view()).collect();
    ndarray::concatenate(Axis(1), &views).map_err(|_| Error::Memory { what: "white noise", samples })
}

/// Counts whose expected values are the output.
fn spikes(output: &Array5<f32>, seed: u64) -> Result<Array5<f32>> {
    let largest = Poisson::LARGEST as f32;
    if let Some(((_, c, t, row, col), rate)) = output.indexed_iter().find(|(_, rate)| !(0.0..=largest).contains(*rate))
    {
        let value = format!("{rate} in frame {t}, channel {c}, row {row}, column {col}");
        let expected = "0 to 1e7 for --spikes poisson, as behind NLRectify";
        return Err(Error::Parameter { item: "simulate", name: "the output", value, expected });
    }
    let counts = Poisson::new(seed).counts(output)?;
    counts.into_dimensionality::<Ix5>().map_err(|_| Error::Memory { what: "the counts", samples: output.len() })
}

/// Writes the frames of a movie of batch 1.
fn write(path: &Path, movie: ArrayView5<'_, f32>) -> Result<()> {
    let mut writer = NpyWriter::create(path)?;
    for frame in movie.index_axis(Axis(0), 0).axis_iter(Axis(1)) {
        writer.push(frame)?;
    }
    writer.finish().map(|_| ())
}
