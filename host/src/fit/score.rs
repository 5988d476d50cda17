//! Scores: how good a prediction is, for each neuron.
//!
//! | [`Score`] | equation, with weights | of a perfect prediction | of a constant one |
//! |---|---|---|---|
//! | `Correlation` | Pearson's `r` | 1 | 0 |
//! | `VarianceExplained` | `1 - sum (p - t)^2 / sum (t - mean t)^2` | 1 | 0 or less |
//! | `BitsPerSpike` | `(L(p) - L(mean t)) / (ln 2 sum t)`, with Poisson's log-likelihood `L` | depends on the target | 0 or less |
//!
//! `BitsPerSpike` compares with a constant rate, the mean of the same samples. For rates of 0 and below, `L` is that of
//! [`Loss::Poisson`], so that a single event in a frame of rate 0 does not make it minus infinity. Reference: Pillow et
//! al. (2008), doi:10.1038/nature07140.
//!
//! ```
//! use foveola::fit::{Observed, Score};
//!
//! let observed = Observed::new(&[0.5, 0.5, 2.0, 1.0], &[0.0, 1.0, 2.0, 1.0]);
//! let scores = Score::VarianceExplained.evaluate(&observed)?;
//! assert_eq!(scores, [Some(0.75)]);
//! # Ok::<(), foveola::Error>(())
//! ```

use super::loss::{Loss, Observed};
use crate::{Error, Result};
use std::f64::consts::LN_2;

/// A measure of a prediction; see the [module](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Score {
    /// Pearson's correlation coefficient.
    Correlation,
    /// The fraction of variance explained.
    VarianceExplained,
    /// Log-likelihood above that of a constant rate, in bits per event.
    BitsPerSpike,
}

impl Score {
    /// The score of each neuron. `None` for a neuron without weight, or with a target that is constant (for
    /// `BitsPerSpike`: without events).
    ///
    /// # Errors
    /// [`Error::Parameter`] for lengths that do not fit, predictions, targets or weights that are not
    /// finite, negative counts, and weights that are negative or all 0.
    pub fn evaluate(self, observed: &Observed<'_>) -> Result<Vec<Option<f64>>> {
        let counts = self == Self::BitsPerSpike;
        observed.check("Score", |t| !counts || t >= 0.0, "counts, 0 or more")?;
        if let Some(s) = observed.samples().find(|s| !s.prediction.is_finite()) {
            let value = format!("{} at sample {}", s.prediction, s.at);
            return Err(Error::Parameter { item: "Score", name: "prediction", value, expected: "finite numbers" });
        }
        if counts {
            return Ok(bits(observed));
        }
        let score = |m: super::loss::Moments| match self {
            _ if m.weight == 0.0 || m.target_is_constant() => None,
            Self::VarianceExplained => Some(1.0 - m.error / m.tt),
            _ if m.prediction_is_constant() => Some(0.0),
            _ => Some(m.correlation()),
        };
        Ok(observed.moments().into_iter().map(score).collect())
    }
}

fn bits(observed: &Observed<'_>) -> Vec<Option<f64>> {
    let means = observed.means();
    let mut gains = vec![0.0; means.len()];
    for s in observed.samples() {
        let mean = means[s.neuron].1;
        if mean > 0.0 {
            let loss = |prediction| Loss::Poisson.term(prediction, s.target, mean).value;
            gains[s.neuron] += s.weight * (loss(mean) - loss(s.prediction));
        }
    }
    let events = means.iter().map(|(weight, mean)| weight * mean);
    gains.iter().zip(events).map(|(gain, events)| (events > 0.0).then(|| gain / (LN_2 * events))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(score: Score, prediction: &[f32], target: &[f32]) -> Option<f64> {
        score.evaluate(&Observed::new(prediction, target)).expect("valid")[0]
    }

    #[test]
    fn perfect_and_constant_predictions() {
        let target = [0.0, 1.0, 3.0, 0.0];
        assert_eq!(score(Score::Correlation, &target, &target), Some(1.0));
        assert_eq!(score(Score::VarianceExplained, &target, &target), Some(1.0));
        for (of, expected) in [(Score::Correlation, 0.0), (Score::VarianceExplained, 0.0), (Score::BitsPerSpike, 0.0)] {
            assert_eq!(score(of, &[1.0; 4], &target), Some(expected), "{of:?}");
        }
        assert!(score(Score::VarianceExplained, &[2.0; 4], &target).is_some_and(|r| r < 0.0), "a wrong mean");
        assert!(score(Score::BitsPerSpike, &[2.0; 4], &target).is_some_and(|bits| bits < 0.0), "a wrong mean");
    }

    /// A rate of 1 in two frames of four, in each of which there is one event: one bit per event.
    #[test]
    fn one_bit_per_spike() {
        let bits = score(Score::BitsPerSpike, &[1.0, 0.0, 1.0, 0.0], &[1.0, 0.0, 1.0, 0.0]).expect("has events");
        // Frames without events at a rate of exactly 0 cost e / 2 each, e = 1e-3 of the mean of 0.5.
        assert!((bits - 1.0).abs() < 1e-3, "{bits}");
        assert!(
            score(Score::BitsPerSpike, &[0.0, 1.0], &[1.0, 0.0]).is_some_and(|bits| bits < -5.0 && bits.is_finite())
        );
    }

    /// `r` of (1, 2, 3, 4) and (1, 3, 2, 4) is 0.8.
    #[test]
    fn correlation_by_hand() {
        let r = score(Score::Correlation, &[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]).expect("varies");
        assert!((r - 0.8).abs() < 1e-15, "{r}");
    }

    #[test]
    fn neurons_are_scored_apart() {
        let (prediction, target) = ([1.0, 5.0, 0.0, 2.0, 6.0, 0.0], [1.0, 7.0, 0.0, 2.0, 6.0, f32::NAN]);
        let weights = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0];
        let observed = Observed { prediction: &prediction, target: &target, weights: &weights, neurons: 3 };
        let scores = Score::Correlation.evaluate(&observed).expect("valid");
        assert!(matches!(scores[..], [Some(a), Some(b), None] if a > 1.0 - 1e-15 && b < 1e-15 - 1.0), "{scores:?}");
        let silent = Observed { neurons: 2, ..Observed::new(&[1.0; 4], &[0.0, 1.0, 0.0, 2.0]) };
        assert_eq!(Score::BitsPerSpike.evaluate(&silent).map(|scores| scores[0]).ok(), Some(None));
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        for of in [Score::Correlation, Score::VarianceExplained, Score::BitsPerSpike] {
            assert!(of.evaluate(&Observed::new(&[f32::NAN, 1.0], &[1.0, 0.0])).is_err(), "{of:?}: prediction");
            assert!(of.evaluate(&Observed::new(&[1.0, 1.0], &[1.0, f32::INFINITY])).is_err(), "{of:?}: target");
            assert!(of.evaluate(&Observed::new(&[], &[])).is_err(), "{of:?}: empty");
        }
        assert!(Score::BitsPerSpike.evaluate(&Observed::new(&[1.0], &[-1.0])).is_err(), "a negative count");
    }
}
