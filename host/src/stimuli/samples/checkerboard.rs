//! Random black and white checks, the white noise of receptive-field mapping (reverse correlation).

use super::{Size, finite, generator};
use crate::Error;
use crate::error::in_range;
use ndarray::Array5;
use rand_pcg::rand_core::Rng;

/// The parameters of a [`random_checkerboard`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomCheckerboard {
    /// The random seed: the same seed gives the same movie on every platform. Default 0.
    pub seed: u64,
    /// Side of a check in pixels, at least 1; checks at the right and lower border are cut. Default 4.
    pub check: usize,
    /// Frames per pattern, at least 1. Default 10.
    pub hold: usize,
    /// Luminance of a dark check. Default 0.
    pub low: f32,
    /// Luminance of a bright check. Default 1.
    pub high: f32,
}

impl Default for RandomCheckerboard {
    fn default() -> Self {
        Self { seed: 0, check: 4, hold: 10, low: 0.0, high: 1.0 }
    }
}

/// A checkerboard whose checks are dark or bright with equal probability, redrawn every `hold` frames.
///
/// ```
/// use foveola::samples::{RandomCheckerboard, Size, random_checkerboard};
///
/// let board = RandomCheckerboard { seed: 7, check: 2, ..RandomCheckerboard::default() };
/// let movie = random_checkerboard(Size::new(100, 12, 16), &board)?;
/// assert_eq!(movie, random_checkerboard(Size::new(100, 12, 16), &board)?);
/// assert_eq!(movie[[0, 0, 0, 4, 6]], movie[[0, 0, 0, 5, 7]]); // one check
/// # Ok::<(), foveola::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parameter`] where `check` or `hold` are 0, a luminance is not finite, or the movie is empty or larger
/// than memory.
pub fn random_checkerboard(size: Size, board: &RandomCheckerboard) -> Result<Array5<f32>, Error> {
    const ITEM: &str = "random_checkerboard";
    let &RandomCheckerboard { seed, check, hold, low, high } = board;
    in_range(ITEM, "check", check, check > 0, "at least 1 pixel")?;
    in_range(ITEM, "hold", hold, hold > 0, "at least 1 frame")?;
    finite(ITEM, "low", low)?;
    finite(ITEM, "high", high)?;

    let mut random = generator(seed);
    let mut checks = vec![low; size.cols.div_ceil(check)];
    let mut pattern = Vec::new();
    size.movie(ITEM, |t, frame| {
        if t % hold == 0 {
            pattern.clear();
            for row in 0..size.rows {
                if row % check == 0 {
                    checks.fill_with(|| if random.next_u64() >> 63 == 1 { high } else { low });
                }
                pattern.extend((0..size.cols).map(|col| checks[col / check]));
            }
        }
        frame.copy_from_slice(&pattern);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stimuli::samples::tests::hash;

    #[test]
    fn holds_and_balances() {
        let board = RandomCheckerboard { check: 3, hold: 4, low: -1.0, high: 2.0, ..Default::default() };
        let movie = random_checkerboard(Size::new(400, 20, 20), &board).expect("good");
        assert!(movie.iter().all(|&v| v == -1.0 || v == 2.0), "two values");
        let mean = movie.mean().expect("samples");
        assert!((mean - 0.5).abs() < 0.06, "mean {mean} of 4900 checks");
        let frame = |t| movie.index_axis(ndarray::Axis(2), t);
        assert_eq!(frame(0), frame(3), "held");
        assert_ne!(frame(3), frame(4), "drawn anew");
    }

    #[test]
    fn the_same_bits_everywhere() {
        let of = |seed| {
            let board = RandomCheckerboard { seed, ..Default::default() };
            hash(&random_checkerboard(Size::new(30, 9, 14), &board).expect("good"))
        };
        assert_eq!(of(1), 0x1dce_76d4_aee6_15a5, "digest");
        assert_ne!(of(1), of(2), "another seed, another movie");
    }

    #[test]
    fn bad_parameters_are_named() {
        let good = RandomCheckerboard::default();
        for (name, bad) in [
            ("check", RandomCheckerboard { check: 0, ..good }),
            ("hold", RandomCheckerboard { hold: 0, ..good }),
            ("low", RandomCheckerboard { low: f32::NAN, ..good }),
            ("high", RandomCheckerboard { high: f32::INFINITY, ..good }),
        ] {
            let error = random_checkerboard(Size::new(2, 2, 2), &bad).expect_err(name).to_string();
            assert!(error.contains(name), "{error} names {name}");
        }
    }
}
