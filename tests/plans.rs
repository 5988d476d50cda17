//! The ways of computing a convolution: each equals the naive twin within a bound of its own at every level of vectors, the
//! one that is expected to be the fastest is chosen, and one that is not possible is refused.

use foveola::fft::FftKernel;
use foveola::layers::{Conv, Kind};
use foveola::{
    Algorithm, Border, Conv1d, Conv2d, Conv3d, Error, Layer, Model, Plan, Precision, RF, Resolution, SimdLevel,
    SmoothConv, Weight,
};
use foveola_core::Shape;
use foveola_tests::naive::{self, close};
use foveola_tests::random::{self, Layers, LowRank, Recording, array, check, trial};
use foveola_tests::spec::{Axes, ConvSpec, Spec};
use foveola_tests::stream::{Core, Engine, bits, feed_all};
use ndarray::{Array2, Array5, Dimension, s};
use proptest::prelude::*;
use std::cell::Cell;

const CASES: u32 = 96;

type Verdict = Result<(), String>;

fn text(error: impl ToString) -> String {
    error.to_string()
}

/// Every precision at which frames go as fast as they can.
fn levels() -> impl Iterator<Item = (SimdLevel, Precision)> {
    SimdLevel::available().into_iter().map(|level| (level, Precision::AtMost(level)))
}

/// The recording through a layer at a precision, cut behind its first piece.
fn through(
    layer: Box<dyn Layer>,
    precision: Precision,
    recording: &Recording,
    shape: Shape,
) -> Result<Array5<f32>, String> {
    let mut model = Model::of(layer).with_precision(precision);
    feed_all(&mut model, &recording.movie(shape), &recording.cut_once(), 0).map_err(|e| format!("{precision:?}: {e}"))
}

/// Tap by tap: within what rounding sets.
fn direct((spec, shape, recording): (Spec, Shape, Recording)) -> Verdict {
    let (x, first) = (recording.movie(shape).mapv(f64::from), recording.first());
    let (expected, tolerance) = (naive::run(&spec, &x, first), naive::tolerance(&spec, &x, first));
    for (_, precision) in levels() {
        let layer = spec.layer_by(Algorithm::Direct).map_err(text)?;
        let found = through(layer, precision, &recording, shape)?;
        close(&found, &expected, &tolerance).map_err(|error| format!("{precision:?}: {error}"))?;
    }
    Ok(())
}

macro_rules! tap_by_tap {
    ($($name:ident: $layer:ident)*) => { $(
        #[test]
        fn $name() {
            check(CASES, trial(random::$layer as Layers), direct);
        }
    )* };
}

tap_by_tap! {
    tap_by_tap: conv3d
    tap_by_tap_of_separable_kernels: separable
    tap_by_tap_of_smooth_conv: separable_smooth_conv
}

/// Sums of one to three separable kernels. Kernels too small for as many terms are refused, and not the most of them.
#[test]
fn separable() {
    let strategy = random::shape().prop_flat_map(|shape| (random::low_rank(shape), Just(shape)));
    let (refused, all) = (Cell::new(0), Cell::new(0));
    check(2 * CASES, (strategy, random::recording()), |((low_rank, shape), recording)| {
        all.set(all.get() + 1);
        let conv = &low_rank.conv;
        let (.., kt, kh, kw) = conv.weight.dim();
        let layer = conv.conv3d(Algorithm::Separable).map_err(text)?;
        let terms = match layer.plan(shape.rows, shape.cols) {
            Err(Error::Parameter { name: "algorithm", .. }) => {
                refused.set(refused.get() + 1);
                return Ok(());
            }
            // Fewer multiplications than the taps, but for a single term.
            Ok(Plan::Separable { terms, error })
                if error <= 1e-6 && (terms == 1 || terms * (kt + kh + kw) < kt * kh * kw) =>
            {
                terms
            }
            other => return Err(format!("{other:?}")),
        };
        let (x, first) = (recording.movie(shape).mapv(f64::from), recording.first());
        let expected = naive::run(&Spec::Conv(conv.clone()), &x, first);
        let tolerance = naive::separable_tolerance(&low_rank, terms, &x, first);
        for precision in levels().map(|(_, precision)| precision).chain([Precision::Reproducible]) {
            let found = through(Box::new(layer.clone()), precision, &recording, shape)?;
            close(&found, &expected, &tolerance).map_err(|error| format!("{precision:?}: {error}"))?;
        }
        Ok(())
    });
    let (refused, all) = (refused.get(), all.get());
    assert!(2 * refused < all, "{refused} of {all} kernels were refused");
}

