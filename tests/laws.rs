//! The two laws that every filter keeps, as property tests over random frames, parameters and cuts, through the host's
//! `Model` and through `core` alone (whose state is full of NaN before the first frame):
//!
//! 1. a recording in pieces of any lengths (0 and 1 frame too) gives the same bits as at once, given the same first
//!    piece;
//! 2. clearing, saving and restoring bring a stream back to the bit, and a refused piece leaves it as it was.
//!
//! And a batch of streams is each stream alone.

use foveola::{
    Algorithm, Border, Conv1d, Conv3d, Error, Layer, LowPass, Model, PadMode, Precision, Resolution, SimdLevel, Table,
    TimePadding,
};
use foveola_core::{Filter, Shape, Signature, Source, Stage};
use foveola_tests::random::{self, Layers, Recording, check, trial};
use foveola_tests::spec::{Axes, ConvSpec, Spec};
use foveola_tests::stream::{Engine, bits, engines, feed_all, lead};
use ndarray::{Array5, Axis, s};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Trials of each law for each layer.
const CASES: u32 = 192;

type Verdict = Result<(), String>;

fn text(error: impl ToString) -> String {
    error.to_string()
}

/// An error when two outputs differ in shape or in any bit.
fn same(what: &str, found: &Array5<f32>, expected: &Array5<f32>) -> Verdict {
    if bits(&found.view()) == bits(&expected.view()) {
        return Ok(());
    }
    if found.shape() != expected.shape() {
        return Err(format!("{what}: shape {:?}; expected {:?}", found.shape(), expected.shape()));
    }
    let (at, found) =
        found.indexed_iter().find(|(at, x)| x.to_bits() != expected[*at].to_bits()).ok_or("no difference")?;
    Err(format!("{what}: {found} at {at:?} (batch, channel, time, row, col); expected {}", expected[at]))
}

/// Law 1.
fn pieces((spec, shape, recording): (Spec, Shape, Recording)) -> Verdict {
    let movie = recording.movie(shape);
    let lead = lead(&spec, &movie)?;
    let primed = spec.any_pad(|mode| matches!(mode, PadMode::Mirror | PadMode::FullCopy | PadMode::Mean));
    let whole = if primed { recording.cut_once().to_vec() } else { vec![recording.cuts.iter().sum()] };
    let model = |precision| Ok::<_, String>(Model::of(spec.layer().map_err(text)?).with_precision(precision));
    let expected = feed_all(&mut model(Precision::Reproducible)?, &movie, &whole, lead)?;
    for (name, mut engine) in engines(&spec)? {
        same(name, &feed_all(engine.as_mut(), &movie, &recording.cuts, lead)?, &expected)?;
    }
    // The fast lanes round otherwise, but no cut shows in them either.
    let fast = feed_all(&mut model(Precision::Fast)?, &movie, &whole, lead)?;
    same("fast", &feed_all(&mut model(Precision::Fast)?, &movie, &recording.cuts, lead)?, &fast)
}

/// Law 2, first half: the state before the first frame comes back, also after a stream of other frames.
fn clear((spec, shape, recording): (Spec, Shape, Recording)) -> Verdict {
    let movie = recording.movie(shape);
    let lead = lead(&spec, &movie)?;
    for (name, mut engine) in engines(&spec)? {
        let first = feed_all(engine.as_mut(), &movie, &recording.cuts, lead)?;
        engine.clear();
        // In between another recording, of two streams.
        let other = Recording { seed: !recording.seed, batch: 2, cuts: vec![2, 1] };
        feed_all(engine.as_mut(), &other.movie(shape), &other.cuts, lead)?;
        engine.clear();
        same(name, &feed_all(engine.as_mut(), &movie, &recording.cuts, lead)?, &first)?;
    }
    Ok(())
}

