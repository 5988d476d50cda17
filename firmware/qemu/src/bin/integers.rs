//! Instructions of filters of 16-bit samples ([`Q15`]), and of the same filters of `f32` on a core with a floating-point unit.
//!
//! Frames of 64 x 64 pixels; the last of three frames is measured. The digest covers all output bits of the integers and is the
//! same on every core. This program also builds for `thumbv6m-none-eabi`, the instruction set of the Cortex-M0+. QEMU has no board
//! of that core with enough memory, so the image runs on a Cortex-M4, which executes all of Armv6-M.

#![no_std]
#![no_main]

use cortex_m::Peripherals;
use cortex_m_rt::entry;
use defmt::println;
use foveola_core::{
    Border, Conv3d, ConvOptions, Decay, Digest, Error, Factors, Filter, First, Kernel, LowPass, Nonlinearity,
    Pointwise, Q15, Sample, Shape, SmoothConv, constant,
};
use foveola_qemu::exit;
use foveola_qemu::meter::Meter;
use static_cell::ConstStaticCell;

const SHAPE: Shape = Shape::new(1, 64, 64);
const LEN: usize = SHAPE.len();
/// State of a kernel of three frames, or of two smoothed stages with remainders; each row has its border.
const STATE: usize = 4 * 64 * 68;
const FRAMES: u64 = 3;
const SAME: ConvOptions = ConvOptions::DEFAULT;

const SHORT: Decay = constant!(Decay::from_gain(0.5));
const DECAYS: [Decay; 2] = [constant!(Decay::from_gain(0.05)), constant!(Decay::from_gain(0.02))];
/// The same decays. Samples of 16 bits need remainders.
const WITH_REMAINDERS: [Decay; 2] = [DECAYS[0].with_remainder(), DECAYS[1].with_remainder()];
const RECTIFY: Pointwise = constant!(Pointwise::new(SHAPE, Nonlinearity::Rectify));

/// What a filter takes, yields and needs.
struct Memory<T: 'static> {
    input: [T; LEN],
    output: [T; LEN],
    state: [T; STATE],
    scratch: [T; STATE],
}

impl<T: Copy> Memory<T> {
    const fn new(zero: T) -> Self {
        Self { input: [zero; LEN], output: [zero; LEN], state: [zero; STATE], scratch: [zero; STATE] }
    }
}

static INTEGERS: ConstStaticCell<Memory<Q15>> = ConstStaticCell::new(Memory::new(Q15::from_bits(0)));
#[cfg(target_abi = "eabihf")]
static FLOATS: ConstStaticCell<Memory<f32>> = ConstStaticCell::new(Memory::new(0.0));

static WEIGHTS: [Q15; 50] = weights();
#[cfg(target_abi = "eabihf")]
static FLOAT_WEIGHTS: [f32; 50] = float_weights();

struct Bench<T: 'static> {
    memory: &'static mut Memory<T>,
    digest: Digest,
    passed: bool,
}

impl<T: Sample> Bench<T> {
    fn measure(&mut self, meter: &mut Meter, filter: &dyn Filter<T>) -> u64 {
        let Memory { input, output, state, scratch } = &mut *self.memory;
        let signature = filter.signature();
        let (state, output) = (state.get_mut(..signature.state), output.get_mut(..signature.output.len()));
        let (Some(state), Some(output)) = (state, output) else {
            self.passed = false;
            return 0;
        };
        filter.start(state, First::alone(input));
        let mut ticks = 0;
        for t in 0..FRAMES {
            meter.lap();
            let done = filter.advance(t, state, scratch, input, output);
            ticks = meter.lap();
            self.passed &= done.is_ok();
            self.digest.add(output);
            // The next frame differs from this one.
            input.rotate_left(7);
        }
        Meter::instructions(ticks)
    }

