//! A workload: an operation, a frame size, and the work and memory traffic that follow.

use super::operation::AnyConv;
use super::{Contestant, Limits, Operation, Place, noise};
use foveola::{Algorithm, Error, Model, Plan, Precision, Result};
use ndarray::Array5;
use std::hint::black_box;

/// The largest number of input bytes in a chunk, and the approximate largest number of operations.
const PIECE_BYTES: usize = 16 << 20;
const PIECE_OPERATIONS: f64 = 4e9;
/// Limits of the number of frames per chunk.
const FEWEST: usize = 4;
const FRAMES: usize = 64;
/// The largest number of input samples in a chunk, for any number of frames: 1 GB.
const MOST: usize = 1 << 28;

/// The operation, the frame size, and the number of frames per chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The name.
    pub name: String,
    /// The filter.
    pub operation: Operation,
    /// Rows of a frame.
    pub rows: usize,
    /// Columns of a frame.
    pub cols: usize,
    /// Frames per chunk.
    pub frames: usize,
}

/// How a workload is computed. The default is that of a new [`Model`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Setting {
    /// Number of threads: see [`Model::set_threads`].
    pub threads: usize,
    /// Precision: see [`Model::set_precision`].
    pub precision: Precision,
    /// Algorithm of convolutions: see [`Conv::algorithm`](foveola::layers::Conv::algorithm).
    pub algorithm: Algorithm,
}

/// The limit of the machine that bounds an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Multiply-adds in registers.
    MultiplyAdd,
    /// A copy.
    Copy,
    /// Reading.
    Read,
}

impl Bound {
    /// The limit as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::MultiplyAdd => "FMA",
            Self::Copy => "copy",
            Self::Read => "read",
        }
    }
}

/// The time per frame in other units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Frames per second.
    pub frames: f64,
    /// Floating-point operations per second, as counted by [`Workload::operations`].
    pub operations: f64,
    /// Bytes per second, as counted by [`Workload::bytes`].
    pub bytes: f64,
    /// Share of the limit that bounds the operation; 1 is the limit itself.
    pub fraction: f64,
}

impl Workload {
    /// A workload with chunks of 64 frames, fewer if they are large or slow.
    pub fn new(name: impl Into<String>, operation: Operation, rows: usize, cols: usize) -> Self {
        let mut workload = Self { name: name.into(), operation, rows, cols, frames: FRAMES };
        let frame_bytes = workload.samples_in().saturating_mul(4).max(1);
        let most = (PIECE_OPERATIONS / workload.operations().max(1.0)) as usize;
        workload.frames = (PIECE_BYTES / frame_bytes).min(most).clamp(FEWEST, FRAMES);
        workload
    }

    /// The same operation over frames of another size.
    #[must_use]
    pub fn sized(self, rows: usize, cols: usize) -> Self {
        let frames = self.frames;
        let workload = Self::new(self.name, self.operation, rows, cols);
        // A workload that is fed frame by frame stays so.
        if frames == 1 { Self { frames, ..workload } } else { workload }
    }

    /// Samples of an input frame.
    pub fn samples_in(&self) -> usize {
        self.operation.channels().saturating_mul(self.rows).saturating_mul(self.cols)
    }

    /// Samples of an output frame.
    pub fn samples_out(&self) -> usize {
        let pixels = self.rows.saturating_mul(self.cols);
        match self.operation {
            Operation::Conv3d { channels: [_, out], .. }
            | Operation::Conv2d { channels: [_, out], .. }
            | Operation::Conv1d { channels: [_, out], .. } => out.saturating_mul(pixels),
            Operation::Rf { channels: [_, out], .. } => out,
            Operation::ConvRf { .. } => 1,
            _ => pixels,
        }
    }

