//! From the gradients of nodes to those of the parameters of layers.

use crate::Layer;
use crate::model::layer::Table;
use foveola_core::adjoint::Lengths;
use foveola_core::{Shape, Source, StreamShape};
use std::ops::Range;

/// The gradients of the nodes that a layer added to its table, in their order, for [`Layer::gradients`].
#[derive(Clone, Copy, Debug)]
pub struct NodeGradients<'g> {
    lengths: &'g [Lengths],
    values: &'g [f64],
    from: StreamShape,
}

/// The gradients of the parameters of a node: as many numbers as it has, 0 for those that are not asked for.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NodeGradient<'g> {
    /// Of a kernel's weights, in correlation order; of the weights of a sum.
    pub weights: &'g [f64],
    /// Of a bias.
    pub bias: &'g [f64],
    /// Of the gains of exponentials, see [`Decay::gain`](foveola_core::Decay::gain).
    pub gains: &'g [f64],
    /// Of the scale of a nonlinearity, or of the weight `k` of a high-pass.
    pub scale: &'g [f64],
}

impl<'g> NodeGradients<'g> {
    /// Those of nodes with so many parameters each, whose `values` lie one after another.
    pub(in crate::model) const fn new(lengths: &'g [Lengths], values: &'g [f64], from: StreamShape) -> Self {
        Self { lengths, values, from }
    }

    /// The gradients of node `index` of the layer.
    pub fn node(&self, index: usize) -> NodeGradient<'g> {
        let Some(&Lengths { weights, bias, gains, scale }) = self.lengths.get(index) else {
            return NodeGradient::default();
        };
        let (_, rest) = self.values.split_at_checked(total(&self.lengths[..index])).unwrap_or_default();
        let (weights, rest) = rest.split_at_checked(weights).unwrap_or_default();
        let (bias, rest) = rest.split_at_checked(bias).unwrap_or_default();
        let (gains, rest) = rest.split_at_checked(gains).unwrap_or_default();
        NodeGradient { weights, bias, gains, scale: rest.get(..scale).unwrap_or_default() }
    }

    /// Those of the first node, and of the nodes after it.
    pub fn split_node(&self) -> (NodeGradient<'g>, Self) {
        (self.node(0), self.part(self.lengths.len().min(1)..self.lengths.len(), self.from))
    }

    /// Those of some of the nodes, which read `from`.
    pub(in crate::model) fn part(&self, nodes: Range<usize>, from: StreamShape) -> Self {
        let values = self.values.get(total(&self.lengths[..nodes.start])..).unwrap_or_default();
        Self { lengths: &self.lengths[nodes], values, from }
    }

    /// The gradients of `layer`, whose nodes come first and read what this layer reads, and those of the nodes after it.
    pub fn split(&self, layer: &dyn Layer) -> (Self, Self) {
        let mut table = Table::new(self.from.shape);
        let count = layer.compile(&mut table, Source::Input).map_or(0, |_| table.nodes().len());
        let count = count.min(self.lengths.len());
        (self.part(0..count, self.from), self.part(count..self.lengths.len(), self.from))
    }

    pub(in crate::model) const fn stream(&self) -> StreamShape {
        self.from
    }

    /// The shape of the frames that the layer reads.
    pub fn shape(&self) -> Shape {
        self.from.shape
    }

    /// Frames of the model's input for each frame that the layer reads: the product of the temporal strides before it.
    pub fn every(&self) -> u64 {
        self.from.rate.every
    }
}

fn total(lengths: &[Lengths]) -> usize {
    lengths.iter().map(|lengths| lengths.total()).sum()
}
