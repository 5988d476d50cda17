//! Random tables of nodes: `core` and the host compute what the nodes do one by one, for any chunking, batch and number of
//! threads. Sums, products and concatenations of branches beside their definitions.

use foveola::{Model, Precision};
use foveola_core::{Graph, Node, Shape, Source};
use foveola_tests::nodes::{Naive, Nodes, Pick, Streams, nodes, picks, same};
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

/// `core` alone, with memory of exactly the lengths that it asks for, full of NaN.
fn core((shape, picks, recording): Trial) -> Verdict {
    let nodes = nodes(shape, &picks);
    let graph = Graph::new(shape, &nodes).map_err(text)?;
    let (movie, batch, signature) = (recording.movie(shape), recording.batch, graph.signature());
    let mut naive = Naive::new(shape, &nodes, batch);
    let (mut t, mut state) = (0, vec![f32::NAN; signature.state * batch]);
    for chunk in chunks(&movie, &recording).into_iter().filter(|chunk| !chunk.is_empty()) {
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
    let model = Model::of(Nodes(nodes.clone())).with_precision(Precision::Reproducible).allow_non_finite();
    let mut model = model.with_threads(3).eager();
    for chunk in chunks(&movie, &recording) {
        let Ok(expected) = naive.feed(streams(&chunk)) else { return Ok(()) };
        let output = model.process(chunk).map_err(text)?;
        if !same(&streams(&output).concat(), &expected[nodes.len() - 1].concat()) {
            return Err(format!("{:?}: other samples", output.dim()));
        }
    }
    Ok(())
}

#[test]
fn the_host_computes_node_by_node() {
    check(256, trial(), host);
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
