//! Bounds on the values of a filter, given a bound on its input.
//!
//! The table holds for inputs up to `M` in magnitude and real numbers. Rounding is added to it: in `f32`, `n`
//! successive operations raise a bound by at most `(1 + 2^-23)^n`.
//!
//! | filter | output | intermediate values |
//! |---|---|---|
//! | convolution, receptive field | `sum \|w\| M + \|b\|`, the largest over the output channels | the same; with factors, the bound of each of the three sums |
//! | low-pass | `M` | `4 M`: the difference `x - y`, and its remainder |
//! | high-pass | `(1 + \|k\|) M` | `(4 + \|k\|) M` |
//! | `SmoothConv` | `sum \|g\| M` over all stages, or the largest of one stage | the same, or `4 M` |
//! | nonlinearities | `u = \|bias\| + \|scale\| M`, or its square; `exp(u)`, `u + ln 2`, 1 for those with an exponential | the same, and `u` |
//! | sums | `n M` | the same |
//! | difference | `2 M` | |
//! | weighted sum of branches | `\|wa\| Ma + \|wb\| Mb` | the same |
//! | product of branches | `Ma Mb` | the same |
//! | concatenation | the larger of both | the same |
//! | delays, padding | `M` (1 where the padding is ones) | |
//!
//! `M` must bound all inputs since the stream began, because the state depends on all of them. Where no bound exceeds
//! the largest number of the sample type, nothing can overflow and no check is needed.

use super::{Node, Source, Stage};
use crate::conv::{Factors, Kernel};
use crate::{Nonlinearity, PadMode, Sample};

/// Largest magnitudes in a filter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Of the output.
    pub output: f64,
    /// Of any intermediate value, output and state included.
    pub inside: f64,
}

impl Bound {
    const fn of(output: f64, inside: f64) -> Self {
        Self { output, inside }
    }

    /// The bound with the rounding of `operations` successive operations.
    fn rounded(self, operations: usize) -> Self {
        // (1 + e)^n <= 1 / (1 - n e), and there is no bound where n e reaches 1.
        let slack = 1.0 - operations as f64 / f64::from(1 << 23);
        let factor = if slack > 0.0 { 1.0 / slack } else { f64::INFINITY };
        Self { output: self.output * factor, inside: self.inside * factor }
    }
}

impl<T: Sample> Node<'_, T> {
    /// The bounds for sources up to `of(source)` in magnitude since the stream began; `None` as for [`Stage::bound`].
    ///
    /// ```
    /// use foveola_core::{Node, Source};
    /// let energy = Node::<f32>::Multiply([Source::Input; 2]);
    /// assert!((energy.bound(|_| 3.0).unwrap().output - 9.0).abs() < 1e-5);
    /// ```
    pub fn bound(&self, of: impl Fn(Source) -> f64) -> Option<Bound> {
        let (most, roundings) = match *self {
            Self::Filter(source, ref stage) => return stage.bound(of(source)),
            Self::Add([(a, weight_a), (b, weight_b)]) => (weight_a.abs() * of(a) + weight_b.abs() * of(b), 3),
            Self::Multiply([a, b]) => (of(a) * of(b), 1),
            Self::Concat([a, b]) => (of(a).max(of(b)), 0),
        };
        Some(Bound::of(most, most).rounded(roundings))
    }
}

