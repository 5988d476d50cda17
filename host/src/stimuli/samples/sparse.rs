//! A few impulses in a dark field, to measure many impulse responses of a model at once.

use super::{Size, finite, generator, index_below};
use crate::Error;
use crate::error::in_range;
use ndarray::Array5;
use std::collections::BTreeSet;

/// The parameters of a [`sparse`] movie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sparse {
    /// The random seed: the same seed gives the same movie on every platform. Default 0.
    pub seed: u64,
    /// Number of non-zero samples, at most all of them. Default 10.
    pub impulses: usize,
    /// Their value. Default 1.
    pub amplitude: f32,
}

impl Default for Sparse {
    fn default() -> Self {
        Self { seed: 0, impulses: 10, amplitude: 1.0 }
    }
}

/// A movie of zeros in which exactly `impulses` samples, each equally likely, have the value `amplitude`.
///
/// ```
/// use foveola::samples::{Size, Sparse, sparse};
///
/// let movie = sparse(Size::new(50, 20, 20), &Sparse { impulses: 5, ..Sparse::default() })?;
/// assert_eq!(movie.sum(), 5.0);
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] where there are more impulses than samples, the amplitude is not finite, or the movie is
/// empty or larger than memory.
pub fn sparse(size: Size, parameters: &Sparse) -> Result<Array5<f32>, Error> {
    const ITEM: &str = "sparse";
    let &Sparse { seed, impulses, amplitude } = parameters;
    finite(ITEM, "amplitude", amplitude)?;
    let mut movie = size.zeros(ITEM)?;
    let len = movie.len();
    in_range(ITEM, "impulses", impulses, impulses <= len, "at most one per sample of the movie")?;

    // Floyd's sample without replacement (Bentley and Floyd 1987, doi:10.1145/30401.315746).
    let mut random = generator(seed);
    let mut chosen = BTreeSet::new();
    for last in len - impulses..len {
        let index = index_below(&mut random, last + 1);
        if !chosen.insert(index) {
            chosen.insert(last);
        }
    }
    if let Some(samples) = movie.as_slice_mut() {
        chosen.iter().for_each(|&index| samples[index] = amplitude);
    }
    Ok(movie)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stimuli::samples::tests::hash;

    #[test]
    fn exactly_as_many_as_asked() {
        for impulses in [0, 1, 17, 59, 60] {
            let parameters = Sparse { impulses, amplitude: -2.0, seed: 3 };
            let movie = sparse(Size::new(3, 4, 5), &parameters).expect("good");
            assert_eq!(movie.iter().filter(|&&v| v == -2.0).count(), impulses, "impulses");
            assert_eq!(movie.iter().filter(|&&v| v == 0.0).count(), 60 - impulses, "zeros");
        }
    }

    #[test]
    fn every_sample_is_equally_likely() {
        let mut counts = [0; 12];
        for seed in 0..1200 {
            let movie = sparse(Size::new(2, 2, 3), &Sparse { seed, impulses: 2, amplitude: 1.0 }).expect("good");
            movie.iter().zip(&mut counts).for_each(|(&v, count)| *count += v as usize);
        }
        // 200 expected, standard deviation 13.
        assert!(counts.iter().all(|&count| (140..260).contains(&count)), "{counts:?}");
    }

    #[test]
    fn the_same_bits_everywhere() {
        let of = |seed| hash(&sparse(Size::new(30, 9, 14), &Sparse { seed, ..Default::default() }).expect("good"));
        assert_eq!(of(1), 0x2818_2f69_7277_dfb5, "digest");
        assert_ne!(of(1), of(2), "another seed, another movie");
    }

    #[test]
    fn bad_parameters_are_named() {
        let good = Sparse::default();
        for (name, bad) in
            [("impulses", Sparse { impulses: 9, ..good }), ("amplitude", Sparse { amplitude: f32::NAN, ..good })]
        {
            let error = sparse(Size::new(2, 2, 2), &bad).expect_err(name).to_string();
            assert!(error.contains(name), "{error} names {name}");
        }
    }
}
