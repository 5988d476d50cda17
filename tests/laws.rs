//! The two laws that every filter keeps, as property tests over random frames, parameters and cuts, through the host's
//! `Model` and through `core` alone (whose state is full of NaN before the first frame):
//!
//! 1. a recording in pieces of any lengths (0 and 1 frame too) gives the same bits as at once, given the same first
//!    piece;
//! 2. clearing, saving and restoring bring a stream back to the bit, and a refused piece leaves it as it was.
//!
//! And a batch of streams is each stream alone.

use foveola::{Border, Conv1d, Conv3d, Error, LowPass, Model, PadMode, Precision, Resolution, TimePadding};
use foveola_core::Shape;
use foveola_tests::random::{self, Layers, Recording, check, trial};
use foveola_tests::spec::{Axes, ConvSpec, Spec};
use foveola_tests::stream::{Engine, bits, engines, feed_all, lead};
use ndarray::{Array5, Axis, s};

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
    let model = |precision| Ok::<_, String>(Model::of_boxed(spec.layer().map_err(text)?).precision(precision));
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
    let mut model = Model::of_boxed(spec.layer().map_err(text)?);
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
        let message = match model.process(&Array5::zeros((b, c, 1, r, w))) {
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

fn hold(layers: Layers, law: fn((Spec, Shape, Recording)) -> Verdict) {
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
        let layer = || spec.layer().map(Model::of_boxed).map_err(text);
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
            let warm_up = Conv1d::new(1, 1, 3).expect("a length").time_pad(false);
            Model::new().then(warm_up).then(Conv1d::new(1, 1, 7).expect("a length").pad_mode(mode))
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
        changing = changing.precision(precision);
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
