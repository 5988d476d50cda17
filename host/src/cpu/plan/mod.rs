//! How a convolution is computed: directly, with separable kernels, or in the frequency domain.

mod cost;

use crate::cpu::factor::{Factors, TOLERANCE, factor};
use crate::cpu::fft::FftKernel;
use crate::names::find;
use crate::taps::{MAX_WEIGHTS, Taps};
use crate::{Error, Result, SimdLevel};
use std::fmt::{Display, Formatter};
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The requested algorithm of a convolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// The algorithm that a calibrated cost model predicts to be fastest. The default.
    #[default]
    Auto,
    /// Direct convolution.
    Direct,
    /// A sum of separable kernels.
    Separable,
    /// In the frequency domain in space, direct in time.
    Fft,
}

impl Algorithm {
    /// The algorithms and their names, as used by `Display` and `FromStr`.
    pub const NAMES: [(&'static str, Self); 4] =
        [("auto", Self::Auto), ("direct", Self::Direct), ("separable", Self::Separable), ("fft", Self::Fft)];
}

impl Display for Algorithm {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(Self::NAMES.iter().find(|(_, other)| other == self).map_or("", |(name, _)| name))
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        find("algorithm", &Self::NAMES, name)
    }
}

/// The algorithm that a convolution uses for frames of a given size.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Plan {
    /// Direct convolution.
    Direct,
    /// A sum of separable kernels.
    Separable {
        /// Kernels in the sum.
        terms: usize,
        /// Norm of the difference from the kernel, relative to the norm of the kernel (the largest of several kernels).
        error: f64,
    },
    /// In the frequency domain in space.
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

/// The planning state of a layer: the requested algorithm, the factors of the weight, and its spectra.
#[derive(Debug, Default)]
pub(crate) struct Planner {
    pub(crate) algorithm: Algorithm,
    factors: OnceLock<Option<Factors>>,
    /// The last plan and the setting for which it was made, since a model asks for a plan at every chunk.
    plan: Mutex<Option<((Algorithm, Setting), Plan)>>,
    spectra: Mutex<Option<(Setting, Arc<FftKernel>)>>,
}

/// What plans and spectra depend on besides the weight: the level, groups, stride, dilation and size of the output.
type Setting = (SimdLevel, usize, [[usize; 2]; 3]);

impl Clone for Planner {
    fn clone(&self) -> Self {
        Self { algorithm: self.algorithm, factors: self.factors.clone(), ..Self::default() }
    }
}

/// A convolution for which a plan is needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) layer: &'static str,
    pub(crate) taps: &'a Taps,
    pub(crate) groups: usize,
    /// Along rows and columns.
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Rows and columns of the output.
    pub(crate) output: [usize; 2],
    /// Whether the frequency domain is possible.
    pub(crate) fft: bool,
}

impl Job<'_> {
    fn setting(self, level: SimdLevel) -> Setting {
        (level, self.groups, [self.stride, self.dilation, self.output])
    }

    /// The transform size in the frequency domain, and the predicted nanoseconds per frame.
    fn frequency_domain(self, level: SimdLevel) -> Option<([usize; 2], f64)> {
        FftKernel::best(level.at_most(), self.taps.shape, self.groups, self.dilation, self.output)
    }

    /// The error for an algorithm that cannot compute the convolution.
    fn refuse(self, algorithm: &str, expected: &'static str) -> Result<Plan> {
        let (item, name) = (self.layer, "algorithm");
        Err(Error::Parameter { item, name, value: algorithm.into(), expected })
    }
}

impl Planner {
    /// A planner with the same requested algorithm, for another weight.
    pub(crate) fn anew(&self) -> Self {
        Self { algorithm: self.algorithm, ..Self::default() }
    }

    /// The factors of `taps`, if there are few enough.
    pub(crate) fn factors(&self, taps: &Taps) -> Option<&Factors> {
        self.factors.get_or_init(|| factor(&taps.values, taps.shape, TOLERANCE)).as_ref()
    }

