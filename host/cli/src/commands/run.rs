//! `foveola run`: runs a model on frames, and writes pictures of its activity.

use super::gallery::{Drawing, Gallery};
use super::guard::Guard;
use super::input::Input;
use super::models::Models;
use super::resume::Position;
use crate::args::RunArgs;
use crate::text::{Lines, filtered_as_json, print, reasons_as_json};
use crate::units::{plural, seconds, thousands};
use foveola::npy::NpyWriter;
use foveola::{Device, Error, Model, Result, Shape, StateFile};
use foveola_core::{Digest, Q15, Sample};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ndarray::{ArrayView5, Axis};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The default largest number of input samples in a chunk.
const PIECE_SAMPLES: usize = 4 << 20;

/// The totals of a run.
#[derive(Default)]
struct Totals {
    frames: usize,
    /// Frames of each output.
    output_frames: Vec<usize>,
    /// One for each output, if they are asked for.
    digests: Vec<Digest>,
    /// What a sample of 1 of each output stands for, in 16 bits.
    scales: Option<Vec<f64>>,
    /// Time in the model only.
    model: Duration,
}

pub(crate) fn run(args: &RunArgs) -> Result<()> {
    let mut args = args.clone().with_file()?;
    let state = args.load_state.as_deref().map(StateFile::read).transpose()?;
    if let (Some(state), Some(path)) = (&state, &args.load_state) {
        args.position = Some(Position::of(state, path)?);
    }
    let args = &args;
    let device: Device = args.device.parse()?;
    Models::build(args, &device, 1_000)?; // a model that cannot be built is reported before the input is read
    let input = Input::open(args)?;
    if let Some(file) = &args.file {
        file.frames(input.shape())?;
    }
    let mut models = Models::build(args, &device, input.dt())?;
    let mut model = std::mem::take(&mut models.whole);
    let begin = state.as_ref().map(StateFile::time);
    if let Some(state) = state {
        go_on(args, &mut model, state, input.shape())?;
    }
    let signature = model.signature(input.shape())?;
    let piece = args.chunk.unwrap_or_else(|| (PIECE_SAMPLES / input.shape().len().max(1)).clamp(1, 100));
    let gallery =
        if args.no_pictures { None } else { Some(Gallery::new(args, &device, &input, models, &signature, piece)?) };
    let names: Vec<String> = model.outputs().map(str::to_owned).collect();
    // With a single output its name does not matter.
    let names = if names.len() > 1 { names } else { vec!["output".into()] };
    refuse_to_overwrite(args, &names)?;
    std::fs::create_dir_all(&args.out).map_err(|source| {
        let reason = format!("cannot be made a folder for the output: {source}");
        Error::Data { path: args.out.clone(), reason }
    })?;

    let began = Instant::now();
    let digests = if args.digest { vec![Digest::new(); names.len()] } else { Vec::new() };
    let scales = model.output_scales(input.shape())?;
    let totals = Totals { digests, scales, output_frames: vec![0; names.len()], ..Totals::default() };
    let saved = names.iter().map(|_| None).collect();
    let mut run = Run { args, model, input, totals, names, saved };
    let mut wrote = std::thread::scope(|scope| {
        let drawing = gallery.map(|gallery| Drawing::start(scope, gallery));
        let progress = progress_bar(args);
        run.compute(piece, drawing.as_ref(), &progress)?;
        progress.set_message("drawing");
        let wrote = drawing.map_or_else(|| Ok(Vec::new()), |drawing| drawing.finish(run.input.kept()));
        progress.finish_and_clear();
        wrote
    })?;
    for ((name, saved), frames_out) in run.names.iter().zip(&mut run.saved).zip(&run.totals.output_frames) {
        let Some((writer, path)) = saved.take() else { continue };
        let frames = writer.finish()?;
        let of = plural(*frames_out as u64, "frame");
        let what = if run.names.len() > 1 { format!("output {name}") } else { "the output".into() };
        wrote.push((path, format!("{} of {of} of {what}", thousands(frames as u64))));
    }
    let states = States { begin, saved: args.save_state.as_deref().map(|path| save_state(path, &run)).transpose()? };
    run.report(&device, began.elapsed().as_secs_f64(), &wrote, &states)
}

/// The states of a run: the frames before the one that it goes on from; the file that it wrote and how to go on from there.
struct States {
    begin: Option<u64>,
    saved: Option<(PathBuf, String)>,
}

