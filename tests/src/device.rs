//! The device under test, and how far what it computes may be from what the processor does.
//!
//! `FOVEOLA_GPU` names the device; without it the first GPU is taken, then `llvmpipe`. Where there is none, trials are skipped and
//! say why, unless `FOVEOLA_REQUIRE_GPU=1` makes them fail.

use crate::spec::{ConvSpec, Spec, gain};
use foveola::{Algorithm, Device, Model, PadMode, Precision};
use foveola_core::{Nonlinearity, Shape};
use libtest_mimic::{Completion, Trial};
use ndarray::{Array5, Axis};
use std::sync::OnceLock;

/// A device of its own, not the one that others use.
///
/// # Errors
/// Why there is none.
pub fn open() -> Result<Device, String> {
    let text = |error: foveola::Error| error.to_string();
    match std::env::var("FOVEOLA_GPU") {
        Ok(name) => Device::named(&name).map_err(text),
        Err(_) => Device::gpu().or_else(|_| Device::named("llvmpipe")).map_err(text),
    }
}

/// The device under test, shared by all.
///
/// # Errors
/// Why there is none.
pub fn under_test() -> Result<&'static Device, String> {
    static DEVICE: OnceLock<Result<Device, String>> = OnceLock::new();
    DEVICE.get_or_init(open).as_ref().map_err(Clone::clone)
}

/// A test on the device under test; skipped where there is none.
pub fn trial(
    name: impl Into<String>,
    test: impl FnOnce(&'static Device) -> Result<(), String> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, move || match under_test() {
        Ok(device) => test(device).map(|()| Completion::Completed).map_err(Into::into),
        Err(reason) if std::env::var("FOVEOLA_REQUIRE_GPU").is_ok_and(|required| required == "1") => Err(reason.into()),
        Err(reason) => Ok(Completion::ignored_with(reason)),
    })
}

/// Rounding steps of a mean of `samples`: each of 256 threads adds its share at least, then they are added in pairs, twice.
pub fn mean_steps(samples: usize) -> f64 {
    samples.div_ceil(256) as f64 + 20.0
}

/// What `spec` makes of `pieces` on the processor, tap by tap with reproducible bits, and how far from that another device may
/// be that goes by `way`, whose pieces are off by `error`.
///
/// Both round, each within the bounds of [`naive::tolerance`](crate::naive::tolerance), here for the largest sample: so twice
/// those, whatever the order of their sums and whether products are fused with them. Through a layer an error grows with the
/// sum of the weights' magnitudes at most. Separable kernels are off by up to `1e-6` of their norm and round as in
/// [`naive::separable_tolerance`](crate::naive::separable_tolerance), here for three terms.
///
/// # Errors
/// Those of the layers.
pub fn expected(
    spec: &Spec,
    way: Algorithm,
    pieces: Vec<Array5<f32>>,
    error: f64,
) -> Result<(Vec<Array5<f32>>, f64), String> {
    let text = |error: foveola::Error| error.to_string();
    if let Spec::Cascade(layers) = spec {
        let (mut pieces, mut error, mut every) = (pieces, error, 1);
        for layer in layers {
            // Behind a stride in time frames come further apart.
            let layer = slower(layer, every);
            if let Some(&[_, channels, _, rows, cols]) = pieces.first().map(Array5::shape) {
                let alone = Model::of(layer.layer().map_err(text)?);
                every *= alone.signature(Shape::new(channels, rows, cols)).map_err(text)?.rate.every;
            }
            (pieces, error) = expected(&layer, way, pieces, error)?;
        }
        return Ok((pieces, error));
    }
    let layer = spec.layer_by(Algorithm::Direct).map_err(text)?;
    let mut model = Model::of(layer).with_precision(Precision::Reproducible);
    let out: Result<Vec<_>, _> = pieces.iter().map(|piece| model.process(piece).map(|view| view.to_owned())).collect();
    let error = grown(spec, way, &pieces, error)?
        + if way == Algorithm::Separable { separable(spec, largest(&pieces)) } else { 0.0 };
    Ok((out.map_err(text)?, error))
}

