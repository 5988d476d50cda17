//! `core`'s table of nodes: what it refuses and why, branches that meet, temporal stride in cascade, filters of a
//! user's own, and a whole model as a constant whose memory is known at compile time.

use foveola_core::{
    Axis, Border, Conv3d, ConvOptions, Decay, Delay, Diff, Error, Filter, Graph, Kernel, LowPass, Node, Nonlinearity,
    PadMode, PlacedGraph, Pointwise, Rate, Shape, Signature, SmoothConv, Source, Stage, Step, Sum, TimePadding,
    constant,
};
use foveola_tests::random::{check, noise};
use proptest::prelude::*;

const SHAPE: Shape = Shape::new(1, 3, 4);
static ONES: [f32; 4] = [1.0; 4];

const fn strided(every: usize, taps: usize, pad: Option<PadMode>) -> Stage<'static> {
    let options = ConvOptions { stride: [every, 1, 1], pad, ..ConvOptions::DEFAULT };
    let (weights, _) = ONES.split_at(taps);
    Stage::Conv3d(constant!(Conv3d::new(SHAPE, Kernel::new(weights, [1, 1, taps, 1, 1]), options)))
}

fn rectify(shape: Shape) -> Stage<'static> {
    Stage::Pointwise(constant!(Pointwise::new(shape, Nonlinearity::Rectify)))
}

#[test]
fn what_a_table_refuses() {
    use Node::{Add, Concat, Filter as F, Multiply};
    use Source::{Input, Node as N};
    let other = Shape::new(1, 4, 3); // as many samples, another shape
    let padding = Stage::TimePadding(TimePadding::new(SHAPE, 2, PadMode::Mirror));
    let diff = || Stage::Diff(Diff::new(SHAPE));
    let sum = || Stage::Sum(Sum::new(SHAPE, Axis::Row));
    let strided = |every| strided(every, 1, Some(PadMode::Mirror));
    let nan =
        |message: &Error| matches!(message, Error::Parameter { name: "branch weight", value, .. } if value.is_nan());
    assert!(nan(&Graph::<f32>::new(SHAPE, &[Add([(Input, f64::NAN), (Input, 1.0)])]).expect_err("NaN refused")));
    assert!(nan(&Graph::<f32>::new(SHAPE, &[Add([(Input, 1.0), (Input, f64::NAN)])]).expect_err("NaN refused")));
    let cases: Vec<(&str, Vec<Node>, Error, &str)> = vec![
        ("no nodes", vec![], Error::NoNodes, "at least one"),
        ("itself", vec![F(N(0), diff())], Error::Order { node: 0, source: 0 }, "node 0 reads node 0"),
        ("a later one", vec![F(Input, diff()), F(N(7), diff())], Error::Order { node: 1, source: 7 }, "node 7"),
        ("itself in a sum", vec![Add([(Input, 1.0), (N(0), 1.0)])], Error::Order { node: 0, source: 0 }, "before it"),
        (
            "another shape",
            vec![F(Input, rectify(other))],
            Error::NodeShape { node: 0, found: SHAPE, expected: other },
            "1 x 3 x 4",
        ),
        (
            "branches of two shapes",
            vec![F(Input, sum()), F(Input, diff()), Add([(N(0), 1.0), (N(1), 1.0)])],
            Error::NodeShape { node: 2, found: SHAPE, expected: Shape::new(1, 1, 4) },
            "1 x 1 x 4",
        ),
        (
            "factors of two shapes",
            vec![F(Input, sum()), Multiply([Input, N(0)])],
            Error::NodeShape { node: 1, found: Shape::new(1, 1, 4), expected: SHAPE },
            "1 x 3 x 4",
        ),
        (
            "channels of two sizes",
            vec![Concat([Input, Input]), F(Input, sum()), Concat([N(0), N(1)])],
            Error::NodeShape { node: 2, found: Shape::new(1, 1, 4), expected: SHAPE },
            "1 x 3 x 4",
        ),
        ("a later factor", vec![Multiply([Input, N(1)])], Error::Order { node: 0, source: 1 }, "node 1"),
        ("channels of itself", vec![Concat([Input, N(0)])], Error::Order { node: 0, source: 0 }, "node 0"),
        (
            "factors of two rates",
            vec![F(Input, strided(2)), Multiply([N(0), Input])],
            Error::NodeRate { node: 1 },
            "frame rates",
        ),
        ("channels with a lead", vec![F(Input, padding), Concat([N(0), Input])], Error::NodeRate { node: 1 }, "node 1"),
        (
            "branches of two rates",
            vec![F(Input, strided(2)), F(Input, strided(3)), Add([(N(0), 1.0), (N(1), 1.0)])],
            Error::NodeRate { node: 2 },
            "frame rates",
        ),
        (
            "a branch that warms up",
            vec![F(Input, self::strided(1, 2, None)), Add([(N(0), 1.0), (Input, 1.0)])],
            Error::NodeRate { node: 1 },
            "warm-ups",
        ),
        (
            "a branch with a lead",
            vec![F(Input, padding), Add([(N(0), 1.0), (Input, 1.0)])],
            Error::NodeRate { node: 1 },
            "node 1",
        ),
        ("memory behind a lead", vec![F(Input, padding), F(N(0), diff())], Error::NodeLead { node: 1 }, "memory"),
        (
            "a lead behind a lead",
            vec![F(Input, padding), F(N(0), rectify(SHAPE)), F(N(1), padding)],
            Error::NodeLead { node: 2 },
            "node 2",
        ),
    ];
    for (name, nodes, expected, words) in cases {
        let error = Graph::new(SHAPE, &nodes).err().unwrap_or_else(|| panic!("{name} is taken"));
        assert_eq!(error, expected, "{name}");
        assert!(error.to_string().contains(words), "{name}: '{error}' does not say '{words}'");
    }
}

