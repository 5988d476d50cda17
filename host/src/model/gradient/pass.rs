//! A recording forward through the model, and the gradient of its output backward, in segments.
//!
//! ```text
//! segment   the most frames whose samples between the layers, and their gradients, take 64 MB; more where the states before all
//!           segments would take more than 64 MB: then both take the same
//! ```

use super::{Gradient, Lengths, NodeGradients, StreamShape, Wanted, unknown};
use crate::Model;
use crate::cpu::simd::Engines;
use crate::cpu::threads::{Threads, worth};
use crate::lookahead::needed;
use crate::memory::resize;
use crate::model::layer::{Compiled, Table, Target};
use crate::{Error, Result};
use foveola_core::adjoint::{GraphAdjoint, GraphChunk, NodeAdjoint};
use foveola_core::{Graph, Shape};

/// 64 MB.
const BUDGET: usize = 16 << 20;

/// Movies of one shape: streams after streams, each frame after frame of (channel, row, col).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recording<'r> {
    pub(crate) samples: &'r [f32],
    pub(crate) batch: usize,
    pub(crate) frames: usize,
    pub(crate) shape: Shape,
}

/// What the gradients of some parameters need, kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    /// Samples of the segments, and of the states before them.
    pub(super) budget: usize,
    free: Vec<String>,
    wanted: Vec<Wanted>,
    /// The samples between the layers.
    kept: Vec<f32>,
    /// The state before each segment of each stream.
    states: Vec<f32>,
    state: Vec<f32>,
    before: Vec<f32>,
    output: Vec<f32>,
    grad_out: Vec<f32>,
    /// State and scratch of the adjoints.
    carried: Vec<f32>,
    scratch: Vec<f32>,
    /// A copy of the kernels in reverse, which the adjoints of convolutions read.
    reversed: Vec<f32>,
    gradient: Vec<f64>,
}

impl Pass {
    /// For the parameters called `free` of a model that reads frames of `shape`.
    ///
    /// # Errors
    /// As [`Model::gradient`] for names.
    pub(crate) fn new(model: &Model, free: &[&str], shape: Shape) -> Result<Self> {
        let mut pass = Self { budget: BUDGET, ..Self::default() };
        pass.prepare(model, free, shape)?;
        Ok(pass)
    }

    /// [`Pass::new`] in the memory of this one.
    pub(crate) fn prepare(&mut self, model: &Model, free: &[&str], shape: Shape) -> Result<()> {
        let all = model.parameters();
        if let Some(name) = free.iter().find(|name| !all.iter().any(|parameter| parameter.name == **name)) {
            return Err(unknown(name, &all));
        }
        self.wanted = model.network.wanted(free, shape)?;
        self.free = free.iter().map(|name| (*name).to_owned()).collect();
        Ok(())
    }

    /// The gradient for a recording. `loss` gets the output, as (batch, time, channel, row, col) with the lengths of the last four,
    /// and writes its derivative.
    ///
    /// # Errors
    /// As [`Model::gradient`].
    pub(crate) fn gradient(
        &mut self,
        model: &Model,
        recording: &Recording<'_>,
        loss: impl FnOnce(&[f32], [usize; 4], &mut [f32]) -> Result<f64>,
    ) -> Result<Gradient> {
        let (loss, all) = self.run(model, recording, Some(loss))?;
        self.collect(model, loss, all)
    }

