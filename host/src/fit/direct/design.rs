//! The stimulus as the rows of a regression, none of which is stored.
//!
//! ```text
//! row n = x[n], x[n+1], ..., x[n+taps-1]        frames of the field, the oldest first: channel, row, column
//! ```
//! Frames follow each other in memory, so row `n` is a slice that begins at frame `n`. It belongs to the response at frame
//! `n + taps - 1`. Its order is that of a correlation kernel; [`Design::kernels`] reverses it to an impulse response.
//!
//! A stimulus of one channel in row-major order is borrowed if the field is the whole frame; otherwise the field's samples
//! are copied, 4 bytes each.

use super::Field;
use super::field::Extent;
use crate::{Error, Movie, Result, memory};
use ndarray::{Array5, ArrayView2, Axis, CowArray, Ix5, s};

/// A stimulus within a field.
pub(super) struct Design<'a> {
    item: &'static str,
    samples: Samples<'a>,
    frames: usize,
    channels: usize,
    extent: Extent,
}

enum Samples<'a> {
    Whole(CowArray<'a, f32, Ix5>),
    Field(Vec<f32>),
}

/// The responses of one neuron to the rows.
pub(super) struct Responses {
    pub(super) values: Vec<f64>,
    pub(super) sum: f64,
}

impl<'a> Design<'a> {
    /// # Errors
    /// A batch other than 1, an empty axis, a sample that is not finite, a field that does not fit, a stimulus that
    /// does not change within it.
    pub(super) fn new(item: &'static str, stimulus: impl Movie<'a>, field: Field) -> Result<Self> {
        let movie = stimulus.movie()?;
        let (batch, channels, frames, rows, cols) = movie.dim();
        if channels == 0 || rows == 0 || cols == 0 {
            return Err(Error::EmptyInput { shape: movie.shape().to_vec() });
        }
        let stimulus = |value: String, expected| Error::Parameter { item, name: "stimulus", value, expected };
        if batch != 1 {
            return Err(stimulus(format!("a batch of {batch} recordings"), "one"));
        }
        let extent = field.within(item, frames, [rows, cols])?;
        let ([top, left], [h, w]) = (extent.corner, extent.size);
        let samples = if channels == 1 && [h, w] == [rows, cols] && movie.is_standard_layout() {
            Samples::Whole(movie)
        } else {
            let field = movie.slice(s![0, .., .., top..top + h, left..left + w]).permuted_axes([1, 0, 2, 3]);
            let len = field.len();
            Samples::Field(memory::collect("the stimulus", len, field.iter().copied())?)
        };
        let design = Self { item, samples, frames, channels, extent };
        let (samples, frame) = (design.samples(), design.frame());
        if let Some(at) = samples.iter().position(|x| !x.is_finite()) {
            let (frame, channel, row, col) = (at / frame, at % frame / (h * w), top + at % (h * w) / w, left + at % w);
            return Err(Error::NonFinite { batch: 0, channel, frame: frame as u64, row, col, value: samples[at] });
        }
        if samples.chunks_exact(frame).all(|other| other == &samples[..frame]) {
            let expected = "a stimulus that changes within the field";
            return Err(stimulus(format!("the same in all of its {frames} frames"), expected));
        }
        Ok(design)
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.frames - self.extent.taps + 1
    }

    /// Samples of a frame within the field.
    pub(super) fn frame(&self) -> usize {
        self.channels * self.extent.size[0] * self.extent.size[1]
    }

    pub(super) fn taps(&self) -> usize {
        self.extent.taps
    }

    /// Samples of a row: the weights of a kernel.
    pub(super) fn width(&self) -> usize {
        self.extent.taps * self.frame()
    }

    /// All frames.
    pub(super) fn samples(&self) -> &[f32] {
        match &self.samples {
            Samples::Whole(movie) => movie.as_slice().unwrap_or_default(), // row-major: see `new`
            Samples::Field(samples) => samples,
        }
    }

    /// Row `n`.
    pub(super) fn row(&self, n: usize) -> &[f32] {
        &self.samples()[n * self.frame()..][..self.width()]
    }

