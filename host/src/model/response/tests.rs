//! Responses against closed forms.

use super::*;
use crate::{
    Conv1d, Conv2d, Conv3d, Delay, Diff, HighPass, Inputs, LowPass, NLRectify, NLSquare, Resolution, Rf, SmoothConv,
    Weight,
};
use ndarray::{Array2, Array3, Array5};
use std::f64::consts::{PI, TAU};

const RESOLUTION: Resolution = Resolution::DEFAULT;

fn low_pass(tau: f64) -> LowPass {
    LowPass::new(tau, RESOLUTION).expect("a good time constant")
}

fn one(model: &Model, flash: &Flash) -> Response {
    let mut found = model.responses(flash).expect("a response");
    assert_eq!(found.len(), 1, "one output");
    found.pop().expect("one")
}

#[test]
fn a_low_pass_is_an_exponential() {
    let (tau, flash) = (0.020, Flash { amplitude: 2.0, ..Flash::new(Shape::new(1, 5, 6)) });
    let response = one(&Model::of(low_pass(tau)), &flash);
    let (a, gain) = ((-1.0 / (tau * 1e3)).exp(), 1.0 - (-1.0 / (tau * 1e3)).exp());
    assert!(response.linear && response.decayed, "and long enough: {}", response.bright.len_of(Axis(1)));
    for ((_, t, row, col), &y) in response.bright.indexed_iter() {
        let expected = if (row, col) == (2, 3) { 2.0 * gain * a.powi(t as i32) } else { 0.0 };
        assert!((f64::from(y) - expected).abs() < 1e-6, "{y} at {t}, {row}, {col}: {expected}");
        assert_eq!(response.dark[(0, t, row, col)], -y);
    }
    let delay = response.delay().expect("a response");
    assert!((delay - a / (1.0 - a)).abs() < 0.01 * delay, "the tail is short: {delay}");
    // |H(f)| = (1 - a) / |1 - a e^(-i w)|
    let spectrum = response.spectrum(0, flash.amplitude);
    for f in spectrum.times() {
        let (sin, cos) = (TAU * f).sin_cos();
        let expected = gain / (1.0 - a * cos).hypot(a * sin);
        let found = spectrum.at(0, 0.3, f);
        assert!((found - expected).abs() < 2e-3, "{found} at {f}: {expected}");
    }
    let best = spectrum.best().expect("a response");
    assert_eq!((best.space, best.time), (0.0, 0.0), "constant light");
}

/// The gain of a Gaussian is exp(-2 pi^2 sigma^2 k^2).
#[test]
fn a_gaussian_has_a_gaussian_gain() {
    let mut conv = Conv2d::new(1, 1, [1, 1]).expect("a kernel");
    let sigma = 2.0;
    conv.set_weight(Array2::from_shape_fn((21, 21), |(r, c)| {
        let (r, c) = (r as f64 - 10.0, c as f64 - 10.0);
        (-(r * r + c * c) / (2.0 * sigma * sigma)).exp() / (TAU * sigma * sigma)
    }))
    .expect("a weight");
    let response = one(&Model::of(conv), &Flash::new(Shape::new(1, 40, 40)));
    let spectrum = response.spectrum(0, 1.0);
    for axis in [0, 1] {
        for space in spectrum.spaces(axis) {
            let expected = (-2.0 * (PI * sigma * space).powi(2)).exp();
            for time in [0.0, 0.01, 0.5] {
                assert!((spectrum.at(axis, space, time) - expected).abs() < 1e-5, "axis {axis}, {space}");
            }
        }
    }
}

