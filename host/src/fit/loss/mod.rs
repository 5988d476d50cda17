//! Losses: how far a prediction is from what was measured, as a number to minimise, with its gradient.
//!
//! | [`Loss`] | a sample's term, prediction `p`, target `t` | target | Fisher information |
//! |---|---|---|---|
//! | `MeanSquaredError` | `(p - t)^2` | any | 2 |
//! | `Poisson` | `p - t ln p + ln t!` | count in the frame, 0 or more | `1 / p` |
//! | `Bernoulli` | `-t ln p - (1 - t) ln(1 - p)` | probability, 0 to 1 | `1 / (p (1 - p))` |
//! | `Correlation` | one minus Pearson's `r`, of each neuron | any that varies | none |
//!
//! The first three are means over all samples, in proportion to their weights; the last is a mean over neurons. So values
//! do not depend on the length of a recording. They are summed in `f64` in the order of the samples. `Poisson` and
//! `Bernoulli` are negative logarithms of probabilities, with all constants, so that they are 0 or more for rates and
//! probabilities in their range. Where averages of trials are no whole numbers, `t!` is that of the gamma function.
//!
//! Predictions of `Poisson` and `Bernoulli` may leave the range of rates and probabilities. Within `e` of its ends, where
//! `e` is 1e-3 of the mean target of the neuron (or of one minus the mean), a term goes on as its second-order expansion
//! at `e`, with the Fisher information `I` as second derivative:
//! ```text
//! term(e) + term'(e) (p - e) + I(e) (p - e)^2 / 2
//! ```
//! Its gradient is finite everywhere and leads back into the range; without the last part, a frame of no events would
//! reward ever more negative predictions. A prediction that is not finite makes the value infinity, and the gradient 0.
//!
//! Cost: four passes over the samples, and a logarithm or two for `Poisson` and `Bernoulli`: 25 to 70 ns a sample on one
//! core of an x86-64 server.
//!
//! ```
//! use foveola::fit::{Loss, Observed};
//!
//! let observed = Observed::new(&[1.0, 3.0], &[1.0, 1.0]);
//! let mut gradient = [0.0; 2];
//! assert_eq!(Loss::MeanSquaredError.evaluate(&observed, &mut gradient)?, 2.0);
//! assert_eq!(gradient, [0.0, 2.0]);
//! # Ok::<(), foveola::Error>(())
//! ```

mod correlation;
mod observed;
#[cfg(test)]
mod tests;

pub(super) use observed::Moments;
pub use observed::Observed;

use crate::error::in_range;
use crate::{Error, Result};

/// Share of the mean below which a rate or probability counts as out of its range.
const FLOOR: f64 = 1e-3;

/// A function to minimise; see the [module](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// The mean squared error.
    MeanSquaredError,
    /// The negative log-likelihood of counts, whose expected value in each frame is predicted.
    Poisson,
    /// The negative log-likelihood of events, whose probability in each frame is predicted.
    Bernoulli,
    /// One minus the correlation coefficient.
    Correlation,
}

impl Loss {
    /// The value. Writes the derivative with respect to each prediction to `gradient`, unless that is empty. Derivatives
    /// beyond the range of `f32` become its ends.
    ///
    /// # Errors
    /// [`Error::Parameter`] for lengths that do not fit, weights that are negative, not finite or all 0, targets that are not
    /// finite or not in the range of the loss, and targets of a neuron that have no finite optimum: no events for `Poisson`,
    /// none or nothing else for `Bernoulli`, a constant for `Correlation`.
    pub fn evaluate(self, observed: &Observed<'_>, gradient: &mut [f32]) -> Result<f64> {
        let means = self.check(observed)?;
        self.check_length("gradient", gradient, observed, gradient.is_empty())?;
        gradient.fill(0.0);
        if !observed.is_finite() {
            return Ok(f64::INFINITY);
        }
        if self == Self::Correlation {
            return correlation::evaluate(self.item(), observed, gradient);
        }
        let total: f64 = means.iter().map(|(weight, _)| weight).sum();
        let mut value = 0.0;
        for s in observed.samples() {
            let term = self.term(s.prediction, s.target, means[s.neuron].1);
            value += s.weight * term.value;
            if let Some(gradient) = gradient.get_mut(s.at) {
                *gradient = narrow(s.weight / total * term.slope);
            }
        }
        Ok(value / total)
    }

