//! The reproducible promise: vectors give the same bits as one sample at a time, whatever their width, in `f32` and
//! `f64`. And nothing in `core` assumes a float: every filter runs in fixed point.

use foveola_core::engine::{Engine, Plain, Scalar, WorkSplitter};
use foveola_core::{
    Border, Conv3d, ConvOptions, Decay, Diff, Factors, Filter, First, Graph, HighPass, Kernel, LowPass, Node,
    Nonlinearity, PadMode, Pointwise, Q15, Rf, Sample, Shape, SmoothConv, Source,
};
use foveola_tests::every::{Bank, SHAPE};
use foveola_tests::fixed::Q16;
use foveola_tests::random::{self, Recording, check, noise, trial};
use foveola_tests::spec::{ConvSpec, Spec};

const CASES: u32 = 256;

fn samples<T: Sample>(values: impl IntoIterator<Item = f64>) -> Vec<T> {
    values.into_iter().map(T::from_f64).collect()
}

/// Bits of samples; `f64` holds those of `f32`.
fn bits<T: Sample>(samples: &[T]) -> Vec<u64> {
    samples.iter().map(|x| x.to_f64().to_bits()).collect()
}

/// State, scratch, input and output of a call.
type Slices<'s, T> = (&'s mut [T], &'s mut [T], &'s [T], &'s mut [T]);

/// Feeds the recording in its pieces through the filter and through `scalar`; state and output must have the same bits.
fn compare<T: Sample>(
    filter: &dyn Filter<T>,
    scalar: impl Fn(u64, Slices<'_, T>) -> Result<usize, foveola_core::Error>,
    recording: &Recording,
) -> Result<(), String> {
    let signature = filter.signature();
    let fresh = || (vec![T::zero(); signature.state], vec![T::zero(); signature.scratch.len(16)]);
    let [(mut state, mut scratch), (mut state_1, mut scratch_1)] = [fresh(), fresh()];
    let mut t = 0;
    for frames in recording.cuts.iter().copied().filter(|frames| *frames > 0) {
        let input: Vec<T> = samples(noise(recording.seed ^ t, frames * signature.input.len()));
        if t == 0 {
            let first = First { frames: &input[..], batch: &input[..] };
            filter.start(&mut state, first);
            filter.start(&mut state_1, first);
        }
        let mut out = vec![T::zero(); signature.frames_out(t, frames) * signature.output.len()];
        let mut out_1 = out.clone();
        let wide = filter.advance(t, &mut state, &mut scratch, &input, &mut out);
        let one = scalar(t, (&mut state_1, &mut scratch_1, &input, &mut out_1));
        if wide != one || bits(&out) != bits(&out_1) || bits(&state) != bits(&state_1) {
            return Err(format!("vectors {out:?}, scalars {out_1:?} at time {t}"));
        }
        t += frames as u64;
    }
    Ok(())
}

fn conv3d<T: Sample>((spec, shape, recording): (Spec, Shape, Recording)) -> Result<(), String> {
    let Spec::Conv(conv) = spec else { return Ok(()) };
    let (out, ins, kt, kh, kw) = conv.weight.dim();
    let (weights, bias) = (samples::<T>(conv.weight.iter().map(|w| w / 3.0)), samples::<T>(conv.bias.iter().copied()));
    let kernel = Kernel { weights: &weights, shape: [out, ins, kt, kh, kw], bias: &bias };
    let ConvSpec { border, pad, stride, dilation, groups, .. } = conv;
    let filter = Conv3d::from_checked(shape, kernel, ConvOptions { border, pad, stride, dilation, groups });
    let filter = filter.map_err(|error| error.to_string())?;
    let scalar = |t, (state, scratch, x, y): Slices<'_, T>| {
        filter.advance_with(Engine::single_thread(Scalar), t, state, scratch, x, y)
    };
    let plain = |t, (state, scratch, x, y): Slices<'_, T>| {
        filter.advance_with(Engine::single_thread(Plain::<4, false>), t, state, scratch, x, y)
    };
    let loops = |t, (state, scratch, x, y): Slices<'_, T>| {
        filter.advance_with(Engine::single_thread(Plain::<4, true>), t, state, scratch, x, y)
    };
    compare(&filter, scalar, &recording)?;
    compare(&filter, plain, &recording)?;
    compare(&filter, loops, &recording)
}

