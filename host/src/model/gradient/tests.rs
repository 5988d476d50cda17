use super::{Pass, Recording};
use crate::{
    Algorithm, Axis, Branches, Conv1d, Conv2d, Conv3d, Delay, Error, HighPass, Inputs, LowPass, Model, NLExponential,
    NLLogistic, NLPiecewiseLinear, NLRectifyScale, NLRectifySquare, NLSoftplus, NLSquare, PadMode, Parameter,
    Precision, RF, Resolution, SmoothConv, Sum, kernels,
};
use foveola_core::Shape;
use ndarray::{Array3, ArrayD, Zip};

const FRAMES: usize = 40;
const SIZE: [usize; 2] = [6, 7];

/// Numbers around 0, the same at every run.
fn number(seed: u64, i: usize) -> f64 {
    let mixed = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15 ^ seed.wrapping_mul(0xD134_2543_DE82_EF95));
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64 / f64::from(1 << 23) - 1.0
}

fn movie() -> Array3<f32> {
    let mut i = 0;
    Array3::from_shape_simple_fn((FRAMES, SIZE[0], SIZE[1]), || {
        i += 1;
        number(1, i) as f32
    })
}

fn weight(shape: &[usize], seed: u64) -> ArrayD<f32> {
    let mut i = 0;
    ArrayD::from_shape_simple_fn(shape, || {
        i += 1;
        0.5 * number(seed, i) as f32
    })
}

/// Models that have every kind of parameter, each with some of the others before and behind it.
fn models() -> Vec<(&'static str, Model)> {
    let resolution = Resolution::DEFAULT;
    let conv = |channels: [usize; 2], size: [usize; 3], seed| {
        let [ins, out] = channels;
        let conv = Conv3d::new(ins, out, size)
            .and_then(|conv| conv.with_weight(weight(&[out, ins, size[0], size[1], size[2]], seed)));
        conv.and_then(|conv| conv.with_bias(&[0.1, -0.2, 0.05][..out])).expect("a convolution")
    };
    let low = |tau| LowPass::new(tau, resolution).expect("a time constant");
    let high = |tau, k| HighPass::new(tau, k, resolution).expect("a time constant");
    let smooth = SmoothConv::new(&[0.002, 0.004, 0.003], weight(&[3, 3, 3], 7), resolution).expect("stages");
    let gauss = kernels::gaussian([1.1, 0.8], [5, 5]).expect("a kernel");
    let blur = Conv2d::new(1, 1, [5, 5]).and_then(|conv| conv.with_weight(gauss)).expect("a blur");
    let mut field = RF::new(2, 2, 3).expect("a field");
    field.set_weight(weight(&[2, 2, 3, SIZE[0], SIZE[1]], 9)).expect("a weight");
    field.set_bias(&[0.3, -0.1]).expect("a bias");
    let slow = Conv1d::new(1, 1, 4).and_then(|conv| conv.with_weight(weight(&[1, 1, 4], 11))).expect("a convolution");
    let nonlinear = |scale, bias| NLRectifySquare::new(scale, bias).expect("finite");
    vec![
        (
            "conv",
            Model::new()
                .named("conv", conv([1, 2], [3, 3, 2], 3))
                .named("square", NLSquare::new(0.7, 0.2).expect("finite")),
        ),
        (
            "strides",
            Model::new()
                .named("first", conv([1, 2], [2, 3, 3], 4).with_stride([2, 2, 1]))
                .named("slow", low(0.004))
                .named("second", conv([2, 3], [3, 2, 2], 5).with_pad_mode(PadMode::Mirror))
                .named("rectified", NLRectifyScale::new(1.3, 4.0).expect("finite")),
        ),
        (
            "outputs",
            Model::new()
                .named("bent", NLPiecewiseLinear::new(&[-0.6, -0.1, 0.15, 0.5], &[0.1, -0.2, 0.4, 0.3]).expect("knots"))
                .named("slow", low(0.003))
                .named("exponential", NLExponential::new(0.8, -0.2).expect("finite"))
                .named("softplus", NLSoftplus::new(1.5, 0.1).expect("finite"))
                .named("logistic", NLLogistic::new(2.0, -1.0).expect("finite")),
        ),
        ("recursive", Model::of(high(0.005, 0.8)).then(low(0.003)).then(smooth.clone()).then(nonlinear(0.9, 0.1))),
        (
            "network",
            Model::new()
                .named("blur", blur.with_algorithm(Algorithm::Separable))
                .named("fast", low(0.002))
                .named("slow", smooth)
                .reading("blur")
                .named("difference", Delay::new(0))
                .reading([("fast", 1.1), ("slow", -0.6), ("input", 0.2)])
                .named("gain", nonlinear(1.2, 0.3))
                .reading("input")
                .named("product", NLSquare::new(0.8, 0.3).expect("finite"))
                .reading(Inputs::product(["difference", "gain"]))
                .named("weighted", slow)
                .reading([("product", -0.7)]),
        ),
        (
            "field",
            Model::new()
                .named("conv", conv([1, 2], [1, 3, 3], 6))
                .named("field", field)
                .named("square", nonlinear(0.8, 0.4)),
        ),
        (
            "branches",
            Model::of(
                Branches::new()
                    .weighted(0.8, Model::of(low(0.002)).then(nonlinear(0.7, 0.2)))
                    .weighted(-0.5, low(0.006))
                    .weighted(
                        0.3,
                        Branches::new().plus(high(0.004, 0.5)).minus(NLSquare::new(0.6, -0.1).expect("finite")),
                    ),
            )
            .then(Sum::new(Axis::Col)),
        ),
    ]
}

