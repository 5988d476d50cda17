//! Every linear filter equals its naive twin ([`foveola_tests::naive`]): all options, frames from 1 pixel to 40
//! columns, kernels larger than the frames. The host in `f32`, with the vectors of every level that this CPU has and with
//! the reproducible ones, within the bound that rounding sets; `core` in `f64` to 1e-12.

use foveola::{Conv1d, Conv2d, Conv3d, Model, Precision, RF, SimdLevel, Weight};
use foveola_core::{Conv3d as CoreConv3d, ConvOptions, Filter, Kernel, Shape, SmoothConv};
use foveola_tests::random::{self, Layers, Recording, array, check, trial};
use foveola_tests::spec::{ConvSpec, Spec, gain, reversed};
use foveola_tests::stream::{feed_all, lead};
use foveola_tests::{naive, stream};
use ndarray::{Array5, ArrayD, Axis, Dimension, s};
use proptest::prelude::*;

const CASES: u32 = 128;

/// An error where `found` is further from `expected` than `tolerance`.
fn close(found: &Array5<f64>, expected: &Array5<f64>, tolerance: &Array5<f64>) -> Result<(), String> {
    if found.shape() != expected.shape() {
        return Err(format!("shape {:?}; expected {:?}", found.shape(), expected.shape()));
    }
    for (at, found) in found.indexed_iter() {
        let (expected, tolerance) = (expected[at], tolerance[at]);
        if found.is_nan() || (found - expected).abs() > tolerance {
            return Err(format!("{found} at {at:?}; expected {expected} to {tolerance:e}"));
        }
    }
    Ok(())
}

/// The host beside the twin, at every precision.
fn host((spec, shape, recording): (Spec, Shape, Recording)) -> Result<(), String> {
    let (movie, first) = (recording.movie(shape), recording.first());
    let (lead, x) = (lead(&spec, &movie)?, movie.mapv(f64::from));
    let (expected, tolerance) = (naive::run(&spec, &x, first), naive::tolerance(&spec, &x, first));
    let levels = SimdLevel::available().into_iter().map(Precision::AtMost);
    for precision in levels.chain([Precision::Reproducible]) {
        let layer = spec.layer().map_err(|error| error.to_string())?;
        let mut model = Model::of(layer).with_precision(precision);
        let found = feed_all(&mut model, &movie, &recording.cut_once(), lead)?.mapv(f64::from);
        close(&found, &expected, &tolerance).map_err(|error| format!("{precision:?}: {error}"))?;
    }
    Ok(())
}

macro_rules! equal_their_twin {
    ($($layer:ident)*) => { $(
        #[test]
        fn $layer() {
            check(CASES, trial(random::$layer as Layers), host);
        }
    )* };
}

equal_their_twin! {
    time_padding delay variable_delay conv3d conv2d conv1d rf low_pass high_pass smooth_conv
}

/// Frames so wide that every tile is used, and ends of rows of every kind behind it.
#[test]
fn wide_frames() {
    let widths = prop::sample::select(vec![31, 64, 100, 127, 128, 129, 200, 271]);
    let trial = widths.prop_flat_map(|cols| {
        let shape = Shape::new(1, 3, cols);
        let layer = prop_oneof![random::conv3d(shape), random::conv2d(shape), random::smooth_conv(shape)];
        (layer, Just(shape), random::recording())
    });
    check(CASES / 2, trial, host);
}

/// `core` alone in `f64`, frame by frame after the first piece, beside the twin: 1e-12 of sums below 1000.
fn in_f64(filter: &dyn Filter<f64>, spec: &Spec, shape: Shape, recording: &Recording) -> Result<(), String> {
    let movie: Array5<f64> =
        array(recording.seed, (1, shape.channels, recording.cuts.iter().sum(), shape.rows, shape.cols));
    let signature = filter.signature();
    let mut state = vec![f64::NAN; signature.state];
    let mut scratch = vec![f64::NAN; signature.scratch.len(recording.first())];
    let (mut t, mut found) = (0, Vec::new());
    for frames in std::iter::once(recording.first()).chain(std::iter::repeat_n(1, recording.cut_once()[1])) {
        let piece = movie.slice(s![.., .., t..t + frames, .., ..]).permuted_axes([0, 2, 1, 3, 4]);
        let input: Vec<f64> = piece.iter().copied().collect();
        let mut out = vec![f64::NAN; signature.frames_out(t as u64, frames) * signature.output.len()];
        filter.run(t as u64, &mut state, &mut scratch, &input, &mut out).map_err(|error| error.to_string())?;
        found.extend(out);
        t += frames;
    }
    let expected = naive::run(spec, &movie, recording.first());
    let Shape { channels, rows, cols } = signature.output;
    let found = Array5::from_shape_vec((1, expected.len_of(Axis(2)), channels, rows, cols), found);
    let found =
        found.map_err(|error| error.to_string())?.permuted_axes([0, 2, 1, 3, 4]).as_standard_layout().into_owned();
    close(&found, &expected, &Array5::from_elem(expected.dim(), 1e-12))
}