/// Frames of events, which are zero nearly everywhere: samples and blocks of them are spread over what reads them, tap by tap and by
/// factors. The number of events goes from none to more than are worth it.
#[test]
fn frames_of_few_events() {
    let frame = prop_oneof![Just((40, 100)), Just((33, 271)), (8..40_usize, 32..100_usize)];
    let kernel =
        prop_oneof![Just((11, 11)), Just((3, 3)), Just((5, 5)), Just((7, 1)), Just((1, 7)), (1..9_usize, 1..9_usize)];
    let share = prop_oneof![Just(0.0), Just(0.001), 0.0..0.2_f64];
    let of = (frame, kernel, share, random::border(), 1..6_usize, any::<u64>());
    check(CASES, of, |((rows, cols), (kh, kw), share, border, outs, seed)| {
        let (shape, first) = (Shape::new(1, rows, cols), 2);
        let uniform = |seed: u64, len: usize| array(seed, (len, 1, 1, 1, 1)).into_iter();
        let events = uniform(!seed, first * shape.len()).map(|x| (x + 1.0) / 2.0 < share);
        let samples =
            uniform(seed, first * shape.len()).zip(events).map(|(x, is_event)| if is_event { x as f32 } else { 0.0 });
        let movie = Array5::from_shape_vec((1, 1, first, rows, cols), samples.collect()).map_err(text)?;
        // Each output channel has a kernel of its own, a product of a column and a row.
        let (v, h) = (array(seed ^ 1, (outs, 1, 1, kh, 1)), array(seed ^ 2, (outs, 1, 1, 1, kw)));
        let weight = (&v * &h).mapv(|w| f64::from(w as f32));
        let norms =
            Array2::from_shape_fn((outs, 1), |(o, _)| weight.slice(s![o, .., .., .., ..]).mapv(|w| w * w).sum().sqrt());
        let (bias, border) = (uniform(seed ^ 3, outs).collect(), Some(border));
        let (axes, flip, pad, stride, dilation) = (Axes::Conv2d, false, None, [1; 3], [1; 3]);
        let conv = ConvSpec { axes, weight, bias, flip, border, pad, stride, dilation, groups: 1 };
        let (spec, x) = (Spec::Conv(conv.clone()), movie.mapv(f64::from));
        let expected = naive::run(&spec, &x, first);
        let tap_by_tap = naive::tolerance(&spec, &x, first);
        let by_factors = naive::separable_tolerance(&LowRank { conv, norms }, 1, &x, first);
        for (way, tolerance) in [(Algorithm::Direct, &tap_by_tap), (Algorithm::Separable, &by_factors)] {
            if way == Algorithm::Separable && (kh == 1 || kw == 1) {
                continue;
            }
            for precision in levels().map(|(_, precision)| precision).chain([Precision::Reproducible]) {
                let mut model = Model::of(spec.layer_by(way).map_err(text)?).with_precision(precision);
                let found = model.process(&movie).map_err(text)?;
                close(&found, &expected, tolerance).map_err(|error| format!("{way:?}, {precision:?}: {error}"))?;
            }
        }
        Ok(())
    });
}

/// The stages of `SmoothConv`, each a product: their own rounding, and `1e-6` of each kernel's norm times that of what it
/// meets, which is at most the root of its taps times the largest sample.
#[test]
fn separable_smooth_conv() {
    check(CASES, trial(random::separable_smooth_conv), |(spec, shape, recording)| {
        let Spec::SmoothConv { spatial, .. } = &spec else { return Err("another layer".into()) };
        let (x, first) = (recording.movie(shape).mapv(f64::from), recording.first());
        let max = x.iter().fold(0.0, |max: f64, x| max.max(x.abs()));
        let norms: f64 = spatial.outer_iter().map(|kernel| kernel.mapv(|w| w * w).sum().sqrt()).sum();
        let taps = (spatial.len() / spatial.dim().0) as f64;
        let expected = naive::run(&spec, &x, first);
        let tolerance = naive::tolerance(&spec, &x, first) + 1e-6 * norms * taps.sqrt() * max;
        for precision in levels().map(|(_, precision)| precision).chain([Precision::Reproducible]) {
            let layer = spec.layer_by(Algorithm::Separable).map_err(text)?;
            let found = through(layer, precision, &recording, shape)?;
            close(&found, &expected, &tolerance).map_err(|error| format!("{precision:?}: {error}"))?;
        }
        Ok(())
    });
}

