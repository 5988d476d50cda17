//! The naive twin: the formulas of every linear filter, written plainly over whole recordings in `f64`.
//!
//! Nothing is shared with `core`: impulse responses instead of correlation order, sums over the past instead of
//! recursion, borders by walking, the initial history as explicit frames. [`tolerance`] bounds what rounding in `f32`
//! may do, [`separable_tolerance`] and [`spectral_tolerance`] what other ways than tap by tap may.

use crate::random::LowRank;
use crate::spec::{ConvSpec, Spec, gain};
use foveola::{Border, PadMode};
use ndarray::{Array5, ArrayRef5, Axis, concatenate, s};

/// Axes `(batch, channel, time, row, col)`.
pub type Movie = Array5<f64>;

/// The output of `spec` for the recording `x` whose first piece has `first` frames; leading history frames, if any, in
/// front once.
///
/// # Panics
/// For a layer that is not linear.
pub fn run(spec: &Spec, x: &Movie, first: usize) -> Movie {
    let (batch, channels, frames, rows, cols) = x.dim();
    match spec {
        Spec::TimePadding { length, mode } => padded(x, first, *length, *mode),
        Spec::Delay { delay, length } => {
            padded(x, first, delay + length, PadMode::Zeros).slice(s![.., .., ..length + frames, .., ..]).to_owned()
        }
        Spec::VariableDelay(delays) => Movie::from_shape_fn(x.dim(), |(n, i, t, r, c)| {
            t.checked_sub(delays[(r, c)] as usize).map_or(0.0, |past| x[(n, i, past, r, c)])
        }),
        Spec::Conv(conv) => convolution(conv, x, first),
        Spec::Rf { weight, flip, pad } => receptive_field(weight, *flip, *pad, x, first),
        Spec::LowPass { tau } => low_pass(gain(*tau), x),
        Spec::HighPass { tau, k } => x - *k * low_pass(gain(*tau), x),
        Spec::SmoothConv { taus, spatial, border, components } => {
            let mut y = x.clone();
            let mut parts = Vec::new();
            for (tau, kernel) in taus.iter().zip(spatial.outer_iter()) {
                y = low_pass(gain(*tau), &y);
                parts.push(Movie::from_shape_fn(y.dim(), |(n, i, t, r, c)| {
                    let taps = kernel.indexed_iter().map(|((b, e), w)| {
                        let (r, c) = (
                            r as i64 - b as i64 + middle(kernel.nrows()),
                            c as i64 - e as i64 + middle(kernel.ncols()),
                        );
                        w * at(&y, [n, i, t], r, c, Some(*border))
                    });
                    taps.sum()
                }));
            }
            let n = parts.len();
            if *components {
                Movie::from_shape_fn((batch, channels * n, frames, rows, cols), |(m, i, t, r, c)| {
                    parts[i % n][(m, i / n, t, r, c)]
                })
            } else {
                parts.into_iter().fold(Movie::zeros(x.dim()), |sum, part| sum + part)
            }
        }
        other => panic!("no naive twin of {other:?}"),
    }
}

/// The `length` frames before the first piece, then the recording.
fn padded(x: &Movie, first: usize, length: usize, mode: PadMode) -> Movie {
    let order: Vec<usize> = match mode {
        PadMode::Mirror => (0..first).rev().collect(),
        PadMode::FullCopy => (0..first).collect(),
        _ => vec![0],
    };
    let mut history: Vec<usize> = order.repeat(length); // long enough: a piece has a frame or more
    history.drain(..history.len() - length);
    let frames = x.select(Axis(2), &history);
    let piece = x.slice(s![.., .., ..first, .., ..]);
    let frames = match mode {
        PadMode::Mean => Movie::from_elem(frames.dim(), piece.sum() / piece.len() as f64),
        PadMode::Ones => Movie::ones(frames.dim()),
        PadMode::Zeros => Movie::zeros(frames.dim()),
        _ => frames,
    };
    concatenate(Axis(2), &[frames.view(), x.view()]).expect("frames of one size")
}

/// `m(k)`: the tap of an impulse response that lies on the pixel itself.
fn middle(k: usize) -> i64 {
    (k - 1 - k / 2) as i64
}

