//! Standard functions, with the evaluations that they may take: about a fifth more than was measured.

mod functions;

use super::*;
use functions::*;

fn run(optimizer: &Optimizer, objective: &mut dyn Objective, start: &[f64], stop: &Stop) -> Outcome {
    let mut last = (0, f64::INFINITY);
    let mut watch = |step: &Step<'_>| {
        assert!(step.iteration == last.0 + 1 && step.evaluations <= stop.evaluations, "{step:?}");
        assert!(step.value.is_finite() && step.gradient_norm.is_finite(), "{step:?}");
        assert!(step.value < last.1 || matches!(optimizer, Optimizer::Adam { .. }), "descends: {step:?}");
        last = (step.iteration, step.value);
        ControlFlow::Continue(())
    };
    let outcome = minimize(optimizer, objective, start, stop, &mut watch).expect("the function has no errors");
    assert!(outcome.x.iter().chain([&outcome.value, &outcome.gradient_norm]).all(|x| x.is_finite()), "{outcome:?}");
    assert!(outcome.evaluations <= stop.evaluations, "{outcome:?}");
    outcome
}

fn distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).fold(0.0, |most, (x, y)| (x - y).abs().max(most))
}

/// A function with its start, its minimum, the allowed distance from it and the evaluations that it may take.
struct Case {
    name: &'static str,
    objective: Box<dyn Objective>,
    start: Vec<f64>,
    minimum: Vec<f64>,
    within: f64,
    most: usize,
}

fn case(
    name: &'static str,
    objective: impl Objective + 'static,
    [start, minimum]: [&[f64]; 2],
    within: f64,
    most: usize,
) -> Case {
    Case { name, objective: Box::new(objective), start: start.into(), minimum: minimum.into(), within, most }
}

fn finds(optimizer: &Optimizer, cases: impl IntoIterator<Item = Case>) {
    for mut case in cases {
        let stop = Stop { evaluations: 10_000, ..Stop::default() };
        let found = run(optimizer, &mut *case.objective, &case.start, &stop);
        let (name, off) = (case.name, distance(&found.x, &case.minimum));
        assert!(off <= case.within, "{name}: off by {off}, {found:?}");
        assert!(found.evaluations <= case.most, "{name}: {found:?}");
        assert!(matches!(found.why, Why::Converged | Why::NoProgress), "{name}: {found:?}");
    }
}

const VALLEY: [&[f64]; 2] = [&[-1.2, 1.0], &[1.0, 1.0]];
const POWELL: [&[f64]; 2] = [&[3.0, -1.0, 0.0, 1.0], &[0.0; 4]];
const BEALE: [&[f64]; 2] = [&[1.0, 1.0], &[3.0, 0.5]];
const HIMMELBLAU: [&[f64]; 2] = [&[0.0, 0.0], &[3.0, 2.0]];

#[test]
fn lbfgs_finds_minima() {
    let valleys = VALLEY.map(|pair| pair.repeat(50));
    let cases = [
        case("Rosenbrock", rosenbrock(), VALLEY, 1e-9, 54),
        case("Rosenbrock, 100", rosenbrock(), [&valleys[0], &valleys[1]], 1e-9, 54),
        case("Powell", powell(), POWELL, 2e-4, 78),
        case("Beale", beale(), BEALE, 1e-9, 24),
        case("Himmelblau", himmelblau(), HIMMELBLAU, 1e-9, 21),
        // The worst case for ten pairs: 50 curvatures in equal ratios over six decades.
        case("quadratic", Quadratic, [&[1.0; 50], &[0.0; 50]], 2e-4, 6400),
    ];
    finds(&Optimizer::default(), cases);
    let all = Optimizer::Lbfgs { memory: 100 };
    finds(&all, [case("quadratic, more pairs", Quadratic, [&[1.0; 50], &[0.0; 50]], 1e-4, 580)]);
}

#[test]
fn levenberg_marquardt_finds_minima() {
    let valleys = VALLEY.map(|pair| pair.repeat(50));
    // The least-squares estimates differ from the parameters of the data by its errors.
    let estimate = &[239.750_424_951, 5.506_546_179_0e-4][..];
    let cases = [
        case("Rosenbrock", rosenbrock(), VALLEY, 1e-9, 27),
        case("Rosenbrock, 100", rosenbrock(), [&valleys[0], &valleys[1]], 1e-9, 26),
        case("Powell", powell(), POWELL, 2e-4, 22),
        case("Beale", beale(), BEALE, 1e-9, 17),
        case("Himmelblau", himmelblau(), HIMMELBLAU, 1e-9, 22),
        case("exponential, far", exponential(), [&[500.0, 1e-4], estimate], 1e-6, 29),
        case("exponential, near", exponential(), [&[250.0, 5e-4], estimate], 1e-6, 10),
        // Of the line of minima, the point next to the start.
        case("singular", singular(), [&[5.0, -3.0], &[4.5, -3.5]], 1e-9, 8),
    ];
    finds(&Optimizer::LevenbergMarquardt, cases);
}