    /// Runs forward, and with a loss backward. Returns its value, and the gradients of all parameters.
    fn run(
        &mut self,
        model: &Model,
        recording: &Recording<'_>,
        loss: Option<impl FnOnce(&[f32], [usize; 4], &mut [f32]) -> Result<f64>>,
    ) -> Result<(f64, Vec<super::Parameter>)> {
        let network = &model.network;
        let (shape, mut workers) = (recording.shape, model.workers.clone());
        let target = network.precision.level().map_or(Target::Taps, Target::Gradients);
        let mut table = Table::default();
        network.compiled_for(target, shape, &mut table, workers.shares(), |compiled: Compiled<'_>| {
            let nodes = compiled.graph.nodes();
            let core = |source| Error::layer("the model", source);
            let graph = Graph::new(shape, nodes).map_err(core)?;
            resize(&mut self.reversed, "the reversed kernels", GraphAdjoint::reversed_len(nodes))?;
            let mut rows = vec![NodeAdjoint::EMPTY; nodes.len()];
            let wanted = |node: usize| self.wanted.get(node).copied().unwrap_or_default();
            let mut reversed = std::mem::take(&mut self.reversed);
            let adjoint =
                GraphAdjoint::new(&graph, wanted, false, &mut reversed, &mut rows).map_err(|error| match error {
                    foveola_core::Error::NodeAdjoint { node } => Error::NotFitted {
                        what: network.layer_of(node, shape),
                        reason: "is a custom filter, without an adjoint",
                    },
                    other => core(other),
                })?;
            let level = network.precision.level();
            let work = worth(adjoint.graph(), 1, recording.frames);
            workers.prepare(work)?;
            let run = Run { adjoint: &adjoint, recording, level, segment: segment(&adjoint, recording, self.budget) };
            workers.run(work, |splitter| run.forward(splitter, self))?;
            let Some(loss) = loss else {
                self.reversed = Vec::new();
                return Ok((f64::NAN, Vec::new()));
            };
            let output = adjoint.graph().signature().output;
            let of_stream = self.output.len() / (recording.batch * output.len()).max(1);
            resize(&mut self.grad_out, "the gradient of the output", self.output.len())?;
            let dim = [of_stream, output.channels, output.rows, output.cols];
            let value = loss(&self.output, dim, &mut self.grad_out)?;
            workers.run(work, |splitter| run.backward(splitter, self))?;
            let lengths: Vec<Lengths> = (0..nodes.len()).map(|node| adjoint.lengths(node)).collect();
            let gradients = network.gradients(&NodeGradients::new(&lengths, &self.gradient, StreamShape::input(shape)));
            self.reversed = reversed;
            Ok((value, gradients))
        })
    }

    /// The output for a recording, as (time, channel, row, col).
    ///
    /// # Errors
    /// As [`Model::gradient`].
    pub(crate) fn predict(&mut self, model: &Model, recording: &Recording<'_>) -> Result<&[f32]> {
        self.run(model, recording, None::<fn(&[f32], [usize; 4], &mut [f32]) -> Result<f64>>)?;
        Ok(&self.output)
    }

    /// The gradients of the free parameters.
    fn collect(&self, model: &Model, loss: f64, all: Vec<super::Parameter>) -> Result<Gradient> {
        let of_name = |name: &String| {
            let found = all.iter().find(|gradient| gradient.name == *name).cloned();
            found.ok_or_else(|| {
                let reason = match model.parameter(name) {
                    Ok(_) if name.ends_with(".delay") || name.ends_with(".delays") => {
                        "is in whole frames, of which there are no gradients"
                    }
                    _ => "has no gradient",
                };
                Error::NotFitted { what: name.clone(), reason }
            })
        };
        Ok(Gradient { loss, parameters: self.free.iter().map(of_name).collect::<Result<_>>()? })
    }
}

/// Frames of a segment.
fn segment(adjoint: &GraphAdjoint<'_>, recording: &Recording<'_>, budget: usize) -> usize {
    let (graph, frames) = (adjoint.graph(), recording.frames);
    let signature = graph.signature();
    if signature.lead > 0 {
        return frames; // such a chunk may not be cut
    }
    let per_frame = signature.scratch.per_frame.saturating_add(adjoint.needs().scratch.per_frame).max(1);
    let states = recording.batch.saturating_mul(frames).saturating_mul(signature.state.max(1));
    let fits = budget / per_frame;
    // Segments of `n` frames take `n per_frame`, their states `states / n`.
    let balanced = (states as f64 / per_frame as f64).sqrt().ceil() as usize;
    let n = if states / fits.max(1) > budget { balanced } else { fits };
    n.max(needed(graph, frames)).clamp(1, frames)
}

/// One pass over a recording.
struct Run<'p, 'a> {
    adjoint: &'p GraphAdjoint<'a>,
    recording: &'p Recording<'p>,
    level: Option<crate::SimdLevel>,
    /// Frames of a segment.
    segment: usize,
}

