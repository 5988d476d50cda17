//! One chunk on its way back through a model, node by node.

use super::{GraphAdjoint, GraphChunk, NodeAdjoint};
use crate::adjoint::sums::sum_of;
use crate::adjoint::{Chunk, FirstGradient, Gradient, Memory, Parameters, add};
use crate::engine::{Engine, WorkSplitter};
use crate::error::{at_least, exact};
use crate::filter::copy;
use crate::lanes::Lanes;
use crate::{Error, First, Node, Sample, Source, Stage};

/// One pass of a chunk.
#[derive(Clone, Copy)]
struct Pass<'p, 'a, T: Sample, L, F> {
    adjoint: &'p GraphAdjoint<'a, T>,
    engine: Engine<L, F>,
    t: u64,
    /// Frames of the chunk.
    frames: usize,
    input: &'p [T],
    /// The frames of the nodes.
    kept: &'p [T],
}

/// The gradients that nodes write to: those of the nodes before one, and that of the input.
struct Targets<'m, T> {
    nodes: &'m mut [T],
    input: &'m mut [T],
}

/// What nodes need beside the gradients of frames.
struct Others<'m, T> {
    /// Memory for a gradient that is added to another one.
    added: &'m mut [T],
    /// The model's state before the chunk.
    before: &'m mut [T],
    /// That of the adjoints.
    state: &'m mut [T],
    scratch: &'m mut [T],
    parameters: &'m mut [f64],
}

/// Writes gradients, or adds them to those of later readers.
#[inline(always)]
fn put<T: Sample, L: Lanes<T>>(lanes: L, is_first: bool, to: &mut [T], gradients: impl Iterator<Item = T>) {
    lanes.vectorize(
        #[inline(always)]
        || {
            let pairs = to.iter_mut().zip(gradients);
            if is_first { pairs.for_each(|(to, g)| *to = g) } else { pairs.for_each(|(to, g)| *to = *to + g) }
        },
    );
}

impl<'a, T: Sample> GraphAdjoint<'a, T> {
    /// [`GraphAdjoint::backward`] with given vectors and threads.
    ///
    /// # Errors
    /// As [`GraphAdjoint::backward`].
    pub fn backward_with<L: Lanes<T>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        chunk: GraphChunk<'_, T>,
        state: &mut [T],
        scratch: &mut [T],
        grad_in: &mut [T],
        gradient: &mut [f64],
    ) -> Result<(), Error> {
        let GraphChunk { t, input, frames: kept, before, grad_out, grad_outputs } = chunk;
        let pass =
            Pass { adjoint: self, engine, t, frames: input.len() / self.graph.input().len().max(1), input, kept };
        pass.check(grad_out, grad_outputs)?;
        exact("the adjoint's state", state.len(), self.needs.state)?;
        at_least("the scratch", scratch.len(), self.needs.scratch.len(pass.frames))?;
        exact("the gradient of the input", grad_in.len(), if self.input.is_active { input.len() } else { 0 })?;
        if self.any_wanted {
            exact("the state before the chunk", before.len(), self.graph.signature().state)?;
            exact("the gradient of the parameters", gradient.len(), self.needs.parameters)?;
        }
        if input.is_empty() {
            return Ok(());
        }
        let (added, scratch) = scratch.split_at_mut_checked(self.added.len(pass.frames)).unwrap_or_default();
        let (gradients, scratch) = scratch.split_at_mut_checked(self.gradients.len(pass.frames)).unwrap_or_default();
        pass.start(grad_outputs, gradients);
        let mut others = Others { added, before, state, scratch, parameters: gradient };
        for (i, (node, row)) in self.graph.nodes().iter().zip(self.table).enumerate().rev() {
            if row.is_active {
                let (nodes, rest) = gradients.split_at_mut_checked(pass.start_of(row)).unwrap_or_default();
                let g = if i + 1 == self.table.len() { grad_out } else { rest.get(..pass.len(row)).unwrap_or(&[]) };
                pass.node((i, node), g, &mut Targets { nodes, input: grad_in }, &mut others)?;
            }
        }
        Ok(())
    }
}

