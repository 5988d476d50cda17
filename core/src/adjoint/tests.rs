//! `<A x, y> = <x, A* y>` in `f64` over random recordings and cuts; gradients of parameters against central differences; `f32`
//! against `f64`.

extern crate std;

mod conv;
mod graph;
mod rf;
mod smooth_conv;

use super::{Adjoint, Chunk, FirstGradient, Gradient, Memory, Parameters};
use crate::lanes::MOST_LANES;
use crate::{
    Axis, Decay, Delay, Diff, Filter, Finite, First, HighPass, LowPass, Nonlinearity, PadMode, Pointwise, Sample,
    Shape, Sum, TimePadding, VariableDelay,
};
use foveola_seeds::cases;
use std::{format, string::String, vec, vec::Vec};

/// A stream of random numbers (`splitmix64`).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(test: &str) -> Self {
        Self(foveola_seeds::seed(test))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    /// From `from` to `to`, both included.
    pub(super) fn whole(&mut self, from: usize, to: usize) -> usize {
        from + (self.next() % (to - from + 1) as u64) as usize
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.whole(0, all.len() - 1)]
    }

    /// From -1 to 1.
    pub(super) fn samples(&mut self, len: usize) -> Vec<f64> {
        (0..len).map(|_| (self.next() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0).collect()
    }

    /// Lengths of chunks, the first of `first` frames, that sum to `frames`.
    pub(super) fn cuts(&mut self, first: usize, frames: usize) -> Vec<usize> {
        let (mut cuts, mut left) = (vec![first], frames - first);
        while left > 0 {
            let chunk = self.whole(0, left);
            cuts.push(chunk);
            left -= chunk;
        }
        cuts
    }

    pub(super) fn shape(&mut self, most: usize) -> Shape {
        Shape::new(self.whole(1, 3), self.whole(1, most), self.whole(1, most))
    }
}

pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len(), "lengths");
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// The output of a filter over a recording in chunks, and its state before each of them.
pub(super) fn forward<T: Sample>(filter: &dyn Filter<T>, cuts: &[usize], x: &[T]) -> (Vec<T>, Vec<Vec<T>>) {
    let signature = filter.signature();
    let (mut state, mut t, mut out, mut states) = (vec![T::zero(); signature.state], 0, Vec::new(), Vec::new());
    for frames in cuts {
        let input = &x[t * signature.input.len()..][..frames * signature.input.len()];
        let mut output = vec![T::zero(); signature.frames_out(t as u64, *frames) * signature.output.len()];
        if t == 0 && *frames > 0 {
            filter.start(&mut state, First::alone(input));
        }
        states.push(state.clone());
        if *frames > 0 {
            let mut scratch = vec![T::zero(); signature.scratch.len(*frames)];
            filter.advance(t as u64, &mut state, &mut scratch, input, &mut output).unwrap();
        }
        out.extend(output);
        t += frames;
    }
    (out, states)
}

/// Gradients of a recording and of the parameters: weights, bias, gains, scale.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) input: Vec<f64>,
    pub(super) parameters: [Vec<f64>; 4],
}

