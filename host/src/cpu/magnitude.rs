//! The largest magnitude of some samples. One pass shows whether all are finite, and bounds the results.

use super::threads::Threads;
use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch};
use foveola_core::engine::{MOVE, WorkSplitter};

/// The largest magnitude of all samples, at memory speed; 0 if there are none. NaN and infinities count as larger than all
/// other values, so the result is finite if every sample is.
pub(crate) fn largest(samples: &[f32]) -> f32 {
    f32::from_bits(dispatch!(Level::new(), simd => simd.vectorize(
        #[inline(always)]
        || samples.iter().fold(0, |most: u32, x| most.max(x.to_bits() & 0x7fff_ffff)),
    )))
}

/// [`largest`], split into halves where the size justifies it.
pub(crate) fn shared(splitter: Threads, samples: &[f32]) -> f32 {
    match splitter.halve(samples.len().saturating_mul(MOVE)) {
        Some(splitter) => {
            let (first, second) = samples.split_at(samples.len() / 2);
            let (first, second) = splitter.join(|| shared(splitter, first), || shared(splitter, second));
            if first.total_cmp(&second).is_lt() { second } else { first }
        }
        None => largest(samples),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_sample_is_found_in_every_half() {
        let splitter = Threads::eager(2);
        for place in 0..100 {
            let mut samples = [1.0_f32; 100];
            samples[place] = -7.0;
            assert_eq!((shared(splitter, &samples), shared(Threads::SINGLE, &samples)), (7.0, 7.0), "at {place}");
            samples[place] = f32::NAN;
            assert!(shared(splitter, &samples).is_nan(), "NaN at {place}");
        }
    }
}