impl<T: Sample> Stage<'_, T> {
    /// The bounds for inputs up to `most` in magnitude since the stream began; `None` for a filter from outside this
    /// crate. Cost: one pass over the weights.
    ///
    /// ```
    /// use foveola_core::graph::Bound;
    /// use foveola_core::{Nonlinearity, Pointwise, Shape, Stage};
    /// let square = Pointwise::new(Shape::new(1, 1, 1), Nonlinearity::Square { scale: 1.0, bias: 0.0 }).unwrap();
    /// let bound = Stage::<f32>::Pointwise(square).bound(1e30).unwrap();
    /// assert!(bound.output > 9e59); // more than an f32 can hold
    /// ```
    pub fn bound(&self, most: f64) -> Option<Bound> {
        let padded = |pad: Option<PadMode>| if pad == Some(PadMode::Ones) { most.max(1.0) } else { most };
        Some(match self {
            Self::TimePadding(filter) => Bound::of(padded(Some(filter.mode())), most),
            Self::Delay(_) | Self::VariableDelay(_) | Self::Finite(_) => Bound::of(most, most),
            Self::Conv3d(filter) => of_kernel(filter.kernel(), filter.factors(), padded(filter.options().pad)),
            Self::Rf(filter) if filter.is_empty() => {
                let (most, taps) = (padded(filter.pad()), filter.signature().state);
                let bias = largest(filter.kernel().bias);
                Bound::of(most + bias, taps as f64 * most + bias).rounded(taps)
            }
            Self::Rf(filter) => of_kernel(filter.kernel(), None, padded(filter.pad())),
            Self::LowPass(_) => Bound::of(most, 4.0 * most).rounded(8),
            Self::HighPass(filter) => {
                let k = filter.k().abs();
                Bound::of((1.0 + k) * most, (4.0 + k) * most).rounded(8)
            }
            Self::SmoothConv(filter) => {
                let (weights, size) = filter.weights();
                let stages = filter.decays().len();
                // One kernel with an input for each stage, or one kernel for each stage.
                let shape = if filter.yields_components() {
                    [stages, 1, 1, size[0], size[1]]
                } else {
                    [1, stages, 1, size[0], size[1]]
                };
                let Bound { output, inside } = of_kernel(&Kernel::new(weights, shape), filter.factors(), most);
                Bound::of(output, inside.max(4.0 * most)).rounded(8 * stages)
            }
            Self::Pointwise(filter) => {
                let affine = |scale: f64, bias: f64| bias.abs() + scale.abs() * most;
                let (output, inside) = match filter.function() {
                    Nonlinearity::Rectify => (most, most),
                    Nonlinearity::RectifyScale { scale, bias } => (affine(scale, bias), most),
                    Nonlinearity::Square { scale, bias } | Nonlinearity::RectifySquare { scale, bias } => {
                        let u = affine(scale, bias);
                        (u * u, most)
                    }
                    // What `u` is off by, in three roundings, is a factor here.
                    Nonlinearity::Exponential { scale, bias } => {
                        let u = affine(scale, bias);
                        (libm::exp(u * (1.0 + 1e-6)), u.max(most))
                    }
                    Nonlinearity::Softplus { scale, bias } => {
                        let u = affine(scale, bias);
                        (u + core::f64::consts::LN_2, u.max(most))
                    }
                    Nonlinearity::Logistic { scale, bias } => (1.0, affine(scale, bias).max(most)),
                };
                Bound::of(output, output.max(inside)).rounded(6)
            }
            Self::Sum(filter) => {
                let n = filter.axis().0;
                Bound::of(n as f64 * most, n as f64 * most).rounded(n)
            }
            Self::Diff(_) => Bound::of(2.0 * most, 2.0 * most).rounded(1),
            Self::Custom(..) => return None,
        })
    }
}

/// The bound of a correlation with `kernel`, or with the factors that compute it.
fn of_kernel<T: Sample>(kernel: &Kernel<'_, T>, factors: Option<&Factors<'_, T>>, most: f64) -> Bound {
    let [_, ins, kt, kh, kw] = kernel.shape;
    let taps = [ins, kt, kh, kw].into_iter().fold(1, usize::saturating_mul);
    let gain = kernel.weights.chunks(taps.max(1)).map(magnitudes).fold(0.0, f64::max);
    let bias = largest(kernel.bias);
    let output = gain * most + bias;
    let inside = match factors {
        None => output,
        Some(factors) => {
            let along = |weights: &[T], len: usize| weights.chunks(len.max(1)).map(magnitudes).fold(0.0, f64::max);
            let in_time = if kt > 1 { along(factors.time, kt) } else { 1.0 };
            let in_cols = in_time * along(factors.cols, kw);
            let in_rows = in_cols * along(factors.rows, kh) * ins.saturating_mul(factors.terms) as f64;
            most * in_time.max(in_cols).max(in_rows) + bias
        }
    };
    Bound::of(output, inside.max(output).max(most)).rounded(taps.saturating_add(4))
}