/// A pixel of frame `[batch, channel, time]`, or what lies outside of it. Without a border it must be inside.
fn at(x: &Movie, [n, i, t]: [usize; 3], r: i64, c: i64, border: Option<Border>) -> f64 {
    let inside = |mut index: i64, len: usize| {
        let last = len as i64 - 1;
        while index < 0 || index > last {
            index = match border {
                Some(Border::Replicate) if index < 0 => 0,
                Some(Border::Replicate) => last,
                Some(Border::Circular) if index < 0 => index + len as i64,
                Some(Border::Circular) => index - len as i64,
                Some(Border::Reflect) if last == 0 => 0,
                Some(Border::Reflect) if index < 0 => -index,
                Some(Border::Reflect) => 2 * last - index,
                Some(Border::Zeros) => return None,
                Some(other) => panic!("no naive twin of {other:?}"),
                None => panic!("pixel {index} of {len} without a border"),
            };
        }
        Some(index as usize)
    };
    match (inside(r, x.len_of(Axis(3))), inside(c, x.len_of(Axis(4)))) {
        (Some(r), Some(c)) => x[(n, i, t, r, c)],
        _ => 0.0,
    }
}

/// `out[t0+a, r0+b-m(kh), c0+e-m(kw)] = w[a,b,e]` for an impulse at `(t0, r0, c0)`: each output frame, row and column
/// gathers from `t - a`, `r - b + m(kh)`, `c - e + m(kw)`, with the taps `dilation` apart and `m` that of the dilated
/// size.
fn convolution(conv: &ConvSpec, x: &Movie, first: usize) -> Movie {
    let w = conv.impulse();
    let (outs, ins, kt, kh, kw) = w.dim();
    let ([st, sr, sc], [dt, dr, dc]) = (conv.stride, conv.dilation);
    let past = dt * (kt - 1);
    let x = match conv.pad {
        Some(mode) => padded(x, first, past, mode),
        None => x.clone(),
    };
    let (batch, _, frames, rows, cols) = x.dim();
    let size = |k: usize, dilation: usize| dilation * (k - 1) + 1;
    let (kh, kw) = (size(kh, dr), size(kw, dc));
    // Same size, or the places where the kernel lies inside; of them every `stride`-th. The anchor is the tap over
    // pixel 0.
    let (rows, cols, top, left) = match conv.border {
        Some(_) => (rows, cols, middle(kh), middle(kw)),
        None => (rows + 1 - kh, cols + 1 - kw, kh as i64 - 1, kw as i64 - 1),
    };
    let shape = (batch, outs, frames.saturating_sub(past).div_ceil(st), rows.div_ceil(sr), cols.div_ceil(sc));
    Movie::from_shape_fn(shape, |(n, o, t, r, c)| {
        let group = o / (outs / conv.groups);
        let mut sum = conv.bias.get(o).copied().unwrap_or(0.0);
        for ((i, a, b, e), w) in w.index_axis(Axis(0), o).indexed_iter() {
            let t = past + st * t - dt * a;
            let r = (sr * r) as i64 - (dr * b) as i64 + top;
            let c = (sc * c) as i64 - (dc * e) as i64 + left;
            sum += w * at(&x, [n, group * ins + i, t], r, c, conv.border);
        }
        sum
    })
}

/// The weight in correlation order, laid on the top left corner; pixels that only one of both has count as nothing.
fn receptive_field(weight: &Array5<f64>, flip: bool, pad: Option<PadMode>, x: &Movie, first: usize) -> Movie {
    let (outs, ins, kt, kh, kw) = weight.dim();
    let (batch, _, _, rows, cols) = x.dim();
    let weight = match (kh, kw) {
        (1, 1) => Array5::from_elem((outs, ins, kt, rows, cols), 1.0 / (outs * ins * kt * rows * cols) as f64),
        _ if flip => weight.slice(s![.., .., ..;-1, ..;-1, ..;-1]).to_owned(),
        _ => weight.clone(),
    };
    let x = match pad {
        Some(mode) => padded(x, first, kt - 1, mode),
        None => x.clone(),
    };
    let frames = (x.len_of(Axis(2)) + 1).saturating_sub(kt);
    Movie::from_shape_fn((batch, outs, frames, 1, 1), |(n, o, t, _, _)| {
        let taps = weight.index_axis(Axis(0), o);
        let taps = taps.indexed_iter().filter(|((_, _, r, c), _)| *r < rows && *c < cols);
        taps.map(|((i, a, r, c), w)| w * x[(n, i, t + a, r, c)]).sum()
    })
}

