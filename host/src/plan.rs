//! How a convolution is computed: tap by tap, through separable kernels, or in the frequency domain.

use crate::factor::{Factors, TOLERANCE, factor};
use crate::weight::Bank;
use crate::{Error, Result};
use std::fmt::{Display, Formatter};
use std::sync::OnceLock;

/// Which way a convolution is asked to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// The one that a measured cost model expects to be the fastest. The default.
    #[default]
    Auto,
    /// Tap by tap.
    Direct,
    /// A sum of separable kernels.
    Separable,
    /// In the frequency domain of space; tap by tap in time.
    Fft,
}

impl Algorithm {
    /// The names of the algorithms, as the command line spells them.
    pub const NAMES: [(&'static str, Self); 4] =
        [("auto", Self::Auto), ("direct", Self::Direct), ("separable", Self::Separable), ("fft", Self::Fft)];
}

/// Which way a convolution goes, for frames of a given size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plan {
    /// Tap by tap.
    Direct,
    /// A sum of separable kernels.
    Separable {
        /// Kernels in the sum.
        terms: usize,
        /// Norm of the difference to the kernel, relative to the kernel's (of several kernels, the largest).
        error: f64,
    },
    /// In the frequency domain of space.
    Fft {
        /// Rows of the transform.
        rows: usize,
        /// Columns of the transform.
        cols: usize,
    },
}

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Direct => write!(f, "direct"),
            Self::Separable { terms: 1, .. } => write!(f, "separable"),
            Self::Separable { terms, .. } => write!(f, "separable in {terms} terms"),
            Self::Fft { rows, cols } => write!(f, "FFT of {rows} x {cols}"),
        }
    }
}

/// What a layer keeps about its ways: the one that was asked for, and the weight's factors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Planner {
    pub(crate) algorithm: Algorithm,
    factors: OnceLock<Option<Factors>>,
}

/// What a plan is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    /// Rows and columns of an output frame.
    pub(crate) size: [usize; 2],
    /// Whether the kernel moves by one pixel at a time, so that it can be taken apart.
    pub(crate) unit_steps: bool,
}

impl Planner {
    /// The same wish for another weight.
    pub(crate) fn anew(&self) -> Self {
        Self { algorithm: self.algorithm, factors: OnceLock::new() }
    }

    /// The factors of `bank`, if it has few enough.
    pub(crate) fn factors(&self, bank: &Bank) -> Option<&Factors> {
        self.factors.get_or_init(|| factor(&bank.values, bank.shape, TOLERANCE)).as_ref()
    }

    /// The plan of `bank` for frames of a size.
    ///
    /// # Errors
    /// [`Error::Parameter`] when the algorithm asked for cannot compute it.
    pub(crate) fn plan(&self, layer: &'static str, bank: &Bank, job: Job) -> Result<Plan> {
        let [_, _, kt, kh, kw] = bank.shape;
        let separable = || {
            let factors = self.factors(bank).filter(|_| job.unit_steps && kh * kw > 1)?;
            Some(Plan::Separable { terms: factors.terms, error: factors.error })
        };
        let refuse = |value: &str, expected| {
            Err(Error::Parameter { item: layer, name: "algorithm", value: value.into(), expected })
        };
        match self.algorithm {
            Algorithm::Direct => Ok(Plan::Direct),
            Algorithm::Separable => match separable() {
                Some(plan) => Ok(plan),
                None => refuse(
                    "separable",
                    "another for a kernel of one pixel or of too many separable terms, and for strides in space",
                ),
            },
            Algorithm::Fft => refuse("fft", "TODO"),
            Algorithm::Auto => {
                let direct = (kt * kh * kw) as f64;
                if kh * kw <= SMALL {
                    return Ok(Plan::Direct);
                }
                Ok(match separable() {
                    Some(plan @ Plan::Separable { terms, .. }) if cost_separable(terms, bank.shape) < direct => plan,
                    _ => Plan::Direct,
                })
            }
        }
    }
}

/// Pixels of a kernel that is never worth taking apart.
const SMALL: usize = 9;

/// Cost of a pixel in taps of the direct kernel.
fn cost_separable(terms: usize, [_, _, kt, kh, kw]: [usize; 5]) -> f64 {
    let time = if kt > 1 { 2.0 * kt as f64 + 4.0 } else { 0.0 };
    terms as f64 * (time + 1.5 * (kh + kw) as f64 + 6.0)
}
