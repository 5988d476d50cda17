//! Weights as impulse responses: exponentials in time, Gaussians in space.
//!
//! Everything is computed in `f64` with `libm` and written into a caller's buffer as samples. A kernel description has
//! a `len` for the size of the buffer and a `write`. `libm` is not `const`: [`pixels`] has kernels for constants.
//!
//! | kernel                     | samples |
//! |----------------------------|---------|
//! | [`ExponentialKernel`]      | `n = 0`: `A/ts exp(-x/ts)`, `x = 0.4 .. L - 0.6`; `n > 0`: `A (n t)^n exp(-n t/ts) / ((n-1)! ts^(n+1))`, `t = 1 .. n L` |
//! | [`ExponentialFilter`]      | the same with `L` chosen so that the tail falls below `eps` |
//! | [`highpass_exponential`]   | `[1, -ExponentialFilter]` |
//! | [`GaussFilter`]            | outer product of two sampled Gaussians |
//!
//! `ts = tau fs` is the time constant in frames. The error of a sample is less than 1e-12, relative to the largest one,
//! for any `n`. Samples that are not finite numbers are an error.

mod elementary;
pub mod pixels;

use crate::error::at_least;
use crate::{Error, Sample};
use libm::{ceil, exp, floor, log, log1p, sqrt};

/// How finely time and space are sampled, and when a kernel's tail counts as zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolution {
    /// Frames per second.
    pub steps_per_second: f64,
    /// Pixels per degree of visual angle.
    pub pixel_per_degree: f64,
    /// The value below which a kernel is cut off.
    pub filter_epsilon: f64,
}

impl Resolution {
    /// 1000 frames per second, 10 pixels per degree, 0.001.
    pub const DEFAULT: Self = Self { steps_per_second: 1000.0, pixel_per_degree: 10.0, filter_epsilon: 0.001 };

    /// Checks that all three are positive and finite.
    ///
    /// # Errors
    /// [`Error::Parameter`] with the first that is not.
    pub const fn check(&self) -> Result<(), Error> {
        if let Err(error) = positive("steps_per_second", self.steps_per_second) {
            return Err(error);
        }
        if let Err(error) = positive("pixel_per_degree", self.pixel_per_degree) {
            return Err(error);
        }
        positive("filter_epsilon", self.filter_epsilon)
    }
}

impl Default for Resolution {
    fn default() -> Self {
        Self::DEFAULT
    }
}

const fn positive(name: &'static str, value: f64) -> Result<(), Error> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::Parameter { name, value, expected: "a positive finite number" })
}

const fn finite(name: &'static str, value: f64) -> Result<(), Error> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::Parameter { name, value, expected: "a finite number" })
}

const fn not_negative(name: &'static str, value: f64) -> Result<(), Error> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::Parameter { name, value, expected: "a finite number of 0 or more" })
}

/// The largest `n` for which the factors of an `n`-fold exponential are multiplied: well below 1930, where they overflow.
const FACTORS: u32 = 1024;

/// `n`-fold exponential at time `t` (frames): `A (n t)^n exp(-n t/ts) / ((n-1)! ts^(n+1))`.
fn cascade(n: u32, amplification: f64, ts: f64, t: f64) -> f64 {
    let (count, x) = (f64::from(n), t / ts);
    if n <= FACTORS {
        let n_t = count * t / ts;
        // A n_t/ts (n_t/1) … (n_t/(n-1)) exp(-n_t), with the n-th root of the exponential in each of the n factors, so that
        // no part overflows.
        let root = exp(-n_t / count);
        return (1..n).fold(amplification / ts * n_t * root, |value, k| value * (n_t / f64::from(k) * root));
    }
    // With x = t/ts and Stirling's series for (n-1)!: A/ts sqrt(n/(2 pi)) exp(n (ln x - x + 1) - 1/(12 n) + 1/(360 n^3)); the
    // next term is below 1e-18. Nothing cancels at the peak, x = 1.
    let exponent = count * (log1p(x - 1.0) - (x - 1.0)) - 1.0 / (12.0 * count) + 1.0 / (360.0 * count * count * count);
    amplification / ts * sqrt(count / (2.0 * core::f64::consts::PI)) * exp(exponent)
}

