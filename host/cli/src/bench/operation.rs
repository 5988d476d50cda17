//! What a workload computes, as plain data for building layers and competing implementations.

use super::Setting;
use foveola::layers::{Conv, Kind};
use foveola::{
    Branches, Conv1d, Conv2d, Conv3d, Delay, Diff, Error, HighPass, LowPass, Model, NLRectify, Resolution, Result, Rf,
    SmoothConv, VariableDelay, Weight,
};
use ndarray::{Array2, Array3, Array5};

/// The largest number of weights of a filter: the limit of the layers.
const MOST_WEIGHTS: usize = 1 << 28;

/// A filter with its sizes. Time constants are those of [`Resolution::DEFAULT`]. Kernels are pseudo-random (of full rank, so
/// that they are not separable) unless stated otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// [`Conv3d`], `kernel` = `[time, row, col]`, `channels` = `[in, out]`.
    Conv3d {
        /// `[time, row, col]`.
        kernel: [usize; 3],
        /// `[in, out]`.
        channels: [usize; 2],
    },
    /// [`Conv2d`].
    Conv2d {
        /// `[row, col]`.
        kernel: [usize; 2],
        /// `[in, out]`.
        channels: [usize; 2],
    },
    /// [`Conv1d`].
    Conv1d {
        /// Taps.
        frames: usize,
        /// `[in, out]`.
        channels: [usize; 2],
    },
    /// [`Conv2d`] with [`gaussian`] in both directions.
    Gaussian {
        /// Rows and columns of the kernel.
        side: usize,
    },
    /// [`LowPass`] of 10 ms.
    LowPass,
    /// [`HighPass`] of 10 ms.
    HighPass,
    /// [`SmoothConv`] with 5 ms per stage.
    SmoothConv {
        /// Stages.
        stages: usize,
        /// `[row, col]`.
        kernel: [usize; 2],
    },
    /// [`Delay`].
    Delay {
        /// The delay.
        frames: usize,
    },
    /// [`VariableDelay`] with pseudo-random delays, starting at 0.
    VariableDelay {
        /// The longest delay.
        frames: usize,
    },
    /// [`Diff`].
    Diff,
    /// [`NLRectify`].
    Rectify,
    /// [`Rf`] with a weight of the frame size.
    Rf {
        /// Frames under the weight.
        frames: usize,
        /// `[in, out]`.
        channels: [usize; 2],
    },
    /// [`Conv3d`] from one channel to `channels`, and the uniform [`Rf`] over them and `frames`.
    ConvRf {
        /// `[time, row, col]` of the convolution.
        kernel: [usize; 3],
        /// Channels between the two.
        channels: usize,
        /// Frames under the receptive field.
        frames: usize,
    },
    /// A centre minus a surround, rectified: two chains of three exponentials, each through 5 x 5 Gaussians.
    Retina,
}

/// The convolution of an operation, of one of three kinds.
pub(super) enum AnyConv {
    Spacetime(Conv3d),
    Space(Conv2d),
    Time(Conv1d),
}

/// A time constant of 0.01 s.
const TAU: f64 = 0.010;
/// The factor of the low-pass that the high-pass subtracts.
const SHARE: f64 = 1.0;

