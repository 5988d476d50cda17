//! Pointwise nonlinearities.
//!
//! | name            | out                          |
//! |-----------------|------------------------------|
//! | `Rectify`       | `max(x, 0)`                  |
//! | `RectifyScale`  | `max(bias + scale x, 0)`     |
//! | `Square`        | `(bias + scale x)^2`         |
//! | `RectifySquare` | `max(bias + scale x, 0)^2`   |
//! | `Exponential`   | `exp(bias + scale x)`        |
//! | `Softplus`      | `ln(1 + exp(bias + scale x))` |
//! | `Logistic`      | `1 / (1 + exp(-(bias + scale x)))` |
//!
//! No state. Cost: 1 to 4 operations per sample, 28 to 45 for the last three. NaN stays NaN. In `f32` the last three have the same
//! bits on every machine; they are off by at most 1.0, 2.9 and 2.5 units in the last place for a given `bias + scale x`, are 0 where
//! that is below -87.34, and `Exponential` is infinite above 88.72.

use crate::cases::Cases;
use crate::engine::{Engine, WorkSplitter};
use crate::error::within_range;
use crate::graph::MOVE;
use crate::lanes::Lanes;
use crate::sample::Scaled;
use crate::{Error, Filter, Sample, Shape, Signature};

/// A function of one sample; see the [table](self).
#[doc(alias = "NLRectify")]
#[doc(alias = "NLSquare")]
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "scale and bias are those of the table")]
#[non_exhaustive]
pub enum Nonlinearity {
    /// `max(x, 0)`
    Rectify,
    /// `max(bias + scale x, 0)`
    RectifyScale { scale: f64, bias: f64 },
    /// `(bias + scale x)^2`
    Square { scale: f64, bias: f64 },
    /// `max(bias + scale x, 0)^2`
    RectifySquare { scale: f64, bias: f64 },
    /// `exp(bias + scale x)`
    Exponential { scale: f64, bias: f64 },
    /// `ln(1 + exp(bias + scale x))`
    Softplus { scale: f64, bias: f64 },
    /// `1 / (1 + exp(-(bias + scale x)))`
    Logistic { scale: f64, bias: f64 },
}

#[cfg(test)]
impl Nonlinearity {
    /// All that have a scale and a bias.
    pub(crate) const fn scaled(scale: f64, bias: f64) -> [Self; 6] {
        [
            Self::RectifyScale { scale, bias },
            Self::Square { scale, bias },
            Self::RectifySquare { scale, bias },
            Self::Exponential { scale, bias },
            Self::Softplus { scale, bias },
            Self::Logistic { scale, bias },
        ]
    }
}

// The case of each.
const RECTIFY: Cases = Cases::function(0);
const RECTIFY_SCALE: Cases = Cases::function(1);
const SQUARE: Cases = Cases::function(2);
const RECTIFY_SQUARE: Cases = Cases::function(3);
const EXPONENTIAL: Cases = Cases::function(4);
const SOFTPLUS: Cases = Cases::function(5);
const LOGISTIC: Cases = Cases::function(6);

/// Applies a [`Nonlinearity`] to every sample.
///
/// ```
/// use foveola_core::{Filter, Nonlinearity, Pointwise, Shape, constant};
/// const RECTIFY: Pointwise = constant!(Pointwise::new(Shape::new(1, 1, 2), Nonlinearity::Rectify));
/// let mut out = [0.0_f32; 2];
/// RECTIFY.step(0, &mut [], &mut [], &[-1.0, 2.0], &mut out).unwrap();
/// assert_eq!(out, [0.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pointwise {
    shape: Shape,
    function: Nonlinearity,
}

impl Pointwise {
    /// `function`, applied to frames of `shape`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a scale or bias that is not finite as an `f32`.
    pub const fn new(shape: Shape, function: Nonlinearity) -> Result<Self, Error> {
        let (scale, bias) = match function {
            Nonlinearity::Rectify => (1.0, 0.0),
            Nonlinearity::RectifyScale { scale, bias }
            | Nonlinearity::Square { scale, bias }
            | Nonlinearity::RectifySquare { scale, bias }
            | Nonlinearity::Exponential { scale, bias }
            | Nonlinearity::Softplus { scale, bias }
            | Nonlinearity::Logistic { scale, bias } => (scale, bias),
        };
        if let Err(error) = within_range("scale", scale) {
            return Err(error);
        }
        if let Err(error) = within_range("bias", bias) {
            return Err(error);
        }
        Ok(Self { shape, function })
    }

    /// The function.
    pub const fn function(&self) -> Nonlinearity {
        self.function
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        Signature::same(self.shape, 0)
    }

