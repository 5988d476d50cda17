//! `foveola run`: frames through a model, and pictures of what it does.

use super::chosen::filtered_as_json;
use super::input::Input;
use super::units::{plural, seconds, thousands};
use super::{Lines, RunArgs, print, reasons_as_json};
use foveola::npy::NpyWriter;
use foveola::picture::{Animation, Plot, Series, Sheet, Stage, animation, contact_sheet, traces};
use foveola::{Device, Error, Model, Precision, Resolution, Result, models};
use foveola_core::Digest;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ndarray::{ArrayView2, ArrayView3, ArrayView5, Axis, CowArray, Ix2, concatenate};
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Samples of input in a piece, at most, unless the arguments say otherwise.
const PIECE_SAMPLES: usize = 4 << 20;

/// What is shown of one stage of a model.
struct Shown {
    stage: Stage,
    traces: Traces,
    /// Rows and columns of a picture, and columns of a channel in it.
    picture: (usize, usize),
    cols: usize,
    /// Sum and number of the samples that are not 0.
    active: (f64, u64),
}

/// The time courses of a grid of pixels, in bounded memory: when full, neighbours in time are merged.
#[derive(Default)]
struct Traces {
    /// A row of values for each time, a column for each pixel of the grid.
    values: Vec<f32>,
    /// Frames in a row, and those in the row that is begun.
    span: usize,
    begun: (Vec<f32>, usize),
}

impl Traces {
    /// Pixels along each side of the grid.
    const SIDE: usize = 8;
    const PIXELS: usize = Self::SIDE * Self::SIDE;
    const MOST: usize = 2048;

    /// Row and column of a pixel of the grid in a picture of `dim`.
    fn place(pixel: usize, (rows, cols): (usize, usize)) -> (usize, usize) {
        let middle = |i: usize, len: usize| (2 * i + 1) * len / (2 * Self::SIDE);
        (middle(pixel / Self::SIDE, rows), middle(pixel % Self::SIDE, cols))
    }

    fn push(&mut self, picture: ArrayView2<'_, f32>) {
        self.span = self.span.max(1);
        self.begun.0.resize(Self::PIXELS, 0.0);
        for (pixel, sum) in self.begun.0.iter_mut().enumerate() {
            *sum += picture.get(Self::place(pixel, picture.dim())).copied().unwrap_or(0.0);
        }
        self.begun.1 += 1;
        if self.begun.1 < self.span {
            return;
        }
        let span = self.span as f32;
        self.values.extend(self.begun.0.drain(..).map(|sum| sum / span));
        self.begun.1 = 0;
        if self.values.len() == Self::MOST * Self::PIXELS {
            let rows = self.values.chunks_exact(2 * Self::PIXELS);
            self.values =
                rows.flat_map(|rows| (0..Self::PIXELS).map(|i| 0.5 * (rows[i] + rows[i + Self::PIXELS]))).collect();
            self.span *= 2;
        }
    }

    fn of(&self, pixel: usize) -> Vec<f32> {
        self.values.iter().skip(pixel).step_by(Self::PIXELS).copied().collect()
    }

    /// The pixel that varies most.
    fn liveliest(&self) -> usize {
        let variance = |pixel: &usize| {
            let values = self.of(*pixel);
            let mean = values.iter().sum::<f32>() / values.len().max(1) as f32;
            values.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>()
        };
        (0..Self::PIXELS).max_by(|a, b| variance(a).total_cmp(&variance(b))).unwrap_or(0)
    }
}

impl Shown {
    fn new(name: &str) -> Self {
        Self { stage: Stage::new(name), traces: Traces::default(), picture: (0, 0), cols: 1, active: (0.0, 0) }
    }

    /// Takes the frames of a piece, the first of them number `t`.
    fn push(&mut self, piece: &ArrayView5<'_, f32>, t: usize, dt: f64) -> Result<()> {
        for (i, frame) in piece.index_axis(Axis(0), 0).axis_iter(Axis(1)).enumerate() {
            let picture = side_by_side(frame);
            self.stage.push((t + i) as f64 * dt, picture.view())?;
            self.traces.push(picture.view());
            (self.picture, self.cols) = (picture.dim(), frame.len_of(Axis(2)));
            for x in picture.iter().filter(|x| **x != 0.0) {
                self.active = (self.active.0 + f64::from(x.abs()), self.active.1 + 1);
            }
        }
        Ok(())
    }

