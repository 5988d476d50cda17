//! Gradient of a model: of a loss with respect to the model's input and the parameters of its nodes.
//!
//! ```text
//! forward     input --> 0 --> 1 --> 2 --> output          frames of every node stay in the scratch
//!               |             ^     |
//!               +-------------+     +--> further output
//! backward    input <-- 0 <-- 1 <-- 2 <-- gradient        a node's gradient is the sum of those of all its readers
//! ```
//! Chunks are fed last to first, each in two steps:
//! 1. The forward pass, from the state before the chunk: [`Filter::run`](crate::Filter::run) of [`GraphAdjoint::graph`], or
//!    [`Graph::run_batch_with`] for other vectors and threads. Its scratch then holds the frames of all nodes. The outputs of
//!    the chunk are known here, and the gradient of the loss may be computed from them.
//! 2. [`GraphAdjoint::backward`], which reads that scratch.
//!
//! Both steps advance the state before the chunk: the caller saves it in a first forward pass over the recording, as a
//! checkpoint, and copies it for one of them. The last chunk of the first forward pass need not be run again if its scratch was
//! kept, so a recording in one chunk is run forward once.
//!
//! | node | gradient of its sources | parameters |
//! |---|---|---|
//! | filter | [`StageAdjoint`] | those of the filter |
//! | `Add` | `weight g` | the two weights, in the order of the branches |
//! | `Multiply` | `g` times the other branch | none |
//! | `Concat` | its channels of `g` | none |
//!
//! - Gradients of parameters are added to one slice: node by node weights, bias, gains, scale, as many as [`Lengths`] says.
//!   [`GraphAdjoint::parameters`] splits it. The layout does not depend on what is wanted.
//! - Only [wanted](Wanted) gradients are computed, and only through nodes between these parameters (or the input, if its gradient
//!   is asked for) and an output. All others cost neither time nor memory. [`Stage::Custom`](crate::Stage::Custom) may be one
//!   of those; elsewhere it is an error that names the node.
//! - Temporal strides, warm-ups and repeated frames are those of the forward pass. The gradient is that of the output as it
//!   was cut: only `TimePadding`, and `Delay` with a length, make it depend on the cuts after the first.
//! - One stream. A batch is processed stream by stream, each with its own state; gradients of parameters add up. With
//!   [`PadMode::Mean`](crate::PadMode) the forward pass too must then take one stream at a time, because the mean of a batch is
//!   that of all its streams.
//! - State: that of the adjoints. Scratch: the gradients of the frames of these nodes, one more of the largest where paths meet, and
//!   the largest scratch of an adjoint.
//! - Cost: that of the adjoints, and one pass over the frames of every path that joins another one.
//!
//! ```
//! use foveola_core::adjoint::{GraphAdjoint, GraphChunk, NodeAdjoint, Wanted};
//! use foveola_core::{Decay, Error, Filter, Graph, LowPass, Node, Shape, Source, Stage};
//!
//! // The input, and its low-pass with a weight.
//! fn nodes(tau: f64, weight: f64) -> Result<[Node<'static, f64>; 2], Error> {
//!     let low_pass = LowPass::new(Shape::new(1, 1, 1), Decay::new(tau, 1000.0)?);
//!     Ok([
//!         Node::Filter(Source::Input, Stage::LowPass(low_pass)),
//!         Node::Add([(Source::Input, 1.0), (Source::Node(0), weight)]),
//!     ])
//! }
//! const FRAMES: usize = 8; // of a chunk
//! let input: [f64; 2 * FRAMES] = core::array::from_fn(|t| (t % 5) as f64 - 1.0);
//! let mut target = [0.0; 2 * FRAMES];
//! Graph::new(Shape::new(1, 1, 1), &nodes(0.004, -0.5)?)?.run(0, &mut [0.0], &mut [0.0; 16], &input, &mut target)?;
//!
//! let (mut tau, mut weight) = (0.008, -0.2);
//! for _ in 0..200 {
//!     let nodes = nodes(tau, weight)?;
//!     let mut table = [NodeAdjoint::EMPTY; 2];
//!     let adjoint = GraphAdjoint::new(&Graph::new(Shape::new(1, 1, 1), &nodes)?, |_| Wanted::ALL, false, &mut [], &mut table)?;
//!     let (model, needs) = (adjoint.graph(), adjoint.needs());
//!     let mut frames = vec![0.0; model.signature().scratch.len(FRAMES)];
//!     let mut scratch = vec![0.0; needs.scratch.len(FRAMES)];
//!     let (mut output, mut checkpoints, mut state) = ([0.0; FRAMES], [[0.0]; 2], [0.0]);
//!     for (k, input) in input.chunks(FRAMES).enumerate() {
//!         checkpoints[k] = state;
//!         model.run((k * FRAMES) as u64, &mut state, &mut frames, input, &mut output)?;
//!     }
//!
//!     let (mut gradient, mut of_adjoint) = (vec![0.0; needs.parameters], vec![0.0; needs.state]);
//!     for (k, input) in input.chunks(FRAMES).enumerate().rev() {
//!         let (t, mut state) = ((k * FRAMES) as u64, checkpoints[k]);
//!         model.run(t, &mut state, &mut frames, input, &mut output)?;
//!         let grad_out: Vec<f64> = output.iter().zip(&target[k * FRAMES..]).map(|(y, target)| y - target).collect();
//!         let before = &mut checkpoints[k];
//!         let chunk = GraphChunk { t, input, frames: &frames, before, grad_out: &grad_out, grad_outputs: &[] };
//!         adjoint.backward(chunk, &mut of_adjoint, &mut scratch, &mut [], &mut gradient)?;
//!     }
//!     let of_tau = adjoint.parameters(0, &mut gradient).gains[0] * Decay::new(tau, 1000.0)?.derivative(tau, 1000.0);
//!     weight -= 0.05 * adjoint.parameters(1, &mut gradient).weights[1];
//!     tau -= 1e-5 * of_tau;
//! }
//! assert!((tau - 0.004).abs() < 1e-5 && (weight + 0.5).abs() < 1e-3, "{tau}, {weight}");
//! # Ok::<(), Error>(())
//! ```

