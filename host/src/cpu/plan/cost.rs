//! What the ways of computing a convolution are expected to take, in nanoseconds a frame on one thread.
//!
//! ```text
//! direct    = pixels pairs kt (16 kh kw + 24 (kh + 3)) / 922
//! separable = pixels pairs K (0.05 kt + 0.02 kh + 0.055 kw + 0.05)
//! FFT       = fft/cost.rs
//! ```
//! `pairs` of channels, `K` terms. Measured with AVX-512 on one Zen 4 core (`foveola bench`), frames of 128 x 128: the direct
//! form is within a tenth of what kernels of 3 x 3 to 31 x 31 and 10 x 10 x 10 take. 16 is the tile's multiply-adds in one
//! column of the kernel, 24 what a row of the kernel costs beside them, in cycles of 3.6 GHz; a tile has 256 pixels and
//! reads three rows more than the kernel has. Narrower vectors take `NARROW` times as long.

use super::{Job, Plan};
use crate::SimdLevel;

/// How much longer the direct way takes with vectors of 8 and of 4 samples.
const NARROW: [f64; 2] = [1.7, 4.2];

/// And the separable one, which waits for memory more often.
const NARROW_SEPARABLE: [f64; 2] = [1.5, 2.3];

/// By how much the frequency domain must be faster to be chosen: it spreads rounding errors over the frame, so that what is
/// exactly zero tap by tap is only almost so.
const WORTH_SPREADING: f64 = 1.25;

/// Bytes of a second-level cache, and bytes a nanosecond that come from the next one.
const CACHE: f64 = 1e6;
const STREAMED: f64 = 20.0;

/// The plan that is expected to take least.
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

/// Besides the transforms and products, what it takes to read the spectra of many channels: eight frames share those of the
/// kernels, and each output channel reads those of its inputs.
fn frequency_domain(level: SimdLevel, job: Job<'_>) -> Option<f64> {
    let [outs, ins, kt, ..] = job.taps.shape;
    let ([rows, cols], transforms) = job.frequency_domain(level)?;
    let spectrum = [4, rows, cols, kt, ins].map(|len| len as f64).iter().product::<f64>();
    let beyond = |bytes: f64| (bytes - CACHE).max(0.0) / STREAMED;
    let [outs, groups] = [outs, job.groups].map(|count| count as f64);
    let spectra = beyond(outs * spectrum) / 8.0 + outs / groups * beyond(groups * spectrum);
    Some(transforms + spectra)
}