/// The frequency domain, at every level, within [`foveola::fft::ERROR`].
fn spectral((spec, shape, recording): (Spec, Shape, Recording)) -> Verdict {
    let Spec::Conv(conv) = &spec else { return Err("another layer".into()) };
    let (x, first) = (recording.movie(shape).mapv(f64::from), recording.first());
    let expected = naive::run(&spec, &x, first);
    let (out, ins, kt, kh, kw) = conv.weight.dim();
    for (level, precision) in levels() {
        let layer = conv.conv3d(Algorithm::Fft).map_err(text)?;
        let output = Model::of(layer.clone()).signature(shape).map_err(text)?.output;
        let Some(token) = level.level() else { continue };
        let [_, dilation @ ..] = conv.dilation;
        let output = [output.rows, output.cols];
        let best = FftKernel::best(token, [out, ins, kt, kh, kw], conv.groups, dilation, output);
        let ([rows, cols], _) = best.expect("a small frame");
        // The plan is that of the best level, which comes last.
        let plan = layer.plan(shape.rows, shape.cols).map_err(text)?;
        if Some(level) == SimdLevel::available().last().copied() && plan != (Plan::Fft { rows, cols }) {
            return Err(format!("{plan}; the transform has {rows} x {cols}"));
        }
        let tolerance = naive::spectral_tolerance(conv, rows * cols, &x, first, &expected);
        let found = through(Box::new(layer), precision, &recording, shape)?;
        close(&found, &expected, &tolerance).map_err(|error| format!("{precision:?}: {error}"))?;
    }
    Ok(())
}

#[test]
fn fft() {
    check(CASES, trial(random::spectral), spectral);
}

/// Kernels that are larger than the frame, up to 31 pixels.
#[test]
fn fft_of_large_kernels() {
    let sizes = (1..40_usize, 1..40_usize, 1..32_usize, 2..32_usize, random::border(), any::<u64>());
    check(CASES / 2, (sizes, 1..20_usize), |((rows, cols, kh, kw, border, seed), frames)| {
        let conv = ConvSpec { weight: array(seed, (1, 1, 2, kh, kw)), border: Some(border), ..dense([1; 3]) };
        let recording = Recording { seed: !seed, batch: 1, cuts: vec![frames] };
        spectral((Spec::Conv(conv), Shape::new(1, rows, cols), recording))
    });
}

/// `Conv3d` of one channel, noise of the given size.
fn dense([kt, kh, kw]: [usize; 3]) -> ConvSpec {
    ConvSpec {
        axes: Axes::Conv3d,
        weight: array(11, (1, 1, kt, kh, kw)),
        bias: Vec::new(),
        flip: true,
        border: Some(Border::Replicate),
        pad: Some(foveola::PadMode::Mirror),
        stride: [1; 3],
        dilation: [1; 3],
        groups: 1,
    }
}

/// A Gaussian of `size` x `size` pixels with the sum 1.
fn gauss(size: usize, sigma: f64) -> Array2<f64> {
    let middle = (size / 2) as f64;
    let w = |at: usize| (-0.5 * ((at as f64 - middle) / sigma).powi(2)).exp();
    let kernel = Array2::from_shape_fn((size, size), |(r, c)| w(r) * w(c));
    &kernel / kernel.sum()
}

fn conv2d(kernel: Array2<f64>) -> Conv2d {
    let size = [kernel.nrows(), kernel.ncols()];
    let weight = Weight::from(kernel.mapv(|w| w as f32));
    Conv2d::new(1, 1, size).and_then(|conv| conv.with_weight(weight)).expect("a kernel")
}

fn noise2(size: usize) -> Array2<f64> {
    array(5, (size, size))
}

