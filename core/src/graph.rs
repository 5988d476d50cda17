//! A model is data: a table of nodes, a constant on a board and a `Vec` on a host.
//!
//! ```text
//! input --> 0: SmoothConv (centre)  --\
//!      \                               2: Add (1, -1) --> 3: Pointwise (rectify) --> output
//!       -> 1: SmoothConv (surround) --/
//! ```
//! Each [`Node`] reads the model's input or nodes before it; the last node is the output. [`Graph::new`] checks the
//! whole table, in a constant if wanted. Put a [`Finite`] guard first: only then is all state as it was when it refuses.
//!
//! State: that of the nodes, one after another. Scratch: one frame for each node but the last, and the largest scratch of
//! a node. A chunk goes through the table node by node, so that the [`First`] chunk of every node is the chunk that the
//! nodes before it made of the model's first chunk.

use crate::engine::{Alone, Fork};
use crate::error::{at_least, exact, nonempty};
use crate::filter::{Scratch, check, piece, piece_mut};
use crate::{
    Conv3d, Delay, Diff, Error, Filter, Finite, First, HighPass, LowPass, Pointwise, Rate, Rf, Sample, Shape,
    Signature, SmoothConv, Sum, TimePadding, VariableDelay,
};
use core::ops::Range;

/// Where a node reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The input of the model.
    Input,
    /// The output of the node with this index.
    Node(usize),
}

/// What moving a sample through the second-level cache costs in multiply-adds (measured on an x86-64 with AVX-512: a copy
/// moves 0.13 ns a sample, a convolution does a multiply-add in 0.02 ns).
pub const MOVE: usize = 8;

/// A filter of this crate, or a user's own.
#[derive(Clone, Copy)]
#[allow(missing_docs, reason = "each is documented as the type it holds")]
pub enum Stage<'a, T: Sample = f32> {
    TimePadding(TimePadding),
    Delay(Delay),
    VariableDelay(VariableDelay<'a>),
    Conv3d(Conv3d<'a, T>),
    Rf(Rf<'a, T>),
    LowPass(LowPass),
    HighPass(HighPass),
    SmoothConv(SmoothConv<'a, T>),
    Pointwise(Pointwise),
    Sum(Sum),
    Diff(Diff),
    Finite(Finite),
    /// A filter from outside this crate, or another [`Graph`], with its signature ([`Stage::own`]). It sees the streams of a
    /// batch one by one, so the mean of a [`PadMode::Mean`](crate::PadMode) inside is that of a single stream.
    Own(&'a (dyn Filter<T> + Sync), Signature),
}

impl<'a, T: Sample> Stage<'a, T> {
    /// A filter from outside this crate.
    pub fn own(filter: &'a (dyn Filter<T> + Sync)) -> Self {
        Self::Own(filter, filter.signature())
    }

    /// What the filter takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        match self {
            Self::TimePadding(filter) => filter.signature(),
            Self::Delay(filter) => filter.signature(),
            Self::VariableDelay(filter) => filter.signature(),
            Self::Conv3d(filter) => filter.signature(),
            Self::Rf(filter) => filter.signature(),
            Self::LowPass(filter) => filter.signature(),
            Self::HighPass(filter) => filter.signature(),
            Self::SmoothConv(filter) => filter.signature(),
            Self::Pointwise(filter) => filter.signature(),
            Self::Sum(filter) => filter.signature(),
            Self::Diff(filter) => filter.signature(),
            Self::Finite(filter) => filter.signature(),
            Self::Own(_, signature) => *signature,
        }
    }

    /// Multiply-adds for an input frame, about; a sample that is moved counts as [`MOVE`].
    pub const fn work(&self) -> usize {
        match self {
            Self::Conv3d(filter) => filter.work(),
            Self::Rf(filter) => filter.work(),
            Self::SmoothConv(filter) => filter.work(),
            other => {
                let Signature { input, output, .. } = other.signature();
                input.len().saturating_add(output.len()).saturating_mul(MOVE)
            }
        }
    }

    /// The filter, whichever it is.
    pub fn as_filter(&self) -> &dyn Filter<T> {
        match self {
            Self::TimePadding(filter) => filter,
            Self::Delay(filter) => filter,
            Self::VariableDelay(filter) => filter,
            Self::Conv3d(filter) => filter,
            Self::Rf(filter) => filter,
            Self::LowPass(filter) => filter,
            Self::HighPass(filter) => filter,
            Self::SmoothConv(filter) => filter,
            Self::Pointwise(filter) => filter,
            Self::Sum(filter) => filter,
            Self::Diff(filter) => filter,
            Self::Finite(filter) => filter,
            Self::Own(filter, _) => *filter,
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy)]
pub enum Node<'a, T: Sample = f32> {
    /// A filter and what it reads.
    Filter(Source, Stage<'a, T>),
    /// Where two branches meet: the weighted sum of frames of one shape. Centre minus surround has the weights 1 and -1.
    Add([(Source, f64); 2]),
}

/// A checked table of nodes; see the [picture](self).
///
/// ```
/// use foveola_core::{constant, Decay, Filter, Graph, LowPass, Node, Nonlinearity, Pointwise, Shape, Source, Stage};
///
/// const SHAPE: Shape = Shape::new(1, 8, 8);
/// const FAST: LowPass = LowPass::new(SHAPE, constant!(Decay::new(0.005, 1000.0)));
/// const SLOW: LowPass = LowPass::new(SHAPE, constant!(Decay::new(0.050, 1000.0)));
/// static NODES: [Node; 4] = [
///     Node::Filter(Source::Input, Stage::LowPass(FAST)),
///     Node::Filter(Source::Input, Stage::LowPass(SLOW)),
///     Node::Add([(Source::Node(0), 1.0), (Source::Node(1), -1.0)]),
///     Node::Filter(Source::Node(2), Stage::Pointwise(constant!(Pointwise::new(SHAPE, Nonlinearity::Rectify)))),
/// ];
/// const MODEL: Graph = constant!(Graph::new(SHAPE, &NODES));
///
/// let mut state = [0.0; MODEL.signature().state];
/// let mut scratch = [0.0; MODEL.signature().scratch.len(1)];
/// let mut out = [0.0; 64];
/// MODEL.step(0, &mut state, &mut scratch, &[1.0; 64], &mut out).unwrap();
/// assert!(out[0] > 0.1); // the fast branch rises first
/// ```
#[derive(Clone, Copy)]
pub struct Graph<'a, T: Sample = f32> {
    input: Shape,
    nodes: &'a [Node<'a, T>],
    /// Whether every node yields one frame for each frame: then nothing need be traced back to the input.
    even: bool,
}

/// What a filter of a graph is fed: a chunk of one stream.
#[derive(Debug)]
pub struct Feed<'c, T> {
    /// The node's index in the table.
    pub node: usize,
    /// The stream's index in the batch.
    pub stream: usize,
    /// Number of the chunk's first frame.
    pub t: u64,
    /// The node's state for this stream.
    pub state: &'c mut [T],
    /// Working memory.
    pub scratch: &'c mut [T],
    /// The frames.
    pub input: &'c [T],
    /// Where the output goes.
    pub output: &'c mut [T],
}