/// `spec` for frames that come `every` times as far apart.
fn slower(spec: &Spec, every: u64) -> Spec {
    let tau = |tau: f64| tau / every as f64;
    match spec.clone() {
        Spec::LowPass { tau: of } => Spec::LowPass { tau: tau(of) },
        Spec::HighPass { tau: of, k } => Spec::HighPass { tau: tau(of), k },
        Spec::SmoothConv { taus, spatial, border, components } => {
            Spec::SmoothConv { taus: taus.into_iter().map(tau).collect(), spatial, border, components }
        }
        Spec::Cascade(layers) => Spec::Cascade(layers.iter().map(|layer| slower(layer, every)).collect()),
        Spec::Branches(branches) => {
            Spec::Branches(branches.iter().map(|(weight, branch)| (*weight, slower(branch, every))).collect())
        }
        other => other,
    }
}

fn largest(pieces: &[Array5<f32>]) -> f64 {
    pieces.iter().flatten().fold(0.0, |max, x| f64::from(x.abs()).max(max))
}

/// What separable kernels add: their own error, and rounding relative to the norms of weights and samples.
fn separable(spec: &Spec, max: f64) -> f64 {
    let norm = |weight: &mut dyn Iterator<Item = &f64>| {
        let (squares, taps) = weight.fold((0.0, 0.0), |(sum, taps), w| (sum + w * w, taps + 1.0));
        f64::sqrt(squares * taps) * max
    };
    let of = |steps: usize, norm: f64| (2e-6 + 3.0 * f64::from(f32::EPSILON) * (steps + 5) as f64) * norm;
    match spec {
        Spec::Conv(ConvSpec { weight, .. }) => {
            let (_, ins, kt, kh, kw) = weight.dim();
            of(kt + kw + 3 * ins * kh, weight.outer_iter().map(|w| norm(&mut w.iter())).fold(0.0, f64::max))
        }
        Spec::SmoothConv { spatial, .. } => {
            let (_, kh, kw) = spatial.dim();
            spatial.outer_iter().map(|w| of(kw + spatial.len_of(Axis(0)) * kh, norm(&mut w.iter()))).sum()
        }
        _ => 0.0,
    }
}