/// What is chosen for frames of 128 x 128: kernels for which one way is faster than the next by half or more.
#[test]
fn what_is_chosen() {
    let plan = |layer: Conv2d| layer.plan(128, 128).expect("every layer has a plan");
    let terms = |plan| match plan {
        Plan::Separable { terms, error } if error <= 1e-6 => Some(terms),
        _ => None,
    };
    let mut blur = Conv2d::new(1, 1, [1, 1]).expect("a kernel");
    blur.set_gaussian(0.3, Resolution::DEFAULT).expect("a width");
    assert_eq!(blur.weight().dim(), (1, 1, 1, 19, 19));
    assert_eq!(terms(plan(blur.clone())), Some(1), "a Gaussian of 19 x 19");
    let difference = plan(conv2d(gauss(9, 1.0) - 0.8 * gauss(9, 2.0)));
    match SimdLevel::available().last() {
        Some(SimdLevel::Avx512) => assert_eq!(terms(difference), Some(2), "a difference of two of 9 x 9"),
        // The frequency domain gains on the others with narrower vectors.
        _ => assert_ne!(difference, Plan::Direct, "a difference of two of 9 x 9"),
    }
    let fft = |plan| matches!(plan, Plan::Fft { rows: 158.., cols: 158.. });
    assert!(fft(plan(conv2d(noise2(31)))), "noise of 31 x 31");
    let box_10 = |way| dense([10; 3]).conv3d(way).expect("a kernel");
    let plan_3d = box_10(Algorithm::Auto).plan(128, 128).expect("a plan");
    assert!(matches!(plan_3d, Plan::Fft { .. }), "noise of 10 x 10 x 10: {plan_3d}");
    assert_eq!(plan(conv2d(noise2(3))), Plan::Direct, "noise of 3 x 3");
    let conv1d = Conv1d::new(1, 1, 40).expect("a length");
    assert_eq!(conv1d.plan(128, 128).expect("a plan"), Plan::Direct, "Conv1d");
    assert_eq!(plan(blur.clone().with_stride([1, 2, 2])), Plan::Direct, "a Gaussian with strides");
    assert_eq!(plan(blur.clone().with_stride([1, 1, 3])), Plan::Direct, "a Gaussian with a stride along columns");
    assert_eq!(terms(plan(blur.with_stride([4, 1, 1]))), Some(1), "a Gaussian with a stride in time");
    assert_eq!(plan(conv2d(noise2(31)).with_stride([1, 2, 1])), Plan::Direct, "noise with a stride");
    let smooth = SmoothConv::gaussian(3, 0.01, 0.3, Resolution::DEFAULT).expect("a width");
    assert_eq!(terms(smooth.plan(128, 128).expect("a plan")), Some(1), "SmoothConv of Gaussians");
    let noise = SmoothConv::new(&[0.01], array(1, (1, 9, 9)).mapv(|w| w as f32), Resolution::DEFAULT);
    assert_eq!(noise.and_then(|smooth| smooth.plan(128, 128)).expect("a plan"), Plan::Direct, "SmoothConv of noise");
    // A wish is granted whatever is faster, and another weight asks anew.
    for (way, expected) in [(Algorithm::Direct, "direct"), (Algorithm::Fft, "FFT of")] {
        let plan = plan(conv2d(gauss(21, 3.0)).with_algorithm(way)).to_string();
        assert!(plan.starts_with(expected), "{plan} for {way:?}");
    }
    let mut conv = conv2d(gauss(21, 3.0));
    assert_eq!(terms(plan(conv.clone())), Some(1));
    conv.set_weight(noise2(31).mapv(|w| w as f32)).expect("a kernel");
    assert!(fft(plan(conv)), "noise in the place of a Gaussian");
}

/// What a model does is what `plan` says: the same bits as when it is asked for.
#[test]
fn what_is_chosen_is_done() {
    let kernels = [("Gaussian", gauss(15, 2.0)), ("noise of 3 x 3", noise2(3)), ("noise of 21 x 21", noise2(21))];
    let recording = Recording { seed: 2, batch: 1, cuts: vec![3] };
    let shape = Shape::new(1, 64, 64);
    let mut plans = Vec::new();
    for (name, kernel) in kernels {
        let layer = conv2d(kernel);
        let (plan, mut same) = (layer.plan(64, 64).expect("a plan"), 0);
        let found = |way| through(Box::new(layer.clone().with_algorithm(way)), Precision::Fast, &recording, shape);
        let auto = found(Algorithm::Auto).expect("frames");
        for way in [Algorithm::Direct, Algorithm::Separable, Algorithm::Fft] {
            let (Ok(asked), Ok(out)) = (layer.clone().with_algorithm(way).plan(64, 64), found(way)) else { continue };
            let equal = bits(&out.view()) == bits(&auto.view());
            assert_eq!(equal, asked == plan, "{name}: {way:?} where {plan} was chosen");
            same += usize::from(equal);
        }
        assert_eq!(same, 1, "{name}: {plan} is one of the three");
        plans.push(std::mem::discriminant(&plan));
    }
    plans.dedup();
    assert_eq!(plans.len(), 3, "one kernel for each way");
}

