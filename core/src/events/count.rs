//! The event count of a pixel in a byte: a frame for a board without memory for a frame of floats.
//!
//! Sums and differences saturate at -127 and 127: a hot pixel stops there. A product is that of `f64`, rounded and kept
//! in this range, so a filter can take counts, too. Usually they are converted to floats first ([`Count::get`]).

use crate::Sample;
use crate::lanes::Scalar;
use core::ops::{Add, Mul, Sub};
use num_traits::{One, Zero};

/// A count from -127 to 127; see [above](self).
///
/// ```
/// use foveola_core::events::{Accumulator, Count, Event, Polarity, Push};
/// let mut bins = Accumulator::new(1, 2, Polarity::Signed, 1_000)?;
/// let mut frame = [Count::ZERO; 2];
/// for i in 0..200 {
///     assert_eq!(bins.push(Event { t: i, x: 0, y: 0, on: false }, &mut frame), Push::Taken);
/// }
/// assert_eq!(frame.map(Count::get), [-127, 0]);
/// # Ok::<(), foveola_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Count(i8);

impl Count {
    /// No events.
    pub const ZERO: Self = Self(0);

    /// The count.
    pub const fn get(self) -> i8 {
        self.0
    }

    const fn of(count: i32) -> Self {
        Self(if count > 127 {
            127
        } else if count < -127 {
            -127
        } else {
            count as i8
        })
    }
}

impl Add for Count {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::of(i32::from(self.0) + i32::from(other.0))
    }
}

impl Sub for Count {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::of(i32::from(self.0) - i32::from(other.0))
    }
}

impl Mul for Count {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self::of(i32::from(self.0) * i32::from(other.0))
    }
}

impl Zero for Count {
    fn zero() -> Self {
        Self::ZERO
    }
    fn is_zero(&self) -> bool {
        self.0 == 0
    }
}

impl One for Count {
    fn one() -> Self {
        Self(1)
    }
}

impl Sample for Count {
    crate::sums_are_samples!();

    type Lanes = Scalar;
    const LANES: Scalar = Scalar;
    const ZERO: Self = Self(0);

    fn from_f64(value: f64) -> Self {
        Self::of(libm::round(value.clamp(-127.0, 127.0)) as i32)
    }

    #[inline(always)]
    fn from_count(count: i32, _: u8) -> Self {
        Self::of(count)
    }

    fn to_f64(self) -> f64 {
        self.0.into()
    }

    fn to_raw_bits(self) -> u64 {
        self.0.cast_unsigned().into()
    }

    fn from_raw_bits(bits: u64) -> Self {
        Self::of((bits as i8).into())
    }

    fn is_finite(self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_the_nearest_count() {
        for (value, count) in
            [(1.4, 1), (1.6, 2), (-1.4, -1), (-1.6, -2), (0.5, 1), (-0.5, -1), (126.7, 127), (1e9, 127), (-1e9, -127)]
        {
            assert_eq!(Count::from_f64(value).get(), count, "{value}");
        }
        assert_eq!(Count::from_f64(f64::NAN), Count::ZERO);
    }
}
