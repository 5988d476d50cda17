//! Random tables of nodes, and what they compute: node by node, with a `Vec` for the frames of each.

use foveola::{Layer, Table};
use foveola_core::{
    Axis, Border, Conv3d, ConvOptions, Decay, Delay, Diff, Error, Finite, First, Graph, HighPass, Kernel, LowPass,
    Node, Nonlinearity, PadMode, Pointwise, Shape, SmoothConv, Source, Stage, Sum, TimePadding, constant,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// What decides a node: its kind, and the sources that it reads.
pub type Pick = [u16; 3];

/// Picks for tables of up to 14 nodes.
pub fn picks() -> impl Strategy<Value = Vec<Pick>> {
    vec(any::<Pick>(), 1..15)
}

static WEIGHTS: [f32; 12] = [0.5, -0.25, 0.75, 1.0, -0.5, 0.25, 0.125, -1.0, 0.5, 0.5, -0.75, 0.25];

/// A convolution of one pixel and two frames with a stride in time.
fn conv(shape: Shape, outs: usize, every: usize, pad: Option<PadMode>) -> Result<Stage<'static>, Error> {
    let (weights, _) = WEIGHTS.split_at(2 * outs * shape.channels);
    let options = ConvOptions { stride: [every, 1, 1], pad, ..ConvOptions::DEFAULT };
    Conv3d::new(shape, Kernel::new(weights, [outs, shape.channels, 2, 1, 1]), options).map(Stage::Conv3d)
}

/// Two stages with kernels of 2 x 3 pixels or of one, as a sum or, more rarely, as channels.
fn smooth(shape: Shape, pick: u16) -> Result<Stage<'static>, Error> {
    static DECAYS: [Decay; 2] = [constant!(Decay::new(0.003, 1000.0)), constant!(Decay::new(0.005, 1000.0))];
    let size = if pick.is_multiple_of(4) { [2, 3] } else { [1, 1] };
    let (taps, _) = WEIGHTS.split_at(2 * size[0] * size[1]);
    let filter = SmoothConv::new(shape, &DECAYS, taps, size, Border::Replicate)?;
    Ok(Stage::SmoothConv(if pick.is_multiple_of(10) && shape.channels == 1 { filter.components() } else { filter }))
}

fn stage(shape: Shape, kind: u16, pick: u16) -> Result<Stage<'static>, Error> {
    const DECAY: Decay = constant!(Decay::new(0.003, 1000.0));
    let pad = [PadMode::Mirror, PadMode::FullCopy, PadMode::Mean, PadMode::FirstFrame][usize::from(pick % 4)];
    let function = match pick % 3 {
        0 => Nonlinearity::Rectify,
        1 => Nonlinearity::RectifyScale { scale: -0.5, bias: 0.25 },
        _ => Nonlinearity::Square { scale: 0.5, bias: -0.125 },
    };
    Ok(match kind {
        0 => Stage::LowPass(LowPass::new(shape, DECAY)),
        1 => Stage::HighPass(HighPass::new(shape, DECAY, 0.5)?),
        2 => Stage::Diff(Diff::new(shape)),
        3 => Stage::Delay(Delay::new(shape, usize::from(pick % 4), 0)),
        4 => Stage::Finite(Finite::new(shape)),
        5 => Stage::Sum(Sum::new(shape, Axis::Channel)),
        6 => Stage::TimePadding(TimePadding::new(shape, usize::from(pick % 3), pad)),
        7 if shape.channels <= 3 => conv(shape, 1 + usize::from(pick % 2), 1, Some(pad))?,
        8 if shape.channels <= 3 => conv(shape, 1, 1 + usize::from(pick % 3), (pick.is_multiple_of(2)).then_some(pad))?,
        9 if pick.is_multiple_of(2) => smooth(shape, pick)?,
        _ => Stage::Pointwise(Pointwise::new(shape, function)?),
    })
}