/// What `graph` makes of frames fed in pieces, and how many frames of each piece.
fn run(graph: &Graph<'_>, input: &[f32], cuts: &[usize]) -> Vec<f32> {
    let signature = graph.signature();
    let mut state = vec![f32::NAN; signature.state];
    let (mut t, mut found) = (0, Vec::new());
    for frames in cuts {
        let x = &input[t * signature.input.len()..(t + frames) * signature.input.len()];
        let mut scratch = vec![f32::NAN; signature.scratch.len(*frames)];
        let mut out = vec![f32::NAN; signature.frames_out(t as u64, *frames) * signature.output.len()];
        let n = graph.run(t as u64, &mut state, &mut scratch, x, &mut out).expect("lengths that fit");
        assert_eq!(n * signature.output.len(), out.len(), "frames announced at time {t}");
        found.extend(out);
        t += frames;
    }
    found
}

fn frames(n: usize) -> Vec<f32> {
    noise(n as u64, n * SHAPE.len()).into_iter().map(|x| x as f32).collect()
}

/// Stride `p` and then `q`, of single-tap kernels with warm-ups: frame `t` of the output is a frame of the input.
#[test]
fn temporal_stride_in_cascade() {
    let first_two_pieces = (1..6_usize, 0..9_usize, 1..20_usize);
    let parameters = (1..5_usize, 1..5_usize, 1..4_usize, 1..4_usize, any::<bool>());
    check(256, (parameters, first_two_pieces), |((p, q, kt_p, kt_q, padded), (a, b, c))| {
        // A kernel that is 1 for its newest frame only: with or without warm-up it takes the present frame.
        let newest = |taps: usize| {
            let mut weights = vec![0.0; taps];
            weights[taps - 1] = 1.0;
            weights
        };
        let (weights_p, weights_q) = (newest(kt_p), newest(kt_q));
        let conv = |weights, every, taps| {
            let pad = padded.then_some(PadMode::Zeros);
            let options = ConvOptions { stride: [every, 1, 1], pad, ..ConvOptions::DEFAULT };
            Conv3d::new(SHAPE, Kernel::new(weights, [1, 1, taps, 1, 1]), options).map(Stage::Conv3d)
        };
        let text = |error: Error| error.to_string();
        let stages = [conv(&weights_p, p, kt_p).map_err(text)?, conv(&weights_q, q, kt_q).map_err(text)?];
        let nodes = [Node::Filter(Source::Input, stages[0]), Node::Filter(Source::Node(0), stages[1])];
        let graph = Graph::new(SHAPE, &nodes).map_err(text)?;
        let input = frames(a + b + c);
        // The naive composition: of all frames those from the warm-up on, every p-th; of these the same with q.
        let warm_up = |taps: usize| if padded { 0 } else { taps - 1 };
        let kept = input.chunks_exact(SHAPE.len()).skip(warm_up(kt_p)).step_by(p).skip(warm_up(kt_q)).step_by(q);
        let expected: Vec<f32> = kept.flatten().copied().collect();
        for cuts in [vec![a + b + c], vec![a, b, c], vec![1; a + b + c]] {
            if run(&graph, &input, &cuts) != expected {
                return Err(format!("pieces of {cuts:?}: not the frames of the naive composition"));
            }
        }
        // And the announced rate says when.
        let Rate { first, every } = graph.signature().rate;
        let announced = (0..a + b + c).filter(|t| *t as u64 >= first && (*t as u64 - first).is_multiple_of(every));
        if announced.count() * SHAPE.len() != expected.len() {
            return Err(format!("a rate of {first} and {every}, but {} frames", expected.len() / SHAPE.len()));
        }
        Ok(())
    });
}

