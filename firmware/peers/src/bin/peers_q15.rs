//! Instructions of foveola's filters of 16-bit integers, beside those of CMSIS-DSP and of plain C, which `peers_q15.c` holds.
//!
//! foveola rounds a sum of products once, half up, and so does the plain C: its bits are equal. CMSIS-DSP rounds each of its sums
//! down, so foveola's output is above, by at most a step for each sum that goes into one sample of output, or, of recursions, by
//! what these losses add up to. The magnitudes of all weights add up to 1 at most, so nothing saturates.

#![no_std]
#![no_main]

use cortex_m::Peripherals;
use cortex_m_rt::entry;
use foveola_core::{
    Border, Conv3d, ConvOptions, Decay, Factors, Kernel, LowPass, Nonlinearity, PadMode, Pointwise, Q15, Sample,
    Scaled, constant,
};
use foveola_peers::{BLOCK, Bench, FRAME, LEN, Memory, SIGNAL, TAPS, peers};
use foveola_qemu::meter::Meter;
use foveola_qemu::{exit, text};
use static_cell::ConstStaticCell;

const EQUAL: [f32; 2] = [0.0, 0.0];
/// Sums that are rounded down, and added without loss.
const fn sums(n: u8) -> [f32; 2] {
    [0.0, n as f32]
}
/// A sum of such sums: the weights have both signs.
const TWICE: [f32; 2] = [-1.0, 2.0];
/// A recursion of gain 1/2 that loses up to a step in each frame.
const ONE_LOSS: [f32; 2] = [0.0, 2.0];
/// One that loses up to two. With Helium it rounds both half up, although its source does not say so: Debian's assembler makes
/// `vqrshrnb` of `vqshrnb`.
const TWO_LOSSES: [f32; 2] = if cfg!(helium) { [-2.0, 2.0] } else { [0.0, 4.0] };

static FIR: [Q15; TAPS] = weights();
static CONV_3: [Q15; 9] = weights();
static CONV_5: [Q15; 25] = weights();
static CONV_7: [Q15; 49] = weights();
static LINE: [Q15; 7] = weights();
static ONE: [Q15; 1] = [Q15::MAX];
static GAIN: [Q15; 1] = [Q15::from_bits(1 << 14)];
const SLOW_GAIN: f64 = 0.05;

const OPTIONS: ConvOptions =
    ConvOptions { pad: Some(PadMode::Zeros), border: Some(Border::Replicate), ..ConvOptions::DEFAULT };
const SIGNAL_FIR: Conv3d<Q15> = constant!(Conv3d::new_q15(SIGNAL, Kernel::new(&FIR, [1, 1, TAPS, 1, 1]), 0, OPTIONS));
const BLUR_3: Conv3d<Q15> = constant!(Conv3d::new_q15(FRAME, Kernel::new(&CONV_3, [1, 1, 1, 3, 3]), 0, OPTIONS));
const BLUR_5: Conv3d<Q15> = constant!(Conv3d::new_q15(FRAME, Kernel::new(&CONV_5, [1, 1, 1, 5, 5]), 0, OPTIONS));
const BLUR_7: Conv3d<Q15> = constant!(Conv3d::new_q15(FRAME, Kernel::new(&CONV_7, [1, 1, 1, 7, 7]), 0, OPTIONS));
const SEPARABLE: Conv3d<Q15> =
    constant!(BLUR_7.separable_q15(Factors { terms: 1, time: &ONE, rows: &LINE, cols: &LINE }, [0; 3]));
const HALF: Decay = constant!(Decay::from_gain(0.5));
const SLOW: Decay = constant!(Decay::from_gain(SLOW_GAIN)).with_remainder();
const RECTIFY: Pointwise = constant!(Pointwise::new(FRAME, Nonlinearity::Rectify));

static MEMORY: ConstStaticCell<Memory<Q15>> = ConstStaticCell::new(Memory::new(Q15::from_bits(0)));

peers! {
    Q15:
    peer_q15_fir_cmsis peer_q15_fir_cmsis_fast
    peer_q15_conv3_plain peer_q15_conv3_blocked peer_q15_conv3_sliding peer_q15_conv3_dots
    peer_q15_conv3_fir peer_q15_conv3_whole peer_q15_conv3_partial peer_q15_conv3_partial_fast
    peer_q15_conv5_plain peer_q15_conv5_blocked peer_q15_conv5_sliding peer_q15_conv5_dots
    peer_q15_conv5_fir peer_q15_conv5_whole peer_q15_conv5_partial peer_q15_conv5_partial_fast
    peer_q15_separable peer_q15_separable_cmsis peer_q15_separable_cmsis_fast
    peer_q15_low_pass_in_place peer_q15_low_pass_apart peer_q15_low_pass_cmsis peer_q15_low_pass_slow
    peer_q15_signal_plain peer_q15_signal_cmsis peer_q15_signal_cmsis_fast
    peer_q15_rectify_plain peer_q15_rectify_cmsis
}

/// What the peer of that name does: an instruction of two products, or of eight.
const DOTS: &str = if cfg!(helium) { "C, rows of taps by vmladava" } else { "C, pairs of taps by smlad" };