/// Law 2, second half: states are saved and restored in the order of a stack, and what is refused changes nothing.
fn save((spec, shape, recording): (Spec, Shape, Recording)) -> Verdict {
    let movie = recording.movie(shape);
    let mut model = Model::of(spec.layer().map_err(text)?);
    // Every depth: before the first frame, and after each piece. `stack` holds what must come next.
    let mut stack = Vec::new();
    let mut from = 0;
    for frames in &recording.cuts {
        model.push_state();
        let piece = movie.slice(s![.., .., from..from + frames, .., ..]);
        stack.push((piece, refuse(&mut model, shape, recording.batch).and_then(|()| model.feed(piece))?));
        from += frames;
    }
    model.clear_state(); // which keeps what is saved
    while let Some((piece, expected)) = stack.pop() {
        model.pop_state().map_err(text)?;
        // Saved and restored once more, one deeper.
        model.push_state();
        model.feed(piece)?;
        model.pop_state().map_err(text)?;
        same("restored", &model.feed(piece)?, &expected)?;
    }
    match model.pop_state() {
        Err(Error::NoSavedState) => Ok(()),
        other => Err(format!("nothing is saved, but pop_state returned {other:?}")),
    }
}

/// Frames of any other size are refused with both sizes; before the first frame every size is taken.
fn refuse(model: &mut Model, shape: Shape, batch: usize) -> Verdict {
    if model.time() == 0 {
        return Ok(());
    }
    let Shape { channels, rows, cols } = shape;
    let others =
        [(batch + 1, channels, rows, cols), (batch, channels + 1, rows, cols), (batch, channels, rows, cols + 1)];
    for (b, c, r, w) in others {
        let message = match model.process(Array5::<f32>::zeros((b, c, 1, r, w))) {
            Err(error @ Error::FrameSize { .. }) => error.to_string(),
            other => return Err(format!("a changed frame size gave {:?}", other.map(|view| view.dim()))),
        };
        for size in [format!("{c} x {r} x {w} in a batch of {b}"), format!("{shape} in a batch of {batch}")] {
            if !message.contains(&size) {
                return Err(format!("'{message}' does not name {size}"));
            }
        }
    }
    Ok(())
}

/// A batch of streams gives what each of them gives alone (a mean over the batch apart).
fn batch((spec, shape, recording): (Spec, Shape, Recording)) -> Verdict {
    if spec.any_pad(|mode| mode == PadMode::Mean) {
        return Ok(());
    }
    let movie = recording.movie(shape);
    let lead = lead(&spec, &movie)?;
    for (name, mut engine) in engines(&spec)? {
        let together = feed_all(engine.as_mut(), &movie, &recording.cuts, lead)?;
        for stream in 0..recording.batch {
            engine.clear();
            let alone = movie.slice(s![stream..=stream, .., .., .., ..]).to_owned();
            let alone = feed_all(engine.as_mut(), &alone, &recording.cuts, lead)?;
            same(name, &together.slice(s![stream..=stream, .., .., .., ..]).to_owned(), &alone)?;
        }
    }
    Ok(())
}

fn hold(layers: Layers, law: impl Fn((Spec, Shape, Recording)) -> Verdict) {
    check(CASES, trial(layers), law);
}

macro_rules! laws {
    ($($layer:ident)*) => { $(
        mod $layer {
            use super::{batch, clear, hold, pieces, random, save};

            #[test]
            fn any_pieces_give_the_same_bits() {
                hold(random::$layer, pieces);
            }

            #[test]
            fn clear_state_begins_anew() {
                hold(random::$layer, clear);
            }

            #[test]
            fn push_and_pop_and_refused_frames() {
                hold(random::$layer, save);
            }

            #[test]
            fn a_batch_is_each_stream_alone() {
                hold(random::$layer, batch);
            }
        }
    )* };
}

laws! {
    time_padding delay variable_delay conv3d conv2d conv1d rf low_pass high_pass smooth_conv pointwise sum diff
    branches model behind_a_warm_up
}

/// `PadMode::Mean` is the one thing that streams of a batch share: the mean of all their first pieces, over all axes.
#[test]
fn the_mean_is_over_the_batch() {
    check(CASES, (random::shape(), random::recording()), |(shape, recording)| {
        let movie = recording.movie(shape);
        let first = movie.slice(s![.., .., ..recording.first(), .., ..]);
        // The order of the sum is free: a sum of up to n terms below 1 in f64 is far below the last place of f32.
        let mean = first.iter().map(|x| f64::from(*x)).sum::<f64>() / first.len() as f64;
        for (name, mut engine) in engines(&Spec::TimePadding { length: 2, mode: PadMode::Mean })? {
            let out = engine.feed(first)?;
            for x in out.slice(s![.., .., ..2, .., ..]) {
                if (f64::from(*x) - mean).abs() > f64::from(f32::EPSILON) * mean.abs() + 1e-15 {
                    return Err(format!("{name}: {x}; the mean is {mean}"));
                }
            }
        }
        Ok(())
    });
}