    /// The means of the columns.
    pub(super) fn means(&self) -> Vec<f64> {
        let (frame, rows, samples) = (self.frame(), self.rows(), self.samples());
        let mut sums = vec![0.0; frame];
        for x in samples[..rows * frame].chunks_exact(frame) {
            sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        let mut means = Vec::with_capacity(self.width());
        for tap in 0..self.taps() {
            means.extend(sums.iter().map(|sum| sum / rows as f64));
            if tap + 1 < self.taps() {
                let (old, new) = (&samples[tap * frame..], &samples[(tap + rows) * frame..]);
                for ((sum, old), new) in sums.iter_mut().zip(old).zip(new) {
                    *sum += f64::from(*new) - f64::from(*old);
                }
            }
        }
        means
    }

    /// `sum_n y[n] (row n - means)`: the frames without a response cost nothing.
    ///
    /// Products of `f32` are exact in `f64`. The sum of `N` of them is off by `N 2^-53` of the sum of their magnitudes
    /// at most.
    pub(super) fn weighted_sum(&self, responses: &Responses, means: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.width()];
        let (samples, frame, width) = (self.samples(), self.frame(), self.width());
        for (n, y) in responses.values.iter().enumerate().filter(|(_, y)| **y != 0.0) {
            let row = &samples[n * frame..][..width];
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += y * f64::from(*x));
        }
        sum.iter_mut().zip(means).for_each(|(sum, mean)| *sum -= responses.sum * mean);
        sum
    }

    /// The responses `(time, neuron)` to the rows, neuron by neuron.
    ///
    /// # Errors
    /// A length that differs from that of the stimulus, no neuron, a value that is not finite.
    pub(super) fn responses(&self, responses: ArrayView2<'_, f32>) -> Result<Vec<Responses>> {
        let (frames, neurons) = responses.dim();
        let error = |value, expected| Err(Error::Parameter { item: self.item, name: "responses", value, expected });
        if frames != self.frames {
            let value = format!("an array of {frames} frames beside a stimulus of {} frames", self.frames);
            return error(value, "equal numbers of frames");
        }
        if neurons == 0 {
            return error("an array without neurons".into(), "one neuron or more");
        }
        if let Some(((t, n), y)) = responses.indexed_iter().find(|(_, y)| !y.is_finite()) {
            return error(format!("{y} at frame {t}, neuron {n}"), "finite numbers");
        }
        let used = responses.slice(s![self.extent.taps - 1.., ..]);
        Ok(used
            .axis_iter(Axis(1))
            .map(|values| Responses::new(values.iter().map(|y| f64::from(*y)).collect()))
            .collect())
    }

    /// Responses that are counts or rates of spikes: 0 or more, and not 0 everywhere.
    ///
    /// # Errors
    /// Those of `responses`; a negative count; a neuron without spikes.
    pub(super) fn spikes(&self, responses: ArrayView2<'_, f32>) -> Result<Vec<Responses>> {
        let spikes = self.responses(responses)?;
        let error = |value, expected| Err(Error::Parameter { item: self.item, name: "responses", value, expected });
        if let Some(((t, n), y)) = responses.indexed_iter().find(|(_, y)| **y < 0.0) {
            return error(format!("{y} at frame {t}, neuron {n}"), "counts or rates of spikes: 0 or more");
        }
        match spikes.iter().position(|spikes| spikes.sum == 0.0) {
            Some(n) => {
                let (first, last) = (self.extent.taps - 1, self.frames - 1);
                let value = format!("0 in all frames from {first} to {last} of neuron {n}");
                error(value, "at least one spike after the first taps - 1 frames")
            }
            None => Ok(spikes),
        }
    }

    /// The place of a column in an impulse response: channel, tap, row, column.
    pub(super) fn place(&self, column: usize) -> [usize; 4] {
        let (frame, [h, w]) = (self.frame(), self.extent.size);
        let (tap, pixel) = (column / frame, column % frame);
        [pixel / (h * w), self.extent.taps - 1 - tap, h - 1 - pixel % (h * w) / w, w - 1 - pixel % w]
    }

    /// The pixel of the frame that a column reads, and its delay, in words.
    pub(super) fn describe(&self, column: usize) -> String {
        let [channel, tap, row, col] = self.place(column);
        let ([top, left], [h, w]) = (self.extent.corner, self.extent.size);
        let (row, col) = (top + h - 1 - row, left + w - 1 - col);
        format!("tap {tap} (frames back) of channel {channel}, row {row}, column {col}")
    }

    /// Impulse responses `(neuron, channel, time, row, col)` from one row of weights per neuron.
    ///
    /// # Errors
    /// A weight beyond the range of `f32`.
    pub(super) fn kernels<'w>(&self, weights: impl ExactSizeIterator<Item = &'w [f64]>) -> Result<Array5<f32>> {
        let [h, w] = self.extent.size;
        let mut kernels = memory::array("the kernels", [weights.len(), self.channels, self.extent.taps, h, w])?;
        for (n, weights) in weights.enumerate() {
            for (column, weight) in weights.iter().enumerate() {
                let [channel, tap, row, col] = self.place(column);
                let single = *weight as f32;
                if !single.is_finite() {
                    let value = format!("one that gives neuron {n} the weight {weight:e} at {}", self.describe(column));
                    let expected = "samples and responses whose kernel fits into 32-bit floats";
                    return Err(Error::Parameter { item: self.item, name: "stimulus", value, expected });
                }
                kernels[(n, channel, tap, row, col)] = single;
            }
        }
        Ok(kernels)
    }
}

impl Responses {
    pub(super) fn new(values: Vec<f64>) -> Self {
        let sum = values.iter().sum();
        Self { values, sum }
    }
}
