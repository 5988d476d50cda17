//! A guard that passes finite frames on, and refuses a chunk with a NaN or an infinity.
//!
//! One such sample would stay in the state of a recursive filter for ever. Put the guard first in a model. It checks
//! the whole chunk before any other node runs, so all state is unchanged. No state. Cost: 1 comparison per sample.

use crate::filter::copy;
use crate::{Error, Filter, Sample, Shape, Signature};

/// Refuses samples that are not finite; see [above](self).
///
/// ```
/// use foveola_core::{Error, Filter, Finite, Shape};
/// const GUARD: Finite = Finite::new(Shape::new(1, 1, 2));
/// let mut out = [0.0_f32; 4];
/// let refused = GUARD.run(10, &mut [], &mut [], &[1.0, 2.0, f32::NAN, 4.0], &mut out);
/// assert_eq!(refused, Err(Error::NonFinite { frame: 11, index: 0 }));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Finite {
    shape: Shape,
}

impl Finite {
    /// A guard for frames of `shape`.
    pub const fn new(shape: Shape) -> Self {
        Self { shape }
    }

    /// Whether the frames of one stream are finite; the first has number `t`.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for the first sample that is not.
    pub fn check<T: Sample>(&self, t: u64, frames: &[T]) -> Result<(), Error> {
        let len = self.shape.len().max(1);
        match frames.iter().position(|x| !x.is_finite()) {
            Some(at) => Err(Error::NonFinite { frame: t.saturating_add((at / len) as u64), index: at % len }),
            None => Ok(()),
        }
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        Signature::same(self.shape, 0)
    }
}

impl<T: Sample> Filter<T> for Finite {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    fn advance(&self, t: u64, _: &mut [T], _: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        self.check(t, input)?;
        copy(output, input);
        Ok(input.len() / self.shape.len().max(1))
    }
}

#[cfg(test)]
mod tests {
    use crate::kernels::{ExponentialFilter, ExponentialKernel, GaussFilter, highpass_exponential};
    use crate::{
        Border, Conv3d, ConvOptions, Decay, Error, Factors, Graph, HighPass, Kernel, Node, Nonlinearity, PadMode,
        Pointwise, Resolution, Rf, Shape, SmoothConv, Source, constant,
    };

    const SHAPE: Shape = Shape::new(1, 4, 4);
    const NUMBERS: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    const DECAYS: [Decay; 1] = [constant!(Decay::from_gain(0.5))];

    /// Whether the error names the value.
    fn names(error: Option<Error>, name: &str, value: f64) {
        let (found, of) = match error {
            Some(Error::Parameter { name, value, .. }) => (name, value),
            Some(Error::NonFiniteWeight { what, index: 1, value }) => (what, value),
            _ => panic!("{name} {value}: {error:?}"),
        };
        assert!(found.contains(name) && of.to_bits() << 1 == value.to_bits() << 1, "{name} {value}: {error:?}");
    }

    #[test]
    fn weights_and_factors() {
        for bad in NUMBERS {
            let (good, wrong, value) = (&[0.5; 2][..], &[0.5, bad][..], bad.into());
            let kernel = Kernel::new(wrong, [1, 1, 1, 1, 2]);
            let biased = Kernel { weights: &[0.5; 4], shape: [2, 1, 1, 1, 2], bias: wrong };
            let conv = |kernel| Conv3d::new(SHAPE, kernel, ConvOptions::DEFAULT);
            names(conv(kernel).err(), "weight", value);
            names(conv(biased).err(), "bias", value);
            names(Rf::new(SHAPE, kernel, Some(PadMode::Mirror)).err(), "weight", value);
            names(Rf::new(SHAPE, biased, None).err(), "bias", value);
            names(Rf::new(SHAPE, Kernel { shape: [2, 1, 1, 1, 1], ..biased }, None).err(), "bias", value);
            let smooth = |spatial| SmoothConv::new(SHAPE, &DECAYS, spatial, [1, 2], Border::Zeros);
            names(smooth(wrong).err(), "spatial filter", value);
            let factors = Factors { terms: 2, time: good, rows: good, cols: &[0.5; 4] };
            let (conv, smooth) = (conv(Kernel::new(good, [1, 1, 1, 1, 2])).unwrap(), smooth(good).unwrap());
            for (factors, name) in [
                (Factors { time: wrong, ..factors }, "temporal"),
                (Factors { rows: wrong, ..factors }, "rows"),
                (Factors { cols: &[0.5, bad, 0.5, 0.5], ..factors }, "columns"),
            ] {
                names(conv.separable(factors).err(), name, value);
                names(smooth.separable(factors).err(), name, value);
                names(factors.check_finite().err(), name, value);
            }
            assert!(conv.separable(factors).is_ok() && smooth.separable(factors).is_ok());
        }
    }