/// A grating as a movie has the amplitude that the spectrum says, and drifts as it says.
#[test]
fn the_spectrum_is_that_of_gratings() {
    let weight = Array3::from_shape_fn((9, 7, 7), |(t, r, c)| {
        let phase = TAU * (0.1 * t as f64 - 0.2 * (c as f64 - 3.0));
        phase.cos() * (-((r as f64 - 3.0).powi(2) + (c as f64 - 3.0).powi(2)) / 6.0).exp()
    });
    let model = Model::of(Conv3d::new(1, 1, [1, 1, 1]).and_then(|conv| conv.with_weight(&weight)).expect("a kernel"));
    let spectrum = one(&model, &Flash::new(Shape::new(1, 32, 32))).spectrum(0, 1.0);
    let best = spectrum.best().expect("a response");
    assert!(best.axis == 1 && best.space > 0.1 && best.time > 0.05, "to the right: {best:?}");
    assert!(spectrum.at(1, -best.space, best.time) < 0.3 * best.gain, "and not to the left");
    for (space, time) in [(0.2, 0.1), (-0.2, 0.1), (0.125, 0.05)] {
        let movie =
            Array3::from_shape_fn((120, 32, 32), |(t, _, c)| (TAU * (time * t as f64 - space * c as f64)).cos() as f32);
        let response = model.clone().run(&movie, 120).expect("a response");
        let course = response.slice(s![0, 0, 20.., 16, 16]);
        // The amplitude over 5 or 10 whole cycles.
        let [re, im] = course.iter().enumerate().fold([0.0; 2], |[re, im], (t, y)| {
            let (sin, cos) = (TAU * time * t as f64).sin_cos();
            [re + f64::from(*y) * cos, im + f64::from(*y) * sin]
        });
        let found = 2.0 * f64::hypot(re, im) / course.len() as f64;
        let expected = spectrum.at(1, space, time);
        assert!((found - expected).abs() < 2e-3 * best.gain, "{found} at {space}, {time}: {expected}");
    }
}

#[test]
fn kernels_and_delays_are_where_they_belong() {
    let weight = Array5::from_shape_fn((1, 1, 3, 3, 4), |(_, _, t, r, c)| (1 + 12 * t + 4 * r + c) as f32);
    let conv = Conv3d::new(1, 1, [1, 1, 1]).and_then(|conv| conv.with_weight(&weight)).expect("a kernel");
    let model = Model::of(conv).then(Delay::new(30));
    let flash = Flash::new(Shape::new(1, 11, 12));
    let response = one(&model, &flash);
    assert_eq!((response.origin, response.pitch), ([-5.0, -6.0], [1.0; 2]));
    assert_eq!(response.peak().map(|peak| peak.index), Some([0, 32, 6, 8]), "the last weight is the largest");
    for ((_, _, t, r, c), w) in weight.indexed_iter() {
        assert_eq!(response.bright[(0, 30 + t, 5 + r - 1, 6 + c - 1)], *w);
    }
    assert!(response.decayed, "the delay is part of how long it lasts");
    assert!(!one(&model, &Flash { frames: Some(32), ..flash.clone() }).decayed, "cut short");
    let delays = model.delays(&flash).expect("delays");
    let frames =
        weight.indexed_iter().map(|((_, _, t, ..), w)| t as f64 * f64::from(*w)).sum::<f64>() / f64::from(weight.sum());
    for (found, expected) in delays.into_iter().zip([frames, frames + 30.0]) {
        assert!((found.expect("a response") - expected).abs() < 1e-6, "{found:?}: {expected}");
    }
    let other = Flash { pixel: [2, 8], ..flash.clone() };
    assert_eq!(one(&model, &other).bright[(0, 30, 2, 8)], weight[(0, 0, 0, 1, 1)], "at another pixel");
}