/// All gradients of `<A x, y>`. Scratch and `grad_in` hold NaN before.
pub(super) fn backward<T: Sample>(
    filter: &dyn Filter<T>,
    adjoint: &dyn Adjoint<T>,
    cuts: &[usize],
    x: &[f64],
    y: &[f64],
) -> Found {
    let [x, y] = [x, y].map(|x| x.iter().map(|x| T::from_f64(*x)).collect::<Vec<T>>());
    let (needs, nan) = (adjoint.needs(), T::from_f64(f64::NAN));
    assert_eq!(needs.filter, filter.signature(), "signature");
    let (_, mut states) = forward(filter, cuts, &x);
    let mut state = vec![T::zero(); needs.state];
    let lengths = needs.parameters;
    let mut parameters = [lengths.weights, lengths.bias, lengths.gains, lengths.scale].map(|len| vec![0.0; len]);
    let mut grad_in = vec![nan; x.len()];
    let most = cuts.iter().copied().max().unwrap_or(0);
    let needed = needs.scratch.larger(needs.scratch_of_parameters).len(most);
    let mut scratch = vec![nan; needed];
    let (len, mut t, mut outs) = (needs.filter.input.len(), cuts.iter().sum::<usize>(), y.len());
    for (frames, before) in cuts.iter().zip(&mut states).rev() {
        t -= frames;
        let written = needs.filter.frames_out(t as u64, *frames) * needs.filter.output.len();
        outs -= written;
        let range = t * len..(t + frames) * len;
        let [weights, bias, gains, scale] = &mut parameters;
        adjoint
            .backward(
                Chunk { t: t as u64, input: &x[range.clone()], grad_out: &y[outs..][..written] },
                Memory {
                    state: &mut state,
                    scratch: &mut scratch,
                    grad_in: &mut grad_in[range],
                    parameters: Parameters { state: before, gradient: Gradient { weights, bias, gains, scale } },
                },
            )
            .unwrap();
    }
    adjoint.finish(&mut state, &mut scratch, FirstGradient::alone(&mut grad_in[..cuts[0] * len])).unwrap();
    Found { input: grad_in.iter().map(|x| x.to_f64()).collect(), parameters }
}

/// Largest difference, relative to the largest magnitude.
pub(super) fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "lengths");
    let most = a.iter().chain(b).fold(1e-300, |most: f64, x| most.max(x.abs()));
    a.iter().zip(b).fold(0.0, |most, (a, b)| if (a - b).abs() <= most { most } else { (a - b).abs() }) / most
}

/// A filter in both sample types, and its adjoint.
pub(super) struct Case<'a> {
    pub(super) double: (&'a dyn Filter<f64>, &'a dyn Adjoint<f64>),
    pub(super) single: (&'a dyn Filter<f32>, &'a dyn Adjoint<f32>),
}

impl<'a> Case<'a> {
    pub(super) fn of<F: Filter<f64> + Adjoint<f64> + Filter<f32> + Adjoint<f32>>(filter: &'a F) -> Self {
        Self { double: (filter, filter), single: (filter, filter) }
    }

    /// Checks the gradients of `frames` frames at random cuts. With `affine`, `<A x, y> = <x, A* y>`; else the derivative along a
    /// random direction.
    pub(super) fn check(&self, random: &mut Random, frames: usize, affine: bool) -> Result<(), String> {
        let (filter, adjoint) = self.double;
        let signature = filter.signature();
        let first = random.whole(1, frames);
        let cuts = random.cuts(first, frames);
        let x = random.samples(frames * signature.input.len());
        let (out, _) = forward(filter, &cuts, &x);
        let y = random.samples(out.len());
        let found = backward(filter, adjoint, &cuts, &x, &y);

        if affine {
            let (zero, _) = forward(filter, &cuts, &vec![0.0; x.len()]);
            let linear: Vec<f64> = out.iter().zip(&zero).map(|(a, b)| a - b).collect();
            let (left, right) = (dot(&linear, &y), dot(&x, &found.input));
            let size = dot(&linear, &linear).sqrt() * dot(&y, &y).sqrt();
            if (left - right).abs() > 1e-12 * size {
                return Err(format!("cuts {cuts:?}: <A x, y> is {left}, <x, A* y> {right}"));
            }
        } else {
            let direction = random.samples(x.len());
            let along = |h: f64| {
                let moved: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + h * d).collect();
                dot(&forward(filter, &cuts, &moved).0, &y)
            };
            let (expected, slope) = ((along(1e-6) - along(-1e-6)) / 2e-6, dot(&found.input, &direction));
            if (expected - slope).abs() > 1e-6 * (1.0 + expected.abs()) {
                return Err(format!("cuts {cuts:?}: slope {slope}; expected {expected}"));
            }
        }
        // Other cuts after the first, unless they change the output.
        let other = if signature.lead == 0 { random.cuts(first, frames) } else { cuts.clone() };
        let again = backward(filter, adjoint, &other, &x, &y);
        let all = |found: &Found| {
            let parameters = found.parameters.clone();
            parameters.into_iter().chain([found.input.clone()]).collect::<Vec<_>>()
        };
        let single = backward(self.single.0, self.single.1, &cuts, &x, &y);
        let names = ["weights", "bias", "gains", "scale", "input"];
        for (name, ((found, again), single)) in names.iter().zip(all(&found).iter().zip(all(&again)).zip(all(&single)))
        {
            let cut = difference(found, &again);
            if cut > 1e-13 * frames as f64 {
                return Err(format!("the gradient of the {name} differs by {cut} for {cuts:?} and {other:?}"));
            }
            let rounding = difference(found, &single);
            if rounding.is_nan() || rounding > 1e-4 {
                return Err(format!("cuts {cuts:?}: the gradient of the {name} in f32 differs by {rounding}"));
            }
        }
        Ok(())
    }
}