/// A loss that has other second derivatives than the models: the sum over `c y + y^2 / 4`, with numbers `c`.
fn loss(output: &[f32], derivative: Option<&mut [f32]>) -> f64 {
    let value = output.iter().enumerate().map(|(i, y)| (number(2, i) + 0.25 * f64::from(*y)) * f64::from(*y)).sum();
    if let Some(derivative) = derivative {
        let pairs = derivative.iter_mut().zip(output).enumerate();
        pairs.for_each(|(i, (to, y))| *to = (number(2, i) + 0.5 * f64::from(*y)) as f32);
    }
    value
}

fn gradient(
    model: &Model,
    movie: &Array3<f32>,
    free: &[impl AsRef<str>],
    budget: Option<usize>,
) -> crate::Result<(f64, Vec<Parameter>)> {
    let shape = Shape::new(1, SIZE[0], SIZE[1]);
    let samples = movie.as_slice().expect("in order");
    let recording = Recording { samples, batch: 1, frames: FRAMES, shape };
    let free: Vec<&str> = free.iter().map(AsRef::as_ref).collect();
    let mut pass = Pass::new(model, &free, shape)?;
    pass.budget = budget.unwrap_or(pass.budget);
    let found = pass.gradient(model, &recording, |output, _, to| Ok(loss(output, Some(to))))?;
    Ok((found.loss, found.parameters))
}

fn names(model: &Model) -> Vec<String> {
    model.parameters().into_iter().map(|parameter| parameter.name).filter(|name| !name.ends_with("delay")).collect()
}

/// Differences of the fourth order; steps of 1 % of the largest value balance their error against the rounding of 32-bit floats.
fn difference(model: &Model, movie: &Array3<f32>, name: &str, index: usize) -> f64 {
    let value = model.parameter(name).expect("a parameter").value;
    let step = 0.01 * value.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let at = |steps: f64| {
        let mut moved = model.clone();
        let mut value = value.clone();
        *value.iter_mut().nth(index).expect("an index") += steps * step;
        moved.set_parameter(name, &value).expect("a value");
        let output = moved.run(movie, FRAMES).expect("an output");
        // As (time, channel, row, col).
        loss(&output.permuted_axes([0, 2, 1, 3, 4]).iter().copied().collect::<Vec<_>>(), None)
    };
    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * step)
}

#[test]
fn gradients_are_differences() {
    let movie = movie();
    let mut kinds = std::collections::BTreeSet::new();
    for (title, model) in models() {
        let all = names(&model);
        let (_, found) = gradient(&model, &movie, &all, None).expect("a gradient");
        for parameter in &found {
            assert_eq!(
                parameter.shape(),
                model.parameter(&parameter.name).expect("a parameter").shape(),
                "{}",
                parameter.name
            );
            kinds.insert(parameter.name.rsplit('.').next().unwrap_or_default().to_owned());
            let most = parameter.value.iter().fold(1.0, |most: f64, g| most.max(g.abs()));
            // A few numbers of each array.
            let every = (parameter.value.len() / 7).max(1);
            for (index, g) in parameter.value.iter().enumerate().step_by(every) {
                let expected = difference(&model, &movie, &parameter.name, index);
                assert!(
                    (g - expected).abs() < 2e-3 * most,
                    "{title}, {} at {index}: {g} and {expected}",
                    parameter.name
                );
            }
        }
    }
    let expected = ["bias", "inputs", "k", "scale", "tau", "values", "weight", "weights"];
    assert!(kinds.iter().eq(expected), "every kind of parameter: {kinds:?}");
}

