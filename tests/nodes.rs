//! Random tables of nodes: `core` and the host compute what the nodes do one by one, for any chunking, batch and number of
//! threads. Sums, products and concatenations of branches beside their definitions.

use foveola::{Layer, Model, Precision, Table};
use foveola_core::{
    Conv3d, ConvOptions, Diff, Error, Graph, Kernel, Node, Place, Rate, Shape, Signature, Source, Stage,
};
use foveola_tests::nodes::{Naive, Nodes, Pick, Streams, nodes, outputs, picks, same};
use foveola_tests::random::{Recording, check, recording};
use ndarray::{Array5, ArrayView5, Axis, s};
use proptest::prelude::*;

type Verdict = Result<(), String>;
type Trial = (Shape, Vec<Pick>, Recording);

fn trial() -> impl Strategy<Value = Trial> {
    let shape = (1..4_usize, 1..4_usize, 1..20_usize);
    (shape, picks(), recording())
        .prop_map(|((channels, rows, cols), picks, recording)| (Shape::new(channels, rows, cols), picks, recording))
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

/// The frames of each stream, one after another.
fn streams(chunk: &ArrayView5<'_, f32>) -> Streams {
    let frames = |stream: ndarray::ArrayView4<'_, f32>| stream.permuted_axes([1, 0, 2, 3]).iter().copied().collect();
    chunk.outer_iter().map(frames).collect()
}

/// Calls `each` with every chunk of the movie, empty ones included.
fn chunks<'m>(movie: &'m Array5<f32>, recording: &Recording) -> Vec<ArrayView5<'m, f32>> {
    let mut from = 0;
    let cut = |frames: &usize| {
        from += frames;
        movie.slice(s![.., .., from - frames..from, .., ..])
    };
    recording.cuts.iter().map(cut).collect()
}

/// `core` alone, where nodes have memory of their own and where they share it.
fn core((shape, picks, recording): Trial) -> Verdict {
    let (nodes, outputs) = (nodes(shape, &picks), outputs(&picks));
    let mut places = vec![Place::first(shape); nodes.len()];
    let own = Graph::with_outputs(shape, &nodes, &outputs).map_err(text)?;
    let shared = Graph::with_outputs_and_places(shape, &nodes, &outputs, &mut places).map_err(text)?;
    let (own_scratch, scratch) = (own.signature().scratch, shared.signature().scratch);
    if own_scratch.larger(scratch) != own_scratch {
        return Err(format!("{scratch:?} shared, {own_scratch:?} without"));
    }
    if (Signature { scratch, ..own.signature() }) != shared.signature() {
        return Err(format!("{:?} shared, {:?} without", shared.signature(), own.signature()));
    }
    run(&own, &recording).and_then(|()| run(&shared, &recording))
}

/// `graph` beside its naive twin, with memory of exactly the lengths that it asks for, full of NaN.
fn run(graph: &Graph<'_>, recording: &Recording) -> Verdict {
    let (shape, nodes, outputs) = (graph.input(), graph.nodes(), graph.outputs());
    let (movie, batch, signature) = (recording.movie(shape), recording.batch, graph.signature());
    let mut naive = Naive::new(shape, nodes, batch);
    let (mut t, mut state) = (0, vec![f32::NAN; signature.state * batch]);
    for chunk in chunks(&movie, recording).into_iter().filter(|chunk| !chunk.is_empty()) {
        let frames = chunk.len_of(Axis(2));
        let input = streams(&chunk);
        // A guard may refuse what has grown too large.
        let Ok(expected) = naive.feed(input.clone()) else { return Ok(()) };
        let mut scratch = vec![f32::NAN; graph.scratch_len(frames, batch)];
        let n = signature.frames_out(t, frames);
        let mut output = vec![f32::NAN; batch * n * signature.output.len()];
        let found = graph.run_batch(t, batch, &mut state, &mut scratch, &input.concat(), &mut output).map_err(text)?;
        if found != n {
            return Err(format!("{found} frames at {t}, {n} announced"));
        }
        if !same(&output, &expected[nodes.len() - 1].concat()) {
            return Err(format!("{frames} frames at {t}: other samples"));
        }
        for (k, node) in outputs.iter().enumerate() {
            if !same(graph.output(k, t, frames, batch, &scratch).map_err(text)?, &expected[*node].concat()) {
                return Err(format!("{frames} frames at {t}: other samples of output {k}, node {node}"));
            }
        }
        t += frames as u64;
    }
    Ok(())
}