#[test]
fn strides_and_borders_move_pixels() {
    let plain = |size: [usize; 2]| Conv2d::new(1, 1, size).expect("a kernel");
    let flash = Flash::new(Shape::new(1, 16, 20));
    let strided = one(&Model::of(plain([1, 1]).with_stride([1, 2, 4])).then(plain([1, 1])), &flash);
    assert_eq!((strided.pitch, strided.origin), ([2.0, 4.0], [-8.0, -10.0]));
    assert!(!strided.shifts, "a flash between the pixels that are taken has no response");
    let cropped = one(&Model::of(plain([5, 3]).with_autopad(false)), &flash);
    assert_eq!(cropped.origin, [2.0 - 8.0, 1.0 - 10.0]);
    assert_eq!(cropped.bright[(0, 0, 6, 9)], 1.0 / 15.0, "the flash is where it is");
    let rows: Vec<usize> = (0..12).filter(|row| cropped.bright[(0, 0, *row, 9)] != 0.0).collect();
    assert_eq!(rows, [4, 5, 6, 7, 8], "around the flash");

    let slow = Conv1d::new(1, 1, 4).expect("a kernel").with_stride([3, 1, 1]);
    let slow = one(&Model::of(slow).then(low_pass(0.030)), &flash);
    assert_eq!((slow.first, slow.every), (0, 3), "a frame that is kept sees the flash");
    assert!(slow.decayed && slow.bright[(0, 0, 8, 10)] > 0.0, "it responds");
    let unpadded = Conv1d::new(1, 1, 4).expect("a kernel").with_time_pad(false);
    assert_eq!(one(&Model::of(unpadded), &flash).delay(), Some(1.5), "the field is filled before the flash");
    let field = one(&Model::of(Rf::new(1, 1, 3).expect("a field")), &flash);
    assert!(field.bright.dim().2 == 1 && !field.shifts && cropped.shifts, "one pixel");
    assert!((field.bright[(0, 2, 0, 0)] - 1.0 / 960.0).abs() < 1e-7 && field.bright[(0, 3, 0, 0)] == 0.0, "the mean");
}

#[test]
fn nonlinear_layers_have_linear_stages() {
    let model = Model::new()
        .named("fast", low_pass(0.005))
        .named("slow", low_pass(0.050))
        .reading("input")
        .named("on", NLRectify)
        .reading([("fast", 1.0), ("slow", -1.0)])
        .named("off", NLRectify)
        .reading([("slow", 1.0), ("fast", -1.0)])
        .named("pooled", low_pass(0.010))
        .reading("on")
        .named("product", Model::new())
        .reading(Inputs::product(["fast", "pooled"]))
        .with_output("on", "on")
        .with_output("off", "off");
    let flash = Flash::new(Shape::new(1, 3, 3));
    let outputs = model.responses(&flash).expect("responses");
    assert_eq!(outputs.iter().map(|output| output.name.as_str()).collect::<Vec<_>>(), ["on", "off"]);
    for output in &outputs {
        assert!(!output.linear, "rectified");
        assert!(output.bright.iter().chain(&output.dark).all(|y| *y >= 0.0), "a rate");
    }
    assert_eq!((&outputs[0].bright, &outputs[0].dark), (&outputs[1].dark, &outputs[1].bright), "mirrored");
    let names = |layer: &str| -> Vec<String> {
        let stages = model.linear_responses(layer, &flash).expect("responses");
        assert!(stages.iter().all(|stage| stage.linear && stage.dark == stage.bright.mapv(|y| -y)), "{layer}");
        stages.into_iter().map(|stage| stage.name).collect()
    };
    assert_eq!(names("fast"), ["fast"]);
    assert_eq!(names("on"), ["input of on"]);
    assert_eq!(names("pooled"), ["input of on"]);
    assert_eq!(names("product"), ["fast", "input of on"]);
    let stage = &model.linear_responses("off", &flash).expect("responses")[0];
    let slow = model.layer_response("slow", &flash).expect("a response");
    let fast = model.layer_response("fast", &flash).expect("a response");
    let n = stage.bright.len_of(Axis(1)).min(fast.bright.len_of(Axis(1)));
    for t in 0..n {
        let difference = slow.bright[(0, t, 1, 1)] - fast.bright[(0, t, 1, 1)];
        assert!((stage.bright[(0, t, 1, 1)] - difference).abs() < 1e-6, "{t}");
    }
    // One layer after another, without names.
    let plain = Model::new().then(NLSquare::new(1.0, 0.0).expect("finite"));
    assert_eq!(plain.linear_responses(0, &flash).expect("responses")[0].delay(), Some(0.0), "the input itself");
    let plain = Model::new().then(Diff).then(NLRectify);
    assert_eq!(plain.linear_responses(1, &flash).expect("responses")[0].name, "Diff");
}

