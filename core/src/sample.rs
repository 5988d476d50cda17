//! The operations of a sample: add, subtract, multiply, compare, and the exponential functions of nonlinearities. No division,
//! no rounding mode.
//!
//! `f32` and `f64` are samples, and [`Q15`](crate::Q15), 16 bits. Coefficients are `f64` in a filter's description and are converted to
//! samples once per frame ([`Sample::scaled`]). Sums of products have a type of their own, so that integers are rounded once for
//! each output.

use crate::exponentials;
use crate::lanes::{Lanes, OF_F32, OF_F64, WideF32, WideF64};
use crate::recursive::compensated;
use core::ops::Sub;
use foveola_dsp::Lines;
use num_traits::{One, Zero};

/// Numbers of a filter and the power of two that they count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaled<V> {
    /// The numbers.
    pub value: V,
    /// They count `2^shift` times. 0 for floats.
    pub shift: i8,
}

/// The items of a [`Sample`] whose sums are samples, as those of floats are.
#[macro_export]
macro_rules! sums_are_samples {
    () => {
        type Sum = Self;

        #[inline(always)]
        fn to_sum(self) -> Self {
            self
        }

        #[inline(always)]
        fn product(self, w: Self) -> Self {
            self * w
        }

        #[inline(always)]
        fn add_product(sum: Self, x: Self, w: Self) -> Self {
            sum + x * w
        }

        #[inline(always)]
        fn from_sum(sum: Self, _: i8) -> Self {
            sum
        }

        #[inline(always)]
        fn as_sums(samples: &mut [Self]) -> Option<&mut [Self]> {
            Some(samples)
        }
    };
}
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

    /// 0, for memory that a constant makes.
    const ZERO: Self;

    /// The magnitude below which the state of a [recursive filter](crate::recursive) counts as zero, so that it yields
    /// no subnormal numbers; 0 for a type that has none.
    const SMALL: f64 = 0.0;

    /// What products are added in: the sample itself, or 32 bits where a sample has 16.
    type Sum: Copy + core::fmt::Debug + Send + Sync + 'static;

    /// Whether a sum is wider than a sample. Convolutions then hold sums beside the output, and any order of their taps yields
    /// the same bits.
    const HAS_WIDE_SUMS: bool = false;

    /// The nearest sample to a number.
    fn from_f64(value: f64) -> Self;

    /// The nearest samples to `values / 2^shift`, for the smallest `shift` that brings all of them into the range of samples;
    /// 0 for floats.
    fn scaled<const N: usize>(values: [f64; N]) -> Scaled<[Self; N]> {
        Scaled { value: values.map(Self::from_f64), shift: 0 }
    }

    /// `self` as a sum.
    fn to_sum(self) -> Self::Sum;

    /// `self w`.
    fn product(self, w: Self) -> Self::Sum;

    /// `sum + x w`.
    fn add_product(sum: Self::Sum, x: Self, w: Self) -> Self::Sum;

    /// Adds lines of taps to a row of sums, or to `start`, where samples have instructions for it, and returns whether it did. `out`
    /// receives `2^shift sum`, and the sums are not kept: [`foveola_dsp::add_lines`].
    #[inline(always)]
    fn add_lines(
        lines: Lines<'_, Self>,
        step: usize,
        start: Option<Self::Sum>,
        sums: &mut [Self::Sum],
        out: Option<(&mut [Self], i8)>,
    ) -> bool {
        let _ = (lines, step, start, sums, out);
        false
    }

    /// `2^shift sum`, rounded; for floats `sum`.
    fn from_sum(sum: Self::Sum, shift: i8) -> Self;

    /// Samples as sums, where they are; else none.
    fn as_sums(samples: &mut [Self]) -> Option<&mut [Self::Sum]>;

    /// `self + gain (x - self)`: a step of a recursion, for a gain from 0 to 1.
    #[must_use]
    #[inline(always)]
    fn approach(self, x: Self, gain: Scaled<Self>) -> Self {
        self + gain.value * (x - self)
    }

    /// The same with a remainder `c` of `y`, for gains so small that a sample does not hold the increment: see
    /// [`recursive`](crate::recursive). Integers also have a remainder `r` of `x`; zero where there is none.
    #[inline(always)]
    fn approach_closely(y: &mut Self, c: &mut Self, [x, r]: [Self; 2], gain: Scaled<Self>) {
        let _ = r;
        compensated(gain.value, x, y, c);
    }

    /// [`Sample::approach_closely`] of `2^shift x`, which may be out of range as long as `y` stays in range: for integers alone.
    #[inline(always)]
    fn approach_amplified(y: &mut Self, c: &mut Self, x: Self, gain: Scaled<Self>, shift: i8) {
        let x = x.amplified(Self::zero(), shift);
        Self::approach_closely(y, c, [x, Self::zero()], gain);
    }

    /// A step of a recursion with remainders for a row of inputs, which are sums, and become what the recursion holds: the input of
    /// the next one of a chain, without loss.
    #[inline(always)]
    fn approach_row(sums: &mut [Self::Sum], y: &mut [Self], c: &mut [Self], gain: Scaled<Self>) {
        for ((sum, y), c) in sums.iter_mut().zip(y).zip(c) {
            Self::approach_closely(y, c, [Self::from_sum(*sum, 0), Self::zero()], gain);
            *sum = y.to_sum();
        }
    }

    /// A step of a recursion with remainders for a row.
    #[inline(always)]
    fn approach_samples(x: &[Self], y: &mut [Self], c: &mut [Self], gain: Scaled<Self>) {
        for ((x, y), c) in x.iter().zip(y).zip(c) {
            Self::approach_closely(y, c, [*x, Self::zero()], gain);
        }
    }

    /// [`Sample::approach_row`] of `2^shift x`; `sums` receives what the recursion holds.
    #[inline(always)]
    fn approach_amplified_row(
        x: &[Self],
        sums: &mut [Self::Sum],
        [y, c]: [&mut [Self]; 2],
        gain: Scaled<Self>,
        shift: i8,
    ) {
        for (((x, sum), y), c) in x.iter().zip(sums).zip(y).zip(c) {
            Self::approach_amplified(y, c, *x, gain, shift);
            *sum = y.to_sum();
        }
    }

    /// `2^shift (self + remainder)`; the remainder is one of [`Sample::approach_closely`].
    #[must_use]
    #[inline(always)]
    fn amplified(self, remainder: Self, shift: i8) -> Self {
        let _ = remainder;
        Self::from_f64(self.to_f64() * libm::ldexp(1.0, shift.into()))
    }

    /// A count of events, such as what a polarity adds to a frame. Where samples are integers, 1 stands for `2^exponent`
    /// events, 15 at most: more counts as 15.
    #[inline(always)]
    fn from_count(count: i32, exponent: u8) -> Self {
        let _ = exponent;
        Self::from_f64(count.into())
    }

    /// The sample's value.
    fn to_f64(self) -> f64;

    /// The bits of the sample in its `size_of::<Self>()` lowest bytes, 8 at most; the others are 0. A [`Digest`](crate::Digest)
    /// counts them, and [`words`](crate::words) has state saved in them.
    ///
    /// ```
    /// use foveola_core::{Q15, Sample};
    /// assert_eq!((1.0_f32.to_raw_bits(), 1.0_f64.to_raw_bits()), (0x3F80_0000, 0x3FF0_0000_0000_0000));
    /// assert_eq!(Q15::from_bits(-2).to_raw_bits(), 0xFFFE);
    /// assert_eq!(Q15::from_raw_bits(0xFFFE), Q15::from_bits(-2));
    /// ```
    fn to_raw_bits(self) -> u64;

    /// The sample with these bits.
    fn from_raw_bits(bits: u64) -> Self;

    /// Whether the sample is neither NaN nor infinite. Always true for integers.
    fn is_finite(self) -> bool;

    /// Whether it is a zero with a sign of its own, which only floating-point numbers have.
    #[inline(always)]
    fn is_negative_zero(self) -> bool {
        self.is_zero() && self.to_f64().is_sign_negative()
    }

    /// Whether all of `samples` are zero, and none is -0. Override it where that is cheaper than one by one.
    #[inline(always)]
    fn are_zero(samples: &[Self; 8]) -> bool {
        samples.iter().all(|x| x.is_zero() && !x.is_negative_zero())
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
    sums_are_samples!();

    type Lanes = WideF32;
    const LANES: WideF32 = OF_F32;
    const ZERO: Self = 0.0;
    const SMALL: f64 = 1.0 / (1_u128 << 72) as f64;

    fn from_f64(value: f64) -> Self {
        value as Self
    }

    #[inline(always)]
    fn amplified(self, _: Self, shift: i8) -> Self {
        // The power of two itself: program memory is expensive.
        self * Self::from_bits(((127 + i32::from(shift.clamp(-126, 126))) as u32) << 23)
    }

    #[inline(always)]
    fn from_count(count: i32, _: u8) -> Self {
        count as Self
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn to_raw_bits(self) -> u64 {
        self.to_bits().into()
    }

    #[inline(always)]
    fn from_raw_bits(bits: u64) -> Self {
        Self::from_bits(bits as u32)
    }

    fn is_finite(self) -> bool {
        Self::is_finite(self)
    }

    #[inline(always)]
    fn are_zero(samples: &[Self; 8]) -> bool {
        samples.iter().fold(0, |bits, x| bits | x.to_bits()) == 0
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
    sums_are_samples!();

    type Lanes = WideF64;
    const LANES: WideF64 = OF_F64;
    const ZERO: Self = 0.0;
    const SMALL: Self = Self::MIN_POSITIVE * (1_u128 << 122) as Self; // 2^-900

    fn from_f64(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn from_count(count: i32, _: u8) -> Self {
        count as Self
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn to_raw_bits(self) -> u64 {
        self.to_bits()
    }

    fn from_raw_bits(bits: u64) -> Self {
        Self::from_bits(bits)
    }

    fn is_finite(self) -> bool {
        Self::is_finite(self)
    }
}