    /// Floating-point operations per frame of direct evaluation: two for a multiply-add.
    pub fn operations(&self) -> f64 {
        let pixels = self.rows as f64 * self.cols as f64;
        let taps = |shape: Option<[usize; 5]>| shape.into_iter().flatten().map(|len| len as f64).product::<f64>();
        let weight = taps(self.operation.weight_shape(self.rows, self.cols));
        // Two filters of three stages, 5 x 5; their difference; the rectifier.
        let smooth = |stages: f64, weight: f64| (2.0 * weight + 3.0 * stages) * pixels;
        match self.operation {
            Operation::Conv3d { .. }
            | Operation::Conv2d { .. }
            | Operation::Conv1d { .. }
            | Operation::Gaussian { .. } => 2.0 * weight * pixels,
            Operation::LowPass => 3.0 * pixels,
            Operation::HighPass => 5.0 * pixels,
            Operation::SmoothConv { stages, .. } => smooth(stages as f64, weight),
            Operation::Delay { .. } | Operation::VariableDelay { .. } => 0.0,
            Operation::Diff | Operation::Rectify => pixels,
            Operation::Rf { .. } => 2.0 * weight,
            Operation::ConvRf { channels, frames, .. } => 2.0 * (weight + channels as f64 * frames as f64) * pixels,
            Operation::Retina => 2.0 * smooth(3.0, 75.0) + 2.0 * pixels,
        }
    }

    /// Bytes per frame that every algorithm has to move: input and output, and once per chunk the state kept between chunks
    /// (written and read). The weight of a receptive field counts for every frame; an implementation that reads it once for
    /// several frames can exceed the limit.
    pub fn bytes(&self) -> f64 {
        let [ins, out] = [self.samples_in(), self.samples_out()].map(|samples| 4.0 * samples as f64);
        let history = match self.operation {
            Operation::Conv3d { kernel: [frames, ..], .. }
            | Operation::Conv1d { frames, .. }
            | Operation::Rf { frames, .. }
            | Operation::ConvRf { kernel: [frames, ..], .. } => frames.saturating_sub(1),
            Operation::Delay { frames } | Operation::VariableDelay { frames } => frames,
            Operation::LowPass | Operation::HighPass | Operation::Diff => 1,
            Operation::SmoothConv { stages, .. } => stages,
            Operation::Retina => 6,
            Operation::Conv2d { .. } | Operation::Gaussian { .. } | Operation::Rectify => 0,
        };
        let kept = history.min(self.frames) as f64 / self.frames.max(1) as f64;
        let weight = match self.operation {
            Operation::Rf { frames, .. } => frames as f64 * ins * out / 4.0,
            _ => 0.0,
        };
        ins + out + 2.0 * kept * ins + weight
    }

    /// The time per frame in other units.
    pub fn rates(&self, seconds: f64, limits: &Limits) -> Rates {
        let bound = self.operation.bound();
        let (frames, operations, bytes) = (1.0 / seconds, self.operations() / seconds, self.bytes() / seconds);
        Rates { frames, operations, bytes, fraction: self.demand(bound) / seconds / limits.of(bound, self.place()) }
    }

    /// The place of its chunks, input and output, when they are processed repeatedly.
    pub fn place(&self) -> Place {
        Place::of(self.bytes() * self.frames as f64)
    }

    /// Operations or bytes per frame: the quantity that `bound` limits.
    pub fn demand(&self, bound: Bound) -> f64 {
        match bound {
            Bound::MultiplyAdd => self.operations(),
            Bound::Copy | Bound::Read => self.bytes(),
        }
    }

    /// The model, for the input [`Workload::input`].
    ///
    /// # Errors
    /// Sizes that its layers do not support, or for which there is not enough memory.
    pub fn model(&self, setting: &Setting) -> Result<Model> {
        let model = self.operation.model(self.rows, self.cols, setting)?;
        Ok(model.with_threads(setting.threads).with_precision(setting.precision))
    }

