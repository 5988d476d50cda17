//! Branches that end in a weighted sum, such as centre minus surround.

use crate::model::gradient::NodeGradients;
use crate::model::layer::Table;
use crate::model::parameters::{index, inside};
use crate::{Error, Layer, Parameter, Result, Values};
use foveola_core::Source;

/// Layers or whole models in parallel: all read the same frames, and their outputs are summed.
///
/// ```
/// use foveola::{Branches, LowPass, Model, Resolution};
/// let fast = LowPass::new(0.005, Resolution::DEFAULT)?;
/// let slow = LowPass::new(0.050, Resolution::DEFAULT)?;
/// let mut change = Model::new().then(Branches::new().plus(fast).minus(slow));
/// let step = change.run(&ndarray::Array3::<f32>::ones((20, 1, 1)), 20)?;
/// assert!(step[(0, 0, 10, 0, 0)] > 0.5);
/// # Ok::<(), foveola::Error>(())
/// ```
#[must_use]
#[derive(Clone, Debug, Default)]
pub struct Branches {
    branches: Vec<(f64, Box<dyn Layer>)>,
}

impl Branches {
    /// A layer without branches.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the output of `branch`.
    pub fn plus(self, branch: impl Layer) -> Self {
        self.weighted(1.0, branch)
    }

    /// Subtracts the output of `branch`.
    pub fn minus(self, branch: impl Layer) -> Self {
        self.weighted(-1.0, branch)
    }

    /// Adds the output of `branch`, multiplied by `weight`.
    pub fn weighted(mut self, weight: f64, branch: impl Layer) -> Self {
        self.branches.push((weight, Box::new(branch)));
        self
    }

    /// The branches, each with its weight.
    pub fn branches(&self) -> impl Iterator<Item = (f64, &dyn Layer)> {
        self.branches.iter().map(|(weight, branch)| (*weight, &**branch))
    }

    /// Refuses a weight that is not finite, and a sum of no branches.
    pub(crate) fn check(&self) -> Result<()> {
        let refused = |name, value, expected| Err(Error::Parameter { item: "Branches", name, value, expected });
        match self.branches.iter().find(|(weight, _)| !(*weight as f32).is_finite()) {
            Some((weight, _)) => {
                refused("branch weight", format!("{weight:?}"), "a finite number, up to 3.4e38 in magnitude")
            }
            None if self.branches.is_empty() => refused("branches", "empty".into(), "one branch or more"),
            None => Ok(()),
        }
    }
}

impl Layer for Branches {
    fn name(&self) -> &'static str {
        "Branches"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        self.check()?;
        let mut sum: Option<(Source, f64)> = None;
        for (weight, branch) in &self.branches {
            let term = (branch.compile(table, from)?, *weight);
            sum = Some(match sum {
                None => term,
                Some(sum) => (table.add([sum, term]), 1.0),
            });
        }
        let (sum, weight) = sum.unwrap_or((from, 1.0));
        Ok(table.weighted(sum, weight))
    }

    fn parameters(&self) -> Vec<Parameter> {
        let weights: Vec<f64> = self.branches.iter().map(|(weight, _)| *weight).collect();
        let mut all = vec![Parameter::new("weights", weights)];
        for (i, (_, branch)) in self.branches.iter().enumerate() {
            all.extend(branch.parameters().into_iter().map(|parameter| inside(&i.to_string(), parameter)));
        }
        all
    }

    fn gradients(&self, nodes: &NodeGradients<'_>) -> Vec<Parameter> {
        // In the order of `compile`: the first branch, then each further one and its addition to the sum of those before.
        let (mut weights, mut all, mut rest) = (Vec::<f64>::new(), Vec::new(), *nodes);
        for (i, (_, branch)) in self.branches.iter().enumerate() {
            let (of_branch, after) = rest.split(&**branch);
            all.extend(branch.gradients(&of_branch).into_iter().map(|gradient| inside(&i.to_string(), gradient)));
            rest = after;
            if let Some(previous) = i.checked_sub(1) {
                let (sum, after) = rest.split_node();
                if previous == 0 {
                    weights.extend(sum.weights.first());
                }
                weights.extend(sum.weights.get(1));
                rest = after;
            }
        }
        // The weight of a single branch is no weight of a sum: a weight of 1 has no node at all.
        if self.branches.len() > 1 {
            all.insert(0, Parameter::new("weights", weights));
        }
        all
    }

    fn set_parameter(&mut self, name: &str, values: &Values) -> Result<bool> {
        if name == "weights" {
            let weights = values.of_shape(&[self.branches.len()])?;
            self.branches.iter_mut().zip(weights).for_each(|((to, _), weight)| *to = *weight);
            return Ok(true);
        }
        let Some((branch, parameter)) = name.split_once('.') else { return Ok(false) };
        match index(branch).and_then(|index| self.branches.get_mut(index)) {
            Some((_, branch)) => branch.set_parameter(parameter, values),
            None => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Delay, Model};
    use ndarray::Array3;

    #[test]
    fn a_single_branch_has_its_weight() {
        let movie = Array3::from_shape_fn((2, 2, 3), |(t, r, c)| (t * 6 + r * 3 + c) as f32);
        for weight in [1.0, 0.5, 3.0, -1.0, 0.0] {
            let mut model = Model::of(Branches::new().weighted(weight, Delay::new(0)));
            let output = model.process(&movie).expect("a good chunk");
            let expected: Vec<f32> = movie.iter().map(|x| weight as f32 * x).collect();
            assert!(output.iter().zip(&expected).all(|(found, expected)| found == expected), "{weight}: {output:?}");
        }
    }
}
