//! Every filter of `core`, over any sample type: weights in a [`Bank`], filters that borrow them.

use crate::random::noise;
use foveola_core::{
    Axis, Border, Conv3d, ConvOptions, Decay, Delay, Diff, Error, Finite, HighPass, Kernel, LowPass, Nonlinearity,
    PadMode, Pointwise, Rf, Sample, Shape, SmoothConv, Stage, Sum, TimePadding, VariableDelay,
};

/// Frames that every filter takes.
pub const SHAPE: Shape = Shape::new(2, 5, 9);

/// Weights, biases, delays and decays: what filters borrow.
pub struct Bank<T> {
    weights: Vec<T>,
    bias: Vec<T>,
    delays: Vec<u32>,
    decays: [Decay; 3],
}

impl<T: Sample> Default for Bank<T> {
    fn default() -> Self {
        Self::rounded_to::<T>()
    }
}

impl<T: Sample> Bank<T> {
    /// The numbers that `R` holds.
    pub fn rounded_to<R: Sample>() -> Self {
        // Quarters keep every sum of the tests within a few units, which a fixed-point sample must hold.
        let rounded = |w: f64| T::from_f64(R::from_f64(w / 4.0).to_f64());
        let samples = |seed, len| noise(seed, len).into_iter().map(rounded).collect();
        let decay = |gain| Decay::from_gain(gain).expect("a gain between 0 and 1");
        Self {
            weights: samples(1, 400),
            bias: samples(2, 2),
            delays: (0..SHAPE.pixels() as u32).map(|i| i * 7 % 5).collect(),
            // The last one is compensated.
            decays: [decay(0.25), decay(0.5), decay(1.0 / 4096.0)],
        }
    }
}

impl<T: Sample> Bank<T> {
    fn kernel(&self, shape: [usize; 5]) -> Kernel<'_, T> {
        let len = shape.iter().product::<usize>();
        Kernel { weights: &self.weights[..len], shape, bias: &self.bias[..shape[0]] }
    }

    /// Every filter that takes frames of `shape`: all of them take [`SHAPE`].
    pub fn stages(&self, shape: Shape) -> Vec<(&'static str, Stage<'_, T>)> {
        let conv = |kernel, options| Conv3d::from_checked(shape, self.kernel(kernel), options).map(Stage::Conv3d);
        let default = ConvOptions::DEFAULT;
        let strided = ConvOptions { stride: [2, 2, 3], dilation: [2, 2, 1], ..default };
        let valid = ConvOptions { border: None, pad: None, groups: 2, ..default };
        let (taps, size) = (&self.weights[..30], [3, 5]);
        let smooth = |decays| SmoothConv::from_checked(shape, decays, taps, size, Border::Reflect);
        let [two, slow] = [&self.decays[..2], &self.decays[1..]];
        let point = |function| Pointwise::new(shape, function).map(Stage::Pointwise);
        let (scale, bias) = (1.5, -0.25);
        let all: Vec<(_, Result<_, Error>)> = vec![
            ("mirror", Ok(Stage::TimePadding(TimePadding::new(shape, 4, PadMode::Mirror)))),
            ("mean", Ok(Stage::TimePadding(TimePadding::new(shape, 2, PadMode::Mean)))),
            ("ones", Ok(Stage::TimePadding(TimePadding::new(shape, 1, PadMode::Ones)))),
            ("delay", Ok(Stage::Delay(Delay::new(shape, 2, 0)))),
            ("delay with a length", Ok(Stage::Delay(Delay::new(shape, 2, 3)))),
            ("variable delay", VariableDelay::new(shape, &self.delays).map(Stage::VariableDelay)),
            ("conv3d", conv([2, 2, 3, 3, 5], default)),
            ("conv3d, strided", conv([1, 2, 3, 2, 2], strided)),
            ("conv3d, valid", conv([2, 1, 2, 3, 3], valid)),
            ("conv2d", conv([2, 2, 1, 7, 3], default)),
            ("conv1d", conv([1, 2, 4, 1, 1], default)),
            ("rf", Rf::from_checked(shape, self.kernel([2, 2, 2, 7, 4]), Some(PadMode::FullCopy)).map(Stage::Rf)),
            ("uniform rf", Rf::uniform(shape, 1, 3, None).map(Stage::Rf)),
            ("low-pass", Ok(Stage::LowPass(LowPass::new(shape, self.decays[0])))),
            ("compensated low-pass", Ok(Stage::LowPass(LowPass::new(shape, self.decays[2])))),
            ("high-pass", HighPass::new(shape, self.decays[0], 0.5).map(Stage::HighPass)),
            ("compensated high-pass", HighPass::new(shape, self.decays[2], 0.5).map(Stage::HighPass)),
            ("smooth conv", smooth(two).map(Stage::SmoothConv)),
            ("compensated smooth conv", smooth(slow).map(Stage::SmoothConv)),
            ("components", smooth(two).map(|smooth| Stage::SmoothConv(smooth.components()))),
            ("rectify", point(Nonlinearity::Rectify)),
            ("rectify scale", point(Nonlinearity::RectifyScale { scale, bias })),
            ("square", point(Nonlinearity::Square { scale, bias })),
            ("rectify square", point(Nonlinearity::RectifySquare { scale, bias })),
            ("exponential", point(Nonlinearity::Exponential { scale, bias })),
            ("softplus", point(Nonlinearity::Softplus { scale, bias })),
            ("logistic", point(Nonlinearity::Logistic { scale, bias })),
            ("sum of channels", Ok(Stage::Sum(Sum::new(shape, Axis::Channel)))),
            ("sum of rows", Ok(Stage::Sum(Sum::new(shape, Axis::Row)))),
            ("sum of columns", Ok(Stage::Sum(Sum::new(shape, Axis::Col)))),
            ("diff", Ok(Stage::Diff(Diff::new(shape)))),
            ("finite", Ok(Stage::Finite(Finite::new(shape)))),
        ];
        all.into_iter().filter_map(|(name, stage)| Some((name, stage.ok()?))).collect()
    }
}