/// A way that is not possible: refused by `plan`, and by a running model, whose stream then goes on as it was.
fn refused<K: Kind>(conv: &Conv<K>, way: Algorithm, layer: &str, shape: Shape)
where
    Conv<K>: Layer + Clone,
{
    let name = Algorithm::NAMES.into_iter().find(|(_, named)| *named == way).map(|(name, _)| name);
    let of = |error: Error| match error {
        Error::Parameter { item, name: "algorithm", ref value, expected } => {
            assert_eq!((item, Some(value.as_str())), (layer, name), "{error}");
            assert!(error.to_string().contains(expected) && expected.contains("without stride"), "{error}");
        }
        other => panic!("{layer}, {way:?}: {other:?}"),
    };
    of(conv.clone().with_algorithm(way).plan(shape.rows, shape.cols).expect_err("a way that is not possible"));
    let movie = Recording { seed: 3, batch: 2, cuts: vec![9] }.movie(shape);
    let piece = |from: usize, to: usize| movie.slice(s![.., .., from..to, .., ..]);
    let mut quiet = Model::of(conv.clone().with_algorithm(Algorithm::Direct));
    let mut disturbed = Model::of(conv.clone().with_algorithm(Algorithm::Direct));
    for (from, to) in [(0, 4), (4, 5), (5, 9)] {
        if from > 0 {
            let wish = |model: &mut Model, way| {
                let layer = model.layer_mut::<Conv<K>>(0).expect("the layer");
                *layer = layer.clone().with_algorithm(way);
            };
            wish(&mut disturbed, way);
            of(disturbed.process(piece(from, to)).expect_err("process"));
            of(disturbed.run(piece(from, to), 1).expect_err("run"));
            of(disturbed.signature(shape).expect_err("signature"));
            assert_eq!(disturbed.time(), from as u64, "{layer}, {way:?}: frames that were refused");
            wish(&mut disturbed, Algorithm::Direct);
        }
        let expected = quiet.feed(piece(from, to)).expect("a piece");
        let found = disturbed.feed(piece(from, to)).expect("a piece");
        assert_eq!(bits(&found.view()), bits(&expected.view()), "{layer}, {way:?}: from frame {from}");
    }
}

#[test]
fn ways_that_are_not_possible() {
    use Algorithm::{Fft, Separable};
    let shape = Shape::new(1, 9, 12);
    let noise = conv2d(noise2(5));
    refused(&noise, Separable, "Conv2d", shape);
    refused(&dense([4, 5, 6]).conv3d(Algorithm::Auto).expect("a kernel"), Separable, "Conv3d", shape);
    for stride in [[1, 2, 1], [1, 1, 3]] {
        refused(&noise.clone().with_stride(stride), Fft, "Conv2d", shape);
        refused(&conv2d(gauss(5, 1.0)).with_stride(stride), Separable, "Conv2d", shape);
    }
    let conv1d = Conv1d::new(1, 1, 4).expect("a length");
    refused(&conv1d, Fft, "Conv1d", shape);
    refused(&conv1d, Separable, "Conv1d", shape);
    refused(&conv2d(noise2(1)), Fft, "Conv2d", shape);
    // Inside a model the layer is named as well, and SmoothConv has no frequency domain.
    let smooth = SmoothConv::gaussian(2, 0.01, 0.05, Resolution::DEFAULT).expect("a width").with_algorithm(Fft);
    let plan = smooth.plan(8, 8).expect_err("no frequency domain").to_string();
    let movie = Recording { seed: 3, batch: 1, cuts: vec![3] }.movie(shape);
    let process = Model::of(Model::new().then(smooth)).process(&movie).map(|_| ()).expect_err("no frequency domain");
    for message in [plan, process.to_string()] {
        for word in ["SmoothConv", "algorithm", "fft"] {
            assert!(message.contains(word), "'{message}' does not say {word}");
        }
    }
}

