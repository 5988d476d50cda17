//! Recursive filters: exponential smoothing in time, and filters built from it.
//!
//! # Rounding at long time constants
//! A sample of 24 bits absorbs an increment `(1-a)(x-y)` only above half a unit in the last place of `y`. A plain
//! recursion therefore stops up to `2^-24 / (1-a)` of `x` short of a constant `x`: 6e-5 for `tau fs = 1000`. Where that
//! bound exceeds 1e-4, from about `tau fs = 1680` on, the filter is **compensated** ([`Decay::is_compensated`]): its
//! state holds `y` and the remainder `c` of the last sum, two words per sample.
//!
//! ```text
//! s = (1-a) (x - y) + c,    y' = y + s,    c' = s - (y' - y)     (c': what the rounding of y + s lost; Dekker 1971)
//! ```
//! It stops at most `2^-24 + 2^-48 / (1-a)` of `x` short of a constant `x`. A time constant for which that exceeds 1e-4
//! (`tau fs` above 2.8e10) is an error. The gain determines the size of the state, so it is known with the filter. For
//! `f64` samples the bounds are far smaller; the layout of the state is the same.
//!
//! # Small numbers
//! Subnormal numbers (below 2^-126 in `f32`) are slow on some machines and zero on others: with Helium, or where a
//! process sets flush-to-zero. The filters here produce none, so neither speed nor bits depend on the machine. In `f32`
//! ([`Sample::SMALL`](crate::Sample::SMALL) has the level of other types):
//!
//! - Plain recursions: before every `N`-th frame, a state word below 2^-72 in magnitude becomes zero. `N` is the
//!   largest power of two with `a^N >= 2^-24`, or 1. For zero input `y` is therefore 0, or at least 2^-96. Where
//!   positive and negative inputs cancel, at least a unit in the last place of `(1-a) x` remains, and `1-a` is at least
//!   2^-11: for `|x| >= 2^-56` that is 2^-91, and 2^-115 after `N` frames of decay. Hence neither state, output nor
//!   `(1-a)(x-y)` is subnormal when each input sample is 0 or at least 2^-56 (1.4e-17) in magnitude.
//! - Compensated recursions: an increment `s` below 2^-100 in magnitude is dropped. Then `y` and `c` are multiples of
//!   2^-123, so they are never subnormal, whatever the input. Where `(1-a)(x-y)` is subnormal, the sum absorbs it or it
//!   is dropped. The filter may therefore also stop up to `2^-100 / (1-a)` short of a constant input, 0 included.
//!
//! `t` counts the frames. Which of them is the `N`-th depends on the place of a sample, so all frames cost the same.

pub mod high_pass;
pub mod low_pass;
pub mod smooth_conv;
mod update;

pub(crate) use update::compensated;

pub use high_pass::HighPass;
pub use low_pass::LowPass;
pub use smooth_conv::SmoothConv;

use crate::Error;
use crate::math::one_minus_exp_neg;

/// The gain `1 - a` of an exponential filter; `a = exp(-1 / (tau fs))` is its decay per frame.
///
/// The gain is stored instead of the decay. For long time constants the gain is the small number; a rounded `a` would
/// cause an error of 6e-5 in `tau` at `tau fs = 1000` in single precision.
///
/// ```
/// use foveola_core::{constant, Decay};
/// const DECAY: Decay = constant!(Decay::new(0.05, 1000.0)); // 50 ms at 1000 frames per second
/// assert!((DECAY.gain() - (1.0 - (-1.0_f64 / 50.0).exp())).abs() < 1e-15);
/// assert_eq!(Decay::new(0.0, 1000.0).unwrap().gain(), 1.0); // no smoothing
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decay {
    gain: f64,
    /// Frames after which small numbers become zero, a power of two; 0 for a compensated recursion, which produces
    /// none.
    period: u32,
}

/// 2^-24: half a unit in the last place of 1 in `f32`.
const UNIT: f64 = 1.0 / (1 << 24) as f64;

/// The largest distance from a constant input at which a filter may stop, relative to the input.
const TOLERANCE: f64 = 1e-4;

/// The smallest gain of a plain recursion, and that of a compensated one.
const LEAST_PLAIN: f64 = UNIT / TOLERANCE;
const LEAST_COMPENSATED: f64 = UNIT * UNIT / TOLERANCE;

