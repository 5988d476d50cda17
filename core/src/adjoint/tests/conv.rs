//! Convolutions: random shapes, strides, dilations, groups, borders and temporal padding.

use super::*;
use crate::adjoint::ConvAdjoint;
use crate::engine::{Engine, Halves};
use crate::lanes::Scalar;
use crate::{Border, Conv3d, ConvOptions, Factors, Kernel};

/// A random convolution; `None` if the kernel does not fit the frame.
#[derive(Debug)]
struct Random3d {
    input: Shape,
    kernel: [usize; 5],
    options: ConvOptions,
    weights: Vec<f64>,
    bias: Vec<f64>,
}

impl Random3d {
    fn new(random: &mut Random) -> Self {
        let groups = random.one_of(&[1, 1, 2, 3]);
        let (outs, ins) = (groups * random.whole(1, 3), random.whole(1, 2));
        let most = random.one_of(&[2, 9, 20]);
        let (rows, cols) = (random.whole(1, most), random.whole(1, most));
        let size = random.one_of(&[1, 3, 7, 12]);
        let mut kernel = [outs, ins, random.whole(1, 4), random.whole(1, size), random.whole(1, size)];
        let border = random.one_of(&Border::NAMES).1;
        let border = Some(border).filter(|_| random.whole(0, 4) > 0);
        let mode = random.one_of(&PadMode::NAMES).1;
        let mut options = ConvOptions {
            border,
            pad: random.one_of(&[None, Some(mode), Some(PadMode::Mean)]),
            stride: [1; 3].map(|_| random.one_of(&[1, 1, 2, 3])),
            dilation: [1; 3].map(|_| random.one_of(&[1, 1, 2, 3])),
            groups,
        };
        if random.whole(0, 5) == 0 {
            (kernel[3], kernel[4], options.stride[1], options.stride[2]) = (1, 1, 1, 1);
        }
        if border.is_none() {
            // The kernel lies inside the frame.
            for (axis, len) in [(1, rows), (2, cols)] {
                options.dilation[axis] = options.dilation[axis].min(len);
                kernel[axis + 2] = kernel[axis + 2].min((len - 1) / options.dilation[axis] + 1);
            }
        }
        let weights = random.samples(kernel.iter().product());
        let bias = if random.whole(0, 1) == 0 { Vec::new() } else { random.samples(outs) };
        Self { input: Shape::new(ins * groups, rows, cols), kernel, options, weights, bias }
    }

    fn conv<'w, T: Sample>(&self, weights: &'w [T], bias: &'w [T]) -> Conv3d<'w, T> {
        Conv3d::from_checked(self.input, Kernel { weights, shape: self.kernel, bias }, self.options).unwrap()
    }
}

fn reversed<T: Sample>(conv: &Conv3d<'_, T>) -> Vec<T> {
    let mut reversed = vec![T::zero(); conv.kernel().weights.len()];
    ConvAdjoint::reverse(conv, &mut reversed).unwrap();
    reversed
}

#[test]
fn convolutions() {
    let mut random = Random::new("convolutions");
    for trial in 0..cases(150) {
        let case = Random3d::new(&mut random);
        let double = case.conv(&case.weights, &case.bias);
        let of_double = reversed(&double);
        let (weights, bias): (Vec<f32>, Vec<f32>) = (cast(&case.weights), cast(&case.bias));
        let single = case.conv(&weights, &bias);
        let of_single = reversed(&single);
        let (double_adjoint, single_adjoint) =
            (ConvAdjoint::new(double, &of_double).unwrap(), ConvAdjoint::new(single, &of_single).unwrap());
        let (frames, block) = (random.whole(1, 11), random.whole(0, 4));
        let double_adjoint = if block > 0 { double_adjoint.in_blocks(block) } else { double_adjoint };
        let checked = Case { double: (&double, &double_adjoint), single: (&single, &single_adjoint) };
        if let Err(error) = checked.check(&mut random, frames, true) {
            panic!("trial {trial}, {frames} frames, {:?}, {case:?}: {error}", case.options);
        }
    }
}

