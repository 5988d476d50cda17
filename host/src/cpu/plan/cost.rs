//! The predicted time of each convolution algorithm, in nanoseconds per frame on one thread.
//!
//! ```text
//! direct    = pixels pairs kt (16 kh kw + 24 (kh + 3)) / 922
//! separable = pixels pairs K (0.05 kt + 0.02 kh + 0.055 kw + 0.05)
//! FFT       = fft/cost.rs
//! ```
//! `pairs` of channels, `K` terms. Measured with AVX-512 on one Zen 4 core (`foveola bench`), frames of 128 x 128: the
//! prediction for direct convolution is within a tenth of the time for kernels of 3 x 3 to 31 x 31 and 10 x 10 x 10. 16 is
//! the number of multiply-adds of the tile in one column of the kernel; 24 is the further cost of a row of the kernel, in
//! cycles of 3.6 GHz. A tile has 256 pixels and reads three rows more than the kernel has. Narrower vectors take `NARROW`
//! times as long.

use super::{Job, Plan};
use crate::SimdLevel;

/// Slow-down of direct convolution with vectors of 8 and of 4 samples.
const NARROW: [f64; 2] = [1.7, 4.2];

/// Slow-down of separable convolution, which waits for memory more often.
const NARROW_SEPARABLE: [f64; 2] = [1.5, 2.3];

/// The factor by which the frequency domain must be faster to be chosen. It spreads rounding errors over the frame, so that
/// exact zeros of direct convolution become rounding-level values.
const WORTH_SPREADING: f64 = 1.25;

/// Bytes of a second-level cache, and bytes per nanosecond from the next level.
const CACHE: f64 = 1e6;
const STREAMED: f64 = 20.0;

/// The plan with the least predicted time.
pub(super) fn cheapest(
    level: SimdLevel,
    job: Job<'_>,
    separable: impl FnOnce() -> Option<Plan>,
    fft: impl FnOnce() -> Option<Plan>,
) -> Plan {
    let [outs, ins, kt, kh, kw] = job.taps.shape;
    let [kt_len, kh_len, kw_len] = [kt, kh, kw].map(|len| len as f64);
    let pairs = (outs * ins) as f64;
    let outputs = job.output.map(|len| len as f64).iter().product::<f64>() * pairs;
    let narrow = |factors: [f64; 2]| match level {
        SimdLevel::Avx512 => 1.0,
        SimdLevel::Avx2 => factors[0],
        SimdLevel::Sse42 | SimdLevel::Baseline => factors[1],
    };
    let direct = narrow(NARROW) * outputs * kt_len * (16.0 * kh_len * kw_len + 24.0 * (kh_len + 3.0)) / 922.0;
    let mut best = (Plan::Direct, direct);
    let term = 0.05 * if kt > 1 { kt_len } else { 0.0 } + 0.02 * kh_len + 0.055 * kw_len + 0.05;
    let term = narrow(NARROW_SEPARABLE) * outputs * term;
    if term < best.1
        && let Some(plan @ Plan::Separable { terms, .. }) = separable()
        && term * (terms as f64) < best.1
    {
        best = (plan, term * terms as f64);
    }
    if kh * kw > 1
        && frequency_domain(level, job).is_some_and(|time| WORTH_SPREADING * time < best.1)
        && let Some(plan) = fft()
    {
        return plan;
    }
    best.0
}

/// The transforms and products, and the time to read the spectra of many channels: eight frames share those of the kernels,
/// and each output channel reads those of its inputs.
fn frequency_domain(level: SimdLevel, job: Job<'_>) -> Option<f64> {
    let [outs, ins, kt, ..] = job.taps.shape;
    let ([rows, cols], transforms) = job.frequency_domain(level)?;
    let spectrum = [4, rows, cols, kt, ins].map(|len| len as f64).iter().product::<f64>();
    let beyond = |bytes: f64| (bytes - CACHE).max(0.0) / STREAMED;
    let [outs, groups] = [outs, job.groups].map(|count| count as f64);
    let spectra = beyond(outs * spectrum) / 8.0 + outs / groups * beyond(groups * spectrum);
    Some(transforms + spectra)
}