/// A long piece goes through the host in blocks that fit a cache; their borders must not show, and the first piece
/// decides the history as a whole (`FullCopy` starts with its last frames). 64 x 64 pixels and four layers make tens of
/// frames a block.
#[test]
fn a_long_piece_in_blocks() {
    let strided = |stride, frames| {
        Spec::Conv(ConvSpec {
            axes: Axes::Conv3d,
            weight: random::array(3, (1, 1, frames, 1, 1)),
            bias: Vec::new(),
            flip: true,
            border: Some(Border::Zeros),
            pad: Some(PadMode::FullCopy),
            stride: [stride, 1, 1],
            dilation: [1; 3],
            groups: 1,
        })
    };
    let spec = Spec::Cascade(vec![Spec::LowPass { tau: 0.01 }, strided(3, 2), strided(2, 3), Spec::Diff]);
    let movie = Recording { seed: 7, batch: 1, cuts: vec![130] }.movie(Shape::new(1, 64, 64));
    let [(_, mut host), (_, mut core)] = engines(&spec).expect("layers that fit");
    let pieces = |rest: &[usize]| [&[70], rest].concat();
    let long = feed_all(host.as_mut(), &movie, &pieces(&[60]), 0).expect("a recording that fits");
    let single = feed_all(core.as_mut(), &movie, &pieces(&[1; 60]), 0).expect("a recording that fits");
    assert_eq!(long.len_of(Axis(2)), 22, "frames 0, 6, 12, … of 130");
    same("blocks", &long, &single).expect("the same bits");
}

/// `Model::run` and `Model::stream` are `process`, piece by piece.
#[test]
fn run_and_stream_are_process() {
    check(CASES, (trial(random::model), 1..9_usize), |((spec, shape, recording), dt)| {
        let movie = recording.movie(shape);
        let layer = || spec.layer().map(Model::of).map_err(text);
        let frames = movie.len_of(Axis(2));
        let cuts: Vec<(usize, usize)> = (0..frames).step_by(dt).map(|from| (from, (from + dt).min(frames))).collect();
        let piece = |(from, to): &(usize, usize)| movie.slice(s![.., .., *from..*to, .., ..]).to_owned();
        let mut model = layer()?;
        let outs: Vec<Array5<f32>> = cuts.iter().map(|cut| model.feed(piece(cut).view())).collect::<Result<_, _>>()?;
        let views: Vec<_> = outs.iter().map(|out| out.view()).collect();
        let joined = ndarray::concatenate(Axis(2), &views).map_err(text)?;
        same("run", &layer()?.run(&movie, dt).map_err(text)?, &joined)?;
        for (out, expected) in layer()?.stream(cuts.iter().map(piece)).zip(&outs) {
            same("stream", &out.map_err(text)?, expected)?;
        }
        Ok(())
    });
}

/// A model that changed its frame size takes the new one after `clear_state`, whatever its state held before.
#[test]
fn another_frame_size_after_clear_state() {
    let mut model = Model::new()
        .then(LowPass::new(0.02, Resolution::DEFAULT).expect("a time constant"))
        .then(TimePadding::new(3, PadMode::Zeros));
    let ones = |rows| Array5::ones((1, 1, 4, rows, 3));
    let fresh = model.feed(ones(2).view()).expect("the first frames");
    model.clear_state();
    model.feed(ones(5).view()).expect("other frames after clear_state");
    model.clear_state();
    same("again", &model.feed(ones(2).view()).expect("the first frames again"), &fresh).expect("the same bits");
}