    /// Shows counts of events in the middle of the colours: twice the mean count fills them.
    fn into_counts(mut self) -> Self {
        let limit = (2.0 * self.active.0 / self.active.1.max(1) as f64).ceil().max(1.0) as f32;
        self.stage = self.stage.range(-limit, limit);
        self
    }
}

/// The channels of a frame as one picture.
fn side_by_side(frame: ArrayView3<'_, f32>) -> CowArray<'_, f32, Ix2> {
    if frame.len_of(Axis(0)) == 1 {
        return frame.index_axis_move(Axis(0), 0).into();
    }
    let channels: Vec<_> = frame.outer_iter().collect();
    concatenate(Axis(1), &channels).unwrap_or_default().into()
}

/// What a run counted.
#[derive(Default)]
struct Totals {
    frames: usize,
    output_frames: usize,
    digest: Option<Digest>,
    /// In the model alone.
    model: Duration,
}

pub(super) fn run(args: &RunArgs) -> Result<()> {
    let dt = args.dt as f64 * 1e-6;
    let resolution = Resolution { steps_per_second: 1.0 / dt, ..Resolution::DEFAULT };
    let named = models::build(&args.model, resolution)?;
    let device: Device = args.device.parse()?;
    let mut input = Input::open(args)?;
    std::fs::create_dir_all(&args.out).map_err(|source| {
        let reason = format!("cannot be made a folder for the output: {source}");
        Error::Data { path: args.out.clone(), reason }
    })?;

    let began = Instant::now();
    let precision = if args.reproducible { Precision::Reproducible } else { Precision::Fast };
    let there = |model: Model| model.precision(precision).to(&device);
    let mut model = there(named.model);
    let mut parts: Vec<(Shown, Model)> =
        named.parts.into_iter().map(|(name, part)| (Shown::new(name), there(part))).collect();
    let (mut shown_input, mut shown_output) = (Shown::new("input"), Shown::new(&args.model));
    let mut saved: Option<(NpyWriter, PathBuf)> = None;
    let mut totals = Totals { digest: args.digest.then(Digest::new), ..Totals::default() };
    let piece = args.piece.unwrap_or_else(|| (PIECE_SAMPLES / input.frame_len().max(1)).clamp(1, 100));
    let progress = progress_bar(args);
    loop {
        let frames = match input.next_piece(piece) {
            Ok(Some(frames)) => frames,
            Ok(None) => break,
            Err(error) => {
                if let (Error::Damaged { .. }, Some((writer, path))) = (&error, saved) {
                    // Of a recording that is refused no output stays.
                    drop(writer);
                    let _ = std::fs::remove_file(path);
                }
                return Err(error);
            }
        };
        shown_input.push(&frames, totals.frames, dt)?;
        let start = Instant::now();
        let output = model.process(frames)?;
        totals.model += start.elapsed();
        shown_output.push(&output, totals.frames, dt)?;
        if let Some(digest) = &mut totals.digest {
            add(digest, &output);
        }
        save(args, &mut saved, &output, totals.output_frames)?;
        totals.output_frames += output.len_of(Axis(2));
        for (shown, part) in &mut parts {
            shown.push(&part.process(frames)?, totals.frames, dt)?;
        }
        totals.frames += frames.len_of(Axis(2));
        let rate = totals.frames as f64 / began.elapsed().as_secs_f64().max(1e-9);
        progress.set_message(format!("{rate:.0} frames/s, {:.2} x real time", rate * dt));
        progress.set_position((input.progress() * 1000.0) as u64);
    }
    progress.finish_and_clear();
    if let Some(error) = input.nothing_seen(args) {
        return Err(error);
    }

    let mut shown = vec![if input.events().is_some() { shown_input.into_counts() } else { shown_input }];
    shown.extend(parts.into_iter().map(|(shown, _)| shown));
    shown.push(shown_output);
    let mut wrote = pictures(args, shown, dt)?;
    if let Some((writer, path)) = saved {
        let frames = writer.finish()?;
        let of = plural(totals.output_frames as u64, "frame");
        wrote.push((path, format!("{} of {of} of the output", thousands(frames as u64))));
    }
    report(args, &device, &input, &totals, began.elapsed().as_secs_f64(), &wrote);
    Ok(())
}

fn progress_bar(args: &RunArgs) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:16} {percent:>3} %  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let target = if args.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(1000), target).with_style(style);
    bar.tick(); // the first piece may take a while
    bar
}

