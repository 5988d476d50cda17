use super::{Fit, Loss, Measured, Optimizer, Penalty, Stop, Why};
use crate::{Conv3d, Delay, Error, LowPass, Model, NLSquare, Resolution};
use ndarray::{Array1, Array3, Array4, Array5};
use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;
use std::ops::ControlFlow;

/// White noise: numbers of -1 and 1.
fn noise(seed: u64, [frames, rows, cols]: [usize; 3]) -> Array3<f32> {
    let mut random = Pcg32::new(seed, 1);
    Array3::from_shape_simple_fn((frames, rows, cols), || if random.next_u32() & 1 == 0 { -1.0 } else { 1.0 })
}

/// A bump in time and space.
fn bump([frames, rows, cols]: [usize; 3]) -> Array3<f64> {
    Array3::from_shape_fn((frames, rows, cols), |(t, r, c)| {
        let [r, c] = [r as f64 - (rows - 1) as f64 / 2.0, c as f64 - (cols - 1) as f64 / 2.0];
        (t as f64 / 2.0).sin() * (t as f64 / -3.0).exp() * (-(r * r + c * c) / 2.0).exp()
    })
}

fn linear(size: [usize; 3], weight: Option<&Array3<f64>>) -> Model {
    let mut conv = Conv3d::new(1, 1, size).expect("a kernel");
    conv.set_weight(weight.cloned().unwrap_or_else(|| Array3::from_elem(size, 0.01))).expect("a weight");
    Model::new().named("filter", conv)
}

/// A hidden kernel smaller than the one that is fitted.
#[test]
fn a_kernel_is_found_in_white_noise() {
    let stimulus = noise(1, [600, 9, 10]);
    let hidden = bump([5, 3, 3]);
    let measured = linear([5, 3, 3], Some(&hidden)).run(&stimulus, 600).expect("an output");
    let mut model = linear([6, 5, 5], None);
    let fitted = Fit::new(&mut model).run(&stimulus, &measured).expect("a fit");
    assert!(fitted.training.loss < 1e-9 * fitted.loss_before, "{fitted:?}");
    assert!(fitted.evaluations < 80, "{}", fitted.evaluations);
    let weight = model.parameter("filter.weight").expect("a weight").value;
    for ((_, _, t, r, c), found) in weight.into_dimensionality::<ndarray::Ix5>().expect("five axes").indexed_iter() {
        let inside = t < 5 && (1..4).contains(&r) && (1..4).contains(&c);
        let expected = if inside { hidden[(t, r - 1, c - 1)] } else { 0.0 };
        assert!((found - expected).abs() < 1e-5, "{t} {r} {c}: {found} {expected}");
    }
}

/// Every optimiser finds the same time constants, and tells the same standard errors.
#[test]
fn time_constants_are_found() {
    let stimulus = noise(2, [400, 3, 3]);
    let model = |taus: [f64; 2], scale| {
        let low = |tau| LowPass::new(tau, Resolution::DEFAULT).expect("a time constant");
        Model::new()
            .named("fast", low(taus[0]))
            .named("slow", low(taus[1]))
            .reading("input")
            .named("energy", NLSquare::new(scale, 0.1).expect("finite"))
            .reading([("fast", 1.0), ("slow", -0.7)])
    };
    let mut measured = model([0.003, 0.012], 2.0).run(&stimulus, 400).expect("an output");
    measured.iter_mut().zip(&noise(12, [400, 3, 3])).for_each(|(to, noise)| *to += 0.01 * noise);
    for optimizer in [Optimizer::default(), Optimizer::LevenbergMarquardt, Optimizer::Adam { rate: 0.03 }] {
        let mut start = model([0.005, 0.02], 1.5);
        let fit = Fit::new(&mut start).free("fast.tau").free("slow.tau").bounds("energy.scale", 0.5..=5.0);
        let stop = Stop { evaluations: 800, ..Fit::STOP };
        let fitted = fit.optimizer(optimizer.clone()).stop(stop).run(&stimulus, &measured).expect("a fit");
        let off = |name, expected: f64| {
            let parameter = fitted.parameter(name).expect("it is free");
            (parameter.after.sum() / expected - 1.0).abs()
        };
        let off = off("fast.tau", 0.003).max(off("slow.tau", 0.012)).max(off("energy.scale", 2.0));
        let bound = if matches!(optimizer, Optimizer::Adam { .. }) { 2e-2 } else { 5e-3 };
        assert!(off < bound, "{optimizer:?}: {off}, {:?}", fitted.why);
        let errors = fitted.parameters[0].errors.as_ref().expect("an error").sum();
        assert!(errors > 1e-7 && errors < 1e-4, "{optimizer:?}: {errors}");
    }
}

