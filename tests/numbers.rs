//! Sums and kernels of many terms stay within their bounds: `64 (1 + log_64 n)` rounding units of the sum of magnitudes for a sum,
//! and what the documentation of receptive fields and kernels says.

use foveola::kernels::{self, ExponentialKernel};
use foveola::{Conv2d, Error, Model, Precision, RF, SimdLevel, Sum, Weight};
use foveola_core::engine::{Engine, Plain};
use foveola_core::{Filter, Kernel, Rf, Shape};
use foveola_tests::random::noise;
use ndarray::{Array5, ArrayView5, arr2};

/// Half a unit in the last place of 1, and a percent for what is of higher order.
const UNIT: f64 = 1.01 * f32::EPSILON as f64 / 2.0;

fn sum_bound(n: usize) -> f64 {
    64.0 * (1.0 + (n as f64).log(64.0)) * UNIT
}

fn close(what: &str, found: f32, expected: f64, bound: f64) {
    let error = (f64::from(found) - expected).abs() / expected.abs();
    assert!(error <= bound, "{what}: {found}, expected {expected} to {bound:e}; off by {error:e}");
}

fn precisions() -> Vec<Precision> {
    let levels = SimdLevel::available().into_iter().map(Precision::AtMost);
    levels.chain([Precision::Reproducible]).collect()
}

#[test]
fn a_long_sum_over_any_axis() {
    let n = 4_000_000;
    for dim in 0..5 {
        // All along one axis, and beside each other along another.
        for other in [1, 3] {
            let mut shape = [1; 5];
            shape[dim] = n / other;
            shape[(dim + 1) % 5] = other;
            let sum = foveola::sum(&[Array5::from_elem(shape, 0.1_f32).view()], dim).expect("a sum");
            for y in &sum {
                let expected = f64::from(0.1_f32) * (n / other) as f64;
                close(&format!("dim {dim} of {shape:?}"), *y, expected, sum_bound(n / other));
            }
        }
    }
}

#[test]
fn a_sum_of_many_arrays() {
    let arrays = vec![Array5::from_elem((1, 1, 7, 2, 1), 0.1_f32); 20_000];
    let views: Vec<ArrayView5<'_, f32>> = arrays.iter().map(|array| array.view()).collect();
    let sum = foveola::sum(&views, 2).expect("a sum");
    for y in &sum {
        close("20,000 arrays of 7", *y, f64::from(0.1_f32) * 140_000.0, sum_bound(140_000));
    }
}

/// Up to 64 terms are one chain, in their order.
#[test]
fn a_short_sum_is_one_chain() {
    let values: Vec<f32> = noise(1, 64).into_iter().map(|x| x as f32).collect();
    for n in [1, 2, 63, 64] {
        let array = Array5::from_shape_vec((1, n, 1, 1, 1), values[..n].to_vec()).expect("samples");
        let sum = foveola::sum(&[array.view()], 1).expect("a sum");
        let chain = values[..n].iter().fold(0.0, |sum, x| sum + x);
        assert_eq!(sum[(0, 0, 0, 0, 0)].to_bits(), chain.to_bits(), "{n} terms");
    }
}

#[test]
fn the_layer_sums_long_axes() {
    for (dim, shape) in [(1, [1, 5000, 1, 2, 3]), (3, [1, 1, 1, 20_000, 33]), (4, [1, 2, 1, 3, 100_000])] {
        let movie = Array5::from_elem(shape, 0.1_f32);
        for precision in precisions() {
            let mut model = Model::of(Sum::new(dim.try_into().expect("an axis"))).with_precision(precision);
            for y in model.process(&movie).expect("a frame") {
                let expected = f64::from(0.1_f32) * shape[dim] as f64;
                close(&format!("axis {dim}, {precision:?}"), *y, expected, sum_bound(shape[dim]));
            }
        }
    }
}

