//! The time course of one pixel, in all stages of a model.
//!
//! The most variable pixel is known only at the end. Its time course then comes from a second run over the input, on a
//! window around the pixel, which takes a fraction of the time of the first run. Mean and variance of the pixel must equal
//! those of the first run. If they differ, because the receptive field of the model exceeds the window, the second run uses
//! whole frames. If the input cannot be read again, the most variable pixel of the first chunk with a change is used: a pipe
//! is read once, and at most a million of its events are kept.

use super::input::{Input, Kept};
use super::models::Models;
use crate::args::RunArgs;
use foveola::picture::{PixelActivity, Series, TimeCourse};
use foveola::{Device, Result};
use foveola_core::Shape;
use ndarray::{ArrayView5, Axis, CowArray, Ix5, s};
use std::ops::Range;

/// The largest number of channels per stage whose time courses are drawn.
const CHANNELS: usize = 4;
/// Rows and columns around a pixel in the window of the second run.
const AROUND: usize = 16;

/// The time courses of an output pixel, and of the same position in the other stages.
pub(crate) struct Probe {
    /// Start time in seconds.
    start: f64,
    stages: Vec<Course>,
}

/// A position in a stage, and its time course in some channels.
struct Course {
    row: usize,
    col: usize,
    channels: Vec<(usize, TimeCourse)>,
}

impl Probe {
    /// A probe for a pixel of the last stage; `shapes` are the frame shapes of all stages. If a stage has many channels, the
    /// pixel's channel is followed in the last stage, and the first channels elsewhere.
    pub(crate) fn new(shapes: &[Shape], channel: usize, (row, col): (usize, usize), start: f64) -> Self {
        let last = shapes.last().copied().unwrap_or(Shape::new(1, 1, 1));
        let stages = shapes.iter().enumerate().map(|(stage, shape)| {
            // The same position in a stage of another size.
            let place = |at: usize, of: usize, len: usize| if of == len { at } else { (2 * at + 1) * len / (2 * of) };
            let channels = if shape.channels > CHANNELS && stage + 1 == shapes.len() {
                channel..channel + 1
            } else {
                0..shape.channels.min(CHANNELS)
            };
            Course {
                row: place(row, last.rows, shape.rows),
                col: place(col, last.cols, shape.cols),
                channels: channels.map(|channel| (channel, TimeCourse::default())).collect(),
            }
        });
        Self { start, stages: stages.collect() }
    }

    /// Adds the same frames of all stages.
    pub(crate) fn push(&mut self, movies: &[ArrayView5<'_, f32>]) {
        for (stage, movie) in self.stages.iter_mut().zip(movies) {
            for (channel, course) in &mut stage.channels {
                movie.slice(s![0, *channel, .., stage.row, stage.col]).iter().for_each(|&sample| course.push(sample));
            }
        }
    }

    /// The time courses of each stage; `name` returns the name of a stage's channel.
    pub(crate) fn series(&self, dt: f64, name: impl Fn(usize, usize) -> String) -> Vec<Vec<Series>> {
        let of_stage = |(stage, course): (usize, &Course)| {
            course
                .channels
                .iter()
                .map(|(channel, course)| course.series(name(stage, *channel), self.start, dt))
                .collect()
        };
        self.stages.iter().enumerate().map(of_stage).collect()
    }
}

/// The part of one stage's frames that covers the same time as those of another stage.
pub(crate) fn aligned<'a>(movie: ArrayView5<'a, f32>, frames: usize) -> CowArray<'a, f32, Ix5> {
    let len = movie.len_of(Axis(2));
    if len == frames {
        return movie.into();
    }
    let places: Vec<usize> = (0..frames).map(|t| t * len / frames).collect();
    movie.select(Axis(2), &places).into()
}

/// A second run over the input.
pub(crate) struct SecondRun<'a> {
    pub(crate) args: &'a RunArgs,
    pub(crate) device: &'a Device,
    /// The events of the first run, if they were kept.
    pub(crate) kept: Option<&'a Kept>,
    /// Shapes of the frames of the input, the parts and the output.
    pub(crate) shapes: &'a [Shape],
    /// Frames per chunk.
    pub(crate) piece: usize,
}

/// Time courses, and the statistics of the pixel.
struct Followed {
    probe: Probe,
    frames: f64,
    /// Sum of the deviation from the mean of the first run, and of its square.
    sum: f64,
    squares: f64,
}

impl Followed {
    /// Whether mean and variance of the pixel equal those of the first run, up to rounding.
    fn agrees_with(&self, found: &PixelActivity) -> bool {
        let apart = self.sum / self.frames.max(1.0);
        let variance = self.squares / self.frames.max(1.0) - apart * apart;
        (variance - found.variance).abs() <= 1e-3 * found.variance
            && apart.abs() <= 1e-3 * found.variance.sqrt() + 1e-6 * found.mean.abs()
    }
}

