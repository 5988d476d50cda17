//! The same filters as plain loops, the way one writes them first: frame after frame, without tiles or vectors.

use crate::Step;
use foveola::Result;
use foveola_cli::bench::{Operation, Workload};
use ndarray::Array5;
use std::collections::VecDeque;

/// Share of the old state that an exponential of `tau` seconds keeps from one millisecond to the next.
fn kept(tau: f64) -> f32 {
    (-0.001 / tau).exp() as f32
}

/// The loops for a workload.
///
/// # Errors
/// A weight for which there is no memory.
pub fn step(workload: &Workload) -> Result<Step> {
    let (rows, cols, pixels) = (workload.rows, workload.cols, workload.rows * workload.cols);
    let weight = workload.operation.weight(rows, cols)?.unwrap_or_default();
    Ok(match workload.operation {
        Operation::Conv3d { .. } | Operation::Conv2d { .. } | Operation::Conv1d { .. } | Operation::Gaussian { .. } => {
            conv(&weight, rows, cols)
        }
        Operation::LowPass => low_pass(kept(0.010), pixels),
        Operation::HighPass => high_pass(kept(0.010), pixels),
        Operation::SmoothConv { stages, .. } => smooth_conv(&vec![kept(0.005); stages], &weight, rows, cols),
        Operation::Delay { frames } => delay(frames, pixels),
        Operation::VariableDelay { frames } => {
            let delays = workload.operation.delays(rows, cols).unwrap_or_default();
            variable_delay(delays.into_iter().map(|delay| delay as usize).collect(), frames)
        }
        Operation::Diff => diff(pixels),
        Operation::Rectify => Box::new(|x, y| x.iter().zip(y).for_each(|(x, y)| *y = x.max(0.0))),
        Operation::Rf { .. } => field(&weight),
        Operation::ConvRf { channels, frames, .. } => {
            let taps = channels * frames * pixels;
            let mean = Array5::from_elem((1, channels, frames, rows, cols), 1.0 / taps as f32);
            let (mut conv, mut field, mut between) =
                (conv(&weight, rows, cols), field(&mean), vec![0.0; channels * pixels]);
            Box::new(move |x, y| {
                conv(x, &mut between);
                field(&between, y);
            })
        }
        Operation::Retina => retina(rows, cols),
    })
}

/// `y = a y + (1 - a) x`.
fn low_pass(a: f32, pixels: usize) -> Step {
    let mut state = vec![0.0; pixels];
    Box::new(move |x, out| {
        for i in 0..x.len() {
            state[i] = a * state[i] + (1.0 - a) * x[i];
            out[i] = state[i];
        }
    })
}

/// `x - lowpass(x)`.
fn high_pass(a: f32, pixels: usize) -> Step {
    let mut low_pass = low_pass(a, pixels);
    Box::new(move |x, out| {
        low_pass(x, out);
        for i in 0..x.len() {
            out[i] = x[i] - out[i];
        }
    })
}

/// `x[t] - x[t-1]`.
fn diff(pixels: usize) -> Step {
    let mut before = vec![0.0; pixels];
    Box::new(move |x, out| {
        for i in 0..x.len() {
            out[i] = x[i] - before[i];
            before[i] = x[i];
        }
    })
}

/// `x[t - delay]`.
fn delay(delay: usize, pixels: usize) -> Step {
    let (mut ring, mut t) = (vec![vec![0.0; pixels]; delay + 1], 0);
    Box::new(move |x, out| {
        let len = ring.len();
        ring[t % len].copy_from_slice(x);
        out.copy_from_slice(&ring[(t + 1) % len]);
        t += 1;
    })
}

/// `x[t - delays[i], i]`.
fn variable_delay(delays: Vec<usize>, most: usize) -> Step {
    let (mut ring, mut t) = (vec![vec![0.0; delays.len()]; most + 1], 0);
    Box::new(move |x, out| {
        let len = ring.len();
        ring[t % len].copy_from_slice(x);
        for i in 0..x.len() {
            out[i] = ring[(t + len - delays[i]) % len][i];
        }
        t += 1;
    })
}