    /// What the filter asks for.
    pub(crate) const fn cases(&self) -> Cases {
        match self.function {
            Nonlinearity::Rectify => RECTIFY,
            Nonlinearity::RectifyScale { .. } => RECTIFY_SCALE,
            Nonlinearity::Square { .. } => SQUARE,
            Nonlinearity::RectifySquare { .. } => RECTIFY_SQUARE,
            Nonlinearity::Exponential { .. } => EXPONENTIAL,
            Nonlinearity::Softplus { .. } => SOFTPLUS,
            Nonlinearity::Logistic { .. } => LOGISTIC,
        }
    }
}

impl Pointwise {
    /// [`Filter::advance`] with given vectors and threads.
    #[inline(always)]
    pub fn advance_with<T: Sample, L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        input: &[T],
        output: &mut [T],
    ) -> usize {
        self.map(engine, Samples::Copied(input, output));
        input.len() / self.shape.len().max(1)
    }

    /// Replaces every sample by its function, with given vectors and threads.
    #[inline(always)]
    pub fn replace_with<T: Sample, L: Lanes<T>, F: WorkSplitter>(&self, engine: Engine<L, F>, samples: &mut [T]) {
        self.map(engine, Samples::Replaced(samples));
    }

    #[inline(always)]
    fn map<T: Sample, L: Lanes<T>, F: WorkSplitter>(&self, engine: Engine<L, F>, samples: Samples<'_, T>) {
        let affine = |scale, bias| {
            let Scaled { value: [scale, bias], shift } = T::scaled([scale, bias]);
            #[inline(always)]
            move |x: T| T::from_sum(T::add_product(bias.to_sum(), x, scale), shift)
        };
        // Where `u` would not be in the range of samples that are integers.
        let exactly = |x: T, scale, bias| -> f64 { bias + scale * x.to_f64() };
        let has = |function| L::asks(function, true);
        match self.function {
            Nonlinearity::Exponential { scale, bias } if has(EXPONENTIAL) && T::HAS_WIDE_SUMS => {
                map(engine, samples, |x| T::from_f64(exactly(x, scale, bias).exponential()));
            }
            Nonlinearity::Softplus { scale, bias } if has(SOFTPLUS) && T::HAS_WIDE_SUMS => {
                map(engine, samples, |x| T::from_f64(exactly(x, scale, bias).softplus()));
            }
            Nonlinearity::Logistic { scale, bias } if has(LOGISTIC) && T::HAS_WIDE_SUMS => {
                map(engine, samples, |x| T::from_f64(exactly(x, scale, bias).logistic()));
            }
            Nonlinearity::Rectify if has(RECTIFY) => map(engine, samples, rectify),
            Nonlinearity::RectifyScale { scale, bias } if has(RECTIFY_SCALE) => {
                let affine = affine(scale, bias);
                map(
                    engine,
                    samples,
                    #[inline(always)]
                    |x| rectify(affine(x)),
                );
            }
            Nonlinearity::Square { scale, bias } if has(SQUARE) => {
                let affine = affine(scale, bias);
                map(
                    engine,
                    samples,
                    #[inline(always)]
                    |x| square(affine(x)),
                );
            }
            Nonlinearity::RectifySquare { scale, bias } if has(RECTIFY_SQUARE) => {
                let affine = affine(scale, bias);
                map(
                    engine,
                    samples,
                    #[inline(always)]
                    |x| square(rectify(affine(x))),
                );
            }
            Nonlinearity::Exponential { scale, bias } if has(EXPONENTIAL) => {
                let affine = affine(scale, bias);
                map(
                    engine,
                    samples,
                    #[inline(always)]
                    |x| affine(x).exponential(),
                );
            }
            Nonlinearity::Softplus { scale, bias } if has(SOFTPLUS) => {
                let affine = affine(scale, bias);
                map(
                    engine,
                    samples,
                    #[inline(always)]
                    |x| affine(x).softplus(),
                );
            }
            Nonlinearity::Logistic { scale, bias } if has(LOGISTIC) => {
                let affine = affine(scale, bias);
                map(
                    engine,
                    samples,
                    #[inline(always)]
                    |x| affine(x).logistic(),
                );
            }
            _ => {}
        }
    }
}

/// Without vectors, samples of which the function is known where all are zero, as in a frame of events nearly all are.
const BLOCK: usize = 8;

/// Whether all are zero; most blocks of which some are not have a first sample that is not.
#[inline(always)]
fn are_zero<T: Sample>(block: &[T; BLOCK]) -> bool {
    block.first().is_some_and(|x| x.is_zero()) && T::are_zero(block)
}

/// The samples that a function is applied to.
enum Samples<'m, T> {
    /// From the first slice to the second.
    Copied(&'m [T], &'m mut [T]),
    /// In place.
    Replaced(&'m mut [T]),
}

impl<T> Samples<'_, T> {
    fn len(&self) -> usize {
        match self {
            Self::Copied(input, _) => input.len(),
            Self::Replaced(samples) => samples.len(),
        }
    }

    fn halves(self) -> (Self, Self) {
        let half = self.len() / 2;
        match self {
            Self::Copied(input, output) => {
                let (x, x_rest) = input.split_at_checked(half).unwrap_or_default();
                let (y, y_rest) = output.split_at_mut(half.min(output.len()));
                (Self::Copied(x, y), Self::Copied(x_rest, y_rest))
            }
            Self::Replaced(samples) => {
                let (x, rest) = samples.split_at_mut_checked(half).unwrap_or_default();
                (Self::Replaced(x), Self::Replaced(rest))
            }
        }
    }
}

