//! Recursive filters: exponential smoothing in time, and what is built from it.

pub mod high_pass;
pub mod low_pass;
pub mod smooth_conv;

pub use high_pass::HighPass;
pub use low_pass::LowPass;
pub use smooth_conv::SmoothConv;

use crate::Error;
use crate::math::one_minus_exp_neg;

/// The gain `1 - a` of an exponential filter, `a = exp(-1 / (tau fs))` its decay a frame.
///
/// The gain is kept rather than the decay: for long time constants it is the small number, and rounding `a` instead
/// would be off by 6e-5 in `tau` at `tau fs = 1000` in single precision.
///
/// ```
/// use foveola_core::{constant, Decay};
/// const DECAY: Decay = constant!(Decay::new(0.05, 1000.0)); // 50 ms at 1000 frames a second
/// assert!((DECAY.gain() - (1.0 - (-1.0_f64 / 50.0).exp())).abs() < 1e-15);
/// assert_eq!(Decay::new(0.0, 1000.0).unwrap().gain(), 1.0); // no smoothing
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decay {
    gain: f64,
}

impl Decay {
    /// Time constant `tau` in seconds (0 or more) at `steps_per_second` frames a second.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a `tau` that is negative or not finite, or a rate that is not positive and finite.
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
        if gain == 0.0 {
            return Err(Error::Parameter {
                name: "tau",
                value: tau,
                expected: "a time constant that lets the filter move",
            });
        }
        Ok(Self { gain })
    }

    /// A given gain `1 - a`, above 0 and up to 1.
    ///
    /// # Errors
    /// [`Error::Parameter`] outside that range.
    pub const fn from_gain(gain: f64) -> Result<Self, Error> {
        if gain > 0.0 && gain <= 1.0 {
            return Ok(Self { gain });
        }
        Err(Error::Parameter { name: "gain", value: gain, expected: "above 0 and up to 1" })
    }

    /// The gain `1 - a`.
    pub const fn gain(self) -> f64 {
        self.gain
    }
}