#[test]
fn core_computes_node_by_node() {
    check(768, trial(), core);
}

/// The host, on several threads.
fn host((shape, picks, recording): Trial) -> Verdict {
    let nodes = nodes(shape, &picks);
    let movie = recording.movie(shape);
    let mut naive = Naive::new(shape, &nodes, recording.batch);
    let outputs = outputs(&picks);
    let model =
        Model::of(Nodes(nodes.clone(), outputs.clone())).with_precision(Precision::Reproducible).allow_non_finite();
    let mut model = model.with_threads(3).eager();
    for chunk in chunks(&movie, &recording) {
        let Ok(expected) = naive.feed(streams(&chunk)) else { return Ok(()) };
        let found = model.process_all(chunk).map_err(text)?;
        let all = [nodes.len() - 1].into_iter().chain(outputs.iter().copied());
        for (found, node) in found.iter().zip(all) {
            if !same(&streams(&found.view()).concat(), &expected[node].concat()) {
                return Err(format!("{:?}: other samples of node {node}", found.dim()));
            }
        }
        if found.len() != 1 + outputs.len() {
            return Err(format!("{} outputs", found.len()));
        }
    }
    Ok(())
}

#[test]
fn the_host_computes_node_by_node() {
    check(256, trial(), host);
}

/// A chunk that is cut into blocks, for one stream and for several: further outputs are put together.
#[test]
fn outputs_of_long_chunks() {
    const SHAPE: Shape = Shape::new(1, 32, 64);
    let every_third = Rate { first: 1, every: 3 };
    let conv = {
        let options = ConvOptions { stride: [3, 1, 1], pad: None, ..ConvOptions::DEFAULT };
        Conv3d::new(SHAPE, Kernel::new(&[0.5, 0.25], [1, 1, 2, 1, 1]), options).expect("a kernel")
    };
    let nodes = vec![
        Node::Filter(Source::Input, Stage::Diff(Diff::new(SHAPE))),
        Node::Filter(Source::Node(0), Stage::Conv3d(conv)),
        Node::Concat([Source::Node(1); 2]),
        Node::Add([(Source::Node(0), 0.5), (Source::Input, 1.0)]),
    ];
    for batch in [1, 3] {
        let recording = Recording { seed: 1, batch, cuts: vec![1000, 500] };
        let movie = recording.movie(SHAPE);
        let mut naive = Naive::new(SHAPE, &nodes, batch);
        let model = Model::of(Nodes(nodes.clone(), vec![2, 3, 0])).with_precision(Precision::Reproducible);
        let mut model = model.with_threads(1);
        for (chunk, from) in chunks(&movie, &recording).into_iter().zip([0, 1000]) {
            let frames = chunk.len_of(Axis(2));
            let expected = naive.feed(streams(&chunk)).expect("no guard");
            let found = model.process_all(chunk).expect("finite frames");
            assert_eq!(found[1].len_of(Axis(2)), every_third.frames(from, frames), "frames of the strided output");
            for (found, node) in found.iter().zip([3, 2, 3, 0]) {
                assert!(same(&streams(&found.view()).concat(), &expected[node].concat()), "node {node}, batch {batch}");
            }
        }
    }
}

/// The input and the output may be further outputs too, even of a model without nodes of its own.
#[test]
fn ends_may_be_outputs() {
    #[derive(Clone, Debug)]
    struct Ends;
    impl Layer for Ends {
        fn name(&self) -> &'static str {
            "Ends"
        }
        fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> foveola::Result<Source> {
            table.mark_output(from);
            let shape = table.shape(from);
            let last = table.push(from, Stage::Diff(Diff::new(shape)));
            table.mark_output(last);
            Ok(last)
        }
    }
    let movie = ndarray::Array3::from_shape_fn((3, 1, 2), |(t, _, c)| (t * t + c) as f32);
    let mut ends = Model::of(Ends);
    let found = ends.process_all(&movie).expect("finite frames");
    let samples = |k: usize| found[k].iter().copied().collect::<Vec<f32>>();
    assert_eq!(samples(0), [0.0, 0.0, 1.0, 1.0, 3.0, 3.0]);
    assert_eq!(samples(1), [0.0, 1.0, 1.0, 2.0, 4.0, 5.0]);
    assert_eq!(samples(2), samples(0));
    assert_eq!(found.len(), 3, "the output, and the two marked");
}