impl<'a, T: Sample, L: Lanes<T>, F: WorkSplitter> Pass<'_, 'a, T, L, F> {
    /// Samples of the frames of a node.
    fn len(&self, row: &NodeAdjoint) -> usize {
        row.stream.chunk(self.t, self.frames).1.saturating_mul(row.stream.shape.len())
    }

    /// Where the gradient of a node begins.
    fn start_of(&self, row: &NodeAdjoint) -> usize {
        row.gradient.len(self.frames)
    }

    /// Whether frames and gradients have the right lengths.
    fn check(&self, grad_out: &[T], grad_outputs: &[&[T]]) -> Result<(), Error> {
        let graph = &self.adjoint.graph;
        exact("the input", self.input.len(), self.frames.saturating_mul(graph.input().len()))?;
        at_least("the frames of the forward pass", self.kept.len(), graph.frames().len(self.frames))?;
        let last = self.adjoint.row(Source::Node(self.adjoint.table.len() - 1));
        exact("the gradient of the output", grad_out.len(), self.len(last))?;
        exact("the gradients of further outputs", grad_outputs.len(), graph.outputs().len())?;
        for (node, g) in graph.outputs().iter().zip(grad_outputs) {
            exact("the gradient of a further output", g.len(), self.len(self.adjoint.row(Source::Node(*node))))?;
        }
        Ok(())
    }

    /// The gradients of the further outputs, before those of their readers are added.
    fn start(&self, grad_outputs: &[&[T]], gradients: &mut [T]) {
        let outputs = self.adjoint.graph.outputs();
        for (k, (node, g)) in outputs.iter().zip(grad_outputs).enumerate() {
            let row = self.adjoint.row(Source::Node(*node));
            if row.is_active {
                let to = gradients.get_mut(self.start_of(row)..).unwrap_or_default();
                // A node may be an output more than once.
                if outputs.iter().take(k).any(|other| other == node) { add(to, g) } else { copy(to, g) }
            }
        }
    }

    /// The frames of `source`.
    fn read(&self, source: Source) -> &[T] {
        if source == Source::Input {
            return self.input;
        }
        let row = self.adjoint.row(source);
        let start = row.frames.len(self.frames);
        self.kept.get(start..start.saturating_add(self.len(row))).unwrap_or(&[])
    }

    /// The gradient of `source`, if it is computed.
    fn target<'t>(&self, source: Source, targets: &'t mut Targets<'_, T>) -> Option<&'t mut [T]> {
        let row = self.adjoint.row(source);
        if !row.is_active {
            return None;
        }
        if source == Source::Input {
            return Some(targets.input);
        }
        let start = self.start_of(row);
        targets.nodes.get_mut(start..start.saturating_add(self.len(row)))
    }

    /// Whether `node` is the first one to write to the gradient of its branch number `k`.
    fn is_first(&self, node: usize, sources: [Source; 2], k: usize) -> bool {
        let [first, second] = sources;
        let source = if k == 0 { first } else { second };
        self.adjoint.row(source).last_reader == Some(node) && (k == 0 || first != second)
    }

    /// Passes the gradient `g` of a node on to its sources, and adds to the gradients of its parameters.
    fn node(
        &self,
        (i, node): (usize, &Node<'a, T>),
        g: &[T],
        targets: &mut Targets<'_, T>,
        others: &mut Others<'_, T>,
    ) -> Result<(), Error> {
        let lanes = self.engine.lanes;
        match *node {
            Node::Filter(source, ref stage) => return self.filter((i, stage), source, g, targets, others),
            Node::Add(terms) => {
                let gradient = self.wanted(i, others.parameters);
                for ((source, _), to) in terms.iter().zip(gradient.weights) {
                    *to += sum_of(lanes, [self.read(*source), g], |[x, g]| x * g);
                }
                for (k, (source, weight)) in terms.into_iter().enumerate() {
                    let is_first = self.is_first(i, terms.map(|(source, _)| source), k);
                    if let Some(to) = self.target(source, targets) {
                        let weight = T::from_f64(weight);
                        put(lanes, is_first, to, g.iter().map(|g| weight * *g));
                    }
                }
            }
            Node::Multiply([a, b]) => {
                for (k, (source, other)) in [(a, b), (b, a)].into_iter().enumerate() {
                    if let Some(to) = self.target(source, targets) {
                        let products = g.iter().zip(self.read(other)).map(|(g, x)| *g * *x);
                        put(lanes, self.is_first(i, [a, b], k), to, products);
                    }
                }
            }
            Node::Concat(branches) => {
                let lens = branches.map(|source| self.adjoint.row(source).stream.shape.len());
                for (k, (source, len)) in branches.into_iter().zip(lens).enumerate() {
                    let Some(to) = self.target(source, targets) else { continue };
                    let is_first = self.is_first(i, branches, k);
                    let skipped = if k == 0 { 0 } else { lens[0] };
                    let frames = g.chunks_exact(lens[0].saturating_add(lens[1]).max(1));
                    for (to, g) in to.chunks_exact_mut(len.max(1)).zip(frames) {
                        put(lanes, is_first, to, g.get(skipped..).unwrap_or(&[]).iter().copied());
                    }
                }
            }
        }
        Ok(())
    }

    /// The gradients of the parameters of a node that are wanted.
    fn wanted<'g>(&self, node: usize, parameters: &'g mut [f64]) -> Gradient<'g> {
        let wanted = self.adjoint.row(Source::Node(node)).wanted;
        let Gradient { weights, bias, gains, scale } = self.adjoint.parameters(node, parameters);
        let only = |wanted, slice: &'g mut [f64]| if wanted { slice } else { &mut [] };
        Gradient {
            weights: only(wanted.weights, weights),
            bias: only(wanted.bias, bias),
            gains: only(wanted.gains, gains),
            scale: only(wanted.scale, scale),
        }
    }

    fn filter(
        &self,
        (i, stage): (usize, &Stage<'a, T>),
        source: Source,
        grad_out: &[T],
        targets: &mut Targets<'_, T>,
        others: &mut Others<'_, T>,
    ) -> Result<(), Error> {
        let (row, from) = (self.adjoint.row(Source::Node(i)), self.adjoint.row(source));
        let Some(adjoint) = self.adjoint.stage(stage, row)? else { return Err(Error::NodeAdjoint { node: i }) };
        let (input, (t, frames)) = (self.read(source), from.stream.chunk(self.t, self.frames));
        if frames == 0 {
            return Ok(());
        }
        // As in the forward pass: after a warm-up the very first frame alone starts the stream.
        let first = if from.stream.rate.first > 0 { from.stream.shape.len() } else { input.len() };
        let mut parameters = Parameters { state: &mut [], gradient: self.wanted(i, others.parameters) };
        if row.wanted.any() {
            let end = row.before.saturating_add(stage.signature().state);
            parameters.state = others.before.get_mut(row.before..end).unwrap_or_default();
            if t == 0 {
                stage.as_filter().start(parameters.state, First::alone(input.get(..first).unwrap_or(input)));
            }
        }
        let state = others.state.get_mut(row.state..row.state.saturating_add(row.words)).unwrap_or_default();
        let retreat = |grad_in: &mut [T]| {
            let scratch = &mut *others.scratch;
            let memory = Memory { state: &mut *state, scratch: &mut *scratch, grad_in: &mut *grad_in, parameters };
            adjoint.retreat_with(self.engine, Chunk { t, input, grad_out }, memory)?;
            if t > 0 || !from.is_active {
                return Ok(());
            }
            let first = FirstGradient::alone(grad_in.get_mut(..first).unwrap_or_default());
            adjoint.finish_with(self.engine, state, scratch, first)
        };
        if from.is_active && from.last_reader == Some(i) {
            return retreat(self.target(source, targets).unwrap_or_default());
        }
        let len = if from.is_active || adjoint.as_adjoint().needs().grad_in { input.len() } else { 0 };
        let added = others.added.get_mut(..len).unwrap_or_default();
        retreat(added)?;
        if let Some(to) = self.target(source, targets) {
            put(self.engine.lanes, false, to, added.iter().copied());
        }
        Ok(())
    }
}