/// Branches with equal strides meet: `2 (x) - 0.5 (x delayed by 4)` of every third frame.
#[test]
fn branches_of_one_stride_meet() {
    let every_third = |source| Node::Filter(source, strided(3, 1, Some(PadMode::Mirror)));
    let nodes = [
        every_third(Source::Input),
        Node::Filter(Source::Input, Stage::Delay(Delay::new(SHAPE, 4, 0))),
        every_third(Source::Node(1)),
        Node::Add([(Source::Node(0), 2.0), (Source::Node(2), -0.5)]),
    ];
    let graph = Graph::new(SHAPE, &nodes).expect("branches of one rate");
    let (input, len) = (frames(20), SHAPE.len());
    let past = |t: usize, i: usize| t.checked_sub(4).map_or(0.0, |t| input[t * len + i]);
    let kept = (0..20).step_by(3);
    let expected: Vec<f32> = kept
        .flat_map(|t| (0..len).map(move |i| (t, i)))
        .map(|(t, i)| 2.0 * input[t * len + i] - 0.5 * past(t, i))
        .collect();
    assert_eq!(run(&graph, &input, &[20]), expected);
    assert_eq!(run(&graph, &input, &[2, 1, 0, 7, 10]), expected);
}

/// A filter of a user's own: a running total, which every frame rate and batch must leave alone.
struct Total(Shape);

impl Filter for Total {
    fn signature(&self) -> Signature {
        Signature::same(self.0, self.0.len())
    }

    fn advance(
        &self,
        _: u64,
        state: &mut [f32],
        _: &mut [f32],
        input: &[f32],
        output: &mut [f32],
    ) -> Result<usize, Error> {
        let len = self.0.len();
        for (x, y) in input.chunks_exact(len).zip(output.chunks_exact_mut(len)) {
            state.iter_mut().zip(x).for_each(|(total, x)| *total += x);
            y.copy_from_slice(state);
        }
        Ok(input.len() / len)
    }
}

#[test]
fn a_filter_of_ones_own() {
    let total = Total(SHAPE);
    let nodes = [
        Node::Filter(Source::Input, strided(2, 1, Some(PadMode::Mirror))),
        Node::Filter(Source::Node(0), Stage::custom(&total)),
        Node::Filter(Source::Node(1), Stage::Diff(Diff::new(SHAPE))),
    ];
    let graph = Graph::new(SHAPE, &nodes).expect("a filter that takes the frames");
    let input: Vec<f32> = (0..9).flat_map(|t| [t as f32; 12]).collect();
    // Frames 0, 2, 4, 6, 8; their totals 0, 2, 6, 12, 20; their differences.
    let expected: Vec<f32> = [0.0, 2.0, 4.0, 6.0, 8.0].into_iter().flat_map(|y| [y; 12]).collect();
    assert_eq!(run(&graph, &input, &[9]), expected);
    assert_eq!(run(&graph, &input, &[1, 1, 3, 0, 4]), expected);
    let wrong = Total(Shape::new(1, 1, 1));
    let nodes = [Node::Filter(Source::Input, Stage::custom(&wrong))];
    assert!(matches!(Graph::new(SHAPE, &nodes), Err(Error::NodeShape { .. })), "another shape is refused");
}

/// Centre minus surround as a constant: the table, its check, and the memory of a stream.
mod constant_table {
    use super::{
        Border, Decay, Filter, Graph, Node, Nonlinearity, PlacedGraph, Pointwise, Shape, SmoothConv, Source, Stage,
        Step, constant,
    };

