//! Models in integers: near the floats, the same bits however they run, and what is refused.

use super::Samples;
use crate::model::models;
use crate::{
    Axis as Along, Conv1d, Delay, Diff, Error, HighPass, LowPass, Model, NLLogistic, NLRectify, NLSoftplus, NLSquare,
    PadMode, Precision, RF, Resolution, SimdLevel, SmoothConv, Sum, TimePadding,
};
use ndarray::{Array5, Axis, concatenate, s};

/// Events of a bar that moves, with noise: counts of -3 to 3.
fn events(channels: usize, frames: usize, side: usize) -> Array5<f32> {
    Array5::from_shape_fn((1, channels, frames, side, side), |(_, k, t, r, c)| {
        let noise = (t * 7919 + r * 104_729 + c * 1_299_709 + k * 15_485_863) % 1009;
        match (c + side - t % side) % side {
            0 | 1 => (1 + noise % 3) as f32,
            2 if channels == 1 => -((1 + noise % 2) as f32),
            _ if noise < 20 => 1.0,
            _ => 0.0,
        }
    })
}

/// A ready model in 16 bits.
fn quantised(name: &str, movie: &Array5<f32>) -> (Model, super::Quantised) {
    let mut model = models::build(name, Resolution::DEFAULT).expect("a good model");
    let found = model.quantise(movie, Samples::EVENTS, 1.05, None);
    (model, found.unwrap_or_else(|error| panic!("{name}: {error}")))
}

fn channels(name: &str) -> usize {
    models::file(name).expect("a ready model").input().channels.unwrap_or(1)
}

/// Signal-to-noise ratios of the last layers. Those with a nonlinearity of large gain in between, or kernels of thousands of taps,
/// lose more.
#[test]
fn ready_models_are_near_their_floats() {
    for name in models::names() {
        let least = match name {
            "mcintosh" => 36.0,
            "motion_energy" => 44.0,
            _ => 59.0,
        };
        let (_, found) = quantised(name, &events(channels(name), 100, 20));
        let last = found.layers.last().expect("a layer");
        assert!(last.snr >= least, "{name}: {found:?}");
        let saturated: u64 = found.layers.iter().map(|layer| layer.saturated).sum();
        assert_eq!((saturated, found.saturated_input), (0, 0), "{name}: {found:?}");
    }
}

/// The output for ten frames, which initialise paddings, and then for chunks.
fn run(model: &Model, movie: &Array5<f32>, chunk: usize) -> Array5<f32> {
    let mut model = model.clone();
    model.clear_state();
    let (first, rest) = movie.view().split_at(Axis(2), 10);
    let first = model.run(first, 10).expect("a good model");
    let rest = model.run(rest, chunk).expect("a good model");
    concatenate(Axis(2), &[first.view(), rest.view()]).expect("frames of one size")
}

/// Whatever the chunks, the vectors and the threads are.
#[test]
fn the_bits_are_the_same() {
    for name in ["retina", "ln_cascade", "direction_selective", "motion_energy"] {
        let movie = events(channels(name), 40, 24);
        let (model, _) = quantised(name, &movie);
        let expected = run(&model, &movie, 30);
        for chunk in [1, 7, 16] {
            assert_eq!(run(&model, &movie, chunk), expected, "{name}, chunks of {chunk}");
        }
        let levels = SimdLevel::available().into_iter().map(Precision::AtMost);
        for precision in levels.chain([Precision::Reproducible]) {
            let other = model.clone().with_precision(precision).with_threads(2).eager();
            assert_eq!(run(&other, &movie, 13), expected, "{name}, {precision}");
        }
        // A batch of two streams.
        let reversed = movie.slice(s![.., .., .., .., ..;-1]);
        let both = concatenate(Axis(0), &[movie.view(), reversed]).expect("one shape");
        let of_batch = run(&model, &both, 11);
        assert_eq!(of_batch.index_axis(Axis(0), 0), expected.index_axis(Axis(0), 0), "{name}, in a batch");
    }
}

/// Within the range nothing saturates, whatever the input: all of it at its ends, of signs that follow the kernels.
#[test]
fn nothing_saturates_within_the_range() {
    for name in ["retina", "ln", "transient"] {
        let movie = events(1, 60, 16);
        let mut model = models::build(name, Resolution::DEFAULT).expect("a good model");
        let found = model.quantise(&movie, Samples::Q15 { full_scale: 4.0 }, 1.0, Some(3.0)).expect("a good model");
        assert!(found.safe_input >= 3.0, "{name}: {found:?}");
        let names: Vec<String> = model.names().map(Into::into).collect();
        for (i, layer) in names.iter().enumerate() {
            model.add_output(format!("of_{i}"), layer);
        }
        let scales: Vec<f64> = names.iter().map(|layer| model.full_scale(&**layer).expect("a full scale")).collect();
        for period in [1, 2, 5, 16, 1000] {
            let worst = Array5::from_shape_fn((1, 1, 200, 16, 16), |(_, _, t, r, c)| {
                if (t / period + r / 2 + c / period) % 2 == 0 { 3.0 } else { -3.0_f32 }
            });
            model.clear_state();
            let outputs = model.process_all(&worst).expect("a good model");
            for ((layer, scale), output) in names.iter().zip(&scales).zip(&outputs[outputs.len() - names.len()..]) {
                let most = output.iter().fold(0.0, |most: f64, y| most.max(f64::from(y.abs())));
                assert!(most <= scale * 32767.0 / 32768.0, "{name}, {layer}: {most} of {scale}");
            }
        }
    }
}

