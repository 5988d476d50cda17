//! Adjoint of functions of one sample: `gx = f'(x) g`, with `u = bias + scale x`.
//!
//! | function        | `df/du`          |
//! |-----------------|------------------|
//! | `Rectify`, `RectifyScale` | 1 for `u > 0`, else 0 |
//! | `Square`        | `2 u`            |
//! | `RectifySquare` | `2 u` for `u > 0`, else 0 |
//! | `Exponential`   | `exp(u)`         |
//! | `Softplus`      | `p(u) = 1 / (1 + exp(-u))` |
//! | `Logistic`      | `p(u) (1 - p(u))`, as `p (1 - p)` of `-abs(u)`, where nothing cancels |
//!
//! `df/dx = scale df/du`, `df/dscale = x df/du`, `df/dbias = df/du`. At the kink the derivative is 0. NaN stays NaN. No state.
//! [`Finite`] passes gradients on.

use super::sums::sum_of;
use super::{Adjoint, Chunk, Lengths, Memory, Needs, Parameters};
use crate::filter::copy;
use crate::lanes::Lanes;
use crate::{Error, Finite, Nonlinearity, Pointwise, Sample};

/// `g`, or 0 where `u <= 0`.
#[inline(always)]
fn rectify<T: Sample>(u: T, g: T) -> T {
    if u <= T::zero() { T::zero() } else { g }
}

/// The derivative of the logistic function, which is even.
#[inline(always)]
fn bell<T: Sample>(u: T) -> T {
    let p = (if u > T::zero() { T::zero() - u } else { u }).logistic();
    p * (T::one() - p)
}

impl Pointwise {
    /// What the [adjoint](self) takes and needs.
    pub const fn adjoint_needs(&self) -> Needs {
        let mut needs = Needs { grad_in: false, ..Needs::of(self.signature(), 0) };
        if !matches!(self.function(), Nonlinearity::Rectify) {
            needs.parameters = Lengths { scale: 1, bias: 1, ..Lengths::NONE };
        }
        needs
    }

    /// [`Adjoint::retreat`] with given vectors.
    #[inline(always)]
    pub fn retreat_with<T: Sample, L: Lanes<T>>(&self, lanes: L, chunk: Chunk<'_, T>, memory: Memory<'_, T>) {
        match self.function() {
            Nonlinearity::Rectify => pull(lanes, (1.0, 0.0), chunk, memory, rectify),
            Nonlinearity::RectifyScale { scale, bias } => {
                pull(lanes, (scale, bias), chunk, memory, rectify);
            }
            Nonlinearity::Square { scale, bias } => {
                pull(lanes, (scale, bias), chunk, memory, |u, g| (u + u) * g);
            }
            Nonlinearity::RectifySquare { scale, bias } => {
                pull(lanes, (scale, bias), chunk, memory, |u, g| rectify(u, (u + u) * g));
            }
            Nonlinearity::Exponential { scale, bias } => {
                pull(lanes, (scale, bias), chunk, memory, |u, g| u.exponential() * g);
            }
            Nonlinearity::Softplus { scale, bias } => {
                pull(lanes, (scale, bias), chunk, memory, |u, g| u.logistic() * g);
            }
            Nonlinearity::Logistic { scale, bias } => {
                pull(lanes, (scale, bias), chunk, memory, |u, g| bell(u) * g);
            }
        }
    }
}

/// `slope(u, g)` is `df/du g`.
#[inline(always)]
fn pull<T: Sample, L: Lanes<T>>(
    lanes: L,
    (scale, bias): (f64, f64),
    chunk: Chunk<'_, T>,
    memory: Memory<'_, T>,
    slope: impl Fn(T, T) -> T + Copy,
) {
    let (scale, bias) = (T::from_f64(scale), T::from_f64(bias));
    let Chunk { input, grad_out, .. } = chunk;
    let Memory { grad_in, parameters: Parameters { gradient, .. }, .. } = memory;
    lanes.vectorize(
        #[inline(always)]
        || {
            for (gx, (x, g)) in grad_in.iter_mut().zip(input.iter().zip(grad_out)) {
                *gx = scale * slope(bias + scale * *x, *g);
            }
        },
    );
    if let [of_scale] = gradient.scale {
        *of_scale += sum_of(lanes, [input, grad_out], |[x, g]| x * slope(bias + scale * x, g));
    }
    if let [of_bias] = gradient.bias {
        *of_bias += sum_of(lanes, [input, grad_out], |[x, g]| slope(bias + scale * x, g));
    }
}

impl<T: Sample> Adjoint<T> for Pointwise {
    fn needs(&self) -> Needs {
        self.adjoint_needs()
    }

    fn retreat(&self, chunk: Chunk<'_, T>, memory: Memory<'_, T>) -> Result<(), Error> {
        self.retreat_with(T::LANES, chunk, memory);
        Ok(())
    }
}

impl<T: Sample> Adjoint<T> for Finite {
    fn needs(&self) -> Needs {
        Needs::of(self.signature(), 0)
    }

    fn retreat(&self, chunk: Chunk<'_, T>, memory: Memory<'_, T>) -> Result<(), Error> {
        copy(memory.grad_in, chunk.grad_out);
        Ok(())
    }
}
