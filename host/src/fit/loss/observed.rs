//! A prediction beside what was measured: checks, means and moments.

use crate::error::in_range;
use crate::{Error, Result};

/// Standard deviation of a constant, as a share of its mean: what single precision cannot tell apart.
const CONSTANT: f64 = 1e-7;

/// A prediction beside what was measured, frame by frame, with all neurons of a frame side by side.
///
/// Samples of weight 0 are not read: their target may be NaN, as in gaps of a recording.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// What the model computed: sample `i` is of neuron `i % neurons`.
    pub prediction: &'a [f32],
    /// What was measured, as long as `prediction`.
    pub target: &'a [f32],
    /// The weight of each sample, 0 or more; empty if all are 1.
    pub weights: &'a [f32],
    /// Samples in a frame, 1 or more.
    pub neurons: usize,
}

impl<'a> Observed<'a> {
    /// Samples of one neuron, each of weight 1.
    pub fn new(prediction: &'a [f32], target: &'a [f32]) -> Self {
        Self { prediction, target, weights: &[], neurons: 1 }
    }

    /// Refuses lengths that do not fit, and weights or targets that are not finite, or that `good` refuses.
    pub(in crate::fit) fn check(
        &self,
        item: &'static str,
        good: impl Fn(f64) -> bool,
        expected: &'static str,
    ) -> Result<()> {
        let n = self.prediction.len();
        let beside = |found: usize| format!("{found} samples beside a prediction of {n}");
        in_range(item, "target", beside(self.target.len()), self.target.len() == n, "equal lengths")?;
        let fit = self.weights.is_empty() || self.weights.len() == n;
        in_range(item, "weights", beside(self.weights.len()), fit, "equal lengths, or no weights")?;
        let fit = self.neurons > 0 && n.is_multiple_of(self.neurons);
        let neurons = format!("{} for a prediction of {n} samples", self.neurons);
        in_range(item, "neurons", neurons, fit, "1 or more, and whole frames")?;
        let refused = |name, i: usize, value: f32, expected| {
            Err(Error::Parameter { item, name, value: format!("{value} at sample {i}"), expected })
        };
        if let Some((i, w)) = self.weights.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w >= 0.0)) {
            return refused("weights", i, *w, "finite numbers, 0 or more");
        }
        if let Some(Sample { at, target, .. }) = self.samples().find(|s| !(s.target.is_finite() && good(s.target))) {
            let missing = "finite numbers; weights of 0 leave samples out";
            return refused("target", at, target as f32, if target.is_finite() { expected } else { missing });
        }
        let found = if n == 0 { "empty" } else { "0 for all samples" };
        let name = if n == 0 { "prediction" } else { "weights" };
        in_range(item, name, found, self.samples().next().is_some(), "at least one sample of a weight above 0")
    }

    /// All samples with a weight above 0.
    pub(in crate::fit) fn samples(&self) -> impl Iterator<Item = Sample> {
        let pairs = self.prediction.iter().zip(self.target).enumerate();
        let mut next = 0;
        pairs.filter_map(move |(at, (prediction, target))| {
            // Counted, since a division would take as long as the rest.
            let neuron = next;
            next = if next + 1 == self.neurons { 0 } else { next + 1 };
            let weight = self.weights.get(at).map_or(1.0, |w| f64::from(*w));
            let (prediction, target) = (f64::from(*prediction), f64::from(*target));
            (weight > 0.0).then_some(Sample { at, neuron, prediction, target, weight })
        })
    }

    /// Whether all predictions with a weight above 0 are finite.
    pub(in crate::fit) fn is_finite(&self) -> bool {
        self.samples().all(|s| s.prediction.is_finite())
    }

    /// Weight and mean of the target of each neuron.
    pub(in crate::fit) fn means(&self) -> Vec<(f64, f64)> {
        let mut sums = vec![(0.0, 0.0); self.neurons];
        for s in self.samples() {
            let (weight, sum) = &mut sums[s.neuron];
            *weight += s.weight;
            *sum += s.weight * s.target;
        }
        sums.into_iter().map(|(weight, sum)| (weight, if weight > 0.0 { sum / weight } else { 0.0 })).collect()
    }

    /// The moments of each neuron, in two passes.
    pub(in crate::fit) fn moments(&self) -> Vec<Moments> {
        let mut moments = vec![Moments::default(); self.neurons];
        for s in self.samples() {
            let m = &mut moments[s.neuron];
            m.weight += s.weight;
            m.prediction += s.weight * s.prediction;
            m.target += s.weight * s.target;
        }
        for m in moments.iter_mut().filter(|m| m.weight > 0.0) {
            m.prediction /= m.weight;
            m.target /= m.weight;
        }
        for s in self.samples() {
            let m = &mut moments[s.neuron];
            let (dp, dt) = (s.prediction - m.prediction, s.target - m.target);
            m.pp += s.weight * dp * dp;
            m.tt += s.weight * dt * dt;
            m.pt += s.weight * dp * dt;
            m.error += s.weight * (s.prediction - s.target).powi(2);
        }
        moments
    }
}

/// A sample with a weight above 0.
#[derive(Clone, Copy, Debug)]
pub(in crate::fit) struct Sample {
    /// Its index.
    pub(in crate::fit) at: usize,
    pub(in crate::fit) neuron: usize,
    pub(in crate::fit) prediction: f64,
    pub(in crate::fit) target: f64,
    pub(in crate::fit) weight: f64,
}

/// Weighted moments of a neuron.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::fit) struct Moments {
    /// The sum of the weights.
    pub(in crate::fit) weight: f64,
    /// Means.
    pub(in crate::fit) prediction: f64,
    pub(in crate::fit) target: f64,
    /// Sums of squares and products about the means.
    pub(in crate::fit) pp: f64,
    pub(in crate::fit) tt: f64,
    pub(in crate::fit) pt: f64,
    /// The sum of squared errors.
    pub(in crate::fit) error: f64,
}

impl Moments {
    /// Pearson's coefficient of a target and a prediction that are not constant.
    pub(in crate::fit) fn correlation(&self) -> f64 {
        (self.pt / (self.pp * self.tt).sqrt()).clamp(-1.0, 1.0)
    }

    /// Whether the target is a constant, within the rounding of its samples.
    pub(in crate::fit) fn target_is_constant(&self) -> bool {
        is_constant(self.weight, self.target, self.tt)
    }

    /// Whether the prediction is.
    pub(in crate::fit) fn prediction_is_constant(&self) -> bool {
        is_constant(self.weight, self.prediction, self.pp)
    }
}

fn is_constant(weight: f64, mean: f64, squares: f64) -> bool {
    squares <= weight * (CONSTANT * mean).powi(2)
}