fn smooth_conv<T: Sample>((spec, shape, recording): (Spec, Shape, Recording)) -> Result<(), String> {
    let Spec::SmoothConv { taus, spatial, border, components } = spec else { return Ok(()) };
    let decays: Result<Vec<_>, _> = taus.iter().map(|tau| Decay::new(*tau, 1000.0)).collect();
    let decays = decays.map_err(|error| error.to_string())?;
    let (weights, (_, rows, cols)) = (samples::<T>(spatial.iter().map(|w| w / 3.0)), spatial.dim());
    let filter =
        SmoothConv::from_checked(shape, &decays, &weights, [rows, cols], border).map_err(|error| error.to_string())?;
    let filter = if components { filter.components() } else { filter };
    let scalar = |t, (state, scratch, x, y): Slices<'_, T>| {
        filter.advance_with(Engine::single_thread(Scalar), t, state, scratch, x, y)
    };
    compare(&filter, scalar, &recording)
}

/// Frames of a few tiles and less, all borders, kernels that are spelled out (3 x 3 and 5 x 5) and others.
#[test]
fn kernels_without_vectors_have_the_same_bits() {
    let recording = Recording { seed: 1, batch: 1, cuts: vec![2, 1, 3] };
    for (rows, cols, stages) in [(11, 13, 2), (6, 25, 6), (4, 4, 2), (2, 3, 2), (1, 9, 2)] {
        for (kh, kw) in [(3, 3), (5, 5), (5, 3), (1, 5), (7, 3), (3, 4), (2, 7)] {
            for (_, border) in Border::NAMES {
                let decays =
                    [0.002, 0.005, 0.0, 0.001, 0.0, 0.003].map(|tau| Decay::new(tau, 1000.0).expect("a time constant"));
                let decays = &decays[..stages];
                let weights: Vec<f32> = samples(noise(2, stages * kh * kw));
                let filter = SmoothConv::from_checked(Shape::new(2, rows, cols), decays, &weights, [kh, kw], border);
                let filter = filter.expect("kernels that fit");
                let plain = |t, (state, scratch, x, y): Slices<'_, f32>| {
                    filter.advance_with(Engine::single_thread(Plain::<4, false>), t, state, scratch, x, y)
                };
                let loops = |t, (state, scratch, x, y): Slices<'_, f32>| {
                    filter.advance_with(Engine::single_thread(Plain::<4, true>), t, state, scratch, x, y)
                };
                let same = compare(&filter, plain, &recording).and_then(|()| compare(&filter, loops, &recording));
                assert_eq!(same, Ok(()), "{kh} x {kw} over {rows} x {cols}, {border:?}");
            }
        }
    }
}

/// A signal of one pixel, and frames below and above a tile; taps in whole groups and not; chunks shorter and longer than the
/// kernel, cut where the ring begins anew and elsewhere.
#[test]
fn kernels_in_time_have_the_same_bits() {
    let recording = Recording { seed: 3, batch: 1, cuts: vec![5, 1, 40, 3, 64, 17, 7] };
    for (shape, outs, groups) in [
        (Shape::new(1, 1, 1), 1, 1),
        (Shape::new(1, 1, 1), 2, 1),
        (Shape::new(2, 1, 1), 1, 1),
        (Shape::new(1, 3, 5), 1, 1),
        (Shape::new(4, 5, 7), 6, 2),
    ] {
        for taps in [1, 2, 7, 8, 9, 15, 16, 17, 21, 32] {
            for (stride, dilation) in [(1, 1), (1, 3), (2, 1)] {
                let ins = shape.channels / groups;
                let weights: Vec<f32> = samples(noise(4, outs * ins * taps));
                let bias: Vec<f32> = samples(noise(5, outs));
                let kernel = Kernel { weights: &weights, shape: [outs, ins, taps, 1, 1], bias: &bias };
                let options =
                    ConvOptions { stride: [stride, 1, 1], dilation: [dilation, 1, 1], groups, ..ConvOptions::DEFAULT };
                for pad in [None, options.pad] {
                    let filter = Conv3d::from_checked(shape, kernel, ConvOptions { pad, ..options })
                        .expect("a kernel that fits");
                    let plain = |t, (state, scratch, x, y): Slices<'_, f32>| {
                        filter.advance_with(Engine::single_thread(Plain::<4, false>), t, state, scratch, x, y)
                    };
                    let same = compare(&filter, plain, &recording);
                    assert_eq!(same, Ok(()), "{taps} taps of {shape:?}, stride {stride}, dilation {dilation}, {pad:?}");
                }
            }
        }
    }
}