/// `y[t] = sum_k g (1-g)^k x[t-k]`, the impulse response of `y[t] = (1-g) y[t-1] + g x[t]`.
fn low_pass(gain: f64, x: &Movie) -> Movie {
    Movie::from_shape_fn(x.dim(), |(n, i, t, r, c)| {
        (0..=t).map(|k| gain * (1.0 - gain).powi(k as i32) * x[(n, i, t - k, r, c)]).sum()
    })
}

/// How far `f32` may be from the twin, sample by sample. Bounds of first order in the rounding unit `u`, with a percent
/// for the higher ones:
///
/// - a sum of `n` products and a bias: `(n + 2) u sum |w| |x|` (Higham, Accuracy and Stability, 2002, 3.1), and `u`
///   more for a mean or a uniform weight, which are rounded themselves;
/// - a low-pass of gain `g` rounds its gain, its difference and its product, each at most `2 g max|x|` large, and its
///   sum, at most `max|x|`, in every step; the error decays like the signal: `(1 + 6 g) min(t, 1/g) u max|x|`;
/// - filters that only move samples: none.
pub fn tolerance(spec: &Spec, x: &Movie, first: usize) -> Movie {
    let u = 1.01 * f64::from(f32::EPSILON) / 2.0;
    let magnitudes = x.mapv(f64::abs);
    let max = magnitudes.iter().copied().fold(0.0, f64::max);
    let frames = x.len_of(Axis(2)) as f64;
    let smoothing = |tau: f64| {
        let gain = gain(tau);
        if gain < 1.0 { (1.0 + 6.0 * gain) * frames.min(1.0 / gain) } else { 0.0 }
    };
    let everywhere = |bound: f64| Movie::from_elem(run(spec, x, first).dim(), u * bound);
    match spec {
        Spec::TimePadding { mode: PadMode::Mean, .. } => everywhere(max),
        Spec::Conv(conv) => {
            let weight = conv.weight.mapv(f64::abs);
            let bias: Vec<f64> = conv.bias.iter().map(|b| b.abs()).collect();
            let taps = (weight.len() / weight.dim().0) as f64;
            u * (taps + 3.0) * convolution(&ConvSpec { weight, bias, ..conv.clone() }, &magnitudes, first)
        }
        Spec::Rf { weight, flip, pad } => {
            let (_, ins, kt, kh, kw) = weight.dim();
            let pixels = if kh * kw == 1 { x.len_of(Axis(3)) * x.len_of(Axis(4)) } else { kh * kw };
            let weight = weight.mapv(f64::abs);
            u * ((ins * kt * pixels) as f64 + 4.0) * receptive_field(&weight, *flip, *pad, &magnitudes, first)
        }
        Spec::LowPass { tau } => everywhere(max * smoothing(*tau)),
        // The product and the difference are rounded, and so is k.
        Spec::HighPass { tau, k } => everywhere(max * (k.abs() * (smoothing(*tau) + 3.0) + 1.0)),
        Spec::SmoothConv { taus, spatial, .. } => {
            let mut stage = 0.0;
            let mut bound = 0.0;
            for (tau, kernel) in taus.iter().zip(spatial.outer_iter()) {
                stage += smoothing(*tau); // of a gain of at most 1, so errors add up
                bound += kernel.mapv(f64::abs).sum() * max * (stage + spatial.len() as f64 + 2.0);
            }
            everywhere(bound)
        }
        _ => everywhere(0.0),
    }
}