/// Refuses outputs and pictures that would replace a file that is read, and a state that would.
fn refuse_to_overwrite(args: &RunArgs, names: &[String]) -> Result<()> {
    let inputs = || args.input.iter().chain(&args.weights);
    let outputs: Vec<String> = names
        .iter()
        .map(|name| format!("{name}.npy"))
        .chain(["stages.png", "traces.png", "stages.gif"].map(str::to_owned))
        .collect();
    let guard = Guard::new("run", args.file.as_ref(), inputs().chain(&args.load_state));
    guard.check_folder(&args.out, outputs)?;
    if let Some(path) = &args.save_state {
        // It may replace the state that the run goes on from.
        let guard = Guard::new("run", args.file.as_ref(), inputs());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if guard.reads(path) || folder.is_some_and(|folder| !folder.is_dir()) {
            let expected = "a file in a folder that there is, and none that is read";
            return Err(guard.refused("--save-state", path, expected));
        }
    }
    Ok(())
}

/// Goes on from a state, for frames of `shape`.
fn go_on(args: &RunArgs, model: &mut Model, state: StateFile, shape: Shape) -> Result<()> {
    let found = state.shape();
    if found != shape {
        let path = args.load_state.clone().unwrap_or_default();
        let reason = format!("for frames of {found} (channels x rows x columns); those of the input have {shape}");
        return Err(Error::Data { path, reason });
    }
    model.set_state_from(state)
}

/// Writes the state after the last frame, and returns the file and what it holds.
fn save_state(path: &Path, run: &Run<'_>) -> Result<(PathBuf, String)> {
    let position = run.input.position(run.args.input.as_deref())?;
    run.model.save_state_with(path, &position.note())?;
    let next = match position.inside {
        Some(inside) => format!("goes on with --from {}us", inside.next),
        None => "goes on with the next input".into(),
    };
    Ok((path.into(), next))
}

/// A run and its results so far.
struct Run<'a> {
    args: &'a RunArgs,
    model: Model,
    input: Input,
    totals: Totals,
    /// The names of the outputs.
    names: Vec<String>,
    /// The file of each output, which starts with the first saved frame.
    saved: Vec<Option<(NpyWriter, PathBuf)>>,
}

impl Run<'_> {
    /// Runs the model on the input, `piece` frames at a time. Stops early if the drawing thread failed.
    fn compute(&mut self, piece: usize, drawing: Option<&Drawing<'_>>, progress: &ProgressBar) -> Result<()> {
        let (began, dt) = (Instant::now(), self.input.dt() as f64 * 1e-6);
        let (args, totals) = (self.args, &mut self.totals);
        loop {
            let frames = match self.input.next_chunk(piece) {
                Ok(Some(frames)) => frames,
                Ok(None) => break,
                Err(error) => {
                    keep_whole(&mut self.saved, &error);
                    return Err(error);
                }
            };
            let start = Instant::now();
            let outputs = match self.model.process_all(frames) {
                Ok(outputs) => outputs,
                Err(error) => {
                    keep_whole(&mut self.saved, &error);
                    return Err(self.input.blame(error, args.input.as_deref()));
                }
            };
            let output = outputs[0];
            totals.model += start.elapsed();
            if drawing.is_some_and(|drawing| !drawing.push(&frames, &output)) {
                return Ok(());
            }
            for (i, (digest, output)) in totals.digests.iter_mut().zip(&outputs).enumerate() {
                add(digest, output, totals.scales.as_ref().and_then(|scales| scales.get(i).copied()));
            }
            let files = self.names.iter().zip(&mut self.saved).zip(&mut totals.output_frames);
            for (((name, saved), frames), output) in files.zip(&outputs) {
                save(args, name, saved, output, *frames)?;
                *frames += output.len_of(Axis(2));
            }
            totals.frames += frames.len_of(Axis(2));
            let rate = totals.frames as f64 / began.elapsed().as_secs_f64().max(1e-9);
            progress.set_message(format!("{rate:.0} frames/s, {:.2} x real time", rate * dt));
            progress.set_position((self.input.progress() * 1000.0) as u64);
        }
        self.input.nothing_seen(args).map_or(Ok(()), Err)
    }

    /// Prints the report.
    fn report(&self, device: &Device, elapsed: f64, wrote: &[(PathBuf, String)], states: &States) -> Result<()> {
        let Self { args, input, totals, .. } = self;
        let dt = input.dt() as f64 * 1e-6;
        let recorded = totals.frames as f64 * dt;
        let model = totals.model.as_secs_f64().max(1e-9);
        let about = args.about();
        if args.common.json {
            let mut value = json!({
                "input": args.input.as_ref().map(|path| path.display().to_string()),
                "events": input.events(),
                "model": args.model,
                "device": device.name(),
                "dt_us": input.dt(),
                "dt_from": input.dt_from(),
                "frames": totals.frames,
                "output_frames": totals.output_frames.first(),
                "recorded_seconds": recorded,
                "seconds": elapsed,
                "model_seconds": model,
                "frames_per_second": totals.frames as f64 / elapsed,
                "model_frames_per_second": totals.frames as f64 / model,
                "real_time_factor": recorded / elapsed,
                "resets": input.resets(),
                "skipped": reasons_as_json(&input.skipped()),
                "filtered": filtered_as_json(&input.filtered()),
                "wrote": wrote.iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>(),
            });
            if let Some(begin) = states.begin {
                value["first_frame"] = begin.into();
            }
            if let Some((path, _)) = &states.saved {
                value["state"] = path.display().to_string().into();
            }
            match &totals.digests[..] {
                [] => {}
                [digest] => value["digest"] = digest.to_string().into(),
                digests => {
                    let digests =
                        self.names.iter().zip(digests).map(|(name, digest)| (name.clone(), digest.to_string().into()));
                    value["digest"] = digests.collect::<serde_json::Map<_, _>>().into();
                }
            }
            return print(&format!("{value:#}\n"));
        }
        let speed = |seconds: f64| {
            let rate = totals.frames as f64 / seconds.max(1e-9);
            format!("{} frames/s, {:.2} x real time", thousands(rate as u64), recorded / seconds.max(1e-9))
        };
        let mut lines = Lines::default();
        lines.push("input", input.describe());
        if let Some(events) = input.events() {
            lines.push("events", format!("{} in {}", thousands(events), seconds(recorded)));
        }
        lines.push("model", if about.is_empty() { args.model.clone() } else { format!("{}: {about}", args.model) });
        lines.push("device", device.name());
        let frames = thousands(totals.frames as u64);
        lines.push("frames", format!("{frames} of {} ({})", seconds(dt), input.dt_from()));
        input.note().into_iter().for_each(|note| lines.push("", note));
        if let (Some(begin), Some(path)) = (states.begin, &args.load_state) {
            lines.push("", format!("after {} of {}", plural(begin, "frame"), path.display()));
        }
        lines.push("model ran", speed(model));
        let with = if args.no_pictures { "" } else { ", with pictures" };
        lines.push("in all", format!("{}{with}", speed(elapsed)));
        lines.push_resets(input.resets());
        lines.push_left_out(&input.skipped(), None, &input.filtered());
        for (name, digest) in self.names.iter().zip(&totals.digests) {
            let what = if self.names.len() > 1 { format!("output {name}") } else { "the output".into() };
            lines.push("digest", format!("{digest} (FNV-1a of all bits of {what})"));
        }
        let nothing = if wrote.is_empty() { " nothing" } else { "" };
        lines.push("wrote", format!("in {}:{nothing}", args.out.display()));
        let file = |path: &PathBuf| path.file_name().unwrap_or_default().display().to_string();
        let width = wrote.iter().map(|(path, _)| file(path).chars().count()).max().unwrap_or(0);
        for (path, what) in wrote {
            lines.push("", format!("{:width$}  {what}", file(path)));
        }
        if let Some((path, next)) = &states.saved {
            lines.push("state", format!("{}: {next}", path.display()));
        }
        print(&lines.0)
    }
}

