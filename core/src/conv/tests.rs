//! Tests of the convolutions against the sum that defines them, index by index in `f64`: every width around those of
//! vectors and tiles, every form of kernel, in chunks of several lengths.

extern crate std;
use super::{Border, Conv3d, ConvOptions, Factors, Kernel};
use crate::cases::tests::Known;
use crate::engine::{Engine, Halves, WorkSplitter};
use crate::lanes::{Lanes, OF_F32, Plain, Scalar};
use crate::{Filter, PadFrame, PadMode, Q15, Sample, Shape};
use proptest::prelude::*;
use std::string::String;
use std::{format, vec, vec::Vec};

/// Samples that differ everywhere, in eighths, so that every sum of products is exact in `f32` in any order.
fn samples(seed: usize, len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 37 + seed * 101 + i * i % 13) % 29) as f32 / 8.0 - 1.75).collect()
}

/// Lanes for which a sample by itself costs as much as `SPREAD` pixels: with 1, even dense frames are spread, and with 0 none.
#[derive(Clone, Copy)]
struct At<L, const SPREAD: usize>(L);

impl<L: Lanes<f32>, const SPREAD: usize> Lanes<f32> for At<L, SPREAD> {
    type Vector = L::Vector;
    const WIDTH: usize = L::WIDTH;
    const COLUMNS: usize = L::COLUMNS;
    const SPREAD: usize = SPREAD;
    const PLAIN: bool = L::PLAIN;
    const LOOPS: bool = L::LOOPS;

    fn splat(self, value: f32) -> L::Vector {
        self.0.splat(value)
    }

    fn load(self, from: &[f32]) -> L::Vector {
        self.0.load(from)
    }

    fn store(self, vector: L::Vector, to: &mut [f32]) {
        self.0.store(vector, to);
    }

    fn multiply_add(self, acc: L::Vector, x: L::Vector, w: L::Vector) -> L::Vector {
        self.0.multiply_add(acc, x, w)
    }
}

/// The parameters of the sum.
#[derive(Clone, Copy, Debug)]
struct Case {
    input: Shape,
    kernel: [usize; 5],
    options: ConvOptions,
}

impl Case {
    /// The output of the frames of `x` for a first chunk of `first` frames, straight from the equation of the module.
    fn expected(&self, x: &[f32], first: usize, weights: &[f32], bias: &[f32]) -> Vec<f64> {
        let Self { input, kernel: [outs, ins, kt, kh, kw], options } = *self;
        let ConvOptions { border, pad, stride, dilation, groups } = options;
        let extent = [kt, kh, kw].iter().zip(dilation).map(|(k, d)| d * (k - 1) + 1).collect::<Vec<_>>();
        let frames = x.len() / input.len();
        let sample = |t: isize, i: usize, r: isize, c: isize| -> f64 {
            let inside = |index: isize, len: usize| match border {
                Some(border) => border.index(index, len),
                None => usize::try_from(index).ok().filter(|index| *index < len),
            };
            let (Some(r), Some(c)) = (inside(r, input.rows), inside(c, input.cols)) else { return 0.0 };
            let at = |t: usize| f64::from(x[((t * input.channels + i) * input.rows + r) * input.cols + c]);
            match (usize::try_from(t), pad) {
                (Ok(t), _) => at(t),
                (Err(_), Some(pad)) => match pad.frame(t.unsigned_abs(), first) {
                    PadFrame::Frame(t) => at(t),
                    PadFrame::One => 1.0,
                    PadFrame::Zero => 0.0,
                    PadFrame::Mean => unreachable!("no case has it"),
                },
                (Err(_), None) => unreachable!("no output before the kernel is filled"),
            }
        };
        let before = |axis: usize| if border.is_some() { extent[axis] / 2 } else { 0 };
        let count = |axis: usize, len: usize| {
            let around = if border.is_some() { extent[axis] - 1 } else { 0 };
            (len + around - extent[axis]) / stride[axis] + 1
        };
        let warm_up = if pad.is_some() { 0 } else { extent[0] - 1 };
        let mut out = Vec::new();
        for t in (warm_up..frames).step_by(stride[0]) {
            for o in 0..outs {
                for r in 0..count(1, input.rows) {
                    for c in 0..count(2, input.cols) {
                        let mut sum = bias.get(o).copied().map_or(0.0, f64::from);
                        for i in 0..ins {
                            for a in 0..kt {
                                for b in 0..kh {
                                    for e in 0..kw {
                                        let w = weights[(((o * ins + i) * kt + a) * kh + b) * kw + e];
                                        let t = t as isize - (dilation[0] * (kt - 1 - a)) as isize;
                                        let r = (stride[1] * r + dilation[1] * b) as isize - before(1) as isize;
                                        let c = (stride[2] * c + dilation[2] * e) as isize - before(2) as isize;
                                        sum += f64::from(w) * sample(t, o / (outs / groups) * ins + i, r, c);
                                    }
                                }
                            }
                        }
                        out.push(sum);
                    }
                }
            }
        }
        out
    }

