//! Finite frames give finite results, or an error that names where the range was left, and the stream goes on as before.

use foveola::{
    Algorithm, Branches, Conv2d, Conv3d, Delay, Diff, Error, HighPass, LowPass, Model, NLRectify, NLRectifyScale,
    NLRectifySquare, NLSquare, Precision, RF, Resolution, SmoothConv, Sum, Table,
};
use foveola_core::engine::{NodeChunk, Runner};
use foveola_core::{Error as CoreError, Graph, Shape, Source, Stage};
use foveola_tests::random::{self, Recording, check, noise, trial};
use foveola_tests::spec::Spec;
use foveola_tests::stream::bits;
use ndarray::{Array3, s};
use proptest::prelude::*;
use std::sync::Mutex;

const RESOLUTION: Resolution = Resolution::DEFAULT;

type Verdict = Result<(), String>;

fn text(error: impl ToString) -> String {
    error.to_string()
}

fn low_pass() -> LowPass {
    LowPass::new(0.01, RESOLUTION).expect("a time constant")
}

fn square() -> NLSquare {
    NLSquare::new(1.0, 0.0).expect("finite")
}

/// Frames of 4 x 5 pixels that are `usual` but for one sample.
fn frames(count: usize, usual: f32, (frame, row, col): (usize, usize, usize), value: f32) -> Array3<f32> {
    let mut frames = Array3::from_elem((count, 4, 5), usual);
    frames[(frame, row, col)] = value;
    frames
}

/// The error names layer, frame and pixel, and the stream goes on as one that never saw the chunk.
fn refused(name: &str, model: impl Fn() -> Model, bad: Array3<f32>, layer: &str, at: (u64, usize, usize)) {
    for precision in [Precision::Fast, Precision::Reproducible] {
        for threads in [1, 2] {
            let model = || model().with_precision(precision).with_threads(threads);
            let (mut quiet, mut model) = (model(), model());
            let good = Array3::from_elem((4, 4, 5), 0.5);
            for _ in 0..2 {
                assert_eq!(model.process(&good).expect(name), quiet.process(&good).expect(name), "{name}");
                let before = model.time();
                for result in [model.process(&bad).map(|view| view.to_owned()), model.run(&bad, 1)] {
                    match result {
                        Err(Error::Overflow { layer: found, frame, row, col, value, .. }) => {
                            assert!(found.contains(layer), "{name}: {found}");
                            assert_eq!((frame, row, col), (before + at.0, at.1, at.2), "{name}: frame, row, column");
                            assert!(!value.is_finite(), "{name}: {value}");
                        }
                        other => panic!("{name}, {precision:?}: {:?}", other.map(|out| out.dim())),
                    }
                }
                assert_eq!(model.time(), before, "{name}");
            }
            assert_eq!(model.process(&good).expect(name), quiet.process(&good).expect(name), "{name}");
        }
    }
}

#[test]
fn a_square_in_front_of_a_recursion() {
    let model = || Model::new().then(square()).then(low_pass());
    refused("1e30 squared", model, frames(3, 0.5, (1, 2, 3), 1e30), "layer 0, NLSquare", (1, 2, 3));
    let model = || Model::new().then(low_pass()).then(NLRectifySquare::new(1e15, 0.0).expect("finite")).then(Diff);
    refused("a scale of 1e15", model, frames(3, 0.5, (2, 0, 4), 1e6), "layer 1, NLRectifySquare", (2, 0, 4));
}

/// The rectifier behind it makes 0 of minus infinity, and a layer that drops columns does not see it at all.
#[test]
fn what_a_later_layer_hides() {
    let minus = || Model::new().then(Branches::new().plus(low_pass()).minus(square())).then(NLRectify);
    refused("rectified", minus, frames(2, 0.5, (0, 1, 1), -1e25), "layer 0, Branches", (0, 1, 1));
    let corner = || {
        let conv = Conv2d::new(1, 1, [1, 1]).expect("a kernel").with_stride([1, 2, 2]);
        Model::new().then(square()).then(conv)
    };
    refused("between the strides", corner, frames(2, 0.5, (0, 1, 1), 1e25), "layer 0, NLSquare", (0, 1, 1));
    let late = || Model::new().then(square()).then(Delay::new(50));
    refused("behind a delay", late, frames(2, 0.5, (1, 3, 4), 1e25), "layer 0, NLSquare", (1, 3, 4));
}

