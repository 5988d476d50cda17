//! No query and no refused call has a lasting effect: a stream that is asked about, fed what it refuses, or fed nothing at
//! all goes on to the bit as one that was left in peace.

use foveola::{
    Algorithm, Border, Branches, Conv2d, Conv3d, Delay, Diff, Error, Layer, LowPass, Model, NLRectify, NLSquare,
    PadMode, RF, Resolution, Result, SmoothConv, Table, Weight,
};
use foveola_core::{Error as CoreError, Filter, Shape, Signature, Source, Stage};
use foveola_tests::random::{self, Recording, check, trial};
use foveola_tests::spec::Spec;
use foveola_tests::stream::{Engine, bits};
use ndarray::{Array3, Array5, s};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

type Verdict = std::result::Result<(), String>;

fn text(error: impl ToString) -> String {
    error.to_string()
}

/// A layer that passes frames on, and refuses them or panics when it is told to.
#[derive(Clone, Debug)]
struct Gate {
    shape: Shape,
    refuse: Arc<AtomicBool>,
    panic: Arc<AtomicBool>,
}

impl Gate {
    fn new(shape: Shape) -> Self {
        Self { shape, refuse: Arc::default(), panic: Arc::default() }
    }
}

impl Filter for Gate {
    fn signature(&self) -> Signature {
        Signature::same(self.shape, 0)
    }

    fn advance(
        &self,
        t: u64,
        _: &mut [f32],
        _: &mut [f32],
        input: &[f32],
        output: &mut [f32],
    ) -> std::result::Result<usize, CoreError> {
        assert!(!self.panic.load(Ordering::Relaxed), "a filter that panics");
        if self.refuse.load(Ordering::Relaxed) {
            return Err(CoreError::NonFinite { frame: t, index: 0 });
        }
        output[..input.len()].copy_from_slice(input);
        Ok(input.len() / self.shape.len())
    }
}

impl Layer for Gate {
    fn name(&self) -> &'static str {
        "Gate"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> Result<Source> {
        Ok(table.push(from, Stage::custom(self)))
    }
}

/// Everything that must not matter, in front of the next chunk of frames of `shape`.
fn disturb(model: &mut Model, shape: Shape, batch: usize, refuse: &AtomicBool) -> Verdict {
    let Shape { channels, rows, cols } = shape;
    let frames = |batch, rows, cols, frames| Array5::<f32>::zeros((batch, channels, frames, rows, cols));
    // Queries, of other sizes too.
    for (rows, cols) in [(8, 8), (rows, cols), (rows + 1, cols + 3), (1, 1)] {
        let _ = model.signature(Shape::new(channels, rows, cols));
    }
    // Nothing at all, which is taken; before the first frame in other sizes too.
    let nothing = model.process(frames(batch, rows, cols, 0)).map_err(text)?;
    if !nothing.is_empty() {
        return Err("no frames gave some".into());
    }
    if model.time() == 0 {
        let _ = model.process(frames(batch + 1, rows + 2, cols + 1, 0)); // which a layer of one size refuses
    }
    // A sample that is not a number, in frames of another size where the stream has none yet.
    let mut bad = if model.time() == 0 { frames(batch, rows + 1, cols + 2, 3) } else { frames(batch, rows, cols, 3) };
    bad[(batch - 1, channels - 1, 2, 0, 0)] = f32::NAN;
    let (refused, whole) = (model.process(&bad).is_err(), model.run(&bad, 2).is_err());
    // Frames that the last layer refuses when all others have seen them.
    refuse.store(true, Ordering::Relaxed);
    let chunk = frames(batch, rows, cols, 4);
    let (half_way, in_chunks) = (model.process(&chunk).is_err(), model.run(&chunk, 2).is_err());
    refuse.store(false, Ordering::Relaxed);
    // A layer behind a warm-up, or with a stride, may yield nothing that could be refused.
    if !(refused && whole) {
        return Err("NaN was taken".into());
    }
    if half_way != in_chunks && half_way {
        return Err("refused at once, but taken in chunks".into());
    }
    if !half_way || !in_chunks {
        return Err("taken".into()); // the frames are part of the stream now
    }
    Ok(())
}

