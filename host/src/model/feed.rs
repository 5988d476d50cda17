//! Feeding a chunk: the checks before, the blocks that go through the table, and the state after a failure.

use super::integers::{IN_16_BITS, Integers, Samples};
use super::stream::Stream;
use super::{Model, bounds::Bounds};
use crate::cpu::magnitude;
use crate::cpu::simd::{Engines, Overflow};
use crate::cpu::spectral::Spectral;
use crate::cpu::threads::{Threads, worth};
#[cfg(feature = "gpu")]
use crate::device::stream::Working;
use crate::lookahead::needed;
use crate::memory::{self, resize};
use crate::model::layer::{Compiled, Target};
use crate::{Error, Result, SimdLevel};
use foveola_core::engine::{MOVE, WorkSplitter};
use foveola_core::{Graph, Node, Shape, Source, Stage};
use ndarray::{ArrayView5, Axis, s};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Scratch memory of one pass through the table, in samples; fits into a second-level cache.
const BLOCK: usize = 1 << 18;

/// Scratch memory for a batch. Gathering the streams of a batch block by block costs time and only saves memory, so the
/// limit is larger.
const BATCH: usize = 16 * BLOCK;

/// The result of feeding a chunk: its batch, and the number and shape of the output frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fed {
    pub(super) batch: usize,
    pub(super) frames: usize,
    pub(super) shape: Shape,
}

/// A running stream and its working memory.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) stream: Stream,
    scratch: Vec<f32>,
    /// A chunk of the input in the memory order of the table.
    pub(super) staged: Vec<f32>,
    /// The output of the last chunk.
    pub(super) output: Vec<f32>,
    /// The further outputs of the last chunk, if they were asked for.
    pub(super) outputs: Vec<Vec<f32>>,
    /// The output of one block of a batch.
    of_block: Vec<f32>,
    /// A copy of the state before the present chunk, if the chunk may fail midway.
    before: Vec<f32>,
    /// Spectra that convolutions in the frequency domain keep in addition to the state.
    spectral: Vec<Mutex<Spectral>>,
    /// The model in integers, if it is one.
    pub(super) integers: Integers,
    #[cfg(feature = "gpu")]
    pub(super) working: Working,
}

impl Model {
    /// Checks that the frames fit the stream and, unless that is turned off, that they are finite. Returns the largest
    /// magnitude.
    pub(super) fn check(&mut self, input: &ArrayView5<'_, f32>) -> Result<f32> {
        let (batch, channels, frames, rows, cols) = input.dim();
        self.memory.stream.takes(batch, frames, Shape::new(channels, rows, cols))?;
        if self.unchecked {
            return Ok(0.0);
        }
        let largest = match input.as_slice_memory_order() {
            // For a device this is the only time that the host reads them; the CPU reads them again from its cache.
            Some(samples) if self.network.device.is_device() => {
                let work = samples.len().saturating_mul(MOVE);
                self.workers.prepare(work)?;
                self.workers.run(work, |splitter| magnitude::shared(splitter, samples))
            }
            Some(samples) => magnitude::largest(samples),
            None => f32::from_bits(input.iter().fold(0, |most: u32, x| most.max(x.abs().to_bits()))),
        };
        if largest.is_finite() {
            return Ok(largest);
        }
        not_finite(input, self.time()).map_or(Ok(largest), Err)
    }

    /// Whether a chunk of finite frames up to `largest` may fail midway: because of a custom filter or an overflow.
    pub(super) fn may_refuse(&mut self, input: &ArrayView5<'_, f32>, largest: f32) -> Result<bool> {
        let Self { network, memory, table, workers, unchecked, .. } = self;
        let (_, channels, _, rows, cols) = input.dim();
        if network.device.is_device() {
            return Ok(true);
        }
        if network.samples != Samples::F32 {
            return Ok(false); // what is out of range saturates
        }
        network.compiled(Shape::new(channels, rows, cols), &mut table.0, workers.shares(), |compiled| {
            let stream = &memory.stream;
            let raised = stream.bounds.raised(largest, network.revision(), compiled);
            let bounds = raised.as_ref().unwrap_or(&stream.bounds);
            Ok(refuses(&compiled.graph) || !*unchecked && !bounds.are_safe())
        })
    }

