//! The recursive filters beside what is known of them in closed form: impulse and step response, gain at DC, no
//! smoothing, very long time constants, and silence. `a = exp(-1 / (tau fs))` and `g = 1 - a` below.

use foveola::{HighPass as HostHighPass, LowPass as HostLowPass, Model, Resolution};
use foveola_core::{Border, Decay, Error, Filter, HighPass, LowPass, Sample, Shape, SmoothConv};
use ndarray::Array3;

const PIXEL: Shape = Shape::new(1, 1, 1);
/// Time constants in frames.
const TAUS: [f64; 7] = [0.1, 0.5, 1.0, 3.0, 10.0, 100.0, 1000.0];

fn decay(frames: f64) -> Decay {
    Decay::new(frames / 1000.0, 1000.0).expect("a time constant")
}

/// What a filter of one pixel makes of a signal, as one chunk.
fn respond<T: Sample>(filter: &dyn Filter<T>, signal: &[f64]) -> Vec<f64> {
    let input: Vec<T> = signal.iter().map(|x| T::from_f64(*x)).collect();
    let signature = filter.signature();
    let mut state = vec![T::zero(); signature.state];
    let mut out = vec![T::zero(); signal.len() / signature.input.len() * signature.output.len()];
    filter.run(0, &mut state, &mut [], &input, &mut out).expect("lengths that fit");
    out.into_iter().map(Sample::to_f64).collect()
}

/// An impulse of 1, or a step from 0 to 1.
fn signal(step: bool, frames: usize) -> Vec<f64> {
    (0..frames).map(|t| if step || t == 0 { 1.0 } else { 0.0 }).collect()
}

/// Impulse response `g a^n`, step response `1 - a^(n+1)`. One step rounds the gain, a difference, a product (each at
/// most g large) and the sum (at most 1); the error decays like the signal: below `(1 + 3 g) / g` rounding units.
#[test]
fn low_pass_of_an_impulse_and_a_step() {
    fn worst<T: Sample>(unit: f64) {
        for tau in TAUS {
            let (g, a) = (decay(tau).gain(), (-1.0 / tau).exp());
            let bound = (1.0 + 3.0 * g) / g * unit;
            for step in [false, true] {
                let found = respond::<T>(&LowPass::new(PIXEL, decay(tau)), &signal(step, 3000));
                for (n, y) in found.into_iter().enumerate() {
                    let n = n as f64;
                    let expected = if step { -((n + 1.0) / -tau).exp_m1() } else { g * a.powf(n) };
                    assert!((y - expected).abs() <= bound, "tau {tau} frames, n {n}: {y}, expected {expected}");
                }
            }
        }
    }
    worst::<f32>(f64::from(f32::EPSILON) / 2.0);
    // Here powf is as far off as the filter.
    worst::<f64>(4.0 * f64::EPSILON);
}

/// A constant input is a fixed point to the bit, for any value that is not small and any time constant.
#[test]
fn a_constant_input_is_a_fixed_point() {
    fn hold<T: Sample>(values: &[f64]) {
        for tau in TAUS.into_iter().chain([1e4, 1e7, 2.8e10]) {
            for x in values.iter().map(|x| T::from_f64(*x)) {
                let low_pass = LowPass::new(PIXEL, decay(tau));
                let words = Filter::<T>::signature(&low_pass).state;
                let (mut state, mut out) = ([x, T::zero()], [T::zero(); 100]);
                let state = &mut state[..words];
                low_pass.run(1, state, &mut [], &[x; 100], &mut out).expect("lengths that fit");
                assert!(out.iter().all(|y| *y == x), "tau {tau}: {out:?} of {x:?}");
            }
        }
    }
    hold::<f32>(&[0.1, -3.7, 1e-16, 1e30]);
    hold::<f64>(&[0.1, -3.7, 1e-200, 1e300]);
}

/// The last output of a step of `x` from 0, after `frames` frames, and that before it.
fn rest(filter: &dyn Filter<f32>, x: f32, frames: u64) -> [f32; 2] {
    let (mut state, mut out) = (vec![0.0; filter.signature().state], [0.0; 1000]);
    for t in (0..frames).step_by(1000) {
        filter.run(t, &mut state, &mut [], &[x; 1000], &mut out).expect("lengths that fit");
    }
    [out[998], out[999]]
}