/// The table of `picks`, for frames of `input`. Half of the nodes read the one before; those that do not fit are replaced
/// by a nonlinearity.
///
/// # Panics
/// When [`Graph::new`] refuses a nonlinearity.
pub fn nodes(input: Shape, picks: &[Pick]) -> Vec<Node<'static>> {
    let mut nodes: Vec<Node<'static>> = Vec::new();
    for &[kind, first, second] in picks {
        let sources: Vec<Source> = (0..nodes.len()).rev().map(Source::Node).chain([Source::Input]).collect();
        let chosen = |among: &[Source], pick: u16| match pick % 2 {
            0 => among[0],
            _ => among[usize::from(pick / 2) % among.len()],
        };
        let stream = |source: Source| match Graph::new(input, &nodes) {
            Ok(graph) => graph.stream(source),
            Err(_) => foveola_core::StreamShape::input(input),
        };
        let a = chosen(&sources, first);
        let of_a = stream(a);
        let meeting = |concat: bool| {
            let fits = |b: &Source| {
                let b = stream(*b);
                let channels = concat || b.shape.channels == of_a.shape.channels;
                (b.rate, b.lead, b.shape.rows, b.shape.cols) == (of_a.rate, of_a.lead, of_a.shape.rows, of_a.shape.cols)
                    && channels
            };
            let fitting: Vec<Source> = sources.iter().copied().filter(fits).collect();
            // Any of them: the first one is often `a`.
            fitting[usize::from(second) % fitting.len()]
        };
        let node = match kind % 16 {
            kind @ 0..=9 => stage(of_a.shape, kind, second).ok().map(|stage| Node::Filter(a, stage)),
            10 | 11 => Some(Node::Add([(a, 1.0), (meeting(false), -0.75)])),
            12 => Some(Node::Multiply([a, meeting(false)])),
            13 => Some(Node::Multiply([meeting(false), a])),
            14 if of_a.shape.channels <= 3 => Some(Node::Concat([a, meeting(true)])),
            _ => Some(Node::Add([(meeting(false), 0.5), (a, 1.0)])),
        };
        let with = |node| nodes.iter().copied().chain([node]).collect::<Vec<_>>();
        let fitting = node.map(with).filter(|nodes| Graph::new(input, nodes).is_ok());
        nodes = fitting.unwrap_or_else(|| {
            let rectify = Pointwise::new(of_a.shape, Nonlinearity::Rectify).expect("no numbers");
            with(Node::Filter(a, Stage::Pointwise(rectify)))
        });
    }
    nodes
}

/// The nodes of the table of `picks` that are further outputs: a quarter of those before the last one.
pub fn outputs(picks: &[Pick]) -> Vec<usize> {
    let marked = |node: &usize| (picks[*node][1] ^ picks[*node][2]).is_multiple_of(4);
    (0..picks.len().saturating_sub(1)).rev().filter(marked).collect()
}

/// A table and its further outputs as a layer of the host.
#[derive(Clone)]
pub struct Nodes(pub Vec<Node<'static>>, pub Vec<usize>);

impl std::fmt::Debug for Nodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} nodes", self.0.len())
    }
}

impl Layer for Nodes {
    fn name(&self) -> &'static str {
        "Nodes"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> foveola::Result<Source> {
        let mut made: Vec<Source> = Vec::new();
        for node in &self.0 {
            let of = |source: Source| match source {
                Source::Input => from,
                Source::Node(node) => made[node],
            };
            let source = match *node {
                Node::Filter(source, stage) => table.push(of(source), stage),
                Node::Add(terms) => table.add(terms.map(|(source, weight)| (of(source), weight))),
                Node::Multiply(branches) => table.multiply(branches.map(of)),
                Node::Concat(branches) => table.concat(branches.map(of)),
                _ => unreachable!("no other nodes are made"),
            };
            made.push(source);
        }
        self.1.iter().for_each(|node| table.mark_output(made[*node]));
        Ok(made.last().copied().unwrap_or(from))
    }
}

/// The frames of a chunk for each stream.
pub type Streams = Vec<Vec<f32>>;

/// The naive twin of a table: no memory is shared between nodes, or streams.
pub struct Naive<'n> {
    nodes: &'n [Node<'n>],
    /// Of each node and stream.
    states: Vec<Streams>,
    /// Of the input and each node.
    ports: Vec<Port>,
}

/// What a source yielded.
#[derive(Clone, Copy, Debug)]
struct Port {
    /// Frames so far.
    t: u64,
    /// Frames that each chunk repeats.
    lead: usize,
    /// Whether it began later than the stream.
    late: bool,
    shape: Shape,
}