#[entry]
fn main() -> ! {
    let Some(peripherals) = Peripherals::take() else { exit(false) };
    let mut bench = Bench::new(Meter::new(peripherals.SYST), MEMORY.take());
    bench.compare(
        "FIR of 32 taps, a signal in blocks of 64",
        &SIGNAL_FIR,
        BLOCK,
        &FIR,
        &[
            ("CMSIS-DSP arm_fir_q15", peer_q15_fir_cmsis, sums(1)),
            ("CMSIS-DSP arm_fir_fast_q15", peer_q15_fir_cmsis_fast, sums(1)),
        ],
    );
    bench.compare(
        "convolution 3 x 3",
        &BLUR_3,
        LEN,
        &CONV_3,
        &[
            ("C, pixel by pixel", peer_q15_conv3_plain, EQUAL),
            ("C, a tile of pixels in registers", peer_q15_conv3_blocked, EQUAL),
            ("C, the same, and samples loaded once", peer_q15_conv3_sliding, EQUAL),
            (DOTS, peer_q15_conv3_dots, EQUAL),
            ("CMSIS-DSP arm_fir_q15, arm_add_q15", peer_q15_conv3_fir, sums(3)),
            ("CMSIS-DSP arm_conv_q15, arm_add_q15", peer_q15_conv3_whole, sums(3)),
            ("CMSIS-DSP arm_conv_partial_q15, arm_add_q15", peer_q15_conv3_partial, sums(3)),
            ("CMSIS-DSP arm_conv_partial_fast_q15, arm_add_q15", peer_q15_conv3_partial_fast, sums(3)),
        ],
    );
    bench.compare(
        "convolution 5 x 5",
        &BLUR_5,
        LEN,
        &CONV_5,
        &[
            ("C, pixel by pixel", peer_q15_conv5_plain, EQUAL),
            ("C, a tile of pixels in registers", peer_q15_conv5_blocked, EQUAL),
            ("C, the same, and samples loaded once", peer_q15_conv5_sliding, EQUAL),
            (DOTS, peer_q15_conv5_dots, EQUAL),
            ("CMSIS-DSP arm_fir_q15, arm_add_q15", peer_q15_conv5_fir, sums(5)),
            ("CMSIS-DSP arm_conv_q15, arm_add_q15", peer_q15_conv5_whole, sums(5)),
            ("CMSIS-DSP arm_conv_partial_q15, arm_add_q15", peer_q15_conv5_partial, sums(5)),
            ("CMSIS-DSP arm_conv_partial_fast_q15, arm_add_q15", peer_q15_conv5_partial_fast, sums(5)),
        ],
    );
    bench.compare(
        "convolution 7 x 7, separable",
        &SEPARABLE,
        LEN,
        &LINE,
        &[
            ("C, a tile of pixels in registers", peer_q15_separable, EQUAL),
            ("CMSIS-DSP arm_fir_q15, arm_mat_mult_q15", peer_q15_separable_cmsis, TWICE),
            ("CMSIS-DSP arm_fir_q15, arm_mat_mult_fast_q15", peer_q15_separable_cmsis_fast, TWICE),
        ],
    );
    bench.compare(
        "low-pass",
        &LowPass::new(FRAME, HALF),
        LEN,
        &GAIN,
        &[
            ("C, the output is the state", peer_q15_low_pass_in_place, EQUAL),
            ("C, output and state apart", peer_q15_low_pass_apart, EQUAL),
            ("CMSIS-DSP arm_scale_q15 (2), arm_add_q15", peer_q15_low_pass_cmsis, TWO_LOSSES),
        ],
    );
    let Scaled { value: [gain], shift } = Q15::scaled([SLOW_GAIN]);
    bench.compare(
        "low-pass with a remainder, a state of 31 bits",
        &LowPass::new(FRAME, SLOW),
        LEN,
        &[gain, Q15::from_bits((-shift).into())],
        &[("C, output and state apart", peer_q15_low_pass_slow, EQUAL)],
    );
    bench.compare(
        "low-pass, a signal in blocks of 64",
        &LowPass::new(SIGNAL, HALF),
        BLOCK,
        &GAIN,
        &[
            ("C, sample by sample", peer_q15_signal_plain, EQUAL),
            ("CMSIS-DSP arm_biquad_cascade_df1_q15", peer_q15_signal_cmsis, ONE_LOSS),
            ("CMSIS-DSP arm_biquad_cascade_df1_fast_q15", peer_q15_signal_cmsis_fast, ONE_LOSS),
        ],
    );
    bench.compare(
        "rectifier",
        &RECTIFY,
        LEN,
        &[],
        &[("C", peer_q15_rectify_plain, EQUAL), ("CMSIS-DSP arm_clip_q15", peer_q15_rectify_cmsis, EQUAL)],
    );
    text!("{}", if bench.passed() { "passed" } else { "FAILED" });
    exit(bench.passed())
}

/// Weights of both signs, none like another, whose magnitudes add up to 1 at most.
const fn weights<const N: usize>() -> [Q15; N] {
    let mut weights = [Q15::from_bits(0); N];
    let mut i = 0;
    while i < N {
        let magnitude = ((i * 11 % N + 1) * 65_534 / (N * (N + 1))) as i16;
        weights[i] = Q15::from_bits(if i % 3 == 1 { -magnitude } else { magnitude });
        i += 1;
    }
    weights
}
