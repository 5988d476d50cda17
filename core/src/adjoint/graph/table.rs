//! The table of a model's adjoint: the memory of each node, and what is computed for it.

use super::{GraphAdjoint, StageAdjoint};
use crate::adjoint::Lengths;
use crate::graph::Home;
use crate::{Error, Graph, Node, Sample, Scratch, Shape, Source, Stage, StreamShape};

/// Kinds of parameters whose gradients are wanted.
#[must_use]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[allow(missing_docs, reason = "the fields are those of Lengths")]
pub struct Wanted {
    pub weights: bool,
    pub bias: bool,
    pub gains: bool,
    pub scale: bool,
}

impl Wanted {
    /// All kinds.
    pub const ALL: Self = Self { weights: true, bias: true, gains: true, scale: true };
    /// None: the node is frozen.
    pub const NONE: Self = Self { weights: false, bias: false, gains: false, scale: false };

    /// Those that the node has.
    const fn among(self, lengths: &Lengths) -> Self {
        Self {
            weights: self.weights && lengths.weights > 0,
            bias: self.bias && lengths.bias > 0,
            gains: self.gains && lengths.gains > 0,
            scale: self.scale && lengths.scale > 0,
        }
    }

    /// Whether any is wanted.
    pub const fn any(self) -> bool {
        self.weights || self.bias || self.gains || self.scale
    }
}

/// The reader of frames that the loss depends on directly: no node writes to their gradient first.
const LOSS: usize = usize::MAX;

/// A row of the table of a [`GraphAdjoint`].
#[derive(Clone, Copy, Debug)]
pub struct NodeAdjoint {
    /// The output of the node.
    pub(super) stream: StreamShape,
    /// Where its frames begin in the scratch of the forward pass, and their gradient among the gradients.
    pub(super) frames: Scratch,
    pub(super) gradient: Scratch,
    /// Where its state begins in that of the model.
    pub(super) before: usize,
    /// Where the state of its adjoint begins, and its length.
    pub(super) state: usize,
    pub(super) words: usize,
    /// Where its reversed kernel begins.
    pub(super) reversed: usize,
    /// Where its parameters begin, and their numbers.
    pub(super) parameters: usize,
    pub(super) lengths: Lengths,
    /// Those that are wanted.
    pub(super) wanted: Wanted,
    /// The last reader that the loss depends on, which is the first one to write to the gradient: [`LOSS`] for an output.
    pub(super) last_reader: Option<usize>,
    /// Whether the gradient of its output is computed.
    pub(super) is_active: bool,
}

impl NodeAdjoint {
    /// To fill a table with.
    pub const EMPTY: Self = Self {
        stream: StreamShape::input(Shape::new(0, 0, 0)),
        frames: Scratch::NONE,
        gradient: Scratch::NONE,
        before: 0,
        state: 0,
        words: 0,
        reversed: 0,
        parameters: 0,
        lengths: Lengths::NONE,
        wanted: Wanted::NONE,
        last_reader: None,
        is_active: false,
    };
}

/// A source, as a row of a filled part of the table and the row of the input tell.
pub(super) fn row_of<'t>(source: Source, input: &'t NodeAdjoint, table: &'t [NodeAdjoint]) -> &'t NodeAdjoint {
    match source {
        Source::Input => input,
        Source::Node(node) => table.get(node).unwrap_or(&NodeAdjoint::EMPTY),
    }
}

/// Finds the nodes that the loss depends on, and the last reader of each.
fn find_readers<T: Sample>(graph: &Graph<'_, T>, input: &mut NodeAdjoint, table: &mut [NodeAdjoint]) {
    for output in graph.outputs().iter().copied().chain([graph.nodes().len() - 1]) {
        if let Some(row) = table.get_mut(output) {
            row.last_reader = Some(LOSS);
        }
    }
    for (i, node) in graph.nodes().iter().enumerate().rev() {
        if table.get(i).is_none_or(|row| row.last_reader.is_none()) {
            continue;
        }
        let (first, second) = node.sources();
        for source in [first].into_iter().chain(second) {
            let row = match source {
                Source::Input => Some(&mut *input),
                Source::Node(node) => table.get_mut(node),
            };
            if let Some(row) = row {
                row.last_reader.get_or_insert(i);
            }
        }
    }
}