/// [`Error::Parameter`] where a sample is not a finite number.
fn check_samples<T: Sample>(taps: &[T], scale: f64) -> Result<usize, Error> {
    if taps.iter().all(|tap| tap.is_finite()) {
        return Ok(taps.len());
    }
    let name = "amplification / (tau steps_per_second)";
    Err(Error::Parameter { name, value: scale, expected: "a scale for which the kernel's samples are finite numbers" })
}

/// A temporal kernel of a given length: differentiable in `tau` and `amplification`, see the [table](self).
///
/// ```
/// use foveola_core::kernels::ExponentialKernel;
/// let kernel = ExponentialKernel { tau: 0.01, n: 0, amplification: 1.0, length: 100, steps_per_second: 1000.0 };
/// let mut taps = [0.0_f32; 100];
/// assert_eq!(kernel.write(&mut taps), Ok(100));
/// assert!((taps.iter().sum::<f32>() - 1.0).abs() < 0.02);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExponentialKernel {
    /// Time constant in seconds, above 0.
    pub tau: f64,
    /// Number of cascaded exponentials; 0 for a plain one.
    pub n: u32,
    /// Area under the kernel.
    pub amplification: f64,
    /// `L`, in frames.
    pub length: usize,
    /// Frames per second.
    pub steps_per_second: f64,
}

impl ExponentialKernel {
    /// Number of samples: `L`, or `n L` for `n > 0`.
    pub const fn len(&self) -> usize {
        self.length.saturating_mul(if self.n > 1 { self.n as usize } else { 1 })
    }

    /// Whether there are no samples.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Writes [`ExponentialKernel::len`] samples and returns their number.
    ///
    /// # Errors
    /// A parameter outside its range, a length of 0, a buffer that is too short, or samples that are not finite.
    pub fn write<T: Sample>(&self, taps: &mut [T]) -> Result<usize, Error> {
        positive("tau", self.tau)?;
        positive("steps_per_second", self.steps_per_second)?;
        finite("amplification", self.amplification)?;
        if self.is_empty() {
            return Err(Error::Parameter { name: "length", value: 0.0, expected: "1 or more" });
        }
        at_least("the buffer for the kernel", taps.len(), self.len())?;
        let ts = self.tau * self.steps_per_second;
        let taps = taps.get_mut(..self.len()).unwrap_or_default();
        for (i, tap) in taps.iter_mut().enumerate() {
            *tap = T::from_f64(match self.n {
                0 => self.amplification / ts * exp(-(i as f64 + 0.4) / ts),
                n => cascade(n, self.amplification, ts, i as f64 + 1.0),
            });
        }
        check_samples(taps, self.amplification / ts)
    }
}

/// A temporal kernel that ends where it falls below `filter_epsilon`: `exponential_filter_1d`, see the [table](self).
///
/// Length with `a = A / ts`: `n = 0`: `L = clamp(trunc(-ts ln(eps/a)) + 1, min_steps, max_length)`;
/// `n > 0`: `L = min(trunc(-ts ln(eps/A)) - n, max_length)`. `L <= 1` gives `[1]`, and so does `tau = 0`; `even` adds one to
/// `L`. There are `L` samples, or `n L` for `n > 0`.
///
/// ```
/// use foveola_core::kernels::{ExponentialFilter, Resolution};
/// let filter = ExponentialFilter::new(0.01);
/// let mut taps = [0.0_f32; 64];
/// assert_eq!(filter.write(Resolution::DEFAULT, &mut taps), Ok(47));
/// assert!((taps[0] - 0.096_079).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExponentialFilter {
    /// Time constant in seconds, 0 or more.
    pub tau: f64,
    /// Number of cascaded exponentials; 0 for a plain one.
    pub n: u32,
    /// Whether a plain exponential is scaled to an area of `amplification` (else its peak is 1).
    pub normalize: bool,
    /// Area under the kernel.
    pub amplification: f64,
    /// Largest length in frames.
    pub max_length: usize,
    /// Smallest length in frames.
    pub min_steps: usize,
    /// `Some(true)` makes `L` even, `Some(false)` odd, by adding one.
    pub even: Option<bool>,
}