#[test]
fn core_conv3d_in_f64() {
    check(CASES, trial(random::conv3d), |(spec, shape, recording)| {
        let Spec::Conv(mut conv) = spec else { return Ok(()) };
        conv.weight *= std::f64::consts::FRAC_1_PI; // all 53 bits
        let (correlation, bias) = (conv.correlation().as_standard_layout().into_owned(), conv.bias.clone());
        let (out, ins, kt, kh, kw) = correlation.dim();
        let weights = correlation.as_slice().unwrap_or_default();
        let kernel = Kernel { weights, shape: [out, ins, kt, kh, kw], bias: &bias };
        let ConvSpec { border, pad, stride, dilation, groups, .. } = conv;
        let filter = CoreConv3d::from_checked(shape, kernel, ConvOptions { border, pad, stride, dilation, groups });
        in_f64(&filter.map_err(|error| error.to_string())?, &Spec::Conv(conv.clone()), shape, &recording)
    });
}

#[test]
fn core_smooth_conv_in_f64() {
    check(CASES, trial(random::smooth_conv), |(spec, shape, recording)| {
        let Spec::SmoothConv { taus, spatial, border, components } = &spec else { return Ok(()) };
        let decays: Result<Vec<_>, _> = taus.iter().map(|tau| foveola_core::Decay::new(*tau, 1000.0)).collect();
        let decays = decays.map_err(|error| error.to_string())?;
        let (_, rows, cols) = spatial.dim();
        let weights: Vec<f64> = spatial.slice(s![.., ..;-1, ..;-1]).iter().copied().collect();
        let filter =
            SmoothConv::from_checked(shape, &decays, &weights, [rows, cols], *border).map_err(|e| e.to_string())?;
        in_f64(&if *components { filter.components() } else { filter }, &spec, shape, &recording)
    });
}

/// The gain that the twin takes from `core` is itself right: `1 - exp(-1 / (tau fs))`.
#[test]
fn gain_of_a_time_constant() {
    for exponent in -40..40 {
        let tau = 0.001 * 10.0_f64.powf(f64::from(exponent) / 8.0);
        let expected = -(-1.0 / (tau * 1000.0)).exp_m1();
        assert!((gain(tau) - expected).abs() <= 4.0 * f64::EPSILON * expected, "tau {tau}: {}", gain(tau));
    }
}

