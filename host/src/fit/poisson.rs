//! Random counts of a known mean: spikes of a rate.
//!
//! ```text
//! P(k) = mean^k e^-mean / k!
//! mean < 10    inversion: the smallest k with P(0) + … + P(k) >= u
//! mean >= 10   PTRS: a floor of a ratio of uniforms under a table mountain, accepted by comparison with P
//! ```
//! Both are exact: the counts are those of `P` to the rounding of 64-bit floats. Logarithms come from `libm` and random numbers
//! from PCG, so that a seed gives the same counts on every machine. Reference: Hörmann (1993), The transformed rejection method
//! for generating Poisson random variables, doi:10.1016/0167-6687(93)90997-4.

use crate::error::in_range;
use crate::{Error, Result, memory};
use ndarray::{ArrayBase, ArrayD, Data, Dimension};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

const ITEM: &str = "Poisson";

/// From here on by rejection.
const LARGE: f64 = 10.0;
/// More than any mean below [`LARGE`] yields: the probability is below 1e-60.
const MOST_OF_SMALL: u32 = 100;

/// Makes the numbers others than those of a stimulus of the same seed ([`samples`](crate::samples)).
const OTHER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Random counts; see the [module](self).
///
/// Cost: on average one uniform number for a mean below 10, and 2.3 from there on.
///
/// ```
/// use foveola::fit::Poisson;
/// let rates = ndarray::arr1(&[0.0_f32, 0.5, 20.0]);
/// let counts = Poisson::new(7).counts(&rates)?;
/// assert_eq!(counts[0], 0.0);
/// assert_eq!(counts, Poisson::new(7).counts(&rates)?);
/// # Ok::<(), foveola::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Poisson {
    random: Pcg64Mcg,
}

impl Poisson {
    /// The largest mean, so that counts are exact as 32-bit floats.
    pub const LARGEST: f64 = 1e7;