/// Reproducible bits are those of the taps, as `core` alone has them, whatever would be faster, and whatever else than
/// separable kernels was asked for.
fn reproducible((spec, shape, recording): (Spec, Shape, Recording)) -> Verdict {
    let movie = recording.movie(shape);
    let core = |way| feed_all(&mut Core::new(spec.layer_by(way).map_err(text)?), &movie, &recording.cuts, 0);
    let taps = core(Algorithm::Direct)?;
    for way in [Algorithm::Auto, Algorithm::Direct, Algorithm::Fft] {
        let mut host = Model::of(spec.layer_by(way).map_err(text)?).with_precision(Precision::Reproducible);
        let host = feed_all(&mut host, &movie, &recording.cuts, 0)?;
        if bits(&host.view()) != bits(&taps.view()) || bits(&core(way)?.view()) != bits(&taps.view()) {
            return Err(format!("{way:?} has other bits than the taps"));
        }
    }
    // Separable kernels have bits of their own, and they too are the core's.
    let mut host =
        Model::of(spec.layer_by(Algorithm::Separable).map_err(text)?).with_precision(Precision::Reproducible);
    let Ok(host) = feed_all(&mut host, &movie, &recording.cuts, 0) else { return Ok(()) };
    let core = core(Algorithm::Separable)?;
    if bits(&host.view()) == bits(&core.view()) {
        Ok(())
    } else {
        Err("separable kernels have other bits in core".into())
    }
}

#[test]
fn reproducible_bits_are_those_of_the_taps() {
    check(CASES, trial(random::separable), reproducible);
    check(CASES, trial(random::spectral), reproducible);
    check(CASES, trial(random::separable_smooth_conv), reproducible);
}

/// The same where another way is the faster one.
#[test]
fn reproducible_bits_where_another_way_is_faster() {
    let shape = Shape::new(1, 64, 64);
    let recording = Recording { seed: 9, batch: 1, cuts: vec![3, 1] };
    let one = |weight: Array2<f64>| {
        let (rows, cols) = weight.dim();
        let weight = weight.into_shape_with_order((1, 1, 1, rows, cols)).expect("one kernel");
        Spec::Conv(ConvSpec { weight, ..dense([1; 3]) })
    };
    for (spec, direct) in [(one(gauss(15, 2.0)), false), (one(noise2(21)), false), (one(noise2(3)), true)] {
        reproducible((spec.clone(), shape, recording.clone())).expect("the same bits");
        let Spec::Conv(conv) = spec else { continue };
        let plan = conv.conv3d(Algorithm::Auto).expect("a kernel").plan(64, 64).expect("a plan");
        assert_eq!(plan == Plan::Direct, direct, "{plan} for {:?}", conv.weight.raw_dim().slice());
    }
}

/// A layer whose options change keeps nothing of the old ones: spectra and plans are made anew.
#[test]
fn options_that_change() {
    let shape = Shape::new(1, 24, 24);
    let movie = Recording { seed: 4, batch: 1, cuts: vec![4] }.movie(shape);
    let base = || Conv2d::new(2, 2, [3, 3]).expect("a kernel").with_algorithm(Algorithm::Fft);
    let movie2 = ndarray::concatenate(ndarray::Axis(1), &[movie.view(), movie.view()]).expect("two channels");
    let weight = || array(6, (2, 2, 3, 3)).mapv(|w| w as f32);
    type Change = fn(Conv2d) -> Conv2d;
    let changes: [(&str, Change); 6] = [
        ("dilation", |conv| conv.with_dilation([1, 2, 3])),
        ("stride in time", |conv| conv.with_stride([2, 1, 1])),
        ("border", |conv| conv.with_autopad_mode(Border::Circular)),
        ("no border", |conv| conv.with_autopad(false)),
        ("algorithm", |conv| conv.with_algorithm(Algorithm::Direct)),
        ("stride", |conv| conv.with_stride([1, 2, 2]).with_algorithm(Algorithm::Auto)),
    ];
    for (name, change) in changes {
        let conv = base().with_weight(weight()).expect("a kernel");
        let fresh = Model::of(change(conv.clone())).process(&movie2).expect("frames").to_owned();
        let mut model = Model::of(conv);
        let before = model.process(&movie2).expect("frames").to_owned();
        model.clear_state();
        // Not by a clone, which drops what a layer has found out.
        let layer = model.layer_mut::<Conv2d>(0).expect("the layer");
        let old = std::mem::replace(layer, base());
        *layer = change(old);
        let after = model.process(&movie2).expect("frames").to_owned();
        assert_eq!(bits(&after.view()), bits(&fresh.view()), "{name}");
        assert_ne!(bits(&after.view()), bits(&before.view()), "{name} changes nothing");
    }
}

