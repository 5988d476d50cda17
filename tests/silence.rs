//! Recursive filters in silence: what is left of a signal becomes exactly zero, no subnormal number arises on the way, and the
//! bits are the same on a machine that makes subnormal numbers zero.

use foveola::{Model, Precision, SimdLevel};
use foveola_core::{Border, Decay, Digest, Filter, HighPass, LowPass, Nonlinearity, Pointwise, Shape, SmoothConv};
use foveola_tests::random::{self, Layers, Recording, check, long_trial, noise};
use foveola_tests::spec::Spec;
use foveola_tests::stream::{bits, feed_all};
use ndarray::s;

/// Two channels of rows that are no whole vectors; more than a group of samples that become zero together.
const SHAPE: Shape = Shape::new(2, 3, 70);

/// Frames of silence.
const FRAMES: usize = 5_000;

fn decay(frames: f64) -> Decay {
    Decay::new(frames, 1.0).expect("a time constant")
}

/// Runs `f` with subnormal numbers made zero, operands and results, on machines where a program can ask for it: x86-64 and its
/// MXCSR register.
#[cfg(target_arch = "x86_64")]
fn flushed<R>(f: impl FnOnce() -> R) -> Option<R> {
    use std::arch::asm;
    /// The bits of MXCSR for flush-to-zero and denormals-are-zero.
    const FLUSH: u32 = 1 << 15 | 1 << 6;
    struct Restored(u32);
    impl Restored {
        fn set(value: u32) {
            // SAFETY: the instruction reads four bytes from `value`. The bits change how small numbers round, nothing else.
            unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const value, options(nostack, readonly)) };
        }
    }
    impl Drop for Restored {
        fn drop(&mut self) {
            Self::set(self.0);
        }
    }
    let mut before = 0_u32;
    // SAFETY: the instruction writes four bytes to `before`.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut before, options(nostack)) };
    let restored = Restored(before);
    Restored::set(before | FLUSH);
    let subnormal = std::hint::black_box(f32::MIN_POSITIVE) / std::hint::black_box(2.0);
    assert_eq!(subnormal.to_bits(), 0, "flush-to-zero is on");
    let result = f();
    drop(restored);
    Some(result)
}

#[cfg(not(target_arch = "x86_64"))]
fn flushed<R>(_: impl FnOnce() -> R) -> Option<R> {
    println!("skipped: only on x86-64 can a program make subnormal numbers zero");
    None
}

/// Whether samples are normal numbers or zero.
fn normal(samples: &[f32]) -> bool {
    samples.iter().all(|x| x.is_normal() || *x == 0.0)
}

/// The last output of an impulse, then silence, and a digest of all outputs and of the last state.
fn ring_out(name: &str, filter: &dyn Filter<f32>) -> (Vec<f32>, Digest) {
    let signature = filter.signature();
    let mut state = vec![0.0; signature.state];
    let mut scratch = vec![0.0; signature.scratch.len(100)];
    let mut digest = Digest::new();
    let mut input: Vec<f32> = noise(1, SHAPE.len()).into_iter().map(|x| (x + 1.5) as f32).collect();
    let mut last = Vec::new();
    let (mut t, mut lengths) = (0, [1, 7, 64, 100, 3].into_iter().cycle());
    while t < FRAMES {
        let frames = lengths.next().unwrap_or(1);
        input.resize(frames * SHAPE.len(), 0.0);
        let mut out = vec![0.0; frames * signature.output.len()];
        filter.run(t as u64, &mut state, &mut scratch, &input, &mut out).expect("lengths that fit");
        assert!(normal(&out) && normal(&state), "{name}: a subnormal number in the {frames} frames from {t} on");
        digest.add(&out);
        last = out.split_off((frames - 1) * signature.output.len());
        input.fill(0.0);
        t += frames;
    }
    digest.add(&state);
    (last, digest)
}

#[test]
fn an_impulse_rings_out_to_zero_with_the_same_bits_everywhere() {
    let kernel: Vec<f32> =
        (0..15).map(|i| (-0.9 * ((i / 5 - 1) * (i / 5 - 1) + (i % 5 - 2) * (i % 5 - 2)) as f32).exp()).collect();
    let chains =
        [[1.0, 3.0, 10.0], [0.1, 30.0, 0.5], [20.0, 0.0, 0.05], [10.0, 2000.0, 5.0]].map(|taus| taus.map(decay));
    let weights = kernel.repeat(3);
    let mut filters: Vec<(String, bool, Box<dyn Filter<f32>>)> = Vec::new();
    for tau in [0.05, 0.06, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 1000.0, 2000.0, 1e5] {
        let ends = tau < 100.0;
        filters.push((format!("low-pass of {tau}"), ends, Box::new(LowPass::new(SHAPE, decay(tau)))));
        for k in [1.0, -0.3] {
            let high_pass = HighPass::new(SHAPE, decay(tau), k).expect("a finite weight");
            filters.push((format!("high-pass of {tau}, {k}"), ends, Box::new(high_pass)));
        }
    }
    for decays in &chains {
        let smooth = SmoothConv::new(SHAPE, decays, &weights, [3, 5], Border::Replicate).expect("kernels that fit");
        let (name, ends) =
            (format!("{:?}", decays.map(Decay::gain)), !decays.iter().any(|decay| decay.is_compensated()));
        filters.push((format!("smooth conv of gains {name}"), ends, Box::new(smooth)));
        filters.push((format!("components of gains {name}"), ends, Box::new(smooth.components())));
    }
    for (name, ends, filter) in &filters {
        let (last, digest) = ring_out(name, filter.as_ref());
        assert_eq!(last.iter().all(|y| y.to_bits() == 0), *ends, "{name}: {last:?} after {FRAMES} frames");
        if let Some((_, flushed)) = flushed(|| ring_out(name, filter.as_ref())) {
            assert_eq!(flushed, digest, "{name}: other bits where subnormal numbers are made zero");
        }
    }
}