/// What the model makes of a constant, and of its own biases, is no response.
#[test]
fn the_background_is_no_response() {
    let biased = Conv2d::new(1, 1, [3, 3]).and_then(|conv| conv.with_bias(&[5.0])).expect("a kernel");
    let high = HighPass::new(0.010, 0.5, RESOLUTION).expect("a filter");
    let smooth = SmoothConv::gaussian(2, 0.005, 0.1, RESOLUTION).expect("a filter");
    let model = Model::of(biased).then(high).then(smooth);
    let dark = one(&model, &Flash::new(Shape::new(1, 20, 20)));
    let gray = one(&model, &Flash { background: 0.5, amplitude: -0.25, ..Flash::new(Shape::new(1, 20, 20)) });
    assert!(dark.linear && dark.decayed && gray.decayed, "linear but for the bias");
    for (a, b) in dark.bright.iter().zip(&gray.bright) {
        assert!((a + 4.0 * b).abs() < 1e-5, "{a} and {b}");
    }
    // Rounding does not make the dark response the larger one.
    let bright = one(&Model::of(low_pass(0.020)), &Flash { background: 0.5, ..Flash::new(Shape::new(1, 16, 16)) });
    assert!(bright.peak().is_some_and(|peak| peak.value > 0.0));
    assert_eq!(model.time(), 0, "the model is as it was");
}

#[test]
fn flashes_that_cannot_be_shown_are_errors() {
    let model = Model::of(low_pass(0.010));
    let good = Flash::new(Shape::new(2, 4, 4));
    for (flash, word) in [
        (Flash { channel: 2, ..good.clone() }, "channel is 2"),
        (Flash { pixel: [4, 0], ..good.clone() }, "pixel is 4, 0"),
        (Flash { amplitude: 0.0, ..good.clone() }, "amplitude is 0"),
        (Flash { amplitude: f32::NAN, ..good.clone() }, "amplitude is NaN"),
        (Flash { background: f32::INFINITY, ..good.clone() }, "background is inf"),
        (Flash { frames: Some(0), ..good.clone() }, "frames is 0"),
        (Flash::new(Shape::new(1, 0, 4)), "1 x 0 x 4"),
        (Flash { frames: Some(usize::MAX), ..good.clone() }, "expected 1 to 131072 frames"),
        (Flash { frames: Some(Flash::MOST_FRAMES + 1), ..good.clone() }, "frames is 131073"),
        (Flash::new(Shape::new(1, 60_000, 60_000)), "the responses"),
    ] {
        let error = model.responses(&flash).expect_err(word).to_string();
        assert!(error.contains(word), "{error}: {word}");
    }
    assert!(model.layer_response("slow", &good).expect_err("no layer").to_string().contains("'slow'"), "its name");
    assert!(model.linear_responses(7, &good).expect_err("no layer").to_string().contains("'7'"), "its number");
    let rare = Model::of(Conv1d::new(2, 2, 1).expect("a kernel").with_stride([1 << 40, 1, 1]));
    let rare = one(&rare, &Flash { frames: Some(20), ..good.clone() });
    assert!(rare.delay().is_none() && rare.decayed && rare.every == 1 << 40, "no frame is kept after the flash");
    let second = Flash { channel: 1, ..good };
    let response = &model.responses(&second).expect("a response")[0];
    assert!(response.bright[(1, 0, 2, 2)] > 0.0 && response.bright[(0, 0, 2, 2)] == 0.0, "in its channel");
    let nothing =
        Model::of(Conv1d::new(1, 1, 1).and_then(|conv| conv.with_weight(Weight::from(0.0))).expect("a kernel"));
    let nothing = one(&nothing, &Flash::new(Shape::new(1, 4, 4)));
    assert_eq!((nothing.delay(), nothing.spectrum(0, 1.0).best()), (None, None), "no response");
    assert!(Model::new().delays(&second).expect("no layers").is_empty(), "no layers");
}
