//! The recursive filters beside what is known of them in closed form: impulse and step response, gain at DC, no
//! smoothing, and very long time constants. `a = exp(-1 / (tau fs))` and `g = 1 - a` below.

use foveola::{HighPass as HostHighPass, LowPass as HostLowPass, Model, Resolution};
use foveola_core::{Border, Decay, Filter, HighPass, LowPass, Sample, Shape, SmoothConv};
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

/// A constant input is a fixed point to the bit: gain 1 at DC, exactly, for any value and any time constant.
#[test]
fn gain_of_one_at_dc() {
    fn hold<T: Sample>(values: &[f64]) {
        for tau in TAUS {
            for x in values.iter().map(|x| T::from_f64(*x)) {
                let (mut state, mut out) = ([x], [T::zero(); 100]);
                let low_pass = LowPass::new(PIXEL, decay(tau));
                low_pass.run(1, &mut state, &mut [], &[x; 100], &mut out).expect("lengths that fit");
                assert!(out.iter().all(|y| *y == x), "tau {tau}: {out:?} of {x:?}");
            }
        }
    }
    hold::<f32>(&[0.1, -3.7, 1e-30, 1e30]);
    hold::<f64>(&[0.1, -3.7, 1e-300, 1e300]);
}

/// From 0, `y` comes to rest where `g (x - y)` rounds away: within `ulp(x) / (2 g)` of a constant input.
#[test]
fn rest_near_a_constant() {
    for tau in TAUS {
        let x = 0.7_f32;
        let (mut state, mut out, frames) = ([0.0_f32], [0.0_f32; 1000], 40.0 * tau.max(25.0));
        let low_pass = LowPass::new(PIXEL, decay(tau));
        for t in (0..frames as u64).step_by(1000) {
            low_pass.run(t, &mut state, &mut [], &[x; 1000], &mut out).expect("lengths that fit");
        }
        let bound = f64::from(f32::EPSILON) / 2.0 / (2.0 * decay(tau).gain()); // ulp(0.7) is EPSILON / 2
        let error = f64::from(state[0] - x).abs();
        assert_eq!(out[998], out[999], "tau {tau}: still moving");
        assert!(error <= bound + f64::from(f32::EPSILON), "tau {tau}: {error:e} from rest; expected {bound:e}");
    }
}

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

/// A time constant of 100 s at 1 kHz, 100,000 frames. The gain is exact to the last places; the step response in
/// `f32` stays within the distance of rest, `ulp / (2 g)` with the ulp of 1/2 .. 1, all the way.
#[test]
fn a_very_long_time_constant() {
    let tau = 1e5;
    let (g, expected) = (decay(tau).gain(), -(-1.0 / tau).exp_m1());
    assert!((g - expected).abs() <= 2.0 * f64::EPSILON * expected, "{g} and {expected}");
    let filter = LowPass::new(PIXEL, decay(tau));
    let bound = f64::from(f32::EPSILON) / 2.0 / (2.0 * g);
    for (n, y) in respond::<f32>(&filter, &signal(true, 300_000)).into_iter().enumerate().step_by(1000) {
        let expected = -((n as f64 + 1.0) / -tau).exp_m1();
        assert!((y - expected).abs() <= bound, "frame {n}: {y}, expected {expected} to {bound:e}");
    }
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
    let smooth = SmoothConv::new(PIXEL, &decays, &spatial, [1, 1], Border::Zeros).expect("four stages").components();
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
        let smooth = SmoothConv::new(shape, &decays, &spatial, [3, 5], Border::Replicate).expect("stages of 3 x 5");
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