mod backward;
mod table;

pub use table::{NodeAdjoint, Wanted};

use super::{Gradient, Lengths, StageAdjoint};
use crate::engine::Engine;
use crate::error::exact;
use crate::{Error, Graph, Node, Sample, Scratch, Source, StreamShape};

/// What [`GraphAdjoint::backward`] needs.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct GraphNeeds {
    /// Samples of state, carried from a chunk to the one before it.
    pub state: usize,
    /// Samples of working memory, for frames of the model's input.
    pub scratch: Scratch,
    /// Parameters of all nodes.
    pub parameters: usize,
}

impl GraphNeeds {
    const NONE: Self = Self { state: 0, scratch: Scratch::NONE, parameters: 0 };
}

/// A chunk of a model on its way back.
#[derive(Debug)]
pub struct GraphChunk<'c, T> {
    /// The number of its first frame.
    pub t: u64,
    /// Its frames.
    pub input: &'c [T],
    /// The scratch of the forward pass of [`GraphAdjoint::graph`] over this chunk.
    pub frames: &'c [T],
    /// The model's state before the chunk, which the chunk may advance. Any contents before the first chunk; may be empty where
    /// no gradient of a parameter is wanted.
    pub before: &'c mut [T],
    /// The gradient of the output frames.
    pub grad_out: &'c [T],
    /// Those of the further outputs, in the order of [`Graph::outputs`].
    pub grad_outputs: &'c [&'c [T]],
}

/// The adjoint of a [`Graph`]; see the [picture](self).
#[derive(Clone, Copy, Debug)]
pub struct GraphAdjoint<'a, T: Sample = f32> {
    graph: Graph<'a, T>,
    reversed: &'a [T],
    table: &'a [NodeAdjoint],
    needs: GraphNeeds,
    /// The row of the model's input, which is active if its gradient is asked for.
    input: NodeAdjoint,
    /// The gradients of all frames; a gradient that is added to another one; the largest scratch of a node.
    gradients: Scratch,
    added: Scratch,
    /// Whether the gradient of a parameter is wanted.
    any_wanted: bool,
}

