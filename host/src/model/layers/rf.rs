//! `RF`: a receptive field with one output pixel.

use crate::model::gradient::NodeGradients;
use crate::model::layer::{Table, named};
use crate::model::weight::{check_bias, gradients, parameters, singles};
use crate::taps::{MAX_WEIGHTS, Taps};
use crate::{Error, Layer, Parameter, Result, Values, Weight};
use foveola_core::{Kernel, PadMode, Source, Stage};
use ndarray::Array5;
use std::sync::OnceLock;

const NAME: &str = "RF";

/// Receptive field: a weighted sum over the frame and its recent past. The equation is in [`foveola_core::Rf`].
///
/// A new layer is empty: it takes a uniform weight with sum 1 over the first frame that it is fed, and keeps it until
/// `reset_weight`. A weight larger than the frame is cropped at the right and bottom; a smaller one is extended there with
/// zeros.
///
/// ```
/// use foveola::{Model, RF, Weight};
/// use ndarray::{Array3, Array5};
///
/// let mut field = RF::new(1, 1, 2)?; // 2 frames
/// let mut mean = Model::of(field.clone());
/// assert_eq!(mean.run(&Array3::<f32>::ones((4, 6, 6)), 4)?, Array5::<f32>::ones((1, 1, 4, 1, 1)));
///
/// field.set_weight(Array3::<f32>::ones((2, 6, 6)))?; // time, row, col
/// assert_eq!(Model::of(field).run(&Array3::<f32>::ones((4, 6, 6)), 4)?[(0, 0, 3, 0, 0)], 72.0);
/// # Ok::<(), foveola::Error>(())
/// ```
#[must_use]
#[derive(Clone, Debug)]
pub struct Rf {
    taps: Taps,
    /// Rows and columns of the first frame that an empty weight was fed.
    size: OnceLock<[usize; 2]>,
    /// The uniform weight of that size, once it is needed.
    uniform: OnceLock<Taps>,
    bias: Vec<f32>,
    pad: Option<PadMode>,
    mode: PadMode,
}

impl Rf {
    /// An empty receptive field over `frames` frames.
    ///
    /// # Errors
    /// A length of 0.
    pub fn new(in_channels: usize, out_channels: usize, frames: usize) -> Result<Self> {
        let shape = [out_channels, in_channels, frames, 1, 1];
        let len = out_channels.saturating_mul(in_channels).saturating_mul(frames);
        if len > MAX_WEIGHTS {
            return Err(Error::Memory { what: "the weight", samples: len });
        }
        if len == 0 {
            return Err(Error::layer(NAME, foveola_core::Error::EmptyKernel { kernel: shape }));
        }
        let mode = PadMode::default();
        let (taps, size, uniform) = (Taps::filled(shape, 0.0)?, OnceLock::new(), OnceLock::new());
        Ok(Self { taps, size, uniform, bias: Vec::new(), pad: Some(mode), mode })
    }

    /// Sets the weight, as described in [`Weight`]. A kernel of rank 2 or 3 is copied to every pair of channels.
    ///
    /// # Errors
    /// A rank without meaning; an axis of length 0; a weight that is not finite; normalisation by a sum that is 0 within
    /// rounding. The weight is then unchanged.
    pub fn set_weight(&mut self, weight: impl Into<Weight>) -> Result<()> {
        let weight = weight.into();
        weight.check(NAME)?;
        let values = weight.values()?;
        let [out, ins, ..] = self.taps.shape;
        let taps = match *weight.array.shape() {
            [] => Taps::filled(self.taps.shape, values.first().copied().unwrap_or_default())?,
            [r, c] => Taps::copies(&values, [1, r, c], [out, ins])?,
            [t, r, c] => Taps::copies(&values, [t, r, c], [out, ins])?,
            [o, i, t, r, c] => Taps { values, shape: [o, i, t, r, c] },
            _ => {
                let (rank, shape) = (weight.array.ndim(), weight.array.shape().to_vec());
                let expected = "0 (a number), 2 (row, col), 3 (time, row, col) or 5 (out, in, time, row, col); a weight over time alone is that of a Conv1d";
                return Err(Error::WeightRank { layer: NAME, rank, shape, expected });
            }
        };
        let taps = taps.finished(&weight, NAME)?;
        check_bias(NAME, &self.bias, taps.shape[0])?;
        (self.taps, self.size, self.uniform) = (taps, OnceLock::new(), OnceLock::new());
        Ok(())
    }

    /// [`RF::set_weight`](Self::set_weight) for a new layer.
    ///
    /// # Errors
    /// As `set_weight`.
    pub fn with_weight(mut self, weight: impl Into<Weight>) -> Result<Self> {
        self.set_weight(weight)?;
        Ok(self)
    }