/// Runs the filters of a graph: where a host puts in vectors that it found at run time, threads, and plans of its own.
pub trait Runner<T: Sample>: Sync {
    /// Who shares the streams of a batch.
    type Fork: Fork;

    /// The streams' fork.
    fn fork(&self) -> Self::Fork;

    /// [`Filter::start`] of the filter in `stage`.
    fn start(&self, stage: &Stage<'_, T>, state: &mut [T], first: First<'_, T>) {
        stage.as_filter().start(state, first);
    }

    /// [`Filter::advance`] of the filter in `stage`.
    ///
    /// # Errors
    /// As [`Filter::advance`].
    fn advance(&self, stage: &Stage<'_, T>, feed: Feed<'_, T>) -> Result<usize, Error>;

    /// The weighted sum of two branches: `to = wa a + wb b`.
    fn add(&self, [(a, wa), (b, wb)]: [(&[T], T); 2], to: &mut [T]) {
        weighted_sum([(a, wa), (b, wb)], to);
    }
}

/// `to = wa a + wb b`.
#[inline(always)]
pub fn weighted_sum<T: Sample>([(a, wa), (b, wb)]: [(&[T], T); 2], to: &mut [T]) {
    for (to, (a, b)) in to.iter_mut().zip(a.iter().zip(b)) {
        *to = wa * *a + wb * *b;
    }
}

/// The runner of [`Graph::run_batch`]: every filter's own, with [`Sample::Lanes`]; the same bits on every CPU.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reproducible;

impl<T: Sample> Runner<T> for Reproducible {
    type Fork = Alone;

    fn fork(&self) -> Alone {
        Alone
    }

    fn advance(&self, stage: &Stage<'_, T>, feed: Feed<'_, T>) -> Result<usize, Error> {
        stage.as_filter().advance(feed.t, feed.state, feed.scratch, feed.input, feed.output)
    }
}