impl<'n> Naive<'n> {
    /// At the start of `batch` streams.
    pub fn new(input: Shape, nodes: &'n [Node<'n>], batch: usize) -> Self {
        let states = nodes.iter().map(|node| vec![vec![f32::NAN; node.state()]; batch]).collect();
        let mut ports = vec![Port { t: 0, lead: 0, late: false, shape: input }];
        for node in nodes {
            let of = |source: Source| match source {
                Source::Input => ports[0],
                Source::Node(node) => ports[node + 1],
            };
            ports.push(match node {
                Node::Filter(source, stage) => {
                    let (from, signature) = (of(*source), stage.signature());
                    let (lead, late) = (from.lead + signature.lead, from.late || signature.rate.first > 0);
                    Port { t: 0, lead, late, shape: signature.output }
                }
                Node::Add([(a, _), _]) | Node::Multiply([a, _]) => of(*a),
                Node::Concat([a, b]) => {
                    let (a, b) = (of(*a), of(*b));
                    Port { shape: Shape { channels: a.shape.channels + b.shape.channels, ..a.shape }, ..a }
                }
                _ => unreachable!("no other nodes are made"),
            });
        }
        Self { nodes, states, ports }
    }

    /// Feeds a chunk. Returns what each node yields.
    ///
    /// # Errors
    /// Those of the filters.
    pub fn feed(&mut self, chunk: Streams) -> Result<Vec<Streams>, Error> {
        let mut made: Vec<Streams> = vec![chunk];
        for (i, node) in self.nodes.iter().enumerate() {
            let index = |source: Source| match source {
                Source::Input => 0,
                Source::Node(node) => node + 1,
            };
            let pairs = |a: Source, b: Source| made[index(a)].iter().zip(&made[index(b)]);
            let output: Streams = match node {
                Node::Filter(source, stage) => {
                    self.filter(i, stage, self.ports[index(*source)], &made[index(*source)])?
                }
                Node::Add([(a, wa), (b, wb)]) => {
                    let sum = |(a, b): (&f32, &f32)| *wa as f32 * a + *wb as f32 * b;
                    pairs(*a, *b).map(|(a, b)| a.iter().zip(b).map(sum).collect()).collect()
                }
                Node::Multiply([a, b]) => {
                    pairs(*a, *b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).collect()).collect()
                }
                Node::Concat([a, b]) => {
                    let (a_len, b_len) = (self.ports[index(*a)].shape.len(), self.ports[index(*b)].shape.len());
                    let frames = |(a, b): (&Vec<f32>, &Vec<f32>)| {
                        let frames = a.chunks(a_len).zip(b.chunks(b_len));
                        frames.flat_map(|(a, b)| [a, b].concat()).collect()
                    };
                    pairs(*a, *b).map(frames).collect()
                }
                _ => unreachable!("no other nodes are made"),
            };
            made.push(output);
        }
        for (port, made) in self.ports.iter_mut().zip(&made) {
            let frames = made[0].len() / port.shape.len();
            port.t += frames.saturating_sub(port.lead) as u64;
        }
        made.remove(0);
        Ok(made)
    }

    fn filter(&mut self, node: usize, stage: &Stage<'_>, from: Port, input: &Streams) -> Result<Streams, Error> {
        let (signature, filter) = (stage.signature(), stage.as_filter());
        let batch = input.concat();
        let mut output = Vec::new();
        for (input, state) in input.iter().zip(&mut self.states[node]) {
            let frames = input.len() / signature.input.len();
            let mut out = vec![f32::NAN; signature.frames_out(from.t, frames) * signature.output.len()];
            if frames > 0 {
                if from.t == 0 {
                    let first = First::alone(&input[..signature.input.len()]);
                    filter.start(state, if from.late { first } else { First { frames: input, batch: &batch } });
                }
                let mut scratch = vec![f32::NAN; signature.scratch.len(frames)];
                filter.advance(from.t, state, &mut scratch, input, &mut out)?;
            }
            output.push(out);
        }
        Ok(output)
    }
}

/// Whether both have the same bits; any NaN is like another.
pub fn same(a: &[f32], b: &[f32]) -> bool {
    let equal = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    a.len() == b.len() && a.iter().zip(b).all(equal)
}
