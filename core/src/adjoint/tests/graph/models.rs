//! Random models, and their gradients over a recording in chunks.

use super::*;
use crate::adjoint::GraphChunk;
use crate::{Border, Conv3d, ConvOptions, Kernel, Rf, SmoothConv, StreamShape};

/// What a node computes, without its parameters.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    TimePadding(usize, PadMode),
    Delay(usize, usize),
    VariableDelay(Vec<u32>),
    Conv3d([usize; 5], ConvOptions),
    Rf([usize; 5], Option<PadMode>),
    LowPass,
    HighPass,
    SmoothConv([usize; 2], Border, bool),
    /// The number of the function.
    Pointwise(usize),
    Sum(Axis),
    Diff,
    Finite,
    Add,
    Multiply,
    Concat,
}

/// A node that can be made of any sample type and with other parameters.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) kind: Kind,
    /// One source, or two.
    pub(super) sources: Vec<Source>,
    pub(super) input: Shape,
    /// Weights, bias, gains, scale.
    pub(super) parameters: [Vec<f64>; 4],
}

/// Its parameters as a node borrows them.
struct Stored<T> {
    weights: Vec<T>,
    bias: Vec<T>,
    decays: Vec<Decay>,
}

impl Row {
    fn stored<T: Sample>(&self) -> Stored<T> {
        let [weights, bias, gains, _] = &self.parameters;
        let decays = gains.iter().map(|gain| Decay::from_gain(*gain).unwrap()).collect();
        Stored { weights: cast(weights), bias: cast(bias), decays }
    }

    fn node<'a, T: Sample>(&'a self, stored: &'a Stored<T>) -> Result<Node<'a, T>, Error> {
        let (input, [weights, bias, _, scale]) = (self.input, &self.parameters);
        let kernel = |shape| Kernel { weights: &stored.weights, shape, bias: &stored.bias };
        let stage = match &self.kind {
            Kind::TimePadding(length, mode) => Stage::TimePadding(TimePadding::new(input, *length, *mode)),
            Kind::Delay(delay, length) => Stage::Delay(Delay::new(input, *delay, *length)),
            Kind::VariableDelay(delays) => Stage::VariableDelay(VariableDelay::new(input, delays)?),
            Kind::Conv3d(shape, options) => Stage::Conv3d(Conv3d::from_checked(input, kernel(*shape), *options)?),
            Kind::Rf(shape, pad) => Stage::Rf(Rf::from_checked(input, kernel(*shape), *pad)?),
            Kind::LowPass => Stage::LowPass(LowPass::new(input, stored.decays[0])),
            Kind::HighPass => Stage::HighPass(HighPass::new(input, stored.decays[0], scale[0])?),
            Kind::SmoothConv(size, border, components) => {
                let smooth = SmoothConv::from_checked(input, &stored.decays, &stored.weights, *size, *border)?;
                Stage::SmoothConv(if *components { smooth.components() } else { smooth })
            }
            Kind::Pointwise(function) => Stage::Pointwise(Pointwise::new(
                input,
                match (function, &scale[..], &bias[..]) {
                    (1, &[scale], &[bias]) => Nonlinearity::RectifyScale { scale, bias },
                    (2, &[scale], &[bias]) => Nonlinearity::Square { scale, bias },
                    (3, &[scale], &[bias]) => Nonlinearity::RectifySquare { scale, bias },
                    (4, &[scale], &[bias]) => Nonlinearity::Exponential { scale, bias },
                    (5, &[scale], &[bias]) => Nonlinearity::Softplus { scale, bias },
                    (6, &[scale], &[bias]) => Nonlinearity::Logistic { scale, bias },
                    _ => Nonlinearity::Rectify,
                },
            )?),
            Kind::Sum(axis) => Stage::Sum(Sum::new(input, *axis)),
            Kind::Diff => Stage::Diff(Diff::new(input)),
            Kind::Finite => Stage::Finite(Finite::new(input)),
            Kind::Add => {
                return Ok(Node::Add([(self.sources[0], weights[0]), (self.sources[1], weights[1])]));
            }
            Kind::Multiply => return Ok(Node::Multiply([self.sources[0], self.sources[1]])),
            Kind::Concat => return Ok(Node::Concat([self.sources[0], self.sources[1]])),
        };
        Ok(Node::Filter(self.sources[0], stage))
    }

