//! The frequency domain compared with plain sums in `f64`, and frame by frame compared with blocks.

use super::*;
use foveola_seeds::{cases, seed};
use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;

const MEMORY: &str = "memory for a small kernel";

struct Case {
    shape: [usize; 5],
    groups: usize,
    dilation: [usize; 2],
    out: [usize; 2],
    frames: usize,
}

fn below(rng: &mut Pcg32, end: usize) -> usize {
    rng.next_u32() as usize % end
}

fn noise(rng: &mut Pcg32, len: usize) -> Vec<f32> {
    (0..len).map(|_| rng.next_u32() as i32 as f32 / (1_u32 << 31) as f32).collect()
}

/// Noise, a constant, or a single point.
fn picture(rng: &mut Pcg32, len: usize) -> Vec<f32> {
    match below(rng, 4) {
        0 => vec![0.7; len],
        1 => {
            let mut point = vec![0.0; len];
            point[below(rng, len)] = 1.0;
            point
        }
        _ => noise(rng, len),
    }
}

fn case(rng: &mut Pcg32) -> Case {
    let groups = 1 + below(rng, 2);
    // Mostly small kernels, and some larger than the frame.
    let most = [4, 12, 40][below(rng, 3)];
    let mut up_to = |most: usize| 1 + below(rng, most);
    let shape = [groups * up_to(2), up_to(3), up_to(4), up_to(most), up_to(most)];
    Case { shape, groups, dilation: [up_to(3), up_to(3)], out: [up_to(40), up_to(40)], frames: up_to(19) }
}

/// Frames `[frame][channel][row][col]`, borders included.
struct Run {
    case: Case,
    weights: Vec<f32>,
    bias: Vec<f32>,
    input: Vec<f32>,
    plan: FftKernel,
}

impl Run {
    fn new(rng: &mut Pcg32, case: Case, level: Level) -> Self {
        let weights = noise(rng, case.shape.iter().product());
        let bias = noise(rng, case.shape[0]);
        let plan = FftKernel::new(level, &weights, case.shape, case.groups, case.dilation, case.out).expect(MEMORY);
        let [rows, cols] = plan.in_size();
        let input = picture(rng, (case.frames + case.shape[2] - 1) * case.groups * case.shape[1] * rows * cols);
        Self { case, weights, bias, input, plan }
    }

    fn channels(&self) -> usize {
        self.case.groups * self.case.shape[1]
    }

    fn spectra(&self, threads: usize) -> Samples {
        let ([rows, cols], len) = (self.plan.in_size(), self.plan.spectrum_len());
        let mut spectra = Samples::zeros("spectra", self.input.len() / (rows * cols) * len).expect(MEMORY);
        self.plan.forward(
            &mut self.works(threads),
            |n, r| Some(&self.input[(n * rows + r) * cols..][..cols]),
            &mut spectra,
        );
        spectra
    }

    fn works(&self, threads: usize) -> Vec<Work> {
        (0..threads).map(|_| self.plan.work().expect(MEMORY)).collect()
    }

    /// The outputs of frames from `first` on, as many as fit.
    fn output(&self, spectra: &[f32], first: usize, threads: usize, out: &mut [f32]) {
        let slot = |f: usize, a: usize, i: usize| (first + f + a) * self.channels() + i;
        let frames = out.len() / self.frame();
        self.plan.output(&mut self.works(threads), spectra, frames, slot, &self.bias, out);
    }

    fn frame(&self) -> usize {
        self.case.shape[0] * self.case.out[0] * self.case.out[1]
    }