impl Decay {
    /// Time constant `tau` in seconds (0 or more) at `steps_per_second` frames per second.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a `tau` that is negative, not finite, or above 2.8e10 frames, for which the filter
    /// would be [inaccurate](self); or for a rate that is not positive and finite.
    pub const fn new(tau: f64, steps_per_second: f64) -> Result<Self, Error> {
        if !(tau.is_finite() && tau >= 0.0) {
            return Err(Error::Parameter { name: "tau", value: tau, expected: "a time constant of 0 s or more" });
        }
        if !(steps_per_second.is_finite() && steps_per_second > 0.0) {
            return Err(Error::Parameter {
                name: "steps_per_second",
                value: steps_per_second,
                expected: "a positive number of frames a second",
            });
        }
        let steps = tau * steps_per_second;
        let gain = if steps > 0.0 { one_minus_exp_neg(1.0 / steps) } else { 1.0 };
        if gain < LEAST_COMPENSATED {
            let expected = "a time constant of 0 s to 2.8e10 / steps_per_second";
            return Err(Error::Parameter { name: "tau", value: tau, expected });
        }
        Ok(Self::of(gain))
    }

    /// A given gain `1 - a`, from 3.6e-11 up to 1.
    ///
    /// # Errors
    /// [`Error::Parameter`] outside that range.
    pub const fn from_gain(gain: f64) -> Result<Self, Error> {
        if gain >= LEAST_COMPENSATED && gain <= 1.0 {
            return Ok(Self::of(gain));
        }
        Err(Error::Parameter { name: "gain", value: gain, expected: "3.6e-11 to 1" })
    }

    const fn of(gain: f64) -> Self {
        if gain < LEAST_PLAIN {
            return Self { gain, period: 0 };
        }
        if gain == 1.0 {
            // A copy keeps nothing that decays.
            return Self { gain, period: 1 << 31 };
        }
        let (mut period, mut left) = (1, 1.0 - gain);
        while left * left >= UNIT {
            (period, left) = (2 * period, left * left);
        }
        Self { gain, period }
    }

    /// The gain `1 - a`.
    pub const fn gain(self) -> f64 {
        self.gain
    }

    /// Whether the recursion is [compensated](self): two words of state for each sample instead of one.
    ///
    /// ```
    /// use foveola_core::Decay;
    /// let compensated = |frames| Decay::new(frames, 1.0).map(Decay::is_compensated);
    /// assert_eq!((compensated(1600.0), compensated(1700.0)), (Ok(false), Ok(true)));
    /// ```
    pub const fn is_compensated(self) -> bool {
        self.period == 0
    }

    /// Whether [`Decay::with_remainder`] made it compensated, and not its gain.
    pub(crate) const fn has_extra_remainder(self) -> bool {
        self.period == 0 && self.gain >= LEAST_PLAIN
    }

    /// Frames from one in which a small state word becomes zero to the next, a power of two; 0 for a compensated recursion,
    /// which makes no small numbers.
    ///
    /// ```
    /// use foveola_core::Decay;
    /// assert_eq!(Decay::new(5.0, 1.0).map(Decay::period), Ok(64)); // what is left after 128 frames is less than 2^-24
    /// ```
    pub const fn period(self) -> u32 {
        self.period
    }

    /// The same decay, with a remainder for each sample of state whatever the gain: for samples of 16 bits, which hold the
    /// increments of short time constants only.
    ///
    /// ```
    /// use foveola_core::Decay;
    /// assert!(Decay::from_gain(0.5)?.with_remainder().is_compensated());
    /// # Ok::<(), foveola_core::Error>(())
    /// ```
    #[must_use]
    pub const fn with_remainder(self) -> Self {
        Self { period: 0, ..self }
    }

    /// Words of state for each sample.
    pub(crate) const fn words(self) -> usize {
        1 + self.is_compensated() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Between two frames that make small numbers zero, a state word decays by 2^-24 at most, or there is a single
    /// frame; twice as many frames would be too many.
    #[test]
    fn the_period_keeps_what_decays_above_the_smallest_number() {
        for i in 0..2_000 {
            let frames = libm::exp(f64::from(i) * 0.005 - 3.0); // 0.05 .. 1100
            let decay = Decay::new(frames, 1.0).unwrap();
            let left = |period: u32| libm::exp(-f64::from(period) / frames);
            assert!(decay.period.is_power_of_two(), "{frames} frames: {decay:?}");
            assert!(decay.period == 1 || left(decay.period) >= UNIT * (1.0 - 1e-9), "{frames} frames: {decay:?}");
            assert!(left(2 * decay.period) < UNIT * (1.0 + 1e-9), "{frames} frames: {decay:?}");
        }
        assert_eq!(Decay::new(1e4, 1.0).unwrap().period, 0, "a compensated recursion makes no small numbers");
        assert_eq!(Decay::new(0.0, 1.0).unwrap().period, 1 << 31, "a copy");
    }
}
