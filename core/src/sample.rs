//! The operations of a sample: add, subtract, multiply, compare, and the exponential functions of nonlinearities. No division,
//! no rounding mode.
//!
//! `f32` and `f64` are samples. Coefficients are `f64` in a filter's description and are converted to samples once per
//! frame. A fixed-point type therefore only has to define how it rounds ([`Sample::from_f64`]) and how it accumulates
//! products ([`Lanes`]).

use crate::exponentials;
use crate::lanes::{Lanes, OF_F32, OF_F64, WideF32, WideF64};
use core::ops::Sub;
use num_traits::{One, Zero};

/// A number that filters compute with.
///
/// ```
/// use foveola_core::Sample;
/// assert_eq!(f32::mean(&[1.0, 2.0, 6.0]), 3.0);
/// assert!(!f32::NAN.is_finite());
/// ```
pub trait Sample:
    Copy + PartialOrd + Zero + One + Sub<Output = Self> + Send + Sync + core::fmt::Debug + 'static
{
    /// The vectors of the reproducible family: unfused, bit-identical on every CPU.
    type Lanes: Lanes<Self>;
    /// Their token.
    const LANES: Self::Lanes;

    /// The magnitude below which the state of a [recursive filter](crate::recursive) counts as zero, so that it yields
    /// no subnormal numbers; 0 for a type that has none.
    const SMALL: f64 = 0.0;

    /// The nearest sample to a coefficient.
    fn from_f64(value: f64) -> Self;

    /// A small integer: what a polarity adds to a frame. Override it where that is cheaper than through `f64`.
    #[inline(always)]
    fn from_i8(value: i8) -> Self {
        Self::from_f64(value.into())
    }

    /// The sample's value.
    fn to_f64(self) -> f64;

    /// Whether the sample is neither NaN nor infinite. Always true for integers.
    fn is_finite(self) -> bool;

    /// Whether it is a zero with a sign of its own, which only floating-point numbers have.
    #[inline(always)]
    fn is_negative_zero(self) -> bool {
        self.is_zero() && self.to_f64().is_sign_negative()
    }

    /// Whether all of `samples` are zero. Override it where that is cheaper than one by one.
    #[inline(always)]
    fn are_zero(samples: &[Self; 8]) -> bool {
        samples.iter().all(|x| x.is_zero())
    }

    /// `exp(self)`. Here and below: a type other than `f32` computes it in `f64`, unless it overrides the method.
    #[must_use]
    #[inline(always)]
    fn exponential(self) -> Self {
        Self::from_f64(libm::exp(self.to_f64()))
    }

    /// `ln(1 + exp(self))`.
    #[must_use]
    #[inline(always)]
    fn softplus(self) -> Self {
        let x = self.to_f64();
        let positive = if x < 0.0 { 0.0 } else { x };
        Self::from_f64(positive + libm::log1p(libm::exp(-libm::fabs(x))))
    }

    /// `1 / (1 + exp(-self))`.
    #[must_use]
    #[inline(always)]
    fn logistic(self) -> Self {
        let x = self.to_f64();
        let z = libm::exp(-libm::fabs(x));
        Self::from_f64((if x < 0.0 { z } else { 1.0 }) / (1.0 + z))
    }

    /// The mean over `samples`, accumulated in `f64`; 0 for none.
    fn mean(samples: &[Self]) -> Self {
        if samples.is_empty() {
            return Self::zero();
        }
        let sum: f64 = samples.iter().map(|x| x.to_f64()).sum();
        Self::from_f64(sum / samples.len() as f64)
    }
}

impl Sample for f32 {
    type Lanes = WideF32;
    const LANES: WideF32 = OF_F32;
    const SMALL: f64 = 1.0 / (1_u128 << 72) as f64;

    fn from_f64(value: f64) -> Self {
        value as Self
    }

    #[inline(always)]
    fn from_i8(value: i8) -> Self {
        value.into()
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    fn is_finite(self) -> bool {
        Self::is_finite(self)
    }

    #[inline(always)]
    fn are_zero(samples: &[Self; 8]) -> bool {
        // All bits but those of signs.
        samples.iter().fold(0, |bits, x| bits | x.to_bits()) << 1 == 0
    }

    #[inline(always)]
    fn exponential(self) -> Self {
        exponentials::exp(self)
    }

    #[inline(always)]
    fn softplus(self) -> Self {
        exponentials::softplus(self)
    }

    #[inline(always)]
    fn logistic(self) -> Self {
        exponentials::logistic(self)
    }
}

impl Sample for f64 {
    type Lanes = WideF64;
    const LANES: WideF64 = OF_F64;
    const SMALL: Self = Self::MIN_POSITIVE * (1_u128 << 122) as Self; // 2^-900

    fn from_f64(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn from_i8(value: i8) -> Self {
        value.into()
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn is_finite(self) -> bool {
        Self::is_finite(self)
    }
}
