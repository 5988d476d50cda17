//! `LowPass` and `HighPass`: exponential filters in time.
//!
//! For a constant input both settle within a relative error of 1e-4, at any time constant. [`foveola_core::recursive`] gives
//! the bounds and describes the treatment of small numbers.

use crate::model::gradient::NodeGradients;
use crate::model::layer::{Table, named};
use crate::{Error, Layer, Parameter, Resolution, Result, Values};
use foveola_core::{Decay, Source, Stage};

/// A time constant in seconds. Its length in frames depends on the rate of the layer's input frames, which is lower after a
/// temporal stride.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeConstant {
    tau: f64,
    steps_per_second: f64,
    /// The decay when every frame of the model's input reaches the layer.
    decay: Decay,
}

impl TimeConstant {
    /// `tau` seconds in a model whose input has the frame rate of `resolution`, for the layer named `layer`.
    pub(super) fn new(layer: &'static str, tau: f64, resolution: Resolution) -> Result<Self> {
        let steps_per_second = resolution.steps_per_second;
        let decay = Decay::new(tau, steps_per_second).map_err(|source| Error::layer(layer, source))?;
        Ok(Self { tau, steps_per_second, decay })
    }

    /// Another time constant in the same model.
    pub(super) fn with(&self, layer: &'static str, tau: f64) -> Result<Self> {
        let resolution = Resolution { steps_per_second: self.steps_per_second, ..Resolution::DEFAULT };
        Self::new(layer, tau, resolution)
    }

    /// The time constant in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.tau
    }

    /// Frames of the model's input in a second.
    pub(super) fn steps_per_second(&self) -> f64 {
        self.steps_per_second
    }

    /// The decay from one frame to the next when one of `every` frames reaches the layer.
    pub(super) fn decay(&self, layer: &'static str, every: u64) -> Result<Decay> {
        if every == 1 {
            return Ok(self.decay);
        }
        Decay::new(self.tau, self.steps_per_second / every as f64).map_err(|source| Error::layer(layer, source))
    }

    /// The derivative of the gain of that decay with respect to the time constant.
    pub(super) fn slope(&self, every: u64) -> f64 {
        let steps_per_second = self.steps_per_second / every as f64;
        Decay::new(self.tau, steps_per_second).map_or(0.0, |decay| decay.derivative(self.tau, steps_per_second))
    }
}

/// Exponential low-pass of every pixel: `y[t] = a y[t-1] + (1-a) x[t]`. See [`foveola_core::LowPass`].
///
/// The gain at DC is 1 to within 1e-4. For a constant input, `y` settles within a relative error of `2^-24 / (1-a)` for time
/// constants below 1680 frames, and of `2^-24 + 2^-48 / (1-a)` for longer ones, whose state takes twice the memory. After a
/// temporal stride the time constant in seconds is unchanged: the decay per frame is larger.
///
/// ```
/// use foveola::{LowPass, Model, Resolution};
/// let mut smooth = Model::of(LowPass::new(0.010, Resolution::DEFAULT)?); // 10 ms at 1 kHz
/// let step = smooth.run(&ndarray::Array3::<f32>::ones((10, 1, 1)), 10)?;
/// assert!((step[(0, 0, 9, 0, 0)] - 0.632).abs() < 1e-3); // 1 - 1/e after one time constant
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LowPass {
    tau: TimeConstant,
}

impl LowPass {
    /// A low-pass of time constant `tau` in seconds: 0, or up to 2.8e10 frames.
    ///
    /// # Errors
    /// A `tau` that is negative, not finite or too long.
    pub fn new(tau: f64, resolution: Resolution) -> Result<Self> {
        Ok(Self { tau: TimeConstant::new("LowPass", tau, resolution)? })
    }

    /// The time constant in seconds.
    pub fn tau(&self) -> f64 {
        self.tau.seconds()
    }

    /// The frames of the model's input in a second, as the layer was made for.
    pub fn steps_per_second(&self) -> f64 {
        self.tau.steps_per_second()
    }
}

impl Layer for LowPass {
    fn name(&self) -> &'static str {
        "LowPass"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let decay = self.tau.decay(self.name(), table.rate(from).every)?;
        let filter = foveola_core::LowPass::new(table.shape(from), decay);
        Ok(table.push(from, Stage::LowPass(filter)))
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("tau", self.tau())]
    }

    fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        vec![Parameter::new("tau", nodes.node(0).gains.iter().sum::<f64>() * self.tau.slope(nodes.every()))]
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        if name != "tau" {
            return Ok(false);
        }
        self.tau = self.tau.with("LowPass", values.number()?)?;
        Ok(true)
    }
}