#[test]
fn conv3d_with_vectors_and_without() {
    check(CASES, trial(random::conv3d), |trial| conv3d::<f32>(trial.clone()).and_then(|()| conv3d::<f64>(trial)));
}

#[test]
fn conv1d_with_vectors_and_without() {
    check(CASES, trial(random::conv1d), |trial| conv3d::<f32>(trial.clone()).and_then(|()| conv3d::<f64>(trial)));
}

#[test]
fn smooth_conv_with_vectors_and_without() {
    check(CASES, trial(random::smooth_conv), |trial| {
        smooth_conv::<f32>(trial.clone()).and_then(|()| smooth_conv::<f64>(trial))
    });
}

/// Cuts whatever can be cut, and does one half after the other, the second one first.
#[derive(Clone, Copy)]
struct Halves;

impl WorkSplitter for Halves {
    fn halve(self, _: usize) -> Option<Self> {
        Some(self)
    }

    fn join<A: Send, B: Send>(self, a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
        let b = b();
        (a(), b)
    }
}

fn cut<T: Sample>() -> Engine<T::Lanes, Halves> {
    Engine { lanes: T::LANES, splitter: Halves }
}

/// `Conv3d` and `SmoothConv` cut as finely as can be, tap by tap and by `terms` separable kernels, whose vectors need not
/// belong to the kernel; and with scalars instead of vectors.
fn halves_of_convolutions<T: Sample>(
    (spec, shape, recording, terms): (Spec, Shape, Recording, usize),
) -> Result<(), String> {
    let vectors = |seed, len: usize| samples::<T>(noise(seed, len));
    let text = |error: foveola_core::Error| error.to_string();
    match spec {
        Spec::Conv(conv) => {
            let (out, ins, kt, kh, kw) = conv.weight.dim();
            let (weights, bias) = (samples::<T>(conv.weight), samples::<T>(conv.bias));
            let kernel = Kernel { weights: &weights, shape: [out, ins, kt, kh, kw], bias: &bias };
            let options = ConvOptions {
                border: conv.border,
                pad: conv.pad,
                stride: conv.stride,
                dilation: conv.dilation,
                groups: conv.groups,
            };
            let direct = Conv3d::from_checked(shape, kernel, options).map_err(text)?;
            let [time, rows, cols] = [(3, kt), (4, kh), (5, kw)].map(|(seed, k)| vectors(seed, out * ins * terms * k));
            let factors = Factors { terms, time: &time, rows: &rows, cols: &cols };
            for filter in [Ok(direct), direct.with_checked_factors(factors)].into_iter().flatten() {
                let halves =
                    |t, (state, scratch, x, y): Slices<'_, T>| filter.advance_with(cut::<T>(), t, state, scratch, x, y);
                compare(&filter, halves, &recording).map_err(|error| format!("halves: {error}"))?;
                let scalar = |t, (state, scratch, x, y): Slices<'_, T>| {
                    filter.advance_with(Engine { lanes: Scalar, splitter: Halves }, t, state, scratch, x, y)
                };
                compare(&filter, scalar, &recording).map_err(|error| format!("halves of scalars: {error}"))?;
            }
        }
        Spec::SmoothConv { taus, spatial, border, components } => {
            let decays: Result<Vec<_>, _> = taus.iter().map(|tau| Decay::new(*tau, 1000.0)).collect();
            let (decays, weights, (n, rows, cols)) =
                (decays.map_err(text)?, samples::<T>(spatial.clone()), spatial.dim());
            let direct = SmoothConv::from_checked(shape, &decays, &weights, [rows, cols], border).map_err(text)?;
            let direct = if components { direct.components() } else { direct };
            let [time, rows, cols] = [(3, 1), (4, rows), (5, cols)].map(|(seed, k)| vectors(seed, n * terms * k));
            let factors = Factors { terms, time: &time, rows: &rows, cols: &cols };
            for filter in [Ok(direct), direct.with_checked_factors(factors)].into_iter().flatten() {
                let halves =
                    |t, (state, scratch, x, y): Slices<'_, T>| filter.advance_with(cut::<T>(), t, state, scratch, x, y);
                compare(&filter, halves, &recording).map_err(|error| format!("halves: {error}"))?;
                let scalar = |t, (state, scratch, x, y): Slices<'_, T>| {
                    filter.advance_with(Engine { lanes: Scalar, splitter: Halves }, t, state, scratch, x, y)
                };
                compare(&filter, scalar, &recording).map_err(|error| format!("halves of scalars: {error}"))?;
            }
        }
        _ => (),
    }
    Ok(())
}

