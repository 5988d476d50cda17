//! Normally distributed weights from a stated seed, with the same bits on every machine.
//!
//! ```text
//! w = std sqrt(-2 ln u1) cos(2 pi u2)     u1 in (0, 1], u2 in [0, 1): 53 bits of a PCG each, in this order
//! ```
//! Reference: Box and Muller, A note on the generation of random normal deviates, 1958, doi:10.1214/aoms/1177706645.

use super::room;
use crate::{Error, Result};
use ndarray::ArrayD;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};
use std::f64::consts::TAU;

/// An array of `size` of independent normal numbers with mean 0 and standard deviation `std`, 0 or more.
///
/// ```
/// use foveola::kernels::noise;
/// let weights = noise(1, 0.1, &[8, 1, 5, 5])?;
/// assert_eq!(weights, noise(1, 0.1, &[8, 1, 5, 5])?);
/// assert_ne!(weights, noise(2, 0.1, &[8, 1, 5, 5])?);
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// A `std` that is negative or not finite; [`Error::Memory`].
pub fn noise(seed: u64, std: f64, size: &[usize]) -> Result<ArrayD<f32>> {
    let good = std >= 0.0 && (std as f32).is_finite();
    crate::error::in_range("noise", "std", std, good, "a finite number of 0 or more")?;
    let samples = size.iter().fold(1, |all: usize, len| all.saturating_mul(*len));
    let mut weights = room(samples)?;
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut uniform = || (random.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64);
    for weight in &mut weights {
        let (u1, u2) = (1.0 - uniform(), uniform());
        *weight = (std * libm::sqrt(-2.0 * libm::log(u1)) * libm::cos(TAU * u2)) as f32;
    }
    ArrayD::from_shape_vec(size, weights).map_err(|_| Error::Memory { what: "a kernel", samples })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_its_mean_and_deviation() {
        let weights = noise(7, 2.0, &[100, 100]).expect("noise");
        let mean = weights.mean().expect("a mean");
        let variance = weights.mapv(|w| (w - mean) * (w - mean)).mean().expect("a mean");
        assert!(mean.abs() < 0.1 && (variance.sqrt() - 2.0).abs() < 0.1, "{mean} {variance}");
    }

    /// Files that state a seed mean these numbers.
    #[test]
    fn a_seed_stands_for_its_numbers() {
        let bits: Vec<u32> = noise(1, 1.0, &[3]).expect("noise").iter().map(|w| w.to_bits()).collect();
        assert_eq!(bits, [1_067_699_663, 3_190_532_973, 3_211_154_541]);
    }

    #[test]
    fn bad_parameters_are_refused() {
        for (std, size) in [(-1.0, 3), (f64::NAN, 3), (f64::INFINITY, 3), (1.0, usize::MAX)] {
            assert!(noise(0, std, &[size, 2]).is_err(), "{std} {size}");
        }
    }
}