    /// A sequence of counts.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: Pcg64Mcg::seed_from_u64(seed ^ OTHER) }
    }

    /// The next count.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a mean that is not from 0 to 1e7.
    pub fn draw(&mut self, mean: f64) -> Result<u32> {
        in_range(ITEM, "mean", mean, (0.0..=Self::LARGEST).contains(&mean), "a number from 0 to 1e7")?;
        Ok(if mean < LARGE { self.small(mean) } else { self.large(mean) })
    }

    /// A count for each mean, in the order of the array.
    ///
    /// # Errors
    /// As [`Poisson::draw`]; [`Error::Memory`].
    pub fn counts<S: Data<Elem = f32>, D: Dimension>(&mut self, means: &ArrayBase<S, D>) -> Result<ArrayD<f32>> {
        let what = "the counts";
        let mut counts = memory::zeros(what, means.len())?;
        for (count, mean) in counts.iter_mut().zip(means) {
            *count = self.draw(f64::from(*mean))? as f32;
        }
        ArrayD::from_shape_vec(means.shape(), counts).map_err(|_| Error::Memory { what, samples: means.len() })
    }

    /// From 0 to below 1.
    fn uniform(&mut self) -> f64 {
        (self.random.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    fn small(&mut self, mean: f64) -> u32 {
        let mut left = self.uniform();
        let (mut count, mut p) = (0, libm::exp(-mean));
        while left >= p && count < MOST_OF_SMALL {
            left -= p;
            count += 1;
            p *= mean / f64::from(count);
        }
        count
    }

    fn large(&mut self, mean: f64) -> u32 {
        let b = 0.931 + 2.53 * libm::sqrt(mean);
        let a = -0.059 + 0.024_83 * b;
        let log_inverse_alpha = libm::log(1.1239 + 1.1328 / (b - 3.4));
        let squeeze = 0.9277 - 3.6224 / (b - 2.0);
        let log_mean = libm::log(mean);
        loop {
            let (u, v) = (self.uniform() - 0.5, self.uniform());
            let beside = 0.5 - u.abs();
            let count = libm::floor((2.0 * a / beside + b) * u + mean + 0.43);
            if beside >= 0.07 && v <= squeeze {
                return count as u32;
            }
            // Also where `beside` is 0, and the count infinite.
            if !(0.0..=f64::from(u32::MAX)).contains(&count) || (beside < 0.013 && v > beside) {
                continue;
            }
            let mountain = libm::log(v) + log_inverse_alpha - libm::log(a / (beside * beside) + b);
            if mountain <= count * log_mean - mean - libm::lgamma(count + 1.0) {
                return count as u32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pearson's chi-squared of the counts beside the probabilities, per degree of freedom.
    fn chi_squared(mean: f64, draws: u32) -> f64 {
        let mut poisson = Poisson::new(3);
        let deviation = mean.sqrt().max(1.0);
        let (low, high) = ((mean - 3.0 * deviation).max(0.0).floor() as u32, (mean + 3.0 * deviation).ceil() as u32);
        let mut found = vec![0_u32; (high - low + 1) as usize];
        for _ in 0..draws {
            let count = poisson.draw(mean).expect("a count");
            if let Some(found) = count.checked_sub(low).and_then(|place| found.get_mut(place as usize)) {
                *found += 1;
            }
        }
        let p = |k: u32| (f64::from(k) * mean.ln() - mean - libm::lgamma(f64::from(k) + 1.0)).exp();
        let terms = found.iter().zip(low..).map(|(found, k)| {
            let expected = p(k) * f64::from(draws);
            (f64::from(*found) - expected).powi(2) / expected
        });
        terms.sum::<f64>() / f64::from(high - low + 1)
    }

    /// The deviation of chi-squared per degree of freedom is `sqrt(2 / degrees)`: five of them are allowed.
    #[test]
    fn counts_have_their_probabilities() {
        for mean in [0.3, 2.0, 9.99, 10.0, 25.0, 300.0, 5000.0] {
            let degrees = 6.0 * f64::sqrt(mean).max(1.0);
            let found = chi_squared(mean, 200_000);
            assert!((found - 1.0).abs() < 5.0 * (2.0 / degrees).sqrt(), "{mean}: {found}");
        }
    }

    #[test]
    fn means_and_variances() {
        for mean in [0.01, 1.0, 10.0, 1e3, 1e7] {
            let (mut poisson, n) = (Poisson::new(11), 20_000);
            let counts: Vec<f64> = (0..n).map(|_| f64::from(poisson.draw(mean).expect("a count"))).collect();
            let found = counts.iter().sum::<f64>() / f64::from(n);
            let variance = counts.iter().map(|k| (k - found).powi(2)).sum::<f64>() / f64::from(n - 1);
            let error = (mean / f64::from(n)).sqrt();
            assert!((found - mean).abs() < 4.0 * error, "{mean}: {found}");
            // The variance of a variance is (2 mean^2 + mean) / n.
            let error = ((2.0 * mean * mean + mean) / f64::from(n)).sqrt();
            assert!((variance - mean).abs() < 4.0 * error, "{mean}: variance {variance}");
        }
    }

    const SEEDED: [u32; 8] = [0, 2, 2, 13, 14, 9788, 9877, 10_000_089];

    /// The same on every machine, in every version.
    #[test]
    fn a_seed_has_its_counts() {
        let mut poisson = Poisson::new(1);
        let means = [0.5, 3.0, 3.0, 12.0, 12.0, 1e4, 1e4, 1e7];
        let counts = means.map(|mean| poisson.draw(mean).expect("a count"));
        assert_eq!(counts, SEEDED);
    }

    #[test]
    fn other_means_are_refused() {
        for mean in [-0.5, f64::NAN, f64::INFINITY, 1.1e7] {
            let error = Poisson::new(0).draw(mean).expect_err("refused").to_string();
            assert_eq!(error, format!("Poisson: mean is {mean}; expected a number from 0 to 1e7"));
        }
        assert_eq!(Poisson::new(0).draw(0.0).expect("nothing happens"), 0);
    }
}