/// Exponential high-pass of every pixel: `x - k lowpass(x)`. See [`foveola_core::HighPass`].
///
/// The response to a constant input is `1 - k` times that input, to within 1e-4 times `k`; the rounding is that of
/// [`LowPass`].
///
/// ```
/// use foveola::{HighPass, Model, Resolution};
/// let mut change = Model::of(HighPass::new(0.010, 1.0, Resolution::DEFAULT)?);
/// let step = change.run(&ndarray::Array3::<f32>::ones((200, 1, 1)), 50)?;
/// assert!(step[(0, 0, 0, 0, 0)] > 0.9 && step[(0, 0, 199, 0, 0)].abs() < 1e-6);
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HighPass {
    tau: TimeConstant,
    k: f64,
}

impl HighPass {
    /// Subtracts `k` times the low-pass of time constant `tau` (in seconds: 0, or up to 2.8e10 frames).
    ///
    /// # Errors
    /// A `tau` that is negative, not finite or too long; a `k` that is not finite.
    pub fn new(tau: f64, k: f64, resolution: Resolution) -> Result<Self> {
        Self::of(TimeConstant::new("HighPass", tau, resolution)?, k)
    }

    fn of(tau: TimeConstant, k: f64) -> Result<Self> {
        let probe = foveola_core::HighPass::new(foveola_core::Shape::new(1, 1, 1), tau.decay, k);
        probe.map_err(|source| Error::layer("HighPass", source))?;
        Ok(Self { tau, k })
    }

    /// The time constant in seconds.
    pub fn tau(&self) -> f64 {
        self.tau.seconds()
    }

    /// The frames of the model's input in a second, as the layer was made for.
    pub fn steps_per_second(&self) -> f64 {
        self.tau.steps_per_second()
    }

    /// The factor of the subtracted low-pass.
    pub fn k(&self) -> f64 {
        self.k
    }
}

impl Layer for HighPass {
    fn name(&self) -> &'static str {
        "HighPass"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        let decay = self.tau.decay(self.name(), table.rate(from).every)?;
        let filter = named(self, foveola_core::HighPass::new(table.shape(from), decay, self.k))?;
        Ok(table.push(from, Stage::HighPass(filter)))
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("tau", self.tau()), Parameter::new("k", self.k)]
    }

    fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        let node = nodes.node(0);
        let tau = node.gains.iter().sum::<f64>() * self.tau.slope(nodes.every());
        vec![Parameter::new("tau", tau), Parameter::new("k", node.scale.iter().sum::<f64>())]
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        *self = match name {
            "tau" => Self::of(self.tau.with("HighPass", values.number()?)?, self.k)?,
            "k" => Self::of(self.tau, values.number()?)?,
            _ => return Ok(false),
        };
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Conv3d, Model};
    use ndarray::{Array3, Array5};

    /// After a temporal stride a frame stands for several steps: the step response is `1 - exp(-every n / (tau fs))`.
    #[test]
    fn time_constants_are_seconds_behind_a_stride() {
        let (tau, resolution) = (0.02, Resolution { steps_per_second: 500.0, ..Resolution::DEFAULT });
        for every in [1, 2, 5] {
            let mut first = Conv3d::new(1, 1, [1, 1, 1]).expect("a kernel").with_stride([every, 1, 1]);
            first.set_weight(Array5::<f32>::ones((1, 1, 1, 1, 1))).expect("a weight");
            let low = LowPass::new(tau, resolution).expect("a time constant");
            let high = HighPass::new(tau, 1.0, resolution).expect("a time constant");
            let mut low = Model::of(first.clone()).then(low);
            let mut high = Model::of(first).then(high);
            let movie = Array3::from_elem((40, 1, 1), 1.0_f32);
            let low: Vec<f32> = low.process(&movie).expect("a good chunk").iter().copied().collect();
            let high: Vec<f32> = high.process(&movie).expect("a good chunk").iter().copied().collect();
            assert_eq!(low.len(), 40_usize.div_ceil(every), "every {every}");
            for (n, (low, high)) in low.into_iter().zip(high).enumerate() {
                let left = (-(((n + 1) * every) as f64) / (tau * 500.0)).exp();
                let off = (f64::from(low) - (1.0 - left)).abs().max((f64::from(high) - left).abs());
                assert!(off < 1e-5, "frame {n}, every {every}: {low} and {high}, {left} is left");
            }
        }
    }
}