/// Behind a layer without temporal padding the history begins with the first frame that arrives, however the recording is
/// cut; frames large enough for the host to work in blocks too.
#[test]
fn behind_a_warm_up_no_cut_shows() {
    for (mode, side) in [(PadMode::Mirror, 3), (PadMode::FullCopy, 3), (PadMode::Mean, 3), (PadMode::Mirror, 256)] {
        let movie = Array5::from_shape_fn((1, 1, 24, side, side), |(_, _, t, r, _)| (t * t + r) as f32);
        let model = || {
            let warm_up = Conv1d::new(1, 1, 3).expect("a length").with_time_pad(false);
            Model::new().then(warm_up).then(Conv1d::new(1, 1, 7).expect("a length").with_pad_mode(mode))
        };
        let whole = feed_all(&mut model(), &movie, &[24], 0).expect("a recording");
        for cuts in [vec![1; 24], vec![1, 23], vec![1, 3, 20], vec![2, 1, 21], vec![4, 20]] {
            same("pieces", &feed_all(&mut model(), &movie, &cuts, 0).expect("pieces"), &whole).expect("the same bits");
        }
    }
}

/// The state is the same at every precision: a stream goes on at another one as if nothing had happened, but for rounding.
#[test]
fn a_stream_goes_on_at_another_precision() {
    let movie = Array5::from_shape_fn((1, 1, 20, 9, 21), |(_, _, t, r, c)| ((t * 7 + r * 3 + c) % 11) as f32 - 5.0);
    let model = || Model::of(Conv3d::new(1, 1, [5, 3, 3]).expect("a size"));
    let whole = feed_all(&mut model(), &movie, &[20], 0).expect("a recording");
    let mut changing = model();
    let mut from = 0;
    for (frames, precision) in [(7, Precision::Fast), (6, Precision::Reproducible), (7, Precision::Fast)] {
        changing = changing.with_precision(precision);
        let piece = movie.slice(s![.., .., from..from + frames, .., ..]);
        let found = changing.feed(piece).expect("a piece");
        let expected = whole.slice(s![.., .., from..from + frames, .., ..]);
        // The history of the first piece is that of 7 frames in both: the kernel reaches back 4.
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() <= 45.0 * f32::EPSILON * 5.0, "{a} and {b} with {precision:?}");
        }
        from += frames;
    }
}

/// A model of `spec`, whose convolutions go by `way`; none where they cannot.
fn model_by(spec: &Spec, way: Algorithm, precision: Precision, shape: Shape) -> Result<Option<Model>, String> {
    let model = Model::of(spec.layer_by(way).map_err(text)?).with_precision(precision);
    match model.signature(shape) {
        Err(Error::Parameter { name: "algorithm", .. }) => Ok(None),
        Err(other) => Err(text(other)),
        Ok(_) => Ok(Some(model)),
    }
}

fn precisions() -> Vec<Precision> {
    let levels = SimdLevel::available().into_iter().map(Precision::AtMost);
    levels.chain([Precision::Fast, Precision::Reproducible]).collect()
}

/// Law 1 for a way, at every precision: pieces up to 40 frames long, which filters take in blocks of their own.
fn pieces_by(way: Algorithm, (spec, shape, recording): (Spec, Shape, Recording)) -> Verdict {
    let movie = recording.movie(shape);
    for precision in precisions() {
        let Some(mut whole) = model_by(&spec, way, precision, shape)? else { continue };
        let expected = feed_all(&mut whole, &movie, &recording.cut_once(), 0)?;
        let single = std::iter::once(recording.first()).chain(std::iter::repeat_n(1, recording.cut_once()[1]));
        for cuts in [recording.cuts.clone(), single.collect()] {
            let Some(mut model) = model_by(&spec, way, precision, shape)? else { continue };
            let found = feed_all(&mut model, &movie, &cuts, 0)?;
            same(&format!("{way:?}, {precision:?}, {cuts:?}"), &found, &expected)?;
        }
    }
    Ok(())
}