/// A layer of a model takes part in what its neighbours do: two of them, and a third that is not a convolution.
#[test]
fn several_ways_in_one_model() {
    let layer = |way| conv2d(gauss(7, 1.5)).with_algorithm(way);
    let movie = Recording { seed: 8, batch: 2, cuts: vec![5] }.movie(Shape::new(1, 20, 21));
    let model = |ways: [Algorithm; 3]| {
        let mut model = Model::new();
        for way in ways {
            model = model.then(layer(way)).then(foveola::Diff);
        }
        model
    };
    use Algorithm::{Direct, Fft, Separable};
    let expected = model([Direct; 3]).process(&movie).expect("frames").mapv(f64::from);
    for ways in [[Fft, Direct, Separable], [Direct, Fft, Fft], [Separable, Fft, Direct], [Fft; 3]] {
        let mut model = model(ways);
        for pass in 0..2 {
            let found = model.process(&movie).expect("frames").to_owned();
            model.clear_state();
            // Gaussians of gain 1 and differences of samples below 1: a few units in the last place of 8.
            close(&found, &expected, &Array5::from_elem(found.dim(), 3e-5))
                .unwrap_or_else(|e| panic!("{ways:?}, {pass}: {e}"));
        }
    }
}

/// `LowRank` means what it says.
#[test]
fn norms_of_products() {
    check(CASES, random::shape().prop_flat_map(random::low_rank), |LowRank { conv, norms }| {
        for ((o, i), norm) in norms.indexed_iter() {
            let kernel = conv.weight.slice(s![o, i, .., .., ..]);
            let sum = kernel.iter().map(|w| w * w).sum::<f64>().sqrt();
            if sum > norm * (1.0 + 1e-6) {
                return Err(format!("a sum of norm {sum} of products of {norm}"));
            }
        }
        Ok(())
    });
}

/// Plans and sizes of frames that cannot be are told at once, and are no plan for the frequency domain.
#[test]
fn absurd_sizes() {
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let most = usize::MAX;
        let conv = |way| {
            let conv = Conv3d::new(1, 1, [2, 5, 5]).expect("a kernel").with_algorithm(way);
            conv.with_weight(ndarray::Array3::from_shape_fn((2, 5, 5), |(t, r, c)| ((t + r * c) % 3) as f32))
        };
        for (rows, cols) in [(most, 1), (1, most), (most, most), (1 << 40, 1 << 20), (200_000, 3), (most / 2, 7)] {
            for way in [Algorithm::Auto, Algorithm::Direct, Algorithm::Separable, Algorithm::Fft] {
                let conv = conv(way).expect("a weight");
                match (way, conv.plan(rows, cols)) {
                    (Algorithm::Fft, Err(Error::Parameter { name: "algorithm", .. })) => {}
                    (Algorithm::Separable, _) => {}
                    (_, Ok(plan)) => assert!(!matches!(plan, Plan::Fft { .. }), "{way:?}, {rows} x {cols}: {plan}"),
                    (_, other) => panic!("{way:?}, {rows} x {cols}: {other:?}"),
                }
                let smooth = SmoothConv::gaussian(2, 0.01, 0.1, Resolution::DEFAULT).expect("a gaussian");
                smooth.plan(rows, cols).expect("a plan");
                let shape = Shape::new(1, rows, cols);
                let model = Model::new().then(smooth).then(RF::new(1, 1, 5).expect("a field"));
                model.signature(shape).expect("saturated sizes");
                let _ = Model::of(conv).signature(shape); // which may refuse a kernel that does not fit
            }
        }
        done.send(()).expect("somebody waits");
    });
    let patience = std::time::Duration::from_secs(60);
    ended.recv_timeout(patience).expect("it ends, and without a panic");
}