/// How far a convolution may be from the twin when it goes by a sum of `terms` separable kernels.
///
/// - The kernels are off by up to `1e-6 |w|` (Frobenius norms), so a pixel by that times `|x|`, the norm of what its taps
///   meet (Cauchy and Schwarz).
/// - Each term is three sums, of `kt`, `kw` and `kh` products, the last one over all terms and input channels:
///   `(kt + kw + terms ins kh + 5) u` of the sum of the terms' magnitudes, one for each of them `|term| |x|` at most.
///   Terms are either those that the kernel was made of, or orthogonal, and then `sqrt(terms) |w|` in all.
/// - The last sum begins with the bias, so each of its steps may round that too.
pub fn separable_tolerance(LowRank { conv, norms }: &LowRank, terms: usize, x: &Movie, first: usize) -> Movie {
    let u = 1.01 * f64::from(f32::EPSILON) / 2.0;
    let (_, ins, kt, kh, kw) = conv.weight.dim();
    let ones = ConvSpec { weight: Array5::ones(conv.weight.dim()), bias: Vec::new(), ..conv.clone() };
    let mut bound = convolution(&ones, &x.mapv(|x| x * x), first).mapv(f64::sqrt);
    let sums = u * (kt + kw + terms * ins * kh + 5) as f64 * (terms as f64).sqrt();
    for (o, mut bound) in bound.axis_iter_mut(Axis(1)).enumerate() {
        let norm = norms.row(o).iter().map(|norm| norm * norm).sum::<f64>().sqrt();
        let bias = conv.bias.get(o).map_or(0.0, |bias| u * (terms * ins * kh + 1) as f64 * bias.abs());
        bound.mapv_inplace(|x| (1e-6 + sums) * norm * x + bias);
    }
    bound
}

/// How far a convolution may be from the twin, whose output is `y`, when it goes through transforms of `size` samples: the
/// bound of [`foveola::fft::ERROR`], `0.25 eps log2(size) |w| |x|`, with the norms of an output channel's weights and of all
/// samples of the frames that its taps meet, border included; and a unit of the output for the bias.
pub fn spectral_tolerance(conv: &ConvSpec, size: usize, x: &Movie, first: usize, y: &Movie) -> Movie {
    let (outs, ins, kt, kh, kw) = conv.weight.dim();
    let (batch, channels, frames, rows, cols) = x.dim();
    let ([_, dr, dc], [dt, ..]) = (conv.dilation, conv.dilation);
    let border = if conv.border.is_some() { [dr * (kh - 1), dc * (kw - 1)] } else { [0; 2] };
    let [top, left] = border.map(|extent| extent.div_ceil(2) as i64);
    let pixels = ((rows + border[0]) * (cols + border[1])) as f64;
    // The mean square of each frame with its border, so that a history of ones has one too; then over time.
    let squares = x.mapv(|x| x * x);
    let energy = Movie::from_shape_fn((batch, channels, frames, 1, 1), |(n, i, t, _, _)| {
        let (last_row, last_col) = ((rows + border[0]) as i64 - top, (cols + border[1]) as i64 - left);
        let row = |r| (-left..last_col).map(|c| at(&squares, [n, i, t], r, c, conv.border)).sum::<f64>();
        (-top..last_row).map(row).sum::<f64>() / pixels
    });
    let in_time = ConvSpec {
        weight: Array5::ones((outs, ins, kt, 1, 1)),
        bias: Vec::new(),
        border: Some(Border::Zeros),
        stride: [conv.stride[0], 1, 1],
        dilation: [dt, 1, 1],
        ..conv.clone()
    };
    let energy = convolution(&in_time, &energy, first);
    let unit = foveola::fft::ERROR * f64::from(f32::EPSILON) * (size as f64).log2();
    Movie::from_shape_fn(y.dim(), |(n, o, t, r, c)| {
        let weights = conv.weight.index_axis(Axis(0), o).iter().map(|w| w * w).sum::<f64>();
        let norms = (weights * pixels * energy[(n, o, t, 0, 0)]).sqrt();
        unit * norms + f64::from(f32::EPSILON) * y[(n, o, t, r, c)].abs()
    })
}

/// An error where `found` is further from `expected` than `tolerance`.
///
/// # Errors
/// The first such sample, or another shape.
pub fn close(found: &ArrayRef5<f32>, expected: &Movie, tolerance: &Movie) -> Result<(), String> {
    if found.shape() != expected.shape() {
        return Err(format!("shape {:?}; expected {:?}", found.shape(), expected.shape()));
    }
    for (at, found) in found.indexed_iter() {
        let (expected, tolerance, found) = (expected[at], tolerance[at], f64::from(*found));
        if found.is_nan() || (found - expected).abs() > tolerance {
            return Err(format!("{found} at {at:?}; expected {expected} to {tolerance:e}"));
        }
    }
    Ok(())
}