    const SHAPE: Shape = Shape::new(1, 6, 8);
    static DECAYS: [Decay; 2] = [constant!(Decay::new(0.002, 1000.0)), constant!(Decay::new(0.004, 1000.0))];
    static CENTRE: [f32; 2] = [0.5; 2];
    static SURROUND: [f32; 18] = [1.0 / 18.0; 18];
    const fn smooth(spatial: &'static [f32], size: [usize; 2]) -> Stage<'static> {
        Stage::SmoothConv(constant!(SmoothConv::new(SHAPE, &DECAYS, spatial, size, Border::Replicate)))
    }
    static NODES: [Node; 4] = [
        Node::Filter(Source::Input, smooth(&CENTRE, [1, 1])),
        Node::Filter(Source::Input, smooth(&SURROUND, [3, 3])),
        Node::Add([(Source::Node(0), 1.0), (Source::Node(1), -1.0)]),
        Node::Filter(Source::Node(2), Stage::Pointwise(constant!(Pointwise::new(SHAPE, Nonlinearity::Rectify)))),
    ];
    const MODEL: Graph = constant!(Graph::new(SHAPE, &NODES));
    // Two stages each, rows stored with their borders; three frames of intermediate output.
    const _: () = assert!(MODEL.signature().state == 2 * 6 * 8 + 2 * 6 * 10, "the states of both branches");
    const _: () = assert!(MODEL.signature().scratch.len(1) == 3 * 48, "a frame for each node but the last");

    static PLACED: PlacedGraph<4> = constant!(PlacedGraph::new(SHAPE, &NODES));
    const SHARED: Graph = PLACED.graph();
    const _: () = assert!(SHARED.signature().scratch.len(1) == 48, "the surround; the rest is in the output");

    #[test]
    fn runs_from_static_memory() {
        let mut state = [f32::NAN; MODEL.signature().state];
        let mut scratch = [f32::NAN; MODEL.signature().scratch.len(1)];
        let mut dot = [0.0; SHAPE.len()];
        dot[3 * 8 + 4] = 1.0;
        let mut out = [f32::NAN; SHAPE.len()];
        for t in 0..200 {
            assert_eq!(MODEL.step(t, &mut state, &mut scratch, &dot, &mut out), Ok(Step::Frame));
        }
        let (mut state, mut scratch) = ([f32::NAN; SHARED.signature().state], [f32::NAN; 48]);
        let mut shared = [f32::NAN; SHAPE.len()];
        for t in 0..200 {
            assert_eq!(SHARED.step(t, &mut state, &mut scratch, &dot, &mut shared), Ok(Step::Frame));
        }
        assert_eq!(out, shared, "shared memory changes no bit");
        // At rest: 1 - 1/9 on the dot, rectified to 0 around it.
        assert!((out[3 * 8 + 4] - 8.0 / 9.0).abs() < 1e-5, "{out:?}");
        assert!(out.iter().enumerate().all(|(i, y)| i == 3 * 8 + 4 || *y < 1e-6), "{out:?}");
    }
}

/// The memory of the filters the documentation promises, for a frame of 2 x 5 x 7.
#[test]
fn state_of_each_filter() {
    const FRAME: Shape = Shape::new(2, 5, 7);
    const DELAYS: [u32; 35] = [3; 35];
    static WEIGHTS: [f32; 2 * 3 * 3 * 5] = [0.0; 90];
    const CONV: Conv3d = constant!(Conv3d::new(FRAME, Kernel::new(&WEIGHTS, [1, 2, 3, 3, 5]), ConvOptions::DEFAULT));
    const TABLE: [(&str, usize, usize); 6] = [
        ("TimePadding", TimePadding::new(FRAME, 4, PadMode::Mirror).signature().state, 4 * 70),
        ("Delay", Delay::new(FRAME, 3, 2).signature().state, 5 * 70),
        ("VariableDelay", constant!(foveola_core::VariableDelay::new(FRAME, &DELAYS)).signature().state, (3 + 1) * 70),
        ("Conv3d", CONV.signature().state, 3 * 2 * 5 * (7 + 4)),
        ("LowPass", LowPass::new(FRAME, constant!(Decay::from_gain(0.5))).signature().state, 70),
        ("Diff", Diff::new(FRAME).signature().state, 70),
    ];
    for (name, found, expected) in TABLE {
        assert_eq!(found, expected, "{name}");
    }
}

/// The fastest of some tries, in seconds.
fn fastest(mut work: impl FnMut()) -> f64 {
    let tries = (0..7).map(|_| {
        let from = std::time::Instant::now();
        work();
        from.elapsed().as_secs_f64()
    });
    tries.fold(f64::INFINITY, f64::min)
}

/// Ten times as many layers take ten times as long, not a hundred or, with strides among them, a thousand times.
#[test]
fn a_model_of_many_layers() {
    let cost = |layers: usize, strided: bool| {
        let mut model = foveola::Model::new().with_threads(1);
        if strided {
            model.push(foveola::Conv2d::new(1, 1, [1, 1]).expect("a kernel").with_stride([2, 1, 1]));
        }
        for layer in 0..layers {
            match layer % 3 {
                0 => model.push(foveola::Diff),
                1 => model.push(foveola::Branches::new().plus(foveola::Delay::new(1)).minus(foveola::NLRectify)),
                _ => model.push(foveola::NLRectify),
            }
        }
        let frames = ndarray::Array3::<f32>::ones((2, 1, 1));
        model.process(&frames).expect("a good chunk");
        fastest(|| assert_eq!(model.process(&frames).expect("a good chunk").dim().2, if strided { 1 } else { 2 }))
    };
    for strided in [false, true] {
        let ratio = cost(1000, strided) / cost(100, strided);
        println!("1000 layers take {ratio:.1} times as long as 100, strided: {strided}");
        assert!(ratio < 30.0, "1000 layers take {ratio:.1} times as long as 100, strided: {strided}");
    }
}