fn undisturbed((spec, shape, recording): (Spec, Shape, Recording)) -> Verdict {
    let movie = recording.movie(shape);
    let behind = Model::of(spec.layer().map_err(text)?).signature(shape).map_err(text)?;
    if behind.rate != foveola_core::Rate::EACH || behind.lead > 0 {
        return Ok(()); // what comes out does not tell whether frames were seen
    }
    let gate = Gate::new(behind.output);
    let model = || Ok::<_, String>(Model::new().then(Model::of(spec.layer().map_err(text)?)).then(gate.clone()));
    let (mut quiet, mut disturbed) = (model()?, model()?);
    let mut from = 0;
    for frames in &recording.cuts {
        disturb(&mut disturbed, shape, recording.batch, &gate.refuse)?;
        let chunk = movie.slice(s![.., .., from..from + frames, .., ..]);
        let (found, expected) = (disturbed.feed(chunk)?, quiet.feed(chunk)?);
        if bits(&found.view()) != bits(&expected.view()) {
            return Err(format!("the {frames} frames from {from} on gave something else"));
        }
        if disturbed.time() != quiet.time() {
            return Err(format!("time is {}; expected {}", disturbed.time(), quiet.time()));
        }
        from += frames;
    }
    Ok(())
}

macro_rules! layers {
    ($($name:ident)*) => { $(
        #[test]
        fn $name() {
            check(48, trial(random::$name), undisturbed);
        }
    )* };
}
layers! {
    delay variable_delay conv3d conv2d conv1d rf low_pass high_pass smooth_conv pointwise sum diff branches model
}

/// An empty receptive field takes the size of the first frames that are fed, not of those that are asked about or refused.
#[test]
fn an_empty_receptive_field() {
    let ramp = |rows: usize, cols: usize| Array3::from_shape_fn((3, rows, cols), |(t, r, c)| (t + r * cols + c) as f32);
    let field = || RF::new(1, 1, 2).expect("two frames");
    let expected = Model::of(field()).run(ramp(4, 6), 3).expect("a good recording");

    let gate = Gate::new(Shape::new(1, 1, 1));
    let mut model = Model::new().then(field()).then(gate.clone());
    model.signature(Shape::new(1, 8, 8)).expect("a size");
    let mut bad = ramp(8, 8);
    bad[(2, 0, 0)] = f32::INFINITY;
    assert!(model.process(&bad).is_err(), "an infinity");
    gate.refuse.store(true, Ordering::Relaxed);
    assert!(model.process(ramp(8, 8)).is_err(), "a layer that refuses");
    assert!(model.run(ramp(8, 8), 1).is_err(), "a layer that refuses");
    gate.refuse.store(false, Ordering::Relaxed);
    assert_eq!(model.process(Array3::<f32>::zeros((0, 8, 8))).expect("nothing").len(), 0);
    assert_eq!(model.run(ramp(4, 6), 3).expect("a good recording"), expected);

    // From then on it keeps its size: of larger frames it sees the top left corner.
    model.clear_state();
    let cropped = model.run(ramp(8, 8), 3).expect("a good recording");
    let corner = ramp(8, 8).slice(s![.., ..4, ..6]).to_owned();
    let corner = Model::of(field()).run(&corner, 3).expect("a good recording");
    let difference = (&cropped - &corner).mapv(f32::abs).fold(0.0, |a: f32, b| a.max(*b));
    assert!(difference < 1e-4, "{cropped} and {corner}");
}

/// A recording that is refused in a later chunk leaves an empty receptive field empty.
#[test]
fn a_recording_refused_in_the_middle() {
    let gate = Gate::new(Shape::new(1, 1, 1));
    let mut model =
        Model::new().then(RF::new(1, 1, 1).expect("a frame")).then(NLSquare::new(1e15, 0.0).expect("finite"));
    let mut movie = Array3::<f32>::ones((6, 8, 8));
    movie.slice_mut(s![5, .., ..]).fill(1e10);
    match model.run(&movie, 2) {
        Err(Error::Overflow { frame: 5, .. }) => {}
        other => panic!("{:?}", other.map(|out| out.dim())),
    }
    assert_eq!(model.time(), 0, "time");
    let small = Array3::<f32>::ones((2, 2, 2));
    let expected = Model::of(RF::new(1, 1, 1).expect("a frame"));
    let expected = expected.then(NLSquare::new(1e15, 0.0).expect("finite")).run(&small, 2).expect("a good recording");
    assert_eq!(model.run(&small, 2).expect("a good recording"), expected);
    drop(gate);
}

fn movie() -> Array5<f32> {
    Recording { seed: 3, batch: 1, cuts: vec![12] }.movie(Shape::new(1, 6, 9))
}

fn piece(from: usize, to: usize) -> Array5<f32> {
    movie().slice(s![.., .., from..to, .., ..]).to_owned()
}

