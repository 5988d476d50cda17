//! A layer as plain data: what the host's layer, the core's table and the naive twin are each made from.

use foveola::layers::{Conv, Kind};
use foveola::{
    Algorithm, Border, Branches, Conv1d, Conv2d, Conv3d, Delay, Diff, HighPass, Layer, LowPass, Model, NLExponential,
    NLLogistic, NLRectify, NLRectifyScale, NLRectifySquare, NLSoftplus, NLSquare, PadMode, RF, Resolution, SmoothConv,
    Sum, TimePadding, VariableDelay, Weight,
};
use foveola_core::{Decay, Nonlinearity};
use ndarray::{Array2, Array3, Array5, ArrayD, IxDyn, s};

/// A layer and its parameters. Weights are `f64` that `f32` holds exactly; time constants are in seconds at 1 kHz.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the arguments of the layers of these names")]
pub enum Spec {
    TimePadding { length: usize, mode: PadMode },
    Delay { delay: usize, length: usize },
    VariableDelay(Array2<u32>),
    Conv(ConvSpec),
    Rf { weight: Array5<f64>, flip: bool, pad: Option<PadMode> },
    LowPass { tau: f64 },
    HighPass { tau: f64, k: f64 },
    SmoothConv { taus: Vec<f64>, spatial: Array3<f64>, border: Border, components: bool },
    Pointwise(Nonlinearity),
    Sum(usize),
    Diff,
    Cascade(Vec<Self>),
    Branches(Vec<(f64, Self)>),
}

/// Which of the host's three convolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the layers are")]
pub enum Axes {
    Conv1d,
    Conv2d,
    Conv3d,
}

/// A convolution with all its options.
#[derive(Clone, Debug)]
pub struct ConvSpec {
    /// The layer that it is.
    pub axes: Axes,
    /// `(out, in / groups, time, row, col)`.
    pub weight: Array5<f64>,
    /// One for each output channel, or none.
    pub bias: Vec<f64>,
    /// Whether the weight is an impulse response.
    pub flip: bool,
    /// None: `autopad` off.
    pub border: Option<Border>,
    /// None: `time_pad` off.
    pub pad: Option<PadMode>,
    /// Time, row, column.
    pub stride: [usize; 3],
    /// Time, row, column.
    pub dilation: [usize; 3],
    /// Groups of channels.
    pub groups: usize,
}

impl ConvSpec {
    /// The weight as an impulse response.
    pub fn impulse(&self) -> Array5<f64> {
        if self.flip { self.weight.clone() } else { reversed(&self.weight) }
    }

    /// The weight in correlation order, as `core` takes it.
    pub fn correlation(&self) -> Array5<f64> {
        if self.flip { reversed(&self.weight) } else { self.weight.clone() }
    }

    /// Sets all but the kind of the layer.
    fn options<K: Kind>(&self, conv: Conv<K>, weight: ArrayD<f32>, way: Algorithm) -> foveola::Result<Conv<K>> {
        let mut conv =
            conv.with_algorithm(way).with_stride(self.stride).with_dilation(self.dilation).with_groups(self.groups)?;
        conv = match self.border {
            Some(border) => conv.with_autopad_mode(border),
            None => conv.with_autopad(false),
        };
        conv = match self.pad {
            Some(mode) => conv.with_pad_mode(mode),
            None => conv.with_time_pad(false),
        };
        let weight = Weight::from(weight);
        conv.set_weight(if self.flip { weight } else { weight.no_flip() })?;
        conv.set_bias(&self.bias.iter().map(|b| *b as f32).collect::<Vec<_>>())?;
        Ok(conv)
    }

    /// The host's `Conv3d` that computes it by `way`.
    ///
    /// # Errors
    /// Those of the layer.
    pub fn conv3d(&self, way: Algorithm) -> foveola::Result<Conv3d> {
        let (out, ins, kt, kh, kw) = self.weight.dim();
        let weight = self.weight.mapv(|w| w as f32).into_dyn();
        self.options(Conv3d::new(ins * self.groups, out, [kt, kh, kw])?, weight, way)
    }

    fn layer(&self, way: Algorithm) -> foveola::Result<Box<dyn Layer>> {
        let (out, ins, kt, kh, kw) = self.weight.dim();
        let all = ins * self.groups;
        let weight = self.weight.mapv(|w| w as f32).into_dyn();
        let ranked = |shape: &[usize]| weight.clone().into_shape_with_order(IxDyn(shape)).unwrap_or_default();
        Ok(match self.axes {
            Axes::Conv3d => Box::new(self.conv3d(way)?),
            Axes::Conv2d => {
                Box::new(self.options(Conv2d::new(all, out, [kh, kw])?, ranked(&[out, ins, kh, kw]), way)?)
            }
            Axes::Conv1d => {
                Box::new(self.options(Conv1d::new(all, out, kt)?, ranked(&[out, ins, kt]), Algorithm::Auto)?)
            }
        })
    }
}