    /// The filter in chunks of the given lengths, with the vectors and threads of `engine`.
    fn found<L: Lanes<f32>, F: WorkSplitter>(
        &self,
        engine: Engine<L, F>,
        cuts: &[usize],
        x: &[f32],
        kernel: Kernel<'_>,
    ) -> Vec<f32> {
        Self::run(&Conv3d::new(self.input, kernel, self.options).unwrap(), engine, cuts, x)
    }

    fn run<T: Sample, L: Lanes<T>, F: WorkSplitter>(
        conv: &Conv3d<'_, T>,
        engine: Engine<L, F>,
        cuts: &[usize],
        x: &[T],
    ) -> Vec<T> {
        let (signature, nan) = (conv.signature(), T::from_f64(f64::NAN));
        let mut state = vec![nan; signature.state];
        let (mut t, mut out) = (0, Vec::new());
        for frames in cuts {
            let chunk = &x[t * conv.input.len()..][..frames * conv.input.len()];
            let mut output = vec![nan; signature.frames_out(t as u64, *frames) * signature.output.len()];
            let mut scratch = vec![nan; signature.scratch.len(*frames)];
            if t == 0 {
                Filter::<T>::start(conv, &mut state, crate::First::alone(chunk));
            }
            conv.advance_with(engine, t as u64, &mut state, &mut scratch, chunk, &mut output).unwrap();
            out.extend(output);
            t += frames;
        }
        out
    }