/// Random frames, then silence, through the host at every precision.
#[test]
fn any_signal_has_the_same_bits_where_subnormal_numbers_are_made_zero() {
    let levels = SimdLevel::available().into_iter().map(Precision::AtMost);
    let precisions: Vec<Precision> = levels.chain([Precision::Reproducible]).collect();
    for layers in [random::low_pass as Layers, random::high_pass, random::smooth_conv] {
        check(48, long_trial(layers), |(spec, shape, recording): (Spec, Shape, Recording)| {
            let mut movie = recording.movie(shape);
            movie.slice_mut(s![.., .., recording.first().., .., ..]).fill(0.0);
            for precision in &precisions {
                let run = || {
                    let layer = spec.layer().map_err(|error| error.to_string())?;
                    let mut model = Model::of(layer).with_precision(*precision).with_threads(1);
                    feed_all(&mut model, &movie, &recording.cuts, 0)
                };
                let expected = run()?;
                if let Some(found) = flushed(run)
                    && bits(&found?.view()) != bits(&expected.view())
                {
                    return Err(format!("other bits with {precision:?}"));
                }
            }
            Ok(())
        });
    }
}

/// Functions with an exponential have the same bits too, and no subnormal number, for samples of any magnitude.
#[test]
fn exponentials_take_samples_of_any_magnitude() {
    let input: Vec<f32> = (0..=u32::MAX).step_by(50_021).map(f32::from_bits).filter(|x| x.is_finite()).collect();
    assert!(input.iter().any(|x| x.is_subnormal()), "subnormal samples among them");
    let shape = Shape::new(1, 1, input.len());
    for function in [
        Nonlinearity::Exponential { scale: 1.0, bias: 0.0 },
        Nonlinearity::Softplus { scale: 1.0, bias: 0.0 },
        Nonlinearity::Logistic { scale: 1.0, bias: 0.0 },
    ] {
        let filter = Pointwise::new(shape, function).expect("finite");
        let run = || {
            let mut out = vec![0.0_f32; input.len()];
            filter.run(0, &mut [], &mut [], &input, &mut out).expect("lengths that fit");
            assert!(out.iter().all(|y| !y.is_subnormal()), "{function:?}: a subnormal number");
            out.iter().map(|y| y.to_bits()).collect::<Vec<_>>()
        };
        let expected = run();
        if let Some(found) = flushed(run) {
            assert!(found == expected, "{function:?}: other bits where subnormal numbers are made zero");
        }
    }
}

/// A compensated recursion keeps the promise for samples of any magnitude, subnormal ones too.
#[test]
fn a_compensated_recursion_takes_samples_of_any_magnitude() {
    let frames = 400;
    for (seed, tau) in [2_000.0, 1e5, 1e7, 2.8e10].into_iter().enumerate() {
        let exponents = noise(seed as u64, frames * SHAPE.len());
        let signs = noise(!(seed as u64), frames * SHAPE.len());
        // From 2^-150 to 1, and runs of silence.
        let input: Vec<f32> = exponents
            .iter()
            .zip(signs)
            .enumerate()
            .map(|(i, (e, s))| if i / SHAPE.len() % 40 < 20 { (s * (75.0 * (e - 1.0)).exp2()) as f32 } else { 0.0 })
            .collect();
        assert!(input.iter().any(|x| x.is_subnormal()), "subnormal samples among them");
        let low_pass = LowPass::new(SHAPE, decay(tau));
        let run = || {
            let (mut state, mut out) = (vec![0.0; low_pass.signature().state], vec![0.0_f32; input.len()]);
            low_pass.run(0, &mut state, &mut [], &input, &mut out).expect("lengths that fit");
            assert!(normal(&state) && normal(&out), "tau {tau}: a subnormal number");
            [state, out].concat().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        };
        let expected = run();
        if let Some(found) = flushed(run) {
            assert!(found == expected, "tau {tau}: other bits where subnormal numbers are made zero");
        }
    }
}