/// From 0, `y` comes to rest where an increment rounds away: a plain recursion within `2^-24 / g` of a constant input, which is
/// 1e-4 at most; a compensated one within `2^-24 + 2^-48 / g`, on the other side of the same limit.
#[test]
fn gain_at_dc_on_both_sides_of_the_limit() {
    let mut short = 0.0_f64;
    for tau in TAUS.into_iter().chain([1600.0, 1670.0, 1690.0, 1e4, 1e5]) {
        let (x, g) = (0.7_f32, decay(tau).gain());
        let [before, y] = rest(&LowPass::new(PIXEL, decay(tau)), x, (40.0 * tau.max(25.0)) as u64);
        let compensated = decay(tau).is_compensated();
        assert_eq!(compensated, tau > 1680.0, "tau {tau}");
        let bound = if compensated { UNIT + UNIT * UNIT / g } else { UNIT / g };
        let error = f64::from(y - x).abs() / f64::from(x);
        assert_eq!(before, y, "tau {tau}: still moving");
        assert!(error <= bound && bound <= 1e-4, "tau {tau}: {error:e} from rest; expected {bound:e}");
        short = if compensated { short } else { short.max(error) };
        // The high-pass removes as much.
        let [_, high] = rest(&HighPass::new(PIXEL, decay(tau), 1.0).expect("a weight"), x, 40 * tau.max(25.0) as u64);
        assert!(f64::from(high.abs()) <= bound * f64::from(x), "tau {tau}: {high:e} of {x}");
    }
    assert!(short > 2e-5, "the plain recursion stops only {short:e} short: the limit is too low");
}

/// Time constants for which a plain recursion stops early, decays too fast or not at all: ten million frames of a step and of the
/// decay from 1, beside `1 - a^n` and `a^n`.
#[test]
fn long_time_constants_follow_the_closed_form() {
    for tau in [1e4, 3.6e6, 1e7, 3.6e7, 1e9] {
        let (g, a_log) = (decay(tau).gain(), -1.0 / tau);
        let low_pass = LowPass::new(Shape::new(1, 1, 2), decay(tau));
        // The gain is rounded to 24 bits, and so are a sum and a product of it.
        let bound = 4.0 * UNIT + UNIT * UNIT / g;
        let (mut state, mut out) = ([0.0, 1.0, 0.0, 0.0], [0.0_f32; 20_000]);
        let input: Vec<f32> = [1.0, 0.0].repeat(10_000);
        for t in (0..10_000_000_u64).step_by(10_000) {
            low_pass.advance(t, &mut state, &mut [], &input, &mut out).expect("lengths that fit");
            for frame in [0, 9_999] {
                let n = (t + frame) as f64 + 1.0;
                let (step, decayed) = (-(n * a_log).exp_m1(), (n * a_log).exp());
                let at = 2 * frame as usize;
                for (y, expected) in [(out[at], step), (out[at + 1], decayed)] {
                    let error = (f64::from(y) - expected).abs();
                    assert!(error <= bound, "tau {tau}, frame {n}: {y}, expected {expected} to {bound:e}");
                }
            }
        }
    }
}

/// At the longest time constant, 3e-4 from a constant input, half a unit in the last place takes three million frames.
#[test]
fn the_longest_time_constant_moves() {
    let low_pass = LowPass::new(PIXEL, decay(2.8e10));
    let (x, mut state, mut out) = (0.75_f32, [0.75 * (1.0 - 3e-4), 0.0], vec![0.0; 10_000]);
    let (first, input) = (state[0], vec![x; 10_000]);
    let frames = 20_000_000;
    for t in (1..frames).step_by(10_000) {
        low_pass.run(t, &mut state, &mut [], &input, &mut out).expect("lengths that fit");
    }
    let moved = f64::from(state[0] - first) / (f64::from(x - first) * -(-(frames as f64) / 2.8e10).exp_m1());
    // Of 2.7 units, one may be missing half at either end.
    assert!((moved - 1.0).abs() < 0.5, "{moved} of what it should have moved");
}