    /// The same case with samples of 16 bits: eighths become steps, and a sum is rounded once.
    fn check_integers(&self, cuts: &[usize], x: &[f32]) -> Result<(), String> {
        let steps = |x: &[f32]| -> Vec<Q15> { x.iter().map(|x| Q15::from_bits((x * 8.0) as i16)).collect() };
        let (weights, bias) = (samples(1, self.kernel.iter().product()), samples(2, self.kernel[0]));
        let [sums, biased] = [&[][..], &bias].map(|bias| self.expected(x, cuts[0], &weights, bias));
        for shift in [-15, 0, 9, 15] {
            let (weights, bias) = (steps(&weights), steps(&bias));
            let kernel = Kernel { weights: &weights, shape: self.kernel, bias: &bias };
            let conv = Conv3d::from_checked(self.input, kernel, self.options).unwrap().scaled(shift, [0; 3]);
            let expected = sums.iter().zip(&biased).map(|(sum, biased)| {
                // A product counts in 64ths and a bias in eighths, 2^15 products each.
                let sum = 64.0 * sum + 8.0 * 32768.0 * (biased - sum);
                (sum * 2.0_f64.powi(i32::from(shift) - 15) + 0.5).floor().clamp(-32768.0, 32767.0) as i16
            });
            let expected: Vec<i16> = expected.collect();
            let loops = Self::run(&conv, Engine::single_thread(Plain::<8, true>), cuts, &steps(x));
            let tiles = Self::run(&conv, Engine { lanes: Plain::<8, false>, splitter: Halves(6) }, cuts, &steps(x));
            let known = Engine::single_thread(Known::of(conv.cases(), Plain::<8, false>));
            let known = Self::run(&conv, known, cuts, &steps(x));
            for (name, found) in [("loops", loops), ("tiles for its own cases", known), ("tiles in halves", tiles)] {
                let found: Vec<i16> = found.into_iter().map(Q15::to_bits).collect();
                if found != expected {
                    let at = (0..expected.len()).find(|i| found.get(*i) != expected.get(*i));
                    return Err(format!(
                        "{self:?}, {name}, {cuts:?}, shift {shift}: sample {at:?} of {}",
                        expected.len()
                    ));
                }
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let (weights, bias) = (samples(1, self.kernel.iter().product()), samples(2, self.kernel[0]));
        let kernel = Kernel { weights: &weights, shape: self.kernel, bias: &bias };
        // Longer than a tile and a block in time, and frame by frame.
        for cuts in [&[11][..], &[3, 1, 1, 5, 1], &[1; 11]] {
            let x = samples(3, 11 * self.input.len());
            let expected = self.expected(&x, cuts[0], &weights, &bias);
            let cases = Conv3d::new(self.input, kernel, self.options).unwrap().cases();
            let all = [
                ("wide lanes", self.found(Engine::single_thread(OF_F32), cuts, &x, kernel)),
                ("scalars", self.found(Engine::single_thread(Scalar), cuts, &x, kernel)),
                ("a board's tiles", self.found(Engine::single_thread(Plain::<8, false>), cuts, &x, kernel)),
                ("a board's loops", self.found(Engine::single_thread(Plain::<8, true>), cuts, &x, kernel)),
                (
                    "a board's tiles, for its own cases",
                    self.found(Engine::single_thread(Known::of(cases, Plain::<8, false>)), cuts, &x, kernel),
                ),
                (
                    "a board's loops, for its own cases",
                    self.found(Engine::single_thread(Known::of(cases, Plain::<8, true>)), cuts, &x, kernel),
                ),
                (
                    "spread, for its own cases",
                    self.found(
                        Engine::single_thread(Known::of(cases, At::<_, 1>(Plain::<8, false>))),
                        cuts,
                        &x,
                        kernel,
                    ),
                ),
                ("in halves", self.found(Engine { lanes: OF_F32, splitter: Halves(6) }, cuts, &x, kernel)),
                ("spread", self.found(Engine::single_thread(At::<_, 1>(OF_F32)), cuts, &x, kernel)),
                (
                    "spread in halves",
                    self.found(Engine { lanes: At::<_, 1>(Scalar), splitter: Halves(6) }, cuts, &x, kernel),
                ),
            ];
            // A step is no eighth of the ones of the padding.
            if self.options.pad != Some(PadMode::Ones) {
                self.check_integers(cuts, &x)?;
            }
            for (name, found) in all {
                if found.len() != expected.len() {
                    return Err(format!("{self:?}, {name}, {cuts:?}: {} samples of {}", found.len(), expected.len()));
                }
                // Exact in any order: eighths of eighths, whose sums have fewer than 24 bits.
                if let Some(i) = (0..found.len()).find(|i| f64::from(found[*i]) != expected[*i]) {
                    let (found, expected) = (found[i], expected[i]);
                    return Err(format!("{self:?}, {name}, {cuts:?}: sample {i} is {found}; expected {expected}"));
                }
            }
        }
        Ok(())
    }
}

#[track_caller]
fn check(input: [usize; 3], kernel: [usize; 5], options: ConvOptions) {
    let case = Case { input: Shape::new(input[0], input[1], input[2]), kernel, options };
    if let Err(error) = case.check() {
        panic!("{error}");
    }
}

const SAME: ConvOptions = ConvOptions::DEFAULT;

/// Frames narrower than a vector, of whole vectors and tiles, and of one column more or less; few rows and many.
#[test]
fn every_width() {
    for cols in (1..20).chain([31, 32, 33, 63, 64, 65]) {
        for rows in [1, 2, 3, 4, 5, 9] {
            check([1, rows, cols], [1, 1, 1, 3, 3], SAME);
        }
    }
}

/// Every form of a kernel: columns, rows, blocks, in time, even and odd, larger than the frame.
#[test]
fn every_form() {
    for kt in [1, 2, 3] {
        for kh in [1, 2, 3, 5, 8] {
            for kw in [1, 2, 3, 5, 8] {
                check([1, 6, 11], [1, 1, kt, kh, kw], SAME);
            }
        }
    }
}

#[test]
fn borders_and_histories() {
    for border in Border::NAMES.map(|(_, border)| border) {
        for (_, pad) in PadMode::NAMES {
            if pad == PadMode::Mean {
                continue; // its mean is rounded; the tests of padding cover it
            }
            let options = ConvOptions { border: Some(border), pad: Some(pad), ..SAME };
            check([2, 5, 7], [1, 2, 4, 4, 3], options);
            check([1, 3, 4], [2, 1, 3, 1, 1], options);
            check([1, 2, 3], [1, 1, 2, 7, 9], options);
        }
    }
}

#[test]
fn without_padding() {
    for (border, pad) in [(None, None), (None, SAME.pad), (SAME.border, None)] {
        let options = ConvOptions { border, pad, ..SAME };
        check([1, 9, 10], [1, 1, 3, 4, 5], options);
        check([2, 6, 35], [3, 2, 2, 3, 3], options);
        check([1, 4, 9], [1, 1, 4, 1, 1], options);
        check([1, 4, 9], [1, 1, 1, 4, 9], options);
    }
}

#[test]
fn strides_and_dilations() {
    for stride in [[1, 1, 1], [2, 1, 1], [1, 2, 3], [3, 2, 1], [2, 3, 2]] {
        for dilation in [[1, 1, 1], [2, 1, 1], [1, 2, 1], [1, 1, 2], [2, 3, 2]] {
            for pad in [SAME.pad, None] {
                let options = ConvOptions { stride, dilation, pad, ..SAME };
                check([1, 8, 19], [1, 1, 2, 3, 3], options);
                check([2, 3, 5], [4, 2, 2, 1, 1], options);
                // One row, and one column: they have separate loops.
                check([1, 8, 19], [1, 1, 2, 1, 3], options);
                check([1, 8, 19], [1, 1, 2, 3, 1], options);
            }
        }
    }
}

/// Steps between columns beyond those with inner loops of their own, rows of taps of several parts, and more parts than a tile
/// takes at once; each also for rows shorter than a tile, and longer by a part of one.
#[test]
fn parts_and_steps() {
    for cols in [3, 8, 11, 16, 21, 31, 42] {
        for step in [1, 2, 3, 4, 5] {
            check([1, 5, cols], [1, 1, 1, 3, 4], ConvOptions { stride: [1, 1, step], ..SAME });
        }
        for kw in [7, 8, 15, 16] {
            check([2, 5, cols], [1, 2, 1, 4, kw], SAME);
        }
    }
}

proptest! {
    #![proptest_config(foveola_seeds::config(48, module_path!()))]

    /// Any shape of frame and kernel has the sum of the equation.
    #[test]
    fn random_shapes(
        (rows, cols) in (1_usize..8, 1_usize..50),
        (ins, outs) in (1_usize..3, 1_usize..3),
        (kt, kh, kw) in (1_usize..3, 1_usize..10, 1_usize..10),
        stride in (1_usize..3, 1_usize..4, 1_usize..7),
        dilation in prop_oneof![3 => Just((1, 1)), 1 => (1_usize..3, 1_usize..4)],
        border in prop_oneof![Just(None), (0..Border::NAMES.len()).prop_map(|i| Some(Border::NAMES[i].1))],
    ) {
        let (down, across) = dilation;
        let (rows, cols) = match border {
            None => (rows.max(down * (kh - 1) + 1), cols.max(across * (kw - 1) + 1)),
            Some(_) => (rows, cols),
        };
        let options = ConvOptions {
            border,
            stride: [stride.0, stride.1, stride.2],
            dilation: [1, down, across],
            ..SAME
        };
        let case = Case { input: Shape::new(ins, rows, cols), kernel: [outs, ins, kt, kh, kw], options };
        prop_assert_eq!(case.check(), Ok(()));
    }
}

/// Any shape of frame and kernel, and frames that are zero nearly everywhere.
fn sparse_case() -> impl Strategy<Value = (Case, Vec<f32>)> {
    let size = (1_usize..20, prop_oneof![1_usize..40, 32_usize..80], 1_usize..3);
    let kernel = (1_usize..6, 1_usize..3, 1_usize..3, 1_usize..8, 1_usize..8);
    let steps = prop_oneof![3 => Just([1; 4]), 1 => prop::array::uniform4(1_usize..4)];
    let border = prop_oneof![Just(None), (0..Border::NAMES.len()).prop_map(|i| Some(Border::NAMES[i].1))];
    let case =
        (size, kernel, steps, border).prop_map(|((rows, cols, groups), (outs, ins, kt, kh, kw), steps, border)| {
            let [down, right, by, across] = steps;
            let (rows, cols) = match border {
                None => (rows.max(by * (kh - 1) + 1), cols.max(across * (kw - 1) + 1)),
                Some(_) => (rows, cols),
            };
            let options = ConvOptions {
                border,
                stride: [1, down, right],
                dilation: [1, by, across],
                groups,
                ..ConvOptions::DEFAULT
            };
            Case { input: Shape::new(ins * groups, rows, cols), kernel: [outs * groups, ins, kt, kh, kw], options }
        });
    case.prop_flat_map(|case| {
        let x = prop_oneof![20 => Just(0.0_f32), 4 => Just(-0.0), 1 => -3.0_f32..3.0];
        (Just(case), prop::collection::vec(x, 4 * case.input.len()))
    })
}

proptest! {
    #![proptest_config(foveola_seeds::config(256, module_path!()))]

    /// Spread or not, in bands or not, with factors or without: the same bits, of numbers whose sums depend on the order.
    #[test]
    fn what_is_spread_has_the_same_bits((case, x) in sparse_case(), seed in 0_u32..1000) {
        let number = |i: usize| libm::sinf((i as u32 * 31 + seed) as f32);
        let numbers = |len: usize| (0..len).map(number).collect::<Vec<f32>>();
        let [outs, ins, kt, kh, kw] = case.kernel;
        let (terms, bias) = (outs * ins, if seed % 3 == 0 { vec![] } else { numbers(outs) });
        let weights = numbers(case.kernel.iter().product());
        let (time, rows, cols) = (numbers(terms * kt), numbers(terms * kh), numbers(terms * kw));
        let conv = Conv3d::new(case.input, Kernel { weights: &weights, shape: case.kernel, bias: &bias }, case.options).unwrap();
        let factors = Factors { terms: 1, time: &time, rows: &rows, cols: &cols };
        for conv in [conv, conv.in_bands(3), conv.separable(factors).unwrap_or(conv), conv.in_blocks(2)] {
            let bits = |y: Vec<f32>| y.into_iter().map(f32::to_bits).collect::<Vec<u32>>();
            macro_rules! run {
                ($lanes:expr, $splitter:expr) => {
                    bits(Case::run(&conv, Engine { lanes: $lanes, splitter: $splitter }, &[3, 1], &x))
                };
            }
            let dense = run!(At::<_, 0>(OF_F32), Halves(0));
            prop_assert_eq!(run!(At::<_, 1>(OF_F32), Halves(0)), dense.clone(), "{:?}", conv);
            prop_assert_eq!(run!(At::<_, 1>(OF_F32), Halves(6)), dense.clone(), "{:?} in halves", conv);
            prop_assert_eq!(run!(At::<_, 1>(Plain::<8, false>), Halves(0)), dense.clone(), "{:?} on a board", conv);
            prop_assert_eq!(run!(OF_F32, Halves(0)), dense, "{:?} by the count", conv);
        }
    }
}

/// Zero times infinity is not zero, and a sum that starts with a negative zero may end with a positive one: the bits are the same.
#[test]
fn what_is_not_finite_reaches_every_output_that_reads_it() {
    let mut x = [0.0; 64];
    (x[9], x[40]) = (1.5, -2.0);
    let mut infinite = x;
    infinite[20] = f32::INFINITY;
    let weights: Vec<f32> = (0..9).map(|i| i as f32 - 4.5).collect();
    let mut damaged = weights.clone();
    damaged[7] = f32::NAN;
    for (x, weights, bias) in [(x, &weights, -0.0), (infinite, &weights, 0.0), (x, &damaged, 0.0)] {
        let kernel = Kernel { weights, shape: [1, 1, 1, 3, 3], bias: &[bias] };
        let conv = Conv3d::from_checked(Shape::new(1, 8, 8), kernel, SAME).unwrap();
        let bits = |y: Vec<f32>| y.iter().map(|y| if y.is_nan() { 1 } else { y.to_bits() }).collect::<Vec<u32>>();
        let dense = bits(Case::run(&conv, Engine::single_thread(At::<_, 0>(OF_F32)), &[1], &x));
        assert_eq!(bits(Case::run(&conv, Engine::single_thread(At::<_, 1>(OF_F32)), &[1], &x)), dense);
        assert!(bias.is_sign_positive() || dense.contains(&0), "a sum that lost its sign");
    }
}

/// Channels of a tile, groups, and channels that are left over.
#[test]
fn channels_and_groups() {
    for (ins, outs, groups) in
        [(1, 4, 1), (1, 5, 1), (3, 1, 1), (2, 8, 1), (2, 4, 2), (4, 8, 4), (6, 9, 3), (3, 3, 3), (2, 10, 2), (9, 2, 1)]
    {
        for size in [[1, 3, 3], [2, 1, 1], [2, 2, 4]] {
            let [kt, kh, kw] = size;
            check([ins, 5, 18], [outs, ins / groups, kt, kh, kw], ConvOptions { groups, ..SAME });
        }
    }
}

/// Bands of any number of rows have the bits of whole frames, also with factors, for every border and step; the rows that a kernel
/// reads again are those that are still in memory.
#[test]
fn bands_are_whole_frames() {
    let borders = Border::NAMES.map(|(_, border)| Some(border));
    for border in borders.into_iter().chain([None]) {
        for kernel in [[1, 1, 1, 3, 3], [3, 2, 1, 4, 1], [2, 1, 1, 1, 3], [1, 2, 1, 7, 2], [2, 2, 1, 2, 2]] {
            for (rows, step, dilation) in [(7, 1, 1), (8, 2, 1), (23, 1, 1), (23, 3, 1), (23, 1, 3), (24, 5, 2)] {
                let [outs, ins, _, kh, kw] = kernel;
                if border.is_none() && rows <= dilation * (kh - 1) {
                    continue;
                }
                let input = Shape::new(2 * ins, rows, 5);
                let options = ConvOptions {
                    border,
                    stride: [2, step, if step > 1 { 2 } else { 1 }],
                    dilation: [1, dilation, 1],
                    groups: 2,
                    ..SAME
                };
                let shape = [2 * outs, ins, 1, kh, kw];
                let terms = shape[0] * ins;
                let (time, along, across) = (vec![1.0; terms], samples(4, terms * kh), samples(5, terms * kw));
                let product = |i: usize| along[i / kw] * across[i / (kh * kw) * kw + i % kw];
                let weights: Vec<f32> = (0..terms * kh * kw).map(product).collect();
                let bias = samples(2, shape[0]);
                let conv = Conv3d::new(input, Kernel { weights: &weights, shape, bias: &bias }, options).unwrap();
                let mut all = vec![conv];
                if step == 1 {
                    let factors = Factors { terms: 1, time: &time, rows: &along, cols: &across };
                    all.push(conv.separable(factors).unwrap());
                }
                let x = samples(3, 3 * input.len());
                for conv in all {
                    let whole = conv.in_bands(usize::MAX);
                    assert!(!whole.is_in_bands());
                    let whole = Case::run(&whole, Engine::single_thread(Scalar), &[3], &x);
                    for band in [1, 2, 3, 8] {
                        let conv = conv.in_bands(band);
                        let wide = Case::run(&conv, Engine::single_thread(OF_F32), &[1, 2], &x);
                        assert_eq!(wide, whole, "{conv:?}");
                        for found in [
                            Case::run(&conv, Engine::single_thread(Plain::<8, false>), &[3], &x),
                            Case::run(&conv, Engine::single_thread(Plain::<8, true>), &[3], &x),
                            Case::run(&conv, Engine { lanes: OF_F32, splitter: Halves(6) }, &[3], &x),
                        ] {
                            assert_eq!(found, whole, "{conv:?}");
                        }
                    }
                }
            }
        }
    }
}

/// A kernel of one frame holds the rows that a band of its output reads, whatever the frame's height.
#[test]
fn bands_bound_the_scratch() {
    let weights = [0.0; 25];
    let scratch = |rows, band| {
        let kernel = Kernel::new(&weights, [1, 1, 1, 5, 5]);
        Conv3d::new(Shape::new(1, rows, 60), kernel, SAME).unwrap().in_bands(band).signature().scratch.fixed
    };
    assert_eq!([scratch(480, 8), scratch(48, 8), scratch(480, 1)], [12 * 64, 12 * 64, 5 * 64]);
    assert_eq!([scratch(10, 8), scratch(480, usize::MAX)], [10 * 64, 480 * 64], "whole frames");
    let conv = Conv3d::new(Shape::new(1, 480, 60), Kernel::new(&weights, [1, 1, 1, 5, 5]), SAME).unwrap();
    let factors = Factors { terms: 1, time: &[1.0], rows: &[0.0; 5], cols: &[0.0; 5] };
    let bands = [conv, conv.in_bands(16).separable(factors).unwrap(), conv.separable(factors).unwrap()];
    assert_eq!(bands.map(|conv| conv.band()), [16, 16, 8], "what was asked for stays");
}
