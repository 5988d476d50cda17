//! The reproducible promise: vectors give the same bits as one sample at a time, whatever their width, in `f32` and
//! `f64`. And nothing in `core` assumes a float: every filter runs in fixed point.

use foveola_core::lanes::Scalar;
use foveola_core::{
    Conv3d, ConvOptions, Decay, Engine, Filter, First, Graph, Kernel, Node, Sample, Shape, SmoothConv, Source,
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
    let fresh = || (vec![T::zero(); signature.state], vec![T::zero(); signature.scratch.len(1)]);
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
    let filter = Conv3d::new(shape, kernel, ConvOptions { border, pad, stride, dilation, groups });
    let filter = filter.map_err(|error| error.to_string())?;
    let scalar =
        |t, (state, scratch, x, y): Slices<'_, T>| filter.advance_with(Engine::alone(Scalar), t, state, scratch, x, y);
    compare(&filter, scalar, &recording)
}

fn smooth_conv<T: Sample>((spec, shape, recording): (Spec, Shape, Recording)) -> Result<(), String> {
    let Spec::SmoothConv { taus, spatial, border, components } = spec else { return Ok(()) };
    let decays: Result<Vec<_>, _> = taus.iter().map(|tau| Decay::new(*tau, 1000.0)).collect();
    let decays = decays.map_err(|error| error.to_string())?;
    let (weights, (_, rows, cols)) = (samples::<T>(spatial.iter().map(|w| w / 3.0)), spatial.dim());
    let filter = SmoothConv::new(shape, &decays, &weights, [rows, cols], border).map_err(|error| error.to_string())?;
    let filter = if components { filter.components() } else { filter };
    let scalar =
        |_, (state, scratch, x, y): Slices<'_, T>| filter.advance_with(Engine::alone(Scalar), state, scratch, x, y);
    compare(&filter, scalar, &recording)
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

/// Twelve frames through every filter: the first three as one chunk, then one by one.
fn outputs<T: Sample>() -> Vec<(&'static str, Vec<f64>)> {
    let bank = Bank::<T>::default();
    let through = |(name, stage)| {
        let nodes = [Node::Filter(Source::Input, stage)];
        let graph = Graph::new(SHAPE, &nodes).expect("a filter that takes the frames");
        let signature = graph.signature();
        let mut state = vec![T::one(); signature.state];
        let mut scratch = vec![T::one(); signature.scratch.len(3)];
        let (mut t, mut found) = (0, Vec::new());
        for frames in [3, 1, 1, 1, 1, 1, 1, 1, 1, 1] {
            let input: Vec<T> = samples(noise(t, frames * SHAPE.len()));
            let mut out = vec![T::zero(); signature.frames_out(t, frames) * signature.output.len()];
            graph.run(t, &mut state, &mut scratch, &input, &mut out).expect("lengths that fit");
            found.extend(out.iter().map(|y| y.to_f64()));
            t += frames as u64;
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
        // 30 taps over stages that are 2.5 and 2.5 + 1 off, the larger for all: 3.5/4 + 1/2 + 1/2 each.
        "smooth conv" => 30.0 * 1.875,
        "components" => 15.0 * 1.875,
        "rectify scale" => 2.0,
        "square" | "rectify square" => 9.0,
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