/// Completes the files of the frames before an error of the input; if a recording is rejected, no output remains.
fn keep_whole(saved: &mut [Option<(NpyWriter, PathBuf)>], error: &Error) {
    for (writer, _) in saved.iter_mut().filter_map(Option::take) {
        if !matches!(error, Error::Damaged { .. }) {
            // The error of the input is the one that is told.
            let _ = writer.finish();
        }
    }
}

fn progress_bar(args: &RunArgs) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:16} {percent:>3} %  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let target = if args.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(1000), target).with_style(style);
    bar.tick(); // the first chunk may take a while
    bar
}

/// Adds the frames of a chunk to a digest, in order: as samples of 16 bits where they have a full scale.
fn add(digest: &mut Digest, output: &ArrayView5<'_, f32>, scale: Option<f64>) {
    for frame in output.index_axis(Axis(0), 0).axis_iter(Axis(1)) {
        if let Some(scale) = scale {
            frame.iter().for_each(|sample| digest.add(&[Q15::from_f64(f64::from(*sample) / scale)]));
            continue;
        }
        match frame.as_slice() {
            Some(samples) => digest.add(samples),
            None => frame.iter().for_each(|sample| digest.add(&[*sample])),
        }
    }
}

/// Appends every Nth frame of the output to its file, which starts with the first of them.
fn save(
    args: &RunArgs,
    name: &str,
    saved: &mut Option<(NpyWriter, PathBuf)>,
    output: &ArrayView5<'_, f32>,
    before: usize,
) -> Result<()> {
    for (i, frame) in output.index_axis(Axis(0), 0).axis_iter(Axis(1)).enumerate() {
        if args.every == 0 || !(before + i).is_multiple_of(args.every) {
            continue;
        }
        let (writer, _) = match saved {
            Some(saved) => saved,
            None => {
                let path = args.out.join(format!("{name}.npy"));
                saved.insert((NpyWriter::create(&path)?, path))
            }
        };
        writer.push(frame)?;
    }
    Ok(())
}
