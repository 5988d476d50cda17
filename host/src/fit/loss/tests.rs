use super::*;

const POINTWISE: [Loss; 3] = [Loss::MeanSquaredError, Loss::Poisson, Loss::Bernoulli];
const ALL: [Loss; 4] = [Loss::MeanSquaredError, Loss::Poisson, Loss::Bernoulli, Loss::Correlation];

/// Two neurons, some frames of weight 0. Predictions reach beyond the range of rates and probabilities on both sides.
struct Data {
    prediction: Vec<f32>,
    target: Vec<f32>,
    weights: Vec<f32>,
}

impl Data {
    fn new() -> Self {
        let n = 24;
        Self {
            prediction: (0..n).map(|i| ((i * 7) % 24) as f32 * 0.07 - 0.3).collect(),
            target: (0..n).map(|i| [0.0, 1.0, 0.0, 0.0, 0.25, 1.0, 0.5][i % 7]).collect(),
            weights: (0..n).map(|i| [1.0, 2.0, 0.5, 0.0, 1.0][i % 5]).collect(),
        }
    }

    fn observed(&self) -> Observed<'_> {
        Observed { prediction: &self.prediction, target: &self.target, weights: &self.weights, neurons: 2 }
    }
}

/// A twin in `f64`, from the definitions and without shared sums.
fn twin(loss: Loss, p: &[f64], data: &Data) -> f64 {
    let of = |neuron: usize| (neuron..p.len()).step_by(2);
    let w = |i: usize| f64::from(data.weights[i]);
    let t = |i: usize| f64::from(data.target[i]);
    let mean = |neuron: usize, f: &dyn Fn(usize) -> f64| {
        of(neuron).map(|i| w(i) * f(i)).sum::<f64>() / of(neuron).map(w).sum::<f64>()
    };
    let total: f64 = (0..p.len()).map(w).sum();
    let expanded = |p: f64, q: f64, f: &dyn Fn(f64) -> f64, slope: f64, second: f64| {
        f(q) + slope * (p - q) + second * (p - q).powi(2) / 2.0
    };
    match loss {
        Loss::MeanSquaredError => (0..p.len()).map(|i| w(i) * (p[i] - t(i)).powi(2)).sum::<f64>() / total,
        Loss::Poisson => {
            let term = |i: usize| {
                let q = p[i].max(1e-3 * mean(i % 2, &t));
                expanded(p[i], q, &|q| q - t(i) * q.ln() + libm::tgamma(t(i) + 1.0).ln(), 1.0 - t(i) / q, 1.0 / q)
            };
            (0..p.len()).map(|i| w(i) * term(i)).sum::<f64>() / total
        }
        Loss::Bernoulli => {
            let term = |i: usize| {
                let mean = mean(i % 2, &t);
                let e = 1e-3 * mean.min(1.0 - mean);
                let q = p[i].clamp(e, 1.0 - e);
                let slope = (1.0 - t(i)) / (1.0 - q) - t(i) / q;
                expanded(p[i], q, &|q| -t(i) * q.ln() - (1.0 - t(i)) * (1.0 - q).ln(), slope, 1.0 / q + 1.0 / (1.0 - q))
            };
            (0..p.len()).map(|i| w(i) * term(i)).sum::<f64>() / total
        }
        Loss::Correlation => {
            let r = |neuron: usize| {
                let (mp, mt) = (mean(neuron, &|i| p[i]), mean(neuron, &t));
                let pt = mean(neuron, &|i| (p[i] - mp) * (t(i) - mt));
                let pp = mean(neuron, &|i| (p[i] - mp).powi(2));
                pt / (pp * mean(neuron, &|i| (t(i) - mt).powi(2))).sqrt()
            };
            1.0 - (r(0) + r(1)) / 2.0
        }
    }
}

#[test]
fn gradients_are_central_differences_of_a_twin() {
    let data = Data::new();
    let p: Vec<f64> = data.prediction.iter().map(|p| f64::from(*p)).collect();
    assert!(p.iter().any(|p| *p < 0.0) && p.iter().any(|p| *p > 1.0), "beyond both ends");
    for loss in ALL {
        let mut gradient = vec![7.0; p.len()]; // is overwritten
        let value = loss.evaluate(&data.observed(), &mut gradient).expect("valid");
        assert!((value - twin(loss, &p, &data)).abs() < 1e-12 * value.abs(), "{loss:?}: {value}");
        assert_eq!(loss.evaluate(&data.observed(), &mut []).ok(), Some(value), "{loss:?}: without a gradient");
        for (i, g) in gradient.iter().enumerate() {
            let at = |step: f64| {
                let mut p = p.clone();
                p[i] += step;
                twin(loss, &p, &data)
            };
            let expected = (at(1e-6) - at(-1e-6)) / 2e-6;
            let g = f64::from(*g);
            assert!((g - expected).abs() < 1e-6 * expected.abs().max(1e-3), "{loss:?} {i}: {g} {expected}");
        }
    }
}