    /// All filters. `weights` are those of a kernel with up to 50 taps, which `conv` and `smooth` are made of.
    fn all(
        &mut self,
        meter: &mut Meter,
        name: &str,
        (weights, decays): (&'static [T], &'static [Decay; 2]),
        conv: impl Fn(Kernel<'static, T>, ConvOptions) -> Result<Conv3d<'static, T>, Error>,
        smooth: impl Fn(&'static [T], [usize; 2]) -> Result<SmoothConv<'static, T>, Error>,
        separable: impl Fn(Conv3d<'static, T>, Factors<'static, T>) -> Result<Conv3d<'static, T>, Error>,
    ) {
        let mut print = |bench: &mut Self, what: &str, filter: &dyn Filter<T>| {
            let found = bench.measure(meter, filter);
            let pixel = (found * 100).div_ceil(LEN as u64);
            println!(
                "measured: {}-{}\t{}\tinstructions, {}.{:02} a pixel",
                name,
                what,
                found,
                pixel / 100,
                pixel % 100
            );
        };
        for (what, kernel, step) in [
            ("conv-5x5", [1, 1, 1, 5, 5], 1),
            ("conv-3x3", [1, 1, 1, 3, 3], 1),
            ("conv-7x7", [1, 1, 1, 7, 7], 1),
            ("conv-3x3x3", [1, 1, 3, 3, 3], 1),
            ("conv-5x5-step-2", [1, 1, 1, 5, 5], 2),
        ] {
            let weights = weights.get(..kernel.iter().product()).unwrap_or_default();
            let options = ConvOptions { stride: [1, step, step], ..SAME };
            match conv(Kernel::new(weights, kernel), options) {
                Ok(conv) => print(self, what, &conv),
                Err(_) => self.passed = false,
            }
        }
        print(self, "low-pass", &LowPass::new(SHAPE, SHORT));
        print(self, "low-pass-slow", &LowPass::new(SHAPE, decays[0]));
        for (what, size) in [("smooth-conv-5x5", [5, 5]), ("smooth-conv-1x1", [1, 1])] {
            match smooth(weights.get(..2 * size[0] * size[1]).unwrap_or_default(), size) {
                Ok(smooth) => print(self, what, &smooth),
                Err(_) => self.passed = false,
            }
        }
        // 7 x 7 as a product.
        let rows = weights.get(..7).unwrap_or_default();
        let factors = Factors { terms: 1, time: weights.get(..1).unwrap_or_default(), rows, cols: rows };
        let kernel = Kernel::new(weights.get(..49).unwrap_or_default(), [1, 1, 1, 7, 7]);
        match conv(kernel, SAME).and_then(|conv| separable(conv, factors)) {
            Ok(conv) => print(self, "conv-7x7-separable", &conv),
            Err(_) => self.passed = false,
        }
        print(self, "rectify", &RECTIFY);
    }
}

#[entry]
fn main() -> ! {
    let Some(peripherals) = Peripherals::take() else { exit(false) };
    let mut meter = Meter::new(peripherals.SYST);
    let mut bench = Bench { memory: INTEGERS.take(), digest: Digest::new(), passed: true };
    for (i, x) in bench.memory.input.iter_mut().enumerate() {
        *x = Q15::from_bits((i as i32 * 7919 % 60_013 - 30_000) as i16);
    }
    bench.all(
        &mut meter,
        "q15",
        (&WEIGHTS, &WITH_REMAINDERS),
        |kernel, options| Conv3d::new_q15(SHAPE, kernel, 1, options),
        |weights, size| SmoothConv::new_q15(SHAPE, &WITH_REMAINDERS, weights, size, 1, Border::Replicate)?.amplified(2),
        |conv, factors| conv.separable_q15(factors, [0, 1, 1]),
    );
    println!("digest of all bits {=u64:016x}", bench.digest.value());
    #[cfg(target_abi = "eabihf")]
    {
        let memory = FLOATS.take();
        for (x, i) in memory.input.iter_mut().zip(0..) {
            *x = (i * 7919 % 60_013 - 30_000) as f32 / 32_768.0;
        }
        let mut floats = Bench { memory, digest: Digest::new(), passed: true };
        floats.all(
            &mut meter,
            "f32",
            (&FLOAT_WEIGHTS, &DECAYS),
            |kernel, options| Conv3d::new(SHAPE, kernel, options),
            |weights, size| SmoothConv::new(SHAPE, &DECAYS, weights, size, Border::Replicate),
            |conv, factors| conv.separable(factors),
        );
        println!("digest of the floats {=u64:016x}", floats.digest.value());
        bench.passed &= floats.passed;
    }
    println!("{}", if bench.passed { "passed" } else { "FAILED" });
    exit(bench.passed)
}

/// Weights of both signs, whose magnitudes add up to 1 at most.
const fn weights<const N: usize>() -> [Q15; N] {
    let mut weights = [Q15::from_bits(0); N];
    let mut i = 0;
    while i < N {
        weights[i] = Q15::from_bits((i * 7 % N * 51) as i16 - 1_200);
        i += 1;
    }
    weights
}

/// The same as floats.
#[cfg(target_abi = "eabihf")]
const fn float_weights<const N: usize>() -> [f32; N] {
    let (integers, mut weights) = (weights::<N>(), [0.0; N]);
    let mut i = 0;
    while i < N {
        weights[i] = integers[i].to_bits() as f32 / 16_384.0;
        i += 1;
    }
    weights
}