impl Run<'_, '_> {
    fn engines(&self, splitter: Threads) -> Engines<'static> {
        Engines { level: self.level, splitter, kernels: &[], spectral: &[], batch: 1, overflow: None }
    }

    /// Segments of a stream.
    fn segments(&self) -> usize {
        self.recording.frames.div_ceil(self.segment)
    }

    /// The frames of a segment of a stream: the number of the first one, and the samples.
    fn input(&self, stream: usize, segment: usize) -> (usize, &[f32]) {
        let Recording { samples, frames, shape, .. } = *self.recording;
        let (from, to) = (segment * self.segment, frames.min((segment + 1) * self.segment));
        let at = |frame: usize| (stream * frames + frame) * shape.len();
        (from, &samples[at(from)..at(to)])
    }

    /// Where the output of a segment lies among those of all streams.
    fn output(&self, stream: usize, segment: usize) -> std::ops::Range<usize> {
        let (signature, frames) = (self.adjoint.graph().signature(), self.recording.frames);
        let (from, to) = (segment * self.segment, frames.min((segment + 1) * self.segment));
        let (all, len) = (signature.frames_out(0, frames), signature.output.len());
        let begin = stream * all + if from == 0 { 0 } else { signature.frames_out(0, from) };
        let count = signature.frames_out(from as u64, to - from);
        begin * len..(begin + count) * len
    }

    /// Runs a segment from the state, which advances.
    fn run(&self, engines: &Engines<'_>, (stream, segment): (usize, usize), pass: &mut Pass) -> Result<()> {
        let (t, input) = self.input(stream, segment);
        let output = &mut pass.output[self.output(stream, segment)];
        let graph = self.adjoint.graph();
        let run = graph.run_batch_with(engines, t as u64, 1, &mut pass.state, &mut pass.kept, input, output);
        run.map(drop).map_err(|source| Error::layer("the model", source))
    }

    /// All segments, first to last: the output, and the states before them.
    fn forward(&self, splitter: Threads, pass: &mut Pass) -> Result<()> {
        let (graph, batch) = (self.adjoint.graph(), self.recording.batch);
        let (signature, segments) = (graph.signature(), self.segments());
        resize(&mut pass.kept, "the layers' outputs", graph.scratch_len(self.segment, 1))?;
        let states = signature.state.saturating_mul(segments).saturating_mul(batch);
        resize(&mut pass.states, "the states between segments", states)?;
        resize(&mut pass.output, "the output", self.output(batch - 1, segments - 1).end)?;
        let engines = self.engines(splitter);
        for stream in 0..batch {
            pass.state.clear();
            resize(&mut pass.state, "the state", signature.state)?;
            for segment in 0..segments {
                let at = (stream * segments + segment) * signature.state;
                pass.states[at..at + signature.state].copy_from_slice(&pass.state);
                self.run(&engines, (stream, segment), pass)?;
            }
        }
        Ok(())
    }

    /// All segments, last to first: the gradient of the parameters.
    fn backward(&self, splitter: Threads, pass: &mut Pass) -> Result<()> {
        let (needs, state) = (self.adjoint.needs(), self.adjoint.graph().signature().state);
        pass.gradient.clear();
        pass.gradient.resize(needs.parameters, 0.0);
        resize(&mut pass.scratch, "the gradients of the layers' outputs", needs.scratch.len(self.segment))?;
        resize(&mut pass.before, "the state", state)?;
        let (engines, segments) = (self.engines(splitter), self.segments());
        let last = (self.recording.batch - 1, segments - 1);
        for stream in (0..=last.0).rev() {
            pass.carried.clear();
            resize(&mut pass.carried, "the state of the adjoints", needs.state)?;
            for segment in (0..segments).rev() {
                let at = (stream * segments + segment) * state;
                pass.before.copy_from_slice(&pass.states[at..at + state]);
                if (stream, segment) != last {
                    // The samples of the segment that ran last are still there.
                    pass.state.copy_from_slice(&pass.before);
                    self.run(&engines, (stream, segment), pass)?;
                }
                let (t, input) = self.input(stream, segment);
                let chunk = GraphChunk {
                    t: t as u64,
                    input,
                    frames: &pass.kept,
                    before: &mut pass.before,
                    grad_out: &pass.grad_out[self.output(stream, segment)],
                    grad_outputs: &[],
                };
                let memory = [&mut pass.carried[..], &mut pass.scratch, &mut []];
                let backward = engines.backward(self.adjoint, chunk, memory, &mut pass.gradient);
                backward.map_err(|source| Error::layer("the model", source))?;
            }
        }
        Ok(())
    }
}