/// A share at the end is left out: there the data may be anything, but is scored.
#[test]
fn frames_are_left_out() {
    let stimulus = noise(3, [300, 4, 4]);
    let mut measured = linear([3, 3, 3], Some(&bump([3, 3, 3]))).run(&stimulus, 300).expect("an output");
    measured.slice_mut(ndarray::s![.., .., ..20, .., ..]).fill(100.0);
    let mut model = linear([3, 3, 3], None);
    let fitted = Fit::new(&mut model).warm_up(20).validate(0.2).run(&stimulus, &measured).expect("a fit");
    let validation = fitted.validation.expect("frames for validation");
    assert!(fitted.training.loss < 1e-10 && validation.loss < 1e-10, "{fitted:?}");
    assert!(validation.correlation.expect("a correlation") > 0.999_999);
    assert_eq!((fitted.predictions[0].training.clone(), fitted.predictions[0].validation.clone()), (20..244, 244..300));
    assert!(fitted.history.last().expect("steps").validation.is_some());
}

/// Two recordings count as one of both, for any number of threads.
#[test]
fn recordings_add_up() {
    let hidden = bump([3, 3, 3]);
    let recordings = [(4, 120), (5, 200)].map(|(seed, frames)| {
        let stimulus = noise(seed, [frames, 5, 5]);
        let output = linear([3, 3, 3], Some(&hidden)).run(&stimulus, frames).expect("an output");
        (stimulus, Measured::new(&output).expect("good axes"))
    });
    let results = [1, 3].map(|threads| {
        let mut model = linear([3, 3, 3], None).with_threads(threads).eager();
        let data = recordings.iter().map(|(stimulus, measured)| (stimulus, measured.clone()));
        let fitted = Fit::new(&mut model).run_all(data).expect("a fit");
        (fitted.evaluations, fitted.training.loss.to_bits(), model.parameter("filter.weight").expect("a weight"))
    });
    assert_eq!(results[0], results[1]);
    assert!(f64::from_bits(results[0].1) < 1e-10);
}

/// Poisson counts of a rate: the estimate is within four of its standard errors, which shrink as the square root of the time.
#[test]
fn errors_are_those_of_the_data() {
    let cell = |scale| Model::new().named("rate", NLSquare::new(scale, 1.0).expect("finite"));
    let mut widths = Vec::new();
    for frames in [500, 8000] {
        let stimulus = noise(6, [frames, 1, 1]);
        let rates = cell(0.4).run(&stimulus, frames).expect("rates");
        let mut random = Pcg32::new(7, 1);
        let uniform = |random: &mut Pcg32| f64::from(random.next_u32()) / 4_294_967_296.0;
        // Inversion: the rates are small.
        let counts = rates.map(|rate| {
            let (mut left, mut count, mut p) = (uniform(&mut random), 0_u8, (-f64::from(*rate)).exp());
            while left > p && count < 50 {
                left -= p;
                count += 1;
                p *= f64::from(*rate) / f64::from(count);
            }
            f32::from(count)
        });
        let mut model = cell(0.2);
        let fit = Fit::new(&mut model).free("rate.scale").loss(Loss::Poisson);
        let fitted = fit.run(&stimulus, &counts).expect("a fit");
        let found = fitted.parameter("rate.scale").expect("it is free");
        let error = found.errors.as_ref().expect("an error").sum();
        assert!((found.after.sum() - 0.4).abs() < 4.0 * error, "{} +- {error}", found.after.sum());
        assert!(fitted.training.bits_per_spike.expect("bits") > 0.0);
        widths.push(error);
    }
    assert!((widths[0] / widths[1] / 4.0 - 1.0).abs() < 0.1, "{widths:?}");
}