#[test]
fn adam_finds_minima() {
    let adam = |rate| Optimizer::Adam { rate };
    finds(&adam(0.05), [case("Rosenbrock", rosenbrock(), VALLEY, 1e-6, 3500)]);
    finds(&adam(0.1), [case("Beale", beale(), BEALE, 1e-6, 620)]);
    finds(&adam(0.1), [case("Himmelblau", himmelblau(), HIMMELBLAU, 1e-6, 540)]);
    finds(&adam(0.05), [case("quadratic", Quadratic, [&[1.0; 50], &[0.0; 50]], 1e-6, 490)]);
}

/// The first step is the rate in each variable, whatever the gradient: the averages begin without bias.
#[test]
fn adam_begins_with_its_rate() {
    let mut watch = |step: &Step<'_>| {
        let off = distance(step.x, &[VALLEY[0][0] + 0.05, VALLEY[0][1] + 0.05]);
        assert!(step.iteration > 1 || off < 1e-7, "{step:?}");
        ControlFlow::Break(())
    };
    let found = minimize(&Optimizer::Adam { rate: 0.05 }, &mut rosenbrock(), VALLEY[0], &Stop::default(), &mut watch);
    assert_eq!(found.map(|found| found.iterations).ok(), Some(1));
}

fn all() -> [Optimizer; 3] {
    [Optimizer::default(), Optimizer::Adam { rate: 0.1 }, Optimizer::LevenbergMarquardt]
}

/// Powers of two as units of the value change no bit of the path; nor does a second run.
#[test]
fn the_unit_of_the_value_does_not_matter() {
    for optimizer in all() {
        let run = |unit| run(&optimizer, &mut rosenbrock().in_unit(unit), VALLEY[0], &Stop::default());
        let expected = run(1.0);
        assert_eq!(run(1.0), expected);
        for unit in [2_f64.powi(-80), 2_f64.powi(80)] {
            let found = run(unit);
            assert_eq!((&found.x, found.evaluations), (&expected.x, expected.evaluations), "{optimizer:?} {unit}");
        }
    }
}

/// A wall beyond the minimum costs little, and one before it ends the search in front of it.
#[test]
fn values_that_are_not_finite_are_walls() {
    for (optimizer, most) in all().iter().zip([12, 640, 6]) {
        let found = run(optimizer, &mut Wall(2.0), &[-3.0, 2.0], &Stop::default());
        assert!(distance(&found.x, &[1.0, 1.0]) < 1e-6 && found.evaluations <= most, "{found:?}");
    }
    for (optimizer, most) in all().iter().zip([160, 210, 88]) {
        let found = run(optimizer, &mut Wall(0.9), &[-3.0, 2.0], &Stop::default());
        assert!(0.9 - found.x[0] < 1e-6 && found.value < 0.025, "{optimizer:?} {found:?}");
        assert!(found.evaluations <= most, "{optimizer:?} {found:?}");
    }
    // A curvature that is not finite is one too.
    let found = run(&Optimizer::LevenbergMarquardt, &mut no_curvature(0.5), &[-1.0], &Stop::default());
    assert!(found.x[0] <= 0.5 && 0.5 - found.x[0] < 1e-3, "{found:?}");
}

#[test]
fn functions_without_a_minimum_end_with_finite_numbers() {
    for optimizer in all() {
        let found = run(&optimizer, &mut Unbounded(false), &[1.0], &Stop::default());
        assert!(found.value < -50.0 && found.why != Why::Converged, "{optimizer:?} {found:?}");
        let found = run(&optimizer, &mut Unbounded(true), &[1.0], &Stop::default());
        assert!(found.value < -1e19 && found.why != Why::Converged, "{optimizer:?} {found:?}");
    }
}