/// `out[o, r, c] = sum over (i, a, b, e) of w[o, i, a, b, e] * x[i, t - (kt-1-a), r + b - kh/2, c + e - kw/2]`, the nearest
/// pixel outside the frame.
fn conv(impulse: &Array5<f32>, rows: usize, cols: usize) -> Step {
    let (outs, ins, kt, kh, kw) = impulse.dim();
    let weights = correlation(impulse);
    let (height, width) = (rows + kh - 1, cols + kw - 1);
    let plane = height * width;
    // The last `kt` frames, oldest first, with their borders.
    let mut history: VecDeque<Vec<f32>> = vec![vec![0.0; ins * plane]; kt].into();
    Box::new(move |x, out| {
        history.rotate_left(1);
        let newest = &mut history[kt - 1];
        for i in 0..ins {
            for r in 0..height {
                for c in 0..width {
                    let from = (r.max(kh / 2) - kh / 2).min(rows - 1) * cols + (c.max(kw / 2) - kw / 2).min(cols - 1);
                    newest[i * plane + r * width + c] = x[i * rows * cols + from];
                }
            }
        }
        for o in 0..outs {
            for r in 0..rows {
                for c in 0..cols {
                    let mut sum = 0.0;
                    for i in 0..ins {
                        for (a, frame) in history.iter().enumerate() {
                            for b in 0..kh {
                                for e in 0..kw {
                                    sum += weights[(((o * ins + i) * kt + a) * kh + b) * kw + e]
                                        * frame[i * plane + (r + b) * width + c + e];
                                }
                            }
                        }
                    }
                    out[(o * rows + r) * cols + c] = sum;
                }
            }
        }
    })
}

/// `out[o] = sum over (i, a, r, c) of w[o, i, a, r, c] * x[i, t - (kt-1-a), r, c]`.
fn field(impulse: &Array5<f32>) -> Step {
    let (outs, ins, kt, rows, cols) = impulse.dim();
    let weights = correlation(impulse);
    let pixels = rows * cols;
    let mut history: VecDeque<Vec<f32>> = vec![vec![0.0; ins * pixels]; kt].into();
    Box::new(move |x, out| {
        history.rotate_left(1);
        history[kt - 1].copy_from_slice(x);
        for o in 0..outs {
            let mut sum = 0.0;
            for i in 0..ins {
                for (a, frame) in history.iter().enumerate() {
                    for p in 0..pixels {
                        sum += weights[((o * ins + i) * kt + a) * pixels + p] * frame[i * pixels + p];
                    }
                }
            }
            out[o] = sum;
        }
    })
}

/// The sum of `g_i(y_i)`, `y_i = lowpass(y_{i-1})`.
fn smooth_conv(kept: &[f32], spatial: &Array5<f32>, rows: usize, cols: usize) -> Step {
    let mut stages: Vec<(Step, Step)> = kept
        .iter()
        .zip(spatial.outer_iter())
        .map(|(a, kernel)| {
            (low_pass(*a, rows * cols), conv(&kernel.insert_axis(ndarray::Axis(0)).to_owned(), rows, cols))
        })
        .collect();
    let (mut y, mut next, mut part) = (vec![0.0; rows * cols], vec![0.0; rows * cols], vec![0.0; rows * cols]);
    Box::new(move |x, out| {
        out.fill(0.0);
        y.copy_from_slice(x);
        for (low_pass, conv) in &mut stages {
            low_pass(&y, &mut next);
            std::mem::swap(&mut y, &mut next);
            conv(&y, &mut part);
            for i in 0..out.len() {
                out[i] += part[i];
            }
        }
    })
}

/// The model `retina`: centre minus surround, rectified.
fn retina(rows: usize, cols: usize) -> Step {
    let blob = |tau: f64, sigma: f64| {
        let square = |i: usize| (i as f64 - 2.0).powi(2);
        let gauss = Array5::from_shape_fn((3, 1, 1, 5, 5), |(.., r, c)| {
            (-(square(r) + square(c)) / (2.0 * sigma * sigma)).exp() as f32
        });
        let sum = gauss.sum();
        smooth_conv(&[kept(tau); 3], &(gauss / sum), rows, cols)
    };
    let (mut centre, mut surround, mut minus) = (blob(0.006, 0.8), blob(0.010, 3.0), vec![0.0; rows * cols]);
    Box::new(move |x, out| {
        centre(x, out);
        surround(x, &mut minus);
        for i in 0..out.len() {
            out[i] = (out[i] - minus[i]).max(0.0);
        }
    })
}

/// An impulse response in correlation order.
pub(crate) fn correlation(impulse: &Array5<f32>) -> Vec<f32> {
    impulse.slice(ndarray::s![.., .., ..;-1, ..;-1, ..;-1]).iter().copied().collect()
}