/// `x - y` of two numbers that are finite.
#[test]
fn differences() {
    let there_and_back = |most: f32| {
        let mut frames = frames(2, 0.0, (0, 3, 1), most);
        frames[(1, 3, 1)] = -most;
        frames
    };
    let fast = || Model::of(LowPass::new(1e-4, RESOLUTION).expect("a time constant"));
    refused("LowPass", fast, there_and_back(3.3e38), "layer 0, LowPass", (1, 3, 1));
    let high = || Model::of(HighPass::new(0.01, 1.0, RESOLUTION).expect("a time constant"));
    refused("HighPass", high, there_and_back(3.3e38), "layer 0, HighPass", (1, 3, 1));
    refused("Diff", || Model::of(Diff), there_and_back(3.3e38), "layer 0, Diff", (1, 3, 1));
    let sum = || Model::of(Sum::new(foveola::Axis::Col));
    refused("Sum", sum, Array3::from_elem((1, 4, 5), 3e38), "layer 0, Sum", (0, 0, 0));
    let branches = || Model::of(Branches::new().weighted(1e30, low_pass()).minus(Diff));
    refused("weights of branches", branches, frames(1, 0.0, (0, 0, 2), 1e15), "layer 0, Branches", (0, 0, 2));
}

/// What the frequency domain cannot hold is an error that says so; the direct algorithm can.
#[test]
fn the_frequency_domain() {
    let weight = Array3::from_shape_vec((1, 9, 9), noise(1, 81)).expect("81 weights").mapv(|w| w as f32 / 81.0);
    let model = |way| {
        let mut conv = Conv3d::new(1, 1, [1, 9, 9]).expect("a kernel").with_algorithm(way);
        conv.set_weight(weight.clone()).expect("a weight");
        Model::of(conv)
    };
    let frame = Array3::from_shape_vec((1, 128, 128), noise(2, 128 * 128)).expect("a frame");
    let frame = |scale: f32| frame.mapv(|x| x as f32 * scale);
    for scale in [1e30, 2e35, 1e37] {
        let direct = model(Algorithm::Direct).run(frame(scale), 1).expect("within range");
        let largest = direct.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
        match model(Algorithm::Fft).run(frame(scale), 1) {
            Ok(out) => {
                let worst = (&out - &direct).iter().fold(0.0, |most: f32, x| most.max(x.abs()));
                assert!(worst < 1e-4 * largest, "{scale:e}: {worst:e} of {largest:e}");
            }
            Err(error @ Error::Overflow { .. }) => {
                assert!(scale > 1e33, "{scale:e}");
                assert!(error.to_string().contains("Algorithm::Direct"), "{error}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Parameters are checked as what is used: `f32`.
#[test]
fn parameters_beyond_the_range() {
    let message = |result: foveola::Result<()>| result.expect_err("beyond the range").to_string();
    let of = |model: &Model| model.signature(Shape::new(1, 2, 2)).map(|_| ());
    for beyond in [1e300, -3.5e38, f64::INFINITY, f64::NAN] {
        let value = format!("{beyond:e}");
        let all = [
            ("k", message(HighPass::new(0.01, beyond, RESOLUTION).map(|_| ()))),
            ("scale", message(NLSquare::new(beyond, 0.0).map(|_| ()))),
            ("bias", message(NLRectifyScale::new(1.0, beyond).map(|_| ()))),
            ("scale", message(NLRectifySquare::new(beyond, 1.0).map(|_| ()))),
            ("branch weight", message(of(&Model::of(Branches::new().weighted(beyond, Diff))))),
            ("branch weight", message(of(&Model::of(Branches::new().plus(Diff).weighted(beyond, Diff))))),
        ];
        for (name, message) in all {
            assert!(message.contains(name) && message.contains(&value), "{name}: '{message}' does not say {value}");
        }
    }
    assert!(HighPass::new(0.01, 3.4e38, RESOLUTION).is_ok(), "within the range");
}

#[test]
fn let_through() {
    let model = || Model::new().then(square()).then(low_pass());
    let bad = frames(3, 0.5, (1, 2, 3), 1e30);
    let out = model().allow_non_finite().run(&bad, 1).expect("let through");
    assert!(out[(0, 0, 1, 2, 3)] == f32::INFINITY && out[(0, 0, 2, 2, 3)].is_nan(), "it stays: {out}");
    assert!(out[(0, 0, 2, 0, 0)].is_finite(), "elsewhere");
}

/// A stream that once saw large numbers is still right with small ones, and a saved state knows what it has seen.
#[test]
fn bounds_belong_to_the_stream() {
    let model = || Model::new().then(LowPass::new(1.0, RESOLUTION).expect("a time constant")).then(square());
    let mut model = model();
    let small = Array3::from_elem((2, 4, 5), 1.0);
    model.process(&small).expect("small");
    model.push_state();
    // After one frame the low-pass has 1e-3 of it, whose square is still a number; after some, no more.
    let large = Array3::from_elem((1, 4, 5), 1e21);
    model.process(&large).expect("1e18 squared");
    model.push_state();
    let frames = (1..).find(|_| model.process(&large).is_err());
    assert!(frames.is_some_and(|frames| frames > 1 && frames < 30), "{frames:?}");
    model.pop_state().expect("saved");
    assert!(model.process(Array3::from_elem((30, 4, 5), 1e21)).is_err(), "with the state of large numbers");
    model.pop_state().expect("saved");
    model.process(&small).expect("with the state of small ones");
}

/// A model of any layers, fed numbers of any magnitude: all results are finite, or an error says where not, and nothing of
/// the chunk is left.
fn finite_or_refused((spec, (shape, recording)): (Spec, (Shape, Recording)), decades: i32) -> Verdict {
    let scale = 10.0_f32.powi(decades);
    let movie = recording.movie(shape).mapv(|x| (x * scale).clamp(f32::MIN, f32::MAX));
    for precision in [Precision::Fast, Precision::Reproducible] {
        let model = || Ok::<_, String>(Model::of(spec.layer().map_err(text)?).with_precision(precision));
        let (mut model, mut quiet) = (model()?, model()?);
        let mut from = 0;
        for frames in &recording.cuts {
            let chunk = movie.slice(s![.., .., from..from + frames, .., ..]);
            from += frames;
            let t = model.time();
            match model.process(chunk).map(|view| view.to_owned()) {
                Ok(out) => {
                    if let Some(x) = out.iter().find(|x| !x.is_finite()) {
                        return Err(format!("{x} came out of {scale:e}"));
                    }
                    let expected = quiet.process(chunk).map_err(text)?;
                    if bits(&out.view()) != bits(&expected) {
                        return Err("another result than without the refused chunks".into());
                    }
                }
                Err(Error::Overflow { .. }) if model.time() == t => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }
    Ok(())
}

#[test]
fn any_model_and_any_magnitude() {
    let trials = (trial(random::model), -30..39);
    let trials = trials.prop_map(|((spec, shape, recording), decades)| ((spec, (shape, recording)), decades));
    check(192, trials, |(trial, decades)| finite_or_refused(trial, decades));
}

/// Notes the largest magnitude that every node yields.
struct Largest(Mutex<Vec<f64>>);

impl Runner<f32> for Largest {
    type Splitter = foveola_core::engine::SingleThread;

    fn splitter(&self) -> foveola_core::engine::SingleThread {
        foveola_core::engine::SingleThread
    }

    fn advance(&self, stage: &Stage<'_>, chunk: NodeChunk<'_, f32>) -> Result<usize, CoreError> {
        stage.as_filter().advance(chunk.t, chunk.state, chunk.scratch, chunk.input, chunk.output)
    }

    fn written(&self, node: usize, _: u64, frames: &[f32]) -> Result<(), CoreError> {
        let mut most = self.0.lock().expect("no panic");
        most[node] = frames.iter().fold(most[node], |most, x| most.max(f64::from(x.abs())));
        Ok(())
    }
}

/// No filter yields more than its bound says, for inputs that reach it.
fn bounded((spec, shape, recording): (Spec, Shape, Recording)) -> Verdict {
    // As large as they may be, of either sign.
    let movie = recording.movie(shape).mapv(f32::signum);
    let layer = spec.layer().map_err(text)?;
    let mut table = Table::new(shape);
    layer.compile(&mut table, Source::Input).map_err(text)?;
    let graph = Graph::new(shape, table.nodes()).map_err(text)?;
    let (batch, frames) = (recording.batch, recording.cuts.iter().sum::<usize>());
    let signature = graph.signature();
    let input: Vec<f32> = movie.permuted_axes([0, 2, 1, 3, 4]).iter().copied().collect();
    let mut state = vec![0.0; signature.state * batch];
    let mut scratch = vec![0.0; graph.scratch_len(frames, batch)];
    let mut output = vec![0.0; batch * signature.frames_out(0, frames) * signature.output.len()];
    let largest = Largest(Mutex::new(vec![0.0; graph.nodes().len()]));
    graph.run_batch_with(&largest, 0, batch, &mut state, &mut scratch, &input, &mut output).map_err(text)?;
    let largest = largest.0.into_inner().map_err(text)?;
    let mut bounds: Vec<f64> = Vec::new();
    for (node, found) in graph.nodes().iter().zip(&largest) {
        let of = |source: Source| match source {
            Source::Input => 1.0,
            Source::Node(node) => bounds[node],
        };
        let bound = node.bound(of).ok_or("no bound")?.output;
        // An addition rounds once.
        if *found > bound * (1.0 + 1e-6) {
            return Err(format!("{found} is above the bound {bound}"));
        }
        bounds.push(bound);
    }
    Ok(())
}

macro_rules! bounds {
    ($($name:ident)*) => { mod bounds { use super::*; $(
        #[test]
        fn $name() {
            check(96, trial(random::$name), bounded);
        }
    )* } };
}
bounds! {
    time_padding delay variable_delay conv3d conv2d conv1d rf low_pass high_pass smooth_conv pointwise sum diff branches model
}

/// Bounds are no larger than they need be: a kernel that meets its own sign reaches them.
#[test]
fn bounds_are_tight() {
    let weights = [0.5_f32, -1.5, 2.0];
    let kernel = foveola_core::Kernel { weights: &weights, shape: [1, 1, 1, 1, 3], bias: &[-0.25] };
    let shape = Shape::new(1, 1, 3);
    let conv = foveola_core::Conv3d::new(shape, kernel, foveola_core::ConvOptions::DEFAULT).expect("a kernel");
    let bound = Stage::Conv3d(conv).bound(10.0).expect("a bound");
    assert!((bound.output - 40.25).abs() < 1e-3 && bound.inside >= bound.output, "{bound:?}");
    let mut layer = SmoothConv::gaussian(3, 0.01, 0.1, RESOLUTION).expect("a gaussian");
    layer.set_weight(Array3::<f32>::ones((3, 1, 1))).expect("a weight");
    let mut table = Table::new(shape);
    foveola::Layer::compile(&layer, &mut table, Source::Input).expect("a layer");
    let foveola_core::Node::Filter(_, stage) = &table.nodes()[0] else { panic!("a filter") };
    assert!((stage.bound(1.0).expect("a bound").output - 3.0).abs() < 1e-3, "three stages of gain 1");
    let uniform = RF::new(1, 1, 4).expect("a field");
    let mut table = Table::new(shape);
    foveola::Layer::compile(&uniform, &mut table, Source::Input).expect("a layer");
    let foveola_core::Node::Filter(_, stage) = &table.nodes()[0] else { panic!("a filter") };
    assert!((stage.bound(2.0).expect("a bound").output - 2.0).abs() < 1e-3, "a mean");
}