    /// Whether the temporal padding depends on the number of frames that come first.
    pub(super) fn pads_with_first_chunk(&self) -> bool {
        let pad = match &self.kind {
            Kind::TimePadding(1.., mode) => Some(*mode),
            Kind::Conv3d([_, _, frames, ..], options) if *frames > 1 => options.pad,
            Kind::Rf([_, _, frames, ..], pad) if *frames > 1 => *pad,
            _ => None,
        };
        matches!(pad, Some(PadMode::Mirror | PadMode::FullCopy | PadMode::Mean))
    }

    /// The kind's name, for the list of those that were tested.
    pub(super) fn name(&self) -> String {
        let name = format!("{:?}", self.kind);
        name.split(['(', ' ']).next().unwrap_or_default().into()
    }
}

/// A model, a recording and the gradient of the loss: `sum_k <output k, y_k>`, the last node first.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) input: Shape,
    pub(super) rows: Vec<Row>,
    pub(super) outputs: Vec<usize>,
}

/// A recording on its way forward.
pub(super) struct Forward<T> {
    /// Those of the last node first, chunk by chunk.
    pub(super) outputs: Vec<Vec<Vec<T>>>,
    /// The model's state before each chunk.
    pub(super) states: Vec<Vec<T>>,
}

/// All gradients, in `f64`.
#[derive(Debug)]
pub(super) struct Gradients {
    pub(super) input: Vec<f64>,
    pub(super) parameters: Vec<f64>,
}