impl<'a, T: Sample> GraphAdjoint<'a, T> {
    /// The adjoint of the filter of a node.
    pub(super) fn stage(&self, stage: &Stage<'a, T>, row: &NodeAdjoint) -> Result<Option<StageAdjoint<'a, T>>, Error> {
        let end = row.reversed.saturating_add(StageAdjoint::reversed_len(stage));
        StageAdjoint::new(stage, self.reversed.get(row.reversed..end).unwrap_or(&[]))
    }

    /// Fills the table, and sums up what all nodes need.
    pub(super) fn fill(&mut self, wanted: impl Fn(usize) -> Wanted, table: &mut [NodeAdjoint]) -> Result<(), Error> {
        let (graph, mut before, mut reversed) = (self.graph, None, 0);
        table.fill(NodeAdjoint::EMPTY);
        find_readers(&graph, &mut self.input, table);
        for (i, node) in graph.nodes().iter().enumerate() {
            let (done, rest) = table.split_at_mut_checked(i).unwrap_or_default();
            let Some(row) = rest.first_mut() else { break };
            let place = graph.place(i, node, before);
            (row.stream, row.before) = (place.stream, place.state);
            if let Home::Scratch(start) = place.home {
                row.frames = start;
            }
            (row.reversed, row.parameters) = (reversed, self.needs.parameters);
            let adjoint = if let Node::Filter(_, stage) = node {
                reversed = reversed.saturating_add(StageAdjoint::reversed_len(stage));
                self.stage(stage, row)?
            } else {
                None
            };
            row.lengths = match (node, &adjoint) {
                (Node::Add(_), _) => Lengths { weights: 2, ..Lengths::NONE },
                (_, Some(adjoint)) => adjoint.as_adjoint().needs().parameters,
                _ => Lengths::NONE,
            };
            self.needs.parameters = self.needs.parameters.saturating_add(row.lengths.total());
            self.place(i, node, adjoint.as_ref(), wanted(i), (row, done))?;
            before = Some(place.before());
        }
        self.needs.scratch = self.added.plus(self.gradients).plus(self.needs.scratch);
        Ok(())
    }

    /// Gives a node the memory that it needs, if it is active.
    fn place(
        &mut self,
        index: usize,
        node: &Node<'a, T>,
        adjoint: Option<&StageAdjoint<'a, T>>,
        wanted: Wanted,
        (row, done): (&mut NodeAdjoint, &[NodeAdjoint]),
    ) -> Result<(), Error> {
        let (first, second) = node.sources();
        let first = row_of(first, &self.input, done);
        let is_passed_on = first.is_active || second.is_some_and(|source| row_of(source, &self.input, done).is_active);
        row.wanted = wanted.among(&row.lengths);
        row.is_active = row.last_reader.is_some() && (row.wanted.any() || is_passed_on);
        if !row.is_active {
            return Ok(());
        }
        self.any_wanted |= row.wanted.any();
        row.gradient = self.gradients;
        // That of the last node is the caller's.
        if index + 1 < self.graph.nodes().len() {
            self.gradients = self.gradients.plus(row.stream.span());
        }
        if let Node::Filter(..) = node {
            let Some(adjoint) = adjoint else { return Err(Error::NodeAdjoint { node: index }) };
            let needs = adjoint.as_adjoint().needs();
            (row.state, row.words) = (self.needs.state, needs.state);
            self.needs.state = self.needs.state.saturating_add(needs.state);
            let own = if row.wanted.any() { needs.scratch.larger(needs.scratch_of_parameters) } else { needs.scratch };
            // After a lead, a chunk is longer than the model's.
            let own = own.and(own.per_frame.saturating_mul(first.stream.lead));
            self.needs.scratch = self.needs.scratch.larger(own);
            if first.is_active && first.last_reader != Some(index) || !first.is_active && needs.grad_in {
                self.added = self.added.larger(first.stream.span());
            }
        }
        Ok(())
    }
}