#[inline(always)]
fn rectify<T: Sample>(x: T) -> T {
    if x < T::zero() { T::zero() } else { x }
}

#[inline(always)]
fn square<T: Sample>(x: T) -> T {
    x * x
}

/// `f` of every sample, split in halves when that is worthwhile.
fn map<T: Sample, L: Lanes<T>, F: WorkSplitter>(
    engine: Engine<L, F>,
    samples: Samples<'_, T>,
    f: impl Fn(T) -> T + Copy + Send + Sync,
) {
    let len = samples.len();
    if let Some(engine) = engine.halve(len.saturating_mul(2 * MOVE)).filter(|_| len > 1) {
        let (first, second) = samples.halves();
        engine.splitter.join(|| map(engine, first, f), || map(engine, second, f));
        return;
    }
    engine.lanes.vectorize(
        #[inline(always)]
        || match samples {
            Samples::Copied(input, output) if L::PLAIN && !L::LOOPS => {
                let ((blocks, rest), (outs, out)) = (input.as_chunks(), output.as_chunks_mut());
                let of_zero = f(T::zero());
                for (block, out) in blocks.iter().zip(outs) {
                    if are_zero(block) {
                        *out = [of_zero; BLOCK];
                        continue;
                    }
                    block.iter().zip(out).for_each(|(x, y)| *y = f(*x));
                }
                rest.iter().zip(out).for_each(|(x, y)| *y = f(*x));
            }
            Samples::Copied(input, output) => {
                for (x, y) in input.iter().zip(output) {
                    *y = f(*x);
                }
            }
            Samples::Replaced(samples) if L::PLAIN && !L::LOOPS => {
                let (blocks, rest) = samples.as_chunks_mut();
                let of_zero = f(T::zero());
                for block in blocks {
                    if are_zero(block) {
                        *block = [of_zero; BLOCK];
                        continue;
                    }
                    block.iter_mut().for_each(|x| *x = f(*x));
                }
                rest.iter_mut().for_each(|x| *x = f(*x));
            }
            Samples::Replaced(samples) => {
                for x in samples {
                    *x = f(*x);
                }
            }
        },
    );
}

impl<T: Sample> Filter<T> for Pointwise {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    fn advance(&self, _: u64, _: &mut [T], _: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        Ok(self.advance_with(Engine::single_thread(T::LANES), input, output))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{Plain, Scalar};

    /// A microcontroller passes over zeros in blocks: all of a block, or not, or with a sign.
    #[test]
    fn blocks_of_zeros_have_the_same_bits() {
        for function in [Nonlinearity::Rectify].into_iter().chain(Nonlinearity::scaled(-1.5, 0.25)) {
            let filter = Pointwise::new(Shape::new(1, 1, 37), function).unwrap();
            for places in [&[][..], &[0], &[7, 8], &[15], &[33], &[0, 9, 18, 27, 36]] {
                for value in [-0.0, -1.25, 3.5, f32::NAN, f32::INFINITY] {
                    let mut x = [0.0_f32; 37];
                    places.iter().for_each(|place| x[*place] = value);
                    let (mut expected, mut copied, mut replaced) = ([1.0; 37], [1.0; 37], x);
                    filter.advance_with(Engine::single_thread(Scalar), &x, &mut expected);
                    let engine = Engine::single_thread(Plain::<8, false>);
                    filter.advance_with(engine, &x, &mut copied);
                    filter.replace_with(engine, &mut replaced);
                    for found in [copied, replaced] {
                        let (found, expected) = (found.map(f32::to_bits), expected.map(f32::to_bits));
                        assert_eq!(found, expected, "{function:?}, {value} at {places:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn nan_stays_nan() {
        for function in [
            Nonlinearity::Rectify,
            Nonlinearity::RectifyScale { scale: 2.0, bias: 1.0 },
            Nonlinearity::Square { scale: 2.0, bias: 1.0 },
            Nonlinearity::RectifySquare { scale: 2.0, bias: 1.0 },
            Nonlinearity::Exponential { scale: 2.0, bias: 1.0 },
            Nonlinearity::Softplus { scale: 2.0, bias: 1.0 },
            Nonlinearity::Logistic { scale: 2.0, bias: 1.0 },
        ] {
            let filter = Pointwise::new(Shape::new(1, 1, 3), function).unwrap();
            let mut out = [0.0_f32; 3];
            filter.run(0, &mut [], &mut [], &[1.0, f32::NAN, -1.0], &mut out).unwrap();
            assert_eq!(out.map(f32::is_nan), [false, true, false], "{function:?}");
        }
    }
}