    #[test]
    fn coefficients() {
        for value in NUMBERS.map(f64::from) {
            names(Decay::new(value, 1000.0).err(), "tau", value);
            names(Decay::new(0.1, value).err(), "steps_per_second", value);
            names(Decay::from_gain(value).err(), "gain", value);
            names(HighPass::new(SHAPE, DECAYS[0], value).err(), "k", value);
            for (scale, bias, name) in [(value, 0.0, "scale"), (0.0, value, "bias")] {
                for function in Nonlinearity::scaled(scale, bias) {
                    names(Pointwise::new(SHAPE, function).err(), name, value);
                }
            }
            for weights in [[value, 1.0], [1.0, value]] {
                let nodes = [Node::<f32>::Add(weights.map(|weight| (Source::Input, weight)))];
                names(Graph::new(SHAPE, &nodes).err(), "branch weight", value);
                let mut places = [crate::Place::first(SHAPE)];
                names(Graph::with_places(SHAPE, &nodes, &mut places).err(), "branch weight", value);
            }
        }
    }

    #[test]
    fn kernels() {
        let (taps, good) = (&mut [0.0_f32; 64], Resolution::DEFAULT);
        for value in NUMBERS.map(f64::from) {
            for (resolution, name) in [
                (Resolution { steps_per_second: value, ..good }, "steps_per_second"),
                (Resolution { pixel_per_degree: value, ..good }, "pixel_per_degree"),
                (Resolution { filter_epsilon: value, ..good }, "filter_epsilon"),
            ] {
                names(resolution.check().err(), name, value);
                names(GaussFilter::new(0.1, 0.1).write(resolution, taps).err(), name, value);
            }
            let kernel =
                ExponentialKernel { tau: 0.01, n: 0, amplification: 1.0, length: 10, steps_per_second: 1000.0 };
            names(ExponentialKernel { tau: value, ..kernel }.write(taps).err(), "tau", value);
            names(ExponentialKernel { amplification: value, ..kernel }.write(taps).err(), "amplification", value);
            names(ExponentialKernel { steps_per_second: value, ..kernel }.write(taps).err(), "steps_per_second", value);
            let filter = ExponentialFilter::new(0.01);
            names(ExponentialFilter { tau: value, ..filter }.write(good, taps).err(), "tau", value);
            names(ExponentialFilter { amplification: value, ..filter }.write(good, taps).err(), "amplification", value);
            names(highpass_exponential(value, 0.1, good, taps).err(), "tau", value);
            names(highpass_exponential(0.01, value, good, taps).err(), "amplification", value);
            names(GaussFilter::new(value, 0.1).write(good, taps).err(), "sig_row", value);
            names(GaussFilter::new(0.1, value).write(good, taps).err(), "sig_col", value);
            let factor = GaussFilter { border_factor: value, ..GaussFilter::new(0.1, 0.1) };
            names(factor.write(good, taps).err(), "border_factor", value);
        }
    }

    /// The first of several is found, wherever it is.
    #[test]
    fn the_first_of_many() {
        for index in 0..40 {
            let mut weights = [0.5_f32; 40];
            (weights[index], weights[39]) = (f32::NEG_INFINITY, f32::NAN);
            let kernel = Kernel::new(&weights, [1, 1, 1, 1, 40]);
            let found = Conv3d::new(SHAPE, kernel, ConvOptions::DEFAULT).map(|_| ());
            let at = |index: usize, value: f64| Err(Error::NonFiniteWeight { what: "the weight", index, value });
            if index < 39 {
                assert_eq!(found, at(index, f64::NEG_INFINITY));
                assert_eq!(kernel.check_finite(), found);
            } else {
                assert!(found.is_err() && kernel.check_finite().is_err(), "NaN at the end");
            }
        }
    }

    /// A constant of 4 million weights is below the compiler's limit.
    #[test]
    fn a_large_constant() {
        static WEIGHTS: [f32; 1 << 22] = [0.5; 1 << 22];
        const FIELD: Rf =
            constant!(Rf::new(Shape::new(1, 2048, 2048), Kernel::new(&WEIGHTS, [1, 1, 1, 2048, 2048]), None));
        assert_eq!(FIELD.signature().state, WEIGHTS.len());
    }
}
