//! The pictures of `foveola run`. A thread runs the parts of the model on copies of the frames while the model continues,
//! collects the data for the pictures, and draws them at the end.

use super::input::{Input, Kept};
use super::models::Models;
use super::probe::{Probe, SecondRun, aligned};
use crate::args::RunArgs;
use crate::units::{plural, seconds};
use foveola::picture::{Animation, Chart, PixelActivity, Plot, Sheet, Stage, Stages, animation, contact_sheet, traces};
use foveola::{Device, Error, Model, Result};
use foveola_core::{Shape, Signature};
use ndarray::{Array5, ArrayView5, Axis};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, Scope, ScopedJoinHandle};

/// Files, and the content of each.
pub(crate) type Written = Vec<(PathBuf, String)>;

/// Frames of the input, and the output of the model.
#[derive(Default)]
pub(crate) struct Chunk {
    input: Array5<f32>,
    output: Array5<f32>,
}

impl Chunk {
    /// Copies frames, into the memory of earlier ones of the same size.
    fn fill(&mut self, input: &ArrayView5<'_, f32>, output: &ArrayView5<'_, f32>) {
        for (to, from) in [(&mut self.input, input), (&mut self.output, output)] {
            if to.dim() == from.dim() {
                to.assign(from);
            } else {
                *to = from.to_owned();
            }
        }
    }
}

/// The messages to the drawing thread.
enum Message {
    Frames(Chunk),
    /// The end of the input, and its events, if they were kept.
    End(Option<Kept>),
}

/// The handle of the drawing thread.
pub(crate) struct Drawing<'scope> {
    /// Chunks in transit to the thread.
    chunks: SyncSender<Message>,
    /// Chunks that the thread has released.
    free: Receiver<Chunk>,
    thread: ScopedJoinHandle<'scope, Result<Written>>,
}

impl<'scope> Drawing<'scope> {
    /// Starts the thread.
    pub(crate) fn start<'env: 'scope>(scope: &'scope Scope<'scope, 'env>, gallery: Gallery<'env>) -> Self {
        // A chunk is handed over when the thread has finished the previous one, so there are two chunks.
        let (chunks, arrived) = sync_channel(0);
        let (done, free) = channel();
        Self { chunks, free, thread: scope.spawn(move || gallery.run(&arrived, &done)) }
    }

    /// Hands over the next frames. False if the thread ended with an error, which [`Drawing::finish`] returns.
    pub(crate) fn push(&self, input: &ArrayView5<'_, f32>, output: &ArrayView5<'_, f32>) -> bool {
        let mut chunk = self.free.try_recv().unwrap_or_default();
        chunk.fill(input, output);
        self.chunks.send(Message::Frames(chunk)).is_ok()
    }

    /// Draws, and returns the files written. `kept` are the events of the input.
    pub(crate) fn finish(self, kept: Option<Kept>) -> Result<Written> {
        let _ = self.chunks.send(Message::End(kept)); // if this fails, the thread has ended with an error
        joined(self.thread)
    }
}

/// The result of a thread; its panic is propagated.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The data that the drawing thread collects for the pictures.
pub(crate) struct Gallery<'a> {
    args: &'a RunArgs,
    device: &'a Device,
    names: Vec<String>,
    /// Shapes of the frames of the input, the parts and the output.
    shapes: Vec<Shape>,
    /// Names of the input's channels; an output with the same number of channels uses them too.
    channels: Vec<&'static str>,
    unit: String,
    dt: f64,
    /// Frames of the input for one of the output.
    every: u64,
    piece: usize,
    /// Whether the input can be read again.
    again: bool,
    parts: Vec<Model>,
    frames: usize,
    stages: Stages,
    probe: Option<Probe>,
    /// How the pixel of the probe was selected.
    which: Which,
}

/// The pixel whose time course is drawn.
#[derive(Clone, Copy)]
enum Which {
    Given(usize, usize),
    Only,
    /// The most variable pixel, found at the end.
    MostVariable,
    /// The most variable pixel of the first chunk with a change, and the end of that chunk in seconds.
    MostVariableUntil(PixelActivity, f64),
}