#[test]
fn a_state_goes_on_with_its_full_scales_alone() {
    let movie = events(1, 30, 12);
    let (mut model, _) = quantised("retina", &movie);
    let expected = model.run(&movie, 30).expect("a good model");
    model.clear_state();
    model.process(movie.slice(s![.., .., ..10, .., ..])).expect("a good model");
    let state = model.state();
    let mut again = model.clone();
    again.set_state(&state);
    let rest = again.process(movie.slice(s![.., .., 10.., .., ..])).expect("the same layers");
    assert_eq!(rest, expected.slice(s![.., .., 10.., .., ..]));

    let mut other = model.clone();
    other.set_full_scale("small", Some(64.0)).expect("a layer");
    let found = other.process(movie.slice(s![.., .., 10.., .., ..])).map(|output| output.dim());
    assert!(matches!(found, Err(Error::StateChanged { .. })), "{found:?}");
    let mut floats = model.clone();
    floats.set_samples(Samples::F32).expect("floats");
    let found = floats.process(movie.slice(s![.., .., 10.., .., ..])).map(|output| output.dim());
    assert!(matches!(found, Err(Error::StateChanged { .. })), "{found:?}");
}

/// A state file belongs to a model in integers with the same full scales.
#[test]
fn a_state_file_goes_on_with_its_bits() {
    let movie = events(1, 30, 12);
    let (mut model, _) = quantised("retina", &movie);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("q15.state");
    let expected = model.run(&movie, 30).expect("a good model");
    model.clear_state();
    model.process(movie.slice(s![.., .., ..10, .., ..])).expect("a good model");
    model.save_state(&path).expect("written");
    let mut again = model.clone();
    again.clear_state();
    again.load_state(&path).expect("of this model");
    let rest = again.process(movie.slice(s![.., .., 10.., .., ..])).expect("the same layers");
    assert_eq!(rest, expected.slice(s![.., .., 10.., .., ..]));

    let mut others = [model.clone(), model.clone(), model.clone()];
    others[0].set_samples(Samples::F32).expect("floats");
    others[1].set_full_scale("on", Some(64.0)).expect("a layer");
    others[2].set_inner_scale("centre", Some(64.0)).expect("a layer");
    for mut other in others {
        other.clear_state();
        let error = other.load_state(&path).expect_err("of another model").to_string();
        assert!(error.contains("the state of another model"), "{error}");
    }
}

/// What a layer reads is in range as well as what it yields: the input, a layer, or a sum of several.
#[test]
fn what_layers_read_is_in_range() {
    let movie = Array5::from_shape_fn((1, 1, 60, 8, 8), |(_, _, t, r, c)| {
        let board = if (r + c) % 2 == 0 { 3.0 } else { -2.9_f32 };
        board * if t % 20 < 15 { 1.0 } else { 0.5 }
    });
    let rate = Resolution::DEFAULT;
    let layers: [(&str, Model); 4] = [
        ("Sum", Model::of(Sum::new(Along::Row))),
        ("HighPass", Model::of(HighPass::new(0.001, 1.0, rate).expect("a time constant"))),
        ("Diff", Model::of(Diff)),
        ("RF", Model::of(RF::new(1, 1, 5).expect("a field"))),
    ];
    for (name, layer) in layers {
        let of_sum = Model::new()
            .named("small", LowPass::new(0.002, rate).expect("a time constant"))
            .named("last", layer.clone())
            .reading([("small", 0.01), ("input", 1.0)]);
        for mut model in [layer, of_sum] {
            let found = model.quantise(&movie, Samples::Q15 { full_scale: 4.0 }, 1.0, None).expect("a good model");
            let last = found.layers.last().expect("a layer");
            assert!(last.snr > 30.0, "{name}: {found:?}");
        }
    }
    // One that is silent keeps the full scale of what it reads; one that was set stays.
    let mut model = Model::new().named("off", NLRectify).reading([("input", -1.0)]).named("kept", NLRectify);
    model.set_full_scale("kept", Some(16.0)).expect("a layer");
    model.quantise(movie.mapv(f32::abs), Samples::Q15 { full_scale: 8.0 }, 1.0, None).expect("a good model");
    assert_eq!([model.full_scale("off"), model.full_scale("kept")], [Some(8.0), Some(16.0)]);
    // What 16 bits cannot hold.
    let square = || Model::of(NLSquare::new(100.0, 0.0).expect("finite"));
    let error = square().quantise(&movie, Samples::Q15 { full_scale: 4.0 }, 1.0, None).expect_err("90000").to_string();
    assert!(error.contains("samples of up to 9e4; expected 32768 at most"), "{error}");
    let error =
        square().quantise(&movie, Samples::Q15 { full_scale: 4.0 }, 1.0, Some(5.0)).expect_err("of 4").to_string();
    assert!(error.contains("range is 5"), "{error}");
}

