use super::*;
use crate::{
    Branches, Conv1d, Conv2d, Conv3d, Delay, Diff, HighPass, LowPass, Map, NLRectifyScale, NLRectifySquare, NLSquare,
    Resolution, Rf, SmoothConv, VariableDelay,
};
use ndarray::{Array2, Array3, Array5, ArrayBase};

const RESOLUTION: Resolution = Resolution::DEFAULT;

fn low_pass(tau: f64) -> LowPass {
    LowPass::new(tau, RESOLUTION).expect("a time constant")
}

/// Every layer that has parameters, and some that have none.
fn model() -> Result<Model> {
    let inner = Model::new().named("slow", low_pass(0.02)).then(HighPass::new(0.01, 0.5, RESOLUTION)?);
    let smooth = SmoothConv::new(&[0.005, 0.01], Array3::<f32>::from_elem((2, 3, 3), 0.1), RESOLUTION)?;
    let weight = Array5::from_shape_fn((2, 1, 2, 1, 3), |(o, _, t, _, c)| (o + 2 * t + 3 * c) as f32);
    Ok(Model::new()
        .named("conv", Conv3d::new(1, 2, [2, 1, 3])?.with_weight(weight)?.with_bias(&[0.5, -0.5])?)
        .named("blur", Conv2d::new(2, 2, [3, 3])?)
        .then(Conv1d::new(2, 1, 4)?)
        .named("smooth", smooth)
        .named("sum", Branches::new().plus(inner).weighted(-0.5, Delay::new(2)))
        .named("late", VariableDelay::new(&Array2::from_shape_fn((3, 4), |(r, c)| (r * c) as u32)))
        .then(Diff)
        .named("on", NLRectifyScale::new(2.0, 0.25)?)
        .reading([("sum", -1.0), ("smooth", 0.25)])
        .named("squares", NLSquare::new(0.5, 0.0)?)
        .then(NLRectifySquare::new(1.0, 0.125)?)
        .map(|x| x + 1.0)
        .named("readout", Rf::new(1, 1, 2)?.with_weight(Array2::<f32>::ones((3, 4)))?)
        .named("empty", Rf::new(1, 1, 2)?.with_bias(&[0.5])?)
        .reading("on"))
}

#[test]
fn all_parameters_have_names_and_shapes() {
    let found: Vec<(String, Vec<usize>)> =
        model().expect("good").parameters().into_iter().map(|p| (p.name.clone(), p.shape().to_vec())).collect();
    let expected: [(&str, &[usize]); 21] = [
        ("conv.weight", &[2, 1, 2, 1, 3]),
        ("conv.bias", &[2]),
        ("blur.weight", &[2, 2, 3, 3]),
        ("2.weight", &[1, 2, 4]),
        ("smooth.tau", &[2]),
        ("smooth.weight", &[2, 3, 3]),
        ("sum.weights", &[2]),
        ("sum.0.slow.tau", &[]),
        ("sum.0.1.tau", &[]),
        ("sum.0.1.k", &[]),
        ("sum.1.delay", &[]),
        ("late.delays", &[3, 4]),
        ("on.inputs", &[2]),
        ("on.scale", &[]),
        ("on.bias", &[]),
        ("squares.scale", &[]),
        ("squares.bias", &[]),
        ("9.scale", &[]),
        ("9.bias", &[]),
        ("readout.weight", &[1, 1, 1, 3, 4]),
        ("empty.bias", &[1]),
    ];
    let expected: Vec<_> = expected.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect();
    assert_eq!(found, expected);
}