fn magnitudes<T: Sample>(values: &[T]) -> f64 {
    values.iter().map(|value| value.to_f64().abs()).sum()
}

fn largest<T: Sample>(values: &[T]) -> f64 {
    values.iter().map(|value| value.to_f64().abs()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decay, Filter, HighPass, LowPass, Pointwise, Shape};

    /// Functions with an exponential stay within their bounds, and reach them at the largest input.
    #[test]
    fn exponentials_stay_within_their_bounds() {
        let shape = Shape::new(1, 1, 1);
        for (scale, bias, most) in [(1.0, 0.0, 1.0), (-3.0, -0.5, 2.0), (0.7, 5.0, 100.0), (1.0, 0.0, 88.0)] {
            for function in [
                Nonlinearity::Exponential { scale, bias },
                Nonlinearity::Softplus { scale, bias },
                Nonlinearity::Logistic { scale, bias },
            ] {
                let filter = Pointwise::new(shape, function).unwrap();
                let bound = Stage::<f32>::Pointwise(filter).bound(most).unwrap();
                let most = if scale * bias < 0.0 { -most } else { most };
                let x = if scale < 0.0 && bias >= 0.0 { -most } else { most };
                for x in [x, -x] {
                    let mut out = [0.0_f32];
                    filter.run(0, &mut [], &mut [], &[x as f32], &mut out).unwrap();
                    assert!(f64::from(out[0]) <= bound.output, "{function:?} of {x}: {out:?}, {bound:?}");
                }
                assert!(bound.inside >= bound.output.max(bias.abs() + scale.abs() * most.abs()), "{bound:?}");
            }
        }
        let exponential = Pointwise::new(shape, Nonlinearity::Exponential { scale: 1.0, bias: 0.0 }).unwrap();
        let bound = |most| Stage::<f32>::Pointwise(exponential).bound(most).unwrap().output;
        assert!(bound(88.0) < f32::MAX.into() && bound(89.0) > f32::MAX.into());
        assert!((bound(2.0) / 2.0_f64.exp() - 1.0).abs() < 1e-5);
    }

    /// The recursive filters stay within their bounds, and reach them for a long 1 followed by a long -1.
    #[test]
    fn recursive_filters_stay_within_their_bounds() {
        let (shape, decay) = (Shape::new(1, 1, 1), Decay::new(0.01, 1000.0).unwrap());
        for k in [0.0, 0.5, 1.0, -2.0, 30.0] {
            let filters: [(Stage<'_>, &dyn Filter); 2] = [
                (Stage::LowPass(LowPass::new(shape, decay)), &LowPass::new(shape, decay)),
                (Stage::HighPass(HighPass::new(shape, decay, k).unwrap()), &HighPass::new(shape, decay, k).unwrap()),
            ];
            for (stage, filter) in filters {
                let (mut state, mut out, mut largest) = ([0.0_f32], [0.0_f32], 0.0_f64);
                for t in 0..1000 {
                    let x = if t < 500 { 1.0 } else { -1.0 };
                    filter.run(t, &mut state, &mut [], &[x], &mut out).unwrap();
                    largest = largest.max(f64::from(out[0]).abs());
                }
                let bound = stage.bound(1.0).unwrap();
                assert!((0.8..=1.0).contains(&(largest / bound.output)), "k = {k}: {largest}, {bound:?}");
                assert!(bound.inside >= bound.output, "k = {k}: {bound:?}");
            }
        }
    }
}