impl SecondRun<'_> {
    /// The time courses of a pixel.
    pub(crate) fn follow(&self, found: &PixelActivity) -> Result<Probe> {
        let frame = self.frame();
        let whole = [0..frame.rows, 0..frame.cols];
        let near = |at: usize, len: usize| at.saturating_sub(AROUND)..(at + AROUND + 1).min(len);
        let window = [near(found.row, frame.rows), near(found.col, frame.cols)];
        // If stages have frames of different sizes, a window of the input does not match one of the output.
        let alike = self.shapes.iter().all(|shape| (shape.rows, shape.cols) == (frame.rows, frame.cols));
        if alike && window != whole {
            let followed = self.run(found, &window)?;
            if followed.agrees_with(found) {
                return Ok(followed.probe);
            }
        }
        Ok(self.run(found, &whole)?.probe)
    }

    /// The shape of an input frame.
    fn frame(&self) -> Shape {
        self.shapes.first().copied().unwrap_or(Shape::new(1, 1, 1))
    }

    /// Runs the model and its parts on a window of rows and columns.
    fn run(&self, found: &PixelActivity, [rows, cols]: &[Range<usize>; 2]) -> Result<Followed> {
        let mut input = self.kept.map_or_else(|| Input::open(self.args), Input::again)?;
        let mut models = Models::build(self.args, self.device, input.dt())?;
        let frame = self.frame();
        let cut = (rows.len(), cols.len()) != (frame.rows, frame.cols);
        let inside = |shape: &Shape| if cut { Shape::new(shape.channels, rows.len(), cols.len()) } else { *shape };
        let shapes: Vec<Shape> = self.shapes.iter().map(inside).collect();
        let (row, col) = if cut { (found.row - rows.start, found.col - cols.start) } else { (found.row, found.col) };
        let probe = Probe::new(&shapes, found.channel, (row, col), 0.0);
        let mut followed = Followed { probe, frames: 0.0, sum: 0.0, squares: 0.0 };
        while let Some(frames) = input.next_chunk(self.piece)? {
            let window = frames.slice_move(s![.., .., .., rows.clone(), cols.clone()]);
            let window = window.as_standard_layout();
            let output = models.whole.process(window.view())?;
            for sample in output.slice(s![0, found.channel, .., row, col]) {
                let apart = f64::from(*sample) - found.mean;
                (followed.sum, followed.squares) = (followed.sum + apart, followed.squares + apart * apart);
            }
            let frames = output.len_of(Axis(2));
            followed.frames += frames as f64;
            let parts = models.parts.iter_mut().map(|(_, part)| part.process(window.view()));
            let parts: Vec<_> = parts.collect::<Result<_>>()?;
            let movies = [window.view()].into_iter().chain(parts).chain([output]);
            let movies: Vec<_> = movies.map(|movie| aligned(movie, frames)).collect();
            let movies: Vec<_> = movies.iter().map(|movie| movie.view()).collect();
            followed.probe.push(&movies);
        }
        Ok(followed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foveola::picture::{Stage, Stages};
    use ndarray::Array3;

    /// A window gives the time courses of the whole frame; if it does not, the whole frame is used.
    #[test]
    fn a_second_run_gives_the_time_courses_of_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.npy");
        for pixel in [(0, 0), (41, 17), (69, 79)] {
            let value = |(t, row, col): (usize, usize, usize)| {
                let noise = ((t * 7919 + row * 104_729 + col * 1_299_709) % 1009) as f32 / 1009.0;
                if (row, col) == pixel { 5.0 * ((t / 9) % 2) as f32 } else { 0.2 * noise }
            };
            ndarray_npy::write_npy(&path, &Array3::from_shape_fn((70, 70, 80), value)).expect("written");
            let args = RunArgs { input: Some(path.clone()), model: "centre_surround".into(), ..RunArgs::default() };
            let (device, mut input) = (Device::cpu(), Input::open(&args).expect("a movie"));
            let mut models = Models::build(&args, &device, input.dt()).expect("a model");
            let frames = input.next_chunk(999).expect("read").expect("frames");
            let output = models.whole.process(frames).expect("computed").to_owned();
            let parts = models.parts.iter_mut().map(|(_, part)| part.process(frames).expect("computed").to_owned());
            let movies: Vec<_> = [frames.to_owned()].into_iter().chain(parts).chain([output]).collect();
            let mut stages = Stages::new([Stage::new("output")]);
            stages.extend(0.0, 1.0, &[movies[3].view()]).expect("good");
            let found = stages.most_variable().expect("a pixel");
            assert_eq!((found.row, found.col), pixel);

            let shapes = [Shape::new(1, 70, 80); 4];
            let second = SecondRun { args: &args, device: &device, kept: None, shapes: &shapes, piece: 20 };
            // Wrong mean and variance simulate a model whose receptive field exceeds the window.
            for found in [found, PixelActivity { variance: 1.01 * found.variance, ..found }] {
                let series = second.follow(&found).expect("followed").series(1.0, |stage, _| stage.to_string());
                for (movie, series) in movies.iter().zip(series) {
                    let expected = movie.slice(s![0, 0, .., pixel.0, pixel.1]);
                    let apart =
                        expected.iter().zip(&series[0].values).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
                    assert!(series[0].values.len() == 70 && apart < 1e-5, "{pixel:?}: {apart} apart");
                }
            }
        }
    }

    #[test]
    fn stages_of_other_sizes_are_followed_at_the_same_place() {
        let shapes = [Shape::new(6, 30, 40), Shape::new(1, 15, 10), Shape::new(6, 3, 4)];
        let probe = Probe::new(&shapes, 5, (2, 1), 0.0);
        let places: Vec<_> = probe.stages.iter().map(|stage| (stage.row, stage.col, stage.channels.len())).collect();
        assert_eq!(places, [(25, 15, 4), (12, 3, 1), (2, 1, 1)]);
        assert_eq!(probe.stages[2].channels[0].0, 5, "the channel that varies");
        let movie = ndarray::Array5::from_shape_fn((1, 1, 6, 1, 1), |(_, _, t, _, _)| t as f32);
        let every_other: Vec<f32> = aligned(movie.view(), 3).iter().copied().collect();
        assert_eq!(every_other, [0.0, 2.0, 4.0]);
    }
}