/// Outputs that do not exist, and scratch that is too short.
#[test]
fn wrong_outputs_are_refused() {
    const SHAPE: Shape = Shape::new(1, 1, 2);
    let diff = |source| Node::Filter(source, Stage::Diff(Diff::new(SHAPE)));
    let nodes = [diff(Source::Input), diff(Source::Node(0))];
    for node in [1, 2, usize::MAX] {
        let error = Graph::<f32>::with_outputs(SHAPE, &nodes, &[0, node]).expect_err("refused");
        assert_eq!(error, Error::Output { node, nodes: 2 });
        assert!(error.to_string().contains(&format!("node {node}")), "{error}");
    }
    let graph = Graph::<f32>::with_outputs(SHAPE, &nodes, &[0]).expect("a node before the last one");
    let missing = graph.output(1, 0, 1, 1, &[0.0; 8]);
    assert!(matches!(missing, Err(Error::Parameter { name: "output", value: 1.0, .. })), "{missing:?}");
    let short = graph.output(0, 0, 2, 2, &[0.0; 7]);
    assert_eq!(short, Err(Error::Length { what: "the scratch", found: 7, expected: 8 }));
}

/// Without a table of places the channels of 64 concatenations are found, in either branch; with one, of any number.
#[test]
fn many_concatenations() {
    const SHAPE: Shape = Shape::new(1, 1, 1);
    for first in [true, false] {
        let node = |i: usize| {
            let before = i.checked_sub(1).map_or(Source::Input, Source::Node);
            Node::<f32>::Concat(if first { [before, Source::Input] } else { [Source::Input, before] })
        };
        let nodes: Vec<Node> = (0..100).map(node).collect();
        let graph = Graph::new(SHAPE, &nodes[..64]).expect("64 of them");
        assert_eq!(graph.signature().output.channels, 65, "first: {first}");
        let error = Graph::new(SHAPE, &nodes).expect_err("refused");
        assert!(matches!(error, Error::Parameter { name: "nested concatenations", value: 65.0, .. }), "{error}");
        let mut places = vec![Place::first(SHAPE); 100];
        let graph = Graph::with_places(SHAPE, &nodes, &mut places).expect("any number");
        assert_eq!(graph.signature().output.channels, 101, "first: {first}");
    }
}

/// A gate and its signal, and the channels of both, by hand; a NaN and an overflow stay where they are.
#[test]
fn products_and_channels() {
    const SHAPE: Shape = Shape::new(2, 1, 2);
    let (input, large) = ([1.0, -2.0, 3.0, f32::NAN, 3e38, 0.5, -3e38, 4.0], [3.0, 3.0, -3.0, 3.0]);
    let nodes = [
        Node::Add([(Source::Input, 2.0), (Source::Input, 1.0)]),
        Node::Multiply([Source::Input, Source::Node(0)]),
        Node::Concat([Source::Node(1), Source::Input]),
    ];
    let graph = Graph::<f32>::new(SHAPE, &nodes).expect("branches of one shape");
    let signature = graph.signature();
    assert_eq!(signature.output, Shape::new(4, 1, 2), "channels add up");
    let (mut scratch, mut out) = (vec![0.0; signature.scratch.len(2)], [0.0; 16]);
    assert_eq!(graph.run_batch(0, 1, &mut [], &mut scratch, &input, &mut out), Ok(2));
    let frame = |x: &[f32]| -> Vec<f32> { x.iter().map(|x| x * (2.0 * x + x)).chain(x.iter().copied()).collect() };
    let expected: Vec<f32> = input.chunks(4).flat_map(frame).collect();
    assert!(same(&out, &expected), "{out:?}");
    assert_eq!((out[0], out[3].is_nan(), out[8], out[10]), (large[0], true, f32::INFINITY, f32::INFINITY));
}