#[test]
fn weights_and_bias() {
    let mut random = Random::new("weights_and_bias");
    for trial in 0..cases(60) {
        let case = Random3d::new(&mut random);
        let conv = case.conv(&case.weights, &case.bias);
        let reversed = reversed(&conv);
        let adjoint = ConvAdjoint::new(conv, &reversed).unwrap();
        let block = random.whole(0, 4);
        let adjoint = if block > 0 { adjoint.in_blocks(block) } else { adjoint };
        let frames = random.whole(1, 9);
        let first = random.whole(1, frames);
        let cuts = random.cuts(first, frames);
        let x = random.samples(frames * case.input.len());
        let y = random.samples(forward::<f64>(&conv, &cuts, &x).0.len());
        let data = (&cuts[..], &x[..], &y[..]);
        let [found, of_bias, ..] = backward::<f64>(&conv, &adjoint, &cuts, &x, &y).parameters;
        for _ in 0..6 {
            let k = random.whole(0, found.len() - 1);
            let result = check_parameter((found[k], 1.0), data, |h, value| {
                let mut moved = case.weights.clone();
                moved[k] += h;
                value(&case.conv(&moved, &case.bias));
            });
            assert_eq!(result, Ok(()), "trial {trial}, weight {k}, cuts {cuts:?}, {case:?}");
        }
        for (o, found) in of_bias.iter().enumerate() {
            let result = check_parameter((*found, 1.0), data, |h, value| {
                let mut moved = case.bias.clone();
                moved[o] += h;
                value(&case.conv(&case.weights, &moved));
            });
            assert_eq!(result, Ok(()), "trial {trial}, bias {o}, cuts {cuts:?}, {case:?}");
        }
    }
}

/// Other vectors and threads yield the same; so does a kernel of factors.
#[test]
fn engines_and_factors() {
    let mut random = Random::new("engines_and_factors");
    let shape = [1, 1, 3, 4, 5];
    let [time, rows, cols] = [3, 4, 5].map(|len| random.samples(len));
    let weights: Vec<f64> = (0..60).map(|k| time[k / 20] * rows[k / 5 % 4] * cols[k % 5]).collect();
    let conv = Conv3d::from_checked(Shape::new(1, 9, 21), Kernel::new(&weights, shape), ConvOptions::DEFAULT).unwrap();
    let reversed = reversed(&conv);
    let adjoint = ConvAdjoint::new(conv, &reversed).unwrap();
    let (frames, len) = (7, conv.signature().input.len());
    let [x, y] = [0; 2].map(|_| random.samples(frames * len));
    let expected = backward::<f64>(&conv, &adjoint, &[frames], &x, &y);

    let [rows, cols] = [rows, cols].map(|x| x.into_iter().rev().collect::<Vec<_>>());
    let factors = Factors { terms: 1, time: &time, rows: &rows, cols: &cols };
    let found = backward::<f64>(&conv, &adjoint.separable(factors).unwrap(), &[frames], &x, &y);
    assert!(difference(&found.input, &expected.input) < 1e-13, "factors");

    let adjoint = adjoint.in_blocks(3);
    let needs = adjoint.needs();
    let (mut state, mut scratch) =
        (vec![0.0; needs.state], vec![f64::NAN; needs.scratch.larger(needs.scratch_of_parameters).len(frames)]);
    let (mut grad_in, mut found) = (vec![0.0; x.len()], vec![0.0; weights.len()]);
    let mut before = vec![0.0; needs.filter.state];
    conv.start(&mut before, First::alone(&x));
    let gradient = Gradient { weights: &mut found, ..Gradient::default() };
    let parameters = Parameters { state: &mut before, gradient };
    let engine = Engine { lanes: Scalar, splitter: Halves(6) };
    let chunk = Chunk { t: 0, input: &x, grad_out: &y };
    let memory = Memory { state: &mut state, scratch: &mut scratch, grad_in: &mut grad_in, parameters };
    adjoint.retreat_with(engine, chunk, memory).unwrap();
    adjoint.finish(&mut state, &mut scratch, FirstGradient::alone(&mut grad_in)).unwrap();
    assert!(difference(&grad_in, &expected.input) < 1e-13, "threads");
    assert!(difference(&found, &expected.parameters[0]) < 1e-13, "threads, weights");
}

/// A wide frame with a kernel of one weight, so that each chain of a lane ends several times.
#[test]
fn long_sums() {
    let shape = Shape::new(1, 70, 300);
    let conv = Conv3d::new(shape, Kernel::new(&[1.0_f32; 4], [1, 1, 1, 2, 2]), ConvOptions::DEFAULT).unwrap();
    let reversed = reversed(&conv);
    let adjoint = ConvAdjoint::new(conv, &reversed).unwrap();
    let (x, y) = (vec![0.1; shape.len()], vec![1.0; shape.len()]);
    let found = backward::<f32>(&conv, &adjoint, &[1], &x, &y).parameters;
    for found in &found[0] {
        let expected = f64::from(0.1_f32) * shape.len() as f64;
        assert!((found / expected - 1.0).abs() < 3e-5, "{found}; expected {expected}");
    }
}
