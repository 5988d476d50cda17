//! `Conv3d`, `Conv2d` and `Conv1d`: one convolution layer that interprets weights in three ways.

use crate::cpu::plan::{Job, Planner};
use crate::model::gradient::NodeGradients;
use crate::model::layer::{Table, named};
use crate::model::weight::{check_bias, gradients, parameters, singles};
use crate::taps::Taps;
use crate::{Algorithm, Error, Layer, Parameter, Plan, Result, SimdLevel, Values, Weight, kernels, memory};
use foveola_core::kernels::{ExponentialFilter, GaussFilter, Resolution};
use foveola_core::{Border, ConvOptions, Kernel, PadMode, Shape, Source, Stage};
use ndarray::Array5;
use std::fmt::Debug;
use std::marker::PhantomData;

/// How a kind of convolution interprets the axes of a weight: [`Spacetime`], [`Space`] or [`Time`].
pub trait Kind: private::Sealed + Clone + Debug + Send + Sync + 'static {
    /// The name of the layer.
    #[doc(hidden)]
    const NAME: &'static str;
    /// The accepted ranks of a weight, in words.
    #[doc(hidden)]
    const RANKS: &'static str;
    /// Interprets the shape of a weight as `(channels, [time, row, col])`; none for a rank without meaning. `channels` is
    /// none for a single kernel.
    #[doc(hidden)]
    fn understand(shape: &[usize]) -> Option<(Option<[usize; 2]>, [usize; 3])>;
    /// The shape of a whole weight, with the axes that the kind has.
    #[doc(hidden)]
    fn whole(shape: [usize; 5]) -> Vec<usize>;
}

/// A kind whose kernels extend over time: a weight of rank 1 is `(time)`.
pub trait Temporal: Kind {}

/// A kind whose kernels extend over space: a weight of rank 2 is `(row, col)`.
pub trait Spatial: Kind {}

mod private {
    pub trait Sealed {}
    impl Sealed for super::Spacetime {}
    impl Sealed for super::Space {}
    impl Sealed for super::Time {}
}

impl Temporal for Spacetime {}
impl Temporal for Time {}
impl Spatial for Spacetime {}
impl Spatial for Space {}

/// Space and time: [`Conv3d`].
#[derive(Clone, Copy, Debug)]
pub struct Spacetime;

/// Space only: [`Conv2d`].
#[derive(Clone, Copy, Debug)]
pub struct Space;

/// Time only: [`Conv1d`].
#[derive(Clone, Copy, Debug)]
pub struct Time;

impl Kind for Spacetime {
    const NAME: &'static str = "Conv3d";
    const RANKS: &'static str =
        "0 (a number), 1 (time), 2 (row, col), 3 (time, row, col) or 5 (out, in/groups, time, row, col)";
    fn understand(shape: &[usize]) -> Option<(Option<[usize; 2]>, [usize; 3])> {
        match *shape {
            [t] => Some((None, [t, 1, 1])),
            [r, c] => Some((None, [1, r, c])),
            [t, r, c] => Some((None, [t, r, c])),
            [o, i, t, r, c] => Some((Some([o, i]), [t, r, c])),
            _ => None,
        }
    }
    fn whole(shape: [usize; 5]) -> Vec<usize> {
        shape.to_vec()
    }
}

impl Kind for Space {
    const NAME: &'static str = "Conv2d";
    const RANKS: &'static str = "0 (a number), 2 (row, col), 3 (out, row, col) or 4 (out, in/groups, row, col)";
    fn understand(shape: &[usize]) -> Option<(Option<[usize; 2]>, [usize; 3])> {
        match *shape {
            [r, c] => Some((None, [1, r, c])),
            [o, r, c] => Some((Some([o, 1]), [1, r, c])),
            [o, i, r, c] => Some((Some([o, i]), [1, r, c])),
            _ => None,
        }
    }
    fn whole([o, i, _, r, c]: [usize; 5]) -> Vec<usize> {
        vec![o, i, r, c]
    }
}