/// A layer that changes in the middle of a stream so that its state means something else is an error, though the state be as
/// long; when it changes back, the stream goes on.
#[test]
fn a_layer_that_changes_its_state() {
    type Change<L> = fn(&mut L);
    fn refused<L: Layer + Clone>(what: &str, layer: L, change: Change<L>) {
        let mut model = Model::new().then(Diff).then(layer.clone());
        let mut quiet = Model::new().then(Diff).then(layer.clone());
        assert_eq!(model.process(piece(0, 5)).expect(what), quiet.process(piece(0, 5)).expect(what), "{what}");
        let shape = Shape::new(1, 6, 9);
        let before = model.signature(shape).expect(what).state;
        change(model.layer_mut::<L>(1).expect("the layer"));
        assert_eq!(model.signature(shape).expect(what).state, before, "{what}: the state is as long");
        match model.process(piece(5, 7)) {
            Err(Error::StateChanged { layer }) => assert!(layer.starts_with("layer 1, "), "{what}: {layer}"),
            other => panic!("{what}: {:?}", other.map(|out| out.dim())),
        }
        assert!(matches!(model.run(piece(5, 7), 1), Err(Error::StateChanged { .. })), "{what}");
        *model.layer_mut::<L>(1).expect("the layer") = layer;
        assert_eq!(model.process(piece(5, 12)).expect(what), quiet.process(piece(5, 12)).expect(what), "{what}");
    }
    let conv = |size| Conv3d::new(1, 1, size).expect("a kernel");
    refused("border", conv([3, 3, 3]), |conv| *conv = conv.clone().with_autopad_mode(Border::Zeros));
    refused("stride", conv([3, 3, 3]), |conv| *conv = conv.clone().with_stride([2, 1, 1]));
    // Three frames with two columns of border, and the same number of samples otherwise: 3 (9 + 2) = 33 = 3 x 11.
    refused("dilation for size", conv([3, 1, 3]), |conv| {
        conv.set_weight(Array3::from_elem((3, 3, 3), 0.1)).expect("a weight");
        *conv = conv.clone().with_autopad_mode(Border::Circular);
    });
    refused("delay with a length", Delay::new(3), |delay| *delay = Delay::new(1).with_length(2));
    let smooth = SmoothConv::gaussian(2, 0.01, 0.1, Resolution::DEFAULT).expect("a gaussian");
    refused("border of SmoothConv", smooth, |smooth| *smooth = smooth.clone().with_autopad_mode(Border::Reflect));
    refused("time_pad", conv([3, 3, 3]), |conv| *conv = conv.clone().with_time_pad(false));
}

/// Changes that apply from the next frame on: the same as if the layer had always been so, but for what was yielded before.
#[test]
fn a_layer_that_keeps_its_state() {
    let weight = |seed| random::array(seed, (1, 1, 3, 3, 3)).mapv(|w| w as f32);
    let conv = |seed| {
        let mut conv = Conv3d::new(1, 1, [3, 3, 3]).expect("a kernel");
        conv.set_weight(weight(seed)).expect("a weight");
        conv
    };
    let mut changed = Model::of(conv(1));
    let mut always = Model::of(conv(2));
    changed.process(piece(0, 5)).expect("a good chunk");
    always.process(piece(0, 5)).expect("a good chunk");
    changed.layer_mut::<Conv3d>(0).expect("the layer").set_weight(weight(2)).expect("a weight");
    assert_eq!(changed.process(piece(5, 9)).expect("a good chunk"), always.process(piece(5, 9)).expect("a good chunk"));
    // Another algorithm, and a layer without memory behind.
    let conv = changed.layer_mut::<Conv3d>(0).expect("the layer");
    *conv = conv.clone().with_algorithm(Algorithm::Fft);
    changed.push(NLRectify);
    let expected = always.process(piece(9, 12)).expect("a good chunk").mapv(|x| x.max(0.0));
    let found = changed.process(piece(9, 12)).expect("a good chunk").to_owned();
    let most = (&found - &expected).mapv(f32::abs).fold(0.0, |a: f32, b| a.max(*b));
    assert!(most < 1e-5, "{most}");
    // A layer with memory behind needs a new stream.
    changed.push(LowPass::new(0.01, Resolution::DEFAULT).expect("a time constant"));
    match changed.process(piece(9, 12)) {
        Err(Error::StateChanged { layer }) => assert_eq!(layer, "layer 2, LowPass"),
        other => panic!("{:?}", other.map(|out| out.dim())),
    }
    changed.clear_state();
    changed.process(piece(0, 5)).expect("a new stream");
}