impl ExponentialFilter {
    /// Area 1, one exponential, 10 to 1000 frames.
    pub const fn new(tau: f64) -> Self {
        Self { tau, n: 0, normalize: true, amplification: 1.0, max_length: 1000, min_steps: 10, even: None }
    }

    fn check(&self, resolution: Resolution) -> Result<f64, Error> {
        not_negative("tau", self.tau)?;
        finite("amplification", self.amplification)?;
        resolution.check()?;
        Ok(self.tau * resolution.steps_per_second)
    }

    /// Number of samples.
    ///
    /// # Errors
    /// A parameter outside its range.
    pub fn len(&self, resolution: Resolution) -> Result<usize, Error> {
        let ts = self.check(resolution)?;
        // NaN becomes 0, and a float that is too large the largest integer: both are then clamped.
        let steps = |amplitude: f64| -ts * log(resolution.filter_epsilon / amplitude);
        let len = if ts == 0.0 {
            1
        } else if self.n == 0 {
            let len = steps((self.amplification / ts).abs()) as i64;
            (len.saturating_add(1).max(0) as usize).max(self.min_steps).min(self.max_length)
        } else {
            let len = (steps(self.amplification.abs()) as i64).saturating_sub(i64::from(self.n));
            (len.max(0) as usize).min(self.max_length)
        };
        if len <= 1 {
            return Ok(1);
        }
        let len = match self.even {
            Some(even) if len.is_multiple_of(2) != even => len.saturating_add(1),
            _ => len,
        };
        Ok(len.saturating_mul(self.n.max(1) as usize))
    }

    /// Writes [`ExponentialFilter::len`] samples and returns their number.
    ///
    /// # Errors
    /// A parameter outside its range, a buffer that is too short, or samples that are not finite.
    pub fn write<T: Sample>(&self, resolution: Resolution, taps: &mut [T]) -> Result<usize, Error> {
        let (ts, len) = (self.check(resolution)?, self.len(resolution)?);
        at_least("the buffer for the kernel", taps.len(), len)?;
        let a = if self.normalize { self.amplification / ts } else { 1.0 };
        let taps = taps.get_mut(..len).unwrap_or_default();
        for (i, tap) in taps.iter_mut().enumerate() {
            *tap = T::from_f64(match self.n {
                _ if len == 1 => 1.0,
                0 => a * exp(-(i as f64 + 0.4) / ts),
                n => cascade(n, self.amplification, ts, i as f64 + 1.0),
            });
        }
        check_samples(taps, a)
    }
}

/// Writes `[1, -k exponential]`, the impulse response of a temporal high-pass, and returns its length: one more than
/// that of the exponential with an area of `relative_weight`.
///
/// ```
/// use foveola_core::kernels::{highpass_exponential, Resolution};
/// let mut taps = [0.0_f32; 64];
/// assert_eq!(highpass_exponential(0.01, 0.1, Resolution::DEFAULT, &mut taps), Ok(25));
/// assert_eq!(taps[0], 1.0);
/// ```
///
/// # Errors
/// A parameter outside its range, or a buffer that is too short.
pub fn highpass_exponential<T: Sample>(
    tau: f64,
    relative_weight: f64,
    resolution: Resolution,
    taps: &mut [T],
) -> Result<usize, Error> {
    let filter = ExponentialFilter { amplification: relative_weight, ..ExponentialFilter::new(tau) };
    let len = filter.len(resolution)?.saturating_add(1);
    at_least("the buffer for the kernel", taps.len(), len)?;
    if let Some((first, rest)) = taps.split_first_mut() {
        filter.write(resolution, rest)?;
        *first = T::one();
        rest.iter_mut().take(len - 1).for_each(|tap| *tap = T::zero() - *tap);
    }
    Ok(len)
}