/// The gradient of one parameter against the central difference of `<A x, y>`; `with(h)` is the filter with the parameter moved.
pub(super) fn check_parameter(
    (found, step): (f64, f64),
    (cuts, x, y): (&[usize], &[f64], &[f64]),
    with: impl Fn(f64, &mut dyn FnMut(&dyn Filter<f64>)),
) -> Result<(), String> {
    let along = |h: f64| {
        let mut value = 0.0;
        with(h, &mut |filter| value = dot(&forward(filter, cuts, x).0, y));
        value
    };
    let expected = (along(step) - along(-step)) / (2.0 * step);
    if (found - expected).abs() <= 1e-6 * (1.0 + expected.abs()) {
        return Ok(());
    }
    Err(format!("the derivative is {found}; expected {expected}"))
}

/// The same numbers in another type.
fn cast<T: Sample>(x: &[f64]) -> Vec<T> {
    x.iter().map(|x| T::from_f64(*x)).collect()
}

#[test]
fn filters_in_time() {
    let mut random = Random::new("filters_in_time");
    for trial in 0..cases(60) {
        let (shape, frames) = (random.shape(6), random.whole(1, 12));
        let (delay, length) = (random.whole(0, 6), random.whole(0, 6));
        let gain = random.one_of(&[1.0, 0.9, 0.3, 0.01, 1e-4]);
        let decay = Decay::from_gain(gain).unwrap();
        let k = random.samples(1)[0];
        let mode = random.one_of(&PadMode::NAMES).1;
        let delays: Vec<u32> = (0..shape.pixels()).map(|_| random.whole(0, 5) as u32).collect();
        let checks = [
            ("variable delay", Case::of(&VariableDelay::new(shape, &delays).unwrap()).check(&mut random, frames, true)),
            ("low-pass", Case::of(&LowPass::new(shape, decay)).check(&mut random, frames, true)),
            ("high-pass", Case::of(&HighPass::new(shape, decay, k).unwrap()).check(&mut random, frames, true)),
            ("difference", Case::of(&Diff::new(shape)).check(&mut random, frames, true)),
            ("delay", Case::of(&Delay::new(shape, delay, length)).check(&mut random, frames, true)),
            ("padding", Case::of(&TimePadding::new(shape, length, mode)).check(&mut random, frames, true)),
            ("guard", Case::of(&Finite::new(shape)).check(&mut random, frames, true)),
        ];
        for (name, result) in checks {
            if let Err(error) = result {
                panic!("trial {trial}, {name} of {shape}, gain {gain}, delay {delay}, {length} {mode:?}: {error}");
            }
        }
    }
}