/// Time constants outside of what the filters can compute are refused by name.
#[test]
fn what_would_be_wrong_is_refused() {
    for tau in [2.9e10, 1e60, f64::MAX] {
        let refused = Decay::new(tau, 1.0).expect_err("a time constant that is too long");
        assert_eq!(refused, Error::Parameter { name: "tau", value: tau, expected: TAU_EXPECTED });
    }
    assert!(Decay::new(2.8e10, 1.0).is_ok() && Decay::new(2.8e7, 1000.0).is_ok(), "the longest ones");
    for gain in [3.5e-11, 1e-60, 0.0, -0.1, 1.1, f64::NAN] {
        let refused = Decay::from_gain(gain).expect_err("a gain outside of its range").to_string();
        assert!(refused.contains("gain is") && refused.contains("3.6e-11 to 1"), "{refused}");
    }
}

const TAU_EXPECTED: &str = "a time constant of 0 s to 2.8e10 / steps_per_second";

/// 2^-24.
const UNIT: f64 = 1.0 / (1 << 24) as f64;

/// No time constant: low-pass copies bits (a sum would turn -0 into 0 and round), high-pass leaves `x - k x`.
#[test]
fn no_smoothing_copies() {
    let x = Array3::from_shape_vec((5, 1, 1), vec![0.1_f32, -0.0, 1e38, -1e-40, 3.0]).expect("five frames");
    let run = |mut model: Model| model.run(&x, 2).expect("frames that fit").iter().copied().collect::<Vec<_>>();
    let copied = run(Model::of(HostLowPass::new(0.0, Resolution::DEFAULT).expect("a time constant of 0")));
    assert_eq!(
        copied.iter().map(|y| y.to_bits()).collect::<Vec<_>>(),
        x.iter().map(|y| y.to_bits()).collect::<Vec<_>>()
    );
    let nothing = run(Model::of(HostHighPass::new(0.0, 1.0, Resolution::DEFAULT).expect("a time constant of 0")));
    assert!(nothing.iter().all(|y| *y == 0.0), "{nothing:?}");
}

/// A time constant of 100 s at 1 kHz, 100,000 frames: the gain is exact to the last places.
#[test]
fn the_gain_of_a_long_time_constant() {
    let (g, expected) = (decay(1e5).gain(), -(-1e-5_f64).exp_m1());
    assert!((g - expected).abs() <= 2.0 * f64::EPSILON * expected, "{g} and {expected}");
}

/// `1 - k` at DC, 1 for the first frame of a step less the low-pass's `k g`.
#[test]
fn high_pass_of_a_step() {
    for k in [-1.0, 0.0, 0.3, 1.0, 2.5] {
        for tau in TAUS.into_iter().filter(|tau| *tau <= 100.0) {
            let found = respond::<f64>(&HighPass::new(PIXEL, decay(tau), k).expect("a finite k"), &signal(true, 6000));
            let first = 1.0 - k * decay(tau).gain();
            assert!((found[0] - first).abs() <= 1e-15 * (1.0 + k.abs()), "k {k}, tau {tau}: {}", found[0]);
            // 60 time constants leave 1e-26, rounding leaves ulp / (2 g) of the low-pass.
            let bound = k.abs() * f64::EPSILON / decay(tau).gain() + 2.0 * f64::EPSILON * (1.0 + k.abs());
            assert!((found[5999] - (1.0 - k)).abs() <= bound, "k {k}, tau {tau}: {}", found[5999]);
        }
    }
}

/// `n` stages of one time constant: stage `i` answers an impulse with `C(t+i, i) g^(i+1) a^t`.
#[test]
fn smooth_conv_of_an_impulse() {
    let (tau, n) = (5.0, 4);
    let (decays, spatial) = (vec![decay(tau); n], vec![1.0; n]);
    let smooth =
        SmoothConv::from_checked(PIXEL, &decays, &spatial, [1, 1], Border::Zeros).expect("four stages").components();
    let (g, a) = (decay(tau).gain(), (-1.0 / tau).exp());
    for (t, found) in respond::<f64>(&smooth, &signal(false, 60)).chunks_exact(n).enumerate() {
        let mut paths = 1.0; // C(t+i, i)
        for (i, y) in found.iter().enumerate() {
            let expected = paths * g.powi(i as i32 + 1) * a.powi(t as i32);
            assert!((y - expected).abs() <= 1e-14, "t {t}, stage {i}: {y}, expected {expected}");
            paths *= (t + i + 1) as f64 / (i + 1) as f64;
        }
    }
}