    /// The sums in `f64`, and for each output channel the root of the sum of its squared weights times that of all samples
    /// at its taps.
    fn naive(&self, frame: usize, o: usize) -> (Vec<f64>, f64) {
        let ([outs, ins, kt, kh, kw], [rows, cols]) = (self.case.shape, self.plan.in_size());
        let ([dr, dc], group) = (self.case.dilation, o / (outs / self.case.groups));
        let mut out = vec![f64::from(self.bias[o]); self.case.out[0] * self.case.out[1]];
        let (mut weights, mut samples) = (0.0, 0.0);
        for i in 0..ins {
            for a in 0..kt {
                let plane =
                    &self.input[((frame + a) * self.channels() + group * ins + i) * rows * cols..][..rows * cols];
                let kernel = &self.weights[((o * ins + i) * kt + a) * kh * kw..][..kh * kw];
                samples += plane.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
                weights += kernel.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>();
                for (p, out) in out.iter_mut().enumerate() {
                    let (r, c) = (p / self.case.out[1], p % self.case.out[1]);
                    for b in 0..kh {
                        for e in 0..kw {
                            *out += f64::from(kernel[b * kw + e]) * f64::from(plane[(r + dr * b) * cols + c + dc * e]);
                        }
                    }
                }
            }
        }
        (out, (weights * samples).sqrt())
    }
}

fn levels() -> Vec<Level> {
    crate::SimdLevel::available().into_iter().filter_map(crate::SimdLevel::level).collect()
}

#[test]
fn naive_sums() {
    let mut rng = Pcg32::new(seed("fft::naive_sums"), 1);
    let mut worst = 0.0_f64;
    for n in 0..cases(40) {
        for level in levels() {
            let case = case(&mut rng);
            let run = Run::new(&mut rng, Case { frames: 1, ..case }, level);
            let mut out = vec![f32::NAN; run.frame()];
            run.output(&run.spectra(1), 0, 1, &mut out);
            let size: usize = run.plan.size().iter().product();
            for (o, out) in out.chunks_exact(run.frame() / run.case.shape[0]).enumerate() {
                let (naive, norm) = run.naive(0, o);
                let unit = f64::from(f32::EPSILON) * norm * (size as f64).log2();
                for (y, x) in out.iter().zip(&naive) {
                    let error = (f64::from(*y) - x).abs() - f64::from(f32::EPSILON) * x.abs();
                    assert!(error <= ERROR * unit, "case {n}: {y} for {x}, {:?}", run.case.shape);
                    if error > worst * unit {
                        worst = error / unit;
                        println!("{worst} of {:?} {:?} {:?} {level:?}", run.case.shape, run.case.out, run.plan.size());
                    }
                }
            }
        }
    }
    println!("largest error: {worst} units");
}

#[test]
fn bits_do_not_depend_on_chunks_or_threads() {
    let mut rng = Pcg32::new(seed("fft::bits_do_not_depend_on_chunks_or_threads"), 1);
    for _ in 0..cases(15) {
        for level in levels() {
            let case = case(&mut rng);
            let run = Run::new(&mut rng, case, level);
            let spectra = run.spectra(1);
            assert!(run.spectra(3)[..] == spectra[..], "spectra by three threads");
            let mut one = vec![f32::NAN; run.case.frames * run.frame()];
            for (first, out) in one.chunks_exact_mut(run.frame()).enumerate() {
                run.output(&spectra, first, 1 + first % 2, out);
            }
            for threads in [1, 2, 3] {
                let mut all = vec![f32::NAN; one.len()];
                let cut = below(&mut rng, run.case.frames);
                let (start, rest) = all.split_at_mut(cut * run.frame());
                run.output(&spectra, 0, threads, start);
                run.output(&spectra, cut, threads, rest);
                assert!(all == one, "{} frames cut at {cut} by {threads} threads", run.case.frames);
            }
        }
    }
}

#[test]
fn rows_of_zeros_may_be_left_out() {
    let plan = FftKernel::new(Level::new(), &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1, 1, 1, 3, 2], 1, [1, 2], [7, 20])
        .expect(MEMORY);
    let [rows, cols] = plan.in_size();
    let zeros = vec![0.0; cols];
    let line = |r: usize| (r % 3 == 1).then_some(&[0.5; 22][..]);
    let zeros_of = || Samples::zeros("spectra", plan.spectrum_len()).expect(MEMORY);
    let (mut all, mut some) = (zeros_of(), zeros_of());
    plan.forward(&mut [plan.work().expect(MEMORY)], |_, r| Some(line(r).unwrap_or(&zeros)), &mut all);
    plan.forward(&mut [plan.work().expect(MEMORY)], |_, r| line(r), &mut some);
    assert_eq!(rows, 9, "seven and two");
    assert!(all[..] == some[..], "a row of zeros is one that is not there");
}