#[test]
fn what_has_no_integers_is_refused() {
    let rate = Resolution::DEFAULT;
    let movie = events(1, 5, 6);
    let refused = |model: Model, words: &str| {
        let mut model = model;
        model.set_samples(Samples::EVENTS).expect("a power of two");
        let error = model.process(&movie).map(|output| output.dim()).expect_err("no integers").to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(model.time(), 0, "nothing was taken");
    };
    refused(Model::new().map(|x| x + 1.0), "layer 0, Map, in 16 bits: a filter of the program itself");
    refused(Model::of(TimePadding::new(2, PadMode::Ones)), "a padding of ones at a full scale of 2^7");
    let softplus = NLSoftplus::new(1.0, 0.0).expect("finite");
    refused(Model::of(softplus), "a softplus of up to 2^8; expected a full scale of 1 or less");
    let mut huge = Conv1d::new(1, 1, 2).expect("a kernel").with_weight([3e9_f32; 2]).expect("finite");
    huge.set_bias(&[1.0]).expect("one channel");
    let mut model = Model::of(huge);
    model.set_full_scale(0, Some(1.0)).expect("a power of two");
    refused(model, "layer 0, Conv1d, in 16 bits: weights of up to");
    let mut inner = Model::of(NLRectify);
    inner.set_inner_scale(0, Some(1.0)).expect("a power of two");
    refused(inner, "an inner full scale; expected one of SmoothConv and separable convolutions alone");

    let mut model = Model::of(LowPass::new(0.01, rate).expect("a time constant"));
    for scale in [3.0, 0.0, -1.0, f64::NAN, 65536.0] {
        assert!(model.set_full_scale(0, Some(scale)).is_err(), "{scale}");
        assert!(model.set_samples(Samples::Q15 { full_scale: scale }).is_err(), "{scale}");
    }
    assert!(model.set_full_scale(1, Some(1.0)).is_err(), "no such layer");
    assert!(model.quantise(&movie, Samples::F32, 1.0, None).is_err(), "floats");
    assert!(model.quantise(&movie, Samples::EVENTS, 0.5, None).is_err(), "no headroom");
    assert_eq!((model.samples(), model.full_scale(0)), (Samples::F32, None), "as it was");
}

/// Each kind of layer against floats: to a few steps of its full scale, one for each stage.
#[test]
fn layers_are_near_their_floats() {
    let rate = Resolution::DEFAULT;
    let movie = events(1, 60, 9);
    let low = || LowPass::new(0.02, rate).expect("a time constant");
    let models = [
        Model::of(low()),
        Model::of(HighPass::new(0.02, 0.7, rate).expect("a time constant")),
        Model::of(Diff),
        Model::of(Delay::new(3)),
        Model::of(NLLogistic::new(2.0, -1.0).expect("finite")),
        Model::of(SmoothConv::gaussian(3, 0.004, 0.1, rate).expect("a kernel")),
        Model::new().named("a", low()).named("b", Diff).reading([("a", 1.0), ("input", -0.5)]),
        Model::new().named("a", low()).named("b", NLRectify).reading(crate::Inputs::product(["a", "input"])),
    ];
    for mut model in models {
        let text = format!("{model:?}");
        let found = model.quantise(&movie, Samples::Q15 { full_scale: 4.0 }, 1.0, None).expect("a good model");
        let last = found.layers.last().expect("a layer");
        assert!(last.snr > 60.0 && last.saturated == 0, "{text}: {found:?}");
        let exact = {
            let mut floats = model.clone();
            floats.set_samples(Samples::F32).expect("floats");
            floats.run(&movie, 60).expect("a good model")
        };
        let off = (&model.run(&movie, 60).expect("a good model") - &exact).mapv(f32::abs);
        let most = f64::from(off.iter().fold(0.0, |most: f32, off| most.max(*off)));
        assert!(most <= 10.0 * last.full_scale / 32768.0, "{text}: off by {most} of {}", last.full_scale);
    }
}