/// A gradient that is not that of the value, as by a mistake, cannot mislead for long.
#[test]
fn a_wrong_gradient_ends_the_search() {
    for (optimizer, most) in all().iter().zip([22, 122, 15]) {
        let found = run(optimizer, &mut Uphill, &[1.0, 2.0], &Stop::default());
        assert_eq!(found.x, [1.0, 2.0], "{optimizer:?} {found:?}");
        assert!(matches!(found.why, Why::NoStep | Why::NoProgress), "{optimizer:?} {found:?}");
        assert!(found.evaluations <= most, "{optimizer:?} {found:?}");
    }
}

/// Values in single precision have a floor, on which the searches end soon.
#[test]
fn rounded_values_end_the_search() {
    let stop = Stop { gradient: 0.0, progress: 0.0, ..Stop::default() };
    for (optimizer, most) in all().iter().zip([54, 340, 27]) {
        let found = run(optimizer, &mut Rounded(himmelblau()), &[0.0, 0.0], &stop);
        assert!(distance(&found.x, &[3.0, 2.0]) < 1e-3 && found.evaluations <= most, "{optimizer:?} {found:?}");
    }
}

#[test]
fn a_minimum_at_the_start_costs_one_evaluation() {
    for optimizer in all() {
        for (start, mut objective) in [(&[1.0, 1.0][..], rosenbrock()), (&[], rosenbrock())] {
            let found = run(&optimizer, &mut objective, start, &Stop::default());
            assert_eq!((found.why, found.evaluations, found.iterations), (Why::Converged, 1, 0), "{optimizer:?}");
            assert_eq!(found.x, start);
        }
    }
}

#[test]
fn searches_end_when_told_to() {
    for optimizer in all() {
        let mut before = f64::INFINITY;
        for evaluations in 1..30 {
            let found = run(&optimizer, &mut rosenbrock(), VALLEY[0], &Stop { evaluations, ..Stop::default() });
            assert!(found.value <= before, "{optimizer:?}: more evaluations, no worse: {found:?}");
            let spent = found.evaluations == evaluations && found.why == Why::Evaluations;
            assert!(spent || found.why == Why::Converged || found.why == Why::NoProgress, "{optimizer:?} {found:?}");
            before = found.value;
        }
        let mut watch = |step: &Step<'_>| {
            if step.iteration == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let found = minimize(&optimizer, &mut rosenbrock(), VALLEY[0], &Stop::default(), &mut watch);
        assert_eq!(found.map(|found| (found.why, found.iterations)).ok(), Some((Why::Stopped, 3)), "{optimizer:?}");
    }
}

#[test]
fn errors_name_what_is_wrong() {
    let refused = |optimizer: &Optimizer, objective: &mut dyn Objective, start: &[f64], stop: &Stop, expected: &str| {
        let error = minimize(optimizer, objective, start, stop, &mut |_| ControlFlow::Continue(()));
        let error = error.expect_err("refused").to_string();
        assert!(error.starts_with(&format!("minimize: {expected}")), "{error}");
    };
    let (lbfgs, stop, start) = (Optimizer::default(), Stop::default(), VALLEY[0]);
    let mut valley = rosenbrock();
    for (optimizer, expected) in [
        (Optimizer::Lbfgs { memory: 0 }, "memory is 0"),
        (Optimizer::Adam { rate: 0.0 }, "rate is 0"),
        (Optimizer::Adam { rate: f64::NAN }, "rate is NaN"),
    ] {
        refused(&optimizer, &mut valley, start, &stop, expected);
    }
    for (stop, expected) in [
        (Stop { evaluations: 0, ..Stop::default() }, "stop.evaluations is 0"),
        (Stop { gradient: -1.0, ..Stop::default() }, "stop.gradient is -1"),
        (Stop { progress: f64::NAN, ..Stop::default() }, "stop.progress is NaN"),
    ] {
        refused(&lbfgs, &mut valley, start, &stop, expected);
    }
    refused(&lbfgs, &mut valley, &[0.0, f64::NAN], &stop, "start is NaN in variable 1");
    refused(&lbfgs, &mut Wall(-2.0), start, &stop, "the value at the start is NaN");
    refused(&lbfgs, &mut no_curvature(f64::NAN), &[1.0], &stop, "the gradient at the start is NaN in variable 0");
    let expected = "the curvature at the start is NaN in row 0, column 0";
    refused(&Optimizer::LevenbergMarquardt, &mut no_curvature(0.0), &[0.5], &stop, expected);
    let expected = "optimizer is LevenbergMarquardt, for a function of 2 variables without curvature";
    refused(&Optimizer::LevenbergMarquardt, &mut Quadratic, start, &stop, expected);
}