    /// Runs checked frames through the table. If `keep_sizes` is set, receptive fields without a weight keep the size of
    /// these frames. If `all` is set, the further outputs are kept as well.
    pub(super) fn feed(
        &mut self,
        input: ArrayView5<'_, f32>,
        largest: f32,
        keep_sizes: bool,
        all: bool,
    ) -> Result<Fed> {
        let (batch, channels, frames, rows, cols) = input.dim();
        let shape = Shape::new(channels, rows, cols);
        #[cfg(feature = "gpu")]
        if self.network.device.is_device() {
            return self.feed_on_device(input, largest, usize::MAX, None, all);
        }
        if let Samples::Q15 { full_scale } = self.network.samples {
            return self.feed_integers(input, full_scale, keep_sizes, all);
        }
        let Self { network, memory, table, workers, unchecked, .. } = self;
        let (revision, level) = (network.revision(), network.precision.level());
        network.compiled(shape, &mut table.0, workers.shares(), |compiled| {
            let raised = memory.admit(network.revision(), compiled, largest, |node| network.layer_of(node, shape))?;
            let bounds = raised.as_ref().unwrap_or(&memory.stream.bounds);
            let watched = !*unchecked && !bounds.are_safe();
            let overflow = OnceLock::new();
            let work = worth(&compiled.graph, batch, frames);
            workers.prepare(work)?;
            let result = workers.run(work, |splitter| {
                let watch = watched.then_some(&overflow);
                memory.run(compiled, level, splitter, watch, input, all)
            });
            let fed = match (result, overflow.get()) {
                (Err(Error::Layer { .. }), Some(overflow)) => {
                    Err(located(overflow, compiled, batch, network.layer_of(overflow.node, shape)))
                }
                (result, _) => result,
            };
            if fed.is_err() {
                memory.forget();
            }
            let fed = fed?;
            if frames > 0 {
                if let Some(raised) = raised {
                    memory.stream.bounds = raised;
                }
                memory.stream.keep_layouts(revision, compiled);
                if keep_sizes {
                    compiled.fed();
                }
            }
            Ok(fed)
        })
    }
}

impl Model {
    /// [`Model::feed`] in samples of 16 bits.
    fn feed_integers(
        &mut self,
        input: ArrayView5<'_, f32>,
        full_scale: f64,
        keep_sizes: bool,
        all: bool,
    ) -> Result<Fed> {
        let (batch, channels, frames, rows, cols) = input.dim();
        let shape = Shape::new(channels, rows, cols);
        let Self { network, memory, table, workers, .. } = self;
        let (revision, level) = (network.revision(), network.precision.level());
        network.compiled_for(Target::Taps, shape, &mut table.0, workers.shares(), |compiled| {
            memory.integers.prepare((revision, shape), || network.integers(&compiled.graph))?;
            if !memory.stream.continues(memory.integers.layouts()) {
                return Err(Error::StateChanged { layer: IN_16_BITS.into() });
            }
            let work = worth(&compiled.graph, batch, frames);
            workers.prepare(work)?;
            let fed = workers
                .run(work, |splitter| memory.run_integers(compiled, full_scale, (level, splitter), input, all))?;
            if frames > 0 {
                memory.stream.set_layouts(memory.integers.layouts());
                if keep_sizes {
                    compiled.fed();
                }
            }
            Ok(fed)
        })
    }
}

/// The error for the first sample that is not finite; the first frame has number `t`.
pub(super) fn not_finite(input: &ArrayView5<'_, f32>, t: u64) -> Option<Error> {
    let ((batch, channel, frame, row, col), &value) = input.indexed_iter().find(|(_, x)| !x.is_finite())?;
    Some(Error::NonFinite { batch, channel, frame: t + frame as u64, row, col, value })
}

/// Whether the graph has a filter that may reject finite frames.
fn refuses(graph: &Graph<'_>) -> bool {
    graph.nodes().iter().any(|node| matches!(node, Node::Filter(_, Stage::Custom(..) | Stage::Finite(_))))
}

