//! What each layer of a model yields, stores and costs.

use super::{Inputs, Join, Model};
use crate::layers::{Conv1d, Conv2d, Conv3d, SmoothConv};
use crate::{Layer, Plan, Result, Samples};
use foveola_core::{Node, Rate, Shape, Source, Stage};

/// One layer of a model, for frames of a given size; see [`Model::summary`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LayerSummary {
    /// Its name; empty if it has none.
    pub name: String,
    /// The name of its kind.
    pub kind: &'static str,
    /// What it reads.
    pub inputs: Inputs,
    /// Shape of the frames that it yields.
    pub output: Shape,
    /// When it yields them, relative to the frames of the model.
    pub rate: Rate,
    /// Numbers in its weights and biases, and delays of pixels.
    pub parameters: usize,
    /// Samples of state, of 4 bytes each, or of 2 where they have [16 bits](crate::integers).
    pub state: usize,
    /// Multiply-adds for each of its input frames by the definition, whatever the algorithm: one for each tap or sample.
    pub multiply_adds: usize,
    /// The algorithm of a convolution on this machine.
    pub algorithm: Option<Plan>,
}

impl Model {
    /// Describes the layers for frames of `input`.
    ///
    /// ```
    /// use foveola::{Conv2d, Model, Shape};
    /// let model = Model::of(Conv2d::new(1, 4, [5, 5])?);
    /// let layer = &model.summary(Shape::new(1, 32, 32))?[0];
    /// assert_eq!((layer.parameters, layer.multiply_adds), (4 * 25, 4 * 25 * 32 * 32));
    /// assert!(layer.algorithm.is_some());
    /// # Ok::<(), foveola::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Layer`](crate::Error::Layer) when a layer does not fit.
    pub fn summary(&self, input: Shape) -> Result<Vec<LayerSummary>> {
        // The table of a board, so that the state is the same everywhere.
        let network = self.network.reproducible();
        let ends = network.ends(input)?;
        let mut table = crate::Table::default();
        network.compiled(input, &mut table, false, |compiled| {
            let (graph, mut begin, mut shape) = (&compiled.graph, 0, input);
            let integers = if self.samples() == Samples::F32 { None } else { Some(network.integers(graph)?) };
            let mut layers = Vec::with_capacity(ends.len());
            for (entry, end) in network.entries().iter().zip(&ends) {
                let nodes = graph.nodes().get(begin..*end).unwrap_or(&[]);
                // Nodes that join what the layer reads stand in front of its filter.
                let read = nodes.iter().find_map(|node| match node {
                    Node::Filter(source, _) => Some(graph.stream(*source).shape),
                    _ => None,
                });
                let stream = match end.checked_sub(1) {
                    Some(last) if last >= begin => graph.stream(Source::Node(last)),
                    _ => foveola_core::StreamShape::input(shape),
                };
                layers.push(LayerSummary {
                    name: entry.name.clone(),
                    kind: match (entry.layer.name(), entry.inputs.join) {
                        ("Identity", Join::Product) => "Product",
                        ("Identity", Join::Concat) => "Concat",
                        (kind, _) => kind,
                    },
                    inputs: entry.inputs.clone(),
                    output: stream.shape,
                    rate: stream.rate,
                    parameters: nodes.iter().map(parameters).sum(),
                    state: match &integers {
                        None => nodes.iter().map(Node::state).sum(),
                        Some(tables) => (begin..*end).map(|node| tables.state(node)).sum(),
                    },
                    multiply_adds: nodes.iter().map(|node| multiply_adds(node, stream.shape)).sum(),
                    algorithm: plan(&*entry.layer, read.unwrap_or(shape)),
                });
                (begin, shape) = (*end, stream.shape);
            }
            Ok(layers)
        })
    }
}

fn plan(layer: &dyn Layer, Shape { rows, cols, .. }: Shape) -> Option<Plan> {
    let layer = layer.as_any();
    let plan = if let Some(conv) = layer.downcast_ref::<Conv3d>() {
        conv.plan(rows, cols)
    } else if let Some(conv) = layer.downcast_ref::<Conv2d>() {
        conv.plan(rows, cols)
    } else if let Some(conv) = layer.downcast_ref::<Conv1d>() {
        conv.plan(rows, cols)
    } else {
        layer.downcast_ref::<SmoothConv>()?.plan(rows, cols)
    };
    plan.ok()
}

fn parameters(node: &Node<'_>) -> usize {
    match node {
        Node::Filter(_, Stage::Conv3d(conv)) => conv.kernel().weights.len() + conv.kernel().bias.len(),
        Node::Filter(_, Stage::Rf(rf)) => rf.kernel().weights.len() + rf.kernel().bias.len(),
        Node::Filter(_, Stage::SmoothConv(conv)) => conv.weights().0.len() + conv.decays().len(),
        Node::Filter(_, Stage::VariableDelay(delay)) => delay.delays().len(),
        Node::Filter(_, Stage::LowPass(_)) => 1,
        Node::Filter(_, Stage::HighPass(_)) => 2,
        _ => 0,
    }
}

fn multiply_adds(node: &Node<'_>, joined: Shape) -> usize {
    let taps = |[_, ins, t, r, c]: [usize; 5]| ins * t * r * c;
    match node {
        Node::Filter(_, stage) => {
            let signature = stage.signature();
            match stage {
                Stage::Conv3d(conv) => signature.output.len() * taps(conv.kernel().shape),
                Stage::Rf(rf) => {
                    let [out, ins, frames, ..] = rf.kernel().shape;
                    let (rows, cols) = rf.area();
                    out * ins * frames * rows * cols
                }
                Stage::SmoothConv(conv) => {
                    let [rows, cols] = conv.weights().1;
                    conv.decays().len() * signature.input.len() * (rows * cols + 1)
                }
                Stage::LowPass(_) | Stage::HighPass(_) | Stage::Pointwise(_) | Stage::Diff(_) | Stage::Sum(_) => {
                    signature.input.len()
                }
                _ => 0,
            }
        }
        Node::Add(_) => 2 * joined.len(),
        Node::Multiply(_) => joined.len(),
        _ => 0,
    }
}
