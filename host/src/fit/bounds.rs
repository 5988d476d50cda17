//! Bounded parameters as free variables, so that no optimiser needs to know of bounds.
//!
//! | transform | value `v` of a free `x` | `dv/dx` | range of `v` |
//! |---|---|---|---|
//! | [`Identity`](Transform::Identity) | `x` | 1 | all numbers |
//! | [`Log`](Transform::Log) | `exp(x)` | `v` | `exp(-80)` to `exp(80)`, 1.8e-35 to 5.5e34 |
//! | [`Logit`](Transform::Logit) | `low + (high - low) / (1 + exp(-x))` | `(v - low) (high - v) / (high - low)` | between the bounds, by 1e-6 of their distance |
//!
//! The ranges keep a value valid when it is rounded to single precision. Where `x` leads beyond its range, the value stays at
//! the end of the range, and the derivative is 0.
//!
//! ```
//! use foveola::fit::Transform;
//!
//! let tau = Transform::Log; // a time constant
//! let x = tau.to_free(0.02)?;
//! assert!((tau.from_free(x) - 0.02).abs() < 1e-15);
//! assert!((tau.derivative(x) - 0.02).abs() < 1e-15);
//! assert_eq!(
//!     tau.to_free(-1.0).unwrap_err().to_string(),
//!     "Transform: the value is -1; expected a number above 0, for a logarithm"
//! );
//! # Ok::<(), foveola::Error>(())
//! ```

use crate::Result;
use crate::error::in_range;

const ITEM: &str = "Transform";

/// The largest magnitude of a logarithm; single precision ends at 88.
const LARGEST: f64 = 80.0;

/// The least distance from a bound, as a share of the interval.
const MARGIN: f64 = 1e-6;

/// How a bounded parameter depends on a free variable.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Transform {
    /// A parameter without bounds.
    #[default]
    Identity,
    /// A positive parameter.
    Log,
    /// A parameter between two bounds, `low < high`.
    Logit {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
}

impl Transform {
    /// The free variable of a parameter's value.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a value on or beyond a bound, or bounds that are none.
    pub fn to_free(self, value: f64) -> Result<f64> {
        match self {
            Self::Identity => {
                in_range(ITEM, "the value", value, value.is_finite(), "a finite number")?;
                Ok(value)
            }
            Self::Log => {
                let good = value.is_finite() && value > 0.0;
                in_range(ITEM, "the value", value, good, "a number above 0, for a logarithm")?;
                Ok(libm::log(value).clamp(-LARGEST, LARGEST))
            }
            Self::Logit { low, high } => {
                let shown = format!("{low} to {high}");
                let good = low < high && (high - low).is_finite();
                in_range(ITEM, "the interval", &shown, good, "two finite numbers, the lower one first")?;
                let shown = format!("{value} in the interval {shown}");
                in_range(ITEM, "the value", shown, low < value && value < high, "a number between the bounds")?;
                let share = ((value - low) / (high - low)).clamp(MARGIN, 1.0 - MARGIN);
                Ok(libm::log(share / (1.0 - share)))
            }
        }
    }

    /// The parameter's value at a free variable. NaN stays NaN.
    pub fn from_free(self, x: f64) -> f64 {
        match self {
            Self::Identity => x,
            Self::Log => libm::exp(x.clamp(-LARGEST, LARGEST)),
            Self::Logit { low, high } => low + (high - low) * logistic(x).clamp(MARGIN, 1.0 - MARGIN),
        }
    }

    /// The derivative of [`from_free`](Self::from_free): a gradient for values times it is one for free variables.
    pub fn derivative(self, x: f64) -> f64 {
        match self {
            Self::Identity => 1.0,
            Self::Log if x.abs() > LARGEST => 0.0,
            Self::Log => libm::exp(x),
            Self::Logit { low, high } => {
                let share = logistic(x);
                let inside = share.is_nan() || (MARGIN..=1.0 - MARGIN).contains(&share);
                if inside { (high - low) * share * (1.0 - share) } else { 0.0 }
            }
        }
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Transform; 4] = [
        Transform::Identity,
        Transform::Log,
        Transform::Logit { low: -2.0, high: 5.0 },
        Transform::Logit { low: 0.0, high: 1e-3 },
    ];

    #[test]
    fn there_and_back() {
        for transform in ALL {
            for value in [1e-5, 3e-4, 9e-4] {
                let x = transform.to_free(value).expect("within the bounds");
                assert!((transform.from_free(x) / value - 1.0).abs() < 1e-9, "{transform:?} {value}");
            }
        }
    }

    #[test]
    fn derivatives_are_those_of_the_values() {
        for transform in ALL {
            for x in [-3.0, -0.1, 0.0, 2.0, 7.0] {
                let step = 1e-5;
                let expected = (transform.from_free(x + step) - transform.from_free(x - step)) / (2.0 * step);
                let found = transform.derivative(x);
                assert!(
                    (found - expected).abs() < 1e-9 + 1e-8 * expected.abs(),
                    "{transform:?} {x}: {found} {expected}"
                );
            }
        }
    }

    /// However far an optimiser goes, the parameter is valid, also in single precision.
    #[test]
    fn values_stay_within_their_bounds() {
        for x in [-1e300, -1e3, -100.0, 100.0, 1e3, 1e300, f64::INFINITY, f64::NEG_INFINITY] {
            let value = Transform::Log.from_free(x) as f32;
            assert!(value.is_normal() && value > 0.0, "{x}: {value}");
            let value = Transform::Logit { low: 0.0, high: 1.0 }.from_free(x) as f32;
            assert!(0.0 < value && value < 1.0, "{x}: {value}");
            assert_eq!((Transform::Log.derivative(x), ALL[2].derivative(x)), (0.0, 0.0), "{x}");
        }
        assert!(ALL.iter().all(|transform| transform.from_free(f64::NAN).is_nan()), "NaN is not hidden");
    }

    #[test]
    fn values_beyond_their_bounds_are_refused() {
        let unit = Transform::Logit { low: 0.0, high: 1.0 };
        for (transform, value) in [
            (Transform::Identity, f64::NAN),
            (Transform::Log, 0.0),
            (Transform::Log, f64::INFINITY),
            (unit, 0.0),
            (unit, 1.0),
            (unit, f64::NAN),
            (Transform::Logit { low: 1.0, high: 1.0 }, 1.0),
            (Transform::Logit { low: f64::NAN, high: 1.0 }, 0.5),
        ] {
            assert!(transform.to_free(value).is_err(), "{transform:?} {value}");
        }
    }
}