/// The error for a value that is not finite, in the layer called `layer`.
fn located(overflow: &Overflow, compiled: Compiled<'_>, batch: usize, layer: String) -> Error {
    let Overflow { node, t, index, len, value } = *overflow;
    let shape = compiled.graph.stream(Source::Node(node)).shape;
    let of_stream = (len / batch.max(1)).max(1);
    let (stream, sample) = (index / of_stream, index % of_stream);
    let (frame, sample) = (sample / shape.len().max(1), sample % shape.len().max(1));
    let (channel, pixel) = (sample / shape.pixels().max(1), sample % shape.pixels().max(1));
    let (row, col) = (pixel / shape.cols.max(1), pixel % shape.cols.max(1));
    let hint = match compiled.kernels.get(node) {
        Some(Some(_)) => {
            "; it computes in the frequency domain, where sums over a whole frame must stay in range: \
                          Algorithm::Direct reaches further"
        }
        _ => "",
    };
    Error::Overflow { layer, batch: stream, channel, frame: t + frame as u64, row, col, value, hint }
}

impl Clone for Memory {
    /// A copy of the stream with its own working memory.
    fn clone(&self) -> Self {
        Self { stream: self.stream.clone(), ..Self::default() }
    }
}

impl Memory {
    /// Called when another state has replaced that of the stream.
    pub(super) fn forget(&mut self) {
        for spectral in &mut self.spectral {
            spectral.get_mut().unwrap_or_else(PoisonError::into_inner).forget();
        }
    }

    /// Checks that the stream may continue with these layers. Returns the bounds for inputs up to `largest`, if they rise.
    pub(super) fn admit(
        &mut self,
        revision: u64,
        compiled: Compiled<'_>,
        largest: f32,
        layer_of: impl Fn(usize) -> String,
    ) -> Result<Option<Bounds>> {
        if let Err(node) = self.stream.fits(revision, compiled) {
            let layer = layer_of(node);
            return Err(Error::StateChanged { layer });
        }
        Ok(self.stream.bounds.raised(largest, revision, compiled))
    }