#[test]
fn convolutions_in_halves() {
    for layers in [random::conv3d as random::Layers, random::spectral, random::conv1d, random::smooth_conv] {
        check(CASES / 2, (trial(layers), 1..4_usize), |((spec, shape, recording), terms)| {
            let trial = (spec, shape, recording, terms);
            halves_of_convolutions::<f32>(trial.clone()).and_then(|()| halves_of_convolutions::<f64>(trial))
        });
    }
}

/// Filters with an engine and without convolutions, cut as finely as can be. (A receptive field adds its lanes up, so that
/// its bits are those of one width of vectors; the reproducible ones are equally wide everywhere.)
fn halves_of_others<T: Sample>((spec, shape, recording): (Spec, Shape, Recording)) -> Result<(), String> {
    let text = |error: foveola_core::Error| error.to_string();
    match spec {
        Spec::Rf { weight, pad, .. } => {
            let (out, ins, kt, kh, kw) = weight.dim();
            let (weights, bias) = (samples::<T>(weight), samples::<T>(noise(4, out)));
            let kernel = Kernel { weights: &weights, shape: [out, ins, kt, kh, kw], bias: &bias };
            let filter = Rf::from_checked(shape, kernel, pad).map_err(text)?;
            compare(
                &filter,
                |t, (state, scratch, x, y)| filter.advance_with(cut::<T>(), t, state, scratch, x, y),
                &recording,
            )
        }
        Spec::LowPass { tau } => {
            let filter = LowPass::new(shape, Decay::new(tau, 1000.0).map_err(text)?);
            compare(&filter, |t, (state, _, x, y)| Ok(filter.advance_with(cut::<T>(), t, state, x, y)), &recording)
        }
        Spec::HighPass { tau, k } => {
            let filter = HighPass::new(shape, Decay::new(tau, 1000.0).map_err(text)?, k).map_err(text)?;
            compare(&filter, |t, (state, _, x, y)| Ok(filter.advance_with(cut::<T>(), t, state, x, y)), &recording)
        }
        Spec::Pointwise(function) => {
            let filter = Pointwise::new(shape, function).map_err(text)?;
            compare(&filter, |_, (_, _, x, y)| Ok(filter.advance_with(cut::<T>(), x, y)), &recording)
        }
        Spec::Diff => {
            let filter = Diff::new(shape);
            compare(&filter, |_, (state, _, x, y)| Ok(filter.advance_with(cut::<T>(), state, x, y)), &recording)
        }
        _ => Ok(()),
    }
}

#[test]
fn other_filters_in_halves() {
    let layers = [random::rf as random::Layers, random::low_pass, random::high_pass, random::pointwise, random::diff];
    for layers in layers {
        check(CASES / 2, trial(layers), |trial| {
            halves_of_others::<f32>(trial.clone()).and_then(|()| halves_of_others::<f64>(trial))
        });
    }
    // Receptive fields of more channels and wider than four vectors.
    let wide = (1..4_usize, 30..90_usize, 1..20_usize, proptest::prelude::any::<u64>(), random::recording());
    check(CASES / 2, wide, |(rows, cols, out, seed, recording)| {
        let weight = random::array(seed, (out, 1, 2, rows, cols - 3));
        let pad = Some(PadMode::Mirror);
        halves_of_others::<f32>((Spec::Rf { weight, flip: true, pad }, Shape::new(1, rows, cols), recording))
    });
    // One frame of one pixel has no halves.
    let recording = Recording { seed: 1, batch: 1, cuts: vec![1, 2] };
    let rectify = Spec::Pointwise(Nonlinearity::Rectify);
    halves_of_others::<f32>((rectify, Shape::new(1, 1, 1), recording)).expect("the same bits");
}

