//! Bounds of the values in a stream. Where they cannot leave the range of a sample, the outputs are not checked for
//! overflow.
//!
//! The largest magnitude of the input is known, since every sample is checked before it is fed. From it follow bounds of the
//! output and of the intermediate results of every node ([`foveola_core::Bound`]). While a stream runs, the bounds only
//! rise: its state holds earlier inputs, computed with the weights of that time.

use crate::model::layer::Compiled;
use foveola_core::Source;

/// The limit of all magnitudes, with room for the rounding of the bounds themselves.
const LIMIT: f64 = f32::MAX as f64 / 2.0;

/// Factor by which a bound exceeds the largest input so far, so that it need not rise with every chunk.
const HEADROOM: f64 = 1024.0;

/// Bounds for a stream.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Bounds {
    /// The largest input magnitude covered.
    input: f64,
    /// The largest output magnitude of each node.
    nodes: Vec<f64>,
    /// The revision of the layers covered.
    #[cfg_attr(feature = "serde", serde(skip))]
    revision: Option<u64>,
    /// Whether all values stay within the range.
    #[cfg_attr(feature = "serde", serde(skip))]
    safe: bool,
}

impl Bounds {
    /// The layers may be those of another model: what holds for the state stays.
    pub(super) fn forget_layers(&mut self) {
        self.revision = None;
    }

    /// What holds for the state: bounds of the input and of the output of each node.
    pub(super) fn parts(&self) -> (f64, &[f64]) {
        (self.input, &self.nodes)
    }

    /// The bounds with these [parts](Self::parts). Numbers that are none stand for no bound.
    pub(super) fn of_parts(input: f64, nodes: Vec<f64>) -> Self {
        let known = |bound: f64| if bound.is_nan() { f64::INFINITY } else { bound };
        Self { input: known(input), nodes: nodes.into_iter().map(known).collect(), ..Self::default() }
    }

    /// The bounds for inputs of magnitude `largest` and the layers at `revision`; none if the present bounds cover them.
    pub(super) fn raised(&self, largest: f32, revision: u64, compiled: Compiled<'_>) -> Option<Self> {
        let largest = f64::from(largest);
        if self.revision == Some(revision) && largest <= self.input {
            return None;
        }
        let most = largest.max(self.input);
        let roomy = self.at(most.max(1.0) * HEADROOM, revision, compiled);
        Some(if roomy.safe { roomy } else { self.at(most, revision, compiled) })
    }

    /// Whether all values stay within the range of a sample.
    pub(super) fn are_safe(&self) -> bool {
        self.safe
    }

    fn at(&self, input: f64, revision: u64, Compiled { graph, kernels, .. }: Compiled<'_>) -> Self {
        let mut nodes: Vec<f64> = Vec::with_capacity(graph.nodes().len());
        let mut inside = input;
        for (i, node) in graph.nodes().iter().enumerate() {
            let of = |source: Source| match source {
                Source::Input => input,
                Source::Node(node) => nodes.get(node).copied().unwrap_or(f64::INFINITY),
            };
            let Some(bound) = node.bound(of) else { return self.unknown(input, revision) };
            inside = inside.max(bound.inside).max(bound.output);
            if let Some(Some(kernel)) = kernels.get(i) {
                // Sums over a whole frame, in the forward and the inverse transform.
                let [rows, cols] = kernel.size();
                inside = inside.max(2.0 * (rows * cols) as f64 * of(node.sources().0).max(bound.output));
            }
            nodes.push(bound.output.max(self.nodes.get(i).copied().unwrap_or(0.0)));
        }
        Self { input, nodes, revision: Some(revision), safe: inside < LIMIT }
    }

    /// Bounds for a model with a custom filter, about which nothing is known.
    fn unknown(&self, input: f64, revision: u64) -> Self {
        Self { input, nodes: self.nodes.clone(), revision: Some(revision), safe: false }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Branches, Delay, Error, Model};
    use ndarray::Array3;

    /// Bounds of a difference add up: `x - (-x) - (-x)` is three times as large as `x`.
    #[test]
    fn what_is_subtracted_counts() {
        let negative = || Branches::new().weighted(-1.0, Delay::new(0));
        let mut model = Model::of(Branches::new().plus(Delay::new(0)).minus(negative()).minus(negative()));
        let found = model.process(Array3::from_elem((1, 1, 1), 0.5e38_f32)).map(|output| output[[0, 0, 0, 0, 0]]);
        assert!(found.is_ok_and(|y| (y / 1.5e38 - 1.0).abs() < 1e-6), "in range");
        let found = model.process(Array3::from_elem((1, 1, 1), 1.2e38_f32)).map(|output| output.to_owned());
        assert!(matches!(found, Err(Error::Overflow { .. })), "{found:?}");
        assert_eq!(model.time(), 1, "the second chunk was not taken");
    }
}