impl Kind for Time {
    const NAME: &'static str = "Conv1d";
    const RANKS: &'static str = "0 (a number), 1 (time) or 3 (out, in/groups, time)";
    fn understand(shape: &[usize]) -> Option<(Option<[usize; 2]>, [usize; 3])> {
        match *shape {
            [t] => Some((None, [t, 1, 1])),
            [o, i, t] => Some((Some([o, i]), [t, 1, 1])),
            _ => None,
        }
    }
    fn whole([o, i, t, _, _]: [usize; 5]) -> Vec<usize> {
        vec![o, i, t]
    }
}

/// Convolution in space and time; the equation is in [`foveola_core::Conv3d`].
///
/// By default `T` input frames yield `T` output frames of the same size. A new layer averages: every weight is
/// `1 / (in x time x row x col)`.
///
/// ```
/// use foveola::{Border, Conv3d, Model, PadMode, Weight};
/// use ndarray::Array3;
///
/// let mut edges = Conv3d::new(1, 1, [1, 3, 3])?.with_autopad_mode(Border::Zeros).with_pad_mode(PadMode::FirstFrame);
/// edges.set_weight([[-1.0, 0.0, 1.0]])?;
/// let movie = Array3::from_shape_fn((5, 8, 8), |(_, _, c)| c as f32);
/// let out = Model::of(edges).run(&movie, 5)?;
/// assert_eq!(out[(0, 0, 0, 4, 4)], -2.0); // an impulse response: the kernel is flipped
/// # Ok::<(), foveola::Error>(())
/// ```
#[must_use]
#[derive(Clone, Debug)]
pub struct Conv<K: Kind = Spacetime> {
    taps: Taps,
    /// Whether the caller has set the weight.
    is_set: bool,
    bias: Vec<f32>,
    options: ConvOptions,
    /// The border and temporal padding to restore when padding is turned on again.
    border: Border,
    pad: PadMode,
    planner: Planner,
    kind: PhantomData<K>,
}

/// Convolution in space and time, `(time, row, col)`. See [`Conv`].
pub type Conv3d = Conv<Spacetime>;

/// Convolution of each frame, `(row, col)`; no state. See [`Conv`].
pub type Conv2d = Conv<Space>;

/// Convolution of each pixel in time. See [`Conv`].
pub type Conv1d = Conv<Time>;

impl Conv3d {
    /// A kernel of `size` = `[time, row, col]` from `in_channels` to `out_channels`.
    ///
    /// # Errors
    /// A length of 0.
    pub fn new(in_channels: usize, out_channels: usize, size: [usize; 3]) -> Result<Self> {
        Self::with_shape([out_channels, in_channels, size[0], size[1], size[2]])
    }
}

impl Conv2d {
    /// A kernel of `size` = `[row, col]` from `in_channels` to `out_channels`.
    ///
    /// # Errors
    /// A length of 0.
    pub fn new(in_channels: usize, out_channels: usize, size: [usize; 2]) -> Result<Self> {
        Self::with_shape([out_channels, in_channels, 1, size[0], size[1]])
    }
}

impl Conv1d {
    /// A kernel of `frames` from `in_channels` to `out_channels`.
    ///
    /// # Errors
    /// A length of 0.
    pub fn new(in_channels: usize, out_channels: usize, frames: usize) -> Result<Self> {
        Self::with_shape([out_channels, in_channels, frames, 1, 1])
    }
}

impl<K: Kind> Conv<K> {
    fn with_shape(shape: [usize; 5]) -> Result<Self> {
        let taps = shape[1..].iter().try_fold(1_usize, |n, len| n.checked_mul(*len));
        let weights = taps.and_then(|taps| taps.checked_mul(shape[0]));
        if weights.is_none_or(|n| n > crate::taps::MAX_WEIGHTS) {
            return Err(Error::Memory { what: "the weight", samples: weights.unwrap_or(usize::MAX) });
        }
        if weights == Some(0) {
            return Err(Error::layer(K::NAME, foveola_core::Error::EmptyKernel { kernel: shape }));
        }
        let average = 1.0 / taps.unwrap_or(1) as f32;
        Ok(Self {
            taps: Taps::filled(shape, average)?,
            is_set: false,
            bias: Vec::new(),
            options: ConvOptions::DEFAULT,
            border: Border::default(),
            pad: PadMode::default(),
            planner: Planner::default(),
            kind: PhantomData,
        })
    }

