//! Tests of the convolutions against the sum that defines them, index by index in `f64`: every width around those of
//! vectors and tiles, every form of kernel, in chunks of several lengths.

extern crate std;
use super::{Border, Conv3d, ConvOptions, Kernel};
use crate::engine::{Engine, Halves, WorkSplitter};
use crate::lanes::{Lanes, Plain, Scalar, WideF32};
use crate::{Filter, PadFrame, PadMode, Shape};
use std::string::String;
use std::{format, vec, vec::Vec};

/// Samples that differ everywhere, in eighths, so that every sum of products is exact in `f32` in any order.
fn samples(seed: usize, len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 37 + seed * 101 + i * i % 13) % 29) as f32 / 8.0 - 1.75).collect()
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
        let conv = Conv3d::new(self.input, kernel, self.options).unwrap();
        let signature = conv.signature();
        let mut state = vec![f32::NAN; signature.state];
        let (mut t, mut out) = (0, Vec::new());
        for frames in cuts {
            let chunk = &x[t * self.input.len()..][..frames * self.input.len()];
            let mut output = vec![f32::NAN; signature.frames_out(t as u64, *frames) * signature.output.len()];
            let mut scratch = vec![f32::NAN; signature.scratch.len(*frames)];
            if t == 0 {
                Filter::<f32>::start(&conv, &mut state, crate::First::alone(chunk));
            }
            conv.advance_with(engine, t as u64, &mut state, &mut scratch, chunk, &mut output).unwrap();
            out.extend(output);
            t += frames;
        }
        out
    }

    fn check(&self) -> Result<(), String> {
        let (weights, bias) = (samples(1, self.kernel.iter().product()), samples(2, self.kernel[0]));
        let kernel = Kernel { weights: &weights, shape: self.kernel, bias: &bias };
        // Longer than a tile and a block in time, and frame by frame.
        for cuts in [&[11][..], &[3, 1, 1, 5, 1], &[1; 11]] {
            let x = samples(3, 11 * self.input.len());
            let expected = self.expected(&x, cuts[0], &weights, &bias);
            let all = [
                ("wide lanes", self.found(Engine::single_thread(WideF32), cuts, &x, kernel)),
                ("scalars", self.found(Engine::single_thread(Scalar), cuts, &x, kernel)),
                ("a board's tiles", self.found(Engine::single_thread(Plain::<8, false>), cuts, &x, kernel)),
                ("a board's loops", self.found(Engine::single_thread(Plain::<8, true>), cuts, &x, kernel)),
                ("in halves", self.found(Engine { lanes: WideF32, splitter: Halves(6) }, cuts, &x, kernel)),
            ];
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