    /// The spectra of the weight.
    ///
    /// # Errors
    /// [`Error::Memory`] when they do not fit into memory.
    pub(crate) fn kernel(&self, level: SimdLevel, job: Job<'_>) -> Result<Arc<FftKernel>> {
        let mut spectra = self.spectra.lock().unwrap_or_else(PoisonError::into_inner);
        match &*spectra {
            Some((found, kernel)) if *found == job.setting(level) => Ok(Arc::clone(kernel)),
            _ => {
                let Job { taps, groups, dilation, output, .. } = job;
                let kernel = FftKernel::new(level.at_most(), &taps.values, taps.shape, groups, dilation, output)?;
                let kernel = Arc::new(kernel);
                *spectra = Some((job.setting(level), Arc::clone(&kernel)));
                Ok(kernel)
            }
        }
    }

    /// The plan for a convolution.
    ///
    /// # Errors
    /// [`Error::Parameter`] when the requested algorithm cannot compute it.
    pub(crate) fn plan(&self, level: SimdLevel, job: Job<'_>) -> Result<Plan> {
        let mut known = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let question = (self.algorithm, job.setting(level));
        match *known {
            Some((found, plan)) if found == question => Ok(plan),
            _ => {
                let plan = self.make(level, job)?;
                *known = Some((question, plan));
                Ok(plan)
            }
        }
    }

    /// The plan for a convolution on a device: separable if that takes at most half of the operations. The frequency domain
    /// is available only on the CPU.
    ///
    /// # Errors
    /// [`Error::Parameter`] when the requested algorithm cannot compute it on a device.
    pub(crate) fn plan_on_device(&self, job: Job<'_>) -> Result<Plan> {
        let [outs, _, kt, kh, kw] = job.taps.shape;
        // Each output has its own inputs, so that the factors are one kernel per output.
        let fits = job.stride == [1; 2] && kh * kw > 1 && outs == job.groups;
        let separable = || {
            let factors = fits.then(|| self.factors(job.taps))??;
            Some((Plan::Separable { terms: factors.terms, error: factors.error }, factors.terms * (kt + kh + kw)))
        };
        match self.algorithm {
            Algorithm::Direct => Ok(Plan::Direct),
            Algorithm::Fft => job.refuse("fft", "auto, direct or separable on a device"),
            Algorithm::Separable => match separable() {
                Some((plan, _)) => Ok(plan),
                None => job.refuse(
                    "separable",
                    "on a device, a kernel of few separable terms and more than one pixel, one output channel a group, without \
                     stride in space",
                ),
            },
            Algorithm::Auto => match separable() {
                Some((plan, taps)) if 2 * taps <= kt * kh * kw => Ok(plan),
                _ => Ok(Plan::Direct),
            },
        }
    }

    fn make(&self, level: SimdLevel, job: Job<'_>) -> Result<Plan> {
        let [_, _, _, kh, kw] = job.taps.shape;
        let steps = job.stride == [1; 2];
        let separable = || {
            let factors = self.factors(job.taps).filter(|_| steps && kh * kw > 1)?;
            Some(Plan::Separable { terms: factors.terms, error: factors.error })
        };
        let fft = || {
            let ([rows, cols], _) = job.frequency_domain(level).filter(|_| job.fft && steps && kh * kw > 1)?;
            let [outs, ins, kt, ..] = job.taps.shape;
            let samples = [outs.max(job.groups), ins, kt, rows, cols].into_iter().fold(1, usize::saturating_mul);
            (samples <= MAX_WEIGHTS).then_some(Plan::Fft { rows, cols })
        };
        match self.algorithm {
            Algorithm::Direct => Ok(Plan::Direct),
            Algorithm::Separable => match separable() {
                Some(plan) => Ok(plan),
                None => job.refuse(
                    "separable",
                    "a kernel of few separable terms and more than one pixel, without stride in space",
                ),
            },
            Algorithm::Fft => match fft() {
                Some(plan) => Ok(plan),
                None => job.refuse(
                    "fft",
                    "a convolution with a kernel of more than one pixel, without stride in space, whose spectra fit into 1 GB",
                ),
            },
            Algorithm::Auto => Ok(cost::cheapest(level, job, separable, fft)),
        }
    }
}