/// All three axes of every kernel reversed.
pub fn reversed(weight: &Array5<f64>) -> Array5<f64> {
    weight.slice(s![.., .., ..;-1, ..;-1, ..;-1]).to_owned()
}

/// The gain `1 - a` of a time constant in seconds at 1 kHz.
pub fn gain(tau: f64) -> f64 {
    Decay::new(tau, 1000.0).map_or(f64::NAN, Decay::gain)
}

impl Spec {
    /// The host's layer.
    ///
    /// # Errors
    /// Those of the layer.
    pub fn layer(&self) -> foveola::Result<Box<dyn Layer>> {
        self.layer_by(Algorithm::Auto)
    }

    /// The host's layer, whose convolutions go by `way` where there is such a one: there are no others for kernels of one
    /// pixel (`Conv1d`), and no frequency domain for `SmoothConv`.
    ///
    /// # Errors
    /// Those of the layer.
    pub fn layer_by(&self, way: Algorithm) -> foveola::Result<Box<dyn Layer>> {
        let resolution = Resolution::DEFAULT;
        Ok(match self {
            Self::TimePadding { length, mode } => Box::new(TimePadding::new(*length, *mode)),
            Self::Delay { delay, length } => Box::new(Delay::new(*delay).with_length(*length)),
            Self::VariableDelay(delays) => Box::new(VariableDelay::new(delays)),
            Self::Conv(conv) => conv.layer(way)?,
            Self::Rf { weight, flip, pad } => {
                let (out, ins, kt, _, _) = weight.dim();
                let mut field = RF::new(ins, out, kt)?;
                field = match pad {
                    Some(mode) => field.with_pad_mode(*mode),
                    None => field.with_time_pad(false),
                };
                let weight = Weight::from(weight.mapv(|w| w as f32));
                field.set_weight(if *flip { weight } else { weight.no_flip() })?;
                Box::new(field)
            }
            Self::LowPass { tau } => Box::new(LowPass::new(*tau, resolution)?),
            Self::HighPass { tau, k } => Box::new(HighPass::new(*tau, *k, resolution)?),
            Self::SmoothConv { taus, spatial, border, components } => {
                let smooth = SmoothConv::new(taus, spatial.mapv(|w| w as f32), resolution)?;
                let smooth = smooth.with_autopad_mode(*border);
                let smooth = smooth.with_algorithm(if way == Algorithm::Fft { Algorithm::Auto } else { way });
                Box::new(if *components { smooth.components() } else { smooth })
            }
            Self::Pointwise(function) => match *function {
                Nonlinearity::Rectify => Box::new(NLRectify),
                Nonlinearity::RectifyScale { scale, bias } => Box::new(NLRectifyScale::new(scale, bias)?),
                Nonlinearity::Square { scale, bias } => Box::new(NLSquare::new(scale, bias)?),
                Nonlinearity::RectifySquare { scale, bias } => Box::new(NLRectifySquare::new(scale, bias)?),
                Nonlinearity::Exponential { scale, bias } => Box::new(NLExponential::new(scale, bias)?),
                Nonlinearity::Softplus { scale, bias } => Box::new(NLSoftplus::new(scale, bias)?),
                Nonlinearity::Logistic { scale, bias } => Box::new(NLLogistic::new(scale, bias)?),
                _ => unreachable!("no layer of {function:?}"),
            },
            Self::Sum(dim) => Box::new(Sum::new(
                (*dim).try_into().map_err(|source| foveola::Error::Layer { layer: "Sum".into(), source })?,
            )),
            Self::Diff => Box::new(Diff),
            Self::Cascade(layers) => {
                let mut model = Model::new();
                for layer in layers {
                    model.push(Model::of(layer.layer_by(way)?));
                }
                Box::new(model)
            }
            Self::Branches(branches) => {
                let mut sum = Branches::new();
                for (weight, branch) in branches {
                    sum = sum.weighted(*weight, Model::of(branch.layer_by(way)?));
                }
                Box::new(sum)
            }
        })
    }

    /// Whether a history mode anywhere in it satisfies `which`.
    pub fn any_pad(&self, which: fn(PadMode) -> bool) -> bool {
        match self {
            Self::TimePadding { mode, .. } => which(*mode),
            Self::Conv(ConvSpec { pad, .. }) | Self::Rf { pad, .. } => pad.is_some_and(which),
            Self::Cascade(layers) => layers.iter().any(|layer| layer.any_pad(which)),
            Self::Branches(branches) => branches.iter().any(|(_, branch)| branch.any_pad(which)),
            _ => false,
        }
    }
}