/// The curvature is the second derivative where the target is its expected value, and of the expansion everywhere.
#[test]
fn curvature_is_the_fisher_information() {
    for loss in POINTWISE {
        for p in [-2.0_f32, 0.1, 0.5, 0.9, 1.5] {
            // Within the range the first frame predicts its target.
            let target = [if loss == Loss::Bernoulli { p.clamp(0.05, 0.95) } else { p.max(0.05) }, 0.5];
            let mut curvature = [0.0; 2];
            loss.curvature(&Observed::new(&[p, 0.5], &target), &mut curvature).expect("valid");
            let moved = |p: f32| {
                let mut gradient = [0.0; 2];
                loss.evaluate(&Observed::new(&[p, 0.5], &target), &mut gradient).expect("valid");
                f64::from(gradient[0])
            };
            let step = 2.0_f32.powi(-10);
            let expected = (moved(p + step) - moved(p - step)) / (2.0 * f64::from(step));
            let found = f64::from(curvature[0]);
            assert!((found / expected - 1.0).abs() < 1e-3, "{loss:?} {p}: {found} {expected}");
        }
    }
}

#[test]
fn hand_calculated_values() {
    let value = |loss: Loss, p: &[f32], t: &[f32]| loss.evaluate(&Observed::new(p, t), &mut []).expect("valid");
    assert_eq!(value(Loss::MeanSquaredError, &[1.0, 2.0, 0.0, 0.0], &[0.0, 0.0, 0.0, 2.0]), 2.25);
    // exp(-2) 2^3 / 3! and exp(-1) are the probabilities.
    let expected = -((-2.0_f64).exp() * 8.0 / 6.0).ln() / 2.0 + 0.5;
    assert!((value(Loss::Poisson, &[2.0, 1.0], &[3.0, 0.0]) - expected).abs() < 1e-15);
    assert!((value(Loss::Bernoulli, &[0.25, 0.25], &[1.0, 0.0]) + (0.25_f64.ln() + 0.75_f64.ln()) / 2.0).abs() < 1e-15);
    // r of (1, 2, 3, 4) and (1, 3, 2, 4) is 0.8.
    assert!((value(Loss::Correlation, &[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]) - 0.2).abs() < 1e-15);
    // A weight of 2 is two samples.
    let twice = Observed { weights: &[2.0, 1.0], ..Observed::new(&[1.0, 3.0], &[0.0, 1.0]) };
    for loss in [Loss::MeanSquaredError, Loss::Poisson] {
        let once = value(loss, &[1.0, 1.0, 3.0], &[0.0, 0.0, 1.0]);
        // The mean target differs between neither: 1/3.
        assert!((loss.evaluate(&twice, &mut []).expect("valid") - once).abs() < 1e-15, "{loss:?}");
    }
}

/// From any prediction, downhill leads into the range and to the target.
#[test]
fn negative_rates_and_probabilities_recover() {
    for (loss, ends) in
        [(Loss::Poisson, &[-1e30, -1.0, 0.0][..]), (Loss::Bernoulli, &[-1e30, -1.0, 0.0, 1.0, 2.0, 1e30][..])]
    {
        for p in ends {
            let mut gradient = [0.0; 2];
            let value = loss.evaluate(&Observed::new(&[*p; 2], &[1.0, 0.0]), &mut gradient).expect("valid");
            assert!(value.is_finite() && gradient.iter().all(|g| g.is_finite()), "{loss:?} {p}: {value} {gradient:?}");
            if *p < 0.5 {
                assert!(gradient[0] < 0.0, "{loss:?} {p}: events ask for more");
            }
            // A frame without an event pushes back as well, but not beyond 0 or 1.
            assert!(gradient[1] * (0.0 - *p) <= 0.0, "{loss:?} {p}: {gradient:?}");
        }
    }
}

