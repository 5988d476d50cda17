//! Responses to a flash of one pixel: the impulse response in space and time, and what follows from it.
//!
//! ```text
//! linear model   bright(t, row, col) = amplitude h(t, row - row_0, col - col_0), dark = -bright
//! otherwise      bright and dark are different answers; the linear stages in front have impulse responses
//! ```
//! A flash lasts one frame, on frames of a constant background that the model has seen for as long as it remembers. Its
//! response is the output minus the output without a flash. The [spectrum](Spectrum) of a linear response is the gain for
//! drifting gratings.

mod probe;
mod spectrum;
#[cfg(test)]
mod tests;

pub use spectrum::{Best, Spectrum};

use super::{LayerId, Model};
use crate::error::in_range;
use crate::memory::array;
use crate::{Error, Result, Samples};
use foveola_core::{Shape, StreamShape};
use ndarray::{Array4, ArrayView3, Axis, s};
use probe::{Probe, Reach};

/// A flash of one pixel for one frame; see [`Model::responses`].
#[derive(Clone, Debug, PartialEq)]
pub struct Flash {
    /// The frames of the model's input.
    pub frame: Shape,
    /// The pixel that flashes, `[row, col]`. By default the one in the middle.
    pub pixel: [usize; 2],
    /// The channel of the flash. Default 0.
    pub channel: usize,
    /// What a bright flash adds to the background, and a dark one subtracts; not 0. Default 1.
    pub amplitude: f32,
    /// The samples around the flash and before it. Default 0.
    pub background: f32,
    /// Frames from the flash on, [`Flash::MOST_FRAMES`] at most; by default as many as the responses last, as the layers tell,
    /// within about 200 MB.
    pub frames: Option<usize>,
}

impl Flash {
    /// The most frames of a response: 131 s of frames of 1 ms. The time for its spectrum grows with them.
    pub const MOST_FRAMES: usize = 1 << 17;

    /// A flash of 1 on a background of 0, in the middle of the frame.
    pub fn new(frame: Shape) -> Self {
        let pixel = [frame.rows / 2, frame.cols / 2];
        Self { frame, pixel, channel: 0, amplitude: 1.0, background: 0.0, frames: None }
    }

    fn check(&self) -> Result<()> {
        const ITEM: &str = "Flash";
        let Self { frame, pixel: [row, col], channel, amplitude, background, frames } = self;
        in_range(ITEM, "frame", frame, !frame.is_empty(), "one pixel or more")?;
        let inside = *row < frame.rows && *col < frame.cols;
        let pixel = format!("{row}, {col} of {} rows and {} columns", frame.rows, frame.cols);
        in_range(ITEM, "pixel", pixel, inside, "a row and a column of the frames, counted from 0")?;
        in_range(ITEM, "channel", channel, *channel < frame.channels, "a channel of the frames, counted from 0")?;
        in_range(ITEM, "amplitude", amplitude, amplitude.is_finite() && *amplitude != 0.0, "a finite number except 0")?;
        in_range(ITEM, "background", background, background.is_finite(), "a finite number")?;
        let followed = frames.unwrap_or(1);
        in_range(ITEM, "frames", followed, (1..=Self::MOST_FRAMES).contains(&followed), "1 to 131072 frames")
    }
}

/// The response of a layer or an output to a [`Flash`]. Arrays are `(channel, time, row, col)`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Response {
    /// The name of the output or layer; `input of NAME` for the sum that a layer reads.
    pub name: String,
    /// The response to a bright flash.
    pub bright: Array4<f32>,
    /// The response to a dark flash. That of a linear layer is `-bright`.
    pub dark: Array4<f32>,
    /// Whether only linear layers lie between the input and this one; biases are allowed.
    pub linear: bool,
    /// Whether a flash at another pixel has the same response around that pixel, and one at another time a later one. Not
    /// behind `RF`, sums over space, `VariableDelay` and strides: there is no gain for gratings then.
    pub shifts: bool,
    /// Whether the response has decayed before the last frame: to 1 % of its peak.
    pub decayed: bool,
    /// Frames of the input from the flash to the first frame of the response. 0 without a temporal stride.
    pub first: usize,
    /// Frames of the input from one frame of the response to the next: the temporal stride.
    pub every: usize,
    /// Distance between pixels in pixels of the input, along rows and columns: the spatial stride.
    pub pitch: [f64; 2],
    /// Position of the first pixel relative to the flash in pixels of the input, along rows and columns.
    pub origin: [f64; 2],
}