/// Law 2 for a way. Before every piece the stream is disturbed as far as it can be, and brought back: other frames between
/// `push_state` and `pop_state`, twice; a piece with a NaN, one of another size. At the end it is cleared, goes through
/// another batch, and begins again.
fn saved_by(way: Algorithm, (spec, shape, recording): (Spec, Shape, Recording)) -> Verdict {
    let movie = recording.movie(shape);
    let other = Recording { seed: !recording.seed, batch: recording.batch, cuts: vec![3, 1, 18] };
    let mut with_nan = movie.clone();
    with_nan.slice_mut(s![.., .., -1.., .., ..]).fill(f32::NAN);
    for precision in [Precision::Fast, Precision::AtMost(SimdLevel::Baseline)] {
        let Some(mut quiet) = model_by(&spec, way, precision, shape)? else { continue };
        let Some(mut model) = model_by(&spec, way, precision, shape)? else { continue };
        let disturb = |model: &mut Model| -> Verdict {
            for frames in &other.cuts {
                model.push_state();
                model.push_state();
                feed_all(model, &other.movie(shape), &other.cuts, 0)?;
                model.pop_state().map_err(text)?;
                let piece = other.movie(shape);
                model.feed(piece.slice(s![.., .., ..*frames, .., ..]))?;
                model.pop_state().map_err(text)?;
            }
            // Another stream that is as old.
            let age = model.time() as usize;
            if age > 0 {
                model.push_state();
                model.clear_state();
                let other = Recording { cuts: vec![age], ..other.clone() };
                feed_all(model, &other.movie(shape), &other.cuts, 0)?;
                model.pop_state().map_err(text)?;
            }
            match model.process(&with_nan) {
                Err(Error::NonFinite { .. }) => refuse(model, shape, recording.batch),
                other => Err(format!("a piece with a NaN gave {:?}", other.map(|view| view.dim()))),
            }
        };
        for _ in 0..2 {
            let mut from = 0;
            for frames in &recording.cuts {
                disturb(&mut model)?;
                let piece = movie.slice(s![.., .., from..from + frames, .., ..]);
                same(&format!("{way:?}, {precision:?}, frame {from}"), &model.feed(piece)?, &quiet.feed(piece)?)?;
                from += frames;
            }
            model.clear_state();
            quiet.clear_state();
            let batch = Recording { batch: recording.batch + 1, ..other.clone() };
            feed_all(&mut model, &batch.movie(shape), &batch.cuts, 0)?;
            model.clear_state();
        }
    }
    Ok(())
}

/// A batch is each stream alone, for a way.
fn batch_by(way: Algorithm, (spec, shape, recording): (Spec, Shape, Recording)) -> Verdict {
    if spec.any_pad(|mode| mode == PadMode::Mean) {
        return Ok(());
    }
    let movie = recording.movie(shape);
    let Some(mut model) = model_by(&spec, way, Precision::Fast, shape)? else { return Ok(()) };
    let together = feed_all(&mut model, &movie, &recording.cuts, 0)?;
    for stream in 0..recording.batch {
        model.clear_state();
        let alone = movie.slice(s![stream..=stream, .., .., .., ..]).to_owned();
        let alone = feed_all(&mut model, &alone, &recording.cuts, 0)?;
        same("alone", &together.slice(s![stream..=stream, .., .., .., ..]).to_owned(), &alone)?;
    }
    Ok(())
}

/// Trials of each law for each way.
const CASES_BY: u32 = 48;

macro_rules! laws_by {
    ($($way:ident: $($layer:ident)*;)*) => { $($(
        mod $layer {
            use super::{Algorithm, CASES_BY, batch_by, check, pieces_by, random, saved_by};

            #[test]
            fn any_pieces_give_the_same_bits() {
                check(CASES_BY, random::long_trial(random::$layer), |trial| pieces_by(Algorithm::$way, trial));
            }

            #[test]
            fn saved_cleared_and_refused() {
                check(CASES_BY, random::trial(random::$layer), |trial| saved_by(Algorithm::$way, trial));
            }

            #[test]
            fn a_batch_is_each_stream_alone() {
                check(CASES_BY, random::long_trial(random::$layer), |trial| batch_by(Algorithm::$way, trial));
            }
        }
    )*)* };
}

laws_by! {
    Fft: spectral spectral_model;
    Separable: separable separable_model separable_smooth_conv;
}