#[test]
fn filters_of_a_sample() {
    let mut random = Random::new("filters_of_a_sample");
    for trial in 0..cases(20) {
        let (shape, frames) = (random.shape(9), random.whole(1, 6));
        let [scale, bias] = [random.samples(1)[0] * 2.0, random.samples(1)[0]];
        for function in [Nonlinearity::Rectify].into_iter().chain(Nonlinearity::scaled(scale, bias)) {
            let filter = Pointwise::new(shape, function).unwrap();
            let result = Case::of(&filter).check(&mut random, frames, false);
            assert_eq!(result, Ok(()), "trial {trial}, {function:?} of {shape}");
        }
        for axis in [Axis::Channel, Axis::Row, Axis::Col] {
            let result = Case::of(&Sum::new(shape, axis)).check(&mut random, frames, true);
            assert_eq!(result, Ok(()), "trial {trial}, {axis:?} of {shape}");
        }
    }
}

#[test]
fn gains_and_scales() {
    let mut random = Random::new("gains_and_scales");
    for trial in 0..cases(40) {
        let (shape, frames) = (random.shape(5), random.whole(2, 15));
        let cuts = random.cuts(1, frames);
        let [x, y] = [0; 2].map(|_| random.samples(frames * shape.len()));
        let data = (&cuts[..], &x[..], &y[..]);
        let (tau, fs) = (random.one_of(&[0.0015, 0.02, 0.5]), 1000.0);
        let [k, scale, bias] = [0; 3].map(|_| random.samples(1)[0]);
        let decay = Decay::new(tau, fs).unwrap();

        let low_pass = LowPass::new(shape, decay);
        let found = backward::<f64>(&low_pass, &low_pass, &cuts, &x, &y).parameters;
        let of_tau = found[2][0] * decay.derivative(tau, fs);
        let result = check_parameter((of_tau * 1e-3, 1e-4), data, |h, value| {
            value(&LowPass::new(shape, Decay::new(tau + h * 1e-3, fs).unwrap()));
        });
        assert_eq!(result, Ok(()), "trial {trial}, low-pass of {tau} s");

        let high_pass = |decay, k| HighPass::new(shape, decay, k).unwrap();
        let found = backward::<f64>(&high_pass(decay, k), &high_pass(decay, k), &cuts, &x, &y).parameters;
        let of_tau = found[2][0] * decay.derivative(tau, fs);
        let result = check_parameter((of_tau * 1e-3, 1e-4), data, |h, value| {
            value(&high_pass(Decay::new(tau + h * 1e-3, fs).unwrap(), k));
        });
        assert_eq!(result, Ok(()), "trial {trial}, high-pass of {tau} s");
        let result = check_parameter((found[3][0], 1e-3), data, |h, value| value(&high_pass(decay, k + h)));
        assert_eq!(result, Ok(()), "trial {trial}, weight of a high-pass");

        let functions: [fn(f64, f64) -> Nonlinearity; 6] = [
            |scale, bias| Nonlinearity::RectifyScale { scale, bias },
            |scale, bias| Nonlinearity::Square { scale, bias },
            |scale, bias| Nonlinearity::RectifySquare { scale, bias },
            |scale, bias| Nonlinearity::Exponential { scale, bias },
            |scale, bias| Nonlinearity::Softplus { scale, bias },
            |scale, bias| Nonlinearity::Logistic { scale, bias },
        ];
        for function in functions {
            let filter = |scale, bias| Pointwise::new(shape, function(scale, bias)).unwrap();
            let found = backward::<f64>(&filter(scale, bias), &filter(scale, bias), &cuts, &x, &y).parameters;
            let of_scale = check_parameter((found[3][0], 1e-6), data, |h, value| value(&filter(scale + h, bias)));
            let of_bias = check_parameter((found[1][0], 1e-6), data, |h, value| value(&filter(scale, bias + h)));
            assert_eq!((of_scale, of_bias), (Ok(()), Ok(())), "trial {trial}, {:?}", function(scale, bias));
        }
    }
}