impl<'a, T: Sample> GraphAdjoint<'a, T> {
    /// Samples of the reversed kernels of `nodes`: as many as their convolutions have weights.
    pub fn reversed_len(nodes: &[Node<'_, T>]) -> usize {
        let of =
            |node: &Node<'_, T>| if let Node::Filter(_, stage) = node { StageAdjoint::reversed_len(stage) } else { 0 };
        nodes.iter().map(of).fold(0, usize::saturating_add)
    }

    /// The adjoint of `graph`, for gradients of the parameters that are `wanted` of each node, and with `input` of the model's
    /// input. Parameters that a node does not have are not missed.
    ///
    /// `reversed` has [`GraphAdjoint::reversed_len`] samples, `table` one row for each node; their contents are overwritten. The
    /// adjoint belongs to the present weights. An output that the loss does not depend on is better left out of the graph.
    ///
    /// # Errors
    /// [`Error::NodeAdjoint`] for a filter from outside this crate through which a gradient passes; [`Error::Length`] for memory
    /// of the wrong length; as [`Graph::new`], because the places of `graph` are not used; frames that are too large.
    pub fn new(
        graph: &Graph<'a, T>,
        wanted: impl Fn(usize) -> Wanted,
        input: bool,
        reversed: &'a mut [T],
        table: &'a mut [NodeAdjoint],
    ) -> Result<Self, Error> {
        // Every node keeps its frames.
        let graph = Graph::with_outputs(graph.input(), graph.nodes(), graph.outputs())?;
        exact("the table of adjoints", table.len(), graph.nodes().len())?;
        exact("the reversed kernels", reversed.len(), Self::reversed_len(graph.nodes()))?;
        let mut rest = &mut *reversed;
        for node in graph.nodes() {
            if let Node::Filter(_, stage) = node {
                let (kernel, others) = rest.split_at_mut_checked(StageAdjoint::reversed_len(stage)).unwrap_or_default();
                StageAdjoint::reverse(stage, kernel)?;
                rest = others;
            }
        }
        let mut adjoint = Self {
            graph,
            reversed,
            table: &[],
            needs: GraphNeeds::NONE,
            input: NodeAdjoint { stream: StreamShape::input(graph.input()), is_active: input, ..NodeAdjoint::EMPTY },
            gradients: Scratch::NONE,
            added: Scratch::NONE,
            any_wanted: false,
        };
        adjoint.fill(wanted, table)?;
        Ok(Self { table, ..adjoint })
    }

    /// The model to run forward: its nodes do not share the memory of their frames.
    pub const fn graph(&self) -> &Graph<'a, T> {
        &self.graph
    }

    /// What [`GraphAdjoint::backward`] needs.
    pub const fn needs(&self) -> GraphNeeds {
        self.needs
    }

    /// Numbers of the parameters of `node`; none for a node that the model does not have.
    pub fn lengths(&self, node: usize) -> Lengths {
        self.table.get(node).map_or(Lengths::NONE, |row| row.lengths)
    }

    /// The part of the `gradient` of all parameters that is that of `node`.
    pub fn parameters<'g>(&self, node: usize, gradient: &'g mut [f64]) -> Gradient<'g> {
        let Some(NodeAdjoint { parameters, lengths, .. }) = self.table.get(node) else { return Gradient::default() };
        let (_, rest) = gradient.split_at_mut_checked(*parameters).unwrap_or_default();
        let (weights, rest) = rest.split_at_mut_checked(lengths.weights).unwrap_or_default();
        let (bias, rest) = rest.split_at_mut_checked(lengths.bias).unwrap_or_default();
        let (gains, rest) = rest.split_at_mut_checked(lengths.gains).unwrap_or_default();
        let (scale, _) = rest.split_at_mut_checked(lengths.scale).unwrap_or_default();
        Gradient { weights, bias, gains, scale }
    }

    /// Adds the gradients of the parameters that are wanted to those of later chunks, and overwrites `grad_in` with that of the
    /// chunk's input. The chunk after this one has been fed before; for the last one `state` is zeros. `grad_in` is empty if
    /// it is not asked for. An empty chunk does nothing.
    ///
    /// # Errors
    /// [`Error::Length`] when a slice does not fit; nothing is then changed.
    pub fn backward(
        &self,
        chunk: GraphChunk<'_, T>,
        state: &mut [T],
        scratch: &mut [T],
        grad_in: &mut [T],
        gradient: &mut [f64],
    ) -> Result<(), Error> {
        self.backward_with(Engine::single_thread(T::LANES), chunk, state, scratch, grad_in, gradient)
    }

    /// The row of `source`.
    fn row(&self, source: Source) -> &NodeAdjoint {
        table::row_of(source, &self.input, self.table)
    }
}