/// `groups` behind a weight would replace it.
#[test]
fn groups_behind_a_weight() {
    let conv = Conv2d::new(2, 2, [1, 1]).expect("a kernel");
    let weight = Weight::from(Array3::<f32>::ones((2, 1, 1)));
    let behind = conv.clone().with_weight(weight).and_then(|conv| conv.with_groups(2));
    let message = behind.expect_err("a weight that was set").to_string();
    assert!(message.contains("groups") && message.contains("before the weight"), "{message}");
    assert!(conv.with_groups(2).is_ok(), "a new layer");
}

/// A panic in a filter, caught by the caller, does not start the stream anew in silence: it says that it is lost, until it
/// is cleared or restored.
#[test]
fn a_panic() {
    for threads in [1, 2] {
        let gate = Gate::new(Shape::new(1, 6, 9));
        let smooth = || LowPass::new(0.01, Resolution::DEFAULT).expect("a time constant");
        let model = |gate: Gate| Model::new().then(smooth()).then(gate).then(Diff).with_threads(threads).eager();
        let mut quiet = model(Gate::new(Shape::new(1, 6, 9)));
        let mut model = model(gate.clone());
        let expected = [0, 4, 8].map(|from| quiet.process(piece(from, from + 4)).expect("a good chunk").to_owned());

        assert_eq!(model.process(piece(0, 4)).expect("a good chunk"), expected[0]);
        model.push_state();
        gate.panic.store(true, Ordering::Relaxed);
        let caught = catch_unwind(AssertUnwindSafe(|| model.process(piece(4, 8)).map(|view| view.len())));
        gate.panic.store(false, Ordering::Relaxed);
        assert!(caught.is_err(), "the panic reaches the caller");
        for _ in 0..2 {
            assert!(matches!(model.process(piece(4, 8)), Err(Error::Poisoned)), "the stream is lost");
            assert!(matches!(model.run(piece(4, 8), 2), Err(Error::Poisoned)), "the stream is lost");
        }
        model.pop_state().expect("a saved state");
        assert_eq!(model.process(piece(4, 8)).expect("a restored stream"), expected[1]);
        model.clear_state();
        let again: Vec<_> =
            [0, 4, 8].map(|from| model.process(piece(from, from + 4)).expect("a new stream").to_owned()).into();
        assert_eq!(again, expected);
    }
}

/// Mirror and all other padding sees the first chunk as it was fed, though a longer one goes through in blocks.
#[test]
fn a_first_chunk_in_blocks() {
    let shape = Shape::new(1, 96, 128);
    let movie = Recording { seed: 5, batch: 2, cuts: vec![70] }.movie(shape);
    for mode in PadMode::NAMES.map(|(_, mode)| mode) {
        let model = || {
            let conv = || {
                Conv3d::new(1, 1, [9, 1, 3]).expect("a kernel").with_pad_mode(mode).with_algorithm(Algorithm::Direct)
            };
            let both = Branches::new().plus(conv()).minus(LowPass::new(0.01, Resolution::DEFAULT).expect("a tau"));
            let field = RF::new(1, 1, 40).expect("a field").with_pad_mode(mode);
            Model::new().then(both).then(conv().with_stride([2, 1, 1])).then(field).then(Diff)
        };
        // Through core, which takes the chunk as a whole.
        let layers = model();
        let mut table = Table::new(shape);
        layers.compile(&mut table, Source::Input).expect("layers that fit");
        let graph = foveola_core::Graph::new(shape, table.nodes()).expect("a graph");
        for batch in [1, 2] {
            let input: Vec<f32> =
                movie.slice(s![..batch, .., .., .., ..]).permuted_axes([0, 2, 1, 3, 4]).iter().copied().collect();
            let mut state = vec![0.0; graph.signature().state * batch];
            let mut scratch = vec![0.0; graph.scratch_len(70, batch)];
            let mut expected = vec![0.0; 35 * batch];
            graph.run_batch(0, batch, &mut state, &mut scratch, &input, &mut expected).expect("lengths that fit");
            let mut model = model().with_precision(foveola::Precision::Reproducible);
            let found = model.process(movie.slice(s![..batch, .., .., .., ..])).expect("a good chunk");
            let found: Vec<f32> = found.iter().copied().collect();
            assert_eq!(found, expected, "{mode:?}, {batch} streams");
        }
    }
}