#[test]
fn penalties_act_on_their_kernels() {
    let stimulus = noise(8, [200, 4, 4]);
    let measured = linear([3, 3, 3], Some(&bump([3, 3, 3]))).run(&stimulus, 200).expect("an output");
    let norm = |penalty: &str| {
        let mut model = linear([3, 3, 3], None);
        let penalty: Penalty = penalty.parse().expect("a penalty");
        Fit::new(&mut model).penalty_on("filter.weight", penalty).run(&stimulus, &measured).expect("a fit");
        model.parameter("filter.weight").expect("a weight").value.iter().map(|w| w * w).sum::<f64>()
    };
    assert!(norm("ridge=10") < 0.1 * norm("ridge=0"));
    let mut model = linear([3, 3, 3], None);
    let ridge: Penalty = "ridge=1".parse().expect("a penalty");
    let error = Fit::new(&mut model).penalty_on("filter.bias", ridge).run(&stimulus, &measured).expect_err("refused");
    assert_eq!(error.to_string(), "unknown free kernel for a penalty 'filter.bias'; expected one of: filter.weight");
}

#[test]
fn a_fit_that_is_ended_keeps_the_best_values() {
    let stimulus = noise(9, [200, 4, 4]);
    let measured = linear([3, 3, 3], Some(&bump([3, 3, 3]))).run(&stimulus, 200).expect("an output");
    let mut model = linear([3, 3, 3], None);
    let mut losses = Vec::new();
    let fit = Fit::new(&mut model).watch(|progress| {
        losses.push(progress.loss);
        if progress.iteration == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let fitted = fit.run(&stimulus, &measured).expect("a fit");
    assert_eq!((fitted.why, losses.len()), (Why::Stopped, 3));
    let output = model.run(&stimulus, 200).expect("an output");
    let loss = (&output - &measured).iter().map(|e| f64::from(e * e)).sum::<f64>() / output.len() as f64;
    assert!((loss / fitted.training.loss - 1.0).abs() < 1e-4 && loss < fitted.loss_before, "{loss} {fitted:?}");
}

#[test]
fn what_does_not_fit_is_refused_and_the_model_stays() {
    let stimulus = noise(10, [50, 4, 4]);
    let model = linear([3, 3, 3], None).named("late", Delay::new(1));
    let good = Array5::<f32>::from_shape_fn((1, 1, 50, 4, 4), |(_, _, t, r, c)| ((t + r * c) % 5) as f32);
    let refused = |change: &dyn Fn(Fit<'_>) -> crate::Result<super::Fitted>| {
        let mut fitted = model.clone();
        let error = change(Fit::new(&mut fitted)).expect_err("refused");
        assert_eq!(fitted.parameters(), model.parameters());
        error.to_string()
    };
    let one = |fit: Fit<'_>| fit.run(&stimulus, &good);
    for (found, expected) in [
        (
            refused(&|fit| one(fit.free("late.delay"))),
            "late.delay is in whole frames, of which there are no gradients: it cannot be fitted",
        ),
        (
            refused(&|fit| one(fit.free("filter.wieght"))),
            "unknown parameter 'filter.wieght'; expected one of: filter.weight (the nearest), late.delay",
        ),
        (
            refused(&|fit| one(fit.free("filter.weight").free("filter.weight"))),
            "Fit: free is filter.weight; expected each free parameter once",
        ),
        (refused(&|fit| one(fit.output("on"))), "unknown output 'on'; expected one of: "),
        (refused(&|fit| one(fit.validate(1.5))), "Fit: validate is 1.5; expected a share of 0 to 0.9"),
        (
            refused(&|fit| one(fit.warm_up(50))),
            "Fit: warm_up is 50 of 50 frames; expected fewer than the output has, with frames left to train on",
        ),
        (
            refused(&|fit| fit.run(&stimulus, &Array1::<f32>::ones(49))),
            "the target has 49 frames of 1 numbers; expected 50 frames of 16, as the output has (channels x rows x columns: 1 x 4 x 4)",
        ),
        (
            refused(&|fit| fit.run(&stimulus, &Array4::<f32>::zeros((1, 50, 4, 4)))),
            "Measured: target is 0 in all samples; expected numbers of which some are not 0",
        ),
        (
            refused(&|fit| fit.run(&Array3::<f32>::ones((50, 4, 4)), &good)),
            "Fit: stimulus is 1 in all samples; expected one that varies",
        ),
    ] {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    let mut bad = good.clone();
    bad[(0, 0, 7, 1, 2)] = f32::NAN;
    assert!(refused(&|fit| fit.run(&stimulus, &bad)).contains("target is NaN at sample 118"));
    bad[(0, 0, 7, 1, 2)] = -1.0;
    assert!(refused(&|fit| fit.loss(Loss::Poisson).run(&stimulus, &bad)).contains("target is -1 at sample 118"));
    let mut hole = stimulus.clone();
    hole[(3, 1, 1)] = f32::INFINITY;
    let error = Fit::new(&mut model.clone()).run(&hole, &good).expect_err("refused");
    assert!(matches!(error, Error::NonFinite { frame: 3, .. }), "{error}");
}

/// Two parameters of which only the product matters.
#[test]
fn what_is_not_determined_is_named() {
    let stimulus = noise(11, [100, 2, 2]);
    let tap = |weight: f64| {
        Conv3d::new(1, 1, [1, 1, 1]).and_then(|conv| conv.with_weight(ndarray::arr1(&[weight]))).expect("a tap")
    };
    let model = |a, b| Model::new().named("first", tap(a)).named("second", tap(b));
    let measured = model(2.0, 3.0).run(&stimulus, 100).expect("an output");
    let mut start = model(1.0, 1.0);
    let fitted = Fit::new(&mut start).run(&stimulus, &measured).expect("a fit");
    assert_eq!(fitted.without_errors, "second.weight is not determined by the data");
    assert!(fitted.parameters[0].errors.is_none() && fitted.training.loss < 1e-8);
}

#[cfg(feature = "files")]
mod files {
    use super::noise;
    use crate::fit::Fit;
    use crate::{Model, ModelFile};

    const CELL: &str = r#"
        version = 1
        name = "cell"
        [parameters]
        w = 0.8
        [[layer]]
        name = "blur"
        kind = "Conv2d"
        weight = { gaussian = { sigma = "0.9px", size = [5, 5] }, normalize = true }
        [[layer]]
        name = "fast"
        kind = "LowPass"
        tau = "4ms"
        [[layer]]
        name = "time"
        kind = "Conv1d"
        from = "blur"
        weight = { exponential = { tau = "9ms", length = "30 frames" } }
        [[layer]]
        name = "rate"
        kind = "NLRectifySquare"
        from = ["fast", "-$w * time"]
        scale = 1.5
        bias = 0.3
    "#;

    fn file(changes: &[(&str, &str)]) -> ModelFile {
        let mut file = ModelFile::parse(CELL, ".").expect("a good file");
        changes.iter().for_each(|(path, value)| file.set(path, value).expect("a good value"));
        file
    }

    /// Numbers of generators, of parameters and of layers, and an array; each is written where it was.
    #[test]
    fn numbers_of_a_file_are_found() {
        let stimulus = noise(20, [400, 6, 7]);
        let run =
            |file: &ModelFile| file.model().and_then(|mut model: Model| model.run(&stimulus, 400)).expect("an output");
        let measured = run(&file(&[("blur.weight.gaussian.sigma", "1.3px"), ("fast.tau", "6ms"), ("w", "0.5")]));
        let mut start = file(&[("time.weight.exponential.tau", "7ms")]);
        let free = ["blur.sigma", "fast.tau", "w", "time.weight.exponential.tau", "rate.bias"];
        let fit = free.iter().fold(Fit::of_file(&mut start), |fit, name| fit.free(*name));
        let fitted = fit.run(&stimulus, &measured).expect("a fit");
        for (name, unit, expected) in [
            ("blur.sigma", "px", 1.3),
            ("fast.tau", "ms", 6.0),
            ("w", "", 0.5),
            ("time.weight.exponential.tau", "ms", 9.0),
            ("rate.bias", "", 0.3),
        ] {
            let parameter = fitted.parameter(name).expect("it is free");
            let found = parameter.after.sum();
            assert!(
                (found / expected - 1.0).abs() < 2e-3,
                "{name}: {found}, {expected}, {:?} {}",
                fitted.why,
                fitted.training.loss
            );
            assert_eq!(parameter.unit, unit);
            assert!(parameter.errors.as_ref().is_some_and(|error| error.sum() > 0.0), "{name}");
        }
        assert!((&run(&start) - &measured).iter().all(|off| off.abs() < 2e-4), "the file has the fitted values");
        assert_eq!(ModelFile::parse(&start.to_toml(), ".").expect("a good file"), start);
        let written = start.to_toml();
        assert!(
            written.contains("from = [\"fast\", \"-$w * time\"]") && written.contains("gaussian = { sigma = \"1."),
            "{written}"
        );
    }

    #[test]
    fn arrays_of_a_file_are_written_as_values() {
        let stimulus = noise(21, [300, 6, 6]);
        let measured = file(&[]).model().and_then(|mut model| model.run(&stimulus, 300)).expect("an output");
        let mut start =
            file(&[("time.weight.exponential.tau", "5ms"), ("time.weight.exponential.length", "\"12 frames\"")]);
        let mut sum = file(&[("w", "0.5")]);
        let fitted = Fit::of_file(&mut sum).free("rate.inputs").run(&stimulus, &measured).expect("a fit");
        assert!(
            fitted.training.loss < 1e-8 && sum.to_toml().contains("* time\"]") && !sum.to_toml().contains("$w * time"),
            "{}",
            sum.to_toml()
        );
        let fitted = Fit::of_file(&mut start).free("time.weight").run(&stimulus, &measured).expect("a fit");
        assert!(fitted.training.loss < 0.5 * fitted.loss_before);
        assert!(start.to_toml().contains("weight = [0."), "{}", start.to_toml());
    }

    /// A kernel whose size follows from the number that is free: the size is fixed.
    #[test]
    fn the_size_of_a_kernel_does_not_change() {
        let stimulus = noise(22, [60, 9, 9]);
        let grown = "{ gaussian = { sigma = \"0.9px\" }, normalize = true }";
        let measured = file(&[]).model().and_then(|mut model| model.run(&stimulus, 60)).expect("an output");
        let mut start = file(&[("blur.weight", grown)]);
        start.set("blur.weight.gaussian.sigma", "1.1px").expect("a good value");
        let shape = start.model().and_then(|model| model.parameter("blur.weight")).expect("a weight").shape().to_vec();
        Fit::of_file(&mut start).free("blur.sigma").run(&stimulus, &measured).expect("a fit");
        assert_eq!(start.model().and_then(|model| model.parameter("blur.weight")).expect("a weight").shape(), shape);
        assert!(start.to_toml().contains(&format!("size = [{}, {}]", shape[2], shape[3])), "{}", start.to_toml());
    }
}