    /// Sets one bias per output channel; an empty slice removes the bias.
    ///
    /// # Errors
    /// A number of biases that differs from the number of output channels, or a bias that is not finite.
    pub fn set_bias(&mut self, bias: &[f32]) -> Result<()> {
        check_bias(NAME, bias, self.taps.shape[0])?;
        self.bias = bias.to_vec();
        Ok(())
    }

    /// [`RF::set_bias`](Self::set_bias) for a new layer.
    ///
    /// # Errors
    /// As `set_bias`.
    pub fn with_bias(mut self, bias: &[f32]) -> Result<Self> {
        self.set_bias(bias)?;
        Ok(self)
    }

    /// One bias per output channel; empty if there is no bias.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// The temporal padding; none if it is off.
    pub fn time_padding(&self) -> Option<PadMode> {
        self.pad
    }

    /// Makes the weight empty again: it becomes uniform over the next frame.
    pub fn reset_weight(&mut self) {
        let [out, ins, t, ..] = self.taps.shape;
        self.taps = Taps { values: vec![0.0; out * ins * t], shape: [out, ins, t, 1, 1] };
        (self.size, self.uniform) = (OnceLock::new(), OnceLock::new());
    }

    /// The weight as an impulse response `(out, in, time, row, col)`. It has 1 x 1 pixels while it is empty, or if the
    /// uniform weight would take more than 1 GB.
    pub fn weight(&self) -> Array5<f32> {
        let taps = self.size.get().and_then(|size| self.uniform(*size).ok()).unwrap_or(&self.taps);
        let Taps { values, shape } = taps.clone().flipped();
        Array5::from_shape_vec(shape, values).unwrap_or_default()
    }

    /// Whether there is a weight of more than 1 x 1 pixels. If not, it is empty: uniform over the first frame.
    pub fn has_weight(&self) -> bool {
        !self.is_empty()
    }

    /// Whether the weight is empty: it takes the size of the first frame and is uniform.
    fn is_empty(&self) -> bool {
        self.taps.shape[3..] == [1, 1]
    }

    /// The uniform weight of an empty layer whose first frame has size `size`.
    fn uniform(&self, size: [usize; 2]) -> Result<&Taps> {
        if let Some(taps) = self.uniform.get() {
            return Ok(taps);
        }
        let [out, ins, t, ..] = self.taps.shape;
        let samples = [out, ins, t, size[0], size[1]].into_iter().fold(1, usize::saturating_mul);
        if samples > MAX_WEIGHTS {
            return Err(Error::Memory { what: "the uniform weight", samples });
        }
        let taps = Taps::filled([out, ins, t, size[0], size[1]], 1.0 / samples.max(1) as f32)?;
        Ok(self.uniform.get_or_init(|| taps))
    }

    /// Records that an empty weight was fed its first frame, of `size`.
    pub(crate) fn keep_size(&self, size: [usize; 2]) {
        self.size.get_or_init(|| size);
    }

    /// Whether the stream starts with temporal padding (on by default). If off, output starts when the field is filled.
    pub fn with_time_pad(mut self, on: bool) -> Self {
        self.pad = on.then_some(self.mode);
        self
    }

    /// The temporal padding that `time_pad` uses.
    pub fn with_pad_mode(mut self, mode: PadMode) -> Self {
        self.mode = mode;
        self.pad = self.pad.map(|_| mode);
        self
    }

    /// The parameters that there are: a field without a weight has only its bias.
    fn without_empty(&self, mut all: Vec<Parameter>) -> Vec<Parameter> {
        all.retain(|parameter| !(self.is_empty() && parameter.name == "weight"));
        all
    }
}

impl Layer for Rf {
    fn name(&self) -> &'static str {
        NAME
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let frame = table.shape(from);
        let size = [frame.rows, frame.cols];
        let taps = match self.size.get() {
            // Frames whose size differs from that of the first one use the weight of the first one.
            Some(first) if self.is_empty() && *first != size => self.uniform(*first)?,
            _ => &self.taps,
        };
        if self.is_empty() && self.size.get().is_none() {
            table.sized_by_frames(self, size);
        }
        let kernel = Kernel { weights: &taps.values, shape: taps.shape, bias: &self.bias };
        let field = named(self, foveola_core::Rf::from_checked(frame, kernel, self.pad))?;
        Ok(table.push(from, Stage::Rf(field)))
    }

    /// Without the weight while that is empty: it then follows from the frames.
    fn parameters(&self) -> Vec<Parameter> {
        self.without_empty(parameters(&self.taps, &self.taps.shape, &self.bias))
    }

    fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        let [.., t, r, c] = self.taps.shape;
        self.without_empty(gradients(nodes.node(0), t * r * c, &self.taps.shape))
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        match name {
            "weight" if !self.is_empty() => self.set_weight(values.of_shape(&self.taps.shape)?)?,
            "bias" if !self.bias.is_empty() => self.set_bias(&singles(values.of_shape(&[self.bias.len()])?))?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