/// The error behind a layer.
fn grown(spec: &Spec, way: Algorithm, pieces: &[Array5<f32>], error: f64) -> Result<f64, String> {
    // Of both sides, with a percent for what is of higher order.
    let u = 1.01 * f64::from(f32::EPSILON);
    let frames = pieces.iter().map(|piece| piece.dim().2).sum::<usize>() as f64;
    let samples = pieces.iter().map(|piece| piece.len()).max().unwrap_or(0);
    let max = largest(pieces);
    let begin = |pad: Option<PadMode>| match pad {
        Some(PadMode::Mean) => (error + u * mean_steps(samples) * max, max),
        Some(PadMode::Ones) => (error, max.max(1.0)),
        _ => (error, max),
    };
    let smoothing = |tau: f64| {
        let gain = gain(tau);
        if gain < 1.0 { (1.0 + 6.0 * gain) * frames.min(1.0 / gain) } else { 0.0 }
    };
    Ok(match spec {
        Spec::TimePadding { mode, .. } => begin(Some(*mode)).0,
        Spec::Conv(ConvSpec { weight, bias, pad, .. }) => {
            let (error, max) = begin(*pad);
            let sums = weight.outer_iter().map(|w| w.mapv(f64::abs).sum()).fold(0.0, f64::max);
            let bias = bias.iter().fold(0.0, |max: f64, b| max.max(b.abs()));
            let taps = (weight.len() / weight.dim().0) as f64;
            sums * error + u * (taps + 3.0) * (sums * max + bias)
        }
        Spec::Rf { weight, pad, .. } => {
            let (error, max) = begin(*pad);
            let (_, ins, kt, kh, kw) = weight.dim();
            let empty = kh * kw == 1;
            let pixels = pieces.first().map_or(0, |piece| piece.dim().3 * piece.dim().4).max(kh * kw);
            let sums = weight.outer_iter().map(|w| w.mapv(f64::abs).sum()).fold(0.0, f64::max);
            let sums = if empty { 1.0 } else { sums };
            sums * error + u * ((ins * kt * pixels) as f64 + 4.0) * sums * max
        }
        Spec::LowPass { tau } => error + u * max * smoothing(*tau),
        Spec::HighPass { tau, k } => (1.0 + k.abs()) * error + u * max * (k.abs() * (smoothing(*tau) + 3.0) + 1.0),
        Spec::SmoothConv { taus, spatial, .. } => {
            let mut stage = 0.0;
            let parts = taus.iter().zip(spatial.outer_iter()).map(|(tau, kernel)| {
                stage += smoothing(*tau);
                kernel.mapv(f64::abs).sum() * (error + u * max * (stage + spatial.len() as f64 + 2.0))
            });
            parts.sum()
        }
        Spec::Pointwise(function) => {
            // A product and a sum of rounded numbers, then a square.
            let line = |scale: f64, bias: f64| {
                let size = bias.abs() + scale.abs() * max;
                (size, scale.abs() * error + 3.0 * u * size)
            };
            let square = |(size, error): (f64, f64)| error * (2.0 * size + error) + u * size * size;
            match *function {
                Nonlinearity::Rectify => error,
                Nonlinearity::RectifyScale { scale, bias } => line(scale, bias).1,
                Nonlinearity::Square { scale, bias } | Nonlinearity::RectifySquare { scale, bias } => {
                    square(line(scale, bias))
                }
                // The error of the line times the steepest slope, and four units in the last place of either side.
                Nonlinearity::Exponential { scale, bias } => {
                    let (size, error) = line(scale, bias);
                    size.exp() * (error.exp_m1() + 4.0 * u)
                }
                Nonlinearity::Softplus { scale, bias } => {
                    let (size, error) = line(scale, bias);
                    error + 4.0 * u * (size + 0.7)
                }
                Nonlinearity::Logistic { scale, bias } => 0.25 * line(scale, bias).1 + 4.0 * u,
                _ => unreachable!("no layer of {function:?}"),
            }
        }
        Spec::Sum(dim) => {
            let terms = pieces.first().map_or(1, |piece| piece.shape()[*dim]) as f64;
            terms * error + u * terms * terms * max
        }
        Spec::Diff => 2.0 * error + 2.0 * u * max,
        Spec::Delay { .. } | Spec::VariableDelay(_) => error,
        Spec::Branches(branches) => {
            let terms = branches.iter().map(|(weight, branch)| {
                let (out, error) = expected(branch, way, pieces.to_vec(), error)?;
                Ok(weight.abs() * (error + u * (branches.len() + 2) as f64 * largest(&out)))
            });
            terms.sum::<Result<f64, String>>()?
        }
        Spec::Cascade(_) => expected(spec, way, pieces.to_vec(), error)?.1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::array;
    use crate::spec::Axes;
    use foveola_core::Border;

    #[test]
    fn layers_behind_a_stride_are_those_of_the_model() -> Result<(), String> {
        let text = |error: foveola::Error| error.to_string();
        let conv = ConvSpec {
            axes: Axes::Conv1d,
            weight: array(1, (1, 1, 4, 1, 1)),
            bias: Vec::new(),
            flip: true,
            border: Some(Border::Zeros),
            pad: None,
            stride: [2, 1, 1],
            dilation: [1; 3],
            groups: 1,
        };
        let (first, second) =
            (Spec::Conv(conv.clone()), Spec::Cascade(vec![Spec::Conv(conv), Spec::LowPass { tau: 0.006 }]));
        let spec = Spec::Cascade(vec![first, second, Spec::HighPass { tau: 0.02, k: 0.7 }]);
        let movie = array(2, (1, 1, 40, 2, 2)).mapv(|x| x as f32);
        let (found, tolerance) = expected(&spec, Algorithm::Direct, vec![movie.clone()], 0.0)?;
        let mut model = Model::of(spec.layer().map_err(text)?);
        let whole = model.process(&movie).map_err(text)?.mapv(f64::from);
        assert!(whole.len_of(Axis(2)) > 5, "{} frames", whole.len_of(Axis(2)));
        crate::naive::close(&found[0], &whole, &Array5::from_elem(whole.dim(), tolerance))
    }
}