    /// Sets the weight, as described in [`Weight`]. Without `preserve_channels`, and for the ranks that name channels, the
    /// layer takes the channels of the weight. During a stream, a weight of the same size takes effect with the next frame
    /// and also applies to the stored frames before it. A weight of another size needs a new stream
    /// ([`Error::StateChanged`]).
    ///
    /// # Errors
    /// A rank without meaning; an axis of length 0; a weight that is not finite; normalisation by a sum that is 0 within
    /// rounding. The weight is then unchanged.
    pub fn set_weight(&mut self, weight: impl Into<Weight>) -> Result<()> {
        let weight = weight.into();
        weight.check(K::NAME)?;
        let shape = weight.array.shape();
        let values = weight.values()?;
        let taps = if shape.is_empty() {
            Taps::filled(self.taps.shape, values.first().copied().unwrap_or_default())?
        } else {
            let Some((channels, size)) = K::understand(shape) else {
                let (rank, shape) = (shape.len(), shape.to_vec());
                return Err(Error::WeightRank { layer: K::NAME, rank, shape, expected: K::RANKS });
            };
            let [out, ins, ..] = self.taps.shape;
            match channels {
                // One kernel per output channel; a weight of rank 4 or 5 names its own input channels.
                Some([out, 1]) if weight.preserve_channels && shape.len() <= 3 => {
                    let kernels = values.chunks_exact(size.iter().product::<usize>().max(1));
                    let samples = values.len().saturating_mul(ins);
                    let copies = kernels.flat_map(|kernel| std::iter::repeat_n(kernel, ins)).flatten().copied();
                    let values = memory::collect("the weight", samples, copies)?;
                    Taps { values, shape: [out, ins, size[0], size[1], size[2]] }
                }
                Some([out, ins]) => Taps { values, shape: [out, ins, size[0], size[1], size[2]] },
                None if weight.preserve_channels => Taps::copies(&values, size, [out, ins])?,
                None => Taps::copies(&values, size, [1, 1])?,
            }
        };
        let taps = taps.finished(&weight, K::NAME)?;
        check_bias(K::NAME, &self.bias, taps.shape[0])?;
        let (groups, channels) = (self.options.groups, taps.shape[0]);
        if !channels.is_multiple_of(groups) {
            return Err(Error::layer(K::NAME, foveola_core::Error::Groups { groups, channels }));
        }
        self.planner = self.planner.anew();
        (self.taps, self.is_set) = (taps, true);
        Ok(())
    }

    /// [`Conv::set_weight`] for a new layer.
    ///
    /// # Errors
    /// As [`Conv::set_weight`].
    pub fn with_weight(mut self, weight: impl Into<Weight>) -> Result<Self> {
        self.set_weight(weight)?;
        Ok(self)
    }

    /// The weight as an impulse response `(out, in/groups, time, row, col)`.
    pub fn weight(&self) -> Array5<f32> {
        let Taps { values, shape } = self.taps.clone().flipped();
        Array5::from_shape_vec(shape, values).unwrap_or_default()
    }

    /// Whether a weight was set. If not, the layer averages.
    pub fn has_weight(&self) -> bool {
        self.is_set
    }

    /// Sets one bias per output channel; an empty slice removes the bias.
    ///
    /// # Errors
    /// A number of biases that differs from the number of output channels, or a bias that is not finite.
    pub fn set_bias(&mut self, bias: &[f32]) -> Result<()> {
        check_bias(K::NAME, bias, self.taps.shape[0])?;
        self.bias = bias.to_vec();
        Ok(())
    }

    /// [`Conv::set_bias`] for a new layer.
    ///
    /// # Errors
    /// As [`Conv::set_bias`].
    pub fn with_bias(mut self, bias: &[f32]) -> Result<Self> {
        self.set_bias(bias)?;
        Ok(self)
    }

    /// One bias per output channel; empty if there is no bias.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// Whether the stream starts with temporal padding (on by default). If off, output starts when the kernel is filled.
    pub fn with_time_pad(mut self, on: bool) -> Self {
        self.options.pad = on.then_some(self.pad);
        self
    }

    /// The temporal padding that `time_pad` uses.
    pub fn with_pad_mode(mut self, mode: PadMode) -> Self {
        self.pad = mode;
        self.options.pad = self.options.pad.map(|_| mode);
        self
    }