impl<'a> Gallery<'a> {
    /// A gallery for a model and its parts, which are moved into it.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a pixel that the output does not have.
    pub(crate) fn new(
        args: &'a RunArgs,
        device: &'a Device,
        input: &Input,
        models: Models,
        signature: &Signature,
        piece: usize,
    ) -> Result<Self> {
        let output = signature.output;
        let (mut names, mut shapes, mut parts) = (vec!["input".to_owned()], vec![input.shape()], Vec::new());
        for (name, part) in models.parts {
            names.push(name);
            shapes.push(part.signature(input.shape())?.output);
            // They run in parallel to the model, which may use all threads.
            parts.push(part.with_threads((foveola_cli::bench::cores() / 2).max(1)));
        }
        names.push(args.output().to_owned());
        shapes.push(output);
        let which = match args.pixel {
            Some((row, col)) if row < output.rows && col < output.cols => Which::Given(row, col),
            Some((row, col)) => {
                let expected = "a row and a column of the output";
                let value = format!("{row},{col} of {} rows and {} columns", output.rows, output.cols);
                return Err(Error::Parameter { item: "run", name: "--pixel", value, expected });
            }
            None if output.rows * output.cols == 1 => Which::Only,
            None => Which::MostVariable,
        };
        let probe = match which {
            Which::Given(row, col) => Some(Probe::new(&shapes, 0, (row, col), 0.0)),
            Which::Only => Some(Probe::new(&shapes, 0, (0, 0), 0.0)),
            Which::MostVariable | Which::MostVariableUntil(..) => None,
        };
        let (channels, unit) = (input.channels(), input.unit());
        let stage = |(name, shape): (&String, &Shape)| {
            let stage = Stage::new(name).unit(&unit);
            if shape.channels == channels.len() { stage.channels(channels.clone()) } else { stage }
        };
        let responses = names.iter().zip(&shapes).skip(1).map(stage);
        let stages = Stages::new([input.stage()].into_iter().chain(responses));
        let (dt, again) = (input.dt() as f64 * 1e-6, Input::is_there_again(args));
        let frames = 0;
        let every = signature.rate.every;
        Ok(Self {
            args,
            device,
            names,
            shapes,
            channels,
            unit,
            dt,
            every,
            piece,
            again,
            parts,
            frames,
            stages,
            probe,
            which,
        })
    }

    /// Receives chunks until the end, and draws; draws nothing if the end message does not arrive.
    fn run(mut self, arrived: &Receiver<Message>, done: &Sender<Chunk>) -> Result<Written> {
        while let Ok(message) = arrived.recv() {
            match message {
                Message::Frames(chunk) => {
                    self.push(&chunk)?;
                    let _ = done.send(chunk); // fails once there are no more chunks
                }
                Message::End(kept) => return self.draw(kept.as_ref()),
            }
        }
        Ok(Vec::new())
    }

    fn push(&mut self, Chunk { input, output }: &Chunk) -> Result<()> {
        let (before, frames) = (input.len_of(Axis(2)), output.len_of(Axis(2)));
        let start = self.frames as f64 * self.dt;
        self.frames += before;
        let parts: Vec<_> = self.parts.iter_mut().map(|part| part.process(input.view())).collect::<Result<_>>()?;
        if frames == 0 {
            return Ok(());
        }
        let movies = [input.view()].into_iter().chain(parts).chain([output.view()]);
        let movies: Vec<_> = movies.map(|movie| aligned(movie, frames)).collect();
        let movies: Vec<_> = movies.iter().map(|movie| movie.view()).collect();
        self.stages.extend(start, self.dt * before as f64 / frames as f64, &movies)?;
        let still = match self.which {
            Which::MostVariable => !self.again,
            Which::MostVariableUntil(found, _) => found.variance == 0.0,
            Which::Given(..) | Which::Only => false,
        };
        if still && let Some(found) = self.stages.most_variable() {
            self.which = Which::MostVariableUntil(found, self.frames as f64 * self.dt);
            self.probe = Some(Probe::new(&self.shapes, found.channel, (found.row, found.col), start));
        }
        if let Some(probe) = &mut self.probe {
            probe.push(&movies);
        }
        Ok(())
    }