    /// A view of the output of the last chunk.
    pub(super) fn output(&self, fed: Fed) -> Result<ArrayView5<'_, f32>> {
        movie(&self.output, fed, "the output")
    }

    /// Views of the further outputs of the last chunk, with frames of these shapes.
    pub(super) fn further_outputs(
        &self,
        batch: usize,
        shapes: Vec<Shape>,
    ) -> impl Iterator<Item = Result<ArrayView5<'_, f32>>> {
        self.outputs.iter().zip(shapes).map(move |(output, shape)| {
            let frames = output.len().checked_div(batch * shape.len()).unwrap_or(0);
            movie(output, Fed { batch, frames, shape }, "a further output")
        })
    }

    /// Allocates the outputs of further nodes for a chunk.
    pub(super) fn prepare_outputs(
        &mut self,
        graph: &Graph<'_>,
        further: &[usize],
        batch: usize,
        frames: usize,
    ) -> Result<()> {
        self.outputs.resize_with(further.len(), Vec::new);
        for (output, node) in self.outputs.iter_mut().zip(further) {
            let stream = graph.stream(Source::Node(*node));
            let (_, frames) = stream.chunk(self.stream.t, frames);
            let samples = batch.saturating_mul(frames).saturating_mul(stream.shape.len());
            resize(output, "a further output", samples)?;
        }
        Ok(())
    }

    fn run(
        &mut self,
        compiled: Compiled<'_>,
        level: Option<SimdLevel>,
        splitter: Threads,
        overflow: Option<&OnceLock<Overflow>>,
        input: ArrayView5<'_, f32>,
        all: bool,
    ) -> Result<Fed> {
        let (graph, batch, frames) = (&compiled.graph, input.len_of(Axis(0)), input.len_of(Axis(2)));
        let signature = graph.signature();
        let shape = signature.output;
        let fed = Fed { batch, frames: signature.frames_out(self.stream.t, frames), shape };
        let samples = batch.saturating_mul(fed.frames).saturating_mul(shape.len());
        resize(&mut self.output, "the output", samples)?;
        self.prepare_outputs(graph, if all { graph.outputs() } else { &[] }, batch, frames)?;
        if frames == 0 {
            return Ok(fed);
        }
        // Allocate all memory before a layer processes the chunk.
        let blocks = Blocks::of(graph, &self.stream, batch, frames, splitter);
        let most = blocks.first.max(blocks.others);
        resize(&mut self.scratch, "the layers' outputs", graph.scratch_len(most, batch))?;
        let in_order = input.permuted_axes([0, 2, 1, 3, 4]).is_standard_layout() && (batch == 1 || most >= frames);
        if !in_order {
            let samples = most.saturating_mul(batch).saturating_mul(signature.input.len());
            resize(&mut self.staged, "a block of the input", samples)?;
        }
        if batch > 1 && most < frames {
            resize(
                &mut self.of_block,
                "the output of a block",
                most.saturating_mul(batch).saturating_mul(shape.len()),
            )?;
        }
        self.prepare_spectral(compiled, batch, most, splitter)?;
        if self.stream.t == 0 {
            // Zeros are the initial state of nodes that start later than the stream.
            self.stream.state.begin(signature.state.saturating_mul(batch))?;
        }
        let state = self.stream.state.writable()?;
        let to_return_to = overflow.is_some() || refuses(graph);
        if to_return_to {
            memory::copy(&mut self.before, "a copy of the state", state)?;
        }
        let t = self.stream.t;
        self.stream.poison();
        let spectral = std::mem::take(&mut self.spectral);
        let engines = Engines { level, splitter, kernels: compiled.kernels, spectral: &spectral, batch, overflow };
        let result = self.blocks(graph, engines, input, blocks);
        self.spectral = spectral;
        self.stream.heal();
        if result.is_err() {
            self.stream.t = t;
            if to_return_to {
                let state = self.stream.state.writable()?;
                state.copy_from_slice(&self.before);
            }
        }
        result?;
        self.stream.frames = Some((batch, signature.input));
        Ok(fed)
    }

    /// Prepares the buffers of convolutions in the frequency domain, for blocks of `frames` frames.
    fn prepare_spectral(
        &mut self,
        compiled: Compiled<'_>,
        batch: usize,
        frames: usize,
        splitter: Threads,
    ) -> Result<()> {
        if compiled.kernels.is_empty() {
            return Ok(());
        }
        self.spectral.resize_with(compiled.kernels.len() * batch, Mutex::default);
        for (node, kernel) in compiled.kernels.iter().enumerate() {
            let (Some(kernel), Some(Node::Filter(_, Stage::Conv3d(conv)))) = (kernel, compiled.graph.nodes().get(node))
            else {
                continue;
            };
            for spectral in self.spectral.iter_mut().skip(node * batch).take(batch) {
                let spectral = spectral.get_mut().unwrap_or_else(PoisonError::into_inner);
                spectral.prepare(conv, kernel, splitter, frames)?;
            }
        }
        Ok(())
    }

    /// Runs the frames through the table in blocks.
    fn blocks(
        &mut self,
        graph: &Graph<'_>,
        engines: Engines<'_>,
        input: ArrayView5<'_, f32>,
        blocks: Blocks,
    ) -> Result<()> {
        let (batch, frames) = (input.len_of(Axis(0)), input.len_of(Axis(2)));
        let signature = graph.signature();
        let len = signature.output.len();
        let Self { stream, scratch, staged, output, outputs, of_block, .. } = self;
        let began = stream.t;
        let (mut from, mut written) = (0, 0);
        while from < frames {
            let to = frames.min(from + if from == 0 { blocks.first } else { blocks.others });
            let samples = stage(input.slice_move(s![.., .., from..to, .., ..]), engines.splitter, staged)?;
            let state = stream.state.writable()?;
            // The streams of a batch share the output evenly; the outputs of a partial block are copied to their places
            // afterwards.
            let apart = batch > 1 && (from, to) != (0, frames);
            let out = if apart { of_block.as_mut_slice() } else { output.get_mut(written * len..).unwrap_or(&mut []) };
            let n = graph
                .run_batch_with(&engines, stream.t, batch, state, scratch, samples, out)
                .map_err(|source| Error::layer("the model", source))?;
            if apart && n > 0 {
                scatter(&of_block[..batch * n * len], batch, written * len, output);
            }
            for (k, (output, node)) in outputs.iter_mut().zip(graph.outputs()).enumerate() {
                let block = graph
                    .output(k, stream.t, to - from, batch, scratch)
                    .map_err(|source| Error::layer("the model", source))?;
                let of_node = graph.stream(Source::Node(*node));
                // Chunks with lead frames are not split.
                let at = (of_node.rate.count(stream.t) - of_node.rate.count(began)) as usize * of_node.shape.len();
                scatter(block, batch, at, output);
            }
            stream.t += (to - from) as u64;
            (from, written) = (to, written + n);
        }
        Ok(())
    }
}