/// The largest sample of a response.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Channel, frame, row and column of the response.
    pub index: [usize; 4],
    /// The sample, with its sign.
    pub value: f32,
}

impl Response {
    /// The sample of the largest magnitude among both responses, the earliest of equal ones; none without a response.
    pub fn peak(&self) -> Option<Peak> {
        (0..self.bright.len_of(Axis(0))).filter_map(|channel| self.peak_of(channel)).reduce(larger)
    }

    /// [`Response::peak`] of one channel.
    pub fn peak_of(&self, channel: usize) -> Option<Peak> {
        let of = |samples: &Array4<f32>| largest(samples.index_axis(Axis(0), channel), channel);
        of(&self.bright).into_iter().chain(of(&self.dark)).reduce(larger)
    }

    /// How late the response is, in frames of the input: the mean time after the flash, weighted by the magnitude of the
    /// samples, `sum t |y| / sum |y|`; none without a response.
    ///
    /// It is the time constant of a low-pass, nearly (`a / (1 - a)` frames), and the delay of a `Delay`; those of linear
    /// layers whose responses are positive add up.
    pub fn delay(&self) -> Option<f64> {
        let [mut weights, mut times] = [0.0; 2];
        for samples in [&self.bright, &self.dark] {
            for (t, frame) in samples.axis_iter(Axis(1)).enumerate() {
                let weight: f64 = frame.iter().map(|y| f64::from(y.abs())).sum();
                weights += weight;
                times += weight * (self.first + t * self.every) as f64;
            }
        }
        (weights > 0.0).then(|| times / weights)
    }

    /// The gain of a linear response for gratings, for one channel; where responses do not [shift](Response::shifts), that
    /// for one flickering pixel alone (`space` 0).
    pub fn spectrum(&self, channel: usize, amplitude: f32) -> Spectrum {
        Spectrum::new(self.bright.index_axis(Axis(0), channel), self.every, self.pitch, amplitude)
    }
}

/// The larger peak, the earlier of equal ones.
fn larger(a: Peak, b: Peak) -> Peak {
    let (size, other) = (a.value.abs(), b.value.abs());
    if other > size || other == size && b.index[1] < a.index[1] { b } else { a }
}

/// The largest sample of a channel; its array is `(time, row, col)`, so that the first of equal ones is the earliest.
fn largest(samples: ArrayView3<'_, f32>, channel: usize) -> Option<Peak> {
    let mut peak = Peak { index: [channel, 0, 0, 0], value: 0.0 };
    for ((time, row, col), &value) in samples.indexed_iter() {
        if value.abs() > peak.value.abs() {
            peak = Peak { index: [channel, time, row, col], value };
        }
    }
    (peak.value != 0.0).then_some(peak)
}

/// The largest number of samples of all responses and their input: about 200 MB.
const MOST_SAMPLES: usize = 3 << 24;
/// How many times as many samples may be asked for.
const AT_MOST: usize = 8;
/// Responses to a flash of one channel: without a flash, bright, dark.
const STREAMS: usize = 3;
/// The fewest frames of a response: a time course needs an axis.
const FEWEST: usize = 16;
/// The largest number of frames that are fed at once before the flash.
const CHUNK: usize = 16;

impl Model {
    /// The responses of the outputs to a flash, or that of the last layer if no output is named. The state of the model is
    /// neither used nor changed.
    ///
    /// ```
    /// use foveola::{Flash, LowPass, Model, Resolution, Shape};
    /// let model = Model::of(LowPass::new(0.020, Resolution::DEFAULT)?);
    /// let flash = Flash::new(Shape::new(1, 9, 9));
    /// let response = &model.responses(&flash)?[0];
    /// assert!((response.delay().unwrap() - 19.5).abs() < 0.3); // about its time constant, 20 frames
    /// assert!((response.bright[(0, 20, 4, 4)] / response.bright[(0, 0, 4, 4)] - (-1.0_f32).exp()).abs() < 1e-4);
    ///
    /// let gain = response.spectrum(0, flash.amplitude);
    /// let half = gain.at(1, 0.0, 1.0 / (2.0 * std::f64::consts::PI * 20.0)); // cycles per frame
    /// assert!((half - 0.5_f64.sqrt()).abs() < 0.01);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] for a flash that cannot be shown; [`Error::Memory`] for responses of more than 1.6 GB; as
    /// [`Model::process`].
    pub fn responses(&self, flash: &Flash) -> Result<Vec<Response>> {
        flash.check()?;
        self.signature(flash.frame)?;
        let mut probes: Vec<(String, Probe)> = self.network.output_probes();
        if probes.is_empty() {
            probes.extend(self.len().checked_sub(1).map(|last| (self.name_of(last), Probe::Layer(last))));
        }
        self.probe(&probes, flash)
    }