    /// Draws the contact sheet, the animation and the time courses in parallel.
    fn draw(mut self, kept: Option<&Kept>) -> Result<Written> {
        if kept.is_some() && matches!(self.which, Which::MostVariableUntil(..)) {
            self.which = Which::MostVariable;
        }
        let file = |name: &str| self.args.out.join(name);
        let (sheet, plot, movie) = (file("stages.png"), file("traces.png"), file("stages.gif"));
        let (stages, probe) = (&self.stages, self.probe.take());
        let options = Animation { dt: self.dt, ..Animation::default() };
        let pixel = thread::scope(|scope| {
            let drawn_sheet = scope.spawn(|| contact_sheet(&sheet, stages, &Sheet::default()));
            let drawn_movie = scope.spawn(|| animation(&movie, stages, &options));
            let pixel = self.draw_traces(&plot, probe, kept);
            joined(drawn_sheet)?;
            joined(drawn_movie)?;
            pixel
        })?;
        let names = self.names.join(", ");
        Ok(vec![(sheet, names.clone()), (plot, pixel), (movie, names)])
    }

    /// Draws the time courses of a pixel, and returns a description of the pixel.
    fn draw_traces(&self, path: &PathBuf, probe: Option<Probe>, kept: Option<&Kept>) -> Result<String> {
        let output = self.shapes.last().copied().unwrap_or(Shape::new(1, 1, 1));
        let (probe, place, why) = match (self.which, probe) {
            (Which::Given(row, col), Some(probe)) => (probe, Some((0, row, col)), String::new()),
            (Which::Only, Some(probe)) => (probe, None, format!("the only pixel of {}", self.args.model)),
            (Which::MostVariableUntil(found, time), Some(probe)) => {
                let why = format!("most variable in the first {}", seconds(time));
                (probe, Some((found.channel, found.row, found.col)), why)
            }
            _ => {
                let nothing = || Error::Picture { path: path.clone(), reason: "the model yields no frame".into() };
                let found = self.stages.most_variable().ok_or_else(nothing)?;
                let Self { args, device, shapes, piece, .. } = self;
                let probe = SecondRun { args, device, kept, shapes, piece: *piece }.follow(&found)?;
                (probe, Some((found.channel, found.row, found.col)), "most variable".into())
            }
        };
        let place = place.map(|(channel, row, col)| {
            let channel = if output.channels > 4 { format!(", channel {channel}") } else { String::new() };
            format!("row {row}, column {col}{channel}")
        });
        let parts = [place.unwrap_or_default(), why].into_iter().filter(|part| !part.is_empty());
        let what = parts.collect::<Vec<_>>().join(": ");
        let name = |stage: usize, channel: usize| {
            let (name, count) = (&self.names[stage], self.shapes[stage].channels);
            match self.channels.get(channel) {
                Some(channel) if count == self.channels.len() => format!("{name} {channel}"),
                _ if count == 1 => name.clone(),
                _ => format!("{name} {channel}"),
            }
        };
        let mut series = probe.series(self.dt * self.every as f64, name).into_iter();
        let stimulus = series.next().unwrap_or_default();
        let signs =
            if self.channels.is_empty() && self.unit.starts_with("events") { ": ON above 0, OFF below" } else { "" };
        let stimulus = Chart::new(stimulus).share(0.45).label(format!("stimulus [{}]{signs}", self.unit));
        let response = Chart::new(series.flatten().collect::<Vec<_>>()).label(format!("response [{}]", self.unit));
        let mut title = what.clone();
        if !matches!(self.which, Which::Given(..) | Which::Only) {
            title += &format!(" of {}", plural((output.rows * output.cols) as u64, "pixel"));
        }
        title.get_mut(..1).into_iter().for_each(str::make_ascii_uppercase);
        traces(path, &[stimulus, response], &Plot { title: Some(title), ..Plot::default() })?;
        Ok(what)
    }
}