/// `mean` averages over all streams of a batch, so each receives a share of the gradient of every stream's padding.
#[test]
fn the_mean_of_a_batch() {
    let (mut random, shape, frames, length) = (Random::new("the_mean_of_a_batch"), Shape::new(1, 2, 3), 2, 3);
    let padding = TimePadding::new(shape, length, PadMode::Mean);
    let (of_in, of_out) = (frames * shape.len(), (frames + length) * shape.len());
    let (x, y) = (random.samples(2 * of_in), random.samples(2 * of_out));
    let mut grad_in = vec![0.0; 2 * of_in];
    let mut states: [Vec<f64>; 2] = [0; 2].map(|_| vec![0.0; length * shape.len()]);
    let (mut left, mut right) = (0.0, 0.0);
    for (i, state) in states.iter_mut().enumerate() {
        let (input, grad_out) = (&x[i * of_in..][..of_in], &y[i * of_out..][..of_out]);
        let (mut forward, mut out) = (state.clone(), vec![0.0; of_out]);
        padding.start(&mut forward, First { frames: input, batch: &x });
        padding.advance(0, &mut forward, &mut [], input, &mut out).unwrap();
        left += dot(&out, grad_out);
        let chunk = Chunk { t: 0, input, grad_out };
        let memory = Memory { state, grad_in: &mut grad_in[i * of_in..][..of_in], ..Memory::default() };
        padding.backward(chunk, memory).unwrap();
    }
    for (i, state) in states.iter_mut().enumerate() {
        padding.finish(state, &mut [], FirstGradient::of_batch(&mut grad_in, i, 2).unwrap()).unwrap();
    }
    right += dot(&x, &grad_in);
    assert!((left - right).abs() < 1e-12, "{left} and {right}");
    assert!(FirstGradient::of_batch(&mut grad_in, 2, 2).is_err(), "no such stream");
    assert!(FirstGradient::of_batch(&mut grad_in[1..], 0, 2).is_err(), "streams of unequal length");
}

/// Lengths that do not fit are refused, and nothing is changed.
#[test]
fn wrong_lengths_are_refused() {
    let filter = LowPass::new(Shape::new(1, 1, 2), Decay::from_gain(0.5).unwrap());
    let run =
        |input: usize, grad_out: usize, state: usize, grad_in: usize, before: usize, gains: usize, scale: usize| {
            let (mut grad_in, mut gains, mut scale) = (vec![7.0; grad_in], vec![0.0; gains], vec![0.0; scale]);
            let chunk = Chunk { t: 0, input: &vec![1.0; input], grad_out: &vec![1.0; grad_out] };
            let gradient = Gradient { gains: &mut gains, scale: &mut scale, ..Gradient::default() };
            let parameters = Parameters { state: &mut vec![0.0; before], gradient };
            let (state, scratch) = (&mut vec![0.0; state], &mut [0.0; MOST_LANES]);
            let result = filter.backward(chunk, Memory { state, scratch, grad_in: &mut grad_in, parameters });
            assert!(result.is_ok() || grad_in.iter().all(|x| *x == 7.0), "nothing is changed");
            result
        };
    assert_eq!(run(4, 4, 2, 4, 2, 1, 0), Ok(()));
    assert_eq!(run(4, 4, 2, 4, 0, 0, 0), Ok(()), "no parameters");
    for [input, grad_out, state, grad_in, before, gains, scale] in [
        [3, 4, 2, 4, 2, 1, 0],
        [4, 2, 2, 4, 2, 1, 0],
        [4, 4, 1, 4, 2, 1, 0],
        [4, 4, 2, 2, 2, 1, 0],
        [4, 4, 2, 0, 2, 1, 0],
        [4, 4, 2, 4, 0, 1, 0],
        [4, 4, 2, 4, 2, 2, 0],
        [4, 4, 2, 4, 2, 1, 1],
    ] {
        assert!(run(input, grad_out, state, grad_in, before, gains, scale).is_err(), "{input} {grad_out} {state} …");
    }
}