    /// The response of a layer to a flash, by index or name.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a layer that the model does not have, else as [`Model::responses`].
    pub fn layer_response(&self, layer: impl LayerId, flash: &Flash) -> Result<Response> {
        let index = self.index_of(layer)?;
        let mut found = self.probe(&[(self.name_of(index), Probe::Layer(index))], flash)?;
        found.pop().ok_or_else(|| Error::unknown("layer", "", self.names()))
    }

    /// The responses of the linear stages in front of a layer: of the layer itself if it is linear, else of what its first
    /// nonlinear layers read. They have impulse responses and gains even where the layer has none.
    ///
    /// ```
    /// use foveola::{Flash, LowPass, Model, NLRectify, Resolution, Shape};
    /// let model = Model::new()
    ///     .named("slow", LowPass::new(0.020, Resolution::DEFAULT)?)
    ///     .named("on", NLRectify).reading([("input", 1.0), ("slow", -1.0)]);
    /// let stages = model.linear_responses("on", &Flash::new(Shape::new(1, 9, 9)))?;
    /// assert_eq!(stages[0].name, "input of on"); // the high-pass in front of the rectifier
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::layer_response`].
    pub fn linear_responses(&self, layer: impl LayerId, flash: &Flash) -> Result<Vec<Response>> {
        let index = self.index_of(layer)?;
        let probes = self.network.linear_probes(index, flash.frame)?;
        let name = |probe: &Probe| match probe {
            Probe::Layer(layer) => self.name_of(*layer),
            Probe::InputOf(layer) => format!("input of {}", self.name_of(*layer)),
        };
        let probes: Vec<_> = probes.into_iter().map(|probe| (name(&probe), probe)).collect();
        if probes.is_empty() { Ok(Vec::new()) } else { self.probe(&probes, flash) }
    }

    /// The [delay](Response::delay) of each layer in frames of the input; none for a layer without a response, such as the
    /// product of two layers that do not answer at the same time.
    ///
    /// # Errors
    /// As [`Model::responses`].
    pub fn delays(&self, flash: &Flash) -> Result<Vec<Option<f64>>> {
        let probes: Vec<_> = (0..self.len()).map(|layer| (String::new(), Probe::Layer(layer))).collect();
        if probes.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.probe(&probes, flash)?.iter().map(Response::delay).collect())
    }

    /// Multiply-adds of [`Model::delays`], about; none if its responses take more than about 200 MB or last too long.
    #[doc(hidden)]
    pub fn delays_work(&self, flash: &Flash) -> Result<Option<usize>> {
        let layers = self.summary(flash.frame)?;
        let work: usize = layers.iter().map(|layer| layer.multiply_adds.max(layer.output.len())).sum();
        let probes: Vec<_> = (0..self.len()).map(Probe::Layer).collect();
        let network = self.network.probing(&probes);
        let lasts = network.reaches(flash.frame, |reach, _| reach.lasts as usize)?.into_iter().max().unwrap_or(0);
        let frames = lasts.max(FEWEST);
        let samples = layers.iter().map(|layer| layer.output.len().saturating_mul(STREAMS)).sum::<usize>();
        let fits = frames <= Flash::MOST_FRAMES && samples.saturating_mul(frames) <= MOST_SAMPLES;
        Ok(fits.then(|| frames.saturating_mul(1 + STREAMS).saturating_mul(work)))
    }

    fn index_of(&self, layer: impl LayerId) -> Result<usize> {
        let index = layer.index(self).filter(|index| *index < self.len());
        index.ok_or_else(|| Error::unknown("layer", &layer.in_words(), self.names()))
    }

    fn name_of(&self, layer: usize) -> String {
        self.names().nth(layer).unwrap_or_default().to_owned()
    }

    /// Runs the model on three streams at once: without a flash, and with a bright and a dark one.
    fn probe(&self, probes: &[(String, Probe)], flash: &Flash) -> Result<Vec<Response>> {
        flash.check()?;
        let layers: Vec<Probe> = probes.iter().map(|(_, probe)| *probe).collect();
        let mut network = self.network.probing(&layers);
        network.samples = Samples::F32; // a flash of any size
        let reaches: Vec<(Reach, StreamShape)> = network.reaches(flash.frame, |reach, stream| (reach, stream))?;
        let mut model = Self { network, workers: self.workers.clone(), unchecked: self.unchecked, ..Self::default() };

        let Shape { channels, rows, cols } = flash.frame;
        let samples: usize = reaches.iter().map(|(_, stream)| stream.shape.len()).sum::<usize>() + flash.frame.len();
        let most = (MOST_SAMPLES / STREAMS / samples.max(1)).clamp(FEWEST, Flash::MOST_FRAMES);
        let lasts = reaches.iter().map(|(reach, _)| reach.lasts).fold(0.0, f64::max).ceil() as usize;
        let lasts = lasts.saturating_add(2);
        // A stride in time yields several frames, too.
        let every = reaches.iter().map(|(_, stream)| stream.rate.every as usize).max().unwrap_or(1);
        let frames = flash.frames.unwrap_or_else(|| lasts.max(FEWEST.saturating_mul(every)).min(most));

        let asked = samples.saturating_mul(STREAMS).saturating_mul(frames);
        if asked > AT_MOST * MOST_SAMPLES {
            return Err(Error::Memory { what: "the responses", samples: asked });
        }

        // Every padding of the past by a constant background is that background, except zeros and ones, which pass.
        let before = lasts.saturating_add(CHUNK).min(most);
        // The flash is in a frame that is kept, unless strides are longer than responses may be.
        let before = if every <= most { before.next_multiple_of(every) } else { before };
        for from in (0..before).step_by(CHUNK) {
            let n = CHUNK.min(before - from);
            let mut chunk = array("the background", [STREAMS, channels, n, rows, cols])?;
            chunk.fill(flash.background);
            model.process(&chunk)?;
        }
        let mut movie = array("the flash", [STREAMS, channels, frames, rows, cols])?;
        movie.fill(flash.background);
        let [row, col] = flash.pixel;
        for (stream, amplitude) in [(1, flash.amplitude), (2, -flash.amplitude)] {
            movie[(stream, flash.channel, 0, row, col)] += amplitude;
        }
        let outputs = model.process_all(&movie)?;
        let mut responses = Vec::with_capacity(probes.len());
        for (((name, _), (reach, stream)), output) in probes.iter().zip(reaches).zip(outputs) {
            let output = output.slice(s![.., .., stream.lead.min(output.len_of(Axis(2))).., .., ..]);
            let background = output.index_axis(Axis(0), 0);
            let [bright, mut dark] = [1, 2].map(|stream| &output.index_axis(Axis(0), stream) - &background);
            if reach.linear {
                // They differ in rounding alone, which must not decide which one is the larger.
                dark.zip_mut_with(&bright, |dark, bright| *dark = -*bright);
            }
            let size = |y: f32, x: &f32| y.max(x.abs());
            let peak = bright.iter().chain(&dark).fold(0.0, size);
            let last = bright.len_of(Axis(1)).saturating_sub(1);
            let end = |y: &Array4<f32>| y.slice(s![.., last.., .., ..]).iter().fold(0.0, size);
            let decayed = end(&bright).max(end(&dark)) <= 0.01 * peak;
            let (start, every) = (before as u64, stream.rate.every);
            let first = match stream.rate.first {
                first if first > start => first - start,
                first => (every - (start - first) % every) % every,
            };
            let [row, col] = flash.pixel.map(|at| at as f64);
            responses.push(Response {
                name: name.clone(),
                bright,
                dark,
                linear: reach.linear,
                shifts: reach.shifts,
                decayed,
                first: first as usize,
                every: every as usize,
                pitch: reach.pitch,
                origin: [reach.origin[0] - row, reach.origin[1] - col],
            });
        }
        Ok(responses)
    }
}