/// A constant prediction is a defined start, from which correlation can grow.
#[test]
fn a_constant_prediction_has_correlation_0() {
    let target = [0.0, 1.0, 3.0, 0.0];
    for constant in [0.0, 0.1, 1e6] {
        let mut gradient = [0.0; 4];
        let value = Loss::Correlation.evaluate(&Observed::new(&[constant; 4], &target), &mut gradient);
        assert_eq!(value.ok(), Some(1.0), "{constant}");
        assert_eq!(gradient, [1.0, 0.0, -2.0, 1.0].map(|g: f32| g / 6.0), "{constant}");
    }
}

#[test]
fn neurons_without_weight_do_not_count() {
    let mut data = Data::new();
    let one: Vec<f32> = data.weights.iter().enumerate().map(|(i, w)| if i % 2 == 0 { *w } else { 0.0 }).collect();
    data.target.iter_mut().skip(1).step_by(2).for_each(|t| *t = f32::NAN);
    data.weights = one;
    let every_other = |x: &[f32]| x.iter().step_by(2).copied().collect::<Vec<_>>();
    let (p, t, w) = (every_other(&data.prediction), every_other(&data.target), every_other(&data.weights));
    let alone = Observed { prediction: &p, target: &t, weights: &w, neurons: 1 };
    for loss in ALL {
        let (mut gradient, mut expected) = ([1.0; 24], [1.0; 12]);
        let value = loss.evaluate(&data.observed(), &mut gradient).expect("valid");
        assert_eq!(loss.evaluate(&alone, &mut expected).ok(), Some(value), "{loss:?}");
        assert_eq!(every_other(&gradient), expected, "{loss:?}");
        assert!(gradient.iter().skip(1).step_by(2).all(|g| *g == 0.0), "{loss:?}");
    }
}

#[test]
fn a_prediction_that_is_not_finite_is_a_wall() {
    for loss in ALL {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut gradient = [7.0; 3];
            let value = loss.evaluate(&Observed::new(&[0.5, bad, 0.1], &[0.0, 1.0, 0.0]), &mut gradient);
            assert_eq!((value.ok(), gradient), (Some(f64::INFINITY), [0.0; 3]), "{loss:?} {bad}");
        }
    }
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let p = [0.5; 4];
    let nan = [0.0, f32::NAN, 1.0, 0.0];
    let none = Observed { weights: &[0.0; 4], ..Observed::new(&p, &[0.0, 1.0, 0.0, 1.0]) };
    let negative = Observed { weights: &[1.0, 1.0, -1.0, 1.0], ..none };
    let odd = Observed { neurons: 3, weights: &[], ..none };
    for loss in ALL {
        for (observed, told) in [
            (Observed::new(&p, &[1.0; 3]), "target is 3 samples beside a prediction of 4"),
            (Observed { weights: &[1.0; 2], ..none }, "weights is 2 samples beside a prediction of 4"),
            (Observed::new(&p, &nan), "target is NaN at sample 1"),
            (none, "weights is 0 for all samples"),
            (negative, "weights is -1 at sample 2"),
            (odd, "neurons is 3 for a prediction of 4 samples"),
            (Observed::new(&[], &[]), "prediction is empty"),
        ] {
            let error = loss.evaluate(&observed, &mut []).expect_err("refused").to_string();
            assert!(error.contains(told), "{loss:?}: {error}");
        }
        let good = Observed { weights: &[], ..none };
        assert!(loss.evaluate(&good, &mut [0.0; 3]).is_err(), "{loss:?}: gradient");
        assert_eq!(loss.curvature(&good, &mut [0.0; 4]).is_ok(), loss != Loss::Correlation, "{loss:?}");
        assert!(loss.curvature(&good, &mut [0.0; 3]).is_err(), "{loss:?}: curvature");
    }
    for (loss, target, told) in [
        (Loss::Poisson, [0.0, -1.0, 1.0, 0.0], "target is -1 at sample 1"),
        (Loss::Poisson, [0.0; 4], "target is 0 in all samples of neuron 0"),
        (Loss::Bernoulli, [0.0, 0.0, 1.5, 0.0], "target is 1.5 at sample 2"),
        (Loss::Bernoulli, [1.0; 4], "target is 1 in all samples of neuron 0"),
        (Loss::Correlation, [0.3; 4], "target is constant for neuron 0"),
    ] {
        let error = loss.evaluate(&Observed::new(&p, &target), &mut []).expect_err("refused").to_string();
        assert!(error.contains(told), "{loss:?}: {error}");
    }
    let silent = Observed { neurons: 2, ..Observed::new(&p, &[1.0, 0.0, 0.0, 0.0]) };
    let error = Loss::Poisson.evaluate(&silent, &mut []).expect_err("refused").to_string();
    assert!(error.contains("neuron 1"), "{error}");
}
