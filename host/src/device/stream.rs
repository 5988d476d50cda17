//! A stream of frames through a device: blocks of frames, several in flight at a time.
//!
//! ```text
//! host    | fill 0 | fill 1 |        | take 0, fill 2 | take 1, …
//! device           | up 0, compute 0, down 0 | up 1, compute 1, down 1 | …
//! ```
//! The state stays on the device. Each chunk works on a copy of the state, so that a chunk that fails leaves the state
//! unchanged, and a saved state is only another reference to the buffer. A batch that is too large for one buffer is
//! processed in parts; a chunk is processed in blocks.

use super::backend::{Backend, Buffer, Buffers, Ticket, Work};
use super::kernels::Kernel;
pub(crate) use super::lower::supported;
use super::lower::{Chunk, Constants, Lowered, Output, lower, period, states};
use super::pass::{Operand, Pass};
use crate::cpu::threads::Threads;
use crate::lookahead::{averages, needed};
use crate::memory::zeros;
use crate::{Error, Result};
use foveola_core::{Graph, Node, Source};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Blocks in flight: one is filled, another is computed, and a third is copied back.
const DEPTH: usize = 3;
/// The largest number of words in the input or output of a block: 128 MB, for which the overhead per pass is negligible.
const BLOCK: usize = 32 << 20;

/// The approximate largest number of multiply-adds per block: a system resets a device that does not respond for seconds.
const WORK: usize = 1 << 38;

/// The state of a stream on a device.
#[derive(Clone, Debug)]
pub(crate) struct DeviceState {
    backend: Arc<dyn Backend>,
    /// The streams of the batch in each buffer.
    parts: Vec<(Range<usize>, Buffer)>,
    /// State words of each node, for one stream.
    nodes: Vec<usize>,
    batch: usize,
}

impl DeviceState {
    /// Copies the state to the host.
    pub(crate) fn download(&self) -> Result<Vec<f32>> {
        let of_stream: usize = self.nodes.iter().sum();
        let mut state = zeros("the state", of_stream.saturating_mul(self.batch))?;
        for (streams, buffer) in &self.parts {
            let words = of_stream * streams.len();
            let work = Work { download: vec![(buffer, words)], ..Work::NONE };
            self.backend.submit(&work)?.wait(&mut |samples| {
                for (part, whole) in places(&self.nodes, streams, self.batch) {
                    state[whole].copy_from_slice(&samples[part]);
                }
            })?;
        }
        Ok(state)
    }

    /// Copies a state from the host to the device; zeros if there is none.
    fn upload(
        backend: &Arc<dyn Backend>,
        nodes: Vec<usize>,
        batch: usize,
        parts: Vec<Range<usize>>,
        state: Option<&[f32]>,
    ) -> Result<Self> {
        let of_stream: usize = nodes.iter().sum();
        let mut buffers = Vec::new();
        for streams in parts {
            let buffer = backend.buffer("the state", of_stream * streams.len())?;
            let mut work = Work::NONE;
            match state {
                Some(state) => {
                    work.upload = places(&nodes, &streams, batch)
                        .map(|(_, whole)| bytemuck::cast_slice(state.get(whole).unwrap_or(&[])))
                        .collect();
                    work.to = Some(&buffer);
                }
                None => work.cleared.push(&buffer),
            }
            backend.submit(&work)?.wait(&mut |_| {})?;
            buffers.push((streams, buffer));
        }
        Ok(Self { backend: Arc::clone(backend), parts: buffers, nodes, batch })
    }

    /// The streams of each part.
    fn streams(&self) -> impl Iterator<Item = &Range<usize>> {
        self.parts.iter().map(|(streams, _)| streams)
    }

    fn is_on(&self, backend: &Arc<dyn Backend>) -> bool {
        Arc::ptr_eq(&self.backend, backend)
    }
}

/// The offset of each node's state in the buffer of some streams, and in the state of the batch.
fn places<'n>(
    nodes: &'n [usize],
    streams: &'n Range<usize>,
    batch: usize,
) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + 'n {
    let (mut part, mut whole) = (0, 0);
    nodes.iter().map(move |words| {
        let len = words * streams.len();
        let from = whole + words * streams.start;
        let place = (part..part + len, from..from + len);
        (part, whole) = (part + len, whole + words * batch);
        place
    })
}