/// A uniform field over four million pixels, and over a thousand frames; a weight of a million pixels, whose rows follow each other
/// and are wider than the weight.
#[test]
fn receptive_fields_of_many_samples() {
    type Case = (&'static str, [usize; 3], [usize; 2], Option<[usize; 2]>);
    let cases: [Case; 4] = [
        ("uniform in space", [1, 1, 1], [2000, 2000], None),
        ("uniform in time", [1, 1, 1000], [2, 2], None),
        ("as wide as the frame", [1, 1, 1], [720, 1280], Some([720, 1280])),
        ("narrower than the frame", [1, 1, 2], [720, 1280], Some([700, 1200])),
    ];
    for (name, [ins, outs, frames], [rows, cols], weight) in cases {
        let mut field = RF::new(ins, outs, frames).expect("a field");
        let (terms, bound) = match weight {
            // The weight of a uniform field is rounded, and so is the product.
            None => (frames * rows * cols, 64.0 * (3.0 + ((frames * rows * cols) as f64).log(64.0)) + 2.0),
            Some([r, c]) => {
                let weight = Array5::from_elem((outs, ins, frames, r, c), 0.1_f32);
                field.set_weight(weight).expect("a weight");
                (frames * r * c, 80.0 + (r * c) as f64 / 512.0 + (ins * frames) as f64)
            }
        };
        let w = if weight.is_some() { f64::from(0.1_f32) } else { 1.0 / terms as f64 };
        for precision in precisions() {
            let mut model = Model::of(field.clone()).with_precision(precision);
            let movie = Array5::from_elem((1, ins, 3, rows, cols), 0.3_f32);
            for y in model.process(&movie).expect("frames") {
                let expected = f64::from(0.3_f32) * w * terms as f64;
                close(&format!("{name}, {precision:?}"), *y, expected, bound * UNIT);
            }
        }
    }
}

/// The vectors of a microcontroller and those of a host give the same bits, however many chains a field has.
#[test]
fn receptive_fields_of_many_chains_have_the_same_bits() {
    for (shape, [kh, kw]) in [
        (Shape::new(1, 3, 700), [3, 700]),
        (Shape::new(2, 40, 90), [40, 80]),
        (Shape::new(1, 2, 2500), [2, 2400]),
        (Shape::new(1, 70, 70), [1, 1]),
    ] {
        let of = |seed, len| noise(seed, len).into_iter().map(|x| x as f32).collect::<Vec<f32>>();
        let weights = of(1, shape.channels * 2 * kh * kw);
        let kernel = Kernel::new(&weights, [1, shape.channels, 2, kh, kw]);
        let field = Rf::new(shape, kernel, None).expect("a weight that fits");
        let signature = field.signature();
        let (input, mut scratch) = (of(2, 6 * shape.len()), vec![0.0; signature.scratch.len(6)]);
        let mut run = |plain: bool| {
            let (mut state, mut out) = (vec![0.0; signature.state], vec![0.0_f32; 6]);
            let engine = Engine::single_thread(Plain::<8, false>);
            let frames = match plain {
                true => field.advance_with(engine, 0, &mut state, &mut scratch, &input, &mut out),
                false => field.advance(0, &mut state, &mut scratch, &input, &mut out),
            };
            assert_eq!(frames, Ok(5), "frames of {shape}");
            out.iter().map(|y| y.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(run(true), run(false), "{kh} x {kw} over {shape}");
    }
}

/// The area under an `n`-fold exponential is 1, its peak that of the equation, for any `n`: on both sides of where the computation
/// changes, too.
#[test]
fn exponential_kernels_of_many_stages() {
    for n in [1, 5, 170, 1023, 1024, 1025, 1026, 1929, 1930, 5000, 100_000, 1_000_000] {
        let frames = 4.0; // the time constant
        let kernel = ExponentialKernel {
            tau: 0.004,
            n,
            amplification: 1.0,
            length: 20_usize.div_ceil(n as usize),
            steps_per_second: 1000.0,
        };
        let taps = kernels::exponential_kernel(&kernel).expect("finite samples");
        let peak = f64::from(taps[3]); // t = 1 .. , so t = 4 frames
        // The logarithm of the equation at t = ts.
        let count = f64::from(n);
        let (ln_gamma, _) = libm::lgamma_r(count);
        let expected = (count * count.ln() - count - ln_gamma).exp() / frames;
        assert!((peak - expected).abs() <= 1e-6 * expected, "n {n}: {peak}, expected {expected}");
        if n <= 5 {
            let area: f64 = taps.iter().map(|x| f64::from(*x)).sum();
            assert!((area - 1.0).abs() < 0.2, "n {n}: area {area}");
        }
    }
    // Sampled finely enough, the area is that of the equation: a peak of 500 frames, 23 wide.
    let kernel = ExponentialKernel { tau: 0.5, n: 2000, amplification: 3.0, length: 1, steps_per_second: 1000.0 };
    let taps = kernels::exponential_kernel(&kernel).expect("finite samples");
    let area: f64 = taps.iter().map(|x| f64::from(*x)).sum();
    assert!((area - 3.0).abs() < 1e-5, "{area}");
}

/// A weight that is balanced up to rounding has no sum to divide by; one that is nearly balanced has.
#[test]
fn balanced_weights_are_not_normalised() {
    let mut conv = Conv2d::new(1, 1, [1, 3]).expect("a kernel");
    for (weight, sums) in [
        (arr2(&[[0.1, 0.2, -0.3]]), ["-0.0000000074505", "0.6"]),
        (arr2(&[[1e20, 3.0, -1e20]]), ["sum is 0", "200000004"]),
        (arr2(&[[0.0, 0.0, 0.0]]), ["sum is 0", "magnitudes 0"]),
    ] {
        let refused = conv.set_weight(Weight::from(weight).normalize()).expect_err("a balanced weight");
        let message = refused.to_string();
        assert!(matches!(refused, Error::ZeroSum { .. }), "{message}");
        for text in ["Conv2d"].into_iter().chain(sums) {
            assert!(message.contains(text), "'{message}' does not say {text}");
        }
    }
    conv.set_weight(Weight::from(arr2(&[[1.0, 2.0, -2.999]])).normalize()).expect("a sum of 0.001");
    let sum: f64 = conv.weight().iter().map(|w| f64::from(*w)).sum();
    assert!((sum - 1.0).abs() < 1e-3, "{sum}");
}
