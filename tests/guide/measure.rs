//! Responses of layers, measured by running them.

use foveola::{Layer, Model, Result};
use ndarray::{Array2, Array3, Array5};

/// Frames a second of everything that is drawn.
pub(crate) const RATE: f64 = 1000.0;

/// Pixels in a degree of everything that is drawn.
pub(crate) const PIXELS_PER_DEGREE: f64 = 10.0;

/// Points of a curve.
pub(crate) type Points = Vec<(f64, f64)>;

/// Frames of silence in front of each stimulus, as the first chunk: longer than any kernel that is drawn, so that the initial
/// history of every layer is zero.
const SILENCE: usize = 400;

/// What one pixel makes of `frames` frames of `input` after silence. The pixel stands for a uniform field.
pub(crate) fn in_time(layer: impl Layer, frames: usize, input: impl Fn(usize) -> f64) -> Result<Vec<f64>> {
    let mut model = Model::of(layer);
    model.process(Array3::<f32>::zeros((SILENCE, 1, 1)))?;
    let movie = Array3::from_shape_fn((frames, 1, 1), |(t, ..)| input(t) as f32);
    Ok(model.process(&movie)?.iter().map(|y| f64::from(*y)).collect())
}

/// 1 in the first frame, then 0.
pub(crate) fn impulse(t: usize) -> f64 {
    if t == 0 { 1.0 } else { 0.0 }
}

/// 1 from the first frame on.
pub(crate) fn step(_: usize) -> f64 {
    1.0
}

/// What a model makes of an impulse in the middle of `side` x `side` pixels, over `frames` frames after silence.
pub(crate) fn in_space_and_time(layer: impl Layer, side: usize, frames: usize) -> Result<Array5<f32>> {
    let mut model = Model::of(layer);
    model.process(Array3::<f32>::zeros((SILENCE, side, side)))?;
    let middle = (0, side / 2, side / 2);
    let movie = Array3::from_shape_fn((frames, side, side), |at| if at == middle { 1.0_f32 } else { 0.0 });
    Ok(model.process(&movie)?.to_owned())
}

/// The first frame of it.
pub(crate) fn in_space(layer: impl Layer, side: usize) -> Result<Array2<f64>> {
    let response = in_space_and_time(layer, side, 1)?;
    Ok(Array2::from_shape_fn((side, side), |(r, c)| f64::from(response[(0, 0, 0, r, c)])))
}

/// The sums of a frame over its columns' rows: what a grating that varies along the columns meets.
pub(crate) fn across_columns(frame: &Array2<f64>) -> Vec<f64> {
    frame.columns().into_iter().map(|column| column.sum()).collect()
}

/// The magnitude of the discrete-time Fourier transform of `response` at `frequency`, for samples at `rate`.
pub(crate) fn gain(response: &[f64], rate: f64, frequency: f64) -> f64 {
    let angle = |n: usize| -std::f64::consts::TAU * frequency * n as f64 / rate;
    let (re, im) = response
        .iter()
        .enumerate()
        .fold((0.0, 0.0), |(re, im), (n, value)| (re + value * angle(n).cos(), im + value * angle(n).sin()));
    f64::hypot(re, im)
}

/// The gain of a temporal response in dB, from 0.5 Hz to half the frame rate.
pub(crate) fn gain_in_time(response: &[f64]) -> Points {
    let frequencies = (0..300).map(|i| 0.5 * (RATE / 2.0 / 0.5).powf(f64::from(i) / 299.0));
    frequencies.map(|f| (f, 20.0 * gain(response, RATE, f).log10())).collect()
}

/// The gain of a spatial response, from 0 to half the pixels in a degree.
pub(crate) fn gain_in_space(response: &[f64]) -> Points {
    let frequencies = (0..=300).map(|i| PIXELS_PER_DEGREE / 2.0 * f64::from(i) / 300.0);
    frequencies.map(|f| (f, gain(response, PIXELS_PER_DEGREE, f))).collect()
}

/// Values over milliseconds.
pub(crate) fn over_time(values: &[f64]) -> Points {
    values.iter().enumerate().map(|(t, value)| (t as f64 * 1e3 / RATE, *value)).collect()
}

/// The middle of a frame's row over degrees, `reach` pixels to both sides of `middle`.
pub(crate) fn over_degrees(row: &[f64], middle: usize, reach: usize) -> Points {
    let at = |i: usize| (i as f64 - middle as f64) / PIXELS_PER_DEGREE;
    (middle - reach..=middle + reach).map(|i| (at(i), row[i])).collect()
}