/// A Gaussian with two widths: `gauss_filter_2d`. Its sides end where it falls below `filter_epsilon`.
///
/// With `s = sig ppd` pixels, `a = 1 / (s sqrt(2 pi))`, `m = border_factor ceil(sqrt(-2 s^2 ln(eps/a)))`, an axis is
/// `clip(a exp(-x^2 / (2 s^2)), 0, 1)` at `x = 1-m .. m-1` (`even`: half a pixel wider on both sides).
/// `sig = 0` on either axis gives `[[1]]`; `m < 1` gives one sample 1 (`even`: two).
///
/// ```
/// use foveola_core::kernels::{GaussFilter, Resolution};
/// let gauss = GaussFilter::new(0.2, 0.2);
/// let [rows, cols] = gauss.size(Resolution::DEFAULT).unwrap();
/// assert_eq!([rows, cols], [13, 13]);
/// let mut weights = [0.0_f32; 13 * 13];
/// gauss.write(Resolution::DEFAULT, &mut weights).unwrap();
/// assert!((weights.iter().sum::<f32>() - 1.0).abs() < 0.01);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaussFilter {
    /// Standard deviation along the rows' index, in degrees, 0 or more.
    pub sig_row: f64,
    /// Standard deviation along the columns' index, in degrees, 0 or more.
    pub sig_col: f64,
    /// Whether the sides are even.
    pub even: bool,
    /// Factor on the distance from the centre to the border.
    pub border_factor: f64,
}

impl GaussFilter {
    /// Odd sides, and a border factor of 1.
    pub const fn new(sig_row: f64, sig_col: f64) -> Self {
        Self { sig_row, sig_col, even: false, border_factor: 1.0 }
    }

    /// The profile along one axis.
    fn axis(&self, sig: f64, resolution: Resolution) -> Axis {
        let s = sig * resolution.pixel_per_degree;
        let a = 1.0 / (s * sqrt(2.0 * core::f64::consts::PI));
        let m = self.border_factor * ceil(sqrt(-2.0 * s * s * log(resolution.filter_epsilon / a)));
        let wider = if self.even { 0.5 } else { 0.0 };
        if m < 1.0 || self.sig_row == 0.0 || self.sig_col == 0.0 {
            // One sample that is 1, whatever its width.
            let even = self.even && self.sig_row != 0.0 && self.sig_col != 0.0;
            return Axis { start: 0.0, len: if even { 2 } else { 1 }, s: f64::INFINITY, a: 1.0 };
        }
        // A side length up to 1e-9 of a pixel short of a whole number counts as whole.
        let start = 1.0 - m - wider;
        Axis { start, len: (floor(-2.0 * start + 1e-9) as usize).saturating_add(1), s, a }
    }

    fn axes(&self, resolution: Resolution) -> Result<[Axis; 2], Error> {
        not_negative("sig_row", self.sig_row)?;
        not_negative("sig_col", self.sig_col)?;
        not_negative("border_factor", self.border_factor)?;
        resolution.check()?;
        for (name, value) in [("sig_row", self.sig_row), ("sig_col", self.sig_col)] {
            // No sample would be left.
            let peak = 1.0 / (value * resolution.pixel_per_degree * sqrt(2.0 * core::f64::consts::PI));
            if peak < resolution.filter_epsilon {
                return Err(Error::Parameter { name, value, expected: "a width whose peak is above filter_epsilon" });
            }
        }
        Ok([self.axis(self.sig_row, resolution), self.axis(self.sig_col, resolution)])
    }

    /// Rows and columns.
    ///
    /// # Errors
    /// A parameter outside its range.
    pub fn size(&self, resolution: Resolution) -> Result<[usize; 2], Error> {
        self.axes(resolution).map(|axes| axes.map(|axis| axis.len))
    }

    /// Writes `rows x cols` samples and returns rows and columns.
    ///
    /// # Errors
    /// A parameter outside its range, or a buffer that is too short.
    pub fn write<T: Sample>(&self, resolution: Resolution, weights: &mut [T]) -> Result<[usize; 2], Error> {
        let [row, col] = self.axes(resolution)?;
        at_least("the buffer for the kernel", weights.len(), row.len.saturating_mul(col.len))?;
        for (r, weights) in weights.chunks_exact_mut(col.len.max(1)).take(row.len).enumerate() {
            for (c, weight) in weights.iter_mut().enumerate() {
                *weight = T::from_f64(row.at(r) * col.at(c));
            }
        }
        Ok([row.len, col.len])
    }
}

/// A sampled Gaussian profile.
struct Axis {
    start: f64,
    len: usize,
    s: f64,
    a: f64,
}

impl Axis {
    fn at(&self, i: usize) -> f64 {
        let x = (self.start + i as f64) / self.s;
        (self.a * exp(-0.5 * x * x)).clamp(0.0, 1.0)
    }
}