/// A way, a precision, threads and a weight: what may change between two pieces.
#[derive(Clone, Copy, Debug)]
struct Turn {
    way: Algorithm,
    precision: Precision,
    threads: usize,
    weight: usize,
    /// Whether the layer is replaced by a clone, which has forgotten its spectra.
    clone: bool,
}

fn turn() -> impl Strategy<Value = Turn> {
    let way = prop_oneof![
        2 => Just(Algorithm::Fft),
        1 => Just(Algorithm::Direct),
        1 => Just(Algorithm::Separable),
        1 => Just(Algorithm::Auto),
    ];
    let precision = prop_oneof![3 => Just(Precision::Fast), 2 => prop::sample::select(precisions())];
    (way, precision, 1..4_usize, prop_oneof![2 => Just(0_usize), 1 => Just(1_usize)], any::<bool>())
        .prop_map(|(way, precision, threads, weight, clone)| Turn { way, precision, threads, weight, clone })
}

/// All ways keep one state, the past frames: so each piece has the same bits as in a stream that went the same way from
/// the beginning, whatever the others went, and with whichever weight.
#[test]
fn a_stream_changes_its_way() {
    let layers = random::shape().prop_flat_map(|shape| (random::low_rank(shape), Just(shape)));
    let trial = (layers, random::long_recording(), vec(turn(), 1..9), any::<u64>());
    check(CASES, trial, |((low_rank, shape), recording, turns, seed)| {
        let (conv, movie) = (low_rank.conv, recording.movie(shape));
        // The other weight's kernels are sums of as many terms: these, backwards and halved.
        let other = ConvSpec { weight: foveola_tests::spec::reversed(&conv.weight) * 0.5, ..conv.clone() };
        let specs = [conv, other];
        let layer = |turn: &Turn| specs[turn.weight].conv3d(turn.way).map_err(text);
        let fresh = |turn: &Turn| -> Result<Model, String> {
            Ok(Model::of(layer(turn)?).with_precision(turn.precision).with_threads(turn.threads).eager())
        };
        // A kernel too small for its terms cannot go that way.
        let turns: Vec<Turn> =
            turns.into_iter().filter(|turn| fresh(turn).is_ok_and(|model| model.signature(shape).is_ok())).collect();
        let Some(mut turn) = turns.first() else { return Ok(()) };
        let mut changing = fresh(turn)?;
        let mut from = 0;
        for (i, frames) in recording.cuts.iter().enumerate() {
            turn = &turns[(i + seed as usize % 3) % turns.len()];
            changing = changing.with_precision(turn.precision).with_threads(turn.threads).eager();
            let wished = layer(turn)?;
            let place = changing.layer_mut::<Conv3d>(0).ok_or("no such layer")?;
            if turn.clone {
                *place = wished;
            } else {
                // What the layer knows about its weight stays, if it can.
                let mut old = std::mem::replace(place, wished.clone()).with_algorithm(turn.way);
                if old.weight() != wished.weight() {
                    old.set_weight(wished.weight()).map_err(text)?;
                }
                *place = old;
            }
            let found = changing.feed(movie.slice(s![.., .., from..from + frames, .., ..]))?;
            // The same from the beginning, cut behind the first piece.
            let mut straight = fresh(turn)?;
            let first = recording.first().min(from);
            for (from, to) in [(0, first), (first, from)] {
                straight.feed(movie.slice(s![.., .., from..to, .., ..]))?;
            }
            let expected = straight.feed(movie.slice(s![.., .., from..from + frames, .., ..]))?;
            same(&format!("piece {i}, {turn:?}"), &found, &expected)?;
            from += frames;
        }
        Ok(())
    });
}

/// A filter that refuses what it is fed while it is told to, and any large sample.
#[derive(Clone, Debug)]
struct Refuses(Shape, Arc<AtomicBool>);

impl Filter for Refuses {
    fn signature(&self) -> Signature {
        Signature::same(self.0, 0)
    }

    fn advance(
        &self,
        _: u64,
        _: &mut [f32],
        _: &mut [f32],
        input: &[f32],
        output: &mut [f32],
    ) -> Result<usize, foveola_core::Error> {
        output.copy_from_slice(input);
        let large = input.iter().position(|x| x.abs() > 1e5);
        match large.or(self.1.load(Ordering::Relaxed).then_some(0)) {
            Some(index) => Err(foveola_core::Error::NonFinite { frame: 0, index }),
            None => Ok(input.len() / self.0.len()),
        }
    }
}