    /// Whether frames are padded to keep their size (on by default). If off, only pixels where the kernel fits are computed.
    pub fn with_autopad(mut self, on: bool) -> Self {
        self.options.border = on.then_some(self.border);
        self
    }

    /// What the kernel reads outside the frame.
    pub fn with_autopad_mode(mut self, border: Border) -> Self {
        self.border = border;
        self.options.border = self.options.border.map(|_| border);
        self
    }

    /// The temporal padding; none if it is off.
    pub fn time_padding(&self) -> Option<PadMode> {
        self.options.pad
    }

    /// The border of a same-size convolution; none if only pixels where the kernel fits are computed.
    pub fn border(&self) -> Option<Border> {
        self.options.border
    }

    /// Forces the algorithm of the layer. By default the algorithm that is predicted to be fastest is used.
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Self {
        self.planner.algorithm = algorithm;
        self
    }

    /// The requested algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.planner.algorithm
    }

    /// The algorithm used for frames of `rows` x `cols`. With [`Precision::Reproducible`](crate::Precision) direct
    /// convolution is used instead, unless [`Algorithm::Separable`] is requested.
    ///
    /// ```
    /// use foveola::{Algorithm, Conv2d, Plan, Resolution};
    /// let mut blur = Conv2d::new(1, 1, [1, 1])?;
    /// blur.set_gaussian(0.3, Resolution::DEFAULT)?; // 0.3 degrees: 19 x 19 pixels
    /// assert!(matches!(blur.plan(128, 128)?, Plan::Separable { terms: 1, .. }));
    /// assert_eq!(blur.with_algorithm(Algorithm::Direct).plan(128, 128)?, Plan::Direct);
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Parameter`] when the requested algorithm cannot compute the layer.
    pub fn plan(&self, rows: usize, cols: usize) -> Result<Plan> {
        let [_, ins, ..] = self.taps.shape;
        let conv = self.conv(Shape::new(ins.saturating_mul(self.options.groups), rows, cols))?;
        self.planner.plan(SimdLevel::best(), self.job(&conv))
    }

    fn conv(&self, frame: Shape) -> Result<foveola_core::Conv3d<'_>> {
        let kernel = Kernel { weights: &self.taps.values, shape: self.taps.shape, bias: &self.bias };
        named(self, foveola_core::Conv3d::from_checked(frame, kernel, self.options))
    }

    fn job(&self, conv: &foveola_core::Conv3d<'_>) -> Job<'_> {
        let ([_, stride @ ..], [_, dilation @ ..]) = (self.options.stride, self.options.dilation);
        let output = conv.signature().output;
        let output = [output.rows, output.cols];
        Job { layer: K::NAME, taps: &self.taps, groups: self.options.groups, stride, dilation, output, fft: true }
    }

    /// Steps `[time, row, col]` from one output to the next, each 1 or more.
    pub fn with_stride(mut self, stride: [usize; 3]) -> Self {
        self.options.stride = stride;
        self
    }

    /// Steps `[time, row, col]` from one output to the next.
    pub fn stride(&self) -> [usize; 3] {
        self.options.stride
    }

    /// Distances `[time, row, col]` between the kernel's taps, each 1 or more.
    pub fn with_dilation(mut self, dilation: [usize; 3]) -> Self {
        self.options.dilation = dilation;
        self
    }

    /// Distances `[time, row, col]` between the kernel's taps.
    pub fn dilation(&self) -> [usize; 3] {
        self.options.dilation
    }

    /// The number of channel groups. Channels of different groups do not mix.
    pub fn groups(&self) -> usize {
        self.options.groups
    }

    /// Sets the number of channel groups of a new layer; channels of different groups do not mix. The weight then has
    /// `in/groups` input channels. Set the weight afterwards.
    ///
    /// # Errors
    /// A number of groups that does not divide the input and output channels; a weight that was set before.
    pub fn with_groups(mut self, groups: usize) -> Result<Self> {
        if self.is_set {
            let (name, value, expected) = ("groups", groups.to_string(), "the groups before the weight, not after it");
            return Err(Error::Parameter { item: K::NAME, name, value, expected });
        }
        let [out, ins, t, r, c] = self.taps.shape;
        let ins = ins * self.options.groups;
        let divides = |channels: usize| groups > 0 && channels.is_multiple_of(groups);
        if !divides(out) || !divides(ins) {
            let channels = if divides(out) { ins } else { out };
            return Err(Error::layer(K::NAME, foveola_core::Error::Groups { groups, channels }));
        }
        let ins = ins / groups;
        self.taps = Taps::filled([out, ins, t, r, c], 1.0 / (ins * t * r * c) as f32)?;
        self.planner = self.planner.anew();
        self.options.groups = groups;
        Ok(self)
    }
}

impl<K: Temporal> Conv<K> {
    /// Sets the temporal kernel [`exponential_filter_1d`](kernels::exponential_filter_1d). `resolution` is that of the
    /// layer's input frames: after a temporal stride of 2 there are half as many per second.
    ///
    /// # Errors
    /// A `tau` that is negative or not finite.
    pub fn set_exponential(&mut self, tau: f64, resolution: Resolution) -> Result<()> {
        self.set_weight(kernels::exponential_filter_1d(&ExponentialFilter::new(tau), resolution)?)
    }

    /// [`Conv::set_exponential`] for a new layer.
    ///
    /// # Errors
    /// As [`Conv::set_exponential`].
    pub fn with_exponential(mut self, tau: f64, resolution: Resolution) -> Result<Self> {
        self.set_exponential(tau, resolution)?;
        Ok(self)
    }

    /// Sets the temporal kernel [`highpass_exponential_filter_1d`](kernels::highpass_exponential_filter_1d). `resolution` is
    /// that of the layer's input frames, as in [`Conv::set_exponential`].
    ///
    /// # Errors
    /// A `tau` that is negative or not finite, a `relative_weight` that is not finite.
    pub fn set_highpass_exponential(&mut self, tau: f64, relative_weight: f64, resolution: Resolution) -> Result<()> {
        self.set_weight(kernels::highpass_exponential_filter_1d(tau, relative_weight, resolution)?)
    }

    /// [`Conv::set_highpass_exponential`] for a new layer.
    ///
    /// # Errors
    /// As [`Conv::set_highpass_exponential`].
    pub fn with_highpass_exponential(mut self, tau: f64, relative_weight: f64, resolution: Resolution) -> Result<Self> {
        self.set_highpass_exponential(tau, relative_weight, resolution)?;
        Ok(self)
    }
}

impl<K: Spatial> Conv<K> {
    /// Sets the spatial kernel [`gauss_filter_2d`](kernels::gauss_filter_2d) of `sigma` degrees.
    ///
    /// # Errors
    /// A `sigma` that is negative or not finite.
    pub fn set_gaussian(&mut self, sigma: f64, resolution: Resolution) -> Result<()> {
        self.set_weight(kernels::gauss_filter_2d(&GaussFilter::new(sigma, sigma), resolution)?)
    }

    /// [`Conv::set_gaussian`] for a new layer.
    ///
    /// # Errors
    /// As [`Conv::set_gaussian`].
    pub fn with_gaussian(mut self, sigma: f64, resolution: Resolution) -> Result<Self> {
        self.set_gaussian(sigma, resolution)?;
        Ok(self)
    }
}

impl<K: Kind> Layer for Conv<K> {
    fn name(&self) -> &'static str {
        K::NAME
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let conv = self.conv(table.shape(from))?;
        let job = self.job(&conv);
        match table.plan(&self.planner, job)? {
            Plan::Fft { .. } => table.push_spectral(from, Stage::Conv3d(conv), &self.planner, job),
            Plan::Separable { .. } => {
                let conv = match self.planner.factors(&self.taps) {
                    Some(factors) => named(self, conv.with_checked_factors(factors.borrow()))?,
                    None => conv,
                };
                Ok(table.push(from, Stage::Conv3d(conv)))
            }
            Plan::Direct => Ok(table.push(from, Stage::Conv3d(conv))),
        }
    }

    fn parameters(&self) -> Vec<Parameter> {
        parameters(&self.taps, &K::whole(self.taps.shape), &self.bias)
    }

    fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        let [.., t, r, c] = self.taps.shape;
        gradients(nodes.node(0), t * r * c, &K::whole(self.taps.shape))
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        match name {
            "weight" => self.set_weight(values.of_shape(&K::whole(self.taps.shape))?)?,
            "bias" if !self.bias.is_empty() => self.set_bias(&singles(values.of_shape(&[self.bias.len()])?))?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