impl Model {
    pub(super) fn with<T: Sample, R>(&self, run: impl FnOnce(&Graph<'_, T>) -> R) -> Result<R, Error> {
        let stored: Vec<Stored<T>> = self.rows.iter().map(Row::stored).collect();
        let nodes =
            self.rows.iter().zip(&stored).map(|(row, stored)| row.node(stored)).collect::<Result<Vec<_>, _>>()?;
        Graph::with_outputs(self.input, &nodes, &self.outputs).map(|graph| run(&graph))
    }

    pub(super) fn stream(&self, source: Source) -> StreamShape {
        match source {
            Source::Input => StreamShape::input(self.input),
            source => self.with::<f64, _>(|graph| graph.stream(source)).unwrap(),
        }
    }

    /// All parameters, in the order of their gradients.
    pub(super) fn parameters(&mut self) -> impl Iterator<Item = &mut f64> {
        self.rows.iter_mut().flat_map(|row| row.parameters.iter_mut().flatten())
    }

    /// The loss with the samples of `x`.
    pub(super) fn loss(&self, cuts: &[usize], x: &[f64], y: &[Vec<f64>]) -> f64 {
        let outputs = self.with(|graph| forward_graph(graph, cuts, x).outputs).unwrap();
        outputs.iter().zip(y).map(|(out, y)| dot(&out.concat(), y)).sum()
    }

    pub(super) fn gradients<T: Sample>(
        &self,
        (cuts, x, y): (&[usize], &[f64], &[Vec<f64>]),
        wanted: impl Fn(usize) -> Wanted,
        input: bool,
        start: f64,
    ) -> Gradients {
        self.with::<T, _>(|graph| {
            let (x, y): (Vec<T>, Vec<Vec<T>>) = (cast(x), y.iter().map(|y| cast(y)).collect());
            let Forward { outputs, mut states } = forward_graph(graph, cuts, &x);
            let (nan, len) = (T::from_f64(f64::NAN), self.input.len());
            let mut reversed = vec![nan; GraphAdjoint::reversed_len(graph.nodes())];
            let mut table = vec![NodeAdjoint::EMPTY; graph.nodes().len()];
            let adjoint = GraphAdjoint::new(graph, wanted, input, &mut reversed, &mut table).unwrap();
            let (model, needs) = (adjoint.graph(), adjoint.needs());
            let mut state = vec![T::zero(); needs.state];
            let mut parameters = vec![start; needs.parameters];
            let mut grad_in = vec![nan; if input { x.len() } else { 0 }];
            let (mut t, mut ends) = (cuts.iter().sum::<usize>(), y.iter().map(Vec::len).collect::<Vec<_>>());
            for (k, frames) in cuts.iter().enumerate().rev() {
                t -= frames;
                let range = t * len..(t + frames) * len;
                let mut frames_of_nodes = vec![nan; model.signature().scratch.len(*frames)];
                let mut out = outputs[0][k].clone();
                let mut advanced = states[k].clone();
                model.run(t as u64, &mut advanced, &mut frames_of_nodes, &x[range.clone()], &mut out).unwrap();
                let mut grad_out = Vec::new();
                for ((y, end), out) in y.iter().zip(&mut ends).zip(&outputs) {
                    let start = *end - out[k].len();
                    grad_out.push(&y[start..*end]);
                    *end = start;
                }
                let chunk = GraphChunk {
                    t: t as u64,
                    input: &x[range.clone()],
                    frames: &frames_of_nodes,
                    before: &mut states[k],
                    grad_out: grad_out[0],
                    grad_outputs: &grad_out[1..],
                };
                let mut scratch = vec![nan; needs.scratch.len(*frames)];
                let grad_in = if input { &mut grad_in[range] } else { &mut [] };
                adjoint.backward(chunk, &mut state, &mut scratch, grad_in, &mut parameters).unwrap();
            }
            Gradients { input: grad_in.iter().map(|x| x.to_f64()).collect(), parameters }
        })
        .unwrap()
    }
}

/// A recording through a model. Its state holds NaN before.
pub(super) fn forward_graph<T: Sample>(graph: &Graph<'_, T>, cuts: &[usize], x: &[T]) -> Forward<T> {
    let (signature, nan) = (graph.signature(), T::from_f64(f64::NAN));
    let (mut state, mut t, mut states) = (vec![nan; signature.state], 0, Vec::new());
    let mut outputs = vec![Vec::new(); 1 + graph.outputs().len()];
    for frames in cuts {
        let input = &x[t * signature.input.len()..][..frames * signature.input.len()];
        let mut out = vec![nan; signature.frames_out(t as u64, *frames) * signature.output.len()];
        let mut scratch = vec![nan; signature.scratch.len(*frames)];
        states.push(state.clone());
        graph.run(t as u64, &mut state, &mut scratch, input, &mut out).unwrap();
        outputs[0].push(out);
        for (k, outputs) in outputs[1..].iter_mut().enumerate() {
            outputs.push(graph.output(k, t as u64, *frames, 1, &scratch).unwrap().to_vec());
        }
        t += frames;
    }
    Forward { outputs, states }
}

/// A kind of filter for frames of `shape`, and its parameters.
fn filter(random: &mut Random, shape: Shape) -> (Kind, [Vec<f64>; 4]) {
    let none = || [(); 4].map(|()| Vec::new());
    let numbers = |random: &mut Random, len: usize| random.samples(len).iter().map(|x| x * 0.7).collect::<Vec<f64>>();
    let gain = |random: &mut Random| random.one_of(&[0.8, 0.4, 0.15]);
    let mode = random.one_of(&PadMode::NAMES).1;
    let pad = random.one_of(&[Some(mode), Some(mode), None]);
    let border = random.one_of(&Border::NAMES).1;
    match random.whole(0, 13) {
        0 => (Kind::TimePadding(random.whole(0, 3), mode), none()),
        1 => (Kind::Delay(random.whole(0, 3), random.one_of(&[0, 0, 2])), none()),
        2 => {
            let delays = (0..shape.pixels()).map(|_| random.whole(0, 3) as u32).collect();
            (Kind::VariableDelay(delays), none())
        }
        3..=5 => {
            let sizes =
                [random.whole(1, 2), shape.channels, random.whole(1, 3), random.whole(1, 3), random.whole(1, 3)];
            let options = ConvOptions {
                stride: [random.one_of(&[1, 1, 2, 3]), random.whole(1, 2), 1],
                dilation: [random.whole(1, 2), 1, 1],
                border: random.one_of(&[Some(border), Some(border), None]),
                pad,
                groups: 1,
            };
            let bias = random.one_of(&[0, sizes[0]]);
            let parameters = [numbers(random, sizes.iter().product()), numbers(random, bias), vec![], vec![]];
            (Kind::Conv3d(sizes, options), parameters)
        }
        6 => {
            let sizes = [1, shape.channels, random.whole(1, 2), random.whole(2, 4), random.whole(2, 4)];
            let parameters = [numbers(random, sizes.iter().product()), numbers(random, 1), vec![], vec![]];
            (Kind::Rf(sizes, pad), parameters)
        }
        7 => (Kind::LowPass, [vec![], vec![], vec![gain(random)], vec![]]),
        8 => (Kind::HighPass, [vec![], vec![], vec![gain(random)], numbers(random, 1)]),
        9 => {
            let (size, stages) = ([random.whole(1, 3), random.whole(1, 3)], random.whole(1, 2));
            let components = shape.channels == 1 && random.whole(0, 1) == 0;
            let gains = (0..stages).map(|_| gain(random)).collect();
            (
                Kind::SmoothConv(size, border, components),
                [numbers(random, stages * size[0] * size[1]), vec![], gains, vec![]],
            )
        }
        10 | 11 => {
            let function = random.whole(0, 6);
            let scale_and_bias = if function == 0 { 0 } else { 1 };
            let bias = numbers(random, scale_and_bias);
            (Kind::Pointwise(function), [vec![], bias, vec![], numbers(random, scale_and_bias)])
        }
        12 => (Kind::Sum(random.one_of(&[Axis::Channel, Axis::Row, Axis::Col])), none()),
        _ => (random.one_of(&[&Kind::Diff, &Kind::Finite]).clone(), none()),
    }
}

/// A convolution whose first frames yield no output.
fn warm_up(random: &mut Random, input: Shape) -> Row {
    let sizes = [1, input.channels, random.whole(2, 3), 1, 1];
    let options = ConvOptions { pad: None, ..ConvOptions::DEFAULT };
    let parameters = [random.samples(sizes.iter().product()), vec![], vec![], vec![]];
    Row { kind: Kind::Conv3d(sizes, options), sources: vec![Source::Input], input, parameters }
}

/// A random model. Nodes that do not fit are left out.
pub(super) fn model(random: &mut Random) -> Model {
    let input = random.shape(4);
    let mut model = Model { input, rows: Vec::new(), outputs: Vec::new() };
    let count = random.whole(1, 9);
    if random.whole(0, 3) == 0 {
        model.rows.push(warm_up(random, input));
    }
    while model.rows.len() < count {
        let sources: Vec<Source> = (0..model.rows.len()).rev().map(Source::Node).chain([Source::Input]).collect();
        let a = if random.whole(0, 1) == 0 { sources[0] } else { random.one_of(&sources) };
        let of_a = model.stream(a);
        let row = if random.whole(0, 2) > 0 {
            let (kind, parameters) = filter(random, of_a.shape);
            Row { kind, sources: vec![a], input: of_a.shape, parameters }
        } else {
            let b = random.one_of(&sources);
            let kind = random.one_of(&[&Kind::Add, &Kind::Multiply, &Kind::Concat]).clone();
            let weights = if let Kind::Add = kind { random.samples(2) } else { vec![] };
            Row { kind, sources: vec![a, b], input: of_a.shape, parameters: [weights, vec![], vec![], vec![]] }
        };
        model.rows.push(row);
        if model.with::<f64, _>(|graph| graph.signature().output.len()).is_ok_and(|len| len <= 60) {
            continue;
        }
        model.rows.pop();
    }
    // Some twice.
    model.outputs = (0..random.whole(0, 2)).filter(|_| count > 1).map(|_| random.whole(0, count.max(2) - 2)).collect();
    model
}