/// The frames of a chunk, in host memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Frames<'f> {
    /// `(batch, time, channel, row, col)`.
    Samples(&'f [f32]),
    /// Events of one stream in frame order: for each, its sample in the chunk and the increment.
    Events(&'f [[u32; 2]]),
}

/// A chunk of a stream.
#[derive(Debug)]
pub(crate) struct Piece<'p> {
    pub(crate) t: u64,
    pub(crate) batch: usize,
    pub(crate) frames: usize,
    pub(crate) input: Frames<'p>,
    /// The largest number of frames per block.
    pub(crate) block: usize,
    /// Whether the model's further outputs are copied back, too.
    pub(crate) all: bool,
    /// Increases when the model's layers may have changed.
    pub(crate) revision: u64,
    /// The threads that share copies on the host.
    pub(crate) splitter: Threads,
}

impl Piece<'_> {
    /// The nodes that are copied back besides the last one.
    pub(crate) fn further<'g>(&self, graph: &Graph<'g>) -> &'g [usize] {
        if self.all { graph.outputs() } else { &[] }
    }
}

/// Takes frames of an output: the number of the output, the stream, the number of the first frame, and the samples.
pub(crate) type Take<'t> = dyn FnMut(usize, usize, usize, &[f32]) + 't;

/// The location of the stream's state before a chunk.
#[derive(Debug)]
pub(crate) enum Before<'s> {
    /// No state yet: the chunk is the first.
    New,
    Host(&'s [f32]),
    Device(&'s DeviceState),
}

/// Data that a model keeps on a device in addition to the state.
#[derive(Debug, Default)]
pub(crate) struct Working {
    backend: Option<Arc<dyn Backend>>,
    /// What the constants were made for.
    revision: Option<(u64, foveola_core::Shape)>,
    constants: Constants,
    uploaded: Vec<Buffer>,
    input: Option<Buffer>,
    events: Option<Buffer>,
    output: Option<Buffer>,
    slots: Vec<Buffer>,
    /// State buffers of earlier chunks, for reuse.
    spare: Vec<Buffer>,
}

/// A block in flight, and the destination of its outputs.
#[derive(Debug)]
struct Flying {
    ticket: Box<dyn Ticket>,
    streams: Range<usize>,
    outputs: Vec<Output>,
    /// Frames of each output before the block.
    before: Vec<usize>,
}

impl Working {
    /// Runs a chunk and passes the outputs to `take`: the first one, and the further ones if the piece asks for all. Returns the new
    /// state.
    pub(crate) fn run(
        &mut self,
        backend: &Arc<dyn Backend>,
        graph: &Graph<'_>,
        piece: &Piece<'_>,
        before: Before<'_>,
        take: &mut Take<'_>,
    ) -> Result<DeviceState> {
        let key = (piece.revision, graph.input());
        if !self.backend.as_ref().is_some_and(|known| Arc::ptr_eq(known, backend)) {
            *self = Self { backend: Some(Arc::clone(backend)), ..Self::default() };
        }
        if self.revision != Some(key) {
            (self.constants, self.uploaded, self.revision) = (Constants::default(), Vec::new(), Some(key));
        }
        let nodes = states(graph);
        let known = match before {
            Before::Device(state) if state.is_on(backend) && state.nodes == nodes => Some(state),
            _ => None,
        };
        let plan = Plan::of(backend.as_ref(), graph, piece, known, &mut self.constants)?;
        let old = match before {
            Before::Device(state) if known.is_some() && state.streams().eq(plan.parts.iter()) => state.clone(),
            Before::Device(state) => {
                let state = state.download()?;
                DeviceState::upload(backend, nodes, piece.batch, plan.parts.clone(), Some(&state))?
            }
            Before::Host(state) => DeviceState::upload(backend, nodes, piece.batch, plan.parts.clone(), Some(state))?,
            Before::New => DeviceState::upload(backend, nodes, piece.batch, plan.parts.clone(), None)?,
        };
        let mut new = old.clone();
        let mut flying = VecDeque::new();
        let mut result = Ok(());
        for ((streams, from), (_, to)) in old.parts.iter().zip(&mut new.parts) {
            result = self.spare(backend, from.words()).and_then(|spare| {
                *to = spare;
                self.part(backend, graph, piece, &plan, streams.clone(), (from, to), &mut flying, take)
            });
            if result.is_err() {
                break;
            }
        }
        // Wait for blocks in flight before their buffers are reused, even after an error.
        while let Some(block) = flying.pop_front() {
            let landed = land(block, take);
            result = result.and(landed);
        }
        // Reuse the old state buffers if nothing else refers to them.
        let old: Vec<_> = if result.is_ok() { old.parts } else { std::mem::replace(&mut new.parts, old.parts) };
        self.spare.extend(old.into_iter().map(|(_, buffer)| buffer));
        let fits = |buffer: &Buffer| new.parts.iter().any(|(_, part)| part.words() == buffer.words());
        self.spare.retain(|buffer| Arc::strong_count(buffer) <= 2 && fits(buffer));
        result.map(|()| new)
    }

    /// A state buffer without other references.
    fn spare(&mut self, backend: &Arc<dyn Backend>, words: usize) -> Result<Buffer> {
        let free = |buffer: &Buffer| Arc::strong_count(buffer) == 1 && buffer.words() == words;
        match self.spare.iter().position(free) {
            Some(at) => Ok(self.spare.swap_remove(at)),
            None => backend.buffer("a copy of the state", words),
        }
    }

    /// Runs some streams of the batch through a chunk, block by block.
    #[allow(clippy::too_many_arguments, reason = "what a piece is, and what it becomes")]
    fn part(
        &mut self,
        backend: &Arc<dyn Backend>,
        graph: &Graph<'_>,
        piece: &Piece<'_>,
        plan: &Plan,
        streams: Range<usize>,
        state: (&Buffer, &Buffer),
        flying: &mut VecDeque<Flying>,
        take: &mut Take<'_>,
    ) -> Result<()> {
        let len = graph.input().len();
        let further = piece.further(graph);
        let (mut frame, mut written) = (0, vec![0; 1 + further.len()]);
        while frame < piece.frames {
            let frames = plan.block(frame).min(piece.frames - frame);
            let chunk = Chunk { t: piece.t + frame as u64, frames, streams: streams.len(), further };
            let mut lowered = lower(graph, chunk, backend.limits(), &mut self.constants);
            let mut upload = Vec::new();
            let range = frame * len..(frame + frames) * len;
            match piece.input {
                Frames::Samples(samples) => upload.extend(streams.clone().map(|stream| {
                    let from = stream * piece.frames * len;
                    bytemuck::cast_slice(samples.get(from + range.start..from + range.end).unwrap_or(&[]))
                })),
                Frames::Events(events) => {
                    let of_frame = |at: usize| events.partition_point(|[sample, _]| (*sample as usize) < at);
                    let events = &events[of_frame(range.start)..of_frame(range.end)];
                    upload.push(bytemuck::cast_slice(events));
                    lowered.passes = count(events.len(), range.clone(), lowered.passes);
                }
            }
            self.prepare(backend, &lowered, frames * streams.len() * len, &upload, piece.input)?;
            let (Some(input), Some(output)) = (&self.input, &self.output) else { return Ok(()) };
            let mut work = Work { upload, passes: &lowered.passes, splitter: piece.splitter, ..Work::NONE };
            work.to = Some(input);
            if let (Frames::Events(_), Some(events)) = (piece.input, &self.events) {
                work.to = Some(events);
                work.cleared.push(input);
            }
            if frame == 0 {
                work.copies.push(state);
            }
            let buffers = Buffers {
                input: Arc::clone(input),
                output: Arc::clone(output),
                state: Arc::clone(state.1),
                slots: self.slots.clone(),
                constants: self.uploaded.clone(),
                events: self.events.clone(),
            };
            work.buffers = Some(&buffers);
            let source = |operand| buffers.get(operand).unwrap_or(output);
            work.download = lowered.outputs.iter().map(|output| (source(&output.operand), output.words)).collect();
            let ticket = backend.submit(&work)?;
            let before = written.clone();
            written.iter_mut().zip(&lowered.outputs).for_each(|(written, output)| *written += output.frames);
            flying.push_back(Flying { ticket, streams: streams.clone(), outputs: lowered.outputs, before });
            if flying.len() >= DEPTH
                && let Some(block) = flying.pop_front()
            {
                land(block, take)?;
            }
            frame += frames;
        }
        Ok(())
    }

    /// Prepares the buffers for a block.
    fn prepare(
        &mut self,
        backend: &Arc<dyn Backend>,
        lowered: &Lowered,
        input: usize,
        upload: &[&[u8]],
        frames: Frames<'_>,
    ) -> Result<()> {
        while let Some(words) = self.constants.words.get(self.uploaded.len()) {
            let buffer = backend.buffer("the weights", words.len())?;
            let work = Work { upload: vec![bytemuck::cast_slice(words)], to: Some(&buffer), ..Work::NONE };
            backend.submit(&work)?;
            self.uploaded.push(buffer);
        }
        grow(backend, &mut self.input, "the frames of a block", input)?;
        let output = lowered.outputs.first().map_or(0, |output| output.words);
        grow(backend, &mut self.output, "the output of a block", output)?;
        if let Frames::Events(_) = frames {
            let words = upload.iter().map(|bytes| bytes.len() / 4).sum();
            grow(backend, &mut self.events, "the events of a block", words)?;
        }
        for (i, words) in lowered.slots.iter().enumerate() {
            let mut slot = self.slots.get(i).cloned();
            grow(backend, &mut slot, "the layers' outputs", *words)?;
            match (slot, self.slots.get_mut(i)) {
                (Some(slot), Some(known)) => *known = slot,
                (Some(slot), None) => self.slots.push(slot),
                (None, _) => {}
            }
        }
        Ok(())
    }
}

/// Grows a buffer to at least `words`.
fn grow(backend: &Arc<dyn Backend>, buffer: &mut Option<Buffer>, what: &'static str, words: usize) -> Result<()> {
    if buffer.as_ref().is_none_or(|buffer| buffer.words() < words) {
        *buffer = Some(backend.buffer(what, words)?);
    }
    Ok(())
}

/// Waits for a block and passes on its outputs, which lie one after another.
fn land(block: Flying, take: &mut Take<'_>) -> Result<()> {
    let Flying { ticket, streams, outputs, before } = block;
    ticket.wait(&mut |mut samples| {
        for (index, (output, before)) in outputs.iter().zip(&before).enumerate() {
            let Some((own, rest)) = samples.split_at_checked(output.words) else { return };
            let of_stream = (output.frames * output.len).max(1);
            for (stream, samples) in streams.clone().zip(own.chunks_exact(of_stream)) {
                take(index, stream, *before, samples);
            }
            samples = rest;
        }
    })
}

/// The passes of a block, preceded by those that count its events into frames; `range` is its range of samples in the chunk.
fn count(events: usize, range: Range<usize>, passes: Vec<Pass>) -> Vec<Pass> {
    let groups = |threads: usize| threads.div_ceil(256);
    let counted = Pass {
        kernel: Kernel::Count,
        reads: vec![Operand::Events],
        writes: vec![Operand::Input],
        params: vec![events as u32, range.start as u32],
        groups: groups(events),
    };
    let samples = Pass {
        kernel: Kernel::Counts,
        reads: Vec::new(),
        writes: vec![Operand::Input],
        params: vec![range.len() as u32],
        groups: groups(range.len()),
    };
    [counted, samples].into_iter().chain(passes).collect()
}

/// How a chunk is split.
struct Plan {
    /// Streams that are processed together.
    parts: Vec<Range<usize>>,
    /// Frames of the first block, and of the others.
    first: usize,
    block: usize,
}

impl Plan {
    fn block(&self, frame: usize) -> usize {
        if frame == 0 { self.first } else { self.block }
    }

    /// The largest blocks for which every buffer stays below the device's limit.
    fn of(
        backend: &dyn Backend,
        graph: &Graph<'_>,
        piece: &Piece<'_>,
        known: Option<&DeviceState>,
        constants: &mut Constants,
    ) -> Result<Self> {
        let most = backend.limits().buffer;
        let fits = |words: usize| words as u64 <= most / 4;
        let refused = |what, words: usize| {
            let (device, bytes) = (backend.info().name.clone(), (words as u64).saturating_mul(4));
            Error::DeviceMemory { device, what, bytes, most }
        };
        let further = piece.further(graph);
        let state = graph.signature().state;
        if !fits(state) {
            return Err(refused("the state of a stream", state));
        }
        // Words of the largest buffer for a number of frames of one stream, and of the input and outputs. If strides in time
        // leave most frames without an output, `more` frames are counted as well: these give the largest possible number of
        // outputs.
        let mut words = |t: u64, frames: usize, more: usize| {
            let chunk = Chunk { t, frames: frames + more, streams: 1, further };
            let lowered = lower(graph, chunk, backend.limits(), constants);
            // The outputs are copied back through one buffer.
            let ends = lowered.words().max(frames * graph.input().len());
            let lists = lowered.passes.iter().flat_map(|pass| &pass.reads).map(|operand| match operand {
                Operand::Words(words) => words.len(),
                _ => 0,
            });
            (lists.chain(lowered.slots.iter().copied()).fold(ends, usize::max), ends)
        };
        let more = usize::try_from(period(graph) - 1).unwrap_or(usize::MAX).min(piece.frames);
        let leads = further.iter().map(|node| graph.stream(Source::Node(*node)).lead);
        let lead = leads.fold(graph.signature().lead, usize::max);
        // A later frame, after all warm-ups.
        let first = |node| graph.stream(Source::Node(node)).rate.first;
        let later = (0..graph.nodes().len()).map(first).fold(piece.t.max(1), u64::max);
        // A chunk that starts the stream, or repeats frames, must be processed from its start.
        let at_once = match (piece.t, lead) {
            (_, 1..) => piece.frames,
            (0, 0) => needed(graph, piece.frames),
            _ => 1,
        };
        let (mut at_once_words, _) = words(piece.t, at_once, 0);
        if lead == 0 && (piece.t > 0 || at_once < piece.frames) {
            at_once_words = at_once_words.max(words(later, 1, more).0);
        }
        let of_stream = state.max(at_once_words);
        if !fits(of_stream) {
            return Err(refused("the first frames of a piece", of_stream));
        }
        // An existing state keeps its division into parts, if possible.
        let fitting = ((most / 4) as usize / of_stream.max(1)).clamp(1, piece.batch);
        let known = known.and_then(|state| state.streams().map(ExactSizeIterator::len).max());
        let together = known.filter(|known| *known <= fitting).unwrap_or(fitting);
        if together < piece.batch && piece.t == 0 && averages(graph) {
            return Err(refused("a batch whose mean begins it", of_stream.saturating_mul(piece.batch)));
        }
        let parts = (0..piece.batch).step_by(together).map(|from| from..(from + together).min(piece.batch)).collect();
        // More frames, while the buffers stay below the limit and transfers near their best size.
        let good = |(largest, ends): (usize, usize)| fits(largest * together) && ends * together <= BLOCK;
        let stage = |node: &Node<'_>| match node {
            Node::Filter(_, stage) => stage.work(),
            _ => 0,
        };
        let work = graph.nodes().iter().map(stage).fold(0, usize::saturating_add);
        let quick = |frames: usize| work.saturating_mul(together).saturating_mul(frames) <= WORK;
        let ceiling = piece.frames.min(piece.block.max(1));
        let mut block = if lead > 0 { piece.frames } else { 1 };
        while block < ceiling {
            let longer = (2 * block).min(ceiling);
            if !quick(longer) || !good(words(later, longer, more)) {
                break;
            }
            block = longer;
        }
        Ok(Self { parts, first: block.max(at_once), block })
    }
}