impl Layer for Refuses {
    fn name(&self) -> &'static str {
        "Refuses"
    }

    fn compile<'a>(&'a self, table: &mut Table<'a>, from: Source) -> foveola::Result<Source> {
        Ok(table.push(from, Stage::custom(self)))
    }
}

/// A piece that is refused by the layer behind a convolution, which has seen it already, leaves no trace.
#[test]
fn a_piece_refused_behind_every_way() {
    let layers = random::shape().prop_flat_map(|shape| (random::low_rank(shape), Just(shape)));
    check(CASES, (layers, random::long_recording()), |((low_rank, shape), recording)| {
        let movie = recording.movie(shape);
        let other = Recording { seed: !recording.seed, ..recording.clone() }.movie(shape);
        // Without padding nothing reaches the second layer at first, so that it cannot refuse.
        let conv = ConvSpec { stride: [1; 3], pad: Some(PadMode::FullCopy), ..low_rank.conv };
        for way in [Algorithm::Direct, Algorithm::Separable, Algorithm::Fft] {
            let layer = || conv.conv3d(way).map_err(text);
            let Ok(output) = Model::of(layer()?).signature(shape).map(|signature| signature.output) else { continue };
            let told = Arc::new(AtomicBool::new(false));
            let mut disturbed = Model::of(layer()?).then(Refuses(output, Arc::clone(&told)));
            let mut quiet = Model::of(layer()?);
            let mut from = 0;
            for frames in recording.cuts.iter().copied().filter(|frames| *frames > 0) {
                let range = s![.., .., from..from + frames, .., ..];
                told.store(true, Ordering::Relaxed);
                match disturbed.process(other.slice(range)) {
                    Err(Error::Layer { .. }) => (),
                    other => return Err(format!("{way:?}: {:?}", other.map(|view| view.dim()))),
                }
                told.store(false, Ordering::Relaxed);
                let expected = quiet.feed(movie.slice(range))?;
                same(&format!("{way:?}"), &disturbed.feed(movie.slice(range))?, &expected)?;
                from += frames;
            }
        }
        Ok(())
    });
}

/// The same when the piece is so long that the host works in blocks, and only the last of them is refused.
#[test]
fn a_long_piece_refused_behind_every_way() {
    let shape = Shape::new(1, 64, 64);
    let product =
        |(_, _, t, r, c): (usize, usize, usize, usize, usize)| [0.5, 0.25][t] * [0.5, 0.25, 0.125][r] * [0.5, 0.75][c];
    let conv = ConvSpec {
        axes: Axes::Conv3d,
        weight: Array5::from_shape_fn((1, 1, 2, 3, 2), product),
        bias: Vec::new(),
        flip: true,
        border: Some(Border::Replicate),
        pad: Some(PadMode::Mirror),
        stride: [1; 3],
        dilation: [1; 3],
        groups: 1,
    };
    let movie = Recording { seed: 5, batch: 1, cuts: vec![160] }.movie(shape);
    let mut bad = movie.clone();
    bad[(0, 0, 155, 30, 30)] = 1e9;
    for way in [Algorithm::Direct, Algorithm::Separable, Algorithm::Fft] {
        let layer = || conv.conv3d(way).expect("a kernel");
        let mut disturbed = Model::of(layer()).then(Refuses(shape, Arc::default()));
        let mut quiet = Model::of(layer());
        for (from, to) in [(0, 3), (3, 5), (5, 160)] {
            if to > 155 {
                let refused = disturbed.process(bad.slice(s![.., .., from..to, .., ..])).map(|view| view.dim());
                assert!(matches!(refused, Err(Error::Layer { .. })), "{way:?}: {refused:?}");
            }
            let piece = movie.slice(s![.., .., from..to, .., ..]);
            let expected = quiet.feed(piece).expect("a piece");
            same(&format!("{way:?}"), &disturbed.feed(piece).expect("a piece"), &expected).expect("the same bits");
        }
    }
}