/// The gain at DC of `n` stages is the sum of all spatial kernels, at every pixel (with replicated borders); that of a
/// component is the sum of its own.
#[test]
fn smooth_conv_at_dc() {
    let shape = Shape::new(1, 4, 5);
    for n in 1..=5 {
        let decays: Vec<Decay> = TAUS.into_iter().take(n).map(decay).collect();
        let spatial: Vec<f64> = (0..n * 15).map(|i| ((i * 7 + 3) % 11) as f64 / 8.0 - 0.5).collect();
        let sums: Vec<f64> = spatial.chunks_exact(15).map(|kernel| kernel.iter().sum()).collect();
        let smooth =
            SmoothConv::from_checked(shape, &decays, &spatial, [3, 5], Border::Replicate).expect("stages of 3 x 5");
        for (filter, gains) in [(smooth, vec![sums.iter().sum()]), (smooth.components(), sums.clone())] {
            let out = respond::<f64>(&filter, &[2.0; 20 * 600]); // 60 of the longest time constant
            let last = &out[out.len() - gains.len() * 20..];
            for (i, y) in last.iter().enumerate() {
                let expected = 2.0 * gains[i / 20];
                // At rest each stage is within ulp / (2 g) of the one before, g >= 0.095: 75 taps of 40 ulp at most.
                assert!((y - expected).abs() <= 1e-12, "{n} stages, pixel {i}: {y}, expected {expected}");
            }
        }
    }
}

/// Behind a temporal stride a time constant is as long in seconds, at every layer that has one, and a delay as long in frames.
#[test]
fn time_constants_behind_a_stride() {
    use foveola::{Branches, Conv1d, HighPass, LowPass, Model, SmoothConv};
    let resolution = Resolution::DEFAULT;
    let every = |stride| {
        let conv = Conv1d::new(1, 1, 1).expect("a kernel").with_stride([stride, 1, 1]);
        conv.with_weight(ndarray::Array1::<f32>::ones(1)).expect("a weight")
    };
    let tau = 0.05; // 50 frames
    let ones = Array3::<f32>::ones((601, 1, 1));
    let low = || LowPass::new(tau, resolution).expect("a time constant");
    let high = || HighPass::new(tau, 1.0, resolution).expect("a time constant");
    let smooth = || {
        let spatial = Array3::<f32>::ones((1, 1, 1));
        SmoothConv::new(&[tau], spatial, resolution).expect("a stage")
    };
    for strides in [vec![], vec![2], vec![5], vec![2, 3]] {
        let stride: usize = strides.iter().product();
        let strided = || strides.iter().fold(Model::new(), |model, stride| model.then(every(*stride)));
        // Of a step: 1 - exp(-(n + 1) stride / 50) after n frames.
        let expected = |n: usize| 1.0 - (-((n + 1) as f64) * stride as f64 / 50.0).exp();
        let models = [
            ("LowPass", strided().then(low()), 0.0, 1.0),
            ("HighPass", strided().then(high()), 1.0, -1.0),
            ("SmoothConv", strided().then(smooth()), 0.0, 1.0),
            ("in a branch", strided().then(Branches::new().plus(low()).weighted(2.0, smooth())), 0.0, 3.0),
        ];
        for (name, mut model, offset, scale) in models {
            let out = model.run(&ones, 7).expect("a good recording");
            assert_eq!(out.len(), 600 / stride + 1, "{name}, {strides:?}");
            for (n, y) in out.iter().enumerate() {
                let expected = offset + scale * expected(n);
                assert!(
                    (f64::from(*y) - expected).abs() < 1e-5,
                    "{name}, {strides:?}: {y} after {n}; expected {expected}"
                );
            }
        }
    }
    // A layer that moves to another stride between two streams.
    let mut model = Model::new().then(every(2)).then(smooth());
    let first = model.run(&ones, 100).expect("a good recording");
    model.clear_state();
    *model.layer_mut::<Conv1d>(0).expect("the stride") = every(3);
    let second = model.run(&ones, 100).expect("a good recording");
    assert_eq!(
        first[(0, 0, 2, 0, 0)],
        Model::new().then(every(2)).then(smooth()).run(&ones, 9).expect("good")[(0, 0, 2, 0, 0)]
    );
    assert_eq!(second, Model::new().then(every(3)).then(smooth()).run(&ones, 9).expect("good"));
}