/// Twelve frames through every filter: the first three as one chunk, then one by one.
fn outputs<T: Sample>() -> Vec<(&'static str, Vec<f64>)> {
    outputs_of(&Bank::<T>::default(), 1.0, &[3, 1, 1, 1, 1, 1, 1, 1, 1, 1], T::from_f64)
}

/// The outputs for frames of noise below `scale` in pieces of `cuts`.
fn outputs_of<T: Sample>(
    bank: &Bank<T>,
    scale: f64,
    cuts: &[usize],
    sample: impl Fn(f64) -> T,
) -> Vec<(&'static str, Vec<f64>)> {
    let through = |(name, stage)| {
        let nodes = [Node::Filter(Source::Input, stage)];
        let graph = Graph::new(SHAPE, &nodes).expect("a filter that takes the frames");
        let signature = graph.signature();
        let mut state = vec![T::one(); signature.state];
        let mut scratch = vec![T::one(); signature.scratch.len(12)];
        let (mut t, mut found) = (0, Vec::new());
        for frames in cuts {
            let input: Vec<T> =
                (t..t + *frames as u64).flat_map(|t| noise(t, SHAPE.len())).map(|x| sample(x * scale)).collect();
            let mut out = vec![T::zero(); signature.frames_out(t, *frames) * signature.output.len()];
            graph.run(t, &mut state, &mut scratch, &input, &mut out).expect("lengths that fit");
            found.extend(out.iter().map(|y| y.to_f64()));
            t += *frames as u64;
        }
        (name, found)
    };
    bank.stages(SHAPE).into_iter().map(through).collect()
}

/// Largest error of a filter in steps of 2^-16, for samples below 1, weights below 1/4 and gains of 1/4 and 1/2
/// (which are exact). A rounded sample is half a step off.
///
/// - moved samples: half a step; a difference or a mean: one; a sum over n: n/2;
/// - a tap: the weight times half a step (1/8), the sample times half a step of the weight (1/2), the product's
///   rounding (1/2): below 9/8; and half a step for the bias;
/// - a low-pass of gain g: half a step each for the sample and, divided by g, for the product: 1/2 + 2 for g = 1/4;
///   each stage passes on what it is given;
/// - `bias + scale x`: 3/4 for the sample, 1/2 for the product: below 2, and squared, of a value below 2: below 9.
fn steps(name: &str) -> f64 {
    match name {
        "mirror" | "ones" | "delay" | "delay with a length" | "variable delay" | "rectify" | "finite" => 0.5,
        "mean" | "diff" | "sum of channels" => 1.0,
        "sum of rows" => 2.5,
        "sum of columns" => 4.5,
        "conv3d" => 9.0 / 8.0 * 90.0 + 0.5,
        "conv3d, strided" => 9.0 / 8.0 * 24.0 + 0.5,
        "conv3d, valid" => 9.0 / 8.0 * 18.0 + 0.5,
        "conv2d" => 9.0 / 8.0 * 42.0 + 0.5,
        "conv1d" => 9.0 / 8.0 * 8.0 + 0.5,
        "rf" => 9.0 / 8.0 * 80.0 + 0.5,
        // 1/270 is off by half a step, its factor below 270; the mean of the samples' own errors and the product: 1.
        "uniform rf" => 136.0,
        "low-pass" => 2.5,
        "high-pass" => 0.5 * 2.5 + 1.0,
        // Half a step for the product of each of twelve frames, and one for the sample at most.
        "compensated low-pass" => 7.0,
        "compensated high-pass" => 0.5 * 7.0 + 1.0,
        // 30 taps over stages that are 2.5 and 2.5 + 1 off, the larger for all: 3.5/4 + 1/2 + 1/2 each.
        "smooth conv" => 30.0 * 1.875,
        // As above, over stages that are at most 7 off: 7/4 + 1/2 + 1/2 each.
        "compensated smooth conv" => 30.0 * 2.75,
        "components" => 15.0 * 1.875,
        "rectify scale" => 2.0,
        "square" | "rectify square" => 9.0,
        // Two steps of `bias + scale x`, times the steepest slope: exp(2), 1, 1/4; and half a step of the result.
        "exponential" => 2.0 * 7.4 + 0.5,
        "softplus" => 2.5,
        "logistic" => 1.0,
        other => panic!("no bound for {other}"),
    }
}