/// `len` pseudo-random numbers from -0.5 to 0.5, different for each `seed`.
pub fn noise(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed;
    let next = || {
        // Steele et al. 2014, SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// `len` samples of a Gaussian whose standard deviation is a sixth of that length, with a sum of 1.
pub fn gaussian(len: usize) -> Vec<f32> {
    let (middle, sigma) = ((len as f64 - 1.0) / 2.0, len as f64 / 6.0);
    let taps: Vec<f64> = (0..len).map(|i| libm::exp(-0.5 * ((i as f64 - middle) / sigma).powi(2))).collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| (tap / sum) as f32).collect()
}

fn weight(shape: [usize; 5]) -> Array5<f32> {
    let len = shape.iter().product();
    Array5::from_shape_vec(shape, noise(1, len)).unwrap_or_default()
}

/// The workload `retina`. Its layers stay as they are, so that its numbers can be compared with earlier ones; the kernels of
/// the ready model `retina` are larger.
fn retina(resolution: Resolution) -> Result<Model> {
    let blob = |tau: f64, sigma: f64| {
        let spatial = Array3::from_shape_fn((3, 5, 5), |(_, r, c)| {
            let square = |i: usize| (i as f64 - 2.0) * (i as f64 - 2.0);
            (-(square(r) + square(c)) / (2.0 * sigma * sigma)).exp() as f32
        });
        SmoothConv::new(&[tau; 3], Weight::from(spatial).normalize(), resolution)
    };
    let (centre, surround) = (blob(0.006, 0.8)?, blob(0.010, 3.0)?);
    Ok(Model::new().then(Branches::new().plus(centre).minus(surround)).then(NLRectify))
}

/// Sets the weight of the workload, and the algorithm.
fn finished<K: Kind>(conv: Conv<K>, weight: impl Into<Weight>, setting: &Setting) -> Result<Conv<K>> {
    Ok(conv.with_weight(weight)?.with_algorithm(setting.algorithm))
}

impl Operation {
    /// Channels of an input frame.
    pub fn channels(self) -> usize {
        match self {
            Self::Conv3d { channels, .. }
            | Self::Conv2d { channels, .. }
            | Self::Conv1d { channels, .. }
            | Self::Rf { channels, .. } => channels[0],
            _ => 1,
        }
    }

    /// The weight of a convolution, or of a receptive field over `rows` x `cols`, as an impulse response
    /// `(out, in, time, row, col)`; for `SmoothConv` a kernel `(stage, 1, 1, row, col)`. None for other filters.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn weight(self, rows: usize, cols: usize) -> Result<Option<Array5<f32>>> {
        let Some(shape) = self.weight_shape(rows, cols) else { return Ok(None) };
        let len = shape.iter().try_fold(1_usize, |len, axis| len.checked_mul(*axis)).unwrap_or(usize::MAX);
        if len > MOST_WEIGHTS {
            return Err(Error::Memory { what: "the weight", samples: len });
        }
        Ok(Some(match self {
            Self::Gaussian { side } => {
                let taps = gaussian(side);
                Array5::from_shape_fn(shape, |(.., row, col)| taps[row] * taps[col])
            }
            _ => weight(shape),
        }))
    }

    pub(super) fn weight_shape(self, rows: usize, cols: usize) -> Option<[usize; 5]> {
        match self {
            Self::Conv3d { kernel: [t, r, c], channels: [ins, out] } => Some([out, ins, t, r, c]),
            Self::Conv2d { kernel: [r, c], channels: [ins, out] } => Some([out, ins, 1, r, c]),
            Self::Conv1d { frames, channels: [ins, out] } => Some([out, ins, frames, 1, 1]),
            Self::Gaussian { side } => Some([1, 1, 1, side, side]),
            Self::SmoothConv { stages, kernel: [r, c] } => Some([stages, 1, 1, r, c]),
            Self::Rf { frames, channels: [ins, out] } => Some([out, ins, frames, rows, cols]),
            Self::ConvRf { kernel: [t, r, c], channels, .. } => Some([channels, 1, t, r, c]),
            _ => None,
        }
    }

    /// Delays of `VariableDelay` for frames of `rows` x `cols`; none for other filters.
    pub fn delays(self, rows: usize, cols: usize) -> Option<Array2<u32>> {
        let Self::VariableDelay { frames } = self else { return None };
        let delay = |x: f32| ((x + 0.5) * (frames as f32 + 1.0)) as u32;
        let delays = noise(2, rows * cols).into_iter().map(|x| delay(x).min(frames as u32));
        Array2::from_shape_vec((rows, cols), delays.collect()).ok()
    }

    /// The model for frames of `rows` x `cols`.
    pub(super) fn model(self, rows: usize, cols: usize, setting: &Setting) -> Result<Model> {
        let resolution = Resolution::DEFAULT;
        Ok(match self {
            Self::LowPass => Model::of(LowPass::new(TAU, resolution)?),
            Self::HighPass => Model::of(HighPass::new(TAU, SHARE, resolution)?),
            Self::SmoothConv { stages, kernel: [r, c] } => {
                let weight = self.weight(rows, cols)?.unwrap_or_default();
                let spatial = weight.into_shape_with_order((stages, r, c)).unwrap_or_default();
                Model::of(SmoothConv::new(&vec![TAU / 2.0; stages], spatial, resolution)?)
            }
            Self::Delay { frames } => Model::of(Delay::new(frames)),
            Self::VariableDelay { .. } => Model::of(VariableDelay::new(&self.delays(rows, cols).unwrap_or_default())),
            Self::Diff => Model::of(Diff),
            Self::Rectify => Model::of(NLRectify),
            Self::Rf { frames, channels: [ins, out] } => {
                let field = Rf::new(ins, out, frames)?;
                Model::of(field.with_weight(self.weight(rows, cols)?.unwrap_or_default())?)
            }
            Self::Retina => retina(resolution)?,
            Self::Conv3d { .. } | Self::Conv2d { .. } | Self::Conv1d { .. } | Self::Gaussian { .. } => {
                match self.conv(setting)? {
                    Some(AnyConv::Spacetime(conv)) => Model::of(conv),
                    Some(AnyConv::Space(conv)) => Model::of(conv),
                    Some(AnyConv::Time(conv)) => Model::of(conv),
                    None => Model::new(),
                }
            }
            Self::ConvRf { channels, frames, .. } => match self.conv(setting)? {
                Some(AnyConv::Spacetime(conv)) => Model::of(conv).then(Rf::new(channels, 1, frames)?),
                _ => Model::new(),
            },
        })
    }

    /// The convolution in the model; none if the model has none that is planned.
    pub(super) fn conv(self, setting: &Setting) -> Result<Option<AnyConv>> {
        let weight = || self.weight(0, 0).map(Option::unwrap_or_default);
        Ok(Some(match self {
            Self::Conv3d { kernel, channels: [ins, out] } => {
                AnyConv::Spacetime(finished(Conv3d::new(ins, out, kernel)?, weight()?, setting)?)
            }
            Self::ConvRf { kernel, channels, .. } => {
                AnyConv::Spacetime(finished(Conv3d::new(1, channels, kernel)?, weight()?, setting)?)
            }
            Self::Conv2d { kernel: [r, c], channels: [ins, out] } => {
                let weight = weight()?.into_shape_with_order((out, ins, r, c)).unwrap_or_default();
                AnyConv::Space(finished(Conv2d::new(ins, out, [r, c])?, weight, setting)?)
            }
            Self::Gaussian { side } => {
                let weight = weight()?.into_shape_with_order((side, side)).unwrap_or_default();
                AnyConv::Space(finished(Conv2d::new(1, 1, [side, side])?, weight, setting)?)
            }
            Self::Conv1d { frames, channels: [ins, out] } => {
                let weight = weight()?.into_shape_with_order((out, ins, frames)).unwrap_or_default();
                AnyConv::Time(finished(Conv1d::new(ins, out, frames)?, weight, setting)?)
            }
            _ => return Ok(None),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_even() {
        let noise = noise(3, 10_000);
        let mean = noise.iter().sum::<f32>() / 10_000.0;
        assert!(mean.abs() < 0.02 && noise.iter().all(|x| (-0.5..0.5).contains(x)), "a mean of {mean}");
        assert_ne!(noise[..10], super::noise(4, 10)[..]);
    }

    #[test]
    fn a_gaussian_has_a_gain_of_1() {
        let taps = gaussian(21);
        assert!((taps.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{taps:?}");
        assert!(taps[10] > taps[9] && taps[0] == taps[20], "{taps:?}");
    }

    #[test]
    fn delays_reach_their_ends() {
        let delays = Operation::VariableDelay { frames: 20 }.delays(64, 64).expect("delays");
        assert_eq!((delays.iter().min(), delays.iter().max()), (Some(&0), Some(&20)));
    }
}