#[test]
fn a_parameter_alone_has_the_same_gradient() {
    let movie = movie();
    for (title, model) in models() {
        let all = names(&model);
        let (value, together) = gradient(&model, &movie, &all, None).expect("a gradient");
        for (name, expected) in all.iter().zip(&together) {
            let (alone, found) = gradient(&model, &movie, &[name], None).expect("a gradient");
            assert_eq!((alone, &found[..]), (value, std::slice::from_ref(expected)), "{title}");
        }
    }
}

/// Segments only change the order of sums of 32-bit floats.
#[test]
fn gradients_do_not_depend_on_the_segments() {
    let movie = movie();
    for (title, model) in models() {
        let all = names(&model);
        let (value, whole) = gradient(&model, &movie, &all, None).expect("a gradient");
        for budget in [1, 2_000, 10_000] {
            let (other, cut) = gradient(&model, &movie, &all, Some(budget)).expect("a gradient");
            assert_eq!(value, other, "{title}: the output");
            for (whole, cut) in whole.iter().zip(&cut) {
                let most = whole.value.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
                Zip::from(&whole.value).and(&cut.value).for_each(|a, b| {
                    assert!((a - b).abs() <= 2e-5 * most, "{title}, {}: {a} and {b} with {budget}", whole.name);
                });
            }
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let movie = movie();
    for (title, model) in models() {
        let all = names(&model);
        for precision in [Precision::Fast, Precision::Reproducible] {
            let model = model.clone().with_precision(precision);
            let alone = gradient(&model.clone().with_threads(1), &movie, &all, None).expect("a gradient");
            let shared = gradient(&model.with_threads(3).eager(), &movie, &all, None).expect("a gradient");
            assert_eq!(alone, shared, "{title} {precision}");
        }
    }
}

#[test]
fn streams_of_a_batch_add_up() {
    let (_, mut model) = models().swap_remove(1);
    let (first, mut second) = (movie(), movie());
    second.invert_axis(ndarray::Axis(0));
    let both = ndarray::stack![ndarray::Axis(0), first, second];
    let both = both.to_shape((2, 1, FRAMES, SIZE[0], SIZE[1])).expect("a batch");
    let square =
        |output: ndarray::ArrayView5<'_, f32>| Ok((output.iter().map(|y| f64::from(y * y)).sum(), 2.0 * &output));
    let free = ["first.weight", "slow.tau"];
    let whole = model.gradient(&both, &free, square).expect("a gradient");
    let parts = [&first, &second].map(|movie| model.gradient(movie, &free, square).expect("a gradient"));
    assert!((whole.loss - parts[0].loss - parts[1].loss).abs() < 1e-9 * whole.loss);
    for (i, gradient) in whole.parameters.iter().enumerate() {
        let sum = &parts[0].parameters[i].value + &parts[1].parameters[i].value;
        let most = sum.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
        assert!((&gradient.value - &sum).iter().all(|off| off.abs() < 1e-5 * most), "{}", gradient.name);
    }
}

#[test]
fn what_has_no_gradient_is_named() {
    let movie = movie();
    let mut model = Model::new()
        .named("late", Delay::new(2))
        .named("slow", LowPass::new(0.01, Resolution::DEFAULT).expect("a time constant"))
        .map(|x| x * x);
    let refused = |free| gradient(&model, &movie, &[free], None).expect_err("refused").to_string();
    assert_eq!(
        refused("late.delay"),
        "late.delay is in whole frames, of which there are no gradients: it cannot be fitted"
    );
    assert_eq!(refused("slow.tau"), "layer 2, Map is a custom filter, without an adjoint: it cannot be fitted");
    assert_eq!(
        refused("slow.tua"),
        "unknown parameter 'slow.tua'; expected one of: slow.tau (the nearest), late.delay"
    );
    let mut bad = movie.clone();
    bad[(3, 2, 1)] = f32::NAN;
    let free: [&str; 0] = [];
    let error = model.gradient(&bad, &free, |output| Ok((0.0, output.to_owned()))).expect_err("refused");
    assert!(matches!(error, Error::NonFinite { frame: 3, row: 2, col: 1, .. }), "{error}");
    let empty = Array3::<f32>::zeros((0, 6, 7));
    let error = model.gradient(&empty, &free, |output| Ok((0.0, output.to_owned()))).expect_err("refused");
    assert!(matches!(error, Error::EmptyInput { .. }), "{error}");
}