/// What a weight of each rank means: the resulting impulse response `(out, in, time, row, col)`.
#[test]
fn weights_of_every_rank() {
    let w =
        |shape: &[usize]| ArrayD::from_shape_fn(shape, |index| (index.slice().iter().fold(1, |n, i| 7 * n + i)) as f32);
    let shaped = |shape: &[usize], to: [usize; 5]| {
        Array5::from_shape_vec(to, w(shape).into_iter().collect()).expect("as many samples")
    };
    let (conv3, conv2, conv1) = (
        || Conv3d::new(3, 2, [2, 3, 4]).expect("a kernel"),
        || Conv2d::new(3, 2, [3, 4]).expect("a kernel"),
        || Conv1d::new(3, 2, 5).expect("a kernel"),
    );
    type Set = Box<dyn Fn(Weight) -> Array5<f32>>;
    macro_rules! set {
        ($new:expr) => {
            Box::new(move |weight| {
                let mut layer = $new();
                layer.set_weight(weight).expect("a rank that it takes");
                layer.weight()
            })
        };
    }
    let sets: [Set; 4] = [set!(conv3), set!(conv2), set!(conv1), set!(|| RF::new(3, 2, 2).expect("a field"))];
    // Layer, shape of the weight, shape that it becomes, and whether one kernel may be copied to every pair of
    // channels.
    let cases: [(usize, &[usize], [usize; 5], bool); 12] = [
        (0, &[5], [1, 1, 5, 1, 1], true),
        (0, &[3, 2], [1, 1, 1, 3, 2], true),
        (0, &[2, 3, 2], [1, 1, 2, 3, 2], true),
        (0, &[2, 3, 2, 1, 4], [2, 3, 2, 1, 4], false),
        (1, &[3, 2], [1, 1, 1, 3, 2], true),
        (1, &[2, 4, 3], [2, 1, 1, 4, 3], false),
        (1, &[2, 3, 1, 3], [2, 3, 1, 1, 3], false),
        (2, &[4], [1, 1, 4, 1, 1], true),
        (2, &[2, 3, 4], [2, 3, 4, 1, 1], false),
        (3, &[4, 2], [2, 3, 1, 4, 2], false),
        (3, &[3, 4, 2], [2, 3, 3, 4, 2], false),
        (3, &[2, 3, 1, 2, 2], [2, 3, 1, 2, 2], false),
    ];
    for (layer, shape, to, single) in cases {
        let set = &sets[layer];
        let one = match (layer, shape.len()) {
            (3, 2 | 3) => shaped(shape, [1, 1, to[2], to[3], to[4]]).broadcast(to).expect("copies").to_owned(),
            _ => shaped(shape, to),
        };
        let name = format!("layer {layer}, shape {shape:?}");
        assert_eq!(set(w(shape).into()), one, "{name}");
        // A correlation kernel is the reversed impulse response.
        let turned = reversed(&one.mapv(f64::from)).mapv(|x| x as f32);
        assert_eq!(set(Weight::from(w(shape)).no_flip()), turned, "{name}, no_flip");
        let sum = one.sum();
        let normal = set(Weight::from(w(shape)).normalize());
        let error = (&normal * sum - &one).mapv(f32::abs).sum();
        assert!(error <= 1e-5 * sum, "{name}, normalize: off by {error}");
        if single {
            let copies = one.broadcast((2, 3, to[2], to[3], to[4])).expect("copies").to_owned();
            assert_eq!(set(Weight::from(w(shape)).preserve_channels()), copies, "{name}, preserve_channels");
            // The whole bank then has the sum 1.
            let normal = set(Weight::from(w(shape)).preserve_channels().normalize()).sum();
            assert!((normal - 1.0).abs() < 1e-5, "{name}: sum {normal}");
        }
    }
    // What names its input channels is not copied to others; what names its output channels only is.
    let cases: [(usize, &[usize], [usize; 5]); 3] =
        [(0, &[2, 1, 1, 2, 2], [2, 1, 1, 2, 2]), (1, &[2, 1, 2, 2], [2, 1, 1, 2, 2]), (1, &[2, 4, 3], [2, 3, 1, 4, 3])];
    for (layer, shape, to) in cases {
        assert_eq!(
            sets[layer](Weight::from(w(shape)).preserve_channels()).shape(),
            to,
            "layer {layer}, shape {shape:?}"
        );
    }
    for (set, shape) in sets.iter().zip([[2, 3, 2, 3, 4], [2, 3, 1, 3, 4], [2, 3, 5, 1, 1], [2, 3, 2, 1, 1]]) {
        assert_eq!(set(0.5.into()), Array5::from_elem(shape, 0.5), "a number fills the current shape");
    }
}

/// An empty receptive field takes the size of the first frame, again after `reset_weight`.
#[test]
fn reset_weight_is_uniform_again() {
    let movie = Recording { seed: 5, batch: 1, cuts: vec![6] }.movie(Shape::new(2, 3, 4));
    let mut field = RF::new(2, 1, 3).expect("a field");
    let uniform = stream::Engine::feed(&mut Model::of(field.clone()), movie.view()).expect("frames that fit");
    field.set_weight(array(1, (1, 2, 3, 2, 2)).mapv(|w| w as f32)).expect("a weight that fits");
    field.reset_weight();
    let again = stream::Engine::feed(&mut Model::of(field), movie.view()).expect("frames that fit");
    assert_eq!(uniform, again);
}
