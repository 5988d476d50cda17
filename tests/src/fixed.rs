//! A fixed-point sample: 16 fractional bits. No float, no division, no vectors.

use foveola_core::Sample;
use foveola_core::engine::Scalar;
use num_traits::{One, Zero};
use std::ops::{Add, Mul, Sub};

/// A multiple of 2^-16, products rounded to nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Q16(pub i64);

impl Q16 {
    /// The distance from one sample to the next.
    pub const STEP: f64 = 1.0 / 65_536.0;
}

impl Add for Q16 {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Q16 {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul for Q16 {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self((self.0 * other.0 + (1 << 15)) >> 16)
    }
}

impl Zero for Q16 {
    fn zero() -> Self {
        Self(0)
    }
    fn is_zero(&self) -> bool {
        self.0 == 0
    }
}

impl One for Q16 {
    fn one() -> Self {
        Self(1 << 16)
    }
}

impl Sample for Q16 {
    foveola_core::sums_are_samples!();

    type Lanes = Scalar;
    const LANES: Scalar = Scalar;
    const ZERO: Self = Self(0);

    fn from_f64(value: f64) -> Self {
        Self((value / Self::STEP).round() as i64)
    }

    fn to_f64(self) -> f64 {
        self.0 as f64 * Self::STEP
    }

    fn to_raw_bits(self) -> u64 {
        self.0.cast_unsigned()
    }

    fn from_raw_bits(bits: u64) -> Self {
        Self(bits.cast_signed())
    }

    fn is_finite(self) -> bool {
        true
    }
}
