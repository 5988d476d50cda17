//! Generated kernels of which the cut at `filter_epsilon` leaves too little are refused.
//!
//! ```text
//! exponential  share(L) = P(n + 1, max(n, 1) L / ts)                  P: regularised lower incomplete gamma function
//! Gaussian     share(L) = erf(L / (2 sqrt(2) s))                      on each axis
//! ```
//! are the parts of the area under the whole curve that lie within `L` samples. The cut is at a fixed value, and a long time constant
//! or a wide Gaussian has a low peak: an exponential of 1 s at 1000 frames a second would end where it begins.

use super::error::Problem;
use crate::Resolution;
use foveola_core::kernels::{ExponentialFilter, GaussFilter};
use libm::{erf, exp, lgamma, log};

/// The least share of the area under a curve that a kernel may hold.
const LEAST: f64 = 0.95;

/// Refuses an exponential whose cut leaves too little of it, or which became one tap of 1 and lost its area.
pub(super) fn check_exponential(filter: &ExponentialFilter, resolution: Resolution) -> Result<(), Problem> {
    let (n, area) = (filter.n, filter.amplification);
    let taps = filter.len(resolution).map_err(|source| crate::Error::layer("exponential_filter_1d", source))?;
    let ts = filter.tau * resolution.steps_per_second;
    if area == 0.0 {
        return Ok(());
    }
    if taps == 1 && area != 1.0 {
        let found = format!("a curve of {ts} frames as one tap of 1, with an amplification of {area}");
        return Err(Problem::new(None, found, "a longer tau, an amplification of 1, or the key \"length\""));
    }
    // The mean of the curve and four times its spread hold 99 % of it.
    let [mean, spread] = [f64::from(n) + 1.0, (f64::from(n) + 1.0).sqrt()];
    let enough = (ts * (mean + 4.0 * spread) / f64::from(n.max(1))).ceil();
    let example = format!("\"{enough} frames\"");
    let kept = if taps == 1 { "1 frame".into() } else { format!("{taps} frames") };
    check(exponential_share(n, ts, taps as f64), &kept, resolution, "length", &example)
}

/// Refuses a Gaussian whose cut leaves too little of it. The standard deviations are in degrees.
pub(super) fn check_gaussian(filter: &GaussFilter, resolution: Resolution) -> Result<(), Problem> {
    let size = filter.size(resolution).map_err(|source| crate::Error::layer("gauss_filter_2d", source))?;
    let sigma = [filter.sig_row, filter.sig_col].map(|degrees| degrees * resolution.pixel_per_degree);
    let share = |axis: usize| erf(size[axis] as f64 / (2.0 * std::f64::consts::SQRT_2 * sigma[axis]));
    let enough = sigma.map(|sigma| 2 * (3.0 * sigma).ceil() as usize + 1);
    let kept = format!("{} x {} pixels", size[0], size[1]);
    check(share(0) * share(1), &kept, resolution, "size", &format!("{enough:?}"))
}

fn check(share: f64, kept: &str, resolution: Resolution, key: &str, example: &str) -> Result<(), Problem> {
    if share >= LEAST {
        return Ok(());
    }
    let (percent, epsilon) = (100.0 * share, resolution.filter_epsilon);
    let found =
        format!("a kernel cut off to {kept}, where it falls below the filter_epsilon {epsilon}: {percent:.1} % of it");
    let expected = format!("{} % or more: the key {key:?} sets its size, such as {key} = {example}", 100.0 * LEAST);
    Err(Problem::new(None, found, expected))
}

/// The part of the area under an `n`-fold exponential that lies in its first `len` frames.
fn exponential_share(n: u32, ts: f64, len: f64) -> f64 {
    let x = f64::from(n.max(1)) * len / ts;
    if !x.is_finite() {
        return 1.0; // a time constant of 0
    }
    // P(n + 1, x) is the probability of more than n events of a Poisson process that expects x. Of the two sums over counts that
    // one is taken whose terms fall from the first on.
    let n = f64::from(n);
    let term = |k: f64| exp(k * log(x) - x - lgamma(k + 1.0));
    if x > n + 1.0 {
        1.0 - sum(term(n), n, |k| (k / x, k - 1.0))
    } else {
        sum(term(n + 1.0), n + 1.0, |k| (x / (k + 1.0), k + 1.0))
    }
}

/// The sum of terms: `next` has the ratio of the next one to the one of `k`, and its `k`.
fn sum(first: f64, mut k: f64, next: impl Fn(f64) -> (f64, f64)) -> f64 {
    let (mut term, mut sum) = (first, first);
    while term > 1e-12 * sum {
        let (ratio, then) = next(k);
        (term, k) = (term * ratio, then);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shares are those of the samples themselves, for curves that are wide enough for their sum to be their area.
    #[test]
    fn shares_are_those_of_the_samples() {
        for (n, tau, len) in [(0, 0.3, 200), (0, 0.1, 500), (1, 0.1, 150), (3, 0.1, 90), (20, 0.2, 10), (400, 0.5, 1)] {
            let kernel =
                crate::kernels::ExponentialKernel { tau, n, amplification: 1.0, length: len, steps_per_second: 1000.0 };
            let taps = crate::kernels::exponential_kernel(&kernel).expect("a kernel");
            let share = exponential_share(n, tau * 1000.0, taps.len() as f64);
            assert!((f64::from(taps.sum()) - share).abs() < 0.01, "{n} {tau}: {} {share}", taps.sum());
        }
        assert_eq!(exponential_share(3, 0.0, 1.0), 1.0, "a time constant of 0");
        assert!((exponential_share(u32::MAX, 10.0, 10.0) - 0.5).abs() < 1e-3, "the middle of a narrow curve");
    }

    /// With the length of the message the kernel is good.
    #[test]
    fn the_length_that_is_proposed_is_enough() {
        for n in [0, 1, 2, 5, 20, 1000] {
            let (mean, ts) = (f64::from(n) + 1.0, 300.0);
            let enough = ts * (mean + 4.0 * mean.sqrt()) / f64::from(n.max(1));
            assert!(exponential_share(n, ts, enough) > 0.99, "{n}");
        }
    }
}