/// What a node reads or yields, relative to the model's input.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// Shape of its frames.
    pub shape: Shape,
    /// When they come.
    pub rate: Rate,
    /// Earlier frames in front of every chunk.
    pub lead: usize,
}

impl Flow {
    /// Number of the first frame, and frames of each stream, for the `frames` frames fed to the model from time `t` on.
    pub const fn chunk(&self, t: u64, frames: usize) -> (u64, usize) {
        let frames = self.rate.frames(t, frames);
        (self.rate.count(t), if frames == 0 { 0 } else { frames.saturating_add(self.lead) })
    }
}

impl<'a, T: Sample> Graph<'a, T> {
    /// A model of `nodes` for frames of `input`.
    ///
    /// # Errors
    /// No nodes; an empty frame; a node that reads itself or a later one; frames of the wrong shape; branches of different
    /// shapes or frame rates that meet; memory behind a chunk that repeats frames.
    pub const fn new(input: Shape, nodes: &'a [Node<'a, T>]) -> Result<Self, Error> {
        if nodes.is_empty() {
            return Err(Error::NoNodes);
        }
        if let Err(error) = nonempty(input) {
            return Err(error);
        }
        let (mut even, mut node) = (true, 0);
        while node < nodes.len() {
            if let Node::Filter(_, stage) = &nodes[node] {
                let signature = stage.signature();
                even = even && signature.rate.equals(Rate::EACH) && signature.lead == 0;
            }
            node += 1;
        }
        let graph = Self { input, nodes, even };
        node = 0;
        while node < nodes.len() {
            if let Err(error) = graph.check_node(node) {
                return Err(error);
            }
            node += 1;
        }
        Ok(graph)
    }

    const fn check_node(&self, node: usize) -> Result<(), Error> {
        match &self.nodes[node] {
            Node::Filter(source, stage) => {
                if let Err(error) = check_order(node, *source) {
                    return Err(error);
                }
                let (flow, signature) = (self.flow(*source), stage.signature());
                if !flow.shape.equals(signature.input) {
                    return Err(Error::NodeShape { node, found: flow.shape, expected: signature.input });
                }
                if flow.lead > 0 && !signature.is_memoryless() {
                    return Err(Error::NodeLead { node });
                }
            }
            Node::Add(terms) => {
                let [(a, weight_a), (b, weight_b)] = *terms;
                if let Err(error) = check_order(node, a) {
                    return Err(error);
                }
                if let Err(error) = check_order(node, b) {
                    return Err(error);
                }
                let value = if weight_a.is_finite() { weight_b } else { weight_a };
                if !value.is_finite() {
                    return Err(Error::Parameter { name: "branch weight", value, expected: "a finite number" });
                }
                let (a, b) = (self.flow(a), self.flow(b));
                if !a.shape.equals(b.shape) {
                    return Err(Error::NodeShape { node, found: b.shape, expected: a.shape });
                }
                if !a.rate.equals(b.rate) || a.lead != b.lead {
                    return Err(Error::NodeRate { node });
                }
            }
        }
        Ok(())
    }

    /// The shape of the frames that the model takes.
    pub const fn input(&self) -> Shape {
        self.input
    }

    /// The table.
    pub const fn nodes(&self) -> &'a [Node<'a, T>] {
        self.nodes
    }

    /// Shape of the frames that flow out of `source`.
    const fn shape(&self, source: Source) -> Shape {
        let mut at = source;
        while let Source::Node(node) = at {
            if node >= self.nodes.len() {
                break;
            }
            match &self.nodes[node] {
                Node::Filter(_, stage) => return stage.signature().output,
                Node::Add([(source, _), _]) => at = *source,
            }
        }
        self.input
    }

    /// What flows out of `source`, relative to the model's input.
    pub const fn flow(&self, source: Source) -> Flow {
        let mut flow = Flow { shape: self.shape(source), rate: Rate::EACH, lead: 0 };
        let mut at = source;
        while let Source::Node(node) = at {
            if self.even || node >= self.nodes.len() {
                break;
            }
            match &self.nodes[node] {
                Node::Filter(source, stage) => {
                    let signature = stage.signature();
                    flow.rate = signature.rate.then(flow.rate);
                    flow.lead = flow.lead.saturating_add(signature.lead);
                    at = *source;
                }
                Node::Add([(source, _), _]) => at = *source,
            }
        }
        flow
    }

    /// What the model takes, yields and needs.
    pub const fn signature(&self) -> Signature {
        let mut state = 0_usize;
        let (mut frames, mut own) = (Scratch::NONE, Scratch::NONE);
        let mut node = 0;
        while node < self.nodes.len() {
            if let Node::Filter(source, stage) = &self.nodes[node] {
                let Signature { state: of_node, scratch: Scratch { fixed, per_frame }, .. } = stage.signature();
                state = state.saturating_add(of_node);
                // Behind a lead a chunk is longer than the model's.
                let lead = per_frame.saturating_mul(self.flow(*source).lead);
                own = own.larger(Scratch { fixed: fixed.saturating_add(lead), per_frame });
            }
            if node + 1 < self.nodes.len() {
                let flow = self.flow(Source::Node(node));
                frames.per_frame = frames.per_frame.saturating_add(flow.shape.len());
                frames.fixed = frames.fixed.saturating_add(flow.shape.len().saturating_mul(flow.lead));
            }
            node += 1;
        }
        let out = self.flow(Source::Node(self.nodes.len() - 1));
        Signature {
            input: self.input,
            output: out.shape,
            state,
            scratch: Scratch {
                fixed: frames.fixed.saturating_add(own.fixed),
                per_frame: frames.per_frame.saturating_add(own.per_frame),
            },
            rate: out.rate,
            lead: out.lead,
        }
    }

    /// Samples of scratch for a chunk of `frames` frames of `batch` streams at once.
    pub const fn scratch_len(&self, frames: usize, batch: usize) -> usize {
        self.signature().scratch.len(frames).saturating_mul(batch)
    }

    /// [`Filter::run`] for `batch` streams at once, which share `t`: state, input and output of the streams lie one after
    /// another, scratch has [`Graph::scratch_len`] samples. At `t = 0` the mean of a [`PadMode::Mean`](crate::PadMode) is
    /// that of all streams. Returns the output frames of each stream.
    ///
    /// # Errors
    /// As [`Filter::run`].
    pub fn run_batch(
        &self,
        t: u64,
        batch: usize,
        state: &mut [T],
        scratch: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error> {
        self.run_batch_with(&Reproducible, t, batch, state, scratch, input, output)
    }

    /// [`Graph::run_batch`] with another [`Runner`].
    ///
    /// # Errors
    /// As [`Filter::run`].
    #[allow(clippy::too_many_arguments, reason = "those of run_batch, and who runs it")]
    pub fn run_batch_with<R: Runner<T>>(
        &self,
        runner: &R,
        t: u64,
        batch: usize,
        state: &mut [T],
        scratch: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error> {
        let signature = self.signature();
        let each = |len: usize| len.checked_div(batch).unwrap_or(0);
        exact("the input", input.len(), each(input.len()).saturating_mul(batch))?;
        exact("the state", state.len(), signature.state.saturating_mul(batch))?;
        let lens = (each(state.len()), each(scratch.len()), each(input.len()), each(output.len()));
        check(&signature, t, lens.0, lens.1, lens.2, lens.3)?;
        if input.is_empty() {
            return Ok(0);
        }
        Pass { graph: self, runner, t, batch, frames: lens.2 / self.input.len().max(1) }
            .run(state, scratch, input, output)
    }
}

const fn check_order(node: usize, source: Source) -> Result<(), Error> {
    match source {
        Source::Node(source) if source >= node => Err(Error::Order { node, source }),
        _ => Ok(()),
    }
}

/// One chunk on its way through the table.
struct Pass<'g, 'a, T: Sample, R> {
    graph: &'g Graph<'a, T>,
    runner: &'g R,
    t: u64,
    batch: usize,
    frames: usize,
}

impl<T: Sample, R: Runner<T>> Pass<'_, '_, T, R> {
    fn chunk(&self, flow: Flow) -> (u64, usize) {
        flow.chunk(self.t, self.frames)
    }

    /// Samples that `source` yields for this chunk, over all streams.
    fn len(&self, source: Source) -> usize {
        let flow = self.graph.flow(source);
        self.batch * flow.shape.len() * self.chunk(flow).1
    }

    fn run(&self, state: &mut [T], scratch: &mut [T], input: &[T], output: &mut [T]) -> Result<usize, Error> {
        let mut state_at = 0;
        let mut buffers = 0; // samples of scratch that hold outputs of the nodes so far
        let last = self.graph.nodes.len().saturating_sub(1);
        for (i, node) in self.graph.nodes.iter().enumerate() {
            let own = Source::Node(i);
            let (done, rest) = scratch.split_at_mut_checked(buffers).unwrap_or_default();
            let (to, free) = if i == last {
                (output.get_mut(..self.len(own)).unwrap_or(&mut []), rest)
            } else {
                buffers += self.len(own);
                rest.split_at_mut_checked(self.len(own)).unwrap_or_default()
            };
            at_least("the scratch or the output", to.len(), self.len(own))?;
            match node {
                Node::Filter(source, stage) => {
                    let len = stage.signature().state * self.batch;
                    let state = state.get_mut(state_at..state_at + len).unwrap_or(&mut []);
                    state_at += len;
                    let (t, frames) = self.chunk(self.graph.flow(*source));
                    if frames > 0 {
                        let input = self.read(*source, done, input);
                        let node = NodePass { pass: self, stage, node: i, source: *source, t, frames, batch: input };
                        node.streams(self.runner.fork(), 0..self.batch, state, free, input, to)?;
                    }
                }
                Node::Add(terms) => {
                    let [(a, weight_a), (b, weight_b)] = *terms;
                    let (weight_a, weight_b) = (T::from_f64(weight_a), T::from_f64(weight_b));
                    let (a, b) = (self.read(a, done, input), self.read(b, done, input));
                    self.runner.add([(a, weight_a), (b, weight_b)], to);
                }
            }
        }
        Ok(self.chunk(self.graph.flow(Source::Node(last))).1)
    }

    /// The frames that `source` made of this chunk.
    fn read<'b>(&self, source: Source, done: &'b [T], input: &'b [T]) -> &'b [T] {
        let Source::Node(node) = source else { return input };
        let start: usize = (0..node).map(|before| self.len(Source::Node(before))).sum();
        done.get(start..start + self.len(source)).unwrap_or(&[])
    }
}

/// One filter and the frames that reach it.
struct NodePass<'p, 'g, 'a, T: Sample, R> {
    pass: &'p Pass<'g, 'a, T, R>,
    stage: &'p Stage<'a, T>,
    node: usize,
    source: Source,
    t: u64,
    frames: usize,
    /// The frames of all streams.
    batch: &'p [T],
}

