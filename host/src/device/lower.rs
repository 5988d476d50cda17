//! Converts a chunk of a model into passes, in one walk over the core's table of nodes.
//!
//! Nodes that process single pixels become one pass where one feeds the other ([`Regions`]). A node with temporal padding
//! has three steps: at its first frame it initialises the padding (`start`), it computes from the ring and the chunk, and it
//! copies the last frames of the chunk into the ring (`store`). The ring has the host's layout.

mod conv;
mod fuse;
mod history;

use super::correlation::Correlation;
use super::kernels::Kernel;
use super::pass::{Operand, Pass};
use super::{DeviceInfo, Limits};
use crate::{Error, Result};
use foveola_core::{Graph, Node, Nonlinearity, PadMode, Rf, Shape, SmoothConv, Source, Stage, Sum, VariableDelay};
use fuse::Regions;
use std::collections::HashMap;

/// Threads per workgroup of the kernels here.
const THREADS: usize = 256;

/// Frames of all streams; the first one has number `t` since the state was cleared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk<'c> {
    pub(super) t: u64,
    pub(super) frames: usize,
    pub(super) streams: usize,
    /// The nodes, besides the last one, whose frames are needed after the passes.
    pub(super) further: &'c [usize],
}

/// The frames of a node after the passes of a chunk.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) operand: Operand,
    /// Words of all streams.
    pub(super) words: usize,
    /// Frames of each stream.
    pub(super) frames: usize,
    /// Words of a frame.
    pub(super) len: usize,
}

/// The passes of a chunk and the buffers that they need.
#[derive(Debug, Default)]
pub(super) struct Lowered {
    pub(super) passes: Vec<Pass>,
    /// Words of each slot.
    pub(super) slots: Vec<usize>,
    /// That of the last node, then those of the further nodes.
    pub(super) outputs: Vec<Output>,
}

impl Lowered {
    /// Words of all outputs.
    pub(super) fn words(&self) -> usize {
        self.outputs.iter().map(|output| output.words).sum()
    }
}