    /// Writes the weight `W` of each sample in the Gauss-Newton (Fisher) matrix `J' W J`, where `J` has the derivatives
    /// of the predictions. The weight of a sample with a prediction that is not finite is 0.
    ///
    /// # Errors
    /// As for [`evaluate`](Self::evaluate), and [`Error::Parameter`] for `Correlation`, which is no sum over samples.
    pub fn curvature(self, observed: &Observed<'_>, curvature: &mut [f32]) -> Result<()> {
        let separable = self != Self::Correlation;
        in_range(self.item(), "loss", "Correlation", separable, "a loss that is a sum over samples, for a curvature")?;
        let means = self.check(observed)?;
        self.check_length("curvature", curvature, observed, false)?;
        curvature.fill(0.0);
        let total: f64 = means.iter().map(|(weight, _)| weight).sum();
        for s in observed.samples().filter(|s| s.prediction.is_finite()) {
            let term = self.term(s.prediction, s.target, means[s.neuron].1);
            curvature[s.at] = narrow(s.weight / total * term.information);
        }
        Ok(())
    }

    /// The term of a sample; `mean` is that of the neuron's target.
    pub(super) fn term(self, p: f64, t: f64, mean: f64) -> Term {
        let floor = FLOOR * mean.min(if self == Self::Bernoulli { 1.0 - mean } else { mean });
        // The nearest prediction in the range, and the term there.
        let (q, inside) = match self {
            Self::Poisson => {
                let q = p.max(floor);
                (q, Term { value: q - t * libm::log(q) + ln_factorial(t), slope: 1.0 - t / q, information: 1.0 / q })
            }
            Self::Bernoulli => {
                let q = p.clamp(floor, 1.0 - floor);
                let value = -t * libm::log(q) - (1.0 - t) * libm::log1p(-q);
                let information = 1.0 / (q * (1.0 - q));
                (q, Term { value, slope: (q - t) * information, information })
            }
            Self::MeanSquaredError | Self::Correlation => {
                (p, Term { value: (p - t) * (p - t), slope: 2.0 * (p - t), information: 2.0 })
            }
        };
        let beyond = p - q;
        Term {
            value: inside.value + beyond * (inside.slope + 0.5 * beyond * inside.information),
            slope: inside.slope + beyond * inside.information,
            information: inside.information,
        }
    }

    /// Weight and mean of each neuron's target, if this loss has a finite optimum for them.
    fn check(self, observed: &Observed<'_>) -> Result<Vec<(f64, f64)>> {
        let (good, expected): (fn(f64) -> bool, _) = match self {
            Self::Poisson => (|t| t >= 0.0, "counts, 0 or more"),
            Self::Bernoulli => (|t| (0.0..=1.0).contains(&t), "probabilities, 0 to 1"),
            Self::MeanSquaredError | Self::Correlation => (|_| true, ""),
        };
        observed.check(self.item(), good, expected)?;
        let means = observed.means();
        let extreme = |mean: f64| match self {
            Self::Poisson => mean <= 0.0,
            Self::Bernoulli => mean <= 0.0 || mean >= 1.0,
            Self::MeanSquaredError | Self::Correlation => false,
        };
        if let Some((neuron, (_, mean))) = means.iter().enumerate().find(|(_, (w, mean))| *w > 0.0 && extreme(*mean)) {
            let value = format!("{mean} in all samples of neuron {neuron}");
            let expected = match self {
                Self::Bernoulli => "events in some frames and none in others; weights of 0 leave a neuron out",
                _ => "at least one event; weights of 0 leave a neuron out",
            };
            return Err(Error::Parameter { item: self.item(), name: "target", value, expected });
        }
        Ok(means)
    }

    fn check_length(self, name: &'static str, slice: &[f32], observed: &Observed<'_>, none: bool) -> Result<()> {
        let (found, n) = (slice.len(), observed.prediction.len());
        let told = format!("{found} samples beside a prediction of {n}");
        in_range(self.item(), name, told, none || found == n, "equal lengths")
    }

    fn item(self) -> &'static str {
        match self {
            Self::MeanSquaredError => "Loss::MeanSquaredError",
            Self::Poisson => "Loss::Poisson",
            Self::Bernoulli => "Loss::Bernoulli",
            Self::Correlation => "Loss::Correlation",
        }
    }
}

/// A sample's share of a loss, its derivative with respect to the prediction, and the Fisher information.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub(super) value: f64,
    slope: f64,
    information: f64,
}

/// `ln t!`, also between whole numbers.
fn ln_factorial(t: f64) -> f64 {
    // Most frames of spike trains.
    if t == 0.0 || t == 1.0 { 0.0 } else { libm::lgamma(t + 1.0) }
}

/// The nearest `f32`, which is finite.
fn narrow(x: f64) -> f32 {
    x.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}