/// Every value is set and read back, and the output changes with each of them alone.
#[test]
fn every_parameter_is_written() {
    let movie = Array3::from_shape_fn((12, 3, 4), |(t, r, c)| ((7 * t + 3 * r + c) % 5) as f32 - 1.0);
    let run = |model: &Model, name: &str| {
        // The output of both ends of the network: what any of them changes reaches one.
        let mut model = model.clone().with_output("a", "readout").with_output("b", "empty").with_output("c", "late");
        let outputs = model.process_all(&movie).unwrap_or_else(|error| panic!("{name}: {error}"));
        outputs.iter().map(ArrayBase::to_owned).collect::<Vec<_>>()
    };
    let model = model().expect("good");
    let before = run(&model, "all");
    for Parameter { name, value } in model.parameters() {
        let mut changed = model.clone();
        let whole = name.contains("delay");
        let other = value.map(|x| if whole { x + 1.0 } else { f64::from((1.5 * x + 0.015_625) as f32) });
        changed.set_parameter(&name, other.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(changed.parameter(&name).expect("it is there").value, other, "{name}");
        let others = |model: &Model| model.parameters().into_iter().filter(|p| p.name != name).collect::<Vec<_>>();
        assert_eq!(others(&changed), others(&model), "{name} alone");
        assert_ne!(run(&changed, &name), before, "{name}");
        changed.set_parameter(&name, value).expect("as it was");
        assert_eq!(run(&changed, &name), before, "{name} as it was");
    }
}

#[test]
fn what_cannot_be_set_is_told_and_changes_nothing() {
    let mut model = model().expect("good");
    let before = model.parameters();
    let cases: [(&str, Values, &str); 16] = [
        (
            "smooth.taus",
            1.0.into(),
            "unknown parameter 'smooth.taus'; expected one of: smooth.tau (the nearest), conv.weight",
        ),
        ("smoth.tau", 1.0.into(), "smooth.tau (the nearest)"),
        ("nothing.at_all", 1.0.into(), "and 9 others"),
        ("tau", 1.0.into(), "unknown parameter"),
        ("0.weight", 1.0.into(), "unknown parameter"), // it has a name
        ("02.weight", 1.0.into(), "unknown parameter"),
        ("99.weight", 1.0.into(), "unknown parameter"),
        ("sum.2.delay", 1.0.into(), "unknown parameter"),
        ("blur.bias", [0.0, 0.0].into(), "unknown parameter"), // it has none
        ("smooth.tau", [0.01].into(), "parameter smooth.tau: values of shape [1]; expected [2]"),
        ("smooth.tau", [0.01, -1.0].into(), "parameter smooth.tau: SmoothConv: "),
        ("smooth.tau", [0.01, f64::NAN].into(), "a value is NaN (at [1], its value); expected finite"),
        ("sum.0.1.tau", (-1.0).into(), "parameter sum.0.1.tau: HighPass: "),
        ("on.scale", 1e39.into(), "parameter on.scale: Model::set_parameter: a value is 1e39"),
        ("sum.1.delay", 1.5.into(), "parameter sum.1.delay: Delay: delay is 1.5; expected a whole number"),
        ("late.delays", (&Array2::from_elem((3, 4), -1.0)).into(), "delay is -1.0; expected a whole number"),
    ];
    for (name, values, told) in cases {
        let error = model.set_parameter(name, values).expect_err(name).to_string();
        assert!(error.contains(told), "{name}: {error}");
        assert_eq!(model.parameters(), before, "{name}");
    }
    let error = Model::of(Map::new(|x| x)).parameter("0.weight").expect_err("none").to_string();
    assert!(error.ends_with("expected one of: none, since no layer has any"), "{error}");
}

/// A running stream goes on with other values; where its state has another meaning then, the next chunk says so.
#[test]
fn a_stream_goes_on_with_other_values() {
    let movie = Array3::from_shape_fn((6, 3, 4), |(t, r, c)| ((7 * t + 3 * r + c) % 5) as f32);
    let mut model = Model::new().named("slow", low_pass(0.02)).named("late", Delay::new(1));
    model.process(&movie).expect("good");
    let mut same = Model::new().named("slow", low_pass(0.03)).named("late", Delay::new(1));
    same.set_state(&model.state());
    model.set_parameter("slow.tau", 0.03).expect("good");
    assert_eq!(model.process(&movie).expect("good"), same.process(&movie).expect("good"));
    model.set_parameter("late.delay", 2.0).expect("good");
    assert!(matches!(model.process(&movie), Err(Error::StateChanged { .. })));
    model.set_parameter("late.delay", 1.0).expect("as it was");
    assert_eq!(model.process(&movie).expect("good"), same.process(&movie).expect("good"));
}

/// A layer of a user has none unless it tells them, also in a box.
#[test]
fn boxed_layers_have_their_parameters() {
    let boxed: Box<dyn Layer> = Box::new(low_pass(0.02));
    let mut model = Model::of(boxed).then(Diff);
    model.set_parameter("0.tau", 0.5).expect("good");
    assert_eq!(model.parameters(), [Parameter::new("0.tau", 0.5)]);
}