/// Constants that stay the same from chunk to chunk, looked up by the node that they belong to.
#[derive(Debug, Default)]
pub(super) struct Constants {
    known: HashMap<(usize, &'static str), usize>,
    pub(super) words: Vec<Vec<u32>>,
}

impl Constants {
    fn get(&mut self, key: (usize, &'static str), make: impl FnOnce() -> Vec<u32>) -> Operand {
        let next = self.words.len();
        let index = *self.known.entry(key).or_insert(next);
        if index == next {
            self.words.push(make());
        }
        Operand::Constant(index)
    }

    fn samples(&mut self, key: (usize, &'static str), make: impl FnOnce() -> Vec<f32>) -> Operand {
        self.get(key, || make().into_iter().map(f32::to_bits).collect())
    }

    /// An operand to bind where nothing is read.
    fn nothing(&mut self) -> Operand {
        self.get((usize::MAX, "nothing"), || vec![0])
    }
}

/// The input frames of a node.
#[derive(Clone, Debug)]
struct Reached {
    operand: Operand,
    shape: Shape,
    t: u64,
    frames: usize,
    /// Whether the frames before them belong to a warm-up: then the first frame alone initialises the padding.
    warm_up: bool,
}

/// The walk over the table.
struct Lowering<'l, 'g, 'a> {
    graph: &'l Graph<'a>,
    chunk: Chunk<'l>,
    limits: Limits,
    constants: &'g mut Constants,
    out: Lowered,
    /// The operands with the outputs of the nodes.
    places: Vec<Option<Operand>>,
    /// Slots that are free again.
    free: Vec<usize>,
}

/// Whether all filters of `graph` run on a device.
///
/// # Errors
/// [`Error::Device`] for a filter that only the CPU can run.
pub(crate) fn supported(graph: &Graph<'_>, device: &DeviceInfo) -> Result<()> {
    for (node, entry) in graph.nodes().iter().enumerate() {
        let what = match entry {
            Node::Filter(_, Stage::Custom(..)) => "a filter of your own",
            Node::Filter(_, Stage::Finite(_)) => "a guard for finite samples",
            _ if is_known(entry) => continue,
            _ => "a filter that this version does not know",
        };
        let reason = format!("node {node} of the model is {what}, which runs on the processor alone");
        return Err(Error::Device { device: device.name.clone(), reason });
    }
    Ok(())
}

/// Whether there are kernels for all that a node does.
fn is_known(node: &Node<'_>) -> bool {
    match node {
        Node::Add(_) | Node::Multiply(_) | Node::Concat(_) => true,
        Node::Filter(_, Stage::Conv3d(conv)) => conv.options().border.is_none_or(|mode| border_mode(mode).is_some()),
        Node::Filter(_, Stage::SmoothConv(smooth)) => border_mode(smooth.border()).is_some(),
        Node::Filter(_, Stage::Pointwise(filter)) => matches!(
            filter.function(),
            Nonlinearity::Rectify
                | Nonlinearity::RectifyScale { .. }
                | Nonlinearity::Square { .. }
                | Nonlinearity::RectifySquare { .. }
                | Nonlinearity::Exponential { .. }
                | Nonlinearity::Softplus { .. }
                | Nonlinearity::Logistic { .. }
        ),
        Node::Filter(_, stage) => matches!(
            stage,
            Stage::TimePadding(_)
                | Stage::Delay(_)
                | Stage::VariableDelay(_)
                | Stage::Rf(_)
                | Stage::LowPass(_)
                | Stage::HighPass(_)
                | Stage::Sum(_)
                | Stage::Diff(_)
        ),
        _ => false,
    }
}

/// The passes for a chunk of `graph`, whose filters are [`supported`].
pub(super) fn lower(graph: &Graph<'_>, chunk: Chunk<'_>, limits: Limits, constants: &mut Constants) -> Lowered {
    let nodes = graph.nodes().len();
    let (places, free) = (vec![None; nodes], Vec::new());
    let mut lowering = Lowering { graph, chunk, limits, constants, out: Lowered::default(), places, free };
    lowering.run();
    lowering.out
}

/// The largest number of input frames per frame of any node.
pub(super) fn period(graph: &Graph<'_>) -> u64 {
    let every = |node| graph.stream(Source::Node(node)).rate.every;
    (0..graph.nodes().len()).map(every).fold(1, u64::max)
}

/// The state size of each node for one stream.
pub(super) fn states(graph: &Graph<'_>) -> Vec<usize> {
    graph.nodes().iter().map(Node::state).filter(|state| *state > 0).collect()
}

impl Lowering<'_, '_, '_> {
    fn run(&mut self) {
        let further = self.chunk.further;
        let regions = Regions::of(self.graph, further);
        let nodes = self.graph.nodes();
        let mut offset = 0;
        let mut offsets = Vec::new();
        for node in nodes {
            offsets.push(offset);
            offset += node.state() * self.chunk.streams;
        }
        let last_uses = regions.last_uses(self.graph);
        for (i, node) in nodes.iter().enumerate() {
            if regions.root(i) != i {
                continue;
            }
            let stream = self.graph.stream(Source::Node(i));
            let (_, frames) = stream.chunk(self.chunk.t, self.chunk.frames);
            let words = self.chunk.streams * frames * stream.shape.len();
            let output = if i + 1 == nodes.len() { Operand::Output } else { self.slot(words) };
            match node {
                Node::Filter(source, stage) if !Regions::elementwise(node) => {
                    let from = self.reached(*source);
                    if from.frames > 0 {
                        self.stage(i, stage, offsets[i], &from, output.clone());
                    }
                }
                Node::Concat(branches) => self.concat(branches.map(|source| self.reached(source)), output.clone()),
                _ => self.region(&regions.members(i), &offsets, output.clone()),
            }
            self.places[i] = Some(output);
            // A slot is free after its last read, unless its frames are an output.
            let inner = |node: &usize| last_uses[*node] == i && !further.contains(node);
            for node in (0..nodes.len()).filter(inner) {
                if let Some(Operand::Slot(slot)) = self.places[node].take() {
                    self.free.push(slot);
                }
            }
        }
        let outputs = nodes.len().checked_sub(1).into_iter().chain(further.iter().copied());
        self.out.outputs = outputs.map(|node| self.output(node)).collect();
    }

    /// The frames of a node, after all passes.
    fn output(&self, node: usize) -> Output {
        let Reached { operand, shape, frames, .. } = self.reached(Source::Node(node));
        let len = shape.len();
        Output { operand, words: self.chunk.streams * frames * len, frames, len }
    }