#[test]
fn every_filter_in_fixed_point() {
    for ((name, fixed), (_, float)) in outputs::<Q16>().into_iter().zip(outputs::<f32>()) {
        assert_eq!(fixed.len(), float.len(), "{name}");
        // f32 itself is off by less than a hundredth of a step for values of a few units.
        let bound = steps(name) + 0.05;
        let worst = fixed.iter().zip(&float).fold(0.0_f64, |max, (a, b)| max.max((a - b).abs() / Q16::STEP));
        assert!(worst <= bound, "{name}: {worst} steps off; expected at most {bound}");
        assert!(float.iter().any(|y| *y != 0.0), "{name} yields nothing but zeros");
    }
}

/// Largest error of a filter in steps of 2^-15, for samples and weights that are whole steps: what each rounding adds, by half a
/// step, and a recursion of gain g by 1/g times that.
fn steps_of_16_bits(name: &str) -> f64 {
    let (taps, weight) = (15.0, 0.25);
    match name {
        // 1 is 32767 steps.
        "ones" => 1.0,
        "mirror" | "delay" | "delay with a length" | "variable delay" | "rectify" | "finite" | "diff" => 0.0,
        "sum of channels" | "sum of rows" | "sum of columns" => 0.0,
        "mean" | "conv3d" | "conv3d, strided" | "conv3d, valid" | "conv2d" | "conv1d" | "rf" => 0.5,
        // Frames, and frames together.
        "uniform rf" => 1.5,
        "low-pass" => 2.0,
        "high-pass" => 0.5 * 2.0 + 0.5,
        // The state has 15 more bits.
        "compensated low-pass" => 0.51,
        "compensated high-pass" => 0.5 * 0.51 + 0.5,
        // Stages that are 2 and 2 + 1 off; 1 and 1 + 0.5.
        "smooth conv" => taps * weight * (2.0 + 3.0) + 0.5,
        "compensated smooth conv" => taps * weight * (1.0 + 1.5) + 0.5,
        "components" => taps * weight * 3.0 + 0.5,
        "rectify scale" => 0.5,
        // The slope is below 1.
        "square" | "rectify square" | "exponential" | "softplus" | "logistic" => 1.0,
        other => panic!("no bound for {other}"),
    }
}

/// In samples of 16 bits every filter keeps the first law to the bit, and is as near to the exact result as its roundings allow.
#[test]
fn every_filter_in_16_bits() {
    // Sums of samples stay in range.
    let scale = 1.0 / 16.0;
    let of = |cuts: &[usize]| outputs_of(&Bank::<Q15>::default(), scale, cuts, Q15::from_f64);
    let one_by_one = [3, 1, 1, 1, 1, 1, 1, 1, 1, 1];
    let found = of(&one_by_one);
    for cuts in [&[3, 9][..], &[3, 2, 4, 3], &[3, 1, 8]] {
        for ((name, pieces), (_, found)) in of(cuts).into_iter().zip(&found) {
            let differs = (0..found.len()).find(|i| pieces.get(*i) != found.get(*i));
            // Time padding gives its past with every piece.
            assert!(differs.is_none() || pieces.len() != found.len(), "{name} in pieces of {cuts:?}: {differs:?}");
        }
    }
    let rounded = |x: f64| Q15::from_f64(x).to_f64();
    let exact = outputs_of(&Bank::<f64>::rounded_to::<Q15>(), scale, &one_by_one, rounded);
    for ((name, found), (_, exact)) in found.into_iter().zip(exact) {
        assert_eq!(found.len(), exact.len(), "{name}");
        let off = |(found, exact): (&f64, &f64)| (found - exact.clamp(-1.0, Q15::MAX.to_f64())).abs() * 32768.0;
        let worst = found.iter().zip(&exact).map(off).fold(0.0, f64::max);
        let bound = steps_of_16_bits(name) + 1e-6;
        assert!(worst <= bound, "{name}: {worst} steps off; expected at most {bound}");
        // A rectifier of a negative bias yields zeros.
        assert!(found.iter().any(|y| *y != 0.0) || name.starts_with("rectify "), "{name} yields nothing but zeros");
    }
}