/// The frames at the start of `samples`, which are in the memory order of the table.
fn movie<'a>(samples: &'a [f32], fed: Fed, what: &'static str) -> Result<ArrayView5<'a, f32>> {
    let Fed { batch, frames, shape: Shape { channels, rows, cols } } = fed;
    let len = batch * frames * fed.shape.len();
    let view = ArrayView5::from_shape((batch, frames, channels, rows, cols), samples.get(..len).unwrap_or(&[]));
    view.map(|view| view.permuted_axes([0, 2, 1, 3, 4])).map_err(|_| Error::Memory { what, samples: len })
}

/// The number of frames that go through the table together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    pub(super) first: usize,
    pub(super) others: usize,
}

impl Blocks {
    /// Blocks that fit into the cache. The first block of a stream holds all frames that initialise temporal padding. Chunks
    /// with lead frames are not split. Neither are the streams of a batch, whose memory is not contiguous, if there is
    /// enough memory.
    pub(super) fn of(graph: &Graph<'_>, stream: &Stream, batch: usize, frames: usize, splitter: Threads) -> Self {
        let signature = graph.signature();
        let leads = |node: &usize| graph.stream(Source::Node(*node)).lead > 0;
        let lead = signature.lead > 0 || graph.outputs().iter().any(leads);
        if lead || batch > 1 && graph.scratch_len(frames, batch) <= BATCH {
            return Self { first: frames, others: frames };
        }
        // Threads share a block: larger blocks reduce the number of hand-overs.
        let samples = if splitter.count(usize::MAX) > 1 { 4 * BLOCK } else { BLOCK };
        let per_frame = signature.scratch.per_frame.max(signature.input.len()).saturating_mul(batch).max(1);
        let others = (samples / per_frame).clamp(1, frames);
        let first = if stream.t == 0 { needed(graph, frames).max(others) } else { others };
        Self { first, others }
    }
}

/// Copies the frames of a block to the outputs of their streams, from sample `at` of each on.
pub(super) fn scatter(block: &[f32], batch: usize, at: usize, output: &mut [f32]) {
    let (of_block, of_stream) = (block.len() / batch.max(1), output.len() / batch.max(1));
    if of_block > 0 {
        for (to, from) in output.chunks_exact_mut(of_stream).zip(block.chunks_exact(of_block)) {
            to[at..at + of_block].copy_from_slice(from);
        }
    }
}

/// The samples of `chunk` as (batch, time, channel, row, col): borrowed if they already have that order, else copied.
pub(super) fn stage<'a>(chunk: ArrayView5<'a, f32>, splitter: Threads, staged: &'a mut Vec<f32>) -> Result<&'a [f32]> {
    let frames = chunk.permuted_axes([0, 2, 1, 3, 4]);
    if let Some(samples) = frames.to_slice() {
        return Ok(samples);
    }
    resize(staged, "a chunk of the input", frames.len())?;
    gather(frames, splitter, staged);
    Ok(staged)
}

/// Copies `(batch, time, channel, row, col)`, split into halves where the size justifies it.
fn gather(from: ArrayView5<'_, f32>, splitter: Threads, to: &mut [f32]) {
    let axis = Axis(usize::from(from.len_of(Axis(0)) < 2));
    let half = from.len_of(axis) / 2;
    if let Some(splitter) = splitter.halve(from.len().saturating_mul(MOVE)).filter(|_| half > 0) {
        let (first, second) = from.split_at(axis, half);
        let (to, rest) = to.split_at_mut(first.len());
        splitter.join(|| gather(first, splitter, to), || gather(second, splitter, rest));
        return;
    }
    let (.., rows, cols) = from.dim();
    let mut to = to.chunks_exact_mut((rows * cols).max(1));
    for stream in from.outer_iter() {
        for frame in stream.outer_iter() {
            for (from, to) in frame.outer_iter().zip(&mut to) {
                match from.to_slice() {
                    Some(from) => to.copy_from_slice(from),
                    None => to.iter_mut().zip(from.iter()).for_each(|(to, from)| *to = *from),
                }
            }
        }
    }
}