impl<T: Sample, R: Runner<T>> NodePass<'_, '_, '_, T, R> {
    /// The filter over some streams of the batch, in halves where that is worth it.
    fn streams(
        &self,
        fork: R::Fork,
        streams: Range<usize>,
        state: &mut [T],
        scratch: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<(), Error> {
        let count = streams.len();
        let half = count / 2;
        let work = self.stage.work().saturating_mul(count).saturating_mul(self.frames);
        if let Some(fork) = fork.halve(work).filter(|_| half > 0) {
            let (x, x_rest) = input.split_at_checked(input.len() / count * half).unwrap_or_default();
            let (s, s_rest) = state.split_at_mut_checked(state.len() / count * half).unwrap_or_default();
            let (w, w_rest) = scratch.split_at_mut_checked(scratch.len() / count * half).unwrap_or_default();
            let (y, y_rest) = output.split_at_mut_checked(output.len() / count * half).unwrap_or_default();
            let middle = streams.start + half;
            let (a, b) = fork.join(
                || self.streams(fork, streams.start..middle, s, w, x, y),
                || self.streams(fork, middle..streams.end, s_rest, w_rest, x_rest, y_rest),
            );
            return a.and(b);
        }
        let signature = self.stage.signature();
        let (in_len, out_len) = (self.frames * signature.input.len(), output.len() / count.max(1));
        // Behind a warm-up the frames that arrive first depend on how the recording was cut; only the very first one is
        // always the same, and begins the stream alone.
        let warm_up = self.pass.graph.flow(self.source).rate.first > 0;
        for (i, stream) in streams.enumerate() {
            let input = piece(input, i, in_len)?;
            let state = piece_mut(state, i, signature.state)?;
            if self.t == 0 {
                let first = input.get(..signature.input.len()).unwrap_or(input);
                let whole = First { frames: input, batch: self.batch };
                self.pass.runner.start(self.stage, state, if warm_up { First::alone(first) } else { whole });
            }
            let (node, t, output) = (self.node, self.t, piece_mut(output, i, out_len)?);
            self.pass.runner.advance(self.stage, Feed { node, stream, t, state, scratch, input, output })?;
        }
        Ok(())
    }
}

impl<T: Sample> Filter<T> for Graph<'_, T> {
    fn signature(&self) -> Signature {
        Self::signature(self)
    }

    /// Nothing: at `t = 0` every node starts with the chunk that reaches it.
    fn start(&self, _: &mut [T], _: First<'_, T>) {}

    fn advance(
        &self,
        t: u64,
        state: &mut [T],
        scratch: &mut [T],
        input: &[T],
        output: &mut [T],
    ) -> Result<usize, Error> {
        self.run_batch(t, 1, state, scratch, input, output)
    }
}