/// Adds the frames of a piece, one after another.
fn add(digest: &mut Digest, output: &ArrayView5<'_, f32>) {
    for frame in output.index_axis(Axis(0), 0).axis_iter(Axis(1)) {
        match frame.as_slice() {
            Some(samples) => digest.add(samples),
            None => frame.iter().for_each(|sample| digest.add(&[*sample])),
        }
    }
}

/// Appends every Nth frame of the output to its file, which begins with the first of them.
fn save(
    args: &RunArgs,
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
                let path = args.out.join("output.npy");
                saved.insert((NpyWriter::create(&path)?, path))
            }
        };
        writer.push(frame)?;
    }
    Ok(())
}

/// Draws the contact sheet, the traces and the animation; returns what was written.
fn pictures(args: &RunArgs, shown: Vec<Shown>, dt: f64) -> Result<Vec<(PathBuf, String)>> {
    let names: Vec<&str> = shown.iter().map(|shown| shown.stage.name()).collect();
    let names = names.join(", ");
    let (sheet, plot, movie) = (args.out.join("stages.png"), args.out.join("traces.png"), args.out.join("stages.gif"));
    let pixel = shown.last().map_or(0, |output| output.traces.liveliest());
    let place = shown.last().map_or_else(String::new, |output| {
        let (row, col) = Traces::place(pixel, output.picture);
        let channel =
            if output.picture.1 > output.cols { format!(", channel {}", col / output.cols) } else { String::new() };
        format!("row {row}, column {}{channel}", col % output.cols.max(1))
    });
    // Single events would hide the traces behind them.
    let traced = shown.iter().skip(usize::from(shown.len() > 1));
    let series: Vec<Series> = traced
        .map(|shown| Series::new(shown.stage.name(), dt * shown.traces.span.max(1) as f64, shown.traces.of(pixel)))
        .collect();
    let stages: Vec<Stage> = shown.into_iter().map(|shown| shown.stage).collect();
    let title = format!("Pixel in {place}, the liveliest of {}", Traces::PIXELS);
    let traced_pixel = format!("the pixel in {place}");
    contact_sheet(&sheet, &stages, &Sheet::default())?;
    traces(&plot, &series, &Plot { title: Some(title), ..Plot::default() })?;
    animation(&movie, &stages, &Animation { dt, ..Animation::default() })?;
    Ok(vec![(sheet, names.clone()), (plot, traced_pixel), (movie, names)])
}

fn report(args: &RunArgs, device: &Device, input: &Input, totals: &Totals, elapsed: f64, wrote: &[(PathBuf, String)]) {
    let recorded = totals.frames as f64 * args.dt as f64 * 1e-6;
    let model = totals.model.as_secs_f64().max(1e-9);
    let about = models::names().find(|(name, _)| *name == args.model).map_or("", |(_, about)| about);
    if args.common.json {
        let mut value = json!({
            "input": args.input.as_ref().map(|path| path.display().to_string()),
            "events": input.events(),
            "model": args.model,
            "device": device.name(),
            "dt_us": args.dt,
            "frames": totals.frames,
            "output_frames": totals.output_frames,
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
        if let Some(digest) = totals.digest {
            value["digest"] = digest.to_string().into();
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
    lines.push("model", format!("{}: {about}", args.model));
    lines.push("device", device.name());
    lines.push("frames", format!("{} of {}", thousands(totals.frames as u64), seconds(args.dt as f64 * 1e-6)));
    lines.push("model ran", speed(model));
    lines.push("in all", format!("{}, with pictures", speed(elapsed)));
    lines.push_resets(input.resets());
    lines.push_left_out(&input.skipped(), None, &input.filtered());
    if let Some(digest) = totals.digest {
        lines.push("digest", format!("{digest} (FNV-1a of all bits of the output)"));
    }
    lines.push("wrote", format!("in {}:", args.out.display()));
    for (path, what) in wrote {
        lines.push("", format!("{}  {what}", path.file_name().unwrap_or_default().display()));
    }
    print(&lines.0);
}