    /// The frames that `source` yields for this chunk, and their operand.
    fn reached(&self, source: Source) -> Reached {
        let stream = self.graph.stream(source);
        let (t, frames) = stream.chunk(self.chunk.t, self.chunk.frames);
        let operand = match source {
            Source::Input => Operand::Input,
            Source::Node(node) => self.places.get(node).cloned().flatten().unwrap_or(Operand::Input),
        };
        Reached { operand, shape: stream.shape, t, frames, warm_up: stream.rate.first > 0 }
    }

    /// A free slot of `words` words.
    fn slot(&mut self, words: usize) -> Operand {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.out.slots.push(0);
            self.out.slots.len() - 1
        });
        self.out.slots[slot] = self.out.slots[slot].max(words);
        Operand::Slot(slot)
    }

    fn release(&mut self, operand: &Operand) {
        if let Operand::Slot(slot) = operand {
            self.free.push(*slot);
        }
    }

    /// A pass in which each thread computes one sample.
    fn push(&mut self, kernel: Kernel, reads: Vec<Operand>, writes: Vec<Operand>, threads: usize, params: Vec<u32>) {
        self.out.passes.push(Pass { kernel, reads, writes, params, groups: threads.div_ceil(THREADS) });
    }

    fn stage(&mut self, node: usize, stage: &Stage<'_>, at: usize, from: &Reached, output: Operand) {
        match stage {
            Stage::TimePadding(padding) => self.history(at, 0, padding.length(), padding.mode(), from, output),
            Stage::Delay(delay) => {
                let (delay, length) = delay.frames();
                self.history(at, delay, length, PadMode::Zeros, from, output);
            }
            Stage::VariableDelay(delay) => self.variable_delay(node, delay, at, from, output),
            Stage::Conv3d(conv) => self.conv(node, conv, at, from, output),
            Stage::Rf(field) => self.field(node, field, at, from, output),
            Stage::SmoothConv(smooth) => self.smooth_conv(node, smooth, at, from, output),
            Stage::Sum(sum) => self.sum(sum, from, output),
            // Nodes that process single pixels are in regions; the others were rejected before.
            _ => {}
        }
    }

    fn variable_delay(&mut self, node: usize, delay: &VariableDelay<'_>, at: usize, from: &Reached, output: Operand) {
        let len = from.shape.len();
        let slots = delay.signature().state / len;
        let delays = self.constants.get((node, "delays"), || delay.delays().to_vec());
        let samples = self.chunk.streams * from.frames * len;
        let now = (from.t % slots as u64) as usize;
        let params = words([samples, from.frames * len, len, from.shape.pixels(), at, slots, now]);
        let reads = vec![from.operand.clone(), Operand::State, delays];
        self.push(Kernel::VariableDelay, reads, vec![output], samples, params);
        self.store(history::Ring::whole(at, slots, from.shape), slots - 1, from);
    }

    fn field(&mut self, node: usize, field: &Rf<'_>, at: usize, from: &Reached, output: Operand) {
        let ([outs, ins, taps, _, kernel_cols], (rows, cols)) = (field.kernel().shape, field.area());
        let ring =
            history::Ring { at, slots: taps, shape: Shape::new(ins, rows, cols), row: cols, left: 0, border: None };
        if from.t == 0 {
            self.start(ring, taps - 1, field.pad().unwrap_or(PadMode::Zeros), from);
        }
        let rate = field.signature().rate;
        let count = rate.frames(from.t, from.frames);
        let even = field.is_empty();
        let weight = self.constants.samples((node, "weight"), || {
            let uniform = 1.0 / [outs, ins, taps, rows, cols].into_iter().map(|len| len as f64).product::<f64>();
            if even { vec![uniform as f32] } else { field.kernel().weights.to_vec() }
        });
        let bias = match field.kernel().bias {
            [] => None,
            bias => Some(self.constants.samples((node, "bias"), || bias.to_vec())),
        };
        let kernel: usize = field.kernel().shape[3..].iter().product();
        let now = (from.t % taps as u64) as usize;
        let unless = |even: bool, value| if even { 0 } else { value };
        let groups = self.chunk.streams * count * outs;
        let params = words([
            groups,
            outs,
            count,
            from.frames - count,
            ins,
            from.frames,
            taps,
            unless(even, kernel),
            unless(even, kernel_cols),
            rows * cols,
            cols,
            from.shape.pixels(),
            from.shape.cols,
            at,
            now,
            unless(even, 1),
            bias.is_some().into(),
        ]);
        let bias = bias.unwrap_or_else(|| self.constants.nothing());
        let reads = vec![from.operand.clone(), Operand::State, weight, bias];
        self.out.passes.push(Pass { kernel: Kernel::Field, reads, writes: vec![output], params, groups });
        self.store(ring, taps - 1, from);
    }

    fn smooth_conv(&mut self, node: usize, smooth: &SmoothConv<'_>, at: usize, from: &Reached, output: Operand) {
        let (shape, stages, row) = (from.shape, smooth.decays().len(), smooth.stride());
        let (weights, size) = smooth.weights();
        let Shape { channels, rows, cols } = shape;
        let left = size[1] / 2;
        let threads = self.chunk.streams * shape.len();
        let of_stages = self.slot(threads * from.frames * stages);
        let compensated: Vec<bool> = smooth.decays().iter().map(|decay| decay.is_compensated()).collect();
        let stored = stages + compensated.iter().filter(|compensated| **compensated).count();
        let mut params = words([threads, from.frames, channels, rows, cols, row, left, at, 0]);
        params.extend(smooth.decays().iter().map(|decay| (decay.gain() as f32).to_bits()));
        let writes = vec![Operand::State, of_stages.clone()];
        self.push(Kernel::Stages(compensated), vec![from.operand.clone()], writes, threads, params);
        if row > cols {
            let (beside, mode) = (row - cols, border_mode(smooth.border()).unwrap_or(0));
            // The padded columns of the remainders are not used.
            let samples = self.chunk.streams * channels * rows * stored * beside;
            let params = words([samples, beside, left, row, cols, mode, at]);
            self.push(Kernel::Borders, Vec::new(), vec![Operand::State], samples, params);
        }
        // A channel of a frame becomes a frame with one channel per stage.
        let outs = if smooth.yields_components() { stages } else { 1 };
        let frames = from.frames * channels;
        let correlation = Correlation {
            input: of_stages.clone(),
            shape: Shape::new(stages, rows, cols),
            streams: self.chunk.streams,
            frames,
            past: None,
            weights: Operand::Input,
            bias: None,
            kernel: [outs, stages / outs, 1, size[0], size[1]],
            groups: outs,
            dilation: [1; 3],
            step: [1; 2],
            top: size[0] / 2,
            left,
            border: smooth.border(),
            output,
            size: [rows, cols],
            count: frames,
            first: 0,
            every: 1,
        };
        match smooth.factors() {
            Some(factors) => self.separable(node, &correlation, factors, stages),
            None => {
                let weights = self.constants.samples((node, "weight"), || weights.to_vec());
                self.correlate(Correlation { weights, ..correlation });
            }
        }
        self.release(&of_stages);
    }

    fn sum(&mut self, sum: &Sum, from: &Reached, output: Operand) {
        let (count, inner) = sum.axis();
        let sums = self.chunk.streams * from.frames * sum.signature().output.len();
        let params = words([sums, count, inner]);
        self.push(Kernel::Sum, vec![from.operand.clone()], vec![output], sums, params);
    }

    fn concat(&mut self, [a, b]: [Reached; 2], output: Operand) {
        let (a_len, b_len) = (a.shape.len(), b.shape.len());
        let samples = self.chunk.streams * a.frames * (a_len + b_len);
        if samples > 0 {
            let params = words([samples, a_len, b_len]);
            self.push(Kernel::Concat, vec![a.operand, b.operand], vec![output], samples, params);
        }
    }

    fn correlate(&mut self, correlation: Correlation) {
        if correlation.count > 0 {
            self.out.passes.extend(correlation.passes(&self.limits));
        }
    }
}

/// Parameters of a kernel. Buffers are far below 2^32 words, so that no value is truncated.
fn words<const N: usize>(numbers: [usize; N]) -> Vec<u32> {
    numbers.into_iter().map(|number| number as u32).collect()
}

/// The number of a border in the kernels' function `border`; `None` if it has none.
pub(super) fn border_mode(border: foveola_core::Border) -> Option<usize> {
    use foveola_core::Border;
    [Border::Replicate, Border::Reflect, Border::Zeros, Border::Circular].into_iter().position(|known| known == border)
}