    /// The algorithm of the model's convolution; none if the model has none that is planned.
    ///
    /// # Errors
    /// As for [`Workload::model`].
    pub fn plan(&self, setting: &Setting) -> Result<Option<Plan>> {
        let (rows, cols) = (self.rows, self.cols);
        self.operation
            .conv(setting)?
            .map(|conv| match conv {
                AnyConv::Spacetime(conv) => conv.plan(rows, cols),
                AnyConv::Space(conv) => conv.plan(rows, cols),
                AnyConv::Time(conv) => conv.plan(rows, cols),
            })
            .transpose()
    }

    /// A chunk of pseudo-random frames, `(batch, channel, time, row, col)`; in memory the frames are consecutive, as from a
    /// camera.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn input(&self) -> Result<Array5<f32>> {
        let len = self.samples_in().saturating_mul(self.frames);
        let memory = |_| Error::Memory { what: "a piece of the input", samples: len };
        if len > MOST {
            return Err(memory(()));
        }
        let shape = (1, self.frames, self.operation.channels(), self.rows, self.cols);
        let frames = Array5::from_shape_vec(shape, noise(0, len)).map_err(|_| memory(()))?;
        Ok(frames.permuted_axes([0, 2, 1, 3, 4]))
    }

    /// The model, fed the same chunk repeatedly as one stream.
    ///
    /// # Errors
    /// As for [`Workload::model`]; other errors, such as frames that the layers do not support, are returned by the first
    /// call.
    pub fn contestant(&self, setting: &Setting) -> Result<Contestant<'static>> {
        let (mut model, input) = (self.model(setting)?, self.input()?);
        Ok(Contestant::new(&self.name, self.frames as f64, move || {
            black_box(model.process(black_box(&input))?);
            Ok(())
        }))
    }
}

impl Operation {
    /// The limit of the machine that bounds the operation.
    pub fn bound(self) -> Bound {
        match self {
            Self::Rf { .. } => Bound::Read,
            Self::LowPass
            | Self::HighPass
            | Self::Delay { .. }
            | Self::VariableDelay { .. }
            | Self::Diff
            | Self::Rectify => Bound::Copy,
            Self::Conv3d { .. }
            | Self::Conv2d { .. }
            | Self::Conv1d { .. }
            | Self::Gaussian { .. }
            | Self::SmoothConv { .. }
            | Self::ConvRf { .. }
            | Self::Retina => Bound::MultiplyAdd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted() {
        let conv = Operation::Conv3d { kernel: [2, 3, 5], channels: [4, 7] };
        let conv = Workload::new("", conv, 10, 20);
        assert_eq!((conv.operations(), conv.frames), (2.0 * 200.0 * 840.0, 64));
        assert_eq!(conv.bytes(), 4.0 * (800.0 + 1400.0) + 8.0 * 800.0 / 64.0);
        let delay = Workload::new("", Operation::Delay { frames: 100 }, 10, 20);
        assert_eq!((delay.operations(), delay.bytes()), (0.0, 16.0 * 200.0), "through the history");
        let field = Workload::new("", Operation::Rf { frames: 3, channels: [2, 5] }, 10, 20);
        assert_eq!(field.operations(), 2.0 * 30.0 * 200.0);
        assert_eq!(field.bytes(), 4.0 * (400.0 + 5.0 + 30.0 * 200.0) + 8.0 * 400.0 * 2.0 / 64.0);
        let large = Workload::new("", Operation::Rectify, 720, 1280);
        assert_eq!((large.frames, large.bytes()), (4, 8.0 * 720.0 * 1280.0));
        let slow = Workload::new("", Operation::Conv2d { kernel: [63, 63], channels: [1, 1] }, 256, 256);
        assert_eq!(slow.frames, 7, "a piece of a few GFLOP");
    }

    #[test]
    fn frame_by_frame_stays_so() {
        let stream = Workload { frames: 1, ..Workload::new("", Operation::Retina, 128, 128) };
        assert_eq!(stream.sized(16, 16).frames, 1);
    }
}
